/* Packets of a connected client, CONNECT aside. */
#include "protocol/mqtt_connection.h"
#include "wire/mqtt_topic.h"

/* ------------------------------------------------------------------ PUBLISH and its exchanges */

/* The answer to a PUBLISH. Before 5.0 there is no word for one that was not passed on: it is
 * acknowledged as if it had been (3.1.1: 3.3.5). */
static void answer(struct fray_mqtt_connection *self, const struct fray_mqtt_publish *publish,
                   enum fray_mqtt_reason reason)
{
    if (publish->qos == 1)
        fray_mqtt_send_ack(self, FRAY_MQTT_PUBACK, publish->packet_id, reason);
    else if (publish->qos == 2)
        fray_mqtt_send_ack(self, FRAY_MQTT_PUBREC, publish->packet_id, reason);
}

static bool may_publish(struct fray_mqtt_connection *self, struct fray_slice topic)
{
    /* $SYS is ours alone. */
    bool may = !fray_slice_starts(topic, FRAY_SLICE("$SYS/")) &&
               fray_mqtt_may_speak(self->config, topic) &&
               fray_mqtt_may(self, FRAY_MQTT_ACTION_PUBLISH, topic);
    if (!may)
        fray_count(&self->session.worker->counters.mqtt_denied);
    return may;
}

static void pass_on(struct fray_mqtt_connection *self, const struct fray_mqtt_publish *publish)
{
    struct fray_worker *worker = self->session.worker;
    if (fray_mqtt_is_socket_topic(self->config, publish->topic)) {
        bool is_heard = fray_mqtt_socket_publish(self, publish);
        if (!self->session.is_closing)
            answer(self, publish, is_heard ? FRAY_MQTT_SUCCESS : FRAY_MQTT_NO_MATCHING_SUBSCRIBERS);
        return;
    }
    struct fray_publication *publication =
        fray_publication_create(publish, *worker->now_us, &worker->scratch);
    if (!publication) {
        if (publish->qos == 2)
            (void)!fray_broker_released(self->client, publish->packet_id);
        answer(self, publish, FRAY_MQTT_QUOTA_EXCEEDED);
        return;
    }
    uint32_t matched = fray_broker_dispatch(self->config->broker, self->client, publication);
    fray_publication_unref(publication);
    if (self->session.is_closing) /* it was its own slow reader */
        return;
    answer(self, publish, matched ? FRAY_MQTT_SUCCESS : FRAY_MQTT_NO_MATCHING_SUBSCRIBERS);
}

/* The topic, from the alias where there is one. False: the connection is over. */
static bool resolve_topic(struct fray_mqtt_connection *self, struct fray_mqtt_publish *publish)
{
    bool has_alias = fray_mqtt_has(&publish->properties, FRAY_MQTT_TOPIC_ALIAS);
    if (has_alias && !fray_mqtt_alias_in(self, publish->properties.topic_alias, &publish->topic)) {
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
        return false;
    }
    if (publish->topic.len)
        return true;
    fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
    return false;
}

static void on_publish(struct fray_mqtt_connection *self, const struct fray_mqtt_publish *packet)
{
    struct fray_mqtt_publish publish = *packet;
    fray_count(&self->session.worker->counters.mqtt_publishes_in);
    if (!resolve_topic(self, &publish))
        return;
    if (publish.qos && self->config->is_read_only) {
        fray_count(&self->session.worker->counters.mqtt_publishes_over_quota);
        if (fray_mqtt_is_v5(self))
            answer(self, &publish, FRAY_MQTT_QUOTA_EXCEEDED);
        else
            fray_mqtt_connection_fail(self, FRAY_MQTT_QUOTA_EXCEEDED); /* it will send again */
        return;
    }
    if (self->config->is_read_only)
        publish.retain = false; /* passed on, and not kept */
    bool may = may_publish(self, publish.topic);
    if (!may && (publish.qos < 2 || fray_mqtt_is_v5(self))) {
        answer(self, &publish, FRAY_MQTT_NOT_AUTHORIZED);
        return;
    }
    if (publish.qos == 2) {
        enum fray_err err =
            fray_broker_received(self->client, publish.packet_id, self->config->receive_maximum);
        if (err == FRAY_ERR_LIMIT) {
            fray_mqtt_connection_fail(self,
                                      FRAY_MQTT_RECEIVE_MAXIMUM_EXCEEDED); /* [MQTT-3.3.4-9] */
            return;
        }
        if (err == FRAY_ERR_EXISTS || !may) {
            answer(self, &publish, FRAY_MQTT_SUCCESS);
            return;
        }
    }
    pass_on(self, &publish);
}

static void on_puback(struct fray_mqtt_connection *self, const struct fray_mqtt_ack *ack)
{
    if (fray_broker_puback(self->client, ack->packet_id) == FRAY_ERR_STATE)
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
    else
        fray_mqtt_pump(self);
}

