/* An application message on its way through the broker: immutable, reference-counted, encoded at
 * most once for all subscribers that get the same bytes.
 *
 *   QoS 0, no subscription identifier, no alias   one packet for all of a version and RETAIN flag
 *   else                                          a head of its own; the tail shared where large
 *
 * Thread: the broker's worker's. Pure. */
#ifndef FRAY_BROKER_PUBLICATION_H
#define FRAY_BROKER_PUBLICATION_H

#include "session/session.h"
#include "wire/mqtt_publish.h"

struct fray_publication {
    uint32_t refs;
    uint8_t qos; /* the publisher's */
    bool retain; /* the publisher's RETAIN */
    bool has_expiry;
    uint8_t class;           /* enum fray_class of a QoS 0 delivery: of a room's event that it is */
    uint64_t key;            /* of FRAY_LATEST */
    uint32_t expiry_s;       /* message expiry interval, when it was published (3.3.2.3.3) */
    uint32_t whole_expiry_s; /* what was left of it when `whole` was made */
    uint64_t expires_us;     /* 0: never */
    uint64_t id;             /* in the journal; 0: not there */
    void (*on_forget)(struct fray_publication *publication, void *keeper); /* with an id: the end */
    void *keeper;
    struct fray_mqtt_message shape;   /* of `bytes` */
    struct fray_message *whole[2][2]; /* by is 5.0, by RETAIN; NULL: nobody needed it yet */
    struct fray_message *tail[2];     /* by is 5.0 */
    char bytes[];
};

/* With one reference; `publish` must be valid, its topic given. `scratch` is overwritten. NULL:
 * more than any PUBLISH can hold. */
struct fray_publication *fray_publication_create(const struct fray_mqtt_publish *publish,
                                                 uint64_t now_us, struct fray_buf *scratch);
void fray_publication_unref(struct fray_publication *publication);

static inline struct fray_publication *fray_publication_ref(struct fray_publication *publication)
{
    publication->refs++;
    return publication;
}

static inline struct fray_slice fray_publication_topic(const struct fray_publication *publication)
{
    return fray_slice(publication->bytes, publication->shape.topic_len);
}

static inline struct fray_slice fray_publication_payload(const struct fray_publication *publication)
{
    const struct fray_mqtt_message *shape = &publication->shape;
    return fray_slice(publication->bytes + shape->topic_len + shape->properties_len,
                      shape->payload_len);
}

/* What it costs whoever keeps it; for bounds. */
static inline uint32_t fray_publication_size(const struct fray_publication *publication)
{
    const struct fray_mqtt_message *shape = &publication->shape;
    return shape->topic_len + shape->properties_len + shape->payload_len;
}

static inline bool fray_publication_is_expired(const struct fray_publication *publication,
                                               uint64_t now_us)
{
    return publication->expires_us && publication->expires_us <= now_us;
}

/* Its expiry counts from now on: a will's, when it is published. */
void fray_publication_restart_expiry(struct fray_publication *publication, uint64_t now_us);

/* Fills in what is left of the expiry. */
void fray_publication_set_expiry(const struct fray_publication *publication,
                                 struct fray_mqtt_delivery *delivery, uint64_t now_us);

/* Sends it to the session as the delivery says. */
enum fray_send_result fray_publication_send(struct fray_publication *publication,
                                            struct fray_session *session,
                                            const struct fray_mqtt_delivery *delivery);

#endif
