/* Socket.IO sessions in two namespaces, of which "/chat" lives on another worker where a test says
 * so. */
#include "protocol/socketio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "session/session_fake.h"

enum { NAMESPACES = 4 };

static const char *const names[NAMESPACES] = {"/", "/chat", "/a", "/b"};

struct fixture {
    struct fake_worker workers[2];
    struct fray_worker *all[2];
    fray_namespace *namespaces[NAMESPACES];
    struct fray_engineio_config config;
    struct fray_socketio_config socketio;
    struct fake_link link;
    struct fray_session *session;
    struct fray_buf said;
    fray_socket *root, *chat; /* who connected last */
    bool ends_all; /* who leaves "/" takes the socket of "/chat" along, and the other way round */
};

static void say(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct fixture *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_buf_vprintf(&f->said, format, args);
    va_end(args);
    fray_buf_append_byte(&f->said, ';');
}

/* ------------------------------------------------------------------ the application */

static const char *name_of(const fray_socket *socket)
{
    return fray_namespace_name(fray_socket_namespace(socket));
}

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    const json_t *auth = fray_socket_auth(socket);
    if (json_is_true(json_object_get(auth, "end others")) && f->root)
        fray_socket_disconnect(f->root, true);
    return json_is_true(json_object_get(auth, "no")) ? FRAY_REJECT : FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    say(f, "connect %s", name_of(socket));
    *(!strcmp(name_of(socket), "/") ? &f->root : &f->chat) = socket;
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fixture *f = app;
    say(f, "disconnect %s: %s", name_of(socket), fray_disconnect_text(reason));
    if (socket == f->root)
        f->root = NULL;
    if (socket == f->chat)
        f->chat = NULL;
    if (f->ends_all && f->root)
        fray_socket_disconnect(f->root, true);
    if (f->ends_all && f->chat)
        fray_socket_disconnect(f->chat, true);
}

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    size_t len, attachment_len = 0;
    const char *text = fray_event_text(event, &len);
    fray_event_attachment(event, 0, &attachment_len);
    say(app, "%s %s(%.*s)+%zu", name_of(socket), fray_event_name(event), (int)len, text,
        attachment_len);
    if (fray_event_wants_ack(event))
        fray_ack(event, "s", "got it");
}

static void on_echo(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    fray_message *message = fray_message_from_event(event, NULL);
    fray_send(socket, message);
    fray_message_unref(message);
}

static void on_kick(fray_socket *socket, const fray_event *event, void *app)
{
    size_t len = 0;
    fray_socket_disconnect(socket, json_is_true(json_array_get(fray_event_args(event), 0)));
    /* What the event borrows is still there. */
    const char *attachment = fray_event_attachment(event, 0, &len);
    say(app, "kicked with %.*s", (int)len, attachment ? attachment : "");
}

static void on_reply(fray_socket *socket, enum fray_err err, const fray_event *reply, void *context)
{
    size_t len = 0;
    const char *text = reply ? fray_event_text(reply, &len) : "";
    (void)socket;
    say(context, "reply %s (%.*s)", fray_err_name(err), (int)len, text);
}

static fray_namespace *find_namespace(struct fray_socketio_config *config, struct fray_slice name)
{
    struct fixture *f = config->owner;
    for (int i = 0; i < NAMESPACES; i++) {
        if (fray_slice_equal(name, fray_slice_of(names[i])))
            return f->namespaces[i];
    }
    return NULL;
}

/* ------------------------------------------------------------------ worker, namespaces, session */

