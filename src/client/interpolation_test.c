/* The others, a moment ago. */
#include "arena/arena.h"
#include "client/test_match.h"
#include "duel/duel.h"
#include "game/viewer.h"

static const int32_t calm_duel[] = {100, 20, 15, 0, 90, 0, 60, 400, 8, 0};
static const int32_t field[] = {8000, 8000, 100, 0, 8000, 10, 90, 0};
static const struct weather calm = {.delay_us = 30 * MS, .is_stream = true};

static void places_are_between_and_all_else_is_as_it_was(void **state)
{
    (void)state;
    struct duel_state older, newer, out;
    const struct fray_game_table *players = &fray_duel.tables[1];
    const uint16_t aim_x[] = {
        (uint16_t)(1 << 8 | (fray_game_field(players, "aim_x") - players->fields))};
    const struct fray_client_smoothing smoothing = {
        .teleport_px = 24, .fields = aim_x, .fields_count = 1};
    struct fray_client_moment moment = {&older, &newer, .fraction = 0.25, .ticks = 1};
    memset(&older, 0, sizeof older);
    older.players[0].present = 1;
    older.players[0].x = 120 * DUEL_PX;
    newer = older;
    newer.players[0].x += 8 * DUEL_PX;
    newer.players[0].hp = 3;
    newer.players[0].aim_x = 100;
    newer.players[0].aim_y = 100;
    newer.players[1].present = 1;
    newer.players[1].x = 20 * DUEL_PX;
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].x, 122 * DUEL_PX);
    assert_int_equal(out.players[0].hp, 0);
    assert_int_equal(out.players[0].aim_x, 25);
    assert_int_equal(out.players[0].aim_y, 0);
    assert_int_equal(out.players[1].present, 0);
    moment.is_newest = true;
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].x, 122 * DUEL_PX);
    assert_int_equal(out.players[0].hp, 3);
    assert_int_equal(out.players[1].x, 20 * DUEL_PX); /* who has just come is where it is */
    moment.is_newest = false;
    moment.fraction = 1.5; /* on its way, further than was told */
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].x, 132 * DUEL_PX);
    assert_int_equal(out.players[0].hp, 3);
    assert_int_equal(out.players[0].aim_x, 100);
}

static void who_is_placed_elsewhere_is_not_shown_on_the_way(void **state)
{
    (void)state;
    struct duel_state older, newer, out;
    const struct fray_client_smoothing smoothing = {.teleport_px = 24};
    struct fray_client_moment moment = {&older, &newer, .fraction = 0.5, .ticks = 1};
    memset(&older, 0, sizeof older);
    older.players[0].present = 1;
    newer = older;
    newer.players[0].x = 8 * DUEL_PX;
    newer.players[0].y = 400 * DUEL_PX; /* one way is enough */
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].x, 0);
    assert_int_equal(out.players[0].y, 0);
    moment.is_newest = true;
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].y, 400 * DUEL_PX);
    moment.ticks = 20; /* then it may have walked */
    fray_client_between(&fray_duel, &smoothing, &moment, &out);
    assert_int_equal(out.players[0].x, 4 * DUEL_PX);
    assert_int_equal(out.players[0].y, 200 * DUEL_PX);
}

/* Where the first player walks and the second one looks on. */
static struct world *open(const struct fray_game *game, const int32_t *options,
                          struct weather weather)
{
    struct world *world = world_open(game, options, weather);
    player_add(world);
    player_add(world);
    hold(&world->players[0], game == &fray_duel ? "walk" : "dx", game == &fray_duel ? 1 : 127);
    return world;
}

static double shown_x(struct world *world)
{
    struct fray_netcode *netcode = &world->players[1].netcode;
    const void *view = fray_netcode_interpolated(netcode, world->now_us);
    return (double)fray_game_get(world->game, view, "players", 0, "x") / 256;
}

static void others_move_smoothly_in_spite_of_jitter_and_loss(void **state)
{
    (void)state;
    struct world *world =
        open(&fray_arena, field,
             (struct weather){.delay_us = 60 * MS, .jitter_us = 40 * MS, .loss = 50});
    run(world, 4000);
    double last = shown_x(world);
    for (int i = 0; i < 375; i++) {
        run(world, 16);
        double step = shown_x(world) - last; /* 5 px a tick of 33 ms */
        assert_true(step > 2.2 && step < 2.6);
        last += step;
        assert_false(world->players[1].netcode.interpolation.is_lagging);
    }
    world_close(world);
}

