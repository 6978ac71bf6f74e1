/* One event loop: one thread, one receive buffer, one timer wheel. It knows descriptors and time,
 * no client.
 *
 * Two backends implement the same operations: epoll (loop_epoll.c) and a simulated network on fake
 * time (loop_sim.c). All sockets of fray are made, read and written through these operations, so
 * that the whole server runs unchanged in a simulation.
 *
 * A turn: wait for descriptors or the next timer → call what is ready → run posts of other threads
 * → expire timers → before-sleep hooks (sessions flush here, one write a link) → release what was
 * closed in this turn.
 *
 * Thread: everything belongs to the thread that runs the loop, except fray_loop_post and
 * fray_loop_stop, which any thread may call. */
#ifndef FRAY_NET_LOOP_H
#define FRAY_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/cells.h"
#include "base/timer_wheel.h"
#include "fray/err.h"
#include "net/address.h"

struct fray_lab; /* net/lab_wire.h */
struct fray_loop;

enum fray_ready {
    FRAY_READY_READ = 1,  /* bytes, end of stream, or a connection to accept */
    FRAY_READY_WRITE = 2, /* room to write again */
};

/* A watched descriptor; embedded in its owner. The memory stays until the end of the turn in which
 * the source was unwatched or closed (fray_loop_release): the batch under way may still hold its
 * address. */
struct fray_source {
    int fd;
    uint8_t watched; /* enum fray_ready bits that the backend is asked for; kept by the loop */
    /* Called with the bits that are ready, only watched ones. Errors and hang-ups show as all of
     * them: the next read or write tells. */
    void (*on_ready)(struct fray_loop *loop, struct fray_source *source, unsigned ready);
};

/* Work for the loop's thread, embedded in its owner; it may be freed inside run(). */
struct fray_post {
    struct fray_post *next;
    void (*run)(struct fray_loop *loop, struct fray_post *post);
};

/* Called once a turn, before the loop sleeps. Embedded in its owner. */
struct fray_hook {
    struct fray_hook *next;
    void (*run)(struct fray_loop *loop, struct fray_hook *hook);
};

/* What a backend does; every function belongs to the loop's thread, except wake (any thread).
 * Descriptors are non-blocking and closed on exec. */
struct fray_loop_ops {
    uint64_t (*clock_us)(struct fray_loop *loop); /* monotonic */
    /* Binds, listens and sets what accepted sockets inherit (TCP_NODELAY). FRAY_ERR_IO: errno. */
    enum fray_err (*listen)(struct fray_loop *loop, const struct fray_address *address,
                            bool share_port, int *fd);
    /* FRAY_ERR_AGAIN: nobody waits. FRAY_ERR_LIMIT: no descriptor left; who waited was told so by
     * closing (loop->refused counts them), so that the listener does not stay ready. */
    enum fray_err (*accept)(struct fray_loop *loop, int listener, int *fd,
                            struct fray_address *peer);
    /* Begins to connect; writable means connected or failed (the next read tells). FRAY_ERR_LIMIT:
     * no descriptor left. FRAY_ERR_IO: refused at once. */
    enum fray_err (*connect)(struct fray_loop *loop, const struct fray_address *address, int *fd);
    /* FRAY_ERR_AGAIN: nothing now. FRAY_ERR_CLOSED: end of stream. FRAY_ERR_IO: reset. Fewer than
     * `len` bytes: there is no more now. */
    enum fray_err (*read)(struct fray_loop *loop, int fd, void *data, size_t len, size_t *count);
    /* *count bytes went; FRAY_ERR_AGAIN when that is fewer than all. FRAY_ERR_IO: reset. */
    enum fray_err (*writev)(struct fray_loop *loop, int fd, const struct iovec *parts,
                            int parts_count, size_t *count);
    void (*shutdown)(struct fray_loop *loop, int fd); /* sends FIN; reading goes on */
    /* Ends the watch too, but does not know the source: see fray_source_close. */
    void (*close)(struct fray_loop *loop, int fd, bool reset);
    enum fray_err (*local_address)(struct fray_loop *loop, int fd, struct fray_address *address);
    /* Asks for the bits in `mask` (0 = none) instead of source->watched. FRAY_ERR_LIMIT: the kernel
     * watches no more. */
    enum fray_err (*watch)(struct fray_loop *loop, struct fray_source *source, unsigned mask);
    /* Sleeps until something is ready, or `timeout_us` passed (0 = poll, UINT64_MAX = for ever),
     * sets now_us and calls on_ready of each. A source unwatched meanwhile is not called any more.
     */
    void (*wait)(struct fray_loop *loop, uint64_t timeout_us);
    void (*wake)(struct fray_loop *loop); /* makes a running or coming wait return at once */
    void (*destroy)(struct fray_loop *loop);
};

