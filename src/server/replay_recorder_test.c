/* From a match to what is kept of it: the recorder, the store and its thread, without a server.
 * The thread has done all when the store is closed. */
#include "server/replay_read.h"
#include "server/replay_rig.h"

/* ------------------------------------------------------------------ what is kept */

static void play_until(struct fixture *fixture, uint64_t until_us)
{
    while (fixture->now_us < until_us) {
        fixture->now_us += SECOND / 20;
        fray_match_advance(fixture->match, fixture->now_us);
        fray_match_sent(fixture->match);
    }
}

static void arena_of_ann(struct fixture *fixture, const char *id, uint64_t us)
{
    match_open(fixture, &fray_arena, id);
    (void)sit(fixture, &ann);
    play_until(fixture, us);
    match_close(fixture);
}

static void what_is_over_at_once_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    char name[256];

    store_open(fixture);
    arena_of_ann(fixture, "nothing", 0);
    arena_of_ann(fixture, "short", 5 * SECOND / 2);
    arena_of_ann(fixture, "long", 7 * SECOND / 2);
    match_open(fixture, &fray_tictactoe, "still");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    play_until(fixture, UINT64_C(10) * SECOND); /* nobody moves */
    match_close(fixture);
    match_open(fixture, &fray_tictactoe, "moved");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    play_until(fixture, UINT64_C(10) * SECOND);
    place(fixture, 0, 4);
    match_close(fixture);
    store_close(fixture);
    assert_int_equal(files(fixture, ".replay", name), 2);
    json_t *one = entry_of(fixture, "long"), *other = entry_of(fixture, "moved");
    assert_non_null(one);
    assert_non_null(other);
    json_decref(one);
    json_decref(other);
}

/* What fray replay verify says. */
static enum fray_replay_fault verify(const struct fixture *fixture, uint32_t *ticks)
{
    struct fray_replay_reading reading;
    char name[256], path[384];
    assert_int_equal(files(fixture, ".replay", name), 1);
    path_of(fixture, name, path);
    assert_int_equal(fray_replay_reading_open(&reading, fray_games_builtin, path), FRAY_OK);
    assert_non_null(reading.replay.frame);
    enum fray_replay_fault fault = fray_replay_verify(&reading.replay);
    *ticks = reading.replay.ticks_max;
    assert_true(reading.replay.hashes > 0);
    fray_replay_reading_close(&reading);
    return fault;
}

static void a_replay_that_grows_too_long_is_cut_and_good_so_far(void **state)
{
    struct fixture *fixture = *state;
    uint32_t ticks, seat;

    fixture->config.replay_max_bytes = 4096;
    store_open(fixture);
    match_open(fixture, &fray_arena, "match");
    seat = sit(fixture, &ann);
    for (int i = 0; i < 600; i++) {
        uint32_t other = sit(fixture, &bob);
        play_until(fixture, fixture->now_us + SECOND / 20);
        fray_match_put_out(fixture->match, other, FRAY_OUT_LEFT, fixture->now_us);
    }
    fray_match_put_out(fixture->match, seat, FRAY_OUT_LEFT, fixture->now_us);
    match_close(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    assert_int_equal(atomic_load(&counts->cut), 1);
    while (!atomic_load(&counts->kept))
        sched_yield();
    assert_int_equal(atomic_load(&counts->written), 0);
    store_close(fixture);

    size_t size = size_of(fixture, ".replay");
    assert_true(size <= 4096);
    assert_true(size > 4000);
    json_t *entry = entry_of(fixture, "match");
    assert_true(json_is_false(json_object_get(entry, "complete")));
    assert_int_equal(json_integer_value(json_object_get(entry, "bytes")), size);
    assert_int_equal(verify(fixture, &ticks), FRAY_REPLAY_TRUNCATED);
    assert_int_equal(json_integer_value(json_object_get(entry, "ticks")), ticks);
    json_decref(entry);
}

static void what_is_being_written_counts_and_the_longest_end(void **state)
{
    struct fixture *fixture = *state;
    char bytes[6000] = {0};

    fixture->config.replays_max_bytes = 4096;
    store_open(fixture);
    assert_false(fray_replay_store_is_crowded(fixture->store, 1000000));
    struct fray_replay_file *file = fray_replay_file_create(fixture->store, "other", 0);
    fray_buf_append(fray_replay_file_buf(file), bytes, sizeof bytes);
    fray_replay_file_flush(file);
    while (!fray_replay_store_is_crowded(fixture->store, sizeof bytes + 1))
        sched_yield();
    assert_false(fray_replay_store_is_crowded(fixture->store, 100));
    fray_replay_file_end(file, NULL);
    while (fray_replay_store_is_crowded(fixture->store, sizeof bytes + 1))
        sched_yield();
    store_close(fixture);
}

static enum fray_err find(struct fixture *fixture, const char *id)
{
    struct fray_replay_found found;
    enum fray_err err = fray_replay_store_find(fixture->store, id, &found);
    if (!err)
        close(found.fd);
    return err;
}

static void a_replay_is_a_secret_until_the_rules_are_done_with_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.replay_min_ms = 0;
    store_open(fixture);
    play_tictactoe(fixture, "match");
    assert_int_equal(fray_match_phase(fixture->match), FRAY_MATCH_OVER);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    while (atomic_load(&counts->bytes) < 150) /* all that was played */
        sched_yield();
    assert_int_equal(find(fixture, "match"), FRAY_ERR_AGAIN);
    fray_match_restart(fixture->match, fixture->now_us);
    while (find(fixture, "match") == FRAY_ERR_AGAIN)
        sched_yield();
    assert_int_equal(find(fixture, "match"), FRAY_OK);
    assert_int_equal(find(fixture, "match-2"), FRAY_ERR_AGAIN);
    place(fixture, 0, 4);
    match_close(fixture);
    while (find(fixture, "match-2") == FRAY_ERR_AGAIN)
        sched_yield();
    assert_int_equal(find(fixture, "match-2"), FRAY_OK);
    store_close(fixture);
}

