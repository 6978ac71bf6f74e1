/* What a player feels: the netcode in a real match, over all kinds of networks. */
#include "client/test_match.h"
#include "duel/duel.h"

static const int32_t calm_duel[] = {100, 20, 15, 0, 90, 0, 60, 400, 8, 0};
static const int32_t duel[] = {5, 20, 15, 60, 90, 600, 60, 400, 8, 0};
static const int32_t field[] = {8000, 8000, 100, 0, 8000, 10, 90, 0}; /* an arena, empty */
static const struct weather calm = {.delay_us = 40 * MS, .is_stream = true};
static const struct weather bad = {.delay_us = 20 * MS, .jitter_us = 200 * MS, .loss = 100};

static struct world *duel_open(const int32_t *options, struct weather weather)
{
    struct world *world = world_open(&fray_duel, options, weather);
    player_add(world);
    player_add(world);
    return world;
}

static struct world *arena_open(struct weather weather)
{
    struct world *world = world_open(&fray_arena, field, weather);
    player_add(world);
    player_add(world);
    return world;
}

/* To and fro, with jumps. */
static void walk(struct world *world)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t second = world->now_us / 1000000 + i;
        hold(&world->players[i], "walk", second % 2 ? 1 : -1);
        hold(&world->players[i], "jump", world->now_us / 100000 % 7 == 0);
    }
}

static void fight(struct world *world)
{
    const struct duel_state *state = (const void *)world->match->state;
    walk(world);
    for (uint32_t i = 0; i < 2; i++) {
        hold(&world->players[i], "aim_x", state->players[!i].x / DUEL_PX);
        hold(&world->players[i], "aim_y", state->players[!i].y / DUEL_PX - 16);
        hold(&world->players[i], "fire", 1);
    }
}

static void rest(struct world *world)
{
    for (uint32_t i = 0; i < 2; i++) {
        hold(&world->players[i], "walk", 0);
        hold(&world->players[i], "jump", 0);
        hold(&world->players[i], "fire", 0);
    }
}

/* ------------------------------------------------------------------ every day */

static void E_no_correction_while_walking_at_150_ms(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, (struct weather){.delay_us = 75 * MS, .is_stream = true});
    const struct fray_netcode *netcode = &world->players[0].netcode;
    world->press = walk;
    run(world, 3000);
    uint64_t before = netcode->prediction.corrections;
    run(world, 10000);
    assert_int_equal(netcode->prediction.corrections, before);
    assert_true(netcode->clock.rtt_us > 149e3 && netcode->clock.rtt_us < 153e3);
    assert_true(netcode->prediction.tick > world->match->steps + 4); /* ahead by the way there */
    world_close(world);
}

/* One that was overtaken says nothing new. */
static void snapshots_out_of_order_correct_nothing(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, (struct weather){.delay_us = 40 * MS});
    struct player *player = &world->players[0];
    run(world, 3000);
    world->weather.jitter_us = 120 * MS;
    run(world, 3000);
    hold(player, "walk", 1);
    run(world, 200);
    uint64_t before = player->netcode.prediction.corrections;
    for (int i = 0; i < 8; i++) {
        hold(player, "walk", i % 2 ? 1 : -1);
        run(world, 500);
    }
    assert_int_equal(player->netcode.prediction.corrections, before);
    assert_true(player->netcode.snapshots.received > 200);
    world_close(world);
}

static void E_views_are_equal_and_no_event_is_lost_in_bad_weather(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, bad);
    world->press = fight;
    run(world, 60000);
    world->weather = (struct weather){.delay_us = 20 * MS};
    world->press = rest;
    run(world, 3000);
    for (uint32_t i = 0; i < 2; i++) {
        const struct player *player = &world->players[i];
        const struct fray_netcode *netcode = &player->netcode;
        assert_int_equal(netcode->desyncs, 0);
        assert_in_range(player->hashes, 40, 70);
        assert_in_range(netcode->event_seq, 10, 2000);
        /* The server counts them: each was told once. */
        assert_int_equal(player->heard + netcode->events_count, netcode->event_seq);
        assert_int_equal(player->heard, world->players[!i].heard);
        assert_true(netcode->snapshots.missed > 50);
        assert_true(netcode->snapshots.received > 600);
    }
    world_close(world);
}

