#include "wire/mqtt_properties.h"

#include <stddef.h>

#include "wire/mqtt_topic.h"
#include "wire/mqtt_wire.h"

/* How a value stands on the wire, and which values are a protocol error. */
enum format {
    FORMAT_NONE, /* no such property */
    FORMAT_U8_BOOL,
    FORMAT_U16,
    FORMAT_U16_NONZERO,
    FORMAT_U16_ALIAS, /* non-zero, with a reason of its own */
    FORMAT_U32,
    FORMAT_U32_NONZERO,
    FORMAT_VARINT_NONZERO,
    FORMAT_STRING,
    FORMAT_TOPIC, /* a string that is a topic name */
    FORMAT_BINARY,
    FORMAT_STRING_PAIR,
};

struct row {
    uint8_t format;   /* enum format */
    uint16_t offset;  /* of its member */
    uint16_t allowed; /* a bit for each packet type that may have it; bit 0: a will */
};

enum {
    WILL = 1 << FRAY_MQTT_WILL_PROPERTIES,
    CONNECT = 1 << FRAY_MQTT_CONNECT,
    CONNACK = 1 << FRAY_MQTT_CONNACK,
    PUBLISH = 1 << FRAY_MQTT_PUBLISH,
    SUBSCRIBE = 1 << FRAY_MQTT_SUBSCRIBE,
    DISCONNECT = 1 << FRAY_MQTT_DISCONNECT,
    AUTH = 1 << FRAY_MQTT_AUTH,
    RESPONSES = CONNACK | 1 << FRAY_MQTT_PUBACK | 1 << FRAY_MQTT_PUBREC | 1 << FRAY_MQTT_PUBREL |
                1 << FRAY_MQTT_PUBCOMP | 1 << FRAY_MQTT_SUBACK | 1 << FRAY_MQTT_UNSUBACK |
                DISCONNECT | AUTH,
    ALL = WILL | CONNECT | PUBLISH | SUBSCRIBE | 1 << FRAY_MQTT_UNSUBSCRIBE | RESPONSES,
};

#define AT(member) offsetof(struct fray_mqtt_properties, member)

