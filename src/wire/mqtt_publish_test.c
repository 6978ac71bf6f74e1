#include "wire/mqtt_publish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/mqtt_encode.h"

/* A message with everything, some of which is not the message's but the publisher's affair. */
static struct fray_mqtt_publish publish_of(struct fray_buf *repeated)
{
    fray_mqtt_user_property_append(repeated, FRAY_SLICE("k"), FRAY_SLICE("v"));
    return (struct fray_mqtt_publish){
        .topic = FRAY_SLICE("game/7/state"),
        .payload = FRAY_SLICE("{\"x\":1}"),
        .properties = {.present = FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_CONTENT_TYPE) |
                                  FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL) |
                                  FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_TOPIC_ALIAS) |
                                  FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_USER_PROPERTY),
                       .repeated = fray_buf_slice(repeated),
                       .content_type = FRAY_SLICE("json"),
                       .message_expiry_interval = 60,
                       .topic_alias = 3}};
}

/* What the general encoder makes of the same delivery; the property order differs, so the decoded
 * packets are compared by their lengths and by what subscribers look at. */
static struct fray_buf expected_of(const struct fray_mqtt_publish *publish,
                                   const struct fray_mqtt_delivery *delivery)
{
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH, .publish = *publish};
    packet.publish.qos = delivery->qos;
    packet.publish.dup = delivery->dup;
    packet.publish.retain = delivery->retain;
    packet.publish.packet_id = delivery->packet_id;
    packet.publish.properties.present &=
        ~(FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL) |
          FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_TOPIC_ALIAS));
    struct fray_mqtt_encode_options options = {.version = delivery->version};
    struct fray_buf buf = {0};
    assert_int_equal(fray_mqtt_encode(&buf, &options, &packet), FRAY_OK);
    return buf;
}

static struct fray_buf packet_of(const struct fray_buf *shared,
                                 const struct fray_mqtt_message *message,
                                 const struct fray_mqtt_delivery *delivery,
                                 struct fray_mqtt_head *head)
{
    struct fray_buf buf = {0};
    assert_int_equal(fray_mqtt_head_encode(&buf, shared->data, message, delivery, head), FRAY_OK);
    assert_int_equal(buf.len, head->size);
    fray_buf_append_slice(&buf, head->tail);
    assert_int_equal(buf.len, fray_mqtt_delivery_size(message, delivery));
    return buf;
}

static void head_and_tail_are_the_packet_of_each_version_and_qos(void **unused)
{
    (void)unused;
    struct fray_buf repeated = {0}, shared = {0};
    struct fray_mqtt_publish publish = publish_of(&repeated);
    struct fray_mqtt_message message;
    assert_int_equal(fray_mqtt_message_encode(&shared, &publish, &message), FRAY_OK);
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        for (uint8_t qos = 0; qos < 3; qos++) {
            struct fray_mqtt_delivery delivery = {.version = (enum fray_mqtt_version)version,
                                                  .qos = qos,
                                                  .dup = qos == 2,
                                                  .retain = qos == 1,
                                                  .packet_id = qos ? 0x1234 : 0};
            struct fray_mqtt_head head;
            struct fray_buf packet = packet_of(&shared, &message, &delivery, &head);
            struct fray_buf expected = expected_of(&publish, &delivery);
            assert_int_equal(packet.len, expected.len);
            assert_memory_equal(packet.data, expected.data, expected.len);
            assert_true(head.tail.data >= shared.data); /* referenced, not copied */
            assert_true(head.tail.data + head.tail.len == shared.data + shared.len);
            fray_buf_deinit(&packet);
            fray_buf_deinit(&expected);
        }
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&shared);
}

