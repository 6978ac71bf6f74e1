#include "game/delay.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum note_kind { NOTE_EVENT, NOTE_SEAT, NOTE_NEWS, NOTE_ROSTER, NOTE_NOTHING };

struct fray_delay_note {
    uint64_t at_us;
    enum note_kind kind;
    union {
        struct {
            uint32_t tick;
            struct fray_game_event event;
        };
        struct {
            uint32_t seat;
            char id[FRAY_TOKEN_LEN + 1];
        };
        struct fray_match_news news;
        json_t *roster;
    };
};

struct fray_delay *fray_delay_create(const struct fray_game *game, uint32_t delay_ms,
                                     const struct fray_delay_moment *moment, const void *state,
                                     json_t *roster)
{
    struct fray_delay *delay = fray_alloc_zero(sizeof *delay);

    assert(delay_ms <= FRAY_DELAY_MAX_MS);
    delay->game = game;
    delay->delay_us = delay_ms * UINT64_C(1000);
    delay->shown = *moment;
    delay->state = fray_alloc(game->state_size);
    memcpy(delay->state, state, game->state_size);
    delay->ids = fray_alloc_zero(game->seats_max * sizeof *delay->ids);
    delay->roster = roster;
    return delay;
}

size_t fray_delay_bytes(const struct fray_game *game, uint32_t delay_ms)
{
    size_t count = delay_ms / (game->tick_hz ? 50 : FRAY_DELAY_GAP_US / 1000) + 1, cap = 8;
    while (cap < count)
        cap *= 2;
    return cap * (game->state_size + sizeof(struct fray_delay_moment) + sizeof(uint64_t));
}

/* ------------------------------------------------------------------ moments */

static uint32_t slot_of(const struct fray_delay *delay, uint32_t number)
{
    return (delay->first + number) & (delay->cap - 1);
}

static char *state_at(const struct fray_delay *delay, uint32_t slot)
{
    return delay->states + (size_t)slot * delay->game->state_size;
}

/* Twice as many: what had wrapped around goes behind the rest. */
static void *ring_grow(void *ring, size_t size, uint32_t cap, uint32_t first)
{
    char *grown = fray_realloc(ring, 2 * size * (cap ? cap : 8));
    memcpy(grown + cap * size, grown, first * size);
    return grown;
}

static void moments_grow(struct fray_delay *delay)
{
    uint32_t cap = delay->cap, first = delay->first;

    delay->moments = ring_grow(delay->moments, sizeof *delay->moments, cap, first);
    delay->dues_us = ring_grow(delay->dues_us, sizeof *delay->dues_us, cap, first);
    delay->states = ring_grow(delay->states, delay->game->state_size, cap, first);
    delay->cap = 2 * (cap ? cap : 8);
}

/* A state that comes too soon after the last takes its place, and its time: or a state that
 * changes all the time would never be shown. */
static bool is_too_soon(const struct fray_delay *delay, uint64_t at_us)
{
    uint32_t newest = slot_of(delay, delay->count - 1);
    return at_us + delay->delay_us < delay->dues_us[newest] + FRAY_DELAY_GAP_US;
}

void fray_delay_put(struct fray_delay *delay, const struct fray_delay_moment *moment,
                    const void *state)
{
    bool replaces = delay->count && is_too_soon(delay, moment->at_us), was_anew = false;

    if (!replaces && delay->count == delay->cap)
        moments_grow(delay);
    if (!replaces)
        delay->count++;
    uint32_t slot = slot_of(delay, delay->count - 1);
    if (replaces)
        was_anew = delay->moments[slot].is_anew;
    else
        delay->dues_us[slot] = moment->at_us + delay->delay_us;
    delay->moments[slot] = *moment;
    delay->moments[slot].is_anew |= was_anew;
    memcpy(state_at(delay, slot), state, delay->game->state_size);
}

/* ------------------------------------------------------------------ notes */

static struct fray_delay_note *note_at(const struct fray_delay *delay, uint32_t number)
{
    return &delay->notes[(delay->notes_first + number) & (delay->notes_cap - 1)];
}

static struct fray_delay_note *note_add(struct fray_delay *delay, uint64_t at_us,
                                        enum note_kind kind)
{
    if (delay->notes_count == delay->notes_cap) {
        uint32_t cap = delay->notes_cap;
        delay->notes = ring_grow(delay->notes, sizeof *delay->notes, cap, delay->notes_first);
        delay->notes_cap = 2 * (cap ? cap : 8);
    }
    struct fray_delay_note *note = note_at(delay, delay->notes_count++);
    note->at_us = at_us;
    note->kind = kind;
    return note;
}

void fray_delay_event(struct fray_delay *delay, uint64_t at_us, uint32_t tick,
                      const struct fray_game_event *event)
{
    if (delay->events == FRAY_DELAY_EVENTS ||
        delay->game->events[event->kind].delivery == FRAY_GAME_NEWEST)
        return;
    struct fray_delay_note *note = note_add(delay, at_us, NOTE_EVENT);
    note->tick = tick;
    note->event = *event;
    delay->events++;
}

void fray_delay_news(struct fray_delay *delay, uint64_t at_us, const struct fray_match_news *news)
{
    if (delay->events == FRAY_DELAY_EVENTS || news->to != FRAY_GAME_NOBODY || news->is_newest)
        return;
    struct fray_delay_note *note = note_add(delay, at_us, NOTE_NEWS);
    note->news = *news;
    json_incref(note->news.content);
    delay->events++;
}

void fray_delay_seat(struct fray_delay *delay, uint64_t at_us, uint32_t seat, const char *id)
{
    struct fray_delay_note *note = note_add(delay, at_us, NOTE_SEAT);
    note->seat = seat;
    snprintf(note->id, sizeof note->id, "%s", id);
}

