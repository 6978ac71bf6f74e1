/* CONNECT and CONNACK (3.1, 3.2).
 *
 *   CONNECT   protocol name 2+n | level 1 | flags 1 | keep alive 2 | [5.0: properties] |
 *             client id 2+n | [will: [5.0: properties] topic 2+n, payload 2+n] |
 *             [user name 2+n] | [password 2+n]
 *   flags     7 user name | 6 password | 5 will retain | 4..3 will QoS | 2 will | 1 clean | 0 */
#include "wire/mqtt_decode_body.h"
#include "wire/mqtt_topic.h"

enum {
    FLAG_RESERVED = 0x01,
    FLAG_CLEAN_START = 0x02,
    FLAG_WILL = 0x04,
    FLAG_WILL_RETAIN = 0x20,
    FLAG_PASSWORD = 0x40,
    FLAG_USERNAME = 0x80,
};

/* 3.1.2.1, 3.1.2.2. An unknown level is left at the nearest version that can be answered in: a
 * level above 5 at 5.0, one below 3 at 3.1.1. */
static void get_version(struct fray_mqtt_body *body, struct fray_mqtt_connect *connect)
{
    struct fray_slice name = fray_mqtt_get_string(&body->reader);
    uint8_t level = fray_mqtt_get_u8(&body->reader);
    if (body->reader.err)
        return;
    bool is_3_1 = fray_slice_equal(name, FRAY_SLICE("MQIsdp")) && level == 3;
    bool is_newer = fray_slice_equal(name, FRAY_SLICE("MQTT")) && (level == 4 || level == 5);
    connect->version = level > 5 ? FRAY_MQTT_5 : level < 3 ? FRAY_MQTT_3_1_1 : level;
    body->version = connect->version;
    if (!is_3_1 && !is_newer)
        fray_mqtt_fail(&body->reader, FRAY_ERR_UNSUPPORTED, FRAY_MQTT_UNSUPPORTED_PROTOCOL_VERSION);
}

static void get_flags(struct fray_mqtt_body *body, struct fray_mqtt_connect *connect)
{
    uint8_t flags = fray_mqtt_get_u8(&body->reader);
    connect->clean_start = flags & FLAG_CLEAN_START;
    connect->has_will = flags & FLAG_WILL;
    connect->has_username = flags & FLAG_USERNAME;
    connect->has_password = flags & FLAG_PASSWORD;
    connect->will.qos = flags >> 3 & 3;
    connect->will.retain = flags & FLAG_WILL_RETAIN;
    /* [MQTT-3.1.2-3] asks for zero; 3.1 says that the bit is not used. */
    bool reserved = flags & FLAG_RESERVED && body->version != FRAY_MQTT_3_1;
    /* [MQTT-3.1.2-11] to [MQTT-3.1.2-14] */
    bool will = connect->will.qos == 3 ||
                (!connect->has_will && (connect->will.qos || connect->will.retain));
    /* 3.1.1: [MQTT-3.1.2-22]; 5.0 allows it. */
    bool password = connect->has_password && !connect->has_username && body->version != FRAY_MQTT_5;
    if (reserved || will || password)
        fray_mqtt_malformed(&body->reader);
}

static void get_properties(struct fray_mqtt_body *body, struct fray_mqtt_connect *connect)
{
    if (body->version != FRAY_MQTT_5)
        return;
    fray_mqtt_get_properties(&body->reader, FRAY_MQTT_CONNECT, &connect->properties);
    if (fray_mqtt_has(&connect->properties, FRAY_MQTT_AUTHENTICATION_DATA) &&
        !fray_mqtt_has(&connect->properties, FRAY_MQTT_AUTHENTICATION_METHOD))
        fray_mqtt_violation(&body->reader); /* 3.1.2.11.10 */
}

static void get_will(struct fray_mqtt_body *body, struct fray_mqtt_will *will)
{
    struct fray_mqtt_reader *reader = &body->reader;
    if (body->version == FRAY_MQTT_5)
        fray_mqtt_get_properties(reader, FRAY_MQTT_WILL_PROPERTIES, &will->properties);
    will->topic = fray_mqtt_get_string(reader);
    if (!reader->err && !fray_mqtt_topic_name_valid(will->topic))
        fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_TOPIC_NAME_INVALID);
    will->payload = fray_mqtt_get_binary(reader);
}

/* 3.1 lets a client set the flag and leave the field out (3.1: 3.1, "User name and password
 * flags"). */
static bool left_out(const struct fray_mqtt_body *body)
{
    return body->version == FRAY_MQTT_3_1 && fray_mqtt_left(&body->reader) == 0;
}

static void get_credentials(struct fray_mqtt_body *body, struct fray_mqtt_connect *connect)
{
    if (connect->has_username)
        connect->has_username = !left_out(body);
    if (connect->has_username)
        connect->username = fray_mqtt_get_string(&body->reader);
    if (connect->has_password)
        connect->has_password = !left_out(body);
    if (connect->has_password)
        connect->password = fray_mqtt_get_binary(&body->reader);
}

/* An empty client identifier asks the server for one; before 5.0 only together with a clean session
 * (3.1.1: [MQTT-3.1.3-7]), and never in 3.1. A server may take more than 23 characters
 * ([MQTT-3.1.3-5] and below), which ours does in 3.1, too. */
static bool client_id_valid(const struct fray_mqtt_connect *connect)
{
    if (connect->client_id.len || connect->version == FRAY_MQTT_5)
        return true;
    return connect->version == FRAY_MQTT_3_1_1 && connect->clean_start;
}

void fray_mqtt_get_connect(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_connect *connect = &packet->connect;
    get_version(body, connect);
    get_flags(body, connect);
    connect->keep_alive_s = fray_mqtt_get_u16(reader);
    get_properties(body, connect);
    connect->client_id = fray_mqtt_get_string(reader);
    if (connect->has_will)
        get_will(body, &connect->will);
    get_credentials(body, connect);
    if (fray_mqtt_left(reader))
        fray_mqtt_malformed(reader);
    if (!reader->err && !client_id_valid(connect))
        fray_mqtt_fail(reader, FRAY_ERR_TYPE, FRAY_MQTT_CLIENT_IDENTIFIER_NOT_VALID);
    if (!reader->err && body->options->check_payload_format &&
        !fray_mqtt_payload_format_valid(&connect->will.properties, connect->will.payload))
        fray_mqtt_fail(reader, FRAY_ERR_TYPE, FRAY_MQTT_PAYLOAD_FORMAT_INVALID);
}

/* 3.2: acknowledge flags 1 | reason 1 | [5.0: properties] */
void fray_mqtt_get_connack(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_connack *connack = &packet->connack;
    uint8_t flags = fray_mqtt_get_u8(reader);
    uint8_t reason = fray_mqtt_get_u8(reader);
    if (flags > 1 && body->version != FRAY_MQTT_3_1)
        fray_mqtt_malformed(reader); /* [MQTT-3.2.2-1] */
    connack->session_present = flags & 1 && body->version != FRAY_MQTT_3_1;
    connack->reason = reason;
    bool known = body->version == FRAY_MQTT_5
                     ? fray_mqtt_reason_allowed(reason, FRAY_MQTT_CONNACK, FRAY_MQTT_SERVER)
                     : fray_mqtt_return_code_reason(reason, &connack->reason);
    if (!known || (connack->session_present && connack->reason))
        fray_mqtt_violation(reader); /* [MQTT-3.2.2-6] */
    if (body->version == FRAY_MQTT_5)
        fray_mqtt_get_properties(reader, FRAY_MQTT_CONNACK, &connack->properties);
}