static void events_come_when_the_picture_shows_them(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, calm);
    const struct player *player = &world->players[0];
    uint32_t seen = 0;
    world->press = fight;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t before = player->heard;
        run(world, 1);
        if (player->heard == before)
            continue;
        seen++;
        assert_true(player->heard_shown >= player->heard_tick);
        assert_true(player->heard_shown < player->heard_tick + 2);
    }
    assert_true(seen > 10);
    world_close(world);
}

static void E_time_dilation_keeps_inputs_early(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, (struct weather){.delay_us = 10 * MS});
    const struct fray_client_pace *pace = &world->players[0].netcode.pace;
    world->press = walk;
    run(world, 5000);
    world->weather = (struct weather){.delay_us = 60 * MS, .jitter_us = 20 * MS};
    run(world, 10000);
    assert_true(pace->margin > 0.5 && pace->margin < 4);
    assert_true(pace->rate >= 0.95 && pace->rate <= 1.05);
    assert_in_range(used_of(&world->players[0], 300), 290, 300);
    world_close(world);
}

/* Three in every datagram: one that is lost loses no input. */
static void lost_datagrams_lose_no_inputs(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, (struct weather){.delay_us = 40 * MS});
    struct player *player = &world->players[0];
    run(world, 4000);
    assert_int_equal(player->sent.count, 3);
    world->weather.loss = 100;
    run(world, 10000);
    assert_in_range(used_of(player, 500), 490, 500);
    world_close(world);
}

static void on_streams_of_fast_games_two_inputs_share_a_packet(void **state)
{
    (void)state;
    for (uint8_t batch = 0; batch <= 4; batch++) {
        struct world *world = world_open(&fray_duel, calm_duel, calm);
        for (int i = 0; i < 2; i++)
            player_add_as(world, &(struct fray_netcode_config){.input_batch = batch});
        run(world, 4000);
        uint32_t before = world->players[0].inputs_sent, expected = 300 / (batch ? batch : 2);
        run(world, 5000);
        assert_in_range(world->players[0].inputs_sent - before, expected - 3, expected + 3);
        assert_int_equal(used_of(&world->players[0], 200), 200);
        world_close(world);
    }
    struct world *world = arena_open(calm); /* 30 Hz */
    run(world, 4000);
    uint32_t before = world->players[0].inputs_sent;
    run(world, 5000);
    assert_in_range(world->players[0].inputs_sent - before, 148, 152);
    world_close(world);
}

/* What lag compensation goes by. */
static void inputs_say_what_their_player_looks_at(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 3000);
    for (int i = 0; i < 100; i++) {
        run(world, 7);
        double shown = fray_netcode_shown(&player->netcode, world->now_us);
        assert_true(player->sent.flags & FRAY_INPUT_HAS_VIEW);
        double behind = shown - player->sent.view / 256.0;
        assert_true(behind > -0.01 && behind < 3); /* since the last packet */
        double delay = fray_netcode_newest_tick(&player->netcode) - shown;
        assert_true(delay > 1 && delay < 7);
    }
    player->is_deaf = true; /* then it looks at the last that it shows, not further on */
    run(world, 900);
    assert_int_equal(player->sent.view, (fray_netcode_newest_tick(&player->netcode) + 15) * 256);
    world_close(world);
}

/* ------------------------------------------------------------------ time */

/* Whether the client's tick ever leaps from here on, but by so much in all. */
static double leaps(struct world *world, uint32_t ms)
{
    const struct fray_client_pace *pace = &world->players[0].netcode.pace;
    double sum = 0;
    for (uint32_t i = 0; i < ms; i++) {
        double before = pace->tick;
        run(world, 1);
        double step = pace->tick - before;
        sum += step < 0 ? -step : step > 2 ? step : 0;
    }
    return sum;
}

