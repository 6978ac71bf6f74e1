#include "wire/http_body.h"

/*     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *     last-chunk   = 1*"0" [ chunk-ext ] CRLF
 *     chunk-ext    = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 *     chunked-body = *chunk last-chunk *( field-line CRLF ) CRLF            (RFC 9112 7.1)
 *
 * Each state but STATE_DATA reads one byte, so input may break anywhere. A CR is followed by LF or
 * is an error, and an LF without CR always is one: the two ends of a connection must not disagree
 * on where a line ends. */
enum state {
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_SIZE,
    STATE_SIZE_LF,
    STATE_EXT_BLANK, /* BWS where ";" must follow */
    STATE_EXT_START, /* after ";" */
    STATE_EXT_NAME,
    STATE_EXT_NAME_BLANK,  /* BWS where "=" or ";" must follow */
    STATE_EXT_VALUE_START, /* after "=" */
    STATE_EXT_VALUE,
    STATE_EXT_QUOTED,
    STATE_EXT_ESCAPE, /* after "\" in quotes */
    STATE_EXT_QUOTED_END,
    STATE_TRAILER, /* at the start of a trailer line, or of the last empty one */
    STATE_TRAILER_NAME,
    STATE_TRAILER_VALUE,
    STATE_TRAILER_LF,
    STATE_END_LF,
    STATE_DONE,
    STATE_FAILED,
};

enum { SIZE_DIGITS_MAX = 16 };

enum fray_err fray_http_body_init(struct fray_http_body *body,
                                  const struct fray_http_request *request, uint64_t max)
{
    *body = (struct fray_http_body){.max = max, .chunked = request->chunked};
    if (request->chunked) {
        body->state = STATE_SIZE;
        return FRAY_OK;
    }
    body->remaining = body->received = request->content_length;
    body->state = body->remaining ? STATE_DATA : STATE_DONE;
    if (body->remaining <= max)
        return FRAY_OK;
    body->state = STATE_FAILED;
    body->status = 413;
    return FRAY_ERR_LIMIT;
}

static enum fray_err fail(struct fray_http_body *body, unsigned status)
{
    body->state = STATE_FAILED;
    body->status = (uint16_t)status;
    return status == 400 ? FRAY_ERR_SYNTAX : FRAY_ERR_LIMIT;
}

static enum fray_err enter(struct fray_http_body *body, enum state state)
{
    body->state = (uint8_t)state;
    return FRAY_OK;
}

