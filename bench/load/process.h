/* What a process has used so far, by the kernel's own accounting (proc(5)). */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_THREADS_MAX = 64 };

struct thread_usage {
    pid_t id;
    uint64_t cpu_ns;
};

struct process_usage {
    uint64_t cpu_ns;    /* of all threads that live, on a CPU */
    uint64_t waited_ns; /* of all threads: they could have run, but others had the CPU */
    uint64_t user_ms;   /* of cpu, in user space; in steps of 10 ms */
    uint64_t kernel_ms; /* of cpu, in the kernel */
    uint64_t rss_bytes; /* resident memory */
    struct thread_usage threads[PROCESS_THREADS_MAX]; /* the first ones */
    unsigned threads_count;
};

/* All zero for pid 0, and for a process that is gone. */
struct process_usage process_usage(pid_t pid);
/* CPU time of the thread that used most of it from one moment to the other. */
uint64_t process_busiest_ns(const struct process_usage *from, const struct process_usage *to);

#endif
