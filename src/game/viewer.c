/* What a viewer has, at what rate it gets more (snapshots.h). */
#include "game/viewer.h"

#include <assert.h>

#include "base/mem.h"

enum { WORD = 64, RING = FRAY_SNAPSHOTS_RING };

static uint32_t newest_tick(const struct fray_snapshots *ring)
{
    return ring->takes ? ring->ticks[fray_ring_newest(ring)] : 0;
}

static uint32_t hz_clamp(uint32_t hz, const struct fray_game *game)
{
    uint32_t max =
        game->tick_hz < FRAY_SNAPSHOTS_HZ_MAX ? game->tick_hz : (uint32_t)FRAY_SNAPSHOTS_HZ_MAX;

    hz = hz < FRAY_SNAPSHOTS_HZ_MIN ? (uint32_t)FRAY_SNAPSHOTS_HZ_MIN : hz;
    return hz < max ? hz : max;
}

static bool has_limit(const struct fray_snapshots *ring)
{
    for (uint32_t i = 0; i < ring->game->tables_count; i++)
        if (ring->tables[i].has_places)
            return true;
    return false;
}

struct fray_viewer *fray_viewer_create(struct fray_snapshots *ring, uint32_t seat,
                                       const struct fray_packet_hello *hello)
{
    struct fray_viewer *viewer = fray_alloc_zero(sizeof *viewer);
    size_t sets = (size_t)RING * ring->words;

    assert(ring->game->tick_hz);
    viewer->ring = ring;
    viewer->seat = seat;
    viewer->is_stream = hello->flags & FRAY_HELLO_STREAM;
    uint32_t standard = viewer->is_stream ? FRAY_SNAPSHOTS_HZ_STREAM : FRAY_SNAPSHOTS_HZ_DATAGRAM;
    viewer->wished_hz = viewer->hz =
        hz_clamp(hello->snapshot_hz ? hello->snapshot_hz : standard, ring->game);
    viewer->known = fray_alloc_zero(sets * sizeof(uint64_t));
    viewer->stale = fray_alloc_zero(sets * sizeof(uint64_t));
    if (has_limit(ring)) {
        viewer->as_of = fray_alloc_zero(sets * WORD);
        viewer->waited = fray_alloc_zero((size_t)ring->words * WORD * sizeof *viewer->waited);
    }
    viewer->calm_s = 1;
    viewer->events_seen = ring->events_count;
    viewer->room = FRAY_SNAPSHOTS_PACKET * 8;
    fray_viewer_begin(viewer, 0, newest_tick(ring));
    return viewer;
}

void fray_viewer_begin(struct fray_viewer *viewer, uint16_t after_seq, uint32_t tick)
{
    viewer->seq = after_seq;
    viewer->resumed_seq = fray_packet_seq_next(after_seq);
    viewer->resumed_tick = viewer->distrust_tick = viewer->calm_tick = viewer->ack_tick = tick;
    /* So that not all pay for the hash in the same tick. */
    viewer->hash_tick = tick - viewer->seat * 7 % viewer->ring->game->tick_hz;
}

uint16_t fray_viewer_seq(const struct fray_viewer *viewer)
{
    return viewer->seq;
}

void fray_viewer_destroy(struct fray_viewer *viewer)
{
    if (!viewer)
        return;
    free(viewer->known);
    free(viewer->stale);
    free(viewer->as_of);
    free(viewer->waited);
    free(viewer);
}

/* ------------------------------------------------------------------ what the client has */

static struct fray_viewer_baseline *baseline_find(struct fray_viewer *viewer, uint16_t seq)
{
    struct fray_viewer_baseline *baseline = &viewer->baselines[seq % RING];

    return seq && baseline->seq == seq && baseline->is_there ? baseline : NULL;
}

static void count_up_to(uint32_t *count, uint32_t end)
{
    if ((int32_t)(end - *count) > 0)
        *count = end;
}

/* Not with what was sent, but with what the client is known to have. */
static void resume(struct fray_viewer *viewer)
{
    viewer->sent_seq = 0;
    viewer->events_sent = viewer->events_floor;
    viewer->resumed_seq = fray_packet_seq_next(viewer->seq);
    viewer->resumed_tick = newest_tick(viewer->ring);
}

void fray_viewer_forget(struct fray_viewer *viewer)
{
    for (uint32_t i = 0; i < RING; i++)
        viewer->baselines[i].is_there = false;
    viewer->acked_seq = 0;
    resume(viewer);
}

