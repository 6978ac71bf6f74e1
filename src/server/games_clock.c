/* One timer of the namespace drives all matches of /games: each waits in a wheel of its own for its
 * next tick or time limit, so that a thousand of them are no thousand timers of the server. */
#include <stddef.h>
#include <time.h>

#include "game/ticks.h"
#include "room/namespace.h"
#include "server/games_feed.h"

static void drive(fray_namespace *nsp, void *context);

/* Whole milliseconds, rounded down: the namespace's timers and the wheel's round up alike. */
static void driver_start(struct fray_games *games)
{
    uint64_t next_us = fray_timer_wheel_next_us(&games->wheel), now_us = fray_now_us(games->nsp);

    if (games->is_driving || next_us == UINT64_MAX ||
        (games->driver && games->driver_us <= next_us))
        return;
    if (games->driver)
        fray_timer_stop(games->driver);
    uint64_t delay_ms = next_us > now_us ? (next_us - now_us) / 1000 : 0;
    games->driver = fray_timer_start(games->nsp, (unsigned)delay_ms, 0, drive, games);
    games->driver_us = next_us;
}

static void drive(fray_namespace *nsp, void *context)
{
    struct fray_games *games = context;

    games->driver = NULL;
    games->is_driving = true;
    fray_timer_wheel_advance(&games->wheel, fray_now_us(nsp));
    games->is_driving = false;
    driver_start(games);
}

/* The turn's time would hide how long those before it in the turn took. */
static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void note_lateness(struct fray_tick_lateness *lateness, uint64_t due_us)
{
    static const unsigned bounds_us[] = FRAY_TICK_LATENESS_BOUNDS_US;
    enum { BOUNDS = sizeof bounds_us / sizeof *bounds_us };
    uint64_t now_us = clock_us(), late_us = now_us > due_us ? now_us - due_us : 0;
    size_t k = 0;

    while (k < BOUNDS && late_us > bounds_us[k])
        k++;
    fray_count(&lateness->counts[k]);
    fray_count_add(&lateness->sum_us, late_us);
    if (late_us > lateness->max_us)
        __atomic_store_n(&lateness->max_us, late_us, __ATOMIC_RELAXED);
}

/* What the match has counted goes to /metrics, about once a second and at its end. */
static void counts_take(struct fray_worker *worker, struct fray_ticks *ticks)
{
    struct fray_counters *to = &worker->counters;
    const struct fray_ticks_counts *now = &ticks->counts, *was = &ticks->counted;

    fray_count_add(&to->game_inputs, now->taken - was->taken);
    fray_count_add(&to->game_inputs_late, now->late - was->late);
    fray_count_add(&to->game_inputs_early, now->early - was->early);
    fray_count_add(&to->game_inputs_refused, now->refused - was->refused);
    fray_count_add(&to->game_inputs_flooding, now->flooding - was->flooding);
    fray_count_add(&to->game_views_refused, now->views_refused - was->views_refused);
    fray_count_add(&to->game_ticks_dropped, ticks->clock.dropped - ticks->dropped_counted);
    ticks->counted = *now;
    ticks->dropped_counted = ticks->clock.dropped;
}

static void tick(struct fray_games *games, struct fray_match *match, uint64_t now_us)
{
    struct fray_worker *home = games->nsp->home;
    const struct fray_ticks_counts *counts = &match->ticks->counts;
    uint32_t before = match->steps;
    uint64_t steps_before = counts->steps;

    note_lateness(&home->tick_lateness, fray_tick_clock_due(&match->ticks->clock));
    fray_match_advance(match, now_us);
    fray_count_add(&home->counters.game_ticks, counts->steps - steps_before);
    if (match->steps / match->ticks->clock.hz != before / match->ticks->clock.hz)
        counts_take(home, match->ticks);
    if (match->hosted.feeds)
        fray_games_feeds_send(games, match, false, before);
}

static void on_due(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_match *match =
        (struct fray_match *)(void *)((char *)timer - offsetof(struct fray_match, hosted.timer));
    struct fray_games *games = match->hosted.games;

    if (match->ticks && match->is_begun && now_us >= fray_tick_clock_due(&match->ticks->clock))
        tick(games, match, now_us);
    else
        fray_match_advance(match, now_us);
    fray_games_publish(games, games->nsp, match);
}

void fray_games_clock_set(struct fray_games *games, struct fray_match *match)
{
    const struct fray_match_hosted *hosted = &match->hosted;
    uint64_t due_us = fray_match_earlier(fray_match_due(match),
                                         hosted->is_roster_owed ? hosted->roster_us : UINT64_MAX);

    match->hosted.timer.on_expire = on_due;
    if (due_us == UINT64_MAX)
        fray_timer_cancel(&games->wheel, &match->hosted.timer);
    else
        fray_timer_arm(&games->wheel, &match->hosted.timer, due_us);
    driver_start(games);
}

void fray_games_clock_forget(struct fray_games *games, struct fray_match *match)
{
    fray_timer_cancel(&games->wheel, &match->hosted.timer);
    if (match->ticks)
        counts_take(games->nsp->home, match->ticks);
    fray_count_add(&games->nsp->home->counters.game_events_dropped, match->events_dropped);
    fray_count(&games->nsp->home->counters.game_matches_closed);
}
