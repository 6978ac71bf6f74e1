#include "broker/retained.h"

enum { SWEEP_WHEN_FULL = 256 }; /* entries: what a refusal may cost */

struct entry {
    uint32_t node; /* first: a free record chains through it (slab.h) */
    uint32_t topic_len;
    struct fray_retained_message message; /* its pointer is NULL in a free record */
};

static struct entry *entry_at(const struct fray_retained *retained, uint32_t index)
{
    return fray_slab_at(&retained->entries, index);
}

static uint64_t size_of(const struct entry *entry)
{
    return (uint64_t)entry->topic_len + entry->message.bytes;
}

static bool expired(const struct fray_retained_message *message, uint64_t now_us)
{
    return message->expires_us && message->expires_us <= now_us;
}

void fray_retained_init(struct fray_retained *retained, const struct fray_retained_config *config)
{
    *retained = (struct fray_retained){.config = *config};
    fray_topic_tree_init(&retained->tree, config->key);
    fray_slab_init(&retained->entries, sizeof(struct entry));
}

void fray_retained_deinit(struct fray_retained *retained)
{
    for (uint32_t i = 1; i < retained->entries.used; i++) {
        if (entry_at(retained, i)->message.message)
            retained->config.ops.unref(entry_at(retained, i)->message.message);
    }
    fray_slab_deinit(&retained->entries);
    fray_topic_tree_deinit(&retained->tree);
}

static void drop(struct fray_retained *retained, uint32_t index)
{
    struct entry entry = *entry_at(retained, index);
    retained->bytes -= size_of(&entry);
    fray_topic_tree_at(&retained->tree, entry.node)->value[0] = 0;
    fray_slab_release(&retained->entries, index);
    fray_topic_tree_prune(&retained->tree, entry.node);
    retained->config.ops.unref(entry.message.message);
}

uint32_t fray_retained_sweep(struct fray_retained *retained, uint64_t now_us, uint32_t entries_max)
{
    uint32_t dropped = 0;
    if (entries_max > retained->entries.used)
        entries_max = retained->entries.used;
    for (uint32_t i = 0; i < entries_max; i++) {
        if (++retained->hand >= retained->entries.used)
            retained->hand = 0; /* record 0 is none: it is passed over like a free one */
        if (retained->hand == 0)
            continue;
        const struct entry *entry = entry_at(retained, retained->hand);
        if (entry->message.message && expired(&entry->message, now_us)) {
            drop(retained, retained->hand);
            dropped++;
        }
    }
    retained->expired += dropped;
    return dropped;
}

static bool fits(const struct fray_retained *retained, uint64_t bytes)
{
    return retained->entries.count < retained->config.count_max &&
           retained->bytes + bytes <= retained->config.bytes_max;
}

static uint32_t find(const struct fray_retained *retained, struct fray_slice topic)
{
    uint32_t node = fray_topic_tree_find(&retained->tree, topic);
    return node ? fray_topic_tree_at(&retained->tree, node)->value[0] : 0;
}

enum fray_err fray_retained_set(struct fray_retained *retained, struct fray_slice topic,
                                const struct fray_retained_message *message, uint64_t now_us)
{
    /* Before the old one goes: it may be the same message. */
    retained->config.ops.ref(message->message);
    (void)fray_retained_clear(retained, topic);
    uint64_t bytes = (uint64_t)topic.len + message->bytes;
    uint32_t node = 0;
    if (!fits(retained, bytes))
        (void)fray_retained_sweep(retained, now_us, SWEEP_WHEN_FULL);
    if (!fits(retained, bytes) || fray_topic_tree_insert(&retained->tree, topic, &node)) {
        retained->refused++;
        retained->config.ops.unref(message->message);
        return FRAY_ERR_LIMIT;
    }
    uint32_t index = fray_slab_take(&retained->entries);
    *entry_at(retained, index) = (struct entry){node, (uint32_t)topic.len, *message};
    fray_topic_tree_at(&retained->tree, node)->value[0] = index;
    retained->bytes += bytes;
    return FRAY_OK;
}

