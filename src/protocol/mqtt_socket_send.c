/* From a socket's outbox into its connection's. */
#include "broker/room_event.h"
#include "broker/topic.h"
#include "protocol/mqtt_socket.h"

/* What is to be published to one client. */
struct parcel {
    struct fray_slice topic;
    struct fray_mqtt_properties properties;
    const struct fray_message *message; /* its arguments are the payload */
};

/* Which of the client's own subscriptions a topic is for. */
struct coverage {
    struct fray_slice topic;
    struct fray_buf identifiers; /* uint32_t each */
    bool is_covered;
};

static void visit(void *context, struct fray_slice filter,
                  const struct fray_subscription *subscription)
{
    struct coverage *coverage = context;
    if (subscription->group || !fray_topic_matches(filter, coverage->topic))
        return;
    coverage->is_covered = true;
    if (subscription->identifier)
        fray_buf_append(&coverage->identifiers, &subscription->identifier,
                        sizeof subscription->identifier);
}

static struct fray_publication *publication_of(const struct fray_mqtt_connection *connection,
                                               const struct parcel *parcel)
{
    struct fray_worker *worker = connection->session.worker;
    struct fray_message event = *parcel->message; /* of an ack the arguments are written likewise */
    struct fray_buf payload = {0};
    if (event.kind == FRAY_MESSAGE_ACK)
        event.kind = FRAY_MESSAGE_EVENT;
    fray_room_payload_encode(&payload, &event);
    struct fray_publication *publication = fray_publication_create(
        &(struct fray_mqtt_publish){
            .topic = parcel->topic,
            .payload = fray_buf_slice(&payload),
            .properties = parcel->properties,
        },
        *worker->now_us, &worker->scratch);
    fray_buf_deinit(&payload);
    if (publication) {
        publication->class = event.class;
        publication->key = event.key;
    }
    return publication;
}

/* False: the connection takes no more now. */
static bool publish(struct fray_mqtt_connection *connection, const struct parcel *parcel)
{
    struct fray_broker_session *client = connection->client;
    struct coverage coverage = {.topic = parcel->topic};
    fray_subscription_trie_each(&client->broker->subscriptions, &client->subscriber, visit,
                                &coverage);
    struct fray_publication *publication =
        coverage.is_covered ? publication_of(connection, parcel) : NULL;
    bool is_done =
        !publication || fray_mqtt_has_room(connection, fray_publication_size(publication) + 32u);
    if (publication && is_done) {
        client->ops->on_message(
            client, publication,
            &(struct fray_broker_delivery_options){
                .identifiers = (const uint32_t *)(const void *)coverage.identifiers.data,
                .identifiers_count = coverage.identifiers.len / sizeof(uint32_t),
            });
    } else if (publication) {
        connection->session.owes_drained = true;
    }
    if (publication)
        fray_publication_unref(publication);
    fray_buf_deinit(&coverage.identifiers);
    return is_done;
}

/* To where the client wants to have its answer, and perhaps over another connection: who asked
 * there and is slow does not hold the socket up. An error says that it is one. */
static void answer(struct fray_worker *worker, struct fray_mqtt_request *request,
                   const struct fray_message *message)
{
    struct fray_mqtt_connection *asker = fray_mqtt_connection_at(worker, request->asker);
    struct parcel parcel = {.topic = fray_buf_slice(&request->topic), .message = message};
    struct fray_mqtt_properties *properties = &parcel.properties;
    struct fray_buf repeated = {0};
    if (request->correlation.len) {
        properties->present |= FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_CORRELATION_DATA);
        properties->correlation_data = fray_buf_slice(&request->correlation);
    }
    if (message->kind == FRAY_MESSAGE_EVENT) {
        fray_mqtt_user_property_append(&repeated, FRAY_SLICE("type"), FRAY_SLICE("error"));
        properties->present |= FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_USER_PROPERTY);
        properties->repeated = fray_buf_slice(&repeated);
    }
    if (asker && asker->client && !publish(asker, &parcel))
        fray_count(&worker->counters.mqtt_dropped_slow);
    fray_buf_deinit(&repeated);
    request->topic.len = 0; /* answered */
}

/* False: it waits. */
static bool say(struct fray_mqtt_socket *self, struct fray_mqtt_connection *connection,
                const struct fray_message *message)
{
    struct fray_mqtt_request *request = fray_mqtt_request_of(self, message->ack_id);
    bool is_ack = message->kind == FRAY_MESSAGE_ACK;
    if (is_ack && !request)
        return true; /* asked so long ago that its asker was forgotten */
    if (request && (is_ack || request->has_response_topic)) {
        answer(self->session.worker, request, message);
        return true;
    }
    struct fray_buf topic = {0};
    bool is_bare = message->kind != FRAY_MESSAGE_EVENT, is_done = true;
    struct fray_slice event = is_bare ? FRAY_SLICE("message") : message->name;
    if (!fray_room_topic_encode(&topic, self->nsp->name, FRAY_SLICE("me"), event))
        is_done = publish(connection,
                          &(struct parcel){.topic = fray_buf_slice(&topic), .message = message});
    fray_buf_deinit(&topic);
    return is_done;
}

static void on_flush(struct fray_link *link)
{
    struct fray_mqtt_socket *self = (struct fray_mqtt_socket *)link->session;
    struct fray_mqtt_connection *connection =
        fray_mqtt_connection_at(self->session.worker, self->connection);
    struct fray_outbox *outbox = &self->session.outbox;
    while (outbox->count) {
        if (connection && connection->client && !say(self, connection, fray_outbox_at(outbox, 0))) {
            link->is_writable = false; /* until the connection is drained */
            return;
        }
        fray_outbox_pop(outbox, 1);
    }
}

static void on_end(struct fray_link *link, enum fray_disconnect reason)
{
    (void)link, (void)reason; /* the connection goes on */
}

static void on_retire(struct fray_link *link)
{
    (void)link;
}

const struct fray_link_ops fray_mqtt_socket_link_ops = {
    .name = "mqtt",
    .framing = FRAY_FRAMING_STREAM,
    .flush = on_flush,
    .close = on_end,
    .retire = on_retire,
};
