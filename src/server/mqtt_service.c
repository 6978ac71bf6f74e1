#include "server/mqtt_service.h"

#include <time.h>

#include "base/mem.h"
#include "broker/system_topics.h"
#include "fray/broker.h"
#include "server/mqtt_access.h"
#include "server/mqtt_bridge.h"
#include "server/mqtt_embed.h"
#include "server/mqtt_store.h"
#include "server/server.h"

struct fray_mqtt_service {
    fray_server *server;
    struct fray_server_worker *home; /* the broker's worker */
    struct fray_broker broker;
    struct fray_mqtt_config config;
    struct fray_tcp_service tcp;
    struct fray_mqtt_bridge bridge;
    struct fray_system_topics system_topics;
    struct fray_mqtt_access_control *access; /* NULL: everybody may do everything */
    struct fray_mqtt_store *store;           /* NULL: in memory alone */
};

/* ------------------------------------------------------------------ over tcp */

static void open_link(struct fray_mqtt_service *service, struct fray_stream *stream)
{
    fray_mqtt_open(&service->config, fray_tcp_open(&service->tcp, stream));
}

struct move_parcel {
    struct fray_parcel parcel;
    struct fray_mqtt_service *service;
    struct fray_stream_cargo cargo;
};

/* Until the link is opened on the stream nothing is offered to it. */
static const struct fray_stream_handler nobody = {0};

static void run_move(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct move_parcel *self = (struct move_parcel *)parcel;
    (void)at;
    struct fray_stream *stream =
        fray_stream_attach(self->service->home->loop, &self->cargo, &nobody, NULL);
    if (stream)
        open_link(self->service, stream);
    free(self);
}

size_t fray_mqtt_service_open(struct fray_server_worker *worker, struct fray_stream *stream,
                              struct fray_slice early)
{
    struct fray_mqtt_service *service = worker->server->mqtt;
    if (worker == service->home) {
        open_link(service, stream);
        return 0; /* the link is offered them next */
    }
    struct move_parcel *parcel = fray_alloc_zero(sizeof *parcel);
    parcel->parcel.run = run_move;
    parcel->service = service;
    fray_stream_detach(stream, early, &parcel->cargo);
    worker->base.post(&worker->base, &service->home->base, &parcel->parcel);
    return early.len;
}

/* ------------------------------------------------------------------ over websocket */

static void on_head(fray_request *request, void *context)
{
    struct fray_mqtt_service *service = context;
    if (fray_server_worker_of(request) != service->home)
        fray_request_move(request, &service->home->http);
}

/* The sub-protocol that the client offers and we know [MQTT-6.0.0-3]; "mqttv3.1" is what clients of
 * 3.1 said. Empty: none. */
static struct fray_slice pick_subprotocol(const fray_request *request)
{
    static const struct fray_slice known[] = {{"mqtt", 4}, {"mqttv3.1", 8}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (fray_http_request_lists(request->head, FRAY_HTTP_HEADER_SEC_WEBSOCKET_PROTOCOL,
                                    known[i]))
            return known[i];
    }
    return (struct fray_slice){0};
}

static void handle(fray_request *request, void *context)
{
    struct fray_mqtt_service *service = context;
    if (!fray_websocket_endpoint_check(request))
        return;
    struct fray_slice subprotocol = pick_subprotocol(request);
    if (!subprotocol.len) {
        static const char why[] = "The WebSocket sub-protocol here is mqtt.\n";
        fray_request_reply(request, 400, "text/plain; charset=utf-8", why, sizeof why - 1);
        return;
    }
    struct fray_link *link =
        fray_websocket_endpoint_open(request, service->config.maximum_packet_size, subprotocol);
    if (link)
        fray_mqtt_open(&service->config, link);
}

enum fray_err fray_mqtt_service_add_route(struct fray_mqtt_service *service)
{
    if (!service)
        return FRAY_OK;
    const char *path = service->server->config.mqtt_path;
    if (!*path)
        return FRAY_OK;
    enum fray_err err = fray_http_router_add(service->server->router, &(struct fray_http_route){
                                                                          .method = "GET",
                                                                          .path = path,
                                                                          .handle = handle,
                                                                          .on_head = on_head,
                                                                          .context = service,
                                                                      });
    if (err == FRAY_ERR_EXISTS)
        return FRAY_OK; /* the application's own goes first */
    return err ? fray_server_fail(service->server, FRAY_ERR_CONFIG,
                                  "mqtt_path: %s is no path, such as /mqtt.", path)
               : FRAY_OK;
}

