/* WebSocket frames as they are written (RFC 6455 section 5.2), for either role. Pure; any thread.
 *
 *    byte 0             byte 1             then
 *   +-----------------+------------------+------------------+------------+-----------------+
 *   |FIN|RSV1-3|opcode|MASK|length 0..125| 2 bytes if 126   | 4 bytes    | payload         |
 *   |             4   |    |          7  | 8 bytes if 127   | if MASK    | ^ key, repeated |
 *   +-----------------+------------------+------------------+------------+-----------------+
 *
 * A server's frames are unmasked, so one encoding serves every receiver of a broadcast. A client's
 * are masked with a key that nobody can foresee (section 5.3): the caller draws 4 random bytes for
 * each frame. Where a function takes `mask_key`, NULL means a server's frame. */
#ifndef FRAY_WIRE_WEBSOCKET_FRAME_H
#define FRAY_WIRE_WEBSOCKET_FRAME_H

#include <stdint.h>

#include "base/buf.h"

enum fray_websocket_opcode {
    FRAY_WEBSOCKET_CONTINUATION = 0x0,
    FRAY_WEBSOCKET_TEXT = 0x1,
    FRAY_WEBSOCKET_BINARY = 0x2,
    FRAY_WEBSOCKET_CLOSE = 0x8, /* from here on control frames */
    FRAY_WEBSOCKET_PING = 0x9,
    FRAY_WEBSOCKET_PONG = 0xA,
};

/* Ored to the opcode: they share its byte. */
enum {
    FRAY_WEBSOCKET_FIN = 0x80,  /* the message's last, or only, frame */
    FRAY_WEBSOCKET_RSV1 = 0x40, /* compressed; on a message's first frame only (RFC 7692 6) */
};

/* Close codes that fray itself sends or reports (RFC 6455 section 7.4.1). */
enum {
    FRAY_WEBSOCKET_CLOSE_NORMAL = 1000,
    FRAY_WEBSOCKET_CLOSE_GOING_AWAY = 1001,
    FRAY_WEBSOCKET_CLOSE_PROTOCOL_ERROR = 1002,
    FRAY_WEBSOCKET_CLOSE_UNSUPPORTED_DATA = 1003,
    FRAY_WEBSOCKET_CLOSE_NO_STATUS = 1005, /* never on the wire: a close frame without a code */
    FRAY_WEBSOCKET_CLOSE_ABNORMAL = 1006,  /* never on the wire: the link went without a close */
    FRAY_WEBSOCKET_CLOSE_INVALID_DATA = 1007,
    FRAY_WEBSOCKET_CLOSE_POLICY_VIOLATION = 1008,
    FRAY_WEBSOCKET_CLOSE_TOO_BIG = 1009,
    FRAY_WEBSOCKET_CLOSE_INTERNAL_ERROR = 1011,
    FRAY_WEBSOCKET_CLOSE_TRY_AGAIN_LATER = 1013,
    FRAY_WEBSOCKET_CLOSE_TLS = 1015, /* never on the wire: the server's certificate is no good */
};

enum {
    FRAY_WEBSOCKET_HEADER_MAX = 14,
    FRAY_WEBSOCKET_CONTROL_MAX = 125, /* payload bytes of a control frame (section 5.5) */
    FRAY_WEBSOCKET_REASON_MAX = 123,  /* of which a close frame's code takes two */
};

static inline bool fray_websocket_is_control(unsigned opcode)
{
    return opcode & 0x8;
}

/* Whether a close frame may carry the code (section 7.4 and IANA's registry of close codes). */
static inline bool fray_websocket_close_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* The length of the header before `len` bytes of a server's frame; a client's has 4 more. */
static inline size_t fray_websocket_header_len(uint64_t len)
{
    return len <= 125 ? 2 : len <= UINT16_MAX ? 4 : 10;
}

/* Writes the header of a frame of `len` < 2^63 payload bytes; `first` is an opcode and flags.
 * Returns the header's length. The payload of a client's frame is the caller's to mask. */
size_t fray_websocket_header_encode(char out[FRAY_WEBSOCKET_HEADER_MAX], unsigned first,
                                    uint64_t len, const uint8_t *mask_key);

/* Appends a whole frame. A control frame's payload must not exceed FRAY_WEBSOCKET_CONTROL_MAX. */
void fray_websocket_frame_append(struct fray_buf *out, unsigned first, struct fray_slice payload,
                                 const uint8_t *mask_key);

/* Appends a close frame. The reason, UTF-8, is cut to whole characters of at most
 * FRAY_WEBSOCKET_REASON_MAX bytes. A code that may not travel, such as NO_STATUS, makes an empty
 * close frame: so a received close is answered by its own code as reported. */
void fray_websocket_close_append(struct fray_buf *out, unsigned code, struct fray_slice reason,
                                 const uint8_t *mask_key);

/* Masks or unmasks in place (section 5.3); the key's first byte meets data[0]. Returns whether the
 * result is pure ASCII, which spares text another pass. */
bool fray_websocket_mask(char *data, size_t len, const uint8_t key[4]);

#endif
