/* A game's tables as JSON, from which pages and tools build their accessors (fray/game.h). Names
 * and summaries are the game's own literals without characters that JSON would escape;
 * games/contract_test.c sees to that. Pure. */
#include "fray/game.h"

/* Counts everything, writes what fits: the length comes back as from snprintf. */
struct writer {
    char *text;
    size_t size, len;
    uint64_t hash;
};

__attribute__((noinline)) static void put_char(struct writer *out, char c)
{
    if (out->len + 1 < out->size)
        out->text[out->len] = c;
    out->hash = fray_game_hash(out->hash, &c, 1);
    out->len++;
}

__attribute__((noinline)) static void put(struct writer *out, const char *text)
{
    while (*text)
        put_char(out, *text++);
}

/* A comma unless the list or object has just begun. */
static void put_comma(struct writer *out, bool *first)
{
    if (!*first)
        put_char(out, ',');
    *first = false;
}

static void put_int(struct writer *out, int64_t value)
{
    char digits[20];
    int count = 0;

    if (value < 0) {
        put_char(out, '-');
        value = -value;
    }
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count)
        put_char(out, digits[--count]);
}

static void put_key(struct writer *out, const char *key, bool *first)
{
    put_comma(out, first);
    put_char(out, '"');
    put(out, key);
    put(out, "\":");
}

static void put_member(struct writer *out, const char *key, int64_t value, bool *first)
{
    put_key(out, key, first);
    put_int(out, value);
}

static void put_string(struct writer *out, const char *key, const char *text, bool *first)
{
    put_key(out, key, first);
    put_char(out, '"');
    put(out, text);
    put_char(out, '"');
}

static void put_flags(struct writer *out, uint8_t flags, bool *first)
{
    static const char *const names[] = {"owner", "hidden", "clock", "seat", "once"};

    for (uint32_t i = 0; i < FRAY_GAME_COUNT(names); i++)
        if (flags & 1u << i) {
            put_key(out, names[i], first);
            put(out, "true");
        }
}

static void put_field(struct writer *out, const struct fray_game_field *field)
{
    bool first = true;

    put_char(out, '{');
    put_string(out, "name", field->name, &first);
    put_member(out, "offset", field->offset, &first);
    put_member(out, "bytes", field->type & 7, &first);
    put_key(out, "signed", &first);
    put(out, field->type & 8 ? "true" : "false");
    put_member(out, "bits", field->bits, &first);
    if (field->count > 1)
        put_member(out, "count", field->count, &first);
    if (field->fraction)
        put_member(out, "fraction", field->fraction, &first);
    if (field->min || field->max) {
        put_member(out, "min", field->min, &first);
        put_member(out, "max", field->max, &first);
    }
    if (field->labels) {
        put_key(out, "labels", &first);
        for (uint32_t i = 0; i < 1u << field->bits && field->labels[i]; i++) {
            put(out, i ? ",\"" : "[\"");
            put(out, field->labels[i]);
            put_char(out, '"');
        }
        put_char(out, ']');
    }
    put_flags(out, field->flags, &first);
    put_char(out, '}');
}

/* FRAY_GAME_AT becomes the offset, FRAY_GAME_ROW "row"; what is not there is left out. */
static void put_place(struct writer *out, const char *key, uint16_t at, bool *first)
{
    if (at == FRAY_GAME_ROW)
        put_string(out, key, "row", first);
    else if (at)
        put_member(out, key, at - 1, first);
}

static void put_table(struct writer *out, const struct fray_game_table *table)
{
    bool first = true;

    put_char(out, '{');
    put_string(out, "name", table->name, &first);
    put_member(out, "offset", table->offset, &first);
    put_member(out, "stride", table->stride, &first);
    put_member(out, "rows", table->rows, &first);
    put_place(out, "present", table->present, &first);
    put_place(out, "owner", table->owner, &first);
    put_place(out, "x", table->x, &first);
    put_place(out, "y", table->y, &first);
    put_key(out, "fields", &first);
    for (uint32_t i = 0; i < table->fields_count; i++) {
        put_char(out, i ? ',' : '[');
        put_field(out, &table->fields[i]);
    }
    put(out, "]}");
}

