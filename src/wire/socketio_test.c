#include "wire/socketio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/json.h"

#define assert_slice(slice, string)                                                                \
    do {                                                                                           \
        struct fray_slice seen_ = (slice);                                                         \
        struct fray_slice want_ = FRAY_SLICE(string);                                              \
        assert_int_equal(seen_.len, want_.len);                                                    \
        assert_true(fray_slice_equal(seen_, want_));                                               \
    } while (0)

static const struct fray_socketio_limits limits = FRAY_SOCKETIO_LIMITS_DEFAULT;

/* Decodes a string that must be a packet. */
static struct fray_socketio_packet decode(const char *text)
{
    struct fray_socketio_packet packet;
    if (fray_socketio_decode(fray_slice_of(text), &limits, &packet))
        fail_msg("refused: %s", text);
    return packet;
}

/* The error for a copy that ends where its allocation ends: a sanitizer sees any overrun. */
static enum fray_err decode_error(struct fray_slice text)
{
    char *copy = fray_alloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    struct fray_socketio_packet packet;
    enum fray_err err = fray_socketio_decode(fray_slice(copy, text.len), &limits, &packet);
    free(copy);
    return err;
}

static void assert_refused(const char *const *texts, size_t count, enum fray_err want)
{
    for (size_t i = 0; i < count; i++) {
        enum fray_err err = decode_error(fray_slice_of(texts[i]));
        if (err != want)
            fail_msg("%s: error %d instead of %d", texts[i], (int)err, (int)want);
    }
}

#define ASSERT_REFUSED(texts, err) assert_refused(texts, sizeof(texts) / sizeof *(texts), err)

/* ---- The examples of the specification, "Packet encoding" and "Sample session" ---- */

static void connect_examples(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("0");
    assert_int_equal(packet.type, FRAY_SOCKETIO_CONNECT);
    assert_slice(packet.namespace_name, "/");
    assert_int_equal(packet.data.len, 0);
    assert_false(packet.has_ack_id);

    packet = decode("0/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}");
    assert_int_equal(packet.type, FRAY_SOCKETIO_CONNECT);
    assert_slice(packet.namespace_name, "/admin");
    assert_slice(packet.data, "{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}");

    packet = decode("0/admin,");
    assert_slice(packet.namespace_name, "/admin");
    packet = decode("0/random");
    assert_slice(packet.namespace_name, "/random");
    assert_int_equal(packet.query.len, 0);

    packet = decode("4{\"message\":\"Not authorized\"}");
    assert_int_equal(packet.type, FRAY_SOCKETIO_CONNECT_ERROR);
    assert_slice(packet.data, "{\"message\":\"Not authorized\"}");
    packet = decode("4\"Unauthorized\"");
    assert_slice(packet.data, "\"Unauthorized\"");
}

static void disconnect_examples(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("1");
    assert_int_equal(packet.type, FRAY_SOCKETIO_DISCONNECT);
    assert_slice(packet.namespace_name, "/");
    packet = decode("1/admin,");
    assert_slice(packet.namespace_name, "/admin");
    packet = decode("1/custom");
    assert_slice(packet.namespace_name, "/custom");
}

static void event_examples(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("2[\"foo\"]");
    assert_int_equal(packet.type, FRAY_SOCKETIO_EVENT);
    assert_slice(packet.namespace_name, "/");
    assert_slice(packet.event_name, "foo");
    assert_slice(packet.event_json, "\"foo\"");
    assert_int_equal(packet.args.len, 0);
    assert_slice(packet.data, "[\"foo\"]");
    assert_false(packet.has_ack_id);
    assert_false(packet.event_escaped);

    packet = decode("2/admin,[\"bar\"]");
    assert_slice(packet.namespace_name, "/admin");
    assert_slice(packet.event_name, "bar");

    packet = decode("212[\"foo\"]");
    assert_true(packet.has_ack_id);
    assert_int_equal(packet.ack_id, 12);

    packet = decode("2/admin,1[\"tellme\"]");
    assert_slice(packet.namespace_name, "/admin");
    assert_int_equal(packet.ack_id, 1);
    assert_slice(packet.event_name, "tellme");

    packet = decode("2456[\"message-with-ack\",1,\"2\",{\"3\":[false]}]");
    assert_int_equal(packet.ack_id, 456);
    assert_slice(packet.event_name, "message-with-ack");
    assert_slice(packet.args, "1,\"2\",{\"3\":[false]}");
}

