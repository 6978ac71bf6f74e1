/* The websocket transport: links that carry frames over a stream (RFC 6455), with
 * permessage-deflate where it was negotiated (RFC 7692).
 *
 * A link writes straight from its session's outbox: one write a turn for all that is owed. It keeps
 * bytes of its own only for what is not a message: the reply to the handshake, pongs, the close
 * frame.
 *
 * Owner: itself, until it has told its session of its end or was closed by it; then the memory goes
 * at the end of the turn. */
#ifndef FRAY_TRANSPORT_WEBSOCKET_H
#define FRAY_TRANSPORT_WEBSOCKET_H

#include "net/stream.h"
#include "session/session.h"
#include "transport/outbox_writer.h"
#include "wire/websocket_deflate.h"
#include "wire/websocket_handshake.h"

/* What a worker's websocket links share; outlives them. */
struct fray_websocket_service {
    struct fray_outbox_writer writer;
    struct fray_websocket_hash hash;
    struct fray_websocket_deflate_worker deflate;
    unsigned close_timeout_ms; /* how long the peer may take to answer a close */
};

void fray_websocket_service_init(struct fray_websocket_service *service,
                                 struct fray_worker *worker);
void fray_websocket_service_deinit(struct fray_websocket_service *service);

/* How to answer a request for a websocket that was checked (wire/websocket_handshake.h). */
struct fray_websocket_opening {
    struct fray_slice key;      /* Sec-WebSocket-Key */
    struct fray_slice offers;   /* Sec-WebSocket-Extensions; only looked at with use_deflate */
    struct fray_slice fields;   /* more header lines for the reply, each with its CRLF */
    struct fray_slice protocol; /* the sub-protocol picked, or empty */
    bool use_deflate;
    uint32_t max_message;
};

/* A link without a session: the reply to the handshake is queued on it. NULL: offers are malformed
 * (answer 400). The caller then takes the stream from its HTTP connection, gives it to
 * fray_websocket_start, and attaches a session in the same turn. */
struct fray_link *fray_websocket_create(struct fray_websocket_service *service,
                                        const struct fray_websocket_opening *opening);
/* Gives the link up instead. */
void fray_websocket_discard(struct fray_link *link);
/* Sends the reply to the handshake at once: for a link that no session sends on yet. */
void fray_websocket_reply_now(struct fray_link *link);
void fray_websocket_start(struct fray_link *link, struct fray_stream *stream);

#endif
