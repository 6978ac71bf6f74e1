#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first number in /proc/PID/task/TID/schedstat: nanoseconds on a CPU. /proc/PID/stat counts the
 * same in steps of 10 ms, which is too coarse for a second's run. */
static uint64_t thread_cpu_ns(pid_t pid, const char *thread)
{
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu", &ns) != 1)
        ns = 0;
    fclose(file);
    return ns;
}

static uint64_t cpu_ns(pid_t pid)
{
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return 0;
    for (struct dirent *entry; (entry = readdir(threads));) {
        if (*entry->d_name != '.')
            sum += thread_cpu_ns(pid, entry->d_name);
    }
    closedir(threads);
    return sum;
}

/* utime and stime are the 14th and 15th field; the 2nd is the name in parentheses, which may hold
 * blanks. */
static void read_stat(pid_t pid, struct process_usage *usage)
{
    char path[64], line[1024];
    unsigned long long user, kernel;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char *rest = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                       &kernel) == 2) {
        unsigned long long tick_ms = 1000ull / (unsigned long long)sysconf(_SC_CLK_TCK);
        usage->user_ms = user * tick_ms;
        usage->kernel_ms = kernel * tick_ms;
    }
    fclose(file);
}

static uint64_t rss_bytes(pid_t pid)
{
    char path[64];
    unsigned long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct process_usage process_usage(pid_t pid)
{
    struct process_usage usage = {0};
    if (!pid)
        return usage;
    usage.cpu_ns = cpu_ns(pid);
    usage.rss_bytes = rss_bytes(pid);
    read_stat(pid, &usage);
    return usage;
}
