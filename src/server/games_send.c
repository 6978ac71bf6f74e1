/* What /games tells its clients (games_app.h). */
#include <stdio.h>

#include "base/log.h"
#include "room/namespace.h"
#include "server/games_feed.h"

enum {
    CLOSE_KICKED = 4001,
    ROSTER_BYTES_PER_MS = 8000, /* of one match to all who are there, in the long run */
    ROSTER_FREE_MS = 20,        /* a wait that is shorter is none */
    ROSTER_WAIT_MAX_MS = 500,
    CROWD_PART = 5,             /* states as JSON may take this part of a core, the fifth */
    CROWD_WAIT_MAX_US = 250000, /* and come at least four times a second */
    CROWD_BYTES_PER_US = 256,   /* what a core copies and hands to the kernel; besides, a message
                                 * takes one microsecond */
};

void fray_games_room(char room[FRAY_GAMES_ROOM_LEN], const char *kind,
                     const struct fray_match *match)
{
    snprintf(room, FRAY_GAMES_ROOM_LEN, "%s:%s", kind, match->config.id);
}

void fray_games_join_rooms(fray_socket *socket, const struct fray_match *match)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "match", match);
    (void)fray_socket_join(socket, room);
    fray_games_room(room, "json", match);
    (void)fray_socket_join(socket, room);
    if (place->role != FRAY_GAMES_SPECTATOR)
        return;
    fray_games_room(room, "watch", match);
    (void)fray_socket_join(socket, room);
    fray_games_room(room, "late", match);
    if (match->delay)
        (void)fray_socket_join(socket, room);
}

void fray_games_put_out(fray_socket *socket, const struct fray_match *match)
{
    static const char *const kinds[] = {"match", "json", "watch", "late"};
    struct fray_games_place *place = fray_socket_data(socket);
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_feed_end(place->feed);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fray_games_room(room, kinds[i], match);
        fray_socket_leave(socket, room);
    }
    place->role = FRAY_GAMES_NOWHERE;
}

static const char *kicked_text(enum fray_match_out reason)
{
    switch (reason) {
    case FRAY_OUT_CHEATING: return "Your client did again and again what the game does not allow.";
    case FRAY_OUT_ERROR: return "Your client went wrong again and again.";
    case FRAY_OUT_NO_SHOW: return "You did not show yourself in time for the start.";
    case FRAY_OUT_LOST: return "Nothing was heard of you for so long that your seat was given up.";
    default: return "The host has taken you out of the match.";
    }
}

void fray_games_tell_kicked(fray_socket *socket, const struct fray_match *match,
                            enum fray_match_out reason)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    bool is_closed = place->is_for_one || reason == FRAY_OUT_CHEATING;
    const char *code = reason == FRAY_OUT_KICKED ? "host" : fray_match_out_text(reason);

    fray_games_put_out(socket, match);
    fray_emit(socket, "kicked", "{s:s, s:s, s:s}", "match", match->config.id, "reason", code,
              "message", kicked_text(reason));
    if (is_closed)
        fray_socket_close(socket, CLOSE_KICKED,
                          reason == FRAY_OUT_KICKED ? "kicked" : fray_match_out_text(reason));
}

/* ------------------------------------------------------------------ a match */

/* Whom something is for: spectators hear of what was new a while ago, where they are shown that. */
enum whom { ALL, PLAYERS, SPECTATORS };

static enum whom who_are_shown_the_present(const struct fray_match *match)
{
    return match->delay ? PLAYERS : ALL;
}

/* `is_json`: only to those who take JSON. */
static void send_to(fray_namespace *nsp, const struct fray_match *match, enum whom whom,
                    bool is_json, fray_message *message)
{
    char all[FRAY_GAMES_ROOM_LEN], spectators[FRAY_GAMES_ROOM_LEN];
    struct fray_target target = {.rooms = {whom == SPECTATORS ? spectators : all}};

    fray_games_room(all, is_json ? "json" : "match", match);
    fray_games_room(spectators, is_json ? "watch" : "late", match);
    if (whom == PLAYERS)
        target.except_rooms[0] = spectators;
    fray_send_to(nsp, message, &target);
}

static fray_message *roster_message(fray_namespace *nsp, json_t *roster)
{
    fray_message *message = fray_message_create(nsp, "match", "o", roster);
    fray_message_class(message, FRAY_LATEST, NULL);
    return message;
}

void fray_games_send_roster(fray_socket *socket, const struct fray_match *match)
{
    const struct fray_games_place *place = fray_socket_data(socket);
    bool is_late = match->delay && place->role == FRAY_GAMES_SPECTATOR;
    fray_message *message =
        roster_message(fray_socket_namespace(socket),
                       is_late ? json_incref(match->delay->roster) : fray_match_json_roster(match));
    fray_send(socket, message);
    fray_message_unref(message);
}

