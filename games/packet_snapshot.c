/* SNAPSHOT's bits (packet.h): events, then what changed in each table. */
#include "delta.h"
#include "packet.h"

/* One table of one snapshot. */
struct tables {
    const struct fray_game *game;
    const struct fray_game_table *table;
    uint32_t seat, tick;
    bool has_owner_part;
    const uint8_t *base; /* of the table's first row, or NULL: zeros */
    uint8_t *view;
};

static const uint8_t *base_row(const struct tables *t, uint32_t row)
{
    return t->base ? t->base + (size_t)row * t->table->stride : NULL;
}

static uint8_t *view_row(const struct tables *t, uint32_t row)
{
    return t->view + (size_t)row * t->table->stride;
}

static void table_select(struct tables *t, uint32_t number, const void *base, void *view)
{
    t->table = &t->game->tables[number];
    t->base = base ? (const uint8_t *)base + t->table->offset : NULL;
    t->view = (uint8_t *)view + t->table->offset;
    t->has_owner_part = fray_delta_has(t->table, FRAY_DELTA_OWNER);
}

/* ------------------------------------------------------------------ decoding */

static void events_decode(const struct fray_game *game, struct fray_packet_snapshot *snapshot,
                          struct fray_bits_reader *in)
{
    uint32_t count = fray_bits_take_golomb(in, 0);

    if (count > FRAY_PACKET_EVENTS_MAX)
        in->is_bad = true;
    if (count == 0 || in->is_bad)
        return;
    uint16_t seq = (uint16_t)fray_bits_take(in, 16);
    in->is_bad |= seq == 0;
    for (uint32_t i = 0; i < count && !in->is_bad; i++) {
        struct fray_packet_event *event = &snapshot->events[i];
        *event = (struct fray_packet_event){.seq = seq};
        event->tick = snapshot->tick - fray_bits_take_golomb(in, FRAY_DELTA_EVENT_AGE);
        fray_delta_decode_event(game, &event->event, in);
        seq = fray_packet_seq_next(seq);
    }
    snapshot->events_count = count;
}

static void row_decode(struct tables *t, uint32_t number, struct fray_bits_reader *in)
{
    uint8_t *row = view_row(t, number);

    if (fray_delta_is_flagged(t->table, t->has_owner_part, number, t->seat))
        fray_delta_decode_flagged(t->table, FRAY_DELTA_PUBLIC, row, in);
    else
        fray_delta_decode(t->table, FRAY_DELTA_PUBLIC, row, in);
    bool owned = fray_delta_owns(t->table, row, number, t->seat);
    if (owned && t->has_owner_part)
        fray_delta_decode_flagged(t->table, FRAY_DELTA_OWNER, row, in);
    fray_delta_clear_secrets(t->table, row, owned);
    in->is_bad |= !fray_delta_is_present(t->table, row);
}

static void row_leave(struct tables *t, uint32_t number, struct fray_bits_reader *in)
{
    (void)in;
    __builtin_memset(view_row(t, number), 0, t->table->stride);
}

static void row_enter(struct tables *t, uint32_t number, struct fray_bits_reader *in)
{
    row_leave(t, number, in);
    row_decode(t, number, in);
}

/* Could the row be listed? Any may enter, others must be there. */
static bool is_candidate(const struct tables *t, uint32_t row, bool enters)
{
    return enters || fray_delta_is_present(t->table, view_row(t, row));
}

static void list_decode(struct tables *t, bool enters, struct fray_bits_reader *in,
                        void (*each)(struct tables *, uint32_t, struct fray_bits_reader *))
{
    uint32_t order = enters ? fray_delta_gap_any(t->table->rows) : FRAY_DELTA_GAP_KNOWN;
    uint32_t left = 0, skip = 0;
    bool know_skip = false;

    for (uint32_t row = 0; row < t->table->rows; row++)
        left += is_candidate(t, row, enters);
    for (uint32_t row = 0; row < t->table->rows && left && !in->is_bad; row++) {
        if (!is_candidate(t, row, enters))
            continue;
        if (!know_skip) {
            skip = fray_bits_take_golomb(in, order);
            know_skip = true;
            in->is_bad |= skip > left;
        }
        if (skip == left || in->is_bad)
            return;
        left--;
        if (skip-- == 0) {
            know_skip = false;
            each(t, row, in);
        }
    }
}

static void table_decode(struct tables *t, struct fray_bits_reader *in)
{
    size_t size = (size_t)t->table->rows * t->table->stride;

    if (t->base)
        __builtin_memcpy(t->view, t->base, size);
    else
        __builtin_memset(t->view, 0, size);
    if (fray_bits_take(in, 1)) {
        if (t->table->present && fray_bits_take(in, 1))
            list_decode(t, false, in, row_leave);
        list_decode(t, false, in, row_decode);
        if (t->table->present && fray_bits_take(in, 1))
            list_decode(t, true, in, row_enter);
    }
    for (uint32_t row = 0; row < t->table->rows; row++)
        if (is_candidate(t, row, false))
            fray_delta_set_clocks(t->table, view_row(t, row), t->tick,
                                  fray_delta_owns(t->table, view_row(t, row), row, t->seat));
}

bool fray_packet_snapshot_decode(const struct fray_game *game, uint32_t seat, const void *base,
                                 void *view, struct fray_packet_snapshot *snapshot,
                                 const void *bytes, size_t len)
{
    size_t header = fray_packet_snapshot_header_decode(snapshot, bytes, len);

    if (header == 0 || (snapshot->base_seq == snapshot->seq) != (base == NULL))
        return false;
    struct fray_bits_reader in = fray_bits_reader((const uint8_t *)bytes + header, len - header);
    events_decode(game, snapshot, &in);
    struct tables t = {.game = game, .seat = seat, .tick = snapshot->tick};
    for (uint32_t i = 0; i < game->tables_count && !in.is_bad; i++) {
        table_select(&t, i, base, view);
        table_decode(&t, &in);
    }
    return fray_bits_is_done(&in);
}

