/* A server inside a program: its parts in the order of dependence, on one page. */
#include "server/server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "game/catalog.h"
#include "server/admin.h"
#include "server/games_app.h"
#include "server/prefault.h"

enum { ADDRESSES_MAX = 16 };

enum fray_err fray_server_fail(fray_server *server, enum fray_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    server->error.len = 0;
    fray_buf_vprintf(&server->error, format, args);
    fray_buf_append_byte(&server->error, '\0');
    va_end(args);
    return err;
}

void fray_server_own(fray_server *server, char *text)
{
    server->owned = fray_realloc(server->owned, (server->owned_count + 1) * sizeof(*server->owned));
    server->owned[server->owned_count++] = text;
}

/* ------------------------------------------------------------------ what the application sets */

fray_server *fray_server_create(void)
{
    fray_server *server = fray_alloc_zero(sizeof *server);
    fray_config_init_default(&server->config);
    server->platform = fray_server_platform_native;
    fray_registry_init(&server->registry);
    server->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->idle_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->static_dir.fd = -1;
    return server;
}

struct fray_config *fray_server_config(fray_server *server)
{
    return &server->config;
}

enum fray_err fray_server_set(fray_server *server, const char *option, const char *value)
{
    server->error.len = 0;
    enum fray_err err = fray_config_set(&server->config, fray_slice_of(option),
                                        fray_slice_of(value), &server->error);
    fray_buf_append_byte(&server->error, '\0');
    return err;
}

enum fray_err fray_server_add(fray_server *server, const struct fray_app *app)
{
    if (server->state != FRAY_SERVER_NEW)
        return fray_server_fail(server, FRAY_ERR_STATE,
                                "Namespaces are added before the server starts.");
    char fault[FRAY_CATALOG_FAULT_MAX];
    const struct fray_game *const *games = fray_games_of(app);
    if (games && fray_catalog_fault(games, fault))
        return fray_server_fail(server, FRAY_ERR_CONFIG, "%s", fault);
    server->apps = fray_realloc(server->apps, (server->apps_count + 1) * sizeof *server->apps);
    server->apps[server->apps_count++] = *app;
    enum fray_err err = FRAY_OK;
    for (const struct fray_setting *setting = app->settings;
         setting < app->settings + FRAY_SETTINGS_MAX && setting->option && !err; setting++)
        err = fray_server_set(server, setting->option, setting->value);
    return err;
}

const char *fray_server_error(const fray_server *server)
{
    return server->error.len ? server->error.data : "";
}

uint16_t fray_server_port(const fray_server *server)
{
    return server->port;
}

