#include "client/timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"
#include "packet.h"

enum { HZ = 50, TICK_US = 20000, MS = 1000 };

static void assert_near(double value, double expected, double by)
{
    if (value < expected - by || value > expected + by)
        fail_msg("%g is not %g within %g", value, expected, by);
}

/* ------------------------------------------------------------------ clock */

/* The server's tick is zero_us of local time ago, and the answer takes the way there and back. */
static void ping_over(struct fray_client_clock *clock, uint64_t now_us, uint64_t there_us,
                      uint64_t back_us, double zero_us)
{
    double server_us = (double)(now_us + there_us) - zero_us;
    fray_client_clock_pong(clock, now_us, now_us + there_us + back_us, server_us / clock->tick_us);
}

static void ping(struct fray_client_clock *clock, uint64_t now_us, uint64_t rtt_us, double zero_us)
{
    ping_over(clock, now_us, rtt_us / 2, rtt_us / 2, zero_us);
}

static double offset_of(const struct fray_client_clock *clock)
{
    return clock->offset_us;
}

static void five_pings_at_first_then_one_every_two_seconds(void **state)
{
    (void)state;
    const unsigned expected_ms[] = {0, 100, 200, 300, 400, 2400, 4400, 6400};
    struct fray_client_clock clock;
    unsigned count = 0;
    fray_client_clock_init(&clock, HZ);
    for (unsigned ms = 0; ms < 7000; ms += 10)
        if (fray_client_clock_asks(&clock, ms * (uint64_t)MS)) {
            assert_in_range(count, 0, 7);
            assert_int_equal(ms, expected_ms[count++]);
        }
    assert_int_equal(count, 8);
    fray_client_clock_hurry(&clock);
    assert_true(fray_client_clock_asks(&clock, 7000 * MS));
}

static void the_median_does_not_follow_one_slow_answer(void **state)
{
    (void)state;
    const uint64_t back_ms[] = {25, 27, 375, 26, 24};
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    for (int i = 0; i < 5; i++)
        ping_over(&clock, 1000 * MS, 25 * MS, back_ms[i] * MS, -500e3);
    assert_near(clock.rtt_us, 51e3, 0);
    assert_near(offset_of(&clock), 500e3, 1e3);
    assert_true(clock.jitter_us > 0);
}

/* Nine are kept; the quicker half, five, decides. */
static void the_quicker_half_of_nine_decides(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    for (uint64_t i = 0; i < 9; i++)
        ping(&clock, i * 100 * MS, 400 * MS, 0);
    double before = offset_of(&clock);
    /* These are quicker and say 20 ms more. Until three of five do, the median is as before. */
    for (uint64_t i = 0; i < 3; i++) {
        assert_near(offset_of(&clock), before, 1);
        ping(&clock, (20 + i) * 100 * MS, 390 * MS, -20e3);
    }
    assert_near(offset_of(&clock), before + 1e3, 1);
    /* They count until nine more have come: of eight they would be gone. */
    for (uint64_t i = 0; i < 6; i++)
        ping(&clock, (30 + i) * 100 * MS, 400 * MS, 0);
    assert_near(offset_of(&clock), before + 7e3, 1);
    ping(&clock, 4000 * MS, 400 * MS, 0);
    assert_near(offset_of(&clock), before + 5e3, 1); /* only two are left */
}

static void drifts_halves_takes_over(void **state)
{
    (void)state;
    const double cases[][2] = {{20, 1},    {-20, -2},    {0.5, 0.5},
                               {200, 100}, {-200, -100}, {600, 600}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_client_clock clock;
        fray_client_clock_init(&clock, HZ);
        for (uint64_t k = 0; k < 9; k++)
            ping(&clock, k * 100 * MS, 1500 * MS, 0); /* so slow that an answer may err so much */
        for (uint64_t k = 0; k < 2; k++)
            ping(&clock, (20 + k) * 100 * MS, 1500 * MS, -cases[i][0] * 1e3);
        assert_near(offset_of(&clock), 0, 1); /* not the median yet */
        ping(&clock, 3000 * MS, 1500 * MS, -cases[i][0] * 1e3);
        assert_near(offset_of(&clock), cases[i][1] * 1e3, 1);
    }
}

