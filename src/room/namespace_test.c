/* A namespace and its sockets, each test with clients on the home worker and on another. */
#include "room/namespace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "room/room_fake.h"

enum { CLIENTS = 3 };

struct fixture {
    struct fake_house house; /* first: the handlers' `app` */
    struct fake_client clients[CLIENTS];
    fray_socket *sockets[CLIENTS]; /* by client, in the order of connecting */
    unsigned connected;
    uint64_t ack_id; /* that "ack_later" wants to be answered */
    struct fake_worker *place;
};

static void say(void *app, const char *what)
{
    struct fray_buf *said = &((struct fake_house *)app)->said;
    if (said->len)
        fray_buf_append_byte(said, ' ');
    fray_buf_append_slice(said, fray_slice_of(what));
}

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    const json_t *auth = fray_socket_auth(socket);
    say(app, "authorize");
    assert_int_equal(fray_emit(socket, "too early", NULL), FRAY_DROPPED);
    assert_int_equal(fray_socket_join(socket, "lobby"), FRAY_OK);
    if (!json_is_true(json_object_get(auth, "no")))
        return FRAY_ACCEPT;
    fray_socket_reject_reason(socket, "forgotten", json_integer(1));
    fray_socket_reject_reason(socket, "not you", json_pack("{s:i}", "code", 7));
    return FRAY_REJECT;
}

static void on_connect(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    f->sockets[f->connected++ % CLIENTS] = socket;
    say(app, "connect");
    if (json_is_true(json_object_get(fray_socket_auth(socket), "bounce")))
        fray_socket_disconnect(socket, false);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    say(app, "disconnect:");
    say(app, fray_disconnect_text(reason));
    assert_null(fray_namespace_find(fray_socket_namespace(socket), fray_socket_id(socket)));
    fray_socket_disconnect(socket, true); /* it is ending already */
    assert_int_equal(fray_emit(socket, "too late", NULL), FRAY_DROPPED);
}

static void on_forget(void *data, void *app)
{
    (void)data;
    say(app, "forget");
}

static void on_drained(fray_socket *socket, void *app)
{
    (void)socket;
    say(app, "drained");
}

static void on_echo(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    fray_message *message = fray_message_from_event(event, NULL);
    fray_send(socket, message);
    fray_message_unref(message);
}

static void on_room(fray_socket *socket, const fray_event *event, void *app)
{
    const char *action, *room;
    (void)app;
    if (fray_event_unpack(event, "ss", &action, &room))
        return;
    if (!strcmp(action, "join"))
        assert_int_equal(fray_socket_join(socket, room), FRAY_OK);
    else
        fray_socket_leave(socket, room);
}

static void on_kick(fray_socket *socket, const fray_event *event, void *app)
{
    int close_session;
    (void)app;
    if (fray_event_unpack(event, "b", &close_session))
        return;
    fray_socket_disconnect(socket, close_session);
    assert_int_equal(fray_ack(event, "s", "too late"), FRAY_DROPPED);
}

static void on_ask(fray_socket *socket, const fray_event *event, void *app)
{
    struct fixture *f = app;
    assert_true(fray_event_wants_ack(event));
    f->ack_id = fray_event_ack_id(event);
    if (json_array_size(fray_event_args(event))) /* later */
        return;
    assert_int_equal(fray_ack(event, "i", 1), FRAY_SENT);
    assert_false(fray_event_wants_ack(event));
    assert_int_equal(fray_ack(event, "i", 2), FRAY_DROPPED);
    (void)socket;
}

static void on_other(fray_socket *socket, const fray_event *event, void *app)
{
    size_t len;
    const char *text = fray_event_text(event, &len);
    char whole[100];
    (void)socket;
    snprintf(whole, sizeof whole, "%s(%.*s)", fray_event_name(event), (int)len, text);
    say(app, whole);
}

static const struct fray_namespace_options options = {.max_rooms_per_socket = 4};

static void open_fixture(struct fixture *f, int place)
{
    *f = (struct fixture){0};
    struct fray_app app = {
        .socket_data_size = 64,
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_forget = on_forget,
        .on_drained = on_drained,
        .on_message = on_other,
        .events = {{"echo", on_echo}, {"room", on_room}, {"kick", on_kick}, {"ask", on_ask}},
    };
    fake_house_init(&f->house, &app, &options);
    f->place = &f->house.workers[place];
    for (int i = 0; i < CLIENTS; i++)
        fake_client_open(&f->clients[i], f->place);
}

