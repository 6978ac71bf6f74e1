/* Moving a connection from one loop to another: between a worker that accepted it and the one whose
 * business it is. */
#include <stdlib.h>

#include "net/lab_wire.h"
#include "net/stream.h"
#include "net/stream_unread.h"
#include "net/tls.h"

void fray_stream_detach(struct fray_stream *stream, struct fray_slice unread,
                        struct fray_stream_cargo *cargo)
{
    struct fray_loop *loop = stream->loop;
    *cargo = (struct fray_stream_cargo){
        .fd = stream->source.fd, .tls = stream->tls, .peer = stream->peer};
    fray_buf_append_slice(&cargo->unread, unread);
    enum fray_err never = loop->ops->watch(loop, &stream->source, 0);
    (void)never; /* unwatching does not fail */
    cargo->lab = fray_lab_detach(loop, cargo->fd);
    if (stream->unread) {
        fray_timer_cancel(&loop->timers, &stream->unread->offer);
        fray_loop_release(loop, stream->unread);
        stream->unread = NULL;
    }
    stream->tls = NULL;
    stream->is_closed = true;
    loop->streams_count--;
    fray_loop_release_cell(loop, stream, sizeof *stream);
}

struct fray_stream *fray_stream_attach(struct fray_loop *loop, struct fray_stream_cargo *cargo,
                                       const struct fray_stream_handler *handler, void *owner)
{
    if (cargo->lab)
        fray_lab_attach(loop, cargo->lab);
    struct fray_stream *stream = fray_stream_create(loop, cargo->fd, &cargo->peer, handler, owner);
    size_t len = cargo->unread.len;
    if (!stream) {
        if (cargo->tls)
            fray_tls_destroy(cargo->tls);
        fray_buf_deinit(&cargo->unread);
        if (loop->on_stream_gone)
            loop->on_stream_gone(loop, &cargo->peer);
        return NULL;
    }
    stream->tls = cargo->tls;
    if (len) {
        stream->unread = fray_stream_unread_create(stream, len);
        memcpy(stream->unread->data, cargo->unread.data, len);
        stream->unread->end = len;
    }
    fray_buf_deinit(&cargo->unread);
    fray_stream_adopt(stream, handler, owner); /* has the rest offered */
    return stream;
}

void fray_stream_cargo_close(struct fray_loop *loop, struct fray_stream_cargo *cargo)
{
    if (cargo->tls)
        fray_tls_destroy(cargo->tls);
    fray_buf_deinit(&cargo->unread);
    if (cargo->lab)
        fray_lab_attach(loop, cargo->lab); /* what it holds is delivered first */
    loop->ops->close(loop, cargo->fd, false);
}
