#include "broker/subscription_trie.h"

#include <assert.h>

#include "wire/mqtt_topic.h"

/* What a tree node's values are. */
enum { SUBSCRIPTIONS = 0, GROUPS = 1 };

enum { OWNER_MAX = (1 << 29) - 1, IDENTIFIER_MAX = (1 << 28) - 1 };

/* One subscription, in its node's or group's list and in its subscriber's. */
struct record {
    uint32_t owner : 29; /* the node; of a shared subscription the group */
    uint32_t shared : 1;
    uint32_t retain_handling : 2;
    uint32_t identifier : 28;
    uint32_t qos : 2;
    uint32_t no_local : 1;
    uint32_t retain_as_published : 1;
    uint32_t prev, next;         /* of the owner's list */
    uint32_t his_prev, his_next; /* of the subscriber's list */
    struct fray_subscriber *subscriber;
};

_Static_assert(sizeof(struct record) == 32, "half a cache line");

/* A shared group of one filter (4.8.2). */
struct group {
    uint32_t node;
    uint32_t name;       /* a level of the tree */
    uint32_t prev, next; /* of the node's groups */
    uint32_t first;      /* member */
    uint32_t turn;       /* the member to try first */
};

static struct record *record_at(const struct fray_subscription_trie *trie, uint32_t index)
{
    return fray_slab_at(&trie->subscriptions, index);
}

static struct group *group_at(const struct fray_subscription_trie *trie, uint32_t index)
{
    return fray_slab_at(&trie->groups, index);
}

void fray_subscription_trie_init(struct fray_subscription_trie *trie, struct fray_hash_key key,
                                 uint32_t subscriptions_max)
{
    *trie = (struct fray_subscription_trie){.subscriptions_max = subscriptions_max};
    fray_topic_tree_init(&trie->tree, key);
    fray_slab_init(&trie->subscriptions, sizeof(struct record));
    fray_slab_init(&trie->groups, sizeof(struct group));
}

void fray_subscription_trie_deinit(struct fray_subscription_trie *trie)
{
    fray_topic_tree_deinit(&trie->tree);
    fray_slab_deinit(&trie->subscriptions);
    fray_slab_deinit(&trie->groups);
    fray_index_set_deinit(&trie->group_set);
}

/* Groups */

static uint32_t group_hash(uint32_t node, uint32_t name)
{
    return (node * UINT32_C(0x9E3779B1)) ^ (name * UINT32_C(0x85EBCA77));
}

static uint32_t find_group(const struct fray_subscription_trie *trie, uint32_t node, uint32_t name)
{
    uint32_t hash = group_hash(node, name);
    for (uint32_t probe = 0, index;
         (index = fray_index_set_next(&trie->group_set, hash, &probe));) {
        if (group_at(trie, index)->node == node && group_at(trie, index)->name == name)
            return index;
    }
    return 0;
}

static uint32_t make_group(struct fray_subscription_trie *trie, uint32_t node,
                           struct fray_slice text)
{
    uint32_t name = fray_topic_level_ref(&trie->tree, text);
    uint32_t index = find_group(trie, node, name);
    if (index) {
        fray_topic_level_unref(&trie->tree, name);
        return index;
    }
    index = fray_slab_take(&trie->groups);
    uint32_t *head = &fray_topic_tree_at(&trie->tree, node)->value[GROUPS];
    *group_at(trie, index) = (struct group){.node = node, .name = name, .next = *head};
    if (*head)
        group_at(trie, *head)->prev = index;
    *head = index;
    fray_index_set_add(&trie->group_set, group_hash(node, name), index);
    return index;
}

static void drop_group(struct fray_subscription_trie *trie, uint32_t index)
{
    struct group group = *group_at(trie, index);
    if (group.next)
        group_at(trie, group.next)->prev = group.prev;
    if (group.prev)
        group_at(trie, group.prev)->next = group.next;
    else
        fray_topic_tree_at(&trie->tree, group.node)->value[GROUPS] = group.next;
    fray_index_set_remove(&trie->group_set, group_hash(group.node, group.name), index);
    fray_slab_release(&trie->groups, index);
    fray_topic_level_unref(&trie->tree, group.name);
}

