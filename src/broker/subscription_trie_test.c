#include "broker/subscription_trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/mqtt_topic.h"

enum { PEERS = 24 };

struct peer {
    struct fray_subscriber subscriber; /* first, so that one is the other */
    uint32_t got;
    struct fray_subscription last;
    bool away;
};

struct fixture {
    struct fray_subscription_trie trie;
    struct peer peers[PEERS];
};

static void deliver(void *context, struct fray_subscriber *subscriber,
                    const struct fray_subscription *subscription)
{
    struct peer *peer = (struct peer *)subscriber;
    (void)context;
    peer->got++;
    peer->last = *subscription;
}

static bool available(void *context, struct fray_subscriber *subscriber)
{
    (void)context;
    return !((struct peer *)subscriber)->away;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fray_subscription_trie_init(&fixture->trie, (struct fray_hash_key){3, 4}, 0);
    *state = fixture;
    return 0;
}

/* Whatever a test did: once all have left, nothing is left. */
static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < PEERS; i++)
        fray_subscription_trie_remove_all(&fixture->trie, &fixture->peers[i].subscriber);
    bool empty = fixture->trie.tree.nodes.count == 1 && fixture->trie.tree.levels.count == 2 &&
                 fixture->trie.groups.count == 0 && fixture->trie.group_set.count == 0 &&
                 fray_subscription_trie_count(&fixture->trie) == 0;
    fray_subscription_trie_deinit(&fixture->trie);
    free(fixture);
    return empty ? 0 : -1;
}

static bool add_options(struct fixture *fixture, size_t peer, const char *filter,
                        struct fray_subscription subscription)
{
    bool existed;
    assert_int_equal(fray_subscription_trie_add(&fixture->trie, fray_slice_of(filter),
                                                &fixture->peers[peer].subscriber, &subscription,
                                                &existed),
                     FRAY_OK);
    return existed;
}

static bool add(struct fixture *fixture, size_t peer, const char *filter)
{
    return add_options(fixture, peer, filter, (struct fray_subscription){0});
}

static enum fray_err drop(struct fixture *fixture, size_t peer, const char *filter)
{
    return fray_subscription_trie_remove(&fixture->trie, fray_slice_of(filter),
                                         &fixture->peers[peer].subscriber);
}

static uint32_t publish(struct fixture *fixture, const char *topic)
{
    struct fray_subscription_match match = {deliver, available, NULL};
    for (size_t i = 0; i < PEERS; i++)
        fixture->peers[i].got = 0;
    return fray_subscription_trie_match(&fixture->trie, fray_slice_of(topic), &match);
}

static void options_come_back_and_are_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct fray_subscription options = {268435455, 2, 2, true, true, false};
    assert_false(add_options(fixture, 0, "a/+", options));
    assert_int_equal(publish(fixture, "a/b"), 1);
    const struct fray_subscription *last = &fixture->peers[0].last;
    assert_int_equal(last->identifier, options.identifier);
    assert_int_equal(last->qos, options.qos);
    assert_int_equal(last->retain_handling, options.retain_handling);
    assert_true(last->no_local);
    assert_true(last->retain_as_published);
    assert_int_equal(last->group, 0);
    assert_true(add_options(fixture, 0, "a/+", (struct fray_subscription){.qos = 1}));
    assert_int_equal(publish(fixture, "a/b"), 1);
    assert_int_equal(fixture->peers[0].last.qos, 1);
    assert_int_equal(fixture->peers[0].last.identifier, 0);
    assert_false(fixture->peers[0].last.no_local);
    assert_int_equal(fixture->peers[0].subscriber.count, 1);
}

static void overlapping_filters_are_all_called(void **state)
{
    struct fixture *fixture = *state;
    static const char *const filters[] = {"#", "+/b", "a/#", "a/b/#", "a/+", "a/b", "+/+"};
    for (size_t i = 0; i < 7; i++)
        add(fixture, 0, filters[i]);
    assert_int_equal(publish(fixture, "a/b"), 7);
    assert_int_equal(fixture->peers[0].got, 7);
    assert_int_equal(publish(fixture, "b"), 1);
    assert_int_equal(publish(fixture, "a"), 2);
    assert_int_equal(publish(fixture, "a/b/c"), 3);
}

