/* fray, the server binary: rooms that anybody may join, chat in them, games, and an MQTT
 * broker that keeps what it acknowledged. */
#include "fray/games.h"

int main(int argc, char **argv)
{
    return fray_games_main(argc, argv, fray_games_builtin);
}
