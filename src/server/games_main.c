/* A program that serves games (fray/games.h): `fray` itself is one. */
#include <stdio.h>
#include <string.h>

#include "fray/games.h"
#include "game/catalog.h"
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

int fray_games_main(int argc, char **argv, const struct fray_game *const *games)
{
    char fault[FRAY_CATALOG_FAULT_MAX];

    if (fray_catalog_fault(games, fault)) {
        fprintf(stderr, "%s\n", fault);
        return 2;
    }
    if (argc > 1 && strcmp(argv[1], "passwd") == 0)
        return fray_passwd_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "simulate") == 0)
        return fray_simulate_main(games, argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "replay") == 0)
        return fray_replay_main(games, argc - 1, argv + 1);
    const struct fray_app apps[] = {
        {.chat = true,
         .on_join = on_join,
         .settings = {{"mqtt_store", "disk"}, {"replays", "true"}}},
        fray_games_app(games),
    };
    return fray_main_apps(argc, argv, apps, sizeof apps / sizeof *apps);
}
