#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "room/namespace.h"

enum {
    PING_INTERVAL_MS = 500,
    PING_TIMEOUT_MS = 1000,
    RECOVERY_MS = 4000,
    TRAFFIC_MS = 20,
    SETTLE_MS = 8000,
    QUESTION_TIMEOUT_MS = 1500,
    KEEP_ALIVE_MS = 10000,
    BODY_TIMEOUT_MS = 3000,
};

_Noreturn void sim_failed(uint64_t seed, const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s does not hold; replay with FRAY_SIM_SEED=%llu\n", file, line, what,
            (unsigned long long)seed);
    abort();
}

void sim_for_each_seed(unsigned count, void (*run)(uint64_t seed))
{
    const char *seed = getenv("FRAY_SIM_SEED"), *runs = getenv("FRAY_SIM_RUNS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t amount = runs ? strtoull(runs, NULL, 10) : seed ? 1 : count;
    for (uint64_t i = 0; i < amount; i++) {
        printf("# seed %llu\n", (unsigned long long)(first + i));
        fflush(stdout);
        run(first + i);
    }
}

/* ------------------------------------------------------------------ the model */

static struct sim_lineage *lineage_of(const fray_socket *socket)
{
    return *(struct sim_lineage **)fray_socket_data((fray_socket *)socket);
}

static struct sim_lineage *lineage_find(const struct sim_world *world, const char *id)
{
    struct sim_lineage *lineage = world->lineages;
    while (lineage && strcmp(lineage->id, id) != 0)
        lineage = lineage->next;
    return lineage;
}

static void owe(struct sim_lineage *lineage, uint64_t serial)
{
    if (lineage->owed_count == lineage->owed_cap) {
        lineage->owed_cap = lineage->owed_cap ? lineage->owed_cap * 2 : 64;
        lineage->owed = fray_realloc(lineage->owed, lineage->owed_cap * sizeof *lineage->owed);
    }
    lineage->owed[lineage->owed_count++] = serial;
}

/* ------------------------------------------------------------------ the application */

static fray_message *numbered(struct sim_world *world, const char *name)
{
    struct fray_buf args = {0};
    fray_buf_printf(&args, "%llu", (unsigned long long)++world->serial);
    if (world->padding) {
        FRAY_BUF_LITERAL(&args, ",[\"");
        char *room = fray_buf_reserve(&args, world->padding);
        memset(room, '.', world->padding);
        args.len += world->padding;
        FRAY_BUF_LITERAL(&args, "\"]");
    }
    fray_message *message = fray_message_from_text(world->nsp, name, args.data, args.len);
    fray_buf_deinit(&args);
    return message;
}

static void send_to(struct sim_world *world, fray_message *message,
                    const struct fray_target *target)
{
    fray_send_to(world->nsp, message, target);
    fray_message_unref(message);
}

static void broadcast_but(struct sim_world *world, const fray_socket *except)
{
    fray_message *message = numbered(world, "r");
    for (struct sim_lineage *each = world->lineages; each; each = each->next) {
        if (each->is_alive && !(except && each == lineage_of(except)))
            owe(each, world->serial);
    }
    send_to(world, message, &(struct fray_target){.except = except});
}

void sim_world_broadcast(struct sim_world *world)
{
    broadcast_but(world, NULL);
}

static const char *room_name(unsigned room)
{
    static const char *const names[SIM_ROOMS] = {"red", "green", "blue", "black", "white"};
    return names[room];
}

/* To one room or two of them: who is in both gets it once. */
static void send_to_rooms(struct sim_world *world)
{
    unsigned a = (unsigned)fray_rng_below(&world->rng, SIM_ROOMS);
    unsigned b = (unsigned)fray_rng_below(&world->rng, SIM_ROOMS);
    fray_message *message = numbered(world, "r");
    for (struct sim_lineage *each = world->lineages; each; each = each->next) {
        if (each->is_alive && (each->rooms[a] || each->rooms[b]))
            owe(each, world->serial);
    }
    send_to(world, message,
            &(struct fray_target){.rooms = {room_name(a), a == b ? NULL : room_name(b)}});
}

/* A socket that is there, at random. */
static struct sim_lineage *anybody(struct sim_world *world)
{
    struct sim_lineage *chosen = NULL;
    uint64_t count = 0;
    for (struct sim_lineage *each = world->lineages; each; each = each->next) {
        if (each->socket && fray_rng_below(&world->rng, ++count) == 0)
            chosen = each;
    }
    return chosen;
}

static void send_to_one(struct sim_world *world, struct sim_lineage *lineage, bool is_binary)
{
    fray_message *message;
    if (is_binary) {
        uint64_t serial = ++world->serial;
        message = fray_message_create(world->nsp, "b", "o", fray_attachment(0));
        fray_message_attach(message, &serial, sizeof serial);
    } else {
        message = numbered(world, "r");
    }
    owe(lineage, world->serial);
    fray_send(lineage->socket, message);
    fray_message_unref(message);
}

void sim_world_send_unreliable(struct sim_world *world, enum fray_class class)
{
    fray_message *message = numbered(world, class == FRAY_LATEST ? "l" : "t");
    fray_message_class(message, class, NULL);
    for (struct sim_lineage *each = world->lineages; each && class == FRAY_LATEST;
         each = each->next) {
        if (each->socket)
            each->latest = world->serial;
    }
    send_to(world, message, &(struct fray_target){0});
}

struct question {
    struct sim_world *world;
    uint64_t serial;
};

static void on_answer(fray_socket *socket, enum fray_err err, const fray_event *reply,
                      void *context)
{
    struct question *question = context;
    json_int_t value;
    (void)socket;
    question->world->answers++;
    if (!err) {
        sim_check(question->world, !fray_event_unpack(reply, "I", &value));
        sim_check(question->world, (uint64_t)value == question->serial);
    }
    free(question);
}

static void ask(struct sim_world *world, struct sim_lineage *lineage)
{
    fray_message *message = numbered(world, "q");
    struct question *question = fray_alloc(sizeof *question);
    *question = (struct question){world, world->serial};
    world->questions++;
    fray_send_ack(lineage->socket, message, QUESTION_TIMEOUT_MS, on_answer, question);
    fray_message_unref(message);
}

static void on_traffic(fray_namespace *nsp, void *context)
{
    struct sim_world *world = context;
    struct sim_lineage *one = anybody(world);
    (void)nsp;
    switch (fray_rng_below(&world->rng, 7)) {
    case 0: sim_world_broadcast(world); break;
    case 1: send_to_rooms(world); break;
    case 2: sim_world_send_unreliable(world, FRAY_LATEST); break;
    case 3: sim_world_send_unreliable(world, FRAY_TRANSIENT); break;
    default:
        for (unsigned i = 0; one && i < 3; i++)
            send_to_one(world, one, fray_rng_chance(&world->rng, 300));
        break;
    }
    if (one && fray_rng_chance(&world->rng, 300))
        ask(world, one);
}

static void on_connect(fray_socket *socket, void *app)
{
    struct sim_world *world = app;
    struct sim_lineage **data = fray_socket_data(socket);
    if (!fray_socket_recovered(socket)) {
        struct sim_lineage *lineage = fray_alloc_zero(sizeof *lineage);
        memcpy(lineage->id, fray_socket_id(socket), sizeof lineage->id);
        lineage->next = world->lineages;
        lineage->is_alive = true;
        world->lineages = *data = lineage;
    }
    struct sim_lineage *lineage = *data;
    sim_check(world, lineage->is_alive && !lineage->socket);
    sim_check(world, strcmp(lineage->id, fray_socket_id(socket)) == 0);
    lineage->socket = socket;
    lineage->heard = 0;
    send_to_one(world, lineage, false); /* from here on it has an offset */
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    (void)reason, (void)app;
    lineage_of(socket)->socket = NULL;
}

static void on_forget(void *data, void *app)
{
    struct sim_lineage *lineage = *(struct sim_lineage **)data;
    (void)app;
    if (lineage)
        lineage->is_alive = false;
}

/* What a client says is numbered on each connection, and comes without a gap. */
static void on_say(fray_socket *socket, const fray_event *event, void *app)
{
    struct sim_world *world = app;
    json_int_t number;
    sim_check(world, !fray_event_unpack(event, "I", &number));
    sim_check(world, (uint64_t)number == ++lineage_of(socket)->heard);
    if (fray_event_wants_ack(event))
        fray_ack(event, "I", number);
}

static void on_shout(fray_socket *socket, const fray_event *event, void *app)
{
    (void)event;
    broadcast_but(app, socket);
}

static void on_move(fray_socket *socket, const fray_event *event, void *app)
{
    struct sim_world *world = app;
    struct sim_lineage *lineage = lineage_of(socket);
    int room;
    sim_check(world, !fray_event_unpack(event, "i", &room));
    lineage->rooms[room] = !lineage->rooms[room];
    if (lineage->rooms[room])
        sim_check(world, !fray_socket_join(socket, room_name((unsigned)room)));
    else
        fray_socket_leave(socket, room_name((unsigned)room));
}

/* ------------------------------------------------------------------ the clients */

static void on_player_connected(struct sim_client *client, bool is_recovered)
{
    struct sim_player *player = (struct sim_player *)client;
    struct sim_world *world = player->world;
    struct sim_lineage *former = player->lineage;
    player->lineage = lineage_find(world, client->id);
    player->said = player->answered = 0;
    sim_check(world, player->lineage);
    sim_check(world, is_recovered == (former == player->lineage));
    if (is_recovered) {
        world->recoveries++;
    } else {
        world->refusals += former != NULL;
        player->seen = 0;
    }
}

/* The first argument; of a binary event the attachment. */
static uint64_t serial_of(const struct fray_socketio_packet *packet,
                          const struct fray_slice *attachments)
{
    uint64_t serial;
    if (!packet->attachments)
        return strtoull(packet->args.data, NULL, 10);
    memcpy(&serial, attachments[0].data, sizeof serial);
    return serial;
}

static void on_player_event(struct sim_client *client, const struct fray_socketio_packet *packet,
                            const struct fray_slice *attachments)
{
    struct sim_player *player = (struct sim_player *)client;
    struct sim_world *world = player->world;
    struct sim_lineage *lineage = player->lineage;
    uint64_t serial = serial_of(packet, attachments);
    if (packet->type == FRAY_SOCKETIO_ACK) {
        sim_check(world, packet->ack_id == serial); /* each says its number */
        sim_check(world, serial > player->answered && serial <= player->said);
        player->answered = serial;
        return;
    }
    switch (packet->event_name.data[0]) {
    case 'r':
    case 'b':
        sim_check(world, player->seen < lineage->owed_count);
        sim_check(world, serial == lineage->owed[player->seen]);
        player->seen++;
        break;
    case 'l':
        sim_check(world, serial > player->latest);
        player->latest = serial;
        break;
    case 't':
        sim_check(world, serial > player->transient);
        player->transient = serial;
        break;
    case 'q': {
        char reply[64];
        snprintf(reply, sizeof reply, "3%llu[%llu]", (unsigned long long)packet->ack_id,
                 (unsigned long long)serial);
        sim_client_send(client, reply);
        break;
    }
    default: sim_failed(world->seed, "an event of this name", __FILE__, __LINE__);
    }
}

/* Each connected client may say something. */
static void let_players_talk(struct sim_world *world)
{
    char packet[64];
    for (unsigned i = 0; i < world->players_count; i++) {
        struct sim_player *player = &world->players[i];
        if (player->client.state != SIM_CONNECTED || player->is_quiet ||
            !fray_rng_chance(&world->rng, 60))
            continue;
        uint64_t dice = fray_rng_below(&world->rng, 20);
        if (dice == 0) {
            sim_client_send(&player->client, "2[\"shout\"]");
        } else if (dice < 4) {
            snprintf(packet, sizeof packet, "2[\"move\",%u]",
                     (unsigned)fray_rng_below(&world->rng, SIM_ROOMS));
            sim_client_send(&player->client, packet);
        } else {
            unsigned long long number = ++player->said;
            snprintf(packet, sizeof packet, "2%llu[\"say\",%llu]", number, number);
            sim_client_send(&player->client, packet);
        }
    }
}

struct sim_player *sim_world_add(struct sim_world *world, enum sim_way way)
{
    unsigned index = world->players_count++;
    sim_check(world, index < SIM_CLIENTS_MAX);
    struct sim_player *player = &world->players[index];
    player->world = world;
    player->client = (struct sim_client){
        .rng = &world->rng,
        .owner = player,
        .index = index,
        .way = way,
        .ping_interval_ms = PING_INTERVAL_MS,
        .ping_timeout_ms = PING_TIMEOUT_MS,
        .on_connected = on_player_connected,
        .on_event = on_player_event,
    };
    sim_client_init(&player->client, world->client_loops[index % SIM_CLIENT_LOOPS]);
    return player;
}

/* ------------------------------------------------------------------ life */

static struct fray_loop *create_loop(void *context)
{
    return fray_loop_sim_create(((struct sim_world *)context)->network);
}

/* Ids too come from the seed. */
static void random_bytes(void *context, void *bytes, size_t len)
{
    struct sim_world *world = context;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)fray_rng_next(&world->rng);
}

