/* State, events and inputs of any game as JSON for stock clients, by the game's tables
 * (fray/game.h): docs/games.md shows what they look like. Pure. */
#ifndef FRAY_GAME_JSON_H
#define FRAY_GAME_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "fray/game.h"

/* What players are called: the id of who has the seat, NULL for nobody. */
struct fray_game_players {
    const char *(*id)(const void *context, uint32_t seat);
    const void *context;
};

/* The rows of one state as everybody but their owners reads them, kept from one viewer to the next:
 * of a crowd each is written once, not once for each of the crowd. Zero-initialised is empty. */
struct fray_game_json_rows {
    struct fray_buf text;
    struct fray_game_json_row {
        size_t at, len; /* len 0: nobody has seen it yet */
    } * rows;           /* of all tables, one after another */
    size_t count;
};

/* The state, or who has the seats, is another. */
void fray_game_json_rows_clear(struct fray_game_json_rows *rows);
void fray_game_json_rows_deinit(struct fray_game_json_rows *rows);

/* Appends a view (fray_game_view) of this viewer. Hidden fields, and those of other owners, are
 * left out, as are rows that are not there. */
void fray_game_json_state(const struct fray_game *game, const void *view, uint32_t viewer,
                          const struct fray_game_players *players, struct fray_game_json_rows *rows,
                          struct fray_buf *out);

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
/* Appends a sentence that says why fray_game_json_input refused it; nothing if it would not. */
void fray_game_json_explain(const struct fray_game *game, const struct fray_game_action *action,
                            const json_t *content, struct fray_buf *out);

#endif
