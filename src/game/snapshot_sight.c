/* Who sees what in the newest state (snapshot_ring.h): the rules say of a row whether it is seen,
 * a grid says of which rows to ask. */
#include <string.h>

#include "game/snapshot_ring.h"

enum { WORD = 64, BINS = FRAY_RING_BINS };

/* ------------------------------------------------------------------ the grid */

static uint32_t bin_of(int64_t place, int32_t min, uint32_t shift)
{
    int64_t bin = place < min ? 0 : (place - min) >> shift;

    return bin < BINS ? (uint32_t)bin : BINS - 1;
}

/* The least shift with which everything up to max lies in the bins. */
static uint32_t shift_for(int32_t min, int32_t max)
{
    uint32_t shift = 0;

    while (((int64_t)max - min) >> shift >= BINS)
        shift++;
    return shift;
}

#define EACH_ROW(set, words, row)                                                                  \
    for (uint32_t word_ = 0; word_ < (words); word_++)                                             \
        for (uint64_t bits_ = (set)[word_];                                                        \
             bits_ && (row = word_ * WORD + (uint32_t)__builtin_ctzll(bits_), true);               \
             bits_ &= bits_ - 1)

static void grid_measure(struct fray_snapshots *ring, struct fray_ring_table *t)
{
    int32_t max_x = INT32_MIN, max_y = INT32_MIN;
    uint32_t number;

    t->min_x = t->min_y = INT32_MAX;
    EACH_ROW(ring->present + t->first, t->words, number)
    {
        const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
        int32_t x = fray_ring_place(row, t->table->x), y = fray_ring_place(row, t->table->y);
        t->min_x = x < t->min_x ? x : t->min_x;
        t->min_y = y < t->min_y ? y : t->min_y;
        max_x = x > max_x ? x : max_x;
        max_y = y > max_y ? y : max_y;
    }
    t->shift_x = shift_for(t->min_x, max_x);
    t->shift_y = shift_for(t->min_y, max_y);
}

/* Each row into the column after its own, then each column takes over what is before it. */
static void grid_make(struct fray_snapshots *ring, struct fray_ring_table *t)
{
    size_t size = (BINS + 1) * (size_t)t->words;
    uint32_t number;

    grid_measure(ring, t);
    memset(t->columns, 0, size * sizeof(uint64_t));
    memset(t->lines, 0, size * sizeof(uint64_t));
    EACH_ROW(ring->present + t->first, t->words, number)
    {
        const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
        uint32_t column = 1 + bin_of(fray_ring_place(row, t->table->x), t->min_x, t->shift_x);
        uint32_t line = 1 + bin_of(fray_ring_place(row, t->table->y), t->min_y, t->shift_y);
        uint64_t bit = (uint64_t)1 << number % WORD;
        t->columns[column * t->words + number / WORD] |= bit;
        t->lines[line * t->words + number / WORD] |= bit;
    }
    for (size_t i = t->words; i < size; i++) {
        t->columns[i] |= t->columns[i - t->words];
        t->lines[i] |= t->lines[i - t->words];
    }
}

/* The rows in the area's columns and lines, a few too many, into `set`. */
static void grid_find(const struct fray_ring_table *t, const struct fray_game_area *area,
                      uint64_t *set)
{
    size_t left = (size_t)bin_of(area->min_x, t->min_x, t->shift_x) * t->words;
    size_t right = ((size_t)bin_of(area->max_x, t->min_x, t->shift_x) + 1) * t->words;
    size_t top = (size_t)bin_of(area->min_y, t->min_y, t->shift_y) * t->words;
    size_t bottom = ((size_t)bin_of(area->max_y, t->min_y, t->shift_y) + 1) * t->words;

    for (uint32_t i = 0; i < t->words; i++)
        set[i] = t->columns[right + i] & ~t->columns[left + i] & t->lines[bottom + i] &
                 ~t->lines[top + i];
}

/* ------------------------------------------------------------------ looking */

static void table_look(struct fray_snapshots *ring, const struct fray_ring_table *t, uint32_t seat)
{
    const struct fray_game *game = ring->game;
    const uint8_t *state = ring->states + (size_t)fray_ring_newest(ring) * ring->game->state_size;
    uint64_t *set = ring->visible + t->first;
    struct fray_game_area area;
    uint32_t row;

    memcpy(set, ring->present + t->first, t->words * sizeof *set);
    if (!game->visible || !t->table->present)
        return;
    if (ring->has_grid && t->has_places && game->area(state, seat, t->number, &area))
        grid_find(t, &area, set);
    EACH_ROW(set, t->words, row)
    {
        if (!game->visible(state, seat, t->number, row))
            set[row / WORD] &= ~((uint64_t)1 << row % WORD);
    }
}

void fray_ring_look(struct fray_snapshots *ring, uint32_t seat)
{
    if (ring->is_limited && ring->game->area && !ring->has_grid) {
        for (uint32_t i = 0; i < ring->game->tables_count; i++)
            if (ring->tables[i].has_places)
                grid_make(ring, &ring->tables[i]);
        ring->has_grid = true;
    }
    for (uint32_t i = 0; i < ring->game->tables_count; i++)
        table_look(ring, &ring->tables[i], seat);
}
