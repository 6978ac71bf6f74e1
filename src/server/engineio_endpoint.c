/* The HTTP side of Engine.IO: which request opens, feeds, polls or upgrades which session, and what
 * is wrong with the others. The order of the checks is the official server's, for clients are told
 * one error of several. */
#include "base/mem.h"
#include "protocol/bare.h"
#include "server/server.h"
#include "transport/polling.h"
#include "wire/url.h"

struct query {
    struct fray_buf scratch;
    enum { TRANSPORT_NONE, TRANSPORT_POLLING, TRANSPORT_WEBSOCKET } transport;
    bool is_v4;
    bool has_sid;
    char sid[FRAY_TOKEN_LEN + 1]; /* terminated; not a token when it was of another length */
};

static void note(struct query *query, struct fray_slice name, struct fray_slice value)
{
    if (fray_slice_equal(name, FRAY_SLICE("EIO"))) {
        query->is_v4 = fray_slice_equal(value, FRAY_SLICE("4"));
    } else if (fray_slice_equal(name, FRAY_SLICE("transport"))) {
        query->transport = fray_slice_equal(value, FRAY_SLICE("polling"))     ? TRANSPORT_POLLING
                           : fray_slice_equal(value, FRAY_SLICE("websocket")) ? TRANSPORT_WEBSOCKET
                                                                              : TRANSPORT_NONE;
    } else if (fray_slice_equal(name, FRAY_SLICE("sid"))) {
        query->has_sid = value.len > 0;
        if (value.len == FRAY_TOKEN_LEN)
            memcpy(query->sid, value.data, FRAY_TOKEN_LEN);
    }
}

static struct query read_query(const fray_request *request)
{
    struct query query = {0};
    struct fray_slice rest = fray_http_request_query(request->head);
    struct fray_buf scratch = {0};
    struct fray_url_param param;
    enum fray_err err;
    while ((err = fray_url_query_next(&rest, &scratch, &param)) != FRAY_ERR_NOT_FOUND) {
        if (!err)
            note(&query, param.name, param.value);
    }
    fray_buf_deinit(&scratch);
    return query;
}

static struct fray_endpoint_worker *local(const struct fray_endpoint *endpoint,
                                          const fray_request *request)
{
    return &fray_server_worker_of(request)->endpoints[endpoint->index];
}

static struct fray_engineio *session_of(const struct fray_endpoint *endpoint,
                                        const fray_request *request, const struct query *query)
{
    return fray_engineio_find(&local(endpoint, request)->engineio, fray_slice_of(query->sid));
}

static void refuse(fray_request *request, enum fray_engineio_error error)
{
    struct fray_buf body = {0};
    fray_engineio_error_body(&body, error, (struct fray_slice){0});
    fray_request_reply(request, fray_engineio_error_status(error), "application/json", body.data,
                       body.len);
    fray_buf_deinit(&body);
}

static bool is_transport_allowed(const struct fray_endpoint *endpoint, const struct query *query)
{
    uint32_t allowed = endpoint->server->config.transports;
    return (query->transport == TRANSPORT_POLLING && allowed & FRAY_CONFIG_POLLING) ||
           (query->transport == TRANSPORT_WEBSOCKET && allowed & FRAY_CONFIG_WEBSOCKET);
}

/* ------------------------------------------------------------------ opening */

static void add_cookie(const struct fray_endpoint *endpoint, struct fray_engineio *engineio,
                       struct fray_buf *headers)
{
    const char *name = endpoint->server->config.cookie;
    if (*name)
        fray_buf_printf(headers, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Lax\r\n", name,
                        engineio->sid);
}

static void open_polling(struct fray_endpoint *endpoint, fray_request *request)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    struct fray_handshake *handshake = fray_handshake_of(request);
    struct fray_link *link = fray_polling_create(&worker->base);
    fray_polling_wait(link, request);
    struct fray_engineio *engineio =
        fray_engineio_open(&worker->endpoints[endpoint->index].engineio, link, handshake);
    add_cookie(endpoint, engineio, &request->reply_headers);
    fray_handshake_unref(handshake);
}

