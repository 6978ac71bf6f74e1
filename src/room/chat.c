#include "room/builtin.h"

#include <stdio.h>

#include "base/clean_text.h"
#include "base/mem.h"
#include "room/event.h"
#include "room/identity.h"

enum {
    RATE_WINDOW_S = 10, /* chat_rate is per so many seconds */
    ROOM_NAME_MAX = 256,
};

/* A ring of the last messages, ready to be sent again as they were. */
struct fray_chat {
    uint64_t next; /* number of the next message, from 1 */
    uint32_t cap, count;
    fray_message *said[]; /* at number % cap */
};

void fray_chat_destroy(struct fray_chat *chat)
{
    for (uint32_t i = 0; chat && i < chat->count; i++)
        fray_message_unref(chat->said[(chat->next - 1 - i) % chat->cap]);
    free(chat);
}

static void keep(struct fray_chat *chat, fray_message *message)
{
    if (!chat->cap)
        return;
    fray_message **place = &chat->said[(chat->next - 1) % chat->cap];
    if (chat->count == chat->cap)
        fray_message_unref(*place);
    else
        chat->count++;
    /* A copy: the one that is sent now may get a position in the log. */
    *place = fray_message_clone(message);
}

void fray_chat_replay(fray_socket *socket, const struct fray_room *room)
{
    const struct fray_chat *chat = room ? room->chat : socket->nsp->chat;
    if (!socket->nsp->app.chat || !chat || socket->is_recovered)
        return;
    for (uint64_t number = chat->next - chat->count; number < chat->next; number++)
        fray_send(socket, chat->said[number % chat->cap]);
}

/* ------------------------------------------------------------------ saying something */

/* A token bucket, refilled by the second. */
static bool may_speak(fray_socket *socket)
{
    struct fray_identity *identity = fray_socket_identity_of(socket);
    uint32_t rate = socket->nsp->options.chat_rate;
    uint32_t second = (uint32_t)(*socket->nsp->home->now_us / 1000000);
    if (!rate)
        return true;
    if (!identity->chat_second)
        identity->chat_credit = rate * RATE_WINDOW_S; /* in messages / RATE_WINDOW_S */
    uint64_t refill = (uint64_t)(second - identity->chat_second) * rate;
    uint64_t credit = identity->chat_credit + (identity->chat_second ? refill : 0);
    if (credit > rate * RATE_WINDOW_S)
        credit = rate * RATE_WINDOW_S;
    identity->chat_second = second ? second : 1;
    bool may = credit >= RATE_WINDOW_S;
    identity->chat_credit = (uint32_t)(may ? credit - RATE_WINDOW_S : credit);
    return may;
}

static size_t count_chars(struct fray_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

/* The text of a chat_message and the room that it is for: "text", or {"text", "room"?}. */
struct line {
    struct fray_slice text;
    const char *room; /* NULL: the namespace at large */
};

static bool read_line(const fray_event *event, struct line *line)
{
    const json_t *argument = json_array_get(fray_event_args(event), 0);
    const json_t *text = json_is_object(argument) ? json_object_get(argument, "text") : argument;
    const json_t *room = json_is_object(argument) ? json_object_get(argument, "room") : NULL;
    if (!json_is_string(text) || (room && !json_is_string(room) && !json_is_null(room)))
        return false;
    *line = (struct line){fray_slice(json_string_value(text), json_string_length(text)),
                          json_is_string(room) ? json_string_value(room) : NULL};
    return true;
}

static struct fray_room *find_room(const fray_socket *socket, const char *name)
{
    if (strlen(name) > ROOM_NAME_MAX || !fray_socket_in(socket, name))
        return NULL;
    return fray_name_map_get(&socket->nsp->rooms, fray_slice_of(name));
}

static struct fray_chat *chat_of(fray_namespace *nsp, struct fray_room *room)
{
    struct fray_chat **place = room ? &room->chat : &nsp->chat;
    if (!*place) {
        uint32_t cap = nsp->options.chat_history;
        *place = fray_alloc_zero(sizeof **place + cap * sizeof(fray_message *));
        (*place)->cap = cap;
        (*place)->next = 1;
    }
    return *place;
}

/* Sends it to all who hear it, the sender too: so everybody sees the same lines in the same order.
 */
static void say(fray_socket *socket, const fray_event *event, struct fray_room *room,
                struct fray_slice text)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_chat *chat = chat_of(nsp, room);
    json_int_t number = (json_int_t)chat->next++;
    json_int_t at_ms = nsp->options.unix_ms ? (json_int_t)nsp->options.unix_ms() : 0;
    fray_message *message = fray_message_create(
        nsp, "chat_message", "{s:I, s:s*, s:{s:s, s:s}, s:s%, s:I}", "number", number, "room",
        room ? room->text : NULL, "from", "id", fray_socket_id(socket), "name",
        fray_socket_name(socket), "text", text.data, text.len, "at", at_ms);
    keep(chat, message);
    struct fray_target target = {.rooms = {room ? room->text : NULL}};
    fray_send_to(nsp, message, &target);
    fray_message_unref(message);
    fray_ack(event, "{s:I, s:I}", "number", number, "at", at_ms);
}

void fray_chat_on_message(fray_socket *socket, const fray_event *event, void *app)
{
    const struct fray_namespace_options *options = &socket->nsp->options;
    struct line line;
    struct fray_room *room = NULL;
    (void)app;
    if (!read_line(event, &line)) {
        fray_event_refuse(event, "wrong_shape",
                          "A chat_message is a text, or {\"room\": …, \"text\": …}.");
    } else if (count_chars(line.text) > options->chat_max_length) {
        char reason[64];
        snprintf(reason, sizeof reason, "A line of chat has at most %u characters.",
                 options->chat_max_length);
        fray_event_refuse(event, "too_long", reason);
    } else if (line.room && !(room = find_room(socket, line.room))) {
        fray_event_refuse(event, "not_in_room", "Only who is in a room may speak there.");
    } else if (!may_speak(socket)) {
        fray_event_refuse(event, "rate_limited", "You are speaking too often; wait a little.");
    } else {
        struct fray_buf text = {0};
        fray_clean_text(&text, line.text,
                        &(struct fray_clean_options){.max_chars = options->chat_max_length,
                                                     .keeps_newlines = true});
        if (text.len)
            say(socket, event, room, fray_buf_slice(&text));
        else
            fray_event_refuse(event, "empty", "There is nothing to read in it.");
        fray_buf_deinit(&text);
    }
}
