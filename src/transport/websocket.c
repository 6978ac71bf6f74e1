#include "transport/websocket.h"

#include <assert.h>

#include "base/mem.h"

enum {
    DEFLATED_MAX = 64 * 1024, /* bytes that are compressed ahead of what the kernel took */
    PONGS_MAX = 64 * 1024,    /* bytes that may wait and another pong is still put behind them */
    PONG_MAX = 125,           /* RFC 6455 5.5 */
};

/* What an idle link does without. */
struct websocket_extra {
    /* Bytes to be written before the next message: the handshake's reply, pongs; with deflate also
     * the frames that were compressed, since each connection has its own. */
    struct fray_buf own;
    struct fray_websocket_deflate deflate;
    bool has_deflate;
    /* Of a peer that pings faster than it reads only the last ping is kept (RFC 6455 5.5.3), until
     * `own` is written. */
    bool owes_pong;
    uint8_t pong_len;
    char pong[PONG_MAX];
};

struct websocket {
    struct fray_link link; /* first */
    struct fray_websocket_service *service;
    struct fray_stream *stream;
    struct fray_websocket_decoder decoder;
    struct websocket_extra *extra; /* NULL: nothing of it is needed */
};

static struct websocket *websocket_of(struct fray_link *link)
{
    return (struct websocket *)link;
}

static const struct fray_link_ops link_ops;
static const struct fray_stream_handler stream_handler;
static void on_flush(struct fray_link *link);

void fray_websocket_service_init(struct fray_websocket_service *service, struct fray_worker *worker)
{
    struct fray_websocket_deflate_config config = fray_websocket_deflate_config_default();
    fray_outbox_writer_init(&service->writer, worker);
    service->close_timeout_ms = 2000;
    fray_websocket_hash_init(&service->hash);
    fray_websocket_deflate_worker_init(&service->deflate, &config);
}

void fray_websocket_service_deinit(struct fray_websocket_service *service)
{
    fray_websocket_hash_deinit(&service->hash);
    fray_websocket_deflate_worker_deinit(&service->deflate);
    fray_outbox_writer_deinit(&service->writer);
}

/* ------------------------------------------------------------------ ending */

static void extra_free(struct websocket *self)
{
    struct websocket_extra *extra = self->extra;
    if (!extra)
        return;
    fray_buf_deinit(&extra->own);
    if (extra->has_deflate)
        fray_websocket_deflate_deinit(&extra->deflate);
    free(extra);
    self->extra = NULL;
}

/* Lets go of everything but the stream. While a frame is being handled its bytes stay: the handler
 * may still look at them. */
static void release(struct websocket *self)
{
    struct fray_worker *worker = self->service->writer.worker;
    self->link.is_closed = true;
    self->link.is_writable = false;
    if (self->link.is_busy)
        return;
    extra_free(self);
    fray_websocket_decoder_deinit(&self->decoder);
    worker->release(worker, self, sizeof *self);
}

static struct fray_buf *own_bytes(struct websocket *self)
{
    if (!self->extra)
        self->extra = fray_alloc_zero(sizeof *self->extra);
    self->link.has_own_bytes = true;
    return &self->extra->own;
}

/* After a write: without anything left the link is light again. */
static void settle_own(struct websocket *self)
{
    struct websocket_extra *extra = self->extra;
    if (!extra || extra->own.len)
        return;
    self->link.has_own_bytes = false;
    if (extra->has_deflate)
        fray_buf_deinit(&extra->own);
    else
        extra_free(self);
}

static bool has_deflate(const struct websocket *self)
{
    return self->extra && self->extra->has_deflate;
}

/* Says goodbye with a code, as far as the kernel takes it, and closes. */
static void say_close(struct websocket *self, unsigned code, struct fray_slice reason)
{
    if (self->link.is_closed)
        return;
    struct fray_session *session = self->link.session;
    /* What this turn answered so far comes before the goodbye. */
    if (session && session->link == &self->link && self->link.is_writable)
        on_flush(&self->link);
    /* In the midst of a frame a close frame would be taken for its payload. */
    bool is_between_frames = !(session && session->outbox.head_sent);
    if (is_between_frames && self->link.is_writable) {
        struct fray_buf *own = own_bytes(self);
        fray_websocket_close_append(own, code, reason, NULL);
        size_t count;
        /* Best effort: a peer that takes nothing gets no goodbye. */
        if (fray_stream_writev(self->stream, &(struct iovec){own->data, own->len}, 1, &count))
            count = 0;
        fray_stream_finish(self->stream, self->service->close_timeout_ms);
    } else {
        fray_stream_close(self->stream, false);
    }
    release(self);
}

