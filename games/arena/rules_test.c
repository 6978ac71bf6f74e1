/* Tests of the arena's rules, map and bots (rows C11–C30). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena/arena.h"

enum { COOLDOWN = 10, RESPAWN = 20 };

/* width, height, spawn, obstacles, sight, cooldown_ticks, respawn_ticks, goal */
static const int32_t small_map[] = {500, 500, 100, 0, 500, COOLDOWN, RESPAWN, 0};
static const int32_t large_map[] = {2000, 2000, 0, 32, 300, COOLDOWN, RESPAWN, 0};

static struct arena_input inputs[ARENA_SEATS];
static uint8_t given[ARENA_SEATS];
static struct fray_game_event items[1024];
static struct fray_game_events events = {.items = items, .max = 1024};

static struct arena_state begin(const int32_t *options, uint64_t seed, uint32_t players)
{
    struct arena_state state;

    memset(inputs, 0, sizeof(inputs));
    memset(given, 0, sizeof(given));
    fray_game_init(&fray_arena, &state, seed, options);
    for (uint32_t seat = 0; seat < players; seat++)
        fray_arena.join(&state, seat, NULL);
    return state;
}

/* Plays the inputs that were given, once. */
static void step(struct arena_state *state)
{
    events.count = 0;
    fray_arena.step(state,
                    &(struct fray_game_step){.inputs = inputs, .given = given, .events = &events});
    assert_int_equal(events.dropped, 0);
    memset(given, 0, sizeof(given));
}

static void give(uint32_t seat, struct arena_input input)
{
    inputs[seat] = input;
    given[seat] = 1;
}

static void put(struct arena_state *state, uint32_t seat, int32_t x, int32_t y)
{
    state->players[seat].x = x;
    state->players[seat].y = y;
}

static int count_events(const char *name)
{
    int count = 0;

    for (uint32_t i = 0; i < events.count; i++)
        count += strcmp(fray_arena.events[items[i].kind].name, name) == 0;
    return count;
}

static void C19_players_spawn_within_0_to_100_with_100_hp(void **unused)
{
    int32_t least = ARENA_MAP_MAX_PX, most = 0;

    (void)unused;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct arena_state state = begin(small_map, seed, 10);
        for (int seat = 0; seat < 10; seat++) {
            const struct arena_player *player = &state.players[seat];
            assert_int_equal(player->hp, 100);
            assert_in_range(player->x, 0, 100 * ARENA_PX);
            assert_in_range(player->y, 0, 100 * ARENA_PX);
            assert_int_equal(player->x % ARENA_PX, 0);
            least = player->x < least ? player->x : least;
            most = player->x > most ? player->x : most;
        }
    }
    assert_int_equal(least, 0);
    assert_int_equal(most, 100 * ARENA_PX);
}

static bool hits_at(int32_t dx, int32_t dy)
{
    struct arena_state state = begin(small_map, 1, 2);

    put(&state, 0, 200 * ARENA_PX, 200 * ARENA_PX);
    put(&state, 1, 200 * ARENA_PX + dx, 200 * ARENA_PX + dy);
    give(0, (struct arena_input){.attack = 1});
    step(&state);
    assert_in_set(state.players[1].hp, ((LargestIntegralType[]){90, 100}), 2);
    return state.players[1].hp == 90;
}

/* Euclid's distance, inclusive, exact to 1/256 px on the edge of the circle. */
static void C22_the_range_is_10_inclusive(void **unused)
{
    const int32_t range = 10 * ARENA_PX;
    const int32_t px = ARENA_PX;

    (void)unused;
    assert_true(hits_at(0, 0));
    assert_true(hits_at(range, 0));
    assert_true(hits_at(-range, 0));
    assert_true(hits_at(0, range));
    assert_false(hits_at(range + 1, 0));
    assert_false(hits_at(0, -range - 1));
    assert_true(hits_at(6 * px, 8 * px));
    assert_true(hits_at(-8 * px, 6 * px));
    assert_false(hits_at(6 * px + 1, 8 * px));
    assert_false(hits_at(8 * px, 8 * px));
    for (int32_t dx = -range; dx <= range; dx += 61) {
        int32_t dy = (int32_t)fray_game_sqrt((uint64_t)(range * range - dx * dx));
        assert_true(hits_at(dx, dy));
        assert_false(hits_at(dx, dy + 1));
    }
}

