#include "base/id_pool.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/rng.h"

static void nothing_is_named_by_the_null_handle(void **state)
{
    (void)state;
    struct fray_id_pool pool = {0};
    struct fray_handle none = {0};
    int object;
    assert_null(fray_id_pool_get(&pool, none));
    struct fray_handle handle = fray_id_pool_add(&pool, &object);
    assert_int_equal(handle.index, 0);
    assert_int_not_equal(handle.generation, 0);
    assert_null(fray_id_pool_get(&pool, none));
    assert_ptr_equal(fray_id_pool_get(&pool, handle), &object);
    fray_id_pool_remove(&pool, handle);
    assert_null(fray_id_pool_get(&pool, none));
    fray_id_pool_deinit(&pool);
}

static void a_handle_outlives_its_object(void **state)
{
    (void)state;
    struct fray_id_pool pool = {0};
    int first, second;
    struct fray_handle old = fray_id_pool_add(&pool, &first);
    fray_id_pool_remove(&pool, old);
    assert_null(fray_id_pool_get(&pool, old));
    struct fray_handle new = fray_id_pool_add(&pool, &second);
    assert_int_equal(new.index, old.index);
    assert_false(fray_handle_equal(new, old));
    assert_null(fray_id_pool_get(&pool, old));
    fray_id_pool_deinit(&pool);
}

static void a_generation_that_wraps_is_never_null(void **state)
{
    (void)state;
    struct fray_id_pool pool = {0};
    int object;
    struct fray_handle handle = fray_id_pool_add(&pool, &object);
    pool.generations[0] = handle.generation = UINT32_MAX;
    fray_id_pool_remove(&pool, handle);
    assert_null(fray_id_pool_get(&pool, (struct fray_handle){0, 0}));
    for (int i = 0; i < 3; i++) {
        handle = fray_id_pool_add(&pool, &object);
        assert_int_not_equal(handle.generation, 0);
        assert_ptr_equal(fray_id_pool_get(&pool, handle), &object);
        fray_id_pool_remove(&pool, handle);
    }
    fray_id_pool_deinit(&pool);
}

/* Against a list of all handles ever given. */
static void agrees_with_a_list(void **state)
{
    (void)state;
    enum { STEPS = 5000 };
    static struct fray_handle handles[STEPS];
    static uint64_t objects[STEPS];
    static unsigned live[STEPS];
    unsigned given = 0, live_count = 0;
    struct fray_id_pool pool = {0};
    struct fray_rng rng;
    fray_rng_init(&rng, 11);
    for (unsigned step = 0; step < STEPS; step++) {
        bool shrinks = step / 1000 % 2;
        if (!live_count || fray_rng_chance(&rng, shrinks ? 300 : 700)) {
            handles[given] = fray_id_pool_add(&pool, &objects[given]);
            live[live_count++] = given++;
        } else {
            unsigned at = (unsigned)fray_rng_below(&rng, live_count);
            fray_id_pool_remove(&pool, handles[live[at]]);
            live[at] = live[--live_count];
        }
        assert_int_equal(pool.count, live_count);
        unsigned probe = (unsigned)fray_rng_below(&rng, given);
        bool is_live = false;
        for (unsigned i = 0; i < live_count; i++)
            is_live |= live[i] == probe;
        assert_ptr_equal(fray_id_pool_get(&pool, handles[probe]), is_live ? &objects[probe] : NULL);
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < pool.used; i++)
        seen += fray_id_pool_at(&pool, i) != NULL;
    assert_int_equal(seen, live_count);
    fray_id_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_named_by_the_null_handle),
        cmocka_unit_test(a_handle_outlives_its_object),
        cmocka_unit_test(a_generation_that_wraps_is_never_null),
        cmocka_unit_test(agrees_with_a_list),
    };
    return cmocka_run_group_tests_name("id_pool", tests, NULL, NULL);
}
