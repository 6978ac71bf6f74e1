/* The arena: everybody walks, hits who is near, dies, returns. The server decides all of it. */
#include "arena/arena.h"

enum { EVENT_NEW, EVENT_LEFT, EVENT_MOVED, EVENT_ATTACKED, EVENT_KILLED, EVENT_END };

static void emit_place(struct fray_game_events *events, uint8_t kind, uint32_t seat,
                       const struct arena_player *player)
{
    fray_game_emit(events, (struct fray_game_event){
                               .kind = kind,
                               .to = FRAY_GAME_NOBODY,
                               .args = {(int32_t)seat, player->x, player->y, player->hp}});
}

static void emit(struct fray_game_events *events, uint8_t kind, uint32_t seat, int32_t second)
{
    fray_game_emit(events, (struct fray_game_event){.kind = kind,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {(int32_t)seat, second}});
}

static void player_spawn(struct arena_state *state, struct arena_player *player)
{
    arena_map_spawn(state, player);
    player->hp = ARENA_HP;
    player->respawn_tick = 0;
    player->mode = ARENA_STEER;
    player->dx = 0;
    player->dy = 0;
}

static void init(void *bytes, uint64_t seed)
{
    struct arena_state *state = bytes;

    fray_game_random_seed(state->match.random, seed);
    state->match.winner = FRAY_GAME_NOBODY;
    arena_map_make(state);
}

static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct arena_state *state = bytes;
    struct arena_player *player = &state->players[seat];

    if (state->match.winner == seat) /* who won has left: outcomes stay what they were */
        state->match.winner = FRAY_GAME_NOBODY;
    *player = (struct arena_player){.present = 1};
    player_spawn(state, player);
    emit_place(events, EVENT_NEW, seat, player);
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct arena_player *player = &((struct arena_state *)bytes)->players[seat];

    if (!player->present)
        return;
    *player = (struct arena_player){0};
    emit(events, EVENT_LEFT, seat, 0);
}

static bool within(int32_t dx, int32_t dy, int32_t range)
{
    return (int64_t)dx * dx + (int64_t)dy * dy <= (int64_t)range * range;
}

/* Too early an attack and a dead player's keys are no offence, they have no effect; a leap across
 * the map is one. */
static const char *check(const void *bytes, uint32_t seat, const void *asked)
{
    const struct arena_state *state = bytes;
    const struct arena_input *input = asked;

    if (seat >= ARENA_SEATS || !state->players[seat].present)
        return "not_seated";
    const struct arena_player *player = &state->players[seat];
    if (input->mode == ARENA_TARGET &&
        !within(input->x - player->x, input->y - player->y, ARENA_REACH))
        return "too_far";
    return NULL;
}

/* This tick's way: towards the target or along the direction, never longer than ARENA_STEP. */
static void player_walk(const struct arena_state *state, struct arena_player *player)
{
    int32_t dx = (player->dx * ARENA_STEP) / 127, dy = (player->dy * ARENA_STEP) / 127;

    if (player->mode == ARENA_TARGET) {
        dx = player->target_x - player->x;
        dy = player->target_y - player->y;
    }
    if (!within(dx, dy, ARENA_STEP))
        fray_game_scale(&dx, &dy, ARENA_STEP);
    arena_map_move(state, player, dx, dy);
}

static void player_obey(struct arena_player *player, const struct arena_input *input)
{
    player->mode = input->mode;
    player->target_x = input->x;
    player->target_y = input->y;
    player->dx = input->dx;
    player->dy = input->dy;
}

/* Where the attacker saw the victim: now, or in the past that the host gives. False: it saw nobody
 * there. */
static bool victim_place(const struct arena_state *state, const struct fray_game_past *past,
                         uint32_t seat, int32_t *x, int32_t *y)
{
    const struct arena_player *now = &state->players[seat];

    *x = now->x;
    *y = now->y;
    if (!past)
        return true;
    const struct arena_player *older = &((const struct arena_state *)past->older)->players[seat];
    const struct arena_player *newer = &((const struct arena_state *)past->newer)->players[seat];
    if (!older->present || !older->hp || !newer->present || !newer->hp)
        return false;
    *x = older->x + (newer->x - older->x) * past->fraction / 256;
    *y = older->y + (newer->y - older->y) * past->fraction / 256;
    return true;
}

