/* What goes into a viewer's SNAPSHOT: events, and of the rows those that changed, entered or left
 * (viewer.h; the bits are described in docs/protocols.md, "Game packets"). */
#include <string.h>

#include "game/viewer.h"

enum { WORD = 64 };

static bool has_bit(const uint64_t *set, uint32_t bit)
{
    return set[bit / WORD] >> bit % WORD & 1;
}

/* ------------------------------------------------------------------ events */

static bool is_for(const struct fray_viewer *viewer, const struct fray_game_event *event)
{
    const struct fray_snapshots *ring = viewer->ring;
    uint32_t actor = (uint32_t)event->args[0];

    if (event->to != FRAY_GAME_NOBODY && event->to != viewer->seat)
        return false;
    if (!ring->game->events[event->kind].sighted || ring->actors == ring->game->tables_count)
        return true;
    const struct fray_ring_table *t = &ring->tables[ring->actors];
    return actor < t->table->rows && has_bit(ring->visible, t->first * WORD + actor);
}

/* Of the match's new events those that are the viewer's. Decided once: what it saw, it keeps. */
static void events_collect(struct fray_viewer *viewer)
{
    const struct fray_snapshots *ring = viewer->ring;

    if (ring->events_count - viewer->events_seen > FRAY_SNAPSHOTS_EVENTS) {
        viewer->events_seen = ring->events_count - FRAY_SNAPSHOTS_EVENTS;
        viewer->has_lost_events = true;
    }
    for (; viewer->events_seen != ring->events_count; viewer->events_seen++) {
        uint32_t number = viewer->events_seen;
        if (is_for(viewer, &ring->events[number % FRAY_SNAPSHOTS_EVENTS].event))
            viewer->events[viewer->events_end++ % FRAY_SNAPSHOTS_EVENTS] = number;
    }
}

/* Whoever can decode the packet must have what is left out of it: what was sent on the stream up to
 * its baseline, else only what was acknowledged. Events that the ring has no more are gone, and the
 * client is told. */
static uint32_t events_begin(const struct fray_viewer_picture *picture)
{
    struct fray_viewer *viewer = picture->viewer;
    const struct fray_snapshots *ring = viewer->ring;
    bool follows_sent =
        fray_viewer_trusts(viewer) && picture->base && picture->base->seq == viewer->sent_seq;
    uint32_t first = follows_sent ? viewer->events_sent : viewer->events_floor;
    uint32_t at = first;

    if (viewer->events_end - at > FRAY_SNAPSHOTS_EVENTS)
        at = viewer->events_end - FRAY_SNAPSHOTS_EVENTS;
    while (at != viewer->events_end &&
           ring->events_count - viewer->events[at % FRAY_SNAPSHOTS_EVENTS] > FRAY_SNAPSHOTS_EVENTS)
        at++;
    viewer->has_lost_events |= at != first;
    if (at != first)
        viewer->events_floor = viewer->events_sent = at;
    return at;
}

uint32_t fray_viewer_put_events(struct fray_viewer_picture *picture)
{
    struct fray_viewer *viewer = picture->viewer;
    const struct fray_snapshots *ring = viewer->ring;

    events_collect(viewer);
    uint32_t begin = events_begin(picture), count = viewer->events_end - begin;
    count = count < FRAY_PACKET_EVENTS_MAX ? count : FRAY_PACKET_EVENTS_MAX;
    fray_bits_put_golomb(&picture->out, count, 0);
    if (count)
        fray_bits_put(&picture->out, begin % UINT16_MAX + 1, 16);
    for (uint32_t i = begin; i != begin + count; i++) {
        const struct fray_ring_event *event =
            &ring->events[viewer->events[i % FRAY_SNAPSHOTS_EVENTS] % FRAY_SNAPSHOTS_EVENTS];
        fray_bits_put_golomb(&picture->out, viewer->tick - event->tick, FRAY_DELTA_EVENT_AGE);
        fray_bits_append(&picture->out, event->words, event->bits);
    }
    return begin + count;
}

/* ------------------------------------------------------------------ what changed */

