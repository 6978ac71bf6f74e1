/* The client's own future, in a real match. */
#include "arena/arena.h"
#include "client/test_match.h"
#include "duel/duel.h"

static const int32_t calm_duel[] = {100, 20, 15, 0, 90, 0, 60, 400, 8, 0};
static const struct weather calm = {.delay_us = 50 * MS, .is_stream = true};

static struct world *open(struct weather weather)
{
    struct world *world = world_open(&fray_duel, calm_duel, weather);
    player_add(world);
    player_add(world);
    run(world, 3000);
    return world;
}

/* Of the server. */
static struct duel_player *truth(struct world *world)
{
    return &((struct duel_state *)(void *)world->match->state)->players[0];
}

static double drawn_x(struct player *player)
{
    const void *drawn = fray_netcode_drawn(&player->netcode, player->world->now_us);
    return (double)own(player, drawn, "x") / DUEL_PX;
}

static void an_own_step_shows_at_once(void **state)
{
    (void)state;
    struct world *world = open((struct weather){.delay_us = 150 * MS, .is_stream = true});
    struct player *player = &world->players[0];
    double from = drawn_x(player);
    hold(player, "walk", 1);
    run(world, 50);
    assert_true(drawn_x(player) > from + 2);
    assert_true(truth(world)->x == (int32_t)(from * DUEL_PX));
    world_close(world);
}

static void is_drawn_between_ticks(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    hold(player, "walk", 1);
    run(world, 300);
    double last = drawn_x(player);
    for (int i = 0; i < 500; i++) {
        run(world, 1);
        double x = drawn_x(player);
        assert_true(x - last > 0.12 && x - last < 0.24); /* 3 px in 16.7 ms */
        last = x;
    }
    world_close(world);
}

/* From one drawn place to the next. */
struct steps {
    double largest, sum;
};

static struct steps watch(struct world *world, unsigned ms)
{
    struct player *player = &world->players[0];
    struct steps steps = {0};
    double last = drawn_x(player);
    for (unsigned i = 0; i < ms; i += 10) {
        run(world, 10);
        double step = drawn_x(player) - last;
        last += step;
        steps.sum += step;
        steps.largest = step > steps.largest ? step : steps.largest;
    }
    return steps;
}

static void what_the_server_decides_fades_in_100_ms(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    const struct fray_client_prediction *prediction = &player->netcode.prediction;
    uint64_t corrections = prediction->corrections;
    double from = drawn_x(player);
    truth(world)->x += 20 * DUEL_PX;
    uint32_t left = 1000;
    while (prediction->corrections == corrections)
        run_on(world, &left);
    assert_true(prediction->correction_px > 19.9 && prediction->correction_px < 20.1);
    struct steps steps = watch(world, 50);
    assert_true(drawn_x(player) > from + 10 && drawn_x(player) < from + 17.5);
    assert_true(steps.largest > 3 && steps.largest < 7);
    watch(world, 50);
    assert_true(drawn_x(player) > from + 18.5 && drawn_x(player) < from + 19.5);
    watch(world, 400);
    assert_true(drawn_x(player) > from + 19.9);
    assert_int_equal(prediction->corrections, corrections + 1); /* one event, one correction */
    world_close(world);
}

static void what_is_far_is_shown_at_once(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    truth(world)->x += 110 * DUEL_PX;
    struct steps steps = watch(world, 400);
    assert_true(steps.largest > 109);
    assert_int_equal(player->netcode.prediction.corrections, 1);
    assert_true(player->netcode.prediction.correction_px > 109);
    world_close(world);
}

/* Of a server that is as near as that, where pictures are rare. */
static void a_snapshot_of_the_predicted_tick_corrects_nothing(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    struct fray_client_prediction *prediction = &player->netcode.prediction;
    hold(player, "walk", 1);
    run(world, 305); /* somewhere between two ticks */
    double x = drawn_x(player);
    struct duel_state snapshot = *(const struct duel_state *)(const void *)prediction->current;
    fray_client_prediction_reconcile(prediction, &snapshot, prediction->tick);
    assert_int_equal(prediction->corrections, 0);
    assert_true(drawn_x(player) == x);
    world_close(world);
}

/* A hit is a surprise, and nobody was elsewhere for it. */
static void what_moves_nobody_is_no_correction(void **state)
{
    (void)state;
    struct world *world = open(calm);
    truth(world)->hp--;
    run(world, 1000);
    assert_int_equal(world->players[0].netcode.prediction.corrections, 0);
    world_close(world);
}