/* The client cannot decode: something between it and the server was lost, though it is a stream. It
 * goes on saying so until something arrives that was made since. If that is not decoded either, it
 * has nothing. */
static void catch_up(struct fray_viewer *viewer, uint16_t ack)
{
    uint32_t second = viewer->ring->game->tick_hz, now = newest_tick(viewer->ring);
    bool is_known_yet = ack == 0 || fray_packet_seq_newer(viewer->resumed_seq, ack);

    if (is_known_yet && now - viewer->resumed_tick < second)
        return;
    viewer->distrust_tick = now + FRAY_SNAPSHOTS_DISTRUST_S * second;
    if (is_known_yet)
        fray_viewer_forget(viewer);
    else
        resume(viewer);
}

void fray_viewer_ack(struct fray_viewer *viewer, const struct fray_packet_input *packet)
{
    const struct fray_viewer_baseline *baseline = baseline_find(viewer, packet->ack);

    if (baseline && (!viewer->acked_seq || fray_packet_seq_newer(packet->ack, viewer->acked_seq))) {
        viewer->acked_seq = viewer->reported_seq = packet->ack;
        viewer->ack_tick = newest_tick(viewer->ring);
        count_up_to(&viewer->events_floor, baseline->events_end);
        count_up_to(&viewer->events_sent, viewer->events_floor);
    }
    if (packet->flags & FRAY_INPUT_NEED_FULL)
        catch_up(viewer, packet->ack);
}

uint16_t fray_viewer_acked(const struct fray_viewer *viewer)
{
    return viewer->reported_seq;
}

bool fray_viewer_tick_of(const struct fray_viewer *viewer, uint16_t seq, uint32_t *tick)
{
    const struct fray_viewer_baseline *baseline = &viewer->baselines[seq % RING];

    if (seq == 0 || baseline->seq != seq)
        return false;
    *tick = baseline->tick;
    return true;
}

uint32_t fray_viewer_seat(const struct fray_viewer *viewer)
{
    return viewer->seat;
}

/* ------------------------------------------------------------------ the rate */

uint32_t fray_viewer_hz(const struct fray_viewer *viewer)
{
    return viewer->hz;
}

uint32_t fray_viewer_wished_hz(const struct fray_viewer *viewer)
{
    return viewer->wished_hz;
}

bool fray_viewer_is_due(const struct fray_viewer *viewer, uint32_t tick)
{
    return !viewer->has_encoded || (int32_t)(tick - viewer->due_tick) >= 0;
}

/* Nobody can tell how much is on its way to who has acked nothing for so long. */
static bool is_deaf(const struct fray_viewer *viewer)
{
    return viewer->tick - viewer->ack_tick > FRAY_SNAPSHOTS_DEAF_S * viewer->ring->game->tick_hz;
}

/* The first tick of the next part of a second. */
static uint32_t next_due(const struct fray_viewer *viewer)
{
    uint64_t tick_hz = viewer->ring->game->tick_hz;
    uint64_t hz = is_deaf(viewer) ? FRAY_SNAPSHOTS_HZ_DEAF : viewer->hz;
    uint64_t next = (uint64_t)viewer->tick * hz / tick_hz + 1;
    return (uint32_t)((next * tick_hz + hz - 1) / hz);
}

/* Where raising it did no good, it is tried less often. */
static void slow_down(struct fray_viewer *viewer)
{
    uint32_t second = viewer->ring->game->tick_hz;
    bool was_in_vain = viewer->is_raised && viewer->tick - viewer->raised_tick < 2 * second;
    if (was_in_vain && viewer->calm_s < FRAY_SNAPSHOTS_CALM_S)
        viewer->calm_s *= 2;
    viewer->is_raised = false;
    viewer->hz = hz_clamp(viewer->hz / 2, viewer->ring->game);
    viewer->calm_tick = viewer->tick;
}

static void adapt(struct fray_viewer *viewer)
{
    uint32_t second = viewer->ring->game->tick_hz, calm = viewer->tick - viewer->calm_tick;

    if (calm >= second && viewer->tick - viewer->ack_tick > second) {
        slow_down(viewer);
    } else if (calm >= viewer->calm_s * second && viewer->hz < viewer->wished_hz) {
        viewer->hz = viewer->hz * 2 < viewer->wished_hz ? viewer->hz * 2 : viewer->wished_hz;
        viewer->calm_tick = viewer->raised_tick = viewer->tick;
        viewer->is_raised = true;
    } else if (calm >= FRAY_SNAPSHOTS_CALM_S * second) {
        viewer->calm_s = 1;
    }
    viewer->due_tick = next_due(viewer);
}

