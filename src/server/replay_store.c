#include "server/replay_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/replay_desync.h"
#include "server/replay_shelf.h"

enum {
    BUF_FIRST = 8 * 1024,            /* what most matches need between two flushes */
    UNWRITTEN_MAX = 4 * 1024 * 1024, /* of one match; beyond, the disk is too slow for it */
    PRUNE_EVERY_S = 3600,
};

struct fray_replay_file {
    struct fray_replay_store *store;
    struct fray_replay_file *next; /* queued */
    char id[FRAY_REPLAY_ID_MAX + 1];
    char name[FRAY_REPLAY_FILE_MAX + 1];
    struct fray_buf front; /* the match's */
    size_t desync_total;   /* likewise */
    atomic_bool is_failed; /* given up: nothing more is kept */
    /* Under the mutex. */
    struct fray_buf back, desync; /* for the thread to write */
    bool is_queued, is_ended;
    json_t *entry;
    /* The thread's. */
    struct fray_buf writing, writing_desync;
    uint64_t written, desync_written; /* bytes */
    bool is_created;
};

struct fray_replay_store {
    struct fray_replay_shelf shelf;
    atomic_uint open_files; /* that are being written */
    pthread_t thread;
    pthread_cond_t has_work;
    /* Under the shelf's mutex. */
    struct fray_replay_file *first, *last; /* queued */
    bool is_closing;
};

const struct fray_config *fray_replay_store_config(const struct fray_replay_store *store)
{
    return store->shelf.config;
}

struct fray_replay_counts *fray_replay_store_counts(struct fray_replay_store *store)
{
    return &store->shelf.counts;
}

bool fray_replay_store_is_crowded(const struct fray_replay_store *store, uint64_t bytes)
{
    uint64_t open_bytes = atomic_load(&store->shelf.open_bytes);
    return open_bytes > store->shelf.config->replays_max_bytes &&
           bytes * atomic_load(&store->open_files) > open_bytes;
}

/* ------------------------------------------------------------------ the match's side */

static void enqueue(struct fray_replay_file *file)
{
    struct fray_replay_store *store = file->store;
    if (file->is_queued)
        return;
    file->is_queued = true;
    file->next = NULL;
    if (store->last)
        store->last->next = file;
    else
        store->first = file;
    store->last = file;
    pthread_cond_signal(&store->has_work);
}

