#include "room/namespace.h"

#include <assert.h>

#include "base/mem.h"
#include "room/builtin.h"
#include "room/event.h"
#include "room/identity.h"
#include "room/recovery.h"

fray_namespace *fray_namespace_create(const struct fray_app *app, struct fray_slice name,
                                      const struct fray_namespace_options *options,
                                      struct fray_worker *home, struct fray_worker *maker)
{
    fray_namespace *nsp = fray_alloc_zero(sizeof *nsp);
    nsp->app = *app;
    nsp->options = *options;
    nsp->name = fray_strndup(name.data, name.len);
    nsp->home = home;
    maker->random(maker, &nsp->rooms.key, sizeof nsp->rooms.key);
    maker->random(maker, &nsp->tickets.key, sizeof nsp->tickets.key);
    maker->random(maker, nsp->id_keys, sizeof nsp->id_keys);
    uint64_t away_us = options->recovery_max_disconnection_ms * UINT64_C(1000);
    fray_message_log_init(&nsp->log, away_us ? options->recovery_max_messages : 0, away_us);
    nsp->log.max_bytes = options->recovery_max_bytes;
    return nsp;
}

void fray_namespace_set_workers(fray_namespace *nsp, struct fray_worker **workers, unsigned count)
{
    nsp->workers = workers;
    nsp->workers_count = count;
    nsp->audiences = fray_alloc_zero(count * sizeof(*nsp->audiences));
    nsp->sockets_on_worker = fray_alloc_zero(count * sizeof *nsp->sockets_on_worker);
}

void fray_namespace_destroy(fray_namespace *nsp)
{
    nsp->on_vacated = NULL;
    for (uint32_t i = 0; i < nsp->sockets.used; i++) {
        fray_socket *socket = fray_id_pool_at(&nsp->sockets, i);
        if (socket)
            fray_socket_remove(socket, FRAY_SERVER_SHUTDOWN);
    }
    for (uint32_t i = 0; i < nsp->tickets.cap; i++) {
        /* Removing moves later entries up into the gap, so the same place is looked at again. */
        while (nsp->tickets.entries[i].object)
            fray_ticket_destroy(nsp->tickets.entries[i].object);
    }
    fray_timers_stop(nsp);
    fray_chat_destroy(nsp->chat);
    free(nsp->identities);
    for (unsigned w = 0; w < nsp->workers_count; w++) {
        if (nsp->audiences[w])
            fray_audience_deinit(nsp->audiences[w]);
        free(nsp->audiences[w]);
    }
    fray_name_map_deinit(&nsp->tickets);
    fray_name_map_deinit(&nsp->rooms);
    fray_message_log_deinit(&nsp->log);
    fray_id_pool_deinit(&nsp->sockets);
    free(nsp->audiences);
    free(nsp->sockets_on_worker);
    free(nsp->name);
    free(nsp);
}

/* ------------------------------------------------------------------ sockets come and go */

static fray_socket *socket_create(fray_namespace *nsp, const struct fray_arrival *arrival)
{
    fray_socket *socket =
        fray_cells_take(nsp->home->cells, sizeof *socket + nsp->app.socket_data_size);
    socket->nsp = nsp;
    socket->worker = (uint16_t)arrival->worker;
    socket->member = arrival->member;
    socket->handle = fray_id_pool_add(&nsp->sockets, socket);
    nsp->sockets_on_worker[socket->worker]++;
    return socket;
}

static void connecting_free(fray_socket *socket)
{
    struct fray_connecting *connecting = socket->extra ? socket->extra->connecting : NULL;
    if (!connecting)
        return;
    json_decref(connecting->auth);
    json_decref(connecting->reject_data);
    free(connecting->reject_message);
    fray_handshake_unref(connecting->handshake);
    free(connecting);
    socket->extra->connecting = NULL;
    fray_socket_settle(socket);
}

