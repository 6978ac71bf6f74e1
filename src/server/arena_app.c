/* The landing page's arena: the host of one match. Clients send what they want, the rules of
 * games/arena decide what happens. */
#include "server/arena_app.h"

#include <stdio.h>
#include <string.h>

#include "arena/arena.h"
#include "base/buf.h"
#include "base/mem.h"

enum {
    MAP_WIDTH = 480,
    MAP_HEIGHT = 288,
    OBSTACLES = 9,
    COOLDOWN_TICKS = 10,
    RESPAWN_TICKS = 60,
    TICK_MS = 33,
    STATE_MS = 50,          /* 20 Hz, docs/decisions.md */
    CATCH_UP_TICKS = 5,     /* more is time lost, not a spiral */
    PAST = 8,               /* ticks that an attack may look back: 250 ms */
    EVENTS_MAX = 256,       /* of one tick */
    NAME_SIZE = 32 * 4 + 1, /* fray_socket_name's 32 characters */
    ID_SIZE = 24,           /* fray_socket_id */
};

enum seat_use { SEAT_FREE, SEAT_BOT, SEAT_PLAYER };

struct seat {
    enum seat_use use;
    char name[NAME_SIZE];
    char socket[ID_SIZE]; /* of a player */
    uint64_t input_us;    /* when its player last did something */
    uint32_t seen;        /* the moment of the past that its attack is aimed at, in 1/256 ticks */
};

struct visitor {
    uint32_t place; /* its seat's number + 1, 0: it watches */
};

struct fray_arena_app {
    struct arena_state state, view;
    struct arena_state past[PAST]; /* a ring by tick */
    struct arena_input inputs[ARENA_SEATS];
    uint8_t given[ARENA_SEATS];
    struct arena_memory memories[ARENA_SEATS];
    struct seat seats[ARENA_SEATS];
    uint32_t visitors, players, bots;
    uint64_t next_tick_us;
    fray_timer_handle *tick_timer, *state_timer; /* NULL while nobody is connected */
};

/* ------------------------------------------------------------------ what clients are told */

static void append_roster(const struct fray_arena_app *arena, struct fray_buf *out)
{
    json_t *roster = json_array();
    for (uint32_t i = 0; i < ARENA_SEATS; i++) {
        const struct seat *seat = &arena->seats[i];
        if (seat->use != SEAT_FREE)
            json_array_append_new(roster, json_pack("{s:i, s:s, s:b}", "seat", (int)i, "name",
                                                    seat->name, "bot", seat->use == SEAT_BOT));
    }
    char *text = json_dumps(roster, JSON_COMPACT);
    fray_buf_append(out, text, strlen(text));
    free(text);
    json_decref(roster);
}

static fray_message *roster_message(const struct fray_arena_app *arena, fray_namespace *nsp)
{
    struct fray_buf text = {0};
    append_roster(arena, &text);
    fray_message *message = fray_message_from_text(nsp, "roster", text.data, text.len);
    fray_buf_deinit(&text);
    return message;
}

static void tell_roster(const struct fray_arena_app *arena, fray_namespace *nsp)
{
    fray_message *message = roster_message(arena, nsp);
    fray_send_to(nsp, message, &(struct fray_target){0});
    fray_message_unref(message);
}

static void welcome(const struct fray_arena_app *arena, fray_socket *socket)
{
    json_t *obstacles = json_array();
    for (uint32_t i = 0; i < ARENA_OBSTACLES; i++) {
        const struct arena_obstacle *o = &arena->state.obstacles[i];
        if (o->width)
            json_array_append_new(obstacles,
                                  json_pack("[i, i, i, i]", o->x, o->y, o->width, o->height));
    }
    fray_emit(socket, "map", "{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "width", MAP_WIDTH, "height",
              MAP_HEIGHT, "side", ARENA_SIDE_PX, "range", ARENA_RANGE / ARENA_PX, "tick_hz",
              (int)fray_arena.tick_hz, "cooldown_ms", COOLDOWN_TICKS * 1000 / fray_arena.tick_hz,
              "obstacles", obstacles);
    fray_message *roster = roster_message(arena, fray_socket_namespace(socket));
    fray_send(socket, roster);
    fray_message_unref(roster);
}

static int tenths(int32_t position)
{
    return position * 10 / ARENA_PX;
}

