/* The last states of a match, for lag compensation: what a player was looking at when it acted.
 * Views are times in 1/256 ticks, and wrap after 2^24 of these: what counts is how far apart two
 * are. Nothing is allocated after create. Pure. */
#ifndef FRAY_GAME_HISTORY_H
#define FRAY_GAME_HISTORY_H

#include "fray/game.h"

enum {
    FRAY_HISTORY_MAX_MS = 500,    /* the most that an action may look back, and what is kept */
    FRAY_HISTORY_TRUST_MS = 200,  /* a claim that is further from what was measured is not used */
    FRAY_HISTORY_DOUBT_MS = 1000, /* nor can one that is so far from it be an honest one */
};

struct fray_history {
    size_t state_size;
    uint32_t hz, count; /* states in the ring */
    uint32_t newest;    /* tick of the newest state; 0: none */
    uint32_t back;      /* that an action may look back, in 1/256 ticks */
    char *states;
};

/* `rewind_ms`: that an action may look back, at most FRAY_HISTORY_MAX_MS; 0: not at all. */
struct fray_history fray_history_create(size_t state_size, uint32_t hz, uint32_t rewind_ms);
void fray_history_deinit(struct fray_history *history);
void fray_history_push(struct fray_history *history, uint32_t tick, const void *state);
void fray_history_clear(struct fray_history *history);

/* What counts as seen, in `view`, 0 being the present: the claim (0: none), unless what was
 * measured (0: nothing was, so that nothing can have been seen) is more than FRAY_HISTORY_TRUST_MS
 * away. */
struct fray_history_verdict {
    uint32_t view;
    bool is_refused;    /* the claim does not count */
    bool is_impossible; /* and no client that goes by the rules makes it */
};
struct fray_history_verdict fray_history_judge(uint32_t hz, uint32_t claimed, uint32_t measured);
/* The view, brought to at most rewind_ms before the newest state and into what is
 * kept; 0: the present. */
uint32_t fray_history_clamp(const struct fray_history *history, uint32_t view);
/* The two states around a clamped view. */
struct fray_game_past fray_history_past(const struct fray_history *history, uint32_t view);

#endif
