#include "protocol/mqtt.h"

#include <assert.h>

#include "base/mem.h"
#include "protocol/mqtt_connection.h"
#include "wire/websocket_frame.h"

static struct fray_mqtt_connection *connection_of(struct fray_session *session)
{
    return (struct fray_mqtt_connection *)session;
}

/* ------------------------------------------------------------------ sending */

static enum fray_err encode_packet(const struct fray_mqtt_connection *self,
                                   const struct fray_mqtt_packet *packet, struct fray_buf *out)
{
    struct fray_mqtt_encode_options options = {
        .version = (enum fray_mqtt_version)self->version,
        .maximum_packet_size = self->peer_packet_max,
        .omit_problem_information = self->keeps_problems,
    };
    out->len = 0;
    return fray_mqtt_encode(out, &options, packet);
}

static void send_bytes(struct fray_mqtt_connection *self, const struct fray_buf *bytes)
{
    fray_session_send_take(&self->session,
                           fray_message_packet(FRAY_FORM_MQTT_STREAM, fray_buf_slice(bytes)));
}

void fray_mqtt_send(struct fray_mqtt_connection *self, const struct fray_mqtt_packet *packet)
{
    struct fray_buf *out = &self->session.worker->packet;
    /* What the version has no word for, or the client no room, is left unsaid [MQTT-3.1.2-25]. */
    if (!encode_packet(self, packet, out))
        send_bytes(self, out);
}

void fray_mqtt_send_ack(struct fray_mqtt_connection *self, enum fray_mqtt_type type,
                        uint16_t packet_id, enum fray_mqtt_reason reason)
{
    struct fray_buf *out = &self->session.worker->packet;
    out->len = 0;
    fray_mqtt_promise(self);
    fray_mqtt_encode_ack(out, (enum fray_mqtt_version)self->version, type, packet_id, reason);
    send_bytes(self, out);
}

static const struct fray_encoding *encode(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing)
{
    bool is_websocket = framing == FRAY_FRAMING_WEBSOCKET;
    enum fray_form form = is_websocket ? FRAY_FORM_MQTT_WEBSOCKET : FRAY_FORM_MQTT_STREAM;
    const struct fray_encoding *known = fray_message_encoding(message, form);
    if (known)
        return known;
    if (message->kind != FRAY_MESSAGE_PACKET)
        return fray_message_encode(message, form, (struct fray_slice){0});
    if (!is_websocket)
        return fray_message_encode(message, form, message->body);
    struct fray_buf *out = &worker->scratch;
    out->len = 0;
    fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_BINARY, message->body,
                                NULL);
    return fray_message_encode(message, form, fray_buf_slice(out));
}

bool fray_mqtt_may(const struct fray_mqtt_connection *self, enum fray_mqtt_action action,
                   struct fray_slice topic)
{
    struct fray_mqtt_access *access = self->config->access;
    if (!access)
        return true;
    struct fray_mqtt_identity identity = {fray_broker_client_id(self->client),
                                          fray_slice_of(self->username)};
    return access->may(access, &identity, action, topic);
}

/* ------------------------------------------------------------------ ending */

static void free_partial(struct fray_mqtt_connection *self)
{
    if (self->partial)
        fray_buf_deinit(self->partial);
    free(self->partial);
    self->partial = NULL;
}

/* What breaks a limit is not malformed, and is counted apart. */
static void count_failure(struct fray_mqtt_connection *self, enum fray_mqtt_reason reason)
{
    struct fray_counters *counters = &self->session.worker->counters;
    switch (reason) {
    case FRAY_MQTT_QUOTA_EXCEEDED: return; /* the publish is counted */
    case FRAY_MQTT_RECEIVE_MAXIMUM_EXCEEDED:
        fray_count(&counters->mqtt_closed_receive_maximum);
        return;
    case FRAY_MQTT_PACKET_TOO_LARGE: fray_count(&counters->mqtt_closed_packet_too_large); return;
    default: fray_count(&counters->closed_parse_error); return;
    }
}

