#include "protocol/socketio.h"

#include "base/mem.h"
#include "wire/json.h"
#include "wire/socketio_assembler.h"

/* A namespace that the session is in, or is waiting to be let into. */
struct place {
    struct fray_member member; /* first */
    struct place *next;
    const char *nsp; /* its name, the namespace's own; a copy once it has departed */
    /* The server ended it. Packets that were on their way meanwhile are no fault of the client. The
     * namespace may go before the session does. */
    bool has_departed;
};

/* What is needed until the first CONNECT was accepted, and no longer. */
struct arrival {
    struct fray_timer timer; /* connect_timeout_ms */
    struct fray_engineio *engineio;
    struct fray_handshake *handshake;
};

struct socketio {
    struct fray_engineio engineio; /* first */
    struct place *places;
    struct arrival *arrival; /* NULL: over, and the handshake not kept */
    struct fray_socketio_assembler assembler;
};

static struct socketio *socketio_of(struct fray_engineio *engineio)
{
    return (struct socketio *)engineio;
}

static struct fray_socketio_config *config_of(const struct socketio *self)
{
    return self->engineio.config->upper_config;
}

static void fail(struct socketio *self)
{
    fray_count(&self->engineio.session.worker->counters.closed_parse_error);
    fray_session_close(&self->engineio.session, FRAY_PARSE_ERROR);
}

/* ------------------------------------------------------------------ coming and going */

static void place_destroy(struct socketio *self, struct place *place)
{
    struct fray_worker *worker = self->engineio.session.worker;
    if (place->has_departed)
        free((char *)place->nsp);
    worker->release(worker, place, sizeof *place);
}

static void arrival_end(struct socketio *self)
{
    struct arrival *arrival = self->arrival;
    if (!arrival)
        return;
    fray_timer_cancel(self->engineio.session.worker->timers, &arrival->timer);
    fray_handshake_unref(arrival->handshake);
    free(arrival);
    self->arrival = NULL;
}

static void arm(struct arrival *arrival, uint64_t now_us)
{
    const struct fray_socketio_config *config = arrival->engineio->config->upper_config;
    fray_timer_arm(arrival->engineio->session.worker->timers, &arrival->timer,
                   now_us + config->connect_timeout_ms * UINT64_C(1000));
}

static void on_connect_timeout(struct fray_timer *timer, uint64_t now_us)
{
    struct arrival *arrival = (struct arrival *)((char *)timer - offsetof(struct arrival, timer));
    struct fray_engineio *engineio = arrival->engineio;
    if (socketio_of(engineio)->places) /* a namespace is still to answer */
        arm(arrival, now_us);
    else
        fray_session_close(&engineio->session, FRAY_SERVER_DISCONNECTED);
}

static void on_open(struct fray_engineio *engineio, struct fray_handshake *handshake)
{
    struct arrival *arrival = fray_alloc_zero(sizeof *arrival);
    arrival->engineio = engineio;
    arrival->timer.on_expire = on_connect_timeout;
    arrival->handshake = handshake;
    if (handshake)
        handshake->refs++;
    arm(arrival, *engineio->session.worker->now_us);
    socketio_of(engineio)->arrival = arrival;
}

static void on_close(struct fray_engineio *engineio, enum fray_disconnect reason)
{
    struct socketio *self = socketio_of(engineio);
    /* That the client left a namespace is said by DISCONNECT; this is the end of its connection. */
    if (reason == FRAY_CLIENT_LEFT)
        reason = FRAY_TRANSPORT_CLOSE;
    while (self->places) {
        struct place *place = self->places;
        self->places = place->next;
        fray_member_end(&place->member, reason);
        place_destroy(self, place);
    }
    arrival_end(self);
    fray_socketio_assembler_reset(&self->assembler);
}

static void on_drained(struct fray_engineio *engineio)
{
    for (struct place *place = socketio_of(engineio)->places; place; place = place->next)
        fray_member_drained(&place->member);
}

/* ------------------------------------------------------------------ namespaces */

