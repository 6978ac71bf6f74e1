/* Which replays there are: one row for each in a shared store (store/store.h), all of them in
 * memory while it is open, and lists of them by game and by player, so that no question looks at
 * more rows than it answers with.
 *
 * An entry is a JSON object: id, match, game, version, rules, started_ms, ended_ms, ticks, hash,
 * bytes, desync_bytes, private, complete, file, players [{seat, name, bot, outcome, out}].
 *
 * Owner: the server's replay_store.h, which guards it, or a command. */
#ifndef FRAY_SERVER_REPLAY_INDEX_H
#define FRAY_SERVER_REPLAY_INDEX_H

#include <jansson.h>

#include "base/buf.h"
#include "base/name_map.h"
#include "store/store.h"

enum { FRAY_REPLAY_ID_MAX = 31, FRAY_REPLAY_FILE_MAX = 95 };

struct fray_replay_row {
    char id[FRAY_REPLAY_ID_MAX + 1];
    char file[FRAY_REPLAY_FILE_MAX + 1]; /* without the directory */
    char *game, *names;                  /* names of people, not of bots: "Ann\nBob\n" */
    char *json;                          /* the entry */
    int64_t started_ms;
    uint64_t bytes, desync_bytes; /* of the file, and of what lies beside it */
    bool is_private;
};

/* In the order of time. What goes is mostly the oldest, so there may be room in front of it. */
struct fray_replay_rows {
    struct fray_replay_row **items; /* from `first` on */
    size_t first, count, cap;
};

struct fray_replay_index {
    struct fray_store *store;
    struct fray_replay_rows all;
    uint64_t bytes;       /* of all files */
    uint64_t entry_bytes; /* of all entries */
    struct fray_name_map by_id, lists;
    bool shows_private; /* lists have private rows, too */
};

/* Opens or makes `directory`/index.db. FRAY_ERR_IO: `error` gets a sentence. */
FRAY_MUST_CHECK enum fray_err fray_replay_index_open(struct fray_replay_index *index,
                                                     const char *directory, bool shows_private,
                                                     struct fray_buf *error);
void fray_replay_index_close(struct fray_replay_index *index);

/* NULL: it is not such an entry. Needs no index, so that nobody waits for it. */
struct fray_replay_row *fray_replay_row_create(const json_t *entry);
/* The row is taken. Replaces one of the same id. Rows are queued in the store: fray_store_commit.
 */
void fray_replay_index_add(struct fray_replay_index *index, struct fray_replay_row *row);
/* NULL: there is none. */
const struct fray_replay_row *fray_replay_index_oldest(const struct fray_replay_index *index);
/* By the order of time, 0 … all.count − 1. */
const struct fray_replay_row *fray_replay_index_at(const struct fray_replay_index *index, size_t i);
void fray_replay_index_remove(struct fray_replay_index *index, struct fray_slice id);
const struct fray_replay_row *fray_replay_index_find(const struct fray_replay_index *index,
                                                     struct fray_slice id); /* NULL: none */

/* The id that the name of a file tells, STAMP-ID.replay; empty: it is no replay's. */
struct fray_slice fray_replay_file_id(const char *name);

struct fray_replay_filter {
    const char *game, *player; /* NULL or "": any; player is a person's name */
    int64_t before_ms;         /* begun before; 0: any */
    size_t limit;
    size_t bytes; /* the list ends with the entry that goes beyond; 0: any */
};

/* Appends a JSON array of entries, the newest first. */
void fray_replay_index_list(const struct fray_replay_index *index,
                            const struct fray_replay_filter *filter, struct fray_buf *out);

#endif
