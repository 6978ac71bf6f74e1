/* Messages without names, text or binary, each session in the one namespace of its path: over
 * WebSocket alone, or over Engine.IO. Pure. Handlers see them as the event "message". */
#ifndef FRAY_PROTOCOL_BARE_H
#define FRAY_PROTOCOL_BARE_H

#include "protocol/engineio.h"
#include "room/namespace.h"

/* Opens a session over a websocket link. */
void fray_bare_open(fray_namespace *nsp, struct fray_worker *worker, struct fray_link *link,
                    struct fray_handshake *handshake);

/* The upper of bare Engine.IO sessions; fray_engineio_config.upper_config is their fray_namespace.
 */
extern const struct fray_engineio_upper fray_bare_upper;

#endif
