#include "client/netcode.h"

enum {
    HELLO_US = 1000000,   /* until it is said again */
    ACK_US = 200000,      /* who sends no inputs acknowledges this often */
    SILENT_US = 1000000,  /* then a stream has stalled: inputs would be late, and come in a flood */
    STRANGER_US = 500000, /* without a snapshot, when the server does not know who this is */
    BATCH_FROM_HZ = 31,   /* of faster games a stream carries two inputs in a packet */
    REPEATED = 3,         /* inputs that every datagram repeats */
    CATCH_UP = 10,        /* ticks sampled in one go; what is beyond is skipped */
    SNAPSHOT_HZ = 20,     /* until the server says it */
};

static const struct fray_game *game_of(const struct fray_netcode *netcode)
{
    return netcode->config.game;
}

static bool plays(const struct fray_netcode *netcode)
{
    return netcode->config.seat < game_of(netcode)->seats_max;
}

static bool predicts(const struct fray_netcode *netcode)
{
    return netcode->has_same_rules && plays(netcode) && !netcode->config.no_prediction;
}

static void send_packet(struct fray_netcode *netcode, const void *packet, size_t len)
{
    netcode->config.send(netcode->config.context, packet, len);
}

static uint8_t batch_size(const struct fray_netcode *netcode)
{
    if (!netcode->config.is_stream)
        return 1;
    if (netcode->config.input_batch)
        return netcode->config.input_batch;
    return game_of(netcode)->tick_hz >= BATCH_FROM_HZ ? 2 : 1;
}

/* ------------------------------------------------------------------ memory */

static size_t rounded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static void *carve(char **memory, size_t size)
{
    void *part = *memory;
    *memory += rounded(size);
    return part;
}

enum { STATES = 6 }; /* beside the snapshots: previous, current, drawn, shown, older, newer */

size_t fray_netcode_size(const struct fray_game *game)
{
    return (FRAY_CLIENT_VIEWS + STATES) * rounded(game->state_size) +
           rounded((size_t)FRAY_CLIENT_INPUTS * game->input_size) + rounded(game->input_size) +
           rounded((size_t)game->seats_max * game->input_size) + rounded(game->seats_max) +
           rounded((size_t)FRAY_PACKET_INPUTS_MAX * game->input_size);
}

static void memory_spread(struct fray_netcode *netcode, char *memory)
{
    const struct fray_game *game = game_of(netcode);
    size_t input_size = game->input_size;
    char *states = carve(&memory, (size_t)FRAY_CLIENT_VIEWS * game->state_size);
    fray_client_snapshots_init(&netcode->snapshots, game, states);
    char **const others[STATES] = {&netcode->prediction.previous, &netcode->prediction.current,
                                   &netcode->prediction.drawn,    &netcode->interpolation.shown,
                                   &netcode->interpolation.older, &netcode->interpolation.newer};
    for (int i = 0; i < STATES; i++)
        *others[i] = carve(&memory, game->state_size);
    netcode->inputs = (struct fray_client_inputs){
        .game = game,
        .held = carve(&memory, input_size),
        .ring = carve(&memory, FRAY_CLIENT_INPUTS * input_size),
    };
    netcode->stepper = (struct fray_client_stepper){
        .game = game,
        .inputs = carve(&memory, game->seats_max * input_size),
        .given = carve(&memory, game->seats_max),
    };
    netcode->batch = carve(&memory, FRAY_PACKET_INPUTS_MAX * input_size);
}

/* ------------------------------------------------------------------ beginning */

static void playback_begin(struct fray_netcode *netcode, uint32_t snapshot_hz)
{
    double tick = netcode->playback.tick; /* stands still until something comes */
    fray_client_playback_init(&netcode->playback, game_of(netcode)->tick_hz, snapshot_hz,
                              netcode->config.is_stream);
    netcode->playback.tick = tick;
}

