/* {type, content} sessions, their namespace on their own worker or on another. */
#include "protocol/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "session/session_fake.h"

struct fixture {
    struct fake_worker workers[2];
    struct fray_worker *all[2];
    fray_namespace *nsp;
    struct fray_envelope_config config;
    struct fake_link link;
    struct fray_envelope *envelope;
    struct fray_buf said;
    fray_socket *socket;
    unsigned answers;
    bool rejects;
};

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    if (((struct fixture *)app)->rejects)
        fray_socket_reject_reason(socket, "Not today.", json_pack("{s:i}", "code", 7));
    return ((struct fixture *)app)->rejects ? FRAY_REJECT : FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    ((struct fixture *)app)->socket = socket;
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fixture *f = app;
    (void)socket;
    f->socket = NULL;
    fray_buf_printf(&f->said, "end: %s;", fray_disconnect_text(reason));
}

static void on_say(fray_socket *socket, const fray_event *event, void *app)
{
    struct fixture *f = app;
    size_t len;
    const char *text = fray_event_text(event, &len);
    fray_buf_printf(&f->said, "%s(%.*s)", fray_event_name(event), (int)len, text);
    for (size_t i = 0; i < fray_event_attachments(event); i++) {
        const char *bytes = fray_event_attachment(event, i, &len);
        fray_buf_printf(&f->said, "+%.*s", (int)len, bytes);
    }
    fray_buf_append_byte(&f->said, ';');
    fray_message *same = fray_message_from_event(event, NULL);
    if (fray_event_wants_ack(event))
        fray_ack_message(event, same);
    else
        fray_send(socket, same);
    fray_message_unref(same);
}

static void on_move(fray_socket *socket, const fray_event *event, void *app)
{
    int x;
    (void)socket;
    if (fray_event_unpack(event, "{s:i}", "x", &x))
        return;
    fray_buf_printf(&((struct fixture *)app)->said, "x=%d;", x);
}

static void on_taken(fray_socket *socket, const fray_event *event, void *app)
{
    (void)socket, (void)app;
    fray_event_refuse(event, "taken", "That cell is taken.");
    assert_int_equal(fray_ack(event, "i", 1), FRAY_DROPPED);
}

static void on_answer(struct fray_envelope *envelope, struct fray_slice error, void *context)
{
    struct fixture *f = context;
    (void)envelope;
    f->answers++;
    fray_buf_printf(&f->said, "answer(%.*s);", (int)error.len, error.data ? error.data : "");
}

static void open_over(struct fixture *f, unsigned home, bool rejects, enum fray_framing framing)
{
    const struct fray_app app = {
        .app = f,
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .events = {{"say", on_say}, {"message", on_say}, {"move", on_move}, {"taken", on_taken}}};
    *f = (struct fixture){.rejects = rejects};
    for (unsigned i = 0; i < 2; i++) {
        fake_worker_init(&f->workers[i], i);
        f->all[i] = &f->workers[i].base;
    }
    f->nsp = fray_namespace_create(&app, FRAY_SLICE("/"), &(struct fray_namespace_options){0},
                                   f->all[home], f->all[home]);
    fray_namespace_set_workers(f->nsp, f->all, 2);
    f->config = (struct fray_envelope_config){
        .worker = f->all[0],
        .limits = {.depth_max = 8, .attachments_max = 2},
        .max_message = 200,
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
        .poll_timeout_ms = 60000,
        .version = "fray test",
    };
    fake_link_init(&f->link, framing);
    f->link.worker = f->all[0];
    f->envelope = fray_envelope_open(&f->config, &(struct fray_envelope_opening){
                                                     .nsp = f->nsp,
                                                     .link = &f->link.link,
                                                     .on_answer = on_answer,
                                                     .context = f,
                                                 });
}

static void open_fixture(struct fixture *f, unsigned home, bool rejects)
{
    open_over(f, home, rejects, FRAY_FRAMING_WEBSOCKET);
}

static void settle(struct fixture *f)
{
    do {
        fake_worker_pump(&f->workers[0]);
        fake_worker_pump(&f->workers[1]);
    } while (f->workers[0].first_parcel);
}

static void close_fixture(struct fixture *f)
{
    fray_link_end(&f->link.link, FRAY_TRANSPORT_CLOSE);
    settle(f);
    assert_int_equal(f->answers, 1);
    fray_namespace_destroy(f->nsp);
    fake_worker_deinit(&f->workers[0]);
    fake_worker_deinit(&f->workers[1]);
    fake_link_deinit(&f->link);
    fray_buf_deinit(&f->said);
}

static const char *said(struct fixture *f)
{
    settle(f);
    fray_buf_append_byte(&f->said, '\0');
    f->said.len = 0;
    return f->said.data;
}

static const char *sent(struct fixture *f)
{
    settle(f);
    return fake_link_text(&f->link);
}

