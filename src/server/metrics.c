#include "server/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void append_head(struct fray_buf *out, const char *name, const char *type, const char *help)
{
    fray_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void fray_metrics_append(struct fray_buf *out, const char *name, const char *type, const char *help,
                         uint64_t value)
{
    append_head(out, name, type, help);
    fray_buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void add_up(const struct fray_metrics *metrics, struct fray_counters *sum)
{
    *sum = (struct fray_counters){0};
    for (size_t i = 0; i < metrics->workers_count; i++) {
        const struct fray_counters *counters = &metrics->workers[i]->counters;
#define COUNTER(field, metric, help)                                                               \
    sum->field += __atomic_load_n(&counters->field, __ATOMIC_RELAXED);
#include "session/counters.def"
#undef COUNTER
    }
}

/* Ended may be read later than begun, and be more. */
static uint64_t difference(uint64_t begun, uint64_t ended)
{
    return begun > ended ? begun - ended : 0;
}

static void append_counters(const struct fray_metrics *metrics, struct fray_buf *out)
{
    struct fray_counters sum;
    add_up(metrics, &sum);
#define COUNTER(field, metric, help) fray_metrics_append(out, metric, "counter", help, sum.field);
#include "session/counters.def"
#undef COUNTER
    fray_metrics_append(out, "fray_connections_open", "gauge", "TCP connections that are open.",
                        difference(sum.connections_accepted, sum.connections_closed));
    fray_metrics_append(out, "fray_sessions_open", "gauge", "Sessions that are open.",
                        difference(sum.sessions_opened, sum.sessions_closed));
    fray_metrics_append(out, "fray_game_matches_open", "gauge", "Matches that are open.",
                        difference(sum.game_matches_opened, sum.game_matches_closed));
}

static void append_lateness(const struct fray_metrics *metrics, struct fray_buf *out)
{
    static const unsigned bounds_us[] = FRAY_TICK_LATENESS_BOUNDS_US;
    enum { BOUNDS = sizeof bounds_us / sizeof *bounds_us };
    const char *name = "fray_game_tick_lateness_seconds";
    uint64_t counts[BOUNDS + 1] = {0}, sum_us = 0, max_us = 0, count = 0;

    for (size_t i = 0; i < metrics->workers_count; i++) {
        const struct fray_tick_lateness *lateness = &metrics->workers[i]->tick_lateness;
        for (size_t k = 0; k <= BOUNDS; k++)
            counts[k] += __atomic_load_n(&lateness->counts[k], __ATOMIC_RELAXED);
        sum_us += __atomic_load_n(&lateness->sum_us, __ATOMIC_RELAXED);
        uint64_t most = __atomic_load_n(&lateness->max_us, __ATOMIC_RELAXED);
        max_us = most > max_us ? most : max_us;
    }
    append_head(out, name, "histogram", "How long after they were due ticks of matches began.");
    for (size_t k = 0; k < BOUNDS; k++) {
        count += counts[k];
        fray_buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_us[k] / 1e6,
                        (unsigned long long)count);
    }
    count += counts[BOUNDS];
    fray_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
                    (unsigned long long)count, name, (double)sum_us / 1e6, name,
                    (unsigned long long)count);
    append_head(out, "fray_game_tick_lateness_max_seconds", "gauge",
                "The most that a tick was late since the start.");
    fray_buf_printf(out, "fray_game_tick_lateness_max_seconds %.6f\n", (double)max_us / 1e6);
}

/* Since Linux 6.2 the directory's size is how many there are; before, they have to be counted. */
static uint64_t open_descriptors(void)
{
    struct stat stat_of_dir;
    if (!stat("/proc/self/fd", &stat_of_dir) && stat_of_dir.st_size > 0)
        return (uint64_t)stat_of_dir.st_size;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    uint64_t count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the one that reads it */
}

static uint64_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Under the names that every Prometheus client library uses. */
static void append_process(const struct fray_metrics *metrics, struct fray_buf *out)
{
    fray_metrics_append(out, "process_resident_memory_bytes", "gauge",
                        "Resident memory size in bytes.", resident_bytes());
    fray_metrics_append(out, "process_open_fds", "gauge", "Open file descriptors.",
                        open_descriptors());
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit))
        fray_metrics_append(out, "process_max_fds", "gauge",
                            "Most file descriptors that may be open.", limit.rlim_cur);
    struct rusage usage;
    if (!getrusage(RUSAGE_SELF, &usage)) {
        append_head(out, "process_cpu_seconds_total", "counter",
                    "User and system CPU time spent in seconds.");
        double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        fray_buf_printf(out, "process_cpu_seconds_total %.3f\n", seconds);
    }
    fray_metrics_append(out, "process_start_time_seconds", "gauge",
                        "When the process began, in seconds since 1970.",
                        (uint64_t)metrics->started_s);
}

