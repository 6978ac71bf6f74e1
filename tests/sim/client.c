#include "client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/engineio.h"
#include "wire/json.h"
#include "wire/websocket_handshake.h"

enum { RETRY_LEAST_MS = 10, RETRY_MOST_MS = 500, CONNECT_TIMEOUT_MS = 5000, GOODBYE_MS = 200 };

static void lost(struct sim_client *self);
static void advance(struct sim_client *self);
static void step(struct sim_client *self, enum sim_upgrade upgrade);

/* ------------------------------------------------------------------ time */

static void arm(struct sim_client *self, struct fray_timer *timer, uint64_t delay_ms)
{
    struct fray_loop *loop = self->get.loop;
    fray_timer_arm(&loop->timers, timer, loop->now_us + delay_ms * 1000);
}

static void disarm(struct sim_client *self, struct fray_timer *timer)
{
    fray_timer_cancel(&self->get.loop->timers, timer);
}

static void on_retry(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    sim_client_connect((struct sim_client *)((char *)timer - offsetof(struct sim_client, retry)));
}

static void on_silence(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    lost((struct sim_client *)((char *)timer - offsetof(struct sim_client, watchdog)));
}

/* ------------------------------------------------------------------ packets out */

static void send_frame(struct sim_client *self, unsigned opcode, struct fray_slice text)
{
    struct fray_buf frame = {0};
    uint64_t random = fray_rng_next(self->rng);
    uint8_t key[4];
    memcpy(key, &random, sizeof key);
    fray_websocket_frame_append(&frame, FRAY_WEBSOCKET_FIN | opcode, text, key);
    sim_connection_write(&self->websocket, fray_buf_slice(&frame));
    fray_buf_deinit(&frame);
}

/* A request on a kept connection, or on a new one. */
static void send_request(struct sim_connection *connection, const char *method, const char *sid,
                         struct fray_slice body)
{
    struct fray_buf request = {0};
    if (!connection->stream)
        sim_connection_open(connection);
    fray_buf_printf(&request,
                    "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: sim\r\n", method,
                    *sid ? "&sid=" : "", sid);
    if (*method == 'P')
        fray_buf_printf(&request,
                        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n",
                        body.len);
    FRAY_BUF_LITERAL(&request, "\r\n");
    fray_buf_append_slice(&request, body);
    sim_connection_write(connection, fray_buf_slice(&request));
    fray_buf_deinit(&request);
}

