/* The head of an HTTP/1.1 response (RFC 9112 4), appended to a buffer:
 *
 *     fray_http_response_begin(&out, 200);
 *     fray_http_response_date(&out, now_s);
 *     err = fray_http_response_header(&out, FRAY_SLICE("content-type"), type);
 *     fray_http_response_content_length(&out, body.len);
 *     fray_http_response_end(&out);
 *
 * Only names and values can be wrong, and those are checked: nothing that an application passes on
 * can begin another header or another response. Pure; the caller owns the buffer. */
#ifndef FRAY_WIRE_HTTP_RESPONSE_H
#define FRAY_WIRE_HTTP_RESPONSE_H

#include "base/buf.h"
#include "fray/err.h"

/* The status line. `status` is 100 to 599, the caller's promise: anything else is written as 500.
 */
void fray_http_response_begin(struct fray_buf *out, unsigned status);

/* One field line. FRAY_ERR_SYNTAX, and nothing written, when the name is no token, or the value
 * holds a control character (CR, LF, NUL; HTAB is allowed) or begins or ends with a blank. */
enum fray_err fray_http_response_header(struct fray_buf *out, struct fray_slice name,
                                        struct fray_slice value) FRAY_MUST_CHECK;

void fray_http_response_content_length(struct fray_buf *out, uint64_t len);
void fray_http_response_date(struct fray_buf *out, int64_t unix_s);          /* Date */
void fray_http_response_last_modified(struct fray_buf *out, int64_t unix_s); /* Last-Modified */
void fray_http_response_content_range(struct fray_buf *out, uint64_t first, uint64_t last,
                                      uint64_t size);                            /* for 206 */
void fray_http_response_content_range_none(struct fray_buf *out, uint64_t size); /* for 416 */
void fray_http_response_connection_close(struct fray_buf *out);

/* The empty line after the last field. */
void fray_http_response_end(struct fray_buf *out);

/* True when a response with this status has no body, whatever its headers say (RFC 9112 6.3);
 * neither Content-Length nor Transfer-Encoding belongs to 1xx and 204. */
bool fray_http_status_is_bodiless(unsigned status);

#endif