/* What the swings of one tick do to a player. All hit at once. */
struct blows {
    uint8_t count;
    uint8_t by; /* the seat of one of them, each as likely as the others */
};

static void player_attack(struct arena_state *state, uint32_t seat,
                          const struct fray_game_step *step, struct blows blows[ARENA_SEATS])
{
    const struct arena_player *attacker = &state->players[seat];
    struct fray_game_past past, *seen = NULL;

    if (step->rewind && step->rewind(step->host, seat, &past))
        seen = &past;
    for (uint32_t other = 0; other < ARENA_SEATS; other++) {
        const struct arena_player *victim = &state->players[other];
        int32_t x, y;
        if (other == seat || !victim->present || !victim->hp)
            continue;
        if (!victim_place(state, seen, other, &x, &y) ||
            !within(x - attacker->x, y - attacker->y, ARENA_RANGE))
            continue;
        uint8_t count = ++blows[other].count;
        if (count == 1 || fray_game_random_range(state->match.random, 1, count) == 1)
            blows[other].by = (uint8_t)seat;
    }
}

static void player_die(struct arena_state *state, uint32_t seat, uint32_t by,
                       struct fray_game_events *events)
{
    struct arena_player *player = &state->players[seat];

    player->deaths++;
    player->respawn_tick = state->match.tick + (uint32_t)state->options.respawn_ticks;
    state->players[by].score++;
    emit(events, EVENT_KILLED, seat, (int32_t)by);
}

static void player_hurt(struct arena_state *state, uint32_t seat, const struct blows *blows,
                        struct fray_game_events *events)
{
    struct arena_player *player = &state->players[seat];

    for (uint32_t i = 0; i < blows->count && player->hp; i++) {
        player->hp = player->hp > ARENA_DAMAGE ? (uint8_t)(player->hp - ARENA_DAMAGE) : 0;
        if (player->hp == 0)
            player_die(state, seat, blows->by, events);
        emit(events, EVENT_ATTACKED, seat, player->hp);
    }
}

/* Views lack what is hidden, and the rows of those who are out of sight. */
static bool is_view(const struct arena_state *state)
{
    const uint32_t *random = state->match.random;

    return (random[0] | random[1] | random[2] | random[3]) == 0;
}

/* Who alone has the most kills, once these are enough; else FRAY_GAME_NOBODY. */
static uint32_t leader(const struct arena_state *state)
{
    uint32_t leader = FRAY_GAME_NOBODY;
    int32_t most = state->options.goal - 1;

    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++) {
        int32_t score = state->players[seat].score;
        if (score < most)
            continue;
        leader = score > most ? seat : FRAY_GAME_NOBODY;
        most = score;
    }
    return leader;
}

static void judge(struct arena_state *state, struct fray_game_events *events)
{
    uint32_t winner = state->options.goal && !is_view(state) ? leader(state) : FRAY_GAME_NOBODY;

    if (winner == FRAY_GAME_NOBODY)
        return;
    state->match.winner = (uint8_t)winner;
    state->match.over = 1;
    emit(events, EVENT_END, winner, state->players[winner].score);
}

/* Returns whether the player swings. The dead wait; a view does not know where they will return, so
 * it leaves them. */
static bool player_step(struct arena_state *state, uint32_t seat, const struct fray_game_step *step)
{
    struct arena_player *player = &state->players[seat];
    const struct arena_input *input = (const struct arena_input *)step->inputs + seat;
    bool given = step->given[seat] && !fray_game_check(&fray_arena, state, seat, input);

    if (player->hp == 0) {
        if (!is_view(state) && state->match.tick >= player->respawn_tick) {
            player_spawn(state, player);
            emit_place(step->events, EVENT_MOVED, seat, player);
        }
        return false;
    }
    if (given)
        player_obey(player, input);
    int32_t x = player->x, y = player->y;
    player_walk(state, player);
    if (x != player->x || y != player->y)
        emit_place(step->events, EVENT_MOVED, seat, player);
    if (!given || !input->attack || state->match.tick < player->ready_tick)
        return false;
    player->ready_tick = state->match.tick + (uint32_t)state->options.cooldown_ticks;
    player->swings++;
    return true;
}

