/* How one comes into a match of /games that is there: join, reconnect (games_request.h). */
#include <stdio.h>

#include "game/ticks.h"
#include "room/namespace.h"
#include "server/games_request.h"

struct fray_match_person fray_games_person(const struct fray_games_request *request)
{
    const json_t *claims = fray_socket_identity(request->socket);
    return (struct fray_match_person){
        .id = fray_socket_id(request->socket),
        .name = fray_socket_name(request->socket),
        .subject = json_string_value(json_object_get(claims, "sub")),
        .origin = request->place->origin,
    };
}

static json_t *joined_json(const struct fray_games_request *request, const struct fray_match *match)
{
    const struct fray_games_place *place = request->place;
    bool plays = place->role == FRAY_GAMES_PLAYER;
    const struct fray_match_seat *seat = plays ? &match->seats[place->seat] : NULL;
    char room[FRAY_GAMES_ROOM_LEN];
    char link[64];

    fray_games_room(room, "match", match);
    snprintf(link, sizeof link, "/games/%s/?match=%s", match->config.game->name, match->config.id);
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s?, s:s, s:s}", "match", match->config.id, "game",
                     match->config.game->name, "role", plays ? "player" : "spectator", "seat",
                     plays ? json_integer(place->seat) : json_null(), "id",
                     plays ? seat->id : fray_socket_id(request->socket), "token",
                     plays ? seat->token : NULL, "room", room, "link", link);
}

/* `joined` first, then what everybody there hears. */
void fray_games_enter(const struct fray_games_request *request, struct fray_match *match)
{
    struct fray_games_place *place = request->place;
    bool plays = place->role == FRAY_GAMES_PLAYER;

    memcpy(place->match, match->config.id, sizeof place->match);
    if (plays)
        memcpy(place->token, match->seats[place->seat].token, sizeof place->token);
    json_t *joined = joined_json(request, match);
    fray_emit(request->socket, "joined", "O", joined);
    fray_games_answer(request, joined);
    fray_games_join_rooms(request->socket, match);
    bool is_late = !plays && match->delay, is_sent = match->is_state_changed && !is_late;
    fray_games_publish(request->games, request->nsp, match);
    if (fray_games_match(request) != match)
        return; /* it has ended just now, or one plays in another */
    if (is_late || match->hosted.is_roster_owed)
        fray_games_send_roster(request->socket, match);
    if (!is_sent)
        fray_games_send_state(request->games, request->socket, match,
                              plays ? place->seat : FRAY_GAME_NOBODY);
}

const char *fray_games_sit(const struct fray_games_request *request, struct fray_match *match)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    const struct fray_match_person person = fray_games_person(request);
    const char *reason = fray_match_sit(match, &person, (const uint8_t *)random, request->now_us,
                                        &request->place->seat);
    if (reason)
        return reason;
    request->place->role = FRAY_GAMES_PLAYER;
    if (match->ticks)
        fray_conduct_carry(&match->ticks->seats[request->place->seat].conduct,
                           &request->place->conduct);
    return NULL;
}

void fray_games_stand_up(const struct fray_games_request *request, struct fray_match *match,
                         enum fray_match_out reason)
{
    struct fray_games_place *place = request->place;
    if (match->ticks)
        fray_conduct_carry(&place->conduct, &match->ticks->seats[place->seat].conduct);
    fray_match_put_out(match, place->seat, reason, request->now_us);
}

const char *fray_games_look_on(const struct fray_games_request *request, struct fray_match *match)
{
    const struct fray_match_person person = fray_games_person(request);
    const char *reason = fray_match_watch(match, &person, request->now_us);
    if (!reason)
        request->place->role = FRAY_GAMES_SPECTATOR;
    return reason;
}

struct fray_match *fray_games_asked_match(const struct fray_games_request *request)
{
    const char *id = fray_games_text(request, "match");
    struct fray_match *match =
        id ? fray_lobby_find(&request->games->lobby, fray_slice_of(id)) : NULL;
    if (!match)
        fray_games_refuse(request, id ? "unknown_match"
                                      : fray_games_because(request, "wrong_shape",
                                                           "match is the id of a match."));
    return match;
}

/* NULL: it is gone, and that has been said. */
static struct fray_match *step_out_for_asked(const struct fray_games_request *request)
{
    (void)fray_games_step_out(request, fray_games_asked_match(request));
    return fray_games_asked_match(request);
}

bool fray_games_changes_place(const struct fray_games_request *request, const char *command)
{
    const struct fray_games_place *place = request->place;
    const struct fray_match *match = fray_games_match(request);
    const char *id = fray_games_text(request, "match"), *as = fray_games_text(request, "as");
    bool wants_seat = !as || strcmp(as, "spectator") != 0;

    return match && strcmp(command, "join") == 0 && id && strcmp(id, place->match) == 0 &&
           wants_seat != (place->role == FRAY_GAMES_PLAYER) &&
           (wants_seat || fray_match_is_show(match));
}

const char *fray_games_change_place(const struct fray_games_request *request,
                                    struct fray_match *match)
{
    bool watches = request->place->role == FRAY_GAMES_SPECTATOR;

