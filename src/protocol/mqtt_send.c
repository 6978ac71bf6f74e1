/* From the broker to the client. */
#include "protocol/mqtt_connection.h"

/* Messages stop here before acknowledgements have no place: those are reliable, and a session that
 * has no place for one is closed. */
static bool has_room(const struct fray_mqtt_connection *self, size_t size, unsigned quarters)
{
    const struct fray_outbox *outbox = &self->session.outbox;
    const struct fray_outbox_limits *limits = &self->session.worker->outbox_limits;
    return !outbox->count ||
           (outbox->count < (uint64_t)limits->max_messages * quarters / 4 &&
            outbox->ring->bytes + size < (uint64_t)limits->max_bytes * quarters / 4);
}

bool fray_mqtt_has_room(const struct fray_mqtt_connection *self, size_t size)
{
    return has_room(self, size, 3);
}

static void set_alias(struct fray_mqtt_connection *self, const struct fray_publication *publication,
                      struct fray_mqtt_delivery *delivery)
{
    /* What may be dropped on its way must not be the one that sets the alias. */
    if (self->peer_alias_max && publication->class == FRAY_RELIABLE)
        delivery->topic_alias =
            fray_mqtt_alias_out(self, fray_publication_topic(publication), &delivery->omit_topic);
}

/* Larger than the client takes: as if it was sent (3.1.2.11.4). */
static bool is_too_large(const struct fray_mqtt_connection *self,
                         const struct fray_publication *publication,
                         const struct fray_mqtt_delivery *delivery)
{
    size_t most = self->peer_packet_max ? self->peer_packet_max : FRAY_MQTT_REMAINING_LENGTH_MAX;
    if (fray_mqtt_delivery_size(&publication->shape, delivery) <= most)
        return false;
    fray_count(&self->session.worker->counters.mqtt_dropped_too_large);
    return true;
}

static void send_publish(struct fray_mqtt_connection *self, struct fray_publication *publication,
                         struct fray_mqtt_delivery *delivery)
{
    set_alias(self, publication, delivery);
    fray_publication_send(publication, &self->session, delivery);
    fray_count(&self->session.worker->counters.mqtt_publishes_out);
}

static void on_message(struct fray_broker_session *client, struct fray_publication *publication,
                       const struct fray_broker_delivery_options *options)
{
    struct fray_mqtt_connection *self = client->connection;
    struct fray_mqtt_delivery delivery = {
        .version = (enum fray_mqtt_version)self->version,
        .retain = options->retain,
        .subscription_identifiers = options->identifiers,
        .subscription_identifier_count = fray_mqtt_is_v5(self) ? options->identifiers_count : 0,
    };
    if (self->session.is_closing)
        return;
    uint64_t now_us = *self->session.worker->now_us;
    if (fray_publication_is_expired(publication, now_us) ||
        !fray_mqtt_may_hear(self, fray_publication_topic(publication)))
        return;
    if (fray_mqtt_is_v5(self))
        fray_publication_set_expiry(publication, &delivery, now_us);
    /* A newer value takes the place of an unsent one, which needs none. */
    bool may_replace = publication->class == FRAY_LATEST && self->session.outbox.ring &&
                       self->session.outbox.ring->latest_count;
    if (!may_replace && !fray_mqtt_has_room(self, fray_publication_size(publication) + 32u)) {
        self->session.owes_drained = true;
        fray_count(&self->session.worker->counters.mqtt_dropped_slow);
    } else if (!is_too_large(self, publication, &delivery)) {
        send_publish(self, publication, &delivery);
    }
}

static void send_next(struct fray_mqtt_connection *self, const struct fray_broker_send *send)
{
    if (send->release) {
        fray_mqtt_send_ack(self, FRAY_MQTT_PUBREL, send->packet_id, FRAY_MQTT_SUCCESS);
        return;
    }
    struct fray_mqtt_delivery delivery = {
        .version = (enum fray_mqtt_version)self->version,
        .qos = send->qos,
        .dup = send->dup,
        .retain = send->retain,
        .packet_id = send->packet_id,
        .subscription_identifiers = send->identifiers,
        .subscription_identifier_count = fray_mqtt_is_v5(self) ? send->identifiers_count : 0,
    };
    if (fray_mqtt_is_v5(self))
        fray_publication_set_expiry(send->publication, &delivery, *self->session.worker->now_us);
    if (!fray_mqtt_may_hear(self, fray_publication_topic(send->publication)) ||
        is_too_large(self, send->publication, &delivery))
        fray_broker_skip(self->client, send->packet_id);
    else
        send_publish(self, send->publication, &delivery);
}

static void send_owed(struct fray_mqtt_connection *self)
{
    struct fray_broker_send send;
    while (self->client && !self->session.is_closing && !self->session.is_overrun) {
        if (!has_room(self, 0, 2)) {
            self->session.owes_drained = true; /* on_drained goes on */
            return;
        }
        if (fray_broker_next(self->client, &send))
            return;
        send_next(self, &send);
    }
}

void fray_mqtt_pump(struct fray_mqtt_connection *self)
{
    send_owed(self);
    if (self->backlog && self->client)
        fray_mqtt_backlog_send(self);
}

static void on_queued(struct fray_broker_session *client)
{
    fray_mqtt_pump(client->connection);
}

static void on_taken(struct fray_broker_session *client, enum fray_mqtt_reason reason)
{
    struct fray_mqtt_connection *self = client->connection;
    fray_mqtt_backlog_end(self);
    self->client = NULL;
    self->close_reason = (uint8_t)reason;
    if (reason == FRAY_MQTT_SESSION_TAKEN_OVER)
        fray_count(&self->session.worker->counters.mqtt_takeovers);
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

const struct fray_broker_session_ops fray_mqtt_session_ops = {
    .on_message = on_message,
    .on_found = fray_mqtt_on_found,
    .on_queued = on_queued,
    .on_taken = on_taken,
};
