/* Connection state recovery, with clients on the home worker and on another. */
#include "room/recovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "room/room_fake.h"

struct player {
    int hp;
    char *name; /* owned; freed by on_forget */
};

struct fixture {
    struct fake_house house; /* first: the handlers' `app` */
    struct fake_worker *place;
    struct fake_client first, second, other;
    fray_socket *socket; /* who connected last */
    int authorized, connects, disconnects, forgotten;
    enum fray_disconnect reason;
    bool talks_when_left;
};

static enum fray_verdict on_authorize(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    struct player *player = fray_socket_data(socket);
    f->authorized++;
    player->hp = 100;
    player->name = fray_strndup("ann", 3);
    return FRAY_ACCEPT;
}

static void on_connect(fray_socket *socket, void *app)
{
    struct fixture *f = app;
    const struct player *player = fray_socket_data(socket);
    assert_string_equal(player->name, "ann");
    f->socket = socket;
    f->connects++;
    if (fray_socket_recovered(socket))
        fray_emit(socket, "welcome back", NULL);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    struct fixture *f = app;
    struct player *player = fray_socket_data(socket);
    player->hp--;
    f->disconnects++;
    f->reason = reason;
    for (int i = 0; f->talks_when_left && i < 10; i++)
        fray_broadcast(fray_socket_namespace(socket), "left", NULL);
}

static void on_forget(void *data, void *app)
{
    struct player *player = data;
    ((struct fixture *)app)->forgotten++;
    free(player->name);
    player->name = NULL;
}

static void open_fixture(struct fixture *f, int place)
{
    *f = (struct fixture){0};
    struct fray_app app = {
        .socket_data_size = sizeof(struct player),
        .on_authorize = on_authorize,
        .on_connect = on_connect,
        .on_disconnect = on_disconnect,
        .on_forget = on_forget,
    };
    fake_house_init(&f->house, &app,
                    &(struct fray_namespace_options){.max_rooms_per_socket = 8,
                                                     .recovery_max_disconnection_ms = 5000,
                                                     .recovery_max_messages = 8,
                                                     .recovery_max_sockets = 2});
    f->place = &f->house.workers[place];
    fake_client_open(&f->first, f->place);
    fake_client_open(&f->second, f->place);
    fake_client_open(&f->other, &f->house.workers[0]);
    fake_client_connect(&f->other, f->house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f->house);
    fake_client_connect(&f->first, f->house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f->house);
}

static void close_fixture(struct fixture *f)
{
    fake_client_deinit(&f->first);
    fake_client_deinit(&f->second);
    fake_client_deinit(&f->other);
    fake_house_settle(&f->house);
    int left = f->authorized - f->forgotten;
    fray_namespace *nsp = f->house.nsp;
    assert_int_equal(nsp->tickets.count, left);
    fake_house_deinit(&f->house);
    assert_int_equal(f->forgotten, f->authorized);
}

static void drop(struct fixture *f)
{
    fake_client_drop(&f->first);
    fake_house_settle(&f->house);
}

static const char *come_back(struct fixture *f, const char *pid, const char *offset)
{
    fake_link_text(&f->second.link);
    fake_client_connect(&f->second, f->house.nsp, NULL, pid, offset);
    fake_house_settle(&f->house);
    assert_int_equal(f->second.accepted, 1);
    return fake_link_text(&f->second.link);
}

static void comes_back_with_id_data_and_rooms(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    assert_int_equal(strlen(f.first.pid), FRAY_TOKEN_LEN);
    assert_string_not_equal(f.first.pid, f.first.id);
    assert_int_equal(fray_socket_join(f.socket, "red"), FRAY_OK);
    fray_emit_to(f.house.nsp, "red", "a", NULL);
    drop(&f);
    assert_int_equal(fray_room_size(f.house.nsp, "red"), 0);
    assert_int_equal(f.forgotten, 0);
    fray_emit_to(f.house.nsp, "red", "b", "i", 2);
    fray_emit_to(f.house.nsp, "blue", "c", NULL);
    assert_string_equal(come_back(&f, f.first.pid, "1"), "b(2)@2\nwelcome back()@4\n");
    assert_string_equal(f.second.id, f.first.id);
    assert_string_equal(f.second.pid, f.first.pid);
    assert_true(fray_socket_recovered(f.socket));
    assert_int_equal(((struct player *)fray_socket_data(f.socket))->hp, 99);
    assert_int_equal(f.authorized, 2); /* the middleware is not asked again */
    assert_int_equal(fray_room_size(f.house.nsp, "red"), 1);
    assert_ptr_equal(fray_namespace_find(f.house.nsp, f.first.id), f.socket);
    fray_emit_to(f.house.nsp, "red", "d", NULL);
    fake_house_settle(&f.house);
    assert_string_equal(fake_link_text(&f.second.link), "d()@5\n");
    close_fixture(&f);
}

