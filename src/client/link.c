#include "client/link.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/stream.h"
#include "wire/websocket.h"

enum {
    HEAD_MAX = 16384, /* bytes of the handshake's answer */
    LINGER_MS = 1000,
    PING_US = 5000000, /* of silence, and again */
    DEAD_US = 15000000,
};

struct fray_client_link {
    struct fray_stream *stream;
    struct fray_timer silence;
    uint64_t heard_us;
    unsigned pings; /* since then */
    struct fray_websocket_hash *hash;
    const struct fray_client_link_handler *handler;
    void *context;
    struct fray_websocket_decoder decoder;
    struct fray_buf out;
    char key[FRAY_WEBSOCKET_KEY_LEN];
    bool is_open, is_ended;
};

static void end(struct fray_client_link *link, unsigned code, struct fray_slice reason)
{
    if (link->is_ended)
        return;
    link->is_ended = true;
    link->handler->on_end(link->context, code, reason);
}

static void flush(struct fray_client_link *link)
{
    size_t count;
    if (!link->out.len)
        return;
    struct iovec part = {link->out.data, link->out.len};
    enum fray_err err = fray_stream_writev(link->stream, &part, 1, &count);
    fray_buf_consume(&link->out, count);
    (void)err; /* AGAIN: on_writable follows; IO: on_end does */
}

/* Masked with a key that nobody can foresee (RFC 6455 section 5.3). */
static void frame(struct fray_client_link *link, unsigned opcode, struct fray_slice payload)
{
    uint8_t key[4];
    RAND_bytes(key, sizeof key);
    fray_websocket_frame_append(&link->out, FRAY_WEBSOCKET_FIN | opcode, payload, key);
}

static void goodbye(struct fray_client_link *link, unsigned code)
{
    uint8_t key[4];
    RAND_bytes(key, sizeof key);
    fray_websocket_close_append(&link->out, code, (struct fray_slice){0}, key);
    flush(link);
}

/* Returns how much the answer took, 0 while it is not whole. */
static size_t shake_hands(struct fray_client_link *link, struct fray_slice in)
{
    struct fray_websocket_response response;
    enum fray_err err = fray_websocket_response_decode(in, &response);
    if (err == FRAY_ERR_AGAIN && in.len < HEAD_MAX)
        return 0;
    if (!err)
        err = fray_websocket_response_check(
            &response, link->hash, fray_slice(link->key, sizeof link->key), (struct fray_slice){0});
    if (err) {
        end(link, FRAY_WEBSOCKET_CLOSE_ABNORMAL,
            err == FRAY_ERR_DENIED ? FRAY_SLICE("The server refused the handshake.")
                                   : FRAY_SLICE("The server does not speak WebSocket."));
        return in.len;
    }
    link->is_open = true;
    link->handler->on_open(link->context);
    return response.len;
}

static void take(struct fray_client_link *link, const struct fray_websocket_event *event)
{
    switch (event->opcode) {
    case FRAY_WEBSOCKET_TEXT: link->handler->on_text(link->context, event->payload); break;
    case FRAY_WEBSOCKET_BINARY: link->handler->on_binary(link->context, event->payload); break;
    case FRAY_WEBSOCKET_PING:
        frame(link, FRAY_WEBSOCKET_PONG, event->payload);
        flush(link);
        break;
    case FRAY_WEBSOCKET_CLOSE:
        goodbye(link, event->close_code);
        end(link, event->close_code, event->payload);
        break;
    default: break;
    }
}

static void wait_for_silence(struct fray_client_link *link)
{
    fray_timer_arm(&link->stream->loop->timers, &link->silence,
                   link->heard_us + (link->pings + 1) * (uint64_t)PING_US);
}

