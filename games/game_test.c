/* Tests of what hosts do with the tables of a game, where fray's own games do not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fray/game.h"

struct flag {
    int32_t secret;
    uint8_t owner; /* seat or FRAY_GAME_NOBODY */
    uint8_t reserved[3];
};

struct options {
    int32_t any, even;
};

enum { FLAGS = 300 }; /* the numbers of some rows are no seats, and one is FRAY_GAME_NOBODY */

struct state {
    struct flag flags[2], places[FLAGS];
    struct options options;
};

#define FLAG(F, T)                                                                                 \
    F(T, secret, .bits = 32, .flags = FRAY_GAME_OWNER)                                             \
    F(T, owner, .bits = 8, .flags = FRAY_GAME_SEAT)                                                \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(flag_fields, struct flag, FLAG);
#define OPTIONS(F, T) F(T, any, .bits = 32) F(T, even, .bits = 32)
FRAY_GAME_FIELDS(option_fields, struct options, OPTIONS);

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("flags", struct state, flags, flag_fields, 2,
                    .owner = FRAY_GAME_AT(struct flag, owner)),
    FRAY_GAME_TABLE("places", struct state, places, flag_fields, FLAGS, .owner = FRAY_GAME_ROW),
    FRAY_GAME_TABLE("options", struct state, options, option_fields, 1, 0)};
static const struct fray_game_option options[] = {{"any", "", INT32_MIN, INT32_MAX, 1, 0},
                                                  {"even", "", INT32_MIN, INT32_MAX, 2, 0}};

static void init(void *state, uint64_t seed)
{
    (void)state;
    (void)seed;
}

static const struct fray_game game = {
    .seats_max = 2,
    .state_size = sizeof(struct state),
    .options_offset = offsetof(struct state, options),
    .options = options,
    .options_count = FRAY_GAME_COUNT(options),
    .tables = tables,
    .tables_count = FRAY_GAME_COUNT(tables),
    .init = init,
};

static void options_may_be_any_numbers(void **unused)
{
    static struct state state;
    const int32_t asked[][2] = {{5, 5}, {INT32_MIN, INT32_MIN}, {INT32_MAX, INT32_MAX}, {-7, -7}};
    const int32_t wanted[][2] = {
        {5, 4}, {INT32_MIN, INT32_MIN}, {INT32_MAX, INT32_MAX - 1}, {-7, -8}};

    (void)unused;
    for (size_t i = 0; i < FRAY_GAME_COUNT(asked); i++) {
        fray_game_init(&game, &state, 1, asked[i]);
        assert_int_equal(state.options.any, wanted[i][0]);
        assert_int_equal(state.options.even, wanted[i][1]);
    }
}

static void what_nobody_owns_is_secret_to_all(void **unused)
{
    static struct state state, view;

    (void)unused;
    for (uint32_t i = 0; i < FLAGS; i++)
        state.places[i].secret = 7;
    state.flags[0] = (struct flag){.secret = 4711, .owner = FRAY_GAME_NOBODY};
    state.flags[1] = (struct flag){.secret = 42, .owner = 1};
    const uint32_t viewers[] = {0, 1, FRAY_GAME_NOBODY};
    for (size_t i = 0; i < FRAY_GAME_COUNT(viewers); i++) {
        fray_game_view(&game, &state, viewers[i], &view);
        assert_int_equal(view.flags[0].secret, 0);
        assert_int_equal(view.flags[1].secret, viewers[i] == 1 ? 42 : 0);
        for (uint32_t row = 0; row < FLAGS; row++)
            assert_int_equal(view.places[row].secret,
                             row == viewers[i] && row != FRAY_GAME_NOBODY ? 7 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_be_any_numbers),
        cmocka_unit_test(what_nobody_owns_is_secret_to_all),
    };
    return cmocka_run_group_tests_name("games_game", tests, NULL, NULL);
}