/* It errs by half its round trip at most: the server's time has changed. */
static void an_honest_answer_that_is_far_off_counts_alone(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    uint64_t now_us = 5000 * MS;
    fray_client_clock_init(&clock, HZ);
    for (int i = 0; i < 12; i++, now_us += 100 * MS) {
        (void)fray_client_clock_asks(&clock, now_us);
        ping(&clock, now_us, 80 * MS, 0);
    }
    ping(&clock, now_us, 80 * MS, 60e3); /* within half a round trip and a late turn: not alone */
    assert_near(offset_of(&clock), 0, 1);
    assert_false(fray_client_clock_asks(&clock, now_us));
    ping(&clock, now_us, 80 * MS, 900e3);
    assert_near(offset_of(&clock), -900e3, 1);
    assert_int_equal(clock.samples, 1);
    /* Five more are asked, the first at once; no matter what they say, not again and again. */
    int asked = 0;
    for (int i = 0; i < 150; i++, now_us += 10 * MS)
        if (fray_client_clock_asks(&clock, now_us)) {
            asked++;
            ping(&clock, now_us, 80 * MS, 900e3 + asked * 200e3);
        }
    assert_int_equal(asked, 5);
}

static void a_round_trip_that_has_changed_is_told_within_a_second(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    int asked = 0;
    fray_client_clock_init(&clock, HZ);
    for (uint64_t ms = 0; ms < 43000; ms += 10)
        if (fray_client_clock_asks(&clock, ms * MS)) {
            asked += ms > 23000;
            ping(&clock, ms * MS, ms < 20000 ? 20 * MS : 170 * MS, 0);
            assert_true(ms < 22900 || clock.rtt_us == 170e3);
        }
    assert_in_range(asked, 8, 11); /* then as seldom as ever */
}

/* Six pings of nine wait on the way there, and are answered all at once. */
static void a_stall_of_the_network_tells_the_clock_nothing(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    for (uint64_t i = 0; i < 5; i++)
        ping(&clock, i * 100 * MS, 40 * MS, -500e3);
    for (uint64_t i = 0; i < 6; i++)
        ping_over(&clock, (2000 + i * 2000) * MS, (12000 - i * 2000) * MS, 20 * MS, -500e3);
    assert_near(offset_of(&clock), 500e3, 2e3);
}

static void before_the_start_there_is_a_way_and_no_time(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    for (uint64_t i = 0; i < 20; i++)
        fray_client_clock_pong(&clock, i * 1000 * MS, (i * 1000 + 60) * MS, 0);
    assert_int_equal(clock.samples, 0);
    assert_near(clock.rtt_us, 60e3, 0);
    ping(&clock, 30000 * MS, 60 * MS, 40000e3); /* counts up to a start */
    assert_near(fray_client_clock_tick(&clock, 35000 * MS), -250, 0.01);
}

static void what_cannot_be_is_no_answer(void **state)
{
    (void)state;
    struct fray_client_clock clock;
    fray_client_clock_init(&clock, HZ);
    fray_client_clock_pong(&clock, 1001, 1000, 5);
    fray_client_clock_pong(&clock, 0, 61000000, 5);
    assert_int_equal(clock.samples, 0);
    ping(&clock, 0, 40 * MS, 0);
    fray_client_clock_reset(&clock);
    assert_int_equal(clock.samples, 0);
    assert_near(clock.rtt_us, 40e3, 0);
    ping(&clock, 1000 * MS, 60 * MS, 800e3);
    assert_near(offset_of(&clock), -800e3, 1);
}

/* ------------------------------------------------------------------ pace */

/* Inputs reach the server `way` ticks after they left; the clock is `wrong` ticks off, and both may
 * change while it goes on. Reports are back as long after. */
struct course {
    struct fray_client_pace pace;
    struct fray_rng rng;
    double way, wrong, jitter, server; /* ticks */
    double fastest, slowest, margin, leaps;
    int8_t reports[4096];
    unsigned frame;
};

static void course_begin(struct course *course, double way, double wrong)
{
    *course = (struct course){.way = way, .wrong = wrong, .fastest = 1, .slowest = 1};
    fray_rng_init(&course->rng, 3);
    fray_client_pace_init(&course->pace, HZ, 1);
}

static int8_t whole(double margin)
{
    double least = margin < -127 ? -127 : margin > 127 ? 127 : margin;
    return (int8_t)(least < 0 ? least - 0.999 : least);
}

