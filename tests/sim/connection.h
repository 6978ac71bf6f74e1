/* One TCP connection of a simulated client: bytes out, bytes in, and the ways in which it ends. */
#ifndef FRAY_SIM_CONNECTION_H
#define FRAY_SIM_CONNECTION_H

#include "net/loop_sim.h"
#include "net/stream.h"

/* How a connection is lost. */
enum sim_loss {
    SIM_FIN,     /* its owner ends it */
    SIM_RESET,   /* the network resets it: both ends are told */
    SIM_SILENCE, /* nothing arrives any more, and nobody is told */
    SIM_LOSSES,
};

struct sim_connection {
    struct fray_loop *loop;
    struct fray_stream *stream; /* NULL: closed */
    struct fray_buf out;        /* not written yet */
    void *owner;
    /* Returns how many bytes were consumed; may close or reopen the connection. */
    size_t (*on_bytes)(struct sim_connection *connection, char *data, size_t len);
    /* The other side ended it, or it broke: it is closed already. */
    void (*on_end)(struct sim_connection *connection);
};

enum { SIM_PORT = 80 };

/* Begins to connect to the server. loop, owner and callbacks are set. */
void sim_connection_open(struct sim_connection *connection);
void sim_connection_write(struct sim_connection *connection, struct fray_slice bytes);
/* Closes it without telling the owner; fine for one that is closed. */
void sim_connection_close(struct sim_connection *connection, bool reset);
/* Loses it; the owner hears of SIM_FIN and SIM_RESET through on_end. */
void sim_connection_lose(struct sim_connection *connection, enum sim_loss how);

#endif
