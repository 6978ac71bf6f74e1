#include "game/ticks.h"

#include <string.h>

#include "base/mem.h"

struct fray_ticks *fray_ticks_create(const struct fray_game *game)
{
    struct fray_ticks *ticks = fray_alloc_zero(sizeof *ticks);
    size_t slots = (size_t)game->events_count * game->seats_max;
    ticks->seats = fray_alloc_zero(game->seats_max * sizeof *ticks->seats);
    ticks->newest = fray_alloc_zero(slots * sizeof *ticks->newest);
    ticks->clock.hz = game->tick_hz;
    return ticks;
}

void fray_ticks_destroy(struct fray_ticks *ticks)
{
    if (!ticks)
        return;
    free(ticks->seats);
    free(ticks->newest);
    free(ticks);
}

void fray_ticks_begin(struct fray_ticks *ticks, uint16_t phase, uint64_t now_us)
{
    fray_tick_clock_start(&ticks->clock, ticks->clock.hz, phase, now_us);
}

void fray_ticks_seat_reset(struct fray_ticks *ticks, uint32_t seat)
{
    ticks->seats[seat] = (struct fray_ticks_seat){0};
}

bool fray_ticks_is_snapshot(uint32_t tick, uint32_t tick_hz, uint32_t snapshot_hz)
{
    uint64_t number = (uint64_t)tick * snapshot_hz / tick_hz;
    return snapshot_hz >= tick_hz || number != (uint64_t)(tick - 1) * snapshot_hz / tick_hz;
}

/* ------------------------------------------------------------------ inputs */

static void offend(struct fray_match *match, uint32_t seat, enum fray_offence offence,
                   uint64_t now_us)
{
    if (fray_conduct_offend(&match->ticks->seats[seat].conduct, offence, now_us))
        match->seats[seat].is_cheating = match->has_cheaters = true;
}

const char *fray_ticks_acted(struct fray_match *match, uint32_t seat, const char *reason,
                             uint64_t now_us)
{
    struct fray_ticks *ticks = match->ticks;

    if (!fray_conduct_spend(&ticks->seats[seat].conduct, now_us)) {
        ticks->counts.flooding++;
        offend(match, seat, FRAY_OFFENCE_FLOODING, now_us);
        return "too_fast";
    }
    if (reason && strcmp(reason, "wrong_shape") != 0) { /* that is a slip of the programmer's */
        ticks->counts.refused++;
        offend(match, seat, FRAY_OFFENCE_FORGED, now_us);
    }
    if (!reason) {
        match->given[seat] = 1; /* so that its impulses are cleared */
        ticks->seats[seat].is_held = true;
    }
    return reason;
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

static void take_inputs(struct fray_match *match)
{
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        bool has_any = false;
        if (fray_match_seat_has_bot(seat))
            has_any = fray_match_bot_thinks(match, i);
        else if (seat->is_taken && seat->is_connected)
            has_any = take_held(match, i);
        match->given[i] = has_any;
    }
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

static void hear(struct fray_match *match, const struct fray_game_events *events)
{
    for (uint32_t i = 0; i < events->count; i++) {
        const struct fray_game_event *event = &events->items[i];
        struct fray_ticks_newest *newest = newest_of(match, event);
        if (!newest)
            fray_match_news_add(match, event);
        else if (match->is_heard)
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

/* ------------------------------------------------------------------ ticks */

static void hash(struct fray_match *match)
{
    struct fray_ticks *ticks = match->ticks;
    ticks->hash_tick = match->steps;
    ticks->hash =
        fray_game_hash(FRAY_GAME_HASH_START, match->state, match->config.game->state_size);
    if (match->recorder)
        match->recorder->on_hash(match->recorder, ticks->hash_tick, ticks->hash);
}

static void tick(struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    struct fray_game_events events = fray_match_listen(match);

    take_inputs(match);
    game->step(match->state, &(struct fray_game_step){
                                 .inputs = match->inputs,
                                 .given = match->given,
                                 .events = &events,
                             });
    match->steps++;
    if (match->recorder)
        match->recorder->on_step(match->recorder, &(struct fray_match_step){
                                                      .tick = match->steps,
                                                      .inputs = match->inputs,
                                                      .given = match->given,
                                                  });
    fray_match_inputs_clear(match);
    hear(match, &events);
    if (fray_ticks_is_snapshot(match->steps, game->tick_hz, FRAY_TICKS_SNAPSHOT_HZ)) {
        newest_become_news(match);
        match->is_state_changed = true;
    }
    if (match->steps % game->tick_hz == 0)
        hash(match);
}

void fray_ticks_advance(struct fray_match *match, uint64_t now_us)
{
    uint32_t count = fray_tick_clock_take(&match->ticks->clock, now_us);
    while (count--)
        tick(match);
}
