#include "game/json.h"

#include <string.h>

#include "base/mem.h"
#include "delta.h"

/* A number as the tables mean it: a player's id, a label, a fraction, or itself. */
static json_t *number_json(int64_t value, uint8_t fraction, uint8_t flags,
                           const struct fray_game_players *players)
{
    if (flags & FRAY_GAME_SEAT) {
        const char *id = value >= 0 && value < FRAY_GAME_NOBODY
                             ? players->id(players->context, (uint32_t)value)
                             : NULL;
        return id ? json_string(id) : json_null();
    }
    if (fraction)
        return json_real((double)value / (double)(1u << fraction));
    return json_integer(value);
}

static const char *label_of(const struct fray_game_field *field, int64_t value)
{
    for (int64_t i = 0; field->labels && field->labels[i]; i++) {
        if (i == value)
            return field->labels[i];
    }
    return NULL;
}

static json_t *element_json(const struct fray_game_field *field, const char *row, uint32_t i,
                            const struct fray_game_players *players)
{
    int64_t value = fray_game_read(field, row, i);
    const char *label = label_of(field, value);
    return label ? json_string(label) : number_json(value, field->fraction, field->flags, players);
}

static json_t *field_json(const struct fray_game_field *field, const char *row,
                          const struct fray_game_players *players)
{
    if (field->count == 1)
        return element_json(field, row, 0, players);
    json_t *array = json_array();
    for (uint32_t i = 0; i < field->count; i++)
        json_array_append_new(array, element_json(field, row, i, players));
    return array;
}

static json_t *row_json(const struct fray_game_table *table, const char *row, uint32_t number,
                        uint32_t viewer, const struct fray_game_players *players)
{
    json_t *object = json_object();
    uint32_t owner = fray_delta_owner(table, row, number);
    bool is_own = fray_delta_owns(table, row, number, viewer);
    if (table->rows > 1 && owner != FRAY_GAME_NOBODY) {
        json_object_set_new(object, "seat", json_integer(owner));
        json_object_set_new(object, "id", number_json(owner, 0, FRAY_GAME_SEAT, players));
    }
    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        bool is_others = (field->flags & FRAY_GAME_OWNER) && !is_own;
        if (!(field->flags & FRAY_GAME_HIDDEN) && !is_others)
            json_object_set_new(object, field->name, field_json(field, row, players));
    }
    return object;
}

static void json_append(struct fray_buf *out, json_t *json)
{
    size_t size = json_dumpb(json, NULL, 0, JSON_COMPACT);
    json_dumpb(json, fray_buf_reserve(out, size), size, JSON_COMPACT);
    out->len += size;
    json_decref(json);
}

void fray_game_json_rows_clear(struct fray_game_json_rows *rows)
{
    rows->text.len = 0;
    if (rows->rows)
        memset(rows->rows, 0, rows->count * sizeof *rows->rows);
}

void fray_game_json_rows_deinit(struct fray_game_json_rows *rows)
{
    fray_buf_deinit(&rows->text);
    free(rows->rows);
    *rows = (struct fray_game_json_rows){0};
}

static void rows_reserve(struct fray_game_json_rows *rows, const struct fray_game *game)
{
    size_t count = 0;
    for (uint32_t t = 0; t < game->tables_count; t++)
        count += game->tables[t].rows;
    if (count <= rows->count)
        return;
    rows->rows = fray_realloc(rows->rows, count * sizeof *rows->rows);
    memset(rows->rows + rows->count, 0, (count - rows->count) * sizeof *rows->rows);
    rows->count = count;
}

/* What one viewer is shown, and with what. */
struct writer {
    uint32_t viewer;
    const struct fray_game_players *players;
    struct fray_game_json_rows *rows;
    struct fray_buf *out;
};

static void row_append(const struct writer *writer, const struct fray_game_table *table,
                       const char *row, uint32_t number, struct fray_game_json_row *kept)
{
    struct fray_buf *text = &writer->rows->text;
    if (fray_delta_owns(table, row, number, writer->viewer)) {
        json_append(writer->out, row_json(table, row, number, writer->viewer, writer->players));
        return;
    }
    if (!kept->len) {
        kept->at = text->len;
        json_append(text, row_json(table, row, number, FRAY_GAME_NOBODY, writer->players));
        kept->len = text->len - kept->at;
    }
    fray_buf_append(writer->out, text->data + kept->at, kept->len);
}

static void rows_append(const struct writer *writer, const struct fray_game_table *table,
                        const char *row, struct fray_game_json_row *kept)
{
    bool is_first = true;
    fray_buf_append_byte(writer->out, '[');
    for (uint32_t i = 0; i < table->rows; i++, row += table->stride) {
        if (table->present && !row[table->present - 1])
            continue;
        if (!is_first)
            fray_buf_append_byte(writer->out, ',');
        is_first = false;
        row_append(writer, table, row, i, &kept[i]);
    }
    fray_buf_append_byte(writer->out, ']');
}

