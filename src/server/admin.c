#include "server/admin.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "wire/url.h"

enum {
    GUESSES_MAX = 10, /* of one address in a minute */
    BODY_MAX = 4096,
    LIMIT = 100, /* sessions on a page, unless asked for otherwise */
    LIMIT_MAX = 1000,
};

/* ------------------------------------------------------------------ replies */

static void reply_json(fray_request *request, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, status, "application/json", text, strlen(text));
    free(text);
}

static void fail(fray_request *request, int status, const char *code, const char *message)
{
    reply_json(request, status, json_pack("{s:s, s:s}", "code", code, "message", message));
}

static void reply_empty(fray_request *request)
{
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, 204, NULL, NULL, 0);
}

/* ------------------------------------------------------------------ who may */

static uint32_t *guesses_of(struct fray_server_worker *worker, const struct fray_address *peer)
{
    uint8_t network[8] = {0};
    if (peer->is_v4)
        memcpy(network, peer->ip + 12, 4);
    else
        memcpy(network, peer->ip, sizeof network);
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof network; i++)
        hash = (hash ^ network[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    struct fray_admin_guard *guard = worker->admin_guard;
    size_t slot = (hash ^ hash >> 32) % FRAY_ADMIN_GUESSERS;
    uint32_t minute = (uint32_t)(*worker->base.now_us / 60000000) + 1;
    if (memcmp(guard->guessers[slot].network, network, sizeof network) != 0 ||
        guard->guessers[slot].minute != minute) {
        memcpy(guard->guessers[slot].network, network, sizeof network);
        guard->guessers[slot].minute = minute;
        guard->guessers[slot].count = 0;
    }
    return &guard->guessers[slot].count;
}

/* Hashed first, so that neither length nor content shows in how long it takes. */
static bool equals_token(const char *given, size_t len, const char *token)
{
    uint8_t a[SHA256_DIGEST_LENGTH], b[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)given, len, a);
    SHA256((const unsigned char *)token, strlen(token), b);
    return CRYPTO_memcmp(a, b, sizeof a) == 0;
}

/* RFC 6750 2.1 and 3. False: it was answered. */
static bool check_token(fray_request *request)
{
    struct fray_server_worker *worker = fray_server_worker_of(request);
    uint32_t *guesses = guesses_of(worker, fray_request_peer(request));
    if (*guesses >= GUESSES_MAX) {
        fray_count(&worker->base.counters.admin_refused);
        fray_request_add_header(request, FRAY_SLICE("retry-after"), FRAY_SLICE("60"));
        fail(request, 429, "too_many_attempts",
             "There were too many wrong tokens from this address: wait a minute.");
        return false;
    }
    struct fray_slice given =
        fray_server_bearer(fray_http_request_header(request->head, FRAY_HTTP_HEADER_AUTHORIZATION));
    if (given.len && equals_token(given.data, given.len, worker->server->config.admin_token))
        return true;
    fray_count(&worker->base.counters.admin_refused);
    *guesses += given.len > 0;
    fray_request_add_header(request, FRAY_SLICE("www-authenticate"), FRAY_SLICE("Bearer"));
    if (given.len)
        fail(request, 401, "wrong_token", "The token is not the one of the option admin_token.");
    else
        fail(request, 401, "no_token",
             "Send the token of the option admin_token as Authorization: Bearer TOKEN.");
    return false;
}

/* ------------------------------------------------------------------ errands */

static json_t *listed(struct fray_admin_errand *errand)
{
    json_t *next = json_null();
    if (errand->has_more) {
        const json_t *last =
            json_array_get(errand->sessions, json_array_size(errand->sessions) - 1);
        next = json_string(json_string_value(json_object_get(last, "id")));
    }
    json_t *body = json_pack("{s:O, s:o}", "sessions", errand->sessions, "next", next);
    return body;
}

static void answer(struct fray_admin_errand *errand)
{
    fray_request *request = errand->request;
    request->owner = NULL;
    request->on_abort = NULL;
    if (errand->sessions)
        reply_json(request, 200, listed(errand));
    else if (!errand->is_found)
        fail(request, 404, "unknown_session", "There is no session of this id, or no longer.");
    else if (errand->has_settings)
        reply_json(request, 200, fray_lab_settings_json(&errand->settings));
    else
        reply_empty(request);
}

