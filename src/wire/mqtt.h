/* MQTT 3.1, 3.1.1 and 5.0: the control packets as values.
 *
 * mqtt_decode.h turns bytes into these, mqtt_encode.h turns these into bytes, mqtt_publish.h
 * encodes one PUBLISH for many subscribers. Slices in a decoded packet point into the bytes that
 * were decoded and live as long as those. Nothing here allocates or keeps state. Any thread.
 *
 * Comments cite MQTT 5.0 (OASIS, 7 March 2019) unless they name 3.1.1 (29 October 2014) or 3.1
 * (IBM and Eurotech). Reasons are MQTT 5.0's in every version; the encoder and the decoder
 * translate for the older ones. */
#ifndef FRAY_WIRE_MQTT_H
#define FRAY_WIRE_MQTT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "wire/mqtt_properties.h"

enum fray_mqtt_version {
    FRAY_MQTT_VERSION_UNKNOWN = 0, /* before CONNECT */
    FRAY_MQTT_3_1 = 3,             /* protocol name "MQIsdp" */
    FRAY_MQTT_3_1_1 = 4,
    FRAY_MQTT_5 = 5,
};

enum fray_mqtt_role { FRAY_MQTT_CLIENT, FRAY_MQTT_SERVER };

/* 2.1.2. Type 0 is forbidden in every version. */
enum fray_mqtt_type {
    FRAY_MQTT_CONNECT = 1,
    FRAY_MQTT_CONNACK = 2,
    FRAY_MQTT_PUBLISH = 3,
    FRAY_MQTT_PUBACK = 4,
    FRAY_MQTT_PUBREC = 5,
    FRAY_MQTT_PUBREL = 6,
    FRAY_MQTT_PUBCOMP = 7,
    FRAY_MQTT_SUBSCRIBE = 8,
    FRAY_MQTT_SUBACK = 9,
    FRAY_MQTT_UNSUBSCRIBE = 10,
    FRAY_MQTT_UNSUBACK = 11,
    FRAY_MQTT_PINGREQ = 12,
    FRAY_MQTT_PINGRESP = 13,
    FRAY_MQTT_DISCONNECT = 14,
    FRAY_MQTT_AUTH = 15, /* MQTT 5.0 only */
};

/* 2.4. Below 0x80 is success. */
enum fray_mqtt_reason {
    FRAY_MQTT_SUCCESS = 0x00, /* also normal disconnection and granted QoS 0 */
    FRAY_MQTT_GRANTED_QOS_1 = 0x01,
    FRAY_MQTT_GRANTED_QOS_2 = 0x02,
    FRAY_MQTT_DISCONNECT_WITH_WILL = 0x04,
    FRAY_MQTT_NO_MATCHING_SUBSCRIBERS = 0x10,
    FRAY_MQTT_NO_SUBSCRIPTION_EXISTED = 0x11,
    FRAY_MQTT_CONTINUE_AUTHENTICATION = 0x18,
    FRAY_MQTT_REAUTHENTICATE = 0x19,
    FRAY_MQTT_UNSPECIFIED_ERROR = 0x80,
    FRAY_MQTT_MALFORMED_PACKET = 0x81,
    FRAY_MQTT_PROTOCOL_ERROR = 0x82,
    FRAY_MQTT_IMPLEMENTATION_SPECIFIC_ERROR = 0x83,
    FRAY_MQTT_UNSUPPORTED_PROTOCOL_VERSION = 0x84,
    FRAY_MQTT_CLIENT_IDENTIFIER_NOT_VALID = 0x85,
    FRAY_MQTT_BAD_USER_NAME_OR_PASSWORD = 0x86,
    FRAY_MQTT_NOT_AUTHORIZED = 0x87,
    FRAY_MQTT_SERVER_UNAVAILABLE = 0x88,
    FRAY_MQTT_SERVER_BUSY = 0x89,
    FRAY_MQTT_BANNED = 0x8A,
    FRAY_MQTT_SERVER_SHUTTING_DOWN = 0x8B,
    FRAY_MQTT_BAD_AUTHENTICATION_METHOD = 0x8C,
    FRAY_MQTT_KEEP_ALIVE_TIMEOUT = 0x8D,
    FRAY_MQTT_SESSION_TAKEN_OVER = 0x8E,
    FRAY_MQTT_TOPIC_FILTER_INVALID = 0x8F,
    FRAY_MQTT_TOPIC_NAME_INVALID = 0x90,
    FRAY_MQTT_PACKET_IDENTIFIER_IN_USE = 0x91,
    FRAY_MQTT_PACKET_IDENTIFIER_NOT_FOUND = 0x92,
    FRAY_MQTT_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
    FRAY_MQTT_TOPIC_ALIAS_INVALID = 0x94,
    FRAY_MQTT_PACKET_TOO_LARGE = 0x95,
    FRAY_MQTT_MESSAGE_RATE_TOO_HIGH = 0x96,
    FRAY_MQTT_QUOTA_EXCEEDED = 0x97,
    FRAY_MQTT_ADMINISTRATIVE_ACTION = 0x98,
    FRAY_MQTT_PAYLOAD_FORMAT_INVALID = 0x99,
    FRAY_MQTT_RETAIN_NOT_SUPPORTED = 0x9A,
    FRAY_MQTT_QOS_NOT_SUPPORTED = 0x9B,
    FRAY_MQTT_USE_ANOTHER_SERVER = 0x9C,
    FRAY_MQTT_SERVER_MOVED = 0x9D,
    FRAY_MQTT_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E,
    FRAY_MQTT_CONNECTION_RATE_EXCEEDED = 0x9F,
    FRAY_MQTT_MAXIMUM_CONNECT_TIME = 0xA0,
    FRAY_MQTT_SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1,
    FRAY_MQTT_WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2,
};

