#include "wire/websocket_deflate.h"

#include <assert.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/mem.h"
#include "wire/utf8.h"

enum {
    BITS_MAX = 15,
    INFLATED_KEEP = 64 * 1024, /* a larger buffer is given back before the next message */
    INFLATE_STEP = 4096,
    DEFLATE_STEP_MAX = 1 << 30,
};

/* What a sender takes off the end of each message and its receiver puts back: the length of the
 * empty stored block that a sync flush ends with (RFC 7692 section 7.2.1). */
static const uint8_t flush_tail[4] = {0x00, 0x00, 0xFF, 0xFF};

static void *stream_alloc(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    return fray_alloc((size_t)items * size);
}

static void stream_free(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static z_stream *stream_create(void)
{
    z_stream *stream = fray_alloc_zero(sizeof *stream);
    stream->zalloc = stream_alloc;
    stream->zfree = stream_free;
    return stream;
}

/* zlib makes no raw stream with a window of 2^8. One of 2^9 serves: deflate never looks back
 * further than the window less 262 bytes (its MIN_LOOKAHEAD), so no distance exceeds 250. */
static unsigned deflate_bits(const struct fray_websocket_deflate *deflate)
{
    return deflate->send_bits < 9 ? 9 : deflate->send_bits;
}

static z_stream *deflate_create(const struct fray_websocket_deflate_config *config, unsigned bits)
{
    z_stream *stream = stream_create();
    int err = deflateInit2(stream, config->level, Z_DEFLATED, -(int)bits, config->memory_level,
                           Z_DEFAULT_STRATEGY);
    assert(err == Z_OK);
    return stream;
}

static z_stream *inflate_create(unsigned bits)
{
    z_stream *stream = stream_create();
    int err = inflateInit2(stream, -(int)bits);
    assert(err == Z_OK);
    return stream;
}

static void deflate_destroy(z_stream **stream)
{
    if (*stream)
        deflateEnd(*stream);
    free(*stream);
    *stream = NULL;
}

static void inflate_destroy(z_stream **stream)
{
    if (*stream)
        inflateEnd(*stream);
    free(*stream);
    *stream = NULL;
}

void fray_websocket_deflate_deinit(struct fray_websocket_deflate *deflate)
{
    deflate_destroy(&deflate->deflate);
    inflate_destroy(&deflate->inflate);
}

void fray_websocket_deflate_worker_init(struct fray_websocket_deflate_worker *worker,
                                        const struct fray_websocket_deflate_config *config)
{
    *worker = (struct fray_websocket_deflate_worker){.config = *config};
}

void fray_websocket_deflate_worker_deinit(struct fray_websocket_deflate_worker *worker)
{
    for (size_t i = 0; i < sizeof worker->deflate / sizeof *worker->deflate; i++)
        deflate_destroy(&worker->deflate[i]);
    inflate_destroy(&worker->inflate);
    fray_buf_deinit(&worker->inflated);
}

/* Everything out, on a byte's boundary. */
static int deflate_flush(z_stream *stream)
{
    return deflate(stream, Z_SYNC_FLUSH);
}

/* The stream for the next message: the connection's own, or the worker's as if new. */
static z_stream *deflate_stream(struct fray_websocket_deflate *deflate,
                                struct fray_websocket_deflate_worker *worker)
{
    unsigned bits = deflate_bits(deflate);
    z_stream **stream = deflate->send_takeover ? &deflate->deflate : &worker->deflate[bits];
    if (!*stream)
        *stream = deflate_create(&worker->config, bits);
    else if (!deflate->send_takeover)
        deflateReset(*stream);
    return *stream;
}

static z_stream *inflate_stream(struct fray_websocket_deflate *deflate,
                                struct fray_websocket_deflate_worker *worker)
{
    z_stream **stream = deflate->receive_takeover ? &deflate->inflate : &worker->inflate;
    if (!*stream)
        *stream = inflate_create(deflate->receive_takeover ? deflate->receive_bits : BITS_MAX);
    else if (!deflate->receive_takeover)
        inflateReset(*stream);
    return *stream;
}

bool fray_websocket_deflate_payload(struct fray_websocket_deflate *deflate,
                                    struct fray_websocket_deflate_worker *worker,
                                    struct fray_slice payload, struct fray_buf *out)
{
    assert(payload.len <= UINT32_MAX);
    if (payload.len < worker->config.threshold)
        return false;
    if (payload.len == 0) { /* an empty stored block less its tail (section 7.2.3.6) */
        fray_buf_append_byte(out, 0);
        return true;
    }
    z_stream *stream = deflate_stream(deflate, worker);
    stream->next_in = (const Bytef *)payload.data;
    stream->avail_in = (uInt)payload.len;
    size_t start = out->len;
    size_t step = deflateBound(stream, payload.len) + 16;
    if (step > DEFLATE_STEP_MAX)
        step = DEFLATE_STEP_MAX;
    do {
        stream->next_out = (Bytef *)fray_buf_reserve(out, step);
        stream->avail_out = (uInt)step;
        int err = deflate_flush(stream);
        assert(err == Z_OK || err == Z_BUF_ERROR);
        out->len += step - stream->avail_out;
    } while (stream->avail_out == 0);
    out->len -= sizeof flush_tail;
    assert(out->len > start && !memcmp(out->data + out->len, flush_tail, sizeof flush_tail));
    if (deflate->send_takeover || out->len - start < payload.len)
        return true;
    out->len = start; /* nothing was won */
    return false;
}

/* Inflates all of `in` behind what `out` holds. `*ended`: it stopped right behind a final block. */
static enum fray_err inflate_run(z_stream *stream, struct fray_slice in, size_t max,
                                 struct fray_buf *out, bool *ended)
{
    stream->next_in = (const Bytef *)in.data;
    stream->avail_in = (uInt)in.len;
    for (;;) {
        size_t room = max - out->len + 1; /* one more than allowed tells a message too long */
        stream->next_out =
            (Bytef *)fray_buf_reserve(out, room < INFLATE_STEP ? room : INFLATE_STEP);
        if (room > out->cap - out->len)
            room = out->cap - out->len;
        if (room > UINT32_MAX)
            room = UINT32_MAX;
        stream->avail_out = (uInt)room;
        int err = inflate(stream, Z_SYNC_FLUSH);
        out->len += room - stream->avail_out;
        if (out->len > max)
            return FRAY_ERR_LIMIT;
        *ended = err == Z_STREAM_END;
        if (err == Z_STREAM_END) {
            /* Blocks may follow a final one (section 7.2.3.4), and may look back beyond it:
             * begin anew, with the window kept. */
            inflateResetKeep(stream);
            if (stream->avail_in == 0)
                return FRAY_OK;
        } else if (err != Z_OK && err != Z_BUF_ERROR) {
            return FRAY_ERR_SYNTAX;
        } else if (stream->avail_out) {
            return FRAY_OK;
        }
    }
}

static enum fray_err message_inflate(z_stream *stream, struct fray_slice in, size_t max,
                                     struct fray_buf *out)
{
    if (in.len == 0) /* what some senders make of an empty message */
        return FRAY_OK;
    bool ended;
    enum fray_err err = inflate_run(stream, in, max, out, &ended);
    if (err || ended)
        return err;
    err = inflate_run(stream, fray_slice(flush_tail, sizeof flush_tail), max, out, &ended);
    if (err || ended)
        return err;
    /* Bit 7: between two blocks. Anywhere else the message was cut short. */
    return stream->data_type & 0x80 ? FRAY_OK : FRAY_ERR_SYNTAX;
}

enum fray_err fray_websocket_inflate(struct fray_websocket_deflate *deflate,
                                     struct fray_websocket_deflate_worker *worker,
                                     uint32_t message_max, struct fray_websocket_event *event)
{
    if (!event->compressed)
        return FRAY_OK;
    struct fray_buf *out = &worker->inflated;
    if (out->cap > INFLATED_KEEP)
        fray_buf_deinit(out);
    out->len = 0;
    enum fray_err err =
        message_inflate(inflate_stream(deflate, worker), event->payload, message_max, out);
    if (err)
        return fray_websocket_event_fail(event, err,
                                         err == FRAY_ERR_LIMIT ? "message too long when inflated"
                                                               : "message is not deflated");
    event->payload = fray_buf_slice(out);
    event->compressed = false;
    if (event->opcode == FRAY_WEBSOCKET_TEXT && !fray_utf8_valid(event->payload))
        return fray_websocket_event_fail(event, FRAY_ERR_UTF8, "text is not UTF-8");
    return FRAY_OK;
}