void fray_viewer_sent(struct fray_viewer *viewer, bool was_sent)
{
    struct fray_viewer_baseline *baseline = baseline_find(viewer, viewer->seq);

    if (!baseline)
        return;
    if (!was_sent) {
        baseline->is_there = false;
        slow_down(viewer);
        viewer->due_tick = next_due(viewer);
    } else if (viewer->is_stream) {
        viewer->sent_seq = viewer->seq;
        count_up_to(&viewer->events_sent, baseline->events_end);
    }
}

/* ------------------------------------------------------------------ a packet */

/* NULL when the client has none that is young enough, is still in the ring, and will not make room
 * for the one in the making. */
static const struct fray_viewer_baseline *baseline_choose(struct fray_viewer *viewer)
{
    const struct fray_snapshots *ring = viewer->ring;
    bool is_sent = fray_viewer_trusts(viewer) && viewer->sent_seq;
    uint16_t seq = is_sent ? viewer->sent_seq : viewer->acked_seq;
    const struct fray_viewer_baseline *baseline = baseline_find(viewer, seq);

    if (!baseline || seq % RING == viewer->seq % RING || ring->takes - baseline->take > RING ||
        newest_tick(ring) - baseline->tick > ring->game->tick_hz)
        return NULL;
    return baseline;
}

static struct fray_viewer_picture picture_begin(struct fray_viewer *viewer)
{
    uint32_t words = viewer->ring->words;
    struct fray_viewer_picture picture = {.viewer = viewer, .slot = FRAY_RING_NOTHING};

    picture.base = baseline_choose(viewer);
    if (!picture.base)
        return picture;
    size_t index = picture.base->seq % RING;
    picture.slot = picture.base->take % RING;
    picture.known = viewer->known + index * words;
    if (viewer->as_of) {
        picture.stale = viewer->stale + index * words;
        picture.as_of = viewer->as_of + index * words * WORD;
    }
    return picture;
}

/* Rows that changed and have to wait stay as they were, of the state that they were of. */
static void remember_stale(const struct fray_viewer_picture *picture, size_t index)
{
    struct fray_viewer *viewer = picture->viewer;
    const struct fray_snapshots *ring = viewer->ring;
    uint64_t *stale = viewer->stale + index * ring->words;
    uint8_t *as_of = viewer->as_of + index * ring->words * WORD;

    for (uint32_t w = 0; w < ring->words; w++) {
        stale[w] = ring->postponed[w];
        for (uint64_t rows = stale[w]; rows; rows &= rows - 1) {
            uint32_t bit = w * WORD + (uint32_t)__builtin_ctzll(rows);
            bool was_stale = picture->stale[w] & (rows & -rows);
            as_of[bit] = was_stale ? picture->as_of[bit] : (uint8_t)picture->base->take;
        }
    }
}

static void remember(const struct fray_viewer_picture *picture, uint32_t events_end)
{
    struct fray_viewer *viewer = picture->viewer;
    const struct fray_snapshots *ring = viewer->ring;
    size_t index = viewer->seq % RING;
    uint64_t *known = viewer->known + index * ring->words;

    for (uint32_t w = 0; w < ring->words; w++)
        known[w] = ring->kept[w] | ring->entered[w];
    if (viewer->as_of)
        remember_stale(picture, index);
    viewer->baselines[index] = (struct fray_viewer_baseline){.seq = viewer->seq,
                                                             .is_there = true,
                                                             .take = ring->takes - 1,
                                                             .tick = newest_tick(ring),
                                                             .events_end = events_end};
}

/* A row that the client has, as it has it after the packet encoded last. */
static void row_view(const struct fray_viewer *viewer, const struct fray_ring_table *t,
                     uint32_t number, uint8_t *row)
{
    const struct fray_snapshots *ring = viewer->ring;
    size_t index = viewer->seq % RING, bit = (size_t)t->first * WORD + number;
    const struct fray_viewer_baseline *shown = &viewer->baselines[index];
    uint32_t take = shown->take;

    if (viewer->stale[index * ring->words + bit / WORD] >> bit % WORD & 1)
        take = viewer->as_of[index * ring->words * WORD + bit];
    memcpy(row, fray_ring_row(ring, take % RING, t, number), t->table->stride);
    bool owned = fray_delta_owns(t->table, row, number, viewer->seat);
    fray_delta_clear_secrets(t->table, row, owned);
    fray_delta_set_clocks(t->table, row, shown->tick, owned);
}

