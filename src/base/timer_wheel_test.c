#include "base/timer_wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The model: an array of due times, looked through in full. */
enum { TIMERS = 400, NOT_ARMED = 0 };

struct model {
    struct fray_timer_wheel wheel;
    struct entry {
        struct fray_timer timer;
        uint64_t due_ms; /* NOT_ARMED, or what the wheel should know */
    } entries[TIMERS];
    uint64_t random, previous_ms, limit_ms;
    unsigned expired;
    bool mutates; /* timers arm and cancel others when they expire */
};

static struct model *model;

static uint64_t next_random(void)
{
    uint64_t x = model->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t ceil_ms(uint64_t us)
{
    return us / 1000 + (us % 1000 != 0);
}

static void on_expire(struct fray_timer *timer, uint64_t now_us);

static void arm(struct entry *entry, uint64_t due_us)
{
    entry->timer.on_expire = on_expire;
    entry->due_ms = ceil_ms(due_us);
    fray_timer_arm(&model->wheel, &entry->timer, due_us);
    assert_true(fray_timer_is_armed(&entry->timer));
}

static void cancel(struct entry *entry)
{
    entry->due_ms = NOT_ARMED;
    fray_timer_cancel(&model->wheel, &entry->timer);
    assert_false(fray_timer_is_armed(&entry->timer));
}

static uint64_t random_due_us(uint64_t now_us)
{
    uint64_t reach = UINT64_C(1) << (8 + next_random() % 46); /* all levels and beyond */
    return now_us + 1000 + next_random() % reach;
}

static void on_expire(struct fray_timer *timer, uint64_t now_us)
{
    struct entry *entry = (struct entry *)timer;
    assert_false(fray_timer_is_armed(timer));
    assert_int_not_equal(entry->due_ms, NOT_ARMED);
    assert_true(entry->due_ms <= now_us / 1000);
    assert_true(entry->due_ms >= model->previous_ms);
    model->previous_ms = entry->due_ms;
    entry->due_ms = NOT_ARMED;
    model->expired++;
    if (!model->mutates)
        return;
    struct entry *other = &model->entries[next_random() % TIMERS];
    if (next_random() % 2)
        cancel(other);
    else
        arm(other, random_due_us(now_us));
}

static uint64_t earliest_ms(void)
{
    uint64_t earliest = UINT64_MAX;
    for (size_t i = 0; i < TIMERS; i++) {
        uint64_t due_ms = model->entries[i].due_ms;
        if (due_ms != NOT_ARMED && due_ms < earliest)
            earliest = due_ms;
    }
    return earliest;
}

static void check(uint64_t now_us)
{
    uint64_t armed = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        assert_int_equal(fray_timer_is_armed(&model->entries[i].timer),
                         model->entries[i].due_ms != NOT_ARMED);
        armed += model->entries[i].due_ms != NOT_ARMED;
    }
    assert_int_equal(model->wheel.count, armed);
    uint64_t earliest = earliest_ms();
    assert_true(earliest > now_us / 1000);
    uint64_t next_us = fray_timer_wheel_next_us(&model->wheel);
    assert_true(next_us > now_us);
    if (earliest == UINT64_MAX)
        assert_true(next_us == UINT64_MAX);
    else
        assert_true(next_us <= earliest * 1000);
}

static void run_model(uint64_t seed, bool mutates)
{
    model = calloc(1, sizeof *model);
    model->random = seed;
    model->mutates = mutates;
    uint64_t now_us = next_random() >> 20;
    fray_timer_wheel_init(&model->wheel, now_us);
    for (unsigned step = 0; step < 600; step++) {
        for (unsigned change = (unsigned)(next_random() % 20); change > 0; change--) {
            struct entry *entry = &model->entries[next_random() % TIMERS];
            if (next_random() % 4)
                arm(entry, random_due_us(now_us));
            else
                cancel(entry);
        }
        uint64_t next_us = fray_timer_wheel_next_us(&model->wheel);
        if (next_random() % 3 == 0 && next_us != UINT64_MAX)
            now_us = next_us;
        else
            now_us += next_random() % (UINT64_C(1) << (8 + next_random() % 46));
        model->previous_ms = 0;
        fray_timer_wheel_advance(&model->wheel, now_us);
        check(now_us);
    }
    assert_true(model->expired > 600);
    free(model);
}

static void agrees_with_a_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_model(seed, false);
}

static void agrees_with_a_list_while_timers_change_others(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_model(seed, true);
}

