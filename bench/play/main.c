/* play: plays a real-time game as many clients, by include/fray/client.h, and measures what that
 * costs the server (bench/README.md). Bots decide; nobody predicts. Exit code 1: the figures mean
 * nothing, and standard error says why. */
#include <fray/client.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../load/process.h"
#include "ticks.h"

enum { TURN_MS = 2, JOIN_S = 30, CONNECTING_MAX = 32, MATCH_ID_SIZE = 32, INPUT_BATCH_MAX = 4 };

static const char usage[] =
    "usage: play --port PORT --game arena|duel [OPTION...]\n"
    "options (default):\n"
    "  --server-pid PID   whose CPU time and memory to measure\n"
    "  --clients N (200)  --per-match N (all)  --seconds S (5)  --warmup-seconds S (3)\n"
    "  --input-batch N (2)  ticks whose inputs are in one packet, 1 … 4\n"
    "  --option NAME=VALUE  of the game, as often as there are any\n";

struct options {
    const char *port, *game;
    pid_t server;
    uint32_t clients, per_match, input_batch;
    double seconds, warmup_seconds;
    json_t *game_options;
};

/* What has been seen since the warm-up. */
struct sums {
    uint64_t snapshots, bytes, rows;
    double age_max_ms;
};

struct moment {
    struct process_usage server, generator;
    uint64_t bytes; /* that all clients have received */
    uint64_t ms;
};

struct player {
    fray_client *client;
    struct player *creator; /* of its match; itself: it makes it */
    void *memory;
    char *seen; /* the view before */
    uint64_t snapshots, packets_bytes;
    bool has_asked;
};

struct play {
    struct options options;
    const struct fray_game *game;
    const struct fray_game_table *rows; /* the players */
    fray_clients *clients;
    struct player *players;
    struct sums sums;
    const char *fault;
    char text[128];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ players */

/* How many rows of players changed from one view to the next: what a snapshot is for. */
static uint64_t rows_changed(const struct play *play, const char *before, const char *after)
{
    const struct fray_game_table *table = play->rows;
    uint64_t count = 0;
    for (uint32_t i = 0; i < table->rows; i++) {
        size_t at = table->offset + (size_t)i * table->stride;
        count += memcmp(before + at, after + at, table->stride) != 0;
    }
    return count;
}

static void act(struct play *play, struct player *player)
{
    struct fray_client_stats stats;
    const char *view = fray_client_newest(player->client);
    fray_client_stats(player->client, &stats);
    if (!view || stats.snapshots == player->snapshots)
        return;
    play->sums.rows += rows_changed(play, player->seen, view);
    play->sums.snapshots += stats.snapshots - player->snapshots;
    memcpy(player->seen, view, play->game->state_size);
    player->snapshots = stats.snapshots;
    play->game->bot(view, fray_client_seat(player->client), player->memory,
                    fray_client_input(player->client));
}

static bool has_view(const struct player *player)
{
    return player->client && fray_client_newest(player->client);
}

static void on_message(fray_client *client, const char *type, const json_t *content, void *app)
{
    struct play *play = app;
    (void)client;
    if (strcmp(type, "error") != 0)
        return;
    const char *text = json_string_value(json_object_get(content, "message"));
    snprintf(play->text, sizeof play->text, "%s", text ? text : "?");
    play->fault = play->text;
}

static void on_lost(fray_client *client, unsigned code, const char *reason, bool is_final,
                    void *app)
{
    struct play *play = app;
    (void)client;
    (void)is_final;
    snprintf(play->text, sizeof play->text, "a connection was lost: %u %s", code, reason);
    play->fault = play->text;
}

static void open_player(struct play *play, struct player *player)
{
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%s", play->options.port);
    player->client =
        fray_client_create(play->clients, &(struct fray_client_config){
                                              .url = url,
                                              .rules = play->game,
                                              .no_prediction = true,
                                              .input_batch = (uint8_t)play->options.input_batch,
                                              .app = play,
                                              .on_message = on_message,
                                              .on_lost = on_lost,
                                          });
}

static void ask(struct play *play, struct player *player)
{
    if (player->creator == player) {
        json_t *content =
            json_pack("{s:s, s:b, s:s, s:i, s:O}", "game", play->game->name, "private", true,
                      "start", "auto", "bots", 0, "options", play->options.game_options);
        fray_client_send(player->client, "create", content);
        player->has_asked = true;
    } else if (fray_client_match(player->creator->client)[0]) {
        fray_client_join(player->client, fray_client_match(player->creator->client), false);
        player->has_asked = true;
    }
}

/* A few at a time, creators before those who join them. */
static void seat_everybody(struct play *play)
{
    uint64_t until = now_ms() + JOIN_S * 1000;
    uint32_t seated = 0, opened = 0;
    while (seated < play->options.clients && !play->fault && now_ms() < until) {
        while (opened < play->options.clients && opened < seated + CONNECTING_MAX)
            open_player(play, &play->players[opened++]);
        seated = 0;
        for (uint32_t i = 0; i < opened; i++) {
            struct player *player = &play->players[i];
            if (!player->has_asked)
                ask(play, player);
            seated += fray_client_match(player->client)[0] != '\0';
        }
        fray_clients_turn(play->clients, TURN_MS);
    }
    if (seated < play->options.clients && !play->fault)
        play->fault = "not everybody was seated in time";
}

static void run(struct play *play, double seconds)
{
    uint64_t until = now_ms() + (uint64_t)(seconds * 1000);
    while (now_ms() < until && !play->fault) {
        fray_clients_turn(play->clients, TURN_MS);
        for (uint32_t i = 0; i < play->options.clients; i++)
            act(play, &play->players[i]);
    }
}

static uint64_t bytes_received(const struct play *play)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < play->options.clients; i++) {
        struct fray_client_stats stats;
        fray_client_stats(play->players[i].client, &stats);
        sum += stats.bytes_in;
    }
    return sum;
}

