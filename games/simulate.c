/* A match of bots and guests, without network or clock (simulate.h). */
#include "simulate.h"

enum {
    LEAVE_ONE_IN = 4096,
    PRESS_ONE_IN = 4,
    SILENT_ONE_IN = 16,
    WILD_ONE_IN = 16,
    HOST_TICKS = 16,
    NAME_MAX = 16,
};

uint32_t fray_simulate_guests(const struct fray_game *game, uint32_t bots)
{
    return bots < game->seats_min ? game->seats_min - bots : 0;
}

static size_t inputs_size(const struct fray_game *game)
{
    return (size_t)game->input_size * game->seats_max;
}

static size_t memories_size(const struct fray_game *game)
{
    return (size_t)game->bot_size * game->seats_max;
}

size_t fray_simulate_size(const struct fray_game *game)
{
    return (size_t)game->state_size * (FRAY_SIMULATE_PAST + 2) + inputs_size(game) +
           memories_size(game) + game->seats_max * sizeof(struct fray_replay_rewind) +
           game->seats_max;
}

static bool one_in(struct fray_simulate *simulate, int32_t count)
{
    return fray_game_random_range(simulate->random, 1, count) == 1;
}

static void bot_seat(struct fray_simulate *simulate, uint32_t seat)
{
    const struct fray_game *game = simulate->game;

    game->bot_init(simulate->memories + (size_t)seat * game->bot_size, seat % game->bot_levels,
                   simulate->config.seed + seat);
}

/* "bot 1", "guest 12": events of a replay name their players. */
static struct fray_replay_text name_make(char name[NAME_MAX], bool is_bot, uint32_t seat)
{
    const char *kind = is_bot ? "bot " : "guest ";
    uint32_t number = seat + 1, unit = 1;
    uint8_t len = 0;

    while (*kind)
        name[len++] = *kind++;
    while (number / unit >= 10)
        unit *= 10;
    for (; unit; unit /= 10)
        name[len++] = (char)('0' + number / unit % 10);
    return (struct fray_replay_text){name, len};
}

static void seat_join(struct fray_simulate *simulate, uint32_t seat)
{
    const struct fray_game *game = simulate->game;
    bool is_bot = seat < simulate->config.bots;
    char name[NAME_MAX];

    if (simulate->config.replay) {
        fray_replay_writer_who(simulate->config.replay, seat,
                               is_bot ? (uint8_t)(seat % game->bot_levels) : FRAY_REPLAY_PERSON,
                               name_make(name, is_bot, seat));
        fray_replay_writer_join(simulate->config.replay, seat);
    }
    game->join(simulate->state, seat, NULL);
}

void fray_simulate_init(struct fray_simulate *simulate, const struct fray_game *game,
                        const struct fray_simulate_config *config, void *memory)
{
    *simulate =
        (struct fray_simulate){.game = game, .config = *config, .hash = FRAY_GAME_HASH_START};
    __builtin_memset(memory, 0, fray_simulate_size(game));
    simulate->past = memory;
    simulate->state = simulate->past + (size_t)game->state_size * FRAY_SIMULATE_PAST;
    simulate->view = simulate->state + game->state_size;
    simulate->inputs = simulate->view + game->state_size;
    simulate->memories = simulate->inputs + inputs_size(game);
    simulate->rewinds =
        (struct fray_replay_rewind *)(void *)(simulate->memories + memories_size(game));
    simulate->given = (uint8_t *)(simulate->rewinds + game->seats_max);

    uint32_t seats = game->seats_max;
    if (simulate->config.bots > seats)
        simulate->config.bots = seats;
    if (simulate->config.guests > seats - simulate->config.bots)
        simulate->config.guests = seats - simulate->config.bots;
    fray_game_random_seed(simulate->random, ~config->seed);
    fray_game_init(game, simulate->state, config->seed, config->options);
    for (uint32_t seat = 0; seat < simulate->config.bots + simulate->config.guests; seat++) {
        if (seat < simulate->config.bots)
            bot_seat(simulate, seat);
        seat_join(simulate, seat);
    }
}

/* Mostly what a client could send, sometimes any bits at all. */
static void guest_press(struct fray_simulate *simulate, char *input)
{
    const struct fray_game_table *table = simulate->game->input;

    for (uint32_t i = 0; i < table->fields_count; i++) {
        const struct fray_game_field *field = &table->fields[i];
        for (uint32_t k = 0; k < field->count; k++) {
            int32_t value = fray_game_random_range(simulate->random, field->min, field->max);
            if (one_in(simulate, WILD_ONE_IN))
                value = (int32_t)fray_game_random(simulate->random);
            fray_game_write(field, input, k, value);
        }
    }
}

static void guest_act(struct fray_simulate *simulate, uint32_t seat, char *input)
{
    const struct fray_game *game = simulate->game;

    if (one_in(simulate, LEAVE_ONE_IN)) {
        if (simulate->config.replay)
            fray_replay_writer_leave(simulate->config.replay, seat);
        game->leave(simulate->state, seat, NULL);
        seat_join(simulate, seat);
    }
    if (one_in(simulate, PRESS_ONE_IN))
        guest_press(simulate, input);
    simulate->given[seat] = !one_in(simulate, SILENT_ONE_IN);
}