/* ------------------------------------------------------------------ encoding */

static void events_encode(const struct fray_game *game, const struct fray_packet_snapshot *snapshot,
                          struct fray_bits_writer *out)
{
    fray_bits_put_golomb(out, snapshot->events_count, 0);
    for (uint32_t i = 0; i < snapshot->events_count; i++) {
        const struct fray_packet_event *event = &snapshot->events[i];
        if (i == 0)
            fray_bits_put(out, event->seq, 16);
        fray_bits_put_golomb(out, snapshot->tick - event->tick, FRAY_DELTA_EVENT_AGE);
        fray_delta_encode_event(game, &event->event, out);
    }
}

static void row_encode(const struct tables *t, uint32_t number, const uint8_t *base,
                       struct fray_bits_writer *out)
{
    const uint8_t *row = view_row(t, number);

    if (fray_delta_is_flagged(t->table, t->has_owner_part, number, t->seat))
        fray_delta_encode_flagged(t->table, FRAY_DELTA_PUBLIC, base, row, out);
    else
        fray_delta_encode(t->table, FRAY_DELTA_PUBLIC, base, row, out);
    if (t->has_owner_part && fray_delta_owns(t->table, row, number, t->seat))
        fray_delta_encode_flagged(t->table, FRAY_DELTA_OWNER, base, row, out);
}

enum fate { FATE_NONE, FATE_SAME, FATE_CHANGED, FATE_LEFT, FATE_ENTERED };

static enum fate row_fate(const struct tables *t, uint32_t number)
{
    const uint8_t *base = base_row(t, number), *row = view_row(t, number);
    bool was = t->base && fray_delta_is_present(t->table, base);
    bool is = fray_delta_is_present(t->table, row);

    if (!t->table->present)
        was = is = true;
    if (was != is)
        return was ? FATE_LEFT : FATE_ENTERED;
    if (!is)
        return FATE_NONE;
    if (fray_delta_differs(t->table, FRAY_DELTA_PUBLIC, base, row) ||
        (fray_delta_owns(t->table, row, number, t->seat) &&
         fray_delta_differs(t->table, FRAY_DELTA_OWNER, base, row)))
        return FATE_CHANGED;
    return FATE_SAME;
}

static bool table_has(const struct tables *t, enum fate fate)
{
    for (uint32_t row = 0; row < t->table->rows; row++)
        if (row_fate(t, row) == fate)
            return true;
    return false;
}

static void leaves_encode(const struct tables *t, struct fray_bits_writer *out)
{
    struct fray_delta_list list = {.order = FRAY_DELTA_GAP_KNOWN};
    bool any = table_has(t, FATE_LEFT);

    fray_bits_put(out, any, 1);
    for (uint32_t row = 0; row < t->table->rows && any; row++) {
        enum fate fate = row_fate(t, row);
        if (fate == FATE_LEFT)
            fray_delta_list_put(&list, out);
        else if (fate == FATE_SAME || fate == FATE_CHANGED)
            list.gap++;
    }
    fray_delta_list_end(&list, out);
}

static void changes_encode(const struct tables *t, struct fray_bits_writer *out)
{
    struct fray_delta_list list = {.order = FRAY_DELTA_GAP_KNOWN};

    for (uint32_t row = 0; row < t->table->rows; row++) {
        enum fate fate = row_fate(t, row);
        list.gap += fate == FATE_SAME;
        if (fate != FATE_CHANGED)
            continue;
        fray_delta_list_put(&list, out);
        row_encode(t, row, base_row(t, row), out);
    }
    fray_delta_list_end(&list, out);
}

static void enters_encode(const struct tables *t, struct fray_bits_writer *out)
{
    struct fray_delta_list list = {.order = fray_delta_gap_any(t->table->rows)};
    bool any = table_has(t, FATE_ENTERED);

    fray_bits_put(out, any, 1);
    for (uint32_t row = 0; row < t->table->rows && any; row++) {
        if (row_fate(t, row) != FATE_ENTERED) {
            list.gap++;
            continue;
        }
        fray_delta_list_put(&list, out);
        row_encode(t, row, NULL, out);
    }
    fray_delta_list_end(&list, out);
}

size_t fray_packet_snapshot_encode(const struct fray_game *game, uint32_t seat, const void *base,
                                   const void *view, const struct fray_packet_snapshot *snapshot,
                                   void *out, size_t size)
{
    size_t header = fray_packet_snapshot_header_encode(snapshot, out, size);

    if (header == 0 || snapshot->events_count > FRAY_PACKET_EVENTS_MAX)
        return 0;
    struct fray_bits_writer bits = fray_bits_writer((uint8_t *)out + header, size - header);
    events_encode(game, snapshot, &bits);
    struct tables t = {.game = game, .seat = seat, .tick = snapshot->tick};
    for (uint32_t i = 0; i < game->tables_count; i++) {
        table_select(&t, i, base, (void *)(uintptr_t)view); /* it is only read */
        bool any =
            table_has(&t, FATE_CHANGED) || table_has(&t, FATE_LEFT) || table_has(&t, FATE_ENTERED);
        fray_bits_put(&bits, any, 1);
        if (!any)
            continue;
        if (t.table->present)
            leaves_encode(&t, &bits);
        changes_encode(&t, &bits);
        if (t.table->present)
            enters_encode(&t, &bits);
    }
    size_t len = fray_bits_finish(&bits);
    return len ? header + len : 0;
}
