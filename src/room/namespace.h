/* A namespace: where event handlers live, and the home half of its sockets.
 *
 *   session's worker                          home worker
 *   protocol ── fray_member_connect ────────▶ on_authorize ── accepted / rejected ──▶ protocol
 *            ── fray_member_event ──────────▶ handler
 *            ── fray_member_end ────────────▶ on_disconnect
 *            ◀───────────────────────────────  emit, broadcast, join, leave, disconnect
 *
 * Each arrow is a plain call when both are the same worker, and a parcel (copied, in order) when
 * they are not. So a handler never meets a lock, and a broadcast crosses once per worker.
 *
 * Thread: the home worker's, except the fray_member_ functions and `audiences[w]`, which are worker
 * w's. */
#ifndef FRAY_ROOM_NAMESPACE_H
#define FRAY_ROOM_NAMESPACE_H

#include "base/token.h"
#include "room/audience.h"
#include "room/handshake.h"
#include "room/log.h"

/* What identify says. */
struct fray_identified {
    json_t *claims;     /* a new reference */
    const char *reason; /* of a refusal; static storage */
};

/* Limits and habits, from the server's options. */
struct fray_namespace_options {
    unsigned max_rooms_per_socket;
    unsigned room_flush_interval_ms;
    unsigned recovery_max_disconnection_ms; /* 0: no connection state recovery */
    unsigned recovery_max_messages;
    uint64_t recovery_max_bytes;   /* 0: no bound */
    unsigned recovery_max_sockets; /* that are away; 0: no bound */
    unsigned json_max_depth;
    unsigned chat_history, chat_max_length, chat_rate; /* docs/config.md */
    /* Who a socket is, by the token that it came with. An error: refused, for `reason`. NULL:
     * everybody is a guest. `auth` and `handshake` may be NULL. Any worker's thread. */
    enum fray_err (*identify)(void *context, const json_t *auth,
                              const struct fray_handshake *handshake,
                              struct fray_identified *identified);
    void *identify_context;
    /* A socket asks for a bad network of its own (builtin event "lab"). An error: refused, for what
     * is appended to `reason`. NULL: there is no such event. The home worker's thread. */
    enum fray_err (*lab)(void *context, const fray_socket *socket, const json_t *wanted,
                         struct fray_buf *reason);
    void *lab_context;
    int64_t (*unix_ms)(void); /* the time of day; NULL: 0 */
};

/* A room on the home worker: how many members it has on each worker. */
struct fray_room {
    struct fray_slice name; /* in `text`, terminated */
    uint32_t size;
    uint32_t *on_worker;    /* workers_count entries, behind the text */
    struct fray_chat *chat; /* NULL: nothing was said yet */
    char text[];
};

/* A room that a socket is in, since this point of the namespace's log. */
struct fray_joined {
    struct fray_room *room;
    uint64_t since;
};

/* Hears what is broadcast in namespaces, on each one's home worker: a bridge to another protocol.
 */
struct fray_observer {
    void (*on_broadcast)(struct fray_observer *observer, fray_namespace *nsp,
                         const struct fray_message *message, const struct fray_target *target);
};

struct fray_pending_ack;
struct fray_ticket;

/* Tickets of sockets that are away, in the order in which they went. */
struct fray_away {
    struct fray_ticket *longest, *shortest;
    unsigned count;
};

/* What most sockets that idle do without. */
struct fray_socket_extra {
    char *id; /* terminated; made when first asked for, unless it was recovered */
    struct fray_pending_ack *acks;
    uint64_t next_ack_id;
    struct fray_connecting
        *connecting; /* auth, handshake, reason: during on_authorize and on_connect, or kept */
    struct fray_ticket *ticket; /* connection state recovery; NULL: off */
};

/* The home half of a socket. */
struct fray_socket {
    fray_namespace *nsp;
    struct fray_handle handle; /* in nsp->sockets */
    struct fray_handle member; /* on worker `worker` */
    uint32_t joined_count;
    uint16_t worker;
    bool is_connected : 1; /* accepted, and not yet ended */
    bool is_blocked : 1;   /* its session's last word was QUEUED or DROPPED */
    bool is_recovered : 1;
    struct fray_joined *joined;
    struct fray_socket_extra *extra; /* NULL: nothing of it is needed */
    _Alignas(8) char data[];         /* socket_data_size bytes */
};

struct fray_namespace {
    struct fray_app app; /* a copy */
    struct fray_namespace_options options;
    char *name;
    struct fray_worker *home;
    struct fray_worker **workers; /* all of the server */
    unsigned workers_count;
    struct fray_audience **audiences; /* by worker; NULL until it has a member there */
    void *server;                     /* the fray_server; opaque here */
    /* A socket is gone, or (`was_socket` false) what was kept for one to come back. NULL: nobody
     * asks. */
    void (*on_vacated)(fray_namespace *nsp, bool was_socket);
    uint64_t holds;                 /* the registry's: connections on their way, and sockets */
    struct fray_observer *observer; /* NULL: nobody; set before anything is broadcast */

