#include "room/audience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "room/room_fake.h"

enum { MEMBERS = 20, ROOMS = 12 };

struct fixture {
    struct fake_worker worker;
    struct fray_audience audience;
    struct fake_client clients[MEMBERS];
};

static void open_fixture(struct fixture *f)
{
    fake_worker_init(&f->worker, 0);
    fray_audience_init(&f->audience, NULL, &f->worker.base);
    for (int i = 0; i < MEMBERS; i++)
        fake_client_open(&f->clients[i], &f->worker);
}

static struct fray_member *member(struct fixture *f, int i)
{
    return &f->clients[i].party->member;
}

static void add(struct fixture *f, int i)
{
    fray_audience_add(&f->audience, member(f, i));
    member(f, i)->handle = fray_id_pool_add(&f->worker.base.members, member(f, i));
    member(f, i)->is_connected = true;
}

static void remove_member(struct fixture *f, int i)
{
    fray_audience_remove(member(f, i));
    fray_id_pool_remove(&f->worker.base.members, member(f, i)->handle);
}

static void close_fixture(struct fixture *f)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (member(f, i)->audience)
            remove_member(f, i);
        fake_client_deinit(&f->clients[i]);
    }
    assert_int_equal(f->audience.rooms.count, 0);
    fray_audience_deinit(&f->audience);
    fake_worker_deinit(&f->worker);
}

static enum fray_send_result send_as(struct fixture *f, const char *text, enum fray_class class,
                                     const struct fray_target *target)
{
    struct fray_message *message = fray_message_new(&(struct fray_message_parts){
        .kind = FRAY_MESSAGE_EVENT, .name = fray_slice_of(text), .ack_id = FRAY_ACK_NONE});
    fray_message_class(message, class, NULL);
    struct fray_handle except = {0};
    for (int i = 0; target->except && i < MEMBERS; i++) {
        if ((const void *)target->except == (const void *)&f->clients[i])
            except = member(f, i)->handle;
    }
    enum fray_send_result result = fray_audience_send(&f->audience, message, target, except);
    fray_message_unref(message);
    return result;
}

static enum fray_send_result send(struct fixture *f, const char *text,
                                  const struct fray_target *target)
{
    return send_as(f, text, FRAY_RELIABLE, target);
}

static void assert_heard(struct fixture *f, int i, const char *expected)
{
    assert_string_equal(fake_link_text(&f->clients[i].link), expected);
}

static void reaches_all_or_a_room(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_int_equal(send(&f, "nobody", &(struct fray_target){0}), FRAY_DROPPED);
    add(&f, 0);
    add(&f, 1);
    add(&f, 2);
    fray_member_join(member(&f, 1), FRAY_SLICE("red"));
    assert_int_equal(send(&f, "all", &(struct fray_target){0}), FRAY_SENT);
    assert_int_equal(send(&f, "red", &(struct fray_target){.rooms = {"red"}}), FRAY_SENT);
    assert_int_equal(send(&f, "none", &(struct fray_target){.rooms = {"blue"}}), FRAY_DROPPED);
    member(&f, 2)->is_connected = false; /* not accepted yet */
    send(&f, "late", &(struct fray_target){0});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "all()\nlate()\n");
    assert_heard(&f, 1, "all()\nred()\nlate()\n");
    assert_heard(&f, 2, "all()\n");
    close_fixture(&f);
}

static void each_once_however_many_rooms(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 0);
    add(&f, 1);
    fray_member_join(member(&f, 0), FRAY_SLICE("red"));
    fray_member_join(member(&f, 0), FRAY_SLICE("blue"));
    fray_member_join(member(&f, 1), FRAY_SLICE("blue"));
    fray_member_join(member(&f, 1), FRAY_SLICE("blue")); /* twice is once */
    send(&f, "a", &(struct fray_target){.rooms = {"red", "blue", "none", "red"}});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "a()\n");
    assert_heard(&f, 1, "a()\n");
    close_fixture(&f);
}

static void leaves_out_who_is_excepted(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    for (int i = 0; i < 3; i++)
        add(&f, i);
    fray_member_join(member(&f, 0), FRAY_SLICE("red"));
    fray_member_join(member(&f, 1), FRAY_SLICE("red"));
    fray_member_join(member(&f, 1), FRAY_SLICE("mute"));
    send(&f, "a", &(struct fray_target){.rooms = {"red"}, .except_rooms = {"none", "mute"}});
    send(&f, "b", &(struct fray_target){.except_rooms = {"red"}});
    send(&f, "c",
         &(struct fray_target){.except = (const fray_socket *)(const void *)&f.clients[0]});
    assert_int_equal(
        send(&f, "d", &(struct fray_target){.except_rooms = {"red"}, .rooms = {"red"}}),
        FRAY_DROPPED);
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "a()\n");
    assert_heard(&f, 1, "c()\n");
    assert_heard(&f, 2, "b()\nc()\n");
    close_fixture(&f);
}

static void returns_the_best_of_its_members(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 0);
    add(&f, 1);
    f.clients[0].link.link.is_writable = false;
    assert_int_equal(send(&f, "a", &(struct fray_target){0}), FRAY_SENT);
    f.clients[1].link.link.is_writable = false;
    assert_int_equal(send(&f, "b", &(struct fray_target){0}), FRAY_QUEUED);
    assert_int_equal(send_as(&f, "c", FRAY_TRANSIENT, &(struct fray_target){0}), FRAY_DROPPED);
    close_fixture(&f);
}

