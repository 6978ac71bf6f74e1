/* What a stream's handler left unconsumed: bytes that are appended at the end and consumed at the
 * front, both at a cost proportional to them alone (a handler that eats a large rest in small bites
 * does not move it each time). Part of net/stream.h, used by nobody else. */
#ifndef FRAY_NET_STREAM_UNREAD_H
#define FRAY_NET_STREAM_UNREAD_H

#include <stddef.h>

#include "base/timer_wheel.h"

struct fray_stream;

/* One allocation, owned by the stream. Moves when it grows or shrinks: only while `offer` is not
 * armed. */
struct fray_stream_unread {
    struct fray_timer offer; /* armed while the bytes are to be offered again */
    struct fray_stream *stream;
    size_t start, end, cap; /* the bytes are data[start..end) */
    char data[];
};

struct fray_stream_unread *fray_stream_unread_create(struct fray_stream *stream, size_t cap);

static inline size_t fray_stream_unread_len(const struct fray_stream_unread *unread)
{
    return unread->end - unread->start;
}

/* Makes room for `extra` bytes at data[end]. Returns the block, which may have moved. */
struct fray_stream_unread *fray_stream_unread_reserve(struct fray_stream_unread *unread,
                                                      size_t extra);

/* Gives memory back when little of it is in use. Returns the block, which may have moved. */
struct fray_stream_unread *fray_stream_unread_shrink(struct fray_stream_unread *unread);

#endif
