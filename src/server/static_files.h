/* Files over HTTP: conditional requests, ranges, precompressed variants, cache headers (RFC
 * 9110 8.8, 12.5.3, 13, 14; RFC 9111 5.2; RFC 8246).
 *
 * They come from the program itself (tables that tools/embed.mjs makes) or from a directory on
 * disk. In both, NAME.br and NAME.gz are NAME's compressed variants; a name with a hash in it
 * (app.5f2c91aa.js) never changes its bytes and is cached for a year, all others are asked for
 * again each time and mostly answered 304.
 *
 * Tables and directories are only read: any thread. A file on disk is read on the loop's thread,
 * 64 KiB at a time as the peer drains it. */
#ifndef FRAY_SERVER_STATIC_FILES_H
#define FRAY_SERVER_STATIC_FILES_H

#include "transport/http.h"

/* One file inside the program. */
struct fray_embedded_file {
    const char *path; /* below the set's root, without a slash in front: "index.html" */
    const char *hash; /* of the bytes; the entity tag is made of it */
    struct fray_slice bytes;
    struct fray_slice br, gzip; /* empty: not worth it */
    bool is_immutable; /* the name has a hash in it: tools/embed.mjs knows esbuild's, too */
};

struct fray_embedded_set {
    const struct fray_embedded_file *files; /* sorted by path (strcmp) */
    size_t count;
};

/* What tools/embed.mjs made of the build: socket.io-client's distribution, and the pages. Either
 * may be empty. */
extern const struct fray_embedded_set fray_embedded_client;
extern const struct fray_embedded_set fray_embedded_web;

/* The type for a name's ending; "application/octet-stream" for others. Static storage. */
const char *fray_static_content_type(struct fray_slice name);
/* True for NAME.HASH.EXT with at least 8 hexadecimal digits. */
bool fray_static_is_hashed(struct fray_slice name);

/* The file at a normalised path ("/a/b", from fray_static_path) of the set, index.html for "/a/";
 * NULL. */
const struct fray_embedded_file *fray_embedded_find(const struct fray_embedded_set *set,
                                                    struct fray_slice path);
/* Answers a GET or HEAD from the set. False, and nothing happened, when no such file is there.
 * `path` is what remains of the request's path, normalised and with its '/' in front. */
bool fray_embedded_serve(const struct fray_embedded_set *set, fray_request *request,
                         struct fray_slice path);

/* A directory whose files are served. */
struct fray_static_dir {
    int fd;
};

/* FRAY_ERR_IO: no such directory; errno says why. */
FRAY_MUST_CHECK enum fray_err fray_static_dir_open(struct fray_static_dir *dir, const char *path);
void fray_static_dir_close(struct fray_static_dir *dir);
/* As fray_embedded_serve. A directory's name without '/' is redirected to the one with it. Not
 * served: hidden files but those below .well-known, whatever is no regular file, symbolic links out
 * of the directory. */
bool fray_static_dir_serve(const struct fray_static_dir *dir, fray_request *request,
                           struct fray_slice path);

/* The request's path normalised (wire/url.h) without the first `skip` bytes, which is the route's
 * prefix without its last '/'. FRAY_ERR_SYNTAX, FRAY_ERR_DENIED: answered with 400 or 404 already.
 */
FRAY_MUST_CHECK enum fray_err fray_static_path(fray_request *request, size_t skip,
                                               struct fray_buf *path);

#endif
