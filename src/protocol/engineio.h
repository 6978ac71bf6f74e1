/* Engine.IO 4 sessions: heartbeat, upgrade from polling to websocket, packets in and out. Pure.
 * Spec: socketio/socket.io, docs/engine.io-protocol/v4-current.md.
 *
 * What the messages mean is the business of an *upper* protocol: Socket.IO (protocol/socketio.h),
 * or nothing more (protocol/bare.h). An upper embeds struct fray_engineio first in its own session.
 *
 * Thread: the session's worker. Owner: as struct fray_session says. */
#ifndef FRAY_PROTOCOL_ENGINEIO_H
#define FRAY_PROTOCOL_ENGINEIO_H

#include "room/namespace.h"
#include "session/sid.h"
#include "wire/engineio.h"

struct fray_engineio;

struct fray_engineio_upper {
    const struct fray_member_ops *member_ops; /* as fray_protocol.member_ops */
    size_t session_size;                      /* of the upper's struct, zeroed before on_open */
    /* The open packet is queued. `handshake` is borrowed. */
    void (*on_open)(struct fray_engineio *engineio, struct fray_handshake *handshake);
    void (*on_message)(struct fray_engineio *engineio, struct fray_slice data, bool is_binary);
    void (*on_drained)(struct fray_engineio *engineio);
    void (*on_close)(struct fray_engineio *engineio, enum fray_disconnect reason);
};

/* What the sessions of one path on one worker share. Names and defaults are Socket.IO's. */
struct fray_engineio_config {
    struct fray_worker *worker;
    const struct fray_engineio_upper *upper;
    void *upper_config;
    uint32_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms;
    uint64_t max_payload; /* bytes of a POST body or a websocket message */
    bool allow_upgrades;
    struct fray_message *ping; /* one for all; see fray_engineio_config_init */
};

struct fray_engineio {
    struct fray_session session;
    struct fray_timer heartbeat;
    struct fray_engineio_config *config;
    struct fray_engineio_probe *probe; /* a websocket that asked to take over; NULL: none */
    struct fray_handshake
        *carrier; /* the POST whose packets are being read, where the app keeps handshakes */
    bool awaits_pong;
    bool is_polling_paused; /* the client is about to upgrade: GETs are not left waiting */
    char sid[FRAY_TOKEN_LEN + 1];
};

/* Makes what the sessions share; the other fields are set by the caller before. */
void fray_engineio_config_init(struct fray_engineio_config *config);
void fray_engineio_config_deinit(struct fray_engineio_config *config);

/* Opens a session on a link. Its sid leads to it (session/sid.h). */
struct fray_engineio *fray_engineio_open(struct fray_engineio_config *config,
                                         struct fray_link *link, struct fray_handshake *handshake);

/* The session on this worker, of this config; NULL: none. It may be closing, and wait for a GET to
 * say so. */
struct fray_engineio *fray_engineio_find(struct fray_engineio_config *config,
                                         struct fray_slice sid);

/* Takes the body of a POST apart. FRAY_ERR_SYNTAX etc.: the reply is 400, and the session is
 * closed. */
FRAY_MUST_CHECK enum fray_err fray_engineio_receive(struct fray_engineio *engineio,
                                                    struct fray_slice body);

/* A websocket link with this session's sid may take over: the session polls, and none tries
 * already. */
bool fray_engineio_may_upgrade(const struct fray_engineio *engineio);
/* It probes, then takes over. */
void fray_engineio_probe(struct fray_engineio *engineio, struct fray_link *link);

/* Queues a message for the client. */
void fray_engineio_send(struct fray_engineio *engineio, struct fray_slice text);

extern const struct fray_protocol fray_engineio_protocol;

/* The encoding of any message for any Engine.IO session; see struct fray_protocol. */
const struct fray_encoding *fray_engineio_encode_message(struct fray_worker *worker,
                                                         struct fray_message *message,
                                                         enum fray_framing framing);

#endif
