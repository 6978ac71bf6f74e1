/* How one comes into a match of /games that may have to be made: create, quick_play, watch
 * (games_request.h). */
#include "game/catalog.h"
#include "room/namespace.h"
#include "server/games_request.h"

enum {
    DELAYS_BYTES_MAX = 256 << 20, /* for the past of all matches that asked to be shown so late */
    OPTIONS_MAX = 32,
    NAME_SHOWN_MAX = 40,
    QUICK_PLAY_WAIT_MAX_S = 600,
    HOLD_CROWD_MS = 30000, /* a fighter in a crowd is missed by nobody for longer */
};

static const char *read_game(const struct fray_games_request *request,
                             const struct fray_game **game)
{
    const char *name = fray_games_text(request, "game");
    if (!name)
        return fray_games_because(request, "wrong_shape", "game is the name of a game.");
    *game = fray_catalog_find(request->games->lobby.games, fray_slice_of(name));
    return *game ? NULL : "unknown_game";
}

static const char *no_such_option(const struct fray_games_request *request,
                                  const struct fray_game *game, const char *name)
{
    struct fray_buf known = {0};
    for (uint32_t i = 0; i < game->options_count; i++)
        fray_buf_printf(&known, " %s", game->options[i].name);
    const char *code = fray_games_because(
        request, "unknown_option", "%s has no option \"%s\". It has:%.*s.", game->name,
        strlen(name) <= NAME_SHOWN_MAX ? name : "…", (int)known.len, known.data);
    fray_buf_deinit(&known);
    return code;
}

