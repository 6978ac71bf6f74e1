/* Tests of the game packets: what is decoded is what was encoded, for states of every game; and any
 * bytes are safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delta.h"
#include "packet.h"
#include "simulate.h"

extern const struct fray_game fray_tictactoe, fray_rps, fray_arena, fray_duel;

static const struct fray_game *const games[] = {&fray_tictactoe, &fray_rps, &fray_arena,
                                                &fray_duel};

enum { SIZE = 1 << 16 };

/* ------------------------------------------------------------------ random states */

static void random_row(const struct fray_game_table *table, uint8_t *row, uint32_t random[4],
                       int32_t change_one_in)
{
    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        for (uint32_t k = 0; k < field->count; k++) {
            if (fray_game_random_range(random, 1, change_one_in) > 1)
                continue;
            uint32_t unused = 32u - field->bits;
            uint32_t value = fray_game_random(random) >> fray_game_random_range(random, 0, 31);
            value = value << unused >> unused;
            if (field->type & 8)
                value = (uint32_t)((int32_t)(value << unused) >> unused);
            memcpy(row + field->offset + k * (field->type & 7u), &value, field->type & 7u);
        }
    }
}

/* Anything that the fields' bits can hold; only the clocks agree with the tick. */
static void random_state(const struct fray_game *game, uint8_t *state, uint32_t random[4],
                         int32_t change_one_in, uint32_t tick)
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        for (uint32_t i = 0; i < table->rows; i++) {
            uint8_t *row = state + table->offset + i * table->stride;
            random_row(table, row, random, change_one_in);
            fray_delta_set_clocks(table, row, tick, true);
        }
    }
}

static void random_events(const struct fray_game *game, struct fray_packet_snapshot *snapshot,
                          uint32_t random[4])
{
    snapshot->events_count = (uint32_t)fray_game_random_range(random, 0, 4);
    uint16_t seq = (uint16_t)fray_game_random_range(random, 65530, 65535);
    for (uint32_t i = 0; i < snapshot->events_count; i++) {
        struct fray_packet_event *event = &snapshot->events[i];
        *event = (struct fray_packet_event){.seq = seq, .tick = snapshot->tick - i};
        event->event.to = FRAY_GAME_NOBODY;
        event->event.kind =
            (uint8_t)fray_game_random_range(random, 0, (int32_t)game->events_count - 1);
        for (int k = 0; k < FRAY_GAME_ARGS_MAX && game->events[event->event.kind].args[k].name; k++)
            event->event.args[k] =
                (int32_t)fray_game_random(random) >> fray_game_random_range(random, 0, 31);
        seq = fray_packet_seq_next(seq);
    }
}

struct pair {
    uint8_t *state, *base, *view, *decoded, *packet;
    struct fray_packet_snapshot sent, got;
};

static void pair_init(struct pair *pair, const struct fray_game *game)
{
    *pair = (struct pair){.state = calloc(1, game->state_size),
                          .base = calloc(1, game->state_size),
                          .view = calloc(1, game->state_size),
                          .decoded = malloc(game->state_size),
                          .packet = malloc(SIZE)};
}

static void pair_deinit(struct pair *pair)
{
    free(pair->state);
    free(pair->base);
    free(pair->view);
    free(pair->decoded);
    free(pair->packet);
}

static size_t check_pair(const struct fray_game *game, struct pair *pair, uint32_t seat, bool full)
{
    pair->sent.seq = (uint16_t)(pair->sent.tick % UINT16_MAX + 1);
    pair->sent.base_seq = (uint16_t)(full ? pair->sent.seq : pair->sent.seq - 31);
    if (pair->sent.base_seq == 0)
        pair->sent.base_seq--;
    const uint8_t *base = full ? NULL : pair->base;
    size_t len =
        fray_packet_snapshot_encode(game, seat, base, pair->view, &pair->sent, pair->packet, SIZE);
    assert_in_range(len, 11, SIZE);
    memset(pair->decoded, 0xA5, game->state_size);
    assert_true(fray_packet_snapshot_decode(game, seat, base, pair->decoded, &pair->got,
                                            pair->packet, len));
    assert_memory_equal(pair->decoded, pair->view, game->state_size);
    assert_int_equal(pair->got.events_count, pair->sent.events_count);
    assert_memory_equal(pair->got.events, pair->sent.events,
                        pair->sent.events_count * sizeof *pair->sent.events);
    assert_int_equal(pair->got.seq, pair->sent.seq);
    assert_int_equal(pair->got.base_seq, pair->sent.base_seq);
    assert_int_equal(pair->got.tick, pair->sent.tick);
    assert_int_equal(pair->got.input_tick, pair->sent.input_tick);
    assert_int_equal(pair->got.margin, pair->sent.margin);
    assert_true(pair->got.hash == pair->sent.hash);
    return len;
}