/* The receive buffer that every connection of the loop reads into. */
enum { FRAY_LOOP_BUFFER_SIZE = 256 * 1024 };

/* Something that nobody owns any more and that ends by itself, such as a lingering close. It is
 * destroyed with the loop when that comes first. Embedded. */
struct fray_orphan {
    struct fray_orphan *next, **link;
    void (*destroy)(struct fray_loop *loop, struct fray_orphan *orphan); /* removes it, frees it */
};

/* Backends embed this first. Fields are read by anyone on the loop's thread, written by loop.c and
 * the backend. */
struct fray_loop {
    const struct fray_loop_ops *ops;
    uint64_t now_us;  /* when this turn's wait ended; monotonic */
    uint64_t refused; /* connections closed because no descriptor was left */
    struct fray_timer_wheel timers;
    struct fray_hook *hooks;
    struct fray_orphan *orphans;
    struct fray_cells cells;            /* for what the loop's thread owns */
    struct fray_loop_release *released; /* memory to free at the end of the turn */
    char *buffer;                       /* FRAY_LOOP_BUFFER_SIZE bytes */
    struct fray_loop_inbox *inbox;      /* posts of other threads */
    void *owner;                        /* the worker */
    uint32_t streams_count;             /* open streams (net/stream.h) */
    struct fray_lab *lab;               /* the network lab, once it was switched on; NULL: off */
    uint64_t lab_seed;
    /* A stream was closed; NULL: nobody asks. */
    void (*on_stream_gone)(struct fray_loop *loop, const struct fray_address *peer);
};

/* Heap; NULL with errno set when the kernel refuses. */
struct fray_loop *fray_loop_epoll_create(void);
/* Posts that have not run are dropped, armed timers are not called: run a last turn first. No
 * thread may post any more. */
void fray_loop_destroy(struct fray_loop *loop);

/* Runs turns until fray_loop_stop. */
void fray_loop_run(struct fray_loop *loop);
/* One turn that sleeps at most `wait_us`. */
void fray_loop_turn(struct fray_loop *loop, uint64_t wait_us);
/* Any thread. The turn under way is finished; before fray_loop_run, that returns at once. */
void fray_loop_stop(struct fray_loop *loop);

/* Any thread: `post->run` is called on the loop's thread, in the order of posting per poster. */
void fray_loop_post(struct fray_loop *loop, struct fray_post *post);
/* The same for a chain linked by `next`, under one lock and one wake: `last->next` is ignored. */
void fray_loop_post_chain(struct fray_loop *loop, struct fray_post *first, struct fray_post *last);

void fray_loop_add_hook(struct fray_loop *loop,
                        struct fray_hook *hook); /* run in order of adding */

/* Frees `memory` (with free()) at the end of the turn, so that callers further up the stack may
 * still look at it. */
void fray_loop_release(struct fray_loop *loop, void *memory);
/* The same for a cell of loop->cells. */
void fray_loop_release_cell(struct fray_loop *loop, void *cell, size_t size);

/* Ends the watch and closes the descriptor, with one system call. */
void fray_source_close(struct fray_loop *loop, struct fray_source *source, bool reset);

void fray_loop_add_orphan(struct fray_loop *loop, struct fray_orphan *orphan);
void fray_loop_remove_orphan(struct fray_orphan *orphan);

/* For backends: sets up and clears the common part. */
void fray_loop_init(struct fray_loop *loop, const struct fray_loop_ops *ops);
void fray_loop_deinit(struct fray_loop *loop);

#endif
