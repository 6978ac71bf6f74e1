/* fray/broker.h: the server's MQTT broker, from inside the program.
 *
 *     fray_broker *broker = fray_server_broker(server);
 *     fray_broker_subscribe(broker, &(struct fray_broker_subscriber){
 *         .filter = "sensors/#", .on_message = on_reading, .context = store});
 *     fray_broker_publish(broker, &(struct fray_broker_message){
 *         .topic = "lamps/hall", .payload = "on", .len = 2, .qos = 1});
 *
 * What is published here reaches MQTT clients, subscribers of this program, and the rooms of topics
 * that begin with fray/ (docs/protocols.md), as if a client had published it; topic rules, and what
 * fray_app says of MQTT clients, do not apply. All functions may be called on any thread, between
 * fray_server_start and the end of fray_server_wait; callbacks run on the broker's thread, one at a
 * time, and must not block. */
#ifndef FRAY_BROKER_H
#define FRAY_BROKER_H

#include "fray/fray.h"

typedef struct fray_broker fray_broker;
typedef struct fray_broker_subscription fray_broker_subscription;

struct fray_broker_message {
    const char *topic;
    const void *payload; /* may be NULL when len is 0 */
    size_t len;
    unsigned qos; /* 0, 1 or 2 */
    bool retain;  /* kept for later subscribers, in place of the one before; len 0: none is */
    /* Request and response (MQTT 5.0, 4.10): whoever answers publishes to response_topic, with the
     * same correlation. NULL: nobody waits for an answer. */
    const char *response_topic;
    const void *correlation;
    size_t correlation_len; /* 0: none */
};

struct fray_broker_subscriber {
    const char *filter; /* with wildcards, or $share/<group>/ */
    /* Once for each message that matches. Its pointers are valid until it returns. */
    void (*on_message)(const struct fray_broker_message *message, void *context);
    /* The last call: soon after fray_broker_unsubscribe, or when the server stops; until then
     * on_message may be called. May be NULL. */
    void (*on_end)(void *context);
    void *context;
};

/* NULL: the option mqtt is off, or the server was not started. Valid until fray_server_destroy. */
FRAY_API fray_broker *fray_server_broker(fray_server *server);

/* The message is copied, and published on the broker's next turn; calls of one thread keep their
 * order. FRAY_ERR_SYNTAX: no topic to publish or to answer to, or a wrong QoS. FRAY_ERR_CLOSED: the
 * server has stopped. */
FRAY_API enum fray_err
fray_broker_publish(fray_broker *broker, const struct fray_broker_message *message) FRAY_MUST_CHECK;

/* Begins with the retained messages that match. Copied. NULL: not a filter, or the server has
 * stopped. */
FRAY_API fray_broker_subscription *
fray_broker_subscribe(fray_broker *broker, const struct fray_broker_subscriber *subscriber);
/* Once for each subscription that was made; not after on_end. */
FRAY_API void fray_broker_unsubscribe(fray_broker_subscription *subscription);

#endif
