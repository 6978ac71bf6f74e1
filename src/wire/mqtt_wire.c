#include "wire/mqtt_wire.h"

#include "wire/utf8.h"

void fray_mqtt_fail(struct fray_mqtt_reader *reader, enum fray_err err,
                    enum fray_mqtt_reason reason)
{
    if (reader->err)
        return;
    reader->err = err;
    reader->reason = reason;
    reader->at = reader->end;
}

struct fray_slice fray_mqtt_get_bytes(struct fray_mqtt_reader *reader, size_t len)
{
    if (fray_mqtt_left(reader) < len) {
        fray_mqtt_malformed(reader);
        return (struct fray_slice){0};
    }
    struct fray_slice bytes = fray_slice(reader->at, len);
    reader->at += len;
    return bytes;
}

/* Big-endian: 1.5.2, 1.5.3. */
static uint32_t get_integer(struct fray_mqtt_reader *reader, size_t size)
{
    struct fray_slice bytes = fray_mqtt_get_bytes(reader, size);
    uint32_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.data[i];
    return value;
}

uint8_t fray_mqtt_get_u8(struct fray_mqtt_reader *reader)
{
    return (uint8_t)get_integer(reader, 1);
}

uint16_t fray_mqtt_get_u16(struct fray_mqtt_reader *reader)
{
    return (uint16_t)get_integer(reader, 2);
}

uint32_t fray_mqtt_get_u32(struct fray_mqtt_reader *reader)
{
    return get_integer(reader, 4);
}

uint32_t fray_mqtt_get_varint(struct fray_mqtt_reader *reader)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        uint8_t byte = fray_mqtt_get_u8(reader);
        value |= (uint32_t)(byte & 0x7F) << shift;
        if (byte & 0x80)
            continue;
        if (byte == 0 && shift > 0) /* [MQTT-1.5.5-1] */
            break;
        return value;
    }
    fray_mqtt_malformed(reader);
    return 0;
}

struct fray_slice fray_mqtt_get_binary(struct fray_mqtt_reader *reader)
{
    return fray_mqtt_get_bytes(reader, fray_mqtt_get_u16(reader));
}

/* 1.5.4: UTF-8 without surrogates [MQTT-1.5.4-1] and without U+0000 [MQTT-1.5.4-2]. A byte order
 * mark is kept [MQTT-1.5.4-3]; control characters and non-characters are allowed. */
struct fray_slice fray_mqtt_get_string(struct fray_mqtt_reader *reader)
{
    struct fray_slice text = fray_mqtt_get_binary(reader);
    if (text.len == 0)
        return text;
    if (memchr(text.data, '\0', text.len) || !fray_utf8_valid(text)) {
        fray_mqtt_fail(reader, FRAY_ERR_UTF8, FRAY_MQTT_MALFORMED_PACKET);
        return (struct fray_slice){0};
    }
    return text;
}

void fray_mqtt_put_u8(struct fray_mqtt_writer *writer, unsigned value)
{
    if (!writer->err)
        fray_buf_append_byte(writer->buf, (uint8_t)value);
}

void fray_mqtt_put_u16(struct fray_mqtt_writer *writer, unsigned value)
{
    fray_mqtt_put_u8(writer, value >> 8);
    fray_mqtt_put_u8(writer, value & 0xFF);
}

void fray_mqtt_put_u32(struct fray_mqtt_writer *writer, uint32_t value)
{
    fray_mqtt_put_u16(writer, value >> 16);
    fray_mqtt_put_u16(writer, value & 0xFFFF);
}

void fray_mqtt_put_varint(struct fray_mqtt_writer *writer, uint32_t value)
{
    if (value > FRAY_MQTT_REMAINING_LENGTH_MAX) {
        writer->err = FRAY_ERR_LIMIT;
        return;
    }
    while (value >= 128) {
        fray_mqtt_put_u8(writer, (value & 0x7F) | 0x80);
        value >>= 7;
    }
    fray_mqtt_put_u8(writer, value);
}

void fray_mqtt_put_bytes(struct fray_mqtt_writer *writer, struct fray_slice bytes)
{
    if (!writer->err)
        fray_buf_append_slice(writer->buf, bytes);
}

void fray_mqtt_put_binary(struct fray_mqtt_writer *writer, struct fray_slice bytes)
{
    if (bytes.len > FRAY_MQTT_STRING_MAX) {
        writer->err = FRAY_ERR_LIMIT;
        return;
    }
    fray_mqtt_put_u16(writer, (unsigned)bytes.len);
    fray_mqtt_put_bytes(writer, bytes);
}
