/* Games by name. Pure; any thread. */
#ifndef FRAY_GAME_CATALOG_H
#define FRAY_GAME_CATALOG_H

#include "base/slice.h"
#include "fray/game.h"

/* Of a program's games, up to a NULL; NULL: none has that name. */
const struct fray_game *fray_catalog_find(const struct fray_game *const *games,
                                          struct fray_slice name);

#endif