/* Table 2-4. Who of client and server may send a property is the packet's affair. */
static const struct row rows[] = {
    [FRAY_MQTT_PAYLOAD_FORMAT_INDICATOR] = {FORMAT_U8_BOOL, AT(payload_format_indicator),
                                            PUBLISH | WILL},
    [FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL] = {FORMAT_U32, AT(message_expiry_interval), PUBLISH | WILL},
    [FRAY_MQTT_CONTENT_TYPE] = {FORMAT_STRING, AT(content_type), PUBLISH | WILL},
    [FRAY_MQTT_RESPONSE_TOPIC] = {FORMAT_TOPIC, AT(response_topic), PUBLISH | WILL},
    [FRAY_MQTT_CORRELATION_DATA] = {FORMAT_BINARY, AT(correlation_data), PUBLISH | WILL},
    [FRAY_MQTT_SUBSCRIPTION_IDENTIFIER] = {FORMAT_VARINT_NONZERO, AT(subscription_identifier),
                                           PUBLISH | SUBSCRIBE},
    [FRAY_MQTT_SESSION_EXPIRY_INTERVAL] = {FORMAT_U32, AT(session_expiry_interval),
                                           CONNECT | CONNACK | DISCONNECT},
    [FRAY_MQTT_ASSIGNED_CLIENT_IDENTIFIER] = {FORMAT_STRING, AT(assigned_client_identifier),
                                              CONNACK},
    [FRAY_MQTT_SERVER_KEEP_ALIVE] = {FORMAT_U16, AT(server_keep_alive), CONNACK},
    [FRAY_MQTT_AUTHENTICATION_METHOD] = {FORMAT_STRING, AT(authentication_method),
                                         CONNECT | CONNACK | AUTH},
    [FRAY_MQTT_AUTHENTICATION_DATA] = {FORMAT_BINARY, AT(authentication_data),
                                       CONNECT | CONNACK | AUTH},
    [FRAY_MQTT_REQUEST_PROBLEM_INFORMATION] = {FORMAT_U8_BOOL, AT(request_problem_information),
                                               CONNECT},
    [FRAY_MQTT_WILL_DELAY_INTERVAL] = {FORMAT_U32, AT(will_delay_interval), WILL},
    [FRAY_MQTT_REQUEST_RESPONSE_INFORMATION] = {FORMAT_U8_BOOL, AT(request_response_information),
                                                CONNECT},
    [FRAY_MQTT_RESPONSE_INFORMATION] = {FORMAT_STRING, AT(response_information), CONNACK},
    [FRAY_MQTT_SERVER_REFERENCE] = {FORMAT_STRING, AT(server_reference), CONNACK | DISCONNECT},
    [FRAY_MQTT_REASON_STRING] = {FORMAT_STRING, AT(reason_string), RESPONSES},
    [FRAY_MQTT_RECEIVE_MAXIMUM] = {FORMAT_U16_NONZERO, AT(receive_maximum), CONNECT | CONNACK},
    [FRAY_MQTT_TOPIC_ALIAS_MAXIMUM] = {FORMAT_U16, AT(topic_alias_maximum), CONNECT | CONNACK},
    [FRAY_MQTT_TOPIC_ALIAS] = {FORMAT_U16_ALIAS, AT(topic_alias), PUBLISH},
    [FRAY_MQTT_MAXIMUM_QOS] = {FORMAT_U8_BOOL, AT(maximum_qos), CONNACK},
    [FRAY_MQTT_RETAIN_AVAILABLE] = {FORMAT_U8_BOOL, AT(retain_available), CONNACK},
    [FRAY_MQTT_USER_PROPERTY] = {FORMAT_STRING_PAIR, 0, ALL},
    [FRAY_MQTT_MAXIMUM_PACKET_SIZE] = {FORMAT_U32_NONZERO, AT(maximum_packet_size),
                                       CONNECT | CONNACK},
    [FRAY_MQTT_WILDCARD_SUBSCRIPTION_AVAILABLE] = {FORMAT_U8_BOOL,
                                                   AT(wildcard_subscription_available), CONNACK},
    [FRAY_MQTT_SUBSCRIPTION_IDENTIFIER_AVAILABLE] = {FORMAT_U8_BOOL,
                                                     AT(subscription_identifier_available),
                                                     CONNACK},
    [FRAY_MQTT_SHARED_SUBSCRIPTION_AVAILABLE] = {FORMAT_U8_BOOL, AT(shared_subscription_available),
                                                 CONNACK},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* Whether the property may come more than once there: 2.2.2.2, 3.3.2.3.8. */
static bool repeats(unsigned id, unsigned place)
{
    return id == FRAY_MQTT_USER_PROPERTY ||
           (id == FRAY_MQTT_SUBSCRIPTION_IDENTIFIER && place == FRAY_MQTT_PUBLISH);
}

static void get_u16(struct fray_mqtt_reader *reader, uint8_t format, uint16_t *member)
{
    *member = fray_mqtt_get_u16(reader);
    if (*member == 0 && format == FORMAT_U16_NONZERO)
        fray_mqtt_violation(reader);
    if (*member == 0 && format == FORMAT_U16_ALIAS) /* [MQTT-3.3.2-8] */
        fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_TOPIC_ALIAS_INVALID);
}

static void get_u32(struct fray_mqtt_reader *reader, uint8_t format, uint32_t *member)
{
    bool varint = format == FORMAT_VARINT_NONZERO;
    *member = varint ? fray_mqtt_get_varint(reader) : fray_mqtt_get_u32(reader);
    if (*member == 0 && format != FORMAT_U32)
        fray_mqtt_violation(reader);
}

static void get_value(struct fray_mqtt_reader *reader, const struct row *row, void *member)
{
    switch ((enum format)row->format) {
    case FORMAT_U8_BOOL:
        *(uint8_t *)member = fray_mqtt_get_u8(reader);
        if (*(uint8_t *)member > 1)
            fray_mqtt_violation(reader);
        break;
    case FORMAT_U16:
    case FORMAT_U16_NONZERO:
    case FORMAT_U16_ALIAS: get_u16(reader, row->format, member); break;
    case FORMAT_U32:
    case FORMAT_U32_NONZERO:
    case FORMAT_VARINT_NONZERO: get_u32(reader, row->format, member); break;
    case FORMAT_STRING: *(struct fray_slice *)member = fray_mqtt_get_string(reader); break;
    case FORMAT_TOPIC:
        *(struct fray_slice *)member = fray_mqtt_get_string(reader);
        if (!reader->err && !fray_mqtt_topic_name_valid(*(struct fray_slice *)member))
            fray_mqtt_violation(reader); /* [MQTT-3.3.2-14] */
        break;
    case FORMAT_BINARY: *(struct fray_slice *)member = fray_mqtt_get_binary(reader); break;
    case FORMAT_STRING_PAIR:
        (void)fray_mqtt_get_string(reader);
        (void)fray_mqtt_get_string(reader);
        break;
    case FORMAT_NONE: fray_mqtt_malformed(reader); break;
    }
}

