/* A session: one connected party on the worker that accepted it, and what is owed to it.
 *
 * A *link* (src/transport) carries frames; a *protocol* (src/protocol) gives them meaning; the
 * session stands between them with the outbox, and outlives its links (upgrade, polling between two
 * requests).
 *
 *      link → protocol->on_frame → namespace            in
 *      fray_session_send → outbox → [end of turn] link->ops->flush → protocol->encode → bytes out
 *
 * A protocol embeds struct fray_session first in its own struct. Owner: itself, from open until its
 * protocol's on_close has returned; then the memory goes at the end of the turn. Thread: its
 * worker's. Pure. */
#ifndef FRAY_SESSION_SESSION_H
#define FRAY_SESSION_SESSION_H

#include "session/worker.h"

struct fray_link;
struct fray_member_ops;
struct fray_session;
struct fray_stream; /* net/stream.h; opaque here */

enum { FRAY_PEER_TEXT_MAX = 56 };

/* How a link wraps messages. */
enum fray_framing {
    FRAY_FRAMING_WEBSOCKET, /* each packet in a frame of its own */
    FRAY_FRAMING_POLLING,   /* packets joined into one HTTP body */
    FRAY_FRAMING_STREAM,    /* packets one after another, as they are */
};

struct fray_link_ops {
    const char *name; /* "websocket", "polling", "tcp" */
    enum fray_framing framing;
    /* Writes what the link takes from session->outbox and pops it. Only called while is_writable.
     */
    void (*flush)(struct fray_link *link);
    /* The session is done with the link: say goodbye as the transport does, and go. */
    void (*close)(struct fray_link *link, enum fray_disconnect reason);
    /* The session went on to another link: go quietly. */
    void (*retire)(struct fray_link *link);
    /* Sends one text frame past the outbox, on a link that is not (yet) its session's. NULL:
     * cannot. */
    void (*send_text)(struct fray_link *link, struct fray_slice text);
    /* Asks the peer for a sign of life, where the transport itself has a way: what then comes moves
     * heard_ms. Where a request of the peer is open, that is sign enough. NULL: it has none. */
    void (*ping)(struct fray_link *link);
    /* Reads on, or no more for now. NULL: it cannot wait. */
    void (*pause)(struct fray_link *link, bool is_paused);
    /* Writes the peer's IP address, as struct fray_handshake has it. NULL: it has none. */
    void (*write_peer)(struct fray_link *link, char text[FRAY_PEER_TEXT_MAX]);
    /* The connection that carries the link now, and (`index` 1) the other one, where it has two;
     * NULL: none. NULL itself: it has none ever. */
    struct fray_stream *(*stream)(const struct fray_link *link, unsigned index);
};

/* One live connection of a transport. Embedded first in the transport's own struct, which owns it.
 */
struct fray_link {
    const struct fray_link_ops *ops;
    struct fray_session *session; /* NULL once either side has let go */
    bool is_writable;             /* flush would get rid of something now */
    bool has_own_bytes; /* it has something of its own to flush: a handshake's reply, a pong */
    bool is_busy;       /* the transport's: bytes of it are being handled, so its memory stays */
    bool is_closed;     /* the transport's: it has let go of its connection */
    uint32_t heard_ms;  /* low bits of when the peer was last heard; of transports that have ping */
};

struct fray_protocol {
    const char *name;
    const struct fray_member_ops *member_ops; /* what it hears of its sockets: room/namespace.h */
    /* The bytes of the message in this framing, encoded now or found. Never NULL; len 0: nothing of
     * it is for this protocol. */
    const struct fray_encoding *(*encode)(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing);
    /* A whole frame: text (valid UTF-8) or binary; of a link without frames (tcp): what has come,
     * cut anywhere. `link` is the one that it came over, not always session->link. */
    void (*on_frame)(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary);
    /* A link of this session ended by itself; it must not be used after. */
    void (*on_link_end)(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason);
    /* The outbox is empty after it had to wait. */
    void (*on_drained)(struct fray_session *session);
    /* The last call: free what the protocol's struct owns, not the struct. */
    void (*on_close)(struct fray_session *session, enum fray_disconnect reason);
};

