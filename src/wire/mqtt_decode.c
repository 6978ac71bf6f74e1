#include "wire/mqtt_decode.h"

#include "wire/mqtt_decode_body.h"
#include "wire/mqtt_topic.h"
#include "wire/utf8.h"

typedef void decode_body(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet);

enum { BY_CLIENT = 1 << FRAY_MQTT_CLIENT, BY_SERVER = 1 << FRAY_MQTT_SERVER };

enum { FLAG_DUP = 8, FLAG_RETAIN = 1, ANY_FLAGS = 0xFF };

bool fray_mqtt_payload_format_valid(const struct fray_mqtt_properties *properties,
                                    struct fray_slice payload)
{
    return !properties->payload_format_indicator || fray_utf8_valid(payload);
}

static void get_publish_properties(struct fray_mqtt_body *body, struct fray_mqtt_publish *publish)
{
    struct fray_mqtt_reader *reader = &body->reader;
    fray_mqtt_get_properties(reader, FRAY_MQTT_PUBLISH, &publish->properties);
    if (body->options->sender == FRAY_MQTT_CLIENT &&
        fray_mqtt_has(&publish->properties, FRAY_MQTT_SUBSCRIPTION_IDENTIFIER))
        fray_mqtt_violation(reader); /* [MQTT-3.3.4-6] */
    if (publish->properties.topic_alias > body->options->topic_alias_maximum)
        fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_TOPIC_ALIAS_INVALID); /* [MQTT-3.3.2-9] */
}

/* 3.3 */
static void get_publish(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_publish *publish = &packet->publish;
    publish->dup = body->flags & FLAG_DUP;
    publish->qos = body->flags >> 1 & 3;
    publish->retain = body->flags & FLAG_RETAIN;
    if (publish->qos == 3 || (publish->dup && publish->qos == 0))
        fray_mqtt_malformed(reader); /* [MQTT-3.3.1-4] [MQTT-3.3.1-2] */

    publish->topic = fray_mqtt_get_string(reader);
    if (publish->topic.len && !fray_mqtt_topic_name_valid(publish->topic))
        fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_TOPIC_NAME_INVALID);
    if (publish->qos) {
        publish->packet_id = fray_mqtt_get_u16(reader);
        if (publish->packet_id == 0)
            fray_mqtt_violation(reader); /* [MQTT-2.2.1-3] */
    }
    if (body->version == FRAY_MQTT_5)
        get_publish_properties(body, publish);
    if (publish->topic.len == 0 && publish->properties.topic_alias == 0)
        fray_mqtt_violation(reader); /* 3.3.2.1; 3.1.1: [MQTT-4.7.3-1] */
    publish->payload = fray_mqtt_get_bytes(reader, fray_mqtt_left(reader));
    if (body->options->check_payload_format && !reader->err &&
        !fray_mqtt_payload_format_valid(&publish->properties, publish->payload))
        fray_mqtt_fail(reader, FRAY_ERR_TYPE, FRAY_MQTT_PAYLOAD_FORMAT_INVALID);
}

static enum fray_mqtt_reason get_reason(struct fray_mqtt_body *body, enum fray_mqtt_type type)
{
    unsigned reason = fray_mqtt_get_u8(&body->reader);
    if (!fray_mqtt_reason_allowed(reason, type, body->options->sender))
        fray_mqtt_violation(&body->reader);
    return (enum fray_mqtt_reason)reason;
}

static uint16_t get_packet_id(struct fray_mqtt_body *body)
{
    uint16_t packet_id = fray_mqtt_get_u16(&body->reader);
    if (packet_id == 0)
        fray_mqtt_violation(&body->reader); /* 2.2.1 */
    return packet_id;
}

/* 3.4 to 3.7: reason and properties may be left off from the end. */
static void get_ack(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_ack *ack = &packet->ack;
    ack->packet_id = get_packet_id(body);
    if (body->version != FRAY_MQTT_5)
        return;
    if (fray_mqtt_left(&body->reader))
        ack->reason = get_reason(body, packet->type);
    if (fray_mqtt_left(&body->reader))
        fray_mqtt_get_properties(&body->reader, packet->type, &ack->properties);
}