struct fray_replay_file *fray_replay_file_create(struct fray_replay_store *store, const char *id,
                                                 int64_t started_ms)
{
    struct fray_replay_file *file = fray_alloc_zero(sizeof *file);
    time_t started_s = (time_t)(started_ms / 1000);
    struct tm utc;
    char stamp[32];

    gmtime_r(&started_s, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    file->store = store;
    snprintf(file->id, sizeof file->id, "%s", id);
    snprintf(file->name, sizeof file->name, "%s-%s.replay", stamp, file->id);
    atomic_fetch_add(&store->open_files, 1);
    (void)fray_buf_reserve(&file->front, BUF_FIRST);
    (void)fray_buf_reserve(&file->back, BUF_FIRST);
    pthread_mutex_lock(&store->shelf.mutex);
    fray_name_map_add(&store->shelf.files, fray_slice_of(file->id), file);
    pthread_mutex_unlock(&store->shelf.mutex);
    return file;
}

struct fray_buf *fray_replay_file_buf(struct fray_replay_file *file)
{
    return &file->front;
}

/* Under the mutex. In the steady state nothing is allocated: all buffers keep their memory. */
static void hand_over(struct fray_replay_file *file)
{
    if (!atomic_load(&file->is_failed) && file->back.len > UNWRITTEN_MAX) {
        atomic_store(&file->is_failed, true);
        atomic_fetch_add(&file->store->shelf.counts.failed, 1);
    }
    if (!atomic_load(&file->is_failed) && file->front.len) {
        fray_buf_append_slice(&file->back, fray_buf_slice(&file->front));
        enqueue(file);
    }
    file->front.len = 0;
}

void fray_replay_file_flush(struct fray_replay_file *file)
{
    pthread_mutex_lock(&file->store->shelf.mutex);
    hand_over(file);
    pthread_mutex_unlock(&file->store->shelf.mutex);
}

bool fray_replay_file_add_desync(struct fray_replay_file *file, struct fray_slice head,
                                 struct fray_slice log)
{
    size_t len = fray_replay_desync_len(head, log);
    if (len > FRAY_REPLAY_DESYNC_MAX - file->desync_total)
        return false;
    file->desync_total += len;
    pthread_mutex_lock(&file->store->shelf.mutex);
    fray_replay_desync_push(&file->desync, head, log);
    enqueue(file);
    pthread_mutex_unlock(&file->store->shelf.mutex);
    return true;
}

void fray_replay_file_end(struct fray_replay_file *file, json_t *entry)
{
    struct fray_replay_store *store = file->store;
    pthread_mutex_lock(&store->shelf.mutex);
    hand_over(file);
    file->entry = entry;
    file->is_ended = true;
    enqueue(file);
    pthread_mutex_unlock(&store->shelf.mutex);
}

/* ------------------------------------------------------------------ the thread's side */

static void write_replay(struct fray_replay_file *file, struct fray_slice bytes, bool is_last)
{
    struct fray_replay_store *store = file->store;
    if (atomic_load(&file->is_failed) || (!bytes.len && !is_last))
        return;
    int flags = file->is_created ? 0 : O_CREAT | O_EXCL;
    bool is_written = fray_replay_shelf_append(&store->shelf, file->name, flags, bytes, is_last);
    file->is_created = file->is_created || is_written;
    if (is_written) {
        atomic_fetch_add(&store->shelf.counts.bytes, bytes.len);
        file->written += bytes.len;
        atomic_fetch_add(&store->shelf.open_bytes, bytes.len);
        return;
    }
    atomic_store(&file->is_failed, true);
    atomic_fetch_add(&store->shelf.counts.failed, 1);
}

static void write_desync(struct fray_replay_file *file)
{
    struct fray_replay_shelf *shelf = &file->store->shelf;
    struct fray_buf text = {0};

    fray_replay_desync_write(fray_buf_slice(&file->writing_desync), &text);
    fray_buf_deinit(&file->writing_desync); /* rare, and large */
    if (text.len && !fray_replay_shelf_append_desync(shelf, file->name, fray_buf_slice(&text))) {
        atomic_fetch_add(&shelf->counts.logs_failed, 1);
        text.len = 0;
    }
    file->desync_written += text.len;
    atomic_fetch_add(&shelf->open_bytes, text.len);
    fray_buf_deinit(&text);
}

/* ------------------------------------------------------------------ the thread's turn */

static void file_forget(struct fray_replay_file *file)
{
    struct fray_replay_store *store = file->store;
    pthread_mutex_lock(&store->shelf.mutex);
    (void)fray_name_map_remove(&store->shelf.files, fray_slice_of(file->id));
    pthread_mutex_unlock(&store->shelf.mutex);
    json_decref(file->entry);
    fray_buf_deinit(&file->front);
    fray_buf_deinit(&file->back);
    fray_buf_deinit(&file->desync);
    fray_buf_deinit(&file->writing);
    fray_buf_deinit(&file->writing_desync);
    free(file);
}

static void swap(struct fray_buf *a, struct fray_buf *b)
{
    struct fray_buf held = *a;
    *a = *b;
    *b = held;
}

/* It is in the index from now on, or nowhere. */
static void note_closed(struct fray_replay_file *file)
{
    atomic_fetch_sub(&file->store->shelf.open_bytes, file->written + file->desync_written);
    atomic_fetch_sub(&file->store->open_files, 1);
}

/* What there is to write has been taken. Without the mutex: a disk is waited for. */
static void file_work(struct fray_replay_file *file, bool is_ended)
{
    struct fray_replay_store *store = file->store;
    char name[FRAY_REPLAY_FILE_MAX + 1];

    if (is_ended && !file->entry) {
        note_closed(file);
        fray_replay_shelf_unlink(&store->shelf, file->name);
        file_forget(file);
        return;
    }
    write_replay(file, fray_buf_slice(&file->writing), is_ended);
    write_desync(file);
    file->writing.len = 0;
    if (!is_ended) {
        fray_replay_shelf_make_room(&store->shelf);
        return;
    }
    note_closed(file);
    if (!file->is_created)
        fray_replay_shelf_unlink_desync(&store->shelf, file->name);
    if (!atomic_load(&file->is_failed)) {
        bool is_whole = json_is_true(json_object_get(file->entry, "complete"));
        fray_replay_shelf_add(&store->shelf, file->id, file->name,
                              &(struct fray_replay_sizes){file->written, file->desync_written},
                              file->entry);
        atomic_fetch_add(&store->shelf.counts.written, is_whole);
    }
    snprintf(name, sizeof name, "%s", file->name);
    file_forget(file);
    /* Unless it is known now: what was given up is there as far as it goes. */
    fray_replay_shelf_adopt(&store->shelf, name);
}

/* Under the mutex. Days pass also where nobody plays. */
static void wait_for_work(struct fray_replay_store *store)
{
    struct timespec until;
    while (!store->first && !store->is_closing) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PRUNE_EVERY_S;
        if (pthread_cond_timedwait(&store->has_work, &store->shelf.mutex, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&store->shelf.mutex);
        fray_replay_shelf_prune(&store->shelf);
        pthread_mutex_lock(&store->shelf.mutex);
    }
}

/* Under the mutex. Between two files: what is being played does not wait, nor does the end. What is
 * not found then is found at the next start. */
static void search(struct fray_replay_store *store)
{
    bool is_over = false;
    while (!store->first && !store->is_closing && !is_over) {
        pthread_mutex_unlock(&store->shelf.mutex);
        is_over = !fray_replay_shelf_search(&store->shelf);
        pthread_mutex_lock(&store->shelf.mutex);
    }
}

static void *run(void *context)
{
    struct fray_replay_store *store = context;

    fray_replay_shelf_drop_missing(&store->shelf);
    pthread_mutex_lock(&store->shelf.mutex);
    for (;;) {
        search(store);
        wait_for_work(store);
        struct fray_replay_file *file = store->first;
        if (!file)
            break;
        store->first = file->next;
        if (!store->first)
            store->last = NULL;
        file->is_queued = false;
        swap(&file->back, &file->writing);
        swap(&file->desync, &file->writing_desync);
        bool is_ended = file->is_ended;
        pthread_mutex_unlock(&store->shelf.mutex);
        file_work(file, is_ended);
        pthread_mutex_lock(&store->shelf.mutex);
    }
    pthread_mutex_unlock(&store->shelf.mutex);
    return NULL;
}

/* ------------------------------------------------------------------ life */

static void store_free(struct fray_replay_store *store)
{
    fray_replay_shelf_close(&store->shelf);
    pthread_cond_destroy(&store->has_work);
    free(store);
}

enum fray_err fray_replay_store_open(const struct fray_config *config,
                                     const struct fray_game *const *games,
                                     struct fray_replay_store **result, struct fray_buf *error)
{
    struct fray_replay_store *store = fray_alloc_zero(sizeof *store);

    store->shelf.config = config;
    store->shelf.games = games;
    pthread_cond_init(&store->has_work, NULL);
    enum fray_err err = fray_replay_shelf_open(&store->shelf, error);
    if (!err && pthread_create(&store->thread, NULL, run, store)) {
        fray_buf_printf(error, "there is no thread for replays");
        err = FRAY_ERR_IO;
    }
    if (err)
        store_free(store);
    else
        *result = store;
    return err;
}

void fray_replay_store_close(struct fray_replay_store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->shelf.mutex);
    store->is_closing = true;
    pthread_cond_signal(&store->has_work);
    pthread_mutex_unlock(&store->shelf.mutex);
    pthread_join(store->thread, NULL);
    store_free(store);
}

