/* A client's WebSocket connection (RFC 6455): connects, shakes hands, sends and receives whole
 * messages, answers pings, says goodbye. Where nothing comes for 5 seconds it pings; after 15 the
 * connection has broken. One connection; whoever wants another opens another.
 *
 * Owner: who opened it, until fray_client_link_close; memory goes at the end of the turn. Thread:
 * its loop's. */
#ifndef FRAY_CLIENT_LINK_H
#define FRAY_CLIENT_LINK_H

#include "base/slice.h"
#include "net/address.h"
#include "net/loop.h"
#include "wire/websocket_handshake.h"

struct fray_client_link;
struct fray_tls_context;

enum { FRAY_CLIENT_LINK_UNANSWERED = 0 }; /* nobody is there; another address may do */

struct fray_client_link_handler {
    void (*on_open)(void *context);
    void (*on_text)(void *context, struct fray_slice text);
    void (*on_binary)(void *context, struct fray_slice bytes);
    /* The connection is over; `code` is the close frame's, or 1006, or 1015 for a certificate that
     * is not trusted, or FRAY_CLIENT_LINK_UNANSWERED. The link must be closed, now or later. Called
     * once, and not after fray_client_link_close. */
    void (*on_end)(void *context, unsigned code, struct fray_slice reason);
};

struct fray_client_link_opening {
    struct fray_address address;
    struct fray_slice host, path; /* of the request */
    struct fray_tls_context *tls; /* NULL: plain */
    const char *server;           /* for TLS: its name or address; borrowed until it returns */
    uint32_t max_message;         /* bytes; longer ones end the connection */
    const struct fray_client_link_handler *handler;
    void *context;
};

/* NULL: no descriptor left, or refused at once. */
struct fray_client_link *fray_client_link_open(struct fray_loop *loop,
                                               struct fray_websocket_hash *hash,
                                               const struct fray_client_link_opening *opening);
/* Once it is open. Bytes that the kernel does not take wait; their number is returned. */
size_t fray_client_link_send(struct fray_client_link *link, struct fray_slice message,
                             bool is_binary);
/* Their number now. */
size_t fray_client_link_waiting(const struct fray_client_link *link);
/* With a close frame, if it is open. Nothing is called any more. */
void fray_client_link_close(struct fray_client_link *link, unsigned code);

#endif