static void connect_all(struct fixture *f)
{
    for (int i = 0; i < CLIENTS; i++)
        fake_client_connect(&f->clients[i], f->house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f->house);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(f->clients[i].accepted, 1);
    fake_house_said(&f->house);
}

static void close_fixture(struct fixture *f)
{
    for (int i = 0; i < CLIENTS; i++)
        fake_client_deinit(&f->clients[i]);
    fake_house_deinit(&f->house);
}

static const char *said(struct fixture *f)
{
    fake_house_settle(&f->house);
    return fake_house_said(&f->house);
}

static const char *heard(struct fixture *f, int i)
{
    fake_house_settle(&f->house);
    return fake_link_text(&f->clients[i].link);
}

/* ------------------------------------------------------------------ coming and going */

static void connects_and_leaves(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fake_client_connect(&f.clients[0], f.house.nsp, "{\"no\":false}", NULL, NULL);
    assert_string_equal(said(&f), "authorize connect");
    assert_int_equal(f.clients[0].accepted, 1);
    assert_string_equal(f.clients[0].pid, "");
    assert_string_equal(f.clients[0].id, fray_socket_id(f.sockets[0]));
    assert_ptr_equal(fray_namespace_find(f.house.nsp, f.clients[0].id), f.sockets[0]);
    assert_null(fray_namespace_find(f.house.nsp, "nobody"));
    assert_int_equal(fray_namespace_sockets(f.house.nsp), 1);
    assert_null(fray_socket_auth(f.sockets[0])); /* not kept */
    fray_member_end(&f.clients[0].party->member, FRAY_CLIENT_LEFT);
    fray_member_end(&f.clients[0].party->member, FRAY_CLIENT_LEFT);
    assert_string_equal(said(&f), "disconnect: client namespace disconnect forget");
    assert_int_equal(fray_namespace_sockets(f.house.nsp), 0);
    fake_client_connect(&f.clients[0], f.house.nsp, NULL, NULL, NULL); /* again */
    assert_string_equal(said(&f), "authorize connect");
    fake_client_drop(&f.clients[0]);
    assert_string_equal(said(&f), "disconnect: transport close forget");
    close_fixture(&f);
}

static void refuses_with_a_reason(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fake_client_connect(&f.clients[0], f.house.nsp, "{\"no\":true}", NULL, NULL);
    assert_string_equal(said(&f), "authorize forget");
    assert_int_equal(f.clients[0].accepted, 0);
    assert_int_equal(f.clients[0].rejected, 1);
    assert_string_equal(f.clients[0].error, "{\"message\":\"not you\",\"data\":{\"code\":7}}");
    assert_int_equal(fray_namespace_sockets(f.house.nsp), 0);
    assert_int_equal(fray_room_size(f.house.nsp, "lobby"), 0);
    close_fixture(&f);
}

static void may_be_disconnected_in_on_connect(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fake_client_connect(&f.clients[0], f.house.nsp, "{\"bounce\":true}", NULL, NULL);
    assert_string_equal(said(&f),
                        "authorize connect disconnect: server namespace disconnect forget");
    assert_int_equal(f.clients[0].accepted, 1);
    assert_int_equal(f.clients[0].disconnected, 1);
    close_fixture(&f);
}

static void a_handler_may_disconnect(int place)
{
    for (int close_session = 0; close_session < 2; close_session++) {
        struct fixture f;
        open_fixture(&f, place);
        connect_all(&f);
        fake_client_send(&f.clients[0], "kick", close_session ? "true" : "false", 5);
        assert_string_equal(said(&f), "disconnect: server namespace disconnect forget");
        assert_int_equal(f.clients[0].disconnected, 1);
        assert_int_equal(f.clients[0].party == NULL, close_session);
        assert_string_equal(heard(&f, 0), "");
        close_fixture(&f);
    }
}

static void disconnect_visited(fray_socket *socket, void *context)
{
    unsigned *visited = context;
    ++*visited;
    fray_socket_disconnect(socket, *visited % 2);
}

