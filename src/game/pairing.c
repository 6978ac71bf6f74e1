#include "game/pairing.h"

#include <assert.h>

#include "game/match.h"
#include "game/ticks.h"

static const char *const phase_texts[] = {NULL,     "listening", "found",
                                          "agreed", "started",   "started"};
static const char *const out_texts[] = {NULL,    "left",     "lost",  "no_show",
                                        "error", "cheating", "kicked"};

const char *fray_match_out_text(enum fray_match_out out)
{
    return out_texts[out];
}

const char *fray_pairing_phase_text(const struct fray_match *match)
{
    return phase_texts[match->pairing.phase];
}

static bool is_person(const struct fray_match_seat *seat)
{
    return seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT;
}

static void phase_set(struct fray_match *match, enum fray_pairing_phase phase, uint64_t now_us)
{
    match->pairing.phase = phase;
    match->pairing.phase_us = now_us;
    match->pairing.is_changed = match->is_roster_changed = true;
}

/* ------------------------------------------------------------------ listening */

void fray_pairing_begin(struct fray_match *match, uint64_t now_us)
{
    match->pairing = (struct fray_pairing){.began_us = now_us, .bot_us = UINT64_MAX};
    phase_set(match, FRAY_PAIRING_LISTENING, now_us);
}

void fray_pairing_wait(struct fray_match *match, uint32_t seat, uint32_t wait_ms, uint64_t now_us)
{
    match->seats[seat].wait_ms = wait_ms;
    match->seats[seat].asked_us = now_us;
    if (!fray_pairing_is_listening(match))
        return;
    match->pairing.wait_ms = wait_ms;
    match->pairing.bot_us = fray_match_after_ms(now_us, wait_ms);
}

static void listen_again(struct fray_match *match, uint32_t without, uint64_t now_us)
{
    struct fray_pairing *pairing = &match->pairing;
    uint32_t seat = 0;
    assert(fray_match_persons(match) > 1);
    while (seat == without || !is_person(&match->seats[seat]))
        seat++;
    const struct fray_match_seat *who = &match->seats[seat];
    if (who->asked_us) { /* it did not come by a link */
        pairing->wait_ms = who->wait_ms;
        pairing->began_us = who->asked_us;
    }
    uint32_t again_ms =
        pairing->wait_ms < FRAY_PAIRING_AGAIN_MS ? pairing->wait_ms : FRAY_PAIRING_AGAIN_MS;
    uint64_t wanted_us = fray_match_after_ms(pairing->began_us, pairing->wait_ms);
    uint64_t soonest_us = fray_match_after_ms(now_us, again_ms);
    pairing->bot_us = wanted_us > soonest_us ? wanted_us : soonest_us;
    phase_set(match, FRAY_PAIRING_LISTENING, now_us);
}

bool fray_pairing_is_unsettled(const struct fray_match *match)
{
    return match->pairing.phase != FRAY_PAIRING_NONE &&
           match->pairing.phase != FRAY_PAIRING_SETTLED;
}

bool fray_pairing_is_listening(const struct fray_match *match)
{
    return match->pairing.phase == FRAY_PAIRING_LISTENING &&
           fray_match_host(match) != FRAY_GAME_NOBODY;
}

/* With bots alone there is nobody to agree with. */
static void start_now(struct fray_match *match, uint64_t now_us)
{
    match->pairing.start_us = 0;
    phase_set(match, FRAY_PAIRING_SETTLED, now_us);
    fray_match_begin(match, now_us);
}

void fray_pairing_seat_taken(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    bool is_agreed = match->pairing.phase == FRAY_PAIRING_AGREED;
    if (is_agreed || match->pairing.phase == FRAY_PAIRING_FOUND) { /* one more, who is told, too */
        match->seats[seat].is_awaited = is_agreed && is_person(&match->seats[seat]);
        match->pairing.is_changed = true;
    }
    if (!fray_pairing_is_listening(match) ||
        fray_match_players(match) < match->config.game->seats_min)
        return;
    if (fray_match_persons(match) < 2) {
        start_now(match, now_us);
        return;
    }
    match->pairing.newest = seat;
    match->pairing.rtt_us = 0;
    match->pairing.reason = FRAY_OUT_NONE;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        match->seats[i].rtt_us = 0;
    phase_set(match, FRAY_PAIRING_FOUND, now_us);
}

