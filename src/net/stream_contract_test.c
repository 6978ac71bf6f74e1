/* What a stream promises while it is open, over every backend, plain and TLS. */
#include "net/stream_contract.h"

static size_t echo_data(struct party *party, char *data, size_t len)
{
    party_send(party, data, len);
    return len;
}

static void echo_accept(struct party *party)
{
    party->on_data = echo_data;
}

static void echo(void **state)
{
    struct fixture *fixture = *state;
    fixture->on_accept = echo_accept;
    struct party *client = connect_client(fixture);
    party_send(client, "hello", 5);
    RUN_UNTIL(fixture, client->got.len == 5);
    assert_memory_equal(client->got.data, "hello", 5);
    struct party *server = fixture->servers[0];
    assert_int_equal(fray_stream_is_tls(server->stream), fixture->variant->is_tls);
    struct fray_address local;
    struct fray_loop *loop = fixture->loop;
    assert_int_equal(loop->ops->local_address(loop, client->stream->source.fd, &local), FRAY_OK);
    assert_int_equal(fray_stream_peer(server->stream)->port, local.port);
    assert_memory_equal(fray_stream_peer(server->stream)->ip, local.ip, 16);
    assert_null(server->stream->unread); /* an idle stream owns no buffer */
    if (server->stream->tls)
        assert_null(fray_tls_output(server->stream->tls)->data);
    party_close(client, false);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->end_why, FRAY_ERR_CLOSED);
}

static void resume_by_timer(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct party *party = (struct party *)((char *)timer - offsetof(struct party, timer));
    if (party->stream)
        fray_stream_resume(party->stream);
}

/* Takes half of what it is offered and rests for a while. */
static size_t slow_data(struct party *party, char *data, size_t len)
{
    struct fray_loop *loop = party->fixture->loop;
    size_t used = (len + 1) / 2;
    fray_buf_append(&party->got, data, used);
    party->timer.on_expire = resume_by_timer;
    fray_stream_pause(party->stream);
    fray_timer_arm(&loop->timers, &party->timer, 0); /* in the next turn, or this */
    return used;
}

static void large_transfer_to_a_slow_reader(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    client->on_data = slow_data;
    fill_pattern(&server->unsent, LARGE);
    party_flush(server);
    RUN_UNTIL(fixture, client->got.len == LARGE);
    assert_true(server->was_blocked);
    assert_true(server->writables > 1);
    assert_pattern(&client->got, LARGE);
}

static void large_transfers_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    fill_pattern(&client->unsent, LARGE / 4);
    fill_pattern(&server->unsent, LARGE / 4);
    party_flush(client);
    party_flush(server);
    RUN_UNTIL(fixture, client->got.len == LARGE / 4 && server->got.len == LARGE / 4);
    assert_pattern(&client->got, LARGE / 4);
    assert_pattern(&server->got, LARGE / 4);
}

static void half_close(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->keeps_open = true;
    party_send(client, "last", 4);
    fixture->loop->ops->shutdown(fixture->loop, client->stream->source.fd);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->end_why, FRAY_ERR_CLOSED);
    assert_int_equal(server->got.len, 4);
    run_a_little(fixture);
    assert_int_equal(server->ends, 1);
    party_send(server, "answer", 6); /* the other direction lives on */
    RUN_UNTIL(fixture, client->got.len == 6);
    party_close(server, false);
    RUN_UNTIL(fixture, client->ends);
    assert_int_equal(client->end_why, FRAY_ERR_CLOSED);
}

static void reset(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->keeps_open = true;
    party_close(client, true);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->end_why, FRAY_ERR_IO);
    struct iovec part = {(void *)"x", 1};
    size_t count;
    assert_int_equal(fray_stream_writev(server->stream, &part, 1, &count), FRAY_ERR_IO);
    run_a_little(fixture);
}

static void reset_while_blocked_and_paused(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    fray_stream_pause(client->stream);
    fray_stream_pause(server->stream);
    fill_pattern(&server->unsent, LARGE);
    while (!server->was_blocked)
        party_flush(server);
    run_a_little(fixture);
    party_close(client, true);
    for (unsigned i = 0; i < 50 && !server->ends; i++) {
        run_a_little(fixture);
        if (i == 10)
            fray_stream_resume(server->stream);
    }
    assert_int_equal(server->ends, 1);
    assert_int_equal(server->end_why, FRAY_ERR_IO);
}

static size_t take_one_and_pause(struct party *party, char *data, size_t len)
{
    (void)len;
    fray_buf_append(&party->got, data, 1);
    fray_stream_pause(party->stream);
    return 1;
}

