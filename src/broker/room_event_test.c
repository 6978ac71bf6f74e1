#include "broker/room_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_topic(const char *nsp, const char *room, const char *event, const char *expected)
{
    struct fray_buf topic = {0}, text = {0};
    struct fray_room_topic parts;
    assert_int_equal(fray_room_topic_encode(&topic, nsp, fray_slice_of(room), fray_slice_of(event)),
                     0);
    assert_int_equal(topic.len, strlen(expected));
    assert_memory_equal(topic.data, expected, topic.len);
    assert_int_equal(fray_room_topic_decode(fray_buf_slice(&topic), &text, &parts), 0);
    assert_string_equal(parts.nsp, nsp);
    assert_string_equal(parts.event, event);
    if (*room)
        assert_string_equal(parts.room, room);
    else
        assert_null(parts.room);
    fray_buf_deinit(&topic);
    fray_buf_deinit(&text);
}

static void rooms_have_topics_and_topics_rooms(void **state)
{
    (void)state;
    check_topic("/", "lobby", "chat", "fray/-/lobby/chat");
    check_topic("/", "", "chat", "fray/-/-/chat");
    check_topic("/game", "a", "move", "fray/game/a/move");
    check_topic("/a/b", "x/y", "e/f", "fray/a%2Fb/x%2Fy/e/f");
    check_topic("/-", "-", "-", "fray/%2D/%2D/-");
    check_topic("/", "50%+#", "e#", "fray/-/50%25%2B%23/e%23");
}

static void other_topics_are_of_no_room(void **state)
{
    (void)state;
    static const char *const topics[] = {
        "fray",          "fray/-",       "fray/-/lobby",    "fray/-/lobby/",
        "fray//lobby/e", "fray/-//e",    "fray2/-/lobby/e", "fray/-/lobby/connect",
        "fray/%zz/a/e",  "fray/-/%00/e", "fray/-/%FF/e",
    };
    struct fray_buf text = {0};
    struct fray_room_topic parts;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        assert_int_equal(fray_room_topic_decode(fray_slice_of(topics[i]), &text, &parts),
                         FRAY_ERR_TYPE);
    fray_buf_deinit(&text);
}

static void what_mqtt_cannot_name_has_no_topic(void **state)
{
    (void)state;
    struct fray_buf topic = {0};
    assert_int_equal(
        fray_room_topic_encode(&topic, "/", FRAY_SLICE("a"), FRAY_SLICE("nul\0inside")),
        FRAY_ERR_SYNTAX);
    assert_int_equal(fray_room_topic_encode(&topic, "/", FRAY_SLICE("\xff"), FRAY_SLICE("e")),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(fray_room_topic_encode(&topic, "/", FRAY_SLICE("a"), FRAY_SLICE("")),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(topic.len, 0);
    fray_buf_deinit(&topic);
}

static struct fray_message *decode(struct fray_slice payload)
{
    static const struct fray_room_topic topic = {.nsp = "/", .room = "r", .event = "e"};
    return fray_room_payload_decode(&topic, payload, 16);
}

static void check_args(struct fray_slice payload, const char *expected, size_t attachments)
{
    struct fray_message *message = decode(payload);
    assert_int_equal(message->body.len, strlen(expected));
    assert_memory_equal(message->body.data, expected, message->body.len);
    assert_int_equal(message->attachments_count, attachments);
    fray_message_unref(message);
}

static void payloads_become_arguments(void **state)
{
    (void)state;
    check_args(FRAY_SLICE(""), "", 0);
    check_args(FRAY_SLICE(" {\"a\":[1,2]} "), "{\"a\":[1,2]}", 0);
    check_args(FRAY_SLICE("[1,2]"), "[1,2]", 0);
    check_args(FRAY_SLICE("21.5"), "21.5", 0);
    check_args(FRAY_SLICE("plain \"text\""), "\"plain \\\"text\\\"\"", 0);
    check_args(FRAY_SLICE("\xff\x00\x01"), "{\"_placeholder\":true,\"num\":0}", 1);
    check_args(FRAY_SLICE("{\"d\":{\"_base64\":\"AAE=\"}}"),
               "{\"d\":{\"_placeholder\":true,\"num\":0}}", 1);
}

static void check_payload(const char *args, const char *attachment, const char *expected)
{
    struct fray_message *message =
        fray_message_new(&(struct fray_message_parts){.kind = FRAY_MESSAGE_EVENT,
                                                      .name = FRAY_SLICE("e"),
                                                      .body = fray_slice_of(args),
                                                      .ack_id = FRAY_ACK_NONE});
    struct fray_buf payload = {0};
    if (attachment)
        fray_message_attach(message, attachment, strlen(attachment));
    fray_room_payload_encode(&payload, message);
    assert_int_equal(payload.len, strlen(expected));
    if (payload.len)
        assert_memory_equal(payload.data, expected, payload.len);
    fray_buf_deinit(&payload);
    fray_message_unref(message);
}

static void arguments_become_payloads(void **state)
{
    (void)state;
    check_payload("", NULL, "");
    check_payload("{\"a\":1}", NULL, "{\"a\":1}");
    check_payload("[1,2]", NULL, "[1,2]");
    check_payload("1,\"two\",[3]", NULL, "[1,\"two\",[3]]");
    check_payload("{\"_placeholder\":true,\"num\":0}", "\x01\x02", "\x01\x02");
    check_payload("7,{\"_placeholder\":true,\"num\":0}", "Man", "[7,{\"_base64\":\"TWFu\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_have_topics_and_topics_rooms),
        cmocka_unit_test(other_topics_are_of_no_room),
        cmocka_unit_test(what_mqtt_cannot_name_has_no_topic),
        cmocka_unit_test(payloads_become_arguments),
        cmocka_unit_test(arguments_become_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
