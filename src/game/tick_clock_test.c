/* Fixed ticks: no drift, a bounded catch-up, time that is dropped. */
#include "game/tick_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND = 1000000, HOUR_S = 3600 };

static struct fray_tick_clock started(uint32_t hz, uint16_t phase, uint64_t now_us)
{
    struct fray_tick_clock clock;
    fray_tick_clock_start(&clock, hz, phase, now_us);
    return clock;
}

static void ticks_at_its_rate_for_hours(void **state)
{
    (void)state;
    struct fray_tick_clock clock = started(60, 0, 5 * SECOND);
    uint64_t end_us = 5 * SECOND + HOUR_S * (uint64_t)SECOND, last_us = 0;
    while (fray_tick_clock_due(&clock) < end_us) {
        uint64_t due_us = fray_tick_clock_due(&clock);
        assert_true(!last_us || due_us - last_us == 16666 || due_us - last_us == 16667);
        assert_int_equal(fray_tick_clock_take(&clock, due_us - 1), 0);
        assert_int_equal(fray_tick_clock_take(&clock, due_us), 1);
        last_us = due_us;
    }
    assert_int_equal(clock.taken, HOUR_S * 60);
    assert_int_equal(clock.dropped, 0);
}

static void begins_within_a_tick_by_its_phase(void **state)
{
    (void)state;
    for (uint32_t phase = 0; phase < 65536; phase += 4096) {
        struct fray_tick_clock clock = started(30, (uint16_t)phase, SECOND);
        assert_int_equal(fray_tick_clock_due(&clock), SECOND + 33333 * (uint64_t)phase / 65536);
    }
}

static void catches_up_and_then_drops_time(void **state)
{
    (void)state;
    struct fray_tick_clock clock = started(50, 0, SECOND);
    uint64_t first_us = fray_tick_clock_due(&clock);
    assert_int_equal(fray_tick_clock_take(&clock, first_us + 4 * 20000), 5);
    assert_int_equal(clock.dropped, 0);
    /* A stall of a second: 50 ticks are due, 5 are taken. */
    assert_int_equal(fray_tick_clock_take(&clock, first_us + 4 * 20000 + SECOND),
                     FRAY_TICK_CATCH_UP);
    assert_int_equal(clock.dropped, 45);
    assert_int_equal(clock.taken, 10);
    /* And the rhythm is the old one. */
    assert_int_equal(fray_tick_clock_due(&clock), first_us + 4 * 20000 + SECOND + 20000);
    assert_int_equal(fray_tick_clock_take(&clock, first_us + 4 * 20000 + SECOND), 0);
}

static void tells_how_far_into_the_tick_it_is(void **state)
{
    (void)state;
    struct fray_tick_clock clock = started(50, 0, SECOND);
    uint64_t due_us = fray_tick_clock_due(&clock);
    fray_tick_clock_take(&clock, due_us);
    assert_int_equal(fray_tick_clock_phase(&clock, due_us), 0);
    assert_int_equal(fray_tick_clock_phase(&clock, due_us + 10000), 32768);
    assert_int_equal(fray_tick_clock_phase(&clock, due_us + 90000), 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_at_its_rate_for_hours),
        cmocka_unit_test(begins_within_a_tick_by_its_phase),
        cmocka_unit_test(catches_up_and_then_drops_time),
        cmocka_unit_test(tells_how_far_into_the_tick_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
