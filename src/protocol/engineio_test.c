#include "protocol/engineio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "session/session_fake.h"

/* ------------------------------------------------------------------ an upper that writes down what
 * it heard */

struct fixture {
    struct fake_worker worker;
    struct fake_link polling, websocket;
    struct fray_engineio_config config;
    struct fray_engineio *engineio; /* NULL once closed */
    struct fray_buf said;
    enum fray_disconnect reason;
    unsigned drained;
    char sid[FRAY_TOKEN_LEN + 1];
};

static struct fixture *fixture_of(struct fray_engineio *engineio)
{
    return engineio->config->upper_config;
}

static void on_open(struct fray_engineio *engineio, struct fray_handshake *handshake)
{
    (void)engineio;
    assert_null(handshake);
}

static void on_message(struct fray_engineio *engineio, struct fray_slice data, bool is_binary)
{
    struct fixture *f = fixture_of(engineio);
    if (is_binary)
        FRAY_BUF_LITERAL(&f->said, "b:");
    fray_buf_append_slice(&f->said, data);
    fray_buf_append_byte(&f->said, ' ');
    if (fray_slice_equal(data, FRAY_SLICE("echo")))
        fray_engineio_send(engineio, data);
    if (fray_slice_equal(data, FRAY_SLICE("close me")))
        fray_session_close(&engineio->session, FRAY_SERVER_DISCONNECTED);
}

static void on_drained(struct fray_engineio *engineio)
{
    fixture_of(engineio)->drained++;
}

static void on_close(struct fray_engineio *engineio, enum fray_disconnect reason)
{
    struct fixture *f = fixture_of(engineio);
    assert_ptr_equal(f->engineio, engineio);
    f->engineio = NULL;
    f->reason = reason;
}

static void open_fixture(struct fixture *f, enum fray_framing framing)
{
    static const struct fray_engineio_upper upper = {
        .session_size = sizeof(struct fray_engineio),
        .on_open = on_open,
        .on_message = on_message,
        .on_drained = on_drained,
        .on_close = on_close,
    };
    *f = (struct fixture){0};
    fake_worker_init(&f->worker, 5);
    fake_link_init(&f->polling, FRAY_FRAMING_POLLING);
    fake_link_init(&f->websocket, FRAY_FRAMING_WEBSOCKET);
    f->config = (struct fray_engineio_config){
        .worker = &f->worker.base,
        .upper = &upper,
        .upper_config = f,
        .ping_interval_ms = 300,
        .ping_timeout_ms = 200,
        .upgrade_timeout_ms = 1000,
        .max_payload = 1000000,
        .allow_upgrades = true,
    };
    fray_engineio_config_init(&f->config);
    struct fake_link *link = framing == FRAY_FRAMING_POLLING ? &f->polling : &f->websocket;
    f->engineio = fray_engineio_open(&f->config, &link->link, NULL);
    memcpy(f->sid, f->engineio->sid, sizeof f->sid);
    fake_worker_turn(&f->worker);
}

static void close_fixture(struct fixture *f)
{
    if (f->engineio)
        fray_session_close(&f->engineio->session, FRAY_TRANSPORT_CLOSE);
    fake_worker_turn(&f->worker);
    fake_worker_deinit(&f->worker);
    fray_engineio_config_deinit(&f->config);
    fake_link_deinit(&f->polling);
    fake_link_deinit(&f->websocket);
    fray_buf_deinit(&f->said);
}

static const char *said(struct fixture *f)
{
    fray_buf_append_byte(&f->said, '\0');
    f->said.len = 0;
    return f->said.data;
}

/* What went out over the link by the end of this turn. */
static const char *sent(struct fixture *f, struct fake_link *link)
{
    fake_worker_turn(&f->worker);
    return fake_link_text(link);
}

static void frame_on(struct fake_link *link, struct fray_slice frame, bool is_binary)
{
    struct fray_session *session = link->link.session;
    if (session)
        session->protocol->on_frame(session, &link->link, frame, is_binary);
}

