/* Tests of snapshots: what clients decode is what the server says they see, whatever the network
 * does to the packets; nothing is told twice or not at all; nothing is allocated while it goes on.
 */
#include "game/snapshots_fake.h"

#include "base/mem_counted.h"

/* ------------------------------------------------------------------ games of another kind */

enum { CELLS = 12000 };

struct board {
    uint32_t tick;
    uint8_t cells[CELLS];
};

struct board_state {
    struct board board;
};

#define BOARD(F, T) F(T, tick, .bits = 32, .flags = FRAY_GAME_CLOCK) F(T, cells, .bits = 8)
FRAY_GAME_FIELDS(board_fields, struct board, BOARD);
static const struct fray_game_table board_tables[] = {
    FRAY_GAME_TABLE("board", struct board_state, board, board_fields, 1, 0)};
static const struct fray_game_event_kind board_events[] = {
    {"ding", {{NULL, 0, 0}}, FRAY_GAME_EVERY, false}};

/* One row that is long, and an event that takes no bits: of one kind, without arguments. */
static const struct fray_game board_game = {
    .name = "board",
    .tick_hz = 30,
    .seats_max = 1,
    .state_size = sizeof(struct board_state),
    .tables = board_tables,
    .tables_count = FRAY_GAME_COUNT(board_tables),
    .events = board_events,
    .events_count = FRAY_GAME_COUNT(board_events),
};

/* Sends `state` against what was sent before; true: the client has it, with `events` events. */
static bool board_send(struct fray_viewer *viewer, struct fray_snapshots *snapshots,
                       const struct board_state *state, uint32_t events)
{
    static struct board_state views[2]; /* of the client, before and now */
    static struct fray_packet_snapshot packet;
    struct fray_buf out = {0};

    fray_snapshots_take(snapshots, state->board.tick, state);
    fray_viewer_encode(viewer, &(struct fray_viewer_frame){.with_hash = true}, &out);
    fray_viewer_sent(viewer, true);
    assert_true(fray_packet_snapshot_header_decode(&packet, out.data, out.len));
    bool is_full = packet.seq == packet.base_seq;
    bool is_decoded = fray_packet_snapshot_decode(&board_game, 0, is_full ? NULL : &views[0],
                                                  &views[1], &packet, out.data, out.len);
    views[0] = views[1];
    fray_buf_deinit(&out);
    return is_decoded && packet.events_count == events &&
           memcmp(&views[1], state, sizeof *state) == 0;
}

static void long_rows_and_events_without_bits_arrive(void **unused)
{
    struct fray_snapshots *snapshots = fray_snapshots_create(&board_game);
    struct fray_viewer *viewer = fray_viewer_create(
        snapshots, 0, &(struct fray_packet_hello){FRAY_PACKET_VERSION, FRAY_HELLO_STREAM, 30});
    static struct board_state state;

    (void)unused;
    memset(snapshots->events, 0xff, FRAY_SNAPSHOTS_EVENTS * sizeof *snapshots->events);
    for (uint32_t tick = 1; tick <= 20; tick++) {
        state.board.tick = tick;
        for (uint32_t i = 0; i < tick * CELLS / 20; i++)
            state.board.cells[i] = (uint8_t)(1 + (i + tick) % 255);
        fray_snapshots_event(snapshots, tick, &(struct fray_game_event){.to = FRAY_GAME_NOBODY});
        assert_true(board_send(viewer, snapshots, &state, 1));
    }
    fray_viewer_destroy(viewer);
    fray_snapshots_destroy(snapshots);
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
            for (uint32_t seat = 0; seat < 250; seat += 29) {
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
        cmocka_unit_test(long_rows_and_events_without_bits_arrive),
        cmocka_unit_test(datagrams_may_be_lost_doubled_reordered),
        cmocka_unit_test(what_is_seen_is_fray_game_view),
        cmocka_unit_test(the_grid_is_exact),
        cmocka_unit_test(what_exceeds_the_rate_waits_its_turn),
        cmocka_unit_test(sighted_events_go_to_who_sees),
        cmocka_unit_test(moves_are_no_events_here),
        cmocka_unit_test(events_come_in_portions),
        cmocka_unit_test(nothing_is_allocated_while_it_goes_on),
    };
    return cmocka_run_group_tests_name("game_snapshots", tests, NULL, NULL);
}
