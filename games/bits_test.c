/* Tests of bit streams: what was put is taken, bounds hold, codes are what docs/protocols.md says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bits.h"
#include "fray/game.h"

static void the_first_bit_is_the_lowest(void **unused)
{
    uint8_t bytes[2];
    struct fray_bits_writer out = fray_bits_writer(bytes, sizeof bytes);

    (void)unused;
    fray_bits_put(&out, 5, 3);
    fray_bits_put(&out, 300, 9);
    assert_int_equal(fray_bits_count(&out), 12);
    assert_int_equal(fray_bits_finish(&out), 2);
    assert_int_equal(bytes[0], 0x65);
    assert_int_equal(bytes[1], 0x09);
}

static void what_is_put_is_taken(void **unused)
{
    enum { VALUES = 3000 };
    static uint8_t bytes[VALUES * 12];
    struct fray_bits_writer out = fray_bits_writer(bytes, sizeof bytes);
    uint32_t random[4];

    (void)unused;
    fray_game_random_seed(random, 1);
    for (int i = 0; i < VALUES; i++) {
        uint32_t count = (uint32_t)fray_game_random_range(random, 0, 32);
        uint64_t value = fray_game_random(random) & (((uint64_t)1 << count) - 1);
        fray_bits_put(&out, value, count);
        fray_bits_put_golomb(&out, (uint32_t)value, count % 5);
    }
    size_t len = fray_bits_finish(&out);
    assert_true(len > 0);
    struct fray_bits_reader in = fray_bits_reader(bytes, len);
    fray_game_random_seed(random, 1);
    for (int i = 0; i < VALUES; i++) {
        uint32_t count = (uint32_t)fray_game_random_range(random, 0, 32);
        uint64_t value = fray_game_random(random) & (((uint64_t)1 << count) - 1);
        assert_int_equal(fray_bits_take(&in, count), value);
        size_t at = in.at;
        assert_int_equal(fray_bits_take_golomb(&in, count % 5), value);
        assert_int_equal(in.at - at, fray_bits_golomb_count((uint32_t)value, count % 5));
    }
    assert_true(fray_bits_is_done(&in));
}

static void long_runs_are_appended_at_any_place(void **unused)
{
    const uint64_t words[] = {0x0123456789abcdef, 0xfedcba9876543210, 0x1f};

    (void)unused;
    for (uint32_t before = 0; before < 64; before++) {
        uint8_t bytes[40];
        struct fray_bits_writer out = fray_bits_writer(bytes, sizeof bytes);
        for (uint32_t i = 0; i < before; i++)
            fray_bits_put(&out, i & 1, 1);
        fray_bits_append(&out, words, 133);
        assert_int_equal(fray_bits_finish(&out), (before + 133 + 7) / 8);
        struct fray_bits_reader in = fray_bits_reader(bytes, sizeof bytes);
        for (uint32_t i = 0; i < before; i++)
            assert_int_equal(fray_bits_take(&in, 1), i & 1);
        assert_int_equal(fray_bits_take(&in, 32), 0x89abcdef);
        assert_int_equal(fray_bits_take(&in, 32), 0x01234567);
        assert_int_equal(fray_bits_take(&in, 32), 0x76543210);
        assert_int_equal(fray_bits_take(&in, 32), 0xfedcba98);
        assert_int_equal(fray_bits_take(&in, 5), 0x1f);
    }
}

/* The only event of a game, without arguments, takes none. */
static void of_no_bits_no_word_is_read(void **unused)
{
    const uint64_t left_behind[] = {~(uint64_t)0};
    uint8_t bytes[8];
    struct fray_bits_writer out = fray_bits_writer(bytes, sizeof bytes);

    (void)unused;
    fray_bits_append(&out, NULL, 0);
    fray_bits_append(&out, left_behind, 0);
    fray_bits_put(&out, 0, 8);
    assert_int_equal(fray_bits_finish(&out), 1);
    assert_int_equal(bytes[0], 0);
}

static void golomb_codes_are_those_of_the_document(void **unused)
{
    const struct {
        uint32_t value, k, bits, count;
    } codes[] = {{0, 0, 0x1, 1}, {1, 0, 0x2, 3}, {2, 0, 0x6, 3}, {3, 0, 0x4, 5},
                 {0, 1, 0x1, 2}, {1, 1, 0x3, 2}, {2, 1, 0x2, 4}, {7, 2, 0x1a, 5}};

    (void)unused;
    for (size_t i = 0; i < FRAY_GAME_COUNT(codes); i++) {
        uint8_t bytes[4] = {0};
        struct fray_bits_writer out = fray_bits_writer(bytes, sizeof bytes);
        fray_bits_put_golomb(&out, codes[i].value, codes[i].k);
        assert_int_equal(fray_bits_count(&out), codes[i].count);
        fray_bits_finish(&out);
        assert_int_equal(bytes[0], codes[i].bits);
    }
}

/* Without a byte to spare on either side: sanitizers see a step beyond. */
static void bounds_hold(void **unused)
{
    (void)unused;
    for (size_t size = 0; size < 20; size++) {
        uint8_t *bytes = malloc(size + !size);
        for (uint32_t bits = 0; bits < 200; bits++) {
            struct fray_bits_writer out = fray_bits_writer(bytes, size);
            for (uint32_t i = 0; i < bits; i++)
                fray_bits_put(&out, 1, 1);
            size_t len = fray_bits_finish(&out);
            assert_int_equal(len, bits <= size * 8 ? (bits + 7) / 8 : 0);
            assert_int_equal(out.is_full, bits > size * 8);
        }
        memset(bytes, 0xff, size);
        struct fray_bits_reader in = fray_bits_reader(bytes, size);
        for (uint32_t i = 0; i < size * 8; i++)
            assert_int_equal(fray_bits_take(&in, 1), 1);
        assert_true(fray_bits_is_done(&in));
        assert_int_equal(fray_bits_take(&in, 1), 0);
        assert_true(in.is_bad);
        free(bytes);
    }
}

static void impossible_codes_are_refused(void **unused)
{
    uint8_t zeros[16] = {0}, huge[16] = {0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff};
    struct fray_bits_reader in = fray_bits_reader(zeros, sizeof zeros);

    (void)unused;
    assert_int_equal(fray_bits_take_golomb(&in, 0), 0);
    assert_true(in.is_bad);
    in = fray_bits_reader(huge, sizeof huge); /* 2^32 + 2^32 - 2 */
    assert_int_equal(fray_bits_take_golomb(&in, 0), 0);
    assert_true(in.is_bad);
    huge[5] = 0; /* n = 32, all low bits 0 : 2^32 - 1 */
    memset(huge + 5, 0, 4);
    in = fray_bits_reader(huge, sizeof huge);
    assert_int_equal(fray_bits_take_golomb(&in, 0), UINT32_MAX);
    assert_false(in.is_bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bit_is_the_lowest),
        cmocka_unit_test(what_is_put_is_taken),
        cmocka_unit_test(long_runs_are_appended_at_any_place),
        cmocka_unit_test(of_no_bits_no_word_is_read),
        cmocka_unit_test(golomb_codes_are_those_of_the_document),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(impossible_codes_are_refused),
    };
    return cmocka_run_group_tests_name("games_bits", tests, NULL, NULL);
}
