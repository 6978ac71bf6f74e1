#include "server/replay_shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/replay_read.h"

enum { DAY_MS = 24 * 3600 * 1000, DESYNC_NAME_MAX = FRAY_REPLAY_FILE_MAX + 16 };

/* ------------------------------------------------------------------ files */

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

static void note_result(struct fray_replay_shelf *shelf, const char *what, bool is_written)
{
    if (is_written == !shelf->is_failing)
        return;
    shelf->is_failing = !is_written;
    if (is_written)
        fray_log(FRAY_LOG_INFO, "replays_recovered", "");
    else
        fray_log(FRAY_LOG_ERROR, "replays_failed", "reason=%s file=%s", strerror(errno), what);
}

/* Half a line would spoil those that follow. */
static void take_back(struct fray_replay_shelf *shelf, const char *name, int fd, int flags,
                      off_t len)
{
    if (flags & O_EXCL)
        (void)unlinkat(shelf->dir, name, 0);
    else if (len >= 0 && ftruncate(fd, len))
        fray_log(FRAY_LOG_ERROR, "replays_failed", "reason=%s file=%s", strerror(errno), name);
}

bool fray_replay_shelf_append(struct fray_replay_shelf *shelf, const char *name, int flags,
                              struct fray_slice bytes, bool syncs)
{
    int fd = openat(shelf->dir, name, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    bool is_written = false;
    if (fd >= 0) {
        off_t len = lseek(fd, 0, SEEK_END);
        is_written = write_all(fd, bytes) && (!syncs || !fsync(fd));
        int saved = errno;
        if (!is_written)
            take_back(shelf, name, fd, flags, len);
        is_written = !close(fd) && is_written;
        errno = saved;
    }
    note_result(shelf, name, is_written);
    return is_written;
}

static void desync_name(char name[DESYNC_NAME_MAX], const char *file)
{
    size_t stem = strlen(file) - strlen(".replay");
    snprintf(name, DESYNC_NAME_MAX, "%.*s.desync.jsonl", (int)stem, file);
}

bool fray_replay_shelf_append_desync(struct fray_replay_shelf *shelf, const char *file,
                                     struct fray_slice text)
{
    char name[DESYNC_NAME_MAX];
    desync_name(name, file);
    return fray_replay_shelf_append(shelf, name, O_CREAT, text, false);
}

void fray_replay_shelf_unlink_desync(struct fray_replay_shelf *shelf, const char *file)
{
    char name[DESYNC_NAME_MAX];
    desync_name(name, file);
    (void)unlinkat(shelf->dir, name, 0);
}

void fray_replay_shelf_unlink(struct fray_replay_shelf *shelf, const char *file)
{
    (void)unlinkat(shelf->dir, file, 0);
    fray_replay_shelf_unlink_desync(shelf, file);
}

/* ------------------------------------------------------------------ the oldest go */

static void commit(struct fray_replay_shelf *shelf)
{
    if (!fray_store_commit(shelf->index.store))
        return;
    errno = EIO;
    note_result(shelf, fray_store_error(shelf->index.store), false);
}

/* Under the mutex. */
static bool is_too_much(const struct fray_replay_shelf *shelf)
{
    const struct fray_config *config = shelf->config;
    const struct fray_replay_index *index = &shelf->index;
    const struct fray_replay_row *oldest = fray_replay_index_oldest(index);
    int64_t days = config->replays_max_days;
    uint64_t bytes = index->bytes + index->entry_bytes + atomic_load(&shelf->open_bytes);
    if (!oldest)
        return false;
    int64_t old_ms = (int64_t)time(NULL) * 1000 - days * DAY_MS;
    return index->all.count > config->replays_max || bytes > config->replays_max_bytes ||
           (days && oldest->started_ms < old_ms);
}

/* False: there is room enough. `file` is the oldest, which the index does not know any more. */
static bool forget_oldest(struct fray_replay_shelf *shelf, char file[FRAY_REPLAY_FILE_MAX + 1])
{
    pthread_mutex_lock(&shelf->mutex);
    bool is_much = is_too_much(shelf);
    if (is_much) {
        const struct fray_replay_row *oldest = fray_replay_index_oldest(&shelf->index);
        snprintf(file, FRAY_REPLAY_FILE_MAX + 1, "%s", oldest->file);
        fray_replay_index_remove(&shelf->index, fray_slice_of(oldest->id));
    }
    atomic_store(&shelf->counts.kept, shelf->index.all.count);
    atomic_store(&shelf->counts.kept_bytes, shelf->index.bytes);
    pthread_mutex_unlock(&shelf->mutex);
    return is_much;
}

/* Files are deleted without the mutex: nobody waits for a disk. */
void fray_replay_shelf_prune(struct fray_replay_shelf *shelf)
{
    char file[FRAY_REPLAY_FILE_MAX + 1];
    while (forget_oldest(shelf, file)) {
        if (strlen(file) > strlen(".replay"))
            fray_replay_shelf_unlink(shelf, file);
        atomic_fetch_add(&shelf->counts.pruned, 1);
    }
    commit(shelf);
}

void fray_replay_shelf_make_room(struct fray_replay_shelf *shelf)
{
    pthread_mutex_lock(&shelf->mutex);
    bool is_much = is_too_much(shelf);
    pthread_mutex_unlock(&shelf->mutex);
    if (is_much)
        fray_replay_shelf_prune(shelf);
}

void fray_replay_shelf_add(struct fray_replay_shelf *shelf, const char *id, const char *name,
                           const struct fray_replay_sizes *sizes, json_t *entry)
{
    json_object_set_new(entry, "id", json_string(id));
    json_object_set_new(entry, "file", json_string(name));
    json_object_set_new(entry, "bytes", json_integer((json_int_t)sizes->bytes));
    json_object_set_new(entry, "desync_bytes", json_integer((json_int_t)sizes->desync_bytes));
    struct fray_replay_row *row = fray_replay_row_create(entry);
    if (!row)
        return;
    pthread_mutex_lock(&shelf->mutex);
    fray_replay_index_add(&shelf->index, row);
    pthread_mutex_unlock(&shelf->mutex);
    fray_replay_shelf_prune(shelf);
}

/* ------------------------------------------------------------------ files that are gone */

/* Deleted by hand, or just before the machine lost its power. */
void fray_replay_shelf_drop_missing(struct fray_replay_shelf *shelf)
{
    struct stat stat;

    for (size_t i = shelf->index.all.count; i-- > 0;) {
        const struct fray_replay_row *row = fray_replay_index_at(&shelf->index, i);
        if (!fstatat(shelf->dir, row->file, &stat, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
            continue;
        fray_log(FRAY_LOG_INFO, "replay_gone", "file=%s", row->file);
        pthread_mutex_lock(&shelf->mutex);
        fray_replay_index_remove(&shelf->index, fray_slice_of(row->id));
        pthread_mutex_unlock(&shelf->mutex);
    }
}

/* ------------------------------------------------------------------ files that no index knows */

static bool is_unknown(struct fray_replay_shelf *shelf, const char *name)
{
    struct fray_slice id = fray_replay_file_id(name);
    if (!id.len)
        return false;
    pthread_mutex_lock(&shelf->mutex);
    const struct fray_replay_row *row = fray_replay_index_find(&shelf->index, id);
    bool is_known = (row && strcmp(row->file, name) == 0) || fray_name_map_get(&shelf->files, id);
    pthread_mutex_unlock(&shelf->mutex);
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

static uint64_t desync_size(const struct fray_replay_shelf *shelf, const char *file)
{
    char name[DESYNC_NAME_MAX];
    struct stat stat;
    desync_name(name, file);
    return fstatat(shelf->dir, name, &stat, 0) ? 0 : (uint64_t)stat.st_size;
}

void fray_replay_shelf_adopt(struct fray_replay_shelf *shelf, const char *name)
{
    struct fray_replay_reading reading;
    struct fray_buf path = {0};
    struct stat stat;
    char id[FRAY_REPLAY_ID_MAX + 1];

    if (!is_unknown(shelf, name) || fstatat(shelf->dir, name, &stat, 0))
        return;
    snprintf(id, sizeof id, "%.*s", (int)fray_replay_file_id(name).len,
             fray_replay_file_id(name).data);
    fray_buf_printf(&path, "%s/%s", shelf->directory, name);
    fray_buf_append_byte(&path, '\0');
    if (!fray_replay_reading_open(&reading, shelf->games, path.data)) {
        json_t *entry = fray_replay_reading_entry(&reading, (int64_t)stat.st_mtim.tv_sec * 1000);
        struct fray_replay_sizes sizes = {reading.bytes.len, desync_size(shelf, name)};
        bool is_nothing = lacks_header(fray_buf_slice(&reading.bytes));
        if (entry)
            fray_replay_shelf_add(shelf, id, name, &sizes, entry);
        else if (is_nothing)
            fray_replay_shelf_unlink(shelf, name);
        fray_log(FRAY_LOG_INFO, "replay_found", "file=%s state=%s", name,
                 is_nothing ? "deleted" : fray_replay_fault_text(reading.replay.fault));
        json_decref(entry);
    }
    fray_replay_reading_close(&reading);
    fray_buf_deinit(&path);
}

/* Logs whose replay is gone, or was never begun. */
static void remove_orphan(struct fray_replay_shelf *shelf, const char *name)
{
    static const char end[] = ".desync.jsonl";
    char file[FRAY_REPLAY_FILE_MAX + 1];
    size_t len = strlen(name), stem = len - (sizeof end - 1);
    if (len < sizeof end || strcmp(name + stem, end) != 0 || stem + sizeof ".replay" > sizeof file)
        return;
    snprintf(file, sizeof file, "%.*s.replay", (int)stem, name);
    if (is_unknown(shelf, file))
        (void)unlinkat(shelf->dir, name, 0);
}

bool fray_replay_shelf_search(struct fray_replay_shelf *shelf)
{
    const struct dirent *found = shelf->search ? readdir(shelf->search) : NULL;

    if (found && !shelf->has_adopted) {
        fray_replay_shelf_adopt(shelf, found->d_name);
    } else if (found) {
        remove_orphan(shelf, found->d_name);
    } else if (shelf->search && !shelf->has_adopted) {
        shelf->has_adopted = true;
        rewinddir(shelf->search);
    } else if (shelf->search) {
        closedir(shelf->search);
        shelf->search = NULL;
        fray_replay_shelf_prune(shelf);
        atomic_store(&shelf->counts.searching, 0);
    }
    return shelf->search;
}

/* ------------------------------------------------------------------ life */

static enum fray_err directory_open(struct fray_replay_shelf *shelf, struct fray_buf *error)
{
    struct fray_buf path = {0};
    fray_buf_printf(&path, "%s/replays", shelf->config->data);
    fray_buf_append_byte(&path, '\0');
    shelf->directory = path.data; /* taken */
    bool is_made = (!mkdir(shelf->config->data, 0700) || errno == EEXIST) &&
                   (!mkdir(shelf->directory, 0700) || errno == EEXIST);
    shelf->dir = is_made ? open(shelf->directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    int fd = shelf->dir < 0 ? -1 : openat(shelf->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    shelf->search = fd < 0 ? NULL : fdopendir(fd);
    atomic_store(&shelf->counts.searching, 1);
    if (shelf->search)
        return FRAY_OK;
    fray_buf_printf(error, "%s cannot be used: %s", shelf->directory, strerror(errno));
    return FRAY_ERR_IO;
}

enum fray_err fray_replay_shelf_open(struct fray_replay_shelf *shelf, struct fray_buf *error)
{
    pthread_mutex_init(&shelf->mutex, NULL);
    shelf->dir = -1;
    enum fray_err err = directory_open(shelf, error);
    if (!err)
        err = fray_replay_index_open(&shelf->index, shelf->directory, false, error);
    return err;
}

void fray_replay_shelf_close(struct fray_replay_shelf *shelf)
{
    fray_replay_index_close(&shelf->index);
    if (shelf->search)
        closedir(shelf->search);
    if (shelf->dir >= 0)
        close(shelf->dir);
    pthread_mutex_destroy(&shelf->mutex);
    fray_name_map_deinit(&shelf->files);
    free(shelf->directory);
}