void fray_netcode_init(struct fray_netcode *netcode, const struct fray_netcode_config *config,
                       void *memory, uint64_t now_us)
{
    const struct fray_game *game = config->game;
    *netcode = (struct fray_netcode){.config = *config, .now_us = now_us};
    struct fray_client_smoothing *smoothing = &netcode->config.smoothing;
    if (smoothing->teleport_px <= 0)
        smoothing->teleport_px = FRAY_NETCODE_TELEPORT_PX;
    memory_spread(netcode, memory);
    fray_client_clock_init(&netcode->clock, game->tick_hz);
    fray_client_pace_init(&netcode->pace, game->tick_hz, batch_size(netcode));
    playback_begin(netcode, SNAPSHOT_HZ);
    netcode->prediction.stepper = netcode->interpolation.stepper = &netcode->stepper;
    netcode->prediction.smoothing = netcode->interpolation.smoothing = smoothing;
    netcode->prediction.inputs = &netcode->inputs;
    netcode->prediction.players = fray_game_players(game);
    netcode->prediction.seat = config->seat;
    netcode->prediction.snap_px = config->snap_px > 0 ? config->snap_px : FRAY_NETCODE_SNAP_PX;
    netcode->interpolation.snapshots = &netcode->snapshots;
    fray_client_interpolation_init(&netcode->interpolation);
}

static void event_tell(struct fray_netcode *netcode)
{
    const struct fray_packet_event event = netcode->events[netcode->events_first];
    netcode->events_first = (netcode->events_first + 1) % FRAY_NETCODE_EVENTS;
    netcode->events_count--;
    if (netcode->config.on_event)
        netcode->config.on_event(netcode->config.context, &event.event, event.tick);
}

/* Ticks, sequence numbers and inputs of before mean nothing for what comes. Events that came are
 * told: nobody sends them again. */
static void timeline_restart(struct fray_netcode *netcode, uint32_t snapshot_hz)
{
    while (netcode->events_count)
        event_tell(netcode);
    netcode->event_seq = 0;
    netcode->is_desynced = false;
    netcode->tick = netcode->sent_tick = 0;
    fray_client_inputs_forget(&netcode->inputs);
    fray_client_snapshots_restart(&netcode->snapshots);
    fray_client_prediction_restart(&netcode->prediction);
    fray_client_interpolation_restart(&netcode->interpolation);
    fray_client_pace_init(&netcode->pace, game_of(netcode)->tick_hz, batch_size(netcode));
    playback_begin(netcode, snapshot_hz);
}

void fray_netcode_restart(struct fray_netcode *netcode, bool is_stream, uint64_t now_us)
{
    netcode->now_us = now_us;
    netcode->config.is_stream = is_stream;
    netcode->is_welcome = netcode->has_said_hello = false;
    fray_client_clock_hurry(&netcode->clock);
    timeline_restart(netcode, SNAPSHOT_HZ);
}

void fray_netcode_clock_reset(struct fray_netcode *netcode)
{
    fray_client_clock_reset(&netcode->clock);
}

/* ------------------------------------------------------------------ what arrives */

static void events_take(struct fray_netcode *netcode)
{
    for (uint32_t i = 0; i < netcode->packet.events_count; i++) {
        const struct fray_packet_event *event = &netcode->packet.events[i];
        if (netcode->event_seq && !fray_packet_seq_newer(event->seq, netcode->event_seq))
            continue;
        netcode->event_seq = event->seq;
        if (netcode->events_count == FRAY_NETCODE_EVENTS)
            event_tell(netcode);
        uint32_t slot = (netcode->events_first + netcode->events_count++) % FRAY_NETCODE_EVENTS;
        netcode->events[slot] = *event;
    }
    if (netcode->packet.flags & FRAY_SNAPSHOT_EVENTS_LOST && netcode->config.on_events_lost)
        netcode->config.on_events_lost(netcode->config.context);
}

