#include "server/replay_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/replay_desync.h"
#include "server/replay_read.h"

enum {
    BUF_FIRST = 8 * 1024,            /* what most matches need between two flushes */
    UNWRITTEN_MAX = 4 * 1024 * 1024, /* of one match; beyond, the disk is too slow for it */
    PRUNE_EVERY_S = 3600,
    DAY_MS = 24 * 3600 * 1000,
    DESYNC_NAME_MAX = FRAY_REPLAY_FILE_MAX + 16,
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
    const struct fray_config *config;
    atomic_ullong open_bytes; /* of the files that are being written, */
    atomic_uint open_files;   /* and how many these are */
    const struct fray_game *const *games;
    struct fray_replay_counts counts;
    char *directory;
    int dir;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t has_work;
    /* Under the mutex. */
    struct fray_replay_file *first, *last; /* queued */
    struct fray_name_map files;            /* all that are being written, by id */
    struct fray_replay_index index;        /* its store is the thread's */
    bool is_closing;
    bool is_failing; /* the thread's: the log has been told */
};

const struct fray_config *fray_replay_store_config(const struct fray_replay_store *store)
{
    return store->config;
}

struct fray_replay_counts *fray_replay_store_counts(struct fray_replay_store *store)
{
    return &store->counts;
}

bool fray_replay_store_is_crowded(const struct fray_replay_store *store, uint64_t bytes)
{
    uint64_t open_bytes = atomic_load(&store->open_bytes);
    return open_bytes > store->config->replays_max_bytes &&
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
    pthread_mutex_lock(&store->mutex);
    fray_name_map_add(&store->files, fray_slice_of(file->id), file);
    pthread_mutex_unlock(&store->mutex);
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
        atomic_fetch_add(&file->store->counts.failed, 1);
    }
    if (!atomic_load(&file->is_failed) && file->front.len) {
        fray_buf_append_slice(&file->back, fray_buf_slice(&file->front));
        enqueue(file);
    }
    file->front.len = 0;
}

void fray_replay_file_flush(struct fray_replay_file *file)
{
    pthread_mutex_lock(&file->store->mutex);
    hand_over(file);
    pthread_mutex_unlock(&file->store->mutex);
}

bool fray_replay_file_add_desync(struct fray_replay_file *file, struct fray_slice head,
                                 struct fray_slice log)
{
    size_t len = fray_replay_desync_len(head, log);
    if (len > FRAY_REPLAY_DESYNC_MAX - file->desync_total)
        return false;
    file->desync_total += len;
    pthread_mutex_lock(&file->store->mutex);
    fray_replay_desync_push(&file->desync, head, log);
    enqueue(file);
    pthread_mutex_unlock(&file->store->mutex);
    return true;
}

void fray_replay_file_end(struct fray_replay_file *file, json_t *entry)
{
    struct fray_replay_store *store = file->store;
    pthread_mutex_lock(&store->mutex);
    hand_over(file);
    file->entry = entry;
    file->is_ended = true;
    enqueue(file);
    pthread_mutex_unlock(&store->mutex);
}

/* ------------------------------------------------------------------ the thread's side */

