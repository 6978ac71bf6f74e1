#include "base/name_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"

static void empty(void **state)
{
    (void)state;
    struct fray_name_map map = {0};
    assert_null(fray_name_map_get(&map, FRAY_SLICE("a")));
    assert_null(fray_name_map_remove(&map, FRAY_SLICE("a")));
    int object;
    fray_name_map_add(&map, (struct fray_slice){0}, &object); /* an empty name is a name */
    assert_ptr_equal(fray_name_map_get(&map, FRAY_SLICE("")), &object);
    assert_null(fray_name_map_get(&map, FRAY_SLICE("a")));
    assert_ptr_equal(fray_name_map_remove(&map, FRAY_SLICE("")), &object);
    assert_null(fray_name_map_get(&map, FRAY_SLICE("")));
    fray_name_map_deinit(&map);
}

/* At most 3/4 full, and every entry is found without passing a free one: what removal must keep. */
static void check_shape(const struct fray_name_map *map)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < map->cap; i++) {
        const struct fray_name_entry *entry = &map->entries[i];
        if (!entry->object)
            continue;
        held++;
        for (uint32_t at = (uint32_t)entry->hash & (map->cap - 1); at != i;
             at = (at + 1) & (map->cap - 1))
            assert_non_null(map->entries[at].object);
    }
    assert_int_equal(held, map->count);
    assert_true(map->count <= map->cap / 4 * 3);
}

/* Few entries in a small table wrap around its end; many make it grow. */
static void agrees_with_a_list(unsigned names_count, uint64_t seed)
{
    enum { NAMES_MAX = 200 };
    static char names[NAMES_MAX][16];
    bool held[NAMES_MAX] = {0};
    struct fray_rng rng;
    fray_rng_init(&rng, seed);
    struct fray_name_map map = {.key = {fray_rng_next(&rng), seed}};
    for (unsigned i = 0; i < names_count; i++)
        snprintf(names[i], sizeof names[i], "n%u", i);
    for (unsigned step = 0; step < 2000; step++) {
        unsigned i = (unsigned)fray_rng_below(&rng, names_count);
        struct fray_slice name = fray_slice_of(names[i]);
        assert_ptr_equal(fray_name_map_get(&map, name), held[i] ? names[i] : NULL);
        if (!held[i])
            fray_name_map_add(&map, name, names[i]);
        else
            assert_ptr_equal(fray_name_map_remove(&map, name), names[i]);
        held[i] = !held[i];
        check_shape(&map);
    }
    for (unsigned i = 0; i < names_count; i++)
        assert_ptr_equal(fray_name_map_get(&map, fray_slice_of(names[i])),
                         held[i] ? names[i] : NULL);
    fray_name_map_deinit(&map);
}

static void adds_and_removes_as_a_list_would(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++)
        agrees_with_a_list(9, seed);
    agrees_with_a_list(200, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(adds_and_removes_as_a_list_would),
    };
    return cmocka_run_group_tests_name("name_map", tests, NULL, NULL);
}
