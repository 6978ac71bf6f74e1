/* The row codec (delta.h). A part is which of its fields changed, and their values. */
#include "delta.h"

/* Values are sent whole, or as a difference where that is shorter. Which it is, a prefix says that
 * was chosen by measuring: most of what changes are places, by what somebody walks. */
enum {
    WHOLE_MAX = 8,   /* fields of at most so many bits are always sent whole */
    NARROW_MAX = 14, /* of these a small difference is the only other way */
    STEP_BITS = 6,
    WALK_BITS = 12,
    LEAP_BITS = 13,
    PREFIX_MAX = 3,
};

static bool is_in_part(const struct fray_game_field *field, enum fray_delta_part part)
{
    if (field->flags & (FRAY_GAME_HIDDEN | FRAY_GAME_CLOCK))
        return false;
    return !(field->flags & FRAY_GAME_OWNER) == (part == FRAY_DELTA_PUBLIC);
}

static uint32_t bytes_of(const struct fray_game_field *field)
{
    return field->type & 7u;
}

static uint32_t mask_of(const struct fray_game_field *field)
{
    return (uint32_t)(((uint64_t)1 << field->bits) - 1);
}

/* The value's low `bits`. */
static uint32_t value_read(const struct fray_game_field *field, const uint8_t *row, uint32_t index)
{
    const uint8_t *at = row + field->offset + (size_t)index * bytes_of(field);
    uint32_t value = *at;
    uint16_t half;

    if (bytes_of(field) == 4) {
        __builtin_memcpy(&value, at, 4);
    } else if (bytes_of(field) == 2) {
        __builtin_memcpy(&half, at, 2);
        value = half;
    }
    return value & mask_of(field);
}

static void value_write(const struct fray_game_field *field, uint8_t *row, uint32_t index,
                        uint32_t value)
{
    uint8_t *at = row + field->offset + (size_t)index * bytes_of(field);

    if (field->type & 8 && value >> (field->bits - 1))
        value |= ~mask_of(field);
    if (bytes_of(field) == 4)
        __builtin_memcpy(at, &value, 4);
    else if (bytes_of(field) == 2)
        __builtin_memcpy(at, &value, 2);
    else
        *at = (uint8_t)value;
}

/* Byte by byte: a call of memcmp for a number or two would cost more. A base that is NULL is zeros.
 */
static bool field_differs(const struct fray_game_field *field, const uint8_t *base,
                          const uint8_t *row)
{
    uint32_t len = bytes_of(field) * field->count;

    for (uint32_t i = field->offset; i < field->offset + len; i++)
        if ((base ? base[i] : 0) != row[i])
            return true;
    return false;
}

bool fray_delta_has(const struct fray_game_table *table, enum fray_delta_part part)
{
    for (uint32_t i = 0; i < table->fields_count; i++)
        if (is_in_part(&table->fields[i], part))
            return true;
    return false;
}

bool fray_delta_differs(const struct fray_game_table *table, enum fray_delta_part part,
                        const void *base, const void *row)
{
    for (uint32_t i = 0; i < table->fields_count; i++)
        if (is_in_part(&table->fields[i], part) && field_differs(&table->fields[i], base, row))
            return true;
    return false;
}

uint32_t fray_delta_bits_max(const struct fray_game_table *table, enum fray_delta_part part)
{
    uint32_t fields = 0, bits = 0;

    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        if (!is_in_part(field, part))
            continue;
        fields++;
        bits += 1 + field->count * (1u + PREFIX_MAX + field->bits);
    }
    return bits + 3 + fray_bits_golomb_count(fields, 0);
}

/* ------------------------------------------------------------------ values */

static bool fits(int32_t difference, uint32_t width)
{
    int32_t half = (int32_t)1 << (width - 1);

    return difference >= -half && difference < half;
}

