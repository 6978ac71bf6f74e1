#include "broker/topic_tree.h"

#include <assert.h>

#include "base/mem.h"

enum { INLINE_MAX = 22, LEVEL_COUNT_MAX = (1 << 30) - 1 };

/* A level's text, once for all nodes: 32 bytes where the text is short. */
struct level {
    uint32_t hash;
    uint32_t refs;
    uint16_t len;
    char text[INLINE_MAX]; /* or, where len is larger, a pointer to the bytes */
};

static struct level *level_at(const struct fray_topic_tree *tree, uint32_t level)
{
    return fray_slab_at(&tree->levels, level);
}

static char *long_text(const struct level *level)
{
    char *text;
    memcpy(&text, level->text, sizeof text);
    return text;
}

static struct fray_slice text_of(const struct level *level)
{
    return fray_slice(level->len > INLINE_MAX ? long_text(level) : level->text, level->len);
}

struct fray_slice fray_topic_level_text(const struct fray_topic_tree *tree, uint32_t level)
{
    return text_of(level_at(tree, level));
}

static uint32_t find_level(const struct fray_topic_tree *tree, struct fray_slice text,
                           uint32_t hash)
{
    for (uint32_t probe = 0, index;
         (index = fray_index_set_next(&tree->level_set, hash, &probe));) {
        if (fray_slice_equal(text_of(level_at(tree, index)), text))
            return index;
    }
    return 0;
}

uint32_t fray_topic_level_find(const struct fray_topic_tree *tree, struct fray_slice text)
{
    return find_level(tree, text, (uint32_t)fray_hash(tree->key, text));
}

uint32_t fray_topic_level_ref(struct fray_topic_tree *tree, struct fray_slice text)
{
    uint32_t hash = (uint32_t)fray_hash(tree->key, text);
    uint32_t index = find_level(tree, text, hash);
    if (!index) {
        index = fray_slab_take(&tree->levels);
        assert(index <= LEVEL_COUNT_MAX);
        struct level *level = level_at(tree, index);
        level->hash = hash;
        level->len = (uint16_t)text.len;
        if (text.len > INLINE_MAX) {
            char *copy = fray_strndup(text.data, text.len);
            memcpy(level->text, &copy, sizeof copy);
        } else if (text.len) {
            memcpy(level->text, text.data, text.len);
        }
        fray_index_set_add(&tree->level_set, hash, index);
    }
    level_at(tree, index)->refs++;
    return index;
}

void fray_topic_level_unref(struct fray_topic_tree *tree, uint32_t index)
{
    struct level *level = level_at(tree, index);
    if (--level->refs)
        return;
    fray_index_set_remove(&tree->level_set, level->hash, index);
    if (level->len > INLINE_MAX)
        free(long_text(level));
    fray_slab_release(&tree->levels, index);
}

void fray_topic_tree_init(struct fray_topic_tree *tree, struct fray_hash_key key)
{
    *tree = (struct fray_topic_tree){.key = key};
    fray_slab_init(&tree->levels, sizeof(struct level));
    fray_slab_init(&tree->nodes, sizeof(struct fray_topic_node));
    uint32_t root = fray_slab_take(&tree->nodes);
    uint32_t plus = fray_topic_level_ref(tree, FRAY_SLICE("+"));
    uint32_t hash = fray_topic_level_ref(tree, FRAY_SLICE("#"));
    assert(root == FRAY_TOPIC_TREE_ROOT && plus == FRAY_TOPIC_PLUS && hash == FRAY_TOPIC_HASH);
}

void fray_topic_tree_deinit(struct fray_topic_tree *tree)
{
    for (uint32_t i = 1; i < tree->levels.used; i++) {
        struct level *level = level_at(tree, i);
        if (level->refs && level->len > INLINE_MAX)
            free(long_text(level));
    }
    fray_slab_deinit(&tree->levels);
    fray_slab_deinit(&tree->nodes);
    fray_index_set_deinit(&tree->level_set);
    fray_index_set_deinit(&tree->edges);
}

/* Both numbers are ours and not a peer's choice, so that a mix is enough where SipHash would cost
 * (the finalizer of MurmurHash3). */
static uint32_t edge_hash(const struct fray_topic_tree *tree, uint32_t parent, uint32_t level)
{
    uint64_t mixed = ((uint64_t)parent << 32 | level) ^ tree->key.k0;
    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return (uint32_t)(mixed ^ mixed >> 33);
}

uint32_t fray_topic_tree_child(const struct fray_topic_tree *tree, uint32_t parent, uint32_t level)
{
    uint32_t hash = edge_hash(tree, parent, level);
    for (uint32_t probe = 0, index; (index = fray_index_set_next(&tree->edges, hash, &probe));) {
        const struct fray_topic_node *node = fray_topic_tree_at(tree, index);
        if (node->parent == parent && node->level == level)
            return index;
    }
    return 0;
}

