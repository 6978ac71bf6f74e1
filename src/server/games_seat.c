/* What one does in a match of /games: move, start, kick, leave (games_request.h). */
#include "game/ticks.h"
#include "server/games_request.h"

/* Publishes and answers with {}, or refuses. Who is condemned for what is refused is put out at
 * once, before it can leave. */
static void conclude(const struct fray_games_request *request, struct fray_match *match,
                     const char *reason)
{
    if (reason) {
        fray_games_refuse(request, reason);
        if (match->has_condemned)
            fray_games_publish(request->games, request->nsp, match);
        return;
    }
    fray_games_answer(request, json_object());
    fray_games_publish(request->games, request->nsp, match);
}

/* The match that the sender plays in; NULL: it has been refused. */
static struct fray_match *played_match(const struct fray_games_request *request)
{
    struct fray_match *match = fray_games_match(request);
    if (!match)
        fray_games_refuse(request, "not_in_match");
    else if (request->place->role != FRAY_GAMES_PLAYER)
        fray_games_refuse(request, "not_seated");
    else
        return match;
    return NULL;
}

/* False: it has been refused. */
static bool leaving_reason(const struct fray_games_request *request, enum fray_match_out *reason)
{
    const json_t *why = json_object_get(request->content, "reason");
    const char *text = fray_games_text(request, "reason");

    *reason = why ? FRAY_OUT_ERROR : FRAY_OUT_LEFT;
    if (!why || (text && strcmp(text, "error") == 0))
        return true;
    fray_games_refuse(
        request, fray_games_because(request, "wrong_shape", "reason is \"error\", or left out."));
    return false;
}

/* A seat that was taken on another connection, which may be there still. */
static void leave_proven_seat(const struct fray_games_request *request)
{
    uint32_t seat;
    enum fray_match_out reason;
    struct fray_match *match = fray_games_proven_seat(request, &seat);

    if (!match || !leaving_reason(request, &reason))
        return;
    fray_games_displace(request, match, seat, "You have left from another connection.");
    if (match->ticks)
        fray_conduct_carry(&request->place->conduct, &match->ticks->seats[seat].conduct);
    fray_match_put_out(match, seat, reason, request->now_us);
    fray_games_note_out(match, seat, reason);
    conclude(request, match, NULL);
}

static bool names_own_match(const struct fray_games_request *request)
{
    const char *id = fray_games_text(request, "match");

    return request->place->role && id && strcmp(id, request->place->match) == 0;
}

static bool names_own_seat(const struct fray_games_request *request)
{
    const char *token = fray_games_text(request, "token");

    return names_own_match(request) && request->place->role == FRAY_GAMES_PLAYER && token &&
           strcmp(token, request->place->token) == 0;
}

void fray_games_leave(const struct fray_games_request *request)
{
    const struct fray_games_place *place = request->place;
    struct fray_match *match = fray_games_match(request);
    enum fray_match_out reason;

    if (json_object_get(request->content, "token") && !names_own_seat(request)) {
        leave_proven_seat(request);
        return;
    }
    if (!match || (json_object_get(request->content, "match") && !names_own_match(request))) {
        fray_games_refuse(request, "not_in_match");
        return;
    }
    if (!leaving_reason(request, &reason))
        return;
    if (place->role == FRAY_GAMES_PLAYER) {
        fray_games_stand_up(request, match, reason);
        fray_games_note_out(match, place->seat, reason);
    } else {
        fray_match_unwatch(match);
    }
    fray_games_put_out(request->socket, match);
    conclude(request, match, NULL);
}

void fray_games_ready(const struct fray_games_request *request)
{
    bool is_ready;
    struct fray_match *match = played_match(request);
    if (!match)
        return;
    if (!fray_games_flag(request, "ready", true, &is_ready)) {
        fray_games_refuse(request,
                          fray_games_because(request, "wrong_shape", "ready is true or false."));
        return;
    }
    fray_match_ready(match, request->place->seat, is_ready);
    fray_games_answer(request, json_pack("{s:b}", "ready", is_ready));
    fray_games_publish(request->games, request->nsp, match);
}

void fray_games_start(const struct fray_games_request *request)
{
    struct fray_match *match = played_match(request);
    if (match)
        conclude(request, match, fray_match_start(match, request->place->seat, request->now_us));
}