static void visits_each(int place)
{
    struct fixture f;
    unsigned visited = 0;
    open_fixture(&f, place);
    connect_all(&f);
    fray_socket_join(f.sockets[1], "red");
    fray_namespace_each(f.house.nsp, "red", disconnect_visited, &visited);
    assert_int_equal(visited, 1);
    fray_namespace_each(f.house.nsp, "none", disconnect_visited, &visited);
    assert_int_equal(visited, 1);
    fray_namespace_each(f.house.nsp, NULL, disconnect_visited, &visited);
    assert_int_equal(visited, 3);
    assert_int_equal(fray_namespace_sockets(f.house.nsp), 0);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ sending */

static void emits_and_broadcasts(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    assert_int_equal(fray_emit(f.sockets[0], "one", "i,{s:s}", 1, "a", "\"x\""), FRAY_SENT);
    assert_int_equal(fray_broadcast(f.house.nsp, "all", NULL), FRAY_SENT);
    assert_int_equal(fray_broadcast_except(f.sockets[0], "others", ""), FRAY_SENT);
    assert_int_equal(fray_emit_to(f.house.nsp, "red", "nobody", "i", 1), FRAY_DROPPED);
    fray_message *text = fray_message_from_text(f.house.nsp, "text", "1,[2]", 5);
    assert_int_equal(fray_send(f.sockets[2], text), FRAY_SENT);
    assert_int_equal(fray_send(f.sockets[2], text), FRAY_SENT);
    fray_message_unref(text);
    assert_string_equal(heard(&f, 0), "one(1,{\"a\":\"\\\"x\\\"\"})\nall()\n");
    assert_string_equal(heard(&f, 1), "all()\nothers()\n");
    assert_string_equal(heard(&f, 2), "all()\nothers()\ntext(1,[2])\ntext(1,[2])\n");
    close_fixture(&f);
}

static void keeps_joins_and_broadcasts_in_order(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fray_namespace *nsp = f.house.nsp;
    assert_int_equal(fray_socket_join(f.sockets[0], "red"), FRAY_OK);
    fray_emit_to(nsp, "red", "a", NULL);
    assert_int_equal(fray_socket_join(f.sockets[1], "red"), FRAY_OK);
    assert_int_equal(fray_socket_join(f.sockets[1], "red"), FRAY_OK);
    fray_emit_to(nsp, "red", "b", NULL);
    fray_socket_leave(f.sockets[0], "red");
    fray_socket_leave(f.sockets[0], "red");
    fray_emit_to(nsp, "red", "c", NULL);
    fray_socket_disconnect(f.sockets[1], false);
    assert_int_equal(fray_emit_to(nsp, "red", "d", NULL), FRAY_DROPPED);
    assert_string_equal(heard(&f, 0), "a()\nb()\n");
    assert_string_equal(heard(&f, 1), "b()\nc()\n");
    assert_string_equal(heard(&f, 2), "");
    close_fixture(&f);
}

static void targets_rooms_and_excepts(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fray_namespace *nsp = f.house.nsp;
    fray_socket_join(f.sockets[0], "red");
    fray_socket_join(f.sockets[0], "blue");
    fray_socket_join(f.sockets[1], "blue");
    fray_socket_join(f.sockets[2], "blue");
    fray_socket_join(f.sockets[2], "mute");
    fray_message *message = fray_message_create(nsp, "x", "i", 1);
    assert_int_equal(fray_send_to(nsp, message,
                                  &(struct fray_target){.rooms = {"red", "blue"},
                                                        .except_rooms = {"mute"},
                                                        .except = f.sockets[1]}),
                     FRAY_SENT);
    assert_string_equal(heard(&f, 0), "x(1)\n");
    assert_string_equal(heard(&f, 1), "");
    assert_string_equal(heard(&f, 2), "");
    assert_int_equal(fray_send_to(nsp, message, NULL), FRAY_SENT); /* the whole namespace */
    for (int i = 0; i < 3; i++)
        assert_string_equal(heard(&f, i), "x(1)\n");
    fray_message_unref(message);
    close_fixture(&f);
}

static void bounds_rooms_and_forgets_them(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fray_socket *socket = f.sockets[0];
    assert_true(fray_socket_in(socket, "lobby")); /* from on_authorize */
    assert_int_equal(fray_room_size(f.house.nsp, "lobby"), 3);
    assert_int_equal(fray_socket_join(socket, ""), FRAY_OK);
    assert_int_equal(fray_socket_join(socket, "two"), FRAY_OK);
    assert_int_equal(fray_socket_join(socket, "three"), FRAY_OK);
    assert_int_equal(fray_socket_join(socket, "four"), FRAY_ERR_LIMIT);
    assert_int_equal(fray_socket_join(socket, "two"), FRAY_OK);
    assert_int_equal(f.house.nsp->rooms.count, 4);
    fray_socket_leave(socket, "two");
    assert_false(fray_socket_in(socket, "two"));
    assert_int_equal(fray_room_size(f.house.nsp, "two"), 0);
    assert_int_equal(fray_socket_join(socket, "four"), FRAY_OK);
    fake_client_drop(&f.clients[0]);
    fake_house_settle(&f.house);
    assert_int_equal(fray_room_size(f.house.nsp, "lobby"), 2);
    assert_int_equal(f.house.nsp->rooms.count, 1);
    close_fixture(&f);
}

static void attachments_travel(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fray_message *message =
        fray_message_create(f.house.nsp, "bin", "oo", fray_attachment(0), fray_attachment(1));
    fray_message_attach(message, "abc", 3);
    fray_message_attach(message, "", 0);
    fray_send(f.sockets[0], message);
    fray_message_unref(message);
    assert_string_equal(heard(&f, 0), "bin({\"_placeholder\":true,\"num\":0},"
                                      "{\"_placeholder\":true,\"num\":1})+2\n");
    struct fray_slice attachment = FRAY_SLICE("\1\2\3");
    fray_member_event(&f.clients[1].party->member,
                      &(struct fray_incoming){
                          .name = FRAY_SLICE("echo"),
                          .args = FRAY_SLICE("{\"_placeholder\":true,\"num\":0}"),
                          .attachments = &attachment,
                          .attachments_count = 1,
                          .ack_id = FRAY_ACK_NONE,
                      });
    assert_string_equal(heard(&f, 1), "echo({\"_placeholder\":true,\"num\":0})+1\n");
    close_fixture(&f);
}

/* ------------------------------------------------------------------ events */

static void hands_events_to_their_handlers(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fake_client_send(&f.clients[0], "room", "\"join\",\"red\"", FRAY_ACK_NONE);
    fake_client_send(&f.clients[0], "what", "1,{\"a\":[]}", FRAY_ACK_NONE);
    assert_string_equal(said(&f), "what(1,{\"a\":[]})");
    assert_int_equal(fray_room_size(f.house.nsp, "red"), 1);
    fake_client_send(&f.clients[0], "room", "1,2", FRAY_ACK_NONE);
    const char *complaint = heard(&f, 0);
    assert_non_null(strstr(complaint, "error({\"code\":\"wrong_shape\",\"event\":\"room\""));
    assert_int_equal(f.house.workers[0].base.counters.events_wrong_shape, 1);
    fake_client_send(&f.clients[0], "room", "", FRAY_ACK_NONE); /* too few */
    assert_non_null(strstr(heard(&f, 0), "wrong_shape"));
    close_fixture(&f);
}

static void acknowledges_once(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fake_client_send(&f.clients[0], "ask", "", 0);
    assert_string_equal(heard(&f, 0), "ack 0(1)\n");
    fake_client_send(&f.clients[1], "ask", "\"later\"", 9007199254740991 >> 30);
    assert_string_equal(heard(&f, 1), "");
    assert_int_equal(fray_ack_later(f.sockets[1], f.ack_id, "s", "now"), FRAY_SENT);
    assert_string_equal(heard(&f, 1), "ack 8388607(\"now\")\n");
    fake_client_send(&f.clients[1], "what", "", FRAY_ACK_NONE);
    close_fixture(&f);
}

static void on_state(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    for (int i = 1; i <= 2; i++) {
        fray_message *state = fray_message_create(fray_socket_namespace(socket), "state", "i", i);
        fray_message_class(state, FRAY_LATEST, NULL);
        fray_send(socket, state);
        if (i == 1)
            fray_ack_message(event, state);
        fray_message_unref(state);
    }
}

static void an_answer_is_not_replaced_by_what_is_newer(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    f.house.nsp->app.on_message = on_state;
    connect_all(&f);
    fake_client_send(&f.clients[0], "state", "", 3);
    assert_string_equal(heard(&f, 0), "state(2)\nack 3(1)\n");
    close_fixture(&f);
}

static void on_unwanted(fray_socket *socket, const fray_event *event, void *app)
{
    assert_false(fray_event_wants_ack(event));
    assert_int_equal(fray_ack(event, "i", 1), FRAY_DROPPED);
    assert_int_equal(fray_ack_later(socket, fray_event_ack_id(event), "i", 1), FRAY_DROPPED);
    fray_message *message = fray_message_from_event(event, "other");
    assert_int_equal(fray_ack_message(event, message), FRAY_DROPPED);
    fray_send(socket, message);
    fray_message_unref(message);
    assert_int_equal(fray_event_unpack(event, NULL), FRAY_OK);
    say(app, "unwanted");
}

static void an_ack_that_nobody_asked_for_is_not_sent(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    f.house.nsp->app.on_message = on_unwanted;
    connect_all(&f);
    fake_client_send(&f.clients[0], "what", "1", FRAY_ACK_NONE);
    assert_string_equal(said(&f), "unwanted");
    assert_string_equal(heard(&f, 0), "other(1)\n");
    close_fixture(&f);
}

/* ------------------------------------------------------------------ asking for acknowledgements */

static void on_reply(fray_socket *socket, enum fray_err err, const fray_event *reply, void *context)
{
    struct fixture *f = context;
    say(f, fray_err_name(err));
    assert_int_equal(reply == NULL, err != FRAY_OK);
    assert_non_null(fray_socket_id(socket));
    if (err == FRAY_ERR_CLOSED) { /* who asks again in vain must not ask for ever */
        fray_message *again = fray_message_create(fray_socket_namespace(socket), "ask", NULL);
        assert_int_equal(fray_send_ack(socket, again, 0, on_reply, context), FRAY_DROPPED);
        fray_message_unref(again);
    }
    int number;
    if (reply) {
        assert_int_equal(fray_event_unpack(reply, "i", &number), FRAY_OK);
        assert_int_equal(number, 7);
        assert_int_equal(fray_ack(reply, "i", 1), FRAY_DROPPED);
    }
}

static void ask(struct fixture *f, int i, unsigned timeout_ms)
{
    fray_message *message = fray_message_create(f->house.nsp, "ask", NULL);
    assert_int_equal(fray_send_ack(f->sockets[i], message, timeout_ms, on_reply, f), FRAY_SENT);
    fray_message_unref(message);
}

static void asks_and_is_answered(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    ask(&f, 0, 1000);
    ask(&f, 0, 0);
    ask(&f, 1, 0);
    assert_string_equal(heard(&f, 0), "ask()?0\nask()?1\n");
    assert_string_equal(heard(&f, 1), "ask()?0\n");
    fake_client_ack(&f.clients[0], 1, "7");
    assert_string_equal(said(&f), "ok");
    fake_client_ack(&f.clients[0], 1, "7"); /* again */
    fake_client_ack(&f.clients[0], 99, "7");
    fake_client_ack(&f.clients[0], -5, "7");
    assert_string_equal(said(&f), "");
    fake_house_advance(&f.house, 1000);
    assert_string_equal(said(&f), "timeout");
    fake_client_ack(&f.clients[0], 0, "7"); /* late */
    assert_string_equal(said(&f), "");
    assert_int_equal(f.house.workers[0].base.counters.acks_timed_out, 1);
    close_fixture(&f);
}

/* The callback is given the socket, so it comes before user data goes. */
static void who_leaves_answers_no_more(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    ask(&f, 0, 1000);
    ask(&f, 0, 0);
    fake_house_settle(&f.house);
    fake_client_drop(&f.clients[0]);
    assert_string_equal(said(&f), "closed closed disconnect: transport close forget");
    fake_house_advance(&f.house, 2000);
    assert_string_equal(said(&f), "");
    fray_message *message = fray_message_create(f.house.nsp, "ask", NULL);
    fray_socket_disconnect(f.sockets[1], false);
    assert_int_equal(fray_send_ack(f.sockets[1], message, 0, on_reply, &f), FRAY_DROPPED);
    fray_message_unref(message);
    close_fixture(&f);
}

static void kick_on_reply(fray_socket *socket, enum fray_err err, const fray_event *reply,
                          void *context)
{
    (void)reply;
    say(context, fray_err_name(err));
    fray_socket_disconnect(socket, true);
}

static void an_ack_callback_may_disconnect(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    fray_message *message = fray_message_create(f.house.nsp, "ask", NULL);
    fray_send_ack(f.sockets[0], message, 1000, kick_on_reply, &f);
    fray_send_ack(f.sockets[0], message, 1000, kick_on_reply, &f);
    fray_message_unref(message);
    fake_house_advance(&f.house, 1000);
    assert_string_equal(said(&f), "timeout closed disconnect: server namespace disconnect forget");
    close_fixture(&f);
}

/* ------------------------------------------------------------------ pressure */

static void tells_when_all_is_written(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    connect_all(&f);
    f.clients[0].link.link.is_writable = false;
    /* From another worker the first answer is a guess; the next knows. */
    assert_int_equal(fray_emit(f.sockets[0], "a", NULL), place ? FRAY_SENT : FRAY_QUEUED);
    fake_house_settle(&f.house);
    assert_int_equal(fray_emit(f.sockets[0], "b", NULL), FRAY_QUEUED);
    fake_house_settle(&f.house);
    assert_string_equal(said(&f), "");
    fake_link_open_up(&f.clients[0].link, SIZE_MAX);
    assert_string_equal(said(&f), "drained");
    assert_string_equal(heard(&f, 0), "a()\nb()\n");
    assert_int_equal(fray_emit(f.sockets[0], "c", NULL), FRAY_SENT);
    assert_string_equal(said(&f), "");
    close_fixture(&f);
}

/* ------------------------------------------------------------------ timers */

struct ticking {
    fray_timer_handle *timer;
    unsigned expired, stop_at;
};

static void on_tick(fray_namespace *nsp, void *context)
{
    struct ticking *ticking = context;
    assert_non_null(nsp);
    if (++ticking->expired == ticking->stop_at)
        fray_timer_stop(ticking->timer);
}

static void timers_repeat_and_stop(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    struct ticking once = {.stop_at = 1}, often = {.stop_at = 3}, never = {0}, left = {0};
    once.timer = fray_timer_start(f.house.nsp, 5, 0, on_tick, &once);
    often.timer = fray_timer_start(f.house.nsp, 0, 10, on_tick, &often);
    never.timer = fray_timer_start(f.house.nsp, 5, 5, on_tick, &never);
    left.timer = fray_timer_start(f.house.nsp, 100000, 0, on_tick, &left); /* destroyed with it */
    fray_timer_stop(never.timer);
    for (int i = 0; i < 50; i++)
        fake_house_advance(&f.house, 1);
    assert_int_equal(once.expired, 1);
    assert_int_equal(often.expired, 3);
    assert_int_equal(never.expired, 0);
    close_fixture(&f);
}

static void a_timer_does_not_catch_up(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    struct ticking ticking = {0};
    ticking.timer = fray_timer_start(f.house.nsp, 10, 10, on_tick, &ticking);
    fake_house_advance(&f.house, 10);
    fake_house_advance(&f.house, 1000); /* a stall */
    unsigned expired = ticking.expired;
    assert_in_range(expired, 2, 3);
    fake_house_advance(&f.house, 9);
    assert_int_equal(ticking.expired, expired);
    fake_house_advance(&f.house, 1);
    assert_int_equal(ticking.expired, expired + 1);
    close_fixture(&f);
}

/* ------------------------------------------------------------------ */

#define BOTH(test)                                                                                 \
    static void test##_here(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        test(0);                                                                                   \
    }                                                                                              \
    static void test##_afar(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        test(1);                                                                                   \
    }
