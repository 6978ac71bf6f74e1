#include "base/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void cells_are_zeroed_apart_and_reused(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char *taken[COUNT];
    struct fray_cells cells = {0};
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + (i * 7 + round) % 700;
            taken[i] = fray_cells_take(&cells, size);
            assert_int_equal((uintptr_t)taken[i] % FRAY_CELL_GRAIN, 0);
            for (size_t b = 0; b < size; b++)
                assert_int_equal(taken[i][b], 0);
            memset(taken[i], (int)(i % 251) + 1, size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = 1 + (i * 7 + round) % 700;
            for (size_t b = 0; b < size; b++)
                assert_int_equal((unsigned char)taken[i][b], i % 251 + 1);
            fray_cells_give(&cells, taken[i], size);
        }
    }
    fray_cells_deinit(&cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_zeroed_apart_and_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
