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
