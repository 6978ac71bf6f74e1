#include "server/games_app.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/mem.h"
#include "fray/games.h"
#include "server/games_feed.h"
#include "server/server.h"

enum {
    CLOSE_FLOODING = 1008, /* a WebSocket: policy violation */
    LOBBY_WEIGHT = 4,      /* among requests: its answer is long */
};

static void on_name(const struct fray_games_request *request)
{
    struct fray_match *match = fray_games_match(request);
    if (!json_object_get(request->content, "name")) {
        fray_games_refuse(request,
                          fray_games_because(request, "wrong_shape", "A name is missing."));
        return;
    }
    if (!fray_games_take_name(request))
        return;
    const char *name = fray_socket_name(request->socket);
    fray_games_answer(request, json_pack("{s:s}", "name", name));
    fray_games_lobby_changed(request->games, request->nsp);
    if (!match || request->place->role != FRAY_GAMES_PLAYER)
        return;
    struct fray_match_seat *seat = &match->seats[request->place->seat];
    snprintf(seat->name, sizeof seat->name, "%s", name);
    match->is_roster_changed = true;
    fray_games_publish(request->games, request->nsp, match);
}

/* The turn's time: what came with it has waited no longer than the turn takes. */
static void on_clock(const struct fray_games_request *request)
{
    fray_games_answer(request, json_pack("{s:f}", "now_ms", (double)request->now_us / 1000));
}

/* ------------------------------------------------------------------ who is asked what */

struct command {
    const char *name;
    void (*handle)(const struct fray_games_request *request);
    bool enters; /* only who is in no match */
};

static const struct command commands[] = {
    {"lobby", fray_games_lobby, false},
    {"name", on_name, false},
    {"quick_play", fray_games_quick_play, true},
    {"create", fray_games_create, true},
    {"join", fray_games_join, true},
    {"watch", fray_games_watch, true},
    {"reconnect", fray_games_reconnect, true},
    {"clock", on_clock, false},
    {"leave", fray_games_leave, false},
    {"ready", fray_games_ready, false},
    {"start_game", fray_games_start, false},
    {"add_bot", fray_games_add_bot, false},
    {"kick", fray_games_kick, false},
};

/* Moves in a game of ticks have a budget of their own. */
static bool is_move(const struct fray_games_request *request, const struct fray_match *match,
                    const char *name)
{
    return match && match->ticks && request->place->role == FRAY_GAMES_PLAYER &&
           fray_game_json_action(match->config.game, name);
}

static const struct command *command_of(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Who asks too much is told so, and who does not stop is closed. */
static bool may_ask(const struct fray_games_request *request, const struct command *command)
{
    struct fray_conduct *conduct = &request->place->conduct;
    uint32_t weight = command && command->handle == fray_games_lobby ? LOBBY_WEIGHT : 1;
    if (fray_conduct_ask(conduct, weight, request->now_us))
        return true;
    if (fray_conduct_offend(conduct, FRAY_OFFENCE_FLOODING, request->now_us)) {
        fray_count(&request->nsp->home->counters.closed_flooding);
        fray_socket_close(request->socket, CLOSE_FLOODING, "flooding");
    } else {
        fray_games_refuse(request, "too_fast");
    }
    return false;
}

/* What enters a match while one is in another that goes on: says so itself, or is refused, for a
 * slip of the finger costs a place. */
static const char *leaves_for(const struct fray_games_request *request, const char *name)
{
    bool is_leaving;
    if (!fray_games_flag(request, "leave", false, &is_leaving))
        return fray_games_because(request, "wrong_shape", "leave is true or false.");
    bool may = is_leaving || !request->place->role || fray_games_may_step_out(request) ||
               fray_games_changes_place(request, name);
    return may ? NULL : "already_in_match";
}

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    struct fray_games_request request = fray_games_request(socket, event, app);
    const char *name = fray_event_name(event);
    struct fray_match *match = fray_games_match(&request);

    request.games->why.len = 0;
    fray_games_heard(&request, match);
    if (fray_games_packet(&request, match))
        return;
    const struct command *command = command_of(name);
    if (!is_move(&request, match, name) && !may_ask(&request, command))
        return;
    if (json_is_null(request.content))
        request.content = NULL;
    if (request.content && !json_is_object(request.content)) {
        fray_games_refuse(&request,
                          fray_games_because(&request, "wrong_shape", "The content is an object."));
        return;
    }
    const char *reason = command && command->enters ? leaves_for(&request, name) : NULL;
    if (reason)
        fray_games_refuse(&request, reason);
    else if (command)
        command->handle(&request);
    else
        fray_games_act(&request, name);
}

static void tell_gone(const struct fray_games_request *request)
{
    fray_emit(request->socket, "match_closed", "{s:s, s:s}", "match", request->place->match,
              "message", "While you were away your place was given up.");
}

/* A socket that was recovered gets its seat back, unless it was given up meanwhile. */
static void come_back(const struct fray_games_request *request)
{
    struct fray_match *match = fray_games_match(request);
    struct fray_games_place *place = request->place;

    if (match && place->role == FRAY_GAMES_SPECTATOR &&
        match->spectators < FRAY_MATCH_SPECTATORS_MAX) {
        match->spectators++;
        match->is_roster_changed = true;
    } else if (match && place->role == FRAY_GAMES_SPECTATOR) {
        fray_games_put_out(request->socket, match);
        tell_gone(request);
    } else if (match && place->role == FRAY_GAMES_PLAYER) {
        struct fray_match_seat *seat = &match->seats[place->seat];
        if (!seat->is_connected &&
            !fray_match_return(match, place->token, request->now_us, &place->seat))
            snprintf(seat->socket, sizeof seat->socket, "%s", fray_socket_id(request->socket));
        else {
            fray_games_put_out(request->socket, match);
            tell_gone(request);
        }
    } else {
        if (place->role)
            tell_gone(request);
        place->role = FRAY_GAMES_NOWHERE;
    }
    if (match && place->role)
        fray_games_join_rooms(request->socket, match);
    if (match)
        fray_games_publish(request->games, request->nsp, match);
}

