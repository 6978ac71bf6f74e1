/* How a match drives its rules: steps, actions, bots, news. */
#include "base/mem.h"
#include "game/match.h"
#include "game/ticks.h"

static const char *const phase_texts[] = {"waiting", "playing", "over"};
static const char *const outcome_texts[] = {"playing", "won", "lost", "drawn"};

const char *fray_match_phase_text(enum fray_match_phase phase)
{
    return phase_texts[phase];
}

/* In the 25th day of a match its time stands still, before it would pass what never comes. */
static uint32_t now_ms(const struct fray_match *match, uint64_t now_us)
{
    uint64_t ms = (now_us - match->started_us) / 1000;
    return ms < FRAY_GAME_NEVER ? (uint32_t)ms : FRAY_GAME_NEVER - 1;
}

/* ------------------------------------------------------------------ news */

static json_t *results_json(const struct fray_match *match)
{
    json_t *results = json_array();
    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++) {
        const struct fray_match_seat *s = &match->seats[seat];
        if (!s->is_taken)
            continue;
        enum fray_game_outcome outcome = match->config.game->outcome(match->state, seat);
        json_array_append_new(results,
                              json_pack("{s:i, s:s, s:s, s:s}", "seat", (int)seat, "id", s->id,
                                        "name", s->name, "outcome", outcome_texts[outcome]));
    }
    return results;
}

static void rematches_clear(struct fray_match *match)
{
    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++)
        match->seats[seat].wants_rematch = false;
}

/* The end has the results with it, and concerns also who takes no JSON otherwise. */
void fray_match_news_add(struct fray_match *match, const struct fray_game_event *event)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_event_kind *kind = &game->events[event->kind];
    const struct fray_game_players players = fray_match_ids(match);
    bool is_end = strcmp(kind->name, "end_game") == 0;

    if (strcmp(kind->name, "start_game") == 0)
        rematches_clear(match);
    if (!match->hosted.is_heard && !is_end)
        return;
    json_t *content = fray_game_json_event(game, event, &players);
    if (is_end)
        json_object_set_new(content, "results", results_json(match));
    fray_match_news_push(&match->news, &(struct fray_match_news){
                                           .name = kind->name,
                                           .to = event->to,
                                           .content = content,
                                           .about = (uint8_t)event->args[0],
                                           .is_sighted = kind->sighted,
                                           .is_newest = kind->delivery == FRAY_GAME_NEWEST,
                                           .is_for_all = is_end,
                                       });
}

struct fray_game_events fray_match_listen(struct fray_match *match)
{
    return (struct fray_game_events){.items = match->events, .max = fray_match_events_max(match)};
}

void fray_match_note_phase(struct fray_match *match)
{
    enum fray_match_phase phase = fray_match_phase(match);
    if (phase == match->phase)
        return;
    if (match->phase == FRAY_MATCH_OVER)
        rematches_clear(match);
    match->phase = phase;
    match->is_roster_changed = true;
    if (phase == FRAY_MATCH_OVER && match->recorder)
        match->recorder->on_over(match->recorder, match);
}

bool fray_match_knows(struct fray_match *match, const struct fray_game_event *event)
{
    bool is_known = event->kind < match->config.game->events_count;
    match->events_dropped += !is_known;
    return is_known;
}

void fray_match_check_values(struct fray_match *match)
{
    struct fray_game_misfit misfit;
    if (!match->misfit.field && fray_game_find_misfit(match->config.game, match->state, &misfit))
        match->misfit = misfit;
}

/* Events go out even while the seat that they name is being given up: before it is cleared. */
void fray_match_hear(struct fray_match *match, const struct fray_game_events *events,
                     uint64_t now_us)
{
    match->events_dropped += events->dropped;
    for (uint32_t i = 0; i < events->count; i++) {
        if (!fray_match_knows(match, &events->items[i]))
            continue;
        if (match->ticks)
            fray_ticks_keep(match, &events->items[i], now_us);
        fray_match_news_add(match, &events->items[i]);
    }
    match->number++;
    match->is_state_changed = match->is_state_changed || !match->ticks;
    fray_match_note_phase(match);
}

void fray_match_sent(struct fray_match *match)
{
    fray_match_news_clear(&match->news);
    if (match->delay)
        fray_delay_sent(match->delay);
    match->is_roster_changed = match->is_state_changed = false;
}

/* ------------------------------------------------------------------ steps */

void fray_match_inputs_clear(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    for (uint32_t seat = 0; seat < game->seats_max; seat++) {
        if (match->given[seat])
            fray_game_release(game, match->inputs + (size_t)seat * game->input_size);
    }
    memset(match->given, 0, game->seats_max);
}

