#include "workload.h"

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "client.h"

enum {
    TURNS_MAX = 256, /* messages sent between two looks at the network */
    WAIT_MAX_NS = 1000000,
};

/* ------------------------------------------------------------------ by the clock */

/* Turn k is due k / per_second after the start; who was held up catches up. */
static uint64_t take_turns(struct bench *bench, uint64_t *next, uint64_t now_ns, double per_second,
                           void (*turn)(struct bench *bench, uint64_t number))
{
    double interval_ns = 1e9 / per_second;
    for (int i = 0; i < TURNS_MAX; i++) {
        uint64_t due = bench->started_ns + (uint64_t)((double)*next * interval_ns);
        if (due > now_ns)
            return due - now_ns < WAIT_MAX_NS ? due - now_ns : WAIT_MAX_NS;
        turn(bench, (*next)++);
    }
    return 0;
}

static void everybody(struct bench *bench)
{
    bench->clients_count = bench->options.clients;
    bench->receivers = bench->options.clients;
}

/* ------------------------------------------------------------------ broadcast */

/* The sender is the last client. On plain WebSocket, which has no rooms, it hears itself. */
static void broadcast_plan(struct bench *bench)
{
    bench->clients_count = bench->options.clients + 1;
    bench->receivers =
        bench->options.clients + (bench->options.protocol == &protocol_websocket ? 1 : 0);
}

static void broadcast_cast(struct bench *bench, struct client *client)
{
    client->listens = client->index < bench->options.clients;
    strcpy(client->topic, "r");
    /* Receivers are what is measured: the sender of a polling run need not poll, too. */
    if (!client->listens && client->protocol == &protocol_polling)
        client->protocol = &protocol_socketio;
}

static void broadcast_turn(struct bench *bench, uint64_t number)
{
    struct client *sender = bench->clients[bench->options.clients];
    (void)number;
    if (bench->options.burst == 1) {
        client_send(sender, MESSAGE_BROADCAST);
        return;
    }
    sender->protocol->cork(sender);
    for (unsigned i = 0; i < bench->options.burst; i++)
        client_send(sender, MESSAGE_BROADCAST);
    sender->protocol->uncork(sender);
}

/* All at once, as the clients of a game do that follow the server's ticks. */
static void input_turn(struct bench *bench, uint64_t number)
{
    (void)number;
    for (unsigned i = 0; i < bench->options.clients; i++)
        client_send(bench->clients[i], MESSAGE_INPUT);
}

static uint64_t broadcast_send_due(struct bench *bench, uint64_t now_ns)
{
    const struct options *options = &bench->options;
    uint64_t wait_ns = WAIT_MAX_NS;
    if (options->input_rate > 0)
        wait_ns = take_turns(bench, &bench->next_input, now_ns, options->input_rate, input_turn);
    if (!options->window) {
        uint64_t turn_ns = take_turns(bench, &bench->next_turn, now_ns,
                                      options->rate / options->burst, broadcast_turn);
        return turn_ns < wait_ns ? turn_ns : wait_ns;
    }
    while (bench->sent < bench->delivered / bench->receivers + options->window)
        client_send(bench->clients[options->clients], MESSAGE_BROADCAST);
    return wait_ns;
}

/* ------------------------------------------------------------------ arena */

static void arena_cast(struct bench *bench, struct client *client)
{
    (void)bench;
    client->listens = true;
    strcpy(client->topic, "r");
}

static void arena_turn(struct bench *bench, uint64_t number)
{
    client_send(bench->clients[number % bench->clients_count], MESSAGE_MOVE);
}

static uint64_t arena_send_due(struct bench *bench, uint64_t now_ns)
{
    return take_turns(bench, &bench->next_turn, now_ns, bench->options.rate * bench->clients_count,
                      arena_turn);
}

/* ------------------------------------------------------------------ echo */

static void echo_cast(struct bench *bench, struct client *client)
{
    (void)bench;
    client->listens = true;
    snprintf(client->topic, sizeof client->topic, "e/%u", client->index);
}

static void echo_start(struct bench *bench)
{
    for (unsigned i = 0; i < bench->clients_count; i++)
        client_send(bench->clients[i], MESSAGE_ECHO);
}

static void echo_on_delivered(struct bench *bench, struct client *client)
{
    (void)bench;
    client_send(client, MESSAGE_ECHO);
}

/* ------------------------------------------------------------------ pairs */

/* Subscribers first, then their publishers. */
static void pairs_plan(struct bench *bench)
{
    bench->clients_count = 2 * bench->options.clients;
    bench->receivers = 1;
}

static void pairs_cast(struct bench *bench, struct client *client)
{
    unsigned pairs = bench->options.clients;
    client->listens = client->index < pairs;
    client->partner = bench->clients[(client->index + pairs) % (2 * pairs)];
    snprintf(client->topic, sizeof client->topic, "p/%u", client->index % pairs);
}

static void pairs_start(struct bench *bench)
{
    for (unsigned i = 0; i < bench->options.clients * bench->options.window; i++)
        client_send(bench->clients[bench->options.clients + i % bench->options.clients],
                    MESSAGE_BROADCAST);
}

static void pairs_turn(struct bench *bench, uint64_t number)
{
    client_send(bench->clients[bench->options.clients + number % bench->options.clients],
                MESSAGE_BROADCAST);
}

static uint64_t pairs_send_due(struct bench *bench, uint64_t now_ns)
{
    if (bench->options.window)
        return WAIT_MAX_NS;
    return take_turns(bench, &bench->next_turn, now_ns,
                      bench->options.rate * bench->options.clients, pairs_turn);
}

static void pairs_on_delivered(struct bench *bench, struct client *client)
{
    if (bench->options.window)
        client_send(client->partner, MESSAGE_BROADCAST);
}

/* ------------------------------------------------------------------ idle, storm */

static void silent_cast(struct bench *bench, struct client *client)
{
    (void)bench;
    (void)client;
}

static void storm_plan(struct bench *bench)
{
    const struct options *options = &bench->options;
    bench->clients_count =
        options->clients < options->concurrency ? options->clients : options->concurrency;
}

static const struct workload workloads[] = {
    {.name = "broadcast",
     .has_room = true,
     .plan = broadcast_plan,
     .cast = broadcast_cast,
     .send_due = broadcast_send_due},
    {.name = "arena",
     .has_moves = true,
     .plan = everybody,
     .cast = arena_cast,
     .send_due = arena_send_due},
    {.name = "echo",
     .plan = everybody,
     .cast = echo_cast,
     .start = echo_start,
     .on_delivered = echo_on_delivered},
    {.name = "pairs",
     .plan = pairs_plan,
     .cast = pairs_cast,
     .start = pairs_start,
     .send_due = pairs_send_due,
     .on_delivered = pairs_on_delivered},
    {.name = "idle", .is_idle = true, .plan = everybody, .cast = silent_cast},
    {.name = "storm", .is_storm = true, .plan = storm_plan, .cast = silent_cast},
};

const struct workload *workload_find(const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    }
    return NULL;
}
