/* What is wrong with a struct fray_game, found before anybody plays it: what a compiler accepts may
 * still crash, or show nothing (fray/game.h says what has to hold). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "game/catalog.h"

enum { WHY_MAX = FRAY_CATALOG_FAULT_MAX - 80, OPTIONS_MAX = 32, TICK_HZ_MAX = 128 };

/* True: that is what is wrong. */
__attribute__((format(printf, 2, 3))) static bool say(char *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, WHY_MAX, format, arguments);
    va_end(arguments);
    return true;
}

static bool is_name(const char *text, const char *extra)
{
    for (const char *c = text; c && *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' ||
              strchr(extra, *c)))
            return false;
    return text && *text;
}

static bool name_fault(const char *what, const char *name, char *text)
{
    if (is_name(name, ""))
        return false;
    return say(text, "The name of %s, \"%.40s\", has to be of a-z, 0-9 and _.", what,
               name ? name : "(none)");
}

/* ------------------------------------------------------------------ what it can do */

static bool functions_fault(const struct fray_game *game, char *text)
{
    const struct {
        const char *name;
        bool is_there;
    } needed[] = {
        {"init", game->init},         {"join", game->join}, {"leave", game->leave},
        {"check", game->check},       {"step", game->step}, {"outcome", game->outcome},
        {"bot_init", game->bot_init}, {"bot", game->bot},
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].is_there)
            return say(text, "It has no .%s.", needed[i].name);
    if (game->area && !game->visible)
        return say(text, "Its .area needs .visible beside it.");
    return false;
}

static bool numbers_fault(const struct fray_game *game, char *text)
{
    if (!game->title || !*game->title)
        return say(text, "It has no .title.");
    if (!game->version)
        return say(text, "Its .version has to be at least 1.");
    if (game->tick_hz > TICK_HZ_MAX)
        return say(text, "Its .tick_hz, %u, has to be at most %d.", game->tick_hz, TICK_HZ_MAX);
    if (!game->tick_hz && !game->deadline)
        return say(text, "It needs .tick_hz, or .deadline if it is played in turns.");
    if (game->tick_hz && game->deadline)
        return say(text, "It has .tick_hz and .deadline, and can have but one of them.");
    if (!game->seats_min || game->seats_min > game->seats_max ||
        game->seats_max >= FRAY_GAME_NOBODY)
        return say(text, "Its seats, .seats_min %u and .seats_max %u, have to be 1 … 254.",
                   game->seats_min, game->seats_max);
    if (!game->bot_levels)
        return say(text, "Its bot_levels must be at least 1: a bot stands in for who is lost.");
    if (game->state_size > FRAY_CATALOG_STATE_MAX)
        return say(text, "Its state has %u bytes, and may have %d: hosts keep many copies of each.",
                   game->state_size, FRAY_CATALOG_STATE_MAX);
    if (game->state_size % 4 || game->input_size % 4 || game->bot_size % 4)
        return say(text, "Its state_size, input_size and bot_size have to be multiples of 4.");
    return false;
}

/* ------------------------------------------------------------------ tables */

static const struct fray_game_field *field_find(const struct fray_game_table *table,
                                                const char *name)
{
    for (uint32_t i = 0; i < table->fields_count; i++)
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    return NULL;
}

static bool is_type(unsigned type)
{
    return type == FRAY_GAME_U8 || type == FRAY_GAME_U16 || type == FRAY_GAME_U32 ||
           type == FRAY_GAME_I8 || type == FRAY_GAME_I16 || type == FRAY_GAME_I32;
}

