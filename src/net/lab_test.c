/* Expected values follow from the model in lab.h; chances are checked against bounds that a right
 * generator misses for none of these seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/lab.h"

enum { MANY = 20000, MS = 1000 };

static struct fray_lab_path path_of(uint64_t seed)
{
    struct fray_lab_path path;
    fray_lab_path_init(&path, seed);
    return path;
}

static void a_perfect_network_delivers_at_once(void **state)
{
    (void)state;
    const struct fray_lab_settings off = {0};
    struct fray_lab_path path = path_of(1);
    uint64_t due_us[2];
    assert_false(fray_lab_is_on(&off));
    assert_int_equal(fray_lab_segment(&path, &off, 5, 1448), 5);
    assert_int_equal(fray_lab_datagram(&path, &off, 7, 100, due_us), 1);
    assert_int_equal(due_us[0], 7);
}

static void delay_and_jitter_are_within_bounds_and_keep_order(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {.delay_ms = 50, .jitter_ms = 40};
    struct fray_lab_path path = path_of(2);
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t now_us = i * 100 * MS; /* far apart: nothing waits for its predecessor */
        uint64_t took = fray_lab_segment(&path, &settings, now_us, 100) - now_us;
        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    assert_in_range(least, 50 * MS, 51 * MS);
    assert_in_range(most, 89 * MS, 90 * MS);
    for (uint64_t i = 0, last = 0; i < MANY; i++) {
        uint64_t due_us = fray_lab_segment(&path, &settings, MANY * 100 * MS + i * MS, 100);
        assert_true(due_us >= last);
        last = due_us;
    }
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {
        .delay_ms = 10, .jitter_ms = 30, .loss_percent = 20, .rate_kbps = 9000};
    struct fray_lab_path one = path_of(3), same = path_of(3), other = path_of(4);
    bool differs = false;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t due_us = fray_lab_segment(&one, &settings, i * MS, 700);
        assert_int_equal(fray_lab_segment(&same, &settings, i * MS, 700), due_us);
        differs |= fray_lab_segment(&other, &settings, i * MS, 700) != due_us;
    }
    assert_true(differs);
}

/* A loss on a stream is a stall of a round trip and 200 ms, doubled each time; nothing behind it
 * arrives before it. */
static void a_lost_segment_stalls_what_is_behind_it(void **state)
{
    (void)state;
    const struct fray_lab_settings lossy = {.delay_ms = 30, .loss_percent = 10},
                                   calm = {.delay_ms = 30};
    struct fray_lab_path path = path_of(5);
    unsigned late = 0, twice = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t now_us = i * 100000 * MS;
        uint64_t took = fray_lab_segment(&path, &lossy, now_us, 1448) - now_us;
        assert_int_equal((took - 30 * MS) % (260 * MS), 0);
        late += took > 30 * MS;
        twice += took > 290 * MS;
        if (took > 30 * MS)
            assert_int_equal(fray_lab_segment(&path, &calm, now_us + MS, 1), now_us + took);
    }
    assert_in_range(late, MANY / 10 * 9 / 10, MANY / 10 * 11 / 10);
    assert_in_range(twice, MANY / 100 * 7 / 10, MANY / 100 * 13 / 10);
    /* Even where everything is lost, a segment gets through: after 1 + 2 + … + 32 timeouts. */
    const struct fray_lab_settings dead = {.loss_percent = 100};
    path = path_of(6);
    assert_int_equal(fray_lab_segment(&path, &dead, 0, 1), 63 * 200 * MS);
}

static void a_line_sends_at_its_rate(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {.delay_ms = 5, .rate_kbps = 800}; /* 100 kB/s */
    struct fray_lab_path path = path_of(7);
    assert_int_equal(fray_lab_segment(&path, &settings, 0, 1000), 15 * MS);
    assert_int_equal(fray_lab_segment(&path, &settings, 0, 1000), 25 * MS);
    assert_int_equal(fray_lab_segment(&path, &settings, 12 * MS, 1000), 35 * MS);
    assert_int_equal(fray_lab_segment(&path, &settings, 900 * MS, 1000),
                     915 * MS); /* it was idle */
}

static void datagrams_are_lost_doubled_and_overtaken(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {.delay_ms = 20,
                                               .jitter_ms = 10,
                                               .loss_percent = 30,
                                               .duplicate_percent = 10,
                                               .reorder_percent = 5};
    struct fray_lab_path path = path_of(8);
    unsigned arrived[3] = {0}, overtaken = 0;
    uint64_t last = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t now_us = i * 20 * MS, due_us[2];
        unsigned copies = fray_lab_datagram(&path, &settings, now_us, 100, due_us);
        assert_in_range(copies, 0, 2);
        arrived[copies]++;
        for (unsigned c = 0; c < copies; c++) {
            assert_in_range(due_us[c] - now_us, 20 * MS, 90 * MS);
            bool is_held = due_us[c] - now_us >= FRAY_LAB_HOLD_MS * MS;
            overtaken += is_held;
            if (!is_held) {
                assert_true(due_us[c] >= last);
                last = due_us[c];
            }
        }
    }
    assert_in_range(arrived[0], MANY * 28 / 100, MANY * 32 / 100);
    assert_in_range(arrived[2], MANY * 6 / 100, MANY * 8 / 100);
    assert_in_range(overtaken, MANY * 3 / 100, MANY * 5 / 100);
}

