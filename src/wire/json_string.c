/* The text inside JSON strings: escapes resolved and written. */
#include <stdint.h>

#include "wire/json.h"

static struct fray_slice between_quotes(struct fray_slice value)
{
    if (value.len < 2)
        return (struct fray_slice){0};
    return (struct fray_slice){value.data + 1, value.len - 2};
}

bool fray_json_string_escaped(struct fray_slice value)
{
    return value.len && memchr(value.data, '\\', value.len) != NULL;
}

static uint32_t hex_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (uint32_t)(byte - '0');
    return (uint32_t)((byte | 0x20) - 'a' + 10) & 0xf;
}

/* The four digits of \uXXXX, at text[2]. */
static uint32_t escaped_unit(const char *text)
{
    return hex_value(text[2]) << 12 | hex_value(text[3]) << 8 | hex_value(text[4]) << 4 |
           hex_value(text[5]);
}

static bool is_unit_escape(struct fray_slice text)
{
    return text.len >= 6 && text.data[0] == '\\' && text.data[1] == 'u';
}

/* Returns how many of the four bytes are used. */
static size_t put_utf8(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* Takes \uXXXX off *text, and a second one with it when both are one surrogate pair. */
static uint32_t take_code_point(struct fray_slice *text)
{
    uint32_t unit = escaped_unit(text->data);
    *text = fray_slice_skip(*text, 6);
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit < 0xdc00 && is_unit_escape(*text)) {
        uint32_t low = escaped_unit(text->data);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *text = fray_slice_skip(*text, 6);
            return 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00));
        }
    }
    return 0xfffd;
}

/* Takes the escape that *text begins with and writes what it stands for; returns its length. */
static size_t take_escape(struct fray_slice *text, char out[4])
{
    if (is_unit_escape(*text))
        return put_utf8(take_code_point(text), out);
    char letter = text->len > 1 ? text->data[1] : '\\';
    *text = fray_slice_skip(*text, text->len > 1 ? 2 : 1);
    switch (letter) {
    case 'b': out[0] = '\b'; break;
    case 'f': out[0] = '\f'; break;
    case 'n': out[0] = '\n'; break;
    case 'r': out[0] = '\r'; break;
    case 't': out[0] = '\t'; break;
    default: out[0] = letter; break; /* quote, backslash, slash */
    }
    return 1;
}

/* Takes the bytes before the next escape, or all. */
static struct fray_slice take_plain(struct fray_slice *text)
{
    const char *escape = text->len ? memchr(text->data, '\\', text->len) : NULL;
    struct fray_slice plain = {text->data, escape ? (size_t)(escape - text->data) : text->len};
    *text = fray_slice_skip(*text, plain.len);
    return plain;
}

struct fray_slice fray_json_string_text(struct fray_slice value, struct fray_buf *scratch)
{
    struct fray_slice rest = between_quotes(value);
    if (!fray_json_string_escaped(rest))
        return rest;
    size_t start = scratch->len;
    fray_buf_reserve(scratch, rest.len); /* no escape is shorter than what it stands for */
    while (rest.len) {
        fray_buf_append_slice(scratch, take_plain(&rest));
        if (rest.len) {
            char out[4];
            fray_buf_append(scratch, out, take_escape(&rest, out));
        }
    }
    return fray_slice_skip(fray_buf_slice(scratch), start);
}

bool fray_json_string_equal(struct fray_slice value, struct fray_slice text)
{
    struct fray_slice rest = between_quotes(value);
    if (!fray_json_string_escaped(rest))
        return fray_slice_equal(rest, text);
    while (rest.len) {
        struct fray_slice plain = take_plain(&rest);
        if (!fray_slice_starts(text, plain))
            return false;
        text = fray_slice_skip(text, plain.len);
        if (rest.len) {
            char out[4];
            struct fray_slice escaped = {out, take_escape(&rest, out)};
            if (!fray_slice_starts(text, escaped))
                return false;
            text = fray_slice_skip(text, escaped.len);
        }
    }
    return text.len == 0;
}

static void write_escape(struct fray_buf *buf, uint8_t byte)
{
    switch (byte) {
    case '"': FRAY_BUF_LITERAL(buf, "\\\""); return;
    case '\\': FRAY_BUF_LITERAL(buf, "\\\\"); return;
    case '\b': FRAY_BUF_LITERAL(buf, "\\b"); return;
    case '\f': FRAY_BUF_LITERAL(buf, "\\f"); return;
    case '\n': FRAY_BUF_LITERAL(buf, "\\n"); return;
    case '\r': FRAY_BUF_LITERAL(buf, "\\r"); return;
    case '\t': FRAY_BUF_LITERAL(buf, "\\t"); return;
    default: break;
    }
    const char *hex = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 0xf]};
    fray_buf_append(buf, escape, sizeof escape);
}

void fray_json_write_string(struct fray_buf *buf, struct fray_slice text)
{
    fray_buf_reserve(buf, text.len + 2);
    fray_buf_append_byte(buf, '"');
    size_t plain = 0; /* where the run that needs no escape began */
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        fray_buf_append(buf, text.data + plain, i - plain);
        write_escape(buf, byte);
        plain = i + 1;
    }
    if (text.len)
        fray_buf_append(buf, text.data + plain, text.len - plain);
    fray_buf_append_byte(buf, '"');
}
