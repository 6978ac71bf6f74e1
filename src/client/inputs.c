#include "client/inputs.h"

static char *place_of(const struct fray_client_inputs *inputs, uint32_t tick)
{
    return inputs->ring + (size_t)(tick % FRAY_CLIENT_INPUTS) * inputs->game->input_size;
}

void fray_client_inputs_sample(struct fray_client_inputs *inputs, uint32_t tick)
{
    __builtin_memcpy(place_of(inputs, tick), inputs->held, inputs->game->input_size);
    inputs->ticks[tick % FRAY_CLIENT_INPUTS] = tick;
    fray_game_release(inputs->game, inputs->held);
}

const void *fray_client_inputs_at(const struct fray_client_inputs *inputs, uint32_t tick)
{
    bool is_there = tick && inputs->ticks[tick % FRAY_CLIENT_INPUTS] == tick;
    return is_there ? place_of(inputs, tick) : NULL;
}

uint32_t fray_client_inputs_run(const struct fray_client_inputs *inputs, uint32_t first,
                                uint32_t last)
{
    while (last > first && fray_client_inputs_at(inputs, last - 1))
        last--;
    return last;
}

void fray_client_inputs_forget(struct fray_client_inputs *inputs)
{
    __builtin_memset(inputs->ticks, 0, sizeof inputs->ticks);
}
