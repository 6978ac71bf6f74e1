#include "server/topic_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/password.h"

static struct fray_topic_rules *parse(const char *text)
{
    struct fray_topic_rules *rules = NULL;
    struct fray_buf error = {0};
    assert_int_equal(fray_topic_rules_parse(fray_slice_of(text), &rules, &error), 0);
    fray_buf_deinit(&error);
    return rules;
}

static bool allows(const struct fray_topic_rules *rules, const char *user, const char *client,
                   enum fray_mqtt_action action, const char *topic)
{
    struct fray_mqtt_identity identity = {fray_slice_of(client), fray_slice_of(user)};
    return fray_topic_rules_allow(rules, &identity, action, fray_slice_of(topic));
}

#define MAY_PUBLISH(user, client, topic)                                                           \
    allows(rules, user, client, FRAY_MQTT_ACTION_PUBLISH, topic)
#define MAY_SUBSCRIBE_PART(user, client, topic)                                                    \
    allows(rules, user, client, FRAY_MQTT_ACTION_SUBSCRIBE_PART, topic)
#define MAY_SUBSCRIBE(user, client, topic)                                                         \
    allows(rules, user, client, FRAY_MQTT_ACTION_SUBSCRIBE, topic)

static void rules_are_each_user_s_and_everybody_s(void **state)
{
    (void)state;
    struct fray_topic_rules *rules = parse("# comment\n"
                                           "topic read news/#\n"
                                           "user ann\n"
                                           "topic write news/a b\n"
                                           "topic deny news/secret\n"
                                           "pattern readwrite home/%u/#\n"
                                           "pattern devices/%c\n");
    assert_true(MAY_SUBSCRIBE("", "", "news/#"));
    assert_false(MAY_PUBLISH("", "", "news/a b"));
    assert_true(MAY_PUBLISH("ann", "", "news/a b"));
    assert_false(MAY_SUBSCRIBE("ann", "", "news/#")); /* the secret would be in it */
    assert_true(MAY_SUBSCRIBE("ann", "", "news/today"));
    assert_true(MAY_PUBLISH("bob", "", "home/bob/lamp"));
    assert_true(MAY_SUBSCRIBE("bob", "", "home/bob/+"));
    assert_false(MAY_SUBSCRIBE("bob", "", "home/+/lamp"));
    assert_true(MAY_PUBLISH("", "d1", "devices/d1"));
    assert_false(MAY_PUBLISH("", "d1", "devices/d2"));
    assert_false(MAY_PUBLISH("", "", "other"));
    fray_topic_rules_destroy(rules);
}

static void a_part_is_what_some_rule_allows_and_none_denies(void **state)
{
    (void)state;
    struct fray_topic_rules *rules =
        parse("topic read news/#\ntopic deny news/secret/#\ntopic write log/#\n");
    assert_true(MAY_SUBSCRIBE_PART("", "", "#"));
    assert_true(MAY_SUBSCRIBE_PART("", "", "+/today"));
    assert_true(MAY_SUBSCRIBE_PART("", "", "news/+/x"));
    assert_false(MAY_SUBSCRIBE_PART("", "", "news/secret/+"));
    assert_false(MAY_SUBSCRIBE_PART("", "", "log/+"));
    assert_false(MAY_SUBSCRIBE_PART("", "", "other/#"));
    fray_topic_rules_destroy(rules);
}

static void names_cannot_widen_a_pattern(void **state)
{
    (void)state;
    struct fray_topic_rules *rules = parse("pattern home/%u/#\npattern devices/%c/#\n");
    assert_false(MAY_SUBSCRIBE("+", "", "home/+/#"));
    assert_false(MAY_SUBSCRIBE("", "#", "devices/#"));
    assert_false(MAY_SUBSCRIBE("a/b", "", "home/a/b/c"));
    assert_false(MAY_SUBSCRIBE("", "", "home//x"));
    fray_topic_rules_destroy(rules);
}

static void a_bad_line_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {"topic a/#\nrule b\n", "topic a\nuser\n",
                                        "user u\ntopic a#\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fray_topic_rules *rules = NULL;
        struct fray_buf error = {0};
        assert_int_equal(fray_topic_rules_parse(fray_slice_of(texts[i]), &rules, &error),
                         FRAY_ERR_CONFIG);
        assert_memory_equal(error.data, "line 2: ", 8);
        fray_buf_deinit(&error);
    }
}

static void passwords_verify_against_their_hash_alone(void **state)
{
    (void)state;
    struct fray_buf hash = {0}, other = {0};
    fray_password_hash(FRAY_SLICE("secret"), &hash);
    fray_password_hash(FRAY_SLICE("secret"), &other);
    assert_false(fray_slice_equal(fray_buf_slice(&hash), fray_buf_slice(&other))); /* salted */
    assert_true(fray_password_hash_valid(fray_buf_slice(&hash)));
    assert_true(fray_password_verify(FRAY_SLICE("secret"), fray_buf_slice(&hash)));
    assert_false(fray_password_verify(FRAY_SLICE("Secret"), fray_buf_slice(&hash)));
    assert_false(fray_password_verify(FRAY_SLICE(""), fray_buf_slice(&hash)));
    hash.len--;
    assert_false(fray_password_hash_valid(fray_buf_slice(&hash)));
    assert_false(fray_password_hash_valid(FRAY_SLICE("$scrypt$ln=31,r=8,p=1$AAAA$AAAA")));
    fray_buf_deinit(&hash);
    fray_buf_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_each_user_s_and_everybody_s),
        cmocka_unit_test(a_part_is_what_some_rule_allows_and_none_denies),
        cmocka_unit_test(names_cannot_widen_a_pattern),
        cmocka_unit_test(a_bad_line_is_named),
        cmocka_unit_test(passwords_verify_against_their_hash_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