/* Of what was sent, it gets what it would have got: by room, by exception, by since when. */
static void gets_what_it_would_have_got(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_namespace *nsp = f.house.nsp;
    fray_socket *first = f.socket;
    fray_emit_to(nsp, "late", "1 before it joined", NULL);
    fray_socket_join(first, "red");
    fray_socket_join(first, "mute");
    fray_socket_join(first, "late");
    fray_emit(fray_namespace_find(nsp, f.other.id), "2 to another alone", NULL);
    fray_broadcast_except(first, "3 to all but it", NULL);
    fray_broadcast(nsp, "4 to all", NULL);
    fray_emit(first, "5 to it alone", NULL);
    fray_message *message = fray_message_create(nsp, "6 to red but mute", NULL);
    fray_send_to(nsp, message, &(struct fray_target){.rooms = {"red"}, .except_rooms = {"mute"}});
    fray_message_unref(message);
    fray_emit_to(nsp, "late", "7 to late", NULL);
    message = fray_message_create(nsp, "transient", NULL);
    fray_message_class(message, FRAY_TRANSIENT, NULL);
    fray_send_to(nsp, message, &(struct fray_target){0});
    fray_message_unref(message);
    drop(&f);
    assert_string_equal(come_back(&f, f.first.pid, "0"),
                        "4 to all()@4\n5 to it alone()@5\n7 to late()@7\nwelcome back()@8\n");
    close_fixture(&f);
}

/* Links are lost without a word: it may have left and joined rooms before what was sent to them
 * went astray. */
static void gets_what_was_sent_to_rooms_that_it_left_later(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_namespace *nsp = f.house.nsp;
    fray_socket_join(f.socket, "red");
    fray_emit_to(nsp, "red", "1 while in it", NULL);
    fray_socket_leave(f.socket, "red");
    fray_emit_to(nsp, "red", "2 while out of it", NULL);
    fray_message *message = fray_message_create(nsp, "3 to all but red", NULL);
    fray_send_to(nsp, message, &(struct fray_target){.except_rooms = {"red"}});
    fray_message_unref(message);
    fray_socket_join(f.socket, "red");
    fray_emit_to(nsp, "red", "4 in it again", NULL);
    drop(&f);
    assert_string_equal(come_back(&f, f.first.pid, "0"),
                        "1 while in it()@1\n3 to all but red()@3\n4 in it again()@4\n"
                        "welcome back()@5\n");
    close_fixture(&f);
}

/* What was sent before it first connected is not for it, whatever offset it makes up. */
static void gets_nothing_from_before_its_time(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_broadcast(f.house.nsp, "a", NULL);
    struct fake_client late;
    fake_client_open(&late, f.place);
    fake_client_connect(&late, f.house.nsp, NULL, NULL, NULL);
    fake_house_settle(&f.house);
    fray_broadcast(f.house.nsp, "b", NULL);
    fake_client_drop(&late);
    fake_house_settle(&f.house);
    assert_string_equal(come_back(&f, late.pid, "0"), "b()@2\nwelcome back()@3\n");
    fake_client_deinit(&late);
    close_fixture(&f);
}

static void is_new_when_it_cannot_be_made_good(int place)
{
    static const char *const offsets[] = {"", "1x", "-1", "99", "18446744073709551616", NULL, "1"};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct fixture f;
        open_fixture(&f, place);
        fray_broadcast(f.house.nsp, "a", NULL);
        drop(&f);
        for (int n = 0; n < 9; n++) /* 2 is not held any more */
            fray_broadcast(f.house.nsp, "b", NULL);
        come_back(&f, f.first.pid, offsets[i]);
        assert_false(fray_socket_recovered(f.socket));
        assert_int_equal(f.authorized, 3);
        assert_string_not_equal(f.second.id, f.first.id);
        close_fixture(&f);
    }
    struct fixture f;
    open_fixture(&f, place);
    drop(&f);
    come_back(&f, f.first.id, "0"); /* knowing the id does not help */
    assert_false(fray_socket_recovered(f.socket));
    close_fixture(&f);
}

