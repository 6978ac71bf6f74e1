#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/server.h"

enum { LINGER_MS = 2000, ACCEPTS_PER_TURN = 256, ABSENT_MS = 1000, LOOK_MS = 100 };

struct fray_listener {
    struct fray_source source;
    struct fray_server_worker *worker;
    enum fray_port_kind kind;
};

/* Parcels for one other worker, in order, until the turn ends. */
struct fray_outgoing {
    struct fray_parcel *first, **last;
};

/* ------------------------------------------------------------------ parcels */

struct delivery {
    struct fray_post post; /* first */
    struct fray_server_worker *to;
    struct fray_parcel *first;
};

static void run_delivery(struct fray_loop *loop, struct fray_post *post)
{
    struct delivery *delivery = (struct delivery *)post;
    (void)loop;
    for (struct fray_parcel *parcel = delivery->first, *next; parcel; parcel = next) {
        next = parcel->next;
        parcel->run(&delivery->to->base, parcel);
    }
    free(delivery);
}

static void on_post(struct fray_worker *from, struct fray_worker *to, struct fray_parcel *parcel)
{
    struct fray_outgoing *outgoing = &((struct fray_server_worker *)from)->outgoing[to->index];
    parcel->next = NULL;
    *outgoing->last = parcel;
    outgoing->last = &parcel->next;
}

/* One post and one wake for all that the turn had for a worker. */
static void send_parcels(struct fray_server_worker *worker)
{
    for (unsigned i = 0; i < worker->server->workers_count; i++) {
        struct fray_outgoing *outgoing = &worker->outgoing[i];
        if (!outgoing->first)
            continue;
        struct delivery *delivery = fray_alloc(sizeof *delivery);
        *delivery = (struct delivery){
            .post.run = run_delivery, .to = worker->server->workers[i], .first = outgoing->first};
        *outgoing = (struct fray_outgoing){.last = &outgoing->first};
        fray_loop_post(delivery->to->loop, &delivery->post);
    }
}

/* ------------------------------------------------------------------ what session/worker.h promises
 */

static void on_release(struct fray_worker *worker, void *memory, size_t size)
{
    fray_loop_release_cell(((struct fray_server_worker *)worker)->loop, memory, size);
}

static struct fray_loop *create_epoll(void *context)
{
    (void)context;
    return fray_loop_epoll_create();
}

static void random_bytes(void *context, void *bytes, size_t len)
{
    (void)context;
    int ok = RAND_bytes(bytes, (int)len);
    assert(ok == 1);
}

const struct fray_server_platform fray_server_platform_native = {
    .loop_create = create_epoll,
    .random = random_bytes,
    .has_threads = true,
};

/* From a pool, for a call of OpenSSL's generator costs a microsecond whatever the amount. */
static void on_random(struct fray_worker *base, void *bytes, size_t len)
{
    struct fray_server_worker *worker = (struct fray_server_worker *)base;
    assert(len <= sizeof worker->random);
    if (worker->random_left < len) {
        const struct fray_server_platform *platform = &worker->server->platform;
        platform->random(platform->context, worker->random, sizeof worker->random);
        worker->random_left = sizeof worker->random;
    }
    worker->random_left -= len;
    memcpy(bytes, worker->random + worker->random_left, len);
    memset(worker->random + worker->random_left, 0, len); /* a secret is not kept twice */
}

static void on_turn_end(struct fray_loop *loop, struct fray_hook *hook)
{
    struct fray_server_worker *worker =
        (struct fray_server_worker *)((char *)hook - offsetof(struct fray_server_worker, hook));
    (void)loop;
    if (worker->server->mqtt && worker->base.index == 0)
        fray_mqtt_service_end_turn(worker->server->mqtt);
    fray_worker_flush(&worker->base);
    send_parcels(worker);
    bool is_awaiting = worker->awaited && worker->base.sessions.count;
    if (worker->is_draining && !is_awaiting && fray_http_is_idle(&worker->http) &&
        !atomic_exchange(&worker->is_idle, true))
        eventfd_write(worker->server->idle_event, 1);
}

/* ------------------------------------------------------------------ connections */

