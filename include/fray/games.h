/* fray/games.h: serve games, fray's or one's own. A whole server:
 *
 *     #include <fray/games.h>
 *
 *     extern const struct fray_game tag; // its rules, see fray/game.h
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct fray_game *const games[] = {&tag, NULL};
 *         return fray_games_main(argc, argv, games);
 *     }
 *
 * Its clients meet in the namespace /games (docs/games.md). Its pages are fray's lobby and, for
 * games without a page of their own, a playground. Pages predict with the rules as a WebAssembly
 * module, which they fetch from /games/tag.wasm: `fray-wasm -o DIR/games/tag.wasm tag rules.c`
 * makes it. The option static_dir = DIR is where the program finds that, and pages of its own,
 * which lie over fray's (DIR/games/tag/index.html). examples/own_game is such a program, and
 * docs/writing-a-game.md the way to it. */
#ifndef FRAY_GAMES_H
#define FRAY_GAMES_H

#include "fray/fray.h"
#include "fray/game.h"

/* The games of the program `fray`: all, up to a NULL, and each. */
FRAY_API extern const struct fray_game *const fray_games_builtin[];
FRAY_API extern const struct fray_game fray_arena, fray_duel, fray_rps, fray_tictactoe;

/* The program `fray` with these games, up to a NULL: its pages, its default namespace, where
 * anybody may chat in rooms, its settings (an MQTT store and replays on disk) and its commands
 * passwd, simulate and replay. Returns the exit code. The games are borrowed for as long as the
 * program runs. */
FRAY_API int fray_games_main(int argc, char **argv, const struct fray_game *const *games);

/* The namespace /games alone, for fray_main_apps. With fray's pages unless the option `pages` says
 * otherwise, without replays unless the option says so. Each call makes another one, which belongs
 * to the server that it is added to. */
FRAY_API struct fray_app fray_games_app(const struct fray_game *const *games);

#endif
