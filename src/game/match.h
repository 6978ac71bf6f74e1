/* A match: rules, state, seats, and who sits in them (docs/games.md). It knows no socket and no
 * clock: the host brings both, and sends what the match has to say.
 *
 *     host: request ──▶ fray_match_…() ──▶ NULL, or the code of the refusal: nothing has changed
 *     host: ◀── news, is_roster_changed, is_state_changed
 *     host: at fray_match_due() ──▶ fray_match_advance
 *
 * Event-driven games are stepped when somebody moves, ticked games (game->tick_hz) at fixed ticks,
 * with what each seat holds then (game/ticks.h).
 *
 * Owner: who created it. One thread. Times are microseconds of a clock that never goes back, given
 * with every call that may step the rules. Pure. */
#ifndef FRAY_GAME_MATCH_H
#define FRAY_GAME_MATCH_H

#include "base/clean_text.h"
#include "base/timer_wheel.h"
#include "base/token.h"
#include "game/delay.h"
#include "game/json.h"
#include "game/pairing.h"
#include "game/recorder.h"

enum {
    FRAY_MATCH_ID_LEN = 10,
    FRAY_MATCH_NAME_MAX = 128, /* bytes: fray_socket_name has at most 32 characters */
    FRAY_MATCH_BANS_MAX = 64,  /* of more, the oldest is forgotten */
    FRAY_MATCH_SPECTATORS_MAX = 200,
    FRAY_MATCH_NO_BOT = -1,
    FRAY_MATCH_SILENT_MS =
        3000,                /* a client of packets, which sends several a second, is lost then */
    FRAY_MATCH_FIGHTERS = 8, /* where nobody said how many: bots make the players up to so many */
    FRAY_MATCH_FIGHTERS_MAX = 64,
};

enum fray_match_phase { FRAY_MATCH_WAITING, FRAY_MATCH_PLAYING, FRAY_MATCH_OVER };

/* What the host's options say (docs/config.md, [games]). */
struct fray_match_times {
    uint32_t hold_ms;     /* a seat whose player is lost is kept for so long */
    uint32_t stand_in_ms; /* after so long a bot plays on for it; from hold_ms on: never */
    uint32_t think_ms;    /* bots do not move in the blink of an eye */
    uint32_t rewind_ms;   /* that lag compensation looks back; at most FRAY_HISTORY_MAX_MS */
    uint32_t delay_ms;    /* spectators are shown what was so long ago; at most FRAY_DELAY_MAX_MS */
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
    bool makes_way;    /* a bot that is there for want of players */
    bool is_awaited;   /* has shown no sign of life since the start was agreed on */
    bool is_silent;    /* is_connected, but nothing comes: the network is gone and nobody says so */
    uint8_t condemned; /* enum fray_match_out: for the host to put out, and to tell */
    int16_t bot;       /* its level, or FRAY_MATCH_NO_BOT: a person */
    uint32_t order;    /* of taking seats: who sits longest has the least */
    uint64_t lost_us;  /* since when nothing came, unless it is connected and not silent */
    uint64_t heard_us; /* when something came last */
    char id[FRAY_TOKEN_LEN + 1];
    char name[FRAY_MATCH_NAME_MAX + 1];
    char token[FRAY_TOKEN_LEN + 1];  /* gives the seat back: a secret */
    char socket[FRAY_TOKEN_LEN + 1]; /* the host's: the connection that plays now */
    char *subject;                   /* or NULL */
    uint64_t origin;
    uint32_t rtt_us;   /* measured before the start; 0: not */
    uint32_t wait_ms;  /* by quick play: how long it wants to wait for another player */
    uint64_t asked_us; /* likewise: when it came */
};

