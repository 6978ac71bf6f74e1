/* Who has subscribed to what: topic filters to subscribers, shared groups included (MQTT 3.8, 4.7,
 * 4.8). Built for a million subscriptions: 32 bytes each, besides the filter's own nodes (28 bytes
 * a level that no other filter shares); a match allocates nothing and costs by the filters that
 * match. One thread; several tries are independent. Adding or removing inside of a match is a bug.
 */
#ifndef FRAY_BROKER_SUBSCRIPTION_TRIE_H
#define FRAY_BROKER_SUBSCRIPTION_TRIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/topic_tree.h"

/* Embed one in whatever subscribes (a session); the trie hands it back to its callbacks. Zero is
 * without subscriptions. It belongs to one trie and must stay in place until it is removed from it.
 */
struct fray_subscriber {
    uint32_t first; /* the trie's */
    uint32_t count; /* subscriptions held: read it to bound them */
};

/* The subscription options of 3.8.3.1 and the identifier of 3.8.2.1.2. No local needs to know the
 * publisher, retain as published the message: both are the caller's to heed. */
struct fray_subscription {
    uint32_t identifier; /* 0: none; at most 268,435,455 */
    uint8_t qos;
    uint8_t retain_handling;
    bool no_local;
    bool retain_as_published;
    uint32_t group; /* which one it is shared in, 0: none; told by match and each, not to add */
};

struct fray_subscription_trie {
    struct fray_topic_tree tree;
    struct fray_slab subscriptions;
    struct fray_slab groups;
    struct fray_index_set group_set;
    uint32_t subscriptions_max; /* 0: no limit */
    unsigned matching;          /* matches under way */
};

/* The key must be unpredictable (base/hash.h). */
void fray_subscription_trie_init(struct fray_subscription_trie *trie, struct fray_hash_key key,
                                 uint32_t subscriptions_max);
void fray_subscription_trie_deinit(struct fray_subscription_trie *trie);

static inline uint32_t fray_subscription_trie_count(const struct fray_subscription_trie *trie)
{
    return trie->subscriptions.count;
}

/* Adds the subscription, or replaces the options of the one that the subscriber has to the same
 * filter [MQTT-3.8.4-3]; *existed says which. A filter with `$share/<group>/` joins the group,
 * which is a subscription apart from an unshared one. FRAY_ERR_SYNTAX  not a valid filter
 * (wire/mqtt_topic.h) FRAY_ERR_LIMIT   more than FRAY_TOPIC_LEVELS_MAX levels, or the trie is full
 */
FRAY_MUST_CHECK enum fray_err
fray_subscription_trie_add(struct fray_subscription_trie *trie, struct fray_slice filter,
                           struct fray_subscriber *subscriber,
                           const struct fray_subscription *subscription, bool *existed);

/* FRAY_ERR_NOT_FOUND: the subscriber has no subscription to exactly this filter. */
enum fray_err fray_subscription_trie_remove(struct fray_subscription_trie *trie,
                                            struct fray_slice filter,
                                            struct fray_subscriber *subscriber);

/* Whether the subscriber has a subscription to exactly this filter. */
bool fray_subscription_trie_has(const struct fray_subscription_trie *trie, struct fray_slice filter,
                                const struct fray_subscriber *subscriber);

/* Removes all that the subscriber has. */
void fray_subscription_trie_remove_all(struct fray_subscription_trie *trie,
                                       struct fray_subscriber *subscriber);

struct fray_subscription_match {
    /* Called for each subscription that the message goes to. A subscriber with overlapping filters
     * is called once for each (3.3.4): merging or repeating is the caller's choice. */
    void (*deliver)(void *context, struct fray_subscriber *subscriber,
                    const struct fray_subscription *subscription);
    /* Whether a member of a shared group can take the message now. NULL: always. */
    bool (*available)(void *context, struct fray_subscriber *subscriber);
    void *context;
};

/* Calls back for every subscription that matches the valid topic name; of each shared group for one
 * member, in turn, passing over those that are not available. When none is, the one whose turn it
 * is gets the message, for its session to keep. Returns the number of deliveries. */
uint32_t fray_subscription_trie_match(struct fray_subscription_trie *trie, struct fray_slice topic,
                                      const struct fray_subscription_match *match);

/* Calls back for one member of the shared group whose filter this is, `$share/` and all, chosen as
 * above; false: there is none. */
bool fray_subscription_trie_pick(struct fray_subscription_trie *trie, struct fray_slice filter,
                                 const struct fray_subscription_match *match);

/* Calls back for each subscription of the subscriber, the newest first, with its whole filter,
 * which is borrowed for the call. */
void fray_subscription_trie_each(const struct fray_subscription_trie *trie,
                                 const struct fray_subscriber *subscriber,
                                 void (*visit)(void *context, struct fray_slice filter,
                                               const struct fray_subscription *subscription),
                                 void *context);

#endif
