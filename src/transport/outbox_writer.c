#include "transport/outbox_writer.h"

#include "base/mem.h"

enum {
    GATHER_SIZE = 64 * 1024,
    GATHER_FRAME_MAX = 2048, /* larger messages are written from where they lie */
    BATCH_MAX = 512,         /* messages of one write */
    PARTS_MAX = 64,
};

void fray_outbox_writer_init(struct fray_outbox_writer *writer, struct fray_worker *worker)
{
    *writer = (struct fray_outbox_writer){worker, fray_alloc(GATHER_SIZE)};
}

void fray_outbox_writer_deinit(struct fray_outbox_writer *writer)
{
    free(writer->gather);
}

/* One write under way: parts, and how long each message in it is. */
struct batch {
    struct iovec parts[PARTS_MAX];
    int parts_count;
    size_t gathered;   /* bytes of writer->gather in use */
    unsigned messages; /* whole messages of the outbox in it */
    uint32_t sizes[BATCH_MAX];
};

/* Adds bytes to the batch, gathering small ones; false: it is full. */
static bool batch_add(struct batch *batch, char *gather, struct fray_slice bytes)
{
    if (bytes.len > GATHER_FRAME_MAX) {
        if (batch->parts_count == PARTS_MAX)
            return false;
        batch->parts[batch->parts_count++] = (struct iovec){(char *)bytes.data, bytes.len};
        return true;
    }
    if (batch->gathered + bytes.len > GATHER_SIZE)
        return false;
    char *to = gather + batch->gathered;
    struct iovec *last = batch->parts_count ? &batch->parts[batch->parts_count - 1] : NULL;
    bool continues = last && (char *)last->iov_base + last->iov_len == to;
    if (!continues && batch->parts_count == PARTS_MAX)
        return false;
    if (bytes.len)
        memcpy(to, bytes.data, bytes.len);
    batch->gathered += bytes.len;
    if (continues)
        last->iov_len += bytes.len;
    else
        batch->parts[batch->parts_count++] = (struct iovec){to, bytes.len};
    return true;
}

static void batch_fill(struct batch *batch, char *gather, const struct fray_link *link,
                       const struct fray_buf *own)
{
    const struct fray_session *session = link->session;
    const struct fray_outbox *outbox = &session->outbox;
    batch->parts_count = 0;
    batch->gathered = batch->messages = 0;
    if (own && own->len && !outbox->head_sent)
        batch->parts[batch->parts_count++] = (struct iovec){own->data, own->len};
    bool is_alone = outbox->count == 1 && !batch->parts_count;
    for (unsigned i = 0; i < outbox->count && batch->messages < BATCH_MAX; i++) {
        const struct fray_encoding *encoding = session->protocol->encode(
            session->worker, fray_outbox_at(outbox, i), link->ops->framing);
        struct fray_slice bytes = {encoding->bytes, encoding->len};
        if (i == 0)
            bytes = fray_slice_skip(bytes, outbox->head_sent);
        if (is_alone)
            batch->parts[batch->parts_count++] = (struct iovec){(char *)bytes.data, bytes.len};
        else if (!batch_add(batch, gather, bytes))
            break;
        batch->sizes[batch->messages++] = (uint32_t)bytes.len;
    }
}

/* Takes what was written off the own bytes and the outbox. */
static void batch_done(const struct batch *batch, struct fray_link *link, struct fray_buf *own,
                       size_t written)
{
    struct fray_outbox *outbox = &link->session->outbox;
    if (own && own->len && !outbox->head_sent) {
        size_t count = written < own->len ? written : own->len;
        written -= count;
        fray_buf_consume(own, count);
    }
    unsigned done = 0;
    while (done < batch->messages && written >= batch->sizes[done])
        written -= batch->sizes[done++];
    uint32_t head_sent = outbox->head_sent;
    if (done)
        fray_outbox_pop(outbox, done);
    if (outbox->count)
        outbox->head_sent = (done ? 0 : head_sent) + (uint32_t)written;
    fray_count_add(&link->session->worker->counters.messages_out, done);
}

bool fray_link_writev(struct fray_outbox_writer *writer, struct fray_link *link,
                      struct fray_stream *stream, const struct iovec *parts, int parts_count,
                      size_t *written)
{
    struct fray_counters *counters = &writer->worker->counters;
    enum fray_err err = fray_stream_writev(stream, parts, parts_count, written);
    fray_count(&counters->writes);
    fray_count_add(&counters->bytes_out, *written);
    if (err == FRAY_ERR_AGAIN)
        fray_count(&counters->writes_blocked);
    if (err)
        link->is_writable = false;
    return !err;
}

void fray_outbox_write(struct fray_outbox_writer *writer, struct fray_link *link,
                       struct fray_stream *stream, struct fray_buf *own)
{
    const struct fray_outbox *outbox = &link->session->outbox;
    struct batch batch;
    bool goes_on = true;
    while (goes_on && (outbox->count || (own && own->len))) {
        size_t written = 0, total = 0;
        batch_fill(&batch, writer->gather, link, own);
        for (int i = 0; i < batch.parts_count; i++)
            total += batch.parts[i].iov_len;
        if (total) /* a protocol may have no bytes for a message */
            goes_on =
                fray_link_writev(writer, link, stream, batch.parts, batch.parts_count, &written);
        batch_done(&batch, link, own, written);
    }
}
