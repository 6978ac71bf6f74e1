#include "net/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/lab_wire.h"
#include "net/stream_unread.h"
#include "net/tls.h"

enum {
    /* A peer that fills every read gets this many in a turn, then the others have theirs. */
    READ_ROUNDS_MAX = 4,
    /* The first read behind a rest asks for little, for the frame may end there; each further read
     * of the turn asks for four times as much. */
    UNREAD_ROOM = 4096,
    /* TLS: plain text goes to the front of the loop's buffer, what was received is behind it. */
    CIPHER_MAX = (FRAY_LOOP_BUFFER_SIZE - FRAY_TLS_RECORD_MAX) / 2,
    CIPHER_AT = FRAY_LOOP_BUFFER_SIZE - CIPHER_MAX,
};

_Static_assert(sizeof(struct fray_stream) <= 80, "an idle connection is mostly this");

static struct fray_stream *stream_of(struct fray_source *source)
{
    return (struct fray_stream *)source;
}

/* What is left over. */

static void on_offer_due(struct fray_timer *timer, uint64_t now_us);

static bool is_offer_armed(const struct fray_stream *stream)
{
    return stream->unread && fray_timer_is_armed(&stream->unread->offer);
}

/* The rest is offered at the end of this turn or in the next: not here, for the caller may be the
 * handler itself. */
static void arm_offer(struct fray_stream *stream)
{
    if (!stream->unread)
        stream->unread = fray_stream_unread_create(stream, 0);
    stream->unread->offer.on_expire = on_offer_due;
    fray_timer_arm(&stream->loop->timers, &stream->unread->offer, 0);
}

static void disarm_offer(struct fray_stream *stream)
{
    if (stream->unread)
        fray_timer_cancel(&stream->loop->timers, &stream->unread->offer);
}

static void update_watch(struct fray_stream *stream)
{
    bool reads = !stream->is_paused && !stream->end_why;
    bool writes = stream->tls ? fray_tls_output(stream->tls)->len > 0 : stream->is_blocked;
    unsigned mask = (reads ? FRAY_READY_READ : 0u) | (writes ? FRAY_READY_WRITE : 0u);
    if (stream->loop->ops->watch(stream->loop, &stream->source, mask) && !stream->end_why) {
        stream->end_why = FRAY_ERR_IO; /* unwatched, it would never be heard of again */
        arm_offer(stream);
    }
}

/* Returns what the handler consumed; everything, when it closed the stream. */
static size_t offer(struct fray_stream *stream, char *data, size_t len)
{
    stream->is_offer_due = false;
    size_t used = stream->handler->on_data(stream, data, len);
    assert(stream->is_closed || used <= len);
    return stream->is_closed ? len : used;
}

static void offer_fresh(struct fray_stream *stream, char *data, size_t len)
{
    size_t used = offer(stream, data, len);
    if (used == len)
        return;
    disarm_offer(stream);
    free(stream->unread); /* empty: made meanwhile to be armed */
    stream->unread = fray_stream_unread_create(stream, len - used);
    memcpy(stream->unread->data, data + used, len - used);
    stream->unread->end = len - used;
}

static void offer_unread(struct fray_stream *stream)
{
    struct fray_stream_unread *unread = stream->unread;
    size_t len = fray_stream_unread_len(unread);
    disarm_offer(stream);
    size_t used = len ? offer(stream, unread->data + unread->start, len) : 0;
    if (stream->is_closed)
        return;
    disarm_offer(stream);
    unread->start += used;
    if (used == len) {
        free(unread);
        stream->unread = NULL;
        return;
    }
    stream->unread = fray_stream_unread_shrink(unread);
}

/* After an offer, or an end: what is left to be said now, or soon. Not called by handlers. */
static void settle(struct fray_stream *stream)
{
    if (stream->is_closed || stream->is_paused || is_offer_armed(stream))
        return;
    if (stream->unread && stream->is_offer_due) {
        arm_offer(stream);
    } else if (stream->end_why && !stream->is_end_told) {
        stream->is_end_told = true;
        stream->handler->on_end(stream, stream->end_why);
    }
}

static void on_offer_due(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct fray_stream *stream = ((struct fray_stream_unread *)timer)->stream;
    offer_unread(stream);
    settle(stream);
}

static void end(struct fray_stream *stream, enum fray_err why)
{
    if (stream->is_closed || stream->end_why)
        return;
    /* A reset shows in one call only, and that may have been a write. */
    stream->end_why = (uint8_t)(stream->is_broken ? FRAY_ERR_IO : why);
    update_watch(stream);
    settle(stream);
}

/* Writing. */

/* Sends what TLS has to send. FRAY_ERR_AGAIN: some is left. */
static enum fray_err flush_tls(struct fray_stream *stream)
{
    struct fray_buf *output = fray_tls_output(stream->tls);
    if (output->len == 0)
        return FRAY_OK;
    struct iovec part = {output->data, output->len};
    size_t count;
    enum fray_err err =
        stream->loop->ops->writev(stream->loop, stream->source.fd, &part, 1, &count);
    if (err == FRAY_ERR_AGAIN)
        fray_buf_consume(output, count);
    else
        fray_buf_deinit(output);
    return err;
}

