/* What a stream promises, over every backend, plain and TLS: net/stream.h. */
#include "net/stream.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop_sim.h"
#include "net/stream_unread.h"
#include "net/tls.h"

struct variant {
    const char *name;
    bool is_sim, is_tls;
};

static const struct variant variants[] = {
    {"epoll", false, false},
    {"epoll_tls", false, true},
    {"sim", true, false},
    {"sim_tls", true, true},
};

enum { TURNS_MAX = 400000, WAIT_US = 5000000, PARTIES_MAX = 512 };

/* One end of a connection, with a handler that a test may change call by call. */
struct party {
    struct fixture *fixture;
    struct fray_stream *stream; /* NULL: closed */
    struct fray_buf got, unsent;
    unsigned writables, ends, datas;
    enum fray_err end_why;
    bool was_blocked, keeps_open; /* keeps_open: does not close on the end */
    size_t (*on_data)(struct party *party, char *data, size_t len);
    void (*on_writable)(struct party *party);
    void (*on_end)(struct party *party);
    struct fray_timer timer;
    size_t step;
};

struct fixture {
    const struct variant *variant;
    struct fray_sim_network *network;
    struct fray_loop *loop;
    struct fray_source listener;
    struct fray_address address;
    struct fray_tls_context *server_context, *client_context;
    void (*on_accept)(struct party *party); /* sets up the server's end */
    struct party *servers[PARTIES_MAX], *clients[PARTIES_MAX];
    unsigned servers_count, clients_count;
    int first_fd; /* epoll: the lowest free at the start */
};