/* Where a guest connects from and with what: who was kicked is known by it under any name, and of
 * a household only who uses the like (docs/decisions.md). */
static uint64_t origin_of(const struct fray_games *games, fray_socket *socket)
{
    json_t *handshake = fray_socket_handshake(socket);
    const char *address = json_string_value(json_object_get(handshake, "address"));
    const char *agent =
        json_string_value(json_object_get(json_object_get(handshake, "headers"), "user-agent"));
    uint64_t origin = 0;
    if (address) {
        struct fray_buf text = {0};
        uint8_t ip[16];
        if (inet_pton(AF_INET6, address, ip) == 1)
            fray_buf_append(&text, ip, 8); /* the rest is the client's to choose (RFC 8981) */
        else
            fray_buf_append_slice(&text, fray_slice_of(address));
        fray_buf_append_byte(&text, '\0');
        fray_buf_append_slice(&text, fray_slice_of(agent));
        origin = fray_hash(games->lobby.by_id.key, fray_buf_slice(&text)) | 1;
        fray_buf_deinit(&text);
    }
    json_decref(handshake);
    return origin;
}

static void on_connect(fray_socket *socket, void *app)
{
    struct fray_games_request request = fray_games_request(socket, NULL, app);

    request.place->origin = origin_of(request.games, socket);
    fray_games_lobby_changed(request.games, request.nsp);
    if (fray_socket_recovered(socket)) {
        come_back(&request);
    } else if (json_object_get(request.content, "match")) {
        request.place->is_for_one = true;
        /* With auth = jwt `token` says who one is. */
        if (json_object_get(request.content, "token") && !fray_socket_identity(socket))
            fray_games_reconnect(&request);
        else
            fray_games_join(&request);
    }
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fray_games_request request = fray_games_request(socket, NULL, app);
    struct fray_match *match = fray_games_match(&request);

    (void)reason;
    fray_games_feed_end(request.place->feed);
    fray_games_lobby_changed(request.games, request.nsp);
    if (!match)
        return;
    if (request.place->role == FRAY_GAMES_PLAYER)
        fray_match_drop(match, request.place->seat, request.now_us);
    else
        fray_match_unwatch(match);
    fray_games_publish(request.games, request.nsp, match);
}

static void on_start(fray_server *server, fray_namespace *nsp, void *app)
{
    struct fray_games *games = app;

    games->times = (struct fray_match_times){
        .hold_ms = server->config.seat_hold_ms,
        .stand_in_ms = server->config.seat_stand_in_ms,
        .think_ms = server->config.bot_think_ms,
        .rewind_ms = (uint32_t)server->config.rewind_max_ms,
        .delay_ms = server->config.spectator_delay_ms,
    };
    games->quick_play_wait_ms = server->config.quick_play_wait_ms;
    games->lobby.matches_max = (uint32_t)server->config.matches_max;
    games->nsp = nsp;
    fray_timer_wheel_init(&games->wheel, fray_now_us(nsp));
    games->lobby.by_id.key = (struct fray_hash_key){fray_random(nsp), fray_random(nsp)};
    fray_games_replays_start(games, server);
}

static void on_stop(fray_namespace *nsp, void *app)
{
    struct fray_games *games = app;

    (void)nsp;
    while (games->lobby.count) {
        struct fray_match *match = games->lobby.matches[games->lobby.count - 1];
        while (match->hosted.feeds)
            fray_games_feed_end(match->hosted.feeds);
        fray_games_remove(games, match);
    }
    fray_lobby_deinit(&games->lobby);
    fray_games_replays_stop(games);
    if (games->lobby_told)
        fray_message_unref(games->lobby_told);
    fray_buf_deinit(&games->packet);
    fray_buf_deinit(&games->inputs);
    fray_buf_deinit(&games->why);
    fray_buf_deinit(&games->text);
    fray_game_json_rows_deinit(&games->rows);
    if (games->is_own)
        free(games);
}

struct fray_app fray_games_app_of(struct fray_games *games, const struct fray_game *const *list)
{
    games->lobby.games = list;
    return (struct fray_app){
        .name = "/games",
        .app = games,
        .chat = true,
        .mqtt_sockets = true,
        .socket_data_size = sizeof(struct fray_games_place),
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_message = on_message,
        .routes = {{"GET", "/replays", fray_games_list_replays},
                   {"GET", "/replays/*", fray_games_get_replay},
                   {"POST", "/replays/*", fray_games_post_desync}},
        .on_start = on_start,
        .on_stop = on_stop,
        .settings = {{"pages", "true"}},
    };
}

const struct fray_game *const *fray_games_of(const struct fray_app *app)
{
    return app->on_message == on_message ? ((struct fray_games *)app->app)->lobby.games : NULL;
}

struct fray_app fray_games_app(const struct fray_game *const *games)
{
    struct fray_games *own = fray_alloc_zero(sizeof *own);
    own->is_own = true;
    return fray_games_app_of(own, games);
}
