/* An MQTT client as a socket of a namespace (fray_app.mqtt_sockets). Its publishes are the socket's
 * events, and what is sent to the socket is published to it alone:
 *
 *     PUBLISH fray/<namespace>/me/<event>         ─▶  handler of <event>, one argument
 *     PUBLISH fray/<namespace>/<session>/<event>  ─▶  the same of the socket whose session that is:
 *                                                     from any connection that knows it
 *     fray/<namespace>/me/welcome                 ◀─  the socket is there: {id, namespace, session}
 *     fray/<namespace>/me/<event>                 ◀─  fray_emit, fray_broadcast
 *     its response topic, or else
 *     fray/<namespace>/me/<event>/ack             ◀─  fray_ack
 *     its response topic, or else
 *     fray/<namespace>/me/error                   ◀─  fray_event_refuse
 *
 * None of these go through the broker: no other client can subscribe to them, and none is kept.
 * What the client has not subscribed to is not sent to it. All are QoS 0, for a socket lives no
 * longer than its connection, over which they are in order; who reads too slowly for a reliable one
 * is closed, as everywhere.
 *
 * A socket is a session of its own, whose link writes into the connection's outbox: so classes,
 * pacing and the crossing to the namespace's home are the same as for every other client.
 *
 *     namespace ─▶ socket's outbox ─▶ [end of turn] its link ─▶ connection's outbox ─▶ tcp
 *
 * It is opened by the first SUBSCRIBE or PUBLISH that names it, and ends with the connection.
 * Private to src/protocol/mqtt*.c. Thread: the broker's worker's. */
#ifndef FRAY_PROTOCOL_MQTT_SOCKET_H
#define FRAY_PROTOCOL_MQTT_SOCKET_H

#include "protocol/mqtt_connection.h"
#include "session/sid.h"

enum {
    FRAY_MQTT_REQUESTS_MAX = 32, /* waiting for an answer; of more, the oldest gets none */
    FRAY_MQTT_EARLY_MAX = 64,    /* events before the namespace has answered */
};

/* An event that may be answered yet. */
struct fray_mqtt_request {
    int64_t id;
    struct fray_handle asker; /* the connection that it came over */
    bool has_response_topic;
    struct fray_buf topic;       /* of the answer */
    struct fray_buf correlation; /* the asker's; empty: none */
};

struct fray_mqtt_early; /* mqtt_socket.c */

struct fray_mqtt_socket {
    struct fray_session session; /* first */
    struct fray_link link;
    struct fray_handle connection; /* the client's, which it ends with */
    struct fray_mqtt_socket *next; /* of the connection's */
    fray_namespace *nsp;
    struct fray_member member;
    struct fray_mqtt_early *early;
    struct fray_mqtt_request *requests; /* by id modulo FRAY_MQTT_REQUESTS_MAX; NULL: none yet */
    int64_t next_request;
    char sid[FRAY_TOKEN_LEN + 1]; /* what others may speak for it by */
};

/* The connection; NULL: it is ending. */
struct fray_mqtt_connection *fray_mqtt_connection_at(const struct fray_worker *worker,
                                                     struct fray_handle handle);

/* mqtt_socket_send.c */
extern const struct fray_link_ops fray_mqtt_socket_link_ops;

/* mqtt_socket.c: the request of that number, which is answered now; NULL: none waits. */
struct fray_mqtt_request *fray_mqtt_request_of(struct fray_mqtt_socket *self, int64_t id);

#endif
