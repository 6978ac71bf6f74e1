/* State, events and moves as JSON, by the tables of the games that there are. */
#include "game/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/games.h"
#include "game/json_fake.h"

static const char *id_of(const void *context, uint32_t seat)
{
    static const char *const ids[] = {"ann", "bob"};
    (void)context;
    return seat < 2 ? ids[seat] : NULL;
}

static const struct fray_game_players players = {id_of, NULL};

static void assert_json(json_t *json, const char *want)
{
    json_t *wanted = json_loads(want, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    if (!json_equal(json, wanted)) {
        char *text = json_dumps(json, JSON_SORT_KEYS | JSON_ENCODE_ANY);
        fail_msg("%s instead of %s", text, want);
    }
    json_decref(wanted);
    json_decref(json);
}

static const char *take(const struct fray_game *game, const char *action, const char *text,
                        void *input)
{
    const struct fray_game_action *found = fray_game_json_action(game, action);
    json_t *content = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(found);
    assert_non_null(content);
    const char *reason = fray_game_json_input(game, found, content, input);
    json_decref(content);
    return reason;
}

static json_t *state_json(const struct fray_game *game, const void *view, uint32_t viewer,
                          struct fray_game_json_rows *rows)
{
    struct fray_buf text = {0};
    fray_game_json_state(game, view, viewer, &players, rows, &text);
    return fake_json_read(&text);
}

static void a_state_is_its_tables(void **unused)
{
    (void)unused;
    _Alignas(4) static char state[256];
    assert_true(fray_tictactoe.state_size <= sizeof state);
    fray_game_init(&fray_tictactoe, state, 1, NULL);
    (void)fray_tictactoe.join(state, 0, NULL);
    struct fray_game_json_rows rows = {0};
    json_t *json = state_json(&fray_tictactoe, state, 0, &rows);
    json_t *match = json_object_get(json, "match");
    assert_json(json_incref(json_object_get(match, "board")),
                "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]");
    assert_string_equal(json_string_value(json_object_get(match, "phase")), "waiting");
    assert_true(json_is_null(json_object_get(match, "winner")));
    assert_string_equal(json_string_value(json_object_get(match, "turn")), "ann");
    assert_null(json_object_get(match, "reserved"));
    assert_json(json_incref(json_object_get(json, "players")),
                "[{\"seat\":0,\"id\":\"ann\",\"rematch\":0,\"wins\":0,\"present\":1}]");
    assert_json(json_incref(json_object_get(json, "options")), "{\"turn_ms\":0}");
    json_decref(json);
    fray_game_json_rows_deinit(&rows);
}

static void what_the_owner_alone_may_see_is_missing_elsewhere(void **unused)
{
    (void)unused;
    _Alignas(4) static char state[1024], view[1024], inputs[256];
    static uint8_t given[FRAY_GAME_NOBODY];
    assert_true(fray_rps.state_size <= sizeof state && fray_rps.seats_max * 4 <= sizeof inputs);
    fray_game_init(&fray_rps, state, 1, NULL);
    for (uint32_t seat = 0; seat < 2; seat++)
        (void)fray_rps.join(state, seat, NULL);
    static const char *const moves[][2] = {{"start_game", "{}"}, {"choose", "{\"choice\":2}"}};
    for (uint32_t seat = 0; seat < 2; seat++) { /* 0 starts, 1 chooses */
        memset(given, 0, sizeof given);
        given[seat] = 1;
        assert_null(take(&fray_rps, moves[seat][0], moves[seat][1],
                         inputs + (size_t)seat * fray_rps.input_size));
        fray_rps.step(state, &(struct fray_game_step){.inputs = inputs, .given = given});
    }
    struct fray_game_json_rows kept = {0}; /* what is kept of one viewer's is no other's secret */
    for (uint32_t viewer = 0; viewer < 3; viewer++) {
        fray_game_view(&fray_rps, state, viewer, view);
        json_t *json = state_json(&fray_rps, view, viewer, &kept);
        json_t *rows = json_object_get(json, "players");
        assert_int_equal(json_array_size(rows), 2);
        for (size_t row = 0; row < 2; row++) {
            const json_t *choice = json_object_get(json_array_get(rows, row), "choice");
            assert_int_equal(choice != NULL, row == viewer);
            assert_int_equal(json_integer_value(choice), row == viewer && row == 1 ? 2 : 0);
        }
        json_decref(json);
    }
    fray_game_json_rows_deinit(&kept);
}

struct flag {
    uint8_t owner, secret; /* the owner's seat, or FRAY_GAME_NOBODY */
};

struct flags_state {
    struct flag flags[2];
};

#define FLAG(F, T)                                                                                 \
    F(T, owner, .bits = 8, .flags = FRAY_GAME_SEAT)                                                \
    F(T, secret, .bits = 8, .flags = FRAY_GAME_OWNER)
FRAY_GAME_FIELDS(flag_fields, struct flag, FLAG);
static const struct fray_game_table flag_tables[] = {FRAY_GAME_TABLE(
    "flags", struct flags_state, flags, flag_fields, 2, .owner = FRAY_GAME_AT(struct flag, owner))};
static const struct fray_game flags_game = {.tables = flag_tables, .tables_count = 1};

static void what_nobody_owns_is_told_to_no_spectator(void **unused)
{
    const struct flags_state state = {{{FRAY_GAME_NOBODY, 7}, {1, 8}}};
    struct fray_game_json_rows rows = {0};

    (void)unused;
    assert_json(state_json(&flags_game, &state, FRAY_GAME_NOBODY, &rows),
                "{\"flags\":[{\"owner\":null},{\"seat\":1,\"id\":\"bob\",\"owner\":\"bob\"}]}");
    assert_json(state_json(&flags_game, &state, 1, &rows),
                "{\"flags\":[{\"owner\":null},{\"seat\":1,\"id\":\"bob\",\"owner\":\"bob\","
                "\"secret\":8}]}");
    fray_game_json_rows_deinit(&rows);
}

static void events_name_players(void **unused)
{
    (void)unused;
    struct fray_game_event end = {.kind = 2, .to = FRAY_GAME_NOBODY, .args = {FRAY_GAME_NOBODY, 2}};
    assert_json(fray_game_json_event(&fray_tictactoe, &end, &players),
                "{\"winner\":null,\"ending\":2}");
    struct fray_game_event placed = {.kind = 1, .to = FRAY_GAME_NOBODY, .args = {1, 4}};
    assert_json(fray_game_json_event(&fray_tictactoe, &placed, &players),
                "{\"id\":\"bob\",\"cell\":4}");
}

static void moves_are_read_by_the_table(void **unused)
{
    (void)unused;
    _Alignas(4) uint8_t input[4] = {0}; /* kind, cell */
    assert_int_equal(fray_tictactoe.input_size, sizeof input);
    assert_null(take(&fray_tictactoe, "place", "{\"cell\":8}", input));
    assert_int_equal(input[1], 8);
    assert_int_equal(input[0], 1);
    assert_null(take(&fray_tictactoe, "rematch", "{\"anything\":1}", input));
    assert_int_equal(input[0], 2);
    assert_null(fray_game_json_action(&fray_tictactoe, "fly"));

    static const char *const wrong[] = {"{}",
                                        "[4]",
                                        "4",
                                        "\"4\"",
                                        "{\"cel\":1}",
                                        "{\"cell\":\"4\"}",
                                        "{\"cell\":[1]}",
                                        "{\"cell\":null}",
                                        "{\"cell\":1.0}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *reason = take(&fray_tictactoe, "place", wrong[i], input);
        assert_non_null(reason);
        assert_string_equal(reason, "wrong_shape");
    }
    static const char *const far[] = {"{\"cell\":9}", "{\"cell\":-1}", "{\"cell\":256}",
                                      "{\"cell\":4294967296}", "{\"cell\":9007199254740993}"};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        const char *reason = take(&fray_tictactoe, "place", far[i], input);
        assert_non_null(reason);
        assert_string_equal(reason, "out_of_range");
    }
}