static uint32_t random_seat(const struct fray_game *game, uint32_t random[4])
{
    int32_t seat = fray_game_random_range(random, 0, game->seats_max);
    return seat == game->seats_max ? FRAY_GAME_NOBODY : (uint32_t)seat;
}

static void random_states_come_back(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 7);
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        struct pair pair;
        struct fray_game game = *games[g];
        game.visible = NULL; /* rules need not take such states */
        pair_init(&pair, &game);
        for (int i = 0; i < 1000; i++) {
            uint32_t seat = random_seat(&game, random), tick = fray_game_random(random);
            fray_game_view(&game, pair.state, seat, pair.base);
            random_state(&game, pair.state, random, 1 + i % 40, tick);
            fray_game_view(&game, pair.state, seat, pair.view);
            pair.sent.flags = i & 1;
            pair.sent.hash = i & 1 ? (uint64_t)tick << 32 | tick : 0;
            pair.sent.tick = tick;
            pair.sent.input_tick = i % 3 == 0 ? 0 : i % 3 == 1 ? tick : tick ^ 5;
            pair.sent.margin = (int8_t)i;
            random_events(&game, &pair.sent, random);
            check_pair(&game, &pair, seat, i % 10 == 0);
        }
        pair_deinit(&pair);
    }
}

/* States of matches as they are played, each against the one of a few steps before. */
static void played_states_come_back(void **unused)
{
    (void)unused;
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        const struct fray_game *game = games[g];
        struct fray_simulate simulate;
        void *memory = malloc(fray_simulate_size(game));
        struct fray_simulate_config config = {.seed = 3, .bots = game->seats_max};
        struct pair pair;
        pair_init(&pair, game);
        fray_simulate_init(&simulate, game, &config, memory);
        for (uint32_t i = 0; i < 600; i++) {
            uint32_t seat = i / 50 % 3 ? i / 50 % game->seats_max : FRAY_GAME_NOBODY;
            fray_game_view(game, simulate.state, seat, pair.base);
            fray_simulate_run(&simulate, i % 3);
            fray_game_view(game, simulate.state, seat, pair.view);
            pair.sent =
                (struct fray_packet_snapshot){.tick = fray_delta_clock(game, simulate.state)};
            size_t len = check_pair(game, &pair, seat, false);
            if (i % 3 == 0)
                assert_in_range(len, 11, 11); /* nothing has changed */
        }
        free(memory);
        pair_deinit(&pair);
    }
}

static void clocks_are_ticks(void **unused)
{
    (void)unused;
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        struct fray_simulate simulate;
        if (games[g]->tick_hz == 0)
            continue;
        void *memory = malloc(fray_simulate_size(games[g]));
        fray_simulate_init(&simulate, games[g], &(struct fray_simulate_config){.bots = 2}, memory);
        assert_int_equal(fray_delta_clock(games[g], simulate.state), 0);
        fray_simulate_run(&simulate, 4321);
        assert_int_equal(fray_delta_clock(games[g], simulate.state), 4321);
        free(memory);
    }
}

/* ------------------------------------------------------------------ inputs */

