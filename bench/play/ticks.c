#include "ticks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

static void read_line(struct ticks *ticks, const char *line)
{
    static const char bucket[] = "fray_game_tick_lateness_seconds_bucket{le=\"";
    const struct {
        const char *name;
        double *to;
    } values[] = {
        {"fray_game_ticks_total ", &ticks->taken},
        {"fray_game_ticks_dropped_total ", &ticks->dropped},
        {"fray_game_inputs_total ", &ticks->inputs},
        {"fray_game_inputs_late_total ", &ticks->inputs_late},
        {"fray_game_tick_lateness_max_seconds ", &ticks->max_s},
        {"fray_game_matches_open ", &ticks->matches},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strncmp(line, values[i].name, strlen(values[i].name)) == 0)
            *values[i].to = strtod(line + strlen(values[i].name), NULL);
    }
    if (strncmp(line, bucket, sizeof bucket - 1) == 0 && ticks->bounds < TICKS_BOUNDS_MAX) {
        ticks->bounds_s[ticks->bounds] = strtod(line + sizeof bucket - 1, NULL);
        ticks->counts[ticks->bounds++] = strtod(strrchr(line, ' '), NULL);
    }
}

bool ticks_fetch(const char *port, struct ticks *ticks)
{
    static const char request[] =
        "GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    struct fray_buf text = {0};
    char *rest = NULL;
    ssize_t got;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *ticks = (struct ticks){0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, request, sizeof request - 1) > 0) {
        while ((got = read(fd, fray_buf_reserve(&text, 65536), 65536)) > 0)
            text.len += (size_t)got;
    }
    close(fd);
    fray_buf_append_byte(&text, '\0');
    for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        read_line(ticks, line);
    fray_buf_deinit(&text);
    return ticks->bounds > 0;
}

double ticks_late_ms(const struct ticks *from, const struct ticks *to, double share)
{
    uint32_t last = to->bounds - 1;
    double all = to->counts[last] - from->counts[last];
    for (uint32_t i = 0; i < last; i++) {
        if (to->counts[i] - from->counts[i] >= share * all)
            return 1e3 * to->bounds_s[i];
    }
    return 1e3 * to->max_s;
}

void ticks_report(const struct ticks *from, const struct ticks *to, double seconds)
{
    printf("matches=%.0f ticks_per_s=%.0f ticks_dropped=%.0f tick_late_ms_p50_below=%.2f "
           "tick_late_ms_p99_below=%.2f tick_late_ms_max=%.2f inputs_per_s=%.0f inputs_late=%.0f\n",
           to->matches, (to->taken - from->taken) / seconds, to->dropped - from->dropped,
           ticks_late_ms(from, to, 0.5), ticks_late_ms(from, to, 0.99), 1e3 * to->max_s,
           (to->inputs - from->inputs) / seconds, to->inputs_late - from->inputs_late);
}
