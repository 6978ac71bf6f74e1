#include "broker/qos_outgoing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct message {
    int refs;
    unsigned number;
};

static void ref(void *message)
{
    ((struct message *)message)->refs++;
}

static void unref(void *message)
{
    assert_true(((struct message *)message)->refs > 0);
    ((struct message *)message)->refs--;
}

static struct fray_cells cells;
static const struct fray_qos_config config = {.cells = &cells,
                                              .ops = {ref, unref},
                                              .pending_max = 100,
                                              .pending_bytes_max = 1000,
                                              .inflight_max = 50};

static enum fray_err push(struct fray_qos_outgoing *out, struct message *message, uint8_t qos)
{
    struct fray_qos_message item = {.message = message, .bytes = 10, .qos = qos};
    return fray_qos_outgoing_push(out, &item);
}

static void expect_publish(struct fray_qos_outgoing *out, uint16_t packet_id,
                           const struct message *message, bool dup)
{
    struct fray_qos_send send;
    assert_int_equal(fray_qos_outgoing_next(out, 1, &send), FRAY_OK);
    assert_false(send.release);
    assert_int_equal(send.packet_id, packet_id);
    assert_ptr_equal(send.message.message, message);
    assert_int_equal(send.dup, dup);
}

static void expect_release(struct fray_qos_outgoing *out, uint16_t packet_id)
{
    struct fray_qos_send send;
    assert_int_equal(fray_qos_outgoing_next(out, 1, &send), FRAY_OK);
    assert_true(send.release);
    assert_false(send.dup);
    assert_int_equal(send.packet_id, packet_id);
}

static void expect_nothing(struct fray_qos_outgoing *out, enum fray_err err)
{
    struct fray_qos_send send;
    assert_int_equal(fray_qos_outgoing_next(out, 1, &send), err);
}

static void qos_1_is_done_at_puback(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message message = {0};
    fray_qos_outgoing_init(&out, &config);
    assert_int_equal(push(&out, &message, 1), FRAY_OK);
    expect_nothing(&out, FRAY_ERR_AGAIN); /* nobody is connected */
    fray_qos_outgoing_connect(&out, 10);
    expect_publish(&out, 1, &message, false);
    expect_nothing(&out, FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 1), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_puback(&out, 2), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_qos_outgoing_puback(&out, 0), FRAY_ERR_NOT_FOUND);
    assert_int_equal(message.refs, 1);
    assert_int_equal(fray_qos_outgoing_puback(&out, 1), FRAY_OK);
    assert_int_equal(fray_qos_outgoing_puback(&out, 1), FRAY_ERR_NOT_FOUND);
    assert_int_equal(message.refs, 0);
    assert_null(out.inflight); /* an idle session holds nothing */
    assert_null(out.pending);
    fray_qos_outgoing_deinit(&out);
}

static void qos_2_is_done_at_pubcomp(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message message = {0};
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 10);
    assert_int_equal(push(&out, &message, 2), FRAY_OK);
    expect_publish(&out, 1, &message, false);
    assert_int_equal(fray_qos_outgoing_puback(&out, 1), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 1), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_OK);
    assert_int_equal(message.refs, 0);                                   /* let go: 4.3.3 */
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_OK); /* said again */
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, true), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_puback(&out, 1), FRAY_ERR_STATE);
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 1), FRAY_OK);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_ERR_NOT_FOUND);
    /* A failing PUBREC ends it. */
    assert_int_equal(push(&out, &message, 2), FRAY_OK);
    expect_publish(&out, 2, &message, false);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 2, true), FRAY_OK);
    assert_int_equal(message.refs, 0);
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 2), FRAY_ERR_NOT_FOUND);
    fray_qos_outgoing_deinit(&out);
}

/* 4.9: the quota falls with PUBLISH and rises with PUBACK, PUBCOMP and a failing PUBREC. */
static void the_receive_maximum_is_kept(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message messages[6] = {0};
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 2);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(push(&out, &messages[i], i < 2 ? 2 : 1), FRAY_OK);
    expect_publish(&out, 1, &messages[0], false);
    expect_publish(&out, 2, &messages[1], false);
    expect_nothing(&out, FRAY_ERR_AGAIN);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_OK);
    expect_nothing(&out, FRAY_ERR_AGAIN); /* PUBREC gives nothing back */
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 1), FRAY_OK);
    expect_publish(&out, 3, &messages[2], false);
    expect_nothing(&out, FRAY_ERR_AGAIN);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 2, true), FRAY_OK);
    expect_publish(&out, 4, &messages[3], false);
    fray_qos_outgoing_skip(&out, 4); /* too large for the client: as if it was done */
    assert_int_equal(messages[3].refs, 0);
    expect_publish(&out, 5, &messages[4], false);
    expect_nothing(&out, FRAY_ERR_AGAIN);
    fray_qos_outgoing_deinit(&out);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(messages[i].refs, 0);
}

