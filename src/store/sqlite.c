#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/store.h"

enum {
    FORMAT = 1, /* PRAGMA user_version */
    BUSY_MS = 200,
    QUEUE_KEPT = 1024 * 1024, /* bytes of the queue's memory that are kept between commits */
};

enum statement { PUT, REMOVE, REMOVE_RANGE, REMOVE_FROM, EACH, STATEMENTS };

struct fray_store {
    sqlite3 *db;
    sqlite3_stmt *(*statements)[STATEMENTS]; /* by table */
    size_t tables_count;
    struct fray_buf queue; /* struct change, key, value */
    struct fray_buf error; /* of the last commit that failed; terminated */
};

/* A queued change; the bytes of key and value follow it. */
struct change {
    uint32_t kind; /* enum statement; REMOVE_RANGE: all with that prefix */
    uint32_t table;
    uint64_t key_len, value_len;
};

/* ------------------------------------------------------------------ opening */

static enum fray_err run(struct fray_store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? FRAY_OK : FRAY_ERR_IO;
}

static enum fray_err prepare(struct fray_store *store, size_t table, const char *name)
{
    static const char *const patterns[STATEMENTS] = {
        [PUT] = "INSERT OR REPLACE INTO %s (key, value) VALUES (?1, ?2)",
        [REMOVE] = "DELETE FROM %s WHERE key = ?1",
        [REMOVE_RANGE] = "DELETE FROM %s WHERE key >= ?1 AND key < ?2",
        [REMOVE_FROM] = "DELETE FROM %s WHERE key >= ?1",
        [EACH] = "SELECT key, value FROM %s ORDER BY key",
    };
    struct fray_buf sql = {0};
    fray_buf_printf(&sql,
                    "CREATE TABLE IF NOT EXISTS %s (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
                    " WITHOUT ROWID",
                    name);
    fray_buf_append_byte(&sql, '\0');
    enum fray_err err = run(store, sql.data);
    for (int i = 0; i < STATEMENTS && !err; i++) {
        sql.len = 0;
        fray_buf_append(&sql, patterns[i], (size_t)(strchr(patterns[i], '%') - patterns[i]));
        fray_buf_append_slice(&sql, fray_slice_of(name));
        fray_buf_append_slice(&sql, fray_slice_of(strchr(patterns[i], '%') + 2));
        if (sqlite3_prepare_v3(store->db, sql.data, (int)sql.len, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[table][i], NULL) != SQLITE_OK)
            err = FRAY_ERR_IO;
    }
    fray_buf_deinit(&sql);
    return err;
}

static int64_t user_version(struct fray_store *store)
{
    sqlite3_stmt *statement;
    int64_t version = -1;
    if (sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

/* One process has the file for itself: SQLite then needs no shared memory, and a second server is
 * told at once. */
static enum fray_err set_up(struct fray_store *store, const char *const *tables,
                            enum fray_store_sync sync)
{
    sqlite3_busy_timeout(store->db, BUSY_MS);
    enum fray_err err = FRAY_OK;
    if (sync != FRAY_STORE_SHARED)
        err = run(store, "PRAGMA locking_mode = EXCLUSIVE");
    if (!err)
        err = run(store, "PRAGMA journal_mode = WAL");
    if (!err)
        err = run(store, sync == FRAY_STORE_FULL ? "PRAGMA synchronous = FULL"
                                                 : "PRAGMA synchronous = NORMAL");
    if (!err)
        err = run(store, "BEGIN IMMEDIATE");
    if (err)
        return err;
    int64_t version = user_version(store);
    if (version != 0 && version != FORMAT)
        return FRAY_ERR_UNSUPPORTED;
    for (size_t i = 0; i < store->tables_count && !err; i++)
        err = prepare(store, i, tables[i]);
    if (!err && version == 0)
        err = run(store, "PRAGMA user_version = 1");
    return err ? err : run(store, "COMMIT");
}

static void explain(const struct fray_store *store, const char *path, enum fray_err err,
                    struct fray_buf *error)
{
    int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    if (err == FRAY_ERR_UNSUPPORTED)
        fray_buf_printf(error,
                        "%s was written by another version of fray: choose another "
                        "directory with --data.",
                        path);
    else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        fray_buf_printf(error,
                        "%s is in use by another server: stop that, or choose another "
                        "directory with --data.",
                        path);
    else
        fray_buf_printf(error, "%s cannot be used: %s.", path,
                        store->db ? sqlite3_errmsg(store->db) : "no memory");
}

enum fray_err fray_store_open(const char *path, const char *const *tables, size_t tables_count,
                              enum fray_store_sync sync, struct fray_store **result,
                              struct fray_buf *error)
{
    struct fray_store *store = fray_alloc_zero(sizeof *store);
    store->tables_count = tables_count;
    store->statements = fray_alloc_zero(tables_count * sizeof *store->statements);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum fray_err err = FRAY_ERR_IO;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) == SQLITE_OK)
        err = set_up(store, tables, sync);
    if (err) {
        explain(store, path, err, error);
        fray_store_close(store);
        return FRAY_ERR_IO;
    }
    *result = store;
    return FRAY_OK;
}