#define TESTS(X)                                                                                   \
    X(connects_and_leaves)                                                                         \
    X(refuses_with_a_reason)                                                                       \
    X(may_be_disconnected_in_on_connect)                                                           \
    X(a_handler_may_disconnect)                                                                    \
    X(visits_each)                                                                                 \
    X(emits_and_broadcasts)                                                                        \
    X(keeps_joins_and_broadcasts_in_order)                                                         \
    X(targets_rooms_and_excepts)                                                                   \
    X(bounds_rooms_and_forgets_them)                                                               \
    X(attachments_travel)                                                                          \
    X(hands_events_to_their_handlers)                                                              \
    X(acknowledges_once)                                                                           \
    X(an_answer_is_not_replaced_by_what_is_newer)                                                  \
    X(an_ack_that_nobody_asked_for_is_not_sent)                                                    \
    X(asks_and_is_answered)                                                                        \
    X(who_leaves_answers_no_more)                                                                  \
    X(an_ack_callback_may_disconnect)                                                              \
    X(tells_when_all_is_written)                                                                   \
    X(timers_repeat_and_stop)                                                                      \
    X(a_timer_does_not_catch_up)
TESTS(BOTH)

#define LISTED(test) cmocka_unit_test(test##_here), cmocka_unit_test(test##_afar),

int main(void)
{
    const struct CMUnitTest tests[] = {TESTS(LISTED)};
    return cmocka_run_group_tests_name("namespace", tests, NULL, NULL);
}
