#include "wire/mqtt.h"

const char *fray_mqtt_type_name(enum fray_mqtt_type type)
{
    static const char *const names[] = {"RESERVED",  "CONNECT",  "CONNACK",     "PUBLISH",
                                        "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                        "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                        "PINGREQ",   "PINGRESP", "DISCONNECT",  "AUTH"};
    return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : names[0];
}

/* Where a reason may stand: a bit for each packet type, and two for who may send it in DISCONNECT.
 */
enum {
    CONNACK = 1 << FRAY_MQTT_CONNACK,
    PUBACK = 1 << FRAY_MQTT_PUBACK | 1 << FRAY_MQTT_PUBREC,
    PUBREL = 1 << FRAY_MQTT_PUBREL | 1 << FRAY_MQTT_PUBCOMP,
    SUBACK = 1 << FRAY_MQTT_SUBACK,
    UNSUBACK = 1 << FRAY_MQTT_UNSUBACK,
    AUTH = 1 << FRAY_MQTT_AUTH,
    DISCONNECT = 1 << FRAY_MQTT_DISCONNECT,
    CLIENT_ONLY = 1 << 16,
    SERVER_ONLY = 1 << 17,
    BY_CLIENT = DISCONNECT | CLIENT_ONLY,
    BY_SERVER = DISCONNECT | SERVER_ONLY,
};

static const struct {
    uint8_t reason;
    uint32_t allowed;
    const char *name;
} reasons[] = {
    {0x00, CONNACK | PUBACK | PUBREL | SUBACK | UNSUBACK | AUTH | DISCONNECT, "success"},
    {0x01, SUBACK, "granted_qos_1"},
    {0x02, SUBACK, "granted_qos_2"},
    {0x04, BY_CLIENT, "disconnect_with_will"},
    {0x10, PUBACK, "no_matching_subscribers"},
    {0x11, UNSUBACK, "no_subscription_existed"},
    {0x18, AUTH, "continue_authentication"},
    {0x19, AUTH | CLIENT_ONLY, "reauthenticate"},
    {0x80, CONNACK | PUBACK | SUBACK | UNSUBACK | DISCONNECT, "unspecified_error"},
    {0x81, CONNACK | DISCONNECT, "malformed_packet"},
    {0x82, CONNACK | DISCONNECT, "protocol_error"},
    {0x83, CONNACK | PUBACK | SUBACK | UNSUBACK | DISCONNECT, "implementation_specific_error"},
    {0x84, CONNACK, "unsupported_protocol_version"},
    {0x85, CONNACK, "client_identifier_not_valid"},
    {0x86, CONNACK, "bad_user_name_or_password"},
    {0x87, CONNACK | PUBACK | SUBACK | UNSUBACK | BY_SERVER, "not_authorized"},
    {0x88, CONNACK, "server_unavailable"},
    {0x89, CONNACK | BY_SERVER, "server_busy"},
    {0x8A, CONNACK, "banned"},
    {0x8B, BY_SERVER, "server_shutting_down"},
    {0x8C, CONNACK | DISCONNECT, "bad_authentication_method"},
    {0x8D, BY_SERVER, "keep_alive_timeout"},
    {0x8E, BY_SERVER, "session_taken_over"},
    {0x8F, SUBACK | UNSUBACK | BY_SERVER, "topic_filter_invalid"},
    {0x90, CONNACK | PUBACK | DISCONNECT, "topic_name_invalid"},
    {0x91, PUBACK | SUBACK | UNSUBACK, "packet_identifier_in_use"},
    {0x92, PUBREL, "packet_identifier_not_found"},
    {0x93, DISCONNECT, "receive_maximum_exceeded"},
    {0x94, DISCONNECT, "topic_alias_invalid"},
    {0x95, CONNACK | DISCONNECT, "packet_too_large"},
    {0x96, DISCONNECT, "message_rate_too_high"},
    {0x97, CONNACK | PUBACK | SUBACK | DISCONNECT, "quota_exceeded"},
    {0x98, DISCONNECT, "administrative_action"},
    {0x99, CONNACK | PUBACK | DISCONNECT, "payload_format_invalid"},
    {0x9A, CONNACK | BY_SERVER, "retain_not_supported"},
    {0x9B, CONNACK | BY_SERVER, "qos_not_supported"},
    {0x9C, CONNACK | BY_SERVER, "use_another_server"},
    {0x9D, CONNACK | BY_SERVER, "server_moved"},
    {0x9E, SUBACK | BY_SERVER, "shared_subscriptions_not_supported"},
    {0x9F, CONNACK | BY_SERVER, "connection_rate_exceeded"},
    {0xA0, BY_SERVER, "maximum_connect_time"},
    {0xA1, SUBACK | BY_SERVER, "subscription_identifiers_not_supported"},
    {0xA2, SUBACK | BY_SERVER, "wildcard_subscriptions_not_supported"},
};

enum { REASON_COUNT = sizeof reasons / sizeof reasons[0] };

const char *fray_mqtt_reason_name(enum fray_mqtt_reason reason)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (reasons[i].reason == reason)
            return reasons[i].name;
    }
    return "unknown";
}

bool fray_mqtt_reason_allowed(unsigned reason, enum fray_mqtt_type type, enum fray_mqtt_role sender)
{
    if (type == FRAY_MQTT_AUTH && reason == FRAY_MQTT_SUCCESS)
        return sender == FRAY_MQTT_SERVER;
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (reasons[i].reason != reason)
            continue;
        uint32_t wrong = sender == FRAY_MQTT_CLIENT ? SERVER_ONLY : CLIENT_ONLY;
        /* The roles bind DISCONNECT and AUTH only: a reason that a server alone may close with is
         * also a client's to put into PUBACK. */
        bool by_role = type == FRAY_MQTT_DISCONNECT || type == FRAY_MQTT_AUTH;
        return (reasons[i].allowed >> type & 1) && !(by_role && reasons[i].allowed & wrong);
    }
    return false;
}

/* 3.1.1: table 3.1. Return code = index + 1. */
static const uint8_t return_codes[] = {
    FRAY_MQTT_UNSUPPORTED_PROTOCOL_VERSION, FRAY_MQTT_CLIENT_IDENTIFIER_NOT_VALID,
    FRAY_MQTT_SERVER_UNAVAILABLE, FRAY_MQTT_BAD_USER_NAME_OR_PASSWORD, FRAY_MQTT_NOT_AUTHORIZED};

bool fray_mqtt_return_code_of(enum fray_mqtt_reason reason, uint8_t *return_code)
{
    *return_code = 0;
    if (reason == FRAY_MQTT_SERVER_BUSY) /* it has one word for both */
        reason = FRAY_MQTT_SERVER_UNAVAILABLE;
    if (reason == FRAY_MQTT_SUCCESS)
        return true;
    for (size_t i = 0; i < sizeof return_codes; i++) {
        if (return_codes[i] == reason) {
            *return_code = (uint8_t)(i + 1);
            return true;
        }
    }
    return false;
}

bool fray_mqtt_return_code_reason(uint8_t return_code, enum fray_mqtt_reason *reason)
{
    if (return_code > sizeof return_codes)
        return false;
    *reason = return_code ? return_codes[return_code - 1] : FRAY_MQTT_SUCCESS;
    return true;
}
