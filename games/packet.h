/* The packets of the game protocol, byte by byte in docs/protocols.md, "Game packets". The same
 * source encodes and decodes them in the server, in C clients and inside a game's WebAssembly
 * module. They travel as binary messages of the namespace /games, or as datagrams.
 *
 * Decoders take any bytes: they return false for what is malformed, trailing bytes included, and
 * then what they were to fill in is undefined. Encoders return the length, or 0 when it exceeds
 * `size`. Freestanding, pure. */
#ifndef FRAY_GAMES_PACKET_H
#define FRAY_GAMES_PACKET_H

#include "fray/game.h"

enum {
    FRAY_PACKET_VERSION = 1,
    FRAY_PACKET_INPUTS_MAX = 24,      /* of one INPUT */
    FRAY_PACKET_EVENTS_MAX = 64,      /* of one SNAPSHOT; more wait for the next */
    FRAY_PACKET_NO_MARGIN = -128,     /* no input has arrived yet */
    FRAY_PACKET_SNAPSHOT_HEADER = 22, /* at most, before the bits */
};

enum fray_packet_type {
    FRAY_PACKET_HELLO = 0x01,
    FRAY_PACKET_INPUT = 0x02,
    FRAY_PACKET_PING = 0x03,
    FRAY_PACKET_REPORT = 0x04,
    FRAY_PACKET_WELCOME = 0x81,
    FRAY_PACKET_SNAPSHOT = 0x82,
    FRAY_PACKET_PONG = 0x83,
    FRAY_PACKET_REFUSED = 0x84,
};

/* ------------------------------------------------------------------ client to server */

enum fray_packet_hello_flag { FRAY_HELLO_STREAM = 1 }; /* the way is reliable and in order */

struct fray_packet_hello {
    uint8_t version;
    uint8_t flags;
    uint8_t snapshot_hz; /* wished; 0: the default */
};

enum fray_packet_input_flag {
    FRAY_INPUT_NEED_FULL = 1, /* a snapshot's baseline is not there any more */
    FRAY_INPUT_HAS_VIEW = 2,
};

struct fray_packet_input {
    uint8_t flags;
    uint8_t count;       /* of inputs, 0 … FRAY_PACKET_INPUTS_MAX; 0: only an ack */
    uint16_t ack;        /* seq of the newest snapshot that was decoded; 0: none */
    uint32_t ack_bits;   /* bit i: ack − 1 − i (skipping 0) was too */
    uint32_t view;       /* with FRAY_INPUT_HAS_VIEW: what is looked at, in 1/256 ticks */
    uint32_t first_tick; /* with count > 0: of the first input; the others follow tick by tick */
};

/* "This is what I have, the server says otherwise." */
struct fray_packet_report {
    uint32_t tick;
    uint64_t hash; /* the client's */
};

size_t fray_packet_hello_encode(const struct fray_packet_hello *hello, void *out, size_t size);
bool fray_packet_hello_decode(struct fray_packet_hello *hello, const void *bytes, size_t len);

/* `inputs`: count × game->input_size bytes. To decode there must be room for the most. */
size_t fray_packet_input_encode(const struct fray_game *game,
                                const struct fray_packet_input *packet, const void *inputs,
                                void *out, size_t size);
bool fray_packet_input_decode(const struct fray_game *game, struct fray_packet_input *packet,
                              void *inputs, const void *bytes, size_t len);

size_t fray_packet_ping_encode(uint32_t stamp, void *out, size_t size);
bool fray_packet_ping_decode(uint32_t *stamp, const void *bytes, size_t len);

size_t fray_packet_report_encode(const struct fray_packet_report *report, void *out, size_t size);
bool fray_packet_report_decode(struct fray_packet_report *report, const void *bytes, size_t len);

/* ------------------------------------------------------------------ server to client */

struct fray_packet_welcome {
    uint8_t version;
    uint8_t seat; /* FRAY_GAME_NOBODY: a spectator */
    uint8_t tick_hz;
    uint8_t snapshot_hz;
    uint8_t flags; /* 0 */
    uint32_t tick;
    uint64_t rules; /* fray_game_rules: who has others must not predict */
};

