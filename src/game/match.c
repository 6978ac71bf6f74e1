#include "game/match.h"

#include <assert.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "game/ticks.h"

struct fray_match_ban {
    char *id, *name, *subject; /* or NULL */
    uint64_t origin;
};

/* Of one step: every player moves, attacks, is hurt, dies and begins anew; rps shows and drops all.
 */
uint32_t fray_match_events_max(const struct fray_match *match)
{
    return match->config.game->seats_max * 16u + 64;
}

static void delay_create(struct fray_match *match, uint64_t now_us)
{
    const struct fray_delay_moment moment = {.started_us = now_us};
    uint32_t delay_ms = match->config.times.delay_ms;
    if (delay_ms)
        match->delay = fray_delay_create(match->config.game, delay_ms, &moment, match->state,
                                         fray_match_json_roster(match));
}

uint64_t fray_match_draw(struct fray_match *match)
{
    struct fray_hash_key key = {match->secret, 0};
    match->drawn++;
    return fray_hash(key, fray_slice(&match->drawn, sizeof match->drawn));
}

struct fray_match *fray_match_create(const struct fray_match_config *config, uint64_t secret,
                                     uint64_t now_us)
{
    const struct fray_game *game = config->game;
    struct fray_match *match = fray_alloc_zero(sizeof *match);

    match->config = *config;
    match->config.options = NULL;
    match->secret = secret;
    match->seed = fray_match_draw(match);
    match->started_us = now_us;
    match->bots_us = UINT64_MAX;
    match->state = fray_alloc_zero(game->state_size);
    match->view = fray_alloc_zero(game->state_size);
    match->inputs = fray_alloc_zero((size_t)game->input_size * game->seats_max);
    match->memories = fray_alloc_zero((size_t)game->bot_size * game->seats_max);
    match->given = fray_alloc_zero(game->seats_max);
    match->seats = fray_alloc_zero(game->seats_max * sizeof *match->seats);
    match->events = fray_alloc(fray_match_events_max(match) * sizeof *match->events);
    match->hosted.is_heard = true;
    if (game->tick_hz)
        match->ticks = fray_ticks_create(game, config->times.rewind_ms);
    fray_game_init(game, match->state, match->seed, config->options);
    delay_create(match, now_us);
    match->is_roster_changed = match->is_state_changed = true;
    return match;
}

static void ban_deinit(struct fray_match_ban *ban)
{
    free(ban->id);
    free(ban->name);
    free(ban->subject);
}

static void record_end(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    if (!match->recorder || !match->is_begun)
        return;
    uint64_t hash = fray_game_hash(FRAY_GAME_HASH_START, match->state, game->state_size);
    match->recorder->on_end(match->recorder, match, match->steps, hash);
}

void fray_match_destroy(struct fray_match *match)
{
    if (!match)
        return;
    record_end(match);
    fray_match_sent(match);
    fray_ticks_destroy(match->ticks);
    fray_delay_destroy(match->delay);
    free(match->events);
    for (uint32_t i = 0; i < match->bans_count; i++)
        ban_deinit(&match->bans[i]);
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        free(match->seats[i].subject);
    free(match->bans);
    fray_match_news_deinit(&match->news);
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

uint32_t fray_match_persons(const struct fray_match *match)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        count += match->seats[i].is_taken && match->seats[i].bot == FRAY_MATCH_NO_BOT;
    return count;
}

bool fray_match_is_drop_in(const struct fray_match *match)
{
    return match->config.game->seats_min == 1;
}

bool fray_match_is_show(const struct fray_match *match)
{
    return match->config.fighters && fray_match_is_drop_in(match);
}

bool fray_match_is_live(const struct fray_match *match)
{
    return fray_match_host(match) != FRAY_GAME_NOBODY ||
           (fray_match_is_show(match) && match->spectators);
}

bool fray_match_sees(const struct fray_match *match, uint32_t viewer, uint32_t seat)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_table *table = fray_game_players(game);
    if (!table || !game->visible || seat >= table->rows)
        return true;
    const char *row = match->state + table->offset + (size_t)seat * table->stride;
    return !row[table->present - 1] ||
           game->visible(match->state, viewer, (uint32_t)(table - game->tables), seat);
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

/* ------------------------------------------------------------------ begin */

static void record_begin(struct fray_match *match)
{
    const char *options = match->state + match->config.game->options_offset;
    if (match->recorder)
        match->recorder->on_begin(match->recorder, match, (const int32_t *)(const void *)options);
}

void fray_match_rules_join(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_game_events events = fray_match_listen(match);
    match->config.game->join(match->state, seat, &events);
    if (match->recorder)
        match->recorder->on_join(match->recorder, match, seat);
    fray_match_hear(match, &events, now_us);
}

