/* How a match of quick play comes to its start (docs/games.md, "Quick play"): who is alone listens;
 * when there are enough, they agree on a moment; who does not show a sign of life then is out, and
 * the other listens again.
 *
 *                 ┌────────────── too few are left, with the reason ◀───────────┐
 *                 ▼                                                             │
 *     NONE ─▶ LISTENING ─ enough ─▶ FOUND ─ round trips known ─▶ AGREED ─▶ STARTED ─▶ SETTLED
 *                 └───── after the wait: a bot ───────────────────────────────────────▶
 *
 * Until SETTLED nobody's seat is kept for who is lost. Part of a match (game/match.h), in which it
 * is embedded. One thread; times are the match's. Pure. */
#ifndef FRAY_GAME_PAIRING_H
#define FRAY_GAME_PAIRING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fray_match;

enum {
    FRAY_PAIRING_RTT_WAIT_MS = 500, /* for the acknowledgements that tell the round trips */
    FRAY_PAIRING_RTT_MS = 100,      /* of who sends none */
    FRAY_PAIRING_START_MS = 1500,   /* from the agreement to the start, at least */
    FRAY_PAIRING_START_MAX_MS = 3000,
    FRAY_PAIRING_GRACE_MS = 3000, /* after the start, to show oneself */
    FRAY_PAIRING_AGAIN_MS = 2000, /* who listens again has waited already: a bot comes soon */
};

enum fray_pairing_phase {
    FRAY_PAIRING_NONE, /* not by quick play */
    FRAY_PAIRING_LISTENING,
    FRAY_PAIRING_FOUND,
    FRAY_PAIRING_AGREED,
    FRAY_PAIRING_STARTED,
    FRAY_PAIRING_SETTLED, /* to clients: started */
};

/* Why a player has no seat any more. */
enum fray_match_out {
    FRAY_OUT_NONE,
    FRAY_OUT_LEFT,
    FRAY_OUT_LOST,     /* the connection, for longer than the seat is kept */
    FRAY_OUT_NO_SHOW,  /* no sign of life around the start */
    FRAY_OUT_ERROR,    /* its client cannot go on, or goes wrong again and again */
    FRAY_OUT_CHEATING, /* may not come back */
    FRAY_OUT_KICKED,   /* by the host; may not come back */
};

struct fray_pairing {
    enum fray_pairing_phase phase;
    enum fray_match_out reason; /* why it listens again */
    uint32_t wait_ms;           /* of who listens */
    uint64_t bot_us;            /* then a bot comes */
    uint32_t rtt_us;            /* the worst that is known */
    uint32_t newest;            /* the seat that made them enough */
    uint64_t began_us;          /* when the first came to play */
    uint64_t phase_us;          /* since when FOUND */
    uint64_t start_us;          /* agreed on */
    bool is_changed;            /* for the host to tell, and to clear */
};

/* The code of docs/games.md; NULL for FRAY_OUT_NONE. */
const char *fray_match_out_text(enum fray_match_out out);

/* The first player is about to sit down. */
void fray_pairing_begin(struct fray_match *match, uint64_t now_us);
/* The player in the seat, who just came, wants to play with a bot rather than wait for longer. */
void fray_pairing_wait(struct fray_match *match, uint32_t seat, uint32_t wait_ms, uint64_t now_us);
/* Seats are given up at once, not kept; nobody's match yet. */
bool fray_pairing_is_unsettled(const struct fray_match *match);
/* There is nobody but one person, and bots have not come. Not where that one has left, and those
 * who are shown the match later keep it. */
bool fray_pairing_is_listening(const struct fray_match *match);
/* The player in the seat has acknowledged FOUND, after so long. */
void fray_pairing_measured(struct fray_match *match, uint32_t seat, uint64_t rtt_us,
                           uint64_t now_us);
/* A sign of life. */
void fray_pairing_shown(struct fray_match *match, uint32_t seat);
/* The content of `matchmaking`; `players_waiting` is the host's to count. A new reference. */
json_t *fray_pairing_json(const struct fray_match *match, uint32_t players_waiting,
                          uint64_t now_us);
/* The phase as `match` names it; NULL: none. */
const char *fray_pairing_phase_text(const struct fray_match *match);

/* ------------------------------------------------------------------ between match*.c */

void fray_pairing_seat_taken(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* Before the rules hear that the seat is given up: what has begun may have to be undone. */
void fray_pairing_seat_leaves(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                              uint64_t now_us);
uint64_t fray_pairing_due(const struct fray_match *match);
void fray_pairing_advance(struct fray_match *match, uint64_t now_us);

#endif
