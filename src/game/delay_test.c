/* Spectators of a match who are shown its past: the state, who was there, what happened. */
#include "base/mem_counted.h"
#include "game/delay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/games.h"
#include "game/json_fake.h"
#include "game/ticks.h"

enum {
    SECOND = 1000000,
    DELAY_MS = 3000,
    DELAY = 3 * SECOND,
    TICK = SECOND / 60 + 1,
    ROUND_TICK = 61
};

/* What the host does: sends, and forgets. Histories are of what was to be sent. */
struct host {
    struct fray_match *match;
    json_t *present, *shown; /* names of news */
    char phase[16];          /* of the roster that spectators have */
};

static struct host open_host(const struct fray_game *game, uint32_t delay_ms)
{
    struct fray_match_config config = {
        .game = game,
        .id = "m",
        .times = {.hold_ms = 60000, .stand_in_ms = 10000, .think_ms = 400, .delay_ms = delay_ms},
    };
    struct host host = {.match = fray_match_create(&config, 7, SECOND)};
    host.present = json_array();
    host.shown = json_array();
    return host;
}

static void close_host(struct host *host)
{
    fray_match_destroy(host->match);
    json_decref(host->present);
    json_decref(host->shown);
}

static void names(json_t *into, const struct fray_match_news_list *news)
{
    for (uint32_t i = 0; i < news->count; i++)
        json_array_append_new(into, json_string(news->items[i].name));
}

static void publish(struct host *host, uint64_t now_us)
{
    struct fray_match *match = host->match;

    fray_match_show(match, now_us);
    match->is_anew = false;
    names(host->present, &match->news);
    if (match->delay) {
        names(host->shown, &match->delay->news);
        snprintf(host->phase, sizeof host->phase, "%s",
                 json_string_value(json_object_get(match->delay->roster, "phase")));
    }
    fray_match_sent(match);
}

static void run(struct host *host, uint64_t until_us)
{
    uint64_t due_us;
    bool is_done = false;
    while (!is_done && (due_us = fray_match_due(host->match)) <= until_us) {
        fray_match_advance(host->match, due_us);
        publish(host, due_us);
        is_done = fray_match_is_done(host->match, due_us);
    }
}

static uint32_t sit(struct host *host, const char *name, uint64_t now_us)
{
    static uint8_t random[FRAY_TOKEN_RANDOM];
    uint32_t seat;
    random[0]++;
    assert_null(fray_match_sit(host->match, &(struct fray_match_person){.id = name, .name = name},
                               random, now_us, &seat));
    publish(host, now_us);
    return seat;
}

static void watch(struct host *host, uint64_t now_us)
{
    assert_null(fray_match_watch(host->match,
                                 &(struct fray_match_person){.id = "Eve", .name = "Eve"}, now_us));
    publish(host, now_us);
}

static struct host open_duel(void)
{
    struct host host = open_host(&fray_duel, DELAY_MS);
    publish(&host, SECOND);
    sit(&host, "Ann", SECOND);
    sit(&host, "Bob", 2 * SECOND);
    watch(&host, 2 * SECOND);
    return host;
}

static json_t *state_of(const struct host *host, uint32_t viewer, uint64_t now_us)
{
    return fake_match_state(host->match, viewer, now_us);
}

/* A member of a table of one row, as the viewer is shown it. */
static json_int_t number_of(const struct host *host, uint32_t viewer, const char *key,
                            uint64_t now_us)
{
    json_t *state = state_of(host, viewer, now_us);
    json_int_t number = json_integer_value(
        json_object_get(json_object_get(json_object_get(state, "state"), "match"), key));
    json_decref(state);
    return number;
}

static void shows_what_was_a_delay_ago(void **state)
{
    (void)state;
    struct host host = open_duel();
    run(&host, 2 * SECOND + DELAY - TICK);
    assert_int_equal(number_of(&host, FRAY_GAME_NOBODY, "tick", 0), 0);
    assert_string_equal(host.phase, "waiting");
    for (uint64_t now = 6 * SECOND; now < 30 * SECOND; now += SECOND / 3) {
        run(&host, now);
        json_int_t ago = number_of(&host, 0, "tick", now) - DELAY_MS * 60 / 1000;
        assert_in_range(number_of(&host, FRAY_GAME_NOBODY, "tick", now), ago - 3, ago + 1);
    }
    assert_string_equal(host.phase, "playing");
    close_host(&host);
}