static void open_with(struct fixture *f, enum fray_framing framing, unsigned chat_home,
                      unsigned recovery_ms)
{
    const struct fray_app app = {
        .app = f,
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_message = on_message,
        .events = {{"echo", on_echo}, {"kick", on_kick}},
    };
    const struct fray_namespace_options options = {.max_rooms_per_socket = 8,
                                                   .recovery_max_disconnection_ms = recovery_ms,
                                                   .recovery_max_messages = 100};
    *f = (struct fixture){0};
    for (unsigned i = 0; i < 2; i++) {
        fake_worker_init(&f->workers[i], i);
        f->all[i] = &f->workers[i].base;
    }
    for (unsigned i = 0; i < NAMESPACES; i++) {
        struct fray_worker *home = f->all[i == 1 ? chat_home : 0];
        f->namespaces[i] =
            fray_namespace_create(&app, fray_slice_of(names[i]), &options, home, home);
        fray_namespace_set_workers(f->namespaces[i], f->all, 2);
    }
    f->socketio = (struct fray_socketio_config){
        .limits = FRAY_SOCKETIO_LIMITS_DEFAULT,
        .connect_timeout_ms = 45000,
        .max_namespaces = 3,
        .owner = f,
        .find_namespace = find_namespace,
    };
    f->config = (struct fray_engineio_config){
        .worker = f->all[0],
        .upper = &fray_socketio_upper,
        .upper_config = &f->socketio,
        .ping_interval_ms = 1000000,
        .ping_timeout_ms = 20000,
        .upgrade_timeout_ms = 10000,
        .max_payload = 1000000,
        .allow_upgrades = true,
    };
    fray_engineio_config_init(&f->config);
    fake_link_init(&f->link, framing);
    f->session = &fray_engineio_open(&f->config, &f->link.link, NULL)->session;
    fake_worker_turn(&f->workers[0]);
    fake_link_text(&f->link);
}

static void open_fixture(struct fixture *f)
{
    open_with(f, FRAY_FRAMING_WEBSOCKET, 0, 0);
}

static void settle(struct fixture *f)
{
    do {
        fake_worker_pump(&f->workers[0]);
        fake_worker_pump(&f->workers[1]);
    } while (f->workers[0].first_parcel);
}

static void drop(struct fixture *f)
{
    fray_link_end(&f->link.link, FRAY_TRANSPORT_CLOSE);
    settle(f);
}

static void close_fixture(struct fixture *f)
{
    drop(f);
    for (int i = 0; i < NAMESPACES; i++) {
        assert_int_equal(f->namespaces[i]->sockets.count, 0);
        fray_namespace_destroy(f->namespaces[i]);
    }
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

static void frame(struct fixture *f, struct fray_slice bytes, bool is_binary)
{
    struct fray_session *session = f->link.link.session;
    if (session && fray_session_admits(session))
        session->protocol->on_frame(session, &f->link.link, bytes, is_binary);
}

static void text(struct fixture *f, const char *packet)
{
    frame(f, fray_slice_of(packet), false);
}

static void binary(struct fixture *f, const char *bytes)
{
    frame(f, fray_slice_of(bytes), true);
}

static void connect_to_root(struct fixture *f)
{
    text(f, "40");
    assert_non_null(strstr(sent(f), "40{\"sid\":\""));
    assert_string_equal(said(f), "connect /;");
}

static void connect_to_both(struct fixture *f)
{
    connect_to_root(f);
    text(f, "40/chat,");
    assert_non_null(strstr(sent(f), "40/chat,{\"sid\":\""));
    assert_string_equal(said(f), "connect /chat;");
}

static void assert_failed(struct fixture *f)
{
    settle(f);
    assert_null(f->link.link.session);
    assert_int_equal(f->link.reason, FRAY_PARSE_ERROR);
    assert_int_equal(f->workers[0].base.counters.closed_parse_error, 1);
}

/* ------------------------------------------------------------------ connecting */

static void connects_to_namespaces(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_both(&f);
    char expected[200];
    snprintf(expected, sizeof expected, "42[\"hello\",1]\n42/chat,[\"hello\"]\n");
    fray_broadcast(f.namespaces[0], "hello", "i", 1);
    fray_broadcast(f.namespaces[1], "hello", NULL);
    assert_string_equal(sent(&f), expected);
    close_fixture(&f);
}

static void a_sid_is_no_ones_but_the_sockets(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    text(&f, "40{\"token\":\"x\"}");
    char expected[200];
    snprintf(expected, sizeof expected, "40{\"sid\":\"%s\"}\n", fray_socket_id(f.root));
    assert_string_equal(sent(&f), expected);
    assert_string_not_equal(fray_socket_id(f.root), ((struct fray_engineio *)f.session)->sid);
    close_fixture(&f);
}

static void refuses_namespaces(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    text(&f, "40/none,");
    assert_string_equal(sent(&f), "44/none,{\"message\":\"Invalid namespace\"}\n");
    text(&f, "40{\"no\":true}");
    assert_string_equal(sent(&f), "44{\"message\":\"Not authorized\"}\n");
    text(&f, "40"); /* it may try again */
    text(&f, "40/chat,");
    text(&f, "40/a,");
    sent(&f);
    text(&f, "40/b,");
    assert_string_equal(sent(&f), "44/b,{\"message\":\"Too many namespaces\"}\n");
    text(&f, "41/a,");
    text(&f, "40/b,");
    assert_non_null(strstr(sent(&f), "40/b,{\"sid\""));
    close_fixture(&f);
}

static void a_second_connect_is_an_error(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_root(&f);
    text(&f, "40");
    assert_failed(&f);
    assert_string_equal(said(&f), "disconnect /: parse error;");
    close_fixture(&f);

    open_with(&f, FRAY_FRAMING_WEBSOCKET, 1, 0);
    text(&f, "40/chat,");
    text(&f, "40/chat,"); /* while the first is on its way */
    assert_failed(&f);
    close_fixture(&f);
}

static void packets_before_connect_are_an_error(void **state)
{
    (void)state;
    static const char *const packets[] = {"42[\"move\"]", "41", "430[]", "42/chat,[\"move\"]",
                                          "44{}",         "4",  "4x",    "42[\"connect\"]"};
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct fixture f;
        open_fixture(&f);
        text(&f, packets[i]);
        assert_failed(&f);
        close_fixture(&f);
    }
    struct fixture f;
    open_with(&f, FRAY_FRAMING_WEBSOCKET, 1, 0);
    text(&f, "40/chat,");
    text(&f, "42/chat,[\"move\"]"); /* not yet let in */
    assert_failed(&f);
    close_fixture(&f);
}

