/* From a match to what is kept of it: the recorder, the store and its thread, without a server.
 * The thread has done all when the store is closed. */
#include "server/replay_recorder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "fray/games.h"
#include "server/replay_read.h"

enum { SECOND = 1000000 };

static const struct fray_match_person ann = {.id = "ann-id", .name = "Ann"},
                                      bob = {.id = "bob-id", .name = "Bob"},
                                      cid = {.id = "cid-id", .name = "Cid"};

struct fixture {
    char data[40], replays[64];
    struct fray_config config;
    struct fray_replay_store *store;
    struct fray_match *match;
    uint64_t now_us;
};

static int set_up(void **state)
{
    struct fixture *fixture = fray_alloc_zero(sizeof *fixture);
    fray_log_configure(FRAY_LOG_ERROR, FRAY_LOG_TEXT);
    snprintf(fixture->data, sizeof fixture->data, "/tmp/fray-recorder-XXXXXX");
    assert_non_null(mkdtemp(fixture->data));
    snprintf(fixture->replays, sizeof fixture->replays, "%s/replays", fixture->data);
    fray_config_init_default(&fixture->config);
    free(fixture->config.data);
    fixture->config.data = fray_strndup(fixture->data, strlen(fixture->data));
    *state = fixture;
    return 0;
}

static void path_of(const struct fixture *fixture, const char *name, char path[384])
{
    snprintf(path, 384, "%s/%s", fixture->replays, name);
}

/* How many files end so; `name` gets one of them. */
static unsigned files(const struct fixture *fixture, const char *end, char name[256])
{
    DIR *dir = opendir(fixture->replays);
    const struct dirent *entry;
    unsigned count = 0;
    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name), end_len = strlen(end);
        if (len < end_len || strcmp(entry->d_name + len - end_len, end) != 0)
            continue;
        snprintf(name, 256, "%s", entry->d_name);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char name[256], path[384];
    static const char *const ends[] = {".replay", ".jsonl", ".db", ".db-wal", ".db-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        while (files(fixture, ends[i], name)) {
            path_of(fixture, name, path);
            assert_int_equal(unlink(path), 0);
        }
    }
    (void)rmdir(fixture->replays);
    assert_int_equal(rmdir(fixture->data), 0);
    fray_config_deinit(&fixture->config);
    free(fixture);
    return 0;
}

static void store_open(struct fixture *fixture)
{
    struct fray_buf error = {0};
    assert_int_equal(
        fray_replay_store_open(&fixture->config, fray_games_builtin, &fixture->store, &error),
        FRAY_OK);
    fray_buf_deinit(&error);
}

static void store_close(struct fixture *fixture)
{
    fray_replay_store_close(fixture->store);
    fixture->store = NULL;
}

