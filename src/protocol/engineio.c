#include "protocol/engineio.h"

#include <assert.h>

#include "base/mem.h"

enum {
    POST_PACKETS_MAX = 16384,  /* of one POST; a body is bounded in bytes as well */
    NOOP_INTERVAL_US = 100000, /* while a client upgrades, to GETs that wait */
    LATENESS_MAX_US = 50000,   /* of a turn, beyond which the program must have stood still */
};

/* A websocket that wants to take over from polling. */
struct fray_engineio_probe {
    struct fray_engineio *engineio;
    struct fray_link *link;
    uint64_t deadline_us;    /* when the attempt ends */
    struct fray_timer timer; /* for that, or for the next noop */
};

void fray_engineio_config_init(struct fray_engineio_config *config)
{
    config->ping = fray_message_of(FRAY_MESSAGE_PACKET, FRAY_SLICE("2"));
}

void fray_engineio_config_deinit(struct fray_engineio_config *config)
{
    fray_message_unref(config->ping);
}

/* ------------------------------------------------------------------ heartbeat */

static void arm(struct fray_engineio *engineio, uint32_t delay_ms)
{
    struct fray_worker *worker = engineio->session.worker;
    fray_timer_arm(worker->timers, &engineio->heartbeat,
                   *worker->now_us + delay_ms * UINT64_C(1000));
}

static void on_heartbeat(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_engineio *engineio =
        (struct fray_engineio *)((char *)timer - offsetof(struct fray_engineio, heartbeat));
    if (engineio->awaits_pong) {
        fray_count(&engineio->session.worker->counters.closed_ping_timeout);
        fray_session_close(&engineio->session, FRAY_PING_TIMEOUT);
        return;
    }
    engineio->awaits_pong = true;
    /* Counted from when the ping was due (rounded up by the wheel), so that lateness does not add
     * up; but after the program stood still nobody is closed for it. */
    uint64_t due_us = (timer->due_ms - 1) * 1000;
    fray_timer_arm(engineio->session.worker->timers, timer,
                   (now_us - due_us < LATENESS_MAX_US ? due_us : now_us) +
                       engineio->config->ping_timeout_ms * UINT64_C(1000));
    fray_session_send(&engineio->session, engineio->config->ping);
}

/* ------------------------------------------------------------------ opening and finding */

static void send_open(struct fray_engineio *engineio, bool may_upgrade)
{
    static const struct fray_slice websocket = {"websocket", 9};
    const struct fray_engineio_config *config = engineio->config;
    struct fray_buf text = {0};
    fray_engineio_encode_open(&text, &(struct fray_engineio_open){
                                         .sid = {engineio->sid, FRAY_TOKEN_LEN},
                                         .upgrades = &websocket,
                                         .upgrade_count = may_upgrade,
                                         .ping_interval_ms = config->ping_interval_ms,
                                         .ping_timeout_ms = config->ping_timeout_ms,
                                         .max_payload = config->max_payload,
                                     });
    fray_session_send_take(&engineio->session,
                           fray_message_of(FRAY_MESSAGE_PACKET, fray_buf_slice(&text)));
    fray_buf_deinit(&text);
}

struct fray_engineio *fray_engineio_open(struct fray_engineio_config *config,
                                         struct fray_link *link, struct fray_handshake *handshake)
{
    struct fray_worker *worker = config->worker;
    struct fray_engineio *engineio =
        fray_session_open(&fray_engineio_protocol, worker, config->upper->session_size);
    engineio->config = config;
    fray_sid_make(&engineio->session, engineio->sid);
    engineio->heartbeat.on_expire = on_heartbeat;
    fray_session_attach(&engineio->session, link);
    send_open(engineio, link->ops->framing == FRAY_FRAMING_POLLING && config->allow_upgrades);
    arm(engineio, config->ping_interval_ms);
    config->upper->on_open(engineio, handshake);
    return engineio;
}

struct fray_engineio *fray_engineio_find(struct fray_engineio_config *config, struct fray_slice sid)
{
    struct fray_session *session = fray_sid_session(config->worker, sid);
    if (!session || session->protocol != &fray_engineio_protocol)
        return NULL;
    struct fray_engineio *engineio = (struct fray_engineio *)session;
    return engineio->config == config && fray_token_equal(sid, engineio->sid) ? engineio : NULL;
}

