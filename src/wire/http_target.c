#include "wire/http_target.h"

#include "wire/url.h"

/* The scheme and "//" of an absolute-form, 0 when the target has none that fray serves. */
static size_t scheme_len(struct fray_slice target)
{
    const struct fray_slice schemes[] = {FRAY_SLICE("http://"), FRAY_SLICE("https://")};
    for (size_t at = 0; at < sizeof schemes / sizeof schemes[0]; at++) {
        size_t len = schemes[at].len;
        if (target.len >= len && fray_http_equal(fray_slice(target.data, len), schemes[at]))
            return len;
    }
    return 0;
}

enum fray_err fray_http_target_parse(struct fray_http_target *out, struct fray_slice target,
                                     enum fray_http_method method)
{
    *out = (struct fray_http_target){0};
    if (!fray_http_is_all(target, FRAY_HTTP_TARGET))
        return FRAY_ERR_SYNTAX;
    if (fray_slice_equal(target, FRAY_SLICE("*"))) {
        out->path = target;
        return method == FRAY_HTTP_OPTIONS ? FRAY_OK : FRAY_ERR_SYNTAX;
    }
    if (target.data[0] != '/') {
        size_t skip = scheme_len(target);
        if (skip == 0)
            return FRAY_ERR_SYNTAX;
        target = fray_slice_skip(target, skip);
        size_t len = 0;
        while (len < target.len && target.data[len] != '/' && target.data[len] != '?')
            len++;
        out->authority = fray_slice(target.data, len);
        if (!fray_http_authority_is_valid(out->authority))
            return FRAY_ERR_SYNTAX;
        target = fray_slice_skip(target, len);
    }
    fray_url_split(target, &out->path, &out->query);
    return FRAY_OK;
}

/* reg-name or IPv4address: every '%' begins a pct-encoded (RFC 3986 2.1). */
static bool is_name(struct fray_slice host)
{
    for (size_t at = 0; at < host.len; at++) {
        if (!fray_http_is(host.data[at], FRAY_HTTP_HOST))
            return false;
        if (host.data[at] != '%')
            continue;
        if (host.len - at < 3 ||
            !fray_http_is_all(fray_slice(host.data + at + 1, 2), FRAY_HTTP_HEX))
            return false;
        at += 2;
    }
    return host.len > 0;
}

/* The inside of an IP-literal. Only its alphabet is checked: nobody connects to it. */
static bool is_ipv6(struct fray_slice host)
{
    for (size_t at = 0; at < host.len; at++)
        if (!fray_http_is(host.data[at], FRAY_HTTP_HEX) && host.data[at] != ':' &&
            host.data[at] != '.')
            return false;
    return host.len >= 2 && memchr(host.data, ':', host.len) != NULL;
}

/* ":" *DIGIT, or nothing. */
static bool is_port(struct fray_slice text)
{
    uint64_t port;
    if (text.len == 0)
        return true;
    if (text.data[0] != ':')
        return false;
    text = fray_slice_skip(text, 1);
    return text.len == 0 || (fray_http_uint_parse(text, &port) && port <= UINT16_MAX);
}

bool fray_http_authority_is_valid(struct fray_slice authority)
{
    if (authority.len == 0)
        return false;
    if (authority.data[0] == '[') {
        const char *end = memchr(authority.data, ']', authority.len);
        if (!end)
            return false;
        size_t len = (size_t)(end - authority.data);
        return is_ipv6(fray_slice(authority.data + 1, len - 1)) &&
               is_port(fray_slice_skip(authority, len + 1));
    }
    const char *colon = memchr(authority.data, ':', authority.len);
    size_t len = colon ? (size_t)(colon - authority.data) : authority.len;
    return is_name(fray_slice(authority.data, len)) && is_port(fray_slice_skip(authority, len));
}
