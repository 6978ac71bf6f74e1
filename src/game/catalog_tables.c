/* What is wrong with a game's tables: they do not match the structs, or the codec (games/delta.c)
 * would lose what is in them. */
#include "game/catalog_fault.h"

static bool is_type(unsigned type)
{
    return type == FRAY_GAME_U8 || type == FRAY_GAME_U16 || type == FRAY_GAME_U32 ||
           type == FRAY_GAME_I8 || type == FRAY_GAME_I16 || type == FRAY_GAME_I32;
}

static bool meaning_fault(const struct fray_game_table *table, const struct fray_game_field *field,
                          char *text)
{
    unsigned most = field->bits < FRAY_FAULT_FRACTION_MAX ? field->bits : FRAY_FAULT_FRACTION_MAX;

    if (field->fraction > most)
        return fray_fault_say(text,
                              "The field %s.%s has a .fraction of %u, and can have 0 … %u with its "
                              "%u bits.",
                              table->name, field->name, field->fraction, most, field->bits);
    if (field->flags & ~(unsigned)FRAY_FAULT_FLAGS)
        return fray_fault_say(text, "The field %s.%s has the .flags %u, which do not all exist.",
                              table->name, field->name, field->flags);
    return false;
}

static bool field_fault(const struct fray_game_table *table, const struct fray_game_field *field,
                        char *text)
{
    uint32_t bytes = field->type & 7u;

    if (fray_fault_name("a field", field->name, text))
        return true;
    if (!is_type(field->type) || !field->count)
        return fray_fault_say(text, "The field %s.%s has no type or no count.", table->name,
                              field->name);
    if (!field->bits || field->bits > bytes * 8)
        return fray_fault_say(text, "The field %s.%s has %u bits, and can have 1 … %u.",
                              table->name, field->name, field->bits, bytes * 8);
    if (field->offset % bytes)
        return fray_fault_say(text, "The field %s.%s is not aligned.", table->name, field->name);
    if ((size_t)field->offset + (size_t)bytes * field->count > table->stride)
        return fray_fault_say(
            text, "The field %s.%s lies outside of its row: is it another struct's list?",
            table->name, field->name);
    return meaning_fault(table, field, text);
}

/* How many of the row's fields have the byte. */
static uint32_t fields_at(const struct fray_game_table *table, uint32_t byte,
                          const struct fray_game_field **last)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        uint32_t len = (field->type & 7u) * field->count;
        bool is_there = byte >= field->offset && byte - field->offset < len;
        count += is_there;
        *last = is_there ? field : *last;
    }
    return count;
}

static bool table_fault(const struct fray_game_table *table, char *text)
{
    const struct fray_game_field *field = NULL;

    if (fray_fault_name("a table", table->name, text))
        return true;
    if (!table->fields || !table->fields_count || !table->stride || !table->rows)
        return fray_fault_say(text, "The table %s has no fields or no rows.", table->name);
    for (uint32_t i = 0; i < table->fields_count; i++)
        if (field_fault(table, &table->fields[i], text))
            return true;
    for (uint32_t byte = 0; byte < table->stride; byte++) {
        uint32_t count = fields_at(table, byte, &field);
        if (count > 1)
            return fray_fault_say(text, "The field %s.%s is listed twice, or lies on another.",
                                  table->name, field->name);
        if (!count)
            return fray_fault_say(
                text,
                "No field of the table %s has byte %u of its row: is one missing, or is "
                "the number of rows wrong?",
                table->name, byte);
    }
    return false;
}

/* A field that the host reads itself. */
static bool special_fault(const struct fray_game_table *table, const char *what, uint16_t at,
                          unsigned type, char *text)
{
    for (uint32_t i = 0; at && i < table->fields_count; i++)
        if (table->fields[i].offset + 1 == at && table->fields[i].type == type)
            return false;
    if (!at)
        return false;
    return fray_fault_say(text, "The .%s of the table %s is no %s field of it.", what, table->name,
                          type == FRAY_GAME_U8 ? "uint8_t" : "int32_t");
}

