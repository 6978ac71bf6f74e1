/* A match: seats, the host's rights, moves, bots, time. */
#include "game/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fray/games.h"
#include "game/json_fake.h"

enum { SECOND = 1000000, THINK_MS = 400 };

static const struct fray_match_person ann = {.id = "ann-id", .name = "Ann"},
                                      bob = {.id = "bob-id", .name = "Bob"},
                                      cid = {.id = "cid-id", .name = "Cid"};

static struct fray_match *open_match(const struct fray_game *game, bool waits_for_host)
{
    struct fray_match_config config = {
        .game = game,
        .id = "m",
        .waits_for_host = waits_for_host,
        .times = {.hold_ms = 60000, .stand_in_ms = 10000, .think_ms = THINK_MS}};
    return fray_match_create(&config, 7, 0);
}

static const char *sit(struct fray_match *match, const struct fray_match_person *person)
{
    static uint8_t random[FRAY_TOKEN_RANDOM];
    uint32_t seat;
    random[0]++;
    return fray_match_sit(match, person, random, 0, &seat);
}

static void assert_reason(const char *reason, const char *want)
{
    assert_non_null(reason);
    assert_string_equal(reason, want);
}

static const char *act(struct fray_match *match, uint32_t seat, const char *name, const char *key,
                       int value)
{
    json_t *content = key ? json_pack("{s:i}", key, value) : NULL;
    const char *reason = fray_match_act(match, seat, name, content, SECOND);
    json_decref(content);
    return reason;
}

static const struct fray_match_news *find_news(const struct fray_match *match, const char *name)
{
    for (uint32_t i = 0; i < match->news.count; i++) {
        if (strcmp(match->news.items[i].name, name) == 0)
            return &match->news.items[i];
    }
    return NULL;
}

/* A member of the state's table "match", as clients see it. */
static json_t *seen(struct fray_match *match, const char *key)
{
    json_t *state = fake_match_state(match, FRAY_GAME_NOBODY, SECOND);
    json_t *value = json_incref(
        json_object_get(json_object_get(json_object_get(state, "state"), "match"), key));
    json_decref(state);
    return value;
}

static json_int_t seen_number(struct fray_match *match, const char *key)
{
    json_t *value = seen(match, key);
    json_int_t number = json_integer_value(value);
    json_decref(value);
    return number;
}

/* The seat of the player whom the member names. */
static uint32_t seen_seat(struct fray_match *match, const char *key)
{
    json_t *id = seen(match, key);
    uint32_t seat = FRAY_GAME_NOBODY;
    for (uint32_t i = 0; json_is_string(id) && i < match->config.game->seats_max; i++) {
        if (strcmp(match->seats[i].id, json_string_value(id)) == 0)
            seat = i;
    }
    json_decref(id);
    return seat;
}

static void play(struct fray_match *match, const char *cells)
{
    uint32_t seat = seen_seat(match, "turn");
    for (; *cells; cells++, seat = !seat)
        assert_null(act(match, seat, "place", "cell", *cells - '0'));
}

static void B17_B18_a_game_begins_with_two_and_ends_with_results(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    assert_null(sit(match, &ann));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_WAITING);
    assert_reason(act(match, 0, "place", "cell", 0), "not_playing");
    assert_null(find_news(match, "start_game"));
    assert_null(sit(match, &bob));
    assert_reason(sit(match, &cid), "match_full");
    assert_non_null(find_news(match, "start_game"));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    assert_reason(fray_match_start(match, 0, 0), "already_started");
    assert_reason(act(match, 0, "rematch", NULL, 0), "game_not_over");
    play(match, "03142");
    const struct fray_match_news *end = find_news(match, "end_game");
    assert_non_null(end);
    json_t *want =
        json_pack("{s:s, s:i, s:[{s:i, s:s, s:s, s:s}, {s:i, s:s, s:s, s:s}]}", "winner", "ann-id",
                  "ending", 1, "results", "seat", 0, "id", "ann-id", "name", "Ann", "outcome",
                  "won", "seat", 1, "id", "bob-id", "name", "Bob", "outcome", "lost");
    assert_true(json_equal(end->content, want));
    json_decref(want);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_destroy(match);
}

