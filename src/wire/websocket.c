#include "wire/websocket.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/utf8.h"

/* A message that could not be reported from the caller's buffer. */
struct fray_websocket_partial {
    struct fray_buf payload; /* what has come, unmasked */
    uint64_t remaining;      /* bytes of the current frame still to come */
    uint8_t key[4];          /* its mask, turned so that key[0] meets the next byte */
    struct fray_utf8 utf8;
    uint8_t opcode;
    bool fin; /* the current frame is the last */
    bool compressed;
    bool reported; /* only the event's payload still needs it */
};

struct frame {
    const uint8_t *key; /* NULL: unmasked */
    uint64_t len;       /* of the payload */
    size_t header_len;
    uint8_t opcode;
    bool fin;
    bool rsv1;
};

/* The most that a partial message is given before its bytes have come: a header is cheap to send.
 */
enum { TRUST_MAX = 64 * 1024 };

void fray_websocket_decoder_init(struct fray_websocket_decoder *decoder, uint32_t message_max,
                                 unsigned flags)
{
    *decoder = (struct fray_websocket_decoder){.message_max = message_max, .flags = (uint8_t)flags};
}

void fray_websocket_decoder_deinit(struct fray_websocket_decoder *decoder)
{
    if (!decoder->partial)
        return;
    fray_buf_deinit(&decoder->partial->payload);
    free(decoder->partial);
    decoder->partial = NULL;
}

enum fray_err fray_websocket_event_fail(struct fray_websocket_event *event, enum fray_err err,
                                        const char *fault)
{
    *event = (struct fray_websocket_event){.fault = fault};
    event->close_code = err == FRAY_ERR_UTF8    ? FRAY_WEBSOCKET_CLOSE_INVALID_DATA
                        : err == FRAY_ERR_LIMIT ? FRAY_WEBSOCKET_CLOSE_TOO_BIG
                                                : FRAY_WEBSOCKET_CLOSE_PROTOCOL_ERROR;
    return err;
}

static enum fray_err violation(struct fray_websocket_event *event, const char *fault)
{
    return fray_websocket_event_fail(event, FRAY_ERR_SYNTAX, fault);
}

/* What the first two bytes tell: section 5.2, and 5.5 for control frames. */
static enum fray_err check_start(const struct fray_websocket_decoder *decoder, unsigned first,
                                 unsigned second, struct fray_websocket_event *event)
{
    unsigned opcode = first & 0x0F;
    bool control = fray_websocket_is_control(opcode);
    if (first & 0x30)
        return violation(event, "reserved bit set");
    if (first & FRAY_WEBSOCKET_RSV1) {
        if (!(decoder->flags & FRAY_WEBSOCKET_DEFLATE))
            return violation(event, "reserved bit set");
        if (control || opcode == FRAY_WEBSOCKET_CONTINUATION) /* RFC 7692 section 6.1 */
            return violation(event, "compression bit on a frame that cannot start a message");
    }
    if (opcode > FRAY_WEBSOCKET_PONG ||
        (opcode > FRAY_WEBSOCKET_BINARY && opcode < FRAY_WEBSOCKET_CLOSE))
        return violation(event, "unknown opcode");
    if (control && !(first & FRAY_WEBSOCKET_FIN))
        return violation(event, "fragmented control frame");
    if (control && (second & 0x7F) > FRAY_WEBSOCKET_CONTROL_MAX)
        return violation(event, "control frame too long");
    bool masked = second & 0x80;
    bool client = decoder->flags & FRAY_WEBSOCKET_CLIENT;
    if (masked == client) /* section 5.1 */
        return violation(event, masked ? "masked frame from the server" : "unmasked frame");
    if (opcode == FRAY_WEBSOCKET_CONTINUATION && !decoder->partial)
        return violation(event, "continuation of no message");
    if (opcode != FRAY_WEBSOCKET_CONTINUATION && !control && decoder->partial)
        return violation(event, "new message inside a fragmented one");
    return FRAY_OK;
}

