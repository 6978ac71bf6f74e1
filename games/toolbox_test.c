/* Tests of the integer tools that rules share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fray/game.h"

static void square_roots_are_floors(void **unused)
{
    const uint64_t edges[] = {0,
                              1,
                              2,
                              3,
                              4,
                              0xffffffff,
                              0x100000000,
                              UINT64_MAX,
                              UINT64_MAX - 1,
                              (uint64_t)0xffffffff * 0xffffffff,
                              (uint64_t)0xffffffff * 0xffffffff - 1};
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 1);
    for (uint64_t i = 0; i < 20000 + FRAY_GAME_COUNT(edges); i++) {
        uint64_t value = i;
        if (i >= 10000)
            value =
                ((uint64_t)fray_game_random(random) << 32 | fray_game_random(random)) >> (i % 64);
        if (i >= 20000)
            value = edges[i - 20000];
        uint64_t root = fray_game_sqrt(value);
        assert_true(root * root <= value);
        assert_true(root == 0xffffffff || (root + 1) * (root + 1) > value);
    }
}

static void scaling_keeps_direction_and_length(void **unused)
{
    uint32_t random[4];
    int32_t x = 0, y = 0;

    (void)unused;
    fray_game_scale(&x, &y, 1000);
    assert_int_equal(x, 0);
    assert_int_equal(y, 0);
    x = 3;
    y = -4;
    fray_game_scale(&x, &y, 5000);
    assert_int_equal(x, 3000);
    assert_int_equal(y, -4000);
    fray_game_random_seed(random, 2);
    for (int i = 0; i < 20000; i++) {
        const int32_t most = (1 << 24) - 1;
        int32_t from_x = fray_game_random_range(random, -most, most) >> (i % 24);
        int32_t from_y = fray_game_random_range(random, -most, most) >> (i % 24);
        x = from_x;
        y = from_y;
        fray_game_scale(&x, &y, 1280);
        if (from_x == 0 && from_y == 0)
            continue;
        assert_in_range(fray_game_sqrt((uint64_t)((int64_t)x * x + (int64_t)y * y)), 1260, 1281);
        if (abs(from_x) + abs(from_y) > 100)
            assert_in_range(fray_game_sqrt((uint64_t)((int64_t)x * x + (int64_t)y * y)), 1278,
                            1281);
        assert_true(llabs((int64_t)x * from_y - (int64_t)y * from_x) <=
                    2 * (llabs(from_x) + llabs(from_y)));
    }
}

/* The first numbers of xoshiro128** from the state 1, 2, 3, 4, worked out by hand from its
 * definition. */
static void random_numbers_are_xoshiro128starstar(void **unused)
{
    uint32_t random[4] = {1, 2, 3, 4}, again[4] = {1, 2, 3, 4}, zero[4] = {0};

    (void)unused;
    assert_int_equal(fray_game_random(random), 11520); /* rotl(2 × 5, 7) × 9 */
    assert_int_equal(random[0], 1 ^ (4 ^ 2));          /* s3 ^= s1, then s0 ^= s3 */
    assert_int_equal(random[1], 2 ^ (3 ^ 1));          /* s2 ^= s0, then s1 ^= s2: 0 */
    assert_int_equal(random[2], (3 ^ 1) ^ 2 << 9);
    assert_int_equal(random[3], (uint32_t)(4 ^ 2) << 11);
    assert_int_equal(fray_game_random(random), 0);
    assert_int_equal(fray_game_random(again), 11520);
    assert_int_equal(fray_game_random(zero), 0);
    fray_game_random_seed(zero, 0);
    assert_true(zero[0] | zero[1] | zero[2] | zero[3]);
}

static void ranges_are_even_and_inclusive(void **unused)
{
    uint32_t random[4];
    int counts[7] = {0};

    (void)unused;
    fray_game_random_seed(random, 3);
    for (int i = 0; i < 70000; i++)
        counts[fray_game_random_range(random, -3, 3) + 3]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(fray_game_random_range(random, 5, 5), 5);
        (void)fray_game_random_range(random, INT32_MIN, INT32_MAX);
    }
}

static void what_never_comes_has_not_come(void **unused)
{
    (void)unused;
    assert_false(fray_game_has_come(5, 4));
    assert_true(fray_game_has_come(5, 5));
    assert_true(fray_game_has_come(0, 0));
    assert_true(fray_game_has_come(FRAY_GAME_NEVER + 1u, UINT32_MAX));
    assert_false(fray_game_has_come(FRAY_GAME_NEVER, FRAY_GAME_NEVER));
    assert_false(fray_game_has_come(FRAY_GAME_NEVER, UINT32_MAX));
}

static void hashes_are_fnv_1a(void **unused)
{
    (void)unused;
    assert_true(fray_game_hash(FRAY_GAME_HASH_START, "", 0) == 0xcbf29ce484222325u);
    assert_true(fray_game_hash(FRAY_GAME_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(fray_game_hash(FRAY_GAME_HASH_START, "foobar", 6) == 0x85944171f73967e8u);
}

static void events_beyond_the_room_are_counted(void **unused)
{
    struct fray_game_event items[2];
    struct fray_game_events events = {.items = items, .max = 2};

    (void)unused;
    for (uint8_t i = 0; i < 5; i++)
        fray_game_emit(&events, (struct fray_game_event){.kind = i});
    assert_int_equal(events.count, 2);
    assert_int_equal(events.dropped, 3);
    assert_int_equal(items[1].kind, 1);
    fray_game_emit(NULL, (struct fray_game_event){.kind = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(square_roots_are_floors),
        cmocka_unit_test(scaling_keeps_direction_and_length),
        cmocka_unit_test(random_numbers_are_xoshiro128starstar),
        cmocka_unit_test(ranges_are_even_and_inclusive),
        cmocka_unit_test(what_never_comes_has_not_come),
        cmocka_unit_test(hashes_are_fnv_1a),
        cmocka_unit_test(events_beyond_the_room_are_counted),
    };
    return cmocka_run_group_tests_name("games_toolbox", tests, NULL, NULL);
}
