/* The data representations of MQTT 1.5 and the property lists of 2.2.2, for mqtt_*.c only.
 *
 * A reader's and a writer's failure sticks: after it every get returns zero or empty and every put
 * does nothing, so that a packet is read straight through and judged once. */
#ifndef FRAY_WIRE_MQTT_WIRE_H
#define FRAY_WIRE_MQTT_WIRE_H

#include "base/buf.h"
#include "fray/err.h"
#include "wire/mqtt.h"

struct fray_mqtt_reader {
    const char *at;
    const char *end;
    enum fray_err err; /* the first failure; reason goes with it */
    enum fray_mqtt_reason reason;
};

static inline size_t fray_mqtt_left(const struct fray_mqtt_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Keeps the first failure and moves to the end. */
void fray_mqtt_fail(struct fray_mqtt_reader *reader, enum fray_err err,
                    enum fray_mqtt_reason reason);

/* The two usual failures: 0x81 for what cannot be parsed, 0x82 for what may not be said. */
static inline void fray_mqtt_malformed(struct fray_mqtt_reader *reader)
{
    fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_MALFORMED_PACKET);
}

static inline void fray_mqtt_violation(struct fray_mqtt_reader *reader)
{
    fray_mqtt_fail(reader, FRAY_ERR_SYNTAX, FRAY_MQTT_PROTOCOL_ERROR);
}

uint8_t fray_mqtt_get_u8(struct fray_mqtt_reader *reader);
uint16_t fray_mqtt_get_u16(struct fray_mqtt_reader *reader);
uint32_t fray_mqtt_get_u32(struct fray_mqtt_reader *reader);
uint32_t fray_mqtt_get_varint(struct fray_mqtt_reader *reader); /* shortest form only: 1.5.5 */
struct fray_slice fray_mqtt_get_binary(struct fray_mqtt_reader *reader); /* 1.5.6 */
struct fray_slice fray_mqtt_get_string(struct fray_mqtt_reader *reader); /* 1.5.4 */
struct fray_slice fray_mqtt_get_bytes(struct fray_mqtt_reader *reader, size_t len);

struct fray_mqtt_writer {
    struct fray_buf *buf;
    enum fray_err err;
};

void fray_mqtt_put_u8(struct fray_mqtt_writer *writer, unsigned value);
void fray_mqtt_put_u16(struct fray_mqtt_writer *writer, unsigned value);
void fray_mqtt_put_u32(struct fray_mqtt_writer *writer, uint32_t value);
void fray_mqtt_put_varint(struct fray_mqtt_writer *writer, uint32_t value);
void fray_mqtt_put_binary(struct fray_mqtt_writer *writer, struct fray_slice bytes);
void fray_mqtt_put_bytes(struct fray_mqtt_writer *writer, struct fray_slice bytes);

/* The bytes that a variable byte integer takes: 1 to 4. */
static inline size_t fray_mqtt_varint_size(size_t value)
{
    return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

/* Where a property list stands: a packet type, or the will inside CONNECT, which type 0 (reserved)
 * stands for. */
enum { FRAY_MQTT_WILL_PROPERTIES = 0 };

/* Reads a property list with its length. */
void fray_mqtt_get_properties(struct fray_mqtt_reader *reader, unsigned place,
                              struct fray_mqtt_properties *properties);
/* The same of a list of `len` bytes without its length. */
void fray_mqtt_get_property_run(struct fray_mqtt_reader *reader, size_t len, unsigned place,
                                struct fray_mqtt_properties *properties);

/* A property list to be written: those of `properties` that may stand at `place`, without the
 * ones whose bits are in `except`. */
struct fray_mqtt_property_list {
    const struct fray_mqtt_properties *properties;
    unsigned place;
    uint64_t except;
};

size_t fray_mqtt_properties_size(struct fray_mqtt_property_list list); /* without the length */
void fray_mqtt_put_properties(struct fray_mqtt_writer *writer,
                              struct fray_mqtt_property_list list); /* with the length */
void fray_mqtt_put_property_run(struct fray_mqtt_writer *writer,
                                struct fray_mqtt_property_list list); /* without it */

#endif