static void text(struct fixture *f, const char *frame)
{
    frame_on(&f->websocket, fray_slice_of(frame), false);
}

static enum fray_err post(struct fixture *f, const char *body)
{
    return fray_engineio_receive(f->engineio, fray_slice_of(body));
}

/* A GET comes to wait. */
static void get(struct fixture *f)
{
    fake_link_open_up(&f->polling, SIZE_MAX);
}

/* ------------------------------------------------------------------ opening */

static void opens_with_the_five_keys(void **state)
{
    (void)state;
    struct fixture f;
    char expected[200];
    open_fixture(&f, FRAY_FRAMING_POLLING);
    struct fray_buf open = {0};
    fray_buf_printf(&open,
                    "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,"
                    "\"pingTimeout\":200,\"maxPayload\":1000000}\n",
                    f.sid);
    assert_true(open.len < sizeof expected);
    memcpy(expected, open.data, open.len);
    expected[open.len] = '\0';
    assert_string_equal(fake_link_text(&f.polling), expected);
    fray_buf_deinit(&open);
    close_fixture(&f);

    open_fixture(&f, FRAY_FRAMING_WEBSOCKET);
    assert_non_null(strstr(fake_link_text(&f.websocket), "\"upgrades\":[],"));
    close_fixture(&f);
}

static void a_sid_leads_to_its_session(void **state)
{
    (void)state;
    struct fixture f;
    unsigned worker = 99;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    assert_true(fray_sid_worker(fray_slice_of(f.sid), &worker));
    assert_int_equal(worker, 5);
    assert_ptr_equal(fray_engineio_find(&f.config, fray_slice_of(f.sid)), f.engineio);
    struct fray_engineio_config other = f.config; /* of another path */
    assert_null(fray_engineio_find(&other, fray_slice_of(f.sid)));
    f.sid[19] = f.sid[19] == 'A' ? 'B' : 'A';
    assert_null(fray_engineio_find(&f.config, fray_slice_of(f.sid)));
    assert_null(fray_engineio_find(&f.config, FRAY_SLICE("99999999999999999999")));
    assert_null(fray_engineio_find(&f.config, (struct fray_slice){0}));
    assert_false(fray_sid_worker(FRAY_SLICE("too short"), &worker));
    memcpy(f.sid, f.engineio->sid, sizeof f.sid);
    fray_session_close(&f.engineio->session, FRAY_TRANSPORT_CLOSE);
    assert_null(fray_engineio_find(&f.config, fray_slice_of(f.sid)));
    close_fixture(&f);
}

/* As many workers as the option `workers` allows have sids of their own. */
static void a_sid_tells_256_workers_apart(void **state)
{
    (void)state;
    struct fixture f;
    unsigned worker = 0;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    f.worker.base.index = 255;
    struct fake_link link;
    fake_link_init(&link, FRAY_FRAMING_WEBSOCKET);
    struct fray_engineio *first = f.engineio;
    f.engineio = fray_engineio_open(&f.config, &link.link, NULL);
    assert_true(fray_sid_worker(fray_slice_of(f.engineio->sid), &worker));
    assert_int_equal(worker, 255);
    assert_ptr_equal(fray_engineio_find(&f.config, fray_slice_of(f.engineio->sid)), f.engineio);
    fray_session_close(&f.engineio->session, FRAY_TRANSPORT_CLOSE);
    f.engineio = first;
    close_fixture(&f);
    fake_link_deinit(&link);
}

/* ------------------------------------------------------------------ heartbeat */

static void pings_and_is_answered(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_WEBSOCKET);
    fake_link_text(&f.websocket);
    for (int i = 0; i < 3; i++) {
        fake_worker_advance(&f.worker, 299);
        assert_string_equal(sent(&f, &f.websocket), "");
        fake_worker_advance(&f.worker, 1);
        assert_string_equal(sent(&f, &f.websocket), "2\n");
        fake_worker_advance(&f.worker, 150);
        text(&f, "3");
        text(&f, "3"); /* one too many is nothing */
        assert_non_null(f.engineio);
    }
    close_fixture(&f);
}