static void course_run(struct course *course, double seconds)
{
    struct fray_client_pace *pace = &course->pace;
    for (unsigned until = course->frame + (unsigned)(seconds * HZ); course->frame < until;
         course->frame++, course->server++) {
        uint64_t now_us = 1000000 + course->frame * (uint64_t)TICK_US;
        double before = pace->tick;
        double tick =
            fray_client_pace_advance(pace, now_us, course->server + course->wrong, course->way);
        if (course->frame && (tick < before || tick > before + 2))
            course->leaps += tick < before ? before - tick : tick - before;
        course->fastest = pace->rate > course->fastest ? pace->rate : course->fastest;
        course->slowest = pace->rate < course->slowest ? pace->rate : course->slowest;
        double late = (double)fray_rng_below(&course->rng, 1000) / 1000 * course->jitter;
        course->margin = tick - course->server - course->way - late - 1;
        course->reports[course->frame % 4096] = whole(course->margin);
        unsigned back = (unsigned)(2 * course->way + 0.5);
        if (course->frame % 3 == 0 && course->frame > back)
            fray_client_pace_report(pace, course->reports[(course->frame - back) % 4096], now_us);
    }
}

static void inputs_come_to_arrive_one_to_two_ticks_early(void **state)
{
    (void)state;
    for (int wrong = -12; wrong <= 12; wrong += 3) {
        struct course course;
        course_begin(&course, 9, wrong);
        course_run(&course, 20);
        assert_in_range(course.margin * 100, 50, 300);
        assert_near(course.pace.rate, 1, 0.01);
        assert_true(course.fastest <= 1.05 && course.slowest >= 0.95);
        assert_true(wrong != -3 || course.fastest == 1.05);
        assert_true(wrong != 3 || course.slowest < 0.98);
        if (wrong >= -3 && wrong <= 3)
            assert_true(course.leaps == 0);
        else if (wrong < -6 || wrong > 6) /* the clock only begins it */
            assert_near(course.leaps, wrong < 0 ? -wrong : wrong, 3);
    }
}

static void jitter_makes_it_lead_more(void **state)
{
    (void)state;
    struct course calm, restless;
    course_begin(&calm, 6, 0);
    course_begin(&restless, 6, 0);
    restless.jitter = 4;
    course_run(&calm, 20);
    course_run(&restless, 20);
    assert_true(restless.pace.tick > calm.pace.tick + 2);
    assert_true(restless.leaps == 0);
}

static void time_that_was_dropped_is_followed_by_one_leap(void **state)
{
    (void)state;
    for (int dropped = 8; dropped < 127; dropped *= 2) {
        struct course course;
        course_begin(&course, 5, 0);
        course_run(&course, 10);
        course.server -= dropped;
        course.wrong = dropped; /* the clock does not know it */
        course_run(&course, 1.5);
        assert_in_range(course.margin * 100, 50, 400);
        double leapt = course.leaps;
        course_run(&course, 20);
        assert_near(course.leaps, leapt, 0.01);
        assert_near(leapt, dropped, 3);
        assert_in_range(course.margin * 100, 50, 300);
    }
}

static void a_way_that_is_longer_is_followed_by_one_leap(void **state)
{
    (void)state;
    struct course course;
    course_begin(&course, 2, 0);
    course_run(&course, 10);
    course.way = 22;
    course_run(&course, 4);
    assert_near(course.leaps, 20, 3);
    course_run(&course, 20);
    assert_near(course.leaps, 20, 3);
    assert_in_range(course.margin * 100, 50, 300);
}

/* Six ticks are slewed: no picture leaps for that little. */
static void a_little_is_slewed_by_5_percent(void **state)
{
    (void)state;
    struct course course;
    course_begin(&course, 5, 0);
    course_run(&course, 10);
    course.server -= 4;
    course_run(&course, 0.8);
    assert_near(course.pace.rate, 0.95, 1e-9);
    course_run(&course, 3);
    assert_true(course.leaps == 0);
    assert_in_range(course.margin * 100, 50, 300);
}

static void one_odd_report_changes_nothing(void **state)
{
    (void)state;
    struct course course;
    course_begin(&course, 5, 0);
    course_run(&course, 10);
    for (int i = 0; i < 10; i++) {
        uint64_t now_us = 1000000 + course.frame * (uint64_t)TICK_US;
        assert_false(fray_client_pace_report(&course.pace, i % 2 ? 60 : -60, now_us));
        course_run(&course, 1);
    }
    course_run(&course, 2);
    assert_true(course.leaps == 0);
    uint64_t now_us = 1000000 + course.frame * (uint64_t)TICK_US;
    assert_false(fray_client_pace_report(&course.pace, 60, now_us));
    assert_true(fray_client_pace_report(&course.pace, 59, now_us)); /* two: ask the clock */
}

