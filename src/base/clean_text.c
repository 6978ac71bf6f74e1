#include "base/clean_text.h"

#define NOT_A_CHAR UINT32_MAX

enum { MARKS_MAX = 4 }; /* on one character: with more it covers what others wrote */

/* Takes one character (RFC 3629); NOT_A_CHAR for a byte that begins none. */
static uint32_t take_char(struct fray_slice *text)
{
    const unsigned char *at = (const unsigned char *)text->data;
    unsigned char first = at[0];
    size_t len = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = len == 1 ? first : first & (0x7fu >> len);
    bool is_good = first < 0x80 || (first >= 0xc2 && first < 0xf5 && len <= text->len);
    for (size_t i = 1; is_good && i < len; i++) {
        is_good = (at[i] & 0xc0) == 0x80;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (is_good && (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
        is_good = false;
    *text = fray_slice_skip(*text, is_good ? len : 1);
    return is_good ? code : NOT_A_CHAR;
}

static bool is_space(uint32_t code)
{
    return code == ' ' || (code >= 0x09 && code <= 0x0d) || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static bool is_unfit(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
           (code >= 0x200b && code <= 0x200f && code != 0x200c && code != 0x200d) ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
           code == 0xfeff || (code >= 0xfdd0 && code <= 0xfdef) ||
           (code >= 0xfff9 && code <= 0xfffb) || (code & 0xfffe) == 0xfffe ||
           (code >= 0xe0000 && code <= 0xe0fff) || code == NOT_A_CHAR;
}

/* Letters and marks that show nothing, by which one name could pass for another, or for none. */
static bool is_unseen(uint32_t code)
{
    return code == 0xad || code == 0x34f || code == 0x115f || code == 0x1160 || code == 0x17b4 ||
           code == 0x17b5 || (code >= 0x180b && code <= 0x180f) || code == 0x2800 ||
           code == 0x3164 || code == 0xffa0;
}

/* What only changes the character before it: joiners, and selectors of how it looks. */
static bool is_joiner(uint32_t code)
{
    return code == 0x200c || code == 0x200d || (code >= 0xfe00 && code <= 0xfe0f);
}

/* Of the blocks of combining marks that every script may use. */
static bool is_mark(uint32_t code)
{
    return (code >= 0x300 && code <= 0x36f) || (code >= 0x1ab0 && code <= 0x1aff) ||
           (code >= 0x1dc0 && code <= 0x1dff) || (code >= 0x20d0 && code <= 0x20ff) ||
           (code >= 0xfe20 && code <= 0xfe2f);
}

void fray_clean_text(struct fray_buf *out, struct fray_slice text,
                     const struct fray_clean_options *options)
{
    size_t chars = 0;
    unsigned marks = MARKS_MAX; /* on the character before; none may come first */
    char pending = '\0';        /* white space that is written once something follows it */
    while (text.len && chars < options->max_chars) {
        const char *from = text.data;
        uint32_t code = take_char(&text);
        if (is_space(code)) {
            bool is_newline = options->keeps_newlines && code == '\n';
            if (chars && pending != '\n')
                pending = is_newline ? '\n' : ' ';
            marks = MARKS_MAX;
            continue;
        }
        if (is_unfit(code) || is_unseen(code))
            continue;
        bool is_addition = is_joiner(code) || is_mark(code);
        if (is_addition && marks == MARKS_MAX)
            continue;
        marks = is_addition ? marks + 1 : 0;
        if (pending && ++chars == options->max_chars)
            return; /* white space at the end is none */
        if (pending)
            fray_buf_append_byte(out, (uint8_t)pending);
        pending = '\0';
        fray_buf_append(out, from, (size_t)(text.data - from));
        chars++;
    }
}
