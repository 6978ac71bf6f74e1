/* Making messages and sending them: the public API's outgoing half. On the namespace's home worker.
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/panic.h"
#include "room/event.h"
#include "room/recovery.h"

enum { TARGET_ROOMS = sizeof((struct fray_target *)0)->rooms / sizeof(const char *) };

/* jansson packs one value, so arguments are packed as an array, and its brackets left out of the
 * text. */
static struct fray_slice pack(struct fray_buf *text, const char *format, va_list args)
{
    if (!format || !*format)
        return (struct fray_slice){0};
    char whole[256], *longer = NULL, *array_format = whole;
    size_t len = strlen(format);
    if (len + 3 > sizeof whole)
        array_format = longer = fray_alloc(len + 3);
    sprintf(array_format, "[%s]", format);
    json_error_t error;
    json_t *array = json_vpack_ex(&error, 0, array_format, args);
    if (!array)
        fray_panic("bad_format format=\"%s\" reason=\"%s\"", format, error.text);
    free(longer);
    size_t size = json_dumpb(array, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    json_dumpb(array, fray_buf_reserve(text, size), size, JSON_COMPACT);
    text->len = size;
    json_decref(array);
    return fray_slice(text->data + 1, size - 2);
}

static fray_message *vcreate(const char *nsp, const struct fray_message_parts *parts,
                             const char *format, va_list args)
{
    struct fray_buf text = {0};
    struct fray_message_parts whole = *parts;
    whole.nsp = nsp;
    whole.body = pack(&text, format, args);
    fray_message *message = fray_message_new(&whole);
    fray_buf_deinit(&text);
    return message;
}

static fray_message *vevent(const fray_namespace *nsp, const char *event, const char *format,
                            va_list args)
{
    return vcreate(nsp->name,
                   &(struct fray_message_parts){.kind = FRAY_MESSAGE_EVENT,
                                                .name = fray_slice_of(event),
                                                .ack_id = FRAY_ACK_NONE},
                   format, args);
}

fray_message *fray_message_create(fray_namespace *nsp, const char *event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_message *message = vevent(nsp, event, format, args);
    va_end(args);
    return message;
}

fray_message *fray_message_from_text(fray_namespace *nsp, const char *event, const char *args,
                                     size_t len)
{
    return fray_message_new(&(struct fray_message_parts){.kind = FRAY_MESSAGE_EVENT,
                                                         .nsp = nsp->name,
                                                         .name = fray_slice_of(event),
                                                         .body = fray_slice(args, len),
                                                         .ack_id = FRAY_ACK_NONE});
}

fray_message *fray_message_from_event(const fray_event *event, const char *name)
{
    const struct fray_incoming *incoming = event->incoming;
    if (incoming->is_bare)
        return fray_message_of(incoming->is_binary ? FRAY_MESSAGE_BARE_BINARY
                                                   : FRAY_MESSAGE_BARE_TEXT,
                               incoming->args);
    fray_message *message = fray_message_new(
        &(struct fray_message_parts){.kind = FRAY_MESSAGE_EVENT,
                                     .nsp = event->socket->nsp->name,
                                     .name = name ? fray_slice_of(name) : incoming->name,
                                     .body = incoming->args,
                                     .ack_id = FRAY_ACK_NONE});
    for (size_t i = 0; i < incoming->attachments_count; i++)
        fray_message_attach(message, incoming->attachments[i].data, incoming->attachments[i].len);
    return message;
}

fray_message *fray_message_bare(fray_namespace *nsp, const void *data, size_t len, bool binary)
{
    (void)nsp;
    return fray_message_of(binary ? FRAY_MESSAGE_BARE_BINARY : FRAY_MESSAGE_BARE_TEXT,
                           fray_slice(data, len));
}

json_t *fray_attachment(unsigned number)
{
    return json_pack("{s:b, s:i}", "_placeholder", 1, "num", (int)number);
}

/* ------------------------------------------------------------------ sending */

/* What can be recovered, and is therefore logged and carries its position: as in Socket.IO,
 * reliable events without ack id. */
static bool is_recoverable(const fray_namespace *nsp, const fray_message *message)
{
    return nsp->log.cap && message->kind == FRAY_MESSAGE_EVENT && message->class == FRAY_RELIABLE &&
           message->ack_id == FRAY_ACK_NONE;
}

/* The message to send, with a reference: a message has one position, so sending it again sends a
 * copy. */
static fray_message *log_message(fray_namespace *nsp, fray_message *message,
                                 const struct fray_log_entry *whom)
{
    if (!is_recoverable(nsp, message))
        return fray_message_ref(message);
    fray_message *logged = message->offset || message->encodings ? fray_message_clone(message)
                                                                 : fray_message_ref(message);
    fray_message_log_add(&nsp->log, logged, whom, *nsp->home->now_us);
    return logged;
}

enum fray_send_result fray_socket_deliver(fray_socket *socket, fray_message *message)
{
    if (!socket->is_connected)
        return FRAY_DROPPED;
    return fray_crossing_send(socket, message);
}

enum fray_send_result fray_send(fray_socket *socket, fray_message *message)
{
    if (!socket->is_connected)
        return FRAY_DROPPED;
    fray_message *logged = log_message(
        socket->nsp, message,
        &(struct fray_log_entry){
            .only = fray_socket_ticket(socket) ? fray_socket_ticket(socket)->lineage : 0});
    enum fray_send_result result = fray_socket_deliver(socket, logged);
    fray_message_unref(logged);
    return result;
}

static bool has_members(const fray_namespace *nsp, unsigned worker,
                        const struct fray_target *target)
{
    if (!target->rooms[0])
        return nsp->sockets_on_worker[worker] > 0;
    for (size_t i = 0; i < TARGET_ROOMS && target->rooms[i]; i++) {
        const struct fray_room *room =
            fray_name_map_get(&nsp->rooms, fray_slice_of(target->rooms[i]));
        if (room && room->on_worker[worker])
            return true;
    }
    return false;
}

enum fray_send_result fray_namespace_broadcast(fray_namespace *nsp, fray_message *message,
                                               const struct fray_target *target)
{
    static const struct fray_target everybody = {0};
    if (!target)
        target = &everybody;
    const struct fray_ticket *except = target->except ? fray_socket_ticket(target->except) : NULL;
    fray_message *logged =
        log_message(nsp, message,
                    &(struct fray_log_entry){.except = except ? except->lineage : 0,
                                             .target = (struct fray_target *)target});
    enum fray_send_result best = FRAY_DROPPED;
    for (unsigned w = 0; w < nsp->workers_count; w++) {
        if (!has_members(nsp, w, target))
            continue;
        enum fray_send_result result = fray_crossing_broadcast(nsp, w, logged, target);
        if (result < best)
            best = result;
    }
    fray_message_unref(logged);
    return best;
}

enum fray_send_result fray_send_to(fray_namespace *nsp, fray_message *message,
                                   const struct fray_target *target)
{
    if (nsp->observer)
        nsp->observer->on_broadcast(nsp->observer, nsp, message, target);
    return fray_namespace_broadcast(nsp, message, target);
}

static enum fray_send_result send_take(fray_namespace *nsp, fray_message *message,
                                       const struct fray_target *target)
{
    enum fray_send_result result = fray_send_to(nsp, message, target);
    fray_message_unref(message);
    return result;
}

enum fray_send_result fray_emit(fray_socket *socket, const char *event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_message *message = vevent(socket->nsp, event, format, args);
    va_end(args);
    enum fray_send_result result = fray_send(socket, message);
    fray_message_unref(message);
    return result;
}

enum fray_send_result fray_broadcast(fray_namespace *nsp, const char *event, const char *format,
                                     ...)
{
    va_list args;
    va_start(args, format);
    fray_message *message = vevent(nsp, event, format, args);
    va_end(args);
    return send_take(nsp, message, &(struct fray_target){0});
}

enum fray_send_result fray_broadcast_except(fray_socket *except, const char *event,
                                            const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_message *message = vevent(except->nsp, event, format, args);
    va_end(args);
    return send_take(except->nsp, message, &(struct fray_target){.except = except});
}

enum fray_send_result fray_emit_to(fray_namespace *nsp, const char *room, const char *event,
                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_message *message = vevent(nsp, event, format, args);
    va_end(args);
    return send_take(nsp, message, &(struct fray_target){.rooms = {room}});
}

/* ------------------------------------------------------------------ acknowledging */

static enum fray_send_result ack_take(fray_socket *socket, fray_message *message)
{
    enum fray_send_result result = fray_socket_deliver(socket, message);
    fray_message_unref(message);
    return result;
}

static fray_message *vack(const fray_socket *socket, uint64_t ack_id, const char *format,
                          va_list args)
{
    return vcreate(
        socket->nsp->name,
        &(struct fray_message_parts){.kind = FRAY_MESSAGE_ACK, .ack_id = (int64_t)ack_id}, format,
        args);
}

/* One ack per event: the first. */
static bool take_ack(const fray_event *event)
{
    fray_event *mutable_event = (fray_event *)event;
    if (event->is_acked || event->incoming->ack_id == FRAY_ACK_NONE)
        return false;
    mutable_event->is_acked = true;
    return true;
}

enum fray_send_result fray_ack(const fray_event *event, const char *format, ...)
{
    if (!take_ack(event))
        return FRAY_DROPPED;
    va_list args;
    va_start(args, format);
    fray_message *message = vack(event->socket, (uint64_t)event->incoming->ack_id, format, args);
    va_end(args);
    return ack_take(event->socket, message);
}

enum fray_send_result fray_ack_message(const fray_event *event, fray_message *message)
{
    if (!take_ack(event))
        return FRAY_DROPPED;
    fray_message *ack = fray_message_clone(message);
    ack->kind = FRAY_MESSAGE_ACK;
    ack->class = FRAY_RELIABLE; /* a newer state of a thing is no answer */
    ack->ack_id = event->incoming->ack_id;
    ack->offset = 0;
    return ack_take(event->socket, ack);
}

enum fray_send_result fray_ack_later(fray_socket *socket, uint64_t ack_id, const char *format, ...)
{
    if (ack_id > INT64_MAX) /* fray_event_ack_id of an event that wants none */
        return FRAY_DROPPED;
    va_list args;
    va_start(args, format);
    fray_message *message = vack(socket, ack_id, format, args);
    va_end(args);
    return ack_take(socket, message);
}