static void what_a_pause_leaves_comes_on_resume_and_then_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = take_one_and_pause;
    party_send(client, "abcdef", 6);
    party_close(client, false);
    for (unsigned taken = 1; taken <= 6; taken++) {
        RUN_UNTIL(fixture, server->got.len == taken);
        run_a_little(fixture);
        assert_int_equal(server->got.len, taken); /* nothing while it is paused */
        assert_int_equal(server->ends, 0);
        fray_stream_resume(server->stream);
    }
    RUN_UNTIL(fixture, server->ends);
    assert_memory_equal(server->got.data, "abcdef", 6);
    assert_int_equal(server->end_why, FRAY_ERR_CLOSED);
}

static size_t pause_and_resume(struct party *party, char *data, size_t len)
{
    (void)len;
    fray_stream_pause(party->stream);
    fray_buf_append(&party->got, data, 1);
    fray_stream_resume(party->stream);
    return 1;
}

static void a_resume_inside_on_data_offers_the_rest_again(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = pause_and_resume;
    party_send(client, "abcdef", 6);
    party_close(client, false);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->got.len, 6);
    assert_memory_equal(server->got.data, "abcdef", 6);
}

enum { BITE = 16, BITTEN = 1024 * 1024 };

static size_t take_a_bite(struct party *party, char *data, size_t len)
{
    size_t used = len < BITE ? len : BITE;
    fray_buf_append(&party->got, data, used);
    fray_stream_pause(party->stream);
    fray_stream_resume(party->stream);
    return used;
}

/* Were the rest moved for each bite, this would move 32 GB. */
static void small_bites_of_a_large_rest(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = take_nothing;
    fill_pattern(&client->unsent, BITTEN);
    party_flush(client);
    RUN_UNTIL(fixture, server->step == BITTEN);
    assert_non_null(server->stream->unread);
    assert_true(server->stream->unread->cap <= 4 * BITTEN);
    server->on_data = take_a_bite;
    fray_stream_pause(server->stream);
    fray_stream_resume(server->stream);
    RUN_UNTIL(fixture, server->got.len > BITTEN / 10 * 9);
    assert_true(server->stream->unread->cap < BITTEN); /* memory goes back on the way */
    RUN_UNTIL(fixture, server->got.len == BITTEN);
    assert_pattern(&server->got, BITTEN);
    RUN_UNTIL(fixture, !server->stream->unread);
}

enum { FRAME = 7, FRAMES = 100000 };

static size_t take_whole_frames(struct party *party, char *data, size_t len)
{
    size_t used = len - len % FRAME;
    fray_buf_append(&party->got, data, used);
    memset(data, 0xee, used); /* ours to change, but the rest has to come as we leave it */
    return used;
}

static void incomplete_frames_are_kept(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = take_whole_frames;
    struct fray_buf all = {0};
    fill_pattern(&all, FRAME * FRAMES);
    for (size_t at = 0, piece = 1; at < all.len; at += piece, piece = piece * 5 % 9973 + 1) {
        if (piece > all.len - at)
            piece = all.len - at;
        party_send(client, all.data + at, piece);
        fray_loop_turn(fixture->loop, 0);
    }
    fray_buf_deinit(&all);
    RUN_UNTIL(fixture, server->got.len == FRAME * FRAMES);
    assert_pattern(&server->got, FRAME * FRAMES);
    RUN_UNTIL(fixture, !server->stream->unread);
}

/* Adoption: one handler reads the head, the next the body. */

static size_t body_data(struct fray_stream *stream, char *data, size_t len)
{
    struct party *party = stream->owner;
    party->step++;
    fray_buf_append(&party->got, data, len);
    return len;
}

static const struct fray_stream_handler body_handler = {body_data, on_writable, on_end};

static size_t head_data(struct party *party, char *data, size_t len)
{
    char *end = memchr(data, '\n', len);
    if (!end)
        return 0;
    fray_stream_adopt(party->stream, &body_handler, party);
    return (size_t)(end + 1 - data);
}

static void an_adopter_is_offered_the_rest(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = head_data;
    party_send(client, "HE", 2);
    run_a_little(fixture);
    assert_int_equal(server->step, 0);
    party_send(client, "AD\nbody", 7);
    RUN_UNTIL(fixture, server->got.len == 4);
    assert_memory_equal(server->got.data, "body", 4);
    party_send(client, "more", 4);
    party_close(client, false);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->got.len, 8);
}

