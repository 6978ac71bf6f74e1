#include "client/netcode.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "delta.h"

enum {
    HELLO_US = 1000000, /* until it is said again */
    ACK_US = 200000,    /* who sends no inputs acknowledges this often */
    BATCH_FROM_HZ = 31, /* of faster games a stream carries two inputs in a packet */
    REPEATED = 3,       /* inputs that every datagram repeats */
    CATCH_UP = 10,      /* ticks sampled in one go; what is beyond is skipped */
    AHEAD_MAX = 120,    /* ticks that are predicted on from a snapshot */
    EXTRAPOLATE_US = 250000,
};

static const struct fray_game *game_of(const struct fray_netcode *netcode)
{
    return netcode->config.game;
}

static char *state_of(const struct fray_netcode *netcode, int view)
{
    return netcode->states + (size_t)view * game_of(netcode)->state_size;
}

static char *input_of(const struct fray_netcode *netcode, uint32_t tick)
{
    return netcode->inputs + (size_t)(tick % FRAY_NETCODE_INPUTS) * game_of(netcode)->input_size;
}

static bool has_input(const struct fray_netcode *netcode, uint32_t tick)
{
    return tick && netcode->input_ticks[tick % FRAY_NETCODE_INPUTS] == tick;
}

static bool plays(const struct fray_netcode *netcode)
{
    return netcode->config.seat < game_of(netcode)->seats_max;
}

void fray_netcode_init(struct fray_netcode *netcode, const struct fray_netcode_config *config,
                       uint64_t now_us)
{
    const struct fray_game *game = config->game;
    const struct fray_game_table *players = fray_game_players(game);
    *netcode = (struct fray_netcode){.config = *config, .newest = -1, .now_us = now_us};
    if (!config->is_stream)
        netcode->config.input_batch = 1;
    else if (!config->input_batch)
        netcode->config.input_batch = game->tick_hz >= BATCH_FROM_HZ ? 2 : 1;
    fray_client_clock_init(&netcode->clock, game->tick_hz);
    fray_client_pace_init(&netcode->pace, game->tick_hz);
    fray_client_playback_init(&netcode->playback, game->tick_hz,
                              config->snapshot_hz ? config->snapshot_hz : 20);
    netcode->states = fray_alloc_zero((size_t)FRAY_NETCODE_VIEWS * game->state_size);
    netcode->held = fray_alloc_zero(game->input_size);
    netcode->inputs = fray_alloc_zero((size_t)FRAY_NETCODE_INPUTS * game->input_size);
    netcode->predicted = fray_alloc_zero(game->state_size);
    netcode->shown = fray_alloc_zero(game->state_size);
    netcode->step_inputs = fray_alloc_zero((size_t)game->seats_max * game->input_size);
    netcode->given = fray_alloc_zero(game->seats_max);
    if (players)
        netcode->own_before = fray_alloc_zero((size_t)FRAY_NETCODE_INPUTS * players->stride);
}

void fray_netcode_deinit(struct fray_netcode *netcode)
{
    free(netcode->states);
    free(netcode->held);
    free(netcode->inputs);
    free(netcode->predicted);
    free(netcode->shown);
    free(netcode->step_inputs);
    free(netcode->given);
    free(netcode->own_before);
}

static void event_tell(struct fray_netcode *netcode)
{
    const struct fray_packet_event *event = &netcode->events[netcode->events_first];
    netcode->events_first = (netcode->events_first + 1) % FRAY_NETCODE_EVENTS;
    netcode->events_count--;
    if (netcode->config.on_event)
        netcode->config.on_event(netcode->config.context, &event->event, event->tick);
}

void fray_netcode_restart(struct fray_netcode *netcode, uint64_t now_us)
{
    const struct fray_netcode_config config = netcode->config;
    char *held = netcode->held;
    uint64_t corrections = netcode->corrections, desyncs = netcode->desyncs;
    while (netcode->events_count) /* they came: nobody sends them again */
        event_tell(netcode);
    netcode->held = NULL;
    fray_netcode_deinit(netcode);
    fray_netcode_init(netcode, &config, now_us);
    free(netcode->held);
    netcode->held = held;
    netcode->corrections = corrections;
    netcode->desyncs = desyncs;
}

/* ------------------------------------------------------------------ prediction */

