#include "client/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packet.h"

enum { HZ = 50, TICK_US = 20000 };

static void the_clock_takes_the_median_and_drifts(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    uint64_t now_us = 1000000;
    for (int i = 0; i < 5; i++) {
        assert_true(fray_client_clock_asks(&clock, now_us));
        assert_false(fray_client_clock_asks(&clock, now_us));
        /* The server is 100 ticks on; one answer is late by 300 ms. */
        uint64_t back_us = now_us + 40000 + (i == 3 ? 300000 : 0);
        fray_client_clock_pong(&clock, now_us, back_us, (double)(now_us + 20000) / TICK_US + 100);
        now_us += 100000 + (i == 4 ? 1900000 : 0);
    }
    assert_true(clock.rtt_us == 40000);
    double tick = fray_client_clock_tick(&clock, now_us);
    assert_true(tick > (double)now_us / TICK_US + 99.9 && tick < (double)now_us / TICK_US + 100.1);
    /* Afterwards a change is followed slowly: 1 ms at a time. */
    double before = clock.offset_us;
    for (int i = 0; i < 9; i++)
        fray_client_clock_pong(&clock, now_us, now_us + 40000,
                               (double)(now_us + 20000) / TICK_US + 101);
    assert_true(clock.offset_us > before && clock.offset_us <= before + 9000);
    /* What cannot be is no answer. */
    uint32_t samples = clock.samples;
    fray_client_clock_pong(&clock, now_us + 1, now_us, 0);
    assert_int_equal(clock.samples, samples);
}

/* Six pings of nine wait on the way there, and are answered all at once. */
static void a_stall_of_the_network_tells_the_clock_nothing(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    uint64_t back_us = 14000000;
    for (uint64_t i = 0; i < 5; i++)
        fray_client_clock_pong(&clock, i * 100000, i * 100000 + 40000,
                               (double)(i * 100000 + 20000) / TICK_US + 100);
    for (uint64_t i = 0; i < 6; i++)
        fray_client_clock_pong(&clock, 2000000 + i * 2000000, back_us,
                               (double)(back_us - 20000) / TICK_US + 100);
    double behind = fray_client_clock_tick(&clock, back_us) - (double)back_us / TICK_US - 100;
    assert_true(behind > -0.1 && behind < 0.1);
}

static void the_pace_slows_and_hurries_by_5_percent(void **state)
{
    (void)state;
    struct fray_client_pace pace;
    fray_client_pace_init(&pace, HZ);
    uint64_t now_us = 0;
    assert_true(fray_client_pace_advance(&pace, now_us, 8, 2) == 11.5);
    for (int i = 0; i < 20; i++)
        fray_client_pace_report(&pace, 5); /* far too early */
    now_us += TICK_US;
    fray_client_pace_advance(&pace, now_us, 9, 2);
    assert_true(pace.rate == 0.95);
    for (int i = 0; i < 20; i++)
        fray_client_pace_report(&pace, -3); /* late */
    now_us += TICK_US;
    fray_client_pace_advance(&pace, now_us, 10, 2);
    assert_true(pace.rate == 1.05);
    fray_client_pace_report(&pace, FRAY_PACKET_NO_MARGIN); /* says nothing */
    /* Half a second off: no slewing. */
    assert_true(fray_client_pace_advance(&pace, now_us + 1, 98, 2) == 101.5);
    assert_true(pace.rate == 1);
}

static void the_playback_waits_for_the_late(void **state)
{
    (void)state;
    struct fray_client_playback steady, jittery;
    fray_client_playback_init(&steady, HZ, 25);
    fray_client_playback_init(&jittery, HZ, 25);
    assert_true(fray_client_playback_advance(&steady, 5000) == 0);
    for (uint32_t i = 0; i < 100; i++) {
        fray_client_playback_arrived(&steady, 2 * i, i * 40000);
        fray_client_playback_arrived(&jittery, 2 * i, i * 40000 + (i % 4 == 0 ? 90000 : 0));
    }
    assert_true(steady.delay_us == 80000);   /* two intervals */
    assert_true(jittery.delay_us == 130000); /* an interval and how late they come */
    uint64_t now_us = 100 * 40000;
    double tick = fray_client_playback_advance(&steady, now_us);
    assert_true(tick > 195.9 && tick < 196.1);
    double next = fray_client_playback_advance(&steady, now_us + TICK_US);
    assert_true(next > tick + 0.97 && next < tick + 1.03); /* slewed by 2 % at most */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_takes_the_median_and_drifts),
        cmocka_unit_test(a_stall_of_the_network_tells_the_clock_nothing),
        cmocka_unit_test(the_pace_slows_and_hurries_by_5_percent),
        cmocka_unit_test(the_playback_waits_for_the_late),
    };
    return cmocka_run_group_tests_name("client timing", tests, NULL, NULL);
}
