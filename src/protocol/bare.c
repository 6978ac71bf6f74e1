#include "protocol/bare.h"

#include "protocol/early_frames.h"
#include "wire/json.h"
#include "wire/websocket_frame.h"

/* ------------------------------------------------------------------ what both kinds share */

struct bare {
    struct fray_member member;      /* first */
    struct fray_early_frame *early; /* before the namespace answered */
};

static void receive(struct bare *self, struct fray_slice body, bool is_binary,
                    struct fray_handshake *carrier)
{
    struct fray_member *member = &self->member;
    if (!member->is_connected) {
        fray_early_frames_keep(&self->early, member->session, body, is_binary);
        return;
    }
    fray_member_event(member, &(struct fray_incoming){
                                  .name = FRAY_SLICE("message"),
                                  .args = body,
                                  .ack_id = FRAY_ACK_NONE,
                                  .is_bare = true,
                                  .is_binary = is_binary,
                                  .carrier = carrier,
                              });
}

static void connect_to(struct bare *self, struct fray_session *session, fray_namespace *nsp,
                       struct fray_handshake *handshake)
{
    self->member.session = session;
    fray_member_connect(&self->member, nsp, &(struct fray_connect_request){.handshake = handshake});
}

static void on_accepted(struct fray_member *member, const char *socket_id, const char *pid)
{
    struct bare *self = (struct bare *)member;
    (void)socket_id, (void)pid; /* the client has no word for it */
    /* A handler may end the session, which drops what is left. */
    for (struct fray_early_frame *early;
         member->is_connected && (early = fray_early_frames_take(&self->early));) {
        receive(self, early->frame, early->is_binary, NULL);
        free(early);
    }
}

static void end(struct bare *self, enum fray_disconnect reason)
{
    fray_early_frames_drop(&self->early);
    fray_member_end(&self->member, reason);
}

static void on_rejected(struct fray_member *member, struct fray_slice error)
{
    struct fray_buf scratch = {0};
    struct fray_slice message = {0};
    if (fray_json_find(error, FRAY_SLICE("message"), &message))
        message = fray_json_string_text(message, &scratch);
    fray_session_close_with(member->session, FRAY_SERVER_DISCONNECTED,
                            FRAY_WEBSOCKET_CLOSE_POLICY_VIOLATION, message);
    fray_buf_deinit(&scratch);
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

/* ------------------------------------------------------------------ over WebSocket */

struct bare_websocket {
    struct fray_session session; /* first */
    struct bare bare;
};

static struct bare *bare_of(struct fray_session *session)
{
    return &((struct bare_websocket *)session)->bare;
}

/* An event is sent as ["name", arguments…], so that bare clients in an event namespace miss
 * nothing. */
static const struct fray_encoding *encode(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing)
{
    (void)framing;
    const struct fray_encoding *known = fray_message_encoding(message, FRAY_FORM_BARE_WEBSOCKET);
    if (known)
        return known;
    struct fray_buf *out = &worker->scratch, *text = &worker->packet;
    out->len = text->len = 0;
    bool is_binary = message->kind == FRAY_MESSAGE_BARE_BINARY;
    if (is_binary || message->kind == FRAY_MESSAGE_BARE_TEXT) {
        fray_websocket_frame_append(
            out, FRAY_WEBSOCKET_FIN | (is_binary ? FRAY_WEBSOCKET_BINARY : FRAY_WEBSOCKET_TEXT),
            message->body, NULL);
    } else if (message->kind == FRAY_MESSAGE_EVENT) {
        fray_buf_append_byte(text, '[');
        fray_json_write_string(text, message->name);
        if (message->body.len)
            fray_buf_append_byte(text, ',');
        fray_buf_append_slice(text, message->body);
        fray_buf_append_byte(text, ']');
        fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT,
                                    fray_buf_slice(text), NULL);
    }
    return fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, fray_buf_slice(out));
}

static void on_frame(struct fray_session *session, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    (void)link;
    receive(bare_of(session), frame, is_binary, NULL);
}

static void on_link_end(struct fray_session *session, struct fray_link *link,
                        enum fray_disconnect reason)
{
    (void)link;
    fray_session_close(session, reason);
}

static void on_drained(struct fray_session *session)
{
    fray_member_drained(&bare_of(session)->member);
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    end(bare_of(session), reason);
}

static const struct fray_protocol protocol = {
    .name = "websocket",
    .member_ops = &member_ops,
    .encode = encode,
    .on_frame = on_frame,
    .on_link_end = on_link_end,
    .on_drained = on_drained,
    .on_close = on_close,
};

void fray_bare_open(fray_namespace *nsp, struct fray_worker *worker, struct fray_link *link,
                    struct fray_handshake *handshake)
{
    struct bare_websocket *self = fray_session_open(&protocol, worker, sizeof *self);
    fray_session_attach(&self->session, link);
    connect_to(&self->bare, &self->session, nsp, handshake);
}

/* ------------------------------------------------------------------ over Engine.IO */

struct bare_engineio {
    struct fray_engineio engineio; /* first */
    struct bare bare;
};

static void on_engineio_open(struct fray_engineio *engineio, struct fray_handshake *handshake)
{
    struct bare_engineio *self = (struct bare_engineio *)engineio;
    connect_to(&self->bare, &engineio->session, engineio->config->upper_config, handshake);
}

static void on_engineio_message(struct fray_engineio *engineio, struct fray_slice data,
                                bool is_binary)
{
    receive(&((struct bare_engineio *)engineio)->bare, data, is_binary, engineio->carrier);
}

static void on_engineio_drained(struct fray_engineio *engineio)
{
    fray_member_drained(&((struct bare_engineio *)engineio)->bare.member);
}

static void on_engineio_close(struct fray_engineio *engineio, enum fray_disconnect reason)
{
    end(&((struct bare_engineio *)engineio)->bare, reason);
}

const struct fray_engineio_upper fray_bare_upper = {
    .member_ops = &member_ops,
    .session_size = sizeof(struct bare_engineio),
    .on_open = on_engineio_open,
    .on_message = on_engineio_message,
    .on_drained = on_engineio_drained,
    .on_close = on_engineio_close,
};