static void has_connect_timeout_ms_to_get_in(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    fake_worker_advance(&f.workers[0], 20000);
    text(&f, "40/none,"); /* an attempt is not enough */
    fake_worker_advance(&f.workers[0], 24999);
    assert_non_null(f.link.link.session);
    sent(&f);
    fake_worker_advance(&f.workers[0], 1);
    assert_null(f.link.link.session);
    assert_int_equal(f.link.closes, 1);
    close_fixture(&f);

    open_fixture(&f);
    connect_to_root(&f);
    fake_worker_advance(&f.workers[0], 100000);
    assert_non_null(f.link.link.session);
    close_fixture(&f);

    /* A home that takes its time is not the client's fault. */
    open_with(&f, FRAY_FRAMING_WEBSOCKET, 1, 0);
    text(&f, "40/chat,");
    fake_worker_advance(&f.workers[0], 50000);
    assert_non_null(f.link.link.session);
    settle(&f);
    assert_string_equal(said(&f), "connect /chat;");
    fake_worker_advance(&f.workers[0], 100000);
    assert_non_null(f.link.link.session);
    close_fixture(&f);
}

static void keeps_the_timeout_where_handshakes_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.socketio.keep_handshake = true;
    connect_to_root(&f);
    fake_worker_advance(&f.workers[0], 100000);
    assert_non_null(f.link.link.session);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ events */

static void C02_events(void **state)
{
    (void)state;
    for (unsigned chat_home = 0; chat_home < 2; chat_home++) {
        struct fixture f;
        open_with(&f, FRAY_FRAMING_WEBSOCKET, chat_home, 0);
        connect_to_both(&f);
        text(&f, "42[\"move\",1,{\"a\":[]}]");
        text(&f, "42/chat,7[\"say\",\"hi\"]");
        text(&f, "42/chat,[\"\\u0073ay\"]"); /* an escaped name */
        text(&f, "42[\"echo\",1.5]");
        assert_string_equal(said(&f), "/ move(1,{\"a\":[]})+0;/chat say(\"hi\")+0;/chat say()+0;");
        const char *out = sent(&f);
        assert_non_null(strstr(out, "42[\"echo\",1.5]\n"));
        assert_non_null(strstr(out, "43/chat,7[\"got it\"]\n"));
        close_fixture(&f);
    }
}