static void B26_in_a_rematch_the_other_begins(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    for (uint8_t game = 0; game < 3; game++) {
        assert_int_equal(seen_seat(match, "turn"), game % 2);
        play(match, "03142");
        assert_null(act(match, 0, "rematch", NULL, 0));
        assert_true(match->seats[0].wants_rematch);
        assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
        assert_null(act(match, 1, "rematch", NULL, 0));
        assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
        assert_false(match->seats[0].wants_rematch);
    }
    fray_match_destroy(match);
}

static void refused_moves_change_nothing(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    char before[256];
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    play(match, "4");
    fray_match_sent(match);
    size_t size = match->config.game->state_size;
    assert_true(size <= sizeof before);
    memcpy(before, match->state, size);
    assert_reason(act(match, 0, "place", "cell", 0), "not_your_turn");
    assert_reason(act(match, 1, "place", "cell", 4), "cell_taken");
    assert_reason(act(match, 1, "place", "cell", 9), "out_of_range");
    assert_reason(act(match, 1, "place", NULL, 0), "wrong_shape");
    assert_reason(act(match, 1, "choose", "choice", 0), "unknown_type");
    assert_memory_equal(before, match->state, size);
    assert_false(match->is_state_changed || match->is_roster_changed);
    play(match, "0");
    fray_match_destroy(match);
}

static void B17_the_host_starts_when_all_are_ready(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_rps, true);
    assert_null(sit(match, &ann));
    assert_reason(fray_match_start(match, 0, 0), "not_enough_players");
    assert_null(sit(match, &bob));
    assert_null(sit(match, &cid));
    assert_reason(fray_match_start(match, 1, 0), "not_host");
    fray_match_ready(match, 1, true);
    assert_reason(fray_match_start(match, 0, 0), "not_ready");
    fray_match_drop(match, 2, 0); /* nobody waits for who is away */
    assert_null(fray_match_start(match, 0, 0));
    assert_reason(fray_match_start(match, 0, 0), "already_started");
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    fray_match_destroy(match);
}

/* Three are in the first round. */
static struct fray_match *begin_rps(void)
{
    struct fray_match *match = open_match(&fray_rps, true);
    const struct fray_match_person *people[] = {&ann, &bob, &cid};
    for (uint32_t i = 0; i < 3; i++) {
        assert_null(sit(match, people[i]));
        fray_match_ready(match, i, true);
    }
    assert_null(fray_match_start(match, 0, 0));
    return match;
}

static void B29_rounds_eliminate_and_all_ask_for_the_next_game(void **state)
{
    (void)state;
    struct fray_match *match = begin_rps();
    static const int choices[] = {1, 1, 0}; /* paper, paper, rock */
    for (uint32_t i = 0; i < 3; i++)
        assert_null(act(match, i, "choose", "choice", choices[i]));
    assert_reason(act(match, 2, "choose", "choice", 0), "eliminated");
    assert_null(act(match, 0, "choose", "choice", 2));
    assert_reason(act(match, 0, "choose", "choice", 1), "already_chosen");
    assert_null(act(match, 1, "choose", "choice", 1));
    assert_non_null(find_news(match, "end_game"));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
        assert_null(act(match, i, "rematch", NULL, 0));
    }
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    fray_match_destroy(match);
}

