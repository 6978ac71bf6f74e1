/* A replay file in memory, and a player of it with the rules of this program. For commands, and for
 * taking in files that no index knows. Any thread. */
#ifndef FRAY_SERVER_REPLAY_READ_H
#define FRAY_SERVER_REPLAY_READ_H

#include <jansson.h>

#include "base/buf.h"
#include "fray/err.h"
#include "games/replay.h"

struct fray_replay_reading {
    struct fray_buf bytes;
    struct fray_replay_header header; /* zero when the file is foreign */
    const struct fray_game *game;     /* NULL: none of them has that name */
    struct fray_replay replay;        /* open when `fault` was FRAY_REPLAY_GOOD */
    void *memory;
};

/* Reads the file and opens it with that of the games, up to a NULL, which it is of. FRAY_ERR_IO:
 * errno says why. FRAY_OK: `reading->replay.fault` says whether it can be played. */
FRAY_MUST_CHECK enum fray_err fray_replay_reading_open(struct fray_replay_reading *reading,
                                                       const struct fray_game *const *games,
                                                       const char *path);
void fray_replay_reading_close(struct fray_replay_reading *reading);

/* Plays to the end, and returns what the index says of the file (server/replay_index.h); id, file
 * and bytes are the caller's to add. NULL: there is no header. */
json_t *fray_replay_reading_entry(struct fray_replay_reading *reading, int64_t ended_ms);

/* "won", …; of who left before the end "left". Static. */
const char *fray_replay_outcome_text(uint8_t outcome);
json_t *fray_replay_hex_json(uint64_t value); /* 16 digits. New reference */
/* A name as JSON: what is no UTF-8 is "?". New reference. */
json_t *fray_replay_name_json(struct fray_replay_text name);

#endif