static void step(struct fray_netcode *netcode, char *state, uint32_t tick)
{
    const struct fray_game *game = game_of(netcode);
    uint32_t seat = netcode->config.seat;
    bool is_known = plays(netcode) && has_input(netcode, tick);
    if (is_known) {
        memcpy(netcode->step_inputs + (size_t)seat * game->input_size, input_of(netcode, tick),
               game->input_size);
        netcode->given[seat] = 1;
    }
    game->step(state, &(struct fray_game_step){
                          .inputs = netcode->step_inputs,
                          .given = netcode->given,
                          .now_ms = (uint32_t)((uint64_t)tick * 1000 / game->tick_hz)});
    if (is_known)
        netcode->given[seat] = 0;
}

/* The own row in a state, and where its prediction for a tick is kept. */
static char *own_row(const struct fray_netcode *netcode, char *state)
{
    const struct fray_game_table *players = fray_game_players(game_of(netcode));
    return state + players->offset + (size_t)netcode->config.seat * players->stride;
}

static char *own_kept(const struct fray_netcode *netcode, uint32_t tick)
{
    size_t stride = fray_game_players(game_of(netcode))->stride;
    return netcode->own_before + (size_t)(tick % FRAY_NETCODE_INPUTS) * stride;
}

static bool follows_own_row(const struct fray_netcode *netcode)
{
    const struct fray_game_table *players = fray_game_players(game_of(netcode));
    return players && netcode->config.seat < players->rows;
}

static void predict_until(struct fray_netcode *netcode, uint32_t until)
{
    while (netcode->predicted_tick && netcode->predicted_tick < until) {
        step(netcode, netcode->predicted, ++netcode->predicted_tick);
        if (follows_own_row(netcode))
            memcpy(own_kept(netcode, netcode->predicted_tick), own_row(netcode, netcode->predicted),
                   fray_game_players(game_of(netcode))->stride);
    }
}

/* A snapshot came: was its tick foreseen, and what follows from it now? */
static void reconcile(struct fray_netcode *netcode)
{
    uint32_t tick = netcode->views[netcode->newest].tick, until = netcode->predicted_tick;
    char *state = state_of(netcode, netcode->newest);
    if (!netcode->can_predict)
        return;
    bool was_foreseen = until >= tick && until - tick < AHEAD_MAX && has_input(netcode, tick);
    if (was_foreseen && follows_own_row(netcode) &&
        memcmp(own_kept(netcode, tick), own_row(netcode, state),
               fray_game_players(game_of(netcode))->stride) != 0)
        netcode->corrections++;
    memcpy(netcode->predicted, state, game_of(netcode)->state_size);
    netcode->predicted_tick = tick;
    if (until > tick && until - tick < AHEAD_MAX)
        predict_until(netcode, until);
}

const void *fray_netcode_predicted(struct fray_netcode *netcode)
{
    if (!netcode->predicted_tick)
        return NULL;
    uint32_t newest = netcode->views[netcode->newest].tick;
    if (netcode->tick - newest < AHEAD_MAX)
        predict_until(netcode, netcode->tick);
    return netcode->predicted;
}

/* ------------------------------------------------------------------ what arrives */

static void acknowledge(struct fray_netcode *netcode, uint16_t seq)
{
    uint32_t step_by = (uint16_t)(seq - netcode->ack);
    if (!netcode->ack) {
        netcode->ack = seq;
    } else if (fray_packet_seq_newer(seq, netcode->ack)) {
        step_by -= seq < netcode->ack; /* 0 is skipped */
        netcode->missed += step_by - 1;
        netcode->ack_bits =
            step_by > 32 ? 0 : (uint32_t)((uint64_t)(netcode->ack_bits << 1 | 1) << (step_by - 1));
        netcode->ack = seq;
    } else if (seq != netcode->ack) {
        uint32_t behind = (uint16_t)(netcode->ack - seq) - (netcode->ack < seq);
        netcode->missed -= netcode->missed > 0;
        if (behind <= 32)
            netcode->ack_bits |= 1u << (behind - 1);
    }
}

static void events_take(struct fray_netcode *netcode)
{
    for (uint32_t i = 0; i < netcode->snapshot.events_count; i++) {
        const struct fray_packet_event *event = &netcode->snapshot.events[i];
        if (netcode->event_seq && !fray_packet_seq_newer(event->seq, netcode->event_seq))
            continue;
        netcode->event_seq = event->seq;
        if (netcode->events_count == FRAY_NETCODE_EVENTS)
            event_tell(netcode);
        uint32_t slot = (netcode->events_first + netcode->events_count++) % FRAY_NETCODE_EVENTS;
        netcode->events[slot] = *event;
    }
}