/* [MQTT-4.7.2-1] */
static void wildcards_pass_over_dollar_topics(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 0, "#");
    add(fixture, 1, "+/x");
    add(fixture, 2, "$SYS/#");
    add(fixture, 3, "$SYS/+");
    assert_int_equal(publish(fixture, "$SYS/x"), 2);
    assert_int_equal(fixture->peers[2].got + fixture->peers[3].got, 2);
    assert_int_equal(publish(fixture, "a/$x"), 1);
    assert_int_equal(publish(fixture, "a/x"), 2);
}

static void what_is_removed_is_not_called(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < PEERS; i++)
        add(fixture, i, "room/1");
    add(fixture, 5, "room/+");
    assert_int_equal(publish(fixture, "room/1"), PEERS + 1);
    assert_int_equal(drop(fixture, 5, "room/1"), FRAY_OK);
    assert_int_equal(drop(fixture, 5, "room/1"), FRAY_ERR_NOT_FOUND);
    assert_int_equal(drop(fixture, 5, "room/2"), FRAY_ERR_NOT_FOUND);
    assert_int_equal(drop(fixture, 5, "$share/g/room/1"), FRAY_ERR_NOT_FOUND);
    assert_int_equal(publish(fixture, "room/1"), PEERS);
    assert_int_equal(fixture->peers[5].got, 1);
    fray_subscription_trie_remove_all(&fixture->trie, &fixture->peers[5].subscriber);
    assert_int_equal(fixture->peers[5].subscriber.count, 0);
    assert_int_equal(publish(fixture, "room/1"), PEERS - 1);
}

static void bad_filters_and_more_than_the_limit_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fray_subscription options = {0};
    struct fray_subscriber *subscriber = &fixture->peers[0].subscriber;
    bool existed;
    assert_int_equal(fray_subscription_trie_add(&fixture->trie, FRAY_SLICE("a#"), subscriber,
                                                &options, &existed),
                     FRAY_ERR_SYNTAX);
    char deep[FRAY_TOPIC_LEVELS_MAX];
    memset(deep, '/', sizeof deep);
    assert_int_equal(fray_subscription_trie_add(&fixture->trie, fray_slice(deep, sizeof deep),
                                                subscriber, &options, &existed),
                     FRAY_ERR_LIMIT);
    fixture->trie.subscriptions_max = 1;
    add(fixture, 0, "a");
    assert_int_equal(fray_subscription_trie_add(&fixture->trie, FRAY_SLICE("b/c"), subscriber,
                                                &options, &existed),
                     FRAY_ERR_LIMIT);
    assert_int_equal(fixture->trie.tree.nodes.count, 2);
    assert_true(add(fixture, 0, "a"));
}

/* Deeper than any filter can be: only "#" reaches it. */
static void very_deep_topics_reach_hash_alone(void **state)
{
    struct fixture *fixture = *state;
    char deep[1000];
    memset(deep, '/', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    char plus[2 * FRAY_TOPIC_LEVELS_MAX];
    for (size_t i = 0; i < sizeof plus; i++)
        plus[i] = i % 2 ? '/' : '+';
    plus[sizeof plus - 1] = '\0';
    add(fixture, 0, "#");
    add(fixture, 1, plus);
    plus[sizeof plus - 2] = '#';
    add(fixture, 2, plus);
    assert_int_equal(publish(fixture, deep), 2);
    assert_int_equal(fixture->peers[1].got, 0);
    deep[FRAY_TOPIC_LEVELS_MAX - 1] = '\0';
    assert_int_equal(publish(fixture, deep), 3);
}

static void a_group_takes_turns(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++)
        add(fixture, i, "$share/g/a/#");
    add(fixture, 3, "$share/h/a/#"); /* another group of the same filter */
    add(fixture, 0, "a/#");          /* a subscription of its own */
    uint32_t got[4] = {0};
    for (size_t n = 0; n < 9; n++) {
        assert_int_equal(publish(fixture, "a/b"), 3);
        for (size_t i = 0; i < 4; i++)
            got[i] += fixture->peers[i].got;
    }
    assert_int_equal(got[0], 9 + 3);
    assert_int_equal(got[1], 3);
    assert_int_equal(got[2], 3);
    assert_int_equal(got[3], 9);
}

