#include "wire/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FIN FRAY_WEBSOCKET_FIN
#define RSV1 FRAY_WEBSOCKET_RSV1
#define TEXT FRAY_WEBSOCKET_TEXT
#define BINARY FRAY_WEBSOCKET_BINARY
#define CONTINUATION FRAY_WEBSOCKET_CONTINUATION

static const uint8_t key[4] = {0x9A, 0x03, 0xF0, 0x5C};

enum { MESSAGE_MAX = 300000 };

static void frame(struct fray_buf *out, unsigned first, const char *payload)
{
    fray_websocket_frame_append(out, first, fray_slice_of(payload), key);
}

/* Feeds the bytes in reads of `step`, as a link does: what is not consumed stays before the next
 * read. Every event is appended to `log` as one line, and the end's reason. */
static void feed(struct fray_slice bytes, size_t step, unsigned flags, struct fray_buf *log)
{
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, MESSAGE_MAX, flags);
    struct fray_websocket_event event;
    struct fray_buf in = {0};
    enum fray_err err = FRAY_ERR_AGAIN;
    for (size_t at = 0; at < bytes.len && err == FRAY_ERR_AGAIN; at += step) {
        size_t take = bytes.len - at < step ? bytes.len - at : step;
        fray_buf_append(&in, bytes.data + at, take);
        size_t used;
        while ((err = fray_websocket_decode(&decoder, in.data, in.len, &used, &event)) == FRAY_OK) {
            fray_buf_printf(log, "%x%s %zu ", event.opcode, event.compressed ? "z" : "",
                            event.payload.len);
            if (event.opcode == FRAY_WEBSOCKET_CLOSE)
                fray_buf_printf(log, "%u ", event.close_code);
            fray_buf_append_slice(log, event.payload);
            fray_buf_append_byte(log, '\n');
            fray_buf_consume(&in, used);
        }
        fray_buf_consume(&in, used);
        assert_true(in.len < FRAY_WEBSOCKET_LEFTOVER_MAX);
    }
    if (err == FRAY_ERR_CLOSED)
        FRAY_BUF_LITERAL(log, "closed\n");
    else if (err != FRAY_ERR_AGAIN)
        fray_buf_printf(log, "%s %u %s\n", fray_err_name(err), event.close_code, event.fault);
    if (err != FRAY_ERR_AGAIN)
        assert_null(decoder.partial);
    fray_websocket_decoder_deinit(&decoder);
    fray_buf_deinit(&in);
}

/* The log must be the expected one however the bytes are cut into reads. */
static void expect(struct fray_buf *bytes, unsigned flags, const char *expected)
{
    static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 7, 100};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct fray_buf log = {0};
        feed(fray_buf_slice(bytes), steps[i], flags, &log);
        fray_buf_append_byte(&log, 0);
        assert_string_equal(log.data, expected);
        fray_buf_deinit(&log);
    }
    fray_buf_deinit(bytes);
}

static void expect_bytes(struct fray_slice bytes, unsigned flags, const char *expected)
{
    struct fray_buf buf = {0};
    fray_buf_append_slice(&buf, bytes);
    expect(&buf, flags, expected);
}

static void idle_decoder_is_small(void **unused)
{
    (void)unused;
    assert_true(sizeof(struct fray_websocket_decoder) <= 16 + sizeof(void *));
}

static void messages_and_control_frames(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | TEXT, "Hello");
    frame(&in, FIN | BINARY, "\xFF\xFE");
    frame(&in, FIN | TEXT, "");
    frame(&in, FIN | FRAY_WEBSOCKET_PING, "are you there");
    frame(&in, FIN | FRAY_WEBSOCKET_PONG, "");
    frame(&in, FIN | FRAY_WEBSOCKET_CLOSE,
          "\x03\xE8"
          "bye");
    frame(&in, FIN | TEXT, "after the close nothing counts");
    expect(&in, 0,
           "1 5 Hello\n2 2 \xFF\xFE\n1 0 \n9 13 are you there\na 0 \n8 3 1000 bye\nclosed\n");
}

static void whole_message_is_not_copied(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | TEXT, "in place");
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, 100, 0);
    struct fray_websocket_event event;
    size_t used;
    assert_int_equal(fray_websocket_decode(&decoder, in.data, in.len, &used, &event), FRAY_OK);
    assert_ptr_equal(event.payload.data, in.data + 6);
    assert_int_equal(used, in.len);
    assert_null(decoder.partial);
    fray_buf_deinit(&in);
}

static void fragments_with_control_frames_between(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, TEXT, "κόσ\xCE"); /* cut inside a character */
    frame(&in, FIN | FRAY_WEBSOCKET_PING, "1");
    frame(&in, CONTINUATION, "");
    frame(&in, CONTINUATION, "\xBCε");
    frame(&in, FIN | FRAY_WEBSOCKET_PONG, "2");
    frame(&in, FIN | CONTINUATION, "!");
    frame(&in, BINARY, "");
    frame(&in, FIN | CONTINUATION, "");
    frame(&in, FIN | TEXT, "next");
    expect(&in, 0, "9 1 1\na 1 2\n1 11 κόσμε!\n2 0 \n1 4 next\n");
}

