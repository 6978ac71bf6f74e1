/* Tests of the duel's bot (row A24: its aim gets worse with every loss). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "duel/duel.h"

enum { ROUNDS_NEVER = 20 };

static struct duel_state begin(int32_t sharpens)
{
    struct duel_state state;
    int32_t options[] = {5, ROUNDS_NEVER, 15, 0, 1, 0, 60, 400, 8, sharpens};

    fray_game_init(&fray_duel, &state, 1, options);
    fray_duel.join(&state, 0, NULL);
    fray_duel.join(&state, 1, NULL);
    return state;
}

static void step(struct duel_state *state, const struct duel_input *bot)
{
    struct duel_input inputs[DUEL_SEATS] = {{0}, *bot};
    uint8_t given[DUEL_SEATS] = {1, 1};

    fray_duel.step(state, &(struct fray_game_step){.inputs = inputs, .given = given});
}

/* The bot in seat 1 plays one tick. */
static struct duel_input play(struct duel_state *state, struct duel_memory *memory)
{
    struct duel_state view;
    struct duel_input input;

    fray_game_view(&fray_duel, state, 1, &view);
    assert_true(fray_duel.bot(&view, 1, memory, &input));
    assert_null(fray_game_check(&fray_duel, state, 1, &input));
    step(state, &input);
    return input;
}

static void round_play(struct duel_state *state, struct duel_memory *memory, bool bot_loses)
{
    while (state->match.phase != DUEL_PLAYING)
        play(state, memory);
    state->players[bot_loses ? 1 : 0].hp = 0;
    play(state, memory);
    play(state, memory);
}

static void A24_the_error_grows_strictly_and_stays_bounded(void **unused)
{
    struct duel_state state = begin(0);
    uint32_t previous = duel_bot_error(&state.options, 0);
    uint64_t bound = ((uint64_t)1 << 32) * 400 / 1000;

    (void)unused;
    assert_in_range(previous, ((uint64_t)1 << 32) * 59 / 1000, ((uint64_t)1 << 32) * 60 / 1000);
    for (uint32_t losses = 1; losses <= 65535; losses++) {
        uint32_t error = duel_bot_error(&state.options, losses);
        assert_true(error > previous);
        assert_true(error < bound);
        previous = error;
    }
}

/* Options at their ends keep the promise for as long as anybody will play. */
static void A24_with_any_options(void **unused)
{
    const int32_t starts[] = {0, 60, 500}, mosts[] = {1, 400, 999}, halves[] = {1, 8, 100};

    (void)unused;
    for (int i = 0; i < 27; i++) {
        struct duel_options options = {.bot_error = starts[i % 3],
                                       .bot_error_max = mosts[i / 3 % 3],
                                       .bot_error_half = halves[i / 9]};
        for (uint32_t losses = 0; losses < 1000; losses++)
            assert_true(duel_bot_error(&options, losses + 1) > duel_bot_error(&options, losses));
    }
}

static void A24_every_loss_of_its_own_counts_and_no_win(void **unused)
{
    struct duel_state state = begin(0);
    struct duel_memory memory;

    (void)unused;
    fray_duel.bot_init(&memory, 1, 5);
    for (uint32_t round = 1; round <= 6; round++) {
        round_play(&state, &memory, true);
        assert_int_equal(memory.losses, round);
        round_play(&state, &memory, false);
        assert_int_equal(memory.losses, round);
    }
    fray_duel.bot_init(&memory, 1, 5); /* another, that takes the seat over */
    play(&state, &memory);
    assert_int_equal(memory.losses, 0);
    round_play(&state, &memory, true);
    assert_int_equal(memory.losses, 1);
}

static void A24_a_setting_sharpens_it_when_it_wins(void **unused)
{
    struct duel_state state = begin(1);
    struct duel_memory memory;

    (void)unused;
    fray_duel.bot_init(&memory, 1, 5);
    round_play(&state, &memory, false); /* wins in advance do not make it better than it was */
    assert_int_equal(memory.losses, 0);
    round_play(&state, &memory, true);
    round_play(&state, &memory, true);
    assert_int_equal(memory.losses, 2);
    round_play(&state, &memory, false);
    assert_int_equal(memory.losses, 1);
}

