/* Tests of the duel's rules (rows A03, A07, A08, A14, A29–A31, A34). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "duel/duel.h"

enum { GROUND = 480 * DUEL_PX, HITS = 3, ROUNDS = 2, COOLDOWN = 15, COUNTDOWN = 10, PAUSE = 40 };

static const int32_t test_options[] = {HITS, ROUNDS, COOLDOWN, COUNTDOWN, PAUSE, 0, 60, 400, 8, 0};

static void step(struct duel_state *state, const struct duel_input *left,
                 const struct duel_input *right)
{
    struct duel_input inputs[DUEL_SEATS] = {{0}};
    uint8_t given[DUEL_SEATS] = {left != NULL, right != NULL};

    if (left)
        inputs[0] = *left;
    if (right)
        inputs[1] = *right;
    fray_duel.step(state, &(struct fray_game_step){.inputs = inputs, .given = given});
}

static const struct duel_input nothing;

static void rest(struct duel_state *state, int ticks)
{
    while (ticks-- > 0)
        step(state, &nothing, &nothing);
}

/* A match whose first round has just begun to be played. */
static struct duel_state begin(void)
{
    struct duel_state state;

    fray_game_init(&fray_duel, &state, 1, test_options);
    fray_duel.join(&state, 0, NULL);
    assert_int_equal(state.match.phase, DUEL_WAITING);
    fray_duel.join(&state, 1, NULL);
    assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
    rest(&state, COUNTDOWN);
    assert_int_equal(state.match.phase, DUEL_PLAYING);
    return state;
}

static void put(struct duel_player *player, int32_t x_px, int32_t y_px)
{
    player->x = x_px * DUEL_PX;
    player->y = y_px * DUEL_PX;
    player->velocity_y = 0;
    player->grounded = 1;
}

static struct duel_input aim_at(const struct duel_player *player)
{
    return (struct duel_input){.aim_x = (int16_t)(player->x / DUEL_PX),
                               .aim_y = (int16_t)((player->y - DUEL_PLAYER_TALL / 2) / DUEL_PX),
                               .fire = 1};
}

/* Seat `by` fires one shot at the other, from near, and all wait until it has hit. */
static void hit(struct duel_state *state, uint32_t by)
{
    put(&state->players[0], 100, 480);
    put(&state->players[1], 200, 480);
    struct duel_input shot = aim_at(&state->players[!by]);
    step(state, by == 0 ? &shot : &nothing, by == 1 ? &shot : &nothing);
    rest(state, COOLDOWN);
}

static void A03_keys_walk_left_and_right(void **unused)
{
    struct duel_state state = begin();
    int32_t x = state.players[0].x;
    struct duel_input right = {.walk = 1}, left = {.walk = -1};

    (void)unused;
    for (int i = 0; i < 10; i++)
        step(&state, &right, &nothing);
    assert_int_equal(state.players[0].x, x + 10 * DUEL_WALK);
    step(&state, &nothing, &nothing);
    assert_int_equal(state.players[0].x, x + 10 * DUEL_WALK);
    for (int i = 0; i < 10; i++)
        step(&state, &left, &nothing);
    assert_int_equal(state.players[0].x, x);
    assert_int_equal(state.players[0].y, GROUND);
}

static void A07_enough_hits_kill_one_less_does_not(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    for (int i = 1; i < HITS; i++) {
        hit(&state, 0);
        assert_int_equal(state.players[1].hp, HITS - i);
        assert_int_equal(state.match.phase, DUEL_PLAYING);
    }
    hit(&state, 0);
    assert_int_equal(state.players[1].hp, 0);
    assert_int_equal(state.players[0].hp, HITS);
    assert_int_equal(state.match.winner, 0);
    assert_int_equal(state.players[0].won, 1);
    assert_int_equal(state.players[1].lost, 1);
}

