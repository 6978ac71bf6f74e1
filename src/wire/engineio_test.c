#include "wire/engineio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_slice(slice, string)                                                                \
    do {                                                                                           \
        struct fray_slice seen_ = (slice);                                                         \
        struct fray_slice want_ = FRAY_SLICE(string);                                              \
        assert_int_equal(seen_.len, want_.len);                                                    \
        assert_true(fray_slice_equal(seen_, want_));                                               \
    } while (0)

static void text_frames_are_decoded(void **unused)
{
    (void)unused;
    struct fray_buf scratch = {0};
    struct fray_engineio_packet packet;
    static const char *const frames[] = {"0{}", "1", "2probe", "3probe", "4hello", "5", "6"};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct fray_slice frame = fray_slice_of(frames[i]);
        assert_int_equal(fray_engineio_decode_text(frame, &scratch, &packet), FRAY_OK);
        assert_int_equal(packet.type, i);
        assert_false(packet.binary);
        assert_true(fray_slice_equal(packet.data, fray_slice_skip(frame, 1)));

        struct fray_buf again = {0};
        fray_engineio_encode(&again, &packet);
        assert_true(fray_slice_equal(fray_buf_slice(&again), frame));
        fray_buf_deinit(&again);
    }
    assert_int_equal(fray_engineio_decode_text(FRAY_SLICE("bAQIDBA=="), &scratch, &packet),
                     FRAY_OK);
    assert_int_equal(packet.type, FRAY_ENGINEIO_MESSAGE);
    assert_true(packet.binary);
    assert_slice(packet.data, "\1\2\3\4");
    fray_buf_deinit(&scratch);
}

static void binary_frames_are_messages(void **unused)
{
    (void)unused;
    struct fray_engineio_packet packet = fray_engineio_decode_binary(FRAY_SLICE("2\0\xff"));
    assert_int_equal(packet.type, FRAY_ENGINEIO_MESSAGE);
    assert_true(packet.binary);
    assert_slice(packet.data, "2\0\xff");
    struct fray_buf buf = {0};
    fray_engineio_encode(&buf, &packet);
    assert_slice(fray_buf_slice(&buf), "2\0\xff");
    fray_buf_deinit(&buf);
    assert_int_equal(fray_engineio_decode_binary((struct fray_slice){0}).data.len, 0);
}

static void bad_frames_are_refused(void **unused)
{
    (void)unused;
    struct fray_buf scratch = {0};
    struct fray_engineio_packet packet;
    static const char *const frames[] = {
        "",   "7",       "9x",       "a",     "abc",  "/",     ":",  "-1", " 4",    "B",
        "bA", "bAQID==", "bAQIDBA=", "b!!!!", "b AQ", "\0364", "\n", "b=", "bAQ-_", "bAQ==AQ=="};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        if (fray_engineio_decode_text(fray_slice_of(frames[i]), &scratch, &packet) !=
            FRAY_ERR_SYNTAX)
            fail_msg("not refused: %s", frames[i]);
    }
    assert_int_equal(fray_engineio_decode_text((struct fray_slice){0}, &scratch, &packet),
                     FRAY_ERR_SYNTAX);
    fray_buf_deinit(&scratch);
}

static void the_specifications_payloads_are_read_and_written(void **unused)
{
    (void)unused;
    struct fray_slice body = FRAY_SLICE("4hello\x1e"
                                        "2\x1e"
                                        "4world\x1e"
                                        "bAQIDBA==");
    struct fray_buf scratch = {0};
    struct fray_buf again = {0};
    FRAY_BUF_LITERAL(&again, "headers");
    struct fray_engineio_payload payload = fray_engineio_payload_open(body, 4);
    struct fray_engineio_packet packets[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(fray_engineio_payload_next(&payload, &scratch, &packets[i]), FRAY_OK);
        fray_engineio_payload_append(&again, sizeof "headers" - 1, &packets[i]);
    }
    struct fray_engineio_packet none;
    assert_int_equal(fray_engineio_payload_next(&payload, &scratch, &none), FRAY_ERR_NOT_FOUND);
    assert_slice(packets[0].data, "hello");
    assert_int_equal(packets[1].type, FRAY_ENGINEIO_PING);
    assert_int_equal(packets[1].data.len, 0);
    assert_slice(packets[2].data, "world");
    assert_true(packets[3].binary);
    assert_slice(packets[3].data, "\1\2\3\4");
    assert_true(fray_slice_equal(fray_slice_skip(fray_buf_slice(&again), 7), body));
    fray_buf_deinit(&again);
    fray_buf_deinit(&scratch);
}

/* Reads until something other than FRAY_OK comes, which is returned. */
static enum fray_err drain(struct fray_slice body, unsigned packets_max, unsigned *count)
{
    struct fray_buf scratch = {0};
    struct fray_engineio_packet packet;
    struct fray_engineio_payload payload = fray_engineio_payload_open(body, packets_max);
    enum fray_err err;
    *count = 0;
    while (!(err = fray_engineio_payload_next(&payload, &scratch, &packet)))
        ++*count;
    assert_int_equal(fray_engineio_payload_next(&payload, &scratch, &packet), FRAY_ERR_NOT_FOUND);
    fray_buf_deinit(&scratch);
    return err;
}

