/* How one comes into a match of /games: join, reconnect, create, quick_play (games_request.h). */
#include <stdio.h>

#include "game/catalog.h"
#include "room/namespace.h"
#include "server/games_request.h"

enum {
    OPTIONS_MAX = 32,
    QUICK_PLAY_WAIT_MAX_S = 600,
    HOLD_CROWD_MS = 30000, /* a fighter in a crowd is missed by nobody for longer */
};

static struct fray_match_person person_of(const struct fray_games_request *request)
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
    bool is_sent = match->is_state_changed;
    fray_games_publish(request->games, request->nsp, match);
    if (!is_sent)
        fray_games_send_state(request->socket, match, plays ? place->seat : FRAY_GAME_NOBODY);
}

const char *fray_games_sit(const struct fray_games_request *request, struct fray_match *match)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    const struct fray_match_person person = person_of(request);
    const char *reason = fray_match_sit(match, &person, (const uint8_t *)random, request->now_us,
                                        &request->place->seat);
    if (!reason)
        request->place->role = FRAY_GAMES_PLAYER;
    return reason;
}

static const char *watch(const struct fray_games_request *request, struct fray_match *match)
{
    const struct fray_match_person person = person_of(request);
    const char *reason = fray_match_watch(match, &person, request->now_us);
    if (!reason)
        request->place->role = FRAY_GAMES_SPECTATOR;
    return reason;
}

static struct fray_match *asked_match(const struct fray_games_request *request)
{
    const char *id = fray_games_text(request, "match");
    struct fray_match *match =
        id ? fray_lobby_find(&request->games->lobby, fray_slice_of(id)) : NULL;
    if (!match)
        fray_games_refuse(request, id ? "unknown_match" : "wrong_shape");
    return match;
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

/* The match does not end in between, because one is always in it. */
static const char *change_place(const struct fray_games_request *request, struct fray_match *match)
{
    const struct fray_games_place was = *request->place;

    fray_games_put_out(request->socket, match);
    if (was.role == FRAY_GAMES_SPECTATOR) {
        const char *reason = fray_games_sit(request, match);
        fray_match_unwatch(match);
        return reason;
    }
    const char *reason = watch(request, match);
    fray_match_leave(match, was.seat, request->now_us);
    return reason;
}

void fray_games_join(const struct fray_games_request *request)
{
    const char *as = fray_games_text(request, "as");
    bool is_spectator = as && strcmp(as, "spectator") == 0;
    struct fray_match *match = asked_match(request);

    if (!match)
        return;
    if (json_object_get(request->content, "as") &&
        (!as || (!is_spectator && strcmp(as, "player") != 0))) {
        fray_games_refuse(request, "wrong_shape");
        return;
    }
    bool is_in = fray_games_match(request) == match;
    if (is_in && !fray_games_changes_place(request, "join")) {
        fray_games_refuse(request, "already_in_match");
        return;
    }
    if (!fray_games_take_name(request))
        return;
    const struct fray_match_person person = person_of(request);
    const char *reason = fray_match_may_enter(match, &person, is_spectator);
    if (!reason && is_in) {
        reason = change_place(request, match);
    } else if (!reason) {
        fray_games_step_out(request);
        reason = is_spectator ? watch(request, match) : fray_games_sit(request, match);
    }
    if (reason)
        fray_games_refuse(request, reason);
    else
        fray_games_enter(request, match);
}

/* The seat's earlier connection, if it is still there, is put out. */
void fray_games_reconnect(const struct fray_games_request *request)
{
    const char *token = fray_games_text(request, "token");
    struct fray_match *match = asked_match(request);
    uint32_t seat;

    if (!match)
        return;
    const char *reason = !token ? "wrong_shape"
                         : fray_games_match(request) == match
                             ? "already_in_match"
                             : fray_match_return(match, token, &seat);
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    fray_games_step_out(request);
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
    fray_games_enter(request, match);
}

void fray_games_step_out(const struct fray_games_request *request)
{
    struct fray_match *match = fray_games_match(request);
    if (!match)
        return;
    if (request->place->role == FRAY_GAMES_PLAYER)
        fray_match_leave(match, request->place->seat, request->now_us);
    else
        fray_match_unwatch(match);
    fray_games_put_out(request->socket, match);
    fray_games_publish(request->games, request->nsp, match);
}

/* ------------------------------------------------------------------ making matches */

static const char *read_game(const struct fray_games_request *request,
                             const struct fray_game **game)
{
    const char *name = fray_games_text(request, "game");
    if (!name)
        return "wrong_shape";
    *game = fray_catalog_find(fray_slice_of(name));
    return *game ? NULL : "unknown_game";
}

static const char *read_options(const struct fray_games_request *request,
                                const struct fray_game *game, int32_t options[OPTIONS_MAX])
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

bool fray_games_has_bots(const struct fray_games *games, uint32_t there, uint32_t count)
{
    if (there + count <= FRAY_MATCH_FIGHTERS)
        return true;
    for (uint32_t i = 0; i < games->lobby.count; i++)
        count += games->lobby.matches[i]->bots;
    return count <= FRAY_GAMES_BOTS_MAX;
}

/* So many bots beside the creator; people who come take their places. */
static const char *read_bots(const struct fray_games_request *request,
                             struct fray_match_config *config)
{
    const json_t *bots = json_object_get(request->content, "bots");
    json_int_t count = json_integer_value(bots);

