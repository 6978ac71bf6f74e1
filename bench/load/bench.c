#include "bench.h"

#include "base/mem.h"
#include "client.h"
#include "clock.h"
#include "workload.h"

enum {
    CONNECT_TIMEOUT_S = 90,
    SETTLE_MS = 500, /* until the server's memory is read */
    WAIT_NS = 2000000,
};

/* ------------------------------------------------------------------ measuring */

static uint64_t generator_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

void measurement_begin(struct bench *bench, struct measurement *measurement)
{
    *measurement = (struct measurement){
        .server_before = process_usage(bench->options.server_pid),
        .generator_cpu_before_ns = generator_cpu_ns(),
        .sent_before = bench->sent,
        .bytes_in_before = bench->network.bytes_in,
        .bytes_out_before = bench->network.bytes_out,
        .begun_ns = clock_now_ns(),
    };
}

void measurement_end(struct bench *bench, struct measurement *measurement)
{
    measurement->ended_ns = clock_now_ns();
    measurement->server_after = process_usage(bench->options.server_pid);
    measurement->generator_cpu_after_ns = generator_cpu_ns();
    measurement->sent = bench->sent - measurement->sent_before;
    measurement->bytes_in = bench->network.bytes_in - measurement->bytes_in_before;
    measurement->bytes_out = bench->network.bytes_out - measurement->bytes_out_before;
}

/* ------------------------------------------------------------------ what clients tell */

void bench_on_ready(struct bench *bench, struct client *client)
{
    bench->ready++;
    histogram_add(&bench->handshakes, (clock_now_ns() - client->opened_ns) / 1000);
    if (bench->options.workload->is_storm)
        client_close(client);
}

void bench_on_lost(struct bench *bench, struct client *client, bool was_ready)
{
    (void)client;
    bench->lost++;
    if (was_ready)
        bench->ready--;
}

void bench_on_delivered(struct bench *bench, struct client *client, uint64_t sent_us, size_t len)
{
    const struct workload *workload = bench->options.workload;
    bench->delivered++;
    if (bench->measuring) {
        uint64_t now_us = clock_now_ns() / 1000;
        bench->load.delivered++;
        bench->load.delivered_bytes += len;
        histogram_add(&bench->latency, now_us > sent_us ? now_us - sent_us : 0);
    }
    if (bench->running && workload->on_delivered)
        workload->on_delivered(bench, client);
}

/* ------------------------------------------------------------------ phases */

static void wait_until(struct bench *bench, uint64_t until_ns)
{
    while (clock_now_ns() < until_ns)
        network_wait(&bench->network, WAIT_NS);
}

static void connect_all(struct bench *bench)
{
    uint64_t deadline = clock_now_ns() + CONNECT_TIMEOUT_S * 1000000000ull;
    measurement_begin(bench, &bench->connect);
    while (bench->ready + bench->lost < bench->clients_count && clock_now_ns() < deadline) {
        while (bench->opened < bench->clients_count &&
               bench->opened - bench->ready - bench->lost < bench->options.concurrency)
            client_open(bench->clients[bench->opened++]);
        network_wait(&bench->network, WAIT_NS);
    }
    measurement_end(bench, &bench->connect);
}

/* Opens a client for each that is done, until all handshakes were begun or the time is over. */
static void storm(struct bench *bench)
{
    uint64_t end = clock_now_ns() + (uint64_t)(bench->options.seconds * 1e9);
    bool time_left;
    measurement_begin(bench, &bench->connect);
    do {
        time_left = clock_now_ns() < end;
        for (unsigned i = 0; i < bench->clients_count; i++) {
            if (bench->clients[i]->state == CLIENT_CLOSED && time_left &&
                bench->opened < bench->options.clients) {
                bench->opened++;
                client_open(bench->clients[i]);
            }
        }
        network_wait(&bench->network, WAIT_NS);
    } while (bench->ready + bench->lost < bench->opened ||
             (time_left && bench->opened < bench->options.clients));
    measurement_end(bench, &bench->connect);
}

static void speak_until(struct bench *bench, uint64_t until_ns)
{
    const struct workload *workload = bench->options.workload;
    for (uint64_t now; (now = clock_now_ns()) < until_ns;)
        network_wait(&bench->network,
                     workload->send_due ? workload->send_due(bench, now) : WAIT_NS);
}

static void speak(struct bench *bench)
{
    const struct options *options = &bench->options;
    bench->running = true;
    bench->started_ns = clock_now_ns();
    if (options->workload->start)
        options->workload->start(bench);
    speak_until(bench, bench->started_ns + (uint64_t)(options->warmup_seconds * 1e9));
    measurement_begin(bench, &bench->load);
    bench->measuring = true;
    speak_until(bench, bench->load.begun_ns + (uint64_t)(options->seconds * 1e9));
    bench->measuring = bench->running = false;
    measurement_end(bench, &bench->load);
}

void bench_run(struct bench *bench)
{
    const struct options *options = &bench->options;
    if (options->workload->is_storm) {
        storm(bench);
        return;
    }
    connect_all(bench);
    wait_until(bench, clock_now_ns() + SETTLE_MS * 1000000ull);
    bench->connect.server_after.rss_bytes = process_usage(options->server_pid).rss_bytes;
    if (options->workload->is_idle) {
        measurement_begin(bench, &bench->load);
        wait_until(bench, bench->load.begun_ns + (uint64_t)(options->seconds * 1e9));
        measurement_end(bench, &bench->load);
    } else {
        speak(bench);
    }
}

const char *bench_fault(const struct bench *bench)
{
    const struct workload *workload = bench->options.workload;
    if (bench->lost)
        return "the server refused or closed connections";
    if (bench->ready < (workload->is_storm ? 1 : bench->clients_count))
        return "not all connections were ready in time";
    if (!workload->is_storm && !workload->is_idle && !bench->load.delivered)
        return "nothing was delivered while it was measured";
    return NULL;
}

/* ------------------------------------------------------------------ begin and end */

void bench_init(struct bench *bench, const struct options *options)
{
    *bench = (struct bench){.options = *options};
    network_init(&bench->network, options->port);
    bench->time_mark =
        fray_slice_of(options->workload->has_moves ? options->protocol->move_mark : "TS:");
    options->workload->plan(bench);
    bench->clients = fray_alloc(bench->clients_count * sizeof *bench->clients);
    for (unsigned i = 0; i < bench->clients_count; i++) {
        /* A cast may change the protocol to Socket.IO's, whose clients are no larger. */
        size_t size = options->protocol->client_size;
        if (size < protocol_socketio.client_size)
            size = protocol_socketio.client_size;
        bench->clients[i] = fray_alloc_zero(size);
        bench->clients[i]->bench = bench;
        bench->clients[i]->protocol = options->protocol;
        bench->clients[i]->index = i;
    }
    for (unsigned i = 0; i < bench->clients_count; i++)
        options->workload->cast(bench, bench->clients[i]);
}

void bench_deinit(struct bench *bench)
{
    for (unsigned i = 0; i < bench->clients_count; i++) {
        if (bench->clients[i]->state != CLIENT_CLOSED)
            client_close(bench->clients[i]);
        free(bench->clients[i]);
    }
    free(bench->clients);
    network_deinit(&bench->network);
}
