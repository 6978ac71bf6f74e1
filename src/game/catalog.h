/* The games that this program has, by name. Pure; any thread. */
#ifndef FRAY_GAME_CATALOG_H
#define FRAY_GAME_CATALOG_H

#include "base/slice.h"
#include "fray/game.h"

/* games/<name>/rules.c */
extern const struct fray_game fray_tictactoe, fray_rps, fray_arena, fray_duel;

/* From 0; NULL beyond the last. */
const struct fray_game *fray_catalog_at(size_t number);
const struct fray_game *fray_catalog_find(struct fray_slice name); /* NULL: none */

#endif
