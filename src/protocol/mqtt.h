/* MQTT 3.1, 3.1.1 and 5.0 over tcp and websocket links: the server's side of a connection, from
 * CONNECT to DISCONNECT, on top of the broker (broker/broker.h), which keeps the session.
 *
 * A state machine without I/O: packets come in through the link, go out through the session's
 * outbox, and nothing of a turn is written before the journal has it (server). Thread: the broker's
 * worker's; links of other workers are moved there first. Pure. */
#ifndef FRAY_PROTOCOL_MQTT_H
#define FRAY_PROTOCOL_MQTT_H

#include "broker/broker.h"
#include "room/namespace.h"

struct fray_mqtt_identity {
    struct fray_slice client_id; /* as the client sent it, perhaps empty */
    struct fray_slice username;  /* empty: none */
};

enum fray_mqtt_action {
    FRAY_MQTT_ACTION_PUBLISH,
    FRAY_MQTT_ACTION_SUBSCRIBE,      /* to all that the filter matches; also: to hear a topic */
    FRAY_MQTT_ACTION_SUBSCRIBE_PART, /* to some of it: each topic is asked for again */
};

/* What comes of a CONNECT. */
struct fray_mqtt_verdict {
    enum fray_mqtt_reason reason; /* success, 0x86, 0x87, … */
    const char *why;              /* the reason string of a refusal, static storage; NULL: none */
    uint64_t expires_us; /* when the connection ends for the token's sake (0x87); 0: it does not */
};

/* Who may connect, and do what. The server's; outlives all connections. */
struct fray_mqtt_access {
    /* Judges a CONNECT: FRAY_OK and *verdict (all 0 before); or FRAY_ERR_AGAIN, and
     * fray_mqtt_authenticated follows on a later turn. What `connect` points to is borrowed. */
    enum fray_err (*authenticate)(struct fray_mqtt_access *access, struct fray_handle session,
                                  const struct fray_mqtt_connect *connect,
                                  struct fray_mqtt_verdict *verdict);
    /* `topic` is a name to publish to, or a filter to subscribe to (without its share). */
    bool (*may)(struct fray_mqtt_access *access, const struct fray_mqtt_identity *identity,
                enum fray_mqtt_action action, struct fray_slice topic);
};

/* The part that MQTT clients have in a namespace. */
enum fray_mqtt_part {
    FRAY_MQTT_HEARS_ROOMS,  /* they subscribe to what its rooms are told */
    FRAY_MQTT_SPEAKS_THERE, /* and publish into them, past its handlers */
    FRAY_MQTT_HAS_SOCKETS, /* they are sockets of it (protocol/mqtt_socket.h): no rooms as topics */
};

/* The topics of a namespace: its own and all below. */
struct fray_mqtt_room_prefix {
    struct fray_slice topic; /* "fray/games" */
    bool is_pattern;         /* its last level goes on; a namespace of that very name goes first */
    enum fray_mqtt_part part;
};

/* All namespaces of the applications. The server's; outlives all connections. */
struct fray_mqtt_rooms {
    struct fray_mqtt_room_prefix *prefixes;
    size_t count;
    /* Held for the socket that is then opened in it. NULL: there is none of that name. */
    fray_namespace *(*find)(struct fray_mqtt_rooms *rooms, struct fray_slice name);
};

/* The namespace whose topic, or filter, that is, as it is spelled by fray_room_topic_encode; NULL:
 * none. `rooms` may be NULL. */
const struct fray_mqtt_room_prefix *fray_mqtt_rooms_find(const struct fray_mqtt_rooms *rooms,
                                                         struct fray_slice topic);

/* Shared by all connections; outlives them. */
struct fray_mqtt_config {
    struct fray_broker *broker;
    struct fray_mqtt_access *access; /* NULL: everybody may do everything */
    struct fray_mqtt_rooms *rooms;   /* NULL: there are none */
    unsigned connect_timeout_ms;
    uint32_t maximum_packet_size; /* that we accept, bytes */
    uint16_t receive_maximum;     /* QoS 2 messages that a client may have open with us */
    uint16_t topic_alias_maximum; /* that a client may use */
    uint16_t keep_alive_max_s;    /* 0: whatever the client says */
    bool has_tokens;              /* passwords are tokens, by which sockets are known, too */
    bool is_read_only;            /* what has to be kept cannot be: it is refused for now (0x97) */
};

/* A connection over the link, waiting for its CONNECT. */
void fray_mqtt_open(const struct fray_mqtt_config *config, struct fray_link *link);

/* The verdict that authenticate owed; nothing when the connection is gone. */
void fray_mqtt_authenticated(struct fray_worker *worker, struct fray_handle session,
                             enum fray_mqtt_reason reason);

/* Whether the session is there and its verdict is still owed. */
bool fray_mqtt_awaits_verdict(const struct fray_worker *worker, struct fray_handle session);

/* The journal could not keep what this turn was to acknowledge: of every connection that was to be
 * told so, what is not written yet is forgotten, and it ends with 0x97, a new one already with its
 * CONNACK (before 5.0: 3). The client will send again. */
void fray_mqtt_cut_unacknowledged(struct fray_worker *worker);

/* Ends all MQTT connections of the worker, telling them that the server shuts down. */
void fray_mqtt_drain(struct fray_worker *worker);

#endif
