/* Sockets as applications see them: identity, user data, rooms. */
#include "base/mem.h"
#include "room/builtin.h"
#include "room/event.h"
#include "room/namespace.h"
#include "room/recovery.h"

struct fray_socket_extra *fray_socket_extra(fray_socket *socket)
{
    if (!socket->extra)
        socket->extra = fray_alloc_zero(sizeof *socket->extra);
    return socket->extra;
}

void fray_socket_settle(fray_socket *socket)
{
    const struct fray_socket_extra *extra = socket->extra;
    if (!extra || extra->id || extra->acks || extra->next_ack_id || extra->connecting ||
        extra->ticket)
        return;
    free(socket->extra);
    socket->extra = NULL;
}

fray_namespace *fray_socket_namespace(const fray_socket *socket)
{
    return socket->nsp;
}

/* Few of the sockets that idle are ever asked for their id, so it is not kept but made again of the
 * handle, by a keyed hash that nobody outside can compute. */
void fray_socket_write_id(const fray_socket *socket, char id[FRAY_TOKEN_LEN + 1])
{
    if (socket->extra && socket->extra->id) {
        memcpy(id, socket->extra->id, FRAY_TOKEN_LEN + 1);
        return;
    }
    struct fray_slice handle = fray_slice(&socket->handle, sizeof socket->handle);
    uint64_t bits[2] = {fray_hash(socket->nsp->id_keys[0], handle),
                        fray_hash(socket->nsp->id_keys[1], handle)};
    fray_token_make(id, socket->handle.index & 0x3fffffff, (const uint8_t *)bits);
}

const char *fray_socket_id(const fray_socket *socket)
{
    struct fray_socket_extra *extra = fray_socket_extra((fray_socket *)socket);
    if (!extra->id) {
        char *id = fray_alloc(FRAY_TOKEN_LEN + 1);
        fray_socket_write_id(socket, id);
        extra->id = id;
    }
    return extra->id;
}

void *fray_socket_data(fray_socket *socket)
{
    return socket->data;
}

bool fray_socket_recovered(const fray_socket *socket)
{
    return socket->is_recovered;
}

const json_t *fray_socket_auth(fray_socket *socket)
{
    const struct fray_socket_extra *extra = socket->extra;
    return extra && extra->connecting ? extra->connecting->auth : NULL;
}

json_t *fray_socket_handshake(fray_socket *socket)
{
    struct fray_connecting *connecting = socket->extra ? socket->extra->connecting : NULL;
    if (!connecting || !connecting->handshake)
        return NULL;
    json_t *handshake = connecting->handshake->describe(connecting->handshake);
    if (connecting->auth)
        json_object_set(handshake, "auth", connecting->auth);
    else
        json_object_set_new(handshake, "auth", json_object());
    return handshake;
}

void fray_socket_reject_reason(fray_socket *socket, const char *message, json_t *data)
{
    struct fray_connecting *connecting = socket->extra ? socket->extra->connecting : NULL;
    if (!connecting) {
        json_decref(data);
        return;
    }
    free(connecting->reject_message);
    json_decref(connecting->reject_data);
    connecting->reject_message = fray_strndup(message, strlen(message));
    connecting->reject_data = data;
}

void fray_socket_disconnect(fray_socket *socket, bool close_session)
{
    if (!socket->is_connected)
        return;
    /* Its session may end with it, and handlers of other namespaces run, which may end it too. */
    fray_namespace *nsp = socket->nsp;
    struct fray_handle handle = socket->handle;
    fray_crossing_disconnect(socket, close_session);
    fray_namespace_end(nsp, handle, FRAY_SERVER_DISCONNECTED);
}

void fray_socket_close(fray_socket *socket, unsigned code, const char *reason)
{
    if (!socket->is_connected)
        return;
    fray_namespace *nsp = socket->nsp;
    struct fray_handle handle = socket->handle;
    fray_crossing_close(socket, code, fray_slice_of(reason));
    fray_namespace_end(nsp, handle, FRAY_SERVER_DISCONNECTED);
}

