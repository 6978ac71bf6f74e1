/* Games over bad networks: the whole server, and players who run the C client's netcode over its
 * WebSocket. Segments are lost and late, connections are reset or fall silent; the players come
 * back with their tokens. Nobody is told an event twice or not at all while a connection lasts,
 * every view hashes to what the server says, all have the seats that they began with, and the
 * replay comes to the same. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "client/link.h"
#include "client/netcode.h"
#include "fray/games.h"
#include "game/catalog.h"
#include "game/ticks.h"
#include "server/games_app.h"
#include "server/replay_command.h"
#include "world.h"

enum { PLAYERS_MAX = 8, ROUNDS = 150, ROUND_MS = 100, TURN_MS = 5, RETRY_MS = 300 };
enum { SILENT_MS = 2000, CALM_MS = 6000 };

struct player {
    unsigned index;
    struct fray_loop *loop;
    struct fray_timer timer;
    struct fray_client_link *link; /* NULL: away */
    bool is_open, is_joined;
    uint64_t heard_us;
    struct fray_netcode netcode;
    void *netcode_memory;
    bool has_netcode;
    uint32_t seat;
    char match[32], token[64];
    void *memory;    /* of the bot that decides */
    uint64_t told;   /* events since the server's last WELCOME */
    uint32_t latest; /* tick of the event that was told last */
    unsigned losses;
};

static struct sim_world world; /* its seed and randomness are used, and its platform's names */
static struct fray_games games;
static const struct fray_game *game;
static struct fray_websocket_hash hash;
static struct player players[PLAYERS_MAX];
static unsigned players_count;
static uint64_t told_all, dropped_all; /* events of a match; snapshots of all matches */
static char data[32];                  /* the server's directory, with the replays */

/* ------------------------------------------------------------------ a player */

static void connect_player(struct player *player);

static void arm(struct player *player, uint64_t delay_ms)
{
    fray_timer_arm(&player->loop->timers, &player->timer, player->loop->now_us + delay_ms * 1000);
}

static void lose(struct player *player)
{
    fray_client_link_close(player->link, 1000);
    player->link = NULL;
    player->losses++;
    arm(player, RETRY_MS);
}

static void send_packet(void *context, const void *packet, size_t len)
{
    struct player *player = context;
    if (player->is_open)
        fray_client_link_send(player->link, fray_slice(packet, len), true);
}

static void on_event(void *context, const struct fray_game_event *event, uint32_t tick)
{
    struct player *player = context;
    sim_check(&world, event->kind < game->events_count);
    sim_check(&world, tick >= player->latest); /* in order */
    player->latest = tick;
    player->told++;
    told_all++;
}

/* The server counts anew; all that came before was told. */
static void on_welcome(void *context)
{
    struct player *player = context;
    player->told = 0;
}

static void on_joined(struct player *player, const json_t *content)
{
    const char *role, *match, *token;
    int seat;
    sim_check(&world, !json_unpack((json_t *)content, "{s:s, s:i, s:s, s:s}", "role", &role, "seat",
                                   &seat, "match", &match, "token", &token));
    sim_check(&world, strcmp(role, "player") == 0);
    sim_check(&world, !player->has_netcode || (uint32_t)seat == player->seat);
    snprintf(player->match, sizeof player->match, "%s", match);
    snprintf(player->token, sizeof player->token, "%s", token);
    player->seat = (uint32_t)seat;
    player->is_joined = true;
    const struct fray_netcode_config config = {.game = game,
                                               .seat = player->seat,
                                               .is_stream = true,
                                               .send = send_packet,
                                               .on_event = on_event,
                                               .on_welcome = on_welcome,
                                               .context = player};
    uint64_t waiting = player->netcode.events_count, told = player->told;
    if (player->has_netcode) {
        fray_netcode_restart(&player->netcode, true, player->loop->now_us);
        sim_check(&world, player->told == told + waiting); /* what came is told all the same */
    } else {
        player->netcode_memory = fray_alloc_zero(fray_netcode_size(game));
        fray_netcode_init(&player->netcode, &config, player->netcode_memory, player->loop->now_us);
    }
    player->has_netcode = true;
    player->told = 0;
    arm(player, TURN_MS);
}

