/* The head of an HTTP/1.1 or HTTP/1.0 request, read strictly, as a server must (RFC 9112 2 to 7).
 *
 * The parser copies nothing: a request remembers where its parts lie in the bytes that it was
 * given, as offsets, so the buffer may move between calls. It resumes: each call looks at new bytes
 * only. Feeding a head whole or byte by byte gives the same result.
 *
 *     struct fray_http_request request;
 *     fray_http_request_init(&request);
 *     err = fray_http_request_parse(&request, received, &limits, &consumed);
 *     FRAY_ERR_AGAIN: keep the bytes, call again with the same ones and more behind them
 *     FRAY_OK:        `consumed` bytes were the head, what follows is body or the next request
 *     other:          answer request.status, then close: the framing is lost
 *
 * The request is plain memory of about a kilobyte; the caller owns it, on the stack if it likes,
 * and may copy it. Slices from the accessors live as long as the bytes given to the last parse
 * call. One thread at a time. */
#ifndef FRAY_WIRE_HTTP_REQUEST_H
#define FRAY_WIRE_HTTP_REQUEST_H

#include "fray/err.h"
#include "wire/http.h"

enum {
    FRAY_HTTP_HEAD_MAX = UINT16_MAX, /* bytes; offsets are 16 bits wide */
    FRAY_HTTP_FIELDS_MAX = 100,      /* header lines of one request */
    FRAY_HTTP_NAME_MAX = UINT8_MAX,  /* bytes of a field name */
};

/* What a head may be at most. Larger limits than the constants above count as those. */
struct fray_http_limits {
    uint32_t line_max;   /* bytes of the request line without its CRLF: beyond, 414 */
    uint32_t head_max;   /* bytes of the head with all its CRLFs: beyond, 431 */
    uint32_t fields_max; /* header lines: beyond, 431 */
};

/* 8,000 bytes of request line (what RFC 9112 3 recommends), 16 KiB of head, 100 header lines. */
struct fray_http_limits fray_http_limits_default(void);

struct fray_http_span {
    uint16_t at, len; /* in the bytes of the head */
};

struct fray_http_field_span {
    uint16_t name_at, value_at, value_len;
    uint8_t name_len, id;
};

struct fray_http_request {
    /* Set once the parser returned FRAY_OK. */
    uint64_t content_length; /* 0 unless has_content_length */
    uint8_t method;          /* enum fray_http_method, never none and never CONNECT */
    uint8_t minor;           /* of the version: 0 or 1; a higher one counts as 1 (RFC 9110 2.5) */
    bool has_content_length;
    bool chunked;           /* Transfer-Encoding: chunked; excludes has_content_length */
    bool keep_alive;        /* the connection may serve another request (RFC 9112 9.3) */
    bool expect_continue;   /* a 100 is awaited before the body (RFC 9110 10.1.1) */
    bool upgrade;           /* Connection lists "upgrade" and Upgrade names a protocol */
    bool upgrade_websocket; /* and Upgrade lists "websocket" (RFC 6455 4.2.1) */

    /* Set when it returned an error other than FRAY_ERR_AGAIN. */
    uint16_t status;     /* 400, 414, 417, 431, 501 or 505 */
    const char *problem; /* a few words for the log; static storage */

    /* Private: use the accessors. */
    const char *data;
    uint64_t repeated; /* bit `id`: that header came more than once */
    struct fray_http_span target, authority, path, query;
    uint16_t line_at; /* where the first unread line begins */
    uint16_t scanned; /* no LF between line_at and here */
    uint8_t state;
    bool has_query;
    uint8_t field_count;
    uint8_t first[FRAY_HTTP_HEADER_COUNT]; /* 1 + index of the first field with that id, or 0 */
    struct fray_http_field_span fields[FRAY_HTTP_FIELDS_MAX];
};

void fray_http_request_init(struct fray_http_request *request);

/* Reads on. `bytes` begins at the same byte in every call for one request and may go on beyond its
 * head. `*consumed` is 0 unless FRAY_OK. One empty line before the request line is skipped
 * (RFC 9112 2.2). Returns FRAY_ERR_AGAIN until the head is complete; FRAY_ERR_SYNTAX (400),
 * FRAY_ERR_LIMIT (414, 431) or FRAY_ERR_UNSUPPORTED (417, 501, 505) with request->status set;
 * FRAY_ERR_STATE when this request is finished or failed already. */
enum fray_err fray_http_request_parse(struct fray_http_request *request, struct fray_slice bytes,
                                      const struct fray_http_limits *limits,
                                      size_t *consumed) FRAY_MUST_CHECK;

/* The rest is for a request that was parsed to FRAY_OK. */

struct fray_slice fray_http_request_target(const struct fray_http_request *request); /* as sent */
/* Percent-encoded as sent; "/" when an absolute-form has none, "*" for the server as a whole. */
struct fray_slice fray_http_request_path(const struct fray_http_request *request);
/* Without its '?'; data is NULL when there is none. */
struct fray_slice fray_http_request_query(const struct fray_http_request *request);
/* host[:port] of the absolute-form, which goes first (RFC 9112 3.2.2), or of Host; data is NULL
 * when an HTTP/1.0 request has neither. */
struct fray_slice fray_http_request_host(const struct fray_http_request *request);

/* The value of the first field with that id or name; data is NULL when there is none, and is not
 * when the value is empty. */
struct fray_slice fray_http_request_header(const struct fray_http_request *request,
                                           enum fray_http_header id);
struct fray_slice fray_http_request_find(const struct fray_http_request *request,
                                         struct fray_slice name);

static inline bool fray_http_request_has(const struct fray_http_request *request,
                                         enum fray_http_header id)
{
    return request->first[id] != 0;
}

/* True when the header came more than once: an attack or a mistake where it is not a list. */
static inline bool fray_http_request_repeats(const struct fray_http_request *request,
                                             enum fray_http_header id)
{
    return (request->repeated >> id & 1) != 0;
}

/* All values of one header, in order: start with *cursor = 0; false after the last. */
bool fray_http_request_next(const struct fray_http_request *request, enum fray_http_header id,
                            size_t *cursor, struct fray_slice *value);

/* True when one of the header's comma-separated lists holds the token, in any case. */
bool fray_http_request_lists(const struct fray_http_request *request, enum fray_http_header id,
                             struct fray_slice token);

/* Every field in order of arrival; false when `index` is beyond the last. */
bool fray_http_request_field(const struct fray_http_request *request, size_t index,
                             struct fray_slice *name, struct fray_slice *value);

#endif