static enum fray_err expect(struct fray_http_body *body, char c, char expected, enum state next)
{
    return c == expected ? enter(body, next) : fail(body, 400);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* In chunk-size: another digit, or what may follow it. */
static enum fray_err read_size(struct fray_http_body *body, char c)
{
    if (fray_http_is(c, FRAY_HTTP_HEX)) {
        if (body->digits == SIZE_DIGITS_MAX)
            return fail(body, 400);
        body->digits++;
        body->remaining = body->remaining << 4 | fray_http_hex(c);
        return FRAY_OK;
    }
    if (body->digits == 0)
        return fail(body, 400);
    if (c == '\r')
        return enter(body, STATE_SIZE_LF);
    if (c == ';')
        return enter(body, STATE_EXT_START);
    return is_blank(c) ? enter(body, STATE_EXT_BLANK) : fail(body, 400);
}

/* The end of the line with the chunk-size. */
static enum fray_err begin_chunk(struct fray_http_body *body, char c)
{
    if (c != '\n')
        return fail(body, 400);
    body->digits = 0;
    if (body->remaining == 0)
        return enter(body, STATE_TRAILER);
    if (body->remaining > body->max - body->received)
        return fail(body, 413);
    body->received += body->remaining;
    return enter(body, STATE_DATA);
}

/* After a complete extension, or where one may begin. */
static enum fray_err end_extension(struct fray_http_body *body, char c, enum state blank)
{
    if (c == '\r')
        return enter(body, STATE_SIZE_LF);
    if (c == ';')
        return enter(body, STATE_EXT_START);
    return is_blank(c) ? enter(body, blank) : fail(body, 400);
}

static enum fray_err read_extension(struct fray_http_body *body, char c)
{
    bool token = fray_http_is(c, FRAY_HTTP_TOKEN);
    switch ((enum state)body->state) {
    case STATE_EXT_BLANK: return is_blank(c) ? FRAY_OK : expect(body, c, ';', STATE_EXT_START);
    case STATE_EXT_START:
        if (is_blank(c))
            return FRAY_OK;
        return token ? enter(body, STATE_EXT_NAME) : fail(body, 400);
    case STATE_EXT_NAME:
        if (token)
            return FRAY_OK;
        if (c == '=')
            return enter(body, STATE_EXT_VALUE_START);
        return end_extension(body, c, STATE_EXT_NAME_BLANK);
    case STATE_EXT_NAME_BLANK:
        if (is_blank(c))
            return FRAY_OK;
        if (c == '=')
            return enter(body, STATE_EXT_VALUE_START);
        return expect(body, c, ';', STATE_EXT_START);
    case STATE_EXT_VALUE_START:
        if (is_blank(c))
            return FRAY_OK;
        if (c == '"')
            return enter(body, STATE_EXT_QUOTED);
        return token ? enter(body, STATE_EXT_VALUE) : fail(body, 400);
    case STATE_EXT_VALUE: return token ? FRAY_OK : end_extension(body, c, STATE_EXT_BLANK);
    case STATE_EXT_QUOTED:
        if (c == '"')
            return enter(body, STATE_EXT_QUOTED_END);
        if (c == '\\')
            return enter(body, STATE_EXT_ESCAPE);
        return fray_http_is(c, FRAY_HTTP_VALUE) ? FRAY_OK : fail(body, 400);
    case STATE_EXT_ESCAPE:
        return fray_http_is(c, FRAY_HTTP_VALUE) ? enter(body, STATE_EXT_QUOTED) : fail(body, 400);
    default: return end_extension(body, c, STATE_EXT_BLANK); /* STATE_EXT_QUOTED_END */
    }
}

static enum fray_err read_trailer(struct fray_http_body *body, char c)
{
    switch ((enum state)body->state) {
    case STATE_TRAILER:
        if (c == '\r')
            return enter(body, STATE_END_LF);
        return fray_http_is(c, FRAY_HTTP_TOKEN) ? enter(body, STATE_TRAILER_NAME) : fail(body, 400);
    case STATE_TRAILER_NAME:
        return fray_http_is(c, FRAY_HTTP_TOKEN) ? FRAY_OK
                                                : expect(body, c, ':', STATE_TRAILER_VALUE);
    case STATE_TRAILER_VALUE:
        return fray_http_is(c, FRAY_HTTP_VALUE) ? FRAY_OK : expect(body, c, '\r', STATE_TRAILER_LF);
    case STATE_TRAILER_LF: return expect(body, c, '\n', STATE_TRAILER);
    default: return expect(body, c, '\n', STATE_DONE); /* STATE_END_LF */
    }
}

/* Reads one byte that is not data. */
static enum fray_err step(struct fray_http_body *body, char c)
{
    switch ((enum state)body->state) {
    case STATE_DATA_CR: return expect(body, c, '\r', STATE_DATA_LF);
    case STATE_DATA_LF: return expect(body, c, '\n', STATE_SIZE);
    case STATE_SIZE: return read_size(body, c);
    case STATE_SIZE_LF: return begin_chunk(body, c);
    default: break;
    }
    if (body->state == STATE_END_LF)
        return read_trailer(body, c);
    bool trailer = body->state >= STATE_TRAILER;
    if (c != '\r' && ++body->extra > FRAY_HTTP_BODY_EXTRA_MAX)
        return fail(body, trailer ? 431 : 413);
    return trailer ? read_trailer(body, c) : read_extension(body, c);
}

enum fray_err fray_http_body_decode(struct fray_http_body *body, struct fray_slice bytes,
                                    struct fray_slice *piece, size_t *consumed)
{
    size_t at = 0;
    *piece = (struct fray_slice){NULL, 0};
    *consumed = 0;
    if (body->state == STATE_FAILED)
        return FRAY_ERR_STATE;
    while (at < bytes.len && body->state != STATE_DONE) {
        if (body->state == STATE_DATA) {
            if (piece->len)
                break;
            size_t rest = bytes.len - at;
            size_t len = rest < body->remaining ? rest : (size_t)body->remaining;
            *piece = fray_slice(bytes.data + at, len);
            at += len;
            body->remaining -= len;
            if (body->remaining == 0)
                body->state = body->chunked ? STATE_DATA_CR : STATE_DONE;
        } else {
            enum fray_err err = step(body, bytes.data[at]);
            if (err) {
                *piece = (struct fray_slice){NULL, 0};
                return err;
            }
            at++;
        }
    }
    *consumed = at;
    return body->state == STATE_DONE ? FRAY_OK : FRAY_ERR_AGAIN;
}
