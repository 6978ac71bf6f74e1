/* Hierarchical timer wheel: many timers, most of which are moved or cancelled before they expire.
 * Adding, moving and cancelling are O(1); resolution is one millisecond, rounded up: a timer never
 * expires early. Time is an argument, in microseconds. One thread. Pure. */
#ifndef FRAY_BASE_TIMER_WHEEL_H
#define FRAY_BASE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in its owner; zero-initialised means not armed. An armed timer must be cancelled before
 * its memory goes. It is not armed any more when on_expire is called. */
struct fray_timer {
    struct fray_timer *next, **link; /* link == NULL: not armed */
    uint64_t due_ms;
    /* May arm, cancel and free any timer, this one too. `now_us` is what advance was given. */
    void (*on_expire)(struct fray_timer *timer, uint64_t now_us);
};

enum { FRAY_WHEEL_LEVELS = 4, FRAY_WHEEL_SLOTS = 256 };

/* A timer waits at the level of the highest byte in which its due_ms differs from now_ms, in the
 * slot of that byte's value. When now_ms reaches a slot of a higher level, its timers move down:
 *
 *   level   3        2        1        0
 *   due_ms  |31....24|23....16|15.....8|7......0|     further away: `far`, until bits 32 and up
 * agree
 */
struct fray_timer_wheel {
    uint64_t now_ms;            /* up to where timers have expired */
    uint64_t count;             /* armed timers */
    struct fray_timer *overdue; /* were due when they were armed; expire at the next advance */
    struct fray_timer *far;     /* beyond the top level */
    uint64_t far_ms;            /* when `far` has to be looked at, at the earliest */
    uint64_t occupied[FRAY_WHEEL_LEVELS][FRAY_WHEEL_SLOTS / 64]; /* a bit for each non-empty slot */
    struct fray_timer *slots[FRAY_WHEEL_LEVELS][FRAY_WHEEL_SLOTS];
};

void fray_timer_wheel_init(struct fray_timer_wheel *wheel, uint64_t now_us);

/* Arms the timer for `due_us`, moving it if it is armed. A time up to which timers have expired
 * already expires at the next advance, never within the one under way: a timer that re-arms itself
 * cannot keep an advance from ending. */
void fray_timer_arm(struct fray_timer_wheel *wheel, struct fray_timer *timer, uint64_t due_us);
void fray_timer_cancel(struct fray_timer_wheel *wheel, struct fray_timer *timer);

static inline bool fray_timer_is_armed(const struct fray_timer *timer)
{
    return timer->link != NULL;
}

/* Calls every timer due at or before now_us: the overdue ones, then in order of due time (in the
 * same millisecond: in no particular order). Time does not go back: an earlier now_us than before
 * expires only what is overdue. */
void fray_timer_wheel_advance(struct fray_timer_wheel *wheel, uint64_t now_us);

/* A time at or before the next expiry (exact when it is near), UINT64_MAX when nothing is armed. */
uint64_t fray_timer_wheel_next_us(const struct fray_timer_wheel *wheel);

#endif
