/* One match as its client plays it by game packets (docs/protocols.md, "Game packets"): which tick
 * it is, what the own seat does and will have done, what the others did. It has no clock and no
 * connection: both are handed in, so that it runs in simulations too.
 *
 *     packets ──▶ receive ──▶ views by sequence number ──▶ shown: between two of them
 *                                     │ newest
 *     input ──▶ sampled each tick ────┴──▶ predicted: stepped on from it
 *                   └──▶ INPUT packets ──▶ send
 *
 * Owner: who initialised it. One thread. Times are microseconds. Pure. */
#ifndef FRAY_CLIENT_NETCODE_H
#define FRAY_CLIENT_NETCODE_H

#include "client/timing.h"
#include "fray/client.h"
#include "packet.h"

enum {
    FRAY_NETCODE_VIEWS = 32,   /* as many baselines as the server may name */
    FRAY_NETCODE_INPUTS = 128, /* ticks whose inputs are kept */
    FRAY_NETCODE_EVENTS = 256, /* that wait to be shown; of more, the oldest are told early */
};

struct fray_netcode_config {
    const struct fray_game *game;
    uint32_t seat; /* FRAY_GAME_NOBODY: a spectator */
    uint8_t snapshot_hz;
    uint8_t
        input_batch; /* ticks whose inputs go in one packet of a stream; 0: by the game's pace */
    bool is_stream;  /* packets arrive, and in order; else the last inputs are repeated */
    bool no_prediction;
    void (*send)(void *context, const void *packet, size_t len);
    void (*on_event)(void *context, const struct fray_game_event *event, uint32_t tick);
    void *context;
};

struct fray_netcode_view {
    uint16_t seq; /* 0: none */
    uint32_t tick;
};

struct fray_netcode {
    struct fray_netcode_config config;
    struct fray_client_clock clock;
    struct fray_client_pace pace;
    struct fray_client_playback playback;
    uint64_t now_us, hello_us, sent_us, pinged_us, arrived_us;
    bool is_welcome, can_predict, is_lagging, needs_full;
    bool is_anew; /* the next snapshot is of another game than the views before it */

    struct fray_netcode_view views[FRAY_NETCODE_VIEWS]; /* by seq */
    char *states;                                       /* of the views */
    int newest;                                         /* −1: none */
    uint16_t ack;
    uint32_t ack_bits;
    uint64_t missed;

    char *held;   /* input, see fray_client_input */
    char *inputs; /* by tick */
    uint32_t input_ticks[FRAY_NETCODE_INPUTS];
    uint32_t tick, sent_tick; /* the newest that were sampled and sent; 0: none */

    char *predicted, *own_before; /* own_before: the own row as it was predicted, by tick */
    uint32_t predicted_tick;      /* 0: none */
    char *shown;                  /* interpolated */
    char *step_inputs;
    uint8_t *given;

    struct fray_packet_snapshot snapshot; /* the one at hand */
    struct fray_packet_event events[FRAY_NETCODE_EVENTS];
    uint32_t events_first, events_count;
    uint16_t event_seq; /* the newest that came; 0: none */

    uint64_t snapshots, corrections, desyncs;
};

void fray_netcode_init(struct fray_netcode *netcode, const struct fray_netcode_config *config,
                       uint64_t now_us);
void fray_netcode_deinit(struct fray_netcode *netcode);
/* On another connection, perhaps after a while: baselines are forgotten, HELLO is said again. */
void fray_netcode_restart(struct fray_netcode *netcode, uint64_t now_us);
/* What was learnt of the server's clock does not hold any more: a start has been agreed on. */
void fray_netcode_clock_reset(struct fray_netcode *netcode);
/* Any bytes; false: no packet that a server sends. */
bool fray_netcode_receive(struct fray_netcode *netcode, const void *bytes, size_t len,
                          uint64_t now_us);
/* Samples the inputs of the ticks that are due, sends what is to be sent, tells events. */
void fray_netcode_advance(struct fray_netcode *netcode, uint64_t now_us);
/* When to advance again. */
uint64_t fray_netcode_due(const struct fray_netcode *netcode);

const void *fray_netcode_newest(const struct fray_netcode *netcode);
const void *fray_netcode_predicted(struct fray_netcode *netcode);
const void *fray_netcode_interpolated(struct fray_netcode *netcode, uint64_t now_us);

#endif
