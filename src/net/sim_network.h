/* The inside of net/loop_sim.h: sockets, and what is on its way between them. loop_sim.c makes a
 * loop of it. */
#ifndef FRAY_NET_SIM_NETWORK_H
#define FRAY_NET_SIM_NETWORK_H

#include "base/buf.h"
#include "base/rng.h"
#include "net/loop_sim.h"

enum sim_state {
    SIM_LISTENING,
    SIM_CONNECTING,
    SIM_OPEN,
    SIM_BROKEN, /* refused or reset */
};

/* Named by an id that is never used twice: what is on its way may outlive both ends. 0 is nobody.
 */
typedef uint64_t sim_id;

struct sim_ids {
    sim_id *items;
    size_t count, cap;
};

struct sim_socket {
    sim_id id;
    int fd;
    enum sim_state state;
    struct sim_loop *loop;
    struct fray_source *source; /* NULL: not watched */
    bool is_queued;             /* in loop->ready */
    bool shares_port;           /* listening */
    bool is_silent;             /* nothing arrives any more */
    bool is_cut;                /* nothing but a reset arrives any more */
    bool has_fin, has_sent_fin;
    struct fray_address local, remote;
    sim_id peer;
    struct sim_ids waiting; /* listening: connected, not accepted yet */
    struct fray_buf received;
    size_t received_start;
    size_t unread_by_peer; /* bytes sent that the peer has not read; at most the window */
    uint64_t line_free_us; /* when the last byte sent has left, at this bandwidth */
    uint64_t last_us;      /* when what was sent last arrives */
};

struct sim_loop {
    struct fray_loop loop; /* first */
    struct fray_sim_network *network;
    struct sim_loop *next;
    struct sim_ids ready; /* sockets that may be ready */
    bool is_woken;
    unsigned index; /* the last byte of its IP address */
    unsigned descriptors, descriptors_max;
};

enum sim_event_kind {
    SIM_SYN,
    SIM_ACCEPTED,
    SIM_REFUSED,
    SIM_DATA,
    SIM_FIN,
    SIM_RESET,
    SIM_WINDOW
};

struct sim_event {
    uint64_t at_us;
    uint64_t order; /* of sending: decides between equal times */
    enum sim_event_kind kind;
    sim_id from, to; /* SYN: to nobody, who listens is looked up on arrival */
    char *data;      /* DATA */
    size_t len;      /* DATA, WINDOW */
};

struct fray_sim_network {
    struct fray_sim_options options;
    struct fray_rng rng;
    uint64_t now_us, trace_hash, sent; /* sent: events so far */
    struct sim_loop *loops;
    unsigned loops_made;
    uint16_t last_port;
    uint64_t sockets_made;
    struct sim_socket **sockets; /* by descriptor; NULL: free */
    size_t sockets_cap;
    struct sim_event *events; /* a binary heap, the earliest first */
    size_t events_count, events_cap;
};

void sim_ids_push(struct sim_ids *ids, sim_id id);

struct sim_socket *sim_socket_create(struct sim_loop *loop, enum sim_state state);
struct sim_socket *sim_socket_by_fd(const struct fray_sim_network *network, int fd); /* asserts */
struct sim_socket *sim_socket_by_id(const struct fray_sim_network *network,
                                    sim_id id); /* or NULL */
struct sim_socket *sim_socket_listening(struct fray_sim_network *network,
                                        const struct fray_address *address);
unsigned sim_socket_ready(const struct sim_socket *socket); /* enum fray_ready bits */
void sim_socket_queue(struct sim_socket *socket); /* into loop->ready, if it is ready and watched */

void sim_socket_connect(struct sim_socket *socket);
enum fray_err sim_socket_read(struct sim_socket *socket, void *data, size_t len, size_t *count);
enum fray_err sim_socket_write(struct sim_socket *socket, const struct iovec *parts,
                               int parts_count, size_t *count);
void sim_socket_finish(struct sim_socket *socket);
void sim_socket_close(struct sim_socket *socket, bool reset);
void sim_socket_stall(struct sim_socket *socket);
void sim_socket_break(struct sim_socket *socket); /* a reset from within the network */

/* Sends with the network's delay; takes event.data. The caller fills kind, from, to, data, len. */
void sim_event_send(struct fray_sim_network *network, struct sim_event event);
/* The same, behind everything that this socket sent before, at its bandwidth. */
void sim_event_send_in_order(struct sim_socket *socket, struct sim_event event);

uint16_t sim_network_next_port(struct fray_sim_network *network);
/* When the next event arrives; UINT64_MAX: nothing is on its way. */
uint64_t sim_network_next_us(const struct fray_sim_network *network);
/* Moves time and delivers what arrives until then. */
void sim_network_advance(struct fray_sim_network *network, uint64_t now_us);

#endif
