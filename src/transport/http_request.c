#include "transport/http_connection.h"

#include <assert.h>

#include "base/mem.h"

enum { SPARE_HEADERS_MAX = 1024 };

/* Requests are reused, with what memory they have, so that one that is answered at once costs no
 * allocation. */
fray_request *fray_http_request_create(struct fray_http_connection *connection)
{
    struct fray_http_cache *cache = &connection->service->cache;
    fray_request *request = cache->requests_count ? cache->requests[--cache->requests_count]
                                                  : fray_alloc_zero(sizeof *request);
    if (!request->head_memory)
        request->head_memory = cache->heads_count ? cache->heads[--cache->heads_count]
                                                  : fray_alloc(sizeof *request->head_memory);
    fray_http_request_init(request->head_memory);
    request->service = connection->service;
    request->connection = connection;
    request->max_body = connection->service->max_body;
    return request;
}

void fray_http_request_forget_head(fray_request *request)
{
    struct fray_http_cache *cache = &request->service->cache;
    if (cache->heads_count < FRAY_HTTP_SPARES)
        cache->heads[cache->heads_count++] = request->head_memory;
    else
        free(request->head_memory);
    request->head_memory = NULL;
    request->head = NULL;
}

static void free_request(fray_request *request)
{
    free(request->head_memory);
    fray_buf_deinit(&request->reply_headers);
    free(request);
}

void fray_http_request_destroy(fray_request *request)
{
    struct fray_http_cache *cache = &request->service->cache;
    fray_http_request_free_texts(request);
    free(request->reject_reason);
    fray_buf_deinit(&request->head_copy);
    fray_buf_deinit(&request->body_copy);

    struct fray_http_request *head = request->head_memory;
    struct fray_buf reply_headers = request->reply_headers;
    reply_headers.len = 0;
    if (reply_headers.cap > SPARE_HEADERS_MAX)
        fray_buf_deinit(&reply_headers);
    *request = (fray_request){.head_memory = head, .reply_headers = reply_headers};
    if (cache->requests_count < FRAY_HTTP_SPARES)
        cache->requests[cache->requests_count++] = request;
    else
        free_request(request);
}

void fray_http_service_deinit(struct fray_http_service *service)
{
    struct fray_http_cache *cache = &service->cache;
    assert(!service->connections);
    while (cache->requests_count)
        free_request(cache->requests[--cache->requests_count]);
    while (cache->heads_count)
        free(cache->heads[--cache->heads_count]);
}

void fray_http_request_own(fray_request *request)
{
    if (request->head && request->head_copy.len == 0) {
        fray_buf_append(&request->head_copy, request->head_memory->data, request->head_len);
        request->head_memory->data = request->head_copy.data; /* the rest of it is offsets */
    }
    if (request->body.len && request->body.data != request->body_copy.data) {
        fray_buf_append_slice(&request->body_copy, request->body);
        request->body = fray_buf_slice(&request->body_copy);
    }
}

void fray_request_keep(fray_request *request)
{
    request->is_kept = true;
    fray_http_request_own(request);
}

void fray_request_keep_bare(fray_request *request)
{
    request->is_kept = true;
    if (!request->is_body_complete) { /* still needed to read it */
        fray_http_request_own(request);
        return;
    }
    if (request->head)
        fray_http_request_forget_head(request);
    fray_buf_deinit(&request->head_copy);
    fray_buf_deinit(&request->body_copy);
    request->body = (struct fray_slice){0};
    fray_http_request_free_texts(request);
}

void fray_http_request_abort(fray_request *request)
{
    request->connection = NULL;
    if (request->on_abort)
        request->on_abort(request);
    else if (!request->is_kept)
        fray_http_request_destroy(request);
}

void fray_request_drop(fray_request *request)
{
    struct fray_http_connection *connection = request->connection;
    fray_http_request_destroy(request);
    if (!connection)
        return;
    connection->request = NULL;
    fray_http_connection_close(connection, false);
}

struct fray_stream *fray_request_upgrade(fray_request *request)
{
    struct fray_http_connection *connection = request->connection;
    if (!connection || !request->is_body_complete || request->body.len > 0 || connection->output)
        return NULL;
    struct fray_stream *stream = connection->stream;
    connection->request = NULL;
    connection->is_upgraded = true;
    fray_http_connection_release(connection);
    fray_http_request_destroy(request);
    return stream;
}

const struct fray_address *fray_request_peer(const fray_request *request)
{
    static const struct fray_address nowhere;
    return request->connection ? fray_stream_peer(request->connection->stream) : &nowhere;
}

struct fray_stream *fray_request_stream(const fray_request *request)
{
    return request->connection ? request->connection->stream : NULL;
}

bool fray_request_is_secure(const fray_request *request)
{
    return request->connection && fray_stream_is_tls(request->connection->stream);
}
