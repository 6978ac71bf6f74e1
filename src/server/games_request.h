/* A message to /games while it is handled: what it says, how it is answered. Between games_*.c.
 * Lives for the call; home thread. */
#ifndef FRAY_SERVER_GAMES_REQUEST_H
#define FRAY_SERVER_GAMES_REQUEST_H

#include "server/games_app.h"

struct fray_games_request {
    struct fray_games *games;
    fray_namespace *nsp;
    fray_socket *socket;
    struct fray_games_place *place;
    const fray_event *event; /* NULL: what the socket asked for by connecting */
    const json_t *content;   /* an object, or NULL */
    uint64_t now_us;
};

typedef void fray_games_command_fn(const struct fray_games_request *request);

/* games_request.c */
struct fray_games_request fray_games_request(fray_socket *socket, const fray_event *event,
                                             void *app);
void fray_games_refuse(const struct fray_games_request *request, const char *code);
/* Says of a code that is refused next what is wrong. Returns the code. */
const char *fray_games_because(const struct fray_games_request *request, const char *code,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The match that is asked for is the one that the sender is in. */
void fray_games_refuse_same(const struct fray_games_request *request);
/* Acknowledges; `content` is taken. */
void fray_games_answer(const struct fray_games_request *request, json_t *content);
/* A member that is a text; NULL: missing, or something else. */
const char *fray_games_text(const struct fray_games_request *request, const char *key);
/* A member that is a flag, or `otherwise` without it. False: it is something else. */
bool fray_games_flag(const struct fray_games_request *request, const char *key, bool otherwise,
                     bool *flag);
/* Changes the name if the request has one. False: it has been refused. */
bool fray_games_take_name(const struct fray_games_request *request);
struct fray_match *fray_games_match(const struct fray_games_request *request); /* NULL: nowhere */

/* games_lobby.c */
fray_games_command_fn fray_games_lobby;

/* games_create.c */
fray_games_command_fn fray_games_create, fray_games_quick_play, fray_games_watch;

/* games_enter.c */
fray_games_command_fn fray_games_join, fray_games_reconnect;

struct fray_match_person fray_games_person(const struct fray_games_request *request);
/* The socket, which is in no match, watches; "match_full", "kicked". */
const char *fray_games_look_on(const struct fray_games_request *request, struct fray_match *match);
/* Sits the socket down, which is in no match; "match_full", "kicked". */
const char *fray_games_sit(const struct fray_games_request *request, struct fray_match *match);
/* Gives up the seat; how its player behaved stays with the connection. */
void fray_games_stand_up(const struct fray_games_request *request, struct fray_match *match,
                         enum fray_match_out reason);
/* From its seat among the spectators of its match, or the other way. The match does not end in
 * between, because one is always in it. "match_full", "kicked". */
const char *fray_games_change_place(const struct fray_games_request *request,
                                    struct fray_match *match);
/* Whether it asks to play where it watches, or to watch the show that it plays in. */
bool fray_games_changes_place(const struct fray_games_request *request, const char *command);
/* The match that the request names; NULL: refused. */
struct fray_match *fray_games_asked_match(const struct fray_games_request *request);
/* The seat that the request proves to be its own by `match` and `token`. NULL: refused. */
struct fray_match *fray_games_proven_seat(const struct fray_games_request *request, uint32_t *seat);
/* Puts out whoever else is connected in the seat, with the message. */
void fray_games_displace(const struct fray_games_request *request, struct fray_match *match,
                         uint32_t seat, const char *message);
/* It is in the match: says so, and sends what everybody there hears. */
void fray_games_enter(const struct fray_games_request *request, struct fray_match *match);
/* Out of where it is, if anywhere, for `match`, or for a new one (NULL). Nobody who waits there is
 * led to who is left alone meanwhile. NULL: it is gone, or was none. */
struct fray_match *fray_games_step_out(const struct fray_games_request *request,
                                       struct fray_match *match);

/* games_pair.c */
/* Whatever a player sends is a sign of life. */
void fray_games_heard(const struct fray_games_request *request, struct fray_match *match);
/* Whether it may go elsewhere without leaving. */
bool fray_games_may_step_out(const struct fray_games_request *request);

/* games_seat.c */
fray_games_command_fn fray_games_leave, fray_games_ready, fray_games_start, fray_games_add_bot,
    fray_games_kick;
/* games_packet.c. False: it is no packet of the game protocol. */
bool fray_games_packet(const struct fray_games_request *request, struct fray_match *match);
/* A move of the game, or nothing that anybody knows. */
void fray_games_act(const struct fray_games_request *request, const char *name);

#endif
