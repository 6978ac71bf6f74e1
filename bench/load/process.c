#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first two numbers in /proc/PID/task/TID/schedstat: nanoseconds on a CPU, and in wait of one.
 * /proc/PID/stat counts the former in steps of 10 ms, which is too coarse for a second's run. */
static void read_thread(pid_t pid, const char *thread, struct process_usage *usage)
{
    char path[64];
    unsigned long long cpu_ns, waited_ns;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fscanf(file, "%llu %llu", &cpu_ns, &waited_ns) == 2) {
        usage->cpu_ns += cpu_ns;
        usage->waited_ns += waited_ns;
        if (usage->threads_count < PROCESS_THREADS_MAX)
            usage->threads[usage->threads_count++] =
                (struct thread_usage){(pid_t)strtol(thread, NULL, 10), cpu_ns};
    }
    fclose(file);
}

static void read_threads(pid_t pid, struct process_usage *usage)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return;
    for (struct dirent *entry; (entry = readdir(threads));) {
        if (*entry->d_name != '.')
            read_thread(pid, entry->d_name, usage);
    }
    closedir(threads);
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
    read_threads(pid, &usage);
    usage.rss_bytes = rss_bytes(pid);
    read_stat(pid, &usage);
    return usage;
}

static uint64_t cpu_ns_of(const struct process_usage *usage, pid_t thread)
{
    for (unsigned i = 0; i < usage->threads_count; i++) {
        if (usage->threads[i].id == thread)
            return usage->threads[i].cpu_ns;
    }
    return 0;
}

uint64_t process_busiest_ns(const struct process_usage *from, const struct process_usage *to)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < to->threads_count; i++) {
        uint64_t used = to->threads[i].cpu_ns - cpu_ns_of(from, to->threads[i].id);
        most = used > most ? used : most;
    }
    return most;
}
