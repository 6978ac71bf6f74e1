/* Private to src/protocol/mqtt*.c: one connection, and what its files do for each other. */
#ifndef FRAY_PROTOCOL_MQTT_CONNECTION_H
#define FRAY_PROTOCOL_MQTT_CONNECTION_H

#include "protocol/mqtt.h"
#include "wire/mqtt_decode.h"
#include "wire/mqtt_encode.h"

struct fray_mqtt_connection {
    struct fray_session session; /* first */
    const struct fray_mqtt_config *config;
    struct fray_broker_session *client; /* NULL: no CONNECT yet, or closed */
    struct fray_buf *partial;           /* bytes of a packet that is not complete; NULL: none */
    struct fray_mqtt_aliases *aliases;  /* NULL: none in use */
    struct fray_mqtt_backlog *backlog;  /* NULL: nothing waits */
    char *username;                     /* NULL: none */
    char *token; /* the password, where it is a token: who its sockets are; NULL: none */
    struct fray_mqtt_socket *sockets; /* in namespaces; NULL: none */
    struct fray_mqtt_lease *lease;    /* it ends at some time; NULL: it does not */
    struct fray_timer timer;          /* for the CONNECT, then keep alive */
    uint64_t seen_us;                 /* when the client last said something */
    uint32_t connack_us;              /* the low bits of when it was let in, or not */
    uint32_t promise_us;      /* of when it was last sent what stands on something being kept */
    uint32_t peer_packet_max; /* the client's maximum packet size; 0: none */
    uint16_t peer_alias_max;
    uint16_t keep_alive_s; /* 0: off */
    uint8_t version;       /* enum fray_mqtt_version */
    uint8_t close_reason;  /* enum fray_mqtt_reason of our DISCONNECT; 0: by why it closes */
    uint8_t verdict;       /* of authenticate, once has_verdict */
    bool has_verdict;
    bool is_authenticating;
    bool is_receiving;   /* `partial` is being read */
    bool keeps_problems; /* the client asked for no problem information */
    bool has_left;       /* DISCONNECT came: no will */
    bool has_no_expiry;  /* CONNECT said session expiry 0 */
    bool judges_topics;  /* a subscription may match what the client must not hear */
};

/* A connection by a token that expires. */
struct fray_mqtt_lease {
    struct fray_timer timer; /* first */
    struct fray_mqtt_connection *connection;
};

static inline bool fray_mqtt_is_v5(const struct fray_mqtt_connection *self)
{
    return self->version == FRAY_MQTT_5;
}

/* mqtt.c */
/* Ends the connection for what the client did, with the reason where the version can say it. */
void fray_mqtt_connection_fail(struct fray_mqtt_connection *self, enum fray_mqtt_reason reason);
void fray_mqtt_send(struct fray_mqtt_connection *self, const struct fray_mqtt_packet *packet);
void fray_mqtt_send_ack(struct fray_mqtt_connection *self, enum fray_mqtt_type type,
                        uint16_t packet_id, enum fray_mqtt_reason reason);
/* What is sent in this turn says that something is kept: it may only go out if that is so. */
static inline void fray_mqtt_promise(struct fray_mqtt_connection *self)
{
    self->promise_us = (uint32_t)*self->session.worker->now_us;
}
bool fray_mqtt_may(const struct fray_mqtt_connection *self, enum fray_mqtt_action action,
                   struct fray_slice topic);
/* Whether the client may hear of the topic; free for those without partial subscriptions. */
static inline bool fray_mqtt_may_hear(const struct fray_mqtt_connection *self,
                                      struct fray_slice topic)
{
    return !self->judges_topics || fray_mqtt_may(self, FRAY_MQTT_ACTION_SUBSCRIBE, topic);
}

/* mqtt_connect.c */
/* False: the CONNECT waits for its verdict and is to be offered again. */
bool fray_mqtt_on_connect(struct fray_mqtt_connection *self,
                          const struct fray_mqtt_connect *connect);
/* Answers a CONNECT with an error and closes. */
void fray_mqtt_refuse(struct fray_mqtt_connection *self, enum fray_mqtt_version version,
                      enum fray_mqtt_reason reason);

/* The same where its session could not be kept: the disk takes nothing. */
void fray_mqtt_refuse_full(struct fray_mqtt_connection *self, enum fray_mqtt_version version);

/* mqtt_receive.c: each handles one packet of a connected client. */
void fray_mqtt_on_packet(struct fray_mqtt_connection *self, const struct fray_mqtt_packet *packet);

/* mqtt_send.c */
extern const struct fray_broker_session_ops fray_mqtt_session_ops;
/* Sends what is owed at QoS 1 and 2, as far as the client and the outbox take it. */
void fray_mqtt_pump(struct fray_mqtt_connection *self);

/* Whether a message of that size may go out before others have. */
bool fray_mqtt_has_room(const struct fray_mqtt_connection *self, size_t size);

/* mqtt_rooms.c */
/* Whether the topic, or filter, is one of sockets in namespaces: the broker has no part in it. */
bool fray_mqtt_is_socket_topic(const struct fray_mqtt_config *config, struct fray_slice topic);
/* False: of a room that is told things by its namespace's handlers alone. */
bool fray_mqtt_may_speak(const struct fray_mqtt_config *config, struct fray_slice topic);

/* mqtt_socket.c: sockets in namespaces (mqtt_socket.h). */
/* A PUBLISH to such a topic. False: nobody is there. The connection may be ending then. */
bool fray_mqtt_socket_publish(struct fray_mqtt_connection *connection,
                              const struct fray_mqtt_publish *publish);
/* The client has subscribed to such a filter. */
void fray_mqtt_socket_subscribed(struct fray_mqtt_connection *connection, struct fray_slice filter);
/* The connection's outbox is empty again. */
void fray_mqtt_sockets_writable(struct fray_mqtt_connection *connection);
void fray_mqtt_sockets_close(struct fray_mqtt_connection *connection, enum fray_disconnect reason);

/* mqtt_backlog.c: the retained messages of a subscription just made. */
void fray_mqtt_on_found(struct fray_broker_session *client, struct fray_publication *publication,
                        const struct fray_broker_delivery_options *options);
/* Goes on as far as the client takes them. */
void fray_mqtt_backlog_send(struct fray_mqtt_connection *self);
/* The connection ends; `client` is still its session. What is owed at QoS 1 and 2 is queued. */
void fray_mqtt_backlog_end(struct fray_mqtt_connection *self);

/* mqtt_alias.c: topic aliases of both directions (3.3.2.3.4). */
/* The topic of a PUBLISH that came with an alias; `topic` empty: the one set before. False: none
 * was. */
bool fray_mqtt_alias_in(struct fray_mqtt_connection *self, uint16_t alias,
                        struct fray_slice *topic);
/* An alias to send the topic under; 0: none is left. *is_known: the client has it already. */
uint16_t fray_mqtt_alias_out(struct fray_mqtt_connection *self, struct fray_slice topic,
                             bool *is_known);
void fray_mqtt_aliases_destroy(struct fray_mqtt_aliases *aliases);

#endif
