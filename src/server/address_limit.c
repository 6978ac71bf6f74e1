#include "server/address_limit.h"

#include "base/mem.h"

struct count {
    uint32_t connections;
    uint8_t ip[16];
};

void fray_address_limit_init(struct fray_address_limit *limit, uint32_t max,
                             struct fray_hash_key key)
{
    *limit = (struct fray_address_limit){.max = max, .counts.key = key};
    pthread_mutex_init(&limit->mutex, NULL);
}

void fray_address_limit_deinit(struct fray_address_limit *limit)
{
    for (uint32_t i = 0; i < limit->counts.cap; i++)
        free(limit->counts.entries[i].object);
    fray_name_map_deinit(&limit->counts);
    pthread_mutex_destroy(&limit->mutex);
}

static struct count *count_of(struct fray_address_limit *limit, const struct fray_address *address)
{
    struct fray_slice ip = fray_slice(address->ip, sizeof address->ip);
    struct count *count = fray_name_map_get(&limit->counts, ip);
    if (count)
        return count;
    count = fray_alloc_zero(sizeof *count);
    memcpy(count->ip, address->ip, sizeof count->ip);
    fray_name_map_add(&limit->counts, fray_slice(count->ip, sizeof count->ip), count);
    return count;
}

bool fray_address_limit_enter(struct fray_address_limit *limit, const struct fray_address *address)
{
    if (!limit->max)
        return true;
    pthread_mutex_lock(&limit->mutex);
    struct count *count = count_of(limit, address);
    bool is_let_in = count->connections < limit->max;
    if (is_let_in)
        count->connections++;
    pthread_mutex_unlock(&limit->mutex);
    return is_let_in;
}

void fray_address_limit_leave(struct fray_address_limit *limit, const struct fray_address *address)
{
    if (!limit->max)
        return;
    pthread_mutex_lock(&limit->mutex);
    struct count *count = count_of(limit, address);
    if (--count->connections == 0) {
        fray_name_map_remove(&limit->counts, fray_slice(count->ip, sizeof count->ip));
        free(count);
    }
    pthread_mutex_unlock(&limit->mutex);
}
