/* What /games tells its clients (games_app.h). */
#include <stdio.h>

#include "room/namespace.h"
#include "server/games_feed.h"

enum { LOBBY_DELAY_MS = 100, LOBBY_PLAYERS_MAX = 100, CLOSE_KICKED = 4001 };

void fray_games_room(char room[FRAY_GAMES_ROOM_LEN], const char *kind,
                     const struct fray_match *match)
{
    snprintf(room, FRAY_GAMES_ROOM_LEN, "%s:%s", kind, match->config.id);
}

void fray_games_join_rooms(fray_socket *socket, const struct fray_match *match)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "match", match);
    (void)fray_socket_join(socket, room);
    fray_games_room(room, "json", match);
    (void)fray_socket_join(socket, room);
    fray_games_room(room, "watch", match);
    if (place->role == FRAY_GAMES_SPECTATOR)
        (void)fray_socket_join(socket, room);
}

void fray_games_put_out(fray_socket *socket, const struct fray_match *match)
{
    struct fray_games_place *place = fray_socket_data(socket);
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_feed_end(place->feed);
    fray_games_room(room, "match", match);
    fray_socket_leave(socket, room);
    fray_games_room(room, "watch", match);
    fray_socket_leave(socket, room);
    fray_games_room(room, "json", match);
    fray_socket_leave(socket, room);
    place->role = FRAY_GAMES_NOWHERE;
}

static const char *kicked_text(enum fray_match_out reason)
{
    switch (reason) {
    case FRAY_OUT_CHEATING: return "Your client did again and again what the game does not allow.";
    case FRAY_OUT_ERROR: return "Your client went wrong again and again.";
    case FRAY_OUT_NO_SHOW: return "You did not show yourself in time for the start.";
    default: return "The host has taken you out of the match.";
    }
}

void fray_games_tell_kicked(fray_socket *socket, const struct fray_match *match,
                            enum fray_match_out reason)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    bool is_closed = place->is_for_one || reason == FRAY_OUT_CHEATING;
    const char *code = reason == FRAY_OUT_KICKED ? "host" : fray_match_out_text(reason);

    fray_games_put_out(socket, match);
    fray_emit(socket, "kicked", "{s:s, s:s, s:s}", "match", match->config.id, "reason", code,
              "message", kicked_text(reason));
    if (is_closed)
        fray_socket_close(socket, CLOSE_KICKED,
                          reason == FRAY_OUT_KICKED ? "kicked" : fray_match_out_text(reason));
}

/* ------------------------------------------------------------------ the lobby */

static void add_player(fray_socket *socket, void *context)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    const struct fray_games *games = fray_namespace_app(fray_socket_namespace(socket));
    json_t *players = context;

    if (json_array_size(players) == LOBBY_PLAYERS_MAX)
        return;
    const struct fray_match *match =
        place->role ? fray_lobby_find(&games->lobby, fray_slice_of(place->match)) : NULL;
    bool is_shown = match && !match->config.is_private;
    json_array_append_new(players, json_pack("{s:s, s:s, s:s?}", "id", fray_socket_id(socket),
                                             "name", fray_socket_name(socket), "match",
                                             is_shown ? place->match : NULL));
}

json_t *fray_games_lobby_json(struct fray_games *games, fray_namespace *nsp)
{
    json_t *players = json_array();
    fray_namespace_each(nsp, NULL, add_player, players);
    return json_pack("{s:I, s:o, s:o, s:o}", "online", (json_int_t)fray_namespace_sockets(nsp),
                     "players", players, "matches", fray_lobby_json_matches(&games->lobby), "games",
                     fray_lobby_json_games());
}

static void tell_lobby(fray_namespace *nsp, void *context)
{
    struct fray_games *games = context;

    games->lobby_timer = NULL;
    fray_message *message =
        fray_message_create(nsp, "lobby", "o", fray_games_lobby_json(games, nsp));
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send_to(nsp, message, &(struct fray_target){.rooms = {"lobby"}});
    fray_message_unref(message);
}

