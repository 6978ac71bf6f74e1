#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/game.h"

struct row {
    int32_t x;
    uint32_t u32;
    int16_t low[3];
    uint16_t u16;
    int8_t i8;
    uint8_t u8;
    uint8_t rest[2];
};

#define ROW(F, T)                                                                                  \
    F(T, x, .bits = 32, .min = -5, .max = 100)                                                     \
    F(T, u32, .bits = 32)                                                                          \
    F(T, low, .bits = 16)                                                                          \
    F(T, u16, .bits = 16)                                                                          \
    F(T, i8, .bits = 8, .min = -1, .max = 1) F(T, u8, .bits = 8) F(T, rest, .bits = 8)
FRAY_GAME_FIELDS(row_fields, struct row, ROW);

struct state {
    uint32_t tick;
    struct row rows[4];
};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("rows", struct state, rows, row_fields, 4, 0)};
static const struct fray_game_table input = FRAY_GAME_INPUT(struct row, row_fields);
static const struct fray_game game = {.tables = tables, .tables_count = 1, .input = &input};

static void every_type_is_read_as_it_was_written(void **unused)
{
    const struct row wanted = {-7, 0xfffffff0, {1, -2, 3}, 65535, -128, 255, {0, 9}};
    const int64_t values[][3] = {{-7}, {0xfffffff0}, {1, -2, 3}, {65535}, {-128}, {255}, {0, 9}};
    struct row row = {0};
    (void)unused;
    for (uint32_t f = 0; f < FRAY_GAME_COUNT(row_fields); f++)
        for (uint32_t i = 0; i < row_fields[f].count; i++) {
            fray_game_write(&row_fields[f], &row, i, values[f][i]);
            assert_int_equal(fray_game_read(&row_fields[f], &row, i), values[f][i]);
        }
    assert_memory_equal(&row, &wanted, sizeof row);
}

static void values_are_found_by_name(void **unused)
{
    struct state state = {.rows[2] = {.x = -7, .low = {4, 5, 6}}};
    (void)unused;
    assert_int_equal(fray_game_get(&game, &state, "rows", 2, "x"), -7);
    assert_int_equal(fray_game_get(&game, &state, "rows", 2, "low"), 4);
    assert_int_equal(fray_game_get(&game, &state, "rows", 1, "x"), 0);
    assert_int_equal(fray_game_get(&game, &state, "rows", 4, "x"), 0); /* there is none */
    assert_int_equal(fray_game_get(&game, &state, "rows", 2, "lo"), 0);
    assert_int_equal(fray_game_get(&game, &state, "row", 2, "x"), 0);
    assert_null(fray_game_table(&game, "rowss"));
    assert_null(fray_game_field(NULL, "x"));
    assert_ptr_equal(fray_game_field(fray_game_table(&game, "rows"), "u16"), &row_fields[3]);
}

static void a_value_that_its_bits_cannot_hold_is_found(void **unused)
{
    struct game_and_fields {
        struct fray_game_field fields[FRAY_GAME_COUNT(row_fields)];
        struct fray_game_table table;
    } small;
    struct fray_game own = game;
    struct state state = {.rows[2] = {.x = -8, .low = {1, -2, 3}}};
    struct fray_game_misfit misfit;
    (void)unused;
    memcpy(small.fields, row_fields, sizeof row_fields);
    small.table = tables[0];
    small.table.fields = small.fields;
    own.tables = &small.table;
    assert_false(fray_game_find_misfit(&own, &state, &misfit));
    small.fields[0].bits = 4; /* x: -8 … 7 */
    small.fields[2].bits = 3; /* low: -4 … 3 */
    assert_false(fray_game_find_misfit(&own, &state, &misfit));
    state.rows[2].low[1] = 4;
    assert_true(fray_game_find_misfit(&own, &state, &misfit));
    assert_string_equal(misfit.field->name, "low");
    assert_int_equal(misfit.row, 2);
    assert_int_equal(misfit.value, 4);
    state.rows[1].x = -9;
    assert_true(fray_game_find_misfit(&own, &state, &misfit));
    assert_string_equal(misfit.field->name, "x");
    assert_int_equal(misfit.row, 1);
}

static void a_value_out_of_its_range_is_found(void **unused)
{
    struct row row = {.x = 100, .i8 = -1};
    struct fray_game_misfit misfit;
    (void)unused;
    assert_false(fray_game_find_out_of_range(&game, &row, &misfit));
    row.low[2] = 7; /* no range is 0 to 0 */
    assert_true(fray_game_find_out_of_range(&game, &row, &misfit));
    assert_string_equal(misfit.field->name, "low");
    assert_int_equal(misfit.value, 7);
    row.x = -6;
    assert_true(fray_game_find_out_of_range(&game, &row, &misfit));
    assert_string_equal(misfit.field->name, "x");
    assert_int_equal(misfit.value, -6);
}

static void inputs_are_brought_into_their_range(void **unused)
{
    struct row row = {0};
    (void)unused;
    assert_true(fray_game_set_input(&game, &row, "x", 1000000));
    assert_int_equal(row.x, 100);
    assert_true(fray_game_set_input(&game, &row, "i8", -4));
    assert_int_equal(row.i8, -1);
    assert_false(fray_game_set_input(&game, &row, "fly", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_as_it_was_written),
        cmocka_unit_test(values_are_found_by_name),
        cmocka_unit_test(a_value_that_its_bits_cannot_hold_is_found),
        cmocka_unit_test(a_value_out_of_its_range_is_found),
        cmocka_unit_test(inputs_are_brought_into_their_range),
    };
    return cmocka_run_group_tests_name("fields by name", tests, NULL, NULL);
}
