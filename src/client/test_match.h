/* For tests of the netcode: a real match (game/match.h, its ticks, its viewers) with players over a
 * network that delays, loses and reorders, on fake time. Where the environment variable
 * FRAY_NETCODE_TRACE names a directory, what every player is told, asked and says is written there:
 * the module of pages must say the same (web/sdk/test/same_netcode.test.mjs). */
#ifndef FRAY_CLIENT_TEST_MATCH_H
#define FRAY_CLIENT_TEST_MATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "client/netcode.h"
#include "fray/games.h"
#include "game/ticks.h"

enum {
    PLAYERS = 3,
    PACKETS = 8192, /* on their way */
    PACKET = 4096,
    SENT_INPUTS = 4096, /* ticks of which a world remembers what was used */
    MS = 1000,
    FRAME_US = 16667,
};

struct weather {
    uint64_t delay_us, jitter_us;
    unsigned loss; /* permille; on a stream it delays */
    bool is_stream;
};

struct packet {
    uint64_t due_us;
    uint32_t number, len;
    uint8_t player; /* whose way it is */
    bool is_up;     /* to the server */
    char bytes[PACKET];
};

struct player {
    struct world *world;
    uint32_t seat;
    struct fray_netcode netcode;
    void *memory;
    FILE *trace;
    uint64_t last_us[2];    /* arrivals of a stream, up and down */
    uint64_t frame_us;      /* of the last picture */
    uint64_t behind_us;     /* its pictures' clock */
    uint32_t heard, hashes; /* events; hashes that were compared */
    uint32_t heard_tick;    /* of the last event */
    double heard_shown;     /* what was shown then */
    uint32_t events_lost, welcomes, refusals;
    struct fray_packet_input sent; /* the last INPUT */
    uint32_t inputs_sent, full_asked, pings, hellos, reports;
    bool is_away, is_clogged; /* its connection is gone; does not take more */
    bool is_hidden;           /* nobody looks, nobody plays: a page in the background */
    bool is_deaf;             /* nothing arrives */

    /* At the server. */
    struct fray_viewer *viewer;
    struct fray_packet_hello hello;
    uint32_t used[SENT_INPUTS]; /* by tick: 1, an input was used in it */
};

struct world {
    const struct fray_game *game;
    struct fray_match *match;
    struct fray_rng rng;
    struct weather weather;
    uint64_t now_us, frozen_us; /* frozen_us: until then the server does not run */
    uint32_t numbers;
    struct player players[PLAYERS];
    uint32_t players_count;
    struct packet *packets;
    uint32_t packets_count;
    void (*press)(struct world *world);
    /* To be called with each packet that goes down; false: it is lost. */
    bool (*on_down)(struct player *player, void *bytes, size_t len);
};

/* ------------------------------------------------------------------ the trace */

static inline void trace(struct player *player, char what, uint64_t now_us, const void *bytes,
                         size_t len)
{
    uint32_t size = (uint32_t)len;
    if (!player->trace)
        return;
    fwrite(&what, 1, 1, player->trace);
    fwrite(&now_us, sizeof now_us, 1, player->trace);
    fwrite(&size, sizeof size, 1, player->trace);
    fwrite(bytes, 1, len, player->trace);
}

static inline void trace_open(struct player *player)
{
    static unsigned count;
    const char *folder = getenv("FRAY_NETCODE_TRACE");
    const struct fray_netcode_config *config = &player->netcode.config;
    uint8_t about[4] = {(uint8_t)player->seat, config->is_stream, config->snapshot_hz,
                        config->input_batch};
    char path[256];
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/%03u-%s", folder, count++, player->world->game->name);
    player->trace = fopen(path, "wb");
    assert_non_null(player->trace);
    trace(player, 'C', player->world->now_us, about, sizeof about);
}

/* A test that does something to a netcode by hand does it to this one only. */
static inline void trace_close(struct player *player)
{
    if (player->trace)
        fclose(player->trace);
    player->trace = NULL;
}

static inline void trace_held(struct player *player)
{
    trace(player, 'I', player->world->now_us, player->netcode.inputs.held,
          player->world->game->input_size);
}

/* ------------------------------------------------------------------ the network */

