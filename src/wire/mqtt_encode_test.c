#include "wire/mqtt_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/mqtt_decode.h"

static struct fray_mqtt_packet decode(struct fray_slice bytes, unsigned version,
                                      enum fray_mqtt_role sender)
{
    struct fray_mqtt_decode_options options = {
        .version = (enum fray_mqtt_version)version, .sender = sender, .topic_alias_maximum = 100};
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    enum fray_err err = fray_mqtt_decode(&options, bytes, &packet, &reason);
    if (err)
        fail_msg("decoding: %s 0x%02X", fray_err_name(err), reason);
    assert_int_equal(packet.size, bytes.len);
    return packet;
}

/* Encodes, decodes, encodes what was decoded and expects the same bytes. The bytes stay in *bytes,
 * which the decoded packet points into. */
static struct fray_mqtt_packet round_trip(const struct fray_mqtt_packet *packet, unsigned version,
                                          enum fray_mqtt_role sender, struct fray_buf *bytes)
{
    struct fray_mqtt_encode_options options = {.version = (enum fray_mqtt_version)version};
    bytes->len = 0;
    assert_int_equal(fray_mqtt_encode(bytes, &options, packet), FRAY_OK);
    struct fray_mqtt_packet decoded = decode(fray_buf_slice(bytes), version, sender);
    assert_int_equal(decoded.type, packet->type);
    struct fray_buf again = {0};
    assert_int_equal(fray_mqtt_encode(&again, &options, &decoded), FRAY_OK);
    assert_int_equal(again.len, bytes->len);
    assert_memory_equal(again.data, bytes->data, bytes->len);
    fray_buf_deinit(&again);
    return decoded;
}

#define assert_slice(slice, literal) assert_true(fray_slice_equal(slice, FRAY_SLICE(literal)))

/* Every property that the mask names, each with a value of its own. */
static struct fray_mqtt_properties properties_of(uint64_t present, struct fray_slice repeated)
{
    return (struct fray_mqtt_properties){
        .present = present,
        .repeated = repeated,
        .payload_format_indicator = 1,
        .request_problem_information = 1,
        .request_response_information = 1,
        .maximum_qos = 1,
        .retain_available = 1,
        .wildcard_subscription_available = 1,
        .subscription_identifier_available = 1,
        .shared_subscription_available = 1,
        .server_keep_alive = 61,
        .receive_maximum = 62,
        .topic_alias_maximum = 63,
        .topic_alias = 64,
        .message_expiry_interval = 65,
        .session_expiry_interval = 0xFFFFFFFF,
        .will_delay_interval = 67,
        .maximum_packet_size = 68,
        .subscription_identifier = 300000,
        .content_type = FRAY_SLICE("text/plain"),
        .response_topic = FRAY_SLICE("reply/to"),
        .correlation_data = FRAY_SLICE("\0\xFF"),
        .assigned_client_identifier = FRAY_SLICE("assigned"),
        .authentication_method = FRAY_SLICE("method"),
        .authentication_data = FRAY_SLICE("data\0"),
        .response_information = FRAY_SLICE("responses"),
        .server_reference = FRAY_SLICE("elsewhere:1883"),
        .reason_string = FRAY_SLICE("because"),
    };
}

static void assert_slices_equal(struct fray_slice a, struct fray_slice b)
{
    assert_int_equal(a.len, b.len);
    if (a.len)
        assert_memory_equal(a.data, b.data, a.len);
}

