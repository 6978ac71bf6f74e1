#include "server/games_app.h"

#include <stdio.h>

#include "base/mem.h"
#include "game/catalog.h"

enum { CLOSE_KICKED = 4001, OPTIONS_MAX = 32 };

/* A message that is being handled. */
struct request {
    struct fray_games *games;
    fray_namespace *nsp;
    fray_socket *socket;
    struct fray_games_place *place;
    const fray_event *event; /* NULL: what the socket asked for by connecting */
    const json_t *content;   /* an object, or NULL */
    uint64_t now_us;
};

static struct request request_of(fray_socket *socket, const fray_event *event, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    return (struct request){
        .games = app,
        .nsp = nsp,
        .socket = socket,
        .place = fray_socket_data(socket),
        .event = event,
        .content = event ? json_array_get(fray_event_args(event), 0) : fray_socket_auth(socket),
        .now_us = fray_now_us(nsp),
    };
}

static void refuse(const struct request *request, const char *code)
{
    const char *text = fray_games_reason_text(code);
    if (request->event)
        fray_event_refuse(request->event, code, text);
    else
        fray_emit(request->socket, "error", "{s:s, s:s, s:s}", "code", code, "event", "join",
                  "message", text);
}

static void answer(const struct request *request, json_t *content)
{
    if (request->event)
        fray_ack(request->event, "O", content);
    json_decref(content);
}

/* Publishes and answers with {}, or refuses. */
static void conclude(const struct request *request, struct fray_match *match, const char *reason)
{
    if (reason) {
        refuse(request, reason);
        return;
    }
    answer(request, json_object());
    fray_games_publish(request->games, request->nsp, match);
}

/* ------------------------------------------------------------------ reading requests */

/* A member that is a text; NULL: missing, or something else. */
static const char *text_of(const struct request *request, const char *key)
{
    const json_t *value = json_object_get(request->content, key);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool flag_of(const struct request *request, const char *key, bool otherwise, bool *flag)
{
    const json_t *value = json_object_get(request->content, key);
    *flag = value ? json_is_true(value) : otherwise;
    return !value || json_is_boolean(value);
}

static struct fray_match_person person_of(const struct request *request)
{
    const json_t *claims = fray_socket_identity(request->socket);
    return (struct fray_match_person){
        .id = fray_socket_id(request->socket),
        .name = fray_socket_name(request->socket),
        .subject = json_string_value(json_object_get(claims, "sub")),
    };
}

static struct fray_match *match_of(const struct request *request)
{
    return request->place->role
               ? fray_lobby_find(&request->games->lobby, fray_slice_of(request->place->match))
               : NULL;
}

/* The match that the sender plays in; NULL: it has been refused. */
static struct fray_match *played_match(const struct request *request)
{
    struct fray_match *match = match_of(request);
    if (!match)
        refuse(request, "not_in_match");
    else if (request->place->role != FRAY_GAMES_PLAYER)
        refuse(request, "not_seated");
    else
        return match;
    return NULL;
}

/* ------------------------------------------------------------------ coming into a match */

static json_t *joined_json(const struct request *request, const struct fray_match *match)
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

/* The match has let it in: `joined` first, then what everybody there hears. */
static void enter(const struct request *request, struct fray_match *match)
{
    struct fray_games_place *place = request->place;
    bool plays = place->role == FRAY_GAMES_PLAYER;
    char room[FRAY_GAMES_ROOM_LEN];

    memcpy(place->match, match->config.id, sizeof place->match);
    if (plays)
        memcpy(place->token, match->seats[place->seat].token, sizeof place->token);
    json_t *joined = joined_json(request, match);
    fray_emit(request->socket, "joined", "O", joined);
    answer(request, joined);
    fray_games_room(room, "match", match);
    (void)fray_socket_join(request->socket, room);
    fray_games_room(room, "watch", match);
    if (!plays)
        (void)fray_socket_join(request->socket, room);
    bool is_sent = match->is_state_changed;
    fray_games_publish(request->games, request->nsp, match);
    if (!is_sent)
        fray_games_send_state(request->socket, match, plays ? place->seat : FRAY_GAME_NOBODY);
}

static const char *sit(const struct request *request, struct fray_match *match)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    const struct fray_match_person person = person_of(request);
    const char *reason = fray_match_sit(match, &person, (const uint8_t *)random, request->now_us,
                                        &request->place->seat);
    if (!reason)
        request->place->role = FRAY_GAMES_PLAYER;
    return reason;
}

static const char *watch(const struct request *request, struct fray_match *match)
{
    const struct fray_match_person person = person_of(request);
    const char *reason = fray_match_watch(match, &person);
    if (!reason)
        request->place->role = FRAY_GAMES_SPECTATOR;
    return reason;
}

