#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* What is common to all backends, and what only epoll has. How streams behave is in
 * stream_contract_test.c, for every backend. */

enum {
    PATIENCE_US = 10000000
}; /* longer than anything here takes; passes only when a test fails */

static int make_loop(void **state)
{
    *state = fray_loop_epoll_create();
    return *state == NULL;
}

static int destroy_loop(void **state)
{
    fray_loop_destroy(*state);
    return 0;
}

/* Posts of several threads. */

enum { POSTERS = 4, POSTS = 5000 };

struct numbered {
    struct fray_post post;
    unsigned poster, number;
};

static unsigned posts_run[POSTERS]; /* the loop's thread only */

static void run_numbered(struct fray_loop *loop, struct fray_post *post)
{
    struct numbered *numbered = (struct numbered *)post;
    assert_int_equal(numbered->number, posts_run[numbered->poster]++);
    unsigned all = 0;
    for (unsigned i = 0; i < POSTERS; i++)
        all += posts_run[i];
    free(numbered);
    if (all == POSTERS * POSTS)
        fray_loop_stop(loop);
}

static struct numbered *make_numbered(unsigned poster, unsigned number)
{
    struct numbered *numbered = fray_alloc_zero(sizeof *numbered);
    *numbered = (struct numbered){{NULL, run_numbered}, poster, number};
    return numbered;
}

struct poster {
    pthread_t thread;
    struct fray_loop *loop;
    unsigned index;
};

static void *post_all(void *argument)
{
    struct poster *poster = argument;
    for (unsigned number = 0; number < POSTS; number += 2) { /* one alone, or two in a chain */
        struct numbered *first = make_numbered(poster->index, number);
        struct numbered *second = make_numbered(poster->index, number + 1);
        if (number % 4) {
            first->post.next = &second->post;
            fray_loop_post_chain(poster->loop, &first->post, &second->post);
        } else {
            fray_loop_post(poster->loop, &first->post);
            fray_loop_post(poster->loop, &second->post);
        }
    }
    return NULL;
}

static void posts_of_threads_arrive_in_order(void **state)
{
    memset(posts_run, 0, sizeof posts_run);
    struct poster posters[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = *state, .index = i};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    fray_loop_run(*state);
    for (unsigned i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posts_run[i], POSTS);
    }
}

struct repost {
    struct fray_post post;
    unsigned runs;
};

static void run_and_repost(struct fray_loop *loop, struct fray_post *post)
{
    ((struct repost *)post)->runs++;
    fray_loop_post(loop, post);
}

static void a_post_of_a_post_waits_a_turn(void **state)
{
    struct repost repost = {{NULL, run_and_repost}, 0};
    fray_loop_post(*state, &repost.post);
    for (unsigned turn = 1; turn <= 3; turn++) {
        fray_loop_turn(*state, PATIENCE_US); /* each is woken by the post of the one before */
        assert_int_equal(repost.runs, turn);
    }
}

static void stop_before_run_is_not_lost(void **state)
{
    fray_loop_stop(*state);
    fray_loop_run(*state);
}

/* The order of a turn. */

struct step {
    struct fray_hook hook;
    struct fray_timer timer;
    struct fray_post post;
    char name;
};

static char order[16];

static void note(char name)
{
    size_t len = strlen(order);
    order[len] = name;
    order[len + 1] = '\0';
}

static void note_hook(struct fray_loop *loop, struct fray_hook *hook)
{
    (void)loop;
    note(((struct step *)hook)->name);
}

static void note_timer(struct fray_timer *timer, uint64_t now_us)
{
    (void)timer;
    (void)now_us;
    note('t');
}

static void note_post(struct fray_loop *loop, struct fray_post *post)
{
    (void)loop;
    (void)post;
    note('p');
}

static void a_turn_has_its_order(void **state)
{
    struct fray_loop *loop = *state;
    struct step first = {.hook = {NULL, note_hook}, .name = '1'};
    struct step second = {.hook = {NULL, note_hook}, .name = '2'};
    first.timer.on_expire = note_timer;
    first.post.run = note_post;
    memset(order, 0, sizeof order);
    fray_loop_add_hook(loop, &first.hook);
    fray_loop_add_hook(loop, &second.hook);
    fray_timer_arm(&loop->timers, &first.timer, 0);
    fray_loop_post(loop, &first.post);
    fray_loop_turn(loop, PATIENCE_US);
    assert_string_equal(order, "pt12");
}

