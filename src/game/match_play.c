/* How a match drives its rules: steps, actions, bots, news. */
#include "base/mem.h"
#include "game/match.h"

enum { EVENTS_MAX = 256 }; /* of one step: rps shows and drops 32 players, and begins anew */

static const char *const phase_texts[] = {"waiting", "playing", "over"};
static const char *const outcome_texts[] = {"playing", "won", "lost", "drawn"};

const char *fray_match_phase_text(enum fray_match_phase phase)
{
    return phase_texts[phase];
}

static const char *player_id(const void *context, uint32_t seat)
{
    const struct fray_match *match = context;
    bool is_there = seat < match->config.game->seats_max && match->seats[seat].is_taken;
    return is_there ? match->seats[seat].id : NULL;
}

static struct fray_game_players players_of(const struct fray_match *match)
{
    return (struct fray_game_players){player_id, match};
}

static uint32_t now_ms(const struct fray_match *match, uint64_t now_us)
{
    return (uint32_t)((now_us - match->started_us) / 1000);
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

static void news_add(struct fray_match *match, const struct fray_game_event *event)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_players players = players_of(match);
    json_t *content = fray_game_json_event(game, event, &players);
    const char *name = game->events[event->kind].name;

    if (strcmp(name, "end_game") == 0)
        json_object_set_new(content, "results", results_json(match));
    if (strcmp(name, "start_game") == 0) {
        for (uint32_t seat = 0; seat < game->seats_max; seat++)
            match->seats[seat].wants_rematch = false;
    }
    if (match->news_count == match->news_cap) {
        match->news_cap = match->news_cap ? match->news_cap * 2 : 16;
        match->news = fray_realloc(match->news, match->news_cap * sizeof *match->news);
    }
    match->news[match->news_count++] = (struct fray_match_news){name, event->to, content};
}

struct fray_game_events fray_match_listen(void)
{
    return (struct fray_game_events){
        .items = fray_alloc(EVENTS_MAX * sizeof(struct fray_game_event)), .max = EVENTS_MAX};
}

/* Events go out even while the seat that they name is being given up: before it is cleared. */
void fray_match_hear(struct fray_match *match, const struct fray_game_events *events)
{
    for (uint32_t i = 0; i < events->count; i++)
        news_add(match, &events->items[i]);
    free(events->items);
    match->number++;
    match->is_state_changed = true;
    enum fray_match_phase phase = fray_match_phase(match);
    if (phase != match->phase) /* who asks for a rematch changes with it */
        match->is_roster_changed = true;
    match->phase = phase;
}

void fray_match_sent(struct fray_match *match)
{
    for (uint32_t i = 0; i < match->news_count; i++)
        json_decref(match->news[i].content);
    match->news_count = 0;
    match->is_roster_changed = match->is_state_changed = false;
}

/* ------------------------------------------------------------------ steps */

/* Impulses are for one step; the rest of an input stays, as keys that are held. */
static void inputs_clear(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    for (uint32_t seat = 0; seat < game->seats_max; seat++) {
        char *input = match->inputs + (size_t)seat * game->input_size;
        for (uint32_t i = 0; match->given[seat] && i < game->input->fields_count; i++) {
            const struct fray_game_field *field = &game->input->fields[i];
            if (field->flags & FRAY_GAME_ONCE)
                memset(input + field->offset, 0, (size_t)field->count * (field->type & 7));
        }
    }
    memset(match->given, 0, game->seats_max);
}

void fray_match_step(struct fray_match *match, uint64_t now_us)
{
    struct fray_game_events events = fray_match_listen();
    match->config.game->step(match->state, &(struct fray_game_step){
                                               .inputs = match->inputs,
                                               .given = match->given,
                                               .now_ms = now_ms(match, now_us),
                                               .events = &events,
                                           });
    inputs_clear(match);
    fray_match_hear(match, &events);
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
    if (!reason) {
        memcpy(last, input, game->input_size);
        match->given[seat] = 1;
        fray_match_step(match, now_us);
    }
    free(input);
    return reason;
}

/* ------------------------------------------------------------------ rematches */

static bool all_want_rematch(const struct fray_match *match)
{
    for (uint32_t seat = 0; seat < match->config.game->seats_max; seat++) {
        const struct fray_match_seat *s = &match->seats[seat];
        if (s->is_taken && s->bot == FRAY_MATCH_NO_BOT && s->is_connected && !s->wants_rematch)
            return false;
    }
    return true;
}

