#include "wire/http_cookie.h"

struct fray_slice fray_http_cookie_find(struct fray_slice header, struct fray_slice name)
{
    while (header.len) {
        const char *end = memchr(header.data, ';', header.len);
        size_t len = end ? (size_t)(end - header.data) : header.len;
        struct fray_slice pair = fray_http_trim(fray_slice(header.data, len));
        if (fray_slice_starts(pair, name) && pair.len > name.len && pair.data[name.len] == '=')
            return fray_slice_skip(pair, name.len + 1);
        header = fray_slice_skip(header, end ? len + 1 : len);
    }
    return (struct fray_slice){NULL, 0};
}

struct fray_slice fray_http_request_cookie(const struct fray_http_request *request,
                                           struct fray_slice name)
{
    struct fray_slice header, value = {NULL, 0};
    for (size_t cursor = 0;
         !value.data && fray_http_request_next(request, FRAY_HTTP_HEADER_COOKIE, &cursor, &header);)
        value = fray_http_cookie_find(header, name);
    return value;
}