static void value_encode(const struct fray_game_field *field, uint32_t old, uint32_t value,
                         struct fray_bits_writer *out)
{
    if (field->bits <= WHOLE_MAX) {
        fray_bits_put(out, value, field->bits);
        return;
    }
    uint32_t unused = 32u - field->bits;
    int32_t difference = (int32_t)((value - old) << unused) >> unused; /* modulo 2^bits */
    uint64_t low = (uint32_t)difference;
    if (field->bits <= NARROW_MAX) {
        if (fits(difference, STEP_BITS))
            fray_bits_put(out, 1 | (low << 1 & ((2u << STEP_BITS) - 1)), 1 + STEP_BITS);
        else
            fray_bits_put(out, (uint64_t)value << 1, 1 + field->bits);
    } else if (fits(difference, STEP_BITS)) {
        fray_bits_put(out, 4 | (low << 3 & ((8u << STEP_BITS) - 1)), 3 + STEP_BITS);
    } else if (fits(difference, WALK_BITS)) {
        fray_bits_put(out, 1 | (low << 1 & ((2u << WALK_BITS) - 1)), 1 + WALK_BITS);
    } else if (fits(difference, LEAP_BITS)) {
        fray_bits_put(out, 2 | (low << 2 & ((4u << LEAP_BITS) - 1)), 2 + LEAP_BITS);
    } else {
        fray_bits_put(out, (uint64_t)value << 3, 3 + field->bits);
    }
}

/* The width of the difference that follows, or 0: the whole value does. */
static uint32_t width_decode(const struct fray_game_field *field, struct fray_bits_reader *in)
{
    if (field->bits <= WHOLE_MAX)
        return 0;
    if (field->bits <= NARROW_MAX)
        return fray_bits_take(in, 1) ? STEP_BITS : 0;
    if (fray_bits_take(in, 1))
        return WALK_BITS;
    if (fray_bits_take(in, 1))
        return LEAP_BITS;
    return fray_bits_take(in, 1) ? STEP_BITS : 0;
}

static uint32_t value_decode(const struct fray_game_field *field, uint32_t old,
                             struct fray_bits_reader *in)
{
    uint32_t width = width_decode(field, in);
    if (width == 0)
        return fray_bits_take(in, field->bits);
    uint32_t unused = 32u - width;
    int32_t difference = (int32_t)(fray_bits_take(in, width) << unused) >> unused;
    return (old + (uint32_t)difference) & mask_of(field);
}

static void field_encode(const struct fray_game_field *field, const uint8_t *base,
                         const uint8_t *row, struct fray_bits_writer *out)
{
    for (uint32_t i = 0; i < field->count; i++) {
        uint32_t old = base ? value_read(field, base, i) : 0, value = value_read(field, row, i);
        if (field->count > 1)
            fray_bits_put(out, old != value, 1);
        if (field->count == 1 || old != value)
            value_encode(field, old, value, out);
    }
}

static void field_decode(const struct fray_game_field *field, uint8_t *row,
                         struct fray_bits_reader *in)
{
    for (uint32_t i = 0; i < field->count && !in->is_bad; i++)
        if (field->count == 1 || fray_bits_take(in, 1))
            value_write(field, row, i, value_decode(field, value_read(field, row, i), in));
}

/* ------------------------------------------------------------------ parts */

/* Which fields of a part are written is a code: 0 the first two (as in "x and y"), 1 the first
 * alone, 2 the second alone, and for n > 2 the n-th is the last, and a bit follows for each before
 * it. */
enum { CODE_TWO = 0, CODE_FIRST = 1, CODE_SECOND = 2 };

/* 0: none differs. */
static uint32_t number_of_last(const struct fray_game_table *table, enum fray_delta_part part,
                               const uint8_t *base, const uint8_t *row, bool *first_differs)
{
    uint32_t number = 0, last = 0;

    *first_differs = false;
    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        if (!is_in_part(field, part))
            continue;
        number++;
        if (!field_differs(field, base, row))
            continue;
        last = number;
        *first_differs |= number == 1;
    }
    return last;
}

void fray_delta_encode(const struct fray_game_table *table, enum fray_delta_part part,
                       const void *base, const void *row, struct fray_bits_writer *out)
{
    bool first_differs;
    uint32_t last = number_of_last(table, part, base, row, &first_differs), number = 0;

    if (last == 0)
        return;
    fray_bits_put_golomb(out, last == 2 && first_differs ? CODE_TWO : last, 0);
    for (uint32_t i = 0; number < last; i++) {
        if (!is_in_part(&table->fields[i], part))
            continue;
        bool differs = field_differs(&table->fields[i], base, row);
        if (++number < last && last > 2)
            fray_bits_put(out, differs, 1);
        if (differs)
            field_encode(&table->fields[i], base, row, out);
    }
}

void fray_delta_decode(const struct fray_game_table *table, enum fray_delta_part part, void *row,
                       struct fray_bits_reader *in)
{
    uint32_t code = fray_bits_take_golomb(in, 0), number = 0;
    uint32_t last = code == CODE_TWO ? 2 : code;