static void without_a_delay_nothing_is_kept(void **state)
{
    (void)state;
    struct host host = open_host(&fray_duel, 0);
    assert_null(host.match->delay);
    sit(&host, "Ann", SECOND);
    sit(&host, "Bob", SECOND);
    run(&host, 3 * SECOND);
    assert_int_equal(number_of(&host, FRAY_GAME_NOBODY, "tick", 0), number_of(&host, 0, "tick", 0));
    close_host(&host);
}

/* The same events in the same order, three seconds later. */
static void tells_all_events_later(void **state)
{
    (void)state;
    struct host host = open_duel();
    run(&host, 10 * SECOND);
    fray_match_put_out(host.match, 1, FRAY_OUT_LEFT, 10 * SECOND); /* Ann wins */
    publish(&host, 10 * SECOND);
    size_t told = json_array_size(host.present);
    assert_true(told >= 3); /* start_round, player_out, end_game */
    assert_true(json_array_size(host.shown) < told);
    run(&host, 10 * SECOND + DELAY - TICK);
    assert_true(json_array_size(host.shown) < told);
    assert_string_equal(host.phase, "playing");
    run(&host, 10 * SECOND + DELAY);
    assert_true(json_equal(host.present, host.shown));
    assert_string_equal(host.phase, "over");
    close_host(&host);
}

struct spectator {
    struct fray_viewer *viewer;
    struct fray_buf packet;
    uint32_t snapshots, events;
    uint16_t event_seq;
};

/* What is shown, by way of a packet that needs no other. */
static void look(struct spectator *spectator, struct fray_delay *delay)
{
    struct fray_packet_snapshot snapshot;
    char view[1024], want[1024];

    if (!delay->is_state_changed || !fray_viewer_is_due(spectator->viewer, delay->shown.steps))
        return;
    spectator->packet.len = 0;
    fray_snapshots_take(delay->snapshots, delay->shown.steps, delay->state);
    fray_viewer_encode(spectator->viewer, &(struct fray_viewer_frame){0}, &spectator->packet);
    assert_true(fray_packet_snapshot_decode(delay->game, FRAY_GAME_NOBODY, NULL, view, &snapshot,
                                            spectator->packet.data, spectator->packet.len));
    fray_game_view(delay->game, delay->state, FRAY_GAME_NOBODY, want);
    assert_memory_equal(view, want, delay->game->state_size);
    assert_int_equal(snapshot.tick, delay->shown.steps);
    for (uint32_t i = 0; i < snapshot.events_count; i++) {
        const struct fray_packet_event *event = &snapshot.events[i];
        assert_true(event->tick <= snapshot.tick);
        spectator->events += event->seq > spectator->event_seq;
        spectator->event_seq = event->seq;
    }
    spectator->snapshots++;
}

static void snapshots_of_the_past_have_its_events(void **state)
{
    (void)state;
    struct host host = open_duel();
    struct fray_delay *delay = host.match->delay;
    uint64_t start = 2 * SECOND + DELAY + 2 * TICK;
    run(&host, start); /* the match is seen to begin */
    struct spectator spectator = {
        .viewer = fray_viewer_create(fray_delay_snapshots(delay), FRAY_GAME_NOBODY,
                                     &(struct fray_packet_hello){1, FRAY_HELLO_STREAM, 0})};
    uint32_t happened = UINT32_MAX;
    for (uint64_t now = start; now < start + 6 * SECOND; now += SECOND / 60) {
        fray_match_advance(host.match, now);
        if (happened == UINT32_MAX && now > start + SECOND) {
            happened = host.match->steps;
            fray_delay_event(delay, now, happened, &(struct fray_game_event){.to = 255});
        }
        fray_match_show(host.match, now);
        look(&spectator, delay);
        publish(&host, now);
        if (delay->shown.steps < happened)
            assert_int_equal(spectator.events, 0);
    }
    assert_int_equal(spectator.events, 1);
    assert_true(spectator.snapshots > 12); /* it acks nothing, so it gets few */
    fray_viewer_destroy(spectator.viewer);
    fray_buf_deinit(&spectator.packet);
    close_host(&host);
}