static void on_foreign_tls(struct fray_server_worker *worker, struct fray_stream *stream,
                           struct fray_slice early)
{
    if (!worker->server->tls || fray_stream_is_tls(stream) ||
        fray_stream_start_tls(stream, worker->server->tls, early)) {
        fray_count(&worker->base.counters.tls_failures);
        fray_stream_close(stream, false);
        return;
    }
    fray_http_open(&worker->http, stream);
}

/* The protocols of the common port are told apart by their first byte. */
static size_t on_foreign(struct fray_http_service *service, struct fray_stream *stream, char *data,
                         size_t len)
{
    enum { TLS_HANDSHAKE = 0x16 }; /* ContentType, RFC 8446 5.1 */
    struct fray_server_worker *worker = service->owner;
    if (data[0] == FRAY_MQTT_FIRST_BYTE && worker->server->mqtt && !worker->is_draining)
        return fray_mqtt_service_open(worker, stream, fray_slice(data, len));
    if (data[0] == TLS_HANDSHAKE)
        on_foreign_tls(worker, stream, fray_slice(data, len));
    else
        fray_stream_close(stream, false);
    return len;
}

static void leave(fray_server *server, const struct fray_address *peer)
{
    atomic_fetch_sub(&server->connections, 1);
    fray_address_limit_leave(&server->address_limit, peer);
}

/* Counted over all workers: connections move from one to another. */
static bool enter(fray_server *server, const struct fray_address *peer)
{
    bool is_full = atomic_fetch_add(&server->connections, 1) >= server->config.max_connections;
    if (!is_full && fray_address_limit_enter(&server->address_limit, peer))
        return true;
    atomic_fetch_sub(&server->connections, 1);
    return false;
}

static void open_stream(const struct fray_listener *listener, struct fray_stream *stream)
{
    struct fray_server_worker *worker = listener->worker;
    if (worker->is_draining && listener->kind != FRAY_PORT_COMMON) {
        fray_stream_close(stream, false);
    } else if (listener->kind == FRAY_PORT_COMMON) {
        fray_http_open(&worker->http, stream);
    } else if (listener->kind == FRAY_PORT_MQTTS &&
               fray_stream_start_tls(stream, worker->server->tls, (struct fray_slice){0})) {
        fray_count(&worker->base.counters.tls_failures);
        fray_stream_close(stream, false);
    } else {
        fray_mqtt_service_open(worker, stream, (struct fray_slice){0});
    }
}

static void on_accept(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    const struct fray_listener *listener = (const struct fray_listener *)source;
    struct fray_server_worker *worker = listener->worker;
    (void)ready;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct fray_address peer;
        int fd;
        enum fray_err err = loop->ops->accept(loop, source->fd, &fd, &peer);
        if (err == FRAY_ERR_LIMIT)
            fray_count(&worker->base.counters.connections_refused);
        if (err)
            return;
        if (!enter(worker->server, &peer)) {
            fray_count(&worker->base.counters.connections_refused);
            loop->ops->close(loop, fd, true);
            continue;
        }
        fray_count(&worker->base.counters.connections_accepted);
        static const struct fray_stream_handler nobody = {0};
        struct fray_stream *stream = fray_stream_create(loop, fd, &peer, &nobody, NULL);
        if (stream)
            open_stream(listener, stream);
        else
            leave(worker->server, &peer);
    }
}

static void on_stream_gone(struct fray_loop *loop, const struct fray_address *peer)
{
    struct fray_server_worker *worker = loop->owner;
    leave(worker->server, peer);
    fray_count(&worker->base.counters.connections_closed);
}

enum fray_err fray_server_worker_listen(struct fray_server_worker *worker,
                                        const struct fray_port *ports, size_t count)
{
    worker->listeners = fray_alloc_zero(count * sizeof *worker->listeners);
    for (size_t i = 0; i < count; i++) {
        struct fray_listener *listener = &worker->listeners[i];
        enum fray_err err =
            worker->loop->ops->listen(worker->loop, &ports[i].address,
                                      worker->server->workers_count > 1, &listener->source.fd);
        if (err)
            return err;
        listener->worker = worker;
        listener->kind = ports[i].kind;
        listener->source.on_ready = on_accept;
        worker->listeners_count++;
        err = worker->loop->ops->watch(worker->loop, &listener->source, FRAY_READY_READ);
        if (err)
            return err;
    }
    return FRAY_OK;
}

