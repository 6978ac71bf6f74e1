#include "client/snapshots.h"

void fray_client_snapshots_init(struct fray_client_snapshots *snapshots,
                                const struct fray_game *game, char *states)
{
    *snapshots = (struct fray_client_snapshots){
        .game = game, .states = states, .newest = -1, .is_anew = true};
}

void fray_client_snapshots_restart(struct fray_client_snapshots *snapshots)
{
    for (int i = 0; i < FRAY_CLIENT_VIEWS; i++)
        snapshots->views[i].seq = 0;
    snapshots->ack = 0;
    snapshots->ack_bits = 0;
    snapshots->needs_full = false;
    snapshots->is_anew = true;
}

char *fray_client_snapshots_state(const struct fray_client_snapshots *snapshots, int view)
{
    return snapshots->states + (size_t)view * snapshots->game->state_size;
}

/* From a to b, where sequence numbers run in a circle of 1 … 65535. */
static int32_t distance(uint16_t a, uint16_t b)
{
    int32_t step = ((int32_t)b - a + UINT16_MAX) % UINT16_MAX;
    return step > INT16_MAX ? step - UINT16_MAX : step;
}

static void acknowledge(struct fray_client_snapshots *snapshots, uint16_t seq)
{
    int32_t step = distance(snapshots->ack, seq);
    snapshots->received++;
    if (!snapshots->ack) {
        snapshots->ack = seq;
    } else if (step > 0) {
        uint64_t bits = (uint64_t)snapshots->ack_bits << 1 | 1;
        snapshots->missed += (uint32_t)step - 1;
        snapshots->ack_bits = step > 32 ? 0 : (uint32_t)(bits << (step - 1));
        snapshots->ack = seq;
    } else if (step < 0) {
        snapshots->missed -= snapshots->missed > 0;
        snapshots->ack_bits |= 1u << (-step - 1);
    }
}

static bool is_useless(struct fray_client_snapshots *snapshots, uint16_t seq, uint16_t base_seq)
{
    const struct fray_client_view *views = snapshots->views;
    bool is_old = snapshots->ack && distance(snapshots->ack, seq) <= 0;
    if (is_old && (distance(snapshots->ack, seq) <= -FRAY_CLIENT_VIEWS ||
                   views[seq % FRAY_CLIENT_VIEWS].seq == seq))
        return true;
    bool has_base = seq == base_seq || views[base_seq % FRAY_CLIENT_VIEWS].seq == base_seq;
    bool makes_room = seq != base_seq && seq % FRAY_CLIENT_VIEWS == base_seq % FRAY_CLIENT_VIEWS;
    if (has_base && !makes_room)
        return false;
    snapshots->needs_full = snapshots->needs_full || !is_old;
    return true;
}

static void keep(struct fray_client_snapshots *snapshots, int slot,
                 const struct fray_packet_snapshot *packet)
{
    if (snapshots->is_anew) {
        for (int i = 0; i < FRAY_CLIENT_VIEWS; i++)
            snapshots->views[i].is_there = false;
        snapshots->newest = -1;
        snapshots->is_anew = false;
    }
    snapshots->views[slot] =
        (struct fray_client_view){.is_there = true, .seq = packet->seq, .tick = packet->tick};
    if (snapshots->newest < 0 || packet->tick >= snapshots->views[snapshots->newest].tick)
        snapshots->newest = slot;
}

enum fray_client_snapshot_fate
fray_client_snapshots_receive(struct fray_client_snapshots *snapshots, uint32_t seat,
                              struct fray_packet_snapshot *packet, const void *bytes, size_t len)
{
    if (!fray_packet_snapshot_header_decode(packet, bytes, len))
        return FRAY_CLIENT_SNAPSHOT_MALFORMED;
    if (is_useless(snapshots, packet->seq, packet->base_seq))
        return FRAY_CLIENT_SNAPSHOT_USELESS;
    int slot = packet->seq % FRAY_CLIENT_VIEWS, base = packet->base_seq % FRAY_CLIENT_VIEWS;
    bool is_full = packet->seq == packet->base_seq;
    snapshots->views[slot] = (struct fray_client_view){.is_there = false};
    if (snapshots->newest == slot)
        snapshots->newest = -1;
    if (!fray_packet_snapshot_decode(
            snapshots->game, seat, is_full ? NULL : fray_client_snapshots_state(snapshots, base),
            fray_client_snapshots_state(snapshots, slot), packet, bytes, len)) {
        snapshots->needs_full = true;
        return FRAY_CLIENT_SNAPSHOT_MALFORMED;
    }
    keep(snapshots, slot, packet);
    snapshots->needs_full = false;
    acknowledge(snapshots, packet->seq);
    return FRAY_CLIENT_SNAPSHOT_TAKEN;
}

int fray_client_snapshots_before(const struct fray_client_snapshots *snapshots, double tick)
{
    int found = -1;
    for (int i = 0; i < FRAY_CLIENT_VIEWS; i++) {
        const struct fray_client_view *view = &snapshots->views[i];
        if (view->is_there && view->tick <= tick &&
            (found < 0 || view->tick > snapshots->views[found].tick))
            found = i;
    }
    return found;
}

int fray_client_snapshots_after(const struct fray_client_snapshots *snapshots, double tick)
{
    int found = -1;
    for (int i = 0; i < FRAY_CLIENT_VIEWS; i++) {
        const struct fray_client_view *view = &snapshots->views[i];
        if (view->is_there && view->tick > tick &&
            (found < 0 || view->tick < snapshots->views[found].tick))
            found = i;
    }
    return found;
}
