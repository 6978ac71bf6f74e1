#include "websocket_link.h"

#include <stdio.h>

#include "bench.h"
#include "client.h"
#include "wire/websocket_handshake.h"

enum { MESSAGE_MAX = 16 << 20 };

/* Foreseeable, which a browser's must not be: nobody here is to be protected from a proxy. */
static const uint8_t mask_key[4] = {0x37, 0xfa, 0x21, 0x3d};

static void fail(struct websocket_link *link, const char *reason)
{
    websocket_link_close(link);
    client_lost(link->client, reason);
}

static void on_open(struct connection *connection)
{
    struct websocket_link *link = connection->owner;
    static const uint8_t nonce[FRAY_WEBSOCKET_NONCE_LEN];
    char key[FRAY_WEBSOCKET_KEY_LEN], host[32];
    struct fray_buf request = {0};
    snprintf(host, sizeof host, "127.0.0.1:%u", connection->network->port);
    const char *path = link->client->bench->options.path;
    struct fray_websocket_target target = {.host = fray_slice_of(host),
                                           .path = fray_slice_of(path ? path : link->path)};
    fray_websocket_request_append(&request, &target, nonce, key);
    connection_write(connection, fray_buf_slice(&request));
    fray_buf_deinit(&request);
}

/* The answer's proof of the key is not looked at: it would cost more than all else of a storm. */
static size_t upgrade(struct websocket_link *link, struct fray_slice bytes)
{
    struct fray_websocket_response response;
    enum fray_err err = fray_websocket_response_decode(bytes, &response);
    if (err == FRAY_ERR_AGAIN)
        return 0;
    if (err || response.status != 101) {
        fail(link, "the server refused the WebSocket");
        return 0;
    }
    link->upgraded = true;
    link->on_open(link->client);
    return response.len;
}

static void on_event(struct websocket_link *link, const struct fray_websocket_event *event)
{
    if (event->opcode == FRAY_WEBSOCKET_CLOSE) {
        fail(link, "the server closed the WebSocket");
    } else if (event->opcode == FRAY_WEBSOCKET_PING) {
        struct fray_buf pong = {0};
        fray_websocket_frame_append(&pong, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_PONG, event->payload,
                                    mask_key);
        connection_write(&link->connection, fray_buf_slice(&pong));
        fray_buf_deinit(&pong);
    } else if (event->opcode != FRAY_WEBSOCKET_PONG) {
        link->on_text(link->client, event->payload);
    }
}

static size_t on_bytes(struct connection *connection, char *data, size_t len)
{
    struct websocket_link *link = connection->owner;
    struct fray_websocket_event event;
    size_t used, at = 0;
    if (!link->upgraded) {
        at = upgrade(link, fray_slice(data, len));
        if (!at)
            return 0;
    }
    enum fray_err err = FRAY_OK;
    while (connection->fd >= 0 &&
           !(err = fray_websocket_decode(&link->decoder, data + at, len - at, &used, &event))) {
        at += used;
        on_event(link, &event);
    }
    if (connection->fd >= 0 && err == FRAY_ERR_AGAIN)
        at += used;
    else if (connection->fd >= 0)
        fail(link, event.fault);
    return at;
}

static void on_close(struct connection *connection)
{
    struct websocket_link *link = connection->owner;
    fray_websocket_decoder_deinit(&link->decoder);
    client_lost(link->client, "the server closed the connection");
}

void websocket_link_open(struct websocket_link *link, struct client *client)
{
    link->client = client;
    link->upgraded = false;
    link->connection.owner = link;
    link->connection.on_open = on_open;
    link->connection.on_bytes = on_bytes;
    link->connection.on_close = on_close;
    fray_websocket_decoder_init(&link->decoder, MESSAGE_MAX, FRAY_WEBSOCKET_CLIENT);
    connection_open(&link->connection, &client->bench->network);
}

void websocket_link_send(struct websocket_link *link, struct fray_slice text)
{
    struct fray_buf frame = {0};
    fray_websocket_frame_append(&frame, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT, text, mask_key);
    connection_write(&link->connection, fray_buf_slice(&frame));
    fray_buf_deinit(&frame);
}

void websocket_link_close(struct websocket_link *link)
{
    if (link->connection.fd >= 0)
        fray_websocket_decoder_deinit(&link->decoder);
    connection_close(&link->connection);
}