static void an_adopter_from_outside_is_offered_the_rest_and_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct party *client, *server;
    connect_pair(fixture, &client, &server);
    server->on_data = take_nothing;
    party_send(client, "waiting", 7);
    RUN_UNTIL(fixture, server->step == 7);
    party_close(client, false);
    fray_stream_adopt(server->stream, &body_handler, server);
    RUN_UNTIL(fixture, server->ends);
    assert_int_equal(server->got.len, 7);
}

static void many_connections(void **state)
{
    enum { CONNECTIONS = 200 };
    struct fixture *fixture = *state;
    fixture->on_accept = echo_accept;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        char text[16];
        party_send(connect_client(fixture), text,
                   (size_t)snprintf(text, sizeof text, "client%03u", i));
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct party *client = fixture->clients[i];
        char text[16];
        RUN_UNTIL(fixture, client->got.len == 9);
        snprintf(text, sizeof text, "client%03u", i);
        assert_memory_equal(client->got.data, text, 9);
        party_close(client, i % 2);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        RUN_UNTIL(fixture, fixture->servers[i]->ends);
}

/* TLS from the middle of a connection, and a peer that does not speak it. */

static size_t sniff(struct party *party, char *data, size_t len)
{
    party->on_data = NULL;
    enum fray_err err =
        fray_stream_start_tls(party->stream, party->fixture->server_context, fray_slice(data, len));
    if (err)
        party_close(party, false);
    party->end_why = err;
    return len;
}

static void start_to_sniff(struct party *party)
{
    party->on_data = sniff;
}

static void tls_begins_with_bytes_read_before(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->variant->is_tls)
        return;
    struct fray_tls_context *client_context = fixture->client_context;
    fixture->on_accept = start_to_sniff;
    static const struct variant plain = {.name = "plain"};
    const struct variant *variant = fixture->variant;
    fixture->variant = &plain; /* the server's end begins without TLS */
    for (unsigned speaks_tls = 0; speaks_tls < 2; speaks_tls++) {
        struct party *client = connect_client(fixture);
        client->keeps_open = true;
        if (speaks_tls)
            assert_int_equal(
                fray_stream_start_tls(client->stream, client_context, (struct fray_slice){0}),
                FRAY_OK);
        /* Without TLS these are a record with a ClientHello that is too short. */
        static const char bytes[] = "\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03";
        party_send(client, bytes, sizeof bytes - 1);
        RUN_UNTIL(fixture, fixture->servers_count == speaks_tls + 1);
        struct party *server = fixture->servers[speaks_tls];
        if (speaks_tls) {
            RUN_UNTIL(fixture, server->got.len == sizeof bytes - 1);
        } else {
            RUN_UNTIL(fixture, client->ends);
            assert_int_equal(server->end_why, FRAY_ERR_IO);
            assert_int_equal(client->got.data[0], 21); /* an alert (RFC 8446 B.1) */
        }
    }
    fixture->variant = variant;
}

static void a_refused_connect_ends(void **state)
{
    struct fixture *fixture = *state;
    fray_source_close(fixture->loop, &fixture->listener, false);
    static const struct variant plain = {.name = "plain"};
    const struct variant *variant = fixture->variant;
    fixture->variant = &plain; /* TLS would find out while it sends its first words */
    struct party *client = connect_client(fixture);
    fixture->variant = variant;
    RUN_UNTIL(fixture, client->ends);
    assert_int_equal(client->end_why, FRAY_ERR_IO);
    struct fray_loop *loop = fixture->loop;
    fixture->address.port = 0;
    assert_int_equal(loop->ops->listen(loop, &fixture->address, false, &fixture->listener.fd),
                     FRAY_OK);
}

static const struct contract_case cases[] = {
    CONTRACT_CASE(echo),
    CONTRACT_CASE(large_transfer_to_a_slow_reader),
    CONTRACT_CASE(large_transfers_both_ways),
    CONTRACT_CASE(half_close),
    CONTRACT_CASE(reset),
    CONTRACT_CASE(reset_while_blocked_and_paused),
    CONTRACT_CASE(what_a_pause_leaves_comes_on_resume_and_then_the_end),
    CONTRACT_CASE(a_resume_inside_on_data_offers_the_rest_again),
    CONTRACT_CASE(small_bites_of_a_large_rest),
    CONTRACT_CASE(incomplete_frames_are_kept),
    CONTRACT_CASE(an_adopter_is_offered_the_rest),
    CONTRACT_CASE(an_adopter_from_outside_is_offered_the_rest_and_the_end),
    CONTRACT_CASE(many_connections),
    CONTRACT_CASE(tls_begins_with_bytes_read_before),
    CONTRACT_CASE(a_refused_connect_ends),
};

int main(int argc, char **argv)
{
    return contract_run(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : NULL);
}
