#include "wire/websocket_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FIN_TEXT (FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT)

static void header_takes_the_shortest_length(void **unused)
{
    (void)unused;
    static const struct {
        uint64_t len;
        struct fray_slice bytes;
    } rows[] = {
        {0, {"\x81\x00", 2}},
        {125, {"\x81\x7D", 2}},
        {126, {"\x81\x7E\x00\x7E", 4}},
        {65535, {"\x81\x7E\xFF\xFF", 4}},
        {65536, {"\x81\x7F\0\0\0\0\0\1\0\0", 10}},
        {INT64_MAX, {"\x81\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10}},
    };
    char out[FRAY_WEBSOCKET_HEADER_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = fray_websocket_header_encode(out, FIN_TEXT, rows[i].len, NULL);
        assert_true(fray_slice_equal(fray_slice(out, len), rows[i].bytes));
        assert_int_equal(len, fray_websocket_header_len(rows[i].len));
        assert_int_equal(
            fray_websocket_header_encode(out, FIN_TEXT, rows[i].len, (const uint8_t *)"\1\2\3\4"),
            len + 4);
        assert_int_equal((uint8_t)out[1], (uint8_t)rows[i].bytes.data[1] | 0x80);
        assert_memory_equal(out + len, "\1\2\3\4", 4);
    }
}

static void examples_of_rfc6455_section_5_7(void **unused)
{
    (void)unused;
    struct fray_buf out = {0};
    fray_websocket_frame_append(&out, FIN_TEXT, FRAY_SLICE("Hello"), NULL);
    assert_true(fray_slice_equal(fray_buf_slice(&out), FRAY_SLICE("\x81\x05Hello")));
    out.len = 0;
    fray_websocket_frame_append(&out, FIN_TEXT, FRAY_SLICE("Hello"),
                                (const uint8_t *)"\x37\xfa\x21\x3d");
    assert_true(fray_slice_equal(fray_buf_slice(&out),
                                 FRAY_SLICE("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
    fray_buf_deinit(&out);
}

static void mask_equals_the_definition_and_tells_ascii(void **unused)
{
    (void)unused;
    static const uint8_t key[4] = {0x11, 0x22, 0x44, 0x08};
    char data[100], expected[100];
    for (size_t len = 0; len <= 90; len++) {
        for (size_t offset = 0; offset < 9; offset++) {
            for (size_t i = 0; i < sizeof data; i++)
                data[i] = (char)(i * 7 & 0x7F);
            memcpy(expected, data, sizeof data);
            for (size_t i = 0; i < len; i++)
                expected[offset + i] = (char)(data[offset + i] ^ (char)key[i % 4]);
            assert_true(fray_websocket_mask(data + offset, len, key));
            assert_memory_equal(data, expected, sizeof data);
            if (len == 0)
                continue;
            data[offset + len - 1] = (char)0x80;
            assert_false(fray_websocket_mask(data + offset, len, key));
        }
    }
}

static void close_codes_of_section_7_4(void **unused)
{
    (void)unused;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        bool valid = code >= 1000 && code <= 4999 && !(code >= 1015 && code < 3000) &&
                     code != 1004 && code != 1005 && code != 1006;
        assert_int_equal(fray_websocket_close_code_valid(code), valid);
    }
}

static void close_carries_code_and_a_reason_cut_to_whole_characters(void **unused)
{
    (void)unused;
    struct fray_buf out = {0};
    fray_websocket_close_append(&out, 4001, FRAY_SLICE("kicked"), NULL);
    assert_true(fray_slice_equal(fray_buf_slice(&out), FRAY_SLICE("\x88\x08\x0F\xA1kicked")));
    out.len = 0;
    fray_websocket_close_append(&out, FRAY_WEBSOCKET_CLOSE_NO_STATUS, FRAY_SLICE("why"), NULL);
    assert_true(fray_slice_equal(fray_buf_slice(&out), FRAY_SLICE("\x88\x00")));
    out.len = 0;
    char reason[200];
    memset(reason, 'x', sizeof reason);
    fray_websocket_close_append(&out, 1000, fray_slice(reason, sizeof reason), NULL);
    assert_int_equal(out.len, 2 + FRAY_WEBSOCKET_CONTROL_MAX);
    memcpy(reason + 121, "€", 3); /* its last byte would be the 124th */
    out.len = 0;
    fray_websocket_close_append(&out, 1000, fray_slice(reason, sizeof reason), NULL);
    assert_int_equal(out.len, 2 + 2 + 121);
    fray_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_takes_the_shortest_length),
        cmocka_unit_test(examples_of_rfc6455_section_5_7),
        cmocka_unit_test(mask_equals_the_definition_and_tells_ascii),
        cmocka_unit_test(close_codes_of_section_7_4),
        cmocka_unit_test(close_carries_code_and_a_reason_cut_to_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