/* 4.4, 4.6: PUBRELs in the order of PUBRECs, then PUBLISHes in their order, then what is new. */
static void a_reconnect_sends_again_in_order(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message messages[7] = {0};
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 65535);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(push(&out, &messages[i], i % 2 ? 1 : 2), FRAY_OK);
        expect_publish(&out, (uint16_t)(i + 1), &messages[i], false);
    }
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 5, false), FRAY_OK);
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 1, false), FRAY_OK);
    assert_int_equal(fray_qos_outgoing_puback(&out, 4), FRAY_OK);
    assert_int_equal(push(&out, &messages[6], 1), FRAY_OK);

    fray_qos_outgoing_connect(&out, 2); /* and the client takes fewer now */
    expect_release(&out, 5);
    expect_release(&out, 1);
    expect_publish(&out, 2, &messages[1], true);
    expect_publish(&out, 3, &messages[2], true);
    expect_nothing(&out, FRAY_ERR_AGAIN);
    /* An answer from the earlier connection's PUBLISH frees no quota of this one. */
    assert_int_equal(fray_qos_outgoing_puback(&out, 6), FRAY_OK);
    expect_nothing(&out, FRAY_ERR_AGAIN);
    assert_int_equal(fray_qos_outgoing_puback(&out, 2), FRAY_OK);
    expect_publish(&out, 7, &messages[6], false);
    expect_nothing(&out, FRAY_ERR_NOT_FOUND);

    fray_qos_outgoing_connect(&out, 10);
    /* A PUBREC before its turn came: its PUBREL is the answer, and not sent a second time. */
    assert_int_equal(fray_qos_outgoing_pubrec(&out, 3, false), FRAY_OK);
    expect_release(&out, 5);
    assert_int_equal(fray_qos_outgoing_pubcomp(&out, 1), FRAY_OK); /* under the cursor */
    expect_publish(&out, 7, &messages[6], true);
    expect_nothing(&out, FRAY_ERR_NOT_FOUND);
    fray_qos_outgoing_deinit(&out);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(messages[i].refs, 0);
}

static void pending_is_bounded_and_refuses_the_newest(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct fray_qos_config small = config;
    small.pending_max = 3;
    small.pending_bytes_max = 25;
    struct message messages[4] = {0};
    fray_qos_outgoing_init(&out, &small);
    assert_int_equal(push(&out, &messages[0], 1), FRAY_OK);
    assert_int_equal(push(&out, &messages[1], 1), FRAY_OK);
    assert_int_equal(push(&out, &messages[2], 1), FRAY_ERR_LIMIT); /* bytes */
    small.pending_bytes_max = 1000;
    assert_int_equal(push(&out, &messages[2], 1), FRAY_OK);
    assert_int_equal(push(&out, &messages[3], 1), FRAY_ERR_LIMIT); /* count */
    assert_int_equal(messages[3].refs, 0);
    assert_int_equal(out.refused, 2);
    fray_qos_outgoing_connect(&out, 10);
    expect_publish(&out, 1, &messages[0], false);
    assert_int_equal(push(&out, &messages[3], 1), FRAY_OK); /* what is in flight does not count */
    fray_qos_outgoing_deinit(&out);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(messages[i].refs, 0);
}

static void pending_messages_expire_and_those_in_flight_do_not(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message messages[3] = {0};
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 10);
    struct fray_qos_send send;
    for (unsigned i = 0; i < 3; i++) {
        struct fray_qos_message item = {
            .message = &messages[i], .qos = 1, .expires_us = i == 2 ? 0 : 100};
        assert_int_equal(fray_qos_outgoing_push(&out, &item), FRAY_OK);
        if (i == 0)
            assert_int_equal(fray_qos_outgoing_next(&out, 99, &send), FRAY_OK);
    }
    assert_int_equal(fray_qos_outgoing_next(&out, 100, &send), FRAY_OK);
    assert_ptr_equal(send.message.message, &messages[2]);
    assert_int_equal(out.expired, 1);
    assert_int_equal(messages[1].refs, 0);
    fray_qos_outgoing_connect(&out, 10);
    assert_int_equal(fray_qos_outgoing_next(&out, 200, &send), FRAY_OK);
    assert_ptr_equal(send.message.message, &messages[0]);
    fray_qos_outgoing_deinit(&out);
}

