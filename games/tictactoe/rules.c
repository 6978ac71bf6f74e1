/* Tic-tac-toe: two seats, turns, a move list, the winning line, rematches in which the other
 * begins. */
#include "tictactoe/tictactoe.h"

const uint8_t tictactoe_lines[TICTACTOE_LINES][3] = {
    {0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6},
};

enum { EVENT_START, EVENT_PLACED, EVENT_END };

static void turn_begin(struct tictactoe_state *state, uint32_t seat)
{
    struct tictactoe_match *match = &state->match;

    match->turn = (uint8_t)seat;
    match->deadline_ms = FRAY_GAME_NEVER;
    if (state->options.turn_ms > 0)
        match->deadline_ms = match->now_ms + (uint32_t)state->options.turn_ms;
}

static void board_clear(struct tictactoe_state *state)
{
    struct tictactoe_match *match = &state->match;

    match->winner = FRAY_GAME_NOBODY;
    match->ending = TICTACTOE_BY_NOTHING;
    match->moves_count = 0;
    for (int i = 0; i < TICTACTOE_CELLS; i++) {
        match->board[i] = 0;
        match->moves[i] = TICTACTOE_NO_CELL;
    }
    for (int i = 0; i < 3; i++)
        match->line[i] = TICTACTOE_NO_CELL;
    for (int i = 0; i < 2; i++)
        state->players[i].rematch = 0;
}

static void game_begin(struct tictactoe_state *state, struct fray_game_events *events)
{
    struct tictactoe_match *match = &state->match;

    board_clear(state);
    match->first = match->games == 0 ? 0 : !match->first;
    match->games++;
    match->phase = TICTACTOE_PLAYING;
    turn_begin(state, match->first);
    fray_game_emit(events, (struct fray_game_event){.kind = EVENT_START,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {match->first}});
}

static void game_end(struct tictactoe_state *state, uint32_t winner, enum tictactoe_ending ending,
                     struct fray_game_events *events)
{
    struct tictactoe_match *match = &state->match;

    match->phase = TICTACTOE_OVER;
    match->deadline_ms = FRAY_GAME_NEVER;
    match->winner = (uint8_t)winner;
    match->ending = (uint8_t)ending;
    if (winner < 2)
        state->players[winner].wins++;
    else
        match->draws++;
    fray_game_emit(events, (struct fray_game_event){.kind = EVENT_END,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {(int32_t)winner, (int32_t)ending}});
}

static const uint8_t *line_of(const struct tictactoe_match *match, uint8_t mark)
{
    for (int i = 0; i < TICTACTOE_LINES; i++) {
        const uint8_t *line = tictactoe_lines[i];
        if (match->board[line[0]] == mark && match->board[line[1]] == mark &&
            match->board[line[2]] == mark)
            return line;
    }
    return NULL;
}

static void place(struct tictactoe_state *state, uint32_t seat, uint8_t cell,
                  struct fray_game_events *events)
{
    struct tictactoe_match *match = &state->match;
    uint8_t mark = (uint8_t)(1 + seat);

    match->board[cell] = mark;
    match->moves[match->moves_count++] = cell;
    fray_game_emit(events, (struct fray_game_event){.kind = EVENT_PLACED,
                                                    .to = FRAY_GAME_NOBODY,
                                                    .args = {(int32_t)seat, cell}});
    const uint8_t *line = line_of(match, mark);
    if (line) {
        for (int i = 0; i < 3; i++)
            match->line[i] = line[i];
        game_end(state, seat, TICTACTOE_BY_LINE, events);
    } else if (match->moves_count == TICTACTOE_CELLS) {
        game_end(state, FRAY_GAME_NOBODY, TICTACTOE_BY_DRAW, events);
    } else {
        turn_begin(state, !seat);
    }
}

static void init(void *bytes, uint64_t seed)
{
    struct tictactoe_state *state = bytes;

    (void)seed;
    board_clear(state);
    state->match.deadline_ms = FRAY_GAME_NEVER;
}

/* What those before played is over: who sits down alone has not won it. */
static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct tictactoe_state *state = bytes;

    state->players[seat] = (struct tictactoe_player){.present = 1};
    if (state->players[!seat].present) {
        game_begin(state, events);
    } else {
        board_clear(state);
        state->match.phase = TICTACTOE_WAITING;
    }
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct tictactoe_state *state = bytes;

    if (!state->players[seat].present)
        return;
    state->players[seat] = (struct tictactoe_player){0};
    if (state->match.phase == TICTACTOE_PLAYING)
        game_end(state, !seat, TICTACTOE_BY_LEAVING, events);
}

static const char *check(const void *bytes, uint32_t seat, const void *asked)
{
    const struct tictactoe_state *state = bytes;
    const struct tictactoe_match *match = &state->match;
    const struct tictactoe_input *input = asked;

    if (seat > 1 || !state->players[seat].present)
        return "not_seated";
    switch (input->kind) {
    case TICTACTOE_PASS: return NULL;
    case TICTACTOE_PLACE:
        if (match->phase != TICTACTOE_PLAYING)
            return "not_playing";
        if (match->turn != seat)
            return "not_your_turn";
        if (input->cell >= TICTACTOE_CELLS)
            return "no_such_cell";
        return match->board[input->cell] ? "cell_taken" : NULL;
    case TICTACTOE_REMATCH: return match->phase == TICTACTOE_OVER ? NULL : "game_not_over";
    default: return "out_of_range";
    }
}

