#include "protocol/early_frames.h"

#include "base/mem.h"

enum { EARLY_MAX = 64 };

void fray_early_frames_keep(struct fray_early_frame **first, struct fray_session *session,
                            struct fray_slice frame, bool is_binary)
{
    size_t bytes = frame.len, count = 0;
    struct fray_early_frame **link = first;
    for (; *link; link = &(*link)->next, count++)
        bytes += (*link)->frame.len;
    if (count && (count == EARLY_MAX || bytes > session->worker->outbox_limits.max_bytes)) {
        fray_count(&session->worker->counters.closed_flooding);
        fray_session_close(session, FRAY_FLOODING);
        return;
    }
    struct fray_early_frame *early = fray_alloc(sizeof *early + frame.len);
    /* Before the bytes: they begin in the struct's padding, which an assignment overwrites. */
    *early = (struct fray_early_frame){.frame = {early->bytes, frame.len}, .is_binary = is_binary};
    if (frame.len)
        memcpy(early->bytes, frame.data, frame.len);
    *link = early;
}

struct fray_early_frame *fray_early_frames_take(struct fray_early_frame **first)
{
    struct fray_early_frame *early = *first;
    if (early)
        *first = early->next;
    return early;
}

void fray_early_frames_drop(struct fray_early_frame **first)
{
    for (struct fray_early_frame *early; (early = fray_early_frames_take(first));)
        free(early);
}
