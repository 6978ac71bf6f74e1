#include "wire/http.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_slice(struct fray_slice actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.data, expected, actual.len);
}

/* Fails when http.h's list is not sorted by length, or http.c's index of it is stale. */
static void every_header_finds_itself_in_any_case(void **state)
{
    static const char *const names[] = {
#define NAME(id, name) [FRAY_HTTP_HEADER_##id] = name,
        FRAY_HTTP_HEADERS(NAME)
#undef NAME
    };
    (void)state;
    for (size_t id = 1; id < FRAY_HTTP_HEADER_COUNT; id++) {
        char upper[64] = "";
        struct fray_slice name = fray_slice_of(names[id]);
        for (size_t at = 0; at < name.len; at++)
            upper[at] = (char)toupper(name.data[at]);
        assert_int_equal(fray_http_header_lookup(name), id);
        assert_int_equal(fray_http_header_lookup(fray_slice_of(upper)), id);
        for (size_t at = 0; at < name.len; at++) {
            char wrong[64];
            memcpy(wrong, upper, sizeof wrong);
            wrong[at] = '_';
            assert_int_equal(fray_http_header_lookup(fray_slice_of(wrong)), FRAY_HTTP_HEADER_OTHER);
        }
        assert_int_not_equal(fray_http_header_lookup(fray_slice(upper, name.len - 1)), id);
    }
}

static void other_headers_have_no_id(void **state)
{
    static const char *const names[] = {"",
                                        "x",
                                        "hos",
                                        "hosts",
                                        "x-request-id",
                                        "dnt",
                                        "a-name-that-is-much-longer-than-every-one-known"};
    (void)state;
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++)
        assert_int_equal(fray_http_header_lookup(fray_slice_of(names[at])), FRAY_HTTP_HEADER_OTHER);
}

static void methods(void **state)
{
    (void)state;
    for (int method = FRAY_HTTP_GET; method <= FRAY_HTTP_CONNECT; method++)
        assert_int_equal(fray_http_method_lookup(
                             fray_slice_of(fray_http_method_name((enum fray_http_method)method))),
                         method);
    assert_int_equal(fray_http_method_lookup(FRAY_SLICE("get")), FRAY_HTTP_METHOD_NONE);
    assert_int_equal(fray_http_method_lookup(FRAY_SLICE("")), FRAY_HTTP_METHOD_NONE);
}

static void classes_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool token = c < 128 && c > 0 && (isalnum(c) || strchr("!#$%&'*+-.^_`|~", c));
        bool host = c < 128 && c > 0 && (isalnum(c) || strchr("-._~!$&'()*+,;=%", c));
        assert_int_equal(fray_http_is((char)c, FRAY_HTTP_TOKEN), token);
        assert_int_equal(fray_http_is((char)c, FRAY_HTTP_HOST), host);
        assert_int_equal(fray_http_is((char)c, FRAY_HTTP_VALUE),
                         c == '\t' || (c >= ' ' && c != 0x7F));
        assert_int_equal(fray_http_is((char)c, FRAY_HTTP_TARGET),
                         c > ' ' && c < 0x7F && !strchr("\"#<>", c));
        assert_int_equal(fray_http_is((char)c, FRAY_HTTP_HEX), c < 128 && isxdigit(c));
        if (isxdigit(c)) {
            unsigned value;
            char digit[2] = {(char)c, '\0'};
            sscanf(digit, "%x", &value);
            assert_int_equal(fray_http_hex((char)c), value);
        }
    }
}

static void a_bad_byte_anywhere_makes_a_bad_value(void **state)
{
    (void)state;
    assert_true(fray_http_is_value(fray_slice(NULL, 0)));
    for (size_t len = 1; len < 30; len++) {
        char value[30];
        for (size_t at = 0; at < len; at++) {
            memset(value, '~', sizeof value);
            for (int c = 0; c < 256; c++) {
                value[at] = (char)c;
                assert_int_equal(fray_http_is_value(fray_slice(value, len)),
                                 fray_http_is((char)c, FRAY_HTTP_VALUE));
            }
        }
    }
}

static void lists(void **state)
{
    struct fray_slice list = FRAY_SLICE(" , a\t,,b;x=\"1,\\\",2\" , \"c"), element;
    (void)state;
    assert_true(fray_http_list_next(&list, &element));
    assert_slice(element, "a");
    assert_true(fray_http_list_next(&list, &element));
    assert_slice(element, "b;x=\"1,\\\",2\"");
    assert_true(fray_http_list_next(&list, &element));
    assert_slice(element, "\"c");
    assert_false(fray_http_list_next(&list, &element));
    list = FRAY_SLICE("\"\\");
    assert_true(fray_http_list_next(&list, &element));
    assert_false(fray_http_list_next(&list, &element));
    list = fray_slice(NULL, 0);
    assert_false(fray_http_list_next(&list, &element));
}

static void numbers(void **state)
{
    uint64_t value;
    (void)state;
    assert_true(fray_http_uint_parse(FRAY_SLICE("007"), &value));
    assert_int_equal(value, 7);
    assert_true(fray_http_uint_parse(FRAY_SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(fray_http_uint_parse(FRAY_SLICE("18446744073709551616"), &value));
    assert_false(fray_http_uint_parse(FRAY_SLICE("28446744073709551615"), &value));
    assert_false(fray_http_uint_parse(FRAY_SLICE(""), &value));
    assert_false(fray_http_uint_parse(FRAY_SLICE("1 "), &value));
    assert_false(fray_http_uint_parse(FRAY_SLICE("-1"), &value));
}

static void names_compare_without_case(void **state)
{
    (void)state;
    assert_true(fray_http_equal(FRAY_SLICE("Keep-ALIVE"), FRAY_SLICE("keep-alive")));
    assert_false(fray_http_equal(FRAY_SLICE("a"), FRAY_SLICE("ab")));
    assert_false(fray_http_equal(FRAY_SLICE("@["), FRAY_SLICE("`{"))); /* 0x20 apart, no letters */
    assert_slice(fray_http_trim(FRAY_SLICE("\t a b \t")), "a b");
    assert_int_equal(fray_http_trim(FRAY_SLICE(" \t")).len, 0);
}

static void reasons(void **state)
{
    (void)state;
    assert_string_equal(fray_http_reason(101), "Switching Protocols");
    assert_string_equal(fray_http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(fray_http_reason(299), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_header_finds_itself_in_any_case),
        cmocka_unit_test(other_headers_have_no_id),
        cmocka_unit_test(methods),
        cmocka_unit_test(classes_are_those_of_the_grammar),
        cmocka_unit_test(a_bad_byte_anywhere_makes_a_bad_value),
        cmocka_unit_test(lists),
        cmocka_unit_test(numbers),
        cmocka_unit_test(names_compare_without_case),
        cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
