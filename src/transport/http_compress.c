#include "transport/http_compress.h"

#include <assert.h>
#include <zlib.h>

#include "base/mem.h"

enum {
    LEVEL = 1,        /* a reply waits for it; the step to 6 saves some 5 % and costs twice */
    GZIP_BITS = 31,   /* the largest window, gzip's frame */
    ZLIB_BITS = 15,   /* the same in zlib's frame */
    MEMORY_LEVEL = 8, /* zlib's default */
};

static z_stream *stream_of(struct z_stream_s **slot, int bits)
{
    if (*slot) {
        deflateReset(*slot);
        return *slot;
    }
    *slot = fray_alloc_zero(sizeof **slot);
    int code = deflateInit2(*slot, LEVEL, Z_DEFLATED, bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    assert(code == Z_OK);
    return *slot;
}

static void end(struct z_stream_s *stream)
{
    if (stream)
        deflateEnd(stream);
    free(stream);
}

void fray_http_compressor_deinit(struct fray_http_compressor *compressor)
{
    end(compressor->gzip);
    end(compressor->deflate);
    *compressor = (struct fray_http_compressor){0};
}

bool fray_http_compress(struct fray_http_compressor *compressor, enum fray_http_encoding encoding,
                        struct fray_slice text, struct fray_buf *out)
{
    z_stream *stream;
    if (text.len == 0 || text.len > UINT32_MAX / 2)
        return false;
    if (encoding == FRAY_HTTP_ENCODING_GZIP)
        stream = stream_of(&compressor->gzip, GZIP_BITS);
    else if (encoding == FRAY_HTTP_ENCODING_DEFLATE)
        stream = stream_of(&compressor->deflate, ZLIB_BITS);
    else
        return false;
    stream->next_in = (unsigned char *)text.data;
    stream->avail_in = (unsigned)text.len;
    stream->next_out = (unsigned char *)fray_buf_reserve(out, text.len);
    stream->avail_out = (unsigned)text.len; /* what does not get smaller is sent as it is */
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return false;
    out->len += text.len - stream->avail_out;
    return true;
}
