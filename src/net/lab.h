/* The network lab: what a bad network would do to a client's bytes, as arithmetic. It decides when
 * a segment or a datagram arrives and moves no byte itself; lab_wire.h puts it between a loop and
 * its connections, server/lab.h between sessions and their unreliable messages.
 *
 * A stream (TCP) keeps its order and loses nothing, whatever the network does. So of one direction
 * of a stream
 *
 *   rate    is a line that sends one segment after another
 *   delay   and jitter hold a segment back; one that would overtake waits for its predecessor
 *   loss    is a retransmission: the segment, and all behind it, comes one retransmission time
 *           later (RFC 6298: a round trip and 200 ms, the least that Linux waits), twice that for
 *           a second loss of the same segment, and so on (head-of-line blocking)
 *
 * while a datagram may come never, twice, or after its successors.
 *
 * Deterministic: the seed, the settings and the calls decide everything. Times are in microseconds
 * of any clock that does not go back. Pure; owner and thread: whoever embeds it. */
#ifndef FRAY_NET_LAB_H
#define FRAY_NET_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"

enum {
    FRAY_LAB_DELAY_MAX_MS = 10000, /* of delay and of jitter */
    FRAY_LAB_RATE_MAX_KBPS = 10000000,
    FRAY_LAB_SEGMENT = 1448,      /* bytes that TCP sends at once over Ethernet */
    FRAY_LAB_RETRANSMIT_MS = 200, /* beyond the round trip */
    FRAY_LAB_LOSSES_MAX = 6,      /* of one segment; then it gets through */
    FRAY_LAB_HOLD_MS = 60,        /* what a reordered datagram comes later */
    FRAY_LAB_BACKLOG_MS = 500,    /* a datagram that would wait longer for the line is dropped */
    FRAY_LAB_WINDOW = 256 * 1024, /* bytes on their way in one direction of a stream */
    FRAY_LAB_SEGMENTS_MAX = 4096, /* likewise */
};

/* Zero is a perfect network. */
struct fray_lab_settings {
    uint32_t delay_ms;  /* each way, 0..FRAY_LAB_DELAY_MAX_MS */
    uint32_t jitter_ms; /* up to this much more, evenly spread; same range */
    uint32_t rate_kbps; /* 1000 bits per second, each way; 0: no limit */
    uint8_t loss_percent, duplicate_percent, reorder_percent; /* 0..100 */
    /* Unreliable messages are datagrams: `loss`, `duplicate` and `reorder` are theirs, and the
     * stream that carries them loses nothing. */
    bool datagrams;
};

bool fray_lab_is_on(const struct fray_lab_settings *settings);
bool fray_lab_settings_equal(const struct fray_lab_settings *a, const struct fray_lab_settings *b);

/* One direction of one client's network. */
struct fray_lab_path {
    struct fray_rng rng;
    uint64_t line_free_us; /* when the last byte has left, at this rate */
    uint64_t last_us;      /* when what was sent last arrives: nothing arrives before */
};

void fray_lab_path_init(struct fray_lab_path *path, uint64_t seed);

/* When a segment of `len` bytes (0: a FIN) of a stream arrives that is sent now: never before one
 * that was sent earlier. */
uint64_t fray_lab_segment(struct fray_lab_path *path, const struct fray_lab_settings *settings,
                          uint64_t now_us, size_t len);

/* How often a datagram arrives that is sent now (0, 1 or 2 times), and when. In order, but for one
 * that `reorder` holds back. */
unsigned fray_lab_datagram(struct fray_lab_path *path, const struct fray_lab_settings *settings,
                           uint64_t now_us, size_t len, uint64_t due_us[2]);

/* Bytes on their way: one direction of a stream with what it holds. At most FRAY_LAB_WINDOW bytes
 * and FRAY_LAB_SEGMENTS_MAX segments; owns no memory while empty. */
struct fray_lab_pipe {
    struct fray_lab_path path;
    struct fray_buf bytes; /* from `start` on */
    size_t start;
    struct fray_lab_in_flight *segments; /* a ring, private */
    uint32_t segments_head, segments_count, segments_cap;
};

void fray_lab_pipe_deinit(struct fray_lab_pipe *pipe);
/* Sends what fits of `bytes`, cut into segments; returns how much. */
size_t fray_lab_pipe_send(struct fray_lab_pipe *pipe, const struct fray_lab_settings *settings,
                          uint64_t now_us, struct fray_slice bytes);
/* How many bytes a send takes at least. */
size_t fray_lab_pipe_room(const struct fray_lab_pipe *pipe);
/* What has arrived, until the next call. */
struct fray_slice fray_lab_pipe_arrived(const struct fray_lab_pipe *pipe, uint64_t now_us);
/* Forgets the first `count` of these. */
void fray_lab_pipe_consume(struct fray_lab_pipe *pipe, size_t count);
/* When the next bytes arrive; UINT64_MAX: none are on their way. */
uint64_t fray_lab_pipe_next_us(const struct fray_lab_pipe *pipe);

static inline bool fray_lab_pipe_is_empty(const struct fray_lab_pipe *pipe)
{
    return pipe->segments_count == 0;
}

#endif
