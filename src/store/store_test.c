#include "store/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const tables[] = {"fruit", "colour"};

enum { FRUIT, COLOUR };

struct fixture {
    char dir[64];
    char path[80];
    struct fray_store *store;
    struct fray_buf seen;
};

static void open_store(struct fixture *fixture)
{
    struct fray_buf error = {0};
    assert_int_equal(
        fray_store_open(fixture->path, tables, 2, FRAY_STORE_NORMAL, &fixture->store, &error), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/fray_store_XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(fixture->path, sizeof fixture->path, "%s/test.db", fixture->dir);
    open_store(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char name[96];
    if (fixture->store)
        fray_store_close(fixture->store);
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", fixture->path, endings[i]);
        unlink(name);
    }
    rmdir(fixture->dir);
    fray_buf_deinit(&fixture->seen);
    test_free(fixture);
    return 0;
}

static void on_row(void *context, struct fray_slice key, struct fray_slice value)
{
    struct fixture *fixture = context;
    fray_buf_append_slice(&fixture->seen, key);
    fray_buf_append_byte(&fixture->seen, '=');
    fray_buf_append_slice(&fixture->seen, value);
    fray_buf_append_byte(&fixture->seen, ' ');
}

static const char *rows(struct fixture *fixture, unsigned table)
{
    fixture->seen.len = 0;
    assert_int_equal(fray_store_each(fixture->store, table, on_row, fixture), 0);
    fray_buf_append_byte(&fixture->seen, '\0');
    return fixture->seen.data;
}

static void put(struct fixture *fixture, unsigned table, const char *key, const char *value)
{
    fray_store_put(fixture->store, table, fray_slice_of(key), fray_slice_of(value));
}

static void commit(struct fixture *fixture)
{
    assert_int_equal(fray_store_commit(fixture->store), 0);
}

static void what_is_committed_is_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, FRUIT, "b", "banana");
    put(fixture, FRUIT, "a", "apple");
    put(fixture, COLOUR, "r", "");
    commit(fixture);
    put(fixture, FRUIT, "c", "never");
    fray_store_close(fixture->store);
    open_store(fixture);
    assert_string_equal(rows(fixture, FRUIT), "a=apple b=banana ");
    assert_string_equal(rows(fixture, COLOUR), "r= ");
}

static void the_last_change_of_a_row_counts(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, FRUIT, "a", "1");
    put(fixture, FRUIT, "b", "1");
    put(fixture, FRUIT, "a", "2");
    fray_store_remove(fixture->store, FRUIT, FRAY_SLICE("b"), false);
    commit(fixture);
    assert_string_equal(rows(fixture, FRUIT), "a=2 ");
}

static void a_prefix_removes_all_that_begin_with_it_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    static const char *const keys[] = {"a", "ab", "ab\xff", "ab\xff\xff", "ac", "\xff", "\xff\xff"};
    for (int i = 0; i < 7; i++)
        put(fixture, FRUIT, keys[i], "");
    fray_store_remove(fixture->store, FRUIT, FRAY_SLICE("ab\xff"), true);
    fray_store_remove(fixture->store, FRUIT, FRAY_SLICE("\xff"), true);
    commit(fixture);
    assert_string_equal(rows(fixture, FRUIT), "a= ab= ac= ");
    fray_store_remove(fixture->store, FRUIT, (struct fray_slice){0}, true);
    commit(fixture);
    assert_string_equal(rows(fixture, FRUIT), "");
}

static void a_second_server_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct fray_buf error = {0};
    struct fray_store *second;
    assert_int_equal(fray_store_open(fixture->path, tables, 2, FRAY_STORE_NORMAL, &second, &error),
                     FRAY_ERR_IO);
    fray_buf_append_byte(&error, '\0');
    assert_non_null(strstr(error.data, "in use by another server"));
    fray_buf_deinit(&error);
}

/* A limit on the size of files does what a full disk does. */
static void a_full_disk_keeps_changes_for_later(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit, small;
    put(fixture, FRUIT, "a", "kept");
    commit(fixture);
    char *large = fray_buf_reserve(&fixture->seen, 200000);
    memset(large, 'x', 200000);
    fray_store_put(fixture->store, FRUIT, FRAY_SLICE("b"), fray_slice(large, 200000));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(fray_store_commit(fixture->store), FRAY_ERR_IO);
    assert_true(strlen(fray_store_error(fixture->store)) > 0);
    assert_true(fray_store_queued(fixture->store) > 200000);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_string_equal(rows(fixture, FRUIT), "a=kept ");
    commit(fixture);
    assert_true(strlen(rows(fixture, FRUIT)) > 200000);
}

static void a_shared_store_is_read_beside_its_writer(void **state)
{
    struct fixture *fixture = *state;
    struct fray_store *other;
    struct fray_buf error = {0};
    fray_store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(
        fray_store_open(fixture->path, tables, 2, FRAY_STORE_SHARED, &fixture->store, &error), 0);
    assert_int_equal(fray_store_open(fixture->path, tables, 2, FRAY_STORE_SHARED, &other, &error),
                     0);
    fray_store_put(fixture->store, FRUIT, FRAY_SLICE("a"), FRAY_SLICE("apple"));
    assert_int_equal(fray_store_commit(fixture->store), 0);
    assert_int_equal(fray_store_each(other, FRUIT, on_row, fixture), 0);
    assert_true(fray_slice_equal(fray_buf_slice(&fixture->seen), FRAY_SLICE("a=apple ")));
    fray_store_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_committed_is_there_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_last_change_of_a_row_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_prefix_removes_all_that_begin_with_it_and_no_other,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_server_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_changes_for_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_shared_store_is_read_beside_its_writer, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
