#include "game/catalog.h"

const struct fray_game *fray_catalog_find(const struct fray_game *const *games,
                                          struct fray_slice name)
{
    while (*games && !fray_slice_equal(name, fray_slice_of((*games)->name)))
        games++;
    return *games;
}