static void a_turn_sleeps_until_the_timer(void **state)
{
    struct fray_loop *loop = *state;
    struct step step = {.timer = {.on_expire = note_timer}};
    memset(order, 0, sizeof order);
    uint64_t due_us = loop->now_us + 20000;
    fray_timer_arm(&loop->timers, &step.timer, due_us);
    while (!*order)
        fray_loop_turn(loop, UINT64_MAX);
    assert_true(loop->now_us >= due_us);
}

static void destroy_orphan(struct fray_loop *loop, struct fray_orphan *orphan)
{
    (void)loop;
    fray_loop_remove_orphan(orphan);
    free(orphan);
}

/* That nothing is lost or freed twice is for the sanitizers to see. */
static void releases_and_orphans_are_freed(void **state)
{
    struct fray_loop *loop = *state;
    for (unsigned i = 0; i < 1000; i++)
        fray_loop_release(loop, fray_alloc(10));
    fray_loop_turn(loop, 0);
    fray_loop_release(loop, fray_alloc(10));
    for (unsigned i = 0; i < 10; i++) {
        struct fray_orphan *orphan = fray_alloc_zero(sizeof *orphan);
        orphan->destroy = destroy_orphan;
        fray_loop_add_orphan(loop, orphan);
        if (i % 3 == 0)
            orphan->destroy(loop, orphan);
    }
}

/* Sockets. */

struct watcher {
    struct fray_source source;
    struct watcher *others; /* what to unwatch when called */
    unsigned others_count, calls;
};

static void unwatch_all(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    (void)ready;
    struct watcher *watcher = (struct watcher *)source;
    watcher->calls++;
    for (unsigned i = 0; i < watcher->others_count; i++)
        assert_int_equal(loop->ops->watch(loop, &watcher->others[i].source, 0), FRAY_OK);
}

static void an_unwatched_source_of_the_batch_is_not_called(void **state)
{
    struct fray_loop *loop = *state;
    struct watcher watchers[8] = {0};
    int pairs[8][2];
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[i]), 0);
        watchers[i] = (struct watcher){{pairs[i][0], 0, unwatch_all}, watchers, 8, 0};
        assert_int_equal(loop->ops->watch(loop, &watchers[i].source, FRAY_READY_READ), FRAY_OK);
        assert_int_equal(write(pairs[i][1], "x", 1), 1);
    }
    fray_loop_turn(loop, PATIENCE_US);
    fray_loop_turn(loop, 0);
    unsigned calls = 0;
    for (unsigned i = 0; i < 8; i++) {
        calls += watchers[i].calls;
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
    assert_int_equal(calls, 1);
}

static int listen_on(struct fray_loop *loop, const char *text, struct fray_address *address)
{
    int listener;
    assert_int_equal(fray_address_parse(address, fray_slice_of(text)), FRAY_OK);
    assert_int_equal(loop->ops->listen(loop, address, false, &listener), FRAY_OK);
    assert_int_equal(loop->ops->local_address(loop, listener, address), FRAY_OK);
    assert_int_not_equal(address->port, 0);
    return listener;
}

