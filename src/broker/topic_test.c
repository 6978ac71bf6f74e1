#include "broker/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "broker/topic_tree.h"

static bool matches(const char *filter, const char *topic)
{
    return fray_topic_matches(fray_slice_of(filter), fray_slice_of(topic));
}

/* The examples of 4.7.1.2, 4.7.1.3 and 4.7.2. */
static void the_specifications_examples_match(void **unused)
{
    (void)unused;
    static const struct {
        const char *filter, *topic;
        bool match;
    } samples[] = {
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/player1/#", "sport/tennis/player2", false},
        {"sport/#", "sport", true},
        {"#", "sport/tennis", true},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        {"#", "$SYS/monitor", false},
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/monitor", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"a", "A", false},
        {"a", "a/", false},
        {"/a", "a", false},
        {"a/+/c", "a//c", true},
        {"+", "", true},
        {"a/$b", "a/$b", true},
        {"a/+", "a/$b", true},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        if (matches(samples[i].filter, samples[i].topic) != samples[i].match)
            fail_msg("%s %s", samples[i].filter, samples[i].topic);
    }
}

static void levels_are_taken_one_by_one(void **unused)
{
    (void)unused;
    struct fray_slice rest = FRAY_SLICE("/a//"), level;
    static const char *const expected[] = {"", "a", "", ""};
    assert_int_equal(fray_topic_level_count(rest), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fray_topic_level_next(&rest, &level));
        assert_true(fray_slice_equal(level, fray_slice_of(expected[i])));
    }
    assert_false(fray_topic_level_next(&rest, &level));
}

static uint32_t insert(struct fray_topic_tree *tree, const char *topic)
{
    uint32_t node;
    assert_int_equal(fray_topic_tree_insert(tree, fray_slice_of(topic), &node), FRAY_OK);
    fray_topic_tree_at(tree, node)->value[0] = 1;
    return node;
}

static void a_tree_finds_names_and_prunes_its_topics(void **unused)
{
    (void)unused;
    static const char *const topics[] = {"a",
                                         "a/b",
                                         "a/b/c",
                                         "/",
                                         "a/",
                                         "#",
                                         "+",
                                         "+/#",
                                         "a/+",
                                         "a/#",
                                         "a level that is longer than what fits into its record/b"};
    enum { COUNT = sizeof topics / sizeof topics[0] };
    struct fray_topic_tree tree;
    fray_topic_tree_init(&tree, (struct fray_hash_key){1, 2});
    uint32_t nodes[COUNT];
    struct fray_buf path = {0};
    for (size_t i = 0; i < COUNT; i++)
        nodes[i] = insert(&tree, topics[i]);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(fray_topic_tree_find(&tree, fray_slice_of(topics[i])), nodes[i]);
        path.len = 0;
        fray_topic_tree_path(&tree, nodes[i], &path);
        assert_true(fray_slice_equal(fray_buf_slice(&path), fray_slice_of(topics[i])));
    }
    assert_int_equal(fray_topic_tree_find(&tree, FRAY_SLICE("a/b/d")), 0);
    /* Wildcards come first among siblings. */
    const struct fray_topic_node *root = fray_topic_tree_at(&tree, FRAY_TOPIC_TREE_ROOT);
    assert_true(root->has_hash && root->has_plus);
    const struct fray_topic_node *first = fray_topic_tree_at(&tree, root->first_child);
    assert_int_equal(first->level, FRAY_TOPIC_HASH);
    assert_int_equal(fray_topic_tree_at(&tree, first->next)->level, FRAY_TOPIC_PLUS);

    fray_topic_tree_at(&tree, nodes[0])->value[0] = 0; /* "a" has children: it stays */
    fray_topic_tree_prune(&tree, nodes[0]);
    assert_int_equal(fray_topic_tree_find(&tree, FRAY_SLICE("a")), nodes[0]);
    for (size_t i = 1; i < COUNT; i++) {
        fray_topic_tree_at(&tree, nodes[i])->value[0] = 0;
        fray_topic_tree_prune(&tree, nodes[i]);
    }
    assert_int_equal(tree.nodes.count, 1);
    assert_int_equal(tree.levels.count, 2);
    assert_int_equal(tree.edges.count, 0);
    root = fray_topic_tree_at(&tree, FRAY_TOPIC_TREE_ROOT);
    assert_false(root->has_hash || root->has_plus || root->first_child);
    fray_buf_deinit(&path);
    fray_topic_tree_deinit(&tree);
}