void fray_metrics_add_source(struct fray_metrics *metrics, const struct fray_metrics_source *source)
{
    size_t count = atomic_load(&metrics->sources_count);
    assert(count < FRAY_METRICS_SOURCES_MAX);
    metrics->sources[count] = *source;
    atomic_store(&metrics->sources_count, count + 1);
}

void fray_metrics_encode(const struct fray_metrics *metrics, int64_t now_s, struct fray_buf *out)
{
    append_head(out, "fray_build_info", "gauge", "Always 1; what is running.");
    fray_buf_printf(out, "fray_build_info{version=\"%s\"} 1\n", metrics->version);
    int64_t uptime_s = now_s > metrics->started_s ? now_s - metrics->started_s : 0;
    fray_metrics_append(out, "fray_uptime_seconds", "gauge", "How long the server has been up.",
                        (uint64_t)uptime_s);
    fray_metrics_append(out, "fray_workers", "gauge", "Worker threads.", metrics->workers_count);
    append_counters(metrics, out);
    append_lateness(metrics, out);
    for (size_t i = 0; i < atomic_load(&metrics->sources_count); i++)
        metrics->sources[i].append(metrics->sources[i].context, out);
    append_process(metrics, out);
}

static void answer_metrics(fray_request *request, void *context)
{
    struct fray_buf text = {0};
    fray_metrics_encode(context, fray_http_service_now_s(request->service), &text);
    fray_request_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", text.data,
                       text.len);
    fray_buf_deinit(&text);
}

/* For pages: the few figures that visitors are shown. */
static void answer_stats(fray_request *request, void *context)
{
    const struct fray_metrics *metrics = context;
    struct fray_counters sum;
    add_up(metrics, &sum);
    int64_t up_s = fray_http_service_now_s(request->service) - metrics->started_s;
    struct fray_buf text = {0};
    fray_buf_printf(
        &text,
        "{\"version\":\"%s\",\"uptime_s\":%lld,\"workers\":%zu,\"connections\":%llu,"
        "\"sessions\":%llu,\"messages_in\":%llu,\"messages_out\":%llu}",
        metrics->version, (long long)(up_s > 0 ? up_s : 0), metrics->workers_count,
        (unsigned long long)difference(sum.connections_accepted, sum.connections_closed),
        (unsigned long long)difference(sum.sessions_opened, sum.sessions_closed),
        (unsigned long long)sum.frames_in, (unsigned long long)sum.messages_out);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, 200, "application/json", text.data, text.len);
    fray_buf_deinit(&text);
}

static void answer_word(fray_request *request, int status, const char *word)
{
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, status, "text/plain; charset=utf-8", word, strlen(word));
}

static void answer_healthz(fray_request *request, void *context)
{
    (void)context;
    answer_word(request, 200, "ok");
}

static void answer_readyz(fray_request *request, void *context)
{
    const struct fray_metrics *metrics = context;
    if (atomic_load_explicit(&metrics->is_ready, memory_order_relaxed))
        answer_word(request, 200, "ok");
    else
        answer_word(request, 503, "draining");
}

void fray_metrics_add_routes(struct fray_metrics *metrics, struct fray_http_router *router,
                             const struct fray_http_cors *cors)
{
    const struct fray_http_route routes[] = {
        {.method = "GET", .path = "/metrics", .handle = answer_metrics, .context = metrics},
        {.method = "GET",
         .path = "/stats.json",
         .handle = answer_stats,
         .context = metrics,
         .cors = cors},
        {.method = "GET", .path = "/healthz", .handle = answer_healthz, .context = metrics},
        {.method = "GET", .path = "/readyz", .handle = answer_readyz, .context = metrics},
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        enum fray_err err = fray_http_router_add(router, &routes[i]);
        assert(!err || err == FRAY_ERR_EXISTS); /* an application's own goes first */
    }
}