static void a_line_that_is_full_drops_datagrams(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {.rate_kbps = 8}; /* 1 kB/s */
    struct fray_lab_path path = path_of(9);
    unsigned arrived = 0;
    uint64_t due_us[2];
    for (unsigned i = 0; i < 100; i++)
        arrived += fray_lab_datagram(&path, &settings, 0, 100, due_us);
    assert_int_equal(arrived, 6); /* until more than half a second waits */
    assert_int_equal(fray_lab_datagram(&path, &settings, 600 * MS, 100, due_us), 1);
    assert_int_equal(due_us[0], 700 * MS);
}

static void messages_as_datagrams_leave_the_stream_without_loss(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {
        .delay_ms = 9, .loss_percent = 100, .datagrams = true};
    struct fray_lab_path path = path_of(10);
    uint64_t due_us[2];
    assert_int_equal(fray_lab_segment(&path, &settings, 0, 100), 9 * MS);
    assert_int_equal(fray_lab_datagram(&path, &settings, 0, 100, due_us), 0);
}

/* Random sends and takes: what comes out is what went in, in order, never early, never more than
 * the window. */
static void a_pipe_keeps_every_byte_in_order(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {
        .delay_ms = 20, .jitter_ms = 50, .loss_percent = 5, .rate_kbps = 80000};
    struct fray_lab_pipe pipe = {.path = path_of(11)};
    struct fray_rng rng;
    fray_rng_init(&rng, 12);
    static char bytes[60000];
    uint8_t in = 0, out = 0;
    uint64_t now_us = 0, sent = 0, taken = 0, waited = 0;
    while (sent < 20000000 || !fray_lab_pipe_is_empty(&pipe)) {
        size_t len = sent < 20000000 ? (size_t)fray_rng_below(&rng, sizeof bytes + 1) : 0;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(uint8_t)(in + i);
        size_t room = fray_lab_pipe_room(&pipe);
        size_t took = fray_lab_pipe_send(&pipe, &settings, now_us, fray_slice(bytes, len));
        assert_true(took == len || took >= room);
        waited += took < len;
        in = (uint8_t)(in + took);
        sent += took;
        assert_true(sent - taken <= FRAY_LAB_WINDOW);
        struct fray_slice arrived = fray_lab_pipe_arrived(&pipe, now_us);
        size_t take = (size_t)fray_rng_below(&rng, arrived.len + 1);
        for (size_t i = 0; i < take; i++)
            assert_int_equal((uint8_t)arrived.data[i], out++);
        fray_lab_pipe_consume(&pipe, take);
        taken += take;
        if (take == arrived.len && fray_lab_pipe_next_us(&pipe) != UINT64_MAX)
            assert_true(fray_lab_pipe_next_us(&pipe) > now_us);
        now_us += fray_rng_below(&rng, 10 * MS);
    }
    assert_int_equal(sent, taken);
    assert_true(waited > 0);
    assert_null(pipe.bytes.data);
    assert_null(pipe.segments);
}

static void a_pipe_bounds_small_segments(void **state)
{
    (void)state;
    const struct fray_lab_settings settings = {.delay_ms = 1000};
    struct fray_lab_pipe pipe = {.path = path_of(13)};
    uint64_t sent = 0;
    for (uint64_t i = 0; i < 2 * FRAY_LAB_SEGMENTS_MAX; i++)
        sent += fray_lab_pipe_send(&pipe, &settings, i, FRAY_SLICE("x"));
    assert_int_equal(sent, FRAY_LAB_SEGMENTS_MAX);
    assert_int_equal(fray_lab_pipe_room(&pipe), 0);
    assert_int_equal(fray_lab_pipe_arrived(&pipe, 1000 * MS + 9).len, 10);
    fray_lab_pipe_deinit(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_perfect_network_delivers_at_once),
        cmocka_unit_test(delay_and_jitter_are_within_bounds_and_keep_order),
        cmocka_unit_test(a_seed_decides_everything),
        cmocka_unit_test(a_lost_segment_stalls_what_is_behind_it),
        cmocka_unit_test(a_line_sends_at_its_rate),
        cmocka_unit_test(datagrams_are_lost_doubled_and_overtaken),
        cmocka_unit_test(a_line_that_is_full_drops_datagrams),
        cmocka_unit_test(messages_as_datagrams_leave_the_stream_without_loss),
        cmocka_unit_test(a_pipe_keeps_every_byte_in_order),
        cmocka_unit_test(a_pipe_bounds_small_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
