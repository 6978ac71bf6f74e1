/* Connection state recovery: a socket that lost its connection comes back with its id, its rooms,
 * its user data and the events that it missed (Socket.IO:
 * https://socket.io/docs/v4/connection-state-recovery).
 *
 * Every socket of a namespace with recovery holds a ticket, named by its `pid`. When the connection
 * goes, the ticket takes over what the socket had, for recovery_max_disconnection_ms. Home worker
 * only. Pure. */
#ifndef FRAY_ROOM_RECOVERY_H
#define FRAY_ROOM_RECOVERY_H

#include "room/namespace.h"

/* A room that the socket is, or was, in: what the log holds behind `since`, up to and with `until`.
 */
struct fray_ticket_room {
    char *name;
    uint64_t since, until; /* until: UINT64_MAX of a room that it was in when it went */
};

struct fray_ticket {
    char pid[FRAY_TOKEN_LEN + 1];
    char id[FRAY_TOKEN_LEN + 1]; /* the socket's */
    uint64_t lineage;            /* the same for every socket that this ticket becomes; never 0 */
    uint64_t connected_seq;      /* the log's position when the first of them connected */
    fray_namespace *nsp;
    fray_socket *socket; /* NULL while it is away; then rooms and data are in use */
    struct fray_ticket_room *rooms;
    size_t rooms_count;
    struct fray_ticket_room *former; /* left since; what was sent meanwhile may yet be replayed */
    size_t former_count;
    uint64_t exact_since; /* before this position it is no longer known who was in which room */
    void *data;
    struct fray_timer expiry;
    bool is_away; /* suspended: in nsp->away, between these two */
    struct fray_ticket *longer_away, *shorter_away;
};

/* A ticket for a new socket. */
void fray_ticket_issue(fray_socket *socket);
/* The socket ends: the ticket keeps what is needed to come back, or ends with it; of more than
 * recovery_max_sockets the longest gone is forgotten. Before the socket leaves its rooms. */
void fray_ticket_suspend(fray_socket *socket, enum fray_disconnect reason);
/* The socket leaves a room, but not the claim to what was sent to it so far. */
void fray_ticket_leave(struct fray_ticket *ticket, const struct fray_joined *joined);
/* The ticket of `pid` if it can still be made good from `offset` on; the socket that holds it now
 * is ended. NULL otherwise. */
struct fray_ticket *fray_ticket_redeem(fray_namespace *nsp, struct fray_slice pid,
                                       struct fray_slice offset);
/* Gives a new socket the ticket's id, data and rooms. */
void fray_ticket_restore(struct fray_ticket *ticket, fray_socket *socket);
/* Sends what came after `offset`. */
void fray_ticket_replay(fray_socket *socket, struct fray_slice offset);
void fray_ticket_destroy(struct fray_ticket *ticket);

#endif