static void flush_websocket(struct sim_client *self)
{
    struct fray_slice rest = fray_buf_slice(&self->outgoing);
    while (rest.len) {
        const char *end = memchr(rest.data, FRAY_ENGINEIO_SEPARATOR, rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        send_frame(self, FRAY_WEBSOCKET_TEXT, fray_slice(rest.data, len));
        rest = fray_slice_skip(rest, end ? len + 1 : len);
    }
    self->outgoing.len = 0;
}

static void flush(struct sim_client *self)
{
    if (!self->outgoing.len || self->state == SIM_AWAY || self->state == SIM_HANDSHAKING)
        return;
    if (self->uses_websocket) {
        flush_websocket(self);
    } else if (!self->posts && self->upgrade != SIM_UPGRADE_PAUSING) {
        self->posts = true;
        send_request(&self->post, "POST", self->sid, fray_buf_slice(&self->outgoing));
        self->outgoing.len = 0;
    }
}

static void send_packet(struct sim_client *self, char type, const char *data)
{
    if (self->outgoing.len)
        fray_buf_append_byte(&self->outgoing, FRAY_ENGINEIO_SEPARATOR);
    fray_buf_printf(&self->outgoing, "%c%s", type, data);
    flush(self);
}

void sim_client_send(struct sim_client *self, const char *packet)
{
    send_packet(self, '4', packet);
}

/* ------------------------------------------------------------------ packets in */

static void copy(char *to, size_t size, struct fray_slice text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;
    if (len)
        memcpy(to, text.data, len);
    to[len] = '\0';
}

static void copy_member(char *to, size_t size, struct fray_slice object, const char *name)
{
    struct fray_slice value = {0};
    struct fray_buf scratch = {0};
    if (fray_json_find(object, fray_slice_of(name), &value))
        value = fray_json_string_text(value, &scratch);
    copy(to, size, value);
    fray_buf_deinit(&scratch);
}

/* The offset is the last argument of an event that wants no answer. */
static void keep_offset(struct sim_client *self, const struct fray_socketio_packet *packet)
{
    struct fray_slice args = packet->args;
    bool is_event =
        packet->type == FRAY_SOCKETIO_EVENT || packet->type == FRAY_SOCKETIO_BINARY_EVENT;
    if (!is_event || packet->has_ack_id || !*self->pid || !args.len ||
        args.data[args.len - 1] != '"')
        return;
    size_t start = args.len - 1;
    while (args.data[start - 1] != '"')
        start--;
    copy(self->offset, sizeof self->offset, fray_slice(args.data + start, args.len - 1 - start));
}

static void on_packet(struct sim_client *self, const struct fray_socketio_packet *packet,
                      const struct fray_slice *attachments)
{
    if (packet->type == FRAY_SOCKETIO_CONNECT) {
        char former[sizeof self->id];
        memcpy(former, self->id, sizeof former);
        copy_member(self->id, sizeof self->id, packet->data, "sid");
        copy_member(self->pid, sizeof self->pid, packet->data, "pid");
        bool is_recovered = strcmp(former, self->id) == 0;
        if (!is_recovered)
            *self->offset = '\0';
        self->state = SIM_CONNECTED;
        self->on_connected(self, is_recovered);
    } else if (packet->type == FRAY_SOCKETIO_CONNECT_ERROR ||
               packet->type == FRAY_SOCKETIO_DISCONNECT) {
        lost(self);
    } else {
        assert(self->state == SIM_CONNECTED); /* nothing comes before the answer to CONNECT */
        keep_offset(self, packet);
        self->on_event(self, packet, attachments);
    }
}

static void on_message(struct sim_client *self, struct fray_slice data, bool is_binary)
{
    static const struct fray_socketio_limits limits = FRAY_SOCKETIO_LIMITS_DEFAULT;
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments = NULL;
    enum fray_err err =
        is_binary ? fray_socketio_assembler_binary(&self->assembler, data, &packet, &attachments)
                  : fray_socketio_assembler_text(&self->assembler, data, &limits, &packet);
    if (err == FRAY_ERR_AGAIN)
        return;
    assert(!err);
    struct fray_socketio_assembler complete = self->assembler;
    self->assembler = (struct fray_socketio_assembler){0};
    on_packet(self, &packet, attachments);
    fray_socketio_assembler_reset(&complete);
}

static void on_open(struct sim_client *self, struct fray_slice data)
{
    char auth[160];
    assert(self->state == SIM_HANDSHAKING);
    self->state = SIM_JOINING;
    copy_member(self->sid, sizeof self->sid, data, "sid");
    arm(self, &self->watchdog, self->ping_interval_ms + self->ping_timeout_ms);
    if (*self->pid && *self->offset)
        snprintf(auth, sizeof auth, "0{\"client\":%u,\"pid\":\"%s\",\"offset\":\"%s\"}",
                 self->index, self->pid, self->offset);
    else
        snprintf(auth, sizeof auth, "0{\"client\":%u}", self->index);
    sim_client_send(self, auth);
    if (self->way == SIM_UPGRADE)
        step(self, SIM_UPGRADE_OPENING);
}

static void on_engineio(struct sim_client *self, const struct fray_engineio_packet *packet)
{
    switch (packet->type) {
    case FRAY_ENGINEIO_OPEN: on_open(self, packet->data); break;
    case FRAY_ENGINEIO_PING:
        arm(self, &self->watchdog, self->ping_interval_ms + self->ping_timeout_ms);
        send_packet(self, '3', "");
        break;
    case FRAY_ENGINEIO_MESSAGE: on_message(self, packet->data, packet->binary); break;
    case FRAY_ENGINEIO_CLOSE: lost(self); break;
    case FRAY_ENGINEIO_NOOP: break;
    default: abort(); /* the server never sends this */
    }
}

/* ------------------------------------------------------------------ polling */

/* The status and the body of a whole reply; 0: not all of it is there. */
static size_t read_reply(const char *data, size_t len, unsigned *status, struct fray_slice *body)
{
    static const char length_field[] = "content-length: ";
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - data) + 4, length = 0;
    for (const char *at = data; at < end; at++) {
        if (strncasecmp(at, length_field, sizeof length_field - 1) == 0)
            length = strtoul(at + sizeof length_field - 1, NULL, 10);
    }
    if (len < head + length)
        return 0;
    *status = (unsigned)strtoul(data + sizeof "HTTP/1.1", NULL, 10);
    *body = fray_slice(data + head, length);
    return head + length;
}

static void read_payload(struct sim_client *self, struct fray_slice body)
{
    struct fray_engineio_payload payload = fray_engineio_payload_open(body, UINT32_MAX);
    struct fray_engineio_packet packet;
    struct fray_buf scratch = {0};
    unsigned life = self->losses;
    enum fray_err err;
    while (!(err = fray_engineio_payload_next(&payload, &scratch, &packet))) {
        on_engineio(self, &packet);
        if (self->losses != life)
            break;
    }
    assert(err == FRAY_ERR_NOT_FOUND || self->losses != life);
    fray_buf_deinit(&scratch);
}