static void frame(struct fixture *f, const char *bytes, bool is_binary)
{
    struct fray_session *session = f->link.link.session;
    if (session && fray_session_admits(session))
        session->protocol->on_frame(session, &f->link.link, fray_slice_of(bytes), is_binary);
}

static void B15_welcomes_and_carries_events_both_ways(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, false);
        const char *welcome = sent(&f);
        assert_non_null(strstr(welcome, "{\"type\":\"welcome\",\"content\":{\"id\":\""));
        assert_non_null(strstr(welcome, "\"namespace\":\"/\",\"server\":\"fray test\""));
        assert_string_equal(said(&f), "answer();");
        frame(&f, "{\"type\":\"say\",\"content\":[1,2]}", false);
        frame(&f, "{\"type\":\"say\",\"content\":[1,2],\"spread\":true,\"id\":9}", false);
        frame(&f, "{\"type\":\"say\",\"id\":10}", false);
        assert_string_equal(said(&f), "say([1,2]);say(1,2);say();");
        assert_string_equal(sent(&f),
                            "{\"type\":\"say\",\"content\":[1,2]}\n"
                            "{\"type\":\"ack\",\"id\":9,\"content\":[1,2],\"spread\":true}\n"
                            "{\"type\":\"ack\",\"id\":10}\n");
        close_fixture(&f);
    }
}

static void C02_binary_both_ways(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, false);
        sent(&f), said(&f);
        frame(&f, "AB", true);
        frame(&f, "{\"type\":\"say\",\"content\":{\"a\":{\"_base64\":\"QUI=\"}}}", false);
        assert_string_equal(said(&f), "message({\"_placeholder\":true,\"num\":0})+AB;"
                                      "say({\"a\":{\"_placeholder\":true,\"num\":0}})+AB;");
        assert_string_equal(sent(&f),
                            "b:AB\n"
                            "{\"type\":\"say\",\"content\":{\"a\":{\"_base64\":\"QUI=\"}}}\n");
        close_fixture(&f);
    }
}

static void B15_errors_keep_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *frame, *code;
    } cases[] = {
        {"hello", "{\"type\":\"error\",\"content\":{\"code\":\"bad_json\","},
        {"{\"id\":4}", "{\"type\":\"error\",\"id\":4,\"content\":{\"code\":\"no_type\","},
        {"{\"type\":\"nope\",\"id\":5}",
         "{\"type\":\"error\",\"id\":5,\"content\":{\"code\":\"unknown_type\",\"type\":\"nope\","},
        {"{\"type\":\"move\",\"content\":{\"x\":\"no\"},\"id\":6}",
         "{\"type\":\"error\",\"id\":6,\"content\":{\"code\":\"wrong_shape\",\"type\":\"move\","},
        {"{\"type\":\"taken\",\"id\":7}",
         "{\"type\":\"error\",\"id\":7,\"content\":{\"code\":\"taken\",\"type\":\"taken\","},
        {"{\"type\":\"welcome\"}", "{\"type\":\"error\",\"content\":{\"code\":\"reserved_type\","},
        {"{\"type\":\"say\",\"content\":{\"_base64\":\"?\"}}",
         "{\"type\":\"error\",\"content\":{\"code\":\"bad_base64\",\"type\":\"say\","},
    };
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, false);
        sent(&f), said(&f);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            frame(&f, cases[i].frame, false);
            const char *answer = sent(&f);
            assert_memory_equal(answer, cases[i].code, strlen(cases[i].code));
            assert_null(strchr(answer, '\n')[1] ? answer : NULL); /* one answer */
        }
        char longer[300];
        memset(longer, 'x', sizeof longer - 1);
        longer[sizeof longer - 1] = '\0';
        frame(&f, longer, false);
        assert_non_null(strstr(sent(&f), "too_long"));
        frame(&f, longer, true);
        assert_non_null(strstr(sent(&f), "too_long"));
        assert_string_equal(said(&f), ""); /* nothing has changed */
        frame(&f, "{\"type\":\"move\",\"content\":{\"x\":1}}", false);
        assert_string_equal(said(&f), "x=1;");
        close_fixture(&f);
    }
}

static void B31_refused_with_1008_and_the_reason(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, true);
        assert_string_equal(sent(&f), "{\"type\":\"error\",\"content\":{\"code\":\"refused\","
                                      "\"message\":\"Not today.\",\"data\":{\"code\":7}}}\n");
        assert_string_equal(said(&f),
                            "answer({\"message\":\"Not today.\",\"data\":{\"code\":7}});");
        assert_int_equal(f.link.closes, 1);
        assert_int_equal(f.link.close_code, 1008);
        close_fixture(&f);
    }
}

static void frames_before_the_welcome_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 1, false);
    frame(&f, "{\"type\":\"move\",\"content\":{\"x\":1}}", false);
    frame(&f, "A", true);
    assert_string_equal(said(&f), "answer();x=1;message({\"_placeholder\":true,\"num\":0})+A;");
    close_fixture(&f);
    open_fixture(&f, 1, false);
    for (int i = 0; i < 65; i++)
        frame(&f, "{\"type\":\"say\"}", false);
    settle(&f);
    assert_int_equal(f.link.reason, FRAY_FLOODING);
    close_fixture(&f);
}

