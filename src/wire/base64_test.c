#include "wire/base64.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void rfc4648_section_10_vectors(void **unused)
{
    (void)unused;
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct fray_buf buf = {0};
        fray_base64_append(&buf, fray_slice_of(vectors[i][0]));
        assert_true(fray_slice_equal(fray_buf_slice(&buf), fray_slice_of(vectors[i][1])));
        buf.len = 0;
        assert_int_equal(fray_base64_decode(&buf, fray_slice_of(vectors[i][1])), FRAY_OK);
        assert_true(fray_slice_equal(fray_buf_slice(&buf), fray_slice_of(vectors[i][0])));
        fray_buf_deinit(&buf);
    }
}

static void every_byte_survives_at_every_place(void **unused)
{
    (void)unused;
    struct fray_buf text = {0}, back = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t len = 1; len <= 7; len++) {
            char data[7];
            memset(data, (int)byte, len);
            data[len - 1] ^= 0x5A;
            text.len = back.len = 0;
            fray_base64_append(&text, fray_slice(data, len));
            assert_int_equal(text.len, fray_base64_encoded_len(len));
            assert_int_equal(fray_base64_decode(&back, fray_buf_slice(&text)), FRAY_OK);
            assert_true(fray_slice_equal(fray_buf_slice(&back), fray_slice(data, len)));
        }
    }
    fray_buf_deinit(&text);
    fray_buf_deinit(&back);
}

static void only_the_strict_form_is_decoded(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "Z",        "Zg",        "Zg=",     "Z===",     "====",     "=Zg=",     "Zg=a",
        "Zg==Zg==", "Zm9v\n",    "Zm 9",    "Zm9v Zm9", "Zm-_",     "Zm9v====", "Zm9\x80",
        "Zm=v",     "\nm9vZm9v", "Z\xFF==", "Zm9vZ===", "Zm9*Zm9v",
    };
    struct fray_buf buf = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(fray_base64_decode(&buf, fray_slice_of(bad[i])), FRAY_ERR_SYNTAX);
        assert_int_equal(buf.len, 0);
    }
    fray_buf_deinit(&buf);
}

static void decoding_appends(void **unused)
{
    (void)unused;
    struct fray_buf buf = {0};
    FRAY_BUF_LITERAL(&buf, "b:");
    assert_int_equal(fray_base64_decode(&buf, FRAY_SLICE("+/8=")), FRAY_OK);
    assert_true(fray_slice_equal(fray_buf_slice(&buf), FRAY_SLICE("b:\xFB\xFF")));
    fray_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4648_section_10_vectors),
        cmocka_unit_test(every_byte_survives_at_every_place),
        cmocka_unit_test(only_the_strict_form_is_decoded),
        cmocka_unit_test(decoding_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