/* Records */

/* Where a subscription hangs: a node, or a group of a node. */
struct owner {
    uint32_t index; /* 0: no such */
    bool shared;
};

static uint32_t *head_of(const struct fray_subscription_trie *trie, struct owner owner)
{
    return owner.shared ? &group_at(trie, owner.index)->first
                        : &fray_topic_tree_at(&trie->tree, owner.index)->value[SUBSCRIPTIONS];
}

static struct owner find_owner(const struct fray_subscription_trie *trie, struct fray_slice text)
{
    struct fray_slice name, filter;
    bool shared = fray_mqtt_topic_filter_split(text, &name, &filter);
    uint32_t node = fray_topic_tree_find(&trie->tree, filter);
    if (!node || !shared)
        return (struct owner){node, shared};
    uint32_t level = fray_topic_level_find(&trie->tree, name);
    return (struct owner){level ? find_group(trie, node, level) : 0, true};
}

/* Walks the owner's list and the subscriber's in step, so that the shorter one bounds the search:
 * one topic may have very many subscribers, one subscriber very many topics. */
static uint32_t find_record(const struct fray_subscription_trie *trie, struct owner owner,
                            const struct fray_subscriber *subscriber)
{
    if (!owner.index)
        return 0;
    uint32_t theirs = *head_of(trie, owner);
    uint32_t his = subscriber->first;
    while (theirs && his) {
        const struct record *record = record_at(trie, theirs);
        if (record->subscriber == subscriber)
            return theirs;
        theirs = record->next;
        record = record_at(trie, his);
        if (record->owner == owner.index && record->shared == owner.shared)
            return his;
        his = record->his_next;
    }
    return 0;
}

static void set_options(struct record *record, const struct fray_subscription *subscription)
{
    record->identifier = subscription->identifier & IDENTIFIER_MAX;
    record->qos = subscription->qos & 3u;
    record->retain_handling = subscription->retain_handling & 3u;
    record->no_local = subscription->no_local;
    record->retain_as_published = subscription->retain_as_published;
}

static struct fray_subscription options_of(const struct record *record)
{
    return (struct fray_subscription){
        record->identifier, (uint8_t)record->qos,        (uint8_t)record->retain_handling,
        record->no_local,   record->retain_as_published, record->shared ? record->owner : 0};
}

static uint32_t link_record(struct fray_subscription_trie *trie, struct owner owner,
                            struct fray_subscriber *subscriber)
{
    uint32_t index = fray_slab_take(&trie->subscriptions);
    uint32_t *head = head_of(trie, owner);
    struct record *record = record_at(trie, index);
    assert(owner.index <= OWNER_MAX);
    record->owner = owner.index & OWNER_MAX;
    record->shared = owner.shared;
    record->subscriber = subscriber;
    record->next = *head;
    record->his_next = subscriber->first;
    if (record->next)
        record_at(trie, record->next)->prev = index;
    if (record->his_next)
        record_at(trie, record->his_next)->his_prev = index;
    *head = index;
    subscriber->first = index;
    subscriber->count++;
    return index;
}

static void unlink_record(struct fray_subscription_trie *trie, uint32_t index)
{
    struct record record = *record_at(trie, index);
    struct owner owner = {record.owner, record.shared};
    if (record.next)
        record_at(trie, record.next)->prev = record.prev;
    if (record.prev)
        record_at(trie, record.prev)->next = record.next;
    else
        *head_of(trie, owner) = record.next;
    if (record.his_next)
        record_at(trie, record.his_next)->his_prev = record.his_prev;
    if (record.his_prev)
        record_at(trie, record.his_prev)->his_next = record.his_next;
    else
        record.subscriber->first = record.his_next;
    record.subscriber->count--;
    fray_slab_release(&trie->subscriptions, index);
}