static void open_websocket(struct fray_endpoint *endpoint, fray_request *request)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    struct fray_engineio_config *config = &worker->endpoints[endpoint->index].engineio;
    struct fray_handshake *handshake = fray_handshake_of(request);
    struct fray_link *link = fray_websocket_endpoint_open(request, (uint32_t)config->max_payload,
                                                          (struct fray_slice){0});
    if (link)
        fray_engineio_open(config, link, handshake);
    fray_handshake_unref(handshake);
}

static void go_on(struct fray_endpoint *endpoint, fray_request *request)
{
    struct query query = read_query(request);
    if (!query.is_v4)
        refuse(request, FRAY_ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION);
    else if (query.transport == TRANSPORT_WEBSOCKET)
        open_websocket(endpoint, request);
    else
        open_polling(endpoint, request);
}

static void open_session(struct fray_endpoint *endpoint, fray_request *request,
                         const struct query *query)
{
    if (request->method != FRAY_HTTP_GET)
        refuse(request, FRAY_ENGINEIO_BAD_HANDSHAKE_METHOD);
    else if ((query->transport == TRANSPORT_WEBSOCKET) != request->head->upgrade_websocket)
        refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
    else if (query->transport == TRANSPORT_POLLING || fray_websocket_endpoint_check(request))
        fray_handshake_ask(endpoint, request, go_on);
}

/* ------------------------------------------------------------------ an open session */

static void fail(struct fray_engineio *engineio, fray_request *request)
{
    fray_count(&engineio->session.worker->counters.closed_parse_error);
    fray_session_close(&engineio->session, FRAY_PARSE_ERROR);
    refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
}

static void poll(struct fray_engineio *engineio, fray_request *request)
{
    if (fray_polling_is_waiting(engineio->session.link)) {
        fail(engineio, request);
        return;
    }
    fray_polling_wait(engineio->session.link, request);
}

static void receive(struct fray_endpoint *endpoint, struct fray_engineio *engineio,
                    fray_request *request)
{
    if (engineio->session.is_closing) {
        refuse(request, FRAY_ENGINEIO_UNKNOWN_SID);
        return;
    }
    if (!fray_polling_end_post(engineio->session.link, request)) {
        fail(engineio, request); /* two at once: neither is to be trusted */
        return;
    }
    struct fray_handshake *carrier =
        endpoint->app->keep_handshake ? fray_handshake_of(request) : NULL;
    engineio->carrier = carrier;
    enum fray_err err = fray_engineio_receive(engineio, request->body);
    engineio->carrier = NULL;
    fray_handshake_unref(carrier);
    if (err)
        refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
    else
        fray_request_reply(request, 200, "text/html", "ok", 2);
}

/* As the official server does it, a websocket that comes too late, or beside another, is opened and
 * closed. */
static void upgrade(struct fray_engineio *engineio, fray_request *request)
{
    struct fray_link *link = fray_websocket_endpoint_open(
        request, (uint32_t)engineio->config->max_payload, (struct fray_slice){0});
    if (!link)
        return;
    if (fray_engineio_may_upgrade(engineio)) {
        fray_engineio_probe(engineio, link);
        fray_websocket_reply_now(link);
    } else {
        link->ops->close(link, FRAY_TRANSPORT_CLOSE);
    }
}

static void serve_session(struct fray_endpoint *endpoint, fray_request *request,
                          const struct query *query)
{
    struct fray_engineio *engineio = session_of(endpoint, request, query);
    if (!engineio) {
        refuse(request, FRAY_ENGINEIO_UNKNOWN_SID);
    } else if (request->head->upgrade_websocket) {
        if (query->transport != TRANSPORT_WEBSOCKET)
            refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
        else if (fray_websocket_endpoint_check(request))
            upgrade(engineio, request);
    } else if (query->transport != TRANSPORT_POLLING || !fray_polling_is(engineio->session.link)) {
        refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
    } else if (request->method == FRAY_HTTP_GET) {
        poll(engineio, request);
    } else if (request->method == FRAY_HTTP_POST) {
        receive(endpoint, engineio, request);
    } else {
        refuse(request, FRAY_ENGINEIO_BAD_REQUEST);
    }
}

