/* Topic names against topic filters (MQTT 4.7); their syntax is wire/mqtt_topic.h's. Pure. */
#ifndef FRAY_BROKER_TOPIC_H
#define FRAY_BROKER_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Topics are free to have up to 65,536 levels. Subscriptions and retained messages are not: what a
 * peer can make one match cost is bounded by this. */
enum { FRAY_TOPIC_LEVELS_MAX = 200 };

/* Takes the next level off. *rest starts as the topic or filter; false after the last one. A topic
 * that ends in '/' has an empty last level. */
bool fray_topic_level_next(struct fray_slice *rest, struct fray_slice *level);

/* The number of levels, at least 1. */
uint32_t fray_topic_level_count(struct fray_slice topic);

/* Whether wildcards in the first level pass it over: it begins with '$' [MQTT-4.7.2-1]. */
static inline bool fray_topic_hidden(struct fray_slice topic)
{
    return topic.len > 0 && topic.data[0] == '$';
}

/* Whether the filter, valid and without its share, matches the valid topic name. This is the plain
 * definition for one pair; many filters at once are subscription_trie.h's. */
bool fray_topic_matches(struct fray_slice filter, struct fray_slice topic);

/* Whether every topic that `narrow` matches is matched by `wide`; both valid filters without share.
 * A name is a filter without wildcards. */
bool fray_topic_filter_covers(struct fray_slice wide, struct fray_slice narrow);

/* Whether there may be a topic that both match. */
bool fray_topic_filters_overlap(struct fray_slice a, struct fray_slice b);

#endif
