#include "client/prediction.h"

#include "client/timing.h"

enum { AHEAD_MAX = 120 }; /* ticks on from a snapshot, and no more than a second */

static const double fade_us = 100e3 / 3; /* so that after 100 ms a twentieth is left */

void fray_client_step(const struct fray_client_stepper *stepper, void *state, uint32_t tick,
                      uint32_t seat, const void *input)
{
    const struct fray_game *game = stepper->game;
    bool is_known = input && seat < game->seats_max;
    if (is_known) {
        __builtin_memcpy(stepper->inputs + (size_t)seat * game->input_size, input,
                         game->input_size);
        stepper->given[seat] = 1;
    }
    game->step(state, &(struct fray_game_step){
                          .inputs = stepper->inputs,
                          .given = stepper->given,
                          .now_ms = (uint32_t)((uint64_t)tick * 1000 / game->tick_hz)});
    if (is_known)
        stepper->given[seat] = 0;
}

static size_t state_size(const struct fray_client_prediction *prediction)
{
    return prediction->stepper->game->state_size;
}

/* Where the own row is drawn, its offset aside. False: it is nowhere. */
static bool own_place(const struct fray_client_prediction *prediction,
                      struct fray_client_place *place)
{
    const struct fray_game_table *players = prediction->players;
    const struct fray_client_moment moment = {.older = prediction->previous,
                                              .newer = prediction->current,
                                              .fraction = prediction->fraction,
                                              .ticks = 1,
                                              .is_newest = true};
    return players && prediction->seat < players->rows &&
           fray_client_between_place(players, prediction->seat, prediction->smoothing, &moment,
                                     place);
}

static void begin(struct fray_client_prediction *prediction, const void *state, uint32_t tick)
{
    __builtin_memcpy(prediction->current, state, state_size(prediction));
    __builtin_memcpy(prediction->previous, state, state_size(prediction));
    prediction->tick = prediction->base_tick = tick;
    prediction->is_there = true;
}

void fray_client_prediction_restart(struct fray_client_prediction *prediction)
{
    prediction->is_there = false;
}

static uint32_t ahead_max(const struct fray_client_prediction *prediction)
{
    uint32_t second = prediction->stepper->game->tick_hz;
    return second < AHEAD_MAX ? second : (uint32_t)AHEAD_MAX;
}

void fray_client_prediction_advance(struct fray_client_prediction *prediction, uint32_t until)
{
    uint32_t last = prediction->base_tick + ahead_max(prediction);
    while (prediction->is_there && prediction->tick < until && prediction->tick < last) {
        uint32_t tick = ++prediction->tick;
        __builtin_memcpy(prediction->previous, prediction->current, state_size(prediction));
        fray_client_step(prediction->stepper, prediction->current, tick, prediction->seat,
                         fray_client_inputs_at(prediction->inputs, tick));
    }
}

static double length_px(struct fray_client_place place)
{
    double squared = place.x * place.x + place.y * place.y, most = 1e12;
    return fray_game_sqrt((uint64_t)((squared < most ? squared : most) * 65536)) / 256.0;
}

/* True: the own place is another than was predicted. */
static bool predict_anew(struct fray_client_prediction *prediction, const void *state,
                         uint32_t tick, uint32_t until)
{
    struct fray_client_place before, after;
    bool was_somewhere = own_place(prediction, &before);
    if (tick == until) /* the tick before it was drawn already, and stays where it was */
        __builtin_memcpy(prediction->current, state, state_size(prediction));
    else
        begin(prediction, state, tick);
    prediction->base_tick = tick;
    fray_client_prediction_advance(prediction, until);
    if (!was_somewhere || !own_place(prediction, &after) ||
        (before.x == after.x && before.y == after.y))
        return false;
    prediction->offset.x += before.x - after.x;
    prediction->offset.y += before.y - after.y;
    prediction->correction_px = length_px(prediction->offset);
    if (prediction->correction_px > prediction->snap_px)
        prediction->offset = (struct fray_client_place){0};
    return true;
}

void fray_client_prediction_reconcile(struct fray_client_prediction *prediction, const void *state,
                                      uint32_t tick)
{
    uint32_t until = prediction->tick;
    if (!prediction->is_there || tick > until || until - tick > ahead_max(prediction)) {
        begin(prediction, state, tick);
        prediction->offset = (struct fray_client_place){0};
    } else if (predict_anew(prediction, state, tick, until)) {
        prediction->corrections++;
    }
}

void fray_client_prediction_go_back(struct fray_client_prediction *prediction, const void *state,
                                    uint32_t tick, uint32_t until)
{
    if (prediction->is_there && until < prediction->tick)
        predict_anew(prediction, state, tick, until);
}

/* exp(−elapsed / fade_us), near enough. */
static double what_is_left(uint64_t elapsed_us)
{
    double part = 1 + (double)elapsed_us / fade_us / 64;
    for (int i = 0; i < 6; i++)
        part *= part;
    return 1 / part;
}

const void *fray_client_prediction_draw(struct fray_client_prediction *prediction, double fraction,
                                        uint64_t now_us)
{
    const struct fray_game_table *players = prediction->players;
    double left = what_is_left(fray_client_since(prediction->faded_us, now_us));
    prediction->is_drawn = true;
    prediction->fraction = fraction;
    prediction->faded_us = now_us;
    prediction->offset.x *= left;
    prediction->offset.y *= left;
    fray_client_between(prediction->stepper->game, prediction->smoothing,
                        &(struct fray_client_moment){.older = prediction->previous,
                                                     .newer = prediction->current,
                                                     .fraction = fraction,
                                                     .ticks = 1,
                                                     .is_newest = true},
                        prediction->drawn);
    if (prediction->offset.x != 0 || prediction->offset.y != 0)
        fray_client_place_shift(players,
                                prediction->drawn + players->offset +
                                    (size_t)prediction->seat * players->stride,
                                prediction->offset);
    return prediction->drawn;
}