void fray_pairing_seat_leaves(struct fray_match *match, uint32_t seat, enum fray_match_out reason,
                              uint64_t now_us)
{
    bool was_alone = match->pairing.phase == FRAY_PAIRING_LISTENING;
    uint32_t left = fray_match_players(match) - 1;

    if (!fray_pairing_is_unsettled(match) || was_alone || !is_person(&match->seats[seat]) ||
        left >= match->config.game->seats_min || fray_match_persons(match) == 1)
        return;
    if (match->is_begun)
        fray_match_unbegin(match, now_us);
    match->pairing.reason = reason;
    listen_again(match, seat, now_us);
}

/* ------------------------------------------------------------------ the agreement */

/* Ticks of matches are spread over time: the start is tick 0 to the microsecond, so it has the
 * match's phase in it. */
static uint64_t phase_us(const struct fray_match *match)
{
    uint32_t hz = match->config.game->tick_hz;
    return hz ? UINT64_C(1000000) / hz * match->config.phase / 65536 : 0;
}

static void agree(struct fray_match *match, uint64_t now_us)
{
    struct fray_pairing *pairing = &match->pairing;
    uint64_t delay_us;

    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        struct fray_match_seat *seat = &match->seats[i];
        uint32_t rtt_us = seat->rtt_us ? seat->rtt_us : FRAY_PAIRING_RTT_MS * 1000u;
        seat->is_awaited = is_person(seat);
        if (seat->is_awaited && rtt_us > pairing->rtt_us)
            pairing->rtt_us = rtt_us;
    }
    delay_us = UINT64_C(3) * pairing->rtt_us;
    if (delay_us < fray_match_after_ms(0, FRAY_PAIRING_START_MS))
        delay_us = fray_match_after_ms(0, FRAY_PAIRING_START_MS);
    if (delay_us > fray_match_after_ms(0, FRAY_PAIRING_START_MAX_MS))
        delay_us = fray_match_after_ms(0, FRAY_PAIRING_START_MAX_MS);
    pairing->start_us = now_us + delay_us + phase_us(match);
    phase_set(match, FRAY_PAIRING_AGREED, now_us);
}

void fray_pairing_measured(struct fray_match *match, uint32_t seat, uint64_t rtt_us,
                           uint64_t now_us)
{
    if (match->pairing.phase != FRAY_PAIRING_FOUND || !match->seats[seat].is_taken)
        return;
    match->seats[seat].rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us + 1 : UINT32_MAX;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        if (is_person(&match->seats[i]) && !match->seats[i].rtt_us)
            return;
    }
    agree(match, now_us);
}

static bool is_anybody_awaited(const struct fray_match *match)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        if (match->seats[i].is_awaited)
            return true;
    }
    return false;
}

void fray_pairing_shown(struct fray_match *match, uint32_t seat)
{
    match->seats[seat].is_awaited = false;
    if (match->pairing.phase == FRAY_PAIRING_STARTED && !is_anybody_awaited(match))
        match->pairing.phase = FRAY_PAIRING_SETTLED;
}

static void start(struct fray_match *match)
{
    bool is_settled = !is_anybody_awaited(match);
    phase_set(match, is_settled ? FRAY_PAIRING_SETTLED : FRAY_PAIRING_STARTED,
              match->pairing.start_us);
    fray_match_begin(match, match->pairing.start_us);
}

/* Who is left when some are out, and enough, plays on. */
static void no_shows_out(struct fray_match *match)
{
    if (!is_anybody_awaited(match))
        match->pairing.phase = FRAY_PAIRING_SETTLED;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        if (match->seats[i].is_awaited)
            fray_match_condemn(match, i, FRAY_OUT_NO_SHOW);
    }
}

