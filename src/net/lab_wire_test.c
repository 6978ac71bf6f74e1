/* The network lab on a loop, beyond what every stream promises (stream_contract_test.c has it on,
 * too): that bytes are late by what was asked for, how much is on its way, moves, switching. */
#include "net/stream_contract.h"

static const struct variant calm = {"sim", true, false, false};

static int set_up_calm(void **state)
{
    *state = (void *)&calm;
    int failed = set_up(state);
    struct fixture *fixture = *state;
    *fray_sim_network_options(fixture->network) =
        (struct fray_sim_options){.window = 65536, .segment_max = 1448};
    return failed;
}

static void lab(struct fixture *fixture, struct fray_lab_settings settings)
{
    fray_lab_set_all(fixture->loop, &settings);
}

static uint64_t round_trip_us(struct fixture *fixture, struct party *client, struct party *server)
{
    uint64_t start_us = fixture->loop->now_us;
    client->got.len = server->got.len = 0;
    party_send(client, "ping", 4);
    RUN_UNTIL(fixture, server->got.len == 4);
    party_send(server, "pong", 4);
    RUN_UNTIL(fixture, client->got.len == 4);
    return fixture->loop->now_us - start_us;
}

/* Both ends are on this loop, so each direction passes two wires. */
static void a_delay_is_kept_and_taken_back(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    assert_null(fixture->loop->lab); /* nothing of it is there until it is switched on */
    assert_true(round_trip_us(fixture, client, server) < 5000);
    lab(fixture, (struct fray_lab_settings){.delay_ms = 50});
    assert_in_range(round_trip_us(fixture, client, server), 200000, 205000);
    assert_int_equal(fray_lab_wires(fixture->loop), 2);
    lab(fixture, (struct fray_lab_settings){0});
    run_a_little(fixture);
    assert_int_equal(fray_lab_wires(fixture->loop), 0);
    assert_true(round_trip_us(fixture, client, server) < 5000);
    assert_int_equal(fray_lab_wires(fixture->loop), 0);
}

static void one_connection_has_settings_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server, *other_client, *other_server;
    connect_pair(fixture, &client, &server);
    connect_pair(fixture, &other_client, &other_server);
    struct fray_loop *loop = fixture->loop;
    const struct fray_lab_settings slow = {.delay_ms = 150}, perfect = {0};
    fray_lab_set_own(loop, &server->stream->source, &slow);
    assert_in_range(round_trip_us(fixture, client, server), 300000, 305000);
    assert_true(round_trip_us(fixture, other_client, other_server) < 5000);
    lab(fixture, (struct fray_lab_settings){.delay_ms = 10});
    fray_lab_set_own(loop, &other_client->stream->source, &perfect);
    fray_lab_set_own(loop, &other_server->stream->source, &perfect);
    assert_true(round_trip_us(fixture, other_client, other_server) < 5000);
    fray_lab_set_own(loop, &server->stream->source, NULL);
    assert_in_range(round_trip_us(fixture, client, server), 40000, 45000);
}

/* Who does not read is felt: what is on its way is a window in each of the wires, and what the
 * sockets take. */
static void what_is_on_its_way_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    lab(fixture, (struct fray_lab_settings){.delay_ms = 20});
    fray_stream_pause(client->stream);
    fill_pattern(&server->unsent, LARGE);
    party_flush(server);
    for (unsigned i = 0; i < 20; i++)
        run_a_little(fixture);
    assert_true(server->was_blocked);
    assert_true(LARGE - server->unsent.len <= 2 * FRAY_LAB_WINDOW + 65536);
    fray_stream_resume(client->stream);
    RUN_UNTIL(fixture, client->got.len == LARGE);
    assert_pattern(&client->got, LARGE);
}

static void a_rate_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    const struct fray_lab_settings slow = {.rate_kbps = 8000}; /* 1 MB/s */
    fray_lab_set_own(fixture->loop, &server->stream->source, &slow);
    uint64_t start_us = fixture->loop->now_us;
    fill_pattern(&server->unsent, 2000000);
    party_flush(server);
    RUN_UNTIL(fixture, client->got.len == 2000000);
    assert_in_range(fixture->loop->now_us - start_us, 2000000, 2010000);
}

/* A connection goes to another loop with bytes on their way in both directions, and back. */
static void bytes_on_their_way_move_with_their_connection(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    lab(fixture, (struct fray_lab_settings){.delay_ms = 100, .jitter_ms = 50});
    struct fray_loop *loops[] = {fixture->loop, fray_loop_sim_create(fixture->network)};
    struct fray_loop *there = loops[1];
    fray_lab_set_all(there, &(struct fray_lab_settings){.delay_ms = 10});
    for (unsigned i = 0; i < 4; i++) {
        party_send(client, "up", 2);
        party_send(server, "down", 4);
        for (unsigned turn = 0; turn < 120; turn++)
            fray_loop_turn(loops[turn % 2], 1000);
        struct fray_stream_cargo cargo;
        fray_stream_detach(server->stream, (struct fray_slice){0}, &cargo);
        assert_non_null(cargo.lab);
        server->stream = fray_stream_attach(loops[(i + 1) % 2], &cargo, &handler, server);
    }
    for (unsigned turn = 0; turn < 2000; turn++)
        fray_loop_turn(loops[turn % 2], 1000);
    assert_int_equal(server->got.len, 8);
    assert_int_equal(client->got.len, 16);
    assert_memory_equal(client->got.data, "downdowndowndown", 16);
    /* Cargo that nobody takes is closed once it has said what was said. */
    party_send(server, "last", 4);
    struct fray_stream_cargo cargo;
    fray_stream_detach(server->stream, (struct fray_slice){0}, &cargo);
    server->stream = NULL;
    fray_stream_cargo_close(there, &cargo);
    for (unsigned turn = 0; turn < 2000; turn++)
        fray_loop_turn(loops[turn % 2], 1000);
    assert_int_equal(client->got.len, 20);
    assert_int_equal(client->end_why, FRAY_ERR_CLOSED);
    fray_loop_destroy(there);
}

/* Closing gives up on a peer that takes nothing, after a while. */
static void a_close_waits_for_its_last_bytes_only_so_long(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    lab(fixture, (struct fray_lab_settings){.delay_ms = 10});
    fray_stream_pause(client->stream);
    fill_pattern(&server->unsent, LARGE);
    party_flush(server);
    for (unsigned i = 0; i < 20; i++)
        run_a_little(fixture);
    uint64_t start_us = fixture->loop->now_us;
    party_close(server, false);
    assert_non_null(fixture->loop->orphans);
    RUN_UNTIL(fixture, !fixture->loop->orphans);
    assert_in_range(fixture->loop->now_us - start_us, FRAY_LAB_LINGER_MS * 1000,
                    FRAY_LAB_LINGER_MS * 1000 + 100000);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up_calm, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_delay_is_kept_and_taken_back),
        CASE(one_connection_has_settings_of_its_own),
        CASE(what_is_on_its_way_is_bounded),
        CASE(a_rate_is_kept),
        CASE(bytes_on_their_way_move_with_their_connection),
        CASE(a_close_waits_for_its_last_bytes_only_so_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