/* Many changes within a moment are one message. */
void fray_games_lobby_changed(struct fray_games *games, fray_namespace *nsp)
{
    if (!games->lobby_timer && fray_room_size(nsp, "lobby"))
        games->lobby_timer = fray_timer_start(nsp, LOBBY_DELAY_MS, 0, tell_lobby, games);
}

/* ------------------------------------------------------------------ a match */

static void send_latest(fray_namespace *nsp, const char *room, const char *name, json_t *content)
{
    fray_message *message = fray_message_create(nsp, name, "o", content);
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send_to(nsp, message, &(struct fray_target){.rooms = {room}});
    fray_message_unref(message);
}

void fray_games_send_state(fray_socket *socket, struct fray_match *match, uint32_t viewer)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    fray_message *message = fray_message_create(
        nsp, "state", "o", fray_match_json_state(match, viewer, fray_now_us(nsp)));
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send(socket, message);
    fray_message_unref(message);
}

fray_socket *fray_games_socket_of(fray_namespace *nsp, const struct fray_match *match,
                                  uint32_t seat)
{
    const struct fray_match_seat *taken = &match->seats[seat];
    return taken->is_taken && taken->socket[0] ? fray_namespace_find(nsp, taken->socket) : NULL;
}

/* Who said HELLO gets snapshots instead. */
static fray_socket *json_socket_of(fray_namespace *nsp, const struct fray_match *match,
                                   uint32_t seat)
{
    fray_socket *socket = fray_games_socket_of(nsp, match, seat);
    const struct fray_games_place *place = socket ? fray_socket_data(socket) : NULL;
    return place && !place->feed ? socket : NULL;
}

/* Every seat sees a state of its own; all spectators see the same. */
static void send_states(fray_namespace *nsp, struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];

    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        fray_socket *socket = json_socket_of(nsp, match, i);
        if (socket)
            fray_games_send_state(socket, match, i);
    }
    fray_games_room(room, "watch", match);
    if (fray_room_size(nsp, room))
        send_latest(nsp, room, "state",
                    fray_match_json_state(match, FRAY_GAME_NOBODY, fray_now_us(nsp)));
}

/* Who has no seat sees all. */
static void send_sighted(fray_namespace *nsp, const struct fray_match *match, uint32_t about,
                         fray_message *message)
{
    char room[FRAY_GAMES_ROOM_LEN];

    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        fray_socket *socket = json_socket_of(nsp, match, i);
        if (socket && fray_match_sees(match, i, about))
            fray_send(socket, message);
    }
    fray_games_room(room, "watch", match);
    fray_send_to(nsp, message, &(struct fray_target){.rooms = {room}});
}

static void send_one(fray_namespace *nsp, const struct fray_match *match,
                     const struct fray_match_news *news)
{
    char room[FRAY_GAMES_ROOM_LEN], key[64];
    fray_message *message = fray_message_create(nsp, news->name, "O", news->content);

    if (news->is_newest) {
        snprintf(key, sizeof key, "%.40s:%u", news->name, news->about);
        fray_message_class(message, FRAY_LATEST, key);
    }
    fray_socket *socket =
        news->to == FRAY_GAME_NOBODY ? NULL : json_socket_of(nsp, match, news->to);
    fray_games_room(room, news->is_for_all ? "match" : "json", match);
    if (socket)
        fray_send(socket, message);
    else if (news->to == FRAY_GAME_NOBODY && news->is_sighted && match->config.game->visible)
        send_sighted(nsp, match, news->about, message);
    else if (news->to == FRAY_GAME_NOBODY)
        fray_send_to(nsp, message, &(struct fray_target){.rooms = {room}});
    fray_message_unref(message);
}

static void close_to(fray_socket *socket, void *match)
{
    fray_games_put_out(socket, match);
}

static void match_close(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "match", match);
    fray_emit_to(nsp, room, "match_closed", "{s:s, s:s}", "match", match->config.id, "message",
                 "All players have left.");
    fray_namespace_each(nsp, room, close_to, match);
    fray_games_clock_forget(games, match);
    fray_games_remove(games, match);
}