static void find_back(const struct fray_game *game, struct weather weather, uint32_t ticks)
{
    struct world *world = game == &fray_duel ? duel_open(calm_duel, weather) : arena_open(weather);
    struct player *player = &world->players[0];
    run(world, 10000 + ticks * 37); /* pings come every two seconds: not at the same point of it */
    assert_int_equal(used_of(player, 60), 60);
    freeze(world, ticks);
    run(world, ticks * 1000 / game->tick_hz);
    double leapt = leaps(world, 2000);
    assert_true(world->match->ticks->clock.dropped >= ticks - 6);
    assert_true(leapt < ticks + 6); /* once, and not up again */
    uint64_t early = world->match->ticks->counts.early, late = world->match->ticks->counts.late;
    for (int i = 0; i < 100; i++) {
        assert_true(leaps(world, 100) == 0);
        if (getenv("DBG"))
            printf("%d ticks %u: ahead %g rate %g margin %g rep %u\n", i, ticks,
                   ahead_of_need(player), player->netcode.pace.rate, player->netcode.pace.margin,
                   player->netcode.pace.reports);
        else
            assert_in_range(ahead_of_need(player) * 100, 50, 350); /* 1.5 and 2 */
    }
    assert_int_equal(used_of(player, 10 * game->tick_hz), 10 * game->tick_hz);
    assert_int_equal(world->match->ticks->counts.early, early);
    assert_int_equal(world->match->ticks->counts.late, late);
    double delay = fray_netcode_newest_tick(&player->netcode) -
                   fray_netcode_shown(&player->netcode, world->now_us);
    assert_true(delay > 0 && delay < 0.15 * game->tick_hz);
    world_close(world);
}

static void a_server_that_stood_still_is_found_back_to_in_two_seconds(void **state)
{
    (void)state;
    for (uint32_t ticks = 10; ticks <= 60; ticks += 10) {
        find_back(&fray_duel, calm, ticks);
        find_back(&fray_duel, (struct weather){.delay_us = 100 * MS, .is_stream = true}, ticks);
        find_back(&fray_arena, calm, ticks);
    }
    find_back(&fray_duel, calm, 140); /* more than a report can say */
    find_back(&fray_duel, calm, 300);
}

/* Six seconds in which nothing gets through either way, and then all at once. */
static void a_network_that_stood_still_moves_no_clock(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    world->press = walk;
    run(world, 5000);
    world->weather.delay_us = 6000 * MS;
    uint32_t before = player->inputs_sent;
    run(world, 5900);
    /* For a second it did not know; more would arrive too late, in a flood. */
    assert_in_range(player->inputs_sent - before, 25, 40);
    world->weather.delay_us = 40 * MS;
    release(world);
    assert_true(leaps(world, 5000) == 0);
    uint16_t phase;
    double tick = fray_client_clock_tick(&player->netcode.clock, world->now_us);
    double off = tick - fray_ticks_now(world->match, world->now_us, &phase);
    assert_true(off > -1 && off < 2);
    assert_int_equal(used_of(player, 120), 120);
    world_close(world);
}

static void a_longer_way_is_noticed_at_once(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 6000);
    world->weather.delay_us = 400 * MS;
    run(world, 3000);
    assert_int_equal(used_of(player, 60), 60);
    world->weather.delay_us = 40 * MS;
    run(world, 3000);
    assert_int_equal(used_of(player, 60), 60);
    assert_true(ahead_of_need(player) < 4);
    world_close(world);
}

static void pings_are_five_at_first_and_then_few(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    const struct player *player = &world->players[0];
    run(world, 700);
    assert_int_equal(player->pings, 5);
    run(world, 20000);
    assert_in_range(player->pings, 14, 15);
    world_close(world);
}

/* ------------------------------------------------------------------ when things go wrong */

