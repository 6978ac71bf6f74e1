/* The text of a message. */
#ifndef LOAD_TEXT_H
#define LOAD_TEXT_H

#include "base/buf.h"
#include "client.h"

/* Appends "TS:<16 digits>;" and then letters until `text` has `len` bytes. */
static inline void text_append_payload(struct fray_buf *text, const struct message *message,
                                       size_t len)
{
    char digits[16];
    uint64_t rest = message->sent_us;
    for (size_t i = sizeof digits; i-- > 0; rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    FRAY_BUF_LITERAL(text, "TS:");
    fray_buf_append(text, digits, sizeof digits);
    fray_buf_append_byte(text, ';');
    if (text->len < len) {
        size_t fill = len - text->len;
        memset(fray_buf_reserve(text, fill), 'x', fill);
        text->len += fill;
    }
}

#endif
