#include "wire/http_response.h"

#include "wire/http.h"
#include "wire/http_date.h"

static const char crlf[] = {'\r', '\n'};

void fray_http_response_begin(struct fray_buf *out, unsigned status)
{
    if (status < 100 || status > 599)
        status = 500;
    FRAY_BUF_LITERAL(out, "HTTP/1.1 ");
    fray_buf_append_uint(out, status);
    fray_buf_append_byte(out, ' '); /* stays even without a phrase (RFC 9112 4) */
    fray_buf_append_slice(out, fray_slice_of(fray_http_reason(status)));
    fray_buf_append(out, crlf, sizeof crlf);
}

enum fray_err fray_http_response_header(struct fray_buf *out, struct fray_slice name,
                                        struct fray_slice value)
{
    if (!fray_http_is_token(name) || !fray_http_is_value(value) ||
        fray_http_trim(value).len != value.len)
        return FRAY_ERR_SYNTAX;
    fray_buf_reserve(out, name.len + value.len + 4);
    fray_buf_append_slice(out, name);
    FRAY_BUF_LITERAL(out, ": ");
    fray_buf_append_slice(out, value);
    fray_buf_append(out, crlf, sizeof crlf);
    return FRAY_OK;
}

void fray_http_response_content_length(struct fray_buf *out, uint64_t len)
{
    FRAY_BUF_LITERAL(out, "content-length: ");
    fray_buf_append_uint(out, len);
    fray_buf_append(out, crlf, sizeof crlf);
}

static void append_date(struct fray_buf *out, int64_t unix_s)
{
    fray_http_date_format(fray_buf_reserve(out, FRAY_HTTP_DATE_LEN), unix_s);
    out->len += FRAY_HTTP_DATE_LEN;
    fray_buf_append(out, crlf, sizeof crlf);
}

void fray_http_response_date(struct fray_buf *out, int64_t unix_s)
{
    FRAY_BUF_LITERAL(out, "date: ");
    append_date(out, unix_s);
}

void fray_http_response_last_modified(struct fray_buf *out, int64_t unix_s)
{
    FRAY_BUF_LITERAL(out, "last-modified: ");
    append_date(out, unix_s);
}

void fray_http_response_content_range(struct fray_buf *out, uint64_t first, uint64_t last,
                                      uint64_t size)
{
    FRAY_BUF_LITERAL(out, "content-range: bytes ");
    fray_buf_append_uint(out, first);
    fray_buf_append_byte(out, '-');
    fray_buf_append_uint(out, last);
    fray_buf_append_byte(out, '/');
    fray_buf_append_uint(out, size);
    fray_buf_append(out, crlf, sizeof crlf);
}

void fray_http_response_content_range_none(struct fray_buf *out, uint64_t size)
{
    FRAY_BUF_LITERAL(out, "content-range: bytes */");
    fray_buf_append_uint(out, size);
    fray_buf_append(out, crlf, sizeof crlf);
}

void fray_http_response_connection_close(struct fray_buf *out)
{
    FRAY_BUF_LITERAL(out, "connection: close\r\n");
}

void fray_http_response_end(struct fray_buf *out)
{
    fray_buf_append(out, crlf, sizeof crlf);
}

bool fray_http_status_is_bodiless(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}