static void C02_binary_event(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_root(&f);
    text(&f, "452-[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]");
    binary(&f, "abc");
    assert_string_equal(sent(&f), "");
    binary(&f, "");
    assert_string_equal(sent(&f), "452-[\"echo\",{\"_placeholder\":true,\"num\":0},"
                                  "{\"_placeholder\":true,\"num\":1}]\nb:abc\nb:\n");
    text(&f, "451-3[\"blob\",{\"_placeholder\":true,\"num\":0}]");
    binary(&f, "four");
    assert_string_equal(said(&f), "/ blob({\"_placeholder\":true,\"num\":0})+4;");
    assert_string_equal(sent(&f), "433[\"got it\"]\n");
    text(&f, "451-[\"blob\",{\"_placeholder\":true,\"num\":0}]");
    text(&f, "42[\"move\"]"); /* while an attachment is due */
    assert_failed(&f);
    close_fixture(&f);

    open_fixture(&f);
    connect_to_root(&f);
    binary(&f, "out of the blue");
    assert_failed(&f);
    close_fixture(&f);
}

static void C02_binary_event_over_polling(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, FRAY_FRAMING_POLLING, 0, 0);
    struct fray_engineio *engineio = (struct fray_engineio *)f.session;
    assert_int_equal(fray_engineio_receive(
                         engineio, FRAY_SLICE("40\x1e"
                                              "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1e"
                                              "bAQID\x1e"
                                              "42[\"echo\"]")),
                     FRAY_OK);
    fake_link_open_up(&f.link, SIZE_MAX);
    assert_non_null(strstr(sent(&f), "\"}|451-[\"echo\",{\"_placeholder\":true,\"num\":0}]|bAQID|"
                                     "42[\"echo\"]\n"));
    close_fixture(&f);
}

/* The event and its attachments are the assembler's, which goes with the session. */
static void a_handler_may_end_the_session_of_a_binary_event(void **state)
{
    (void)state;
    static const char *const packets[] = {
        "451-[\"kick\",true,{\"_placeholder\":true,\"num\":0}]",
        "451-[\"kick\",false,{\"_placeholder\":true,\"num\":0}]",
    };
    for (size_t i = 0; i < 2; i++) {
        struct fixture f;
        open_fixture(&f);
        connect_to_root(&f);
        text(&f, packets[i]);
        binary(&f, "blob");
        assert_string_equal(said(&f),
                            "disconnect /: server namespace disconnect;kicked with blob;");
        assert_string_equal(sent(&f), "41\n");
        assert_int_equal(f.link.closes, i == 0);
        close_fixture(&f);
    }
}

/* ------------------------------------------------------------------ acknowledgements */

static void C08_acknowledgements_both_ways(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_both(&f);
    fray_message *message = fray_message_create(f.namespaces[1], "ask", "i", 1);
    fray_send_ack(f.chat, message, 1000, on_reply, &f);
    fray_send_ack(f.chat, message, 1000, on_reply, &f);
    fray_send_ack(f.chat, message, 0, on_reply, &f);
    fray_send_ack(f.chat, message, 0, on_reply, &f);
    fray_message_unref(message);
    assert_string_equal(sent(&f), "42/chat,0[\"ask\",1]\n42/chat,1[\"ask\",1]\n"
                                  "42/chat,2[\"ask\",1]\n42/chat,3[\"ask\",1]\n");
    text(&f, "43/chat,1[\"b\",{}]");
    text(&f, "43/chat,1[\"again\"]");
    text(&f, "431[\"in another namespace\"]");
    text(&f, "43/chat,[\"to nothing\"]");
    text(&f, "461-/chat,2[{\"_placeholder\":true,\"num\":0}]");
    binary(&f, "x");
    assert_string_equal(said(&f),
                        "reply ok (\"b\",{});reply ok ({\"_placeholder\":true,\"num\":0});");
    fake_worker_advance(&f.workers[0], 1000);
    assert_string_equal(said(&f), "reply timeout ();");
    drop(&f);
    assert_non_null(strstr(said(&f), "reply closed ();"));
    close_fixture(&f);
}

/* ------------------------------------------------------------------ leaving */

