#include "session/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fray_message *event(const char *nsp, const char *name, const char *body)
{
    return fray_message_new(&(struct fray_message_parts){
        .kind = FRAY_MESSAGE_EVENT,
        .nsp = nsp,
        .name = fray_slice_of(name),
        .body = fray_slice_of(body),
        .ack_id = FRAY_ACK_NONE,
    });
}

static void copies_its_parts(void **state)
{
    (void)state;
    char name[] = "move", body[] = "1,2";
    struct fray_message *message = event("/game", name, body);
    memset(name, 'x', sizeof name);
    memset(body, 'x', sizeof body);
    assert_string_equal(message->nsp, "/game");
    assert_true(fray_slice_equal(message->name, FRAY_SLICE("move")));
    assert_true(fray_slice_equal(message->body, FRAY_SLICE("1,2")));
    assert_int_equal(message->class, FRAY_RELIABLE);
    assert_true(message->ack_id == FRAY_ACK_NONE);
    fray_message_unref(message);

    message = fray_message_of(FRAY_MESSAGE_BARE_TEXT, (struct fray_slice){0});
    assert_string_equal(message->nsp, "/");
    assert_int_equal(message->body.len, 0);
    fray_message_unref(message);
}

static void keeps_an_attachment_in_its_own_block(void **state)
{
    (void)state;
    char bytes[] = "\1\2\3";
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct fray_message *message = fray_message_new(&(struct fray_message_parts){
            .kind = FRAY_MESSAGE_EVENT,
            .nsp = "/game",
            .name = FRAY_SLICE("message"),
            .body = FRAY_SLICE("1"),
            .ack_id = FRAY_ACK_NONE,
            .attachment = fray_slice(bytes, len),
        });
        assert_string_equal(message->nsp, "/game");
        assert_true(fray_slice_equal(message->name, FRAY_SLICE("message")));
        assert_true(fray_slice_equal(message->body, FRAY_SLICE("1")));
        assert_int_equal(message->attachments_count, 1);
        assert_int_equal(message->attachments[0].len, len);
        assert_memory_equal(message->attachments[0].data, bytes, len);
        assert_ptr_not_equal(message->attachments[0].data, bytes);
        fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, FRAY_SLICE("encoded"));
        struct fray_message *clone = fray_message_clone(message);
        fray_message_unref(message);
        assert_int_equal(clone->attachments_count, 1);
        assert_memory_equal(clone->attachments[0].data, bytes, len);
        fray_message_unref(clone);
    }
}

/* That the last reference frees everything is for the leak checker to see. */
static void lives_as_long_as_it_is_referenced(void **state)
{
    (void)state;
    struct fray_message *message = event("/", "e", "\"kept\"");
    fray_message_attach(message, "abc", 3);
    assert_ptr_equal(fray_message_ref(message), message);
    fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, FRAY_SLICE("bytes"));
    fray_message_unref(message);
    assert_true(fray_slice_equal(message->body, FRAY_SLICE("\"kept\"")));
    fray_message_unref(message);
}

static void has_one_encoding_per_form(void **state)
{
    (void)state;
    struct fray_message *message = event("/", "e", "");
    assert_null(fray_message_encoding(message, FRAY_FORM_ENGINEIO_POLLING));
    const struct fray_encoding *polling =
        fray_message_encode(message, FRAY_FORM_ENGINEIO_POLLING, FRAY_SLICE("42[\"e\"]"));
    const struct fray_encoding *empty =
        fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, (struct fray_slice){0});
    assert_ptr_equal(fray_message_encoding(message, FRAY_FORM_ENGINEIO_POLLING), polling);
    assert_ptr_equal(fray_message_encoding(message, FRAY_FORM_BARE_WEBSOCKET), empty);
    assert_null(fray_message_encoding(message, FRAY_FORM_ENGINEIO_WEBSOCKET));
    assert_int_equal(empty->len, 0);
    assert_memory_equal(polling->bytes, "42[\"e\"]", polling->len);
    fray_message_unref(message);
}

static void a_clone_is_the_same_message_without_encodings(void **state)
{
    (void)state;
    struct fray_message *message = event("/game", "shot", "{\"_placeholder\":true,\"num\":0}");
    fray_message_attach(message, "\0\1", 2);
    fray_message_attach(message, "", 0);
    fray_message_class(message, FRAY_LATEST, "player 7");
    message->offset = 12;
    message->ack_id = 3;
    fray_message_encode(message, FRAY_FORM_ENGINEIO_POLLING, FRAY_SLICE("x"));
    struct fray_message *clone = fray_message_clone(message);
    size_t size = fray_message_size(message);
    uint64_t key = message->key;
    fray_message_unref(message);

    assert_int_equal(clone->refs, 1);
    assert_null(clone->encodings);
    assert_string_equal(clone->nsp, "/game");
    assert_true(fray_slice_equal(clone->name, FRAY_SLICE("shot")));
    assert_true(fray_slice_equal(clone->body, FRAY_SLICE("{\"_placeholder\":true,\"num\":0}")));
    assert_int_equal(clone->attachments_count, 2);
    assert_int_equal(clone->attachments[0].len, 2);
    assert_memory_equal(clone->attachments[0].data, "\0\1", 2);
    assert_int_equal(clone->attachments[1].len, 0);
    assert_int_equal(clone->class, FRAY_LATEST);
    assert_true(clone->key == key && clone->offset == 12 && clone->ack_id == 3);
    assert_int_equal(fray_message_size(clone), size);
    fray_message_unref(clone);
}

/* A bound that attachments do not count towards would be none. */
static void attachments_count_towards_the_size(void **state)
{
    (void)state;
    static const char blob[100000];
    struct fray_message *message = event("/", "e", "1");
    size_t size = fray_message_size(message);
    fray_message_attach(message, blob, sizeof blob);
    assert_int_equal(fray_message_size(message), size + sizeof blob);
    fray_message_unref(message);
}

static uint64_t key_of(const char *nsp, const char *name, const char *key)
{
    struct fray_message *message = event(nsp, name, "");
    fray_message_class(message, FRAY_LATEST, key);
    uint64_t hash = message->key;
    fray_message_unref(message);
    return hash;
}

/* A session's outbox holds the messages of all of its namespaces. */
static void a_key_is_of_its_namespace(void **state)
{
    (void)state;
    assert_true(key_of("/", "state", NULL) == key_of("/", "state", "state"));
    assert_true(key_of("/", "state", "a") == key_of("/", "other", "a"));
    assert_false(key_of("/", "state", "a") == key_of("/", "state", "b"));
    assert_false(key_of("/a", "state", NULL) == key_of("/b", "state", NULL));
    assert_false(key_of("/a", "bc", NULL) == key_of("/ab", "c", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_its_parts),
        cmocka_unit_test(keeps_an_attachment_in_its_own_block),
        cmocka_unit_test(lives_as_long_as_it_is_referenced),
        cmocka_unit_test(has_one_encoding_per_form),
        cmocka_unit_test(a_clone_is_the_same_message_without_encodings),
        cmocka_unit_test(attachments_count_towards_the_size),
        cmocka_unit_test(a_key_is_of_its_namespace),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