/* Ids count up, skip what is in flight and 0, and every window size works. */
static void packet_ids_are_unique_around_the_wrap(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct message stuck = {0}, message = {0};
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 10);
    assert_int_equal(push(&out, &stuck, 1), FRAY_OK);
    expect_publish(&out, 1, &stuck, false);
    struct fray_qos_send send;
    for (unsigned i = 0; i < 140000; i++) {
        assert_int_equal(push(&out, &message, 1), FRAY_OK);
        assert_int_equal(fray_qos_outgoing_next(&out, 1, &send), FRAY_OK);
        assert_true(send.packet_id > 1);
        assert_int_equal(fray_qos_outgoing_puback(&out, send.packet_id), FRAY_OK);
    }
    assert_int_equal(fray_qos_outgoing_puback(&out, 1), FRAY_OK);
    fray_qos_outgoing_deinit(&out);
}

static void the_largest_window_uses_every_packet_id(void **unused)
{
    (void)unused;
    struct fray_qos_outgoing out;
    struct fray_qos_config large = config;
    large.inflight_max = 65535;
    large.pending_max = 70000;
    large.pending_bytes_max = 1000000;
    struct message message = {0};
    fray_qos_outgoing_init(&out, &large);
    fray_qos_outgoing_connect(&out, 65535);
    for (unsigned i = 0; i < 65536; i++)
        assert_int_equal(push(&out, &message, 1), FRAY_OK);
    unsigned char *seen = calloc(65536, 1);
    for (unsigned i = 0; i < 65535; i++) {
        struct fray_qos_send send;
        assert_int_equal(fray_qos_outgoing_next(&out, 1, &send), FRAY_OK);
        assert_true(send.packet_id && !seen[send.packet_id]);
        seen[send.packet_id] = 1;
    }
    expect_nothing(&out, FRAY_ERR_AGAIN);
    free(seen);
    fray_qos_outgoing_deinit(&out);
    assert_int_equal(message.refs, 0);
}

/* Random answers, right and wrong, and reconnects: each message goes through once, in order. */
static void a_random_client_gets_everything_in_order(void **unused)
{
    (void)unused;
    enum { COUNT = 3000 };
    struct message *messages = calloc(COUNT, sizeof *messages);
    struct fray_qos_outgoing out;
    fray_qos_outgoing_init(&out, &config);
    fray_qos_outgoing_connect(&out, 7);
    uint64_t random = 12345;
    unsigned pushed = 0, first_sent = 0, done = 0;
    for (unsigned step = 0; step < 200000 && done < COUNT; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t r = (uint32_t)(random >> 33);
        struct fray_qos_send send;
        const uint16_t ids[] = {(uint16_t)(out.last_packet_id - r / 4 % 9), out.publishes[0],
                                out.releases[0], (uint16_t)r};
        uint16_t id = ids[r % 4];
        uint32_t before = out.inflight_count;
        switch (r / 16 % 6) {
        case 0:
            if (pushed < COUNT && push(&out, &messages[pushed], r & 1024 ? 1 : 2) == FRAY_OK)
                messages[pushed].number = pushed, pushed++;
            break;
        case 1:
            if (fray_qos_outgoing_next(&out, 1, &send) == FRAY_OK && !send.release && !send.dup) {
                struct message *message = send.message.message;
                assert_int_equal(message->number, first_sent);
                first_sent++;
            }
            break;
        case 2: done += fray_qos_outgoing_puback(&out, id) == FRAY_OK; break;
        case 3:
            if (fray_qos_outgoing_pubrec(&out, id, r % 31 == 0) == FRAY_OK)
                done += out.inflight_count < before;
            break;
        case 4: done += fray_qos_outgoing_pubcomp(&out, id) == FRAY_OK; break;
        default:
            if (r % 29 == 0)
                fray_qos_outgoing_connect(&out, (uint16_t)(1 + r % 12));
        }
    }
    assert_int_equal(done, COUNT);
    assert_int_equal(first_sent, COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(messages[i].refs, 0);
    fray_qos_outgoing_deinit(&out);
    free(messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qos_1_is_done_at_puback),
        cmocka_unit_test(qos_2_is_done_at_pubcomp),
        cmocka_unit_test(the_receive_maximum_is_kept),
        cmocka_unit_test(a_reconnect_sends_again_in_order),
        cmocka_unit_test(pending_is_bounded_and_refuses_the_newest),
        cmocka_unit_test(pending_messages_expire_and_those_in_flight_do_not),
        cmocka_unit_test(packet_ids_are_unique_around_the_wrap),
        cmocka_unit_test(the_largest_window_uses_every_packet_id),
        cmocka_unit_test(a_random_client_gets_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