static size_t on_reply(struct sim_connection *connection, char *data, size_t len)
{
    struct sim_client *self = connection->owner;
    unsigned status;
    struct fray_slice body;
    size_t used = read_reply(data, len, &status, &body);
    if (!used)
        return 0;
    bool *is_waiting = connection == &self->get ? &self->gets : &self->posts;
    unsigned life = self->losses;
    if (status != 200) {
        lost(self);
        return used;
    }
    *is_waiting = false;
    if (connection == &self->get)
        read_payload(self, body);
    if (self->losses != life)
        return used;
    if (!*is_waiting && fray_rng_chance(self->rng, 200))
        sim_connection_close(connection, false); /* not every proxy keeps connections */
    advance(self);
    return used;
}

static void on_request_end(struct sim_connection *connection)
{
    struct sim_client *self = connection->owner;
    if (connection == &self->get ? self->gets : self->posts)
        lost(self);
}

/* ------------------------------------------------------------------ websocket */

static void upgrade_failed(struct sim_client *self)
{
    sim_connection_close(&self->websocket, false);
    fray_websocket_decoder_deinit(&self->decoder);
    self->is_websocket_open = false;
    self->upgrade = SIM_UPGRADE_NONE;
    advance(self);
}

static void on_websocket_end(struct sim_connection *connection)
{
    struct sim_client *self = connection->owner;
    if (self->uses_websocket || self->state <= SIM_HANDSHAKING)
        lost(self);
    else
        upgrade_failed(self);
}

static size_t read_handshake(struct sim_client *self, const char *data, size_t len)
{
    unsigned status;
    struct fray_slice body;
    size_t used = read_reply(data, len, &status, &body);
    if (!used)
        return 0;
    if (status != 101) {
        on_websocket_end(&self->websocket);
        return used;
    }
    self->is_websocket_open = true;
    fray_websocket_decoder_init(&self->decoder, 1 << 20, FRAY_WEBSOCKET_CLIENT);
    if (!self->uses_websocket) {
        send_frame(self, FRAY_WEBSOCKET_TEXT, FRAY_SLICE("2probe"));
        step(self, SIM_UPGRADE_PROBING);
    }
    return used;
}

static void on_frame(struct sim_client *self, const struct fray_websocket_event *event)
{
    struct fray_engineio_packet packet;
    struct fray_buf scratch = {0};
    enum fray_err err = FRAY_OK;
    if (event->opcode == FRAY_WEBSOCKET_CLOSE) {
        on_websocket_end(&self->websocket);
        return;
    }
    if (event->opcode == FRAY_WEBSOCKET_PING || event->opcode == FRAY_WEBSOCKET_PONG)
        return;
    if (event->opcode == FRAY_WEBSOCKET_BINARY)
        packet = fray_engineio_decode_binary(event->payload);
    else
        err = fray_engineio_decode_text(event->payload, &scratch, &packet);
    assert(!err);
    if (self->uses_websocket) {
        on_engineio(self, &packet);
    } else {
        assert(fray_slice_equal(event->payload, FRAY_SLICE("3probe")));
        step(self, SIM_UPGRADE_PAUSING);
        advance(self);
    }
    fray_buf_deinit(&scratch);
}

static size_t on_websocket_bytes(struct sim_connection *connection, char *data, size_t len)
{
    struct sim_client *self = connection->owner;
    struct fray_stream *stream = connection->stream;
    size_t at = 0, used;
    if (!self->is_websocket_open) {
        at = read_handshake(self, data, len);
        if (!self->is_websocket_open)
            return at;
    }
    struct fray_websocket_event event;
    enum fray_err err = FRAY_OK;
    while (connection->stream == stream &&
           !(err = fray_websocket_decode(&self->decoder, data + at, len - at, &used, &event))) {
        at += used;
        on_frame(self, &event);
    }
    if (connection->stream != stream)
        return len;
    assert(err == FRAY_ERR_AGAIN); /* the server breaks no rule */
    return at + used;
}