/* The row that the owner's part is encoded against: the viewer's, if it was already then. */
static const uint8_t *owner_base(const struct fray_viewer_picture *picture,
                                 const struct fray_ring_table *t, uint32_t number, uint32_t slot)
{
    if (slot == FRAY_RING_NOTHING)
        return NULL;
    const uint8_t *row = fray_ring_row(picture->viewer->ring, slot, t, number);
    return fray_delta_owns(t->table, row, number, picture->viewer->seat) ? row : NULL;
}

/* Rows that the viewer owns: of those in the word, the ones whose owner's part changed. */
static uint64_t compare_owned(const struct fray_viewer_picture *picture,
                              const struct fray_ring_table *t, uint32_t word, uint64_t rows)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    uint32_t seat = picture->viewer->seat;
    uint64_t changed = 0;

    if (!t->has_owner_part)
        return 0;
    if (t->table->owner == FRAY_GAME_ROW)
        rows &= seat / WORD == word ? (uint64_t)1 << seat % WORD : 0;
    for (; rows; rows &= rows - 1) {
        uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(rows);
        const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
        uint32_t slot = fray_viewer_slot(picture, t->first * WORD + number);
        if (fray_delta_owns(t->table, row, number, seat) &&
            fray_delta_differs(t->table, FRAY_DELTA_OWNER, owner_base(picture, t, number, slot),
                               row))
            changed |= rows & -rows;
    }
    return changed;
}

/* Rows that the client has of an older state than the others. Where that state is gone, the row is
 * sent as if it entered. */
static void compare_stale(const struct fray_viewer_picture *picture,
                          const struct fray_ring_table *t, uint32_t word, uint64_t rows)
{
    struct fray_snapshots *ring = picture->viewer->ring;
    uint32_t w = t->first + word;

    for (; rows; rows &= rows - 1) {
        uint64_t row = rows & -rows;
        uint32_t bit = w * WORD + (uint32_t)__builtin_ctzll(rows);
        uint8_t age = (uint8_t)(ring->takes - 1 - picture->as_of[bit]);
        if (age >= FRAY_SNAPSHOTS_RING) {
            ring->entered[w] |= row;
            ring->changed[w] &= ~row;
            continue;
        }
        uint32_t slot = picture->as_of[bit] % FRAY_SNAPSHOTS_RING;
        fray_ring_compare(ring, slot, t, word, row);
        ring->changed[w] |= ring->caches[slot].is_changed[w] & row;
    }
}

static void compare_word(const struct fray_viewer_picture *picture, const struct fray_ring_table *t,
                         uint32_t word)
{
    struct fray_snapshots *ring = picture->viewer->ring;
    uint32_t w = t->first + word;
    uint64_t visible = ring->visible[w], known = picture->known ? picture->known[w] : 0;

    if (!t->table->present)
        known = visible; /* they neither enter nor leave */
    uint64_t kept = known & visible;
    uint64_t stale = picture->stale ? picture->stale[w] & kept : 0;
    fray_ring_compare(ring, picture->slot, t, word, kept & ~stale);
    ring->kept[w] = kept;
    ring->entered[w] = visible & ~known;
    ring->postponed[w] = 0;
    ring->changed[w] = ring->caches[picture->slot].is_changed[w] & kept & ~stale;
    if (stale)
        compare_stale(picture, t, word, stale);
    ring->changed[w] |= compare_owned(picture, t, word, kept & ~ring->entered[w]);
    if (ring->entered[w])
        fray_ring_compare(ring, FRAY_RING_NOTHING, t, word, ring->entered[w]);
}

void fray_viewer_compare(struct fray_viewer_picture *picture)
{
    const struct fray_snapshots *ring = picture->viewer->ring;

    for (uint32_t i = 0; i < ring->game->tables_count; i++)
        for (uint32_t word = 0; word < ring->tables[i].words; word++)
            compare_word(picture, &ring->tables[i], word);
}

/* ------------------------------------------------------------------ tables */