static int64_t clock_s(struct fray_http_service *service)
{
    return (int64_t)(service->loop->now_us / 1000000);
}

static void set(struct sim_world *world, const char *option, const char *value)
{
    enum fray_err err = fray_server_set(world->server, option, value);
    sim_check(world, !err);
}

static void set_ms(struct sim_world *world, const char *option, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    set(world, option, text);
}

void sim_world_open(struct sim_world *world, uint64_t seed, const struct sim_setting *settings)
{
    *world = (struct sim_world){.seed = seed};
    fray_rng_init(&world->rng, seed);
    world->network = fray_sim_network_create(seed);
    world->server = fray_server_create();
    world->server->platform = (struct fray_server_platform){
        .loop_create = create_loop, .random = random_bytes, .context = world};
    const struct fray_app app = {
        .app = world,
        .socket_data_size = sizeof(struct sim_lineage *),
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_forget = on_forget,
        .events = {{"say", on_say}, {"shout", on_shout}, {"move", on_move}},
    };
    enum fray_err err = fray_server_add(world->server, &app);
    sim_check(world, !err);
    set(world, "listen", "0.0.0.0:80");
    set(world, "workers", "1");
    set(world, "log_level", "error");
    set_ms(world, "ping_interval_ms", PING_INTERVAL_MS);
    set_ms(world, "ping_timeout_ms", PING_TIMEOUT_MS);
    set_ms(world, "upgrade_timeout_ms", 1000);
    set_ms(world, "connect_timeout_ms", 1000);
    set_ms(world, "recovery_max_disconnection_ms", RECOVERY_MS);
    set_ms(world, "http_keep_alive_timeout_ms", KEEP_ALIVE_MS);
    set_ms(world, "http_header_timeout_ms", 2000);
    set_ms(world, "http_body_timeout_ms", BODY_TIMEOUT_MS);
    for (; settings && settings->option; settings++)
        set(world, settings->option, settings->value);
    err = fray_server_start(world->server);
    if (err)
        fprintf(stderr, "%s\n", fray_server_error(world->server));
    sim_check(world, !err);
    for (unsigned w = 0; w < world->server->workers_count; w++)
        world->server->workers[w]->http.clock_s = clock_s;
    world->nsp = fray_server_namespace(world->server, "/");
    for (unsigned i = 0; i < SIM_CLIENT_LOOPS; i++)
        world->client_loops[i] = fray_loop_sim_create(world->network);
}

