#include "net/stream_unread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SHRINK_ABOVE = 4096 };

struct fray_stream_unread *fray_stream_unread_create(struct fray_stream *stream, size_t cap)
{
    struct fray_stream_unread *unread = fray_alloc(sizeof *unread + cap);
    *unread = (struct fray_stream_unread){.stream = stream, .cap = cap};
    return unread;
}

static struct fray_stream_unread *move_to(struct fray_stream_unread *unread, size_t cap)
{
    assert(!fray_timer_is_armed(&unread->offer));
    struct fray_stream_unread *to = fray_stream_unread_create(unread->stream, cap);
    to->offer = unread->offer;
    to->end = fray_stream_unread_len(unread);
    memcpy(to->data, unread->data + unread->start, to->end);
    free(unread);
    return to;
}

struct fray_stream_unread *fray_stream_unread_reserve(struct fray_stream_unread *unread,
                                                      size_t extra)
{
    size_t len = fray_stream_unread_len(unread);
    if (unread->cap - unread->end >= extra)
        return unread;
    if (len > unread->start || unread->cap - len < extra)
        return move_to(unread, len + (extra > len ? extra : len));
    memcpy(unread->data, unread->data + unread->start, len); /* no overlap: len <= start */
    unread->start = 0;
    unread->end = len;
    return unread;
}

struct fray_stream_unread *fray_stream_unread_shrink(struct fray_stream_unread *unread)
{
    size_t len = fray_stream_unread_len(unread);
    if (unread->cap <= SHRINK_ABOVE || len >= unread->cap / 4)
        return unread;
    return move_to(unread, len);
}
