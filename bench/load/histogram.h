/* Latencies, counted in buckets: exact below 2048 µs, within 1/64 above. Adding costs a few
 * nanoseconds and no memory, so every message is counted. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_LINEAR_BITS = 11, /* values below 2^11 have a bucket each */
    HISTOGRAM_STEP_BITS = 6,    /* every doubling above is parted into 2^6 */
    HISTOGRAM_BUCKETS =
        (1 << HISTOGRAM_LINEAR_BITS) + ((64 - HISTOGRAM_LINEAR_BITS) << HISTOGRAM_STEP_BITS),
};

struct histogram {
    uint64_t count;
    uint64_t max_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t us);
/* The least value that `fraction` of all are not above, 0 to 1; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double fraction);

#endif
