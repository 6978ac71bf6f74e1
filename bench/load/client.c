#include "client.h"

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "clock.h"

enum { INPUT_SIZE = 24 };

const struct protocol *protocol_find(const char *name)
{
    static const struct protocol *const protocols[] = {&protocol_socketio, &protocol_polling,
                                                       &protocol_websocket, &protocol_mqtt};
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    }
    return NULL;
}

void client_open(struct client *client)
{
    client->state = CLIENT_OPENING;
    client->opened_ns = clock_now_ns();
    client->protocol->open(client);
}

void client_close(struct client *client)
{
    client->state = CLIENT_CLOSED;
    client->protocol->close(client);
}

void client_ready(struct client *client)
{
    client->state = CLIENT_READY;
    bench_on_ready(client->bench, client);
}

void client_lost(struct client *client, const char *reason)
{
    if (client->state == CLIENT_CLOSED)
        return;
    if (client->bench->lost < 5) /* the first ones tell enough */
        fprintf(stderr, "load: client %u: %s\n", client->index, reason);
    bool was_ready = client->state == CLIENT_READY;
    client->state = CLIENT_CLOSED;
    bench_on_lost(client->bench, client, was_ready);
}

void client_send(struct client *client, enum message_kind kind)
{
    struct bench *bench = client->bench;
    if (client->state != CLIENT_READY)
        return;
    bool is_input = kind == MESSAGE_INPUT;
    bench->sent += !is_input;
    client->protocol->send(client, &(struct message){kind, clock_now_ns() / 1000,
                                                     is_input ? INPUT_SIZE : bench->options.size});
}

void client_received(struct client *client, struct fray_slice text)
{
    struct fray_slice mark = client->bench->time_mark;
    const char *at = memmem(text.data, text.len, mark.data, mark.len);
    const char *end = text.data + text.len;
    uint64_t sent_us = 0;
    if (!at)
        return;
    for (at += mark.len; at < end && *at >= '0' && *at <= '9'; at++)
        sent_us = sent_us * 10 + (uint64_t)(*at - '0');
    bench_on_delivered(client->bench, client, sent_us, text.len);
}
