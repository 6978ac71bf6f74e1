/* Ids that nobody can guess and that lead to their object without a table: 20 characters of
 * base64url, of which the first 5 hold 30 bits chosen by the caller (an index) and the other 15
 * hold 90 random bits. Pure. */
#ifndef FRAY_BASE_TOKEN_H
#define FRAY_BASE_TOKEN_H

#include <stdint.h>

#include "base/slice.h"

enum { FRAY_TOKEN_LEN = 20, FRAY_TOKEN_RANDOM = 12 };

/* Writes a token and its terminator. `number` < 2^30. */
void fray_token_make(char token[FRAY_TOKEN_LEN + 1], uint32_t number,
                     const uint8_t random[FRAY_TOKEN_RANDOM]);

/* Reads the number back; false: not a token. It is a hint: compare the whole token with the
 * object's. */
bool fray_token_number(struct fray_slice token, uint32_t *number);

/* Compares without telling by its time where the difference is. */
bool fray_token_equal(struct fray_slice given, const char token[FRAY_TOKEN_LEN + 1]);

#endif
