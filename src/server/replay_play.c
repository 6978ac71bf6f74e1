/* `fray replay play`: a match as text. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "game/json.h"
#include "server/replay_command.h"
#include "server/replay_read.h"

enum { EVENTS_MAX = 1024 };

struct player {
    struct fray_replay_reading reading;
    const struct fray_replay_options *options;
    char names[FRAY_REPLAY_SEATS_MAX + 1][256]; /* by seat, as JSON shows players */
};

static const char *player_name(const void *context, uint32_t seat)
{
    const struct player *player = context;
    return seat < player->reading.game->seats_max && player->names[seat][0] ? player->names[seat]
                                                                            : NULL;
}

/* Control characters of a file are not for a terminal; what is no UTF-8 is not for JSON. */
static void read_names(struct player *player)
{
    for (uint32_t seat = 0; seat < player->reading.game->seats_max; seat++) {
        if (!player->reading.replay.seats[seat].is_present)
            continue; /* who has left is still named */
        json_t *name = fray_replay_name_json(fray_replay_name(&player->reading.replay, seat));
        snprintf(player->names[seat], sizeof *player->names, "%s", json_string_value(name));
        for (char *c = player->names[seat]; *c; c++) {
            if ((unsigned char)*c < ' ' || *c == 0x7F)
                *c = '?';
        }
        if (!player->names[seat][0])
            snprintf(player->names[seat], sizeof *player->names, "seat %u", seat);
        json_decref(name);
    }
}

static uint64_t time_ms(const struct player *player)
{
    const struct fray_replay *replay = &player->reading.replay;
    uint32_t hz = player->reading.game->tick_hz;
    return hz ? (uint64_t)replay->frame->tick * 1000 / hz : replay->frame->now_ms;
}

/* Sleeps for as long as the match took, divided by the speed. */
static void wait(const struct player *player, uint64_t from_ms)
{
    if (!player->options->speed)
        return;
    uint64_t wait_us = (time_ms(player) - from_ms) * 1000000 / player->options->speed;
    struct timespec time = {(time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000};
    fflush(stdout);
    while (nanosleep(&time, &time) && errno == EINTR)
        continue;
}

/* ------------------------------------------------------------------ what is printed */

static json_t *event_json(const struct player *player, const struct fray_game_event *event)
{
    const struct fray_game *game = player->reading.game;
    const struct fray_game_players players = {player_name, player};
    json_t *content = fray_game_json_event(game, event, &players);
    return json_pack("{s:s, s:o}", "name", game->events[event->kind].name, "content", content);
}

static uint64_t state_hash(const struct fray_replay *replay)
{
    return fray_game_hash(FRAY_GAME_HASH_START, replay->state, replay->game->state_size);
}

static void print_json(const struct player *player, const struct fray_game_events *events)
{
    const struct fray_replay *replay = &player->reading.replay;
    json_t *list = json_array();
    for (uint32_t i = 0; i < events->count; i++)
        json_array_append_new(list, event_json(player, &events->items[i]));
    json_t *line = json_pack("{s:I, s:I, s:o, s:o}", "tick", (json_int_t)replay->frame->tick, "ms",
                             (json_int_t)time_ms(player), "hash",
                             fray_replay_hex_json(state_hash(replay)), "events", list);
    json_dumpf(line, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(line);
}

static void print_event(const struct player *player, const struct fray_game_event *event)
{
    const struct fray_game *game = player->reading.game;
    const struct fray_game_players players = {player_name, player};
    json_t *content = fray_game_json_event(game, event, &players);
    char *text = json_dumps(content, JSON_COMPACT);
    uint64_t ms = time_ms(player);
    printf("%8u  %4llu:%02llu.%03llu  %s %s\n", player->reading.replay.frame->tick,
           (unsigned long long)(ms / 60000), (unsigned long long)(ms / 1000 % 60),
           (unsigned long long)(ms % 1000), game->events[event->kind].name, text);
    free(text);
    json_decref(content);
}

/* Once a second, and after each step of a game without ticks: where the match is. */
static void print_summary(const struct player *player)
{
    const struct fray_replay *replay = &player->reading.replay;
    uint32_t hz = player->reading.game->tick_hz, present = 0;
    uint64_t ms = time_ms(player);

    if (hz && replay->frame->tick % hz)
        return;
    for (uint32_t seat = 0; seat < player->reading.game->seats_max; seat++)
        present += replay->seats[seat].is_present;
    printf("%8u  %4llu:%02llu.%03llu  - %u players, state %016llx\n", replay->frame->tick,
           (unsigned long long)(ms / 60000), (unsigned long long)(ms / 1000 % 60),
           (unsigned long long)(ms % 1000), present, (unsigned long long)state_hash(replay));
}

static void print_step(const struct player *player, const struct fray_game_events *events)
{
    if (player->options->is_json) {
        print_json(player, events);
        return;
    }
    for (uint32_t i = 0; i < events->count; i++)
        print_event(player, &events->items[i]);
    print_summary(player);
}

/* ------------------------------------------------------------------ playing */

static void play(struct player *player)
{
    static struct fray_game_event items[EVENTS_MAX];
    struct fray_replay *replay = &player->reading.replay;
    const struct fray_replay_options *options = player->options;

    read_names(player);
    while (replay->frame->tick < options->to) {
        struct fray_game_events events = {.items = items, .max = EVENTS_MAX};
        uint64_t before_ms = time_ms(player);
        if (!fray_replay_step(replay, &events))
            return;
        read_names(player);
        if (replay->frame->tick < options->from)
            continue;
        wait(player, before_ms);
        print_step(player, &events);
    }
}

int fray_replay_play(const char *path, const struct fray_replay_options *options)
{
    static struct player player;
    int code = FRAY_REPLAY_EXIT_BAD;

    player.options = options;
    if (fray_replay_reading_open(&player.reading, options->games, path)) {
        fprintf(stderr, "%s cannot be read: %s.\n", path, strerror(errno));
    } else if (!player.reading.replay.frame) {
        enum fray_replay_fault fault = player.reading.replay.fault;
        fprintf(stderr, "%s cannot be played: %s.\n", path, fray_replay_fault_text(fault));
        if (fault != FRAY_REPLAY_FOREIGN)
            code = FRAY_REPLAY_EXIT_OTHER;
    } else {
        play(&player);
        if (player.reading.replay.fault)
            fprintf(stderr, "%s: %s at tick %u.\n", path,
                    fray_replay_fault_text(player.reading.replay.fault),
                    player.reading.replay.fault_tick);
        code = player.reading.replay.fault ? FRAY_REPLAY_EXIT_BAD : FRAY_REPLAY_EXIT_GOOD;
        if (player.reading.replay.fault == FRAY_REPLAY_TRUNCATED)
            code = FRAY_REPLAY_EXIT_CUT;
    }
    fray_replay_reading_close(&player.reading);
    return code;
}
