/* Envelope sessions over plain HTTP (docs/openapi.yaml):
 *
 *     POST   /poll              opens a session
 *     GET    /poll/<session>    what is newer than ?after=, at once or within ?wait= ms
 *     POST   /poll/<session>    a message, or an array of them; ?number= tells a repeat from news
 *     DELETE /poll/<session>    ends it
 *     GET    /sse/<session>     Server-Sent Events from Last-Event-ID on
 *
 * A session's id leads to its worker, and the connection is moved there. */
#include "base/mem.h"
#include "server/envelope_endpoint.h"
#include "wire/json.h"
#include "wire/url.h"

static struct fray_envelope_worker *local(const fray_request *request)
{
    return &fray_server_worker_of(request)->envelope;
}

/* ------------------------------------------------------------------ opening */

/* A POST that waits for the namespace's answer. */
struct opening {
    fray_request *request;          /* NULL: its client has gone */
    struct fray_envelope *envelope; /* NULL: still inside fray_envelope_open */
    bool is_answered;
};

static void reply_opened(fray_request *request, const struct fray_envelope *envelope)
{
    const struct fray_envelope_worker *worker = local(request);
    struct fray_buf body = {0}, location = {0};
    fray_buf_printf(&body,
                    "{\"session\":\"%s\",\"cursor\":0,\"poll\":\"/poll/%s\",\"sse\":\"/sse/%s\","
                    "\"wait_max_ms\":%u,\"poll_timeout_ms\":%u}",
                    envelope->sid, envelope->sid, envelope->sid, worker->cursor.wait_max_ms,
                    worker->config.poll_timeout_ms);
    fray_buf_printf(&location, "/poll/%s", envelope->sid);
    fray_request_add_header(request, FRAY_SLICE("location"), fray_buf_slice(&location));
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, 201, "application/json", body.data, body.len);
    fray_buf_deinit(&body);
    fray_buf_deinit(&location);
}

/* 401 for want of a good token, 403 for the application's own reasons. */
static void reply_refused(fray_request *request, struct fray_slice error)
{
    struct fray_slice data = {0}, code = {0}, message = {0};
    struct fray_buf body = {0};
    bool is_unauthorized = fray_json_find(error, FRAY_SLICE("data"), &data) &&
                           fray_json_find(data, FRAY_SLICE("code"), &code) &&
                           fray_slice_equal(code, FRAY_SLICE("\"unauthorized\""));
    fray_json_find(error, FRAY_SLICE("message"), &message);
    fray_buf_printf(&body, "{\"type\":\"error\",\"content\":{\"code\":\"%s\",\"message\":",
                    is_unauthorized ? "unauthorized" : "refused");
    fray_buf_append_slice(&body, message);
    if (data.len) {
        FRAY_BUF_LITERAL(&body, ",\"data\":");
        fray_buf_append_slice(&body, data);
    }
    FRAY_BUF_LITERAL(&body, "}}");
    if (is_unauthorized)
        fray_request_add_header(request, FRAY_SLICE("www-authenticate"), FRAY_SLICE("Bearer"));
    fray_request_reply(request, is_unauthorized ? 401 : 403, "application/json", body.data,
                       body.len);
    fray_buf_deinit(&body);
}

static void on_answer(struct fray_envelope *envelope, struct fray_slice error, void *context)
{
    struct opening *opening = context;
    fray_request *request = opening->request;
    if (request) {
        request->owner = NULL;
        request->on_abort = NULL;
    }
    if (request && error.len)
        reply_refused(request, error);
    else if (request)
        reply_opened(request, envelope);
    if (opening->envelope)
        free(opening);
    else
        opening->is_answered = true;
}

static void on_opening_abort(fray_request *request)
{
    struct opening *opening = request->owner;
    opening->request = NULL;
    fray_request_drop(request);
    fray_session_close(&opening->envelope->session, FRAY_TRANSPORT_CLOSE); /* and frees opening */
}

static void open_with(fray_request *request, fray_namespace *nsp, const json_t *auth)
{
    struct fray_envelope_worker *worker = local(request);
    struct fray_handshake *handshake = fray_handshake_of(request);
    char *text = json_dumps(auth, JSON_COMPACT);
    struct opening *opening = fray_alloc_zero(sizeof *opening);
    fray_request_keep(request);
    request->owner = opening;
    request->on_abort = on_opening_abort;
    opening->request = request;
    struct fray_envelope *envelope = fray_envelope_open(
        &worker->config,
        &(struct fray_envelope_opening){.nsp = nsp,
                                        .link = fray_cursor_create(&worker->cursor),
                                        .handshake = handshake,
                                        .auth = fray_slice_of(text),
                                        .on_answer = on_answer,
                                        .context = opening});
    if (opening->is_answered)
        free(opening);
    else
        opening->envelope = envelope;
    free(text);
    fray_handshake_unref(handshake);
}