/* The mean of how far its aim is off a target that stands still, in px at 1000 px. */
static int64_t measure_spread(uint32_t level, uint32_t losses)
{
    struct duel_state state = begin(0);
    struct duel_memory memory;
    int64_t sum = 0;
    int looks = 0;

    fray_duel.bot_init(&memory, level, 9);
    memory.losses = losses;
    while (state.match.phase != DUEL_PLAYING)
        play(&state, &memory);
    for (int i = 0; i < 20000; i++) {
        struct duel_state view = state;
        struct duel_input input;
        uint32_t next = memory.aim_tick;
        view.match.tick = (uint32_t)i;
        fray_duel.bot(&view, 1, &memory, &input);
        if (memory.aim_tick == next)
            continue;
        const struct duel_player *self = &state.players[1], *enemy = &state.players[0];
        int64_t tx = enemy->x - self->x,
                ty = enemy->y - DUEL_PLAYER_TALL / 2 - self->y + DUEL_GUN_ABOVE_FEET;
        int64_t ax = input.aim_x * DUEL_PX - self->x;
        int64_t ay = input.aim_y * DUEL_PX - self->y + DUEL_GUN_ABOVE_FEET;
        sum += llabs((ax * ty - ay * tx) * 1000 / (ax * tx + ay * ty));
        looks++;
    }
    assert_true(looks > 500);
    return sum / looks;
}

static void A24_the_aim_really_gets_worse(void **unused)
{
    (void)unused;
    int64_t fresh = measure_spread(1, 0), beaten = measure_spread(1, 8),
            hopeless = measure_spread(1, 1000);

    assert_in_range(fresh, 26, 34); /* half of bot_error: evenly spread */
    assert_in_range(beaten, 105, 125);
    assert_in_range(hopeless, 180, 205);
    assert_true(measure_spread(2, 0) < fresh && fresh < measure_spread(0, 0));
}

/* It hits one who stands still, and a beaten one needs longer. */
static int ticks_to_win(uint32_t losses)
{
    int ticks = 0;

    for (uint64_t seed = 0; seed < 10; seed++) {
        struct duel_state state = begin(0);
        struct duel_memory memory;
        fray_duel.bot_init(&memory, 1, seed);
        memory.losses = losses;
        while (state.players[1].won == 0 && state.match.tick < 60 * 300)
            play(&state, &memory);
        assert_int_equal(state.players[1].won, 1);
        ticks += (int)state.match.tick;
    }
    return ticks / 10;
}

static void A24_a_beaten_bot_takes_longer_to_win(void **unused)
{
    (void)unused;
    assert_true(ticks_to_win(30) > ticks_to_win(0) * 2);
}

static uint32_t ticks_to_the_first_shot(uint32_t level)
{
    struct duel_state state = begin(0);
    struct duel_memory memory;

    fray_duel.bot_init(&memory, level, 3);
    while (state.match.phase != DUEL_PLAYING)
        play(&state, &memory);
    uint32_t start = state.match.tick;
    while (!play(&state, &memory).fire)
        assert_true(state.match.tick < start + 600);
    return state.match.tick - start;
}

static void beginners_have_time_to_find_their_keys(void **unused)
{
    (void)unused;
    assert_true(ticks_to_the_first_shot(0) >= 180);
    assert_true(ticks_to_the_first_shot(1) >= 60);
    assert_true(ticks_to_the_first_shot(2) < 60);
}

static void who_shoots_first_is_shot_at(void **unused)
{
    struct duel_state state = begin(0);
    struct duel_memory memory;
    struct duel_input input;

    (void)unused;
    fray_duel.bot_init(&memory, 0, 3);
    while (state.match.phase != DUEL_PLAYING)
        play(&state, &memory);
    play(&state, &memory);
    assert_true(memory.truce_tick > state.match.tick + 100);
    state.bullets[0] = (struct duel_bullet){.flying = 1, .seat = 1};
    (void)fray_duel.bot(&state, 1, &memory, &input);
    assert_true(memory.truce_tick > state.match.tick + 100); /* its own */
    state.bullets[0].seat = 0;
    (void)fray_duel.bot(&state, 1, &memory, &input);
    assert_int_equal(memory.truce_tick, state.match.tick);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A24_the_error_grows_strictly_and_stays_bounded),
        cmocka_unit_test(A24_with_any_options),
        cmocka_unit_test(A24_every_loss_of_its_own_counts_and_no_win),
        cmocka_unit_test(A24_a_setting_sharpens_it_when_it_wins),
        cmocka_unit_test(A24_the_aim_really_gets_worse),
        cmocka_unit_test(A24_a_beaten_bot_takes_longer_to_win),
        cmocka_unit_test(beginners_have_time_to_find_their_keys),
        cmocka_unit_test(who_shoots_first_is_shot_at),
    };
    return cmocka_run_group_tests_name("duel_bot", tests, NULL, NULL);
}
