#include "wire/http_request.h"

#include <assert.h>

#include "wire/http_target.h"

enum state { STATE_START, STATE_LINE, STATE_FIELDS, STATE_DONE, STATE_FAILED };

static_assert(FRAY_HTTP_HEADER_COUNT <= 64, "request.repeated has a bit for each id");
static_assert(FRAY_HTTP_FIELDS_MAX < UINT8_MAX, "request.first holds indices plus one");

struct fray_http_limits fray_http_limits_default(void)
{
    return (struct fray_http_limits){
        .line_max = 8000, .head_max = 16 * 1024, .fields_max = FRAY_HTTP_FIELDS_MAX};
}

void fray_http_request_init(struct fray_http_request *request)
{
    /* The fields are written before they are read, and are most of the struct. */
    memset(request, 0, offsetof(struct fray_http_request, fields));
}

static enum fray_err fail(struct fray_http_request *request, unsigned status, const char *problem)
{
    request->state = STATE_FAILED;
    request->status = (uint16_t)status;
    request->problem = problem;
    switch (status) {
    case 414:
    case 431: return FRAY_ERR_LIMIT;
    case 417:
    case 501:
    case 505: return FRAY_ERR_UNSUPPORTED;
    default: return FRAY_ERR_SYNTAX;
    }
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct fray_http_span span_of(const struct fray_http_request *request,
                                     struct fray_slice text)
{
    if (!text.data)
        return (struct fray_http_span){0, 0};
    return (struct fray_http_span){(uint16_t)(text.data - request->data), (uint16_t)text.len};
}

static struct fray_slice slice_at(const struct fray_http_request *request,
                                  struct fray_http_span span)
{
    return fray_slice(request->data + span.at, span.len);
}

/* request-line = method SP request-target SP HTTP-version (RFC 9112 3), single spaces only. */
static enum fray_err read_request_line(struct fray_http_request *request, struct fray_slice line)
{
    static const char version_start[] = "HTTP/";
    enum { VERSION_LEN = 8 };

    const char *space = memchr(line.data, ' ', line.len);
    struct fray_slice name = {line.data, space ? (size_t)(space - line.data) : line.len};
    if (!fray_http_is_token(name))
        return fail(request, 400, "bad method");
    if (!space || line.len - name.len < 1 + VERSION_LEN + 1)
        return fail(request, 400, "bad request line");

    const char *version = line.data + line.len - VERSION_LEN;
    unsigned major = (unsigned)(version[5] - '0');
    unsigned minor = (unsigned)(version[7] - '0');
    if (version[-1] != ' ' || memcmp(version, version_start, sizeof version_start - 1) != 0 ||
        version[6] != '.' || major > 9 || minor > 9)
        return fail(request, 400, "bad version");
    if (major != 1)
        return fail(request, 505, "unknown version");
    request->minor = minor > 0;

    enum fray_http_method method = fray_http_method_lookup(name);
    if (method == FRAY_HTTP_METHOD_NONE || method == FRAY_HTTP_CONNECT)
        return fail(request, 501, "unknown method");
    request->method = (uint8_t)method;