/* What a close code says of each reason (RFC 6455 7.4.1). */
static unsigned close_code(enum fray_disconnect reason)
{
    switch (reason) {
    case FRAY_PARSE_ERROR: return FRAY_WEBSOCKET_CLOSE_PROTOCOL_ERROR;
    case FRAY_SLOW_READER:
    case FRAY_FLOODING: return FRAY_WEBSOCKET_CLOSE_POLICY_VIOLATION;
    case FRAY_SERVER_SHUTDOWN: return FRAY_WEBSOCKET_CLOSE_GOING_AWAY;
    default: return FRAY_WEBSOCKET_CLOSE_NORMAL;
    }
}

static void on_close(struct fray_link *link, enum fray_disconnect reason)
{
    const char *text = reason == FRAY_SERVER_DISCONNECTED ? "" : fray_disconnect_text(reason);
    const struct fray_farewell *own = websocket_of(link)->service->writer.worker->farewell;
    say_close(websocket_of(link), own ? own->code : close_code(reason),
              fray_slice_of(own ? own->text : text));
}

static void on_retire(struct fray_link *link)
{
    say_close(websocket_of(link), FRAY_WEBSOCKET_CLOSE_NORMAL, (struct fray_slice){0});
}

/* The other side is gone, or broke the protocol: the session is told. */
static void end(struct websocket *self, enum fray_disconnect reason)
{
    if (!self->link.is_closed) {
        fray_stream_close(self->stream, false);
        release(self);
    }
    fray_link_end(&self->link, reason);
}

/* ------------------------------------------------------------------ writing */

/* Writes the link's own bytes; false: the stream takes no more. */
static bool write_own(struct websocket *self)
{
    struct fray_buf *own = own_bytes(self);
    size_t written = 0;
    bool goes_on = !own->len || fray_link_writev(&self->service->writer, &self->link, self->stream,
                                                 &(struct iovec){own->data, own->len}, 1, &written);
    fray_buf_consume(own, written);
    return goes_on;
}

/* With permessage-deflate each connection has bytes of its own, so they are made into one buffer
 * and written from there. */
static void append_deflated(struct websocket *self, struct fray_buf *out, struct fray_slice frames)
{
    while (frames.len) {
        unsigned opcode = (unsigned char)frames.data[0];
        uint64_t len = (unsigned char)frames.data[1] & 127;
        size_t header = len < 126 ? 2 : len == 126 ? 4 : 10;
        if (header > 2) {
            len = 0;
            for (size_t i = 2; i < header; i++)
                len = len << 8 | (unsigned char)frames.data[i];
        }
        struct fray_slice payload = {frames.data + header, (size_t)len};
        struct fray_buf packed = {0};
        if (fray_websocket_deflate_payload(&self->extra->deflate, &self->service->deflate, payload,
                                           &packed))
            fray_websocket_frame_append(out, opcode | FRAY_WEBSOCKET_RSV1, fray_buf_slice(&packed),
                                        NULL);
        else
            fray_buf_append(out, frames.data, header + payload.len);
        fray_buf_deinit(&packed);
        frames = fray_slice_skip(frames, header + payload.len);
    }
}

static void flush_deflated(struct websocket *self)
{
    struct fray_session *session = self->link.session;
    struct fray_buf *own = own_bytes(self);
    do {
        unsigned count = 0;
        for (; count < session->outbox.count && own->len < DEFLATED_MAX; count++) {
            const struct fray_encoding *encoding = session->protocol->encode(
                session->worker, fray_outbox_at(&session->outbox, count), FRAY_FRAMING_WEBSOCKET);
            append_deflated(self, own, fray_slice(encoding->bytes, encoding->len));
        }
        fray_outbox_pop(&session->outbox, count);
        fray_count_add(&session->worker->counters.messages_out, count);
    } while (write_own(self) && session->outbox.count);
}

