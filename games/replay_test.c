/* Matches of every game, written by games/simulate.h and played again. */
#include "replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simulate.h"

extern const struct fray_game fray_tictactoe, fray_rps, fray_arena, fray_duel;

static const struct fray_game *const games[] = {&fray_tictactoe, &fray_rps, &fray_arena,
                                                &fray_duel};

enum { STARTED_MS = 1234567890 };

struct bytes {
    uint8_t *data;
    size_t len, cap;
};

static void on_bytes(void *context, const void *data, size_t len)
{
    struct bytes *bytes = context;
    while (bytes->len + len > bytes->cap) {
        bytes->cap = bytes->cap ? bytes->cap * 2 : 1024;
        bytes->data = realloc(bytes->data, bytes->cap);
    }
    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

struct recording {
    const struct fray_game *game;
    struct bytes file;
    uint64_t hash; /* of the last state */
    uint32_t ticks;
    uint64_t *hashes; /* of each state, when asked for */
};

static uint64_t state_hash(const struct fray_game *game, const void *state)
{
    return fray_game_hash(FRAY_GAME_HASH_START, state, game->state_size);
}

static void record(struct recording *recording, const struct fray_game *game, uint32_t ticks,
                   uint32_t bots, uint32_t guests)
{
    struct fray_replay_writer writer = {.sink = on_bytes, .context = &recording->file};
    struct fray_replay_header header = {.rules = fray_game_rules(game),
                                        .seed = 7 + ticks,
                                        .started_ms = STARTED_MS,
                                        .match = {"k7m2p9xwq4", 10}};
    struct fray_simulate simulate;
    void *memory = malloc(fray_replay_writer_size(game)), *room = malloc(fray_simulate_size(game));

    for (uint32_t i = 0; i < game->options_count; i++)
        header.options[i] = game->options[i].standard;
    *recording = (struct recording){.game = game, .ticks = ticks};
    recording->hashes = calloc(ticks + 1, sizeof *recording->hashes);
    fray_replay_writer_begin(&writer, game, &header, memory);
    fray_simulate_init(&simulate, game,
                       &(struct fray_simulate_config){
                           .seed = header.seed, .bots = bots, .guests = guests, .replay = &writer},
                       room);
    recording->hashes[0] = state_hash(game, simulate.state);
    for (uint32_t tick = 1; tick <= ticks; tick++) {
        fray_simulate_run(&simulate, 1);
        recording->hashes[tick] = state_hash(game, simulate.state);
    }
    fray_simulate_end(&simulate);
    recording->hash = state_hash(game, simulate.state);
    free(memory);
    free(room);
}

static void recording_free(struct recording *recording)
{
    free(recording->file.data);
    free(recording->hashes);
}

/* A copy without a byte to spare, so that a sanitizer sees a read beyond it. */
static enum fray_replay_fault verify(const struct fray_game *game, const uint8_t *bytes, size_t len,
                                     struct fray_replay *replay)
{
    uint8_t *copy = malloc(len ? len : 1);
    void *memory = malloc(fray_replay_size(game));

    memcpy(copy, bytes, len);
    enum fray_replay_fault fault = FRAY_REPLAY_GOOD;
    if (fray_replay_open(replay, game, fray_game_rules(game), copy, len, memory))
        fault = fray_replay_verify(replay);
    else
        fault = replay->fault;
    free(copy);
    free(memory);
    return fault;
}

#define FOR_EACH_GAME(game)                                                                        \
    const struct fray_game *game = games[0];                                                       \
    for (size_t game_number = 0;                                                                   \
         game_number < FRAY_GAME_COUNT(games) && (game = games[game_number]); game_number++)

static void a_match_is_played_again_to_the_bit(void **unused)
{
    (void)unused;
    static const uint32_t parties[][2] = {{2, 0}, {0, 2}, {1, 1}, {3, 5}, {60, 60}};
    FOR_EACH_GAME(game)
    {
        for (size_t i = 0; i < FRAY_GAME_COUNT(parties); i++) {
            struct recording recording;
            struct fray_replay replay;
            record(&recording, game, i == 4 ? 300 : 3000, parties[i][0], parties[i][1]);
            enum fray_replay_fault fault =
                verify(game, recording.file.data, recording.file.len, &replay);
            assert_string_equal(fray_replay_fault_text(fault), "good");
            assert_int_equal(replay.ticks_max, recording.ticks);
            assert_int_equal(replay.hashed_tick, recording.ticks);
            assert_true(replay.hashes >= recording.ticks / FRAY_SIMULATE_HASH_TICKS);
            assert_true(replay.is_complete);
            assert_int_equal(replay.header.started_ms, STARTED_MS);
            assert_int_equal(replay.header.match.len, 10);
            recording_free(&recording);
        }
    }
}

static void events_and_states_are_those_of_the_match(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct recording recording;
        struct fray_replay replay;
        struct fray_game_event items[256];
        uint64_t heard = 0;
        record(&recording, game, 2000, 1, 2);
        void *memory = malloc(fray_replay_size(game));
        assert_true(fray_replay_open(&replay, game, fray_game_rules(game), recording.file.data,
                                     recording.file.len, memory));
        for (uint32_t tick = 0;; tick++) {
            struct fray_game_events events = {.items = items, .max = 256};
            if (tick == recording.ticks)
                assert_int_equal(state_hash(game, replay.state), recording.hashes[tick]);
            if (!fray_replay_step(&replay, &events))
                break;
            heard += events.count;
        }
        assert_true(heard > 5);
        assert_int_equal(replay.frame->tick, recording.ticks);
        assert_int_equal(fray_replay_name(&replay, 0).len, 5);
        assert_memory_equal(fray_replay_name(&replay, 0).at, "bot 1", 5);
        assert_int_equal(replay.seats[1].level, FRAY_REPLAY_PERSON);
        free(memory);
        recording_free(&recording);
    }
}

