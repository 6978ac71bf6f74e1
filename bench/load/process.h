/* What a process has used so far, by the kernel's own accounting (proc(5)). */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_usage {
    uint64_t cpu_ns;    /* of all threads that live, on a CPU */
    uint64_t user_ms;   /* of cpu, in user space; in steps of 10 ms */
    uint64_t kernel_ms; /* of cpu, in the kernel */
    uint64_t rss_bytes; /* resident memory */
};

/* All zero for pid 0, and for a process that is gone. */
struct process_usage process_usage(pid_t pid);

#endif