static bool write_all(int fd, struct fray_slice bytes)
{
    while (bytes.len) {
        ssize_t count = write(fd, bytes.data, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes = fray_slice_skip(bytes, (size_t)count);
    }
    return true;
}

/* Files are opened for each write: a thousand matches do not hold a thousand descriptors. What
 * cannot be begun (O_EXCL) is not there afterwards. */
static bool append(struct fray_replay_store *store, const char *name, int flags,
                   struct fray_slice bytes, bool syncs)
{
    int fd = openat(store->dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return false;
    bool is_written = write_all(fd, bytes) && (!syncs || !fsync(fd));
    int saved = errno;
    is_written = !close(fd) && is_written;
    if (!is_written && flags & O_EXCL)
        (void)unlinkat(store->dir, name, 0);
    errno = saved;
    return is_written;
}

static void note_result(struct fray_replay_store *store, const char *what, bool is_written)
{
    if (is_written == !store->is_failing)
        return;
    store->is_failing = !is_written;
    if (is_written)
        fray_log(FRAY_LOG_INFO, "replays_recovered", "");
    else
        fray_log(FRAY_LOG_ERROR, "replays_failed", "reason=%s file=%s", strerror(errno), what);
}

static void write_replay(struct fray_replay_file *file, struct fray_slice bytes, bool is_last)
{
    struct fray_replay_store *store = file->store;
    if (atomic_load(&file->is_failed) || (!bytes.len && !is_last))
        return;
    int flags = file->is_created ? O_APPEND : O_CREAT | O_EXCL;
    bool is_written = append(store, file->name, flags, bytes, is_last);
    note_result(store, file->name, is_written);
    file->is_created = file->is_created || is_written;
    if (is_written) {
        atomic_fetch_add(&store->counts.bytes, bytes.len);
        file->written += bytes.len;
        atomic_fetch_add(&store->open_bytes, bytes.len);
        return;
    }
    atomic_store(&file->is_failed, true);
    atomic_fetch_add(&store->counts.failed, 1);
}

static void desync_name(char name[DESYNC_NAME_MAX], const char *file)
{
    size_t stem = strlen(file) - strlen(".replay");
    snprintf(name, DESYNC_NAME_MAX, "%.*s.desync.jsonl", (int)stem, file);
}

static void write_desync(struct fray_replay_file *file)
{
    char name[DESYNC_NAME_MAX];
    struct fray_buf text = {0};

    fray_replay_desync_write(fray_buf_slice(&file->writing_desync), &text);
    fray_buf_deinit(&file->writing_desync); /* rare, and large */
    if (!text.len)
        return;
    desync_name(name, file->name);
    bool is_written = append(file->store, name, O_CREAT | O_APPEND, fray_buf_slice(&text), false);
    note_result(file->store, name, is_written);
    file->desync_written += is_written ? text.len : 0;
    atomic_fetch_add(&file->store->open_bytes, is_written ? text.len : 0);
    fray_buf_deinit(&text);
}

static void commit(struct fray_replay_store *store)
{
    if (!fray_store_commit(store->index.store))
        return;
    errno = EIO;
    note_result(store, fray_store_error(store->index.store), false);
}

static void unlink_desync(struct fray_replay_store *store, const char *file)
{
    char name[DESYNC_NAME_MAX];
    desync_name(name, file);
    (void)unlinkat(store->dir, name, 0);
}

static void unlink_both(struct fray_replay_store *store, const char *file)
{
    (void)unlinkat(store->dir, file, 0);
    unlink_desync(store, file);
}

static bool is_too_much(const struct fray_replay_store *store)
{
    const struct fray_config *config = store->config;
    const struct fray_replay_index *index = &store->index;
    const struct fray_replay_row *oldest = fray_replay_index_oldest(index);
    int64_t days = config->replays_max_days;
    uint64_t bytes = index->bytes + atomic_load(&store->open_bytes);
    if (!oldest)
        return false;
    int64_t old_ms = (int64_t)time(NULL) * 1000 - days * DAY_MS;
    return index->all.count > config->replays_max || bytes > config->replays_max_bytes ||
           (days && oldest->started_ms < old_ms);
}

/* False: there is room enough. `file` is the oldest, which the index does not know any more. */
static bool forget_oldest(struct fray_replay_store *store, char file[FRAY_REPLAY_FILE_MAX + 1])
{
    pthread_mutex_lock(&store->mutex);
    bool is_much = is_too_much(store);
    if (is_much) {
        snprintf(file, FRAY_REPLAY_FILE_MAX + 1, "%s",
                 fray_replay_index_oldest(&store->index)->file);
        fray_replay_index_remove_oldest(&store->index);
    }
    atomic_store(&store->counts.kept, store->index.all.count);
    atomic_store(&store->counts.kept_bytes, store->index.bytes);
    pthread_mutex_unlock(&store->mutex);
    return is_much;
}

/* Files are deleted without the mutex: nobody waits for a disk. */
static void prune(struct fray_replay_store *store)
{
    char file[FRAY_REPLAY_FILE_MAX + 1];
    while (forget_oldest(store, file)) {
        if (strlen(file) > strlen(".replay"))
            unlink_both(store, file);
        atomic_fetch_add(&store->counts.pruned, 1);
    }
    commit(store);
}

/* What is being written has grown. */
static void make_room(struct fray_replay_store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool is_much = is_too_much(store);
    pthread_mutex_unlock(&store->mutex);
    if (is_much)
        prune(store);
}

struct sizes {
    uint64_t bytes, desync_bytes;
};

static void index_add(struct fray_replay_store *store, const char *id, const char *name,
                      const struct sizes *sizes, json_t *entry)
{
    json_object_set_new(entry, "id", json_string(id));
    json_object_set_new(entry, "file", json_string(name));
    json_object_set_new(entry, "bytes", json_integer((json_int_t)sizes->bytes));
    json_object_set_new(entry, "desync_bytes", json_integer((json_int_t)sizes->desync_bytes));
    struct fray_replay_row *row = fray_replay_row_create(entry);
    if (!row)
        return;
    pthread_mutex_lock(&store->mutex);
    fray_replay_index_add(&store->index, row);
    pthread_mutex_unlock(&store->mutex);
    prune(store);
}

/* ------------------------------------------------------------------ files that no index knows */

static bool is_unknown(struct fray_replay_store *store, const char *name)
{
    struct fray_slice id = fray_replay_file_id(name);
    if (!id.len)
        return false;
    pthread_mutex_lock(&store->mutex);
    const struct fray_replay_row *row = fray_replay_index_find(&store->index, id);
    bool is_known = (row && strcmp(row->file, name) == 0) || fray_name_map_get(&store->files, id);
    pthread_mutex_unlock(&store->mutex);
    return !is_known;
}

/* Cut off before it began, by a full disk or the end of the machine. Of another format there may be
 * more to it. */
static bool lacks_header(struct fray_slice bytes)
{
    static const struct fray_slice magic = {"FRPL", 4};
    struct fray_replay_header header;
    size_t header_len;
    return !fray_replay_header_decode(bytes.data, bytes.len, &header, &header_len) &&
           (!fray_slice_starts(bytes, magic) || bytes.len == magic.len ||
            bytes.data[magic.len] == FRAY_REPLAY_FORMAT);
}

static uint64_t desync_size(const struct fray_replay_store *store, const char *file)
{
    char name[DESYNC_NAME_MAX];
    struct stat stat;
    desync_name(name, file);
    return fstatat(store->dir, name, &stat, 0) ? 0 : (uint64_t)stat.st_size;
}

static void adopt(struct fray_replay_store *store, const char *name)
{
    struct fray_replay_reading reading;
    struct fray_buf path = {0};
    struct stat stat;
    char id[FRAY_REPLAY_ID_MAX + 1];

    if (!is_unknown(store, name) || fstatat(store->dir, name, &stat, 0))
        return;
    snprintf(id, sizeof id, "%.*s", (int)fray_replay_file_id(name).len,
             fray_replay_file_id(name).data);
    fray_buf_printf(&path, "%s/%s", store->directory, name);
    fray_buf_append_byte(&path, '\0');
    if (!fray_replay_reading_open(&reading, store->games, path.data)) {
        json_t *entry = fray_replay_reading_entry(&reading, (int64_t)stat.st_mtim.tv_sec * 1000);
        struct sizes sizes = {reading.bytes.len, desync_size(store, name)};
        bool is_nothing = lacks_header(fray_buf_slice(&reading.bytes));
        if (entry)
            index_add(store, id, name, &sizes, entry);
        else if (is_nothing)
            unlink_both(store, name);
        fray_log(FRAY_LOG_INFO, "replay_found", "file=%s state=%s", name,
                 is_nothing ? "deleted" : fray_replay_fault_text(reading.replay.fault));
        json_decref(entry);
    }
    fray_replay_reading_close(&reading);
    fray_buf_deinit(&path);
}

/* Logs whose replay is gone, or was never begun. */
static void remove_orphan(struct fray_replay_store *store, const char *name)
{
    static const char end[] = ".desync.jsonl";
    char file[FRAY_REPLAY_FILE_MAX + 1];
    size_t len = strlen(name), stem = len - (sizeof end - 1);
    if (len < sizeof end || strcmp(name + stem, end) != 0 || stem + sizeof ".replay" > sizeof file)
        return;
    snprintf(file, sizeof file, "%.*s.replay", (int)stem, name);
    if (is_unknown(store, file))
        (void)unlinkat(store->dir, name, 0);
}

static void each_file(struct fray_replay_store *store, DIR *dir,
                      void (*visit)(struct fray_replay_store *store, const char *name))
{
    const struct dirent *entry;
    rewinddir(dir);
    while ((entry = readdir(dir)))
        visit(store, entry->d_name);
}

static void adopt_all(struct fray_replay_store *store)
{
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir) {
        each_file(store, dir, adopt);
        each_file(store, dir, remove_orphan);
        closedir(dir);
    }
    prune(store);
}

/* ------------------------------------------------------------------ the thread's turn */

static void file_forget(struct fray_replay_file *file)
{
    struct fray_replay_store *store = file->store;
    pthread_mutex_lock(&store->mutex);
    (void)fray_name_map_remove(&store->files, fray_slice_of(file->id));
    pthread_mutex_unlock(&store->mutex);
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
    atomic_fetch_sub(&file->store->open_bytes, file->written + file->desync_written);
    atomic_fetch_sub(&file->store->open_files, 1);
}

/* Without the mutex; what there is to write has been taken. */
static void file_work(struct fray_replay_file *file, bool is_ended)
{
    struct fray_replay_store *store = file->store;
    char name[FRAY_REPLAY_FILE_MAX + 1];

    if (is_ended && !file->entry) {
        note_closed(file);
        unlink_both(store, file->name);
        file_forget(file);
        return;
    }
    write_replay(file, fray_buf_slice(&file->writing), is_ended);
    write_desync(file);
    file->writing.len = 0;
    if (!is_ended) {
        make_room(store);
        return;
    }
    note_closed(file);
    if (!file->is_created)
        unlink_desync(store, file->name);
    if (!atomic_load(&file->is_failed)) {
        bool is_whole = json_is_true(json_object_get(file->entry, "complete"));
        index_add(store, file->id, file->name, &(struct sizes){file->written, file->desync_written},
                  file->entry);
        atomic_fetch_add(&store->counts.written, is_whole);
    }
    snprintf(name, sizeof name, "%s", file->name);
    file_forget(file);
    adopt(store, name); /* unless it is known now: what was given up is there as far as it goes */
}

/* Under the mutex. Days pass also where nobody plays. */
static void wait_for_work(struct fray_replay_store *store)
{
    struct timespec until;
    while (!store->first && !store->is_closing) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PRUNE_EVERY_S;
        if (pthread_cond_timedwait(&store->has_work, &store->mutex, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&store->mutex);
        prune(store);
        pthread_mutex_lock(&store->mutex);
    }
}

static void *run(void *context)
{
    struct fray_replay_store *store = context;

    adopt_all(store);
    pthread_mutex_lock(&store->mutex);
    for (;;) {
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
        pthread_mutex_unlock(&store->mutex);
        file_work(file, is_ended);
        pthread_mutex_lock(&store->mutex);
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

/* ------------------------------------------------------------------ life */

static enum fray_err directory_open(struct fray_replay_store *store, struct fray_buf *error)
{
    struct fray_buf path = {0};
    fray_buf_printf(&path, "%s/replays", store->config->data);
    fray_buf_append_byte(&path, '\0');
    store->directory = path.data; /* taken */
    bool is_made = (!mkdir(store->config->data, 0700) || errno == EEXIST) &&
                   (!mkdir(store->directory, 0700) || errno == EEXIST);
    store->dir = is_made ? open(store->directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (store->dir >= 0)
        return FRAY_OK;
    fray_buf_printf(error, "%s cannot be used: %s", store->directory, strerror(errno));
    return FRAY_ERR_IO;
}

static void store_free(struct fray_replay_store *store)
{
    fray_replay_index_close(&store->index);
    if (store->dir >= 0)
        close(store->dir);
    pthread_cond_destroy(&store->has_work);
    pthread_mutex_destroy(&store->mutex);
    fray_name_map_deinit(&store->files);
    free(store->directory);
    free(store);
}

enum fray_err fray_replay_store_open(const struct fray_config *config,
                                     const struct fray_game *const *games,
                                     struct fray_replay_store **result, struct fray_buf *error)
{
    struct fray_replay_store *store = fray_alloc_zero(sizeof *store);

    store->config = config;
    store->games = games;
    store->dir = -1;
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->has_work, NULL);
    enum fray_err err = directory_open(store, error);
    if (!err)
        err = fray_replay_index_open(&store->index, store->directory, false, error);
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
    pthread_mutex_lock(&store->mutex);
    store->is_closing = true;
    pthread_cond_signal(&store->has_work);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
    store_free(store);
}

/* ------------------------------------------------------------------ reading */

void fray_replay_store_list(struct fray_replay_store *store,
                            const struct fray_replay_filter *filter, struct fray_buf *out)
{
    pthread_mutex_lock(&store->mutex);
    fray_replay_index_list(&store->index, filter, out);
    pthread_mutex_unlock(&store->mutex);
}

/* Under the mutex. */
static enum fray_err find_name(struct fray_replay_store *store, const char *id,
                               char name[FRAY_REPLAY_FILE_MAX + 1], struct fray_replay_found *found)
{
    if (fray_name_map_get(&store->files, fray_slice_of(id)))
        return FRAY_ERR_AGAIN;
    const struct fray_replay_row *row = fray_replay_index_find(&store->index, fray_slice_of(id));
    if (!row)
        return FRAY_ERR_NOT_FOUND;
    memcpy(name, row->file, sizeof row->file);
    found->size = row->bytes;
    return FRAY_OK;
}

enum fray_err fray_replay_store_find(struct fray_replay_store *store, const char *id,
                                     struct fray_replay_found *found)
{
    char name[FRAY_REPLAY_FILE_MAX + 1];
    struct stat stat;

    *found = (struct fray_replay_found){.fd = -1};
    pthread_mutex_lock(&store->mutex);
    enum fray_err err = find_name(store, id, name, found);
    pthread_mutex_unlock(&store->mutex);
    if (err)
        return err;
    found->fd = openat(store->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (found->fd >= 0 && !fstat(found->fd, &stat) && S_ISREG(stat.st_mode) &&
        (uint64_t)stat.st_size >= found->size)
        return FRAY_OK;
    if (found->fd >= 0)
        close(found->fd);
    found->fd = -1;
    return FRAY_ERR_NOT_FOUND;
}