void fray_mqtt_connection_fail(struct fray_mqtt_connection *self, enum fray_mqtt_reason reason)
{
    count_failure(self, reason);
    self->close_reason = (uint8_t)reason;
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

static enum fray_mqtt_reason reason_of(const struct fray_mqtt_connection *self,
                                       enum fray_disconnect why)
{
    if (self->close_reason)
        return (enum fray_mqtt_reason)self->close_reason;
    switch (why) {
    case FRAY_SERVER_SHUTDOWN: return FRAY_MQTT_SERVER_SHUTTING_DOWN;
    case FRAY_FLOODING: return FRAY_MQTT_MESSAGE_RATE_TOO_HIGH;
    default: return FRAY_MQTT_UNSPECIFIED_ERROR;
    }
}

/* 5.0 says why; the session is closing already, so past the door that is shut. */
static void say_disconnect(struct fray_mqtt_connection *self, enum fray_disconnect why)
{
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_DISCONNECT};
    struct fray_buf *out = &self->session.worker->packet;
    packet.disconnect.reason = reason_of(self, why);
    if (encode_packet(self, &packet, out))
        return;
    struct fray_message *message = fray_message_packet(FRAY_FORM_MQTT_STREAM, fray_buf_slice(out));
    enum fray_err full =
        fray_outbox_push(&self->session.outbox, message, &self->session.worker->outbox_limits);
    (void)full; /* then it goes without */
    fray_message_unref(message);
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct fray_mqtt_connection *self = connection_of(session);
    struct fray_broker_session *client = self->client;
    bool was_connected = client || self->close_reason;
    fray_mqtt_backlog_end(self);
    self->client = NULL;
    fray_mqtt_sockets_close(self, reason);
    fray_timer_cancel(session->worker->timers, &self->timer);
    if (self->lease)
        fray_timer_cancel(session->worker->timers, &self->lease->timer);
    free(self->lease);
    self->lease = NULL;
    if (self->version == FRAY_MQTT_5 && was_connected && reason != FRAY_CLIENT_LEFT)
        say_disconnect(self, reason);
    if (client)
        fray_broker_disconnect(client, !self->has_left);
    if (!self->is_receiving)
        free_partial(self);
    fray_mqtt_aliases_destroy(self->aliases);
    self->aliases = NULL;
    free(self->username);
    free(self->token);
    self->username = self->token = NULL;
}

static void on_link_end(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason)
{
    (void)link;
    fray_session_close(session, reason);
}

static void on_drained(struct fray_session *session)
{
    fray_mqtt_pump(connection_of(session));
    fray_mqtt_sockets_writable(connection_of(session));
}

/* ------------------------------------------------------------------ receiving */

/* A packet that cannot be decoded ends the connection (4.13). */
static void on_violation(struct fray_mqtt_connection *self, const struct fray_mqtt_packet *packet,
                         enum fray_mqtt_reason reason)
{
    if (self->client) {
        fray_mqtt_connection_fail(self, reason);
        return;
    }
    count_failure(self, reason);
    bool is_connect = packet->type == FRAY_MQTT_CONNECT;
    fray_mqtt_refuse(self, is_connect ? packet->connect.version : FRAY_MQTT_VERSION_UNKNOWN,
                     is_connect ? reason : FRAY_MQTT_PROTOCOL_ERROR);
}

/* Handles the packets at the front of the bytes; returns how many bytes they were. */
static size_t receive(struct fray_mqtt_connection *self, struct fray_slice bytes)
{
    size_t used = 0;
    bool is_first = true;
    while (used < bytes.len && !self->session.is_closing && !self->is_authenticating) {
        struct fray_mqtt_decode_options options = {
            .version = (enum fray_mqtt_version)self->version,
            .sender = FRAY_MQTT_CLIENT,
            .maximum_packet_size = self->config->maximum_packet_size,
            .topic_alias_maximum = self->config->topic_alias_maximum,
            .check_payload_format = true,
        };
        struct fray_mqtt_packet packet;
        enum fray_mqtt_reason reason;
        enum fray_err err =
            fray_mqtt_decode(&options, fray_slice_skip(bytes, used), &packet, &reason);
        if (err == FRAY_ERR_AGAIN)
            break;
        if (err) {
            on_violation(self, &packet, reason);
            break;
        }
        fray_count(&self->session.worker->counters.frames_in);
        /* A websocket link has asked for the frame, which is the first packet. */
        bool is_asked = is_first && self->session.link->ops->framing == FRAY_FRAMING_WEBSOCKET;
        if (!is_asked && !fray_session_admits(&self->session))
            break;
        is_first = false;
        if (self->client)
            fray_mqtt_on_packet(self, &packet);
        else if (!fray_mqtt_on_connect(self, &packet.connect))
            self->is_authenticating = true;
        if (!self->is_authenticating)
            used += packet.size;
    }
    return used;
}

/* What waits behind an unanswered CONNECT is bounded. */
static bool keep_rest(struct fray_mqtt_connection *self, struct fray_slice rest)
{
    size_t most = (size_t)self->config->maximum_packet_size + 65536;
    if (!rest.len)
        return true;
    if (!self->partial)
        self->partial = fray_alloc_zero(sizeof *self->partial);
    if (self->partial->len + rest.len > most) {
        fray_session_close(&self->session, FRAY_FLOODING);
        return false;
    }
    fray_buf_append_slice(self->partial, rest);
    return true;
}

