#include "base/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void leads_back_to_its_number(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {0, 1, 63, 64, 0x12345678 & 0x3fffffff, 0x3fffffff};
    uint8_t random[FRAY_TOKEN_RANDOM] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char token[FRAY_TOKEN_LEN + 1];
        uint32_t number = 99;
        fray_token_make(token, numbers[i], random);
        assert_int_equal(strlen(token), FRAY_TOKEN_LEN);
        assert_true(fray_token_number(fray_slice_of(token), &number));
        assert_int_equal(number, numbers[i]);
    }
}

/* Each of the 90 bits that 15 characters hold changes the token. */
static void holds_90_random_bits(void **state)
{
    (void)state;
    char plain[FRAY_TOKEN_LEN + 1], token[FRAY_TOKEN_LEN + 1];
    uint8_t random[FRAY_TOKEN_RANDOM] = {0};
    fray_token_make(plain, 5, random);
    unsigned bits = 0;
    for (unsigned bit = 0; bit < FRAY_TOKEN_RANDOM * 8; bit++) {
        random[bit / 8] = (uint8_t)(1u << bit % 8);
        fray_token_make(token, 5, random);
        random[bit / 8] = 0;
        bits += strcmp(plain, token) != 0;
        assert_memory_equal(plain, token, 5);
    }
    assert_int_equal(bits, 90);
}

static void is_safe_in_urls_and_tells_what_is_no_token(void **state)
{
    (void)state;
    char token[FRAY_TOKEN_LEN + 1];
    uint8_t random[FRAY_TOKEN_RANDOM];
    memset(random, 0xff, sizeof random);
    fray_token_make(token, 0x3fffffff, random);
    assert_string_equal(token, "____________________");
    uint32_t number;
    assert_false(fray_token_number(fray_slice(token, FRAY_TOKEN_LEN - 1), &number));
    assert_false(fray_token_number((struct fray_slice){0}, &number));
    assert_false(fray_token_number(FRAY_SLICE("a+aaaaaaaaaaaaaaaaaa"), &number));
    assert_false(fray_token_number(FRAY_SLICE("a\0aaaaaaaaaaaaaaaaaa"), &number));
    assert_false(fray_token_number(FRAY_SLICE("a\xff"
                                              "aaaaaaaaaaaaaaaaaa"),
                                   &number));
}

static void equal_only_as_a_whole(void **state)
{
    (void)state;
    char token[FRAY_TOKEN_LEN + 1], other[FRAY_TOKEN_LEN + 1];
    uint8_t random[FRAY_TOKEN_RANDOM] = {7};
    fray_token_make(token, 3, random);
    assert_true(fray_token_equal(fray_slice_of(token), token));
    assert_false(fray_token_equal(fray_slice(token, FRAY_TOKEN_LEN - 1), token));
    assert_false(fray_token_equal((struct fray_slice){0}, token));
    for (size_t i = 0; i < FRAY_TOKEN_LEN; i++) {
        memcpy(other, token, sizeof other);
        other[i] = (char)(other[i] ^ 1);
        assert_false(fray_token_equal(fray_slice_of(other), token));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_back_to_its_number),
        cmocka_unit_test(holds_90_random_bits),
        cmocka_unit_test(is_safe_in_urls_and_tells_what_is_no_token),
        cmocka_unit_test(equal_only_as_a_whole),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
