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
