#include "server/mqtt_embed.h"

#include "base/log.h"
#include "base/mem.h"
#include "fray/broker.h"
#include "server/server.h"
#include "wire/mqtt_topic.h"
#include "wire/utf8.h"

static struct fray_server_worker *home_of(const fray_broker *broker)
{
    return (struct fray_server_worker *)broker->worker;
}

static bool is_serving(const fray_broker *broker)
{
    return home_of(broker)->server->state == FRAY_SERVER_SERVING;
}

/* ------------------------------------------------------------------ publishing */

struct publish_post {
    struct fray_post post; /* first */
    fray_broker *broker;
    struct fray_publication *publication; /* made on the caller's thread, nobody else's yet */
};

static void run_publish(struct fray_loop *loop, struct fray_post *post)
{
    struct publish_post *self = (struct publish_post *)post;
    (void)loop;
    fray_broker_dispatch(self->broker, NULL, self->publication);
    fray_publication_unref(self->publication);
    free(self);
}

static bool is_name(const char *text)
{
    struct fray_slice topic = fray_slice_of(text);
    return fray_utf8_valid(topic) && fray_mqtt_topic_name_valid(topic);
}

static struct fray_mqtt_properties properties_of(const struct fray_broker_message *message)
{
    struct fray_mqtt_properties properties = {0};
    if (message->response_topic) {
        properties.present |= FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_RESPONSE_TOPIC);
        properties.response_topic = fray_slice_of(message->response_topic);
    }
    if (message->correlation_len) {
        properties.present |= FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_CORRELATION_DATA);
        properties.correlation_data = fray_slice(message->correlation, message->correlation_len);
    }
    return properties;
}

enum fray_err fray_broker_publish(fray_broker *broker, const struct fray_broker_message *message)
{
    struct fray_slice topic = fray_slice_of(message->topic);
    if (!is_name(message->topic) || message->qos > 2 ||
        (message->response_topic && !is_name(message->response_topic)) ||
        message->correlation_len > FRAY_MQTT_STRING_MAX)
        return FRAY_ERR_SYNTAX;
    if (!is_serving(broker))
        return FRAY_ERR_CLOSED;
    struct fray_buf scratch = {0};
    struct fray_publication *publication = fray_publication_create(
        &(struct fray_mqtt_publish){
            .qos = (uint8_t)message->qos,
            .retain = message->retain,
            .topic = topic,
            .payload = fray_slice(message->payload, message->len),
            .properties = properties_of(message),
        },
        0, &scratch);
    fray_buf_deinit(&scratch);
    if (!publication)
        return FRAY_ERR_SYNTAX;
    struct publish_post *post = fray_alloc(sizeof *post);
    *post = (struct publish_post){{.run = run_publish}, broker, publication};
    fray_loop_post(home_of(broker)->loop, &post->post);
    return FRAY_OK;
}

/* ------------------------------------------------------------------ subscribing */

struct fray_broker_subscription {
    fray_broker *broker;
    struct fray_broker_session *session; /* on the broker's thread */
    struct fray_broker_subscriber subscriber;
    char filter[];
};

static void on_message(struct fray_broker_session *session, struct fray_publication *publication,
                       const struct fray_broker_delivery_options *options)
{
    const fray_broker_subscription *self = session->connection;
    struct fray_slice payload = fray_publication_payload(publication);
    struct fray_slice topic = fray_publication_topic(publication);
    struct fray_mqtt_properties properties;
    fray_mqtt_message_properties(publication->bytes, &publication->shape, &properties);
    struct fray_slice response = properties.response_topic;
    char *name = fray_strndup(topic.data, topic.len);
    char *answer_to = response.len ? fray_strndup(response.data, response.len) : NULL;
    self->subscriber.on_message(
        &(struct fray_broker_message){.topic = name,
                                      .payload = payload.data,
                                      .len = payload.len,
                                      .qos = options->qos,
                                      .retain = options->retain,
                                      .response_topic = answer_to,
                                      .correlation = properties.correlation_data.data,
                                      .correlation_len = properties.correlation_data.len},
        self->subscriber.context);
    free(name);
    free(answer_to);
}