void fray_engineio_send(struct fray_engineio *engineio, struct fray_slice text)
{
    fray_session_send_take(&engineio->session, fray_message_of(FRAY_MESSAGE_BARE_TEXT, text));
}

/* ------------------------------------------------------------------ upgrade */

/* Ends the probe; its link, which is let go, is closed unless it took over. */
static void probe_end(struct fray_engineio *engineio, bool closes_link)
{
    struct fray_engineio_probe *probe = engineio->probe;
    if (!probe)
        return;
    engineio->probe = NULL;
    engineio->is_polling_paused = false;
    fray_timer_cancel(engineio->session.worker->timers, &probe->timer);
    if (closes_link) {
        probe->link->session = NULL;
        probe->link->ops->close(probe->link, FRAY_TRANSPORT_CLOSE);
    }
    free(probe);
}

static void probe_arm(struct fray_engineio_probe *probe, uint64_t due_us)
{
    fray_timer_arm(probe->engineio->session.worker->timers, &probe->timer,
                   due_us < probe->deadline_us ? due_us : probe->deadline_us);
}

/* Lets a waiting GET return, so that the client can pause polling. As the official server does, not
 * at once: often a message does it meanwhile. */
static void on_probe_timer(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_engineio_probe *probe =
        (struct fray_engineio_probe *)((char *)timer - offsetof(struct fray_engineio_probe, timer));
    struct fray_session *session = &probe->engineio->session;
    if (now_us >= probe->deadline_us) {
        probe_end(probe->engineio, true);
        return;
    }
    if (session->link && session->link->is_writable)
        fray_session_send_take(session, fray_message_of(FRAY_MESSAGE_PACKET, FRAY_SLICE("6")));
    probe_arm(probe, now_us + NOOP_INTERVAL_US);
}

bool fray_engineio_may_upgrade(const struct fray_engineio *engineio)
{
    const struct fray_link *present = engineio->session.link;
    return engineio->config->allow_upgrades && !engineio->probe && !engineio->session.is_closing &&
           present && present->ops->framing == FRAY_FRAMING_POLLING;
}

void fray_engineio_probe(struct fray_engineio *engineio, struct fray_link *link)
{
    assert(fray_engineio_may_upgrade(engineio) && link->ops->send_text);
    struct fray_worker *worker = engineio->session.worker;
    struct fray_engineio_probe *probe = fray_alloc_zero(sizeof *probe);
    probe->engineio = engineio;
    probe->link = link;
    probe->timer.on_expire = on_probe_timer;
    probe->deadline_us = *worker->now_us + engineio->config->upgrade_timeout_ms * UINT64_C(1000);
    probe_arm(probe, probe->deadline_us);
    engineio->probe = probe;
    link->session = &engineio->session;
}

/* A packet on a websocket that is not the session's yet: "2probe", then "5"; anything else ends the
 * attempt. */
static void on_probe_packet(struct fray_engineio *engineio,
                            const struct fray_engineio_packet *packet)
{
    struct fray_link *link = engineio->probe->link;
    if (packet->type == FRAY_ENGINEIO_PING && link->is_writable &&
        fray_slice_equal(packet->data, FRAY_SLICE("probe"))) {
        engineio->is_polling_paused = true;
        link->ops->send_text(link, FRAY_SLICE("3probe"));
        probe_arm(engineio->probe, *engineio->session.worker->now_us + NOOP_INTERVAL_US);
    } else if (packet->type == FRAY_ENGINEIO_UPGRADE && engineio->is_polling_paused) {
        probe_end(engineio, false);
        fray_count(&engineio->session.worker->counters.upgrades);
        fray_session_attach(&engineio->session, link);
    } else {
        probe_end(engineio, true);
    }
}

/* ------------------------------------------------------------------ packets in */

static void fail(struct fray_engineio *engineio)
{
    fray_count(&engineio->session.worker->counters.closed_parse_error);
    fray_session_close(&engineio->session, FRAY_PARSE_ERROR);
}

