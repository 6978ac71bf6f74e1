/* What is wrong with a game is told before anybody plays it. */
#include "game/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/games.h"

/* A duel that its author has still to finish. What points into it is its own copy. */
struct draft {
    struct fray_game game;
    struct fray_game_table tables[8], input;
    struct fray_game_field players[32], input_fields[16];
    struct fray_game_option options[32];
    struct fray_game_action actions[8];
    struct fray_game_event_kind events[16];
};

static const struct fray_game *draft(struct draft *draft)
{
    const struct fray_game *game = &fray_duel;

    draft->game = *game;
    memcpy(draft->tables, game->tables, game->tables_count * sizeof *game->tables);
    memcpy(draft->players, game->tables[1].fields,
           game->tables[1].fields_count * sizeof *draft->players);
    memcpy(draft->input_fields, game->input->fields,
           game->input->fields_count * sizeof *draft->input_fields);
    memcpy(draft->options, game->options, game->options_count * sizeof *game->options);
    memcpy(draft->actions, game->actions, game->actions_count * sizeof *game->actions);
    memcpy(draft->events, game->events, game->events_count * sizeof *game->events);
    draft->input = *game->input;
    draft->tables[1].fields = draft->players;
    draft->input.fields = draft->input_fields;
    draft->game.tables = draft->tables;
    draft->game.input = &draft->input;
    draft->game.options = draft->options;
    draft->game.actions = draft->actions;
    draft->game.events = draft->events;
    return &draft->game;
}

static void assert_fault(const struct draft *draft, const char *part)
{
    const struct fray_game *const games[] = {&draft->game, NULL};
    char text[FRAY_CATALOG_FAULT_MAX] = "";

    assert_true(fray_catalog_fault(games, text));
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    assert_int_equal(text[strlen(text) - 1], text[strlen(text) - 1] == '?' ? '?' : '.');
}

static void assert_fine(const struct draft *draft)
{
    const struct fray_game *const games[] = {&draft->game, NULL};
    char text[FRAY_CATALOG_FAULT_MAX] = "";

    if (fray_catalog_fault(games, text))
        fail_msg("\"%s\"", text);
}

static void fray_hosts_its_own_games(void **unused)
{
    struct draft whole;
    char text[FRAY_CATALOG_FAULT_MAX];

    (void)unused;
    assert_false(fray_catalog_fault(fray_games_builtin, text));
    (void)draft(&whole);
    assert_fine(&whole);
}

#define ASSERT_FAULT(part, ...)                                                                    \
    do {                                                                                           \
        struct draft d;                                                                            \
        (void)draft(&d);                                                                           \
        __VA_ARGS__;                                                                               \
        assert_fault(&d, part);                                                                    \
    } while (false)

static void what_is_missing_is_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT("bot_levels", d.game.bot_levels = 0);
    ASSERT_FAULT("\"(none)\"", d.game.name = NULL);
    ASSERT_FAULT("page of that name", d.game.name = "replay");
    ASSERT_FAULT(".title", d.game.title = NULL);
    ASSERT_FAULT(".version", d.game.version = 0);
    ASSERT_FAULT(".init", d.game.init = NULL);
    ASSERT_FAULT(".join", d.game.join = NULL);
    ASSERT_FAULT(".leave", d.game.leave = NULL);
    ASSERT_FAULT(".check", d.game.check = NULL);
    ASSERT_FAULT(".step", d.game.step = NULL);
    ASSERT_FAULT(".outcome", d.game.outcome = NULL);
    ASSERT_FAULT(".bot_init", d.game.bot_init = NULL);
    ASSERT_FAULT(".bot.", d.game.bot = NULL);
    ASSERT_FAULT(".deadline if", d.game.tick_hz = 0);
    ASSERT_FAULT("200", d.game.tick_hz = 200);
    ASSERT_FAULT("5", d.game.seats_min = 5);
    ASSERT_FAULT("FRAY_GAME_LISTS", d.game.tables = NULL);
    ASSERT_FAULT("FRAY_GAME_LISTS", d.game.input = NULL);
    ASSERT_FAULT("FRAY_GAME_LISTS", d.game.options_count = 0);
    ASSERT_FAULT("1048576", d.game.state_size = 24000000);
}

static void tables_that_do_not_match_the_structs_are_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT(".state_size is 0", d.game.state_size = 0);
    ASSERT_FAULT(".input_size is 0", d.game.input_size = 0);
    ASSERT_FAULT("byte 0", d.players[0] = d.players[1]; d.tables[1].fields_count = 1);
    ASSERT_FAULT("listed twice", d.players[2] = d.players[1]);
    ASSERT_FAULT("cover", d.tables[2] = d.tables[3]; d.game.tables_count--);
    ASSERT_FAULT("3 rows, for 2 seats", d.tables[1].rows = 3);
    ASSERT_FAULT("another struct's list", d.tables[1].stride = 4);
    ASSERT_FAULT("0 bits", d.players[0].bits = 0);
    ASSERT_FAULT("40 bits, and can have 1 … 32", d.players[0].bits = 40);
    ASSERT_FAULT("no int32_t field", d.tables[1].x = 3);
    ASSERT_FAULT("nothing but 0", d.input_fields[0].min = d.input_fields[0].max = 0);
}

