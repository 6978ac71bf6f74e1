#include "wire/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/json.h"

static const struct fray_envelope_limits limits = {.depth_max = 4, .attachments_max = 2};

/* Decodes a copy that ends where its allocation ends; the message's slices die with the next. */
static enum fray_envelope_fault decode(const char *text, struct fray_envelope_message *message)
{
    static char *copy;
    static struct fray_buf scratch;
    free(copy);
    size_t len = strlen(text);
    copy = fray_alloc(len ? len : 1);
    memcpy(copy, text, len);
    return fray_envelope_decode(fray_slice(copy, len), &limits, &scratch, message);
}

static void assert_text(struct fray_slice slice, const char *want)
{
    assert_int_equal(slice.len, strlen(want));
    assert_true(fray_slice_equal(slice, fray_slice_of(want)));
}

static void B15_messages_are_type_and_content(void **unused)
{
    (void)unused;
    struct fray_envelope_message message;
    assert_int_equal(decode("{\"type\":\"move\",\"content\":{\"x\":5}}", &message), 0);
    assert_text(message.type, "move");
    assert_text(message.args, "{\"x\":5}");
    assert_false(message.has_id);
    assert_int_equal(
        decode(" { \"content\" : [1, 2] , \"id\":7,\"type\":\"a\\u0062\\\"\" } ", &message), 0);
    assert_text(message.type, "ab\"");
    assert_text(message.args, "[1, 2]"); /* an array is one argument */
    assert_true(message.has_id);
    assert_int_equal(message.id, 7);
    assert_int_equal(decode("{\"type\":\"ready\"}", &message), 0);
    assert_int_equal(message.args.len, 0);
    assert_int_equal(decode("{\"type\":\"x\",\"content\":null}", &message), 0);
    assert_text(message.args, "null");
    assert_int_equal(decode("{\"type\":\"x\",\"extra\":{},\"id\":null}", &message), 0);
    assert_false(message.has_id);
}

static void an_array_is_spread_when_asked_for(void **unused)
{
    (void)unused;
    struct fray_envelope_message message;
    assert_int_equal(decode("{\"type\":\"a\",\"content\":[1, [2]],\"spread\":true}", &message), 0);
    assert_text(message.args, "1, [2]");
    assert_int_equal(decode("{\"type\":\"a\",\"content\":[],\"spread\":true}", &message), 0);
    assert_int_equal(message.args.len, 0);
    assert_int_equal(decode("{\"type\":\"a\",\"content\":[1],\"spread\":false}", &message), 0);
    assert_text(message.args, "[1]");
    assert_int_equal(decode("{\"type\":\"a\",\"content\":1,\"spread\":true}", &message),
                     FRAY_ENVELOPE_BAD_SPREAD);
    assert_int_equal(decode("{\"type\":\"a\",\"spread\":true}", &message),
                     FRAY_ENVELOPE_BAD_SPREAD);
}

static void ids_are_integers_of_javascript(void **unused)
{
    (void)unused;
    struct fray_envelope_message message;
    assert_int_equal(decode("{\"type\":\"a\",\"id\":9007199254740991}", &message), 0);
    assert_true(message.id == FRAY_ENVELOPE_ID_MAX);
    static const char *const bad[] = {
        "-1", "1.0", "1e3", "9007199254740992", "99999999999999999", "\"1\"", "{}", "true"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[80];
        snprintf(text, sizeof text, "{\"type\":\"a\",\"id\":%s}", bad[i]);
        assert_int_equal(decode(text, &message), FRAY_ENVELOPE_BAD_ID);
        assert_false(message.has_id);
    }
    assert_int_equal(decode("{\"type\":\"ack\",\"id\":0}", &message), 0);
    assert_true(message.is_ack);
    assert_int_equal(decode("{\"type\":\"ack\"}", &message), FRAY_ENVELOPE_BAD_ID);
}