/* Changes the name if the request has one. Connecting has done so already, and what a token says
 * stays. */
static bool take_name(const struct request *request)
{
    const json_t *name = json_object_get(request->content, "name");
    if (!name || !request->event || fray_socket_identity(request->socket))
        return true;
    const char *text = text_of(request, "name");
    if (!text)
        refuse(request, "wrong_shape");
    else if (!fray_socket_set_name(request->socket, text))
        refuse(request, "bad_name");
    else
        return true;
    return false;
}

static struct fray_match *asked_match(const struct request *request)
{
    const char *id = text_of(request, "match");
    struct fray_match *match =
        id ? fray_lobby_find(&request->games->lobby, fray_slice_of(id)) : NULL;
    if (!match)
        refuse(request, id ? "unknown_match" : "wrong_shape");
    return match;
}

static void on_join(const struct request *request)
{
    const char *as = text_of(request, "as");
    bool is_spectator = as && strcmp(as, "spectator") == 0;
    struct fray_match *match = asked_match(request);

    if (!match)
        return;
    if (json_object_get(request->content, "as") &&
        (!as || (!is_spectator && strcmp(as, "player") != 0))) {
        refuse(request, "wrong_shape");
        return;
    }
    if (!take_name(request))
        return;
    const char *reason = is_spectator ? watch(request, match) : sit(request, match);
    if (reason)
        refuse(request, reason);
    else
        enter(request, match);
}

/* The seat's earlier connection, if it is still there, is put out. */
static void on_reconnect(const struct request *request)
{
    const char *token = text_of(request, "token");
    struct fray_match *match = asked_match(request);
    uint32_t seat;

    if (!match)
        return;
    const char *reason = token ? fray_match_return(match, token, &seat) : "wrong_shape";
    if (reason) {
        refuse(request, reason);
        return;
    }
    struct fray_match_seat *taken = &match->seats[seat];
    fray_socket *old = taken->socket[0] ? fray_namespace_find(request->nsp, taken->socket) : NULL;
    if (old && old != request->socket) {
        fray_games_put_out(old, match);
        fray_emit(old, "match_closed", "{s:s, s:s}", "match", match->config.id, "message",
                  "You play on from another connection.");
    }
    snprintf(taken->socket, sizeof taken->socket, "%s", fray_socket_id(request->socket));
    request->place->role = FRAY_GAMES_PLAYER;
    request->place->seat = seat;
    enter(request, match);
}

/* ------------------------------------------------------------------ making matches */

static const char *read_game(const struct request *request, const struct fray_game **game)
{
    const char *name = text_of(request, "game");
    if (!name)
        return "wrong_shape";
    *game = fray_catalog_find(fray_slice_of(name));
    return *game && fray_catalog_is_hosted(*game) ? NULL : "unknown_game";
}

static const char *read_options(const struct request *request, const struct fray_game *game,
                                int32_t options[OPTIONS_MAX])
{
    json_t *given = json_object_get(request->content, "options"), *value;
    const char *key;

    for (uint32_t i = 0; i < game->options_count; i++)
        options[i] = game->options[i].standard;
    if (given && !json_is_object(given))
        return "wrong_shape";
    json_object_foreach(given, key, value)
    {
        uint32_t i = 0;
        while (i < game->options_count && strcmp(game->options[i].name, key) != 0)
            i++;
        if (i == game->options_count)
            return "unknown_option";
        if (!json_is_integer(value))
            return "wrong_shape";
        json_int_t number = json_integer_value(value);
        options[i] = number < INT32_MIN   ? INT32_MIN
                     : number > INT32_MAX ? INT32_MAX
                                          : (int32_t)number;
    }
    return NULL;
}

static const char *read_config(const struct request *request, struct fray_match_config *config,
                               int32_t options[OPTIONS_MAX])
{
    const char *start = text_of(request, "start");
    const char *reason = read_game(request, &config->game);

    if (!reason)
        reason = read_options(request, config->game, options);
    if (reason)
        return reason;
    config->options = options;
    config->waits_for_host = config->game->seats_max > 2;
    if (start)
        config->waits_for_host = strcmp(start, "host") == 0;
    bool is_known = start ? config->waits_for_host || strcmp(start, "auto") == 0
                          : !json_object_get(request->content, "start");
    return is_known && flag_of(request, "private", false, &config->is_private) ? NULL
                                                                               : "wrong_shape";
}

static void make(const struct request *request, const struct fray_match_config *config)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    struct fray_match *match =
        fray_lobby_create(&request->games->lobby, config, random, request->now_us);
    if (!match) {
        refuse(request, "too_many_matches");
        return;
    }
    (void)sit(request, match); /* the first has a seat */
    enter(request, match);
}

