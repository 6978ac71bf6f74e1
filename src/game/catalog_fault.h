/* Looking a game over (catalog.h). Between catalog_fault.c and catalog_tables.c. True: `text` says
 * what is wrong. Pure. */
#ifndef FRAY_GAME_CATALOG_FAULT_H
#define FRAY_GAME_CATALOG_FAULT_H

#include "game/catalog.h"

/* Always true. */
__attribute__((format(printf, 2, 3))) bool fray_fault_say(char *text, const char *format, ...);
bool fray_fault_name(const char *what, const char *name, char *text);
/* The names of two actions, tables, events: what they are, in the plural, is `whats`. */
bool fray_fault_twice(const char *whats, const char *name, const char *other, char *text);

enum {
    FRAY_FAULT_FLAGS =
        FRAY_GAME_OWNER | FRAY_GAME_HIDDEN | FRAY_GAME_CLOCK | FRAY_GAME_SEAT | FRAY_GAME_ONCE,
    FRAY_FAULT_FRACTION_MAX = 31, /* hosts divide by 1u << fraction */
};

/* The tables of the state, and that of the input. */
bool fray_fault_state(const struct fray_game *game, char *text);
bool fray_fault_input(const struct fray_game *game, char *text);

#endif
