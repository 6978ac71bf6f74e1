#include "wire/base64.h"

static const char alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/',
};

/* Bit 6 marks a character of the alphabet, so that the AND of a quadruple tells whether all are. */
enum { IN_ALPHABET = 0x40 };
#define V(n) (IN_ALPHABET | (n))
static const uint8_t value_of[256] = {
    ['A'] = V(0),  ['B'] = V(1),  ['C'] = V(2),  ['D'] = V(3),  ['E'] = V(4),  ['F'] = V(5),
    ['G'] = V(6),  ['H'] = V(7),  ['I'] = V(8),  ['J'] = V(9),  ['K'] = V(10), ['L'] = V(11),
    ['M'] = V(12), ['N'] = V(13), ['O'] = V(14), ['P'] = V(15), ['Q'] = V(16), ['R'] = V(17),
    ['S'] = V(18), ['T'] = V(19), ['U'] = V(20), ['V'] = V(21), ['W'] = V(22), ['X'] = V(23),
    ['Y'] = V(24), ['Z'] = V(25), ['a'] = V(26), ['b'] = V(27), ['c'] = V(28), ['d'] = V(29),
    ['e'] = V(30), ['f'] = V(31), ['g'] = V(32), ['h'] = V(33), ['i'] = V(34), ['j'] = V(35),
    ['k'] = V(36), ['l'] = V(37), ['m'] = V(38), ['n'] = V(39), ['o'] = V(40), ['p'] = V(41),
    ['q'] = V(42), ['r'] = V(43), ['s'] = V(44), ['t'] = V(45), ['u'] = V(46), ['v'] = V(47),
    ['w'] = V(48), ['x'] = V(49), ['y'] = V(50), ['z'] = V(51), ['0'] = V(52), ['1'] = V(53),
    ['2'] = V(54), ['3'] = V(55), ['4'] = V(56), ['5'] = V(57), ['6'] = V(58), ['7'] = V(59),
    ['8'] = V(60), ['9'] = V(61), ['+'] = V(62), ['/'] = V(63),
};
#undef V

void fray_base64_encode(char *out, struct fray_slice data)
{
    const uint8_t *in = (const uint8_t *)data.data;
    size_t left = data.len;
    for (; left >= 3; left -= 3, in += 3, out += 4) {
        out[0] = alphabet[in[0] >> 2];
        out[1] = alphabet[(in[0] & 0x03) << 4 | in[1] >> 4];
        out[2] = alphabet[(in[1] & 0x0F) << 2 | in[2] >> 6];
        out[3] = alphabet[in[2] & 0x3F];
    }
    if (left == 0)
        return;
    uint8_t second = left == 2 ? in[1] : 0;
    out[0] = alphabet[in[0] >> 2];
    out[1] = alphabet[(in[0] & 0x03) << 4 | second >> 4];
    out[2] = left == 2 ? alphabet[(second & 0x0F) << 2] : '=';
    out[3] = '=';
}

void fray_base64_append(struct fray_buf *out, struct fray_slice data)
{
    size_t len = fray_base64_encoded_len(data.len);
    if (len == 0)
        return;
    fray_base64_encode(fray_buf_reserve(out, len), data);
    out->len += len;
}

/* A quadruple as 24 bits. False if one of the four is not of the alphabet. */
static inline bool decode_quad(const uint8_t *in, uint32_t *bits)
{
    uint8_t a = value_of[in[0]], b = value_of[in[1]], c = value_of[in[2]], d = value_of[in[3]];
    *bits = (a & 0x3Fu) << 18 | (b & 0x3Fu) << 12 | (c & 0x3Fu) << 6 | (d & 0x3Fu);
    return a & b & c & d & IN_ALPHABET;
}

enum fray_err fray_base64_decode(struct fray_buf *out, struct fray_slice text)
{
    if (text.len % 4)
        return FRAY_ERR_SYNTAX;
    if (text.len == 0)
        return FRAY_OK;
    const uint8_t *in = (const uint8_t *)text.data;
    const uint8_t *last = in + text.len - 4;
    uint8_t *to = (uint8_t *)fray_buf_reserve(out, text.len / 4 * 3);
    uint32_t bits;
    for (; in < last; in += 4, to += 3) {
        if (!decode_quad(in, &bits))
            return FRAY_ERR_SYNTAX;
        to[0] = (uint8_t)(bits >> 16);
        to[1] = (uint8_t)(bits >> 8);
        to[2] = (uint8_t)bits;
    }
    size_t padding = last[3] != '=' ? 0 : last[2] != '=' ? 1 : 2;
    uint8_t quad[4] = {last[0], last[1], padding > 1 ? 'A' : last[2], padding > 0 ? 'A' : last[3]};
    if (!decode_quad(quad, &bits))
        return FRAY_ERR_SYNTAX;
    for (size_t i = 0; i < 3 - padding; i++)
        to[i] = (uint8_t)(bits >> (16 - 8 * i));
    out->len += text.len / 4 * 3 - padding;
    return FRAY_OK;
}