void fray_socket_remove(fray_socket *socket, enum fray_disconnect reason)
{
    fray_namespace *nsp = socket->nsp;
    fray_id_pool_remove(&nsp->sockets, socket->handle);
    nsp->sockets_on_worker[socket->worker]--;
    bool was_connected = socket->is_connected;
    socket->is_connected = false;
    fray_acks_cancel(socket); /* before user data goes: their callbacks are given the socket */
    if (was_connected && nsp->app.on_disconnect)
        nsp->app.on_disconnect(socket, reason, nsp->app.app);
    if (fray_socket_ticket(socket))
        fray_ticket_suspend(socket, reason);
    else if (nsp->app.on_forget)
        nsp->app.on_forget(socket->data, nsp->app.app);
    fray_socket_leave_all(socket);
    connecting_free(socket);
    fray_socket_identity_drop(socket);
    if (socket->extra) { /* a handler may still look at it in this turn */
        if (socket->extra->id)
            nsp->home->release(nsp->home, socket->extra->id, 0);
        nsp->home->release(nsp->home, socket->extra, 0);
    }
    nsp->home->release(nsp->home, socket, sizeof *socket + nsp->app.socket_data_size);
    if (nsp->on_vacated)
        nsp->on_vacated(nsp, true);
}

/* {"message": …, "data": …}, as Socket.IO sends the errors of its middleware. */
static void reject(fray_socket *socket)
{
    struct fray_connecting *connecting = socket->extra->connecting;
    json_t *error = json_object();
    const char *message = connecting->reject_message;
    json_object_set_new(error, "message", json_string(message ? message : "Not authorized"));
    if (connecting->reject_data)
        json_object_set(error, "data", connecting->reject_data);
    char *text = json_dumps(error, JSON_COMPACT);
    json_decref(error);
    fray_count(&socket->nsp->home->counters.sockets_rejected);
    fray_crossing_reject(socket, fray_slice_of(text));
    free(text);
    fray_socket_remove(socket, FRAY_SERVER_DISCONNECTED);
}

void fray_namespace_connect(fray_namespace *nsp, struct fray_arrival *arrival)
{
    const struct fray_app *app = &nsp->app;
    fray_socket *socket = socket_create(nsp, arrival);
    struct fray_connecting *connecting = fray_alloc_zero(sizeof *connecting);
    fray_socket_extra(socket)->connecting = connecting;
    connecting->handshake = arrival->handshake;
    if (arrival->auth.len)
        connecting->auth = json_loadb(arrival->auth.data, arrival->auth.len, 0, NULL);

    if (!fray_socket_identify(socket)) {
        reject(socket);
        return;
    }
    /* As in Socket.IO, who comes back was authorized before: the middleware is not asked again. */
    struct fray_ticket *ticket = fray_ticket_redeem(nsp, arrival->pid, arrival->offset);
    if (ticket) {
        fray_ticket_restore(ticket, socket);
        fray_count(&nsp->home->counters.sessions_recovered);
    } else {
        if (app->on_authorize && app->on_authorize(socket, app->app) != FRAY_ACCEPT) {
            reject(socket);
            return;
        }
        if (nsp->log.cap)
            fray_ticket_issue(socket);
    }
    struct fray_handle handle = socket->handle;
    fray_crossing_accept(socket);
    if (!fray_id_pool_get(&nsp->sockets, handle))
        return; /* a handler ended its session meanwhile */
    socket->is_connected = true;
    fray_count(&nsp->home->counters.sockets_connected);
    if (ticket)
        fray_ticket_replay(socket, arrival->offset);
    fray_chat_replay(socket, NULL);
    if (app->on_connect)
        app->on_connect(socket, app->app);
    if (!app->keep_handshake && fray_id_pool_get(&nsp->sockets, handle))
        connecting_free(socket);
}

void fray_namespace_end(fray_namespace *nsp, struct fray_handle handle, enum fray_disconnect reason)
{
    fray_socket *socket = fray_id_pool_get(&nsp->sockets, handle);
    if (socket)
        fray_socket_remove(socket, reason);
}