static void C21_an_attack_hits_every_other_in_range_for_10(void **unused)
{
    struct arena_state state = begin(small_map, 1, 6);

    (void)unused;
    for (uint32_t seat = 0; seat < 6; seat++)
        put(&state, seat, (200 + 3 * (int32_t)seat) * ARENA_PX, 200 * ARENA_PX);
    give(0, (struct arena_input){.attack = 1});
    step(&state);
    assert_int_equal(state.players[0].hp, 100);
    for (int seat = 1; seat <= 3; seat++)
        assert_int_equal(state.players[seat].hp, 90);
    assert_int_equal(state.players[4].hp, 100);
    assert_int_equal(count_events("player_attacked"), 3);
    assert_int_equal(items[0].args[0], 1);
    assert_int_equal(items[0].args[1], 90);
}

static void attack_until_dead(struct arena_state *state)
{
    put(state, 0, 200 * ARENA_PX, 200 * ARENA_PX);
    put(state, 1, 205 * ARENA_PX, 200 * ARENA_PX);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(state->players[1].hp, 100 - 10 * i);
        state->players[0].ready_tick = 0;
        give(0, (struct arena_input){.attack = 1});
        step(state);
    }
}

static void C23_at_0_the_player_dies_scores_and_respawns(void **unused)
{
    struct arena_state state = begin(small_map, 1, 2);

    (void)unused;
    attack_until_dead(&state);
    assert_int_equal(state.players[1].hp, 0);
    assert_int_equal(state.players[1].deaths, 1);
    assert_int_equal(state.players[0].score, 1);
    assert_int_equal(count_events("player_killed"), 1);
    assert_int_equal(items[0].args[0], 1);
    assert_int_equal(items[0].args[1], 0);
    for (int i = 1; i < RESPAWN; i++) {
        int32_t x = state.players[1].x;
        give(1, (struct arena_input){.dx = 127, .attack = 1});
        give(0, (struct arena_input){.attack = 1});
        step(&state);
        assert_int_equal(state.players[1].hp, 0);
        assert_int_equal(state.players[1].x, x);
        assert_int_equal(count_events("player_attacked"), 0);
    }
    step(&state);
    assert_int_equal(state.players[1].hp, 100);
    assert_in_range(state.players[1].x, 0, 100 * ARENA_PX);
    assert_int_equal(state.players[0].score, 1);
}

static void C21_the_cooldown_is_the_servers(void **unused)
{
    struct arena_state state = begin(small_map, 1, 2);

    (void)unused;
    put(&state, 0, 200 * ARENA_PX, 200 * ARENA_PX);
    put(&state, 1, 200 * ARENA_PX, 200 * ARENA_PX);
    for (int tick = 0; tick < 5 * COOLDOWN; tick++) {
        give(0, (struct arena_input){.attack = 1});
        step(&state);
        assert_int_equal(state.players[1].hp, 90 - tick / COOLDOWN * 10);
    }
    assert_int_equal(state.players[0].swings, 5);
}

static void two_who_kill_each_other_both_die(void **unused)
{
    struct arena_state state = begin(small_map, 1, 2);

    (void)unused;
    for (uint32_t seat = 0; seat < 2; seat++) {
        put(&state, seat, 200 * ARENA_PX, 200 * ARENA_PX);
        state.players[seat].hp = 10;
        give(seat, (struct arena_input){.attack = 1});
    }
    step(&state);
    assert_int_equal(state.players[0].hp + state.players[1].hp, 0);
    assert_int_equal(state.players[0].score + state.players[1].score, 2);
}

