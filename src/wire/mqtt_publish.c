#include "wire/mqtt_publish.h"

#include "wire/mqtt_wire.h"

enum { FLAG_DUP = 8, FLAG_RETAIN = 1 };

enum fray_err fray_mqtt_message_encode(struct fray_buf *buf,
                                       const struct fray_mqtt_publish *publish,
                                       struct fray_mqtt_message *message)
{
    struct fray_mqtt_property_list list = {
        &publish->properties, FRAY_MQTT_PUBLISH,
        FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL) |
            FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_TOPIC_ALIAS) |
            FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_SUBSCRIPTION_IDENTIFIER)};
    size_t start = buf->len;
    size_t properties = fray_mqtt_properties_size(list);
    if (publish->topic.len > FRAY_MQTT_STRING_MAX ||
        publish->payload.len > FRAY_MQTT_REMAINING_LENGTH_MAX ||
        properties > FRAY_MQTT_REMAINING_LENGTH_MAX)
        return FRAY_ERR_LIMIT;
    fray_buf_reserve(buf, publish->topic.len + properties + publish->payload.len);
    struct fray_mqtt_writer writer = {buf, FRAY_OK};
    fray_mqtt_put_bytes(&writer, publish->topic);
    fray_mqtt_put_property_run(&writer, list);
    fray_mqtt_put_bytes(&writer, publish->payload);
    if (writer.err) {
        buf->len = start;
        return writer.err;
    }
    *message = (struct fray_mqtt_message){(uint32_t)publish->topic.len, (uint32_t)properties,
                                          (uint32_t)publish->payload.len};
    return FRAY_OK;
}

void fray_mqtt_message_properties(const char *bytes, const struct fray_mqtt_message *message,
                                  struct fray_mqtt_properties *properties)
{
    const char *at = bytes + message->topic_len;
    struct fray_mqtt_reader reader = {at, at + message->properties_len, FRAY_OK, FRAY_MQTT_SUCCESS};
    *properties = (struct fray_mqtt_properties){0};
    fray_mqtt_get_property_run(&reader, message->properties_len, FRAY_MQTT_PUBLISH, properties);
    if (reader.err)
        *properties = (struct fray_mqtt_properties){0};
}

/* The lengths that the wire states. */
struct sizes {
    size_t own_properties; /* of this delivery */
    size_t properties;     /* with the shared ones */
    size_t remaining;
};

static struct sizes measure(const struct fray_mqtt_message *message,
                            const struct fray_mqtt_delivery *delivery)
{
    bool omit = delivery->version == FRAY_MQTT_5 && delivery->omit_topic;
    struct sizes sizes = {0};
    sizes.remaining = 2 + (omit ? 0 : message->topic_len) + (delivery->qos ? 2 : 0);
    sizes.remaining += message->payload_len;
    if (delivery->version != FRAY_MQTT_5)
        return sizes;
    sizes.own_properties = (delivery->has_expiry ? 5 : 0) + (delivery->topic_alias ? 3 : 0);
    for (size_t i = 0; i < delivery->subscription_identifier_count; i++)
        sizes.own_properties += 1 + fray_mqtt_varint_size(delivery->subscription_identifiers[i]);
    sizes.properties = sizes.own_properties + message->properties_len;
    sizes.remaining += fray_mqtt_varint_size(sizes.properties) + sizes.properties;
    return sizes;
}

size_t fray_mqtt_delivery_size(const struct fray_mqtt_message *message,
                               const struct fray_mqtt_delivery *delivery)
{
    size_t remaining = measure(message, delivery).remaining;
    return 1 + fray_mqtt_varint_size(remaining) + remaining;
}

static unsigned first_byte(const struct fray_mqtt_delivery *delivery)
{
    return (unsigned)FRAY_MQTT_PUBLISH << 4 | (delivery->dup ? FLAG_DUP : 0u) |
           (unsigned)delivery->qos << 1 | (delivery->retain ? FLAG_RETAIN : 0u);
}

static void put_own_properties(struct fray_mqtt_writer *writer,
                               const struct fray_mqtt_delivery *delivery)
{
    if (delivery->has_expiry) {
        fray_mqtt_put_u8(writer, FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL);
        fray_mqtt_put_u32(writer, delivery->expiry_s);
    }
    if (delivery->topic_alias) {
        fray_mqtt_put_u8(writer, FRAY_MQTT_TOPIC_ALIAS);
        fray_mqtt_put_u16(writer, delivery->topic_alias);
    }
    for (size_t i = 0; i < delivery->subscription_identifier_count; i++) {
        fray_mqtt_put_u8(writer, FRAY_MQTT_SUBSCRIPTION_IDENTIFIER);
        fray_mqtt_put_varint(writer, delivery->subscription_identifiers[i]);
    }
}

enum fray_err fray_mqtt_head_encode(struct fray_buf *buf, const char *bytes,
                                    const struct fray_mqtt_message *message,
                                    const struct fray_mqtt_delivery *delivery,
                                    struct fray_mqtt_head *head)
{
    struct sizes sizes = measure(message, delivery);
    if (sizes.remaining > FRAY_MQTT_REMAINING_LENGTH_MAX)
        return FRAY_ERR_LIMIT;
    bool is_5 = delivery->version == FRAY_MQTT_5;
    struct fray_slice topic =
        fray_slice(bytes, is_5 && delivery->omit_topic ? 0 : message->topic_len);
    struct fray_slice tail = fray_slice(bytes + message->topic_len,
                                        message->properties_len + (size_t)message->payload_len);
    head->tail = is_5 ? tail : fray_slice_skip(tail, message->properties_len);

    size_t start = buf->len;
    struct fray_mqtt_writer writer = {buf, FRAY_OK};
    fray_mqtt_put_u8(&writer, first_byte(delivery));
    fray_mqtt_put_varint(&writer, (uint32_t)sizes.remaining);
    fray_mqtt_put_binary(&writer, topic);
    head->packet_id_offset = delivery->qos ? buf->len - start : 0;
    if (delivery->qos)
        fray_mqtt_put_u16(&writer, delivery->packet_id);
    if (is_5) {
        fray_mqtt_put_varint(&writer, (uint32_t)sizes.properties);
        put_own_properties(&writer, delivery);
    }
    head->size = buf->len - start;
    return FRAY_OK;
}

void fray_mqtt_packet_patch(char *packet, size_t packet_id_offset,
                            const struct fray_mqtt_delivery *delivery)
{
    packet[0] = (char)first_byte(delivery);
    if (packet_id_offset) {
        packet[packet_id_offset] = (char)(delivery->packet_id >> 8);
        packet[packet_id_offset + 1] = (char)(delivery->packet_id & 0xFF);
    }
}
