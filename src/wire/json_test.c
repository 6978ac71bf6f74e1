#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define assert_slice(slice, string)                                                                \
    do {                                                                                           \
        struct fray_slice seen_ = (slice);                                                         \
        struct fray_slice want_ = FRAY_SLICE(string);                                              \
        assert_int_equal(seen_.len, want_.len);                                                    \
        assert_true(fray_slice_equal(seen_, want_));                                               \
    } while (0)

/* Validates a copy that ends where its allocation ends, so that a sanitizer sees any overrun. */
static enum fray_err validate_exact(struct fray_slice text, unsigned depth_max)
{
    char *copy = fray_alloc(text.len ? text.len : 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    enum fray_err err = fray_json_validate(fray_slice(copy, text.len), depth_max);
    free(copy);
    return err;
}

static enum fray_err validate(const char *text)
{
    return validate_exact(fray_slice_of(text), FRAY_JSON_DEPTH_DEFAULT);
}

static void valid_texts_are_accepted(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "7",
        "-12",
        "10",
        "1.5",
        "-0.0",
        "0.10",
        "1e5",
        "1E+5",
        "1e-05",
        "0e0",
        "123456789012345678901234567890",
        "1.7976931348623157e308",
        "\"\"",
        "\"a\"",
        "\"seven..\"",
        "\"eight...\"",
        "\"nine.....\"",
        " \t\r\n1 \t\r\n",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1]",
        "[1,2,3]",
        "[ 1 , 2 ]",
        "[[],[[]],{}]",
        "{\"a\":1}",
        "{ \"a\" : 1 , \"b\" : [ ] }",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFfFf\"]",
        "\"\x7f\"",
        "\"\xc3\xa9\"",
        "\"\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "[{\"a\":[{\"b\":null}]},true,\"x\"]",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ude00\\ud83d\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (validate(texts[i]))
            fail_msg("refused: %s", texts[i]);
    }
}

static const char *const invalid_texts[] = {
    "",
    " ",
    "nul",
    "nulL",
    "True",
    "tru",
    "falsey",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "-.5",
    "1.e5",
    "1e",
    "1e+",
    "1E-",
    "0x10",
    "1 2",
    "1,",
    ",1",
    "\"",
    "\"a",
    "a\"",
    "'a'",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u12G4\"",
    "\"\\U0041\"",
    "\"\\u123\"",
    "\"\n\"",
    "\"\t\"",
    "\"\x01\"",
    "\"12345678\x1f\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1}",
    "{]",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\"}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1:2}",
    "{,}",
    "{\"a\",1}",
    "[1:2]",
    "[]]",
    "[][]",
    "{}{}",
    "[\"a\",//\n1]",
    "\xef\xbb\xbf[]",
    "\xc3\xa9",
    "[\xc3\xa9]",
    "\v1",
    "\f1",
};

static void invalid_texts_are_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof invalid_texts / sizeof *invalid_texts; i++) {
        if (validate(invalid_texts[i]) != FRAY_ERR_SYNTAX)
            fail_msg("not refused: %s", invalid_texts[i]);
    }
    assert_int_equal(fray_json_validate((struct fray_slice){0}, 1), FRAY_ERR_SYNTAX);
    assert_int_equal(validate_exact(FRAY_SLICE("\"\0\""), 1), FRAY_ERR_SYNTAX);
    assert_int_equal(validate_exact(FRAY_SLICE("1\0"), 1), FRAY_ERR_SYNTAX);
}

static void strings_must_be_utf8(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "\"\x80\"",
        "\"\xc3\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"1234567\xff\"",
        "{\"\xff\":1}",
        "[\"a\",\"123456789\xe2\x82\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(validate(texts[i]), FRAY_ERR_UTF8);
}

static void a_cut_text_is_never_accepted(void **unused)
{
    (void)unused;
    struct fray_slice text = FRAY_SLICE(
        "[\"name\",{\"k\\u00e9y\":[-1.5e+10,true,null]},\"\xc3\xa9\\ud83d\\ude00 long text\"]");
    assert_int_equal(validate_exact(text, 3), FRAY_OK);
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(validate_exact(fray_slice(text.data, len), 3), FRAY_ERR_SYNTAX);
}

