#include "client/timing.h"

#include <stdlib.h>
#include <string.h>

#include "packet.h"

enum {
    JOIN_PINGS = 5,
    JOIN_INTERVAL_US = 100000,
    INTERVAL_US = 2000000,
    RTT_MAX_US = 60000000,
};

/* As Quake III keeps its clock: drift by a little, halve what is far, take over what is hopeless.
 */
static const double drift_up_us = 1000, drift_down_us = -2000, far_us = 100e3, hopeless_us = 500e3;

/* A round trip so far from the median, and by a quarter, may be the first over another path. */
static const double changed_us = 20e3;

/* Of the pace: what inputs should have to spare, how far off that is no matter, and the most that
 * the ticks are sped up or slowed down. */
static const double margin_ticks = 1.5, dead_band_ticks = 0.5, gain = 0.05, dilation_max = 0.05;
static const double lost_us = 250e3;

static const double delay_min_us = 33e3, delay_max_us = 250e3, slew = 0.02;

static double magnitude(double value)
{
    return value < 0 ? -value : value;
}

static double clamp(double value, double min, double max)
{
    return value < min ? min : value > max ? max : value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts a copy. */
static void sort_into(double *sorted, const double *values, uint32_t count)
{
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
}

/* ------------------------------------------------------------------ clock */

void fray_client_clock_init(struct fray_client_clock *clock, uint32_t tick_hz)
{
    *clock = (struct fray_client_clock){.tick_us = 1e6 / tick_hz};
}

bool fray_client_clock_asks(struct fray_client_clock *clock, uint64_t now_us)
{
    if (now_us < clock->next_ping_us)
        return false;
    clock->next_ping_us = now_us + (++clock->sent < JOIN_PINGS ? JOIN_INTERVAL_US : INTERVAL_US);
    return true;
}

static double median(const double *values, uint32_t count)
{
    double sorted[FRAY_CLOCK_SAMPLES];
    sort_into(sorted, values, count);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

struct sample {
    double rtt, offset;
    uint32_t age;
};

static int quicker(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    if (x->rtt != y->rtt)
        return x->rtt < y->rtt ? -1 : 1;
    return (x->age > y->age) - (x->age < y->age);
}

/* The median of the quicker half, the newest of those that are equally quick. What was held up says
 * little, and a stall of the network holds up many (RFC 5905, 10: the clock filter). */
static double offset_told(const struct fray_client_clock *clock, uint32_t count)
{
    struct sample samples[FRAY_CLOCK_SAMPLES];
    double offsets[FRAY_CLOCK_SAMPLES];

    for (uint32_t i = 0; i < count; i++)
        samples[i] = (struct sample){clock->rtts[i], clock->offsets[i],
                                     (clock->samples - 1 - i) % FRAY_CLOCK_SAMPLES};
    qsort(samples, count, sizeof *samples, quicker);
    count = (count + 1) / 2;
    for (uint32_t i = 0; i < count; i++)
        offsets[i] = samples[i].offset;
    return median(offsets, count);
}

void fray_client_clock_pong(struct fray_client_clock *clock, uint64_t sent_us, uint64_t now_us,
                            double server_tick)
{
    if (sent_us > now_us || now_us - sent_us > RTT_MAX_US)
        return;
    double rtt = (double)(now_us - sent_us);
    uint32_t slot = clock->samples % FRAY_CLOCK_SAMPLES;
    if (clock->samples)
        clock->jitter_us += (magnitude(rtt - clock->last_rtt_us) - clock->jitter_us) / 8;
    clock->last_rtt_us = rtt;
    clock->rtts[slot] = rtt;
    clock->offsets[slot] = server_tick * clock->tick_us + rtt / 2 - (double)now_us;
    bool is_new = clock->samples++ < JOIN_PINGS;
    uint32_t count = clock->samples < FRAY_CLOCK_SAMPLES ? clock->samples : FRAY_CLOCK_SAMPLES;
    clock->rtt_us = median(clock->rtts, count);
    double change = magnitude(rtt - clock->rtt_us);
    if (clock->sent > JOIN_PINGS && change > changed_us && change > clock->rtt_us / 4) {
        clock->sent = 0;
        clock->next_ping_us = 0;
    }
    double error = offset_told(clock, count) - clock->offset_us;
    if (is_new || magnitude(error) > hopeless_us)
        clock->offset_us += error;
    else if (magnitude(error) > far_us)
        clock->offset_us += error / 2;
    else
        clock->offset_us += clamp(error, drift_down_us, drift_up_us);
}

double fray_client_clock_tick(const struct fray_client_clock *clock, uint64_t now_us)
{
    return ((double)now_us + clock->offset_us) / clock->tick_us;
}

/* ------------------------------------------------------------------ pace */

void fray_client_pace_init(struct fray_client_pace *pace, uint32_t tick_hz)
{
    *pace = (struct fray_client_pace){.tick_us = 1e6 / tick_hz, .rate = 1};
}

void fray_client_pace_report(struct fray_client_pace *pace, int8_t margin)
{
    if (margin == FRAY_PACKET_NO_MARGIN)
        return;
    /* As it would be without the lead, so that old reports stay comparable. */
    pace->spare[pace->reports++ % FRAY_PACE_WINDOW] = margin - pace->lead;
}

/* The second least: one packet that was held up is none to hurry for. */
static double spare_least(const struct fray_client_pace *pace)
{
    double sorted[FRAY_PACE_WINDOW];
    uint32_t count = pace->reports < FRAY_PACE_WINDOW ? pace->reports : FRAY_PACE_WINDOW;
    sort_into(sorted, pace->spare, count);
    return sorted[1];
}

static void pace_begin(struct fray_client_pace *pace, double wanted)
{
    pace->tick = wanted;
    pace->reports = 0;
    pace->margin = 0;
    pace->rate = 1;
    pace->is_running = true;
}

double fray_client_pace_advance(struct fray_client_pace *pace, uint64_t now_us, double server_tick,
                                double way_ticks)
{
    double elapsed_us = now_us > pace->last_us ? (double)(now_us - pace->last_us) : 0;
    pace->last_us = now_us;
    pace->tick += elapsed_us / pace->tick_us * pace->rate;
    double wanted = server_tick + way_ticks + margin_ticks, lack = wanted - pace->tick;
    if (!pace->is_running || magnitude(lack) > lost_us / pace->tick_us) {
        pace_begin(pace, wanted);
    } else {
        if (pace->reports >= 2) {
            pace->margin = pace->tick - server_tick + spare_least(pace);
            lack = margin_ticks - pace->margin;
        }
        double beyond = lack - clamp(lack, -dead_band_ticks, dead_band_ticks);
        pace->rate = 1 + clamp(beyond * gain, -dilation_max, dilation_max);
    }
    pace->lead = pace->tick - server_tick;
    return pace->tick;
}

/* ------------------------------------------------------------------ playback */

void fray_client_playback_init(struct fray_client_playback *playback, uint32_t tick_hz,
                               uint32_t snapshot_hz)
{
    *playback = (struct fray_client_playback){
        .tick_us = 1e6 / tick_hz, .interval_us = 1e6 / snapshot_hz, .delay_us = 100e3};
}

void fray_client_playback_arrived(struct fray_client_playback *playback, uint32_t tick,
                                  uint64_t now_us)
{
    double sorted[FRAY_PLAYBACK_WINDOW];
    playback->offsets[playback->arrivals++ % FRAY_PLAYBACK_WINDOW] =
        tick * playback->tick_us - (double)now_us;
    uint32_t count = playback->arrivals;
    if (count > FRAY_PLAYBACK_WINDOW)
        count = FRAY_PLAYBACK_WINDOW;
    sort_into(sorted, playback->offsets, count);
    playback->usual_us = sorted[count / 2];
    playback->jitter_us = playback->usual_us - sorted[count / 20]; /* 95 of 100 come by then */
    double two = 2 * playback->interval_us, one = playback->interval_us + playback->jitter_us;
    playback->delay_us = clamp(two > one ? two : one, delay_min_us, delay_max_us);
}

double fray_client_playback_advance(struct fray_client_playback *playback, uint64_t now_us)
{
    if (!playback->arrivals)
        return 0;
    double step = (double)(now_us - playback->last_us) / playback->tick_us;
    double target = ((double)now_us + playback->usual_us - playback->delay_us) / playback->tick_us;
    double error = target - (playback->tick + step);
    playback->last_us = now_us;
    if (!playback->is_running || magnitude(error) > hopeless_us / playback->tick_us)
        playback->tick = target;
    else
        playback->tick += step + clamp(error, -slew * step, slew * step);
    playback->is_running = true;
    return playback->tick > 0 ? playback->tick : 0;
}
