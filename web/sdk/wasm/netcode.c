/* The netcode of src/client for pages: of one match at a time, another begins anew. web/sdk/src/
 * netcode.ts is its other half, and has the connection and the clock.
 *
 * Times are microseconds of the page's clock. What the netcode has to say, packets to be sent among
 * it, waits in said() after each call here, until the next. How it goes is in status(), likewise.
 */
#include "client/netcode.h"
#include "module.h"

enum { PACKET_MAX = 65536, SAID_MAX = 65536 };

/* One thing that is said: `len` bytes follow, up to a multiple of 8. */
struct said_head {
    uint16_t kind, len;
    uint32_t tick;
};

enum said {
    SAID_PACKET = 1,
    SAID_EVENT, /* {u8 kind, u8 to, u16, i32 args[5]} */
    SAID_EVENTS_LOST,
    SAID_WELCOME,
    SAID_HASH,    /* {u64 own, u64 server} */
    SAID_REFUSED, /* u8 code */
    SAID_INPUT,   /* the input that was sampled */
};

/* Of the names in netcode.ts, in their order. Ticks have fractions; 0 is none, as is an address. */
struct status {
    double predicted, predicted_tick; /* addresses of views, and the ticks that they show */
    double interpolated, tick;
    double newest, newest_tick;
    double sampled_tick; /* of the newest own input */
    double server_tick;
    double alpha, can_predict, is_lagging;
    double rtt_ms, jitter_ms, arrived_ms, delay_ms;
    double margin, rate;
    double received, missed, corrections, correction_px, extrapolated, desyncs, refused;
};

static struct fray_netcode netcode;
static uint8_t packet[PACKET_MAX];
static _Alignas(8) uint8_t said[SAID_MAX];
static uint32_t said_len;
static struct status status;

/* ------------------------------------------------------------------ what it says */

static void say(enum said kind, uint32_t tick, const void *bytes, size_t len)
{
    struct said_head head = {.kind = (uint16_t)kind, .len = (uint16_t)len, .tick = tick};
    size_t size = sizeof head + ((len + 7) & ~(size_t)7);
    if (said_len + size > SAID_MAX) /* not within one call: FRAY_NETCODE_EVENTS and some packets */
        return;
    __builtin_memcpy(said + said_len, &head, sizeof head);
    __builtin_memcpy(said + said_len + sizeof head, bytes, len);
    said_len += (uint32_t)size;
}

static void send(void *context, const void *bytes, size_t len)
{
    (void)context;
    say(SAID_PACKET, 0, bytes, len);
}

static void on_event(void *context, const struct fray_game_event *event, uint32_t tick)
{
    (void)context;
    say(SAID_EVENT, tick, event, sizeof *event);
}

static void on_events_lost(void *context)
{
    (void)context;
    say(SAID_EVENTS_LOST, 0, NULL, 0);
}

static void on_welcome(void *context)
{
    (void)context;
    say(SAID_WELCOME, 0, NULL, 0);
}

static void on_hash(void *context, uint32_t tick, uint64_t own, uint64_t server)
{
    const uint64_t hashes[] = {own, server};
    (void)context;
    say(SAID_HASH, tick, hashes, sizeof hashes);
}

static void on_refused(void *context, uint8_t code)
{
    (void)context;
    say(SAID_REFUSED, 0, &code, sizeof code);
}

static void on_input(void *context, uint32_t tick, const void *input)
{
    (void)context;
    say(SAID_INPUT, tick, input, FRAY_WASM_GAME.input_size);
}

EXPORT(said) const void *wasm_said(void)
{
    return said;
}

/* In bytes. */
EXPORT(said_len) uint32_t wasm_said_len(void)
{
    return said_len;
}

static double address(const void *view)
{
    return (double)(size_t)view;
}

EXPORT(status) const struct status *wasm_status(void)
{
    const struct fray_client_prediction *prediction = &netcode.prediction;
    status.newest = address(fray_netcode_newest(&netcode));
    status.newest_tick = fray_netcode_newest_tick(&netcode);
    status.sampled_tick = netcode.tick;
    status.can_predict = netcode.has_same_rules;
    status.is_lagging = netcode.interpolation.is_lagging;
    status.rtt_ms = netcode.clock.rtt_us / 1000;
    status.jitter_ms = netcode.clock.jitter_us / 1000;
    status.arrived_ms = (double)netcode.arrived_us / 1000;
    status.delay_ms = netcode.playback.delay_us / 1000;
    status.margin = netcode.pace.is_told ? netcode.pace.margin : __builtin_nan("");
    status.rate = netcode.pace.rate;
    status.received = (double)netcode.snapshots.received;
    status.missed = (double)netcode.snapshots.missed;
    status.corrections = (double)prediction->corrections;
    status.correction_px = prediction->correction_px;
    status.extrapolated = (double)netcode.interpolation.extrapolated;
    status.desyncs = (double)netcode.desyncs;
    status.refused = (double)netcode.refused;
    return &status;
}