static void ack_examples(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("3/admin,13[\"bar\"]");
    assert_int_equal(packet.type, FRAY_SOCKETIO_ACK);
    assert_slice(packet.namespace_name, "/admin");
    assert_true(packet.has_ack_id);
    assert_int_equal(packet.ack_id, 13);
    assert_slice(packet.args, "\"bar\"");
    assert_int_equal(packet.event_json.len, 0);

    packet = decode("312[]");
    assert_int_equal(packet.args.len, 0);
    assert_slice(packet.data, "[]");
}

static void C02_binary_examples(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("51-[\"baz\",{\"_placeholder\":true,\"num\":0}]");
    assert_int_equal(packet.type, FRAY_SOCKETIO_BINARY_EVENT);
    assert_int_equal(packet.attachments, 1);
    assert_slice(packet.event_name, "baz");
    assert_slice(packet.args, "{\"_placeholder\":true,\"num\":0}");

    packet = decode("52-/admin,[\"baz\",{\"_placeholder\":true,\"num\":0},"
                    "{\"_placeholder\":true,\"num\":1}]");
    assert_int_equal(packet.attachments, 2);
    assert_slice(packet.namespace_name, "/admin");
    assert_false(packet.has_ack_id);

    packet = decode("61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]");
    assert_int_equal(packet.type, FRAY_SOCKETIO_BINARY_ACK);
    assert_int_equal(packet.attachments, 1);
    assert_int_equal(packet.ack_id, 15);
    assert_slice(packet.args, "\"bar\",{\"_placeholder\":true,\"num\":0}");

    packet = decode("61-/admin,1[{\"_placeholder\":true,\"num\":0}]");
    assert_slice(packet.namespace_name, "/admin");
    assert_int_equal(packet.ack_id, 1);
}

/* ---- Beyond the examples ---- */

static void a_query_is_split_off_the_namespace_of_connect_only(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("0/admin?token=1&x=2,{}");
    assert_slice(packet.namespace_name, "/admin");
    assert_slice(packet.query, "token=1&x=2");
    assert_slice(packet.data, "{}");
    packet = decode("0/?");
    assert_slice(packet.namespace_name, "/");
    assert_int_equal(packet.query.len, 0);
    packet = decode("2/admin?token=1,[\"a\"]");
    assert_slice(packet.namespace_name, "/admin?token=1");
    assert_int_equal(packet.query.len, 0);
}

static void an_event_name_may_be_escaped_or_a_number(void **unused)
{
    (void)unused;
    struct fray_socketio_packet packet = decode("2[\"a\\n\\\"\\u00e9\" , 1 ] ");
    assert_true(packet.event_escaped);
    assert_slice(packet.event_name, "a\\n\\\"\\u00e9");
    assert_true(fray_json_string_equal(packet.event_json, FRAY_SLICE("a\n\"\xc3\xa9")));
    assert_slice(packet.args, "1");
    assert_slice(packet.data, "[\"a\\n\\\"\\u00e9\" , 1 ]");

    packet = decode("2[1,\"a\",{}]");
    assert_slice(packet.event_name, "1");
    assert_slice(packet.event_json, "1");
    assert_slice(packet.args, "\"a\",{}");
    packet = decode("2[\"\"]");
    assert_int_equal(packet.event_name.len, 0);
    assert_slice(packet.event_json, "\"\"");
}

static void bad_syntax_is_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "",
        "7",
        "999",
        "a",
        "abc",
        "-1",
        "/",
        " 2[\"a\"]",
        "2abc[\"message-with-ack\",1]",
        "2[\"some\",\"data\"",
        "442[\"some\",\"data\"",
        "2/admin,\"invalid",
        "2[\"a\"]x",
        "2[\"a\"],",
        "21,[\"a\"]",
        "21-[\"a\"]",
        "2-1[\"a\"]",
        "2 [\"a\"]",
        "21 [\"a\"]",
        "2\n[\"a\"]",
        "2admin,[\"a\"]",
        "0 ",
        "1 ",
        "0x",
        "2['a']",
        "2[a]",
        "5",
        "51",
        "5a-",
        "51.23-",
        "5-",
        "5-[\"a\"]",
        "51[\"a\"]",
        "5 1-[\"a\"]",
        "51 -[\"a\"]",
        "5-1-[\"a\"]",
        "51e0-[\"a\"]",
        "50x1-[\"a\"]",
        "6",
        "6-",
        "6-1[]",
        "51-abc",
        "51-1-[]",
        "50-[\"a\"]",
        "50-[\"a\",{\"_placeholder\":true,\"num\":0}]",
        "600-1[]",
    };
    ASSERT_REFUSED(texts, FRAY_ERR_SYNTAX);
    assert_int_equal(decode_error((struct fray_slice){0}), FRAY_ERR_SYNTAX);
    assert_int_equal(decode_error(FRAY_SLICE("2[\"a\"]\0")), FRAY_ERR_SYNTAX);
}

