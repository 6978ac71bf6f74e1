/* Writes a session's outbox to a stream: as much as one system call takes, small messages gathered,
 * large ones from where they lie. What the stream refuses stays in the outbox. Shared by the links
 * that carry their messages as one run of bytes (websocket, tcp). Thread: the worker's. */
#ifndef FRAY_TRANSPORT_OUTBOX_WRITER_H
#define FRAY_TRANSPORT_OUTBOX_WRITER_H

#include "net/stream.h"
#include "session/session.h"

/* One for each worker and transport; outlives the links that use it. */
struct fray_outbox_writer {
    struct fray_worker *worker;
    char *gather; /* where small messages of one write are put together */
};

void fray_outbox_writer_init(struct fray_outbox_writer *writer, struct fray_worker *worker);
void fray_outbox_writer_deinit(struct fray_outbox_writer *writer);

/* Writes what the link's session is owed, encoded in the link's framing, until nothing is left or
 * the stream takes no more; then link->is_writable is false. `own` are bytes of the link that go
 * before the next message that has not been begun; consumed as they are written. NULL: none. */
void fray_outbox_write(struct fray_outbox_writer *writer, struct fray_link *link,
                       struct fray_stream *stream, struct fray_buf *own);

/* Writes the parts, `total` bytes, and counts them. False: the stream takes no more, or is broken,
 * which shows as its end on the next turn; link->is_writable is false then. */
bool fray_link_writev(struct fray_outbox_writer *writer, struct fray_link *link,
                      struct fray_stream *stream, const struct iovec *parts, int parts_count,
                      size_t *written);

#endif
