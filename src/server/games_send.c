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
    if (place->role != FRAY_GAMES_SPECTATOR)
        return;
    fray_games_room(room, "watch", match);
    (void)fray_socket_join(socket, room);
    fray_games_room(room, "late", match);
    if (match->delay)
        (void)fray_socket_join(socket, room);
}

void fray_games_put_out(fray_socket *socket, const struct fray_match *match)
{
    static const char *const kinds[] = {"match", "json", "watch", "late"};
    struct fray_games_place *place = fray_socket_data(socket);
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_feed_end(place->feed);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fray_games_room(room, kinds[i], match);
        fray_socket_leave(socket, room);
    }
    place->role = FRAY_GAMES_NOWHERE;
}

static const char *kicked_text(enum fray_match_out reason)
{
    switch (reason) {
    case FRAY_OUT_CHEATING: return "Your client did again and again what the game does not allow.";
    case FRAY_OUT_ERROR: return "Your client went wrong again and again.";
    case FRAY_OUT_NO_SHOW: return "You did not show yourself in time for the start.";
    case FRAY_OUT_LOST: return "Nothing was heard of you for so long that your seat was given up.";
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
                     fray_lobby_json_games(&games->lobby));
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

/* Whom something is for: spectators hear of what was new a while ago, where they are shown that. */
enum whom { ALL, PLAYERS, SPECTATORS };

static enum whom who_are_shown_the_present(const struct fray_match *match)
{
    return match->delay ? PLAYERS : ALL;
}

/* `is_json`: only to those who take JSON. */
static void send_to(fray_namespace *nsp, const struct fray_match *match, enum whom whom,
                    bool is_json, fray_message *message)
{
    char all[FRAY_GAMES_ROOM_LEN], spectators[FRAY_GAMES_ROOM_LEN];
    struct fray_target target = {.rooms = {whom == SPECTATORS ? spectators : all}};

    fray_games_room(all, is_json ? "json" : "match", match);
    fray_games_room(spectators, is_json ? "watch" : "late", match);
    if (whom == PLAYERS)
        target.except_rooms[0] = spectators;
    fray_send_to(nsp, message, &target);
}

static void send_roster_to(fray_namespace *nsp, const struct fray_match *match, enum whom whom,
                           json_t *roster)
{
    fray_message *message = fray_message_create(nsp, "match", "o", roster);
    fray_message_class(message, FRAY_LATEST, NULL);
    send_to(nsp, match, whom, false, message);
    fray_message_unref(message);
}

void fray_games_send_past_roster(fray_socket *socket, const struct fray_match *match)
{
    fray_message *message =
        fray_message_create(fray_socket_namespace(socket), "match", "O", match->delay->roster);
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send(socket, message);
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

/* Every seat sees a state of its own. */
static void send_states(fray_namespace *nsp, struct fray_match *match)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        fray_socket *socket = json_socket_of(nsp, match, i);
        if (socket)
            fray_games_send_state(socket, match, i);
    }
}

/* All spectators see the same. */
static void send_shown_state(fray_namespace *nsp, struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "watch", match);
    if (!fray_room_size(nsp, room))
        return;
    fray_message *message = fray_message_create(
        nsp, "state", "o", fray_match_json_state(match, FRAY_GAME_NOBODY, fray_now_us(nsp)));
    fray_message_class(message, FRAY_LATEST, NULL);
    send_to(nsp, match, SPECTATORS, true, message);
    fray_message_unref(message);
}

static void send_sighted(fray_namespace *nsp, const struct fray_match *match, uint32_t about,
                         fray_message *message)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        fray_socket *socket = json_socket_of(nsp, match, i);
        if (socket && fray_match_sees(match, i, about))
            fray_send(socket, message);
    }
}

static void send_one(fray_namespace *nsp, const struct fray_match *match, enum whom whom,
                     const struct fray_match_news *news)
{
    char key[64];
    fray_message *message = fray_message_create(nsp, news->name, "O", news->content);

    if (news->is_newest) {
        snprintf(key, sizeof key, "%.40s:%u", news->name, news->about);
        fray_message_class(message, FRAY_LATEST, key);
    }
    fray_socket *socket =
        news->to == FRAY_GAME_NOBODY ? NULL : json_socket_of(nsp, match, news->to);
    bool is_sighted = news->is_sighted && match->config.game->visible && whom != SPECTATORS;
    if (socket)
        fray_send(socket, message);
    if (news->to == FRAY_GAME_NOBODY && is_sighted)
        send_sighted(nsp, match, news->about, message);
    if (news->to == FRAY_GAME_NOBODY && is_sighted && whom == ALL)
        send_to(nsp, match, SPECTATORS, true, message); /* who has no seat sees all */
    if (news->to == FRAY_GAME_NOBODY && !is_sighted)
        send_to(nsp, match, whom, !news->is_for_all, message);
    fray_message_unref(message);
}

/* What was new a while ago. */
static void send_past(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    const struct fray_delay *delay = match->delay;

    if (delay->is_anew && match->ticks)
        fray_games_feeds_begin_again(match, true);
    if (delay->is_roster_changed)
        send_roster_to(nsp, match, SPECTATORS, json_incref(delay->roster));
    for (uint32_t i = 0; i < delay->news.count; i++)
        send_one(nsp, match, SPECTATORS, &delay->news.items[i]);
    if (delay->is_state_changed && delay->snapshots)
        fray_games_feeds_send(games, match, true, delay->before);
    if (delay->is_state_changed)
        send_shown_state(nsp, match);
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

    send_roster_to(nsp, match, who_are_shown_the_present(match), fray_match_json_roster(match));
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

/* What has happened since the last time, to whom it concerns. */
static void send_news(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    if (match->is_roster_changed) {
        match->bots = bots_count(match);
        send_roster(games, nsp, match);
    }
    if (match->pairing.is_changed)
        fray_games_pair_tell(games, nsp, match);
    for (uint32_t i = 0; i < match->news.count; i++)
        send_one(nsp, match, who_are_shown_the_present(match), &match->news.items[i]);
    if (match->is_state_changed && match->is_heard)
        send_states(nsp, match);
    if (match->is_state_changed && match->is_heard && !match->delay)
        send_shown_state(nsp, match);
    if (match->delay)
        send_past(games, nsp, match);
}

void fray_games_publish(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    match->host = games;
    if (match->has_condemned)
        put_condemned_out(nsp, match);
    fray_match_show(match, fray_now_us(nsp));
    if (match->is_anew)
        fray_games_feeds_begin_again(match, false);
    match->is_anew = false;
    bool listens_again =
        match->pairing.is_changed && match->pairing.reason && fray_pairing_is_listening(match);
    send_news(games, nsp, match);
    fray_match_sent(match);
    if (fray_match_is_done(match, fray_now_us(nsp))) {
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
        {"not_allowed", "In quick play nobody is sent away."},
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