static void remove_record(struct fray_subscription_trie *trie, uint32_t index)
{
    const struct record *record = record_at(trie, index);
    uint32_t owner = record->owner;
    uint32_t node = owner;
    bool shared = record->shared;
    if (shared) {
        struct group *group = group_at(trie, owner);
        node = group->node;
        if (group->turn == index)
            group->turn = record->next;
    }
    unlink_record(trie, index);
    if (shared && !group_at(trie, owner)->first)
        drop_group(trie, owner);
    fray_topic_tree_prune(&trie->tree, node);
}

enum fray_err fray_subscription_trie_add(struct fray_subscription_trie *trie,
                                         struct fray_slice text, struct fray_subscriber *subscriber,
                                         const struct fray_subscription *subscription,
                                         bool *existed)
{
    assert(!trie->matching);
    *existed = false;
    if (!fray_mqtt_topic_filter_valid(text))
        return FRAY_ERR_SYNTAX;
    uint32_t index = find_record(trie, find_owner(trie, text), subscriber);
    if (index) {
        *existed = true;
        set_options(record_at(trie, index), subscription);
        return FRAY_OK;
    }
    if (trie->subscriptions_max && trie->subscriptions.count >= trie->subscriptions_max)
        return FRAY_ERR_LIMIT;
    struct fray_slice name, filter;
    struct owner owner = {.shared = fray_mqtt_topic_filter_split(text, &name, &filter)};
    enum fray_err err = fray_topic_tree_insert(&trie->tree, filter, &owner.index);
    if (err)
        return err;
    if (owner.shared)
        owner.index = make_group(trie, owner.index, name);
    index = link_record(trie, owner, subscriber);
    set_options(record_at(trie, index), subscription);
    return FRAY_OK;
}

enum fray_err fray_subscription_trie_remove(struct fray_subscription_trie *trie,
                                            struct fray_slice filter,
                                            struct fray_subscriber *subscriber)
{
    assert(!trie->matching);
    uint32_t index = find_record(trie, find_owner(trie, filter), subscriber);
    if (!index)
        return FRAY_ERR_NOT_FOUND;
    remove_record(trie, index);
    return FRAY_OK;
}

bool fray_subscription_trie_has(const struct fray_subscription_trie *trie, struct fray_slice filter,
                                const struct fray_subscriber *subscriber)
{
    return find_record(trie, find_owner(trie, filter), subscriber) != 0;
}

void fray_subscription_trie_remove_all(struct fray_subscription_trie *trie,
                                       struct fray_subscriber *subscriber)
{
    assert(!trie->matching);
    while (subscriber->first)
        remove_record(trie, subscriber->first);
}

/* Matching */

static void deliver(const struct record *record, const struct fray_subscription_match *match)
{
    struct fray_subscription subscription = options_of(record);
    match->deliver(match->context, record->subscriber, &subscription);
}

/* The member whose turn it is or, from there on, the first that is available. */
static uint32_t choose(const struct fray_subscription_trie *trie, const struct group *group,
                       const struct fray_subscription_match *match)
{
    uint32_t start = group->turn ? group->turn : group->first;
    uint32_t index = start;
    do {
        const struct record *record = record_at(trie, index);
        if (!match->available || match->available(match->context, record->subscriber))
            return index;
        index = record->next ? record->next : group->first;
    } while (index != start);
    return start;
}

static void deliver_group(const struct fray_subscription_trie *trie, struct group *group,
                          const struct fray_subscription_match *match)
{
    const struct record *chosen = record_at(trie, choose(trie, group, match));
    group->turn = chosen->next; /* 0 at the end: the first one again */
    deliver(chosen, match);
}

bool fray_subscription_trie_pick(struct fray_subscription_trie *trie, struct fray_slice filter,
                                 const struct fray_subscription_match *match)
{
    struct owner owner = find_owner(trie, filter);
    if (!owner.shared || !owner.index)
        return false;
    trie->matching++;
    deliver_group(trie, group_at(trie, owner.index), match);
    trie->matching--;
    return true;
}

