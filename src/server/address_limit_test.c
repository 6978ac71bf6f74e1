#include "server/address_limit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fray_address address(const char *text)
{
    struct fray_address parsed;
    assert_int_equal(fray_address_parse(&parsed, fray_slice_of(text)), FRAY_OK);
    return parsed;
}

static void each_address_has_its_own_count(void **state)
{
    (void)state;
    struct fray_address a = address("10.0.0.1:1"), again = address("10.0.0.1:2"),
                        b = address("[::1]:1");
    struct fray_address_limit limit;
    fray_address_limit_init(&limit, 2, (struct fray_hash_key){1, 2});
    assert_true(fray_address_limit_enter(&limit, &a));
    assert_true(fray_address_limit_enter(&limit, &again));
    assert_false(fray_address_limit_enter(&limit, &a));
    assert_true(fray_address_limit_enter(&limit, &b));
    fray_address_limit_leave(&limit, &again);
    assert_true(fray_address_limit_enter(&limit, &a));
    assert_false(fray_address_limit_enter(&limit, &a));
    for (int i = 0; i < 2; i++)
        fray_address_limit_leave(&limit, &a);
    fray_address_limit_leave(&limit, &b);
    assert_int_equal(limit.counts.count, 0);
    fray_address_limit_deinit(&limit);
}

static void no_limit_counts_nothing(void **state)
{
    (void)state;
    struct fray_address a = address("10.0.0.1:1");
    struct fray_address_limit limit;
    fray_address_limit_init(&limit, 0, (struct fray_hash_key){1, 2});
    for (int i = 0; i < 1000; i++)
        assert_true(fray_address_limit_enter(&limit, &a));
    assert_int_equal(limit.counts.count, 0);
    fray_address_limit_leave(&limit, &a);
    fray_address_limit_deinit(&limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own_count),
        cmocka_unit_test(no_limit_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
