/* What the viewers of a match share: the newest states, the rows that changed since each of them,
 * encoded, and the events (snapshots.h). Between snapshots.c, snapshot_sight.c and viewer*.c.
 *
 * Sets of rows are bits in words: those of all tables one after the other, each table beginning
 * with a word. Owner: struct fray_snapshots. Pure. */
#ifndef FRAY_GAME_SNAPSHOT_RING_H
#define FRAY_GAME_SNAPSHOT_RING_H

#include <string.h>

#include "delta.h"
#include "game/snapshots.h"

enum {
    FRAY_RING_NOTHING = FRAY_SNAPSHOTS_RING, /* as a slot: a state of zeros */
    FRAY_RING_BINS = 64,                     /* of the grid, in each direction */
    FRAY_RING_EVENT_WORDS = (FRAY_DELTA_EVENT_BITS_MAX + 63) / 64,
};

struct fray_ring_table {
    const struct fray_game_table *table;
    uint32_t number;
    uint32_t first, words; /* its words of a set */
    uint32_t encodings;    /* of row 0, in words of a cache */
    uint32_t row_words;    /* room for the encoding of a row */
    bool has_owner_part;
    bool has_places; /* rows that come and go, with x and y: interest is limited to them */
    /* Rows with less than the n-th column (or line): [n × words …], made when first needed. */
    uint64_t *columns, *lines;
    int32_t min_x, min_y;
    uint32_t shift_x, shift_y;
};

/* What changed from one slot's state to the newest. Rows are looked at when first asked for. */
struct fray_ring_cache {
    uint64_t *is_known, *is_changed; /* sets */
    uint32_t *counts;                /* of bits, by row */
    uint64_t *encodings;
};

struct fray_ring_event {
    struct fray_game_event event;
    uint32_t tick, bits;
    uint64_t words[FRAY_RING_EVENT_WORDS];
};

struct fray_snapshots {
    const struct fray_game *game;
    struct fray_ring_table *tables;
    uint32_t words;    /* of a set */
    uint32_t actors;   /* the table whose rows are seats; tables_count: none */
    size_t packet_max; /* bytes */
    uint32_t takes;    /* states taken: the newest is in slot (takes − 1) % FRAY_SNAPSHOTS_RING */
    bool is_limited;   /* there are so many rows that they may have to wait */
    bool has_grid;     /* of the newest state */
    uint32_t ticks[FRAY_SNAPSHOTS_RING];
    uint8_t *states;
    uint64_t *present; /* set of the newest state's rows */
    struct fray_ring_cache caches[FRAY_SNAPSHOTS_RING + 1];
    struct fray_ring_event *events; /* FRAY_SNAPSHOTS_EVENTS */
    uint32_t events_count;          /* ever */
    /* For one encode at a time. */
    uint64_t *visible, *kept, *changed, *entered, *postponed;
    uint64_t *waiting; /* a heap of keys, by row */
    uint8_t *view;
};

static inline uint32_t fray_ring_newest(const struct fray_snapshots *ring)
{
    return (ring->takes - 1) % FRAY_SNAPSHOTS_RING;
}

static inline const uint8_t *fray_ring_row(const struct fray_snapshots *ring, uint32_t slot,
                                           const struct fray_ring_table *table, uint32_t row)
{
    return ring->states + (size_t)slot * ring->game->state_size + table->table->offset +
           (size_t)row * table->table->stride;
}

/* A row's x or y (fray/game.h), where it has them. */
static inline int32_t fray_ring_place(const uint8_t *row, uint16_t at)
{
    int32_t value;
    memcpy(&value, row + at - 1, sizeof value);
    return value;
}

/* Makes sure that is_changed, counts and encodings are there for the rows in `mask`, of the word
 * `word` of the table. */
void fray_ring_compare(struct fray_snapshots *ring, uint32_t slot,
                       const struct fray_ring_table *table, uint32_t word, uint64_t mask);

/* Fills ring->visible: what fray_game_view would show of the newest state. */
void fray_ring_look(struct fray_snapshots *ring, uint32_t seat);

#endif
