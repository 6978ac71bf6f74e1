/* The duel: rounds between two on platforms. The creator, seat 0, always begins on the left. */
#include "duel/duel.h"

enum { EVENT_ROUND, EVENT_HIT, EVENT_FELL, EVENT_KILLED, EVENT_ROUND_OVER, EVENT_END };

static void emit(struct fray_game_events *events, uint8_t kind, int32_t first, int32_t second,
                 int32_t third)
{
    fray_game_emit(events, (struct fray_game_event){.kind = kind,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {first, second, third}});
}

/* On the ground, near the outer edge of the seat's own side, looking at the other. */
static void player_place(struct duel_state *state, uint32_t seat)
{
    struct duel_player *player = &state->players[seat];
    int32_t from_edge = 120 * DUEL_PX;

    player->x = seat == 0 ? from_edge : DUEL_WIDTH - from_edge;
    player->y = state->platforms[seat].y * DUEL_PX;
    player->velocity_x = 0;
    player->velocity_y = 0;
    player->walk = 0;
    player->grounded = 1;
}

static void phase_begin(struct duel_state *state, enum duel_phase phase, int32_t ticks)
{
    state->match.phase = (uint8_t)phase;
    state->match.until_tick = FRAY_GAME_NEVER;
    if (ticks >= 0)
        state->match.until_tick = state->match.tick + (uint32_t)ticks;
}

static void round_begin(struct duel_state *state, struct fray_game_events *events)
{
    state->match.round++;
    state->match.winner = FRAY_GAME_NOBODY;
    for (uint32_t seat = 0; seat < DUEL_SEATS; seat++) {
        player_place(state, seat);
        state->players[seat].hp = (uint8_t)state->options.hits;
        state->players[seat].ready_tick = 0;
        state->players[seat].rematch = 0;
    }
    for (int i = 0; i < DUEL_BULLETS; i++)
        state->bullets[i] = (struct duel_bullet){0};
    phase_begin(state, DUEL_COUNTDOWN, state->options.countdown_ticks);
    emit(events, EVENT_ROUND, state->match.round, 0, 0);
}

static void match_begin(struct duel_state *state, struct fray_game_events *events)
{
    state->match.matches++;
    state->match.round = 0;
    for (uint32_t seat = 0; seat < DUEL_SEATS; seat++)
        state->players[seat].wins = 0;
    round_begin(state, events);
}

static void match_end(struct duel_state *state, uint32_t winner, struct fray_game_events *events)
{
    state->match.winner = (uint8_t)winner;
    phase_begin(state, DUEL_OVER, -1);
    emit(events, EVENT_END, (int32_t)winner, 0, 0);
}

/* winner is FRAY_GAME_NOBODY when both fell at once or the time ended a tie. */
static void round_end(struct duel_state *state, uint32_t winner, struct fray_game_events *events)
{
    state->match.winner = (uint8_t)winner;
    emit(events, EVENT_ROUND_OVER, (int32_t)winner, state->match.round, 0);
    phase_begin(state, DUEL_ROUND_OVER, state->options.pause_ticks);
    if (winner >= DUEL_SEATS)
        return;
    state->players[winner].won++;
    state->players[!winner].lost++;
    if (++state->players[winner].wins >= state->options.rounds)
        match_end(state, winner, events);
}

static void init(void *bytes, uint64_t seed)
{
    struct duel_state *state = bytes;

    (void)seed; /* nothing here is left to chance; bots have seeds of their own */
    duel_platforms_make(state->platforms);
    state->match.winner = FRAY_GAME_NOBODY;
    phase_begin(state, DUEL_WAITING, -1);
}

static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct duel_state *state = bytes;

    state->players[seat] = (struct duel_player){.present = 1};
    player_place(state, seat);
    if (state->players[!seat].present)
        match_begin(state, events);
    else
        phase_begin(state, DUEL_WAITING, -1);
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct duel_state *state = bytes;

    if (!state->players[seat].present)
        return;
    state->players[seat] = (struct duel_player){0};
    if (state->match.phase != DUEL_WAITING && state->match.phase != DUEL_OVER)
        match_end(state, !seat, events);
}

static const char *check(const void *bytes, uint32_t seat, const void *input)
{
    const struct duel_state *state = bytes;

    (void)input; /* any keys may be pressed at any time: too early a shot has no effect */
    return seat < DUEL_SEATS && state->players[seat].present ? NULL : "not_seated";
}

