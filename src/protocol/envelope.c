#include "protocol/envelope.h"

#include "base/mem.h"
#include "protocol/early_frames.h"
#include "wire/json.h"
#include "wire/websocket_frame.h"

enum { LATENESS_MAX_US = 50000 }; /* of a turn, beyond which the program must have stood still */

static struct fray_envelope *envelope_of(struct fray_session *session)
{
    return (struct fray_envelope *)session;
}

static struct fray_envelope *owner_of(struct fray_member *member)
{
    return envelope_of(member->session);
}

static void send_text(struct fray_envelope *self, struct fray_slice text)
{
    fray_session_send_take(&self->session, fray_message_of(FRAY_MESSAGE_PACKET, text));
}

static void send_error(struct fray_envelope *self, const struct fray_envelope_error *error)
{
    struct fray_buf text = {0};
    fray_envelope_encode_error(&text, error);
    send_text(self, fray_buf_slice(&text));
    fray_buf_deinit(&text);
}

/* ------------------------------------------------------------------ messages out */

/* {"_placeholder":true,"num":0} alone: what a binary frame says with fewer words. */
static bool is_binary_message(const struct fray_message *message)
{
    static const char only[] = "{\"_placeholder\":true,\"num\":0}";
    return message->kind == FRAY_MESSAGE_EVENT && message->attachments_count == 1 &&
           message->ack_id == FRAY_ACK_NONE &&
           fray_slice_equal(message->name, FRAY_SLICE("message")) &&
           fray_slice_equal(message->body, fray_slice(only, sizeof only - 1));
}

static void append_event(struct fray_buf *out, const struct fray_message *message)
{
    struct fray_slice few[8], *attachments = few;
    size_t count = message->attachments_count;
    if (count > sizeof few / sizeof *few)
        attachments = fray_alloc(count * sizeof *attachments);
    for (size_t i = 0; i < count; i++)
        attachments[i] = fray_slice(message->attachments[i].data, message->attachments[i].len);
    bool is_ack = message->kind == FRAY_MESSAGE_ACK;
    fray_envelope_encode(out, &(struct fray_envelope_parts){
                                  .type = is_ack ? FRAY_SLICE("ack") : message->name,
                                  .args = message->body,
                                  .attachments = attachments,
                                  .attachments_count = (unsigned)count,
                                  .has_id = message->ack_id != FRAY_ACK_NONE,
                                  .id = (uint64_t)message->ack_id,
                              });
    if (attachments != few)
        free(attachments);
}

/* A bare message becomes the event "message". */
static void append_bare(struct fray_buf *out, const struct fray_message *message)
{
    struct fray_buf args = {0};
    bool is_text = message->kind == FRAY_MESSAGE_BARE_TEXT;
    if (is_text)
        fray_json_write_string(&args, message->body);
    else
        fray_buf_append_slice(&args, FRAY_SLICE("{\"_placeholder\":true,\"num\":0}"));
    fray_envelope_encode(out, &(struct fray_envelope_parts){.type = FRAY_SLICE("message"),
                                                            .args = fray_buf_slice(&args),
                                                            .attachments = &message->body,
                                                            .attachments_count = !is_text});
    fray_buf_deinit(&args);
}

static void append_text(struct fray_buf *out, const struct fray_message *message)
{
    if (message->kind == FRAY_MESSAGE_PACKET)
        fray_buf_append_slice(out, message->body);
    else if (message->kind == FRAY_MESSAGE_EVENT || message->kind == FRAY_MESSAGE_ACK)
        append_event(out, message);
    else
        append_bare(out, message);
}

/* The bytes of a binary frame, where the message is one. */
static bool binary_of(const struct fray_message *message, struct fray_slice *bytes)
{
    *bytes = message->body;
    if (message->kind == FRAY_MESSAGE_BARE_BINARY)
        return true;
    if (!is_binary_message(message))
        return false;
    *bytes = fray_slice(message->attachments[0].data, message->attachments[0].len);
    return true;
}

static const struct fray_encoding *encode(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing)
{
    bool is_websocket = framing == FRAY_FRAMING_WEBSOCKET;
    enum fray_form form = is_websocket ? FRAY_FORM_ENVELOPE_WEBSOCKET : FRAY_FORM_ENVELOPE_TEXT;
    const struct fray_encoding *known = fray_message_encoding(message, form);
    if (known)
        return known;
    struct fray_buf *out = &worker->scratch, *text = &worker->packet;
    struct fray_slice bytes;
    out->len = text->len = 0;
    if (is_websocket && binary_of(message, &bytes)) {
        fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_BINARY, bytes, NULL);
    } else if (is_websocket) {
        append_text(text, message);
        fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT,
                                    fray_buf_slice(text), NULL);
    } else {
        append_text(out, message);
    }
    return fray_message_encode(message, form, fray_buf_slice(out));
}