/* The extended length of a frame, which must be in the shortest form (section 5.2). */
static enum fray_err extended_len(const uint8_t *at, size_t bytes, uint64_t *len,
                                  struct fray_websocket_event *event)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    *len = value;
    if (value >> 63)
        return violation(event, "frame length out of range");
    if (value <= (bytes == 2 ? 125 : UINT16_MAX))
        return violation(event, "frame length not in its shortest form");
    return FRAY_OK;
}

static inline enum fray_err header_decode(const struct fray_websocket_decoder *decoder,
                                          struct fray_slice in, struct frame *frame,
                                          struct fray_websocket_event *event)
{
    if (in.len < 2)
        return FRAY_ERR_AGAIN;
    const uint8_t *at = (const uint8_t *)in.data;
    enum fray_err err = check_start(decoder, at[0], at[1], event);
    if (err)
        return err;
    frame->opcode = at[0] & 0x0F;
    frame->fin = at[0] & FRAY_WEBSOCKET_FIN;
    frame->rsv1 = at[0] & FRAY_WEBSOCKET_RSV1;
    frame->len = at[1] & 0x7F;
    frame->header_len = 2;
    if (frame->len > 125) {
        size_t bytes = frame->len == 126 ? 2 : 8;
        if (in.len < 2 + bytes)
            return FRAY_ERR_AGAIN;
        err = extended_len(at + 2, bytes, &frame->len, event);
        if (err)
            return err;
        frame->header_len += bytes;
    }
    size_t gathered = decoder->partial ? decoder->partial->payload.len : 0;
    if (!fray_websocket_is_control(frame->opcode) && frame->len > decoder->message_max - gathered)
        return fray_websocket_event_fail(event, FRAY_ERR_LIMIT, "message too long");
    frame->key = NULL;
    if (at[1] & 0x80) {
        frame->key = at + frame->header_len;
        frame->header_len += 4;
    }
    return in.len < frame->header_len ? FRAY_ERR_AGAIN : FRAY_OK;
}

static enum fray_err close_decode(struct fray_slice payload, struct fray_websocket_event *event)
{
    event->payload = fray_slice(NULL, 0);
    event->close_code = FRAY_WEBSOCKET_CLOSE_NO_STATUS;
    if (payload.len == 0)
        return FRAY_OK;
    if (payload.len == 1)
        return violation(event, "close frame with half a code");
    const uint8_t *at = (const uint8_t *)payload.data;
    unsigned code = (unsigned)at[0] << 8 | at[1];
    if (!fray_websocket_close_code_valid(code))
        return violation(event, "invalid close code");
    struct fray_slice reason = fray_slice_skip(payload, 2);
    if (!fray_utf8_valid(reason))
        return fray_websocket_event_fail(event, FRAY_ERR_UTF8, "close reason is not UTF-8");
    event->close_code = (uint16_t)code;
    event->payload = reason;
    return FRAY_OK;
}

/* A frame that lies in the buffer from its first byte to its last: a control frame, or a message.
 */
static inline enum fray_err report(struct fray_websocket_decoder *decoder,
                                   const struct frame *frame, char *payload,
                                   struct fray_websocket_event *event)
{
    size_t len = (size_t)frame->len;
    bool ascii = frame->key && fray_websocket_mask(payload, len, frame->key);
    *event = (struct fray_websocket_event){
        .payload = {payload, len}, .opcode = frame->opcode, .compressed = frame->rsv1};
    if (frame->opcode == FRAY_WEBSOCKET_TEXT) {
        if (!ascii && !frame->rsv1 && !fray_utf8_valid(event->payload))
            return fray_websocket_event_fail(event, FRAY_ERR_UTF8, "text is not UTF-8");
    } else if (frame->opcode == FRAY_WEBSOCKET_CLOSE) {
        decoder->ended = true;
        return close_decode(event->payload, event);
    }
    return FRAY_OK;
}

