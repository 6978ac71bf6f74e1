/* Retained messages (MQTT 3.3.1.3): at most one for a topic, found by filter when somebody
 * subscribes.
 *
 * Bounded by count and by bytes (topic and message). What does not fit is refused, the newest
 * first: a new topic leaves the others as they are; a replacement that does not fit takes the old
 * message with it, since none is better than an outdated one. Before anything is refused, expired
 * messages are swept. One thread. */
#ifndef FRAY_BROKER_RETAINED_H
#define FRAY_BROKER_RETAINED_H

#include "broker/message_ops.h"
#include "broker/topic_tree.h"

struct fray_retained_config {
    struct fray_hash_key key; /* unpredictable: base/hash.h */
    struct fray_message_ops ops;
    uint32_t count_max; /* messages; 0: none are kept */
    uint64_t bytes_max;
};

struct fray_retained_message {
    void *message;
    uint32_t bytes;      /* what it counts for, payload and properties; the topic is counted here */
    uint64_t expires_us; /* on now_us's clock; 0: never (3.3.2.3.3) */
};

struct fray_retained {
    struct fray_retained_config config;
    struct fray_topic_tree tree;
    struct fray_slab entries;
    uint64_t bytes;
    uint32_t hand;    /* where the next sweep goes on */
    uint64_t refused; /* counters, for $SYS and metrics */
    uint64_t expired;
};

void fray_retained_init(struct fray_retained *retained, const struct fray_retained_config *config);
void fray_retained_deinit(struct fray_retained *retained);

static inline uint32_t fray_retained_count(const struct fray_retained *retained)
{
    return retained->entries.count;
}

/* Keeps the message, in place of the topic's former one; takes a reference. The topic must be a
 * valid name. Clearing (an empty payload) is fray_retained_clear.
 * FRAY_ERR_LIMIT: refused, see above, or more than FRAY_TOPIC_LEVELS_MAX levels. */
FRAY_MUST_CHECK enum fray_err fray_retained_set(struct fray_retained *retained,
                                                struct fray_slice topic,
                                                const struct fray_retained_message *message,
                                                uint64_t now_us);

/* Whether there was one. */
bool fray_retained_clear(struct fray_retained *retained, struct fray_slice topic);

/* The topic's message, NULL without one. Borrowed until the next set, clear or sweep. */
const struct fray_retained_message *fray_retained_get(const struct fray_retained *retained,
                                                      struct fray_slice topic, uint64_t now_us);

/* Return false to end the walk. The retained messages must not be changed meanwhile. */
typedef bool fray_retained_visit(void *context, const struct fray_retained_message *message);

/* Visits the messages whose topics match the filter (valid, not shared), in no order. Allocates
 * nothing. Returns how many were visited. */
uint32_t fray_retained_match(const struct fray_retained *retained, struct fray_slice filter,
                             uint64_t now_us, fray_retained_visit *visit, void *context);

/* Looks at up to `entries_max` entries, going on from where the last call ended, and drops the
 * expired ones. Returns how many. */
uint32_t fray_retained_sweep(struct fray_retained *retained, uint64_t now_us, uint32_t entries_max);

#endif