static void what_was_cut_is_a_secret_while_the_match_goes_on(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.replay_max_bytes = 4096;
    store_open(fixture);
    match_open(fixture, &fray_arena, "match");
    (void)sit(fixture, &ann);
    play_until(fixture, 4 * UINT64_C(1000000));
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    while (!atomic_load(&counts->cut))
        fray_match_put_out(fixture->match, sit(fixture, &bob), FRAY_OUT_LEFT, fixture->now_us);
    while (atomic_load(&counts->bytes) < 4000)
        sched_yield();
    assert_int_equal(find(fixture, "match"), FRAY_ERR_AGAIN);
    match_close(fixture);
    while (find(fixture, "match") == FRAY_ERR_AGAIN)
        sched_yield();
    assert_int_equal(find(fixture, "match"), FRAY_OK);
    store_close(fixture);
}

/* ------------------------------------------------------------------ who played */

/* "name bot outcome out; …" */
static void assert_players(const json_t *entry, const char *want)
{
    struct fray_buf text = {0};
    const json_t *player;
    size_t i;
    json_array_foreach(json_object_get(entry, "players"), i, player)
    {
        const json_t *bot = json_object_get(player, "bot");
        const char *out = json_string_value(json_object_get(player, "out"));
        fray_buf_printf(&text, "%s%s %s %s%s%s", i ? "; " : "",
                        json_string_value(json_object_get(player, "name")),
                        json_is_null(bot) ? "person" : "bot",
                        json_string_value(json_object_get(player, "outcome")), out ? " " : "",
                        out ? out : "");
    }
    fray_buf_append_byte(&text, '\0');
    assert_string_equal(text.data, want);
    fray_buf_deinit(&text);
}

/* What was written, and what the file alone tells when the index is lost. */
static void assert_entries(struct fixture *fixture, const char *want, const char *found)
{
    char name[256], path[384];
    json_t *entry = entry_of(fixture, "match");
    assert_players(entry, want);
    json_decref(entry);
    while (files(fixture, ".db", name) || files(fixture, ".db-wal", name) ||
           files(fixture, ".db-shm", name)) {
        path_of(fixture, name, path);
        assert_int_equal(unlink(path), 0);
    }
    store_search(fixture);
    store_close(fixture);
    entry = entry_of(fixture, "match");
    assert_players(entry, found);
    json_decref(entry);
}

static void duel_begin(struct fixture *fixture)
{
    store_open(fixture);
    match_open(fixture, &fray_duel, "match");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    play_until(fixture, 4 * UINT64_C(1000000));
}

static void put_out(struct fixture *fixture, uint32_t seat, enum fray_match_out reason)
{
    fray_match_put_out(fixture->match, seat, reason, fixture->now_us);
    fray_replay_recorder_put_out(fixture->match->recorder, seat, reason);
}

static void who_was_put_out_is_told_from_the_bot_that_plays_on(void **state)
{
    struct fixture *fixture = *state;

    duel_begin(fixture);
    put_out(fixture, 1, FRAY_OUT_CHEATING);
    play_until(fixture, 8 * UINT64_C(1000000));
    match_close(fixture);
    store_close(fixture);
    assert_entries(fixture, "Ann person left; Bob person left cheating; Bot 2 bot left",
                   "Ann person left; Bob person left; Bot 2 bot left");
}

static void a_substitute_is_known_even_if_all_ends_at_once(void **state)
{
    struct fixture *fixture = *state;

    duel_begin(fixture);
    put_out(fixture, 1, FRAY_OUT_ERROR);
    match_close(fixture);
    store_close(fixture);
    assert_entries(fixture, "Ann person left; Bob person left error; Bot 2 bot left",
                   "Ann person left; Bob person left; Bot 2 bot left");
}

