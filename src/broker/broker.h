/* The MQTT broker: sessions by client identifier, and who is given what.
 *
 *   connection (protocol/mqtt) ── fray_broker_connect ──▶ session ◀── subscription trie
 *          ▲                                                │            ▲
 *          └──────── on_message, on_queued ─────────────────┘            │
 *                                                fray_broker_publish ────┴── retained, rooms
 *
 * A session is MQTT's Session State (4.1): subscriptions, what is owed at QoS 1 and 2, the will. It
 * outlives its connection by its expiry. What has to survive a restart is told to the journal.
 *
 * The broker makes no system call. Thread: its worker's; all of its connections are there. */
#ifndef FRAY_BROKER_BROKER_H
#define FRAY_BROKER_BROKER_H

#include "base/name_map.h"
#include "broker/journal.h"
#include "broker/publication.h"
#include "broker/qos_incoming.h"
#include "broker/qos_outgoing.h"
#include "broker/retained.h"
#include "broker/subscription_trie.h"
#include "wire/mqtt.h"

struct fray_broker;
struct fray_broker_session;

#define FRAY_BROKER_NEVER_EXPIRES UINT32_MAX /* seconds: 3.1.2.11.2 */

/* From the server's options; docs/config.md says what each does where it is exceeded. */
struct fray_broker_limits {
    uint32_t queue_max; /* messages owed to one session beyond those in flight */
    uint64_t queue_bytes_max;
    uint16_t inflight_max;
    uint32_t subscriptions_max; /* of all sessions; 0: no limit */
    uint32_t subscriptions_per_session_max;
    uint32_t retained_max;
    uint64_t retained_bytes_max;
    uint32_t sessions_max;
    uint32_t session_expiry_max_s;
};

/* How one message is to be delivered to one session. */
struct fray_broker_delivery_options {
    uint8_t qos;
    bool retain;
    const uint32_t *identifiers; /* of the subscriptions that matched */
    size_t identifiers_count;
    uint32_t group; /* that it is shared in (4.8.2); 0: none */
};

/* What a session's connection, or a subscriber of this program, does. */
struct fray_broker_session_ops {
    /* A message at QoS 0; of a subscriber in this program at any QoS. */
    void (*on_message)(struct fray_broker_session *session, struct fray_publication *publication,
                       const struct fray_broker_delivery_options *options);
    /* A retained message that a subscription just made has found, as it is to be delivered. NULL:
     * it is, at once. */
    void (*on_found)(struct fray_broker_session *session, struct fray_publication *publication,
                     const struct fray_broker_delivery_options *options);
    /* session->outgoing has something to send. NULL: nothing is queued for it, a subscriber in this
     * program. */
    void (*on_queued)(struct fray_broker_session *session);
    /* The session is no longer this connection's: another took its client identifier over, or an
     * operator ended it. It must let go of the session without fray_broker_disconnect. */
    void (*on_taken)(struct fray_broker_session *session, enum fray_mqtt_reason reason);
};

struct fray_broker_session {
    struct fray_subscriber subscriber; /* first */
    struct fray_broker *broker;
    const struct fray_broker_session_ops *ops; /* NULL: nobody is connected */
    void *connection;
    struct fray_qos_outgoing *outgoing; /* NULL: it never was owed anything */
    struct fray_qos_incoming incoming;
    struct fray_publication *will;       /* NULL: none, or published */
    struct fray_broker_absence *absence; /* while nobody is connected */
    uint32_t expiry_s;                   /* after the connection's end; FRAY_BROKER_NEVER_EXPIRES */
    uint32_t will_delay_s;
    uint32_t match; /* where it is in the match under way; checked, so never wrong */
    uint16_t receive_maximum;
    uint16_t client_id_len;
    bool is_gone; /* destroyed in this turn */
    char client_id[];
};

static inline struct fray_slice fray_broker_client_id(const struct fray_broker_session *session)
{
    return fray_slice(session->client_id, session->client_id_len);
}

/* Told of what is published to topics that begin with "fray/": the rooms' side (server). */
struct fray_broker_bridge {
    void (*on_publish)(struct fray_broker_bridge *bridge, struct fray_publication *publication);
};

struct fray_broker_match; /* broker.c */

struct fray_broker {
    struct fray_worker *worker;
    struct fray_broker_limits limits;
    struct fray_qos_config qos;
    struct fray_name_map sessions;
    struct fray_subscription_trie subscriptions;
    struct fray_retained retained;
    struct fray_broker_bridge *bridge; /* NULL: none */
    struct fray_journal *journal;      /* NULL: all is in memory */
    uint64_t epoch_us; /* Unix time when the worker's clock was 0: what is kept has wall times */
    uint64_t next_id;  /* of the journal's rows */
    struct fray_broker_delivery **dirty; /* to be told to the journal at the end of the turn */
    uint32_t dirty_count, dirty_cap;
    struct fray_broker_loading *loading; /* broker_journal.c; NULL but at the start */
    struct fray_broker_match *matches;
    uint32_t matches_count, matches_cap;
    uint32_t connected; /* sessions with a connection; subscribers in this program not counted */
    uint32_t bridged; /* subscriptions that may match "fray/…"; read by other threads, atomically */
};

void fray_broker_init(struct fray_broker *broker, struct fray_worker *worker,
                      const struct fray_broker_limits *limits);
