#include "transport/cursor.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

enum {
    REPLAY_BYTES = 256 * 1024, /* of acknowledged messages */
    PARTS_FEW = 64,
    NUMBER_LEN = 32, /* "id: 18446744073709551615\ndata: " */
};

/* A message that was sent: it keeps its encoding alive. */
struct sent {
    struct fray_message *message;
    const struct fray_encoding *encoding;
};

struct cursor {
    struct fray_link link; /* first */
    struct fray_cursor_service *service;
    struct sent *ring;         /* cap entries, a power of two; NULL while nothing was sent */
    uint64_t first, next;      /* numbers first..next-1 are held */
    uint64_t acked;            /* the largest number that the client went on from */
    size_t bytes, acked_bytes; /* of all that is held, and of what is acknowledged in it */
    uint32_t cap;
    uint8_t encoding;        /* enum fray_http_encoding: of the GET's reply */
    bool is_stream;          /* the request is a stream's */
    bool waits;              /* the GET wants to hear of something, not of nothing */
    fray_request *request;   /* NULL: nobody is there */
    uint64_t after;          /* what the request has */
    struct fray_timer timer; /* until the GET has waited long enough */
};

static const struct fray_link_ops link_ops;

static struct cursor *cursor_of(struct fray_link *link)
{
    assert(link->ops == &link_ops);
    return (struct cursor *)link;
}

static struct sent *at(const struct cursor *self, uint64_t number)
{
    return &self->ring[number & (self->cap - 1)];
}

/* ------------------------------------------------------------------ the replay buffer */

static void drop_first(struct cursor *self)
{
    struct sent *sent = at(self, self->first++);
    size_t size = fray_message_size(sent->message);
    self->bytes -= size;
    self->acked_bytes -= size;
    fray_message_unref(sent->message);
}

/* Notes that the client has all up to `number`, and drops what need not be kept. */
static void acknowledge(struct cursor *self, uint64_t number)
{
    for (; self->acked < number; self->acked++)
        self->acked_bytes += fray_message_size(at(self, self->acked + 1)->message);
    while (self->first <= self->acked &&
           (self->acked - self->first + 1 > self->service->replay_messages ||
            self->acked_bytes > REPLAY_BYTES))
        drop_first(self);
}

static void grow(struct cursor *self)
{
    uint32_t cap = self->cap ? self->cap * 2 : 8;
    struct sent *ring = fray_alloc(cap * sizeof *ring);
    for (uint64_t i = self->first; i < self->next; i++)
        ring[i & (cap - 1)] = *at(self, i);
    free(self->ring);
    self->ring = ring;
    self->cap = cap;
}

static void push(struct cursor *self, struct fray_session *session, struct fray_message *message)
{
    if (self->next - self->first == self->cap)
        grow(self);
    *at(self, self->next++) = (struct sent){
        fray_message_ref(message),
        session->protocol->encode(session->worker, message, FRAY_FRAMING_POLLING),
    };
    self->bytes += fray_message_size(message);
}

/* What the client has been sent again and again without going on from it is owed to it too. */
static bool is_over(const struct cursor *self)
{
    const struct fray_outbox_limits *limits = &self->service->worker->outbox_limits;
    return self->next - 1 - self->acked > limits->max_messages ||
           self->bytes - self->acked_bytes > limits->max_bytes;
}

/* Numbers all that is owed. */
static void take_outbox(struct cursor *self)
{
    struct fray_session *session = self->link.session;
    unsigned count = session->outbox.count;
    if (!count)
        return;
    for (unsigned i = 0; i < count; i++)
        push(self, session, fray_outbox_at(&session->outbox, i));
    fray_outbox_pop(&session->outbox, count);
    fray_count_add(&self->service->worker->counters.messages_out, count);
}

/* ------------------------------------------------------------------ the request */

/* Lets go of the request, which the caller answers. */
static fray_request *take_request(struct cursor *self)
{
    fray_request *request = self->request;
    self->request = NULL;
    self->link.is_writable = false;
    self->link.has_own_bytes = false;
    request->on_abort = NULL;
    request->on_writable = NULL;
    fray_timer_cancel(self->service->worker->timers, &self->timer);
    fray_link_heard(&self->link, self->service->worker);
    return request;
}

static void on_abort(fray_request *request)
{
    struct cursor *self = request->owner;
    fray_request_drop(take_request(self)); /* the session waits for the next */
}

/* {"cursor":12,"messages":[ … ]} from the encodings, which are not copied. */
struct body {
    struct iovec few[PARTS_FEW], *parts;
    int count;
    size_t len;
    char head[64], tail[96];
};

static void add_part(struct body *body, const void *data, size_t len)
{
    body->parts[body->count++] = (struct iovec){(void *)data, len};
    body->len += len;
}