static inline void put_on_its_way(struct player *player, bool is_up, const void *bytes, size_t len)
{
    struct world *world = player->world;
    const struct weather *weather = &world->weather;
    uint64_t due_us =
        world->now_us + weather->delay_us + fray_rng_below(&world->rng, weather->jitter_us + 1);
    bool is_lost = fray_rng_chance(&world->rng, weather->loss);
    if (player->is_away || (is_lost && !weather->is_stream))
        return;
    if (weather->is_stream) {
        due_us += is_lost ? 2 * weather->delay_us : 0;
        if (due_us < player->last_us[is_up])
            due_us = player->last_us[is_up];
        player->last_us[is_up] = due_us;
    }
    assert_in_range(len, 1, PACKET);
    assert_in_range(world->packets_count, 0, PACKETS - 1);
    struct packet *packet = &world->packets[world->packets_count++];
    packet->due_us = due_us;
    packet->number = world->numbers++;
    packet->len = (uint32_t)len;
    packet->player = (uint8_t)(player - world->players);
    packet->is_up = is_up;
    memcpy(packet->bytes, bytes, len);
}

/* ------------------------------------------------------------------ the server */

static inline void send_down(struct player *player, void *bytes, size_t len)
{
    if (!player->world->on_down || player->world->on_down(player, bytes, len))
        put_on_its_way(player, false, bytes, len);
}

static inline void viewer_begin(struct player *player)
{
    struct fray_match *match = player->world->match;
    uint8_t out[64];
    fray_viewer_destroy(player->viewer);
    player->viewer = fray_viewer_create(fray_ticks_snapshots(match), player->seat, &player->hello);
    if (player->seat != FRAY_GAME_NOBODY)
        fray_ticks_seat_packets(match, player->seat);
    size_t len = fray_packet_welcome_encode(
        &(struct fray_packet_welcome){
            .version = FRAY_PACKET_VERSION,
            .seat = (uint8_t)player->seat,
            .tick_hz = (uint8_t)match->config.game->tick_hz,
            .snapshot_hz = (uint8_t)fray_viewer_wished_hz(player->viewer),
            .tick = match->steps,
            .rules = fray_ticks_rules(match),
        },
        out, sizeof out);
    send_down(player, out, len);
}

static inline void serve_input(struct player *player, const void *bytes, size_t len)
{
    struct fray_match *match = player->world->match;
    static char inputs[FRAY_PACKET_INPUTS_MAX * 64];
    struct fray_packet_input packet;
    assert_true(fray_packet_input_decode(match->config.game, &packet, inputs, bytes, len));
    fray_viewer_ack(player->viewer, &packet);
    if (!packet.count || !match->is_begun)
        return;
    assert_int_not_equal(player->seat, FRAY_GAME_NOBODY);
    fray_ticks_put(match, player->seat,
                   &(struct fray_ticks_inputs){
                       .first_tick = packet.first_tick, .count = packet.count, .inputs = inputs},
                   player->world->now_us);
}

static inline void serve_ping(struct player *player, const void *bytes, size_t len)
{
    struct fray_packet_pong pong = {0};
    char out[16];
    assert_true(fray_packet_ping_decode(&pong.stamp, bytes, len));
    pong.tick = (uint32_t)fray_ticks_now(player->world->match, player->world->now_us, &pong.phase);
    send_down(player, out, fray_packet_pong_encode(&pong, out, sizeof out));
}

static inline void serve(struct player *player, const char *bytes, size_t len)
{
    struct fray_packet_report report;
    char out[8];
    if (player->seat != FRAY_GAME_NOBODY)
        fray_match_heard(player->world->match, player->seat, player->world->now_us);
    switch (bytes[0]) {
    case FRAY_PACKET_HELLO:
        assert_true(fray_packet_hello_decode(&player->hello, bytes, len));
        viewer_begin(player);
        break;
    case FRAY_PACKET_PING: serve_ping(player, bytes, len); break;
    case FRAY_PACKET_INPUT:
        if (player->viewer)
            serve_input(player, bytes, len);
        else
            send_down(player, out,
                      fray_packet_refused_encode(FRAY_REFUSED_NO_HELLO, out, sizeof out));
        break;
    case FRAY_PACKET_REPORT:
        assert_true(fray_packet_report_decode(&report, bytes, len));
        fray_viewer_forget(player->viewer);
        break;
    default: fail_msg("a client sent packet %d", bytes[0]);
    }
}

