#include "transport/http_assert.h"
#include "transport/http_sim.h"

/* What the tests' service does, by path:
 *   /hello          200 "hello"
 *   /echo           the body, with its length in a header
 *   /late           kept; answered by the test            /bare: the same, kept bare
 *   /upgrade        hands the stream over to an echo
 *   /early          answered from on_head */
static struct http_sim sim;
static struct http_client client;
static fray_request *kept;
static int aborted;

static void on_abort(fray_request *request)
{
    aborted++;
    assert_null(request->connection);
    assert_ptr_equal(request, kept);
    kept = NULL;
    fray_request_drop(request);
}

static size_t echo_data(struct fray_stream *stream, char *data, size_t len)
{
    size_t count;
    struct iovec part = {data, len};
    assert_int_equal(fray_stream_writev(stream, &part, 1, &count), FRAY_OK);
    return len;
}

static void echo_end(struct fray_stream *stream, enum fray_err why)
{
    (void)why;
    fray_stream_close(stream, false);
}

static const struct fray_stream_handler echo_handler = {echo_data, NULL, echo_end};

static void upgrade(fray_request *request)
{
    struct fray_stream *stream = fray_request_upgrade(request);
    if (!stream) {
        fray_request_reply_status(request, 400);
        return;
    }
    fray_stream_adopt(stream, &echo_handler, NULL);
}

static bool is_path(const fray_request *request, const char *path)
{
    return strcmp(fray_request_path(request), path) == 0;
}

static void echo(fray_request *request)
{
    char text[32];
    size_t len;
    const void *body = fray_request_body(request, &len);
    snprintf(text, sizeof text, "%zu", len);
    assert_int_equal(fray_request_reply_header(request, "x-len", text), FRAY_OK);
    fray_request_reply(request, 200, "text/plain", body, len);
}

static void on_request(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    request->on_abort = on_abort;
    if (is_path(request, "/hello")) {
        fray_request_reply(request, 200, "text/plain", "hello", 5);
    } else if (is_path(request, "/echo")) {
        echo(request);
    } else if (is_path(request, "/late")) {
        fray_request_keep(request);
        kept = request;
    } else if (is_path(request, "/bare")) {
        fray_request_keep_bare(request);
        kept = request;
    } else if (is_path(request, "/upgrade")) {
        upgrade(request);
    } else {
        fray_request_reply_status(request, 404);
    }
}

static void on_head(struct fray_http_service *service, fray_request *request)
{
    (void)service;
    if (is_path(request, "/early"))
        fray_request_reply(request, 403, NULL, "no", 2);
}

static int open_sim(void **state)
{
    (void)state;
    http_sim_open(&sim, on_request);
    sim.service.on_head = on_head;
    http_client_open(&client, &sim);
    kept = NULL;
    aborted = 0;
    return 0;
}

static int close_sim(void **state)
{
    (void)state;
    http_client_deinit(&client);
    http_sim_close(&sim);
    return 0;
}

static const char *ask(const char *text)
{
    return http_client_ask(&sim, &client, text);
}

/* The server has said its last word. */
static void assert_closed(void)
{
    http_sim_run_ms(&sim, 10);
    assert_true(client.has_ended);
    assert_int_equal(fray_sim_descriptors(sim.server), 1); /* the listener */
}

/* Requests and replies. */

static void test_reply_is_exact(void **state)
{
    (void)state;
    assert_string_equal(ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
                        "HTTP/1.1 200 OK\r\n"
                        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "content-type: text/plain\r\n"
                        "content-length: 5\r\n"
                        "\r\n"
                        "hello");
    assert_false(client.has_ended);
}

static void test_date_moves_on(void **state)
{
    (void)state;
    http_sim_run_ms(&sim, 3000);
    assert_holds(ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
                 "date: Sun, 06 Nov 1994 08:49:40 GMT");
}

static void test_head_has_no_body(void **state)
{
    (void)state;
    const char *reply = ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_holds(reply, "content-length: 5\r\n");
    assert_lacks(reply, "hello");
    assert_holds(ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), "hello");
}

