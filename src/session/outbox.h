/* What a session is owed: a bounded queue of message references that its link writes from.
 *
 * Every class of message has its rule where the queue is full or the reader slow:
 *   reliable   kept in order; past the bounds the push fails and the session is closed
 *   latest     replaces an unsent one of the same key, in its place; past the bounds dropped
 *   transient  dropped by the session where it would have to wait; never queued behind a blocked
 * link
 *
 * An empty outbox owns no memory. Owner: its session. Thread: the session's worker. Pure. */
#ifndef FRAY_SESSION_OUTBOX_H
#define FRAY_SESSION_OUTBOX_H

#include "session/message.h"

struct fray_outbox {
    struct fray_outbox_ring *ring; /* NULL while empty */
    uint32_t head_sent; /* bytes of the first message's encoding that are on their way already */
    uint32_t count;     /* messages */
};

/* Where the messages are: heap, private to outbox.c but for fray_outbox_at. */
struct fray_outbox_ring {
    uint32_t bytes;        /* sum of fray_message_size */
    uint32_t latest_count; /* how many of them are FRAY_LATEST */
    uint32_t head, cap;    /* cap: a power of two */
    struct fray_message *messages[];
};

struct fray_outbox_limits {
    uint32_t max_messages; /* 1..2^24 */
    uint32_t max_bytes;
};

/* Takes a reference of its own. FRAY_ERR_LIMIT: past the bounds, nothing changed. */
FRAY_MUST_CHECK enum fray_err fray_outbox_push(struct fray_outbox *outbox,
                                               struct fray_message *message,
                                               const struct fray_outbox_limits *limits);

/* The message at `index` from the front; index < count. Borrowed. */
static inline struct fray_message *fray_outbox_at(const struct fray_outbox *outbox, unsigned index)
{
    const struct fray_outbox_ring *ring = outbox->ring;
    return ring->messages[(ring->head + index) & (ring->cap - 1)];
}

/* Forgets the first `count` messages: they are written. head_sent becomes 0. */
void fray_outbox_pop(struct fray_outbox *outbox, unsigned count);

/* For another link: what is half sent is sent again from its beginning. */
static inline void fray_outbox_rewind(struct fray_outbox *outbox)
{
    outbox->head_sent = 0;
}

void fray_outbox_deinit(struct fray_outbox *outbox);

#endif