/* All that is in the folder has been looked at. */
static void store_search(struct fixture *fixture)
{
    store_open(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    while (atomic_load(&counts->searching))
        sched_yield();
}

static void match_open(struct fixture *fixture, const struct fray_game *game, const char *id)
{
    struct fray_match_config config = {
        .game = game, .times = {.hold_ms = 60000, .stand_in_ms = 10000, .think_ms = 400}};
    snprintf(config.id, sizeof config.id, "%s", id);
    fixture->now_us = 0;
    fixture->match = fray_match_create(&config, 7, 0);
    fray_replay_recorder_create(fixture->store, fixture->match);
}

static void match_close(struct fixture *fixture)
{
    struct fray_match_recorder *recorder = fixture->match->recorder;
    fray_match_destroy(fixture->match);
    fray_replay_recorder_destroy(recorder);
    fixture->match = NULL;
}

static uint32_t sit(struct fixture *fixture, const struct fray_match_person *person)
{
    static uint8_t random[FRAY_TOKEN_RANDOM];
    uint32_t seat;
    random[0]++;
    assert_null(fray_match_sit(fixture->match, person, random, fixture->now_us, &seat));
    return seat;
}

static void place(struct fixture *fixture, uint32_t seat, int cell)
{
    json_t *content = json_pack("{s:i}", "cell", cell);
    fixture->now_us += SECOND;
    assert_null(fray_match_act(fixture->match, seat, "place", content, fixture->now_us));
    json_decref(content);
}

/* Two people play tic-tac-toe until the first has a line. */
static void play_tictactoe(struct fixture *fixture, const char *id)
{
    static const int cells[] = {0, 3, 1, 4, 2};
    match_open(fixture, &fray_tictactoe, id);
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    for (uint32_t i = 0; i < 5; i++)
        place(fixture, i % 2, cells[i]);
}

/* After the store was closed: what the index says. NULL: nothing. New reference. */
static json_t *entry_of(const struct fixture *fixture, const char *id)
{
    struct fray_replay_index index;
    struct fray_buf error = {0};
    json_t *entry = NULL;
    assert_int_equal(fray_replay_index_open(&index, fixture->replays, true, &error), FRAY_OK);
    const struct fray_replay_row *row = fray_replay_index_find(&index, fray_slice_of(id));
    if (row)
        entry = json_loads(row->json, 0, NULL);
    fray_replay_index_close(&index);
    return entry;
}

static void file_make(const struct fixture *fixture, const char *name, struct fray_slice bytes)
{
    char path[384];
    path_of(fixture, name, path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
}

static size_t size_of(const struct fixture *fixture, const char *end)
{
    char name[256], path[384];
    struct stat stat_of_file;
    assert_int_equal(files(fixture, end, name), 1);
    path_of(fixture, name, path);
    assert_int_equal(stat(path, &stat_of_file), 0);
    return (size_t)stat_of_file.st_size;
}

/* The n-th line of the log of desyncs. New reference. */
static json_t *desync_line(const struct fixture *fixture, int number)
{
    char name[256], path[384], *text = NULL;
    size_t cap = 0;
    assert_int_equal(files(fixture, ".desync.jsonl", name), 1);
    path_of(fixture, name, path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (int i = 0; i <= number; i++)
        assert_true(getline(&text, &cap, file) > 0);
    fclose(file);
    json_t *line = json_loads(text, 0, NULL);
    free(text);
    return line;
}

/* ------------------------------------------------------------------ desyncs */

static enum fray_err put_log(struct fixture *fixture, uint32_t seat, const char *log)
{
    return fray_replay_recorder_put_log(fixture->match->recorder, seat, fray_slice_of(log),
                                        fixture->now_us);
}

static void a_log_is_one_object_and_one_a_minute(void **state)
{
    struct fixture *fixture = *state;
    store_open(fixture);
    play_tictactoe(fixture, "match");
    assert_int_equal(put_log(fixture, 0, "{\"a\":\n[1,\r\n2]} "), FRAY_OK);
    assert_int_equal(put_log(fixture, 0, "{}"), FRAY_ERR_AGAIN);
    assert_int_equal(put_log(fixture, 1, "[1]"), FRAY_ERR_SYNTAX);
    assert_int_equal(put_log(fixture, 1, "{}"), FRAY_ERR_AGAIN);
    fixture->now_us += UINT64_C(60) * SECOND;
    assert_int_equal(put_log(fixture, 1, "{\"a\":1} {}"), FRAY_OK); /* looked at by the thread */
    assert_int_equal(put_log(fixture, 0, ""), FRAY_ERR_SYNTAX);
    fixture->now_us += UINT64_C(60) * SECOND;
    assert_int_equal(put_log(fixture, 1, "{\"b\":1}"), FRAY_OK);
    match_close(fixture);
    store_close(fixture);

    json_t *first = desync_line(fixture, 0), *second = desync_line(fixture, 1);
    json_t *want = json_pack("{s:[i, i]}", "a", 1, 2);
    assert_int_equal(json_integer_value(json_object_get(first, "seat")), 0);
    assert_true(json_equal(json_object_get(first, "log"), want));
    assert_int_equal(json_integer_value(json_object_get(second, "seat")), 1);
    json_decref(want);
    json_decref(first);
    json_decref(second);
}

static void what_disputes_a_replay_counts_as_its_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct fray_buf log = {0};
    char name[256];

    FRAY_BUF_LITERAL(&log, "{\"x\":\"");
    memset(fray_buf_reserve(&log, 200000), 'x', 200000);
    log.len += 200000;
    FRAY_BUF_LITERAL(&log, "\"}");
    fray_buf_append_byte(&log, '\0');
    fixture->config.replays_max_bytes = 250000;
    store_open(fixture);
    play_tictactoe(fixture, "first");
    assert_int_equal(put_log(fixture, 0, log.data), FRAY_OK);
    fray_replay_recorder_report(fixture->match->recorder, 1, 5, 0xabc);
    match_close(fixture);
    store_close(fixture);
    json_t *entry = entry_of(fixture, "first");
    assert_int_equal(json_integer_value(json_object_get(entry, "desync_bytes")),
                     size_of(fixture, ".desync.jsonl"));
    assert_int_equal(json_integer_value(json_object_get(entry, "bytes")),
                     size_of(fixture, ".replay"));
    assert_int_equal(json_integer_value(json_object_get(entry, "desyncs")), 1);
    json_decref(entry);
    json_t *report = desync_line(fixture, 1);
    assert_string_equal(json_string_value(json_object_get(report, "client_hash")),
                        "0000000000000abc");
    json_decref(report);

    store_open(fixture);
    play_tictactoe(fixture, "second");
    assert_int_equal(put_log(fixture, 0, log.data), FRAY_OK);
    match_close(fixture);
    store_close(fixture);
    assert_null(entry_of(fixture, "first")); /* both are too much */
    assert_true(size_of(fixture, ".desync.jsonl") > 200000);
    assert_int_equal(files(fixture, ".replay", name), 1);
    fray_buf_deinit(&log);
}

static void logs_of_one_replay_have_an_end(void **state)
{
    struct fixture *fixture = *state;
    struct fray_buf log = {0};
    unsigned kept = 0;

    FRAY_BUF_LITERAL(&log, "{\"x\":\"");
    memset(fray_buf_reserve(&log, FRAY_REPLAY_LOG_MAX - 100), 'x', FRAY_REPLAY_LOG_MAX - 100);
    log.len += FRAY_REPLAY_LOG_MAX - 100;
    FRAY_BUF_LITERAL(&log, "\"}");
    fray_buf_append_byte(&log, '\0');
    store_open(fixture);
    play_tictactoe(fixture, "match");
    while (put_log(fixture, 0, log.data) == FRAY_OK) {
        kept++;
        fixture->now_us += UINT64_C(60) * SECOND;
    }
    assert_int_equal(kept, 8);
    match_close(fixture);
    store_close(fixture);
    assert_true(size_of(fixture, ".desync.jsonl") <= FRAY_REPLAY_DESYNC_MAX);
    fray_buf_deinit(&log);
}

static void logs_without_a_replay_are_deleted_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    char name[256];

    assert_int_equal(mkdir(fixture->replays, 0700), 0);
    file_make(fixture, "20261120T132356Z-gone.desync.jsonl", FRAY_SLICE("{}\n"));
    store_search(fixture);
    play_tictactoe(fixture, "match");
    assert_int_equal(put_log(fixture, 0, "{}"), FRAY_OK);
    match_close(fixture);
    store_close(fixture);
    assert_int_equal(files(fixture, ".desync.jsonl", name), 1);
    assert_non_null(strstr(name, "match"));
}

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

/* ------------------------------------------------------------------ the disk */

static void limit_files(rlim_t bytes, struct rlimit *before)
{
    assert_int_equal(getrlimit(RLIMIT_FSIZE, before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, before->rlim_max}), 0);
}

