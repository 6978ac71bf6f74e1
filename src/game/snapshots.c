/* States, caches and events that a match's viewers share (snapshots.h). */
#include "game/snapshots.h"

#include <assert.h>

#include "base/mem.h"
#include "game/snapshot_ring.h"

enum { WORD = 64, GAP_BITS_MAX = 65, EVENT_AGE_BITS_MAX = 67 };

static uint64_t *set_create(const struct fray_snapshots *ring)
{
    return fray_alloc_zero(ring->words * sizeof(uint64_t));
}

/* Returns how many bits the table can take in a packet. */
static size_t table_init(struct fray_ring_table *t, const struct fray_game_table *table,
                         const struct fray_snapshots *ring, uint32_t *encodings)
{
    uint32_t bits = fray_delta_bits_max(table, FRAY_DELTA_PUBLIC);

    t->table = table;
    t->first = ring->words;
    t->words = (table->rows + WORD - 1) / WORD;
    t->encodings = *encodings;
    t->row_words = (bits + WORD - 1) / WORD;
    t->has_owner_part = fray_delta_has(table, FRAY_DELTA_OWNER);
    t->has_places = table->present && table->x && table->y;
    *encodings += t->row_words * table->rows;
    if (t->has_places) {
        t->columns = fray_alloc((FRAY_RING_BINS + 1) * t->words * sizeof(uint64_t));
        t->lines = fray_alloc((FRAY_RING_BINS + 1) * t->words * sizeof(uint64_t));
    }
    return (size_t)table->rows *
               (bits + fray_delta_bits_max(table, FRAY_DELTA_OWNER) + 2 + 2 * GAP_BITS_MAX) +
           3 * GAP_BITS_MAX;
}

static void caches_init(struct fray_snapshots *ring, uint32_t encodings)
{
    for (uint32_t i = 0; i <= FRAY_RING_NOTHING; i++) {
        struct fray_ring_cache *cache = &ring->caches[i];
        cache->is_known = set_create(ring);
        cache->is_changed = set_create(ring);
        cache->counts = fray_alloc_zero((size_t)ring->words * WORD * sizeof *cache->counts);
        cache->encodings = fray_alloc(encodings * sizeof(uint64_t));
    }
}

struct fray_snapshots *fray_snapshots_create(const struct fray_game *game)
{
    struct fray_snapshots *ring = fray_alloc_zero(sizeof *ring);
    uint32_t encodings = 0;
    size_t bits = FRAY_PACKET_EVENTS_MAX * (FRAY_DELTA_EVENT_BITS_MAX + EVENT_AGE_BITS_MAX) + 80;

    ring->game = game;
    ring->tables = fray_alloc_zero(game->tables_count * sizeof *ring->tables);
    ring->actors = fray_game_players(game) ? (uint32_t)(fray_game_players(game) - game->tables)
                                           : game->tables_count;
    for (uint32_t i = 0; i < game->tables_count; i++) {
        const struct fray_game_table *table = &game->tables[i];
        ring->tables[i].number = i;
        bits += table_init(&ring->tables[i], table, ring, &encodings);
        ring->words += ring->tables[i].words;
    }
    ring->packet_max = FRAY_PACKET_SNAPSHOT_HEADER + (bits + 7) / 8;
    ring->states = fray_alloc((size_t)FRAY_SNAPSHOTS_RING * game->state_size);
    ring->events = fray_alloc(FRAY_SNAPSHOTS_EVENTS * sizeof *ring->events);
    ring->present = set_create(ring);
    ring->visible = set_create(ring);
    ring->kept = set_create(ring);
    ring->changed = set_create(ring);
    ring->entered = set_create(ring);
    ring->postponed = set_create(ring);
    ring->waiting = fray_alloc((size_t)ring->words * WORD * sizeof *ring->waiting);
    ring->view = fray_alloc(game->state_size);
    caches_init(ring, encodings);
    return ring;
}

