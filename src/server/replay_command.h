/* The command `fray replay`: list, verify and play what a server has kept (docs/replays.md), beside
 * the running server or without it. */
#ifndef FRAY_SERVER_REPLAY_COMMAND_H
#define FRAY_SERVER_REPLAY_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "fray/game.h"

/* What `fray replay verify` returns; of several files, the first of these that holds. */
enum {
    FRAY_REPLAY_EXIT_GOOD = 0,
    FRAY_REPLAY_EXIT_BAD = 1,   /* not what was played, damaged, no replay, not there */
    FRAY_REPLAY_EXIT_OTHER = 2, /* made with other rules than this program's; wrong usage */
    FRAY_REPLAY_EXIT_CUT = 3,   /* good as far as it goes, but it has no end */
};

/* Of these games, up to a NULL. `argv[0]` is the command's name. Returns the exit code. */
int fray_replay_main(const struct fray_game *const *games, int argc, char **argv);

/* ------------------------------------------------------------------ between replay_*.c */

struct fray_replay_options {
    const struct fray_game *const *games;
    const char *data;
    const char *game, *player;
    uint64_t limit, from, to, speed; /* speed in 1/1000; 0: as fast as it goes */
    bool is_json, is_help;
};

/* replay_play.c: what happened in a file, tick by tick, to standard output. Returns the exit code.
 */
int fray_replay_play(const char *path, const struct fray_replay_options *options);

#endif
