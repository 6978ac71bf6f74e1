/* What replay_store.c keeps on disk: the folder `data`/replays and the index of what is in it.
 * Looks for files that the index does not know, forgets those that are gone, deletes the oldest.
 *
 * Owner: a store. The store's thread calls all of this, but for open, close, and what is said to be
 * any thread's; only it changes the index. */
#ifndef FRAY_SERVER_REPLAY_SHELF_H
#define FRAY_SERVER_REPLAY_SHELF_H

#include <dirent.h>
#include <pthread.h>

#include "server/replay_store.h"

struct fray_replay_shelf {
    const struct fray_config *config;
    const struct fray_game *const *games; /* up to a NULL */
    struct fray_replay_counts counts;
    char *directory;
    int dir;
    atomic_ullong open_bytes; /* of the files that are being written */
    pthread_mutex_t mutex;
    /* Under the mutex. */
    struct fray_name_map files;     /* all that are being written, by id */
    struct fray_replay_index index; /* its store is the thread's */
    /* The thread's. */
    bool is_failing;  /* the log has been told */
    DIR *search;      /* for unknown files; NULL: it is over */
    bool has_adopted; /* the search is for what lies beside a replay that is gone */
};

struct fray_replay_sizes {
    uint64_t bytes, desync_bytes; /* of a replay, and of what disputes it */
};

/* `config` and `games` are set. FRAY_ERR_IO: `error` gets a sentence. Closed in either case. */
FRAY_MUST_CHECK enum fray_err fray_replay_shelf_open(struct fray_replay_shelf *shelf,
                                                     struct fray_buf *error);
void fray_replay_shelf_close(struct fray_replay_shelf *shelf);

/* Forgets the files that are not there any more. Before the search. */
void fray_replay_shelf_drop_missing(struct fray_replay_shelf *shelf);
/* Takes in one file that the index does not know: may play a whole replay. False: there was nothing
 * left to look at. */
bool fray_replay_shelf_search(struct fray_replay_shelf *shelf);
/* Takes in the file unless it is known, is being written, or is gone. */
void fray_replay_shelf_adopt(struct fray_replay_shelf *shelf, const char *name);

/* Appends to a file. With O_EXCL among the flags it is begun, and what cannot be begun is not there
 * afterwards; else it is as long as before when something cannot be written. Files are opened for
 * each write: a thousand matches do not hold a thousand descriptors. */
bool fray_replay_shelf_append(struct fray_replay_shelf *shelf, const char *name, int flags,
                              struct fray_slice bytes, bool syncs);
/* The same for the file beside the replay `file`, which is begun when it is not there. */
bool fray_replay_shelf_append_desync(struct fray_replay_shelf *shelf, const char *file,
                                     struct fray_slice text);
/* Of the replay, and of what lies beside it. */
void fray_replay_shelf_unlink(struct fray_replay_shelf *shelf, const char *file);
void fray_replay_shelf_unlink_desync(struct fray_replay_shelf *shelf, const char *file);

/* Puts a replay into the index; deletes others where there is no room for it. */
void fray_replay_shelf_add(struct fray_replay_shelf *shelf, const char *id, const char *name,
                           const struct fray_replay_sizes *sizes, json_t *entry);
/* Deletes the oldest that are too many, too long or too old. */
void fray_replay_shelf_prune(struct fray_replay_shelf *shelf);
/* The same where open_bytes have grown: looks first. */
void fray_replay_shelf_make_room(struct fray_replay_shelf *shelf);

#endif
