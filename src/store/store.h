/* What outlives the process: tables of rows, each a key and a value of bytes. SQLite in write-ahead
 * mode behind it (sqlite.c).
 *
 * Changes are queued and done by fray_store_commit, all in one transaction: a turn of the loop
 * costs one commit, and nothing is acknowledged before it. With FRAY_STORE_NORMAL a commit survives
 * the end of the process, however sudden; with FRAY_STORE_FULL the machine's, too, at the price of
 * a flush of the disk for each.
 *
 * One process at a time has a store, unless it is shared; one thread at a time uses it. */
#ifndef FRAY_STORE_STORE_H
#define FRAY_STORE_STORE_H

#include "base/buf.h"
#include "fray/err.h"

struct fray_store;

/* SHARED is NORMAL for a store that other processes may open, too, for a moment each: commands that
 * look at what a server keeps. */
enum fray_store_sync { FRAY_STORE_NORMAL, FRAY_STORE_FULL, FRAY_STORE_SHARED };

/* Opens or makes the file. `tables` are names of tables, [a-z_]+, made where they are not there;
 * the calls below give their index. FRAY_ERR_IO: `error` receives a sentence that says what to do.
 */
FRAY_MUST_CHECK enum fray_err fray_store_open(const char *path, const char *const *tables,
                                              size_t tables_count, enum fray_store_sync sync,
                                              struct fray_store **store, struct fray_buf *error);
/* What is queued is not done. */
void fray_store_close(struct fray_store *store);

/* Both copy what they are given. */
void fray_store_put(struct fray_store *store, unsigned table, struct fray_slice key,
                    struct fray_slice value);
/* The row of that key; with is_prefix all rows whose keys begin with it. */
void fray_store_remove(struct fray_store *store, unsigned table, struct fray_slice key,
                       bool is_prefix);

/* Does what is queued; at once when nothing is. FRAY_ERR_IO (disk full, broken): nothing of it was
 * done, it stays queued, and the next commit tries again. */
FRAY_MUST_CHECK enum fray_err fray_store_commit(struct fray_store *store);
/* Bytes of changes that are queued. */
size_t fray_store_queued(const struct fray_store *store);
/* Why the last commit failed; valid until the next. */
const char *fray_store_error(const struct fray_store *store);

typedef void fray_store_visit(void *context, struct fray_slice key, struct fray_slice value);

/* Visits the rows of a table in the order of their keys, without what is queued. */
FRAY_MUST_CHECK enum fray_err fray_store_each(struct fray_store *store, unsigned table,
                                              fray_store_visit *visit, void *context);

#endif
