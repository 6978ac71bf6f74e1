/* Who sits in a match: people, bots, bots that play for people. */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "game/match.h"
#include "game/ticks.h"

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
    match->seats[seat].heard_us = now_us;
    if (match->delay)
        fray_delay_seat(match->delay, now_us, seat, match->seats[seat].id);
    match->is_roster_changed = true;
    memset(match->inputs + (size_t)seat * game->input_size, 0, game->input_size);
    if (match->ticks)
        fray_ticks_seat_reset(match->ticks, seat);
    if (match->is_begun) {
        match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
        fray_match_rules_join(match, seat, now_us);
    } else if (match->pairing.phase) {
        fray_pairing_seat_taken(match, seat, now_us);
    } else if (!match->config.waits_for_host && fray_match_players(match) >= game->seats_min) {
        fray_match_begin(match, now_us);
    }
}

static void seat_leave(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                       uint64_t now_us)
{
    struct fray_match_seat *left = &match->seats[seat];
    fray_pairing_seat_leaves(match, seat, reason, now_us);
    if (match->is_begun) {
        struct fray_game_events events = fray_match_listen(match);
        if (match->recorder)
            match->recorder->on_leave(match->recorder, match, seat);
        match->config.game->leave(match->state, seat, &events);
        fray_match_hear(match, &events, now_us);
        match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
    }
    if (match->ticks)
        fray_ticks_seat_reset(match->ticks, seat);
    if (match->delay)
        fray_delay_seat(match->delay, now_us, seat, "");
    free(left->subject);
    *left = (struct fray_match_seat){0};
    match->is_roster_changed = true;
}

/* ------------------------------------------------------------------ bots */

uint32_t fray_match_stand_in_level(const struct fray_game *game)
{
    return (game->bot_levels - 1u) / 2;
}

void fray_match_bot_init(struct fray_match *match, uint32_t seat)
{
    const struct fray_game *game = match->config.game;
    const struct fray_match_seat *bot = &match->seats[seat];
    uint32_t level =
        bot->bot == FRAY_MATCH_NO_BOT ? fray_match_stand_in_level(game) : (uint32_t)bot->bot;
    game->bot_init(match->memories + (size_t)seat * game->bot_size, level, fray_match_draw(match));
}

static void seat_become_bot(struct fray_match *match, uint32_t seat, uint32_t level)
{
    struct fray_match_seat *taken = &match->seats[seat];

    taken->bot = (int16_t)level;
    taken->is_ready = true;
    snprintf(taken->id, sizeof taken->id, "bot-%u", seat);
    snprintf(taken->name, sizeof taken->name, "Bot %u", seat + 1);
    fray_match_bot_init(match, seat);
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
    seat_become_bot(match, at,
                    level == FRAY_MATCH_NO_BOT ? game->bot_levels - 1u : (uint32_t)level);
    *seat = at;
    seat_taken(match, at, now_us);
    return NULL;
}

static uint32_t last_that_makes_way(const struct fray_match *match)
{
    uint32_t seat = match->config.game->seats_max;
    while (seat && !(match->seats[seat - 1].is_taken && match->seats[seat - 1].makes_way))
        seat--;
    return seat ? seat - 1 : FRAY_GAME_NOBODY;
}

bool fray_match_is_open(const struct fray_match *match)
{
    return free_seat(match) < match->config.game->seats_max ||
           last_that_makes_way(match) != FRAY_GAME_NOBODY;
}

/* Bots come and go so that there are as many players as the match is meant to have. With nobody
 * there it ends anyway. */
static void bots_adjust(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    uint32_t wanted = match->config.fighters, seat;

    if (!wanted || !fray_match_is_live(match))
        return;
    while (fray_match_players(match) < wanted && (seat = free_seat(match)) < game->seats_max) {
        seat_become_bot(match, seat, seat % game->bot_levels);
        match->seats[seat].makes_way = true;
        seat_taken(match, seat, now_us);
    }
    while (fray_match_players(match) > wanted &&
           (seat = last_that_makes_way(match)) != FRAY_GAME_NOBODY)
        seat_leave(match, seat, FRAY_OUT_LEFT, now_us);
}

/* ------------------------------------------------------------------ giving up seats */

static void tell_out(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                     bool has_bot)
{
    const struct fray_match_seat *left = &match->seats[seat];
    fray_match_news_push(
        &match->news,
        &(struct fray_match_news){
            .name = "player_out",
            .to = FRAY_GAME_NOBODY,
            .is_for_all = true,
            .content = json_pack("{s:s, s:I, s:s, s:s, s:s, s:b}", "match", match->config.id,
                                 "seat", (json_int_t)seat, "id", left->id, "name", left->name,
                                 "reason", fray_match_out_text(reason), "bot", has_bot),
        });
}

/* A bot plays on for who would spoil the game by going. */
static bool needs_substitute(const struct fray_match *match, enum fray_match_out reason)
{
    return (reason == FRAY_OUT_CHEATING || reason == FRAY_OUT_ERROR) && match->is_begun &&
           !fray_pairing_is_unsettled(match) &&
           fray_match_players(match) <= match->config.game->seats_min;
}

static void seat_substitute(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_match_seat *left = &match->seats[seat];

    free(left->subject);
    *left = (struct fray_match_seat){.is_taken = true, .is_connected = true, .order = left->order};
    seat_become_bot(match, seat, fray_match_stand_in_level(match->config.game));
    if (match->delay)
        fray_delay_seat(match->delay, now_us, seat, left->id);
    if (match->ticks)
        fray_ticks_seat_reset(match->ticks, seat);
    match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
    match->number++; /* the state names players by id */
    match->is_roster_changed = match->is_state_changed = true;
}