/* 3.8.3: one topic filter with its options. */
static void get_filter(struct fray_mqtt_body *body, enum fray_mqtt_type type)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_slice filter = fray_mqtt_get_string(reader);
    if (!fray_mqtt_topic_filter_valid(filter))
        fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_TOPIC_FILTER_INVALID);
    if (type == FRAY_MQTT_UNSUBSCRIBE)
        return;
    unsigned options = fray_mqtt_get_u8(reader);
    if (options & (body->version == FRAY_MQTT_5 ? 0xC0 : 0xFC))
        fray_mqtt_malformed(reader); /* [MQTT-3.8.3-5]; 3.1.1: [MQTT-3.8.3-4] */
    if ((options & 3) == 3 || (options >> 4 & 3) == 3)
        fray_mqtt_violation(reader);
    struct fray_slice group, rest;
    if (options & 4 && fray_mqtt_topic_filter_split(filter, &group, &rest))
        fray_mqtt_violation(reader); /* no local on a shared one: [MQTT-3.8.3-4] */
}

/* 3.8, 3.10 */
static void get_subscribe(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_subscribe *subscribe = &packet->subscribe;
    subscribe->packet_id = get_packet_id(body);
    if (body->version == FRAY_MQTT_5)
        fray_mqtt_get_properties(reader, packet->type, &subscribe->properties);
    if (fray_mqtt_left(reader) == 0)
        fray_mqtt_violation(reader); /* [MQTT-3.8.3-2] [MQTT-3.10.3-2] */
    subscribe->filters = fray_slice(reader->at, fray_mqtt_left(reader));
    while (fray_mqtt_left(reader)) {
        get_filter(body, packet->type);
        subscribe->filter_count++;
    }
}

/* 3.9, 3.11; 3.1.1: 3.9, and 3.11 without payload. */
static void get_suback(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_suback *suback = &packet->suback;
    suback->packet_id = get_packet_id(body);
    if (body->version == FRAY_MQTT_5)
        fray_mqtt_get_properties(reader, packet->type, &suback->properties);
    else if (packet->type == FRAY_MQTT_UNSUBACK)
        return;
    if (fray_mqtt_left(reader) == 0)
        fray_mqtt_violation(reader);
    suback->reasons = fray_mqtt_get_bytes(reader, fray_mqtt_left(reader));
    for (size_t i = 0; i < suback->reasons.len; i++) {
        uint8_t reason = (uint8_t)suback->reasons.data[i];
        bool known = body->version == FRAY_MQTT_5
                         ? fray_mqtt_reason_allowed(reason, packet->type, body->options->sender)
                         : reason <= 2 || reason == FRAY_MQTT_UNSPECIFIED_ERROR;
        if (!known)
            fray_mqtt_violation(reader); /* 3.1.1: [MQTT-3.9.3-2] */
    }
}

static void get_nothing(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    (void)body; /* bytes that are left are refused for every packet */
    (void)packet;
}

/* 3.14.2.2: some properties are one side's only. */
static void check_disconnect(struct fray_mqtt_body *body, const struct fray_mqtt_packet *packet)
{
    enum fray_mqtt_property not_yours = body->options->sender == FRAY_MQTT_CLIENT
                                            ? FRAY_MQTT_SERVER_REFERENCE
                                            : FRAY_MQTT_SESSION_EXPIRY_INTERVAL;
    if (fray_mqtt_has(&packet->disconnect.properties, not_yours))
        fray_mqtt_violation(&body->reader); /* [MQTT-3.14.2-2] */
}

