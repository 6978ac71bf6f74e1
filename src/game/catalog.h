/* Games by name. Pure; any thread. */
#ifndef FRAY_GAME_CATALOG_H
#define FRAY_GAME_CATALOG_H

#include "base/slice.h"
#include "fray/game.h"

/* Of a program's games, up to a NULL; NULL: none has that name. */
const struct fray_game *fray_catalog_find(const struct fray_game *const *games,
                                          struct fray_slice name);
/* Why the game cannot be hosted, as a sentence; NULL: it can. */
const char *fray_catalog_fault(const struct fray_game *game);
/* What the game itself says of a reason for which its rules refuse something; NULL: nothing. */
const char *fray_catalog_sentence(const struct fray_game *game, const char *reason);

#endif
