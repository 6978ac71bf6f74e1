#include "base/rng.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t rotate_left(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

void fray_rng_init(struct fray_rng *rng, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

uint64_t fray_rng_next(struct fray_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t fray_rng_below(struct fray_rng *rng, uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* The first 2^64 mod bound values are thrown away: without them each remainder is equally
     * likely. */
    uint64_t skip = -bound % bound, value;
    do
        value = fray_rng_next(rng);
    while (value < skip);
    return value % bound;
}

int64_t fray_rng_between(struct fray_rng *rng, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    uint64_t offset = span ? fray_rng_below(rng, span) : fray_rng_next(rng);
    return (int64_t)((uint64_t)low + offset);
}

bool fray_rng_chance(struct fray_rng *rng, unsigned permille)
{
    return permille > 0 && fray_rng_below(rng, 1000) < permille;
}
