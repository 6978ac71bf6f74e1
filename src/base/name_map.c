#include "base/name_map.h"

#include <assert.h>

#include "base/mem.h"

enum { MAP_CAP_MIN = 8 };

void fray_name_map_deinit(struct fray_name_map *map)
{
    free(map->entries);
    map->entries = NULL;
    map->count = map->cap = 0;
}

/* The entry of that name, or the free one where it would go. The map has free entries. */
static struct fray_name_entry *locate(const struct fray_name_map *map, uint64_t hash,
                                      struct fray_slice name)
{
    for (uint32_t at = (uint32_t)hash;; at++) {
        struct fray_name_entry *entry = &map->entries[at & (map->cap - 1)];
        if (!entry->object || (entry->hash == hash && fray_slice_equal(entry->name, name)))
            return entry;
    }
}

void *fray_name_map_get(const struct fray_name_map *map, struct fray_slice name)
{
    return map->count ? locate(map, fray_hash(map->key, name), name)->object : NULL;
}

static void grow(struct fray_name_map *map)
{
    struct fray_name_map bigger = {.cap = map->cap ? map->cap * 2 : MAP_CAP_MIN, .key = map->key};
    bigger.entries = fray_alloc_zero(bigger.cap * sizeof *bigger.entries);
    for (uint32_t i = 0; i < map->cap; i++) {
        const struct fray_name_entry *entry = &map->entries[i];
        if (entry->object)
            *locate(&bigger, entry->hash, entry->name) = *entry;
    }
    bigger.count = map->count;
    free(map->entries);
    *map = bigger;
}

void fray_name_map_add(struct fray_name_map *map, struct fray_slice name, void *object)
{
    if (map->count >= map->cap / 4 * 3)
        grow(map);
    uint64_t hash = fray_hash(map->key, name);
    struct fray_name_entry *entry = locate(map, hash, name);
    assert(object && !entry->object);
    *entry = (struct fray_name_entry){hash, name, object};
    map->count++;
}

void *fray_name_map_remove(struct fray_name_map *map, struct fray_slice name)
{
    if (!map->count)
        return NULL;
    struct fray_name_entry *entry = locate(map, fray_hash(map->key, name), name);
    void *object = entry->object;
    if (!object)
        return NULL;
    /* Close the gap: move back whatever would no longer be found behind it. */
    uint32_t mask = map->cap - 1, gap = (uint32_t)(entry - map->entries);
    for (uint32_t at = (gap + 1) & mask; map->entries[at].object; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)map->entries[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->entries[gap] = map->entries[at];
            gap = at;
        }
    }
    map->entries[gap].object = NULL;
    map->count--;
    return object;
}
