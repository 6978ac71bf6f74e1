#include "base/timer_wheel.h"

enum { SLOT_BITS = 8, WHEEL_BITS = SLOT_BITS * FRAY_WHEEL_LEVELS };

static unsigned slot_of(uint64_t ms, unsigned level)
{
    return (unsigned)(ms >> (SLOT_BITS * level)) % FRAY_WHEEL_SLOTS;
}

static void push(struct fray_timer **list, struct fray_timer *timer)
{
    timer->next = *list;
    timer->link = list;
    if (*list)
        (*list)->link = &timer->next;
    *list = timer;
}

/* Clears the slot's bit when `list` is the head of a slot; `overdue`, `far` and lists on their way
 * have none. */
static void mark_empty(struct fray_timer_wheel *wheel, struct fray_timer **list)
{
    uintptr_t first = (uintptr_t)&wheel->slots[0][0], at = (uintptr_t)list;
    if (at < first || at >= first + sizeof wheel->slots)
        return;
    size_t slot = (at - first) / sizeof wheel->slots[0][0];
    wheel->occupied[slot / FRAY_WHEEL_SLOTS][slot % FRAY_WHEEL_SLOTS / 64] &=
        ~(UINT64_C(1) << slot % 64);
}

static void unlink_timer(struct fray_timer_wheel *wheel, struct fray_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    else
        mark_empty(wheel, timer->link);
    timer->link = NULL;
}

/* Moves a whole list to `to`, which must stay where it is until it has been emptied. */
static void take_list(struct fray_timer_wheel *wheel, struct fray_timer **from,
                      struct fray_timer **to)
{
    *to = *from;
    *from = NULL;
    if (*to)
        (*to)->link = to;
    mark_empty(wheel, from);
}

/* Puts a timer that is due now or later where it belongs. */
static void place(struct fray_timer_wheel *wheel, struct fray_timer *timer)
{
    uint64_t differs = timer->due_ms ^ wheel->now_ms;
    if (differs >> WHEEL_BITS) {
        uint64_t start_ms = timer->due_ms >> WHEEL_BITS << WHEEL_BITS;
        if (!wheel->far || start_ms < wheel->far_ms)
            wheel->far_ms = start_ms;
        push(&wheel->far, timer);
        return;
    }
    unsigned level = differs ? (unsigned)(63 - __builtin_clzll(differs)) / SLOT_BITS : 0;
    unsigned slot = slot_of(timer->due_ms, level);
    push(&wheel->slots[level][slot], timer);
    wheel->occupied[level][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* The first occupied slot of the level behind `slot`; FRAY_WHEEL_SLOTS when there is none. */
static unsigned next_occupied(const struct fray_timer_wheel *wheel, unsigned level, unsigned slot)
{
    unsigned from = slot + 1;
    for (unsigned word = from / 64; word < FRAY_WHEEL_SLOTS / 64; word++) {
        uint64_t bits = wheel->occupied[level][word];
        if (word == from / 64)
            bits &= UINT64_MAX << from % 64;
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return FRAY_WHEEL_SLOTS;
}

/* When there is something to do next: a timer expires or timers move down. A lower level's slots
 * all come before the next slot of a higher one. */
static uint64_t next_ms(const struct fray_timer_wheel *wheel)
{
    for (unsigned level = 0; level < FRAY_WHEEL_LEVELS; level++) {
        unsigned slot = next_occupied(wheel, level, slot_of(wheel->now_ms, level));
        if (slot == FRAY_WHEEL_SLOTS)
            continue;
        unsigned shift = SLOT_BITS * level;
        uint64_t above = wheel->now_ms >> (shift + SLOT_BITS) << SLOT_BITS;
        return (above | slot) << shift;
    }
    return wheel->far ? wheel->far_ms : UINT64_MAX;
}

static void place_all(struct fray_timer_wheel *wheel, struct fray_timer **from)
{
    struct fray_timer *list;
    take_list(wheel, from, &list);
    while (list) {
        struct fray_timer *timer = list;
        unlink_timer(wheel, timer);
        place(wheel, timer);
    }
}

/* Moves down what waits in the slots that begin at now_ms. */
static void move_down(struct fray_timer_wheel *wheel)
{
    if (wheel->far && wheel->now_ms >= wheel->far_ms)
        place_all(wheel, &wheel->far);
    for (unsigned level = FRAY_WHEEL_LEVELS - 1; level > 0; level--) {
        struct fray_timer **slot = &wheel->slots[level][slot_of(wheel->now_ms, level)];
        if (*slot)
            place_all(wheel, slot);
    }
}

/* The list is taken first: a timer that is armed for now, or for the past, meanwhile is not in it.
 */
static void expire_all(struct fray_timer_wheel *wheel, struct fray_timer **from, uint64_t now_us)
{
    struct fray_timer *list;
    take_list(wheel, from, &list);
    while (list) {
        struct fray_timer *timer = list;
        unlink_timer(wheel, timer);
        wheel->count--;
        timer->on_expire(timer, now_us);
    }
}

void fray_timer_wheel_init(struct fray_timer_wheel *wheel, uint64_t now_us)
{
    *wheel = (struct fray_timer_wheel){.now_ms = now_us / 1000};
}

void fray_timer_arm(struct fray_timer_wheel *wheel, struct fray_timer *timer, uint64_t due_us)
{
    if (timer->link)
        unlink_timer(wheel, timer);
    else
        wheel->count++;
    timer->due_ms = due_us / 1000 + (due_us % 1000 != 0);
    if (timer->due_ms <= wheel->now_ms)
        push(&wheel->overdue, timer);
    else
        place(wheel, timer);
}

void fray_timer_cancel(struct fray_timer_wheel *wheel, struct fray_timer *timer)
{
    if (!timer->link)
        return;
    unlink_timer(wheel, timer);
    wheel->count--;
}

void fray_timer_wheel_advance(struct fray_timer_wheel *wheel, uint64_t now_us)
{
    uint64_t target_ms = now_us / 1000;
    expire_all(wheel, &wheel->overdue, now_us);
    for (uint64_t ms; (ms = next_ms(wheel)) <= target_ms;) {
        wheel->now_ms = ms;
        move_down(wheel);
        expire_all(wheel, &wheel->slots[0][slot_of(ms, 0)], now_us);
    }
    if (target_ms > wheel->now_ms)
        wheel->now_ms = target_ms;
}

uint64_t fray_timer_wheel_next_us(const struct fray_timer_wheel *wheel)
{
    if (wheel->overdue)
        return wheel->now_ms * 1000;
    uint64_t ms = next_ms(wheel);
    return ms > UINT64_MAX / 1000 ? UINT64_MAX : ms * 1000;
}