/* First all walk, then all who swing hit at once: two who kill each other in one tick both die, and
 * if that is the goal for both, neither has won before one leads. */
static void step(void *bytes, const struct fray_game_step *step)
{
    struct arena_state *state = bytes;
    bool swinging[ARENA_SEATS];
    struct blows blows[ARENA_SEATS] = {0};

    state->match.tick++;
    if (state->match.over)
        return;
    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++)
        swinging[seat] = state->players[seat].present && player_step(state, seat, step);
    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++)
        if (swinging[seat])
            player_attack(state, seat, step, blows);
    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++)
        player_hurt(state, seat, &blows[seat], step->events);
    judge(state, step->events);
}

/* Others within `sight` to each side; oneself always; spectators see all. */
static bool visible(const void *bytes, uint32_t seat, uint32_t table, uint32_t row)
{
    const struct arena_state *state = bytes;

    (void)table; /* players is the only one with rows that come and go */
    if (seat >= ARENA_SEATS || row == seat)
        return true;
    int32_t sight = state->options.sight * ARENA_PX;
    int32_t dx = state->players[row].x - state->players[seat].x;
    int32_t dy = state->players[row].y - state->players[seat].y;
    return dx <= sight && dx >= -sight && dy <= sight && dy >= -sight;
}

static bool area(const void *bytes, uint32_t seat, uint32_t table, struct fray_game_area *area)
{
    const struct arena_state *state = bytes;

    (void)table;
    if (seat >= ARENA_SEATS)
        return false;
    int32_t sight = state->options.sight * ARENA_PX;
    const struct arena_player *player = &state->players[seat];
    *area = (struct fray_game_area){player->x - sight, player->y - sight, player->x + sight,
                                    player->y + sight};
    return true;
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct arena_match *match = &((const struct arena_state *)bytes)->match;

    if (!match->over)
        return FRAY_GAME_PLAYING;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

static const char *const modes[] = {"steer", "target", NULL};

#define MATCH(F, T)                                                                                \
    F(T, tick, .bits = 32, .flags = FRAY_GAME_CLOCK)                                               \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)                                               \
    F(T, over, .bits = 1)                                                                          \
    F(T, random, .bits = 32, .flags = FRAY_GAME_HIDDEN)                                            \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(match_fields, struct arena_match, MATCH);

#define PLAYER(F, T)                                                                               \
    F(T, x, .bits = 22, .fraction = 8)                                                             \
    F(T, y, .bits = 22, .fraction = 8)                                                             \
    F(T, hp, .bits = 7)                                                                            \
    F(T, swings, .bits = 8)                                                                        \
    F(T, dx, .bits = 8, .flags = FRAY_GAME_OWNER)                                                  \
    F(T, dy, .bits = 8, .flags = FRAY_GAME_OWNER)                                                  \
    F(T, mode, .bits = 1, .labels = modes, .flags = FRAY_GAME_OWNER)                               \
    F(T, target_x, .bits = 22, .fraction = 8, .flags = FRAY_GAME_OWNER)                            \
    F(T, target_y, .bits = 22, .fraction = 8, .flags = FRAY_GAME_OWNER)                            \
    F(T, ready_tick, .bits = 32, .flags = FRAY_GAME_OWNER)                                         \
    F(T, score, .bits = 16)                                                                        \
    F(T, deaths, .bits = 16)                                                                       \
    F(T, respawn_tick, .bits = 32, .flags = FRAY_GAME_OWNER)                                       \
    F(T, present, .bits = 1)                                                                       \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(player_fields, struct arena_player, PLAYER);

#define OBSTACLE(F, T)                                                                             \
    F(T, x, .bits = 13)                                                                            \
    F(T, y, .bits = 13)                                                                            \
    F(T, width, .bits = 6)                                                                         \
    F(T, height, .bits = 6)