static void A07_both_learn_the_winner(void **unused)
{
    struct duel_state state = begin(), view;
    struct fray_game_event items[16];
    struct fray_game_events events = {.items = items, .max = 16};
    uint8_t given[] = {1, 1};

    (void)unused;
    state.players[0].hp = 1;
    put(&state.players[0], 100, 480);
    put(&state.players[1], 130, 480);
    struct duel_input inputs[] = {{0}, aim_at(&state.players[0])};
    while (state.match.phase == DUEL_PLAYING)
        fray_duel.step(
            &state, &(struct fray_game_step){.inputs = inputs, .given = given, .events = &events});
    assert_int_equal(events.count, 3);
    assert_string_equal(fray_duel.events[items[0].kind].name, "player_hit");
    assert_string_equal(fray_duel.events[items[1].kind].name, "player_killed");
    assert_int_equal(items[1].args[0], 0);
    assert_int_equal(items[1].args[1], 1);
    assert_string_equal(fray_duel.events[items[2].kind].name, "end_round");
    assert_int_equal(items[2].args[0], 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(items[i].to, FRAY_GAME_NOBODY);
    for (uint32_t seat = 0; seat < DUEL_SEATS; seat++) {
        fray_game_view(&fray_duel, &state, seat, &view);
        assert_int_equal(view.match.winner, 1);
    }
}

/* In all directions: the bullet's way is parallel to mouse − gun, and its speed does not depend on
 * the distance. */
static void A08_bullets_fly_from_the_gun_to_the_mouse(void **unused)
{
    (void)unused;
    for (int dx = -300; dx <= 300; dx += 37)
        for (int dy = -300; dy <= 300; dy += 41) {
            struct duel_state state = begin();
            put(&state.players[0], 480, 390);
            struct duel_input shot = {
                .aim_x = (int16_t)(480 + dx), .aim_y = (int16_t)(370 + dy), .fire = 1};
            state.match.tick = 1000;
            step(&state, &shot, &nothing);
            const struct duel_bullet *bullet = &state.bullets[0];
            if (!bullet->flying) /* the platform that it stands on is in the way */
                continue;
            int64_t vx = bullet->velocity_x, vy = bullet->velocity_y;
            assert_true(vx * dx + vy * dy > 0);
            assert_true(llabs(vx * dy - vy * dx) <= abs(dx) + abs(dy));
            int64_t speed = fray_game_sqrt((uint64_t)(vx * vx + vy * vy));
            assert_in_range(speed, DUEL_BULLET_SPEED - 1, DUEL_BULLET_SPEED + 1);
            assert_int_equal(bullet->x, 480 * DUEL_PX + vx);
            assert_int_equal(bullet->y, 390 * DUEL_PX - DUEL_GUN_ABOVE_FEET + vy);
        }
}

static void A14_the_creator_begins_on_the_left_always(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct duel_state state;
        uint32_t first =
            seed % 2; /* who is seated first does not matter, the creator's seat is 0 */
        fray_game_init(&fray_duel, &state, seed, NULL);
        fray_duel.join(&state, first, NULL);
        fray_duel.join(&state, !first, NULL);
        assert_int_equal(state.match.tick, 0);
        assert_true(state.players[0].x < state.players[1].x);
    }
}

static void A14_and_in_every_round_and_rematch(void **unused)
{
    struct duel_state state = begin();
    struct duel_input rematch = {.rematch = 1};

    (void)unused;
    for (int round = 0; round < 6; round++) {
        put(&state.players[0], 800, 480);
        put(&state.players[1], 100, 480);
        state.players[round % 2].hp = 0;
        rest(&state, 1);
        while (state.match.phase == DUEL_ROUND_OVER)
            rest(&state, 1);
        if (state.match.phase == DUEL_OVER)
            step(&state, &rematch, &rematch);
        assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
        assert_true(state.players[0].x < state.players[1].x);
        assert_int_equal(state.players[0].hp, HITS);
        rest(&state, COUNTDOWN);
    }
    assert_true(state.match.matches > 1);
}

static void A16_nobody_moves_or_shoots_before_the_start(void **unused)
{
    struct duel_state state = begin();
    struct duel_input all = {.walk = 1, .jump = 1, .fire = 1, .aim_x = 900, .aim_y = 400};

    (void)unused;
    state.players[0].hp = 0;
    rest(&state, 1 + PAUSE);
    assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
    for (int i = 0; i < COUNTDOWN; i++) {
        assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
        assert_int_equal(state.players[0].x, 120 * DUEL_PX);
        assert_int_equal(state.bullets[0].flying, 0);
        step(&state, &all, &all);
    }
    assert_int_equal(state.match.phase, DUEL_PLAYING);
}

/* A29: with input missing, an enemy who was walking goes on, but neither off the edge nor into the
 * air. */
static void A29_without_input_nobody_leaves_the_platform(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    for (int i = 0; i < DUEL_PLATFORMS; i++)
        for (int8_t walk = -1; walk <= 1; walk++) {
            const struct duel_platform *platform = &state.platforms[i];
            put(&state.players[1], platform->x + platform->width / 2, platform->y);
            state.players[1].walk = walk;
            for (int tick = 0; tick < 300; tick++) {
                int32_t x = state.players[1].x;
                step(&state, &nothing, NULL);
                assert_int_equal(state.players[1].y, platform->y * DUEL_PX);
                assert_int_equal(state.players[1].grounded, 1);
                if (tick < 10)
                    assert_int_equal(state.players[1].x, x + walk * DUEL_WALK);
            }
        }
}

