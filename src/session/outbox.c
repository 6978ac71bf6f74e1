#include "session/outbox.h"

#include <assert.h>

#include "base/mem.h"

enum { OUTBOX_CAP_MIN = 4, OUTBOX_CAP_MAX = 32768 };

static struct fray_message **slot(const struct fray_outbox *outbox, unsigned index)
{
    return &outbox->ring[(outbox->head + index) & (outbox->cap - 1)];
}

static void grow(struct fray_outbox *outbox)
{
    unsigned cap = outbox->cap ? outbox->cap * 2u : OUTBOX_CAP_MIN;
    struct fray_message **ring = fray_alloc(cap * sizeof *ring);
    for (unsigned i = 0; i < outbox->count; i++)
        ring[i] = *slot(outbox, i);
    free(outbox->ring);
    outbox->ring = ring;
    outbox->head = 0;
    outbox->cap = (uint16_t)cap;
}

/* Puts the message in the place of an unsent one of its key. */
static bool replace_latest(struct fray_outbox *outbox, struct fray_message *message)
{
    for (unsigned i = outbox->head_sent ? 1 : 0; i < outbox->count; i++) {
        struct fray_message **at = slot(outbox, i);
        if ((*at)->class != FRAY_LATEST || (*at)->key != message->key)
            continue;
        outbox->bytes += (uint32_t)fray_message_size(message);
        outbox->bytes -= (uint32_t)fray_message_size(*at);
        fray_message_unref(*at);
        *at = fray_message_ref(message);
        return true;
    }
    return false;
}

enum fray_err fray_outbox_push(struct fray_outbox *outbox, struct fray_message *message,
                               const struct fray_outbox_limits *limits)
{
    bool latest = message->class == FRAY_LATEST;
    if (latest && outbox->latest_count && replace_latest(outbox, message))
        return FRAY_OK;
    size_t size = fray_message_size(message);
    /* The first message always fits: a bound smaller than one message must not mute a session. */
    if (outbox->count &&
        (outbox->count >= limits->max_messages || outbox->count == OUTBOX_CAP_MAX ||
         outbox->bytes + size > limits->max_bytes))
        return FRAY_ERR_LIMIT;
    if (outbox->count == outbox->cap)
        grow(outbox);
    *slot(outbox, outbox->count) = fray_message_ref(message);
    outbox->count++;
    outbox->bytes += (uint32_t)size;
    if (latest)
        outbox->latest_count++;
    return FRAY_OK;
}

static void forget(struct fray_outbox *outbox, struct fray_message *message)
{
    outbox->bytes -= (uint32_t)fray_message_size(message);
    if (message->class == FRAY_LATEST)
        outbox->latest_count--;
    fray_message_unref(message);
}

static void free_if_empty(struct fray_outbox *outbox)
{
    if (outbox->count)
        return;
    free(outbox->ring);
    *outbox = (struct fray_outbox){0};
}

void fray_outbox_pop(struct fray_outbox *outbox, unsigned count)
{
    assert(count <= outbox->count);
    for (unsigned i = 0; i < count; i++)
        forget(outbox, *slot(outbox, i));
    outbox->head = (uint16_t)((outbox->head + count) & (unsigned)(outbox->cap - 1));
    outbox->count = (uint16_t)(outbox->count - count);
    outbox->head_sent = 0;
    free_if_empty(outbox);
}

void fray_outbox_deinit(struct fray_outbox *outbox)
{
    fray_outbox_pop(outbox, outbox->count);
}
