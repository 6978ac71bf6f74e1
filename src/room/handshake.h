/* What a session's first HTTP request said, kept as text until somebody asks: few handlers do, and
 * it is most of what an idle session would weigh. Reference-counted; shared by a session's sockets
 * on one worker, cloned to cross. */
#ifndef FRAY_ROOM_HANDSHAKE_H
#define FRAY_ROOM_HANDSHAKE_H

#include "fray/fray.h"

struct fray_handshake {
    uint32_t refs;
    bool is_secure;
    uint64_t issued_ms; /* Unix time */
    char address[56];   /* the peer's IP */
    /* Makes the object of fray_socket_handshake, without auth, from `head`. The transport that
     * filled it knows how. */
    json_t *(*describe)(const struct fray_handshake *handshake);
    size_t head_len;
    char head[]; /* the request's head as it was sent */
};

struct fray_handshake *fray_handshake_clone(const struct fray_handshake *handshake);
void fray_handshake_unref(struct fray_handshake *handshake); /* NULL is fine */

#endif