static void C24_a_step_is_5_px_whatever_is_asked_for(void **unused)
{
    struct arena_state state = begin(small_map, 1, 1);

    (void)unused;
    put(&state, 0, 250 * ARENA_PX, 250 * ARENA_PX);
    give(0, (struct arena_input){.dx = 127});
    step(&state);
    assert_int_equal(state.players[0].x, 255 * ARENA_PX);
    give(0, (struct arena_input){.dx = -127});
    step(&state);
    assert_int_equal(state.players[0].x, 250 * ARENA_PX);
    for (int dx = -127; dx <= 127; dx += 2)
        for (int dy = -127; dy <= 127; dy += 3) {
            put(&state, 0, 250 * ARENA_PX, 250 * ARENA_PX);
            give(0, (struct arena_input){.dx = (int8_t)dx, .dy = (int8_t)dy});
            step(&state);
            int64_t x = state.players[0].x - 250 * ARENA_PX,
                    y = state.players[0].y - 250 * ARENA_PX;
            assert_true(x * x + y * y <= (int64_t)(ARENA_STEP + 1) * (ARENA_STEP + 1));
        }
}

/* The tutorial's page names the place 5 px further; the server walks there in one tick. */
static void C24_a_named_place_is_walked_to_at_that_pace(void **unused)
{
    struct arena_state state = begin(small_map, 1, 1);
    int ticks = 0;

    (void)unused;
    put(&state, 0, 250 * ARENA_PX, 250 * ARENA_PX);
    give(0, (struct arena_input){.mode = ARENA_TARGET, .x = 255 * ARENA_PX, .y = 250 * ARENA_PX});
    step(&state);
    assert_int_equal(state.players[0].x, 255 * ARENA_PX);
    assert_int_equal(count_events("player_moved"), 1);
    give(0, (struct arena_input){.mode = ARENA_TARGET, .x = 285 * ARENA_PX, .y = 290 * ARENA_PX});
    do {
        int32_t x = state.players[0].x, y = state.players[0].y;
        step(&state);
        int64_t dx = state.players[0].x - x, dy = state.players[0].y - y;
        assert_true(dx * dx + dy * dy <= (int64_t)(ARENA_STEP + 1) * (ARENA_STEP + 1));
        ticks++;
    } while (state.players[0].x != 285 * ARENA_PX || state.players[0].y != 290 * ARENA_PX);
    assert_int_equal(ticks, 10);
    step(&state);
    assert_int_equal(count_events("player_moved"), 0);
}

static void C30_a_teleport_is_refused(void **unused)
{
    struct arena_state state = begin(small_map, 1, 1);
    struct arena_input leap = {.mode = ARENA_TARGET, .x = 400 * ARENA_PX, .y = 250 * ARENA_PX};

    (void)unused;
    put(&state, 0, 250 * ARENA_PX, 250 * ARENA_PX);
    assert_string_equal(fray_game_check(&fray_arena, &state, 0, &leap), "too_far");
    give(0, leap);
    step(&state);
    assert_int_equal(state.players[0].x, 250 * ARENA_PX);
    leap.x = 10000 * ARENA_PX;
    assert_string_equal(fray_game_check(&fray_arena, &state, 0, &leap), "out_of_range");
    leap.x = 300 * ARENA_PX;
    assert_null(fray_game_check(&fray_arena, &state, 0, &leap));
    assert_string_equal(fray_game_check(&fray_arena, &state, 1, &leap), "not_seated");
}

static void C26_the_map_has_bounds(void **unused)
{
    struct arena_state state = begin(small_map, 1, 1);

    (void)unused;
    for (int i = 0; i < 200; i++) {
        give(0, (struct arena_input){.dx = 127, .dy = 127});
        step(&state);
    }
    assert_int_equal(state.players[0].x, 490 * ARENA_PX); /* 500 less the player's own 10 */
    assert_int_equal(state.players[0].y, 490 * ARENA_PX);
    for (int i = 0; i < 200; i++) {
        give(0, (struct arena_input){.mode = ARENA_TARGET,
                                     .x = state.players[0].x - 40 * ARENA_PX,
                                     .y = state.players[0].y - 40 * ARENA_PX});
        step(&state);
    }
    assert_int_equal(state.players[0].x, 0);
    assert_int_equal(state.players[0].y, 0);
}

