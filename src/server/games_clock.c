/* One timer of the namespace drives all matches of /games: each waits in a wheel of its own for its
 * next tick or time limit, so that a thousand of them are no thousand timers of the server. */
#include <stddef.h>

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

static void on_due(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_match *match =
        (struct fray_match *)(void *)((char *)timer - offsetof(struct fray_match, timer));
    struct fray_games *games = match->host;

    uint32_t before = match->steps;
    fray_match_advance(match, now_us);
    if (match->feeds)
        fray_games_feeds_send(games, match, before);
    fray_games_publish(games, games->nsp, match);
}

void fray_games_clock_set(struct fray_games *games, struct fray_match *match)
{
    uint64_t due_us = fray_match_due(match);

    match->timer.on_expire = on_due;
    if (due_us == UINT64_MAX)
        fray_timer_cancel(&games->wheel, &match->timer);
    else
        fray_timer_arm(&games->wheel, &match->timer, due_us);
    driver_start(games);
}

void fray_games_clock_forget(struct fray_games *games, struct fray_match *match)
{
    fray_timer_cancel(&games->wheel, &match->timer);
}
