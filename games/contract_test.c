/* What fray/game.h asks of every game, asked of each by playing it; what can be seen without, hosts
 * find (src/game/catalog.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "simulate.h"

extern const struct fray_game *const fray_games_builtin[];

enum { TICKS = 3000 };

#define FOR_EACH_GAME(game)                                                                        \
    const struct fray_game *game;                                                                  \
    for (size_t game_number = 0; (game = fray_games_builtin[game_number]); game_number++)

/* ------------------------------------------------------------------ tables */

static void options_are_brought_into_their_ranges(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        char *state = malloc(game->state_size);
        for (int low = 0; low < 2; low++) {
            int32_t wild[32];
            assert_in_range(game->options_count, 1, 32);
            for (int i = 0; i < 32; i++)
                wild[i] = low ? INT32_MIN : INT32_MAX;
            fray_game_init(game, state, 1, wild);
            for (uint32_t i = 0; i < game->options_count; i++) {
                const struct fray_game_option *option = &game->options[i];
                int32_t value;
                memcpy(&value, state + game->options_offset + 4 * i, 4);
                assert_true(value >= option->min && value <= option->max);
                assert_true(low ? value == option->min : option->max - value < option->step);
            }
        }
        free(state);
    }
}

static void descriptions_are_json(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        size_t len = fray_game_describe(game, NULL, 0);
        char *text = malloc(len + 1), small[8] = "xxxxxxx";
        json_error_t error;
        assert_int_equal(fray_game_describe(game, text, len + 1), len);
        assert_int_equal(strlen(text), len);
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "name")), game->name);
        assert_int_equal(json_integer_value(json_object_get(json, "state_size")), game->state_size);
        assert_int_equal(json_array_size(json_object_get(json, "tables")), game->tables_count);
        json_t *fields = json_object_get(json_object_get(json, "input"), "fields");
        for (uint32_t i = 0; i < game->input->fields_count; i++) {
            json_t *field = json_array_get(fields, i);
            assert_string_equal(json_string_value(json_object_get(field, "name")),
                                game->input->fields[i].name);
            assert_int_equal(json_integer_value(json_object_get(field, "min")),
                             game->input->fields[i].min);
        }
        json_decref(json);
        assert_int_equal(fray_game_describe(game, small, 5), len);
        assert_string_equal(small, "{\"na");
        free(text);
    }
}

/* ------------------------------------------------------------------ playing */

struct run {
    struct fray_simulate simulate;
    void *memory;
};

static struct run *run_begin(const struct fray_game *game, uint64_t seed, uint32_t bots,
                             uint32_t guests)
{
    struct run *run = malloc(sizeof(*run));

    run->memory = malloc(fray_simulate_size(game));
    fray_simulate_init(&run->simulate, game,
                       &(struct fray_simulate_config){.seed = seed, .bots = bots, .guests = guests},
                       run->memory);
    return run;
}

static void run_end(struct run *run)
{
    free(run->memory);
    free(run);
}

static struct run *run_mixed(const struct fray_game *game, uint64_t seed)
{
    uint32_t bots = game->seats_max > 2 ? 6 : 1;

    return run_begin(game, seed, bots, bots);
}

/* Of all that happens, not of the end alone: small games have few ends. */
static uint64_t hash_of(const struct fray_game *game, uint64_t seed)
{
    struct run *run = run_mixed(game, seed);
    uint64_t hash = FRAY_GAME_HASH_START;
    for (int tick = 0; tick < TICKS; tick += 10) {
        fray_simulate_run(&run->simulate, 10);
        hash = fray_game_hash(hash, run->simulate.state, game->state_size);
    }
    run_end(run);
    return hash;
}

static void E_equal_seeds_give_equal_bytes(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        assert_true(hash_of(game, 1) == hash_of(game, 1));
        assert_true(hash_of(game, 1) != hash_of(game, 2));
    }
}

static void check_bits(const struct fray_game *game, const char *state)
{
    struct fray_game_misfit misfit;

    if (fray_game_find_misfit(game, state, &misfit))
        fail_msg("%s: %s[%u].%s is %lld, which its %u bits cannot hold", game->name,
                 misfit.table->name, misfit.row, misfit.field->name, (long long)misfit.value,
                 misfit.field->bits);
}

static void E_every_value_fits_its_bits(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct run *run = run_mixed(game, seed);
            for (int tick = 0; tick < TICKS; tick += 3) {
                check_bits(game, run->simulate.state);
                fray_simulate_run(&run->simulate, 3);
            }
            run_end(run);
        }
    }
}

static void fill(uint32_t random[4], void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)fray_game_random(random);
}

