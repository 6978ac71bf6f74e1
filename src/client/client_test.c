#include "fray/client.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <cmocka.h>

/* Which of a host's addresses a client goes to, on this machine's own sockets. The rest is shown by
 * tests/integration/c_client.test.mjs on a server.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_where_nobody_answers_are_passed_over),
        cmocka_unit_test(that_none_answers_is_told_once_and_tried_again),
        cmocka_unit_test(who_answers_wrongly_is_told_of_before_the_next_is_tried),
        cmocka_unit_test(of_many_addresses_the_first_are_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
