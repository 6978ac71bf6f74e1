/* How punctual a server's ticks were: from its /metrics, before and after. */
#ifndef FRAY_BENCH_PLAY_TICKS_H
#define FRAY_BENCH_PLAY_TICKS_H

#include <stdbool.h>
#include <stdint.h>

enum { TICKS_BOUNDS_MAX = 32 };

struct ticks {
    double bounds_s[TICKS_BOUNDS_MAX], counts[TICKS_BOUNDS_MAX]; /* of lateness, cumulative */
    uint32_t bounds;
    double taken, dropped, inputs, inputs_late, max_s, matches;
};

bool ticks_fetch(const char *port, struct ticks *ticks); /* false: nobody answers */
/* The bound below which that share of the ticks between the two began, in ms. */
double ticks_late_ms(const struct ticks *from, const struct ticks *to, double share);
void ticks_report(const struct ticks *from, const struct ticks *to, double seconds);

#endif
