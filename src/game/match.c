#include "game/match.h"

#include <stdio.h>

#include "base/mem.h"

struct fray_match_ban {
    char *id, *name, *subject; /* subject: or NULL */
    uint64_t origin;
};

struct fray_match *fray_match_create(const struct fray_match_config *config, uint64_t seed,
                                     uint64_t now_us)
{
    const struct fray_game *game = config->game;
    struct fray_match *match = fray_alloc_zero(sizeof *match);

    match->config = *config;
    match->config.options = NULL;
    match->seed = seed;
    match->started_us = now_us;
    match->bots_us = UINT64_MAX;
    match->state = fray_alloc_zero(game->state_size);
    match->view = fray_alloc_zero(game->state_size);
    match->inputs = fray_alloc_zero((size_t)game->input_size * game->seats_max);
    match->memories = fray_alloc_zero((size_t)game->bot_size * game->seats_max);
    match->given = fray_alloc_zero(game->seats_max);
    match->seats = fray_alloc_zero(game->seats_max * sizeof *match->seats);
    fray_game_init(game, match->state, seed, config->options);
    match->is_roster_changed = match->is_state_changed = true;
    return match;
}

static void ban_deinit(struct fray_match_ban *ban)
{
    free(ban->id);
    free(ban->name);
    free(ban->subject);
}

void fray_match_destroy(struct fray_match *match)
{
    if (!match)
        return;
    fray_match_sent(match);
    for (uint32_t i = 0; i < match->bans_count; i++)
        ban_deinit(&match->bans[i]);
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        free(match->seats[i].subject);
    free(match->bans);
    free(match->news);
    free(match->state);
    free(match->view);
    free(match->inputs);
    free(match->memories);
    free(match->given);
    free(match->seats);
    free(match);
}

/* ------------------------------------------------------------------ what is */

uint32_t fray_match_players(const struct fray_match *match)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        count += match->seats[i].is_taken;
    return count;
}

bool fray_match_is_open(const struct fray_match *match)
{
    return fray_match_players(match) < match->config.game->seats_max;
}

uint32_t fray_match_host(const struct fray_match *match)
{
    uint32_t host = FRAY_GAME_NOBODY;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        if (seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT &&
            (host == FRAY_GAME_NOBODY || seat->order < match->seats[host].order))
            host = i;
    }
    return host;
}

enum fray_match_phase fray_match_phase(const struct fray_match *match)
{
    if (!match->is_begun)
        return FRAY_MATCH_WAITING;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        if (match->seats[i].is_taken &&
            match->config.game->outcome(match->state, i) == FRAY_GAME_PLAYING)
            return FRAY_MATCH_PLAYING;
    }
    return FRAY_MATCH_OVER;
}

/* ------------------------------------------------------------------ seats */

static void rules_join(struct fray_match *match, uint32_t seat)
{
    struct fray_game_events events = fray_match_listen();
    (void)match->config.game->join(match->state, seat, &events);
    fray_match_hear(match, &events);
}

/* The seats become the rules'; games that wait for a start are given it. */
static void begin(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;

    match->is_begun = true;
    match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
    for (uint32_t i = 0; i < game->seats_max; i++) {
        if (match->seats[i].is_taken)
            rules_join(match, i);
    }
    if (fray_game_json_action(game, "start_game"))
        (void)fray_match_act(match, fray_match_host(match), "start_game", NULL, now_us);
}

static uint32_t free_seat(const struct fray_match *match)
{
    uint32_t seat = 0;
    while (seat < match->config.game->seats_max && match->seats[seat].is_taken)
        seat++;
    return seat;
}

/* The seat is filled in; the rules hear of it now or at the start. */
static void seat_taken(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;

    match->seats[seat].is_taken = match->seats[seat].is_connected = true;
    match->seats[seat].order = match->order++;
    match->is_roster_changed = true;
    memset(match->inputs + (size_t)seat * game->input_size, 0, game->input_size);
    if (match->is_begun) {
        match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
        rules_join(match, seat);
    } else if (!match->config.waits_for_host && fray_match_players(match) >= game->seats_min) {
        begin(match, now_us);
    }
}

