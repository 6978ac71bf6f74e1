/* Tests of snapshots: what clients decode is what the server says they see, whatever the network
 * does to the packets; nothing is told twice or not at all; nothing is allocated while it goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/mem_counted.h"
#include "game/viewer.h"
#include "simulate.h"

extern const struct fray_game fray_arena, fray_duel;

/* ------------------------------------------------------------------ a match and its clients */

enum { RING = 32, IN_FLIGHT = 64, EVENT_KILLED = 4, EVENT_ATTACKED = 3, EVENT_HIT = 1 };

struct client {
    struct fray_viewer *viewer;
    uint32_t seat;
    uint8_t *views[RING], *expected[RING]; /* by seq: decoded, and what the server thinks */
    uint16_t seqs[RING], expected_seqs[RING];
    uint16_t newest, event_seq;
    uint32_t ack_bits;
    bool need_full;
    uint32_t decoded, full, refused, rows_late;
    int32_t serial; /* of the last event, which count up */
    bool skips_serials;
    struct fray_packet_snapshot snapshot;
};

struct world {
    const struct fray_game *game;
    struct fray_simulate simulate;
    void *memory;
    struct fray_snapshots *snapshots;
    struct fray_buf out;
    uint8_t *view;
    uint32_t tick, random[4];
};

static void world_init(struct world *world, const struct fray_game *game, uint32_t bots,
                       const int32_t *options)
{
    *world = (struct world){.game = game, .memory = fray_alloc(fray_simulate_size(game))};
    fray_simulate_init(&world->simulate, game,
                       &(struct fray_simulate_config){.seed = 4, .bots = bots, .options = options},
                       world->memory);
    fray_game_random_seed(world->random, 12);
    world->snapshots = fray_snapshots_create(game);
    world->view = fray_alloc(game->state_size);
}

static void world_deinit(struct world *world)
{
    fray_snapshots_destroy(world->snapshots);
    fray_buf_deinit(&world->out);
    free(world->memory);
    free(world->view);
}

static void world_step(struct world *world, uint32_t ticks)
{
    fray_simulate_run(&world->simulate, ticks);
    world->tick += ticks;
}

static void world_take(struct world *world)
{
    fray_snapshots_take(world->snapshots, world->tick, world->simulate.state);
}

static void client_init(struct client *client, struct world *world, uint32_t seat, uint8_t flags,
                        uint8_t hz)
{
    const struct fray_packet_hello hello = {FRAY_PACKET_VERSION, flags, hz};
    *client = (struct client){.seat = seat};
    client->viewer = fray_viewer_create(world->snapshots, seat, &hello);
    for (int i = 0; i < RING; i++) {
        client->views[i] = fray_alloc(world->game->state_size);
        client->expected[i] = fray_alloc(world->game->state_size);
    }
}

static void client_deinit(struct client *client)
{
    fray_viewer_destroy(client->viewer);
    for (int i = 0; i < RING; i++) {
        free(client->views[i]);
        free(client->expected[i]);
    }
}

/* Leaves the packet in world->out. */
static void encode(struct world *world, struct client *client, bool with_hash)
{
    struct fray_packet_snapshot header;

    world->out.len = 0;
    fray_viewer_encode(client->viewer,
                       &(struct fray_viewer_frame){
                           .input_tick = world->tick, .margin = -3, .with_hash = with_hash},
                       &world->out);
    assert_true(fray_packet_snapshot_header_decode(&header, world->out.data, world->out.len));
    fray_viewer_view(client->viewer, client->expected[header.seq % RING]);
    client->expected_seqs[header.seq % RING] = header.seq;
}

static void client_events(struct client *client)
{
    for (uint32_t i = 0; i < client->snapshot.events_count; i++) {
        const struct fray_packet_event *event = &client->snapshot.events[i];
        if (client->event_seq && !fray_packet_seq_newer(event->seq, client->event_seq))
            continue;
        if (!client->skips_serials) {
            assert_int_equal(event->seq, fray_packet_seq_next(client->event_seq));
            assert_int_equal(event->event.args[1], client->serial + 1);
        }
        client->event_seq = event->seq;
        client->serial = event->event.args[1];
    }
}