/* ------------------------------------------------------------------ life */

static struct fray_broker_limits limits_of(const struct fray_config *config)
{
    return (struct fray_broker_limits){
        .queue_max = config->mqtt_max_queued_messages,
        .queue_bytes_max = config->mqtt_max_queued_bytes,
        .inflight_max = (uint16_t)config->mqtt_max_inflight,
        .subscriptions_max = config->mqtt_max_subscriptions,
        .subscriptions_per_session_max = config->mqtt_max_subscriptions_per_client,
        .retained_max = config->mqtt_max_retained,
        .retained_bytes_max = config->mqtt_max_retained_bytes,
        .sessions_max = config->mqtt_max_sessions,
        .session_expiry_max_s = config->mqtt_max_session_expiry_s,
    };
}

static uint64_t wall_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static enum fray_err open_store(struct fray_mqtt_service *service)
{
    struct fray_server *server = service->server;
    struct fray_buf error = {0};
    enum fray_err err =
        fray_mqtt_store_open(&server->config, &service->config, &service->store, &error);
    if (err)
        fray_server_fail(server, err, "%.*s", (int)error.len, error.data);
    fray_buf_deinit(&error);
    return err;
}

enum fray_err fray_mqtt_service_create(struct fray_server *server)
{
    const struct fray_config *config = &server->config;
    if (!config->mqtt)
        return FRAY_OK;
    struct fray_mqtt_service *service = fray_alloc_zero(sizeof *service);
    struct fray_broker_limits limits = limits_of(config);
    server->mqtt = service;
    service->server = server;
    service->home = server->workers[0];
    struct fray_worker *worker = &service->home->base;
    fray_tcp_service_init(&service->tcp, worker);
    fray_broker_init(&service->broker, worker, &limits);
    fray_mqtt_bridge_init(&service->bridge, server, &service->broker);
    service->broker.epoch_us = wall_clock_us() - *worker->now_us;
    service->config = (struct fray_mqtt_config){
        .broker = &service->broker,
        .rooms = &service->bridge.rooms,
        .has_tokens = server->jwt != NULL,
        .connect_timeout_ms = config->mqtt_connect_timeout_ms,
        .maximum_packet_size = (uint32_t)config->mqtt_max_packet_size,
        .receive_maximum = (uint16_t)config->mqtt_receive_maximum,
        .topic_alias_maximum = (uint16_t)config->mqtt_max_topic_aliases,
        .keep_alive_max_s = (uint16_t)config->mqtt_max_keep_alive_s,
    };
    enum fray_err err = fray_mqtt_access_create(server, service->home, &service->access);
    service->config.access = fray_mqtt_access_of(service->access);
    if (!err && config->mqtt_store == FRAY_CONFIG_DISK)
        err = open_store(service);
    if (!err)
        fray_system_topics_start(&service->system_topics, &service->broker,
                                 config->mqtt_sys_interval_ms, FRAY_VERSION);
    return err;
}

void fray_mqtt_service_destroy(struct fray_mqtt_service *service)
{
    if (!service)
        return;
    fray_mqtt_embed_end_all(&service->broker);
    fray_mqtt_access_destroy(service->access);
    fray_system_topics_stop(&service->system_topics);
    fray_mqtt_store_close(service->store);
    fray_broker_deinit(&service->broker);
    fray_mqtt_bridge_deinit(&service->bridge);
    fray_tcp_service_deinit(&service->tcp);
    free(service);
}

void fray_mqtt_service_end_turn(struct fray_mqtt_service *service)
{
    if (service->store)
        fray_mqtt_store_commit(service->store);
}

void fray_mqtt_service_drain(struct fray_mqtt_service *service)
{
    fray_mqtt_drain(&service->home->base);
}

fray_broker *fray_server_broker(fray_server *server)
{
    return server->mqtt ? &server->mqtt->broker : NULL;
}
