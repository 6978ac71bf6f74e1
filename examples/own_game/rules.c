/* The rules of tag, and a bot. Integers only, nothing outside of the state: see fray/game.h. */
#include "tag.h"

enum { EVENT_TAGGED, EVENT_END };

static int32_t x_max(const struct tag_state *state)
{
    return state->options.width * TAG_PX - TAG_RADIUS;
}

static int32_t y_max(const struct tag_state *state)
{
    return state->options.height * TAG_PX - TAG_RADIUS;
}

static void init(void *bytes, uint64_t seed)
{
    struct tag_state *state = bytes;

    fray_game_random_seed(state->match.random, seed);
    state->match.it = state->match.winner = FRAY_GAME_NOBODY;
}

static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct tag_state *state = bytes;

    (void)events;
    if (state->match.winner == seat) /* who won has left: outcomes stay what they were */
        state->match.winner = FRAY_GAME_NOBODY;
    state->players[seat] = (struct tag_player){
        .x = fray_game_random_range(state->match.random, TAG_RADIUS, x_max(state)),
        .y = fray_game_random_range(state->match.random, TAG_RADIUS, y_max(state)),
        .present = 1,
    };
    if (state->match.it == FRAY_GAME_NOBODY)
        state->match.it = (uint8_t)seat;
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct tag_state *state = bytes;

    (void)events;
    state->players[seat] = (struct tag_player){0};
    if (state->match.it != seat)
        return;
    state->match.it = FRAY_GAME_NOBODY; /* or else the first who is there */
    for (uint8_t other = TAG_SEATS; other-- > 0;)
        if (state->players[other].present)
            state->match.it = other;
}

/* Any keys may be pressed at any time. */
static const char *check(const void *bytes, uint32_t seat, const void *input)
{
    const struct tag_state *state = bytes;

    (void)input;
    return seat < TAG_SEATS && state->players[seat].present ? NULL : "not_seated";
}

static void walk(const struct tag_state *state, struct tag_player *player, int32_t step)
{
    int32_t dx = player->dx * step, dy = player->dy * step;

    fray_game_scale(&dx, &dy, step); /* no faster diagonally */
    player->x = fray_game_clamp(player->x + dx, TAG_RADIUS, x_max(state));
    player->y = fray_game_clamp(player->y + dy, TAG_RADIUS, y_max(state));
}

static bool touch(const struct tag_player *a, const struct tag_player *b)
{
    int64_t dx = a->x - b->x, dy = a->y - b->y, reach = 2 * TAG_RADIUS;

    return dx * dx + dy * dy <= reach * reach;
}

/* Any bytes are a legal state to step from (a view, say), so `it` may be nobody's seat. */
static void pass_on(struct tag_state *state, struct fray_game_events *events)
{
    uint8_t it = state->match.it;

    if (it >= TAG_SEATS || state->match.tick < state->match.rest_tick)
        return;
    for (uint8_t seat = 0; seat < TAG_SEATS; seat++) {
        if (seat == it || !state->players[seat].present ||
            !touch(&state->players[seat], &state->players[it]))
            continue;
        state->match.it = seat;
        state->match.rest_tick = state->match.tick + TAG_REST;
        fray_game_emit(events, (struct fray_game_event){.kind = EVENT_TAGGED,
                                                        .to = FRAY_GAME_NOBODY,
                                                        .args = {seat, it}});
        return;
    }
}

/* The seat with the best score; FRAY_GAME_NOBODY: several have it. */
static uint32_t best(const struct tag_state *state)
{
    uint32_t seat = FRAY_GAME_NOBODY;
    int32_t score = -1;

    for (uint32_t i = 0; i < TAG_SEATS; i++) {
        if (!state->players[i].present || state->players[i].score < score)
            continue;
        seat = state->players[i].score > score ? i : FRAY_GAME_NOBODY;
        score = state->players[i].score;
    }
    return seat;
}

static void game_end(struct tag_state *state, struct fray_game_events *events)
{
    state->match.over = 1;
    state->match.winner = (uint8_t)best(state);
    state->match.drawn = state->match.winner == FRAY_GAME_NOBODY;
    fray_game_emit(events, (struct fray_game_event){.kind = EVENT_END,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {state->match.winner}});
}

