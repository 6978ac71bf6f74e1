#include "wire/http_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_written(struct fray_buf *out, const char *expected)
{
    assert_int_equal(out->len, strlen(expected));
    assert_memory_equal(out->data, expected, out->len);
    fray_buf_deinit(out);
}

static void a_whole_head(void **state)
{
    struct fray_buf out = {0};
    (void)state;
    fray_http_response_begin(&out, 206);
    fray_http_response_date(&out, 784111777);
    fray_http_response_last_modified(&out, 0);
    assert_int_equal(fray_http_response_header(&out, FRAY_SLICE("content-type"),
                                               FRAY_SLICE("text/html; charset=\"utf-8\"")),
                     FRAY_OK);
    assert_int_equal(fray_http_response_header(&out, FRAY_SLICE("x-empty"), fray_slice(NULL, 0)),
                     FRAY_OK);
    fray_http_response_content_range(&out, 0, 9, UINT64_MAX);
    fray_http_response_content_length(&out, 10);
    fray_http_response_connection_close(&out);
    fray_http_response_end(&out);
    assert_written(&out, "HTTP/1.1 206 Partial Content\r\n"
                         "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                         "last-modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                         "content-type: text/html; charset=\"utf-8\"\r\n"
                         "x-empty: \r\n"
                         "content-range: bytes 0-9/18446744073709551615\r\n"
                         "content-length: 10\r\n"
                         "connection: close\r\n"
                         "\r\n");
}

static void status_lines(void **state)
{
    struct fray_buf out = {0};
    (void)state;
    fray_http_response_begin(&out, 299); /* the space stays */
    assert_written(&out, "HTTP/1.1 299 \r\n");
    fray_http_response_begin(&out, 99);
    assert_written(&out, "HTTP/1.1 500 Internal Server Error\r\n");
    fray_http_response_begin(&out, 600);
    assert_written(&out, "HTTP/1.1 500 Internal Server Error\r\n");
    fray_http_response_begin(&out, 416);
    fray_http_response_content_range_none(&out, 5);
    assert_written(&out, "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */5\r\n");
}

/* Response splitting: what an application passes on cannot end a line. */
static void refuses_what_would_end_a_line(void **state)
{
    static const struct fray_slice bad_values[] = {
        {"a\r\nb: c", 7},
        {"a\rb", 3},
        {"a\nb", 3},
        {"a\0b", 3},
        {"\x7F", 1},
        {"12345678\n", 9},
        {"12345678\r\n\r\n", 12},
        {" a", 2},
        {"a\t", 2},
        {"\x1B[0m", 4},
    };
    static const struct fray_slice bad_names[] = {
        {"", 0}, {"a b", 3}, {"a:", 2}, {"a\r\n", 3}, {"a\0", 2}, {"\xC3\xA9", 2}, {"(a)", 3},
    };
    struct fray_buf out = {0};
    (void)state;
    FRAY_BUF_LITERAL(&out, "kept");
    for (size_t at = 0; at < sizeof bad_values / sizeof bad_values[0]; at++)
        assert_int_equal(fray_http_response_header(&out, FRAY_SLICE("a"), bad_values[at]),
                         FRAY_ERR_SYNTAX);
    for (size_t at = 0; at < sizeof bad_names / sizeof bad_names[0]; at++)
        assert_int_equal(fray_http_response_header(&out, bad_names[at], FRAY_SLICE("a")),
                         FRAY_ERR_SYNTAX);
    assert_int_equal(fray_http_response_header(&out, FRAY_SLICE("x"), FRAY_SLICE("a\t\xC3\xA9")),
                     FRAY_OK);
    assert_written(&out, "keptx: a\t\xC3\xA9\r\n");
}

static void bodiless_statuses(void **state)
{
    (void)state;
    assert_true(fray_http_status_is_bodiless(101));
    assert_true(fray_http_status_is_bodiless(204));
    assert_true(fray_http_status_is_bodiless(304));
    assert_false(fray_http_status_is_bodiless(200));
    assert_false(fray_http_status_is_bodiless(404));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(refuses_what_would_end_a_line),
        cmocka_unit_test(bodiless_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