static void A29_the_grounded_stay_unless_they_walk_or_jump(void **unused)
{
    struct duel_state state = begin();
    struct duel_input walk = {.walk = 1}, jump = {.jump = 1};

    (void)unused;
    /* On the last pixel of the left ground. */
    put(&state.players[0], 409, 480);
    rest(&state, 600);
    assert_int_equal(state.players[0].y, GROUND);
    assert_int_equal(state.players[0].grounded, 1);
    step(&state, &walk, &nothing);
    assert_int_equal(state.players[0].grounded, 0);
    put(&state.players[0], 200, 480);
    step(&state, &jump, &nothing);
    assert_int_equal(state.players[0].grounded, 0);
    assert_true(state.players[0].y < GROUND);
}

static void A30_a_jump_rises_and_lands_where_it_began(void **unused)
{
    struct duel_state state = begin();
    struct duel_input jump = {.jump = 1};
    int32_t highest = GROUND;
    int ticks = 0;

    (void)unused;
    put(&state.players[0], 60, 480);
    step(&state, &jump, &nothing);
    while (!state.players[0].grounded) {
        highest = state.players[0].y < highest ? state.players[0].y : highest;
        assert_true(ticks++ < 100);
        step(&state, &jump, &nothing);
    }
    assert_int_equal(state.players[0].y, GROUND);
    assert_int_equal(state.players[0].velocity_y, 0);
    /* v² / 2g, less what the steps of a tick lose. */
    assert_in_range(GROUND - highest, 100 * DUEL_PX, 110 * DUEL_PX);
    assert_int_equal(ticks, 40);
}

static void A30_platforms_are_passed_from_below_and_carry_from_above(void **unused)
{
    struct duel_state state = begin();
    struct duel_input jump = {.jump = 1}, nothing_yet = {0};

    (void)unused;
    put(&state.players[0], 395, 480); /* under the left end of the platform at 390, 390 */
    step(&state, &jump, &nothing);
    for (int i = 0; i < 60; i++)
        step(&state, &nothing_yet, &nothing);
    assert_int_equal(state.players[0].y, 390 * DUEL_PX);
    assert_int_equal(state.players[0].grounded, 1);
}

static void A30_walking_off_an_edge_falls(void **unused)
{
    struct duel_state state = begin();
    struct duel_input left = {.walk = -1};
    int32_t speed = 0;

    (void)unused;
    put(&state.players[0], 395, 390);
    for (int i = 0; i < 8; i++)
        step(&state, &left, &nothing);
    assert_int_equal(state.players[0].grounded, 0);
    for (int i = 0; i < 200 && !state.players[0].grounded; i++) {
        step(&state, &nothing, &nothing);
        assert_true(state.players[0].velocity_y <= DUEL_FALL_MAX);
        speed = state.players[0].velocity_y > speed ? state.players[0].velocity_y : speed;
    }
    assert_true(speed > 8 * DUEL_PX);
    assert_int_equal(state.players[0].y, GROUND);
}

static void A30_falling_out_of_the_map_costs_a_hit_and_returns(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    put(&state.players[0], 480, 470); /* over the pit */
    state.players[0].grounded = 0;
    for (int i = 0; i < 120 && state.players[0].hp == HITS; i++)
        rest(&state, 1);
    assert_int_equal(state.players[0].hp, HITS - 1);
    assert_int_equal(state.players[0].x, 120 * DUEL_PX);
    assert_int_equal(state.players[0].y, GROUND);
}

static void A30_walls_of_the_map_hold(void **unused)
{
    struct duel_state state = begin();
    struct duel_input left = {.walk = -1, .jump = 1}, right = {.walk = 1, .jump = 1};

    (void)unused;
    for (int i = 0; i < 40; i++) {
        step(&state, &left, &right);
        assert_true(state.players[0].x >= DUEL_PLAYER_HALF);
        assert_true(state.players[1].x <= DUEL_WIDTH - DUEL_PLAYER_HALF);
    }
    assert_int_equal(state.players[0].x, DUEL_PLAYER_HALF);
}