static void report(struct fray_netcode *netcode, uint32_t tick, uint64_t hash)
{
    uint8_t packet[16];
    size_t len = fray_packet_report_encode(&(struct fray_packet_report){.tick = tick, .hash = hash},
                                           packet, sizeof packet);
    netcode->desyncs++;
    send_packet(netcode, packet, len);
}

/* A report may be lost, and a snapshot that was on its way decodes all the same: until it is known
 * that all is well, a complete one is asked for. */
static void verify(struct fray_netcode *netcode, const char *state)
{
    const struct fray_packet_snapshot *packet = &netcode->packet;
    if (packet->seq == packet->base_seq)
        netcode->is_desynced = false;
    if (!(packet->flags & FRAY_SNAPSHOT_HASH))
        return;
    uint64_t own = fray_game_hash(FRAY_GAME_HASH_START, state, game_of(netcode)->state_size);
    netcode->is_desynced = own != packet->hash;
    if (netcode->is_desynced)
        report(netcode, packet->tick, own);
    if (netcode->config.on_hash)
        netcode->config.on_hash(netcode->config.context, packet->tick, own, packet->hash);
}

/* Not about inputs of an earlier game, or about none since long ago: the newest that it may be
 * about has been sampled. */
static bool is_about_own_inputs(const struct fray_netcode *netcode)
{
    return (int64_t)netcode->packet.tick + 1 + netcode->packet.margin <= (int64_t)netcode->tick + 1;
}

static bool snapshot_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    struct fray_client_snapshots *snapshots = &netcode->snapshots;
    const struct fray_packet_snapshot *packet = &netcode->packet;
    enum fray_client_snapshot_fate fate = fray_client_snapshots_receive(
        snapshots, netcode->config.seat, &netcode->packet, bytes, len);
    if (fate != FRAY_CLIENT_SNAPSHOT_TAKEN)
        return fate != FRAY_CLIENT_SNAPSHOT_MALFORMED;
    const char *newest = fray_client_snapshots_state(snapshots, snapshots->newest);
    bool is_newest = snapshots->views[snapshots->newest].seq == packet->seq;
    netcode->arrived_us = netcode->now_us;
    events_take(netcode);
    verify(netcode, fray_client_snapshots_state(snapshots, packet->seq % FRAY_CLIENT_VIEWS));
    fray_client_playback_arrived(&netcode->playback, packet->tick, netcode->now_us);
    if (!is_newest) /* what an older one says was said already */
        return true;
    if (is_about_own_inputs(netcode) &&
        fray_client_pace_report(&netcode->pace, packet->margin, netcode->now_us))
        fray_client_clock_hurry(&netcode->clock);
    if (predicts(netcode))
        fray_client_prediction_reconcile(&netcode->prediction, newest, packet->tick);
    return true;
}

/* It answers HELLO, or comes by itself when a game begins, perhaps after another. */
static bool welcome_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    struct fray_packet_welcome welcome;
    if (!fray_packet_welcome_decode(&welcome, bytes, len) || !welcome.snapshot_hz ||
        welcome.version != FRAY_PACKET_VERSION)
        return false;
    bool is_answer = !netcode->is_welcome;
    uint64_t asked_us = is_answer
                            ? netcode->hello_us
                            : fray_client_since((uint64_t)netcode->clock.rtt_us, netcode->now_us);
    timeline_restart(netcode, welcome.snapshot_hz);
    netcode->is_welcome = true;
    netcode->has_same_rules = welcome.rules == fray_game_rules(game_of(netcode));
    netcode->interpolation.may_step = netcode->has_same_rules;
    fray_client_clock_hurry(&netcode->clock);
    if (welcome.tick || !is_answer) /* else it may not have begun */
        fray_client_clock_pong(&netcode->clock, asked_us, netcode->now_us, welcome.tick + 0.5);
    if (netcode->config.on_welcome)
        netcode->config.on_welcome(netcode->config.context);
    return true;
}

