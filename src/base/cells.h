/* Memory for what exists by the thousand and lives long: connections, sessions, sockets. Cells of
 * one size lie side by side in large blocks, without malloc's header and rounding (a sixth of an
 * idle connection), and are reused without search.
 *
 * Blocks are kept until the allocator ends: the memory of the busiest moment is there for the next.
 * Under AddressSanitizer every cell is a malloc of its own, so that use after free still shows. One
 * thread. Pure. */
#ifndef FRAY_BASE_CELLS_H
#define FRAY_BASE_CELLS_H

#include <stddef.h>
#include <stdint.h>

enum {
    FRAY_CELL_GRAIN = 8, /* sizes are rounded up to this; cells are aligned to it */
    FRAY_CELL_MAX = 512, /* larger ones are plain malloc */
};

struct fray_cell_block;

/* Zero-initialised is empty. */
struct fray_cells {
    void *
        free[FRAY_CELL_MAX / FRAY_CELL_GRAIN]; /* of each size, chained through their first bytes */
    char *fresh[FRAY_CELL_MAX / FRAY_CELL_GRAIN];
    uint32_t
        fresh_count[FRAY_CELL_MAX / FRAY_CELL_GRAIN]; /* cells at `fresh` that were never used */
    struct fray_cell_block *blocks;
};

/* `size` > 0 zeroed bytes. */
void *fray_cells_take(struct fray_cells *cells, size_t size);
/* Takes the same size as it was taken with. */
void fray_cells_give(struct fray_cells *cells, void *cell, size_t size);
/* Frees all blocks; no cell may be in use any more. */
void fray_cells_deinit(struct fray_cells *cells);

#endif
