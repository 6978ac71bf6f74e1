#include "game/ticks.h"

#include <string.h>

#include "base/mem.h"

struct fray_ticks *fray_ticks_create(const struct fray_game *game, uint32_t rewind_ms)
{
    struct fray_ticks *ticks = fray_alloc_zero(sizeof *ticks);
    ticks->seats = fray_alloc_zero(game->seats_max * sizeof *ticks->seats);
    ticks->newest_count = game->events_count * game->seats_max;
    ticks->newest = fray_alloc_zero(ticks->newest_count * sizeof *ticks->newest);
    ticks->rewinds = fray_alloc(game->seats_max * sizeof *ticks->rewinds);
    ticks->history = fray_history_create(game->state_size, game->tick_hz, rewind_ms);
    ticks->seats_max = game->seats_max;
    ticks->clock.hz = game->tick_hz;
    return ticks;
}

void fray_ticks_destroy(struct fray_ticks *ticks)
{
    if (!ticks)
        return;
    for (uint32_t i = 0; i < ticks->seats_max; i++)
        fray_input_queue_destroy(ticks->seats[i].queue);
    fray_snapshots_destroy(ticks->snapshots);
    fray_history_deinit(&ticks->history);
    free(ticks->rewinds);
    free(ticks->seats);
    free(ticks->newest);
    free(ticks);
}

static void queue_empty(struct fray_ticks_seat *seat)
{
    if (!seat->queue)
        return;
    size_t input_size = seat->queue->input_size;
    fray_input_queue_destroy(seat->queue);
    seat->queue = fray_input_queue_create(input_size);
}

/* Time began, or went on after it had stood still: clients have to find out. */
static void unsettle(struct fray_ticks *ticks, uint64_t now_us)
{
    ticks->lenient_us = now_us + FRAY_TICKS_LENIENT_MS * UINT64_C(1000);
    for (uint32_t i = 0; i < ticks->seats_max; i++)
        ticks->seats[i].is_settled = false;
}

static void begin(struct fray_ticks *ticks, uint64_t now_us)
{
    ticks->dropped_counted = 0;
    unsettle(ticks, now_us);
    fray_history_clear(&ticks->history);
    memset(ticks->newest, 0, ticks->newest_count * sizeof *ticks->newest);
    for (uint32_t i = 0; i < ticks->seats_max; i++) {
        queue_empty(&ticks->seats[i]);
        ticks->seats[i].is_held = false;
        ticks->seats[i].late_tick = 0;
    }
}

void fray_ticks_begin(struct fray_ticks *ticks, uint16_t phase, uint64_t now_us)
{
    fray_tick_clock_start(&ticks->clock, ticks->clock.hz, phase, now_us);
    begin(ticks, now_us);
}

void fray_ticks_begin_at(struct fray_ticks *ticks, uint64_t start_us)
{
    fray_tick_clock_start_at(&ticks->clock, ticks->clock.hz, start_us);
    begin(ticks, start_us);
}

int32_t fray_ticks_now(const struct fray_match *match, uint64_t now_us, uint16_t *phase)
{
    const struct fray_pairing *pairing = &match->pairing;
    struct fray_tick_clock clock = {.hz = match->ticks->clock.hz, .start_us = pairing->start_us};

    *phase = 0;
    if (match->is_begun) {
        *phase = fray_tick_clock_phase(&match->ticks->clock, now_us);
        return (int32_t)match->steps;
    }
    return pairing->phase == FRAY_PAIRING_AGREED ? fray_tick_clock_until(&clock, now_us, phase) : 0;
}

void fray_ticks_seat_reset(struct fray_ticks *ticks, uint32_t seat)
{
    fray_input_queue_destroy(ticks->seats[seat].queue);
    ticks->seats[seat] = (struct fray_ticks_seat){0};
}

void fray_ticks_seat_reconnect(struct fray_ticks *ticks, uint32_t seat)
{
    const struct fray_conduct conduct = ticks->seats[seat].conduct;
    fray_ticks_seat_reset(ticks, seat);
    ticks->seats[seat].conduct = conduct;
}

bool fray_ticks_is_snapshot(uint32_t tick, uint32_t tick_hz, uint32_t snapshot_hz)
{
    uint64_t number = (uint64_t)tick * snapshot_hz / tick_hz;
    return snapshot_hz >= tick_hz || number != (uint64_t)(tick - 1) * snapshot_hz / tick_hz;
}

/* ------------------------------------------------------------------ inputs */

void fray_ticks_offend(struct fray_match *match, uint32_t seat, enum fray_offence offence,
                       uint64_t now_us)
{
    if (fray_conduct_offend(&match->ticks->seats[seat].conduct, offence, now_us))
        fray_match_condemn(match, seat, FRAY_OUT_CHEATING);
}