bool fray_retained_clear(struct fray_retained *retained, struct fray_slice topic)
{
    uint32_t index = find(retained, topic);
    if (index)
        drop(retained, index);
    return index != 0;
}

const struct fray_retained_message *fray_retained_get(const struct fray_retained *retained,
                                                      struct fray_slice topic, uint64_t now_us)
{
    uint32_t index = find(retained, topic);
    if (!index || expired(&entry_at(retained, index)->message, now_us))
        return NULL;
    return &entry_at(retained, index)->message;
}

/* A filter over the tree of topics: the numbers of its levels, and where its "#" is. */
struct pattern {
    uint32_t levels[FRAY_TOPIC_LEVELS_MAX];
    uint32_t count; /* levels before "#" */
    bool rest;      /* it ends in "#" */
};

/* False where nothing can match: a level that no topic has. */
static bool resolve(const struct fray_topic_tree *tree, struct fray_slice filter,
                    struct pattern *pattern)
{
    struct fray_slice text;
    pattern->count = 0;
    pattern->rest = false;
    while (fray_topic_level_next(&filter, &text)) {
        uint32_t level = fray_topic_level_find(tree, text);
        pattern->rest = level == FRAY_TOPIC_HASH;
        if (pattern->rest)
            break;
        if (!level || pattern->count == FRAY_TOPIC_LEVELS_MAX)
            return false;
        pattern->levels[pattern->count++] = level;
    }
    return true;
}

/* Whether any level will do below a node at the depth. */
static bool wild(const struct pattern *pattern, uint32_t depth)
{
    return depth >= pattern->count ? pattern->rest : pattern->levels[depth] == FRAY_TOPIC_PLUS;
}

/* The first of the siblings that wildcards see: on the top level none with '$' [MQTT-4.7.2-1]. */
static uint32_t visible(const struct fray_topic_tree *tree, uint32_t node)
{
    while (node) {
        const struct fray_topic_node *at = fray_topic_tree_at(tree, node);
        if (at->parent != FRAY_TOPIC_TREE_ROOT ||
            !fray_topic_hidden(fray_topic_level_text(tree, at->level)))
            break;
        node = at->next;
    }
    return node;
}

static uint32_t descend(const struct fray_topic_tree *tree, const struct pattern *pattern,
                        uint32_t node, uint32_t depth)
{
    if (wild(pattern, depth))
        return visible(tree, fray_topic_tree_at(tree, node)->first_child);
    return depth < pattern->count ? fray_topic_tree_child(tree, node, pattern->levels[depth]) : 0;
}

/* The next node of the walk once a node's children are done, 0 at its end. */
static uint32_t advance(const struct fray_topic_tree *tree, const struct pattern *pattern,
                        uint32_t node, uint32_t *depth)
{
    while (*depth > 0) {
        const struct fray_topic_node *at = fray_topic_tree_at(tree, node);
        uint32_t sibling = wild(pattern, *depth - 1) ? visible(tree, at->next) : 0;
        if (sibling)
            return sibling;
        node = at->parent;
        --*depth;
    }
    return 0;
}

uint32_t fray_retained_match(const struct fray_retained *retained, struct fray_slice filter,
                             uint64_t now_us, fray_retained_visit *visit, void *context)
{
    const struct fray_topic_tree *tree = &retained->tree;
    struct pattern pattern;
    uint32_t node = resolve(tree, filter, &pattern) ? FRAY_TOPIC_TREE_ROOT : 0;
    uint32_t depth = 0, count = 0;
    while (node) {
        uint32_t index = fray_topic_tree_at(tree, node)->value[0];
        bool complete = depth >= pattern.count; /* deeper only inside of "#" */
        const struct fray_retained_message *message =
            index && complete ? &entry_at(retained, index)->message : NULL;
        if (message && !expired(message, now_us)) {
            count++;
            if (!visit(context, message))
                break;
        }
        uint32_t child = descend(tree, &pattern, node, depth);
        if (child)
            depth++;
        node = child ? child : advance(tree, &pattern, node, &depth);
    }
    return count;
}