static void closes_without_a_pong(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_WEBSOCKET);
    fake_worker_advance(&f.worker, 300);
    text(&f, "4other packets are no pong");
    fake_worker_advance(&f.worker, 190);
    assert_non_null(f.engineio);
    fake_worker_advance(&f.worker, 10);
    assert_null(f.engineio);
    assert_int_equal(f.reason, FRAY_PING_TIMEOUT);
    assert_int_equal(f.websocket.closes, 1);
    assert_int_equal(f.worker.base.counters.closed_ping_timeout, 1);
    close_fixture(&f);
}

static void a_ping_waits_for_a_poll(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    fake_link_text(&f.polling);
    fake_worker_advance(&f.worker, 300);
    fake_worker_advance(&f.worker, 100);
    get(&f);
    assert_string_equal(sent(&f, &f.polling), "2\n");
    assert_int_equal(post(&f, "3"), FRAY_OK);
    fake_worker_advance(&f.worker, 299);
    assert_non_null(f.engineio);
    fake_worker_advance(&f.worker, 1);
    fake_worker_advance(&f.worker, 200); /* nobody polls any more */
    assert_null(f.engineio);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ packets */

static void messages_travel_both_ways(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_WEBSOCKET);
    fake_link_text(&f.websocket);
    text(&f, "4echo");
    text(&f, "4");
    frame_on(&f.websocket, FRAY_SLICE("\1"), true);
    text(&f, "bAQI=");
    assert_string_equal(said(&f), "echo  b:\1 b:\1\2 ");
    struct fray_message *binary = fray_message_of(FRAY_MESSAGE_BARE_BINARY, FRAY_SLICE("xyz"));
    fray_session_send_take(&f.engineio->session, binary);
    assert_string_equal(sent(&f, &f.websocket), "4echo\nb:xyz\n");
    close_fixture(&f);

    open_fixture(&f, FRAY_FRAMING_POLLING);
    fake_link_text(&f.polling);
    assert_int_equal(post(&f, "4echo\x1e"
                              "4b\x1e"
                              "bAQI="),
                     FRAY_OK);
    assert_string_equal(said(&f), "echo b b:\1\2 ");
    binary = fray_message_of(FRAY_MESSAGE_BARE_BINARY, FRAY_SLICE("\1\2"));
    fray_session_send_take(&f.engineio->session, binary);
    get(&f);
    assert_string_equal(sent(&f, &f.polling), "4echo|bAQI=\n");
    assert_int_equal(f.drained, 1);
    close_fixture(&f);
}

static void bad_packets_close(void **state)
{
    (void)state;
    static const char *const frames[] = {"", "0", "2", "2probe", "5", "6", "7", "x", "b!"};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct fixture f;
        open_fixture(&f, FRAY_FRAMING_WEBSOCKET);
        text(&f, frames[i]);
        assert_null(f.engineio);
        assert_int_equal(f.reason, FRAY_PARSE_ERROR);
        assert_int_equal(f.websocket.reason, FRAY_PARSE_ERROR);
        close_fixture(&f);

        open_fixture(&f, FRAY_FRAMING_POLLING);
        struct fray_buf body = {0};
        fray_buf_printf(&body,
                        "4good\x1e%s\x1e"
                        "4bad",
                        frames[i]);
        assert_int_not_equal(fray_engineio_receive(f.engineio, fray_buf_slice(&body)), FRAY_OK);
        assert_string_equal(said(&f), "good ");
        assert_null(f.engineio);
        assert_int_equal(f.reason, FRAY_PARSE_ERROR);
        fray_buf_deinit(&body);
        close_fixture(&f);
    }
}