static void stop_listening(struct fray_server_worker *worker)
{
    for (size_t i = 0; i < worker->listeners_count; i++)
        fray_source_close(worker->loop, &worker->listeners[i].source, false);
    worker->listeners_count = 0;
}

/* ------------------------------------------------------------------ HTTP */

static void on_http_head(struct fray_http_service *service, fray_request *request)
{
    fray_http_router_head(((struct fray_server_worker *)service->owner)->server->router, request);
}

static void on_http_request(struct fray_http_service *service, fray_request *request)
{
    fray_http_router_route(((struct fray_server_worker *)service->owner)->server->router, request);
}

static void init_http(struct fray_server_worker *worker)
{
    const struct fray_config *config = &worker->server->config;
    worker->http = (struct fray_http_service){
        .worker = &worker->base,
        .loop = worker->loop,
        .limits = {.line_max = (uint32_t)config->http_max_header_bytes,
                   .head_max = (uint32_t)config->http_max_header_bytes,
                   .fields_max = config->http_max_headers},
        .max_body = config->max_http_buffer_size,
        .header_timeout_ms = config->http_header_timeout_ms,
        .body_timeout_ms = config->http_body_timeout_ms,
        .keep_alive_timeout_ms = config->http_keep_alive_timeout_ms,
        .owner = worker,
        .on_head = on_http_head,
        .on_request = on_http_request,
        .on_foreign = on_foreign,
    };
}

/* ------------------------------------------------------------------ life */

struct fray_server_worker *fray_server_worker_create(fray_server *server, unsigned index)
{
    const struct fray_config *config = &server->config;
    struct fray_server_worker *worker = fray_alloc_zero(sizeof *worker);
    worker->server = server;
    worker->loop = server->platform.loop_create(server->platform.context);
    if (!worker->loop) {
        free(worker);
        return NULL;
    }
    worker->loop->owner = worker;
    worker->loop->on_stream_gone = on_stream_gone;
    worker->base.index = index;
    worker->base.now_us = &worker->loop->now_us;
    worker->base.timers = &worker->loop->timers;
    worker->base.cells = &worker->loop->cells;
    worker->base.outbox_limits =
        (struct fray_outbox_limits){.max_messages = config->outbox_max_messages,
                                    .max_bytes = (uint32_t)config->outbox_max_bytes};
    worker->base.messages_per_second = config->messages_per_second;
    worker->base.messages_burst = config->messages_burst;
    worker->base.linger_ms = LINGER_MS;
    worker->base.post = on_post;
    worker->base.release = on_release;
    worker->base.random = on_random;
    worker->outgoing = fray_alloc(server->workers_count * sizeof *worker->outgoing);
    for (unsigned i = 0; i < server->workers_count; i++)
        worker->outgoing[i] = (struct fray_outgoing){.last = &worker->outgoing[i].first};
    worker->hook.run = on_turn_end;
    fray_loop_add_hook(worker->loop, &worker->hook);
    fray_websocket_service_init(&worker->websocket, &worker->base);
    init_http(worker);
    worker->lab = fray_server_lab_create(worker);
    return worker;
}

static void *run(void *argument)
{
    struct fray_server_worker *worker = argument;
    uint8_t first[FRAY_TOKEN_RANDOM];
    /* OpenSSL sets a generator up for each thread that asks: now, not while the first client waits.
     */
    on_random(&worker->base, first, sizeof first);
    fray_loop_run(worker->loop);
    return NULL;
}

enum fray_err fray_server_worker_start(struct fray_server_worker *worker)
{
    if (!worker->server->platform.has_threads)
        return FRAY_OK;
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    if (failed) {
        errno = failed;
        return FRAY_ERR_IO;
    }
    worker->is_started = true;
    char name[16];
    snprintf(name, sizeof name, "fray-%u", worker->base.index);
    pthread_setname_np(worker->thread, name);
    return FRAY_OK;
}

