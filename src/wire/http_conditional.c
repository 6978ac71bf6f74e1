#include "wire/http_conditional.h"

#include "wire/http_date.h"

static bool is_weak(struct fray_slice etag)
{
    return fray_slice_starts(etag, FRAY_SLICE("W/"));
}

static struct fray_slice opaque_tag(struct fray_slice etag)
{
    return is_weak(etag) ? fray_slice_skip(etag, 2) : etag;
}

static bool etags_equal(struct fray_slice a, struct fray_slice b,
                        enum fray_http_etag_comparison comparison)
{
    if (comparison == FRAY_HTTP_ETAG_STRONG && (is_weak(a) || is_weak(b)))
        return false;
    return fray_slice_equal(opaque_tag(a), opaque_tag(b));
}

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE. There are no escapes inside (RFC 9110 8.8.3), and a
 * comma may be: this is why the general list reader does not serve. */
static size_t etag_len(struct fray_slice text)
{
    size_t start = text.len - opaque_tag(text).len;
    if (start == text.len || text.data[start] != '"')
        return 0;
    for (size_t at = start + 1; at < text.len; at++) {
        unsigned char c = (unsigned char)text.data[at];
        if (c == '"')
            return at + 1;
        if (c <= 0x20 || c == 0x7F)
            return 0;
    }
    return 0;
}

bool fray_http_etag_matches(struct fray_slice list, struct fray_slice etag,
                            enum fray_http_etag_comparison comparison)
{
    if (etag.len == 0)
        return false;
    list = fray_http_trim(list);
    if (fray_slice_equal(list, FRAY_SLICE("*")))
        return true;
    while (list.len) {
        if (list.data[0] == ',') {
            list = fray_http_trim(fray_slice_skip(list, 1));
            continue;
        }
        size_t len = etag_len(list);
        if (len == 0)
            return false;
        if (etags_equal(fray_slice(list.data, len), etag, comparison))
            return true;
        list = fray_http_trim(fray_slice_skip(list, len));
        if (list.len && list.data[0] != ',')
            return false;
    }
    return false;
}

static bool any_etag_matches(const struct fray_http_request *request, enum fray_http_header id,
                             const struct fray_http_validators *validators,
                             enum fray_http_etag_comparison comparison)
{
    struct fray_slice list;
    for (size_t cursor = 0; fray_http_request_next(request, id, &cursor, &list);) {
        /* "*" is true of anything that exists, with a tag or without (RFC 9110 13.1.1) */
        if (fray_slice_equal(list, FRAY_SLICE("*")) ||
            fray_http_etag_matches(list, validators->etag, comparison))
            return true;
    }
    return false;
}

/* The date in a header; false when the header or a Last-Modified to compare it with is missing, or
 * it is no single date. */
static bool read_date(const struct fray_http_request *request, enum fray_http_header id,
                      const struct fray_http_validators *validators, int64_t now_s, int64_t *date)
{
    return fray_http_request_has(request, id) && !fray_http_request_repeats(request, id) &&
           validators->modified_s != FRAY_HTTP_MODIFIED_NONE &&
           !fray_http_date_parse(fray_http_request_header(request, id), now_s, date);
}

enum fray_http_precondition
fray_http_precondition_check(const struct fray_http_request *request,
                             const struct fray_http_validators *validators, int64_t now_s)
{
    bool reads = request->method == FRAY_HTTP_GET || request->method == FRAY_HTTP_HEAD;
    int64_t date;

    if (fray_http_request_has(request, FRAY_HTTP_HEADER_IF_MATCH)) {
        if (!any_etag_matches(request, FRAY_HTTP_HEADER_IF_MATCH, validators,
                              FRAY_HTTP_ETAG_STRONG))
            return FRAY_HTTP_PRECONDITION_FAILED;
    } else if (read_date(request, FRAY_HTTP_HEADER_IF_UNMODIFIED_SINCE, validators, now_s, &date)) {
        if (validators->modified_s > date)
            return FRAY_HTTP_PRECONDITION_FAILED;
    }
    if (fray_http_request_has(request, FRAY_HTTP_HEADER_IF_NONE_MATCH)) {
        if (any_etag_matches(request, FRAY_HTTP_HEADER_IF_NONE_MATCH, validators,
                             FRAY_HTTP_ETAG_WEAK))
            return reads ? FRAY_HTTP_NOT_MODIFIED : FRAY_HTTP_PRECONDITION_FAILED;
    } else if (reads &&
               read_date(request, FRAY_HTTP_HEADER_IF_MODIFIED_SINCE, validators, now_s, &date)) {
        if (validators->modified_s <= date)
            return FRAY_HTTP_NOT_MODIFIED;
    }
    return FRAY_HTTP_PROCEED;
}

