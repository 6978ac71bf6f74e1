/* Base64 (RFC 4648 section 4), standard alphabet. Pure; any thread. */
#ifndef FRAY_WIRE_BASE64_H
#define FRAY_WIRE_BASE64_H

#include "base/buf.h"
#include "fray/err.h"

static inline size_t fray_base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes fray_base64_encoded_len(data.len) characters to `out`, no terminator. */
void fray_base64_encode(char *out, struct fray_slice data);

/* Appends the encoded form. */
void fray_base64_append(struct fray_buf *out, struct fray_slice data);

/* Appends the decoded bytes. FRAY_ERR_SYNTAX, and nothing appended, unless the text is whole
 * quadruples of the alphabet with the padding that its length asks for: no line breaks, no spaces.
 * Unused bits before the padding may be set, as in browsers (RFC 4648 section 3.5 allows both). */
FRAY_MUST_CHECK enum fray_err fray_base64_decode(struct fray_buf *out, struct fray_slice text);

#endif