/* Who is pushed off a wall that it walks against is back there before it hears of it. */
static void what_is_so_again_at_the_present_is_no_correction(void **state)
{
    (void)state;
    static const int32_t field[] = {500, 500, 1, 0, 500, 10, 90, 0};
    struct world *world =
        world_open(&fray_arena, field, (struct weather){.delay_us = 150 * MS, .is_stream = true});
    struct player *player = player_add(world);
    struct arena_state *state_now = (void *)world->match->state;
    hold(player, "dx", -127);
    run(world, 4000);
    assert_int_equal(state_now->players[0].x, 0);
    state_now->players[0].x = 20 * ARENA_PX;
    bool was_seen = false;
    for (int i = 0; i < 1000; i++) {
        run(world, 1);
        was_seen |= own(player, fray_netcode_newest(&player->netcode), "x") != 0;
        assert_int_equal(own(player, fray_netcode_predicted(&player->netcode), "x"), 0);
    }
    assert_true(was_seen);
    assert_int_equal(player->netcode.prediction.corrections, 0);
    world_close(world);
}

/* What one does then the server would not hear of in time. */
static void it_goes_on_for_a_second_and_no_more(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    hold(player, "walk", 1);
    run(world, 200);
    double from = drawn_x(player);
    player->is_deaf = true;
    run(world, 500);
    assert_true(drawn_x(player) > from + 70);
    run(world, 1000);
    double still = drawn_x(player);
    run(world, 2000);
    assert_true(drawn_x(player) == still);
    uint32_t ahead = player->netcode.prediction.tick - fray_netcode_newest_tick(&player->netcode);
    assert_int_equal(ahead, 60);
    world_close(world);
}

/* The server's time stood still: the own tick goes back, and what is drawn with it. */
static void when_the_tick_goes_back_what_is_drawn_follows(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    hold(player, "walk", 1);
    run(world, 500);
    freeze(world, 30);
    for (int i = 0; i < 2500; i++) {
        run(world, 1);
        (void)fray_netcode_predicted(&player->netcode);
        assert_true(player->netcode.prediction.tick <= player->netcode.tick);
    }
    uint64_t corrections = player->netcode.prediction.corrections;
    double apart = drawn_x(player) - truth(world)->x / (double)DUEL_PX;
    assert_true(apart > 0 && apart < 3 * 3 * 60 / 10); /* 3 px a tick, some ticks ahead */
    hold(player, "walk", 0);
    run(world, 1000);
    assert_true((int32_t)(drawn_x(player) * DUEL_PX) == truth(world)->x);
    assert_int_equal(player->netcode.prediction.corrections, corrections);
    world_close(world);
}

static void impulses_are_given_once(void **state)
{
    (void)state;
    struct world *world = open(calm);
    struct player *player = &world->players[0];
    const struct fray_client_inputs *inputs = &player->netcode.inputs;
    hold(player, "rematch", 1);
    hold(player, "walk", -1);
    uint32_t tick = player->netcode.tick;
    run(world, 200);
    for (uint32_t i = 1; i < 8; i++) {
        const struct duel_input *input = fray_client_inputs_at(inputs, tick + i);
        assert_int_equal(input->rematch, i == 1);
        assert_int_equal(input->walk, -1);
    }
    assert_null(fray_client_inputs_at(inputs, player->netcode.tick + 1));
    assert_null(fray_client_inputs_at(inputs, player->netcode.tick - FRAY_CLIENT_INPUTS));
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_own_step_shows_at_once),
        cmocka_unit_test(is_drawn_between_ticks),
        cmocka_unit_test(what_the_server_decides_fades_in_100_ms),
        cmocka_unit_test(what_is_far_is_shown_at_once),
        cmocka_unit_test(a_snapshot_of_the_predicted_tick_corrects_nothing),
        cmocka_unit_test(what_moves_nobody_is_no_correction),
        cmocka_unit_test(what_is_so_again_at_the_present_is_no_correction),
        cmocka_unit_test(it_goes_on_for_a_second_and_no_more),
        cmocka_unit_test(when_the_tick_goes_back_what_is_drawn_follows),
        cmocka_unit_test(impulses_are_given_once),
    };
    return cmocka_run_group_tests_name("client prediction", tests, NULL, NULL);
}
