/* The network lab on a loop: its connections behave as if their clients' network were bad (lab.h).
 *
 *      stream ⇄ [wire: bytes on their way in, bytes on their way out] ⇄ kernel, or simulation
 *
 * While it is off nothing of it is there: loop->lab is NULL, and the loop's operations are the
 * backend's. Once switched on it stands before them, for TLS and plain streams alike, and for both
 * backends: a descriptor with a wire is read, written, watched, shut and closed through the wire.
 * A wire is made when a connection that is concerned is next ready or written to, and goes, when
 * nothing concerns it any more, as soon as it is empty.
 *
 * A wire behaves like a socket. It takes only what its window holds, so a slow reader is felt by
 * the writer; a paused reader lets the window, and then the peer's, fill. What was written before
 * a close is still delivered (not: before a reset), for FRAY_LAB_LINGER_MS at most where the peer
 * does not take it, and for FRAY_LAB_ORPHANS at a time: one more is reset. FIN travels like a
 * segment; a connect and an accept are not delayed, nor is a reset.
 *
 * Thread: the loop's. */
#ifndef FRAY_NET_LAB_WIRE_H
#define FRAY_NET_LAB_WIRE_H

#include "net/lab.h"
#include "net/loop.h"

struct fray_lab_wire;

enum { FRAY_LAB_LINGER_MS = 10000, FRAY_LAB_ORPHANS = 1024 };

/* What every random number of this loop's lab comes from: before it is first switched on. */
void fray_lab_set_seed(struct fray_loop *loop, uint64_t seed);

/* For all connections of the loop that have no settings of their own, those to come included.
 * What is on its way already keeps its time. */
void fray_lab_set_all(struct fray_loop *loop, const struct fray_lab_settings *settings);

/* For one connection, until it is closed, moves included. NULL: it follows all others again. */
void fray_lab_set_own(struct fray_loop *loop, struct fray_source *source,
                      const struct fray_lab_settings *settings);

/* Before a connection is read or written without a wire: the lab may concern it since. For
 * stream.c, where loop->lab is there. */
void fray_lab_touch(struct fray_loop *loop, struct fray_source *source);

/* For stream_move.c: what of an unwatched descriptor is on its way leaves the loop (NULL: nothing),
 * and comes to the descriptor's next one. */
struct fray_lab_wire *fray_lab_detach(struct fray_loop *loop, int fd);
void fray_lab_attach(struct fray_loop *loop, struct fray_lab_wire *wire);

/* Wires that there are; for tests. */
unsigned fray_lab_wires(const struct fray_loop *loop);

#endif
