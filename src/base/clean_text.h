/* Text that strangers wrote, made fit to be shown to others: display names, lines of chat.
 *
 * Taken out are bytes that are no UTF-8, control characters, what turns the direction of writing
 * (U+061C, U+200E-F, U+202A-E, U+2066-9), what cannot be seen (U+200B, U+2028-9, U+2060-5, U+FEFF,
 * U+E0000-FFF; soft hyphens, fillers, the empty braille cell) and noncharacters. Joiners and
 * combining marks stay, at most four behind a character. White space is trimmed at both ends.
 * Pure; any thread. */
#ifndef FRAY_BASE_CLEAN_TEXT_H
#define FRAY_BASE_CLEAN_TEXT_H

#include <stdint.h>

#include "base/buf.h"

struct fray_clean_options {
    size_t max_chars;    /* Unicode characters; the rest is cut off */
    bool keeps_newlines; /* else every run of white space becomes one space */
};

/* Appends what is left of `text`, valid UTF-8, perhaps nothing. */
void fray_clean_text(struct fray_buf *out, struct fray_slice text,
                     const struct fray_clean_options *options);

#endif
