/* Interest (snapshots.h): where there are more rows than a viewer's rate carries, those that wait
 * gain priority until it is their turn (a priority accumulator). */
#include <string.h>

#include "game/viewer.h"

enum {
    WORD = 64,
    GAP_BITS = 2,     /* that a row's place in the list takes, about */
    ENTERED_BITS = 7, /* the same, of a row that enters */
    OWNER_BITS = 64,  /* of the viewer's own row */
    PRIORITY_FAR = 1, /* what a row gains while it waits */
    PRIORITY_MIDDLE = 2,
    PRIORITY_NEAR = 4,
};

struct place {
    bool is_known;
    int32_t x, y;
    int64_t reach; /* how far the viewer sees */
};

static uint32_t bits_of(const struct fray_viewer_picture *picture, uint32_t bit)
{
    const struct fray_snapshots *ring = picture->viewer->ring;

    if (ring->entered[bit / WORD] >> bit % WORD & 1)
        return ring->caches[FRAY_RING_NOTHING].counts[bit] + ENTERED_BITS;
    return ring->caches[fray_viewer_slot(picture, bit)].counts[bit] + GAP_BITS;
}

static struct place place_of(const struct fray_viewer *viewer, const struct fray_ring_table *t)
{
    const struct fray_snapshots *ring = viewer->ring;
    const uint8_t *state = ring->states + (size_t)fray_ring_newest(ring) * ring->game->state_size;
    struct fray_game_area area;
    struct place place = {.is_known =
                              t->table->owner == FRAY_GAME_ROW && viewer->seat < t->table->rows};

    if (!place.is_known || !ring->game->area ||
        !ring->game->area(state, viewer->seat, t->number, &area))
        return (struct place){0};
    const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, viewer->seat);
    place.x = fray_ring_place(row, t->table->x);
    place.y = fray_ring_place(row, t->table->y);
    place.reach = (area.max_x - area.min_x) / 2;
    return place;
}

static uint32_t priority_of(const struct place *place, const struct fray_ring_table *t,
                            const uint8_t *row)
{
    if (!place->is_known)
        return PRIORITY_FAR;
    int64_t x = (int64_t)fray_ring_place(row, t->table->x) - place->x;
    int64_t y = (int64_t)fray_ring_place(row, t->table->y) - place->y;
    x = x < 0 ? -x : x;
    y = y < 0 ? -y : y;
    int64_t distance = x > y ? x : y;
    if (distance * 4 < place->reach)
        return PRIORITY_NEAR;
    return distance * 2 < place->reach ? PRIORITY_MIDDLE : PRIORITY_FAR;
}

/* Rows of the word that may wait: neither owned, nor sent anew because their state is gone. */
static uint64_t may_wait(const struct fray_viewer *viewer, const struct fray_ring_table *t,
                         uint32_t word)
{
    const struct fray_snapshots *ring = viewer->ring;
    uint64_t rows = ring->changed[t->first + word] |
                    (ring->entered[t->first + word] & ~ring->kept[t->first + word]);

    for (uint64_t left = rows; left && t->table->owner; left &= left - 1) {
        uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(left);
        const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
        if (fray_delta_owns(t->table, row, number, viewer->seat))
            rows &= ~(left & -left);
    }
    return rows;
}

static int64_t bits_of_set(const struct fray_viewer_picture *picture, uint32_t w, uint64_t rows)
{
    int64_t bits = 0;

    for (; rows; rows &= rows - 1)
        bits += bits_of(picture, w * WORD + (uint32_t)__builtin_ctzll(rows));
    return bits;
}

/* All that changed and entered, in bits. */
static int64_t bits_of_all(const struct fray_viewer_picture *picture)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    int64_t bits = OWNER_BITS;

    for (uint32_t w = 0; w < ring->words; w++)
        bits += bits_of_set(picture, w, ring->changed[w] | ring->entered[w]);
    return bits;
}

/* ------------------------------------------------------------------ a heap, the greatest first */

static void heap_sink(uint64_t *heap, uint32_t count, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] > heap[child])
            child++;
        if (heap[at] >= heap[child])
            return;
        uint64_t key = heap[at];
        heap[at] = heap[child];
        heap[child] = key;
    }
}

static uint64_t heap_take(uint64_t *heap, uint32_t *count)
{
    uint64_t first = heap[0];

    heap[0] = heap[--*count];
    heap_sink(heap, *count, 0);
    return first;
}

/* Puts the rows that may wait into ring->waiting, by priority. Returns their number, and their bits
 * in `bits`. */
static uint32_t queue(const struct fray_viewer_picture *picture, int64_t *bits)
{
    struct fray_viewer *viewer = picture->viewer;
    struct fray_snapshots *ring = viewer->ring;
    uint32_t count = 0;

    *bits = 0;
    for (uint32_t i = 0; i < ring->game->tables_count; i++) {
        const struct fray_ring_table *t = &ring->tables[i];
        struct place place = t->has_places ? place_of(viewer, t) : (struct place){0};
        for (uint32_t word = 0; word < t->words && t->has_places; word++) {
            uint64_t rows = may_wait(viewer, t, word);
            *bits += bits_of_set(picture, t->first + word, rows);
            for (; rows; rows &= rows - 1) {
                uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(rows);
                uint32_t bit = t->first * WORD + number;
                const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
                uint64_t priority = viewer->waited[bit] + priority_of(&place, t, row);
                ring->waiting[count++] = priority << 32 | bit;
            }
        }
    }
    for (uint32_t i = count / 2; i-- > 0;)
        heap_sink(ring->waiting, count, i);
    return count;
}

static void postpone(const struct fray_viewer_picture *picture, uint64_t key)
{
    struct fray_viewer *viewer = picture->viewer;
    struct fray_snapshots *ring = viewer->ring;
    uint32_t bit = (uint32_t)key, priority = (uint32_t)(key >> 32);
    uint64_t row = (uint64_t)1 << bit % WORD;

    ring->postponed[bit / WORD] |= ring->changed[bit / WORD] & row;
    ring->changed[bit / WORD] &= ~row;
    ring->entered[bit / WORD] &= ~row;
    viewer->waited[bit] = priority < UINT16_MAX ? (uint16_t)priority : UINT16_MAX;
}

void fray_viewer_limit(struct fray_viewer_picture *picture)
{
    struct fray_viewer *viewer = picture->viewer;
    struct fray_snapshots *ring = viewer->ring;
    int64_t room =
        viewer->room - (int64_t)fray_bits_count(&picture->out) - FRAY_PACKET_SNAPSHOT_HEADER * 8;
    int64_t all = bits_of_all(picture), waiting;

    if (viewer->has_waiting && all <= room)
        memset(viewer->waited, 0, (size_t)ring->words * WORD * sizeof *viewer->waited);
    viewer->has_waiting = all > room;
    if (all <= room)
        return;
    uint32_t count = queue(picture, &waiting);
    room -= all - waiting;
    while (count && room >= 0) {
        uint64_t key = heap_take(ring->waiting, &count);
        room -= bits_of(picture, (uint32_t)key);
        if (room < 0)
            postpone(picture, key);
        else
            viewer->waited[(uint32_t)key] = 0;
    }
    while (count)
        postpone(picture, ring->waiting[--count]);
}
