/* State, events and inputs of any game as JSON for stock clients, by the game's tables
 * (fray/game.h): docs/games.md shows what they look like. Pure. */
#ifndef FRAY_GAME_JSON_H
#define FRAY_GAME_JSON_H

#include <jansson.h>

#include "fray/game.h"

/* What players are called: the id of who has the seat, NULL for nobody. */
struct fray_game_players {
    const char *(*id)(const void *context, uint32_t seat);
    const void *context;
};

/* A view (fray_game_view) of this viewer. Hidden fields, and those of other owners, are left out,
 * as are rows that are not there. New reference. */
json_t *fray_game_json_state(const struct fray_game *game, const void *view, uint32_t viewer,
                             const struct fray_game_players *players);

/* The members of an event. New reference. */
json_t *fray_game_json_event(const struct fray_game *game, const struct fray_game_event *event,
                             const struct fray_game_players *players);

/* The action of this name; NULL: none. */
const struct fray_game_action *fray_game_json_action(const struct fray_game *game,
                                                     const char *name);

/* Writes what the client sent (NULL: nothing) over `input`. "wrong_shape": not an object, a value
 * of the wrong kind, or none of the keys that the action takes; "out_of_range"; NULL: written.
 * `input` is spoilt unless NULL is returned. */
const char *fray_game_json_input(const struct fray_game *game,
                                 const struct fray_game_action *action, const json_t *content,
                                 void *input);

#endif