static void player_step(struct duel_state *state, uint32_t seat, const struct duel_input *input)
{
    struct duel_player *player = &state->players[seat];
    enum duel_phase phase = state->match.phase;

    if (input) {
        player->aim_x = input->aim_x;
        player->aim_y = input->aim_y;
        player->walk = input->walk;
        player->rematch |= phase == DUEL_OVER && input->rematch;
    }
    if (phase == DUEL_COUNTDOWN || (phase != DUEL_WAITING && player->hp == 0))
        return;
    duel_player_move(state, player, input && input->jump, !input);
    if (phase == DUEL_PLAYING && input && input->fire && state->match.tick >= player->ready_tick) {
        player->ready_tick = state->match.tick + (uint32_t)state->options.cooldown_ticks;
        duel_bullet_fire(state, seat);
    }
}

static void player_hurt(struct duel_state *state, uint32_t seat, uint8_t kind,
                        struct fray_game_events *events)
{
    struct duel_player *player = &state->players[seat];

    if (state->match.phase != DUEL_PLAYING || player->hp == 0)
        return;
    player->hp--;
    emit(events, kind, (int32_t)seat, player->hp, 0);
    if (player->hp == 0)
        emit(events, EVENT_KILLED, (int32_t)seat,
             kind == EVENT_HIT ? (int32_t)!seat : (int32_t)seat, 0);
}

static void world_step(struct duel_state *state, struct fray_game_events *events)
{
    uint32_t hits[DUEL_SEATS];

    duel_bullets_move(state, hits);
    for (uint32_t seat = 0; seat < DUEL_SEATS; seat++) {
        while (hits[seat]-- > 0)
            player_hurt(state, seat, EVENT_HIT, events);
        if (state->players[seat].present && duel_player_fell(&state->players[seat])) {
            player_place(state, seat);
            player_hurt(state, seat, EVENT_FELL, events);
        }
    }
}

static void round_judge(struct duel_state *state, struct fray_game_events *events)
{
    uint8_t left = state->players[0].hp, right = state->players[1].hp;
    bool time_over = fray_game_has_come(state->match.until_tick, state->match.tick);

    if (left && right && !time_over)
        return;
    round_end(state, left > right ? 0 : left < right ? 1 : FRAY_GAME_NOBODY, events);
}

static void phase_step(struct duel_state *state, struct fray_game_events *events)
{
    bool over = fray_game_has_come(state->match.until_tick, state->match.tick);

    switch (state->match.phase) {
    case DUEL_COUNTDOWN:
        if (over)
            phase_begin(state, DUEL_PLAYING,
                        state->options.round_ticks ? state->options.round_ticks : -1);
        break;
    case DUEL_PLAYING: round_judge(state, events); break;
    case DUEL_ROUND_OVER:
        if (over)
            round_begin(state, events);
        break;
    case DUEL_OVER:
        if (state->players[0].rematch && state->players[1].rematch)
            match_begin(state, events);
        break;
    default: break;
    }
}

static void step(void *bytes, const struct fray_game_step *step)
{
    struct duel_state *state = bytes;
    const struct duel_input *inputs = step->inputs;

    state->match.tick++;
    for (uint32_t seat = 0; seat < DUEL_SEATS; seat++) {
        const struct duel_input *input = &inputs[seat];
        if (!step->given[seat] || fray_game_check(&fray_duel, state, seat, input))
            input = NULL;
        if (state->players[seat].present)
            player_step(state, seat, input);
    }
    world_step(state, step->events);
    phase_step(state, step->events);
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct duel_match *match = &((const struct duel_state *)bytes)->match;

    if (match->phase != DUEL_OVER)
        return FRAY_GAME_PLAYING;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

static const char *const phases[] = {"waiting", "countdown", "playing", "round_over", "over", NULL};

#define MATCH(F, T)                                                                                \
    F(T, tick, .bits = 32, .flags = FRAY_GAME_CLOCK)                                               \
    F(T, phase, .bits = 3, .labels = phases)                                                       \
    F(T, until_tick, .bits = 32)                                                                   \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)                                               \
    F(T, round, .bits = 16)                                                                        \
    F(T, matches, .bits = 16)                                                                      \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(match_fields, struct duel_match, MATCH);

#define PLAYER(F, T)                                                                               \
    F(T, x, .bits = 19, .fraction = 8)                                                             \
    F(T, y, .bits = 19, .fraction = 8)                                                             \
    F(T, velocity_y, .bits = 13, .fraction = 8)                                                    \
    F(T, aim_x, .bits = 12)                                                                        \
    F(T, aim_y, .bits = 12)                                                                        \
    F(T, velocity_x, .bits = 11, .fraction = 8)                                                    \
    F(T, walk, .bits = 2)                                                                          \
    F(T, grounded, .bits = 1)                                                                      \
    F(T, ready_tick, .bits = 32, .flags = FRAY_GAME_OWNER)                                         \
    F(T, hp, .bits = 7)                                                                            \
    F(T, wins, .bits = 5)                                                                          \
    F(T, won, .bits = 16)                                                                          \
    F(T, lost, .bits = 16)                                                                         \
    F(T, rematch, .bits = 1)                                                                       \
    F(T, present, .bits = 1)                                                                       \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(player_fields, struct duel_player, PLAYER);