/* What the action takes, for who sent something else. */
static void explain(const struct fray_games_request *request, const struct fray_game *game,
                    const char *name)
{
    const struct fray_game_action *action = fray_game_json_action(game, name);
    struct fray_buf *why = &request->games->why;

    why->len = 0;
    if (action)
        fray_game_json_explain(game, action, request->content, why);
    if (why->len)
        fray_buf_append_byte(why, '\0');
}

/* A move of the game, or nothing that anybody knows. */
void fray_games_act(const struct fray_games_request *request, const char *name)
{
    const struct fray_match *match = fray_games_match(request);
    bool is_move =
        strcmp(name, "rematch") == 0 || (match && fray_game_json_action(match->config.game, name));
    const struct fray_game *const *game = request->games->lobby.games;
    for (; !is_move && !match && *game; game++)
        is_move = fray_game_json_action(*game, name) != NULL;
    if (!is_move) {
        fray_games_refuse(request, "unknown_type");
        return;
    }
    struct fray_match *played = played_match(request);
    if (!played)
        return;
    const char *reason =
        fray_match_act(played, request->place->seat, name, request->content, request->now_us);
    if (reason && (strcmp(reason, "wrong_shape") == 0 || strcmp(reason, "out_of_range") == 0))
        explain(request, played->config.game, name);
    conclude(request, played, reason);
}

/* Where quick play brings people together, bots are its own: but one may want some while alone. */
static const char *may_add_bot(const struct fray_games *games, const struct fray_match *match)
{
    if (match->config.is_quick && fray_match_persons(match) > 1)
        return "not_allowed";
    bool is_enough = match->config.is_quick && fray_match_players(match) >= FRAY_MATCH_FIGHTERS;
    return is_enough || !fray_games_has_bots(games, match->hosted.bots, 1) ? "too_many_bots" : NULL;
}

void fray_games_add_bot(const struct fray_games_request *request)
{
    const json_t *level = json_object_get(request->content, "level");
    struct fray_match *match = played_match(request);
    uint32_t seat;

    if (!match)
        return;
    json_int_t number = json_is_integer(level) ? json_integer_value(level) : FRAY_MATCH_NO_BOT;
    const char *reason = level && !json_is_integer(level)
                             ? fray_games_because(request, "wrong_shape", "level is an integer.")
                         : level && (number < 0 || number > FRAY_GAME_NOBODY)
                             ? "bad_level"
                             : may_add_bot(request->games, match);
    if (!reason)
        reason =
            fray_match_add_bot(match, request->place->seat, (int)number, request->now_us, &seat);
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    fray_games_answer(request, json_pack("{s:I}", "seat", (json_int_t)seat));
    fray_games_publish(request->games, request->nsp, match);
}

void fray_games_kick(const struct fray_games_request *request)
{
    const json_t *asked = json_object_get(request->content, "seat");
    struct fray_match *match = played_match(request);
    char socket_id[FRAY_TOKEN_LEN + 1] = "";

    if (!match)
        return;
    json_int_t seat = json_integer_value(asked);
    if (!json_is_integer(asked)) {
        fray_games_refuse(
            request, fray_games_because(request, "wrong_shape", "seat is the number of a seat."));
        return;
    }
    if (seat < 0 || seat >= match->config.game->seats_max)
        seat = FRAY_GAME_NOBODY;
    else
        memcpy(socket_id, match->seats[seat].socket, sizeof socket_id);
    bool is_person = seat != FRAY_GAME_NOBODY && match->seats[seat].bot == FRAY_MATCH_NO_BOT;
    const char *reason =
        fray_match_kick(match, request->place->seat, (uint32_t)seat, request->now_us);
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    if (is_person)
        fray_games_note_out(match, (uint32_t)seat, FRAY_OUT_KICKED);
    fray_socket *kicked = socket_id[0] ? fray_namespace_find(request->nsp, socket_id) : NULL;
    if (kicked)
        fray_games_tell_kicked(kicked, match, FRAY_OUT_KICKED);
    fray_games_answer(request, json_pack("{s:I}", "seat", seat));
    fray_games_publish(request->games, request->nsp, match);
}
