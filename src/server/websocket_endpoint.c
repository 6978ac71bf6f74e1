/* Requests for websockets: their check and reply, and the endpoint of bare WebSocket sessions. */
#include "protocol/bare.h"
#include "server/server.h"

static struct fray_slice header(const fray_request *request, enum fray_http_header id)
{
    return fray_http_request_header(request->head, id);
}

static bool is_origin_allowed(const fray_request *request)
{
    const struct fray_config *config = &fray_server_worker_of(request)->server->config;
    struct fray_slice origin = header(request, FRAY_HTTP_HEADER_ORIGIN);
    if (!config->websocket_origins.count || !origin.len)
        return true;
    for (size_t i = 0; i < config->websocket_origins.count; i++) {
        struct fray_slice allowed = fray_slice_of(config->websocket_origins.items[i]);
        if (fray_slice_equal(allowed, FRAY_SLICE("*")) || fray_http_equal(allowed, origin))
            return true;
    }
    return false;
}

/* Whoever looks at such a path with a browser or curl is told what it is. */
static void reply_why(fray_request *request, unsigned status)
{
    static const char no_handshake[] =
        "This path is for WebSocket clients, and the request is no handshake of one.\n";
    static const char bad_origin[] =
        "Pages of this origin may not open a WebSocket here (option websocket_origins).\n";
    if (status == 400)
        fray_request_reply(request, 400, "text/plain; charset=utf-8", no_handshake,
                           sizeof no_handshake - 1);
    else if (status == 403)
        fray_request_reply(request, 403, "text/plain; charset=utf-8", bad_origin,
                           sizeof bad_origin - 1);
    else
        fray_request_reply_status(request, (int)status);
}

bool fray_websocket_endpoint_check(fray_request *request)
{
    unsigned status = 400;
    bool repeats = fray_http_request_repeats(request->head, FRAY_HTTP_HEADER_SEC_WEBSOCKET_KEY) ||
                   fray_http_request_repeats(request->head, FRAY_HTTP_HEADER_SEC_WEBSOCKET_VERSION);
    if (!repeats)
        status = fray_websocket_request_check(&(struct fray_websocket_request){
            .method = fray_slice_of(fray_http_method_name(request->method)),
            .minor = request->minor,
            .upgrade = header(request, FRAY_HTTP_HEADER_UPGRADE),
            .connection = header(request, FRAY_HTTP_HEADER_CONNECTION),
            .version = header(request, FRAY_HTTP_HEADER_SEC_WEBSOCKET_VERSION),
            .key = header(request, FRAY_HTTP_HEADER_SEC_WEBSOCKET_KEY),
        });
    if (status == 101 && !is_origin_allowed(request))
        status = 403;
    if (status == 101)
        return true;
    if (status == 426) {
        fray_request_add_header(request, FRAY_SLICE("Upgrade"), FRAY_SLICE("websocket"));
        fray_request_add_header(request, FRAY_SLICE("Sec-WebSocket-Version"), FRAY_SLICE("13"));
    } else if (status == 405) {
        fray_request_add_header(request, FRAY_SLICE("Allow"), FRAY_SLICE("GET"));
    }
    reply_why(request, status);
    return false;
}

struct fray_link *fray_websocket_endpoint_open(fray_request *request, uint32_t max_message,
                                               struct fray_slice subprotocol)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    struct fray_link *link = fray_websocket_create(
        &worker->websocket,
        &(struct fray_websocket_opening){
            .key = header(request, FRAY_HTTP_HEADER_SEC_WEBSOCKET_KEY),
            .offers = header(request, FRAY_HTTP_HEADER_SEC_WEBSOCKET_EXTENSIONS),
            .fields = fray_buf_slice(&request->reply_headers),
            .protocol = subprotocol,
            .use_deflate = worker->server->config.per_message_deflate,
            .max_message = max_message,
        });
    if (!link) {
        fray_request_reply_status(request, 400);
        return NULL;
    }
    struct fray_stream *stream = fray_request_upgrade(request);
    if (!stream) {
        fray_websocket_discard(link);
        fray_request_reply_status(request, 400);
        return NULL;
    }
    fray_websocket_start(link, stream);
    return link;
}

static void go_on(struct fray_endpoint *endpoint, fray_request *request)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    struct fray_handshake *handshake = fray_handshake_of(request);
    struct fray_link *link = fray_websocket_endpoint_open(
        request, (uint32_t)worker->server->config.max_message_size, (struct fray_slice){0});
    if (link)
        fray_bare_open(endpoint->nsp, &worker->base, link, handshake);
    fray_handshake_unref(handshake);
}

static void handle(fray_request *request, void *context)
{
    const struct fray_endpoint *endpoint = context;
    if (!request->head->upgrade && strcmp(endpoint->pattern, "/*") == 0)
        fray_files_serve(request);
    else if (fray_websocket_endpoint_check(request))
        fray_handshake_ask(context, request, go_on);
}

static void on_head(fray_request *request, void *context)
{
    struct fray_server_worker *place = fray_handshake_place(context);
    if (place && place != fray_server_worker_of(request))
        fray_request_move(request, &place->http);
}

enum fray_err fray_websocket_endpoint_add(struct fray_endpoint *endpoint)
{
    return fray_http_router_add(endpoint->server->router, &(struct fray_http_route){
                                                              .method = "GET",
                                                              .path = endpoint->pattern,
                                                              .handle = handle,
                                                              .on_head = on_head,
                                                              .context = endpoint,
                                                          });
}
