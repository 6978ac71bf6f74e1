/* The client's netcode against a small server of its own, over a network that delays, loses and
 * reorders datagrams, on fake time. */
#include "client/netcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "duel/duel.h"

enum {
    SEATS = DUEL_SEATS,
    TICK_US = 1000000 / 60,
    PACKETS_MAX = 4096,
    PACKET_MAX = 2048,
    RING = 256, /* snapshots that a server remembers, inputs that it holds */
    EVENTS_MAX = 4096,
    SNAPSHOT_TICKS = 3,
};

struct packet {
    uint64_t due_us;
    uint32_t len;
    uint8_t seat; /* whose way it is */
    bool is_up;   /* to the server */
    char bytes[PACKET_MAX];
};

struct weather {
    uint64_t delay_us, jitter_us;
    unsigned loss; /* permille */
};

struct served {
    struct duel_state views[RING]; /* by seq */
    uint32_t events[RING];         /* how many had happened, by seq */
    uint16_t seq, ack;
    bool is_welcome, needs_full;
    int8_t margin;
    uint32_t input_tick;
    struct duel_input inputs[RING];
    uint32_t input_ticks[RING];
};

struct player {
    struct world *world;
    uint8_t seat;
    struct fray_netcode netcode;
    uint32_t heard; /* events */
};

struct world {
    struct fray_rng rng;
    struct weather weather;
    uint64_t now_us, started_us;
    struct duel_state state, history[RING];
    struct served served[SEATS];
    struct player players[SEATS];
    struct packet *packets;
    uint32_t packets_count;
    struct fray_packet_event events[EVENTS_MAX];
    uint32_t events_count;
};

/* ------------------------------------------------------------------ the network */

static void put(struct world *world, uint8_t seat, bool is_up, const void *bytes, size_t len)
{
    const struct weather *weather = &world->weather;
    if (fray_rng_chance(&world->rng, weather->loss))
        return;
    assert_in_range(len, 1, PACKET_MAX);
    assert_in_range(world->packets_count, 0, PACKETS_MAX - 1);
    struct packet *packet = &world->packets[world->packets_count++];
    packet->due_us =
        world->now_us + weather->delay_us + fray_rng_below(&world->rng, weather->jitter_us + 1);
    packet->len = (uint32_t)len;
    packet->seat = seat;
    packet->is_up = is_up;
    memcpy(packet->bytes, bytes, len);
}

static void send_up(void *context, const void *bytes, size_t len)
{
    struct player *player = context;
    put(player->world, player->seat, true, bytes, len);
}

/* ------------------------------------------------------------------ the server */

static void serve_input(struct world *world, uint8_t seat, const void *bytes, size_t len)
{
    struct served *served = &world->served[seat];
    struct duel_input inputs[FRAY_PACKET_INPUTS_MAX];
    struct fray_packet_input packet;
    assert_true(fray_packet_input_decode(&fray_duel, &packet, inputs, bytes, len));
    if (packet.ack && (!served->ack || fray_packet_seq_newer(packet.ack, served->ack)))
        served->ack = packet.ack;
    served->needs_full = packet.flags & FRAY_INPUT_NEED_FULL;
    for (uint32_t i = 0; i < packet.count; i++) {
        uint32_t tick = packet.first_tick + i;
        if (tick <= world->state.match.tick)
            continue;
        served->inputs[tick % RING] = inputs[i];
        served->input_ticks[tick % RING] = tick;
    }
    if (packet.count)
        served->margin =
            (int8_t)(packet.first_tick + packet.count - 1 - world->state.match.tick - 1);
}

static void welcome(struct world *world, uint8_t seat)
{
    uint8_t out[64];
    const struct fray_packet_welcome packet = {
        .version = 1,
        .seat = seat,
        .tick_hz = 60,
        .snapshot_hz = 60 / SNAPSHOT_TICKS,
        .tick = world->state.match.tick,
        .rules = fray_game_rules(&fray_duel),
    };
    world->served[seat].is_welcome = true;
    put(world, seat, false, out, fray_packet_welcome_encode(&packet, out, sizeof out));
}

static void serve(struct world *world, uint8_t seat, const char *bytes, size_t len)
{
    uint8_t out[64];
    uint32_t stamp;
    switch (bytes[0]) {
    case FRAY_PACKET_HELLO: welcome(world, seat); break;
    case FRAY_PACKET_PING:
        assert_true(fray_packet_ping_decode(&stamp, bytes, len));
        put(world, seat, false, out,
            fray_packet_pong_encode(
                &(struct fray_packet_pong){.stamp = stamp,
                                           .tick = world->state.match.tick,
                                           .phase = (uint16_t)((world->now_us - world->started_us) %
                                                               TICK_US * 65536 / TICK_US)},
                out, sizeof out));
        break;
    case FRAY_PACKET_INPUT: serve_input(world, seat, bytes, len); break;
    default: fail_msg("a client sent packet %d", bytes[0]);
    }
}

