#include "server/http_router.h"

#include "base/mem.h"
#include "wire/url.h"

struct fray_http_router {
    struct fray_http_route *routes; /* the most specific first */
    size_t count;
};

struct fray_http_router *fray_http_router_create(void)
{
    return fray_alloc_zero(sizeof(struct fray_http_router));
}

void fray_http_router_destroy(struct fray_http_router *router)
{
    free(router->routes);
    free(router);
}

static bool is_prefix(const char *path)
{
    size_t len = strlen(path);
    return len > 0 && path[len - 1] == '*';
}

static bool goes_before(const struct fray_http_route *a, const struct fray_http_route *b)
{
    if (is_prefix(a->path) != is_prefix(b->path))
        return is_prefix(b->path);
    size_t a_len = strlen(a->path), b_len = strlen(b->path);
    if (a_len != b_len)
        return a_len > b_len;
    return a->method && !b->method;
}

static bool same_method(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

enum fray_err fray_http_router_add(struct fray_http_router *router,
                                   const struct fray_http_route *route)
{
    if (route->path[0] != '/' ||
        (route->method && !fray_http_method_lookup(fray_slice_of(route->method))))
        return FRAY_ERR_SYNTAX;
    size_t at = 0;
    for (size_t i = 0; i < router->count; i++) {
        const struct fray_http_route *other = &router->routes[i];
        if (strcmp(other->path, route->path) == 0 && same_method(other->method, route->method))
            return FRAY_ERR_EXISTS;
        if (!goes_before(route, other))
            at = i + 1;
    }
    router->routes = fray_realloc(router->routes, (router->count + 1) * sizeof *router->routes);
    memmove(&router->routes[at + 1], &router->routes[at],
            (router->count - at) * sizeof *router->routes);
    router->routes[at] = *route;
    router->count++;
    return FRAY_OK;
}

static bool path_fits(const struct fray_http_route *route, struct fray_slice path)
{
    struct fray_slice pattern = fray_slice_of(route->path);
    if (!is_prefix(route->path))
        return fray_slice_equal(path, pattern);
    pattern.len--;
    return fray_slice_starts(path, pattern);
}

static bool method_fits(const struct fray_http_route *route, enum fray_http_method method)
{
    if (!route->method)
        return true;
    enum fray_http_method wanted = fray_http_method_lookup(fray_slice_of(route->method));
    return wanted == method || (wanted == FRAY_HTTP_GET && method == FRAY_HTTP_HEAD);
}

/* The decoded path; `scratch` holds it when it had to be decoded. */
static enum fray_err read_path(const fray_request *request, struct fray_buf *scratch,
                               struct fray_slice *path)
{
    *path = fray_http_request_path(request->head);
    if (!memchr(path->data, '%', path->len))
        return FRAY_OK;
    enum fray_err err = fray_url_decode(*path, scratch);
    *path = fray_buf_slice(scratch);
    return err;
}

struct match {
    const struct fray_http_route *route;   /* fits path and method; NULL: none */
    const struct fray_http_route *nearest; /* fits the path; NULL: none */
    unsigned methods;                      /* bit enum fray_http_method: of all that fit the path */
};

static struct match find(const struct fray_http_router *router, const fray_request *request,
                         struct fray_slice path)
{
    struct match match = {0};
    for (size_t i = 0; i < router->count && !match.route; i++) {
        const struct fray_http_route *route = &router->routes[i];
        if (!path_fits(route, path))
            continue;
        if (!match.nearest)
            match.nearest = route;
        if (method_fits(route, (enum fray_http_method)request->method))
            match.route = route;
        else
            match.methods |= 1u << fray_http_method_lookup(fray_slice_of(route->method));
    }
    return match;
}

static const struct fray_http_cors *cors_of(const struct match *match)
{
    const struct fray_http_route *route = match->route ? match->route : match->nearest;
    return route ? route->cors : NULL;
}

/* Nobody here decodes one. RFC 9110 15.5.16: Accept-Encoding says which there are. */
static bool refuse_coded_body(fray_request *request)
{
    static const char why[] = "A body is read as it is: send it without Content-Encoding.\n";
    struct fray_slice coding =
        fray_http_request_header(request->head, FRAY_HTTP_HEADER_CONTENT_ENCODING);

    if (request->is_body_complete || !coding.len || fray_http_equal(coding, FRAY_SLICE("identity")))
        return false;
    fray_request_add_header(request, FRAY_SLICE("accept-encoding"), FRAY_SLICE("identity"));
    fray_request_reply(request, 415, "text/plain; charset=utf-8", why, sizeof why - 1);
    return true;
}

void fray_http_router_head(const struct fray_http_router *router, fray_request *request)
{
    struct fray_buf scratch = {0};
    struct fray_slice path;
    if (!read_path(request, &scratch, &path)) {
        struct match match = find(router, request, path);
        if (cors_of(&match))
            fray_http_cors_apply(cors_of(&match), request);
        if (match.route && !refuse_coded_body(request) && match.route->on_head)
            match.route->on_head(request, match.route->context);
    }
    fray_buf_deinit(&scratch);
}

/* RFC 9110 10.2.1. */
static void add_allow(fray_request *request, unsigned methods)
{
    struct fray_buf list = {0};
    if (methods & 1u << FRAY_HTTP_GET)
        methods |= 1u << FRAY_HTTP_HEAD;
    methods |= 1u << FRAY_HTTP_OPTIONS;
    for (unsigned method = FRAY_HTTP_GET; method <= FRAY_HTTP_PATCH; method++)
        if (methods & 1u << method) {
            if (list.len)
                FRAY_BUF_LITERAL(&list, ", ");
            fray_buf_append_slice(
                &list, fray_slice_of(fray_http_method_name((enum fray_http_method)method)));
        }
    fray_request_add_header(request, FRAY_SLICE("allow"), fray_buf_slice(&list));
    fray_buf_deinit(&list);
}

/* No route is for this method. */
static void answer_other_method(const struct match *match, fray_request *request)
{
    add_allow(request, match->methods);
    if (request->method == FRAY_HTTP_OPTIONS)
        fray_request_reply(request, 204, NULL, NULL, 0);
    else
        fray_request_reply_status(request, 405);
}

void fray_http_router_route(const struct fray_http_router *router, fray_request *request)
{
    enum { SERVER_WIDE = 1u << FRAY_HTTP_GET | 1u << FRAY_HTTP_POST };
    struct fray_buf scratch = {0};
    struct fray_slice path;
    enum fray_err err = read_path(request, &scratch, &path);
    struct match match = {0};
    if (!err)
        match = find(router, request, path);
    if (!err && fray_slice_equal(path, FRAY_SLICE("*"))) /* OPTIONS * (RFC 9110 9.3.7) */
        match.methods = SERVER_WIDE;
    fray_buf_deinit(&scratch);

    const struct fray_http_cors *cors = cors_of(&match);
    if (err)
        fray_request_reply_status(request, 400);
    else if (cors && fray_http_cors_preflight(cors, request))
        return;
    else if (match.route)
        match.route->handle(request, match.route->context);
    else if (match.methods)
        answer_other_method(&match, request);
    else
        fray_request_reply_status(request, 404);
}
