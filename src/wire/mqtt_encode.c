#include "wire/mqtt_encode.h"

#include <assert.h>

#include "wire/mqtt_wire.h"

/* A packet that is being written: its body first, its fixed header when the length is known. */
struct encoder {
    struct fray_mqtt_writer writer;
    enum fray_mqtt_version version;
    uint64_t except; /* properties to leave out */
};

enum { FLAGS_RESERVED = 2 }; /* of PUBREL, SUBSCRIBE, UNSUBSCRIBE: 2.1.3 */

static void put_properties(struct encoder *encoder, unsigned place,
                           const struct fray_mqtt_properties *properties)
{
    struct fray_mqtt_property_list list = {properties, place, encoder->except};
    if (encoder->version == FRAY_MQTT_5)
        fray_mqtt_put_properties(&encoder->writer, list);
}

static void put_will(struct encoder *encoder, const struct fray_mqtt_will *will)
{
    put_properties(encoder, FRAY_MQTT_WILL_PROPERTIES, &will->properties);
    fray_mqtt_put_binary(&encoder->writer, will->topic);
    fray_mqtt_put_binary(&encoder->writer, will->payload);
}

static unsigned connect_flags(const struct fray_mqtt_connect *connect)
{
    unsigned flags = connect->clean_start ? 0x02 : 0;
    if (connect->has_will)
        flags |= 0x04u | (unsigned)connect->will.qos << 3 | (connect->will.retain ? 0x20u : 0);
    return flags | (connect->has_password ? 0x40u : 0) | (connect->has_username ? 0x80u : 0);
}

static void put_connect(struct encoder *encoder, const struct fray_mqtt_connect *connect)
{
    struct fray_mqtt_writer *writer = &encoder->writer;
    encoder->version = connect->version;
    fray_mqtt_put_binary(writer, connect->version == FRAY_MQTT_3_1 ? FRAY_SLICE("MQIsdp")
                                                                   : FRAY_SLICE("MQTT"));
    fray_mqtt_put_u8(writer, connect->version);
    fray_mqtt_put_u8(writer, connect_flags(connect));
    fray_mqtt_put_u16(writer, connect->keep_alive_s);
    put_properties(encoder, FRAY_MQTT_CONNECT, &connect->properties);
    fray_mqtt_put_binary(writer, connect->client_id);
    if (connect->has_will)
        put_will(encoder, &connect->will);
    if (connect->has_username)
        fray_mqtt_put_binary(writer, connect->username);
    if (connect->has_password)
        fray_mqtt_put_binary(writer, connect->password);
}

static void put_connack(struct encoder *encoder, const struct fray_mqtt_connack *connack)
{
    uint8_t code = (uint8_t)connack->reason;
    if (encoder->version != FRAY_MQTT_5 && !fray_mqtt_return_code_of(connack->reason, &code))
        encoder->writer.err = FRAY_ERR_UNSUPPORTED;
    bool present = connack->session_present && encoder->version != FRAY_MQTT_3_1;
    fray_mqtt_put_u8(&encoder->writer, present);
    fray_mqtt_put_u8(&encoder->writer, code);
    put_properties(encoder, FRAY_MQTT_CONNACK, &connack->properties);
}

/* A tail of success without properties is left off: 3.4.2.1, 3.14.2.1. */
static void put_reason(struct encoder *encoder, enum fray_mqtt_type type,
                       enum fray_mqtt_reason reason, const struct fray_mqtt_properties *properties)
{
    struct fray_mqtt_property_list list = {properties, type, encoder->except};
    bool empty = fray_mqtt_properties_size(list) == 0;
    if (encoder->version != FRAY_MQTT_5 || (empty && reason == FRAY_MQTT_SUCCESS))
        return;
    fray_mqtt_put_u8(&encoder->writer, reason);
    if (!empty)
        fray_mqtt_put_properties(&encoder->writer, list);
}

