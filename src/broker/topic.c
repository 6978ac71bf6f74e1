#include "broker/topic.h"

/* A finished walk is told from an empty last level by its data. */
bool fray_topic_level_next(struct fray_slice *rest, struct fray_slice *level)
{
    if (!rest->data)
        return false;
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    if (!slash) {
        *level = *rest;
        *rest = (struct fray_slice){0};
        return true;
    }
    *level = fray_slice(rest->data, (size_t)(slash - rest->data));
    *rest = fray_slice_skip(*rest, level->len + 1);
    return true;
}

uint32_t fray_topic_level_count(struct fray_slice topic)
{
    uint32_t count = 1;
    for (size_t i = 0; i < topic.len; i++)
        count += topic.data[i] == '/';
    return count;
}

bool fray_topic_matches(struct fray_slice filter, struct fray_slice topic)
{
    struct fray_slice wanted, level;
    if (fray_topic_hidden(topic) && !fray_topic_hidden(filter))
        return false;
    while (fray_topic_level_next(&filter, &wanted)) {
        if (fray_slice_equal(wanted, FRAY_SLICE("#")))
            return true; /* also of no level: "a/#" matches "a" (4.7.1.2) */
        if (!fray_topic_level_next(&topic, &level))
            return false;
        if (!fray_slice_equal(wanted, FRAY_SLICE("+")) && !fray_slice_equal(wanted, level))
            return false;
    }
    return !fray_topic_level_next(&topic, &level);
}

bool fray_topic_filter_covers(struct fray_slice wide, struct fray_slice narrow)
{
    struct fray_slice w, n;
    if (fray_topic_hidden(narrow) && !fray_topic_hidden(wide))
        return false;
    for (;;) {
        bool has_wide = fray_topic_level_next(&wide, &w);
        bool has_narrow = fray_topic_level_next(&narrow, &n);
        if (has_wide && fray_slice_equal(w, FRAY_SLICE("#")))
            return true; /* the level above, too: "a/#" matches "a" */
        if (!has_wide || !has_narrow)
            return has_wide == has_narrow;
        bool is_rest = fray_slice_equal(n, FRAY_SLICE("#"));
        if (is_rest || (!fray_slice_equal(w, FRAY_SLICE("+")) && !fray_slice_equal(w, n)))
            return false;
    }
}

bool fray_topic_filters_overlap(struct fray_slice a, struct fray_slice b)
{
    struct fray_slice at_a, at_b;
    if (fray_topic_hidden(a) != fray_topic_hidden(b))
        return false;
    for (;;) {
        bool has_a = fray_topic_level_next(&a, &at_a), has_b = fray_topic_level_next(&b, &at_b);
        if ((has_a && fray_slice_equal(at_a, FRAY_SLICE("#"))) ||
            (has_b && fray_slice_equal(at_b, FRAY_SLICE("#"))))
            return true;
        if (!has_a || !has_b)
            return has_a == has_b;
        bool is_wild =
            fray_slice_equal(at_a, FRAY_SLICE("+")) || fray_slice_equal(at_b, FRAY_SLICE("+"));
        if (!is_wild && !fray_slice_equal(at_a, at_b))
            return false;
    }
}