/* A replay that no outbox may hold would close it as too slow, each time that it came back. */
static void is_new_when_it_missed_more_than_an_outbox_holds(int place)
{
    char text[8001] = {0};
    memset(text, '.', 8000);
    for (int missed = 6; missed <= 8; missed += 2) {
        struct fixture f;
        open_fixture(&f, place);
        drop(&f);
        for (int i = 0; i < missed; i++)
            fray_broadcast(f.house.nsp, "a", "s", text);
        come_back(&f, f.first.pid, "0");
        assert_true(fray_socket_recovered(f.socket) == (missed == 6));
        close_fixture(&f);
    }
}

static void is_forgotten_after_a_while(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    drop(&f);
    fake_house_advance(&f.house, 4999);
    assert_int_equal(f.forgotten, 0);
    fake_house_advance(&f.house, 1);
    assert_int_equal(f.forgotten, 1);
    come_back(&f, f.first.pid, "0");
    assert_false(fray_socket_recovered(f.socket));
    close_fixture(&f);
}

static void who_left_on_purpose_does_not_come_back(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_member_end(&f.first.party->member, FRAY_CLIENT_LEFT);
    fake_house_settle(&f.house);
    assert_int_equal(f.forgotten, 1);
    come_back(&f, f.first.pid, "0");
    assert_false(fray_socket_recovered(f.socket));
    fray_socket_disconnect(f.socket, false);
    assert_int_equal(f.forgotten, 2);
    close_fixture(&f);
}

/* The new connection was faster than the end of the old. */
static void takes_over_from_a_living_socket(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_socket_join(f.socket, "red");
    fray_broadcast(f.house.nsp, "a", NULL);
    fake_house_settle(&f.house);
    assert_string_equal(come_back(&f, f.first.pid, "0"), "a()@1\nwelcome back()@2\n");
    assert_int_equal(f.disconnects, 1);
    assert_int_equal(f.reason, FRAY_SESSION_TAKEN);
    assert_int_equal(f.first.disconnected, 1);
    assert_true(f.first.was_told_to_close);
    assert_null(f.first.party);
    assert_string_equal(f.second.id, f.first.id);
    assert_int_equal(fray_room_size(f.house.nsp, "red"), 1);
    assert_int_equal(f.forgotten, 0);
    assert_int_equal(fray_namespace_sockets(f.house.nsp), 2);
    close_fixture(&f);
}

/* Its own end made the log too long to make good: better a new socket than one with a gap. */
static void a_takeover_never_leaves_a_gap(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    fray_broadcast(f.house.nsp, "a", NULL);
    f.talks_when_left = true;
    come_back(&f, f.first.pid, "0");
    f.talks_when_left = false;
    assert_false(fray_socket_recovered(f.socket));
    assert_string_not_equal(f.second.id, f.first.id);
    close_fixture(&f);
}

static void may_come_back_again_and_again(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    char offset[] = "0";
    for (int i = 0; i < 4; i++) {
        fray_broadcast(f.house.nsp, "a", NULL);
        struct fake_client *client = i % 2 ? &f.second : &f.first;
        struct fake_client *next = i % 2 ? &f.first : &f.second;
        fake_client_drop(client);
        fake_house_settle(&f.house);
        fake_client_deinit(next);
        fake_client_open(next, f.place);
        fake_client_connect(next, f.house.nsp, NULL, client->pid, offset);
        fake_house_settle(&f.house);
        assert_true(fray_socket_recovered(f.socket));
        assert_string_equal(fray_socket_id(f.socket), client->id);
        offset[0] = (char)(offset[0] + 2); /* "a" and "welcome back" */
    }
    assert_int_equal(f.authorized, 2);
    assert_int_equal(f.house.workers[0].base.counters.sessions_recovered, 4);
    close_fixture(&f);
}

