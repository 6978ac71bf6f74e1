/* How many connections each IP address has, over all workers: the option
 * max_connections_per_address. Any thread; a lock is taken when a connection comes and when it
 * goes, and only where the option is used. */
#ifndef FRAY_SERVER_ADDRESS_LIMIT_H
#define FRAY_SERVER_ADDRESS_LIMIT_H

#include <pthread.h>

#include "base/name_map.h"
#include "net/address.h"

struct fray_address_limit {
    pthread_mutex_t mutex;
    struct fray_name_map counts; /* by IP */
    uint32_t max;                /* 0: no limit, nothing is counted */
};

void fray_address_limit_init(struct fray_address_limit *limit, uint32_t max,
                             struct fray_hash_key key);
void fray_address_limit_deinit(struct fray_address_limit *limit);
/* A connection has come. False: it is one too many, and was not counted. */
bool fray_address_limit_enter(struct fray_address_limit *limit, const struct fray_address *address);
/* One that was counted has gone. */
void fray_address_limit_leave(struct fray_address_limit *limit, const struct fray_address *address);

#endif
