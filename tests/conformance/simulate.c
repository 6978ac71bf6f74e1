/* `fray simulate` (server/simulate.h) alone, for the builds of determinism.sh. */
#include "server/simulate.h"

extern const struct fray_game *const fray_games_builtin[];

int main(int argc, char **argv)
{
    return fray_simulate_main(fray_games_builtin, argc, argv);
}