static void on_text(void *context, struct fray_slice text)
{
    struct player *player = context;
    json_t *message = json_loadb(text.data, text.len, 0, NULL);
    const char *type = json_string_value(json_object_get(message, "type"));
    player->heard_us = player->loop->now_us;
    sim_check(&world, type && strcmp(type, "error") != 0 && strcmp(type, "kicked") != 0);
    if (strcmp(type, "joined") == 0)
        on_joined(player, json_object_get(message, "content"));
    json_decref(message);
}

static void on_binary(void *context, struct fray_slice bytes)
{
    struct player *player = context;
    struct fray_netcode *netcode = &player->netcode;
    player->heard_us = player->loop->now_us;
    if (!player->is_joined)
        return;
    sim_check(&world, fray_netcode_receive(netcode, bytes.data, bytes.len, player->loop->now_us));
    /* Sequence numbers are the server's count: as many came, and each was kept once. */
    sim_check(&world, player->told + netcode->events_count == netcode->event_seq);
}

static void on_open(void *context)
{
    static const char create[] =
        "{\"type\":\"create\",\"content\":{\"game\":\"%s\",\"start\":\"auto\",\"bots\":0,"
        "\"options\":%s}}";
    struct player *player = context;
    char text[256];
    player->is_open = true;
    player->heard_us = player->loop->now_us;
    if (player->index || player->has_netcode)
        return;
    int len = snprintf(text, sizeof text, create, game->name,
                       game->seats_max == 2 ? "{\"countdown_ticks\":5,\"pause_ticks\":5}"
                                            : "{\"width\":200,\"height\":200,\"obstacles\":2}");
    fray_client_link_send(player->link, fray_slice(text, (size_t)len), false);
}

static void on_end(void *context, unsigned code, struct fray_slice reason)
{
    struct player *player = context;
    (void)reason;
    sim_check(&world, code != 4001);
    lose(player);
}

static void connect_player(struct player *player)
{
    static const struct fray_client_link_handler handler = {on_open, on_text, on_binary, on_end};
    char path[256];
    int len = snprintf(path, sizeof path, "/ws?namespace=/games&name=p%u", player->index);
    if (player->index || player->has_netcode)
        len += snprintf(path + len, sizeof path - (size_t)len, "&match=%s", players[0].match);
    if (player->has_netcode)
        snprintf(path + len, sizeof path - (size_t)len, "&token=%s", player->token);
    struct fray_client_link_opening opening = {.host = FRAY_SLICE("sim"),
                                               .path = fray_slice_of(path),
                                               .max_message = 1 << 20,
                                               .handler = &handler,
                                               .context = player};
    sim_check(&world, !fray_address_parse(&opening.address, FRAY_SLICE("10.0.0.1:80")));
    player->is_open = player->is_joined = false;
    player->heard_us = player->loop->now_us;
    player->link = fray_client_link_open(player->loop, &hash, &opening);
    arm(player, player->link ? TURN_MS : RETRY_MS);
}

static void play(struct player *player)
{
    struct fray_netcode *netcode = &player->netcode;
    const void *view = fray_netcode_newest(netcode);
    if (view)
        game->bot(view, player->seat, player->memory, netcode->inputs.held);
    fray_netcode_advance(netcode, player->loop->now_us);
    fray_netcode_drawn(netcode, player->loop->now_us);
    fray_netcode_interpolated(netcode, player->loop->now_us);
}

static void on_turn(struct fray_timer *timer, uint64_t now_us)
{
    struct player *player = (struct player *)((char *)timer - offsetof(struct player, timer));
    if (!player->link) {
        connect_player(player);
    } else if (now_us - player->heard_us > SILENT_MS * UINT64_C(1000)) {
        lose(player);
    } else {
        if (player->is_joined)
            play(player);
        arm(player, TURN_MS);
    }
}

/* ------------------------------------------------------------------ the world */