static void tell_state(fray_namespace *nsp, void *context)
{
    const struct fray_arena_app *arena = context;
    struct fray_buf text = {0};
    const char *comma = "";
    fray_buf_printf(&text, "{\"tick\":%u,\"players\":[", arena->state.match.tick);
    for (uint32_t i = 0; i < ARENA_SEATS; i++) {
        const struct arena_player *player = &arena->state.players[i];
        if (!player->present)
            continue;
        fray_buf_printf(&text, "%s[%u,%d,%d,%u,%u,%u,%u]", comma, i, tenths(player->x),
                        tenths(player->y), player->hp, player->swings, player->score,
                        player->deaths);
        comma = ",";
    }
    FRAY_BUF_LITERAL(&text, "]}");
    fray_message *message = fray_message_from_text(nsp, "state", text.data, text.len);
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send_to(nsp, message, &(struct fray_target){0});
    fray_message_unref(message);
    fray_buf_deinit(&text);
}

/* ------------------------------------------------------------------ seats */

static const char *const bot_names[FRAY_ARENA_FIGHTERS] = {"Rook", "Pixel", "Comet", "Basil",
                                                           "Juno", "Moss",  "Fig",   "Otto"};

static void name_bot(const struct fray_arena_app *arena, struct seat *bot)
{
    for (size_t i = 0; i < FRAY_ARENA_FIGHTERS; i++) {
        bool is_taken = false;
        for (uint32_t k = 0; k < ARENA_SEATS && !is_taken; k++)
            is_taken = arena->seats[k].use == SEAT_BOT && &arena->seats[k] != bot &&
                       strcmp(arena->seats[k].name, bot_names[i]) == 0;
        if (!is_taken) {
            snprintf(bot->name, sizeof bot->name, "%s", bot_names[i]);
            return;
        }
    }
}

/* The caller has seen to it that one is free: there are more seats than players and bots. */
static uint32_t seat_take(struct fray_arena_app *arena, enum seat_use use)
{
    uint32_t i = 0;
    while (arena->seats[i].use != SEAT_FREE)
        i++;
    arena->seats[i] = (struct seat){.use = use};
    arena->inputs[i] = (struct arena_input){0};
    fray_arena.join(&arena->state, i, NULL);
    *(use == SEAT_BOT ? &arena->bots : &arena->players) += 1;
    return i;
}

static void seat_free(struct fray_arena_app *arena, uint32_t i)
{
    *(arena->seats[i].use == SEAT_BOT ? &arena->bots : &arena->players) -= 1;
    arena->seats[i].use = SEAT_FREE;
    arena->given[i] = 0;
    fray_arena.leave(&arena->state, i, NULL);
}

static void bots_adjust(struct fray_arena_app *arena, fray_namespace *nsp)
{
    while (arena->players + arena->bots < FRAY_ARENA_FIGHTERS) {
        uint32_t i = seat_take(arena, SEAT_BOT);
        name_bot(arena, &arena->seats[i]);
        arena_bot_init(&arena->memories[i], i % 2, fray_random(nsp));
    }
    for (uint32_t i = ARENA_SEATS; i-- > 0 && arena->bots;) {
        if (arena->players + arena->bots <= FRAY_ARENA_FIGHTERS)
            return;
        if (arena->seats[i].use == SEAT_BOT)
            seat_free(arena, i);
    }
}

static void stand_up(struct fray_arena_app *arena, fray_socket *socket)
{
    struct visitor *visitor = fray_socket_data(socket);
    fray_namespace *nsp = fray_socket_namespace(socket);
    if (!visitor->place)
        return;
    seat_free(arena, visitor->place - 1);
    visitor->place = 0;
    bots_adjust(arena, nsp);
    tell_roster(arena, nsp);
}

/* ------------------------------------------------------------------ time */

static const struct arena_state *past_at(const struct fray_arena_app *arena, uint32_t tick)
{
    return &arena->past[tick % PAST];
}

/* Lag compensation: where the attacker saw the others, at most PAST ticks ago. */
static bool rewind_view(void *host, uint32_t i, struct fray_game_past *past)
{
    const struct fray_arena_app *arena = host;
    uint32_t now = arena->state.match.tick; /* of this step; the past ends one before */
    uint32_t seen = arena->seats[i].seen;
    if (!seen || now <= PAST || seen / 256 + 1 >= now)
        return false;
    if (seen / 256 < now - PAST)
        seen = (now - PAST) * 256;
    *past = (struct fray_game_past){past_at(arena, seen / 256), past_at(arena, seen / 256 + 1),
                                    (int32_t)(seen % 256)};
    return true;
}

