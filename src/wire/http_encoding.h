/* Which content coding a client takes: Accept-Encoding with its weights (RFC 9110 12.5.3).
 * Pure; any thread. */
#ifndef FRAY_WIRE_HTTP_ENCODING_H
#define FRAY_WIRE_HTTP_ENCODING_H

#include "wire/http_request.h"

/* In the order in which fray prefers them where the client does not care. */
enum fray_http_encoding {
    FRAY_HTTP_ENCODING_BR,
    FRAY_HTTP_ENCODING_GZIP,
    FRAY_HTTP_ENCODING_DEFLATE,
    FRAY_HTTP_ENCODING_IDENTITY,
    FRAY_HTTP_ENCODING_COUNT, /* as an answer: none of those on offer */
};

/* What a client accepts: its weight for each coding, in thousandths; 0 is "not acceptable". */
struct fray_http_encodings {
    uint16_t weight[FRAY_HTTP_ENCODING_COUNT];
};

/* Reads every Accept-Encoding of a request. Without any, only identity is taken to be acceptable:
 * such a client is no browser. Elements that break the grammar are skipped. */
void fray_http_encodings_read(struct fray_http_encodings *out,
                              const struct fray_http_request *request);

/* The best of those on offer, bits `1u << enum fray_http_encoding`; FRAY_HTTP_ENCODING_COUNT when
 * the client takes none of them (406, or identity all the same: RFC 9110 12.5.3 leaves the choice).
 */
enum fray_http_encoding fray_http_encodings_choose(const struct fray_http_encodings *accepted,
                                                   unsigned offered);

/* The coding's name as in Content-Encoding. */
const char *fray_http_encoding_name(enum fray_http_encoding encoding);

#endif