/* ------------------------------------------------------------------ messages in */

/* Hands one message to its namespace. False, and nothing happened: *fault says why. */
static bool deliver(struct fray_envelope *self, const struct fray_envelope_message *message,
                    enum fray_envelope_fault *fault)
{
    struct fray_envelope_binaries binaries = {0};
    *fault = fray_envelope_take_binaries(message->args, &self->config->limits, &binaries);
    struct fray_incoming incoming = {
        .name = message->type,
        .args = binaries.count ? fray_buf_slice(&binaries.args) : message->args,
        .attachments = binaries.attachments,
        .attachments_count = binaries.count,
        .ack_id = message->has_id ? (int64_t)message->id : FRAY_ACK_NONE,
        .wants_errors = true,
    };
    if (!*fault && message->is_ack)
        fray_member_ack(&self->member, &incoming);
    else if (!*fault)
        fray_member_event(&self->member, &incoming);
    fray_envelope_binaries_deinit(&binaries);
    return !*fault;
}

static void complain(struct fray_envelope *self, const struct fray_envelope_message *message,
                     enum fray_envelope_fault fault)
{
    fray_count(&self->session.worker->counters.envelope_errors);
    send_error(self, &(struct fray_envelope_error){
                         .code = fray_envelope_fault_code(fault),
                         .message = fray_envelope_fault_text(fault),
                         .type = message->type,
                         .has_id = message->has_id,
                         .id = message->id,
                     });
}

static void receive_text(struct fray_envelope *self, struct fray_slice text)
{
    struct fray_envelope_message message = {0};
    struct fray_buf scratch = {0};
    enum fray_envelope_fault fault =
        text.len > self->config->max_message
            ? FRAY_ENVELOPE_TOO_LONG
            : fray_envelope_decode(text, &self->config->limits, &scratch, &message);
    if (fault || !deliver(self, &message, &fault))
        complain(self, &message, fault);
    fray_buf_deinit(&scratch);
}

static void receive_binary(struct fray_envelope *self, struct fray_slice bytes)
{
    if (bytes.len > self->config->max_message) {
        complain(self, &(struct fray_envelope_message){0}, FRAY_ENVELOPE_TOO_LONG);
        return;
    }
    fray_member_event(&self->member, &(struct fray_incoming){
                                         .name = FRAY_SLICE("message"),
                                         .args = FRAY_SLICE("{\"_placeholder\":true,\"num\":0}"),
                                         .attachments = &bytes,
                                         .attachments_count = 1,
                                         .ack_id = FRAY_ACK_NONE,
                                         .wants_errors = true,
                                     });
}

static void receive(struct fray_envelope *self, struct fray_slice frame, bool is_binary)
{
    if (!self->member.is_connected)
        fray_early_frames_keep(&self->early, &self->session, frame, is_binary);
    else if (is_binary)
        receive_binary(self, frame);
    else
        receive_text(self, frame);
}

static void on_frame(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    (void)link;
    receive(envelope_of(session), frame, is_binary);
}

/* ------------------------------------------------------------------ the body of a POST */

/* Looks at one message, or at all of an array, before any is delivered. */
static enum fray_envelope_fault check_value(const struct fray_envelope *self,
                                            struct fray_slice value)
{
    struct fray_envelope_message message;
    struct fray_envelope_binaries binaries = {0};
    struct fray_buf scratch = {0};
    enum fray_envelope_fault fault = fray_envelope_decode_value(value, &scratch, &message);
    if (!fault)
        fault = fray_envelope_take_binaries(message.args, &self->config->limits, &binaries);
    fray_envelope_binaries_deinit(&binaries);
    fray_buf_deinit(&scratch);
    return fault;
}

static enum fray_envelope_fault check_body(const struct fray_envelope *self, struct fray_slice body,
                                           size_t *index)
{
    *index = 0;
    if (body.len > self->config->max_message)
        return FRAY_ENVELOPE_TOO_LONG;
    enum fray_err err = fray_json_validate(body, self->config->limits.depth_max + 2);
    if (err)
        return err == FRAY_ERR_LIMIT ? FRAY_ENVELOPE_TOO_DEEP : FRAY_ENVELOPE_BAD_JSON;
    struct fray_slice value = fray_json_trim(body);
    if (fray_json_kind(value) != FRAY_JSON_ARRAY)
        return check_value(self, value);
    struct fray_json_iter iter = fray_json_iterate(value);
    struct fray_json_item item;
    for (; fray_json_next(&iter, &item); ++*index) {
        enum fray_envelope_fault fault = check_value(self, item.value);
        if (fault)
            return fault;
    }
    return FRAY_ENVELOPE_OK;
}

