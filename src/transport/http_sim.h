/* For tests and fuzzing: an HTTP service on a simulated network with fake time, and raw clients
 * that send bytes and collect what comes back. */
#ifndef FRAY_TRANSPORT_HTTP_SIM_H
#define FRAY_TRANSPORT_HTTP_SIM_H

#include <assert.h>

#include "base/mem.h"
#include "net/loop_sim.h"
#include "transport/http.h"

enum { HTTP_SIM_PORT = 80, HTTP_SIM_NOW_S = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

struct http_sim {
    struct fray_sim_network *network;
    struct fray_loop *server, *clients;
    uint64_t start_us;
    struct fray_source listener;
    struct fray_worker worker;
    struct fray_http_service service;
};

/* Its stream is closed by the peer, or by http_client_close. */
struct http_client {
    struct fray_stream *stream; /* NULL once closed */
    struct fray_buf received;
    bool has_ended; /* the server sent its FIN */
    bool is_broken; /* reset */
};

static inline int64_t http_sim_clock(struct fray_http_service *service)
{
    const struct http_sim *sim = service->owner;
    return HTTP_SIM_NOW_S + (int64_t)((sim->server->now_us - sim->start_us) / 1000000);
}

/* A fresh connection's handler: never called, for fray_http_open follows at once. */
static const struct fray_stream_handler http_sim_fresh = {0};

static inline void http_sim_accept(struct fray_loop *loop, struct fray_source *source,
                                   unsigned ready)
{
    struct http_sim *sim = loop->owner;
    struct fray_address peer;
    int fd;
    (void)ready;
    while (!loop->ops->accept(loop, source->fd, &fd, &peer))
        fray_http_open(&sim->service, fray_stream_create(loop, fd, &peer, &http_sim_fresh, NULL));
}

static inline void http_sim_open(struct http_sim *sim,
                                 void (*on_request)(struct fray_http_service *, fray_request *))
{
    *sim = (struct http_sim){0};
    sim->network = fray_sim_network_create(7);
    sim->server = fray_loop_sim_create(sim->network);
    sim->clients = fray_loop_sim_create(sim->network);
    sim->start_us = sim->server->now_us;
    sim->server->owner = sim;
    sim->worker.now_us = &sim->server->now_us;
    sim->worker.timers = &sim->server->timers;
    sim->service = (struct fray_http_service){
        .worker = &sim->worker,
        .limits = fray_http_limits_default(),
        .max_body = 1000000,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .keep_alive_timeout_ms = 65000,
        .owner = sim,
        .clock_s = http_sim_clock,
        .on_request = on_request,
    };
    struct fray_address any;
    enum fray_err err = fray_address_parse(&any, FRAY_SLICE("0.0.0.0:80"));
    assert(!err);
    sim->listener.on_ready = http_sim_accept;
    err = sim->server->ops->listen(sim->server, &any, false, &sim->listener.fd);
    assert(!err);
    err = sim->server->ops->watch(sim->server, &sim->listener, FRAY_READY_READ);
    assert(!err);
}

static inline void http_sim_run_ms(struct http_sim *sim, unsigned ms)
{
    fray_sim_run_until(sim->network, fray_sim_now_us(sim->network) + ms * UINT64_C(1000), NULL,
                       NULL);
}

static inline void http_sim_close(struct http_sim *sim)
{
    fray_http_close(&sim->service);
    http_sim_run_ms(sim, 5000); /* lingering streams go */
    fray_source_close(sim->server, &sim->listener, false);
    assert(fray_sim_descriptors(sim->server) == 0);
    fray_http_service_deinit(&sim->service);
    fray_buf_deinit(&sim->worker.scratch);
    fray_loop_destroy(sim->clients);
    fray_loop_destroy(sim->server);
    fray_sim_network_destroy(sim->network);
}

static inline size_t http_client_on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct http_client *client = stream->owner;
    fray_buf_append(&client->received, data, len);
    return len;
}

static inline void http_client_on_writable(struct fray_stream *stream)
{
    (void)stream;
}

static inline void http_client_close(struct http_client *client, bool reset)
{
    if (client->stream)
        fray_stream_close(client->stream, reset);
    client->stream = NULL;
}

static inline void http_client_on_end(struct fray_stream *stream, enum fray_err why)
{
    struct http_client *client = stream->owner;
    client->has_ended = why == FRAY_ERR_CLOSED;
    client->is_broken = why == FRAY_ERR_IO;
    http_client_close(client, false);
}

static const struct fray_stream_handler http_client_handler = {
    http_client_on_data, http_client_on_writable, http_client_on_end};

static inline void http_client_open(struct http_client *client, struct http_sim *sim)
{
    *client = (struct http_client){0};
    struct fray_address to;
    enum fray_err err = fray_address_parse(&to, FRAY_SLICE("10.0.0.1:80"));
    assert(!err);
    int fd;
    err = sim->clients->ops->connect(sim->clients, &to, &fd);
    assert(!err);
    client->stream = fray_stream_create(sim->clients, fd, &to, &http_client_handler, client);
    http_sim_run_ms(sim, 10);
}

static inline void http_client_deinit(struct http_client *client)
{
    http_client_close(client, false);
    fray_buf_deinit(&client->received);
}

static inline void http_client_send(struct http_client *client, const void *data, size_t len)
{
    size_t count;
    struct iovec part = {(void *)data, len};
    enum fray_err err = fray_stream_writev(client->stream, &part, 1, &count);
    assert(!err && count == len);
}

static inline void http_client_say(struct http_client *client, const char *text)
{
    http_client_send(client, text, strlen(text));
}

/* What the client has received, terminated. */
static inline const char *http_client_text(struct http_client *client)
{
    fray_buf_append_byte(&client->received, '\0');
    client->received.len--;
    return client->received.data;
}

/* Sends, gives the server time to answer, and returns all that has come since the last call, until
 * the next one. */
static inline const char *http_client_ask(struct http_sim *sim, struct http_client *client,
                                          const char *text)
{
    client->received.len = 0;
    http_client_say(client, text);
    http_sim_run_ms(sim, 500);
    return http_client_text(client);
}

#endif