/* Every byte at every place around the word boundary of the fast path. */
static void a_string_ends_at_its_first_special_byte(void **unused)
{
    (void)unused;
    char text[22];
    for (unsigned byte = 1; byte < 256; byte++) {
        for (size_t at = 1; at + 1 < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[0] = text[sizeof text - 1] = '"';
            text[at] = (char)byte;
            enum fray_err want = byte < 0x20 || byte == '"' || byte == '\\' ? FRAY_ERR_SYNTAX
                                 : byte >= 0x80                             ? FRAY_ERR_UTF8
                                                                            : FRAY_OK;
            assert_int_equal(validate_exact(fray_slice(text, sizeof text), 0), want);
        }
    }
}

static void depth_is_bounded(void **unused)
{
    (void)unused;
    assert_int_equal(fray_json_validate(FRAY_SLICE("1"), 0), FRAY_OK);
    assert_int_equal(fray_json_validate(FRAY_SLICE("[]"), 0), FRAY_ERR_LIMIT);
    assert_int_equal(fray_json_validate(FRAY_SLICE("[[],[],{}]"), 2), FRAY_OK);
    assert_int_equal(fray_json_validate(FRAY_SLICE("[[],[{}]]"), 2), FRAY_ERR_LIMIT);

    struct fray_buf buf = {0};
    for (unsigned depth = 1; depth <= FRAY_JSON_DEPTH_CAP + 1; depth++) {
        buf.len = 0;
        for (unsigned i = 0; i < depth; i++)
            fray_buf_append(&buf, i % 3 ? "[" : "{\"\":", i % 3 ? 1 : 4);
        fray_buf_append_byte(&buf, '1');
        for (unsigned i = depth; i-- > 0;)
            fray_buf_append_byte(&buf, i % 3 ? ']' : '}');
        enum fray_err want = depth <= FRAY_JSON_DEPTH_CAP ? FRAY_OK : FRAY_ERR_LIMIT;
        assert_int_equal(validate_exact(fray_buf_slice(&buf), 1000000), want);
        assert_int_equal(validate_exact(fray_buf_slice(&buf), depth - 1), FRAY_ERR_LIMIT);
        if (depth < 2)
            continue;
        buf.data[buf.len - 2] ^= ']' ^ '}'; /* the wrong bracket, on each level */
        assert_int_equal(validate_exact(fray_buf_slice(&buf), 1000000),
                         depth <= FRAY_JSON_DEPTH_CAP ? FRAY_ERR_SYNTAX : FRAY_ERR_LIMIT);
    }
    fray_buf_deinit(&buf);
}

static void kinds_are_told_apart(void **unused)
{
    (void)unused;
    assert_int_equal(fray_json_kind(FRAY_SLICE("null")), FRAY_JSON_NULL);
    assert_int_equal(fray_json_kind(FRAY_SLICE("false")), FRAY_JSON_FALSE);
    assert_int_equal(fray_json_kind(FRAY_SLICE("true")), FRAY_JSON_TRUE);
    assert_int_equal(fray_json_kind(FRAY_SLICE("-1")), FRAY_JSON_NUMBER);
    assert_int_equal(fray_json_kind(FRAY_SLICE("\"\"")), FRAY_JSON_STRING);
    assert_int_equal(fray_json_kind(FRAY_SLICE("[]")), FRAY_JSON_ARRAY);
    assert_int_equal(fray_json_kind(FRAY_SLICE("{}")), FRAY_JSON_OBJECT);
}