static void garbage_does_no_harm(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, calm);
    struct player *player = &world->players[0];
    struct fray_netcode *netcode = &player->netcode;
    char bytes[300];
    run(world, 1000);
    for (uint32_t i = 0; i < 20000; i++) {
        size_t len = fray_rng_below(&world->rng, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)fray_rng_next(&world->rng);
        if (len && i % 2)
            bytes[0] = (char)(0x81 + i % 4);
        if (len > 4 && i % 3) { /* of a snapshot: one that may come, against one that is there */
            uint16_t seq = (uint16_t)(netcode->snapshots.ack + i % 5 - 1);
            memcpy(bytes + 2, &seq, sizeof seq);
            bytes[4] = (char)(i % 4);
        }
        if (bytes[0] == (char)FRAY_PACKET_WELCOME)
            continue; /* a well-formed one is the server's to send */
        player_receive(player, bytes, len);
        player_look(player);
    }
    assert_true(netcode->refused > 10000);
    run(world, 3000);
    assert_true(world->match->steps - fray_netcode_newest_tick(netcode) < 12);
    world_close(world);
}

static void goes_on_after_another_connection(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    world->press = walk;
    run(world, 3000);
    player->is_away = true;
    run(world, 2000);
    int64_t x = own(player, fray_netcode_drawn(&player->netcode, world->now_us), "x");
    player_reconnect(player);
    uint32_t shown = fray_netcode_newest_tick(&player->netcode);
    run(world, 50);
    assert_int_equal(own(player, fray_netcode_drawn(&player->netcode, world->now_us), "x"), x);
    assert_int_equal(fray_netcode_newest_tick(&player->netcode), shown); /* to be looked at */
    run(world, 3000);
    assert_int_equal(player->welcomes, 2);
    assert_int_equal(used_of(player, 100), 100);
    assert_int_equal(player->netcode.desyncs, 0);
    assert_in_range(player->netcode.snapshots.received, 2 * 55, 2 * 65);
    assert_non_null(fray_netcode_predicted(&player->netcode));
    world_close(world);
}

static void a_hello_that_is_lost_is_said_again(void **state)
{
    (void)state;
    struct world *world = world_open(&fray_duel, calm_duel, (struct weather){.loss = 1000});
    struct player *player = player_add(world);
    player_add(world);
    run(world, 2500);
    assert_int_equal(player->hellos, 3);
    world->weather.loss = 0;
    run(world, 1000);
    assert_int_equal(player->welcomes, 1);
    run(world, 3000);
    assert_int_equal(player->hellos, 4);
    world_close(world);
}

static void who_is_not_known_any_more_says_hello(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 2000);
    fray_viewer_destroy(player->viewer);
    player->viewer = NULL;
    run(world, 3000);
    assert_int_equal(player->welcomes, 2);
    assert_true(player->refusals > 0);
    assert_true(world->match->steps - fray_netcode_newest_tick(&player->netcode) < 10);
    world_close(world);
}

/* The server's viewer is a new one: all is counted from 1. */
static void check_after_welcome(struct world *world, struct player *player, uint32_t welcomes)
{
    struct fray_netcode *netcode = &player->netcode;
    uint32_t heard = player->heard;
    run(world, 4000);
    assert_int_equal(player->welcomes, welcomes);
    assert_true(player->heard > heard);
    assert_int_equal(netcode->desyncs, 0);
    assert_int_equal(fray_viewer_hz(player->viewer), 20);
    assert_true(netcode->event_seq < 100);
    assert_true(world->match->steps - fray_netcode_newest_tick(netcode) < 10);
    assert_int_equal(used_of(player, 120), 120);
    uint64_t corrections = netcode->prediction.corrections;
    world->press = rest;
    run(world, 1000);
    world->press = fight;
    assert_in_range(netcode->prediction.corrections - corrections, 0, 4); /* hits push nobody */
}

