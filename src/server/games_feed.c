#include "server/games_feed.h"

#include "base/mem.h"
#include "game/ticks.h"
#include "room/namespace.h"

static bool is_of_the_past(const struct fray_games_feed *feed)
{
    return fray_match_is_delayed(feed->match, feed->seat);
}

static uint32_t steps_of(const struct fray_games_feed *feed)
{
    const struct fray_match *match = feed->match;
    return is_of_the_past(feed) ? match->delay->shown.steps : match->steps;
}

static void welcome(const struct fray_games_feed *feed)
{
    const struct fray_match *match = feed->match;
    const struct fray_game *game = match->config.game;
    char bytes[32];
    size_t len = fray_packet_welcome_encode(
        &(struct fray_packet_welcome){
            .version = FRAY_PACKET_VERSION,
            .seat = (uint8_t)feed->seat,
            .tick_hz = (uint8_t)game->tick_hz,
            .snapshot_hz = (uint8_t)fray_viewer_wished_hz(feed->viewer),
            .tick = steps_of(feed),
            .rules = fray_ticks_rules(feed->match),
        },
        bytes, sizeof bytes);
    fray_games_packet_send(feed->socket, bytes, len);
}

/* A binary frame where the transport has such, {"_base64": …} in JSON elsewhere. */
static fray_message *packet_message(fray_namespace *nsp, const void *bytes, size_t len)
{
    return fray_message_new(&(struct fray_message_parts){
        .kind = FRAY_MESSAGE_EVENT,
        .nsp = fray_namespace_name(nsp),
        .name = FRAY_SLICE("message"),
        .body = FRAY_SLICE("{\"_placeholder\":true,\"num\":0}"),
        .ack_id = FRAY_ACK_NONE,
        .attachment = fray_slice(bytes, len),
    });
}

void fray_games_packet_send(fray_socket *socket, const void *bytes, size_t len)
{
    fray_message *message = packet_message(fray_socket_namespace(socket), bytes, len);
    fray_send(socket, message);
    fray_message_unref(message);
}

static void viewer_end(struct fray_games_feed *feed)
{
    if (feed->viewer)
        feed->seq = fray_viewer_seq(feed->viewer);
    fray_viewer_destroy(feed->viewer);
    feed->viewer = NULL;
}

static void viewer_begin(struct fray_games_feed *feed)
{
    struct fray_match *match = feed->match;
    viewer_end(feed);
    struct fray_snapshots *snapshots =
        is_of_the_past(feed) ? fray_delay_snapshots(match->delay) : fray_ticks_snapshots(match);
    feed->viewer = fray_viewer_create(snapshots, feed->seat, &feed->hello);
    fray_viewer_begin(feed->viewer, feed->seq, steps_of(feed));
    if (feed->seat != FRAY_GAME_NOBODY)
        fray_ticks_seat_packets(match, feed->seat);
    welcome(feed);
}

static struct fray_games_feed *feed_of(const struct fray_games_request *request,
                                       struct fray_match *match)
{
    struct fray_games_place *place = request->place;
    if (!place->feed) {
        struct fray_games_feed *feed = fray_alloc_zero(sizeof *feed);
        feed->socket = request->socket;
        feed->match = match;
        feed->next = match->hosted.feeds;
        feed->link = &match->hosted.feeds;
        if (feed->next)
            feed->next->link = &feed->next;
        match->hosted.feeds = place->feed = feed;
    }
    return place->feed;
}

void fray_games_feed_begin(const struct fray_games_request *request, struct fray_match *match,
                           const struct fray_packet_hello *hello)
{
    struct fray_games_feed *feed = feed_of(request, match);
    bool plays = request->place->role == FRAY_GAMES_PLAYER;
    char room[FRAY_GAMES_ROOM_LEN];

    feed->hello = *hello;
    feed->seat = plays ? request->place->seat : FRAY_GAME_NOBODY;
    fray_games_room(room, "json", match);
    fray_socket_leave(request->socket, room);
    match->hosted.is_heard = fray_room_size(request->nsp, room);
    fray_games_room(room, "watch", match);
    fray_socket_leave(request->socket, room);
    viewer_begin(feed);
}

