#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "world.h"

/* Losses at random: of segments, of connections by the network, and of those that tests choose. */

enum { CLIENTS = 120, ROUNDS = 60, ROUND_MS = 100 };

static struct sim_world world;

static void lose_some(unsigned permille)
{
    for (unsigned i = 0; i < world.players_count; i++) {
        if (fray_rng_chance(&world.rng, permille))
            sim_client_lose(&world.players[i].client,
                            (enum sim_loss)fray_rng_below(&world.rng, SIM_LOSSES));
    }
}

static void run_lossy(uint64_t seed, const char *workers, size_t padding)
{
    sim_world_open(&world, seed, (struct sim_setting[]){{"workers", workers}, {NULL, NULL}});
    world.padding = padding;
    struct fray_sim_options *options = fray_sim_network_options(world.network);
    options->latency_us = 1000 + fray_rng_below(&world.rng, 40000);
    options->jitter_us = fray_rng_below(&world.rng, 30000);
    options->lose_segment = (unsigned)fray_rng_below(&world.rng, 60);
    options->segment_max = 1 + fray_rng_below(&world.rng, 3000);
    options->reset_segment = (unsigned)fray_rng_below(&world.rng, 4);
    options->stall_segment = (unsigned)fray_rng_below(&world.rng, 4);
    for (unsigned i = 0; i < CLIENTS; i++)
        sim_client_connect(&sim_world_add(&world, (enum sim_way)(i % SIM_WAYS))->client);
    sim_world_start_traffic(&world);
    for (unsigned round = 0; round < ROUNDS; round++) {
        sim_world_run_ms(&world, ROUND_MS);
        lose_some(10);
    }
    sim_world_settle(&world);
    sim_check(&world, world.recoveries > 0);
    printf("# %u recovered, %u not, %llu sent\n", world.recoveries, world.refusals,
           (unsigned long long)world.serial);
    sim_world_close(&world);
}

static void one_worker(uint64_t seed)
{
    run_lossy(seed, "1", 0);
}

static void three_workers(uint64_t seed)
{
    run_lossy(seed, "3", 0);
}

static void large_events(uint64_t seed)
{
    run_lossy(seed, "2", 3000);
}

static void C06_lost_clients_come_back_and_miss_nothing(void **state)
{
    (void)state;
    sim_for_each_seed(8, one_worker);
}

static void C06_the_same_over_several_workers(void **state)
{
    (void)state;
    sim_for_each_seed(8, three_workers);
}

static void C06_the_same_with_events_larger_than_segments(void **state)
{
    (void)state;
    sim_for_each_seed(4, large_events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C06_lost_clients_come_back_and_miss_nothing),
        cmocka_unit_test(C06_the_same_over_several_workers),
        cmocka_unit_test(C06_the_same_with_events_larger_than_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
