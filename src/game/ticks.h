/* How a match of a ticked game is driven: at fixed ticks every seat's input is taken from whoever
 * has it (a bot, a stand-in, the queue of a client that sends packets, the keys that any other
 * holds), the rules step, and what happened becomes news. A tick allocates nothing as long as
 * nobody takes JSON.
 *
 * Part of a match (game/match.h), which owns it. One thread. Pure. */
#ifndef FRAY_GAME_TICKS_H
#define FRAY_GAME_TICKS_H

#include "game/conduct.h"
#include "game/history.h"
#include "game/input_queue.h"
#include "game/match.h"
#include "game/snapshots.h"
#include "game/tick_clock.h"

enum {
    FRAY_TICKS_SNAPSHOT_HZ = 20, /* of `state` (docs/decisions.md) */
    /* Clients need a moment to notice that the match's time began anew, or stood still. */
    FRAY_TICKS_LENIENT_MS = 30000,
    FRAY_TICKS_STILL = 8,  /* of so many ticks that were dropped clients notice little by little */
    FRAY_TICKS_LATE = 3,   /* what was pressed once is not lost by being late by so many ticks */
    FRAY_TICKS_OLD_S = 20, /* so late no network is: see FRAY_CONDUCT_STALL_S */
};

struct fray_ticks_seat {
    struct fray_conduct conduct;
    bool is_held;       /* its client has acted by name: what it holds is given in every tick */
    bool is_settled;    /* its inputs have come in time since time began, or last stood still */
    uint32_t late_tick; /* newest tick whose impulses came late and were kept; 0: none */
    uint32_t view;      /* what its player looks at in this tick, in 1/256 ticks; 0: the present */
    struct fray_input_queue *queue; /* its client sends packets; NULL: actions by name */
};

/* What an INPUT packet brought. */
struct fray_ticks_inputs {
    uint32_t first_tick, count; /* one for each tick */
    const void *inputs;
    uint32_t claimed;  /* what the player says that it looked at with the last one; 0: nothing */
    uint32_t measured; /* what it must have looked at; 0: it has got nothing yet */
};

/* The newest event of a kind about a seat that waits for the next snapshot. */
struct fray_ticks_newest {
    bool is_waiting;
    struct fray_game_event event;
};

struct fray_ticks_counts {
    uint64_t steps;         /* of all the games that began */
    uint64_t taken;         /* inputs of packets, in their ticks */
    uint64_t late;          /* after their ticks */
    uint64_t early;         /* for ticks too far away */
    uint64_t refused;       /* that the rules or their ranges forbid */
    uint64_t flooding;      /* actions over the budget */
    uint64_t views_refused; /* claims of what was looked at that did not count as they were */
};

struct fray_ticks {
    struct fray_tick_clock clock;
    uint32_t seats_max;
    struct fray_ticks_seat *seats;
    struct fray_ticks_newest *newest; /* by kind and seat */
    uint32_t newest_count;
    struct fray_history history;
    struct fray_match_rewind *rewinds; /* answered in this step; at most one for each seat */
    uint32_t rewinds_count;
    uint64_t hash; /* of the whole state, once a second */
    uint32_t hash_tick;
    struct fray_ticks_counts counts, counted; /* counted: what the host has taken over */
    uint64_t dropped_counted;
    uint64_t lenient_us; /* until then early inputs of who has not settled are no offence */
    struct fray_snapshots *snapshots; /* NULL: nobody has asked for them */
    uint64_t rules;                   /* fray_game_rules; 0: nobody has asked */
};

/* `rewind_ms`: see fray_history_create. */
struct fray_ticks *fray_ticks_create(const struct fray_game *game, uint32_t rewind_ms);
void fray_ticks_destroy(struct fray_ticks *ticks); /* NULL is fine */
/* The match has begun, or begins anew. */
void fray_ticks_begin(struct fray_ticks *ticks, uint16_t phase, uint64_t now_us);
/* Likewise, tick 0 being at that time. */
void fray_ticks_begin_at(struct fray_ticks *ticks, uint64_t start_us);
/* Which tick it is, and how much of it has passed, in 1/65536: what a PONG says. Before a start
 * that is agreed on ticks are negative, and count up to 0. */
int32_t fray_ticks_now(const struct fray_match *match, uint64_t now_us, uint16_t *phase);
/* Somebody else has the seat now, or nobody. */
void fray_ticks_seat_reset(struct fray_ticks *ticks, uint32_t seat);
/* The same over another connection, or none: how it behaved is not forgotten. */
void fray_ticks_seat_reconnect(struct fray_ticks *ticks, uint32_t seat);
/* Takes the ticks that are due. */
void fray_ticks_advance(struct fray_match *match, uint64_t now_us);
/* A client acted by name, and was refused for `reason`, or NULL. Returns why it is refused now. */
const char *fray_ticks_acted(struct fray_match *match, uint32_t seat, const char *reason,
                             uint64_t now_us);
/* Together with an action: the tick, with its fraction, of what its player was looking at; 0: the
 * present. Nothing was measured, so it is believed as far as lag compensation goes. */
void fray_ticks_see(struct fray_match *match, uint32_t seat, double tick, uint64_t now_us);
/* The client of the seat sends packets from now on; what it held is let go. */
void fray_ticks_seat_packets(struct fray_match *match, uint32_t seat);
/* Every action and every packet costs one. False: over the budget, and noted. */
bool fray_ticks_spend(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* What viewers are created from. Events are kept for them from the first call on. */
struct fray_snapshots *fray_ticks_snapshots(struct fray_match *match);
void fray_ticks_snapshots_forget(struct fray_match *match); /* viewers first */
/* An event goes with the next snapshots: of players, and later of spectators. */
void fray_ticks_keep(struct fray_match *match, const struct fray_game_event *event,
                     uint64_t now_us);
uint64_t fray_ticks_rules(struct fray_match *match);
/* Only for seats that have a queue. */
void fray_ticks_put(struct fray_match *match, uint32_t seat, const struct fray_ticks_inputs *inputs,
                    uint64_t now_us);
/* At the limit the seat is condemned. */
void fray_ticks_offend(struct fray_match *match, uint32_t seat, enum fray_offence offence,
                       uint64_t now_us);
/* Whether a snapshot of that rate is due with this tick. */
bool fray_ticks_is_snapshot(uint32_t tick, uint32_t tick_hz, uint32_t snapshot_hz);

#endif
