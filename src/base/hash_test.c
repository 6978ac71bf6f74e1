#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* The key 00 01 … 0f and the inputs 00 01 …, as in the vectors of the reference implementation. */
static void agrees_with_siphash_1_3(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
        {16, 0xcc4fdd1a7d908b66}, {63, 0x9d199062b7bbb3a8},
    };
    struct fray_hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_true(fray_hash(key, fray_slice(bytes, vectors[i].len)) == vectors[i].hash);
}

/* With a key of zeros it is what CPython's hash() is since 3.11 when PYTHONHASHSEED is 0. */
static void agrees_with_cpython(void **state)
{
    (void)state;
    struct fray_hash_key zero = {0};
    assert_true(fray_hash(zero, FRAY_SLICE("a")) == 0x407448d2b89b1813);
    assert_true(fray_hash(zero, FRAY_SLICE("abcdefgh")) == 0x3f7b849c0b8e35ea);
    assert_true(fray_hash(zero, FRAY_SLICE("fray room 1234567890")) == 0x6f76f406bba164dd);
}

static void depends_on_the_key_and_not_on_alignment(void **state)
{
    (void)state;
    char text[32] = "xxxxxxxxxx a room by the sea", moved[32];
    struct fray_hash_key key = {1, 2}, other = {1, 3};
    for (size_t at = 0; at < 8; at++) {
        memcpy(moved + at, text, 20);
        assert_true(fray_hash(key, fray_slice(moved + at, 20)) ==
                    fray_hash(key, fray_slice(text, 20)));
    }
    assert_false(fray_hash(key, fray_slice(text, 20)) == fray_hash(other, fray_slice(text, 20)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_siphash_1_3),
        cmocka_unit_test(agrees_with_cpython),
        cmocka_unit_test(depends_on_the_key_and_not_on_alignment),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
