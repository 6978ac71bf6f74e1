#include "session/sid.h"

enum { WORKER_BITS = 8 };

void fray_sid_make(const struct fray_session *session, char sid[FRAY_TOKEN_LEN + 1])
{
    struct fray_worker *worker = session->worker;
    uint8_t random[FRAY_TOKEN_RANDOM];
    worker->random(worker, random, sizeof random);
    uint32_t number = (session->handle.index << WORKER_BITS | worker->index) & 0x3fffffff;
    fray_token_make(sid, number, random);
}

bool fray_sid_worker(struct fray_slice sid, unsigned *worker)
{
    uint32_t number;
    if (!fray_token_number(sid, &number))
        return false;
    *worker = number & ((1u << WORKER_BITS) - 1);
    return true;
}

struct fray_session *fray_sid_session(const struct fray_worker *worker, struct fray_slice sid)
{
    uint32_t number;
    if (!fray_token_number(sid, &number) || number >> WORKER_BITS >= worker->sessions.used)
        return NULL;
    return fray_id_pool_at(&worker->sessions, number >> WORKER_BITS);
}
