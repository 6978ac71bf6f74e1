#include "wire/utf8.h"

/* The first byte at or after `at` that is not ASCII, or `end`. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        if (word & 0x8080808080808080)
            break;
        at += sizeof word;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

/* Begins a character: RFC 3629 section 4, whose only irregular rows are the second bytes after
 * E0 and F0 (overlong below), ED (surrogates above) and F4 (beyond U+10FFFF above). */
static bool begin(struct fray_utf8 *state, uint8_t lead)
{
    if (lead < 0xC2 || lead > 0xF4)
        return false;
    state->needed = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    state->low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    state->high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return true;
}

bool fray_utf8_feed(struct fray_utf8 *state, const char *data, size_t len)
{
    if (len == 0)
        return true;
    const uint8_t *at = (const uint8_t *)data;
    const uint8_t *end = at + len;
    struct fray_utf8 now = *state; /* a local, so that it lives in registers */
    while (at < end) {
        if (now.needed == 0) {
            if (*at < 0x80) {
                at = skip_ascii(at, end);
                continue;
            }
            if (!begin(&now, *at++))
                return false;
        } else {
            if (*at < now.low || *at > now.high)
                return false;
            at++;
            now.needed--;
            now.low = 0x80;
            now.high = 0xBF;
        }
    }
    *state = now;
    return true;
}

bool fray_utf8_valid(struct fray_slice text)
{
    struct fray_utf8 state = {0};
    return fray_utf8_feed(&state, text.data, text.len) && fray_utf8_complete(&state);
}

size_t fray_utf8_cut(struct fray_slice text, size_t max)
{
    if (text.len <= max)
        return text.len;
    while (max > 0 && ((uint8_t)text.data[max] & 0xC0) == 0x80)
        max--;
    return max;
}
