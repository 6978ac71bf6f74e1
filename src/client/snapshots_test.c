#include "client/snapshots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "duel/duel.h"

enum { SEQS = 256, PACKET = 4096 };

/* What a server sends: view `seq` has its player at x = seq. */
struct course {
    struct fray_client_snapshots snapshots;
    struct fray_packet_snapshot packet;
    char *states;
    struct duel_state views[2]; /* base and new */
};

static void begin(struct course *course)
{
    memset(course, 0, sizeof *course);
    course->states = fray_alloc_zero(FRAY_CLIENT_VIEWS * sizeof(struct duel_state));
    fray_client_snapshots_init(&course->snapshots, &fray_duel, course->states);
}

static void make(struct duel_state *view, uint16_t seq)
{
    memset(view, 0, sizeof *view);
    view->match.tick = seq;
    view->players[0].present = 1;
    view->players[0].x = seq;
}

static size_t encode(struct course *course, uint16_t seq, uint16_t base_seq, uint8_t *bytes)
{
    static struct fray_packet_snapshot packet;
    bool is_full = seq == base_seq;
    make(&course->views[0], base_seq);
    make(&course->views[1], seq);
    packet = (struct fray_packet_snapshot){.seq = seq, .base_seq = base_seq, .tick = seq};
    return fray_packet_snapshot_encode(&fray_duel, 0, is_full ? NULL : &course->views[0],
                                       &course->views[1], &packet, bytes, PACKET);
}

static enum fray_client_snapshot_fate come(struct course *course, uint16_t seq, uint16_t base_seq)
{
    uint8_t bytes[PACKET];
    size_t len = encode(course, seq, base_seq, bytes);
    return fray_client_snapshots_receive(&course->snapshots, 0, &course->packet, bytes, len);
}

static int32_t newest_x(const struct course *course)
{
    const struct fray_client_snapshots *snapshots = &course->snapshots;
    const struct duel_state *state =
        (const void *)fray_client_snapshots_state(snapshots, snapshots->newest);
    return state->players[0].x;
}

static void end(struct course *course)
{
    free(course->states);
}

static void decodes_against_what_came(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    assert_int_equal(come(&course, 1, 1), FRAY_CLIENT_SNAPSHOT_TAKEN);
    for (uint16_t seq = 2; seq < 200; seq++) {
        uint16_t base = seq > 31 ? (uint16_t)(seq - 31) : 1; /* as far back as may be */
        assert_int_equal(come(&course, seq, base), FRAY_CLIENT_SNAPSHOT_TAKEN);
        assert_int_equal(newest_x(&course), seq);
        assert_int_equal(course.snapshots.ack, seq);
    }
    assert_int_equal(course.snapshots.ack_bits, UINT32_MAX);
    assert_int_equal(course.snapshots.received, 199);
    assert_int_equal(course.snapshots.missed, 0);
    end(&course);
}

static void acknowledges_what_came_and_counts_what_did_not(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    come(&course, 10, 10);
    come(&course, 13, 13);
    assert_int_equal(course.snapshots.ack, 13);
    assert_int_equal(course.snapshots.ack_bits, 4);
    assert_int_equal(course.snapshots.missed, 2);
    come(&course, 12, 12); /* overtaken */
    assert_int_equal(course.snapshots.ack, 13);
    assert_int_equal(course.snapshots.ack_bits, 5);
    assert_int_equal(course.snapshots.missed, 1);
    assert_int_equal(newest_x(&course), 13);
    come(&course, 60, 60);
    assert_int_equal(course.snapshots.ack_bits, 0);
    end(&course);
}

static void sequence_numbers_skip_0(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    come(&course, 65534, 65534);
    come(&course, 65535, 65534);
    uint8_t bytes[PACKET];
    size_t len = encode(&course, 2, 65535, bytes);
    fray_client_snapshots_receive(&course.snapshots, 0, &course.packet, bytes, len);
    assert_int_equal(course.snapshots.ack, 2);
    assert_int_equal(course.snapshots.ack_bits, 6); /* 1 is missing */
    assert_int_equal(course.snapshots.missed, 1);
    end(&course);
}