static void *member_of(struct fray_mqtt_properties *properties, const struct row *row)
{
    return (char *)properties + row->offset;
}

void fray_mqtt_get_properties(struct fray_mqtt_reader *reader, unsigned place,
                              struct fray_mqtt_properties *properties)
{
    size_t len = fray_mqtt_get_varint(reader);
    fray_mqtt_get_property_run(reader, len, place, properties);
}

void fray_mqtt_get_property_run(struct fray_mqtt_reader *reader, size_t len, unsigned place,
                                struct fray_mqtt_properties *properties)
{
    struct fray_slice list = fray_mqtt_get_bytes(reader, len);
    if (reader->err || list.len == 0)
        return;
    struct fray_mqtt_reader inner = {list.data, list.data + list.len, FRAY_OK, FRAY_MQTT_SUCCESS};
    while (inner.at != inner.end) {
        uint32_t id = fray_mqtt_get_varint(&inner);
        if (id >= ROW_COUNT || !(rows[id].allowed >> place & 1)) {
            fray_mqtt_malformed(&inner); /* 2.2.2.2 */
            break;
        }
        if (properties->present >> id & 1 && !repeats(id, place)) {
            fray_mqtt_violation(&inner);
            break;
        }
        properties->present |= FRAY_MQTT_PROPERTY_BIT(id);
        get_value(&inner, &rows[id], member_of(properties, &rows[id]));
    }
    properties->repeated = list;
    if (inner.err)
        fray_mqtt_fail(reader, inner.err, inner.reason);
}

/* Finds the next `wanted` property; its encoding, identifier first, goes to *property. Its value is
 * left in *into. */
static bool repeated_next(struct fray_slice *rest, unsigned wanted,
                          struct fray_mqtt_properties *into, struct fray_slice *property)
{
    if (rest->len == 0)
        return false;
    struct fray_mqtt_reader reader = {rest->data, rest->data + rest->len, FRAY_OK, 0};
    while (reader.at != reader.end) {
        const char *start = reader.at;
        uint32_t id = fray_mqtt_get_varint(&reader);
        if (id >= ROW_COUNT)
            break;
        get_value(&reader, &rows[id], member_of(into, &rows[id]));
        if (reader.err)
            break;
        if (id == wanted) {
            *property = fray_slice(start, (size_t)(reader.at - start));
            *rest = fray_slice(reader.at, fray_mqtt_left(&reader));
            return true;
        }
    }
    *rest = (struct fray_slice){0};
    return false;
}

bool fray_mqtt_user_property_next(struct fray_slice *rest, struct fray_slice *name,
                                  struct fray_slice *value)
{
    struct fray_mqtt_properties scratch;
    struct fray_slice property;
    if (!repeated_next(rest, FRAY_MQTT_USER_PROPERTY, &scratch, &property))
        return false;
    struct fray_mqtt_reader reader = {property.data + 1, property.data + property.len, FRAY_OK, 0};
    *name = fray_mqtt_get_binary(&reader);
    *value = fray_mqtt_get_binary(&reader);
    return true;
}

bool fray_mqtt_subscription_identifier_next(struct fray_slice *rest, uint32_t *identifier)
{
    struct fray_mqtt_properties scratch;
    struct fray_slice property;
    if (!repeated_next(rest, FRAY_MQTT_SUBSCRIPTION_IDENTIFIER, &scratch, &property))
        return false;
    *identifier = scratch.subscription_identifier;
    return true;
}

void fray_mqtt_user_property_append(struct fray_buf *repeated, struct fray_slice name,
                                    struct fray_slice value)
{
    struct fray_mqtt_writer writer = {repeated, FRAY_OK};
    fray_mqtt_put_u8(&writer, FRAY_MQTT_USER_PROPERTY);
    fray_mqtt_put_binary(&writer, name);
    fray_mqtt_put_binary(&writer, value);
}

