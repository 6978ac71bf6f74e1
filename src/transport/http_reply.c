#include "transport/http_connection.h"

#include <assert.h>
#include <time.h>

#include "base/mem.h"
#include "wire/http_response.h"

int64_t fray_http_service_now_s(struct fray_http_service *service)
{
    return service->clock_s ? service->clock_s(service) : (int64_t)time(NULL);
}

struct fray_slice fray_http_service_date(struct fray_http_service *service)
{
    int64_t now_s = fray_http_service_now_s(service);
    if (now_s != service->cache.date_s || !service->cache.date[0]) {
        fray_http_date_format(service->cache.date, now_s);
        service->cache.date_s = now_s;
    }
    return fray_slice(service->cache.date, FRAY_HTTP_DATE_LEN);
}

void fray_request_add_header(fray_request *request, struct fray_slice name, struct fray_slice value)
{
    struct fray_buf *lines = &request->reply_headers;
    fray_buf_append_slice(lines, name);
    FRAY_BUF_LITERAL(lines, ": ");
    fray_buf_append_slice(lines, value);
    FRAY_BUF_LITERAL(lines, "\r\n");
}

/* These say where a message ends, which is not the application's business. */
static bool is_framing(struct fray_slice name)
{
    return fray_http_equal(name, FRAY_SLICE("content-length")) ||
           fray_http_equal(name, FRAY_SLICE("transfer-encoding")) ||
           fray_http_equal(name, FRAY_SLICE("connection")) ||
           fray_http_equal(name, FRAY_SLICE("date"));
}

enum fray_err fray_request_reply_header(fray_request *request, const char *name, const char *value)
{
    struct fray_slice field = fray_slice_of(name);
    if (is_framing(field))
        return FRAY_ERR_SYNTAX;
    return fray_http_response_header(&request->reply_headers, field, fray_slice_of(value));
}

/* What becomes of a body that was answered before it was read: a short one is skipped, so that the
 * connection goes on; a long one is not worth it. Whoever expects a 100 may never send it at all
 * (RFC 9110 10.1.1), and then nobody knows where the next request begins. */
static void settle_body(struct fray_http_connection *connection, const fray_request *request)
{
    if (request->is_body_complete || connection->closes_after_reply)
        return;
    uint64_t left = connection->state == FRAY_HTTP_IN_BODY ? request->decoder.remaining
                                                           : request->head->content_length;
    if (request->head->chunked || request->head->expect_continue || left > FRAY_HTTP_DISCARD_MAX)
        connection->closes_after_reply = true;
    else
        connection->discard = (uint32_t)left;
}

void fray_http_encode_head(struct fray_buf *out, const fray_request *request, unsigned status,
                           const char *content_type, uint64_t len)
{
    const struct fray_http_connection *connection = request->connection;
    fray_http_response_begin(out, status);
    FRAY_BUF_LITERAL(out, "date: ");
    fray_buf_append_slice(out, fray_http_service_date(request->service));
    FRAY_BUF_LITERAL(out, "\r\n");
    if (content_type && *content_type) {
        FRAY_BUF_LITERAL(out, "content-type: ");
        fray_buf_append_slice(out, fray_slice_of(content_type));
        FRAY_BUF_LITERAL(out, "\r\n");
    }
    fray_buf_append_slice(out, fray_buf_slice(&request->reply_headers));
    if (!fray_http_status_is_bodiless(status) && len != UINT64_MAX)
        fray_http_response_content_length(out, len);
    if (connection->closes_after_reply)
        fray_http_response_connection_close(out);
    else if (request->minor == 0)
        FRAY_BUF_LITERAL(out, "connection: keep-alive\r\n");
    fray_http_response_end(out);
}

static void count_reply(struct fray_counters *counters, unsigned status)
{
    if (status < 300)
        fray_count(&counters->http_replies_2xx);
    else if (status < 400)
        fray_count(&counters->http_replies_3xx);
    else if (status < 500)
        fray_count(&counters->http_replies_4xx);
    else
        fray_count(&counters->http_replies_5xx);
}

