/* Sessions without event names, over WebSocket and over Engine.IO, their namespace on their own
 * worker or on another. */
#include "protocol/bare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "session/session_fake.h"

struct fixture {
    struct fake_worker workers[2];
    struct fray_worker *all[2];
    fray_namespace *nsp;
    struct fray_engineio_config config;
    struct fake_link link;
    struct fray_buf said;
    fray_socket *socket;
    bool rejects;
};

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    (void)socket;
    return ((struct fixture *)app)->rejects ? FRAY_REJECT : FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    ((struct fixture *)app)->socket = socket;
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fixture *f = app;
    f->socket = NULL;
    fray_buf_printf(&f->said, "end: %s", fray_disconnect_text(reason));
    (void)socket;
}

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    struct fixture *f = app;
    size_t len;
    const char *text = fray_event_text(event, &len);
    assert_string_equal(fray_event_name(event), "message");
    assert_int_equal(json_array_size(fray_event_args(event)), 0);
    assert_int_equal(fray_ack(event, NULL), FRAY_DROPPED);
    fray_buf_printf(&f->said, "%s%.*s;", fray_event_is_binary(event) ? "b:" : "", (int)len, text);
    if (len == 4 && !memcmp(text, "kick", 4)) {
        fray_socket_disconnect(socket, false);
        return;
    }
    fray_message *echo = fray_message_from_event(event, NULL);
    fray_send(socket, echo);
    fray_message_unref(echo);
}

enum over { WEBSOCKET, ENGINEIO };

static void open_fixture(struct fixture *f, unsigned home, enum over over, bool rejects)
{
    const struct fray_app app = {.app = f,
                                 .protocol = over == ENGINEIO ? FRAY_ENGINEIO : FRAY_WEBSOCKET,
                                 .on_authorize = on_authorize,
                                 .on_connect = on_connect,
                                 .on_disconnect = on_disconnect,
                                 .on_message = on_message};
    *f = (struct fixture){.rejects = rejects};
    for (unsigned i = 0; i < 2; i++) {
        fake_worker_init(&f->workers[i], i);
        f->all[i] = &f->workers[i].base;
    }
    f->nsp = fray_namespace_create(&app, FRAY_SLICE("/bare"), &(struct fray_namespace_options){0},
                                   f->all[home], f->all[home]);
    fray_namespace_set_workers(f->nsp, f->all, 2);
    f->config = (struct fray_engineio_config){
        .worker = f->all[0],
        .upper = &fray_bare_upper,
        .upper_config = f->nsp,
        .ping_interval_ms = 25000,
        .ping_timeout_ms = 20000,
    };
    fray_engineio_config_init(&f->config);
    fake_link_init(&f->link, FRAY_FRAMING_WEBSOCKET);
    f->link.worker = f->all[0];
    f->link.link.has_own_bytes = true; /* the reply to the handshake */
    if (over == ENGINEIO)
        fray_engineio_open(&f->config, &f->link.link, NULL);
    else
        fray_bare_open(f->nsp, f->all[0], &f->link.link, NULL);
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
    fray_namespace_destroy(f->nsp);
    fray_engineio_config_deinit(&f->config);
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

static void echoes(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, WEBSOCKET, false);
        settle(&f);
        frame(&f, "hi", false);
        frame(&f, "", false);
        frame(&f, "\1\2", true);
        assert_string_equal(said(&f), "hi;;b:\1\2;");
        assert_string_equal(sent(&f), "hi\n\nb:\1\2\n");
        fray_emit(f.socket, "event", "i,s", 1, "x");
        fray_emit(f.socket, "plain", NULL);
        assert_string_equal(sent(&f), "[\"event\",1,\"x\"]\n[\"plain\"]\n");
        close_fixture(&f);

        open_fixture(&f, home, ENGINEIO, false);
        assert_non_null(strstr(sent(&f), "0{\"sid\":"));
        frame(&f, "4hi", false);
        frame(&f, "\1\2", true);
        assert_string_equal(said(&f), "hi;b:\1\2;");
        assert_string_equal(sent(&f), "4hi\nb:\1\2\n");
        close_fixture(&f);
    }
}

/* The client does not hear when it was let in, so it cannot wait for it. */
static void messages_before_it_is_let_in_are_kept(void **state)
{
    (void)state;
    for (int kicks = 0; kicks < 2; kicks++) {
        struct fixture f;
        open_fixture(&f, 1, WEBSOCKET, false);
        frame(&f, "one", false);
        frame(&f, kicks ? "kick" : "two", kicks == 0);
        frame(&f, "three", false);
        assert_int_equal(f.said.len, 0);
        assert_string_equal(said(&f), kicks ? "one;kick;end: server namespace disconnect"
                                            : "one;b:two;three;");
        frame(&f, "four", false);
        assert_string_equal(said(&f), kicks ? "" : "four;");
        close_fixture(&f);

        open_fixture(&f, 1, WEBSOCKET, true); /* it never is */
        frame(&f, "one", false);
        assert_string_equal(said(&f), "");
        assert_int_equal(f.link.closes, 1);
        close_fixture(&f);
    }
}

static void not_without_bounds(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 1, WEBSOCKET, false);
    f.link.link.has_own_bytes = false;
    for (int i = 0; i < 64; i++)
        frame(&f, "x", false);
    assert_int_equal(f.link.closes, 0);
    frame(&f, "x", false);
    assert_int_equal(f.link.closes, 1);
    assert_int_equal(f.link.reason, FRAY_FLOODING);
    close_fixture(&f);
}

static void who_is_refused_is_closed(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        struct fixture f;
        open_fixture(&f, home, WEBSOCKET, true);
        assert_int_equal(f.link.closes, 0); /* the handshake's reply first */
        settle(&f);
        assert_int_equal(f.link.closes, 1);
        assert_int_equal(f.link.reason, FRAY_SERVER_DISCONNECTED);
        assert_true(f.link.flushes > 0);
        assert_int_equal(f.link.close_code, 1008);
        close_fixture(&f);
    }
}

static void ends_with_its_socket_and_the_other_way_round(void **state)
{
    (void)state;
    for (unsigned home = 0; home < 2; home++) {
        for (int over = WEBSOCKET; over <= ENGINEIO; over++) {
            struct fixture f;
            open_fixture(&f, home, (enum over)over, false);
            settle(&f);
            fray_socket_disconnect(f.socket, false);
            assert_string_equal(said(&f), "end: server namespace disconnect");
            assert_int_equal(f.link.closes, 1);
            close_fixture(&f);

            open_fixture(&f, home, (enum over)over, false);
            settle(&f);
            fray_link_end(&f.link.link, FRAY_TRANSPORT_ERROR);
            assert_string_equal(said(&f), "end: transport error");
            assert_int_equal(f.link.closes, 0);
            close_fixture(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes),
        cmocka_unit_test(messages_before_it_is_let_in_are_kept),
        cmocka_unit_test(not_without_bounds),
        cmocka_unit_test(who_is_refused_is_closed),
        cmocka_unit_test(ends_with_its_socket_and_the_other_way_round),
    };
    return cmocka_run_group_tests_name("bare", tests, NULL, NULL);
}