void fray_mqtt_subscription_identifier_append(struct fray_buf *repeated, uint32_t identifier)
{
    struct fray_mqtt_writer writer = {repeated, FRAY_OK};
    fray_mqtt_put_u8(&writer, FRAY_MQTT_SUBSCRIPTION_IDENTIFIER);
    fray_mqtt_put_varint(&writer, identifier);
}

static bool wanted(struct fray_mqtt_property_list list, unsigned id)
{
    return list.properties->present >> id & 1 && !(list.except >> id & 1) &&
           rows[id].allowed >> list.place & 1;
}

static size_t value_size(const struct row *row, const void *member)
{
    switch ((enum format)row->format) {
    case FORMAT_U8_BOOL: return 1;
    case FORMAT_U16:
    case FORMAT_U16_NONZERO:
    case FORMAT_U16_ALIAS: return 2;
    case FORMAT_U32:
    case FORMAT_U32_NONZERO: return 4;
    case FORMAT_VARINT_NONZERO: return fray_mqtt_varint_size(*(const uint32_t *)member);
    case FORMAT_STRING:
    case FORMAT_TOPIC:
    case FORMAT_BINARY: return 2 + ((const struct fray_slice *)member)->len;
    case FORMAT_STRING_PAIR:
    case FORMAT_NONE: break;
    }
    return 0;
}

static void put_value(struct fray_mqtt_writer *writer, const struct row *row, const void *member)
{
    switch ((enum format)row->format) {
    case FORMAT_U8_BOOL: fray_mqtt_put_u8(writer, *(const uint8_t *)member); break;
    case FORMAT_U16:
    case FORMAT_U16_NONZERO:
    case FORMAT_U16_ALIAS: fray_mqtt_put_u16(writer, *(const uint16_t *)member); break;
    case FORMAT_U32:
    case FORMAT_U32_NONZERO: fray_mqtt_put_u32(writer, *(const uint32_t *)member); break;
    case FORMAT_VARINT_NONZERO: fray_mqtt_put_varint(writer, *(const uint32_t *)member); break;
    case FORMAT_STRING:
    case FORMAT_TOPIC:
    case FORMAT_BINARY: fray_mqtt_put_binary(writer, *(const struct fray_slice *)member); break;
    case FORMAT_STRING_PAIR:
    case FORMAT_NONE: break;
    }
}

/* Writes, or with writer NULL only measures, the repeatable properties. */
static size_t put_repeated(struct fray_mqtt_writer *writer, struct fray_mqtt_property_list list)
{
    size_t size = 0;
    for (unsigned id = 0; id < ROW_COUNT; id++) {
        if (!wanted(list, id) || !repeats(id, list.place))
            continue;
        struct fray_mqtt_properties scratch;
        struct fray_slice rest = list.properties->repeated;
        struct fray_slice property;
        while (repeated_next(&rest, id, &scratch, &property)) {
            size += property.len;
            if (writer)
                fray_mqtt_put_bytes(writer, property);
        }
    }
    return size;
}

size_t fray_mqtt_properties_size(struct fray_mqtt_property_list list)
{
    if ((list.properties->present & ~list.except) == 0)
        return 0;
    size_t size = put_repeated(NULL, list);
    for (unsigned id = 0; id < ROW_COUNT; id++) {
        const void *member = (const char *)list.properties + rows[id].offset;
        if (wanted(list, id) && !repeats(id, list.place))
            size += 1 + value_size(&rows[id], member);
    }
    return size;
}

void fray_mqtt_put_property_run(struct fray_mqtt_writer *writer,
                                struct fray_mqtt_property_list list)
{
    if ((list.properties->present & ~list.except) == 0)
        return;
    for (unsigned id = 0; id < ROW_COUNT; id++) {
        if (!wanted(list, id) || repeats(id, list.place))
            continue;
        fray_mqtt_put_u8(writer, id);
        put_value(writer, &rows[id], (const char *)list.properties + rows[id].offset);
    }
    put_repeated(writer, list);
}

void fray_mqtt_put_properties(struct fray_mqtt_writer *writer, struct fray_mqtt_property_list list)
{
    fray_mqtt_put_varint(writer, (uint32_t)fray_mqtt_properties_size(list));
    fray_mqtt_put_property_run(writer, list);
}
