/* A hash table of 32-bit indexes whose keys lie with the records that they name: the caller hashes
 * and compares. Open addressing with linear probing, at most 7/8 full, no tombstones.
 * Zero-initialised is empty. One thread. */
#ifndef FRAY_BROKER_INDEX_SET_H
#define FRAY_BROKER_INDEX_SET_H

#include <stdint.h>

struct fray_index_slot {
    uint32_t hash;
    uint32_t index; /* 0: free */
};

struct fray_index_set {
    struct fray_index_slot *slots;
    uint32_t count;
    uint32_t cap; /* 0 or a power of two */
};

void fray_index_set_deinit(struct fray_index_set *set);

/* The next index that was added under the hash, 0 when there is none left. *probe starts at 0:
 *   for (uint32_t probe = 0, index; (index = fray_index_set_next(set, hash, &probe));) */
static inline uint32_t fray_index_set_next(const struct fray_index_set *set, uint32_t hash,
                                           uint32_t *probe)
{
    if (set->cap == 0)
        return 0;
    for (;;) {
        const struct fray_index_slot *slot = &set->slots[(hash + (*probe)++) & (set->cap - 1)];
        if (slot->index == 0 || slot->hash == hash)
            return slot->index;
    }
}

/* The index must not be in the set, and not be 0. */
void fray_index_set_add(struct fray_index_set *set, uint32_t hash, uint32_t index);

/* The index must be in the set under the hash. */
void fray_index_set_remove(struct fray_index_set *set, uint32_t hash, uint32_t index);

#endif