void fray_viewer_view(const struct fray_viewer *viewer, void *view)
{
    const struct fray_snapshots *ring = viewer->ring;
    const uint64_t *known = viewer->known + (size_t)(viewer->seq % RING) * ring->words;

    memset(view, 0, ring->game->state_size);
    for (uint32_t i = 0; i < ring->game->tables_count; i++) {
        const struct fray_ring_table *t = &ring->tables[i];
        uint8_t *rows = (uint8_t *)view + t->table->offset;
        for (uint32_t word = 0; word < t->words; word++)
            for (uint64_t left = known[t->first + word]; left; left &= left - 1) {
                uint32_t number = word * WORD + (uint32_t)__builtin_ctzll(left);
                row_view(viewer, t, number, rows + (size_t)number * t->table->stride);
            }
    }
}

/* How long the header will be, with all that does not depend on what comes after it. Its events,
 * most of it, are not looked at. */
static size_t header_begin(const struct fray_viewer_picture *picture,
                           const struct fray_viewer_frame *frame,
                           struct fray_packet_snapshot *header, void *at)
{
    const struct fray_viewer *viewer = picture->viewer;
    bool with_hash =
        frame->with_hash || viewer->tick - viewer->hash_tick >= viewer->ring->game->tick_hz;

    header->flags = with_hash ? FRAY_SNAPSHOT_HASH : 0;
    header->seq = viewer->seq;
    header->base_seq = picture->base ? picture->base->seq : viewer->seq;
    header->tick = viewer->tick;
    header->input_tick = frame->input_tick;
    header->margin = frame->margin;
    header->hash = 0;
    return fray_packet_snapshot_header_encode(header, at, FRAY_PACKET_SNAPSHOT_HEADER);
}

static void header_end(struct fray_viewer *viewer, struct fray_packet_snapshot *header, void *at)
{
    struct fray_snapshots *ring = viewer->ring;

    if (viewer->has_lost_events)
        header->flags |= FRAY_SNAPSHOT_EVENTS_LOST;
    viewer->has_lost_events = false;
    if (header->flags & FRAY_SNAPSHOT_HASH) {
        fray_viewer_view(viewer, ring->view);
        header->hash = fray_game_hash(FRAY_GAME_HASH_START, ring->view, ring->game->state_size);
        viewer->hash_tick = viewer->tick;
    }
    fray_packet_snapshot_header_encode(header, at, FRAY_PACKET_SNAPSHOT_HEADER);
}

/* What has passed since the last packet may be sent, but not more than a packet's worth at once. */
static void refill(struct fray_viewer *viewer)
{
    const struct fray_snapshots *ring = viewer->ring;
    uint32_t ticks = newest_tick(ring) - viewer->tick, most = FRAY_SNAPSHOTS_PACKET * 8;
    int64_t room = viewer->room + (int64_t)ticks * FRAY_SNAPSHOTS_RATE / ring->game->tick_hz;

    viewer->room = !viewer->has_encoded || room > most ? (int32_t)most : (int32_t)room;
}

void fray_viewer_encode(struct fray_viewer *viewer, const struct fray_viewer_frame *frame,
                        struct fray_buf *out)
{
    struct fray_snapshots *ring = viewer->ring;

    assert(ring->takes);
    refill(viewer);
    viewer->seq = fray_packet_seq_next(viewer->seq);
    viewer->tick = newest_tick(ring);
    viewer->has_encoded = true;
    uint8_t *packet = (uint8_t *)fray_buf_reserve(out, ring->packet_max);

    struct fray_viewer_picture picture = picture_begin(viewer);
    struct fray_packet_snapshot header;
    size_t before = header_begin(&picture, frame, &header, packet);
    picture.out = fray_bits_writer(packet + before, ring->packet_max - before);
    fray_ring_look(ring, viewer->seat);
    uint32_t events_end = fray_viewer_put_events(&picture);
    fray_viewer_compare(&picture);
    if (ring->is_limited && viewer->as_of)
        fray_viewer_limit(&picture);
    fray_viewer_put_tables(&picture);
    remember(&picture, events_end);
    header_end(viewer, &header, packet);
    size_t len = fray_bits_finish(&picture.out);
    assert(before && len);
    out->len += before + len;
    viewer->room -= (int32_t)(before + len) * 8;
    if (viewer->room < -FRAY_SNAPSHOTS_PACKET * 8)
        viewer->room = -FRAY_SNAPSHOTS_PACKET * 8;
    adapt(viewer);
}