FRAY_GAME_FIELDS(obstacle_fields, struct arena_obstacle, OBSTACLE);

#define TARGET_MIN (-ARENA_REACH)
#define TARGET_MAX (ARENA_MAP_MAX_PX * ARENA_PX + ARENA_REACH)
#define INPUT(F, T)                                                                                \
    F(T, dx, .bits = 8, .min = -127, .max = 127)                                                   \
    F(T, dy, .bits = 8, .min = -127, .max = 127)                                                   \
    F(T, attack, .bits = 1, .max = 1, .flags = FRAY_GAME_ONCE)                                     \
    F(T, mode, .bits = 1, .labels = modes, .max = ARENA_TARGET)                                    \
    F(T, x, .bits = 22, .fraction = 8, .min = TARGET_MIN, .max = TARGET_MAX)                       \
    F(T, y, .bits = 22, .fraction = 8, .min = TARGET_MIN, .max = TARGET_MAX)
FRAY_GAME_FIELDS(input_fields, struct arena_input, INPUT);

static const struct fray_game_field option_fields[] = {
    ARENA_OPTIONS(FRAY_GAME_OPTION_FIELD, struct arena_options)};
static const struct fray_game_option options[] = {ARENA_OPTIONS(FRAY_GAME_OPTION, )};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct arena_state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct arena_state, players, player_fields, ARENA_SEATS,
                    .present = FRAY_GAME_AT(struct arena_player, present), .owner = FRAY_GAME_ROW,
                    .x = FRAY_GAME_AT(struct arena_player, x),
                    .y = FRAY_GAME_AT(struct arena_player, y)),
    FRAY_GAME_TABLE("obstacles", struct arena_state, obstacles, obstacle_fields, ARENA_OBSTACLES,
                    0),
    FRAY_GAME_TABLE("options", struct arena_state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table = FRAY_GAME_INPUT(struct arena_input, input_fields);

static const struct fray_game_action actions[] = {
    {"move", {"x", "y"}, "mode", ARENA_TARGET, false},
    {"steer", {"dx", "dy"}, "mode", ARENA_STEER, false},
    {"attack", {NULL}, "attack", 1, false},
};

#define ID                                                                                         \
    {                                                                                              \
        "id", 0, FRAY_GAME_SEAT                                                                    \
    }
#define POSITION                                                                                   \
    {"position.x", 8, 0}, {"position.y", 8, 0},                                                    \
    {                                                                                              \
        "position.hp", 0, 0                                                                        \
    }
static const struct fray_game_event_kind events[] = {
    [EVENT_NEW] = {"new_player", {ID, POSITION}, FRAY_GAME_EVERY, true},
    [EVENT_LEFT] = {"player_left", {ID}, FRAY_GAME_EVERY, false},
    [EVENT_MOVED] = {"player_moved", {ID, POSITION}, FRAY_GAME_NEWEST, true},
    [EVENT_ATTACKED] = {"player_attacked", {ID, {"hp", 0, 0}}, FRAY_GAME_EVERY, true},
    [EVENT_KILLED] = {"player_killed", {ID, {"by", 0, FRAY_GAME_SEAT}}, FRAY_GAME_EVERY, false},
    [EVENT_END] = {"end_game",
                   {{"winner", 0, FRAY_GAME_SEAT}, {"score", 0, 0}},
                   FRAY_GAME_EVERY,
                   false},
};

const struct fray_game fray_arena = {
    .name = "arena",
    .title = "Arena",
    .version = 2,
    .tick_hz = 30,
    .seats_min = 1,
    .seats_max = ARENA_SEATS,
    .bot_levels = 3,
    .state_size = sizeof(struct arena_state),
    .input_size = sizeof(struct arena_input),
    .bot_size = sizeof(struct arena_memory),
    FRAY_GAME_LISTS(struct arena_state),
    .reasons = {{"too_far", "That place is further away than a player can walk to at once."}},
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .visible = visible,
    .area = area,
    .outcome = outcome,
    .bot_init = arena_bot_init,
    .bot = arena_bot,
};