static int lowest_free_fd(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

/* Parties. */

static void party_close(struct party *party, bool reset)
{
    fray_stream_close(party->stream, reset);
    party->stream = NULL;
}

static void party_flush(struct party *party)
{
    while (party->stream && party->unsent.len > 0) {
        size_t count, half = party->unsent.len / 2;
        struct iovec parts[2] = {{party->unsent.data, half},
                                 {party->unsent.data + half, party->unsent.len - half}};
        size_t asked = party->unsent.len;
        enum fray_err err = fray_stream_writev(party->stream, parts, 2, &count);
        assert_true(count <= asked);
        assert_true((err == FRAY_OK) == (count == asked));
        fray_buf_consume(&party->unsent, count);
        if (party->stream->tls) /* what TLS keeps is bounded */
            assert_true(fray_tls_output(party->stream->tls)->len < FRAY_TLS_BATCH_MAX + 2048);
        party->was_blocked |= err == FRAY_ERR_AGAIN;
        if (err)
            return;
    }
}

static void party_send(struct party *party, const void *data, size_t len)
{
    fray_buf_append(&party->unsent, data, len);
    party_flush(party);
}

static size_t on_data(struct fray_stream *stream, char *data, size_t len)
{
    struct party *party = stream->owner;
    assert_ptr_equal(party->stream, stream);
    assert_false(stream->is_paused);
    assert_true(len > 0);
    party->datas++;
    if (party->on_data)
        return party->on_data(party, data, len);
    fray_buf_append(&party->got, data, len);
    return len;
}

static void on_writable(struct fray_stream *stream)
{
    struct party *party = stream->owner;
    party->writables++;
    if (party->on_writable)
        party->on_writable(party);
    else
        party_flush(party);
}

static void on_end(struct fray_stream *stream, enum fray_err why)
{
    struct party *party = stream->owner;
    assert_false(stream->is_paused);
    assert_int_equal(party->ends, 0);
    party->ends++;
    party->end_why = why;
    if (party->on_end)
        party->on_end(party);
    else if (!party->keeps_open)
        party_close(party, false);
}

static const struct fray_stream_handler handler = {on_data, on_writable, on_end};

static struct party *party_create(struct fixture *fixture, int fd, const struct fray_address *peer)
{
    struct party *party = fray_alloc_zero(sizeof *party);
    party->fixture = fixture;
    party->stream = fray_stream_create(fixture->loop, fd, peer, &handler, party);
    assert_non_null(party->stream);
    return party;
}

static void party_start_tls(struct party *party, struct fray_tls_context *context)
{
    if (party->fixture->variant->is_tls)
        assert_int_equal(fray_stream_start_tls(party->stream, context, (struct fray_slice){0}),
                         FRAY_OK);
}

static void party_destroy(struct party *party)
{
    if (!party)
        return;
    if (party->stream)
        party_close(party, false);
    fray_timer_cancel(&party->fixture->loop->timers, &party->timer);
    fray_buf_deinit(&party->got);
    fray_buf_deinit(&party->unsent);
    free(party);
}

/* The fixture: a listener and its two kinds of parties, on one loop. */

static void on_connection(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    (void)ready;
    struct fixture *fixture =
        (struct fixture *)((char *)source - offsetof(struct fixture, listener));
    struct fray_address peer;
    int fd;
    while (!loop->ops->accept(loop, source->fd, &fd, &peer)) {
        assert(fixture->servers_count < PARTIES_MAX);
        struct party *party = party_create(fixture, fd, &peer);
        fixture->servers[fixture->servers_count++] = party;
        party_start_tls(party, fixture->server_context);
        if (fixture->on_accept)
            fixture->on_accept(party);
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = fray_alloc_zero(sizeof *fixture);
    fixture->variant = *state;
    *state = fixture;
    fixture->first_fd = lowest_free_fd();
    if (fixture->variant->is_sim) {
        fixture->network = fray_sim_network_create(1);
        fixture->loop = fray_loop_sim_create(fixture->network);
    } else {
        fixture->loop = fray_loop_epoll_create();
    }
    if (fixture->variant->is_tls) {
        fixture->server_context = fray_tls_context_create_self_signed();
        fixture->client_context = fray_tls_context_create_client();
    }
    struct fray_loop *loop = fixture->loop;
    enum fray_err err = fray_address_parse(&fixture->address, FRAY_SLICE("127.0.0.1:0"));
    assert(!err);
    err = loop->ops->listen(loop, &fixture->address, false, &fixture->listener.fd);
    assert(!err);
    err = loop->ops->local_address(loop, fixture->listener.fd, &fixture->address);
    assert(!err);
    fixture->listener.on_ready = on_connection;
    return loop->ops->watch(loop, &fixture->listener, FRAY_READY_READ) != FRAY_OK;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < PARTIES_MAX; i++) {
        party_destroy(fixture->servers[i]);
        party_destroy(fixture->clients[i]);
    }
    fray_source_close(fixture->loop, &fixture->listener, false);
    while (fixture->loop->orphans)
        fixture->loop->orphans->destroy(fixture->loop, fixture->loop->orphans);
    int leaked = fixture->variant->is_sim ? (int)fray_sim_descriptors(fixture->loop) : 0;
    leaked += fixture->loop->timers.count != 0;
    fray_loop_destroy(fixture->loop);
    if (fixture->network)
        fray_sim_network_destroy(fixture->network);
    if (fixture->variant->is_tls) {
        fray_tls_context_destroy(fixture->server_context);
        fray_tls_context_destroy(fixture->client_context);
    }
    leaked += lowest_free_fd() != fixture->first_fd;
    free(fixture);
    return leaked;
}

static struct party *connect_client(struct fixture *fixture)
{
    int fd;
    struct fray_loop *loop = fixture->loop;
    assert_int_equal(loop->ops->connect(loop, &fixture->address, &fd), FRAY_OK);
    struct party *party = party_create(fixture, fd, &fixture->address);
    fixture->clients[fixture->clients_count++] = party;
    party_start_tls(party, fixture->client_context);
    return party;
}

/* Turns until the condition holds, which has to be soon. */
#define RUN_UNTIL(fixture, condition)                                                              \
    do {                                                                                           \
        for (unsigned turns = 0; !(condition); turns++) {                                          \
            assert_true(turns < TURNS_MAX);                                                        \
            fray_loop_turn((fixture)->loop, WAIT_US);                                              \
        }                                                                                          \
    } while (0)

/* Lets everything happen that is on its way, without waiting for what will not come. */
static void run_a_little(struct fixture *fixture)
{
    for (unsigned i = 0; i < 50; i++)
        fray_loop_turn(fixture->loop, fixture->variant->is_sim ? 10000 : 0);
}

/* A connection that is ready on both sides (TLS: after the handshake). */
static void connect_pair(struct fixture *fixture, struct party **client, struct party **server)
{
    *client = connect_client(fixture);
    party_send(*client, "!", 1);
    RUN_UNTIL(fixture, fixture->servers_count == fixture->clients_count);
    *server = fixture->servers[fixture->servers_count - 1];
    RUN_UNTIL(fixture, (*server)->got.len == 1);
    (*server)->got.len = 0;
    (*server)->datas = 0;
}

static void fill_pattern(struct fray_buf *buf, size_t len)
{
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        fray_buf_append_byte(buf, (uint8_t)(x >> 24));
    }
}