static void test_one_read_and_one_write_per_request(void **state)
{
    (void)state;
    uint64_t writes = sim.worker.counters.writes;
    ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(sim.worker.counters.writes, writes + 1);
    assert_int_equal(sim.worker.counters.http_requests, 1);
    assert_int_equal(sim.worker.counters.http_replies_2xx, 1);
}

static void test_connection_close(void **state)
{
    (void)state;
    assert_holds(ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                 "connection: close\r\n");
    assert_closed();
}

static void test_http_1_0(void **state)
{
    (void)state;
    const char *reply = ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_holds(reply, "connection: keep-alive\r\n");
    assert_holds(ask("GET /hello HTTP/1.0\r\n\r\n"), "connection: close\r\n");
    assert_closed();
}

static void test_body_with_length(void **state)
{
    (void)state;
    assert_holds(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
                 "\r\n\r\nabc");
    ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
    assert_int_equal(client.received.len, 0);
    ask("cd");
    assert_int_equal(client.received.len, 0);
    assert_holds(ask("efGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), "abcdefHTTP/1.1 200 OK");
}

static void test_chunked_body(void **state)
{
    (void)state;
    assert_holds(ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
                 "x-len: 5\r\ncontent-length: 5\r\n\r\nabcde");
    assert_holds(ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n0\r\n\r\n"),
                 "\r\n\r\nabc");
}

/* Whatever the segments, the answers are the same. */
static void test_byte_by_byte(void **state)
{
    (void)state;
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        http_client_send(&client, text + i, 1);
        http_sim_run_ms(&sim, 5);
    }
    fray_buf_append_byte(&client.received, '\0');
    assert_holds(client.received.data, "\r\n\r\nabcdeHTTP/1.1 200 OK");
    assert_holds(client.received.data, "\r\n\r\nhello");
}

static void test_continue(void **state)
{
    (void)state;
    assert_string_equal(ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                            "Content-Length: 3\r\n\r\n"),
                        "HTTP/1.1 100 Continue\r\n\r\n");
    assert_holds(ask("abc"), "\r\n\r\nabc");
    /* Who sent the body all the same needs no encouragement. */
    assert_starts(ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 3\r\n\r\nabc"),
                  "HTTP/1.1 200 OK");
}

static void test_no_continue_for_what_is_refused(void **state)
{
    (void)state;
    assert_starts(ask("POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 3\r\n\r\n"),
                  "HTTP/1.1 403 Forbidden");
    assert_closed();
}

