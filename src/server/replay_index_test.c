/* The index of replays: what is listed, in which order, and what is left when rows go. */
#include "server/replay_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[32];
    struct fray_replay_index index;
};

static void index_open(struct fixture *fixture, bool shows_private)
{
    struct fray_buf error = {0};
    assert_int_equal(
        fray_replay_index_open(&fixture->index, fixture->directory, shows_private, &error),
        FRAY_OK);
    fray_buf_deinit(&error);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    snprintf(fixture.directory, sizeof fixture.directory, "/tmp/fray-index-XXXXXX");
    assert_non_null(mkdtemp(fixture.directory));
    index_open(&fixture, false);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"index.db", "index.db-wal", "index.db-shm"};
    struct fixture *fixture = *state;
    char path[64];
    fray_replay_index_close(&fixture->index);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", fixture->directory, files[i]);
        (void)unlink(path);
    }
    return rmdir(fixture->directory);
}

static void add(struct fixture *fixture, const char *id, const char *game, const char *player,
                bool is_private)
{
    static json_int_t now_ms = 1000;
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:I, s:b, s:i, s:[{s:s, s:n}, {s:s, s:i}, {s:s, s:n}]}", "id", id, "file",
        id, "game", game, "started_ms", now_ms++, "private", is_private, "bytes", 100, "players",
        "name", player, "bot", "name", "Bot 2", "bot", 1, "name", player, "bot");
    struct fray_replay_row *row = fray_replay_row_create(entry);
    assert_non_null(row);
    fray_replay_index_add(&fixture->index, row);
    json_decref(entry);
}

/* The ids in the order of the list, each with a space behind. */
static void assert_list(const struct fixture *fixture, const struct fray_replay_filter *filter,
                        const char *want)
{
    struct fray_buf text = {0}, ids = {0};
    json_t *entry;
    size_t i;
    fray_replay_index_list(&fixture->index, filter, &text);
    json_t *entries = json_loadb(text.data, text.len, 0, NULL);
    assert_true(json_is_array(entries));
    json_array_foreach(entries, i, entry)
        fray_buf_printf(&ids, "%s ", json_string_value(json_object_get(entry, "id")));
    fray_buf_append_byte(&ids, '\0');
    assert_string_equal(ids.data, want);
    json_decref(entries);
    fray_buf_deinit(&text);
    fray_buf_deinit(&ids);
}

#define LIST(fixture, want, ...)                                                                   \
    assert_list(fixture, &(struct fray_replay_filter){.limit = 200, __VA_ARGS__}, want)

static void fill(struct fixture *fixture)
{
    add(fixture, "a", "duel", "Ann", false);
    add(fixture, "b", "arena", "Ann", false);
    add(fixture, "c", "duel", "Bob", false);
    add(fixture, "d", "duel", "Ann", true);
    add(fixture, "e", "duel", "Ann", false);
}

static void lists_are_by_game_and_by_player_the_newest_first(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    LIST(fixture, "e c b a ", .game = NULL);
    LIST(fixture, "e c a ", .game = "duel");
    LIST(fixture, "e b a ", .player = "Ann");
    LIST(fixture, "e a ", .game = "duel", .player = "Ann");
    LIST(fixture, "e c b a ", .game = "", .player = "");
    LIST(fixture, "", .player = "An");
    LIST(fixture, "", .game = "arena", .player = "Bob");
    LIST(fixture, "", .game = "duel\nAnn");
    assert_list(fixture, &(struct fray_replay_filter){.limit = 2}, "e c ");
    LIST(fixture, "e c ", .bytes = 200);
}

static void bots_are_nobody_to_look_for(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    LIST(fixture, "", .player = "Bot 2");
}

static void lists_go_on_before_a_time(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    int64_t ms = fray_replay_index_find(&fixture->index, FRAY_SLICE("c"))->started_ms;
    LIST(fixture, "b a ", .before_ms = ms);
    LIST(fixture, "a ", .before_ms = ms, .game = "duel");
    LIST(fixture, "", .before_ms = 1);
}

static void remove_oldest(struct fray_replay_index *index)
{
    fray_replay_index_remove(index, fray_slice_of(fray_replay_index_oldest(index)->id));
}

static void what_is_forgotten_is_in_no_list(void **state)
{
    struct fixture *fixture = *state;
    char id[8];
    fill(fixture);
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "r%d", i);
        add(fixture, id, "rps", "Cid", false);
        if (i >= 10)
            remove_oldest(&fixture->index);
    }
    assert_int_equal(fixture->index.all.count, 15);
    assert_int_equal(fixture->index.bytes, 1500);
    LIST(fixture, "", .player = "Ann");
    LIST(fixture, "", .game = "duel");
    assert_list(fixture, &(struct fray_replay_filter){.limit = 2, .player = "Cid"}, "r99 r98 ");
    while (fray_replay_index_oldest(&fixture->index))
        remove_oldest(&fixture->index);
    assert_int_equal(fixture->index.lists.count, 0);
    assert_int_equal(fixture->index.by_id.count, 0);
    assert_int_equal(fixture->index.bytes, 0);
}

static void an_entry_takes_the_place_of_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, "a", "duel", "Ann", false);
    add(fixture, "a", "duel", "Bob", false);
    LIST(fixture, "", .player = "Ann");
    LIST(fixture, "a ", .player = "Bob");
    assert_int_equal(fixture->index.bytes, 100);
}

static void rows_outlive_the_index_and_commands_see_private_ones(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_int_equal(fray_store_commit(fixture->index.store), FRAY_OK);
    fray_replay_index_close(&fixture->index);
    index_open(fixture, true);
    LIST(fixture, "e d c b a ", .game = NULL);
    LIST(fixture, "e d a ", .game = "duel", .player = "Ann");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lists_are_by_game_and_by_player_the_newest_first),
        TEST(bots_are_nobody_to_look_for),
        TEST(lists_go_on_before_a_time),
        TEST(what_is_forgotten_is_in_no_list),
        TEST(an_entry_takes_the_place_of_the_one_before),
        TEST(rows_outlive_the_index_and_commands_see_private_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