static void without_its_baseline_it_says_so_until_anything_decodes(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    assert_int_equal(come(&course, 5, 4), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_true(course.snapshots.needs_full);
    assert_int_equal(course.snapshots.ack, 0);
    come(&course, 6, 6);
    assert_false(course.snapshots.needs_full);
    assert_int_equal(come(&course, 9, 8), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_true(course.snapshots.needs_full);
    assert_int_equal(come(&course, 10, 6), FRAY_CLIENT_SNAPSHOT_TAKEN); /* no full one */
    assert_false(course.snapshots.needs_full);
    assert_int_equal(come(&course, 42, 10), FRAY_CLIENT_SNAPSHOT_USELESS); /* takes its place */
    end(&course);
}

static void what_is_old_is_left_out(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    for (uint16_t seq = 1; seq <= 100; seq++)
        come(&course, seq, seq);
    /* A complete one would take the place of 95. */
    assert_int_equal(come(&course, 63, 63), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_int_equal(course.snapshots.views[95 % FRAY_CLIENT_VIEWS].seq, 95);
    /* Overtaken, and its baseline is gone: no reason to ask for anything. */
    come(&course, 102, 102);
    assert_int_equal(come(&course, 101, 40), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_false(course.snapshots.needs_full);
    /* Twice. */
    uint64_t received = course.snapshots.received;
    assert_int_equal(come(&course, 102, 102), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_int_equal(come(&course, 99, 99), FRAY_CLIENT_SNAPSHOT_USELESS);
    assert_int_equal(course.snapshots.received, received);
    assert_int_equal(newest_x(&course), 102);
    end(&course);
}

static void after_a_restart_all_is_new_and_the_old_is_there_to_be_seen(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    for (uint16_t seq = 500; seq < 510; seq++)
        come(&course, seq, seq);
    fray_client_snapshots_restart(&course.snapshots);
    assert_int_equal(newest_x(&course), 509);
    assert_int_equal(course.snapshots.ack, 0);
    assert_int_equal(course.snapshots.ack_bits, 0);
    assert_int_equal(come(&course, 510, 509), FRAY_CLIENT_SNAPSHOT_USELESS); /* none to build on */
    assert_int_equal(come(&course, 1, 1), FRAY_CLIENT_SNAPSHOT_TAKEN);
    assert_int_equal(newest_x(&course), 1); /* though its tick is less */
    assert_int_equal(fray_client_snapshots_after(&course.snapshots, 1), -1);
    assert_int_equal(course.snapshots.ack, 1);
    end(&course);
}

static void finds_the_views_around_a_tick(void **state)
{
    (void)state;
    struct course course;
    begin(&course);
    for (uint16_t seq = 10; seq <= 100; seq = (uint16_t)(seq + 10))
        come(&course, seq, seq);
    const struct fray_client_snapshots *snapshots = &course.snapshots;
    assert_int_equal(snapshots->views[fray_client_snapshots_before(snapshots, 55.5)].tick, 50);
    assert_int_equal(snapshots->views[fray_client_snapshots_before(snapshots, 60)].tick, 60);
    assert_int_equal(snapshots->views[fray_client_snapshots_after(snapshots, 60)].tick, 70);
    assert_int_equal(fray_client_snapshots_before(snapshots, 5), -1);
    assert_int_equal(fray_client_snapshots_after(snapshots, 100), -1);
    end(&course);
}

static void what_is_malformed_spoils_nothing(void **state)
{
    (void)state;
    struct course course;
    uint8_t bytes[PACKET];
    begin(&course);
    come(&course, 1, 1);
    size_t len = encode(&course, 2, 1, bytes);
    bytes[len - 1] ^= 0xff;
    assert_int_equal(
        fray_client_snapshots_receive(&course.snapshots, 0, &course.packet, bytes, len - 1),
        FRAY_CLIENT_SNAPSHOT_MALFORMED);
    assert_true(course.snapshots.needs_full);
    assert_int_equal(newest_x(&course), 1);
    assert_int_equal(fray_client_snapshots_receive(&course.snapshots, 0, &course.packet, bytes, 3),
                     FRAY_CLIENT_SNAPSHOT_MALFORMED);
    assert_int_equal(come(&course, 3, 1), FRAY_CLIENT_SNAPSHOT_TAKEN);
    end(&course);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_against_what_came),
        cmocka_unit_test(acknowledges_what_came_and_counts_what_did_not),
        cmocka_unit_test(sequence_numbers_skip_0),
        cmocka_unit_test(without_its_baseline_it_says_so_until_anything_decodes),
        cmocka_unit_test(what_is_old_is_left_out),
        cmocka_unit_test(after_a_restart_all_is_new_and_the_old_is_there_to_be_seen),
        cmocka_unit_test(finds_the_views_around_a_tick),
        cmocka_unit_test(what_is_malformed_spoils_nothing),
    };
    return cmocka_run_group_tests_name("client snapshots", tests, NULL, NULL);
}