static void snapshot_send(struct world *world, uint8_t seat)
{
    struct served *served = &world->served[seat];
    static struct fray_packet_snapshot snapshot;
    char out[PACKET_MAX];
    served->seq = fray_packet_seq_next(served->seq);
    struct duel_state *view = &served->views[served->seq % RING];
    fray_game_view(&fray_duel, &world->state, seat, view);
    served->events[served->seq % RING] = world->events_count;
    bool is_full = !served->ack || served->needs_full ||
                   (uint16_t)(served->seq - served->ack) >= FRAY_NETCODE_VIEWS;
    uint32_t told = served->ack ? served->events[served->ack % RING] : 0;
    snapshot = (struct fray_packet_snapshot){
        .flags = FRAY_SNAPSHOT_HASH,
        .margin = served->margin,
        .seq = served->seq,
        .base_seq = is_full ? served->seq : served->ack,
        .tick = world->state.match.tick,
        .input_tick = served->input_tick,
        .hash = fray_game_hash(FRAY_GAME_HASH_START, view, sizeof *view),
    };
    for (; told < world->events_count && snapshot.events_count < FRAY_PACKET_EVENTS_MAX; told++)
        snapshot.events[snapshot.events_count++] = world->events[told];
    served->events[served->seq % RING] = told;
    size_t len = fray_packet_snapshot_encode(&fray_duel, seat,
                                             is_full ? NULL : &served->views[served->ack % RING],
                                             view, &snapshot, out, sizeof out);
    put(world, seat, false, out, len);
}

static void tick(struct world *world)
{
    struct duel_input inputs[SEATS] = {0};
    uint8_t given[SEATS] = {0};
    struct fray_game_event items[32];
    struct fray_game_events events = {.items = items, .max = 32};
    uint32_t next = world->state.match.tick + 1;
    for (uint32_t seat = 0; seat < SEATS; seat++) {
        struct served *served = &world->served[seat];
        given[seat] = served->input_ticks[next % RING] == next;
        inputs[seat] = served->inputs[next % RING];
        served->input_tick = given[seat] ? next : served->input_tick;
    }
    fray_duel.step(&world->state,
                   &(struct fray_game_step){.inputs = inputs, .given = given, .events = &events});
    world->history[next % RING] = world->state;
    for (uint32_t i = 0; i < events.count; i++) {
        assert_in_range(world->events_count, 0, EVENTS_MAX - 1);
        world->events[world->events_count] = (struct fray_packet_event){
            .seq = (uint16_t)(world->events_count + 1), .tick = next, .event = items[i]};
        world->events_count++;
    }
    for (uint8_t seat = 0; seat < SEATS; seat++) {
        if (world->served[seat].is_welcome && next % SNAPSHOT_TICKS == 0)
            snapshot_send(world, seat);
    }
}

/* ------------------------------------------------------------------ the world */

/* Events come once each, in their order, and not before what shows them. */
static void hear(void *context, const struct fray_game_event *event, uint32_t at)
{
    struct player *player = context;
    const struct fray_packet_event *wanted = &player->world->events[player->heard++];
    assert_in_range(player->heard, 1, player->world->events_count);
    assert_int_equal(at, wanted->tick);
    assert_int_equal(event->kind, wanted->event.kind);
    assert_memory_equal(event->args, wanted->event.args, sizeof event->args);
}

static void game_begin(struct world *world, uint64_t seed)
{
    static const int32_t options[] = {5, 20, 15, 60, 90, 600, 60, 400, 8, 0};
    fray_game_init(&fray_duel, &world->state, seed, options);
    world->started_us = world->now_us;
    for (uint8_t seat = 0; seat < SEATS; seat++)
        fray_duel.join(&world->state, seat, NULL);
}

static struct world *world_open(uint64_t seed, struct weather weather)
{
    struct world *world = fray_alloc_zero(sizeof *world);
    fray_rng_init(&world->rng, seed);
    world->weather = weather;
    world->packets = fray_alloc(PACKETS_MAX * sizeof *world->packets);
    game_begin(world, seed);
    for (uint8_t seat = 0; seat < SEATS; seat++) {
        struct player *player = &world->players[seat];
        *player = (struct player){.world = world, .seat = seat};
        world->served[seat].margin = FRAY_PACKET_NO_MARGIN;
        fray_netcode_init(&player->netcode,
                          &(struct fray_netcode_config){.game = &fray_duel,
                                                        .seat = seat,
                                                        .send = send_up,
                                                        .on_event = hear,
                                                        .context = player},
                          0);
    }
    return world;
}

