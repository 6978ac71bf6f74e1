/* The packets of the game protocol (games/packet.h) that clients of /games send. */
#include <stdio.h>

#include "base/log.h"
#include "game/ticks.h"
#include "room/namespace.h"
#include "server/games_feed.h"
#include "server/replay_recorder.h"

static void refuse(const struct fray_games_request *request, uint8_t code)
{
    char bytes[8];
    size_t len = fray_packet_refused_encode(code, bytes, sizeof bytes);
    fray_games_packet_send(request->socket, bytes, len);
}

static void malformed(const struct fray_games_request *request, struct fray_match *match)
{
    fray_count(&request->nsp->home->counters.game_packets_malformed);
    if (request->place->role == FRAY_GAMES_PLAYER) {
        fray_ticks_offend(match, request->place->seat, FRAY_OFFENCE_MALFORMED, request->now_us);
        fray_match_err(match, request->place->seat, request->now_us);
    }
    refuse(request, FRAY_REFUSED_MALFORMED);
}

/* ------------------------------------------------------------------ one function for each type */

typedef bool packet_fn(const struct fray_games_request *request, struct fray_match *match,
                       struct fray_slice bytes);

static bool on_hello(const struct fray_games_request *request, struct fray_match *match,
                     struct fray_slice bytes)
{
    struct fray_packet_hello hello;
    if (bytes.len > 1 && (uint8_t)bytes.data[1] != FRAY_PACKET_VERSION) {
        refuse(request, FRAY_REFUSED_VERSION);
        return true;
    }
    if (!fray_conduct_ask(&request->place->conduct, 1, request->now_us)) { /* it begins all anew */
        refuse(request, FRAY_REFUSED_FLOODING);
        return true;
    }
    if (!fray_packet_hello_decode(&hello, bytes.data, bytes.len))
        return false;
    fray_games_feed_begin(request, match, &hello);
    return true;
}

/* What a player saw when it made its newest input: the newest snapshot that it had, shown two
 * intervals late (NETCODE's interpolation delay), and half an interval old on average. */
static uint32_t measured_view(const struct fray_games_feed *feed)
{
    uint32_t tick, hz = fray_viewer_hz(feed->viewer);
    uint16_t acked = fray_viewer_acked(feed->viewer);
    if (!acked || !fray_viewer_tick_of(feed->viewer, acked, &tick))
        return 0;
    uint32_t late = 256u * feed->match->config.game->tick_hz * 3 / (2 * hz);
    return tick * 256 - late;
}

static bool on_input(const struct fray_games_request *request, struct fray_match *match,
                     struct fray_slice bytes)
{
    struct fray_games *games = request->games;
    struct fray_games_feed *feed = request->place->feed;
    const struct fray_game *game = match->config.game;
    struct fray_packet_input packet;

    games->inputs.len = 0;
    char *inputs =
        fray_buf_reserve(&games->inputs, (size_t)FRAY_PACKET_INPUTS_MAX * game->input_size);
    if (!fray_packet_input_decode(game, &packet, inputs, bytes.data, bytes.len))
        return false;
    fray_viewer_ack(feed->viewer, &packet);
    if (feed->seat == FRAY_GAME_NOBODY || !packet.count || !match->is_begun ||
        !match->ticks->seats[feed->seat].queue)
        return true;
    fray_ticks_put(match, feed->seat,
                   &(struct fray_ticks_inputs){
                       .first_tick = packet.first_tick,
                       .count = packet.count,
                       .inputs = inputs,
                       .claimed = packet.flags & FRAY_INPUT_HAS_VIEW ? packet.view : 0,
                       .measured = measured_view(feed),
                   },
                   request->now_us);
    return true;
}

static bool on_ping(const struct fray_games_request *request, struct fray_match *match,
                    struct fray_slice bytes)
{
    struct fray_packet_pong pong = {0};
    char answer[16];
    if (!fray_packet_ping_decode(&pong.stamp, bytes.data, bytes.len))
        return false;
    bool plays = request->place->role == FRAY_GAMES_PLAYER;
    pong.tick = !plays && match->delay
                    ? fray_delay_tick(match->delay, request->now_us, &pong.phase)
                    : (uint32_t)fray_ticks_now(match, request->now_us, &pong.phase);
    size_t len = fray_packet_pong_encode(&pong, answer, sizeof answer);
    fray_games_packet_send(request->socket, answer, len);
    return true;
}

static bool on_report(const struct fray_games_request *request, struct fray_match *match,
                      struct fray_slice bytes)
{
    struct fray_packet_report report;
    if (!fray_packet_report_decode(&report, bytes.data, bytes.len))
        return false;
    bool plays = request->place->role == FRAY_GAMES_PLAYER;
    if (!plays && fray_conduct_err(&request->place->conduct, request->now_us))
        return true; /* nobody believes it any more */
    fray_count(&request->nsp->home->counters.game_desyncs);
    char seat[8] = "none"; /* it watches */
    if (plays)
        snprintf(seat, sizeof seat, "%u", request->place->seat);
    fray_log(FRAY_LOG_WARN, "game_desync", "match=%s game=%s seat=%s tick=%u client_hash=%llx",
             match->config.id, match->config.game->name, seat, report.tick,
             (unsigned long long)report.hash);
    if (match->recorder)
        fray_replay_recorder_report(match->recorder, request->place->feed->seat, report.tick,
                                    report.hash);
    fray_viewer_forget(request->place->feed->viewer);
    if (plays)
        fray_match_err(match, request->place->seat, request->now_us);
    return true;
}

/* ------------------------------------------------------------------ */

static packet_fn *handler_of(uint8_t type, bool *needs_hello)
{
    *needs_hello = type == FRAY_PACKET_INPUT || type == FRAY_PACKET_REPORT;
    switch (type) {
    case FRAY_PACKET_HELLO: return on_hello;
    case FRAY_PACKET_INPUT: return on_input;
    case FRAY_PACKET_PING: return on_ping;
    case FRAY_PACKET_REPORT: return on_report;
    default: return NULL;
    }
}

/* Who watches is slowed down, and no more: there is no match to be put out of. */
static bool may_send(const struct fray_games_request *request, struct fray_match *match)
{
    if (request->place->role == FRAY_GAMES_PLAYER)
        return fray_ticks_spend(match, request->place->seat, request->now_us);
    if (fray_conduct_spend(&request->place->conduct, request->now_us))
        return true;
    match->ticks->counts.flooding++;
    return false;
}

static void handle(const struct fray_games_request *request, struct fray_match *match,
                   struct fray_slice bytes)
{
    bool needs_hello;
    packet_fn *handler = bytes.len ? handler_of((uint8_t)bytes.data[0], &needs_hello) : NULL;

    if (!may_send(request, match))
        refuse(request, FRAY_REFUSED_FLOODING);
    else if (handler && needs_hello && !request->place->feed)
        refuse(request, FRAY_REFUSED_NO_HELLO);
    else if (!handler || !handler(request, match, bytes))
        malformed(request, match);
    if (match->has_condemned)
        fray_games_publish(request->games, request->nsp, match);
}

bool fray_games_packet(const struct fray_games_request *request, struct fray_match *match)
{
    struct fray_slice bytes;
    if (strcmp(fray_event_name(request->event), "message") != 0 ||
        fray_event_attachments(request->event) != 1)
        return false;
    bytes.data = fray_event_attachment(request->event, 0, &bytes.len);
    if (!match)
        refuse(request, FRAY_REFUSED_NOT_IN_MATCH);
    else if (!match->ticks)
        refuse(request, FRAY_REFUSED_NOT_TICKED);
    else
        handle(request, match, bytes);
    return true;
}
