/* What operators and orchestrators ask a server: /metrics (Prometheus text format 0.0.4), /healthz
 * and /readyz.
 *
 * Counters are those of session/counters.def, added up over the workers while these go on counting:
 * each number is right by itself, two of them may be of slightly different moments. Owner: the
 * server; any worker may answer. */
#ifndef FRAY_SERVER_METRICS_H
#define FRAY_SERVER_METRICS_H

#include <stdatomic.h>

#include "server/http_router.h"
#include "session/worker.h"

enum { FRAY_METRICS_SOURCES_MAX = 8 };

/* A part of the server that counts by itself. */
struct fray_metrics_source {
    void (*append)(void *context, struct fray_buf *out); /* any worker's thread */
    void *context;
};

struct fray_metrics {
    struct fray_worker *const *workers; /* of the server; fixed once it has started */
    size_t workers_count;
    const char *version;
    int64_t started_s;    /* Unix time */
    atomic_bool is_ready; /* serving, and not draining */
    struct fray_metrics_source sources[FRAY_METRICS_SOURCES_MAX];
    atomic_size_t sources_count;
};

/* Any time before the workers end, by one thread at a time. */
void fray_metrics_add_source(struct fray_metrics *metrics,
                             const struct fray_metrics_source *source);
/* For sources: one metric without labels. `type` is "counter" or "gauge". */
void fray_metrics_append(struct fray_buf *out, const char *name, const char *type, const char *help,
                         uint64_t value);

/* Appends the whole exposition. `now_s` is Unix time. Reads /proc. */
void fray_metrics_encode(const struct fray_metrics *metrics, int64_t now_s, struct fray_buf *out);

/* The routes. The metrics outlive the router. Pages of `cors` may read /stats.json; NULL: none. */
void fray_metrics_add_routes(struct fray_metrics *metrics, struct fray_http_router *router,
                             const struct fray_http_cors *cors);

#endif
