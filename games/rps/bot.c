/* A rock-paper-scissors player that learns what the others like to choose, and plays against it.
 * Pure. */
#include "rps/rps.h"

enum { COUNT_MAX = 64 }; /* then a seat's counts are halved, so that new habits outweigh old ones */

/* Reads the choices of the round that has just ended, once. */
static void learn(struct rps_memory *memory, const struct rps_state *view, uint32_t own)
{
    uint16_t round = (uint16_t)(view->match.round + (view->match.phase == RPS_OVER));

    if (memory->games == view->match.games && memory->round == round)
        return;
    memory->games = view->match.games;
    memory->round = round;
    for (uint32_t seat = 0; seat < RPS_SEATS; seat++) {
        uint8_t shown = view->players[seat].shown;
        if (seat == own || shown == 0)
            continue;
        uint16_t *counts = memory->counts[seat];
        if (++counts[shown - 1] >= COUNT_MAX)
            for (int kind = 0; kind < RPS_KINDS_MAX; kind++)
                counts[kind] /= 2;
    }
}

/* What to expect of choosing `kind` against all who still play, weighted by their habits. */
static int64_t expect(const struct rps_memory *memory, const struct rps_state *view, uint32_t own,
                      int32_t kind)
{
    int64_t sum = 0;

    for (uint32_t seat = 0; seat < RPS_SEATS; seat++) {
        if (seat == own || !view->players[seat].playing)
            continue;
        for (int32_t other = 0; other < view->options.kinds; other++)
            sum += rps_compare(kind, other, view->options.kinds) * memory->counts[seat][other];
    }
    return sum;
}

/* By chance rather than by habit? After a tie at times also the best: those who know the same
 * habits choose alike, and would tie for ever. */
static bool is_whim(struct rps_memory *memory, const struct rps_state *view)
{
    return memory->level == 0 ||
           ((memory->level == 1 || view->match.replayed) && fray_game_random(memory->random) & 1);
}

static uint8_t choose(struct rps_memory *memory, const struct rps_state *view, uint32_t own)
{
    int32_t kinds = view->options.kinds;
    int32_t best = fray_game_random_range(memory->random, 0, kinds - 1);

    if (is_whim(memory, view))
        return (uint8_t)best;
    for (int32_t kind = 0; kind < kinds; kind++)
        if (expect(memory, view, own, kind) > expect(memory, view, own, best))
            best = kind;
    return (uint8_t)best;
}

void rps_bot_init(void *bytes, uint32_t level, uint64_t seed)
{
    struct rps_memory *memory = bytes;

    *memory = (struct rps_memory){.level = level};
    fray_game_random_seed(memory->random, seed);
}

bool rps_bot(const void *bytes, uint32_t seat, void *kept, void *filled)
{
    const struct rps_state *view = bytes;
    struct rps_memory *memory = kept;
    struct rps_input *input = filled;

    *input = (struct rps_input){0};
    learn(memory, view, seat);
    if (view->match.phase != RPS_CHOOSING || !view->players[seat].playing ||
        view->players[seat].chosen)
        return false;
    input->kind = RPS_CHOOSE;
    input->choice = choose(memory, view, seat);
    return true;
}
