#include "broker/retained.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A message that counts its references; freed by nobody, so that a wrong count shows. */
struct message {
    int refs;
    uint32_t visits;
    char topic[48];
};

static void ref(void *message)
{
    ((struct message *)message)->refs++;
}

static void unref(void *message)
{
    assert_true(((struct message *)message)->refs > 0);
    ((struct message *)message)->refs--;
}

static const struct fray_retained_config config = {
    .key = {5, 6}, .ops = {ref, unref}, .count_max = 1000, .bytes_max = 100000};

static enum fray_err set(struct fray_retained *retained, const char *topic, struct message *message,
                         uint64_t expires_us)
{
    struct fray_retained_message kept = {message, 10, expires_us};
    return fray_retained_set(retained, fray_slice_of(topic), &kept, 0);
}

static bool visit(void *context, const struct fray_retained_message *message)
{
    uint32_t *left = context;
    ((struct message *)message->message)->visits++;
    return left == NULL || --*left > 0;
}

static uint32_t match(struct fray_retained *retained, const char *filter)
{
    return fray_retained_match(retained, fray_slice_of(filter), 1, visit, NULL);
}

static void messages_are_set_replaced_and_cleared(void **unused)
{
    (void)unused;
    struct fray_retained retained;
    struct message one = {0}, two = {0};
    fray_retained_init(&retained, &config);
    assert_int_equal(set(&retained, "a/b", &one, 0), FRAY_OK);
    assert_int_equal(one.refs, 1);
    assert_int_equal(retained.bytes, 13);
    assert_int_equal(set(&retained, "a/b", &two, 0), FRAY_OK);
    assert_int_equal(set(&retained, "a/b", &two, 0), FRAY_OK); /* the same one again */
    assert_int_equal(one.refs, 0);
    assert_int_equal(two.refs, 1);
    assert_int_equal(fray_retained_count(&retained), 1);
    assert_ptr_equal(fray_retained_get(&retained, FRAY_SLICE("a/b"), 0)->message, &two);
    assert_null(fray_retained_get(&retained, FRAY_SLICE("a"), 0));
    assert_true(fray_retained_clear(&retained, FRAY_SLICE("a/b")));
    assert_false(fray_retained_clear(&retained, FRAY_SLICE("a/b")));
    assert_int_equal(two.refs, 0);
    assert_int_equal(retained.bytes, 0);
    assert_int_equal(retained.tree.nodes.count, 1);
    assert_int_equal(match(&retained, "#"), 0);
    assert_int_equal(set(&retained, "a", &one, 0), FRAY_OK);
    fray_retained_deinit(&retained);
    assert_int_equal(one.refs, 0);
}

static void expired_messages_are_not_seen_and_are_swept(void **unused)
{
    (void)unused;
    struct fray_retained retained;
    struct message old = {0}, young = {0}, forever = {0};
    fray_retained_init(&retained, &config);
    assert_int_equal(set(&retained, "old", &old, 100), FRAY_OK);
    assert_int_equal(set(&retained, "young", &young, 200), FRAY_OK);
    assert_int_equal(set(&retained, "forever", &forever, 0), FRAY_OK);
    assert_non_null(fray_retained_get(&retained, FRAY_SLICE("old"), 99));
    assert_null(fray_retained_get(&retained, FRAY_SLICE("old"), 100));
    assert_int_equal(fray_retained_match(&retained, FRAY_SLICE("#"), 100, visit, NULL), 2);
    assert_int_equal(old.visits, 0);
    assert_int_equal(fray_retained_sweep(&retained, 100, 100), 1);
    assert_int_equal(old.refs, 0);
    /* A few entries at a time get around to all. */
    uint32_t dropped = 0;
    for (unsigned i = 0; i < 4; i++)
        dropped += fray_retained_sweep(&retained, 200, 1);
    assert_int_equal(dropped, 1);
    assert_int_equal(retained.expired, 2);
    assert_int_equal(fray_retained_count(&retained), 1);
    fray_retained_deinit(&retained);
}

