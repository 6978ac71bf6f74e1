#include "connection.h"

#include <assert.h>

static void flush(struct sim_connection *self)
{
    if (!self->out.len)
        return;
    size_t count;
    enum fray_err err =
        fray_stream_writev(self->stream, &(struct iovec){self->out.data, self->out.len}, 1, &count);
    if (!err || err == FRAY_ERR_AGAIN)
        fray_buf_consume(&self->out, count);
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct sim_connection *self = stream->owner;
    size_t consumed = self->on_bytes(self, data, len);
    return self->stream == stream ? consumed : len;
}

static void on_writable(struct fray_stream *stream)
{
    flush(stream->owner);
}

static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct sim_connection *self = stream->owner;
    (void)why;
    sim_connection_close(self, false);
    self->on_end(self);
}

static const struct fray_stream_handler handler = {on_data, on_writable, on_end};

void sim_connection_open(struct sim_connection *self)
{
    struct fray_address server;
    int fd;
    assert(!self->stream && !self->out.len);
    enum fray_err err = fray_address_parse(&server, FRAY_SLICE("10.0.0.1:80"));
    assert(!err);
    err = self->loop->ops->connect(self->loop, &server, &fd);
    assert(!err);
    self->stream = fray_stream_create(self->loop, fd, &server, &handler, self);
}

void sim_connection_write(struct sim_connection *self, struct fray_slice bytes)
{
    fray_buf_append_slice(&self->out, bytes);
    flush(self);
}

void sim_connection_close(struct sim_connection *self, bool reset)
{
    if (self->stream)
        fray_stream_close(self->stream, reset);
    self->stream = NULL;
    fray_buf_deinit(&self->out);
}

void sim_connection_lose(struct sim_connection *self, enum sim_loss how)
{
    if (!self->stream)
        return;
    if (how == SIM_SILENCE) {
        fray_sim_stall(self->loop, self->stream->source.fd);
    } else if (how == SIM_RESET) {
        fray_sim_reset(self->loop, self->stream->source.fd);
    } else {
        sim_connection_close(self, false);
        self->on_end(self);
    }
}
