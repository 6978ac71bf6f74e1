/* The two halves of a socket on two workers, parcels arriving when the test says so: whatever
 * either side does while something is on its way, both end up agreeing, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "room/room_fake.h"

enum { HOME = 0, AWAY = 1 };

struct fixture {
    struct fake_house house; /* first: the handlers' `app` */
    struct fake_client client;
    fray_socket *socket;
    int connects, disconnects, events;
    enum fray_disconnect reason;
};

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    (void)app;
    return fray_socket_auth(socket) ? FRAY_REJECT : FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    f->socket = socket;
    f->connects++;
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fixture *f = app;
    /* Who goes before its accept arrives, and comes again, may be there twice for a while. */
    if (socket == f->socket)
        f->socket = NULL;
    f->disconnects++;
    f->reason = reason;
}

static void on_message(fray_socket *socket, const fray_event *event, void *app)
{
    struct fixture *f = app;
    assert_non_null(fray_socket_id(socket));
    assert_non_null(fray_event_name(event));
    f->events++;
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){0};
    struct fray_app app = {
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_message = on_message,
    };
    fake_house_init(&f->house, &app, &(struct fray_namespace_options){.max_rooms_per_socket = 4});
    fake_client_open(&f->client, &f->house.workers[AWAY]);
}

static void connect_client(struct fixture *f)
{
    fake_client_connect(&f->client, f->house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f->house);
    assert_int_equal(f->client.accepted, 1);
}

static void close_fixture(struct fixture *f)
{
    fake_client_deinit(&f->client);
    fake_house_settle(&f->house);
    assert_int_equal(f->connects, f->disconnects);
    assert_null(f->socket);
    assert_int_equal(f->house.nsp->sockets.count, 0);
    fake_house_deinit(&f->house);
}

static void gone_before_home_hears_of_it(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    fake_client_connect(&f.client, f.house.nsp, NULL, NULL, NULL);
    fake_client_drop(&f.client);
    fake_worker_turn(&f.house.workers[AWAY]);
    assert_int_equal(f.connects, 0);
    fake_house_settle(&f.house);
    assert_int_equal(f.connects, 1);
    assert_int_equal(f.disconnects, 1);
    assert_int_equal(f.client.accepted, 0);
    close_fixture(&f);
}

static void gone_while_the_accept_is_on_its_way(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    fake_client_connect(&f.client, f.house.nsp, NULL, NULL, NULL);
    fake_worker_pump(&f.house.workers[HOME]);
    assert_int_equal(f.connects, 1);
    fray_socket_join(f.socket, "red");
    fray_emit(f.socket, "welcome", NULL);
    fray_broadcast(f.house.nsp, "news", NULL);
    fake_client_drop(&f.client);
    fake_house_settle(&f.house);
    assert_int_equal(f.disconnects, 1);
    assert_string_equal(fake_link_text(&f.client.link), "");
    close_fixture(&f);
}

static void gone_while_the_refusal_is_on_its_way(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    fake_client_connect(&f.client, f.house.nsp, "{}", NULL, NULL);
    fake_worker_pump(&f.house.workers[HOME]);
    fake_client_drop(&f.client);
    fake_house_settle(&f.house);
    assert_int_equal(f.client.rejected, 0);
    close_fixture(&f);
}

static void kicked_before_the_accept_arrives(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    fake_client_connect(&f.client, f.house.nsp, NULL, NULL, NULL);
    fake_worker_pump(&f.house.workers[HOME]);
    fray_emit(f.socket, "bye", NULL);
    fray_socket_disconnect(f.socket, false);
    fake_house_settle(&f.house);
    assert_int_equal(f.client.accepted, 1);
    assert_int_equal(f.client.disconnected, 1);
    assert_string_equal(fake_link_text(&f.client.link), "bye()\n");
    close_fixture(&f);
}

static void kicked_while_an_event_is_on_its_way(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_client(&f);
    fake_client_send(&f.client, "move", "1", 3);
    fake_client_ack(&f.client, 0, "1");
    fray_socket_disconnect(f.socket, true);
    fake_house_settle(&f.house);
    assert_int_equal(f.events, 0);
    assert_int_equal(f.client.disconnected, 1);
    assert_true(f.client.was_told_to_close);
    close_fixture(&f);
}

static void both_sides_leave_at_once(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_client(&f);
    fray_socket_disconnect(f.socket, false);
    fake_client_drop(&f.client);
    fake_house_settle(&f.house);
    assert_int_equal(f.disconnects, 1);
    assert_int_equal(f.reason, FRAY_SERVER_DISCONNECTED);
    assert_int_equal(f.client.disconnected, 0);
    close_fixture(&f);
}