/* Before 5.0 there is one failure (3.1.1: 3.9.3), and UNSUBACK has no payload (3.1.1: 3.11). */
static void put_suback(struct encoder *encoder, enum fray_mqtt_type type,
                       const struct fray_mqtt_suback *suback)
{
    struct fray_mqtt_writer *writer = &encoder->writer;
    fray_mqtt_put_u16(writer, suback->packet_id);
    put_properties(encoder, type, &suback->properties);
    if (encoder->version == FRAY_MQTT_5)
        fray_mqtt_put_bytes(writer, suback->reasons);
    else if (type == FRAY_MQTT_SUBACK) {
        for (size_t i = 0; i < suback->reasons.len; i++) {
            uint8_t reason = (uint8_t)suback->reasons.data[i];
            fray_mqtt_put_u8(writer, reason < 0x80 ? reason : FRAY_MQTT_UNSPECIFIED_ERROR);
        }
    }
}

static void put_subscribe(struct encoder *encoder, enum fray_mqtt_type type,
                          const struct fray_mqtt_subscribe *subscribe)
{
    fray_mqtt_put_u16(&encoder->writer, subscribe->packet_id);
    put_properties(encoder, type, &subscribe->properties);
    fray_mqtt_put_bytes(&encoder->writer, subscribe->filters);
}

static void put_publish(struct encoder *encoder, const struct fray_mqtt_publish *publish)
{
    fray_mqtt_put_binary(&encoder->writer, publish->topic);
    if (publish->qos)
        fray_mqtt_put_u16(&encoder->writer, publish->packet_id);
    put_properties(encoder, FRAY_MQTT_PUBLISH, &publish->properties);
    fray_mqtt_put_bytes(&encoder->writer, publish->payload);
}

static void put_body(struct encoder *encoder, const struct fray_mqtt_packet *packet)
{
    switch (packet->type) {
    case FRAY_MQTT_CONNECT: put_connect(encoder, &packet->connect); break;
    case FRAY_MQTT_CONNACK: put_connack(encoder, &packet->connack); break;
    case FRAY_MQTT_PUBLISH: put_publish(encoder, &packet->publish); break;
    case FRAY_MQTT_PUBACK:
    case FRAY_MQTT_PUBREC:
    case FRAY_MQTT_PUBREL:
    case FRAY_MQTT_PUBCOMP:
        fray_mqtt_put_u16(&encoder->writer, packet->ack.packet_id);
        put_reason(encoder, packet->type, packet->ack.reason, &packet->ack.properties);
        break;
    case FRAY_MQTT_SUBSCRIBE:
    case FRAY_MQTT_UNSUBSCRIBE: put_subscribe(encoder, packet->type, &packet->subscribe); break;
    case FRAY_MQTT_SUBACK:
    case FRAY_MQTT_UNSUBACK: put_suback(encoder, packet->type, &packet->suback); break;
    case FRAY_MQTT_PINGREQ:
    case FRAY_MQTT_PINGRESP: break;
    case FRAY_MQTT_DISCONNECT:
    case FRAY_MQTT_AUTH:
        if (encoder->version != FRAY_MQTT_5 && packet->type == FRAY_MQTT_AUTH)
            encoder->writer.err = FRAY_ERR_UNSUPPORTED;
        put_reason(encoder, packet->type, packet->disconnect.reason,
                   &packet->disconnect.properties);
        break;
    }
}

static unsigned first_byte(const struct fray_mqtt_packet *packet)
{
    unsigned flags = 0;
    if (packet->type == FRAY_MQTT_PUBLISH)
        flags = (packet->publish.dup ? 8u : 0) | (unsigned)packet->publish.qos << 1 |
                (packet->publish.retain ? 1u : 0);
    else if (packet->type == FRAY_MQTT_PUBREL || packet->type == FRAY_MQTT_SUBSCRIBE ||
             packet->type == FRAY_MQTT_UNSUBSCRIBE)
        flags = FLAGS_RESERVED;
    return (unsigned)packet->type << 4 | flags;
}

/* Puts the fixed header into the room left for it and closes the gap. */
static void put_fixed_header(struct fray_buf *buf, size_t start, unsigned first)
{
    char *packet = buf->data + start;
    size_t remaining = buf->len - start - FRAY_MQTT_FIXED_HEADER_MAX;
    size_t size = 1 + fray_mqtt_varint_size(remaining);
    memmove(packet + size, packet + FRAY_MQTT_FIXED_HEADER_MAX, remaining);
    buf->len = start;
    struct fray_mqtt_writer writer = {buf, FRAY_OK};
    fray_mqtt_put_u8(&writer, first);
    fray_mqtt_put_varint(&writer, (uint32_t)remaining);
    buf->len += remaining;
}

