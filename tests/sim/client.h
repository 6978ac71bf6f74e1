/* A simulated Socket.IO client, as the official one behaves: polling, websocket, or the upgrade
 * from one to the other; it answers pings, notices silence, comes back after a loss and asks for
 * its state to be recovered. What its events mean is its owner's business. */
#ifndef FRAY_SIM_CLIENT_H
#define FRAY_SIM_CLIENT_H

#include "base/rng.h"
#include "base/token.h"
#include "connection.h"
#include "wire/socketio_assembler.h"
#include "wire/websocket.h"

enum sim_way { SIM_POLLING, SIM_WEBSOCKET, SIM_UPGRADE, SIM_WAYS };

enum sim_client_state {
    SIM_AWAY,
    SIM_HANDSHAKING, /* no open packet yet */
    SIM_JOINING,     /* no answer to CONNECT yet */
    SIM_CONNECTED,
};

/* How far the upgrade came; each step is a place where a test may lose a connection. */
enum sim_upgrade {
    SIM_UPGRADE_NONE,
    SIM_UPGRADE_OPENING, /* the websocket connects */
    SIM_UPGRADE_PROBING, /* "2probe" was sent */
    SIM_UPGRADE_PAUSING, /* "3probe" came; waits for its GET and POST to end */
    SIM_UPGRADE_DONE,    /* "5" was sent */
    SIM_UPGRADE_STEPS,
};

struct sim_client {
    struct fray_rng *rng;
    void *owner;
    unsigned index;
    enum sim_way way;
    bool is_wanted; /* to come back after a loss */
    uint32_t ping_interval_ms, ping_timeout_ms;
    void (*on_connected)(struct sim_client *client, bool is_recovered);
    void (*on_event)(struct sim_client *client, const struct fray_socketio_packet *packet,
                     const struct fray_slice *attachments);
    void (*on_step)(struct sim_client *client, enum sim_upgrade step); /* NULL: nobody asks */
    void (*on_lost)(struct sim_client *client);                        /* NULL: nobody asks */

    enum sim_client_state state;
    enum sim_upgrade upgrade;
    bool uses_websocket; /* it is the transport */
    struct sim_connection get, post, websocket;
    bool gets, posts; /* a request waits for its reply */
    bool is_websocket_open;
    struct fray_websocket_decoder decoder;
    struct fray_socketio_assembler assembler;
    struct fray_buf outgoing; /* packets, joined as in polling */
    struct fray_timer retry, watchdog;
    unsigned losses; /* also tells one connection's life from the next */
    char sid[FRAY_TOKEN_LEN + 1], id[FRAY_TOKEN_LEN + 1], pid[FRAY_TOKEN_LEN + 1], offset[24];
};

/* What is not zero is set before: rng, loop of the connections, way, callbacks, times. */
void sim_client_init(struct sim_client *client, struct fray_loop *loop);
void sim_client_connect(struct sim_client *client);
/* Sends a Socket.IO packet, such as `2["event"]`. */
void sim_client_send(struct sim_client *client, const char *packet);
/* What was going on is over; it comes back when it is_wanted. */
void sim_client_lose(struct sim_client *client, enum sim_loss how);
/* Leaves for good, politely. */
void sim_client_leave(struct sim_client *client);
void sim_client_deinit(struct sim_client *client);

#endif