static void A30_bullets_stop_at_platforms_and_leave_the_map(void **unused)
{
    struct duel_state state = begin();
    struct duel_input down = {.aim_x = 120, .aim_y = 600, .fire = 1};
    struct duel_input up = {.aim_x = 500, .aim_y = -2000, .fire = 1};

    (void)unused;
    put(&state.players[0], 120, 480);
    step(&state, &down, &up);
    assert_int_equal(state.bullets[0].flying, 1);
    rest(&state, 3);
    assert_int_equal(state.bullets[0].flying, 0);
    assert_int_equal(state.bullets[DUEL_BULLETS_EACH].flying, 1);
    rest(&state, 100);
    assert_int_equal(state.bullets[DUEL_BULLETS_EACH].flying, 0);
}

static void A31_the_fire_rate_is_the_servers(void **unused)
{
    struct duel_state state = begin();
    struct duel_input shot = {.aim_x = 500, .aim_y = -2000, .fire = 1};
    int shots = 0, before = 0;

    (void)unused;
    for (int tick = 0; tick < 10 * COOLDOWN; tick++) {
        uint32_t ready = state.players[0].ready_tick;
        step(&state, &shot, &nothing);
        shots += state.players[0].ready_tick != ready;
        if (shots > before)
            assert_int_equal(tick % COOLDOWN, 0);
        before = shots;
    }
    assert_int_equal(shots, 10);
}

/* Even at the fastest rate there is always a free row for the next bullet. */
static void A31_no_shot_is_lost_for_want_of_rows(void **unused)
{
    struct duel_state state;
    int32_t options[FRAY_GAME_COUNT(test_options)];

    (void)unused;
    memcpy(options, test_options, sizeof(options));
    options[2] = 12;
    fray_game_init(&fray_duel, &state, 1, options);
    fray_duel.join(&state, 0, NULL);
    fray_duel.join(&state, 1, NULL);
    rest(&state, COUNTDOWN);
    struct duel_input shot = {.aim_x = 2047, .aim_y = 463, .fire = 1};
    put(&state.players[1], 700, 300); /* out of the line */
    put(&state.players[0], 31, 480);
    int most = 0;
    for (int tick = 0; tick < 600; tick++) {
        uint32_t ready = state.players[0].ready_tick;
        int before = 0, after = 0;
        for (int i = 0; i < DUEL_BULLETS_EACH; i++)
            before += state.bullets[i].flying;
        step(&state, &shot, &nothing);
        for (int i = 0; i < DUEL_BULLETS_EACH; i++)
            after += state.bullets[i].flying;
        if (state.players[0].ready_tick != ready)
            assert_true(after >= before && before < DUEL_BULLETS_EACH);
        most = after > most ? after : most;
    }
    assert_int_equal(most, 7); /* 961 px at 12 px a tick, a shot every 12 ticks */
}

static void A31_out_of_range_inputs_are_refused(void **unused)
{
    struct duel_state state = begin();
    const struct duel_input bad[] = {
        {.walk = 2}, {.walk = -2}, {.jump = 2}, {.aim_x = 2048}, {.fire = 255}};

    (void)unused;
    for (size_t i = 0; i < FRAY_GAME_COUNT(bad); i++)
        assert_string_equal(fray_game_check(&fray_duel, &state, 0, &bad[i]), "out_of_range");
    assert_null(fray_game_check(&fray_duel, &state, 0, &nothing));
}

static void A34_a_duel_is_for_two(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    assert_int_equal(fray_duel.seats_max, 2);
    assert_string_equal(fray_game_check(&fray_duel, &state, 2, &nothing), "not_seated");
    assert_string_equal(fray_game_check(&fray_duel, &state, FRAY_GAME_NOBODY, &nothing),
                        "not_seated");
}

static void rounds_make_a_match_and_a_rematch_needs_both(void **unused)
{
    struct duel_state state = begin();
    struct duel_input rematch = {.rematch = 1};

    (void)unused;
    for (int round = 1; round <= ROUNDS; round++) {
        assert_int_equal(state.match.round, round);
        assert_int_equal(fray_duel.outcome(&state, 1), FRAY_GAME_PLAYING);
        for (int i = 0; i < HITS; i++)
            hit(&state, 1);
        while (state.match.phase == DUEL_ROUND_OVER || state.match.phase == DUEL_COUNTDOWN)
            rest(&state, 1);
    }
    assert_int_equal(state.match.phase, DUEL_OVER);
    assert_int_equal(fray_duel.outcome(&state, 1), FRAY_GAME_WON);
    assert_int_equal(fray_duel.outcome(&state, 0), FRAY_GAME_LOST);
    step(&state, &rematch, &nothing);
    rest(&state, 10);
    assert_int_equal(state.match.phase, DUEL_OVER);
    step(&state, &nothing, &rematch);
    assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
    assert_int_equal(state.match.round, 1);
    assert_int_equal(state.players[1].wins, 0);
    assert_int_equal(state.players[1].won, ROUNDS);
}

