#include "client/timing.h"

#include "packet.h"

enum {
    JOIN_PINGS = 5,
    JOIN_INTERVAL_US = 100000,
    INTERVAL_US = 2000000,
    RTT_MAX_US = 60000000,
    KNOWN_MIN = 4,   /* samples, before one can be unlike all of them */
    CHANGED_MIN = 3, /* and of a change, before the tick jumps by it */
};

/* As Quake III keeps its clock: drift by a little, halve what is far, take over what is hopeless.
 */
static const double drift_up_us = 1000, drift_down_us = -2000, far_us = 100e3, hopeless_us = 500e3;
/* What a late turn of the server's may add to half a round trip. */
static const double honest_us = 25e3;

/* A round trip so far from the median, and by a quarter, may be the first over another path. */
static const double changed_us = 20e3;

/* Of the pace: what inputs should have to spare, how far off that is no matter, and the most that
 * the ticks are sped up or slowed down. */
static const double margin_ticks = 1.5, dead_band_ticks = 0.5, gain = 0.05, dilation_max = 0.05;
/* So far beyond all others a report is odd; so far off it is not slewed, where reports have changed
 * and where they have not. */
static const double odd_us = 50e3, odd_ticks = 2.5, lost_changed_us = 100e3, lost_us = 250e3;
/* So long reports are awaited that know of a leap, or any at all; and it takes a snapshot's
 * interval or two until one says anything. */
static const uint64_t patience_us = 3000000;
static const double telling_us = 100e3;

/* Slewed by 2 %; where there is nothing newer to show anyway, time may slow down by more. */
static const double delay_min_us = 33e3, delay_max_us = 250e3, slew = 0.02, slew_starved = 0.2;

static double magnitude(double value)
{
    return value < 0 ? -value : value;
}

