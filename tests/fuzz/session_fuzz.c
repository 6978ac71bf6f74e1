/* Three Socket.IO sessions in two namespaces, one of them at home on another worker, live through a
 * script: frames, POSTs, GETs, upgrades, links that end or block, time, parcels that arrive late,
 * and handlers that end sockets in the midst of it. Whatever happens, nothing crashes, no message
 * is half sent to a new link, and at the end all memory is returned.
 *
 * Each step is an opcode and mostly a length byte with as many bytes. */
#include <stdint.h>
#include <stdio.h>

#include "protocol/socketio.h"
#include "session/session_fake.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 3, NAMESPACES = 2 };

enum step {
    STEP_SELECT = 'c',     /* <client>: the ones below are for this one */
    STEP_OPEN = 'o',       /* a session over websocket */
    STEP_OPEN_POLL = 'p',  /* over polling */
    STEP_TEXT = 't',       /* <len> <frame> */
    STEP_BINARY = 'b',     /* <len> <frame> */
    STEP_POST = 'P',       /* <len> <body> */
    STEP_GET = 'G',        /* a GET waits */
    STEP_PROBE = 'u',      /* a websocket with the session's sid */
    STEP_PROBE_TEXT = 'U', /* <len> <frame> on it */
    STEP_ROOM = 'r',       /* <bytes> the websocket takes before it blocks; 255: any */
    STEP_END = 'e',        /* the link ends */
    STEP_RECOVER = 'R',    /* CONNECT with the pid of the last accepted socket */
    STEP_TIME = 'w',       /* <tenths of a second> pass */
    STEP_TURN = '.',       /* the turn ends on both workers */
    STEP_PARCEL = '<',     /* the oldest parcel arrives, here */
    STEP_PARCEL_AFAR = '>',
};

struct client {
    struct fake_link link, probe; /* the probe becomes the link when it took over */
    struct fray_engineio *engineio;
    struct fray_handle handle; /* its session, which may be gone */
};

struct world {
    struct fake_worker workers[2];
    struct fray_worker *all[2];
    fray_namespace *namespaces[NAMESPACES];
    struct fray_engineio_config config;
    struct fray_socketio_config socketio;
    struct client clients[CLIENTS], *client;
    long users; /* sockets whose data was not forgotten */
    bool ends_others;
};

/* ------------------------------------------------------------------ the application */

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    *(bool *)fray_socket_data(socket) = true;
    ((struct world *)app)->users++;
    return json_object_get(fray_socket_auth(socket), "no") ? FRAY_REJECT : FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    (void)app;
    assert(*(bool *)fray_socket_data(socket));
    fray_socket_join(socket, "all");
    fray_broadcast_except(socket, "came", "s", fray_socket_id(socket));
}

static void end_it(fray_socket *socket, void *context)
{
    fray_socket_disconnect(socket, *(bool *)context);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct world *world = app;
    fray_namespace *nsp = fray_socket_namespace(socket);
    bool close_session = reason != FRAY_PARSE_ERROR;
    fray_emit_to(nsp, "all", "left", "s", fray_disconnect_text(reason));
    fray_emit(socket, "you left", NULL);
    fray_socket_disconnect(socket, true);
    /* Only of namespaces whose home this thread is. */
    if (world->ends_others && nsp == world->namespaces[0])
        fray_namespace_each(nsp, NULL, end_it, &close_session);
}

static void on_forget(void *data, void *app)
{
    assert(*(bool *)data);
    *(bool *)data = false;
    ((struct world *)app)->users--;
}

static void on_reply(fray_socket *socket, enum fray_err err, const fray_event *reply, void *context)
{
    (void)context;
    assert((err == FRAY_OK) == (reply != NULL));
    if (reply && fray_event_attachments(reply))
        fray_socket_disconnect(socket, true);
}

static void on_echo(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    fray_message *message = fray_message_from_event(event, NULL);
    if (fray_event_wants_ack(event))
        fray_ack_message(event, message);
    else
        fray_send(socket, message);
    fray_message_unref(message);
}

static void on_state(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    fray_message *message = fray_message_from_event(event, NULL);
    fray_message_class(message, fray_event_wants_ack(event) ? FRAY_TRANSIENT : FRAY_LATEST, NULL);
    fray_send_to(fray_socket_namespace(socket), message, &(struct fray_target){.rooms = {"all"}});
    fray_message_unref(message);
}

static void on_ask(fray_socket *socket, const fray_event *event, void *app)
{
    int timeout_ms = 0;
    if (fray_event_unpack(event, "i", &timeout_ms))
        return;
    fray_message *message = fray_message_create(fray_socket_namespace(socket), "ask", "i", 1);
    fray_send_ack(socket, message, (unsigned)timeout_ms % 10000, on_reply, app);
    fray_message_unref(message);
}

