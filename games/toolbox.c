/* What rules of every game need: events, randomness, integer geometry (fray/game.h). Pure. */
#include "fray/game.h"

void fray_game_emit(struct fray_game_events *events, struct fray_game_event event)
{
    if (!events)
        return;
    if (events->count < events->max)
        events->items[events->count++] = event;
    else
        events->dropped++;
}

/* splitmix64, as the authors of xoshiro advise for seeding: no seed gives the all-zero state. */
void fray_game_random_seed(uint32_t random[4], uint64_t seed)
{
    for (int i = 0; i < 4; i += 2) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        random[i] = (uint32_t)z;
        random[i + 1] = (uint32_t)(z >> 32);
    }
}

static uint32_t rotate_left(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

/* xoshiro128** 1.1 (Blackman, Vigna 2018). */
uint32_t fray_game_random(uint32_t random[4])
{
    uint32_t result = rotate_left(random[1] * 5, 7) * 9;
    uint32_t shifted = random[1] << 9;

    random[2] ^= random[0];
    random[3] ^= random[1];
    random[1] ^= random[2];
    random[0] ^= random[3];
    random[2] ^= shifted;
    random[3] = rotate_left(random[3], 11);
    return result;
}

/* Multiply and shift (Lemire 2019) without the rejection: the bias is below range / 2^32. */
int32_t fray_game_random_range(uint32_t random[4], int32_t min, int32_t max)
{
    uint64_t range = (uint64_t)((int64_t)max - min) + 1;

    return (int32_t)(min + (int64_t)(fray_game_random(random) * range >> 32));
}

/* Newton's method from above: it falls until it reaches the floor. */
uint32_t fray_game_sqrt(uint64_t value)
{
    if (value == 0)
        return 0;
    int bits = 64 - __builtin_clzll(value);
    uint64_t root = (uint64_t)1 << (bits + 1) / 2;
    for (;;) {
        uint64_t next = (root + value / root) / 2;
        if (next >= root)
            return (uint32_t)root;
        root = next;
    }
}

static int32_t divide_to_nearest(int64_t value, int64_t by)
{
    return (int32_t)((value + (value < 0 ? -by / 2 : by / 2)) / by);
}

/* The length is taken with as many fractional bits as fit, so that its rounding does not show in
 * the result. */
void fray_game_scale(int32_t *x, int32_t *y, int32_t length)
{
    uint64_t square = (uint64_t)((int64_t)*x * *x + (int64_t)*y * *y);
    if (square == 0)
        return;
    int bits = __builtin_clzll(square) / 2;
    int64_t from = fray_game_sqrt(square << 2 * bits), unit = (int64_t)1 << bits;
    *x = divide_to_nearest(*x * unit * length, from);
    *y = divide_to_nearest(*y * unit * length, from);
}
