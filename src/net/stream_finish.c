/* The lingering close: a stream whose last words have been said, and that nobody owns any more. */
#include <stdlib.h>

#include "base/mem.h"
#include "net/stream.h"
#include "net/tls.h"

enum { DISCARD_MAX = 1024 * 1024 }; /* a peer that sends more than this is not about to listen */

struct linger {
    struct fray_orphan orphan; /* first */
    struct fray_timer timer;
    struct fray_stream *stream;
    size_t discarded;
    bool is_shut; /* FIN is sent */
};

static void linger_end(struct linger *linger)
{
    struct fray_stream *stream = linger->stream;
    fray_timer_cancel(&stream->loop->timers, &linger->timer);
    fray_loop_remove_orphan(&linger->orphan);
    free(linger);
    fray_stream_close(stream, false);
}

static void on_destroy(struct fray_loop *loop, struct fray_orphan *orphan)
{
    (void)loop;
    linger_end((struct linger *)orphan);
}

static void on_timeout(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    linger_end((struct linger *)((char *)timer - offsetof(struct linger, timer)));
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    (void)data;
    struct linger *linger = stream->owner;
    linger->discarded += len;
    if (linger->discarded > DISCARD_MAX)
        linger_end(linger);
    return len;
}

/* All that TLS had to send is sent. */
static void on_writable(struct fray_stream *stream)
{
    struct linger *linger = stream->owner;
    linger->is_shut = true;
    stream->loop->ops->shutdown(stream->loop, stream->source.fd);
    if (stream->end_why)
        linger_end(linger);
}

/* A peer that ended its side may still be reading what TLS has to send. */
static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct linger *linger = stream->owner;
    if (linger->is_shut || why == FRAY_ERR_IO)
        linger_end(linger);
}

static const struct fray_stream_handler linger_handler = {on_data, on_writable, on_end};

/* TLS has its own end to send first. Returns whether the kernel still has to take some of it. */
static bool finish_tls(struct fray_stream *stream)
{
    if (!stream->tls)
        return false;
    fray_tls_finish(stream->tls);
    size_t count;
    enum fray_err err = fray_stream_writev(stream, NULL, 0, &count);
    return err != FRAY_ERR_IO && fray_tls_output(stream->tls)->len > 0;
}

void fray_stream_finish(struct fray_stream *stream, unsigned linger_ms)
{
    if (stream->is_closed)
        return;
    bool waits_to_send = finish_tls(stream);
    if (stream->end_why == FRAY_ERR_IO || (stream->end_why && !waits_to_send)) {
        fray_stream_close(stream, false);
        return;
    }
    struct fray_loop *loop = stream->loop;
    struct linger *linger = fray_alloc_zero(sizeof *linger);
    linger->orphan.destroy = on_destroy;
    linger->timer.on_expire = on_timeout;
    linger->stream = stream;
    fray_loop_add_orphan(loop, &linger->orphan);
    fray_timer_arm(&loop->timers, &linger->timer, loop->now_us + (uint64_t)linger_ms * 1000);
    fray_stream_adopt(stream, &linger_handler, linger);
    fray_stream_resume(stream);
    stream->is_blocked = waits_to_send;
    if (!waits_to_send) {
        linger->is_shut = true;
        loop->ops->shutdown(loop, stream->source.fd);
    }
}
