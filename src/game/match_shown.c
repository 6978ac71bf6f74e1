/* What the viewers of a match are shown: the match as it is or, spectators, as it was
 * (game/delay.h). */
#include <inttypes.h>

#include "game/match.h"
#include "game/ticks.h"

static const char *player_id(const void *context, uint32_t seat)
{
    const struct fray_match *match = context;
    bool is_there = seat < match->config.game->seats_max && match->seats[seat].is_taken;
    return is_there ? match->seats[seat].id : NULL;
}

struct fray_game_players fray_match_ids(const struct fray_match *match)
{
    return (struct fray_game_players){player_id, match};
}

/* Who had the seat when the state that spectators are shown was made. */
static const char *shown_id(const void *context, uint32_t seat)
{
    const struct fray_match *match = context;
    bool is_there = seat < match->config.game->seats_max && match->delay->ids[seat][0];
    return is_there ? match->delay->ids[seat] : NULL;
}

uint64_t fray_match_deadline(const struct fray_match *match, const char *state, bool is_begun,
                             uint64_t started_us)
{
    bool has_any = is_begun && !match->ticks;
    uint32_t ms = has_any ? match->config.game->deadline(state) : FRAY_GAME_NEVER;
    return ms == FRAY_GAME_NEVER ? UINT64_MAX : fray_match_after_ms(started_us, ms);
}

/* ------------------------------------------------------------------ the past */

bool fray_match_is_delayed(const struct fray_match *match, uint32_t viewer)
{
    return match->delay && viewer == FRAY_GAME_NOBODY;
}

void fray_match_show(struct fray_match *match, uint64_t now_us)
{
    if (!match->delay)
        return;
    /* Seats that are taken or left change the state, too. */
    if (match->is_state_changed || match->is_roster_changed || match->is_anew) {
        const struct fray_delay_moment moment = {
            .at_us = now_us,
            .started_us = match->started_us,
            .number = match->number,
            .steps = match->steps,
            .is_begun = match->is_begun,
            .is_anew = match->is_anew,
            .clock = match->ticks ? match->ticks->clock : (struct fray_tick_clock){0},
        };
        fray_delay_put(match->delay, &moment, match->state);
    }
    for (uint32_t i = 0; i < match->news.count; i++)
        fray_delay_news(match->delay, now_us, &match->news.items[i]);
    if (match->is_roster_changed)
        fray_delay_roster(match->delay, now_us, fray_match_json_roster(match));
    fray_delay_advance(match->delay, now_us);
}

bool fray_match_is_done(struct fray_match *match, uint64_t now_us)
{
    if (fray_match_is_live(match)) {
        match->deserted_us = 0;
        return false;
    }
    if (!match->delay || !match->spectators)
        return true;
    if (!match->deserted_us)
        match->deserted_us = now_us;
    return now_us >= match->deserted_us + match->delay->delay_us;
}

uint64_t fray_match_shown_due(const struct fray_match *match)
{
    if (!match->delay)
        return UINT64_MAX;
    uint64_t end_us = match->deserted_us ? match->deserted_us + match->delay->delay_us : UINT64_MAX;
    return fray_match_earlier(fray_delay_due(match->delay), end_us);
}

/* ------------------------------------------------------------------ as JSON */

/* What a viewer is shown: the match as it is, or as it was. */
struct shown {
    const char *state;
    uint64_t number, deadline_us, now_us;
    struct fray_game_players players;
};

static struct shown shown_to(const struct fray_match *match, uint32_t viewer, uint64_t now_us)
{
    const struct fray_delay *delay = match->delay;
    if (!fray_match_is_delayed(match, viewer))
        return (struct shown){
            .state = match->state,
            .number = match->number,
            .deadline_us =
                fray_match_deadline(match, match->state, match->is_begun, match->started_us),
            .now_us = now_us,
            .players = fray_match_ids(match),
        };
    return (struct shown){
        .state = delay->state,
        .number = delay->shown.number,
        .deadline_us = fray_match_deadline(match, delay->state, delay->shown.is_begun,
                                           delay->shown.started_us),
        .now_us = now_us > delay->delay_us ? now_us - delay->delay_us : 0,
        .players = {shown_id, match},
    };
}

static void number_append(struct fray_buf *text, const char *key, bool is_known, uint64_t number)
{
    if (is_known)
        fray_buf_printf(text, ",\"%s\":%" PRIu64, key, number);
    else
        fray_buf_printf(text, ",\"%s\":null", key);
}

void fray_match_json_state(struct fray_match *match, uint32_t viewer, uint64_t now_us,
                           struct fray_game_json_rows *rows, struct fray_buf *text)
{
    const struct fray_game *game = match->config.game;
    const struct shown shown = shown_to(match, viewer, now_us);
    uint64_t left_us = shown.deadline_us > shown.now_us ? shown.deadline_us - shown.now_us : 0;

    fray_game_view(game, shown.state, viewer, match->view);
    fray_buf_printf(text, "{\"match\":\"%s\",\"number\":%" PRIu64, match->config.id, shown.number);
    number_append(text, "seat", viewer != FRAY_GAME_NOBODY, viewer);
    number_append(text, "left_ms", shown.deadline_us != UINT64_MAX, left_us / 1000);
    FRAY_BUF_LITERAL(text, ",\"state\":");
    fray_game_json_state(game, match->view, viewer, &shown.players, rows, text);
    fray_buf_append_byte(text, '}');
}