static void verify(struct fray_netcode *netcode, const char *state)
{
    uint8_t packet[16];
    uint64_t hash = fray_game_hash(FRAY_GAME_HASH_START, state, game_of(netcode)->state_size);
    if (!(netcode->snapshot.flags & FRAY_SNAPSHOT_HASH) || hash == netcode->snapshot.hash)
        return;
    netcode->desyncs++;
    size_t len = fray_packet_report_encode(
        &(struct fray_packet_report){.tick = netcode->snapshot.tick, .hash = hash}, packet,
        sizeof packet);
    netcode->config.send(netcode->config.context, packet, len);
}

/* False: malformed. A baseline that is not there any more is no fault: a full one is asked for. */
static bool snapshot_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    struct fray_packet_snapshot *snapshot = &netcode->snapshot;
    if (!fray_packet_snapshot_header_decode(snapshot, bytes, len))
        return false;
    uint16_t seq = snapshot->seq, base_seq = snapshot->base_seq;
    int slot = seq % FRAY_NETCODE_VIEWS, base = base_seq % FRAY_NETCODE_VIEWS;
    bool is_full = seq == base_seq;
    if (!is_full && (base == slot || netcode->views[base].seq != base_seq)) {
        netcode->needs_full = true;
        return true;
    }
    netcode->views[slot].seq = 0;
    if (netcode->newest == slot)
        netcode->newest = -1;
    if (!fray_packet_snapshot_decode(game_of(netcode), netcode->config.seat,
                                     is_full ? NULL : state_of(netcode, base),
                                     state_of(netcode, slot), snapshot, bytes, len)) {
        netcode->needs_full = true;
        return false;
    }
    if (netcode->is_anew) {
        memset(netcode->views, 0, sizeof netcode->views);
        netcode->newest = -1;
        netcode->is_anew = false;
    }
    netcode->views[slot] = (struct fray_netcode_view){.seq = seq, .tick = snapshot->tick};
    netcode->snapshots++;
    netcode->arrived_us = netcode->now_us;
    if (is_full)
        netcode->needs_full = false;
    acknowledge(netcode, seq);
    events_take(netcode);
    verify(netcode, state_of(netcode, slot));
    fray_client_playback_arrived(&netcode->playback, snapshot->tick, netcode->now_us);
    fray_client_pace_report(&netcode->pace, snapshot->margin);
    if (netcode->newest < 0 || snapshot->tick >= netcode->views[netcode->newest].tick) {
        netcode->newest = slot;
        reconcile(netcode);
    }
    return true;
}

/* A game begins, perhaps after another, whose ticks and views mean nothing for it. */
static void timeline_restart(struct fray_netcode *netcode, uint32_t snapshot_hz)
{
    uint32_t tick_hz = game_of(netcode)->tick_hz;
    while (netcode->events_count)
        event_tell(netcode);
    fray_client_clock_init(&netcode->clock, tick_hz);
    fray_client_pace_init(&netcode->pace, tick_hz);
    fray_client_playback_init(&netcode->playback, tick_hz, snapshot_hz);
    netcode->is_anew = true;
    netcode->predicted_tick = netcode->tick = netcode->sent_tick = 0;
    memset(netcode->input_ticks, 0, sizeof netcode->input_ticks);
}

static bool welcome_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    const struct fray_game *game = game_of(netcode);
    struct fray_packet_welcome welcome;
    if (!fray_packet_welcome_decode(&welcome, bytes, len) || !welcome.snapshot_hz)
        return false;
    timeline_restart(netcode, welcome.snapshot_hz);
    netcode->is_welcome = true;
    netcode->can_predict =
        plays(netcode) && !netcode->config.no_prediction && welcome.rules == fray_game_rules(game);
    return true;
}

static bool pong_receive(struct fray_netcode *netcode, const void *bytes, size_t len)
{
    struct fray_packet_pong pong;
    if (!fray_packet_pong_decode(&pong, bytes, len))
        return false;
    uint32_t age_us = (uint32_t)netcode->now_us - pong.stamp;
    fray_client_clock_pong(&netcode->clock, netcode->now_us - age_us, netcode->now_us,
                           (int32_t)pong.tick + pong.phase / 65536.0);
    return true;
}

void fray_netcode_clock_reset(struct fray_netcode *netcode)
{
    fray_client_clock_init(&netcode->clock, game_of(netcode)->tick_hz);
}