static bool pong_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    struct fray_packet_pong pong;
    if (!fray_packet_pong_decode(&pong, bytes, len))
        return false;
    uint32_t age_us = (uint32_t)netcode->now_us - pong.stamp;
    if (age_us > netcode->now_us)
        return false;
    fray_client_clock_pong(&netcode->clock, netcode->now_us - age_us, netcode->now_us,
                           (int32_t)pong.tick + pong.phase / 65536.0);
    return true;
}

static bool refused_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    uint8_t code;
    if (!fray_packet_refused_decode(&code, bytes, len))
        return false;
    bool is_stranger = fray_client_since(netcode->arrived_us, netcode->now_us) > STRANGER_US;
    if (code == FRAY_REFUSED_NO_HELLO && is_stranger && netcode->is_welcome)
        fray_netcode_restart(netcode, netcode->config.is_stream, netcode->now_us);
    if (netcode->config.on_refused)
        netcode->config.on_refused(netcode->config.context, code);
    return true;
}

static bool take(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    switch (len ? *(const uint8_t *)bytes : 0) {
    case FRAY_PACKET_WELCOME: return welcome_receive(netcode, bytes, len);
    case FRAY_PACKET_SNAPSHOT: return snapshot_receive(netcode, bytes, len);
    case FRAY_PACKET_PONG: return pong_receive(netcode, bytes, len);
    case FRAY_PACKET_REFUSED: return refused_receive(netcode, bytes, len);
    default: return false;
    }
}

static double way_ticks(const struct fray_netcode *netcode)
{
    return netcode->clock.rtt_us / 2 / netcode->clock.tick_us;
}

bool fray_netcode_receive(struct fray_netcode *netcode, const void *bytes, size_t len,
                          uint64_t now_us)
{
    /* What it says of inputs is of before the silence, too. */
    if (fray_client_since(netcode->heard_us, now_us) > SILENT_US)
        fray_client_pace_doubt(&netcode->pace, now_us, way_ticks(netcode));
    netcode->now_us = netcode->heard_us = now_us;
    bool is_understood = take(netcode, bytes, len);
    netcode->refused += !is_understood;
    return is_understood;
}

/* ------------------------------------------------------------------ what is sent */

static void hello_send(struct fray_netcode *netcode)
{
    uint8_t packet[8];
    size_t len = fray_packet_hello_encode(
        &(struct fray_packet_hello){.version = FRAY_PACKET_VERSION,
                                    .flags = netcode->config.is_stream ? FRAY_HELLO_STREAM : 0,
                                    .snapshot_hz = netcode->config.snapshot_hz},
        packet, sizeof packet);
    netcode->has_said_hello = true;
    netcode->hello_us = netcode->now_us;
    send_packet(netcode, packet, len);
}

static void ping_send(struct fray_netcode *netcode)
{
    uint8_t packet[8];
    size_t len = fray_packet_ping_encode((uint32_t)netcode->now_us, packet, sizeof packet);
    send_packet(netcode, packet, len);
}

/* The first of the unbroken run of inputs that goes into the packet. */
static uint32_t first_to_send(const struct fray_netcode *netcode)
{
    uint32_t last = netcode->tick, first = netcode->sent_tick ? netcode->sent_tick + 1 : last;
    if (!netcode->config.is_stream && first + REPEATED > last + 1)
        first = last + 1 > REPEATED ? last + 1 - REPEATED : 1;
    if (last - first >= FRAY_PACKET_INPUTS_MAX)
        first = last + 1 - FRAY_PACKET_INPUTS_MAX;
    return fray_client_inputs_run(&netcode->inputs, first, last);
}

