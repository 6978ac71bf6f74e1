/* What a session owes and is owed at QoS 1 and 2. */
#include <assert.h>

#include "base/mem.h"
#include "broker/broker_session.h"

static size_t delivery_size(uint32_t identifiers_count)
{
    return sizeof(struct fray_broker_delivery) + identifiers_count * sizeof(uint32_t);
}

struct fray_broker_delivery *fray_broker_delivery_create(struct fray_broker_session *session,
                                                         struct fray_publication *publication,
                                                         uint32_t identifiers_count)
{
    struct fray_cells *cells = session->broker->worker->cells;
    struct fray_broker_delivery *delivery =
        fray_cells_take(cells, delivery_size(identifiers_count));
    delivery->refs = 1;
    delivery->session = session;
    delivery->cells = cells;
    delivery->publication = fray_publication_ref(publication);
    delivery->identifiers_count = identifiers_count;
    return delivery;
}

static void delivery_ref(void *message)
{
    ((struct fray_broker_delivery *)message)->refs++;
}

static void delivery_unref(void *message)
{
    struct fray_broker_delivery *delivery = message;
    assert(delivery->refs > 0);
    if (--delivery->refs)
        return;
    if (delivery->is_stored)
        fray_broker_delivery_forget(delivery);
    fray_publication_unref(delivery->publication);
    fray_cells_give(delivery->cells, delivery, delivery_size(delivery->identifiers_count));
}

const struct fray_message_ops fray_broker_delivery_ops = {delivery_ref, delivery_unref};

struct fray_qos_outgoing *fray_broker_outgoing(struct fray_broker_session *session)
{
    if (session->outgoing)
        return session->outgoing;
    session->outgoing = fray_alloc(sizeof *session->outgoing);
    fray_qos_outgoing_init(session->outgoing, &session->broker->qos);
    if (session->ops)
        fray_qos_outgoing_connect(session->outgoing, session->receive_maximum);
    return session->outgoing;
}

void fray_broker_enqueue(struct fray_broker_session *session, struct fray_publication *publication,
                         const struct fray_broker_delivery_options *options)
{
    size_t count = options->identifiers_count;
    struct fray_broker_delivery *delivery =
        fray_broker_delivery_create(session, publication, (uint32_t)count);
    delivery->qos = options->qos;
    delivery->retain = options->retain;
    delivery->group = options->group;
    if (count)
        memcpy(delivery->identifiers, options->identifiers, count * sizeof *options->identifiers);
    enum fray_err err = fray_qos_outgoing_push(fray_broker_outgoing(session),
                                               &(struct fray_qos_message){
                                                   .message = delivery,
                                                   .expires_us = publication->expires_us,
                                                   .bytes = fray_publication_size(publication),
                                                   .qos = options->qos,
                                                   .retain = options->retain,
                                               });
    if (err)
        fray_count(&session->broker->worker->counters.mqtt_dropped_queue_full);
    else if (fray_broker_is_kept(session))
        fray_broker_delivery_mark(delivery);
    delivery_unref(delivery);
    if (!err && session->ops)
        session->ops->on_queued(session);
}

bool fray_broker_queue_has_room(const struct fray_broker_session *session)
{
    const struct fray_qos_outgoing *out = session->outgoing;
    return !out || (out->pending_count <= out->config->pending_max / 2 &&
                    out->pending_bytes <= out->config->pending_bytes_max / 2);
}

enum fray_err fray_broker_next(struct fray_broker_session *session, struct fray_broker_send *send)
{
    struct fray_qos_send next;
    if (!session->outgoing)
        return FRAY_ERR_NOT_FOUND;
    uint32_t expired = session->outgoing->expired;
    enum fray_err err =
        fray_qos_outgoing_next(session->outgoing, *session->broker->worker->now_us, &next);
    fray_count_add(&session->broker->worker->counters.mqtt_expired,
                   session->outgoing->expired - expired);
    if (err)
        return err;
    *send = (struct fray_broker_send){.release = next.release, .packet_id = next.packet_id};
    if (next.release)
        return FRAY_OK;
    struct fray_broker_delivery *delivery = next.message.message;
    if (delivery->packet_id != next.packet_id) {
        delivery->packet_id = next.packet_id;
        if (fray_broker_is_kept(session))
            fray_broker_delivery_mark(delivery);
    }
    send->dup = next.dup;
    send->retain = delivery->retain;
    send->qos = delivery->qos;
    send->publication = delivery->publication;
    send->identifiers = delivery->identifiers;
    send->identifiers_count = delivery->identifiers_count;
    return FRAY_OK;
}

void fray_broker_skip(struct fray_broker_session *session, uint16_t packet_id)
{
    fray_qos_outgoing_skip(session->outgoing, packet_id);
}