void fray_http_settle(fray_request *request, unsigned status)
{
    struct fray_http_connection *connection = request->connection;
    if (!request->keep_alive || request->service->is_draining)
        connection->closes_after_reply = true;
    settle_body(connection, request);
    count_reply(&request->service->worker->counters, status);
}

/* Takes a producer over to the output: its first piece was asked for before the head went out, and
 * came with it unless it was not there yet. */
static void take_producer(struct fray_http_connection *connection,
                          const struct fray_http_reply_body *body)
{
    uint64_t left = body->len - body->lasting.len;
    if (left == 0 && !connection->output) {
        body->producer->close(body->producer);
        return;
    }
    if (!connection->output)
        connection->output = fray_alloc_zero(sizeof *connection->output);
    connection->output->producer = body->producer;
    connection->output->producer_left = left;
}

static void send_reply(fray_request *request, unsigned status, const char *content_type,
                       struct fray_http_reply_body *body)
{
    struct fray_http_connection *connection = request->connection;
    struct fray_http_service *service = request->service;
    assert(status >= 200 && status <= 599);
    assert(!connection || connection->request == request);
    if (!connection) {
        if (body->producer)
            body->producer->close(body->producer);
        fray_http_request_destroy(request);
        return;
    }
    fray_http_settle(request, status);

    struct fray_buf *head = &service->worker->scratch;
    head->len = 0;
    fray_http_encode_head(head, request, status, content_type, body->len);
    if (request->method == FRAY_HTTP_HEAD || fray_http_status_is_bodiless(status)) {
        if (body->producer)
            body->producer->close(body->producer);
        *body = (struct fray_http_reply_body){0};
    }
    enum fray_err err = fray_http_output_write(connection, fray_buf_slice(head), body);

    connection->request = NULL;
    fray_http_request_destroy(request);
    if (body->producer)
        take_producer(connection, body);
    if (err == FRAY_ERR_IO)
        fray_http_connection_close(connection, false);
    else
        fray_http_connection_replied(connection);
}

void fray_request_replyv(fray_request *request, int status, const char *content_type,
                         const struct iovec *parts, int parts_count)
{
    struct fray_http_reply_body body = {.parts = parts, .parts_count = parts_count};
    for (int i = 0; i < parts_count; i++)
        body.len += parts[i].iov_len;
    send_reply(request, (unsigned)status, content_type, &body);
}

void fray_request_reply(fray_request *request, int status, const char *content_type,
                        const void *body, size_t len)
{
    struct iovec part = {.iov_base = (void *)body, .iov_len = len};
    fray_request_replyv(request, status, content_type, &part, len > 0);
}

void fray_request_reply_static(fray_request *request, int status, const char *content_type,
                               struct fray_slice body)
{
    send_reply(request, (unsigned)status, content_type,
               &(struct fray_http_reply_body){.lasting = body, .len = body.len});
}

void fray_request_reply_status(fray_request *request, int status)
{
    struct fray_buf text = {0};
    if (!fray_http_status_is_bodiless((unsigned)status))
        fray_buf_printf(&text, "%d %s\n", status, fray_http_reason((unsigned)status));
    fray_request_reply(request, status, text.len ? "text/plain; charset=utf-8" : NULL, text.data,
                       text.len);
    fray_buf_deinit(&text);
}

void fray_request_reply_from(fray_request *request, int status, const char *content_type,
                             struct fray_http_producer *producer, uint64_t len)
{
    struct fray_http_reply_body body = {.producer = producer, .len = len};
    bool wants_body = request->connection && request->method != FRAY_HTTP_HEAD && len > 0;
    enum fray_err err = wants_body ? producer->next(producer, &body.lasting) : FRAY_OK;
    bool is_piece = body.lasting.len > 0 && body.lasting.len <= len;
    if (wants_body && err != FRAY_ERR_AGAIN && (err || !is_piece)) {
        producer->close(producer);
        fray_request_reply_status(request, 500); /* nothing was promised yet */
        return;
    }
    send_reply(request, (unsigned)status, content_type, &body);
}
