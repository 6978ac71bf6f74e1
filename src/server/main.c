/* fray, the server binary: rooms that anybody may join, chat in them, games, and an MQTT
 * broker that keeps what it acknowledged. */
#include <string.h>

#include "server/games_app.h"
#include "server/password.h"
#include "server/replay_command.h"
#include "server/simulate.h"

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
    if (argc > 1 && strcmp(argv[1], "simulate") == 0)
        return fray_simulate_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "replay") == 0)
        return fray_replay_main(argc - 1, argv + 1);
    static struct fray_games games;
    const struct fray_app apps[] = {
        {.chat = true,
         .on_join = on_join,
         .settings = {{"mqtt_store", "disk"}, {"replays", "true"}}},
        fray_games_app(&games),
    };
    return fray_main_apps(argc, argv, apps, sizeof apps / sizeof *apps);
}
