/* What /games tells those who look at its lobby (games_app.h). */
#include "room/namespace.h"
#include "server/games_request.h"

enum {
    LOBBY_PLAYERS_MAX = 100,
    LOBBY_DELAY_MS = 100,
    LOBBY_DELAY_MAX_MS = 5000,
    LOBBY_BYTES_PER_MS = 10000,  /* to all who look, in the long run */
    LOBBY_MADE_EVERY_US = 20000, /* for who asks, in the long run */
    LOBBY_MADE_BURST = 25,
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

/* Kept for who asks next. */
static fray_message *lobby_make(struct fray_games *games, fray_namespace *nsp)
{
    if (games->lobby_told)
        fray_message_unref(games->lobby_told);
    games->lobby_told = fray_message_create(nsp, "lobby", "o", lobby_json(games, nsp));
    fray_message_class(games->lobby_told, FRAY_LATEST, NULL);
    return games->lobby_told;
}

/* As it is now; where very many ask, as it was a moment ago. */
static fray_message *lobby_for_one(struct fray_games *games, fray_namespace *nsp)
{
    uint64_t now_us = fray_now_us(nsp), made_us = games->lobby_made_us;

    made_us = made_us > now_us ? made_us : now_us;
    if (games->lobby_told && made_us - now_us >= LOBBY_MADE_BURST * LOBBY_MADE_EVERY_US)
        return games->lobby_told;
    games->lobby_made_us = made_us + LOBBY_MADE_EVERY_US;
    return lobby_make(games, nsp);
}

static void tell_lobby(fray_namespace *nsp, void *context)
{
    struct fray_games *games = context;

    games->lobby_timer = NULL;
    fray_send_to(nsp, lobby_make(games, nsp), &(struct fray_target){.rooms = {"lobby"}});
}

/* Many changes within a moment are one message; the moment is longer the more that costs. */
void fray_games_lobby_changed(struct fray_games *games, fray_namespace *nsp)
{
    size_t watchers = fray_room_size(nsp, "lobby");
    size_t bytes = games->lobby_told ? games->lobby_told->body.len : 0;
    size_t delay_ms = LOBBY_DELAY_MS + watchers * bytes / LOBBY_BYTES_PER_MS;

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
        fray_games_refuse(request,
                          fray_games_because(request, "wrong_shape", "watch is true or false."));
        return;
    }
    if (watches)
        (void)fray_socket_join(request->socket, "lobby");
    else
        fray_socket_leave(request->socket, "lobby");
    if (!watches && !fray_event_wants_ack(request->event))
        return;
    fray_message *lobby = lobby_for_one(request->games, request->nsp);
    if (watches)
        fray_send(request->socket, lobby);
    fray_ack_message(request->event, lobby);
}
