#include "wire/websocket_frame.h"

#include <assert.h>
#include <string.h>

#include "wire/utf8.h"

size_t fray_websocket_header_encode(char out[FRAY_WEBSOCKET_HEADER_MAX], unsigned first,
                                    uint64_t len, const uint8_t *mask_key)
{
    assert(len >> 63 == 0);
    size_t header = fray_websocket_header_len(len);
    out[0] = (char)first;
    unsigned mask_bit = mask_key ? 0x80 : 0;
    if (header == 2) {
        out[1] = (char)(mask_bit | len);
    } else {
        out[1] = (char)(mask_bit | (header == 4 ? 126 : 127));
        for (size_t i = header; i > 2; len >>= 8)
            out[--i] = (char)len;
    }
    if (!mask_key)
        return header;
    memcpy(out + header, mask_key, 4);
    return header + 4;
}

void fray_websocket_frame_append(struct fray_buf *out, unsigned first, struct fray_slice payload,
                                 const uint8_t *mask_key)
{
    assert(!fray_websocket_is_control(first) || payload.len <= FRAY_WEBSOCKET_CONTROL_MAX);
    char *at = fray_buf_reserve(out, FRAY_WEBSOCKET_HEADER_MAX + payload.len);
    size_t header = fray_websocket_header_encode(at, first, payload.len, mask_key);
    if (payload.len)
        memcpy(at + header, payload.data, payload.len);
    if (mask_key)
        fray_websocket_mask(at + header, payload.len, mask_key);
    out->len += header + payload.len;
}

void fray_websocket_close_append(struct fray_buf *out, unsigned code, struct fray_slice reason,
                                 const uint8_t *mask_key)
{
    char payload[FRAY_WEBSOCKET_CONTROL_MAX];
    size_t len = 0;
    if (fray_websocket_close_code_valid(code)) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)code;
        len = fray_utf8_cut(reason, FRAY_WEBSOCKET_REASON_MAX);
        if (len)
            memcpy(payload + 2, reason.data, len);
        len += 2;
    }
    fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_CLOSE,
                                fray_slice(payload, len), mask_key);
}

bool fray_websocket_mask(char *data, size_t len, const uint8_t key[4])
{
    uint32_t key32;
    memcpy(&key32, key, sizeof key32);
    uint64_t key64 = (uint64_t)key32 << 32 | key32;
    uint64_t seen = 0; /* all result bytes ored: their top bits tell ASCII */
    char *end = data + len;
    for (; end - data >= 32; data += 32) {
        uint64_t word[4];
        memcpy(word, data, sizeof word);
        for (int i = 0; i < 4; i++)
            word[i] ^= key64;
        memcpy(data, word, sizeof word);
        seen |= word[0] | word[1] | word[2] | word[3];
    }
    for (; end - data >= 8; data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        word ^= key64;
        memcpy(data, &word, sizeof word);
        seen |= word;
    }
    for (size_t i = 0; data < end; i++, data++) {
        *data = (char)((uint8_t)*data ^ key[i & 3]);
        seen |= (uint8_t)*data;
    }
    return !(seen & 0x8080808080808080);
}