struct fray_session {
    const struct fray_protocol *protocol;
    struct fray_worker *worker;
    struct fray_link *link; /* where to send now; NULL: between links */
    struct fray_outbox outbox;
    struct fray_handle handle;
    uint32_t admitted; /* frames of this second's budget that are left, see fray_session_admits */
    uint32_t admitted_second;
    uint32_t opened_s;    /* when, on the worker's clock */
    uint16_t size;        /* of the protocol's struct */
    uint16_t holds;       /* see fray_session_hold */
    uint8_t close_reason; /* enum fray_disconnect, once is_closing */
    bool is_dirty : 1;    /* in worker->dirty */
    bool is_overrun : 1;  /* a reliable message did not fit: closed at the end of the turn */
    bool is_closing : 1;  /* closed for the application; last messages may still be on their way */
    bool is_closed : 1;
    bool has_farewell : 1; /* in worker->farewells */
    bool owes_drained : 1; /* a send said QUEUED or DROPPED */
};

/* Opens a session: `size` zeroed bytes, of which the first are a struct fray_session. */
void *fray_session_open(const struct fray_protocol *protocol, struct fray_worker *worker,
                        size_t size);

/* Attaches a link in place of the present one, which retires. */
void fray_session_attach(struct fray_session *session, struct fray_link *link);

/* For links whose connection changes: this one has another now. */
static inline void fray_link_carried(struct fray_link *link)
{
    struct fray_session *session = link->session;
    if (session && session->worker->lab)
        session->worker->lab->on_carrier(session->worker->lab, session);
}

/* The peer was heard just now. */
static inline void fray_link_heard(struct fray_link *link, const struct fray_worker *worker)
{
    link->heard_ms = (uint32_t)(*worker->now_us / 1000);
}

/* Queues the message; it goes out at the end of the turn. A reliable message that does not fit
 * closes the session. */
enum fray_send_result fray_session_send(struct fray_session *session, struct fray_message *message);
/* The same without marking the session: it goes out with the next message or fray_session_mark. */
enum fray_send_result fray_session_queue(struct fray_session *session,
                                         struct fray_message *message);
/* Sends and drops the caller's reference. */
void fray_session_send_take(struct fray_session *session, struct fray_message *message);

/* Flush at the end of the turn. */
void fray_session_mark(struct fray_session *session);

/* Asked before each frame (of polling: each packet): false when the session is ending, or sends
 * more than messages_per_second allows, which ends it. */
bool fray_session_admits(struct fray_session *session);

/* What the peer sent is not handled as fast as it comes: its link, where it can wait, is not read
 * until each hold is taken back. */
void fray_session_hold(struct fray_session *session, bool is_held);

/* Links call this when they become writable again; they set is_writable themselves. */
void fray_session_on_writable(struct fray_session *session);

/* A link calls this once when it ends by itself: it is let go, and the session's protocol hears of
 * it. */
void fray_link_end(struct fray_link *link, enum fray_disconnect reason);

/* Ends the session: its protocol's on_close is called now, what was sent before is still delivered
 * if the link takes it within linger_ms, then the link is closed. Calling it twice is fine. */
void fray_session_close(struct fray_session *session, enum fray_disconnect reason);

/* The same where nobody is there to take what is still owed: at once, whatever came before. */
void fray_session_abandon(struct fray_session *session, enum fray_disconnect reason);

/* What a websocket's close frame will say: a code and a text (copied). To be followed by
 * fray_session_close in this turn. */
void fray_session_set_farewell(struct fray_session *session, unsigned code, struct fray_slice text);

/* Forgets that, unless the session is closing. */
void fray_session_drop_farewell(struct fray_session *session);

/* Both. */
void fray_session_close_with(struct fray_session *session, enum fray_disconnect reason,
                             unsigned code, struct fray_slice text);

/* Writes all that is dirty: a hook at the end of each turn. */
void fray_worker_flush(struct fray_worker *worker);

#endif