static void a_group_passes_over_who_is_away(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 4; i++)
        add(fixture, i, "$share/g/a");
    fixture->peers[1].away = fixture->peers[2].away = true;
    uint32_t got[4] = {0};
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(publish(fixture, "a"), 1);
        for (size_t i = 0; i < 4; i++)
            got[i] += fixture->peers[i].got;
    }
    assert_int_equal(got[1] + got[2], 0);
    assert_int_equal(got[0] + got[3], 8);
    assert_true(got[0] >= 2 && got[3] >= 2);
    fixture->peers[0].away = fixture->peers[3].away = true;
    assert_int_equal(publish(fixture, "a"), 1); /* for somebody's session to keep */
}

static void a_group_goes_on_when_members_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    uint32_t random = 99;
    for (size_t n = 0; n < 2000; n++) {
        random = random * 1664525 + 1013904223;
        size_t peer = (random >> 16) % 6;
        bool member = fixture->peers[peer].subscriber.count > 0;
        if (member)
            assert_int_equal(drop(fixture, peer, "$share/g/a"), FRAY_OK);
        else
            add(fixture, peer, "$share/g/a");
        uint32_t members = fray_subscription_trie_count(&fixture->trie);
        bool seen[6] = {false};
        /* Not always a whole round, so that the one whose turn it is may be the one who leaves. */
        for (uint32_t i = (random >> 8) % (members + 1); i < members; i++) {
            assert_int_equal(publish(fixture, "a"), 1);
            for (size_t k = 0; k < 6; k++) {
                if (fixture->peers[k].got) {
                    assert_false(seen[k]); /* nobody twice in a round */
                    seen[k] = true;
                }
            }
        }
    }
}

/* Groups and nodes are numbered apart: the second group and the second node are both 2. */
static void a_group_is_not_taken_for_a_node(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 0, "$share/g/x");
    add(fixture, 0, "$share/h/x");
    add(fixture, 1, "x");
    assert_false(add(fixture, 0, "x"));
    assert_int_equal(drop(fixture, 0, "x"), FRAY_OK);
    assert_int_equal(drop(fixture, 0, "x"), FRAY_ERR_NOT_FOUND);
    assert_int_equal(publish(fixture, "x"), 3);
}

struct listing {
    char text[200];
};

static void list(void *context, struct fray_slice filter,
                 const struct fray_subscription *subscription)
{
    struct listing *listing = context;
    size_t len = strlen(listing->text);
    snprintf(listing->text + len, sizeof listing->text - len, "%.*s:%u ", (int)filter.len,
             filter.data, subscription->qos);
}

static void a_subscriber_can_be_listed(void **state)
{
    struct fixture *fixture = *state;
    add_options(fixture, 0, "a/+", (struct fray_subscription){.qos = 1});
    add_options(fixture, 0, "$share/group/a/#", (struct fray_subscription){.qos = 2});
    add(fixture, 0, "/");
    struct listing listing = {""};
    fray_subscription_trie_each(&fixture->trie, &fixture->peers[0].subscriber, list, &listing);
    assert_string_equal(listing.text, "/:0 $share/group/a/#:2 a/+:1 ");
}

/* The property: on random filters and topics the trie delivers what the plain definition does. */

enum { FILTERS_MAX = 4000, FILTER_LEN_MAX = 48 };

struct model {
    char filter[FILTERS_MAX][FILTER_LEN_MAX];
    size_t peer[FILTERS_MAX];
    size_t count;
    uint64_t random;
};

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random = model->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(model->random >> 33) % below;
}