static void payloads_must_be_of_their_types_shape(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "0[]",
        "0\"a\"",
        "0null",
        "0true",
        "0/admin,\"invalid\"",
        "01[]",
        "1{}",
        "1/admin,{}",
        "1[]",
        "1null",
        "1\"a\"",
        "2",
        "21",
        "2/admin",
        "2/admin,",
        "2/admin,7",
        "2{}",
        "2/admin,{}",
        "2\"a\"",
        "2null",
        "2[]",
        "2[ ]",
        "2[null,\"bar\"]",
        "2[true,\"foo\"]",
        "2[false]",
        "2[[]]",
        "2[{\"toString\":\"foo\"}]",
        "2/admin[\"a\"]",
        "3",
        "31",
        "31{}",
        "31\"a\"",
        "31null",
        "4",
        "4[]",
        "4null",
        "4true",
        "41",
        "51-",
        "51-{}",
        "51-[]",
        "51-[null]",
        "51-\"a\"",
        "61-",
        "61-1",
        "61-1{}",
    };
    ASSERT_REFUSED(texts, FRAY_ERR_TYPE);
}

static void reserved_events_are_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "2[\"connect\"]",
        "2[\"connect_error\",1]",
        "2[\"disconnect\",\"123\"]",
        "2[\"disconnecting\"]",
        "2[\"newListener\"]",
        "2[\"removeListener\"]",
        "51-[\"connect\",{\"_placeholder\":true,\"num\":0}]",
        "2[\"\\u0063onnect\"]",
        "2[\"\\u006e\\u0065\\u0077\\u004c\\u0069\\u0073\\u0074\\u0065\\u006e\\u0065r\"]",
    };
    ASSERT_REFUSED(texts, FRAY_ERR_TYPE);
    decode("2[\"connected\"]");
    decode("2[\"Connect\"]");
    decode("2[\"connect\\u0000\"]");
    decode("2[\"newlistener\"]");
    decode("31[\"connect\"]");
    assert_true(fray_socketio_event_reserved(FRAY_SLICE("disconnecting")));
    assert_false(fray_socketio_event_reserved(FRAY_SLICE("reconnect")));
}

static void illegal_attachments_are_refused(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "51-[\"a\",{\"_placeholder\":true,\"num\":1}]",
        "52-[\"a\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":2}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":-1}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":-0}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0.5}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0e0}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":\"splice\"}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":null}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":18446744073709551616}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":4294967296}]",
        "51-[\"a\",{\"_placeholder\":true}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0,\"x\":1}]",
        "51-[\"a\",{\"x\":{},\"_placeholder\":true,\"num\":0}]",
        "51-[\"a\",{\"num\":[0],\"_placeholder\":true}]",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0,\"num\":7}]",
        "51-[\"a\",{\"_placeholder\":false,\"_placeholder\":true,\"num\":0}]",
        "51-[\"a\",{\"\\u005fplaceholder\":true,\"num\":1}]",
        "51-[\"a\",[[{\"x\":{\"_placeholder\" : true , \"num\":1}}]]]",
        "61-1[{\"_placeholder\":true,\"num\":1}]",
    };
    ASSERT_REFUSED(texts, FRAY_ERR_TYPE);
}

static void what_only_resembles_a_placeholder_is_data(void **unused)
{
    (void)unused;
    decode("51-[\"a\"]");
    decode("51-[\"_placeholder\",true]");
    decode("51-[\"a\",{\"_placeholder\":false,\"num\":7}]");
    decode("51-[\"a\",{\"_placeholder\":\"true\"}]");
    decode("51-[\"a\",{\"x\":\"_placeholder\",\"y\":true}]");
    decode("51-[\"a\",\"{\\\"_placeholder\\\":true}\"]");
    decode("51-[\"a\",{\"num\":0,\"\\u005fplaceholder\":true},{\"_placeholder\":true,\"num\":0}]");
    decode("2[\"a\",{\"_placeholder\":true,\"num\":7}]");
}