static void B15_what_is_no_message_has_a_fault(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        enum fray_envelope_fault fault;
    } cases[] = {
        {"", FRAY_ENVELOPE_BAD_JSON},
        {"hello", FRAY_ENVELOPE_BAD_JSON},
        {"{\"type\":\"a\"", FRAY_ENVELOPE_BAD_JSON},
        {"{\"type\":\"\xff\"}", FRAY_ENVELOPE_BAD_JSON},
        {"[]", FRAY_ENVELOPE_NOT_AN_OBJECT},
        {"\"a\"", FRAY_ENVELOPE_NOT_AN_OBJECT},
        {"{}", FRAY_ENVELOPE_NO_TYPE},
        {"{\"content\":1}", FRAY_ENVELOPE_NO_TYPE},
        {"{\"type\":7}", FRAY_ENVELOPE_BAD_TYPE},
        {"{\"type\":\"\"}", FRAY_ENVELOPE_BAD_TYPE},
        {"{\"type\":\"say\\u0000x\"}", FRAY_ENVELOPE_BAD_TYPE},
        {"{\"type\":\"welcome\"}", FRAY_ENVELOPE_RESERVED_TYPE},
        {"{\"type\":\"\\u0065rror\"}", FRAY_ENVELOPE_RESERVED_TYPE},
        {"{\"type\":\"disconnect\"}", FRAY_ENVELOPE_RESERVED_TYPE},
        {"{\"type\":\"a\",\"content\":[[[[[]]]]]}", FRAY_ENVELOPE_TOO_DEEP},
    };
    struct fray_envelope_message message;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(decode(cases[i].text, &message), cases[i].fault);
    assert_int_equal(decode("{\"type\":\"a\",\"content\":[[[[]]]]}", &message), 0);
    /* What could be read is there for the answer. */
    assert_int_equal(decode("{\"id\":3,\"type\":\"welcome\"}", &message),
                     FRAY_ENVELOPE_RESERVED_TYPE);
    assert_int_equal(message.id, 3);
    assert_text(message.type, "welcome");
    for (int fault = 0; fault < FRAY_ENVELOPE_FAULTS; fault++) {
        assert_true(*fray_envelope_fault_code((enum fray_envelope_fault)fault));
        assert_non_null(fray_envelope_fault_text((enum fray_envelope_fault)fault));
    }
}

static void C02_binary_data_is_taken_out(void **unused)
{
    (void)unused;
    struct fray_envelope_binaries binaries = {0};
    assert_int_equal(fray_envelope_take_binaries(FRAY_SLICE("{\"a\":1}"), &limits, &binaries), 0);
    assert_int_equal(binaries.count, 0);
    assert_int_equal(
        fray_envelope_take_binaries(
            FRAY_SLICE("[{\"_base64\":\"AP8=\"}, {\"x\":{ \"_base64\" : \"\" }}],\"_base64\""),
            &limits, &binaries),
        0);
    assert_int_equal(binaries.count, 2);
    assert_text(fray_buf_slice(&binaries.args),
                "[{\"_placeholder\":true,\"num\":0}, "
                "{\"x\":{\"_placeholder\":true,\"num\":1}}],\"_base64\"");
    assert_int_equal(binaries.attachments[0].len, 2);
    assert_memory_equal(binaries.attachments[0].data, "\x00\xff", 2);
    assert_int_equal(binaries.attachments[1].len, 0);
    static const char *const bad[] = {
        "{\"_base64\":\"A\"}",
        "{\"_base64\":1}",
        "{\"_base64\":\"\",\"x\":1}",
        "{\"x\":1,\"_base64\":\"\"}",
        "{\"_base64\":{\"_base64\":\"\"}}",
        "{\"x\":[],\"_base64\":\"\"}",
        "[{\"_base64\":\"\"},{\"_placeholder\":true,\"num\":0}]",
        "[{\"_placeholder\":true,\"num\":5},{\"_base64\":\"\"}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(fray_envelope_take_binaries(fray_slice_of(bad[i]), &limits, &binaries),
                         FRAY_ENVELOPE_BAD_BINARY);
    assert_int_equal(fray_envelope_take_binaries(
                         FRAY_SLICE("{\"_base64\":\"\"},{\"_base64\":\"\"},{\"_base64\":\"\"}"),
                         &limits, &binaries),
                     FRAY_ENVELOPE_TOO_MANY_BINARIES);
    fray_envelope_binaries_deinit(&binaries);
}