enum {
    FRAY_MQTT_REMAINING_LENGTH_MAX = 268435455, /* 2.1.4: four bytes of seven bits */
    FRAY_MQTT_STRING_MAX = 65535,               /* 1.5.4 */
    FRAY_MQTT_FIXED_HEADER_MAX = 5,
};

struct fray_mqtt_will {
    struct fray_slice topic;
    struct fray_slice payload;
    uint8_t qos;
    bool retain;
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_connect { /* 3.1 */
    enum fray_mqtt_version version;
    bool clean_start; /* "clean session" before 5.0 */
    bool has_will;
    bool has_username;
    bool has_password;
    uint16_t keep_alive_s; /* 0 turns keep-alive off */
    struct fray_slice client_id;
    struct fray_slice username;
    struct fray_slice password;
    struct fray_mqtt_properties properties;
    struct fray_mqtt_will will;
};

struct fray_mqtt_connack { /* 3.2 */
    bool session_present;  /* not on the wire in 3.1 */
    enum fray_mqtt_reason reason;
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_publish { /* 3.3 */
    uint8_t qos;
    bool dup;
    bool retain;
    uint16_t packet_id;      /* 0 with QoS 0, never 0 otherwise */
    struct fray_slice topic; /* empty when a topic alias stands for it */
    struct fray_slice payload;
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_ack { /* PUBACK, PUBREC, PUBREL, PUBCOMP: 3.4 to 3.7 */
    uint16_t packet_id;
    enum fray_mqtt_reason reason; /* success before 5.0 */
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_subscribe { /* SUBSCRIBE and UNSUBSCRIBE: 3.8, 3.10 */
    uint16_t packet_id;
    uint32_t filter_count;     /* at least 1 when decoded; the encoder ignores it */
    struct fray_slice filters; /* the payload as it is on the wire: see fray_mqtt_filter_next */
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_suback { /* SUBACK and UNSUBACK: 3.9, 3.11 */
    uint16_t packet_id;
    struct fray_slice
        reasons; /* one enum fray_mqtt_reason byte a filter; UNSUBACK before 5.0: none */
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_disconnect { /* DISCONNECT and AUTH: 3.14, 3.15 */
    enum fray_mqtt_reason reason;
    struct fray_mqtt_properties properties;
};

struct fray_mqtt_packet {
    enum fray_mqtt_type type;
    uint32_t size; /* bytes on the wire, fixed header included; the encoder ignores it */
    union {        /* by type; PINGREQ and PINGRESP have none */
        struct fray_mqtt_connect connect;
        struct fray_mqtt_connack connack;
        struct fray_mqtt_publish publish;
        struct fray_mqtt_ack ack;
        struct fray_mqtt_subscribe subscribe;
        struct fray_mqtt_suback suback;
        struct fray_mqtt_disconnect disconnect;
    };
};

/* One topic filter of a SUBSCRIBE with its subscription options (3.8.3.1), or of an UNSUBSCRIBE,
 * where the options are zero. Before 5.0 there is only the QoS. */
struct fray_mqtt_filter {
    struct fray_slice filter; /* with its $share/<group>/ when it is shared */
    uint8_t qos;
    uint8_t retain_handling; /* 0 send retained, 1 only when new, 2 never */
    bool no_local;
    bool retain_as_published;
};

/* "CONNECT" and so on; "RESERVED" for a type outside of the enum. Static storage. */
const char *fray_mqtt_type_name(enum fray_mqtt_type type);

/* "malformed_packet" and so on, for logs and counters; "unknown" outside of the enum. */
const char *fray_mqtt_reason_name(enum fray_mqtt_reason reason);

/* Whether `sender` may put the reason into a packet of this type in MQTT 5.0: the tables
 * of 3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1 and 3.15.2.1. */
bool fray_mqtt_reason_allowed(unsigned reason, enum fray_mqtt_type type,
                              enum fray_mqtt_role sender);

/* The CONNACK return code of 3.1.1 (3.2.2.3) for a reason. False where that version has none: the
 * server then closes without a CONNACK [MQTT-3.2.2-6]. */
bool fray_mqtt_return_code_of(enum fray_mqtt_reason reason, uint8_t *return_code);

/* The reason for a CONNACK return code of 3.1.1; false for the reserved ones. */
bool fray_mqtt_return_code_reason(uint8_t return_code, enum fray_mqtt_reason *reason);

#endif