static void on_create(const struct request *request)
{
    int32_t options[OPTIONS_MAX];
    struct fray_match_config config = {0};
    const char *reason = read_config(request, &config, options);
    if (reason)
        refuse(request, reason);
    else
        make(request, &config);
}

static void on_quick_play(const struct request *request)
{
    struct fray_match_config config = {0};
    const struct fray_match_person person = person_of(request);
    const char *reason = read_game(request, &config.game);
    if (reason) {
        refuse(request, reason);
        return;
    }
    struct fray_match *match = fray_lobby_quick(&request->games->lobby, config.game, &person);
    if (!match) {
        make(request, &config);
        return;
    }
    reason = sit(request, match);
    if (reason)
        refuse(request, reason);
    else
        enter(request, match);
}

/* ------------------------------------------------------------------ within a match */

static void on_leave(const struct request *request)
{
    struct fray_match *match = match_of(request);
    if (!match) {
        refuse(request, "not_in_match");
        return;
    }
    if (request->place->role == FRAY_GAMES_PLAYER)
        fray_match_leave(match, request->place->seat, request->now_us);
    else
        fray_match_unwatch(match);
    fray_games_put_out(request->socket, match);
    conclude(request, match, NULL);
}

static void on_ready(const struct request *request)
{
    bool is_ready;
    struct fray_match *match = played_match(request);
    if (!match)
        return;
    if (!flag_of(request, "ready", true, &is_ready)) {
        refuse(request, "wrong_shape");
        return;
    }
    fray_match_ready(match, request->place->seat, is_ready);
    answer(request, json_pack("{s:b}", "ready", is_ready));
    fray_games_publish(request->games, request->nsp, match);
}

static void on_start_game(const struct request *request)
{
    struct fray_match *match = played_match(request);
    if (match)
        conclude(request, match, fray_match_start(match, request->place->seat, request->now_us));
}

/* A move of the game, or nothing that anybody knows. */
static void act(const struct request *request, const char *name)
{
    const struct fray_match *match = match_of(request);
    bool is_move =
        strcmp(name, "rematch") == 0 || (match && fray_game_json_action(match->config.game, name));
    const struct fray_game *game;
    for (size_t i = 0; !is_move && !match && (game = fray_catalog_at(i)); i++)
        is_move = fray_game_json_action(game, name) != NULL;
    if (!is_move) {
        refuse(request, "unknown_type");
        return;
    }
    struct fray_match *played = played_match(request);
    if (played)
        conclude(
            request, played,
            fray_match_act(played, request->place->seat, name, request->content, request->now_us));
}

static void on_add_bot(const struct request *request)
{
    const json_t *level = json_object_get(request->content, "level");
    struct fray_match *match = played_match(request);
    uint32_t seat;

    if (!match)
        return;
    json_int_t number = json_is_integer(level) ? json_integer_value(level) : FRAY_MATCH_NO_BOT;
    const char *reason =
        level && !json_is_integer(level) ? "wrong_shape"
        : level && (number < 0 || number > FRAY_GAME_NOBODY)
            ? "bad_level"
            : fray_match_add_bot(match, request->place->seat, (int)number, request->now_us, &seat);
    if (reason) {
        refuse(request, reason);
        return;
    }
    answer(request, json_pack("{s:I}", "seat", (json_int_t)seat));
    fray_games_publish(request->games, request->nsp, match);
}

static void tell_kicked(const struct fray_match *match, fray_socket *socket)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    bool is_for_one = place->is_for_one;

    fray_games_put_out(socket, match);
    fray_emit(socket, "kicked", "{s:s, s:s}", "match", match->config.id, "message",
              "The host has taken you out of the match.");
    if (is_for_one)
        fray_socket_close(socket, CLOSE_KICKED, "kicked");
}

static void on_kick(const struct request *request)
{
    const json_t *asked = json_object_get(request->content, "seat");
    struct fray_match *match = played_match(request);
    char socket_id[FRAY_TOKEN_LEN + 1] = "";

    if (!match)
        return;
    json_int_t seat = json_integer_value(asked);
    if (!json_is_integer(asked)) {
        refuse(request, "wrong_shape");
        return;
    }
    if (seat < 0 || seat >= match->config.game->seats_max)
        seat = FRAY_GAME_NOBODY;
    else
        memcpy(socket_id, match->seats[seat].socket, sizeof socket_id);
    const char *reason =
        fray_match_kick(match, request->place->seat, (uint32_t)seat, request->now_us);
    if (reason) {
        refuse(request, reason);
        return;
    }
    fray_socket *kicked = socket_id[0] ? fray_namespace_find(request->nsp, socket_id) : NULL;
    if (kicked)
        tell_kicked(match, kicked);
    answer(request, json_pack("{s:I}", "seat", seat));
    fray_games_publish(request->games, request->nsp, match);
}

