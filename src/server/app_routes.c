/* HTTP routes that are not sessions': the applications' own, files, the official browser client,
 * health and metrics. */
#include <errno.h>

#include "base/mem.h"
#include "server/games_app.h"
#include "server/pages.h"

static void run_app_route(fray_request *request, void *context)
{
    const struct fray_app_route *route = context;
    route->handler->handle(request, route->nsp->app.app);
}

/* Handlers run on their namespace's home worker, so the connection goes there first. */
static void on_app_head(fray_request *request, void *context)
{
    const struct fray_app_route *route = context;
    struct fray_server_worker *home = (struct fray_server_worker *)route->nsp->home;
    if (home != fray_server_worker_of(request))
        fray_request_move(request, &home->http);
}

static void serve_client(fray_request *request, void *context)
{
    struct fray_endpoint *endpoint = context;
    struct fray_buf path = {0};
    if (!fray_static_path(request, strlen(endpoint->path) - 1, &path) &&
        !fray_embedded_serve(&fray_embedded_client, request, fray_buf_slice(&path)))
        fray_request_reply_status(request, 404);
    fray_buf_deinit(&path);
}

void fray_files_serve(fray_request *request)
{
    const fray_server *server = fray_server_worker_of(request)->server;
    struct fray_buf path = {0};
    if (!fray_static_path(request, 0, &path)) {
        bool done = server->static_dir.fd >= 0 &&
                    fray_static_dir_serve(&server->static_dir, request, fray_buf_slice(&path));
        if (!done && !fray_pages_serve(server, request, fray_buf_slice(&path)))
            fray_request_reply_status(request, 404);
    }
    fray_buf_deinit(&path);
}

static void serve_files(fray_request *request, void *context)
{
    (void)context;
    fray_files_serve(request);
}

static enum fray_err add_app(fray_server *server, const struct fray_app *app, fray_namespace *nsp)
{
    for (const struct fray_route_handler *handler = app->routes;
         handler < app->routes + FRAY_ROUTES_MAX && handler->method; handler++) {
        struct fray_app_route *route = &server->routes[server->routes_count++];
        *route = (struct fray_app_route){server, nsp, handler};
        enum fray_err err = fray_http_router_add(server->router, &(struct fray_http_route){
                                                                     .method = handler->method,
                                                                     .path = handler->path,
                                                                     .handle = run_app_route,
                                                                     .on_head = on_app_head,
                                                                     .context = route,
                                                                     .cors = &server->cors,
                                                                 });
        if (err)
            return fray_server_fail(
                server, FRAY_ERR_CONFIG, "The route %s %s is %s.", handler->method, handler->path,
                err == FRAY_ERR_EXISTS ? "there twice" : "no method and path of HTTP");
    }
    return FRAY_OK;
}

/* The client's files lie at fixed names below the endpoint's path, so they are exact routes and
 * sessions never see them. */
static enum fray_err add_client(struct fray_endpoint *endpoint)
{
    const struct fray_embedded_set *set = &fray_embedded_client;
    for (size_t i = 0; i < set->count; i++) {
        struct fray_buf path = {0};
        fray_buf_printf(&path, "%s%s", endpoint->path, set->files[i].path);
        fray_buf_append_byte(&path, '\0');
        enum fray_err err = fray_http_router_add(
            endpoint->server->router, &(struct fray_http_route){
                                          .method = "GET",
                                          .path = path.data, /* the server's from here on */
                                          .handle = serve_client,
                                          .context = endpoint,
                                          .cors = &endpoint->server->cors,
                                      });
        fray_server_own(endpoint->server, path.data);
        if (err)
            return err;
    }
    return FRAY_OK;
}

enum fray_err fray_app_routes_add(fray_server *server)
{
    enum fray_err err = FRAY_OK;
    server->routes = fray_alloc_zero(server->apps_count * FRAY_ROUTES_MAX * sizeof *server->routes);
    const char *dir = server->config.static_dir;
    for (size_t i = 0; i < server->apps_count && !err; i++) {
        if (server->app_namespaces[i])
            err = add_app(server, &server->apps[i], server->app_namespaces[i]);
        if (!*dir && server->apps[i].static_dir)
            dir = server->apps[i].static_dir;
        if (!server->games)
            server->games = fray_games_of(&server->apps[i]);
    }
    for (size_t i = 0; i < server->endpoints_count && !err; i++) {
        if (server->endpoints[i].app->protocol == FRAY_SOCKETIO && server->config.serve_client)
            err = add_client(&server->endpoints[i]);
    }
    server->static_dir.fd = -1;
    if (!err && *dir && fray_static_dir_open(&server->static_dir, dir))
        return fray_server_fail(server, FRAY_ERR_CONFIG,
                                "The directory of files to serve, %s, cannot be opened: %s.", dir,
                                strerror(errno));
    if (err)
        return err;
    fray_metrics_add_routes(&server->metrics, server->router, &server->cors);
    err = fray_http_router_add(server->router, &(struct fray_http_route){.method = "GET",
                                                                         .path = "/*",
                                                                         .handle = serve_files,
                                                                         .cors = &server->cors});
    /* Taken by a WebSocket endpoint of any path: it passes on what is no WebSocket. */
    return err == FRAY_ERR_EXISTS ? FRAY_OK : err;
}
