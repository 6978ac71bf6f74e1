/* What /games tells those who look at its lobby (games_app.h). */
#include "room/namespace.h"
#include "server/games_request.h"

enum {
    LOBBY_PLAYERS_MAX = 100,
    LOBBY_DELAY_MS = 100,
    LOBBY_DELAY_MAX_MS = 5000,
    LOBBY_BYTES_PER_MS = 10000, /* to all who look, in the long run */
};

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

static json_t *lobby_json(struct fray_games *games, fray_namespace *nsp)
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
    fray_message *message = fray_message_create(nsp, "lobby", "o", lobby_json(games, nsp));
    fray_message_class(message, FRAY_LATEST, NULL);
    fray_send_to(nsp, message, &(struct fray_target){.rooms = {"lobby"}});
    games->lobby_bytes = message->body.len;
    fray_message_unref(message);
}

/* Many changes within a moment are one message; the moment is longer the more that costs. */
void fray_games_lobby_changed(struct fray_games *games, fray_namespace *nsp)
{
    size_t watchers = fray_room_size(nsp, "lobby");
    size_t delay_ms = LOBBY_DELAY_MS + watchers * games->lobby_bytes / LOBBY_BYTES_PER_MS;

    if (games->lobby_timer || !watchers)
        return;
    if (delay_ms > LOBBY_DELAY_MAX_MS)
        delay_ms = LOBBY_DELAY_MAX_MS;
    games->lobby_timer = fray_timer_start(nsp, (unsigned)delay_ms, 0, tell_lobby, games);
}

void fray_games_lobby(const struct fray_games_request *request)
{
    bool watches;
    if (!fray_games_flag(request, "watch", true, &watches)) {
        fray_games_refuse(request, "wrong_shape");
        return;
    }
    json_t *lobby = lobby_json(request->games, request->nsp);
    if (watches) {
        (void)fray_socket_join(request->socket, "lobby");
        fray_emit(request->socket, "lobby", "O", lobby);
    } else {
        fray_socket_leave(request->socket, "lobby");
    }
    fray_games_answer(request, lobby);
}