static void record(struct fray_match *match, uint32_t step_ms)
{
    const struct fray_game *game = match->config.game;
    if (!match->recorder)
        return;
    match->recorder->on_step(match->recorder, &(struct fray_match_step){
                                                  .now_ms = step_ms,
                                                  .tick = match->steps,
                                                  .inputs = match->inputs,
                                                  .given = match->given,
                                              });
    match->recorder->on_hash(match->recorder, match->steps,
                             fray_game_hash(FRAY_GAME_HASH_START, match->state, game->state_size));
}

void fray_match_step(struct fray_match *match, uint64_t now_us)
{
    struct fray_game_events events = fray_match_listen(match);
    uint32_t step_ms = now_ms(match, now_us);
    match->config.game->step(match->state, &(struct fray_game_step){
                                               .inputs = match->inputs,
                                               .given = match->given,
                                               .now_ms = step_ms,
                                               .events = &events,
                                           });
    match->steps++;
    record(match, step_ms);
    fray_match_check_values(match);
    fray_match_inputs_clear(match);
    fray_match_hear(match, &events, now_us);
    match->bots_us = now_us + match->config.times.think_ms * UINT64_C(1000);
}

static const char *play(struct fray_match *match, uint32_t seat,
                        const struct fray_game_action *action, const json_t *content,
                        uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    char *last = match->inputs + (size_t)seat * game->input_size;
    char *input = fray_alloc(game->input_size);

    memcpy(input, last, game->input_size);
    const char *reason = fray_game_json_input(game, action, content, input);
    if (!reason)
        reason = fray_game_check(game, match->state, seat, input);
    if (!reason)
        memcpy(last, input, game->input_size);
    free(input);
    if (match->ticks)
        return fray_ticks_acted(match, seat, reason, now_us);
    if (!reason) {
        match->given[seat] = 1;
        fray_match_step(match, now_us);
    }
    return reason;
}

/* ------------------------------------------------------------------ rematches */

static bool all_want_rematch(const struct fray_match *match)
{
    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++) {
        const struct fray_match_seat *s = &match->seats[seat];
        if (s->is_taken && s->bot == FRAY_MATCH_NO_BOT && s->is_connected && !s->is_silent &&
            !s->wants_rematch)
            return false;
    }
    return true;
}

/* The first who wants one; FRAY_GAME_NOBODY. */
static uint32_t first_for_rematch(const struct fray_match *match)
{
    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++)
        if (match->seats[seat].wants_rematch)
            return seat;
    return FRAY_GAME_NOBODY;
}

static const char *may_rematch(const struct fray_match *match)
{
    if (fray_match_phase(match) != FRAY_MATCH_OVER)
        return "game_not_over";
    return fray_match_players(match) < match->config.game->seats_min ? "not_enough_players" : NULL;
}

const char *fray_match_rematch_count(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_action *start = fray_game_json_action(game, "start_game");
    uint32_t seat = first_for_rematch(match);

    if (seat == FRAY_GAME_NOBODY || may_rematch(match) || fray_game_json_action(game, "rematch") ||
        !all_want_rematch(match))
        return NULL;
    if (start)
        return play(match, seat, start, NULL, now_us);
    fray_match_restart(match, now_us);
    return NULL;
}

static const char *rematch(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_game_action *own = fray_game_json_action(match->config.game, "rematch");
    bool *wants = &match->seats[seat].wants_rematch, wanted = *wants;
    const char *reason = may_rematch(match);

    if (reason)
        return reason;
    *wants = true;
    reason = own ? play(match, seat, own, NULL, now_us) : fray_match_rematch_count(match, now_us);
    if (reason)
        *wants = wanted;
    match->is_roster_changed = true;
    return reason;
}

const char *fray_match_act(struct fray_match *match, uint32_t seat, const char *name,
                           const json_t *content, uint64_t now_us)
{
    const struct fray_game_action *action = fray_game_json_action(match->config.game, name);

    if (strcmp(name, "rematch") == 0)
        return rematch(match, seat, now_us);
    if (!action)
        return "unknown_type";
    if (action->host_only && seat != fray_match_host(match))
        return "not_host";
    if (!match->is_begun)
        return "not_playing";
    const json_t *seen = json_object_get(content, "seen");
    if (seen && !json_is_number(seen))
        return "wrong_shape";
    if (match->ticks)
        fray_ticks_see(match, seat, json_number_value(seen), now_us);
    return play(match, seat, action, content, now_us);
}

/* ------------------------------------------------------------------ bots and time */

bool fray_match_seat_has_bot(const struct fray_match_seat *seat)
{
    return seat->is_taken && (seat->bot != FRAY_MATCH_NO_BOT || seat->has_stand_in);
}