static void client_note(struct client *client, uint16_t seq)
{
    if (client->newest && !fray_packet_seq_newer(seq, client->newest))
        return;
    client->newest = seq;
    client->need_full = false;
}

static void receive(struct world *world, struct client *client, const void *bytes, size_t len)
{
    struct fray_packet_snapshot header;
    uint8_t *base = NULL;

    assert_true(fray_packet_snapshot_header_decode(&header, bytes, len));
    if (header.base_seq != header.seq) {
        base = client->views[header.base_seq % RING];
        if (client->seqs[header.base_seq % RING] != header.base_seq ||
            header.base_seq % RING == header.seq % RING) {
            client->need_full = true;
            client->refused++;
            return;
        }
    }
    client->full += base == NULL;
    uint8_t *view = client->views[header.seq % RING];
    assert_true(fray_packet_snapshot_decode(world->game, client->seat, base, view,
                                            &client->snapshot, bytes, len));
    client->seqs[header.seq % RING] = header.seq;
    if (client->expected_seqs[header.seq % RING] == header.seq)
        assert_memory_equal(view, client->expected[header.seq % RING], world->game->state_size);
    if (header.flags & FRAY_SNAPSHOT_HASH)
        assert_true(header.hash ==
                    fray_game_hash(FRAY_GAME_HASH_START, view, world->game->state_size));
    client_events(client);
    client_note(client, header.seq);
    client->decoded++;
}

static void ack(struct client *client)
{
    struct fray_packet_input packet = {.ack = client->newest};

    if (client->need_full)
        packet.flags |= FRAY_INPUT_NEED_FULL;
    fray_viewer_ack(client->viewer, &packet);
}

static void check_whole(struct world *world, struct client *client)
{
    fray_game_view(world->game, world->simulate.state, client->seat, world->view);
    assert_memory_equal(client->views[client->newest % RING], world->view, world->game->state_size);
}

/* ------------------------------------------------------------------ a network */

struct flight {
    uint8_t *bytes;
    size_t len;
    uint32_t due; /* 0: nothing */
    uint16_t ack;
    bool is_ack, need_full;
};

struct network {
    struct flight flights[IN_FLIGHT];
    int32_t loss; /* of a hundred */
    uint32_t now;
};

static struct flight *network_slot(struct network *network, struct world *world)
{
    if (fray_game_random_range(world->random, 0, 99) < network->loss)
        return NULL;
    for (int i = 0; i < IN_FLIGHT; i++)
        if (network->flights[i].due == 0) {
            network->flights[i].due =
                network->now + (uint32_t)fray_game_random_range(world->random, 1, 9);
            return &network->flights[i];
        }
    return NULL;
}

static void network_send(struct network *network, struct world *world)
{
    for (int copies = fray_game_random_range(world->random, 0, 9) == 0 ? 2 : 1; copies; copies--) {
        struct flight *flight = network_slot(network, world);
        if (!flight)
            continue;
        flight->bytes = fray_alloc(world->out.len);
        flight->len = world->out.len;
        memcpy(flight->bytes, world->out.data, flight->len);
        flight->is_ack = false;
    }
}

static void network_ack(struct network *network, struct world *world, const struct client *client)
{
    struct flight *flight = network_slot(network, world);

    if (!flight)
        return;
    flight->is_ack = true;
    flight->ack = client->newest;
    flight->need_full = client->need_full;
}

static void network_deliver(struct network *network, struct world *world, struct client *client)
{
    network->now++;
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct flight *flight = &network->flights[i];
        if (flight->due == 0 || flight->due > network->now)
            continue;
        flight->due = 0;
        if (flight->is_ack) {
            fray_viewer_ack(client->viewer, &(struct fray_packet_input){
                                                .ack = flight->ack, .flags = flight->need_full});
            continue;
        }
        receive(world, client, flight->bytes, flight->len);
        free(flight->bytes);
    }
}

