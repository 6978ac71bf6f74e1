/* The replays of a server: files in `data`/replays, an index of them (SQLite, by store/store.h),
 * and the thread that writes both, so that no match ever waits for a disk.
 *
 *     replays/20261120T132356Z-k7m2p9xwq4.replay     games/replay.h
 *     replays/20261120T132356Z-k7m2p9xwq4.desync.jsonl
 *     replays/index.db
 *
 * A disk that takes nothing costs replays, never a match: counted, and said once in the log. Files
 * that are not in the index (the server was killed, the index lost) are taken in after the next
 * start, while nothing else is to be written; rows whose file is gone are dropped.
 * The oldest are deleted beyond `replays_max_bytes`, `replays_max` and `replays_max_days`; what is
 * being written counts.
 *
 * Calls are the home thread's of /games unless said otherwise. */
#ifndef FRAY_SERVER_REPLAY_STORE_H
#define FRAY_SERVER_REPLAY_STORE_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "fray/err.h"
#include "fray/game.h"
#include "server/config.h"
#include "server/replay_index.h"

struct fray_replay_store;
struct fray_replay_file;

enum { FRAY_REPLAY_DESYNC_MAX = 2 * 1024 * 1024 }; /* bytes of what disputes one replay */

/* For /metrics; any thread reads. */
struct fray_replay_counts {
    atomic_ullong written; /* replays that are whole */
    atomic_ullong failed;  /* files that were given up: disk full, or too slow */
    atomic_ullong cut;     /* replays that came to replay_max_bytes */
    atomic_ullong pruned;
    atomic_ullong bytes; /* written */
    atomic_ullong kept, kept_bytes;
    atomic_ullong searching;   /* 1 while files are looked for that the index does not know */
    atomic_ullong logs_failed; /* of desyncs, that did not get to the disk */
};

/* Of these games, up to a NULL. FRAY_ERR_IO: `error` gets a sentence. */
FRAY_MUST_CHECK enum fray_err fray_replay_store_open(const struct fray_config *config,
                                                     const struct fray_game *const *games,
                                                     struct fray_replay_store **store,
                                                     struct fray_buf *error);
/* Writes all that is queued. Files must have been ended. NULL is fine. */
void fray_replay_store_close(struct fray_replay_store *store);
const struct fray_config *fray_replay_store_config(const struct fray_replay_store *store);
struct fray_replay_counts *fray_replay_store_counts(struct fray_replay_store *store);

/* Whether a file that is so long has to end: all that are being written are more than
 * replays_max_bytes, and it is longer than most. */
bool fray_replay_store_is_crowded(const struct fray_replay_store *store, uint64_t bytes);

/* ------------------------------------------------------------------ files being written */

/* Begins a file. Never fails: what cannot be written is counted later. */
struct fray_replay_file *fray_replay_file_create(struct fray_replay_store *store, const char *id,
                                                 int64_t started_ms);
/* Appended to; goes to the disk with the next flush. */
struct fray_buf *fray_replay_file_buf(struct fray_replay_file *file);
void fray_replay_file_flush(struct fray_replay_file *file);
/* Appends a line to the file beside it: the object that `head` begins, "{\"seat\":1", with a member
 * `log` of that text unless it is empty. Whether that is a JSON object is for the thread to look
 * at; a line with another is dropped. False: the file is as long as it may be. */
bool fray_replay_file_add_desync(struct fray_replay_file *file, struct fray_slice head,
                                 struct fray_slice log);
/* Nothing more comes. `entry` is taken; id, file and bytes are added to it. NULL: the file is
 * deleted, because there is nothing in it to keep. */
void fray_replay_file_end(struct fray_replay_file *file, json_t *entry);

/* ------------------------------------------------------------------ what is there */

/* Appends a JSON array of entries, the newest first. */
void fray_replay_store_list(struct fray_replay_store *store,
                            const struct fray_replay_filter *filter, struct fray_buf *out);

/* Appends the entry of one, private or not. FRAY_ERR_NOT_FOUND; FRAY_ERR_AGAIN: it is being
 * recorded, there is none yet. */
FRAY_MUST_CHECK enum fray_err fray_replay_store_entry(struct fray_replay_store *store,
                                                      const char *id, struct fray_buf *out);

/* Opens a replay for reading. */
struct fray_replay_found {
    int fd;        /* the caller's */
    uint64_t size; /* for good */
};

/* FRAY_ERR_NOT_FOUND; FRAY_ERR_AGAIN: it is being recorded. Its seed and inputs are secrets for so
 * long, also between two games, and when nothing more is written to it: whoever knows them knows
 * what the rules and the bots are going to do. */
FRAY_MUST_CHECK enum fray_err fray_replay_store_find(struct fray_replay_store *store,
                                                     const char *id,
                                                     struct fray_replay_found *found);

#endif