bool fray_netcode_receive(struct fray_netcode *netcode, const void *bytes, size_t len,
                          uint64_t now_us)
{
    uint8_t code;
    netcode->now_us = now_us;
    switch (len ? *(const uint8_t *)bytes : 0) {
    case FRAY_PACKET_WELCOME: return welcome_receive(netcode, bytes, len);
    case FRAY_PACKET_SNAPSHOT: return snapshot_receive(netcode, bytes, len);
    case FRAY_PACKET_PONG: return pong_receive(netcode, bytes, len);
    case FRAY_PACKET_REFUSED: return fray_packet_refused_decode(&code, bytes, len);
    default: return false;
    }
}

/* ------------------------------------------------------------------ what is sent */

static void sample(struct fray_netcode *netcode, uint32_t tick)
{
    memcpy(input_of(netcode, tick), netcode->held, game_of(netcode)->input_size);
    netcode->input_ticks[tick % FRAY_NETCODE_INPUTS] = tick;
    netcode->tick = tick;
    fray_game_release(game_of(netcode), netcode->held);
}

static void samples_take(struct fray_netcode *netcode, uint32_t until)
{
    if (!netcode->tick || until - netcode->tick > CATCH_UP)
        netcode->tick = until - 1;
    while (netcode->tick < until)
        sample(netcode, netcode->tick + 1);
}

/* The first of the unbroken run of inputs that goes into the packet. */
static uint32_t run_from(const struct fray_netcode *netcode)
{
    uint32_t from = netcode->tick;
    uint32_t wanted = netcode->sent_tick ? netcode->sent_tick + 1 : from;
    if (!netcode->config.is_stream && wanted + REPEATED > from + 1)
        wanted = from + 1 > REPEATED ? from + 1 - REPEATED : 1;
    while (from > wanted && netcode->tick - from + 1 < FRAY_PACKET_INPUTS_MAX &&
           has_input(netcode, from - 1))
        from--;
    return from;
}

static void input_send(struct fray_netcode *netcode, bool has_inputs)
{
    size_t input_size = game_of(netcode)->input_size;
    struct fray_packet_input packet = {
        .flags = (uint8_t)(netcode->needs_full ? FRAY_INPUT_NEED_FULL : 0),
        .ack = netcode->ack,
        .ack_bits = netcode->ack_bits,
    };
    char *inputs = fray_alloc(FRAY_PACKET_INPUTS_MAX * input_size);
    char bytes[2048];
    if (has_inputs) {
        packet.first_tick = run_from(netcode);
        packet.count = (uint8_t)(netcode->tick - packet.first_tick + 1);
        for (uint32_t i = 0; i < packet.count; i++)
            memcpy(inputs + i * input_size, input_of(netcode, packet.first_tick + i), input_size);
        netcode->sent_tick = netcode->tick;
    }
    if (netcode->playback.tick > 0) {
        packet.flags |= FRAY_INPUT_HAS_VIEW;
        packet.view = (uint32_t)(uint64_t)(netcode->playback.tick * 256);
    }
    size_t len = fray_packet_input_encode(game_of(netcode), &packet, inputs, bytes, sizeof bytes);
    free(inputs);
    assert(len); /* 24 inputs of the largest game fit */
    netcode->sent_us = netcode->now_us;
    netcode->config.send(netcode->config.context, bytes, len);
}

static void hello_send(struct fray_netcode *netcode)
{
    uint8_t packet[8];
    size_t len = fray_packet_hello_encode(
        &(struct fray_packet_hello){.version = FRAY_PACKET_VERSION,
                                    .flags = netcode->config.is_stream ? FRAY_HELLO_STREAM : 0,
                                    .snapshot_hz = netcode->config.snapshot_hz},
        packet, sizeof packet);
    netcode->hello_us = netcode->now_us + HELLO_US;
    netcode->config.send(netcode->config.context, packet, len);
}

static void ping_send(struct fray_netcode *netcode)
{
    uint8_t packet[8];
    size_t len = fray_packet_ping_encode((uint32_t)netcode->now_us, packet, sizeof packet);
    netcode->config.send(netcode->config.context, packet, len);
}

void fray_netcode_advance(struct fray_netcode *netcode, uint64_t now_us)
{
    netcode->now_us = now_us;
    if (!netcode->is_welcome) {
        if (now_us >= netcode->hello_us)
            hello_send(netcode);
        return;
    }
    if (fray_client_clock_asks(&netcode->clock, now_us))
        ping_send(netcode);
    if (netcode->clock.samples && plays(netcode)) {
        const struct fray_client_clock *clock = &netcode->clock;
        double tick =
            fray_client_pace_advance(&netcode->pace, now_us, fray_client_clock_tick(clock, now_us),
                                     clock->rtt_us / 2 / clock->tick_us);
        if (tick >= 1)
            samples_take(netcode, (uint32_t)tick);
    }
    uint32_t unsent = netcode->tick - netcode->sent_tick;
    if (netcode->tick && unsent >= netcode->config.input_batch)
        input_send(netcode, true);
    else if (now_us - netcode->sent_us >= ACK_US)
        input_send(netcode, false);
    double shown = fray_client_playback_advance(&netcode->playback, now_us);
    while (netcode->events_count && netcode->events[netcode->events_first].tick <= shown)
        event_tell(netcode);
}

