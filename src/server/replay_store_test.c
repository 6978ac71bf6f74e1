/* What gets to the disk, and what is on it at the start. The store's thread has done all when the
 * store is closed. */
#include "server/replay_rig.h"

#include <signal.h>
#include <sys/resource.h>

/* ------------------------------------------------------------------ desyncs */

/* A log with a text of so many bytes. */
static void log_make(struct fray_buf *log, size_t len)
{
    FRAY_BUF_LITERAL(log, "{\"x\":\"");
    memset(fray_buf_reserve(log, len), 'x', len);
    log->len += len;
    FRAY_BUF_LITERAL(log, "\"}");
    fray_buf_append_byte(log, '\0');
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

    log_make(&log, 200000);
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

    log_make(&log, FRAY_REPLAY_LOG_MAX - 100);
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

    log_make(&log, 100000);
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
        TEST(what_cannot_be_begun_leaves_nothing),
        TEST(half_a_log_does_not_spoil_the_next),
        TEST(what_is_given_up_is_listed_as_far_as_it_goes),
        TEST(what_is_gone_is_not_listed_after_the_next_start),
        TEST(files_without_a_header_are_deleted_at_the_start),
        TEST(logs_without_a_replay_are_deleted_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
