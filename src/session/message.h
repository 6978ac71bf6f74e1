/* One message on its way out: immutable once sent, reference-counted, encoded at most once per
 * form.
 *
 * A broadcast makes one message; each protocol encodes it when the first of its sessions needs it,
 * and all others send the same bytes. References are counted per worker, without atomics: a message
 * never crosses threads, a clone of it does (fray_message_clone). */
#ifndef FRAY_SESSION_MESSAGE_H
#define FRAY_SESSION_MESSAGE_H

#include <stdint.h>

#include "base/buf.h"
#include "fray/fray.h"

/* What a message means. */
enum fray_message_kind {
    FRAY_MESSAGE_EVENT,     /* name and arguments, in a namespace */
    FRAY_MESSAGE_ACK,       /* arguments in reply to ack_id */
    FRAY_MESSAGE_BARE_TEXT, /* a body without a name */
    FRAY_MESSAGE_BARE_BINARY,
    FRAY_MESSAGE_PACKET, /* a control packet of the protocol, as its text is on the wire */
};

/* What bytes a protocol makes of a message for a kind of transport. */
enum fray_form {
    FRAY_FORM_BARE_WEBSOCKET,
    FRAY_FORM_ENGINEIO_WEBSOCKET, /* also of Socket.IO, which is a kind of Engine.IO message */
    FRAY_FORM_ENGINEIO_POLLING,
    FRAY_FORM_ENVELOPE_WEBSOCKET,
    FRAY_FORM_ENVELOPE_TEXT, /* of polling and Server-Sent Events */
    FRAY_FORM_MQTT_STREAM,
    FRAY_FORM_MQTT_WEBSOCKET,
};

struct fray_encoding {
    struct fray_encoding *next;
    uint32_t form; /* enum fray_form */
    uint32_t len;
    char bytes[];
};

struct fray_attachment {
    char *data; /* owned */
    size_t len;
};

enum { FRAY_ACK_NONE = -1 };

struct fray_message {
    uint32_t refs;
    uint8_t kind;  /* enum fray_message_kind */
    uint8_t class; /* enum fray_class */
    uint16_t attachments_count;
    uint64_t key;   /* of FRAY_LATEST: hash of namespace and key */
    int64_t ack_id; /* of an ack; of an event that wants one; else FRAY_ACK_NONE */
    uint64_t
        offset; /* connection state recovery: sequence number in the namespace's log; 0 = none */
    const char *nsp;        /* the namespace's name */
    struct fray_slice name; /* of an event, in `text` */
    struct fray_slice body; /* arguments as JSON text "a,b", or the bare body; in `text` */
    struct fray_attachment *attachments;
    struct fray_encoding *encodings; /* those made so far */
    char text[];
};

/* What to make a message of; slices are copied. */
struct fray_message_parts {
    enum fray_message_kind kind;
    const char *nsp; /* NULL = "/" */
    struct fray_slice name, body;
    int64_t ack_id;
    struct fray_slice attachment; /* the only one, and kept in the message's own block; or none */
};

/* A new message with one reference, class reliable. */
struct fray_message *fray_message_new(const struct fray_message_parts *parts);
/* A message of the given kind with a body and no name. */
struct fray_message *fray_message_of(enum fray_message_kind kind, struct fray_slice body);
/* A packet whose body is its encoding in `form`: one allocation, nothing left to encode. */
struct fray_message *fray_message_packet(enum fray_form form, struct fray_slice bytes);
/* A copy without encodings, for another worker. */
struct fray_message *fray_message_clone(const struct fray_message *message);

static inline struct fray_message *fray_message_ref(struct fray_message *message)
{
    message->refs++;
    return message;
}

/* The encoding in this form, or NULL when nobody needed it yet. */
const struct fray_encoding *fray_message_encoding(const struct fray_message *message,
                                                  enum fray_form form);
/* Keeps `bytes` as the encoding in this form, and returns it. At most once per form. */
const struct fray_encoding *fray_message_encode(struct fray_message *message, enum fray_form form,
                                                struct fray_slice bytes);

/* Roughly what the message costs whoever is owed it; for bounds. */
static inline size_t fray_message_size(const struct fray_message *message)
{
    size_t size = message->body.len + message->name.len + 32;
    for (size_t i = 0; i < message->attachments_count; i++)
        size += message->attachments[i].len;
    return size;
}

#endif
