#include "wire/json.h"

#include <endian.h>
#include <stdint.h>

#include "wire/utf8.h"

/* ---- Strings, eight bytes at a time ---- */

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EACH_BYTE(0x80)

/* The high bit of each byte that is zero. A borrow can mark bytes above a zero byte wrongly, never
 * below, so the lowest mark is always right. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(0x01)) & ~word & HIGH_BITS;
}

static inline bool is_special(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* The first quote, backslash or control character, or `end`. ORs the bytes passed into *seen, whose
 * high bits then tell whether any was outside ASCII. */
static inline const char *find_special(const char *at, const char *end, uint64_t *seen)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t control = (word - EACH_BYTE(0x20)) & ~word & HIGH_BITS;
        uint64_t marks =
            control | zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\'));
        *seen |= word;
        if (marks)
            return at + __builtin_ctzll(marks) / 8;
        at += 8;
    }
    while (at < end && !is_special((uint8_t)*at))
        *seen |= (uint8_t)*at++;
    return at;
}

static inline bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

static inline bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline int hex_digit(char byte)
{
    if (is_digit(byte))
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- Validation ---- */

struct scanner {
    const char *at;
    const char *end;
    uint64_t seen; /* the OR of all bytes inside strings */
    unsigned depth;
    unsigned depth_max;
    uint64_t objects[FRAY_JSON_DEPTH_CAP / 64]; /* per open bracket: is it an object's? */
};

static bool scan_escape(struct scanner *scan) /* past the backslash */
{
    if (scan->at == scan->end)
        return false;
    switch (*scan->at++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return true;
    case 'u': break;
    default: return false;
    }
    if (scan->end - scan->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        if (hex_digit(*scan->at++) < 0)
            return false;
    }
    return true;
}

static bool scan_string(struct scanner *scan)
{
    if (scan->at == scan->end || *scan->at != '"')
        return false;
    scan->at++;
    for (;;) {
        scan->at = find_special(scan->at, scan->end, &scan->seen);
        if (scan->at == scan->end)
            return false;
        char special = *scan->at++;
        if (special == '"')
            return true;
        if (special != '\\' || !scan_escape(scan))
            return false;
    }
}

static bool scan_digits(struct scanner *scan)
{
    const char *first = scan->at;
    while (scan->at < scan->end && is_digit(*scan->at))
        scan->at++;
    return scan->at > first;
}

/* RFC 8259 section 6: [ minus ] int [ frac ] [ exp ], where int has no leading zero. */
static bool scan_number(struct scanner *scan)
{
    const char *end = scan->end;
    if (*scan->at == '-')
        scan->at++;
    const char *first = scan->at;
    if (!scan_digits(scan) || (*first == '0' && scan->at - first > 1))
        return false;
    if (scan->at < end && *scan->at == '.') {
        scan->at++;
        if (!scan_digits(scan))
            return false;
    }
    if (scan->at < end && (*scan->at | 0x20) == 'e') {
        scan->at++;
        if (scan->at < end && (*scan->at == '+' || *scan->at == '-'))
            scan->at++;
        return scan_digits(scan);
    }
    return true;
}

static bool scan_literal(struct scanner *scan, struct fray_slice literal)
{
    struct fray_slice rest = {scan->at, (size_t)(scan->end - scan->at)};
    if (!fray_slice_starts(rest, literal))
        return false;
    scan->at += literal.len;
    return true;
}

static bool scan_scalar(struct scanner *scan)
{
    switch (*scan->at) {
    case '"': return scan_string(scan);
    case 't': return scan_literal(scan, FRAY_SLICE("true"));
    case 'f': return scan_literal(scan, FRAY_SLICE("false"));
    case 'n': return scan_literal(scan, FRAY_SLICE("null"));
    default: return scan_number(scan);
    }
}

static bool in_object(const struct scanner *scan)
{
    unsigned top = scan->depth - 1;
    return scan->objects[top / 64] >> (top % 64) & 1;
}

/* A member's name and colon, up to where its value is due. */
static bool scan_name(struct scanner *scan)
{
    scan->at = skip_space(scan->at, scan->end);
    if (!scan_string(scan))
        return false;
    scan->at = skip_space(scan->at, scan->end);
    return scan->at < scan->end && *scan->at++ == ':';
}

/* At `[` or `{`. *due: whether a value must follow, that is, the container does not end at once. */
static enum fray_err scan_open(struct scanner *scan, bool *due)
{
    if (scan->depth == scan->depth_max)
        return FRAY_ERR_LIMIT;
    unsigned top = scan->depth++;
    bool object = *scan->at++ == '{';
    uint64_t bit = UINT64_C(1) << (top % 64);
    if (object)
        scan->objects[top / 64] |= bit;
    else
        scan->objects[top / 64] &= ~bit;
    scan->at = skip_space(scan->at, scan->end);
    if (scan->at == scan->end)
        return FRAY_ERR_SYNTAX;
    *due = *scan->at != (object ? '}' : ']');
    return *due && object && !scan_name(scan) ? FRAY_ERR_SYNTAX : FRAY_OK;
}

/* After a value inside a container: closes what closes here, up to the next value that is due, or
 * to the end of the outermost container. */
static bool scan_after(struct scanner *scan)
{
    while (scan->depth > 0) {
        scan->at = skip_space(scan->at, scan->end);
        if (scan->at == scan->end)
            return false;
        char byte = *scan->at++;
        bool object = in_object(scan);
        if (byte == ',')
            return !object || scan_name(scan);
        if (byte != (object ? '}' : ']'))
            return false;
        scan->depth--;
    }
    return true;
}

static enum fray_err scan_text(struct scanner *scan)
{
    do {
        scan->at = skip_space(scan->at, scan->end);
        if (scan->at == scan->end)
            return FRAY_ERR_SYNTAX;
        if (*scan->at == '[' || *scan->at == '{') {
            bool due;
            enum fray_err err = scan_open(scan, &due);
            if (err)
                return err;
            if (due)
                continue;
        } else if (!scan_scalar(scan)) {
            return FRAY_ERR_SYNTAX;
        }
        if (!scan_after(scan))
            return FRAY_ERR_SYNTAX;
    } while (scan->depth > 0);
    return skip_space(scan->at, scan->end) == scan->end ? FRAY_OK : FRAY_ERR_SYNTAX;
}

enum fray_err fray_json_validate(struct fray_slice text, unsigned depth_max)
{
    if (text.len == 0)
        return FRAY_ERR_SYNTAX;
    struct scanner scan; /* objects[] is written before it is read, so it is not cleared */
    scan.at = text.data;
    scan.end = text.data + text.len;
    scan.seen = 0;
    scan.depth = 0;
    scan.depth_max = depth_max < FRAY_JSON_DEPTH_CAP ? depth_max : FRAY_JSON_DEPTH_CAP;
    enum fray_err err = scan_text(&scan);
    if (err)
        return err;
    /* Only strings can hold bytes outside ASCII, and most texts have none. */
    return scan.seen & HIGH_BITS && !fray_utf8_valid(text) ? FRAY_ERR_UTF8 : FRAY_OK;
}

/* ---- Walking a valid text ---- */

struct fray_slice fray_json_trim(struct fray_slice text)
{
    while (text.len && is_space(text.data[0]))
        text = fray_slice_skip(text, 1);
    while (text.len && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

enum fray_json_kind fray_json_kind(struct fray_slice value)
{
    switch (value.len ? value.data[0] : 'n') {
    case 'n': return FRAY_JSON_NULL;
    case 'f': return FRAY_JSON_FALSE;
    case 't': return FRAY_JSON_TRUE;
    case '"': return FRAY_JSON_STRING;
    case '[': return FRAY_JSON_ARRAY;
    case '{': return FRAY_JSON_OBJECT;
    default: return FRAY_JSON_NUMBER;
    }
}

/* From an opening quote to past the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    uint64_t seen = 0;
    at++;
    while ((at = find_special(at, end, &seen)) < end) {
        char special = *at++;
        if (special == '"')
            break;
        if (special == '\\' && at < end)
            at++;
    }
    return at;
}

static const char *skip_container(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        switch (*at) {
        case '"': at = skip_string(at, end); continue;
        case '[':
        case '{': depth++; break;
        case ']':
        case '}': depth--; break;
        default: break;
        }
        at++;
        if (depth == 0)
            break;
    }
    return at;
}

/* Cuts one value off; empty where none begins, which only an invalid text has. */
static struct fray_slice take_value(const char **at, const char *end)
{
    const char *first = *at;
    const char *past = first;
    if (first < end && *first == '"') {
        past = skip_string(first, end);
    } else if (first < end && (*first == '[' || *first == '{')) {
        past = skip_container(first, end);
    } else {
        while (past < end && *past != ',' && !is_space(*past))
            past++;
    }
    *at = past;
    return (struct fray_slice){first, (size_t)(past - first)};
}

bool fray_json_seek_string(struct fray_slice *text, const char **open)
{
    for (; text->len && text->data[0] != '"'; *text = fray_slice_skip(*text, 1)) {
        char byte = text->data[0];
        if (byte == '{')
            *open = text->data;
        else if (byte == '[' || byte == ']' || byte == '}')
            *open = NULL;
    }
    return text->len;
}

struct fray_slice fray_json_take(struct fray_slice *text)
{
    const char *at = text->data;
    struct fray_slice value = take_value(&at, text->data + text->len);
    *text = fray_slice_skip(*text, value.len);
    return value;
}

struct fray_json_iter fray_json_iterate(struct fray_slice container)
{
    enum fray_json_kind kind = fray_json_kind(container);
    if (container.len < 2 || (kind != FRAY_JSON_ARRAY && kind != FRAY_JSON_OBJECT))
        return (struct fray_json_iter){container.data, container.data, false};
    return (struct fray_json_iter){
        .at = skip_space(container.data + 1, container.data + container.len - 1),
        .end = container.data + container.len - 1,
        .object = kind == FRAY_JSON_OBJECT,
    };
}

/* Passes a value or a separator, so at least one byte a step: every walk ends, on any bytes. */
bool fray_json_next(struct fray_json_iter *iter, struct fray_json_item *item)
{
    const char *at = iter->at;
    const char *end = iter->end;
    if (at == end)
        return false;
    *item = (struct fray_json_item){0};
    if (iter->object) {
        item->key = take_value(&at, end);
        at = skip_space(at, end);
        if (at < end) /* the colon */
            at = skip_space(at + 1, end);
    }
    item->value = take_value(&at, end);
    at = skip_space(at, end);
    if (at < end) /* the comma */
        at = skip_space(at + 1, end);
    iter->at = at;
    return true;
}

struct fray_slice fray_json_rest(const struct fray_json_iter *iter)
{
    return fray_json_trim((struct fray_slice){iter->at, (size_t)(iter->end - iter->at)});
}

bool fray_json_find(struct fray_slice object, struct fray_slice name, struct fray_slice *value)
{
    struct fray_json_iter iter = fray_json_iterate(object);
    struct fray_json_item item;
    bool found = false;
    while (iter.object && fray_json_next(&iter, &item)) {
        if (fray_json_string_equal(item.key, name)) {
            *value = item.value;
            found = true;
        }
    }
    return found;
}