static void a_rematch_is_followed(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, calm);
    world->press = fight;
    run(world, 12000);
    assert_true(world->players[0].heard > 5);
    fray_match_restart(world->match, world->now_us);
    begin_again(world);
    check_after_welcome(world, &world->players[0], 2);
    assert_in_range(world->match->steps, 290, 310);
    world_close(world);
}

static void a_hello_that_is_answered_twice_loses_no_events(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, calm);
    world->press = fight;
    run(world, 12000);
    viewer_begin(&world->players[0]);
    check_after_welcome(world, &world->players[0], 2);
    world_close(world);
}

static void other_rules_are_played_and_not_predicted(void **state)
{
    (void)state;
    struct world *world = world_open(&fray_duel, calm_duel, calm);
    world->match->ticks->rules = 42;
    struct player *player = player_add(world);
    player_add(world);
    hold(player, "walk", 1);
    run(world, 1500);
    assert_null(fray_netcode_predicted(&player->netcode));
    assert_null(fray_netcode_drawn(&player->netcode, world->now_us));
    const void *shown = fray_netcode_interpolated(&player->netcode, world->now_us);
    assert_true(own(player, shown, "x") > 200 * DUEL_PX);
    world_close(world);
}

static uint32_t reports_to_lose;

static void spoil(struct player *player)
{
    const struct fray_client_snapshots *snapshots = &player->netcode.snapshots;
    trace_close(player);
    for (int i = 0; i < FRAY_CLIENT_VIEWS; i++) {
        struct duel_state *view = (void *)fray_client_snapshots_state(snapshots, i);
        view->platforms[0].x ^= 1; /* nobody sends that again */
    }
}

static bool is_spoilt(const struct player *player)
{
    const struct duel_state *truth = (const void *)player->world->match->state;
    const struct duel_state *view = fray_netcode_newest(&player->netcode);
    return view->platforms[0].x != truth->platforms[0].x;
}

static void a_view_that_differs_is_reported_and_mended(void **state)
{
    (void)state;
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        struct world *world =
            duel_open(calm_duel, (struct weather){.delay_us = 40 * MS, .is_stream = is_stream});
        struct player *player = &world->players[0];
        run(world, 3000);
        spoil(player);
        run(world, 1400);
        assert_int_equal(player->netcode.desyncs, 1);
        assert_int_equal(player->reports, 1);
        assert_false(is_spoilt(player));
        run(world, 3000);
        assert_int_equal(player->netcode.desyncs, 1);
        assert_false(player->netcode.is_desynced);
        world_close(world);
    }
}

/* Of a report that is lost. */
static void until_a_view_is_mended_a_complete_one_is_asked_for(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, (struct weather){.delay_us = 40 * MS});
    struct player *player = &world->players[0];
    run(world, 3000);
    uint32_t asked = player->full_asked, left = 2000;
    spoil(player);
    while (!player->netcode.is_desynced)
        run_on(world, &left);
    player->is_away = true; /* the report goes nowhere */
    run(world, 1);
    player->is_away = false;
    run(world, 200);
    assert_true(player->full_asked > asked + 5);
    run(world, 3000);
    assert_false(is_spoilt(player));
    world_close(world);
}

static bool lose_deltas(struct player *player, void *bytes, size_t len)
{
    const uint8_t *packet = bytes;
    (void)player;
    (void)len;
    return packet[0] != FRAY_PACKET_SNAPSHOT || packet[4] == 0 || reports_to_lose-- == 0;
}

/* On a stream that drops without saying so, nothing that follows can be decoded. */
static void what_cannot_be_decoded_is_said_and_mended(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, calm);
    struct player *player = &world->players[0];
    world->press = fight;
    run(world, 6000);
    assert_int_equal(player->full_asked, 0);
    reports_to_lose = 3;
    world->on_down = lose_deltas;
    run(world, 150);
    world->on_down = NULL;
    run(world, 300);
    assert_true(player->full_asked > 0);
    run(world, 700);
    uint32_t asked = player->full_asked;
    assert_false(player->netcode.snapshots.needs_full);
    assert_true(world->match->steps - fray_netcode_newest_tick(&player->netcode) < 12);
    run(world, 3000);
    assert_int_equal(player->full_asked, asked);
    assert_int_equal(player->events_lost, 0);
    assert_int_equal(player->heard + player->netcode.events_count, player->netcode.event_seq);
    world_close(world);
}