static void bot_act(struct fray_simulate *simulate, uint32_t seat, char *input)
{
    const struct fray_game *game = simulate->game;

    fray_game_view(game, simulate->state, seat, simulate->view);
    simulate->given[seat] =
        game->bot(simulate->view, seat, simulate->memories + (size_t)seat * game->bot_size, input);
    if (!simulate->given[seat] || simulate->bot_misfit_tick ||
        !fray_game_find_out_of_range(game, input, &simulate->bot_misfit))
        return;
    simulate->bot_misfit_tick = simulate->tick + 1;
    simulate->bot_misfit_seat = seat;
}

/* What only a room's host may do, such as starting the next game, seat 0 does whenever it may. */
static void host_act(struct fray_simulate *simulate, char *input)
{
    const struct fray_game *game = simulate->game;

    for (uint32_t i = 0; i < game->actions_count; i++) {
        const struct fray_game_action *action = &game->actions[i];
        if (!action->host_only)
            continue;
        __builtin_memset(input, 0, game->input_size);
        if (action->sets)
            fray_game_write(fray_game_field(game->input, action->sets), input, 0, action->value);
        simulate->given[0] = 1;
    }
}

static char *past_at(const struct fray_simulate *simulate, uint32_t tick)
{
    return simulate->past + (size_t)(tick % FRAY_SIMULATE_PAST) * simulate->game->state_size;
}

static bool is_recorded(const struct fray_simulate *simulate, uint32_t seat)
{
    for (uint32_t i = 0; i < simulate->rewinds_count; i++)
        if (simulate->rewinds[i].seat == seat)
            return true;
    return false;
}

/* Everybody sees the two oldest states of the ring, a fraction that differs by seat apart. */
static bool rewind_view(void *host, uint32_t seat, struct fray_game_past *past)
{
    struct fray_simulate *simulate = host;

    if (simulate->tick < FRAY_SIMULATE_PAST)
        return false;
    if (!is_recorded(simulate, seat))
        simulate->rewinds[simulate->rewinds_count++] = (struct fray_replay_rewind){
            seat, (simulate->tick + 1 - FRAY_SIMULATE_PAST) * 256 + seat * 37 % 256};
    past->older = past_at(simulate, simulate->tick);
    past->newer = past_at(simulate, simulate->tick + 1);
    past->fraction = (int32_t)(seat * 37 % 256);
    return true;
}

static uint64_t state_hash(const struct fray_simulate *simulate)
{
    return fray_game_hash(FRAY_GAME_HASH_START, simulate->state, simulate->game->state_size);
}

static void step_record(struct fray_simulate *simulate)
{
    struct fray_replay_writer *replay = simulate->config.replay;

    if (!replay)
        return;
    fray_replay_writer_step(
        replay,
        &(struct fray_replay_step){
            .inputs = simulate->inputs,
            .given = simulate->given,
            .now_ms = simulate->game->tick_hz ? 0 : (simulate->tick + 1) * FRAY_SIMULATE_TURN_MS,
            .rewinds = simulate->rewinds,
            .rewinds_count = simulate->rewinds_count,
        });
    if ((simulate->tick + 1) % FRAY_SIMULATE_HASH_TICKS == 0)
        fray_replay_writer_hash(replay, state_hash(simulate));
}

void fray_simulate_end(struct fray_simulate *simulate)
{
    uint8_t outcomes[FRAY_REPLAY_SEATS_MAX];

    for (uint32_t seat = 0; seat < simulate->game->seats_max; seat++)
        outcomes[seat] = seat < simulate->config.bots + simulate->config.guests
                             ? (uint8_t)simulate->game->outcome(simulate->state, seat)
                             : FRAY_GAME_NOBODY;
    if (simulate->config.replay)
        fray_replay_writer_end(simulate->config.replay, outcomes, state_hash(simulate));
}

static void tick(struct fray_simulate *simulate)
{
    const struct fray_game *game = simulate->game;
    uint32_t seats = simulate->config.bots + simulate->config.guests;

    for (uint32_t seat = 0; seat < seats; seat++) {
        char *input = simulate->inputs + (size_t)seat * game->input_size;
        if (seat < simulate->config.bots)
            bot_act(simulate, seat, input);
        else
            guest_act(simulate, seat, input);
        if (seat == 0 && simulate->tick % HOST_TICKS == 0)
            host_act(simulate, input);
        if (simulate->given[seat] && fray_game_check(game, simulate->state, seat, input)) {
            simulate->given[seat] = 0;
            simulate->refused++;
        }
    }
    simulate->rewinds_count = 0;
    game->step(simulate->state, &(struct fray_game_step){
                                    .inputs = simulate->inputs,
                                    .given = simulate->given,
                                    .now_ms = (simulate->tick + 1) * FRAY_SIMULATE_TURN_MS,
                                    .rewind = rewind_view,
                                    .host = simulate,
                                });
    __builtin_memcpy(past_at(simulate, simulate->tick), simulate->state, game->state_size);
    step_record(simulate);
    if (++simulate->tick % FRAY_SIMULATE_HASH_TICKS)
        return;
    simulate->hash = fray_game_hash(simulate->hash, simulate->state, game->state_size);
    if (!simulate->misfit_tick && fray_game_find_misfit(game, simulate->state, &simulate->misfit))
        simulate->misfit_tick = simulate->tick;
}

void fray_simulate_run(struct fray_simulate *simulate, uint32_t ticks)
{
    while (ticks--)
        tick(simulate);
}

uint64_t fray_simulate_hash(const struct fray_simulate *simulate)
{
    return fray_game_hash(simulate->hash, simulate->state, simulate->game->state_size);
}