static void body_init(struct body *body, const struct cursor *self, const char *closed)
{
    size_t messages = (size_t)(self->next - 1 - self->after);
    body->count = 0;
    body->len = 0;
    body->parts = body->few;
    if (messages * 2 + 2 > PARTS_FEW)
        body->parts = fray_alloc((messages * 2 + 2) * sizeof *body->parts);
    int len = snprintf(body->head, sizeof body->head, "{\"cursor\":%llu,\"messages\":[",
                       (unsigned long long)(self->next - 1));
    add_part(body, body->head, (size_t)len);
    for (uint64_t i = self->after + 1; i < self->next; i++) {
        const struct fray_encoding *encoding = at(self, i)->encoding;
        if (i > self->after + 1)
            add_part(body, ",", 1);
        add_part(body, encoding->bytes, encoding->len);
    }
    len = closed ? snprintf(body->tail, sizeof body->tail, "],\"closed\":\"%s\"}", closed)
                 : snprintf(body->tail, sizeof body->tail, "]}");
    add_part(body, body->tail, (size_t)len);
}

/* Replies compressed; false: it does not pay. */
static bool reply_compressed(struct cursor *self, fray_request *request, const struct body *body)
{
    struct fray_buf text = {0}, packed = {0};
    for (int i = 0; i < body->count; i++)
        fray_buf_append(&text, body->parts[i].iov_base, body->parts[i].iov_len);
    bool pays =
        fray_http_compress(&self->service->compressor, (enum fray_http_encoding)self->encoding,
                           fray_buf_slice(&text), &packed);
    if (pays) {
        const char *name = fray_http_encoding_name((enum fray_http_encoding)self->encoding);
        fray_request_add_header(request, FRAY_SLICE("content-encoding"), fray_slice_of(name));
        fray_request_reply(request, 200, "application/json", packed.data, packed.len);
    }
    fray_buf_deinit(&text);
    fray_buf_deinit(&packed);
    return pays;
}

static void reply(struct cursor *self, const char *closed)
{
    struct body body;
    body_init(&body, self, closed);
    fray_request *request = take_request(self);
    bool is_long = body.len >= self->service->compress_min;
    if (!is_long || !reply_compressed(self, request, &body))
        fray_request_replyv(request, 200, "application/json", body.parts, body.count);
    if (body.parts != body.few)
        free(body.parts);
}

/* One event of the stream for each message that it does not have yet. */
static void write_events(struct cursor *self)
{
    size_t messages = (size_t)(self->next - 1 - self->after);
    if (!messages)
        return;
    struct iovec *parts = fray_alloc(messages * 3 * sizeof *parts);
    char *numbers = fray_alloc(messages * NUMBER_LEN);
    int count = 0;
    for (size_t i = 0; i < messages; i++) {
        const struct fray_encoding *encoding = at(self, self->after + 1 + i)->encoding;
        char *number = numbers + i * NUMBER_LEN;
        int len = snprintf(number, NUMBER_LEN,
                           "id: %llu\ndata: ", (unsigned long long)(self->after + 1 + i));
        parts[count++] = (struct iovec){number, (size_t)len};
        parts[count++] = (struct iovec){(void *)encoding->bytes, encoding->len};
        parts[count++] = (struct iovec){(void *)"\n\n", 2};
    }
    self->after = self->next - 1;
    if (fray_request_write(self->request, parts, count))
        self->link.is_writable = false; /* until on_writable, or on_abort */
    free(parts);
    free(numbers);
    acknowledge(self, self->after);
}

static void write_words(struct cursor *self, const char *words)
{
    if (self->link.is_writable &&
        fray_request_write(self->request, &(struct iovec){(void *)words, strlen(words)}, 1))
        self->link.is_writable = false;
}

static void on_writable(fray_request *request)
{
    struct cursor *self = request->owner;
    self->link.is_writable = true;
    if (self->link.session)
        fray_session_on_writable(self->link.session);
}

/* Another request has come, or the session ends: the one before gets what there is. */
static void dismiss(struct cursor *self, const char *closed)
{
    if (!self->request)
        return;
    if (!self->is_stream) {
        reply(self, closed);
        return;
    }
    if (closed) {
        char words[96];
        snprintf(words, sizeof words, "event: closed\ndata: \"%s\"\n\n", closed);
        write_words(self, words);
    }
    fray_request_end(take_request(self));
}

/* ------------------------------------------------------------------ as a link */

static void on_flush(struct fray_link *link)
{
    struct cursor *self = cursor_of(link);
    const struct fray_session *session = link->session;
    take_outbox(self);
    link->has_own_bytes = false;
    if (self->is_stream)
        write_events(self);
    else if (self->next - 1 > self->after || !self->waits)
        reply(self, session->is_closing
                        ? fray_disconnect_text((enum fray_disconnect)session->close_reason)
                        : NULL);
    if (!is_over(self))
        return;
    link->session->is_overrun = true;
    fray_session_mark(link->session);
}

