/* The small packets (packet.h): fixed layouts, and the inputs' bits. */
#include "packet.h"

#include "delta.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "packets are copied to and from memory");

/* Fixed layouts, read and written in order. Past the end it goes on counting. */
struct cursor {
    uint8_t *to;
    const uint8_t *from;
    size_t size, at;
};

static void put(struct cursor *out, uint64_t value, uint32_t bytes)
{
    if (out->at <= out->size && out->size - out->at >= bytes)
        __builtin_memcpy(out->to + out->at, &value, bytes); /* little-endian */
    out->at += bytes;
}

static uint64_t take(struct cursor *in, uint32_t bytes)
{
    uint64_t value = 0;

    if (in->at <= in->size && in->size - in->at >= bytes)
        __builtin_memcpy(&value, in->from + in->at, bytes);
    in->at += bytes;
    return value;
}

static struct cursor write_to(void *out, size_t size, enum fray_packet_type type)
{
    struct cursor cursor = {.to = out, .size = size};

    put(&cursor, type, 1);
    return cursor;
}

static size_t written(const struct cursor *out)
{
    return out->at <= out->size ? out->at : 0;
}

/* The type must be this one, and the packet as long as this at least. */
static bool read_from(struct cursor *in, const void *bytes, size_t len, enum fray_packet_type type)
{
    *in = (struct cursor){.from = bytes, .size = len};
    return take(in, 1) == type && len > 0;
}

static bool is_all(const struct cursor *in)
{
    return in->at == in->size;
}

/* ------------------------------------------------------------------ HELLO, PING, REPORT */

size_t fray_packet_hello_encode(const struct fray_packet_hello *hello, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_HELLO);

    put(&cursor, hello->version, 1);
    put(&cursor, hello->flags, 1);
    put(&cursor, hello->snapshot_hz, 1);
    return written(&cursor);
}

bool fray_packet_hello_decode(struct fray_packet_hello *hello, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_HELLO))
        return false;
    hello->version = (uint8_t)take(&cursor, 1);
    hello->flags = (uint8_t)take(&cursor, 1);
    hello->snapshot_hz = (uint8_t)take(&cursor, 1);
    return is_all(&cursor) && hello->flags <= FRAY_HELLO_STREAM;
}

size_t fray_packet_ping_encode(uint32_t stamp, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_PING);

    put(&cursor, stamp, 4);
    return written(&cursor);
}

bool fray_packet_ping_decode(uint32_t *stamp, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_PING))
        return false;
    *stamp = (uint32_t)take(&cursor, 4);
    return is_all(&cursor);
}

size_t fray_packet_report_encode(const struct fray_packet_report *report, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_REPORT);

    put(&cursor, report->tick, 4);
    put(&cursor, report->hash, 8);
    return written(&cursor);
}

bool fray_packet_report_decode(struct fray_packet_report *report, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_REPORT))
        return false;
    report->tick = (uint32_t)take(&cursor, 4);
    report->hash = take(&cursor, 8);
    return is_all(&cursor);
}

/* ------------------------------------------------------------------ INPUT */

static void inputs_encode(const struct fray_game *game, const uint8_t *inputs, uint32_t count,
                          struct fray_bits_writer *out)
{
    const struct fray_game_table *table = game->input;

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *input = inputs + (size_t)i * table->stride;
        fray_delta_encode_flagged(table, FRAY_DELTA_PUBLIC, i ? input - table->stride : NULL, input,
                                  out);
    }
}

size_t fray_packet_input_encode(const struct fray_game *game,
                                const struct fray_packet_input *packet, const void *inputs,
                                void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_INPUT);

    put(&cursor, packet->flags, 1);
    put(&cursor, packet->ack, 2);
    put(&cursor, packet->ack_bits, 4);
    if (packet->flags & FRAY_INPUT_HAS_VIEW)
        put(&cursor, packet->view, 4);
    put(&cursor, packet->count, 1);
    if (packet->count == 0 || packet->count > FRAY_PACKET_INPUTS_MAX)
        return packet->count ? 0 : written(&cursor);
    put(&cursor, packet->first_tick, 4);
    if (!written(&cursor))
        return 0;
    struct fray_bits_writer bits =
        fray_bits_writer((uint8_t *)out + cursor.at, cursor.size - cursor.at);
    inputs_encode(game, inputs, packet->count, &bits);
    size_t len = fray_bits_finish(&bits);
    return len ? cursor.at + len : 0;
}

static bool inputs_decode(const struct fray_game *game, uint8_t *inputs, uint32_t count,
                          struct fray_bits_reader *in)
{
    uint32_t size = game->input_size;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t *input = inputs + (size_t)i * size;
        if (i)
            __builtin_memcpy(input, input - size, size);
        else
            __builtin_memset(input, 0, size);
        fray_delta_decode_flagged(game->input, FRAY_DELTA_PUBLIC, input, in);
    }
    return fray_bits_is_done(in);
}

bool fray_packet_input_decode(const struct fray_game *game, struct fray_packet_input *packet,
                              void *inputs, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_INPUT))
        return false;
    *packet = (struct fray_packet_input){.flags = (uint8_t)take(&cursor, 1)};
    packet->ack = (uint16_t)take(&cursor, 2);
    packet->ack_bits = (uint32_t)take(&cursor, 4);
    if (packet->flags & FRAY_INPUT_HAS_VIEW)
        packet->view = (uint32_t)take(&cursor, 4);
    packet->count = (uint8_t)take(&cursor, 1);
    if (packet->flags > (FRAY_INPUT_NEED_FULL | FRAY_INPUT_HAS_VIEW) ||
        packet->count > FRAY_PACKET_INPUTS_MAX)
        return false;
    if (packet->count == 0)
        return is_all(&cursor);
    packet->first_tick = (uint32_t)take(&cursor, 4);
    if (cursor.at > len)
        return false;
    struct fray_bits_reader bits = fray_bits_reader(cursor.from + cursor.at, len - cursor.at);
    return inputs_decode(game, inputs, packet->count, &bits);
}

