#include "transport/http_connection.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"

static struct fray_http_connection *of_timer(struct fray_timer *timer)
{
    return (struct fray_http_connection *)((char *)timer -
                                           offsetof(struct fray_http_connection, timer));
}

void fray_http_connection_arm(struct fray_http_connection *connection, unsigned timeout_ms)
{
    struct fray_worker *worker = connection->service->worker;
    fray_timer_arm(worker->timers, &connection->timer,
                   *worker->now_us + (uint64_t)timeout_ms * 1000);
}

void fray_http_connection_release(struct fray_http_connection *connection)
{
    struct fray_loop *loop = connection->stream->loop;
    connection->stream = NULL;
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    fray_timer_cancel(connection->service->worker->timers, &connection->timer);
    if (connection->output)
        fray_http_output_destroy(connection->output);
    connection->output = NULL;
    fray_loop_release_cell(loop, connection, sizeof *connection);
}

void fray_http_connection_close(struct fray_http_connection *connection, bool reset)
{
    struct fray_stream *stream = connection->stream;
    fray_request *request = connection->request;
    fray_http_connection_release(connection);
    fray_stream_close(stream, reset);
    connection->request = NULL;
    if (!request)
        return;
    if (request->is_body_complete)
        fray_count(&connection->service->worker->counters.http_aborts);
    fray_http_request_abort(request);
}

/* Closes after our last words, which the peer gets to read although it may still be sending. */
static void finish(struct fray_http_connection *connection)
{
    struct fray_stream *stream = connection->stream;
    fray_http_connection_release(connection);
    if (connection->has_ended)
        fray_stream_close(stream, false);
    else
        fray_stream_finish(stream, FRAY_HTTP_LINGER_MS);
}

void fray_http_connection_replied(struct fray_http_connection *connection)
{
    assert(!connection->request);
    if (!connection->output) {
        fray_http_connection_written(connection);
        return;
    }
    connection->state = FRAY_HTTP_WRITING;
    fray_http_connection_arm(connection, connection->service->body_timeout_ms);
    if (!connection->stream->is_blocked)
        fray_http_output_pump(connection); /* a producer has more */
}

static const struct fray_stream_handler handler;

/* Has what was left in the stream behind the request offered again. */
static void receive_unread(struct fray_http_connection *connection)
{
    struct fray_stream *stream = connection->stream;
    if (stream->is_paused)
        fray_stream_resume(stream);
    else if (stream->unread)
        fray_stream_adopt(stream, &handler, connection);
    else if (connection->has_ended)
        fray_http_connection_close(connection, false);
}

void fray_http_connection_written(struct fray_http_connection *connection)
{
    if (connection->request) { /* it was a 100 (Continue), or a piece of a body */
        if (connection->request->is_streamed)
            fray_http_stream_drained(connection->request);
        return;
    }
    if (connection->closes_after_reply) {
        finish(connection);
        return;
    }
    connection->is_first = false;
    if (connection->discard) {
        connection->state = FRAY_HTTP_DISCARDING;
        fray_http_connection_arm(connection, connection->service->body_timeout_ms);
    } else {
        connection->state = FRAY_HTTP_IDLE;
        fray_http_connection_arm(connection, connection->service->keep_alive_timeout_ms);
    }
    if (!connection->is_receiving)
        receive_unread(connection);
}

/* Requests begin with a method's letter, or an empty line before it (RFC 9112 2.2). */
static bool is_foreign(const struct fray_http_connection *connection, char first)
{
    return connection->service->on_foreign && connection->is_first &&
           connection->state == FRAY_HTTP_IDLE && !(first >= 'A' && first <= 'z') && first != '\r';
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct fray_http_connection *connection = stream->owner;
    size_t used = 0;
    if (is_foreign(connection, data[0])) {
        struct fray_http_service *service = connection->service;
        fray_http_connection_release(connection);
        return service->on_foreign(service, stream, data, len);
    }
    connection->is_receiving = true;
    while (connection->stream && used < len) {
        size_t count = fray_http_connection_receive(connection, data + used, len - used);
        if (count == 0)
            break;
        used += count;
    }
    connection->is_receiving = false;
    if (connection->moves_to) {
        fray_http_connection_move(connection, fray_slice(data + used, len - used));
        return len;
    }
    if (!connection->stream)
        return connection->is_upgraded ? used : len; /* what follows is the new handler's */
    if (connection->has_ended && connection->state != FRAY_HTTP_WRITING) {
        fray_http_connection_close(connection, false);
        return len;
    }
    if (len - used > FRAY_HTTP_UNREAD_MAX)
        fray_stream_pause(stream);
    return used;
}

static void on_writable(struct fray_stream *stream)
{
    struct fray_http_connection *connection = stream->owner;
    if (connection->output)
        fray_http_output_pump(connection);
}

/* A peer that has only ended its sending half still gets the reply that is on its way, and those to
 * the requests behind it. One that ends while its request waits is taken to be gone: that is what
 * browsers do when a page closes. */
static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct fray_http_connection *connection = stream->owner;
    connection->has_ended = true;
    if (why != FRAY_ERR_CLOSED || connection->state != FRAY_HTTP_WRITING)
        fray_http_connection_close(connection, false);
}

static const struct fray_stream_handler handler = {
    .on_data = on_data, .on_writable = on_writable, .on_end = on_end};

static void on_timer(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_http_connection *connection = of_timer(timer);
    (void)now_us;
    if (connection->state == FRAY_HTTP_WRITING && !connection->stream->is_blocked) {
        fray_http_output_pump(connection); /* its share of the last turn was used up */
        return;
    }
    if (connection->state == FRAY_HTTP_IDLE) { /* nothing was asked, nothing is to be said */
        fray_http_connection_close(connection, false);
        return;
    }
    fray_count(&connection->service->worker->counters.http_timeouts);
    if (connection->state == FRAY_HTTP_IN_HEAD || connection->state == FRAY_HTTP_IN_BODY)
        fray_http_connection_refuse(connection, 408);
    else
        fray_http_connection_close(connection, true);
}

void fray_http_open(struct fray_http_service *service, struct fray_stream *stream)
{
    struct fray_http_connection *connection =
        fray_cells_take(&stream->loop->cells, sizeof *connection);
    connection->stream = stream;
    connection->service = service;
    connection->next = service->connections;
    connection->link = &service->connections;
    connection->is_first = true;
    connection->timer.on_expire = on_timer;
    if (connection->next)
        connection->next->link = &connection->next;
    service->connections = connection;
    fray_http_connection_arm(connection, service->header_timeout_ms);
    fray_stream_adopt(stream, &handler, connection);
}

void fray_http_drain(struct fray_http_service *service)
{
    service->is_draining = true;
    for (struct fray_http_connection *connection = service->connections; connection;
         connection = connection->next) {
        if (connection->state != FRAY_HTTP_IDLE && !connection->request)
            connection->closes_after_reply = true;
    }
}

bool fray_http_is_idle(const struct fray_http_service *service)
{
    const struct fray_http_connection *connection = service->connections;
    while (connection && connection->state == FRAY_HTTP_IDLE)
        connection = connection->next;
    return !connection;
}

void fray_http_close(struct fray_http_service *service)
{
    while (service->connections)
        fray_http_connection_close(service->connections, false);
}
