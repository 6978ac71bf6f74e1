#include "net/loop_sim.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/stream.h"
#include "net/tls.h"

/* A server that echoes and clients that each send a pattern and check what comes back, every one a
 * host of its own. */

enum { CLIENTS_MAX = 12, PAYLOAD_MAX = 100000 };

struct world;

struct client {
    struct world *world;
    struct fray_loop *loop;
    struct fray_stream *stream; /* NULL: closed */
    uint8_t key;
    size_t payload, sent, received;
    bool was_blocked;
    enum fray_err end_why;
};

struct world {
    struct fray_sim_network *network;
    struct fray_loop *server;
    struct fray_source listener;
    struct fray_address address;
    struct fray_tls_context *server_context, *client_context; /* NULL: plain */
    struct fray_stream *streams[CLIENTS_MAX];                 /* the server's; NULL: closed */
    unsigned accepted;
    struct client clients[CLIENTS_MAX];
    unsigned clients_count;
};

static uint8_t pattern(const struct client *client, size_t at)
{
    return (uint8_t)(client->key + at * 31 + at / 251);
}

/* The server keeps what it cannot echo yet by not consuming it. */
static size_t echo(struct fray_stream *stream, char *data, size_t len)
{
    struct iovec part = {data, len};
    size_t count;
    enum fray_err err = fray_stream_writev(stream, &part, 1, &count);
    if (err == FRAY_ERR_IO)
        return len;
    if (err)
        fray_stream_pause(stream);
    return count;
}

static void echo_writable(struct fray_stream *stream)
{
    fray_stream_resume(stream);
}

static void echo_end(struct fray_stream *stream, enum fray_err why)
{
    (void)why;
    *(struct fray_stream **)stream->owner = NULL;
    fray_stream_close(stream, false);
}

static const struct fray_stream_handler echo_handler = {echo, echo_writable, echo_end};

static void on_connection(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    (void)ready;
    struct world *world = (struct world *)((char *)source - offsetof(struct world, listener));
    struct fray_address peer;
    int fd;
    while (!loop->ops->accept(loop, source->fd, &fd, &peer)) {
        struct fray_stream **slot = &world->streams[world->accepted++];
        assert_int_equal(peer.ip[12], 10);
        struct fray_stream *stream = *slot =
            fray_stream_create(loop, fd, &peer, &echo_handler, slot);
        if (world->server_context)
            assert_int_equal(
                fray_stream_start_tls(stream, world->server_context, (struct fray_slice){0}),
                FRAY_OK);
    }
}

static void client_send(struct client *client)
{
    while (client->sent < client->payload) {
        char chunk[3000];
        size_t len = client->payload - client->sent, count;
        len = len < sizeof chunk ? len : sizeof chunk;
        for (size_t i = 0; i < len; i++)
            chunk[i] = (char)pattern(client, client->sent + i);
        struct iovec part = {chunk, len};
        enum fray_err err = fray_stream_writev(client->stream, &part, 1, &count);
        client->sent += count;
        client->was_blocked |= err == FRAY_ERR_AGAIN;
        if (err)
            return;
    }
}

static size_t client_data(struct fray_stream *stream, char *data, size_t len)
{
    struct client *client = stream->owner;
    for (size_t i = 0; i < len; i++)
        assert_int_equal((uint8_t)data[i], pattern(client, client->received + i));
    client->received += len;
    assert_true(client->received <= client->payload);
    if (client->received == client->payload) {
        fray_stream_close(stream, false);
        client->stream = NULL;
    }
    return len;
}

static void client_writable(struct fray_stream *stream)
{
    client_send(stream->owner);
}

static void client_end(struct fray_stream *stream, enum fray_err why)
{
    struct client *client = stream->owner;
    client->end_why = why;
    client->stream = NULL;
    fray_stream_close(stream, false);
}

static const struct fray_stream_handler client_handler = {client_data, client_writable, client_end};