    fray_games_put_out(request->socket, match);
    const char *reason =
        watches ? fray_games_sit(request, match) : fray_games_look_on(request, match);
    if (watches)
        fray_match_unwatch(match);
    else
        fray_games_stand_up(request, match, FRAY_OUT_LEFT);
    return reason;
}

static bool may_enter(const struct fray_games_request *request, const struct fray_match *match,
                      bool is_spectator)
{
    const struct fray_match_person person = fray_games_person(request);
    const char *reason = fray_match_may_enter(match, &person, is_spectator);
    if (reason)
        fray_games_refuse(request, reason);
    return !reason;
}

/* Changes the name, if the request has one, unless it may not enter by that one. False: it has been
 * refused. */
static bool may_enter_by_name(const struct fray_games_request *request,
                              const struct fray_match *match, bool is_spectator)
{
    char was[FRAY_MATCH_NAME_MAX + 1];

    snprintf(was, sizeof was, "%s", fray_socket_name(request->socket));
    if (!may_enter(request, match, is_spectator) || !fray_games_take_name(request))
        return false;
    if (may_enter(request, match, is_spectator))
        return true;
    (void)fray_socket_set_name(request->socket, was);
    return false;
}

void fray_games_join(const struct fray_games_request *request)
{
    const char *as = fray_games_text(request, "as");
    bool is_spectator = as && strcmp(as, "spectator") == 0;
    struct fray_match *match = fray_games_asked_match(request);

    if (!match)
        return;
    if (json_object_get(request->content, "as") &&
        (!as || (!is_spectator && strcmp(as, "player") != 0))) {
        fray_games_refuse(request, fray_games_because(request, "wrong_shape",
                                                      "as is \"player\" or \"spectator\"."));
        return;
    }
    bool is_in = fray_games_match(request) == match;
    if (is_in && !fray_games_changes_place(request, "join")) {
        fray_games_refuse_same(request);
        return;
    }
    if (!may_enter_by_name(request, match, is_spectator))
        return;
    const char *reason;
    if (is_in) {
        reason = fray_games_change_place(request, match);
    } else {
        match = step_out_for_asked(request);
        if (!match)
            return;
        reason = is_spectator ? fray_games_look_on(request, match) : fray_games_sit(request, match);
    }
    if (reason)
        fray_games_refuse(request, reason);
    else
        fray_games_enter(request, match);
}

struct fray_match *fray_games_proven_seat(const struct fray_games_request *request, uint32_t *seat)
{
    const char *token = fray_games_text(request, "token");
    struct fray_match *match = fray_games_asked_match(request);

    if (!match)
        return NULL;
    const char *reason = token ? fray_match_seat_of(match, token, seat)
                               : fray_games_because(request, "wrong_shape",
                                                    "token is what `joined` said of the seat.");
    if (reason)
        fray_games_refuse(request, reason);
    return reason ? NULL : match;
}

void fray_games_displace(const struct fray_games_request *request, struct fray_match *match,
                         uint32_t seat, const char *message)
{
    const char *id = match->seats[seat].socket;
    fray_socket *old = id[0] ? fray_namespace_find(request->nsp, id) : NULL;
    if (!old || old == request->socket)
        return;
    if (match->ticks)
        fray_conduct_carry(&((struct fray_games_place *)fray_socket_data(old))->conduct,
                           &match->ticks->seats[seat].conduct);
    fray_games_put_out(old, match);
    fray_emit(old, "match_closed", "{s:s, s:s}", "match", match->config.id, "message", message);
}

/* The seat's earlier connection, if it is still there, is put out. */
void fray_games_reconnect(const struct fray_games_request *request)
{
    uint32_t seat;
    struct fray_match *match = fray_games_proven_seat(request, &seat);

    if (!match)
        return;
    bool is_in = fray_games_match(request) == match;
    if (is_in && request->place->role == FRAY_GAMES_PLAYER) {
        fray_games_refuse_same(request);
        return;
    }
    (void)fray_match_return(match, match->seats[seat].token, request->now_us, &seat);
    if (is_in) {
        fray_games_put_out(request->socket, match);
        fray_match_unwatch(match);
    } else {
        match = step_out_for_asked(request);
        if (!match)
            return;
    }
    struct fray_match_seat *taken = &match->seats[seat];
    fray_games_displace(request, match, seat, "You play on from another connection.");
    snprintf(taken->socket, sizeof taken->socket, "%s", fray_socket_id(request->socket));
    request->place->role = FRAY_GAMES_PLAYER;
    request->place->seat = seat;
    fray_games_enter(request, match);
}

struct fray_match *fray_games_step_out(const struct fray_games_request *request,
                                       struct fray_match *match)
{
    struct fray_match *left = fray_games_match(request);
    char id[FRAY_MATCH_ID_LEN + 1] = "";
    if (match)
        memcpy(id, match->config.id, sizeof id);
    if (!left)
        return match;
    if (request->place->role == FRAY_GAMES_PLAYER)
        fray_games_stand_up(request, left, FRAY_OUT_LEFT);
    else
        fray_match_unwatch(left);
    fray_games_put_out(request->socket, left);
    const struct fray_match *before = request->games->entering;
    request->games->entering = match;
    fray_games_publish(request->games, request->nsp, left);
    request->games->entering = before;
    return fray_lobby_find(&request->games->lobby, fray_slice_of(id));
}
