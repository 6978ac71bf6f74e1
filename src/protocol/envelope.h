/* Envelope sessions: {"type", "content", "id"} messages (wire/envelope.h) over a websocket, or over
 * HTTP by a cursor (transport/cursor.h). Each session is in one namespace, the same one that
 * Socket.IO's clients are in, and hears and says the same events there. Pure.
 *
 *     client                                server
 *       ── opens (?namespace=/x) ──────────▶  on_authorize
 *       ◀─ {"type":"welcome","content":{…}} ─  or an error, and the end (close code 1008)
 *       ── {"type":"e","content":…,"id":1} ─▶  handler of "e", one argument
 *       ◀─ {"type":"ack","id":1,"content":…}   fray_ack
 *       ◀─ {"type":"e","content":…} ─────────  fray_emit, fray_broadcast
 *       ── not of this shape ──────────────▶
 *       ◀─ {"type":"error","content":{"code","message","type"},"id"} ─  and nothing has changed
 *
 * A binary frame is the event "message" with binary data for its one argument, both ways.
 *
 * Liveness: a websocket is pinged by the transport after ping_interval_ms of silence; who polls
 * must come back within poll_timeout_ms. Thread: the session's worker's. */
#ifndef FRAY_PROTOCOL_ENVELOPE_H
#define FRAY_PROTOCOL_ENVELOPE_H

#include "room/namespace.h"
#include "session/sid.h"
#include "wire/envelope.h"

/* What the sessions of one worker share; outlives them. */
struct fray_envelope_config {
    struct fray_worker *worker;
    struct fray_envelope_limits limits;
    size_t max_message; /* bytes; a longer one is answered with an error */
    uint32_t ping_interval_ms, ping_timeout_ms;
    uint32_t poll_timeout_ms;
    const char *version; /* of the server */
};

struct fray_envelope;

/* The namespace has answered: `error` is empty, or the refusal as JSON text {"message":…,"data":…}.
 * Called once, perhaps before fray_envelope_open returns; a refused session is closing already. */
typedef void fray_envelope_answer_fn(struct fray_envelope *envelope, struct fray_slice error,
                                     void *context);

struct fray_envelope_opening {
    fray_namespace *nsp;
    struct fray_link *link;
    struct fray_handshake *handshake;   /* borrowed */
    struct fray_slice auth;             /* JSON object as text; empty: none */
    fray_envelope_answer_fn *on_answer; /* NULL: nobody asks */
    void *context;
};

struct fray_early_frame; /* protocol/early_frames.h */

struct fray_envelope {
    struct fray_session session; /* first */
    struct fray_envelope_config *config;
    struct fray_member member;
    struct fray_timer timer;
    struct fray_early_frame *early; /* before the namespace answered */
    fray_envelope_answer_fn *on_answer;
    void *context;
    char sid[FRAY_TOKEN_LEN + 1]; /* what polling requests name the session by */
    uint64_t post_number;         /* of the newest POST that had one; 0: none had */
    size_t post_count;            /* how many messages were taken of it */
};

struct fray_envelope *fray_envelope_open(struct fray_envelope_config *config,
                                         const struct fray_envelope_opening *opening);

/* The session of that id on this worker; NULL: none. It may be closing. */
struct fray_envelope *fray_envelope_find(const struct fray_envelope_config *config,
                                         struct fray_slice sid);

/* What is wrong with the body of a POST. */
struct fray_envelope_refusal {
    enum fray_envelope_fault fault;
    size_t index; /* of the message in its array, from 0 */
};

/* Takes the body of a POST: one message or an array of them. All or nothing: when one is no
 * message, none is delivered and FRAY_ERR_SYNTAX returned. `*count`: how many were taken, fewer
 * when the session ended meanwhile. */
FRAY_MUST_CHECK enum fray_err fray_envelope_receive(struct fray_envelope *envelope,
                                                    struct fray_slice body, size_t *count,
                                                    struct fray_envelope_refusal *refusal);

#endif
