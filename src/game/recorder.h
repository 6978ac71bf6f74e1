/* Who is told everything that a match's rules are told, in the same order: from this alone the
 * match can be played again. For event-driven and ticked games alike.
 *
 *     on_begin ─▶ on_join … ─▶ (on_join | on_leave | on_step | on_hash | on_over)… ─▶ on_end
 *
 * Embedded in its owner, which outlives the match, and set as match->recorder before the match
 * begins. Called on the match's thread; what is handed over is borrowed for the call. Every member
 * must be there. */
#ifndef FRAY_GAME_RECORDER_H
#define FRAY_GAME_RECORDER_H

#include "fray/game.h"

struct fray_match;

/* What lag compensation answered to a seat in this step. Who is not listed saw the present. */
struct fray_match_rewind {
    uint32_t seat;
    uint32_t view; /* 1/256 ticks: between the states after view / 256 steps and one more */
};

struct fray_match_step {
    uint32_t now_ms;    /* as the rules were given it; of ticked games 0 */
    uint32_t tick;      /* steps since the beginning, this one included */
    const void *inputs; /* by seat; of whoever is not `given`: leftovers */
    const uint8_t *given;
    const struct fray_match_rewind *rewinds; /* in the order of asking */
    uint32_t rewinds_count;
};

struct fray_match_recorder {
    /* The rules have been prepared with match->seed and `options` (in the game's order, in their
     * ranges); nobody has joined. Again after on_end, when a match starts anew. */
    void (*on_begin)(struct fray_match_recorder *recorder, const struct fray_match *match,
                     const int32_t *options);
    /* match->seats[seat] says who. */
    void (*on_join)(struct fray_match_recorder *recorder, const struct fray_match *match,
                    uint32_t seat);
    /* Before the rules hear of it. */
    void (*on_leave)(struct fray_match_recorder *recorder, const struct fray_match *match,
                     uint32_t seat);
    /* After the step. */
    void (*on_step)(struct fray_match_recorder *recorder, const struct fray_match_step *step);
    /* fray_game_hash of the whole state: of ticked games once a second, of others after each step.
     */
    void (*on_hash)(struct fray_match_recorder *recorder, uint32_t tick, uint64_t hash);
    /* A game is over: the rules tell outcomes of match->state now. Later they may not, of who has
     * left, or tell them of who came since. */
    void (*on_over)(struct fray_match_recorder *recorder, const struct fray_match *match);
    /* Nothing more comes; the last state is match->state. */
    void (*on_end)(struct fray_match_recorder *recorder, const struct fray_match *match,
                   uint32_t tick, uint64_t hash);
};

#endif
