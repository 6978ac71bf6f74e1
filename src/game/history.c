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

struct fray_history_verdict fray_history_judge(uint32_t hz, uint32_t claimed, uint32_t measured)
{
    int32_t later = (int32_t)(claimed - measured);
    uint32_t apart = later < 0 ? 0u - (uint32_t)later : (uint32_t)later;
    bool is_refused = claimed && (!measured || apart > parts_of(hz, FRAY_HISTORY_TRUST_MS));
    return (struct fray_history_verdict){
        .view = claimed && !is_refused ? claimed : measured,
        .is_refused = is_refused,
        .is_impossible = is_refused && (!measured || apart > parts_of(hz, FRAY_HISTORY_DOUBT_MS)),
    };
}

static uint32_t now_of(const struct fray_history *history)
{
    return history->newest * PARTS;
}

uint32_t fray_history_clamp(const struct fray_history *history, uint32_t view)
{
    int32_t back = (int32_t)(now_of(history) - view);

    if (!view || back <= 0 || history->newest < 2) /* tick 0 was never pushed */
        return 0;
    uint32_t most = history->back;
    if (history->newest <= history->back / PARTS && most > (history->newest - 1) * PARTS)
        most = (history->newest - 1) * PARTS;
    view = now_of(history) - ((uint32_t)back < most ? (uint32_t)back : most);
    if (view == now_of(history))
        return 0;
    return view ? view : 1; /* 0 is no view */
}

struct fray_game_past fray_history_past(const struct fray_history *history, uint32_t view)
{
    uint64_t at = (uint64_t)history->newest * PARTS - (now_of(history) - view);
    uint32_t older = (uint32_t)(at / PARTS);

    return (struct fray_game_past){
        .older = state_at(history, older),
        .newer = state_at(history, older + 1),
        .fraction = (int32_t)(view % PARTS),
    };
}