/* Opens the frame in the partial message, which is made if this is its first. */
static void partial_begin(struct fray_websocket_decoder *decoder, const struct frame *frame)
{
    struct fray_websocket_partial *partial = decoder->partial;
    if (!partial) {
        partial = decoder->partial = fray_alloc_zero(sizeof *partial);
        partial->opcode = frame->opcode;
        partial->compressed = frame->rsv1;
        if (frame->len)
            fray_buf_reserve(&partial->payload,
                             frame->len < TRUST_MAX ? (size_t)frame->len : TRUST_MAX);
    }
    partial->remaining = frame->len;
    partial->fin = frame->fin;
    if (frame->key)
        memcpy(partial->key, frame->key, sizeof partial->key);
    else
        memset(partial->key, 0, sizeof partial->key);
}

static void key_turn(uint8_t key[4], size_t steps)
{
    uint8_t turned[4];
    for (size_t i = 0; i < 4; i++)
        turned[i] = key[(i + steps) & 3];
    memcpy(key, turned, sizeof turned);
}

/* Takes what has come of the current frame. FRAY_OK once the message is whole and reported. */
static enum fray_err partial_absorb(struct fray_websocket_partial *partial, char *data, size_t len,
                                    struct fray_websocket_event *event)
{
    bool text = partial->opcode == FRAY_WEBSOCKET_TEXT && !partial->compressed;
    bool ascii = fray_websocket_mask(data, len, partial->key);
    key_turn(partial->key, len);
    partial->remaining -= len;
    if (text && !(ascii && fray_utf8_complete(&partial->utf8)) &&
        !fray_utf8_feed(&partial->utf8, data, len))
        return fray_websocket_event_fail(event, FRAY_ERR_UTF8, "text is not UTF-8");
    fray_buf_append(&partial->payload, data, len);
    if (partial->remaining || !partial->fin)
        return FRAY_ERR_AGAIN;
    if (text && !fray_utf8_complete(&partial->utf8))
        return fray_websocket_event_fail(event, FRAY_ERR_UTF8, "text is not UTF-8");
    partial->reported = true;
    *event = (struct fray_websocket_event){.payload = fray_buf_slice(&partial->payload),
                                           .opcode = partial->opcode,
                                           .compressed = partial->compressed};
    return FRAY_OK;
}

/* The next frame, or what has come of it. FRAY_ERR_AGAIN with `*consumed` > 0: go on behind it. */
static inline enum fray_err frame_decode(struct fray_websocket_decoder *decoder, char *data,
                                         size_t len, size_t *consumed,
                                         struct fray_websocket_event *event)
{
    *consumed = 0;
    struct fray_websocket_partial *partial = decoder->partial;
    if (!partial || !partial->remaining) {
        struct frame frame;
        enum fray_err err = header_decode(decoder, fray_slice(data, len), &frame, event);
        if (err)
            return err;
        bool control = fray_websocket_is_control(frame.opcode);
        bool whole = frame.len <= len - frame.header_len;
        if (control && !whole)
            return FRAY_ERR_AGAIN;
        if (control || (whole && frame.fin && !partial)) {
            *consumed = frame.header_len + (size_t)frame.len;
            return report(decoder, &frame, data + frame.header_len, event);
        }
        partial_begin(decoder, &frame);
        partial = decoder->partial;
        *consumed = frame.header_len;
    }
    size_t take = len - *consumed;
    if (take > partial->remaining)
        take = (size_t)partial->remaining;
    char *payload = data + *consumed;
    *consumed += take;
    return partial_absorb(partial, payload, take, event);
}

enum fray_err fray_websocket_decode(struct fray_websocket_decoder *decoder, char *data, size_t len,
                                    size_t *consumed, struct fray_websocket_event *event)
{
    if (decoder->partial && decoder->partial->reported)
        fray_websocket_decoder_deinit(decoder);
    *consumed = decoder->ended ? len : 0;
    if (decoder->ended)
        return FRAY_ERR_CLOSED;
    while (*consumed < len) {
        size_t used;
        enum fray_err err = frame_decode(decoder, data + *consumed, len - *consumed, &used, event);
        *consumed += used;
        if (err == FRAY_ERR_AGAIN && used)
            continue;
        if (err && err != FRAY_ERR_AGAIN)
            decoder->ended = true;
        if (decoder->ended)
            fray_websocket_decoder_deinit(decoder);
        return err;
    }
    return FRAY_ERR_AGAIN;
}
