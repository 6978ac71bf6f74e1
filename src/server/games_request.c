#include "server/games_request.h"

#include "game/catalog.h"

struct fray_games_request fray_games_request(fray_socket *socket, const fray_event *event,
                                             void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    /* What has attachments is a packet, or nothing that is known here: its JSON need not be read.
     */
    bool is_read = event && !fray_event_attachments(event);
    return (struct fray_games_request){
        .games = app,
        .nsp = nsp,
        .socket = socket,
        .place = fray_socket_data(socket),
        .event = event,
        .content = is_read ? json_array_get(fray_event_args(event), 0)
                   : event ? NULL
                           : fray_socket_auth(socket),
        .now_us = fray_now_us(nsp),
    };
}

/* Rules explain their own refusals. */
void fray_games_refuse(const struct fray_games_request *request, const char *code)
{
    const struct fray_match *match = fray_games_match(request);
    struct fray_buf *why = &request->games->why;
    const char *text = why->len ? why->data : NULL;
    if (!text && match)
        text = fray_catalog_sentence(match->config.game, code);
    if (!text)
        text = fray_games_reason_text(code);
    if (request->event)
        fray_event_refuse(request->event, code, text);
    else
        fray_emit(request->socket, "error", "{s:s, s:s, s:s}", "code", code, "event", "join",
                  "message", text);
    why->len = 0;
}

void fray_games_refuse_same(const struct fray_games_request *request)
{
    fray_games_refuse(
        request, fray_games_because(request, "already_in_match", "It is the one that you are in."));
}

const char *fray_games_because(const struct fray_games_request *request, const char *code,
                               const char *format, ...)
{
    struct fray_buf *why = &request->games->why;
    va_list arguments;

    va_start(arguments, format);
    why->len = 0;
    fray_buf_vprintf(why, format, arguments);
    va_end(arguments);
    fray_buf_append_byte(why, '\0');
    return code;
}

void fray_games_answer(const struct fray_games_request *request, json_t *content)
{
    if (request->event)
        fray_ack(request->event, "O", content);
    json_decref(content);
}

/* A member that is a text; NULL: missing, or something else. */
const char *fray_games_text(const struct fray_games_request *request, const char *key)
{
    const json_t *value = json_object_get(request->content, key);
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

bool fray_games_flag(const struct fray_games_request *request, const char *key, bool otherwise,
                     bool *flag)
{
    const json_t *value = json_object_get(request->content, key);
    *flag = value ? json_is_true(value) : otherwise;
    return !value || json_is_boolean(value);
}

struct fray_match *fray_games_match(const struct fray_games_request *request)
{
    return request->place->role
               ? fray_lobby_find(&request->games->lobby, fray_slice_of(request->place->match))
               : NULL;
}

/* Changes the name if the request has one. Connecting has done so already, and what a token says
 * stays. */
bool fray_games_take_name(const struct fray_games_request *request)
{
    const json_t *name = json_object_get(request->content, "name");
    if (!name || !request->event || fray_socket_identity(request->socket))
        return true;
    const char *text = fray_games_text(request, "name");
    if (!text)
        fray_games_refuse(request, fray_games_because(request, "wrong_shape", "name is a text."));
    else if (!fray_socket_set_name(request->socket, text))
        fray_games_refuse(request, "bad_name");
    else
        return true;
    return false;
}