static struct moment moment_now(const struct play *play)
{
    return (struct moment){.server = process_usage(play->options.server),
                           .generator = process_usage(getpid()),
                           .bytes = bytes_received(play),
                           .ms = now_ms()};
}

static void check_views(struct play *play)
{
    for (uint32_t i = 0; i < play->options.clients; i++) {
        struct fray_client_stats stats;
        fray_client_stats(play->players[i].client, &stats);
        if (!has_view(&play->players[i]))
            play->fault = "not everybody got a snapshot";
        if (stats.desyncs)
            play->fault = "views differed from the server's";
    }
}

static double fraction(uint64_t from_ns, uint64_t to_ns, double seconds)
{
    return (double)(to_ns - from_ns) / 1e9 / seconds;
}

/* Where the generator's utilization is near 1, it was the limit; the server waited when others had
 * its core. */
static void report(const struct play *play, const struct moment *from, const struct moment *to)
{
    const struct sums *sums = &play->sums;
    double seconds = (double)(to->ms - from->ms) / 1000, frames = (double)sums->snapshots;
    double rows = (double)sums->rows, bytes = (double)(to->bytes - from->bytes);
    double server = fraction(from->server.cpu_ns, to->server.cpu_ns, seconds);
    double waited = fraction(from->server.waited_ns, to->server.waited_ns, seconds);
    double own = fraction(from->generator.cpu_ns, to->generator.cpu_ns, seconds);
    printf("game=%s clients=%u per_match=%u seconds=%.2f frames=%.0f frames_per_s=%.0f "
           "cpu_us_per_frame=%.3f cpu_percent=%.1f waited_percent=%.1f "
           "bytes_per_frame=%.1f rows_per_frame=%.2f bytes_per_row=%.2f rss_kb=%llu "
           "generator_utilization=%.2f\n",
           play->game->name, play->options.clients, play->options.per_match, seconds, frames,
           frames / seconds, server * seconds * 1e6 / frames, server * 100, waited * 100,
           bytes / frames, rows / frames, bytes / rows,
           (unsigned long long)to->server.rss_bytes / 1024, own);
}