/* Each member that `allowed` names came through; each other is zero. */
static void check_properties(const struct fray_mqtt_properties *got, uint64_t allowed)
{
    struct fray_mqtt_properties all = properties_of(~UINT64_C(0), (struct fray_slice){0});
    assert_int_equal(got->present, allowed);
#define CHECK_INTEGER(member, id)                                                                  \
    assert_int_equal(got->member, allowed &FRAY_MQTT_PROPERTY_BIT(id) ? all.member : 0)
#define CHECK_SLICE(member, id)                                                                    \
    assert_slices_equal(got->member,                                                               \
                        allowed &FRAY_MQTT_PROPERTY_BIT(id) ? all.member : (struct fray_slice){0})
    CHECK_INTEGER(payload_format_indicator, 0x01);
    CHECK_INTEGER(message_expiry_interval, 0x02);
    CHECK_SLICE(content_type, 0x03);
    CHECK_SLICE(response_topic, 0x08);
    CHECK_SLICE(correlation_data, 0x09);
    CHECK_INTEGER(session_expiry_interval, 0x11);
    CHECK_SLICE(assigned_client_identifier, 0x12);
    CHECK_INTEGER(server_keep_alive, 0x13);
    CHECK_SLICE(authentication_method, 0x15);
    CHECK_SLICE(authentication_data, 0x16);
    CHECK_INTEGER(request_problem_information, 0x17);
    CHECK_INTEGER(will_delay_interval, 0x18);
    CHECK_INTEGER(request_response_information, 0x19);
    CHECK_SLICE(response_information, 0x1A);
    CHECK_SLICE(server_reference, 0x1C);
    CHECK_SLICE(reason_string, 0x1F);
    CHECK_INTEGER(receive_maximum, 0x21);
    CHECK_INTEGER(topic_alias_maximum, 0x22);
    CHECK_INTEGER(topic_alias, 0x23);
    CHECK_INTEGER(maximum_qos, 0x24);
    CHECK_INTEGER(retain_available, 0x25);
    CHECK_INTEGER(maximum_packet_size, 0x27);
    CHECK_INTEGER(wildcard_subscription_available, 0x28);
    CHECK_INTEGER(subscription_identifier_available, 0x29);
    CHECK_INTEGER(shared_subscription_available, 0x2A);
#undef CHECK_INTEGER
#undef CHECK_SLICE
    struct fray_slice rest = got->repeated, name, value;
    const char *expected[][2] = {{"k", "v"}, {"k", ""}, {"", "w"}};
    for (size_t i = 0; i < 3 && allowed >> FRAY_MQTT_USER_PROPERTY & 1; i++) {
        assert_true(fray_mqtt_user_property_next(&rest, &name, &value));
        assert_slices_equal(name, fray_slice_of(expected[i][0]));
        assert_slices_equal(value, fray_slice_of(expected[i][1]));
    }
    assert_false(fray_mqtt_user_property_next(&rest, &name, &value));
}

/* User properties and, between them, subscription identifiers. */
static struct fray_buf repeated_of(bool identifiers)
{
    struct fray_buf buf = {0};
    fray_mqtt_user_property_append(&buf, FRAY_SLICE("k"), FRAY_SLICE("v"));
    if (identifiers)
        fray_mqtt_subscription_identifier_append(&buf, 1);
    fray_mqtt_user_property_append(&buf, FRAY_SLICE("k"), FRAY_SLICE(""));
    if (identifiers)
        fray_mqtt_subscription_identifier_append(&buf, 268435455);
    fray_mqtt_user_property_append(&buf, FRAY_SLICE(""), FRAY_SLICE("w"));
    return buf;
}

#define BIT(id) FRAY_MQTT_PROPERTY_BIT(id)

/* 2.2.2.2, written down a second time, from the text of each packet's section. */
static uint64_t allowed_in(enum fray_mqtt_type type)
{
    const uint64_t user = BIT(0x26), reason = BIT(0x1F) | user;
    switch (type) {
    case FRAY_MQTT_CONNECT:
        return BIT(0x11) | BIT(0x21) | BIT(0x27) | BIT(0x22) | BIT(0x19) | BIT(0x17) | BIT(0x15) |
               BIT(0x16) | user;
    case FRAY_MQTT_CONNACK:
        return BIT(0x11) | BIT(0x21) | BIT(0x24) | BIT(0x25) | BIT(0x27) | BIT(0x12) | BIT(0x22) |
               BIT(0x28) | BIT(0x29) | BIT(0x2A) | BIT(0x13) | BIT(0x1A) | BIT(0x1C) | BIT(0x15) |
               BIT(0x16) | reason;
    case FRAY_MQTT_PUBLISH:
        return BIT(0x01) | BIT(0x02) | BIT(0x23) | BIT(0x08) | BIT(0x09) | BIT(0x0B) | BIT(0x03) |
               user;
    case FRAY_MQTT_SUBSCRIBE: return BIT(0x0B) | user;
    case FRAY_MQTT_UNSUBSCRIBE: return user;
    case FRAY_MQTT_DISCONNECT: return BIT(0x11) | BIT(0x1C) | reason;
    case FRAY_MQTT_AUTH: return BIT(0x15) | BIT(0x16) | reason;
    case FRAY_MQTT_PUBACK:
    case FRAY_MQTT_PUBREC:
    case FRAY_MQTT_PUBREL:
    case FRAY_MQTT_PUBCOMP:
    case FRAY_MQTT_SUBACK:
    case FRAY_MQTT_UNSUBACK: return reason;
    case FRAY_MQTT_PINGREQ:
    case FRAY_MQTT_PINGRESP: break;
    }
    return 0;
}