/* Where the rules have no such action, the match counts who asks, and starts the next game. */
static const char *rematch(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_action *own = fray_game_json_action(game, "rematch");
    const struct fray_game_action *start = fray_game_json_action(game, "start_game");
    const char *reason = NULL;

    if (fray_match_phase(match) != FRAY_MATCH_OVER)
        return "game_not_over";
    if (fray_match_players(match) < game->seats_min)
        return "not_enough_players";
    match->seats[seat].wants_rematch = true;
    match->is_roster_changed = true;
    if (own)
        reason = play(match, seat, own, NULL, now_us);
    else if (start && all_want_rematch(match))
        reason = play(match, seat, start, NULL, now_us);
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
    return play(match, seat, action, content, now_us);
}

/* ------------------------------------------------------------------ bots and time */

static bool bots_think(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    bool has_any = false;

    for (uint32_t seat = 0; seat < game->seats_max; seat++) {
        const struct fray_match_seat *s = &match->seats[seat];
        char *input = match->inputs + (size_t)seat * game->input_size;
        if (!s->is_taken || (s->bot == FRAY_MATCH_NO_BOT && !s->has_stand_in))
            continue;
        fray_game_view(game, match->state, seat, match->view);
        bool acts =
            game->bot(match->view, seat, match->memories + (size_t)seat * game->bot_size, input);
        match->given[seat] = acts && !fray_game_check(game, match->state, seat, input);
        has_any = has_any || match->given[seat];
    }
    return has_any;
}

static bool is_away(const struct fray_match_seat *seat)
{
    return seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT && !seat->is_connected;
}

static uint64_t after_ms(uint64_t from_us, uint32_t ms)
{
    return from_us + ms * UINT64_C(1000);
}

static uint64_t deadline_us(const struct fray_match *match)
{
    uint32_t ms = match->is_begun ? match->config.game->deadline(match->state) : FRAY_GAME_NEVER;
    return ms == FRAY_GAME_NEVER ? UINT64_MAX : after_ms(match->started_us, ms);
}

uint64_t fray_match_due(const struct fray_match *match)
{
    uint64_t due = deadline_us(match);
    if (match->is_begun && match->bots_us < due)
        due = match->bots_us;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        const struct fray_match_times *times = &match->config.times;
        bool waits = match->is_begun && !seat->has_stand_in && times->stand_in_ms < times->hold_ms;
        uint32_t ms = waits ? times->stand_in_ms : times->hold_ms;
        if (is_away(seat) && after_ms(seat->lost_us, ms) < due)
            due = after_ms(seat->lost_us, ms);
    }
    return due;
}

static void seats_advance(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;

    for (uint32_t i = 0; i < game->seats_max; i++) {
        struct fray_match_seat *seat = &match->seats[i];
        if (!is_away(seat))
            continue;
        if (now_us >= after_ms(seat->lost_us, match->config.times.hold_ms)) {
            fray_match_leave(match, i, now_us);
        } else if (match->is_begun && !seat->has_stand_in &&
                   now_us >= after_ms(seat->lost_us, match->config.times.stand_in_ms)) {
            seat->has_stand_in = true;
            game->bot_init(match->memories + (size_t)i * game->bot_size, game->bot_levels - 1u,
                           match->seed + i);
            match->is_roster_changed = true;
            match->bots_us = now_us;
        }
    }
}

void fray_match_advance(struct fray_match *match, uint64_t now_us)
{
    seats_advance(match, now_us);
    if (now_us >= deadline_us(match))
        fray_match_step(match, now_us);
    if (match->is_begun && now_us >= match->bots_us) {
        match->bots_us = UINT64_MAX;
        if (bots_think(match))
            fray_match_step(match, now_us);
    }
}

/* ------------------------------------------------------------------ as JSON */

json_t *fray_match_json_state(struct fray_match *match, uint32_t viewer, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    const struct fray_game_players players = players_of(match);
    uint64_t deadline = deadline_us(match);
    uint64_t left_us = deadline > now_us ? deadline - now_us : 0;

    fray_game_view(game, match->state, viewer, match->view);
    return json_pack(
        "{s:s, s:I, s:o, s:o, s:o}", "match", match->config.id, "number", (json_int_t)match->number,
        "seat", viewer == FRAY_GAME_NOBODY ? json_null() : json_integer(viewer), "left_ms",
        deadline == UINT64_MAX ? json_null() : json_integer((json_int_t)(left_us / 1000)), "state",
        fray_game_json_state(game, match->view, viewer, &players));
}