static enum fray_err write_tls(struct fray_stream *stream, const struct iovec *parts,
                               int parts_count, size_t *count)
{
    size_t len = 0;
    for (int i = 0; i < parts_count; i++)
        len += parts[i].iov_len;
    enum fray_err err = flush_tls(stream); /* what an earlier call left, or close_notify */
    while (*count < len && !err) {
        size_t taken = 0;
        err = fray_tls_send(stream->tls, parts, parts_count, *count, &taken);
        *count += taken;
        if (!err)
            err = flush_tls(stream);
    }
    if (err == FRAY_ERR_AGAIN && *count == len)
        err = FRAY_OK; /* the caller is rid of it all; what waits is ours */
    return err;
}

enum fray_err fray_stream_writev(struct fray_stream *stream, const struct iovec *parts,
                                 int parts_count, size_t *count)
{
    *count = 0;
    if (stream->is_closed || stream->is_broken || stream->end_why == FRAY_ERR_IO)
        return FRAY_ERR_IO;
    if (stream->is_blocked)
        return FRAY_ERR_AGAIN;
    if (stream->loop->lab)
        fray_lab_touch(stream->loop, &stream->source);
    enum fray_err err = stream->tls ? write_tls(stream, parts, parts_count, count)
                                    : stream->loop->ops->writev(stream->loop, stream->source.fd,
                                                                parts, parts_count, count);
    stream->is_blocked = err == FRAY_ERR_AGAIN;
    stream->is_broken = err == FRAY_ERR_IO;
    update_watch(stream);
    return err;
}

/* The watch is changed after the call: who blocks again right away costs no system call. */
static void unblock(struct fray_stream *stream)
{
    if (stream->is_blocked) {
        stream->is_blocked = false;
        stream->handler->on_writable(stream);
    }
    if (!stream->is_closed)
        update_watch(stream);
}

static void on_write_ready(struct fray_stream *stream)
{
    if (stream->tls) {
        enum fray_err err = flush_tls(stream);
        if (err == FRAY_ERR_AGAIN)
            return;
        if (err)
            end(stream, err);
        if (stream->is_closed)
            return;
        if (!err && !fray_tls_is_ready(stream->tls)) {
            update_watch(stream);
            return;
        }
    }
    unblock(stream);
}

/* Reading. */

static enum fray_err read_plain(struct fray_stream *stream, unsigned round, bool *is_full)
{
    struct fray_loop *loop = stream->loop;
    char *at = loop->buffer;
    size_t room = FRAY_LOOP_BUFFER_SIZE, count;
    if (stream->unread) {
        stream->unread =
            fray_stream_unread_reserve(stream->unread, (size_t)UNREAD_ROOM << 2 * round);
        at = stream->unread->data + stream->unread->end;
        room = stream->unread->cap - stream->unread->end;
    }
    enum fray_err err = loop->ops->read(loop, stream->source.fd, at, room, &count);
    if (err)
        return err;
    *is_full = count == room;
    if (stream->unread) {
        stream->unread->end += count;
        offer_unread(stream);
    } else {
        offer_fresh(stream, at, count);
    }
    return FRAY_OK;
}

static enum fray_err read_tls(struct fray_stream *stream, bool *is_full)
{
    struct fray_loop *loop = stream->loop;
    char *cipher = loop->buffer + CIPHER_AT, *plain = loop->buffer;
    size_t cipher_len, count;
    enum fray_err err = loop->ops->read(loop, stream->source.fd, cipher, CIPHER_MAX, &cipher_len);
    if (err)
        return err;
    *is_full = cipher_len == CIPHER_MAX;
    bool has_unread = stream->unread;
    if (has_unread) {
        stream->unread =
            fray_stream_unread_reserve(stream->unread, cipher_len + FRAY_TLS_RECORD_MAX);
        plain = stream->unread->data + stream->unread->end;
    }
    err = fray_tls_receive(stream->tls, fray_slice(cipher, cipher_len), plain, &count);
    enum fray_err flushed = flush_tls(stream); /* a broken connection shows at the next read */
    if (flushed == FRAY_ERR_AGAIN)
        update_watch(stream);
    if (has_unread && count) {
        stream->unread->end += count;
        offer_unread(stream);
    } else if (count) {
        offer_fresh(stream, plain, count);
    }
    if (!err && !stream->is_closed && stream->is_blocked && !flushed &&
        fray_tls_is_ready(stream->tls))
        unblock(stream); /* it was the handshake that blocked */
    return err;
}

static void on_read_ready(struct fray_stream *stream)
{
    if (is_offer_armed(stream)) {
        offer_unread(stream);
        settle(stream);
    }
    bool is_full = true;
    for (unsigned round = 0; round < READ_ROUNDS_MAX && is_full; round++) {
        if (stream->is_closed || stream->is_paused || stream->end_why || is_offer_armed(stream))
            return;
        enum fray_err err =
            stream->tls ? read_tls(stream, &is_full) : read_plain(stream, round, &is_full);
        if (err == FRAY_ERR_AGAIN)
            return;
        if (err)
            end(stream, err);
        settle(stream);
    }
}