static void limits_hold(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "29007199254740992[\"a\"]",
        "218446744073709551616[\"a\"]",
        "299999999999999999999999999999[\"a\"]",
        "3/x,9007199254740992[]",
        "511-[\"a\"]",
        "518446744073709551617-[\"a\"]",
        "611-1[]",
    };
    ASSERT_REFUSED(texts, FRAY_ERR_LIMIT);
    assert_int_equal(decode("29007199254740991[\"a\"]").ack_id, FRAY_SOCKETIO_ACK_ID_MAX);
    assert_int_equal(decode("2007[\"a\"]").ack_id, 7);
    assert_int_equal(decode("20[\"a\"]").ack_id, 0);
    assert_true(decode("20[\"a\"]").has_ack_id);
    assert_int_equal(decode("510-[\"a\"]").attachments, 10);

    struct fray_socketio_limits tight = {.attachments_max = 0, .depth_max = 2, .bytes_max = 1};
    struct fray_socketio_packet packet;
    assert_int_equal(fray_socketio_decode(FRAY_SLICE("51-[\"a\"]"), &tight, &packet),
                     FRAY_ERR_LIMIT);
    assert_int_equal(fray_socketio_decode(FRAY_SLICE("2[\"a\",[]]"), &tight, &packet), FRAY_OK);
    assert_int_equal(fray_socketio_decode(FRAY_SLICE("2[\"a\",[[]]]"), &tight, &packet),
                     FRAY_ERR_LIMIT);
}

static void text_must_be_utf8(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"0/\xff", "2/a\xc3,[\"a\"]", "2[\"\xff\"]",
                                        "2[\"a\",\"\xed\xa0\x80\"]"};
    ASSERT_REFUSED(texts, FRAY_ERR_UTF8);
    struct fray_socketio_packet packet = decode("2/\xc3\xa9,[\"\xe2\x82\xac\"]");
    assert_slice(packet.namespace_name, "/\xc3\xa9");
    assert_slice(packet.event_name, "\xe2\x82\xac");
}

static void a_cut_packet_is_never_accepted(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "2[\"foo\",{\"a\":[1.5,null]},\"b\\u00e9\"]",
        "2/admin,12[\"foo\",1]",
        "312[1]",
        "4{\"message\":\"x\"}",
        "52-/admin,3[\"a\",{\"_placeholder\":true,\"num\":0},{\"num\":1,\"_placeholder\":true}]",
        "61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t len = strlen(texts[i]);
        assert_int_equal(decode_error(fray_slice(texts[i], len)), FRAY_OK);
        while (len-- > 0)
            assert_int_not_equal(decode_error(fray_slice(texts[i], len)), FRAY_OK);
    }
    /* CONNECT may lack its payload and its comma, so only cuts inside the payload are errors. */
    struct fray_slice text = FRAY_SLICE("0/admin,{\"token\":\"123\"}");
    for (size_t len = 9; len < text.len; len++)
        assert_int_not_equal(decode_error(fray_slice(text.data, len)), FRAY_OK);
}

static void placeholders_are_replaced_one_by_one(void **unused)
{
    (void)unused;
    struct fray_slice json = FRAY_SLICE("1,{\"a\":{\"_placeholder\":true,\"num\":1}},[{}],"
                                        "{ \"num\" : 0 , \"_placeholder\" : true },\"z\"");
    struct fray_socketio_placeholder placeholder;
    assert_int_equal(fray_socketio_placeholder_next(&json, 2, &placeholder), FRAY_OK);
    assert_slice(placeholder.before, "1,{\"a\":");
    assert_int_equal(placeholder.num, 1);
    assert_int_equal(fray_socketio_placeholder_next(&json, 2, &placeholder), FRAY_OK);
    assert_slice(placeholder.before, "},[{}],");
    assert_int_equal(placeholder.num, 0);
    assert_int_equal(fray_socketio_placeholder_next(&json, 2, &placeholder), FRAY_ERR_NOT_FOUND);
    assert_slice(json, ",\"z\"");
}

/* ---- Encoding ---- */

static void assert_encoded(struct fray_buf *buf, const char *want)
{
    assert_int_equal(buf->len, strlen(want));
    assert_true(fray_slice_equal(fray_buf_slice(buf), fray_slice_of(want)));
    decode(want);
    buf->len = 0;
}

