/* Bit streams of the game packets (docs/protocols.md, "Game packets"): the first bit is the lowest
 * of the first byte, the last byte is filled up with zeros.
 *
 *     byte 0            byte 1
 *     7 6 5 4 3 2 1 0   7 6 5 4 3 2 1 0        put(5, 3), put(300, 9):
 *     0 1 1 0 0 1 0 1   0 0 0 0 1 0 0 1        5 is 101, 300 is 100101100
 *
 * Both ends are bounded: a writer without room and a reader past the end do nothing but remember
 * it. Freestanding, pure. */
#ifndef FRAY_GAMES_BITS_H
#define FRAY_GAMES_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fray_bits_writer {
    uint8_t *start, *at, *end; /* the caller's bytes */
    uint64_t held;             /* bits that are not stored yet, less than 64 */
    uint32_t held_count;
    bool is_full; /* something did not fit: the bytes are worth nothing */
};

struct fray_bits_reader {
    const uint8_t *bytes;
    size_t len;  /* bytes */
    size_t at;   /* bits */
    bool is_bad; /* something past the end, or an impossible code, was asked for: it read as 0 */
};

static inline struct fray_bits_writer fray_bits_writer(void *bytes, size_t size)
{
    return (struct fray_bits_writer){.start = bytes, .at = bytes, .end = (uint8_t *)bytes + size};
}

/* The lowest `count` bits, 0 … 64; the others must be 0. */
static inline void fray_bits_put(struct fray_bits_writer *out, uint64_t value, uint32_t count)
{
    uint32_t total = out->held_count + count;

    out->held |= value << out->held_count; /* held_count < 64 */
    if (total < 64) {
        out->held_count = total;
        return;
    }
    if (out->end - out->at >= 8) {
        __builtin_memcpy(out->at, &out->held, 8);
        out->at += 8;
    } else {
        out->is_full = true;
    }
    out->held = out->held_count ? value >> (64 - out->held_count) : 0;
    out->held_count = total - 64;
}

/* Bits that another writer made, from the start of `words`. */
static inline void fray_bits_append(struct fray_bits_writer *out, const uint64_t *words,
                                    uint32_t count)
{
    for (; count > 64; count -= 64)
        fray_bits_put(out, *words++, 64);
    if (count) /* of no bits there is no word */
        fray_bits_put(out, *words, count);
}

static inline size_t fray_bits_count(const struct fray_bits_writer *out)
{
    return (size_t)(out->at - out->start) * 8 + out->held_count;
}

/* Stores what is held. Returns how many bytes there are; 0 when they did not fit, or are none. */
static inline size_t fray_bits_finish(struct fray_bits_writer *out)
{
    size_t len = (out->held_count + 7) / 8;

    if (out->is_full || (size_t)(out->end - out->at) < len) {
        out->is_full = true;
        return 0;
    }
    __builtin_memcpy(out->at, &out->held, len);
    out->at += len;
    out->held = out->held_count = 0;
    return (size_t)(out->at - out->start);
}

static inline struct fray_bits_reader fray_bits_reader(const void *bytes, size_t len)
{
    return (struct fray_bits_reader){.bytes = bytes, .len = len};
}

/* 0 … 32 bits. */
static inline uint32_t fray_bits_take(struct fray_bits_reader *in, uint32_t count)
{
    size_t byte = in->at / 8;
    uint64_t word = 0;

    if (count > in->len * 8 - in->at) { /* at never exceeds len * 8 */
        in->is_bad = true;
        return 0;
    }
    if (in->len - byte >= 8)
        __builtin_memcpy(&word, in->bytes + byte, 8);
    else
        for (size_t i = 0; i < in->len - byte; i++)
            word |= (uint64_t)in->bytes[byte + i] << 8 * i;
    word >>= in->at % 8;
    in->at += count;
    return (uint32_t)(word & (((uint64_t)1 << count) - 1));
}

/* Whether all was read and nothing was wrong: less than a byte is left, and it is zero. */
static inline bool fray_bits_is_done(struct fray_bits_reader *in)
{
    size_t left = in->len * 8 - in->at;

    return !in->is_bad && left < 8 && fray_bits_take(in, (uint32_t)left) == 0;
}

/* Exponential-Golomb code of order k: with q = (value >> k) + 1 and n = floor(log2 q), n zeros, a
 * one, the n low bits of q, the k low bits of the value: 2n + 1 + k bits. */
static inline uint32_t fray_bits_golomb_count(uint32_t value, uint32_t k)
{
    uint64_t q = ((uint64_t)value >> k) + 1;

    return 2 * (63 - (uint32_t)__builtin_clzll(q)) + 1 + k;
}

static inline void fray_bits_put_golomb(struct fray_bits_writer *out, uint32_t value, uint32_t k)
{
    uint64_t q = ((uint64_t)value >> k) + 1;
    uint32_t n = 63 - (uint32_t)__builtin_clzll(q);

    fray_bits_put(out, (uint64_t)1 << n, n + 1);
    fray_bits_put(out, q ^ (uint64_t)1 << n, n);
    fray_bits_put(out, value & (((uint64_t)1 << k) - 1), k);
}

static inline uint32_t fray_bits_take_golomb(struct fray_bits_reader *in, uint32_t k)
{
    uint32_t n = 0;

    while (!in->is_bad && fray_bits_take(in, 1) == 0)
        n++;
    if (in->is_bad || n > 32)
        in->is_bad = true;
    uint64_t q = (uint64_t)1 << (in->is_bad ? 0 : n);
    q |= fray_bits_take(in, in->is_bad ? 0 : n);
    uint64_t value = (q - 1) << k | fray_bits_take(in, k);
    if (value > UINT32_MAX)
        in->is_bad = true;
    return in->is_bad ? 0 : (uint32_t)value;
}

#endif
