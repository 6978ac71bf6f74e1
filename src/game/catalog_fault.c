/* What is wrong with a struct fray_game, found before anybody plays it: what a compiler accepts may
 * still crash, or show nothing (fray/game.h says what has to hold). */
#include "game/catalog_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WHY_MAX = FRAY_CATALOG_FAULT_MAX - 80, OPTIONS_MAX = 32, TICK_HZ_MAX = 128 };

bool fray_fault_say(char *text, const char *format, ...)
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

bool fray_fault_name(const char *what, const char *name, char *text)
{
    if (is_name(name, ""))
        return false;
    return fray_fault_say(text, "The name of %s, \"%.40s\", has to be of a-z, 0-9 and _.", what,
                          name ? name : "(none)");
}

bool fray_fault_twice(const char *whats, const char *name, const char *other, char *text)
{
    if (strcmp(name, other) != 0)
        return false;
    return fray_fault_say(text, "There are two %s of the name %s.", whats, name);
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
            return fray_fault_say(text, "It has no .%s.", needed[i].name);
    if (game->area && !game->visible)
        return fray_fault_say(text, "Its .area needs .visible beside it.");
    return false;
}

static bool numbers_fault(const struct fray_game *game, char *text)
{
    if (!game->title || !*game->title)
        return fray_fault_say(text, "It has no .title.");
    if (!game->version)
        return fray_fault_say(text, "Its .version has to be at least 1.");
    if (game->tick_hz > TICK_HZ_MAX)
        return fray_fault_say(text, "Its .tick_hz, %u, has to be at most %d.", game->tick_hz,
                              TICK_HZ_MAX);
    if (!game->tick_hz && !game->deadline)
        return fray_fault_say(text, "It needs .tick_hz, or .deadline if it is played in turns.");
    if (game->tick_hz && game->deadline)
        return fray_fault_say(text, "It has .tick_hz and .deadline, and can have but one of them.");
    if (!game->seats_min || game->seats_min > game->seats_max ||
        game->seats_max >= FRAY_GAME_NOBODY)
        return fray_fault_say(text,
                              "Its seats, .seats_min %u and .seats_max %u, have to be 1 … 254.",
                              game->seats_min, game->seats_max);
    if (!game->bot_levels)
        return fray_fault_say(
            text, "Its bot_levels must be at least 1: a bot stands in for who is lost.");
    if (game->state_size > FRAY_CATALOG_STATE_MAX)
        return fray_fault_say(
            text, "Its state has %u bytes, and may have %d: hosts keep many copies of each.",
            game->state_size, FRAY_CATALOG_STATE_MAX);
    if (game->state_size % 4 || game->input_size % 4 || game->bot_size % 4)
        return fray_fault_say(text,
                              "Its state_size, input_size and bot_size have to be multiples of 4.");
    return false;
}

/* ------------------------------------------------------------------ options, actions, events */