static void a_close_packet_ends_the_session_there(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    assert_int_equal(post(&f, "4a\x1e"
                              "1\x1e"
                              "4b"),
                     FRAY_OK);
    assert_string_equal(said(&f), "a ");
    assert_int_equal(f.reason, FRAY_CLIENT_LEFT);
    assert_int_equal(f.polling.reason, FRAY_CLIENT_LEFT);
    close_fixture(&f);
}

static void who_polls_is_told_of_the_end(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    fake_link_text(&f.polling);
    assert_int_equal(post(&f, "4echo\x1e"
                              "4close me\x1e"
                              "4late"),
                     FRAY_OK);
    assert_string_equal(said(&f), "echo close me ");
    assert_null(f.engineio);
    assert_non_null(fray_engineio_find(&f.config, fray_slice_of(f.sid))); /* until it is told */
    get(&f);
    assert_string_equal(sent(&f, &f.polling), "4echo|1\n");
    assert_int_equal(f.polling.closes, 1);
    assert_null(fray_engineio_find(&f.config, fray_slice_of(f.sid)));
    close_fixture(&f);
}

/* A POST of many packets is no way around messages_per_second. */
static void each_packet_of_a_post_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    f.worker.base.messages_per_second = 1;
    f.worker.base.messages_burst = 1;
    f.engineio->session.admitted = 2;
    assert_int_equal(post(&f, "4a\x1e"
                              "4b\x1e"
                              "4c"),
                     FRAY_OK);
    assert_string_equal(said(&f), "a b ");
    assert_null(f.engineio);
    assert_int_equal(f.reason, FRAY_FLOODING);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ upgrade */

static void probe(struct fixture *f)
{
    assert_true(fray_engineio_may_upgrade(f->engineio));
    fray_engineio_probe(f->engineio, &f->websocket.link);
}

/* What is said at each moment of an upgrade arrives once and in order. */
static void C03_upgrades_losing_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    fake_link_text(&f.polling);
    get(&f);
    assert_string_equal(sent(&f, &f.polling), "");
    probe(&f);
    fray_engineio_send(f.engineio, FRAY_SLICE("one"));
    assert_string_equal(sent(&f, &f.polling), "4one\n");
    fray_engineio_send(f.engineio, FRAY_SLICE("two"));
    get(&f);
    assert_string_equal(sent(&f, &f.polling), "4two\n");
    get(&f);
    text(&f, "2probe");
    assert_string_equal(sent(&f, &f.websocket), "3probe\n");
    assert_string_equal(sent(&f, &f.polling), ""); /* a message might end the GET */
    fake_worker_advance(&f.worker, 100);
    assert_string_equal(sent(&f, &f.polling), "6\n"); /* the GET that waited */
    get(&f);
    fake_worker_advance(&f.worker, 100);
    assert_string_equal(sent(&f, &f.polling), "6\n"); /* and one that came too late to be paused */
    assert_int_equal(post(&f, "4echo"), FRAY_OK);
    fray_engineio_send(f.engineio, FRAY_SLICE("three"));
    assert_string_equal(sent(&f, &f.polling), "");
    text(&f, "5");
    assert_string_equal(sent(&f, &f.websocket), "4echo\n4three\n");
    assert_int_equal(f.polling.retires, 1);
    assert_int_equal(f.worker.base.counters.upgrades, 1);
    assert_false(fray_engineio_may_upgrade(f.engineio));
    text(&f, "4four");
    assert_string_equal(said(&f), "echo four ");
    fake_worker_advance(&f.worker, 300);
    assert_string_equal(sent(&f, &f.websocket), "2\n"); /* not after upgrade_timeout_ms only */
    text(&f, "3");
    for (int i = 0; i < 8; i++) {
        fake_worker_advance(&f.worker, 250);
        text(&f, "3");
    }
    assert_non_null(f.engineio);
    assert_int_equal(f.websocket.closes, 0);
    close_fixture(&f);
}