void fray_snapshots_destroy(struct fray_snapshots *ring)
{
    if (!ring)
        return;
    for (uint32_t i = 0; i <= FRAY_RING_NOTHING; i++) {
        free(ring->caches[i].is_known);
        free(ring->caches[i].is_changed);
        free(ring->caches[i].counts);
        free(ring->caches[i].encodings);
    }
    for (uint32_t i = 0; i < ring->game->tables_count; i++) {
        free(ring->tables[i].columns);
        free(ring->tables[i].lines);
    }
    free(ring->tables);
    free(ring->states);
    free(ring->events);
    free(ring->present);
    free(ring->visible);
    free(ring->kept);
    free(ring->changed);
    free(ring->entered);
    free(ring->postponed);
    free(ring->waiting);
    free(ring->view);
    free(ring);
}

void fray_snapshots_event(struct fray_snapshots *ring, uint32_t tick,
                          const struct fray_game_event *event)
{
    struct fray_ring_event *kept = &ring->events[ring->events_count % FRAY_SNAPSHOTS_EVENTS];

    if (event->kind >= ring->game->events_count ||
        ring->game->events[event->kind].delivery == FRAY_GAME_NEWEST)
        return;
    struct fray_bits_writer out = fray_bits_writer(kept->words, sizeof kept->words);
    fray_delta_encode_event(ring->game, event, &out);
    kept->event = *event;
    kept->tick = tick;
    kept->bits = (uint32_t)fray_bits_count(&out);
    fray_bits_put(&out, 0, -kept->bits % WORD); /* whole words */
    assert(!out.is_full);
    ring->events_count++;
}

/* ------------------------------------------------------------------ states */

static uint32_t table_count_present(struct fray_snapshots *ring, const struct fray_ring_table *t)
{
    uint64_t *set = ring->present + t->first;
    const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, 0);
    uint32_t count = 0;

    memset(set, 0, t->words * sizeof *set);
    for (uint32_t i = 0; i < t->table->rows; i++, row += t->table->stride) {
        uint64_t is_there = fray_delta_is_present(t->table, row);
        set[i / WORD] |= is_there << i % WORD;
        count += (uint32_t)is_there;
    }
    return t->table->present ? count : 0;
}

void fray_snapshots_take(struct fray_snapshots *ring, uint32_t tick, const void *state)
{
    uint32_t slot = ring->takes++ % FRAY_SNAPSHOTS_RING, count = 0;

    memcpy(ring->states + (size_t)slot * ring->game->state_size, state, ring->game->state_size);
    ring->ticks[slot] = tick;
    ring->has_grid = false;
    for (uint32_t i = 0; i <= FRAY_RING_NOTHING; i++)
        memset(ring->caches[i].is_known, 0, ring->words * sizeof(uint64_t));
    for (uint32_t i = 0; i < ring->game->tables_count; i++)
        count += table_count_present(ring, &ring->tables[i]);
    ring->is_limited = count > FRAY_SNAPSHOTS_ALL;
}

static void row_compare(struct fray_snapshots *ring, uint32_t slot, const struct fray_ring_table *t,
                        uint32_t number)
{
    struct fray_ring_cache *cache = &ring->caches[slot];
    uint32_t word = t->first + number / WORD;
    uint64_t bit = (uint64_t)1 << number % WORD;
    const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
    const uint8_t *base = slot == FRAY_RING_NOTHING ? NULL : fray_ring_row(ring, slot, t, number);

    cache->is_known[word] |= bit;
    cache->is_changed[word] &= ~bit;
    cache->counts[(size_t)t->first * WORD + number] = 0;
    if (base && memcmp(base, row, t->table->stride) == 0)
        return;
    struct fray_bits_writer out =
        fray_bits_writer(cache->encodings + t->encodings + (size_t)number * t->row_words,
                         t->row_words * sizeof(uint64_t));
    fray_delta_encode(t->table, FRAY_DELTA_PUBLIC, base, row, &out);
    uint32_t count = (uint32_t)fray_bits_count(&out);
    if (count == 0)
        return;
    fray_bits_put(&out, 0, -count % WORD);
    assert(!out.is_full);
    cache->counts[(size_t)t->first * WORD + number] = count;
    cache->is_changed[word] |= bit;
}

void fray_ring_compare(struct fray_snapshots *ring, uint32_t slot, const struct fray_ring_table *t,
                       uint32_t word, uint64_t mask)
{
    uint64_t todo = mask & ~ring->caches[slot].is_known[t->first + word];

    for (; todo; todo &= todo - 1)
        row_compare(ring, slot, t, word * WORD + (uint32_t)__builtin_ctzll(todo));
}