static void put_condemned_out(fray_namespace *nsp, struct fray_match *match)
{
    match->has_condemned = false;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        enum fray_match_out reason = match->seats[i].condemned;
        if (!reason)
            continue;
        fray_socket *socket = fray_games_socket_of(nsp, match, i);
        match->seats[i].condemned = FRAY_OUT_NONE;
        fray_match_put_out(match, i, reason, fray_now_us(nsp));
        fray_count_add(&nsp->home->counters.game_cheaters, reason == FRAY_OUT_CHEATING);
        if (socket)
            fray_games_tell_kicked(socket, match, reason);
    }
}

static void send_roster(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "match", match);
    send_latest(nsp, room, "match", fray_match_json_roster(match));
    fray_games_lobby_changed(games, nsp);
    fray_games_room(room, "json", match);
    match->is_heard = !match->ticks || fray_room_size(nsp, room);
}

static uint32_t bots_count(const struct fray_match *match)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        count += match->seats[i].is_taken && match->seats[i].bot != FRAY_MATCH_NO_BOT;
    return count;
}

void fray_games_publish(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    match->host = games;
    if (match->is_anew)
        fray_games_feeds_begin_again(match);
    if (match->has_condemned)
        put_condemned_out(nsp, match);
    if (match->is_roster_changed) {
        match->bots = bots_count(match);
        send_roster(games, nsp, match);
    }
    bool listens_again =
        match->pairing.is_changed && match->pairing.reason && fray_pairing_is_listening(match);
    if (match->pairing.is_changed)
        fray_games_pair_tell(games, nsp, match);
    for (uint32_t i = 0; i < match->news_count; i++)
        send_one(nsp, match, &match->news[i]);
    if (match->is_state_changed && match->is_heard)
        send_states(nsp, match);
    fray_match_sent(match);
    if (!fray_match_is_live(match)) {
        match_close(games, nsp, match);
        return;
    }
    fray_games_clock_set(games, match);
    if (listens_again)
        fray_games_pair_up(games, nsp, match);
}

/* ------------------------------------------------------------------ refusals */

const char *fray_games_reason_text(const char *code)
{
    static const struct {
        const char *code, *text;
    } reasons[] = {
        {"wrong_shape", "A member is missing, or of another kind: see docs/games.md."},
        {"unknown_type", "Neither this namespace nor the match's game knows such a message."},
        {"unknown_game", "There is no such game here."},
        {"unknown_option", "The game has no such option."},
        {"unknown_match", "There is no such match, or it is over."},
        {"unknown_seat", "Nobody has that seat, or it is your own."},
        {"bad_level", "Bots of this game have no such level."},
        {"bad_name", "There is nothing to show in that name."},
        {"bad_token", "That seat is not yours, or not any more."},
        {"already_in_match", "You are in a match: leave it first."},
        {"not_in_match", "You are in no match."},
        {"match_full", "There is no free place in this match."},
        {"kicked", "The host does not want you in this match."},
        {"too_many_bots", "There are as many bots as the server plays."},
        {"too_many_matches", "There are as many matches as the server hosts. Join one of them."},
        {"not_seated", "Only who has a seat may do that."},
        {"not_host", "Only the host may do that."},
        {"not_enough_players", "There are too few players for a game."},
        {"not_ready", "Not everybody is ready."},
        {"already_started", "The game has begun already."},
        {"too_fast", "That is more than anybody can do in a second."},
        {"too_far", "That place is further away than a player can walk to at once."},
        {"not_playing", "No game is being played just now."},
        {"game_not_over", "The game is not over."},
        {"out_of_range", "A number is out of range: see docs/games.md."},
        {"not_your_turn", "It is the other's turn."},
        {"cell_taken", "That cell is taken."},
        {"already_chosen", "You have chosen already."},
        {"eliminated", "You are out until the next game."},
        {"no_such_choice", "There is no such choice."},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strcmp(reasons[i].code, code) == 0)
            return reasons[i].text;
    }
    return "The game does not allow that now.";
}