static void close_inside_a_fragmented_message(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, TEXT, "never finished");
    frame(&in, FIN | FRAY_WEBSOCKET_CLOSE, "");
    frame(&in, FIN | CONTINUATION, "too late");
    expect(&in, 0, "8 0 1005 \nclosed\n");
}

static void every_length_form(void **unused)
{
    (void)unused;
    static const size_t lens[] = {0, 1, 124, 125, 126, 127, 65535, 65536, 65537, MESSAGE_MAX};
    char *payload = malloc(MESSAGE_MAX);
    for (size_t i = 0; i < MESSAGE_MAX; i++)
        payload[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct fray_buf in = {0}, expected = {0};
        fray_websocket_frame_append(&in, FIN | TEXT, fray_slice(payload, lens[i]), key);
        fray_buf_printf(&expected, "1 %zu %.*s\n", lens[i], (int)lens[i], payload);
        fray_buf_append_byte(&expected, 0);
        expect(&in, 0, expected.data);
        fray_buf_deinit(&expected);
    }
    free(payload);
}

static void memory_goes_when_the_message_is_done_with(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | BINARY, "0123456789");
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, 100, 0);
    struct fray_websocket_event event;
    size_t used;
    assert_int_equal(fray_websocket_decode(&decoder, in.data, 9, &used, &event), FRAY_ERR_AGAIN);
    assert_int_equal(used, 9); /* a data frame is consumed as it comes */
    assert_non_null(decoder.partial);
    assert_int_equal(fray_websocket_decode(&decoder, in.data + 9, in.len - 9, &used, &event),
                     FRAY_OK);
    assert_true(fray_slice_equal(event.payload, FRAY_SLICE("0123456789")));
    assert_int_equal(fray_websocket_decode(&decoder, NULL, 0, &used, &event), FRAY_ERR_AGAIN);
    assert_null(decoder.partial);
    fray_buf_deinit(&in);
}

static void client_takes_unmasked_frames_only(void **unused)
{
    (void)unused;
    expect_bytes(FRAY_SLICE("\x01\x02\xC3\xA9\x80\x02OK\x8A\x01!"), FRAY_WEBSOCKET_CLIENT,
                 "1 4 éOK\na 1 !\n");
    expect_bytes(FRAY_SLICE("\x81\x02\xC3\x28"), FRAY_WEBSOCKET_CLIENT,
                 "utf8 1007 text is not UTF-8\n");
    expect_bytes(FRAY_SLICE("\x81\x80\1\2\3\4"), FRAY_WEBSOCKET_CLIENT,
                 "syntax 1002 masked frame from the server\n");
    expect_bytes(FRAY_SLICE("\x81\x02OK"), 0, "syntax 1002 unmasked frame\n");
}

static void compressed_messages_are_marked_and_left_unchecked(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | RSV1 | TEXT, "\xFF");
    frame(&in, RSV1 | TEXT, "\xFE");
    frame(&in, FIN | CONTINUATION, "\xFD");
    frame(&in, FIN | TEXT, "plain");
    expect(&in, FRAY_WEBSOCKET_DEFLATE, "1z 1 \xFF\n1z 2 \xFE\xFD\n1 5 plain\n");
}

static void violations_of_the_first_two_bytes(void **unused)
{
    (void)unused;
    static const struct {
        unsigned flags;
        struct fray_slice bytes;
        const char *fault;
    } rows[] = {
        {0, {"\xC1\x80", 2}, "reserved bit set"},
        {0, {"\xA1\x80", 2}, "reserved bit set"},
        {0, {"\x91\x80", 2}, "reserved bit set"},
        {FRAY_WEBSOCKET_DEFLATE, {"\xE1\x80", 2}, "reserved bit set"},
        {FRAY_WEBSOCKET_DEFLATE, {"\xD1\x80", 2}, "reserved bit set"},
        {FRAY_WEBSOCKET_DEFLATE,
         {"\xC9\x80", 2},
         "compression bit on a frame that cannot start a message"},
        {FRAY_WEBSOCKET_DEFLATE,
         {"\x01\x80\0\0\0\0\xC0\x80", 8},
         "compression bit on a frame that cannot start a message"},
        {0, {"\x09\x80", 2}, "fragmented control frame"},
        {0, {"\x89\xFE", 2}, "control frame too long"},
        {0, {"\x88\xFF", 2}, "control frame too long"},
        {0, {"\x80\x80", 2}, "continuation of no message"},
        {0, {"\x00\x80", 2}, "continuation of no message"},
        {0, {"\x01\x80\0\0\0\0\x81\x80", 8}, "new message inside a fragmented one"},
        {0, {"\x01\x80\0\0\0\0\x02\x80", 8}, "new message inside a fragmented one"},
        {0, {"\x81\xFE\x00\x7D", 4}, "frame length not in its shortest form"},
        {0, {"\x81\xFF\0\0\0\0\0\0\xFF\xFF", 10}, "frame length not in its shortest form"},
        {0, {"\x81\xFF\x80\0\0\0\0\1\0\0", 10}, "frame length out of range"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fray_buf expected = {0};
        fray_buf_printf(&expected, "syntax 1002 %s\n", rows[i].fault);
        fray_buf_append_byte(&expected, 0);
        expect_bytes(rows[i].bytes, rows[i].flags, expected.data);
        fray_buf_deinit(&expected);
    }
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        char bytes[2] = {(char)(FIN | opcode), (char)0x80};
        if (!known)
            expect_bytes(fray_slice(bytes, 2), 0, "syntax 1002 unknown opcode\n");
    }
}

