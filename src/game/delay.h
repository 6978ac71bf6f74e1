/* What the spectators of a match are shown: its past, so that none of them can tell a player what
 * the enemy is doing just now.
 *
 *     state is new ──▶ fray_delay_put ──▶ moments ──▶ fray_delay_advance ──▶ what is shown
 *     what happened beside it ──▶ fray_delay_event, _seat, _news, _roster ──▶ notes ──▶ go with it
 *
 * There is always a whole state to show: of a match that is younger than the delay, the one in
 * which it was made. A moment costs a copy of the state, at most 40 of them a second and, of
 * ticked games, 20. Once those of one delay are there, nothing more is allocated.
 *
 * Part of a match (game/match.h), which owns it. One thread. Times are the match's. Pure. */
#ifndef FRAY_GAME_DELAY_H
#define FRAY_GAME_DELAY_H

#include "base/token.h"
#include "game/news.h"
#include "game/snapshots.h"
#include "game/tick_clock.h"

enum {
    FRAY_DELAY_MAX_MS = 300000,
    FRAY_DELAY_GAP_US = 25000, /* a state that follows sooner takes the last one's place */
    FRAY_DELAY_EVENTS = 16384, /* and news that wait; more are not shown, but what they did is */
    FRAY_DELAY_ROSTERS = 64,   /* that wait; the newest takes the place of the last */
};

/* When and where in the match a state was. */
struct fray_delay_moment {
    uint64_t at_us;
    uint64_t started_us, number; /* as the match's */
    uint32_t steps;              /* since the rules' beginning */
    bool is_begun;
    bool is_anew;                 /* the rules have begun since the moment before */
    struct fray_tick_clock clock; /* of ticked games */
};

struct fray_delay_note;

struct fray_delay {
    const struct fray_game *game;
    uint64_t delay_us;
    struct fray_delay_moment shown;
    char *state;                     /* the one that is shown */
    char (*ids)[FRAY_TOKEN_LEN + 1]; /* by seat, whose they were; "": nobody's */
    json_t *roster;
    /* For the host to send, and then to clear with fray_delay_sent. */
    bool is_state_changed, is_roster_changed;
    bool is_anew;                     /* the rules have begun since what was shown before */
    uint32_t before;                  /* steps of that; 0 if is_anew */
    struct fray_match_news_list news; /* that are due */
    struct fray_snapshots *snapshots; /* of what is shown; NULL: nobody has asked for them */
    /* Rings of `cap`, a power of two, or 0. */
    struct fray_delay_moment *moments;
    uint64_t *dues_us; /* of moments */
    char *states;
    uint32_t first, count, cap;
    struct fray_delay_note *notes;
    uint32_t notes_first, notes_count, notes_cap;
    uint32_t events, rosters; /* among the notes */
};

/* What the moments of such a delay may take, bytes. */
size_t fray_delay_bytes(const struct fray_game *game, uint32_t delay_ms);
/* Shows `state` until the first moment is old enough, and the roster, which is taken, until
 * another is. `delay_ms` ≤ FRAY_DELAY_MAX_MS. */
struct fray_delay *fray_delay_create(const struct fray_game *game, uint32_t delay_ms,
                                     const struct fray_delay_moment *moment, const void *state,
                                     json_t *roster);
void fray_delay_destroy(struct fray_delay *delay); /* NULL is fine */

/* Times are never less than before. */
void fray_delay_put(struct fray_delay *delay, const struct fray_delay_moment *moment,
                    const void *state);
/* Something happened in the step that made the state of this tick: for snapshots. */
void fray_delay_event(struct fray_delay *delay, uint64_t at_us, uint32_t tick,
                      const struct fray_game_event *event);
/* The seat is somebody's, or nobody's (""), from now on. */
void fray_delay_seat(struct fray_delay *delay, uint64_t at_us, uint32_t seat, const char *id);
/* What all are told in JSON, but for what the state says, too; its content is shared. */
void fray_delay_news(struct fray_delay *delay, uint64_t at_us, const struct fray_match_news *news);
/* Who is there; taken. */
void fray_delay_roster(struct fray_delay *delay, uint64_t at_us, json_t *roster);

/* Shows the newest moment that is old enough, and the notes. */
void fray_delay_advance(struct fray_delay *delay, uint64_t now_us);
void fray_delay_sent(struct fray_delay *delay);
uint64_t fray_delay_due(const struct fray_delay *delay); /* UINT64_MAX: nothing waits */

/* What viewers that are spectators are created from. Events are kept for them from then on. */
struct fray_snapshots *fray_delay_snapshots(struct fray_delay *delay);
void fray_delay_snapshots_forget(struct fray_delay *delay); /* viewers first */
/* Which tick it is for who is shown the past, and how much of it has passed, in 1/65536. */
uint32_t fray_delay_tick(const struct fray_delay *delay, uint64_t now_us, uint16_t *phase);

#endif
