/* A match, its viewer, and a network that does what the bytes say: what the client decodes is what
 * the server thinks that it sees, no event comes twice or out of order.
 *
 * <game: 0 the arena, which is slow> <seat> <flags>, then steps: an opcode in the high bits of a
 * byte, its argument below. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "game/snapshots.h"

extern const struct fray_game fray_arena, fray_duel;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RING = 32, STEPS_MAX = 64 };
enum step {
    STEP_TICK,
    STEP_JOIN,
    STEP_LEAVE,
    STEP_SCRIBBLE,
    STEP_EVENT,
    STEP_SEND,
    STEP_ACK,
    STEP_FULL
};

struct world {
    const struct fray_game *game;
    uint32_t seat, tick;
    uint8_t *state, *inputs, *given, *views[RING], *expected;
    uint16_t seqs[RING], newest, event_seq;
    struct fray_snapshots *snapshots;
    struct fray_viewer *viewer;
    struct fray_buf out;
    struct fray_packet_snapshot snapshot;
};

static void create(struct world *world, const uint8_t *data)
{
    const struct fray_packet_hello hello = {1, data[2] & 1, data[2] >> 1 & 63};

    *world = (struct world){.game = data[0] ? &fray_duel : &fray_arena, .seat = data[1]};
    world->state = calloc(1, world->game->state_size);
    world->expected = calloc(1, world->game->state_size);
    world->inputs = calloc(world->game->seats_max, world->game->input_size);
    world->given = calloc(world->game->seats_max, 1);
    for (int i = 0; i < RING; i++)
        world->views[i] = calloc(1, world->game->state_size);
    fray_game_init(world->game, world->state, 1, NULL);
    world->snapshots = fray_snapshots_create(world->game);
    world->viewer = fray_viewer_create(world->snapshots, world->seat, &hello);
    for (uint32_t i = 0; data[2] & 128 && i < world->game->seats_max; i++)
        world->game->join(world->state, i, NULL);
}

static void destroy(struct world *world)
{
    fray_viewer_destroy(world->viewer);
    fray_snapshots_destroy(world->snapshots);
    fray_buf_deinit(&world->out);
    for (int i = 0; i < RING; i++)
        free(world->views[i]);
    free(world->state);
    free(world->expected);
    free(world->inputs);
    free(world->given);
}

static void receive(struct world *world)
{
    struct fray_packet_snapshot *snapshot = &world->snapshot;
    const uint8_t *bytes = (const uint8_t *)world->out.data, *base = NULL;

    assert(fray_packet_snapshot_header_decode(snapshot, bytes, world->out.len));
    uint16_t seq = snapshot->seq, from = snapshot->base_seq;
    if (from != seq)
        base = world->views[from % RING];
    if (base && (world->seqs[from % RING] != from || from % RING == seq % RING))
        return; /* a stream that loses: the baseline never came */
    assert(fray_packet_snapshot_decode(world->game, world->seat, base, world->views[seq % RING],
                                       snapshot, bytes, world->out.len));
    assert(memcmp(world->views[seq % RING], world->expected, world->game->state_size) == 0);
    world->seqs[seq % RING] = seq;
    world->newest = seq;
    for (uint32_t i = 0; i < snapshot->events_count; i++) {
        uint16_t number = snapshot->events[i].seq;
        if (world->event_seq && !fray_packet_seq_newer(number, world->event_seq))
            continue;
        assert(snapshot->flags & FRAY_SNAPSHOT_EVENTS_LOST || world->event_seq == 0 ||
               number == fray_packet_seq_next(world->event_seq) || i == 0);
        world->event_seq = number;
    }
}

static void send(struct world *world, uint8_t what)
{
    fray_snapshots_take(world->snapshots, world->tick, world->state);
    world->out.len = 0;
    fray_viewer_encode(world->viewer, &(struct fray_viewer_frame){.with_hash = what & 1},
                       &world->out);
    fray_viewer_view(world->viewer, world->expected);
    fray_viewer_sent(world->viewer, !(what & 2));
    if (!(what & 6))
        receive(world);
}

/* Rows as no rules would leave them, but within their fields' bits. */
static void scribble(struct world *world, uint8_t what)
{
    const struct fray_game_table *table = &world->game->tables[1];
    uint32_t number = what * 7u % table->rows;
    uint8_t *row = world->state + table->offset + number * table->stride;
    const struct fray_game_field *field = &table->fields[what % table->fields_count];

    if (field->bits >= 8 && !(field->flags & FRAY_GAME_SEAT) && fray_delta_is_present(table, row))
        row[field->offset] = (uint8_t)(row[field->offset] + what);
}

static void take_step(struct world *world, enum step step, uint8_t what)
{
    const struct fray_game_step tick = {.inputs = world->inputs, .given = world->given};
    uint32_t seats = world->game->seats_max;

    switch (step) {
    case STEP_TICK:
        for (int i = 0; i <= what % 4; i++, world->tick++)
            world->game->step(world->state, &tick);
        break;
    case STEP_JOIN:
        world->game->leave(world->state, what * 5u % seats, NULL);
        world->game->join(world->state, what * 5u % seats, NULL);
        break;
    case STEP_LEAVE: world->game->leave(world->state, what * 5u % seats, NULL); break;
    case STEP_SCRIBBLE: scribble(world, what); break;
    case STEP_EVENT:
        for (int i = 0; i <= what; i++)
            fray_snapshots_event(world->snapshots, world->tick,
                                 &(struct fray_game_event){(uint8_t)(what % 7),
                                                           what & 8 ? 255 : (uint8_t)world->seat,
                                                           0,
                                                           {what - 4, what << what % 24}});
        break;
    case STEP_SEND: send(world, what); break;
    case STEP_ACK:
    case STEP_FULL:
        fray_viewer_ack(world->viewer,
                        &(struct fray_packet_input){.ack = what & 16 ? what : world->newest,
                                                    .flags = step == STEP_FULL});
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;

    if (size < 3)
        return 0;
    create(&world, data);
    for (size_t i = 3; i < size && i < STEPS_MAX; i++)
        take_step(&world, data[i] >> 5, data[i] & 31);
    destroy(&world);
    return 0;
}