/* Clients are told of rows by their `present`: they must get it with the rest of the row. */
static bool present_fault(const struct fray_game_table *table, char *text)
{
    static const char *const names[] = {[FRAY_GAME_OWNER] = "FRAY_GAME_OWNER",
                                        [FRAY_GAME_HIDDEN] = "FRAY_GAME_HIDDEN",
                                        [FRAY_GAME_CLOCK] = "FRAY_GAME_CLOCK"};

    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        for (unsigned flag = FRAY_GAME_OWNER; flag <= FRAY_GAME_CLOCK; flag <<= 1)
            if (field->offset + 1 == table->present && field->flags & flag)
                return fray_fault_say(text,
                                      "The field %s.%s says which rows there are, and can not be "
                                      "%s: others would see no row.",
                                      table->name, field->name, names[flag]);
    }
    return false;
}

static bool specials_fault(const struct fray_game *game, const struct fray_game_table *table,
                           char *text)
{
    bool is_by_seat = table->owner == FRAY_GAME_ROW;

    if (is_by_seat && table->rows != game->seats_max)
        return fray_fault_say(text, "The table %s is by seat and has %u rows, for %u seats.",
                              table->name, table->rows, game->seats_max);
    return special_fault(table, "present", table->present, FRAY_GAME_U8, text) ||
           present_fault(table, text) ||
           special_fault(table, "owner", is_by_seat ? 0 : table->owner, FRAY_GAME_U8, text) ||
           special_fault(table, "x", table->x, FRAY_GAME_I32, text) ||
           special_fault(table, "y", table->y, FRAY_GAME_I32, text);
}

bool fray_fault_state(const struct fray_game *game, char *text)
{
    uint32_t end = 0;

    for (uint32_t i = 0; i < game->tables_count; i++) {
        const struct fray_game_table *table = &game->tables[i];
        if (table_fault(table, text) || specials_fault(game, table, text))
            return true;
        if (table->offset != end)
            return fray_fault_say(
                text,
                "The table %s begins at byte %u of the state, and that before it ends at "
                "%u: tables stand in the order of the struct, and cover it.",
                table->name, table->offset, end);
        for (uint32_t k = 0; k < i; k++)
            if (fray_fault_twice("tables", table->name, game->tables[k].name, text))
                return true;
        end += table->stride * table->rows;
    }
    if (end != game->state_size)
        return fray_fault_say(text, "Its tables cover %u bytes, and .state_size is %u.", end,
                              game->state_size);
    return false;
}

/* The codec sends a value's low bits, in two's complement (games/delta.c). */
static bool bits_fault(const struct fray_game_field *field, char *text)
{
    bool is_signed = field->type & 8;
    long long end = 1LL << (is_signed ? field->bits - 1 : field->bits);
    long long least = is_signed ? -end : 0;

    if (field->min >= least && field->max < end)
        return false;
    return fray_fault_say(text,
                          "The input field %s goes from %d to %d, and its %u bits hold no more "
                          "than %lld … %lld.",
                          field->name, field->min, field->max, field->bits, least, end - 1);
}

static bool range_fault(const struct fray_game_field *field, char *text)
{
    if (field->min > field->max)
        return fray_fault_say(text, "The input field %s has .min %d above .max %d.", field->name,
                              field->min, field->max);
    if (field->min == 0 && field->max == 0 && !(field->flags & FRAY_GAME_HIDDEN))
        return fray_fault_say(text, "The input field %s can be nothing but 0: it needs .max.",
                              field->name);
    return bits_fault(field, text);
}

bool fray_fault_input(const struct fray_game *game, char *text)
{
    const struct fray_game_table *input = game->input;

    if (table_fault(input, text))
        return true;
    if (input->stride != game->input_size)
        return fray_fault_say(text, "Its input has %u bytes, and .input_size is %u.", input->stride,
                              game->input_size);
    for (uint32_t i = 0; i < input->fields_count; i++)
        if (range_fault(&input->fields[i], text))
            return true;
    return false;
}
