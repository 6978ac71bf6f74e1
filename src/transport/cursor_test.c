/* Polling, long polling and Server-Sent Events over one replay buffer, and streamed replies, on a
 * simulated network. */
#include "transport/http_assert.h"
#include "transport/http_sim.h"

#include "transport/cursor.h"
#include "wire/http_body.h"

static struct http_sim sim;
static struct http_client client, other;
static struct fray_cursor_service service;
static struct fray_hook hook;
static struct fray_session *session;
static struct fray_link *link_;
static enum fray_disconnect closed_for;
static bool is_closed;

/* ------------------------------------------------------------------ a protocol of plain texts */

static const struct fray_encoding *encode(struct fray_worker *worker, struct fray_message *message,
                                          enum fray_framing framing)
{
    (void)worker, (void)framing;
    const struct fray_encoding *known = fray_message_encoding(message, FRAY_FORM_ENVELOPE_TEXT);
    return known ? known : fray_message_encode(message, FRAY_FORM_ENVELOPE_TEXT, message->body);
}

static void on_frame(struct fray_session *of, struct fray_link *link, struct fray_slice frame,
                     bool is_binary)
{
    (void)of, (void)link, (void)frame, (void)is_binary;
}

static void on_link_end(struct fray_session *of, struct fray_link *link, enum fray_disconnect why)
{
    (void)link;
    fray_session_close(of, why);
}

static void on_drained(struct fray_session *of)
{
    (void)of;
}

static void on_close(struct fray_session *of, enum fray_disconnect reason)
{
    (void)of;
    closed_for = reason;
    is_closed = true;
    session = NULL;
}

static const struct fray_protocol protocol = {.name = "test",
                                              .encode = encode,
                                              .on_frame = on_frame,
                                              .on_link_end = on_link_end,
                                              .on_drained = on_drained,
                                              .on_close = on_close};

static void say_class(const char *text, enum fray_class class)
{
    struct fray_message *message = fray_message_of(FRAY_MESSAGE_PACKET, fray_slice_of(text));
    message->class = (uint8_t) class;
    fray_session_send_take(session, message);
}

static void say(const char *text)
{
    say_class(text, FRAY_RELIABLE);
}

/* ------------------------------------------------------------------ the server */

static void on_turn_end(struct fray_loop *loop, struct fray_hook *of)
{
    (void)loop, (void)of;
    fray_worker_flush(&sim.worker);
}

static void on_release(struct fray_worker *worker, void *memory, size_t size)
{
    (void)worker;
    fray_loop_release_cell(sim.server, memory, size);
}

static uint64_t number(fray_request *request, const char *name)
{
    const char *text = fray_request_query(request, name);
    return text ? strtoull(text, NULL, 10) : 0;
}

static void on_request(struct fray_http_service *of, fray_request *request)
{
    (void)of;
    bool is_stream = strcmp(fray_request_path(request), "/sse") == 0;
    uint64_t after = number(request, "after");
    if (!session) {
        fray_request_reply_status(request, 404);
        return;
    }
    enum fray_err err = fray_cursor_check(link_, after);
    if (err)
        fray_request_reply_status(request, err == FRAY_ERR_SYNTAX ? 400 : 410);
    else if (is_stream)
        fray_cursor_stream(link_, request, after);
    else
        fray_cursor_poll(link_, request, after, (uint32_t)number(request, "wait"));
}

static void open_all(uint32_t replay_messages)
{
    http_sim_open(&sim, on_request);
    sim.worker.cells = &sim.server->cells;
    sim.worker.release = on_release;
    sim.worker.outbox_limits = (struct fray_outbox_limits){.max_messages = 20, .max_bytes = 4096};
    sim.worker.linger_ms = 2000;
    hook = (struct fray_hook){.run = on_turn_end};
    fray_loop_add_hook(sim.server, &hook);
    service = (struct fray_cursor_service){.worker = &sim.worker,
                                           .replay_messages = replay_messages,
                                           .compress_min = 200,
                                           .wait_max_ms = 5000};
    is_closed = false;
    session = fray_session_open(&protocol, &sim.worker, sizeof *session);
    link_ = fray_cursor_create(&service);
    fray_session_attach(session, link_);
    http_client_open(&client, &sim);
    http_client_open(&other, &sim);
}

