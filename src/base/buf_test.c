/* Tests of buf, slice and mem: the bytes that everything else is made of. */
#include "base/buf.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"

static void empty_holds_no_memory(void **state)
{
    (void)state;
    struct fray_buf buf = {0};
    fray_buf_append(&buf, NULL, 0);
    fray_buf_append_slice(&buf, (struct fray_slice){0});
    fray_buf_consume(&buf, 0);
    assert_null(buf.data);
    assert_int_equal(fray_buf_slice(&buf).len, 0);
    fray_buf_append_byte(&buf, 'x');
    fray_buf_deinit(&buf);
    assert_null(buf.data);
    FRAY_BUF_LITERAL(&buf, "again");
    assert_true(fray_slice_equal(fray_buf_slice(&buf), FRAY_SLICE("again")));
    fray_buf_deinit(&buf);
    fray_buf_deinit(&buf);
}

static void writes_numbers_and_formats(void **state)
{
    (void)state;
    struct fray_buf buf = {0};
    fray_buf_append_uint(&buf, 0);
    fray_buf_append_byte(&buf, ' ');
    fray_buf_append_uint(&buf, UINT64_MAX);
    fray_buf_printf(&buf, " %s=%d", "n", -7);
    fray_buf_printf(&buf, "%s", "");
    assert_true(fray_slice_equal(fray_buf_slice(&buf), FRAY_SLICE("0 18446744073709551615 n=-7")));
    buf.len = 0;
    fray_buf_printf(&buf, "%0*d", 1000, 7);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(buf.data[999], '7');
    fray_buf_deinit(&buf);
}

/* A reservation is not yet content, and what is committed stays in place. */
static void reserves(void **state)
{
    (void)state;
    struct fray_buf buf = {0};
    for (size_t extra = 0; extra < 300; extra++) {
        char *at = fray_buf_reserve(&buf, extra);
        assert_ptr_equal(at, buf.data + buf.len);
        assert_true(buf.cap - buf.len >= extra);
        memset(at, (int)extra, extra);
        size_t len = buf.len;
        buf.len += extra;
        if (len)
            assert_int_equal((unsigned char)buf.data[len - 1], (unsigned char)(extra - 1));
    }
    fray_buf_deinit(&buf);
}

static void appends_and_consumes_as_a_string_would(void **state)
{
    (void)state;
    static char model[100000];
    size_t first = 0, last = 0;
    struct fray_buf buf = {0};
    struct fray_rng rng;
    fray_rng_init(&rng, 3);
    while (last < sizeof model - 100) {
        size_t len = (size_t)fray_rng_below(&rng, 100);
        for (size_t i = 0; i < len; i++)
            model[last + i] = (char)fray_rng_next(&rng);
        fray_buf_append(&buf, model + last, len);
        last += len;
        size_t gone = (size_t)fray_rng_below(&rng, last - first + 1);
        if (fray_rng_chance(&rng, 300)) {
            fray_buf_consume(&buf, gone);
            first += gone;
        }
        assert_true(
            fray_slice_equal(fray_buf_slice(&buf), fray_slice(model + first, last - first)));
    }
    fray_buf_deinit(&buf);
}

static void slices_compare_by_content(void **state)
{
    (void)state;
    struct fray_slice none = {0};
    assert_true(fray_slice_equal(none, FRAY_SLICE("")));
    assert_false(fray_slice_equal(FRAY_SLICE("a"), none));
    assert_true(fray_slice_equal(FRAY_SLICE("a\0b"), fray_slice("a\0b", 3)));
    assert_false(fray_slice_equal(FRAY_SLICE("a\0b"), FRAY_SLICE("a\0c")));
    assert_true(fray_slice_starts(FRAY_SLICE("abc"), FRAY_SLICE("ab")));
    assert_true(fray_slice_starts(FRAY_SLICE("abc"), none));
    assert_false(fray_slice_starts(FRAY_SLICE("ab"), FRAY_SLICE("abc")));
    assert_int_equal(fray_slice_of(NULL).len, 0);
    assert_true(fray_slice_equal(fray_slice_skip(FRAY_SLICE("abc"), 1), FRAY_SLICE("bc")));
    assert_int_equal(fray_slice_skip(FRAY_SLICE("abc"), 3).len, 0);
}

static void allocations_of_nothing_are_something(void **state)
{
    (void)state;
    free(fray_alloc(0));
    char *zero = fray_alloc_zero(16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(zero[i], 0);
    zero = fray_realloc(zero, 0);
    free(zero);
    char *copy = fray_strndup("abcdef", 3);
    assert_string_equal(copy, "abc");
    free(copy);
    copy = fray_strndup(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_holds_no_memory),
        cmocka_unit_test(writes_numbers_and_formats),
        cmocka_unit_test(reserves),
        cmocka_unit_test(appends_and_consumes_as_a_string_would),
        cmocka_unit_test(slices_compare_by_content),
        cmocka_unit_test(allocations_of_nothing_are_something),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
