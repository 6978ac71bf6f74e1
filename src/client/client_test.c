#include "fray/client.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "packet.h"
#include "wire/websocket_frame.h"
#include "wire/websocket_handshake.h"

/* Which of a host's addresses a client goes to, on this machine's own sockets, and what it tells
 * when its handlers end it. The rest is shown by tests/integration/c_client.test.mjs on a server.
 *
 * Names are looked up here: what hosts know of localhost differs. */

enum { FOUND_MAX = 20 };

static const char *const *known; /* addresses of "fray.test", up to a NULL */
static struct addrinfo found[FOUND_MAX];
static struct sockaddr_in found_at[FOUND_MAX];

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                struct addrinfo **first)
{
    (void)hints;
    assert_string_equal(name, "fray.test");
    for (size_t i = 0; known[i]; i++) {
        found_at[i] = (struct sockaddr_in){.sin_family = AF_INET,
                                           .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
        inet_pton(AF_INET, known[i], &found_at[i].sin_addr);
        found[i] = (struct addrinfo){.ai_family = AF_INET,
                                     .ai_addr = (struct sockaddr *)&found_at[i],
                                     .ai_addrlen = sizeof found_at[i],
                                     .ai_next = known[i + 1] ? &found[i + 1] : NULL};
    }
    *first = found;
    return 0;
}

void freeaddrinfo(struct addrinfo *first)
{
    assert_ptr_equal(first, found);
}

/* Returns the listener; *port is one to be had, or the one that is wanted. */
static int listen_on(const char *ip, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, ip, &at.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

struct losses {
    unsigned count, code;
    char reason[128];
    bool is_final;
};

static void on_lost(fray_client *client, unsigned code, const char *reason, bool is_final,
                    void *app)
{
    struct losses *losses = app;
    (void)client;
    losses->count++;
    losses->code = code;
    losses->is_final = is_final;
    snprintf(losses->reason, sizeof losses->reason, "%s", reason);
}

static fray_clients *connect_to(uint16_t port, struct losses *losses)
{
    char url[64];
    *losses = (struct losses){0};
    snprintf(url, sizeof url, "ws://fray.test:%u", port);
    fray_clients *clients = fray_clients_create();
    assert_non_null(fray_client_create(
        clients, &(struct fray_client_config){.url = url, .app = losses, .on_lost = on_lost}));
    assert_int_equal(losses->count, 0); /* handlers run in turns only */
    return clients;
}

static int accept_one(fray_clients *clients, int listener)
{
    int fd;
    while ((fd = accept(listener, NULL, NULL)) < 0)
        fray_clients_turn(clients, 5);
    return fd;
}

static void addresses_where_nobody_answers_are_passed_over(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.1", NULL};
    struct losses losses;
    uint16_t port = 0;
    int listener = listen_on("127.0.0.1", &port);
    known = addresses;
    fray_clients *clients = connect_to(port, &losses);
    int connection = accept_one(clients, listener);
    assert_int_equal(losses.count, 0);
    fray_clients_destroy(clients);
    close(connection);
    close(listener);
}

static void that_none_answers_is_told_once_and_tried_again(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.1", NULL};
    struct losses losses;
    uint16_t port = 0;
    close(listen_on("127.0.0.1", &port));
    known = addresses;
    fray_clients *clients = connect_to(port, &losses);
    while (!losses.count)
        fray_clients_turn(clients, 5);
    assert_int_equal(losses.count, 1);
    assert_int_equal(losses.code, 1006);
    assert_string_equal(losses.reason, "There is no connection to the server.");
    assert_false(losses.is_final);
    int listener = listen_on("127.0.0.3", &port);
    int connection = accept_one(clients, listener);
    assert_int_equal(losses.count, 1);
    fray_clients_destroy(clients);
    close(connection);
    close(listener);
}

static void who_answers_wrongly_is_told_of_before_the_next_is_tried(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1", NULL};
    struct losses losses;
    uint16_t port = 0;
    int wrong = listen_on("127.0.0.2", &port), listener = listen_on("127.0.0.1", &port);
    known = addresses;
    fray_clients *clients = connect_to(port, &losses);
    int first = accept_one(clients, wrong);
    assert_int_equal(write(first, "HTTP/1.1 404 Not Found\r\n\r\n", 26), 26);
    int second = accept_one(clients, listener);
    assert_int_equal(losses.count, 1);
    assert_string_equal(losses.reason, "The server refused the handshake.");
    fray_clients_destroy(clients);
    close(first);
    close(second);
    close(wrong);
    close(listener);
}

static void of_many_addresses_the_first_are_tried(void **state)
{
    (void)state;
    static const char *const addresses[FOUND_MAX + 1] = {
        "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2",
        "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1",
        "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", NULL};
    struct losses losses;
    uint16_t port = 0;
    int listener = listen_on("127.0.0.1", &port);
    known = addresses;
    fray_clients *clients = connect_to(port, &losses);
    while (!losses.count)
        fray_clients_turn(clients, 5);
    assert_true(accept(listener, NULL, NULL) < 0);
    fray_clients_destroy(clients);
    close(listener);
}

/* ------------------------------------------------------------------ handlers that end it */

/* What a server says at once, for the client to read at once. */
struct speech {
    struct fray_buf bytes;
    char view[8192]; /* of a duel */
};

static void speech_begin(struct speech *speech, const char *request)
{
    static const char field[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(request, field);
    const struct fray_game *duel = fray_client_rules("duel");
    struct fray_websocket_hash hash;

    assert_non_null(key);
    fray_websocket_hash_init(&hash);
    fray_websocket_response_append(&speech->bytes, &hash,
                                   fray_slice(key + sizeof field - 1, FRAY_WEBSOCKET_KEY_LEN),
                                   &(struct fray_websocket_answer){0});
    fray_websocket_hash_deinit(&hash);
    assert_true(duel->state_size <= sizeof speech->view);
    fray_game_init(duel, speech->view, 1, NULL);
}

static void say(struct speech *speech, unsigned opcode, const void *bytes, size_t len)
{
    fray_websocket_frame_append(&speech->bytes, FRAY_WEBSOCKET_FIN | opcode, fray_slice(bytes, len),
                                NULL);
}

static void say_joined_to(struct speech *speech, const char *match)
{
    char text[256];
    int len = snprintf(text, sizeof text,
                       "{\"type\":\"joined\",\"content\":{\"match\":\"%s\",\"game\":\"duel\","
                       "\"seat\":0,\"token\":\"t\",\"room\":\"match:%s\"}}",
                       match, match);

    say(speech, FRAY_WEBSOCKET_TEXT, text, (size_t)len);
}

static void say_joined(struct speech *speech)
{
    say_joined_to(speech, "m");
}

static void say_welcome_of(struct speech *speech, uint64_t rules)
{
    const struct fray_packet_welcome welcome = {
        .version = FRAY_PACKET_VERSION,
        .tick_hz = 60,
        .snapshot_hz = 20,
        .tick = 10,
        .rules = rules,
    };
    char bytes[64];

    say(speech, FRAY_WEBSOCKET_BINARY, bytes,
        fray_packet_welcome_encode(&welcome, bytes, sizeof bytes));
}

static void say_welcome(struct speech *speech)
{
    say_welcome_of(speech, fray_game_rules(fray_client_rules("duel")));
}

static void say_welcome_of_others(struct speech *speech)
{
    say_welcome_of(speech, ~fray_game_rules(fray_client_rules("duel")));
}

static void say_refused(struct speech *speech, uint8_t code)
{
    char bytes[8];

    say(speech, FRAY_WEBSOCKET_BINARY, bytes,
        fray_packet_refused_encode(code, bytes, sizeof bytes));
}

static void say_snapshot(struct speech *speech, struct fray_packet_snapshot snapshot)
{
    static char bytes[8192];

    snapshot.seq = snapshot.base_seq = 1;
    snapshot.tick = 10;
    size_t len = fray_packet_snapshot_encode(fray_client_rules("duel"), 0, NULL, speech->view,
                                             &snapshot, bytes, sizeof bytes);
    assert_true(len > 0);
    say(speech, FRAY_WEBSOCKET_BINARY, bytes, len);
}

/* Three events wait for the picture to show their tick; what restarts the time line tells them. */
static void say_events(struct speech *speech)
{
    struct fray_packet_snapshot snapshot = {.events_count = 3};

    for (uint16_t i = 0; i < snapshot.events_count; i++)
        snapshot.events[i] = (struct fray_packet_event){
            .seq = (uint16_t)(i + 1), .tick = 10, .event = {.kind = 1, .to = FRAY_GAME_NOBODY}};
    say_snapshot(speech, snapshot);
}

static void events_and_welcome(struct speech *speech)
{
    say_events(speech);
    say_welcome(speech);
}

static void events_and_joined(struct speech *speech)
{
    say_events(speech);
    say_joined(speech);
}

static void loss_and_desync(struct speech *speech)
{
    say_snapshot(speech, (struct fray_packet_snapshot){
                             .flags = FRAY_SNAPSHOT_EVENTS_LOST | FRAY_SNAPSHOT_HASH, .hash = 1});
}

static void other_rules(struct speech *speech)
{
    say_welcome_of_others(speech);
    say_refused(speech, FRAY_REFUSED_VERSION);
    say_events(speech);
}

static void other_packets(struct speech *speech)
{
    say_refused(speech, FRAY_REFUSED_VERSION);
    say_welcome_of_others(speech);
    say_events(speech);
}

/* A player that leaves, or is destroyed, as soon as it hears of the game. */
struct quitter {
    bool is_destroyed, has_quit;
    unsigned heard_after;
};

static void quit(fray_client *client, struct quitter *quitter)
{
    quitter->heard_after += quitter->has_quit;
    if (quitter->has_quit)
        return;
    quitter->has_quit = true;
    if (quitter->is_destroyed)
        fray_client_destroy(client);
    else
        fray_client_leave(client);
}

static void quit_on_event(fray_client *client, const struct fray_game_event *event, uint32_t tick,
                          void *app)
{
    (void)event;
    (void)tick;
    quit(client, app);
}

static void quit_on_events_lost(fray_client *client, void *app)
{
    quit(client, app);
}

static void quit_on_desync(fray_client *client, uint32_t tick, void *app)
{
    (void)tick;
    quit(client, app);
}

static void quit_on_other_rules(fray_client *client, const char *message, void *app)
{
    (void)message;
    quit(client, app);
}

static void hear_message(fray_client *client, const char *type, const json_t *content, void *app)
{
    struct quitter *quitter = app;
    (void)client;
    (void)type;
    (void)content;
    quitter->heard_after += quitter->has_quit && quitter->is_destroyed;
}

static void hear_request(fray_clients *clients, int connection, char *request, size_t size)
{
    size_t len = 0;

    memset(request, 0, size);
    while (!strstr(request, "\r\n\r\n")) {
        ssize_t count = recv(connection, request + len, size - 1 - len, MSG_DONTWAIT);
        len += count > 0 ? (size_t)count : 0;
        fray_clients_turn(clients, 5);
    }
}

/* A client that plays duels with a server that says what it is told to. */
struct stage {
    fray_clients *clients;
    fray_client *client;
    int listener, connection;
    struct speech speech;
};

static void stage_open(struct stage *stage, struct fray_client_config config)
{
    static const char *const addresses[] = {"127.0.0.1", NULL};
    char url[64], request[2048];
    uint16_t port = 0;

    *stage = (struct stage){.listener = listen_on("127.0.0.1", &port)};
    known = addresses;
    snprintf(url, sizeof url, "ws://fray.test:%u", port);
    config.url = url;
    config.rules = fray_client_rules("duel");
    stage->clients = fray_clients_create();
    stage->client = fray_client_create(stage->clients, &config);
    assert_non_null(stage->client);
    stage->connection = accept_one(stage->clients, stage->listener);
    hear_request(stage->clients, stage->connection, request, sizeof request);
    speech_begin(&stage->speech, request);
}

static void stage_say(struct stage *stage)
{
    struct fray_buf *bytes = &stage->speech.bytes;

    assert_int_equal(write(stage->connection, bytes->data, bytes->len), bytes->len);
    bytes->len = 0;
}

static void stage_close(struct stage *stage)
{
    fray_clients_destroy(stage->clients);
    fray_buf_deinit(&stage->speech.bytes);
    close(stage->connection);
    close(stage->listener);
}

static void quit_while(void (*saying)(struct speech *speech), bool is_destroyed)
{
    struct quitter quitter = {.is_destroyed = is_destroyed};
    struct stage stage;

    stage_open(&stage, (struct fray_client_config){.app = &quitter,
                                                   .on_message = hear_message,
                                                   .on_event = quit_on_event,
                                                   .on_events_lost = quit_on_events_lost,
                                                   .on_desync = quit_on_desync,
                                                   .on_other_rules = quit_on_other_rules});
    say_joined(&stage.speech);
    say_welcome(&stage.speech);
    saying(&stage.speech);
    stage_say(&stage);
    while (!quitter.has_quit)
        fray_clients_turn(stage.clients, 5);
    for (int i = 0; i < 3; i++)
        fray_clients_turn(stage.clients, 5);
    assert_int_equal(quitter.heard_after, 0);
    stage_close(&stage);
}

static void who_left_in_a_handler_hears_no_more_of_the_match(void **state)
{
    (void)state;
    quit_while(events_and_welcome, false);
    quit_while(events_and_joined, false);
    quit_while(loss_and_desync, false);
    quit_while(other_rules, false);
    quit_while(other_packets, false);
}

static void who_was_destroyed_in_a_handler_hears_nothing(void **state)
{
    (void)state;
    quit_while(events_and_welcome, true);
    quit_while(events_and_joined, true);
    quit_while(loss_and_desync, true);
    quit_while(other_rules, true);
    quit_while(other_packets, true);
}

/* ------------------------------------------------------------------ other rules */

struct told {
    unsigned lasts, of_rules;
    char last[512];
};

static void count_last(fray_client *client, const char *type, const json_t *content, void *app)
{
    struct told *told = app;
    (void)client;
    (void)content;
    told->lasts += strcmp(type, "last") == 0;
}

static void count_other_rules(fray_client *client, const char *message, void *app)
{
    struct told *told = app;
    (void)client;
    told->of_rules++;
    snprintf(told->last, sizeof told->last, "%s", message);
}

/* What it is told by what the server says next, which a last message ends. */
static void stage_hear(struct stage *stage, struct told *told)
{
    static const char last[] = "{\"type\":\"last\",\"content\":{}}";
    unsigned before = told->lasts;

    say(&stage->speech, FRAY_WEBSOCKET_TEXT, last, sizeof last - 1);
    stage_say(stage);
    while (told->lasts == before)
        fray_clients_turn(stage->clients, 5);
}

static void other_rules_are_told_once_in_each_match(void **state)
{
    struct told told = {0};
    struct stage stage;
    (void)state;
    stage_open(&stage, (struct fray_client_config){.app = &told,
                                                   .on_message = count_last,
                                                   .on_other_rules = count_other_rules});
    say_welcome(&stage.speech);
    stage_hear(&stage, &told);
    say_joined(&stage.speech);
    stage_hear(&stage, &told);
    say_welcome(&stage.speech);
    say_refused(&stage.speech, FRAY_REFUSED_FLOODING);
    stage_hear(&stage, &told);
    assert_int_equal(told.of_rules, 0);

    say_welcome_of_others(&stage.speech);
    say_events(&stage.speech);
    stage_hear(&stage, &told);
    assert_int_equal(told.of_rules, 1);
    assert_non_null(strstr(told.last, "The server plays other rules of duel than this program"));
    assert_non_null(fray_client_newest(stage.client));
    assert_null(fray_client_predicted(stage.client));
    say_joined(&stage.speech); /* it came back */
    say_welcome_of_others(&stage.speech);
    say_refused(&stage.speech, FRAY_REFUSED_VERSION);
    stage_hear(&stage, &told);
    assert_int_equal(told.of_rules, 1);

    say_joined_to(&stage.speech, "n");
    stage_hear(&stage, &told);
    say_refused(&stage.speech, FRAY_REFUSED_VERSION);
    stage_hear(&stage, &told);
    assert_int_equal(told.of_rules, 2);
    assert_non_null(strstr(told.last, "The server has other game packets than this program"));
    assert_null(fray_client_newest(stage.client));
    stage_close(&stage);
}

/* ------------------------------------------------------------------ what it says */

static void what_is_no_json_is_not_said(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", NULL};
    struct losses losses = {0};
    static const char latin1[] = "caf\xe9";

    known = addresses;
    char url[] = "ws://fray.test:9";
    fray_clients *clients = fray_clients_create();
    fray_client *client = fray_client_create(
        clients, &(struct fray_client_config){.url = url, .app = &losses, .on_lost = on_lost});
    assert_non_null(client);
    assert_int_equal(fray_client_send(client, "x", json_string_nocheck(latin1)), FRAY_ERR_TYPE);
    assert_int_equal(fray_client_send(client, latin1, NULL), FRAY_ERR_TYPE);
    assert_int_equal(fray_client_chat(client, latin1), FRAY_ERR_TYPE);
    assert_int_equal(fray_client_quick_play(client, latin1), FRAY_ERR_TYPE);
    assert_int_equal(fray_client_join(client, latin1, false), FRAY_ERR_TYPE);
    assert_int_equal(fray_client_create_match(client, "duel", json_string_nocheck(latin1)),
                     FRAY_ERR_TYPE);
    assert_int_equal(fray_client_send(client, "x", NULL), FRAY_OK);
    assert_int_equal(fray_client_chat(client, "caf\xc3\xa9"), FRAY_OK);
    fray_clients_destroy(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_where_nobody_answers_are_passed_over),
        cmocka_unit_test(that_none_answers_is_told_once_and_tried_again),
        cmocka_unit_test(who_answers_wrongly_is_told_of_before_the_next_is_tried),
        cmocka_unit_test(of_many_addresses_the_first_are_tried),
        cmocka_unit_test(who_left_in_a_handler_hears_no_more_of_the_match),
        cmocka_unit_test(who_was_destroyed_in_a_handler_hears_nothing),
        cmocka_unit_test(other_rules_are_told_once_in_each_match),
        cmocka_unit_test(what_is_no_json_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
