/* Tests of viewers: which baselines they build on, how streams that lose are found out, and how
 * their rate yields to a network and recovers. */
#include "game/snapshots_fake.h"

/* ------------------------------------------------------------------ baselines */

static uint16_t base_of(const struct world *world)
{
    struct fray_packet_snapshot header;
    assert_true(fray_packet_snapshot_header_decode(&header, world->out.data, world->out.len));
    return header.base_seq == header.seq ? 0 : header.base_seq;
}

static void step_and_encode(struct world *world, struct client *client, uint32_t ticks)
{
    world_step(world, ticks);
    world_take(world);
    encode(world, client, false);
}

static void without_acks_all_are_full(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 0);
    for (int i = 0; i < 5; i++) {
        step_and_encode(&world, &client, 2);
        fray_viewer_sent(client.viewer, true);
        assert_int_equal(base_of(&world), 0);
    }
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 3});
    step_and_encode(&world, &client, 2);
    assert_int_equal(base_of(&world), 3);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 2}); /* late */
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 999});
    step_and_encode(&world, &client, 2);
    assert_int_equal(base_of(&world), 3);
    step_and_encode(&world, &client, 60); /* older than a second */
    assert_int_equal(base_of(&world), 0);
    client_deinit(&client);
    world_deinit(&world);
}

static void a_baseline_must_be_in_the_ring(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 60);
    step_and_encode(&world, &client, 1);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = 1});
    for (int i = 1; i < 40; i++) {
        step_and_encode(&world, &client, 1);
        assert_int_equal(base_of(&world), i < 32 ? 1 : 0);
    }
    client_deinit(&client);
    world_deinit(&world);
}

static void streams_build_on_what_was_sent(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 0);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_sent(client.viewer, false); /* dropped */
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_sent(client.viewer, true);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 2);
    fray_viewer_sent(client.viewer, false);
    step_and_encode(&world, &client, 3);
    assert_int_equal(base_of(&world), 2);
    client_deinit(&client);
    world_deinit(&world);
}

/* Between two workers, say, where nobody could tell the viewer. */
static void what_follows_a_loss_brings_its_events_again(void **unused)
{
    struct world world;
    struct client client;
    struct fray_game_event event = {EVENT_HIT, FRAY_GAME_NOBODY, 0, {0}};

    (void)unused;
    world_init(&world, &fray_duel, 0, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 0);
    client.skips_serials = true;
    for (int i = 0; i < 3; i++) {
        fray_snapshots_event(world.snapshots, world.tick, &event);
        step_and_encode(&world, &client, i < 2 ? 3 : 61);
        fray_viewer_sent(client.viewer, true);
        if (i == 1)
            continue; /* it is lost */
        receive(&world, &client, world.out.data, world.out.len);
        fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.newest});
    }
    assert_int_equal(base_of(&world), 0); /* the one that was sent is too old by now */
    assert_int_equal(client.snapshot.events_count, 2);
    assert_int_equal(client.snapshot.events[0].seq, 2);
    client_deinit(&client);
    world_deinit(&world);
}

static void who_comes_late_gets_the_full_rate_at_once(void **unused)
{
    struct world world;
    struct client client;
    uint32_t sent = 0;

    (void)unused;
    world_init(&world, &fray_duel, 0, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 20);
    world_step(&world, 600); /* nobody has taken a state since the match began */
    fray_viewer_begin(client.viewer, 0, world.tick);
    for (uint32_t tick = 0; tick < 60; tick++) {
        world_step(&world, 1);
        if (!fray_viewer_is_due(client.viewer, world.tick))
            continue;
        world_take(&world);
        encode(&world, &client, false);
        fray_viewer_sent(client.viewer, true);
        receive(&world, &client, world.out.data, world.out.len);
        fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.newest});
        sent++;
    }
    assert_in_range(sent, 20, 21);
    client_deinit(&client);
    world_deinit(&world);
}

static void send(struct world *world, struct client *client)
{
    step_and_encode(world, client, 3);
    fray_viewer_sent(client->viewer, true);
}

static void who_cannot_decode_is_sent_what_it_can(void **unused)
{
    struct world world;
    struct client client;
    struct fray_packet_input need = {.flags = FRAY_INPUT_NEED_FULL, .ack = 3};

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 1, FRAY_HELLO_STREAM, 60);
    for (int i = 0; i < 5; i++)
        send(&world, &client);
    assert_int_equal(base_of(&world), 4);
    fray_viewer_ack(client.viewer, &need);
    send(&world, &client);
    assert_int_equal(base_of(&world), 3);  /* which it says that it has */
    fray_viewer_ack(client.viewer, &need); /* said before that came */
    send(&world, &client);
    assert_int_equal(base_of(&world), 3); /* and for a while nothing else is believed */
    need.ack = 7;                         /* it came, and then something was lost again */
    fray_viewer_ack(client.viewer, &need);
    send(&world, &client);
    assert_int_equal(base_of(&world), 7);
    for (int i = 0; i < 20; i++)
        send(&world, &client);
    fray_viewer_ack(client.viewer, &need); /* a second has passed, and it still says so */
    send(&world, &client);
    assert_int_equal(base_of(&world), 0);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.viewer->seq});
    for (int i = 0; i < 5 * 20; i++)
        send(&world, &client);
    fray_viewer_ack(client.viewer, &(struct fray_packet_input){.ack = client.viewer->seq});
    send(&world, &client);
    send(&world, &client);
    assert_int_equal(base_of(&world), client.viewer->seq - 1); /* believed again */
    fray_viewer_forget(client.viewer);
    send(&world, &client);
    assert_int_equal(base_of(&world), 0);
    client_deinit(&client);
    world_deinit(&world);
}

