/* Games by name. Pure; any thread. */
#ifndef FRAY_GAME_CATALOG_H
#define FRAY_GAME_CATALOG_H

#include "base/slice.h"
#include "fray/game.h"

/* Of a program's games, up to a NULL; NULL: none has that name. */
const struct fray_game *fray_catalog_find(const struct fray_game *const *games,
                                          struct fray_slice name);

enum {
    FRAY_CATALOG_STATE_MAX = 1 << 20, /* bytes of a game's state: hosts keep many copies of each */
    FRAY_CATALOG_FAULT_MAX = 320,
};
/* Whether one of these games, up to a NULL, cannot be hosted; `text` gets a sentence that says
 * which and why. Finds all that can be seen without playing: what is missing, tables that do not
 * match the structs, names of nothing or of two, ranges that do not fit. */
bool fray_catalog_fault(const struct fray_game *const *games, char text[FRAY_CATALOG_FAULT_MAX]);

/* What the game itself says of a reason for which its rules refuse something; NULL: nothing. */
const char *fray_catalog_sentence(const struct fray_game *game, const char *reason);

#endif
