/* Rock-paper-scissors: simultaneous hidden choices, a deadline, elimination until one is left. */
#include "rps/rps.h"

enum { EVENT_START, EVENT_ROUND, EVENT_SHOWN, EVENT_ELIMINATED, EVENT_END };

int rps_compare(int32_t a, int32_t b, int32_t kinds)
{
    int32_t difference = (a - b + kinds) % kinds;

    return difference == 0 ? 0 : difference <= (kinds - 1) / 2 ? 1 : -1;
}

static void emit(struct fray_game_events *events, uint8_t kind, int32_t first, int32_t second)
{
    fray_game_emit(events, (struct fray_game_event){
                               .kind = kind, .to = FRAY_GAME_NOBODY, .args = {first, second}});
}

static int count_playing(const struct rps_state *state)
{
    int count = 0;

    for (int seat = 0; seat < RPS_SEATS; seat++)
        count += state->players[seat].playing;
    return count;
}

static int count_present(const struct rps_state *state)
{
    int count = 0;

    for (int seat = 0; seat < RPS_SEATS; seat++)
        count += state->players[seat].present;
    return count;
}

static bool all_chosen(const struct rps_state *state)
{
    for (int seat = 0; seat < RPS_SEATS; seat++)
        if (state->players[seat].playing && !state->players[seat].chosen)
            return false;
    return true;
}

static void round_begin(struct rps_state *state, struct fray_game_events *events)
{
    struct rps_match *match = &state->match;

    match->round++;
    match->deadline_ms = match->now_ms + (uint32_t)state->options.round_ms;
    for (int seat = 0; seat < RPS_SEATS; seat++) {
        state->players[seat].chosen = 0;
        state->players[seat].choice = 0;
    }
    emit(events, EVENT_ROUND, match->round, state->options.round_ms);
}

static void game_begin(struct rps_state *state, struct fray_game_events *events)
{
    struct rps_match *match = &state->match;

    match->phase = RPS_CHOOSING;
    match->winner = FRAY_GAME_NOBODY;
    match->drawn = 0;
    match->games++;
    match->round = 0;
    match->replayed = 0;
    match->idle_rounds = 0;
    for (int seat = 0; seat < RPS_SEATS; seat++) {
        state->players[seat].playing = state->players[seat].present;
        state->players[seat].shown = 0;
    }
    emit(events, EVENT_START, count_playing(state), state->options.kinds);
    round_begin(state, events);
}

/* The winner is the one who is left; with more or nobody left, nobody. */
static void game_end(struct rps_state *state, struct fray_game_events *events)
{
    struct rps_match *match = &state->match;

    match->phase = RPS_OVER;
    match->deadline_ms = FRAY_GAME_NEVER;
    for (uint8_t seat = 0; seat < RPS_SEATS; seat++)
        if (state->players[seat].playing && count_playing(state) == 1)
            match->winner = seat;
    match->drawn = match->winner == FRAY_GAME_NOBODY;
    if (!match->drawn)
        state->players[match->winner].wins++;
    for (int seat = 0; seat < RPS_SEATS; seat++) {
        state->players[seat].chosen = 0;
        state->players[seat].choice = 0;
    }
    emit(events, EVENT_END, match->winner, match->round);
}

/* A kind's balance is how many of the kinds on the table it beats, less those that beat it. The
 * best balance stays. With one kind, or with all of them, the balances are equal: the round is
 * played again. Returns the best, and each kind's. */
static int balance_kinds(const struct rps_state *state, int balance[RPS_KINDS_MAX])
{
    uint32_t on_table = 0;
    int best = -RPS_KINDS_MAX;

    for (int seat = 0; seat < RPS_SEATS; seat++)
        if (state->players[seat].playing && state->players[seat].chosen)
            on_table |= 1u << state->players[seat].choice;
    for (int32_t a = 0; a < state->options.kinds; a++) {
        balance[a] = 0;
        for (int32_t b = 0; b < state->options.kinds; b++)
            if (on_table >> b & 1)
                balance[a] += rps_compare(a, b, state->options.kinds);
        if (on_table >> a & 1 && balance[a] > best)
            best = balance[a];
    }
    return best;
}

