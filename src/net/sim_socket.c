/* One end of a simulated connection (net/sim_network.h). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/sim_network.h"

enum {
    FIRST_FD = 10000, /* no real descriptor is that large: a mix-up is noticed */
    ID_SLOT_BITS = 24,
};

void sim_ids_push(struct sim_ids *ids, sim_id id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap ? ids->cap * 2 : 8;
        ids->items = fray_realloc(ids->items, ids->cap * sizeof *ids->items);
    }
    ids->items[ids->count++] = id;
}

/* Finding. */

/* The lowest that is free, as the kernel does it: a stale descriptor soon means somebody else. */
static size_t take_slot(struct fray_sim_network *network)
{
    size_t slot = 0;
    while (slot < network->sockets_cap && network->sockets[slot])
        slot++;
    if (slot == network->sockets_cap) {
        size_t cap = slot ? slot * 2 : 64;
        network->sockets = fray_realloc(network->sockets, cap * sizeof *network->sockets);
        memset(network->sockets + slot, 0, (cap - slot) * sizeof *network->sockets);
        network->sockets_cap = cap;
    }
    return slot;
}

struct sim_socket *sim_socket_create(struct sim_loop *loop, enum sim_state state)
{
    struct fray_sim_network *network = loop->network;
    struct sim_socket *socket = fray_alloc_zero(sizeof *socket);
    size_t slot = take_slot(network);
    assert(slot < (size_t)1 << ID_SLOT_BITS);
    network->sockets[slot] = socket;
    socket->id = ++network->sockets_made << ID_SLOT_BITS | slot;
    socket->fd = FIRST_FD + (int)slot;
    socket->state = state;
    socket->loop = loop;
    return socket;
}

struct sim_socket *sim_socket_by_fd(const struct fray_sim_network *network, int fd)
{
    size_t slot = (size_t)fd - FIRST_FD;
    assert(fd >= FIRST_FD && slot < network->sockets_cap && network->sockets[slot]);
    return network->sockets[slot];
}

struct sim_socket *sim_socket_by_id(const struct fray_sim_network *network, sim_id id)
{
    size_t slot = id & (((sim_id)1 << ID_SLOT_BITS) - 1);
    if (id == 0 || slot >= network->sockets_cap)
        return NULL;
    struct sim_socket *socket = network->sockets[slot];
    return socket && socket->id == id ? socket : NULL;
}

static bool listens_on(const struct sim_socket *socket, const struct fray_address *address)
{
    static const uint8_t any_v6[16], any_v4[16] = {[10] = 0xff, [11] = 0xff};
    const struct fray_address *local = &socket->local;
    return socket->state == SIM_LISTENING && local->port == address->port &&
           local->is_v4 == address->is_v4 &&
           (memcmp(local->ip, local->is_v4 ? any_v4 : any_v6, 16) == 0 ||
            memcmp(local->ip, address->ip, 16) == 0);
}

/* Of several that share the port, each has the same chance. */
struct sim_socket *sim_socket_listening(struct fray_sim_network *network,
                                        const struct fray_address *address)
{
    struct sim_socket *chosen = NULL;
    uint64_t count = 0;
    for (size_t slot = 0; slot < network->sockets_cap; slot++) {
        struct sim_socket *socket = network->sockets[slot];
        if (socket && listens_on(socket, address) &&
            (++count == 1 || fray_rng_below(&network->rng, count) == 0))
            chosen = socket;
    }
    return chosen;
}

/* Readiness. */

static size_t received_len(const struct sim_socket *socket)
{
    return socket->received.len - socket->received_start;
}

static size_t window_room(const struct sim_socket *socket)
{
    size_t window = socket->loop->network->options.window;
    return window > socket->unread_by_peer ? window - socket->unread_by_peer : 0;
}

/* A socket is writable again when a third of its window is free, as in Linux. */
unsigned sim_socket_ready(const struct sim_socket *socket)
{
    switch (socket->state) {
    case SIM_LISTENING: return socket->waiting.count ? FRAY_READY_READ : 0;
    case SIM_CONNECTING: return 0;
    case SIM_BROKEN: return FRAY_READY_READ | FRAY_READY_WRITE;
    case SIM_OPEN: break;
    }
    bool reads = received_len(socket) > 0 || socket->has_fin;
    bool writes = window_room(socket) > socket->loop->network->options.window / 3;
    return (reads ? FRAY_READY_READ : 0u) | (writes ? FRAY_READY_WRITE : 0u);
}

void sim_socket_queue(struct sim_socket *socket)
{
    if (!socket->source || socket->is_queued ||
        !(sim_socket_ready(socket) & socket->source->watched))
        return;
    socket->is_queued = true;
    sim_ids_push(&socket->loop->ready, socket->id);
}

/* Bytes. */

void sim_socket_connect(struct sim_socket *socket)
{
    sim_event_send_in_order(socket, (struct sim_event){.kind = SIM_SYN, .from = socket->id});
}

