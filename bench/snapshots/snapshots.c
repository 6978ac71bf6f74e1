/* snapshots [SECONDS]: what the snapshots of a full arena cost. 200 bots on the map that
 * games/arena/README.md has for so many, each with a viewer at 20 snapshots a second over a stream.
 * Prints CPU time per client frame (taking the state, looking, encoding, hashing once a second,
 * acks) and bytes per player update: all bytes, headers and events included, by the rows of players
 * that changed or entered. Rules and bots are not in the time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arena/arena.h"
#include "base/mem.h"
#include "game/snapshot_ring.h"

enum { PLAYERS = 200, EVENTS_MAX = 1024, PLAYERS_TABLE = 1, SNAPSHOT_HZ = 20 };

struct bench {
    struct arena_state state, view;
    struct arena_input inputs[ARENA_SEATS];
    struct arena_memory memories[PLAYERS];
    uint8_t given[ARENA_SEATS];
    struct fray_game_event events[EVENTS_MAX];
    struct fray_snapshots *ring;
    struct fray_viewer *viewers[PLAYERS];
    struct fray_buf out;
    uint64_t frames, bytes, updates, cpu_ns;
};

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void begin(struct bench *bench)
{
    const int32_t options[] = {2000, 2000, 0, 32, 400, 10, 90, 0};
    const struct fray_packet_hello hello = {FRAY_PACKET_VERSION, FRAY_HELLO_STREAM, SNAPSHOT_HZ};

    fray_game_init(&fray_arena, &bench->state, 1, options);
    bench->ring = fray_snapshots_create(&fray_arena);
    for (uint32_t seat = 0; seat < PLAYERS; seat++) {
        fray_arena.join(&bench->state, seat, NULL);
        fray_arena.bot_init(&bench->memories[seat], seat % fray_arena.bot_levels, seat);
        bench->viewers[seat] = fray_viewer_create(bench->ring, seat, &hello);
    }
}

static void step(struct bench *bench)
{
    struct fray_game_events events = {.items = bench->events, .max = EVENTS_MAX};

    for (uint32_t seat = 0; seat < PLAYERS; seat++) {
        fray_game_view(&fray_arena, &bench->state, seat, &bench->view);
        bench->given[seat] =
            fray_arena.bot(&bench->view, seat, &bench->memories[seat], &bench->inputs[seat]);
    }
    fray_arena.step(&bench->state, &(struct fray_game_step){.inputs = bench->inputs,
                                                            .given = bench->given,
                                                            .events = &events});
    for (uint32_t i = 0; i < events.count; i++)
        fray_snapshots_event(bench->ring, bench->state.match.tick, &events.items[i]);
}

/* The players that the packet encoded last tells of. */
static uint64_t updates_of(const struct fray_snapshots *ring)
{
    const struct fray_ring_table *t = &ring->tables[PLAYERS_TABLE];
    uint64_t sum = 0;

    for (uint32_t i = t->first; i < t->first + t->words; i++)
        sum += (uint64_t)__builtin_popcountll(ring->changed[i] | ring->entered[i]);
    return sum;
}

static void snapshot(struct bench *bench)
{
    uint32_t tick = bench->state.match.tick;
    uint64_t before = cpu_ns();

    fray_snapshots_take(bench->ring, tick, &bench->state);
    for (uint32_t seat = 0; seat < PLAYERS; seat++) {
        struct fray_viewer *viewer = bench->viewers[seat];
        bench->out.len = 0;
        fray_viewer_encode(viewer, &(struct fray_viewer_frame){.input_tick = tick}, &bench->out);
        fray_viewer_sent(viewer, true);
        fray_viewer_ack(viewer, &(struct fray_packet_input){.ack = (uint16_t)bench->ring->takes});
        bench->frames++;
        bench->bytes += bench->out.len;
        bench->updates += updates_of(bench->ring);
    }
    bench->cpu_ns += cpu_ns() - before;
}

int main(int argc, char **argv)
{
    struct bench *bench = fray_alloc_zero(sizeof *bench);
    uint32_t seconds = argc > 1 ? (uint32_t)atoi(argv[1]) : 20;

    begin(bench);
    for (uint32_t i = 0; i < (seconds + 1) * fray_arena.tick_hz; i++) {
        if (i == fray_arena.tick_hz) /* the first second is for warming up */
            bench->frames = bench->bytes = bench->updates = bench->cpu_ns = 0;
        step(bench);
        if (fray_viewer_is_due(bench->viewers[0], bench->state.match.tick))
            snapshot(bench);
    }
    double frames = (double)bench->frames, updates = (double)bench->updates;
    printf("frames=%.0f cpu_ns_per_frame=%.0f bytes_per_frame=%.1f updates_per_frame=%.1f "
           "bytes_per_update=%.2f kbit_per_s=%.1f\n",
           frames, (double)bench->cpu_ns / frames, (double)bench->bytes / frames, updates / frames,
           (double)bench->bytes / updates, (double)bench->bytes * 8 / 1000 / PLAYERS / seconds);
    for (uint32_t seat = 0; seat < PLAYERS; seat++)
        fray_viewer_destroy(bench->viewers[seat]);
    fray_snapshots_destroy(bench->ring);
    fray_buf_deinit(&bench->out);
    free(bench);
    return 0;
}