static double clamp(double value, double min, double max)
{
    return value < min ? min : value > max ? max : value;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Sorts a copy. */
static void sort_into(double *sorted, const double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > values[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = values[i];
    }
}

/* −1 or 1: below or above all values by more than that; 0: neither. */
static int unlike(const double *values, uint32_t count, double value, double by)
{
    double least = values[0], most = values[0];
    for (uint32_t i = 1; i < count; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    return value < least - by ? -1 : value > most + by ? 1 : 0;
}

/* ------------------------------------------------------------------ clock */

void fray_client_clock_init(struct fray_client_clock *clock, uint32_t tick_hz)
{
    *clock = (struct fray_client_clock){.tick_us = 1e6 / tick_hz};
}

void fray_client_clock_hurry(struct fray_client_clock *clock)
{
    clock->sent = 0;
    clock->next_ping_us = 0;
}

void fray_client_clock_reset(struct fray_client_clock *clock)
{
    clock->samples = 0;
    fray_client_clock_hurry(clock);
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

/* The median of the quicker half, the newest of those that are equally quick. What was held up says
 * little, and a stall of the network holds up many (RFC 5905, 10: the clock filter). */
static double offset_told(const struct fray_client_clock *clock, uint32_t count)
{
    double rtts[FRAY_CLOCK_SAMPLES] = {0}, offsets[FRAY_CLOCK_SAMPLES] = {0};

    for (uint32_t age = 0; age < count; age++) { /* newest first */
        uint32_t slot = (clock->samples - 1 - age) % FRAY_CLOCK_SAMPLES, at = age;
        for (; at > 0 && rtts[at - 1] > clock->rtts[slot]; at--) {
            rtts[at] = rtts[at - 1];
            offsets[at] = offsets[at - 1];
        }
        rtts[at] = clock->rtts[slot];
        offsets[at] = clock->offsets[slot];
    }
    return median(offsets, (count + 1) / 2);
}

static void keep(struct fray_client_clock *clock, double rtt, double offset)
{
    uint32_t slot = clock->samples++ % FRAY_CLOCK_SAMPLES;
    clock->rtts[slot] = rtt;
    clock->offsets[slot] = offset;
}

/* What goes on changing is no reason to go on. */
static void hurry_again(struct fray_client_clock *clock, uint64_t now_us)
{
    if (clock->sent < JOIN_PINGS || fray_client_since(clock->hurried_us, now_us) < INTERVAL_US)
        return;
    clock->hurried_us = now_us;
    fray_client_clock_hurry(clock);
}

void fray_client_clock_pong(struct fray_client_clock *clock, uint64_t sent_us, uint64_t now_us,
                            double server_tick)
{
    if (sent_us > now_us || now_us - sent_us > RTT_MAX_US)
        return;
    double rtt = (double)(now_us - sent_us);
    double offset = server_tick * clock->tick_us + rtt / 2 - (double)now_us;
    if (clock->last_rtt_us > 0)
        clock->jitter_us += (magnitude(rtt - clock->last_rtt_us) - clock->jitter_us) / 8;
    clock->last_rtt_us = rtt;
    if (server_tick == 0) {
        clock->rtt_us = rtt;
        return;
    }
    if (clock->samples && magnitude(offset - clock->offset_us) > rtt / 2 + honest_us) {
        clock->samples = 0;
        hurry_again(clock, now_us);
    }
    keep(clock, rtt, offset);
    uint32_t count = clock->samples < FRAY_CLOCK_SAMPLES ? clock->samples : FRAY_CLOCK_SAMPLES;
    clock->rtt_us = median(clock->rtts, count);
    double change = magnitude(rtt - clock->rtt_us);
    if (change > changed_us && change > clock->rtt_us / 4)
        hurry_again(clock, now_us);
    double error = offset_told(clock, count) - clock->offset_us;
    if (clock->samples <= JOIN_PINGS || magnitude(error) > hopeless_us)
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

/* The oldest of a packet is to be in time, too. */
void fray_client_pace_init(struct fray_client_pace *pace, uint32_t tick_hz, uint32_t batch)
{
    *pace = (struct fray_client_pace){
        .tick_us = 1e6 / tick_hz, .rate = 1, .target = larger(margin_ticks, batch - 0.5)};
}

static uint32_t pace_known(const struct fray_client_pace *pace)
{
    return pace->reports < FRAY_PACE_WINDOW ? pace->reports : FRAY_PACE_WINDOW;
}

static void pace_keep(struct fray_client_pace *pace, double spare)
{
    pace->spare[pace->reports++ % FRAY_PACE_WINDOW] = spare;
    pace->is_told = pace->is_told || pace->reports >= 2;
    pace->has_changed = pace->has_changed && pace->reports < FRAY_PACE_WINDOW;
}

static void pace_forget(struct fray_client_pace *pace)
{
    pace->reports = 0;
    pace->has_odd = pace->has_changed = false;
}

/* Of before the leap: a round trip's worth of reports, and as long as the server has the inputs of
 * these ticks already. */
static bool is_old(struct fray_client_pace *pace, int8_t margin, uint64_t now_us)
{
    double from_before = magnitude(margin - pace->before);
    double from_after = magnitude(margin - pace->before - pace->leap);
    bool is_waiting = now_us < pace->leap_us && from_before < from_after;
    if (!is_waiting)
        pace->leap_us = 0;
    return is_waiting;
}

/* Further off than a report can say: the clock has to say where to go on. */
static bool pace_is_lost(struct fray_client_pace *pace)
{
    bool is_news = pace->is_told;
    pace_forget(pace);
    pace->is_told = false;
    return is_news;
}

bool fray_client_pace_report(struct fray_client_pace *pace, int8_t margin, uint64_t now_us)
{
    if (margin == FRAY_PACKET_NO_MARGIN || now_us < pace->deaf_us || is_old(pace, margin, now_us))
        return false;
    if (margin == INT8_MAX || margin == -INT8_MAX)
        return pace_is_lost(pace);
    pace->told_us = now_us;
    double spare = margin - pace->gained, by = larger(odd_ticks, odd_us / pace->tick_us);
    uint32_t known = pace_known(pace);
    int side = known < KNOWN_MIN ? 0 : unlike(pace->spare, known, spare, by);
    if (!side) {
        if (pace->has_odd)
            pace_keep(pace, pace->odd);
        pace->has_odd = false;
        pace_keep(pace, spare);
        return false;
    }
    bool has_changed = pace->has_odd && unlike(pace->spare, known, pace->odd, by) == side;
    if (has_changed) {
        pace_forget(pace);
        pace_keep(pace, pace->odd);
        pace_keep(pace, spare);
        pace->has_changed = true;
    } else {
        pace->has_odd = true;
        pace->odd = spare;
    }
    return has_changed;
}

/* The second least: one packet that was held up is none to hurry for. Of reports that have changed,
 * the one that is nearest to what is wanted: the first may be of a moment in between. */
static double spare_told(const struct fray_client_pace *pace)
{
    double sorted[FRAY_PACE_WINDOW];
    sort_into(sorted, pace->spare, pace_known(pace));
    bool is_early = pace->gained + sorted[0] > pace->target;
    return sorted[pace->has_changed && is_early ? 0 : 1];
}

void fray_client_pace_doubt(struct fray_client_pace *pace, uint64_t now_us, double way_ticks)
{
    pace_forget(pace);
    pace->deaf_us = now_us + (uint64_t)(2 * way_ticks * pace->tick_us + telling_us);
}

static void pace_begin(struct fray_client_pace *pace, double wanted)
{
    pace_forget(pace);
    pace->tick = wanted;
    pace->margin = pace->gained = 0;
    pace->leap_us = 0;
    pace->rate = 1;
    pace->is_running = pace->has_changed = true; /* the clock knows it roughly */
}

static void pace_jump(struct fray_client_pace *pace, double ticks, uint64_t now_us)
{
    pace_forget(pace);
    pace->before = pace->margin;
    pace->leap = ticks;
    pace->leap_us = now_us + patience_us;
    pace->tick += ticks;
    pace->gained += ticks;
    pace->margin += ticks;
    pace->rate = 1;
}

static void pace_slew(struct fray_client_pace *pace, double lack)
{
    double beyond = lack - clamp(lack, -dead_band_ticks, dead_band_ticks);
    pace->rate = 1 + clamp(beyond * gain, -dilation_max, dilation_max);
}

static void pace_follow_reports(struct fray_client_pace *pace, uint64_t now_us)
{
    pace->margin = pace->gained + spare_told(pace);
    double lack = pace->target - pace->margin;
    double most_us = pace->has_changed ? lost_changed_us : lost_us;
    if (pace->has_changed && pace->reports < CHANGED_MIN)
        pace->rate = 1;
    else if (magnitude(lack) * pace->tick_us > most_us)
        pace_jump(pace, lack, now_us);
    else
        pace_slew(pace, lack);
}

double fray_client_pace_advance(struct fray_client_pace *pace, uint64_t now_us, double server_tick,
                                double way_ticks)
{
    double elapsed_us = (double)fray_client_since(pace->last_us, now_us);
    pace->last_us += (uint64_t)elapsed_us;
    pace->tick += elapsed_us / pace->tick_us * pace->rate;
    pace->gained += elapsed_us / pace->tick_us * (pace->rate - 1);
    double wanted = server_tick + way_ticks + pace->target, lack = wanted - pace->tick;
    if (pace->is_told && fray_client_since(pace->told_us, now_us) > patience_us) {
        pace_forget(pace);
        pace->is_told = false;
    }
    if (!pace->is_running || (!pace->is_told && magnitude(lack) > lost_us / pace->tick_us))
        pace_begin(pace, wanted);
    else if (pace->reports >= 2)
        pace_follow_reports(pace, now_us);
    else
        pace_slew(pace, pace->is_told ? 0 : lack);
    return pace->tick;
}

/* ------------------------------------------------------------------ playback */

void fray_client_playback_init(struct fray_client_playback *playback, uint32_t tick_hz,
                               uint32_t snapshot_hz, bool is_stream)
{
    *playback = (struct fray_client_playback){.tick_us = 1e6 / tick_hz,
                                              .interval_us = 1e6 / snapshot_hz,
                                              .delay_us = 100e3,
                                              .intervals = is_stream ? 2 : 3};
}

/* The rate is the server's to change, and its snapshots come in whole ticks: the mean of late. */
static void note_interval(struct fray_client_playback *playback, uint32_t tick)
{
    double step_us = (double)(tick - playback->newest_tick) * playback->tick_us;
    if (playback->arrivals)
        playback->interval_us += (clamp(step_us, 0, delay_max_us) - playback->interval_us) / 8;
    playback->newest_tick = tick;
}

static uint32_t playback_known(const struct fray_client_playback *playback)
{
    return playback->arrivals < FRAY_PLAYBACK_WINDOW ? playback->arrivals
                                                     : (uint32_t)FRAY_PLAYBACK_WINDOW;
}

static void playback_keep(struct fray_client_playback *playback, double offset_us)
{
    playback->offsets[playback->arrivals++ % FRAY_PLAYBACK_WINDOW] = offset_us;
}

/* So late, or so early again, twice: time stood still, or the way is another. */
static void note_offset(struct fray_client_playback *playback, double offset_us)
{
    uint32_t known = playback_known(playback);
    int side = known < KNOWN_MIN ? 0 : unlike(playback->offsets, known, offset_us, lost_us);
    bool was_odd = playback->has_odd;
    if (side && was_odd && unlike(playback->offsets, known, playback->odd, lost_us) == side) {
        playback->arrivals = 0;
        playback->is_running = false;
        side = 0;
    }
    if (was_odd)
        playback_keep(playback, playback->odd);
    playback->has_odd = side;
    playback->odd = offset_us;
    if (!side)
        playback_keep(playback, offset_us);
}

void fray_client_playback_arrived(struct fray_client_playback *playback, uint32_t tick,
                                  uint64_t now_us)
{
    double sorted[FRAY_PLAYBACK_WINDOW];
    if (!playback->arrivals || tick > playback->newest_tick)
        note_interval(playback, tick);
    note_offset(playback, tick * playback->tick_us - (double)now_us);
    uint32_t count = playback_known(playback);
    sort_into(sorted, playback->offsets, count);
    playback->usual_us = sorted[count / 2];
    playback->jitter_us = playback->usual_us - sorted[count / 20]; /* 95 of 100 come by then */
    double some = playback->intervals * playback->interval_us;
    double one = playback->interval_us + playback->jitter_us;
    playback->delay_us = clamp(larger(some, one), delay_min_us, delay_max_us);
}

double fray_client_playback_advance(struct fray_client_playback *playback, uint64_t now_us)
{
    if (!playback->arrivals)
        return playback->tick;
    uint64_t elapsed_us = fray_client_since(playback->last_us, now_us);
    double step = (double)elapsed_us / playback->tick_us;
    double target = ((double)now_us + playback->usual_us - playback->delay_us) / playback->tick_us;
    double error = target - (playback->tick + step);
    bool is_starved = playback->tick > playback->newest_tick;
    playback->last_us += elapsed_us;
    if (!playback->is_running || magnitude(error) > hopeless_us / playback->tick_us)
        playback->tick = target;
    else
        playback->tick +=
            step + clamp(error, -(is_starved ? slew_starved : slew) * step, slew * step);
    playback->is_running = true;
    return playback->tick > 0 ? playback->tick : 0;
}
