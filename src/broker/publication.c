#include "broker/publication.h"

#include <assert.h>

#include "base/mem.h"

enum { COPY_MAX = 1024 }; /* tails up to this are copied behind their head: one message less */

struct fray_publication *fray_publication_create(const struct fray_mqtt_publish *publish,
                                                 uint64_t now_us, struct fray_buf *scratch)
{
    struct fray_mqtt_message shape;
    scratch->len = 0;
    if (fray_mqtt_message_encode(scratch, publish, &shape))
        return NULL;
    struct fray_publication *publication = fray_alloc(sizeof *publication + scratch->len);
    *publication = (struct fray_publication){
        .refs = 1,
        .qos = publish->qos,
        .retain = publish->retain,
        .has_expiry = fray_mqtt_has(&publish->properties, FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL),
        .expiry_s = publish->properties.message_expiry_interval,
        .shape = shape,
    };
    if (scratch->len)
        memcpy(publication->bytes, scratch->data, scratch->len);
    fray_publication_restart_expiry(publication, now_us);
    return publication;
}

void fray_publication_restart_expiry(struct fray_publication *publication, uint64_t now_us)
{
    if (publication->has_expiry)
        publication->expires_us = now_us + publication->expiry_s * UINT64_C(1000000);
}

void fray_publication_unref(struct fray_publication *publication)
{
    assert(publication->refs > 0);
    if (--publication->refs)
        return;
    if (publication->id)
        publication->on_forget(publication, publication->keeper);
    for (int v = 0; v < 2; v++) {
        for (int retain = 0; retain < 2; retain++) {
            if (publication->whole[v][retain])
                fray_message_unref(publication->whole[v][retain]);
        }
        if (publication->tail[v])
            fray_message_unref(publication->tail[v]);
    }
    free(publication);
}

void fray_publication_set_expiry(const struct fray_publication *publication,
                                 struct fray_mqtt_delivery *delivery, uint64_t now_us)
{
    delivery->has_expiry = publication->has_expiry;
    if (!publication->has_expiry)
        return;
    uint64_t expires_us = publication->expires_us;
    uint64_t left_us = expires_us > now_us ? expires_us - now_us : 0;
    delivery->expiry_s = (uint32_t)((left_us + 999999) / 1000000);
}

static struct fray_message *packet_of(const struct fray_buf *bytes)
{
    return fray_message_packet(FRAY_FORM_MQTT_STREAM, fray_buf_slice(bytes));
}

/* Head and tail in one message. NULL: larger than MQTT allows. */
static struct fray_message *encode_whole(const struct fray_publication *publication,
                                         const struct fray_mqtt_delivery *delivery,
                                         struct fray_buf *scratch)
{
    struct fray_mqtt_head head;
    scratch->len = 0;
    if (fray_mqtt_head_encode(scratch, publication->bytes, &publication->shape, delivery, &head))
        return NULL;
    fray_buf_append_slice(scratch, head.tail);
    return packet_of(scratch);
}

static struct fray_message *shared_whole(struct fray_publication *publication,
                                         const struct fray_mqtt_delivery *delivery,
                                         struct fray_buf *scratch)
{
    struct fray_message **whole =
        &publication->whole[delivery->version == FRAY_MQTT_5][delivery->retain];
    bool is_stale = *whole && delivery->version == FRAY_MQTT_5 && delivery->has_expiry &&
                    publication->whole_expiry_s != delivery->expiry_s;
    if (is_stale) {
        fray_message_unref(*whole);
        *whole = NULL;
    }
    if (*whole)
        return *whole;
    *whole = encode_whole(publication, delivery, scratch);
    if (*whole && !delivery->retain) {
        (*whole)->class = publication->class;
        (*whole)->key = publication->key;
    }
    if (delivery->version == FRAY_MQTT_5)
        publication->whole_expiry_s = delivery->expiry_s;
    return *whole;
}

/* A head of its own, and the large tail that all of its version share. */
static enum fray_send_result send_parts(struct fray_publication *publication,
                                        struct fray_session *session,
                                        const struct fray_mqtt_delivery *delivery)
{
    struct fray_buf *scratch = &session->worker->packet;
    struct fray_mqtt_head head;
    scratch->len = 0;
    if (fray_mqtt_head_encode(scratch, publication->bytes, &publication->shape, delivery, &head))
        return FRAY_DROPPED;
    struct fray_message **tail = &publication->tail[delivery->version == FRAY_MQTT_5];
    if (!*tail)
        *tail = fray_message_packet(FRAY_FORM_MQTT_STREAM, head.tail);
    struct fray_message *first = packet_of(scratch);
    enum fray_send_result result = fray_session_send(session, first);
    fray_message_unref(first);
    /* Both are reliable: where one does not fit, the session ends. */
    return result == FRAY_DROPPED ? result : fray_session_send(session, *tail);
}

enum fray_send_result fray_publication_send(struct fray_publication *publication,
                                            struct fray_session *session,
                                            const struct fray_mqtt_delivery *delivery)
{
    bool is_own = delivery->qos || delivery->subscription_identifier_count || delivery->topic_alias;
    if (is_own && publication->shape.payload_len > COPY_MAX)
        return send_parts(publication, session, delivery);
    struct fray_buf *scratch = &session->worker->packet;
    struct fray_message *message = is_own ? encode_whole(publication, delivery, scratch)
                                          : shared_whole(publication, delivery, scratch);
    if (!message)
        return FRAY_DROPPED;
    enum fray_send_result result = fray_session_send(session, message);
    if (is_own)
        fray_message_unref(message);
    return result;
}