/* 1*DIGIT; a position beyond all files is as good as the largest one. */
static bool read_position(struct fray_slice text, uint64_t *position)
{
    for (size_t at = 0; at < text.len; at++)
        if (text.data[at] < '0' || text.data[at] > '9')
            return false;
    if (!fray_http_uint_parse(text, position))
        *position = UINT64_MAX;
    return text.len > 0;
}

/* suffix-range = "-" suffix-length (RFC 9110 14.1.2). */
static enum fray_err suffix_range(struct fray_slice text, uint64_t size,
                                  struct fray_http_range *out)
{
    uint64_t len;
    if (!read_position(text, &len))
        return FRAY_ERR_SYNTAX;
    if (len == 0)
        return FRAY_ERR_LIMIT;
    if (size == 0)
        return FRAY_ERR_UNSUPPORTED; /* satisfiable, but Content-Range cannot say so */
    if (len > size)
        len = size;
    *out = (struct fray_http_range){.first = size - len, .len = len};
    return FRAY_OK;
}

enum fray_err fray_http_range_parse(struct fray_slice value, uint64_t size,
                                    struct fray_http_range *out)
{
    static const struct fray_slice unit = {"bytes=", 6};
    if (value.len < unit.len || !fray_http_equal(fray_slice(value.data, unit.len), unit))
        return FRAY_ERR_SYNTAX;
    struct fray_slice range = fray_http_trim(fray_slice_skip(value, unit.len));
    if (range.len == 0)
        return FRAY_ERR_SYNTAX;
    if (memchr(range.data, ',', range.len))
        return FRAY_ERR_UNSUPPORTED;
    const char *dash = memchr(range.data, '-', range.len);
    if (!dash)
        return FRAY_ERR_SYNTAX;
    struct fray_slice start = {range.data, (size_t)(dash - range.data)};
    struct fray_slice end = fray_slice_skip(range, start.len + 1);
    if (start.len == 0)
        return suffix_range(end, size, out);

    uint64_t first, last = UINT64_MAX;
    if (!read_position(start, &first) || (end.len && !read_position(end, &last)) || first > last)
        return FRAY_ERR_SYNTAX;
    if (first >= size)
        return FRAY_ERR_LIMIT;
    if (last >= size)
        last = size - 1;
    *out = (struct fray_http_range){.first = first, .len = last - first + 1};
    return FRAY_OK;
}

/* If-Range holds a tag or a date. A date is a strong validator only when the file can no longer
 * change within the second it names (RFC 9110 8.8.2.2). */
static bool if_range_holds(const struct fray_http_request *request,
                           const struct fray_http_validators *validators, int64_t now_s)
{
    struct fray_slice value = fray_http_request_header(request, FRAY_HTTP_HEADER_IF_RANGE);
    int64_t date;
    if (!value.data)
        return true;
    if (fray_http_request_repeats(request, FRAY_HTTP_HEADER_IF_RANGE))
        return false;
    if (value.len && etag_len(value) == value.len)
        return validators->etag.len && etags_equal(value, validators->etag, FRAY_HTTP_ETAG_STRONG);
    return read_date(request, FRAY_HTTP_HEADER_IF_RANGE, validators, now_s, &date) &&
           date == validators->modified_s && date < now_s;
}

enum fray_err fray_http_request_range(const struct fray_http_request *request,
                                      const struct fray_http_validators *validators, int64_t now_s,
                                      uint64_t size, struct fray_http_range *out)
{
    struct fray_slice value = fray_http_request_header(request, FRAY_HTTP_HEADER_RANGE);
    if (!value.data || request->method != FRAY_HTTP_GET ||
        !if_range_holds(request, validators, now_s))
        return FRAY_ERR_NOT_FOUND;
    if (fray_http_request_repeats(request, FRAY_HTTP_HEADER_RANGE))
        return FRAY_ERR_SYNTAX;
    return fray_http_range_parse(value, size, out);
}