/* All connections are gone. What the journal holds stays. */
void fray_broker_deinit(struct fray_broker *broker);

/* ------------------------------------------------------------------ publishing */

/* Passes the message on to all who have subscribed, keeps it where it is retained, and tells the
 * rooms. `from` is the publisher's session, NULL: this server. Returns how many subscriptions
 * matched. */
uint32_t fray_broker_dispatch(struct fray_broker *broker, const struct fray_broker_session *from,
                              struct fray_publication *publication);
/* The same without telling the rooms: it came from one. */
uint32_t fray_broker_route(struct fray_broker *broker, const struct fray_broker_session *from,
                           struct fray_publication *publication);

/* Whether anybody might hear of an event of a room. Any thread. */
static inline bool fray_broker_hears_rooms(const struct fray_broker *broker)
{
    return __atomic_load_n(&broker->bridged, __ATOMIC_RELAXED) > 0;
}

/* ------------------------------------------------------------------ sessions */

struct fray_broker_connect {
    struct fray_slice client_id;
    bool clean_start;
    uint32_t expiry_s; /* as asked for; session->expiry_s is what was granted */
    uint16_t receive_maximum;
    struct fray_publication *will; /* taken; NULL: none */
    uint32_t will_delay_s;
    const struct fray_broker_session_ops *ops;
    void *connection;
};

/* The client's session, new or as it was (*present). A connection that has it is told on_taken.
 * NULL: sessions_max is reached, which does not bind subscribers in this program; the will is
 * released. */
struct fray_broker_session *fray_broker_connect(struct fray_broker *broker,
                                                const struct fray_broker_connect *connect,
                                                bool *present);
/* The connection has ended. Without `sends_will` the will is forgotten [MQTT-3.14.4-3]. */
void fray_broker_disconnect(struct fray_broker_session *session, bool sends_will);
/* DISCONNECT may change how long the session is kept (3.14.2.2.2). */
void fray_broker_set_expiry(struct fray_broker_session *session, uint32_t expiry_s);
/* An identifier that no session has, for a client that brought none; 22 characters. */
struct fray_slice fray_broker_assign_client_id(struct fray_broker *broker, char text[23]);

/* FRAY_ERR_LIMIT: subscriptions_per_session_max or subscriptions_max. */
FRAY_MUST_CHECK enum fray_err
fray_broker_session_subscribe(struct fray_broker_session *session, struct fray_slice filter,
                              const struct fray_subscription *subscription, bool *existed);
/* One message, at the lesser of its QoS and that of the options: at 0 to the connection, if there
 * is one; else queued. */
void fray_broker_deliver(struct fray_broker_session *session, struct fray_publication *publication,
                         struct fray_broker_delivery_options *options);
/* The retained messages of a subscription just made (3.3.1.3), to on_found. */
void fray_broker_send_retained(struct fray_broker_session *session, struct fray_slice filter,
                               const struct fray_subscription *subscription);
FRAY_MUST_CHECK enum fray_err fray_broker_session_unsubscribe(struct fray_broker_session *session,
                                                              struct fray_slice filter);

/* ------------------------------------------------------------------ QoS 1 and 2 to the client */

/* Whether the queue is at most half full: what may wait elsewhere leaves the rest to others. */
bool fray_broker_queue_has_room(const struct fray_broker_session *session);

/* What is to be sent next, as fray_qos_outgoing_next. */
struct fray_broker_send {
    bool release;
    bool dup;
    bool retain;
    uint8_t qos;
    uint16_t packet_id;
    struct fray_publication *publication; /* borrowed until the next call */
    const uint32_t *identifiers;
    size_t identifiers_count;
};

FRAY_MUST_CHECK enum fray_err fray_broker_next(struct fray_broker_session *session,
                                               struct fray_broker_send *send);
void fray_broker_skip(struct fray_broker_session *session, uint16_t packet_id);
FRAY_MUST_CHECK enum fray_err fray_broker_puback(struct fray_broker_session *session,
                                                 uint16_t packet_id);
FRAY_MUST_CHECK enum fray_err fray_broker_pubrec(struct fray_broker_session *session,
                                                 uint16_t packet_id, bool failed);
FRAY_MUST_CHECK enum fray_err fray_broker_pubcomp(struct fray_broker_session *session,
                                                  uint16_t packet_id);

/* ------------------------------------------------------------------ QoS 2 from the client */

FRAY_MUST_CHECK enum fray_err fray_broker_received(struct fray_broker_session *session,
                                                   uint16_t packet_id, uint16_t receive_maximum);
FRAY_MUST_CHECK enum fray_err fray_broker_released(struct fray_broker_session *session,
                                                   uint16_t packet_id);

/* ------------------------------------------------------------------ the journal's side */

/* One row that the journal held; rows of a table come in order of their keys, tables in the order
 * of enum fray_journal_table. Rows that make no sense are passed over: FRAY_ERR_SYNTAX. Before any
 * connection. */
FRAY_MUST_CHECK enum fray_err fray_broker_load(struct fray_broker *broker,
                                               enum fray_journal_table table, struct fray_slice key,
                                               struct fray_slice value);
/* After the last row: absent sessions begin to expire, wills of those cut off are due. */
void fray_broker_loaded(struct fray_broker *broker);
/* At the end of each turn, before anything is written to a client: completes what the journal has
 * to know. */
void fray_broker_record(struct fray_broker *broker);

#endif