    for (uint32_t i = 0; i < table->fields_count && !in->is_bad; i++) {
        if (!is_in_part(&table->fields[i], part))
            continue;
        number++;
        bool differs = number == last || code == CODE_TWO;
        if (number < last && last > 2)
            differs = fray_bits_take(in, 1);
        if (differs)
            field_decode(&table->fields[i], row, in);
        if (number == last)
            return;
    }
    in->is_bad = true;
}

void fray_delta_encode_flagged(const struct fray_game_table *table, enum fray_delta_part part,
                               const void *base, const void *row, struct fray_bits_writer *out)
{
    bool differs = fray_delta_differs(table, part, base, row);

    fray_bits_put(out, differs, 1);
    if (differs)
        fray_delta_encode(table, part, base, row, out);
}

void fray_delta_decode_flagged(const struct fray_game_table *table, enum fray_delta_part part,
                               void *row, struct fray_bits_reader *in)
{
    if (fray_bits_take(in, 1))
        fray_delta_decode(table, part, row, in);
}

/* ------------------------------------------------------------------ what is not sent */

void fray_delta_set_clocks(const struct fray_game_table *table, void *row, uint32_t tick,
                           bool owned)
{
    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        if (!(field->flags & FRAY_GAME_CLOCK) || field->flags & FRAY_GAME_HIDDEN ||
            (field->flags & FRAY_GAME_OWNER && !owned))
            continue;
        for (uint32_t k = 0; k < field->count; k++)
            value_write(field, row, k, tick & mask_of(field));
    }
}

/* Almost all are one number; a call of memset for each would be half the cost of a view. */
static void bytes_clear(uint8_t *at, uint32_t len)
{
    switch (len) {
    case 1: *at = 0; break;
    case 2: __builtin_memset(at, 0, 2); break;
    case 4: __builtin_memset(at, 0, 4); break;
    default: __builtin_memset(at, 0, len);
    }
}

void fray_delta_clear_secrets(const struct fray_game_table *table, void *row, bool owned)
{
    uint8_t secret = owned ? FRAY_GAME_HIDDEN : FRAY_GAME_HIDDEN | FRAY_GAME_OWNER;

    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        if (field->flags & secret)
            bytes_clear((uint8_t *)row + field->offset, field->count * bytes_of(field));
    }
}

uint32_t fray_delta_clock(const struct fray_game *game, const void *state)
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        for (uint32_t i = 0; i < table->fields_count; i++)
            if (table->fields[i].flags & FRAY_GAME_CLOCK)
                return value_read(&table->fields[i], (const uint8_t *)state + table->offset, 0);
    }
    return 0;
}

/* ------------------------------------------------------------------ events */

static uint32_t kind_bits(const struct fray_game *game)
{
    return game->events_count > 1 ? 32 - (uint32_t)__builtin_clz(game->events_count - 1) : 0;
}

static uint32_t args_count(const struct fray_game_event_kind *kind)
{
    uint32_t count = 0;

    while (count < FRAY_GAME_ARGS_MAX && kind->args[count].name)
        count++;
    return count;
}

/* 0, 8, 16 or 32 bits. */
static uint32_t arg_width(uint32_t class)
{
    return class ? 4u << class : 0;
}

void fray_delta_encode_event(const struct fray_game *game, const struct fray_game_event *event,
                             struct fray_bits_writer *out)
{
    fray_bits_put(out, event->kind, kind_bits(game));
    for (uint32_t i = 0; i < args_count(&game->events[event->kind]); i++) {
        int32_t arg = event->args[i];
        uint32_t class = arg == 0 ? 0 : fits(arg, 8) ? 1 : fits(arg, 16) ? 2 : 3;
        uint64_t low = (uint32_t)arg & (((uint64_t)1 << arg_width(class)) - 1);
        fray_bits_put(out, class | low << 2, 2 + arg_width(class));
    }
}

void fray_delta_decode_event(const struct fray_game *game, struct fray_game_event *event,
                             struct fray_bits_reader *in)
{
    *event = (struct fray_game_event){.to = FRAY_GAME_NOBODY};
    uint32_t kind = fray_bits_take(in, kind_bits(game));
    if (kind >= game->events_count) {
        in->is_bad = true;
        return;
    }
    event->kind = (uint8_t)kind;
    for (uint32_t i = 0; i < args_count(&game->events[kind]); i++) {
        uint32_t width = arg_width(fray_bits_take(in, 2));
        uint32_t unused = 32 - width, low = fray_bits_take(in, width);
        event->args[i] = width ? (int32_t)(low << unused) >> unused : 0;
    }
}
