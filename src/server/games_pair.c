/* Quick play, as clients see it (game/pairing.h): its steps are told, acknowledgements come in, who
 * is left moves up, and two who listen apart are brought together. */
#include "game/match.h"
#include "server/games_request.h"

enum { ACK_WAIT_MS = 10000 };

static struct fray_match *played(const struct fray_games_request *request)
{
    return request->place->role == FRAY_GAMES_PLAYER ? fray_games_match(request) : NULL;
}

void fray_games_heard(const struct fray_games_request *request, struct fray_match *match)
{
    if (match && request->place->role == FRAY_GAMES_PLAYER)
        fray_match_heard(match, request->place->seat, request->now_us);
}

bool fray_games_may_step_out(const struct fray_games_request *request)
{
    const struct fray_match *match = played(request);
    return match &&
           (fray_pairing_is_listening(match) || fray_match_phase(match) == FRAY_MATCH_OVER);
}

/* ------------------------------------------------------------------ steps */

static void on_found_ack(fray_socket *socket, enum fray_err err, const fray_event *reply,
                         void *context)
{
    struct fray_games_request request = fray_games_request(socket, NULL, context);
    struct fray_match *match = err ? NULL : played(&request);

    (void)reply;
    if (!match)
        return;
    fray_pairing_measured(match, request.place->seat, request.now_us - request.place->asked_us,
                          request.now_us);
    fray_games_publish(request.games, request.nsp, match);
}

static void on_agreed_ack(fray_socket *socket, enum fray_err err, const fray_event *reply,
                          void *context)
{
    struct fray_games_request request = fray_games_request(socket, NULL, context);

    (void)reply;
    if (!err)
        fray_games_heard(&request, fray_games_match(&request));
}

static void tell(struct fray_games *games, fray_socket *socket, const struct fray_match *match,
                 fray_message *message)
{
    struct fray_games_place *place = fray_socket_data(socket);

    if (match->pairing.phase == FRAY_PAIRING_FOUND) {
        place->asked_us = fray_now_us(games->nsp);
        fray_send_ack(socket, message, ACK_WAIT_MS, on_found_ack, games);
    } else if (match->pairing.phase == FRAY_PAIRING_AGREED) {
        fray_send_ack(socket, message, ACK_WAIT_MS, on_agreed_ack, games);
    } else {
        fray_send(socket, message);
    }
}

void fray_games_pair_tell(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    uint32_t listening = fray_lobby_listening(&games->lobby, match->config.game);
    fray_message *message = fray_message_create(
        nsp, "matchmaking", "o", fray_pairing_json(match, listening, fray_now_us(nsp)));

    match->pairing.is_changed = false;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        fray_socket *socket = fray_games_socket_of(nsp, match, i);
        if (socket)
            tell(games, socket, match, message);
    }
    fray_message_unref(message);
}

/* ------------------------------------------------------------------ two who listen apart */

/* Who is left when the first has gone is the first now, whom the game may give the better place. */
static void move_up(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    uint64_t random[2] = {fray_random(nsp), fray_random(nsp)};
    uint32_t seat = fray_match_host(match);
    fray_socket *socket = seat ? fray_games_socket_of(nsp, match, seat) : NULL;
    if (!socket || match->seats[0].is_taken)
        return;
    struct fray_games_request request = fray_games_request(socket, NULL, games);
    fray_games_put_out(socket, match);
    fray_match_move_seat(match, seat, 0, (const uint8_t *)random, request.now_us);
    request.place->role = FRAY_GAMES_PLAYER;
    request.place->seat = 0;
    fray_games_enter(&request, match);
}

void fray_games_pair_up(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    struct fray_match *other = fray_lobby_partner(&games->lobby, match);
    move_up(games, nsp, match);
    if (!other || other == games->entering || match == games->entering)
        return;
    bool is_older = match->pairing.began_us <= other->pairing.began_us;
    struct fray_match *to = is_older ? match : other, *from = is_older ? other : match;
    fray_socket *socket = fray_games_socket_of(nsp, from, fray_match_host(from));
    if (!socket)
        return;
    struct fray_games_request request = fray_games_request(socket, NULL, games);
    const struct fray_match_seat was = from->seats[request.place->seat];
    to = fray_games_step_out(&request, to);
    if (!to || fray_games_sit(&request, to))
        return;
    fray_pairing_wait(to, request.place->seat, was.wait_ms, was.asked_us);
    fray_games_enter(&request, to);
}
