/* Replies whose end is not known when they begin. */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "transport/http_connection.h"
#include "wire/http_response.h"

enum { PARTS_MAX = 64 };

void fray_request_begin(fray_request *request, int status, const char *content_type)
{
    struct fray_http_connection *connection = request->connection;
    assert(request->is_kept && !request->is_streamed);
    assert(!fray_http_status_is_bodiless((unsigned)status));
    request->is_streamed = true;
    if (!connection)
        return;
    request->is_chunked = request->minor > 0;
    if (!request->is_chunked)
        connection->closes_after_reply = true; /* that is where the body ends */
    fray_http_settle(request, (unsigned)status);
    if (request->is_chunked)
        fray_request_add_header(request, FRAY_SLICE("transfer-encoding"), FRAY_SLICE("chunked"));
    struct fray_buf *head = &request->service->worker->scratch;
    head->len = 0;
    fray_http_encode_head(head, request, (unsigned)status, content_type, UINT64_MAX);
    connection->state = FRAY_HTTP_STREAMING;
    /* Refused bytes are kept; a broken connection shows as its end on the next turn. */
    enum fray_err err =
        fray_http_output_write(connection, fray_buf_slice(head), &(struct fray_http_reply_body){0});
    if (err == FRAY_ERR_AGAIN)
        fray_http_connection_arm(connection, request->service->body_timeout_ms);
}

static enum fray_err write_parts(fray_request *request, const struct fray_http_reply_body *body)
{
    struct fray_http_connection *connection = request->connection;
    if (!connection)
        return FRAY_ERR_CLOSED;
    bool was_waiting = connection->output != NULL;
    enum fray_err err = fray_http_output_write(connection, (struct fray_slice){0}, body);
    if (err == FRAY_ERR_AGAIN && !was_waiting)
        fray_http_connection_arm(connection, request->service->body_timeout_ms);
    return err == FRAY_ERR_IO ? FRAY_ERR_CLOSED : err;
}

enum fray_err fray_request_write(fray_request *request, const struct iovec *parts, int parts_count)
{
    assert(request->is_streamed);
    size_t len = 0;
    for (int i = 0; i < parts_count; i++)
        len += parts[i].iov_len;
    if (!len || request->method == FRAY_HTTP_HEAD) /* an empty chunk would be the last */
        return request->connection ? FRAY_OK : FRAY_ERR_CLOSED;
    if (!request->is_chunked)
        return write_parts(
            request, &(struct fray_http_reply_body){.parts = parts, .parts_count = parts_count});
    struct iovec few[PARTS_MAX], *whole = few;
    if (parts_count + 2 > PARTS_MAX)
        whole = fray_alloc(((size_t)parts_count + 2) * sizeof *whole);
    char size[24];
    int size_len = snprintf(size, sizeof size, "%zx\r\n", len);
    whole[0] = (struct iovec){size, (size_t)size_len};
    memcpy(whole + 1, parts, (size_t)parts_count * sizeof *whole);
    whole[parts_count + 1] = (struct iovec){(void *)"\r\n", 2};
    enum fray_err err = write_parts(
        request, &(struct fray_http_reply_body){.parts = whole, .parts_count = parts_count + 2});
    if (whole != few)
        free(whole);
    return err;
}

void fray_http_stream_drained(fray_request *request)
{
    struct fray_http_connection *connection = request->connection;
    fray_timer_cancel(request->service->worker->timers, &connection->timer);
    if (request->on_writable)
        request->on_writable(request);
}

void fray_request_end(fray_request *request)
{
    struct fray_http_connection *connection = request->connection;
    assert(request->is_streamed);
    bool has_body = request->is_chunked && request->method != FRAY_HTTP_HEAD;
    struct iovec last = {(void *)"0\r\n\r\n", 5};
    enum fray_err err = FRAY_OK;
    if (connection && has_body)
        err =
            write_parts(request, &(struct fray_http_reply_body){.parts = &last, .parts_count = 1});
    fray_http_request_destroy(request);
    if (!connection)
        return;
    connection->request = NULL;
    if (connection->service->is_draining)
        connection->closes_after_reply = true;
    if (err == FRAY_ERR_CLOSED)
        fray_http_connection_close(connection, false);
    else
        fray_http_connection_replied(connection);
}