/* Some of them for another seat; those that the client gets have args[1] counting up. */
static void emit(struct world *world, const struct client *client, uint8_t kind, int32_t *serial)
{
    for (int count = fray_game_random_range(world->random, -2, 3); count > 0; count--) {
        struct fray_game_event event = {.kind = kind, .to = FRAY_GAME_NOBODY};
        int32_t other = fray_game_random_range(world->random, 0, 2);
        event.to = other == 0   ? (uint8_t)(client->seat ^ 1)
                   : other == 1 ? (uint8_t)client->seat
                                : FRAY_GAME_NOBODY;
        event.args[1] = event.to == (client->seat ^ 1) ? -7 : ++*serial;
        fray_snapshots_event(world->snapshots, world->tick, &event);
    }
}

/* Over a network that loses, doubles and reorders. */
static void play_datagrams(const struct fray_game *game, uint32_t bots, uint8_t kind, int32_t loss,
                           int ticks)
{
    struct world world;
    struct client client;
    struct network network = {.loss = loss};
    int32_t serial = 0;

    world_init(&world, game, bots, NULL);
    client_init(&client, &world, 0, 0, 30);
    for (int i = 0; i < ticks; i++) {
        world_step(&world, 1);
        if (i < ticks - 100)
            emit(&world, &client, kind, &serial);
        else
            network.loss = 0;
        if (fray_viewer_is_due(client.viewer, world.tick)) {
            world_take(&world);
            encode(&world, &client, i % 40 == 0);
            fray_viewer_sent(client.viewer, true);
            network_send(&network, &world);
        }
        network_deliver(&network, &world, &client);
        network_ack(&network, &world, &client);
    }
    assert_int_equal(client.serial, serial);
    assert_true(serial > ticks / 4);
    assert_true(client.decoded > (uint32_t)ticks / 8);
    for (int i = 0; i < 10; i++)
        network_deliver(&network, &world, &client);
    client_deinit(&client);
    world_deinit(&world);
}

static void datagrams_may_be_lost_doubled_reordered(void **unused)
{
    (void)unused;
    play_datagrams(&fray_duel, 2, EVENT_HIT, 0, 1000);
    play_datagrams(&fray_duel, 2, EVENT_HIT, 10, 3000);
    play_datagrams(&fray_duel, 2, EVENT_HIT, 50, 3000);
    play_datagrams(&fray_arena, 20, EVENT_KILLED, 20, 1500);
    play_datagrams(&fray_arena, 200, EVENT_KILLED, 20, 1000);
}

/* ------------------------------------------------------------------ what is seen */

static const int32_t wide[] = {2000, 2000, 0, 32, 400, 10, 90, 0}; /* games/arena/README.md */

static void what_is_seen_is_fray_game_view(void **unused)
{
    struct {
        const struct fray_game *game;
        uint32_t bots;
        const int32_t *options;
        uint32_t seat;
    } cases[] = {{&fray_duel, 2, NULL, 0},    {&fray_duel, 2, NULL, FRAY_GAME_NOBODY},
                 {&fray_arena, 60, NULL, 3},  {&fray_arena, 60, NULL, FRAY_GAME_NOBODY},
                 {&fray_arena, 200, wide, 7}, {&fray_arena, 200, wide, 199}};

    (void)unused;
    for (size_t c = 0; c < FRAY_GAME_COUNT(cases); c++) {
        struct world world;
        struct client client;
        world_init(&world, cases[c].game, cases[c].bots, cases[c].options);
        client_init(&client, &world, cases[c].seat, FRAY_HELLO_STREAM, 0);
        for (int i = 0; i < 600; i++) {
            world_step(&world, 1 + i % 2);
            world_take(&world);
            encode(&world, &client, i % 10 == 0);
            fray_viewer_sent(client.viewer, true);
            receive(&world, &client, world.out.data, world.out.len);
            ack(&client);
            if (i > 3) /* the first ones may be too big for the rate */
                check_whole(&world, &client);
        }
        assert_int_equal(client.full, 1);
        client_deinit(&client);
        world_deinit(&world);
    }
}

