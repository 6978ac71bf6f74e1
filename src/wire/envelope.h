/* The envelope: JSON messages {"type": …, "content": …, "id": …} for clients that have no library.
 *
 *     {"type":"move","content":{"x":5}}             an event with one argument
 *     {"type":"move","content":{"x":5},"id":7}      the same, and the sender wants an ack
 *     {"type":"say","content":["a",2],"spread":true}  an event with several arguments
 *     {"type":"ready"}                              an event without arguments
 *     {"type":"ack","id":7,"content":…}             the answer to the event of that id
 *
 * `type` is a string, `id` an integer from 0 to 2^53 - 1, `content` any value. Members of other
 * names are ignored. Binary data stands in the content as {"_base64":"…"}.
 *
 * Inside fray an event's arguments are JSON text "a,b", binary data in it as Socket.IO's
 * placeholders (wire/socketio.h) with attachments beside: these functions translate. Pure; any
 * thread. */
#ifndef FRAY_WIRE_ENVELOPE_H
#define FRAY_WIRE_ENVELOPE_H

#include <stdint.h>

#include "base/buf.h"
#include "fray/err.h"

#define FRAY_ENVELOPE_ID_MAX ((UINT64_C(1) << 53) - 1) /* the integers that JavaScript knows */

/* What is wrong with a message from a client; what the client is told. */
enum fray_envelope_fault {
    FRAY_ENVELOPE_OK = 0,
    FRAY_ENVELOPE_BAD_JSON,
    FRAY_ENVELOPE_TOO_DEEP,
    FRAY_ENVELOPE_NOT_AN_OBJECT,
    FRAY_ENVELOPE_NO_TYPE,
    FRAY_ENVELOPE_BAD_TYPE,
    FRAY_ENVELOPE_RESERVED_TYPE,
    FRAY_ENVELOPE_BAD_ID,
    FRAY_ENVELOPE_BAD_SPREAD,
    FRAY_ENVELOPE_BAD_BINARY,
    FRAY_ENVELOPE_TOO_MANY_BINARIES,
    FRAY_ENVELOPE_TOO_LONG, /* never returned here: for who counts bytes */
    FRAY_ENVELOPE_FAULTS,
};

/* The fault's code, such as "bad_json", and a sentence. Static storage. */
const char *fray_envelope_fault_code(enum fray_envelope_fault fault);
const char *fray_envelope_fault_text(enum fray_envelope_fault fault);

struct fray_envelope_message {
    struct fray_slice type; /* its text; in `scratch` when it was escaped */
    struct fray_slice args; /* JSON text "a,b", still with {"_base64":…} */
    bool has_id, is_ack;
    uint64_t id;
};

struct fray_envelope_limits {
    unsigned depth_max;       /* levels of the content's arrays and objects */
    unsigned attachments_max; /* binaries in one message */
};

/* Reads a message from text that is UTF-8. The slices borrow from `text` and `scratch`, which is
 * emptied first. When there is a fault, `has_id`, `id` and `type` are set as far as they could be
 * read, for the answer. */
FRAY_MUST_CHECK enum fray_envelope_fault
fray_envelope_decode(struct fray_slice text, const struct fray_envelope_limits *limits,
                     struct fray_buf *scratch, struct fray_envelope_message *message);
/* The same from a value that fray_json_validate accepted already. */
FRAY_MUST_CHECK enum fray_envelope_fault
fray_envelope_decode_value(struct fray_slice value, struct fray_buf *scratch,
                           struct fray_envelope_message *message);

/* Arguments with their binary data taken out. Zero-initialise it; reusable. */
struct fray_envelope_binaries {
    struct fray_buf args;  /* with placeholders */
    struct fray_buf bytes; /* all binary data, one after the other */
    struct fray_slice *attachments;
    unsigned count, cap;
};

/* Takes {"_base64":…} out of `args`. Without any, binaries->count is 0 and binaries->args unused:
 * the arguments are good as they are. */
FRAY_MUST_CHECK enum fray_envelope_fault
fray_envelope_take_binaries(struct fray_slice args, const struct fray_envelope_limits *limits,
                            struct fray_envelope_binaries *binaries);
void fray_envelope_binaries_deinit(struct fray_envelope_binaries *binaries);

/* A message on its way out. */
struct fray_envelope_parts {
    struct fray_slice type; /* text */
    struct fray_slice args; /* "a,b", with placeholders where there are attachments */
    const struct fray_slice *attachments;
    unsigned attachments_count;
    bool has_id;
    uint64_t id;
};

/* Appends the message, in one line whatever white space the arguments have. */
void fray_envelope_encode(struct fray_buf *out, const struct fray_envelope_parts *parts);

/* Appends {"type":"error","content":{"code":…,"type":…,"message":…}}; `type` may be empty; `id`
 * where has_id. */
struct fray_envelope_error {
    const char *code, *message;
    struct fray_slice type;
    bool has_id;
    uint64_t id;
};
void fray_envelope_encode_error(struct fray_buf *out, const struct fray_envelope_error *error);

#endif