static void step(void *bytes, const struct fray_game_step *step)
{
    struct tictactoe_state *state = bytes;
    struct tictactoe_match *match = &state->match;
    const struct tictactoe_input *inputs = step->inputs;

    match->now_ms = step->now_ms;
    if (match->phase == TICTACTOE_PLAYING && fray_game_has_come(match->deadline_ms, match->now_ms))
        game_end(state, !match->turn, TICTACTOE_BY_TIME, step->events);
    for (uint32_t seat = 0; seat < 2; seat++) {
        if (!step->given[seat] || fray_game_check(&fray_tictactoe, state, seat, &inputs[seat]))
            continue;
        if (inputs[seat].kind == TICTACTOE_PLACE)
            place(state, seat, inputs[seat].cell, step->events);
        else if (inputs[seat].kind == TICTACTOE_REMATCH)
            state->players[seat].rematch = 1;
    }
    if (match->phase == TICTACTOE_OVER && state->players[0].rematch && state->players[1].rematch)
        game_begin(state, step->events);
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct tictactoe_match *match = &((const struct tictactoe_state *)bytes)->match;

    if (match->phase != TICTACTOE_OVER)
        return FRAY_GAME_PLAYING;
    if (match->winner == FRAY_GAME_NOBODY)
        return FRAY_GAME_DRAWN;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

static uint32_t deadline(const void *bytes)
{
    return ((const struct tictactoe_state *)bytes)->match.deadline_ms;
}

static const char *const phases[] = {"waiting", "playing", "over", NULL};
static const char *const endings[] = {"none", "line", "draw", "left", "time", NULL};
static const char *const marks[] = {"", "x", "o", NULL};
static const char *const kinds[] = {"pass", "place", "rematch", NULL};

#define MATCH(F, T)                                                                                \
    F(T, now_ms, .bits = 32, .flags = FRAY_GAME_CLOCK)                                             \
    F(T, board, .bits = 2, .labels = marks)                                                        \
    F(T, moves, .bits = 8)                                                                         \
    F(T, moves_count, .bits = 4)                                                                   \
    F(T, turn, .bits = 8, .flags = FRAY_GAME_SEAT)                                                 \
    F(T, deadline_ms, .bits = 32)                                                                  \
    F(T, phase, .bits = 2, .labels = phases)                                                       \
    F(T, ending, .bits = 3, .labels = endings)                                                     \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)                                               \
    F(T, line, .bits = 8)                                                                          \
    F(T, first, .bits = 8, .flags = FRAY_GAME_SEAT)                                                \
    F(T, games, .bits = 16)                                                                        \
    F(T, draws, .bits = 16)                                                                        \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(match_fields, struct tictactoe_match, MATCH);

#define PLAYER(F, T)                                                                               \
    F(T, rematch, .bits = 1)                                                                       \
    F(T, wins, .bits = 16)                                                                         \
    F(T, present, .bits = 1)
FRAY_GAME_FIELDS(player_fields, struct tictactoe_player, PLAYER);

#define INPUT(F, T)                                                                                \
    F(T, kind, .bits = 2, .labels = kinds, .max = TICTACTOE_REMATCH, .flags = FRAY_GAME_ONCE)      \
    F(T, cell, .bits = 4, .max = TICTACTOE_CELLS - 1)                                              \
    FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(input_fields, struct tictactoe_input, INPUT);

static const struct fray_game_field option_fields[] = {
    TICTACTOE_OPTIONS(FRAY_GAME_OPTION_FIELD, struct tictactoe_options)};
static const struct fray_game_option options[] = {TICTACTOE_OPTIONS(FRAY_GAME_OPTION, )};

static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct tictactoe_state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct tictactoe_state, players, player_fields, 2,
                    .present = FRAY_GAME_AT(struct tictactoe_player, present),
                    .owner = FRAY_GAME_ROW),
    FRAY_GAME_TABLE("options", struct tictactoe_state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table =
    FRAY_GAME_INPUT(struct tictactoe_input, input_fields);

static const struct fray_game_action actions[] = {
    {"place", {"cell"}, "kind", TICTACTOE_PLACE, false},
    {"rematch", {NULL}, "kind", TICTACTOE_REMATCH, false},
};

static const struct fray_game_event_kind events[] = {
    [EVENT_START] = {"start_game", {{"first", 0, FRAY_GAME_SEAT}}, FRAY_GAME_EVERY, false},
    [EVENT_PLACED] = {"placed",
                      {{"id", 0, FRAY_GAME_SEAT}, {"cell", 0, 0}},
                      FRAY_GAME_EVERY,
                      false},
    [EVENT_END] = {"end_game",
                   {{"winner", 0, FRAY_GAME_SEAT}, {"ending", 0, 0}},
                   FRAY_GAME_EVERY,
                   false},
};

const struct fray_game fray_tictactoe = {
    .name = "tictactoe",
    .title = "Tic-tac-toe",
    .version = 2,
    .seats_min = 2,
    .seats_max = 2,
    .bot_levels = 3,
    .state_size = sizeof(struct tictactoe_state),
    .input_size = sizeof(struct tictactoe_input),
    .bot_size = sizeof(struct tictactoe_memory),
    FRAY_GAME_LISTS(struct tictactoe_state),
    .reasons = {{"not_your_turn", "It is the other's turn."},
                {"cell_taken", "That cell is taken."}},
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .outcome = outcome,
    .deadline = deadline,
    .bot_init = tictactoe_bot_init,
    .bot = tictactoe_bot,
};