/* After 2^32 broadcasts the marks begin again. */
static void nobody_is_passed_over_when_marks_wrap(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    add(&f, 0);
    add(&f, 1);
    fray_member_join(member(&f, 0), FRAY_SLICE("red"));
    send(&f, "a", &(struct fray_target){0}); /* marks both with 1 */
    f.audience.mark = UINT32_MAX;
    send(&f, "b", &(struct fray_target){.rooms = {"red"}});
    send(&f, "c", &(struct fray_target){0});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "a()\nb()\nc()\n");
    assert_heard(&f, 1, "a()\nc()\n");
    close_fixture(&f);
}

static void paces_with_a_flush_interval(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.audience.flush_interval_us = 10000;
    add(&f, 0);
    send(&f, "a", &(struct fray_target){0}); /* the first at once, and all of its turn */
    send(&f, "b", &(struct fray_target){0});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "a()\nb()\n");
    fake_worker_advance(&f.worker, 3);
    assert_int_equal(send(&f, "c", &(struct fray_target){0}), FRAY_SENT);
    fake_worker_advance(&f.worker, 3);
    send(&f, "d", &(struct fray_target){0});
    fake_worker_advance(&f.worker, 3);
    assert_heard(&f, 0, "");
    unsigned flushes = f.clients[0].link.flushes;
    fake_worker_advance(&f.worker, 1);
    assert_heard(&f, 0, "c()\nd()\n");
    assert_int_equal(f.clients[0].link.flushes, flushes + 1);
    fake_worker_advance(&f.worker, 5); /* the interval begins anew with each flush */
    send(&f, "e", &(struct fray_target){0});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "");
    fake_worker_advance(&f.worker, 5);
    assert_heard(&f, 0, "e()\n");
    fake_worker_advance(&f.worker, 10);
    assert_int_equal(f.worker.timers.count, 0); /* who has nothing to say arms nothing */
    send(&f, "f", &(struct fray_target){0});
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "f()\n");
    close_fixture(&f);
}

static void an_urgent_message_takes_the_paced_along(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.audience.flush_interval_us = 10000;
    add(&f, 0);
    send(&f, "a", &(struct fray_target){0});
    fake_worker_advance(&f.worker, 1);
    send(&f, "b", &(struct fray_target){0});
    fray_session_mark(member(&f, 0)->session);
    fake_worker_turn(&f.worker);
    assert_heard(&f, 0, "a()\nb()\n");
    close_fixture(&f);
}

/* Random joins, leaves, arrivals and departures against a plain table. */
static void agrees_with_a_table(void **state)
{
    (void)state;
    bool is_here[MEMBERS] = {0}, is_in[MEMBERS][ROOMS] = {{0}};
    char names[ROOMS][24];
    struct fixture f;
    struct fray_rng rng;
    open_fixture(&f);
    fray_rng_init(&rng, 17);
    for (int r = 0; r < ROOMS; r++)
        snprintf(names[r], sizeof names[r], "room %d", r);
    for (int step = 0; step < 20000; step++) {
        int i = (int)fray_rng_below(&rng, MEMBERS), r = (int)fray_rng_below(&rng, ROOMS);
        struct fray_slice name = fray_slice_of(names[r]);
        if (!is_here[i]) {
            add(&f, i);
            is_here[i] = true;
        } else if (fray_rng_chance(&rng, 50)) {
            remove_member(&f, i);
            is_here[i] = false;
            memset(is_in[i], 0, sizeof is_in[i]);
        } else if (fray_rng_chance(&rng, 550)) {
            fray_member_join(member(&f, i), name);
            is_in[i][r] = true;
        } else {
            fray_member_leave(member(&f, i), name);
            is_in[i][r] = false;
        }
        assert_int_equal(fray_member_in(member(&f, i), name), is_in[i][r]);
        if (step % 16)
            continue;
        int other = (int)fray_rng_below(&rng, ROOMS), not_in = (int)fray_rng_below(&rng, ROOMS);
        send(&f, "x",
             &(struct fray_target){.rooms = {names[r], names[other]},
                                   .except_rooms = {names[not_in]}});
        fake_worker_turn(&f.worker);
        for (int m = 0; m < MEMBERS; m++)
            assert_heard(
                &f, m,
                is_here[m] && (is_in[m][r] || is_in[m][other]) && !is_in[m][not_in] ? "x()\n" : "");
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_all_or_a_room),
        cmocka_unit_test(each_once_however_many_rooms),
        cmocka_unit_test(leaves_out_who_is_excepted),
        cmocka_unit_test(returns_the_best_of_its_members),
        cmocka_unit_test(nobody_is_passed_over_when_marks_wrap),
        cmocka_unit_test(paces_with_a_flush_interval),
        cmocka_unit_test(an_urgent_message_takes_the_paced_along),
        cmocka_unit_test(agrees_with_a_table),
    };
    return cmocka_run_group_tests_name("audience", tests, NULL, NULL);
}