static void a_failed_probe_leaves_polling_alive(void **state)
{
    (void)state;
    static const char *const scripts[][2] = {
        {"4a message", NULL},   {"5", NULL},     {"2", NULL}, {"2probing", NULL},
        {"2probe", "4message"}, {"2probe", "x"},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct fixture f;
        open_fixture(&f, FRAY_FRAMING_POLLING);
        fake_link_text(&f.polling);
        probe(&f);
        for (int j = 0; j < 2 && scripts[i][j]; j++)
            text(&f, scripts[i][j]);
        assert_int_equal(f.websocket.closes, 1);
        assert_non_null(f.engineio);
        assert_string_equal(said(&f), "");
        fake_link_text(&f.polling);
        assert_int_equal(post(&f, "4echo"), FRAY_OK);
        get(&f);
        assert_non_null(strstr(sent(&f, &f.polling), "4echo"));
        fray_engineio_send(f.engineio, FRAY_SLICE("x"));
        get(&f);
        assert_string_equal(sent(&f, &f.polling), "4x\n"); /* and no noop any more */
        probe(&f);                                         /* it may try again */
        close_fixture(&f);
    }
}

static void a_probe_times_out(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    fake_link_text(&f.polling);
    probe(&f);
    text(&f, "2probe");
    for (int i = 0; i < 4; i++) {
        fake_worker_advance(&f.worker, 249);
        assert_int_equal(f.websocket.closes, 0);
        assert_int_equal(post(&f, "3"), FRAY_OK);
    }
    fake_worker_advance(&f.worker, 4);
    assert_int_equal(f.websocket.closes, 1);
    text(&f, "5"); /* nobody is there */
    assert_non_null(f.engineio);
    assert_int_equal(f.polling.retires, 0);
    close_fixture(&f);
}

static void a_second_probe_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, FRAY_FRAMING_POLLING);
    probe(&f);
    assert_false(fray_engineio_may_upgrade(f.engineio));
    fray_link_end(&f.websocket.link, FRAY_TRANSPORT_CLOSE); /* the first goes by itself */
    assert_true(fray_engineio_may_upgrade(f.engineio));
    f.config.allow_upgrades = false;
    assert_false(fray_engineio_may_upgrade(f.engineio));
    close_fixture(&f);
}

static void a_session_that_ends_takes_its_probe_along(void **state)
{
    (void)state;
    for (int ends_by_link = 0; ends_by_link < 2; ends_by_link++) {
        struct fixture f;
        open_fixture(&f, FRAY_FRAMING_POLLING);
        probe(&f);
        if (ends_by_link)
            fray_link_end(&f.polling.link, FRAY_TRANSPORT_CLOSE);
        else
            assert_int_equal(post(&f, "1"), FRAY_OK);
        assert_null(f.engineio);
        assert_int_equal(f.websocket.closes, 1);
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_the_five_keys),
        cmocka_unit_test(a_sid_leads_to_its_session),
        cmocka_unit_test(a_sid_tells_256_workers_apart),
        cmocka_unit_test(pings_and_is_answered),
        cmocka_unit_test(closes_without_a_pong),
        cmocka_unit_test(a_ping_waits_for_a_poll),
        cmocka_unit_test(messages_travel_both_ways),
        cmocka_unit_test(bad_packets_close),
        cmocka_unit_test(a_close_packet_ends_the_session_there),
        cmocka_unit_test(who_polls_is_told_of_the_end),
        cmocka_unit_test(each_packet_of_a_post_is_counted),
        cmocka_unit_test(C03_upgrades_losing_nothing),
        cmocka_unit_test(a_failed_probe_leaves_polling_alive),
        cmocka_unit_test(a_probe_times_out),
        cmocka_unit_test(a_second_probe_is_refused),
        cmocka_unit_test(a_session_that_ends_takes_its_probe_along),
    };
    return cmocka_run_group_tests_name("engineio", tests, NULL, NULL);
}