static void inputs_put(struct fray_netcode *netcode, struct fray_packet_input *packet)
{
    size_t size = game_of(netcode)->input_size;
    packet->first_tick = first_to_send(netcode);
    packet->count = (uint8_t)(netcode->tick - packet->first_tick + 1);
    for (uint32_t i = 0; i < packet->count; i++)
        __builtin_memcpy(netcode->batch + i * size,
                         fray_client_inputs_at(&netcode->inputs, packet->first_tick + i), size);
    netcode->sent_tick = netcode->tick;
}

static void input_send(struct fray_netcode *netcode)
{
    const struct fray_client_snapshots *snapshots = &netcode->snapshots;
    bool needs_full = snapshots->needs_full || netcode->is_desynced;
    struct fray_packet_input packet = {
        .flags = (uint8_t)(needs_full ? FRAY_INPUT_NEED_FULL : 0),
        .ack = snapshots->ack,
        .ack_bits = snapshots->ack_bits,
    };
    double shown = fray_netcode_shown(netcode, netcode->now_us);
    uint8_t bytes[FRAY_NETCODE_PACKET_MAX];
    if (netcode->tick != netcode->sent_tick)
        inputs_put(netcode, &packet);
    if (shown > 0) {
        packet.flags |= FRAY_INPUT_HAS_VIEW;
        packet.view = (uint32_t)(uint64_t)(shown * 256 + 0.5);
    }
    size_t len =
        fray_packet_input_encode(game_of(netcode), &packet, netcode->batch, bytes, sizeof bytes);
    send_packet(netcode, bytes, len);
}

/* ------------------------------------------------------------------ the own ticks */

/* Back to before it: what is sampled from here on is sent at once, again. */
static void go_back(struct fray_netcode *netcode, uint32_t tick)
{
    const void *newest = fray_netcode_newest(netcode);
    netcode->tick = tick;
    if (netcode->sent_tick > tick)
        netcode->sent_tick = tick + 1 > batch_size(netcode) ? tick + 1 - batch_size(netcode) : 0;
    if (newest)
        fray_client_prediction_go_back(&netcode->prediction, newest,
                                       fray_netcode_newest_tick(netcode), tick);
}

static void samples_take(struct fray_netcode *netcode, uint32_t until)
{
    if (netcode->tick > until)
        go_back(netcode, until - 1);
    else if (!netcode->tick || until - netcode->tick > CATCH_UP)
        netcode->tick = until - 1;
    while (netcode->tick < until) {
        uint32_t tick = ++netcode->tick;
        fray_client_inputs_sample(&netcode->inputs, tick);
        if (netcode->config.on_input)
            netcode->config.on_input(netcode->config.context, tick,
                                     fray_client_inputs_at(&netcode->inputs, tick));
    }
}

double fray_netcode_server_tick(const struct fray_netcode *netcode, uint64_t now_us)
{
    return netcode->clock.samples ? fray_client_clock_tick(&netcode->clock, now_us) : 0;
}

static void play(struct fray_netcode *netcode)
{
    double server_tick = fray_netcode_server_tick(netcode, netcode->now_us);
    double tick =
        fray_client_pace_advance(&netcode->pace, netcode->now_us, server_tick, way_ticks(netcode));
    if (tick >= 1)
        samples_take(netcode, (uint32_t)tick);
}

static bool is_silent(const struct fray_netcode *netcode)
{
    return netcode->config.is_stream &&
           fray_client_since(netcode->heard_us, netcode->now_us) > SILENT_US;
}

static void say_what_is_due(struct fray_netcode *netcode)
{
    bool is_due = fray_client_since(netcode->tried_us, netcode->now_us) >= ACK_US;
    if (!is_due && netcode->tick - netcode->sent_tick < batch_size(netcode))
        return;
    netcode->tried_us = netcode->now_us;
    if (!netcode->is_clogged && !is_silent(netcode))
        input_send(netcode);
}