const char *fray_disconnect_text(enum fray_disconnect reason)
{
    switch (reason) {
    case FRAY_CLIENT_LEFT: return "client namespace disconnect";
    case FRAY_SERVER_DISCONNECTED: return "server namespace disconnect";
    case FRAY_TRANSPORT_CLOSE: return "transport close";
    case FRAY_TRANSPORT_ERROR: return "transport error";
    case FRAY_PING_TIMEOUT: return "ping timeout";
    case FRAY_PARSE_ERROR: return "parse error";
    case FRAY_SLOW_READER: return "slow reader";
    case FRAY_FLOODING: return "flooding";
    case FRAY_SERVER_SHUTDOWN: return "server shutting down";
    case FRAY_SESSION_TAKEN: return "session taken over";
    }
    return "unknown";
}

/* ------------------------------------------------------------------ rooms */

static struct fray_room *room_create(fray_namespace *nsp, struct fray_slice name)
{
    size_t text_len = (name.len + sizeof(uint32_t)) / sizeof(uint32_t) * sizeof(uint32_t);
    struct fray_room *room =
        fray_alloc_zero(sizeof *room + text_len + nsp->workers_count * sizeof(uint32_t));
    memcpy(room->text, name.data, name.len);
    room->name = fray_slice(room->text, name.len);
    room->on_worker = (uint32_t *)(void *)(room->text + text_len);
    fray_name_map_add(&nsp->rooms, room->name, room);
    return room;
}

static struct fray_joined *joined_in(const fray_socket *socket, struct fray_slice room)
{
    for (size_t i = 0; i < socket->joined_count; i++) {
        if (fray_slice_equal(socket->joined[i].room->name, room))
            return &socket->joined[i];
    }
    return NULL;
}

bool fray_socket_in(const fray_socket *socket, const char *room)
{
    return joined_in(socket, fray_slice_of(room)) != NULL;
}

size_t fray_room_size(const fray_namespace *nsp, const char *room)
{
    const struct fray_room *found = fray_name_map_get(&nsp->rooms, fray_slice_of(room));
    return found ? found->size : 0;
}

enum fray_err fray_socket_join(fray_socket *socket, const char *name_text)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_slice name = fray_slice_of(name_text);
    if (joined_in(socket, name))
        return FRAY_OK;
    if (socket->joined_count >= nsp->options.max_rooms_per_socket)
        return FRAY_ERR_LIMIT;
    struct fray_room *room = fray_name_map_get(&nsp->rooms, name);
    if (!room)
        room = room_create(nsp, name);
    size_t count = socket->joined_count++;
    socket->joined = fray_realloc(socket->joined, (count + 1) * sizeof *socket->joined);
    socket->joined[count] = (struct fray_joined){room, nsp->log.next - 1};
    room->size++;
    room->on_worker[socket->worker]++;
    fray_crossing_join(socket, name, true);
    fray_chat_replay(socket, room);
    return FRAY_OK;
}

static void vacate(fray_socket *socket, struct fray_room *room)
{
    room->on_worker[socket->worker]--;
    if (--room->size)
        return;
    fray_name_map_remove(&socket->nsp->rooms, room->name);
    fray_chat_destroy(room->chat);
    free(room);
}

void fray_socket_leave(fray_socket *socket, const char *name_text)
{
    struct fray_slice name = fray_slice_of(name_text);
    struct fray_joined *joined = joined_in(socket, name);
    if (!joined)
        return;
    fray_crossing_join(socket, name, false);
    if (fray_socket_ticket(socket))
        fray_ticket_leave(fray_socket_ticket(socket), joined);
    struct fray_room *room = joined->room;
    *joined = socket->joined[--socket->joined_count];
    vacate(socket, room);
}

void fray_socket_leave_all(fray_socket *socket)
{
    while (socket->joined_count)
        vacate(socket, socket->joined[--socket->joined_count].room);
    free(socket->joined);
    socket->joined = NULL;
}