static void on_silence(struct fray_timer *timer, uint64_t at_us)
{
    struct fray_client_link *link =
        (struct fray_client_link *)((char *)timer - offsetof(struct fray_client_link, silence));
    if (at_us - link->heard_us >= DEAD_US) {
        end(link, link->is_open ? FRAY_WEBSOCKET_CLOSE_ABNORMAL : FRAY_CLIENT_LINK_UNANSWERED,
            FRAY_SLICE("The server fell silent."));
        return;
    }
    link->pings++;
    wait_for_silence(link);
    if (link->is_open) {
        frame(link, FRAY_WEBSOCKET_PING, (struct fray_slice){0});
        flush(link);
    }
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct fray_client_link *link = stream->owner;
    struct fray_websocket_event event;
    size_t at = 0, used = 0;
    enum fray_err err = FRAY_OK;

    link->heard_us = stream->loop->now_us;
    link->pings = 0;
    wait_for_silence(link);
    if (!link->is_open) {
        at = shake_hands(link, fray_slice(data, len));
        if (!link->is_open)
            return at;
    }
    while (!link->is_ended &&
           !(err = fray_websocket_decode(&link->decoder, data + at, len - at, &used, &event))) {
        at += used;
        take(link, &event);
    }
    if (link->is_ended)
        return len;
    at += used;
    if (err != FRAY_ERR_AGAIN) {
        goodbye(link, event.close_code);
        end(link, event.close_code, fray_slice_of(event.fault));
        return len;
    }
    return at;
}

static void on_writable(struct fray_stream *stream)
{
    flush(stream->owner);
}

static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct fray_client_link *link = stream->owner;
    const char *distrust = fray_stream_distrust(stream);
    if (distrust) {
        char text[128];
        snprintf(text, sizeof text, "The server's certificate is not trusted: %s.", distrust);
        end(link, FRAY_WEBSOCKET_CLOSE_TLS, fray_slice_of(text));
        return;
    }
    end(link, link->is_open ? FRAY_WEBSOCKET_CLOSE_ABNORMAL : FRAY_CLIENT_LINK_UNANSWERED,
        why == FRAY_ERR_CLOSED ? FRAY_SLICE("The server closed the connection.")
                               : FRAY_SLICE("The connection broke."));
}

static const struct fray_stream_handler handler = {
    .on_data = on_data, .on_writable = on_writable, .on_end = on_end};

struct fray_client_link *fray_client_link_open(struct fray_loop *loop,
                                               struct fray_websocket_hash *hash,
                                               const struct fray_client_link_opening *opening)
{
    uint8_t nonce[FRAY_WEBSOCKET_NONCE_LEN];
    struct fray_client_link *link;
    int fd;
    if (loop->ops->connect(loop, &opening->address, &fd))
        return NULL;
    link = fray_alloc_zero(sizeof *link);
    link->hash = hash;
    link->handler = opening->handler;
    link->context = opening->context;
    link->stream = fray_stream_create(loop, fd, &opening->address, &handler, link);
    if (!link->stream) {
        free(link);
        return NULL;
    }
    link->silence.on_expire = on_silence;
    link->heard_us = loop->now_us;
    wait_for_silence(link);
    fray_websocket_decoder_init(&link->decoder, opening->max_message, FRAY_WEBSOCKET_CLIENT);
    RAND_bytes(nonce, sizeof nonce);
    fray_websocket_request_append(
        &link->out, &(struct fray_websocket_target){.host = opening->host, .path = opening->path},
        nonce, link->key);
    if (opening->tls && fray_stream_connect_tls(link->stream, opening->tls, opening->server)) {
        fray_client_link_close(link, FRAY_WEBSOCKET_CLOSE_ABNORMAL);
        return NULL;
    }
    flush(link); /* what the connection does not take yet goes when it stands */
    return link;
}

size_t fray_client_link_send(struct fray_client_link *link, struct fray_slice message,
                             bool is_binary)
{
    frame(link, is_binary ? FRAY_WEBSOCKET_BINARY : FRAY_WEBSOCKET_TEXT, message);
    flush(link);
    return link->out.len;
}

size_t fray_client_link_waiting(const struct fray_client_link *link)
{
    return link->out.len;
}

void fray_client_link_close(struct fray_client_link *link, unsigned code)
{
    struct fray_loop *loop = link->stream->loop;
    fray_timer_cancel(&loop->timers, &link->silence);
    if (link->is_open && !link->is_ended) {
        goodbye(link, code);
        fray_stream_finish(link->stream, LINGER_MS);
    } else {
        fray_stream_close(link->stream, false);
    }
    link->is_ended = true;
    fray_websocket_decoder_deinit(&link->decoder);
    fray_buf_deinit(&link->out);
    fray_loop_release(loop, link);
}
