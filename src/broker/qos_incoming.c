#include "broker/qos_incoming.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"

enum { CAP_MIN = 8 };

void fray_qos_incoming_deinit(struct fray_qos_incoming *in)
{
    free(in->ids);
    *in = (struct fray_qos_incoming){0};
}

/* Clients count their ids up, so that the id itself spreads best. */
static uint32_t probe(const struct fray_qos_incoming *in, uint16_t packet_id)
{
    uint32_t at = packet_id & (in->cap - 1);
    while (in->ids[at] && in->ids[at] != packet_id)
        at = (at + 1) & (in->cap - 1);
    return at;
}

static void grow(struct fray_qos_incoming *in)
{
    struct fray_qos_incoming old = *in;
    in->cap = old.cap ? old.cap * 2 : CAP_MIN;
    in->ids = fray_alloc_zero(in->cap * sizeof *in->ids);
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.ids[i])
            in->ids[probe(in, old.ids[i])] = old.ids[i];
    }
    free(old.ids);
}

enum fray_err fray_qos_incoming_publish(struct fray_qos_incoming *in, uint16_t packet_id,
                                        uint16_t receive_maximum)
{
    assert(packet_id);
    if (in->cap && in->ids[probe(in, packet_id)])
        return FRAY_ERR_EXISTS;
    if (in->count >= receive_maximum)
        return FRAY_ERR_LIMIT;
    if (in->count >= in->cap / 2)
        grow(in);
    in->ids[probe(in, packet_id)] = packet_id;
    in->count++;
    return FRAY_OK;
}

/* Moves later ids of the run back over the gap, as far as their home allows. */
static void close_gap(struct fray_qos_incoming *in, uint32_t gap)
{
    uint32_t mask = in->cap - 1;
    for (uint32_t at = (gap + 1) & mask; in->ids[at]; at = (at + 1) & mask) {
        uint32_t home = in->ids[at] & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            in->ids[gap] = in->ids[at];
            gap = at;
        }
    }
    in->ids[gap] = 0;
}

enum fray_err fray_qos_incoming_release(struct fray_qos_incoming *in, uint16_t packet_id)
{
    if (in->cap == 0 || packet_id == 0)
        return FRAY_ERR_NOT_FOUND;
    uint32_t at = probe(in, packet_id);
    if (!in->ids[at])
        return FRAY_ERR_NOT_FOUND;
    close_gap(in, at);
    if (--in->count == 0)
        fray_qos_incoming_deinit(in);
    return FRAY_OK;
}
