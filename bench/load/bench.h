/* One run: clients connect, the workload makes them speak, and the server is measured meanwhile.
 *
 *   connect all → settle → [idle: rest] or [start → warm-up → measure → stop] → report
 *   storm: handshakes from the first moment on, measured over all
 *
 * One thread; network_wait drives everything. */
#ifndef LOAD_BENCH_H
#define LOAD_BENCH_H

#include "connection.h"
#include "histogram.h"
#include "options.h"
#include "process.h"

struct client;

/* Between two moments. */
struct measurement {
    uint64_t begun_ns, ended_ns;
    struct process_usage server_before, server_after;
    uint64_t generator_cpu_before_ns, generator_cpu_after_ns;
    uint64_t sent_before, sent;
    uint64_t bytes_in_before, bytes_in; /* on all connections, headers included */
    uint64_t bytes_out_before, bytes_out;
    uint64_t delivered;       /* messages, to whomever */
    uint64_t delivered_bytes; /* of their text */
};

struct bench {
    struct options options;
    struct network network;
    struct client **clients;
    unsigned clients_count;
    unsigned receivers;          /* that each broadcast is delivered to */
    unsigned opened, ready;      /* ready: now, or for the storm, ever */
    unsigned lost;               /* that the server refused or closed */
    struct fray_slice time_mark; /* what stands before the time in a message */
    bool running;                /* messages are answered by further ones */
    bool measuring;
    uint64_t sent, delivered;   /* since the start, warm-up included */
    uint64_t next_turn;         /* of those that send by rate */
    uint64_t next_input;        /* of the receivers of a broadcast */
    uint64_t started_ns;        /* when the first of these was due */
    struct measurement connect; /* all handshakes; server_after once it has settled */
    struct measurement load;
    struct histogram handshakes; /* µs from connect() until ready */
    struct histogram latency;    /* µs from sending until receipt */
};

void bench_init(struct bench *bench, const struct options *options);
void bench_run(struct bench *bench); /* returns when all is measured */
/* Why the figures mean nothing; NULL: they do. */
const char *bench_fault(const struct bench *bench);
void bench_deinit(struct bench *bench);

void measurement_begin(struct bench *bench, struct measurement *measurement);
void measurement_end(struct bench *bench, struct measurement *measurement);

/* Called by clients. */
void bench_on_ready(struct bench *bench, struct client *client);
void bench_on_lost(struct bench *bench, struct client *client, bool was_ready);
void bench_on_delivered(struct bench *bench, struct client *client, uint64_t sent_us, size_t len);

#endif
