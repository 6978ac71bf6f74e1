/* Large replies and those who read them, quickly, slowly or not at all. */
#include "transport/http_assert.h"
#include "transport/http_sim.h"

enum { LASTING_SIZE = 3000000, PIECE = 100000, PARTS = 200 };

static char lasting[LASTING_SIZE];
static struct http_sim sim;
static struct http_client client;
static int producers_open;
static size_t produced;

struct pieces {
    struct fray_http_producer producer;
    size_t at, fail_at;
    bool hesitates, has_hesitated; /* every piece is asked for twice */
};

static enum fray_err next_piece(struct fray_http_producer *producer, struct fray_slice *piece)
{
    struct pieces *pieces = (struct pieces *)producer;
    if (pieces->at >= pieces->fail_at)
        return FRAY_ERR_IO;
    pieces->has_hesitated = pieces->hesitates && !pieces->has_hesitated;
    if (pieces->has_hesitated)
        return FRAY_ERR_AGAIN;
    size_t left = LASTING_SIZE - pieces->at;
    *piece = fray_slice(lasting + pieces->at, left < PIECE ? left : PIECE);
    pieces->at += piece->len;
    produced += piece->len;
    return FRAY_OK;
}

static void close_pieces(struct fray_http_producer *producer)
{
    producers_open--;
    free(producer);
}

static struct fray_http_producer *open_pieces(size_t fail_at, bool hesitates)
{
    struct pieces *pieces = fray_alloc_zero(sizeof *pieces);
    pieces->producer = (struct fray_http_producer){next_piece, close_pieces};
    pieces->fail_at = fail_at;
    pieces->hesitates = hesitates;
    producers_open++;
    produced = 0;
    return &pieces->producer;
}

static bool is_path(const fray_request *request, const char *path)
{
    return strcmp(fray_request_path(request), path) == 0;
}

static void on_request(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    if (is_path(request, "/parts")) {
        struct iovec parts[PARTS];
        for (int i = 0; i < PARTS; i++)
            parts[i] = (struct iovec){lasting + i * (LASTING_SIZE / PARTS), LASTING_SIZE / PARTS};
        fray_request_replyv(request, 200, NULL, parts, PARTS);
    } else if (is_path(request, "/lasting")) {
        fray_request_reply_static(request, 200, NULL, fray_slice(lasting, LASTING_SIZE));
    } else if (is_path(request, "/pieces")) {
        fray_request_reply_from(request, 200, NULL, open_pieces(LASTING_SIZE, false), LASTING_SIZE);
    } else if (is_path(request, "/hesitant")) {
        fray_request_reply_from(request, 200, NULL, open_pieces(LASTING_SIZE, true), LASTING_SIZE);
    } else if (is_path(request, "/broken")) {
        fray_request_reply_from(request, 200, NULL, open_pieces(LASTING_SIZE / 2, false),
                                LASTING_SIZE);
    } else if (is_path(request, "/unopened")) {
        fray_request_reply_from(request, 200, NULL, open_pieces(0, false), LASTING_SIZE);
    } else {
        fray_request_reply(request, 200, NULL, "hello", 5);
    }
}

static int open_sim(void **state)
{
    (void)state;
    for (size_t i = 0; i < LASTING_SIZE; i++)
        lasting[i] = (char)(i * 31 + i / 251);
    http_sim_open(&sim, on_request);
    http_client_open(&client, &sim);
    return 0;
}

static int close_sim(void **state)
{
    (void)state;
    http_client_deinit(&client);
    http_sim_close(&sim);
    return producers_open;
}

static const char *ask(const char *text)
{
    return http_client_ask(&sim, &client, text);
}

/* Large replies. */

static void assert_lasting_came(void)
{
    const char *body = memmem(client.received.data, client.received.len, "\r\n\r\n", 4);
    assert_non_null(body);
    size_t head = (size_t)(body + 4 - client.received.data);
    assert_int_equal(client.received.len - head, LASTING_SIZE);
    assert_memory_equal(client.received.data + head, lasting, LASTING_SIZE);
}