static void both_dying_at_once_is_nobodys_round(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    state.players[0].hp = 1;
    state.players[1].hp = 1;
    put(&state.players[0], 100, 480);
    put(&state.players[1], 200, 480);
    struct duel_input left = aim_at(&state.players[1]), right = aim_at(&state.players[0]);
    step(&state, &left, &right);
    while (state.match.phase == DUEL_PLAYING)
        rest(&state, 1);
    assert_int_equal(state.match.winner, FRAY_GAME_NOBODY);
    assert_int_equal(state.players[0].won + state.players[1].won, 0);
    rest(&state, PAUSE);
    assert_int_equal(state.match.round, 2);
}

static void the_time_limit_goes_to_who_was_hit_less(void **unused)
{
    struct duel_state state;
    int32_t options[FRAY_GAME_COUNT(test_options)];

    (void)unused;
    memcpy(options, test_options, sizeof(options));
    options[5] = 100;
    fray_game_init(&fray_duel, &state, 1, options);
    fray_duel.join(&state, 0, NULL);
    fray_duel.join(&state, 1, NULL);
    rest(&state, COUNTDOWN);
    hit(&state, 1);
    rest(&state, 100 - COOLDOWN - 2);
    assert_int_equal(state.match.phase, DUEL_PLAYING);
    rest(&state, 1);
    assert_int_equal(state.match.winner, 1);
}

static void without_a_limit_a_round_lasts(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    state.players[0].hp = 1;
    for (uint32_t tick = FRAY_GAME_NEVER - 2; tick < FRAY_GAME_NEVER + 2u; tick++) {
        state.match.tick = tick;
        rest(&state, 1);
        assert_int_equal(state.match.phase, DUEL_PLAYING);
    }
}

static void who_leaves_loses(void **unused)
{
    struct duel_state state = begin();

    (void)unused;
    fray_duel.leave(&state, 0, NULL);
    assert_int_equal(state.match.phase, DUEL_OVER);
    assert_int_equal(fray_duel.outcome(&state, 1), FRAY_GAME_WON);
    fray_duel.join(&state, 0, NULL);
    assert_int_equal(state.match.phase, DUEL_COUNTDOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A03_keys_walk_left_and_right),
        cmocka_unit_test(A07_enough_hits_kill_one_less_does_not),
        cmocka_unit_test(A07_both_learn_the_winner),
        cmocka_unit_test(A08_bullets_fly_from_the_gun_to_the_mouse),
        cmocka_unit_test(A14_the_creator_begins_on_the_left_always),
        cmocka_unit_test(A14_and_in_every_round_and_rematch),
        cmocka_unit_test(A16_nobody_moves_or_shoots_before_the_start),
        cmocka_unit_test(A29_without_input_nobody_leaves_the_platform),
        cmocka_unit_test(A29_the_grounded_stay_unless_they_walk_or_jump),
        cmocka_unit_test(A30_a_jump_rises_and_lands_where_it_began),
        cmocka_unit_test(A30_platforms_are_passed_from_below_and_carry_from_above),
        cmocka_unit_test(A30_walking_off_an_edge_falls),
        cmocka_unit_test(A30_falling_out_of_the_map_costs_a_hit_and_returns),
        cmocka_unit_test(A30_walls_of_the_map_hold),
        cmocka_unit_test(A30_bullets_stop_at_platforms_and_leave_the_map),
        cmocka_unit_test(A31_the_fire_rate_is_the_servers),
        cmocka_unit_test(A31_no_shot_is_lost_for_want_of_rows),
        cmocka_unit_test(A31_out_of_range_inputs_are_refused),
        cmocka_unit_test(A34_a_duel_is_for_two),
        cmocka_unit_test(rounds_make_a_match_and_a_rematch_needs_both),
        cmocka_unit_test(both_dying_at_once_is_nobodys_round),
        cmocka_unit_test(the_time_limit_goes_to_who_was_hit_less),
        cmocka_unit_test(without_a_limit_a_round_lasts),
        cmocka_unit_test(who_leaves_loses),
    };
    return cmocka_run_group_tests_name("duel", tests, NULL, NULL);
}
