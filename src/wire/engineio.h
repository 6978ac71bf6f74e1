/* Engine.IO protocol revision 4: packets, polling payloads, the open packet, error bodies.
 * Spec: socketio/socket.io, docs/engine.io-protocol/v4-current.md, "Packet encoding".
 *
 *   WebSocket, one packet a frame:   text   <type digit>[<data>]
 *                                    text   b<base64>         (a client with forceBase64)
 *                                    binary <data>            (a message)
 *   polling, a payload:              <packet> 1e <packet> 1e <packet>, binary as b<base64>
 *
 * Decoded slices borrow from the input, or from the caller's scratch when base64 was resolved.
 * Pure; any thread. */
#ifndef FRAY_WIRE_ENGINEIO_H
#define FRAY_WIRE_ENGINEIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "fray/err.h"

enum { FRAY_ENGINEIO_PROTOCOL = 4, FRAY_ENGINEIO_SEPARATOR = 0x1e };

/* The values are the wire's digits. */
enum fray_engineio_type {
    FRAY_ENGINEIO_OPEN = 0,
    FRAY_ENGINEIO_CLOSE = 1,
    FRAY_ENGINEIO_PING = 2,
    FRAY_ENGINEIO_PONG = 3,
    FRAY_ENGINEIO_MESSAGE = 4,
    FRAY_ENGINEIO_UPGRADE = 5,
    FRAY_ENGINEIO_NOOP = 6,
};

struct fray_engineio_packet {
    enum fray_engineio_type type;
    bool binary;            /* only a message can be */
    struct fray_slice data; /* after the type digit; may be empty */
};

/* ---- WebSocket ---- */

/* Decodes one text frame, whose bytes the WebSocket layer has found to be UTF-8. `scratch` is
 * emptied, and holds the data of a base64 packet afterwards; one per worker is enough.
 * FRAY_ERR_SYNTAX: empty, an unknown type, or bad base64. */
enum fray_err fray_engineio_decode_text(struct fray_slice frame, struct fray_buf *scratch,
                                        struct fray_engineio_packet *packet) FRAY_MUST_CHECK;

/* Every binary frame is a message, even an empty one. */
static inline struct fray_engineio_packet fray_engineio_decode_binary(struct fray_slice frame)
{
    return (struct fray_engineio_packet){FRAY_ENGINEIO_MESSAGE, true, frame};
}

/* Appends the content of the one frame that carries the packet: as text, or as is when binary. */
void fray_engineio_encode(struct fray_buf *buf, const struct fray_engineio_packet *packet);

/* ---- Polling ---- */

/* A walk over the packets of one request or response body. */
struct fray_engineio_payload {
    struct fray_slice rest;
    unsigned packets_left;
    bool done;
};

/* packets_max bounds the work that one body may cause. */
struct fray_engineio_payload fray_engineio_payload_open(struct fray_slice body,
                                                        unsigned packets_max);

/* The next packet, `scratch` as in fray_engineio_decode_text.
 * FRAY_ERR_NOT_FOUND: all were read.  FRAY_ERR_SYNTAX: as above; an empty body or an empty packet
 * between separators is one too.  FRAY_ERR_UTF8: text that is not UTF-8.  FRAY_ERR_LIMIT: more than
 * packets_max. After an error the walk is over; the packets before it were good. */
enum fray_err fray_engineio_payload_next(struct fray_engineio_payload *payload,
                                         struct fray_buf *scratch,
                                         struct fray_engineio_packet *packet) FRAY_MUST_CHECK;

/* Appends a packet to the body that begins at `body_start` in `buf`, after a separator unless it is
 * the body's first. Text data must not contain the separator. */
void fray_engineio_payload_append(struct fray_buf *buf, size_t body_start,
                                  const struct fray_engineio_packet *packet);

/* ---- Handshake ---- */

struct fray_engineio_open {
    struct fray_slice sid;
    const struct fray_slice *upgrades; /* names of transports, such as "websocket" */
    size_t upgrade_count;
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    uint64_t max_payload; /* bytes */
};

/* Appends the open packet, type digit included, with exactly the five keys of the specification in
 * its order: 0{"sid":…,"upgrades":[…],"pingInterval":…,"pingTimeout":…,"maxPayload":…} */
void fray_engineio_encode_open(struct fray_buf *buf, const struct fray_engineio_open *open);

/* Why a request is refused. Codes and messages are those of the official server. */
enum fray_engineio_error {
    FRAY_ENGINEIO_UNKNOWN_TRANSPORT = 0,
    FRAY_ENGINEIO_UNKNOWN_SID = 1,
    FRAY_ENGINEIO_BAD_HANDSHAKE_METHOD = 2,
    FRAY_ENGINEIO_BAD_REQUEST = 3,
    FRAY_ENGINEIO_FORBIDDEN = 4,
    FRAY_ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION = 5,
};

/* Such as "Session ID unknown". Static storage. */
struct fray_slice fray_engineio_error_message(enum fray_engineio_error error);

/* The HTTP status that carries it: 403 when forbidden, else 400. */
int fray_engineio_error_status(enum fray_engineio_error error);

/* Appends the response body {"code":n,"message":"…"} (application/json). `message` replaces the
 * official one unless it is empty. */
void fray_engineio_error_body(struct fray_buf *buf, enum fray_engineio_error error,
                              struct fray_slice message);

#endif
