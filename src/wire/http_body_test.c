#include "wire/http_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

enum { MAX = 1000 };

static void begin(struct fray_http_body *body, bool chunked, uint64_t content_length)
{
    struct fray_http_request request;
    fray_http_request_init(&request);
    request.chunked = chunked;
    request.has_content_length = !chunked;
    request.content_length = content_length;
    assert_int_equal(fray_http_body_init(body, &request, MAX), FRAY_OK);
}

/* Feeds one run of bytes, in a buffer of its own; counts what was consumed and keeps the data. */
static enum fray_err feed(struct fray_http_body *body, struct fray_slice bytes,
                          struct fray_buf *data, size_t *consumed)
{
    enum fray_err err;
    char *copy = fray_alloc(bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    struct fray_slice rest = {copy, bytes.len};
    do {
        struct fray_slice piece;
        size_t count;
        err = fray_http_body_decode(body, rest, &piece, &count);
        fray_buf_append_slice(data, piece);
        *consumed += count;
        rest = fray_slice_skip(rest, count);
        if (err == FRAY_ERR_AGAIN && rest.len)
            assert_true(count > 0);
    } while (err == FRAY_ERR_AGAIN && rest.len > 0);
    free(copy);
    return err;
}

/* Decodes a body of which `trailing` bytes belong to the next request: whole, cut in two at every
 * position, and byte by byte. */
static void assert_decodes(bool chunked, const char *text, const char *expected, size_t trailing)
{
    struct fray_slice bytes = fray_slice_of(text);
    size_t end = bytes.len - trailing;
    for (size_t cut = 1; cut <= bytes.len; cut++) {
        struct fray_http_body body;
        struct fray_buf data = {0};
        size_t consumed = 0;
        begin(&body, chunked, strlen(expected));
        enum fray_err err = feed(&body, fray_slice(bytes.data, cut), &data, &consumed);
        assert_int_equal(err, cut < end ? FRAY_ERR_AGAIN : FRAY_OK);
        if (cut < end)
            assert_int_equal(feed(&body, fray_slice_skip(bytes, cut), &data, &consumed), FRAY_OK);
        assert_int_equal(consumed, end);
        assert_int_equal(data.len, strlen(expected));
        assert_memory_equal(data.data, expected, data.len);
        fray_buf_deinit(&data);
    }
    struct fray_http_body body;
    struct fray_buf data = {0};
    begin(&body, chunked, strlen(expected));
    for (size_t at = 0; at < end; at++) {
        size_t consumed = 0;
        assert_int_equal(feed(&body, fray_slice(bytes.data + at, 1), &data, &consumed),
                         at + 1 < end ? FRAY_ERR_AGAIN : FRAY_OK);
        assert_int_equal(consumed, 1);
    }
    assert_int_equal(data.len, strlen(expected));
    assert_memory_equal(data.data, expected, data.len);
    fray_buf_deinit(&data);
}

static void assert_rejects(const char *text, unsigned status)
{
    struct fray_http_body body;
    struct fray_buf data = {0};
    size_t consumed = 0;
    begin(&body, true, 0);
    enum fray_err err = feed(&body, fray_slice_of(text), &data, &consumed);
    if (body.status != status)
        fail_msg("%s, %u for: %.60s", fray_err_name(err), (unsigned)body.status, text);
    assert_int_equal(err, status == 400 ? FRAY_ERR_SYNTAX : FRAY_ERR_LIMIT);
    assert_int_equal(feed(&body, FRAY_SLICE("0"), &data, &consumed), FRAY_ERR_STATE);

    begin(&body, true, 0);
    err = FRAY_ERR_AGAIN;
    for (size_t at = 0; text[at] && err == FRAY_ERR_AGAIN; at++)
        err = feed(&body, fray_slice(text + at, 1), &data, &consumed);
    assert_int_equal(body.status, status);
    fray_buf_deinit(&data);
}

static void bodies_with_a_length(void **state)
{
    (void)state;
    assert_decodes(false, "hello", "hello", 0);
    assert_decodes(false, "helloGET / HTTP/1.1\r\n", "hello", 16);
}

static void no_body_is_complete_at_once(void **state)
{
    struct fray_http_body body;
    struct fray_slice piece;
    size_t consumed;
    (void)state;
    begin(&body, false, 0);
    assert_int_equal(fray_http_body_decode(&body, fray_slice(NULL, 0), &piece, &consumed), FRAY_OK);
    assert_int_equal(fray_http_body_decode(&body, FRAY_SLICE("GET"), &piece, &consumed), FRAY_OK);
    assert_int_equal(consumed, 0);
    assert_int_equal(piece.len, 0);
}

static void chunked_bodies(void **state)
{
    (void)state;
    assert_decodes(true, "0\r\n\r\n", "", 0);
    assert_decodes(true, "5\r\nhello\r\n0\r\n\r\n", "hello", 0);
    assert_decodes(true, "5\r\nhello\r\n00A\r\n, world\r\n!\r\n000\r\n\r\nGET /",
                   "hello, world\r\n!", 5);
    assert_decodes(true, "1\r\na\r\n1\r\nb\r\n0000000000000001\r\nc\r\n0\r\n\r\n", "abc", 0);
    assert_decodes(true, "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789",
                   0);
}

static void chunk_extensions_and_trailers_are_dropped(void **state)
{
    (void)state;
    assert_decodes(true, "1;a\r\nx\r\n0;b=c;d\r\n\r\n", "x", 0);
    assert_decodes(true, "1 \t; a \t= b ; c=\"d; \\\"=\" ;e\r\nx\r\n0\r\n\r\n", "x", 0);
    assert_decodes(true, "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\nEmpty:\r\n\r\nz", "x", 1);
}

static void rejects_bad_chunks(void **state)
{
    (void)state;
    assert_rejects("\r\n", 400);
    assert_rejects(" 5\r\nhello\r\n", 400);
    assert_rejects("x\r\n", 400);
    assert_rejects("0x5\r\nhello\r\n", 400);
    assert_rejects("+5\r\nhello\r\n", 400);
    assert_rejects("-5\r\nhello\r\n", 400);
    assert_rejects("5_0\r\n", 400);
    assert_rejects("5 \r\nhello\r\n", 400);
    assert_rejects("5\nhello\r\n0\r\n\r\n", 400);
    assert_rejects("5\rhello\r\n", 400);
    assert_rejects("5\r\nhello0\r\n\r\n", 400);
    assert_rejects("5\r\nhello!\r\n", 400);
    assert_rejects("5\r\nhello\n0\r\n\r\n", 400);
    assert_rejects("5\r\nhello\rx", 400);
    assert_rejects("00000000000000005\r\nhello\r\n", 400);
    assert_rejects("1FFFFFFFFFFFFFFFF\r\nhello\r\n", 400);
    assert_rejects("FFFFFFFFFFFFFFFF\r\nhello\r\n", 413);
}

static void rejects_bad_extensions(void **state)
{
    (void)state;
    assert_rejects("5;\r\n", 400);
    assert_rejects("5; \r\n", 400);
    assert_rejects("5;;a\r\n", 400);
    assert_rejects("5 a\r\n", 400);
    assert_rejects("5;a=\r\n", 400);
    assert_rejects("5;a b\r\n", 400);
    assert_rejects("5;a \r\n", 400);
    assert_rejects("5;a=b=c\r\n", 400);
    assert_rejects("5;a=\"b\"c\r\n", 400);
    assert_rejects("5;a=\"b\r\n", 400);
    assert_rejects("5;a=\"b\\\r\n", 400);
    assert_rejects("5;a\nhello\r\n", 400);
    assert_rejects("5;a\rX", 400);
    assert_rejects("5;a=\x01\r\n", 400);
    assert_rejects("5;\xC3\xA9\r\n", 400);
}

static void rejects_bad_trailers(void **state)
{
    (void)state;
    assert_rejects("0\r\nX\r\n\r\n", 400);
    assert_rejects("0\r\nX : 1\r\n\r\n", 400);
    assert_rejects("0\r\n: 1\r\n\r\n", 400);
    assert_rejects("0\r\n X: 1\r\n\r\n", 400);
    assert_rejects("0\r\nX: 1\r\n 2\r\n\r\n", 400);
    assert_rejects("0\r\nX: 1\n\r\n", 400);
    assert_rejects("0\r\nX: 1\rY: 2\r\n\r\n", 400);
    assert_rejects("0\r\nX: \x7F\r\n\r\n", 400);
    assert_rejects("0\r\n\n", 400);
    assert_rejects("0\r\n\rX", 400);
}

static void limits(void **state)
{
    struct fray_http_request request;
    struct fray_http_body body;
    (void)state;
    fray_http_request_init(&request);
    request.has_content_length = true;
    request.content_length = MAX;
    assert_int_equal(fray_http_body_init(&body, &request, MAX), FRAY_OK);
    request.content_length = MAX + 1;
    assert_int_equal(fray_http_body_init(&body, &request, MAX), FRAY_ERR_LIMIT);
    assert_int_equal(body.status, 413);

    struct fray_buf text = {0};
    fray_buf_printf(&text, "3e7\r\n%0999d\r\n1\r\nx\r\n0\r\n\r\n", 0);
    fray_buf_append_byte(&text, '\0');
    struct fray_buf data = {0};
    size_t consumed = 0;
    begin(&body, true, 0);
    assert_int_equal(feed(&body, fray_slice(text.data, text.len - 1), &data, &consumed), FRAY_OK);
    assert_int_equal(data.len, MAX);
    text.len = 0;
    fray_buf_printf(&text, "3e7\r\n%0999d\r\n2\r\n", 0);
    fray_buf_append_byte(&text, '\0');
    assert_rejects(text.data, 413); /* refused when announced, not when there */
    fray_buf_deinit(&text);
    fray_buf_deinit(&data);
}

static void extensions_and_trailers_are_bounded_per_body(void **state)
{
    struct fray_buf text = {0};
    (void)state;
    for (int at = 0; at < FRAY_HTTP_BODY_EXTRA_MAX / 7; at++)
        fray_buf_printf(&text, "1;abcdefgh\r\nx\r\n");
    fray_buf_append_byte(&text, '\0');
    assert_rejects(text.data, 413);
    text.len = 0;
    fray_buf_printf(&text, "0\r\n");
    for (int at = 0; at < FRAY_HTTP_BODY_EXTRA_MAX / 7; at++)
        fray_buf_printf(&text, "Name: 8\r\n");
    fray_buf_append_byte(&text, '\0');
    assert_rejects(text.data, 431);
    fray_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_with_a_length),
        cmocka_unit_test(no_body_is_complete_at_once),
        cmocka_unit_test(chunked_bodies),
        cmocka_unit_test(chunk_extensions_and_trailers_are_dropped),
        cmocka_unit_test(rejects_bad_chunks),
        cmocka_unit_test(rejects_bad_extensions),
        cmocka_unit_test(rejects_bad_trailers),
        cmocka_unit_test(limits),
        cmocka_unit_test(extensions_and_trailers_are_bounded_per_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