/* False: the session takes no more. */
static bool take_value(struct fray_envelope *self, struct fray_slice value)
{
    struct fray_envelope_message message;
    struct fray_buf scratch = {0};
    enum fray_envelope_fault fault = FRAY_ENVELOPE_OK;
    bool is_taken = fray_session_admits(&self->session) && self->member.is_connected;
    if (is_taken)
        fault = fray_envelope_decode_value(value, &scratch, &message);
    if (is_taken && !fault)
        deliver(self, &message, &fault);
    fray_buf_deinit(&scratch);
    return is_taken;
}

enum fray_err fray_envelope_receive(struct fray_envelope *self, struct fray_slice body,
                                    size_t *count, struct fray_envelope_refusal *refusal)
{
    struct fray_counters *counters = &self->session.worker->counters;
    *count = 0;
    refusal->fault = check_body(self, body, &refusal->index);
    if (refusal->fault) {
        fray_count(&counters->envelope_errors);
        return FRAY_ERR_SYNTAX;
    }
    fray_count_add(&counters->bytes_in, body.len);
    struct fray_slice value = fray_json_trim(body);
    bool is_array = fray_json_kind(value) == FRAY_JSON_ARRAY;
    struct fray_json_iter iter = fray_json_iterate(value);
    struct fray_json_item item = {.value = value};
    while ((!is_array || fray_json_next(&iter, &item)) && take_value(self, item.value)) {
        fray_count(&counters->frames_in);
        ++*count;
        if (!is_array)
            break;
    }
    return FRAY_OK;
}

/* ------------------------------------------------------------------ coming and going */

static void answer(struct fray_envelope *self, struct fray_slice error)
{
    fray_envelope_answer_fn *on_answer = self->on_answer;
    self->on_answer = NULL;
    if (on_answer)
        on_answer(self, error, self->context);
}

static void send_welcome(struct fray_envelope *self, const char *socket_id)
{
    const struct fray_envelope_config *config = self->config;
    struct fray_buf text = {0};
    FRAY_BUF_LITERAL(&text, "{\"type\":\"welcome\",\"content\":{\"id\":");
    fray_json_write_string(&text, fray_slice_of(socket_id));
    FRAY_BUF_LITERAL(&text, ",\"namespace\":");
    fray_json_write_string(&text, fray_slice_of(self->member.audience->nsp->name));
    FRAY_BUF_LITERAL(&text, ",\"server\":");
    fray_json_write_string(&text, fray_slice_of(config->version));
    fray_buf_printf(&text,
                    ",\"ping_interval_ms\":%u,\"ping_timeout_ms\":%u,\"poll_timeout_ms\":%u,"
                    "\"max_message\":%zu}}",
                    config->ping_interval_ms, config->ping_timeout_ms, config->poll_timeout_ms,
                    config->max_message);
    send_text(self, fray_buf_slice(&text));
    fray_buf_deinit(&text);
}

static void on_accepted(struct fray_member *member, const char *socket_id, const char *pid)
{
    struct fray_envelope *self = owner_of(member);
    (void)pid; /* a cursor serves who polls; a websocket begins anew */
    send_welcome(self, socket_id);
    answer(self, (struct fray_slice){0});
    /* A handler may end the session, which drops what is left. */
    for (struct fray_early_frame *early;
         member->is_connected && (early = fray_early_frames_take(&self->early));) {
        receive(self, early->frame, early->is_binary);
        free(early);
    }
}

/* A string member of a JSON object, in `scratch` when it was escaped; empty: there is none. */
static struct fray_slice string_member(struct fray_slice object, struct fray_slice name,
                                       struct fray_buf *scratch)
{
    struct fray_slice value;
    if (!fray_json_find(object, name, &value) || fray_json_kind(value) != FRAY_JSON_STRING)
        return (struct fray_slice){0};
    return fray_json_string_text(value, scratch);
}

static void on_rejected(struct fray_member *member, struct fray_slice error)
{
    struct fray_envelope *self = owner_of(member);
    struct fray_buf scratch = {0}, text = {0};
    struct fray_slice message = string_member(error, FRAY_SLICE("message"), &scratch);
    FRAY_BUF_LITERAL(&text, "{\"type\":\"error\",\"content\":{\"code\":\"refused\",\"message\":");
    fray_json_write_string(&text, message);
    struct fray_slice data;
    if (fray_json_find(error, FRAY_SLICE("data"), &data)) {
        FRAY_BUF_LITERAL(&text, ",\"data\":");
        fray_buf_append_slice(&text, data);
    }
    FRAY_BUF_LITERAL(&text, "}}");
    send_text(self, fray_buf_slice(&text));
    answer(self, error);
    fray_session_close_with(&self->session, FRAY_SERVER_DISCONNECTED,
                            FRAY_WEBSOCKET_CLOSE_POLICY_VIOLATION, message);
    fray_buf_deinit(&scratch);
    fray_buf_deinit(&text);
}