static void connect_round_trips_in_each_version(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        struct fray_mqtt_packet packet = {
            .type = FRAY_MQTT_CONNECT,
            .connect = {
                .version = (enum fray_mqtt_version)version,
                .clean_start = true,
                .has_will = true,
                .has_username = true,
                .has_password = true,
                .keep_alive_s = 0x1234,
                .client_id = FRAY_SLICE("me"),
                .username = FRAY_SLICE("user"),
                .password = FRAY_SLICE("\0pass"),
                .properties =
                    properties_of(allowed_in(FRAY_MQTT_CONNECT), fray_buf_slice(&repeated)),
                .will = {.topic = FRAY_SLICE("last/words"),
                         .payload = FRAY_SLICE("bye\0"),
                         .qos = 2,
                         .retain = true,
                         .properties = properties_of(BIT(0x18) | BIT(0x01) | BIT(0x02) | BIT(0x03) |
                                                         BIT(0x08) | BIT(0x09) | BIT(0x26),
                                                     fray_buf_slice(&repeated))}}};
        struct fray_mqtt_packet decoded = round_trip(&packet, 0, FRAY_MQTT_CLIENT, &bytes);
        const struct fray_mqtt_connect *connect = &decoded.connect;
        assert_int_equal(connect->version, version);
        assert_true(connect->clean_start && connect->has_will && connect->has_username);
        assert_int_equal(connect->keep_alive_s, 0x1234);
        assert_slice(connect->client_id, "me");
        assert_slice(connect->username, "user");
        assert_slice(connect->password, "\0pass");
        assert_slice(connect->will.topic, "last/words");
        assert_slice(connect->will.payload, "bye\0");
        assert_int_equal(connect->will.qos, 2);
        assert_true(connect->will.retain);
        bool v5 = version == FRAY_MQTT_5;
        check_properties(&connect->properties, v5 ? packet.connect.properties.present : 0);
        check_properties(&connect->will.properties,
                         v5 ? packet.connect.will.properties.present : 0);
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

static void connack_round_trips_in_each_version(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_CONNACK};
        packet.connack.session_present = true;
        packet.connack.properties =
            properties_of(allowed_in(FRAY_MQTT_CONNACK), fray_buf_slice(&repeated));
        struct fray_mqtt_packet got = round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
        assert_int_equal(got.connack.session_present, version != FRAY_MQTT_3_1);
        check_properties(&got.connack.properties,
                         version == FRAY_MQTT_5 ? packet.connack.properties.present : 0);
        packet.connack = (struct fray_mqtt_connack){.reason = FRAY_MQTT_NOT_AUTHORIZED};
        got = round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
        assert_int_equal(got.connack.reason, FRAY_MQTT_NOT_AUTHORIZED);
        assert_int_equal((uint8_t)bytes.data[3], version == FRAY_MQTT_5 ? 0x87 : 5);
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

/* 3.1.1: [MQTT-3.2.2-6]. */
static void a_reason_without_return_code_has_no_connack(void **unused)
{
    (void)unused;
    struct fray_buf bytes = {0};
    struct fray_mqtt_encode_options options = {.version = FRAY_MQTT_3_1_1};
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_CONNACK,
                                      .connack = {.reason = FRAY_MQTT_MALFORMED_PACKET}};
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_ERR_UNSUPPORTED);
    assert_int_equal(bytes.len, 0);
    packet = (struct fray_mqtt_packet){.type = FRAY_MQTT_AUTH};
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_ERR_UNSUPPORTED);
    assert_int_equal(bytes.len, 0);
    fray_buf_deinit(&bytes);
}

