/* A connected byte stream: TCP, or TLS over TCP, without its user noticing which.
 *
 * The stream reads into the loop's one buffer and hands the bytes to its handler; what the handler
 * does not consume is kept by the stream, and only then does the stream own a buffer. Writing goes
 * straight to the kernel: the stream keeps nothing (TLS: at most the records that the kernel refused).
 *
 * Who uses it changes over its life: a fresh connection, then HTTP, then a websocket link. Each adopts the
 * stream with a handler table of its own (fray_stream_adopt).
 *
 * Owner: the adopter; fray_stream_close ends it, memory goes at the end of the turn. Thread: its loop's. */
#ifndef FRAY_NET_STREAM_H
#define FRAY_NET_STREAM_H

#include "base/buf.h"
#include "net/loop.h"

struct fray_stream;
struct fray_tls;         /* net/tls.h: one connection's TLS state */
struct fray_tls_context; /* net/tls.h: certificate and key, shared */

struct fray_stream_handler {
    /* `data` is mutable (frames are unmasked in place) and valid during the call. Returns how much was
     * consumed; the rest comes again, with more behind it, at the same offset of a new buffer. A
     * handler that closed or gave away the stream during the call returns `len`. */
    size_t (*on_data)(struct fray_stream *stream, char *data, size_t len);
    /* After a write that said FRAY_ERR_AGAIN: there is room again. */
    void (*on_writable)(struct fray_stream *stream);
    /* The peer ended (FRAY_ERR_CLOSED) or the connection broke (FRAY_ERR_IO). The stream can no longer
     * be read; the handler must call fray_stream_close. Called at most once. */
    void (*on_end)(struct fray_stream *stream, enum fray_err why);
};

struct fray_stream {
    struct fray_source source;
    struct fray_loop *loop;
    const struct fray_stream_handler *handler;
    void *owner;             /* the handler's */
    struct fray_buf *unread; /* what the handler left; NULL for none */
    struct fray_tls *tls;    /* NULL: plain */
    uint32_t peer;           /* index of the address record, see fray_stream_peer */
    bool is_blocked;         /* the kernel (or TLS) refused bytes; on_writable will come */
    bool is_paused;          /* the handler wants no bytes now */
    bool is_closed;
};

/* Takes the descriptor. The handler hears from the stream from the next turn on. */
struct fray_stream *fray_stream_create(struct fray_loop *loop, int fd,
                                       const struct fray_address *peer,
                                       const struct fray_stream_handler *handler, void *owner);
void fray_stream_adopt(struct fray_stream *stream, const struct fray_stream_handler *handler,
                       void *owner);

/* Makes the stream TLS from here on, as the server; `early` is what was read already. */
FRAY_MUST_CHECK enum fray_err fray_stream_start_tls(struct fray_stream *stream,
                                                    struct fray_tls_context *context,
                                                    struct fray_slice early);
bool fray_stream_is_tls(const struct fray_stream *stream);
const struct fray_address *fray_stream_peer(const struct fray_stream *stream);

/* Writes what fits. *count bytes went. FRAY_ERR_AGAIN: fewer than all, on_writable follows.
 * FRAY_ERR_IO: broken; close it. */
FRAY_MUST_CHECK enum fray_err fray_stream_writev(struct fray_stream *stream,
                                                 const struct iovec *parts, int parts_count,
                                                 size_t *count);

/* Stops and resumes reading (backpressure); what the handler left is offered again on resume. */
void fray_stream_pause(struct fray_stream *stream);
void fray_stream_resume(struct fray_stream *stream);

/* Closes at once. What the kernel has taken is still sent, unless `reset` (RST). */
void fray_stream_close(struct fray_stream *stream, bool reset);
/* Sends FIN, reads and discards until the peer ends too or `linger_ms` passed, then closes: so a peer
 * that is still sending gets to read our last words (RFC 9112 9.6, RFC 6455 7.1.1). The stream no longer belongs to the caller. */
void fray_stream_finish(struct fray_stream *stream, unsigned linger_ms);

#endif