static void world_close(struct world *world)
{
    for (uint32_t seat = 0; seat < SEATS; seat++)
        fray_netcode_deinit(&world->players[seat].netcode);
    free(world->packets);
    free(world);
}

static void deliver(struct world *world)
{
    for (uint32_t i = 0; i < world->packets_count;) {
        struct packet packet = world->packets[i];
        if (packet.due_us > world->now_us) {
            i++;
            continue;
        }
        world->packets[i] = world->packets[--world->packets_count];
        if (packet.is_up)
            serve(world, packet.seat, packet.bytes, packet.len);
        else
            assert_true(fray_netcode_receive(&world->players[packet.seat].netcode, packet.bytes,
                                             packet.len, world->now_us));
    }
}

/* What is shown lies in the map and is a legal view; what came equals what was there. */
static void look(struct world *world, struct fray_netcode *netcode)
{
    struct duel_state view;
    (void)fray_netcode_predicted(netcode);
    (void)fray_netcode_interpolated(netcode, world->now_us);
    const struct duel_state *newest = fray_netcode_newest(netcode);
    bool is_between = world->started_us && world->now_us - world->started_us < 200000;
    if (!newest || is_between) /* then it may be the last of an earlier game */
        return;
    assert_in_range(newest->match.tick, 1, world->state.match.tick);
    fray_game_view(&fray_duel, &world->history[newest->match.tick % RING], netcode->config.seat,
                   &view);
    assert_memory_equal(newest, &view, sizeof view);
}

static void run(struct world *world, uint32_t ms, void (*press)(struct world *world))
{
    for (uint32_t i = 0; i < ms; i++) {
        world->now_us += 1000;
        deliver(world);
        while ((world->state.match.tick + 1) * (uint64_t)TICK_US <=
               world->now_us - world->started_us)
            tick(world);
        press(world);
        for (uint32_t seat = 0; seat < SEATS; seat++) {
            fray_netcode_advance(&world->players[seat].netcode, world->now_us);
            if (i % 16 == 0)
                look(world, &world->players[seat].netcode);
        }
    }
}

static void rest(struct world *world)
{
    (void)world;
}

static struct duel_input *held(struct world *world, uint32_t seat)
{
    return (struct duel_input *)(void *)world->players[seat].netcode.held;
}

/* To and fro, with jumps. */
static void walk(struct world *world)
{
    for (uint32_t seat = 0; seat < SEATS; seat++) {
        uint64_t second = world->now_us / 1000000 + seat;
        held(world, seat)->walk = second % 2 ? 1 : -1;
        held(world, seat)->jump = world->now_us / 100000 % 7 == 0;
    }
}

static void fight(struct world *world)
{
    walk(world);
    for (uint32_t seat = 0; seat < SEATS; seat++) {
        held(world, seat)->aim_x = (int16_t)(world->state.players[!seat].x / DUEL_PX);
        held(world, seat)->aim_y = (int16_t)(world->state.players[!seat].y / DUEL_PX - 16);
        held(world, seat)->fire = 1;
    }
}

/* ------------------------------------------------------------------ tests */

static void E_no_correction_while_walking_at_150_ms(void **state)
{
    (void)state;
    struct world *world = world_open(1, (struct weather){.delay_us = 75000});
    run(world, 3000, walk);
    uint64_t before = world->players[0].netcode.corrections;
    run(world, 10000, walk);
    struct fray_netcode *netcode = &world->players[0].netcode;
    assert_int_equal(netcode->corrections, before);
    assert_true(netcode->clock.rtt_us > 149e3 && netcode->clock.rtt_us < 153e3);
    const struct duel_state *predicted = fray_netcode_predicted(netcode);
    assert_true(predicted->match.tick > world->state.match.tick + 4); /* ahead by the way there */
    world_close(world);
}

/* Those that everybody has been shown: that are some ticks old. */
static uint32_t events_before(const struct world *world, uint32_t age)
{
    uint32_t count = world->events_count;
    while (count && world->events[count - 1].tick + age > world->state.match.tick)
        count--;
    return count;
}