static void publish_round_trips_in_each_version(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(true), bytes = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        for (unsigned kind = 0; kind < 12; kind++) {
            struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH};
            struct fray_mqtt_publish *publish = &packet.publish;
            publish->qos = kind >> 2 & 3;
            publish->dup = publish->qos && kind & 1;
            publish->retain = kind & 2;
            publish->packet_id = publish->qos ? 0xABCD : 0;
            publish->topic = FRAY_SLICE("a/b");
            publish->payload = FRAY_SLICE("some payload");
            publish->properties =
                properties_of(allowed_in(FRAY_MQTT_PUBLISH), fray_buf_slice(&repeated));
            struct fray_mqtt_packet got = round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
            assert_int_equal(got.publish.qos, publish->qos);
            assert_int_equal(got.publish.dup, publish->dup);
            assert_int_equal(got.publish.retain, publish->retain);
            assert_int_equal(got.publish.packet_id, publish->packet_id);
            assert_slice(got.publish.topic, "a/b");
            assert_slice(got.publish.payload, "some payload");
            if (version != FRAY_MQTT_5)
                continue;
            check_properties(&got.publish.properties, publish->properties.present);
            struct fray_slice rest = got.publish.properties.repeated;
            uint32_t identifier = 0;
            assert_true(fray_mqtt_subscription_identifier_next(&rest, &identifier));
            assert_int_equal(identifier, 1);
            assert_true(fray_mqtt_subscription_identifier_next(&rest, &identifier));
            assert_int_equal(identifier, 268435455);
            assert_false(fray_mqtt_subscription_identifier_next(&rest, &identifier));
        }
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

static void acks_round_trip_in_each_version(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0}, quick = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        for (unsigned type = FRAY_MQTT_PUBACK; type <= FRAY_MQTT_PUBCOMP; type++) {
            bool v5 = version == FRAY_MQTT_5;
            enum fray_mqtt_reason reason = type < FRAY_MQTT_PUBREL
                                               ? FRAY_MQTT_QUOTA_EXCEEDED
                                               : FRAY_MQTT_PACKET_IDENTIFIER_NOT_FOUND;
            struct fray_mqtt_packet packet = {.type = (enum fray_mqtt_type)type};
            packet.ack.packet_id = 0x0102;
            round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
            assert_int_equal(bytes.len, 4);
            packet.ack.reason = reason;
            struct fray_mqtt_packet got = round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
            assert_int_equal(bytes.len, v5 ? 5 : 4);
            assert_int_equal(got.ack.packet_id, 0x0102);
            assert_int_equal(got.ack.reason, v5 ? reason : FRAY_MQTT_SUCCESS);
            quick.len = 0;
            fray_mqtt_encode_ack(&quick, (enum fray_mqtt_version)version, packet.type, 0x0102,
                                 reason);
            assert_slices_equal(fray_buf_slice(&quick), fray_buf_slice(&bytes));
            packet.ack.properties =
                properties_of(allowed_in(packet.type), fray_buf_slice(&repeated));
            got = round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
            check_properties(&got.ack.properties, v5 ? packet.ack.properties.present : 0);
        }
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
    fray_buf_deinit(&quick);
}

static void append_filter(struct fray_buf *filters, unsigned version, enum fray_mqtt_type type,
                          struct fray_mqtt_filter filter)
{
    assert_int_equal(
        fray_mqtt_filter_append(filters, (enum fray_mqtt_version)version, type, &filter), FRAY_OK);
}

static void subscribe_and_unsubscribe_round_trip_in_each_version(void **unused)
{
    (void)unused;
    static const enum fray_mqtt_type types[] = {FRAY_MQTT_SUBSCRIBE, FRAY_MQTT_UNSUBSCRIBE};
    struct fray_buf repeated = repeated_of(false), bytes = {0}, filters = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        for (unsigned i = 0; i < 2; i++) {
            bool options = types[i] == FRAY_MQTT_SUBSCRIBE, v5 = version == FRAY_MQTT_5;
            filters.len = 0;
            append_filter(
                &filters, version, types[i],
                (struct fray_mqtt_filter){.filter = FRAY_SLICE("$share/g/a/+"), .qos = 1});
            append_filter(&filters, version, types[i],
                          (struct fray_mqtt_filter){FRAY_SLICE("#"), 2, 2, true, true});
            struct fray_mqtt_packet packet = {.type = types[i]};
            packet.subscribe.packet_id = 7;
            packet.subscribe.filters = fray_buf_slice(&filters);
            packet.subscribe.properties =
                properties_of(allowed_in(types[i]), fray_buf_slice(&repeated));
            struct fray_mqtt_packet got = round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
            assert_int_equal(got.subscribe.packet_id, 7);
            assert_int_equal(got.subscribe.filter_count, 2);
            assert_int_equal(got.subscribe.properties.subscription_identifier,
                             v5 && options ? 300000 : 0);
            struct fray_slice rest = got.subscribe.filters;
            struct fray_mqtt_filter filter;
            assert_true(fray_mqtt_filter_next(&rest, types[i], &filter));
            assert_slice(filter.filter, "$share/g/a/+");
            assert_int_equal(filter.qos, options ? 1 : 0);
            assert_true(fray_mqtt_filter_next(&rest, types[i], &filter));
            assert_slice(filter.filter, "#");
            assert_int_equal(filter.qos, options ? 2 : 0);
            assert_int_equal(filter.retain_handling, options && v5 ? 2 : 0);
            assert_int_equal(filter.no_local, options && v5);
            assert_int_equal(filter.retain_as_published, options && v5);
            assert_false(fray_mqtt_filter_next(&rest, types[i], &filter));
        }
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
    fray_buf_deinit(&filters);
}