static struct fray_loop *create_loop(void *context)
{
    return fray_loop_sim_create(((struct sim_world *)context)->network);
}

static void random_bytes(void *context, void *bytes, size_t len)
{
    struct sim_world *self = context;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)fray_rng_next(&self->rng);
}

static int64_t clock_s(struct fray_http_service *service)
{
    return (int64_t)(service->loop->now_us / 1000000);
}

static void open_world(uint64_t seed, const char *workers)
{
    const char *const settings[][2] = {{"listen", "0.0.0.0:80"},    {"workers", workers},
                                       {"log_level", "error"},      {"ping_interval_ms", "1000"},
                                       {"ping_timeout_ms", "1000"}, {"seat_stand_in_ms", "1500"},
                                       {"replays", "true"},         {"data", data}};
    memcpy(data, "/tmp/fray-sim-XXXXXX", sizeof "/tmp/fray-sim-XXXXXX");
    world = (struct sim_world){.seed = seed};
    sim_check(&world, mkdtemp(data) != NULL);
    games = (struct fray_games){.nsp = NULL};
    fray_rng_init(&world.rng, seed);
    world.network = fray_sim_network_create(seed);
    world.server = fray_server_create();
    world.server->platform = (struct fray_server_platform){
        .loop_create = create_loop, .random = random_bytes, .context = &world};
    const struct fray_app app = fray_games_app_of(&games, fray_games_builtin);
    sim_check(&world, !fray_server_add(world.server, &app));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        sim_check(&world, !fray_server_set(world.server, settings[i][0], settings[i][1]));
    sim_check(&world, !fray_server_start(world.server));
    for (unsigned w = 0; w < world.server->workers_count; w++)
        world.server->workers[w]->http.clock_s = clock_s;
    for (unsigned i = 0; i < SIM_CLIENT_LOOPS; i++)
        world.client_loops[i] = fray_loop_sim_create(world.network);
    fray_websocket_hash_init(&hash);
}

static void add_player(void)
{
    struct player *player = &players[players_count];
    *player = (struct player){.index = players_count, .timer.on_expire = on_turn};
    player->loop = world.client_loops[players_count++ % SIM_CLIENT_LOOPS];
    player->memory = fray_alloc_zero(game->bot_size);
    game->bot_init(player->memory, game->bot_levels - 1u, world.seed + player->index);
    connect_player(player);
}

static bool has_view(const struct player *player)
{
    return player->has_netcode && fray_netcode_newest(&player->netcode);
}

static bool is_joined(const struct player *player)
{
    return player->is_joined;
}

static void run_until_all(bool (*is_so)(const struct player *player))
{
    for (unsigned i = 0; i < players_count; i++) {
        for (unsigned round = 0; !is_so(&players[i]); round++) {
            sim_check(&world, round < 200);
            sim_world_run_ms(&world, ROUND_MS);
        }
    }
}

static void close_world(void)
{
    for (unsigned i = 0; i < players_count; i++) {
        struct player *player = &players[i];
        fray_timer_cancel(&player->loop->timers, &player->timer);
        if (player->link)
            fray_client_link_close(player->link, 1000);
        free(player->netcode_memory);
        free(player->memory);
    }
    sim_world_run_ms(&world, 3000);
    for (unsigned w = 0; w < world.server->workers_count; w++)
        fray_server_worker_drain(world.server->workers[w]);
    sim_world_run_ms(&world, 1000);
    fray_server_destroy(world.server);
    for (unsigned i = 0; i < SIM_CLIENT_LOOPS; i++)
        fray_loop_destroy(world.client_loops[i]);
    fray_sim_network_destroy(world.network);
    fray_websocket_hash_deinit(&hash);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about, (void)type, (void)where;
    return remove(path);
}

/* Once everybody has left, and the server has ended. */
static void replay_verifies(char *id)
{
    char replay[] = "replay", verify[] = "verify", option[] = "--data";
    char *arguments[] = {replay, verify, option, data, id};
    sim_check(&world, fray_replay_main(fray_games_builtin, 5, arguments) == FRAY_REPLAY_EXIT_GOOD);
    sim_check(&world, !nftw(data, remove_one, 8, FTW_DEPTH | FTW_PHYS));
}