static void presence_that_is_not_shown_is_told(void **unused)
{
    struct draft whole;
    uint32_t present = 0;

    (void)unused;
    (void)draft(&whole);
    while (whole.players[present].offset + 1 != whole.tables[1].present)
        present++;
    ASSERT_FAULT("players.present says which rows there are, and can not be FRAY_GAME_HIDDEN",
                 d.players[present].flags = FRAY_GAME_HIDDEN);
    ASSERT_FAULT("can not be FRAY_GAME_OWNER", d.players[present].flags = FRAY_GAME_OWNER);
    ASSERT_FAULT("can not be FRAY_GAME_CLOCK", d.players[present].flags = FRAY_GAME_CLOCK);
    whole.players[present].flags = FRAY_GAME_HIDDEN;
    whole.tables[1].present = 0;
    assert_fine(&whole);
}

/* Of duel's input: walk has two bits and a sign, jump one bit and none. */
static void ranges_that_do_not_fit_are_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT("walk goes from -5 to 1, and its 2 bits hold no more than -2 … 1",
                 d.input_fields[2].min = -5);
    ASSERT_FAULT("walk goes from -1 to 2", d.input_fields[2].max = 2);
    ASSERT_FAULT("hold no more than 0 … 1.", d.input_fields[3].max = 2);
    ASSERT_FAULT("jump goes from -1 to 1", d.input_fields[3].min = -1);
    struct draft whole;
    (void)draft(&whole);
    whole.input_fields[2].min = -2;
    assert_fine(&whole);
    whole.input_fields[0].min = INT32_MIN;
    assert_fault(&whole, "hold no more than -2048 … 2047");
    ASSERT_FAULT("sets walk to 2, which is none of -1 … 1.", d.actions[0].sets = "walk";
                 d.actions[0].value = 2);
    ASSERT_FAULT("sets walk to -2", d.actions[0].sets = "walk"; d.actions[0].value = -2);
}

static void names_of_nothing_are_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT("takes dz", d.actions[0].takes[0] = "dz");
    ASSERT_FAULT("sets dsh", d.actions[0].sets = "dsh");
    ASSERT_FAULT("a message of that name", d.actions[0].name = "join");
    ASSERT_FAULT("a-z", d.events[0].name = "Hit!");
    ASSERT_FAULT("step of at least 1", d.options[0].step = 0);
    ASSERT_FAULT("none of its own values", d.options[0].standard = d.options[0].max + 1);
    ASSERT_FAULT("an option", d.options[0].name = NULL);
    const struct fray_game *const twice[] = {&fray_duel, &fray_duel, NULL};
    struct fray_game other = fray_duel;
    const struct fray_game *const same_name[] = {&fray_duel, &other, NULL};
    char text[FRAY_CATALOG_FAULT_MAX];
    assert_true(fray_catalog_fault(same_name, text));
    assert_non_null(strstr(text, "two games"));
    assert_true(fray_catalog_fault(twice, text));
}

static void fractions_and_flags_of_nothing_are_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT("players.x has a .fraction of 20, and can have 0 … 19 with its 19 bits.",
                 d.players[0].fraction = 20);
    ASSERT_FAULT("0 … 31", d.players[0].bits = d.players[0].fraction = 32);
    ASSERT_FAULT("input.walk has a .fraction of 3", d.input_fields[2].fraction = 3);
    ASSERT_FAULT("a fraction of 32, and can have 0 … 31.", d.events[0].args[0].fraction = 32);
    ASSERT_FAULT("players.x has the .flags 33, which do not all exist.", d.players[0].flags = 33);
    ASSERT_FAULT("input.walk has the .flags 64", d.input_fields[2].flags = 64);
    ASSERT_FAULT("has the flags 128, which do not all exist.", d.events[0].args[0].flags = 128);
}

#define THROWN(first, second)                                                                      \
    (struct fray_game_event_kind)                                                                  \
    {                                                                                              \
        .name = "thrown", .args = { {first, 0, 0}, {second, 0, 0} }                                \
    }

static struct fray_game_event_kind *draft_end(struct draft *draft)
{
    uint32_t i = 0;

    while (strcmp(draft->events[i].name, "end_game") != 0)
        i++;
    return &draft->events[i];
}

static void names_of_two_are_told(void **unused)
{
    (void)unused;
    ASSERT_FAULT("There are two actions of the name", d.actions[1].name = d.actions[0].name);
    ASSERT_FAULT("There are two tables of the name players.", d.tables[2].name = "players");
    ASSERT_FAULT("There are two events of the name player_hit.", d.events[0].name = "player_hit");
    ASSERT_FAULT("event thrown has the argument at twice.", d.events[0] = THROWN("at", "at"));
    ASSERT_FAULT("the argument at.x twice.", d.events[0] = THROWN("at.x", "at.x"));
    ASSERT_FAULT("the arguments at and at.y: JSON", d.events[0] = THROWN("at", "at.y"));
    ASSERT_FAULT("the arguments at.y and at: JSON", d.events[0] = THROWN("at.y", "at"));
    ASSERT_FAULT("the argument results.x: the server", draft_end(&d)->args[0].name = "results.x");
    struct draft whole;
    (void)draft(&whole);
    whole.events[0] = THROWN("at.x", "at.y");
    assert_fine(&whole);
    whole.events[0] = THROWN("at", "attic.y");
    assert_fine(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fray_hosts_its_own_games),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(tables_that_do_not_match_the_structs_are_told),
        cmocka_unit_test(presence_that_is_not_shown_is_told),
        cmocka_unit_test(ranges_that_do_not_fit_are_told),
        cmocka_unit_test(fractions_and_flags_of_nothing_are_told),
        cmocka_unit_test(names_of_nothing_are_told),
        cmocka_unit_test(names_of_two_are_told),
    };
    return cmocka_run_group_tests_name("game_catalog", tests, NULL, NULL);
}