static void on_ready(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    struct fray_stream *stream = stream_of(source);
    if (loop->lab)
        fray_lab_touch(loop, source);
    if (ready & FRAY_READY_WRITE)
        on_write_ready(stream);
    if (ready & FRAY_READY_READ && !stream->is_closed && !stream->is_paused)
        on_read_ready(stream);
}

void fray_stream_pause(struct fray_stream *stream)
{
    if (stream->is_paused || stream->is_closed)
        return;
    stream->is_paused = true;
    disarm_offer(stream);
    update_watch(stream);
}

void fray_stream_resume(struct fray_stream *stream)
{
    if (!stream->is_paused || stream->is_closed)
        return;
    stream->is_paused = false;
    stream->is_offer_due = true;
    if (stream->unread || (stream->end_why && !stream->is_end_told))
        arm_offer(stream);
    update_watch(stream);
}

/* Life. */

struct fray_stream *fray_stream_create(struct fray_loop *loop, int fd,
                                       const struct fray_address *peer,
                                       const struct fray_stream_handler *handler, void *owner)
{
    struct fray_stream *stream = fray_cells_take(&loop->cells, sizeof *stream);
    stream->source = (struct fray_source){.fd = fd, .on_ready = on_ready};
    stream->loop = loop;
    if (peer)
        stream->peer = *peer;
    stream->handler = handler;
    stream->owner = owner;
    if (loop->ops->watch(loop, &stream->source, FRAY_READY_READ)) {
        loop->ops->close(loop, fd, false);
        fray_cells_give(&loop->cells, stream, sizeof *stream);
        return NULL;
    }
    loop->streams_count++;
    return stream;
}

void fray_stream_adopt(struct fray_stream *stream, const struct fray_stream_handler *handler,
                       void *owner)
{
    stream->handler = handler;
    stream->owner = owner;
    stream->is_offer_due = true;
    if (stream->unread && !stream->is_paused && !stream->is_closed)
        arm_offer(stream);
}

static enum fray_err start_tls(struct fray_stream *stream, struct fray_tls *tls,
                               struct fray_slice early)
{
    assert(!stream->tls && !stream->is_closed);
    stream->tls = tls;
    /* No plain text can come of it: the client's first depends on the server's reply, since early
     * data (RFC 8446 2.3) is not accepted. */
    char *plain = fray_alloc(early.len + FRAY_TLS_RECORD_MAX);
    size_t count;
    enum fray_err err = fray_tls_receive(stream->tls, early, plain, &count);
    free(plain);
    enum fray_err flushed = flush_tls(stream);
    if (!err && count > 0)
        err = FRAY_ERR_SYNTAX;
    if (!err && flushed == FRAY_ERR_IO)
        err = FRAY_ERR_IO;
    if (!err)
        update_watch(stream);
    return err;
}

enum fray_err fray_stream_start_tls(struct fray_stream *stream, struct fray_tls_context *context,
                                    struct fray_slice early)
{
    return start_tls(stream, fray_tls_create(context, NULL), early);
}

enum fray_err fray_stream_connect_tls(struct fray_stream *stream, struct fray_tls_context *context,
                                      const char *server)
{
    return start_tls(stream, fray_tls_create(context, server), (struct fray_slice){0});
}

bool fray_stream_is_tls(const struct fray_stream *stream)
{
    return stream->tls != NULL;
}

const char *fray_stream_distrust(const struct fray_stream *stream)
{
    return stream->tls ? fray_tls_distrust(stream->tls) : NULL;
}

const struct fray_address *fray_stream_peer(const struct fray_stream *stream)
{
    return &stream->peer;
}

/* Says goodbye, if the peer still listens and the kernel takes it. */
static void close_tls(struct fray_stream *stream, bool reset)
{
    if (!reset && stream->end_why != FRAY_ERR_IO) {
        fray_tls_finish(stream->tls);
        enum fray_err ignored = flush_tls(stream);
        (void)ignored;
    }
    fray_tls_destroy(stream->tls);
    stream->tls = NULL;
}

void fray_stream_close(struct fray_stream *stream, bool reset)
{
    if (stream->is_closed)
        return;
    stream->is_closed = true;
    if (stream->tls)
        close_tls(stream, reset);
    if (stream->unread) {
        disarm_offer(stream);
        fray_loop_release(stream->loop, stream->unread); /* on_data may still look at it */
        stream->unread = NULL;
    }
    fray_source_close(stream->loop, &stream->source, reset);
    stream->loop->streams_count--;
    if (stream->loop->on_stream_gone)
        stream->loop->on_stream_gone(stream->loop, &stream->peer);
    fray_loop_release_cell(stream->loop, stream, sizeof *stream);
}
