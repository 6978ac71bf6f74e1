#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/lab_wire.h"
#include "world.h"

/* Sessions through the network lab, below the simulated network's own calm: delay, jitter, loss and
 * rate, for all and for single sessions, switched while they play. Nothing that is owed may be
 * lost, doubled or reordered. */

enum { CLIENTS = 60, ROUNDS = 60, ROUND_MS = 100 };

static struct sim_world world;

static void open_world(uint64_t seed, const struct sim_setting *settings)
{
    sim_world_open(&world, seed, settings);
    for (unsigned i = 0; i < CLIENTS; i++)
        sim_client_connect(&sim_world_add(&world, (enum sim_way)(i % SIM_WAYS))->client);
    sim_world_start_traffic(&world);
}

static unsigned wires(void)
{
    unsigned count = 0;
    for (unsigned w = 0; w < world.server->workers_count; w++)
        count += fray_lab_wires(world.server->workers[w]->loop);
    return count;
}

static struct fray_lab_settings any_settings(void)
{
    return (struct fray_lab_settings){
        .delay_ms = (uint32_t)fray_rng_below(&world.rng, 80),
        .jitter_ms = (uint32_t)fray_rng_below(&world.rng, 60),
        .loss_percent = (uint8_t)fray_rng_below(&world.rng, 6),
        .rate_kbps =
            fray_rng_chance(&world.rng, 500) ? 500 + (uint32_t)fray_rng_below(&world.rng, 5000) : 0,
    };
}

static void switch_all(const struct fray_lab_settings *settings)
{
    for (unsigned w = 0; w < world.server->workers_count; w++)
        fray_server_lab_set_all(world.server->workers[w]->lab, settings);
}

/* Each of them for itself, or as all others again. */
static void switch_some(unsigned permille)
{
    for (unsigned w = 0; w < world.server->workers_count; w++) {
        struct fray_server_worker *worker = world.server->workers[w];
        for (uint32_t i = 0; i < worker->base.sessions.used; i++) {
            struct fray_session *session = fray_id_pool_at(&worker->base.sessions, i);
            struct fray_lab_settings settings = any_settings();
            if (session && fray_rng_chance(&world.rng, permille))
                fray_server_lab_set(worker->lab, session,
                                    fray_rng_chance(&world.rng, 700) ? &settings : NULL);
        }
    }
}

static void run_bad_network(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"workers", "2"},
                                            {"lab_delay_ms", "60"},
                                            {"lab_jitter_ms", "40"},
                                            {"lab_loss_percent", "3"},
                                            {"lab_rate_kbps", "2000"},
                                            {"lab_seed", "1"},
                                            {NULL, NULL}});
    sim_world_run_ms(&world, ROUNDS * ROUND_MS);
    sim_check(&world, wires() > 0);
    switch_all(&(struct fray_lab_settings){0}); /* settling allows a second for the last event */
    sim_world_settle(&world);
    sim_world_close(&world);
}

static void run_switching(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"workers", "2"}, {NULL, NULL}});
    sim_check(&world, wires() == 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct fray_lab_settings settings = any_settings();
        if (fray_rng_chance(&world.rng, 300))
            switch_all(fray_rng_chance(&world.rng, 300) ? &(struct fray_lab_settings){0}
                                                        : &settings);
        switch_some(50);
        sim_world_run_ms(&world, ROUND_MS);
    }
    sim_check(&world, wires() > 0);
    switch_all(&(struct fray_lab_settings){0});
    for (unsigned w = 0; w < world.server->workers_count; w++) {
        struct fray_server_worker *worker = world.server->workers[w];
        for (uint32_t i = 0; i < worker->base.sessions.used; i++) {
            struct fray_session *session = fray_id_pool_at(&worker->base.sessions, i);
            if (session)
                fray_server_lab_set(worker->lab, session, NULL);
        }
        sim_check(&world, !worker->base.lab);
    }
    sim_world_settle(&world);
    sim_world_close(&world);
}

/* Unreliable messages as datagrams: of these some are lost, of the others none. */
static void run_datagrams(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"workers", "2"},
                                            {"lab_delay_ms", "20"},
                                            {"lab_loss_percent", "30"},
                                            {"lab_datagrams", "true"},
                                            {"lab_seed", "2"},
                                            {NULL, NULL}});
    sim_world_run_ms(&world, ROUNDS * ROUND_MS);
    sim_check(&world, SIM_COUNTER(&world, lab_dropped) > 0);
    switch_all(&(struct fray_lab_settings){0});
    sim_world_settle(&world);
    sim_world_close(&world);
}

static void C35_nothing_is_lost_or_reordered_over_a_bad_network(void **state)
{
    (void)state;
    sim_for_each_seed(6, run_bad_network);
}

static void C35_the_lab_is_switched_while_they_play(void **state)
{
    (void)state;
    sim_for_each_seed(6, run_switching);
}

static void C35_only_unreliable_messages_are_lost_as_datagrams(void **state)
{
    (void)state;
    sim_for_each_seed(3, run_datagrams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C35_nothing_is_lost_or_reordered_over_a_bad_network),
        cmocka_unit_test(C35_the_lab_is_switched_while_they_play),
        cmocka_unit_test(C35_only_unreliable_messages_are_lost_as_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