/* The query's parameters, and over them the members of the body. NULL: refused. */
static json_t *read_auth(fray_request *request)
{
    const fray_server *server = fray_server_worker_of(request)->server;
    json_t *auth = fray_envelope_query_auth(request), *body = NULL;
    if (!request->body.len)
        return auth;
    if (!fray_json_validate(request->body, server->config.json_max_depth))
        body = json_loadb(request->body.data, request->body.len, 0, NULL);
    if (json_is_object(body)) {
        json_object_update(auth, body);
    } else {
        json_decref(auth);
        auth = NULL;
        fray_envelope_refuse(request, 400, "bad_json",
                             "The body must be empty, or a JSON object: who you are.");
    }
    json_decref(body);
    return auth;
}

/* Such a session needs no connection, so connections do not bound them. */
static bool is_full(const struct fray_server_worker *worker)
{
    uint32_t share = worker->server->config.max_connections / worker->server->workers_count;
    return worker->base.sessions.count >= (share ? share : 1);
}

static void open_session(struct fray_endpoint *endpoint, fray_request *request)
{
    (void)endpoint;
    struct fray_server_worker *here = fray_server_worker_of(request);
    if (is_full(here)) {
        fray_request_add_header(request, FRAY_SLICE("retry-after"), FRAY_SLICE("10"));
        fray_envelope_refuse(request, 503, "full", "The server has as many sessions as it takes.");
        return;
    }
    fray_namespace *nsp = fray_envelope_namespace(request);
    json_t *auth = nsp ? read_auth(request) : NULL;
    if (auth)
        open_with(request, nsp, auth);
    else if (nsp)
        fray_registry_release(&here->base, nsp);
    json_decref(auth);
}

static void handle_open(fray_request *request, void *context)
{
    fray_handshake_ask(context, request, open_session);
}

/* ------------------------------------------------------------------ an open session */

/* What follows the second slash of the path. */
static struct fray_slice sid_of(const fray_request *request)
{
    struct fray_slice path = fray_http_request_path(request->head);
    const char *slash = path.len > 1 ? memchr(path.data + 1, '/', path.len - 1) : NULL;
    return slash ? fray_slice_skip(path, (size_t)(slash + 1 - path.data)) : (struct fray_slice){0};
}

static void on_session_head(fray_request *request, void *context)
{
    const struct fray_endpoint *endpoint = context;
    unsigned index;
    if (fray_sid_worker(sid_of(request), &index) && index < endpoint->server->workers_count &&
        endpoint->server->workers[index] != fray_server_worker_of(request))
        fray_request_move(request, &endpoint->server->workers[index]->http);
    else
        request->max_body = fray_envelope_body_max(endpoint->server);
}

/* NULL: refused. A session that is ending has only its last words to say, to who asks for them. */
static struct fray_envelope *session_of(fray_request *request, bool is_get)
{
    struct fray_envelope *envelope = fray_envelope_find(&local(request)->config, sid_of(request));
    const struct fray_session *session = envelope ? &envelope->session : NULL;
    bool is_over =
        session && session->is_closing && (!is_get || session->close_reason == FRAY_CLIENT_LEFT);
    if (session && session->link && !envelope->on_answer && !is_over)
        return envelope;
    fray_envelope_refuse(request, 404, "unknown_session",
                         "There is no such session, or it has ended: POST /poll opens one.");
    return NULL;
}

/* A number of the query, `missing` when it is not there. False: it is none. */
static bool read_number(const fray_request *request, const char *name, uint64_t missing,
                        uint64_t *number)
{
    struct fray_buf scratch = {0};
    struct fray_slice text;
    enum fray_err err =
        fray_url_query_find(fray_http_request_query(request->head), name, &scratch, &text);
    bool is_number = !err && text.len > 0 && text.len <= 18;
    *number = 0;
    for (size_t i = 0; is_number && i < text.len; i++) {
        is_number = text.data[i] >= '0' && text.data[i] <= '9';
        *number = *number * 10 + (uint64_t)(text.data[i] - '0');
    }
    fray_buf_deinit(&scratch);
    if (err != FRAY_ERR_NOT_FOUND)
        return is_number;
    *number = missing;
    return true;
}

/* The link can go on from there; false: refused. */
static bool may_go_on(fray_request *request, const struct fray_link *link, uint64_t after)
{
    enum fray_err err = fray_cursor_check(link, after);
    if (err == FRAY_ERR_SYNTAX)
        fray_envelope_refuse(request, 400, "bad_cursor",
                             "That cursor lies in the future: it was never given out.");
    else if (err)
        fray_envelope_refuse(request, 410, "cursor_gone",
                             "What follows that cursor is not kept any more: open a new session.");
    return !err;
}