static void close_all(void)
{
    if (session)
        fray_session_close(session, FRAY_SERVER_SHUTDOWN);
    http_sim_run_ms(&sim, 3000);
    http_client_deinit(&client);
    http_client_deinit(&other);
    http_sim_run_ms(&sim, 100);
    fray_id_pool_deinit(&sim.worker.sessions);
    free(sim.worker.dirty);
    fray_cursor_service_deinit(&service);
    http_sim_close(&sim);
}

static const char *get(const char *target)
{
    char text[160];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    return http_client_ask(&sim, &client, text);
}

/* The reply's body. */
static const char *poll(const char *target)
{
    const char *body = strstr(get(target), "\r\n\r\n");
    return body ? body + 4 : "(none)";
}

/* ------------------------------------------------------------------ polling */

static void B03_a_poll_returns_only_what_is_newer(void **state)
{
    (void)state;
    open_all(100);
    assert_string_equal(poll("/poll"), "{\"cursor\":0,\"messages\":[]}");
    say("1"), say("2");
    assert_string_equal(poll("/poll?after=0"), "{\"cursor\":2,\"messages\":[1,2]}");
    say("3");
    assert_string_equal(poll("/poll?after=2"), "{\"cursor\":3,\"messages\":[3]}");
    assert_string_equal(poll("/poll?after=3"), "{\"cursor\":3,\"messages\":[]}");
    close_all();
}

static void B03_the_same_cursor_gives_the_same_again(void **state)
{
    (void)state;
    open_all(100);
    say("1"), say("2");
    for (int i = 0; i < 3; i++)
        assert_string_equal(poll("/poll?after=0"), "{\"cursor\":2,\"messages\":[1,2]}");
    assert_string_equal(poll("/poll?after=1"), "{\"cursor\":2,\"messages\":[2]}");
    assert_string_equal(poll("/poll?after=0"), "{\"cursor\":2,\"messages\":[1,2]}");
    assert_starts(get("/poll?after=3"), "HTTP/1.1 400 ");
    close_all();
}

static void the_buffer_is_bounded(void **state)
{
    (void)state;
    open_all(2);
    for (int i = 0; i < 5; i++)
        say("0");
    assert_holds(get("/poll?after=0"), "\"cursor\":5"); /* nothing acknowledged: all is kept */
    assert_holds(get("/poll?after=0"), "[0,0,0,0,0]");
    assert_holds(get("/poll?after=4"), "[0]"); /* four are, and two of these are kept */
    assert_holds(get("/poll?after=2"), "[0,0,0]");
    assert_starts(get("/poll?after=1"), "HTTP/1.1 410 ");
    close_all();
}

static void who_never_goes_on_is_closed(void **state)
{
    (void)state;
    open_all(2);
    for (int i = 0; i < 21; i++) {
        say("0");
        poll("/poll?after=0");
    }
    assert_true(is_closed);
    assert_int_equal(closed_for, FRAY_SLOW_READER);
    close_all();
}

