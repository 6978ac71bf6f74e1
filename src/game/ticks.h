/* How a match of a ticked game is driven: at fixed ticks every seat's input is taken from whoever
 * has it (a bot, a stand-in, the keys that a client without the SDK holds), the rules step, and
 * what happened becomes news. A tick allocates nothing as long as nobody takes JSON.
 *
 * Part of a match (game/match.h), which owns it. One thread. Pure. */
#ifndef FRAY_GAME_TICKS_H
#define FRAY_GAME_TICKS_H

#include "game/conduct.h"
#include "game/match.h"
#include "game/tick_clock.h"

enum {
    FRAY_TICKS_SNAPSHOT_HZ = 20, /* of `state` (docs/decisions.md) */
};

struct fray_ticks_seat {
    struct fray_conduct conduct;
    bool is_held; /* its client has acted by name: what it holds is given in every tick */
};

/* The newest event of a kind about a seat that waits for the next snapshot. */
struct fray_ticks_newest {
    bool is_waiting;
    struct fray_game_event event;
};

struct fray_ticks_counts {
    uint64_t refused;  /* inputs that the rules or their ranges forbid */
    uint64_t flooding; /* actions over the budget */
};

struct fray_ticks {
    struct fray_tick_clock clock;
    struct fray_ticks_seat *seats;
    struct fray_ticks_newest *newest; /* by kind and seat */
    uint64_t hash;                    /* of the whole state, once a second */
    uint32_t hash_tick;
    struct fray_ticks_counts counts;
};

struct fray_ticks *fray_ticks_create(const struct fray_game *game);
void fray_ticks_destroy(struct fray_ticks *ticks); /* NULL is fine */
/* The match has begun, or begins anew. */
void fray_ticks_begin(struct fray_ticks *ticks, uint16_t phase, uint64_t now_us);
/* Somebody else has the seat now, or the same over another connection. */
void fray_ticks_seat_reset(struct fray_ticks *ticks, uint32_t seat);
/* Takes the ticks that are due. */
void fray_ticks_advance(struct fray_match *match, uint64_t now_us);
/* A client acted by name, and was refused for `reason`, or NULL. Returns why it is refused now. */
const char *fray_ticks_acted(struct fray_match *match, uint32_t seat, const char *reason,
                             uint64_t now_us);
/* Whether a snapshot of that rate is due with this tick. */
bool fray_ticks_is_snapshot(uint32_t tick, uint32_t tick_hz, uint32_t snapshot_hz);

#endif