static void on_pubrec(struct fray_mqtt_connection *self, const struct fray_mqtt_ack *ack)
{
    bool failed = ack->reason >= 0x80;
    enum fray_err err = fray_broker_pubrec(self->client, ack->packet_id, failed);
    if (err == FRAY_ERR_STATE) {
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
        return;
    }
    if (!failed)
        fray_mqtt_send_ack(self, FRAY_MQTT_PUBREL, ack->packet_id,
                           err ? FRAY_MQTT_PACKET_IDENTIFIER_NOT_FOUND : FRAY_MQTT_SUCCESS);
    fray_mqtt_pump(self);
}

static void on_pubrel(struct fray_mqtt_connection *self, const struct fray_mqtt_ack *ack)
{
    enum fray_err err = fray_broker_released(self->client, ack->packet_id);
    fray_mqtt_send_ack(self, FRAY_MQTT_PUBCOMP, ack->packet_id,
                       err ? FRAY_MQTT_PACKET_IDENTIFIER_NOT_FOUND : FRAY_MQTT_SUCCESS);
}

static void on_pubcomp(struct fray_mqtt_connection *self, const struct fray_mqtt_ack *ack)
{
    if (fray_broker_pubcomp(self->client, ack->packet_id) == FRAY_ERR_STATE)
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
    else
        fray_mqtt_pump(self);
}

/* ------------------------------------------------------------------ SUBSCRIBE, UNSUBSCRIBE */

/* A filter of which only a part is allowed is accepted, and what it matches is judged before it is
 * sent. Not so in a shared group, whose others would miss what this member must not hear. */
static bool may_subscribe(struct fray_mqtt_connection *self, struct fray_slice filter)
{
    struct fray_slice group, bare;
    bool is_shared = fray_mqtt_topic_filter_split(filter, &group, &bare);
    if (fray_mqtt_may(self, FRAY_MQTT_ACTION_SUBSCRIBE, bare))
        return true;
    if (is_shared || !fray_mqtt_may(self, FRAY_MQTT_ACTION_SUBSCRIBE_PART, bare))
        return false;
    self->judges_topics = true;
    return true;
}

static enum fray_mqtt_reason subscribe(struct fray_mqtt_connection *self,
                                       const struct fray_mqtt_filter *filter,
                                       const struct fray_subscription *subscription, bool *existed)
{
    if (!may_subscribe(self, filter->filter)) {
        fray_count(&self->session.worker->counters.mqtt_denied);
        return FRAY_MQTT_NOT_AUTHORIZED;
    }
    if (self->config->is_read_only && self->client->expiry_s) {
        fray_count(&self->session.worker->counters.mqtt_subscriptions_refused);
        return FRAY_MQTT_QUOTA_EXCEEDED;
    }
    switch (fray_broker_session_subscribe(self->client, filter->filter, subscription, existed)) {
    case FRAY_OK: return (enum fray_mqtt_reason)filter->qos;
    case FRAY_ERR_LIMIT:
        fray_count(&self->session.worker->counters.mqtt_subscriptions_refused);
        return FRAY_MQTT_QUOTA_EXCEEDED;
    default: return FRAY_MQTT_TOPIC_FILTER_INVALID;
    }
}

static struct fray_subscription subscription_of(const struct fray_mqtt_subscribe *packet,
                                                const struct fray_mqtt_filter *filter)
{
    return (struct fray_subscription){
        .identifier = packet->properties.subscription_identifier,
        .qos = filter->qos,
        .retain_handling = filter->retain_handling,
        .no_local = filter->no_local,
        .retain_as_published = filter->retain_as_published,
    };
}

static bool is_shared(const struct fray_mqtt_filter *filter)
{
    struct fray_slice group, bare;
    return fray_mqtt_topic_filter_split(filter->filter, &group, &bare);
}

/* [MQTT-3.8.3-4] */
static bool has_local_share(const struct fray_mqtt_subscribe *packet)
{
    struct fray_slice rest = packet->filters;
    struct fray_mqtt_filter filter;
    while (fray_mqtt_filter_next(&rest, FRAY_MQTT_SUBSCRIBE, &filter)) {
        if (filter.no_local && is_shared(&filter))
            return true;
    }
    return false;
}

static void send_suback(struct fray_mqtt_connection *self, enum fray_mqtt_type type,
                        uint16_t packet_id, const struct fray_buf *reasons)
{
    struct fray_mqtt_packet packet = {.type = type};
    packet.suback.packet_id = packet_id;
    packet.suback.reasons = fray_buf_slice(reasons);
    fray_mqtt_promise(self);
    fray_mqtt_send(self, &packet);
}