const char *fray_match_sit(struct fray_match *match, const struct fray_match_person *person,
                           const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us, uint32_t *seat)
{
    if (fray_match_is_banned(match, person))
        return "kicked";
    uint32_t at = free_seat(match);
    if (at == match->config.game->seats_max)
        return "match_full";
    struct fray_match_seat *taken = &match->seats[at];
    taken->bot = FRAY_MATCH_NO_BOT;
    snprintf(taken->id, sizeof taken->id, "%s", person->id);
    snprintf(taken->socket, sizeof taken->socket, "%s", person->id);
    snprintf(taken->name, sizeof taken->name, "%s", person->name);
    taken->subject =
        person->subject ? fray_strndup(person->subject, strlen(person->subject)) : NULL;
    taken->origin = person->origin;
    fray_token_make(taken->token, at, random);
    *seat = at;
    seat_taken(match, at, now_us);
    return NULL;
}

const char *fray_match_add_bot(struct fray_match *match, uint32_t by, int level, uint64_t now_us,
                               uint32_t *seat)
{
    const struct fray_game *game = match->config.game;

    if (by != fray_match_host(match))
        return "not_host";
    if (level < FRAY_MATCH_NO_BOT || level >= game->bot_levels)
        return "bad_level";
    uint32_t at = free_seat(match);
    if (at == game->seats_max)
        return "match_full";
    struct fray_match_seat *taken = &match->seats[at];
    taken->bot = (int16_t)(level == FRAY_MATCH_NO_BOT ? game->bot_levels - 1 : level);
    taken->is_ready = true;
    snprintf(taken->id, sizeof taken->id, "bot-%u", at);
    snprintf(taken->name, sizeof taken->name, "Bot %u", at + 1);
    game->bot_init(match->memories + (size_t)at * game->bot_size, (uint32_t)taken->bot,
                   match->seed + at);
    *seat = at;
    seat_taken(match, at, now_us);
    return NULL;
}

void fray_match_leave(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_match_seat *left = &match->seats[seat];
    if (!left->is_taken)
        return;
    if (match->is_begun) {
        struct fray_game_events events = fray_match_listen();
        match->config.game->leave(match->state, seat, &events);
        fray_match_hear(match, &events);
        match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
    }
    free(left->subject);
    *left = (struct fray_match_seat){0};
    match->is_roster_changed = true;
}

void fray_match_drop(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_match_seat *lost = &match->seats[seat];
    lost->is_connected = false;
    lost->is_ready = false;
    lost->lost_us = now_us;
    lost->socket[0] = '\0';
    match->is_roster_changed = true;
}

const char *fray_match_return(struct fray_match *match, const char *token, uint32_t *seat)
{
    uint32_t at;
    struct fray_slice given = fray_slice_of(token);
    if (!fray_token_number(given, &at) || at >= match->config.game->seats_max)
        return "bad_token";
    struct fray_match_seat *found = &match->seats[at];
    if (!found->is_taken || found->bot != FRAY_MATCH_NO_BOT ||
        !fray_token_equal(given, found->token))
        return "bad_token";
    found->is_connected = true;
    found->has_stand_in = false;
    match->is_roster_changed = true;
    *seat = at;
    return NULL;
}

const char *fray_match_watch(struct fray_match *match, const struct fray_match_person *person)
{
    if (fray_match_is_banned(match, person))
        return "kicked";
    if (match->spectators == FRAY_MATCH_SPECTATORS_MAX)
        return "match_full";
    match->spectators++;
    match->is_roster_changed = true;
    return NULL;
}

void fray_match_unwatch(struct fray_match *match)
{
    match->spectators--;
    match->is_roster_changed = true;
}

/* ------------------------------------------------------------------ the host's rights */

void fray_match_ready(struct fray_match *match, uint32_t seat, bool is_ready)
{
    match->seats[seat].is_ready = is_ready;
    match->is_roster_changed = true;
}

const char *fray_match_start(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;

    if (seat != fray_match_host(match))
        return "not_host";
    if (match->is_begun)
        return fray_game_json_action(game, "start_game")
                   ? fray_match_act(match, seat, "start_game", NULL, now_us)
                   : "already_started";
    if (fray_match_players(match) < game->seats_min)
        return "not_enough_players";
    for (uint32_t i = 0; i < game->seats_max; i++) {
        const struct fray_match_seat *other = &match->seats[i];
        if (i != seat && other->is_taken && other->is_connected && !other->is_ready)
            return "not_ready";
    }
    begin(match, now_us);
    return NULL;
}