static void pong(struct websocket *self, struct fray_slice payload)
{
    struct fray_buf *own = own_bytes(self);
    struct websocket_extra *extra = self->extra;
    assert(payload.len <= PONG_MAX); /* the decoder refused any other */
    extra->owes_pong = own->len > PONGS_MAX;
    if (!extra->owes_pong) {
        fray_websocket_frame_append(own, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_PONG, payload, NULL);
        return;
    }
    if (payload.len)
        memcpy(extra->pong, payload.data, payload.len);
    extra->pong_len = (uint8_t)payload.len;
}

/* The answer to a ping that had to wait; false: there is none, or it waits on. */
static bool pong_late(struct websocket *self)
{
    struct websocket_extra *extra = self->extra;
    if (!extra || !extra->owes_pong || extra->own.len)
        return false;
    pong(self, fray_slice(extra->pong, extra->pong_len));
    return self->link.is_writable;
}

static void on_flush(struct fray_link *link)
{
    struct websocket *self = websocket_of(link);
    do {
        if (has_deflate(self))
            flush_deflated(self);
        else
            fray_outbox_write(&self->service->writer, link, self->stream,
                              self->extra ? &self->extra->own : NULL);
    } while (pong_late(self));
    settle_own(self);
}

/* Past the outbox, for a link that no session sends on yet: it has written next to nothing, so the
 * kernel takes it. */
static void on_send_text(struct fray_link *link, struct fray_slice text)
{
    struct websocket *self = websocket_of(link);
    fray_websocket_frame_append(own_bytes(self), FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT, text,
                                NULL);
    write_own(self);
    settle_own(self);
}

void fray_websocket_reply_now(struct fray_link *link)
{
    write_own(websocket_of(link));
    settle_own(websocket_of(link));
}

static void on_ping(struct fray_link *link)
{
    fray_websocket_frame_append(own_bytes(websocket_of(link)),
                                FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_PING, (struct fray_slice){0},
                                NULL);
    fray_session_mark(link->session);
}

static void write_peer(struct fray_link *link, char text[FRAY_PEER_TEXT_MAX])
{
    fray_address_format_ip(fray_stream_peer(websocket_of(link)->stream), text);
}

static void on_pause(struct fray_link *link, bool is_paused)
{
    (is_paused ? fray_stream_pause : fray_stream_resume)(websocket_of(link)->stream);
}

static struct fray_stream *stream_of(const struct fray_link *link, unsigned index)
{
    return index || link->is_closed ? NULL : ((const struct websocket *)link)->stream;
}

static const struct fray_link_ops link_ops = {
    .name = "websocket",
    .framing = FRAY_FRAMING_WEBSOCKET,
    .flush = on_flush,
    .close = on_close,
    .retire = on_retire,
    .pause = on_pause,
    .write_peer = write_peer,
    .send_text = on_send_text,
    .ping = on_ping,
    .stream = stream_of,
};

/* ------------------------------------------------------------------ reading */

/* A frame that is not a message. False: the link is closing. */
static bool on_control(struct websocket *self, const struct fray_websocket_event *event)
{
    if (event->opcode == FRAY_WEBSOCKET_PING) {
        pong(self, event->payload);
        if (self->link.session->link == &self->link)
            fray_session_mark(self->link.session);
        else
            fray_websocket_reply_now(&self->link); /* it probes: nobody flushes it yet */
        return true;
    }
    if (event->opcode == FRAY_WEBSOCKET_PONG)
        return true;
    unsigned code = event->close_code == FRAY_WEBSOCKET_CLOSE_NO_STATUS
                        ? FRAY_WEBSOCKET_CLOSE_NORMAL
                        : event->close_code;
    say_close(self, code, (struct fray_slice){0});
    fray_link_end(&self->link, FRAY_TRANSPORT_CLOSE);
    return false;
}

