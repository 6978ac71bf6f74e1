/* One client of the server, whatever it speaks. A protocol is a table of functions; its clients
 * embed struct client first. */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct bench;

enum client_state { CLIENT_CLOSED, CLIENT_OPENING, CLIENT_READY };

struct client {
    struct bench *bench;
    const struct protocol *protocol;
    struct client *partner; /* of a pair: the other */
    uint64_t opened_ns;     /* when its handshake began */
    unsigned index;         /* unique among the bench's clients */
    enum client_state state;
    bool listens;   /* wants what is sent to `topic` */
    char topic[16]; /* MQTT: what it subscribes and publishes to */
};

enum message_kind {
    MESSAGE_BROADCAST, /* for everybody who listens */
    MESSAGE_MOVE,      /* a player's new position, for everybody */
    MESSAGE_ECHO,      /* back to the sender; on Socket.IO as an acknowledgement */
    MESSAGE_INPUT,     /* for the server alone, as a player's keys are */
};

/* Every message carries the time at which it was sent, in microseconds: that of the moves as their
 * x, that of the others in a text "TS:<16 digits>;xxx…". */
struct message {
    enum message_kind kind;
    uint64_t sent_us;
    size_t size; /* bytes that its text should have; more when that is too few */
};

struct protocol {
    const char *name;
    const char *move_mark; /* what stands before a move's time */
    size_t client_size;
    /* Connects, with handshake, room and subscription; ends in client_ready or client_lost. */
    void (*open)(struct client *client);
    void (*send)(struct client *client, const struct message *message);
    /* What is sent in between leaves in one write. */
    void (*cork)(struct client *client);
    void (*uncork)(struct client *client);
    void (*close)(struct client *client); /* at once, without a word */
};

extern const struct protocol protocol_socketio, protocol_polling, protocol_websocket, protocol_mqtt;

const struct protocol *protocol_find(const char *name); /* NULL: there is none */

/* Called by protocols. */
void client_ready(struct client *client);
/* The server ended the connection, or answered what it should not; `reason` goes to stderr. The
 * protocol's side is closed. */
void client_lost(struct client *client, const char *reason);
/* A message's text has come, or one of the server's own, which holds no time and is ignored. */
void client_received(struct client *client, struct fray_slice text);

/* Called by the bench. */
void client_open(struct client *client);
void client_send(struct client *client, enum message_kind kind);
void client_close(struct client *client);

#endif
