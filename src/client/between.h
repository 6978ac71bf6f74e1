/* A moment between two states of a game, or a little beyond the newer: places (x, y) are on their
 * way, and other fields that are asked for; all else is as it was, or is. Freestanding, pure. */
#ifndef FRAY_CLIENT_BETWEEN_H
#define FRAY_CLIENT_BETWEEN_H

#include "fray/game.h"

/* What moves smoothly. */
struct fray_client_smoothing {
    double teleport_px;     /* whoever goes further in a tick did not walk, and is shown at once */
    const uint16_t *fields; /* beside places: the table's number × 256 + the field's */
    uint32_t fields_count;
};

struct fray_client_moment {
    const void *older, *newer;
    double fraction; /* of the way from older to newer; more than 1: beyond */
    double ticks;    /* from older to newer */
    bool is_newest;  /* what is not on its way is as in newer; else so only from 1 on */
};

/* Writes a state; `out` is neither of the two. */
void fray_client_between(const struct fray_game *game,
                         const struct fray_client_smoothing *smoothing,
                         const struct fray_client_moment *moment, void *out);

struct fray_client_place {
    double x, y; /* px */
};

/* Where it writes a row's place. False: the rows of the table are nowhere. */
bool fray_client_between_place(const struct fray_game_table *table, uint32_t number,
                               const struct fray_client_smoothing *smoothing,
                               const struct fray_client_moment *moment,
                               struct fray_client_place *place);
/* Of a table that has places. */
void fray_client_place_shift(const struct fray_game_table *table, void *row,
                             struct fray_client_place by);

#endif
