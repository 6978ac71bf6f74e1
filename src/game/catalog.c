#include "game/catalog.h"

const struct fray_game *fray_catalog_at(size_t number)
{
    static const struct fray_game *const games[] = {&fray_tictactoe, &fray_rps, &fray_arena,
                                                    &fray_duel};
    return number < sizeof games / sizeof *games ? games[number] : NULL;
}

const struct fray_game *fray_catalog_find(struct fray_slice name)
{
    const struct fray_game *game;
    for (size_t i = 0; (game = fray_catalog_at(i)); i++) {
        if (fray_slice_equal(name, fray_slice_of(game->name)))
            return game;
    }
    return NULL;
}