static void on_kick(fray_socket *socket, const fray_event *event, void *app)
{
    size_t len;
    struct world *world = app;
    world->ends_others = fray_event_wants_ack(event);
    bool close_session = fray_event_attachments(event) > 0;
    fray_socket_disconnect(socket, close_session);
    assert(fray_event_name(event) && fray_event_text(event, &len));
    for (size_t i = 0; i < fray_event_attachments(event); i++)
        assert(fray_event_attachment(event, i, &len) || len == 0);
}

static fray_namespace *find_namespace(struct fray_socketio_config *config, struct fray_slice name)
{
    struct world *world = config->owner;
    if (fray_slice_equal(name, FRAY_SLICE("/")))
        return world->namespaces[0];
    return fray_slice_equal(name, FRAY_SLICE("/a")) ? world->namespaces[1] : NULL;
}

/* ------------------------------------------------------------------ the world */

static void create(struct world *world)
{
    const struct fray_app app = {
        .app = world,
        .socket_data_size = sizeof(bool),
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_forget = on_forget,
        .on_message = on_echo,
        .events = {{"s", on_state}, {"a", on_ask}, {"k", on_kick}},
    };
    const struct fray_namespace_options options = {.max_rooms_per_socket = 2,
                                                   .room_flush_interval_ms = 20,
                                                   .recovery_max_disconnection_ms = 5000,
                                                   .recovery_max_messages = 16};
    *world = (struct world){.client = &world->clients[0]};
    for (unsigned i = 0; i < 2; i++) {
        fake_worker_init(&world->workers[i], i);
        world->workers[i].base.outbox_limits = (struct fray_outbox_limits){12, 600};
        world->all[i] = &world->workers[i].base;
    }
    world->workers[0].base.messages_per_second = 20;
    world->workers[0].base.messages_burst = 20;
    for (unsigned i = 0; i < NAMESPACES; i++) {
        world->namespaces[i] = fray_namespace_create(&app, i ? FRAY_SLICE("/a") : FRAY_SLICE("/"),
                                                     &options, world->all[i], world->all[i]);
        fray_namespace_set_workers(world->namespaces[i], world->all, 2);
    }
    world->socketio = (struct fray_socketio_config){
        .limits = {.attachments_max = 3, .depth_max = 8, .bytes_max = 1000},
        .connect_timeout_ms = 4000,
        .max_namespaces = 2,
        .owner = world,
        .find_namespace = find_namespace,
    };
    world->config = (struct fray_engineio_config){
        .worker = world->all[0],
        .upper = &fray_socketio_upper,
        .upper_config = &world->socketio,
        .ping_interval_ms = 2500,
        .ping_timeout_ms = 2000,
        .upgrade_timeout_ms = 1000,
        .max_payload = 1000,
        .allow_upgrades = true,
    };
    fray_engineio_config_init(&world->config);
}

static void turn(struct world *world)
{
    fake_worker_turn(&world->workers[0]);
    fake_worker_turn(&world->workers[1]);
}

static void settle(struct world *world)
{
    do {
        fake_worker_pump(&world->workers[0]);
        fake_worker_pump(&world->workers[1]);
    } while (world->workers[0].first_parcel || world->workers[1].first_parcel);
}

static struct fray_session *session_of(const struct world *world)
{
    return fray_id_pool_get(&world->workers[0].base.sessions, world->client->handle);
}

static void end(struct world *world)
{
    fray_link_end(&world->client->probe.link, FRAY_TRANSPORT_CLOSE);
    fray_link_end(&world->client->link.link, FRAY_TRANSPORT_CLOSE);
}

static void destroy(struct world *world)
{
    for (world->client = world->clients; world->client < world->clients + CLIENTS;
         world->client++) {
        end(world);
        fake_link_deinit(&world->client->link);
        fake_link_deinit(&world->client->probe);
    }
    settle(world);
    for (unsigned i = 0; i < NAMESPACES; i++) {
        assert(world->namespaces[i]->sockets.count == 0 && world->namespaces[i]->rooms.count == 0);
        fray_namespace_destroy(world->namespaces[i]);
    }
    assert(world->users == 0);
    fray_engineio_config_deinit(&world->config);
    fake_worker_deinit(&world->workers[0]);
    fake_worker_deinit(&world->workers[1]);
}

/* ------------------------------------------------------------------ steps */