static bool option_fault(const struct fray_game_option *option, const struct fray_game_field *field,
                         uint32_t number, char *text)
{
    if (fray_fault_name("an option", option->name, text))
        return true;
    if (!option->summary || strpbrk(option->summary, "\"\\"))
        return fray_fault_say(
            text, "The option %s needs a summary, without quotes and backslashes.", option->name);
    if (option->step < 1 || option->min > option->max)
        return fray_fault_say(text,
                              "The option %s needs a step of at least 1, and a min that is no more "
                              "than its max.",
                              option->name);
    if (option->standard < option->min || option->standard > option->max ||
        ((int64_t)option->standard - option->min) % option->step)
        return fray_fault_say(text, "The standard of the option %s, %d, is none of its own values.",
                              option->name, option->standard);
    if (strcmp(field->name, option->name) != 0 || field->offset != number * 4)
        return fray_fault_say(text, "The option %s does not lie in the state where its list says.",
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
        return fray_fault_say(text, "It has %u options, and can have %d.", game->options_count,
                              OPTIONS_MAX);
    if (!table || table->fields_count != game->options_count)
        return fray_fault_say(text,
                              "The options need a table of their own in the state, of one row.");
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

static bool sets_fault(const struct fray_game *game, const struct fray_game_action *action,
                       char *text)
{
    const struct fray_game_field *field = fray_game_field(game->input, action->sets);

    if (!field)
        return fray_fault_say(text, "The action %s sets %s, which is no field of the input.",
                              action->name, action->sets);
    if (action->value < field->min || action->value > field->max)
        return fray_fault_say(text, "The action %s sets %s to %d, which is none of %d … %d.",
                              action->name, field->name, action->value, field->min, field->max);
    return false;
}

static bool action_fault(const struct fray_game *game, const struct fray_game_action *action,
                         char *text)
{
    if (fray_fault_name("an action", action->name, text))
        return true;
    if (is_taken(action->name))
        return fray_fault_say(text,
                              "The action %s can not be called so: the server has a message of "
                              "that name.",
                              action->name);
    for (size_t k = 0; k < FRAY_GAME_COUNT(action->takes) && action->takes[k]; k++)
        if (!fray_game_field(game->input, action->takes[k]))
            return fray_fault_say(text, "The action %s takes %s, which is no field of the input.",
                                  action->name, action->takes[k]);
    return action->sets && sets_fault(game, action, text);
}

static bool actions_fault(const struct fray_game *game, char *text)
{
    const struct fray_game_action *actions = game->actions;

    for (uint32_t i = 0; i < game->actions_count; i++) {
        if (action_fault(game, &actions[i], text))
            return true;
        for (uint32_t k = 0; k < i; k++)
            if (fray_fault_twice("actions", actions[i].name, actions[k].name, text))
                return true;
    }
    return false;
}

/* Both "at" and "at.y" come under the key "at" in JSON. */
static bool is_key(const char *name, const char *key)
{
    size_t len = strcspn(name, ".");

    return strlen(key) == len && strncmp(name, key, len) == 0;
}

static bool name_of_argument_fault(const struct fray_game_event_kind *kind, int number, char *text)
{
    const char *event = kind->name, *name = kind->args[number].name;

    if (!is_name(name, "."))
        return fray_fault_say(text,
                              "The argument \"%.40s\" of the event %s has to be of a-z, 0-9, _ "
                              "and a dot.",
                              name, event);
    if (strcmp(event, "end_game") == 0 && is_key(name, "results"))
        return fray_fault_say(text,
                              "The event end_game can not have the argument %s: the server puts "
                              "its results there.",
                              name);
    for (int i = 0; i < number; i++) {
        const char *other = kind->args[i].name;
        if (strcmp(name, other) == 0)
            return fray_fault_say(text, "The event %s has the argument %s twice.", event, name);
        if (is_key(name, other) || is_key(other, name))
            return fray_fault_say(text,
                                  "The event %s has the arguments %s and %s: JSON can have but "
                                  "one of them.",
                                  event, other, name);
    }
    return false;
}

static bool argument_fault(const struct fray_game_event_kind *kind, int number, char *text)
{
    const char *name = kind->args[number].name;
    unsigned fraction = kind->args[number].fraction, flags = kind->args[number].flags;

    if (name_of_argument_fault(kind, number, text))
        return true;
    if (fraction > FRAY_FAULT_FRACTION_MAX)
        return fray_fault_say(text,
                              "The argument %s of the event %s has a fraction of %u, and can have "
                              "0 … %d.",
                              name, kind->name, fraction, FRAY_FAULT_FRACTION_MAX);
    if (flags & ~(unsigned)FRAY_FAULT_FLAGS)
        return fray_fault_say(text,
                              "The argument %s of the event %s has the flags %u, which do not "
                              "all exist.",
                              name, kind->name, flags);
    return false;
}

static bool event_fault(const struct fray_game_event_kind *kind, char *text)
{
    if (fray_fault_name("an event", kind->name, text))
        return true;
    for (int i = 0; i < FRAY_GAME_ARGS_MAX && kind->args[i].name; i++)
        if (argument_fault(kind, i, text))
            return true;
    return false;
}

static bool events_fault(const struct fray_game *game, char *text)
{
    const struct fray_game_event_kind *events = game->events;

    for (uint32_t i = 0; i < game->events_count; i++) {
        if (event_fault(&events[i], text))
            return true;
        for (uint32_t k = 0; k < i; k++)
            if (fray_fault_twice("events", events[i].name, events[k].name, text))
                return true;
    }
    return false;
}

static bool reasons_fault(const struct fray_game *game, char *text)
{
    for (int i = 0; i < FRAY_GAME_REASONS_MAX && game->reasons[i].word; i++) {
        const struct fray_game_reason *reason = &game->reasons[i];
        if (fray_fault_name("a reason", reason->word, text))
            return true;
        if (!reason->sentence || !*reason->sentence)
            return fray_fault_say(text, "The reason %s has no sentence.", reason->word);
    }
    return false;
}

/* ------------------------------------------------------------------ all of it */

static bool game_fault(const struct fray_game *game, char *text)
{
    if (fray_fault_name("a game", game->name, text))
        return true;
    if (strcmp(game->name, "replay") == 0 || strcmp(game->name, "playground") == 0)
        return fray_fault_say(text, "It can not be called so: there is a page of that name.");
    if (functions_fault(game, text) || numbers_fault(game, text))
        return true;
    if (!game->tables || !game->tables_count || !game->input || !game->options ||
        !game->options_count)
        return fray_fault_say(
            text, "It needs tables, an input and options: FRAY_GAME_LISTS fills them in.");
    return fray_fault_state(game, text) || fray_fault_input(game, text) ||
           options_fault(game, text) || actions_fault(game, text) || events_fault(game, text) ||
           reasons_fault(game, text);
}

bool fray_catalog_fault(const struct fray_game *const *games, char text[FRAY_CATALOG_FAULT_MAX])
{
    char why[WHY_MAX];

    for (const struct fray_game *const *game = games; *game; game++) {
        const char *name = (*game)->name;
        bool is_bad = game_fault(*game, why);
        for (const struct fray_game *const *other = games; !is_bad && other < game; other++)
            if (strcmp((*other)->name, name) == 0)
                is_bad = fray_fault_say(why, "There are two games of that name.");
        if (is_bad) {
            (void)snprintf(text, FRAY_CATALOG_FAULT_MAX, "The game %.40s cannot be hosted. %s",
                           name ? name : "without a name", why);
            return true;
        }
    }
    return false;
}
