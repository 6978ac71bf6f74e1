#include "broker/slab.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { CAP_MIN = 16 };

void fray_slab_deinit(struct fray_slab *slab)
{
    free(slab->records);
    fray_slab_init(slab, slab->record_size);
}

static void grow(struct fray_slab *slab)
{
    assert(slab->cap < UINT32_MAX / 2);
    slab->cap = slab->cap ? slab->cap * 2 : CAP_MIN;
    slab->records = fray_realloc(slab->records, (size_t)slab->cap * slab->record_size);
}

uint32_t fray_slab_take(struct fray_slab *slab)
{
    uint32_t index = slab->first_free;
    if (index)
        memcpy(&slab->first_free, fray_slab_at(slab, index), sizeof slab->first_free);
    else {
        if (slab->used >= slab->cap)
            grow(slab);
        index = slab->used++;
    }
    memset(fray_slab_at(slab, index), 0, slab->record_size);
    slab->count++;
    return index;
}

void fray_slab_release(struct fray_slab *slab, uint32_t index)
{
    assert(index && index < slab->used);
    char *record = fray_slab_at(slab, index);
    memset(record, 0, slab->record_size);
    memcpy(record, &slab->first_free, sizeof slab->first_free);
    slab->first_free = index;
    slab->count--;
}
