/* Any bytes as a connection's stream of HTTP requests, read whole and byte by byte: both must agree
 * on everything. What was read is then given to every reader of headers, targets and queries. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/http_body.h"
#include "wire/http_conditional.h"
#include "wire/http_cookie.h"
#include "wire/http_date.h"
#include "wire/http_encoding.h"
#include "wire/http_response.h"
#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small, so that inputs reach them. */
static const struct fray_http_limits limits = {.line_max = 100, .head_max = 600, .fields_max = 12};
enum { BODY_MAX = 300, NOW_S = 1700000000 };

static void check_same_head(const struct fray_http_request *a, const struct fray_http_request *b)
{
    struct fray_slice names[2], values[2];
    assert(a->method == b->method && a->minor == b->minor);
    assert(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
    assert(a->upgrade == b->upgrade && a->upgrade_websocket == b->upgrade_websocket);
    assert(a->chunked == b->chunked && a->content_length == b->content_length);
    assert(fray_slice_equal(fray_http_request_path(a), fray_http_request_path(b)));
    assert(fray_slice_equal(fray_http_request_query(a), fray_http_request_query(b)));
    assert(fray_slice_equal(fray_http_request_host(a), fray_http_request_host(b)));
    for (size_t at = 0; fray_http_request_field(a, at, &names[0], &values[0]); at++) {
        assert(fray_http_request_field(b, at, &names[1], &values[1]));
        assert(fray_slice_equal(names[0], names[1]) && fray_slice_equal(values[0], values[1]));
    }
}

/* What the framing rules promise of every request that is let through. */
static void check_head(const struct fray_http_request *request)
{
    assert(request->method != FRAY_HTTP_METHOD_NONE && request->method != FRAY_HTTP_CONNECT);
    assert(!request->chunked || !request->has_content_length);
    assert(!request->chunked || request->minor == 1);
    assert(!fray_http_request_repeats(request, FRAY_HTTP_HEADER_HOST));
    assert(!fray_http_request_repeats(request, FRAY_HTTP_HEADER_CONTENT_LENGTH));
    assert(request->minor == 0 || fray_http_request_host(request).len > 0);

    struct fray_buf out = {0};
    struct fray_slice name, value;
    for (size_t at = 0; fray_http_request_field(request, at, &name, &value); at++) {
        /* a sound header can be sent again; the first of its name is found by it */
        assert(!fray_http_response_header(&out, name, value));
        assert(fray_http_request_find(request, name).data <= value.data);
        assert(fray_http_request_find(request, name).data != NULL);
    }
    fray_buf_deinit(&out);
}

static void read_headers(const struct fray_http_request *request)
{
    const struct fray_http_validators validators = {FRAY_SLICE("\"a\""), 784111777};
    struct fray_http_encodings encodings;
    struct fray_http_range range;
    struct fray_slice name, value;
    (void)fray_http_precondition_check(request, &validators, NOW_S);
    for (uint64_t size = 0; size < 12; size += 3)
        if (!fray_http_request_range(request, &validators, NOW_S, size, &range))
            assert(range.len > 0 && range.first < size && range.len <= size - range.first);
    fray_http_encodings_read(&encodings, request);
    (void)fray_http_encodings_choose(&encodings, 15);
    (void)fray_http_request_cookie(request, FRAY_SLICE("io"));
    for (size_t at = 0; fray_http_request_field(request, at, &name, &value); at++) {
        int64_t unix_s, again;
        char text[FRAY_HTTP_DATE_LEN];
        if (fray_http_date_parse(value, NOW_S, &unix_s))
            continue;
        fray_http_date_format(text, unix_s);
        assert(!fray_http_date_parse(fray_slice(text, sizeof text), NOW_S, &again));
        assert(again == unix_s || unix_s > INT64_C(253402300799));
    }
}

static void read_target(const struct fray_http_request *request)
{
    struct fray_buf out = {0};
    if (!fray_url_path_normalise(fray_http_request_path(request), &out)) {
        fray_buf_append_byte(&out, '/');
        fray_buf_append_byte(&out, '\0');
        assert(out.data[0] == '/' && strlen(out.data) == out.len - 1);
        assert(!strstr(out.data, "/../") && !strstr(out.data, "/./"));
        assert(!strchr(out.data, '\\'));
    }
    struct fray_slice rest = fray_http_request_query(request);
    struct fray_url_param param;
    enum fray_err err;
    while ((err = fray_url_query_next(&rest, &out, &param)) != FRAY_ERR_NOT_FOUND)
        if (!err)
            assert(!memchr(param.name.data, 0, param.name.len) &&
                   (!param.value.data || !memchr(param.value.data, 0, param.value.len)));
    fray_buf_deinit(&out);
}

/* Feeds `step` bytes at a time; appends the body's data. */
static enum fray_err decode(const struct fray_http_request *request, struct fray_slice bytes,
                            size_t step, struct fray_buf *out, size_t *consumed)
{
    struct fray_http_body body;
    struct fray_slice piece;
    size_t given = 0, used = 0;
    enum fray_err err = fray_http_body_init(&body, request, BODY_MAX);
    if (err)
        return err;
    do {
        given = bytes.len - given > step ? given + step : bytes.len;
        do {
            size_t count;
            err = fray_http_body_decode(&body, fray_slice(bytes.data + used, given - used), &piece,
                                        &count);
            fray_buf_append_slice(out, piece);
            assert(count > 0 || err != FRAY_ERR_AGAIN || used == given);
            used += count;
        } while (err == FRAY_ERR_AGAIN && used < given);
    } while (err == FRAY_ERR_AGAIN && given < bytes.len);
    assert(out->len <= BODY_MAX);
    assert(err == FRAY_OK || err == FRAY_ERR_AGAIN || body.status >= 400);
    *consumed = used;
    return err;
}

static bool read_body(const struct fray_http_request *request, struct fray_slice *rest)
{
    struct fray_buf outs[2] = {{0}, {0}};
    size_t counts[2] = {0, 0};
    enum fray_err err = decode(request, *rest, SIZE_MAX, &outs[0], &counts[0]);
    assert(decode(request, *rest, 1, &outs[1], &counts[1]) == err);
    if (err == FRAY_OK || err == FRAY_ERR_AGAIN) {
        assert(counts[0] == counts[1]);
        assert(fray_slice_equal(fray_buf_slice(&outs[0]), fray_buf_slice(&outs[1])));
    }
    if (err == FRAY_OK && !request->chunked)
        assert(outs[0].len == request->content_length);
    fray_buf_deinit(&outs[0]);
    fray_buf_deinit(&outs[1]);
    *rest = fray_slice_skip(*rest, counts[0]);
    return err == FRAY_OK;
}

static bool read_request(struct fray_slice *rest)
{
    struct fray_http_request whole, bytewise;
    size_t consumed, bytewise_consumed = 0;
    fray_http_request_init(&whole);
    enum fray_err err = fray_http_request_parse(&whole, *rest, &limits, &consumed);

    enum fray_err bytewise_err = FRAY_ERR_AGAIN;
    fray_http_request_init(&bytewise);
    for (size_t len = 0; len <= rest->len && bytewise_err == FRAY_ERR_AGAIN; len++)
        bytewise_err = fray_http_request_parse(&bytewise, fray_slice(rest->data, len), &limits,
                                               &bytewise_consumed);
    assert(err == bytewise_err && consumed == bytewise_consumed);
    assert(whole.status == bytewise.status);
    assert((whole.status != 0) == (err != FRAY_OK && err != FRAY_ERR_AGAIN));
    if (err)
        return false;
    check_same_head(&whole, &bytewise);
    check_head(&whole);
    read_headers(&whole);
    read_target(&whole);
    *rest = fray_slice_skip(*rest, consumed);
    return read_body(&whole, rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fray_slice rest = fray_slice(data, size);
    while (rest.len > 0 && read_request(&rest))
        continue;
    return 0;
}