/* Timers that free each other, so that AddressSanitizer sees a wheel that looks at them afterwards.
 */
struct victim {
    struct fray_timer timer;
    struct victim *other;
    struct fray_timer_wheel *wheel;
    unsigned *count;
};

static void free_both(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct victim *victim = (struct victim *)timer;
    ++*victim->count;
    fray_timer_cancel(victim->wheel, &victim->other->timer);
    free(victim->other);
    free(victim);
}

static void timers_free_each_other(void **state)
{
    (void)state;
    struct fray_timer_wheel wheel;
    fray_timer_wheel_init(&wheel, 0);
    unsigned count = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        struct victim *pair[2] = {calloc(1, sizeof(struct victim)),
                                  calloc(1, sizeof(struct victim))};
        for (unsigned k = 0; k < 2; k++) {
            *pair[k] = (struct victim){{.on_expire = free_both}, pair[!k], &wheel, &count};
            fray_timer_arm(&wheel, &pair[k]->timer, 1000 * (1 + i % 7));
        }
    }
    fray_timer_wheel_advance(&wheel, 10000);
    assert_int_equal(count, 1000);
    assert_int_equal(wheel.count, 0);
    assert_true(fray_timer_wheel_next_us(&wheel) == UINT64_MAX);
}

struct counter {
    struct fray_timer timer;
    struct fray_timer_wheel *wheel;
    uint64_t again_us; /* re-arms for this; 0: does not */
    unsigned count;
};

static void count_up(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct counter *counter = (struct counter *)timer;
    counter->count++;
    if (counter->again_us)
        fray_timer_arm(counter->wheel, timer, counter->again_us);
}

static void never_early_and_rounded_up(void **state)
{
    (void)state;
    struct fray_timer_wheel wheel;
    fray_timer_wheel_init(&wheel, 5500);
    struct counter counter = {{.on_expire = count_up}, &wheel, 0, 0};
    fray_timer_arm(&wheel, &counter.timer, 7001);
    fray_timer_wheel_advance(&wheel, 7999);
    assert_int_equal(counter.count, 0);
    assert_int_equal(fray_timer_wheel_next_us(&wheel), 8000);
    fray_timer_wheel_advance(&wheel, 8000);
    assert_int_equal(counter.count, 1);
}

static void a_past_time_expires_at_the_next_advance(void **state)
{
    (void)state;
    struct fray_timer_wheel wheel;
    fray_timer_wheel_init(&wheel, 5000000);
    struct counter counter = {{.on_expire = count_up}, &wheel, 1, 0};
    fray_timer_arm(&wheel, &counter.timer, 4000000);
    assert_true(fray_timer_wheel_next_us(&wheel) <= 5000000);
    for (unsigned turn = 1; turn <= 3; turn++) {
        fray_timer_wheel_advance(&wheel, 5000000); /* time stands still */
        assert_int_equal(counter.count, turn);
    }
    fray_timer_cancel(&wheel, &counter.timer);
    fray_timer_wheel_advance(&wheel, 5000000);
    assert_int_equal(counter.count, 3);
}

static void a_time_without_end_is_kept_and_cancelled(void **state)
{
    (void)state;
    struct fray_timer_wheel wheel;
    fray_timer_wheel_init(&wheel, 0);
    struct counter never = {{.on_expire = count_up}, &wheel, 0, 0};
    struct counter later = {{.on_expire = count_up}, &wheel, 0, 0};
    fray_timer_arm(&wheel, &never.timer, UINT64_MAX);
    fray_timer_arm(&wheel, &later.timer, UINT64_MAX / 2);
    fray_timer_wheel_advance(&wheel, UINT64_MAX / 2 - 1000);
    assert_int_equal(later.count, 0);
    fray_timer_wheel_advance(&wheel, UINT64_MAX / 2 + 1000);
    assert_int_equal(later.count, 1);
    assert_int_equal(never.count, 0);
    fray_timer_cancel(&wheel, &never.timer);
    assert_int_equal(wheel.count, 0);
}

int main(void)
{
    assert_int_equal(sizeof(struct fray_timer), 4 * sizeof(void *));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_list),
        cmocka_unit_test(agrees_with_a_list_while_timers_change_others),
        cmocka_unit_test(timers_free_each_other),
        cmocka_unit_test(never_early_and_rounded_up),
        cmocka_unit_test(a_past_time_expires_at_the_next_advance),
        cmocka_unit_test(a_time_without_end_is_kept_and_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