static void open_listener(struct world *world)
{
    const struct fray_loop_ops *ops = world->server->ops;
    assert_int_equal(fray_address_parse(&world->address, FRAY_SLICE("0.0.0.0:7000")), FRAY_OK);
    world->listener.on_ready = on_connection;
    assert_int_equal(ops->listen(world->server, &world->address, false, &world->listener.fd),
                     FRAY_OK);
    assert_int_equal(ops->watch(world->server, &world->listener, FRAY_READY_READ), FRAY_OK);
    assert_int_equal(fray_address_parse(&world->address, FRAY_SLICE("127.0.0.1:7000")), FRAY_OK);
}

static struct world *world_create(uint64_t seed, bool is_tls)
{
    struct world *world = fray_alloc_zero(sizeof *world);
    world->network = fray_sim_network_create(seed);
    world->server = fray_loop_sim_create(world->network);
    if (is_tls) {
        world->server_context = fray_tls_context_create_self_signed();
        world->client_context = fray_tls_context_create_client(true);
    }
    open_listener(world);
    return world;
}

/* The end of the server's process, and another one in its place. */
static void restart_server(struct world *world)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (world->streams[i])
            fray_stream_close(world->streams[i], false);
        world->streams[i] = NULL;
    }
    fray_loop_destroy(world->server); /* which closes the listener */
    world->server = fray_loop_sim_create(world->network);
    open_listener(world);
}

static struct client *world_connect(struct world *world, size_t payload)
{
    struct client *client = &world->clients[world->clients_count++];
    *client = (struct client){.world = world, .payload = payload};
    client->key = (uint8_t)(world->clients_count * 17);
    client->loop = fray_loop_sim_create(world->network);
    int fd;
    assert_int_equal(client->loop->ops->connect(client->loop, &world->address, &fd), FRAY_OK);
    client->stream = fray_stream_create(client->loop, fd, &world->address, &client_handler, client);
    if (world->client_context)
        assert_int_equal(
            fray_stream_start_tls(client->stream, world->client_context, (struct fray_slice){0}),
            FRAY_OK);
    client_send(client);
    return client;
}

static bool are_clients_done(void *context)
{
    struct world *world = context;
    for (unsigned i = 0; i < world->clients_count; i++) {
        if (world->clients[i].stream)
            return false;
    }
    return true;
}

static bool run(struct world *world, uint64_t for_us)
{
    return fray_sim_run_until(world->network, fray_sim_now_us(world->network) + for_us,
                              are_clients_done, world);
}

static void run_to_the_end(struct world *world, uint64_t for_us)
{
    fray_sim_run_until(world->network, fray_sim_now_us(world->network) + for_us, NULL, NULL);
}

static void world_destroy(struct world *world)
{
    for (unsigned i = 0; i < world->clients_count; i++) {
        if (world->clients[i].stream)
            fray_stream_close(world->clients[i].stream, true);
        assert_int_equal(fray_sim_descriptors(world->clients[i].loop), 0);
        fray_loop_destroy(world->clients[i].loop);
    }
    run_to_the_end(world, 10000000);
    assert_int_equal(fray_sim_descriptors(world->server), 1); /* the listener */
    fray_source_close(world->server, &world->listener, false);
    fray_loop_destroy(world->server);
    fray_sim_network_destroy(world->network);
    if (world->server_context) {
        fray_tls_context_destroy(world->server_context);
        fray_tls_context_destroy(world->client_context);
    }
    free(world);
}

/* Weather: options that a seed chooses, with and without what ends connections. */
static void make_weather(struct world *world, uint64_t seed, bool ends_connections)
{
    struct fray_rng rng;
    fray_rng_init(&rng, seed);
    struct fray_sim_options *options = fray_sim_network_options(world->network);
    options->latency_us = fray_rng_below(&rng, 100000);
    options->jitter_us = fray_rng_below(&rng, 50000);
    options->window = 1 + fray_rng_below(&rng, 60000);
    options->segment_max = 1 + fray_rng_below(&rng, 9000);
    options->lose_segment = (unsigned)fray_rng_below(&rng, 50);
    options->bytes_per_second =
        fray_rng_below(&rng, 3) ? 0 : 100000 + fray_rng_below(&rng, 1000000);
    if (!ends_connections)
        return;
    options->refuse_connect = 50;
    options->reset_segment = (unsigned)fray_rng_below(&rng, 20);
}