static void ban(struct fray_match *match, const struct fray_match_seat *seat)
{
    if (!match->bans)
        match->bans = fray_alloc_zero(FRAY_MATCH_BANS_MAX * sizeof *match->bans);
    if (match->bans_count == FRAY_MATCH_BANS_MAX) {
        ban_deinit(&match->bans[0]);
        memmove(match->bans, match->bans + 1, --match->bans_count * sizeof *match->bans);
    }
    match->bans[match->bans_count++] = (struct fray_match_ban){
        .id = fray_strndup(seat->id, strlen(seat->id)),
        .name = fray_strndup(seat->name, strlen(seat->name)),
        .subject = seat->subject ? fray_strndup(seat->subject, strlen(seat->subject)) : NULL,
        .origin = seat->origin,
    };
}

/* A guest may well call itself something else: it is known by where it connects from, too. */
static bool is_same_guest(const struct fray_match_ban *known,
                          const struct fray_match_person *person)
{
    return strcmp(person->id, known->id) == 0 || strcmp(person->name, known->name) == 0 ||
           (person->origin && person->origin == known->origin);
}

/* Who is known by proof is known by that alone. */
bool fray_match_is_banned(const struct fray_match *match, const struct fray_match_person *person)
{
    for (uint32_t i = 0; i < match->bans_count; i++) {
        const struct fray_match_ban *known = &match->bans[i];
        if (person->subject && known->subject) {
            if (strcmp(person->subject, known->subject) == 0)
                return true;
        } else if (!person->subject && is_same_guest(known, person)) {
            return true;
        }
    }
    return false;
}

const char *fray_match_kick(struct fray_match *match, uint32_t by, uint32_t seat, uint64_t now_us)
{
    if (by != fray_match_host(match))
        return "not_host";
    if (seat >= match->config.game->seats_max || !match->seats[seat].is_taken || seat == by)
        return "unknown_seat";
    if (match->seats[seat].bot == FRAY_MATCH_NO_BOT)
        ban(match, &match->seats[seat]);
    fray_match_leave(match, seat, now_us);
    return NULL;
}

/* ------------------------------------------------------------------ as JSON */

static json_t *seat_json(const struct fray_match_seat *seat, uint32_t number)
{
    return json_pack("{s:i, s:s, s:s, s:o, s:b, s:b, s:b, s:b}", "seat", (int)number, "id",
                     seat->id, "name", seat->name, "bot",
                     seat->bot == FRAY_MATCH_NO_BOT ? json_null() : json_integer(seat->bot),
                     "connected", seat->is_connected, "stand_in", seat->has_stand_in, "ready",
                     seat->is_ready, "rematch", seat->wants_rematch);
}

static json_t *options_json(const struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    json_t *options = json_object();
    for (uint32_t i = 0; i < game->options_count; i++) {
        int32_t value;
        memcpy(&value, match->state + game->options_offset + i * sizeof value, sizeof value);
        json_object_set_new(options, game->options[i].name, json_integer(value));
    }
    return options;
}

json_t *fray_match_json_roster(const struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    uint32_t host = fray_match_host(match);
    json_t *seats = json_array();
    for (uint32_t i = 0; i < game->seats_max; i++) {
        if (match->seats[i].is_taken)
            json_array_append_new(seats, seat_json(&match->seats[i], i));
    }
    json_t *roster = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "match", match->config.id, "game", game->name,
        "title", game->title, "phase", fray_match_phase_text(fray_match_phase(match)), "start",
        match->config.waits_for_host ? "host" : "auto", "private", match->config.is_private, "host",
        host == FRAY_GAME_NOBODY ? json_null() : json_integer(host));
    json_object_set_new(roster, "seats_min", json_integer(game->seats_min));
    json_object_set_new(roster, "seats_max", json_integer(game->seats_max));
    json_object_set_new(roster, "bot_levels", json_integer(game->bot_levels));
    json_object_set_new(roster, "options", options_json(match));
    json_object_set_new(roster, "spectators", json_integer(match->spectators));
    json_object_set_new(roster, "seats", seats);
    return roster;
}