/* Loopback connects at once, so accept needs no waiting. */
static void connect_and_accept(struct fray_loop *loop, const char *text)
{
    struct fray_address address, peer, client_address;
    int listener = listen_on(loop, text, &address), client, accepted, value = 0;
    assert_int_equal(loop->ops->accept(loop, listener, &accepted, &peer), FRAY_ERR_AGAIN);
    assert_int_equal(loop->ops->connect(loop, &address, &client), FRAY_OK);
    assert_int_equal(loop->ops->accept(loop, listener, &accepted, &peer), FRAY_OK);
    assert_int_equal(loop->ops->local_address(loop, client, &client_address), FRAY_OK);
    assert_memory_equal(peer.ip, client_address.ip, sizeof peer.ip);
    assert_int_equal(peer.port, client_address.port);
    assert_int_equal(peer.is_v4, address.is_v4);

    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_true(value);
    assert_true(fcntl(accepted, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(accepted, F_GETFD) & FD_CLOEXEC);
    loop->ops->close(loop, client, false);
    loop->ops->close(loop, accepted, true);
    loop->ops->close(loop, listener, false);
}

static void connects_and_accepts(void **state)
{
    connect_and_accept(*state, "127.0.0.1:0");
    int v6 = socket(AF_INET6, SOCK_STREAM, 0); /* not every machine has it */
    if (v6 >= 0) {
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        int refused = bind(v6, (struct sockaddr *)&any, sizeof any);
        close(v6);
        if (!refused)
            connect_and_accept(*state, "[::1]:0");
    }
}

static void ports_are_shared_only_on_request(void **state)
{
    struct fray_loop *loop = *state;
    struct fray_address address;
    int fds[3];
    assert_int_equal(fray_address_parse(&address, FRAY_SLICE("127.0.0.1:0")), FRAY_OK);
    assert_int_equal(loop->ops->listen(loop, &address, true, &fds[0]), FRAY_OK);
    assert_int_equal(loop->ops->local_address(loop, fds[0], &address), FRAY_OK);
    assert_int_equal(loop->ops->listen(loop, &address, true, &fds[1]), FRAY_OK);
    assert_int_equal(loop->ops->listen(loop, &address, false, &fds[2]), FRAY_ERR_IO);
    assert_int_equal(errno, EADDRINUSE);
    loop->ops->close(loop, fds[0], false);
    loop->ops->close(loop, fds[1], false);
}

static int lowest_free_fd(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void without_descriptors_clients_are_turned_away(void **state)
{
    struct fray_loop *loop = *state;
    struct fray_address address, peer;
    int listener = listen_on(loop, "127.0.0.1:0", &address), clients[5], accepted;
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(loop->ops->connect(loop, &address, &clients[i]), FRAY_OK);

    struct rlimit limit, tight;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    tight = limit;
    tight.rlim_cur = (rlim_t)lowest_free_fd();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    enum fray_err errs[6];
    for (unsigned i = 0; i < 6; i++)
        errs[i] = loop->ops->accept(loop, listener, &accepted, &peer);
    int none;
    enum fray_err connect_err = loop->ops->connect(loop, &address, &none);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(errs[i], FRAY_ERR_LIMIT);
        char byte;
        size_t count;
        assert_int_equal(loop->ops->read(loop, clients[i], &byte, 1, &count), FRAY_ERR_CLOSED);
        loop->ops->close(loop, clients[i], false);
    }
    assert_int_equal(errs[5], FRAY_ERR_AGAIN); /* the queue is empty: nothing to spin on */
    assert_int_equal(connect_err, FRAY_ERR_LIMIT);
    assert_int_equal(loop->refused, 5);
    loop->ops->close(loop, listener, false);
}

static void a_long_writev_goes_in_one_call_of_ours(void **state)
{
    struct fray_loop *loop = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct iovec parts[2500];
    for (unsigned i = 0; i < 2500; i++)
        parts[i] = (struct iovec){(void *)"ab", 2};
    size_t count;
    assert_int_equal(loop->ops->writev(loop, pair[0], parts, 2500, &count), FRAY_OK);
    assert_int_equal(count, 5000);
    char got[6000];
    assert_int_equal(recv(pair[1], got, sizeof got, 0), 5000);
    close(pair[1]);
    assert_int_equal(loop->ops->writev(loop, pair[0], parts, 1, &count), FRAY_ERR_IO);
    close(pair[0]);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, make_loop, destroy_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(posts_of_threads_arrive_in_order),
        LOOP_TEST(a_post_of_a_post_waits_a_turn),
        LOOP_TEST(stop_before_run_is_not_lost),
        LOOP_TEST(a_turn_has_its_order),
        LOOP_TEST(a_turn_sleeps_until_the_timer),
        LOOP_TEST(releases_and_orphans_are_freed),
        LOOP_TEST(an_unwatched_source_of_the_batch_is_not_called),
        LOOP_TEST(connects_and_accepts),
        LOOP_TEST(ports_are_shared_only_on_request),
        LOOP_TEST(without_descriptors_clients_are_turned_away),
        LOOP_TEST(a_long_writev_goes_in_one_call_of_ours),
    };
    int before = lowest_free_fd();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    assert_int_equal(lowest_free_fd(), before);
    return failed;
}