static void without_reports_the_clock_rules(void **state)
{
    (void)state;
    struct fray_client_pace pace;
    fray_client_pace_init(&pace, HZ, 1);
    assert_true(fray_client_pace_advance(&pace, 0, 8, 2) == 11.5);
    assert_false(fray_client_pace_report(&pace, FRAY_PACKET_NO_MARGIN, 0));
    assert_true(fray_client_pace_advance(&pace, TICK_US, 98, 2) == 101.5); /* too far to slew */
    fray_client_pace_report(&pace, 1, TICK_US);
    fray_client_pace_report(&pace, 1, TICK_US);
    assert_true(fray_client_pace_advance(&pace, 2 * TICK_US, 199, 2) == 102.5); /* reports do */
    fray_client_pace_advance(&pace, 3000000, 350, 2);
    assert_true(pace.tick < 300);
    fray_client_pace_advance(&pace, 4000000, 400, 2); /* for three seconds */
    assert_true(pace.tick == 403.5);
}

static void inputs_that_wait_for_others_leave_earlier(void **state)
{
    (void)state;
    struct fray_client_pace pace;
    fray_client_pace_init(&pace, HZ, 4);
    assert_true(fray_client_pace_advance(&pace, 0, 8, 2) == 13.5);
}

/* What is reported then is about inputs that were held up. */
static void after_a_silence_reports_count_a_round_trip_later(void **state)
{
    (void)state;
    struct course course;
    course_begin(&course, 5, 0);
    course_run(&course, 10);
    uint64_t now_us = 1000000 + course.frame * (uint64_t)TICK_US;
    fray_client_pace_doubt(&course.pace, now_us, course.way);
    for (int i = 0; i < 10; i++)
        fray_client_pace_report(&course.pace, -120, now_us + 200 * MS);
    course_run(&course, 5);
    assert_true(course.leaps == 0);
}

/* ------------------------------------------------------------------ playback */

struct show {
    struct fray_client_playback playback;
    struct fray_rng rng;
    double jitter_ms, server_ms; /* server_ms: local time less the server's */
    unsigned interval_ms, late_ms, late_each;
    uint64_t now_ms;
    double most, least; /* pace of what is shown */
    unsigned frames, starved;
};

static void show_begin(struct show *show, unsigned interval_ms, bool is_stream)
{
    *show = (struct show){.interval_ms = interval_ms, .most = 1, .least = 1};
    fray_rng_init(&show->rng, 9);
    fray_client_playback_init(&show->playback, HZ, 1000 / interval_ms, is_stream);
}

/* Snapshots arrive 80 ms after they were made, and some late. */
static void show_run(struct show *show, unsigned ms)
{
    struct fray_client_playback *playback = &show->playback;
    static double due_ms[1 << 14];
    unsigned first = (unsigned)(show->now_ms / show->interval_ms), made = first;
    for (uint64_t until = show->now_ms + ms; show->now_ms < until; show->now_ms += 10) {
        for (; made * show->interval_ms <= show->now_ms; made++)
            due_ms[made] = made * show->interval_ms + 80 +
                           (double)fray_rng_below(&show->rng, 1000) / 1000 * show->jitter_ms +
                           (show->late_each && made % show->late_each == 0 ? show->late_ms : 0);
        for (unsigned i = first > 100 ? first - 100 : 0; i < made; i++)
            if (due_ms[i] > 0 && due_ms[i] <= (double)show->now_ms) {
                double tick = (i * show->interval_ms - show->server_ms) * HZ / 1000;
                fray_client_playback_arrived(playback, (uint32_t)tick, (uint64_t)(due_ms[i] * MS));
                due_ms[i] = 0;
            }
        double before = playback->tick;
        double tick = fray_client_playback_advance(playback, show->now_ms * MS);
        double pace = (tick - before) * TICK_US / (10 * MS);
        if (before <= 0)
            continue;
        show->most = pace > show->most ? pace : show->most;
        show->least = pace < show->least ? pace : show->least;
        show->frames++;
        show->starved += tick > playback->newest_tick;
    }
}

static void two_intervals_behind_three_on_datagrams(void **state)
{
    (void)state;
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        struct show show;
        show_begin(&show, 40, is_stream);
        assert_true(fray_client_playback_advance(&show.playback, 5000) == 0);
        show_run(&show, 5000);
        assert_near(show.playback.delay_us, is_stream ? 80e3 : 120e3, 1);
        double tick = fray_client_playback_advance(&show.playback, show.now_ms * MS);
        assert_near(tick, ((double)show.now_ms - 80 - (is_stream ? 80 : 120)) * HZ / 1000, 0.6);
        assert_int_equal(show.starved, 0);
    }
}

