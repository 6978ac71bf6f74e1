/* `fray simulate` (server/simulate.h) alone, for the builds of determinism.sh. */
#include "server/simulate.h"

int main(int argc, char **argv)
{
    return fray_simulate_main(argc, argv);
}
