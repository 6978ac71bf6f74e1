/* Hierarchical timer wheel: many timers, most of which are moved or cancelled before they expire.
 * Adding, moving and cancelling are O(1); resolution is one millisecond, rounded up: a timer never
 * expires early. Time is an argument, in microseconds. One thread. Pure. */
#ifndef FRAY_BASE_TIMER_WHEEL_H
#define FRAY_BASE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded in its owner; zero-initialised means not armed. An armed timer must be cancelled before its memory goes. */
struct fray_timer {
    struct fray_timer *next, **link; /* link == NULL: not armed */
    uint64_t due_ms;
    void (*on_expire)(struct fray_timer *timer, uint64_t now_us); /* may arm, cancel, free any timer */
};

enum { FRAY_WHEEL_LEVELS = 4, FRAY_WHEEL_SLOTS = 256 };

struct fray_timer_wheel {
    uint64_t now_ms; /* up to where timers have expired */
    uint64_t count;  /* armed timers */
    uint64_t occupied[FRAY_WHEEL_LEVELS][FRAY_WHEEL_SLOTS / 64]; /* a bit for each non-empty slot */
    struct fray_timer *slots[FRAY_WHEEL_LEVELS][FRAY_WHEEL_SLOTS];
};

void fray_timer_wheel_init(struct fray_timer_wheel *wheel, uint64_t now_us);

/* Arms the timer for `due_us`, moving it if it is armed. Times in the past expire at the next advance. */
void fray_timer_arm(struct fray_timer_wheel *wheel, struct fray_timer *timer, uint64_t due_us);
void fray_timer_cancel(struct fray_timer_wheel *wheel, struct fray_timer *timer);

static inline bool fray_timer_is_armed(const struct fray_timer *timer)
{
    return timer->link != 0;
}

/* Calls every timer due at or before now_us, in order of due time. */
void fray_timer_wheel_advance(struct fray_timer_wheel *wheel, uint64_t now_us);

/* A time at or before the next expiry (exact when it is near), UINT64_MAX when nothing is armed. */
uint64_t fray_timer_wheel_next_us(const struct fray_timer_wheel *wheel);

#endif