/* ------------------------------------------------------------------ WELCOME, PONG, REFUSED */

size_t fray_packet_welcome_encode(const struct fray_packet_welcome *welcome, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_WELCOME);

    put(&cursor, welcome->version, 1);
    put(&cursor, welcome->seat, 1);
    put(&cursor, welcome->tick_hz, 1);
    put(&cursor, welcome->snapshot_hz, 1);
    put(&cursor, welcome->flags, 1);
    put(&cursor, 0, 2);
    put(&cursor, welcome->tick, 4);
    put(&cursor, welcome->rules, 8);
    return written(&cursor);
}

bool fray_packet_welcome_decode(struct fray_packet_welcome *welcome, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_WELCOME))
        return false;
    welcome->version = (uint8_t)take(&cursor, 1);
    welcome->seat = (uint8_t)take(&cursor, 1);
    welcome->tick_hz = (uint8_t)take(&cursor, 1);
    welcome->snapshot_hz = (uint8_t)take(&cursor, 1);
    welcome->flags = (uint8_t)take(&cursor, 1);
    (void)take(&cursor, 2);
    welcome->tick = (uint32_t)take(&cursor, 4);
    welcome->rules = take(&cursor, 8);
    return is_all(&cursor);
}

size_t fray_packet_pong_encode(const struct fray_packet_pong *pong, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_PONG);

    put(&cursor, pong->stamp, 4);
    put(&cursor, pong->tick, 4);
    put(&cursor, pong->phase, 2);
    return written(&cursor);
}

bool fray_packet_pong_decode(struct fray_packet_pong *pong, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_PONG))
        return false;
    pong->stamp = (uint32_t)take(&cursor, 4);
    pong->tick = (uint32_t)take(&cursor, 4);
    pong->phase = (uint16_t)take(&cursor, 2);
    return is_all(&cursor);
}

size_t fray_packet_refused_encode(uint8_t code, void *out, size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_REFUSED);

    put(&cursor, code, 1);
    return written(&cursor);
}

bool fray_packet_refused_decode(uint8_t *code, const void *bytes, size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_REFUSED))
        return false;
    *code = (uint8_t)take(&cursor, 1);
    return is_all(&cursor);
}

/* ------------------------------------------------------------------ SNAPSHOT's header */

/* On the wire alone: what input_tick is. Without either there is none. */
enum { INPUT_IS_TICK = 4, INPUT_FOLLOWS = 8, FLAGS_ALL = 15 };

size_t fray_packet_snapshot_header_encode(const struct fray_packet_snapshot *snapshot, void *out,
                                          size_t size)
{
    struct cursor cursor = write_to(out, size, FRAY_PACKET_SNAPSHOT);
    uint16_t back = (uint16_t)(snapshot->seq - snapshot->base_seq);
    uint32_t flags = snapshot->flags;

    if (snapshot->input_tick)
        flags |= snapshot->input_tick == snapshot->tick ? INPUT_IS_TICK : INPUT_FOLLOWS;
    put(&cursor, flags, 1);
    put(&cursor, snapshot->seq, 2);
    put(&cursor, back, 1);
    put(&cursor, snapshot->tick, 4);
    put(&cursor, (uint8_t)snapshot->margin, 1);
    if (flags & INPUT_FOLLOWS)
        put(&cursor, snapshot->input_tick, 4);
    if (flags & FRAY_SNAPSHOT_HASH)
        put(&cursor, snapshot->hash, 8);
    return back <= UINT8_MAX ? written(&cursor) : 0;
}

size_t fray_packet_snapshot_header_decode(struct fray_packet_snapshot *snapshot, const void *bytes,
                                          size_t len)
{
    struct cursor cursor;

    if (!read_from(&cursor, bytes, len, FRAY_PACKET_SNAPSHOT))
        return 0;
    uint32_t flags = (uint32_t)take(&cursor, 1);
    snapshot->flags = flags & (FRAY_SNAPSHOT_HASH | FRAY_SNAPSHOT_EVENTS_LOST);
    snapshot->seq = (uint16_t)take(&cursor, 2);
    snapshot->base_seq = (uint16_t)(snapshot->seq - take(&cursor, 1));
    snapshot->tick = (uint32_t)take(&cursor, 4);
    snapshot->margin = (int8_t)take(&cursor, 1);
    snapshot->input_tick = flags & INPUT_IS_TICK ? snapshot->tick : 0;
    if (flags & INPUT_FOLLOWS)
        snapshot->input_tick = (uint32_t)take(&cursor, 4);
    snapshot->hash = 0;
    snapshot->events_count = 0;
    if (flags & FRAY_SNAPSHOT_HASH)
        snapshot->hash = take(&cursor, 8);
    bool is_twice = flags & INPUT_IS_TICK && flags & INPUT_FOLLOWS;
    if (flags > FLAGS_ALL || is_twice || snapshot->seq == 0 || snapshot->base_seq == 0 ||
        cursor.at > len)
        return 0;
    return cursor.at;
}
