/* A byte stream over one connection: TCP, or TLS over TCP, without its user noticing which.
 *
 * The stream reads into the loop's one buffer and hands the bytes to its handler; what the handler
 * does not consume is kept by the stream, and only then does the stream own a buffer. Writing goes
 * straight to the kernel: the stream keeps nothing (TLS: at most the records that the kernel
 * refused).
 *
 * Who uses it changes over its life: a fresh connection, then HTTP, then a websocket link. Each
 * adopts the stream with a handler table of its own (fray_stream_adopt).
 *
 * Owner: the adopter; fray_stream_close ends it, memory goes at the end of the turn. Thread: its
 * loop's. */
#ifndef FRAY_NET_STREAM_H
#define FRAY_NET_STREAM_H

#include "base/buf.h"
#include "net/loop.h"

struct fray_stream;
struct fray_stream_unread; /* stream.c */
struct fray_lab_wire;      /* net/lab_wire.h */
struct fray_tls;           /* net/tls.h: one connection's TLS state */
struct fray_tls_context;   /* net/tls.h: certificate and key, shared */

struct fray_stream_handler {
    /* `data` is mutable (frames are unmasked in place) and valid during the call. Returns how much
     * was consumed; the rest comes again when there is more behind it, from its first byte, as the
     * handler left it, in another buffer. A handler that closed the stream during the call returns
     * `len`. One that gave it away returns what it consumed itself: the rest is offered to the new
     * handler, which need not wait for more. (`len`, if it has passed the rest on.) */
    size_t (*on_data)(struct fray_stream *stream, char *data, size_t len);
    /* After a write that said FRAY_ERR_AGAIN: there is room again. */
    void (*on_writable)(struct fray_stream *stream);
    /* The peer ended (FRAY_ERR_CLOSED; TLS: with close_notify or without) or the connection broke
     * (FRAY_ERR_IO). All bytes before the end have been offered. The stream can no longer be read;
     * a peer that only ended may still be written to (RFC 9293 3.6: half-closed). The handler must
     * call fray_stream_close, now or later. Called at most once, and not while paused. */
    void (*on_end)(struct fray_stream *stream, enum fray_err why);
};

struct fray_stream {
    struct fray_source source;
    struct fray_loop *loop;
    const struct fray_stream_handler *handler;
    void *owner;                       /* the handler's */
    struct fray_stream_unread *unread; /* what the handler left; NULL for none */
    struct fray_tls *tls;              /* NULL: plain */
    struct fray_address peer;          /* cheaper here than a record of its own */
    bool is_blocked : 1; /* the kernel (or TLS) refused bytes; on_writable will come */
    bool is_paused : 1;  /* the handler wants no bytes now */
    bool is_closed : 1;
    bool is_end_told : 1;  /* on_end has been called */
    bool is_broken : 1;    /* a write found the connection broken */
    bool is_offer_due : 1; /* what is left is to be offered again, without more behind it */
    uint8_t end_why;       /* FRAY_OK, or the end that was read (enum fray_err) */
};

/* Takes the descriptor. The handler hears from the stream from the next turn on. `peer` may be
 * NULL. NULL when the kernel watches no more descriptors: then this one has been closed. */
struct fray_stream *fray_stream_create(struct fray_loop *loop, int fd,
                                       const struct fray_address *peer,
                                       const struct fray_stream_handler *handler, void *owner);
void fray_stream_adopt(struct fray_stream *stream, const struct fray_stream_handler *handler,
                       void *owner);

/* Makes the stream TLS from here on, in the context's role; `early` is what was read already (all
 * of `data`, when called inside on_data, which then returns `len`). An error means that the peer
 * does not speak TLS: close the stream. How long a handshake may take is the caller's to decide. */
FRAY_MUST_CHECK enum fray_err fray_stream_start_tls(struct fray_stream *stream,
                                                    struct fray_tls_context *context,
                                                    struct fray_slice early);
/* The same for a client: `server` is the name or address that it wants (fray_tls_create). */
FRAY_MUST_CHECK enum fray_err fray_stream_connect_tls(struct fray_stream *stream,
                                                      struct fray_tls_context *context,
                                                      const char *server);
bool fray_stream_is_tls(const struct fray_stream *stream);
/* For on_end: what was wrong with the peer's certificate (fray_tls_distrust); NULL: not that. */
const char *fray_stream_distrust(const struct fray_stream *stream);
const struct fray_address *fray_stream_peer(const struct fray_stream *stream);

/* Writes what fits. *count bytes went. FRAY_ERR_AGAIN: fewer than all, on_writable follows.
 * FRAY_ERR_IO: broken or closed; close it, or wait for on_end, which follows what the peer still
 * said. All parts of a call travel in as few records and system calls as can be. */
FRAY_MUST_CHECK enum fray_err fray_stream_writev(struct fray_stream *stream,
                                                 const struct iovec *parts, int parts_count,
                                                 size_t *count);

/* Stops and resumes reading (backpressure); what the handler left is offered again on resume. */
void fray_stream_pause(struct fray_stream *stream);
void fray_stream_resume(struct fray_stream *stream);

/* Closes at once. What the kernel has taken is still sent, unless `reset` (RST). */
void fray_stream_close(struct fray_stream *stream, bool reset);
/* Sends FIN, reads and discards until the peer ends too, `linger_ms` passed or too much came, then
 * closes: so a peer that is still sending gets to read our last words (RFC 9112 9.6, RFC
 * 6455 7.1.1). The stream no longer belongs to the caller, whose handler hears nothing more. */
void fray_stream_finish(struct fray_stream *stream, unsigned linger_ms);

/* A connection between two loops: owned by whoever holds it, plain data to move about. */
struct fray_stream_cargo {
    int fd;
    struct fray_tls *tls;
    struct fray_address peer;
    struct fray_buf unread;    /* bytes that the next handler is to be offered first */
    struct fray_lab_wire *lab; /* what the network lab holds back; NULL: nothing */
};

/* Takes the connection off its loop without closing it; the stream is gone. `unread` is what of the
 * bytes just offered the next handler shall see; copied. Called inside on_data, which then returns
 * `len`. */
void fray_stream_detach(struct fray_stream *stream, struct fray_slice unread,
                        struct fray_stream_cargo *cargo);
/* Puts it on another loop, on that loop's thread; empties the cargo. NULL, and it is closed: no
 * more can be watched. */
struct fray_stream *fray_stream_attach(struct fray_loop *loop, struct fray_stream_cargo *cargo,
                                       const struct fray_stream_handler *handler, void *owner);
/* Closes it instead. */
void fray_stream_cargo_close(struct fray_loop *loop, struct fray_stream_cargo *cargo);

#endif
