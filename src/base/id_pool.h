/* Handles: small values that name an object which may be gone by the time that they are used. {0,
 * 0} names nothing. An index is reused, its generation is not (it wraps after 2^32 reuses). One
 * thread. Pure. */
#ifndef FRAY_BASE_ID_POOL_H
#define FRAY_BASE_ID_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fray_handle {
    uint32_t index;
    uint32_t generation; /* 0: no object */
};

/* 12 bytes a slot. Zero-initialised is empty. */
struct fray_id_pool {
    uintptr_t
        *entries; /* an object's address; of a free slot: the next free index, shifted, and 1 */
    uint32_t *generations;
    uint32_t used; /* slots ever handed out */
    uint32_t cap;
    uint32_t count;      /* live objects */
    uint32_t first_free; /* index + 1; 0 = none */
};

void fray_id_pool_deinit(struct fray_id_pool *pool);
/* Objects are at even addresses, as all that malloc gives. */
struct fray_handle fray_id_pool_add(struct fray_id_pool *pool, void *object);
void fray_id_pool_remove(struct fray_id_pool *pool, struct fray_handle handle);

/* For walking: objects at 0..used-1, NULL where a slot is free. */
static inline void *fray_id_pool_at(const struct fray_id_pool *pool, uint32_t index)
{
    uintptr_t entry = pool->entries[index];
    return entry & 1 ? NULL : (void *)entry;
}

/* NULL when the object was removed. */
static inline void *fray_id_pool_get(const struct fray_id_pool *pool, struct fray_handle handle)
{
    if (handle.index >= pool->used || pool->generations[handle.index] != handle.generation)
        return NULL;
    return fray_id_pool_at(pool, handle.index);
}

static inline bool fray_handle_equal(struct fray_handle a, struct fray_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

#endif