static inline bool is_due(const struct player *player, uint32_t before, uint32_t now)
{
    for (uint32_t tick = before + 1; player->viewer && tick <= now; tick++)
        if (fray_viewer_is_due(player->viewer, tick))
            return true;
    return false;
}

static inline void snapshot_send(struct player *player)
{
    struct fray_match *match = player->world->match;
    struct fray_viewer_frame frame = {.margin = FRAY_PACKET_NO_MARGIN};
    struct fray_buf out = {0};
    if (player->seat != FRAY_GAME_NOBODY && match->ticks->seats[player->seat].queue)
        frame.margin = match->ticks->seats[player->seat].queue->margin;
    fray_viewer_encode(player->viewer, &frame, &out);
    fray_viewer_sent(player->viewer, true);
    send_down(player, out.data, out.len);
    fray_buf_deinit(&out);
}

static inline void snapshots_send(struct world *world, uint32_t before)
{
    bool is_taken = false;
    for (uint32_t i = 0; i < world->players_count; i++) {
        struct player *player = &world->players[i];
        if (!is_due(player, before, world->match->steps))
            continue;
        if (!is_taken)
            fray_snapshots_take(world->match->ticks->snapshots, world->match->steps,
                                world->match->state);
        is_taken = true;
        snapshot_send(player);
    }
}

/* As games_app.c does when a match has begun: who gets snapshots is welcomed anew. */
static inline void begin_again(struct world *world)
{
    if (!world->match->is_anew)
        return;
    world->match->is_anew = false;
    for (uint32_t i = 0; i < world->players_count; i++) {
        fray_viewer_destroy(world->players[i].viewer);
        world->players[i].viewer = NULL;
    }
    fray_ticks_snapshots_forget(world->match);
    for (uint32_t i = 0; i < world->players_count; i++)
        if (world->players[i].hello.version)
            viewer_begin(&world->players[i]);
}

/* What a queue has given away it still knows. */
static inline void note_used(struct world *world, uint32_t tick)
{
    for (uint32_t i = 0; i < world->players_count; i++) {
        struct player *player = &world->players[i];
        if (player->seat == FRAY_GAME_NOBODY)
            continue;
        const struct fray_input_queue *queue = world->match->ticks->seats[player->seat].queue;
        player->used[tick % SENT_INPUTS] =
            queue && queue->ticks[tick % FRAY_INPUT_QUEUE_TICKS] == tick;
    }
}

static inline void server_run(struct world *world)
{
    struct fray_match *match = world->match;
    uint32_t before = match->steps;
    if (fray_match_due(match) > world->now_us)
        return;
    fray_match_advance(match, world->now_us);
    for (uint32_t tick = before + 1; tick <= match->steps; tick++)
        note_used(world, tick);
    begin_again(world);
    fray_match_sent(match);
    if (match->steps != before)
        snapshots_send(world, before);
}

/* ------------------------------------------------------------------ the players */

static inline void note_sent(struct player *player, const void *bytes, size_t len)
{
    static char inputs[FRAY_PACKET_INPUTS_MAX * 64];
    switch (*(const uint8_t *)bytes) {
    case FRAY_PACKET_HELLO: player->hellos++; break;
    case FRAY_PACKET_PING: player->pings++; break;
    case FRAY_PACKET_REPORT: player->reports++; break;
    default:
        player->inputs_sent++;
        assert_true(
            fray_packet_input_decode(player->world->game, &player->sent, inputs, bytes, len));
        player->full_asked += player->sent.flags & FRAY_INPUT_NEED_FULL;
    }
}

static inline void send_up(void *context, const void *bytes, size_t len)
{
    struct player *player = context;
    trace(player, 'S', player->world->now_us, bytes, len);
    note_sent(player, bytes, len);
    put_on_its_way(player, true, bytes, len);
}

static inline void hear(void *context, const struct fray_game_event *event, uint32_t tick)
{
    struct player *player = context;
    struct {
        uint32_t tick;
        struct fray_game_event event;
    } told = {tick, *event};
    trace(player, 'E', player->world->now_us, &told, sizeof told);
    player->heard++;
    player->heard_tick = tick;
    player->heard_shown = fray_netcode_shown(&player->netcode, player->netcode.now_us);
}

static inline void hear_events_lost(void *context)
{
    struct player *player = context;
    player->events_lost++;
}