static void the_client_leaves_a_namespace(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_both(&f);
    text(&f, "41/chat,");
    assert_string_equal(said(&f), "disconnect /chat: client namespace disconnect;");
    text(&f, "42[\"move\"]");
    assert_string_equal(said(&f), "/ move()+0;");
    text(&f, "40/chat,");
    assert_string_equal(said(&f), "connect /chat;");
    text(&f, "41/chat,");
    said(&f);
    text(&f, "42/chat,[\"move\"]");
    assert_failed(&f);
    assert_string_equal(said(&f), "disconnect /: parse error;");
    close_fixture(&f);
}

static void the_connection_closes(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, FRAY_FRAMING_WEBSOCKET, 1, 0);
    connect_to_both(&f);
    text(&f, "41");
    text(&f, "1"); /* Engine.IO's close: of the connection, not of a namespace */
    assert_string_equal(
        said(&f), "disconnect /: client namespace disconnect;disconnect /chat: transport close;");
    close_fixture(&f);
}

/* Packets that were on their way when the server ended the socket do not end the session. */
static void the_server_ends_a_socket(void **state)
{
    (void)state;
    for (unsigned chat_home = 0; chat_home < 2; chat_home++) {
        struct fixture f;
        open_with(&f, FRAY_FRAMING_WEBSOCKET, chat_home, 0);
        connect_to_both(&f);
        fray_emit(f.chat, "bye", NULL);
        fray_socket_disconnect(f.chat, false);
        assert_string_equal(sent(&f), "42/chat,[\"bye\"]\n41/chat,\n");
        assert_string_equal(said(&f), "disconnect /chat: server namespace disconnect;");
        text(&f, "42/chat,[\"move\"]");
        text(&f, "43/chat,0[]");
        text(&f, "451-/chat,[\"echo\",{\"_placeholder\":true,\"num\":0}]");
        binary(&f, "x");
        text(&f, "41/chat,");
        text(&f, "42[\"move\"]");
        assert_string_equal(said(&f), "/ move()+0;");
        text(&f, "40/chat,");
        assert_string_equal(said(&f), "connect /chat;");
        close_fixture(&f);
    }
}

/* A namespace that a pattern made goes with its last socket, and its name with it; the client's
 * packets may come later still. */
static void a_namespace_may_go_before_the_session(void **state)
{
    (void)state;
    for (unsigned chat_home = 0; chat_home < 2; chat_home++) {
        struct fixture f;
        open_with(&f, FRAY_FRAMING_WEBSOCKET, chat_home, 0);
        connect_to_both(&f);
        fray_socket_disconnect(f.chat, false);
        settle(&f);
        memset(f.namespaces[1]->name, '?', strlen(names[1])); /* as freed memory may look */
        text(&f, "42/chat,[\"move\"]");
        text(&f, "42[\"move\"]");
        assert_non_null(f.link.link.session);
        assert_string_equal(said(&f), "disconnect /chat: server namespace disconnect;/ move()+0;");
        close_fixture(&f);
    }
}

static void sockets_that_the_server_ended_make_room(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_root(&f);
    for (int i = 0; i < 12; i++) {
        char packet[20];
        snprintf(packet, sizeof packet, "40%s,", names[1 + i % 3]);
        text(&f, packet);
        assert_non_null(strstr(sent(&f), "{\"sid\""));
        fray_socket_disconnect(f.chat, false);
        sent(&f);
    }
    close_fixture(&f);
}

/* A client that is merely cut off comes back; one that is told does not. */
static void the_server_ends_the_session(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_both(&f);
    fray_emit(f.chat, "bye", NULL);
    fray_socket_disconnect(f.chat, true);
    assert_string_equal(said(&f), "disconnect /: server namespace disconnect;"
                                  "disconnect /chat: server namespace disconnect;");
    assert_string_equal(sent(&f), "42/chat,[\"bye\"]\n41/chat,\n41\n");
    assert_int_equal(f.link.closes, 1);
    assert_int_equal(f.link.reason, FRAY_SERVER_DISCONNECTED);
    close_fixture(&f);

    open_with(&f, FRAY_FRAMING_POLLING, 0, 0);
    struct fray_engineio *engineio = (struct fray_engineio *)f.session;
    assert_int_equal(fray_engineio_receive(engineio, FRAY_SLICE("40")), FRAY_OK);
    fray_socket_disconnect(f.root, true);
    fake_link_open_up(&f.link, SIZE_MAX);
    assert_non_null(strstr(sent(&f), "|41|1\n"));
    close_fixture(&f);
}