/* games->rows are of this state, or empty. */
static fray_message *state_message(struct fray_games *games, struct fray_match *match,
                                   uint32_t viewer)
{
    struct fray_buf *text = &games->text;

    text->len = 0;
    fray_match_json_state(match, viewer, fray_now_us(games->nsp), &games->rows, text);
    fray_message *message = fray_message_from_text(games->nsp, "state", text->data, text->len);
    fray_message_class(message, FRAY_LATEST, NULL);
    return message;
}

void fray_games_send_state(struct fray_games *games, fray_socket *socket, struct fray_match *match,
                           uint32_t viewer)
{
    fray_game_json_rows_clear(&games->rows);
    fray_message *message = state_message(games, match, viewer);
    fray_send(socket, message);
    fray_message_unref(message);
}

fray_socket *fray_games_socket_of(fray_namespace *nsp, const struct fray_match *match,
                                  uint32_t seat)
{
    const struct fray_match_seat *taken = &match->seats[seat];
    return taken->is_taken && taken->socket[0] ? fray_namespace_find(nsp, taken->socket) : NULL;
}

/* Players who take JSON, and what it took to tell them and who watches of states and places. */
struct listeners {
    struct {
        uint32_t seat;
        fray_socket *socket;
    } items[FRAY_GAME_NOBODY];
    uint32_t count, spectators;
    uint64_t cost_us; /* about */
};

/* Who said HELLO gets snapshots instead. */
static void listeners_find(struct listeners *listeners, fray_namespace *nsp,
                           const struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "watch", match);
    listeners->spectators = (uint32_t)fray_room_size(nsp, room);
    listeners->count = 0;
    listeners->cost_us = 0;
    for (uint32_t i = 0; match->hosted.is_heard && i < match->config.game->seats_max; i++) {
        fray_socket *socket = fray_games_socket_of(nsp, match, i);
        if (!socket || ((struct fray_games_place *)fray_socket_data(socket))->feed)
            continue;
        listeners->items[listeners->count].seat = i;
        listeners->items[listeners->count++].socket = socket;
    }
}

static void cost_add(struct listeners *listeners, const fray_message *message, uint32_t receivers)
{
    listeners->cost_us += receivers * (1 + message->body.len / CROWD_BYTES_PER_US);
}

/* Every seat sees a state of its own. */
static void send_states(struct fray_games *games, struct listeners *listeners,
                        struct fray_match *match)
{
    for (uint32_t i = 0; i < listeners->count; i++) {
        fray_message *message = state_message(games, match, listeners->items[i].seat);
        fray_send(listeners->items[i].socket, message);
        cost_add(listeners, message, 1);
        fray_message_unref(message);
    }
}

/* All spectators see the same. */
static void send_shown_state(struct fray_games *games, struct listeners *listeners,
                             struct fray_match *match)
{
    if (!listeners->spectators)
        return;
    fray_message *message = state_message(games, match, FRAY_GAME_NOBODY);
    send_to(games->nsp, match, SPECTATORS, true, message);
    cost_add(listeners, message, listeners->spectators);
    fray_message_unref(message);
}

static void send_sighted(const struct listeners *listeners, const struct fray_match *match,
                         uint32_t about, fray_message *message)
{
    for (uint32_t i = 0; i < listeners->count; i++) {
        if (fray_match_sees(match, listeners->items[i].seat, about))
            fray_send(listeners->items[i].socket, message);
    }
}

static void send_to_seat(const struct listeners *listeners, uint32_t seat, fray_message *message)
{
    for (uint32_t i = 0; i < listeners->count; i++) {
        if (listeners->items[i].seat == seat)
            fray_send(listeners->items[i].socket, message);
    }
}

static void send_one(fray_namespace *nsp, struct listeners *listeners,
                     const struct fray_match *match, enum whom whom,
                     const struct fray_match_news *news)
{
    char key[64];
    fray_message *message = fray_message_create(nsp, news->name, "O", news->content);

    if (news->is_newest) {
        snprintf(key, sizeof key, "%.40s:%u", news->name, news->about);
        fray_message_class(message, FRAY_LATEST, key);
        cost_add(listeners, message, listeners->count + listeners->spectators);
    }
    bool is_sighted = news->is_sighted && match->config.game->visible && whom != SPECTATORS;
    if (news->to != FRAY_GAME_NOBODY)
        send_to_seat(listeners, news->to, message);
    else if (!is_sighted)
        send_to(nsp, match, whom, !news->is_for_all, message);
    else
        send_sighted(listeners, match, news->about, message);
    if (news->to == FRAY_GAME_NOBODY && is_sighted && whom == ALL)
        send_to(nsp, match, SPECTATORS, true, message); /* who has no seat sees all */
    fray_message_unref(message);
}

