#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "world.h"

/* Clients that take too little, send too much, or come and go in storms: each bears the consequence
 * itself, and nobody else notices. */

enum { BYSTANDERS = 12 };

static struct sim_world world;

static void open_world(uint64_t seed, const struct sim_setting *settings)
{
    sim_world_open(&world, seed, settings);
    for (unsigned i = 0; i < BYSTANDERS; i++)
        sim_client_connect(&sim_world_add(&world, (enum sim_way)(i % SIM_WAYS))->client);
    sim_world_run_ms(&world, 1000);
}

/* All is well with those who did nothing. */
static void check_bystanders(void)
{
    for (unsigned i = 0; i < BYSTANDERS; i++)
        sim_check(&world, world.players[i].client.losses == 0);
}

static struct sim_player *add_victim(enum sim_way way)
{
    struct sim_player *player = sim_world_add(&world, way);
    player->is_quiet = true;
    sim_client_connect(&player->client);
    sim_world_run_ms(&world, 1000);
    sim_check(&world, player->client.state == SIM_CONNECTED);
    return player;
}

/* ------------------------------------------------------------------ slow readers */

enum { OUTBOX_BYTES = 65536, OUTBOX_MESSAGES = 100 };

static void check_outboxes(void)
{
    for (unsigned w = 0; w < world.server->workers_count; w++) {
        struct fray_worker *worker = world.server->bases[w];
        for (uint32_t i = 0; i < worker->sessions.used; i++) {
            const struct fray_session *session = fray_id_pool_at(&worker->sessions, i);
            if (!session || !session->outbox.count)
                continue;
            sim_check(&world, session->outbox.count <= OUTBOX_MESSAGES);
            sim_check(&world, session->outbox.ring->bytes <= OUTBOX_BYTES);
        }
    }
}

static const struct sim_setting small_outboxes[] = {
    {"outbox_max_messages", "100"}, {"outbox_max_bytes", "65536"}, {"workers", "2"}, {NULL, NULL}};

/* A reader who stops is closed when its outbox is full. It missed more than an outbox holds, so it
 * comes back as new, once, instead of being closed for its replay again and again. */
static void slow_readers(uint64_t seed)
{
    open_world(seed, small_outboxes);
    world.padding = 4000;
    for (enum sim_way way = SIM_POLLING; way < SIM_WAYS; way++)
        add_victim(way);
    for (unsigned i = BYSTANDERS; i < world.players_count; i++) {
        struct sim_client *client = &world.players[i].client;
        fray_stream_pause((client->uses_websocket ? &client->websocket : &client->get)->stream);
    }
    for (unsigned i = 0; i < 80; i++) {
        sim_world_broadcast(&world);
        sim_world_run_ms(&world, 5);
        check_outboxes();
    }
    sim_check(&world, SIM_COUNTER(&world, closed_slow) == SIM_WAYS);
    sim_check(&world, sim_world_sessions(&world) == BYSTANDERS);
    check_bystanders();
    sim_world_settle(&world);
    check_bystanders();
    sim_check(&world, world.refusals == SIM_WAYS);
    sim_check(&world, SIM_COUNTER(&world, closed_slow) == SIM_WAYS);
    sim_world_close(&world);
}

/* Of the newest state one message waits, whatever the number of updates; what is transient does not
 * wait. */
static void latest_and_transient(uint64_t seed)
{
    open_world(seed, small_outboxes);
    world.padding = 1000;
    struct sim_player *slow = add_victim(SIM_WEBSOCKET);
    uint64_t transient_before = slow->transient;
    fray_stream_pause(slow->client.websocket.stream);
    for (unsigned i = 0; i < 400; i++) {
        sim_world_send_unreliable(&world, i % 2 ? FRAY_LATEST : FRAY_TRANSIENT);
        sim_world_run_ms(&world, 1);
        check_outboxes();
    }
    uint64_t last = world.serial;
    sim_check(&world, SIM_COUNTER(&world, dropped_transient) > 100);
    sim_check(&world, SIM_COUNTER(&world, closed_slow) == 0);
    fray_stream_resume(slow->client.websocket.stream);
    sim_world_run_ms(&world, 300);
    sim_check(&world, slow->latest == last);
    sim_check(&world, slow->transient > transient_before && slow->transient < last - 200);
    for (unsigned i = 0; i < BYSTANDERS; i++)
        sim_check(&world, world.players[i].latest == last);
    check_bystanders();
    sim_world_settle(&world);
    sim_world_close(&world);
}

