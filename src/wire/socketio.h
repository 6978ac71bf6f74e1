/* Socket.IO protocol revision 5: packets, and the collecting of their binary attachments.
 * Spec: socketio/socket.io, docs/socket.io-protocol/v5-current.md, "Packet encoding"; where it is
 * silent, the default parser (socket.io-parser 4.2.7) decides.
 *
 *   <type digit>[<attachments>-][<namespace>,][<ack id>][<JSON>]
 *
 *   2["foo"]                                  event foo in "/"
 *   2/admin,13["foo",1]                       event foo with ack id 13 in "/admin"
 *   51-["baz",{"_placeholder":true,"num":0}]  then one binary frame: attachment 0
 *
 * Each packet is the data of an Engine.IO message; these functions neither expect nor write the
 * Engine.IO type digit. Decoding copies nothing: slices borrow from the input. Pure; any thread. */
#ifndef FRAY_WIRE_SOCKETIO_H
#define FRAY_WIRE_SOCKETIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "fray/err.h"

/* The values are the wire's digits. */
enum fray_socketio_type {
    FRAY_SOCKETIO_CONNECT = 0,
    FRAY_SOCKETIO_DISCONNECT = 1,
    FRAY_SOCKETIO_EVENT = 2,
    FRAY_SOCKETIO_ACK = 3,
    FRAY_SOCKETIO_CONNECT_ERROR = 4,
    FRAY_SOCKETIO_BINARY_EVENT = 5,
    FRAY_SOCKETIO_BINARY_ACK = 6,
};

/* The largest integer that JavaScript holds exactly, 2^53 - 1. */
#define FRAY_SOCKETIO_ACK_ID_MAX UINT64_C(9007199254740991)

struct fray_socketio_limits {
    unsigned attachments_max; /* per packet */
    unsigned depth_max;       /* of the JSON; the payload's own array is the first level */
    size_t bytes_max;         /* of a packet and its attachments together; the assembler's */
};

#define FRAY_SOCKETIO_LIMITS_DEFAULT                                                               \
    {                                                                                              \
        .attachments_max = 10, .depth_max = 64, .bytes_max = 1000000                               \
    }

struct fray_socketio_packet {
    enum fray_socketio_type type;
    unsigned attachments; /* of a BINARY_ type, at least 1; else 0 */
    bool has_ack_id;
    bool event_escaped; /* the name must be unescaped: fray_json_string_text(event_json) */
    uint64_t ack_id;
    struct fray_slice namespace_name; /* "/" when the packet names none */
    struct fray_slice query;      /* of CONNECT: what follows `?` in the namespace; else empty */
    struct fray_slice event_json; /* of events: the first element, a string or a number, as JSON */
    struct fray_slice event_name; /* the same without quotes */
    struct fray_slice args; /* of events and acks: the other elements, as in `1,[2],"three"` */
    struct fray_slice data; /* the whole payload as JSON; empty when there is none */
};

/* Decodes the text part of a packet.
 *
 * Payloads by type: CONNECT an object or none; DISCONNECT none; EVENT an array that begins with a
 * string that is no reserved name, or with a number; ACK an array; CONNECT_ERROR an object or a
 * string. An ack id is read, and means nothing, on the other types.
 *
 * Stricter than the default parser, which the specification allows: the attachment count and the
 * ack id are decimal digits only; an event or ack must have its payload; a placeholder object has
 * its two members and no others, and refers to an attachment of this packet.
 *
 * FRAY_ERR_SYNTAX: not a packet, or bad JSON.  FRAY_ERR_TYPE: a payload that its type forbids, a
 * reserved event name, an illegal attachment.  FRAY_ERR_LIMIT: too many attachments, JSON too deep,
 * an ack id above FRAY_SOCKETIO_ACK_ID_MAX.  FRAY_ERR_UTF8. All of them end the connection. */
enum fray_err fray_socketio_decode(struct fray_slice text,
                                   const struct fray_socketio_limits *limits,
                                   struct fray_socketio_packet *packet) FRAY_MUST_CHECK;

/* Whether handlers and clients keep this name for themselves, so that no event may bear it. */
bool fray_socketio_event_reserved(struct fray_slice event_name);

/* ---- Placeholders ---- */

struct fray_socketio_placeholder {
    struct fray_slice before; /* what precedes it since the last one */
    unsigned num;             /* the attachment that takes its place */
};

/* Finds the next placeholder object in *json, which is part of a validated text, and moves *json
 * past it. Whoever replaces attachments by something else writes `before`, then that, and at the
 * end what is left of *json. FRAY_ERR_NOT_FOUND: no more.  FRAY_ERR_TYPE: an object with
 * `"_placeholder":true` that is not {"_placeholder":true,"num":<integer below attachments>}; a
 * decoded BINARY_ packet has none such. */
enum fray_err
fray_socketio_placeholder_next(struct fray_slice *json, unsigned attachments,
                               struct fray_socketio_placeholder *placeholder) FRAY_MUST_CHECK;

/* ---- Encoding: each appends one packet's text to `buf` ---- */

struct fray_socketio_event {
    struct fray_slice namespace_name;
    struct fray_slice name;      /* UTF-8, escaped as needed; not a reserved one */
    struct fray_slice name_json; /* unless empty, written as is instead of name */
    struct fray_slice args;      /* valid JSON elements, as in fray_socketio_packet; may be empty */
    struct fray_slice offset;    /* unless empty, the last argument (connection state recovery) */
    unsigned attachments;        /* > 0 makes it a BINARY_EVENT; args hold the placeholders */
    bool has_ack_id;
    uint64_t ack_id;
};

void fray_socketio_encode_event(struct fray_buf *buf, const struct fray_socketio_event *event);

/* attachments > 0 makes it a BINARY_ACK. */
void fray_socketio_encode_ack(struct fray_buf *buf, struct fray_slice namespace_name,
                              uint64_t ack_id, struct fray_slice args, unsigned attachments);

/* The reply to CONNECT, {"sid":…} or {"sid":…,"pid":…}; `pid` may be empty. */
void fray_socketio_encode_connect(struct fray_buf *buf, struct fray_slice namespace_name,
                                  struct fray_slice sid, struct fray_slice pid);

/* {"message":…} or {"message":…,"data":…}; `data_json` may be empty. */
void fray_socketio_encode_connect_error(struct fray_buf *buf, struct fray_slice namespace_name,
                                        struct fray_slice message, struct fray_slice data_json);

/* The same with its object written already. */
void fray_socketio_encode_connect_error_json(struct fray_buf *buf, struct fray_slice namespace_name,
                                             struct fray_slice error_json);

void fray_socketio_encode_disconnect(struct fray_buf *buf, struct fray_slice namespace_name);

/* Appends {"_placeholder":true,"num":…}. */
void fray_socketio_write_placeholder(struct fray_buf *buf, unsigned num);

#endif