static void handle_poll(fray_request *request, void *context)
{
    uint64_t after, wait_ms;
    (void)context;
    struct fray_envelope *envelope = session_of(request, true);
    if (!envelope)
        return;
    if (!read_number(request, "after", 0, &after) || !read_number(request, "wait", 0, &wait_ms))
        fray_envelope_refuse(request, 400, "bad_query", "after and wait are whole numbers.");
    else if (may_go_on(request, envelope->session.link, after))
        fray_cursor_poll(envelope->session.link, request, after,
                         wait_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)wait_ms);
}

/* Last-Event-ID, which a browser sends when it comes back, else ?after=. False: neither a number.
 */
static bool read_last_event(const fray_request *request, uint64_t *after)
{
    struct fray_slice id = fray_http_request_find(request->head, FRAY_SLICE("last-event-id"));
    if (!id.len)
        return read_number(request, "after", 0, after);
    *after = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] < '0' || id.data[i] > '9' || id.len > 18)
            return false;
        *after = *after * 10 + (uint64_t)(id.data[i] - '0');
    }
    return true;
}

static void handle_stream(fray_request *request, void *context)
{
    uint64_t after;
    (void)context;
    struct fray_envelope *envelope = session_of(request, true);
    if (!envelope)
        return;
    if (!read_last_event(request, &after))
        fray_envelope_refuse(request, 400, "bad_query", "Last-Event-ID is a whole number.");
    else if (!may_go_on(request, envelope->session.link, after))
        return;
    else if (request->method == FRAY_HTTP_HEAD)
        fray_request_reply(request, 200, "text/event-stream", NULL, 0);
    else
        fray_cursor_stream(envelope->session.link, request, after);
}

static void refuse_body(fray_request *request, const struct fray_envelope_refusal *refusal)
{
    struct fray_buf body = {0};
    int status = refusal->fault == FRAY_ENVELOPE_TOO_LONG ? 413 : 400;
    fray_buf_printf(&body, "{\"type\":\"error\",\"content\":{\"code\":");
    fray_json_write_string(&body, fray_slice_of(fray_envelope_fault_code(refusal->fault)));
    FRAY_BUF_LITERAL(&body, ",\"message\":");
    fray_json_write_string(&body, fray_slice_of(fray_envelope_fault_text(refusal->fault)));
    fray_buf_printf(&body, ",\"index\":%zu}}", refusal->index);
    fray_request_reply(request, status, "application/json", body.data, body.len);
    fray_buf_deinit(&body);
}

/* Takes the body, unless it is the newest one again, whose answer was lost. False: refused. */
static bool receive_once(fray_request *request, struct fray_envelope *envelope, size_t *count)
{
    struct fray_envelope_refusal refusal;
    uint64_t number;
    bool is_number = read_number(request, "number", 0, &number);
    if (!is_number || (number && number < envelope->post_number)) {
        fray_envelope_refuse(request, 400, is_number ? "bad_number" : "bad_query",
                             is_number ? "A POST of a greater number has been taken."
                                       : "number is a whole number.");
        return false;
    }
    *count = envelope->post_count;
    if (number && number == envelope->post_number)
        return true;
    if (fray_envelope_receive(envelope, request->body, count, &refusal)) {
        refuse_body(request, &refusal);
        return false;
    }
    if (number) {
        envelope->post_number = number;
        envelope->post_count = *count;
    }
    return true;
}

static void handle_send(fray_request *request, void *context)
{
    size_t count;
    (void)context;
    struct fray_envelope *envelope = session_of(request, false);
    if (!envelope)
        return;
    fray_link_heard(envelope->session.link, envelope->session.worker);
    if (!receive_once(request, envelope, &count))
        return;
    char body[48];
    int len = snprintf(body, sizeof body, "{\"accepted\":%zu}", count);
    fray_request_reply(request, 200, "application/json", body, (size_t)len);
}

static void handle_end(fray_request *request, void *context)
{
    (void)context;
    struct fray_envelope *envelope = session_of(request, false);
    if (!envelope)
        return;
    fray_session_close(&envelope->session, FRAY_CLIENT_LEFT);
    fray_request_reply(request, 204, NULL, NULL, 0);
}

enum fray_err fray_envelope_http_add(fray_server *server)
{
    const struct fray_http_cors *cors = &server->cors;
    const struct fray_http_route routes[] = {
        {.method = "POST",
         .path = "/poll",
         .handle = handle_open,
         .on_head = fray_envelope_on_opening_head,
         .cors = cors},
        {"GET", "/poll/*", handle_poll, NULL, on_session_head, cors},
        {"POST", "/poll/*", handle_send, NULL, on_session_head, cors},
        {"DELETE", "/poll/*", handle_end, NULL, on_session_head, cors},
        {"GET", "/sse/*", handle_stream, NULL, on_session_head, cors},
    };
    enum fray_err err = FRAY_OK;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !err; i++)
        err = fray_envelope_route_add(server, &routes[i]);
    return err;
}
