/* A server of tag: its pages, its lobby, its replays, and the commands simulate and replay. */
#include <fray/games.h>

#include "tag.h"

int main(int argc, char **argv)
{
    static const struct fray_game *const games[] = {&tag, NULL};
    return fray_games_main(argc, argv, games);
}