static void step_once(const struct fray_game *game, void *state, const void *inputs,
                      const uint8_t *given)
{
    game->step(state, &(struct fray_game_step){
                          .inputs = inputs, .given = given, .now_ms = (uint32_t)INT32_MAX - 1});
}

/* Whatever the bytes: refused is as not given, not given is not read, and nothing breaks. */
static void inputs_of_any_bytes_do_no_harm(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 1);
    FOR_EACH_GAME(game)
    {
        struct run *run = run_mixed(game, 5);
        size_t inputs_len = (size_t)game->seats_max * game->input_size;
        char *inputs = malloc(inputs_len), *a = malloc(game->state_size),
             *b = malloc(game->state_size);
        uint8_t given[FRAY_GAME_NOBODY], passed[FRAY_GAME_NOBODY], none[FRAY_GAME_NOBODY] = {0};
        for (int round = 0; round < 200; round++) {
            fray_simulate_run(&run->simulate, 7);
            memcpy(a, run->simulate.state, game->state_size);
            memcpy(b, run->simulate.state, game->state_size);
            fill(random, inputs, inputs_len);
            step_once(game, a, inputs, none);
            memset(inputs, 0, inputs_len);
            step_once(game, b, inputs, none);
            assert_memory_equal(a, b, game->state_size);

            memcpy(a, run->simulate.state, game->state_size);
            memcpy(b, run->simulate.state, game->state_size);
            fill(random, inputs, inputs_len);
            uint32_t chosen = fray_game_random(random) % game->seats_max;
            for (uint32_t seat = 0; seat < game->seats_max; seat++) {
                given[seat] = game->tick_hz || seat == chosen;
                passed[seat] = given[seat] &&
                               !fray_game_check(game, a, seat, inputs + seat * game->input_size);
            }
            step_once(game, a, inputs, given);
            step_once(game, b, inputs, passed);
            assert_memory_equal(a, b, game->state_size);
            check_bits(game, a);
        }
        free(inputs);
        free(a);
        free(b);
        run_end(run);
    }
}

/* ------------------------------------------------------------------ views */

static bool seat_owns(const struct fray_game_table *table, const char *row, uint32_t number,
                      uint32_t seat)
{
    if (seat == FRAY_GAME_NOBODY)
        return false;
    if (table->owner == FRAY_GAME_ROW)
        return number == seat;
    return table->owner && (uint8_t)row[table->owner - 1] == seat;
}

/* Overwrites all that the seat may not see in rows that it may see. */
static void scramble_secrets(const struct fray_game *game, char *state, uint32_t seat,
                             uint32_t random[4])
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        for (uint32_t i = 0; i < table->rows * table->fields_count; i++) {
            const struct fray_game_field *field = &table->fields[i % table->fields_count];
            uint32_t number = i / table->fields_count;
            char *row = state + table->offset + number * table->stride;
            bool secret = field->flags & FRAY_GAME_HIDDEN ||
                          (field->flags & FRAY_GAME_OWNER && !seat_owns(table, row, number, seat));
            if (secret)
                fill(random, row + field->offset, (field->type & 7u) * field->count);
        }
    }
}

static void E_views_tell_nothing_of_what_is_secret(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 2);
    FOR_EACH_GAME(game)
    {
        struct run *run = run_mixed(game, 6);
        char *state = malloc(game->state_size), *a = malloc(game->state_size),
             *b = malloc(game->state_size);
        for (int round = 0; round < 100; round++) {
            uint32_t seat = round % 8 ? (uint32_t)round % game->seats_max : FRAY_GAME_NOBODY;
            fray_simulate_run(&run->simulate, 11);
            memcpy(state, run->simulate.state, game->state_size);
            memset(a, 0xaa, game->state_size);
            memset(b, 0x55, game->state_size);
            fray_game_view(game, state, seat, a);
            scramble_secrets(game, state, seat, random);
            fray_game_view(game, state, seat, b);
            assert_memory_equal(a, b, game->state_size);
            fray_game_view(game, a, seat, b); /* a view of a view is the view */
            assert_memory_equal(a, b, game->state_size);
        }
        free(state);
        free(a);
        free(b);
        run_end(run);
    }
}

/* A client predicts on its view for a second: nothing breaks and all values stay within their bits.
 */
static void E_views_can_be_stepped(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct run *run = run_mixed(game, 7);
        char *view = malloc(game->state_size);
        uint8_t given[FRAY_GAME_NOBODY] = {0};
        for (uint32_t round = 0; round < 60; round++) {
            uint32_t seat = round % 4 ? round % 12 % game->seats_max : FRAY_GAME_NOBODY;
            fray_simulate_run(&run->simulate, 17);
            fray_game_view(game, run->simulate.state, seat, view);
            memset(given, 0, sizeof(given));
            if (seat != FRAY_GAME_NOBODY)
                given[seat] = 1;
            for (int tick = 0; tick < 60; tick++) {
                step_once(game, view, run->simulate.inputs, given);
                check_bits(game, view);
            }
        }
        free(view);
        run_end(run);
    }
}

