/* The MQTT decoder, and what it accepts through the encoder and back.
 *
 * The first byte chooses the reader: bits 0..1 the connection's version, bit 2 the sender, bit 3
 * whether payload formats are checked. The rest is a stream of packets. */
#include <assert.h>

#include "wire/mqtt_decode.h"
#include "wire/mqtt_encode.h"
#include "wire/mqtt_publish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct fray_mqtt_packet *packet)
{
    struct fray_slice rest = {0}, name, value;
    if (packet->type == FRAY_MQTT_SUBSCRIBE || packet->type == FRAY_MQTT_UNSUBSCRIBE) {
        struct fray_mqtt_filter filter;
        uint32_t count = 0;
        rest = packet->subscribe.filters;
        while (fray_mqtt_filter_next(&rest, packet->type, &filter))
            count++;
        assert(count == packet->subscribe.filter_count && count > 0);
        rest = packet->subscribe.properties.repeated;
    } else if (packet->type == FRAY_MQTT_PUBLISH) {
        rest = packet->publish.properties.repeated;
    }
    struct fray_slice again = rest;
    while (fray_mqtt_user_property_next(&rest, &name, &value))
        assert(name.len <= FRAY_MQTT_STRING_MAX && value.len <= FRAY_MQTT_STRING_MAX);
    uint32_t identifier;
    while (fray_mqtt_subscription_identifier_next(&again, &identifier))
        assert(identifier > 0);
}

/* A decoded PUBLISH, forwarded: the head states the packet's length rightly. */
static void forward(const struct fray_mqtt_publish *publish, enum fray_mqtt_version version)
{
    struct fray_buf shared = {0}, packet = {0};
    struct fray_mqtt_message message;
    struct fray_mqtt_publish named = *publish;
    if (named.topic.len == 0)
        named.topic = FRAY_SLICE("known/by/alias");
    enum fray_err err = fray_mqtt_message_encode(&shared, &named, &message);
    assert(err == FRAY_OK);
    struct fray_mqtt_delivery delivery = {
        .version = version, .qos = publish->qos, .packet_id = publish->packet_id};
    struct fray_mqtt_head head;
    err = fray_mqtt_head_encode(&packet, shared.data, &message, &delivery, &head);
    assert(err == FRAY_OK);
    fray_buf_append_slice(&packet, head.tail);
    struct fray_mqtt_decode_options options = {.version = version, .sender = FRAY_MQTT_SERVER};
    struct fray_mqtt_packet decoded;
    enum fray_mqtt_reason reason;
    err = fray_mqtt_decode(&options, fray_buf_slice(&packet), &decoded, &reason);
    assert(err == FRAY_OK && decoded.size == packet.len);
    assert(fray_slice_equal(decoded.publish.payload, publish->payload));
    fray_buf_deinit(&shared);
    fray_buf_deinit(&packet);
}

/* What was decoded encodes to something that decodes to the same encoding. */
static void round_trip(const struct fray_mqtt_decode_options *decoder,
                       const struct fray_mqtt_packet *packet)
{
    struct fray_mqtt_encode_options encoder = {.version = decoder->version};
    struct fray_buf first = {0}, second = {0};
    enum fray_err err = fray_mqtt_encode(&first, &encoder, packet);
    assert(err == FRAY_OK);
    struct fray_mqtt_packet decoded;
    enum fray_mqtt_reason reason;
    err = fray_mqtt_decode(decoder, fray_buf_slice(&first), &decoded, &reason);
    assert(err == FRAY_OK && decoded.size == first.len && decoded.type == packet->type);
    err = fray_mqtt_encode(&second, &encoder, &decoded);
    assert(err == FRAY_OK);
    assert(fray_slice_equal(fray_buf_slice(&first), fray_buf_slice(&second)));
    fray_buf_deinit(&first);
    fray_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum fray_mqtt_version versions[] = {FRAY_MQTT_VERSION_UNKNOWN, FRAY_MQTT_3_1,
                                                      FRAY_MQTT_3_1_1, FRAY_MQTT_5};
    if (size == 0)
        return 0;
    struct fray_mqtt_decode_options options = {
        .version = versions[data[0] & 3],
        .sender = data[0] & 4 ? FRAY_MQTT_SERVER : FRAY_MQTT_CLIENT,
        .topic_alias_maximum = 16,
        .check_payload_format = data[0] & 8,
    };
    struct fray_slice stream = fray_slice(data + 1, size - 1);
    while (stream.len) {
        struct fray_mqtt_packet packet;
        enum fray_mqtt_reason reason;
        enum fray_err err = fray_mqtt_decode(&options, stream, &packet, &reason);
        assert((err == FRAY_OK || err == FRAY_ERR_AGAIN) == (reason == FRAY_MQTT_SUCCESS));
        assert(err != FRAY_ERR_AGAIN || packet.size == 0 || packet.size > stream.len);
        if (err)
            break;
        assert(packet.size >= 2 && packet.size <= stream.len);
        walk(&packet);
        round_trip(&options, &packet);
        if (packet.type == FRAY_MQTT_PUBLISH)
            forward(&packet.publish, options.version);
        if (packet.type == FRAY_MQTT_CONNECT)
            options.version = packet.connect.version;
        stream = fray_slice_skip(stream, packet.size);
    }
    return 0;
}