void fray_netcode_advance(struct fray_netcode *netcode, uint64_t now_us)
{
    netcode->now_us = now_us;
    if (netcode->is_welcome) {
        if (fray_client_clock_asks(&netcode->clock, now_us))
            ping_send(netcode);
        if (netcode->clock.samples && plays(netcode))
            play(netcode);
        say_what_is_due(netcode);
    } else if (!netcode->has_said_hello ||
               fray_client_since(netcode->hello_us, now_us) > HELLO_US) {
        hello_send(netcode);
    }
    double shown = fray_netcode_shown(netcode, netcode->now_us);
    while (netcode->events_count && netcode->events[netcode->events_first].tick <= shown)
        event_tell(netcode);
}

uint64_t fray_netcode_due(const struct fray_netcode *netcode)
{
    const struct fray_client_pace *pace = &netcode->pace;
    if (!netcode->is_welcome)
        return netcode->has_said_hello ? netcode->hello_us + HELLO_US + 1 : netcode->now_us;
    uint64_t due = netcode->tried_us + ACK_US;
    if (netcode->clock.next_ping_us < due)
        due = netcode->clock.next_ping_us;
    if (pace->is_running) {
        double ahead = (double)netcode->tick + 1 - pace->tick;
        double wait_us = ahead > 0 ? ahead * pace->tick_us / pace->rate : 0;
        if (pace->last_us + (uint64_t)wait_us + 1 < due)
            due = pace->last_us + (uint64_t)wait_us + 1;
    }
    return due;
}

/* ------------------------------------------------------------------ what there is to see */

const void *fray_netcode_newest(const struct fray_netcode *netcode)
{
    const struct fray_client_snapshots *snapshots = &netcode->snapshots;
    return snapshots->newest < 0 ? NULL : fray_client_snapshots_state(snapshots, snapshots->newest);
}

uint32_t fray_netcode_newest_tick(const struct fray_netcode *netcode)
{
    const struct fray_client_snapshots *snapshots = &netcode->snapshots;
    return snapshots->newest < 0 ? 0 : snapshots->views[snapshots->newest].tick;
}

const void *fray_netcode_predicted(struct fray_netcode *netcode)
{
    if (!predicts(netcode) || !netcode->prediction.is_there)
        return NULL;
    fray_client_prediction_advance(&netcode->prediction, netcode->tick);
    return netcode->prediction.current;
}

/* Of the way from the tick before the newest to that one: as if it were a tick earlier. Where
 * nothing is predicted any more, all stands still. */
static double fraction_now(const struct fray_netcode *netcode, uint64_t now_us)
{
    const struct fray_client_pace *pace = &netcode->pace;
    if (netcode->prediction.tick < netcode->tick)
        return 1;
    double since_us = (double)fray_client_since(pace->last_us, now_us);
    double ahead = pace->tick + since_us / pace->tick_us * pace->rate - netcode->tick;
    return ahead < 0 ? 0 : ahead > 1 ? 1 : ahead;
}

const void *fray_netcode_drawn(struct fray_netcode *netcode, uint64_t now_us)
{
    const struct fray_client_prediction *prediction = &netcode->prediction;
    if (!fray_netcode_predicted(netcode)) /* another connection, or game: nothing came yet */
        return predicts(netcode) && prediction->is_drawn ? prediction->drawn : NULL;
    return fray_client_prediction_draw(&netcode->prediction, fraction_now(netcode, now_us), now_us);
}

double fray_netcode_shown(struct fray_netcode *netcode, uint64_t now_us)
{
    double wanted = fray_client_playback_advance(&netcode->playback, now_us);
    return fray_netcode_newest(netcode)
               ? fray_client_interpolation_tick(&netcode->interpolation, wanted)
               : 0;
}

const void *fray_netcode_interpolated(struct fray_netcode *netcode, uint64_t now_us)
{
    double wanted = fray_client_playback_advance(&netcode->playback, now_us);
    return fray_netcode_newest(netcode)
               ? fray_client_interpolation_show(&netcode->interpolation, wanted)
               : NULL;
}