static void bad_payloads_are_refused(void **unused)
{
    (void)unused;
    unsigned count;
    assert_int_equal(drain((struct fray_slice){0}, 9, &count), FRAY_ERR_SYNTAX);
    assert_int_equal(drain(FRAY_SLICE("\x1e"), 9, &count), FRAY_ERR_SYNTAX);
    assert_int_equal(drain(FRAY_SLICE("\x1e"
                                      "4a"),
                           9, &count),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(count, 0);
    assert_int_equal(drain(FRAY_SLICE("4a\x1e"), 9, &count), FRAY_ERR_SYNTAX);
    assert_int_equal(count, 1);
    assert_int_equal(drain(FRAY_SLICE("4a\x1e\x1e"
                                      "4b"),
                           9, &count),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(count, 1);
    assert_int_equal(drain(FRAY_SLICE("4a\x1e"
                                      "abc\x1e"
                                      "4b"),
                           9, &count),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(count, 1);
    assert_int_equal(drain(FRAY_SLICE("4a\x1e"
                                      "4\xff"),
                           9, &count),
                     FRAY_ERR_UTF8);
    assert_int_equal(count, 1);
    assert_int_equal(drain(FRAY_SLICE("4a\x1e"
                                      "bA"),
                           9, &count),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(count, 1);
}

static void the_packet_count_is_bounded(void **unused)
{
    (void)unused;
    struct fray_slice body = FRAY_SLICE("2\x1e"
                                        "2\x1e"
                                        "2");
    unsigned count;
    assert_int_equal(drain(body, 3, &count), FRAY_ERR_NOT_FOUND);
    assert_int_equal(count, 3);
    assert_int_equal(drain(body, 2, &count), FRAY_ERR_LIMIT);
    assert_int_equal(count, 2);
    assert_int_equal(drain(body, 0, &count), FRAY_ERR_LIMIT);
    assert_int_equal(count, 0);
}

static void the_open_packet_has_its_five_keys(void **unused)
{
    (void)unused;
    const struct fray_slice upgrades[] = {FRAY_SLICE("websocket"), FRAY_SLICE("webtransport")};
    struct fray_engineio_open open = {
        .sid = FRAY_SLICE("lv_VI97HAXpY6yYWAAAC"),
        .upgrades = upgrades,
        .upgrade_count = 1,
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .max_payload = 1000000,
    };
    struct fray_buf buf = {0};
    fray_engineio_encode_open(&buf, &open);
    assert_slice(fray_buf_slice(&buf),
                 "0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\",\"upgrades\":[\"websocket\"],"
                 "\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}");
    buf.len = 0;
    open = (struct fray_engineio_open){.sid = FRAY_SLICE("s")};
    fray_engineio_encode_open(&buf, &open);
    assert_slice(fray_buf_slice(&buf), "0{\"sid\":\"s\",\"upgrades\":[],\"pingInterval\":0,"
                                       "\"pingTimeout\":0,\"maxPayload\":0}");
    buf.len = 0;
    open.upgrades = upgrades;
    open.upgrade_count = 2;
    fray_engineio_encode_open(&buf, &open);
    assert_slice(fray_buf_slice(&buf),
                 "0{\"sid\":\"s\",\"upgrades\":[\"websocket\",\"webtransport\"],"
                 "\"pingInterval\":0,\"pingTimeout\":0,\"maxPayload\":0}");
    fray_buf_deinit(&buf);
}

static void errors_are_those_of_the_official_server(void **unused)
{
    (void)unused;
    static const char *const bodies[] = {
        "{\"code\":0,\"message\":\"Transport unknown\"}",
        "{\"code\":1,\"message\":\"Session ID unknown\"}",
        "{\"code\":2,\"message\":\"Bad handshake method\"}",
        "{\"code\":3,\"message\":\"Bad request\"}",
        "{\"code\":4,\"message\":\"Forbidden\"}",
        "{\"code\":5,\"message\":\"Unsupported protocol version\"}",
    };
    struct fray_buf buf = {0};
    for (int code = 0; code < 6; code++) {
        enum fray_engineio_error error = (enum fray_engineio_error)code;
        buf.len = 0;
        fray_engineio_error_body(&buf, error, (struct fray_slice){0});
        assert_true(fray_slice_equal(fray_buf_slice(&buf), fray_slice_of(bodies[code])));
        assert_int_equal(fray_engineio_error_status(error), code == 4 ? 403 : 400);
    }
    buf.len = 0;
    fray_engineio_error_body(&buf, FRAY_ENGINEIO_FORBIDDEN, FRAY_SLICE("\"no\""));
    assert_slice(fray_buf_slice(&buf), "{\"code\":4,\"message\":\"\\\"no\\\"\"}");
    fray_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_frames_are_decoded),
        cmocka_unit_test(binary_frames_are_messages),
        cmocka_unit_test(bad_frames_are_refused),
        cmocka_unit_test(the_specifications_payloads_are_read_and_written),
        cmocka_unit_test(bad_payloads_are_refused),
        cmocka_unit_test(the_packet_count_is_bounded),
        cmocka_unit_test(the_open_packet_has_its_five_keys),
        cmocka_unit_test(errors_are_those_of_the_official_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
