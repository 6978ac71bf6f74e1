#include "broker/qos_outgoing.h"

#include <assert.h>

enum { CAP_MIN = 4, INFLIGHT_CAP_MAX = 65536 };

/* The two lists in flight. */
enum { FIRST = 0, LAST = 1 };

struct fray_qos_inflight {
    struct fray_qos_message message; /* its pointer is NULL once it is let go at PUBREC */
    uint16_t packet_id;              /* 0: free */
    uint16_t prev, next;             /* packet ids in its list */
    bool releasing;                  /* in `releases`: PUBREC came, PUBCOMP is awaited */
    bool resend;                     /* not sent on this connection yet */
};

void fray_qos_outgoing_init(struct fray_qos_outgoing *out, const struct fray_qos_config *config)
{
    assert(config->inflight_max > 0);
    *out = (struct fray_qos_outgoing){.config = config};
}

static void free_pending(struct fray_qos_outgoing *out)
{
    if (out->pending)
        fray_cells_give(out->config->cells, out->pending, out->pending_cap * sizeof *out->pending);
}

static void free_inflight(const struct fray_qos_outgoing *out, struct fray_qos_inflight *inflight,
                          uint32_t cap)
{
    if (inflight)
        fray_cells_give(out->config->cells, inflight, cap * sizeof *inflight);
}

static void let_go(const struct fray_qos_outgoing *out, struct fray_qos_message *message)
{
    if (message->message)
        out->config->ops.unref(message->message);
    message->message = NULL;
}

static struct fray_qos_message *pending_at(const struct fray_qos_outgoing *out, uint32_t i)
{
    return &out->pending[(out->pending_first + i) & (out->pending_cap - 1)];
}

void fray_qos_outgoing_deinit(struct fray_qos_outgoing *out)
{
    for (uint32_t i = 0; i < out->pending_count; i++)
        let_go(out, pending_at(out, i));
    for (uint32_t i = 0; i < out->inflight_cap; i++)
        let_go(out, &out->inflight[i].message);
    free_pending(out);
    free_inflight(out, out->inflight, out->inflight_cap);
    fray_qos_outgoing_init(out, out->config);
}

/* Pending */

static void grow_pending(struct fray_qos_outgoing *out)
{
    uint32_t cap = out->pending_cap ? out->pending_cap * 2 : CAP_MIN;
    struct fray_qos_message *ring = fray_cells_take(out->config->cells, cap * sizeof *ring);
    for (uint32_t i = 0; i < out->pending_count; i++)
        ring[i] = *pending_at(out, i);
    free_pending(out);
    out->pending = ring;
    out->pending_cap = cap;
    out->pending_first = 0;
}

enum fray_err fray_qos_outgoing_push(struct fray_qos_outgoing *out,
                                     const struct fray_qos_message *message)
{
    assert(message->message && (message->qos == 1 || message->qos == 2));
    if (out->pending_count >= out->config->pending_max ||
        out->pending_bytes + message->bytes > out->config->pending_bytes_max) {
        out->refused++;
        return FRAY_ERR_LIMIT;
    }
    if (out->pending_count == out->pending_cap)
        grow_pending(out);
    *pending_at(out, out->pending_count++) = *message;
    out->pending_bytes += message->bytes;
    out->config->ops.ref(message->message);
    return FRAY_OK;
}

/* Takes the oldest out, its reference with it. */
static struct fray_qos_message pop_pending(struct fray_qos_outgoing *out)
{
    struct fray_qos_message message = *pending_at(out, 0);
    out->pending_first = (out->pending_first + 1) & (out->pending_cap - 1);
    out->pending_bytes -= message.bytes;
    if (--out->pending_count == 0) {
        free_pending(out);
        out->pending = NULL;
        out->pending_cap = out->pending_first = 0;
    }
    return message;
}

static void drop_expired(struct fray_qos_outgoing *out, uint64_t now_us)
{
    while (out->pending_count) {
        uint64_t expires_us = pending_at(out, 0)->expires_us;
        if (expires_us == 0 || expires_us > now_us)
            return;
        struct fray_qos_message message = pop_pending(out);
        let_go(out, &message);
        out->expired++;
    }
}

/* In flight */

static struct fray_qos_inflight *slot_of(const struct fray_qos_outgoing *out, uint32_t packet_id)
{
    return &out->inflight[packet_id & (out->inflight_cap - 1)];
}

