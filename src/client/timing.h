/* When things are, for a client of a match: which tick the server is at (clock), how far ahead of
 * it the client's own ticks run (pace), and which earlier tick it shows (playback). Figures:
 * docs/netcode.md. Times are microseconds of the caller's clock, ticks have fractions. Pure. */
#ifndef FRAY_CLIENT_TIMING_H
#define FRAY_CLIENT_TIMING_H

#include <stdbool.h>
#include <stdint.h>

enum { FRAY_CLOCK_SAMPLES = 9, FRAY_PACE_WINDOW = 20, FRAY_PLAYBACK_WINDOW = 64 };

/* Told from pings: five at first, then one every two seconds, the median of the quicker
 * half of the newest. */
struct fray_client_clock {
    double tick_us;
    double rtt_us, jitter_us; /* the median; the mean change from one to the next */
    double offset_us;         /* server time less local time */
    double offsets[FRAY_CLOCK_SAMPLES], rtts[FRAY_CLOCK_SAMPLES];
    double last_rtt_us;
    uint64_t next_ping_us;
    uint32_t samples, sent;
};

void fray_client_clock_init(struct fray_client_clock *clock, uint32_t tick_hz);
/* Whether to send a ping now: then it counts as sent. */
bool fray_client_clock_asks(struct fray_client_clock *clock, uint64_t now_us);
void fray_client_clock_pong(struct fray_client_clock *clock, uint64_t sent_us, uint64_t now_us,
                            double server_tick);
double fray_client_clock_tick(const struct fray_client_clock *clock, uint64_t now_us);

/* Time dilation: the client's ticks run ahead by the way to the server and 1.5 ticks, and a little
 * faster or slower (5 %) to keep that. */
struct fray_client_pace {
    double tick_us, tick, rate;
    double lead;   /* over the server's tick; the way is in it */
    double margin; /* ticks that inputs have to spare; 0 until two reports came */
    double spare[FRAY_PACE_WINDOW];
    uint64_t last_us;
    uint32_t reports;
    bool is_running;
};

void fray_client_pace_init(struct fray_client_pace *pace, uint32_t tick_hz);
/* What a snapshot said: by how many ticks the newest input was early. */
void fray_client_pace_report(struct fray_client_pace *pace, int8_t margin);
/* Goes on to now; returns the client's tick. `server_tick`: the server's now; `way_ticks`: how many
 * pass until what leaves now gets there. */
double fray_client_pace_advance(struct fray_client_pace *pace, uint64_t now_us, double server_tick,
                                double way_ticks);

/* Far enough behind the snapshots' usual arrival that there is nearly always a newer one. */
struct fray_client_playback {
    double tick_us, interval_us, delay_us, jitter_us, usual_us, tick;
    double offsets[FRAY_PLAYBACK_WINDOW];
    uint64_t last_us;
    uint32_t arrivals;
    bool is_running;
};

void fray_client_playback_init(struct fray_client_playback *playback, uint32_t tick_hz,
                               uint32_t snapshot_hz);
void fray_client_playback_arrived(struct fray_client_playback *playback, uint32_t tick,
                                  uint64_t now_us);
/* The tick to show now. Before anything arrived: 0. */
double fray_client_playback_advance(struct fray_client_playback *playback, uint64_t now_us);

#endif
