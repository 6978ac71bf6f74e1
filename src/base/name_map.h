/* A table from names to objects. The name's bytes belong to the object and live as long as its
 * entry. Open addressing, at most 3/4 full, no tombstones. One thread. Pure. */
#ifndef FRAY_BASE_NAME_MAP_H
#define FRAY_BASE_NAME_MAP_H

#include "base/hash.h"

struct fray_name_entry {
    uint64_t hash;
    struct fray_slice name;
    void *object; /* NULL: free */
};

/* Zero-initialised is empty; set `key` to something unpredictable before the first entry where
 * peers choose names. */
struct fray_name_map {
    struct fray_name_entry *entries;
    uint32_t count, cap; /* cap: 0 or a power of two */
    struct fray_hash_key key;
};

void fray_name_map_deinit(struct fray_name_map *map);
void *fray_name_map_get(const struct fray_name_map *map, struct fray_slice name); /* NULL: none */
/* The name must not be in the map; object must not be NULL. */
void fray_name_map_add(struct fray_name_map *map, struct fray_slice name, void *object);
void *fray_name_map_remove(struct fray_name_map *map,
                           struct fray_slice name); /* what was there; NULL */

#endif