static struct fray_qos_inflight *find(const struct fray_qos_outgoing *out, uint16_t packet_id)
{
    if (out->inflight_cap == 0 || packet_id == 0)
        return NULL;
    struct fray_qos_inflight *entry = slot_of(out, packet_id);
    return entry->packet_id == packet_id ? entry : NULL;
}

static uint16_t *list_of(struct fray_qos_outgoing *out, const struct fray_qos_inflight *entry)
{
    return entry->releasing ? out->releases : out->publishes;
}

static void link_last(struct fray_qos_outgoing *out, struct fray_qos_inflight *entry)
{
    uint16_t *list = list_of(out, entry);
    entry->prev = list[LAST];
    entry->next = 0;
    if (entry->prev)
        slot_of(out, entry->prev)->next = entry->packet_id;
    else
        list[FIRST] = entry->packet_id;
    list[LAST] = entry->packet_id;
}

static void unlink_entry(struct fray_qos_outgoing *out, const struct fray_qos_inflight *entry)
{
    uint16_t *list = list_of(out, entry);
    if (entry->prev)
        slot_of(out, entry->prev)->next = entry->next;
    else
        list[FIRST] = entry->next;
    if (entry->next)
        slot_of(out, entry->next)->prev = entry->prev;
    else
        list[LAST] = entry->prev;
    if (out->resend_publish == entry->packet_id)
        out->resend_publish = entry->next;
    if (out->resend_release == entry->packet_id)
        out->resend_release = entry->next;
}

/* Ids that differ modulo the old cap differ modulo twice it: the entries only move. */
static void grow_inflight(struct fray_qos_outgoing *out)
{
    struct fray_qos_inflight *old = out->inflight;
    uint32_t old_cap = out->inflight_cap;
    out->inflight_cap = old_cap ? old_cap * 2 : CAP_MIN;
    out->inflight = fray_cells_take(out->config->cells, out->inflight_cap * sizeof *old);
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i].packet_id)
            *slot_of(out, old[i].packet_id) = old[i];
    }
    free_inflight(out, old, old_cap);
}

/* The next id in sequence whose slot is free. At most half of the slots are taken, unless more than
 * 32,768 messages are in flight; then the search may become long, but there always is one. */
static struct fray_qos_inflight *take_slot(struct fray_qos_outgoing *out)
{
    if (out->inflight_count >= out->inflight_cap / 2 && out->inflight_cap < INFLIGHT_CAP_MAX)
        grow_inflight(out);
    for (;;) {
        out->last_packet_id = (uint16_t)(out->last_packet_id + 1);
        if (out->last_packet_id == 0)
            continue; /* [MQTT-2.2.1-3] */
        struct fray_qos_inflight *entry = slot_of(out, out->last_packet_id);
        if (entry->packet_id == 0) {
            out->inflight_count++;
            entry->packet_id = out->last_packet_id;
            return entry;
        }
    }
}

void fray_qos_outgoing_each(const struct fray_qos_outgoing *out,
                            void (*visit)(void *context, const struct fray_qos_message *message,
                                          bool is_sent),
                            void *context)
{
    for (uint16_t id = out->publishes[FIRST]; id; id = slot_of(out, id)->next)
        visit(context, &slot_of(out, id)->message, true);
    for (uint32_t i = 0; i < out->pending_count; i++)
        visit(context, pending_at(out, i), false);
}

bool fray_qos_outgoing_has(const struct fray_qos_outgoing *out, uint16_t packet_id)
{
    return find(out, packet_id) != NULL;
}

void fray_qos_outgoing_restore(struct fray_qos_outgoing *out, uint16_t packet_id,
                               const struct fray_qos_message *message)
{
    assert(packet_id != 0 && !find(out, packet_id));
    while (out->inflight_cap == 0 || slot_of(out, packet_id)->packet_id ||
           (out->inflight_count >= out->inflight_cap / 2 && out->inflight_cap < INFLIGHT_CAP_MAX))
        grow_inflight(out);
    struct fray_qos_inflight *entry = slot_of(out, packet_id);
    *entry = (struct fray_qos_inflight){.packet_id = packet_id, .releasing = !message};
    if (message) {
        entry->message = *message;
        out->config->ops.ref(message->message);
    } else {
        entry->message.qos = 2;
    }
    out->inflight_count++;
    out->last_packet_id = packet_id;
    link_last(out, entry);
}