static inline void hear_welcome(void *context)
{
    struct player *player = context;
    player->welcomes++;
}

static inline void hear_hash(void *context, uint32_t tick, uint64_t own, uint64_t server)
{
    struct player *player = context;
    (void)tick;
    (void)own;
    (void)server;
    player->hashes++;
}

static inline void hear_refusal(void *context, uint8_t code)
{
    struct player *player = context;
    (void)code;
    player->refusals++;
}

static inline struct player *player_add_as(struct world *world,
                                           const struct fray_netcode_config *wanted)
{
    struct fray_netcode_config config = *wanted;
    struct player *player = &world->players[world->players_count++];
    *player = (struct player){.world = world, .seat = FRAY_GAME_NOBODY};
    if (config.seat != FRAY_GAME_NOBODY) {
        uint8_t random[FRAY_TOKEN_RANDOM] = {(uint8_t)world->players_count};
        const struct fray_match_person person = {.id = "p", .name = "p"};
        assert_null(fray_match_sit(world->match, &person, random, world->now_us, &player->seat));
        config.seat = player->seat;
        begin_again(world);
    }
    config.game = world->game;
    config.is_stream = world->weather.is_stream;
    config.send = send_up;
    config.on_event = hear;
    config.on_events_lost = hear_events_lost;
    config.on_welcome = hear_welcome;
    config.on_hash = hear_hash;
    config.on_refused = hear_refusal;
    config.context = player;
    player->memory = fray_alloc_zero(fray_netcode_size(world->game));
    fray_netcode_init(&player->netcode, &config, player->memory, world->now_us);
    trace_open(player);
    return player;
}

static inline struct player *player_add(struct world *world)
{
    return player_add_as(world, &(struct fray_netcode_config){.seat = 0});
}

static inline struct player *spectator_add(struct world *world)
{
    return player_add_as(world, &(struct fray_netcode_config){.seat = FRAY_GAME_NOBODY});
}

static inline void player_receive(struct player *player, const void *bytes, size_t len)
{
    trace(player, 'R', player->world->now_us, bytes, len);
    (void)fray_netcode_receive(&player->netcode, bytes, len, player->world->now_us);
}

/* Another connection. */
static inline void player_reconnect(struct player *player)
{
    struct world *world = player->world;
    uint8_t is_stream = world->weather.is_stream;
    for (uint32_t i = 0; i < world->packets_count;) {
        bool is_its = &world->players[world->packets[i].player] == player;
        if (is_its)
            world->packets[i] = world->packets[--world->packets_count];
        i += !is_its;
    }
    fray_viewer_destroy(player->viewer);
    player->viewer = NULL;
    player->hello = (struct fray_packet_hello){0};
    player->is_away = false;
    trace(player, 'H', world->now_us, &is_stream, 1);
    fray_netcode_restart(&player->netcode, is_stream, world->now_us);
}

static inline void player_look(struct player *player)
{
    uint64_t now_us = player->world->now_us - player->behind_us, hashes[2] = {0};
    size_t size = player->world->game->state_size;
    const void *drawn = fray_netcode_drawn(&player->netcode, now_us);
    const void *shown = fray_netcode_interpolated(&player->netcode, now_us);
    if (drawn)
        hashes[0] = fray_game_hash(FRAY_GAME_HASH_START, drawn, size);
    if (shown)
        hashes[1] = fray_game_hash(FRAY_GAME_HASH_START, shown, size);
    trace(player, 'L', now_us, hashes, sizeof hashes);
}

static inline void player_run(struct player *player)
{
    struct world *world = player->world;
    bool draws = world->now_us - player->frame_us >= FRAME_US;
    if (player->is_hidden)
        return;
    if (!draws && fray_netcode_due(&player->netcode) > world->now_us)
        return;
    trace_held(player);
    uint8_t is_clogged = player->netcode.is_clogged = player->is_clogged;
    uint64_t now_us = world->now_us - player->behind_us;
    trace(player, 'A', now_us, &is_clogged, 1);
    fray_netcode_advance(&player->netcode, now_us);
    if (!draws)
        return;
    player->frame_us = world->now_us;
    player_look(player);
}

/* ------------------------------------------------------------------ the world */

