/* Socket.IO over WebSocket from the start, as clients do that skip long polling. */
#include "socketio_session.h"
#include "websocket_link.h"

struct socketio_client {
    struct client client;
    struct websocket_link link;
};

static struct websocket_link *link_of(struct client *client)
{
    return &((struct socketio_client *)client)->link;
}

static void send_packet(struct client *client, struct fray_slice packet)
{
    websocket_link_send(link_of(client), packet);
}

static void on_open(struct client *client)
{
    (void)client; /* the server speaks first */
}

static void on_text(struct client *client, struct fray_slice text)
{
    socketio_session_receive(client, text, send_packet);
}

static void open_client(struct client *client)
{
    struct websocket_link *link = link_of(client);
    link->path = "/socket.io/?EIO=4&transport=websocket";
    link->on_open = on_open;
    link->on_text = on_text;
    websocket_link_open(link, client);
}

static void send_message(struct client *client, const struct message *message)
{
    struct fray_buf packet = {0};
    socketio_session_encode(&packet, client, message);
    websocket_link_send(link_of(client), fray_buf_slice(&packet));
    fray_buf_deinit(&packet);
}

static void cork_client(struct client *client)
{
    connection_cork(&link_of(client)->connection);
}

static void uncork_client(struct client *client)
{
    connection_uncork(&link_of(client)->connection);
}

static void close_client(struct client *client)
{
    websocket_link_close(link_of(client));
}

const struct protocol protocol_socketio = {
    .name = "socketio",
    .move_mark = "\"x\":",
    .client_size = sizeof(struct socketio_client),
    .open = open_client,
    .send = send_message,
    .cork = cork_client,
    .uncork = uncork_client,
    .close = close_client,
};