static void assert_encoded(const struct fray_envelope_parts *parts, const char *want)
{
    struct fray_buf out = {0};
    fray_envelope_encode(&out, parts);
    assert_text(fray_buf_slice(&out), want);
    assert_int_equal(fray_json_validate(fray_buf_slice(&out), 64), FRAY_OK);
    fray_buf_deinit(&out);
}

static void events_are_encoded(void **unused)
{
    (void)unused;
    assert_encoded(&(struct fray_envelope_parts){.type = FRAY_SLICE("a\"b")},
                   "{\"type\":\"a\\\"b\"}");
    assert_encoded(
        &(struct fray_envelope_parts){.type = FRAY_SLICE("a"), .args = FRAY_SLICE("[1,2]")},
        "{\"type\":\"a\",\"content\":[1,2]}");
    assert_encoded(
        &(struct fray_envelope_parts){
            .type = FRAY_SLICE("a"), .args = FRAY_SLICE("1,[2]"), .has_id = true, .id = 12},
        "{\"type\":\"a\",\"id\":12,\"content\":[1,[2]],\"spread\":true}");
    /* One line, for Server-Sent Events. */
    assert_encoded(&(struct fray_envelope_parts){.type = FRAY_SLICE("a"),
                                                 .args = FRAY_SLICE("{\r\n\"x\":\n\"\\n\"}")},
                   "{\"type\":\"a\",\"content\":{  \"x\": \"\\n\"}}");
    struct fray_slice attachments[] = {FRAY_SLICE("\x00\xff"), FRAY_SLICE("")};
    assert_encoded(
        &(struct fray_envelope_parts){
            .type = FRAY_SLICE("a"),
            .args = FRAY_SLICE("{\"b\":{\"_placeholder\":true,\"num\":1},\"a\":"
                               "{\"_placeholder\":true,\"num\":0}}"),
            .attachments = attachments,
            .attachments_count = 2},
        "{\"type\":\"a\",\"content\":{\"b\":{\"_base64\":\"\"},\"a\":{\"_base64\":\"AP8=\"}}}");
}

static void errors_are_encoded(void **unused)
{
    (void)unused;
    struct fray_buf out = {0};
    fray_envelope_encode_error(&out, &(struct fray_envelope_error){.code = "c", .message = "m"});
    assert_text(fray_buf_slice(&out),
                "{\"type\":\"error\",\"content\":{\"code\":\"c\",\"message\":\"m\"}}");
    out.len = 0;
    fray_envelope_encode_error(
        &out, &(struct fray_envelope_error){
                  .code = "c", .message = "m", .type = FRAY_SLICE("t\n"), .has_id = true, .id = 0});
    assert_text(fray_buf_slice(&out), "{\"type\":\"error\",\"id\":0,\"content\":{\"code\":\"c\","
                                      "\"type\":\"t\\n\",\"message\":\"m\"}}");
    fray_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B15_messages_are_type_and_content),
        cmocka_unit_test(an_array_is_spread_when_asked_for),
        cmocka_unit_test(ids_are_integers_of_javascript),
        cmocka_unit_test(B15_what_is_no_message_has_a_fault),
        cmocka_unit_test(C02_binary_data_is_taken_out),
        cmocka_unit_test(events_are_encoded),
        cmocka_unit_test(errors_are_encoded),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