static enum fray_err encode(struct fray_buf *buf, const struct fray_mqtt_encode_options *options,
                            const struct fray_mqtt_packet *packet, uint64_t except)
{
    size_t start = buf->len;
    fray_buf_reserve(buf, FRAY_MQTT_FIXED_HEADER_MAX);
    buf->len += FRAY_MQTT_FIXED_HEADER_MAX;
    struct encoder encoder = {{buf, FRAY_OK}, options->version, except};
    put_body(&encoder, packet);
    enum fray_err err = encoder.writer.err;
    size_t remaining = buf->len - start - FRAY_MQTT_FIXED_HEADER_MAX;
    if (!err && remaining > FRAY_MQTT_REMAINING_LENGTH_MAX)
        err = FRAY_ERR_LIMIT;
    if (!err)
        put_fixed_header(buf, start, first_byte(packet));
    if (!err && options->maximum_packet_size && buf->len - start > options->maximum_packet_size)
        err = FRAY_ERR_LIMIT;
    if (err)
        buf->len = start;
    return err;
}

enum fray_err fray_mqtt_encode(struct fray_buf *buf, const struct fray_mqtt_encode_options *options,
                               const struct fray_mqtt_packet *packet)
{
    const uint64_t problem = FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_REASON_STRING) |
                             FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_USER_PROPERTY);
    enum fray_mqtt_type type = packet->type;
    bool always =
        type == FRAY_MQTT_PUBLISH || type == FRAY_MQTT_CONNACK || type == FRAY_MQTT_DISCONNECT;
    uint64_t except = options->omit_problem_information && !always ? problem : 0;
    enum fray_err err = encode(buf, options, packet, except);
    bool can_shrink = type != FRAY_MQTT_PUBLISH && type != FRAY_MQTT_CONNECT &&
                      type != FRAY_MQTT_SUBSCRIBE && type != FRAY_MQTT_UNSUBSCRIBE;
    if (err == FRAY_ERR_LIMIT && can_shrink && !except)
        err = encode(buf, options, packet, problem);
    return err;
}

void fray_mqtt_encode_ack(struct fray_buf *buf, enum fray_mqtt_version version,
                          enum fray_mqtt_type type, uint16_t packet_id,
                          enum fray_mqtt_reason reason)
{
    bool has_reason = version == FRAY_MQTT_5 && reason != FRAY_MQTT_SUCCESS;
    const char bytes[5] = {(char)(type << 4 | (type == FRAY_MQTT_PUBREL ? FLAGS_RESERVED : 0)),
                           has_reason ? 3 : 2, (char)(packet_id >> 8), (char)(packet_id & 0xFF),
                           (char)reason};
    fray_buf_append(buf, bytes, has_reason ? 5 : 4);
}

void fray_mqtt_encode_ping(struct fray_buf *buf, enum fray_mqtt_type type)
{
    assert(type == FRAY_MQTT_PINGREQ || type == FRAY_MQTT_PINGRESP);
    const char bytes[2] = {(char)(type << 4), 0};
    fray_buf_append(buf, bytes, sizeof bytes);
}

enum fray_err fray_mqtt_filter_append(struct fray_buf *filters, enum fray_mqtt_version version,
                                      enum fray_mqtt_type type,
                                      const struct fray_mqtt_filter *filter)
{
    struct fray_mqtt_writer writer = {filters, FRAY_OK};
    fray_mqtt_put_binary(&writer, filter->filter);
    unsigned options = filter->qos;
    if (version == FRAY_MQTT_5)
        options |= (filter->no_local ? 4u : 0) | (filter->retain_as_published ? 8u : 0) |
                   (unsigned)filter->retain_handling << 4;
    if (type == FRAY_MQTT_SUBSCRIBE)
        fray_mqtt_put_u8(&writer, options);
    return writer.err;
}
