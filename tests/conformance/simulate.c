/* simulate GAME --seed S --ticks N --bots K [--guests G]: the native side of determinism.sh. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "simulate.h"

extern const struct fray_game fray_tictactoe, fray_rps, fray_arena, fray_duel;

static const struct fray_game *const games[] = {&fray_tictactoe, &fray_rps, &fray_arena,
                                                &fray_duel};

static uint64_t option_read(int argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 2; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0)
            return strtoull(argv[i + 1], NULL, 10);
    return otherwise;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const struct fray_game *game = NULL;

    for (size_t i = 0; i < FRAY_GAME_COUNT(games); i++)
        if (argc > 1 && strcmp(argv[1], games[i]->name) == 0)
            game = games[i];
    if (!game) {
        fprintf(stderr, "usage: simulate GAME --seed S --ticks N --bots K [--guests G]\n");
        return 2;
    }
    uint32_t ticks = (uint32_t)option_read(argc, argv, "--ticks", 10000);
    uint32_t bots = (uint32_t)option_read(argc, argv, "--bots", 2);
    uint32_t guests = fray_simulate_guests(game, bots);
    struct fray_simulate_config config = {
        .seed = option_read(argc, argv, "--seed", 1),
        .bots = bots,
        .guests = (uint32_t)option_read(argc, argv, "--guests", guests),
    };
    struct fray_simulate simulate;
    void *memory = malloc(fray_simulate_size(game));
    if (!memory)
        return 1;
    fray_simulate_init(&simulate, game, &config, memory);
    double start = now_s();
    fray_simulate_run(&simulate, ticks);
    double seconds = now_s() - start;
    printf("ticks=%" PRIu32 " hash=%016" PRIx64 " ticks_per_s=%.0f\n", ticks,
           fray_simulate_hash(&simulate), ticks / (seconds > 0 ? seconds : 1e-9));
    free(memory);
    return 0;
}