    struct fray_slice target = {space + 1, (size_t)(version - 1 - (space + 1))};
    struct fray_http_target parts;
    if (fray_http_target_parse(&parts, target, method))
        return fail(request, 400, "bad target");
    request->target = span_of(request, target);
    request->authority = span_of(request, parts.authority);
    request->path = span_of(request, parts.path);
    request->query = span_of(request, parts.query);
    request->has_query = parts.query.data != NULL;
    return FRAY_OK;
}

/* field-line = field-name ":" OWS field-value OWS (RFC 9112 5). Nothing may stand between name and
 * colon (5.1), and a line that begins with a space, obs-fold (5.2), is refused by the same rule. */
static enum fray_err read_field(struct fray_http_request *request, struct fray_slice line,
                                const struct fray_http_limits *limits)
{
    if (request->field_count >= min_size(limits->fields_max, FRAY_HTTP_FIELDS_MAX))
        return fail(request, 431, "too many header lines");
    size_t len = 0;
    while (len < line.len && fray_http_is(line.data[len], FRAY_HTTP_TOKEN))
        len++;
    if (len == 0 || len == line.len || line.data[len] != ':')
        return fail(request, 400, "bad header name");
    if (len > FRAY_HTTP_NAME_MAX)
        return fail(request, 431, "header name too long");
    struct fray_slice value = fray_http_trim(fray_slice_skip(line, len + 1));
    if (!fray_http_is_value(value))
        return fail(request, 400, "control character in a header");

    enum fray_http_header id = fray_http_header_lookup(fray_slice(line.data, len));
    request->fields[request->field_count++] = (struct fray_http_field_span){
        .name_at = (uint16_t)(line.data - request->data),
        .name_len = (uint8_t)len,
        .value_at = (uint16_t)(value.data - request->data),
        .value_len = (uint16_t)value.len,
        .id = (uint8_t)id,
    };
    if (request->first[id])
        request->repeated |= UINT64_C(1) << id;
    else
        request->first[id] = request->field_count;
    return FRAY_OK;
}

/* Exactly one Host, and a sound one; only HTTP/1.0 may go without (RFC 9112 3.2). */
static enum fray_err check_host(struct fray_http_request *request)
{
    struct fray_slice host = fray_http_request_header(request, FRAY_HTTP_HEADER_HOST);
    if (!host.data)
        return request->minor == 0 ? FRAY_OK : fail(request, 400, "no Host");
    if (fray_http_request_repeats(request, FRAY_HTTP_HEADER_HOST))
        return fail(request, 400, "several Hosts");
    if (!fray_http_authority_is_valid(host))
        return fail(request, 400, "bad Host");
    return FRAY_OK;
}

/* fray decodes "chunked" alone. It must come last and once, or nobody knows where the body ends:
 * 400 (RFC 9112 6.3); other codings before it are merely unknown: 501 (6.1). */
static enum fray_err check_transfer_encoding(struct fray_http_request *request)
{
    struct fray_slice codings =
        fray_http_request_header(request, FRAY_HTTP_HEADER_TRANSFER_ENCODING);
    if (request->minor == 0)
        return fail(request, 400, "Transfer-Encoding in HTTP/1.0");
    if (fray_http_request_has(request, FRAY_HTTP_HEADER_CONTENT_LENGTH))
        return fail(request, 400, "Transfer-Encoding and Content-Length");
    if (fray_http_request_repeats(request, FRAY_HTTP_HEADER_TRANSFER_ENCODING))
        return fail(request, 400, "several Transfer-Encodings");
    if (fray_http_equal(codings, FRAY_SLICE("chunked"))) {
        request->chunked = true;
        return FRAY_OK;
    }
    struct fray_slice coding;
    size_t count = 0, chunked_count = 0;
    bool chunked_last = false;
    while (fray_http_list_next(&codings, &coding)) {
        count++;
        chunked_last = fray_http_equal(coding, FRAY_SLICE("chunked"));
        chunked_count += chunked_last;
    }
    if (count > 1 && chunked_last && chunked_count == 1)
        return fail(request, 501, "unknown transfer coding");
    return fail(request, 400, "bad Transfer-Encoding");
}

/* How the body is framed (RFC 9112 6.3). A repeated Content-Length is refused even where the values
 * agree: no honest client sends one. */
static enum fray_err check_framing(struct fray_http_request *request)
{
    if (fray_http_request_has(request, FRAY_HTTP_HEADER_TRANSFER_ENCODING))
        return check_transfer_encoding(request);
    struct fray_slice length = fray_http_request_header(request, FRAY_HTTP_HEADER_CONTENT_LENGTH);
    if (!length.data)
        return FRAY_OK;
    if (fray_http_request_repeats(request, FRAY_HTTP_HEADER_CONTENT_LENGTH))
        return fail(request, 400, "several Content-Lengths");
    if (!fray_http_uint_parse(length, &request->content_length))
        return fail(request, 400, "bad Content-Length");
    request->has_content_length = true;
    return FRAY_OK;
}

/* Upgrade and Expect mean nothing in HTTP/1.0 (RFC 9110 7.8, 10.1.1). */
static enum fray_err check_connection(struct fray_http_request *request)
{
    bool close = fray_http_request_lists(request, FRAY_HTTP_HEADER_CONNECTION, FRAY_SLICE("close"));
    if (request->minor == 0) {
        request->keep_alive =
            !close &&
            fray_http_request_lists(request, FRAY_HTTP_HEADER_CONNECTION, FRAY_SLICE("keep-alive"));
        return FRAY_OK;
    }
    request->keep_alive = !close;
    request->upgrade =
        fray_http_request_has(request, FRAY_HTTP_HEADER_UPGRADE) &&
        fray_http_request_lists(request, FRAY_HTTP_HEADER_CONNECTION, FRAY_SLICE("upgrade"));
    request->upgrade_websocket =
        request->upgrade &&
        fray_http_request_lists(request, FRAY_HTTP_HEADER_UPGRADE, FRAY_SLICE("websocket"));

