#include "wire/http.h"

/* One row for each sixteen characters, from NUL to 0xFF; the sum of the bits in http.h. */
/* clang-format off */
const uint8_t fray_http_class[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2, 15,  2,  3, 15, 15, 15, 15, 14, 14, 15, 15, 14, 15, 15,  6,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  6, 14,  2, 14,  2,  6,
     6, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  6,  7, 15,
     7, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  7,  6, 15,  0,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,
};
/* clang-format on */

static const char *const method_names[] = {
    [FRAY_HTTP_METHOD_NONE] = "",    [FRAY_HTTP_GET] = "GET",     [FRAY_HTTP_HEAD] = "HEAD",
    [FRAY_HTTP_POST] = "POST",       [FRAY_HTTP_PUT] = "PUT",     [FRAY_HTTP_DELETE] = "DELETE",
    [FRAY_HTTP_OPTIONS] = "OPTIONS", [FRAY_HTTP_PATCH] = "PATCH", [FRAY_HTTP_TRACE] = "TRACE",
    [FRAY_HTTP_CONNECT] = "CONNECT",
};

enum fray_http_method fray_http_method_lookup(struct fray_slice name)
{
    for (enum fray_http_method method = FRAY_HTTP_GET; method <= FRAY_HTTP_CONNECT; method++)
        if (fray_slice_equal(name, fray_slice_of(method_names[method])))
            return method;
    return FRAY_HTTP_METHOD_NONE;
}

const char *fray_http_method_name(enum fray_http_method method)
{
    return method_names[method];
}

static const struct fray_slice header_names[FRAY_HTTP_HEADER_COUNT] = {
#define HEADER_NAME(id, name) [FRAY_HTTP_HEADER_##id] = {name, sizeof(name) - 1},
    FRAY_HTTP_HEADERS(HEADER_NAME)
#undef HEADER_NAME
};

/* Where the names of each length begin in header_names, which is sorted by length. */
static const uint8_t header_first[] = {
    [4] = FRAY_HTTP_HEADER_HOST,
    [5] = FRAY_HTTP_HEADER_RANGE,
    [6] = FRAY_HTTP_HEADER_ACCEPT,
    [7] = FRAY_HTTP_HEADER_REFERER,
    [8] = FRAY_HTTP_HEADER_IF_MATCH,
    [9] = FRAY_HTTP_HEADER_FORWARDED,
    [10] = FRAY_HTTP_HEADER_CONNECTION,
    [12] = FRAY_HTTP_HEADER_CONTENT_TYPE,
    [13] = FRAY_HTTP_HEADER_AUTHORIZATION,
    [14] = FRAY_HTTP_HEADER_CONTENT_LENGTH,
    [15] = FRAY_HTTP_HEADER_ACCEPT_ENCODING,
    [16] = FRAY_HTTP_HEADER_CONTENT_ENCODING,
    [17] = FRAY_HTTP_HEADER_IF_MODIFIED_SINCE,
    [19] = FRAY_HTTP_HEADER_IF_UNMODIFIED_SINCE,
    [21] = FRAY_HTTP_HEADER_SEC_WEBSOCKET_VERSION,
    [22] = FRAY_HTTP_HEADER_SEC_WEBSOCKET_PROTOCOL,
    [24] = FRAY_HTTP_HEADER_SEC_WEBSOCKET_EXTENSIONS,
    [29] = FRAY_HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD,
    [30] = FRAY_HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS,
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static uint64_t folded_8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word | UINT64_C(0x2020202020202020);
}

static uint32_t folded_4(const char *text)
{
    uint32_t word;
    memcpy(&word, text, sizeof word);
    return word | UINT32_C(0x20202020);
}

/* Compares names of the same length of 4 or more, word by word; the last word overlaps the one
 * before it. Bit 5 folds upper case into lower, and the lower-case letters and "-" of `known` have
 * it set: no other tchar folds into one of them. */
