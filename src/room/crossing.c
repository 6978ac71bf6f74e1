/* The two halves of a socket talk: plain calls where the session's worker is the namespace's home,
 * parcels where it is not.
 *
 * Each crossing is a pair: `..._at` does it on the worker where it belongs, and the function that
 * others call decides how to get there. Handles travel, never pointers: either half may be gone on
 * arrival. */
#include <assert.h>

#include "base/mem.h"
#include "room/event.h"
#include "room/namespace.h"
#include "room/recovery.h"

static struct fray_member *member_of(struct fray_worker *worker, struct fray_handle handle)
{
    return fray_id_pool_get(&worker->members, handle);
}

/* ------------------------------------------------------------------ session's worker → home */

struct arrival_parcel {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_arrival arrival; /* slices into `text` */
    char text[];
};

static void run_arrival(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct arrival_parcel *self = (struct arrival_parcel *)parcel;
    (void)at;
    fray_namespace_connect(self->nsp, &self->arrival);
    free(self);
}

static struct fray_slice copy_text(char **at, struct fray_slice text)
{
    struct fray_slice copy = {*at, text.len};
    if (text.len)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

static struct fray_audience *audience_on(fray_namespace *nsp, struct fray_worker *worker)
{
    struct fray_audience **audience = &nsp->audiences[worker->index];
    if (!*audience) {
        *audience = fray_alloc(sizeof **audience);
        fray_audience_init(*audience, nsp, worker);
        (*audience)->flush_interval_us = nsp->options.room_flush_interval_ms * UINT64_C(1000);
    }
    return *audience;
}

void fray_member_connect(struct fray_member *member, fray_namespace *nsp,
                         const struct fray_connect_request *request)
{
    struct fray_worker *worker = member->session->worker;
    fray_audience_add(audience_on(nsp, worker), member);
    member->handle = fray_id_pool_add(&worker->members, member);
    struct fray_arrival arrival = {worker->index, member->handle,  request->auth,
                                   request->pid,  request->offset, request->handshake};
    if (worker == nsp->home) {
        if (arrival.handshake)
            arrival.handshake->refs++;
        fray_namespace_connect(nsp, &arrival);
        return;
    }
    size_t len = arrival.auth.len + arrival.pid.len + arrival.offset.len;
    struct arrival_parcel *parcel = fray_alloc(sizeof *parcel + len);
    char *at = parcel->text;
    arrival.auth = copy_text(&at, arrival.auth);
    arrival.pid = copy_text(&at, arrival.pid);
    arrival.offset = copy_text(&at, arrival.offset);
    if (arrival.handshake)
        arrival.handshake = fray_handshake_clone(arrival.handshake);
    parcel->parcel.run = run_arrival;
    parcel->nsp = nsp;
    parcel->arrival = arrival;
    worker->post(worker, nsp->home, &parcel->parcel);
}

/* How much of a member may be on its way: past the window its session's connection is not read any
 * further until the home worker has caught up (credit-based flow control, as HTTP/2 has it: RFC
 * 9113 5.2). A transport that cannot wait goes on; past what fits, its session is closed. */
enum {
    FLIGHT_UNIT = 512, /* bytes; an event counts as one, for its parcel, and one for each 512 */
    FLIGHT_WINDOW = 512,
    FLIGHT_CREDIT = FLIGHT_WINDOW / 4, /* what a credit is asked for at a time */
    FLIGHT_EVENT_MAX = 16384,          /* what is larger counts as this: 8 MiB */
    FLIGHT_MAX = UINT16_MAX,           /* 32 MiB */
};

static void hold(struct fray_member *member, bool is_held)
{
    if (member->is_held == is_held)
        return;
    member->is_held = is_held;
    fray_session_hold(member->session, is_held);
}

struct credit_parcel {
    struct fray_parcel parcel;
    struct fray_handle member;
    uint16_t units;
};

static void run_credit(struct fray_worker *at, struct fray_parcel *parcel)
{
    const struct credit_parcel *self = (struct credit_parcel *)parcel;
    struct fray_member *member = member_of(at, self->member);
    if (member) {
        member->in_flight -= self->units;
        if (member->in_flight <= FLIGHT_WINDOW / 2)
            hold(member, false);
    }
    free(parcel);
}

/* Counts an event as on its way. False: there is too much already. *credit is what the home worker
 * is to give back once it has handled it. */
static bool take_off(struct fray_member *member, size_t len, uint16_t *credit)
{
    size_t units = 1 + len / FLIGHT_UNIT;
    if (units > FLIGHT_EVENT_MAX)
        units = FLIGHT_EVENT_MAX;
    *credit = 0;
    if (member->in_flight + units > FLIGHT_MAX)
        return false;
    member->in_flight = (uint16_t)(member->in_flight + units);
    member->uncredited = (uint16_t)(member->uncredited + units);
    if (member->uncredited >= FLIGHT_CREDIT) {
        *credit = member->uncredited;
        member->uncredited = 0;
    }
    if (member->in_flight > FLIGHT_WINDOW)
        hold(member, true);
    return true;
}

struct event_parcel {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_handle socket, member;
    struct fray_worker *from;
    uint16_t credit; /* 0: none is asked for */
    bool is_ack;
    struct fray_incoming incoming;  /* into `text` */
    struct fray_slice *attachments; /* owned */
    char text[];
};

static void run_event(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct event_parcel *self = (struct event_parcel *)parcel;
    if (self->is_ack)
        fray_namespace_ack(self->nsp, self->socket, &self->incoming);
    else
        fray_namespace_event(self->nsp, self->socket, &self->incoming);
    if (self->credit) {
        struct credit_parcel *credit = fray_alloc(sizeof *credit);
        *credit = (struct credit_parcel){
            .parcel.run = run_credit, .member = self->member, .units = self->credit};
        at->post(at, self->from, &credit->parcel);
    }
    fray_handshake_unref(self->incoming.carrier);
    free(self->attachments);
    free(self);
}

static void send_event(struct fray_member *member, const struct fray_incoming *incoming,
                       bool is_ack)
{
    struct fray_worker *worker = member->session->worker;
    size_t len = incoming->name.len + incoming->args.len;
    uint16_t credit;
    for (size_t i = 0; i < incoming->attachments_count; i++)
        len += incoming->attachments[i].len;
    if (!take_off(member, len, &credit)) {
        fray_count(&worker->counters.closed_flooding);
        fray_session_close(member->session, FRAY_FLOODING);
        return;
    }
    struct event_parcel *parcel = fray_alloc(sizeof *parcel + len);
    char *at = parcel->text;
    parcel->parcel.run = run_event;
    parcel->nsp = member->audience->nsp;
    parcel->socket = member->socket;
    parcel->member = member->handle;
    parcel->from = worker;
    parcel->credit = credit;
    parcel->is_ack = is_ack;
    parcel->incoming = *incoming;
    parcel->incoming.name = copy_text(&at, incoming->name);
    parcel->incoming.args = copy_text(&at, incoming->args);
    parcel->attachments = fray_alloc(incoming->attachments_count * sizeof *parcel->attachments);
    for (size_t i = 0; i < incoming->attachments_count; i++)
        parcel->attachments[i] = copy_text(&at, incoming->attachments[i]);
    parcel->incoming.attachments = parcel->attachments;
    if (incoming->carrier)
        parcel->incoming.carrier = fray_handshake_clone(incoming->carrier);
    worker->post(worker, parcel->nsp->home, &parcel->parcel);
}

void fray_member_event(struct fray_member *member, const struct fray_incoming *incoming)
{
    fray_namespace *nsp = member->audience->nsp;
    if (member->session->worker == nsp->home)
        fray_namespace_event(nsp, member->socket, incoming);
    else
        send_event(member, incoming, false);
}

void fray_member_ack(struct fray_member *member, const struct fray_incoming *incoming)
{
    fray_namespace *nsp = member->audience->nsp;
    if (member->session->worker == nsp->home)
        fray_namespace_ack(nsp, member->socket, incoming);
    else
        send_event(member, incoming, true);
}

/* What the session's worker has to say of a socket besides events. */
struct notice_parcel {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_handle socket;
    enum { NOTICE_END, NOTICE_BLOCKED, NOTICE_DRAINED } what;
    enum fray_disconnect reason;
};

static void notice_at_home(const struct notice_parcel *notice)
{
    if (notice->what == NOTICE_END)
        fray_namespace_end(notice->nsp, notice->socket, notice->reason);
    else
        fray_namespace_pressure(notice->nsp, notice->socket, notice->what == NOTICE_BLOCKED);
}

static void run_notice(struct fray_worker *at, struct fray_parcel *parcel)
{
    (void)at;
    notice_at_home((struct notice_parcel *)parcel);
    free(parcel);
}

static void notify_home(struct fray_worker *worker, const struct notice_parcel *notice)
{
    if (worker == notice->nsp->home) {
        notice_at_home(notice);
        return;
    }
    struct notice_parcel *parcel = fray_alloc(sizeof *parcel);
    *parcel = *notice;
    parcel->parcel.run = run_notice;
    worker->post(worker, notice->nsp->home, &parcel->parcel);
}

/* Out of the audience and unknown by its handle from here on. */
static void member_out(struct fray_member *member)
{
    hold(member, false);
    member->in_flight = member->uncredited = 0;
    fray_audience_remove(member);
    fray_id_pool_remove(&member->session->worker->members, member->handle);
    member->is_connected = false;
}

void fray_member_end(struct fray_member *member, enum fray_disconnect reason)
{
    if (!member->audience)
        return;
    fray_namespace *nsp = member->audience->nsp;
    bool was_connected = member->is_connected;
    member_out(member);
    /* Not yet connected: the home worker's accept will find nobody, and then hears of it. */
    if (was_connected)
        notify_home(member->session->worker, &(struct notice_parcel){.nsp = nsp,
                                                                     .socket = member->socket,
                                                                     .what = NOTICE_END,
                                                                     .reason = reason});
}

void fray_member_drained(struct fray_member *member)
{
    if (member->is_connected)
        notify_home(member->session->worker, &(struct notice_parcel){.nsp = member->audience->nsp,
                                                                     .socket = member->socket,
                                                                     .what = NOTICE_DRAINED});
}

/* ------------------------------------------------------------------ home → session's worker */

struct accept_parcel {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_handle member, socket;
    char id[FRAY_TOKEN_LEN + 1], pid[FRAY_TOKEN_LEN + 1];
};

static void accept_at(struct fray_worker *worker, const struct accept_parcel *accept)
{
    struct fray_member *member = member_of(worker, accept->member);
    if (!member) {
        notify_home(worker, &(struct notice_parcel){.nsp = accept->nsp,
                                                    .socket = accept->socket,
                                                    .what = NOTICE_END,
                                                    .reason = FRAY_TRANSPORT_CLOSE});
        return;
    }
    member->socket = accept->socket;
    member->is_connected = true;
    member->session->protocol->member_ops->on_accepted(member, accept->id, accept->pid);
}

static void run_accept(struct fray_worker *at, struct fray_parcel *parcel)
{
    accept_at(at, (struct accept_parcel *)parcel);
    free(parcel);
}

void fray_crossing_accept(fray_socket *socket)
{
    struct fray_worker *home = socket->nsp->home, *to = socket->nsp->workers[socket->worker];
    struct accept_parcel accept = {
        .nsp = socket->nsp, .member = socket->member, .socket = socket->handle};
    fray_socket_write_id(socket, accept.id);
    if (fray_socket_ticket(socket))
        memcpy(accept.pid, fray_socket_ticket(socket)->pid, sizeof accept.pid);
    if (to == home) {
        accept_at(to, &accept);
        return;
    }
    struct accept_parcel *parcel = fray_alloc(sizeof *parcel);
    *parcel = accept;
    parcel->parcel.run = run_accept;
    home->post(home, to, &parcel->parcel);
}

/* What the home worker tells a member, with a text: a room's name or an error. */
struct order_parcel {
    struct fray_parcel parcel;
    struct fray_handle member;
    enum { ORDER_REJECT, ORDER_DISCONNECT, ORDER_CLOSE, ORDER_JOIN, ORDER_LEAVE } what;
    unsigned code; /* for a websocket's close frame, where the session ends; 0: none */
    struct fray_slice text;
    char copy[];
};

static void order_at(struct fray_worker *worker, const struct order_parcel *order)
{
    struct fray_member *member = member_of(worker, order->member);
    if (!member)
        return;
    struct fray_session *session = member->session;
    switch (order->what) {
    case ORDER_REJECT:
        member_out(member);
        member->session->protocol->member_ops->on_rejected(member, order->text);
        break;
    case ORDER_DISCONNECT:
    case ORDER_CLOSE:
        member_out(member);
        if (order->code)
            fray_session_set_farewell(session, order->code, order->text);
        session->protocol->member_ops->on_disconnected(member, order->what == ORDER_CLOSE);
        if (order->code)
            fray_session_drop_farewell(session); /* it goes on, in other namespaces */
        break;
    case ORDER_JOIN: fray_member_join(member, order->text); break;
    case ORDER_LEAVE: fray_member_leave(member, order->text); break;
    }
}

static void run_order(struct fray_worker *at, struct fray_parcel *parcel)
{
    order_at(at, (struct order_parcel *)parcel);
    free(parcel);
}

static void order_with(fray_socket *socket, int what, unsigned code, struct fray_slice text)
{
    struct fray_worker *home = socket->nsp->home, *to = socket->nsp->workers[socket->worker];
    struct order_parcel local = {
        .member = socket->member, .what = what, .code = code, .text = text};
    if (to == home) {
        order_at(to, &local);
        return;
    }
    struct order_parcel *parcel = fray_alloc(sizeof *parcel + text.len);
    *parcel = local;
    char *at = parcel->copy;
    parcel->text = copy_text(&at, text);
    parcel->parcel.run = run_order;
    home->post(home, to, &parcel->parcel);
}

static void order(fray_socket *socket, int what, struct fray_slice text)
{
    order_with(socket, what, 0, text);
}

void fray_crossing_reject(fray_socket *socket, struct fray_slice error)
{
    order(socket, ORDER_REJECT, error);
}

void fray_crossing_disconnect(fray_socket *socket, bool close_session)
{
    order(socket, close_session ? ORDER_CLOSE : ORDER_DISCONNECT, (struct fray_slice){0});
}

void fray_crossing_close(fray_socket *socket, unsigned code, struct fray_slice text)
{
    order_with(socket, ORDER_CLOSE, code, text);
}

void fray_crossing_expel(fray_socket *socket, unsigned code, struct fray_slice text)
{
    order_with(socket, ORDER_DISCONNECT, code, text);
}

void fray_crossing_join(fray_socket *socket, struct fray_slice room, bool joins)
{
    order(socket, joins ? ORDER_JOIN : ORDER_LEAVE, room);
}

/* ------------------------------------------------------------------ messages */

struct message_parcel {
    struct fray_parcel parcel;
    fray_namespace *nsp;
    struct fray_message *message; /* a clone, owned */
    struct fray_handle member;    /* for one; null: a broadcast to `target` */
    struct fray_handle except;
    struct fray_target target; /* names owned */
};

enum { TARGET_ROOMS = sizeof((struct fray_target *)0)->rooms / sizeof(const char *) };

static void run_message(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct message_parcel *self = (struct message_parcel *)parcel;
    struct fray_audience *audience = self->nsp->audiences[at->index];
    struct fray_member *member = member_of(at, self->member);
    if (member && fray_session_send(member->session, self->message) != FRAY_SENT)
        notify_home(at, &(struct notice_parcel){
                            .nsp = self->nsp, .socket = member->socket, .what = NOTICE_BLOCKED});
    else if (!self->member.generation && audience)
        fray_audience_send(audience, self->message, &self->target, self->except);
    for (size_t i = 0; i < TARGET_ROOMS; i++) {
        free((char *)self->target.rooms[i]);
        free((char *)self->target.except_rooms[i]);
    }
    fray_message_unref(self->message);
    free(self);
}

static struct message_parcel *message_parcel(fray_namespace *nsp, struct fray_message *message)
{
    struct message_parcel *parcel = fray_alloc_zero(sizeof *parcel);
    parcel->parcel.run = run_message;
    parcel->nsp = nsp;
    parcel->message = fray_message_clone(message);
    return parcel;
}

enum fray_send_result fray_crossing_send(fray_socket *socket, struct fray_message *message)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_worker *home = nsp->home, *to = nsp->workers[socket->worker];
    if (to == home) {
        struct fray_member *member = member_of(to, socket->member);
        return member ? fray_session_send(member->session, message) : FRAY_DROPPED;
    }
    if (socket->is_blocked && message->class == FRAY_TRANSIENT) { /* it would be dropped there */
        fray_count(&home->counters.dropped_transient);
        return FRAY_DROPPED;
    }
    struct message_parcel *parcel = message_parcel(nsp, message);
    parcel->member = socket->member;
    home->post(home, to, &parcel->parcel);
    return socket->is_blocked ? FRAY_QUEUED : FRAY_SENT;
}

enum fray_send_result fray_crossing_broadcast(fray_namespace *nsp, unsigned worker,
                                              struct fray_message *message,
                                              const struct fray_target *target)
{
    struct fray_worker *home = nsp->home, *to = nsp->workers[worker];
    const fray_socket *except = target->except;
    bool excepts_here = except && except->worker == worker;
    struct fray_handle except_member = excepts_here ? except->member : (struct fray_handle){0};
    if (to == home)
        return nsp->audiences[worker]
                   ? fray_audience_send(nsp->audiences[worker], message, target, except_member)
                   : FRAY_DROPPED;
    struct message_parcel *parcel = message_parcel(nsp, message);
    parcel->except = except_member;
    for (size_t i = 0; i < TARGET_ROOMS; i++) {
        const char *room = target->rooms[i], *except_room = target->except_rooms[i];
        parcel->target.rooms[i] = room ? fray_strndup(room, strlen(room)) : NULL;
        parcel->target.except_rooms[i] =
            except_room ? fray_strndup(except_room, strlen(except_room)) : NULL;
    }
    home->post(home, to, &parcel->parcel);
    return FRAY_SENT;
}