/* Options at their ends, and any between: the game is playable, and values stay within their bits.
 */
static void any_options_can_be_played(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 4);
    FOR_EACH_GAME(game)
    {
        void *memory = malloc(fray_simulate_size(game));
        for (int round = 0; round < 40; round++) {
            struct fray_simulate simulate;
            int32_t options[32];
            for (uint32_t i = 0; i < game->options_count; i++) {
                const struct fray_game_option *option = &game->options[i];
                int32_t any = fray_game_random_range(random, option->min, option->max);
                int32_t end = fray_game_random(random) & 1 ? option->min : option->max;
                options[i] = round % 2 ? any : end;
            }
            struct fray_simulate_config config = {.seed = (uint64_t)round,
                                                  .bots = 1 + (uint32_t)round % 2,
                                                  .guests = 1,
                                                  .options = options};
            fray_simulate_init(&simulate, game, &config, memory);
            for (int tick = 0; tick < 400; tick += 4) {
                fray_simulate_run(&simulate, 4);
                check_bits(game, simulate.state);
            }
        }
        free(memory);
    }
}

static void leaving_a_free_seat_does_nothing(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        struct run *run = run_begin(game, 8, 1, 0);
        char *before = malloc(game->state_size);
        memcpy(before, run->simulate.state, game->state_size);
        game->leave(run->simulate.state, 1, NULL);
        assert_memory_equal(before, run->simulate.state, game->state_size);
        free(before);
        run_end(run);
    }
}

static bool is_over(const struct fray_game *game, const char *state, uint32_t seats)
{
    for (uint32_t seat = 0; seat < seats; seat++)
        if (game->outcome(state, seat) == FRAY_GAME_PLAYING)
            return false;
    return true;
}

/* Bots play until it is over, with the lowest goal where there is one. */
static struct fray_simulate *run_to_the_end(const struct fray_game *game, uint64_t seed,
                                            uint32_t seats, void *memory)
{
    static struct fray_simulate simulate;
    int32_t options[32];

    for (uint32_t i = 0; i < game->options_count; i++)
        options[i] = strcmp(game->options[i].name, "goal") == 0 ? 1 : game->options[i].standard;
    fray_simulate_init(
        &simulate, game,
        &(struct fray_simulate_config){.seed = seed, .bots = seats, .options = options}, memory);
    for (int tick = 0; !is_over(game, simulate.state, seats); tick++) {
        assert_true(tick < 20 * TICKS);
        fray_simulate_run(&simulate, 1);
    }
    return &simulate;
}

/* One leaves and another comes: a new game, or all that was stays, and who came has not won it. */
static void outcomes_stay_when_it_is_over(void **unused)
{
    (void)unused;
    FOR_EACH_GAME(game)
    {
        uint32_t seats = game->seats_max < 3 ? game->seats_max : 3;
        void *memory = malloc(fray_simulate_size(game));
        char *state = malloc(game->state_size);
        for (uint32_t run = 0; run < 2 * seats; run++) {
            const char *end = run_to_the_end(game, run, seats, memory)->state;
            uint32_t gone = run % seats;
            memcpy(state, end, game->state_size);
            game->leave(state, gone, NULL);
            for (uint32_t seat = 0; seat < seats; seat++)
                if (seat != gone)
                    assert_int_equal(game->outcome(state, seat), game->outcome(end, seat));
            game->join(state, gone, NULL);
            assert_true(game->outcome(state, gone) != FRAY_GAME_WON);
            for (uint32_t seat = 0; seat < seats; seat++)
                if (seat != gone && game->outcome(state, gone) != FRAY_GAME_PLAYING)
                    assert_int_equal(game->outcome(state, seat), game->outcome(end, seat));
        }
        free(state);
        free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_brought_into_their_ranges),
        cmocka_unit_test(descriptions_are_json),
        cmocka_unit_test(E_equal_seeds_give_equal_bytes),
        cmocka_unit_test(E_every_value_fits_its_bits),
        cmocka_unit_test(inputs_of_any_bytes_do_no_harm),
        cmocka_unit_test(E_views_tell_nothing_of_what_is_secret),
        cmocka_unit_test(E_views_can_be_stepped),
        cmocka_unit_test(any_options_can_be_played),
        cmocka_unit_test(leaving_a_free_seat_does_nothing),
        cmocka_unit_test(outcomes_stay_when_it_is_over),
    };
    return cmocka_run_group_tests_name("games_contract", tests, NULL, NULL);
}
