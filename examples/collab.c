/* A text that several people edit at once, with their cursors. From the tree's root:
 * build/release/examples/collab, then open http://localhost:5002 in two windows.
 *
 * The server decides the order. An edit replaces `remove` characters at `at` by `insert`, and names
 * the version of the text that it was made on. The server moves it over all edits that came since,
 * applies it, and sends it to everybody, its author included. Clients apply what the server sends
 * in the order in which it comes, so all hold the same text; what of their own is not yet confirmed
 * they move over it in the same way (shared_text.mjs). Characters are Unicode code points. */
#include <fray/fray.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_MAX_LEN = 200000, /* bytes */
    EDITS_KEPT = 4096,     /* how far behind an edit's version may be */
    NAME_MAX_LEN = 32,
};

/* An edit, as far as it moves others. Counts of characters. */
struct splice {
    json_int_t at, remove, inserted;
};

struct document {
    char text[TEXT_MAX_LEN];
    size_t len;                      /* bytes */
    json_int_t length;               /* characters */
    json_int_t version;              /* how many edits made it */
    struct splice edits[EDITS_KEPT]; /* by version */
};

/* A socket's data. */
struct author {
    char name[NAME_MAX_LEN + 1];
    json_int_t edits; /* the number of the last edit; one that comes again after a reconnection is
                         known by it */
};

/* ------------------------------------------------------------------ the text */

/* The place of character number `count`, or of the end. Text is UTF-8: bytes 10xxxxxx continue a
 * character. */
static const char *skip(const char *text, const char *end, json_int_t count)
{
    while (text < end && count--) {
        do
            text++;
        while (text < end && (*text & 0xc0) == 0x80);
    }
    return text;
}

static json_int_t characters(const char *text, size_t len)
{
    json_int_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

/* Moves an edit over one that came first. Of two insertions at one place the first stays in front;
 * what was inserted inside of a removed stretch goes with it. shared_text.mjs does the same. */
static void rebase(struct splice *edit, const struct splice *over)
{
    json_int_t start = edit->at, end = edit->at + edit->remove;
    json_int_t over_end = over->at + over->remove, shift = over->inserted - over->remove;
    if (edit->at >= over_end)
        start += shift;
    else if (edit->at > over->at)
        start = over->at + over->inserted;
    if (end > over_end)
        end += shift;
    else if (end > over->at)
        end = over->at;
    edit->at = start;
    edit->remove = end > start ? end - start : 0;
}

/* False, and nothing changed, when the edit does not fit the text. */
static bool apply(struct document *document, const struct splice *edit, const char *insert,
                  size_t insert_len)
{
    const char *end = document->text + document->len;
    if (edit->at < 0 || edit->remove < 0 || edit->at > document->length - edit->remove)
        return false;
    char *from = (char *)skip(document->text, end, edit->at);
    const char *to = skip(from, end, edit->remove);
    if (document->len - (size_t)(to - from) + insert_len > TEXT_MAX_LEN)
        return false;
    memmove(from + insert_len, to, (size_t)(end - to));
    memcpy(from, insert, insert_len);
    document->len += insert_len - (size_t)(to - from);
    document->length += edit->inserted - edit->remove;
    document->version++;
    document->edits[document->version % EDITS_KEPT] = *edit;
    return true;
}

/* Moves an edit, made on `version`, over all that came since. */
static bool rebase_to_now(const struct document *document, struct splice *edit, json_int_t version)
{
    const json_int_t limit = TEXT_MAX_LEN; /* beyond it sums could overflow, and no edit is valid */
    if (version > document->version || version < 0 || document->version - version >= EDITS_KEPT ||
        edit->at < 0 || edit->at > limit || edit->remove < 0 || edit->remove > limit)
        return false;
    while (version < document->version)
        rebase(edit, &document->edits[++version % EDITS_KEPT]);
    return true;
}

/* ------------------------------------------------------------------ handlers */

static void send_text(fray_socket *socket, const struct document *document)
{
    fray_emit(socket, "text", "{s:I, s:s%}", "version", document->version, "text", document->text,
              document->len);
}

static void on_edit(fray_socket *socket, const fray_event *event, void *app)
{
    struct document *document = app;
    struct author *author = fray_socket_data(socket);
    struct splice edit;
    json_int_t number, version;
    const char *insert;
    size_t insert_len;
    if (fray_event_unpack(event, "{s:I, s:I, s:I, s:I, s:s%}", "number", &number, "version",
                          &version, "at", &edit.at, "remove", &edit.remove, "insert", &insert,
                          &insert_len))
        return;
    if (number <= author->edits)
        return; /* sent again, because its author cannot know that it had arrived */
    author->edits = number;
    edit.inserted = characters(insert, insert_len);
    if (!rebase_to_now(document, &edit, version) || !apply(document, &edit, insert, insert_len)) {
        send_text(socket, document); /* the author starts anew from what there is */
        return;
    }
    fray_broadcast(fray_socket_namespace(socket), "edit", "{s:s, s:I, s:I, s:I, s:I, s:s%}",
                   "author", fray_socket_id(socket), "number", number, "version", document->version,
                   "at", edit.at, "remove", edit.remove, "insert", insert, insert_len);
}

/* Only where a cursor is now matters: a newer position replaces one that still waits. */
static void on_cursor(fray_socket *socket, const fray_event *event, void *app)
{
    fray_namespace *nsp = fray_socket_namespace(socket);
    const struct author *author = fray_socket_data(socket);
    struct splice cursor = {0};
    json_int_t version;
    if (fray_event_unpack(event, "{s:I, s:I, s:I}", "version", &version, "at", &cursor.at,
                          "selected", &cursor.remove) ||
        !rebase_to_now(app, &cursor, version))
        return;
    char key[64];
    snprintf(key, sizeof key, "cursor:%s", fray_socket_id(socket));
    fray_message *message =
        fray_message_create(nsp, "cursor", "{s:s, s:s, s:I, s:I}", "author", fray_socket_id(socket),
                            "name", author->name, "at", cursor.at, "selected", cursor.remove);
    fray_message_class(message, FRAY_LATEST, key);
    fray_send_to(nsp, message, &(struct fray_target){.except = socket});
    fray_message_unref(message);
}

static void on_connect(fray_socket *socket, void *app)
{
    struct author *author = fray_socket_data(socket);
    if (fray_socket_recovered(socket))
        return; /* what it missed follows by itself */
    const char *name = json_string_value(json_object_get(fray_socket_auth(socket), "name"));
    if (name && strlen(name) <= NAME_MAX_LEN)
        strcpy(author->name, name);
    send_text(socket, app);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    (void)reason;
    (void)app;
    fray_broadcast(fray_socket_namespace(socket), "left", "s", fray_socket_id(socket));
}

int main(int argc, char **argv)
{
    static struct document document;
    return fray_main(
        argc, argv,
        &(struct fray_app){
            .app = &document,
            .socket_data_size = sizeof(struct author),
            .on_connect = on_connect,
            .on_disconnect = on_disconnect,
            .events = {{"edit", on_edit}, {"cursor", on_cursor}},
            .static_dir = "examples/collab",
            .settings = {{"listen", "127.0.0.1:5002"}, {"recovery_max_disconnection_ms", "120000"}},
        });
}