void fray_match_begin(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;

    assert(!match->is_begun);
    match->is_begun = true;
    match->is_anew = match->ticks != NULL;
    match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
    match->steps = 0;
    memset(match->inputs, 0, (size_t)game->input_size * game->seats_max);
    for (uint32_t i = 0; i < game->seats_max; i++) {
        if (fray_match_seat_has_bot(&match->seats[i])) /* what it remembers is of other times */
            fray_match_bot_init(match, i);
    }
    record_begin(match);
    if (match->ticks && match->pairing.phase && now_us == match->pairing.start_us)
        fray_ticks_begin_at(match->ticks, now_us);
    else if (match->ticks)
        fray_ticks_begin(match->ticks, match->config.phase, now_us);
    for (uint32_t i = 0; i < game->seats_max; i++) {
        if (match->seats[i].is_taken)
            fray_match_rules_join(match, i, now_us);
    }
    uint32_t host = fray_match_host(match); /* nobody: bots are watched */
    if (host != FRAY_GAME_NOBODY && fray_game_json_action(game, "start_game"))
        (void)fray_match_act(match, host, "start_game", NULL, now_us);
}

void fray_match_unbegin(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    char *options = match->state + game->options_offset;
    int32_t *same = fray_alloc(game->options_count * sizeof *same + 1);

    record_end(match);
    memcpy(same, options, game->options_count * sizeof *same);
    match->seed = fray_match_draw(match);
    fray_game_init(game, match->state, match->seed, same);
    free(same);
    match->started_us = now_us;
    match->bots_us = UINT64_MAX;
    match->steps = 0;
    match->number++;
    match->is_begun = false;
    match->is_state_changed = true;
    fray_match_note_phase(match);
}

void fray_match_restart(struct fray_match *match, uint64_t now_us)
{
    fray_match_unbegin(match, now_us);
    fray_match_begin(match, now_us);
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
    if (fray_pairing_is_unsettled(match)) /* that start is agreed on by other means */
        return "not_ready";
    if (fray_match_players(match) < game->seats_min)
        return "not_enough_players";
    for (uint32_t i = 0; i < game->seats_max; i++) {
        const struct fray_match_seat *other = &match->seats[i];
        if (i != seat && other->is_taken && other->is_connected && !other->is_ready)
            return "not_ready";
    }
    fray_match_begin(match, now_us);
    return NULL;
}

void fray_match_ban(struct fray_match *match, const struct fray_match_seat *seat, bool by_name)
{
    if (!match->bans)
        match->bans = fray_alloc_zero(FRAY_MATCH_BANS_MAX * sizeof *match->bans);
    if (match->bans_count == FRAY_MATCH_BANS_MAX) {
        ban_deinit(&match->bans[0]);
        memmove(match->bans, match->bans + 1, --match->bans_count * sizeof *match->bans);
    }
    match->bans[match->bans_count++] = (struct fray_match_ban){
        .id = fray_strndup(seat->id, strlen(seat->id)),
        .name = by_name ? fray_strndup(seat->name, strlen(seat->name)) : NULL,
        .subject = seat->subject ? fray_strndup(seat->subject, strlen(seat->subject)) : NULL,
        .origin = seat->origin,
    };
}

/* A guest may well call itself something else: it is known by where it connects from, too. */
static bool is_same_guest(const struct fray_match_ban *known,
                          const struct fray_match_person *person)
{
    return strcmp(person->id, known->id) == 0 ||
           (known->name && strcmp(person->name, known->name) == 0) ||
           (person->origin && person->origin == known->origin);
}

static bool is_seated(const struct fray_match *match, const struct fray_match_person *person)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        if (match->seats[i].is_taken && strcmp(match->seats[i].socket, person->id) == 0)
            return true;
    return false;
}

/* Who is known by proof is known by that alone. Whoever has a seat may look like who was kicked. */
bool fray_match_is_banned(const struct fray_match *match, const struct fray_match_person *person)
{
    if (match->bans_count && is_seated(match, person))
        return false;
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
    if (match->config.is_quick)
        return "not_allowed";
    if (by != fray_match_host(match))
        return "not_host";
    if (seat >= match->config.game->seats_max || !match->seats[seat].is_taken || seat == by)
        return "unknown_seat";
    fray_match_put_out(match, seat, FRAY_OUT_KICKED, now_us);
    return NULL;
}

/* ------------------------------------------------------------------ as JSON */

static json_t *seat_json(const struct fray_match_seat *seat, uint32_t number)
{
    return json_pack("{s:i, s:s, s:s, s:o, s:b, s:b, s:b, s:b}", "seat", (int)number, "id",
                     seat->id, "name", seat->name, "bot",
                     seat->bot == FRAY_MATCH_NO_BOT ? json_null() : json_integer(seat->bot),
                     "connected", seat->is_connected && !seat->is_silent, "stand_in",
                     seat->has_stand_in, "ready", seat->is_ready, "rematch", seat->wants_rematch);
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
    const char *pairing = fray_pairing_phase_text(match);
    json_object_set_new(roster, "matchmaking", pairing ? json_string(pairing) : json_null());
    json_object_set_new(roster, "seats_min", json_integer(game->seats_min));
    json_object_set_new(roster, "seats_max", json_integer(game->seats_max));
    json_object_set_new(roster, "bot_levels", json_integer(game->bot_levels));
    json_object_set_new(roster, "host_may_kick", json_boolean(!match->config.is_quick));
    json_object_set_new(roster, "options", options_json(match));
    json_object_set_new(roster, "spectators", json_integer(match->spectators));
    json_object_set_new(roster, "spectator_delay_ms", json_integer(match->config.times.delay_ms));
    json_object_set_new(roster, "seats", seats);
    return roster;
}