static bool is_known(const char *name, const char *known, size_t len)
{
    if (len < 8)
        return folded_4(name) == folded_4(known) &&
               folded_4(name + len - 4) == folded_4(known + len - 4);
    for (size_t at = 0; at + 8 < len; at += 8)
        if (folded_8(name + at) != folded_8(known + at))
            return false;
    return folded_8(name + len - 8) == folded_8(known + len - 8);
}

enum fray_http_header fray_http_header_lookup(struct fray_slice name)
{
    if (name.len >= sizeof header_first)
        return FRAY_HTTP_HEADER_OTHER;
    unsigned id = header_first[name.len];
    if (id == FRAY_HTTP_HEADER_OTHER)
        return FRAY_HTTP_HEADER_OTHER;
    for (; id < FRAY_HTTP_HEADER_COUNT && header_names[id].len == name.len; id++)
        if (is_known(name.data, header_names[id].data, name.len))
            return (enum fray_http_header)id;
    return FRAY_HTTP_HEADER_OTHER;
}

bool fray_http_is_all(struct fray_slice text, unsigned classes)
{
    for (size_t at = 0; at < text.len; at++)
        if (!fray_http_is(text.data[at], classes))
            return false;
    return text.len > 0;
}

bool fray_http_is_token(struct fray_slice text)
{
    return fray_http_is_all(text, FRAY_HTTP_TOKEN);
}

/* Eight bytes at once: the high bit of each byte of the result says that the byte is a control
 * character or DEL. HTAB is one of them; the caller looks again at the few words that have one. */
static uint64_t controls_of(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = ones << 7;
    uint64_t low_bits = word & ~high;
    uint64_t below_space = ~(low_bits + ones * 0x60);
    uint64_t is_del = low_bits + ones;
    return (below_space | is_del) & ~word & high;
}

static bool is_value_8(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return controls_of(word) == 0 || fray_http_is_all(fray_slice(text, 8), FRAY_HTTP_VALUE);
}

bool fray_http_is_value(struct fray_slice text)
{
    if (text.len < 8)
        return text.len == 0 || fray_http_is_all(text, FRAY_HTTP_VALUE);
    for (size_t at = 0; at + 8 < text.len; at += 8)
        if (!is_value_8(text.data + at))
            return false;
    return is_value_8(text.data + text.len - 8); /* overlaps the one before */
}

unsigned fray_http_hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(lower(c) - 'a') + 10;
}

bool fray_http_equal(struct fray_slice a, struct fray_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t at = 0; at < a.len; at++)
        if (a.data[at] != b.data[at] && lower(a.data[at]) != lower(b.data[at]))
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct fray_slice fray_http_trim(struct fray_slice text)
{
    while (text.len && is_blank(text.data[0]))
        text = fray_slice_skip(text, 1);
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* The length of the element that the list begins with, up to a comma outside of quotes. */
static size_t element_len(struct fray_slice list)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < list.len; at++) {
        char c = list.data[at];
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && at + 1 < list.len)
            at++;
        else if (c == ',' && !quoted)
            break;
    }
    return at;
}

bool fray_http_list_next(struct fray_slice *rest, struct fray_slice *element)
{
    while (rest->len) {
        size_t len = element_len(*rest);
        *element = fray_http_trim(fray_slice(rest->data, len));
        *rest = fray_slice_skip(*rest, len < rest->len ? len + 1 : len);
        if (element->len)
            return true;
    }
    return false;
}

bool fray_http_uint_parse(struct fray_slice text, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < text.len; at++) {
        unsigned digit = (unsigned)(text.data[at] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return text.len > 0;
}

static const struct {
    uint16_t status;
    const char *phrase;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *fray_http_reason(unsigned status)
{
    for (size_t at = 0; at < sizeof reasons / sizeof reasons[0]; at++)
        if (reasons[at].status == status)
            return reasons[at].phrase;
    return "";
}
