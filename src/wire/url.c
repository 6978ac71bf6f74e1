#include "wire/url.h"

#include "wire/http.h"

void fray_url_split(struct fray_slice target, struct fray_slice *path, struct fray_slice *query)
{
    const char *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
    *path = target;
    *query = (struct fray_slice){NULL, 0};
    if (mark) {
        path->len = (size_t)(mark - target.data);
        *query = fray_slice_skip(target, path->len + 1);
    }
}

/* Decodes to `to`, which has room for text.len bytes; false for what fray_url_decode refuses. */
static bool decode(struct fray_slice text, bool plus_is_space, char *to, size_t *len)
{
    char *start = to;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.data[at];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            if (text.len - at < 3 || !fray_http_is(text.data[at + 1], FRAY_HTTP_HEX) ||
                !fray_http_is(text.data[at + 2], FRAY_HTTP_HEX))
                return false;
            c = (char)(fray_http_hex(text.data[at + 1]) << 4 | fray_http_hex(text.data[at + 2]));
            at += 2;
        }
        if (c == '\0')
            return false;
        *to++ = c;
    }
    *len = (size_t)(to - start);
    return true;
}

enum fray_err fray_url_decode(struct fray_slice text, struct fray_buf *out)
{
    size_t len;
    if (text.len == 0)
        return FRAY_OK;
    if (!decode(text, false, fray_buf_reserve(out, text.len), &len))
        return FRAY_ERR_SYNTAX;
    out->len += len;
    return FRAY_OK;
}

/* Replaces a part of a query by its decoded form in `scratch`, which has room already, or leaves it
 * alone when it is the same. */
static bool decode_part(struct fray_slice *part, struct fray_buf *scratch)
{
    bool encoded = false;
    for (size_t at = 0; at < part->len; at++) {
        char c = part->data[at];
        encoded |= c == '%' || c == '+' || c == '\0';
    }
    if (!encoded)
        return true;
    size_t len;
    char *to = scratch->data + scratch->len;
    if (!decode(*part, true, to, &len))
        return false;
    scratch->len += len;
    *part = fray_slice(to, len);
    return true;
}

enum fray_err fray_url_query_next(struct fray_slice *rest, struct fray_buf *scratch,
                                  struct fray_url_param *out)
{
    struct fray_slice pair = {NULL, 0};
    while (rest->len && pair.len == 0) {
        const char *end = memchr(rest->data, '&', rest->len);
        pair = fray_slice(rest->data, end ? (size_t)(end - rest->data) : rest->len);
        *rest = fray_slice_skip(*rest, end ? pair.len + 1 : pair.len);
    }
    if (pair.len == 0)
        return FRAY_ERR_NOT_FOUND;

    *out = (struct fray_url_param){.name = pair};
    const char *equals = memchr(pair.data, '=', pair.len);
    if (equals) {
        out->name.len = (size_t)(equals - pair.data);
        out->value = fray_slice_skip(pair, out->name.len + 1);
    }
    scratch->len = 0;
    fray_buf_reserve(scratch, pair.len); /* once for both parts: a second growth might move it */
    if (!decode_part(&out->name, scratch) || !decode_part(&out->value, scratch))
        return FRAY_ERR_SYNTAX;
    return FRAY_OK;
}

enum fray_err fray_url_query_find(struct fray_slice query, const char *name,
                                  struct fray_buf *scratch, struct fray_slice *value)
{
    struct fray_url_param param;
    enum fray_err err;
    while (!(err = fray_url_query_next(&query, scratch, &param))) {
        if (fray_slice_equal(param.name, fray_slice_of(name))) {
            *value = param.value.data ? param.value : FRAY_SLICE("");
            return FRAY_OK;
        }
    }
    return err;
}

/* A path segment as a file's name may be: nothing that the file system or a C string would take for
 * something else. */
static bool is_file_name(struct fray_slice segment)
{
    for (size_t at = 0; at < segment.len; at++) {
        unsigned char c = (unsigned char)segment.data[at];
        if (c < 0x20 || c == 0x7F || c == '/' || c == '\\')
            return false;
    }
    return true;
}

/* Drops the last segment of "/a/b/", giving "/a/"; false at the root. `start` is where the path
 * begins in the buffer. */
static bool climb(struct fray_buf *out, size_t start)
{
    if (out->len == start + 1)
        return false;
    out->len--;
    while (out->data[out->len - 1] != '/')
        out->len--;
    return true;
}

/* Appends one decoded segment to a path that ends in '/'. Decoding comes before the dots are looked
 * at, so that "%2e%2e" is the same as "..". */
static enum fray_err append_segment(struct fray_slice raw, bool last, struct fray_buf *out,
                                    size_t start)
{
    size_t before = out->len;
    if (fray_url_decode(raw, out))
        return FRAY_ERR_SYNTAX;
    struct fray_slice segment = {out->data + before, out->len - before};
    if (!is_file_name(segment))
        return FRAY_ERR_SYNTAX;
    if (fray_slice_equal(segment, FRAY_SLICE(".."))) {
        out->len = before;
        return climb(out, start) ? FRAY_OK : FRAY_ERR_DENIED;
    }
    if (segment.len == 0 || fray_slice_equal(segment, FRAY_SLICE("."))) {
        out->len = before;
        return FRAY_OK;
    }
    if (!last)
        fray_buf_append_byte(out, '/');
    return FRAY_OK;
}

enum fray_err fray_url_path_normalise(struct fray_slice path, struct fray_buf *out)
{
    if (path.len == 0 || path.data[0] != '/')
        return FRAY_ERR_SYNTAX;
    size_t start = out->len;
    fray_buf_append_byte(out, '/');
    struct fray_slice rest = fray_slice_skip(path, 1);
    bool last = false;
    while (!last) {
        const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
        struct fray_slice raw = {rest.data, slash ? (size_t)(slash - rest.data) : rest.len};
        last = slash == NULL;
        enum fray_err err = append_segment(raw, last, out, start);
        if (err) {
            out->len = start;
            return err;
        }
        if (!last)
            rest = fray_slice_skip(rest, raw.len + 1);
    }
    return FRAY_OK;
}