void fray_games_feed_end(struct fray_games_feed *feed)
{
    if (!feed)
        return;
    *feed->link = feed->next;
    if (feed->next)
        feed->next->link = feed->link;
    fray_viewer_destroy(feed->viewer);
    ((struct fray_games_place *)fray_socket_data(feed->socket))->feed = NULL;
    free(feed);
}

void fray_games_feeds_begin_again(struct fray_match *match, bool of_the_past)
{
    for (struct fray_games_feed *feed = match->hosted.feeds; feed; feed = feed->next) {
        if (is_of_the_past(feed) != of_the_past)
            continue;
        viewer_end(feed);
    }
    if (of_the_past)
        fray_delay_snapshots_forget(match->delay);
    else
        fray_ticks_snapshots_forget(match);
    for (struct fray_games_feed *feed = match->hosted.feeds; feed; feed = feed->next) {
        if (is_of_the_past(feed) == of_the_past)
            viewer_begin(feed);
    }
}

/* ------------------------------------------------------------------ snapshots */

static bool is_due(const struct fray_games_feed *feed, uint32_t before, uint32_t now)
{
    for (uint32_t tick = before + 1; tick <= now; tick++) {
        if (fray_viewer_is_due(feed->viewer, tick))
            return true;
    }
    return false;
}

static struct fray_viewer_frame frame_of(const struct fray_games_feed *feed)
{
    const struct fray_match *match = feed->match;
    struct fray_viewer_frame frame = {.margin = FRAY_PACKET_NO_MARGIN};
    if (feed->seat == FRAY_GAME_NOBODY || !match->ticks->seats[feed->seat].queue)
        return frame;
    const struct fray_input_queue *queue = match->ticks->seats[feed->seat].queue;
    frame.margin = queue->margin;
    frame.input_tick = queue->newest < match->steps ? queue->newest : match->steps;
    return frame;
}

/* On a stream a snapshot that would have to wait is dropped: the next one is newer. Where answers
 * are fetched, the newest waits. */
static void snapshot_send(struct fray_games *games, struct fray_games_feed *feed)
{
    bool is_stream = feed->hello.flags & FRAY_HELLO_STREAM;
    const struct fray_viewer_frame frame = frame_of(feed);

    games->packet.len = 0;
    fray_viewer_encode(feed->viewer, &frame, &games->packet);
    fray_message *message = packet_message(games->nsp, games->packet.data, games->packet.len);
    fray_message_class(message, is_stream ? FRAY_TRANSIENT : FRAY_LATEST, "snapshot");
    enum fray_send_result result = fray_send(feed->socket, message);
    fray_viewer_sent(feed->viewer, result != FRAY_DROPPED);
    fray_count(&games->nsp->home->counters.game_snapshots);
    fray_count_add(&games->nsp->home->counters.game_snapshots_dropped, result == FRAY_DROPPED);
    fray_message_unref(message);
}

void fray_games_feeds_send(struct fray_games *games, struct fray_match *match, bool of_the_past,
                           uint32_t before)
{
    struct fray_snapshots *snapshots =
        of_the_past ? match->delay->snapshots : match->ticks->snapshots;
    uint32_t steps = of_the_past ? match->delay->shown.steps : match->steps;
    bool is_taken = false;

    for (struct fray_games_feed *feed = match->hosted.feeds, *next; feed; feed = next) {
        next = feed->next;
        if (is_of_the_past(feed) != of_the_past || !is_due(feed, before, steps))
            continue;
        if (!is_taken)
            fray_snapshots_take(snapshots, steps, of_the_past ? match->delay->state : match->state);
        is_taken = true;
        snapshot_send(games, feed);
    }
}