static void events_arrive_before_the_end(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_client(&f);
    fake_client_send(&f.client, "a", "1", FRAY_ACK_NONE);
    fake_client_send(&f.client, "b", "2", FRAY_ACK_NONE);
    fake_client_drop(&f.client);
    assert_true(fake_worker_run_parcel(&f.house.workers[HOME]));
    assert_int_equal(f.events, 1);
    fake_house_settle(&f.house);
    assert_int_equal(f.events, 2);
    assert_int_equal(f.disconnects, 1);
    close_fixture(&f);
}

/* Whatever home says after a member left finds nobody, and not who came in its place either. */
static void orders_do_not_reach_a_successor(void **state)
{
    (void)state;
    struct fixture f;
    struct fake_client successor;
    open_fixture(&f);
    connect_client(&f);
    fray_socket *former = f.socket;
    fray_socket_join(former, "red");
    fray_emit(former, "secret", NULL);
    fray_socket_disconnect(former, true);
    fake_client_drop(&f.client); /* its place among the members is free again */
    fake_client_open(&successor, &f.house.workers[AWAY]);
    fake_client_connect(&successor, f.house.nsp, NULL, NULL, NULL);
    assert_int_equal(successor.party->member.handle.index, 0);
    fake_house_settle(&f.house);
    assert_int_equal(successor.accepted, 1);
    assert_int_equal(successor.disconnected, 0);
    assert_string_equal(fake_link_text(&successor.link), "");
    assert_false(fray_member_in(&successor.party->member, FRAY_SLICE("red")));
    fake_client_deinit(&successor);
    close_fixture(&f);
}

static void a_broadcast_crosses_once_per_worker(void **state)
{
    (void)state;
    enum { OTHERS = 5 };
    struct fixture f;
    struct fake_client others[OTHERS];
    open_fixture(&f);
    for (int i = 0; i < OTHERS; i++) {
        fake_client_open(&others[i], &f.house.workers[AWAY]);
        fake_client_connect(&others[i], f.house.nsp, NULL, NULL, NULL);
        fake_house_settle(&f.house);
        fray_socket_join(f.socket, "red");
    }
    fake_house_settle(&f.house);
    assert_int_equal(fray_broadcast(f.house.nsp, "all", NULL), FRAY_SENT);
    assert_int_equal(f.house.workers[AWAY].parcels_count, 1);
    assert_int_equal(fray_emit_to(f.house.nsp, "blue", "none", NULL), FRAY_DROPPED);
    assert_int_equal(f.house.workers[AWAY].parcels_count, 1); /* nobody there: no crossing */
    fray_broadcast_except(f.socket, "others", NULL);
    fake_house_settle(&f.house);
    for (int i = 0; i < OTHERS; i++) {
        assert_string_equal(fake_link_text(&others[i].link),
                            i < OTHERS - 1 ? "all()\nothers()\n" : "all()\n");
        f.socket = fray_namespace_find(f.house.nsp, others[i].id);
        fake_client_deinit(&others[i]);
        fake_house_settle(&f.house);
    }
    assert_int_equal(f.disconnects, OTHERS);
    close_fixture(&f);
}

static const char kilobyte[] = "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"";

/* Sends until it is not read any further. */
static int send_until_paused(struct fixture *f, const char *args)
{
    int count = 0;
    for (; !f->client.link.is_paused; count++)
        fake_client_send(&f->client, "e", args, FRAY_ACK_NONE);
    return count;
}

static void who_sends_faster_than_is_handled_waits(void **state)
{
    (void)state;
    struct fixture f;
    int sent = 0;
    open_fixture(&f);
    connect_client(&f);
    for (int round = 0; round < 40; round++) {
        sent += send_until_paused(&f, round % 2 ? kilobyte : "1");
        assert_in_range(f.house.workers[HOME].parcels_count, 100, 1000);
        fake_house_settle(&f.house);
        assert_false(f.client.link.is_paused);
        assert_int_equal(f.events, sent);
    }
    close_fixture(&f);
}

/* A hold ends with whoever it was for, and goes with the session to another link. */
static void a_hold_outlives_no_member(void **state)
{
    (void)state;
    struct fixture f;
    struct fake_link other;
    open_fixture(&f);
    connect_client(&f);
    send_until_paused(&f, "1");
    fake_link_init(&other, FRAY_FRAMING_WEBSOCKET);
    fray_session_attach(&f.client.party->session, &other.link);
    assert_true(other.is_paused);
    fray_socket_disconnect(f.socket, false);
    fake_house_settle(&f.house);
    assert_int_equal(f.client.disconnected, 1);
    assert_false(other.is_paused);
    fake_client_connect(&f.client, f.house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f.house);
    fake_client_send(&f.client, "e", "1", FRAY_ACK_NONE);
    fray_session_close(&f.client.party->session, FRAY_SERVER_DISCONNECTED);
    close_fixture(&f);
    fake_link_deinit(&other);
}