/* Its client identifier holds a NUL, which no client's does. */
static void on_taken(struct fray_broker_session *session, enum fray_mqtt_reason reason)
{
    (void)session, (void)reason;
}

static const struct fray_broker_session_ops session_ops = {.on_message = on_message,
                                                           .on_taken = on_taken};

struct subscription_post {
    struct fray_post post; /* first */
    fray_broker_subscription *subscription;
};

static void post_to(fray_broker_subscription *subscription,
                    void (*run)(struct fray_loop *loop, struct fray_post *post))
{
    struct subscription_post *post = fray_alloc(sizeof *post);
    *post = (struct subscription_post){{.run = run}, subscription};
    fray_loop_post(home_of(subscription->broker)->loop, &post->post);
}

static void run_subscribe(struct fray_loop *loop, struct fray_post *post)
{
    fray_broker_subscription *self = ((struct subscription_post *)post)->subscription;
    struct fray_subscription options = {.qos = 2};
    struct fray_slice filter = fray_slice_of(self->filter), group, bare;
    struct fray_buf client_id = {0};
    bool present, existed;
    (void)loop;
    fray_buf_append_byte(&client_id, '\0');
    fray_buf_append(&client_id, &self, sizeof self);
    self->session = fray_broker_connect(self->broker,
                                        &(struct fray_broker_connect){
                                            .client_id = fray_buf_slice(&client_id),
                                            .clean_start = true,
                                            .receive_maximum = UINT16_MAX,
                                            .ops = &session_ops,
                                            .connection = self,
                                        },
                                        &present);
    fray_buf_deinit(&client_id);
    if (fray_broker_session_subscribe(self->session, filter, &options, &existed))
        fray_log(FRAY_LOG_ERROR, "broker_subscription_refused", "filter=%s reason=%s", self->filter,
                 "too many subscriptions, or levels");
    else if (!fray_mqtt_topic_filter_split(filter, &group, &bare))
        fray_broker_send_retained(self->session, filter, &options);
    free(post);
}

fray_broker_subscription *fray_broker_subscribe(fray_broker *broker,
                                                const struct fray_broker_subscriber *subscriber)
{
    struct fray_slice filter = fray_slice_of(subscriber->filter);
    if (!fray_utf8_valid(filter) || !fray_mqtt_topic_filter_valid(filter) || !is_serving(broker))
        return NULL;
    fray_broker_subscription *self = fray_alloc(sizeof *self + filter.len + 1);
    *self = (fray_broker_subscription){.broker = broker, .subscriber = *subscriber};
    memcpy(self->filter, filter.data, filter.len);
    self->filter[filter.len] = '\0';
    self->subscriber.filter = self->filter;
    post_to(self, run_subscribe);
    return self;
}

static void end(fray_broker_subscription *self)
{
    if (self->session)
        fray_broker_disconnect(self->session, false);
    if (self->subscriber.on_end)
        self->subscriber.on_end(self->subscriber.context);
    free(self);
}

static void run_unsubscribe(struct fray_loop *loop, struct fray_post *post)
{
    (void)loop;
    end(((struct subscription_post *)post)->subscription);
    free(post);
}

void fray_broker_unsubscribe(fray_broker_subscription *subscription)
{
    post_to(subscription, run_unsubscribe);
}

void fray_mqtt_embed_end_all(struct fray_broker *broker)
{
    for (uint32_t i = 0; i < broker->sessions.cap;) {
        const struct fray_broker_session *session = broker->sessions.entries[i].object;
        if (session && session->ops == &session_ops)
            end(session->connection); /* another may move to this place */
        else
            i++;
    }
}