static void player_eliminate(struct rps_state *state, int seat, struct fray_game_events *events)
{
    state->players[seat].playing = 0;
    emit(events, EVENT_ELIMINATED, seat, state->match.round);
}

/* Shows every choice, then drops who was late and who chose worse. If nobody chose, the round is
 * played again, a few times. */
static void round_end(struct rps_state *state, struct fray_game_events *events)
{
    struct rps_match *match = &state->match;
    int balance[RPS_KINDS_MAX];
    int best = balance_kinds(state, balance), chosen = 0, eliminated = 0;

    for (int seat = 0; seat < RPS_SEATS; seat++) {
        struct rps_player *player = &state->players[seat];
        bool shows = player->playing && player->chosen;
        player->shown = shows ? (uint8_t)(1 + player->choice) : 0;
        chosen += shows;
        if (shows)
            emit(events, EVENT_SHOWN, seat, player->choice);
    }
    match->idle_rounds = chosen ? 0 : (uint8_t)(match->idle_rounds + 1);
    for (int seat = 0; chosen && seat < RPS_SEATS; seat++) {
        struct rps_player *player = &state->players[seat];
        if (player->playing && (!player->chosen || balance[player->choice] < best)) {
            player_eliminate(state, seat, events);
            eliminated++;
        }
    }
    match->replayed = eliminated == 0;
    if (count_playing(state) < 2 || match->idle_rounds == RPS_IDLE_ROUNDS_MAX)
        game_end(state, events);
    else
        round_begin(state, events);
}

static void init(void *bytes, uint64_t seed)
{
    struct rps_state *state = bytes;

    (void)seed;
    state->match.winner = FRAY_GAME_NOBODY;
    state->match.deadline_ms = FRAY_GAME_NEVER;
}

/* Who comes while a game runs watches it and plays the next. */
static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct rps_state *state = bytes;

    (void)events;
    if (state->match.winner == seat) /* who won has left: outcomes stay what they were */
        state->match.winner = FRAY_GAME_NOBODY;
    state->players[seat] = (struct rps_player){.present = 1};
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct rps_state *state = bytes;
    struct rps_player *player = &state->players[seat];

    if (!player->present)
        return;
    bool played = player->playing && state->match.phase == RPS_CHOOSING;
    if (played)
        player_eliminate(state, (int)seat, events);
    *player = (struct rps_player){0};
    if (played && count_playing(state) < 2)
        game_end(state, events);
    else if (played && all_chosen(state))
        state->match.deadline_ms = state->match.now_ms; /* nobody is waited for */
}

static const char *check(const void *bytes, uint32_t seat, const void *asked)
{
    const struct rps_state *state = bytes;
    const struct rps_input *input = asked;

    if (seat >= RPS_SEATS || !state->players[seat].present)
        return "not_seated";
    switch (input->kind) {
    case RPS_PASS: return NULL;
    case RPS_CHOOSE:
        if (state->match.phase != RPS_CHOOSING)
            return "not_playing";
        if (!state->players[seat].playing)
            return "eliminated";
        if (state->players[seat].chosen)
            return "already_chosen";
        return input->choice < state->options.kinds ? NULL : "no_such_choice";
    case RPS_START:
        if (state->match.phase == RPS_CHOOSING)
            return "already_started";
        return count_present(state) < 2 ? "not_enough_players" : NULL;
    default: return "out_of_range";
    }
}

/* Choices that arrive in the step of the deadline still count; who was first in a step does not
 * matter. */