static void suback_and_unsuback_round_trip_in_each_version(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        bool v5 = version == FRAY_MQTT_5;
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_SUBACK};
        packet.suback.packet_id = 9;
        packet.suback.reasons = FRAY_SLICE("\x00\x01\x02\x80\x87");
        packet.suback.properties =
            properties_of(allowed_in(FRAY_MQTT_SUBACK), fray_buf_slice(&repeated));
        struct fray_mqtt_packet got = round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
        assert_int_equal(got.suback.packet_id, 9);
        if (v5)
            assert_slice(got.suback.reasons, "\x00\x01\x02\x80\x87");
        else
            assert_slice(got.suback.reasons, "\x00\x01\x02\x80\x80");
        check_properties(&got.suback.properties, v5 ? allowed_in(FRAY_MQTT_SUBACK) : 0);
        packet.type = FRAY_MQTT_UNSUBACK;
        packet.suback.reasons = FRAY_SLICE("\x00\x11");
        got = round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
        assert_int_equal(got.suback.reasons.len, v5 ? 2 : 0);
    }
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

static void the_small_packets_round_trip(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0}, quick = {0};
    for (unsigned version = FRAY_MQTT_3_1; version <= FRAY_MQTT_5; version++) {
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PINGREQ};
        round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
        fray_mqtt_encode_ping(&quick, FRAY_MQTT_PINGREQ);
        assert_slices_equal(fray_buf_slice(&quick), fray_buf_slice(&bytes));
        quick.len = 0;
        packet.type = FRAY_MQTT_PINGRESP;
        round_trip(&packet, version, FRAY_MQTT_SERVER, &bytes);
        packet.type = FRAY_MQTT_DISCONNECT;
        round_trip(&packet, version, FRAY_MQTT_CLIENT, &bytes);
        assert_int_equal(bytes.len, 2);
    }
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_DISCONNECT};
    packet.disconnect.reason = FRAY_MQTT_USE_ANOTHER_SERVER;
    uint64_t by_server = allowed_in(FRAY_MQTT_DISCONNECT) & ~BIT(0x11);
    packet.disconnect.properties = properties_of(by_server, fray_buf_slice(&repeated));
    struct fray_mqtt_packet got = round_trip(&packet, 5, FRAY_MQTT_SERVER, &bytes);
    check_properties(&got.disconnect.properties, by_server);
    packet.type = FRAY_MQTT_AUTH;
    packet.disconnect.reason = FRAY_MQTT_CONTINUE_AUTHENTICATION;
    packet.disconnect.properties =
        properties_of(allowed_in(FRAY_MQTT_AUTH), fray_buf_slice(&repeated));
    got = round_trip(&packet, 5, FRAY_MQTT_CLIENT, &bytes);
    check_properties(&got.disconnect.properties, allowed_in(FRAY_MQTT_AUTH));
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
    fray_buf_deinit(&quick);
}

/* Whatever is set, only what Table 2-4 allows goes out: and the decoder refuses the rest. */
static void a_packet_carries_only_its_own_properties(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0};
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBREC};
    packet.ack.packet_id = 1;
    packet.ack.properties = properties_of(~UINT64_C(0) >> 21, fray_buf_slice(&repeated));
    struct fray_mqtt_packet got = round_trip(&packet, 5, FRAY_MQTT_CLIENT, &bytes);
    check_properties(&got.ack.properties, allowed_in(FRAY_MQTT_PUBREC));
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

