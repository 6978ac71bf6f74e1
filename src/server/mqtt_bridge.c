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

static enum fray_mqtt_part part_of(const struct fray_app *app)
{
    bool has_handlers = app->events[0].name || app->on_message;
    if (app->mqtt_sockets && app->protocol == FRAY_SOCKETIO)
        return FRAY_MQTT_HAS_SOCKETS;
    return app->mqtt_rooms || !has_handlers ? FRAY_MQTT_SPEAKS_THERE : FRAY_MQTT_HEARS_ROOMS;
}

/* Where clients may not speak, fray_mqtt_may_speak has let only the program through; but who writes
 * the namespace otherwise (%67ame) got past it. */
static bool is_open(const struct fray_mqtt_bridge *self, const fray_namespace *nsp,
                    struct fray_slice topic)
{
    enum fray_mqtt_part part = part_of(&nsp->app);
    return part == FRAY_MQTT_SPEAKS_THERE ||
           (part == FRAY_MQTT_HEARS_ROOMS && fray_mqtt_rooms_find(&self->rooms, topic));
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
    if (is_open(self, nsp, fray_publication_topic(publication))) {
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
    if (nsp->app.mqtt_sockets || !fray_broker_hears_rooms(self->broker))
        return;
    if (!target->rooms[0])
        send_to_broker(self, nsp, message, NULL);
    for (size_t i = 0; i < ROOMS && target->rooms[i]; i++)
        send_to_broker(self, nsp, message, target->rooms[i]);
}

/* ------------------------------------------------------------------ sockets of MQTT clients */

static fray_namespace *find_for_sockets(struct fray_mqtt_rooms *rooms, struct fray_slice name)
{
    struct fray_mqtt_bridge *self =
        (struct fray_mqtt_bridge *)((char *)rooms - offsetof(struct fray_mqtt_bridge, rooms));
    struct fray_worker *worker = self->broker->worker;
    fray_namespace *nsp = fray_registry_find(self->server, worker, name);
    if (!nsp || nsp->app.mqtt_sockets)
        return nsp;
    if (nsp->on_vacated)
        fray_registry_release(worker, nsp);
    return NULL;
}

static void add_prefix(struct fray_mqtt_rooms *rooms, const struct fray_app *app)
{
    struct fray_buf topic = {0};
    const char *star = app->name ? strchr(app->name, '*') : NULL;
    if (star && app->protocol != FRAY_SOCKETIO) /* any path: such a namespace has no topics */
        return;
    if (fray_room_topic_encode(&topic, app->name ? app->name : "/", (struct fray_slice){0},
                               FRAY_SLICE("e")))
        return;
    const char *end =
        star ? memchr(topic.data, '*', topic.len) : topic.data + topic.len - strlen("/-/e");
    rooms->prefixes = fray_realloc(rooms->prefixes, (rooms->count + 1) * sizeof *rooms->prefixes);
    rooms->prefixes[rooms->count++] =
        (struct fray_mqtt_room_prefix){.topic = {topic.data, (size_t)(end - topic.data)},
                                       .is_pattern = star != NULL,
                                       .part = part_of(app)};
}

void fray_mqtt_bridge_init(struct fray_mqtt_bridge *bridge, struct fray_server *server,
                           struct fray_broker *broker)
{
    *bridge = (struct fray_mqtt_bridge){
        .from_broker = {on_publish},
        .from_rooms = {on_broadcast},
        .rooms.find = find_for_sockets,
        .server = server,
        .broker = broker,
    };
    broker->bridge = &bridge->from_broker;
    server->observer = &bridge->from_rooms;
    for (size_t i = 0; i < server->apps_count; i++)
        add_prefix(&bridge->rooms, &server->apps[i]);
}

void fray_mqtt_bridge_deinit(struct fray_mqtt_bridge *bridge)
{
    for (size_t i = 0; i < bridge->rooms.count; i++)
        free((char *)bridge->rooms.prefixes[i].topic.data); /* each was a buffer's */
    free(bridge->rooms.prefixes);
    fray_buf_deinit(&bridge->scratch);
}