static void obstacles_stop_one_direction_and_let_slide(void **unused)
{
    struct arena_state state = begin(small_map, 1, 1);

    (void)unused;
    state.options.obstacles = 1;
    state.obstacles[0] = (struct arena_obstacle){300, 200, 50, 200};
    put(&state, 0, 250 * ARENA_PX, 250 * ARENA_PX);
    for (int i = 0; i < 20; i++) {
        give(0, (struct arena_input){.dx = 90, .dy = 90});
        step(&state);
        assert_true(arena_map_free(&state, state.players[0].x, state.players[0].y));
    }
    assert_int_equal(state.players[0].x, 290 * ARENA_PX); /* flush against it */
    assert_true(state.players[0].y > 310 * ARENA_PX);     /* and on along it */
    put(&state, 0, 360 * ARENA_PX, 250 * ARENA_PX);
    for (int i = 0; i < 20; i++) {
        give(0, (struct arena_input){.dx = -127});
        step(&state);
    }
    assert_int_equal(state.players[0].x, 350 * ARENA_PX);
}

static void nobody_ever_stands_in_an_obstacle(void **unused)
{
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 1);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct arena_state state = begin(large_map, seed, 40);
        for (int tick = 0; tick < 300; tick++) {
            for (uint32_t seat = 0; seat < 40; seat++) {
                const struct arena_player *player = &state.players[seat];
                assert_true(arena_map_free(&state, player->x, player->y));
                if (fray_game_random_range(random, 0, 15) == 0)
                    give(seat, (struct arena_input){
                                   .dx = (int8_t)fray_game_random_range(random, -127, 127),
                                   .dy = (int8_t)fray_game_random_range(random, -127, 127)});
            }
            step(&state);
        }
    }
}

struct lagged {
    struct arena_state older, newer;
    int32_t fraction;
};

static bool rewind_one(void *host, uint32_t seat, struct fray_game_past *past)
{
    struct lagged *lagged = host;

    *past = (struct fray_game_past){&lagged->older, &lagged->newer, lagged->fraction};
    return seat == 0;
}

/* The victim ran: it was at `older_px` and then `newer_px` away when the attacker saw it, and is
 * far off by now. */
static uint8_t hp_after_lagged_attack(int32_t older_px, int32_t newer_px, int32_t fraction,
                                      uint32_t by)
{
    struct arena_state state = begin(small_map, 1, 2);
    struct lagged lagged;

    for (uint32_t seat = 0; seat < 2; seat++)
        put(&state, seat, 200 * ARENA_PX, 200 * ARENA_PX);
    lagged.older = state;
    lagged.newer = state;
    lagged.fraction = fraction;
    put(&lagged.older, !by, (200 + older_px) * ARENA_PX, 200 * ARENA_PX);
    put(&lagged.newer, !by, (200 + newer_px) * ARENA_PX, 200 * ARENA_PX);
    put(&state, !by, 260 * ARENA_PX, 200 * ARENA_PX);
    give(by, (struct arena_input){.attack = 1});
    fray_arena.step(&state,
                    &(struct fray_game_step){
                        .inputs = inputs, .given = given, .rewind = rewind_one, .host = &lagged});
    return state.players[!by].hp;
}

static void E_lag_compensation_hits_what_the_attacker_saw(void **unused)
{
    (void)unused;
    assert_int_equal(hp_after_lagged_attack(8, 9, 0, 0), 90);
    assert_int_equal(hp_after_lagged_attack(8, 12, 128, 0), 90);  /* seen at exactly 10 */
    assert_int_equal(hp_after_lagged_attack(8, 12, 129, 0), 100); /* a hair beyond */
    assert_int_equal(hp_after_lagged_attack(30, 40, 0, 0), 100);
    assert_int_equal(hp_after_lagged_attack(8, 9, 0, 1), 100); /* seat 1 sees the present */
}

