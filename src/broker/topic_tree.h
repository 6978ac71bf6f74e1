/* Topics or filters as a tree of their levels: what the subscription trie and the retained messages
 * stand on. A level's text is kept once however many nodes have it, so that a walk compares 32-bit
 * numbers. Children are found by hash; they are also listed, wildcards first, for walks that want
 * all of them. One thread. Numbers and pointers name records until these are released. */
#ifndef FRAY_BROKER_TOPIC_TREE_H
#define FRAY_BROKER_TOPIC_TREE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/hash.h"
#include "broker/index_set.h"
#include "broker/slab.h"
#include "broker/topic.h"
#include "fray/err.h"

enum {
    FRAY_TOPIC_TREE_ROOT = 1, /* the node above all first levels */
    FRAY_TOPIC_PLUS = 1,      /* the levels "+" and "#" */
    FRAY_TOPIC_HASH = 2,
};

struct fray_topic_node {
    uint32_t parent;
    uint32_t level : 30;
    uint32_t has_plus : 1; /* there is a child "+"; it comes first, or second after "#" */
    uint32_t has_hash : 1; /* there is a child "#"; it comes first */
    uint32_t first_child;
    uint32_t prev, next; /* siblings */
    uint32_t value[2];   /* the owner's; a node lives while one is not 0 or it has children */
};

struct fray_topic_tree {
    struct fray_hash_key key;
    struct fray_slab levels;
    struct fray_slab nodes; /* struct fray_topic_node */
    struct fray_index_set level_set;
    struct fray_index_set edges; /* nodes by parent and level */
};

/* Topics are the peers' choice: the key must be unpredictable (base/hash.h). */
void fray_topic_tree_init(struct fray_topic_tree *tree, struct fray_hash_key key);
void fray_topic_tree_deinit(struct fray_topic_tree *tree);

static inline struct fray_topic_node *fray_topic_tree_at(const struct fray_topic_tree *tree,
                                                         uint32_t node)
{
    return fray_slab_at(&tree->nodes, node);
}

/* The level's number, 0 where no node has it. */
uint32_t fray_topic_level_find(const struct fray_topic_tree *tree, struct fray_slice text);

/* A reference to the level's number; it is made if need be. */
uint32_t fray_topic_level_ref(struct fray_topic_tree *tree, struct fray_slice text);
void fray_topic_level_unref(struct fray_topic_tree *tree, uint32_t level);

/* Borrowed until the tree changes. */
struct fray_slice fray_topic_level_text(const struct fray_topic_tree *tree, uint32_t level);

/* The node's child of that level, 0 where there is none. */
uint32_t fray_topic_tree_child(const struct fray_topic_tree *tree, uint32_t node, uint32_t level);

/* The node of a whole topic or filter, 0 where there is none. */
uint32_t fray_topic_tree_find(const struct fray_topic_tree *tree, struct fray_slice topic);

/* The same, made if need be. The caller gives it a value or prunes it. FRAY_ERR_LIMIT: more than
 * FRAY_TOPIC_LEVELS_MAX levels. */
FRAY_MUST_CHECK enum fray_err fray_topic_tree_insert(struct fray_topic_tree *tree,
                                                     struct fray_slice topic, uint32_t *node);

/* Releases the node, and those above it, as far as they hold neither value nor child. */
void fray_topic_tree_prune(struct fray_topic_tree *tree, uint32_t node);

/* Appends the node's topic or filter. */
void fray_topic_tree_path(const struct fray_topic_tree *tree, uint32_t node, struct fray_buf *path);

#endif
