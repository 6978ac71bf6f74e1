/* fray, the server binary: rooms that anybody may join, chat in them, and an MQTT broker that keeps
 * what it acknowledged. */
#include <string.h>

#include "fray/fray.h"
#include "server/password.h"

enum { ROOM_NAME_MAX = 64 };

static enum fray_verdict on_join(fray_socket *socket, const char *room, void *app)
{
    (void)socket;
    (void)app;
    return strlen(room) <= ROOM_NAME_MAX ? FRAY_ACCEPT : FRAY_REJECT;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "passwd") == 0)
        return fray_passwd_main(argc - 2, argv + 2);
    return fray_main(
        argc, argv,
        &(struct fray_app){.chat = true, .on_join = on_join, .settings = {{"mqtt_store", "disk"}}});
}
