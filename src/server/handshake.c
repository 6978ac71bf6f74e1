/* The HTTP request that opens a session: what applications may see of it, and decide about it. */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "server/envelope_endpoint.h"
#include "wire/url.h"

/* ------------------------------------------------------------------ as applications see it */

static json_t *text(struct fray_slice slice)
{
    json_t *string = json_stringn(slice.data, slice.len);
    return string ? string : json_string(""); /* not UTF-8: JSON has no word for it */
}

static json_t *headers_of(const struct fray_http_request *head)
{
    json_t *headers = json_object();
    struct fray_slice name, value;
    for (size_t i = 0; fray_http_request_field(head, i, &name, &value); i++) {
        char key[FRAY_HTTP_NAME_MAX + 1];
        for (size_t c = 0; c < name.len; c++)
            key[c] = (char)(name.data[c] >= 'A' && name.data[c] <= 'Z' ? name.data[c] | 0x20
                                                                       : name.data[c]);
        key[name.len] = '\0';
        json_t *before = json_object_get(headers, key);
        if (before) { /* repeated: joined as a list (RFC 9110 5.3) */
            json_t *joined =
                json_sprintf("%s, %.*s", json_string_value(before), (int)value.len, value.data);
            json_object_set_new(headers, key, joined ? joined : json_string(""));
        } else {
            json_object_set_new(headers, key, text(value));
        }
    }
    return headers;
}

static json_t *query_of(const struct fray_http_request *head)
{
    json_t *query = json_object();
    struct fray_slice rest = fray_http_request_query(head);
    struct fray_buf scratch = {0};
    struct fray_url_param param;
    enum fray_err err;
    while ((err = fray_url_query_next(&rest, &scratch, &param)) != FRAY_ERR_NOT_FOUND) {
        if (err)
            continue;
        char *name = fray_strndup(param.name.data, param.name.len);
        if (json_object_set_new(query, name, text(param.value)))
            json_object_set_new(query, "", json_null()); /* a name that is not UTF-8 */
        free(name);
    }
    fray_buf_deinit(&scratch);
    return query;
}

/* The members of Socket.IO's handshake object. */
static json_t *describe(const struct fray_handshake *handshake)
{
    struct fray_http_request head;
    struct fray_http_limits limits = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    size_t consumed;
    fray_http_request_init(&head);
    if (fray_http_request_parse(&head, fray_slice(handshake->head, handshake->head_len), &limits,
                                &consumed))
        return json_object(); /* it was parsed when it came, so this does not happen */
    time_t seconds = (time_t)(handshake->issued_ms / 1000);
    struct tm utc;
    char when[64];
    strftime(when, sizeof when, "%a %b %d %Y %H:%M:%S GMT+0000", gmtime_r(&seconds, &utc));
    return json_pack("{s:o, s:s, s:s, s:b, s:b, s:I, s:o, s:o}", "headers", headers_of(&head),
                     "time", when, "address", handshake->address, "xdomain",
                     (int)fray_http_request_has(&head, FRAY_HTTP_HEADER_ORIGIN), "secure",
                     (int)handshake->is_secure, "issued", (json_int_t)handshake->issued_ms, "url",
                     text(fray_http_request_target(&head)), "query", query_of(&head));
}

struct fray_handshake *fray_handshake_of(const fray_request *request)
{
    struct fray_handshake *handshake = fray_alloc(sizeof *handshake + request->head_len);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *handshake = (struct fray_handshake){
        .refs = 1,
        .is_secure = fray_request_is_secure(request),
        .issued_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
        .describe = describe,
        .head_len = request->head_len,
    };
    fray_address_format_ip(fray_request_peer(request), handshake->address);
    memcpy(handshake->head, request->head->data, request->head_len);
    return handshake;
}

/* ------------------------------------------------------------------ the application decides */

struct pending {
    struct fray_endpoint *endpoint;
    void (*go_on)(struct fray_endpoint *endpoint, fray_request *request);
    bool is_aborted; /* the client went while the application thinks */
};

struct fray_server_worker *fray_handshake_place(const struct fray_endpoint *endpoint)
{
    return endpoint->app->on_handshake ? (struct fray_server_worker *)endpoint->nsp->home : NULL;
}

static void refuse(const struct fray_endpoint *endpoint, fray_request *request)
{
    if (endpoint->is_envelope) {
        fray_envelope_refuse(request, 403, "refused",
                             request->reject_reason ? request->reject_reason : "Forbidden");
        return;
    }
    struct fray_buf body = {0};
    fray_engineio_error_body(&body, FRAY_ENGINEIO_FORBIDDEN, fray_slice_of(request->reject_reason));
    fray_request_reply(request, fray_engineio_error_status(FRAY_ENGINEIO_FORBIDDEN),
                       "application/json", body.data, body.len);
    fray_buf_deinit(&body);
}

static void on_abort(fray_request *request)
{
    ((struct pending *)request->owner)->is_aborted = true;
}

void fray_handshake_ask(struct fray_endpoint *endpoint, fray_request *request,
                        void (*go_on)(struct fray_endpoint *endpoint, fray_request *request))
{
    const struct fray_app *app = endpoint->app;
    enum fray_verdict verdict = FRAY_ACCEPT;
    if (fray_server_worker_of(request)->is_draining) {
        fray_request_reply_status(request, 503);
        return;
    }
    if (app->on_handshake) {
        struct pending *pending = fray_alloc_zero(sizeof *pending);
        *pending = (struct pending){.endpoint = endpoint, .go_on = go_on};
        request->owner = pending;
        verdict = app->on_handshake(request, app->app);
        if (verdict == FRAY_LATER) {
            fray_request_keep(request);
            request->on_abort = on_abort;
            return;
        }
        request->owner = NULL;
        free(pending);
    }
    if (verdict == FRAY_ACCEPT)
        go_on(endpoint, request);
    else
        refuse(endpoint, request);
}

void fray_request_resolve(fray_request *request, enum fray_verdict verdict)
{
    struct pending pending = *(struct pending *)request->owner;
    free(request->owner);
    request->owner = NULL;
    request->on_abort = NULL;
    if (pending.is_aborted)
        fray_request_drop(request);
    else if (verdict == FRAY_ACCEPT)
        pending.go_on(pending.endpoint, request);
    else
        refuse(pending.endpoint, request);
}

void fray_request_reject_reason(fray_request *request, const char *message)
{
    free(request->reject_reason);
    request->reject_reason = message ? fray_strndup(message, strlen(message)) : NULL;
}