enum fray_err sim_socket_read(struct sim_socket *socket, void *data, size_t len, size_t *count)
{
    *count = 0;
    size_t has = received_len(socket);
    if (has == 0) {
        if (socket->state == SIM_BROKEN)
            return FRAY_ERR_IO;
        return socket->has_fin ? FRAY_ERR_CLOSED : FRAY_ERR_AGAIN;
    }
    *count = has < len ? has : len;
    memcpy(data, socket->received.data + socket->received_start, *count);
    socket->received_start += *count;
    if (*count == has) {
        fray_buf_deinit(&socket->received);
        socket->received_start = 0;
    }
    sim_event_send(socket->loop->network,
                   (struct sim_event){
                       .kind = SIM_WINDOW, .from = socket->id, .to = socket->peer, .len = *count});
    return FRAY_OK;
}

/* Sends up to `len` bytes, in segments; a segment may bring about the end of the connection. */
static void send_segments(struct sim_socket *socket, const char *data, size_t len)
{
    struct fray_sim_network *network = socket->loop->network;
    const struct fray_sim_options *options = &network->options;
    while (len > 0) {
        size_t now = 1 + fray_rng_below(&network->rng, options->segment_max);
        now = now < len ? now : len;
        struct sim_event event = {.kind = SIM_DATA, .from = socket->id, .to = socket->peer};
        event.data = fray_alloc(now);
        event.len = now;
        memcpy(event.data, data, now);
        sim_event_send_in_order(socket, event);
        data += now;
        len -= now;
        if (fray_rng_chance(&network->rng, options->stall_segment))
            sim_socket_stall(socket);
        if (fray_rng_chance(&network->rng, options->reset_segment))
            sim_socket_break(socket);
    }
}

enum fray_err sim_socket_write(struct sim_socket *socket, const struct iovec *parts,
                               int parts_count, size_t *count)
{
    *count = 0;
    for (int i = 0; i < parts_count; i++) {
        if (socket->state == SIM_BROKEN || socket->has_sent_fin)
            return FRAY_ERR_IO;
        if (socket->state == SIM_CONNECTING)
            return FRAY_ERR_AGAIN;
        size_t room = window_room(socket), len = parts[i].iov_len;
        size_t now = len < room ? len : room;
        socket->unread_by_peer += now;
        *count += now;
        send_segments(socket, parts[i].iov_base, now);
        if (now < len)
            return FRAY_ERR_AGAIN;
    }
    return FRAY_OK;
}

void sim_socket_finish(struct sim_socket *socket)
{
    if (socket->has_sent_fin || socket->state != SIM_OPEN)
        return;
    socket->has_sent_fin = true;
    sim_event_send_in_order(
        socket, (struct sim_event){.kind = SIM_FIN, .from = socket->id, .to = socket->peer});
}

/* Ends. */

/* What is on its way to the socket will not arrive. */
static void cut(struct fray_sim_network *network, sim_id id)
{
    struct sim_socket *socket = sim_socket_by_id(network, id);
    if (socket)
        socket->is_cut = true;
}

static void send_reset(struct sim_socket *socket)
{
    cut(socket->loop->network, socket->peer);
    sim_event_send(socket->loop->network,
                   (struct sim_event){.kind = SIM_RESET, .from = socket->id, .to = socket->peer});
}

void sim_socket_break(struct sim_socket *socket)
{
    struct fray_sim_network *network = socket->loop->network;
    send_reset(socket);
    cut(network, socket->id);
    sim_event_send(network,
                   (struct sim_event){.kind = SIM_RESET, .from = socket->peer, .to = socket->id});
}

void sim_socket_stall(struct sim_socket *socket)
{
    struct sim_socket *peer = sim_socket_by_id(socket->loop->network, socket->peer);
    socket->is_silent = true;
    if (peer)
        peer->is_silent = true;
}

/* Unread bytes turn the end into a reset (RFC 9293 3.6.1, RFC 1122 4.2.2.13). */
static void end_connection(struct sim_socket *socket, bool reset)
{
    if (socket->state != SIM_OPEN)
        return;
    struct sim_socket *peer = sim_socket_by_id(socket->loop->network, socket->peer);
    if (socket->is_silent && peer)
        peer->is_silent = true;
    if (reset || received_len(socket) > 0)
        send_reset(socket);
    else
        sim_socket_finish(socket);
}

void sim_socket_close(struct sim_socket *socket, bool reset)
{
    struct fray_sim_network *network = socket->loop->network;
    end_connection(socket, reset);
    for (size_t i = 0; i < socket->waiting.count; i++) {
        struct sim_socket *waiting = sim_socket_by_id(network, socket->waiting.items[i]);
        if (waiting)
            sim_socket_close(waiting, true);
    }
    free(socket->waiting.items);
    fray_buf_deinit(&socket->received);
    network->sockets[socket->fd - FIRST_FD] = NULL;
    free(socket);
}