    struct fray_id_pool sockets;
    struct fray_hash_key id_keys[2]; /* secret: a socket's id is made of its handle by these */
    uint32_t *sockets_on_worker;     /* workers_count entries */
    struct fray_name_map rooms;      /* struct fray_room */
    struct fray_message_log log;
    struct fray_name_map tickets;      /* recoverable sockets by pid */
    struct fray_away away;             /* those that are away */
    fray_timer_handle *timers;         /* all that are running */
    struct fray_chat *chat;            /* said in no room; NULL: nothing */
    struct fray_identity **identities; /* by socket->handle.index: room/identity.h */
    uint32_t identities_cap;
};

/* The app's name is not used: `name` is. `maker` is the worker whose thread this is, or any while
 * none runs. */
fray_namespace *fray_namespace_create(const struct fray_app *app, struct fray_slice name,
                                      const struct fray_namespace_options *options,
                                      struct fray_worker *home, struct fray_worker *maker);
/* Before anything else; the array outlives the namespace. */
void fray_namespace_set_workers(fray_namespace *nsp, struct fray_worker **workers, unsigned count);
/* All sessions are closed already and no worker runs. */
void fray_namespace_destroy(fray_namespace *nsp);

/* ------------------------------------------------------------- for protocols, on the session's
 * worker */

struct fray_connect_request {
    struct fray_slice auth;           /* JSON object as text; empty: none */
    struct fray_handshake *handshake; /* borrowed; NULL: none */
    struct fray_slice pid;            /* connection state recovery; empty: none */
    struct fray_slice offset;
};

/* An event as it came in. Slices are borrowed for the call. */
struct fray_incoming {
    struct fray_slice name;
    struct fray_slice args; /* JSON text "a,b", valid; or the bare body */
    const struct fray_slice *attachments;
    size_t attachments_count;
    int64_t ack_id; /* FRAY_ACK_NONE, or the wish for / the number of an ack */
    bool is_bare, is_binary;
    bool wants_errors; /* the sender is told of an event that no handler is named for */
    struct fray_handshake
        *carrier; /* the HTTP POST that carried it, where the app keeps handshakes; or NULL */
};

/* What the session's protocol hears of its sockets; a table per protocol, found through
 * fray_protocol.member_ops. */
struct fray_member_ops {
    /* The socket is connected. `pid` is empty without recovery. What the handlers send comes after
     * this. */
    void (*on_accepted)(struct fray_member *member, const char *socket_id, const char *pid);
    /* Refused: `error` is JSON text {"message":…}. The member is already out of the namespace. */
    void (*on_rejected)(struct fray_member *member, struct fray_slice error);
    /* The application disconnected it; the member is already out of the namespace. */
    void (*on_disconnected)(struct fray_member *member, bool close_session);
};

/* Enters the namespace: zeroed member, its session set. One of on_accepted and on_rejected
 * follows, perhaps during the call. */
void fray_member_connect(struct fray_member *member, fray_namespace *nsp,
                         const struct fray_connect_request *request);
/* From a connected member only. */
void fray_member_event(struct fray_member *member, const struct fray_incoming *incoming);
void fray_member_ack(struct fray_member *member, const struct fray_incoming *incoming);
void fray_member_drained(struct fray_member *member);
/* The member is out, at once; the home worker tells the application. Fine for a member that is out
 * already. */
void fray_member_end(struct fray_member *member, enum fray_disconnect reason);

/* ------------------------------------------------------------- inside the room layer, on the home
 * worker */

struct fray_connecting {
    json_t *auth;
    struct fray_handshake *handshake;
    char *reject_message;
    json_t *reject_data;
};

/* What a connected parcel says, once it is on the home worker. */
struct fray_arrival {
    unsigned worker;
    struct fray_handle member;
    struct fray_slice auth, pid, offset;
    struct fray_handshake *handshake; /* taken */
};

void fray_namespace_connect(fray_namespace *nsp, struct fray_arrival *arrival);
void fray_namespace_event(fray_namespace *nsp, struct fray_handle socket,
                          const struct fray_incoming *incoming);
void fray_namespace_ack(fray_namespace *nsp, struct fray_handle socket,
                        const struct fray_incoming *incoming);
void fray_namespace_pressure(fray_namespace *nsp, struct fray_handle socket, bool is_blocked);
void fray_namespace_end(fray_namespace *nsp, struct fray_handle socket,
                        enum fray_disconnect reason);

/* Takes the socket out of everything and frees it at the end of the turn; its member is gone or
 * told. */
void fray_socket_remove(fray_socket *socket, enum fray_disconnect reason);

/* fray_send_to without telling the observer: it came from there. */
enum fray_send_result fray_namespace_broadcast(fray_namespace *nsp, fray_message *message,
                                               const struct fray_target *target);

/* To the socket's session. */
enum fray_send_result fray_socket_deliver(fray_socket *socket, fray_message *message);

/* Its extra part, made when there is none. */
struct fray_socket_extra *fray_socket_extra(fray_socket *socket);
/* Frees the extra part if nothing is in it. */
void fray_socket_settle(fray_socket *socket);

static inline struct fray_ticket *fray_socket_ticket(const fray_socket *socket)
{
    return socket->extra ? socket->extra->ticket : NULL;
}

/* Its id, without keeping it. */
void fray_socket_write_id(const fray_socket *socket, char id[FRAY_TOKEN_LEN + 1]);

void fray_acks_cancel(fray_socket *socket);
void fray_timers_stop(fray_namespace *nsp);

#endif