static void reply(fray_socket *socket, enum fray_err err, const fray_event *event, void *context)
{
    struct fixture *f = context;
    size_t len;
    (void)socket;
    assert_int_equal(err, FRAY_OK);
    const char *text = fray_event_text(event, &len);
    fray_buf_printf(&f->said, "reply(%.*s);", (int)len, text);
}

static void acks_the_other_way(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 0, false);
    sent(&f), said(&f);
    fray_message *question = fray_message_create(f.nsp, "question", "i", 1);
    fray_send_ack(f.socket, question, 0, reply, &f);
    fray_message_unref(question);
    assert_string_equal(sent(&f), "{\"type\":\"question\",\"id\":0,\"content\":1}\n");
    frame(&f, "{\"type\":\"ack\",\"id\":0,\"content\":{\"a\":2}}", false);
    frame(&f, "{\"type\":\"ack\",\"id\":0,\"content\":{\"a\":2}}",
          false); /* a second one: nothing */
    assert_string_equal(said(&f), "reply({\"a\":2});");
    assert_string_equal(sent(&f), "");
    close_fixture(&f);
}

static void silence_is_asked_about_then_ended(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 0, false);
    for (int i = 0; i < 30; i++)
        fake_worker_advance(&f.workers[0], 1000);
    assert_int_equal(f.link.pings, 1);
    fray_link_heard(&f.link.link, f.all[0]); /* the pong */
    for (int i = 0; i < 44; i++)
        fake_worker_advance(&f.workers[0], 1000);
    assert_int_equal(f.link.closes, 0);
    for (int i = 0; i < 3; i++)
        fake_worker_advance(&f.workers[0], 1000);
    assert_int_equal(f.link.reason, FRAY_PING_TIMEOUT);
    close_fixture(&f);
    /* The program stood still: nobody is closed for it. */
    open_fixture(&f, 0, false);
    fake_worker_advance(&f.workers[0], 100000);
    assert_int_equal(f.link.closes, 0);
    assert_int_equal(f.link.pings, 1);
    close_fixture(&f);
}

static void a_post_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct fixture f;
    struct fray_envelope_refusal refusal;
    size_t count;
    open_over(&f, 0, false, FRAY_FRAMING_POLLING);
    sent(&f), said(&f);
    assert_int_equal(fray_envelope_receive(f.envelope,
                                           FRAY_SLICE("{\"type\":\"say\",\"content\":1}"), &count,
                                           &refusal),
                     FRAY_OK);
    assert_int_equal(count, 1);
    assert_int_equal(fray_envelope_receive(
                         f.envelope,
                         FRAY_SLICE(" [{\"type\":\"say\",\"content\":2} , {\"type\":\"say\"}] "),
                         &count, &refusal),
                     FRAY_OK);
    assert_int_equal(count, 2);
    assert_int_equal(fray_envelope_receive(f.envelope, FRAY_SLICE("[]"), &count, &refusal),
                     FRAY_OK);
    assert_int_equal(count, 0);
    assert_string_equal(said(&f), "say(1);say(2);say();");
    assert_int_equal(fray_envelope_receive(f.envelope,
                                           FRAY_SLICE("[{\"type\":\"say\"},{\"id\":1}]"), &count,
                                           &refusal),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(refusal.fault, FRAY_ENVELOPE_NO_TYPE);
    assert_int_equal(refusal.index, 1);
    assert_int_equal(fray_envelope_receive(f.envelope, FRAY_SLICE(""), &count, &refusal),
                     FRAY_ERR_SYNTAX);
    assert_int_equal(fray_envelope_receive(f.envelope, FRAY_SLICE("7"), &count, &refusal),
                     FRAY_ERR_SYNTAX);
    assert_string_equal(said(&f), "");
    assert_ptr_equal(fray_envelope_find(&f.config, fray_slice_of(f.envelope->sid)), f.envelope);
    assert_null(fray_envelope_find(&f.config, FRAY_SLICE("AAAAAAAAAAAAAAAAAAAA")));
    assert_null(fray_envelope_find(&f.config, FRAY_SLICE("x")));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B15_welcomes_and_carries_events_both_ways),
        cmocka_unit_test(C02_binary_both_ways),
        cmocka_unit_test(B15_errors_keep_the_connection),
        cmocka_unit_test(B31_refused_with_1008_and_the_reason),
        cmocka_unit_test(frames_before_the_welcome_are_kept),
        cmocka_unit_test(acks_the_other_way),
        cmocka_unit_test(silence_is_asked_about_then_ended),
        cmocka_unit_test(a_post_is_taken_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("envelope sessions", tests, NULL, NULL);
}
