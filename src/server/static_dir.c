/* Files in a directory on disk. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/static_reply.h"
#include "wire/http_response.h"

enum {
    PIECE_MAX = 64 * 1024,      /* what a slow reader costs */
    READ_AHEAD = 4 * PIECE_MAX, /* asked of the disk when it is waited for */
    ADVISE_EVERY = 100,
    WAITS_MAX = 5000, /* for one piece, each of a few ms */
};

enum fray_err fray_static_dir_open(struct fray_static_dir *dir, const char *path)
{
    dir->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return dir->fd < 0 ? FRAY_ERR_IO : FRAY_OK;
}

void fray_static_dir_close(struct fray_static_dir *dir)
{
    close(dir->fd);
    dir->fd = -1;
}

/* Kernels before 5.6 and some sandboxes have no openat2: there no symbolic link is followed at all.
 */
static int open_walking(int dir, const char *name)
{
    enum { FLAGS = O_CLOEXEC | O_NOFOLLOW };
    int at = dir;
    for (;;) {
        const char *slash = strchr(name, '/');
        char *segment = fray_strndup(name, slash ? (size_t)(slash - name) : strlen(name));
        int next = openat(at, segment,
                          slash ? FLAGS | O_PATH | O_DIRECTORY : FLAGS | O_RDONLY | O_NONBLOCK);
        free(segment);
        if (at != dir)
            close(at);
        if (!slash || next < 0)
            return next;
        at = next;
        name = slash + 1;
    }
}

/* Opens what lies below the directory and nowhere else, wherever links lead. O_NONBLOCK: a FIFO
 * must not stop the loop. */
static int open_beneath(int dir, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_walking(dir, name);
    return fd;
}

struct disk_file {
    int fd;
    struct stat stat;
};

static bool open_file(int dir, const char *name, struct disk_file *file)
{
    file->fd = open_beneath(dir, name);
    if (file->fd < 0)
        return false;
    if (!fstat(file->fd, &file->stat) &&
        (S_ISREG(file->stat.st_mode) || S_ISDIR(file->stat.st_mode)))
        return true;
    close(file->fd);
    return false;
}

/* Names that begin with a dot are nobody's business, but for those of RFC 8615. */
static bool is_hidden(struct fray_slice path)
{
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.data[i] == '/' && path.data[i + 1] == '.' &&
            !(i == 0 && fray_slice_starts(path, FRAY_SLICE("/.well-known/"))))
            return true;
    return false;
}

static bool is_compressible(const char *content_type)
{
    struct fray_slice type = fray_slice_of(content_type);
    return memmem(type.data, type.len, "charset", 7) ||
           strcmp(content_type, "application/wasm") == 0;
}

/* A variant that is older than its file was made of another one. */
static bool open_variant(int dir, struct fray_buf *name, const char *ending,
                         const struct disk_file *original, struct disk_file *variant)
{
    size_t len = name->len - 1; /* without its NUL */
    name->len = len;
    fray_buf_append(name, ending, strlen(ending) + 1);
    bool found = open_file(dir, name->data, variant);
    name->len = len;
    fray_buf_append_byte(name, '\0');
    if (found &&
        (!S_ISREG(variant->stat.st_mode) || variant->stat.st_mtime < original->stat.st_mtime)) {
        close(variant->fd);
        found = false;
    }
    return found;
}

/* Puts the best variant in the place of the file. */
static void choose_variant(int dir, struct fray_buf *name, const fray_request *request,
                           struct disk_file *file, struct fray_static_reply *reply)
{
    struct disk_file br, gzip;
    bool has_br = open_variant(dir, name, ".br", file, &br);
    bool has_gzip = open_variant(dir, name, ".gz", file, &gzip);
    reply->has_variants = has_br || has_gzip;
    reply->encoding = fray_static_choose(
        request, 1u << FRAY_HTTP_ENCODING_IDENTITY | (unsigned)has_br << FRAY_HTTP_ENCODING_BR |
                     (unsigned)has_gzip << FRAY_HTTP_ENCODING_GZIP);
    struct disk_file chosen = *file;
    if (reply->encoding == FRAY_HTTP_ENCODING_BR)
        chosen = br;
    else if (reply->encoding == FRAY_HTTP_ENCODING_GZIP)
        chosen = gzip;
    if (has_br && chosen.fd != br.fd)
        close(br.fd);
    if (has_gzip && chosen.fd != gzip.fd)
        close(gzip.fd);
    if (chosen.fd != file->fd)
        close(file->fd);
    *file = chosen;
}

struct disk_producer {
    struct fray_http_producer producer; /* first */
    int fd;
    uint32_t waits; /* so often the next piece was not there */
    uint64_t at, left;
    char bytes[];
};

/* What is in memory already; errno is EAGAIN where the disk would have to be waited for. Not all
 * kinds of file systems can say so. */
