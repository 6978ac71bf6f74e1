/* For tests: a store of replays in a folder of its own, and matches that are recorded into it. */
#ifndef FRAY_SERVER_REPLAY_RIG_H
#define FRAY_SERVER_REPLAY_RIG_H

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "fray/games.h"
#include "server/replay_recorder.h"

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

static inline int set_up(void **state)
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

static inline void path_of(const struct fixture *fixture, const char *name, char path[384])
{
    snprintf(path, 384, "%s/%s", fixture->replays, name);
}

/* How many files end so; `name` gets one of them. */
static inline unsigned files(const struct fixture *fixture, const char *end, char name[256])
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

static inline int tear_down(void **state)
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

static inline void store_open(struct fixture *fixture)
{
    struct fray_buf error = {0};
    assert_int_equal(
        fray_replay_store_open(&fixture->config, fray_games_builtin, &fixture->store, &error),
        FRAY_OK);
    fray_buf_deinit(&error);
}

static inline void store_close(struct fixture *fixture)
{
    fray_replay_store_close(fixture->store);
    fixture->store = NULL;
}

/* All that is in the folder has been looked at. */
static inline void store_search(struct fixture *fixture)
{
    store_open(fixture);
    struct fray_replay_counts *counts = fray_replay_store_counts(fixture->store);
    while (atomic_load(&counts->searching))
        sched_yield();
}

static inline void match_open(struct fixture *fixture, const struct fray_game *game, const char *id)
{
    struct fray_match_config config = {
        .game = game, .times = {.hold_ms = 60000, .stand_in_ms = 10000, .think_ms = 400}};
    snprintf(config.id, sizeof config.id, "%s", id);
    fixture->now_us = 0;
    fixture->match = fray_match_create(&config, 7, 0);
    fray_replay_recorder_create(fixture->store, fixture->match);
}

static inline void match_close(struct fixture *fixture)
{
    struct fray_match_recorder *recorder = fixture->match->recorder;
    fray_match_destroy(fixture->match);
    fray_replay_recorder_destroy(recorder);
    fixture->match = NULL;
}

static inline uint32_t sit(struct fixture *fixture, const struct fray_match_person *person)
{
    static uint8_t random[FRAY_TOKEN_RANDOM];
    uint32_t seat;
    random[0]++;
    assert_null(fray_match_sit(fixture->match, person, random, fixture->now_us, &seat));
    return seat;
}

static inline void place(struct fixture *fixture, uint32_t seat, int cell)
{
    json_t *content = json_pack("{s:i}", "cell", cell);
    fixture->now_us += SECOND;
    assert_null(fray_match_act(fixture->match, seat, "place", content, fixture->now_us));
    json_decref(content);
}

/* Two people play tic-tac-toe until the first has a line. */
static inline void play_tictactoe(struct fixture *fixture, const char *id)
{
    static const int cells[] = {0, 3, 1, 4, 2};
    match_open(fixture, &fray_tictactoe, id);
    (void)sit(fixture, &ann);
    (void)sit(fixture, &bob);
    for (uint32_t i = 0; i < 5; i++)
        place(fixture, i % 2, cells[i]);
}

/* After the store was closed: what the index says. NULL: nothing. New reference. */
static inline json_t *entry_of(const struct fixture *fixture, const char *id)
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

static inline void file_make(const struct fixture *fixture, const char *name,
                             struct fray_slice bytes)
{
    char path[384];
    path_of(fixture, name, path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
    close(fd);
}

static inline size_t size_of(const struct fixture *fixture, const char *end)
{
    char name[256], path[384];
    struct stat stat_of_file;
    assert_int_equal(files(fixture, end, name), 1);
    path_of(fixture, name, path);
    assert_int_equal(stat(path, &stat_of_file), 0);
    return (size_t)stat_of_file.st_size;
}

/* The n-th line of the log of desyncs. New reference. */
static inline json_t *desync_line(const struct fixture *fixture, int number)
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

static inline enum fray_err put_log(struct fixture *fixture, uint32_t seat, const char *log)
{
    return fray_replay_recorder_put_log(fixture->match->recorder, seat, fray_slice_of(log),
                                        fixture->now_us);
}

#endif