static void close_payloads(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | FRAY_WEBSOCKET_CLOSE, "\x03");
    expect(&in, 0, "syntax 1002 close frame with half a code\n");
    static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char payload[2] = {(char)(bad[i] >> 8), (char)bad[i]};
        fray_websocket_frame_append(&in, FIN | FRAY_WEBSOCKET_CLOSE, fray_slice(payload, 2), key);
        expect(&in, 0, "syntax 1002 invalid close code\n");
    }
    frame(&in, FIN | FRAY_WEBSOCKET_CLOSE, "\x0F\xA1\xCE\xBA");
    expect(&in, 0, "8 2 4001 κ\nclosed\n");
    frame(&in, FIN | FRAY_WEBSOCKET_CLOSE, "\x03\xE8\xCE");
    expect(&in, 0, "utf8 1007 close reason is not UTF-8\n");
}

static void text_must_be_utf8(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | TEXT, "ok \xED\xA0\x80");
    expect(&in, 0, "utf8 1007 text is not UTF-8\n");
    frame(&in, TEXT, "\xCE");
    frame(&in, FIN | CONTINUATION, "x");
    expect(&in, 0, "utf8 1007 text is not UTF-8\n");
    frame(&in, TEXT, "fine");
    frame(&in, FIN | CONTINUATION, "\xCE");
    expect(&in, 0, "utf8 1007 text is not UTF-8\n");
    frame(&in, BINARY, "\xFF");
    frame(&in, FIN | CONTINUATION, "\xFE");
    expect(&in, 0, "2 2 \xFF\xFE\n");
}

static void bad_text_fails_before_its_frame_is_whole(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    frame(&in, FIN | TEXT, "\xF4\x90 and much that will never be sent");
    in.len = 2 + 4 + 2;
    expect(&in, 0, "utf8 1007 text is not UTF-8\n");
}

static void long_messages_are_refused_by_their_headers(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    char header[FRAY_WEBSOCKET_HEADER_MAX];
    size_t len = fray_websocket_header_encode(header, FIN | BINARY, MESSAGE_MAX + 1, key);
    fray_buf_append(&in, header, len);
    expect(&in, 0, "limit 1009 message too long\n");
    len = fray_websocket_header_encode(header, FIN | BINARY, INT64_MAX, key);
    fray_buf_append(&in, header, len);
    expect(&in, 0, "limit 1009 message too long\n");
    frame(&in, BINARY, "x");
    len = fray_websocket_header_encode(header, FIN | CONTINUATION, MESSAGE_MAX, key);
    fray_buf_append(&in, header, len);
    expect(&in, 0, "limit 1009 message too long\n");
}

static void after_an_error_nothing_is_decoded(void **unused)
{
    (void)unused;
    struct fray_buf in = {0};
    struct fray_websocket_decoder decoder;
    fray_websocket_decoder_init(&decoder, 100, 0);
    struct fray_websocket_event event;
    size_t used;
    frame(&in, FIN | CONTINUATION, "x");
    assert_int_equal(fray_websocket_decode(&decoder, in.data, in.len, &used, &event),
                     FRAY_ERR_SYNTAX);
    in.len = 0;
    frame(&in, FIN | TEXT, "fine in itself");
    assert_int_equal(fray_websocket_decode(&decoder, in.data, in.len, &used, &event),
                     FRAY_ERR_CLOSED);
    assert_int_equal(used, in.len);
    fray_buf_deinit(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_decoder_is_small),
        cmocka_unit_test(messages_and_control_frames),
        cmocka_unit_test(whole_message_is_not_copied),
        cmocka_unit_test(fragments_with_control_frames_between),
        cmocka_unit_test(close_inside_a_fragmented_message),
        cmocka_unit_test(every_length_form),
        cmocka_unit_test(memory_goes_when_the_message_is_done_with),
        cmocka_unit_test(client_takes_unmasked_frames_only),
        cmocka_unit_test(compressed_messages_are_marked_and_left_unchecked),
        cmocka_unit_test(violations_of_the_first_two_bytes),
        cmocka_unit_test(close_payloads),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(bad_text_fails_before_its_frame_is_whole),
        cmocka_unit_test(long_messages_are_refused_by_their_headers),
        cmocka_unit_test(after_an_error_nothing_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
