#include "transport/polling.h"

#include "base/mem.h"
#include "wire/engineio.h"

static const char *const content_type = "text/plain; charset=UTF-8";

struct polling {
    struct fray_link link; /* first */
    struct fray_worker *worker;
    fray_request *get;  /* waits; NULL: none */
    fray_request *post; /* is being received; NULL: none */
};

static const struct fray_link_ops link_ops;

struct fray_link *fray_polling_create(struct fray_worker *worker)
{
    struct polling *self = fray_cells_take(worker->cells, sizeof *self);
    self->link.ops = &link_ops;
    self->worker = worker;
    return &self->link;
}

bool fray_polling_is(const struct fray_link *link)
{
    return link && link->ops == &link_ops;
}

bool fray_polling_is_waiting(const struct fray_link *link)
{
    return ((const struct polling *)link)->get != NULL;
}

static void reply(struct polling *self, struct fray_slice body)
{
    fray_request *get = self->get;
    self->get = NULL;
    self->link.is_writable = false;
    get->on_abort = NULL;
    fray_request_reply(get, 200, content_type, body.data, body.len);
}

static void release(struct polling *self);

/* The client gave up its GET, which says that it is gone. */
static void on_abort(fray_request *request)
{
    struct polling *self = request->owner;
    self->get = NULL;
    self->link.is_writable = false;
    fray_request_drop(request);
    if (!self->link.session)
        return;
    fray_link_end(&self->link, FRAY_TRANSPORT_CLOSE);
    release(self);
}

void fray_polling_wait(struct fray_link *link, fray_request *request)
{
    struct polling *self = (struct polling *)link;
    fray_request_keep_bare(request);
    request->owner = self;
    request->on_abort = on_abort;
    self->get = request;
    link->is_writable = true;
    fray_link_carried(link);
    if (link->session)
        fray_session_on_writable(link->session);
}

static void on_post_abort(fray_request *request)
{
    struct polling *self = request->owner;
    self->post = NULL;
    fray_request_drop(request);
}

void fray_polling_begin_post(struct fray_link *link, fray_request *request)
{
    struct polling *self = (struct polling *)link;
    if (self->post)
        return;
    self->post = request;
    request->owner = self;
    request->on_abort = on_post_abort;
    fray_link_carried(link);
}

static void forget_post(struct polling *self)
{
    if (!self->post)
        return;
    self->post->owner = NULL;
    self->post->on_abort = NULL;
    self->post = NULL;
}

bool fray_polling_end_post(struct fray_link *link, fray_request *request)
{
    struct polling *self = (struct polling *)link;
    bool is_only = self->post == request;
    forget_post(self);
    return is_only;
}

/* The link ends; it is nobody's from here on. */
static void release(struct polling *self)
{
    forget_post(self);
    self->worker->release(self->worker, self, sizeof *self);
}

/* Everything that is owed, in one body. */
static void on_flush(struct fray_link *link)
{
    struct polling *self = (struct polling *)link;
    struct fray_session *session = link->session;
    struct fray_outbox *outbox = &session->outbox;
    struct fray_buf body = {0};
    unsigned count = outbox->count;
    for (unsigned i = 0; i < count; i++) {
        const struct fray_encoding *encoding = session->protocol->encode(
            session->worker, fray_outbox_at(outbox, i), FRAY_FRAMING_POLLING);
        if (body.len)
            fray_buf_append_byte(&body, FRAY_ENGINEIO_SEPARATOR);
        fray_buf_append(&body, encoding->bytes, encoding->len);
    }
    struct fray_counters *counters = &self->worker->counters;
    fray_count_add(&counters->messages_out, count);
    fray_count_add(&counters->bytes_out, body.len);
    fray_count(&counters->writes);
    fray_outbox_pop(outbox, count);
    reply(self, fray_buf_slice(&body));
    fray_buf_deinit(&body);
}

static void on_close(struct fray_link *link, enum fray_disconnect reason)
{
    struct polling *self = (struct polling *)link;
    /* A client that said goodbye itself gets a noop, any other the close packet. */
    if (self->get)
        reply(self, reason == FRAY_CLIENT_LEFT ? FRAY_SLICE("6") : FRAY_SLICE("1"));
    release(self);
}

static void on_retire(struct fray_link *link)
{
    struct polling *self = (struct polling *)link;
    if (self->get)
        reply(self, FRAY_SLICE("6"));
    release(self);
}

static struct fray_stream *stream_of(const struct fray_link *link, unsigned index)
{
    const struct polling *self = (const struct polling *)link;
    const fray_request *request = index ? self->post : self->get;
    return request ? fray_request_stream(request) : NULL;
}

static const struct fray_link_ops link_ops = {
    .name = "polling",
    .framing = FRAY_FRAMING_POLLING,
    .flush = on_flush,
    .close = on_close,
    .retire = on_retire,
    .stream = stream_of,
};