static void on_disconnected(struct fray_member *member, bool close_session)
{
    (void)close_session; /* without its socket such a session has nothing left */
    fray_session_close(member->session, FRAY_SERVER_DISCONNECTED);
}

static const struct fray_member_ops member_ops = {
    .on_accepted = on_accepted,
    .on_rejected = on_rejected,
    .on_disconnected = on_disconnected,
};

static void on_link_end(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason)
{
    (void)link;
    fray_session_close(session, reason);
}

static void on_drained(struct fray_session *session)
{
    fray_member_drained(&envelope_of(session)->member);
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct fray_envelope *self = envelope_of(session);
    fray_timer_cancel(session->worker->timers, &self->timer);
    fray_early_frames_drop(&self->early);
    fray_member_end(&self->member, reason);
    answer(self, FRAY_SLICE("{\"message\":\"The session ended.\"}"));
}

static const struct fray_protocol protocol = {
    .name = "envelope",
    .member_ops = &member_ops,
    .encode = encode,
    .on_frame = on_frame,
    .on_link_end = on_link_end,
    .on_drained = on_drained,
    .on_close = on_close,
};

/* ------------------------------------------------------------------ liveness */

/* How long the peer may be silent before it is asked, and before it is given up. */
struct patience {
    uint32_t ask_ms, end_ms;
};

static struct patience patience_with(const struct fray_envelope *self)
{
    const struct fray_envelope_config *config = self->config;
    struct patience patience = {config->ping_interval_ms, config->poll_timeout_ms};
    if (self->session.link->ops->framing == FRAY_FRAMING_WEBSOCKET)
        patience.end_ms = config->ping_interval_ms + config->ping_timeout_ms;
    if (patience.ask_ms > patience.end_ms)
        patience.ask_ms = patience.end_ms;
    return patience;
}

static void on_timer(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_envelope *self =
        (struct fray_envelope *)((char *)timer - offsetof(struct fray_envelope, timer));
    struct fray_link *link = self->session.link;
    struct patience patience = patience_with(self);
    /* After the program stood still nobody is closed for it. */
    if (now_us - (timer->due_ms - 1) * 1000 > LATENESS_MAX_US)
        link->heard_ms = (uint32_t)(now_us / 1000) - patience.ask_ms;
    uint32_t silent_ms = (uint32_t)(now_us / 1000) - link->heard_ms;
    if (silent_ms >= patience.ask_ms) {
        link->ops->ping(link);
        silent_ms = (uint32_t)(now_us / 1000) - link->heard_ms;
    }
    if (silent_ms >= patience.end_ms) {
        fray_count(&self->session.worker->counters.closed_ping_timeout);
        fray_session_close(&self->session, FRAY_PING_TIMEOUT);
        return;
    }
    uint32_t until_ms = silent_ms < patience.ask_ms ? patience.ask_ms : patience.end_ms;
    fray_timer_arm(self->session.worker->timers, timer,
                   now_us + (until_ms - silent_ms) * UINT64_C(1000));
}

/* ------------------------------------------------------------------ opening and finding */

struct fray_envelope *fray_envelope_open(struct fray_envelope_config *config,
                                         const struct fray_envelope_opening *opening)
{
    struct fray_worker *worker = config->worker;
    struct fray_envelope *self = fray_session_open(&protocol, worker, sizeof(struct fray_envelope));
    self->config = config;
    self->on_answer = opening->on_answer;
    self->context = opening->context;
    fray_sid_make(&self->session, self->sid);
    fray_session_attach(&self->session, opening->link);
    fray_link_heard(opening->link, worker);
    self->timer.on_expire = on_timer;
    fray_timer_arm(worker->timers, &self->timer,
                   *worker->now_us + patience_with(self).ask_ms * UINT64_C(1000));
    self->member.session = &self->session;
    fray_member_connect(
        &self->member, opening->nsp,
        &(struct fray_connect_request){.auth = opening->auth, .handshake = opening->handshake});
    return self;
}

struct fray_envelope *fray_envelope_find(const struct fray_envelope_config *config,
                                         struct fray_slice sid)
{
    struct fray_session *session = fray_sid_session(config->worker, sid);
    if (!session || session->protocol != &protocol)
        return NULL;
    struct fray_envelope *self = envelope_of(session);
    return fray_token_equal(sid, self->sid) ? self : NULL;
}