#define BULLET(F, T)                                                                               \
    F(T, x, .bits = 19, .fraction = 8)                                                             \
    F(T, y, .bits = 19, .fraction = 8)                                                             \
    F(T, flying, .bits = 1)                                                                        \
    F(T, velocity_x, .bits = 13, .fraction = 8)                                                    \
    F(T, velocity_y, .bits = 13, .fraction = 8)                                                    \
    F(T, seat, .bits = 8, .flags = FRAY_GAME_SEAT)                                                 \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(bullet_fields, struct duel_bullet, BULLET);

#define PLATFORM(F, T)                                                                             \
    F(T, x, .bits = 11)                                                                            \
    F(T, y, .bits = 11)                                                                            \
    F(T, width, .bits = 11)                                                                        \
    F(T, height, .bits = 11)
FRAY_GAME_FIELDS(platform_fields, struct duel_platform, PLATFORM);

#define AIM_MAX 2047
#define INPUT(F, T)                                                                                \
    F(T, aim_x, .bits = 12, .min = -AIM_MAX, .max = AIM_MAX)                                       \
    F(T, aim_y, .bits = 12, .min = -AIM_MAX, .max = AIM_MAX)                                       \
    F(T, walk, .bits = 2, .min = -1, .max = 1)                                                     \
    F(T, jump, .bits = 1, .max = 1)                                                                \
    F(T, fire, .bits = 1, .max = 1)                                                                \
    F(T, rematch, .bits = 1, .max = 1, .flags = FRAY_GAME_ONCE)
FRAY_GAME_FIELDS(input_fields, struct duel_input, INPUT);

static const struct fray_game_field option_fields[] = {
    DUEL_OPTIONS(FRAY_GAME_OPTION_FIELD, struct duel_options)};
static const struct fray_game_option options[] = {DUEL_OPTIONS(FRAY_GAME_OPTION, )};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct duel_state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct duel_state, players, player_fields, DUEL_SEATS,
                    .present = FRAY_GAME_AT(struct duel_player, present), .owner = FRAY_GAME_ROW,
                    .x = FRAY_GAME_AT(struct duel_player, x),
                    .y = FRAY_GAME_AT(struct duel_player, y)),
    FRAY_GAME_TABLE("bullets", struct duel_state, bullets, bullet_fields, DUEL_BULLETS,
                    .present = FRAY_GAME_AT(struct duel_bullet, flying),
                    .owner = FRAY_GAME_AT(struct duel_bullet, seat),
                    .x = FRAY_GAME_AT(struct duel_bullet, x),
                    .y = FRAY_GAME_AT(struct duel_bullet, y)),
    FRAY_GAME_TABLE("platforms", struct duel_state, platforms, platform_fields, DUEL_PLATFORMS, 0),
    FRAY_GAME_TABLE("options", struct duel_state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table = FRAY_GAME_INPUT(struct duel_input, input_fields);

static const struct fray_game_action actions[] = {
    {"input", {"walk", "jump", "fire", "aim_x", "aim_y"}, NULL, 0, false},
    {"rematch", {NULL}, "rematch", 1, false},
};

#define ID                                                                                         \
    {                                                                                              \
        "id", 0, FRAY_GAME_SEAT                                                                    \
    }
#define WINNER                                                                                     \
    {                                                                                              \
        "winner", 0, FRAY_GAME_SEAT                                                                \
    }
#define EVERY FRAY_GAME_EVERY, false
static const struct fray_game_event_kind events[] = {
    [EVENT_ROUND] = {"start_round", {{"round", 0, 0}}, EVERY},
    [EVENT_HIT] = {"player_hit", {ID, {"hp", 0, 0}}, EVERY},
    [EVENT_FELL] = {"player_fell", {ID, {"hp", 0, 0}}, EVERY},
    [EVENT_KILLED] = {"player_killed", {ID, {"by", 0, FRAY_GAME_SEAT}}, EVERY},
    [EVENT_ROUND_OVER] = {"end_round", {WINNER, {"round", 0, 0}}, EVERY},
    [EVENT_END] = {"end_game", {WINNER}, EVERY},
};

const struct fray_game fray_duel = {
    .name = "duel",
    .title = "Duel",
    .version = 1,
    .tick_hz = 60,
    .seats_min = DUEL_SEATS,
    .seats_max = DUEL_SEATS,
    .bot_levels = 3,
    .state_size = sizeof(struct duel_state),
    .input_size = sizeof(struct duel_input),
    .bot_size = sizeof(struct duel_memory),
    FRAY_GAME_LISTS(struct duel_state),
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .outcome = outcome,
    .bot_init = duel_bot_init,
    .bot = duel_bot,
};