static void draw_topic(struct model *model, char *text, bool filter)
{
    static const char *const words[] = {"a", "b", "", "$c", "longer than is kept inline", "d"};
    uint32_t levels = 1 + draw(model, 5);
    *text = '\0';
    for (uint32_t i = 0; i < levels; i++) {
        const char *word = words[draw(model, i == 0 && draw(model, 4) ? 2 : 4)];
        if (draw(model, 40) == 0)
            word = words[4 + draw(model, 2)];
        if (filter && draw(model, 4) == 0)
            word = "+";
        if (filter && i + 1 == levels && draw(model, 4) == 0)
            word = "#";
        if (strlen(text) + strlen(word) + 2 > FILTER_LEN_MAX)
            break;
        strcat(text, i ? "/" : "");
        strcat(text, word);
    }
    if (*text == '\0')
        strcpy(text, filter ? "+" : "a");
}

static size_t find(const struct model *model, size_t peer, const char *filter)
{
    size_t i = 0;
    while (i < model->count && (model->peer[i] != peer || strcmp(model->filter[i], filter) != 0))
        i++;
    return i;
}

static void change(struct fixture *fixture, struct model *model)
{
    char filter[FILTER_LEN_MAX];
    size_t peer = draw(model, PEERS);
    draw_topic(model, filter, true);
    if (draw(model, 3) == 0 && model->count) { /* one that exists */
        size_t i = draw(model, (uint32_t)model->count);
        strcpy(filter, model->filter[i]);
        peer = model->peer[i];
    }
    size_t i = find(model, peer, filter);
    bool exists = i < model->count;
    if (draw(model, 5) < 2 || model->count == FILTERS_MAX) {
        assert_int_equal(drop(fixture, peer, filter), exists ? FRAY_OK : FRAY_ERR_NOT_FOUND);
        if (exists) {
            model->count--;
            model->peer[i] = model->peer[model->count];
            memmove(model->filter[i], model->filter[model->count], FILTER_LEN_MAX);
        }
        return;
    }
    assert_int_equal(add(fixture, peer, filter), exists);
    if (!exists) {
        model->peer[model->count] = peer;
        strcpy(model->filter[model->count++], filter);
    }
}

static void check(struct fixture *fixture, struct model *model)
{
    char topic[FILTER_LEN_MAX];
    uint32_t expected[PEERS] = {0}, total = 0;
    draw_topic(model, topic, false);
    for (size_t i = 0; i < model->count; i++) {
        bool match = fray_topic_matches(fray_slice_of(model->filter[i]), fray_slice_of(topic));
        expected[model->peer[i]] += match;
        total += match;
    }
    assert_int_equal(publish(fixture, topic), total);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(fixture->peers[i].got, expected[i]);
}

static void the_trie_agrees_with_the_plain_definition(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = calloc(1, sizeof *model);
    model->random = 20241105;
    for (unsigned step = 0; step < 20000; step++) {
        change(fixture, model);
        if (step % 4 == 0)
            check(fixture, model);
    }
    assert_true(model->count > 100);
    assert_int_equal(fray_subscription_trie_count(&fixture->trie), model->count);
    free(model);
}

int main(void)
{
#define WITH_TRIE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_TRIE(options_come_back_and_are_replaced),
        WITH_TRIE(overlapping_filters_are_all_called),
        WITH_TRIE(wildcards_pass_over_dollar_topics),
        WITH_TRIE(what_is_removed_is_not_called),
        WITH_TRIE(bad_filters_and_more_than_the_limit_are_refused),
        WITH_TRIE(very_deep_topics_reach_hash_alone),
        WITH_TRIE(a_group_takes_turns),
        WITH_TRIE(a_group_passes_over_who_is_away),
        WITH_TRIE(a_group_goes_on_when_members_come_and_go),
        WITH_TRIE(a_group_is_not_taken_for_a_node),
        WITH_TRIE(a_subscriber_can_be_listed),
        WITH_TRIE(the_trie_agrees_with_the_plain_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
