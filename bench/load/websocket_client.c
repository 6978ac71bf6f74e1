/* Plain WebSocket, as tests/fixtures/bench_server speaks it: a text that begins with B goes to
 * every open socket, one that begins with E back to its sender, any other to nobody. */
#include "bench.h"
#include "client.h"
#include "text.h"
#include "websocket_link.h"

struct websocket_client {
    struct client client;
    struct websocket_link link;
};

static struct websocket_link *link_of(struct client *client)
{
    return &((struct websocket_client *)client)->link;
}

static void open_client(struct client *client)
{
    struct websocket_link *link = link_of(client);
    link->path = "/";
    link->on_open = client_ready;
    link->on_text = client_received;
    websocket_link_open(link, client);
}

static void send_message(struct client *client, const struct message *message)
{
    static const char letters[] = {[MESSAGE_BROADCAST] = 'B',
                                   [MESSAGE_MOVE] = 'B',
                                   [MESSAGE_ECHO] = 'E',
                                   [MESSAGE_INPUT] = 'I'};
    struct fray_buf text = {0};
    fray_buf_append_byte(&text, letters[message->kind]);
    text_append_payload(&text, message, message->size);
    websocket_link_send(link_of(client), fray_buf_slice(&text));
    fray_buf_deinit(&text);
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

const struct protocol protocol_websocket = {
    .name = "websocket",
    .move_mark = "TS:",
    .client_size = sizeof(struct websocket_client),
    .open = open_client,
    .send = send_message,
    .cork = cork_client,
    .uncork = uncork_client,
    .close = close_client,
};