static void on_subscribe(struct fray_mqtt_connection *self,
                         const struct fray_mqtt_subscribe *packet)
{
    struct fray_slice rest = packet->filters;
    struct fray_mqtt_filter filter;
    struct fray_buf reasons = {0}, due = {0};
    if (has_local_share(packet)) {
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
        return;
    }
    while (fray_mqtt_filter_next(&rest, FRAY_MQTT_SUBSCRIBE, &filter)) {
        struct fray_subscription subscription = subscription_of(packet, &filter);
        bool existed = false;
        enum fray_mqtt_reason reason = subscribe(self, &filter, &subscription, &existed);
        bool wants = reason < 0x80 && !is_shared(&filter) &&
                     (filter.retain_handling == 0 || (filter.retain_handling == 1 && !existed));
        /* In 3.1.1 there is one failure (3.9.3); 3.1 has none, and knows this one no worse. */
        fray_buf_append_byte(&reasons,
                             reason >= 0x80 && !fray_mqtt_is_v5(self) ? 0x80 : (uint8_t)reason);
        fray_buf_append_byte(&due, wants);
    }
    send_suback(self, FRAY_MQTT_SUBACK, packet->packet_id, &reasons);
    rest = packet->filters;
    for (size_t i = 0; fray_mqtt_filter_next(&rest, FRAY_MQTT_SUBSCRIBE, &filter); i++) {
        struct fray_subscription subscription = subscription_of(packet, &filter);
        if (due.data[i] && self->client)
            fray_broker_send_retained(self->client, filter.filter, &subscription);
        if ((uint8_t)reasons.data[i] < 0x80 && self->client &&
            fray_mqtt_is_socket_topic(self->config, filter.filter))
            fray_mqtt_socket_subscribed(self, filter.filter);
    }
    fray_buf_deinit(&reasons);
    fray_buf_deinit(&due);
}

static void on_unsubscribe(struct fray_mqtt_connection *self,
                           const struct fray_mqtt_subscribe *packet)
{
    struct fray_slice rest = packet->filters;
    struct fray_mqtt_filter filter;
    struct fray_buf reasons = {0};
    while (fray_mqtt_filter_next(&rest, FRAY_MQTT_UNSUBSCRIBE, &filter)) {
        enum fray_err err = fray_broker_session_unsubscribe(self->client, filter.filter);
        fray_buf_append_byte(&reasons, err ? FRAY_MQTT_NO_SUBSCRIPTION_EXISTED : FRAY_MQTT_SUCCESS);
    }
    if (!fray_mqtt_is_v5(self))
        reasons.len = 0; /* 3.1.1: 3.11 has no payload */
    send_suback(self, FRAY_MQTT_UNSUBACK, packet->packet_id, &reasons);
    fray_buf_deinit(&reasons);
}

/* ------------------------------------------------------------------ DISCONNECT */

static void on_disconnect(struct fray_mqtt_connection *self,
                          const struct fray_mqtt_disconnect *disconnect)
{
    if (fray_mqtt_has(&disconnect->properties, FRAY_MQTT_SESSION_EXPIRY_INTERVAL)) {
        uint32_t expiry_s = disconnect->properties.session_expiry_interval;
        if (self->has_no_expiry && expiry_s) { /* 3.14.2.2.2 */
            fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
            return;
        }
        fray_broker_set_expiry(self->client, expiry_s);
    }
    self->has_left = disconnect->reason == FRAY_MQTT_SUCCESS; /* [MQTT-3.14.4-3] */
    fray_session_close(&self->session, FRAY_CLIENT_LEFT);
}

void fray_mqtt_on_packet(struct fray_mqtt_connection *self, const struct fray_mqtt_packet *packet)
{
    switch (packet->type) {
    case FRAY_MQTT_PUBLISH: on_publish(self, &packet->publish); break;
    case FRAY_MQTT_PUBACK: on_puback(self, &packet->ack); break;
    case FRAY_MQTT_PUBREC: on_pubrec(self, &packet->ack); break;
    case FRAY_MQTT_PUBREL: on_pubrel(self, &packet->ack); break;
    case FRAY_MQTT_PUBCOMP: on_pubcomp(self, &packet->ack); break;
    case FRAY_MQTT_SUBSCRIBE: on_subscribe(self, &packet->subscribe); break;
    case FRAY_MQTT_UNSUBSCRIBE: on_unsubscribe(self, &packet->subscribe); break;
    case FRAY_MQTT_PINGREQ:
        fray_mqtt_send(self, &(struct fray_mqtt_packet){.type = FRAY_MQTT_PINGRESP});
        break;
    case FRAY_MQTT_DISCONNECT: on_disconnect(self, &packet->disconnect); break;
    /* A second CONNECT [MQTT-3.1.0-2]; AUTH without an authentication method (4.12). */
    default: fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR); break;
    }
}