    if (bots && !json_is_integer(bots))
        return "wrong_shape";
    if (count < 0 || count >= FRAY_MATCH_FIGHTERS_MAX || count >= config->game->seats_max)
        return "out_of_range";
    if (count && !fray_games_has_bots(request->games, 0, (uint32_t)count))
        return "too_many_bots";
    config->fighters = count ? (uint8_t)(count + 1) : 0;
    return NULL;
}

static const char *read_config(const struct fray_games_request *request,
                               struct fray_match_config *config, int32_t options[OPTIONS_MAX])
{
    const char *start = fray_games_text(request, "start");
    const char *reason = read_game(request, &config->game);

    if (!reason)
        reason = read_options(request, config->game, options);
    if (reason)
        return reason;
    config->options = options;
    config->waits_for_host = config->game->seats_min > 1 && config->game->seats_max > 2;
    if (start)
        config->waits_for_host = strcmp(start, "host") == 0;
    bool is_known = start ? config->waits_for_host || strcmp(start, "auto") == 0
                          : !json_object_get(request->content, "start");
    if (!is_known || !fray_games_flag(request, "private", false, &config->is_private))
        return "wrong_shape";
    return read_bots(request, config);
}

/* NULL: refused. */
static struct fray_match *open_match(const struct fray_games_request *request,
                                     const struct fray_match_config *config)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    struct fray_match_config timed = *config;
    timed.times = request->games->times;
    if (config->game->tick_hz && config->game->seats_max > 2 && timed.times.hold_ms > HOLD_CROWD_MS)
        timed.times.hold_ms = HOLD_CROWD_MS;
    struct fray_match *match =
        fray_lobby_create(&request->games->lobby, &timed, random, request->now_us);
    if (!match) {
        fray_games_refuse(request, "too_many_matches");
        return NULL;
    }
    fray_count(&request->nsp->home->counters.game_matches_opened);
    return match;
}

/* `wait_ms` NULL: not by quick play, or nobody need be waited for. */
static void make(const struct fray_games_request *request, const struct fray_match_config *config,
                 const uint32_t *wait_ms)
{
    struct fray_match *match = open_match(request, config);
    if (!match)
        return;
    fray_games_record(request->games, match);
    fray_games_step_out(request);
    if (wait_ms)
        fray_pairing_begin(match, *wait_ms, request->now_us);
    (void)fray_games_sit(request, match); /* the first has a seat */
    fray_games_enter(request, match);
}

void fray_games_create(const struct fray_games_request *request)
{
    int32_t options[OPTIONS_MAX];
    struct fray_match_config config = {0};
    const char *reason = read_config(request, &config, options);
    if (reason)
        fray_games_refuse(request, reason);
    else
        make(request, &config, NULL);
}

static const char *read_wait(const struct fray_games_request *request, uint32_t *wait_ms)
{
    const json_t *wait = json_object_get(request->content, "wait_s");
    *wait_ms = request->games->quick_play_wait_ms;
    if (!wait)
        return NULL;
    if (!json_is_number(wait))
        return "wrong_shape";
    double seconds = json_number_value(wait);
    if (!(seconds >= 0 && seconds <= QUICK_PLAY_WAIT_MAX_S))
        return "out_of_range";
    *wait_ms = (uint32_t)(seconds * 1000);
    return NULL;
}

void fray_games_quick_play(const struct fray_games_request *request)
{
    struct fray_match_config config = {0};
    const struct fray_match_person person = person_of(request);
    uint32_t wait_ms;
    const char *reason = read_game(request, &config.game);
    if (!reason)
        reason = read_wait(request, &wait_ms);
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    fray_games_step_out(request);
    struct fray_match *match = fray_lobby_quick(&request->games->lobby, config.game, &person);
    bool is_drop_in = config.game->seats_min == 1;
    if (!match) {
        config.fighters = is_drop_in ? FRAY_MATCH_FIGHTERS : 0;
        make(request, &config, is_drop_in ? NULL : &wait_ms);
        return;
    }
    reason = fray_games_sit(request, match);
    if (reason)
        fray_games_refuse(request, reason);
    else
        fray_games_enter(request, match);
}

/* A show that nobody plays in is no match to keep: it has no replay. */
void fray_games_watch(const struct fray_games_request *request)
{
    int32_t options[OPTIONS_MAX];
    struct fray_match_config config = {.fighters = FRAY_MATCH_FIGHTERS, .options = options};
    const struct fray_match_person person = person_of(request);
    const char *reason = read_game(request, &config.game);
    if (!reason)
        reason = read_options(request, config.game, options);
    struct fray_match *match =
        reason ? NULL : fray_lobby_busiest(&request->games->lobby, config.game, &person);

    if (!reason && !match && config.game->seats_min > 1)
        reason = "unknown_match";
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    fray_games_step_out(request);
    if (!match)
        match = open_match(request, &config);
    if (!match)
        return;
    (void)watch(request, match);
    fray_games_enter(request, match);
}