uint64_t fray_netcode_due(const struct fray_netcode *netcode)
{
    if (!netcode->is_welcome)
        return netcode->hello_us;
    uint64_t due = netcode->sent_us + ACK_US;
    if (netcode->clock.next_ping_us < due)
        due = netcode->clock.next_ping_us;
    if (netcode->pace.is_running) {
        double ahead = (double)netcode->tick + 1 - netcode->pace.tick;
        double wait_us = ahead > 0 ? ahead * netcode->pace.tick_us / netcode->pace.rate : 0;
        if (netcode->pace.last_us + (uint64_t)wait_us + 1 < due)
            due = netcode->pace.last_us + (uint64_t)wait_us + 1;
    }
    return due;
}

/* ------------------------------------------------------------------ what is shown */

const void *fray_netcode_newest(const struct fray_netcode *netcode)
{
    return netcode->newest < 0 ? NULL : state_of(netcode, netcode->newest);
}

/* The last view not after `tick`, and the first after it; −1: none. */
static void views_around(const struct fray_netcode *netcode, double tick, int *before, int *after)
{
    *before = *after = -1;
    for (int i = 0; i < FRAY_NETCODE_VIEWS; i++) {
        const struct fray_netcode_view *view = &netcode->views[i];
        int *which = view->tick <= tick ? before : after;
        if (!view->seq)
            continue;
        bool is_closer = *which < 0 || (which == before ? view->tick > netcode->views[*which].tick
                                                        : view->tick < netcode->views[*which].tick);
        if (is_closer)
            *which = i;
    }
}

static void place_between(char *at, const char *older, const char *newer, double fraction)
{
    int32_t from, to;
    memcpy(&from, older, sizeof from);
    memcpy(&to, newer, sizeof to);
    int32_t place = from + (int32_t)((double)((int64_t)to - from) * fraction);
    memcpy(at, &place, sizeof place);
}

/* `shown` is a copy of older: places of what is in both are moved on towards newer. */
static void places_between(const struct fray_game *game, char *shown, const char *newer,
                           double fraction)
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        for (uint32_t i = 0; table->x && table->y && i < table->rows; i++) {
            size_t at = table->offset + (size_t)i * table->stride;
            if (!fray_delta_is_present(table, shown + at) ||
                !fray_delta_is_present(table, newer + at))
                continue;
            size_t x = at + table->x - 1, y = at + table->y - 1;
            place_between(shown + x, shown + x, newer + x, fraction);
            place_between(shown + y, shown + y, newer + y, fraction);
        }
    }
}

const void *fray_netcode_interpolated(struct fray_netcode *netcode, uint64_t now_us)
{
    const struct fray_game *game = game_of(netcode);
    int before, after;
    if (netcode->newest < 0)
        return NULL;
    double tick = fray_client_playback_advance(&netcode->playback, now_us);
    views_around(netcode, tick, &before, &after);
    netcode->is_lagging = false;
    if (before < 0) {
        memcpy(netcode->shown, state_of(netcode, after), game->state_size);
        return netcode->shown;
    }
    memcpy(netcode->shown, state_of(netcode, before), game->state_size);
    uint32_t from = netcode->views[before].tick;
    if (after >= 0) {
        double fraction = (tick - from) / (netcode->views[after].tick - from);
        places_between(game, netcode->shown, state_of(netcode, after), fraction);
        return netcode->shown;
    }
    /* Nothing newer came: the rules go on for a while, and then everything stands still. */
    double ahead = tick - from, most = EXTRAPOLATE_US / netcode->playback.tick_us;
    netcode->is_lagging = ahead > most;
    uint32_t ticks = (uint32_t)(ahead > most ? most : ahead);
    for (uint32_t i = 1; netcode->can_predict && i <= ticks; i++)
        game->step(netcode->shown,
                   &(struct fray_game_step){.inputs = netcode->step_inputs,
                                            .given = netcode->given,
                                            .now_ms = (from + i) * 1000 / game->tick_hz});
    return netcode->shown;
}