/* The state after `tick` steps is one and the same however one came there. Guests who leave and
 * come back between two steps are the next step's in a recording, and the last one's in a replay;
 * so bots alone play here. */
static void seeking_leads_to_the_same_states(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct recording recording;
        struct fray_replay replay;
        uint32_t random[4];
        record(&recording, game, 20000, 2, 0);
        void *memory = malloc(fray_replay_size(game));
        assert_true(fray_replay_open(&replay, game, fray_game_rules(game), recording.file.data,
                                     recording.file.len, memory));
        fray_game_random_seed(random, 3);
        for (int i = 0; i < 60; i++) {
            uint32_t tick = (uint32_t)fray_game_random_range(random, 0, 20000);
            fray_replay_seek(&replay, tick);
            assert_int_equal(replay.frame->tick, tick);
            assert_int_equal(state_hash(game, replay.state), recording.hashes[tick]);
            if (fray_replay_step(&replay, NULL) && !replay.comings)
                assert_memory_equal(fray_replay_stepped(&replay), replay.state, game->state_size);
        }
        fray_replay_seek(&replay, UINT32_MAX);
        assert_int_equal(replay.frame->tick, recording.ticks);
        assert_false(fray_replay_step(&replay, NULL));
        fray_replay_seek(&replay, 0);
        assert_int_equal(state_hash(game, replay.state), recording.hashes[0]);
        assert_int_equal(replay.fault, FRAY_REPLAY_GOOD);
        free(memory);
        recording_free(&recording);
    }
}

static void what_is_cut_off_is_good_as_far_as_it_goes(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct recording recording;
        struct fray_replay replay;
        size_t header_len;
        record(&recording, game, 300, 1, 1);
        struct fray_replay_header header;
        assert_true(fray_replay_header_decode(recording.file.data, recording.file.len, &header,
                                              &header_len));
        for (size_t len = 0; len < recording.file.len; len++) {
            enum fray_replay_fault fault = verify(game, recording.file.data, len, &replay);
            assert_int_equal(fault, len < header_len ? FRAY_REPLAY_FOREIGN : FRAY_REPLAY_TRUNCATED);
        }
        recording_free(&recording);
    }
}

/* Everything before the last check is under it; what a flipped bit makes of a record may be caught
 * earlier. */
static void flipped_bits_are_found(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct recording recording;
        struct fray_replay replay;
        uint32_t random[4];
        record(&recording, game, 500, 1, 1);
        fray_game_random_seed(random, 11);
        for (int i = 0; i < 400; i++) {
            int32_t bit = fray_game_random_range(random, 0, (int32_t)recording.file.len * 8 - 1);
            recording.file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(verify(game, recording.file.data, recording.file.len, &replay),
                                 FRAY_REPLAY_GOOD);
            recording.file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        on_bytes(&recording.file, "x", 1);
        assert_int_equal(verify(game, recording.file.data, recording.file.len, &replay),
                         FRAY_REPLAY_MALFORMED);
        recording_free(&recording);
    }
}

static void foreign_files_are_refused_with_a_reason(void **unused)
{
    (void)unused;
    struct recording recording;
    struct fray_replay replay;
    uint8_t noise[512];
    uint32_t random[4];

    record(&recording, &fray_duel, 100, 2, 0);
    assert_int_equal(verify(&fray_arena, recording.file.data, recording.file.len, &replay),
                     FRAY_REPLAY_OTHER_GAME);
    recording.file.data[8] ^= 1; /* the rules */
    assert_int_equal(verify(&fray_duel, recording.file.data, recording.file.len, &replay),
                     FRAY_REPLAY_OTHER_RULES);
    recording.file.data[4]++; /* the format */
    assert_int_equal(verify(&fray_duel, recording.file.data, recording.file.len, &replay),
                     FRAY_REPLAY_FOREIGN);
    fray_game_random_seed(random, 5);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)fray_game_random(random);
    assert_int_equal(verify(&fray_duel, noise, sizeof noise, &replay), FRAY_REPLAY_FOREIGN);
    recording_free(&recording);
}