static uint64_t run_in_weather(uint64_t seed, bool ends_connections, bool is_tls)
{
    struct world *world = world_create(seed, is_tls);
    make_weather(world, seed, ends_connections);
    struct fray_sim_options *options = fray_sim_network_options(world->network);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        /* A tiny window makes for a slow transfer, so those are short. */
        size_t bytes = options->window < 2000 ? 500 : PAYLOAD_MAX;
        world_connect(world, bytes / (i + 1));
    }
    bool done = run(world, UINT64_C(36000000000));
    assert_true(done);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &world->clients[i];
        if (ends_connections)
            assert_true(client->received == client->payload || client->end_why == FRAY_ERR_IO);
        else
            assert_int_equal(client->received, client->payload);
    }
    run_to_the_end(world, 1000000);
    uint64_t hash = fray_sim_trace_hash(world->network);
    world_destroy(world);
    return hash;
}

static void a_seed_repeats_event_for_event(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        uint64_t hash = run_in_weather(seed, true, false);
        assert_true(hash == run_in_weather(seed, true, false));
        assert_true(hash != run_in_weather(seed + 100, true, false));
    }
}

static void nothing_is_lost_in_bad_weather(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_in_weather(seed, false, false);
}

static void nothing_is_lost_in_bad_weather_tls(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        run_in_weather(seed, false, true);
}

static void resets_lose_the_end_only(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        run_in_weather(seed, true, seed % 8 == 0);
}

static void latency_and_bandwidth_take_their_time(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    struct fray_sim_options *options = fray_sim_network_options(world->network);
    options->latency_us = 40000;
    options->jitter_us = 0;
    uint64_t start_us = fray_sim_now_us(world->network);
    world_connect(world, 1);
    assert_true(run(world, 10000000));
    assert_int_equal(fray_sim_now_us(world->network) - start_us, 4 * 40000); /* connect, echo */

    options->latency_us = 0;
    options->bytes_per_second = 50000;
    start_us = fray_sim_now_us(world->network);
    struct client *client = world_connect(world, 50000);
    assert_true(run(world, 10000000));
    assert_false(client->was_blocked && client->received < client->payload);
    assert_in_range(fray_sim_now_us(world->network) - start_us, 990000, 1100000);
    world_destroy(world);
}

static void a_full_window_blocks_the_writer(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    fray_sim_network_options(world->network)->window = 5000;
    struct client *client = world_connect(world, 50000);
    assert_true(run(world, 10000000));
    assert_true(client->was_blocked);
    assert_int_equal(client->received, 50000);
    world_destroy(world);
}

static void a_stalled_connection_is_silent(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    struct client *client = world_connect(world, PAYLOAD_MAX);
    run_to_the_end(world, 5000);
    size_t received = client->received;
    assert_true(client->sent > 0 && received < client->payload);
    fray_sim_stall(client->loop, client->stream->source.fd);
    assert_false(run(world, UINT64_C(3600000000)));
    assert_int_equal(client->end_why, FRAY_OK);
    assert_int_equal(client->received, received);
    assert_int_equal(fray_sim_descriptors(world->server), 2); /* half-open: it cannot know */
    restart_server(world);
    world_destroy(world);
}

static void a_reset_reaches_both_ends(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    struct client *client = world_connect(world, PAYLOAD_MAX);
    run_to_the_end(world, 5000);
    fray_sim_reset(client->loop, client->stream->source.fd);
    assert_true(run(world, 1000000));
    assert_int_equal(client->end_why, FRAY_ERR_IO);
    world_destroy(world);
}

static void a_reset_loses_what_is_on_its_way(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    struct fray_sim_options *options = fray_sim_network_options(world->network);
    options->latency_us = 10000;
    options->jitter_us = 0;
    struct client *client = world_connect(world, 100);
    run_to_the_end(world, 35000); /* connected at 20 ms, sent, echoed at 30 ms, due here at 40 ms */
    assert_int_equal(client->sent, 100);
    fray_sim_reset(client->loop, client->stream->source.fd);
    assert_true(run(world, 1000000));
    assert_int_equal(client->received, 0);
    assert_int_equal(client->end_why, FRAY_ERR_IO);
    world_destroy(world);
}

