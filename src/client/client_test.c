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

static void say_joined(struct speech *speech)
{
    static const char text[] =
        "{\"type\":\"joined\",\"content\":{\"match\":\"m\",\"game\":\"duel\","
        "\"seat\":0,\"token\":\"t\",\"room\":\"match:m\"}}";

    say(speech, FRAY_WEBSOCKET_TEXT, text, sizeof text - 1);
}

static void say_welcome(struct speech *speech)
{
    const struct fray_packet_welcome welcome = {
        .version = FRAY_PACKET_VERSION,
        .tick_hz = 60,
        .snapshot_hz = 20,
        .tick = 10,
        .rules = fray_game_rules(fray_client_rules("duel")),
    };
    char bytes[64];

    say(speech, FRAY_WEBSOCKET_BINARY, bytes,
        fray_packet_welcome_encode(&welcome, bytes, sizeof bytes));
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

static void quit_while(void (*saying)(struct speech *speech), bool is_destroyed)
{
    static const char *const addresses[] = {"127.0.0.1", NULL};
    struct quitter quitter = {.is_destroyed = is_destroyed};
    struct speech speech = {0};
    char url[64], request[2048];
    uint16_t port = 0;
    int listener = listen_on("127.0.0.1", &port);

    known = addresses;
    snprintf(url, sizeof url, "ws://fray.test:%u", port);
    fray_clients *clients = fray_clients_create();
    assert_non_null(fray_client_create(
        clients, &(struct fray_client_config){.url = url,
                                              .rules = fray_client_rules("duel"),
                                              .app = &quitter,
                                              .on_message = hear_message,
                                              .on_event = quit_on_event,
                                              .on_events_lost = quit_on_events_lost,
                                              .on_desync = quit_on_desync}));
    int connection = accept_one(clients, listener);
    hear_request(clients, connection, request, sizeof request);
    speech_begin(&speech, request);
    say_joined(&speech);
    say_welcome(&speech);
    saying(&speech);
    assert_int_equal(write(connection, speech.bytes.data, speech.bytes.len), speech.bytes.len);
    while (!quitter.has_quit)
        fray_clients_turn(clients, 5);
    for (int i = 0; i < 3; i++)
        fray_clients_turn(clients, 5);
    assert_int_equal(quitter.heard_after, 0);
    fray_clients_destroy(clients);
    fray_buf_deinit(&speech.bytes);
    close(connection);
    close(listener);
}

static void who_left_in_a_handler_hears_no_more_of_the_match(void **state)
{
    (void)state;
    quit_while(events_and_welcome, false);
    quit_while(events_and_joined, false);
    quit_while(loss_and_desync, false);
}

static void who_was_destroyed_in_a_handler_hears_nothing(void **state)
{
    (void)state;
    quit_while(events_and_welcome, true);
    quit_while(events_and_joined, true);
    quit_while(loss_and_desync, true);
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
        cmocka_unit_test(what_is_no_json_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