static bool say_events_are_lost(struct player *player, void *bytes, size_t len)
{
    uint8_t *packet = bytes;
    (void)player;
    (void)len;
    if (packet[0] == FRAY_PACKET_SNAPSHOT)
        packet[1] |= FRAY_SNAPSHOT_EVENTS_LOST;
    return true;
}

static void lost_events_are_told(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    run(world, 1000);
    assert_int_equal(world->players[0].events_lost, 0);
    world->on_down = say_events_are_lost;
    run(world, 1000);
    assert_true(world->players[0].events_lost > 0);
    world_close(world);
}

/* What waits would be old before it arrives. */
static void a_clogged_connection_is_given_nothing(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 3000);
    uint32_t before = player->inputs_sent;
    player->is_clogged = true;
    run(world, 1000);
    assert_int_equal(player->inputs_sent, before);
    /* Nor does it ask to be called all the time. */
    assert_true(fray_netcode_due(&player->netcode) > world->now_us);
    player->is_clogged = false;
    run(world, 1000);
    assert_int_equal(used_of(player, 50), 50);
    world_close(world);
}

/* What it did then would not be heard in time. */
static void who_hears_nothing_for_a_second_stands_still(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    world->press = NULL;
    run(world, 3000);
    hold(player, "walk", 1);
    player->is_deaf = true;
    int64_t start = own(player, fray_netcode_drawn(&player->netcode, world->now_us), "x");
    run(world, 1500);
    int64_t still = own(player, fray_netcode_drawn(&player->netcode, world->now_us), "x");
    assert_true(still > start + 100 * DUEL_PX);
    for (uint32_t i = 0; i < 100; i++) {
        run(world, 7);
        const void *drawn = fray_netcode_drawn(&player->netcode, world->now_us);
        assert_int_equal(own(player, drawn, "x"), still);
    }
    world_close(world);
}

/* As in pages: a picture has the time at which it began, and packets came meanwhile. */
static void pictures_may_be_older_than_packets(void **state)
{
    (void)state;
    struct world *world = duel_open(duel, (struct weather){.delay_us = 40 * MS, .is_stream = true});
    struct player *player = &world->players[0];
    player->behind_us = 12 * MS;
    world->press = walk;
    run(world, 4000);
    uint64_t corrections = player->netcode.prediction.corrections;
    run(world, 8000);
    assert_int_equal(player->netcode.prediction.corrections, corrections);
    assert_true(player->netcode.pace.is_told);
    assert_in_range(used_of(player, 400), 398, 400);
    world_close(world);
}

/* What was not sampled then is over; it does not come in a flood. */
static void who_was_away_for_a_moment_goes_on_from_now(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 3000);
    player->is_hidden = true;
    run(world, 700);
    player->is_hidden = false;
    uint64_t late = world->match->ticks->counts.late;
    run(world, 1000);
    assert_in_range(world->match->ticks->counts.late - late, 0, 4);
    assert_int_equal(used_of(player, 50), 50);
    world_close(world);
}

/* WELCOME says what time it is. */
static void who_drops_in_plays_a_round_trip_later(void **state)
{
    (void)state;
    struct world *world = arena_open(calm);
    run(world, 3000);
    struct player *player = player_add(world);
    run(world, 2 * 40 + 5);
    assert_int_equal(player->welcomes, 1);
    assert_int_equal(player->sent.count, 1);
    run(world, 1000);
    assert_int_equal(used_of(player, 25), 25);
    world_close(world);
}

