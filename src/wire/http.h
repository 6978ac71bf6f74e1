/* The words of HTTP/1.1 (RFC 9110, RFC 9112) that its codecs share: methods, the header names that
 * everybody asks for, classes of characters, comma-separated lists, reason phrases.
 * Pure: no I/O, no clock, no state. Any thread. */
#ifndef FRAY_WIRE_HTTP_H
#define FRAY_WIRE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum fray_http_method {
    FRAY_HTTP_METHOD_NONE = 0, /* not a method fray knows: 501 */
    FRAY_HTTP_GET,
    FRAY_HTTP_HEAD,
    FRAY_HTTP_POST,
    FRAY_HTTP_PUT,
    FRAY_HTTP_DELETE,
    FRAY_HTTP_OPTIONS,
    FRAY_HTTP_PATCH,
    FRAY_HTTP_TRACE,
    FRAY_HTTP_CONNECT, /* known so that it can be refused */
};

/* Methods are case-sensitive (RFC 9110 9.1). */
enum fray_http_method fray_http_method_lookup(struct fray_slice name);
const char *fray_http_method_name(enum fray_http_method method); /* "" for none */

/* Request headers with an id of their own. Sorted by length: http.c looks up by length first. */
#define FRAY_HTTP_HEADERS(X)                                                                       \
    X(HOST, "host")                                                                                \
    X(RANGE, "range")                                                                              \
    X(ACCEPT, "accept")                                                                            \
    X(COOKIE, "cookie")                                                                            \
    X(EXPECT, "expect")                                                                            \
    X(ORIGIN, "origin")                                                                            \
    X(REFERER, "referer")                                                                          \
    X(UPGRADE, "upgrade")                                                                          \
    X(IF_MATCH, "if-match")                                                                        \
    X(IF_RANGE, "if-range")                                                                        \
    X(FORWARDED, "forwarded")                                                                      \
    X(CONNECTION, "connection")                                                                    \
    X(USER_AGENT, "user-agent")                                                                    \
    X(CONTENT_TYPE, "content-type")                                                                \
    X(AUTHORIZATION, "authorization")                                                              \
    X(CACHE_CONTROL, "cache-control")                                                              \
    X(IF_NONE_MATCH, "if-none-match")                                                              \
    X(CONTENT_LENGTH, "content-length")                                                            \
    X(SEC_FETCH_SITE, "sec-fetch-site")                                                            \
    X(ACCEPT_ENCODING, "accept-encoding")                                                          \
    X(ACCEPT_LANGUAGE, "accept-language")                                                          \
    X(X_FORWARDED_FOR, "x-forwarded-for")                                                          \
    X(CONTENT_ENCODING, "content-encoding")                                                        \
    X(X_FORWARDED_HOST, "x-forwarded-host")                                                        \
    X(IF_MODIFIED_SINCE, "if-modified-since")                                                      \
    X(SEC_WEBSOCKET_KEY, "sec-websocket-key")                                                      \
    X(TRANSFER_ENCODING, "transfer-encoding")                                                      \
    X(X_FORWARDED_PROTO, "x-forwarded-proto")                                                      \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since")                                                  \
    X(SEC_WEBSOCKET_VERSION, "sec-websocket-version")                                              \
    X(SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol")                                            \
    X(SEC_WEBSOCKET_EXTENSIONS, "sec-websocket-extensions")                                        \
    X(ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method")                              \
    X(ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers")

enum fray_http_header {
    FRAY_HTTP_HEADER_OTHER = 0, /* every name without an id */
#define FRAY_HTTP_HEADER_ID(id, name) FRAY_HTTP_HEADER_##id,
    FRAY_HTTP_HEADERS(FRAY_HTTP_HEADER_ID)
#undef FRAY_HTTP_HEADER_ID
        FRAY_HTTP_HEADER_COUNT
};

/* The id of a field name in any case, FRAY_HTTP_HEADER_OTHER when it has none. `name` is a token:
 * of other bytes some may be taken for "-". */
enum fray_http_header fray_http_header_lookup(struct fray_slice name);

/* Bits of fray_http_class. */
enum {
    FRAY_HTTP_TOKEN = 1, /* tchar (RFC 9110 5.6.2) */
    FRAY_HTTP_VALUE = 2, /* field-vchar, SP, HTAB: what a field value may hold (RFC 9110 5.5) */
    FRAY_HTTP_TARGET =
        4, /* request-target: what URIs and browsers put there, no '"', '#', '<', '>' */
    FRAY_HTTP_HOST = 8, /* reg-name: unreserved, sub-delims and '%' (RFC 3986 3.2.2) */
    FRAY_HTTP_HEX = 16, /* HEXDIG of either case */
};
extern const uint8_t fray_http_class[256];

static inline bool fray_http_is(char c, unsigned classes)
{
    return (fray_http_class[(uint8_t)c] & classes) != 0;
}

/* True when the text is not empty and all of it is of the class. */
bool fray_http_is_all(struct fray_slice text, unsigned classes);
bool fray_http_is_token(struct fray_slice text);
/* True for any field value without a control character other than HTAB, also for the empty one. */
bool fray_http_is_value(struct fray_slice text);
/* The digit's value; 0 to 15. `c` must be of FRAY_HTTP_HEX. */
unsigned fray_http_hex(char c);

/* ASCII letters compare equal in either case; every other byte only to itself. */
bool fray_http_equal(struct fray_slice a, struct fray_slice b);

/* Without the SP and HTAB around it (OWS, RFC 9110 5.6.3). */
struct fray_slice fray_http_trim(struct fray_slice text);

/* Cuts the next element off a comma-separated list (RFC 9110 5.6.1), trimmed; empty elements are
 * skipped, commas inside a quoted-string do not separate. False at the end. */
bool fray_http_list_next(struct fray_slice *rest, struct fray_slice *element);

/* 1*DIGIT without sign, space or overflow; false for anything else. */
bool fray_http_uint_parse(struct fray_slice text, uint64_t *value);

/* The reason phrase of a status (RFC 9110 15, RFC 6585), "" for one that fray never sends. */
const char *fray_http_reason(unsigned status);

#endif
