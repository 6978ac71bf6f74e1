/* Pseudo-random numbers that a seed repeats: xoshiro256** seeded by splitmix64 (Blackman and
 * Vigna). For simulations, bots and jitter; never for ids or keys, for whoever sees some can tell
 * the rest. Pure. */
#ifndef FRAY_BASE_RNG_H
#define FRAY_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct fray_rng {
    uint64_t state[4];
};

void fray_rng_init(struct fray_rng *rng, uint64_t seed); /* every seed is good, 0 too */
uint64_t fray_rng_next(struct fray_rng *rng);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t fray_rng_below(struct fray_rng *rng, uint64_t bound);
/* Uniform in [low, high]. */
int64_t fray_rng_between(struct fray_rng *rng, int64_t low, int64_t high);
/* True in `permille` of 1000 cases. */
bool fray_rng_chance(struct fray_rng *rng, unsigned permille);

#endif