static void assert_explained(const struct fray_game *game, const char *name, const char *text,
                             const char *sentence)
{
    struct fray_buf why = {0};
    json_t *content = json_loads(text, JSON_DECODE_ANY, NULL);
    fray_game_json_explain(game, fray_game_json_action(game, name), content, &why);
    fray_buf_append_byte(&why, '\0');
    assert_string_equal(why.data, sentence);
    fray_buf_deinit(&why);
    json_decref(content);
}

static void what_is_wrong_with_a_move_is_explained(void **unused)
{
    (void)unused;
    const char *cell = "cell is an integer from 0 to 8.";
    assert_explained(&fray_tictactoe, "place", "{\"cell\":\"4\"}", cell);
    assert_explained(&fray_tictactoe, "place", "{\"cell\":9}", cell);
    assert_explained(&fray_tictactoe, "place", "{\"cel\":1}", "place takes an object with cell.");
    assert_explained(&fray_tictactoe, "place", "[4]", "place takes an object with cell.");
    assert_explained(&fray_tictactoe, "place", "{\"cell\":8}", "");
    assert_explained(&fray_arena, "steer", "{\"dx\":1,\"dy\":128}",
                     "dy is an integer from -127 to 127.");
    assert_explained(&fray_arena, "move", "{\"x\":1.5,\"y\":true}", "");
    assert_explained(&fray_arena, "move", "{\"y\":9000}", "y is a number from -64 to 8064.");
}

/* What tables list must be found. */
static void every_action_of_every_game_finds_its_fields(void **unused)
{
    (void)unused;
    static char input[256];
    const struct fray_game *const *games = fray_games_builtin;
    for (size_t g = 0; games[g]; g++) {
        for (uint32_t i = 0; i < games[g]->actions_count; i++) {
            const struct fray_game_action *action = &games[g]->actions[i];
            json_t *content = json_object();
            if (action->takes[0])
                json_object_set_new(content, action->takes[0], json_integer(0));
            assert_null(fray_game_json_input(games[g], action, content, input));
            json_decref(content);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_its_tables),
        cmocka_unit_test(what_the_owner_alone_may_see_is_missing_elsewhere),
        cmocka_unit_test(what_nobody_owns_is_told_to_no_spectator),
        cmocka_unit_test(events_name_players),
        cmocka_unit_test(moves_are_read_by_the_table),
        cmocka_unit_test(what_is_wrong_with_a_move_is_explained),
        cmocka_unit_test(every_action_of_every_game_finds_its_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