static inline struct world *world_open(const struct fray_game *game, const int32_t *options,
                                       struct weather weather)
{
    struct world *world = fray_alloc_zero(sizeof *world);
    struct fray_match_config config = {
        .game = game,
        .id = "m",
        .options = options,
        .times = {.hold_ms = 60000, .stand_in_ms = 60000, .think_ms = 400, .rewind_ms = 250},
    };
    world->game = game;
    world->weather = weather;
    world->now_us = 1000 * MS;
    world->packets = fray_alloc(PACKETS * sizeof *world->packets);
    fray_rng_init(&world->rng, 1);
    world->match = fray_match_create(&config, 7, world->now_us);
    return world;
}

static inline void world_close(struct world *world)
{
    assert_false(world->match->has_condemned);
    for (uint32_t i = 0; i < world->players_count; i++) {
        fray_viewer_destroy(world->players[i].viewer);
        free(world->players[i].memory);
        trace_close(&world->players[i]);
    }
    fray_match_destroy(world->match);
    free(world->packets);
    free(world);
}

/* The earliest of what is due; of a moment, what was sent first. */
static inline struct packet *packet_due(struct world *world, bool is_frozen)
{
    struct packet *found = NULL;
    for (uint32_t i = 0; i < world->packets_count; i++) {
        struct packet *packet = &world->packets[i];
        bool is_earlier = !found || packet->due_us < found->due_us ||
                          (packet->due_us == found->due_us && packet->number < found->number);
        if (packet->due_us <= world->now_us && is_earlier && !(is_frozen && packet->is_up))
            found = packet;
    }
    return found;
}

static inline void deliver(struct world *world, bool is_frozen)
{
    struct packet *packet;
    static struct packet taken;
    while ((packet = packet_due(world, is_frozen))) {
        struct player *player = &world->players[packet->player];
        memcpy(&taken, packet, offsetof(struct packet, bytes) + packet->len);
        memcpy(packet, &world->packets[--world->packets_count], sizeof *packet);
        if (player->is_away)
            continue;
        if (taken.is_up)
            serve(player, taken.bytes, taken.len);
        else if (!player->is_deaf)
            player_receive(player, taken.bytes, taken.len);
    }
}

static inline void run(struct world *world, uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i++) {
        world->now_us += MS;
        bool is_frozen = world->now_us < world->frozen_us;
        deliver(world, is_frozen);
        if (!is_frozen)
            server_run(world);
        if (world->press)
            world->press(world);
        for (uint32_t k = 0; k < world->players_count; k++)
            player_run(&world->players[k]);
    }
}

/* One millisecond more, as long as there are any left: a loop with an end. */
static inline bool run_on(struct world *world, uint32_t *left)
{
    assert_true(*left > 0);
    *left -= 1;
    run(world, 1);
    return true;
}

/* What was held up arrives at once. */
static inline void release(struct world *world)
{
    for (uint32_t i = 0; i < world->packets_count; i++)
        world->packets[i].due_us = world->now_us;
    for (uint32_t i = 0; i < world->players_count; i++)
        world->players[i].last_us[0] = world->players[i].last_us[1] = world->now_us;
}

/* The server process gets no time. */
static inline void freeze(struct world *world, uint32_t ticks)
{
    world->frozen_us = world->now_us + ticks * UINT64_C(1000000) / world->game->tick_hz;
}

static inline void hold(struct player *player, const char *field, int64_t value)
{
    assert_true(
        fray_game_set_input(player->world->game, player->netcode.inputs.held, field, value));
}

static inline int64_t own(const struct player *player, const void *view, const char *field)
{
    return fray_game_get(player->world->game, view, "players", player->seat, field);
}

/* How many of the last ticks that the server made had an input of this player. */
static inline uint32_t used_of(const struct player *player, uint32_t ticks)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ticks; i++)
        count += player->used[(player->world->match->steps - i) % SENT_INPUTS];
    return count;
}

/* By how many ticks the client's tick is ahead of what inputs need: 0 would be just in time. */
static inline double ahead_of_need(const struct player *player)
{
    uint16_t phase;
    const struct world *world = player->world;
    int32_t tick = fray_ticks_now(world->match, world->now_us, &phase);
    double way = (double)world->weather.delay_us * world->game->tick_hz / 1e6;
    return player->netcode.pace.tick - (tick + phase / 65536.0) - way;
}

#endif
