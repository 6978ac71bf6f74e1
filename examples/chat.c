/* Chat with rooms, names, history and a typing indicator. From the tree's root:
 * build/release/examples/chat, then open http://localhost:5001. */
#include <fray/fray.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    NAME_MAX_LEN = 32,   /* bytes of a user's or room's name */
    TEXT_MAX_LEN = 2000, /* bytes of a message */
    HISTORY_MAX = 50,    /* messages that a newcomer is shown */
    ROOMS_MAX =
        64, /* rooms whose history is kept: the last ones that somebody spoke in or entered */
};

/* A socket's data. */
struct user {
    char name[NAME_MAX_LEN + 1];
    char room[NAME_MAX_LEN + 1];
};

struct history {
    char room[NAME_MAX_LEN + 1];
    json_t *messages; /* array of {name, text, at}, the oldest first */
    uint64_t used_us;
};

struct chat {
    struct history histories[ROOMS_MAX];
};

/* The room's history; of a room that has none, an empty one in place of the longest unused. */
static struct history *history_of(fray_namespace *nsp, const char *room)
{
    struct chat *chat = fray_namespace_app(nsp);
    struct history *found = chat->histories;
    for (size_t i = 0; i < ROOMS_MAX; i++) {
        struct history *history = &chat->histories[i];
        if (history->messages && strcmp(history->room, room) == 0) {
            found = history;
            break;
        }
        if (history->used_us < found->used_us)
            found = history;
    }
    if (!found->messages || strcmp(found->room, room) != 0) {
        json_decref(found->messages);
        found->messages = json_array();
        snprintf(found->room, sizeof found->room, "%s", room);
    }
    found->used_us = fray_now_us(nsp);
    return found;
}

/* ------------------------------------------------------------------ who is there */

static void add_name(fray_socket *socket, void *names)
{
    const struct user *user = fray_socket_data(socket);
    json_array_append_new(names, json_string(user->name));
}

static json_t *names_in(fray_namespace *nsp, const char *room)
{
    json_t *names = json_array();
    fray_namespace_each(nsp, room, add_name, names);
    return names;
}

static bool is_taken(fray_namespace *nsp, const struct user *user)
{
    json_t *names = names_in(nsp, user->room), *name;
    bool taken = false;
    size_t i;
    json_array_foreach(names, i, name) taken =
        taken || strcmp(json_string_value(name), user->name) == 0;
    json_decref(names);
    return taken;
}

/* Copies a name from the client's auth object; false if it is none. */
static bool read_name(const json_t *auth, const char *key, char name[NAME_MAX_LEN + 1])
{
    const json_t *value = json_object_get(auth, key);
    size_t len = json_string_length(value); /* 0 for what is no string */
    if (!len || len > NAME_MAX_LEN || strlen(json_string_value(value)) != len)
        return false;
    memcpy(name, json_string_value(value), len + 1);
    return true;
}

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    struct user *user = fray_socket_data(socket);
    const json_t *auth = fray_socket_auth(socket);
    (void)app;
    if (!read_name(auth, "name", user->name) || !read_name(auth, "room", user->room))
        fray_socket_reject_reason(socket, "Choose a name and a room of 1 to 32 bytes.", NULL);
    else if (is_taken(fray_socket_namespace(socket), user))
        fray_socket_reject_reason(socket, "Somebody of that name is in the room.", NULL);
    else
        return FRAY_ACCEPT;
    return FRAY_REJECT;
}

static void on_connect(fray_socket *socket, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    const struct user *user = fray_socket_data(socket);
    (void)app;
    if (fray_socket_join(socket, user->room))
        return;
    if (!fray_socket_recovered(socket)) /* else it has been sent what it missed */
        fray_emit(socket, "history", "O", history_of(nsp, user->room)->messages);
    fray_emit_to(nsp, user->room, "joined", "s, o", user->name, names_in(nsp, user->room));
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    const struct user *user = fray_socket_data(socket);
    (void)reason;
    (void)app;
    fray_emit_to(nsp, user->room, "left", "s, o", user->name, names_in(nsp, user->room));
}

/* ------------------------------------------------------------------ what they say */

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    const struct user *user = fray_socket_data(socket);
    const char *text;
    size_t len;
    (void)app;
    if (fray_event_unpack(event, "s%", &text, &len))
        return;
    if (!len || len > TEXT_MAX_LEN) {
        fray_ack(event, "{s:s}", "error", "A message has 1 to 2000 bytes.");
        return;
    }
    json_t *message = json_pack("{s:s, s:s%, s:I}", "name", user->name, "text", text, len, "at",
                                (json_int_t)time(NULL) * 1000);
    json_t *messages = history_of(nsp, user->room)->messages;
    json_array_append(messages, message);
    if (json_array_size(messages) > HISTORY_MAX)
        json_array_remove(messages, 0);
    fray_emit_to(nsp, user->room, "message", "o", message);
    fray_ack(event, "{}");
}

/* Of interest now or never, so whoever is busy with other messages is spared it. */
static void on_typing(fray_socket *socket, const fray_event *event, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    const struct user *user = fray_socket_data(socket);
    (void)event;
    (void)app;
    fray_message *typing = fray_message_create(nsp, "typing", "s", user->name);
    fray_message_class(typing, FRAY_TRANSIENT, NULL);
    fray_send_to(nsp, typing, &(struct fray_target){.rooms = {user->room}, .except = socket});
    fray_message_unref(typing);
}

static void on_stop(fray_namespace *nsp, void *app)
{
    struct chat *chat = app;
    (void)nsp;
    for (size_t i = 0; i < ROOMS_MAX; i++)
        json_decref(chat->histories[i].messages);
}

int main(int argc, char **argv)
{
    static struct chat chat;
    return fray_main(argc, argv,
                     &(struct fray_app){
                         .app = &chat,
                         .socket_data_size = sizeof(struct user),
                         .on_authorize = on_authorize,
                         .on_connect = on_connect,
                         .on_disconnect = on_disconnect,
                         .on_stop = on_stop,
                         .events = {{"message", on_message}, {"typing", on_typing}},
                         .static_dir = "examples/chat",
                         .settings = {{"listen", "127.0.0.1:5001"},
                                      {"recovery_max_disconnection_ms", "120000"},
                                      {"messages_per_second", "20"}},
                     });
}