/* The grid must not show more or less than the rules, whatever lies where. */
static void the_grid_is_exact(void **unused)
{
    struct world world;
    uint8_t *shown = fray_alloc(fray_arena.state_size);

    (void)unused;
    for (int32_t sight = 50; sight < 8000; sight = sight * 3) {
        int32_t options[8];
        memcpy(options, wide, sizeof options);
        options[4] = sight;
        world_init(&world, &fray_arena, 250, options);
        for (int i = 0; i < 6; i++) {
            world_step(&world, 40);
            world_take(&world);
            for (uint32_t seat = 0; seat < 250; seat += 7) {
                struct fray_viewer *viewer =
                    fray_viewer_create(world.snapshots, seat, &(struct fray_packet_hello){1, 0, 0});
                for (int k = 0; k < 40; k++) { /* until the rate has let all through */
                    world.out.len = 0;
                    fray_viewer_encode(viewer, &(struct fray_viewer_frame){0}, &world.out);
                }
                fray_viewer_view(viewer, shown);
                fray_game_view(&fray_arena, world.simulate.state, seat, world.view);
                const struct fray_game_table *table = &fray_arena.tables[1];
                for (uint32_t row = 0; row < table->rows; row++) {
                    size_t at = table->offset + row * table->stride;
                    if (fray_game_hash(0, shown + at, table->stride))
                        assert_memory_equal(shown + at, world.view + at, table->stride);
                }
                fray_viewer_destroy(viewer);
            }
        }
        world_deinit(&world);
    }
    free(shown);
}

/* A spectator of 250 exceeds its rate: it sees some rows late, but each soon, and never a row that
 * is not there. */
static void what_exceeds_the_rate_waits_its_turn(void **unused)
{
    struct world world;
    struct client client;
    size_t bytes = 0, largest = 0;
    const struct fray_game_table *table = &fray_arena.tables[1];
    uint32_t age[250] = {0}, oldest = 0;

    (void)unused;
    world_init(&world, &fray_arena, 250, wide);
    client_init(&client, &world, FRAY_GAME_NOBODY, FRAY_HELLO_STREAM, 30);
    for (int i = 0; i < 400; i++) {
        world_step(&world, 1);
        world_take(&world);
        encode(&world, &client, true);
        fray_viewer_sent(client.viewer, true);
        receive(&world, &client, world.out.data, world.out.len);
        ack(&client);
        if (i < 40)
            continue;
        bytes += world.out.len;
        largest = world.out.len > largest ? world.out.len : largest;
        fray_game_view(&fray_arena, world.simulate.state, FRAY_GAME_NOBODY, world.view);
        const uint8_t *view = client.views[client.newest % RING];
        for (uint32_t row = 0; row < 250; row++) {
            size_t at = table->offset + row * table->stride;
            age[row] = memcmp(view + at, world.view + at, table->stride) ? age[row] + 1 : 0;
            oldest = age[row] > oldest ? age[row] : oldest;
        }
    }
    assert_in_range(bytes, 80000, 97500); /* 64 kbit/s for 12 s are 96,000 */
    assert_in_range(largest, 100, FRAY_SNAPSHOTS_PACKET + 100);
    assert_in_range(oldest, 2, 12);
    client_deinit(&client);
    world_deinit(&world);
}

static void sighted_events_go_to_who_sees(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_arena, 200, wide);
    client_init(&client, &world, 5, FRAY_HELLO_STREAM, 0);
    client.skips_serials = true;
    for (int i = 0; i < 100; i++) {
        world_step(&world, 1);
        world_take(&world);
        uint32_t expected = 0;
        for (uint32_t seat = 0; seat < 250; seat++) {
            fray_snapshots_event(world.snapshots, world.tick,
                                 &(struct fray_game_event){.kind = EVENT_ATTACKED,
                                                           .to = FRAY_GAME_NOBODY,
                                                           .args = {(int32_t)seat, 1}});
            expected += seat < 200 && fray_arena.visible(world.simulate.state, 5, 1, seat);
        }
        encode(&world, &client, false);
        fray_viewer_sent(client.viewer, true);
        receive(&world, &client, world.out.data, world.out.len);
        assert_int_equal(client.snapshot.events_count, expected);
        for (uint32_t k = 0; k < expected; k++)
            assert_true(fray_arena.visible(world.simulate.state, 5, 1,
                                           (uint32_t)client.snapshot.events[k].event.args[0]));
    }
    client_deinit(&client);
    world_deinit(&world);
}