static void bots_think(struct fray_arena_app *arena)
{
    for (uint32_t i = 0; i < ARENA_SEATS; i++) {
        if (arena->seats[i].use != SEAT_BOT)
            continue;
        fray_game_view(&fray_arena, &arena->state, i, &arena->view);
        arena->given[i] = arena_bot(&arena->view, i, &arena->memories[i], &arena->inputs[i]);
    }
}

static void step(struct fray_arena_app *arena, fray_namespace *nsp)
{
    struct fray_game_event items[EVENTS_MAX];
    struct fray_game_events events = {.items = items, .max = EVENTS_MAX};
    bots_think(arena);
    fray_arena.step(&arena->state, &(struct fray_game_step){.inputs = arena->inputs,
                                                            .given = arena->given,
                                                            .events = &events,
                                                            .rewind = rewind_view,
                                                            .host = arena});
    arena->past[arena->state.match.tick % PAST] = arena->state;
    for (uint32_t i = 0; i < ARENA_SEATS; i++)
        arena->inputs[i].attack = 0; /* an impulse */
    for (uint32_t i = 0; i < events.count; i++) {
        if (strcmp(fray_arena.events[items[i].kind].name, "player_killed") == 0)
            fray_broadcast(nsp, "killed", "{s:i, s:i}", "seat", items[i].args[0], "by",
                           items[i].args[1]);
    }
}

static void excuse_idle(struct fray_arena_app *arena, fray_namespace *nsp)
{
    uint64_t now_us = fray_now_us(nsp);
    for (uint32_t i = 0; i < ARENA_SEATS; i++) {
        const struct seat *seat = &arena->seats[i];
        if (seat->use != SEAT_PLAYER || now_us - seat->input_us < FRAY_ARENA_IDLE_S * 1000000ull)
            continue;
        fray_socket *socket = fray_namespace_find(nsp, seat->socket);
        stand_up(arena, socket);
        fray_emit(socket, "away", "{}");
    }
}

static void tick(fray_namespace *nsp, void *context)
{
    struct fray_arena_app *arena = context;
    uint64_t now_us = fray_now_us(nsp), tick_us = 1000000 / fray_arena.tick_hz;
    excuse_idle(arena, nsp);
    for (int i = 0; i < CATCH_UP_TICKS && arena->next_tick_us <= now_us; i++) {
        step(arena, nsp);
        arena->next_tick_us += tick_us;
    }
    if (arena->next_tick_us <= now_us)
        arena->next_tick_us = now_us + tick_us;
}

static void clock_start(struct fray_arena_app *arena, fray_namespace *nsp)
{
    arena->next_tick_us = fray_now_us(nsp);
    arena->tick_timer = fray_timer_start(nsp, 0, TICK_MS, tick, arena);
    arena->state_timer = fray_timer_start(nsp, STATE_MS, STATE_MS, tell_state, arena);
}

static void clock_stop(struct fray_arena_app *arena)
{
    fray_timer_stop(arena->tick_timer);
    fray_timer_stop(arena->state_timer);
    arena->tick_timer = arena->state_timer = NULL;
}

/* ------------------------------------------------------------------ what clients do */

static void on_connect(fray_socket *socket, void *app)
{
    struct fray_arena_app *arena = app;
    *(struct visitor *)fray_socket_data(socket) = (struct visitor){0}; /* also of a recovered one */
    if (arena->visitors++ == 0)
        clock_start(arena, fray_socket_namespace(socket));
    welcome(arena, socket);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fray_arena_app *arena = app;
    (void)reason;
    stand_up(arena, socket);
    if (--arena->visitors == 0)
        clock_stop(arena);
}

/* Its seat, with the time noted; NULL and told so when it only watches. */
static struct seat *player_of(struct fray_arena_app *arena, fray_socket *socket,
                              const fray_event *event)
{
    const struct visitor *visitor = fray_socket_data(socket);
    if (!visitor->place) {
        fray_event_refuse(event, "not_seated", "Send play first.");
        return NULL;
    }
    struct seat *seat = &arena->seats[visitor->place - 1];
    seat->input_us = fray_now_us(fray_socket_namespace(socket));
    return seat;
}