static void a_tree_bounds_the_levels(void **unused)
{
    (void)unused;
    char text[FRAY_TOPIC_LEVELS_MAX + 1];
    memset(text, '/', sizeof text);
    struct fray_topic_tree tree;
    fray_topic_tree_init(&tree, (struct fray_hash_key){1, 2});
    uint32_t node;
    struct fray_slice most = fray_slice(text, FRAY_TOPIC_LEVELS_MAX - 1);
    assert_int_equal(fray_topic_tree_insert(&tree, most, &node), FRAY_OK);
    struct fray_buf path = {0};
    fray_topic_tree_path(&tree, node, &path);
    assert_true(fray_slice_equal(fray_buf_slice(&path), most));
    assert_int_equal(fray_topic_tree_insert(&tree, fray_slice(text, FRAY_TOPIC_LEVELS_MAX), &node),
                     FRAY_ERR_LIMIT);
    fray_buf_deinit(&path);
    fray_topic_tree_deinit(&tree);
}

/* Hashes that collide and wrap around: removal must not lose what was probed past. */
static void an_index_set_keeps_what_was_not_removed(void **unused)
{
    (void)unused;
    enum { COUNT = 300 };
    struct fray_index_set set = {0};
    bool member[COUNT + 1] = {false};
    uint32_t random = 7;
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t index = (random >> 16) % COUNT + 1;
        uint32_t hash = 0xFFFFFFF0u + index % 23; /* near the end of the table, many alike */
        if (member[index])
            fray_index_set_remove(&set, hash, index);
        else
            fray_index_set_add(&set, hash, index);
        member[index] = !member[index];
        for (uint32_t i = 1; step % 64 == 0 && i <= COUNT; i++) {
            bool found = false;
            for (uint32_t probe = 0, got;
                 (got = fray_index_set_next(&set, 0xFFFFFFF0u + i % 23, &probe));)
                found |= got == i;
            assert_int_equal(found, member[i]);
        }
    }
    fray_index_set_deinit(&set);
}

static void filters_cover_what_is_narrower(void **state)
{
    (void)state;
    static const struct {
        const char *wide, *narrow;
        bool covers, overlap;
    } cases[] = {
        {"a/b", "a/b", true, true},       {"a/+", "a/b", true, true},
        {"a/b", "a/+", false, true},      {"a/#", "a/b/c", true, true},
        {"a/#", "a", true, true},         {"a/#", "a/#", true, true},
        {"a/+", "a/#", false, true},      {"+", "#", false, true},
        {"#", "a/+/c", true, true},       {"#", "$SYS/#", false, false},
        {"$SYS/#", "$SYS/a", true, true}, {"a/b", "a/c", false, false},
        {"+/b", "a/+", false, true},      {"a/b", "a/b/c", false, false},
        {"a/+/c", "a/#", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_slice wide = fray_slice_of(cases[i].wide),
                          narrow = fray_slice_of(cases[i].narrow);
        assert_int_equal(fray_topic_filter_covers(wide, narrow), cases[i].covers);
        assert_int_equal(fray_topic_filters_overlap(wide, narrow), cases[i].overlap);
        assert_int_equal(fray_topic_filters_overlap(narrow, wide), cases[i].overlap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_cover_what_is_narrower),
        cmocka_unit_test(the_specifications_examples_match),
        cmocka_unit_test(levels_are_taken_one_by_one),
        cmocka_unit_test(a_tree_finds_names_and_prunes_its_topics),
        cmocka_unit_test(a_tree_bounds_the_levels),
        cmocka_unit_test(an_index_set_keeps_what_was_not_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
