/* The body of an HTTP/1.1 request, cut out of the byte stream as it arrives: Content-Length or
 * chunked (RFC 9112 6, 7.1). Decoded bytes are slices of the input; nothing is copied or kept.
 * Chunk extensions and trailer fields are checked, counted and dropped. Pure.
 *
 *     do {
 *         err = fray_http_body_decode(&body, bytes, &piece, &consumed);
 *         ... use piece, which may be empty ...
 *         bytes = fray_slice_skip(bytes, consumed);
 *     } while (err == FRAY_ERR_AGAIN && bytes.len > 0);
 *
 * The caller owns the struct; one thread at a time. */
#ifndef FRAY_WIRE_HTTP_BODY_H
#define FRAY_WIRE_HTTP_BODY_H

#include "fray/err.h"
#include "wire/http_request.h"

enum {
    /* Bytes of chunk extensions and trailers that one body may carry: no client of ours sends any,
     * and without a bound they are a way to be sent bytes that count for nothing. */
    FRAY_HTTP_BODY_EXTRA_MAX = 4096,
};

struct fray_http_body {
    uint64_t remaining; /* bytes of data still to come in this chunk, or in all */
    uint64_t received;  /* bytes of data announced so far */
    uint64_t max;
    uint16_t status; /* what to answer after an error: 400, 413 or 431 */
    uint16_t extra;  /* bytes of extensions and trailers so far */
    uint8_t digits;  /* of the chunk size being read */
    uint8_t state;
    bool chunked;
};

/* Takes the framing from a parsed request. `max` is what the decoded body may be at most, in bytes.
 * FRAY_ERR_LIMIT (413) when Content-Length says already that it is more. */
enum fray_err fray_http_body_init(struct fray_http_body *body,
                                  const struct fray_http_request *request,
                                  uint64_t max) FRAY_MUST_CHECK;

/* Reads on. `*piece` is the next run of data, `*consumed` how many bytes were dealt with, that run
 * included. FRAY_OK: the body is complete and what follows belongs to the next request (at once for
 * a request without a body). FRAY_ERR_AGAIN: there is more to come; call again with what was not
 * consumed, and with more once all was. FRAY_ERR_SYNTAX (400), FRAY_ERR_LIMIT (413, 431): answer
 * body->status and close. FRAY_ERR_STATE after such an error. */
enum fray_err fray_http_body_decode(struct fray_http_body *body, struct fray_slice bytes,
                                    struct fray_slice *piece, size_t *consumed) FRAY_MUST_CHECK;

#endif
