/* Non-blocking TCP connections to the server, and the epoll set that drives them. One thread.
 *
 * A write goes to the kernel at once; what that does not take is kept, and sent when there is room.
 * Memory of a connection is its owner's. */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct network {
    int epoll_fd;
    uint16_t port;      /* of the server, on 127.0.0.1 */
    unsigned opened;    /* connections so far */
    uint64_t bytes_in;  /* read by all connections so far */
    uint64_t bytes_out; /* given to them to write */
    char *buffer;       /* that every connection reads into */
};

struct connection {
    struct network *network;
    int fd; /* -1: closed */
    bool connecting;
    bool corked;         /* gather writes until connection_uncork */
    bool watches_write;  /* epoll tells when there is room */
    struct fray_buf in;  /* read, and not consumed yet */
    struct fray_buf out; /* not written yet */
    void *owner;
    void (*on_open)(struct connection *connection);
    /* Returns how many bytes were consumed; the others come again, with more. May close. */
    size_t (*on_bytes)(struct connection *connection, char *data, size_t len);
    /* The other side ended it, or it could not be opened: it is closed already. */
    void (*on_close)(struct connection *connection);
};

void network_init(struct network *network, uint16_t port);
void network_deinit(struct network *network);
/* Waits for readiness, at most `timeout_ns`, and calls the connections' owners. */
void network_wait(struct network *network, uint64_t timeout_ns);

/* Begins to connect; the callbacks and the owner are set, the rest is zero or was closed. */
void connection_open(struct connection *connection, struct network *network);
void connection_write(struct connection *connection, struct fray_slice bytes);
void connection_cork(struct connection *connection);
void connection_uncork(struct connection *connection); /* sends what was gathered */
/* Does not call on_close; fine for one that is closed, or was never opened but has fd -1. */
void connection_close(struct connection *connection);

#endif