static void choose(struct fixture *fixture, uint32_t seat, int choice)
{
    json_t *content = json_pack("{s:i}", "choice", choice);
    assert_null(fray_match_act(fixture->match, seat, "choose", content, fixture->now_us));
    json_decref(content);
}

/* Whatever the rules tell of it later: who has won goes, and somebody else comes. */
static void outcomes_are_those_of_the_end(void **state)
{
    struct fixture *fixture = *state;

    store_open(fixture);
    match_open(fixture, &fray_rps, "match");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    for (int choice = 0; choice < 2; choice++) { /* a tie, then paper and rock */
        fixture->now_us += 10 * SECOND;
        choose(fixture, 0, choice);
        choose(fixture, 1, 0);
    }
    assert_int_equal(fray_match_phase(fixture->match), FRAY_MATCH_OVER);
    fray_match_put_out(fixture->match, 0, FRAY_OUT_LEFT, fixture->now_us);
    (void)sit(fixture, &cid);
    match_close(fixture);
    store_close(fixture);
    assert_entries(fixture, "Ann person won; Bob person lost; Cid person left",
                   "Cid person left; Bob person lost");
}

static void who_has_a_stand_in_is_a_person(void **state)
{
    struct fixture *fixture = *state;

    duel_begin(fixture);
    fray_match_drop(fixture->match, 1, fixture->now_us);
    play_until(fixture, 20 * UINT64_C(1000000)); /* after 10 s a bot plays for Bob */
    assert_true(fixture->match->seats[1].has_stand_in);
    fray_match_put_out(fixture->match, 0, FRAY_OUT_LEFT, fixture->now_us);
    match_close(fixture);
    store_close(fixture);
    assert_entries(fixture, "Ann person left; Bob person won", "Ann person left; Bob person won");
}

static void who_comes_back_and_calls_itself_something_else_is_one(void **state)
{
    struct fixture *fixture = *state;
    char token[FRAY_TOKEN_LEN + 1];
    uint32_t seat;

    duel_begin(fixture);
    snprintf(token, sizeof token, "%s", fixture->match->seats[1].token);
    fray_match_drop(fixture->match, 1, fixture->now_us);
    play_until(fixture, 20 * UINT64_C(1000000));
    assert_null(fray_match_return(fixture->match, token, fixture->now_us, &seat));
    play_until(fixture, 22 * UINT64_C(1000000));
    snprintf(fixture->match->seats[1].name, FRAY_MATCH_NAME_MAX, "Robert");
    play_until(fixture, 24 * UINT64_C(1000000));
    match_close(fixture);
    store_close(fixture);
    assert_entries(fixture, "Ann person left; Robert person left",
                   "Ann person left; Robert person left");
}

static void who_was_put_out_stays_listed_however_many_come(void **state)
{
    static const struct fray_match_person dan = {.id = "dan", .name = "Dan"};
    struct fixture *fixture = *state;

    store_open(fixture);
    match_open(fixture, &fray_arena, "match");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    play_until(fixture, 4 * UINT64_C(1000000));
    put_out(fixture, 1, FRAY_OUT_KICKED);
    for (int i = 0; i < 600; i++) {
        uint32_t seat = sit(fixture, &cid);
        fray_match_put_out(fixture->match, seat, FRAY_OUT_LEFT, fixture->now_us);
    }
    put_out(fixture, sit(fixture, &dan),
            FRAY_OUT_CHEATING); /* in the place of somebody's who left */
    match_close(fixture);
    store_close(fixture);
    json_t *entry = entry_of(fixture, "match");
    const json_t *players = json_object_get(entry, "players"), *player;
    unsigned out = 0;
    size_t i;
    assert_int_equal(json_array_size(players), 512);
    json_array_foreach(players, i, player)
    {
        const char *why = json_string_value(json_object_get(player, "out"));
        const char *name = json_string_value(json_object_get(player, "name"));
        if (why)
            assert_string_equal(strcmp(name, "Dan") == 0 ? "cheating" : "kicked", why);
        out += why && strcmp(name, "Cid") != 0;
    }
    assert_int_equal(out, 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(players, 0), "name")),
                        "Ann");
    json_decref(entry);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_replay_that_grows_too_long_is_cut_and_good_so_far),
        TEST(what_is_being_written_counts_and_the_longest_end),
        TEST(a_replay_is_a_secret_until_the_rules_are_done_with_it),
        TEST(what_was_cut_is_a_secret_while_the_match_goes_on),
        TEST(who_was_put_out_is_told_from_the_bot_that_plays_on),
        TEST(a_substitute_is_known_even_if_all_ends_at_once),
        TEST(outcomes_are_those_of_the_end),
        TEST(who_has_a_stand_in_is_a_person),
        TEST(who_comes_back_and_calls_itself_something_else_is_one),
        TEST(who_was_put_out_stays_listed_however_many_come),
        TEST(what_is_over_at_once_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