static bool on_event(struct websocket *self, struct fray_websocket_event *event)
{
    struct fray_session *session = self->link.session;
    if (event->opcode != FRAY_WEBSOCKET_TEXT && event->opcode != FRAY_WEBSOCKET_BINARY)
        return on_control(self, event);
    struct fray_counters *counters = &self->service->writer.worker->counters;
    fray_count(&counters->frames_in);
    fray_count_add(&counters->bytes_in, event->payload.len);
    if (fray_session_admits(session))
        session->protocol->on_frame(session, &self->link, event->payload,
                                    event->opcode == FRAY_WEBSOCKET_BINARY);
    return !self->link.is_closed && self->link.session;
}

static void on_violation(struct websocket *self, const struct fray_websocket_event *event)
{
    fray_count(&self->service->writer.worker->counters.closed_parse_error);
    /* The code says it all of a message that is too long; Engine.IO's clients expect no more. */
    bool explains = event->fault && event->close_code != FRAY_WEBSOCKET_CLOSE_TOO_BIG;
    say_close(self, event->close_code, fray_slice_of(explains ? event->fault : ""));
    fray_link_end(&self->link, FRAY_PARSE_ERROR);
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct websocket *self = stream->owner;
    size_t at = 0;
    self->link.is_busy = true;
    fray_link_heard(&self->link, self->service->writer.worker);
    while (!self->link.is_closed) {
        struct fray_websocket_event event = {0};
        size_t used = 0;
        enum fray_err err =
            fray_websocket_decode(&self->decoder, data + at, len - at, &used, &event);
        at += used;
        if (!err && has_deflate(self))
            err = fray_websocket_inflate(&self->extra->deflate, &self->service->deflate,
                                         self->decoder.message_max, &event);
        if (err == FRAY_ERR_AGAIN || err == FRAY_ERR_CLOSED)
            break;
        if (err)
            on_violation(self, &event);
        else if (!on_event(self, &event))
            break;
    }
    self->link.is_busy = false;
    if (!self->link.is_closed)
        return at;
    release(self);
    return len;
}

static void on_writable(struct fray_stream *stream)
{
    struct websocket *self = stream->owner;
    self->link.is_writable = true;
    if (self->link.session)
        fray_session_on_writable(self->link.session);
}

static void on_end(struct fray_stream *stream, enum fray_err why)
{
    end(stream->owner, why == FRAY_ERR_CLOSED ? FRAY_TRANSPORT_CLOSE : FRAY_TRANSPORT_ERROR);
}

static const struct fray_stream_handler stream_handler = {
    .on_data = on_data,
    .on_writable = on_writable,
    .on_end = on_end,
};

/* ------------------------------------------------------------------ opening */

struct fray_link *fray_websocket_create(struct fray_websocket_service *service,
                                        const struct fray_websocket_opening *opening)
{
    struct fray_websocket_deflate deflate;
    struct fray_buf extensions = {0};
    enum fray_err err = FRAY_ERR_NOT_FOUND;
    if (opening->use_deflate && opening->offers.len)
        err = fray_websocket_deflate_accept(&service->deflate.config, opening->offers, &deflate,
                                            &extensions);
    if (err == FRAY_ERR_SYNTAX) {
        fray_buf_deinit(&extensions);
        return NULL;
    }
    struct fray_worker *worker = service->writer.worker;
    struct websocket *self = fray_cells_take(worker->cells, sizeof *self);
    self->link.ops = &link_ops;
    self->link.is_writable = true;
    fray_link_heard(&self->link, worker);
    self->service = service;
    own_bytes(self);
    if (!err) {
        self->extra->has_deflate = true;
        self->extra->deflate = deflate;
    }
    fray_websocket_decoder_init(&self->decoder, opening->max_message,
                                err ? 0 : FRAY_WEBSOCKET_DEFLATE);
    fray_websocket_response_append(own_bytes(self), &service->hash, opening->key,
                                   &(struct fray_websocket_answer){
                                       .protocol = opening->protocol,
                                       .extensions = fray_buf_slice(&extensions),
                                       .fields = opening->fields,
                                   });
    fray_buf_deinit(&extensions);
    return &self->link;
}

void fray_websocket_discard(struct fray_link *link)
{
    release(websocket_of(link));
}

void fray_websocket_start(struct fray_link *link, struct fray_stream *stream)
{
    struct websocket *self = websocket_of(link);
    self->stream = stream;
    fray_stream_adopt(stream, &stream_handler, self);
}