/* ------------------------------------------------------------------ time */

uint64_t fray_pairing_due(const struct fray_match *match)
{
    const struct fray_pairing *pairing = &match->pairing;

    switch (pairing->phase) {
    case FRAY_PAIRING_LISTENING:
        return fray_pairing_is_listening(match) ? pairing->bot_us : UINT64_MAX;
    case FRAY_PAIRING_FOUND:
        return fray_match_after_ms(pairing->phase_us, FRAY_PAIRING_RTT_WAIT_MS);
    case FRAY_PAIRING_AGREED: return pairing->start_us;
    case FRAY_PAIRING_STARTED: return fray_match_after_ms(pairing->start_us, FRAY_PAIRING_GRACE_MS);
    case FRAY_PAIRING_NONE:
    case FRAY_PAIRING_SETTLED: break;
    }
    return UINT64_MAX;
}

void fray_pairing_advance(struct fray_match *match, uint64_t now_us)
{
    uint32_t seat;

    if (now_us < fray_pairing_due(match))
        return;
    switch (match->pairing.phase) {
    case FRAY_PAIRING_LISTENING:
        (void)fray_match_add_bot(match, fray_match_host(match), FRAY_MATCH_NO_BOT, now_us, &seat);
        break;
    case FRAY_PAIRING_FOUND: agree(match, now_us); break;
    case FRAY_PAIRING_AGREED: start(match); break;
    case FRAY_PAIRING_STARTED: no_shows_out(match); break;
    case FRAY_PAIRING_NONE:
    case FRAY_PAIRING_SETTLED: break;
    }
}

/* ------------------------------------------------------------------ as JSON */

static void json_set(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static uint64_t left_ms(uint64_t until_us, uint64_t now_us)
{
    return until_us > now_us ? (until_us - now_us) / 1000 : 0;
}

static void add_agreement(const struct fray_match *match, json_t *step, uint64_t now_us)
{
    uint64_t start_us = match->pairing.start_us;
    json_set(step, "start_in_ms", left_ms(start_us, now_us));
    json_object_set_new(step, "start_ms", json_real((double)start_us / 1000));
    json_set(step, "start_tick", 0);
    json_set(step, "grace_ms", FRAY_PAIRING_GRACE_MS);
}

json_t *fray_pairing_json(const struct fray_match *match, uint32_t players_waiting, uint64_t now_us)
{
    const struct fray_pairing *pairing = &match->pairing;
    const struct fray_match_seat *newest = &match->seats[pairing->newest];
    json_t *step = json_pack("{s:s, s:s, s:I}", "match", match->config.id, "phase",
                             fray_pairing_phase_text(match), "elapsed_ms",
                             (json_int_t)((now_us - pairing->began_us) / 1000));

    switch (pairing->phase) {
    case FRAY_PAIRING_LISTENING:
        json_object_set_new(step, "reason",
                            pairing->reason ? json_string(fray_match_out_text(pairing->reason))
                                            : json_null());
        json_set(step, "wait_ms", pairing->wait_ms);
        json_set(step, "bot_in_ms", left_ms(fray_pairing_due(match), now_us));
        json_set(step, "players_waiting", players_waiting);
        break;
    case FRAY_PAIRING_FOUND:
        json_object_set_new(step, "player",
                            json_pack("{s:I, s:s, s:s}", "seat", (json_int_t)pairing->newest, "id",
                                      newest->id, "name", newest->name));
        break;
    case FRAY_PAIRING_AGREED: add_agreement(match, step, now_us); break;
    case FRAY_PAIRING_NONE:
    case FRAY_PAIRING_STARTED:
    case FRAY_PAIRING_SETTLED:
        json_object_set_new(step, "bot",
                            json_boolean(fray_match_persons(match) < fray_match_players(match)));
        break;
    }
    return step;
}