/* Each handler ends the other's socket, with its session, while that is ending. */
static void handlers_may_end_each_others_sockets(void **state)
{
    (void)state;
    for (unsigned chat_home = 0; chat_home < 2; chat_home++) {
        for (int how = 0; how < 4; how++) {
            struct fixture f;
            open_with(&f, FRAY_FRAMING_WEBSOCKET, chat_home, how % 2 ? 5000 : 0);
            connect_to_both(&f);
            f.ends_all = chat_home == 0; /* handlers of two threads do not meet */
            if (how < 2)
                fray_socket_disconnect(f.root, true);
            else
                drop(&f);
            settle(&f);
            const char *all = said(&f);
            assert_non_null(strstr(all, "disconnect /:"));
            assert_non_null(strstr(all, "disconnect /chat:"));
            close_fixture(&f);
        }
    }
}

/* on_authorize of one namespace ends the session over a socket of another. */
static void a_session_may_end_while_it_connects(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_to_root(&f);
    text(&f, "40/chat,{\"end others\":true}");
    assert_string_equal(said(&f), "disconnect /: server namespace disconnect;");
    assert_null(f.chat);
    close_fixture(&f);

    open_fixture(&f);
    connect_to_root(&f);
    text(&f, "40/chat,{\"end others\":true,\"no\":true}");
    assert_string_equal(said(&f), "disconnect /: server namespace disconnect;");
    close_fixture(&f);
}

/* ------------------------------------------------------------------ recovery */

static void C06_missed_events_are_replayed(void **state)
{
    (void)state;
    struct fixture f;
    open_with(&f, FRAY_FRAMING_WEBSOCKET, 0, 5000);
    text(&f, "40");
    const char *reply = sent(&f);
    const char *pid = strstr(reply, "\"pid\":\"");
    assert_non_null(pid);
    char packet[200], expected[200];
    snprintf(packet, sizeof packet, "40{\"pid\":\"%.20s\",\"offset\":\"1\"}", pid + 7);
    snprintf(expected, sizeof expected, "40{\"sid\":\"%s\",\"pid\":\"%.20s\"}\n42[\"b\",\"2\"]\n",
             fray_socket_id(f.root), pid + 7);
    fray_broadcast(f.namespaces[0], "a", NULL);
    assert_string_equal(sent(&f), "42[\"a\",\"1\"]\n");
    drop(&f);
    fray_broadcast(f.namespaces[0], "b", NULL);
    struct fake_link former = f.link;
    fake_link_init(&f.link, FRAY_FRAMING_WEBSOCKET);
    f.session = &fray_engineio_open(&f.config, &f.link.link, NULL)->session;
    sent(&f);
    text(&f, packet);
    assert_string_equal(sent(&f), expected);
    fake_link_deinit(&former);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_to_namespaces),
        cmocka_unit_test(a_sid_is_no_ones_but_the_sockets),
        cmocka_unit_test(refuses_namespaces),
        cmocka_unit_test(a_second_connect_is_an_error),
        cmocka_unit_test(packets_before_connect_are_an_error),
        cmocka_unit_test(has_connect_timeout_ms_to_get_in),
        cmocka_unit_test(keeps_the_timeout_where_handshakes_are_kept),
        cmocka_unit_test(C02_events),
        cmocka_unit_test(C02_binary_event),
        cmocka_unit_test(C02_binary_event_over_polling),
        cmocka_unit_test(a_handler_may_end_the_session_of_a_binary_event),
        cmocka_unit_test(C08_acknowledgements_both_ways),
        cmocka_unit_test(the_client_leaves_a_namespace),
        cmocka_unit_test(the_connection_closes),
        cmocka_unit_test(the_server_ends_a_socket),
        cmocka_unit_test(a_namespace_may_go_before_the_session),
        cmocka_unit_test(sockets_that_the_server_ended_make_room),
        cmocka_unit_test(the_server_ends_the_session),
        cmocka_unit_test(handlers_may_end_each_others_sockets),
        cmocka_unit_test(a_session_may_end_while_it_connects),
        cmocka_unit_test(C06_missed_events_are_replayed),
    };
    return cmocka_run_group_tests_name("socketio", tests, NULL, NULL);
}