static const char *read_options(const struct fray_games_request *request,
                                const struct fray_game *game, int32_t options[OPTIONS_MAX])
{
    json_t *given = json_object_get(request->content, "options"), *value;
    const char *key;

    for (uint32_t i = 0; i < game->options_count; i++)
        options[i] = game->options[i].standard;
    if (given && !json_is_object(given))
        return fray_games_because(request, "wrong_shape", "options is an object of numbers.");
    json_object_foreach(given, key, value)
    {
        uint32_t i = 0;
        while (i < game->options_count && strcmp(game->options[i].name, key) != 0)
            i++;
        if (i == game->options_count)
            return no_such_option(request, game, key);
        if (!json_is_integer(value))
            return fray_games_because(request, "wrong_shape",
                                      "The option %s is an integer from %d to %d.", key,
                                      game->options[i].min, game->options[i].max);
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
        count += games->lobby.matches[i]->hosted.bots;
    return count <= FRAY_GAMES_BOTS_MAX;
}

/* So many bots beside the creator. Of a drop-in game people who come take their places, and there
 * are always as many players; elsewhere they sit down once, and stay. */
static const char *read_bots(const struct fray_games_request *request,
                             struct fray_match_config *config)
{
    const json_t *bots = json_object_get(request->content, "bots");
    json_int_t count = json_integer_value(bots);

    json_int_t most = config->game->seats_max - 1;
    if (most > FRAY_MATCH_FIGHTERS_MAX - 1)
        most = FRAY_MATCH_FIGHTERS_MAX - 1;
    if ((bots && !json_is_integer(bots)) || count < 0 || count > most)
        return fray_games_because(request, json_is_integer(bots) ? "out_of_range" : "wrong_shape",
                                  "bots is an integer from 0 to %lld.", (long long)most);
    if (count && !fray_games_has_bots(request->games, 0, (uint32_t)count))
        return "too_many_bots";
    config->fighters = count ? (uint8_t)(count + 1) : 0;
    return NULL;
}

/* What the operator has chosen is the operator's to afford. */
static size_t delay_bytes(const struct fray_games *games, const struct fray_match_config *config)
{
    return config->times.delay_ms > games->times.delay_ms
               ? fray_delay_bytes(config->game, config->times.delay_ms)
               : 0;
}

static bool can_afford(const struct fray_games *games, const struct fray_match_config *config)
{
    size_t bytes = delay_bytes(games, config);
    for (uint32_t i = 0; bytes && i < games->lobby.count; i++)
        bytes += delay_bytes(games, &games->lobby.matches[i]->config);
    return bytes <= DELAYS_BYTES_MAX;
}

static const char *read_delay(const struct fray_games_request *request,
                              struct fray_match_config *config)
{
    const json_t *delay = json_object_get(request->content, "spectator_delay_s");
    double seconds = json_number_value(delay);

    if ((delay && !json_is_number(delay)) || !(seconds >= 0 && seconds <= FRAY_DELAY_MAX_MS / 1000))
        return fray_games_because(request, json_is_number(delay) ? "out_of_range" : "wrong_shape",
                                  "spectator_delay_s is a number from 0 to %d.",
                                  FRAY_DELAY_MAX_MS / 1000);
    config->times.delay_ms = (uint32_t)(seconds * 1000);
    return can_afford(request->games, config) ? NULL : "too_much_delay";
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
    if (!is_known)
        return fray_games_because(request, "wrong_shape", "start is \"auto\" or \"host\".");
    if (!fray_games_flag(request, "private", false, &config->is_private))
        return fray_games_because(request, "wrong_shape", "private is true or false.");
    const char *reason_bots = read_bots(request, config);
    return reason_bots ? reason_bots : read_delay(request, config);
}

/* Its match ends without it. */
static bool is_alone(const struct fray_games_request *request)
{
    const struct fray_match *match = fray_games_match(request);
    return match && fray_match_persons(match) + match->spectators == 1;
}

/* So that who asks for another match does not lose the one that it is in. */
static bool has_room(const struct fray_games_request *request)
{
    const struct fray_lobby *lobby = &request->games->lobby;
    return !fray_lobby_is_full(lobby) || is_alone(request) || fray_lobby_deserted(lobby);
}

/* NULL: refused. */
static struct fray_match *open_match(const struct fray_games_request *request,
                                     const struct fray_match_config *config)
{
    uint64_t random[2] = {fray_random(request->nsp), fray_random(request->nsp)};
    struct fray_match_config timed = *config;
    timed.times = request->games->times;
    if (config->times.delay_ms > timed.times.delay_ms) /* never less than the operator wants */
        timed.times.delay_ms = config->times.delay_ms;
    if (config->game->tick_hz && config->game->seats_max > 2 && timed.times.hold_ms > HOLD_CROWD_MS)
        timed.times.hold_ms = HOLD_CROWD_MS;
    struct fray_lobby *lobby = &request->games->lobby;
    struct fray_match *deserted = fray_lobby_is_full(lobby) ? fray_lobby_deserted(lobby) : NULL;
    if (deserted)
        fray_games_close(request->games, deserted);
    struct fray_match *match = fray_lobby_create(lobby, &timed, random, request->now_us);
    if (!match) {
        fray_games_refuse(request, "too_many_matches");
        return NULL;
    }
    fray_count(&request->nsp->home->counters.game_matches_opened);
    fray_games_record(request->games, match);
    return match;
}

static void make(const struct fray_games_request *request, const struct fray_match_config *asked)
{
    struct fray_match_config config = *asked;
    bool are_seated = config.fighters && config.game->seats_min > 1;
    uint32_t bots = are_seated ? config.fighters - 1u : 0, at;
    config.fighters = are_seated ? 0 : config.fighters;
    struct fray_match *match = open_match(request, &config);
    if (!match)
        return;
    (void)fray_games_step_out(request, match);
    (void)fray_games_sit(request, match); /* the first has a seat */
    for (uint32_t i = 0; i < bots; i++)
        (void)fray_match_add_bot(match, request->place->seat, FRAY_MATCH_NO_BOT, request->now_us,
                                 &at);
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
        make(request, &config);
}

static const char *read_wait(const struct fray_games_request *request, uint32_t *wait_ms)
{
    const json_t *wait = json_object_get(request->content, "wait_s");
    *wait_ms = request->games->quick_play_wait_ms;
    if (!wait)
        return NULL;
    double seconds = json_number_value(wait);
    if (!json_is_number(wait) || !(seconds >= 0 && seconds <= QUICK_PLAY_WAIT_MAX_S))
        return fray_games_because(request, json_is_number(wait) ? "out_of_range" : "wrong_shape",
                                  "wait_s is a number from 0 to %d.", QUICK_PLAY_WAIT_MAX_S);
    *wait_ms = (uint32_t)(seconds * 1000);
    return NULL;
}

/* Whoever plays wants another match; whoever watches may well play where it is, if that goes on. */
static struct fray_match *find_quick(const struct fray_games_request *request,
                                     const struct fray_game *game)
{
    const struct fray_match_person person = fray_games_person(request);
    bool may_stay = request->place->role == FRAY_GAMES_SPECTATOR && !is_alone(request);
    return fray_lobby_quick(&request->games->lobby, game, &person,
                            may_stay ? NULL : fray_games_match(request));
}

void fray_games_quick_play(const struct fray_games_request *request)
{
    struct fray_match_config config = {.is_quick = true};
    uint32_t wait_ms;
    const char *reason = read_game(request, &config.game);
    if (!reason)
        reason = read_wait(request, &wait_ms);
    struct fray_match *match = reason ? NULL : find_quick(request, config.game);
    if (!reason && !match && !has_room(request))
        reason = "too_many_matches";
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    match = fray_games_step_out(request, match);
    if (!match) {
        bool is_drop_in = config.game->seats_min == 1; /* nobody need be waited for */
        config.fighters = is_drop_in ? FRAY_MATCH_FIGHTERS : 0;
        match = open_match(request, &config);
        if (match && !is_drop_in)
            fray_pairing_begin(match, request->now_us);
    }
    if (!match)
        return;
    reason = fray_games_sit(request, match);
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    fray_pairing_wait(match, request->place->seat, wait_ms, request->now_us);
    fray_games_enter(request, match);
}

void fray_games_watch(const struct fray_games_request *request)
{
    int32_t options[OPTIONS_MAX];
    struct fray_match_config config = {
        .fighters = FRAY_MATCH_FIGHTERS, .options = options, .is_quick = true};
    const struct fray_match_person person = fray_games_person(request);
    const char *reason = read_game(request, &config.game);
    if (!reason)
        reason = read_options(request, config.game, options);
    struct fray_match *match =
        reason ? NULL : fray_lobby_busiest(&request->games->lobby, config.game, &person);

    bool is_own = match && match == fray_games_match(request);
    if (is_own && config.game->seats_min > 1) {
        fray_games_refuse_same(request);
        return;
    }
    if (!reason && !match && config.game->seats_min > 1)
        reason = fray_games_because(request, "unknown_match", "Nobody plays %s just now.",
                                    config.game->title);
    if (is_own && is_alone(request))
        match = NULL; /* it ends */
    if (!reason && !match && !has_room(request))
        reason = "too_many_matches";
    if (reason) {
        fray_games_refuse(request, reason);
        return;
    }
    if (match && is_own && request->place->role == FRAY_GAMES_PLAYER) {
        reason = fray_games_change_place(request, match);
    } else {
        match = fray_games_step_out(request, match);
        if (!match)
            match = open_match(request, &config);
        if (!match)
            return;
        reason = fray_games_look_on(request, match);
    }
    if (reason)
        fray_games_refuse(request, reason);
    else
        fray_games_enter(request, match);
}