    struct fray_slice expect = fray_http_request_header(request, FRAY_HTTP_HEADER_EXPECT);
    if (!expect.data)
        return FRAY_OK;
    if (!fray_http_equal(expect, FRAY_SLICE("100-continue")) ||
        fray_http_request_repeats(request, FRAY_HTTP_HEADER_EXPECT))
        return fail(request, 417, "unknown expectation");
    request->expect_continue = request->chunked || request->content_length > 0;
    return FRAY_OK;
}

static enum fray_err finish(struct fray_http_request *request)
{
    enum fray_err err = check_host(request);
    if (!err)
        err = check_framing(request);
    if (!err)
        err = check_connection(request);
    if (!err)
        request->state = STATE_DONE;
    return err;
}

/* Finds the line at line_at, without its CRLF, and moves line_at behind it. A head limit strikes as
 * soon as the bytes are there, whether or not the line is complete. */
static enum fray_err next_line(struct fray_http_request *request, struct fray_slice bytes,
                               const struct fray_http_limits *limits, struct fray_slice *line)
{
    size_t start = request->line_at;
    size_t head_max = min_size(limits->head_max, FRAY_HTTP_HEAD_MAX);
    size_t available = min_size(bytes.len, head_max);
    size_t from = request->scanned > start ? request->scanned : start;
    const char *lf = from < available ? memchr(bytes.data + from, '\n', available - from) : NULL;
    size_t end = lf ? (size_t)(lf - bytes.data) + 1 : available;

    if (request->state != STATE_FIELDS && end - start > (size_t)limits->line_max + 2)
        return fail(request, 414, "request line too long");
    if (!lf) {
        request->scanned = (uint16_t)available;
        if (bytes.len <= head_max)
            return FRAY_ERR_AGAIN;
        return request->state == STATE_FIELDS ? fail(request, 431, "head too long")
                                              : fail(request, 414, "request line too long");
    }
    if (end - start < 2 || lf[-1] != '\r')
        return fail(request, 400, "LF without CR");
    request->line_at = (uint16_t)end;
    *line = fray_slice(bytes.data + start, end - start - 2);
    return FRAY_OK;
}

static enum fray_err read_line(struct fray_http_request *request, struct fray_slice line,
                               const struct fray_http_limits *limits)
{
    enum fray_err err;
    switch ((enum state)request->state) {
    case STATE_START:
    case STATE_LINE:
        if (request->state == STATE_START && line.len == 0) {
            request->state = STATE_LINE;
            return FRAY_OK;
        }
        err = read_request_line(request, line);
        if (!err)
            request->state = STATE_FIELDS;
        return err;
    case STATE_FIELDS: return line.len ? read_field(request, line, limits) : finish(request);
    case STATE_DONE:
    case STATE_FAILED: break;
    }
    return FRAY_ERR_STATE;
}

enum fray_err fray_http_request_parse(struct fray_http_request *request, struct fray_slice bytes,
                                      const struct fray_http_limits *limits, size_t *consumed)
{
    *consumed = 0;
    if (request->state == STATE_DONE || request->state == STATE_FAILED)
        return FRAY_ERR_STATE;
    if (bytes.len < request->line_at || bytes.len < request->scanned)
        return FRAY_ERR_STATE;
    request->data = bytes.data;
    while (request->state != STATE_DONE) {
        /* Something else than HTTP, such as a TLS ClientHello, need not wait for its LF. */
        if (request->state != STATE_FIELDS && bytes.len > request->line_at &&
            !fray_http_is(bytes.data[request->line_at], FRAY_HTTP_TOKEN) &&
            bytes.data[request->line_at] != '\r')
            return fail(request, 400, "bad method");
        struct fray_slice line;
        enum fray_err err = next_line(request, bytes, limits, &line);
        if (!err)
            err = read_line(request, line, limits);
        if (err)
            return err;
    }
    *consumed = request->line_at;
    return FRAY_OK;
}

struct fray_slice fray_http_request_target(const struct fray_http_request *request)
{
    return slice_at(request, request->target);
}

struct fray_slice fray_http_request_path(const struct fray_http_request *request)
{
    if (request->path.len)
        return slice_at(request, request->path);
    /* "OPTIONS http://host" is the asterisk-form in absolute clothes (RFC 9112 3.2.4). */
    bool whole_server = request->method == FRAY_HTTP_OPTIONS && !request->has_query;
    return whole_server ? FRAY_SLICE("*") : FRAY_SLICE("/");
}

struct fray_slice fray_http_request_query(const struct fray_http_request *request)
{
    return request->has_query ? slice_at(request, request->query) : (struct fray_slice){NULL, 0};
}

struct fray_slice fray_http_request_host(const struct fray_http_request *request)
{
    return request->authority.len ? slice_at(request, request->authority)
                                  : fray_http_request_header(request, FRAY_HTTP_HEADER_HOST);
}

static struct fray_slice value_at(const struct fray_http_request *request, size_t index)
{
    const struct fray_http_field_span *field = &request->fields[index];
    return fray_slice(request->data + field->value_at, field->value_len);
}

struct fray_slice fray_http_request_header(const struct fray_http_request *request,
                                           enum fray_http_header id)
{
    size_t index = request->first[id];
    return index ? value_at(request, index - 1) : (struct fray_slice){NULL, 0};
}

struct fray_slice fray_http_request_find(const struct fray_http_request *request,
                                         struct fray_slice name)
{
    enum fray_http_header id = fray_http_header_lookup(name);
    if (id != FRAY_HTTP_HEADER_OTHER)
        return fray_http_request_header(request, id);
    for (size_t index = 0; index < request->field_count; index++) {
        const struct fray_http_field_span *field = &request->fields[index];
        if (field->id == FRAY_HTTP_HEADER_OTHER &&
            fray_http_equal(name, fray_slice(request->data + field->name_at, field->name_len)))
            return value_at(request, index);
    }
    return (struct fray_slice){NULL, 0};
}

bool fray_http_request_next(const struct fray_http_request *request, enum fray_http_header id,
                            size_t *cursor, struct fray_slice *value)
{
    size_t index = *cursor;
    if (index == 0)
        index = request->first[id] ? request->first[id] - 1U : request->field_count;
    for (; index < request->field_count; index++) {
        if (request->fields[index].id == id) {
            *value = value_at(request, index);
            *cursor = index + 1;
            return true;
        }
    }
    *cursor = index;
    return false;
}

bool fray_http_request_lists(const struct fray_http_request *request, enum fray_http_header id,
                             struct fray_slice token)
{
    struct fray_slice list, element;
    for (size_t cursor = 0; fray_http_request_next(request, id, &cursor, &list);)
        while (fray_http_list_next(&list, &element))
            if (fray_http_equal(element, token))
                return true;
    return false;
}

bool fray_http_request_field(const struct fray_http_request *request, size_t index,
                             struct fray_slice *name, struct fray_slice *value)
{
    if (index >= request->field_count)
        return false;
    const struct fray_http_field_span *field = &request->fields[index];
    *name = fray_slice(request->data + field->name_at, field->name_len);
    *value = value_at(request, index);
    return true;
}