uint32_t fray_topic_tree_find(const struct fray_topic_tree *tree, struct fray_slice topic)
{
    uint32_t node = FRAY_TOPIC_TREE_ROOT;
    struct fray_slice text;
    while (node && fray_topic_level_next(&topic, &text)) {
        uint32_t level = fray_topic_level_find(tree, text);
        node = level ? fray_topic_tree_child(tree, node, level) : 0;
    }
    return node;
}

/* "#" goes first, "+" after it, others after both. */
static void link_child(struct fray_topic_tree *tree, uint32_t index)
{
    struct fray_topic_node *node = fray_topic_tree_at(tree, index);
    struct fray_topic_node *parent = fray_topic_tree_at(tree, node->parent);
    unsigned skip = node->level == FRAY_TOPIC_HASH ? 0
                    : node->level == FRAY_TOPIC_PLUS
                        ? parent->has_hash
                        : (unsigned)parent->has_hash + parent->has_plus;
    for (node->next = parent->first_child; skip > 0; skip--) {
        node->prev = node->next;
        node->next = fray_topic_tree_at(tree, node->next)->next;
    }
    if (node->next)
        fray_topic_tree_at(tree, node->next)->prev = index;
    if (node->prev)
        fray_topic_tree_at(tree, node->prev)->next = index;
    else
        parent->first_child = index;
    parent->has_hash |= node->level == FRAY_TOPIC_HASH;
    parent->has_plus |= node->level == FRAY_TOPIC_PLUS;
}

static void unlink_child(struct fray_topic_tree *tree, const struct fray_topic_node *node)
{
    struct fray_topic_node *parent = fray_topic_tree_at(tree, node->parent);
    if (node->next)
        fray_topic_tree_at(tree, node->next)->prev = node->prev;
    if (node->prev)
        fray_topic_tree_at(tree, node->prev)->next = node->next;
    else
        parent->first_child = node->next;
    if (node->level == FRAY_TOPIC_HASH)
        parent->has_hash = 0;
    if (node->level == FRAY_TOPIC_PLUS)
        parent->has_plus = 0;
}

static uint32_t add_child(struct fray_topic_tree *tree, uint32_t parent, struct fray_slice text)
{
    uint32_t level = fray_topic_level_ref(tree, text);
    uint32_t index = fray_topic_tree_child(tree, parent, level);
    if (index) {
        fray_topic_level_unref(tree, level);
        return index;
    }
    index = fray_slab_take(&tree->nodes);
    struct fray_topic_node *node = fray_topic_tree_at(tree, index);
    node->parent = parent;
    node->level = level & LEVEL_COUNT_MAX;
    link_child(tree, index);
    fray_index_set_add(&tree->edges, edge_hash(tree, parent, level), index);
    return index;
}

enum fray_err fray_topic_tree_insert(struct fray_topic_tree *tree, struct fray_slice topic,
                                     uint32_t *node)
{
    if (fray_topic_level_count(topic) > FRAY_TOPIC_LEVELS_MAX)
        return FRAY_ERR_LIMIT;
    struct fray_slice text;
    *node = FRAY_TOPIC_TREE_ROOT;
    while (fray_topic_level_next(&topic, &text))
        *node = add_child(tree, *node, text);
    return FRAY_OK;
}

void fray_topic_tree_prune(struct fray_topic_tree *tree, uint32_t index)
{
    while (index != FRAY_TOPIC_TREE_ROOT) {
        const struct fray_topic_node *node = fray_topic_tree_at(tree, index);
        if (node->first_child || node->value[0] || node->value[1])
            return;
        uint32_t parent = node->parent;
        uint32_t level = node->level;
        unlink_child(tree, node);
        fray_index_set_remove(&tree->edges, edge_hash(tree, parent, level), index);
        fray_slab_release(&tree->nodes, index);
        fray_topic_level_unref(tree, level);
        index = parent;
    }
}

void fray_topic_tree_path(const struct fray_topic_tree *tree, uint32_t index, struct fray_buf *path)
{
    uint32_t chain[FRAY_TOPIC_LEVELS_MAX];
    size_t count = 0;
    for (; index != FRAY_TOPIC_TREE_ROOT; index = fray_topic_tree_at(tree, index)->parent)
        chain[count++] = fray_topic_tree_at(tree, index)->level;
    while (count > 0) {
        fray_buf_append_slice(path, fray_topic_level_text(tree, chain[--count]));
        if (count > 0)
            fray_buf_append_byte(path, '/');
    }
}