/* There is one. */
static struct fray_delay_note *newest_roster(const struct fray_delay *delay)
{
    uint32_t number = delay->notes_count - 1;
    while (note_at(delay, number)->kind != NOTE_ROSTER)
        number--;
    return note_at(delay, number);
}

/* Where too many wait, the newest is forgotten for what came after it. That waits in a place of its
 * own: in the other's it would be shown before it is due. */
void fray_delay_roster(struct fray_delay *delay, uint64_t at_us, json_t *roster)
{
    if (delay->rosters == FRAY_DELAY_ROSTERS) {
        struct fray_delay_note *last = newest_roster(delay);
        json_decref(last->roster);
        last->kind = NOTE_NOTHING;
        delay->rosters--;
        if (last == note_at(delay, delay->notes_count - 1))
            delay->notes_count--;
    }
    note_add(delay, at_us, NOTE_ROSTER)->roster = roster;
    delay->rosters++;
}

/* What the note holds becomes what is shown. */
static void note_show(struct fray_delay *delay, const struct fray_delay_note *note)
{
    switch (note->kind) {
    case NOTE_EVENT:
        if (delay->snapshots)
            fray_snapshots_event(delay->snapshots, note->tick, &note->event);
        break;
    case NOTE_SEAT: memcpy(delay->ids[note->seat], note->id, sizeof note->id); break;
    case NOTE_NEWS: fray_match_news_push(&delay->news, &note->news); break;
    case NOTE_ROSTER:
        json_decref(delay->roster);
        delay->roster = note->roster;
        delay->is_roster_changed = true;
        break;
    case NOTE_NOTHING: break;
    }
}

static void note_take(struct fray_delay *delay, bool is_shown)
{
    struct fray_delay_note *note = note_at(delay, 0);

    delay->events -= note->kind == NOTE_EVENT || note->kind == NOTE_NEWS;
    delay->rosters -= note->kind == NOTE_ROSTER;
    if (is_shown)
        note_show(delay, note);
    else if (note->kind == NOTE_NEWS)
        json_decref(note->news.content);
    else if (note->kind == NOTE_ROSTER)
        json_decref(note->roster);
    delay->notes_first = (delay->notes_first + 1) & (delay->notes_cap - 1);
    delay->notes_count--;
}

/* Events go with the state that shows what they did; the rest may be new while no state is. */
static void notes_show(struct fray_delay *delay, uint64_t now_us)
{
    while (delay->notes_count) {
        const struct fray_delay_note *note = note_at(delay, 0);
        bool is_shown = note->at_us <= delay->shown.at_us;
        if (!is_shown && (note->kind == NOTE_EVENT || note->at_us + delay->delay_us > now_us))
            return;
        note_take(delay, true);
    }
}

void fray_delay_destroy(struct fray_delay *delay)
{
    if (!delay)
        return;
    while (delay->notes_count)
        note_take(delay, false);
    fray_snapshots_destroy(delay->snapshots);
    fray_match_news_deinit(&delay->news);
    json_decref(delay->roster);
    free(delay->state);
    free(delay->ids);
    free(delay->moments);
    free(delay->dues_us);
    free(delay->states);
    free(delay->notes);
    free(delay);
}

/* ------------------------------------------------------------------ what is shown */

void fray_delay_advance(struct fray_delay *delay, uint64_t now_us)
{
    uint32_t newest = UINT32_MAX;

    while (delay->count && delay->dues_us[delay->first] <= now_us) {
        newest = delay->first;
        delay->is_anew |= delay->moments[newest].is_anew;
        delay->first = (delay->first + 1) & (delay->cap - 1);
        delay->count--;
    }
    if (newest != UINT32_MAX) {
        delay->before = delay->is_anew ? 0 : delay->shown.steps;
        delay->is_state_changed = true;
        delay->shown = delay->moments[newest];
        memcpy(delay->state, state_at(delay, newest), delay->game->state_size);
    }
    notes_show(delay, now_us);
}

void fray_delay_sent(struct fray_delay *delay)
{
    delay->is_state_changed = delay->is_roster_changed = delay->is_anew = false;
    fray_match_news_clear(&delay->news);
}

uint64_t fray_delay_due(const struct fray_delay *delay)
{
    uint64_t state_us = delay->count ? delay->dues_us[delay->first] : UINT64_MAX;
    uint64_t note_us = UINT64_MAX;
    if (delay->notes_count && note_at(delay, 0)->kind != NOTE_EVENT)
        note_us = note_at(delay, 0)->at_us + delay->delay_us;
    return state_us < note_us ? state_us : note_us;
}

struct fray_snapshots *fray_delay_snapshots(struct fray_delay *delay)
{
    if (!delay->snapshots)
        delay->snapshots = fray_snapshots_create(delay->game);
    return delay->snapshots;
}

void fray_delay_snapshots_forget(struct fray_delay *delay)
{
    fray_snapshots_destroy(delay->snapshots);
    delay->snapshots = NULL;
}

uint32_t fray_delay_tick(const struct fray_delay *delay, uint64_t now_us, uint16_t *phase)
{
    const struct fray_delay_moment *next = delay->count ? &delay->moments[delay->first] : NULL;

    *phase = 0;
    if (!delay->shown.is_begun)
        return 0;
    uint64_t past_us = now_us > delay->delay_us ? now_us - delay->delay_us : 0;
    uint32_t tick = delay->shown.steps + fray_tick_clock_since(&delay->shown.clock, past_us, phase);
    if (next && !next->is_anew && next->steps > delay->shown.steps && tick >= next->steps) {
        *phase = 65535; /* time stood still: dropped ticks */
        return next->steps - 1;
    }
    return tick;
}
