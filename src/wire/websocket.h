/* What a WebSocket peer sends, as messages (RFC 6455 sections 5 to 8): a pure decoder for either
 * role over bytes that the caller reads. One thread at a time.
 *
 * A message that lies in the caller's buffer as one frame is unmasked where it lies and reported
 * without a copy. Any other is gathered in memory that the decoder owns, and holds only until that
 * message is done with: an idle decoder is 16 bytes. All that has come of a data frame is consumed
 * at once, so what the caller must keep between reads is less than one header or control frame:
 * FRAY_WEBSOCKET_LEFTOVER_MAX bytes.
 *
 *     size_t used, at = 0;
 *     while ((err = fray_websocket_decode(&decoder, data + at, len - at, &used, &event)) ==
 * FRAY_OK) { at += used;
 *         ...                         (event.payload lives until the next call)
 *     }
 *     at += used;                     (FRAY_ERR_AGAIN: keep data + at .. data + len for the next
 * read)
 */
#ifndef FRAY_WIRE_WEBSOCKET_H
#define FRAY_WIRE_WEBSOCKET_H

#include "fray/err.h"
#include "wire/websocket_frame.h"

enum {
    FRAY_WEBSOCKET_LEFTOVER_MAX = FRAY_WEBSOCKET_HEADER_MAX + FRAY_WEBSOCKET_CONTROL_MAX,
};

/* Flags of fray_websocket_decoder_init. */
enum {
    FRAY_WEBSOCKET_CLIENT = 1,  /* this side is the client: frames must be unmasked, not masked */
    FRAY_WEBSOCKET_DEFLATE = 2, /* permessage-deflate was negotiated: RSV1 is allowed */
};

struct fray_websocket_partial;

struct fray_websocket_decoder {
    struct fray_websocket_partial *partial; /* the unfinished message; NULL while there is none */
    uint32_t message_max;                   /* payload bytes of a message, as they travel */
    uint8_t flags;
    bool ended; /* a close frame has come, or a violation: nothing more is decoded */
};

/* A message, or a control frame, which may come in the midst of a message's fragments. */
struct fray_websocket_event {
    struct fray_slice payload;         /* of a close: the reason. Lives until the next decode */
    const char *fault;                 /* on error, what the peer did: static, for log and reason */
    enum fray_websocket_opcode opcode; /* TEXT, BINARY, CLOSE, PING or PONG */
    uint16_t close_code; /* CLOSE: the peer's, or NO_STATUS; on error: the one to send */
    bool compressed;     /* still deflated, its text unchecked: fray_websocket_inflate */
};

void fray_websocket_decoder_init(struct fray_websocket_decoder *decoder, uint32_t message_max,
                                 unsigned flags);
void fray_websocket_decoder_deinit(struct fray_websocket_decoder *decoder);

/* Decodes the next event from data[0..len), which is overwritten where it was masked. `*consumed`
 * bytes are done with, whatever is returned; the caller presents the others again, with more.
 *   FRAY_OK            `event` is set
 *   FRAY_ERR_AGAIN     nothing whole; also ends the life of the last event's payload
 *   FRAY_ERR_SYNTAX    protocol violation: 1002
 *   FRAY_ERR_UTF8      text or close reason that is not UTF-8: 1007, as soon as it can be known
 *   FRAY_ERR_LIMIT     message longer than message_max: 1009, told from its headers
 *   FRAY_ERR_CLOSED    after a close frame or an error: everything is consumed and dropped
 * After an error event->close_code and event->fault are set. */
FRAY_MUST_CHECK enum fray_err fray_websocket_decode(struct fray_websocket_decoder *decoder,
                                                    char *data, size_t len, size_t *consumed,
                                                    struct fray_websocket_event *event);

/* Sets the event to a violation that the given code tells, and returns its error. For what is
 * layered on the decoder; see fray_websocket_decode. */
enum fray_err fray_websocket_event_fail(struct fray_websocket_event *event, enum fray_err err,
                                        const char *fault);

#endif
