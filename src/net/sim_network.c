/* What is on its way: the queue of events, and what each does on arrival. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/sim_network.h"

enum { SYN_QUEUE_MAX = 4096, SYN_AGAIN_US = 1000000, FIRST_PORT = 40000 };

void fray_sim_options_default(struct fray_sim_options *options)
{
    *options = (struct fray_sim_options){
        .latency_us = 1000,
        .jitter_us = 200,
        .retransmit_us = 200000,
        .window = 64 * 1024,
        .segment_max = 1448,
    };
}

struct fray_sim_network *fray_sim_network_create(uint64_t seed)
{
    struct fray_sim_network *network = fray_alloc_zero(sizeof *network);
    fray_sim_options_default(&network->options);
    fray_rng_init(&network->rng, seed);
    network->now_us = 1000000; /* so that "a second ago" exists */
    network->last_port = FIRST_PORT;
    return network;
}

void fray_sim_network_destroy(struct fray_sim_network *network)
{
    assert(!network->loops);
    for (size_t i = 0; i < network->events_count; i++)
        free(network->events[i].data);
    free(network->events);
    free(network->sockets);
    free(network);
}

struct fray_sim_options *fray_sim_network_options(struct fray_sim_network *network)
{
    return &network->options;
}

uint64_t fray_sim_now_us(const struct fray_sim_network *network)
{
    return network->now_us;
}

uint64_t fray_sim_trace_hash(const struct fray_sim_network *network)
{
    return network->trace_hash;
}

uint16_t sim_network_next_port(struct fray_sim_network *network)
{
    network->last_port = network->last_port == UINT16_MAX ? FIRST_PORT : network->last_port + 1;
    return network->last_port;
}

/* The heap. */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_push(struct fray_sim_network *network, struct sim_event event)
{
    if (network->events_count == network->events_cap) {
        network->events_cap = network->events_cap ? network->events_cap * 2 : 64;
        network->events =
            fray_realloc(network->events, network->events_cap * sizeof *network->events);
    }
    size_t at = network->events_count++;
    network->events[at] = event;
    while (at > 0 && is_before(&network->events[at], &network->events[(at - 1) / 2])) {
        swap(&network->events[at], &network->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct sim_event heap_pop(struct fray_sim_network *network)
{
    struct sim_event *events = network->events, first = events[0];
    size_t count = --network->events_count, at = 0;
    events[0] = events[count];
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < count; i++) {
            if (is_before(&events[i], &events[least]))
                least = i;
        }
        if (least == at)
            return first;
        swap(&events[at], &events[least]);
        at = least;
    }
}

/* Sending. */

static uint64_t delay_us(struct fray_sim_network *network)
{
    const struct fray_sim_options *options = &network->options;
    uint64_t delay = options->latency_us + fray_rng_below(&network->rng, options->jitter_us + 1);
    if (fray_rng_chance(&network->rng, options->lose_segment))
        delay += options->retransmit_us;
    return delay;
}

void sim_event_send(struct fray_sim_network *network, struct sim_event event)
{
    event.at_us = network->now_us + delay_us(network);
    event.order = ++network->sent;
    heap_push(network, event);
}

void sim_event_send_in_order(struct sim_socket *socket, struct sim_event event)
{
    struct fray_sim_network *network = socket->loop->network;
    uint64_t leaves_us = network->now_us;
    if (network->options.bytes_per_second) {
        if (socket->line_free_us > leaves_us)
            leaves_us = socket->line_free_us;
        leaves_us += event.len * 1000000 / network->options.bytes_per_second;
        socket->line_free_us = leaves_us;
    }
    event.at_us = leaves_us + delay_us(network);
    if (event.at_us < socket->last_us)
        event.at_us = socket->last_us;
    socket->last_us = event.at_us;
    event.order = ++network->sent;
    heap_push(network, event);
}

/* Arriving. */

static void refuse(struct fray_sim_network *network, const struct sim_event *syn)
{
    sim_event_send(network, (struct sim_event){.kind = SIM_REFUSED, .to = syn->from});
}

static void on_syn(struct fray_sim_network *network, const struct sim_event *event)
{
    struct sim_socket *client = sim_socket_by_id(network, event->from);
    if (!client || client->is_silent)
        return; /* gave up meanwhile */
    struct sim_socket *listener = sim_socket_listening(network, &client->remote);
    if (!listener || fray_rng_chance(&network->rng, network->options.refuse_connect)) {
        refuse(network, event);
        return;
    }
    if (listener->waiting.count >= SYN_QUEUE_MAX) { /* dropped, as Linux does; TCP tries again */
        struct sim_event again = *event;
        again.at_us = network->now_us + SYN_AGAIN_US;
        again.order = ++network->sent;
        heap_push(network, again);
        return;
    }
    struct sim_socket *server = sim_socket_create(listener->loop, SIM_OPEN);
    server->local = client->remote;
    server->remote = client->local;
    server->peer = client->id;
    sim_ids_push(&listener->waiting, server->id);
    sim_socket_queue(listener);
    sim_event_send_in_order(
        server, (struct sim_event){.kind = SIM_ACCEPTED, .from = server->id, .to = client->id});
}

static void on_arrival(struct sim_socket *to, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_ACCEPTED:
        to->state = SIM_OPEN;
        to->peer = event->from;
        break;
    case SIM_DATA: fray_buf_append(&to->received, event->data, event->len); break;
    case SIM_FIN: to->has_fin = true; break;
    case SIM_REFUSED:
    case SIM_RESET: to->state = SIM_BROKEN; break;
    case SIM_WINDOW: to->unread_by_peer -= event->len; break;
    case SIM_SYN: break;
    }
    sim_socket_queue(to);
}

/* Whoever sends to a socket that is closed is told so. */
static void on_arrival_at_nobody(struct fray_sim_network *network, const struct sim_event *event)
{
    if (event->kind == SIM_DATA || event->kind == SIM_ACCEPTED)
        sim_event_send(network, (struct sim_event){.kind = SIM_RESET, .to = event->from});
}

static void trace(struct fray_sim_network *network, const void *data, size_t len)
{
    const unsigned char *bytes = data; /* FNV-1a, 64 bits */
    uint64_t hash = network->trace_hash ? network->trace_hash : UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    network->trace_hash = hash;
}

static void deliver(struct fray_sim_network *network, const struct sim_event *event)
{
    struct sim_socket *to = sim_socket_by_id(network, event->to);
    if (to && (to->is_silent || (to->is_cut && event->kind != SIM_RESET)))
        return;
    const uint64_t facts[] = {event->at_us, event->kind, event->from, event->to, event->len};
    trace(network, facts, sizeof facts);
    if (event->kind == SIM_DATA)
        trace(network, event->data, event->len);
    if (event->kind == SIM_SYN)
        on_syn(network, event);
    else if (to && to->state != SIM_BROKEN)
        on_arrival(to, event);
    else if (!to)
        on_arrival_at_nobody(network, event);
}

uint64_t sim_network_next_us(const struct fray_sim_network *network)
{
    return network->events_count ? network->events[0].at_us : UINT64_MAX;
}

void sim_network_advance(struct fray_sim_network *network, uint64_t now_us)
{
    while (sim_network_next_us(network) <= now_us) {
        struct sim_event event = heap_pop(network);
        if (event.at_us > network->now_us)
            network->now_us = event.at_us;
        deliver(network, &event);
        free(event.data);
    }
    if (now_us > network->now_us)
        network->now_us = now_us;
}