void sim_world_run_ms(struct sim_world *world, uint64_t ms)
{
    fray_sim_run_until(world->network, fray_sim_now_us(world->network) + ms * 1000, NULL, NULL);
}

static void on_tick(fray_namespace *nsp, void *context)
{
    on_traffic(nsp, context);
    let_players_talk(context);
}

void sim_world_start_traffic(struct sim_world *world)
{
    world->traffic = fray_timer_start(world->nsp, TRAFFIC_MS, TRAFFIC_MS, on_tick, world);
}

void sim_world_stop_traffic(struct sim_world *world)
{
    if (world->traffic)
        fray_timer_stop(world->traffic);
    world->traffic = NULL;
}

static bool is_content(const struct sim_player *player)
{
    const struct sim_lineage *lineage = player->lineage;
    if (!player->client.is_wanted)
        return true;
    return player->client.state == SIM_CONNECTED && lineage->socket &&
           player->seen == lineage->owed_count && player->answered == player->said;
}

static bool are_content(void *context)
{
    const struct sim_world *world = context;
    for (unsigned i = 0; i < world->players_count; i++) {
        if (!is_content(&world->players[i]))
            return false;
    }
    return world->answers == world->questions;
}

static bool run_until_content(struct sim_world *world)
{
    uint64_t until_us = fray_sim_now_us(world->network) + SETTLE_MS * 1000;
    return fray_sim_run_until(world->network, until_us, are_content, world);
}