/* What no rules allow at any time is a mistake of the bot. */
static void bot_check_values(struct fray_match *match, uint32_t seat, const char *input)
{
    struct fray_game_misfit misfit;

    if (match->bot_misfit.field || !fray_game_find_out_of_range(match->config.game, input, &misfit))
        return;
    match->bot_misfit = misfit;
    match->bot_misfit_seat = seat;
}

bool fray_match_bot_thinks(struct fray_match *match, uint32_t seat)
{
    const struct fray_game *game = match->config.game;
    char *input = match->inputs + (size_t)seat * game->input_size;
    char *memory = match->memories + (size_t)seat * game->bot_size;

    fray_game_view(game, match->state, seat, match->view);
    if (!game->bot(match->view, seat, memory, input))
        return false;
    bool is_allowed = !fray_game_check(game, match->state, seat, input);
    if (!is_allowed)
        bot_check_values(match, seat, input);
    return is_allowed;
}

static bool bots_think(struct fray_match *match)
{
    bool has_any = false;

    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++) {
        if (!fray_match_seat_has_bot(&match->seats[seat]))
            continue;
        match->given[seat] = fray_match_bot_thinks(match, seat);
        has_any = has_any || match->given[seat];
    }
    return has_any;
}

static bool is_away(const struct fray_match_seat *seat)
{
    return seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT &&
           (!seat->is_connected || seat->is_silent);
}

/* For those who are there. With nobody the match waits, for as long as seats are held. */
static bool is_anybody_there(const struct fray_match *match)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        if (seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT && !is_away(seat))
            return true;
    }
    return false;
}

static bool may_stand_in(const struct fray_match *match, const struct fray_match_seat *seat)
{
    return match->is_begun && !seat->has_stand_in && is_anybody_there(match);
}

static uint64_t deadline_us(const struct fray_match *match)
{
    return fray_match_deadline(match, match->state, match->is_begun, match->started_us);
}

uint64_t fray_match_due(const struct fray_match *match)
{
    uint64_t due = fray_match_shown_due(match);
    if (match->is_begun && match->ticks) /* seats are looked at in each */
        return fray_match_earlier(due, fray_tick_clock_due(&match->ticks->clock));
    due = fray_match_earlier(due, fray_match_earlier(deadline_us(match), fray_pairing_due(match)));
    if (match->is_begun)
        due = fray_match_earlier(due, match->bots_us);
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        const struct fray_match_times *times = &match->config.times;
        bool waits = times->stand_in_ms < times->hold_ms && may_stand_in(match, seat);
        uint32_t ms = waits ? times->stand_in_ms : times->hold_ms;
        if (is_away(seat))
            due = fray_match_earlier(due, fray_match_after_ms(seat->lost_us, ms));
    }
    return due;
}

/* Clients of packets say something all the time, be it that they have got a snapshot. */
static bool falls_silent(const struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_match_seat *who = &match->seats[seat];
    return match->is_begun && match->ticks && match->ticks->seats[seat].queue &&
           who->is_connected && !who->is_silent &&
           now_us >= fray_match_after_ms(who->heard_us, FRAY_MATCH_SILENT_MS);
}

static void stand_in(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    match->seats[seat].has_stand_in = true;
    fray_match_bot_init(match, seat);
    match->is_roster_changed = true;
    match->bots_us = now_us;
}

static void seat_advance(struct fray_match *match, uint32_t i, uint64_t now_us)
{
    struct fray_match_seat *seat = &match->seats[i];
    const struct fray_match_times *times = &match->config.times;
    if (falls_silent(match, i, now_us)) {
        seat->is_silent = true;
        seat->lost_us = seat->heard_us;
        match->is_roster_changed = true;
        (void)fray_match_rematch_count(match, now_us);
    }
    if (!is_away(seat))
        return;
    if (now_us < fray_match_after_ms(seat->lost_us, times->hold_ms)) {
        if (may_stand_in(match, seat) &&
            now_us >= fray_match_after_ms(seat->lost_us, times->stand_in_ms))
            stand_in(match, i, now_us);
    } else if (seat->is_connected) {
        fray_match_condemn(match, i, FRAY_OUT_LOST); /* should anybody be there, it is told */
    } else {
        fray_match_put_out(match, i, FRAY_OUT_LOST, now_us);
    }
}

void fray_match_advance(struct fray_match *match, uint64_t now_us)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        seat_advance(match, i, now_us);
    fray_pairing_advance(match, now_us);
    if (match->ticks) {
        if (match->is_begun)
            fray_ticks_advance(match, now_us);
        return;
    }
    if (now_us >= deadline_us(match))
        fray_match_step(match, now_us);
    if (match->is_begun && now_us >= match->bots_us) {
        match->bots_us = UINT64_MAX;
        if (bots_think(match))
            fray_match_step(match, now_us);
    }
}
