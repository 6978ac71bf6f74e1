#include "wire/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_slice(struct fray_slice actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    if (actual.len)
        assert_memory_equal(actual.data, expected, actual.len);
}

static void splits_at_the_first_question_mark(void **state)
{
    struct fray_slice path, query;
    (void)state;
    fray_url_split(FRAY_SLICE("/a/b?x=1?y"), &path, &query);
    assert_slice(path, "/a/b");
    assert_slice(query, "x=1?y");
    fray_url_split(FRAY_SLICE("/a"), &path, &query);
    assert_slice(path, "/a");
    assert_null(query.data);
    fray_url_split(FRAY_SLICE("?"), &path, &query);
    assert_slice(path, "");
    assert_non_null(query.data);
    assert_int_equal(query.len, 0);
    fray_url_split(fray_slice(NULL, 0), &path, &query);
    assert_int_equal(path.len + query.len, 0);
}

static void decodes_strictly(void **state)
{
    static const struct fray_slice bad[] = {
        {"%", 1},   {"a%4", 3}, {"%zz", 3}, {"%4g", 3},
        {"%-1", 3}, {"%00", 3}, {"a\0", 2}, {"%% ", 3},
    };
    struct fray_buf out = {0};
    (void)state;
    assert_int_equal(fray_url_decode(fray_slice(NULL, 0), &out), FRAY_OK);
    FRAY_BUF_LITERAL(&out, "<");
    assert_int_equal(fray_url_decode(FRAY_SLICE("a+%20%2B%c3%A9%25%32"), &out), FRAY_OK);
    assert_slice(fray_buf_slice(&out), "<a+ +\xC3\xA9%2");
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++) {
        size_t before = out.len;
        assert_int_equal(fray_url_decode(bad[at], &out), FRAY_ERR_SYNTAX);
        assert_int_equal(out.len, before);
    }
    fray_buf_deinit(&out);
}

static void iterates_over_a_query(void **state)
{
    struct fray_slice rest =
        FRAY_SLICE("&&EIO=4&n%61me=a+b%2B%26&flag&=v&bad=%&x=1=2&empty=&long="
                   "0123456789012345678901234567890123456789012345678901234567890123456789%21");
    struct fray_buf scratch = {0};
    struct fray_url_param param;
    (void)state;
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "EIO");
    assert_slice(param.value, "4");
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "name");
    assert_slice(param.value, "a b+&");
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "flag");
    assert_null(param.value.data);
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "");
    assert_slice(param.value, "v");
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_ERR_SYNTAX);
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "x");
    assert_slice(param.value, "1=2");
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "empty");
    assert_non_null(param.value.data);
    assert_int_equal(param.value.len, 0);
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_OK);
    assert_slice(param.name, "long");
    assert_slice(param.value,
                 "0123456789012345678901234567890123456789012345678901234567890123456789!");
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_url_query_next(&rest, &scratch, &param), FRAY_ERR_NOT_FOUND);
    fray_buf_deinit(&scratch);
}

static void finds_in_a_query(void **state)
{
    struct fray_slice query = FRAY_SLICE("transport=polling&s%69d=a%20b&flag&sid=2");
    struct fray_slice value;
    struct fray_buf scratch = {0};
    (void)state;
    assert_int_equal(fray_url_query_find(query, "sid", &scratch, &value), FRAY_OK);
    assert_slice(value, "a b");
    assert_int_equal(fray_url_query_find(query, "transport", &scratch, &value), FRAY_OK);
    assert_slice(value, "polling");
    assert_int_equal(fray_url_query_find(query, "flag", &scratch, &value), FRAY_OK);
    assert_slice(value, "");
    assert_int_equal(fray_url_query_find(query, "EIO", &scratch, &value), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_url_query_find(fray_slice(NULL, 0), "a", &scratch, &value),
                     FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_url_query_find(FRAY_SLICE("b=%x&a=1"), "a", &scratch, &value),
                     FRAY_ERR_SYNTAX);
    fray_buf_deinit(&scratch);
}

static void normalises_paths(void **state)
{
    static const char *const cases[][2] = {
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a//b", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a/"},
        {"/a/b/.", "/a/b/"},
        {"/a/b/../..", "/"},
        {"/a/b/%2e%2E/c", "/a/c"},
        {"/a//../b", "/b"},
        {"/...", "/..."},
        {"/..a/b..", "/..a/b.."},
        {"/.well-known/x", "/.well-known/x"},
        {"/%c3%a9%20+%25", "/\xC3\xA9 +%"},
        {"/%252e%252e/x", "/%2e%2e/x"}, /* decoded once only */
        {"/a/%2e", "/a/"},
    };
    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct fray_buf out = {0};
        FRAY_BUF_LITERAL(&out, "root");
        assert_int_equal(fray_url_path_normalise(fray_slice_of(cases[at][0]), &out), FRAY_OK);
        assert_slice(fray_slice_skip(fray_buf_slice(&out), 4), cases[at][1]);
        assert_memory_equal(out.data, "root", 4);
        fray_buf_deinit(&out);
    }
}

static void refuses_escapes_above_the_root(void **state)
{
    static const char *const climbing[] = {
        "/..",           "/../x",   "/a/../../x", "/%2e%2e/x",       "/.%2e/x",
        "/a/%2e./%2E./", "/./../x", "//../x",     "/a/b/../../../c",
    };
    static const struct fray_slice broken[] = {
        {"", 0},        {"a", 1},     {"..", 2},     {"*", 1},           {"/a\\b", 4},
        {"/..\\x", 5},  {"/%5c", 4},  {"/a%2fb", 6}, {"/..%2f", 6},      {"/..%2Fx", 7},
        {"/%00", 4},    {"/a\0", 3},  {"/%0a", 4},   {"/%7F", 4},        {"/%", 2},
        {"/a%zz/b", 7}, {"/a/%2", 5}, {"/a%1b", 5},  {"/%2e%2e%5c", 10},
    };
    struct fray_buf out = {0};
    (void)state;
    FRAY_BUF_LITERAL(&out, "root");
    for (size_t at = 0; at < sizeof climbing / sizeof climbing[0]; at++)
        if (fray_url_path_normalise(fray_slice_of(climbing[at]), &out) != FRAY_ERR_DENIED)
            fail_msg("not denied: %s", climbing[at]);
    for (size_t at = 0; at < sizeof broken / sizeof broken[0]; at++)
        if (fray_url_path_normalise(broken[at], &out) != FRAY_ERR_SYNTAX)
            fail_msg("not refused: %s", broken[at].data);
    assert_slice(fray_buf_slice(&out), "root");
    fray_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_the_first_question_mark),
        cmocka_unit_test(decodes_strictly),
        cmocka_unit_test(iterates_over_a_query),
        cmocka_unit_test(finds_in_a_query),
        cmocka_unit_test(normalises_paths),
        cmocka_unit_test(refuses_escapes_above_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
