/* What the viewers of one ticked match are sent: SNAPSHOT packets (games/packet.h), each against a
 * state that its viewer is known to have.
 *
 *     host: step ──▶ fray_snapshots_event() for each event
 *     some viewer is due? ──▶ fray_snapshots_take() ──▶ of each that is: fray_viewer_encode(),
 *     fray_viewer_sent()            INPUT packet ──▶ fray_viewer_ack()
 *
 * States that were taken stay in a ring of 32. A viewer remembers of each snapshot not the view but
 * which state it showed and which rows of it; what changed in a row is encoded once, and appended
 * for all who had the same state. A snapshot against nothing is sent while no baseline is left that
 * is younger than a second.
 *
 * On a stream what was sent is built on before it is acked. A transport may still have dropped it
 * without saying so (a writer on another thread, the network lab): the client says that it cannot
 * decode, and for a while what is acked counts.
 *
 * Interest: with up to 64 rows present, all that may be seen is sent. Where there are more, tables
 * with places (x, y) share FRAY_SNAPSHOTS_RATE: rows wait their turn in the client as they were,
 * near ones for less long; the viewer's own rows, and those that leave its sight, never wait.
 *
 * Owner: who created it. One thread, no clock: the tick is the time. Nothing is allocated but in
 * the two creates, and by the buffer that is appended to. */
#ifndef FRAY_GAME_SNAPSHOTS_H
#define FRAY_GAME_SNAPSHOTS_H

#include "base/buf.h"
#include "packet.h"

enum {
    FRAY_SNAPSHOTS_RING = 32,
    FRAY_SNAPSHOTS_EVENTS = 512,   /* older ones are lost to who has not got them */
    FRAY_SNAPSHOTS_ALL = 64,       /* rows present up to which none waits */
    FRAY_SNAPSHOTS_RATE = 64000,   /* bits per second and viewer */
    FRAY_SNAPSHOTS_PACKET = 1200,  /* bytes that one packet should not exceed where rows can wait */
    FRAY_SNAPSHOTS_DISTRUST_S = 5, /* a stream that lost something is built on acks for so long */
    FRAY_SNAPSHOTS_CALM_S = 32,    /* the most that is waited before a rate is tried again */
    FRAY_SNAPSHOTS_DEAF_S = 2,     /* without an ack */
    FRAY_SNAPSHOTS_HZ_DEAF = 2,
    FRAY_SNAPSHOTS_HZ_MIN = 10,
    FRAY_SNAPSHOTS_HZ_MAX = 60,
    FRAY_SNAPSHOTS_HZ_STREAM = 20, /* the defaults */
    FRAY_SNAPSHOTS_HZ_DATAGRAM = 30,
};

struct fray_snapshots;
struct fray_viewer;

/* One per match. `game` has a tick_hz. */
struct fray_snapshots *fray_snapshots_create(const struct fray_game *game);
void fray_snapshots_destroy(struct fray_snapshots *snapshots); /* viewers first */

/* Something happened in the step that made the state of this tick. Ones that newer replace
 * (FRAY_GAME_NEWEST) are for stock clients, and ignored here. */
void fray_snapshots_event(struct fray_snapshots *snapshots, uint32_t tick,
                          const struct fray_game_event *event);
/* Copies the state into the ring. `tick` is what its clock says; never less than before. */
void fray_snapshots_take(struct fray_snapshots *snapshots, uint32_t tick, const void *state);

/* For who said HELLO: a seat or FRAY_GAME_NOBODY. It gets the events from now on. On another HELLO,
 * or another seat, destroy it and create another. */
struct fray_viewer *fray_viewer_create(struct fray_snapshots *snapshots, uint32_t seat,
                                       const struct fray_packet_hello *hello);
/* Where it begins: in this tick of the match, not in that of the newest state, which nobody may
 * have taken for long; and numbered after the packets of the one before, because acks of these that
 * are on their way yet say nothing of its own. */
void fray_viewer_begin(struct fray_viewer *viewer, uint16_t after_seq, uint32_t tick);
uint16_t fray_viewer_seq(const struct fray_viewer *viewer); /* of the packet encoded last */
void fray_viewer_destroy(struct fray_viewer *viewer);

/* Of each INPUT: acks, and whether the baseline was lost. Anything may be in there. */
void fray_viewer_ack(struct fray_viewer *viewer, const struct fray_packet_input *packet);

/* The client has another view than the one that was sent: nothing of it can be built on. */
void fray_viewer_forget(struct fray_viewer *viewer);

/* Whether to encode, once the state of this tick is there: then every viewer that is due shares one
 * take. The rate is a fraction of the ticks (7 of 60 …), and phases are aligned. */
bool fray_viewer_is_due(const struct fray_viewer *viewer, uint32_t tick);

struct fray_viewer_frame {
    uint32_t input_tick; /* as in struct fray_packet_snapshot */
    int8_t margin;
    bool with_hash; /* though it is not yet a second since the last */
};

/* Appends the SNAPSHOT packet of the state that was taken last; at least one was. */
void fray_viewer_encode(struct fray_viewer *viewer, const struct fray_viewer_frame *frame,
                        struct fray_buf *out);
/* What became of the packet encoded last: handed to the connection, or dropped, because it is
 * clogged. On streams it decides the next baseline. Drops, and a second without acks, halve the
 * rate, down to 10 Hz; a calm second doubles it again, or more of them where that was tried in
 * vain. Who acks nothing for 2 seconds gets 2 a second, so that a stall holds little back. */
void fray_viewer_sent(struct fray_viewer *viewer, bool was_sent);

uint32_t fray_viewer_seat(const struct fray_viewer *viewer);
uint32_t fray_viewer_hz(const struct fray_viewer *viewer);        /* now */
uint32_t fray_viewer_wished_hz(const struct fray_viewer *viewer); /* for WELCOME */
uint16_t fray_viewer_acked(const struct fray_viewer *viewer);     /* newest seq; 0: none */
/* The tick of the snapshot with this seq, to measure round trips; false: too long ago. */
bool fray_viewer_tick_of(const struct fray_viewer *viewer, uint16_t seq, uint32_t *tick);
/* The seat's view as the client has it after the packet encoded last, into state_size bytes: to
 * keep beside a REPORT, and for tests. */
void fray_viewer_view(const struct fray_viewer *viewer, void *view);

#endif
