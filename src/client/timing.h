/* When things are, for a client of a match: which tick the server is at (clock), how far ahead of
 * it the client's own ticks run (pace), and which earlier tick it shows (playback). Figures:
 * docs/netcode.md. Times are microseconds of the caller's clock, ticks have fractions.
 *
 * All three are told by samples, and all three notice when the server's time or the way to it has
 * changed at once: then samples of before count no more. A page's pictures have the time at which
 * they began, which may be before that of a packet that came last. Freestanding, pure. */
#ifndef FRAY_CLIENT_TIMING_H
#define FRAY_CLIENT_TIMING_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t fray_client_since(uint64_t then_us, uint64_t now_us)
{
    return now_us > then_us ? now_us - then_us : 0;
}

enum { FRAY_CLOCK_SAMPLES = 9, FRAY_PACE_WINDOW = 20, FRAY_PLAYBACK_WINDOW = 64 };

/* Told from pings: five at first, then one every two seconds, the median of the quicker half of the
 * newest. An honest answer errs by at most half its round trip: one that is further off says that
 * those before it are of another time, and five are sent again. */
struct fray_client_clock {
    double tick_us;
    double rtt_us, jitter_us; /* the median; the mean change from one to the next */
    double offset_us;         /* server time less local time */
    double offsets[FRAY_CLOCK_SAMPLES], rtts[FRAY_CLOCK_SAMPLES];
    double last_rtt_us;
    uint64_t next_ping_us, hurried_us;
    uint32_t samples, sent;
};

void fray_client_clock_init(struct fray_client_clock *clock, uint32_t tick_hz);
/* What was learnt of the server's ticks does not hold any more; the round trip does. */
void fray_client_clock_reset(struct fray_client_clock *clock);
/* Five pings, the first at once. */
void fray_client_clock_hurry(struct fray_client_clock *clock);
/* Whether to send a ping now: then it counts as sent. */
bool fray_client_clock_asks(struct fray_client_clock *clock, uint64_t now_us);
/* A server whose ticks have not begun says 0: that tells the round trip, and no time. */
void fray_client_clock_pong(struct fray_client_clock *clock, uint64_t sent_us, uint64_t now_us,
                            double server_tick);
double fray_client_clock_tick(const struct fray_client_clock *clock, uint64_t now_us);

/* Time dilation: the client's ticks run ahead by the way to the server and 1.5 ticks (more, where
 * inputs wait for others to share a packet with), and a little faster or slower (5 %) to keep that.
 * The clock says where they begin; from the second report on, reports alone say how they go on, so
 * that a wrong clock does no harm; until there are none for three seconds. What is a tenth of a
 * second off, after reports have changed at once, or a quarter, is not slewed: the tick jumps. */
struct fray_client_pace {
    double tick_us, tick, rate;
    double target; /* ticks that the newest input of a packet should have to spare */
    double gained; /* ticks, over what the local clock would have made of them */
    double margin; /* ticks that inputs have to spare; 0 until two reports came */
    double spare[FRAY_PACE_WINDOW]; /* reports, had nothing been gained: they stay comparable */
    double odd;                     /* with has_odd: one that is unlike all others */
    double before, leap;            /* until leap_us: the margin before the tick jumped; by what */
    uint64_t last_us, leap_us, told_us; /* told_us: of the last report that counted */
    uint64_t deaf_us;                   /* until then reports are about inputs that were held up */
    uint32_t reports;
    bool is_running, is_told, has_odd, has_changed;
};

/* `batch`: inputs in one packet. */
void fray_client_pace_init(struct fray_client_pace *pace, uint32_t tick_hz, uint32_t batch);
/* What a snapshot said: by how many ticks the newest input was early. True: it and the one before
 * are unlike all others, which are forgotten, or it is further off than can be said. */
bool fray_client_pace_report(struct fray_client_pace *pace, int8_t margin, uint64_t now_us);
/* Nothing came through for a while: what is reported next is about inputs that were held up. */
void fray_client_pace_doubt(struct fray_client_pace *pace, uint64_t now_us, double way_ticks);
/* Goes on to now; returns the client's tick. `server_tick`: the server's now; `way_ticks`: how many
 * pass until what leaves now gets there. */
double fray_client_pace_advance(struct fray_client_pace *pace, uint64_t now_us, double server_tick,
                                double way_ticks);

/* Far enough behind the snapshots' usual arrival that there is nearly always a newer one. */
struct fray_client_playback {
    double tick_us, interval_us, delay_us, jitter_us, usual_us, tick;
    double offsets[FRAY_PLAYBACK_WINDOW]; /* server time less local time, at arrival */
    double odd;
    uint64_t last_us;
    uint32_t arrivals, newest_tick;
    uint8_t intervals; /* that it is behind, at least */
    bool is_running, has_odd;
};

/* `snapshot_hz` as WELCOME says it: from there on the interval is told by what arrives. */
void fray_client_playback_init(struct fray_client_playback *playback, uint32_t tick_hz,
                               uint32_t snapshot_hz, bool is_stream);
void fray_client_playback_arrived(struct fray_client_playback *playback, uint32_t tick,
                                  uint64_t now_us);
/* The tick to show now. It stands still until something arrives. */
double fray_client_playback_advance(struct fray_client_playback *playback, uint64_t now_us);

#endif