static void who_has_not_asked_and_leaves_holds_up_no_rematch(void **state)
{
    (void)state;
    struct fray_match *match = begin_rps();
    for (uint32_t i = 0; i < 3; i++)
        assert_null(act(match, i, "choose", "choice", i == 0));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_put_out(match, 2, FRAY_OUT_LEFT, SECOND);
    assert_null(sit(match, &cid));
    for (uint32_t i = 0; i < 2; i++) {
        assert_null(act(match, i, "rematch", NULL, 0));
        assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    }
    fray_match_put_out(match, 2, FRAY_OUT_LEFT, SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    /* Nor a round: who is left has chosen. */
    assert_null(sit(match, &cid));
    assert_null(act(match, 0, "choose", "choice", 1));
    fray_match_put_out(match, 1, FRAY_OUT_LEFT, SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_destroy(match);
}

static void a_bot_plays_on_for_whose_client_cannot(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    fray_match_advance(match, SECOND); /* there is no bot to think */
    fray_match_sent(match);
    uint64_t number = match->number;
    fray_match_put_out(match, 0, FRAY_OUT_ERROR, SECOND);
    assert_true(match->is_state_changed && match->number > number); /* it names who has the turn */
    assert_int_equal(seen_seat(match, "turn"), 0);
    fray_match_advance(match, fray_match_due(match));
    assert_int_equal(seen_number(match, "moves_count"), 1);
    fray_match_destroy(match);
}

static void nor_does_who_leaves_a_bot_instead(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_rps, false);
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    for (uint32_t i = 0; i < 2; i++)
        assert_null(act(match, i, "choose", "choice", i == 0));
    assert_null(act(match, 0, "rematch", NULL, 0));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_put_out(match, 1, FRAY_OUT_ERROR, SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    fray_match_destroy(match);
}

static void who_has_not_asked_and_loses_the_connection_likewise(void **state)
{
    (void)state;
    struct fray_match *match = begin_rps();
    for (uint32_t i = 0; i < 3; i++)
        assert_null(act(match, i, "choose", "choice", i == 0));
    for (uint32_t i = 0; i < 2; i++)
        assert_null(act(match, i, "rematch", NULL, 0));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_drop(match, 2, SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    fray_match_destroy(match);
}

static void who_leaves_a_round_is_not_waited_for(void **state)
{
    (void)state;
    struct fray_match *match = begin_rps();
    for (uint32_t i = 0; i < 2; i++)
        assert_null(act(match, i, "choose", "choice", i == 0));
    fray_match_put_out(match, 2, FRAY_OUT_LEFT, SECOND);
    assert_true(fray_match_due(match) <= SECOND);
    fray_match_advance(match, SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_destroy(match);
}

static void bots_do_not_play_for_those_who_have_all_gone(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    uint32_t seat;
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    fray_match_advance(match, SECOND);
    for (uint32_t i = 0; i < 2; i++)
        fray_match_drop(match, i, SECOND);
    assert_int_equal(fray_match_due(match), 61 * SECOND); /* their seats' */
    fray_match_advance(match, 30 * SECOND);
    assert_false(match->seats[0].has_stand_in || match->seats[1].has_stand_in);
    assert_int_equal(seen_number(match, "moves_count"), 0);
    assert_null(fray_match_return(match, match->seats[1].token, 31 * SECOND, &seat));
    assert_true(fray_match_due(match) <= 31 * SECOND); /* for whom somebody waits now */
    fray_match_advance(match, 31 * SECOND);
    assert_true(match->seats[0].has_stand_in);
    fray_match_destroy(match);
}

static void B29_kicked_players_do_not_come_back(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_rps, true);
    struct fray_match_person known = {"k1", "Kim", "subject", 0},
                             again = {"k2", "Other", "subject", 0},
                             namesake = {"k3", "Kim", "another", 0};
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    assert_null(sit(match, &known));
    assert_reason(fray_match_kick(match, 1, 2, 0), "not_host");
    assert_reason(fray_match_kick(match, 0, 0, 0), "unknown_seat");
    assert_reason(fray_match_kick(match, 0, 9, 0), "unknown_seat");
    assert_reason(fray_match_kick(match, 0, FRAY_GAME_NOBODY, 0), "unknown_seat");
    assert_null(fray_match_kick(match, 0, 1, 0));
    assert_null(fray_match_kick(match, 0, 2, 0));
    assert_reason(sit(match, &bob), "kicked");
    assert_reason(fray_match_watch(match, &bob, SECOND), "kicked");
    assert_reason(sit(match, &(struct fray_match_person){.id = "new", .name = "Bob"}), "kicked");
    assert_reason(sit(match, &again), "kicked");
    assert_null(sit(match, &namesake));                 /* proven to be another */
    for (int i = 0; i < 2 * FRAY_MATCH_BANS_MAX; i++) { /* bounded */
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        assert_null(sit(match, &(struct fray_match_person){.id = name, .name = name}));
        assert_null(fray_match_kick(match, 0, 2, 0));
    }
    fray_match_destroy(match);
}

static void B29_a_host_like_whom_it_kicked_is_not_kicked_itself(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_rps, true);
    struct fray_match_person host = {"h", "Host", NULL, 77}, guest = {"g", "Guest", NULL, 77};
    assert_null(sit(match, &host));
    assert_null(sit(match, &guest));
    assert_null(fray_match_kick(match, 0, 1, 0));
    assert_reason(fray_match_may_enter(match, &guest, true), "kicked");
    assert_null(fray_match_may_enter(match, &host, true));
    fray_match_destroy(match);
}

static void B29_a_new_name_does_not_bring_a_kicked_guest_back(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_rps, true);
    struct fray_match_person guest = {"g1", "Guest", NULL, 77}, renamed = {"g2", "Other", NULL, 77},
                             sister = {"g3", "Sister", NULL, 78}, seated = {"g4", "Mum", NULL, 77},
                             proven = {"g5", "Dad", "dad", 77};
    assert_null(sit(match, &ann)); /* of unknown origin */
    assert_null(sit(match, &guest));
    assert_null(sit(match, &seated));
    assert_null(fray_match_kick(match, 0, 1, 0));
    assert_reason(sit(match, &renamed), "kicked");
    assert_reason(fray_match_watch(match, &renamed, SECOND), "kicked");
    assert_null(sit(match, &sister));
    assert_null(sit(match, &proven));
    assert_null(sit(match, &cid)); /* of unknown origin, too */
    uint32_t seat;
    assert_null(fray_match_return(match, match->seats[2].token, 0, &seat)); /* stays who she is */
    fray_match_destroy(match);
}

static void who_is_there_is_told_when_it_changes_not_at_each_move(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    static const uint8_t cells[] = {0, 3, 1, 4, 2};
    for (uint32_t i = 0; i < sizeof cells; i++) {
        fray_match_sent(match);
        assert_null(act(match, i % 2, "place", "cell", cells[i]));
        assert_true(match->is_state_changed);
        assert_int_equal(match->is_roster_changed, i == sizeof cells - 1); /* the phase */
    }
    fray_match_destroy(match);
}

static void seats_are_kept_as_long_as_the_options_say(void **state)
{
    (void)state;
    for (uint32_t hold_ms = 0; hold_ms <= 2000; hold_ms += 1000) {
        struct fray_match_config config = {
            .game = &fray_tictactoe, .id = "m", .times = {.hold_ms = hold_ms, .stand_in_ms = 1000}};
        struct fray_match *match = fray_match_create(&config, 7, 0);
        assert_null(sit(match, &ann));
        assert_null(sit(match, &bob));
        fray_match_advance(match, 0); /* bots */
        fray_match_drop(match, 1, SECOND);
        uint64_t due_us = hold_ms < 1000 ? SECOND + hold_ms * 1000 : 2 * SECOND;
        assert_int_equal(fray_match_due(match), due_us);
        fray_match_advance(match, due_us);
        assert_int_equal(match->seats[1].is_taken, hold_ms == 2000);
        assert_int_equal(match->seats[1].has_stand_in, hold_ms == 2000);
        fray_match_destroy(match);
    }
}

static void a_seat_is_held_played_on_and_given_back(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    char token[FRAY_TOKEN_LEN + 1];
    uint32_t seat;
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    assert_int_equal(fray_match_due(match), THINK_MS * 1000);
    fray_match_advance(match, SECOND); /* there is no bot to think */
    assert_true(fray_match_due(match) == UINT64_MAX);
    fray_match_drop(match, 0, SECOND);
    memcpy(token, match->seats[0].token, sizeof token);
    assert_int_equal(fray_match_due(match), 11 * SECOND);
    fray_match_advance(match, 11 * SECOND - 1);
    assert_false(match->seats[0].has_stand_in);
    fray_match_advance(match, 11 * SECOND);
    assert_true(match->seats[0].has_stand_in);
    assert_int_equal(seen_number(match, "moves_count"), 1);
    assert_reason(fray_match_return(match, "q8", 0, &seat), "bad_token");
    assert_reason(fray_match_return(match, match->seats[1].id, 0, &seat), "bad_token");
    assert_null(fray_match_return(match, token, 0, &seat));
    assert_int_equal(seat, 0);
    assert_false(match->seats[0].has_stand_in);
    assert_int_equal(fray_match_players(match), 2);

    fray_match_drop(match, 0, 20 * SECOND);
    fray_match_advance(match, 80 * SECOND);
    assert_false(match->seats[0].is_taken);
    assert_reason(fray_match_return(match, token, 0, &seat), "bad_token");
    assert_int_equal(fray_match_host(match), 1);
    assert_non_null(find_news(match, "end_game"));
    fray_match_put_out(match, 1, FRAY_OUT_LEFT, 80 * SECOND);
    assert_int_equal(fray_match_host(match), FRAY_GAME_NOBODY);
    fray_match_destroy(match);
}

/* Advances whenever something is due, until nothing is. */
static void let_bots_think(struct fray_match *match, uint64_t *now_us)
{
    for (int i = 0; i < 100 && fray_match_due(match) < *now_us + SECOND; i++) {
        *now_us = fray_match_due(match);
        fray_match_advance(match, *now_us);
    }
}

static void B26_bots_play_whole_games_and_rematches(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    uint64_t now_us = SECOND;
    uint32_t seat;
    assert_null(sit(match, &ann));
    assert_reason(fray_match_add_bot(match, 0, 3, now_us, &seat), "bad_level");
    assert_reason(fray_match_add_bot(match, 1, 0, now_us, &seat), "not_host");
    assert_null(fray_match_add_bot(match, 0, FRAY_MATCH_NO_BOT, now_us, &seat));
    assert_reason(fray_match_add_bot(match, 0, 0, now_us, &seat), "match_full");
    for (int game = 0; game < 3; game++) {
        while (fray_match_phase(match) == FRAY_MATCH_PLAYING) {
            let_bots_think(match, &now_us);
            for (int cell = 0; cell < 9 && seen_seat(match, "turn") == 0; cell++)
                (void)act(match, 0, "place", "cell", cell);
        }
        assert_int_not_equal(seen_seat(match, "winner"), 0); /* the best bot never loses */
        assert_null(act(match, 0, "rematch", NULL, 0));
        let_bots_think(match, &now_us);
        assert_int_equal(seen_number(match, "games"), game + 2);
    }
    fray_match_destroy(match);
}

static void time_limits_step_the_rules(void **state)
{
    (void)state;
    static const int32_t options[] = {5000};
    struct fray_match_config config = {.game = &fray_tictactoe, .options = options};
    struct fray_match *match = fray_match_create(&config, 7, 0);
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    fray_match_advance(match, SECOND);
    assert_int_equal(fray_match_due(match), 5 * SECOND);
    json_t *json = fake_match_state(match, 1, 2 * SECOND);
    assert_int_equal(json_integer_value(json_object_get(json, "left_ms")), 3000);
    assert_int_equal(json_integer_value(json_object_get(json, "seat")), 1);
    json_decref(json);
    fray_match_advance(match, 5 * SECOND);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_OVER);
    fray_match_destroy(match);
}

