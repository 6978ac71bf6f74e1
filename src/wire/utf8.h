/* UTF-8 validation (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. Pure;
 * one thread at a time per state. */
#ifndef FRAY_WIRE_UTF8_H
#define FRAY_WIRE_UTF8_H

#include <stdint.h>

#include "base/slice.h"
#include "fray/err.h"

/* Where a text that comes in pieces stands. Zero-initialised: before its first byte. */
struct fray_utf8 {
    uint8_t needed; /* continuation bytes still due in the current character, 0..3 */
    uint8_t low;    /* the range that the next of them must lie in; set while needed > 0 */
    uint8_t high;
};

/* Takes the text's next piece. False at the first byte that no valid text could have there, even in
 * an unfinished character; the state is then of no more use. */
FRAY_MUST_CHECK bool fray_utf8_feed(struct fray_utf8 *state, const char *data, size_t len);

/* Whether the text may end here: no character is half done. */
static inline bool fray_utf8_complete(const struct fray_utf8 *state)
{
    return state->needed == 0;
}

/* Whether the whole text is UTF-8. */
FRAY_MUST_CHECK bool fray_utf8_valid(struct fray_slice text);

/* The length of the longest prefix of valid text that has at most `max` bytes and whole
 * characters only. */
size_t fray_utf8_cut(struct fray_slice text, size_t max);

#endif
