/* MQTT 5.0 properties (2.2.2): values, decoding, encoding. Zero-copy and pure; any thread. */
#ifndef FRAY_WIRE_MQTT_PROPERTIES_H
#define FRAY_WIRE_MQTT_PROPERTIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Table 2-4. */
enum fray_mqtt_property {
    FRAY_MQTT_PAYLOAD_FORMAT_INDICATOR = 0x01,
    FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL = 0x02,
    FRAY_MQTT_CONTENT_TYPE = 0x03,
    FRAY_MQTT_RESPONSE_TOPIC = 0x08,
    FRAY_MQTT_CORRELATION_DATA = 0x09,
    FRAY_MQTT_SUBSCRIPTION_IDENTIFIER = 0x0B,
    FRAY_MQTT_SESSION_EXPIRY_INTERVAL = 0x11,
    FRAY_MQTT_ASSIGNED_CLIENT_IDENTIFIER = 0x12,
    FRAY_MQTT_SERVER_KEEP_ALIVE = 0x13,
    FRAY_MQTT_AUTHENTICATION_METHOD = 0x15,
    FRAY_MQTT_AUTHENTICATION_DATA = 0x16,
    FRAY_MQTT_REQUEST_PROBLEM_INFORMATION = 0x17,
    FRAY_MQTT_WILL_DELAY_INTERVAL = 0x18,
    FRAY_MQTT_REQUEST_RESPONSE_INFORMATION = 0x19,
    FRAY_MQTT_RESPONSE_INFORMATION = 0x1A,
    FRAY_MQTT_SERVER_REFERENCE = 0x1C,
    FRAY_MQTT_REASON_STRING = 0x1F,
    FRAY_MQTT_RECEIVE_MAXIMUM = 0x21,
    FRAY_MQTT_TOPIC_ALIAS_MAXIMUM = 0x22,
    FRAY_MQTT_TOPIC_ALIAS = 0x23,
    FRAY_MQTT_MAXIMUM_QOS = 0x24,
    FRAY_MQTT_RETAIN_AVAILABLE = 0x25,
    FRAY_MQTT_USER_PROPERTY = 0x26,
    FRAY_MQTT_MAXIMUM_PACKET_SIZE = 0x27,
    FRAY_MQTT_WILDCARD_SUBSCRIPTION_AVAILABLE = 0x28,
    FRAY_MQTT_SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29,
    FRAY_MQTT_SHARED_SUBSCRIPTION_AVAILABLE = 0x2A,
};

#define FRAY_MQTT_PROPERTY_BIT(property) (UINT64_C(1) << (property))

/* A property counts when its bit is in `present`; its member is zero otherwise.
 *
 * Two properties may come more than once: user properties, and the subscription identifiers of a
 * PUBLISH. They stay in `repeated`, a run of encoded properties that fray_mqtt_user_property_next
 * and fray_mqtt_subscription_identifier_next walk and the *_append functions build; their order
 * is the sender's [MQTT-3.3.2-18]. A decoded list keeps the whole list there; other properties in
 * it are passed over. */
struct fray_mqtt_properties {
    uint64_t present;
    struct fray_slice repeated;

    uint8_t payload_format_indicator; /* 1: the payload is UTF-8 */
    uint8_t request_problem_information;
    uint8_t request_response_information;
    uint8_t maximum_qos;
    uint8_t retain_available;
    uint8_t wildcard_subscription_available;
    uint8_t subscription_identifier_available;
    uint8_t shared_subscription_available;

    uint16_t server_keep_alive; /* seconds */
    uint16_t receive_maximum;
    uint16_t topic_alias_maximum;
    uint16_t topic_alias;

    uint32_t message_expiry_interval; /* seconds */
    uint32_t session_expiry_interval; /* seconds; 0xFFFFFFFF: never */
    uint32_t will_delay_interval;     /* seconds */
    uint32_t maximum_packet_size;     /* bytes */
    uint32_t subscription_identifier; /* of a SUBSCRIBE; of a PUBLISH: the last of `repeated` */

    struct fray_slice content_type;
    struct fray_slice response_topic;
    struct fray_slice correlation_data;
    struct fray_slice assigned_client_identifier;
    struct fray_slice authentication_method;
    struct fray_slice authentication_data;
    struct fray_slice response_information;
    struct fray_slice server_reference;
    struct fray_slice reason_string;
};

static inline bool fray_mqtt_has(const struct fray_mqtt_properties *properties,
                                 enum fray_mqtt_property property)
{
    return (properties->present & FRAY_MQTT_PROPERTY_BIT(property)) != 0;
}

/* Walks `repeated`. `*rest` starts as it and is advanced; false at the end. Runs that were not
 * decoded or built by this module end the walk at the first thing that is not a property. */
bool fray_mqtt_user_property_next(struct fray_slice *rest, struct fray_slice *name,
                                  struct fray_slice *value);
bool fray_mqtt_subscription_identifier_next(struct fray_slice *rest, uint32_t *identifier);

/* Builds `repeated`. Name and value are UTF-8 of at most FRAY_MQTT_STRING_MAX bytes; the identifier
 * is 1 to FRAY_MQTT_REMAINING_LENGTH_MAX. The caller vouches for both. */
void fray_mqtt_user_property_append(struct fray_buf *repeated, struct fray_slice name,
                                    struct fray_slice value);
void fray_mqtt_subscription_identifier_append(struct fray_buf *repeated, uint32_t identifier);

#endif