enum fray_packet_snapshot_flag {
    FRAY_SNAPSHOT_HASH = 1,
    FRAY_SNAPSHOT_EVENTS_LOST = 2, /* between the last snapshot's events and this one's */
};

struct fray_packet_event {
    uint16_t seq; /* from 1, skipping 0, counted for each viewer */
    uint16_t reserved;
    uint32_t tick;                /* of the state after the step in which it happened */
    struct fray_game_event event; /* its `to` is FRAY_GAME_NOBODY */
};

struct fray_packet_snapshot {
    uint8_t flags;
    int8_t margin;          /* ticks before its use that the newest input arrived; negative: late */
    uint16_t seq, base_seq; /* equal: full */
    uint16_t reserved;
    uint32_t tick;
    uint32_t input_tick; /* the newest input tick of the seat that is behind the server; 0: none */
    uint32_t events_count;
    uint64_t hash; /* with FRAY_SNAPSHOT_HASH: fray_game_hash of the view */
    struct fray_packet_event events[FRAY_PACKET_EVENTS_MAX]; /* with consecutive seq */
};

struct fray_packet_pong {
    uint32_t stamp, tick;
    uint16_t phase; /* 1/65536 of the tick that have passed since it began */
};

enum fray_packet_refusal {
    FRAY_REFUSED_MALFORMED = 1,
    FRAY_REFUSED_NOT_IN_MATCH = 2,
    FRAY_REFUSED_NOT_TICKED = 3,
    FRAY_REFUSED_FLOODING = 4,
    FRAY_REFUSED_NO_HELLO = 5,
    FRAY_REFUSED_VERSION = 6, /* HELLO of another version than FRAY_PACKET_VERSION */
};

size_t fray_packet_welcome_encode(const struct fray_packet_welcome *welcome, void *out,
                                  size_t size);
bool fray_packet_welcome_decode(struct fray_packet_welcome *welcome, const void *bytes, size_t len);

size_t fray_packet_pong_encode(const struct fray_packet_pong *pong, void *out, size_t size);
bool fray_packet_pong_decode(struct fray_packet_pong *pong, const void *bytes, size_t len);

size_t fray_packet_refused_encode(uint8_t code, void *out, size_t size);
bool fray_packet_refused_decode(uint8_t *code, const void *bytes, size_t len);

/* The part before the bits, 10 to 22 bytes: what tells which baseline to take, at most 255 before.
 * Decode returns its length, 0 when malformed, and touches no events. */
size_t fray_packet_snapshot_header_encode(const struct fray_packet_snapshot *snapshot, void *out,
                                          size_t size);
size_t fray_packet_snapshot_header_decode(struct fray_packet_snapshot *snapshot, const void *bytes,
                                          size_t len);

/* Makes the seat's view, as fray_game_view does, from the view of the baseline: NULL when the
 * packet is full, and only then. `view` and `base` are state_size bytes and do not overlap. Events
 * may have come before: compare their seq with the newest one seen. */
bool fray_packet_snapshot_decode(const struct fray_game *game, uint32_t seat, const void *base,
                                 void *view, struct fray_packet_snapshot *snapshot,
                                 const void *bytes, size_t len);
/* The plain way to encode, from view to view; src/game/snapshots.h has caches. */
size_t fray_packet_snapshot_encode(const struct fray_game *game, uint32_t seat, const void *base,
                                   const void *view, const struct fray_packet_snapshot *snapshot,
                                   void *out, size_t size);

/* ------------------------------------------------------------------ both */

/* a comes after b: sequence numbers wrap. */
static inline bool fray_packet_seq_newer(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b) > 0;
}

/* 0 means none, so the numbers skip it. */
static inline uint16_t fray_packet_seq_next(uint16_t seq)
{
    return seq == UINT16_MAX ? 1 : (uint16_t)(seq + 1);
}

#endif
