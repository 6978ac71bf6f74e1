#include "client/between.h"

#include "delta.h"

/* The same row in both states, and where its place is; x is NULL: it has none. */
struct row {
    const struct fray_game_field *x, *y;
    const char *older, *newer;
    bool is_in_both;
};

static const struct fray_game_field *field_at(const struct fray_game_table *table, uint16_t at)
{
    for (uint32_t i = 0; at && i < table->fields_count; i++)
        if (table->fields[i].offset == at - 1)
            return &table->fields[i];
    return NULL;
}

static struct row row_of(const struct fray_game_table *table,
                         const struct fray_client_moment *moment)
{
    return (struct row){.x = field_at(table, table->x),
                        .y = field_at(table, table->y),
                        .older = (const char *)moment->older + table->offset,
                        .newer = (const char *)moment->newer + table->offset};
}

static void row_select(struct row *row, const struct fray_game_table *table,
                       const struct fray_client_moment *moment, uint32_t number)
{
    size_t at = table->offset + (size_t)number * table->stride;
    row->older = (const char *)moment->older + at;
    row->newer = (const char *)moment->newer + at;
    row->is_in_both =
        fray_delta_is_present(table, row->older) && fray_delta_is_present(table, row->newer);
}

/* One field of it, on the way. */
struct span {
    int64_t from, to;
};

static struct span span_of(const struct fray_game_field *field, const struct row *row)
{
    return (struct span){fray_game_read(field, row->older, 0),
                         fray_game_read(field, row->newer, 0)};
}

static double span_at(struct span span, double fraction)
{
    return (double)span.from + (double)(span.to - span.from) * fraction;
}

static void put(const struct fray_game_field *field, char *row, double value)
{
    fray_game_write(field, row, 0, (int64_t)(value + (value < 0 ? -0.5 : 0.5)));
}

static bool is_near(const struct fray_game_field *field, struct span span, double most_px)
{
    double apart = (double)(span.to - span.from), most = most_px * (1u << field->fraction);
    return apart <= most && apart >= -most;
}

static bool is_newer(const struct fray_client_moment *moment)
{
    return moment->is_newest || moment->fraction >= 1;
}

static void places(const struct fray_game_table *table,
                   const struct fray_client_smoothing *smoothing,
                   const struct fray_client_moment *moment, char *out)
{
    struct row row = row_of(table, moment);
    double most_px = smoothing->teleport_px * moment->ticks;
    for (uint32_t i = 0; row.x && row.y && i < table->rows; i++, out += table->stride) {
        row_select(&row, table, moment, i);
        if (!row.is_in_both)
            continue;
        struct span x = span_of(row.x, &row), y = span_of(row.y, &row);
        if ((x.from == x.to && y.from == y.to) || !is_near(row.x, x, most_px) ||
            !is_near(row.y, y, most_px))
            continue;
        put(row.x, out, span_at(x, moment->fraction));
        put(row.y, out, span_at(y, moment->fraction));
    }
}

/* These go no further than newer: only places are foreseen. */
static void others(const struct fray_game_table *table, const struct fray_game_field *field,
                   const struct fray_client_moment *moment, char *out)
{
    struct row row = row_of(table, moment);
    double fraction = moment->fraction < 1 ? moment->fraction : 1;
    for (uint32_t i = 0; i < table->rows; i++, out += table->stride) {
        row_select(&row, table, moment, i);
        if (row.is_in_both)
            put(field, out, span_at(span_of(field, &row), fraction));
    }
}

void fray_client_between(const struct fray_game *game,
                         const struct fray_client_smoothing *smoothing,
                         const struct fray_client_moment *moment, void *out)
{
    __builtin_memcpy(out, is_newer(moment) ? moment->newer : moment->older, game->state_size);
    for (uint32_t i = 0; i < game->tables_count; i++)
        places(&game->tables[i], smoothing, moment, (char *)out + game->tables[i].offset);
    for (uint32_t i = 0; i < smoothing->fields_count; i++) {
        const struct fray_game_table *table = &game->tables[smoothing->fields[i] >> 8];
        others(table, &table->fields[smoothing->fields[i] & 255], moment,
               (char *)out + table->offset);
    }
}

bool fray_client_between_place(const struct fray_game_table *table, uint32_t number,
                               const struct fray_client_smoothing *smoothing,
                               const struct fray_client_moment *moment,
                               struct fray_client_place *place)
{
    struct row row = row_of(table, moment);
    if (!row.x || !row.y)
        return false;
    row_select(&row, table, moment, number);
    struct span x = span_of(row.x, &row), y = span_of(row.y, &row);
    double most_px = smoothing->teleport_px * moment->ticks;
    bool has_walked = row.is_in_both && is_near(row.x, x, most_px) && is_near(row.y, y, most_px);
    double fraction = has_walked ? moment->fraction : is_newer(moment);
    place->x = span_at(x, fraction) / (1u << row.x->fraction);
    place->y = span_at(y, fraction) / (1u << row.y->fraction);
    return true;
}

void fray_client_place_shift(const struct fray_game_table *table, void *row,
                             struct fray_client_place by)
{
    const struct fray_game_field *x = field_at(table, table->x), *y = field_at(table, table->y);
    put(x, row, (double)fray_game_read(x, row, 0) + by.x * (1u << x->fraction));
    put(y, row, (double)fray_game_read(y, row, 0) + by.y * (1u << y->fraction));
}