bool fray_ticks_spend(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    struct fray_conduct *conduct = &match->ticks->seats[seat].conduct;

    if (fray_conduct_spend(conduct, now_us))
        return true;
    match->ticks->counts.flooding++;
    if (!conduct->is_excused)
        fray_ticks_offend(match, seat, FRAY_OFFENCE_FLOODING, now_us);
    return false;
}

const char *fray_ticks_acted(struct fray_match *match, uint32_t seat, const char *reason,
                             uint64_t now_us)
{
    struct fray_ticks *ticks = match->ticks;

    if (!fray_ticks_spend(match, seat, now_us))
        return "too_fast";
    if (reason && strcmp(reason, "wrong_shape") != 0) { /* that is a slip of the programmer's */
        bool is_forged = strcmp(reason, "out_of_range") == 0;
        ticks->counts.refused++;
        fray_ticks_offend(match, seat, is_forged ? FRAY_OFFENCE_FORGED : FRAY_OFFENCE_IMPOSSIBLE,
                          now_us);
    }
    if (!reason) {
        match->given[seat] = 1; /* so that its impulses are cleared */
        ticks->seats[seat].is_held = true;
    }
    return reason;
}

void fray_ticks_see(struct fray_match *match, uint32_t seat, double tick, uint64_t now_us)
{
    struct fray_ticks *ticks = match->ticks;
    double ago_ms = tick != 0 ? (match->steps - tick) * 1000 / ticks->clock.hz : 0;
    bool is_past = ago_ms > 0 && tick > 0;
    bool is_future = ago_ms < -FRAY_HISTORY_DOUBT_MS; /* who draws ahead is a little before us */

    ticks->seats[seat].view = is_past ? (uint32_t)(uint64_t)(tick * 256) : 0;
    ticks->counts.views_refused += is_future || ago_ms > FRAY_HISTORY_MAX_MS;
    if (is_future || ago_ms > FRAY_TICKS_OLD_S * 1000)
        fray_ticks_offend(match, seat, FRAY_OFFENCE_UNSEEN, now_us);
}

/* What was held may have become impossible by itself, as a target after a respawn: no offence. */
static bool take_held(struct fray_match *match, uint32_t seat)
{
    const struct fray_game *game = match->config.game;
    char *input = match->inputs + (size_t)seat * game->input_size;

    if (!match->ticks->seats[seat].is_held)
        return false;
    if (!fray_game_check(game, match->state, seat, input))
        return true;
    memset(input, 0, game->input_size);
    match->ticks->seats[seat].is_held = false;
    return false;
}

static bool is_zero(const char *bytes, size_t len)
{
    while (len && !*bytes)
        bytes++, len--;
    return !len;
}

/* Impulses that were given by name, as a rematch is, wait for the packet that they can go with. */
static void input_write(const struct fray_game *game, char *to, const char *from)
{
    for (uint32_t i = 0; i < game->input->fields_count; i++) {
        const struct fray_game_field *field = &game->input->fields[i];
        size_t len = (size_t)field->count * (field->type & 7);
        if (!(field->flags & FRAY_GAME_ONCE) || !is_zero(from + field->offset, len))
            memcpy(to + field->offset, from + field->offset, len);
    }
}

/* The rules may have forbidden by now what was fair when it was sent; who goes on with it is
 * scored. */
static bool take_queued(struct fray_match *match, uint32_t seat, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    struct fray_ticks *ticks = match->ticks;
    uint32_t view;
    const void *input = fray_input_queue_take(ticks->seats[seat].queue, match->steps + 1, &view);

    if (!input)
        return false;
    if (fray_game_check(game, match->state, seat, input)) {
        ticks->counts.refused++;
        fray_ticks_offend(match, seat, FRAY_OFFENCE_IMPOSSIBLE, now_us);
        return false;
    }
    input_write(game, match->inputs + (size_t)seat * game->input_size, input);
    ticks->counts.taken++;
    ticks->seats[seat].view = view;
    return true;
}

static void take_inputs(struct fray_match *match, uint64_t now_us)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        bool has_any = false;
        if (fray_match_seat_has_bot(seat))
            has_any = fray_match_bot_thinks(match, i);
        else if (seat->is_taken && seat->is_connected)
            has_any =
                match->ticks->seats[i].queue ? take_queued(match, i, now_us) : take_held(match, i);
        match->given[i] = has_any;
    }
}

void fray_ticks_seat_packets(struct fray_match *match, uint32_t seat)
{
    const struct fray_game *game = match->config.game;
    struct fray_ticks_seat *taken = &match->ticks->seats[seat];

    fray_input_queue_destroy(taken->queue);
    taken->queue = fray_input_queue_create(game->input_size);
    taken->is_held = false;
    memset(match->inputs + (size_t)seat * game->input_size, 0, game->input_size);
}

