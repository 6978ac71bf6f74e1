#include "socketio_session.h"

#include "bench.h"
#include "text.h"
#include "workload.h"

static void on_connected(struct client *client, socketio_send_fn *send)
{
    if (client->listens && client->bench->options.workload->has_room)
        send(client, FRAY_SLICE("420[\"join\",\"r\"]"));
    else
        client_ready(client);
}

/* `data` is the Socket.IO packet: its type digit, then namespace, id and JSON, as it has them. */
static void on_message(struct client *client, struct fray_slice data, socketio_send_fn *send)
{
    bool opening = client->state == CLIENT_OPENING;
    switch (data.len ? data.data[0] : '\0') {
    case '0':
        if (opening)
            on_connected(client, send);
        break;
    case '3':
        if (opening)
            client_ready(client); /* in the room */
        else
            client_received(client, data);
        break;
    case '4':
        client->protocol->close(client);
        client_lost(client, "the server refused the namespace");
        break;
    default: client_received(client, data);
    }
}

void socketio_session_receive(struct client *client, struct fray_slice packet,
                              socketio_send_fn *send)
{
    switch (packet.len ? packet.data[0] : '\0') {
    case '0': send(client, FRAY_SLICE("40")); break;
    case '2': send(client, FRAY_SLICE("3")); break;
    case '4': on_message(client, fray_slice_skip(packet, 1), send); break;
    default: break; /* noop */
    }
}

void socketio_session_encode(struct fray_buf *packet, const struct client *client,
                             const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_MOVE:
        FRAY_BUF_LITERAL(packet, "42[\"move\",{\"x\":");
        fray_buf_append_uint(packet, message->sent_us);
        FRAY_BUF_LITERAL(packet, ",\"y\":");
        fray_buf_append_uint(packet, client->index);
        FRAY_BUF_LITERAL(packet, "}]");
        return;
    case MESSAGE_ECHO: FRAY_BUF_LITERAL(packet, "421[\"echo\",\""); break;
    case MESSAGE_INPUT: FRAY_BUF_LITERAL(packet, "42[\"input\",\""); break;
    case MESSAGE_BROADCAST: FRAY_BUF_LITERAL(packet, "42[\"msg\",\""); break;
    }
    text_append_payload(packet, message, message->size - 2);
    FRAY_BUF_LITERAL(packet, "\"]");
}