static void what_cannot_be_begun_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;
    char name[256];

    (void)signal(SIGXFSZ, SIG_IGN);
    store_open(fixture);
    limit_files(0, &before); /* as a full disk: files are made, and take nothing */
    play_tictactoe(fixture, "match");
    assert_int_equal(put_log(fixture, 0, "{}"), FRAY_OK);
    match_close(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    while (!atomic_load(&counts->failed))
        sched_yield();
    store_close(fixture);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(files(fixture, ".replay", name), 0);
    assert_int_equal(files(fixture, ".jsonl", name), 0);
}

static void half_a_log_does_not_spoil_the_next(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;
    struct fray_buf log = {0};

    FRAY_BUF_LITERAL(&log, "{\"x\":\"");
    memset(fray_buf_reserve(&log, 100000), 'x', 100000);
    log.len += 100000;
    FRAY_BUF_LITERAL(&log, "\"}");
    fray_buf_append_byte(&log, '\0');
    (void)signal(SIGXFSZ, SIG_IGN);
    store_open(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    play_tictactoe(fixture, "match");
    limit_files(50000, &before); /* as a disk that becomes full in the middle of it */
    assert_int_equal(put_log(fixture, 0, log.data), FRAY_OK);
    while (!atomic_load(&counts->logs_failed))
        sched_yield();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(put_log(fixture, 1, "{\"good\":1}"), FRAY_OK);
    match_close(fixture);
    store_close(fixture);

    json_t *line = desync_line(fixture, 0), *entry = entry_of(fixture, "match");
    assert_int_equal(json_integer_value(json_object_get(line, "seat")), 1);
    assert_int_equal(json_integer_value(json_object_get(entry, "desync_bytes")),
                     size_of(fixture, ".desync.jsonl"));
    json_decref(line);
    json_decref(entry);
    fray_buf_deinit(&log);
}

static void what_is_given_up_is_listed_as_far_as_it_goes(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;

    (void)signal(SIGXFSZ, SIG_IGN);
    store_open(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    match_open(fixture, &fray_tictactoe, "match");
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    place(fixture, 0, 4);
    while (!atomic_load(&counts->bytes))
        sched_yield();
    limit_files(0, &before);
    for (int i = 0; i < 3; i++)
        place(fixture, (i + 1) % 2, i);
    match_close(fixture);
    while (!atomic_load(&counts->kept))
        sched_yield();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(atomic_load(&counts->failed), 1);
    assert_int_equal(atomic_load(&counts->kept_bytes), size_of(fixture, ".replay"));
    store_close(fixture);
}

static void what_is_gone_is_not_listed_after_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    char name[256], path[384];

    store_open(fixture);
    play_tictactoe(fixture, "match");
    assert_int_equal(put_log(fixture, 0, "{}"), FRAY_OK);
    match_close(fixture);
    store_close(fixture);
    assert_int_equal(files(fixture, ".replay", name), 1);
    path_of(fixture, name, path);
    assert_int_equal(unlink(path), 0);
    store_search(fixture);
    store_close(fixture);
    assert_null(entry_of(fixture, "match"));
    assert_int_equal(files(fixture, ".jsonl", name), 0);
}

static void files_without_a_header_are_deleted_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    char name[256];

    assert_int_equal(mkdir(fixture->replays, 0700), 0);
    file_make(fixture, "20261120T132356Z-empty.replay", (struct fray_slice){0});
    file_make(fixture, "20261120T132356Z-cut.replay", FRAY_SLICE("FRPL\1\0\1"));
    file_make(fixture, "20261120T132356Z-zeros.replay", FRAY_SLICE("\0\0\0\0\0\0"));
    file_make(fixture, "20261120T132356Z-newer.replay", FRAY_SLICE("FRPL\2 who knows"));
    store_search(fixture);
    store_close(fixture);
    assert_int_equal(files(fixture, ".replay", name), 1);
    assert_non_null(strstr(name, "newer"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_log_is_one_object_and_one_a_minute),
        TEST(what_disputes_a_replay_counts_as_its_bytes),
        TEST(logs_of_one_replay_have_an_end),
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
        TEST(what_cannot_be_begun_leaves_nothing),
        TEST(half_a_log_does_not_spoil_the_next),
        TEST(what_is_given_up_is_listed_as_far_as_it_goes),
        TEST(what_is_gone_is_not_listed_after_the_next_start),
        TEST(files_without_a_header_are_deleted_at_the_start),
        TEST(what_is_over_at_once_is_not_kept),
        TEST(logs_without_a_replay_are_deleted_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
