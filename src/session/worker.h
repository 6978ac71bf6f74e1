/* A worker, as sessions and rooms see it: one thread that owns its sessions outright.
 *
 * The server layer makes it, around an event loop; everything here is what the pure layers above
 * the sockets need from that loop: the time, timers, a place to remember who has something to send,
 * a way to other workers. Everything belongs to the worker's thread, except `index`, which never
 * changes, and post. */
#ifndef FRAY_SESSION_WORKER_H
#define FRAY_SESSION_WORKER_H

#include "base/buf.h"
#include "base/cells.h"
#include "base/id_pool.h"
#include "base/timer_wheel.h"
#include "session/outbox.h"

struct fray_session;
struct fray_worker;

/* Monotonic counts; read by other threads for /metrics, so written with fray_count. */
struct fray_counters {
#define COUNTER(field, metric, help) uint64_t field;
#include "session/counters.def"
#undef COUNTER
};

/* How late the ticks of matches were: counts up to each bound, the last of any. Like the counters.
 */
#define FRAY_TICK_LATENESS_BOUNDS_US                                                               \
    {                                                                                              \
        100, 250, 500, 1000, 2000, 3000, 5000, 7500, 10000, 16667, 33333, 100000                   \
    }
struct fray_tick_lateness {
    uint64_t counts[13]; /* not cumulative */
    uint64_t sum_us, max_us;
};

/* Work for another worker's thread. Embedded in what it carries; run() frees it. */
struct fray_parcel {
    struct fray_parcel *next;
    void (*run)(struct fray_worker *at, struct fray_parcel *parcel);
};

/* A session that is ending and needs more than an idle one carries: time for its last messages, or
 * a goodbye of its own. */
struct fray_farewell {
    struct fray_timer timer;            /* first; armed while last messages are on their way */
    struct fray_farewell *next, **link; /* in worker->farewells */
    struct fray_session *session;
    uint16_t code; /* a WebSocket's close code; 0: what the reason stands for */
    char text[];   /* terminated */
};

/* What the network lab does to sessions (server/lab.h). */
struct fray_worker_lab {
    /* Takes a message that is not reliable, which comes later or never. False: it goes its way. */
    bool (*divert)(struct fray_worker_lab *lab, struct fray_session *session,
                   struct fray_message *message);
    /* Another connection carries the session, or one more. */
    void (*on_carrier)(struct fray_worker_lab *lab, struct fray_session *session);
    void (*on_gone)(struct fray_worker_lab *lab, struct fray_session *session);
};

struct fray_worker {
    unsigned index;         /* 0.. */
    const uint64_t *now_us; /* when this turn began; monotonic */
    struct fray_timer_wheel *timers;
    struct fray_cells *cells; /* for what lives long and exists by the thousand */
    struct fray_counters counters;
    struct fray_tick_lateness tick_lateness;
    struct fray_outbox_limits outbox_limits;
    uint32_t messages_per_second, messages_burst; /* from one session; 0: no limit */
    struct fray_worker_lab *lab;                  /* NULL: the network is as it is */
    unsigned linger_ms; /* how long a closing session may take to send its last messages */

    struct fray_id_pool sessions; /* every open session of the worker */
    struct fray_id_pool members;  /* every session's place in every namespace (room/audience.h) */
    struct fray_session **dirty;  /* sessions with something to send at the end of the turn */
    size_t dirty_count, dirty_cap;
    struct fray_buf scratch, packet;      /* nobody's between calls: for encoding */
    struct fray_farewell *farewells;      /* of sessions that are closing: few, and not for long */
    const struct fray_farewell *farewell; /* for a link's close, while it is called; NULL: none */

    /* Hands the parcel to `to`'s thread: runs there in a later turn, in order of posting. */
    void (*post)(struct fray_worker *from, struct fray_worker *to, struct fray_parcel *parcel);
    /* Gives a cell of that size back, or frees what malloc gave (size 0), at the end of the turn,
     * after fray_worker_flush. */
    void (*release)(struct fray_worker *worker, void *memory, size_t size);
    /* Fills with unpredictable bytes. */
    void (*random)(struct fray_worker *worker, void *bytes, size_t len);
};

/* One writer a counter: a plain add that a reader on another thread never sees torn. */
static inline void fray_count_add(uint64_t *counter, uint64_t amount)
{
    __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

static inline void fray_count(uint64_t *counter)
{
    fray_count_add(counter, 1);
}

#endif