/* The log forgets by age too, when something new comes. */
static void the_log_is_bounded_by_age(void **state)
{
    (void)state;
    struct fray_message_log log;
    fray_message_log_init(&log, 4, 1000);
    struct fray_message *messages[6];
    for (uint64_t i = 0; i < 6; i++) {
        messages[i] = fray_message_of(FRAY_MESSAGE_EVENT, (struct fray_slice){0});
        fray_message_log_add(
            &log, messages[i],
            &(struct fray_log_entry){
                .target = &(struct fray_target){.rooms = {"a"}, .except_rooms = {"b"}}},
            i * 400);
        assert_true(messages[i]->offset == i + 1);
    }
    assert_null(fray_message_log_at(&log, 0));
    assert_null(fray_message_log_at(&log, 3));
    assert_ptr_equal(fray_message_log_at(&log, 4)->message, messages[3]);
    assert_ptr_equal(fray_message_log_at(&log, 6)->message, messages[5]);
    assert_null(fray_message_log_at(&log, 7));
    assert_int_equal(messages[2]->refs, 1);
    fray_message_log_deinit(&log);
    for (int i = 0; i < 6; i++)
        fray_message_unref(messages[i]);
}

static void the_log_is_bounded_by_bytes(void **state)
{
    (void)state;
    struct fray_message_log log;
    fray_message_log_init(&log, 100, UINT64_MAX);
    log.max_bytes = 1000;
    static const size_t sizes[] = {300, 300, 300, 300, 5000, 300};
    static const uint64_t firsts[] = {1, 1, 1, 2, 5, 6}; /* the long one is kept, alone */
    char body[5000] = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct fray_message *message =
            fray_message_of(FRAY_MESSAGE_EVENT, fray_slice(body, sizes[i] - 32));
        assert_int_equal(fray_message_size(message), sizes[i]);
        fray_message_log_add(&log, message, &(struct fray_log_entry){0}, i);
        fray_message_unref(message);
        assert_int_equal(log.first, firsts[i]);
        assert_int_equal(log.next, i + 2);
    }
    fray_message_log_deinit(&log);
    assert_int_equal(log.bytes, 0);
}

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
static void of_too_many_the_longest_gone_is_forgotten(int place)
{
    struct fixture f;
    open_fixture(&f, place);
    const struct fray_name_map *tickets = &f.house.nsp->tickets;
    drop(&f);
    for (int i = 0; i < 2; i++) {
        struct fake_client client;
        assert_non_null(fray_name_map_get(tickets, fray_slice(f.first.pid, FRAY_TOKEN_LEN)));
        fake_client_open(&client, f.place);
        fake_client_connect(&client, f.house.nsp, NULL, NULL, NULL);
        fake_house_settle(&f.house);
        fake_client_drop(&client);
        fake_house_settle(&f.house);
        fake_client_deinit(&client);
    }
    assert_null(fray_name_map_get(tickets, fray_slice(f.first.pid, FRAY_TOKEN_LEN)));
    assert_int_equal(f.house.nsp->away.count, 2);
    come_back(&f, f.first.pid, "0");
    assert_false(fray_socket_recovered(f.socket));
    close_fixture(&f);
}

#define TESTS(X)                                                                                   \
    X(comes_back_with_id_data_and_rooms)                                                           \
    X(gets_what_it_would_have_got)                                                                 \
    X(gets_what_was_sent_to_rooms_that_it_left_later)                                              \
    X(gets_nothing_from_before_its_time)                                                           \
    X(is_new_when_it_cannot_be_made_good)                                                          \
    X(is_new_when_it_missed_more_than_an_outbox_holds)                                             \
    X(is_forgotten_after_a_while)                                                                  \
    X(of_too_many_the_longest_gone_is_forgotten)                                                   \
    X(who_left_on_purpose_does_not_come_back)                                                      \
    X(takes_over_from_a_living_socket)                                                             \
    X(a_takeover_never_leaves_a_gap)                                                               \
    X(may_come_back_again_and_again)
TESTS(BOTH)

#define LISTED(test) cmocka_unit_test(test##_here), cmocka_unit_test(test##_afar),

int main(void)
{
    const struct CMUnitTest tests[] = {TESTS(LISTED) cmocka_unit_test(the_log_is_bounded_by_age),
                                       cmocka_unit_test(the_log_is_bounded_by_bytes)};
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