/* 4.9: an end of an exchange gives its place back, never beyond what the connection began with. */
static void finish(struct fray_qos_outgoing *out, struct fray_qos_inflight *entry)
{
    if (!entry->resend && out->quota < out->quota_max)
        out->quota++;
    unlink_entry(out, entry);
    let_go(out, &entry->message);
    *entry = (struct fray_qos_inflight){0};
    if (--out->inflight_count == 0) {
        free_inflight(out, out->inflight, out->inflight_cap);
        out->inflight = NULL;
        out->inflight_cap = 0;
    }
}

void fray_qos_outgoing_connect(struct fray_qos_outgoing *out, uint16_t receive_maximum)
{
    uint16_t own = out->config->inflight_max;
    out->quota_max = receive_maximum < own ? receive_maximum : own;
    out->quota = out->quota_max;
    for (uint32_t i = 0; i < out->inflight_cap; i++)
        out->inflight[i].resend = out->inflight[i].packet_id != 0;
    out->resend_publish = out->publishes[FIRST];
    out->resend_release = out->releases[FIRST];
}

/* The next entry at or after the cursor that this connection has not seen; NULL when there is none.
 */
static struct fray_qos_inflight *resend_at(const struct fray_qos_outgoing *out, uint16_t *cursor)
{
    while (*cursor) {
        struct fray_qos_inflight *entry = find(out, *cursor);
        if (entry->resend)
            return entry;
        *cursor = entry->next;
    }
    return NULL;
}

static void send_entry(struct fray_qos_outgoing *out, struct fray_qos_inflight *entry,
                       struct fray_qos_send *send)
{
    *send = (struct fray_qos_send){.release = entry->releasing,
                                   .dup = entry->resend && !entry->releasing,
                                   .packet_id = entry->packet_id,
                                   .message = entry->message};
    entry->resend = false;
    if (!entry->releasing)
        out->quota--;
}

enum fray_err fray_qos_outgoing_next(struct fray_qos_outgoing *out, uint64_t now_us,
                                     struct fray_qos_send *send)
{
    struct fray_qos_inflight *entry = resend_at(out, &out->resend_release);
    if (!entry) {
        drop_expired(out, now_us);
        entry = resend_at(out, &out->resend_publish);
        if (!entry && out->pending_count == 0)
            return FRAY_ERR_NOT_FOUND;
        /* Those whose PUBREL was sent again hold no quota, but still a place of ours. */
        if (out->quota == 0 || (!entry && out->inflight_count >= out->config->inflight_max))
            return FRAY_ERR_AGAIN;
    }
    if (!entry) {
        entry = take_slot(out);
        entry->message = pop_pending(out);
        link_last(out, entry);
    }
    send_entry(out, entry, send);
    return FRAY_OK;
}

void fray_qos_outgoing_skip(struct fray_qos_outgoing *out, uint16_t packet_id)
{
    struct fray_qos_inflight *entry = find(out, packet_id);
    assert(entry && !entry->releasing);
    finish(out, entry);
}

enum fray_err fray_qos_outgoing_puback(struct fray_qos_outgoing *out, uint16_t packet_id)
{
    struct fray_qos_inflight *entry = find(out, packet_id);
    if (!entry)
        return FRAY_ERR_NOT_FOUND;
    if (entry->message.qos != 1)
        return FRAY_ERR_STATE;
    finish(out, entry);
    return FRAY_OK;
}

enum fray_err fray_qos_outgoing_pubrec(struct fray_qos_outgoing *out, uint16_t packet_id,
                                       bool failed)
{
    struct fray_qos_inflight *entry = find(out, packet_id);
    if (!entry)
        return FRAY_ERR_NOT_FOUND;
    if (entry->message.qos != 2 || (failed && entry->releasing))
        return FRAY_ERR_STATE;
    if (failed) {
        finish(out, entry);
        return FRAY_OK;
    }
    if (!entry->releasing) {
        unlink_entry(out, entry);
        entry->releasing = true;
        link_last(out, entry);
        let_go(out, &entry->message);
    }
    /* Its PUBREL goes out now, so that a reconnect's turn need not send it a second time. */
    entry->resend = false;
    return FRAY_OK;
}

enum fray_err fray_qos_outgoing_pubcomp(struct fray_qos_outgoing *out, uint16_t packet_id)
{
    struct fray_qos_inflight *entry = find(out, packet_id);
    if (!entry)
        return FRAY_ERR_NOT_FOUND;
    if (!entry->releasing)
        return FRAY_ERR_STATE;
    finish(out, entry);
    return FRAY_OK;
}
