#include "server/mqtt_bridge.h"

#include "base/mem.h"
#include "broker/room_event.h"
#include "server/server.h"

/* ------------------------------------------------------------------ MQTT → rooms */

struct to_room {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_message *message; /* nobody else's */
    char *room;                   /* NULL: the whole namespace */
};

static void broadcast(fray_namespace *nsp, struct fray_message *message, const char *room)
{
    fray_namespace_broadcast(nsp, message, &(struct fray_target){.rooms = {room}});
    fray_message_unref(message);
}

static void run_to_room(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct to_room *self = (struct to_room *)parcel;
    (void)at;
    broadcast(self->nsp, self->message, self->room);
    free(self->room);
    free(self);
}

static void send_to_room(struct fray_worker *worker, fray_namespace *nsp,
                         struct fray_message *message, const char *room)
{
    struct to_room *parcel = fray_alloc(sizeof *parcel);
    *parcel = (struct to_room){.parcel.run = run_to_room, .nsp = nsp, .message = message};
    if (room)
        parcel->room = fray_strndup(room, strlen(room));
    worker->post(worker, nsp->home, &parcel->parcel);
}

static void on_publish(struct fray_broker_bridge *base, struct fray_publication *publication)
{
    struct fray_mqtt_bridge *self = (struct fray_mqtt_bridge *)base;
    struct fray_worker *worker = self->broker->worker;
    struct fray_room_topic topic;
    if (fray_room_topic_decode(fray_publication_topic(publication), &self->scratch, &topic))
        return;
    fray_namespace *nsp = fray_registry_find_made(self->server, fray_slice_of(topic.nsp));
    if (!nsp)
        return;
    if (!nsp->app.no_mqtt) {
        struct fray_message *message = fray_room_payload_decode(
            &topic, fray_publication_payload(publication), self->server->config.json_max_depth);
        if (nsp->home == worker)
            broadcast(nsp, message, topic.room);
        else
            send_to_room(worker, nsp, message, topic.room);
    }
    if (nsp->on_vacated) /* it may go again; held until here, so this does not change */
        fray_registry_release(worker, nsp);
}

/* ------------------------------------------------------------------ rooms → MQTT */

struct to_broker {
    struct fray_parcel parcel;
    struct fray_mqtt_bridge *bridge;
    struct fray_message *message; /* nobody else's */
    char *room;                   /* NULL: the whole namespace */
};

static void publish(struct fray_mqtt_bridge *self, const struct fray_message *message,
                    const char *room)
{
    struct fray_worker *worker = self->broker->worker;
    struct fray_buf topic = {0}, payload = {0};
    bool is_bare = message->kind != FRAY_MESSAGE_EVENT;
    struct fray_slice event = is_bare ? FRAY_SLICE("message") : message->name;
    if (!fray_room_topic_encode(&topic, message->nsp, fray_slice_of(room), event)) {
        fray_room_payload_encode(&payload, message);
        struct fray_publication *publication = fray_publication_create(
            &(struct fray_mqtt_publish){
                .qos = message->class == FRAY_RELIABLE ? 1 : 0,
                .topic = fray_buf_slice(&topic),
                .payload = fray_buf_slice(&payload),
            },
            *worker->now_us, &worker->scratch);
        if (publication) {
            publication->class = message->class;
            publication->key = message->key;
            fray_broker_route(self->broker, NULL, publication);
            fray_publication_unref(publication);
        }
    }
    fray_buf_deinit(&topic);
    fray_buf_deinit(&payload);
}

static void run_to_broker(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct to_broker *self = (struct to_broker *)parcel;
    (void)at;
    publish(self->bridge, self->message, self->room);
    fray_message_unref(self->message);
    free(self->room);
    free(self);
}

static void send_to_broker(struct fray_mqtt_bridge *self, fray_namespace *nsp,
                           const struct fray_message *message, const char *room)
{
    if (nsp->home == self->broker->worker) {
        publish(self, message, room);
        return;
    }
    struct to_broker *parcel = fray_alloc(sizeof *parcel);
    *parcel = (struct to_broker){
        .parcel.run = run_to_broker, .bridge = self, .message = fray_message_clone(message)};
    if (room)
        parcel->room = fray_strndup(room, strlen(room));
    nsp->home->post(nsp->home, self->broker->worker, &parcel->parcel);
}

static void on_broadcast(struct fray_observer *observer, fray_namespace *nsp,
                         const struct fray_message *message, const struct fray_target *target)
{
    struct fray_mqtt_bridge *self =
        (struct fray_mqtt_bridge *)((char *)observer -
                                    offsetof(struct fray_mqtt_bridge, from_rooms));
    enum { ROOMS = sizeof target->rooms / sizeof *target->rooms };
    if (nsp->app.no_mqtt || !fray_broker_hears_rooms(self->broker))
        return;
    if (!target->rooms[0])
        send_to_broker(self, nsp, message, NULL);
    for (size_t i = 0; i < ROOMS && target->rooms[i]; i++)
        send_to_broker(self, nsp, message, target->rooms[i]);
}

void fray_mqtt_bridge_init(struct fray_mqtt_bridge *bridge, struct fray_server *server,
                           struct fray_broker *broker)
{
    *bridge = (struct fray_mqtt_bridge){
        .from_broker = {on_publish},
        .from_rooms = {on_broadcast},
        .server = server,
        .broker = broker,
    };
    broker->bridge = &bridge->from_broker;
    server->observer = &bridge->from_rooms;
}

void fray_mqtt_bridge_deinit(struct fray_mqtt_bridge *bridge)
{
    fray_buf_deinit(&bridge->scratch);
}
