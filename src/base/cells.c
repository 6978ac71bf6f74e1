#include "base/cells.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define CELLS_ARE_MALLOCS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CELLS_ARE_MALLOCS 1
#endif
#endif

enum { BLOCK_SIZE = 16 * 1024 };

struct fray_cell_block {
    struct fray_cell_block *next;
    _Alignas(16) char bytes[];
};

#ifdef CELLS_ARE_MALLOCS

void *fray_cells_take(struct fray_cells *cells, size_t size)
{
    (void)cells;
    return fray_alloc_zero(size);
}

void fray_cells_give(struct fray_cells *cells, void *cell, size_t size)
{
    (void)cells, (void)size;
    free(cell);
}

#else

static size_t class_of(size_t size)
{
    assert(size > 0);
    return (size + FRAY_CELL_GRAIN - 1) / FRAY_CELL_GRAIN - 1;
}

static void *take_fresh(struct fray_cells *cells, size_t class)
{
    size_t cell_size = (class + 1) * FRAY_CELL_GRAIN;
    if (!cells->fresh_count[class]) {
        struct fray_cell_block *block = fray_alloc(BLOCK_SIZE);
        block->next = cells->blocks;
        cells->blocks = block;
        cells->fresh[class] = block->bytes;
        cells->fresh_count[class] = (uint32_t)((BLOCK_SIZE - sizeof *block) / cell_size);
    }
    void *cell = cells->fresh[class];
    cells->fresh[class] += cell_size;
    cells->fresh_count[class]--;
    return cell;
}

void *fray_cells_take(struct fray_cells *cells, size_t size)
{
    if (size > FRAY_CELL_MAX)
        return fray_alloc_zero(size);
    size_t class = class_of(size);
    void *cell = cells->free[class];
    if (cell)
        memcpy(&cells->free[class], cell, sizeof(void *));
    else
        cell = take_fresh(cells, class);
    return memset(cell, 0, size);
}

void fray_cells_give(struct fray_cells *cells, void *cell, size_t size)
{
    if (size > FRAY_CELL_MAX) {
        free(cell);
        return;
    }
    size_t class = class_of(size);
    memcpy(cell, &cells->free[class], sizeof(void *));
    cells->free[class] = cell;
}

#endif

void fray_cells_deinit(struct fray_cells *cells)
{
    while (cells->blocks) {
        struct fray_cell_block *block = cells->blocks;
        cells->blocks = block->next;
        free(block);
    }
    *cells = (struct fray_cells){0};
}