static void an_array_is_walked(void **unused)
{
    (void)unused;
    struct fray_json_iter iter =
        fray_json_iterate(FRAY_SLICE("[ 1 ,\"a]\\\",\\\\\" , [2,[\"]\"]],{\"x\":[3]},null ]"));
    struct fray_json_item item;
    assert_slice(fray_json_rest(&iter), "1 ,\"a]\\\",\\\\\" , [2,[\"]\"]],{\"x\":[3]},null");
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.value, "1");
    assert_int_equal(item.key.len, 0);
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.value, "\"a]\\\",\\\\\"");
    assert_slice(fray_json_rest(&iter), "[2,[\"]\"]],{\"x\":[3]},null");
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.value, "[2,[\"]\"]]");
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.value, "{\"x\":[3]}");
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.value, "null");
    assert_int_equal(fray_json_rest(&iter).len, 0);
    assert_false(fray_json_next(&iter, &item));
    assert_slice(item.value, "null");
}

static void an_object_is_walked(void **unused)
{
    (void)unused;
    struct fray_json_iter iter = fray_json_iterate(FRAY_SLICE("{ \"a\" : 1 ,\"b:\":{\"c\":[]} }"));
    struct fray_json_item item;
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.key, "\"a\"");
    assert_slice(item.value, "1");
    assert_true(fray_json_next(&iter, &item));
    assert_slice(item.key, "\"b:\"");
    assert_slice(item.value, "{\"c\":[]}");
    assert_false(fray_json_next(&iter, &item));
}

static void nothing_to_walk(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"[]", "{}", "[ ]", "{\n}", "1", "\"[1]\"", "null", "", "["};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fray_json_iter iter = fray_json_iterate(fray_slice_of(texts[i]));
        struct fray_json_item item;
        assert_false(fray_json_next(&iter, &item));
        assert_int_equal(fray_json_rest(&iter).len, 0);
    }
}

static void members_are_found_by_name(void **unused)
{
    (void)unused;
    struct fray_slice object =
        FRAY_SLICE("{\"pid\":\"p\",\"nested\":{\"offset\":0},\"off\\u0073et\":\"o\",\"pid\":2}");
    struct fray_slice value;
    assert_true(fray_json_find(object, FRAY_SLICE("offset"), &value));
    assert_slice(value, "\"o\"");
    assert_true(fray_json_find(object, FRAY_SLICE("pid"), &value));
    assert_slice(value, "2");
    assert_false(fray_json_find(object, FRAY_SLICE("sid"), &value));
    assert_false(fray_json_find(FRAY_SLICE("[\"pid\",1]"), FRAY_SLICE("pid"), &value));
}

struct string_case {
    struct fray_slice json;
    struct fray_slice text;
};