/* FRAY_ERR_STATE: a packet that a client must not send. */
static enum fray_err on_packet(struct fray_engineio *engineio,
                               const struct fray_engineio_packet *packet)
{
    switch (packet->type) {
    case FRAY_ENGINEIO_PONG:
        if (engineio->awaits_pong) {
            engineio->awaits_pong = false;
            arm(engineio, engineio->config->ping_interval_ms);
        }
        return FRAY_OK;
    case FRAY_ENGINEIO_MESSAGE:
        engineio->config->upper->on_message(engineio, packet->data, packet->binary);
        return FRAY_OK;
    case FRAY_ENGINEIO_CLOSE:
        fray_session_close(&engineio->session, FRAY_CLIENT_LEFT);
        return FRAY_OK;
    default: return FRAY_ERR_STATE;
    }
}

static void on_frame(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    struct fray_engineio *engineio = (struct fray_engineio *)session;
    struct fray_engineio_packet packet;
    struct fray_buf base64 = {0};
    enum fray_err err = FRAY_OK;
    if (is_binary)
        packet = fray_engineio_decode_binary(frame);
    else
        err = fray_engineio_decode_text(frame, &base64, &packet);
    bool is_probe = engineio->probe && engineio->probe->link == link;
    if (is_probe && err)
        probe_end(engineio, true);
    else if (is_probe)
        on_probe_packet(engineio, &packet);
    else if (err || on_packet(engineio, &packet))
        fail(engineio);
    fray_buf_deinit(&base64);
}

enum fray_err fray_engineio_receive(struct fray_engineio *engineio, struct fray_slice body)
{
    struct fray_engineio_payload payload = fray_engineio_payload_open(body, POST_PACKETS_MAX);
    struct fray_engineio_packet packet;
    struct fray_buf base64 = {0};
    enum fray_err err;
    do {
        err = fray_engineio_payload_next(&payload, &base64, &packet);
        if (!err && fray_session_admits(&engineio->session))
            err = on_packet(engineio, &packet);
    } while (!err && !engineio->session.is_closing);
    fray_buf_deinit(&base64);
    if (!err || err == FRAY_ERR_NOT_FOUND)
        return FRAY_OK;
    fail(engineio);
    return err;
}

/* ------------------------------------------------------------------ as a protocol of sessions */

static const struct fray_member_ops *upper_of(const struct fray_member *member)
{
    return ((struct fray_engineio *)member->session)->config->upper->member_ops;
}

static void on_accepted(struct fray_member *member, const char *socket_id, const char *pid)
{
    upper_of(member)->on_accepted(member, socket_id, pid);
}

static void on_rejected(struct fray_member *member, struct fray_slice error)
{
    upper_of(member)->on_rejected(member, error);
}

static void on_disconnected(struct fray_member *member, bool close_session)
{
    upper_of(member)->on_disconnected(member, close_session);
}

static const struct fray_member_ops member_ops = {
    .on_accepted = on_accepted,
    .on_rejected = on_rejected,
    .on_disconnected = on_disconnected,
};

static void on_link_end(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason)
{
    struct fray_engineio *engineio = (struct fray_engineio *)session;
    if (engineio->probe && engineio->probe->link == link)
        probe_end(engineio, false);
    else
        fray_session_close(session, reason);
}

static void on_drained(struct fray_session *session)
{
    struct fray_engineio *engineio = (struct fray_engineio *)session;
    engineio->config->upper->on_drained(engineio);
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct fray_engineio *engineio = (struct fray_engineio *)session;
    fray_timer_cancel(session->worker->timers, &engineio->heartbeat);
    probe_end(engineio, true);
    engineio->config->upper->on_close(engineio, reason);
    /* Who polls hears of it with its last messages; on a websocket the close frame says it. */
    if (session->link && session->link->ops->framing == FRAY_FRAMING_POLLING &&
        (reason == FRAY_SERVER_DISCONNECTED || reason == FRAY_SERVER_SHUTDOWN)) {
        struct fray_message *goodbye = fray_message_of(FRAY_MESSAGE_PACKET, FRAY_SLICE("1"));
        enum fray_err ignored =
            fray_outbox_push(&session->outbox, goodbye, &session->worker->outbox_limits);
        (void)ignored; /* a full outbox says more than a goodbye */
        fray_message_unref(goodbye);
    }
}

const struct fray_protocol fray_engineio_protocol = {
    .name = "engineio",
    .member_ops = &member_ops,
    .encode = fray_engineio_encode_message,
    .on_frame = on_frame,
    .on_link_end = on_link_end,
    .on_drained = on_drained,
    .on_close = on_close,
};