void fray_game_json_state(const struct fray_game *game, const void *view, uint32_t viewer,
                          const struct fray_game_players *players, struct fray_game_json_rows *rows,
                          struct fray_buf *out)
{
    const struct writer writer = {viewer, players, rows, out};
    rows_reserve(rows, game);
    struct fray_game_json_row *kept = rows->rows;

    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        const char *row = (const char *)view + table->offset;
        fray_buf_printf(out, "%c\"%s\":", t ? ',' : '{', table->name);
        if (table->rows == 1)
            row_append(&writer, table, row, 0, kept);
        else
            rows_append(&writer, table, row, kept);
        kept += table->rows;
    }
    fray_buf_append_byte(out, '}');
}

json_t *fray_game_json_event(const struct fray_game *game, const struct fray_game_event *event,
                             const struct fray_game_players *players)
{
    const struct fray_game_event_kind *kind = &game->events[event->kind];
    json_t *content = json_object();
    for (int i = 0; i < FRAY_GAME_ARGS_MAX && kind->args[i].name; i++) {
        json_t *value =
            number_json(event->args[i], kind->args[i].fraction, kind->args[i].flags, players);
        const char *name = kind->args[i].name, *dot = strchr(name, '.');
        if (!dot) {
            json_object_set_new(content, name, value);
            continue;
        }
        json_t *inner = json_object_getn(content, name, (size_t)(dot - name));
        if (!inner) {
            inner = json_object();
            json_object_setn_new(content, name, (size_t)(dot - name), inner);
        }
        json_object_set_new(inner, dot + 1, value);
    }
    return content;
}

/* ------------------------------------------------------------------ inputs */

const struct fray_game_action *fray_game_json_action(const struct fray_game *game, const char *name)
{
    for (uint32_t i = 0; i < game->actions_count; i++) {
        if (strcmp(game->actions[i].name, name) == 0)
            return &game->actions[i];
    }
    return NULL;
}

/* A number, a flag, or the name of a value. */
static bool value_parse(const struct fray_game_field *field, const json_t *json, double *value)
{
    if (json_is_boolean(json)) {
        *value = json_is_true(json);
        return true;
    }
    if (json_is_string(json)) {
        for (int i = 0; field->labels && field->labels[i]; i++) {
            *value = i;
            if (strcmp(field->labels[i], json_string_value(json)) == 0)
                return true;
        }
        return false;
    }
    if (!json_is_number(json) || (json_is_real(json) && !field->fraction))
        return false;
    *value = json_number_value(json) * (double)(1u << field->fraction);
    return true;
}

static const char *field_take(const struct fray_game_field *field, const json_t *json, void *input)
{
    double value = 0;
    if (json && !value_parse(field, json, &value))
        return "wrong_shape";
    if (!(value >= field->min && value <= field->max))
        return "out_of_range";
    fray_game_write(field, input, 0, (int64_t)(value < 0 ? value - 0.5 : value + 0.5));
    return NULL;
}

enum { TAKES_MAX = sizeof((struct fray_game_action *)0)->takes / sizeof(char *) };

/* Keys that are missing are 0, but not all of them: that is a slip of the sender's, not a move. */
const char *fray_game_json_input(const struct fray_game *game,
                                 const struct fray_game_action *action, const json_t *content,
                                 void *input)
{
    bool has_any = !action->takes[0];

    if (content && !json_is_null(content) && !json_is_object(content))
        return "wrong_shape";
    for (int i = 0; i < TAKES_MAX && action->takes[i]; i++) {
        const struct fray_game_field *field = fray_game_field(game->input, action->takes[i]);
        const json_t *json = json_object_get(content, action->takes[i]);
        const char *reason = field_take(field, json, input);
        if (reason)
            return reason;
        has_any = has_any || json;
    }
    if (!has_any)
        return "wrong_shape";
    if (action->sets)
        fray_game_write(fray_game_field(game->input, action->sets), input, 0, action->value);
    return NULL;
}

static void field_explain(const struct fray_game_field *field, struct fray_buf *out)
{
    double unit = 1u << field->fraction;

    if (!field->labels) {
        fray_buf_printf(out, "%s is %s from %.8g to %.8g.", field->name,
                        field->fraction ? "a number" : "an integer", field->min / unit,
                        field->max / unit);
        return;
    }
    fray_buf_printf(out, "%s is one of", field->name);
    for (int i = 0; field->labels[i]; i++)
        fray_buf_printf(out, "%s \"%s\"", i ? "," : "", field->labels[i]);
    FRAY_BUF_LITERAL(out, ".");
}

void fray_game_json_explain(const struct fray_game *game, const struct fray_game_action *action,
                            const json_t *content, struct fray_buf *out)
{
    bool is_object = !content || json_is_null(content) || json_is_object(content);
    char *input = fray_alloc_zero(game->input_size);

    for (int i = 0; is_object && i < TAKES_MAX && action->takes[i] && !out->len; i++) {
        const struct fray_game_field *field = fray_game_field(game->input, action->takes[i]);
        if (field_take(field, json_object_get(content, action->takes[i]), input))
            field_explain(field, out);
    }
    if (!out->len && fray_game_json_input(game, action, content, input)) {
        fray_buf_printf(out, "%s takes an object with", action->name);
        for (int i = 0; i < TAKES_MAX && action->takes[i]; i++)
            fray_buf_printf(out, "%s %s", i ? "," : "", action->takes[i]);
        FRAY_BUF_LITERAL(out, ".");
    }
    free(input);
}