static void strings_are_unescaped(void **unused)
{
    (void)unused;
    const struct string_case cases[] = {
        {FRAY_SLICE("\"\""), FRAY_SLICE("")},
        {FRAY_SLICE("\"plain \xc3\xa9\""), FRAY_SLICE("plain \xc3\xa9")},
        {FRAY_SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), FRAY_SLICE("\"\\/\b\f\n\r\t")},
        {FRAY_SLICE("\"a\\u0000b\""), FRAY_SLICE("a\0b")},
        {FRAY_SLICE("\"\\u007f\\u0080\\u07FF\\u0800\\uffff\""),
         FRAY_SLICE("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
        {FRAY_SLICE("\"x\\ud83d\\uDE00y\""), FRAY_SLICE("x\xf0\x9f\x98\x80y")},
        {FRAY_SLICE("\"\\ud800\\udc00\\udbff\\udfff\""),
         FRAY_SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
        {FRAY_SLICE("\"\\ud83d\""), FRAY_SLICE("\xef\xbf\xbd")},
        {FRAY_SLICE("\"\\ude00\\ud83d\""), FRAY_SLICE("\xef\xbf\xbd\xef\xbf\xbd")},
        {FRAY_SLICE("\"\\ud83dx\\ud83d\\n\""), FRAY_SLICE("\xef\xbf\xbdx\xef\xbf\xbd\n")},
        {FRAY_SLICE("\"\\ud83d\\u0041\""), FRAY_SLICE("\xef\xbf\xbd"
                                                      "A")},
    };
    struct fray_buf scratch = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(validate_exact(cases[i].json, 0), FRAY_OK);
        struct fray_slice text = fray_json_string_text(cases[i].json, &scratch);
        assert_int_equal(text.len, cases[i].text.len);
        assert_true(fray_slice_equal(text, cases[i].text));
        assert_true(fray_json_string_equal(cases[i].json, cases[i].text));
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            assert_int_equal(fray_json_string_equal(cases[i].json, cases[k].text), i == k);
    }
    fray_buf_deinit(&scratch);
}

static void a_plain_string_is_borrowed(void **unused)
{
    (void)unused;
    struct fray_buf scratch = {0};
    struct fray_slice json = FRAY_SLICE("\"plain\"");
    assert_false(fray_json_string_escaped(json));
    assert_ptr_equal(fray_json_string_text(json, &scratch).data, json.data + 1);
    assert_null(scratch.data);
    assert_true(fray_json_string_escaped(FRAY_SLICE("\"\\n\"")));
    fray_buf_deinit(&scratch);
}

static void strings_are_written_as_json_stringify_does(void **unused)
{
    (void)unused;
    struct fray_buf buf = {0};
    fray_json_write_string(&buf, FRAY_SLICE("\"\\/\b\f\n\r\t\x01\x1f\x7f\0\xc3\xa9\xe2\x80\xa8"));
    assert_slice(fray_buf_slice(&buf), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\xc3\xa9"
                                       "\xe2\x80\xa8\"");
    buf.len = 0;
    fray_json_write_string(&buf, (struct fray_slice){0});
    assert_slice(fray_buf_slice(&buf), "\"\"");
    fray_buf_deinit(&buf);
}

static void every_ascii_string_survives_a_round_trip(void **unused)
{
    (void)unused;
    char text[3];
    struct fray_buf json = {0};
    struct fray_buf scratch = {0};
    for (unsigned first = 0; first < 128; first++) {
        for (unsigned second = 0; second < 128; second++) {
            text[0] = (char)first;
            text[1] = (char)second;
            text[2] = 'u';
            json.len = scratch.len = 0;
            fray_json_write_string(&json, fray_slice(text, sizeof text));
            assert_int_equal(fray_json_validate(fray_buf_slice(&json), 0), FRAY_OK);
            assert_true(fray_slice_equal(fray_json_string_text(fray_buf_slice(&json), &scratch),
                                         fray_slice(text, sizeof text)));
        }
    }
    fray_buf_deinit(&json);
    fray_buf_deinit(&scratch);
}

static void strings_are_sought_with_the_object_they_are_in(void **state)
{
    (void)state;
    static const char text[] = "[\"a\", {\"b\": 1, \"c\": [\"d\"], \"e\": {\"f\": \"}\"}}]";
    static const struct {
        const char *string;
        int open; /* where in the text; -1: none */
    } expected[] = {{"\"a\"", -1}, {"\"b\"", 6},  {"\"c\"", 6}, {"\"d\"", -1},
                    {"\"e\"", -1}, {"\"f\"", 32}, {"\"}\"", 32}};
    struct fray_slice rest = fray_slice(text, sizeof text - 1);
    const char *open = NULL;
    size_t count = 0;
    for (; fray_json_seek_string(&rest, &open); count++) {
        assert_true(count < sizeof expected / sizeof *expected);
        assert_true(fray_slice_equal(fray_json_take(&rest), fray_slice_of(expected[count].string)));
        assert_int_equal(open ? open - text : -1, expected[count].open);
    }
    assert_int_equal(count, sizeof expected / sizeof *expected);
    assert_int_equal(rest.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_accepted),
        cmocka_unit_test(invalid_texts_are_refused),
        cmocka_unit_test(strings_must_be_utf8),
        cmocka_unit_test(a_cut_text_is_never_accepted),
        cmocka_unit_test(a_string_ends_at_its_first_special_byte),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(an_array_is_walked),
        cmocka_unit_test(an_object_is_walked),
        cmocka_unit_test(nothing_to_walk),
        cmocka_unit_test(strings_are_sought_with_the_object_they_are_in),
        cmocka_unit_test(members_are_found_by_name),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(a_plain_string_is_borrowed),
        cmocka_unit_test(strings_are_written_as_json_stringify_does),
        cmocka_unit_test(every_ascii_string_survives_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