/* 3.14, 3.15: reason and properties may be left off from the end. */
static void get_disconnect(struct fray_mqtt_body *body, struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_reader *reader = &body->reader;
    struct fray_mqtt_disconnect *disconnect = &packet->disconnect;
    if (body->version != FRAY_MQTT_5)
        return;
    if (fray_mqtt_left(reader) == 0) {
        if (!fray_mqtt_reason_allowed(FRAY_MQTT_SUCCESS, packet->type, body->options->sender))
            fray_mqtt_violation(reader); /* success in AUTH is the server's: 3.15.2.1 */
        return;
    }
    disconnect->reason = get_reason(body, packet->type);
    if (fray_mqtt_left(reader))
        fray_mqtt_get_properties(reader, packet->type, &disconnect->properties);
    if (packet->type == FRAY_MQTT_DISCONNECT)
        check_disconnect(body, packet);
    else if (!fray_mqtt_has(&disconnect->properties, FRAY_MQTT_AUTHENTICATION_METHOD))
        fray_mqtt_violation(reader); /* 3.15.2.2.2 */
}

/* 2.1.2, 2.1.3: direction of flow, fixed header flags. */
static const struct row {
    decode_body *get;
    uint8_t senders;
    uint8_t flags;
} rows[16] = {
    [FRAY_MQTT_CONNECT] = {fray_mqtt_get_connect, BY_CLIENT, 0},
    [FRAY_MQTT_CONNACK] = {fray_mqtt_get_connack, BY_SERVER, 0},
    [FRAY_MQTT_PUBLISH] = {get_publish, BY_CLIENT | BY_SERVER, ANY_FLAGS},
    [FRAY_MQTT_PUBACK] = {get_ack, BY_CLIENT | BY_SERVER, 0},
    [FRAY_MQTT_PUBREC] = {get_ack, BY_CLIENT | BY_SERVER, 0},
    [FRAY_MQTT_PUBREL] = {get_ack, BY_CLIENT | BY_SERVER, 2},
    [FRAY_MQTT_PUBCOMP] = {get_ack, BY_CLIENT | BY_SERVER, 0},
    [FRAY_MQTT_SUBSCRIBE] = {get_subscribe, BY_CLIENT, 2},
    [FRAY_MQTT_SUBACK] = {get_suback, BY_SERVER, 0},
    [FRAY_MQTT_UNSUBSCRIBE] = {get_subscribe, BY_CLIENT, 2},
    [FRAY_MQTT_UNSUBACK] = {get_suback, BY_SERVER, 0},
    [FRAY_MQTT_PINGREQ] = {get_nothing, BY_CLIENT, 0},
    [FRAY_MQTT_PINGRESP] = {get_nothing, BY_SERVER, 0},
    [FRAY_MQTT_DISCONNECT] = {get_disconnect, BY_CLIENT | BY_SERVER, 0},
    [FRAY_MQTT_AUTH] = {get_disconnect, BY_CLIENT | BY_SERVER, 0},
};

/* In 3.1 a PUBREL, SUBSCRIBE or UNSUBSCRIBE that is sent again has DUP set (3.1: 2.1). */
static uint8_t ignored_flags(enum fray_mqtt_version version, const struct row *row)
{
    return version == FRAY_MQTT_3_1 && row->flags == 2 ? FLAG_DUP : 0;
}

static enum fray_err check_first_byte(const struct fray_mqtt_decode_options *options, uint8_t first,
                                      enum fray_mqtt_reason *reason)
{
    enum fray_mqtt_type type = first >> 4;
    const struct row *row = &rows[type];
    bool early = options->version == FRAY_MQTT_VERSION_UNKNOWN && type != FRAY_MQTT_CONNECT;
    /* Before 5.0 a server had no DISCONNECT and nobody an AUTH. */
    bool old = options->version != FRAY_MQTT_5 &&
               (type == FRAY_MQTT_AUTH ||
                (type == FRAY_MQTT_DISCONNECT && options->sender == FRAY_MQTT_SERVER));
    uint8_t flags = (uint8_t)(first & 0x0F & ~ignored_flags(options->version, row));
    *reason = FRAY_MQTT_MALFORMED_PACKET;
    if (!row->get || (row->flags != ANY_FLAGS && flags != row->flags))
        return FRAY_ERR_SYNTAX; /* [MQTT-2.1.3-1]; 3.1.1: [MQTT-2.2.2-2] */
    *reason = FRAY_MQTT_PROTOCOL_ERROR;
    if (early || old || !(row->senders >> options->sender & 1))
        return FRAY_ERR_STATE; /* [MQTT-3.1.0-1] */
    return FRAY_OK;
}