/* What another thread asks of a worker. */
struct command {
    struct fray_post post; /* first */
    struct fray_server_worker *worker;
};

static void command(struct fray_server_worker *worker,
                    void (*execute)(struct fray_loop *loop, struct fray_post *post))
{
    struct command *order = fray_alloc(sizeof *order);
    *order = (struct command){.post.run = execute, .worker = worker};
    fray_loop_post(worker->loop, &order->post);
}

/* Nobody is connected: a client that polls is between two requests, or it is gone and will not say
 * so. */
static bool is_absent(const struct fray_session *session)
{
    const struct fray_link *link = session->link;
    return link && link->ops->stream && link->ops->ping && !link->ops->stream(link, 0);
}

/* Who has not polled for a second is not waited for: its session ends, and should it come back
 * while others keep the server, its reply says so. */
static void look_around(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_server_worker *worker =
        (struct fray_server_worker *)((char *)timer -
                                      offsetof(struct fray_server_worker, drain_timer));
    worker->awaited = 0;
    for (uint32_t i = 0; i < worker->base.sessions.used; i++) {
        struct fray_session *session = fray_id_pool_at(&worker->base.sessions, i);
        bool is_gone = session && is_absent(session) &&
                       (uint32_t)(now_us / 1000) - session->link->heard_ms >= ABSENT_MS;
        if (is_gone)
            fray_session_close(session, FRAY_SERVER_SHUTDOWN);
        worker->awaited += session && !is_gone;
    }
    fray_timer_arm(&worker->loop->timers, timer, now_us + LOOK_MS * UINT64_C(1000));
}

static void run_drain(struct fray_loop *loop, struct fray_post *post)
{
    struct fray_server_worker *worker = ((struct command *)post)->worker;
    /* It goes on listening: whoever polls comes back by new connections, and probes of /readyz are
     * to see 503. New sessions are refused (handshake.c). */
    worker->is_draining = true;
    worker->drain_timer.on_expire = look_around;
    look_around(&worker->drain_timer, loop->now_us);
    fray_http_drain(&worker->http);
    if (worker->server->mqtt && worker->base.index == 0)
        fray_mqtt_service_drain(worker->server->mqtt);
    free(post);
}

void fray_server_worker_drain(struct fray_server_worker *worker)
{
    command(worker, run_drain);
}

static void run_close(struct fray_loop *loop, struct fray_post *post)
{
    struct fray_server_worker *worker = ((struct command *)post)->worker;
    (void)loop;
    for (uint32_t i = 0; i < worker->base.sessions.used; i++) {
        struct fray_session *session = fray_id_pool_at(&worker->base.sessions, i);
        if (session && is_absent(session))
            fray_session_abandon(session, FRAY_SERVER_SHUTDOWN);
        else if (session)
            fray_session_close(session, FRAY_SERVER_SHUTDOWN);
    }
    fray_worker_flush(&worker->base);
    free(post);
}

void fray_server_worker_close(struct fray_server_worker *worker)
{
    command(worker, run_close);
}

void fray_server_worker_join(struct fray_server_worker *worker)
{
    if (!worker->is_started)
        return;
    fray_loop_stop(worker->loop);
    pthread_join(worker->thread, NULL);
    worker->is_started = false;
}

void fray_server_worker_destroy(struct fray_server_worker *worker)
{
    fray_timer_cancel(&worker->loop->timers, &worker->drain_timer);
    stop_listening(worker);
    free(worker->listeners);
    fray_http_close(&worker->http);
    fray_http_service_deinit(&worker->http);
    fray_websocket_service_deinit(&worker->websocket);
    fray_server_lab_destroy(worker->lab);
    free(worker->admin_guard);
    fray_cursor_service_deinit(&worker->envelope.cursor);
    fray_id_pool_deinit(&worker->base.sessions);
    fray_id_pool_deinit(&worker->base.members);
    free(worker->base.dirty);
    fray_buf_deinit(&worker->base.scratch);
    fray_buf_deinit(&worker->base.packet);
    free(worker->outgoing);
    free(worker->endpoints);
    fray_loop_destroy(worker->loop);
    free(worker);
}
