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

/* Whether a match of it (game/match.h) can be hosted: the event-driven ones. */
static inline bool fray_catalog_is_hosted(const struct fray_game *game)
{
    return game->tick_hz == 0;
}

#endif