struct fixed_header {
    uint32_t remaining;
    uint32_t size;
    bool shortest; /* the length is in its shortest form */
};

/* 2.1.4, 1.5.5 */
static enum fray_err get_remaining_length(struct fray_slice bytes, struct fixed_header *header)
{
    *header = (struct fixed_header){.size = 1};
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (header->size == bytes.len)
            return FRAY_ERR_AGAIN;
        uint8_t byte = (uint8_t)bytes.data[header->size++];
        header->remaining |= (uint32_t)(byte & 0x7F) << shift;
        header->shortest = byte != 0 || shift == 0;
        if (byte < 0x80)
            return FRAY_OK;
    }
    return FRAY_ERR_SYNTAX;
}

static enum fray_err get_body(const struct fray_mqtt_decode_options *options,
                              const struct fixed_header *header, struct fray_slice bytes,
                              struct fray_mqtt_packet *packet, enum fray_mqtt_reason *reason)
{
    const char *start = bytes.data + header->size;
    struct fray_mqtt_body body = {
        .reader = {start, start + header->remaining, FRAY_OK, FRAY_MQTT_SUCCESS},
        .options = options,
        .version = options->version,
        .flags = (uint8_t)bytes.data[0] & 0x0F,
    };
    rows[packet->type].get(&body, packet);
    /* A length in a longer form than needed was no fault before 5.0, and whether a CONNECT is 5.0
     * is known only now. */
    if (body.version == FRAY_MQTT_5 && !header->shortest)
        fray_mqtt_malformed(&body.reader); /* [MQTT-1.5.5-1] */
    if (fray_mqtt_left(&body.reader))
        fray_mqtt_malformed(&body.reader);
    *reason = body.reader.reason;
    return body.reader.err;
}

enum fray_err fray_mqtt_decode(const struct fray_mqtt_decode_options *options,
                               struct fray_slice bytes, struct fray_mqtt_packet *packet,
                               enum fray_mqtt_reason *reason)
{
    *packet = (struct fray_mqtt_packet){0};
    *reason = FRAY_MQTT_SUCCESS;
    if (bytes.len == 0)
        return FRAY_ERR_AGAIN;
    uint8_t first = (uint8_t)bytes.data[0];
    packet->type = first >> 4;
    enum fray_err err = check_first_byte(options, first, reason);
    if (err)
        return err;

    struct fixed_header header;
    err = get_remaining_length(bytes, &header);
    *reason = err == FRAY_ERR_SYNTAX ? FRAY_MQTT_MALFORMED_PACKET : FRAY_MQTT_SUCCESS;
    if (err)
        return err;
    packet->size = header.size + header.remaining;
    if (options->maximum_packet_size && packet->size > options->maximum_packet_size) {
        *reason = FRAY_MQTT_PACKET_TOO_LARGE; /* [MQTT-3.1.2-24] */
        return FRAY_ERR_LIMIT;
    }
    if (bytes.len < packet->size)
        return FRAY_ERR_AGAIN;
    return get_body(options, &header, bytes, packet, reason);
}

bool fray_mqtt_filter_next(struct fray_slice *rest, enum fray_mqtt_type type,
                           struct fray_mqtt_filter *filter)
{
    *filter = (struct fray_mqtt_filter){0};
    if (rest->len == 0)
        return false;
    struct fray_mqtt_reader reader = {rest->data, rest->data + rest->len, FRAY_OK, 0};
    filter->filter = fray_mqtt_get_binary(&reader);
    if (type == FRAY_MQTT_SUBSCRIBE) {
        unsigned options = fray_mqtt_get_u8(&reader);
        filter->qos = options & 3;
        filter->no_local = options & 4;
        filter->retain_as_published = options & 8;
        filter->retain_handling = options >> 4 & 3;
    }
    *rest = fray_slice(reader.at, fray_mqtt_left(&reader));
    return reader.err == FRAY_OK;
}