void sim_world_settle(struct sim_world *world)
{
    sim_world_stop_traffic(world);
    fray_sim_options_default(fray_sim_network_options(world->network));
    sim_world_run_ms(world, 1); /* what is being written is written */
    bool done = run_until_content(world);
    /* Some may talk over half a connection, the other half being silent: they find out. */
    sim_world_run_ms(world, PING_INTERVAL_MS + PING_TIMEOUT_MS + 1000);
    done = done && run_until_content(world);
    for (unsigned i = 0; i < world->players_count && !done; i++) {
        const struct sim_player *player = &world->players[i];
        if (!is_content(player))
            fprintf(stderr, "client %u: way %d, state %d, seen %zu of %zu, answered %llu of %llu\n",
                    i, player->client.way, player->client.state, player->seen,
                    player->lineage ? player->lineage->owed_count : 0,
                    (unsigned long long)player->answered, (unsigned long long)player->said);
    }
    sim_check(world, done);
    /* And the newest state is with everybody, though older ones were left out. */
    sim_world_send_unreliable(world, FRAY_LATEST);
    sim_world_run_ms(world, 1000);
    for (unsigned i = 0; i < world->players_count; i++) {
        if (world->players[i].client.is_wanted)
            sim_check(world, world->players[i].latest == world->serial);
    }
}

