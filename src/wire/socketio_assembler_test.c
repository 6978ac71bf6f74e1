#include "wire/socketio_assembler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define assert_slice(slice, string)                                                                \
    do {                                                                                           \
        struct fray_slice seen_ = (slice);                                                         \
        struct fray_slice want_ = FRAY_SLICE(string);                                              \
        assert_int_equal(seen_.len, want_.len);                                                    \
        assert_true(fray_slice_equal(seen_, want_));                                               \
    } while (0)

static const struct fray_socketio_limits limits = FRAY_SOCKETIO_LIMITS_DEFAULT;

static void a_text_packet_is_complete_at_once(void **unused)
{
    (void)unused;
    struct fray_socketio_assembler assembler = {0};
    struct fray_socketio_packet packet;
    struct fray_slice text = FRAY_SLICE("2[\"a\",1]");
    assert_int_equal(fray_socketio_assembler_text(&assembler, text, &limits, &packet), FRAY_OK);
    assert_ptr_equal(packet.data.data, text.data + 1);
    assert_null(assembler.pending);
}

/* The text and all attachments but the last come in memory that is gone when the last one comes. */
static void C02_binary_event_is_assembled(void **unused)
{
    (void)unused;
    struct fray_slice text = FRAY_SLICE("53-7[\"up\",{\"_placeholder\":true,\"num\":0},"
                                        "{\"_placeholder\":true,\"num\":2}]");
    struct fray_socketio_assembler assembler = {0};
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments;
    char *memory = fray_alloc(text.len);
    memcpy(memory, text.data, text.len);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, fray_slice(memory, text.len), &limits, &packet),
        FRAY_ERR_AGAIN);
    memset(memory, 'x', text.len);
    memcpy(memory, "\1\2\3", 3);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, fray_slice(memory, 3), &packet, &attachments),
        FRAY_ERR_AGAIN);
    free(memory);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, (struct fray_slice){0}, &packet, &attachments),
        FRAY_ERR_AGAIN);
    struct fray_slice last = FRAY_SLICE("\4\0");
    assert_int_equal(fray_socketio_assembler_binary(&assembler, last, &packet, &attachments),
                     FRAY_OK);
    assert_int_equal(packet.type, FRAY_SOCKETIO_BINARY_EVENT);
    assert_int_equal(packet.attachments, 3);
    assert_int_equal(packet.ack_id, 7);
    assert_slice(packet.namespace_name, "/");
    assert_slice(packet.event_name, "up");
    assert_slice(packet.event_json, "\"up\"");
    assert_slice(packet.args,
                 "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":2}");
    assert_slice(attachments[0], "\1\2\3");
    assert_int_equal(attachments[1].len, 0);
    assert_ptr_equal(attachments[2].data, last.data);
    assert_int_equal(attachments[2].len, 2);

    /* One more is one too many; a text begins the next packet, reset or not. */
    assert_int_equal(fray_socketio_assembler_binary(&assembler, last, &packet, &attachments),
                     FRAY_ERR_STATE);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("2[\"a\"]"), &limits, &packet),
        FRAY_OK);
    assert_null(assembler.pending);
}

static void a_namespace_and_an_ack_survive_the_wait(void **unused)
{
    (void)unused;
    char text[] = "61-/admin,1[{\"_placeholder\":true,\"num\":0}]";
    struct fray_socketio_assembler assembler = {0};
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments;
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, fray_slice_of(text), &limits, &packet),
        FRAY_ERR_AGAIN);
    memset(text, 0, sizeof text);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE("b"), &packet, &attachments),
        FRAY_OK);
    assert_int_equal(packet.type, FRAY_SOCKETIO_BINARY_ACK);
    assert_slice(packet.namespace_name, "/admin");
    assert_slice(packet.args, "{\"_placeholder\":true,\"num\":0}");
    assert_slice(attachments[0], "b");
    fray_socketio_assembler_reset(&assembler);
    assert_null(assembler.pending);
    fray_socketio_assembler_reset(&assembler);
}

static void messages_out_of_turn_are_refused(void **unused)
{
    (void)unused;
    struct fray_socketio_assembler assembler = {0};
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments;
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE("b"), &packet, &attachments),
        FRAY_ERR_STATE);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("51-[\"a\"]"), &limits, &packet),
        FRAY_ERR_AGAIN);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("2[\"a\"]"), &limits, &packet),
        FRAY_ERR_STATE);
    fray_socketio_assembler_reset(&assembler);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("2[\"a\"]"), &limits, &packet),
        FRAY_OK);
    assert_int_equal(fray_socketio_assembler_text(&assembler, FRAY_SLICE("2{}"), &limits, &packet),
                     FRAY_ERR_TYPE);
    assert_null(assembler.pending);
}

static void bytes_are_bounded(void **unused)
{
    (void)unused;
    struct fray_socketio_limits tight = {.attachments_max = 3, .depth_max = 4, .bytes_max = 12};
    struct fray_socketio_assembler assembler = {0};
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments;
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("2[\"12345678\"]"), &tight, &packet),
        FRAY_ERR_LIMIT);
    assert_int_equal(
        fray_socketio_assembler_text(&assembler, FRAY_SLICE("53-[\"a\"]"), &tight, &packet),
        FRAY_ERR_AGAIN);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE("abc"), &packet, &attachments),
        FRAY_ERR_AGAIN);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE("d"), &packet, &attachments),
        FRAY_ERR_AGAIN);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE("e"), &packet, &attachments),
        FRAY_ERR_LIMIT);
    assert_int_equal(
        fray_socketio_assembler_binary(&assembler, FRAY_SLICE(""), &packet, &attachments), FRAY_OK);
    assert_slice(attachments[0], "abc");
    assert_slice(attachments[1], "d");
    fray_socketio_assembler_reset(&assembler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_packet_is_complete_at_once),
        cmocka_unit_test(C02_binary_event_is_assembled),
        cmocka_unit_test(a_namespace_and_an_ack_survive_the_wait),
        cmocka_unit_test(messages_out_of_turn_are_refused),
        cmocka_unit_test(bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
