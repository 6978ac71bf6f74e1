/* The client's side of Socket.IO 5 over Engine.IO 4, without its transport: WebSocket and polling
 * feed it packets. */
#ifndef LOAD_SOCKETIO_SESSION_H
#define LOAD_SOCKETIO_SESSION_H

#include "base/buf.h"
#include "client.h"

/* Sends one Engine.IO packet, its type digit included. */
typedef void socketio_send_fn(struct client *client, struct fray_slice packet);

/* Takes one packet as it came, its type digit included. After the open packet it connects to the
 * namespace /, and where the workload has a room and the client listens, asks to join it. */
void socketio_session_receive(struct client *client, struct fray_slice packet,
                              socketio_send_fn *send);

/* Appends the packet that carries the message, its type digit included. */
void socketio_session_encode(struct fray_buf *packet, const struct client *client,
                             const struct message *message);

#endif
