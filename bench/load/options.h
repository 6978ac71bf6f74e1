/* What the command line asks for. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdint.h>
#include <sys/types.h>

struct protocol;
struct workload;

struct options {
    const struct protocol *protocol;
    const struct workload *workload;
    const char *path;      /* of the WebSocket handshake; NULL: the protocol's own */
    pid_t server_pid;      /* whose CPU time and memory are measured; 0: nobody's */
    double rate;           /* messages a second: of the sender, or of every player */
    double input_rate;     /* broadcast: messages a second of each receiver, for the server alone */
    double seconds;        /* measured */
    double warmup_seconds; /* under load, not measured */
    unsigned clients;      /* receivers, players, pairs, or handshakes in all */
    unsigned window;       /* broadcast, pairs: keep so many messages under way, not a rate */
    unsigned burst;        /* broadcast: messages sent in one write */
    unsigned size;         /* bytes of a message, roughly: its protocol's words included */
    unsigned qos;          /* MQTT: of publications and subscriptions, 0 to 2 */
    unsigned concurrency;  /* handshakes under way at the same time */
    uint16_t port;         /* on 127.0.0.1 */
};

/* Ends the program with a usage text when the command line is wrong. */
struct options options_parse(int argc, char **argv);

#endif