static void events_are_encoded(void **unused)
{
    (void)unused;
    struct fray_buf buf = {0};
    struct fray_socketio_event event = {.namespace_name = FRAY_SLICE("/"),
                                        .name = FRAY_SLICE("foo")};
    fray_socketio_encode_event(&buf, &event);
    assert_encoded(&buf, "2[\"foo\"]");

    event.has_ack_id = true;
    event.ack_id = 0;
    event.args = FRAY_SLICE("1,{}");
    fray_socketio_encode_event(&buf, &event);
    assert_encoded(&buf, "20[\"foo\",1,{}]");

    event.namespace_name = FRAY_SLICE("/admin");
    event.ack_id = FRAY_SOCKETIO_ACK_ID_MAX;
    event.attachments = 2;
    event.args = FRAY_SLICE("{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}");
    fray_socketio_encode_event(&buf, &event);
    assert_encoded(&buf, "52-/admin,9007199254740991[\"foo\",{\"_placeholder\":true,\"num\":0},"
                         "{\"_placeholder\":true,\"num\":1}]");

    event = (struct fray_socketio_event){.namespace_name = FRAY_SLICE("/admin"),
                                         .name = FRAY_SLICE("say \"hi\"\n"),
                                         .offset = FRAY_SLICE("ABC")};
    fray_socketio_encode_event(&buf, &event);
    assert_encoded(&buf, "2/admin,[\"say \\\"hi\\\"\\n\",\"ABC\"]");

    event.name_json = FRAY_SLICE("1");
    event.args = FRAY_SLICE("[]");
    fray_socketio_encode_event(&buf, &event);
    assert_encoded(&buf, "2/admin,[1,[],\"ABC\"]");
    fray_buf_deinit(&buf);
}

static void other_packets_are_encoded(void **unused)
{
    (void)unused;
    struct fray_buf buf = {0};
    struct fray_slice root = FRAY_SLICE("/");
    struct fray_slice admin = FRAY_SLICE("/admin");
    struct fray_slice none = {0};
    fray_socketio_encode_ack(&buf, admin, 13, FRAY_SLICE("\"bar\""), 0);
    assert_encoded(&buf, "3/admin,13[\"bar\"]");
    fray_socketio_encode_ack(&buf, root, 12, none, 0);
    assert_encoded(&buf, "312[]");
    fray_socketio_encode_ack(&buf, root, 15, FRAY_SLICE("{\"_placeholder\":true,\"num\":0}"), 1);
    assert_encoded(&buf, "61-15[{\"_placeholder\":true,\"num\":0}]");
    fray_socketio_encode_connect(&buf, root, FRAY_SLICE("wZX3oN0bSVIhsaknAAAI"), none);
    assert_encoded(&buf, "0{\"sid\":\"wZX3oN0bSVIhsaknAAAI\"}");
    fray_socketio_encode_connect(&buf, admin, FRAY_SLICE("s"), FRAY_SLICE("p"));
    assert_encoded(&buf, "0/admin,{\"sid\":\"s\",\"pid\":\"p\"}");
    fray_socketio_encode_connect_error(&buf, FRAY_SLICE("/random"), FRAY_SLICE("Invalid namespace"),
                                       none);
    assert_encoded(&buf, "4/random,{\"message\":\"Invalid namespace\"}");
    fray_socketio_encode_connect_error(&buf, root, FRAY_SLICE("no"), FRAY_SLICE("{\"code\":1}"));
    assert_encoded(&buf, "4{\"message\":\"no\",\"data\":{\"code\":1}}");
    fray_socketio_encode_disconnect(&buf, root);
    assert_encoded(&buf, "1");
    fray_socketio_encode_disconnect(&buf, admin);
    assert_encoded(&buf, "1/admin,");
    fray_socketio_write_placeholder(&buf, 3);
    assert_slice(fray_buf_slice(&buf), "{\"_placeholder\":true,\"num\":3}");
    fray_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_examples),
        cmocka_unit_test(disconnect_examples),
        cmocka_unit_test(event_examples),
        cmocka_unit_test(ack_examples),
        cmocka_unit_test(C02_binary_examples),
        cmocka_unit_test(a_query_is_split_off_the_namespace_of_connect_only),
        cmocka_unit_test(an_event_name_may_be_escaped_or_a_number),
        cmocka_unit_test(bad_syntax_is_refused),
        cmocka_unit_test(payloads_must_be_of_their_types_shape),
        cmocka_unit_test(reserved_events_are_refused),
        cmocka_unit_test(illegal_attachments_are_refused),
        cmocka_unit_test(what_only_resembles_a_placeholder_is_data),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(a_cut_packet_is_never_accepted),
        cmocka_unit_test(placeholders_are_replaced_one_by_one),
        cmocka_unit_test(events_are_encoded),
        cmocka_unit_test(other_packets_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