static void moves_are_no_events_here(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_arena, 2, NULL);
    client_init(&client, &world, 0, 0, 0);
    fray_snapshots_event(world.snapshots, 0, &(struct fray_game_event){.kind = 2, .to = 255});
    fray_snapshots_event(world.snapshots, 0, &(struct fray_game_event){.kind = 99, .to = 255});
    world_take(&world);
    encode(&world, &client, true);
    receive(&world, &client, world.out.data, world.out.len);
    assert_int_equal(client.snapshot.events_count, 0);
    client_deinit(&client);
    world_deinit(&world);
}

/* More than a packet takes come in several; more than the ring holds are said to be lost. */
static void events_come_in_portions(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 0);
    for (int32_t i = 1; i <= 150; i++)
        fray_snapshots_event(world.snapshots, 0,
                             &(struct fray_game_event){1, FRAY_GAME_NOBODY, 0, {0, i}});
    for (int i = 0; i < 3; i++) {
        world_step(&world, 1);
        world_take(&world);
        encode(&world, &client, false);
        fray_viewer_sent(client.viewer, true);
        receive(&world, &client, world.out.data, world.out.len);
        assert_int_equal(client.snapshot.events_count, i < 2 ? 64 : 22);
    }
    assert_int_equal(client.serial, 150);
    client.skips_serials = true;
    for (int32_t i = 1; i <= 600; i++)
        fray_snapshots_event(world.snapshots, world.tick,
                             &(struct fray_game_event){1, FRAY_GAME_NOBODY, 0, {0, i}});
    encode(&world, &client, false);
    receive(&world, &client, world.out.data, world.out.len);
    assert_true(client.snapshot.flags & FRAY_SNAPSHOT_EVENTS_LOST);
    assert_int_equal(client.snapshot.events[0].event.args[1], 600 - 511);
    client_deinit(&client);
    world_deinit(&world);
}

/* ------------------------------------------------------------------ baselines */

static uint16_t base_of(const struct world *world)
{
    struct fray_packet_snapshot header;
    assert_true(fray_packet_snapshot_header_decode(&header, world->out.data, world->out.len));
    return header.base_seq == header.seq ? 0 : header.base_seq;
}

static void step_and_encode(struct world *world, struct client *client, uint32_t ticks)
{
    world_step(world, ticks);
    world_take(world);
    encode(world, client, false);
}

static void without_acks_all_are_full(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 0);
    for (int i = 0; i < 5; i++) {
        step_and_encode(&world, &client, 2);
        fray_viewer_sent(client.viewer, true);
        assert_int_equal(base_of(&world), 0);
    }
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 3});
    step_and_encode(&world, &client, 2);
    assert_int_equal(base_of(&world), 3);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 2}); /* late */
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 999});
    step_and_encode(&world, &client, 2);
    assert_int_equal(base_of(&world), 3);
    step_and_encode(&world, &client, 60); /* older than a second */
    assert_int_equal(base_of(&world), 0);
    client_deinit(&client);
    world_deinit(&world);
}

static void a_baseline_must_be_in_the_ring(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 60);
    step_and_encode(&world, &client, 1);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 1});
    for (int i = 1; i < 40; i++) {
        step_and_encode(&world, &client, 1);
        assert_int_equal(base_of(&world), i < 32 ? 1 : 0);
    }
    client_deinit(&client);
    world_deinit(&world);
}

static void streams_build_on_what_was_sent(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 0);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_sent(client.viewer, false); /* dropped */
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_sent(client.viewer, true);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 2);
    fray_viewer_sent(client.viewer, false);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 2);
    client_deinit(&client);
    world_deinit(&world);
}