static void ids_are_those_of_then(void **state)
{
    (void)state;
    struct host host = open_duel();
    run(&host, 6 * SECOND);
    fray_match_put_out(host.match, 1, FRAY_OUT_LEFT, 6 * SECOND);
    publish(&host, 6 * SECOND);
    run(&host, 6 * SECOND + DELAY - TICK);
    assert_string_equal(host.match->delay->ids[1], "Bob");
    run(&host, 6 * SECOND + DELAY);
    assert_string_equal(host.match->delay->ids[1], "");
    close_host(&host);
}

static void a_match_lasts_until_its_end_was_shown(void **state)
{
    (void)state;
    struct host host = open_duel();
    struct fray_match *match = host.match;
    run(&host, 6 * SECOND);
    assert_false(fray_match_is_done(match, 6 * SECOND));
    fray_match_put_out(match, 0, FRAY_OUT_LEFT, 6 * SECOND);
    fray_match_put_out(match, 1, FRAY_OUT_LEFT, 6 * SECOND);
    publish(&host, 6 * SECOND);
    assert_false(fray_match_is_live(match));
    assert_false(fray_match_is_done(match, 6 * SECOND));
    assert_true(fray_match_due(match) <= 6 * SECOND + DELAY);
    run(&host, 6 * SECOND + DELAY - TICK);
    assert_false(fray_match_is_done(match, 6 * SECOND + DELAY - 1));
    run(&host, 6 * SECOND + DELAY);
    assert_true(fray_match_is_done(match, 6 * SECOND + DELAY));
    assert_string_equal(host.phase, "over");
    close_host(&host);
}

static void a_match_that_nobody_watches_ends_at_once(void **state)
{
    (void)state;
    struct host host = open_duel();
    fray_match_unwatch(host.match);
    fray_match_put_out(host.match, 0, FRAY_OUT_LEFT, 6 * SECOND);
    fray_match_put_out(host.match, 1, FRAY_OUT_LEFT, 6 * SECOND);
    assert_true(fray_match_is_done(host.match, 6 * SECOND));
    close_host(&host);
}

static void says_when_the_rules_begin_anew(void **state)
{
    (void)state;
    struct host host = open_duel();
    struct fray_delay *delay = host.match->delay;
    uint32_t anew = 0;
    run(&host, 8 * SECOND);
    fray_match_restart(host.match, 8 * SECOND);
    publish(&host, 8 * SECOND);
    uint32_t before = delay->shown.steps;
    assert_in_range(before, 170, 185);
    for (uint64_t now = 8 * SECOND; now < 13 * SECOND; now += SECOND / 60) {
        fray_match_advance(host.match, now);
        fray_match_show(host.match, now);
        assert_true(delay->is_anew || delay->shown.steps >= before || anew);
        if (delay->is_anew) {
            assert_in_range(now, 8 * SECOND + DELAY - FRAY_DELAY_GAP_US,
                            8 * SECOND + DELAY + 2 * TICK);
            assert_int_equal(delay->before, 0);
            anew++;
        }
        publish(&host, now);
    }
    assert_int_equal(anew, 1);
    assert_in_range(delay->shown.steps, 110, 125);
    close_host(&host);
}

/* PONGs of spectators: what passes between two states is counted, too. */
static void the_clock_of_spectators_runs_evenly(void **state)
{
    (void)state;
    struct host host = open_duel();
    uint64_t start = 2 * SECOND + DELAY + SECOND;
    uint16_t phase;
    run(&host, start);
    uint32_t tick = fray_delay_tick(host.match->delay, start, &phase);
    double first = tick + phase / 65536.0;
    for (uint64_t now = start; now < start + 2 * SECOND; now += 1000) {
        run(&host, now);
        tick = fray_delay_tick(host.match->delay, now, &phase);
        double want = first + (double)(now - start) * 60 / SECOND;
        double is = tick + phase / 65536.0;
        assert_true(is > want - 0.01 && is < want + 0.01);
    }
    close_host(&host);
}