static bool field_fault(const struct fray_game_table *table, const struct fray_game_field *field,
                        char *text)
{
    uint32_t bytes = field->type & 7u;

    if (name_fault("a field", field->name, text))
        return true;
    if (!is_type(field->type) || !field->count)
        return say(text, "The field %s.%s has no type or no count.", table->name, field->name);
    if (!field->bits || field->bits > bytes * 8)
        return say(text, "The field %s.%s has %u bits, and can have 1 … %u.", table->name,
                   field->name, field->bits, bytes * 8);
    if (field->offset % bytes)
        return say(text, "The field %s.%s is not aligned.", table->name, field->name);
    if ((size_t)field->offset + (size_t)bytes * field->count > table->stride)
        return say(text, "The field %s.%s lies outside of its row: is it another struct's list?",
                   table->name, field->name);
    return false;
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

    if (name_fault("a table", table->name, text))
        return true;
    if (!table->fields || !table->fields_count || !table->stride || !table->rows)
        return say(text, "The table %s has no fields or no rows.", table->name);
    for (uint32_t i = 0; i < table->fields_count; i++)
        if (field_fault(table, &table->fields[i], text))
            return true;
    for (uint32_t byte = 0; byte < table->stride; byte++) {
        uint32_t count = fields_at(table, byte, &field);
        if (count > 1)
            return say(text, "The field %s.%s is listed twice, or lies on another.", table->name,
                       field->name);
        if (!count)
            return say(text,
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
    return say(text, "The .%s of the table %s is no %s field of it.", what, table->name,
               type == FRAY_GAME_U8 ? "uint8_t" : "int32_t");
}

static bool specials_fault(const struct fray_game *game, const struct fray_game_table *table,
                           char *text)
{
    bool is_by_seat = table->owner == FRAY_GAME_ROW;

    if (is_by_seat && table->rows != game->seats_max)
        return say(text, "The table %s is by seat and has %u rows, for %u seats.", table->name,
                   table->rows, game->seats_max);
    return special_fault(table, "present", table->present, FRAY_GAME_U8, text) ||
           special_fault(table, "owner", is_by_seat ? 0 : table->owner, FRAY_GAME_U8, text) ||
           special_fault(table, "x", table->x, FRAY_GAME_I32, text) ||
           special_fault(table, "y", table->y, FRAY_GAME_I32, text);
}

static bool state_fault(const struct fray_game *game, char *text)
{
    uint32_t end = 0;

    for (uint32_t i = 0; i < game->tables_count; i++) {
        const struct fray_game_table *table = &game->tables[i];
        if (table_fault(table, text) || specials_fault(game, table, text))
            return true;
        if (table->offset != end)
            return say(text,
                       "The table %s begins at byte %u of the state, and that before it ends at "
                       "%u: tables stand in the order of the struct, and cover it.",
                       table->name, table->offset, end);
        end += table->stride * table->rows;
    }
    if (end != game->state_size)
        return say(text, "Its tables cover %u bytes, and .state_size is %u.", end,
                   game->state_size);
    return false;
}

static bool input_fault(const struct fray_game *game, char *text)
{
    const struct fray_game_table *input = game->input;

    if (table_fault(input, text))
        return true;
    if (input->stride != game->input_size)
        return say(text, "Its input has %u bytes, and .input_size is %u.", input->stride,
                   game->input_size);
    for (uint32_t i = 0; i < input->fields_count; i++) {
        const struct fray_game_field *field = &input->fields[i];
        if (field->min > field->max)
            return say(text, "The input field %s has .min %d above .max %d.", field->name,
                       field->min, field->max);
        if (field->min == 0 && field->max == 0 && !(field->flags & FRAY_GAME_HIDDEN))
            return say(text, "The input field %s can be nothing but 0: it needs .max.",
                       field->name);
    }
    return false;
}

/* ------------------------------------------------------------------ options, actions, events */

static bool option_fault(const struct fray_game_option *option, const struct fray_game_field *field,
                         uint32_t number, char *text)
{
    if (name_fault("an option", option->name, text))
        return true;
    if (!option->summary || strpbrk(option->summary, "\"\\"))
        return say(text, "The option %s needs a summary, without quotes and backslashes.",
                   option->name);
    if (option->step < 1 || option->min > option->max)
        return say(text,
                   "The option %s needs a step of at least 1, and a min that is no more "
                   "than its max.",
                   option->name);
    if (option->standard < option->min || option->standard > option->max ||
        ((int64_t)option->standard - option->min) % option->step)
        return say(text, "The standard of the option %s, %d, is none of its own values.",
                   option->name, option->standard);
    if (strcmp(field->name, option->name) != 0 || field->offset != number * 4)
        return say(text, "The option %s does not lie in the state where its list says.",
                   option->name);
    return false;
}

static bool options_fault(const struct fray_game *game, char *text)
{
    const struct fray_game_table *table = NULL;

    for (uint32_t i = 0; i < game->tables_count; i++)
        if (game->tables[i].offset == game->options_offset)
            table = &game->tables[i];
    if (game->options_count > OPTIONS_MAX)
        return say(text, "It has %u options, and can have %d.", game->options_count, OPTIONS_MAX);
    if (!table || table->fields_count != game->options_count)
        return say(text, "The options need a table of their own in the state, of one row.");
    for (uint32_t i = 0; i < game->options_count; i++)
        if (option_fault(&game->options[i], &table->fields[i], i, text))
            return true;
    return false;
}

/* Messages of docs/games.md that never reach the rules. */
static bool is_taken(const char *name)
{
    static const char *const taken[] = {"lobby", "name",    "quick_play", "create",       "join",
                                        "watch", "clock",   "reconnect",  "leave",        "ready",
                                        "kick",  "add_bot", "message",    "chat_message", "lab",
                                        "ack",   "error",   "connect"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], name) == 0)
            return true;
    return false;
}

