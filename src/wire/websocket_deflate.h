/* permessage-deflate (RFC 7692): its negotiation, and the payloads of compressed messages.
 *
 * Without context takeover, the default, a connection has no zlib state at all: its messages pass
 * through streams that the worker lends, and one compressed broadcast serves every receiver with
 * the same window. With takeover each connection owns a stream per direction: about 2^(bits+2) +
 * 2^(memory_level+9) bytes for what it sends, 2^bits + 7 KiB for what it receives.
 * Pure; one thread at a time per object. */
#ifndef FRAY_WIRE_WEBSOCKET_DEFLATE_H
#define FRAY_WIRE_WEBSOCKET_DEFLATE_H

#include "wire/websocket.h"

/* What one side is willing to do. "Server" and "client" name whose messages it is about. */
struct fray_websocket_deflate_config {
    uint32_t threshold;   /* bytes; shorter messages are sent as they are */
    bool server_takeover; /* keep the context from one message to the next */
    bool client_takeover;
    uint8_t server_window_bits; /* at most, 8..15 */
    uint8_t client_window_bits; /* at most, 8..15 */
    uint8_t level;              /* zlib's, 1..9 */
    uint8_t memory_level;       /* zlib's, 1..9 */
};

/* No takeover, full windows, level 1, threshold 1 KiB. */
struct fray_websocket_deflate_config fray_websocket_deflate_config_default(void);

struct z_stream_s;

/* What was negotiated for one connection, seen from this side, and what it keeps. */
struct fray_websocket_deflate {
    struct z_stream_s *deflate; /* with takeover, from the first message on; else NULL */
    struct z_stream_s *inflate;
    uint8_t send_bits; /* windows, 8..15 */
    uint8_t receive_bits;
    bool send_takeover;
    bool receive_takeover;
};

void fray_websocket_deflate_deinit(struct fray_websocket_deflate *deflate);

/* Server: takes the first acceptable offer in a Sec-WebSocket-Extensions value, and appends the
 * answer's value. FRAY_ERR_NOT_FOUND: none, go on without; FRAY_ERR_SYNTAX: refuse the handshake
 * (RFC 6455 section 9.1). Only after FRAY_OK is `deflate` set. */
FRAY_MUST_CHECK enum fray_err
fray_websocket_deflate_accept(const struct fray_websocket_deflate_config *config,
                              struct fray_slice offers, struct fray_websocket_deflate *deflate,
                              struct fray_buf *answer);

/* Client: appends the offer, and judges the answer. FRAY_ERR_NOT_FOUND: the server declined;
 * FRAY_ERR_SYNTAX: it answered what was not offered, fail the connection. */
void fray_websocket_deflate_offer(const struct fray_websocket_deflate_config *config,
                                  struct fray_buf *out);
FRAY_MUST_CHECK enum fray_err
fray_websocket_deflate_confirm(const struct fray_websocket_deflate_config *config,
                               struct fray_slice answer, struct fray_websocket_deflate *deflate);

/* The streams and the buffer that a worker lends to its connections. */
struct fray_websocket_deflate_worker {
    struct fray_websocket_deflate_config config;
    struct z_stream_s *deflate[16]; /* by window bits, made when first needed */
    struct z_stream_s *inflate;
    struct fray_buf inflated; /* the last message */
};

void fray_websocket_deflate_worker_init(struct fray_websocket_deflate_worker *worker,
                                        const struct fray_websocket_deflate_config *config);
void fray_websocket_deflate_worker_deinit(struct fray_websocket_deflate_worker *worker);

/* Appends a message's compressed payload, to be sent with RSV1 on its first frame, and returns
 * true. False, with nothing appended: send it as it is. A true result of a connection with takeover
 * must be sent, for the peer's context has to follow. At most UINT32_MAX bytes. */
FRAY_MUST_CHECK bool fray_websocket_deflate_payload(struct fray_websocket_deflate *deflate,
                                                    struct fray_websocket_deflate_worker *worker,
                                                    struct fray_slice payload,
                                                    struct fray_buf *out);

/* Replaces a compressed event's payload by the message, which lives until the worker's next call;
 * other events stay as they are. The connection must be failed, by the code in the event, on
 *   FRAY_ERR_SYNTAX    not a deflated message: 1002
 *   FRAY_ERR_UTF8      text that is not UTF-8: 1007
 *   FRAY_ERR_LIMIT     more than `message_max` bytes, of which no more are ever made: 1009 */
FRAY_MUST_CHECK enum fray_err fray_websocket_inflate(struct fray_websocket_deflate *deflate,
                                                     struct fray_websocket_deflate_worker *worker,
                                                     uint32_t message_max,
                                                     struct fray_websocket_event *event);

#endif
