/* What a stream promises about its end, over every backend, plain and TLS. */
#include "net/stream_contract.h"

/* Closing inside of callbacks. What is freed too early is for AddressSanitizer to see. */

static size_t close_in_data(struct party *party, char *data, size_t len)
{
    party_close(party, party->step);
    memset(data, 0, len); /* still ours until we return */
    return party->step ? len : 0;
}

static void close_inside_on_data(void **state)
{
    struct fixture *fixture = *state;
    for (size_t round = 0; round < 4; round++) {
        struct party *client, *server;
        connect_pair(fixture, &client, &server);
        if (round / 2) { /* the data is in the rest */
            server->on_data = take_nothing;
            party_send(client, "begun", 5);
            RUN_UNTIL(fixture, server->step == 5);
        }
        server->on_data = close_in_data;
        server->step = round % 2;
        party_send(client, "data", 4);
        RUN_UNTIL(fixture, !server->stream && client->ends);
    }
}

static void close_in_writable(struct party *party)
{
    party_close(party, false);
}

static void close_inside_on_writable(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_writable = close_in_writable;
    fill_pattern(&server->unsent, LARGE);
    while (!server->was_blocked)
        party_flush(server);
    RUN_UNTIL(fixture, !server->stream && client->ends);
}

static void close_with_reset_in_end(struct party *party)
{
    party_close(party, true);
}

static void close_inside_on_end(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_end = close_with_reset_in_end;
    party_send(client, "unread", 6);
    party_close(client, false);
    RUN_UNTIL(fixture, !server->stream);
    assert_int_equal(server->ends, 1);
}

static void close_at_accept(struct party *party)
{
    party_close(party, false);
}

static void close_as_soon_as_accepted(void **state)
{
    struct fixture *fixture = *state;
    fixture->on_accept = close_at_accept;
    struct party *client = connect_client(fixture);
    RUN_UNTIL(fixture, client->ends);
}

static size_t close_all_clients(struct party *party, char *data, size_t len)
{
    (void)data;
    struct fixture *fixture = party->fixture;
    for (unsigned i = 0; i < fixture->clients_count; i++) {
        if (fixture->clients[i]->stream)
            party_close(fixture->clients[i], false);
    }
    fixture->clients[0]->step++;
    return len;
}

/* All are ready in one batch, and the first that is called closes the others. */
static void close_others_of_the_batch(void **state)
{
    enum { CONNECTIONS = 20 };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct party *client, *server;
        connect_pair(fixture, &client, &server);
        client->on_data = close_all_clients;
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        party_send(fixture->servers[i], "all at once", 11);
    RUN_UNTIL(fixture, !fixture->clients[0]->stream);
    run_a_little(fixture);
    assert_int_equal(fixture->clients[0]->step, 1);
}

/* The lingering close. */

static void finish_delivers_the_last_words_to_a_peer_that_still_sends(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = take_nothing; /* so that a plain close would reset */
    fill_pattern(&client->unsent, 300000);
    party_flush(client);
    RUN_UNTIL(fixture, server->step > 0);
    party_send(server, "last words", 10);
    fray_stream_finish(server->stream, 60000);
    server->stream = NULL;
    RUN_UNTIL(fixture, client->ends);
    assert_int_equal(client->end_why, FRAY_ERR_CLOSED);
    assert_memory_equal(client->got.data, "last words", 10);
    RUN_UNTIL(fixture, !fixture->loop->orphans);
    assert_int_equal(fixture->loop->timers.count, 0);
}

static void finish_ends_when_time_is_over(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    client->keeps_open = true; /* and never ends its side */
    fray_stream_finish(server->stream, 20);
    server->stream = NULL;
    RUN_UNTIL(fixture, client->ends);
    RUN_UNTIL(fixture, !fixture->loop->orphans);
}

static void finish_discards_only_so_much(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    client->keeps_open = true;
    fray_stream_pause(client->stream); /* does not see the end */
    fray_stream_finish(server->stream, 3600000);
    server->stream = NULL;
    fill_pattern(&client->unsent, LARGE);
    party_flush(client);
    RUN_UNTIL(fixture, !fixture->loop->orphans);
}

static void finish_of_a_stream_that_has_ended_closes(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->keeps_open = true;
    party_close(client, false);
    RUN_UNTIL(fixture, server->ends);
    fray_stream_finish(server->stream, 60000);
    server->stream = NULL;
    if (fixture->variant->has_lab) /* its FIN is on its way */
        RUN_UNTIL(fixture, !fixture->loop->orphans);
    assert_null(fixture->loop->orphans);
}

static void finish_of_a_blocked_and_paused_stream(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    fray_stream_pause(client->stream);
    fray_stream_pause(server->stream);
    fill_pattern(&server->unsent, LARGE);
    size_t all = server->unsent.len;
    while (!server->was_blocked)
        party_flush(server);
    run_a_little(fixture);
    size_t sent = all - server->unsent.len;
    fray_stream_finish(server->stream, 60000);
    server->stream = NULL;
    fray_stream_resume(client->stream);
    RUN_UNTIL(fixture, client->ends);
    assert_int_equal(client->end_why, FRAY_ERR_CLOSED);
    assert_pattern(&client->got, sent); /* TLS: what waited in the stream as well */
    RUN_UNTIL(fixture, !fixture->loop->orphans);
}

static void a_loop_is_destroyed_with_what_lingers(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    client->keeps_open = true;
    fray_stream_finish(server->stream, 60000);
    server->stream = NULL;
    assert_non_null(fixture->loop->orphans); /* the teardown does the rest */
}

static const struct contract_case cases[] = {
    CONTRACT_CASE(close_inside_on_data),
    CONTRACT_CASE(close_inside_on_writable),
    CONTRACT_CASE(close_inside_on_end),
    CONTRACT_CASE(close_as_soon_as_accepted),
    CONTRACT_CASE(close_others_of_the_batch),
    CONTRACT_CASE(finish_delivers_the_last_words_to_a_peer_that_still_sends),
    CONTRACT_CASE(finish_ends_when_time_is_over),
    CONTRACT_CASE(finish_discards_only_so_much),
    CONTRACT_CASE(finish_of_a_stream_that_has_ended_closes),
    CONTRACT_CASE(finish_of_a_blocked_and_paused_stream),
    CONTRACT_CASE(a_loop_is_destroyed_with_what_lingers),
};

int main(int argc, char **argv)
{
    return contract_run(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