static ssize_t read_now(struct disk_producer *disk, size_t want)
{
    struct iovec part = {disk->bytes, want};
    ssize_t count;
    do
        count = preadv2(disk->fd, &part, 1, (off_t)disk->at, RWF_NOWAIT);
    while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
        count = pread(disk->fd, disk->bytes, want, (off_t)disk->at);
    return count;
}

/* The loop, and with it the matches that it ticks, does not wait for the disk. */
static enum fray_err wait_for_disk(struct disk_producer *disk)
{
    if (disk->waits == WAITS_MAX)
        return FRAY_ERR_IO;
    if (disk->waits++ % ADVISE_EVERY == 0)
        (void)posix_fadvise(disk->fd, (off_t)disk->at, READ_AHEAD, POSIX_FADV_WILLNEED);
    return FRAY_ERR_AGAIN;
}

static enum fray_err produce(struct fray_http_producer *producer, struct fray_slice *piece)
{
    struct disk_producer *disk = (struct disk_producer *)producer;
    size_t want = disk->left < PIECE_MAX ? (size_t)disk->left : PIECE_MAX;
    ssize_t count = read_now(disk, want);
    if (count < 0 && errno == EAGAIN)
        return wait_for_disk(disk);
    if (count <= 0) /* 0: the file has become shorter than was promised */
        return FRAY_ERR_IO;
    disk->waits = 0;
    disk->at += (size_t)count;
    disk->left -= (size_t)count;
    *piece = fray_slice(disk->bytes, (size_t)count);
    return FRAY_OK;
}

static void close_producer(struct fray_http_producer *producer)
{
    struct disk_producer *disk = (struct disk_producer *)producer;
    close(disk->fd);
    free(disk);
}

/* Takes the descriptor. */
static struct fray_http_producer *create_producer(int fd, struct fray_http_range range)
{
    size_t size = range.len < PIECE_MAX ? (size_t)range.len : PIECE_MAX;
    struct disk_producer *disk = fray_alloc(sizeof *disk + size);
    disk->producer = (struct fray_http_producer){.next = produce, .close = close_producer};
    disk->fd = fd;
    disk->waits = 0;
    disk->at = range.first;
    disk->left = range.len;
    return &disk->producer;
}

void fray_static_serve_fd(const struct fray_static_reply *reply, fray_request *request, int fd,
                          const char *content_type)
{
    int status;
    struct fray_http_range range;
    if (fray_static_begin(reply, request, &status, &range))
        close(fd);
    else
        fray_request_reply_from(request, status, content_type, create_producer(fd, range),
                                range.len);
}

/* Takes the file. */
static void serve_file(const struct fray_static_dir *dir, fray_request *request,
                       struct disk_file *file, struct fray_buf *name)
{
    struct fray_slice path = fray_slice(name->data, name->len - 1);
    const char *type = fray_static_content_type(path);
    struct fray_static_reply reply = {.encoding = FRAY_HTTP_ENCODING_IDENTITY,
                                      .is_immutable = fray_static_is_hashed(path)};
    if (is_compressible(type))
        choose_variant(dir->fd, name, request, file, &reply);
    reply.size = (uint64_t)file->stat.st_size;
    /* Weak: a file may be written twice within one tick of the clock that stamps it. */
    struct fray_buf etag = {0};
    fray_buf_printf(&etag, "W/\"%llx-%llx%09lx%s\"", (unsigned long long)reply.size,
                    (unsigned long long)file->stat.st_mtim.tv_sec, file->stat.st_mtim.tv_nsec,
                    reply.encoding == FRAY_HTTP_ENCODING_IDENTITY ? "" : "-z");
    reply.validators = (struct fray_http_validators){.etag = fray_buf_slice(&etag),
                                                     .modified_s = file->stat.st_mtime};
    fray_static_serve_fd(&reply, request, file->fd, type);
    fray_buf_deinit(&etag);
}

bool fray_static_dir_serve(const struct fray_static_dir *dir, fray_request *request,
                           struct fray_slice path)
{
    if (path.len == 0 || is_hidden(path))
        return false;
    bool wants_index = path.data[path.len - 1] == '/';
    struct fray_buf name = {0};
    fray_buf_append_slice(&name, fray_slice_skip(path, 1));
    if (wants_index)
        FRAY_BUF_LITERAL(&name, "index.html");
    fray_buf_append_byte(&name, '\0');

    struct disk_file file;
    bool found = open_file(dir->fd, name.data, &file);
    if (found && S_ISDIR(file.stat.st_mode)) {
        close(file.fd);
        found = !wants_index;
        if (found)
            fray_static_redirect(request, path);
    } else if (found) {
        serve_file(dir, request, &file, &name);
    }
    fray_buf_deinit(&name);
    return found;
}