static void receive_partial(struct fray_mqtt_connection *self)
{
    self->is_receiving = true;
    size_t used = receive(self, fray_buf_slice(self->partial));
    self->is_receiving = false;
    if (self->session.is_closing || used == self->partial->len)
        free_partial(self);
    else
        fray_buf_consume(self->partial, used);
}

static void on_frame(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    struct fray_mqtt_connection *self = connection_of(session);
    (void)link;
    if (session->is_closing)
        return;
    self->seen_us = *session->worker->now_us;
    if (!is_binary) { /* [MQTT-6.0.0-1] */
        fray_mqtt_connection_fail(self, FRAY_MQTT_PROTOCOL_ERROR);
        return;
    }
    if (self->partial || self->is_authenticating) {
        if (keep_rest(self, frame) && !self->is_authenticating)
            receive_partial(self);
        return;
    }
    size_t used = receive(self, frame);
    if (!session->is_closing)
        keep_rest(self, fray_slice_skip(frame, used));
}

static const struct fray_protocol protocol = {
    .name = "mqtt",
    .encode = encode,
    .on_frame = on_frame,
    .on_link_end = on_link_end,
    .on_drained = on_drained,
    .on_close = on_close,
};

bool fray_mqtt_awaits_verdict(const struct fray_worker *worker, struct fray_handle handle)
{
    struct fray_session *session = fray_id_pool_get(&worker->sessions, handle);
    return session && session->protocol == &protocol && !session->is_closing &&
           !connection_of(session)->client && !connection_of(session)->has_verdict;
}

void fray_mqtt_authenticated(struct fray_worker *worker, struct fray_handle handle,
                             enum fray_mqtt_reason reason)
{
    struct fray_session *session = fray_id_pool_get(&worker->sessions, handle);
    if (!session || session->protocol != &protocol || session->is_closing)
        return;
    struct fray_mqtt_connection *self = connection_of(session);
    assert(self->is_authenticating && self->partial); /* its CONNECT */
    self->is_authenticating = false;
    self->has_verdict = true;
    self->verdict = (uint8_t)reason;
    receive_partial(self);
}

/* ------------------------------------------------------------------ all at once */

static void each(struct fray_worker *worker, void (*visit)(struct fray_mqtt_connection *self))
{
    for (uint32_t i = 0; i < worker->sessions.used; i++) {
        struct fray_session *session = fray_id_pool_at(&worker->sessions, i);
        if (session && session->protocol == &protocol)
            visit(connection_of(session));
    }
}

static void cut(struct fray_mqtt_connection *self)
{
    uint32_t now_us = (uint32_t)*self->session.worker->now_us;
    if (self->promise_us != now_us)
        return;
    bool may_say_why = !self->session.outbox.head_sent; /* not into the midst of a packet */
    fray_outbox_deinit(&self->session.outbox);
    if (self->session.is_closing)
        return;
    if (may_say_why && self->connack_us == now_us) {
        self->has_left = true; /* it never was here: no will */
        fray_mqtt_refuse_full(self, (enum fray_mqtt_version)self->version);
    } else if (may_say_why) {
        self->close_reason = FRAY_MQTT_QUOTA_EXCEEDED;
        fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
    } else {
        self->version = FRAY_MQTT_VERSION_UNKNOWN;
        fray_session_close(&self->session, FRAY_TRANSPORT_ERROR);
    }
}

void fray_mqtt_cut_unacknowledged(struct fray_worker *worker)
{
    each(worker, cut);
}

static void drain(struct fray_mqtt_connection *self)
{
    fray_session_close(&self->session, FRAY_SERVER_SHUTDOWN);
}

void fray_mqtt_drain(struct fray_worker *worker)
{
    each(worker, drain);
}

/* ------------------------------------------------------------------ opening */

static void on_connect_timeout(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct fray_mqtt_connection *self =
        (struct fray_mqtt_connection *)((char *)timer -
                                        offsetof(struct fray_mqtt_connection, timer));
    fray_count(&self->session.worker->counters.mqtt_connects_refused);
    fray_session_close(&self->session, FRAY_PING_TIMEOUT);
}

void fray_mqtt_open(const struct fray_mqtt_config *config, struct fray_link *link)
{
    struct fray_worker *worker = config->broker->worker;
    struct fray_mqtt_connection *self = fray_session_open(&protocol, worker, sizeof *self);
    self->config = config;
    self->seen_us = *worker->now_us;
    fray_session_attach(&self->session, link);
    self->timer.on_expire = on_connect_timeout;
    fray_timer_arm(worker->timers, &self->timer,
                   *worker->now_us + config->connect_timeout_ms * UINT64_C(1000));
}