/* What was new a while ago. */
static void send_past(struct fray_games *games, fray_namespace *nsp, struct listeners *listeners,
                      struct fray_match *match)
{
    const struct fray_delay *delay = match->delay;

    if (delay->is_anew && match->ticks)
        fray_games_feeds_begin_again(match, true);
    if (delay->is_roster_changed) {
        fray_message *roster = roster_message(nsp, json_incref(delay->roster));
        send_to(nsp, match, SPECTATORS, false, roster);
        fray_message_unref(roster);
    }
    for (uint32_t i = 0; i < delay->news.count; i++)
        send_one(nsp, listeners, match, SPECTATORS, &delay->news.items[i]);
    if (delay->is_state_changed && delay->snapshots)
        fray_games_feeds_send(games, match, true, delay->before);
    if (delay->is_state_changed) {
        fray_game_json_rows_clear(&games->rows);
        send_shown_state(games, listeners, match);
    }
}

static void close_to(fray_socket *socket, void *match)
{
    fray_games_put_out(socket, match);
}

void fray_games_close(struct fray_games *games, struct fray_match *match)
{
    fray_namespace *nsp = games->nsp;
    char room[FRAY_GAMES_ROOM_LEN];

    fray_games_room(room, "match", match);
    fray_emit_to(nsp, room, "match_closed", "{s:s, s:s}", "match", match->config.id, "message",
                 "All players have left.");
    fray_namespace_each(nsp, room, close_to, match);
    fray_games_clock_forget(games, match);
    fray_games_remove(games, match);
}

static void put_condemned_out(fray_namespace *nsp, struct fray_match *match)
{
    match->has_condemned = false;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        enum fray_match_out reason = match->seats[i].condemned;
        if (!reason)
            continue;
        fray_socket *socket = fray_games_socket_of(nsp, match, i);
        match->seats[i].condemned = FRAY_OUT_NONE;
        fray_match_put_out(match, i, reason, fray_now_us(nsp));
        fray_games_note_out(match, i, reason);
        fray_count_add(&nsp->home->counters.game_cheaters, reason == FRAY_OUT_CHEATING);
        if (socket)
            fray_games_tell_kicked(socket, match, reason);
    }
}

/* A crowd that comes or goes one by one is told of less often: all of them of all of them. */
static void send_roster(fray_namespace *nsp, struct fray_match *match)
{
    struct fray_match_hosted *hosted = &match->hosted;
    uint64_t now_us = fray_now_us(nsp);
    char room[FRAY_GAMES_ROOM_LEN];

    hosted->is_roster_owed = now_us < hosted->roster_us && match->phase == hosted->roster_phase;
    if (hosted->is_roster_owed)
        return;
    fray_message *message = roster_message(nsp, fray_match_json_roster(match));
    send_to(nsp, match, who_are_shown_the_present(match), false, message);
    fray_games_room(room, "match", match);
    size_t wait_ms = fray_room_size(nsp, room) * message->body.len / ROSTER_BYTES_PER_MS;
    wait_ms = wait_ms < ROSTER_WAIT_MAX_MS ? wait_ms : ROSTER_WAIT_MAX_MS;
    hosted->roster_us =
        wait_ms < ROSTER_FREE_MS ? 0 : fray_match_after_ms(now_us, (uint32_t)wait_ms);
    hosted->roster_phase = match->phase;
    fray_message_unref(message);
}

static void note_listeners(fray_namespace *nsp, struct fray_match *match)
{
    char room[FRAY_GAMES_ROOM_LEN];
    fray_games_room(room, "json", match);
    match->hosted.is_heard = !match->ticks || fray_room_size(nsp, room);
}

static uint32_t bots_count(const struct fray_match *match)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < match->config.game->seats_max; i++)
        count += match->seats[i].is_taken && match->seats[i].bot != FRAY_MATCH_NO_BOT;
    return count;
}

/* A crowd that takes JSON is told of all its members, which are many and far from small: less often
 * then. */
static void pace(struct fray_match *match, const struct listeners *listeners, uint64_t now_us)
{
    uint64_t wait_us = listeners->cost_us * CROWD_PART;
    if (match->ticks)
        match->hosted.crowd_us =
            now_us + (wait_us < CROWD_WAIT_MAX_US ? wait_us : CROWD_WAIT_MAX_US);
}

static void send_present_states(struct fray_games *games, struct listeners *listeners,
                                struct fray_match *match)
{
    uint64_t now_us = fray_now_us(games->nsp);

    if (!match->is_state_changed || !match->hosted.is_heard || now_us < match->hosted.crowd_us)
        return;
    fray_game_json_rows_clear(&games->rows);
    send_states(games, listeners, match);
    if (!match->delay)
        send_shown_state(games, listeners, match);
    pace(match, listeners, now_us);
}