static void what_does_not_fit_is_refused(void **unused)
{
    (void)unused;
    struct fray_retained retained;
    struct fray_retained_config small = config;
    small.count_max = 2;
    small.bytes_max = 24;
    fray_retained_init(&retained, &small);
    struct message messages[4] = {0};
    assert_int_equal(set(&retained, "a", &messages[0], 50), FRAY_OK);
    assert_int_equal(set(&retained, "b", &messages[1], 0), FRAY_OK);
    assert_int_equal(set(&retained, "c", &messages[2], 0), FRAY_ERR_LIMIT); /* count */
    assert_int_equal(messages[2].refs, 0);
    assert_int_equal(retained.refused, 1);
    assert_non_null(fray_retained_get(&retained, FRAY_SLICE("b"), 0));
    /* An expired one makes room. */
    struct fray_retained_message kept = {&messages[2], 10, 0};
    assert_int_equal(fray_retained_set(&retained, FRAY_SLICE("c"), &kept, 50), FRAY_OK);
    /* A replacement that does not fit takes the old one with it. */
    kept.bytes = 100;
    assert_int_equal(fray_retained_set(&retained, FRAY_SLICE("c"), &kept, 50), FRAY_ERR_LIMIT);
    assert_null(fray_retained_get(&retained, FRAY_SLICE("c"), 50));
    assert_int_equal(messages[2].refs, 0);
    assert_int_equal(retained.bytes, 11);
    char deep[FRAY_TOPIC_LEVELS_MAX + 1];
    memset(deep, '/', FRAY_TOPIC_LEVELS_MAX);
    deep[FRAY_TOPIC_LEVELS_MAX] = '\0';
    retained.config.bytes_max = 10000;
    assert_int_equal(set(&retained, deep, &messages[3], 0), FRAY_ERR_LIMIT);
    assert_int_equal(messages[3].refs, 0);
    fray_retained_deinit(&retained);
}

static void a_visitor_can_end_the_walk(void **unused)
{
    (void)unused;
    struct fray_retained retained;
    fray_retained_init(&retained, &config);
    struct message messages[10] = {0};
    for (unsigned i = 0; i < 10; i++) {
        char topic[2] = {(char)('a' + i), '\0'};
        assert_int_equal(set(&retained, topic, &messages[i], 0), FRAY_OK);
    }
    uint32_t left = 3;
    assert_int_equal(fray_retained_match(&retained, FRAY_SLICE("+"), 1, visit, &left), 3);
    fray_retained_deinit(&retained);
}

static uint32_t draw(uint64_t *random, uint32_t below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % below;
}

static void draw_topic(uint64_t *random, char *text, bool filter)
{
    static const char *const words[] = {"a", "b", "", "$c", "d", "+", "#"};
    uint32_t levels = 1 + draw(random, 5);
    *text = '\0';
    for (uint32_t i = 0; i < levels; i++) {
        uint32_t choices = !filter ? 5 : i + 1 == levels ? 7 : 6;
        strcat(text, i ? "/" : "");
        strcat(text, words[draw(random, choices)]);
    }
    if (*text == '\0')
        strcpy(text, "a");
}

/* The property: the walk finds what the plain definition does. */
static void the_walk_agrees_with_the_plain_definition(void **unused)
{
    (void)unused;
    enum { COUNT = 400 };
    struct fray_retained retained;
    fray_retained_init(&retained, &config);
    struct message *messages = calloc(COUNT, sizeof *messages);
    uint64_t random = 4711;
    for (unsigned step = 0; step < 6000; step++) {
        struct message *message = &messages[draw(&random, COUNT)];
        if (message->refs) {
            assert_true(fray_retained_clear(&retained, fray_slice_of(message->topic)));
        } else {
            draw_topic(&random, message->topic, false);
            assert_int_equal(set(&retained, message->topic, message, 0), FRAY_OK);
        }
        char filter[48];
        uint32_t total = 0;
        draw_topic(&random, filter, true);
        for (unsigned i = 0; i < COUNT; i++)
            messages[i].visits = 0;
        uint32_t got = match(&retained, filter);
        for (unsigned i = 0; i < COUNT; i++) {
            bool expected =
                messages[i].refs &&
                fray_topic_matches(fray_slice_of(filter), fray_slice_of(messages[i].topic));
            assert_int_equal(messages[i].visits, expected);
            total += expected;
        }
        assert_int_equal(got, total);
    }
    assert_true(fray_retained_count(&retained) > 50);
    fray_retained_deinit(&retained);
    free(messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_set_replaced_and_cleared),
        cmocka_unit_test(expired_messages_are_not_seen_and_are_swept),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_visitor_can_end_the_walk),
        cmocka_unit_test(the_walk_agrees_with_the_plain_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
