/* The namespace /games: a lobby and matches, as docs/games.md says. Built on
 * fray.h as any application is.
 *
 * Owner of struct fray_games: the namespace (fray_games_app) or, in tests, the program; zeroed.
 * Thread: the namespace's home. */
#ifndef FRAY_SERVER_GAMES_APP_H
#define FRAY_SERVER_GAMES_APP_H

#include "base/buf.h"
#include "fray/fray.h"
#include "game/conduct.h"
#include "match/lobby.h"
#include "server/replay_store.h"

struct fray_games {
    struct fray_lobby lobby;
    fray_timer_handle *lobby_timer; /* runs: who watches the lobby is told of changes */
    fray_message *lobby_told;       /* the newest, or NULL */
    uint64_t lobby_made_us;         /* games_lobby.c */
    struct fray_match_times times;  /* from the options */
    uint32_t quick_play_wait_ms;    /* likewise */
    fray_namespace *nsp;
    /* One timer of the namespace drives all matches (games_clock.c). */
    struct fray_timer_wheel wheel;
    fray_timer_handle *driver; /* NULL: nothing is due, or it expires just now */
    uint64_t driver_us;        /* when it expires */
    bool is_driving;
    struct fray_buf packet, inputs; /* of one packet: nobody's between calls */
    struct fray_buf text;           /* likewise, of one state as JSON */
    const struct fray_match
        *entering;                   /* somebody leaves another for it: nobody is moved meanwhile */
    struct fray_buf why;             /* the sentence of the next refusal, if it has one */
    struct fray_game_json_rows rows; /* of the states that are being sent */
    struct fray_replay_store *replays; /* NULL: none are kept */
    bool is_own;                       /* freed at the end */
};

/* fray_games_app (fray/games.h) is this with a struct of its own. */
struct fray_app fray_games_app_of(struct fray_games *games, const struct fray_game *const *list);
/* The list of such an app, or NULL: another one. */
const struct fray_game *const *fray_games_of(const struct fray_app *app);

/* ------------------------------------------------------------------ between games_*.c */

/* A socket's data: where it is. */
struct fray_games_place {
    char match[FRAY_MATCH_ID_LEN + 1];
    enum { FRAY_GAMES_NOWHERE, FRAY_GAMES_PLAYER, FRAY_GAMES_SPECTATOR } role;
    uint32_t seat;                  /* of a player */
    char token[FRAY_TOKEN_LEN + 1]; /* of that seat */
    uint64_t origin;                /* of its address and its client, hashed; 0: unknown */
    struct fray_games_feed *feed;   /* it said HELLO: games_feed.h */
    uint64_t asked_us;              /* when it was told of another player, to measure by */
    struct fray_conduct conduct;    /* of its requests; who plays has the seat's for the game */
    bool is_for_one; /* it connected for a match alone: kicked out of that, it is closed */
};

/* Who asks for bots makes the server work: 64 in an arena take a hundredth of a core. */
enum { FRAY_GAMES_BOTS_MAX = 2048 };

enum { FRAY_GAMES_ROOM_LEN = 6 + FRAY_MATCH_ID_LEN + 1 };

/* "match:…", all who are there; "json:…", those of them who take events as JSON; "watch:…", of
 * these the spectators; "late:…", all spectators, where they are shown the past. */
void fray_games_room(char room[FRAY_GAMES_ROOM_LEN], const char *kind,
                     const struct fray_match *match);

/* Sends what is new of a match, sets its timer, and lets it go when nobody plays. The match may be
 * gone then. */
void fray_games_publish(struct fray_games *games, fray_namespace *nsp, struct fray_match *match);
/* Puts out whoever is there; the match is gone then. */
void fray_games_close(struct fray_games *games, struct fray_match *match);
/* Whether so many bots more may be asked for, in a match with so many. FRAY_MATCH_FIGHTERS always
 * may: nobody can take the bot from who wants to play one. */
bool fray_games_has_bots(const struct fray_games *games, uint32_t there, uint32_t count);
void fray_games_send_state(struct fray_games *games, fray_socket *socket, struct fray_match *match,
                           uint32_t viewer);
/* Who is there or, to a spectator that is shown the past, was. */
void fray_games_send_roster(fray_socket *socket, const struct fray_match *match);
void fray_games_join_rooms(fray_socket *socket, const struct fray_match *match);
/* Takes the socket out of the match's rooms; the match itself knows already. */
void fray_games_put_out(fray_socket *socket, const struct fray_match *match);

/* It was kicked by the host, or put out, and has no seat now. */
void fray_games_tell_kicked(fray_socket *socket, const struct fray_match *match,
                            enum fray_match_out reason);
/* The connection that plays in the seat; NULL: none. */
fray_socket *fray_games_socket_of(fray_namespace *nsp, const struct fray_match *match,
                                  uint32_t seat);

/* games_pair.c: tells the players the step that is new. */
void fray_games_pair_tell(struct fray_games *games, fray_namespace *nsp, struct fray_match *match);
/* The match listens again: who is there gets the first seat, and is brought together with another
 * who listens. The match may be gone then. */
void fray_games_pair_up(struct fray_games *games, fray_namespace *nsp, struct fray_match *match);

/* games_clock.c: when the match is due is new. */
void fray_games_clock_set(struct fray_games *games, struct fray_match *match);
void fray_games_clock_forget(struct fray_games *games, struct fray_match *match);

/* games_replays.c: where replays of matches are kept, and how they are asked for. */
void fray_games_replays_start(struct fray_games *games, fray_server *server);
void fray_games_replays_stop(struct fray_games *games); /* after the last match */
/* A new match is recorded from here on. */
void fray_games_record(struct fray_games *games, struct fray_match *match);
/* Removes and destroys a match, and ends its recording. */
void fray_games_remove(struct fray_games *games, struct fray_match *match);
/* The person who had the seat until now has lost it: for cheating, an error, or a kick, which the
 * log tells, and which replay shows it. Other reasons are nobody's fault. */
void fray_games_note_out(const struct fray_match *match, uint32_t seat, enum fray_match_out reason);
void fray_games_list_replays(fray_request *request, void *app);
void fray_games_get_replay(fray_request *request, void *app);
void fray_games_post_desync(fray_request *request, void *app);

/* Somebody came or went, or a match looks different from outside. */
void fray_games_lobby_changed(struct fray_games *games, fray_namespace *nsp);

/* The sentence for the code of a refusal. */
const char *fray_games_reason_text(const char *code);

#endif