static void connects_are_refused_where_nobody_listens(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    world->address.port = 7001;
    struct client *client = world_connect(world, 10);
    assert_true(run(world, 1000000));
    assert_int_equal(client->end_why, FRAY_ERR_IO);
    world->address.port = 7000;
    fray_sim_network_options(world->network)->refuse_connect = 1000;
    client = world_connect(world, 10);
    assert_true(run(world, 1000000));
    assert_int_equal(client->end_why, FRAY_ERR_IO);
    assert_int_equal(world->accepted, 0);
    world_destroy(world);
}

static void without_descriptors_clients_are_turned_away(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    fray_sim_set_descriptors_max(world->server, 3); /* a listener and two more */
    for (unsigned i = 0; i < 5; i++)
        world_connect(world, PAYLOAD_MAX);
    run_to_the_end(world, 3000);
    assert_int_equal(world->accepted, 2);
    assert_int_equal(world->server->refused, 3);
    assert_true(run(world, 10000000));
    unsigned served = 0;
    for (unsigned i = 0; i < 5; i++)
        served += world->clients[i].received == PAYLOAD_MAX;
    assert_int_equal(served, 2);
    world_destroy(world);
}

static void a_server_that_dies_ends_its_connections(void **state)
{
    (void)state;
    struct world *world = world_create(1, false);
    struct client *client = world_connect(world, PAYLOAD_MAX);
    run_to_the_end(world, 5000);
    restart_server(world);
    assert_true(run(world, 1000000));
    assert_true(client->end_why == FRAY_ERR_IO || client->end_why == FRAY_ERR_CLOSED);
    client = world_connect(world, 1000);
    assert_true(run(world, 1000000));
    assert_int_equal(client->received, 1000);
    world_destroy(world);
}

static void count_and_accept(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    (void)ready;
    struct fray_address peer;
    int fd;
    while (!loop->ops->accept(loop, source->fd, &fd, &peer))
        loop->ops->close(loop, fd, false);
    loop->owner = (void *)((uintptr_t)loop->owner + 1);
}

static void a_shared_port_spreads_connections(void **state)
{
    (void)state;
    struct fray_sim_network *network = fray_sim_network_create(1);
    struct fray_loop *loops[3];
    struct fray_source listeners[2] = {{.on_ready = count_and_accept},
                                       {.on_ready = count_and_accept}};
    struct fray_address address;
    int fds[40];
    assert_int_equal(fray_address_parse(&address, FRAY_SLICE("[::1]:80")), FRAY_OK);
    for (unsigned i = 0; i < 3; i++)
        loops[i] = fray_loop_sim_create(network);
    for (unsigned i = 0; i < 2; i++) {
        const struct fray_loop_ops *ops = loops[i]->ops;
        assert_int_equal(ops->listen(loops[i], &address, true, &listeners[i].fd), FRAY_OK);
        assert_int_equal(ops->watch(loops[i], &listeners[i], FRAY_READY_READ), FRAY_OK);
    }
    assert_int_equal(loops[2]->ops->listen(loops[2], &address, false, &fds[0]), FRAY_ERR_IO);
    assert_int_equal(errno, EADDRINUSE);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(loops[2]->ops->connect(loops[2], &address, &fds[i]), FRAY_OK);
    fray_sim_run_until(network, fray_sim_now_us(network) + 1000000, NULL, NULL);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(i == 2 || loops[i]->owner);
        fray_loop_destroy(loops[i]); /* closes what is open */
    }
    fray_sim_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_repeats_event_for_event),
        cmocka_unit_test(nothing_is_lost_in_bad_weather),
        cmocka_unit_test(nothing_is_lost_in_bad_weather_tls),
        cmocka_unit_test(resets_lose_the_end_only),
        cmocka_unit_test(latency_and_bandwidth_take_their_time),
        cmocka_unit_test(a_full_window_blocks_the_writer),
        cmocka_unit_test(a_stalled_connection_is_silent),
        cmocka_unit_test(a_reset_reaches_both_ends),
        cmocka_unit_test(a_reset_loses_what_is_on_its_way),
        cmocka_unit_test(connects_are_refused_where_nobody_listens),
        cmocka_unit_test(without_descriptors_clients_are_turned_away),
        cmocka_unit_test(a_server_that_dies_ends_its_connections),
        cmocka_unit_test(a_shared_port_spreads_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