static struct place *find(const struct socketio *self, struct fray_slice nsp)
{
    struct place *place = self->places;
    while (place && !fray_slice_equal(nsp, fray_slice_of(place->nsp)))
        place = place->next;
    return place;
}

static void forget(struct socketio *self, struct place *place)
{
    struct place **link = &self->places;
    while (*link && *link != place)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = place->next;
    place_destroy(self, place);
}

static void refuse(struct socketio *self, struct fray_slice nsp, struct fray_slice message)
{
    struct fray_buf text = {0};
    fray_socketio_encode_connect_error(&text, nsp, message, (struct fray_slice){0});
    fray_engineio_send(&self->engineio, fray_buf_slice(&text));
    fray_buf_deinit(&text);
}

static struct fray_slice string_member(struct fray_slice object, struct fray_slice name,
                                       struct fray_buf *scratch)
{
    struct fray_slice value;
    if (!object.len || !fray_json_find(object, name, &value) || value.len < 2 ||
        value.data[0] != '"')
        return (struct fray_slice){0};
    return fray_json_string_text(value, scratch);
}

static void on_accepted(struct fray_member *member, const char *socket_id, const char *pid)
{
    struct socketio *self = (struct socketio *)member->session;
    struct fray_buf text = {0};
    fray_socketio_encode_connect(&text, fray_slice_of(((struct place *)member)->nsp),
                                 fray_slice_of(socket_id), fray_slice_of(pid));
    fray_engineio_send(&self->engineio, fray_buf_slice(&text));
    fray_buf_deinit(&text);
    if (!config_of(self)->keep_handshake)
        arrival_end(self);
    else if (self->arrival)
        fray_timer_cancel(self->engineio.session.worker->timers, &self->arrival->timer);
}

/* Another namespace is within max_namespaces; one that the server ended makes room. */
static bool has_room(struct socketio *self)
{
    uint32_t count = 0;
    struct place *departed = NULL;
    for (struct place *place = self->places; place; place = place->next) {
        count++;
        if (place->has_departed)
            departed = place;
    }
    if (count < config_of(self)->max_namespaces)
        return true;
    if (!departed)
        return false;
    forget(self, departed);
    return true;
}

static void on_connect(struct socketio *self, const struct fray_socketio_packet *packet)
{
    struct fray_socketio_config *config = config_of(self);
    struct place *former = find(self, packet->namespace_name);
    if (former && !former->has_departed) {
        fail(self); /* connected already, or about to be */
        return;
    }
    if (former)
        forget(self, former);
    if (!has_room(self)) {
        refuse(self, packet->namespace_name, FRAY_SLICE("Too many namespaces"));
        return;
    }
    fray_namespace *nsp = config->find_namespace(config, packet->namespace_name);
    if (!nsp) {
        refuse(self, packet->namespace_name, FRAY_SLICE("Invalid namespace"));
        return;
    }
    struct place *place = fray_cells_take(self->engineio.session.worker->cells, sizeof *place);
    place->member.session = &self->engineio.session;
    place->nsp = nsp->name;
    place->next = self->places;
    self->places = place;
    struct fray_buf pid = {0}, offset = {0};
    fray_member_connect(&place->member, nsp,
                        &(struct fray_connect_request){
                            .auth = packet->data,
                            .handshake = self->arrival ? self->arrival->handshake : NULL,
                            .pid = string_member(packet->data, FRAY_SLICE("pid"), &pid),
                            .offset = string_member(packet->data, FRAY_SLICE("offset"), &offset),
                        });
    fray_buf_deinit(&pid);
    fray_buf_deinit(&offset);
}

static void on_rejected(struct fray_member *member, struct fray_slice error)
{
    struct socketio *self = (struct socketio *)member->session;
    struct fray_buf text = {0};
    fray_socketio_encode_connect_error_json(&text, fray_slice_of(((struct place *)member)->nsp),
                                            error);
    fray_engineio_send(&self->engineio, fray_buf_slice(&text));
    fray_buf_deinit(&text);
    forget(self, (struct place *)member);
}