static void test_large_replies(void **state)
{
    (void)state;
    static const char *const paths[] = {"/lasting", "/pieces", "/hesitant"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[64];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        ask(text);
        http_sim_run_ms(&sim, 2000);
        assert_lasting_came();
    }
    assert_true(sim.worker.counters.writes_blocked > 0);
    assert_holds(ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), "hello");
}

static void test_slow_reader_holds_the_producer(void **state)
{
    (void)state;
    http_client_say(&client, "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
    fray_stream_pause(client.stream);
    http_sim_run_ms(&sim, 20000);
    assert_true(produced < LASTING_SIZE / 2);
    fray_stream_resume(client.stream);
    http_sim_run_ms(&sim, 5000);
    assert_lasting_came();
}

static void test_reader_that_stands_still_is_closed(void **state)
{
    (void)state;
    http_client_say(&client, "GET /lasting HTTP/1.1\r\nHost: a\r\n\r\n");
    fray_stream_pause(client.stream);
    http_sim_run_ms(&sim, 31000);
    assert_int_equal(fray_sim_descriptors(sim.server), 1);
    assert_int_equal(sim.worker.counters.http_timeouts, 1);
}

/* Also when a piece had to be waited for: that used the timer. */
static void test_reader_that_stands_still_before_a_late_piece_is_closed(void **state)
{
    (void)state;
    fray_sim_network_options(sim.network)->window = PIECE + 1000; /* it is full after the first */
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    http_client_say(&client, "GET /hesitant HTTP/1.1\r\nHost: a\r\n\r\n");
    fray_stream_pause(client.stream);
    http_sim_run_ms(&sim, 61000);
    assert_int_equal(sim.worker.counters.http_timeouts, 1);
}

static void test_half_closed_peer_gets_its_reply(void **state)
{
    (void)state;
    static const char text[] = "GET /lasting HTTP/1.1\r\nHost: a\r\n\r\n"
                               "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    http_client_send(&client, text, sizeof text - 1);
    sim.clients->ops->shutdown(sim.clients, client.stream->source.fd);
    http_sim_run_ms(&sim, 3000);
    assert_true(client.has_ended);
    fray_buf_append_byte(&client.received, '\0');
    assert_memory_equal(client.received.data + client.received.len - 6, "hello", 5);
    assert_true(client.received.len > LASTING_SIZE);
}

static void test_broken_producer_cuts_the_reply(void **state)
{
    (void)state;
    ask("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 2000);
    assert_true(client.is_broken);
    assert_true(client.received.len < LASTING_SIZE);
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    assert_starts(ask("GET /unopened HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 500 ");
}

static bool has_produced(void *context)
{
    (void)context;
    return produced > 0;
}

/* However fast the peer reads, it has the loop for a share of its turn only. */
static void test_fast_reader_leaves_time_for_others(void **state)
{
    (void)state;
    fray_sim_network_options(sim.network)->window = 2 * LASTING_SIZE;
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    http_client_say(&client, "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(fray_sim_run_until(sim.network, UINT64_MAX, has_produced, NULL));
    assert_true(produced < LASTING_SIZE / 4);
    http_sim_run_ms(&sim, 2000);
    assert_lasting_came();
}

/* More parts than one write takes, and more than the kernel takes: each in its place. */
static void test_many_parts(void **state)
{
    (void)state;
    ask("GET /parts HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 2000);
    assert_lasting_came();
}

static void test_head_of_a_produced_reply(void **state)
{
    (void)state;
    const char *reply = ask("HEAD /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_holds(reply, "content-length: 3000000\r\n");
    assert_int_equal(produced, 0);
    assert_int_equal(producers_open, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_large_replies),
        TEST(test_slow_reader_holds_the_producer),
        TEST(test_reader_that_stands_still_is_closed),
        TEST(test_reader_that_stands_still_before_a_late_piece_is_closed),
        TEST(test_half_closed_peer_gets_its_reply),
        TEST(test_broken_producer_cuts_the_reply),
        TEST(test_fast_reader_leaves_time_for_others),
        TEST(test_many_parts),
        TEST(test_head_of_a_produced_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
