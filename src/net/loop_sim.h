/* A simulated network on fake time: the second backend of net/loop.h, for tests. Loops made on one
 * network reach each other by connect and listen; a seed decides about every delay, segment and
 * fault, so the same seed gives the same run, event for event.
 *
 * TCP as its users see it: bytes arrive in order, in segments of any size, late, or not at all; a
 * writer is refused when its window is full; connections are refused, reset or fall silent.
 *
 * Owner: the test. Everything runs on one thread; no real descriptor is used. */
#ifndef FRAY_NET_LOOP_SIM_H
#define FRAY_NET_LOOP_SIM_H

#include "net/loop.h"

struct fray_sim_network;

/* Chances are in permille. All may be changed during the run. */
struct fray_sim_options {
    uint64_t latency_us;       /* each way */
    uint64_t jitter_us;        /* up to this much more; order within a direction is kept */
    uint64_t retransmit_us;    /* what a lost segment, and all behind it, comes later */
    uint64_t bytes_per_second; /* of each direction of each connection; 0: no limit */
    size_t window;             /* bytes that a writer may have sent that are not read yet */
    size_t segment_max;        /* segments are 1 to this many bytes long */
    unsigned lose_segment;     /* chance of a segment to be lost and sent again */
    unsigned refuse_connect;   /* chance of a connection to be refused */
    unsigned reset_segment;    /* chance, per segment sent, of a reset of the connection */
    unsigned
        stall_segment; /* chance, per segment sent, that the connection falls silent for good */
};

/* A calm network: 1 ms, jitter of 200 us, 64 KB windows, segments up to 1448 bytes, no faults. */
void fray_sim_options_default(struct fray_sim_options *options);

/* Heap. All loops are destroyed before their network. */
struct fray_sim_network *fray_sim_network_create(uint64_t seed);
void fray_sim_network_destroy(struct fray_sim_network *network);

/* The options in force; starts with the default ones. */
struct fray_sim_options *fray_sim_network_options(struct fray_sim_network *network);

/* A loop, which is also a host with an IP address of its own (10.0.0.1, 10.0.0.2, ...); 127.0.0.1
 * and every other address lead to whoever listens on it, on any host. Destroying the loop closes
 * what it left open, as the end of a process does. */
struct fray_loop *fray_loop_sim_create(struct fray_sim_network *network);

uint64_t fray_sim_now_us(const struct fray_sim_network *network);

/* Runs turns of all loops that have work, and moves time to the next event when none has, until
 * `is_done(context)` (checked before every round of turns; NULL: never) or until_us. Returns
 * whether it was done; time is until_us then, if not. Begins with a turn of every loop. */
bool fray_sim_run_until(struct fray_sim_network *network, uint64_t until_us,
                        bool (*is_done)(void *context), void *context);

/* A hash over all that the network has delivered, with times and bytes. */
uint64_t fray_sim_trace_hash(const struct fray_sim_network *network);

/* Faults, by descriptor of either end. */
void fray_sim_reset(struct fray_loop *loop,
                    int fd); /* both ends see a reset; what is on its way is lost */
void fray_sim_stall(struct fray_loop *loop, int fd); /* nothing arrives any more, either way */
/* From now on the loop cannot have more descriptors than this open. */
void fray_sim_set_descriptors_max(struct fray_loop *loop, unsigned max);

/* Descriptors that the loop has open. */
unsigned fray_sim_descriptors(const struct fray_loop *loop);

#endif