static void a_delivery_has_its_own_properties(void **unused)
{
    (void)unused;
    struct fray_buf repeated = {0}, shared = {0};
    struct fray_mqtt_publish publish = publish_of(&repeated);
    struct fray_mqtt_message message;
    assert_int_equal(fray_mqtt_message_encode(&shared, &publish, &message), FRAY_OK);
    const uint32_t identifiers[] = {1, 200, 268435455};
    struct fray_mqtt_delivery delivery = {.version = FRAY_MQTT_5,
                                          .topic_alias = 9,
                                          .omit_topic = true,
                                          .has_expiry = true,
                                          .expiry_s = 17,
                                          .subscription_identifiers = identifiers,
                                          .subscription_identifier_count = 3};
    struct fray_mqtt_head head;
    struct fray_buf packet = packet_of(&shared, &message, &delivery, &head);
    static const char expected[] = "\x30\x2A\0\0\x20\x02\0\0\0\x11\x23\0\x09\x0B\x01\x0B\xC8\x01"
                                   "\x0B\xFF\xFF\xFF\x7F\x03\0\x04json\x26\0\x01k\0\x01v{\"x\":1}";
    assert_int_equal(packet.len, sizeof expected - 1);
    assert_memory_equal(packet.data, expected, packet.len);
    assert_int_equal(head.packet_id_offset, 0);
    fray_buf_deinit(&packet);
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&shared);
}

static void a_copied_packet_is_patched_in_place(void **unused)
{
    (void)unused;
    struct fray_buf repeated = {0}, shared = {0};
    struct fray_mqtt_publish publish = publish_of(&repeated);
    struct fray_mqtt_message message;
    assert_int_equal(fray_mqtt_message_encode(&shared, &publish, &message), FRAY_OK);
    struct fray_mqtt_delivery delivery = {.version = FRAY_MQTT_5, .qos = 1, .packet_id = 1};
    struct fray_mqtt_head head, again;
    struct fray_buf packet = packet_of(&shared, &message, &delivery, &head);
    delivery.packet_id = 0xFEDC;
    delivery.dup = true;
    delivery.retain = true;
    fray_mqtt_packet_patch(packet.data, head.packet_id_offset, &delivery);
    struct fray_buf expected = packet_of(&shared, &message, &delivery, &again);
    assert_int_equal(packet.len, expected.len);
    assert_memory_equal(packet.data, expected.data, packet.len);
    fray_buf_deinit(&packet);
    fray_buf_deinit(&expected);
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&shared);
}

static void what_no_packet_can_hold_is_refused(void **unused)
{
    (void)unused;
    struct fray_buf shared = {0};
    char topic[1] = "t";
    struct fray_mqtt_publish publish = {.topic = {topic, 65536}}; /* not read */
    struct fray_mqtt_message message;
    assert_int_equal(fray_mqtt_message_encode(&shared, &publish, &message), FRAY_ERR_LIMIT);
    publish.topic.len = 1;
    publish.payload = (struct fray_slice){topic, 268435456};
    assert_int_equal(fray_mqtt_message_encode(&shared, &publish, &message), FRAY_ERR_LIMIT);
    assert_int_equal(shared.len, 0);
    /* A message may fit and its packet not. */
    message = (struct fray_mqtt_message){1, 0, 268435455 - 3};
    struct fray_mqtt_delivery delivery = {.version = FRAY_MQTT_3_1_1};
    struct fray_mqtt_head head;
    assert_int_equal(fray_mqtt_head_encode(&shared, topic, &message, &delivery, &head), FRAY_OK);
    assert_int_equal(fray_mqtt_delivery_size(&message, &delivery), 268435455 + 5);
    message.payload_len++;
    assert_int_equal(fray_mqtt_head_encode(&shared, topic, &message, &delivery, &head),
                     FRAY_ERR_LIMIT);
    fray_buf_deinit(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_and_tail_are_the_packet_of_each_version_and_qos),
        cmocka_unit_test(a_delivery_has_its_own_properties),
        cmocka_unit_test(a_copied_packet_is_patched_in_place),
        cmocka_unit_test(what_no_packet_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