static void send(struct world *world, struct client *client)
{
    step_and_encode(world, client, 3);
    fray_viewer_sent(client->viewer, true);
}

static void who_cannot_decode_is_sent_what_it_can(void **unused)
{
    struct world world;
    struct client client;
    struct fray_packet_input need = {.flags = FRAY_INPUT_NEED_FULL, .ack = 3};

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 60);
    for (int i = 0; i < 5; i++)
        send(&world, &client);
    assert_int_equal(base_of(&world), 4);
    fray_viewer_ack(client.viewer, &need);
    send(&world, &client);
    assert_int_equal(base_of(&world), 3);  /* which it says that it has */
    fray_viewer_ack(client.viewer, &need); /* said before that came */
    send(&world, &client);
    assert_int_equal(base_of(&world), 3); /* and for a while nothing else is believed */
    need.ack = 7;                         /* it came, and then something was lost again */
    fray_viewer_ack(client.viewer, &need);
    send(&world, &client);
    assert_int_equal(base_of(&world), 7);
    for (int i = 0; i < 20; i++)
        send(&world, &client);
    fray_viewer_ack(client.viewer, &need); /* a second has passed, and it still says so */
    send(&world, &client);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.viewer->seq});
    for (int i = 0; i < 5 * 20; i++)
        send(&world, &client);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.viewer->seq});
    send(&world, &client);
    send(&world, &client);
    assert_int_equal(base_of(&world), client.viewer->seq - 1); /* believed again */
    fray_viewer_forget(client.viewer);
    send(&world, &client);
    assert_int_equal(base_of(&world), 0);
    client_deinit(&client);
    world_deinit(&world);
}

/* A stream whose transport drops what it has taken, without a word, some of the time. */
static void a_stream_that_loses_loses_no_event(void **unused)
{
    struct world world;
    struct client client;
    int32_t serial = 0;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 20);
    for (uint32_t i = 0; i < 3000; i++) {
        world_step(&world, 1);
        if (i < 2900)
            emit(&world, &client, EVENT_HIT, &serial);
        if (!fray_viewer_is_due(client.viewer, world.tick))
            continue;
        world_take(&world);
        encode(&world, &client, false);
        fray_viewer_sent(client.viewer, true);
        if (i > 2900 || fray_game_random_range(world.random, 0, 99) >= 10)
            receive(&world, &client, world.out.data, world.out.len);
        ack(&client);
    }
    assert_int_equal(client.serial, serial);
    assert_int_equal(client.full, 1);
    assert_true(client.refused < 20);
    client_deinit(&client);
    world_deinit(&world);
}

static void sequence_numbers_wrap(void **unused)
{
    struct world world;
    struct client client;
    int32_t serial = 0;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 60);
    client.viewer->seq = UINT16_MAX - 500;
    client.viewer->resumed_seq = UINT16_MAX - 499;
    client.viewer->events_floor = client.viewer->events_end = UINT16_MAX - 500;
    client.event_seq = UINT16_MAX - 500;
    for (uint32_t i = 0; i < 2000; i++) {
        world_step(&world, 1);
        emit(&world, &client, EVENT_HIT, &serial);
        world_take(&world);
        encode(&world, &client, false);
        if (i % 3 || i > 1990)
            receive(&world, &client, world.out.data, world.out.len);
        ack(&client);
    }
    assert_int_equal(client.full, 1);
    assert_int_equal(client.serial, serial);
    client_deinit(&client);
    world_deinit(&world);
}

/* ------------------------------------------------------------------ rate, memory */

static uint32_t count_due(struct world *world, struct client *client, uint32_t ticks, bool was_sent,
                          bool acks)
{
    uint32_t count = 0;

    while (ticks--) {
        world_step(world, 1);
        if (!fray_viewer_is_due(client->viewer, world->tick))
            continue;
        world_take(world);
        encode(world, client, false);
        fray_viewer_sent(client->viewer, was_sent);
        if (was_sent)
            receive(world, client, world->out.data, world->out.len);
        if (acks)
            ack(client);
        count++;
    }
    return count;
}

