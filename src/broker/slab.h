/* Records of one size, addressed by 32-bit index: half a pointer in every link, and a table that
 * may move as it grows. Index 0 is no record. Pointers are good until the next take. One thread. */
#ifndef FRAY_BROKER_SLAB_H
#define FRAY_BROKER_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct fray_slab {
    char *records;
    uint32_t record_size; /* at least 4 */
    uint32_t used;        /* records ever handed out, index 0 included */
    uint32_t cap;
    uint32_t first_free;
    uint32_t count; /* records that are taken */
};

static inline void fray_slab_init(struct fray_slab *slab, size_t record_size)
{
    *slab = (struct fray_slab){.record_size = (uint32_t)record_size, .used = 1};
}

void fray_slab_deinit(struct fray_slab *slab);

uint32_t fray_slab_take(struct fray_slab *slab); /* a zeroed record */

/* The record is zeroed but for its first four bytes, which chain the free ones. */
void fray_slab_release(struct fray_slab *slab, uint32_t index);

static inline void *fray_slab_at(const struct fray_slab *slab, uint32_t index)
{
    return slab->records + (size_t)index * slab->record_size;
}

#endif