/* ------------------------------------------------------------------ outside of matches */

static void on_lobby(const struct request *request)
{
    bool watches;
    if (!flag_of(request, "watch", true, &watches)) {
        refuse(request, "wrong_shape");
        return;
    }
    json_t *lobby = fray_games_lobby_json(request->games, request->nsp);
    if (watches) {
        (void)fray_socket_join(request->socket, "lobby");
        fray_emit(request->socket, "lobby", "O", lobby);
    } else {
        fray_socket_leave(request->socket, "lobby");
    }
    answer(request, lobby);
}

static void on_name(const struct request *request)
{
    struct fray_match *match = match_of(request);
    if (!json_object_get(request->content, "name")) {
        refuse(request, "wrong_shape");
        return;
    }
    if (!take_name(request))
        return;
    const char *name = fray_socket_name(request->socket);
    answer(request, json_pack("{s:s}", "name", name));
    fray_games_lobby_changed(request->games, request->nsp);
    if (!match || request->place->role != FRAY_GAMES_PLAYER)
        return;
    struct fray_match_seat *seat = &match->seats[request->place->seat];
    snprintf(seat->name, sizeof seat->name, "%s", name);
    match->is_roster_changed = true;
    fray_games_publish(request->games, request->nsp, match);
}

/* ------------------------------------------------------------------ who is asked what */

struct command {
    const char *name;
    void (*handle)(const struct request *request);
    bool enters; /* only who is in no match */
};

static const struct command commands[] = {
    {"lobby", on_lobby, false},
    {"name", on_name, false},
    {"quick_play", on_quick_play, true},
    {"create", on_create, true},
    {"join", on_join, true},
    {"reconnect", on_reconnect, true},
    {"leave", on_leave, false},
    {"ready", on_ready, false},
    {"start_game", on_start_game, false},
    {"add_bot", on_add_bot, false},
    {"kick", on_kick, false},
};

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    struct request request = request_of(socket, event, app);
    const char *name = fray_event_name(event);

    if (json_is_null(request.content))
        request.content = NULL;
    if (request.content && !json_is_object(request.content)) {
        refuse(&request, "wrong_shape");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        if (commands[i].enters && request.place->role)
            refuse(&request, "already_in_match");
        else
            commands[i].handle(&request);
        return;
    }
    act(&request, name);
}

/* A socket that was recovered gets its seat back, unless it was given up meanwhile. */
static void come_back(const struct request *request)
{
    struct fray_match *match = match_of(request);
    struct fray_games_place *place = request->place;

    if (match && place->role == FRAY_GAMES_SPECTATOR) {
        match->spectators++;
        match->is_roster_changed = true;
    } else if (match && place->role == FRAY_GAMES_PLAYER) {
        struct fray_match_seat *seat = &match->seats[place->seat];
        if (!seat->is_connected && !fray_match_return(match, place->token, &place->seat))
            snprintf(seat->socket, sizeof seat->socket, "%s", fray_socket_id(request->socket));
        else
            fray_games_put_out(request->socket, match);
    } else {
        place->role = FRAY_GAMES_NOWHERE;
    }
    if (match)
        fray_games_publish(request->games, request->nsp, match);
}

static void on_connect(fray_socket *socket, void *app)
{
    struct request request = request_of(socket, NULL, app);

    fray_games_lobby_changed(request.games, request.nsp);
    if (fray_socket_recovered(socket)) {
        come_back(&request);
    } else if (json_object_get(request.content, "match")) {
        request.place->is_for_one = true;
        if (json_object_get(request.content, "token"))
            on_reconnect(&request);
        else
            on_join(&request);
    }
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct request request = request_of(socket, NULL, app);
    struct fray_match *match = match_of(&request);

    (void)reason;
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

    (void)server;
    games->lobby.by_id.key = (struct fray_hash_key){fray_random(nsp), fray_random(nsp)};
}

static void on_stop(fray_namespace *nsp, void *app)
{
    struct fray_games *games = app;

    (void)nsp;
    fray_lobby_deinit(&games->lobby);
}

struct fray_app fray_games_app(struct fray_games *games)
{
    return (struct fray_app){
        .name = "/games",
        .app = games,
        .chat = true,
        .no_mqtt = true, /* who publishes to a topic would speak as the server does */
        .socket_data_size = sizeof(struct fray_games_place),
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_message = on_message,
        .on_start = on_start,
        .on_stop = on_stop,
    };
}