void fray_match_put_out(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                        uint64_t now_us)
{
    struct fray_match_seat *left = &match->seats[seat];
    bool has_substitute = needs_substitute(match, reason);

    if (!left->is_taken)
        return;
    if (left->bot == FRAY_MATCH_NO_BOT) {
        if (reason == FRAY_OUT_CHEATING || reason == FRAY_OUT_KICKED)
            fray_match_ban(match, left, reason == FRAY_OUT_KICKED);
        tell_out(match, seat, reason, has_substitute);
    }
    if (has_substitute) {
        seat_substitute(match, seat, now_us);
    } else {
        seat_leave(match, seat, reason, now_us);
        bots_adjust(match, now_us);
    }
    (void)fray_match_rematch_count(match, now_us);
}

void fray_match_condemn(struct fray_match *match, uint32_t seat, enum fray_match_out reason)
{
    match->seats[seat].condemned = (uint8_t)reason;
    match->has_condemned = true;
}

void fray_match_err(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    if (match->seats[seat].condemned == FRAY_OUT_NONE &&
        fray_conduct_err(&match->ticks->seats[seat].conduct, now_us))
        fray_match_condemn(match, seat, FRAY_OUT_ERROR);
}

/* ------------------------------------------------------------------ people */

const char *fray_match_may_enter(const struct fray_match *match,
                                 const struct fray_match_person *person, bool is_spectator)
{
    if (fray_match_is_banned(match, person))
        return "kicked";
    bool is_full =
        is_spectator ? match->spectators >= FRAY_MATCH_SPECTATORS_MAX : !fray_match_is_open(match);
    return is_full ? "match_full" : NULL;
}

const char *fray_match_sit(struct fray_match *match, const struct fray_match_person *person,
                           const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us, uint32_t *seat)
{
    const char *reason = fray_match_may_enter(match, person, false);
    if (reason)
        return reason;
    if (free_seat(match) == match->config.game->seats_max)
        seat_leave(match, last_that_makes_way(match), FRAY_OUT_LEFT, now_us);
    uint32_t at = free_seat(match);
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
    bots_adjust(match, now_us);
    return NULL;
}

void fray_match_heard(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_match_seat *heard = &match->seats[seat];
    heard->heard_us = now_us;
    if (heard->is_awaited)
        fray_pairing_shown(match, seat);
    if (!heard->is_silent)
        return;
    heard->is_silent = heard->has_stand_in = false;
    match->is_roster_changed = true;
}

void fray_match_drop(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_match_seat *lost = &match->seats[seat];
    if (fray_pairing_is_unsettled(match)) {
        fray_match_put_out(match, seat, FRAY_OUT_LOST, now_us);
        return;
    }
    lost->lost_us = lost->is_silent ? lost->lost_us : now_us;
    lost->is_connected = lost->is_silent = false;
    lost->is_ready = false;
    lost->socket[0] = '\0';
    if (match->ticks)
        fray_ticks_seat_reconnect(match->ticks, seat);
    match->is_roster_changed = true;
    (void)fray_match_rematch_count(match, now_us); /* nobody waits for its wish */
}

const char *fray_match_seat_of(const struct fray_match *match, const char *token, uint32_t *seat)
{
    uint32_t at;
    struct fray_slice given = fray_slice_of(token);
    if (!fray_token_number(given, &at) || at >= match->config.game->seats_max)
        return "bad_token";
    const struct fray_match_seat *found = &match->seats[at];
    if (!found->is_taken || found->bot != FRAY_MATCH_NO_BOT ||
        !fray_token_equal(given, found->token))
        return "bad_token";
    *seat = at;
    return NULL;
}

const char *fray_match_return(struct fray_match *match, const char *token, uint64_t now_us,
                              uint32_t *seat)
{
    const char *reason = fray_match_seat_of(match, token, seat);
    if (reason)
        return reason;
    struct fray_match_seat *found = &match->seats[*seat];
    found->is_connected = true;
    found->is_silent = found->has_stand_in = false;
    found->heard_us = now_us;
    if (match->ticks)
        fray_ticks_seat_reconnect(match->ticks, *seat);
    match->is_roster_changed = true;
    return NULL;
}

void fray_match_move_seat(struct fray_match *match, uint32_t from, uint32_t to,
                          const uint8_t random[FRAY_TOKEN_RANDOM], uint64_t now_us)
{
    struct fray_match_seat *was = &match->seats[from], *is = &match->seats[to];
    assert(!match->is_begun && was->is_taken && !is->is_taken);
    *is = *was;
    *was = (struct fray_match_seat){0};
    fray_token_make(is->token, to, random);
    if (match->ticks)
        fray_ticks_seat_reset(match->ticks, from);
    if (match->delay) {
        fray_delay_seat(match->delay, now_us, from, "");
        fray_delay_seat(match->delay, now_us, to, is->id);
    }
    match->is_roster_changed = true;
}

const char *fray_match_watch(struct fray_match *match, const struct fray_match_person *person,
                             uint64_t now_us)
{
    const char *reason = fray_match_may_enter(match, person, true);
    if (reason)
        return reason;
    match->spectators++;
    match->is_roster_changed = true;
    bots_adjust(match, now_us);
    return NULL;
}

void fray_match_unwatch(struct fray_match *match)
{
    match->spectators--;
    match->is_roster_changed = true;
}