static void E_who_was_dead_in_the_past_was_not_there_to_hit(void **unused)
{
    struct arena_state state = begin(small_map, 1, 2);
    struct lagged lagged = {state, state, 0};

    (void)unused;
    put(&state, 0, 200 * ARENA_PX, 200 * ARENA_PX);
    put(&state, 1, 200 * ARENA_PX, 200 * ARENA_PX);
    lagged.newer = state;
    lagged.older = state;
    lagged.older.players[1].hp = 0;
    give(0, (struct arena_input){.attack = 1});
    fray_arena.step(&state,
                    &(struct fray_game_step){
                        .inputs = inputs, .given = given, .rewind = rewind_one, .host = &lagged});
    assert_int_equal(state.players[1].hp, 100);
}

static void E_what_is_out_of_sight_is_not_in_the_view(void **unused)
{
    struct arena_state state = begin(large_map, 1, 3), view;
    const int32_t sight = 300 * ARENA_PX, at = 1000 * ARENA_PX;

    (void)unused;
    put(&state, 0, at, at);
    put(&state, 1, at + sight, at - sight);
    put(&state, 2, at + sight + 1, at);
    fray_game_view(&fray_arena, &state, 0, &view);
    assert_int_equal(view.players[1].present, 1);
    assert_int_equal(view.players[2].present, 0);
    assert_int_equal(view.players[2].x, 0);
    assert_int_equal(view.match.random[0], 0);
    assert_int_not_equal(view.players[0].hp, 0);
    fray_game_view(&fray_arena, &state, FRAY_GAME_NOBODY, &view);
    assert_int_equal(view.players[2].present, 1);
    state.players[1].ready_tick = 77;
    fray_game_view(&fray_arena, &state, 0, &view);
    assert_int_equal(view.players[1].ready_tick, 0);
}

static void C11_more_than_200_play_on_one_map(void **unused)
{
    struct arena_state state = begin(large_map, 1, 220);

    (void)unused;
    for (int tick = 0; tick < 30; tick++) {
        for (uint32_t seat = 0; seat < 220; seat++)
            give(seat, (struct arena_input){.dx = (int8_t)(seat % 3 * 127 - 127), .attack = 1});
        step(&state);
    }
    for (int seat = 0; seat < 220; seat++)
        assert_int_equal(state.players[seat].present, 1);
}

static void C13_joining_and_leaving_are_told(void **unused)
{
    struct arena_state state = begin(small_map, 1, 0);

    (void)unused;
    events.count = 0;
    fray_arena.join(&state, 4, &events);
    assert_int_equal(count_events("new_player"), 1);
    assert_int_equal(items[0].args[0], 4);
    assert_int_equal(items[0].args[1], state.players[4].x);
    assert_int_equal(items[0].args[3], 100);
    fray_arena.leave(&state, 4, &events);
    assert_int_equal(count_events("player_left"), 1);
    assert_int_equal(state.players[4].present, 0);
    fray_arena.leave(&state, 4, &events);
    assert_int_equal(count_events("player_left"), 1);
}

static struct arena_state begin_with_goal(int32_t goal, uint32_t players)
{
    int32_t options[FRAY_GAME_COUNT(small_map)];

    memcpy(options, small_map, sizeof(options));
    options[7] = goal;
    return begin(options, 1, players);
}

/* All stand together; of the seats from `first` up to `end` each swings, and one swing kills. */
static void swing(struct arena_state *state, uint32_t first, uint32_t end)
{
    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++) {
        struct arena_player *player = &state->players[seat];
        if (!player->present)
            continue;
        put(state, seat, 200 * ARENA_PX, 200 * ARENA_PX);
        player->hp = 10;
        player->ready_tick = 0;
        if (seat >= first && seat < end)
            give(seat, (struct arena_input){.attack = 1});
    }
    step(state);
}

