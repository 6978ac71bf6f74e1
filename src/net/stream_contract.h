/* For the tests of what a stream promises (net/stream.h): two ends of a connection on one loop, in
 * eight variants: epoll and simulated, plain and TLS, with the network lab between them or not.
 * Included by *_contract_test.c only. */
#ifndef FRAY_NET_STREAM_CONTRACT_H
#define FRAY_NET_STREAM_CONTRACT_H

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
#include "net/lab_wire.h"
#include "net/loop_sim.h"
#include "net/stream.h"
#include "net/stream_unread.h"
#include "net/tls.h"

#define CONTRACT_FN __attribute__((unused)) static

struct variant {
    const char *name;
    bool is_sim, is_tls, has_lab;
};

static const struct variant variants[] = {
    {"epoll", false, false, false},    {"epoll_tls", false, true, false},
    {"sim", true, false, false},       {"sim_tls", true, true, false},
    {"epoll_lab", false, false, true}, {"epoll_tls_lab", false, true, true},
    {"sim_lab", true, false, true},    {"sim_tls_lab", true, true, true},
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

CONTRACT_FN int lowest_free_fd(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

/* Parties. */

CONTRACT_FN void party_close(struct party *party, bool reset)
{
    fray_stream_close(party->stream, reset);
    party->stream = NULL;
}

CONTRACT_FN void party_flush(struct party *party)
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

CONTRACT_FN void party_send(struct party *party, const void *data, size_t len)
{
    fray_buf_append(&party->unsent, data, len);
    party_flush(party);
}

CONTRACT_FN size_t on_data(struct fray_stream *stream, char *data, size_t len)
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

CONTRACT_FN void on_writable(struct fray_stream *stream)
{
    struct party *party = stream->owner;
    party->writables++;
    if (party->on_writable)
        party->on_writable(party);
    else
        party_flush(party);
}

CONTRACT_FN void on_end(struct fray_stream *stream, enum fray_err why)
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

CONTRACT_FN struct party *party_create(struct fixture *fixture, int fd,
                                       const struct fray_address *peer)
{
    struct party *party = fray_alloc_zero(sizeof *party);
    party->fixture = fixture;
    party->stream = fray_stream_create(fixture->loop, fd, peer, &handler, party);
    assert_non_null(party->stream);
    return party;
}

CONTRACT_FN void party_start_tls(struct party *party, struct fray_tls_context *context)
{
    if (party->fixture->variant->is_tls)
        assert_int_equal(fray_stream_start_tls(party->stream, context, (struct fray_slice){0}),
                         FRAY_OK);
}

CONTRACT_FN void party_destroy(struct party *party)
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

CONTRACT_FN void on_connection(struct fray_loop *loop, struct fray_source *source, unsigned ready)
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

CONTRACT_FN int set_up(void **state)
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
    if (fixture->variant->has_lab) /* real time passes, simulated time is free */
        fray_lab_set_all(
            fixture->loop,
            fixture->variant->is_sim
                ? &(struct fray_lab_settings){.delay_ms = 30, .jitter_ms = 20, .loss_percent = 1}
                : &(struct fray_lab_settings){.delay_ms = 1, .jitter_ms = 1});
    if (fixture->variant->is_tls) {
        fixture->server_context = fray_tls_context_create_self_signed();
        fixture->client_context = fray_tls_context_create_client(true);
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

CONTRACT_FN int tear_down(void **state)
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

CONTRACT_FN struct party *connect_client(struct fixture *fixture)
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
CONTRACT_FN void run_a_little(struct fixture *fixture)
{
    uint64_t wait_us = fixture->variant->is_sim ? 10000 : fixture->variant->has_lab ? 1000 : 0;
    for (unsigned i = 0; i < 50; i++)
        fray_loop_turn(fixture->loop, wait_us);
}

/* A connection that is ready on both sides (TLS: after the handshake). */
CONTRACT_FN void connect_pair(struct fixture *fixture, struct party **client, struct party **server)
{
    *client = connect_client(fixture);
    party_send(*client, "!", 1);
    RUN_UNTIL(fixture, fixture->servers_count == fixture->clients_count);
    *server = fixture->servers[fixture->servers_count - 1];
    RUN_UNTIL(fixture, (*server)->got.len == 1);
    (*server)->got.len = 0;
    (*server)->datas = 0;
}

CONTRACT_FN void fill_pattern(struct fray_buf *buf, size_t len)
{
    uint32_t x = 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        fray_buf_append_byte(buf, (uint8_t)(x >> 24));
    }
}

CONTRACT_FN void assert_pattern(const struct fray_buf *got, size_t len)
{
    struct fray_buf expected = {0};
    fill_pattern(&expected, len);
    assert_int_equal(got->len, len);
    assert_memory_equal(got->data, expected.data, len);
    fray_buf_deinit(&expected);
}

/* More than any socket takes. */
enum { LARGE = 12 * 1024 * 1024 };

CONTRACT_FN size_t take_nothing(struct party *party, char *data, size_t len)
{
    (void)data;
    party->step = len;
    return 0;
}

/* Cases and how they are run. */

struct contract_case {
    const char *name;
    CMUnitTestFunction run;
};

#define CONTRACT_CASE(test)                                                                        \
    {                                                                                              \
#test, test                                                                                \
    }

enum { VARIANTS = sizeof variants / sizeof *variants };

/* Runs every case in every variant; a pattern such as "echo_*" chooses among them (NULL: all). */
CONTRACT_FN int contract_run(const struct contract_case *cases, size_t count, const char *pattern)
{
    size_t all = count * VARIANTS;
    struct CMUnitTest *tests = fray_alloc_zero(all * sizeof *tests);
    char(*names)[100] = fray_alloc_zero(all * sizeof *names);
    for (size_t i = 0; i < all; i++) {
        const struct variant *variant = &variants[i / count];
        const struct contract_case *one = &cases[i % count];
        snprintf(names[i], sizeof names[i], "%s_%s", one->name, variant->name);
        tests[i] = (struct CMUnitTest){names[i], one->run, set_up, tear_down, (void *)variant};
    }
    if (pattern)
        cmocka_set_test_filter(pattern);
    int failed = _cmocka_run_group_tests("stream_contract", tests, all, NULL, NULL);
    free(names);
    free(tests);
    return failed;
}

#endif
