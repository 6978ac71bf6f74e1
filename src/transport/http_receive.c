#include "transport/http_connection.h"

#include "base/mem.h"

void fray_http_connection_refuse(struct fray_http_connection *connection, int status)
{
    /* The reply goes out in another request's name: who waits for this one must not see it twice.
     */
    fray_request *request = connection->request;
    fray_request *answer = fray_http_request_create(connection);
    struct fray_buf empty = answer->reply_headers;
    answer->reply_headers = request->reply_headers;
    request->reply_headers = empty;
    answer->method = request->method;
    request->connection = NULL;
    connection->request = answer;
    connection->closes_after_reply = true;
    fray_count(&connection->service->worker->counters.http_errors);
    fray_request_reply(answer, status, NULL, NULL,
                       0); /* to programs, as Engine.IO's clients expect of 413 */
    fray_http_request_abort(request);
}

/* RFC 9110 10.1.1: the peer waits for this before it sends the body. */
static bool send_continue(struct fray_http_connection *connection)
{
    static const struct fray_slice line = {"HTTP/1.1 100 Continue\r\n\r\n", 25};
    enum fray_err err = fray_http_output_write(connection, line, &(struct fray_http_reply_body){0});
    if (err != FRAY_ERR_IO)
        return true;
    fray_http_connection_close(connection, false);
    return false;
}

static void body_complete(struct fray_http_connection *connection)
{
    fray_request *request = connection->request;
    struct fray_http_service *service = connection->service;
    request->is_body_complete = true;
    connection->state = FRAY_HTTP_HANDLED;
    fray_timer_cancel(service->worker->timers, &connection->timer);
    service->on_request(service, request);
}

/* One run of the body, which arrives whole in most cases and is then not copied. */
static void add_piece(fray_request *request, struct fray_slice piece)
{
    if (piece.len == 0)
        return;
    if (request->body.len == 0) {
        request->body = piece;
        return;
    }
    if (request->body.data != request->body_copy.data)
        fray_buf_append_slice(&request->body_copy, request->body);
    fray_buf_append_slice(&request->body_copy, piece);
    request->body = fray_buf_slice(&request->body_copy);
}

static size_t receive_body(struct fray_http_connection *connection, const char *data, size_t len)
{
    fray_request *request = connection->request;
    size_t used = 0;
    enum fray_err err;
    do {
        struct fray_slice piece;
        size_t consumed;
        err = fray_http_body_decode(&request->decoder, fray_slice(data + used, len - used), &piece,
                                    &consumed);
        if (err == FRAY_OK || err == FRAY_ERR_AGAIN)
            add_piece(request, piece);
        used += consumed;
    } while (err == FRAY_ERR_AGAIN && used < len);

    if (err == FRAY_OK) {
        body_complete(connection);
        return used;
    }
    if (err != FRAY_ERR_AGAIN) {
        fray_http_connection_refuse(connection, request->decoder.status);
        return len;
    }
    fray_http_request_own(request);
    fray_http_connection_arm(connection, connection->service->body_timeout_ms);
    return len;
}

/* The head is parsed: asks on_head, then goes on with the body. Returns bytes used of the body. */
static size_t begin_body(struct fray_http_connection *connection, const char *data, size_t len)
{
    fray_request *request = connection->request;
    struct fray_http_service *service = connection->service;
    if (service->on_head) {
        service->on_head(service, request);
        if (connection->request != request)
            return 0; /* answered, or taken away */
    }
    if (fray_http_body_init(&request->decoder, request->head, request->max_body)) {
        fray_http_connection_refuse(connection, request->decoder.status);
        return len;
    }
    connection->state = FRAY_HTTP_IN_BODY;
    if (request->head->expect_continue && !request->is_body_complete && len == 0 &&
        !send_continue(connection))
        return 0;
    return receive_body(connection, data, len);
}

static void head_complete(struct fray_http_connection *connection)
{
    fray_request *request = connection->request;
    const struct fray_http_request *head = request->head_memory;
    request->head = head;
    request->minor = head->minor;
    request->method = head->method;
    request->keep_alive = head->keep_alive;
    request->is_body_complete = !head->chunked && head->content_length == 0;
    fray_count(&connection->service->worker->counters.http_requests);
}

static size_t receive_head(struct fray_http_connection *connection, const char *data, size_t len)
{
    struct fray_http_service *service = connection->service;
    if (!connection->request)
        connection->request = fray_http_request_create(connection);
    fray_request *request = connection->request;

    size_t consumed;
    enum fray_err err = fray_http_request_parse(request->head_memory, fray_slice(data, len),
                                                &service->limits, &consumed);
    if (err == FRAY_OK) {
        head_complete(connection);
        connection->state = FRAY_HTTP_IN_HEAD;
        request->head_len = consumed;
        size_t used = begin_body(connection, data + consumed, len - consumed);
        return connection->moves_to ? 0 : consumed + used;
    }
    if (err != FRAY_ERR_AGAIN) {
        request->method = request->head_memory->method;
        fray_http_connection_refuse(connection, request->head_memory->status);
        return len;
    }
    /* A first head's time runs from the accept on. */
    if (connection->state == FRAY_HTTP_IDLE && !connection->is_first)
        fray_http_connection_arm(connection, service->header_timeout_ms);
    connection->state = FRAY_HTTP_IN_HEAD;
    return 0;
}

static size_t discard(struct fray_http_connection *connection, size_t len)
{
    uint32_t count = len < connection->discard ? (uint32_t)len : connection->discard;
    connection->discard -= count;
    if (connection->discard == 0)
        fray_http_connection_written(connection);
    else
        fray_http_connection_arm(connection, connection->service->body_timeout_ms);
    return count;
}

size_t fray_http_connection_receive(struct fray_http_connection *connection, char *data, size_t len)
{
    switch (connection->state) {
    case FRAY_HTTP_IDLE:
    case FRAY_HTTP_IN_HEAD: return receive_head(connection, data, len);
    case FRAY_HTTP_IN_BODY: return receive_body(connection, data, len);
    case FRAY_HTTP_DISCARDING: return discard(connection, len);
    default: return 0; /* pipelined: its turn comes after the reply */
    }
}
