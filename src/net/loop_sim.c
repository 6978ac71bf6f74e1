/* The backend on top of net/sim_network.h, and the clockwork that runs all loops. */
#include "net/loop_sim.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/sim_network.h"

enum { TURNS_WITHOUT_TIME_MAX = 100000 };

static struct sim_loop *sim_loop_of(struct fray_loop *loop)
{
    return (struct sim_loop *)loop;
}

static struct sim_socket *socket_of(struct fray_loop *loop, int fd)
{
    struct sim_socket *socket = sim_socket_by_fd(sim_loop_of(loop)->network, fd);
    assert(socket->loop == sim_loop_of(loop));
    return socket;
}

static uint64_t sim_clock_us(struct fray_loop *loop)
{
    return sim_loop_of(loop)->network->now_us;
}

static bool has_descriptor(const struct sim_loop *self)
{
    errno = EMFILE;
    return self->descriptors < self->descriptors_max;
}

static bool is_taken(struct fray_sim_network *network, const struct fray_address *address,
                     bool share_port)
{
    struct sim_socket *other = sim_socket_listening(network, address);
    return other && !(share_port && other->shares_port);
}

static enum fray_err sim_listen(struct fray_loop *loop, const struct fray_address *address,
                                bool share_port, int *fd)
{
    struct sim_loop *self = sim_loop_of(loop);
    if (!has_descriptor(self))
        return FRAY_ERR_IO;
    if (address->port && is_taken(self->network, address, share_port)) {
        errno = EADDRINUSE;
        return FRAY_ERR_IO;
    }
    struct sim_socket *socket = sim_socket_create(self, SIM_LISTENING);
    socket->local = *address;
    if (!address->port)
        socket->local.port = sim_network_next_port(self->network);
    socket->shares_port = share_port;
    self->descriptors++;
    *fd = socket->fd;
    return FRAY_OK;
}

/* The oldest that waits; it may have been reset meanwhile, which its first read tells. */
static struct sim_socket *take_waiting(struct sim_socket *listener)
{
    struct sim_ids *waiting = &listener->waiting;
    if (waiting->count == 0)
        return NULL;
    struct sim_socket *socket = sim_socket_by_id(listener->loop->network, waiting->items[0]);
    memmove(waiting->items, waiting->items + 1, --waiting->count * sizeof *waiting->items);
    return socket;
}

static enum fray_err sim_accept(struct fray_loop *loop, int listener, int *fd,
                                struct fray_address *peer)
{
    struct sim_loop *self = sim_loop_of(loop);
    struct sim_socket *socket = take_waiting(socket_of(loop, listener));
    if (!socket)
        return FRAY_ERR_AGAIN;
    if (!has_descriptor(self)) {
        sim_socket_close(socket, false);
        loop->refused++;
        return FRAY_ERR_LIMIT;
    }
    self->descriptors++;
    *peer = socket->remote;
    *fd = socket->fd;
    return FRAY_OK;
}

static enum fray_err sim_connect(struct fray_loop *loop, const struct fray_address *address,
                                 int *fd)
{
    struct sim_loop *self = sim_loop_of(loop);
    if (!has_descriptor(self))
        return FRAY_ERR_LIMIT;
    struct sim_socket *socket = sim_socket_create(self, SIM_CONNECTING);
    const uint8_t v4[4] = {10, 0, (uint8_t)(self->index >> 8), (uint8_t)self->index};
    const uint8_t v6[16] = {0xfd, [14] = v4[2], [15] = v4[3]};
    uint16_t port = sim_network_next_port(self->network);
    if (address->is_v4)
        fray_address_set_v4(&socket->local, v4, port);
    else
        fray_address_set_v6(&socket->local, v6, port);
    socket->remote = *address;
    self->descriptors++;
    sim_socket_connect(socket);
    *fd = socket->fd;
    return FRAY_OK;
}

static enum fray_err sim_read(struct fray_loop *loop, int fd, void *data, size_t len, size_t *count)
{
    return sim_socket_read(socket_of(loop, fd), data, len, count);
}

static enum fray_err sim_writev(struct fray_loop *loop, int fd, const struct iovec *parts,
                                int parts_count, size_t *count)
{
    return sim_socket_write(socket_of(loop, fd), parts, parts_count, count);
}

static void sim_shutdown(struct fray_loop *loop, int fd)
{
    sim_socket_finish(socket_of(loop, fd));
}

static void sim_close(struct fray_loop *loop, int fd, bool reset)
{
    struct sim_socket *socket = sim_socket_by_fd(sim_loop_of(loop)->network, fd);
    socket->loop->descriptors--; /* it may be on its way from one loop to another */
    sim_socket_close(socket, reset);
}

static enum fray_err sim_local_address(struct fray_loop *loop, int fd, struct fray_address *address)
{
    *address = socket_of(loop, fd)->local;
    return FRAY_OK;
}

/* Descriptors belong to the process, so a loop may watch what another has let go of. */
static void move_here(struct sim_loop *self, struct sim_socket *socket)
{
    assert(!socket->source);
    socket->loop->descriptors--;
    self->descriptors++;
    socket->loop = self;
    socket->is_queued = false;
}

static enum fray_err sim_watch(struct fray_loop *loop, struct fray_source *source, unsigned mask)
{
    struct sim_loop *self = sim_loop_of(loop);
    struct sim_socket *socket = sim_socket_by_fd(self->network, source->fd);
    if (socket->loop != self)
        move_here(self, socket);
    assert(!socket->source || socket->source == source);
    socket->source = mask ? source : NULL;
    source->watched = (uint8_t)mask;
    sim_socket_queue(socket);
    return FRAY_OK;
}