/* A stream whose transport drops what it has taken, without a word, some of the time. */
static void a_stream_that_loses_loses_no_event(void **unused)
{
    struct world world;
    struct client client;
    int32_t serial = 0;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 20);
    for (uint32_t i = 0; i < 3000; i++) {
        world_step(&world, 1);
        if (i < 2900)
            emit(&world, &client, EVENT_HIT, &serial);
        if (!fray_viewer_is_due(client.viewer, world.tick))
            continue;
        world_take(&world);
        encode(&world, &client, false);
        fray_viewer_sent(client.viewer, true);
        if (i > 2900 || fray_game_random_range(world.random, 0, 99) >= 10)
            receive(&world, &client, world.out.data, world.out.len);
        ack(&client);
    }
    assert_int_equal(client.serial, serial);
    assert_int_equal(client.full, 1);
    assert_true(client.refused < 20);
    client_deinit(&client);
    world_deinit(&world);
}

static void sequence_numbers_wrap(void **unused)
{
    struct world world;
    struct client client;
    int32_t serial = 0;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, 0, 60);
    client.viewer->seq = UINT16_MAX - 500;
    client.viewer->resumed_seq = UINT16_MAX - 499;
    client.viewer->events_floor = client.viewer->events_end = UINT16_MAX - 500;
    client.event_seq = UINT16_MAX - 500;
    for (uint32_t i = 0; i < 2000; i++) {
        world_step(&world, 1);
        emit(&world, &client, EVENT_HIT, &serial);
        world_take(&world);
        encode(&world, &client, false);
        if (i % 3 || i > 1990)
            receive(&world, &client, world.out.data, world.out.len);
        ack(&client);
    }
    assert_int_equal(client.full, 1);
    assert_int_equal(client.serial, serial);
    client_deinit(&client);
    world_deinit(&world);
}

/* ------------------------------------------------------------------ rate, memory */

static uint32_t count_due(struct world *world, struct client *client, uint32_t ticks, bool was_sent,
                          bool acks)
{
    uint32_t count = 0;

    while (ticks--) {
        world_step(world, 1);
        if (!fray_viewer_is_due(client->viewer, world->tick))
            continue;
        world_take(world);
        encode(world, client, false);
        fray_viewer_sent(client->viewer, was_sent);
        if (was_sent)
            receive(world, client, world->out.data, world->out.len);
        if (acks)
            ack(client);
        count++;
    }
    return count;
}

static void the_rate_yields_and_recovers(void **unused)
{
    struct world world;
    struct client client;

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 40);
    assert_int_equal(fray_viewer_wished_hz(client.viewer), 40);
    assert_in_range(count_due(&world, &client, 60, true, true), 39, 41);
    count_due(&world, &client, 60, false, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 10);
    count_due(&world, &client, 200, true, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 40);
    assert_in_range(count_due(&world, &client, 60, true, true), 39, 41);
    count_due(&world, &client, 300, true, false); /* it does not answer */
    assert_int_equal(fray_viewer_hz(client.viewer), 10);
    assert_in_range(count_due(&world, &client, 60, true, false), 1, 3); /* to see whether it does */
    count_due(&world, &client, 300, true, true);
    assert_int_equal(fray_viewer_hz(client.viewer), 40);
    client_deinit(&client);
    world_deinit(&world);
}

/* A line that carries 15 a second: 20 is tried, in vain, and less and less often. */
static void a_rate_that_is_too_much_is_tried_less_and_less(void **unused)
{
    struct world world;
    struct client client;
    uint32_t drops[2] = {0};

    (void)unused;
    world_init(&world, &fray_duel, 2, NULL);
    client_init(&client, &world, 0, FRAY_HELLO_STREAM, 20);
    for (uint32_t half = 0; half < 2; half++) {
        for (uint32_t i = 0; i < 60 * 60; i++) {
            bool is_too_much = fray_viewer_hz(client.viewer) > 15 && i % 8 == 0;
            uint32_t sent = count_due(&world, &client, 1, !is_too_much, true);
            drops[half] += is_too_much ? sent : 0;
        }
    }
    assert_true(drops[0] > 5);
    assert_true(drops[1] < drops[0] / 2);
    client_deinit(&client);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_acks_all_are_full),
        cmocka_unit_test(a_baseline_must_be_in_the_ring),
        cmocka_unit_test(streams_build_on_what_was_sent),
        cmocka_unit_test(what_follows_a_loss_brings_its_events_again),
        cmocka_unit_test(who_comes_late_gets_the_full_rate_at_once),
        cmocka_unit_test(who_cannot_decode_is_sent_what_it_can),
        cmocka_unit_test(a_stream_that_loses_loses_no_event),
        cmocka_unit_test(sequence_numbers_wrap),
        cmocka_unit_test(the_rate_yields_and_recovers),
        cmocka_unit_test(a_rate_that_is_too_much_is_tried_less_and_less),
    };
    return cmocka_run_group_tests_name("game_viewer", tests, NULL, NULL);
}