static void send_disconnect(struct socketio *self, const struct place *place)
{
    struct fray_buf text = {0};
    fray_socketio_encode_disconnect(&text, fray_slice_of(place->nsp));
    fray_engineio_send(&self->engineio, fray_buf_slice(&text));
    fray_buf_deinit(&text);
}

static void on_disconnected(struct fray_member *member, bool close_session)
{
    struct socketio *self = (struct socketio *)member->session;
    struct place *place = (struct place *)member;
    send_disconnect(self, place);
    place->nsp = fray_strndup(place->nsp, strlen(place->nsp));
    place->has_departed = true;
    if (!close_session)
        return;
    /* The client is told in all its namespaces: of a mere end of the connection it would think that
     * it was lost, and come back. */
    for (place = self->places; place; place = place->next) {
        if (place->member.is_connected)
            send_disconnect(self, place);
    }
    fray_session_close(&self->engineio.session, FRAY_SERVER_DISCONNECTED);
}

static const struct fray_member_ops member_ops = {
    .on_accepted = on_accepted,
    .on_rejected = on_rejected,
    .on_disconnected = on_disconnected,
};

/* ------------------------------------------------------------------ packets */

static void on_event(struct socketio *self, struct place *place,
                     const struct fray_socketio_packet *packet,
                     const struct fray_slice *attachments)
{
    struct fray_buf name = {0};
    bool is_ack = packet->type == FRAY_SOCKETIO_ACK || packet->type == FRAY_SOCKETIO_BINARY_ACK;
    if (is_ack && !packet->has_ack_id)
        return; /* an answer to nothing */
    struct fray_incoming incoming = {
        .name = packet->event_escaped ? fray_json_string_text(packet->event_json, &name)
                                      : packet->event_name,
        .args = packet->args,
        .attachments = attachments,
        .attachments_count = packet->attachments,
        .ack_id = packet->has_ack_id ? (int64_t)packet->ack_id : FRAY_ACK_NONE,
        .carrier = self->engineio.carrier,
    };
    if (is_ack)
        fray_member_ack(&place->member, &incoming);
    else
        fray_member_event(&place->member, &incoming);
    fray_buf_deinit(&name);
}

static void on_packet(struct socketio *self, const struct fray_socketio_packet *packet,
                      const struct fray_slice *attachments)
{
    if (packet->type == FRAY_SOCKETIO_CONNECT) {
        on_connect(self, packet);
        return;
    }
    struct place *place = find(self, packet->namespace_name);
    if (place && place->has_departed)
        return;
    if (!place || !place->member.is_connected || packet->type == FRAY_SOCKETIO_CONNECT_ERROR) {
        fail(self);
        return;
    }
    if (packet->type == FRAY_SOCKETIO_DISCONNECT) {
        fray_member_end(&place->member, FRAY_CLIENT_LEFT);
        forget(self, place);
        return;
    }
    on_event(self, place, packet, attachments);
}

static void on_message(struct fray_engineio *engineio, struct fray_slice data, bool is_binary)
{
    struct socketio *self = socketio_of(engineio);
    const struct fray_socketio_limits *limits = &config_of(self)->limits;
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments = NULL;
    enum fray_err err =
        is_binary ? fray_socketio_assembler_binary(&self->assembler, data, &packet, &attachments)
                  : fray_socketio_assembler_text(&self->assembler, data, limits, &packet);
    if (err == FRAY_ERR_AGAIN)
        return;
    if (err) {
        fail(self);
        return;
    }
    /* The packet borrows from the assembler, and a handler may close the session and with it the
     * assembler. */
    struct fray_socketio_assembler complete = self->assembler;
    self->assembler = (struct fray_socketio_assembler){0};
    on_packet(self, &packet, attachments);
    fray_socketio_assembler_reset(&complete);
}

const struct fray_engineio_upper fray_socketio_upper = {
    .member_ops = &member_ops,
    .session_size = sizeof(struct socketio),
    .on_open = on_open,
    .on_message = on_message,
    .on_drained = on_drained,
    .on_close = on_close,
};
