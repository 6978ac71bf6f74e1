/* The smallest game, with its server: docs/writing-a-game.md goes through it. Nim: a heap of
 * sticks, two take one to three in turn, and who takes the last one wins.
 *
 *     build/release/examples/nim       http://localhost:8080/games/nim/, of which nobody wrote a
 * page */
#include <fray/games.h>

#define OPTIONS(O, T) O(T, sticks, 5, 100, 1, 21, "in the heap at first")

struct options {
    OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};
struct match {
    uint16_t sticks;
    uint8_t turn, winner; /* seats; winner is nobody while it goes on */
};
struct player {
    uint8_t present;
    uint8_t reserved[3];
};
struct state {
    struct match match;
    struct player players[2];
    struct options options;
};
struct input {
    uint8_t sticks;
    uint8_t reserved[3];
};

enum { TAKEN, END };
extern const struct fray_game nim;

static void init(void *bytes, uint64_t seed)
{
    struct state *state = bytes;

    (void)seed; /* nothing here is left to chance */
    state->match.winner = FRAY_GAME_NOBODY;
}

static void end(struct state *state, uint32_t winner, struct fray_game_events *events)
{
    state->match.winner = (uint8_t)winner;
    fray_game_emit(events, (struct fray_game_event){
                               .kind = END, .to = FRAY_GAME_NOBODY, .args = {(int32_t)winner}});
}

static void join(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct state *state = bytes;

    (void)events;
    state->players[seat].present = 1;
    state->match.sticks = (uint16_t)state->options.sticks; /* also where a new player comes later */
    state->match.winner = FRAY_GAME_NOBODY;
}

static void leave(void *bytes, uint32_t seat, struct fray_game_events *events)
{
    struct state *state = bytes;

    if (state->players[seat].present && state->match.winner == FRAY_GAME_NOBODY)
        end(state, !seat, events);
    state->players[seat].present = 0;
}

static const char *check(const void *bytes, uint32_t seat, const void *asked)
{
    const struct state *state = bytes;
    const struct input *input = asked;

    if (seat > 1 || !state->players[seat].present)
        return "not_seated";
    if (!state->players[!seat].present || state->match.winner != FRAY_GAME_NOBODY)
        return "not_playing";
    if (state->match.turn != seat)
        return "not_your_turn";
    return input->sticks > state->match.sticks ? "too_many" : NULL;
}

static void step(void *bytes, const struct fray_game_step *step)
{
    struct state *state = bytes;
    const struct input *inputs = step->inputs;

    for (uint32_t seat = 0; seat < 2; seat++) {
        if (!step->given[seat] || fray_game_check(&nim, state, seat, &inputs[seat]))
            continue;
        state->match.sticks -= inputs[seat].sticks;
        state->match.turn = !seat;
        fray_game_emit(step->events,
                       (struct fray_game_event){.kind = TAKEN,
                                                .to = FRAY_GAME_NOBODY,
                                                .args = {(int32_t)seat, inputs[seat].sticks}});
        if (state->match.sticks == 0)
            end(state, seat, step->events);
    }
}

static enum fray_game_outcome outcome(const void *bytes, uint32_t seat)
{
    const struct match *match = &((const struct state *)bytes)->match;

    if (match->winner == FRAY_GAME_NOBODY)
        return FRAY_GAME_PLAYING;
    return match->winner == seat ? FRAY_GAME_WON : FRAY_GAME_LOST;
}

static uint32_t deadline(const void *bytes)
{
    (void)bytes;
    return FRAY_GAME_NEVER; /* nobody is hurried */
}

static void bot_init(void *memory, uint32_t level, uint64_t seed)
{
    (void)level;
    (void)seed;
    *(uint32_t *)memory = 0;
}

static bool bot(const void *bytes, uint32_t seat, void *memory, void *filled)
{
    const struct state *view = bytes;
    uint8_t best = view->match.sticks % 4; /* leaves a multiple of four, if it can */

    (void)memory;
    *(struct input *)filled = (struct input){.sticks = best ? best : 1};
    return fray_game_check(&nim, view, seat, filled) == NULL;
}

#define MATCH(F, T)                                                                                \
    F(T, sticks, .bits = 7)                                                                        \
    F(T, turn, .bits = 1, .flags = FRAY_GAME_SEAT)                                                 \
    F(T, winner, .bits = 8, .flags = FRAY_GAME_SEAT)
FRAY_GAME_FIELDS(match_fields, struct match, MATCH);
#define PLAYER(F, T) F(T, present, .bits = 1) FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(player_fields, struct player, PLAYER);
#define INPUT(F, T) F(T, sticks, .bits = 2, .min = 1, .max = 3) FRAY_GAME_RESERVED(F, T)
FRAY_GAME_FIELDS(input_fields, struct input, INPUT);
static const struct fray_game_field option_fields[] = {
    OPTIONS(FRAY_GAME_OPTION_FIELD, struct options)};

static const struct fray_game_option options[] = {OPTIONS(FRAY_GAME_OPTION, )};
static const struct fray_game_table tables[] = {
    FRAY_GAME_TABLE("match", struct state, match, match_fields, 1, 0),
    FRAY_GAME_TABLE("players", struct state, players, player_fields, 2,
                    .present = FRAY_GAME_AT(struct player, present), .owner = FRAY_GAME_ROW),
    FRAY_GAME_TABLE("options", struct state, options, option_fields, 1, 0),
};
static const struct fray_game_table input_table = FRAY_GAME_INPUT(struct input, input_fields);
static const struct fray_game_action actions[] = {{.name = "take", .takes = {"sticks"}}};
static const struct fray_game_event_kind events[] = {
    [TAKEN] = {"taken", {{"id", 0, FRAY_GAME_SEAT}, {"sticks", 0, 0}}, FRAY_GAME_EVERY, false},
    [END] = {"end_game", {{"winner", 0, FRAY_GAME_SEAT}}, FRAY_GAME_EVERY, false},
};

const struct fray_game nim = {
    .name = "nim",
    .title = "Nim",
    .version = 1,
    .seats_min = 2,
    .seats_max = 2,
    .bot_levels = 1,
    .state_size = sizeof(struct state),
    .input_size = sizeof(struct input),
    .bot_size = sizeof(uint32_t),
    FRAY_GAME_LISTS(struct state),
    .reasons = {{"too_many", "There are not so many sticks left."},
                {"not_your_turn", "It is the other's turn."}},
    .init = init,
    .join = join,
    .leave = leave,
    .check = check,
    .step = step,
    .outcome = outcome,
    .deadline = deadline,
    .bot_init = bot_init,
    .bot = bot,
};

int main(int argc, char **argv)
{
    static const struct fray_game *const games[] = {&nim, NULL};
    return fray_games_main(argc, argv, games);
}
