#include "game/catalog.h"

#include <string.h>

const struct fray_game *fray_catalog_find(const struct fray_game *const *games,
                                          struct fray_slice name)
{
    while (*games && !fray_slice_equal(name, fray_slice_of((*games)->name)))
        games++;
    return *games;
}

const char *fray_catalog_sentence(const struct fray_game *game, const char *reason)
{
    for (size_t i = 0; i < FRAY_GAME_REASONS_MAX && game->reasons[i].word; i++) {
        if (strcmp(game->reasons[i].word, reason) == 0)
            return game->reasons[i].sentence;
    }
    return NULL;
}
