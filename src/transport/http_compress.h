/* Compresses the body of a reply for a client that asked for it (RFC 9110 8.4.1): gzip (RFC 1952)
 * or deflate, which is zlib's format (RFC 1950).
 *
 * A compressor keeps its state between bodies, about 270 KB of each kind that was ever used: one
 * for each worker. One thread. */
#ifndef FRAY_TRANSPORT_HTTP_COMPRESS_H
#define FRAY_TRANSPORT_HTTP_COMPRESS_H

#include "base/buf.h"
#include "wire/http_encoding.h"

struct z_stream_s;

/* Zero-initialised is ready. */
struct fray_http_compressor {
    struct z_stream_s *gzip, *deflate; /* NULL: not yet used */
};

void fray_http_compressor_deinit(struct fray_http_compressor *compressor);

/* The encodings that it makes, bits 1u << enum fray_http_encoding. */
enum {
    FRAY_HTTP_COMPRESSIONS = 1u << FRAY_HTTP_ENCODING_GZIP | 1u << FRAY_HTTP_ENCODING_DEFLATE |
                             1u << FRAY_HTTP_ENCODING_IDENTITY,
};

/* Appends `text` compressed. False, and nothing appended: with this encoding, or for this text, it
 * does not pay. */
bool fray_http_compress(struct fray_http_compressor *compressor, enum fray_http_encoding encoding,
                        struct fray_slice text, struct fray_buf *out);

#endif