/* Two sit down; the writer's memory is the caller's to free. */
static void *tictactoe_begin(struct fray_replay_writer *writer, char state[4096])
{
    struct fray_replay_header header = {.rules = fray_game_rules(&fray_tictactoe), .seed = 1};
    void *memory = malloc(fray_replay_writer_size(&fray_tictactoe));

    assert_true(fray_tictactoe.state_size <= 4096);
    fray_replay_writer_begin(writer, &fray_tictactoe, &header, memory);
    fray_game_init(&fray_tictactoe, state, 1, header.options);
    for (uint32_t seat = 0; seat < 2; seat++) {
        fray_replay_writer_join(writer, seat);
        fray_tictactoe.join(state, seat, NULL);
    }
    return memory;
}

/* A forger who mends the check of an input that was changed: the rules come to another state. */
static void a_changed_input_with_a_right_check_differs(void **unused)
{
    (void)unused;
    struct fray_replay replay;
    struct bytes forged = {0};
    struct fray_replay_writer writer = {.sink = on_bytes, .context = &forged};
    uint8_t input[64] = {0}, given[2] = {1, 0}, outcomes[2] = {0, 0};
    _Alignas(4) char state[4096];

    void *memory = tictactoe_begin(&writer, state);
    fray_replay_writer_hash(&writer, state_hash(&fray_tictactoe, state));
    fray_replay_writer_step(
        &writer, &(struct fray_replay_step){.inputs = input, .given = given, .now_ms = 5});
    fray_replay_writer_hash(&writer, 42);
    fray_replay_writer_end(&writer, outcomes, 42);
    assert_int_equal(verify(&fray_tictactoe, forged.data, forged.len, &replay),
                     FRAY_REPLAY_DIFFERS);
    assert_int_equal(replay.fault_tick, 1);
    assert_int_equal(replay.hashed_tick, 0);
    assert_true(replay.is_complete);
    free(memory);
    free(forged.data);
}

/* A move may be waited for longer than up to FRAY_GAME_NEVER. */
static void a_match_of_a_month_is_played_again(void **unused)
{
    (void)unused;
    struct fray_replay replay;
    struct bytes file = {0};
    struct fray_replay_writer writer = {.sink = on_bytes, .context = &file};
    uint8_t inputs[64] = {0}, outcomes[2] = {0, 0};
    _Alignas(4) char state[4096];
    const uint32_t times_ms[] = {5, 0x90000000, UINT32_MAX};

    void *memory = tictactoe_begin(&writer, state);
    for (uint32_t i = 0; i < FRAY_GAME_COUNT(times_ms); i++) {
        const uint8_t given[2] = {i % 2 == 0, i % 2};
        uint8_t *input = inputs + (i % 2) * fray_tictactoe.input_size;
        input[0] = 1; /* place */
        input[1] = (uint8_t)i;
        fray_tictactoe.step(state, &(struct fray_game_step){
                                       .inputs = inputs, .given = given, .now_ms = times_ms[i]});
        fray_replay_writer_step(
            &writer,
            &(struct fray_replay_step){.inputs = inputs, .given = given, .now_ms = times_ms[i]});
    }
    fray_replay_writer_end(&writer, outcomes, state_hash(&fray_tictactoe, state));
    assert_int_equal(verify(&fray_tictactoe, file.data, file.len, &replay), FRAY_REPLAY_GOOD);
    assert_true(replay.is_complete);
    free(memory);
    free(file.data);
}

/* Keys that are held cost nothing; what bots press, little. */
static void files_are_small(void **unused)
{
    (void)unused;
    struct recording recording;
    record(&recording, &fray_duel, 60 * 60, 2, 0); /* a minute */
    assert_in_range(recording.file.len, 1000, 60 * 1024);
    print_message("# a minute of a duel of bots: %zu bytes\n", recording.file.len);
    recording_free(&recording);
    record(&recording, &fray_arena, 30 * 60, 8, 0);
    assert_in_range(recording.file.len, 1000, 120 * 1024);
    print_message("# a minute of eight bots in the arena: %zu bytes\n", recording.file.len);
    recording_free(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_is_played_again_to_the_bit),
        cmocka_unit_test(events_and_states_are_those_of_the_match),
        cmocka_unit_test(seeking_leads_to_the_same_states),
        cmocka_unit_test(what_is_cut_off_is_good_as_far_as_it_goes),
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(foreign_files_are_refused_with_a_reason),
        cmocka_unit_test(a_changed_input_with_a_right_check_differs),
        cmocka_unit_test(a_match_of_a_month_is_played_again),
        cmocka_unit_test(files_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