static void a_goal_ends_the_match(void **unused)
{
    struct arena_state state = begin_with_goal(1, 2);

    (void)unused;
    attack_until_dead(&state);
    assert_int_equal(fray_arena.outcome(&state, 0), FRAY_GAME_WON);
    assert_int_equal(fray_arena.outcome(&state, 1), FRAY_GAME_LOST);
    assert_int_equal(count_events("end_game"), 1);
}

static void two_who_reach_the_goal_at_once_go_on_until_one_leads(void **unused)
{
    (void)unused;
    for (uint32_t better = 0; better < 2; better++) {
        struct arena_state state = begin_with_goal(1, 2);
        swing(&state, 0, 2);
        assert_int_equal(state.players[0].score + state.players[1].score, 2);
        assert_int_equal(fray_arena.outcome(&state, 0), FRAY_GAME_PLAYING);
        assert_int_equal(count_events("end_game"), 0);
        swing(&state, better, better + 1);
        assert_int_equal(state.match.winner, better);
        assert_int_equal(fray_arena.outcome(&state, better), FRAY_GAME_WON);
        assert_int_equal(fray_arena.outcome(&state, !better), FRAY_GAME_LOST);
        assert_int_equal(count_events("end_game"), 1);
    }
}

static void who_is_left_of_two_at_the_goal_leads(void **unused)
{
    struct arena_state state = begin_with_goal(1, 2), view;

    (void)unused;
    swing(&state, 0, 2);
    fray_arena.leave(&state, 0, NULL);
    fray_game_view(&fray_arena, &state, 1, &view);
    step(&view); /* for all that it knows, others may be out of sight */
    assert_int_equal(fray_arena.outcome(&view, 1), FRAY_GAME_PLAYING);
    step(&state);
    assert_int_equal(fray_arena.outcome(&state, 1), FRAY_GAME_WON);
}

static void of_those_who_hit_at_once_each_may_get_the_kill(void **unused)
{
    int kills[3] = {0};

    (void)unused;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct arena_state state = begin(small_map, seed, 4);
        swing(&state, 0, 3);
        assert_int_equal(count_events("player_killed"), 4); /* they hit each other, too */
        for (uint32_t i = 0; i < events.count; i++)
            if (items[i].args[0] == 3 &&
                strcmp(fray_arena.events[items[i].kind].name, "player_killed") == 0)
                kills[items[i].args[1]]++;
    }
    assert_int_equal(kills[0] + kills[1] + kills[2], 300);
    for (int seat = 0; seat < 3; seat++)
        assert_in_range(kills[seat], 70, 130);
}

static void who_comes_after_the_end_has_not_won(void **unused)
{
    struct arena_state state = begin_with_goal(1, 3);

    (void)unused;
    attack_until_dead(&state);
    fray_arena.leave(&state, 0, NULL);
    assert_int_equal(fray_arena.outcome(&state, 0), FRAY_GAME_WON);
    assert_int_equal(fray_arena.outcome(&state, 1), FRAY_GAME_LOST);
    fray_arena.join(&state, 0, NULL);
    for (uint32_t seat = 0; seat < 3; seat++)
        assert_int_equal(fray_arena.outcome(&state, seat), FRAY_GAME_LOST);
    assert_int_equal(state.match.winner, FRAY_GAME_NOBODY);
    step(&state);
    assert_int_equal(count_events("end_game"), 0);
}