/* A jump or a shot that comes a moment late goes with the next input: it was shown already. Once,
 * though packets repeat their inputs against loss. */
static void impulses_keep(struct fray_match *match, uint32_t seat, uint32_t tick, const char *late)
{
    const struct fray_game *game = match->config.game;
    struct fray_ticks_seat *taken = &match->ticks->seats[seat];
    char *to = match->inputs + (size_t)seat * game->input_size;

    if (tick <= taken->late_tick || fray_game_check(game, match->state, seat, late))
        return;
    taken->late_tick = tick;
    for (uint32_t i = 0; i < game->input->fields_count; i++) {
        const struct fray_game_field *field = &game->input->fields[i];
        size_t len = (size_t)field->count * (field->type & 7);
        if (field->flags & FRAY_GAME_ONCE && !is_zero(late + field->offset, len))
            memcpy(to + field->offset, late + field->offset, len);
    }
}

static enum fray_input_fate put_one(struct fray_match *match, uint32_t seat, uint32_t tick,
                                    uint32_t view, const char *input)
{
    struct fray_ticks_seat *taken = &match->ticks->seats[seat];
    enum fray_input_fate fate = fray_input_queue_put(taken->queue, match->steps, tick, view, input);

    if (fate == FRAY_INPUT_LATE && match->steps - tick < FRAY_TICKS_LATE)
        impulses_keep(match, seat, tick, input);
    taken->is_settled |= fate == FRAY_INPUT_QUEUED;
    return fate;
}

/* What was looked at goes back with the inputs, tick by tick. */
void fray_ticks_put(struct fray_match *match, uint32_t seat, const struct fray_ticks_inputs *inputs,
                    uint64_t now_us)
{
    struct fray_ticks *ticks = match->ticks;
    size_t size = match->config.game->input_size;
    const struct fray_history_verdict seen =
        fray_history_judge(ticks->clock.hz, inputs->claimed, inputs->measured);
    bool is_early = false, is_old = false;

    for (uint32_t i = 0; i < inputs->count; i++) {
        uint32_t before = (inputs->count - 1 - i) * 256;
        enum fray_input_fate fate =
            put_one(match, seat, inputs->first_tick + i, seen.view ? seen.view - before : 0,
                    (const char *)inputs->inputs + i * size);
        ticks->counts.late += fate == FRAY_INPUT_LATE;
        ticks->counts.early += fate == FRAY_INPUT_EARLY;
        is_early = is_early || fate == FRAY_INPUT_EARLY;
        is_old = is_old || (fate == FRAY_INPUT_LATE && match->steps - (inputs->first_tick + i) >
                                                           ticks->clock.hz * FRAY_TICKS_OLD_S);
    }
    ticks->counts.views_refused += seen.is_refused;
    if (seen.is_impossible)
        fray_ticks_offend(match, seat, FRAY_OFFENCE_UNSEEN, now_us);
    if (is_old)
        fray_ticks_offend(match, seat, FRAY_OFFENCE_TOO_OLD, now_us);
    if (is_early && (ticks->seats[seat].is_settled || now_us >= ticks->lenient_us))
        fray_ticks_offend(match, seat, FRAY_OFFENCE_TOO_EARLY, now_us);
}

/* Rules may ask more than once: of each pellet, of each victim. */
static bool is_recorded(const struct fray_ticks *ticks, uint32_t seat)
{
    for (uint32_t i = 0; i < ticks->rewinds_count; i++)
        if (ticks->rewinds[i].seat == seat)
            return true;
    return false;
}

/* Lag compensation: the rules ask in a step what a seat's player was looking at. */
static bool rewind_view(void *host, uint32_t seat, struct fray_game_past *past)
{
    struct fray_match *match = host;
    struct fray_ticks *ticks = match->ticks;
    uint32_t view = fray_history_clamp(&ticks->history, ticks->seats[seat].view);

    if (!view)
        return false;
    *past = fray_history_past(&ticks->history, view);
    if (!is_recorded(ticks, seat))
        ticks->rewinds[ticks->rewinds_count++] = (struct fray_match_rewind){seat, view};
    return true;
}

/* ------------------------------------------------------------------ what happened */

static struct fray_ticks_newest *newest_of(struct fray_match *match,
                                           const struct fray_game_event *event)
{
    const struct fray_game *game = match->config.game;
    uint32_t seat = (uint32_t)event->args[0];
    if (game->events[event->kind].delivery != FRAY_GAME_NEWEST || seat >= game->seats_max)
        return NULL;
    return &match->ticks->newest[(size_t)event->kind * game->seats_max + seat];
}

