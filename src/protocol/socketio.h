/* Socket.IO 5 over Engine.IO 4: connects to namespaces, events, acknowledgements, binary. Pure.
 * Spec: socketio/socket.io, docs/socket.io-protocol/v5-current.md. */
#ifndef FRAY_PROTOCOL_SOCKETIO_H
#define FRAY_PROTOCOL_SOCKETIO_H

#include "protocol/engineio.h"
#include "room/namespace.h"
#include "wire/socketio.h"

/* fray_engineio_config.upper_config of Socket.IO sessions; one per worker. */
struct fray_socketio_config {
    struct fray_socketio_limits limits;
    uint32_t connect_timeout_ms; /* to the first CONNECT */
    uint32_t max_namespaces;     /* of one session */
    bool keep_handshake;         /* some namespace wants handshakes kept */
    void *owner;
    /* The namespace of that name, made on demand where a pattern allows it; NULL: "Invalid
     * namespace". */
    fray_namespace *(*find_namespace)(struct fray_socketio_config *config, struct fray_slice name);
};

extern const struct fray_engineio_upper fray_socketio_upper;

#endif