static void on_play(fray_socket *socket, const fray_event *event, void *app)
{
    struct fray_arena_app *arena = app;
    struct visitor *visitor = fray_socket_data(socket);
    const char *name = NULL;
    if (fray_event_unpack(event, "{s?s}", "name", &name))
        return;
    if (!visitor->place && arena->players == FRAY_ARENA_PLAYERS_MAX) {
        fray_event_refuse(event, "full", "All seats are taken.");
        return;
    }
    if (!visitor->place)
        visitor->place = seat_take(arena, SEAT_PLAYER) + 1;
    struct seat *seat = player_of(arena, socket, event);
    if (name)
        (void)fray_socket_set_name(socket, name); /* else it keeps the name it has */
    snprintf(seat->name, sizeof seat->name, "%s", fray_socket_name(socket));
    snprintf(seat->socket, sizeof seat->socket, "%s", fray_socket_id(socket));
    bots_adjust(arena, fray_socket_namespace(socket));
    tell_roster(arena, fray_socket_namespace(socket));
    fray_ack(event, "{s:i}", "seat", (int)(visitor->place - 1));
}

static void on_steer(fray_socket *socket, const fray_event *event, void *app)
{
    struct fray_arena_app *arena = app;
    struct seat *seat = player_of(arena, socket, event);
    int dx, dy;
    if (!seat || fray_event_unpack(event, "{s:i, s:i}", "dx", &dx, "dy", &dy))
        return;
    if (dx < -127 || dx > 127 || dy < -127 || dy > 127) {
        fray_event_refuse(event, "out_of_range", "dx and dy are -127 to 127.");
        return;
    }
    size_t i = (size_t)(seat - arena->seats);
    arena->inputs[i].dx = (int8_t)dx;
    arena->inputs[i].dy = (int8_t)dy;
    arena->given[i] = 1;
}

static void on_attack(fray_socket *socket, const fray_event *event, void *app)
{
    struct fray_arena_app *arena = app;
    struct seat *seat = player_of(arena, socket, event);
    double seen = 0;
    if (!seat || fray_event_unpack(event, "{s?F}", "seen", &seen))
        return;
    bool is_past = seen > 0 && seen < arena->state.match.tick;
    seat->seen = is_past ? (uint32_t)(seen * 256) : 0; /* 0: the present */
    size_t i = (size_t)(seat - arena->seats);
    arena->inputs[i].attack = 1;
    arena->given[i] = 1;
}

static void on_ping(fray_socket *socket, const fray_event *event, void *app)
{
    (void)socket;
    (void)app;
    fray_ack(event, "");
}

static void on_leave(fray_socket *socket, const fray_event *event, void *app)
{
    stand_up(app, socket);
    fray_ack(event, "");
}

static void on_start(fray_server *server, fray_namespace *nsp, void *app)
{
    struct fray_arena_app *arena = app;
    struct arena_options options = {.width = MAP_WIDTH,
                                    .height = MAP_HEIGHT,
                                    .spawn = 0,
                                    .obstacles = OBSTACLES,
                                    .sight = ARENA_MAP_MAX_PX,
                                    .cooldown_ticks = COOLDOWN_TICKS,
                                    .respawn_ticks = RESPAWN_TICKS};
    (void)server;
    fray_game_init(&fray_arena, &arena->state, fray_random(nsp), (const int32_t *)&options);
    bots_adjust(arena, nsp);
}

/* ------------------------------------------------------------------ */

struct fray_arena_app *fray_arena_app_create(void)
{
    return fray_alloc_zero(sizeof(struct fray_arena_app));
}

void fray_arena_app_destroy(struct fray_arena_app *arena)
{
    free(arena);
}

struct fray_app fray_arena_app_describe(struct fray_arena_app *arena)
{
    return (struct fray_app){
        .name = "/arena",
        .app = arena,
        .no_mqtt = true, /* who publishes to a topic would speak as the server does */
        .socket_data_size = sizeof(struct visitor),
        .on_start = on_start,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .events = {{"play", on_play},
                   {"steer", on_steer},
                   {"attack", on_attack},
                   {"leave", on_leave},
                   {"ping_me", on_ping}},
    };
}