static void the_rate_yields_and_recovers(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 40);
    assert_int_equal(fray_viewer_wished_hz(client.viewer), 40);
    assert_in_range(count_due(&world, &client, 60, true, true), 39, 41);
    count_due(&world, &client, 60, false, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 10);
    count_due(&world, &client, 200, true, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 40);
    assert_in_range(count_due(&world, &client, 60, true, true), 39, 41);
    count_due(&world, &client, 300, true, false); /* it does not answer */
    assert_int_equal(fray_viewer_hz(client.viewer), 10);
    assert_in_range(count_due(&world, &client, 60, true, false), 1, 3); /* to see whether it does */
    count_due(&world, &client, 300, true, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 40);
    client_deinit(&client);
    world_deinit(&world);
}

/* A line that carries 15 a second: 20 is tried, in vain, and less and less often. */
static void a_rate_that_is_too_much_is_tried_less_and_less(void **unused)
{
    struct world world;
    struct client client;
    uint32_t drops[2] = {0};

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 20);
    for (uint32_t half = 0; half < 2; half++) {
        for (uint32_t i = 0; i < 60 * 60; i++) {
            bool is_too_much = fray_viewer_hz(client.viewer) > 15 && i % 8 == 0;
            uint32_t sent = count_due(&world, &client, 1, !is_too_much, true);
            drops[half] += is_too_much ? sent : 0;
        }
    }
    assert_true(drops[0] > 5);
    assert_true(drops[1] < drops[0] / 2);
    client_deinit(&client);
    world_deinit(&world);
}

static void nothing_is_allocated_while_it_goes_on(void **unused)
{
    struct world world;
    struct client clients[8];
    int32_t serial = 0;

    (void)unused;
    world_init(&world, &fray_arena, 200, wide);
    for (uint32_t i = 0; i < 8; i++)
        client_init(&clients[i], &world, i ? i : FRAY_GAME_NOBODY, i & 1, 0);
    for (int i = 0; i < 300; i++) {
        if (i == 20)
            allocations = 0;
        world_step(&world, 1 + i % 2);
        emit(&world, &clients[1], EVENT_KILLED, &serial);
        world_take(&world);
        for (uint32_t k = 0; k < 8; k++) {
            clients[k].skips_serials = true;
            encode(&world, &clients[k], i % 20 == 0);
            fray_viewer_sent(clients[k].viewer, true);
            receive(&world, &clients[k], world.out.data, world.out.len);
            ack(&clients[k]);
        }
    }
    assert_int_equal(allocations, 0);
    free(fray_alloc(1));
    assert_int_equal(allocations, 1); /* the counter counts */
    for (uint32_t i = 0; i < 8; i++)
        client_deinit(&clients[i]);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_may_be_lost_doubled_reordered),
        cmocka_unit_test(what_is_seen_is_fray_game_view),
        cmocka_unit_test(the_grid_is_exact),
        cmocka_unit_test(what_exceeds_the_rate_waits_its_turn),
        cmocka_unit_test(sighted_events_go_to_who_sees),
        cmocka_unit_test(moves_are_no_events_here),
        cmocka_unit_test(events_come_in_portions),
        cmocka_unit_test(without_acks_all_are_full),
        cmocka_unit_test(a_baseline_must_be_in_the_ring),
        cmocka_unit_test(streams_build_on_what_was_sent),
        cmocka_unit_test(who_cannot_decode_is_sent_what_it_can),
        cmocka_unit_test(a_stream_that_loses_loses_no_event),
        cmocka_unit_test(sequence_numbers_wrap),
        cmocka_unit_test(the_rate_yields_and_recovers),
        cmocka_unit_test(a_rate_that_is_too_much_is_tried_less_and_less),
        cmocka_unit_test(nothing_is_allocated_while_it_goes_on),
    };
    return cmocka_run_group_tests_name("game_snapshots", tests, NULL, NULL);
}
