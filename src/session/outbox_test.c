#include "session/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"

static const struct fray_outbox_limits limits = {.max_messages = 8, .max_bytes = 1000};

static struct fray_message *message_of(const char *body, enum fray_class class, const char *key)
{
    struct fray_message *message = fray_message_of(FRAY_MESSAGE_BARE_TEXT, fray_slice_of(body));
    fray_message_class(message, class, key);
    return message;
}

static enum fray_err push_within(struct fray_outbox *outbox,
                                 const struct fray_outbox_limits *bounds,
                                 struct fray_message *message)
{
    enum fray_err err = fray_outbox_push(outbox, message, bounds);
    fray_message_unref(message);
    return err;
}

static enum fray_err push(struct fray_outbox *outbox, const char *body, enum fray_class class,
                          const char *key)
{
    return push_within(outbox, &limits, message_of(body, class, key));
}

/* The bodies from the front, parted by spaces. */
static void assert_holds(const struct fray_outbox *outbox, const char *expected)
{
    struct fray_buf text = {0};
    for (unsigned i = 0; i < outbox->count; i++) {
        if (i)
            fray_buf_append_byte(&text, ' ');
        fray_buf_append_slice(&text, fray_outbox_at(outbox, i)->body);
    }
    fray_buf_append_byte(&text, '\0');
    assert_string_equal(text.data, expected);
    fray_buf_deinit(&text);
}

static void keeps_order(void **state)
{
    (void)state;
    struct fray_outbox outbox = {0};
    for (int round = 0; round < 20; round++) {
        assert_int_equal(push(&outbox, "a", FRAY_RELIABLE, NULL), FRAY_OK);
        assert_int_equal(push(&outbox, "b", FRAY_TRANSIENT, NULL), FRAY_OK);
        assert_int_equal(push(&outbox, "c", FRAY_LATEST, NULL), FRAY_OK);
        assert_holds(&outbox, "a b c");
        fray_outbox_pop(&outbox, 2);
        assert_int_equal(push(&outbox, "d", FRAY_RELIABLE, NULL), FRAY_OK);
        assert_holds(&outbox, "c d");
        fray_outbox_pop(&outbox, 2);
    }
    fray_outbox_deinit(&outbox);
}

static void owns_no_memory_when_empty(void **state)
{
    (void)state;
    struct fray_outbox outbox = {0}, zero = {0};
    assert_int_equal(push(&outbox, "a", FRAY_LATEST, "k"), FRAY_OK);
    assert_non_null(outbox.ring);
    fray_outbox_pop(&outbox, 1);
    assert_memory_equal(&outbox, &zero, sizeof zero);
    fray_outbox_pop(&outbox, 0);
    assert_memory_equal(&outbox, &zero, sizeof zero);
    assert_int_equal(push(&outbox, "a", FRAY_LATEST, "k"), FRAY_OK);
    fray_outbox_deinit(&outbox); /* frees what is still owed */
    assert_memory_equal(&outbox, &zero, sizeof zero);
}

static void latest_replaces_its_key_in_place(void **state)
{
    (void)state;
    struct fray_outbox outbox = {0};
    assert_int_equal(push(&outbox, "x1", FRAY_LATEST, "x"), FRAY_OK);
    assert_int_equal(push(&outbox, "a", FRAY_RELIABLE, "x"), FRAY_OK);
    assert_int_equal(push(&outbox, "y1", FRAY_LATEST, "y"), FRAY_OK);
    assert_int_equal(push(&outbox, "x2", FRAY_LATEST, "x"), FRAY_OK);
    assert_int_equal(push(&outbox, "y2 and longer", FRAY_LATEST, "y"), FRAY_OK);
    assert_holds(&outbox, "x2 a y2 and longer");
    assert_int_equal(outbox.ring->latest_count, 2);
    fray_outbox_deinit(&outbox);
}

static void never_replaces_what_is_half_sent(void **state)
{
    (void)state;
    struct fray_outbox outbox = {0};
    assert_int_equal(push(&outbox, "x1", FRAY_LATEST, "x"), FRAY_OK);
    outbox.head_sent = 1;
    assert_int_equal(push(&outbox, "x2", FRAY_LATEST, "x"), FRAY_OK);
    assert_holds(&outbox, "x1 x2");
    assert_int_equal(push(&outbox, "x3", FRAY_LATEST, "x"), FRAY_OK);
    assert_holds(&outbox, "x1 x3");
    assert_int_equal(outbox.head_sent, 1);
    fray_outbox_pop(&outbox, 1);
    assert_int_equal(outbox.head_sent, 0);
    assert_holds(&outbox, "x3");
    outbox.head_sent = 1;
    fray_outbox_rewind(&outbox);
    assert_int_equal(push(&outbox, "x4", FRAY_LATEST, "x"), FRAY_OK);
    assert_holds(&outbox, "x4");
    fray_outbox_deinit(&outbox);
}

static void is_bounded_by_count(void **state)
{
    (void)state;
    struct fray_outbox outbox = {0};
    for (int i = 0; i < 8; i++)
        assert_int_equal(push(&outbox, "a", FRAY_RELIABLE, NULL), FRAY_OK);
    uint32_t bytes = outbox.ring->bytes;
    assert_int_equal(push(&outbox, "b", FRAY_RELIABLE, NULL), FRAY_ERR_LIMIT);
    assert_int_equal(push(&outbox, "b", FRAY_LATEST, "k"), FRAY_ERR_LIMIT);
    assert_int_equal(push(&outbox, "b", FRAY_TRANSIENT, NULL), FRAY_ERR_LIMIT);
    assert_int_equal(outbox.count, 8);
    assert_int_equal(outbox.ring->bytes, bytes);
    fray_outbox_pop(&outbox, 1);
    assert_int_equal(push(&outbox, "k1", FRAY_LATEST, "k"), FRAY_OK);
    /* Full, but a newer state takes no room. */
    assert_int_equal(push(&outbox, "k2", FRAY_LATEST, "k"), FRAY_OK);
    assert_holds(&outbox, "a a a a a a a k2");
    fray_outbox_deinit(&outbox);
}