static void open(struct world *world, enum fray_framing framing)
{
    struct client *client = world->client;
    if (client->link.link.session || client->probe.link.session)
        return;
    turn(world); /* links may still be in use until it ends */
    fake_link_deinit(&client->link);
    fake_link_deinit(&client->probe);
    fake_link_init(&client->link, framing);
    client->engineio = fray_engineio_open(&world->config, &client->link.link, NULL);
    client->handle = client->engineio->session.handle;
}

static void receive(struct fake_link *link, struct fray_slice frame, bool is_binary)
{
    struct fray_session *session = link->link.session;
    if (!session || link->link.ops->framing == FRAY_FRAMING_POLLING ||
        (!is_binary && !fray_utf8_valid(frame)) || !fray_session_admits(session))
        return;
    session->protocol->on_frame(session, &link->link, frame, is_binary);
}

static bool is_polling(const struct world *world)
{
    const struct fray_session *session = session_of(world);
    return session && session->link == &world->client->link.link &&
           session->link->ops->framing == FRAY_FRAMING_POLLING;
}

static void post(struct world *world, struct fray_slice body)
{
    if (!is_polling(world) || session_of(world)->is_closing)
        return;
    enum fray_err err = fray_engineio_receive(world->client->engineio, body);
    assert(!err || world->client->engineio->session.is_closing);
}

static void get(struct world *world)
{
    if (!is_polling(world) || world->client->link.link.is_writable)
        return;
    fake_link_open_up(&world->client->link, SIZE_MAX);
}

static void probe(struct world *world)
{
    struct client *client = world->client;
    if (!is_polling(world) || !fray_engineio_may_upgrade(client->engineio))
        return;
    fake_link_deinit(&client->probe);
    fake_link_init(&client->probe, FRAY_FRAMING_WEBSOCKET);
    fray_engineio_probe(client->engineio, &client->probe.link);
}

static void make_room(struct world *world, size_t room)
{
    struct client *client = world->client;
    struct fake_link *link = client->probe.link.session ? &client->probe : &client->link;
    if (link->link.session && link->link.ops->framing == FRAY_FRAMING_WEBSOCKET)
        fake_link_open_up(link, room == 255 ? SIZE_MAX : room);
}

/* The pid that some client was told last, for this one to come back with. */
static void recover(struct world *world)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct fray_buf *out = &world->clients[i].link.out;
        for (size_t at = 0; at + 27 < out->len; at++) {
            if (memcmp(out->data + at, "\"pid\":\"", 7) != 0)
                continue;
            char packet[80];
            int len = snprintf(packet, sizeof packet, "40{\"pid\":\"%.20s\",\"offset\":\"0\"}",
                               out->data + at + 7);
            struct fray_slice frame = fray_slice(packet, (size_t)len);
            if (is_polling(world))
                post(world, frame);
            else
                receive(&world->client->link, frame, false);
            return;
        }
    }
}

struct script {
    const uint8_t *at, *end;
};

static size_t take_byte(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

static struct fray_slice take_bytes(struct script *script)
{
    size_t len = take_byte(script), left = (size_t)(script->end - script->at);
    struct fray_slice bytes = fray_slice(script->at, len < left ? len : left);
    script->at += bytes.len;
    return bytes;
}

static void pass_time(struct world *world, size_t tenths)
{
    for (unsigned i = 0; i < 2; i++)
        fake_worker_advance(&world->workers[i], tenths * 100);
}

static void take_step(struct world *world, struct script *script)
{
    struct client *client = world->client;
    switch (take_byte(script)) {
    case STEP_SELECT: world->client = &world->clients[take_byte(script) % CLIENTS]; break;
    case STEP_OPEN: open(world, FRAY_FRAMING_WEBSOCKET); break;
    case STEP_OPEN_POLL: open(world, FRAY_FRAMING_POLLING); break;
    case STEP_TEXT: receive(&client->link, take_bytes(script), false); break;
    case STEP_BINARY: receive(&client->link, take_bytes(script), true); break;
    case STEP_POST: post(world, take_bytes(script)); break;
    case STEP_GET: get(world); break;
    case STEP_PROBE: probe(world); break;
    case STEP_PROBE_TEXT: receive(&client->probe, take_bytes(script), false); break;
    case STEP_ROOM: make_room(world, take_byte(script)); break;
    case STEP_END: end(world); break;
    case STEP_RECOVER: recover(world); break;
    case STEP_TIME: pass_time(world, take_byte(script)); break;
    case STEP_TURN: turn(world); break;
    case STEP_PARCEL: fake_worker_run_parcel(&world->workers[0]); break;
    case STEP_PARCEL_AFAR: fake_worker_run_parcel(&world->workers[1]); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    struct script script = {data, data + size};
    create(&world);
    while (script.at < script.end)
        take_step(&world, &script);
    destroy(&world);
    return 0;
}