static void assert_pattern(const struct fray_buf *got, size_t len)
{
    struct fray_buf expected = {0};
    fill_pattern(&expected, len);
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, expected.data, len);
    fray_buf_deinit(&expected);
}

/* The cases. */

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

enum { LARGE = 12 * 1024 * 1024 };

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
    fray_timer_arm(&loop->timers, &party->timer, loop->now_us + 1000);
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

static size_t take_nothing(struct party *party, char *data, size_t len)
{
    (void)data;
    party->step = len;
    return 0;
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
    static const struct variant plain = {"plain", false, false};
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
    static const struct variant plain = {"plain", false, false};
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

#define CASE(test)                                                                                 \
    {                                                                                              \
#test, test                                                                                \
    }

static const struct {
    const char *name;
    CMUnitTestFunction run;
} cases[] = {
    CASE(echo),
    CASE(large_transfer_to_a_slow_reader),
    CASE(large_transfers_both_ways),
    CASE(half_close),
    CASE(reset),
    CASE(reset_while_blocked_and_paused),
    CASE(what_a_pause_leaves_comes_on_resume_and_then_the_end),
    CASE(a_resume_inside_on_data_offers_the_rest_again),
    CASE(small_bites_of_a_large_rest),
    CASE(incomplete_frames_are_kept),
    CASE(an_adopter_is_offered_the_rest),
    CASE(an_adopter_from_outside_is_offered_the_rest_and_the_end),
    CASE(many_connections),
    CASE(close_inside_on_data),
    CASE(close_inside_on_writable),
    CASE(close_inside_on_end),
    CASE(close_as_soon_as_accepted),
    CASE(close_others_of_the_batch),
    CASE(finish_delivers_the_last_words_to_a_peer_that_still_sends),
    CASE(finish_ends_when_time_is_over),
    CASE(finish_discards_only_so_much),
    CASE(finish_of_a_stream_that_has_ended_closes),
    CASE(finish_of_a_blocked_and_paused_stream),
    CASE(a_loop_is_destroyed_with_what_lingers),
    CASE(tls_begins_with_bytes_read_before),
    CASE(a_refused_connect_ends),
};

enum {
    CASES = sizeof cases / sizeof *cases,
    VARIANTS = sizeof variants / sizeof *variants,
};

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[CASES * VARIANTS];
    static char names[CASES * VARIANTS][100];
    for (size_t i = 0; i < CASES * VARIANTS; i++) {
        const struct variant *variant = &variants[i / CASES];
        snprintf(names[i], sizeof names[i], "%s_%s", cases[i % CASES].name, variant->name);
        tests[i] =
            (struct CMUnitTest){names[i], cases[i % CASES].run, set_up, tear_down, (void *)variant};
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]); /* a pattern such as "echo_*" */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