static void step(void *bytes, const struct fray_game_step *step)
{
    struct rps_state *state = bytes;
    const struct rps_input *inputs = step->inputs;

    state->match.now_ms = step->now_ms;
    for (uint32_t seat = 0; seat < RPS_SEATS; seat++) {
        if (!step->given[seat] || fray_game_check(&fray_rps, state, seat, &inputs[seat]))
            continue;
        if (inputs[seat].kind == RPS_CHOOSE) {
            state->players[seat].chosen = 1;
            state->players[seat].choice = inputs[seat].choice;
        } else if (inputs[seat].kind == RPS_START) {
            game_begin(state, step->events);
        }
    }
    if (state->match.phase == RPS_CHOOSING &&
        (all_chosen(state) || fray_game_has_come(state->match.deadline_ms, state->match.now_ms)))
        round_end(state, step->events);
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct rps_match *match = &((const struct rps_state *)bytes)->match;

    if (match->phase != RPS_OVER)
        return FRAY_GAME_PLAYING;
    if (match->drawn)
        return FRAY_GAME_DRAWN;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

static uint32_t deadline(const void *bytes)
{
    return ((const struct rps_state *)bytes)->match.deadline_ms;
}

static const char *const phases[] = {"waiting", "choosing", "over", NULL};
static const char *const kinds[] = {"pass", "choose", "start", NULL};

#define MATCH(F, T)                                                                                \
    F(T, now_ms, .bits = 32, .flags = FRAY_GAME_CLOCK)                                             \
    F(T, round, .bits = 16)                                                                        \
    F(T, deadline_ms, .bits = 32)                                                                  \
    F(T, replayed, .bits = 1)                                                                      \
    F(T, phase, .bits = 2, .labels = phases)                                                       \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)                                               \
    F(T, idle_rounds, .bits = 2)                                                                   \
    F(T, games, .bits = 16)                                                                        \
    F(T, drawn, .bits = 1)                                                                         \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(match_fields, struct rps_match, MATCH);

#define PLAYER(F, T)                                                                               \
    F(T, chosen, .bits = 1)                                                                        \
    F(T, choice, .bits = 4, .flags = FRAY_GAME_OWNER)                                              \
    F(T, shown, .bits = 4)                                                                         \
    F(T, playing, .bits = 1)                                                                       \
    F(T, wins, .bits = 16)                                                                         \
    F(T, present, .bits = 1)                                                                       \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(player_fields, struct rps_player, PLAYER);

#define INPUT(F, T)                                                                                \
    F(T, kind, .bits = 2, .labels = kinds, .max = RPS_START, .flags = FRAY_GAME_ONCE)              \
    F(T, choice, .bits = 4, .max = RPS_KINDS_MAX - 1)                                              \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(input_fields, struct rps_input, INPUT);

static const struct fray_game_field option_fields[] = {
    RPS_OPTIONS(FRAY_GAME_OPTION_FIELD, struct rps_options)};
static const struct fray_game_option options[] = {RPS_OPTIONS(FRAY_GAME_OPTION, )};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct rps_state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct rps_state, players, player_fields, RPS_SEATS,
                    .present = FRAY_GAME_AT(struct rps_player, present), .owner = FRAY_GAME_ROW),
    FRAY_GAME_TABLE("options", struct rps_state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table = FRAY_GAME_INPUT(struct rps_input, input_fields);

static const struct fray_game_action actions[] = {
    {"choose", {"choice"}, "kind", RPS_CHOOSE, false},
    {"start_game", {NULL}, "kind", RPS_START, true},
};

#define EVERY FRAY_GAME_EVERY, false
static const struct fray_game_event_kind events[] = {
    [EVENT_START] = {"start_game", {{"players", 0, 0}, {"kinds", 0, 0}}, EVERY},
    [EVENT_ROUND] = {"round", {{"round", 0, 0}, {"limit_ms", 0, 0}}, EVERY},
    [EVENT_SHOWN] = {"shown", {{"id", 0, FRAY_GAME_SEAT}, {"choice", 0, 0}}, EVERY},
    [EVENT_ELIMINATED] = {"eliminated", {{"id", 0, FRAY_GAME_SEAT}, {"round", 0, 0}}, EVERY},
    [EVENT_END] = {"end_game", {{"winner", 0, FRAY_GAME_SEAT}, {"rounds", 0, 0}}, EVERY},
};

const struct fray_game fray_rps = {
    .name = "rps",
    .title = "Rock-paper-scissors",
    .version = 3,
    .seats_min = 2,
    .seats_max = RPS_SEATS,
    .bot_levels = 3,
    .state_size = sizeof(struct rps_state),
    .input_size = sizeof(struct rps_input),
    .bot_size = sizeof(struct rps_memory),
    FRAY_GAME_LISTS(struct rps_state),
    .reasons = {{"already_chosen", "You have chosen already."},
                {"eliminated", "You are out until the next game."},
                {"no_such_choice", "There is no such choice."}},
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .outcome = outcome,
    .deadline = deadline,
    .bot_init = rps_bot_init,
    .bot = rps_bot,
};
