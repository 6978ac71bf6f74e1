/* For tests: a match that is simulated, and clients that decode what its viewers encode. */
#ifndef FRAY_GAME_SNAPSHOTS_FAKE_H
#define FRAY_GAME_SNAPSHOTS_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "game/viewer.h"
#include "simulate.h"

extern const struct fray_game fray_arena, fray_duel;

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

static inline void world_init(struct world *world, const struct fray_game *game, uint32_t bots,
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

static inline void world_deinit(struct world *world)
{
    fray_snapshots_destroy(world->snapshots);
    fray_buf_deinit(&world->out);
    free(world->memory);
    free(world->view);
}

static inline void world_step(struct world *world, uint32_t ticks)
{
    fray_simulate_run(&world->simulate, ticks);
    world->tick += ticks;
}

static inline void world_take(struct world *world)
{
    fray_snapshots_take(world->snapshots, world->tick, world->simulate.state);
}

static inline void client_init(struct client *client, struct world *world, uint32_t seat,
                               uint8_t flags, uint8_t hz)
{
    const struct fray_packet_hello hello = {FRAY_PACKET_VERSION, flags, hz};
    *client = (struct client){.seat = seat};
    client->viewer = fray_viewer_create(world->snapshots, seat, &hello);
    for (int i = 0; i < RING; i++) {
        client->views[i] = fray_alloc(world->game->state_size);
        client->expected[i] = fray_alloc(world->game->state_size);
    }
}

static inline void client_deinit(struct client *client)
{
    fray_viewer_destroy(client->viewer);
    for (int i = 0; i < RING; i++) {
        free(client->views[i]);
        free(client->expected[i]);
    }
}

/* Leaves the packet in world->out. */
static inline void encode(struct world *world, struct client *client, bool with_hash)
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

static inline void client_events(struct client *client)
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

static inline void client_note(struct client *client, uint16_t seq)
{
    if (client->newest && !fray_packet_seq_newer(seq, client->newest))
        return;
    client->newest = seq;
    client->need_full = false;
}

static inline void receive(struct world *world, struct client *client, const void *bytes,
                           size_t len)
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

static inline void ack(struct client *client)
{
    struct fray_packet_input packet = {.ack = client->newest};

    if (client->need_full)
        packet.flags |= FRAY_INPUT_NEED_FULL;
    fray_viewer_ack(client->viewer, &packet);
}

static inline void check_whole(struct world *world, struct client *client)
{
    fray_game_view(world->game, world->simulate.state, client->seat, world->view);
    assert_memory_equal(client->views[client->newest % RING], world->view, world->game->state_size);
}

/* Some of them for another seat; those that the client gets have args[1] counting up. */
static inline void emit(struct world *world, const struct client *client, uint8_t kind,
                        int32_t *serial)
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

#endif
