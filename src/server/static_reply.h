/* Shared by static_files.c, static_dir.c and whoever serves files of its own: how one
 * representation of a file is answered, wherever its bytes are. */
#ifndef FRAY_SERVER_STATIC_REPLY_H
#define FRAY_SERVER_STATIC_REPLY_H

#include "server/static_files.h"
#include "wire/http_conditional.h"
#include "wire/http_encoding.h"

struct fray_static_reply {
    struct fray_http_validators validators; /* of this representation, not of the file */
    uint64_t size;
    enum fray_http_encoding encoding;
    bool has_variants; /* the choice was made by Accept-Encoding */
    bool is_immutable;
};

/* Which of the variants on offer (bits 1u << enum fray_http_encoding) to send: identity when the
 * client takes none. */
enum fray_http_encoding fray_static_choose(const fray_request *request, unsigned offered);

/* Judges conditions and ranges and adds the reply's headers. FRAY_OK: send `*status` (200 or 206)
 * with the bytes of `*range`. FRAY_ERR_STATE: the request has been answered (304, 412, 416). */
FRAY_MUST_CHECK enum fray_err fray_static_begin(const struct fray_static_reply *reply,
                                                fray_request *request, int *status,
                                                struct fray_http_range *range);

/* Answers with the first reply->size bytes of the file, which is taken, or with what of them was
 * asked for. */
void fray_static_serve_fd(const struct fray_static_reply *reply, fray_request *request, int fd,
                          const char *content_type);

/* 301 to the same name with '/' behind it, so that links relative to the directory work. Relative
 * itself: it need not know where the directory is mounted, and cannot lead to another host, as
 * "//host/" would. `path` begins with '/'. */
void fray_static_redirect(fray_request *request, struct fray_slice path);

#endif
