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

struct fray_metrics {
    struct fray_worker *const *workers; /* of the server; fixed once it has started */
    size_t workers_count;
    const char *version;
    int64_t started_s;    /* Unix time */
    atomic_bool is_ready; /* serving, and not draining */
};

/* Appends the whole exposition. `now_s` is Unix time. Reads /proc. */
void fray_metrics_encode(const struct fray_metrics *metrics, int64_t now_s, struct fray_buf *out);

/* The three routes. The metrics outlive the router. */
void fray_metrics_add_routes(struct fray_metrics *metrics, struct fray_http_router *router);

#endif
