#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* xoshiro256** from the state {1, 2, 3, 4}: the values that the authors' C code gives. */
static void agrees_with_the_reference(void **state)
{
    (void)state;
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    struct fray_rng rng = {{1, 2, 3, 4}};
    for (unsigned i = 0; i < 4; i++)
        assert_true(fray_rng_next(&rng) == expected[i]);
    fray_rng_init(&rng, 0); /* splitmix64's first value from 0 */
    assert_true(rng.state[0] == UINT64_C(0xe220a8397b1dcdaf));
}

static void a_seed_repeats(void **state)
{
    (void)state;
    struct fray_rng a, b, other;
    fray_rng_init(&a, 7);
    fray_rng_init(&b, 7);
    fray_rng_init(&other, 8);
    unsigned equal_to_other = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t value = fray_rng_next(&a);
        assert_true(value == fray_rng_next(&b));
        equal_to_other += value == fray_rng_next(&other);
    }
    assert_int_equal(equal_to_other, 0);
}

static void stays_in_range_and_reaches_all(void **state)
{
    (void)state;
    struct fray_rng rng;
    fray_rng_init(&rng, 1);
    unsigned seen[10] = {0};
    for (unsigned i = 0; i < 10000; i++) {
        seen[fray_rng_below(&rng, 10)]++;
        int64_t value = fray_rng_between(&rng, -3, 3);
        assert_true(value >= -3 && value <= 3);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(fray_rng_below(&rng, 0), 0);
    assert_int_equal(fray_rng_below(&rng, 1), 0);
    assert_int_equal(fray_rng_between(&rng, 5, 5), 5);
    for (unsigned i = 0; i < 100; i++)
        assert_true(fray_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
    fray_rng_between(&rng, INT64_MIN, INT64_MAX);
}

static void chances(void **state)
{
    (void)state;
    struct fray_rng rng;
    fray_rng_init(&rng, 2);
    unsigned happened = 0;
    for (unsigned i = 0; i < 100000; i++) {
        happened += fray_rng_chance(&rng, 20);
        assert_false(fray_rng_chance(&rng, 0));
        assert_true(fray_rng_chance(&rng, 1000));
    }
    assert_in_range(happened, 1800, 2200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test(stays_in_range_and_reaches_all),
        cmocka_unit_test(chances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
