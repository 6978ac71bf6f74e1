/* Plays a real-time game on a running server, as the game's own bot would: a client in C.
 *
 *     build/release/examples/bot ws://localhost:8080 duel       until the match is over
 *     build/release/examples/bot ws://localhost:8080 arena 20   twenty bots, until Ctrl-C
 *
 * --trust-any before these: for wss:// to a server with --tls-self-signed. */
#include <fray/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOTS_MAX = 1000, TURN_MS = 5 };

struct bot {
    fray_client *client;
    const struct fray_game *rules;
    void *memory; /* the bot's own, see fray_game.bot_init */
    uint32_t acted_tick;
    bool is_over;
};

/* A bot sees what its player may see: the newest view. It thinks once for each. */
static void play(struct bot *bot)
{
    const void *view = fray_client_newest(bot->client);
    struct fray_client_stats stats;
    fray_client_stats(bot->client, &stats);
    if (!view || stats.snapshots == bot->acted_tick)
        return;
    bot->acted_tick = (uint32_t)stats.snapshots;
    bot->rules->bot(view, fray_client_seat(bot->client), bot->memory,
                    fray_client_input(bot->client));
}

static void on_event(fray_client *client, const struct fray_game_event *event, uint32_t tick,
                     void *app)
{
    struct bot *bot = app;
    const struct fray_game_event_kind *kind = &bot->rules->events[event->kind];
    if (strcmp(kind->name, "player_moved") == 0)
        return;
    printf("seat %u, tick %u: %s", fray_client_seat(client), tick, kind->name);
    for (int i = 0; i < FRAY_GAME_ARGS_MAX && kind->args[i].name; i++)
        printf(" %s=%d", kind->args[i].name, event->args[i]);
    printf("\n");
    if (strcmp(kind->name, "end_game") == 0)
        bot->is_over = true;
}

static void on_message(fray_client *client, const char *type, const json_t *content, void *app)
{
    (void)client;
    (void)app;
    if (strcmp(type, "error") == 0)
        fprintf(stderr, "%s\n", json_string_value(json_object_get(content, "message")));
}

static void on_other_rules(fray_client *client, const char *message, void *app)
{
    (void)client;
    (void)app;
    fprintf(stderr, "%s\n", message);
}

static void on_lost(fray_client *client, unsigned code, const char *reason, bool is_final,
                    void *app)
{
    struct bot *bot = app;
    (void)client;
    fprintf(stderr, "%u %s%s\n", code, reason, is_final ? "" : " Trying again …");
    bot->is_over = is_final;
}

static int run(fray_clients *clients, struct bot *bots, long count)
{
    for (long over = 0; over < count;) {
        fray_clients_turn(clients, TURN_MS);
        over = 0;
        for (long i = 0; i < count; i++) {
            play(&bots[i]);
            over += bots[i].is_over;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct bot bots[BOTS_MAX];
    bool trusts_any = argc > 1 && strcmp(argv[1], "--trust-any") == 0;
    argc -= trusts_any;
    argv += trusts_any;
    const struct fray_game *rules = argc > 2 ? fray_client_rules(argv[2]) : NULL;
    long count = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    fray_clients *clients = fray_clients_create();

    if (!rules || !rules->tick_hz || count < 1 || count > BOTS_MAX) {
        fprintf(stderr, "usage: bot [--trust-any] URL duel|arena [COUNT, up to %d]\n", BOTS_MAX);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (long i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "C bot %ld", i + 1);
        bots[i] = (struct bot){.rules = rules, .memory = calloc(1, rules->bot_size)};
        rules->bot_init(bots[i].memory, rules->bot_levels - 1u, (uint64_t)i);
        bots[i].client = fray_client_create(clients, &(struct fray_client_config){
                                                         .url = argv[1],
                                                         .name = name,
                                                         .rules = rules,
                                                         .trusts_any_certificate = trusts_any,
                                                         .app = &bots[i],
                                                         .on_event = on_event,
                                                         .on_message = on_message,
                                                         .on_other_rules = on_other_rules,
                                                         .on_lost = on_lost,
                                                     });
        if (!bots[i].client) {
            fprintf(stderr, "%s is no address of a server, such as ws://localhost:8080\n", argv[1]);
            return 2;
        }
        fray_client_quick_play(bots[i].client, rules->name);
    }
    int code = run(clients, bots, count);
    for (long i = 0; i < count; i++) {
        fray_client_destroy(bots[i].client); /* nobody will come back into the seat */
        free(bots[i].memory);
    }
    fray_clients_destroy(clients);
    return code;
}