static void handle(fray_request *request, void *context)
{
    struct fray_endpoint *endpoint = context;
    struct query query = read_query(request);
    if (!is_transport_allowed(endpoint, &query))
        refuse(request, FRAY_ENGINEIO_UNKNOWN_TRANSPORT);
    else if (query.has_sid)
        serve_session(endpoint, request, &query);
    else
        open_session(endpoint, request, &query);
}

/* ------------------------------------------------------------------ heads */

static void on_head(fray_request *request, void *context)
{
    struct fray_endpoint *endpoint = context;
    struct query query = read_query(request);
    struct fray_server_worker *here = fray_server_worker_of(request), *place = NULL;
    unsigned index;
    if (!query.has_sid)
        place = fray_handshake_place(endpoint);
    else if (fray_sid_worker(fray_slice_of(query.sid), &index) &&
             index < endpoint->server->workers_count)
        place = endpoint->server->workers[index];
    if (place && place != here) {
        fray_request_move(request, &place->http);
        return;
    }
    request->max_body = endpoint->server->config.max_http_buffer_size;
    if (!query.has_sid || request->method != FRAY_HTTP_POST)
        return;
    struct fray_engineio *engineio = session_of(endpoint, request, &query);
    if (engineio && fray_polling_is(engineio->session.link))
        fray_polling_begin_post(engineio->session.link, request);
}

/* ------------------------------------------------------------------ setting up */

static fray_namespace *find_namespace(struct fray_socketio_config *config, struct fray_slice name)
{
    struct fray_server_worker *worker = config->owner;
    return fray_registry_find(worker->server, &worker->base, name);
}

void fray_engineio_endpoint_worker_init(struct fray_endpoint *endpoint,
                                        struct fray_server_worker *worker)
{
    const struct fray_config *config = &endpoint->server->config;
    struct fray_endpoint_worker *self = &worker->endpoints[endpoint->index];
    bool is_socketio = endpoint->app->protocol == FRAY_SOCKETIO;
    bool keep_handshake = false;
    for (size_t i = 0; i < endpoint->server->apps_count; i++)
        keep_handshake |= endpoint->server->apps[i].keep_handshake;
    self->socketio = (struct fray_socketio_config){
        .limits = {.attachments_max = config->socketio_max_attachments,
                   .depth_max = config->json_max_depth,
                   .bytes_max = config->max_http_buffer_size},
        .connect_timeout_ms = config->connect_timeout_ms,
        .max_namespaces = config->max_namespaces_per_session,
        .keep_handshake = keep_handshake,
        .owner = worker,
        .find_namespace = find_namespace,
    };
    self->engineio = (struct fray_engineio_config){
        .worker = &worker->base,
        .upper = is_socketio ? &fray_socketio_upper : &fray_bare_upper,
        .upper_config = is_socketio ? (void *)&self->socketio : (void *)endpoint->nsp,
        .ping_interval_ms = config->ping_interval_ms,
        .ping_timeout_ms = config->ping_timeout_ms,
        .upgrade_timeout_ms = config->upgrade_timeout_ms,
        .max_payload = config->max_http_buffer_size,
        .allow_upgrades = config->allow_upgrades && config->transports & FRAY_CONFIG_WEBSOCKET,
    };
    fray_engineio_config_init(&self->engineio);
}

void fray_engineio_endpoint_worker_deinit(struct fray_endpoint_worker *self)
{
    if (self->engineio.ping)
        fray_engineio_config_deinit(&self->engineio);
}

enum fray_err fray_engineio_endpoint_add(struct fray_endpoint *endpoint)
{
    return fray_http_router_add(endpoint->server->router, &(struct fray_http_route){
                                                              .path = endpoint->pattern,
                                                              .handle = handle,
                                                              .on_head = on_head,
                                                              .context = endpoint,
                                                              .cors = &endpoint->server->cors,
                                                          });
}
