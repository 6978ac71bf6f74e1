#include "base/clean_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"

static void assert_clean(const char *text, size_t max_chars, bool keeps_newlines, const char *want)
{
    struct fray_buf out = {0};
    size_t len = strlen(text);
    char *copy = fray_alloc(len ? len : 1); /* ends where its allocation ends */
    memcpy(copy, text, len);
    fray_clean_text(&out, fray_slice(copy, len),
                    &(struct fray_clean_options){max_chars, keeps_newlines});
    fray_buf_append_byte(&out, '\0');
    assert_string_equal(out.data, want);
    free(copy);
    fray_buf_deinit(&out);
}

static void what_is_fit_stays(void **unused)
{
    (void)unused;
    assert_clean("Zoë", 32, false, "Zoë");
    assert_clean("てすと Я 😀", 32, false, "てすと Я 😀");
    assert_clean("👩\u200d🚀", 32, false, "👩\u200d🚀"); /* one emoji, joined */
    assert_clean("", 32, false, "");
}

static void control_characters_go(void **unused)
{
    (void)unused;
    assert_clean("a\x01\x1b[31mb\x7f\xc2\x85"
                 "c",
                 32, false, "a[31mb c");
    assert_clean("Ann\u202egnp.exe", 32, false, "Anngnp.exe");
    assert_clean("\u2066\u2069\u200e\u200f\u061c\u200b\ufeff\u2060", 32, false, "");
    assert_clean("a\U000e0041\uffff\ufdd0"
                 "b",
                 32, false, "ab");
}

static void what_shows_nothing_goes(void **unused)
{
    (void)unused;
    assert_clean("A\u00adn\u034fn\u3164", 32, false, "Ann");
    assert_clean("\u115f\u1160\u17b4\u180e\u2800\u3164\uffa0", 32, false, "");
    assert_clean("\u200d\u200c\ufe0f\u0301", 32, false, ""); /* nothing to join to */
    assert_clean("a \u0301b", 32, false, "a b");
}

static void marks_do_not_pile_up(void **unused)
{
    (void)unused;
    assert_clean("e\u0301\u0302\u0303\u0304\u0305\u0306x\u0301", 32, false,
                 "e\u0301\u0302\u0303\u0304x\u0301");
    assert_clean("\u2764\ufe0f\u200d\U0001f525", 32, false, "\u2764\ufe0f\u200d\U0001f525");
}

static void bytes_that_are_no_utf8_go(void **unused)
{
    (void)unused;
    assert_clean("a\xff\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xc3", 32, false, "a");
    assert_clean("\xe2\x82"
                 "b",
                 32, false, "b");
}

static void white_space_is_one_space(void **unused)
{
    (void)unused;
    assert_clean("  a \t\n\u3000 b  ", 32, false, "a b");
    assert_clean("\n\na \n b\n", 32, true, "a\nb");
}

static void length_counts_characters(void **unused)
{
    (void)unused;
    assert_clean("ëëëë", 3, false, "ëëë");
    assert_clean("ab cd", 3, false, "ab");
    assert_clean("ab cd", 4, false, "ab c");
    assert_clean("abc", 0, false, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_fit_stays),         cmocka_unit_test(control_characters_go),
        cmocka_unit_test(what_shows_nothing_goes),   cmocka_unit_test(marks_do_not_pile_up),
        cmocka_unit_test(bytes_that_are_no_utf8_go), cmocka_unit_test(white_space_is_one_space),
        cmocka_unit_test(length_counts_characters),
    };
    return cmocka_run_group_tests_name("clean_text", tests, NULL, NULL);
}
