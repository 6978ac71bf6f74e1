#include "game/history.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { PARTS = 256 }; /* of a tick */

static uint32_t parts_of(uint32_t hz, uint32_t ms)
{
    return hz * PARTS * ms / 1000;
}

struct fray_history fray_history_create(size_t state_size, uint32_t hz, uint32_t rewind_ms)
{
    assert(rewind_ms <= FRAY_HISTORY_MAX_MS);
    uint32_t count = hz * FRAY_HISTORY_MAX_MS / 1000 + 2;
    return (struct fray_history){
        .state_size = state_size,
        .hz = hz,
        .count = count,
        .back = parts_of(hz, rewind_ms),
        .states = fray_alloc(count * state_size),
    };
}

void fray_history_deinit(struct fray_history *history)
{
    free(history->states);
    *history = (struct fray_history){0};
}

static char *state_at(const struct fray_history *history, uint32_t tick)
{
    return history->states + tick % history->count * history->state_size;
}

void fray_history_push(struct fray_history *history, uint32_t tick, const void *state)
{
    memcpy(state_at(history, tick), state, history->state_size);
    history->newest = tick;
}

void fray_history_clear(struct fray_history *history)
{
    history->newest = 0;
}

uint32_t fray_history_judge(uint32_t hz, uint32_t claimed, uint32_t measured)
{
    if (!claimed || !measured)
        return claimed ? claimed : measured;
    uint32_t apart = claimed > measured ? claimed - measured : measured - claimed;
    return apart > parts_of(hz, FRAY_HISTORY_TRUST_MS) ? measured : claimed;
}

uint32_t fray_history_clamp(const struct fray_history *history, uint32_t view)
{
    uint64_t newest = (uint64_t)history->newest * PARTS;
    uint64_t oldest = PARTS; /* tick 0 was never pushed */

    if (newest > history->back + (uint64_t)PARTS)
        oldest = newest - history->back;

    if (!view || view >= newest || oldest >= newest)
        return 0;
    return view < oldest ? (uint32_t)oldest : view;
}

struct fray_game_past fray_history_past(const struct fray_history *history, uint32_t view)
{
    return (struct fray_game_past){
        .older = state_at(history, view / PARTS),
        .newer = state_at(history, view / PARTS + 1),
        .fraction = (int32_t)(view % PARTS),
    };
}