/* ------------------------------------------------------------------ floods */

static void floods(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"messages_per_second", "50"},
                                            {"messages_burst", "20"},
                                            {"workers", "2"},
                                            {NULL, NULL}});
    sim_world_start_traffic(&world);
    for (enum sim_way way = SIM_POLLING; way < SIM_WAYS; way++) {
        struct sim_player *flooder = add_victim(way);
        flooder->client.is_wanted = false;
        for (unsigned i = 0; i < 2000 && flooder->client.state == SIM_CONNECTED; i++)
            sim_client_send(&flooder->client, "2[\"shout\"]");
    }
    sim_world_run_ms(&world, 3000);
    sim_check(&world, SIM_COUNTER(&world, closed_flooding) == SIM_WAYS);
    sim_check(&world, sim_world_sessions(&world) == BYSTANDERS);
    check_bystanders();
    sim_world_settle(&world);
    sim_world_close(&world);
}

/* ------------------------------------------------------------------ storms */

enum { STORM_CLIENTS = 300, STORM_MS = 4000 };

/* Connections are lost wherever they happen to be: in the handshake, joining, upgrading, polling.
 */
static void connect_and_kill(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"workers", "3"}, {NULL, NULL}});
    sim_world_start_traffic(&world);
    for (unsigned i = 0; i < STORM_CLIENTS; i++)
        sim_client_connect(&sim_world_add(&world, (enum sim_way)(i % SIM_WAYS))->client);
    for (unsigned ms = 0; ms < STORM_MS; ms += 20) {
        sim_world_run_ms(&world, 20);
        for (unsigned i = BYSTANDERS; i < world.players_count; i++) {
            if (fray_rng_chance(&world.rng, 100))
                sim_client_lose(&world.players[i].client,
                                (enum sim_loss)fray_rng_below(&world.rng, SIM_LOSSES));
        }
    }
    check_bystanders();
    sim_check(&world, SIM_COUNTER(&world, connections_accepted) > 2000);
    sim_world_settle(&world);
    check_bystanders();
    sim_world_close(&world);
}

static void ping_timeouts(uint64_t seed)
{
    open_world(seed, (struct sim_setting[]){{"workers", "2"}, {NULL, NULL}});
    for (unsigned i = 0; i < 30; i++) {
        struct sim_client *client = &sim_world_add(&world, (enum sim_way)(i % SIM_WAYS))->client;
        sim_client_connect(client);
    }
    sim_world_run_ms(&world, 1000);
    sim_check(&world, sim_world_sessions(&world) == BYSTANDERS + 30);
    for (unsigned i = BYSTANDERS; i < world.players_count; i++) {
        world.players[i].client.is_wanted = false;
        sim_client_lose(&world.players[i].client, SIM_SILENCE);
    }
    sim_world_run_ms(&world, 3000);
    sim_check(&world, SIM_COUNTER(&world, closed_ping_timeout) == 30);
    sim_check(&world, sim_world_sessions(&world) == BYSTANDERS);
    check_bystanders();
    sim_world_close(&world);
}

static void slow_readers_are_closed_once(void **state)
{
    (void)state;
    sim_for_each_seed(3, slow_readers);
}

static void the_newest_state_waits_and_the_transient_is_dropped(void **state)
{
    (void)state;
    sim_for_each_seed(3, latest_and_transient);
}

static void who_floods_is_closed_alone(void **state)
{
    (void)state;
    sim_for_each_seed(3, floods);
}

static void B13_storms_of_connections_leave_nothing_behind(void **state)
{
    (void)state;
    sim_for_each_seed(2, connect_and_kill);
}

static void C07_the_silent_are_closed_by_the_heartbeat(void **state)
{
    (void)state;
    sim_for_each_seed(3, ping_timeouts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_readers_are_closed_once),
        cmocka_unit_test(the_newest_state_waits_and_the_transient_is_dropped),
        cmocka_unit_test(who_floods_is_closed_alone),
        cmocka_unit_test(B13_storms_of_connections_leave_nothing_behind),
        cmocka_unit_test(C07_the_silent_are_closed_by_the_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