struct fray_match_config {
    const struct fray_game *game;
    char id[FRAY_MATCH_ID_LEN + 1];
    const int32_t *options; /* options_count, or NULL: the standard ones */
    bool is_private;
    bool waits_for_host; /* else it begins with seats_min players */
    bool is_quick;       /* by quick play: who came first may send nobody away */
    struct fray_match_times times;
    uint8_t fighters; /* bots make the players up to so many, and make way for them; 0: none */
    uint16_t phase;   /* of the ticks, in 1/65536 of one (game/tick_clock.h) */
};

/* What the host keeps here. The match itself reads the first two. */
struct fray_match_hosted {
    bool is_heard;                      /* somebody takes events and states as JSON */
    uint64_t crowd_us;                  /* who takes JSON is not told where all are before then */
    bool is_roster_owed;                /* who is there is told at roster_us */
    uint64_t roster_us;                 /* not before then */
    enum fray_match_phase roster_phase; /* that was told last */
    uint32_t bots;                      /* when it was told who is there */
    struct fray_timer timer;
    bool is_misfit_told, is_bot_misfit_told;
    void *games;                   /* what the timer belongs to */
    struct fray_games_feed *feeds; /* of clients that get snapshots (server/games_feed.h) */
};

struct fray_match {
    struct fray_match_config config;    /* options: NULL */
    uint64_t secret, drawn;             /* see fray_match_draw */
    uint64_t seed, started_us, bots_us; /* bots_us: when bots think next, or UINT64_MAX */
    uint64_t deserted_us;               /* when it ceased to be live; 0: it is */
    char *state, *view, *inputs, *memories;
    uint8_t *given;
    struct fray_match_seat *seats; /* seats_max */
    uint32_t order, spectators;
    uint64_t number; /* of the state */
    uint32_t steps;  /* since the rules' beginning; of ticked games the state's tick */
    bool is_begun;   /* the seats are the rules' */
    bool has_condemned;
    bool is_anew; /* it has begun: ticks count from 0. The host tells who gets snapshots */
    enum fray_match_phase phase; /* as the roster said it last */
    struct fray_pairing pairing;
    struct fray_ticks *ticks;       /* NULL: event-driven */
    struct fray_delay *delay;       /* NULL: spectators are shown the present */
    struct fray_game_event *events; /* of one step or join */
    uint64_t events_dropped; /* that did not fit there, or are of a kind that the game has not */
    struct fray_game_misfit
        misfit; /* the first value that its bits cannot hold; field NULL: none */
    struct fray_game_misfit bot_misfit; /* likewise: of a bot's input, out of its range */
    uint32_t bot_misfit_seat;
    struct fray_match_recorder *recorder; /* the host's, or NULL */
    struct fray_match_ban *bans;
    uint32_t bans_count;

    /* For the host to send, and then to clear with fray_match_sent. */
    struct fray_match_news_list news;
    bool is_roster_changed, is_state_changed;
    struct fray_match_hosted hosted;
};

/* `secret`: unpredictable; what is random in the match is made of it. */
struct fray_match *fray_match_create(const struct fray_match_config *config, uint64_t secret,
                                     uint64_t now_us);
void fray_match_destroy(struct fray_match *match);
void fray_match_sent(struct fray_match *match);

/* Why the person cannot have a seat, or watch: "match_full", "kicked"; NULL. */
const char *fray_match_may_enter(const struct fray_match *match,
                                 const struct fray_match_person *person, bool is_spectator);
/* "match_full", "kicked". `random` becomes the seat's token. */
const char *fray_match_sit(struct fray_match *match, const struct fray_match_person *person,
                           const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us,
                           uint32_t *seat);
/* Before the start, to a seat that is free. `random` becomes the new token. */
void fray_match_move_seat(struct fray_match *match, uint32_t from, uint32_t to,
                          const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us);
/* Spectators are counted only. Bots come for them where they make the players up. "match_full",
 * "kicked". */
const char *fray_match_watch(struct fray_match *match, const struct fray_match_person *person,
                             uint64_t now_us);
void fray_match_unwatch(struct fray_match *match);

