#include "base/id_pool.h"

#include <assert.h>

#include "base/mem.h"

enum { POOL_CAP_MIN = 16 };

void fray_id_pool_deinit(struct fray_id_pool *pool)
{
    free(pool->slots);
    *pool = (struct fray_id_pool){0};
}

struct fray_handle fray_id_pool_add(struct fray_id_pool *pool, void *object)
{
    assert(object);
    uint32_t index;
    if (pool->first_free) {
        index = pool->first_free - 1;
        pool->first_free = pool->slots[index].next_free;
    } else {
        if (pool->used == pool->cap) {
            pool->cap = pool->cap ? pool->cap * 2 : POOL_CAP_MIN;
            pool->slots = fray_realloc(pool->slots, pool->cap * sizeof *pool->slots);
        }
        index = pool->used++;
        pool->slots[index].generation = 0;
    }
    struct fray_id_slot *slot = &pool->slots[index];
    slot->object = object;
    if (++slot->generation == 0)
        slot->generation = 1;
    pool->count++;
    return (struct fray_handle){index, slot->generation};
}

void fray_id_pool_remove(struct fray_id_pool *pool, struct fray_handle handle)
{
    assert(fray_id_pool_get(pool, handle));
    struct fray_id_slot *slot = &pool->slots[handle.index];
    slot->object = NULL;
    if (++slot->generation == 0) /* a handle to what was here finds nothing from now on */
        slot->generation = 1;
    slot->next_free = pool->first_free;
    pool->first_free = handle.index + 1;
    pool->count--;
}