static bool actions_fault(const struct fray_game *game, char *text)
{
    for (uint32_t i = 0; i < game->actions_count; i++) {
        const struct fray_game_action *action = &game->actions[i];
        if (name_fault("an action", action->name, text))
            return true;
        if (is_taken(action->name))
            return say(text,
                       "The action %s can not be called so: the server has a message of "
                       "that name.",
                       action->name);
        for (size_t k = 0; k < FRAY_GAME_COUNT(action->takes) && action->takes[k]; k++)
            if (!field_find(game->input, action->takes[k]))
                return say(text, "The action %s takes %s, which is no field of the input.",
                           action->name, action->takes[k]);
        if (action->sets && !field_find(game->input, action->sets))
            return say(text, "The action %s sets %s, which is no field of the input.", action->name,
                       action->sets);
    }
    return false;
}

static bool events_fault(const struct fray_game *game, char *text)
{
    for (uint32_t i = 0; i < game->events_count; i++) {
        const struct fray_game_event_kind *kind = &game->events[i];
        if (name_fault("an event", kind->name, text))
            return true;
        for (int k = 0; k < FRAY_GAME_ARGS_MAX && kind->args[k].name; k++)
            if (!is_name(kind->args[k].name, "."))
                return say(text,
                           "The argument \"%.40s\" of the event %s has to be of a-z, 0-9, _ "
                           "and a dot.",
                           kind->args[k].name, kind->name);
    }
    return false;
}

static bool reasons_fault(const struct fray_game *game, char *text)
{
    for (int i = 0; i < FRAY_GAME_REASONS_MAX && game->reasons[i].word; i++) {
        const struct fray_game_reason *reason = &game->reasons[i];
        if (name_fault("a reason", reason->word, text))
            return true;
        if (!reason->sentence || !*reason->sentence)
            return say(text, "The reason %s has no sentence.", reason->word);
    }
    return false;
}

/* ------------------------------------------------------------------ all of it */

static bool game_fault(const struct fray_game *game, char *text)
{
    if (name_fault("a game", game->name, text))
        return true;
    if (strcmp(game->name, "replay") == 0 || strcmp(game->name, "playground") == 0)
        return say(text, "It can not be called so: there is a page of that name.");
    if (functions_fault(game, text) || numbers_fault(game, text))
        return true;
    if (!game->tables || !game->tables_count || !game->input || !game->options ||
        !game->options_count)
        return say(text, "It needs tables, an input and options: FRAY_GAME_LISTS fills them in.");
    return state_fault(game, text) || input_fault(game, text) || options_fault(game, text) ||
           actions_fault(game, text) || events_fault(game, text) || reasons_fault(game, text);
}

bool fray_catalog_fault(const struct fray_game *const *games, char text[FRAY_CATALOG_FAULT_MAX])
{
    char why[WHY_MAX];

    for (const struct fray_game *const *game = games; *game; game++) {
        const char *name = (*game)->name;
        bool is_bad = game_fault(*game, why);
        for (const struct fray_game *const *other = games; !is_bad && other < game; other++)
            if (strcmp((*other)->name, name) == 0)
                is_bad = say(why, "There are two games of that name.");
        if (is_bad) {
            (void)snprintf(text, FRAY_CATALOG_FAULT_MAX, "The game %.40s cannot be hosted. %s",
                           name ? name : "without a name", why);
            return true;
        }
    }
    return false;
}
