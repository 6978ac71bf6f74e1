/* The command `fray simulate GAME`: a match of bots and guests (games/simulate.h) without network
 * or clock, as fast as it goes, for determinism and speed. web/sdk/bin/simulate.mjs prints the same
 * line from the game's WebAssembly module.
 *
 *     ticks=80000 hash=8889a33e3de67777 ticks_per_s=1254321
 *
 * With --replay FILE it also writes what it did, as the server does of matches (games/replay.h).
 *
 * Needs the rules and the C library alone, so that tests/conformance/determinism.sh can build it
 * with any compiler. */
#ifndef FRAY_SERVER_SIMULATE_H
#define FRAY_SERVER_SIMULATE_H

#include "fray/game.h"

/* One of the games, up to a NULL. `argv[0]` is the command's name. Returns the exit code. */
int fray_simulate_main(const struct fray_game *const *games, int argc, char **argv);

#endif