static void spectators_are_bounded(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_tictactoe, false);
    for (int i = 0; i < FRAY_MATCH_SPECTATORS_MAX; i++)
        assert_null(fray_match_watch(match, &ann, SECOND));
    assert_reason(fray_match_watch(match, &ann, SECOND), "match_full");
    fray_match_unwatch(match);
    assert_null(fray_match_watch(match, &ann, SECOND));
    match->spectators++;
    assert_reason(fray_match_watch(match, &ann, SECOND), "match_full");
    fray_match_destroy(match);
}

static void bots_play_on_for_who_watches(void **state)
{
    (void)state;
    struct fray_match_config config = {.game = &fray_arena, .fighters = 3};
    struct fray_match *match = fray_match_create(&config, 7, 0);
    assert_false(fray_match_is_live(match));
    assert_null(fray_match_watch(match, &bob, SECOND));
    assert_true(fray_match_is_live(match));
    assert_int_equal(fray_match_players(match), 3);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    assert_null(sit(match, &ann));
    assert_int_equal(fray_match_players(match), 3); /* one has made way */
    assert_int_equal(fray_match_host(match), 3);
    fray_match_put_out(match, 3, FRAY_OUT_LEFT, SECOND);
    assert_int_equal(fray_match_players(match), 3);
    assert_true(fray_match_is_live(match));
    fray_match_unwatch(match);
    assert_false(fray_match_is_live(match));
    fray_match_destroy(match);
}