static void is_bounded_by_bytes(void **state)
{
    (void)state;
    char big[1201];
    memset(big, 'x', sizeof big - 1);
    big[1200] = '\0';
    struct fray_outbox outbox = {0};
    /* A bound smaller than one message must not mute a session. */
    assert_int_equal(push(&outbox, big, FRAY_RELIABLE, NULL), FRAY_OK);
    assert_int_equal(push(&outbox, "a", FRAY_RELIABLE, NULL), FRAY_ERR_LIMIT);
    fray_outbox_pop(&outbox, 1);
    assert_int_equal(push(&outbox, "a", FRAY_RELIABLE, NULL), FRAY_OK);
    assert_int_equal(push(&outbox, big, FRAY_RELIABLE, NULL), FRAY_ERR_LIMIT);
    assert_holds(&outbox, "a");
    struct fray_message *binary = message_of("b", FRAY_RELIABLE, NULL);
    fray_message_attach(binary, big, 1200);
    assert_int_equal(push_within(&outbox, &limits, binary), FRAY_ERR_LIMIT);
    fray_outbox_deinit(&outbox);
}

static void holds_more_than_16_bits_count(void **state)
{
    (void)state;
    struct fray_outbox_limits none = {.max_messages = UINT32_MAX, .max_bytes = UINT32_MAX};
    struct fray_outbox outbox = {0};
    struct fray_message *message = message_of("a", FRAY_RELIABLE, NULL);
    enum { MORE_THAN_16_BITS = 70000 };
    for (unsigned i = 0; i < MORE_THAN_16_BITS; i++)
        assert_int_equal(fray_outbox_push(&outbox, message, &none), FRAY_OK);
    assert_int_equal(outbox.count, MORE_THAN_16_BITS);
    fray_outbox_pop(&outbox, MORE_THAN_16_BITS - 1);
    assert_int_equal(fray_outbox_push(&outbox, message, &none), FRAY_OK);
    fray_outbox_pop(&outbox, 2);
    assert_null(outbox.ring);
    assert_int_equal(message->refs, 1);
    fray_message_unref(message);
}

/* The same by a plain list, for random pushes, pops and half-sent heads. */
struct model {
    struct fray_message *held[8];
    unsigned count;
    bool is_head_sent;
};

static size_t model_bytes(const struct model *model)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < model->count; i++)
        bytes += fray_message_size(model->held[i]);
    return bytes;
}

static enum fray_err model_push(struct model *model, struct fray_message *message)
{
    for (unsigned i = model->is_head_sent; message->class == FRAY_LATEST && i < model->count; i++) {
        if (model->held[i]->class == FRAY_LATEST && model->held[i]->key == message->key) {
            model->held[i] = message;
            return FRAY_OK;
        }
    }
    if (model->count && (model->count == limits.max_messages ||
                         model_bytes(model) + fray_message_size(message) > limits.max_bytes))
        return FRAY_ERR_LIMIT;
    model->held[model->count++] = message;
    return FRAY_OK;
}

static void agrees_with_a_list(void **state)
{
    (void)state;
    enum { MESSAGES = 64 };
    struct fray_message *messages[MESSAGES];
    struct fray_rng rng;
    fray_rng_init(&rng, 5);
    for (int i = 0; i < MESSAGES; i++) {
        char body[400] = {0}, key[] = {(char)('a' + i % 3), '\0'};
        memset(body, 'x', fray_rng_below(&rng, sizeof body));
        messages[i] = message_of(body, (enum fray_class)(fray_rng_below(&rng, 3)), key);
    }
    struct fray_outbox outbox = {0};
    struct model model = {0};
    for (int step = 0; step < 20000; step++) {
        struct fray_message *message = messages[fray_rng_below(&rng, MESSAGES)];
        if (fray_rng_chance(&rng, 600)) {
            assert_int_equal(fray_outbox_push(&outbox, message, &limits),
                             model_push(&model, message));
        } else if (fray_rng_chance(&rng, 500)) {
            unsigned count = (unsigned)fray_rng_below(&rng, model.count + 1);
            fray_outbox_pop(&outbox, count);
            model.count -= count;
            model.is_head_sent = false;
            memmove(model.held, model.held + count, model.count * sizeof(*model.held));
        } else if (model.count) {
            outbox.head_sent = 1;
            model.is_head_sent = true;
        }
        assert_int_equal(outbox.count, model.count);
        assert_int_equal(outbox.ring ? outbox.ring->bytes : 0, model_bytes(&model));
        assert_int_equal(outbox.ring == NULL, model.count == 0);
        for (unsigned i = 0; i < model.count; i++)
            assert_ptr_equal(fray_outbox_at(&outbox, i), model.held[i]);
    }
    fray_outbox_deinit(&outbox);
    for (int i = 0; i < MESSAGES; i++) {
        assert_int_equal(messages[i]->refs, 1);
        fray_message_unref(messages[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order),
        cmocka_unit_test(owns_no_memory_when_empty),
        cmocka_unit_test(latest_replaces_its_key_in_place),
        cmocka_unit_test(never_replaces_what_is_half_sent),
        cmocka_unit_test(is_bounded_by_count),
        cmocka_unit_test(is_bounded_by_bytes),
        cmocka_unit_test(holds_more_than_16_bits_count),
        cmocka_unit_test(agrees_with_a_list),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