/* In the arena by what they did last, for what they press is hidden; in a duel by the rules. */
static void when_nothing_comes_others_go_on_for_250_ms(void **state)
{
    (void)state;
    for (int is_duel = 0; is_duel < 2; is_duel++) {
        struct world *world =
            is_duel ? open(&fray_duel, calm_duel, calm) : open(&fray_arena, field, calm);
        struct player *player = &world->players[1];
        const struct fray_client_interpolation *shown = &player->netcode.interpolation;
        run(world, is_duel ? 1000 : 3000);
        player->is_deaf = true;
        uint32_t left = 1000;
        while (fray_netcode_shown(&player->netcode, world->now_us) <
               fray_netcode_newest_tick(&player->netcode))
            run_on(world, &left);
        double from = shown_x(world);
        run(world, 230);
        double gone = shown_x(world) - from; /* 180 px a second, 150 px */
        assert_true(gone > (is_duel ? 38 : 32) && gone < (is_duel ? 45 : 37));
        assert_false(shown->is_lagging);
        assert_true(shown->extrapolated > 10);
        run(world, 40);
        double still = shown_x(world);
        run(world, 500);
        assert_true(shown_x(world) == still);
        assert_true(shown->is_lagging);
        player->is_deaf = false;
        run(world, 1000);
        assert_true(shown_x(world) != still);
        assert_false(shown->is_lagging);
        world_close(world);
    }
}

/* Nobody falls straight on: in a duel the rules know where one goes. */
static void where_the_rules_know_how_it_goes_on_they_say_it(void **state)
{
    (void)state;
    static int64_t heights[1024];
    struct world *world = open(&fray_duel, calm_duel, calm);
    struct player *player = &world->players[1];
    hold(&world->players[0], "walk", 0);
    run(world, 1500);
    hold(&world->players[0], "jump", 1);
    run(world, 150);
    hold(&world->players[0], "jump", 0);
    player->is_deaf = true;
    double furthest = 0;
    for (int i = 0; i < 330; i++) {
        run(world, 1);
        heights[world->match->steps] =
            fray_game_get(world->game, world->match->state, "players", 0, "y");
        double tick = fray_netcode_shown(&player->netcode, world->now_us);
        const void *view = fray_netcode_interpolated(&player->netcode, world->now_us);
        uint32_t before = (uint32_t)tick;
        if (tick <= fray_netcode_newest_tick(&player->netcode) || !heights[before])
            continue;
        double truth = (double)heights[before] +
                       (double)(heights[before + 1] - heights[before]) * (tick - before);
        double apart = (double)fray_game_get(world->game, view, "players", 0, "y") - truth;
        assert_true(apart > -DUEL_PX && apart < DUEL_PX);
        furthest = tick - fray_netcode_newest_tick(&player->netcode);
    }
    assert_true(furthest > 8);
    world_close(world);
}

static void who_stands_elsewhere_after_death_was_never_in_between(void **state)
{
    (void)state;
    struct world *world = open(&fray_arena, field, calm);
    run(world, 2000);
    struct arena_state *truth = (void *)world->match->state;
    double from = shown_x(world);
    truth->players[0].x += 3000 * ARENA_PX;
    for (int i = 0; i < 500; i++) {
        run(world, 1);
        double x = shown_x(world);
        assert_true(x < from + 100 || x > from + 3000);
    }
    assert_true(shown_x(world) > from + 3000);
    world_close(world);
}

/* The server has lowered the rate. */
static void the_delay_follows_the_rate(void **state)
{
    (void)state;
    struct world *world = open(&fray_duel, calm_duel, calm);
    struct player *player = &world->players[1];
    run(world, 3000);
    assert_true(player->netcode.playback.delay_us > 95e3);
    assert_true(player->netcode.playback.delay_us < 105e3);
    player->viewer->hz = player->viewer->wished_hz = 10; /* or it would raise it again */
    run(world, 4000);
    assert_true(player->netcode.playback.delay_us > 190e3);
    assert_true(player->netcode.playback.delay_us < 210e3);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_between_and_all_else_is_as_it_was),
        cmocka_unit_test(who_is_placed_elsewhere_is_not_shown_on_the_way),
        cmocka_unit_test(others_move_smoothly_in_spite_of_jitter_and_loss),
        cmocka_unit_test(when_nothing_comes_others_go_on_for_250_ms),
        cmocka_unit_test(where_the_rules_know_how_it_goes_on_they_say_it),
        cmocka_unit_test(who_stands_elsewhere_after_death_was_never_in_between),
        cmocka_unit_test(the_delay_follows_the_rate),
    };
    return cmocka_run_group_tests_name("client interpolation", tests, NULL, NULL);
}