static void where_bots_have_all_the_seats_they_make_way(void **state)
{
    (void)state;
    static const struct fray_match_person dan = {.id = "dan-id", .name = "Dan"};
    struct fray_game small = fray_arena;
    small.seats_max = 3;
    struct fray_match_config config = {.game = &small, .fighters = FRAY_MATCH_FIGHTERS};
    struct fray_match *match = fray_match_create(&config, 7, 0);
    assert_null(fray_match_watch(match, &dan, SECOND));
    assert_int_equal(fray_match_players(match), 3);
    assert_true(fray_match_is_open(match));
    assert_null(sit(match, &ann));
    assert_null(sit(match, &bob));
    assert_int_equal(fray_match_players(match), 3);
    assert_true(fray_match_is_open(match));
    assert_null(sit(match, &cid));
    assert_false(fray_match_is_open(match));
    assert_reason(sit(match, &dan), "match_full");
    fray_match_put_out(match, 0, FRAY_OUT_LEFT, SECOND);
    assert_int_equal(fray_match_players(match), 3); /* a bot again */
    assert_null(sit(match, &dan));
    fray_match_destroy(match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B17_B18_a_game_begins_with_two_and_ends_with_results),
        cmocka_unit_test(B26_in_a_rematch_the_other_begins),
        cmocka_unit_test(refused_moves_change_nothing),
        cmocka_unit_test(B17_the_host_starts_when_all_are_ready),
        cmocka_unit_test(B29_rounds_eliminate_and_all_ask_for_the_next_game),
        cmocka_unit_test(who_has_not_asked_and_leaves_holds_up_no_rematch),
        cmocka_unit_test(nor_does_who_leaves_a_bot_instead),
        cmocka_unit_test(a_bot_plays_on_for_whose_client_cannot),
        cmocka_unit_test(who_has_not_asked_and_loses_the_connection_likewise),
        cmocka_unit_test(who_leaves_a_round_is_not_waited_for),
        cmocka_unit_test(bots_do_not_play_for_those_who_have_all_gone),
        cmocka_unit_test(B29_kicked_players_do_not_come_back),
        cmocka_unit_test(B29_a_host_like_whom_it_kicked_is_not_kicked_itself),
        cmocka_unit_test(B29_a_new_name_does_not_bring_a_kicked_guest_back),
        cmocka_unit_test(who_is_there_is_told_when_it_changes_not_at_each_move),
        cmocka_unit_test(seats_are_kept_as_long_as_the_options_say),
        cmocka_unit_test(a_seat_is_held_played_on_and_given_back),
        cmocka_unit_test(B26_bots_play_whole_games_and_rematches),
        cmocka_unit_test(time_limits_step_the_rules),
        cmocka_unit_test(spectators_are_bounded),
        cmocka_unit_test(bots_play_on_for_who_watches),
        cmocka_unit_test(where_bots_have_all_the_seats_they_make_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
