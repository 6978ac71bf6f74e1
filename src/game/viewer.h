/* One viewer of a ticked match: what it is known to have, and what goes into its next SNAPSHOT
 * (snapshots.h). Between viewer*.c. Owner: who created the viewer. Pure. */
#ifndef FRAY_GAME_VIEWER_H
#define FRAY_GAME_VIEWER_H

#include "game/snapshot_ring.h"

/* What a snapshot showed: which state, which of its rows, and which rows as they were before. */
struct fray_viewer_baseline {
    uint16_t seq;
    bool is_there; /* it was not dropped, and may be built on when the client has it */
    uint32_t take, tick;
    uint32_t events_end; /* it carried the viewer's events up to here */
};

struct fray_viewer {
    struct fray_snapshots *ring;
    uint32_t seat;
    bool is_stream;

    struct fray_viewer_baseline baselines[FRAY_SNAPSHOTS_RING]; /* by seq */
    uint64_t *known, *stale; /* a set for each: what was shown, what of it was not up to date */
    uint8_t *as_of;          /* of stale rows, the state: the low bits of its take. Or NULL */
    uint16_t seq;            /* of the packet encoded last */
    uint16_t sent_seq;       /* newest that was handed to the stream; 0: none */
    uint16_t acked_seq;      /* newest that the client has; 0: none */
    uint16_t reported_seq;   /* the same, though it was forgotten since */
    uint16_t resumed_seq;    /* the first since the client could not decode */
    uint32_t resumed_tick;
    uint32_t distrust_tick; /* until then what was sent does not count as received */

    uint32_t wished_hz, hz;
    uint32_t tick;      /* of the packet encoded last */
    uint32_t due_tick;  /* of the next */
    uint32_t calm_tick; /* since then the rate needed no change */
    uint32_t calm_s; /* so long it must be calm before the rate is raised: trying costs packets */
    uint32_t raised_tick;
    bool is_raised;     /* since the rate was lowered last */
    uint32_t ack_tick;  /* when something newer was acked */
    uint32_t hash_tick; /* of the last hash */
    bool has_encoded;

    uint16_t *waited; /* by row: what its priority has grown to, or NULL */
    bool has_waiting; /* some is not 0 */
    int32_t room;     /* bits that may be sent now; below 0 after a big packet */

    uint32_t events[FRAY_SNAPSHOTS_EVENTS]; /* numbers in the ring of the match */
    uint32_t events_seen;                   /* of the match's, how many were looked at */
    uint32_t events_end;                    /* of the viewer's, how many there were */
    uint32_t events_sent;                   /* of these, how many were handed to the stream */
    uint32_t events_floor;                  /* and how many the client has: they are acked */
    bool has_lost_events;
};

/* A packet in the making. */
struct fray_viewer_picture {
    struct fray_viewer *viewer;
    const struct fray_viewer_baseline *base; /* NULL: nothing */
    const uint64_t *known, *stale;           /* of the base, or NULL */
    const uint8_t *as_of;                    /* or NULL */
    uint32_t slot;                           /* of its state, or FRAY_RING_NOTHING */
    struct fray_bits_writer out;
};

/* The slot of the state that the viewer has the row from. */
static inline uint32_t fray_viewer_slot(const struct fray_viewer_picture *picture, uint32_t bit)
{
    if (!picture->stale || !(picture->stale[bit / 64] >> bit % 64 & 1))
        return picture->slot;
    return picture->as_of[bit] % FRAY_SNAPSHOTS_RING;
}

/* Whether what was handed to the stream counts as received: until something is found missing. */
static inline bool fray_viewer_trusts(const struct fray_viewer *viewer)
{
    return viewer->is_stream && (int32_t)(viewer->tick - viewer->distrust_tick) >= 0;
}

/* The events that the packet carries. Returns where they end. */
uint32_t fray_viewer_put_events(struct fray_viewer_picture *picture);
/* Fills ring->kept, changed and entered by what is visible. */
void fray_viewer_compare(struct fray_viewer_picture *picture);
/* Takes out of ring->changed and entered what has to wait. */
void fray_viewer_limit(struct fray_viewer_picture *picture);
void fray_viewer_put_tables(struct fray_viewer_picture *picture);

#endif