/* A calm network: all are back, on time, and of one mind with the server. */
static void settle(void)
{
    fray_sim_options_default(fray_sim_network_options(world.network));
    sim_world_run_ms(&world, CALM_MS);
    sim_check(&world, games.lobby.count == 1);
    const struct fray_match *match = games.lobby.matches[0];
    for (unsigned i = 0; i < players_count; i++) {
        const struct player *player = &players[i];
        const struct fray_netcode *netcode = &player->netcode;
        sim_check(&world, player->is_joined && match->seats[player->seat].is_connected);
        sim_check(&world, !match->seats[player->seat].has_stand_in);
        sim_check(&world, strcmp(match->seats[player->seat].token, player->token) == 0);
        sim_check(&world, has_view(player));
        sim_check(&world, match->steps - fray_netcode_newest_tick(netcode) < game->tick_hz);
        sim_check(&world, netcode->desyncs == 0);
    }
    sim_check(&world, SIM_COUNTER(&world, game_desyncs) == 0);
    sim_check(&world, SIM_COUNTER(&world, game_cheaters) == 0);
    sim_check(&world, SIM_COUNTER(&world, game_packets_malformed) == 0);
}

static void run_match(uint64_t seed, const char *name, const char *workers, unsigned count)
{
    unsigned losses = 0;
    game = fray_catalog_find(fray_games_builtin, fray_slice_of(name));
    players_count = 0;
    told_all = 0;
    open_world(seed, workers);
    add_player();
    run_until_all(is_joined);
    while (players_count < count)
        add_player();
    run_until_all(has_view);
    struct fray_sim_options *options = fray_sim_network_options(world.network);
    options->latency_us = 1000 + fray_rng_below(&world.rng, 60000);
    options->jitter_us = fray_rng_below(&world.rng, 30000);
    options->retransmit_us = 100000;
    options->lose_segment = (unsigned)fray_rng_below(&world.rng, 40);
    if (seed % 3 == 1) { /* too slow for all snapshots */
        options->window = 1024 + fray_rng_below(&world.rng, 4096);
        options->bytes_per_second = 1200 + fray_rng_below(&world.rng, 1500);
    }
    options->segment_max = 1 + fray_rng_below(&world.rng, 1448);
    options->reset_segment = (unsigned)fray_rng_below(&world.rng, 3);
    options->stall_segment = (unsigned)fray_rng_below(&world.rng, 2);
    sim_world_run_ms(&world, ROUNDS * ROUND_MS);
    settle();
    for (unsigned i = 0; i < players_count; i++)
        losses += players[i].losses;
    sim_check(&world, told_all > 0);
    uint64_t dropped = SIM_COUNTER(&world, game_snapshots_dropped);
    dropped_all += dropped;
    printf("# %u losses, %llu events, %llu snapshots dropped\n", losses,
           (unsigned long long)told_all, (unsigned long long)dropped);
    char match[sizeof players[0].match];
    memcpy(match, players[0].match, sizeof match);
    close_world();
    replay_verifies(match);
}

static void run_duel(uint64_t seed)
{
    run_match(seed, "duel", seed % 2 ? "1" : "3", 2);
}

static void run_arena(uint64_t seed)
{
    run_match(seed, "arena", seed % 2 ? "2" : "1", PLAYERS_MAX);
}

static void duels_over_bad_networks_lose_no_event_and_no_seat(void **state)
{
    (void)state;
    sim_for_each_seed(8, run_duel);
}

static void an_arena_over_bad_networks_likewise(void **state)
{
    (void)state;
    dropped_all = 0;
    sim_for_each_seed(4, run_arena);
    assert_true(dropped_all > 0 || getenv("FRAY_SIM_SEED"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duels_over_bad_networks_lose_no_event_and_no_seat),
        cmocka_unit_test(an_arena_over_bad_networks_likewise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
