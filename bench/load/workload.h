/* Who speaks when. */
#ifndef LOAD_WORKLOAD_H
#define LOAD_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct bench;
struct client;

struct workload {
    const char *name;
    bool has_room;  /* on Socket.IO, who listens joins the room "r" first */
    bool has_moves; /* what is sent are moves */
    bool is_idle;   /* connections are all there is */
    bool is_storm;  /* handshakes are all there is */
    /* Given --clients: sets the bench's clients_count and receivers. */
    void (*plan)(struct bench *bench);
    /* Gives the client of this index its topic, and its partner where it has one. */
    void (*cast)(struct bench *bench, struct client *client);
    void (*start)(struct bench *bench); /* all are connected; NULL: nothing to do */
    /* Sends what is due and returns how many nanoseconds there are until more is. NULL: nothing is
     * sent by the clock. */
    uint64_t (*send_due)(struct bench *bench, uint64_t now_ns);
    /* The client was given a message, and the run goes on. NULL: it does not care. */
    void (*on_delivered)(struct bench *bench, struct client *client);
};

const struct workload *workload_find(const char *name); /* NULL: there is none */

#endif