/* Nobody is asked twice who it is because of what was on its way. */
static void a_late_refusal_changes_nothing(void **state)
{
    (void)state;
    uint8_t out[8];
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = &world->players[0];
    run(world, 2000);
    size_t len = fray_packet_refused_encode(FRAY_REFUSED_NO_HELLO, out, sizeof out);
    send_down(player, out, len);
    run(world, 1000);
    assert_int_equal(player->refusals, 1);
    assert_int_equal(player->hellos, 1);
    world_close(world);
}

/* Datagrams are shown later than what a stream brings. */
static void datagrams_are_waited_for_longer(void **state)
{
    (void)state;
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        struct world *world =
            duel_open(calm_duel, (struct weather){.delay_us = 40 * MS, .is_stream = is_stream});
        const struct player *player = &world->players[0];
        run(world, 4000);
        double delay_us = player->netcode.playback.delay_us; /* of 20 a second, and of 30 */
        assert_true(delay_us > 98e3 && delay_us < 102e3);
        world_close(world);
    }
}

static void spectators_acknowledge_and_do_nothing(void **state)
{
    (void)state;
    struct world *world = duel_open(calm_duel, calm);
    struct player *player = spectator_add(world);
    run(world, 5000);
    assert_in_range(player->inputs_sent, 20, 26); /* five a second */
    assert_int_equal(player->sent.count, 0);
    assert_true(player->sent.ack > 80);
    assert_int_equal(player->netcode.tick, 0);
    assert_null(fray_netcode_predicted(&player->netcode));
    assert_non_null(fray_netcode_interpolated(&player->netcode, world->now_us));
    assert_true(player->hashes > 2);
    assert_int_equal(player->netcode.desyncs, 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(E_no_correction_while_walking_at_150_ms),
        cmocka_unit_test(snapshots_out_of_order_correct_nothing),
        cmocka_unit_test(E_views_are_equal_and_no_event_is_lost_in_bad_weather),
        cmocka_unit_test(events_come_when_the_picture_shows_them),
        cmocka_unit_test(E_time_dilation_keeps_inputs_early),
        cmocka_unit_test(lost_datagrams_lose_no_inputs),
        cmocka_unit_test(on_streams_of_fast_games_two_inputs_share_a_packet),
        cmocka_unit_test(inputs_say_what_their_player_looks_at),
        cmocka_unit_test(a_server_that_stood_still_is_found_back_to_in_two_seconds),
        cmocka_unit_test(a_network_that_stood_still_moves_no_clock),
        cmocka_unit_test(a_longer_way_is_noticed_at_once),
        cmocka_unit_test(pings_are_five_at_first_and_then_few),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(goes_on_after_another_connection),
        cmocka_unit_test(a_hello_that_is_lost_is_said_again),
        cmocka_unit_test(who_is_not_known_any_more_says_hello),
        cmocka_unit_test(a_rematch_is_followed),
        cmocka_unit_test(a_hello_that_is_answered_twice_loses_no_events),
        cmocka_unit_test(other_rules_are_played_and_not_predicted),
        cmocka_unit_test(a_view_that_differs_is_reported_and_mended),
        cmocka_unit_test(until_a_view_is_mended_a_complete_one_is_asked_for),
        cmocka_unit_test(what_cannot_be_decoded_is_said_and_mended),
        cmocka_unit_test(lost_events_are_told),
        cmocka_unit_test(a_clogged_connection_is_given_nothing),
        cmocka_unit_test(who_hears_nothing_for_a_second_stands_still),
        cmocka_unit_test(pictures_may_be_older_than_packets),
        cmocka_unit_test(who_was_away_for_a_moment_goes_on_from_now),
        cmocka_unit_test(who_drops_in_plays_a_round_trip_later),
        cmocka_unit_test(a_late_refusal_changes_nothing),
        cmocka_unit_test(datagrams_are_waited_for_longer),
        cmocka_unit_test(spectators_acknowledge_and_do_nothing),
    };
    return cmocka_run_group_tests_name("netcode", tests, NULL, NULL);
}
