#include "base/token.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { NUMBER_CHARS = 5 };

void fray_token_make(char token[FRAY_TOKEN_LEN + 1], uint32_t number,
                     const uint8_t random[FRAY_TOKEN_RANDOM])
{
    for (int i = 0; i < NUMBER_CHARS; i++)
        token[i] = alphabet[number >> 6 * i & 63];
    uint32_t bits = 0;
    int held = 0;
    for (int i = NUMBER_CHARS, next = 0; i < FRAY_TOKEN_LEN; i++) {
        if (held < 6) {
            bits |= (uint32_t)random[next++] << held;
            held += 8;
        }
        token[i] = alphabet[bits & 63];
        bits >>= 6;
        held -= 6;
    }
    token[FRAY_TOKEN_LEN] = '\0';
}

bool fray_token_number(struct fray_slice token, uint32_t *number)
{
    if (token.len != FRAY_TOKEN_LEN)
        return false;
    *number = 0;
    for (int i = 0; i < NUMBER_CHARS; i++) {
        const char *at = memchr(alphabet, token.data[i], sizeof alphabet - 1);
        if (!at)
            return false;
        *number |= (uint32_t)(at - alphabet) << 6 * i;
    }
    return true;
}

bool fray_token_equal(struct fray_slice given, const char token[FRAY_TOKEN_LEN + 1])
{
    if (given.len != FRAY_TOKEN_LEN)
        return false;
    unsigned different = 0;
    for (int i = 0; i < FRAY_TOKEN_LEN; i++)
        different |= (unsigned char)given.data[i] ^ (unsigned char)token[i];
    return different == 0;
}