void fray_store_close(struct fray_store *store)
{
    for (size_t table = 0; table < store->tables_count; table++) {
        for (int i = 0; i < STATEMENTS; i++)
            sqlite3_finalize(store->statements[table][i]);
    }
    sqlite3_close(store->db);
    fray_buf_deinit(&store->queue);
    fray_buf_deinit(&store->error);
    free(store->statements);
    free(store);
}

/* ------------------------------------------------------------------ changing */

static void enqueue(struct fray_store *store, const struct change *change, struct fray_slice key,
                    struct fray_slice value)
{
    assert(change->table < store->tables_count);
    fray_buf_append(&store->queue, change, sizeof *change);
    fray_buf_append_slice(&store->queue, key);
    fray_buf_append_slice(&store->queue, value);
}

void fray_store_put(struct fray_store *store, unsigned table, struct fray_slice key,
                    struct fray_slice value)
{
    enqueue(store, &(struct change){PUT, table, key.len, value.len}, key, value);
}

void fray_store_remove(struct fray_store *store, unsigned table, struct fray_slice key,
                       bool is_prefix)
{
    uint32_t kind = is_prefix ? REMOVE_RANGE : REMOVE;
    enqueue(store, &(struct change){kind, table, key.len, 0}, key, (struct fray_slice){0});
}

/* The least key that is greater than all with the prefix; empty: there is none. */
static struct fray_slice end_of_prefix(struct fray_slice prefix, struct fray_buf *end)
{
    end->len = 0;
    fray_buf_append_slice(end, prefix);
    while (end->len && (unsigned char)end->data[end->len - 1] == 0xFF)
        end->len--;
    if (end->len)
        end->data[end->len - 1]++;
    return fray_buf_slice(end);
}

/* A blob of no bytes is not NULL, which SQLite makes of a null pointer. */
static int bind(sqlite3_stmt *statement, int index, struct fray_slice bytes)
{
    return sqlite3_bind_blob64(statement, index, bytes.len ? bytes.data : "", bytes.len,
                               SQLITE_STATIC);
}

static enum fray_err apply(struct fray_store *store, const struct change *change,
                           struct fray_slice key, struct fray_slice value)
{
    struct fray_buf end = {0};
    enum statement kind = (enum statement)change->kind;
    if (kind == REMOVE_RANGE) {
        value = end_of_prefix(key, &end);
        kind = value.len ? REMOVE_RANGE : REMOVE_FROM;
    }
    sqlite3_stmt *statement = store->statements[change->table][kind];
    int code = bind(statement, 1, key);
    if (code == SQLITE_OK && (kind == PUT || kind == REMOVE_RANGE))
        code = bind(statement, 2, value);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    fray_buf_deinit(&end);
    return code == SQLITE_DONE ? FRAY_OK : FRAY_ERR_IO;
}

static enum fray_err apply_all(struct fray_store *store)
{
    struct fray_slice rest = fray_buf_slice(&store->queue);
    while (rest.len) {
        struct change change;
        memcpy(&change, rest.data, sizeof change);
        rest = fray_slice_skip(rest, sizeof change);
        struct fray_slice key = {rest.data, (size_t)change.key_len};
        rest = fray_slice_skip(rest, key.len);
        struct fray_slice value = {rest.data, (size_t)change.value_len};
        rest = fray_slice_skip(rest, value.len);
        enum fray_err err = apply(store, &change, key, value);
        if (err)
            return err;
    }
    return FRAY_OK;
}

enum fray_err fray_store_commit(struct fray_store *store)
{
    if (!store->queue.len)
        return FRAY_OK;
    enum fray_err err = run(store, "BEGIN IMMEDIATE");
    if (!err)
        err = apply_all(store);
    if (!err)
        err = run(store, "COMMIT");
    if (err) {
        store->error.len = 0;
        fray_buf_printf(&store->error, "%s", sqlite3_errmsg(store->db));
        fray_buf_append_byte(&store->error, '\0');
        /* Some errors have rolled back already: then this one says so, and that is fine. */
        (void)!run(store, "ROLLBACK");
        return err;
    }
    if (store->queue.cap > QUEUE_KEPT)
        fray_buf_deinit(&store->queue);
    store->queue.len = 0;
    return FRAY_OK;
}

size_t fray_store_queued(const struct fray_store *store)
{
    return store->queue.len;
}

const char *fray_store_error(const struct fray_store *store)
{
    return store->error.len ? store->error.data : "";
}

/* ------------------------------------------------------------------ reading */

enum fray_err fray_store_each(struct fray_store *store, unsigned table, fray_store_visit *visit,
                              void *context)
{
    assert(table < store->tables_count);
    sqlite3_stmt *statement = store->statements[table][EACH];
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct fray_slice key = {sqlite3_column_blob(statement, 0),
                                 (size_t)sqlite3_column_bytes(statement, 0)};
        struct fray_slice value = {sqlite3_column_blob(statement, 1),
                                   (size_t)sqlite3_column_bytes(statement, 1)};
        visit(context, key, value);
    }
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? FRAY_OK : FRAY_ERR_IO;
}