void fray_ticks_keep(struct fray_match *match, const struct fray_game_event *event, uint64_t now_us)
{
    if (match->ticks->snapshots)
        fray_snapshots_event(match->ticks->snapshots, match->steps, event);
    if (match->delay)
        fray_delay_event(match->delay, now_us, match->steps, event);
}

static void hear(struct fray_match *match, const struct fray_game_events *events, uint64_t now_us)
{
    match->events_dropped += events->dropped;
    for (uint32_t i = 0; i < events->count; i++) {
        const struct fray_game_event *event = &events->items[i];
        if (!fray_match_knows(match, event))
            continue;
        struct fray_ticks_newest *newest = newest_of(match, event);
        fray_ticks_keep(match, event, now_us);
        if (!newest)
            fray_match_news_add(match, event);
        else if (match->hosted.is_heard)
            *newest = (struct fray_ticks_newest){true, *event};
    }
    match->number++;
    fray_match_note_phase(match);
}

static void newest_become_news(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    for (uint32_t kind = 0; kind < game->events_count; kind++) {
        if (game->events[kind].delivery != FRAY_GAME_NEWEST)
            continue;
        for (uint32_t seat = 0; seat < game->seats_max; seat++) {
            struct fray_ticks_newest *newest =
                &match->ticks->newest[(size_t)kind * game->seats_max + seat];
            if (newest->is_waiting)
                fray_match_news_add(match, &newest->event);
            newest->is_waiting = false;
        }
    }
}

/* ------------------------------------------------------------------ snapshots */

struct fray_snapshots *fray_ticks_snapshots(struct fray_match *match)
{
    if (!match->ticks->snapshots)
        match->ticks->snapshots = fray_snapshots_create(match->config.game);
    return match->ticks->snapshots;
}

void fray_ticks_snapshots_forget(struct fray_match *match)
{
    fray_snapshots_destroy(match->ticks->snapshots);
    match->ticks->snapshots = NULL;
}

uint64_t fray_ticks_rules(struct fray_match *match)
{
    if (!match->ticks->rules)
        match->ticks->rules = fray_game_rules(match->config.game);
    return match->ticks->rules;
}

/* ------------------------------------------------------------------ ticks */

static void hash(struct fray_match *match)
{
    struct fray_ticks *ticks = match->ticks;
    ticks->hash_tick = match->steps;
    ticks->hash =
        fray_game_hash(FRAY_GAME_HASH_START, match->state, match->config.game->state_size);
    if (match->recorder)
        match->recorder->on_hash(match->recorder, ticks->hash_tick, ticks->hash);
    fray_match_check_values(match);
}

static void step(struct fray_match *match, struct fray_game_events *events)
{
    struct fray_ticks *ticks = match->ticks;

    ticks->rewinds_count = 0;
    match->config.game->step(match->state, &(struct fray_game_step){
                                               .inputs = match->inputs,
                                               .given = match->given,
                                               .events = events,
                                               .rewind = rewind_view,
                                               .host = match,
                                           });
    match->steps++;
    ticks->counts.steps++;
    if (match->recorder)
        match->recorder->on_step(match->recorder, &(struct fray_match_step){
                                                      .tick = match->steps,
                                                      .inputs = match->inputs,
                                                      .given = match->given,
                                                      .rewinds = ticks->rewinds,
                                                      .rewinds_count = ticks->rewinds_count,
                                                  });
    fray_history_push(&ticks->history, match->steps, match->state);
}

static void tick(struct fray_match *match, uint64_t now_us)
{
    const struct fray_game *game = match->config.game;
    struct fray_game_events events = fray_match_listen(match);

    take_inputs(match, now_us);
    step(match, &events);
    fray_match_inputs_clear(match);
    for (uint32_t i = 0; i < game->seats_max; i++)
        match->ticks->seats[i].view = 0; /* as impulses are */
    hear(match, &events, now_us);
    if (fray_ticks_is_snapshot(match->steps, game->tick_hz, FRAY_TICKS_SNAPSHOT_HZ)) {
        if (now_us >= match->hosted.crowd_us)
            newest_become_news(match);
        match->is_state_changed = true;
    }
    if (match->steps % game->tick_hz == 0)
        hash(match);
}

void fray_ticks_advance(struct fray_match *match, uint64_t now_us)
{
    struct fray_ticks *ticks = match->ticks;
    uint64_t dropped = ticks->clock.dropped;
    uint32_t count = fray_tick_clock_take(&ticks->clock, now_us);

    if (ticks->clock.dropped - dropped > FRAY_TICKS_STILL)
        unsettle(ticks, now_us);
    while (count--)
        tick(match, now_us);
}