static void E_views_are_equal_and_no_event_is_lost_in_bad_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *world =
            world_open(seed, (struct weather){.delay_us = 20000, .jitter_us = 200000, .loss = 100});
        run(world, 20000, fight);
        world->weather = (struct weather){.delay_us = 20000};
        run(world, 2000, rest);
        assert_in_range(world->events_count, 10, EVENTS_MAX);
        for (uint32_t seat = 0; seat < SEATS; seat++) {
            const struct player *player = &world->players[seat];
            assert_int_equal(player->netcode.desyncs, 0);
            assert_in_range(player->heard, events_before(world, 60), world->events_count);
            assert_in_range(player->netcode.snapshots, 200, 20 * 22);
            assert_true(player->netcode.missed > 0);
        }
        world_close(world);
    }
}

static void E_time_dilation_keeps_inputs_early(void **state)
{
    (void)state;
    struct world *world = world_open(3, (struct weather){.delay_us = 10000});
    run(world, 5000, walk);
    world->weather = (struct weather){.delay_us = 60000, .jitter_us = 20000};
    run(world, 10000, walk);
    const struct fray_client_pace *pace = &world->players[0].netcode.pace;
    assert_true(pace->margin > 0.5 && pace->margin < 4);
    assert_true(pace->rate >= 0.95 && pace->rate <= 1.05);
    uint64_t before = world->players[0].netcode.corrections;
    run(world, 5000, walk);
    assert_int_equal(world->players[0].netcode.corrections, before);
    world_close(world);
}

static void garbage_does_no_harm(void **state)
{
    (void)state;
    struct world *world = world_open(4, (struct weather){.delay_us = 5000});
    char bytes[300];
    run(world, 1000, walk);
    struct fray_netcode *netcode = &world->players[0].netcode;
    for (uint32_t i = 0; i < 20000; i++) {
        size_t len = fray_rng_below(&world->rng, sizeof bytes);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)fray_rng_next(&world->rng);
        if (len && i % 2)
            bytes[0] = (char)(0x81 + i % 4);
        if (len > 6 && bytes[0] == (char)FRAY_PACKET_SNAPSHOT && i % 3 == 0)
            memcpy(bytes + 4, &netcode->ack, 2);
        (void)fray_netcode_receive(netcode, bytes, len, world->now_us);
        (void)fray_netcode_interpolated(netcode, world->now_us);
    }
    world_close(world);
}

static void goes_on_after_another_connection(void **state)
{
    (void)state;
    struct world *world = world_open(5, (struct weather){.delay_us = 20000});
    run(world, 3000, walk);
    world->packets_count = 0;
    for (uint32_t seat = 0; seat < SEATS; seat++) {
        struct served *served = &world->served[seat];
        *served = (struct served){.margin = FRAY_PACKET_NO_MARGIN};
        fray_netcode_restart(&world->players[seat].netcode, world->now_us);
        world->players[seat].heard = 0; /* a new connection hears of them anew */
    }
    run(world, 3000, walk);
    assert_in_range(world->players[0].netcode.snapshots, 40, 70);
    assert_in_range(world->players[0].netcode.corrections, 0, 5);
    world_close(world);
}

static void follows_a_new_game(void **state)
{
    (void)state;
    struct world *world = world_open(6, (struct weather){.delay_us = 30000});
    run(world, 5000, walk);
    game_begin(world, 7);
    for (uint8_t seat = 0; seat < SEATS; seat++) {
        struct served *served = &world->served[seat];
        memset(served->input_ticks, 0, sizeof served->input_ticks);
        served->margin = FRAY_PACKET_NO_MARGIN;
    }
    world->packets_count = 0; /* what was on its way is of the old one */
    for (uint8_t seat = 0; seat < SEATS; seat++)
        welcome(world, seat);
    run(world, 2000, walk);
    const struct fray_netcode *netcode = &world->players[0].netcode;
    uint64_t before = netcode->corrections;
    run(world, 3000, walk);
    assert_int_equal(netcode->corrections, before);
    assert_in_range(world->state.match.tick, 290, 310);
    const struct duel_state *newest = fray_netcode_newest(netcode);
    assert_in_range(newest->match.tick, world->state.match.tick - 10, world->state.match.tick);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(E_no_correction_while_walking_at_150_ms),
        cmocka_unit_test(E_views_are_equal_and_no_event_is_lost_in_bad_weather),
        cmocka_unit_test(E_time_dilation_keeps_inputs_early),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(goes_on_after_another_connection),
        cmocka_unit_test(follows_a_new_game),
    };
    return cmocka_run_group_tests_name("netcode", tests, NULL, NULL);
}