static void B04_a_long_poll_is_answered_at_once_when_there_is_news(void **state)
{
    (void)state;
    open_all(100);
    client.received.len = 0;
    http_client_say(&client, "GET /poll?after=0&wait=4000 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 1000);
    assert_int_equal(client.received.len, 0);
    say_class("7", FRAY_TRANSIENT); /* somebody waits, so it need not */
    http_sim_run_ms(&sim, 10);
    assert_holds(http_client_text(&client), "{\"cursor\":1,\"messages\":[7]}");
    say_class("8", FRAY_TRANSIENT); /* nobody does */
    assert_string_equal(poll("/poll?after=1"), "{\"cursor\":1,\"messages\":[]}");
    close_all();
}

static void B05_a_long_poll_is_answered_empty_at_the_limit(void **state)
{
    (void)state;
    open_all(100);
    client.received.len = 0;
    http_client_say(&client, "GET /poll?wait=300 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 290);
    assert_int_equal(client.received.len, 0);
    http_sim_run_ms(&sim, 30);
    assert_holds(http_client_text(&client), "{\"cursor\":0,\"messages\":[]}");
    /* More than the limit is the limit. */
    client.received.len = 0;
    http_client_say(&client, "GET /poll?wait=600000 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 4900);
    assert_int_equal(client.received.len, 0);
    http_sim_run_ms(&sim, 200);
    assert_holds(http_client_text(&client), "\"messages\":[]");
    close_all();
}

static void the_newest_request_waits(void **state)
{
    (void)state;
    open_all(100);
    client.received.len = other.received.len = 0;
    http_client_say(&client, "GET /poll?wait=4000 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 100);
    http_client_say(&other, "GET /poll?wait=4000 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 100);
    assert_holds(http_client_text(&client), "\"messages\":[]");
    assert_int_equal(other.received.len, 0);
    /* Its client goes; what is said next waits for the one after it. */
    http_client_close(&other, true);
    http_sim_run_ms(&sim, 100);
    say("1");
    http_sim_run_ms(&sim, 100);
    assert_false(is_closed);
    assert_string_equal(poll("/poll"), "{\"cursor\":1,\"messages\":[1]}");
    close_all();
}

static void long_replies_are_compressed_for_who_takes_it(void **state)
{
    (void)state;
    char text[302];
    memset(text, 'a', sizeof text - 1);
    text[0] = text[300] = '"', text[301] = '\0';
    open_all(100);
    say(text);
    assert_holds(get("/poll"), text);
    const char *reply = http_client_ask(
        &sim, &client, "GET /poll HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_holds(reply, "content-encoding: gzip\r\n");
    assert_holds(reply, "\r\n\r\n\x1f\x8b");
    assert_true(client.received.len < 300);
    reply = http_client_ask(&sim, &client,
                            "GET /poll HTTP/1.1\r\nHost: a\r\nAccept-Encoding: deflate\r\n\r\n");
    assert_holds(reply, "content-encoding: deflate\r\n");
    assert_lacks(
        http_client_ask(&sim, &client,
                        "GET /poll?after=1 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"),
        "content-encoding");
    close_all();
}

static void the_end_is_told(void **state)
{
    (void)state;
    open_all(100);
    client.received.len = 0;
    http_client_say(&client, "GET /poll?wait=4000 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 100);
    say("1");
    fray_session_close(session, FRAY_SERVER_DISCONNECTED);
    http_sim_run_ms(&sim, 100);
    assert_holds(http_client_text(&client),
                 "{\"cursor\":1,\"messages\":[1],\"closed\":\"server namespace disconnect\"}");
    close_all();
}

/* ------------------------------------------------------------------ Server-Sent Events */

/* What came of a chunked body since the last call. */
static const char *streamed(struct http_client *of, struct fray_http_body *body)
{
    static struct fray_buf text;
    text.len = 0;
    struct fray_slice rest = fray_buf_slice(&of->received);
    const char *head = strstr(http_client_text(of), "\r\n\r\n");
    if (head && strncmp(of->received.data, "HTTP/1.1", 8) == 0)
        rest = fray_slice_skip(rest, (size_t)(head + 4 - of->received.data));
    while (rest.len) {
        struct fray_slice piece;
        size_t consumed;
        enum fray_err err = fray_http_body_decode(body, rest, &piece, &consumed);
        fray_buf_append_slice(&text, piece);
        rest = fray_slice_skip(rest, consumed);
        if (err != FRAY_ERR_AGAIN || !consumed)
            break;
    }
    of->received.len = 0;
    fray_buf_append_byte(&text, '\0');
    return text.data;
}

static void body_init(struct fray_http_body *body)
{
    struct fray_http_request head = {.chunked = true};
    enum fray_err err = fray_http_body_init(body, &head, 1000000);
    assert_int_equal(err, FRAY_OK);
}

static void B01_events_are_streamed_and_resumed(void **state)
{
    (void)state;
    struct fray_http_body body;
    open_all(100);
    say("1"), say("2");
    poll("/poll");
    client.received.len = 0;
    http_client_say(&client, "GET /sse?after=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 50);
    assert_holds(http_client_text(&client), "content-type: text/event-stream\r\n");
    assert_holds(http_client_text(&client), "transfer-encoding: chunked\r\n");
    body_init(&body);
    assert_string_equal(streamed(&client, &body), "retry: 1000\n\nid: 2\ndata: 2\n\n");
    say("3"), say("4");
    http_sim_run_ms(&sim, 10);
    assert_string_equal(streamed(&client, &body), "id: 3\ndata: 3\n\nid: 4\ndata: 4\n\n");
    link_->ops->ping(link_);
    http_sim_run_ms(&sim, 10);
    assert_string_equal(streamed(&client, &body), ":\n\n");
    /* The connection goes; the stream goes on from the last that arrived. */
    http_client_close(&client, true);
    http_sim_run_ms(&sim, 10);
    say("5");
    http_client_say(&other, "GET /sse?after=3 HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 50);
    body_init(&body);
    assert_string_equal(streamed(&other, &body),
                        "retry: 1000\n\nid: 4\ndata: 4\n\nid: 5\ndata: 5\n\n");
    fray_session_close(session, FRAY_SERVER_SHUTDOWN);
    http_sim_run_ms(&sim, 50);
    assert_string_equal(streamed(&other, &body),
                        "event: closed\ndata: \"server shutting down\"\n\n");
    /* The body is complete, and the connection good for the next request. */
    assert_starts(http_client_ask(&sim, &other, "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n"),
                  "HTTP/1.1 404 ");
    close_all();
}

static void a_stream_to_http_1_0_ends_with_the_connection(void **state)
{
    (void)state;
    open_all(100);
    say("1");
    const char *reply = http_client_ask(&sim, &client, "GET /sse HTTP/1.0\r\n\r\n");
    assert_holds(reply, "\r\n\r\nretry: 1000\n\nid: 1\ndata: 1\n\n");
    assert_lacks(reply, "chunked");
    fray_session_close(session, FRAY_SERVER_SHUTDOWN);
    http_sim_run_ms(&sim, 100);
    assert_true(client.has_ended);
    close_all();
}

/* A reader who does not read: what is owed waits in the outbox, bounded, and is then the reason to
 * close. */
static void a_stream_that_is_not_read_is_closed(void **state)
{
    (void)state;
    open_all(100);
    http_client_say(&client, "GET /sse HTTP/1.1\r\nHost: a\r\n\r\n");
    http_sim_run_ms(&sim, 50);
    fray_stream_pause(client.stream);
    char text[1002];
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 20000 && !is_closed; i++) {
        say(text);
        http_sim_run_ms(&sim, 1);
    }
    assert_true(is_closed);
    assert_int_equal(closed_for, FRAY_SLOW_READER);
    fray_stream_resume(client.stream);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B03_a_poll_returns_only_what_is_newer),
        cmocka_unit_test(B03_the_same_cursor_gives_the_same_again),
        cmocka_unit_test(the_buffer_is_bounded),
        cmocka_unit_test(who_never_goes_on_is_closed),
        cmocka_unit_test(B04_a_long_poll_is_answered_at_once_when_there_is_news),
        cmocka_unit_test(B05_a_long_poll_is_answered_empty_at_the_limit),
        cmocka_unit_test(the_newest_request_waits),
        cmocka_unit_test(long_replies_are_compressed_for_who_takes_it),
        cmocka_unit_test(the_end_is_told),
        cmocka_unit_test(B01_events_are_streamed_and_resumed),
        cmocka_unit_test(a_stream_to_http_1_0_ends_with_the_connection),
        cmocka_unit_test(a_stream_that_is_not_read_is_closed),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