static void bots_roam_find_each_other_and_fight(void **unused)
{
    struct arena_state state = begin(large_map, 3, 60), view;
    static struct arena_memory memories[60];
    int32_t start_x[60], kills = 0, far = 0;

    (void)unused;
    for (uint32_t seat = 0; seat < 60; seat++) {
        fray_arena.bot_init(&memories[seat], seat % 3, seat);
        start_x[seat] = state.players[seat].x;
    }
    for (int tick = 0; tick < 30 * 60; tick++) {
        for (uint32_t seat = 0; seat < 60; seat++) {
            fray_game_view(&fray_arena, &state, seat, &view);
            given[seat] = fray_arena.bot(&view, seat, &memories[seat], &inputs[seat]);
            if (given[seat])
                assert_null(fray_game_check(&fray_arena, &state, seat, &inputs[seat]));
        }
        step(&state);
        if (tick == 30 * 20)
            for (int seat = 0; seat < 60; seat++)
                far += abs(state.players[seat].x - start_x[seat]) > 100 * ARENA_PX;
    }
    for (int seat = 0; seat < 60; seat++)
        kills += state.players[seat].score;
    assert_true(far > 20);
    assert_true(kills > 30);
}

/* Whether a bot that stands beside seat 1 at this place swings at it within two seconds. */
static bool is_fought(const int32_t *options, int32_t place_px, uint8_t swings)
{
    struct arena_state state = begin(options, 5, 2), view;
    struct arena_memory memory;
    bool swung = false;

    fray_arena.bot_init(&memory, 2, 1);
    put(&state, 0, (place_px + 5) * ARENA_PX, place_px * ARENA_PX);
    put(&state, 1, place_px * ARENA_PX, place_px * ARENA_PX);
    state.players[1].swings = swings;
    for (int tick = 0; tick < 60; tick++) {
        fray_game_view(&fray_arena, &state, 0, &view);
        given[0] = fray_arena.bot(&view, 0, &memory, &inputs[0]);
        step(&state);
        swung = swung || state.players[0].swings;
    }
    return swung;
}

static void bots_leave_newcomers_alone_where_they_appear(void **unused)
{
    static const int32_t all_home[] = {100, 100, 100, 0, 500, COOLDOWN, RESPAWN, 0};

    (void)unused;
    assert_false(is_fought(small_map, 50, 0));
    assert_true(is_fought(small_map, 50, 1));
    assert_true(is_fought(small_map, 300, 0));
    assert_true(is_fought(large_map, 0, 0));
    assert_true(is_fought(all_home, 50, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C19_players_spawn_within_0_to_100_with_100_hp),
        cmocka_unit_test(C22_the_range_is_10_inclusive),
        cmocka_unit_test(C21_an_attack_hits_every_other_in_range_for_10),
        cmocka_unit_test(C23_at_0_the_player_dies_scores_and_respawns),
        cmocka_unit_test(C21_the_cooldown_is_the_servers),
        cmocka_unit_test(two_who_kill_each_other_both_die),
        cmocka_unit_test(C24_a_step_is_5_px_whatever_is_asked_for),
        cmocka_unit_test(C24_a_named_place_is_walked_to_at_that_pace),
        cmocka_unit_test(C30_a_teleport_is_refused),
        cmocka_unit_test(C26_the_map_has_bounds),
        cmocka_unit_test(obstacles_stop_one_direction_and_let_slide),
        cmocka_unit_test(nobody_ever_stands_in_an_obstacle),
        cmocka_unit_test(E_lag_compensation_hits_what_the_attacker_saw),
        cmocka_unit_test(E_who_was_dead_in_the_past_was_not_there_to_hit),
        cmocka_unit_test(E_what_is_out_of_sight_is_not_in_the_view),
        cmocka_unit_test(C11_more_than_200_play_on_one_map),
        cmocka_unit_test(C13_joining_and_leaving_are_told),
        cmocka_unit_test(a_goal_ends_the_match),
        cmocka_unit_test(two_who_reach_the_goal_at_once_go_on_until_one_leads),
        cmocka_unit_test(who_is_left_of_two_at_the_goal_leads),
        cmocka_unit_test(of_those_who_hit_at_once_each_may_get_the_kill),
        cmocka_unit_test(who_comes_after_the_end_has_not_won),
        cmocka_unit_test(bots_roam_find_each_other_and_fight),
        cmocka_unit_test(bots_leave_newcomers_alone_where_they_appear),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
