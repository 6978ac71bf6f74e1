/* load: makes a server work and measures what that costs it (bench/README.md). Exit code 1: the
 * figures mean nothing, and standard error says why. */
#include <stdio.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "bench.h"
#include "options.h"
#include "report.h"

/* A client is one descriptor, or two. */
static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv);
    struct bench *bench = fray_alloc_zero(sizeof *bench); /* the histograms are large */
    allow_many_descriptors();
    bench_init(bench, &options);
    bench_run(bench);
    report_print(bench);
    const char *fault = bench_fault(bench);
    if (fault)
        fprintf(stderr, "load: %s\n", fault);
    bench_deinit(bench);
    free(bench);
    return fault ? 1 : 0;
}