static void turns_have_the_time_limits_of_then(void **state)
{
    (void)state;
    struct host host = open_host(&fray_tictactoe, DELAY_MS);
    publish(&host, SECOND);
    sit(&host, "Ann", SECOND);
    sit(&host, "Bob", SECOND);
    json_t *cell = json_pack("{s:i}", "cell", 4);
    assert_null(fray_match_act(host.match, 0, "place", cell, 2 * SECOND));
    json_decref(cell);
    publish(&host, 2 * SECOND);
    run(&host, 2 * SECOND + DELAY - 1);
    json_t *was = state_of(&host, FRAY_GAME_NOBODY, 2 * SECOND + DELAY - 1);
    run(&host, 2 * SECOND + DELAY);
    json_t *shown = state_of(&host, FRAY_GAME_NOBODY, 2 * SECOND + DELAY);
    json_t *present = state_of(&host, 0, 2 * SECOND);
    const json_t *of_players = json_object_get(json_object_get(present, "state"), "players");
    assert_true(
        json_equal(json_object_get(json_object_get(shown, "state"), "players"), of_players));
    assert_true(json_equal(json_object_get(shown, "left_ms"), json_object_get(present, "left_ms")));
    assert_false(json_equal(json_object_get(was, "number"), json_object_get(shown, "number")));
    json_decref(was);
    json_decref(shown);
    json_decref(present);
    close_host(&host);
}

/* Whoever changes something a thousand times a second makes nobody keep more than the bounds. */
static void what_is_kept_is_bounded(void **state)
{
    (void)state;
    struct host host = open_host(&fray_tictactoe, DELAY_MS);
    struct fray_delay *delay = host.match->delay;
    sit(&host, "Ann", SECOND);
    for (uint64_t now = SECOND; now < 11 * SECOND; now += 1000) {
        fray_match_ready(host.match, 0, now / 1000 % 2);
        host.match->is_state_changed = true;
        publish(&host, now);
    }
    assert_in_range(delay->count, DELAY_MS / 30, DELAY_MS / 20);
    assert_true(delay->rosters <= FRAY_DELAY_ROSTERS);
    assert_true(delay->notes_count < 200);
    close_host(&host);
}

/* However many change it in the meantime. */
static void a_roster_is_never_shown_before_it_is_due(void **state)
{
    (void)state;
    enum { COUNT = FRAY_DELAY_ROSTERS + 40, APART = 1000 };
    struct host host = open_host(&fray_tictactoe, DELAY_MS);
    struct fray_delay *delay = host.match->delay;
    const uint64_t begin = 2 * SECOND;
    int shown = -1;
    sit(&host, "Ann", SECOND);
    for (int i = 0; i < COUNT; i++)
        fray_delay_roster(delay, begin + (uint64_t)i * APART,
                          json_pack("{s:s, s:i}", "phase", "waiting", "number", i));
    for (int i = 0; i < COUNT; i++) {
        publish(&host, begin + DELAY + (uint64_t)i * APART);
        const json_t *number = json_object_get(delay->roster, "number");
        shown = number ? (int)json_integer_value(number) : shown;
        assert_true(shown <= i);
    }
    assert_int_equal(shown, COUNT - 1);
    close_host(&host);
}

static void a_steady_match_allocates_nothing(void **state)
{
    (void)state;
    struct host host = open_duel();
    run(&host, 12 * SECOND);
    host.match->hosted.is_heard = false; /* as the host says when nobody takes JSON */
    run(&host, 12 * SECOND + DELAY);
    size_t before = allocations;
    uint64_t due_us;
    while ((due_us = fray_match_due(host.match)) <= 20 * SECOND) {
        fray_match_advance(host.match, due_us);
        fray_match_show(host.match, due_us);
        fray_match_sent(host.match);
    }
    assert_int_equal(allocations - before, 0);
    close_host(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_was_a_delay_ago),
        cmocka_unit_test(without_a_delay_nothing_is_kept),
        cmocka_unit_test(tells_all_events_later),
        cmocka_unit_test(snapshots_of_the_past_have_its_events),
        cmocka_unit_test(ids_are_those_of_then),
        cmocka_unit_test(a_match_lasts_until_its_end_was_shown),
        cmocka_unit_test(a_match_that_nobody_watches_ends_at_once),
        cmocka_unit_test(says_when_the_rules_begin_anew),
        cmocka_unit_test(the_clock_of_spectators_runs_evenly),
        cmocka_unit_test(turns_have_the_time_limits_of_then),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(a_roster_is_never_shown_before_it_is_due),
        cmocka_unit_test(a_steady_match_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