static void step(void *bytes, const struct fray_game_step *step)
{
    struct tag_state *state = bytes;
    struct tag_match *match = &state->match;
    const struct tag_input *inputs = step->inputs;

    match->tick++;
    if (match->over)
        return;
    for (uint32_t seat = 0; seat < TAG_SEATS; seat++) {
        struct tag_player *player = &state->players[seat];
        if (!player->present)
            continue;
        /* Without an input for this tick the keys stay as they were. */
        if (step->given[seat] && !fray_game_check(&tag, state, seat, &inputs[seat])) {
            player->dx = inputs[seat].dx;
            player->dy = inputs[seat].dy;
        }
        walk(state, player, seat == match->it ? TAG_STEP_IT : TAG_STEP);
        if (seat != match->it && match->tick % TAG_HZ == 0)
            player->score++;
    }
    pass_on(state, step->events);
    if (match->tick >= (uint32_t)state->options.seconds * TAG_HZ)
        game_end(state, step->events);
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct tag_match *match = &((const struct tag_state *)bytes)->match;

    if (!match->over)
        return FRAY_GAME_PLAYING;
    if (match->drawn)
        return FRAY_GAME_DRAWN;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

/* ------------------------------------------------------------------ the bot */

static void bot_init(void *bytes, uint32_t level, uint64_t seed)
{
    struct tag_memory *memory = bytes;

    memory->level = level;
    fray_game_random_seed(memory->random, seed);
}

/* Whom it runs after, or, if it is not it, from. */
static const struct tag_player *target(const struct tag_state *view, uint32_t own)
{
    const struct tag_player *self = &view->players[own], *nearest = NULL;
    int64_t least = INT64_MAX;

    if (view->match.it != own)
        return view->match.it < TAG_SEATS ? &view->players[view->match.it] : NULL;
    for (uint32_t seat = 0; seat < TAG_SEATS; seat++) {
        int64_t dx = view->players[seat].x - self->x, dy = view->players[seat].y - self->y;
        if (seat == own || !view->players[seat].present || dx * dx + dy * dy >= least)
            continue;
        least = dx * dx + dy * dy;
        nearest = &view->players[seat];
    }
    return nearest;
}

static int8_t sign(int32_t value)
{
    return (int8_t)((value > TAG_PX) - (value < -TAG_PX));
}

static bool bot(const void *bytes, uint32_t seat, void *kept, void *filled)
{
    const struct tag_state *view = bytes;
    struct tag_memory *memory = kept;
    struct tag_input *input = filled;
    const struct tag_player *self = &view->players[seat], *other = target(view, seat);
    bool is_it = view->match.it == seat;

    if (memory->level == 0 && view->match.tick % 2) /* it dawdles */
        return true;
    *input = (struct tag_input){0};
    if (!other)
        return true;
    int32_t dx = other->x - self->x, dy = other->y - self->y, wall = 2 * TAG_RADIUS;
    if (!is_it && self->x == fray_game_clamp(self->x, wall, x_max(view) - wall))
        dx = -dx; /* away; at a wall along it, past who comes */
    if (!is_it && self->y == fray_game_clamp(self->y, wall, y_max(view) - wall))
        dy = -dy;
    input->dx = sign(dx);
    input->dy = sign(dy);
    if (!is_it && fray_game_random_range(memory->random, 0, 15) == 0)
        input->dx = (int8_t)fray_game_random_range(memory->random, -1, 1);
    return true;
}

/* ------------------------------------------------------------------ what it is made of */

#define MATCH(F, T)                                                                                \
    F(T, tick, .bits = 32, .flags = FRAY_GAME_CLOCK)                                               \
    F(T, rest_tick, .bits = 32)                                                                    \
    F(T, it, .bits = 8, .flags = FRAY_GAME_SEAT)                                                   \
    F(T, over, .bits = 1)                                                                          \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)                                               \
    F(T, drawn, .bits = 1)                                                                         \
    F(T, random, .bits = 32, .flags = FRAY_GAME_HIDDEN)
FRAY_GAME_FIELDS(match_fields, struct tag_match, MATCH);

#define PLAYER(F, T)                                                                               \
    F(T, x, .bits = 20, .fraction = 8)                                                             \
    F(T, y, .bits = 20, .fraction = 8)                                                             \
    F(T, dx, .bits = 2)                                                                            \
    F(T, dy, .bits = 2)                                                                            \
    F(T, score, .bits = 16)                                                                        \
    F(T, present, .bits = 1)                                                                       \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(player_fields, struct tag_player, PLAYER);

#define INPUT(F, T)                                                                                \
    F(T, dx, .bits = 2, .min = -1, .max = 1)                                                       \
    F(T, dy, .bits = 2, .min = -1, .max = 1)                                                       \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(input_fields, struct tag_input, INPUT);

static const struct fray_game_field option_fields[] = {
    TAG_OPTIONS(FRAY_GAME_OPTION_FIELD, struct tag_options)};
static const struct fray_game_option options[] = {TAG_OPTIONS(FRAY_GAME_OPTION, )};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct tag_state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct tag_state, players, player_fields, TAG_SEATS,
                    .present = FRAY_GAME_AT(struct tag_player, present), .owner = FRAY_GAME_ROW,
                    .x = FRAY_GAME_AT(struct tag_player, x),
                    .y = FRAY_GAME_AT(struct tag_player, y)),
    FRAY_GAME_TABLE("options", struct tag_state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table = FRAY_GAME_INPUT(struct tag_input, input_fields);

static const struct fray_game_action actions[] = {{"steer", {"dx", "dy"}, NULL, 0, false}};

static const struct fray_game_event_kind events[] = {
    [EVENT_TAGGED] = {"tagged", {{"id", 0, FRAY_GAME_SEAT}, {"by", 0, FRAY_GAME_SEAT}}, 0, false},
    [EVENT_END] = {"end_game", {{"winner", 0, FRAY_GAME_SEAT}}, 0, false},
};

const struct fray_game tag = {
    .name = "tag",
    .title = "Tag",
    .version = 1,
    .tick_hz = TAG_HZ,
    .seats_min = 2,
    .seats_max = TAG_SEATS,
    .bot_levels = 2,
    .state_size = sizeof(struct tag_state),
    .input_size = sizeof(struct tag_input),
    .bot_size = sizeof(struct tag_memory),
    FRAY_GAME_LISTS(struct tag_state),
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .outcome = outcome,
    .bot_init = bot_init,
    .bot = bot,
};
