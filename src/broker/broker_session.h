/* Private to src/broker/broker*.c: what its files do for each other. */
#ifndef FRAY_BROKER_BROKER_SESSION_H
#define FRAY_BROKER_BROKER_SESSION_H

#include "broker/broker.h"

/* A session whose client is away: when the will is due, and the end of the session. */
struct fray_broker_absence {
    struct fray_timer timer;
    struct fray_broker_session *session;
    uint64_t will_us, expires_us; /* 0: never */
};

/* One message owed to one session at QoS 1 or 2; what qos_outgoing counts references of. */
struct fray_broker_delivery {
    uint32_t refs;
    struct fray_broker_session *session;
    struct fray_cells *cells;             /* where it lies */
    struct fray_publication *publication; /* a reference */
    uint64_t sequence;                    /* the journal's; 0: none yet */
    uint16_t packet_id;                   /* once it has been sent */
    uint8_t qos;
    bool retain;
    bool is_dirty;  /* in broker->dirty, by a reference */
    bool is_stored; /* the journal has it */
    uint32_t group; /* that it is shared in; 0: none, or before a restart */
    uint32_t identifiers_count;
    uint32_t identifiers[];
};

extern const struct fray_message_ops fray_broker_delivery_ops;

/* What of the session is told to the journal. */
static inline bool fray_broker_is_kept(const struct fray_broker_session *session)
{
    return session->broker->journal && session->expiry_s > 0 && !session->is_gone;
}

struct fray_broker_session *fray_broker_session_create(struct fray_broker *broker,
                                                       struct fray_slice client_id);
/* Forgets all of it; its will is published first. */
void fray_broker_session_end(struct fray_broker_session *session);
/* Nobody is connected from now on. */
void fray_broker_session_leave(struct fray_broker_session *session, uint64_t will_us,
                               uint64_t expires_us);
/* broker.c: to one member of the shared group of that filter, if there is one. */
void fray_broker_route_shared(struct fray_broker *broker, struct fray_slice filter,
                              struct fray_publication *publication);
/* broker_queue.c: what the session was still owed as a member of shared groups goes to others of
 * them: first `begin`, while it has its subscriptions, then `end`, once it has none. */
struct fray_broker_inheritance {
    struct fray_buf filters; /* group 4 | length 4 | filter, each */
    struct fray_publication **publications;
    uint32_t *groups;
    uint32_t count, cap;
};
void fray_broker_inheritance_begin(struct fray_broker_inheritance *inheritance,
                                   const struct fray_broker_session *session);
void fray_broker_inheritance_end(struct fray_broker_inheritance *inheritance,
                                 struct fray_broker *broker);
/* With one reference, and place for `identifiers_count` identifiers. */
struct fray_broker_delivery *fray_broker_delivery_create(struct fray_broker_session *session,
                                                         struct fray_publication *publication,
                                                         uint32_t identifiers_count);
struct fray_qos_outgoing *fray_broker_outgoing(struct fray_broker_session *session);
/* broker_queue.c: owes the message to the session. */
void fray_broker_enqueue(struct fray_broker_session *session, struct fray_publication *publication,
                         const struct fray_broker_delivery_options *options);

/* broker_journal.c */
void fray_broker_delivery_mark(struct fray_broker_delivery *delivery);
/* The session goes; deliveries that the journal was still to be told of must not look at it. */
void fray_broker_deliveries_orphan(const struct fray_broker_session *session);
void fray_broker_delivery_forget(struct fray_broker_delivery *delivery);
void fray_broker_journal_session(struct fray_broker_session *session);
void fray_broker_journal_forget(struct fray_broker_session *session);
void fray_broker_journal_subscription(struct fray_broker_session *session, struct fray_slice filter,
                                      const struct fray_subscription *subscription);
void fray_broker_journal_unsubscribe(struct fray_broker_session *session, struct fray_slice filter);
void fray_broker_journal_retained(struct fray_broker *broker,
                                  const struct fray_publication *publication, bool is_set);
void fray_broker_journal_packet_id(struct fray_broker_session *session,
                                   enum fray_journal_table table, uint16_t packet_id, bool is_set);

#endif
