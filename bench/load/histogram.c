#include "histogram.h"

static unsigned bucket_of(uint64_t us)
{
    if (us < 1u << HISTOGRAM_LINEAR_BITS)
        return (unsigned)us;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(us);
    unsigned step =
        (unsigned)(us >> (exponent - HISTOGRAM_STEP_BITS)) & ((1u << HISTOGRAM_STEP_BITS) - 1);
    return (1u << HISTOGRAM_LINEAR_BITS) +
           ((exponent - HISTOGRAM_LINEAR_BITS) << HISTOGRAM_STEP_BITS) + step;
}

static uint64_t value_of(unsigned bucket)
{
    if (bucket < 1u << HISTOGRAM_LINEAR_BITS)
        return bucket;
    bucket -= 1u << HISTOGRAM_LINEAR_BITS;
    unsigned exponent = (bucket >> HISTOGRAM_STEP_BITS) + HISTOGRAM_LINEAR_BITS;
    uint64_t step = bucket & ((1u << HISTOGRAM_STEP_BITS) - 1);
    return (1ull << exponent) + (step << (exponent - HISTOGRAM_STEP_BITS));
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    histogram->count++;
    histogram->buckets[bucket_of(us)]++;
    if (us > histogram->max_us)
        histogram->max_us = us;
}

uint64_t histogram_percentile(const struct histogram *histogram, double fraction)
{
    uint64_t rank = (uint64_t)((double)histogram->count * fraction);
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > rank)
            return value_of(i);
    }
    return histogram->max_us;
}
