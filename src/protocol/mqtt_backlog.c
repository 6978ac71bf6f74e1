/* Retained messages that a new subscription found (3.3.1.3), until the client has taken those
 * before: there may be more of them than its outbox and queue hold. What waits is named by its
 * topic: the message that is then retained there is sent, so that none comes behind a newer one. */
#include "base/mem.h"
#include "protocol/mqtt_connection.h"

struct waiting {
    struct fray_publication *found; /* a reference */
    uint32_t identifier;            /* of the subscription; 0: none */
    uint8_t qos;                    /* that was granted */
};

struct fray_mqtt_backlog {
    struct waiting *waiting;
    uint32_t first, count, cap; /* waiting[first … count) are still to be sent */
    uint64_t bytes;             /* of what these hold */
    bool is_sending;
};

static uint64_t cost_of(const struct waiting *waiting)
{
    return sizeof *waiting + fray_publication_size(waiting->found);
}

static bool fits(struct fray_mqtt_connection *self, uint8_t qos,
                 const struct fray_publication *publication)
{
    if (qos && publication->qos)
        return fray_broker_queue_has_room(self->client);
    if (fray_mqtt_has_room(self, fray_publication_size(publication) + 32u))
        return true;
    self->session.owes_drained = true; /* on_drained goes on */
    return false;
}

static void deliver(struct fray_mqtt_connection *self, const struct waiting *waiting,
                    struct fray_publication *publication)
{
    fray_broker_deliver(self->client, publication,
                        &(struct fray_broker_delivery_options){
                            .qos = waiting->qos,
                            .retain = true,
                            .identifiers = &waiting->identifier,
                            .identifiers_count = waiting->identifier ? 1 : 0,
                        });
}

/* What is retained for the topic now; NULL: nothing any more. */
static struct fray_publication *current(const struct fray_mqtt_connection *self,
                                        const struct waiting *waiting)
{
    const struct fray_retained_message *message =
        fray_retained_get(&self->config->broker->retained, fray_publication_topic(waiting->found),
                          *self->session.worker->now_us);
    return message ? message->message : NULL;
}

static void drop_first(struct fray_mqtt_backlog *backlog)
{
    struct waiting *waiting = &backlog->waiting[backlog->first++];
    backlog->bytes -= cost_of(waiting);
    fray_publication_unref(waiting->found);
}

static void destroy(struct fray_mqtt_connection *self)
{
    struct fray_mqtt_backlog *backlog = self->backlog;
    while (backlog->first < backlog->count)
        drop_first(backlog);
    free(backlog->waiting);
    free(backlog);
    self->backlog = NULL;
}

static void keep(struct fray_mqtt_connection *self, const struct waiting *waiting)
{
    struct fray_mqtt_backlog *backlog = self->backlog;
    if (!backlog)
        backlog = self->backlog = fray_alloc_zero(sizeof *backlog);
    if (backlog->bytes + cost_of(waiting) > self->config->broker->limits.queue_bytes_max) {
        fray_count(&self->session.worker->counters.mqtt_dropped_slow);
        return;
    }
    if (backlog->count == backlog->cap) {
        backlog->cap = backlog->cap ? backlog->cap * 2 : 64;
        backlog->waiting = fray_realloc(backlog->waiting, backlog->cap * sizeof *waiting);
    }
    backlog->bytes += cost_of(waiting);
    fray_publication_ref(waiting->found);
    backlog->waiting[backlog->count++] = *waiting;
}

void fray_mqtt_on_found(struct fray_broker_session *client, struct fray_publication *publication,
                        const struct fray_broker_delivery_options *options)
{
    struct fray_mqtt_connection *self = client->connection;
    struct waiting waiting = {publication, 0, options->qos};
    if (options->identifiers_count)
        waiting.identifier = options->identifiers[0];
    if (self->session.is_closing)
        return;
    if (!self->backlog && fits(self, waiting.qos, publication))
        deliver(self, &waiting, publication);
    else
        keep(self, &waiting);
}

void fray_mqtt_backlog_send(struct fray_mqtt_connection *self)
{
    struct fray_mqtt_backlog *backlog = self->backlog;
    if (!backlog || backlog->is_sending)
        return;
    backlog->is_sending = true;
    while (backlog->first < backlog->count && !self->session.is_closing) {
        struct waiting *waiting = &backlog->waiting[backlog->first];
        struct fray_publication *publication = current(self, waiting);
        if (publication && !fits(self, waiting->qos, publication))
            break;
        if (publication)
            deliver(self, waiting, publication);
        drop_first(backlog);
    }
    backlog->is_sending = false;
    if (backlog->first == backlog->count || self->session.is_closing)
        destroy(self);
}

void fray_mqtt_backlog_end(struct fray_mqtt_connection *self)
{
    struct fray_mqtt_backlog *backlog = self->backlog;
    if (!backlog || backlog->is_sending) /* it looks whether the connection is ending */
        return;
    bool is_kept = self->client && self->client->expiry_s;
    backlog->is_sending = true;
    while (is_kept && backlog->first < backlog->count) {
        const struct waiting *waiting = &backlog->waiting[backlog->first];
        struct fray_publication *publication = current(self, waiting);
        if (publication && waiting->qos && publication->qos)
            deliver(self, waiting, publication);
        drop_first(backlog);
    }
    destroy(self);
}
