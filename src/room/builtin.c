#include "room/builtin.h"

#include "room/event.h"

enum { ROOM_NAME_MAX = 256 };

/* "room", or {"room": …}. NULL: the sender has been told. */
static const char *read_room(const fray_event *event)
{
    const json_t *argument = json_array_get(fray_event_args(event), 0);
    const json_t *room = json_is_object(argument) ? json_object_get(argument, "room") : argument;
    const char *name = json_string_value(room);
    size_t len = json_string_length(room);
    if (name && len && len <= ROOM_NAME_MAX && strlen(name) == len)
        return name;
    fray_event_refuse(event, "wrong_shape",
                      "A room is a text of 1 to 256 bytes: \"lobby\", or {\"room\": \"lobby\"}.");
    return NULL;
}

static void on_join(fray_socket *socket, const fray_event *event, void *app)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_handle handle = socket->handle;
    const char *room = read_room(event);
    if (!room)
        return;
    enum fray_verdict verdict = nsp->app.on_join(socket, room, app);
    if (!fray_id_pool_get(&nsp->sockets, handle))
        return; /* it was disconnected for asking */
    if (verdict != FRAY_ACCEPT)
        fray_event_refuse(event, "denied", "You may not join this room.");
    else if (fray_socket_join(socket, room))
        fray_event_refuse(event, "too_many_rooms", "You are in as many rooms as one may be in.");
    else
        fray_ack(event, "{s:s, s:I}", "room", room, "members",
                 (json_int_t)fray_room_size(nsp, room));
}

static void on_leave(fray_socket *socket, const fray_event *event, void *app)
{
    const char *room = read_room(event);
    (void)app;
    if (!room)
        return;
    fray_socket_leave(socket, room);
    fray_ack(event, "{s:s}", "room", room);
}

static void on_lab(fray_socket *socket, const fray_event *event, void *app)
{
    const struct fray_namespace_options *options = &socket->nsp->options;
    const json_t *wanted = json_array_get(fray_event_args(event), 0);
    struct fray_buf reason = {0};
    (void)app;
    if (options->lab(options->lab_context, socket, wanted, &reason)) {
        fray_buf_append_byte(&reason, '\0');
        fray_event_refuse(event, "wrong_shape", reason.data);
    } else {
        fray_ack(event, "{s:O}", "lab", wanted);
    }
    fray_buf_deinit(&reason);
}

fray_event_fn *fray_builtin_handler(const fray_namespace *nsp, struct fray_slice name)
{
    if (nsp->app.chat && fray_slice_equal(name, FRAY_SLICE("chat_message")))
        return fray_chat_on_message;
    if (nsp->app.on_join && fray_slice_equal(name, FRAY_SLICE("join")))
        return on_join;
    if (nsp->app.on_join && fray_slice_equal(name, FRAY_SLICE("leave")))
        return on_leave;
    if (nsp->options.lab && fray_slice_equal(name, FRAY_SLICE("lab")))
        return on_lab;
    return NULL;
}