/* ------------------------------------------------------------------ what it is told */

/* `fields` as in struct fray_client_smoothing, for as long as the module lives. 0: no memory. */
EXPORT(smoothing)
const struct fray_client_smoothing *wasm_smoothing(double teleport_px, const uint16_t *fields,
                                                   uint32_t fields_count)
{
    struct fray_client_smoothing *smoothing = wasm_alloc(sizeof *smoothing);
    if (smoothing)
        *smoothing = (struct fray_client_smoothing){
            .teleport_px = teleport_px, .fields = fields, .fields_count = fields_count};
    return smoothing;
}

/* Of a view by `smoothing`, for pages that step by themselves: fray_client_between. */
EXPORT(between)
void wasm_between(const struct fray_client_smoothing *smoothing, const void *older,
                  const void *newer, double fraction, double ticks, bool is_newest, void *out)
{
    fray_client_between(&FRAY_WASM_GAME, smoothing,
                        &(struct fray_client_moment){.older = older,
                                                     .newer = newer,
                                                     .fraction = fraction,
                                                     .ticks = ticks,
                                                     .is_newest = is_newest},
                        out);
}

/* Nothing is sent before netcode_restart. False: no memory. */
EXPORT(netcode_init)
bool wasm_netcode_init(uint32_t seat, uint32_t snapshot_hz, uint32_t input_batch,
                       const struct fray_client_smoothing *smoothing, double snap_px)
{
    static void *memory;
    size_t size = fray_netcode_size(&FRAY_WASM_GAME);
    if (!memory)
        memory = wasm_alloc(size);
    if (!memory)
        return false;
    __builtin_memset(memory, 0, size);
    fray_netcode_init(&netcode,
                      &(struct fray_netcode_config){
                          .game = &FRAY_WASM_GAME,
                          .seat = seat,
                          .snapshot_hz = (uint8_t)snapshot_hz,
                          .input_batch = (uint8_t)input_batch,
                          .snap_px = snap_px,
                          .smoothing = *smoothing,
                          .send = send,
                          .on_event = on_event,
                          .on_events_lost = on_events_lost,
                          .on_welcome = on_welcome,
                          .on_hash = on_hash,
                          .on_refused = on_refused,
                          .on_input = on_input,
                      },
                      memory, 0);
    status = (struct status){0};
    said_len = 0;
    return true;
}

/* A connection is there; the next netcode_advance says HELLO on it. */
EXPORT(netcode_restart) void wasm_netcode_restart(bool is_stream, double now_us)
{
    said_len = 0;
    fray_netcode_restart(&netcode, is_stream, (uint64_t)now_us);
}

/* A start has been agreed on: fray_netcode_clock_reset. */
EXPORT(netcode_clock_reset) void wasm_netcode_clock_reset(void)
{
    fray_netcode_clock_reset(&netcode);
}

/* The input that is held, for the page to write. */
EXPORT(netcode_held) void *wasm_netcode_held(void)
{
    return netcode.inputs.held;
}

/* Where the page puts what netcode_receive is to read: room for 65536 bytes. */
EXPORT(netcode_packet) void *wasm_netcode_packet(void)
{
    return packet;
}

EXPORT(netcode_receive) void wasm_netcode_receive(size_t len, double now_us)
{
    said_len = 0;
    (void)fray_netcode_receive(&netcode, packet, len < PACKET_MAX ? len : 0, (uint64_t)now_us);
}

/* Plays on to now. `is_clogged`: what was sent before still waits. */
EXPORT(netcode_advance) void wasm_netcode_advance(bool is_clogged, double now_us)
{
    said_len = 0;
    netcode.is_clogged = is_clogged;
    fray_netcode_advance(&netcode, (uint64_t)now_us);
}

/* Makes the two views that are to be drawn now, and says in the status where they are. */
EXPORT(netcode_look) void wasm_netcode_look(double now_us)
{
    uint64_t now = (uint64_t)now_us;
    status.predicted = address(fray_netcode_drawn(&netcode, now));
    status.interpolated = address(fray_netcode_interpolated(&netcode, now));
    status.tick = fray_netcode_shown(&netcode, now);
    status.alpha = netcode.prediction.fraction;
    status.predicted_tick = netcode.prediction.tick - 1 + status.alpha;
    status.server_tick = fray_netcode_server_tick(&netcode, now);
}

/* Impulses, of an input that was given: fray_game_release. */
EXPORT(input_release) void wasm_input_release(void *input)
{
    fray_game_release(&FRAY_WASM_GAME, input);
}