/* What has happened since the last time, to whom it concerns. */
static void send_news(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    struct listeners listeners;

    if (match->is_roster_changed) {
        match->hosted.bots = bots_count(match);
        note_listeners(nsp, match);
        fray_games_lobby_changed(games, nsp);
    }
    if (match->is_roster_changed || match->hosted.is_roster_owed)
        send_roster(nsp, match);
    if (match->pairing.is_changed)
        fray_games_pair_tell(games, nsp, match);
    if (match->news.count || match->is_state_changed || match->delay)
        listeners_find(&listeners, nsp, match);
    for (uint32_t i = 0; i < match->news.count; i++)
        send_one(nsp, &listeners, match, who_are_shown_the_present(match), &match->news.items[i]);
    send_present_states(games, &listeners, match);
    if (match->delay)
        send_past(games, nsp, &listeners, match);
}

/* Once a match: the author of the rules has to know, nobody else can do anything about it. */
static void tell_misfit(struct fray_match *match)
{
    const struct fray_game_misfit *misfit = &match->misfit;
    if (!misfit->field || match->hosted.is_misfit_told)
        return;
    match->hosted.is_misfit_told = true;
    fray_log(FRAY_LOG_WARN, "game_value_too_large",
             "game=%s match=%s field=%s.%s row=%u value=%lld bits=%u", match->config.game->name,
             match->config.id, misfit->table->name, misfit->field->name, misfit->row,
             (long long)misfit->value, misfit->field->bits);
}

static void tell_bot_misfit(struct fray_match *match)
{
    const struct fray_game_misfit *misfit = &match->bot_misfit;
    if (!misfit->field || match->hosted.is_bot_misfit_told)
        return;
    match->hosted.is_bot_misfit_told = true;
    fray_log(FRAY_LOG_WARN, "bot_value_out_of_range",
             "game=%s match=%s seat=%u field=%s value=%lld min=%d max=%d", match->config.game->name,
             match->config.id, match->bot_misfit_seat, misfit->field->name,
             (long long)misfit->value, misfit->field->min, misfit->field->max);
}

void fray_games_publish(struct fray_games *games, fray_namespace *nsp, struct fray_match *match)
{
    match->hosted.games = games;
    tell_misfit(match);
    tell_bot_misfit(match);
    if (match->has_condemned)
        put_condemned_out(nsp, match);
    fray_match_show(match, fray_now_us(nsp));
    if (match->is_anew)
        fray_games_feeds_begin_again(match, false);
    match->is_anew = false;
    bool listens_again =
        match->pairing.is_changed && match->pairing.reason && fray_pairing_is_listening(match);
    send_news(games, nsp, match);
    fray_match_sent(match);
    if (fray_match_is_done(match, fray_now_us(nsp))) {
        fray_games_close(games, match);
        return;
    }
    fray_games_clock_set(games, match);
    if (listens_again)
        fray_games_pair_up(games, nsp, match);
}

/* ------------------------------------------------------------------ refusals */

const char *fray_games_reason_text(const char *code)
{
    static const struct {
        const char *code, *text;
    } reasons[] = {
        {"wrong_shape", "A member is missing, or of another kind: see docs/games.md."},
        {"unknown_type", "Neither this namespace nor the match's game knows such a message."},
        {"unknown_game", "There is no such game here."},
        {"unknown_option", "The game has no such option."},
        {"unknown_match", "There is no such match: it is over, or the server was restarted since."},
        {"unknown_seat", "Nobody has that seat, or it is your own."},
        {"bad_level", "Bots of this game have no such level."},
        {"bad_name", "There is nothing to show in that name."},
        {"bad_token", "That seat is not yours, or not any more."},
        {"already_in_match", "You are in a match: leave it, or ask with \"leave\": true."},
        {"not_in_match", "You are in no match."},
        {"match_full", "There is no free place in this match."},
        {"kicked", "The host does not want you in this match."},
        {"too_much_delay", "The server keeps no more of the past for spectators: ask for less."},
        {"too_many_bots", "There are as many bots as the server plays."},
        {"too_many_matches", "There are as many matches as the server hosts. Join one of them."},
        {"not_seated", "Only who has a seat may do that."},
        {"not_host", "Only the host may do that."},
        {"not_allowed", "In quick play nobody is sent away, and bots come by themselves."},
        {"not_enough_players", "There are too few players for a game."},
        {"not_ready", "Not everybody is ready."},
        {"already_started", "The game has begun already."},
        {"too_fast", "That is more than anybody can do or ask for in a second."},
        {"not_playing", "No game is being played just now."},
        {"game_not_over", "The game is not over."},
        {"out_of_range", "A number is out of range: see docs/games.md."},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strcmp(reasons[i].code, code) == 0)
            return reasons[i].text;
    }
    return "The game does not allow that now.";
}