static void run_at_worker(struct fray_worker *at, struct fray_parcel *parcel);

static void run_at_origin(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct fray_admin_errand *errand = (struct fray_admin_errand *)parcel;
    (void)at;
    if (errand->request)
        answer(errand);
    json_decref(errand->sessions);
    free(errand);
}

static void go_on(struct fray_worker *from, struct fray_admin_errand *errand)
{
    bool is_done = errand->next > errand->last;
    struct fray_server_worker *to =
        is_done ? errand->origin : errand->server->workers[errand->next++];
    errand->parcel.run = is_done ? run_at_origin : run_at_worker;
    from->post(from, &to->base, &errand->parcel);
}

static void run_at_worker(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct fray_admin_errand *errand = (struct fray_admin_errand *)parcel;
    if (!errand->visit((struct fray_server_worker *)at, errand))
        errand->next = errand->last + 1;
    go_on(at, errand);
}

static void on_abort(fray_request *request)
{
    ((struct fray_admin_errand *)request->owner)->request = NULL;
    fray_request_drop(request);
}

void fray_admin_send(fray_request *request, const struct fray_admin_errand *errand)
{
    struct fray_admin_errand *sent = fray_alloc(sizeof *sent);
    *sent = *errand;
    sent->origin = fray_server_worker_of(request);
    sent->server = sent->origin->server;
    sent->request = request;
    fray_request_keep(request);
    request->owner = sent;
    request->on_abort = on_abort;
    go_on(&sent->origin->base, sent);
}

/* ------------------------------------------------------------------ what errands do */

static struct fray_session *session_of(struct fray_server_worker *worker,
                                       struct fray_admin_errand *errand)
{
    struct fray_session *session = fray_id_pool_get(&worker->base.sessions, errand->id.handle);
    errand->is_found = session && !session->is_closing;
    return errand->is_found ? session : NULL;
}

static bool visit_disconnect(struct fray_server_worker *worker, struct fray_admin_errand *errand)
{
    struct fray_session *session = session_of(worker, errand);
    if (session)
        fray_session_close(session, FRAY_SERVER_DISCONNECTED);
    return true;
}

static bool visit_set(struct fray_server_worker *worker, struct fray_admin_errand *errand)
{
    struct fray_session *session = session_of(worker, errand);
    if (session)
        fray_server_lab_set(worker->lab, session, errand->has_settings ? &errand->settings : NULL);
    return true;
}

static bool visit_set_all(struct fray_server_worker *worker, struct fray_admin_errand *errand)
{
    fray_server_lab_set_all(worker->lab, &errand->settings);
    errand->is_found = true;
    return true;
}

/* ------------------------------------------------------------------ requests */

/* False: it was answered. */
static bool read_settings(fray_request *request, struct fray_lab_settings *settings)
{
    struct fray_buf reason = {0};
    json_error_t error;
    if (request->body.len > BODY_MAX) {
        fail(request, 413, "too_large", "Settings are an object of a few numbers.");
        return false;
    }
    json_t *object = json_loadb(request->body.len ? request->body.data : "", request->body.len,
                                JSON_REJECT_DUPLICATES, &error);
    bool is_read = object && !fray_lab_settings_read(object, false, settings, &reason);
    if (!object) {
        /* The parser's own words may quote bytes that are no text. */
        fray_buf_printf(&reason, "The body is no JSON object: see byte %d.", error.position);
        fray_buf_append_byte(&reason, '\0');
        fail(request, 400, "bad_json", reason.data);
    } else if (!is_read) {
        fray_buf_append_byte(&reason, '\0');
        fail(request, 400, "bad_settings", reason.data);
    }
    json_decref(object);
    fray_buf_deinit(&reason);
    return is_read;
}

/* The id at the end of the path. False: it was answered. */
static bool read_id(fray_request *request, const char *prefix, struct fray_admin_id *id)
{
    struct fray_slice path = fray_slice_of(fray_request_path(request));
    unsigned workers = fray_server_worker_of(request)->server->workers_count;
    if (!fray_admin_id_parse(fray_slice_skip(path, strlen(prefix)), id) && id->worker < workers)
        return true;
    fail(request, 404, "unknown_session", "There is no session of this id, or no longer.");
    return false;
}