static void release(struct cursor *self)
{
    while (self->first < self->next)
        fray_message_unref(at(self, self->first++)->message);
    free(self->ring);
    self->service->worker->release(self->service->worker, self, sizeof *self);
}

static void on_close(struct fray_link *link, enum fray_disconnect reason)
{
    struct cursor *self = cursor_of(link);
    dismiss(self, fray_disconnect_text(reason));
    release(self);
}

static void on_retire(struct fray_link *link)
{
    struct cursor *self = cursor_of(link);
    dismiss(self, fray_disconnect_text(FRAY_SESSION_TAKEN));
    release(self);
}

/* An open request is a sign of life; a comment finds out whether a stream's connection still is
 * one, and keeps proxies from closing it (WHATWG HTML 9.2.7). */
static void on_ping(struct fray_link *link)
{
    struct cursor *self = cursor_of(link);
    if (!self->request)
        return;
    fray_link_heard(link, self->service->worker);
    if (self->is_stream)
        write_words(self, ":\n\n");
}

static struct fray_stream *stream_of(const struct fray_link *link, unsigned index)
{
    const struct cursor *self = (const struct cursor *)link;
    return index || !self->request ? NULL : fray_request_stream(self->request);
}

static const struct fray_link_ops link_ops = {
    .name = "cursor",
    .framing = FRAY_FRAMING_POLLING,
    .flush = on_flush,
    .close = on_close,
    .retire = on_retire,
    .ping = on_ping,
    .stream = stream_of,
};

static void on_waited(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    reply((struct cursor *)((char *)timer - offsetof(struct cursor, timer)), NULL);
}

/* ------------------------------------------------------------------ from outside */

void fray_cursor_service_deinit(struct fray_cursor_service *service)
{
    fray_http_compressor_deinit(&service->compressor);
}

struct fray_link *fray_cursor_create(struct fray_cursor_service *service)
{
    struct cursor *self = fray_cells_take(service->worker->cells, sizeof *self);
    self->link.ops = &link_ops;
    self->service = service;
    self->first = self->next = 1;
    self->timer.on_expire = on_waited;
    return &self->link;
}

uint64_t fray_cursor_last(const struct fray_link *link)
{
    return ((const struct cursor *)link)->next - 1;
}

uint64_t fray_cursor_first(const struct fray_link *link)
{
    return ((const struct cursor *)link)->first;
}

enum fray_err fray_cursor_check(const struct fray_link *link, uint64_t after)
{
    if (after > fray_cursor_last(link))
        return FRAY_ERR_SYNTAX;
    return after + 1 < fray_cursor_first(link) ? FRAY_ERR_NOT_FOUND : FRAY_OK;
}

static void take(struct cursor *self, fray_request *request, uint64_t after)
{
    assert(!fray_cursor_check(&self->link, after));
    dismiss(self, NULL);
    fray_link_heard(&self->link, self->service->worker);
    fray_request_keep_bare(request);
    request->owner = self;
    request->on_abort = on_abort;
    self->request = request;
    self->after = after;
    acknowledge(self, after);
    self->link.is_writable = true;
    fray_link_carried(&self->link);
}

void fray_cursor_poll(struct fray_link *link, fray_request *request, uint64_t after,
                      uint32_t wait_ms)
{
    struct cursor *self = cursor_of(link);
    struct fray_worker *worker = self->service->worker;
    struct fray_http_encodings accepted;
    fray_http_encodings_read(&accepted, request->head);
    enum fray_http_encoding encoding =
        fray_http_encodings_choose(&accepted, FRAY_HTTP_COMPRESSIONS);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_add_header(request, FRAY_SLICE("vary"), FRAY_SLICE("accept-encoding"));
    take(self, request, after);
    self->is_stream = false;
    self->encoding = (uint8_t)encoding;
    if (wait_ms > self->service->wait_max_ms)
        wait_ms = self->service->wait_max_ms;
    self->waits = wait_ms > 0;
    if (self->waits)
        fray_timer_arm(worker->timers, &self->timer, *worker->now_us + wait_ms * UINT64_C(1000));
    /* Something is to be written even if nothing new is owed. */
    link->has_own_bytes = !self->waits || after < self->next - 1;
    fray_session_on_writable(link->session);
}

void fray_cursor_stream(struct fray_link *link, fray_request *request, uint64_t after)
{
    struct cursor *self = cursor_of(link);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    /* nginx would gather the pieces. */
    fray_request_add_header(request, FRAY_SLICE("x-accel-buffering"), FRAY_SLICE("no"));
    take(self, request, after);
    self->is_stream = true;
    request->on_writable = on_writable;
    fray_request_begin(request, 200, "text/event-stream");
    write_words(self, "retry: 1000\n\n");
    link->has_own_bytes = true;
    fray_session_on_writable(link->session);
}