/* [MQTT-3.1.2-29], [MQTT-3.4.2-2], [MQTT-3.4.2-3]. */
static void problem_information_is_left_out_when_it_may_not_be_there(void **unused)
{
    (void)unused;
    struct fray_buf repeated = repeated_of(false), bytes = {0};
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBACK};
    packet.ack.packet_id = 1;
    packet.ack.reason = FRAY_MQTT_QUOTA_EXCEEDED;
    packet.ack.properties = properties_of(allowed_in(FRAY_MQTT_PUBACK), fray_buf_slice(&repeated));
    struct fray_mqtt_encode_options options = {.version = FRAY_MQTT_5, .maximum_packet_size = 20};
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_OK);
    assert_int_equal(bytes.len, 5);
    options = (struct fray_mqtt_encode_options){FRAY_MQTT_5, 0, true};
    bytes.len = 0;
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_OK);
    assert_int_equal(bytes.len, 5);
    packet.type = FRAY_MQTT_DISCONNECT;
    packet.disconnect = (struct fray_mqtt_disconnect){
        FRAY_MQTT_QUOTA_EXCEEDED, properties_of(BIT(0x1F), (struct fray_slice){0})};
    bytes.len = 0;
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_OK);
    assert_int_equal(bytes.len, 2 + 1 + 1 + 3 + 7);
    options.maximum_packet_size = 2;
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_ERR_LIMIT);
    assert_int_equal(bytes.len, 2 + 1 + 1 + 3 + 7);
    fray_buf_deinit(&repeated);
    fray_buf_deinit(&bytes);
}

static void what_is_too_long_is_refused_and_leaves_nothing(void **unused)
{
    (void)unused;
    struct fray_buf bytes = {0}, text = {0};
    memset(fray_buf_reserve(&text, 65536), 'a', 65536);
    text.len = 65536;
    FRAY_BUF_LITERAL(&bytes, "before");
    struct fray_mqtt_encode_options options = {.version = FRAY_MQTT_5};
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH};
    packet.publish.topic = fray_buf_slice(&text);
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_ERR_LIMIT);
    packet.publish.topic = FRAY_SLICE("a");
    packet.publish.properties.present = BIT(0x09);
    packet.publish.properties.correlation_data = fray_buf_slice(&text);
    assert_int_equal(fray_mqtt_encode(&bytes, &options, &packet), FRAY_ERR_LIMIT);
    struct fray_mqtt_filter filter = {.filter = fray_buf_slice(&text)};
    assert_int_equal(fray_mqtt_filter_append(&bytes, FRAY_MQTT_5, FRAY_MQTT_SUBSCRIBE, &filter),
                     FRAY_ERR_LIMIT);
    assert_slice(fray_buf_slice(&bytes), "before");
    fray_buf_deinit(&bytes);
    fray_buf_deinit(&text);
}

/* 2.1.4: the length takes 1, 2, 3 bytes at the edges of Table 2-4's ranges. */
static void every_length_of_the_length_round_trips(void **unused)
{
    (void)unused;
    struct fray_buf bytes = {0}, text = {0};
    memset(fray_buf_reserve(&text, 2097152), 'a', 2097152);
    static const size_t remaining[] = {127, 128, 16383, 16384, 2097151, 2097152};
    for (unsigned i = 0; i < 6; i++) {
        struct fray_mqtt_packet packet = {.type = FRAY_MQTT_PUBLISH};
        packet.publish.topic = FRAY_SLICE("a");
        packet.publish.payload = fray_slice(text.data, remaining[i] - 3);
        struct fray_mqtt_packet got = round_trip(&packet, 4, FRAY_MQTT_CLIENT, &bytes);
        assert_int_equal(got.publish.payload.len, remaining[i] - 3);
        assert_int_equal(bytes.len, 2 + (i + 1) / 2 + remaining[i]);
    }
    fray_buf_deinit(&bytes);
    fray_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_round_trips_in_each_version),
        cmocka_unit_test(connack_round_trips_in_each_version),
        cmocka_unit_test(a_reason_without_return_code_has_no_connack),
        cmocka_unit_test(publish_round_trips_in_each_version),
        cmocka_unit_test(acks_round_trip_in_each_version),
        cmocka_unit_test(subscribe_and_unsubscribe_round_trip_in_each_version),
        cmocka_unit_test(suback_and_unsuback_round_trip_in_each_version),
        cmocka_unit_test(the_small_packets_round_trip),
        cmocka_unit_test(a_packet_carries_only_its_own_properties),
        cmocka_unit_test(problem_information_is_left_out_when_it_may_not_be_there),
        cmocka_unit_test(what_is_too_long_is_refused_and_leaves_nothing),
        cmocka_unit_test(every_length_of_the_length_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