/* A row as it is encoded for all, and what only its owner may know. */
static void put_row(struct fray_viewer_picture *picture, const struct fray_ring_table *t,
                    uint32_t number, uint32_t slot)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    const struct fray_ring_cache *cache = &ring->caches[slot];
    uint32_t seat = picture->viewer->seat, bit = t->first * WORD + number;
    bool is_changed = has_bit(cache->is_changed, bit);

    bool is_flagged = fray_delta_is_flagged(t->table, t->has_owner_part, number, seat);
    if (is_flagged)
        fray_bits_put(&picture->out, is_changed, 1);
    if (is_changed)
        fray_bits_append(&picture->out,
                         cache->encodings + t->encodings + (size_t)number * t->row_words,
                         cache->counts[bit]);
    if (!is_flagged)
        return;
    const uint8_t *row = fray_ring_row(ring, fray_ring_newest(ring), t, number);
    if (fray_delta_owns(t->table, row, number, seat))
        fray_delta_encode_flagged(t->table, FRAY_DELTA_OWNER, owner_base(picture, t, number, slot),
                                  row, &picture->out);
}

static bool is_any(const uint64_t *set, uint32_t words)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < words; i++)
        all |= set[i];
    return all;
}

static bool has_left(const struct fray_viewer_picture *picture, const struct fray_ring_table *t)
{
    uint64_t left = 0;

    for (uint32_t i = t->first; picture->known && i < t->first + t->words; i++)
        left |= picture->known[i] & ~picture->viewer->ring->kept[i];
    return left;
}

static void put_left(struct fray_viewer_picture *picture, const struct fray_ring_table *t)
{
    struct fray_delta_list list = {.order = FRAY_DELTA_GAP_KNOWN};

    for (uint32_t w = t->first; w < t->first + t->words; w++)
        for (uint64_t rows = picture->known[w]; rows; rows &= rows - 1) {
            if (rows & -rows & picture->viewer->ring->kept[w])
                list.gap++;
            else
                fray_delta_list_put(&list, &picture->out);
        }
    fray_delta_list_end(&list, &picture->out);
}

static void put_changed(struct fray_viewer_picture *picture, const struct fray_ring_table *t)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    struct fray_delta_list list = {.order = FRAY_DELTA_GAP_KNOWN};

    for (uint32_t word = 0; word < t->words; word++) {
        uint64_t changed = ring->changed[t->first + word];
        for (uint64_t rows = ring->kept[t->first + word]; rows; rows &= rows - 1) {
            if (!(rows & -rows & changed)) {
                list.gap++;
                continue;
            }
            uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(rows);
            fray_delta_list_put(&list, &picture->out);
            put_row(picture, t, number, fray_viewer_slot(picture, t->first * WORD + number));
        }
    }
    fray_delta_list_end(&list, &picture->out);
}

static void put_entered(struct fray_viewer_picture *picture, const struct fray_ring_table *t)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    struct fray_delta_list list = {.order = fray_delta_gap_any(t->table->rows)};
    uint32_t next = 0;

    for (uint32_t word = 0; word < t->words; word++)
        for (uint64_t rows = ring->entered[t->first + word]; rows; rows &= rows - 1) {
            uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(rows);
            list.gap = number - next;
            next = number + 1;
            fray_delta_list_put(&list, &picture->out);
            put_row(picture, t, number, FRAY_RING_NOTHING);
        }
    list.gap = t->table->rows - next;
    fray_delta_list_end(&list, &picture->out);
}

static void put_table(struct fray_viewer_picture *picture, const struct fray_ring_table *t)
{
    const struct fray_snapshots *ring = picture->viewer->ring;
    bool changed = is_any(ring->changed + t->first, t->words);
    bool entered = is_any(ring->entered + t->first, t->words);
    bool left = t->table->present && has_left(picture, t);

    fray_bits_put(&picture->out, changed || entered || left, 1);
    if (!changed && !entered && !left)
        return;
    if (t->table->present)
        fray_bits_put(&picture->out, left, 1);
    if (left)
        put_left(picture, t);
    put_changed(picture, t);
    if (t->table->present)
        fray_bits_put(&picture->out, entered, 1);
    if (entered)
        put_entered(picture, t);
}

void fray_viewer_put_tables(struct fray_viewer_picture *picture)
{
    const struct fray_snapshots *ring = picture->viewer->ring;

    for (uint32_t i = 0; i < ring->game->tables_count; i++)
        put_table(picture, &ring->tables[i]);
}