enum fray_err fray_broker_puback(struct fray_broker_session *session, uint16_t packet_id)
{
    return session->outgoing ? fray_qos_outgoing_puback(session->outgoing, packet_id)
                             : FRAY_ERR_NOT_FOUND;
}

enum fray_err fray_broker_pubrec(struct fray_broker_session *session, uint16_t packet_id,
                                 bool failed)
{
    if (!session->outgoing)
        return FRAY_ERR_NOT_FOUND;
    enum fray_err err = fray_qos_outgoing_pubrec(session->outgoing, packet_id, failed);
    if (!err && !failed && fray_broker_is_kept(session))
        fray_broker_journal_packet_id(session, FRAY_JOURNAL_RELEASE, packet_id, true);
    return err;
}

enum fray_err fray_broker_pubcomp(struct fray_broker_session *session, uint16_t packet_id)
{
    if (!session->outgoing)
        return FRAY_ERR_NOT_FOUND;
    enum fray_err err = fray_qos_outgoing_pubcomp(session->outgoing, packet_id);
    if (!err && fray_broker_is_kept(session))
        fray_broker_journal_packet_id(session, FRAY_JOURNAL_RELEASE, packet_id, false);
    return err;
}

enum fray_err fray_broker_received(struct fray_broker_session *session, uint16_t packet_id,
                                   uint16_t receive_maximum)
{
    enum fray_err err = fray_qos_incoming_publish(&session->incoming, packet_id, receive_maximum);
    if (!err && fray_broker_is_kept(session))
        fray_broker_journal_packet_id(session, FRAY_JOURNAL_RECEIVED, packet_id, true);
    return err;
}

enum fray_err fray_broker_released(struct fray_broker_session *session, uint16_t packet_id)
{
    enum fray_err err = fray_qos_incoming_release(&session->incoming, packet_id);
    if (!err && fray_broker_is_kept(session))
        fray_broker_journal_packet_id(session, FRAY_JOURNAL_RECEIVED, packet_id, false);
    return err;
}

/* ------------------------------------------------------------------ shared subscriptions */

static void note_filter(void *context, struct fray_slice filter,
                        const struct fray_subscription *subscription)
{
    struct fray_buf *filters = context;
    uint32_t head[2] = {subscription->group, (uint32_t)filter.len};
    if (!subscription->group)
        return;
    fray_buf_append(filters, head, sizeof head);
    fray_buf_append_slice(filters, filter);
}

/* A QoS 2 message that was sent must not go to anybody else; one of QoS 1 should (4.8.2). */
static void note_owed(void *context, const struct fray_qos_message *message, bool is_sent)
{
    struct fray_broker_inheritance *self = context;
    const struct fray_broker_delivery *delivery = message->message;
    if (!delivery->group || (is_sent && delivery->qos == 2))
        return;
    if (self->count == self->cap) {
        self->cap = self->cap ? self->cap * 2 : 16;
        self->publications =
            fray_realloc(self->publications, self->cap * sizeof(*self->publications));
        self->groups = fray_realloc(self->groups, self->cap * sizeof(*self->groups));
    }
    self->groups[self->count] = delivery->group;
    self->publications[self->count++] = fray_publication_ref(delivery->publication);
}

void fray_broker_inheritance_begin(struct fray_broker_inheritance *self,
                                   const struct fray_broker_session *session)
{
    *self = (struct fray_broker_inheritance){0};
    if (session->outgoing)
        fray_qos_outgoing_each(session->outgoing, note_owed, self);
    if (self->count)
        fray_subscription_trie_each(&session->broker->subscriptions, &session->subscriber,
                                    note_filter, &self->filters);
}

/* The filter of the group; none where the session had left it. */
static struct fray_slice filter_of(const struct fray_broker_inheritance *self, uint32_t group)
{
    struct fray_slice rest = fray_buf_slice(&self->filters);
    while (rest.len) {
        uint32_t head[2];
        memcpy(head, rest.data, sizeof head);
        rest = fray_slice_skip(rest, sizeof head);
        if (head[0] == group)
            return fray_slice(rest.data, head[1]);
        rest = fray_slice_skip(rest, head[1]);
    }
    return (struct fray_slice){0};
}

void fray_broker_inheritance_end(struct fray_broker_inheritance *self, struct fray_broker *broker)
{
    for (uint32_t i = 0; i < self->count; i++) {
        struct fray_publication *publication = self->publications[i];
        struct fray_slice filter = filter_of(self, self->groups[i]);
        if (filter.len && !fray_publication_is_expired(publication, *broker->worker->now_us))
            fray_broker_route_shared(broker, filter, publication);
        fray_publication_unref(publication);
    }
    fray_buf_deinit(&self->filters);
    free(self->publications);
    free(self->groups);
}
