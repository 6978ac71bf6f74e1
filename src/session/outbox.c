#include "session/outbox.h"

#include <assert.h>

#include "base/mem.h"

enum { OUTBOX_CAP_MIN = 4, OUTBOX_CAP_MAX = 1 << 24 };

static struct fray_message **slot(const struct fray_outbox *outbox, unsigned index)
{
    struct fray_outbox_ring *ring = outbox->ring;
    return &ring->messages[(ring->head + index) & (ring->cap - 1)];
}

static void grow(struct fray_outbox *outbox)
{
    const struct fray_outbox_ring *former = outbox->ring;
    uint32_t cap = former ? former->cap * 2 : OUTBOX_CAP_MIN;
    struct fray_outbox_ring *ring = fray_alloc(sizeof *ring + cap * sizeof(struct fray_message *));
    *ring = (struct fray_outbox_ring){.cap = cap};
    if (former) {
        ring->bytes = former->bytes;
        ring->latest_count = former->latest_count;
    }
    for (unsigned i = 0; i < outbox->count; i++)
        ring->messages[i] = *slot(outbox, i);
    free(outbox->ring);
    outbox->ring = ring;
}

/* Puts the message in the place of an unsent one of its key. */
static bool replace_latest(struct fray_outbox *outbox, struct fray_message *message)
{
    for (unsigned i = outbox->head_sent ? 1 : 0; i < outbox->count; i++) {
        struct fray_message **at = slot(outbox, i);
        if ((*at)->class != FRAY_LATEST || (*at)->key != message->key)
            continue;
        outbox->ring->bytes += (uint32_t)fray_message_size(message);
        outbox->ring->bytes -= (uint32_t)fray_message_size(*at);
        fray_message_unref(*at);
        *at = fray_message_ref(message);
        return true;
    }
    return false;
}

/* The first message always fits: a bound smaller than one message must not mute a session. */
static bool is_full(const struct fray_outbox *outbox, size_t size,
                    const struct fray_outbox_limits *limits)
{
    return outbox->count &&
           (outbox->count >= limits->max_messages || outbox->count == OUTBOX_CAP_MAX ||
            outbox->ring->bytes + size > limits->max_bytes);
}

enum fray_err fray_outbox_push(struct fray_outbox *outbox, struct fray_message *message,
                               const struct fray_outbox_limits *limits)
{
    bool latest = message->class == FRAY_LATEST;
    if (latest && outbox->ring && outbox->ring->latest_count && replace_latest(outbox, message))
        return FRAY_OK;
    size_t size = fray_message_size(message);
    if (is_full(outbox, size, limits))
        return FRAY_ERR_LIMIT;
    if (!outbox->ring || outbox->count == outbox->ring->cap)
        grow(outbox);
    *slot(outbox, outbox->count++) = fray_message_ref(message);
    outbox->ring->bytes += (uint32_t)size;
    if (latest)
        outbox->ring->latest_count++;
    return FRAY_OK;
}

void fray_outbox_pop(struct fray_outbox *outbox, unsigned count)
{
    struct fray_outbox_ring *ring = outbox->ring;
    assert(count <= outbox->count);
    for (unsigned i = 0; i < count; i++) {
        struct fray_message *message = *slot(outbox, i);
        ring->bytes -= (uint32_t)fray_message_size(message);
        if (message->class == FRAY_LATEST)
            ring->latest_count--;
        fray_message_unref(message);
    }
    outbox->head_sent = 0;
    outbox->count -= count;
    if (outbox->count) {
        ring->head = (ring->head + count) & (ring->cap - 1);
        return;
    }
    free(ring);
    outbox->ring = NULL;
}

void fray_outbox_deinit(struct fray_outbox *outbox)
{
    fray_outbox_pop(outbox, outbox->count);
}
