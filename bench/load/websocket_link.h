/* The client's side of a WebSocket, for the protocols that travel on one. */
#ifndef LOAD_WEBSOCKET_LINK_H
#define LOAD_WEBSOCKET_LINK_H

#include "connection.h"
#include "wire/websocket.h"

struct client;

struct websocket_link {
    struct connection connection;
    struct fray_websocket_decoder decoder;
    struct client *client;
    const char *path; /* with its query */
    bool upgraded;
    void (*on_open)(struct client *client);
    void (*on_text)(struct client *client, struct fray_slice text); /* may close the link */
};

/* path and callbacks are set. */
void websocket_link_open(struct websocket_link *link, struct client *client);
void websocket_link_send(struct websocket_link *link, struct fray_slice text);
void websocket_link_close(struct websocket_link *link);

#endif
