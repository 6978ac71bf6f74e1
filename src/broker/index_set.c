#include "broker/index_set.h"

#include <assert.h>

#include "base/mem.h"

enum { CAP_MIN = 16 };

void fray_index_set_deinit(struct fray_index_set *set)
{
    free(set->slots);
    *set = (struct fray_index_set){0};
}

static void place(struct fray_index_set *set, struct fray_index_slot slot)
{
    uint32_t at = slot.hash & (set->cap - 1);
    while (set->slots[at].index)
        at = (at + 1) & (set->cap - 1);
    set->slots[at] = slot;
}

static void grow(struct fray_index_set *set)
{
    struct fray_index_set old = *set;
    assert(old.cap <= UINT32_MAX / 4);
    set->cap = old.cap ? old.cap * 2 : CAP_MIN;
    set->slots = fray_alloc_zero((size_t)set->cap * sizeof *set->slots);
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.slots[i].index)
            place(set, old.slots[i]);
    }
    free(old.slots);
}

void fray_index_set_add(struct fray_index_set *set, uint32_t hash, uint32_t index)
{
    assert(index);
    if (set->count >= set->cap - set->cap / 8)
        grow(set);
    place(set, (struct fray_index_slot){hash, index});
    set->count++;
}

/* Moves later slots of the run back over the gap, as far as their home allows (Knuth, vol. 3, 6.4,
 * algorithm R). */
static void close_gap(struct fray_index_set *set, uint32_t gap)
{
    uint32_t mask = set->cap - 1;
    for (uint32_t at = (gap + 1) & mask; set->slots[at].index; at = (at + 1) & mask) {
        uint32_t home = set->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            set->slots[gap] = set->slots[at];
            gap = at;
        }
    }
    set->slots[gap] = (struct fray_index_slot){0};
}

void fray_index_set_remove(struct fray_index_set *set, uint32_t hash, uint32_t index)
{
    assert(set->cap);
    uint32_t at = hash & (set->cap - 1);
    while (set->slots[at].index != index) {
        assert(set->slots[at].index);
        at = (at + 1) & (set->cap - 1);
    }
    close_gap(set, at);
    set->count--;
}
