/* A match of an event-driven game: rules, state, seats, and who sits in them (docs/games.md). It
 * knows no socket and no clock: the host brings both, and sends what the match has to say.
 *
 *     host: request ──▶ fray_match_…() ──▶ NULL, or the code of the refusal: nothing has changed
 *     host: ◀── news, is_roster_changed, is_state_changed;  fray_match_due(): call
 * fray_match_advance
 *
 * Owner: who created it. One thread. Times are microseconds of a clock that never goes back, given
 * with every call that may step the rules. Pure. */
#ifndef FRAY_GAME_MATCH_H
#define FRAY_GAME_MATCH_H

#include "base/clean_text.h"
#include "base/token.h"
#include "game/json.h"

enum {
    FRAY_MATCH_ID_LEN = 10,
    FRAY_MATCH_NAME_MAX = 128, /* bytes: fray_socket_name has at most 32 characters */
    FRAY_MATCH_BANS_MAX = 64,  /* of more, the oldest is forgotten */
    FRAY_MATCH_SPECTATORS_MAX = 200,
    FRAY_MATCH_NO_BOT = -1,
};

enum fray_match_phase { FRAY_MATCH_WAITING, FRAY_MATCH_PLAYING, FRAY_MATCH_OVER };

/* What the host's options say (docs/config.md, [games]). */
struct fray_match_times {
    uint32_t hold_ms;     /* a seat whose player is lost is kept for so long */
    uint32_t stand_in_ms; /* after so long a bot plays on for it; from hold_ms on: never */
    uint32_t think_ms;    /* bots do not move in the blink of an eye */
};

/* Who asks for a seat. */
struct fray_match_person {
    const char *id;      /* becomes the player's */
    const char *name;    /* clean already */
    const char *subject; /* proven identity; NULL: a guest */
    uint64_t origin;     /* of a guest: where it connects from, and with what; 0: unknown */
};

struct fray_match_seat {
    bool is_taken, is_connected, is_ready, wants_rematch;
    bool has_stand_in; /* a bot plays for who is away */
    int16_t bot;       /* its level, or FRAY_MATCH_NO_BOT: a person */
    uint32_t order;    /* of taking seats: who sits longest has the least */
    uint64_t lost_us;  /* when the connection was lost, unless is_connected */
    char id[FRAY_TOKEN_LEN + 1];
    char name[FRAY_MATCH_NAME_MAX + 1];
    char token[FRAY_TOKEN_LEN + 1];  /* gives the seat back: a secret */
    char socket[FRAY_TOKEN_LEN + 1]; /* the host's: the connection that plays now */
    char *subject;                   /* or NULL */
    uint64_t origin;
};

/* An event on its way to the clients. */
struct fray_match_news {
    const char *name;
    uint8_t to;      /* a seat, or FRAY_GAME_NOBODY: all */
    json_t *content; /* owned */
};

struct fray_match_config {
    const struct fray_game *game;
    char id[FRAY_MATCH_ID_LEN + 1];
    const int32_t *options; /* options_count, or NULL: the standard ones */
    bool is_private;
    bool waits_for_host; /* else it begins with seats_min players */
    struct fray_match_times times;
};

struct fray_match {
    struct fray_match_config config;    /* options: NULL */
    uint64_t seed, started_us, bots_us; /* bots_us: when bots think next, or UINT64_MAX */
    char *state, *view, *inputs, *memories;
    uint8_t *given;
    struct fray_match_seat *seats; /* seats_max */
    uint32_t order, spectators;
    uint64_t number;             /* of the state */
    bool is_begun;               /* the seats are the rules' */
    enum fray_match_phase phase; /* that the roster told last */
    struct fray_match_ban *bans;
    uint32_t bans_count;

    /* For the host to send, and then to clear with fray_match_sent. */
    struct fray_match_news *news;
    uint32_t news_count, news_cap;
    bool is_roster_changed, is_state_changed;
    void *timer; /* the host's */
};

struct fray_match *fray_match_create(const struct fray_match_config *config, uint64_t seed,
                                     uint64_t now_us);
void fray_match_destroy(struct fray_match *match);
void fray_match_sent(struct fray_match *match);

/* "match_full", "kicked". `random` becomes the seat's token. */
const char *fray_match_sit(struct fray_match *match, const struct fray_match_person *person,
                           const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us,
                           uint32_t *seat);
/* Spectators are counted only. "match_full", "kicked". */
const char *fray_match_watch(struct fray_match *match, const struct fray_match_person *person);
void fray_match_unwatch(struct fray_match *match);

/* The connection of the seat was lost; it is kept for a while. */
void fray_match_drop(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* "bad_token". A bot that played on gives the seat back. */
const char *fray_match_return(struct fray_match *match, const char *token, uint32_t *seat);
void fray_match_leave(struct fray_match *match, uint32_t seat, uint64_t now_us);

void fray_match_ready(struct fray_match *match, uint32_t seat, bool is_ready);
/* "not_host", "not_enough_players", "not_ready", "already_started". */
const char *fray_match_start(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* A move by the game's table of actions; "rematch" and "start_game" too. "not_playing" before the
 * start, "unknown_type", "not_host", "wrong_shape", "out_of_range", and the rules' own. */
const char *fray_match_act(struct fray_match *match, uint32_t seat, const char *action,
                           const json_t *content, uint64_t now_us);
/* `level` FRAY_MATCH_NO_BOT: the best. "not_host", "bad_level", "match_full". */
const char *fray_match_add_bot(struct fray_match *match, uint32_t by, int level, uint64_t now_us,
                               uint32_t *seat);
/* The seat is given up, and who had it may not come back. "not_host", "unknown_seat" (also: one's
 * own). */
const char *fray_match_kick(struct fray_match *match, uint32_t by, uint32_t seat, uint64_t now_us);
bool fray_match_is_banned(const struct fray_match *match, const struct fray_match_person *person);

/* When fray_match_advance has something to do; UINT64_MAX: never. */
uint64_t fray_match_due(const struct fray_match *match);
/* Time limits, bots, seats that were kept for long enough. */
void fray_match_advance(struct fray_match *match, uint64_t now_us);

enum fray_match_phase fray_match_phase(const struct fray_match *match);
/* FRAY_GAME_NOBODY: no person has a seat, and the match has no purpose any more. */
uint32_t fray_match_host(const struct fray_match *match);
uint32_t fray_match_players(const struct fray_match *match); /* seats that are taken */
bool fray_match_is_open(const struct fray_match *match);     /* there is a free seat */

/* The contents of `match` and `state` (docs/games.md). New references. */
json_t *fray_match_json_roster(const struct fray_match *match);
json_t *fray_match_json_state(struct fray_match *match, uint32_t viewer, uint64_t now_us);

/* ------------------------------------------------------------------ between match*.c */

/* Steps the rules with the inputs of `given` seats, and clears both. */
void fray_match_step(struct fray_match *match, uint64_t now_us);
/* Calls a join or leave of the rules, or a step, between these two: what happened becomes news. */
struct fray_game_events fray_match_listen(void);
void fray_match_hear(struct fray_match *match, const struct fray_game_events *events);
const char *fray_match_phase_text(enum fray_match_phase phase);

#endif
