/* Where clients without a library come in: /ws for websockets; /poll and /sse are in
 * envelope_http.c. What both share is here: which namespace is asked for, who asks, and the words
 * of refusals. Paths that an application uses itself are its own. */
#include "server/envelope_endpoint.h"

#include "base/mem.h"
#include "wire/url.h"

/* A message somewhat too long is answered with an error; only what is far beyond ends the link. */
enum { TOLERANCE = 2 };

static struct fray_envelope_worker *local(const fray_request *request)
{
    return &fray_server_worker_of(request)->envelope;
}

size_t fray_envelope_body_max(const fray_server *server)
{
    return server->config.max_message_size * TOLERANCE;
}

void fray_envelope_refuse(fray_request *request, int status, const char *code, const char *message)
{
    struct fray_buf body = {0};
    fray_envelope_encode_error(&body,
                               &(struct fray_envelope_error){.code = code, .message = message});
    fray_request_reply(request, status, "application/json", body.data, body.len);
    fray_buf_deinit(&body);
}

/* ------------------------------------------------------------------ what the query says */

fray_namespace *fray_envelope_namespace(fray_request *request)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    struct fray_buf scratch = {0};
    struct fray_slice name;
    if (fray_url_query_find(fray_http_request_query(request->head), "namespace", &scratch, &name))
        name = FRAY_SLICE("/");
    struct fray_buf full = {0};
    if (!name.len || name.data[0] != '/')
        fray_buf_append_byte(&full, '/');
    fray_buf_append_slice(&full, name);
    fray_namespace *nsp = fray_registry_find(worker->server, &worker->base, fray_buf_slice(&full));
    fray_buf_deinit(&full);
    fray_buf_deinit(&scratch);
    if (!nsp)
        fray_envelope_refuse(request, 404, "unknown_namespace", "There is no such namespace.");
    return nsp;
}

json_t *fray_envelope_query_auth(const fray_request *request)
{
    json_t *auth = json_object();
    struct fray_slice rest = fray_http_request_query(request->head);
    struct fray_buf scratch = {0};
    struct fray_url_param param;
    enum fray_err err;
    while ((err = fray_url_query_next(&rest, &scratch, &param)) != FRAY_ERR_NOT_FOUND) {
        if (err || fray_slice_equal(param.name, FRAY_SLICE("namespace")))
            continue;
        /* What is not UTF-8 has no place in JSON, and is left out. */
        char *name = fray_strndup(param.name.data, param.name.len);
        json_t *value = json_stringn(param.value.data ? param.value.data : "", param.value.len);
        if (value)
            json_object_set_new(auth, name, value);
        free(name);
    }
    fray_buf_deinit(&scratch);
    return auth;
}

/* ------------------------------------------------------------------ websockets */

static void open_websocket(struct fray_endpoint *endpoint, fray_request *request)
{
    (void)endpoint;
    struct fray_envelope_worker *worker = local(request);
    fray_namespace *nsp = fray_envelope_namespace(request);
    if (!nsp)
        return;
    struct fray_server_worker *here = fray_server_worker_of(request);
    const fray_server *server = here->server;
    json_t *auth = fray_envelope_query_auth(request);
    struct fray_handshake *handshake = fray_handshake_of(request);
    struct fray_link *link = fray_websocket_endpoint_open(
        request, (uint32_t)fray_envelope_body_max(server), (struct fray_slice){0});
    if (link) {
        char *text = json_dumps(auth, JSON_COMPACT);
        fray_envelope_open(
            &worker->config,
            &(struct fray_envelope_opening){
                .nsp = nsp, .link = link, .handshake = handshake, .auth = fray_slice_of(text)});
        free(text);
    } else {
        fray_registry_release(&here->base, nsp);
    }
    json_decref(auth);
    fray_handshake_unref(handshake);
}

static void handle_websocket(fray_request *request, void *context)
{
    if (fray_websocket_endpoint_check(request))
        fray_handshake_ask(context, request, open_websocket);
}

void fray_envelope_on_opening_head(fray_request *request, void *context)
{
    struct fray_server_worker *place = fray_handshake_place(context);
    if (place && place != fray_server_worker_of(request))
        fray_request_move(request, &place->http);
    else
        request->max_body = fray_envelope_body_max(fray_server_worker_of(request)->server);
}

/* ------------------------------------------------------------------ setting up */

static void worker_init(struct fray_server_worker *worker)
{
    const struct fray_config *config = &worker->server->config;
    worker->envelope = (struct fray_envelope_worker){
        .config = {.worker = &worker->base,
                   .limits = {.depth_max = config->json_max_depth,
                              .attachments_max = config->socketio_max_attachments},
                   .max_message = config->max_message_size,
                   .ping_interval_ms = config->ping_interval_ms,
                   .ping_timeout_ms = config->ping_timeout_ms,
                   .poll_timeout_ms = config->poll_session_timeout_ms,
                   .version = "fray " FRAY_VERSION},
        .cursor = {.worker = &worker->base,
                   .replay_messages = config->poll_replay_messages,
                   .compress_min = (uint32_t)(config->poll_compress_min > UINT32_MAX
                                                  ? UINT32_MAX
                                                  : config->poll_compress_min),
                   .wait_max_ms = config->poll_wait_max_ms},
    };
}

/* A WebSocket endpoint of any path, or of this one, is the application's. */
static bool is_taken(const fray_server *server, const char *path)
{
    for (size_t i = 0; i < server->endpoints_count; i++) {
        const struct fray_endpoint *endpoint = &server->endpoints[i];
        size_t len = strlen(endpoint->pattern);
        bool is_prefix = len && endpoint->pattern[len - 1] == '*';
        if (is_prefix ? strncmp(path, endpoint->pattern, len - 1) == 0
                      : strcmp(path, endpoint->pattern) == 0)
            return true;
    }
    return false;
}

enum fray_err fray_envelope_route_add(fray_server *server, const struct fray_http_route *route)
{
    struct fray_http_route whole = *route;
    whole.context = &server->envelope;
    if (is_taken(server, route->path))
        return FRAY_OK;
    enum fray_err err = fray_http_router_add(server->router, &whole);
    return err == FRAY_ERR_EXISTS ? FRAY_OK : err; /* the application's */
}

/* The app whose on_handshake is asked is the one that Socket.IO's clients meet. */
static const struct fray_endpoint *socketio_endpoint(const fray_server *server)
{
    for (size_t i = 0; i < server->endpoints_count; i++) {
        if (server->endpoints[i].app->protocol == FRAY_SOCKETIO)
            return &server->endpoints[i];
    }
    return NULL;
}

enum fray_err fray_envelope_endpoint_add(fray_server *server)
{
    const struct fray_endpoint *model = socketio_endpoint(server);
    if (!server->config.envelope || !model)
        return FRAY_OK;
    server->envelope = (struct fray_endpoint){
        .server = server, .app = model->app, .nsp = model->nsp, .is_envelope = true};
    for (unsigned w = 0; w < server->workers_count; w++)
        worker_init(server->workers[w]);
    enum fray_err err = fray_envelope_route_add(
        server, &(struct fray_http_route){.method = "GET",
                                          .path = "/ws",
                                          .handle = handle_websocket,
                                          .on_head = fray_envelope_on_opening_head});
    return err ? err : fray_envelope_http_add(server);
}
