#include "wire/mqtt_topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void names_are_validated(void **unused)
{
    (void)unused;
    static const char *const good[] = {"a",    "/",      "a/b", "/a",      "a/",
                                       "a//b", "$SYS/x", " ",   "\xC3\xA4"};
    static const char *const bad[] = {"", "+", "#", "a/+", "a/#", "a+b", "a#"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(fray_mqtt_topic_name_valid(fray_slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(fray_mqtt_topic_name_valid(fray_slice_of(bad[i])));
}

static void filters_are_validated(void **unused)
{
    (void)unused;
    static const char *const good[] = {
        "a",         "#",       "+",          "/",          "a/#",        "+/a/#",
        "/+",        "+/+",     "a/+/b",      "//#",        "$SYS/#",     "$share",
        "$shared/a", "$sharex", "$share/g/a", "$share/g/#", "$share/g//", "$share/g/+/a"};
    static const char *const bad[] = {
        "",         "##",        "#/",         "a#",          "/#/a",       "a+",
        "+a/b",     "a/b+",      "++",         "+#",          "$share/",    "$share//a",
        "$share/g", "$share/g/", "$share/+/a", "$share/g#/a", "$share/g/a#"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(fray_mqtt_topic_filter_valid(fray_slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(fray_mqtt_topic_filter_valid(fray_slice_of(bad[i])));
}

static void topics_have_at_most_65535_bytes(void **unused)
{
    (void)unused;
    char *text = malloc(65536);
    assert_non_null(text);
    memset(text, 'a', 65536);
    assert_true(fray_mqtt_topic_name_valid(fray_slice(text, 65535)));
    assert_false(fray_mqtt_topic_name_valid(fray_slice(text, 65536)));
    assert_true(fray_mqtt_topic_filter_valid(fray_slice(text, 65535)));
    assert_false(fray_mqtt_topic_filter_valid(fray_slice(text, 65536)));
    free(text);
}

static void shared_filters_are_split(void **unused)
{
    (void)unused;
    struct fray_slice group, filter;
    assert_true(fray_mqtt_topic_filter_split(FRAY_SLICE("$share/g/a/+"), &group, &filter));
    assert_true(fray_slice_equal(group, FRAY_SLICE("g")));
    assert_true(fray_slice_equal(filter, FRAY_SLICE("a/+")));
    assert_true(fray_mqtt_topic_filter_split(FRAY_SLICE("$share/g//"), &group, &filter));
    assert_true(fray_slice_equal(filter, FRAY_SLICE("/")));
    static const char *const unshared[] = {"a/b", "$share", "$shared/g/a", "$SYS/share/g/a"};
    for (size_t i = 0; i < sizeof unshared / sizeof unshared[0]; i++) {
        assert_false(fray_mqtt_topic_filter_split(fray_slice_of(unshared[i]), &group, &filter));
        assert_int_equal(group.len, 0);
        assert_true(fray_slice_equal(filter, fray_slice_of(unshared[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_validated),
        cmocka_unit_test(filters_are_validated),
        cmocka_unit_test(topics_have_at_most_65535_bytes),
        cmocka_unit_test(shared_filters_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
