/* Reading events: the public API's incoming half. */
#include "room/event.h"

#include <stdio.h>

#include "base/mem.h"

void fray_event_deinit(struct fray_event *event)
{
    json_decref(event->args);
    if (event->name != event->short_name)
        free((char *)event->name);
}

const char *fray_event_name(const fray_event *event)
{
    fray_event *lazy = (fray_event *)event;
    struct fray_slice name = event->incoming->name;
    if (event->name)
        return event->name;
    if (name.len >= sizeof event->short_name) {
        lazy->name = fray_strndup(name.data, name.len);
        return event->name;
    }
    if (name.len)
        memcpy(lazy->short_name, name.data, name.len);
    lazy->short_name[name.len] = '\0';
    lazy->name = lazy->short_name;
    return event->name;
}

bool fray_event_wants_ack(const fray_event *event)
{
    return !event->is_acked && event->incoming->ack_id != FRAY_ACK_NONE;
}

uint64_t fray_event_ack_id(const fray_event *event)
{
    return (uint64_t)event->incoming->ack_id;
}

/* The arguments were validated on arrival, so only jansson's own stricter rules (such as \u0000 in
 * a key) can refuse them. */
const json_t *fray_event_args(const fray_event *event)
{
    fray_event *lazy = (fray_event *)event;
    const struct fray_incoming *incoming = event->incoming;
    if (event->args)
        return event->args;
    if (incoming->is_bare) {
        lazy->args = json_array();
        return event->args;
    }
    struct fray_buf text = {0};
    fray_buf_append_byte(&text, '[');
    fray_buf_append_slice(&text, incoming->args);
    fray_buf_append_byte(&text, ']');
    lazy->args = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
    fray_buf_deinit(&text);
    if (!event->args)
        lazy->args = json_array();
    return event->args;
}

void fray_event_refuse(const fray_event *event, const char *code, const char *reason)
{
    fray_socket *socket = event->socket;
    const struct fray_incoming *incoming = event->incoming;
    fray_message *error = fray_message_create(socket->nsp, "error", "{s:s, s:s, s:s}", "code", code,
                                              incoming->wants_errors ? "type" : "event",
                                              fray_event_name(event), "message", reason);
    if (incoming->wants_errors) {
        /* Such a client knows an answer by its id; it is the one answer to the event. */
        error->ack_id = incoming->ack_id;
        ((fray_event *)event)->is_acked = true;
    }
    fray_send(socket, error);
    fray_message_unref(error);
}

/* Tells the sender what was wrong with its event, and counts it. */
static void complain(const fray_event *event, const char *reason)
{
    fray_count(&event->socket->nsp->home->counters.events_wrong_shape);
    fray_event_refuse(event, "wrong_shape", reason);
}

enum fray_err fray_event_unpack(const fray_event *event, const char *format, ...)
{
    char whole[256], *longer = NULL, *array_format = whole;
    if (!format)
        format = "";
    size_t len = strlen(format);
    if (len + 3 > sizeof whole)
        array_format = longer = fray_alloc(len + 3);
    sprintf(array_format, "[%s]", format);
    json_error_t error;
    va_list args;
    va_start(args, format);
    int failed = json_vunpack_ex((json_t *)fray_event_args(event), &error, 0, array_format, args);
    va_end(args);
    free(longer);
    if (!failed)
        return FRAY_OK;
    complain(event, error.text);
    return FRAY_ERR_TYPE;
}

const char *fray_event_text(const fray_event *event, size_t *len)
{
    *len = event->incoming->args.len;
    return event->incoming->args.data;
}

bool fray_event_is_binary(const fray_event *event)
{
    return event->incoming->is_binary;
}

size_t fray_event_attachments(const fray_event *event)
{
    return event->incoming->attachments_count;
}

const void *fray_event_attachment(const fray_event *event, size_t number, size_t *len)
{
    if (number >= event->incoming->attachments_count)
        return NULL;
    *len = event->incoming->attachments[number].len;
    return event->incoming->attachments[number].data;
}

json_t *fray_event_carrier(const fray_event *event)
{
    const struct fray_handshake *carrier = event->incoming->carrier;
    return carrier ? carrier->describe(carrier) : NULL;
}
