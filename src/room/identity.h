/* Who a socket is: the claims of a token that was verified, and the name that others are shown.
 * Kept apart from the socket, for a guest without a name has none of it. Inside the room layer
 * only; the home worker's. */
#ifndef FRAY_ROOM_IDENTITY_H
#define FRAY_ROOM_IDENTITY_H

#include "room/namespace.h"

enum { FRAY_NAME_CHARS_MAX = 32 };

struct fray_identity {
    struct fray_timer expiry; /* first; of the token, where it says when */
    fray_namespace *nsp;
    struct fray_handle socket;
    json_t *claims;                    /* NULL: a guest */
    char *name;                        /* cleaned; NULL: not yet made up */
    uint32_t chat_second, chat_credit; /* messages that it may say at once; see chat.c */
};

/* The socket's identity, made when there is none. */
struct fray_identity *fray_socket_identity_of(fray_socket *socket);
/* Asks the namespace's `identify`, if it has one, and keeps what it says. False: refused, with the
 * reason set. */
bool fray_socket_identify(fray_socket *socket);
void fray_socket_identity_drop(fray_socket *socket);

#endif