static void measure(struct play *play)
{
    struct ticks ticks_before, ticks_after;
    run(play, play->options.warmup_seconds);
    play->sums = (struct sums){0};
    bool has_ticks = ticks_fetch(play->options.port, &ticks_before);
    struct moment before = moment_now(play);
    run(play, play->options.seconds);
    struct moment after = moment_now(play);
    if (has_ticks && ticks_fetch(play->options.port, &ticks_after))
        ticks_report(&ticks_before, &ticks_after, (double)(after.ms - before.ms) / 1000);
    check_views(play);
    report(play, &before, &after);
}

/* ------------------------------------------------------------------ start and end */

static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void fail_usage(void)
{
    fputs(usage, stderr);
    exit(2);
}

static void add_option(json_t *options, char *setting)
{
    char *equals = strchr(setting, '=');
    if (!equals)
        fail_usage();
    *equals = '\0';
    json_object_set_new(options, setting, json_integer(strtoll(equals + 1, NULL, 10)));
}

static struct options parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, NULL, 'p'},    {"game", 1, NULL, 'g'},           {"server-pid", 1, NULL, 's'},
        {"clients", 1, NULL, 'c'}, {"per-match", 1, NULL, 'm'},      {"seconds", 1, NULL, 't'},
        {"option", 1, NULL, 'o'},  {"warmup-seconds", 1, NULL, 'w'}, {"input-batch", 1, NULL, 'b'},
        {NULL, 0, NULL, 0}};
    struct options options = {.clients = 200, .input_batch = 2, .seconds = 5, .warmup_seconds = 3};
    options.game_options = json_object();
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p': options.port = optarg; break;
        case 'g': options.game = optarg; break;
        case 's': options.server = (pid_t)strtol(optarg, NULL, 10); break;
        case 'c': options.clients = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'b': options.input_batch = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'm': options.per_match = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 't': options.seconds = strtod(optarg, NULL); break;
        case 'w': options.warmup_seconds = strtod(optarg, NULL); break;
        case 'o': add_option(options.game_options, optarg); break;
        default: fail_usage();
        }
    }
    if (!options.port || !options.game || !options.clients || !options.input_batch ||
        options.input_batch > INPUT_BATCH_MAX)
        fail_usage();
    if (!options.per_match)
        options.per_match = options.clients;
    return options;
}

static void play_init(struct play *play, int argc, char **argv)
{
    *play = (struct play){.options = parse(argc, argv)};
    play->game = fray_client_rules(play->options.game);
    if (!play->game || !play->game->tick_hz)
        fail_usage();
    for (uint32_t i = 0; i < play->game->tables_count && !play->rows; i++) {
        if (play->game->tables[i].owner == FRAY_GAME_ROW)
            play->rows = &play->game->tables[i];
    }
    play->clients = fray_clients_create();
    play->players = calloc(play->options.clients, sizeof *play->players);
    for (uint32_t i = 0; i < play->options.clients; i++) {
        struct player *player = &play->players[i];
        player->creator = &play->players[i - i % play->options.per_match];
        player->memory = calloc(1, play->game->bot_size);
        player->seen = calloc(1, play->game->state_size);
        play->game->bot_init(player->memory, play->game->bot_levels - 1u, i);
    }
}

static void play_deinit(struct play *play)
{
    for (uint32_t i = 0; i < play->options.clients; i++) {
        if (play->players[i].client)
            fray_client_destroy(play->players[i].client); /* and its match ends */
        free(play->players[i].memory);
        free(play->players[i].seen);
    }
    fray_clients_destroy(play->clients);
    free(play->players);
    json_decref(play->options.game_options);
}

int main(int argc, char **argv)
{
    struct play play;
    allow_many_descriptors();
    play_init(&play, argc, argv);
    seat_everybody(&play);
    if (!play.fault)
        measure(&play);
    if (play.fault)
        fprintf(stderr, "play: %s\n", play.fault);
    play_deinit(&play);
    return play.fault ? 1 : 0;
}