static void the_rate_is_told_by_what_arrives(void **state)
{
    (void)state;
    struct show show;
    show_begin(&show, 40, true);
    show_run(&show, 5000);
    show.interval_ms = 100;
    show_run(&show, 5000);
    assert_near(show.playback.delay_us, 200e3, 3e3);
    show.interval_ms = 40;
    show_run(&show, 5000);
    assert_near(show.playback.delay_us, 80e3, 3e3);
}

static void one_interval_and_the_jitter_33_to_250_ms(void **state)
{
    (void)state;
    struct show show;
    show_begin(&show, 40, true);
    show.late_ms = 90;
    show.late_each = 4;
    show_run(&show, 10000);
    assert_near(show.playback.delay_us, 143e3, 3e3); /* one of four is overtaken by two */
    show.late_each = 30;                             /* those are not waited for: 95 of 100 do */
    show_run(&show, 5000);
    for (int i = 0; i < 50; i++) {
        show_run(&show, 100);
        assert_true(show.playback.delay_us < 90e3);
    }
    show.late_each = 4;
    show.late_ms = 240; /* more would be another way */
    show_run(&show, 10000);
    assert_near(show.playback.delay_us, 250e3, 0);
    struct fray_client_playback fast;
    fray_client_playback_init(&fast, 120, 100, true);
    for (uint32_t i = 1; i < 100; i++)
        fray_client_playback_arrived(&fast, i, i * 8333);
    assert_near(fast.delay_us, 33e3, 0);
}

static void time_goes_on_within_2_percent(void **state)
{
    (void)state;
    struct show show;
    show_begin(&show, 50, true);
    show.jitter_ms = 60;
    show_run(&show, 3000);
    show.most = show.least = 1;
    show.frames = show.starved = 0;
    show_run(&show, 20000);
    assert_true(show.most > 1.001 && show.most <= 1.0201);
    assert_true(show.least < 0.999 && show.least >= 0.979);
    assert_true(show.starved * 100 < show.frames);
}

/* A little of the server's time is gone: it slows down, by a fifth at most, until there is
 * something newer to show; of much it leaps. */
static void time_that_was_dropped_is_not_shown_for_long(void **state)
{
    (void)state;
    for (int dropped_ms = 100; dropped_ms <= 1000; dropped_ms += 300) {
        struct show show;
        show_begin(&show, 50, true);
        show_run(&show, 5000);
        show.server_ms = dropped_ms;
        show_run(&show, (unsigned)dropped_ms); /* ticks that were seen come again here */
        show_run(&show, 1000);
        show.starved = 0;
        show_run(&show, 1000);
        assert_int_equal(show.starved, 0);
        assert_true(dropped_ms > 200 || (show.least < 0.85 && show.least >= 0.799));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_pings_at_first_then_one_every_two_seconds),
        cmocka_unit_test(the_median_does_not_follow_one_slow_answer),
        cmocka_unit_test(the_quicker_half_of_nine_decides),
        cmocka_unit_test(drifts_halves_takes_over),
        cmocka_unit_test(an_honest_answer_that_is_far_off_counts_alone),
        cmocka_unit_test(a_round_trip_that_has_changed_is_told_within_a_second),
        cmocka_unit_test(a_stall_of_the_network_tells_the_clock_nothing),
        cmocka_unit_test(before_the_start_there_is_a_way_and_no_time),
        cmocka_unit_test(what_cannot_be_is_no_answer),
        cmocka_unit_test(inputs_come_to_arrive_one_to_two_ticks_early),
        cmocka_unit_test(jitter_makes_it_lead_more),
        cmocka_unit_test(time_that_was_dropped_is_followed_by_one_leap),
        cmocka_unit_test(a_way_that_is_longer_is_followed_by_one_leap),
        cmocka_unit_test(a_little_is_slewed_by_5_percent),
        cmocka_unit_test(one_odd_report_changes_nothing),
        cmocka_unit_test(without_reports_the_clock_rules),
        cmocka_unit_test(inputs_that_wait_for_others_leave_earlier),
        cmocka_unit_test(after_a_silence_reports_count_a_round_trip_later),
        cmocka_unit_test(two_intervals_behind_three_on_datagrams),
        cmocka_unit_test(the_rate_is_told_by_what_arrives),
        cmocka_unit_test(one_interval_and_the_jitter_33_to_250_ms),
        cmocka_unit_test(time_goes_on_within_2_percent),
        cmocka_unit_test(time_that_was_dropped_is_not_shown_for_long),
    };
    return cmocka_run_group_tests_name("client timing", tests, NULL, NULL);
}
