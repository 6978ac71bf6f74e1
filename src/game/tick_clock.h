/* When the ticks of a match fall due. Tick n is due n / hz seconds after the start, to the
 * microsecond: no drift. A host that comes late takes several at once, up to
 * FRAY_TICK_CATCH_UP; what is beyond is dropped: the match's time stood still, and is counted
 * (Fiedler, "Fix your timestep"; docs/decisions.md). Times are microseconds. Pure. */
#ifndef FRAY_GAME_TICK_CLOCK_H
#define FRAY_GAME_TICK_CLOCK_H

#include <stdint.h>

enum { FRAY_TICK_CATCH_UP = 5 };

struct fray_tick_clock {
    uint64_t start_us;
    uint32_t hz;
    uint64_t taken, dropped; /* ticks */
};

/* The first tick is due within one tick from now: `phase`, in 1/65536 of it, spreads the matches of
 * a host over its time. */
void fray_tick_clock_start(struct fray_tick_clock *clock, uint32_t hz, uint16_t phase,
                           uint64_t now_us);
/* Tick 0 is at `start_us`. */
void fray_tick_clock_start_at(struct fray_tick_clock *clock, uint32_t hz, uint64_t start_us);
uint64_t fray_tick_clock_due(const struct fray_tick_clock *clock); /* the next tick */
/* How many ticks to step now; they count as taken. */
uint32_t fray_tick_clock_take(struct fray_tick_clock *clock, uint64_t now_us);
/* How many whole ticks ago the last one was that counts as taken, and how much of the next has
 * passed, in 1/65536. */
uint32_t fray_tick_clock_since(const struct fray_tick_clock *clock, uint64_t now_us,
                               uint16_t *phase);
/* Where that is less than a tick: how much of it has passed. */
uint16_t fray_tick_clock_phase(const struct fray_tick_clock *clock, uint64_t now_us);
/* Before the start: the tick, which is negative, and what of it has passed. */
int32_t fray_tick_clock_until(const struct fray_tick_clock *clock, uint64_t now_us,
                              uint16_t *phase);

#endif