static uint32_t deliver_node(const struct fray_subscription_trie *trie, uint32_t node,
                             const struct fray_subscription_match *match)
{
    const uint32_t *value = fray_topic_tree_at(&trie->tree, node)->value;
    uint32_t count = 0;
    for (uint32_t index = value[SUBSCRIPTIONS]; index; count++) {
        const struct record *record = record_at(trie, index);
        index = record->next;
        __builtin_prefetch(record_at(trie, index)); /* while the callback works */
        deliver(record, match);
    }
    for (uint32_t index = value[GROUPS]; index; count++) {
        struct group *group = group_at(trie, index);
        index = group->next;
        deliver_group(trie, group, match);
    }
    return count;
}

/* The topic's levels as the tree numbers them; 0 where only wildcards can match. No filter is
 * deeper than FRAY_TOPIC_LEVELS_MAX, so that of a deeper topic the rest concerns "#" alone. */
struct path {
    uint32_t levels[FRAY_TOPIC_LEVELS_MAX];
    uint32_t count;
    bool deeper;
    bool hidden;
};

static void resolve(const struct fray_topic_tree *tree, struct fray_slice topic, struct path *path)
{
    struct fray_slice text;
    path->hidden = fray_topic_hidden(topic);
    path->count = 0;
    while (path->count < FRAY_TOPIC_LEVELS_MAX && fray_topic_level_next(&topic, &text))
        path->levels[path->count++] = fray_topic_level_find(tree, text);
    path->deeper = topic.data != NULL;
}

uint32_t fray_subscription_trie_match(struct fray_subscription_trie *trie, struct fray_slice topic,
                                      const struct fray_subscription_match *match)
{
    const struct fray_topic_tree *tree = &trie->tree;
    struct path path;
    resolve(tree, topic, &path);
    /* Depth first; at each depth at most the "+" branch waits. */
    struct step {
        uint32_t node, depth;
    } steps[FRAY_TOPIC_LEVELS_MAX + 2];
    uint32_t waiting = 0, count = 0;
    steps[waiting++] = (struct step){FRAY_TOPIC_TREE_ROOT, 0};
    trie->matching++;
    while (waiting > 0) {
        struct step step = steps[--waiting];
        const struct fray_topic_node *node = fray_topic_tree_at(tree, step.node);
        bool hidden = path.hidden && step.depth == 0; /* [MQTT-4.7.2-1] */
        uint32_t child = node->first_child;
        if (node->has_hash) {
            if (!hidden)
                count += deliver_node(trie, child, match);
            child = fray_topic_tree_at(tree, child)->next;
        }
        if (step.depth == path.count) {
            if (!path.deeper)
                count += deliver_node(trie, step.node, match);
            continue;
        }
        if (node->has_plus && !hidden)
            steps[waiting++] = (struct step){child, step.depth + 1};
        uint32_t level = path.levels[step.depth];
        child = level ? fray_topic_tree_child(tree, step.node, level) : 0;
        if (child)
            steps[waiting++] = (struct step){child, step.depth + 1};
    }
    trie->matching--;
    return count;
}

void fray_subscription_trie_each(const struct fray_subscription_trie *trie,
                                 const struct fray_subscriber *subscriber,
                                 void (*visit)(void *context, struct fray_slice filter,
                                               const struct fray_subscription *subscription),
                                 void *context)
{
    struct fray_buf filter = {0};
    for (uint32_t index = subscriber->first; index;) {
        const struct record *record = record_at(trie, index);
        struct fray_subscription subscription = options_of(record);
        uint32_t node = record->owner;
        filter.len = 0;
        if (record->shared) {
            const struct group *group = group_at(trie, record->owner);
            node = group->node;
            FRAY_BUF_LITERAL(&filter, "$share/");
            fray_buf_append_slice(&filter, fray_topic_level_text(&trie->tree, group->name));
            fray_buf_append_byte(&filter, '/');
        }
        fray_topic_tree_path(&trie->tree, node, &filter);
        index = record->his_next;
        visit(context, fray_buf_slice(&filter), &subscription);
    }
    fray_buf_deinit(&filter);
}