static void put_option(struct writer *out, const struct fray_game_option *option)
{
    bool first = true;

    put_char(out, '{');
    put_string(out, "name", option->name, &first);
    put_string(out, "summary", option->summary, &first);
    put_member(out, "min", option->min, &first);
    put_member(out, "max", option->max, &first);
    put_member(out, "step", option->step, &first);
    put_member(out, "standard", option->standard, &first);
    put_char(out, '}');
}

static void put_action(struct writer *out, const struct fray_game_action *action)
{
    bool first = true;

    put_char(out, '{');
    put_string(out, "name", action->name, &first);
    put_key(out, "takes", &first);
    put_char(out, '[');
    for (uint32_t i = 0; i < FRAY_GAME_COUNT(action->takes) && action->takes[i]; i++) {
        put(out, i ? ",\"" : "\"");
        put(out, action->takes[i]);
        put_char(out, '"');
    }
    put_char(out, ']');
    if (action->sets) {
        put_string(out, "sets", action->sets, &first);
        put_member(out, "value", action->value, &first);
    }
    if (action->host_only)
        put(out, ",\"host_only\":true");
    put_char(out, '}');
}

static void put_event(struct writer *out, const struct fray_game_event_kind *kind)
{
    bool first = true;

    put_char(out, '{');
    put_string(out, "name", kind->name, &first);
    put_string(out, "delivery", kind->delivery == FRAY_GAME_NEWEST ? "newest" : "every", &first);
    put_key(out, "args", &first);
    put_char(out, '[');
    for (uint32_t i = 0; i < FRAY_GAME_ARGS_MAX && kind->args[i].name; i++) {
        bool arg_first = true;
        put(out, i ? ",{" : "{");
        put_string(out, "name", kind->args[i].name, &arg_first);
        if (kind->args[i].fraction)
            put_member(out, "fraction", kind->args[i].fraction, &arg_first);
        put_flags(out, kind->args[i].flags, &arg_first);
        put_char(out, '}');
    }
    put(out, "]}");
}

#define PUT_LIST(out, key, list, count, put_one)                                                   \
    do {                                                                                           \
        put(out, ",\"" key "\":[");                                                                \
        for (uint32_t i = 0; i < (count); i++) {                                                   \
            if (i)                                                                                 \
                put_char(out, ',');                                                                \
            put_one(out, &(list)[i]);                                                              \
        }                                                                                          \
        put_char(out, ']');                                                                        \
    } while (0)

static struct writer describe(const struct fray_game *game, char *text, size_t size)
{
    struct writer out = {text, size, 0, FRAY_GAME_HASH_START};
    bool first = true;

    put_char(&out, '{');
    put_string(&out, "name", game->name, &first);
    put_string(&out, "title", game->title, &first);
    put_member(&out, "version", game->version, &first);
    put_member(&out, "tick_hz", game->tick_hz, &first);
    put_member(&out, "seats_min", game->seats_min, &first);
    put_member(&out, "seats_max", game->seats_max, &first);
    put_member(&out, "bot_levels", game->bot_levels, &first);
    put_member(&out, "state_size", game->state_size, &first);
    put_member(&out, "input_size", game->input_size, &first);
    put_member(&out, "bot_size", game->bot_size, &first);
    put_member(&out, "options_offset", game->options_offset, &first);
    put_key(&out, "input", &first);
    put_table(&out, game->input);
    PUT_LIST(&out, "options", game->options, game->options_count, put_option);
    PUT_LIST(&out, "tables", game->tables, game->tables_count, put_table);
    PUT_LIST(&out, "actions", game->actions, game->actions_count, put_action);
    PUT_LIST(&out, "events", game->events, game->events_count, put_event);
    put_char(&out, '}');
    return out;
}

size_t fray_game_describe(const struct fray_game *game, char *text, size_t size)
{
    size_t len = describe(game, text, size).len;

    if (size)
        text[len < size ? len : size - 1] = '\0';
    return len;
}

uint64_t fray_game_rules(const struct fray_game *game)
{
    return describe(game, NULL, 0).hash;
}
