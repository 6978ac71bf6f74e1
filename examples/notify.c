/* Notifications that an HTTP POST pushes to every page, or to those of one user. From the tree's
 * root: build/release/examples/notify, then open http://localhost:5003 and
 *
 *     curl -d 'Dinner is ready' http://localhost:5003/notify           (to all)
 *     curl -d 'Your turn' http://localhost:5003/notify?user=ann        (to ann, on all of her
 * devices) */
#include <fray/fray.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ROOM_SIZE = 64,
    TEXT_MAX_LEN = 1000, /* bytes */
};

static fray_namespace *pages;

static void on_start(fray_server *server, fray_namespace *nsp, void *app)
{
    (void)server;
    (void)app;
    pages = nsp;
}

/* The room of a user's pages. False for a name that is too long. */
static bool room_of(const char *user, char room[ROOM_SIZE])
{
    return snprintf(room, ROOM_SIZE, "user:%s", user) < ROOM_SIZE;
}

static void on_connect(fray_socket *socket, void *app)
{
    const char *user = json_string_value(json_object_get(fray_socket_auth(socket), "user"));
    char room[ROOM_SIZE];
    (void)app;
    if (user && *user && (!room_of(user, room) || fray_socket_join(socket, room)))
        fray_socket_disconnect(socket, false);
}

static void reply(fray_request *request, int status, const char *text)
{
    fray_request_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void on_post(fray_request *request, void *app)
{
    size_t len;
    const char *body = fray_request_body(request, &len);
    const char *user = fray_request_query(request, "user");
    char room[ROOM_SIZE], answer[64];
    (void)app;
    if (user && !room_of(user, room)) {
        reply(request, 400, "The user's name is too long.\n");
        return;
    }
    json_t *text =
        len && len <= TEXT_MAX_LEN ? json_stringn(body, len) : NULL; /* NULL: not UTF-8 */
    if (!text) {
        reply(request, 400, "The body must be 1 to 1000 bytes of UTF-8 text.\n");
        return;
    }
    size_t reached = user ? fray_room_size(pages, room) : fray_namespace_sockets(pages);
    fray_emit_to(pages, user ? room : NULL, "notification", "{s:o, s:b, s:I}", "text", text,
                 "personal", user != NULL, "at", (json_int_t)time(NULL) * 1000);
    snprintf(answer, sizeof answer, "Pushed to %zu page%s.\n", reached, reached == 1 ? "" : "s");
    reply(request, 202, answer);
}

int main(int argc, char **argv)
{
    return fray_main(
        argc, argv,
        &(struct fray_app){
            .on_start = on_start,
            .on_connect = on_connect,
            .routes = {{"POST", "/notify", on_post}},
            .static_dir = "examples/notify",
            .settings = {{"listen", "127.0.0.1:5003"}, {"recovery_max_disconnection_ms", "120000"}},
        });
}
