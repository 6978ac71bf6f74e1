/* One PUBLISH for many subscribers: encode once, then vary.
 *
 *   fixed header 1 | remaining length 1..4 | topic 2+n | [packet id 2] |            <- head
 *   [5.0: property length 1..4 | message expiry, topic alias, subscription ids] |   <- head
 *   [5.0: the other properties] | payload                                           <- tail
 *
 * The tail is the same bytes for every subscriber: of 5.0 all of it, before 5.0 the payload alone.
 * It is encoded once per message and referenced. The head is a few bytes and written for each
 * subscriber, or once for each group of subscribers whose deliveries are equal: QoS 0 without
 * subscription identifiers is one head for all of a version.
 *
 * Where messages are small, head and tail may be copied into one run once, and the run copied for
 * each subscriber: packet id, DUP and RETAIN are then patched with fray_mqtt_packet_patch.
 *
 * No state; any thread. A message's bytes are immutable once encoded and may be shared. */
#ifndef FRAY_WIRE_MQTT_PUBLISH_H
#define FRAY_WIRE_MQTT_PUBLISH_H

#include "base/buf.h"
#include "fray/err.h"
#include "wire/mqtt.h"

/* The shared bytes of a message, and where they are: offsets into the run that
 * fray_mqtt_message_encode appended, so that the owner may move it. */
struct fray_mqtt_message {
    uint32_t topic_len;      /* [0, topic_len): the topic */
    uint32_t properties_len; /* then the properties that all subscribers of 5.0 get */
    uint32_t payload_len;    /* then the payload */
};

/* What differs from subscriber to subscriber. */
struct fray_mqtt_delivery {
    enum fray_mqtt_version version;
    uint8_t qos;
    bool dup;
    bool retain;
    uint16_t packet_id; /* 0 with QoS 0 */
    /* 5.0 only, all of the following. */
    uint16_t topic_alias; /* 0: none */
    bool omit_topic;      /* the peer knows the alias already: 3.3.2.3.4 */
    bool has_expiry;
    uint32_t expiry_s; /* what is left of it [MQTT-3.3.2-6] */
    const uint32_t *subscription_identifiers;
    size_t subscription_identifier_count;
};

/* Appends a message's shared bytes and describes them. Message expiry, topic alias and subscription
 * identifiers of the properties are left to the deliveries; the rest is forwarded unaltered
 * ([MQTT-3.3.2-4], -15, -16, -17, -20). FRAY_ERR_LIMIT: a string over 65,535 bytes, or more than
 * any PUBLISH can hold; nothing is appended. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_message_encode(struct fray_buf *buf,
                                                       const struct fray_mqtt_publish *publish,
                                                       struct fray_mqtt_message *message);

/* The properties among the shared bytes; they point into these. None where they make no sense. */
void fray_mqtt_message_properties(const char *bytes, const struct fray_mqtt_message *message,
                                  struct fray_mqtt_properties *properties);

/* The size of the packet that the delivery makes, for the peer's maximum packet size. It may exceed
 * what MQTT can express (FRAY_MQTT_REMAINING_LENGTH_MAX), which writing the head then refuses. */
size_t fray_mqtt_delivery_size(const struct fray_mqtt_message *message,
                               const struct fray_mqtt_delivery *delivery);

/* Where a head's parts lie. */
struct fray_mqtt_head {
    size_t size;             /* bytes that were appended */
    size_t packet_id_offset; /* from the packet's first byte; 0: QoS 0, no packet id */
    struct fray_slice tail;  /* what follows the head on the wire; borrowed from the message */
};

/* Appends the head of a delivery. `bytes` are the message's shared ones, from
 * fray_mqtt_message_encode. FRAY_ERR_LIMIT: the packet is larger than MQTT allows; nothing is
 * appended. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_head_encode(struct fray_buf *buf, const char *bytes,
                                                    const struct fray_mqtt_message *message,
                                                    const struct fray_mqtt_delivery *delivery,
                                                    struct fray_mqtt_head *head);

/* Changes DUP, RETAIN and, where packet_id_offset is not 0, the packet id of a PUBLISH in place. */
void fray_mqtt_packet_patch(char *packet, size_t packet_id_offset,
                            const struct fray_mqtt_delivery *delivery);

#endif