fray_namespace *fray_server_namespace(fray_server *server, const char *name)
{
    for (size_t i = 0; i < server->apps_count; i++) {
        const char *of_app = server->apps[i].name ? server->apps[i].name : "/";
        if (server->app_namespaces && server->app_namespaces[i] && strcmp(of_app, name) == 0)
            return server->app_namespaces[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------ starting, part by part */

static enum fray_err make_tls(fray_server *server)
{
    const struct fray_config *config = &server->config;
    char error[FRAY_TLS_ERROR_MAX];
    if (config->tls_self_signed)
        server->tls = fray_tls_context_create_self_signed();
    if (!*config->tls_cert)
        return FRAY_OK;
    server->tls = fray_tls_context_create(config->tls_cert, config->tls_key, error);
    return server->tls ? FRAY_OK : fray_server_fail(server, FRAY_ERR_CONFIG, "%s", error);
}

static enum fray_err make_workers(fray_server *server)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = server->config.workers ? server->config.workers
                     : cores > 0            ? (unsigned)cores
                                            : 1;
    server->workers = fray_alloc_zero(count * sizeof(*server->workers));
    server->bases = fray_alloc_zero(count * sizeof(*server->bases));
    server->workers_count = count;
    for (unsigned i = 0; i < count; i++) {
        server->workers[i] = fray_server_worker_create(server, i);
        if (!server->workers[i])
            return fray_server_fail(server, FRAY_ERR_IO, "An event loop cannot be made: %s.",
                                    strerror(errno));
        server->bases[i] = &server->workers[i]->base;
    }
    struct fray_hash_key key;
    server->bases[0]->random(server->bases[0], &key, sizeof key);
    fray_address_limit_init(&server->address_limit, server->config.max_connections_per_address,
                            key);
    return FRAY_OK;
}

static enum fray_err make_namespaces(fray_server *server)
{
    server->app_namespaces =
        fray_alloc_zero((server->apps_count + 1) * sizeof(*server->app_namespaces));
    for (size_t i = 0; i < server->apps_count; i++) {
        const struct fray_app *app = &server->apps[i];
        const char *name = app->name ? app->name : "/";
        if (app->protocol == FRAY_SOCKETIO && strchr(name, '*'))
            continue; /* made on demand */
        if (fray_registry_add(server, app, fray_slice_of(name), &server->app_namespaces[i]))
            return fray_server_fail(server, FRAY_ERR_CONFIG, "The namespace %s is there twice.",
                                    name);
    }
    return FRAY_OK;
}

/* The route of "/engine.io/" is all below it; the same without its last slash is not ours. */
static void endpoint_init(struct fray_endpoint *endpoint, const char *path)
{
    struct fray_buf text = {0};
    fray_buf_printf(&text, "%s%s", *path == '/' ? "" : "/", path);
    if (text.data[text.len - 1] == '*')
        text.len--;
    else if (endpoint->app->protocol != FRAY_WEBSOCKET && text.data[text.len - 1] != '/')
        fray_buf_append_byte(&text, '/');
    endpoint->path = fray_strndup(text.data, text.len);
    bool is_exact = endpoint->app->protocol == FRAY_WEBSOCKET && !strchr(path, '*');
    if (!is_exact)
        fray_buf_append_byte(&text, '*');
    endpoint->pattern = fray_strndup(text.data, text.len);
    fray_buf_deinit(&text);
}

static enum fray_err add_endpoint(fray_server *server, const struct fray_app *app,
                                  fray_namespace *nsp)
{
    struct fray_endpoint *endpoint = &server->endpoints[server->endpoints_count];
    *endpoint = (struct fray_endpoint){
        .server = server, .index = (unsigned)server->endpoints_count++, .app = app, .nsp = nsp};
    endpoint_init(endpoint, app->protocol == FRAY_SOCKETIO ? server->config.path : app->name);
    enum fray_err err = app->protocol == FRAY_WEBSOCKET ? fray_websocket_endpoint_add(endpoint)
                                                        : fray_engineio_endpoint_add(endpoint);
    if (err)
        return fray_server_fail(server, FRAY_ERR_CONFIG, "The path %s is taken twice.",
                                endpoint->path);
    return FRAY_OK;
}

/* All Socket.IO namespaces share one endpoint, whose on_handshake is the first's that has one. */
static enum fray_err make_endpoints(fray_server *server)
{
    size_t socketio = SIZE_MAX;
    server->endpoints = fray_alloc_zero((server->apps_count + 1) * sizeof *server->endpoints);
    for (size_t i = 0; i < server->apps_count; i++) {
        const struct fray_app *app = &server->apps[i];
        if (app->protocol != FRAY_SOCKETIO) {
            enum fray_err err = add_endpoint(server, app, server->app_namespaces[i]);
            if (err)
                return err;
        } else if (socketio == SIZE_MAX ||
                   (app->on_handshake && !server->apps[socketio].on_handshake)) {
            socketio = i;
        }
    }
    if (socketio != SIZE_MAX) {
        enum fray_err err =
            add_endpoint(server, &server->apps[socketio], server->app_namespaces[socketio]);
        if (err)
            return err;
    }
    for (unsigned w = 0; w < server->workers_count; w++) {
        struct fray_server_worker *worker = server->workers[w];
        worker->endpoints = fray_alloc_zero(server->endpoints_count * sizeof *worker->endpoints);
        for (size_t i = 0; i < server->endpoints_count; i++) {
            if (server->endpoints[i].app->protocol != FRAY_WEBSOCKET)
                fray_engineio_endpoint_worker_init(&server->endpoints[i], worker);
        }
    }
    return FRAY_OK;
}

static enum fray_err cannot_listen(fray_server *server, const struct fray_address *address)
{
    char text[FRAY_ADDRESS_TEXT_MAX];
    fray_address_format(address, text);
    if (errno == EADDRINUSE)
        return fray_server_fail(
            server, FRAY_ERR_IO,
            "%s is in use: stop the program that listens there, or choose another address "
            "with --listen.",
            text);
    return fray_server_fail(server, FRAY_ERR_IO, "Cannot listen on %s: %s.", text, strerror(errno));
}

/* The kernel lets two programs of one user share a port that both would share, so it is first asked
 * for alone. */
static enum fray_err claim(fray_server *server, struct fray_address *address)
{
    struct fray_loop *loop = server->workers[0]->loop;
    int fd;
    if (loop->ops->listen(loop, address, false, &fd))
        return cannot_listen(server, address);
    enum fray_err err = loop->ops->local_address(loop, fd, address);
    loop->ops->close(loop, fd, false);
    return err;
}

static enum fray_err parse_ports(fray_server *server, const char *option,
                                 const struct fray_config_list *list, struct fray_port *ports,
                                 size_t *count)
{
    enum fray_port_kind kind = ports[*count].kind;
    for (size_t i = 0; i < list->count; i++) {
        if (*count == ADDRESSES_MAX)
            return fray_server_fail(server, FRAY_ERR_CONFIG,
                                    "At most %d addresses can be listened on.", ADDRESSES_MAX);
        struct fray_port *port = &ports[*count];
        const char *text = list->items[i];
        port->kind = kind;
        if (fray_address_parse(&port->address, fray_slice_of(text)))
            return fray_server_fail(
                server, FRAY_ERR_CONFIG,
                "%s: %s is no ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:8080.", option, text);
        enum fray_err err = claim(server, &port->address);
        if (err)
            return err;
        ++*count;
    }
    return FRAY_OK;
}

static void log_ports(const fray_server *server, const struct fray_port *ports, size_t count)
{
    static const char *const names[] = {"common", "mqtt", "mqtts"};
    for (size_t i = 0; i < count; i++) {
        char text[FRAY_ADDRESS_TEXT_MAX];
        bool has_tls = server->tls && ports[i].kind != FRAY_PORT_MQTT;
        fray_log(FRAY_LOG_INFO, "listening", "address=%s workers=%u tls=%s port=%s",
                 fray_address_format(&ports[i].address, text),
                 ports[i].kind == FRAY_PORT_COMMON ? server->workers_count : 1,
                 has_tls ? "yes" : "no", names[ports[i].kind]);
    }
}

static enum fray_err listen_all(fray_server *server)
{
    const struct fray_config *config = &server->config;
    struct fray_port ports[ADDRESSES_MAX + 1] = {0};
    size_t common = 0, count;
    enum fray_err err = parse_ports(server, "listen", &config->listen, ports, &common);
    if (err)
        return err;
    if (!common)
        return fray_server_fail(server, FRAY_ERR_CONFIG, "listen takes at least one address.");
    if (config->mqtts_listen.count && !server->tls)
        return fray_server_fail(server, FRAY_ERR_CONFIG,
                                "mqtts_listen needs a certificate: tls_cert and tls_key.");
    count = common;
    ports[count].kind = FRAY_PORT_MQTT;
    if (config->mqtt)
        err = parse_ports(server, "mqtt_listen", &config->mqtt_listen, ports, &count);
    ports[count].kind = FRAY_PORT_MQTTS;
    if (!err && config->mqtt)
        err = parse_ports(server, "mqtts_listen", &config->mqtts_listen, ports, &count);
    if (err)
        return err;
    server->port = ports[0].address.port;
    for (unsigned w = 0; w < server->workers_count; w++) {
        if (fray_server_worker_listen(server->workers[w], ports, w ? common : count))
            return cannot_listen(server, &ports[0].address);
    }
    log_ports(server, ports, count);
    return FRAY_OK;
}

static enum fray_err start_workers(fray_server *server)
{
    fray_prefault_code();
    server->metrics.is_ready = true;
    server->state = FRAY_SERVER_SERVING;
    for (unsigned w = 0; w < server->workers_count; w++) {
        if (fray_server_worker_start(server->workers[w]))
            return fray_server_fail(server, FRAY_ERR_IO, "A thread cannot be made: %s.",
                                    strerror(errno));
    }
    return FRAY_OK;
}

enum fray_err fray_server_start(fray_server *server)
{
    const struct fray_config *config = &server->config;
    if (server->state != FRAY_SERVER_NEW)
        return fray_server_fail(server, FRAY_ERR_STATE, "The server was started before.");
    server->error.len = 0;
    enum fray_err err = fray_config_check(config, &server->error);
    fray_buf_append_byte(&server->error, '\0');
    if (err)
        return err;
    fray_log_configure((enum fray_log_level)config->log_level,
                       (enum fray_log_format)config->log_format);
    server->cors = (struct fray_http_cors){
        .origins = (const char *const *)config->cors_origin.items,
        .origins_count = config->cors_origin.count,
        .credentials = config->cors_credentials,
    };
    server->router = fray_http_router_create();
    if ((err = make_tls(server)) || (err = fray_server_identity_init(server)) ||
        (err = make_workers(server)) || (err = fray_mqtt_service_create(server)) ||
        (err = make_namespaces(server)) || (err = make_endpoints(server)))
        return err;
    server->metrics = (struct fray_metrics){
        .workers = server->bases,
        .workers_count = server->workers_count,
        .version = FRAY_VERSION,
        .started_s = (int64_t)time(NULL),
    };
    if ((err = fray_admin_add_routes(server)) || (err = fray_app_routes_add(server)) ||
        (err = fray_envelope_endpoint_add(server)) ||
        (err = fray_mqtt_service_add_route(server->mqtt)) || (err = listen_all(server)))
        return err;
    return start_workers(server);
}

/* ------------------------------------------------------------------ stopping */

void fray_server_stop(fray_server *server)
{
    eventfd_write(server->stop_event, 1); /* a system call and no more: signal handlers call this */
}

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool all_idle(const fray_server *server)
{
    for (unsigned w = 0; w < server->workers_count; w++) {
        if (server->workers[w]->is_started && !atomic_load(&server->workers[w]->is_idle))
            return false;
    }
    return true;
}

/* Until all workers are idle, `timeout_ms` have passed, or stop is asked for once more. */
static void wait_idle(fray_server *server, uint64_t timeout_ms)
{
    uint64_t until = clock_ms() + timeout_ms, now;
    while (!all_idle(server) && (now = clock_ms()) < until) {
        struct pollfd events[] = {{.fd = server->idle_event, .events = POLLIN},
                                  {.fd = server->stop_event, .events = POLLIN}};
        poll(events, 2, (int)(until - now));
        eventfd_t count;
        if (events[1].revents & POLLIN && !eventfd_read(server->stop_event, &count))
            return;
        eventfd_read(server->idle_event, &count);
    }
}

static void stop_workers(fray_server *server)
{
    if (server->state != FRAY_SERVER_SERVING)
        return;
    fray_log(FRAY_LOG_INFO, "draining", "timeout_ms=%u second_signal=ends_now",
             server->config.drain_timeout_ms);
    server->metrics.is_ready = false;
    for (unsigned w = 0; w < server->workers_count; w++)
        fray_server_worker_drain(server->workers[w]);
    wait_idle(server, server->config.drain_timeout_ms);
    for (unsigned w = 0; w < server->workers_count; w++)
        fray_server_worker_close(server->workers[w]);
    wait_idle(server, FRAY_SERVER_LAST_WORDS_MS);
    server->state = FRAY_SERVER_STOPPED;
    for (unsigned w = 0; w < server->workers_count; w++)
        fray_server_worker_join(server->workers[w]);
    /* What the workers still had for each other: it is run here, now that no thread but this one is
     * left. */
    for (unsigned round = 0; round < 2 * server->workers_count + 3; round++) {
        for (unsigned w = 0; w < server->workers_count; w++)
            fray_loop_turn(server->workers[w]->loop, 0);
    }
    fray_log(FRAY_LOG_INFO, "stopped", "");
}

void fray_server_wait(fray_server *server)
{
    if (server->state != FRAY_SERVER_SERVING)
        return;
    struct pollfd event = {.fd = server->stop_event, .events = POLLIN};
    eventfd_t count;
    do
        poll(&event, 1, -1);
    while (eventfd_read(server->stop_event, &count));
    stop_workers(server);
}

void fray_server_destroy(fray_server *server)
{
    stop_workers(server);
    for (unsigned w = 0; w < server->workers_count && server->workers[w]; w++) {
        struct fray_server_worker *worker = server->workers[w];
        for (size_t i = 0; worker->endpoints && i < server->endpoints_count; i++)
            fray_engineio_endpoint_worker_deinit(&worker->endpoints[i]);
    }
    for (size_t i = 0; i < server->apps_count && server->app_namespaces; i++) {
        if (server->app_namespaces[i] && server->apps[i].on_stop)
            server->apps[i].on_stop(server->app_namespaces[i], server->apps[i].app);
    }
    fray_registry_deinit(&server->registry);
    if (server->static_dir.fd >= 0)
        fray_static_dir_close(&server->static_dir);
    if (server->router)
        fray_http_router_destroy(server->router);
    fray_mqtt_service_destroy(server->mqtt);
    for (unsigned w = 0; w < server->workers_count && server->workers[w]; w++)
        fray_server_worker_destroy(server->workers[w]);
    for (size_t i = 0; i < server->endpoints_count; i++) {
        free(server->endpoints[i].path);
        free(server->endpoints[i].pattern);
    }
    for (size_t i = 0; i < server->owned_count; i++)
        free(server->owned[i]);
    fray_address_limit_deinit(&server->address_limit);
    if (server->tls)
        fray_tls_context_destroy(server->tls);
    fray_jwt_verifier_destroy(server->jwt);
    close(server->stop_event);
    close(server->idle_event);
    fray_config_deinit(&server->config);
    fray_buf_deinit(&server->error);
    free(server->owned);
    free(server->endpoints);
    free(server->routes);
    free(server->app_namespaces);
    free(server->workers);
    free(server->bases);
    free(server->apps);
    free(server);
}

/* ------------------------------------------------------------------ from other threads */

struct app_post {
    struct fray_post post; /* first */
    fray_namespace *nsp;
    void (*run)(fray_namespace *nsp, void *argument);
    void *argument;
};

static void run_app_post(struct fray_loop *loop, struct fray_post *post)
{
    struct app_post *self = (struct app_post *)post;
    (void)loop;
    self->run(self->nsp, self->argument);
    free(self);
}

enum fray_err fray_post(fray_namespace *nsp, void (*run)(fray_namespace *nsp, void *argument),
                        void *argument)
{
    const fray_server *server = nsp->server;
    if (server->state != FRAY_SERVER_SERVING)
        return FRAY_ERR_CLOSED;
    struct app_post *self = fray_alloc(sizeof *self);
    *self =
        (struct app_post){.post.run = run_app_post, .nsp = nsp, .run = run, .argument = argument};
    fray_loop_post(((struct fray_server_worker *)nsp->home)->loop, &self->post);
    return FRAY_OK;
}
