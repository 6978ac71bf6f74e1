#include "transport/tcp.h"

#include "base/mem.h"

struct tcp {
    struct fray_link link; /* first */
    struct fray_tcp_service *service;
    struct fray_stream *stream; /* NULL once closed */
};

void fray_tcp_service_init(struct fray_tcp_service *service, struct fray_worker *worker)
{
    fray_outbox_writer_init(&service->writer, worker);
    service->close_timeout_ms = 2000;
}

void fray_tcp_service_deinit(struct fray_tcp_service *service)
{
    fray_outbox_writer_deinit(&service->writer);
}

/* Lets go of the stream, and of itself. */
static void release(struct tcp *self)
{
    struct fray_worker *worker = self->service->writer.worker;
    self->stream = NULL;
    self->link.is_writable = false;
    worker->release(worker, self, sizeof *self);
}

static void on_flush(struct fray_link *link)
{
    struct tcp *self = (struct tcp *)link;
    fray_outbox_write(&self->service->writer, link, self->stream, NULL);
}

static void on_close(struct fray_link *link, enum fray_disconnect reason)
{
    struct tcp *self = (struct tcp *)link;
    if (!self->stream)
        return;
    /* Who reads too slowly, or not at all, is not waited for. */
    if (link->is_writable && reason != FRAY_SLOW_READER)
        fray_stream_finish(self->stream, self->service->close_timeout_ms);
    else
        fray_stream_close(self->stream, false);
    release(self);
}

static void on_retire(struct fray_link *link)
{
    on_close(link, FRAY_TRANSPORT_CLOSE);
}

static void write_peer(struct fray_link *link, char text[FRAY_PEER_TEXT_MAX])
{
    fray_address_format_ip(fray_stream_peer(((struct tcp *)link)->stream), text);
}

static void on_pause(struct fray_link *link, bool is_paused)
{
    (is_paused ? fray_stream_pause : fray_stream_resume)(((struct tcp *)link)->stream);
}

static struct fray_stream *stream_of(const struct fray_link *link, unsigned index)
{
    return index ? NULL : ((const struct tcp *)link)->stream;
}

static const struct fray_link_ops link_ops = {
    .name = "tcp",
    .framing = FRAY_FRAMING_STREAM,
    .flush = on_flush,
    .close = on_close,
    .retire = on_retire,
    .pause = on_pause,
    .write_peer = write_peer,
    .stream = stream_of,
};

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct tcp *self = stream->owner;
    struct fray_session *session = self->link.session;
    fray_count_add(&self->service->writer.worker->counters.bytes_in, len);
    if (session)
        session->protocol->on_frame(session, &self->link, fray_slice(data, len), true);
    return len;
}

static void on_writable(struct fray_stream *stream)
{
    struct tcp *self = stream->owner;
    self->link.is_writable = true;
    if (self->link.session)
        fray_session_on_writable(self->link.session);
}

static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct tcp *self = stream->owner;
    fray_stream_close(stream, false);
    release(self);
    fray_link_end(&self->link,
                  why == FRAY_ERR_CLOSED ? FRAY_TRANSPORT_CLOSE : FRAY_TRANSPORT_ERROR);
}

static const struct fray_stream_handler stream_handler = {
    .on_data = on_data,
    .on_writable = on_writable,
    .on_end = on_end,
};

struct fray_link *fray_tcp_open(struct fray_tcp_service *service, struct fray_stream *stream)
{
    struct tcp *self = fray_cells_take(service->writer.worker->cells, sizeof *self);
    self->link.ops = &link_ops;
    self->link.is_writable = true;
    self->service = service;
    self->stream = stream;
    fray_stream_adopt(stream, &stream_handler, self);
    return &self->link;
}