static void test_early_reply_skips_body(void **state)
{
    (void)state;
    assert_starts(ask("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab"),
                  "HTTP/1.1 403 Forbidden");
    assert_starts(ask("cdefGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 200 OK");
}

static void test_early_reply_does_not_read_a_long_body(void **state)
{
    (void)state;
    assert_holds(ask("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\nab"),
                 "connection: close\r\n");
    assert_true(client.has_ended);
}

static void test_too_long_body(void **state)
{
    (void)state;
    sim.service.max_body = 4;
    assert_starts(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"),
                  "HTTP/1.1 413 ");
    assert_closed();
}

static void test_too_long_chunked_body(void **state)
{
    (void)state;
    sim.service.max_body = 4;
    assert_starts(ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
                  "HTTP/1.1 413 ");
    assert_closed();
}

static void test_framing_headers_are_ours(void **state)
{
    (void)state;
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(fray_request_reply_header(kept, "Content-Length", "7"), FRAY_ERR_SYNTAX);
    assert_int_equal(fray_request_reply_header(kept, "x", "a\r\nb: c"), FRAY_ERR_SYNTAX);
    assert_int_equal(fray_request_reply_header(kept, "a b", "c"), FRAY_ERR_SYNTAX);
    assert_int_equal(fray_request_reply_header(kept, "x", "y"), FRAY_OK);
    fray_request_reply(kept, 200, NULL, "", 0);
    kept = NULL;
    http_sim_run_ms(&sim, 100);
    fray_buf_append_byte(&client.received, '\0');
    assert_holds(client.received.data, "x: y\r\ncontent-length: 0\r\n\r\n");
}

/* Malformed heads. */

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *head, *status;
    } cases[] = {
        {"\x16\x03\x01\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "400"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
        {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_client other;
        http_client_open(&other, &sim);
        const char *reply = http_client_ask(&sim, &other, cases[i].head);
        assert_starts(reply, "HTTP/1.1 ");
        assert_memory_equal(reply + 9, cases[i].status, 3);
        assert_holds(reply, "connection: close\r\n");
        assert_true(other.has_ended);
        http_client_deinit(&other);
    }
    assert_int_equal(sim.worker.counters.http_errors, sizeof cases / sizeof *cases);
}

static void test_long_heads(void **state)
{
    (void)state;
    struct fray_buf text = {0};
    FRAY_BUF_LITERAL(&text, "GET /");
    for (int i = 0; i < 9000; i++)
        fray_buf_append_byte(&text, 'a');
    fray_buf_append_byte(&text, '\0');
    assert_starts(ask(text.data), "HTTP/1.1 414 ");
    assert_closed();
    fray_buf_deinit(&text);
}

/* Pipelining. */

static void test_pipelined(void **state)
{
    (void)state;
    const char *reply = ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
                            "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *second = strstr(reply, "helloHTTP/1.1 200");
    assert_non_null(second);
    assert_non_null(strstr(second, "1HTTP/1.1 404"));
}

static void test_pipelined_behind_kept(void **state)
{
    (void)state;
    assert_string_equal(ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n"
                            "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
                        "");
    assert_string_equal(fray_request_header(kept, "host"), "a");
    fray_request_reply(kept, 200, NULL, "late", 4);
    kept = NULL;
    http_sim_run_ms(&sim, 100);
    fray_buf_append_byte(&client.received, '\0');
    const char *late = strstr(client.received.data, "late");
    assert_non_null(late);
    assert_holds(late, "\r\n\r\nhello");
}

/* What is sent behind an unanswered request is read up to a bound, and not lost. */
static void test_pipelined_flood_is_not_read(void **state)
{
    static const char hello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    enum { LEN = sizeof hello - 1, REQUESTS = 40000, BOUND = 300000 };
    (void)state;
    struct fray_buf flood = {0};
    for (int i = 0; i < REQUESTS; i++)
        fray_buf_append(&flood, hello, LEN);
    fray_sim_network_options(sim.network)->window = 16 * 1024;
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    size_t sent = 0;
    for (int i = 0; i < 200; i++) { /* far more time than it takes */
        size_t count;
        struct iovec part = {flood.data + sent, flood.len - sent};
        assert_int_not_equal(fray_stream_writev(client.stream, &part, 1, &count), FRAY_ERR_IO);
        sent += count;
        http_sim_run_ms(&sim, 20);
    }
    assert_true(sent < BOUND);
    assert_int_equal(sim.worker.counters.http_requests, 1);
    fray_request_reply(kept, 200, NULL, "late", 4);
    kept = NULL;
    http_sim_run_ms(&sim, 1000);
    assert_int_equal(sim.worker.counters.http_requests, 1 + sent / LEN);
    fray_buf_deinit(&flood);
}

/* Kept requests and clients that leave. */

static void test_kept_outlives_buffer(void **state)
{
    (void)state;
    ask("POST /late?a=%31&b HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc");
    struct http_client other;
    http_client_open(&other, &sim); /* overwrites the receive buffer */
    http_client_ask(&sim, &other,
                    "GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx HTTP/1.1\r\nHost: b\r\n\r\n");
    http_client_deinit(&other);
    size_t len;
    assert_memory_equal(fray_request_body(kept, &len), "abc", 3);
    assert_int_equal(len, 3);
    assert_string_equal(fray_request_query(kept, "a"), "1");
    assert_string_equal(fray_request_query(kept, "b"), "");
    assert_null(fray_request_query(kept, "c"));
    assert_string_equal(fray_request_header(kept, "x-y"), "z");
    assert_string_equal(fray_request_target(kept), "/late?a=%31&b");
    assert_string_equal(fray_request_method(kept), "POST");
    fray_request_drop(kept);
    http_sim_run_ms(&sim, 100);
    assert_closed();
}

static void test_bare_is_small_and_answers(void **state)
{
    (void)state;
    ask("GET /bare HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_null(kept->head);
    assert_null(kept->head_copy.data);
    assert_true(sizeof *kept + kept->reply_headers.cap <= 600);
    fray_request_reply(kept, 200, NULL, "x", 1);
    http_sim_run_ms(&sim, 100);
    assert_memory_equal(client.received.data, "HTTP/1.1 200 OK", 15);
}

static void test_abort_is_noticed(void **state)
{
    (void)state;
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    http_client_close(&client, false);
    http_sim_run_ms(&sim, 100);
    assert_int_equal(aborted, 1);
    assert_int_equal(sim.worker.counters.http_aborts, 1);
    http_client_deinit(&client);
    http_client_open(&client, &sim);
    ask("GET /bare HTTP/1.1\r\nHost: a\r\n\r\n");
    http_client_close(&client, true);
    http_sim_run_ms(&sim, 100);
    assert_int_equal(aborted, 2);
    assert_int_equal(fray_sim_descriptors(sim.server), 1);
}

static void test_reply_after_abort_is_harmless(void **state)
{
    (void)state;
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    kept->on_abort = NULL;
    http_client_close(&client, true);
    http_sim_run_ms(&sim, 100);
    assert_null(kept->connection);
    assert_int_equal(fray_request_peer(kept)->port, 0);
    fray_request_reply(kept, 200, NULL, "x", 1);
}

/* Slow peers. */

static void test_slow_head(void **state)
{
    (void)state;
    ask("GET /hello HTTP/1.1\r\n");
    http_sim_run_ms(&sim, 9000);
    assert_int_equal(client.received.len, 0);
    http_sim_run_ms(&sim, 1000);
    assert_memory_equal(client.received.data, "HTTP/1.1 408 ", 13);
    assert_true(client.has_ended);
    assert_int_equal(sim.worker.counters.http_timeouts, 1);
}

/* Bytes do not buy time for a head. */
static void test_slow_head_drips(void **state)
{
    (void)state;
    ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /");
    for (int i = 0; i < 9; i++) {
        http_sim_run_ms(&sim, 500);
        ask("a");
    }
    assert_false(client.has_ended);
    http_sim_run_ms(&sim, 1000);
    assert_memory_equal(client.received.data, "HTTP/1.1 408 ", 13);
}

static void test_silent_connection(void **state)
{
    (void)state;
    http_sim_run_ms(&sim, 10100);
    assert_true(client.has_ended);
    assert_int_equal(client.received.len, 0);
    assert_int_equal(sim.worker.counters.http_timeouts, 0);
}

static void test_slow_body(void **state)
{
    (void)state;
    ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
    http_sim_run_ms(&sim, 29000);
    ask("c"); /* progress */
    http_sim_run_ms(&sim, 29000);
    assert_false(client.has_ended);
    http_sim_run_ms(&sim, 1000);
    assert_memory_equal(client.received.data, "HTTP/1.1 408 ", 13);
    assert_true(client.has_ended);
}

static void test_keep_alive_timeout(void **state)
{
    (void)state;
    ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    client.received.len = 0;
    http_sim_run_ms(&sim, 64000);
    assert_false(client.has_ended);
    http_sim_run_ms(&sim, 1000);
    assert_true(client.has_ended);
    assert_int_equal(client.received.len, 0);
}

/* A kept request has no time limit here: that is its keeper's. */
static void test_kept_has_no_timeout(void **state)
{
    (void)state;
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 600000);
    assert_false(client.has_ended);
    fray_request_reply(kept, 200, NULL, NULL, 0);
}

/* Upgrades. */

static void test_upgrade_hands_over_what_follows(void **state)
{
    (void)state;
    assert_string_equal(ask("GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\nfirst"), "first");
    assert_string_equal(ask("second"), "second");
    http_client_close(&client, false);
    http_sim_run_ms(&sim, 100);
    assert_int_equal(fray_sim_descriptors(sim.server), 1);
}

static void test_no_upgrade_with_body(void **state)
{
    (void)state;
    assert_starts(ask("GET /upgrade HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"),
                  "HTTP/1.1 400 ");
}

/* Draining. */

static void test_drain(void **state)
{
    (void)state;
    struct http_client idle;
    http_client_open(&idle, &sim);
    http_client_ask(&sim, &idle, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ask("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
    fray_http_drain(&sim.service);
    http_sim_run_ms(&sim, 100);
    assert_false(idle.has_ended);
    assert_false(client.has_ended);
    assert_false(fray_http_is_idle(&sim.service));
    http_client_ask(&sim, &idle, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 100);
    assert_true(idle.has_ended);
    fray_request_reply(kept, 200, NULL, "x", 1);
    assert_true(fray_http_is_idle(&sim.service));
    http_sim_run_ms(&sim, 100);
    fray_buf_append_byte(&client.received, '\0');
    assert_holds(client.received.data, "connection: close\r\n");
    assert_true(client.has_ended);
    http_client_deinit(&idle);
}

static void test_headers_as_json(void **state)
{
    (void)state;
    ask("GET /late HTTP/1.1\r\nHost: a\r\nX-List: 1\r\nx-list: 2\r\nCookie: a=1\r\nCookie: b=2\r\n"
        "User-Agent: one\r\nUser-Agent: two\r\nX-Latin: \xE9\r\n\r\n");
    json_t *headers = fray_request_headers(kept);
    assert_string_equal(json_string_value(json_object_get(headers, "x-list")), "1, 2");
    assert_string_equal(json_string_value(json_object_get(headers, "cookie")), "a=1; b=2");
    assert_string_equal(json_string_value(json_object_get(headers, "user-agent")), "one");
    assert_string_equal(json_string_value(json_object_get(headers, "x-latin")), "\xC3\xA9");
    assert_int_equal(json_object_size(headers), 5);
    json_decref(headers);
    fray_request_reply(kept, 204, NULL, NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reply_is_exact),
        TEST(test_date_moves_on),
        TEST(test_head_has_no_body),
        TEST(test_one_read_and_one_write_per_request),
        TEST(test_connection_close),
        TEST(test_http_1_0),
        TEST(test_body_with_length),
        TEST(test_chunked_body),
        TEST(test_byte_by_byte),
        TEST(test_continue),
        TEST(test_no_continue_for_what_is_refused),
        TEST(test_early_reply_skips_body),
        TEST(test_early_reply_does_not_read_a_long_body),
        TEST(test_too_long_body),
        TEST(test_too_long_chunked_body),
        TEST(test_framing_headers_are_ours),
        TEST(test_malformed),
        TEST(test_long_heads),
        TEST(test_pipelined),
        TEST(test_pipelined_behind_kept),
        TEST(test_pipelined_flood_is_not_read),
        TEST(test_kept_outlives_buffer),
        TEST(test_bare_is_small_and_answers),
        TEST(test_abort_is_noticed),
        TEST(test_reply_after_abort_is_harmless),
        TEST(test_slow_head),
        TEST(test_slow_head_drips),
        TEST(test_silent_connection),
        TEST(test_slow_body),
        TEST(test_keep_alive_timeout),
        TEST(test_kept_has_no_timeout),
        TEST(test_upgrade_hands_over_what_follows),
        TEST(test_no_upgrade_with_body),
        TEST(test_drain),
        TEST(test_headers_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