/* HEAD is GET without a body. False: it was answered. */
static bool check_method(fray_request *request, const char *allowed)
{
    const char *method = fray_request_method(request);
    const char *at = strstr(allowed, strcmp(method, "HEAD") ? method : "GET");
    char before = at && at > allowed ? at[-1] : ' ';
    char after = at ? at[strlen(strcmp(method, "HEAD") ? method : "GET")] : 0;
    if (at && before == ' ' && (after == ',' || !after))
        return true;
    fray_request_add_header(request, FRAY_SLICE("allow"), fray_slice_of(allowed));
    fail(request, 405, "wrong_method", "The header Allow has the methods of this path.");
    return false;
}

static bool is_method(const fray_request *request, const char *method)
{
    return strcmp(fray_request_method(request), method) == 0;
}

static void handle_list(fray_request *request, void *context)
{
    const fray_server *server = context;
    struct fray_admin_errand errand = {
        .visit = fray_admin_visit_list, .last = server->workers_count - 1, .limit = LIMIT};
    if (!check_token(request) || !check_method(request, "GET"))
        return;
    const char *limit = fray_request_query(request, "limit");
    if (limit) {
        char *end;
        unsigned long asked = *limit >= '0' && *limit <= '9' ? strtoul(limit, &end, 10) : 0;
        if (!asked || *end || asked > LIMIT_MAX) {
            fail(request, 400, "bad_limit", "limit is an integer from 1 to 1000.");
            return;
        }
        errand.limit = (uint32_t)asked;
    }
    const char *after = fray_request_query(request, "after");
    if (after && (fray_admin_id_parse(fray_slice_of(after), &errand.id) ||
                  errand.id.worker >= server->workers_count)) {
        fail(request, 400, "bad_after", "after is the id of a session, such as next of a page.");
        return;
    }
    errand.id.handle.index += after && errand.id.handle.index < UINT32_MAX;
    errand.next = errand.id.worker;
    errand.sessions = json_array();
    fray_admin_send(request, &errand);
}

static void handle_session(fray_request *request, void *context)
{
    struct fray_admin_errand errand = {.visit = visit_disconnect};
    (void)context;
    if (!check_token(request) || !check_method(request, "DELETE") ||
        !read_id(request, "/admin/sessions/", &errand.id))
        return;
    errand.next = errand.last = errand.id.worker;
    fray_admin_send(request, &errand);
}

static void handle_lab(fray_request *request, void *context)
{
    const fray_server *server = context;
    struct fray_admin_errand errand = {
        .visit = visit_set_all, .last = server->workers_count - 1, .has_settings = true};
    if (!check_token(request) || !check_method(request, "GET, PUT"))
        return;
    if (!is_method(request, "PUT"))
        reply_json(
            request, 200,
            fray_lab_settings_json(fray_server_lab_all(fray_server_worker_of(request)->lab)));
    else if (read_settings(request, &errand.settings))
        fray_admin_send(request, &errand);
}

static void handle_lab_session(fray_request *request, void *context)
{
    struct fray_admin_errand errand = {.visit = visit_set};
    (void)context;
    if (!check_token(request) || !check_method(request, "PUT, DELETE"))
        return;
    errand.has_settings = is_method(request, "PUT");
    if (!read_id(request, "/admin/lab/sessions/", &errand.id) ||
        (errand.has_settings && !read_settings(request, &errand.settings)))
        return;
    errand.next = errand.last = errand.id.worker;
    fray_admin_send(request, &errand);
}

enum fray_err fray_admin_add_routes(fray_server *server)
{
    const struct fray_http_route routes[] = {
        {.path = "/admin/sessions", .handle = handle_list, .context = server},
        {.path = "/admin/sessions/*", .handle = handle_session, .context = server},
        {.path = "/admin/lab", .handle = handle_lab, .context = server},
        {.path = "/admin/lab/sessions/*", .handle = handle_lab_session, .context = server},
    };
    if (!*server->config.admin_token)
        return FRAY_OK;
    for (unsigned w = 0; w < server->workers_count; w++)
        server->workers[w]->admin_guard = fray_alloc_zero(sizeof(struct fray_admin_guard));
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        enum fray_err err = fray_http_router_add(server->router, &routes[i]);
        if (err)
            return fray_server_fail(server, FRAY_ERR_CONFIG,
                                    "The path %s is taken, which the admin API needs.",
                                    routes[i].path);
    }
    return FRAY_OK;
}
