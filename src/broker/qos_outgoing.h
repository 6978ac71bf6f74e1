/* QoS 1 and 2 towards one client (MQTT 4.3, 4.4, 4.6, 4.9): what a session owes, across its
 * connections.
 *
 *   push -> pending -> [next: gets a packet id] -> in flight -> [PUBACK | PUBREC, PUBCOMP] -> done
 *
 *   QoS 1   PUBLISH -> PUBACK
 *   QoS 2   PUBLISH -> PUBREC -> PUBREL -> PUBCOMP
 *
 * Pending is bounded by count and bytes; what does not fit is refused, the newest first, and
 * counted. In flight is bounded by the client's receive maximum and by our own limit. A session
 * that owes nothing holds no memory besides this struct. Pure; one thread. */
#ifndef FRAY_BROKER_QOS_OUTGOING_H
#define FRAY_BROKER_QOS_OUTGOING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cells.h"
#include "broker/message_ops.h"
#include "fray/err.h"

struct fray_qos_message {
    void *message;       /* held by a reference from push until it is done or dropped */
    uint64_t expires_us; /* 0: never. It may run out while pending, not once it is in flight */
    uint32_t bytes;      /* what it counts for while pending */
    uint32_t subscription_identifier; /* 0: none */
    uint8_t qos;                      /* 1 or 2 */
    bool retain;
};

/* Shared by all sessions: keep one and point to it. */
struct fray_qos_config {
    struct fray_cells *cells; /* for the tables, which come and go with each message */
    struct fray_message_ops ops;
    uint32_t pending_max; /* messages */
    uint64_t pending_bytes_max;
    uint16_t inflight_max; /* our limit, 1 to 65,535, whatever the client's receive maximum */
};

struct fray_qos_inflight; /* one message in flight */

struct fray_qos_outgoing {
    const struct fray_qos_config *config;
    struct fray_qos_message *pending; /* a ring; NULL while empty */
    uint32_t pending_first, pending_count, pending_cap;
    uint64_t pending_bytes;
    struct fray_qos_inflight *inflight; /* by packet id modulo cap; NULL while empty */
    uint32_t inflight_cap, inflight_count;
    uint16_t publishes[2]; /* first and last packet id, in the order of sending */
    uint16_t releases[2];  /* the same of those between PUBREC and PUBCOMP */
    uint16_t resend_publish,
        resend_release; /* the next ones to look at after a reconnect; 0: none */
    uint16_t last_packet_id;
    uint16_t quota, quota_max; /* 4.9: how many PUBLISH may go out yet; of how many */
    uint32_t refused;          /* counters: pushes refused, pending messages that expired */
    uint32_t expired;
};

/* No connection yet: nothing may be sent before fray_qos_outgoing_connect. */
void fray_qos_outgoing_init(struct fray_qos_outgoing *out, const struct fray_qos_config *config);
void fray_qos_outgoing_deinit(struct fray_qos_outgoing *out); /* releases what is held */

/* A client has connected with this receive maximum (1 to 65,535; 65,535 when it gave none or is
 * before 5.0). Whatever is in flight is due again: fray_qos_outgoing_next yields it first
 * [MQTT-4.4.0-1]. */
void fray_qos_outgoing_connect(struct fray_qos_outgoing *out, uint16_t receive_maximum);

/* Queues the message; takes a reference. Also while the client is away. FRAY_ERR_LIMIT: the queue
 * is full; the message is refused and counted. */
FRAY_MUST_CHECK enum fray_err fray_qos_outgoing_push(struct fray_qos_outgoing *out,
                                                     const struct fray_qos_message *message);

/* Puts back what was in flight before a restart, in the order of sending: a PUBLISH that awaits its
 * PUBACK or PUBREC; takes a reference. With NULL a PUBREL that awaits its PUBCOMP. Before
 * fray_qos_outgoing_connect; packet_id is not 0 and not in flight. */
void fray_qos_outgoing_restore(struct fray_qos_outgoing *out, uint16_t packet_id,
                               const struct fray_qos_message *message);

/* Visits what is owed, the oldest first, without what only its PUBCOMP is missing of. `is_sent`: it
 * is in flight. Must change nothing. */
void fray_qos_outgoing_each(const struct fray_qos_outgoing *out,
                            void (*visit)(void *context, const struct fray_qos_message *message,
                                          bool is_sent),
                            void *context);

/* Whether the packet id is in flight. */
bool fray_qos_outgoing_has(const struct fray_qos_outgoing *out, uint16_t packet_id);

struct fray_qos_send {
    bool release; /* a PUBREL for packet_id; else a PUBLISH */
    bool dup;     /* it was sent before, on an earlier connection [MQTT-3.3.1-1] */
    uint16_t packet_id;
    struct fray_qos_message message; /* of a PUBLISH; borrowed until the next call */
};

/* What is to be sent next; call until it says no. After a connect first the PUBRELs in the order of
 * their PUBRECs [MQTT-4.6.0-4], then the PUBLISHes in their first order [MQTT-4.6.0-1], then
 * pending. Expired pending messages are dropped and counted on the way. FRAY_ERR_NOT_FOUND  nothing
 * is due FRAY_ERR_AGAIN      more is due when the client has acknowledged something [MQTT-3.3.4-9]
 */
FRAY_MUST_CHECK enum fray_err fray_qos_outgoing_next(struct fray_qos_outgoing *out, uint64_t now_us,
                                                     struct fray_qos_send *send);

/* The message was due, but the client will not have it: its PUBLISH is larger than the client's
 * maximum packet size (3.1.2.11.4: act as if it was sent). Right after the next that yielded it. */
void fray_qos_outgoing_skip(struct fray_qos_outgoing *out, uint16_t packet_id);

/* The client's answers. All may return FRAY_ERR_NOT_FOUND: the packet id is not in flight (0x92
 * where the packet can say so); or FRAY_ERR_STATE: it is, but not at this step (0x82). */

/* QoS 1 is done, whatever the reason says. */
FRAY_MUST_CHECK enum fray_err fray_qos_outgoing_puback(struct fray_qos_outgoing *out,
                                                       uint16_t packet_id);

/* With a reason below 0x80 a PUBREL is due now, also for a repeated PUBREC, and the message is let
 * go; from 0x80 on, QoS 2 is done and no PUBREL may follow (4.3.3). `failed` tells the two apart.
 */
FRAY_MUST_CHECK enum fray_err fray_qos_outgoing_pubrec(struct fray_qos_outgoing *out,
                                                       uint16_t packet_id, bool failed);

/* QoS 2 is done. */
FRAY_MUST_CHECK enum fray_err fray_qos_outgoing_pubcomp(struct fray_qos_outgoing *out,
                                                        uint16_t packet_id);

#endif