static void inputs_come_back(void **unused)
{
    uint32_t random[4];
    static uint8_t inputs[FRAY_PACKET_INPUTS_MAX * 64], got[FRAY_PACKET_INPUTS_MAX * 64];
    static uint8_t bytes[4096];

    (void)unused;
    fray_game_random_seed(random, 8);
    for (uint32_t i = 0; i < 4000; i++) {
        const struct fray_game *game = games[i % 4];
        struct fray_packet_input packet = {.flags = (uint8_t)(i / 4 % 4),
                                           .count = (uint8_t)(i % 25),
                                           .ack = (uint16_t)fray_game_random(random),
                                           .ack_bits = fray_game_random(random),
                                           .first_tick = i % 25 ? fray_game_random(random) : 0};
        packet.view = packet.flags & FRAY_INPUT_HAS_VIEW ? i : 0;
        memset(inputs, 0, sizeof inputs);
        for (uint32_t k = 0; k < packet.count; k++) {
            uint8_t *input = inputs + k * game->input_size;
            if (k)
                memcpy(input, input - game->input_size, game->input_size);
            random_row(game->input, input, random, 1 + (int32_t)(i % 9));
            fray_delta_clear_secrets(game->input, input, true);
        }
        size_t len = fray_packet_input_encode(game, &packet, inputs, bytes, sizeof bytes);
        assert_true(len > 0);
        struct fray_packet_input again;
        assert_true(fray_packet_input_decode(game, &again, got, bytes, len));
        assert_memory_equal(&again, &packet, sizeof packet);
        assert_memory_equal(got, inputs, packet.count * game->input_size);
        for (size_t shorter = 0; shorter < len; shorter++) {
            assert_false(fray_packet_input_decode(game, &again, got, bytes, shorter));
            assert_int_equal(fray_packet_input_encode(game, &packet, inputs, bytes + 2048, shorter),
                             0);
        }
        assert_false(fray_packet_input_decode(game, &again, got, bytes, len + 1));
    }
}

static void held_keys_cost_a_bit(void **unused)
{
    uint8_t inputs[24 * 16], bytes[64];
    struct fray_packet_input packet = {.count = 24, .first_tick = 5};

    (void)unused;
    memset(inputs, 0, sizeof inputs);
    assert_int_equal(fray_packet_input_encode(&fray_duel, &packet, inputs, bytes, sizeof bytes),
                     9 + 4 + 3);
}

/* ------------------------------------------------------------------ small packets */

static void layouts_are_those_of_the_document(void **unused)
{
    uint8_t bytes[64];

    (void)unused;
    assert_int_equal(
        fray_packet_hello_encode(&(struct fray_packet_hello){1, 1, 30}, bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "\x01\x01\x01\x1e", 4);
    assert_int_equal(fray_packet_ping_encode(0x04030201, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "\x03\x01\x02\x03\x04", 5);
    assert_int_equal(fray_packet_report_encode(&(struct fray_packet_report){7, 0x0102030405060708},
                                               bytes, sizeof bytes),
                     13);
    assert_memory_equal(bytes, "\x04\x07\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01", 13);
    assert_int_equal(fray_packet_welcome_encode(
                         &(struct fray_packet_welcome){1, 2, 60, 20, 0, 0x100, 0x1122334455667788},
                         bytes, sizeof bytes),
                     20);
    assert_memory_equal(bytes,
                        "\x81\x01\x02\x3c\x14\0\0\0\0\x01\0\0\x88\x77\x66\x55\x44\x33\x22\x11", 20);
    assert_int_equal(
        fray_packet_pong_encode(&(struct fray_packet_pong){1, 2, 0x8000}, bytes, sizeof bytes), 11);
    assert_memory_equal(bytes, "\x83\x01\0\0\0\x02\0\0\0\0\x80", 11);
    assert_int_equal(fray_packet_refused_encode(FRAY_REFUSED_FLOODING, bytes, sizeof bytes), 2);
    assert_memory_equal(bytes, "\x84\x04", 2);
}

static void try_all(const struct fray_game *game, const uint8_t *base, uint8_t *view,
                    const uint8_t *bytes, size_t len)
{
    static struct fray_packet_snapshot snapshot;
    static uint8_t inputs[FRAY_PACKET_INPUTS_MAX * 64];
    struct fray_packet_input input;
    struct fray_packet_hello hello;
    struct fray_packet_report report;
    struct fray_packet_welcome welcome;
    struct fray_packet_pong pong;
    uint32_t stamp;
    uint8_t code;

    (void)fray_packet_hello_decode(&hello, bytes, len);
    (void)fray_packet_input_decode(game, &input, inputs, bytes, len);
    (void)fray_packet_ping_decode(&stamp, bytes, len);
    (void)fray_packet_report_decode(&report, bytes, len);
    (void)fray_packet_welcome_decode(&welcome, bytes, len);
    (void)fray_packet_pong_decode(&pong, bytes, len);
    (void)fray_packet_refused_decode(&code, bytes, len);
    (void)fray_packet_snapshot_decode(game, 0, base, view, &snapshot, bytes, len);
    (void)fray_packet_snapshot_decode(game, 1, NULL, view, &snapshot, bytes, len);
}

/* In a block of exactly its length, so that sanitizers see a step beyond. */
static void try_exactly(const struct fray_game *game, struct pair *pair, const uint8_t *bytes,
                        size_t len)
{
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, bytes, len);
    try_all(game, pair->base, pair->decoded, copy, len);
    free(copy);
}

static void any_bytes_are_safe(void **unused)
{
    uint32_t random[4];
    uint8_t bytes[200];

    (void)unused;
    fray_game_random_seed(random, 9);
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        struct pair pair;
        pair_init(&pair, games[g]);
        random_state(games[g], pair.base, random, 1, 5);
        for (int i = 0; i < 3000; i++) {
            size_t len = (size_t)fray_game_random_range(random, 0, sizeof bytes);
            for (size_t k = 0; k < len; k++)
                bytes[k] = (uint8_t)(fray_game_random(random) >> 24 >> (i % 2 ? 0 : 4));
            if (len)
                bytes[0] = "\x01\x02\x03\x04\x81\x82\x82\x83\x84"[i % 9];
            if (len > 5 && i % 3) /* full, or against the one before, without flags */
                memcpy(bytes + 1, i % 2 ? "\0\1\0\0" : "\0\2\0\1", 4);
            try_exactly(games[g], &pair, bytes, len);
        }
        pair_deinit(&pair);
    }
}

