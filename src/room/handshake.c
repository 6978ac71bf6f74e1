#include "room/handshake.h"

#include <string.h>

#include "base/mem.h"

struct fray_handshake *fray_handshake_clone(const struct fray_handshake *handshake)
{
    size_t size = sizeof *handshake + handshake->head_len;
    struct fray_handshake *clone = fray_alloc(size);
    memcpy(clone, handshake, size);
    clone->refs = 1;
    return clone;
}

void fray_handshake_unref(struct fray_handshake *handshake)
{
    if (handshake && --handshake->refs == 0)
        free(handshake);
}