/* A transport that cannot wait may bring much at once, and no more than that. */
static void who_sends_far_too_much_is_closed(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_client(&f);
    for (int i = 0; i < 65535; i++) {
        assert_non_null(f.client.party);
        fake_client_send(&f.client, "e", "1", FRAY_ACK_NONE);
    }
    fake_client_send(&f.client, "e", "1", FRAY_ACK_NONE);
    assert_null(f.client.party);
    assert_int_equal(f.client.link.reason, FRAY_FLOODING);
    assert_int_equal(f.house.workers[AWAY].base.counters.closed_flooding, 1);
    close_fixture(&f);
    assert_int_equal(f.events, 65535);
}

/* Everything at random, parcels run one at a time. What must hold in the end is that nothing is
 * left: close_fixture, and the leak checker. */
static void nothing_is_left_whatever_happens(void **state)
{
    (void)state;
    struct fray_rng rng;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct fixture f;
        open_fixture(&f);
        fray_rng_init(&rng, seed);
        for (int step = 0; step < 60; step++) {
            struct fake_party *party = f.client.party;
            bool is_member = party && party->member.audience;
            switch (fray_rng_below(&rng, 10)) {
            case 0:
                if (party && !is_member)
                    fake_client_connect(&f.client, f.house.nsp,
                                        fray_rng_chance(&rng, 300) ? "{}" : NULL, NULL, NULL);
                break;
            case 1:
                if (is_member && party->member.is_connected)
                    fake_client_send(&f.client, "e", "1", 1);
                break;
            case 2:
                if (is_member && fray_rng_chance(&rng, 300))
                    fray_member_end(&party->member, FRAY_CLIENT_LEFT);
                break;
            case 3:
                if (f.socket && fray_rng_chance(&rng, 300))
                    fray_socket_disconnect(f.socket, fray_rng_chance(&rng, 200));
                break;
            case 4:
                if (f.socket)
                    fray_socket_join(f.socket, fray_rng_chance(&rng, 500) ? "red" : "blue");
                break;
            case 5:
                if (f.socket)
                    fray_socket_leave(f.socket, "red");
                break;
            case 6: fray_emit_to(f.house.nsp, "red", "x", NULL); break;
            case 7:
                if (f.socket)
                    fray_emit(f.socket, "y", NULL);
                break;
            case 8: fake_worker_run_parcel(&f.house.workers[HOME]); break;
            case 9: fake_worker_run_parcel(&f.house.workers[AWAY]); break;
            }
            fake_worker_turn(&f.house.workers[fray_rng_below(&rng, 2)]);
        }
        close_fixture(&f);
    }
}

static enum fray_send_result send_transient(const struct fixture *f)
{
    fray_message *message = fray_message_create(f->house.nsp, "t", NULL);
    fray_message_class(message, FRAY_TRANSIENT, NULL);
    enum fray_send_result result = fray_send(f->socket, message);
    fray_message_unref(message);
    return result;
}

/* What would be dropped there is dropped here, as soon as it is known. */
static void home_knows_who_cannot_be_written_to(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    connect_client(&f);
    assert_int_equal(send_transient(&f), FRAY_SENT);
    fake_house_settle(&f.house);
    f.client.link.link.is_writable = false;
    assert_int_equal(send_transient(&f), FRAY_SENT); /* on its way, and then dropped */
    fake_house_settle(&f.house);
    assert_int_equal(send_transient(&f), FRAY_DROPPED);
    assert_null(f.house.workers[HOME].first_parcel);
    f.client.link.link.is_writable = true;
    fray_session_mark(&f.client.party->session);
    fake_house_settle(&f.house);
    assert_int_equal(send_transient(&f), FRAY_SENT);
    fake_house_settle(&f.house);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gone_before_home_hears_of_it),
        cmocka_unit_test(gone_while_the_accept_is_on_its_way),
        cmocka_unit_test(gone_while_the_refusal_is_on_its_way),
        cmocka_unit_test(kicked_before_the_accept_arrives),
        cmocka_unit_test(kicked_while_an_event_is_on_its_way),
        cmocka_unit_test(both_sides_leave_at_once),
        cmocka_unit_test(events_arrive_before_the_end),
        cmocka_unit_test(orders_do_not_reach_a_successor),
        cmocka_unit_test(a_broadcast_crosses_once_per_worker),
        cmocka_unit_test(home_knows_who_cannot_be_written_to),
        cmocka_unit_test(who_sends_faster_than_is_handled_waits),
        cmocka_unit_test(a_hold_outlives_no_member),
        cmocka_unit_test(who_sends_far_too_much_is_closed),
        cmocka_unit_test(nothing_is_left_whatever_happens),
    };
    return cmocka_run_group_tests_name("crossing", tests, NULL, NULL);
}