static void damage(const struct fray_game *game, struct pair *pair, size_t len)
{
    for (size_t shorter = 0; shorter < len; shorter++) {
        uint8_t *room = malloc(shorter + !shorter);
        try_exactly(game, pair, pair->packet, shorter);
        assert_false(fray_packet_snapshot_decode(game, 0, pair->base, pair->decoded, &pair->got,
                                                 pair->packet, shorter));
        assert_int_equal(fray_packet_snapshot_encode(game, 0, pair->base, pair->view, &pair->sent,
                                                     room, shorter),
                         0);
        free(room);
    }
    for (size_t i = 0; i < (len < 500 ? len : 500) * 8; i++) {
        pair->packet[i / 8] ^= (uint8_t)(1 << i % 8);
        try_exactly(game, pair, pair->packet, len);
        pair->packet[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void damaged_packets_are_safe(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 10);
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        struct fray_game game = *games[g];
        struct pair pair;
        game.visible = NULL;
        pair_init(&pair, &game);
        pair.sent.tick = 9;
        random_state(&game, pair.state, random, 1, 8);
        fray_game_view(&game, pair.state, 0, pair.base);
        random_state(&game, pair.state, random, 30, 9);
        fray_game_view(&game, pair.state, 0, pair.view);
        random_events(&game, &pair.sent, random);
        damage(&game, &pair, check_pair(&game, &pair, 0, false));
        pair_deinit(&pair);
    }
}

static void sequence_numbers_wrap_around_zero(void **unused)
{
    (void)unused;
    assert_int_equal(fray_packet_seq_next(0), 1);
    assert_int_equal(fray_packet_seq_next(65535), 1);
    assert_true(fray_packet_seq_newer(1, 65535));
    assert_true(fray_packet_seq_newer(65535, 65534));
    assert_false(fray_packet_seq_newer(65535, 1));
    assert_false(fray_packet_seq_newer(9, 9));
}

static void rules_are_the_hash_of_the_description(void **unused)
{
    (void)unused;
    for (size_t g = 0; g < FRAY_GAME_COUNT(games); g++) {
        size_t len = fray_game_describe(games[g], NULL, 0);
        char *text = malloc(len + 1);
        fray_game_describe(games[g], text, len + 1);
        assert_true(fray_game_rules(games[g]) == fray_game_hash(FRAY_GAME_HASH_START, text, len));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_states_come_back),
        cmocka_unit_test(played_states_come_back),
        cmocka_unit_test(clocks_are_ticks),
        cmocka_unit_test(inputs_come_back),
        cmocka_unit_test(held_keys_cost_a_bit),
        cmocka_unit_test(layouts_are_those_of_the_document),
        cmocka_unit_test(any_bytes_are_safe),
        cmocka_unit_test(damaged_packets_are_safe),
        cmocka_unit_test(sequence_numbers_wrap_around_zero),
        cmocka_unit_test(rules_are_the_hash_of_the_description),
    };
    return cmocka_run_group_tests_name("games_packet", tests, NULL, NULL);
}