/* ------------------------------------------------------------------ reading */

void fray_replay_store_list(struct fray_replay_store *store,
                            const struct fray_replay_filter *filter, struct fray_buf *out)
{
    pthread_mutex_lock(&store->shelf.mutex);
    fray_replay_index_list(&store->shelf.index, filter, out);
    pthread_mutex_unlock(&store->shelf.mutex);
}

/* Under the mutex. */
static enum fray_err find_row(struct fray_replay_store *store, const char *id,
                              const struct fray_replay_row **row)
{
    if (fray_name_map_get(&store->shelf.files, fray_slice_of(id)))
        return FRAY_ERR_AGAIN;
    *row = fray_replay_index_find(&store->shelf.index, fray_slice_of(id));
    return *row ? FRAY_OK : FRAY_ERR_NOT_FOUND;
}

enum fray_err fray_replay_store_entry(struct fray_replay_store *store, const char *id,
                                      struct fray_buf *out)
{
    const struct fray_replay_row *row;

    pthread_mutex_lock(&store->shelf.mutex);
    enum fray_err err = find_row(store, id, &row);
    if (!err)
        fray_buf_append(out, row->json, strlen(row->json));
    pthread_mutex_unlock(&store->shelf.mutex);
    return err;
}

enum fray_err fray_replay_store_find(struct fray_replay_store *store, const char *id,
                                     struct fray_replay_found *found)
{
    const struct fray_replay_row *row;
    char name[FRAY_REPLAY_FILE_MAX + 1];
    struct stat stat;

    *found = (struct fray_replay_found){.fd = -1};
    pthread_mutex_lock(&store->shelf.mutex);
    enum fray_err err = find_row(store, id, &row);
    if (!err) {
        memcpy(name, row->file, sizeof row->file);
        found->size = row->bytes;
    }
    pthread_mutex_unlock(&store->shelf.mutex);
    if (err)
        return err;
    found->fd = openat(store->shelf.dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (found->fd >= 0 && !fstat(found->fd, &stat) && S_ISREG(stat.st_mode) &&
        (uint64_t)stat.st_size >= found->size)
        return FRAY_OK;
    if (found->fd >= 0)
        close(found->fd);
    found->fd = -1;
    return FRAY_ERR_NOT_FOUND;
}