/* ------------------------------------------------------------------ the end */

uint64_t sim_world_counter(const struct sim_world *world, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned w = 0; w < world->server->workers_count; w++)
        sum += *(const uint64_t *)(const void *)((const char *)&world->server->bases[w]->counters +
                                                 offset);
    return sum;
}

unsigned sim_world_sessions(const struct sim_world *world)
{
    unsigned sum = 0;
    for (unsigned w = 0; w < world->server->workers_count; w++)
        sum += world->server->bases[w]->sessions.count;
    return sum;
}

static void check_nothing_left(struct sim_world *world)
{
    sim_check(world, world->nsp->sockets.count == 0);
    sim_check(world, world->nsp->tickets.count == 0);
    sim_check(world, world->nsp->rooms.count == 0);
    sim_check(world, world->answers == world->questions);
    for (unsigned w = 0; w < world->server->workers_count; w++) {
        const struct fray_server_worker *worker = world->server->workers[w];
        sim_check(world, worker->base.sessions.count == 0);
        sim_check(world, worker->base.members.count == 0);
        sim_check(world, worker->http.connections == 0);
        sim_check(world, worker->loop->streams_count == 0);
        sim_check(world, fray_sim_descriptors(worker->loop) == 1); /* the listener */
    }
    sim_check(world, SIM_COUNTER(world, sessions_opened) == SIM_COUNTER(world, sessions_closed));
    sim_check(world,
              SIM_COUNTER(world, connections_accepted) == SIM_COUNTER(world, connections_closed));
}

static void free_lineages(struct sim_world *world)
{
    for (struct sim_lineage *each = world->lineages, *next; each; each = next) {
        next = each->next;
        sim_check(world, !each->is_alive && !each->socket);
        free(each->owed);
        free(each);
    }
}

void sim_world_close(struct sim_world *world)
{
    sim_world_stop_traffic(world);
    fray_sim_options_default(fray_sim_network_options(world->network));
    for (unsigned i = 0; i < world->players_count; i++)
        sim_client_leave(&world->players[i].client);
    sim_world_run_ms(world, PING_INTERVAL_MS + PING_TIMEOUT_MS + RECOVERY_MS + 5000);
    for (unsigned i = 0; i < world->players_count; i++)
        sim_client_deinit(&world->players[i].client);
    sim_world_run_ms(world, KEEP_ALIVE_MS + 5000); /* for those that fell silent */
    check_nothing_left(world);
    for (unsigned w = 0; w < world->server->workers_count; w++)
        fray_server_worker_drain(world->server->workers[w]);
    sim_world_run_ms(world, 1000);
    for (unsigned w = 0; w < world->server->workers_count; w++)
        sim_check(world, fray_sim_descriptors(world->server->workers[w]->loop) ==
                             world->server->workers[w]->listeners_count);
    fray_server_destroy(world->server);
    for (unsigned i = 0; i < SIM_CLIENT_LOOPS; i++)
        fray_loop_destroy(world->client_loops[i]);
    fray_sim_network_destroy(world->network);
    free_lineages(world);
}
