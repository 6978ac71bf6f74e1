/* One match as its client plays it by game packets (docs/protocols.md, "Game packets"): which tick
 * it is, what the own seat does and will have done, what the others did. It has no clock, no
 * connection and no memory: all are handed in. So the same source is in C clients, in simulations,
 * and in the WebAssembly module that pages play a game with (web/sdk/wasm/netcode.c).
 *
 *     packets ──▶ receive ──▶ snapshots by sequence number ──▶ interpolation: between two of them
 *                                     │ newest
 *     input ──▶ sampled each tick ────┴──▶ prediction: stepped on from it
 *                   └──▶ INPUT packets ──▶ send            timing.h says which ticks these are
 *
 * Owner: who initialised it. One thread. Times are microseconds. Freestanding, pure. */
#ifndef FRAY_CLIENT_NETCODE_H
#define FRAY_CLIENT_NETCODE_H

#include "client/interpolation.h"
#include "client/timing.h"

enum {
    FRAY_NETCODE_EVENTS = 256,      /* that wait to be shown; of more, the oldest are told early */
    FRAY_NETCODE_PACKET_MAX = 2048, /* the longest that is sent */
    FRAY_NETCODE_TELEPORT_PX = 24,
    FRAY_NETCODE_SNAP_PX = 96,
};

struct fray_netcode_config {
    const struct fray_game *game;
    uint32_t seat; /* FRAY_GAME_NOBODY: a spectator */
    uint8_t snapshot_hz;
    uint8_t input_batch; /* ticks in one packet of a stream; 0: by the game's pace */
    bool is_stream;      /* packets arrive, and in order; else the last inputs are repeated */
    bool no_prediction;
    double snap_px; /* 0: the standard, as is the smoothing's teleport_px */
    struct fray_client_smoothing smoothing;
    /* These but send are optional. What they are given is borrowed for the call. */
    void (*send)(void *context, const void *packet, size_t len);
    void (*on_event)(void *context, const struct fray_game_event *event, uint32_t tick);
    void (*on_events_lost)(void *context);
    void (*on_welcome)(void *context);
    /* The hash of a tick's view, here and at the server: they should be equal. */
    void (*on_hash)(void *context, uint32_t tick, uint64_t own, uint64_t server);
    void (*on_refused)(void *context, uint8_t code); /* enum fray_packet_refusal */
    void (*on_input)(void *context, uint32_t tick, const void *input); /* it was sampled */
    void *context;
};

struct fray_netcode {
    struct fray_netcode_config config;
    struct fray_client_clock clock;
    struct fray_client_pace pace;
    struct fray_client_playback playback;
    struct fray_client_snapshots snapshots;
    struct fray_client_inputs inputs;
    struct fray_client_stepper stepper;
    struct fray_client_prediction prediction;
    struct fray_client_interpolation interpolation;

    uint64_t now_us, hello_us;     /* hello_us: of the last; it is said again until WELCOME comes */
    uint64_t tried_us;             /* when inputs or an ack were to be sent last */
    uint64_t heard_us, arrived_us; /* anything; a snapshot */
    bool has_said_hello, is_welcome, has_same_rules;
    bool is_clogged;    /* the host's to say: what is sent waits. Then no inputs are added */
    bool is_desynced;   /* until a complete snapshot comes, or a hash that agrees */
    uint32_t tick;      /* the newest that was sampled; 0: none */
    uint32_t sent_tick; /* and sent */
    uint8_t *batch;     /* inputs of one packet */

    struct fray_packet_snapshot packet; /* the one at hand */
    struct fray_packet_event events[FRAY_NETCODE_EVENTS];
    uint32_t events_first, events_count;
    uint16_t event_seq; /* the newest that came; 0: none */

    uint64_t desyncs, refused; /* refused: packets that were not understood */
};

/* How much memory it needs, 8-byte aligned and zero, until it is used no more. */
size_t fray_netcode_size(const struct fray_game *game);
void fray_netcode_init(struct fray_netcode *netcode, const struct fray_netcode_config *config,
                       void *memory, uint64_t now_us);
/* On another connection, perhaps after a while: HELLO is said again, all follows from its answer.
 * Events that came are told, views stay to be looked at, what is held stays held. */
void fray_netcode_restart(struct fray_netcode *netcode, bool is_stream, uint64_t now_us);
/* A start has been agreed on: until now the server's time stood still. */
void fray_netcode_clock_reset(struct fray_netcode *netcode);
/* Any bytes; false: no packet that a server sends. */
bool fray_netcode_receive(struct fray_netcode *netcode, const void *bytes, size_t len,
                          uint64_t now_us);
/* Samples the inputs of the ticks that are due, sends what is to be sent, tells events. */
void fray_netcode_advance(struct fray_netcode *netcode, uint64_t now_us);
/* Where the match is now, by the clock; 0: not known yet. What is predicted is ahead of it. */
double fray_netcode_server_tick(const struct fray_netcode *netcode, uint64_t now_us);
/* When to advance again. */
uint64_t fray_netcode_due(const struct fray_netcode *netcode);

/* Each view stays until it is asked for again. NULL: there is none. */
const void *fray_netcode_newest(const struct fray_netcode *netcode);
uint32_t fray_netcode_newest_tick(const struct fray_netcode *netcode); /* 0: none */
/* At the newest tick that was sampled, exactly; and so far on the way to the next, to be drawn,
 * which stays to be looked at while a new connection or game has told nothing yet. */
const void *fray_netcode_predicted(struct fray_netcode *netcode);
const void *fray_netcode_drawn(struct fray_netcode *netcode, uint64_t now_us);
const void *fray_netcode_interpolated(struct fray_netcode *netcode, uint64_t now_us);
/* The tick that fray_netcode_interpolated shows, with its fraction; 0: none. */
double fray_netcode_shown(struct fray_netcode *netcode, uint64_t now_us);

#endif
