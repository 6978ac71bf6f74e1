#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "world.h"

/* Upgrades under traffic both ways, with the websocket or the polling connections lost at each step
 * of the probe. What was sent before, during and after must arrive once and in order. */

enum { CLIENTS = 40, RUN_MS = 4000 };

static struct sim_world world;

static struct {
    enum sim_upgrade step; /* NONE: nothing is lost */
    enum sim_loss how;
    bool of_polling;
} plan;

static void on_step(struct sim_client *client, enum sim_upgrade step)
{
    if (plan.step == SIM_UPGRADE_NONE || step != plan.step || client->losses)
        return;
    if (!plan.of_polling) {
        sim_connection_lose(&client->websocket, plan.how);
        return;
    }
    sim_connection_lose(&client->get, plan.how);
    if (client->state != SIM_AWAY)
        sim_connection_lose(&client->post, plan.how);
}

static void run(uint64_t seed, const char *workers)
{
    sim_world_open(&world, seed, (struct sim_setting[]){{"workers", workers}, {NULL, NULL}});
    struct fray_sim_options *options = fray_sim_network_options(world.network);
    options->latency_us = 1000 + fray_rng_below(&world.rng, 30000);
    options->jitter_us = fray_rng_below(&world.rng, 20000);
    options->segment_max = 1 + fray_rng_below(&world.rng, 500);
    sim_world_start_traffic(&world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct sim_player *player = sim_world_add(&world, SIM_UPGRADE);
        player->client.on_step = on_step;
        sim_client_connect(&player->client);
        sim_world_run_ms(&world, 20);
    }
    sim_world_run_ms(&world, RUN_MS);
    sim_world_settle(&world);
}

/* Until the client knows that it may send "5", the session needs no websocket: to lose it costs
 * nothing. Of a reset or silence it may hear too late. */
static bool is_harmless(void)
{
    if (plan.step == SIM_UPGRADE_PAUSING)
        return !plan.of_polling && plan.how == SIM_FIN;
    return plan.step == SIM_UPGRADE_NONE || (!plan.of_polling && plan.step < SIM_UPGRADE_PAUSING);
}

static void check_losses(void)
{
    unsigned lost = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        lost += world.players[i].client.losses > 0;
    if (is_harmless())
        sim_check(&world, lost == 0);
    if (plan.step == SIM_UPGRADE_NONE)
        sim_check(&world, SIM_COUNTER(&world, upgrades) == CLIENTS);
}

static void calm(uint64_t seed)
{
    plan.step = SIM_UPGRADE_NONE;
    run(seed, seed % 2 ? "1" : "2");
    check_losses();
    sim_world_close(&world);
}

static void with_losses(uint64_t seed)
{
    for (plan.step = SIM_UPGRADE_OPENING; plan.step < SIM_UPGRADE_STEPS; plan.step++) {
        for (plan.how = SIM_FIN; plan.how < SIM_LOSSES; plan.how++) {
            for (int of_polling = 0; of_polling < 2; of_polling++) {
                plan.of_polling = of_polling;
                run(seed, seed % 2 ? "1" : "2");
                check_losses();
                sim_world_close(&world);
            }
        }
    }
}

static void C03_an_upgrade_loses_doubles_and_reorders_nothing(void **state)
{
    (void)state;
    sim_for_each_seed(4, calm);
}

static void C03_a_connection_lost_at_any_step_of_an_upgrade(void **state)
{
    (void)state;
    sim_for_each_seed(2, with_losses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C03_an_upgrade_loses_doubles_and_reorders_nothing),
        cmocka_unit_test(C03_a_connection_lost_at_any_step_of_an_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