/* In any order, for the kernel promises none. What is still ready then is called again next time.
 */
static void call_ready(struct sim_loop *self)
{
    struct fray_sim_network *network = self->network;
    struct sim_ids batch = self->ready;
    self->ready = (struct sim_ids){0};
    for (size_t i = batch.count; i > 1; i--) {
        size_t other = fray_rng_below(&network->rng, i);
        sim_id kept = batch.items[i - 1];
        batch.items[i - 1] = batch.items[other];
        batch.items[other] = kept;
    }
    for (size_t i = 0; i < batch.count; i++) {
        struct sim_socket *socket = sim_socket_by_id(network, batch.items[i]);
        if (!socket || socket->loop != self)
            continue;
        socket->is_queued = false;
        unsigned ready = socket->source ? sim_socket_ready(socket) & socket->source->watched : 0;
        if (!ready)
            continue;
        socket->source->on_ready(&self->loop, socket->source, ready);
        socket = sim_socket_by_id(network, batch.items[i]);
        if (socket)
            sim_socket_queue(socket);
    }
    free(batch.items);
}

/* Outside of fray_sim_run_until a loop that waits moves the time itself. */
static void sim_wait(struct fray_loop *loop, uint64_t timeout_us)
{
    struct sim_loop *self = sim_loop_of(loop);
    struct fray_sim_network *network = self->network;
    uint64_t end_us =
        timeout_us > UINT64_MAX - network->now_us ? UINT64_MAX : network->now_us + timeout_us;
    while (self->ready.count == 0 && !self->is_woken && network->now_us < end_us) {
        uint64_t next_us = sim_network_next_us(network);
        assert(next_us != UINT64_MAX || end_us != UINT64_MAX); /* it would wait for ever */
        sim_network_advance(network, next_us < end_us ? next_us : end_us);
    }
    self->is_woken = false;
    loop->now_us = network->now_us;
    call_ready(self);
}

static void sim_wake(struct fray_loop *loop)
{
    sim_loop_of(loop)->is_woken = true;
}

static void sim_destroy(struct fray_loop *loop)
{
    struct sim_loop *self = sim_loop_of(loop);
    struct fray_sim_network *network = self->network;
    for (size_t slot = 0; slot < network->sockets_cap; slot++) {
        struct sim_socket *socket = network->sockets[slot];
        if (socket && socket->loop == self)
            sim_socket_close(socket, false);
    }
    struct sim_loop **link = &network->loops;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    free(self->ready.items);
    fray_loop_deinit(loop);
    free(self);
}

static const struct fray_loop_ops sim_ops = {
    .clock_us = sim_clock_us,
    .listen = sim_listen,
    .accept = sim_accept,
    .connect = sim_connect,
    .read = sim_read,
    .writev = sim_writev,
    .shutdown = sim_shutdown,
    .close = sim_close,
    .local_address = sim_local_address,
    .watch = sim_watch,
    .wait = sim_wait,
    .wake = sim_wake,
    .destroy = sim_destroy,
};

struct fray_loop *fray_loop_sim_create(struct fray_sim_network *network)
{
    struct sim_loop *self = fray_alloc_zero(sizeof *self);
    self->network = network;
    self->index = ++network->loops_made;
    self->descriptors_max = UINT32_MAX;
    self->next = network->loops;
    network->loops = self;
    fray_loop_init(&self->loop, &sim_ops);
    return &self->loop;
}

void fray_sim_reset(struct fray_loop *loop, int fd)
{
    sim_socket_break(socket_of(loop, fd));
}

void fray_sim_stall(struct fray_loop *loop, int fd)
{
    sim_socket_stall(socket_of(loop, fd));
}

void fray_sim_set_descriptors_max(struct fray_loop *loop, unsigned max)
{
    sim_loop_of(loop)->descriptors_max = max;
}

unsigned fray_sim_descriptors(const struct fray_loop *loop)
{
    return ((const struct sim_loop *)loop)->descriptors;
}

static bool has_work(const struct sim_loop *self)
{
    return self->ready.count > 0 || self->is_woken ||
           fray_timer_wheel_next_us(&self->loop.timers) <= self->network->now_us;
}

static bool turn_all(struct fray_sim_network *network, bool even_idle)
{
    bool turned = false;
    for (struct sim_loop *loop = network->loops, *next; loop; loop = next) {
        next = loop->next;
        if (!even_idle && !has_work(loop))
            continue;
        fray_loop_turn(&loop->loop, 0);
        turned = true;
    }
    return turned;
}

static uint64_t next_us(const struct fray_sim_network *network)
{
    uint64_t earliest = sim_network_next_us(network);
    for (const struct sim_loop *loop = network->loops; loop; loop = loop->next) {
        uint64_t timer_us = fray_timer_wheel_next_us(&loop->loop.timers);
        if (timer_us < earliest)
            earliest = timer_us;
    }
    return earliest;
}

bool fray_sim_run_until(struct fray_sim_network *network, uint64_t until_us,
                        bool (*is_done)(void *context), void *context)
{
    bool is_first = true;
    for (unsigned turns = 0;; is_first = false) {
        if (is_done && is_done(context))
            return true;
        if (turn_all(network, is_first)) {
            turns++;
            assert(turns < TURNS_WITHOUT_TIME_MAX); /* somebody is always ready and does nothing */
            continue;
        }
        turns = 0;
        uint64_t next = next_us(network);
        sim_network_advance(network, next < until_us ? next : until_us);
        if (next > until_us)
            return false;
    }
}
