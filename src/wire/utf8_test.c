#include "wire/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The plain definition: decode a code point, then judge it. */
static bool reference_valid(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint8_t lead = text[i];
        size_t extra = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xC0) || lead >= 0xF8 || i + extra >= len)
            return false;
        uint32_t point = extra == 0 ? lead : lead & (0x3Fu >> extra);
        for (size_t k = 1; k <= extra; k++) {
            if (text[i + k] >> 6 != 2)
                return false;
            point = point << 6 | (text[i + k] & 0x3F);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[extra] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
            return false;
        i += extra + 1;
    }
    return true;
}

static void every_short_text_agrees_with_the_definition(void **unused)
{
    (void)unused;
    /* Every lead pair, followed by continuation bytes at the edges of their range. */
    static const uint8_t edge[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90,
                                   0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t k = 0; k < sizeof edge * sizeof edge; k++) {
                uint8_t text[4] = {(uint8_t)first, (uint8_t)second, edge[k / sizeof edge],
                                   edge[k % sizeof edge]};
                for (size_t len = 1; len <= sizeof text; len++)
                    if (fray_utf8_valid(fray_slice(text, len)) != reference_valid(text, len))
                        fail_msg("%02x %02x %02x %02x, %zu", text[0], text[1], text[2], text[3],
                                 len);
            }
        }
    }
}

static void ascii_is_skipped_only_as_far_as_it_goes(void **unused)
{
    (void)unused;
    char text[40];
    for (size_t len = 1; len <= sizeof text; len++) {
        for (size_t bad = 0; bad < len; bad++) {
            memset(text, 'a', sizeof text);
            assert_true(fray_utf8_valid(fray_slice(text, len)));
            text[bad] = (char)0xFF;
            assert_false(fray_utf8_valid(fray_slice(text, len)));
        }
    }
    assert_true(fray_utf8_valid(fray_slice(NULL, 0)));
}

static void pieces_equal_the_whole(void **unused)
{
    (void)unused;
    struct fray_slice text = FRAY_SLICE("κόσμε, \xF0\x9F\x8E\xAE and plain ASCII \xEF\xBF\xBF");
    for (size_t cut = 0; cut <= text.len; cut++) {
        struct fray_utf8 state = {0};
        assert_true(fray_utf8_feed(&state, text.data, cut));
        assert_true(fray_utf8_feed(&state, text.data + cut, text.len - cut));
        assert_true(fray_utf8_complete(&state));
    }
}

static void fails_at_the_first_impossible_byte(void **unused)
{
    (void)unused;
    /* F4 90 is beyond U+10FFFF already; what follows need not be awaited. */
    struct fray_utf8 state = {0};
    assert_true(fray_utf8_feed(&state, "ok\xF4", 3));
    assert_false(fray_utf8_complete(&state));
    assert_false(fray_utf8_feed(&state, "\x90", 1));
    state = (struct fray_utf8){0};
    assert_true(fray_utf8_feed(&state, "\xED", 1));
    assert_false(fray_utf8_feed(&state, "\xA0", 1));
}

static void cut_keeps_whole_characters(void **unused)
{
    (void)unused;
    struct fray_slice text = FRAY_SLICE("aé€\xF0\x9F\x8E\xAE");
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < sizeof expected / sizeof *expected; max++)
        assert_int_equal(fray_utf8_cut(text, max), expected[max]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text_agrees_with_the_definition),
        cmocka_unit_test(ascii_is_skipped_only_as_far_as_it_goes),
        cmocka_unit_test(pieces_equal_the_whole),
        cmocka_unit_test(fails_at_the_first_impossible_byte),
        cmocka_unit_test(cut_keeps_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