void fray_namespace_pressure(fray_namespace *nsp, struct fray_handle handle, bool is_blocked)
{
    fray_socket *socket = fray_id_pool_get(&nsp->sockets, handle);
    if (!socket)
        return;
    socket->is_blocked = is_blocked;
    if (!is_blocked && nsp->app.on_drained)
        nsp->app.on_drained(socket, nsp->app.app);
}

/* ------------------------------------------------------------------ events */

/* The application's own handler of that name, then fray's, then the one for all others. */
static fray_event_fn *handler_of(const fray_namespace *nsp, struct fray_slice name)
{
    const struct fray_app *app = &nsp->app;
    for (const struct fray_event_handler *handler = app->events;
         handler < app->events + FRAY_EVENTS_MAX && handler->name; handler++) {
        if (fray_slice_equal(name, fray_slice_of(handler->name)))
            return handler->handle;
    }
    fray_event_fn *builtin = fray_builtin_handler(nsp, name);
    return builtin ? builtin : app->on_message;
}

void fray_namespace_event(fray_namespace *nsp, struct fray_handle handle,
                          const struct fray_incoming *incoming)
{
    fray_socket *socket = fray_id_pool_get(&nsp->sockets, handle);
    if (!socket || !socket->is_connected)
        return;
    fray_count(&nsp->home->counters.events_in);
    fray_event_fn *handle_event = handler_of(nsp, incoming->name);
    struct fray_event event = {.socket = socket, .incoming = incoming};
    if (handle_event) {
        handle_event(socket, &event, nsp->app.app);
    } else {
        fray_count(&nsp->home->counters.events_unhandled);
        if (incoming->wants_errors)
            fray_event_refuse(&event, "unknown_type", "This server knows no message of this type.");
    }
    fray_event_deinit(&event);
}

/* ------------------------------------------------------------------ what applications ask */

const char *fray_namespace_name(const fray_namespace *nsp)
{
    return nsp->name;
}

void *fray_namespace_app(const fray_namespace *nsp)
{
    return nsp->app.app;
}

size_t fray_namespace_sockets(const fray_namespace *nsp)
{
    return nsp->sockets.count;
}

static bool has_id(const fray_socket *socket, struct fray_slice id)
{
    char own[FRAY_TOKEN_LEN + 1];
    fray_socket_write_id(socket, own);
    return fray_token_equal(id, own);
}

fray_socket *fray_namespace_find(const fray_namespace *nsp, const char *socket_id)
{
    /* A recovered socket keeps an id that leads to its former place, so a miss is looked for among
     * the tickets' sockets. */
    uint32_t index;
    struct fray_slice id = fray_slice_of(socket_id);
    if (!fray_token_number(id, &index))
        return NULL;
    if (index < nsp->sockets.used) {
        fray_socket *socket = fray_id_pool_at(&nsp->sockets, index);
        if (socket && has_id(socket, id))
            return socket;
    }
    for (uint32_t i = 0; nsp->log.cap && i < nsp->sockets.used; i++) {
        fray_socket *socket = fray_id_pool_at(&nsp->sockets, i);
        if (socket && socket->is_recovered && has_id(socket, id))
            return socket;
    }
    return NULL;
}

void fray_namespace_each(fray_namespace *nsp, const char *room,
                         void (*visit)(fray_socket *socket, void *context), void *context)
{
    for (uint32_t i = 0; i < nsp->sockets.used; i++) {
        fray_socket *socket = fray_id_pool_at(&nsp->sockets, i);
        if (socket && socket->is_connected && (!room || fray_socket_in(socket, room)))
            visit(socket, context);
    }
}

uint64_t fray_now_us(const fray_namespace *nsp)
{
    return *nsp->home->now_us;
}

uint64_t fray_random(fray_namespace *nsp)
{
    uint64_t bits;
    nsp->home->random(nsp->home, &bits, sizeof bits);
    return bits;
}
