/* Fields of a game that is known by its tables only (fray/game.h). Pure. */
#include "fray/game.h"

int64_t fray_game_read(const struct fray_game_field *field, const void *row, uint32_t i)
{
    const char *at = (const char *)row + field->offset + (size_t)i * (field->type & 7u);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;

    switch (field->type & 7) {
    case 1: __builtin_memcpy(&u8, at, sizeof u8); return field->type & 8 ? (int8_t)u8 : u8;
    case 2: __builtin_memcpy(&u16, at, sizeof u16); return field->type & 8 ? (int16_t)u16 : u16;
    default:
        __builtin_memcpy(&u32, at, sizeof u32);
        return field->type & 8 ? (int32_t)u32 : (int64_t)u32;
    }
}

void fray_game_write(const struct fray_game_field *field, void *row, uint32_t i, int64_t value)
{
    char *at = (char *)row + field->offset + (size_t)i * (field->type & 7u);
    uint32_t u32 = (uint32_t)value; /* little-endian: its first bytes are the smaller types */

    switch (field->type & 7) {
    case 1: __builtin_memcpy(at, &u32, 1); break;
    case 2: __builtin_memcpy(at, &u32, 2); break;
    default: __builtin_memcpy(at, &u32, 4);
    }
}

static bool is_equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

const struct fray_game_table *fray_game_table(const struct fray_game *game, const char *name)
{
    for (uint32_t i = 0; i < game->tables_count; i++)
        if (is_equal(game->tables[i].name, name))
            return &game->tables[i];
    return NULL;
}

const struct fray_game_field *fray_game_field(const struct fray_game_table *table, const char *name)
{
    for (uint32_t i = 0; table && i < table->fields_count; i++)
        if (is_equal(table->fields[i].name, name))
            return &table->fields[i];
    return NULL;
}

static bool fits(const struct fray_game_field *field, int64_t value)
{
    bool is_signed = field->type & 8;
    int64_t end = (int64_t)1 << (is_signed ? field->bits - 1 : field->bits);

    return value < end && value >= (is_signed ? -end : 0);
}

static bool row_find_misfit(const struct fray_game_table *table, const void *row,
                            struct fray_game_misfit *misfit)
{
    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        bool is_sent = !(field->flags & (FRAY_GAME_HIDDEN | FRAY_GAME_CLOCK));
        for (uint32_t k = 0; is_sent && k < field->count; k++) {
            misfit->field = field;
            misfit->value = fray_game_read(field, row, k);
            if (!fits(field, misfit->value))
                return true;
        }
    }
    return false;
}

bool fray_game_find_misfit(const struct fray_game *game, const void *state,
                           struct fray_game_misfit *misfit)
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        const char *row = (const char *)state + table->offset;
        misfit->table = table;
        for (misfit->row = 0; misfit->row < table->rows; misfit->row++, row += table->stride)
            if ((!table->present || row[table->present - 1]) && row_find_misfit(table, row, misfit))
                return true;
    }
    return false;
}

bool fray_game_find_out_of_range(const struct fray_game *game, const void *input,
                                 struct fray_game_misfit *misfit)
{
    misfit->table = game->input;
    misfit->row = 0;
    for (uint32_t i = 0; i < game->input->fields_count; i++) {
        const struct fray_game_field *field = misfit->field = &game->input->fields[i];
        for (uint32_t k = 0; k < field->count; k++) {
            misfit->value = fray_game_read(field, input, k);
            if (misfit->value < field->min || misfit->value > field->max)
                return true;
        }
    }
    return false;
}

int64_t fray_game_get(const struct fray_game *game, const void *state, const char *table,
                      uint32_t row, const char *field)
{
    const struct fray_game_table *rows = fray_game_table(game, table);
    const struct fray_game_field *one = fray_game_field(rows, field);

    if (!one || row >= rows->rows)
        return 0;
    return fray_game_read(one, (const char *)state + rows->offset + (size_t)row * rows->stride, 0);
}

bool fray_game_set_input(const struct fray_game *game, void *input, const char *field,
                         int64_t value)
{
    const struct fray_game_field *one = fray_game_field(game->input, field);

    if (one)
        fray_game_write(one, input, 0,
                        value < one->min   ? one->min
                        : value > one->max ? one->max
                                           : value);
    return one;
}