/* Whatever the client of the seat sends is a sign of life. */
void fray_match_heard(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* The connection of the seat was lost; it is kept for a while, but not before a match of quick play
 * has settled. */
void fray_match_drop(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* Which seat the secret is of; "bad_token": none, and `seat` is as it was. */
const char *fray_match_seat_of(const struct fray_match *match, const char *token, uint32_t *seat);
/* "bad_token". A bot that played on gives the seat back. */
const char *fray_match_return(struct fray_match *match, const char *token, uint64_t now_us,
                              uint32_t *seat);
/* The player loses the seat for the reason, and all hear of it. Who cheats or goes wrong has a bot
 * play on where the rules would end the game otherwise. */
void fray_match_put_out(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                        uint64_t now_us);
/* To be put out by the host, who tells its client. */
void fray_match_condemn(struct fray_match *match, uint32_t seat, enum fray_match_out reason);
/* The client of the seat went wrong: once is nothing. */
void fray_match_err(struct fray_match *match, uint32_t seat, uint64_t now_us);

void fray_match_ready(struct fray_match *match, uint32_t seat, bool is_ready);
/* "not_host", "not_enough_players", "not_ready", "already_started". */
const char *fray_match_start(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* A move by the game's table of actions; "rematch" and "start_game" too. "not_playing" before the
 * start, "unknown_type", "not_host", "wrong_shape", "out_of_range", and the rules' own. In ticked
 * games it is held from the next tick on; "too_fast". */
const char *fray_match_act(struct fray_match *match, uint32_t seat, const char *action,
                           const json_t *content, uint64_t now_us);
/* `level` FRAY_MATCH_NO_BOT: the best. "not_host", "bad_level", "match_full". */
const char *fray_match_add_bot(struct fray_match *match, uint32_t by, int level, uint64_t now_us,
                               uint32_t *seat);
/* The seat is given up, and who had it may not come back. "not_allowed" in quick play, "not_host",
 * "unknown_seat" (also: one's own). */
const char *fray_match_kick(struct fray_match *match, uint32_t by, uint32_t seat, uint64_t now_us);
bool fray_match_is_banned(const struct fray_match *match, const struct fray_match_person *person);

/* When fray_match_advance has something to do; UINT64_MAX: never. */
uint64_t fray_match_due(const struct fray_match *match);
/* Ticks, time limits, bots, seats that were kept for long enough. */
void fray_match_advance(struct fray_match *match, uint64_t now_us);

enum fray_match_phase fray_match_phase(const struct fray_match *match);
/* FRAY_GAME_NOBODY: no person has a seat. */
uint32_t fray_match_host(const struct fray_match *match);
uint32_t fray_match_players(const struct fray_match *match); /* seats that are taken */
uint32_t fray_match_persons(const struct fray_match *match); /* of these, not by bots */
bool fray_match_is_open(const struct fray_match *match);     /* there is a free seat */
/* One may come in at any time and play at once: a game for one and more. */
bool fray_match_is_drop_in(const struct fray_match *match);
/* Its bots play on for who watches, when no person has a seat: they make way, and one may drop
 * in. */
bool fray_match_is_show(const struct fray_match *match);
/* Some person has a seat, or watches a show. */
bool fray_match_is_live(const struct fray_match *match);
/* It has no purpose any more: it is not live, and spectators have been shown how it ended. */
bool fray_match_is_done(struct fray_match *match, uint64_t now_us);
/* Whether the viewer (a seat, or FRAY_GAME_NOBODY) sees the player in that seat. */
bool fray_match_sees(const struct fray_match *match, uint32_t viewer, uint32_t seat);

/* Whether this viewer (a seat, or FRAY_GAME_NOBODY) is shown the past. */
bool fray_match_is_delayed(const struct fray_match *match, uint32_t viewer);
/* The state is new: spectators are shown it later. And shows them what is due. */
void fray_match_show(struct fray_match *match, uint64_t now_us);

/* The content of `match` (docs/games.md). A new reference. */
json_t *fray_match_json_roster(const struct fray_match *match);
/* Appends the content of `state`. `rows` are of this state, or empty. */
void fray_match_json_state(struct fray_match *match, uint32_t viewer, uint64_t now_us,
                           struct fray_game_json_rows *rows, struct fray_buf *text);

/* ------------------------------------------------------------------ between match*.c */

/* A number that nobody can tell from those before it: of what players see of a game, and of its
 * replay, follows nothing about the next game or about bots. */
uint64_t fray_match_draw(struct fray_match *match);
/* Steps the rules with the inputs of `given` seats, and clears both. */
void fray_match_step(struct fray_match *match, uint64_t now_us);
/* Calls a join or leave of the rules, or a step, between these two: what happened becomes news. */
uint32_t fray_match_events_max(const struct fray_match *match);
struct fray_game_events fray_match_listen(struct fray_match *match);
/* Of a kind that the game has: another is the rules' mistake, and is dropped. */
bool fray_match_knows(struct fray_match *match, const struct fray_game_event *event);
/* Fills match->misfit in. */
void fray_match_check_values(struct fray_match *match);
void fray_match_hear(struct fray_match *match, const struct fray_game_events *events,
                     uint64_t now_us);
void fray_match_news_add(struct fray_match *match, const struct fray_game_event *event);
/* The roster names the phase. */
void fray_match_note_phase(struct fray_match *match);
/* Where the rules have no action `rematch`, the match counts who asks of those who are there, and
 * begins the next game, or all anew. Whoever leaves may have been the last who was waited for. */
const char *fray_match_rematch_count(struct fray_match *match, uint64_t now_us);
/* Impulses are for one step; the rest of an input stays, as keys that are held. */
void fray_match_inputs_clear(struct fray_match *match);
struct fray_game_players fray_match_ids(const struct fray_match *match);
/* The time limit of a state of event-driven rules; UINT64_MAX: none. */
uint64_t fray_match_deadline(const struct fray_match *match, const char *state, bool is_begun,
                             uint64_t started_us);
/* When fray_match_show has something to do; UINT64_MAX: never. */
uint64_t fray_match_shown_due(const struct fray_match *match);
bool fray_match_seat_has_bot(const struct fray_match_seat *seat); /* or a stand-in */
/* Of bots that play on for people: neither a punishment for the other nor a help. */
uint32_t fray_match_stand_in_level(const struct fray_game *game);
/* A bot that knows nothing yet, of the seat's level or a stand-in's. */
void fray_match_bot_init(struct fray_match *match, uint32_t seat);
/* Lets the bot of the seat fill in its input. */
bool fray_match_bot_thinks(struct fray_match *match, uint32_t seat);
/* The seats become the rules'; games that wait for a start are given it. */
void fray_match_begin(struct fray_match *match, uint64_t now_us);
void fray_match_rules_join(struct fray_match *match, uint32_t seat, uint64_t now_us);
/* `by_name`: whoever calls itself the same, too. Who is put out for cheating may have taken the
 * name of somebody else. */
void fray_match_ban(struct fray_match *match, const struct fray_match_seat *seat, bool by_name);
/* As before the beginning: nobody is the rules' yet. */
void fray_match_unbegin(struct fray_match *match, uint64_t now_us);
/* The same seats play a new game from the rules' beginning. */
void fray_match_restart(struct fray_match *match, uint64_t now_us);
const char *fray_match_phase_text(enum fray_match_phase phase);

static inline uint64_t fray_match_after_ms(uint64_t from_us, uint32_t ms)
{
    return from_us + ms * UINT64_C(1000);
}

static inline uint64_t fray_match_earlier(uint64_t one_us, uint64_t other_us)
{
    return one_us < other_us ? one_us : other_us;
}

#endif
