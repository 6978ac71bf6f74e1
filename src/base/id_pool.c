#include "base/id_pool.h"

#include <assert.h>

#include "base/mem.h"

enum { POOL_CAP_MIN = 16 };

void fray_id_pool_deinit(struct fray_id_pool *pool)
{
    free(pool->entries);
    free(pool->generations);
    *pool = (struct fray_id_pool){0};
}

static void grow(struct fray_id_pool *pool)
{
    pool->cap = pool->cap ? pool->cap * 2 : POOL_CAP_MIN;
    pool->entries = fray_realloc(pool->entries, pool->cap * sizeof *pool->entries);
    pool->generations = fray_realloc(pool->generations, pool->cap * sizeof *pool->generations);
}

/* From one to the next, but never to 0, which names nothing. */
static uint32_t next_generation(struct fray_id_pool *pool, uint32_t index)
{
    if (++pool->generations[index] == 0)
        pool->generations[index] = 1;
    return pool->generations[index];
}

struct fray_handle fray_id_pool_add(struct fray_id_pool *pool, void *object)
{
    assert(object && !((uintptr_t)object & 1));
    uint32_t index;
    if (pool->first_free) {
        index = pool->first_free - 1;
        pool->first_free = (uint32_t)(pool->entries[index] >> 1);
    } else {
        if (pool->used == pool->cap)
            grow(pool);
        index = pool->used++;
        pool->generations[index] = 0;
    }
    pool->entries[index] = (uintptr_t)object;
    pool->count++;
    return (struct fray_handle){index, next_generation(pool, index)};
}

void fray_id_pool_remove(struct fray_id_pool *pool, struct fray_handle handle)
{
    assert(fray_id_pool_get(pool, handle));
    next_generation(pool, handle.index); /* a handle to what was here finds nothing from now on */
    pool->entries[handle.index] = (uintptr_t)pool->first_free << 1 | 1;
    pool->first_free = handle.index + 1;
    pool->count--;
}