static void open_websocket(struct sim_client *self)
{
    struct fray_buf request = {0};
    char key[FRAY_WEBSOCKET_KEY_LEN], path[96];
    uint8_t nonce[FRAY_WEBSOCKET_NONCE_LEN] = {1};
    if (!self->websocket.stream)
        sim_connection_open(&self->websocket);
    snprintf(path, sizeof path, "/socket.io/?EIO=4&transport=websocket%s%s",
             *self->sid ? "&sid=" : "", self->sid);
    fray_websocket_request_append(
        &request,
        &(struct fray_websocket_target){.host = FRAY_SLICE("sim"), .path = fray_slice_of(path)},
        nonce, key);
    sim_connection_write(&self->websocket, fray_buf_slice(&request));
    fray_buf_deinit(&request);
}

/* ------------------------------------------------------------------ what comes next */

static void step(struct sim_client *self, enum sim_upgrade upgrade)
{
    self->upgrade = upgrade;
    if (upgrade == SIM_UPGRADE_OPENING)
        open_websocket(self);
    if (self->on_step)
        self->on_step(self, upgrade);
}

static void finish_upgrade(struct sim_client *self)
{
    send_frame(self, FRAY_WEBSOCKET_TEXT, FRAY_SLICE("5"));
    self->uses_websocket = true;
    sim_connection_close(&self->get, false);
    sim_connection_close(&self->post, false);
    step(self, SIM_UPGRADE_DONE);
    flush(self);
}

/* After whatever ended: polls, posts, or goes over to the websocket. */
static void advance(struct sim_client *self)
{
    if (self->state < SIM_JOINING || self->uses_websocket)
        return;
    if (self->upgrade == SIM_UPGRADE_PAUSING) {
        if (!self->gets && !self->posts)
            finish_upgrade(self);
        return;
    }
    unsigned life = self->losses;
    flush(self);
    if (self->losses != life || self->gets)
        return;
    self->gets = true;
    send_request(&self->get, "GET", self->sid, (struct fray_slice){0});
}

static void lost(struct sim_client *self)
{
    if (self->state == SIM_AWAY)
        return;
    self->state = SIM_AWAY;
    self->losses++;
    sim_connection_close(&self->get, false);
    sim_connection_close(&self->post, false);
    sim_connection_close(&self->websocket, false);
    fray_websocket_decoder_deinit(&self->decoder);
    fray_socketio_assembler_reset(&self->assembler);
    fray_buf_deinit(&self->outgoing);
    self->gets = self->posts = self->is_websocket_open = self->uses_websocket = false;
    self->upgrade = SIM_UPGRADE_NONE;
    *self->sid = '\0';
    disarm(self, &self->watchdog);
    if (self->on_lost)
        self->on_lost(self);
    if (self->is_wanted)
        arm(self, &self->retry,
            (uint64_t)fray_rng_between(self->rng, RETRY_LEAST_MS, RETRY_MOST_MS));
}

void sim_client_init(struct sim_client *self, struct fray_loop *loop)
{
    self->get = self->post =
        (struct sim_connection){.owner = self, .on_bytes = on_reply, .on_end = on_request_end};
    self->websocket = (struct sim_connection){
        .owner = self, .on_bytes = on_websocket_bytes, .on_end = on_websocket_end};
    self->get.loop = self->post.loop = self->websocket.loop = loop;
    self->retry.on_expire = on_retry;
    self->watchdog.on_expire = on_silence;
}

void sim_client_connect(struct sim_client *self)
{
    assert(self->state == SIM_AWAY);
    disarm(self, &self->retry);
    self->is_wanted = true;
    self->state = SIM_HANDSHAKING;
    arm(self, &self->watchdog, CONNECT_TIMEOUT_MS);
    if (self->way == SIM_WEBSOCKET) {
        self->uses_websocket = true;
        open_websocket(self);
    } else {
        self->gets = true;
        send_request(&self->get, "GET", "", (struct fray_slice){0});
    }
}

void sim_client_lose(struct sim_client *self, enum sim_loss how)
{
    if (self->uses_websocket) {
        sim_connection_lose(&self->websocket, how);
        return;
    }
    unsigned life = self->losses;
    struct sim_connection *each[] = {&self->post, &self->get, &self->websocket};
    for (size_t i = 0; i < 3 && self->losses == life; i++)
        sim_connection_lose(each[i], how);
}

void sim_client_leave(struct sim_client *self)
{
    self->is_wanted = false;
    disarm(self, &self->retry);
    if (self->state == SIM_AWAY)
        return;
    if (self->state == SIM_CONNECTED && fray_rng_chance(self->rng, 500))
        sim_client_send(self, "1");
    if (self->state >= SIM_JOINING)
        send_packet(self, '1', "");
    arm(self, &self->watchdog, GOODBYE_MS);
}

void sim_client_deinit(struct sim_client *self)
{
    self->is_wanted = false;
    disarm(self, &self->retry);
    lost(self);
    fray_buf_deinit(&self->outgoing);
}
