/* The broker and its sessions, with a fake worker's time: who is given what, and when. */
#include "broker/broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/session_fake.h"

#include <cmocka.h>

enum { SECOND_US = 1000000 };

/* A client: what it is given, a line each, such as "a/b=text q1 id3 i7,9 r dup". */
struct party {
    struct fray_broker_session *session; /* NULL: not connected */
    char heard[1024];
};

static struct fake_worker worker;
static struct fray_broker broker;

static void note(struct party *party, const struct fray_broker_send *send)
{
    size_t used = strlen(party->heard), size = sizeof party->heard;
    struct fray_slice topic = fray_publication_topic(send->publication);
    struct fray_slice payload = fray_publication_payload(send->publication);
    used += (size_t)snprintf(party->heard + used, size - used, "%.*s=%.*s q%u", (int)topic.len,
                             topic.data, (int)payload.len, payload.data, send->qos);
    for (size_t i = 0; i < send->identifiers_count; i++)
        used += (size_t)snprintf(party->heard + used, size - used, "%s%u", i ? "," : " i",
                                 send->identifiers[i]);
    snprintf(party->heard + used, size - used, "%s%s\n", send->retain ? " r" : "",
             send->dup ? " dup" : "");
}

static void on_message(struct fray_broker_session *session, struct fray_publication *publication,
                       const struct fray_broker_delivery_options *options)
{
    note(session->connection, &(struct fray_broker_send){
                                  .publication = publication,
                                  .qos = options->qos,
                                  .retain = options->retain,
                                  .identifiers = options->identifiers,
                                  .identifiers_count = options->identifiers_count,
                              });
}

static void on_queued(struct fray_broker_session *session)
{
    struct fray_broker_send send;
    while (!fray_broker_next(session, &send)) {
        if (!send.release)
            note(session->connection, &send);
    }
}

static void on_taken(struct fray_broker_session *session, enum fray_mqtt_reason reason)
{
    struct party *party = session->connection;
    party->session = NULL;
    snprintf(party->heard + strlen(party->heard), 16, "taken %02x\n", reason);
}

static const struct fray_broker_session_ops client_ops = {on_message, NULL, on_queued, on_taken};
static const struct fray_broker_session_ops program_ops = {on_message, NULL, NULL, on_taken};

static const struct fray_broker_connect usual = {
    .ops = &client_ops, .receive_maximum = 10, .expiry_s = 100};

static bool connect_as(struct party *party, const char *name, struct fray_broker_connect connect)
{
    bool present;
    connect.client_id = fray_slice_of(name);
    connect.connection = party;
    party->session = fray_broker_connect(&broker, &connect, &present);
    if (party->session && connect.ops->on_queued)
        on_queued(party->session);
    return present;
}

static void leave(struct party *party)
{
    fray_broker_disconnect(party->session, true);
    party->session = NULL;
}

static void subscribe(struct party *party, const char *filter, struct fray_subscription options)
{
    bool existed;
    assert_int_equal(
        fray_broker_session_subscribe(party->session, fray_slice_of(filter), &options, &existed),
        0);
}

static struct fray_publication *message(const char *topic, const char *payload, uint8_t qos,
                                        uint32_t expiry_s)
{
    struct fray_mqtt_publish publish = {.qos = qos, .topic = fray_slice_of(topic)};
    publish.payload = fray_slice_of(payload);
    if (expiry_s) {
        publish.properties.present = FRAY_MQTT_PROPERTY_BIT(FRAY_MQTT_MESSAGE_EXPIRY_INTERVAL);
        publish.properties.message_expiry_interval = expiry_s;
    }
    return fray_publication_create(&publish, worker.now_us, &worker.base.scratch);
}

static uint32_t publish(const struct party *from, const char *topic, const char *payload,
                        uint8_t qos)
{
    struct fray_publication *publication = message(topic, payload, qos, 0);
    uint32_t matched = fray_broker_dispatch(&broker, from ? from->session : NULL, publication);
    fray_publication_unref(publication);
    return matched;
}

static void pass(uint64_t seconds)
{
    worker.now_us += seconds * SECOND_US;
    fray_timer_wheel_advance(&worker.timers, worker.now_us);
    fake_worker_turn(&worker);
}

static void heard(struct party *party, const char *expected)
{
    assert_string_equal(party->heard, expected);
    party->heard[0] = '\0';
}

static int open_broker(void **state)
{
    (void)state;
    static const struct fray_broker_limits limits = {
        .queue_max = 3,
        .queue_bytes_max = 100,
        .inflight_max = 10,
        .subscriptions_max = 9,
        .subscriptions_per_session_max = 5,
        .retained_max = 10,
        .retained_bytes_max = 10000,
        .sessions_max = 4,
        .session_expiry_max_s = 1000,
    };
    fake_worker_init(&worker, 0);
    fray_broker_init(&broker, &worker.base, &limits);
    return 0;
}

static int close_broker(void **state)
{
    (void)state;
    fray_broker_deinit(&broker);
    fake_worker_deinit(&worker);
    return 0;
}

/* ------------------------------------------------------------------ matching */

static void overlapping_subscriptions_are_one_delivery(void **state)
{
    struct party reader = {0}, writer = {0};
    (void)state;
    connect_as(&reader, "reader", usual);
    connect_as(&writer, "writer", usual);
    subscribe(&reader, "a/#", (struct fray_subscription){.qos = 0, .identifier = 7});
    subscribe(&reader, "a/+", (struct fray_subscription){.qos = 2});
    subscribe(&reader, "a/b", (struct fray_subscription){.qos = 1, .identifier = 9});
    assert_int_equal(publish(&writer, "a/b", "x", 2), 3);
    heard(&reader, "a/b=x q2 i7,9\n"); /* the highest QoS, all identifiers [MQTT-3.3.4-2] */
    publish(&writer, "a/b", "y", 1);
    heard(&reader, "a/b=y q1 i7,9\n");
    publish(&writer, "a", "z", 2);
    heard(&reader, "a=z q0 i7\n");
}

static void no_local_is_about_one_subscription(void **state)
{
    struct party self = {0};
    (void)state;
    connect_as(&self, "self", usual);
    subscribe(&self, "a/#", (struct fray_subscription){.no_local = true, .identifier = 1});
    publish(&self, "a/b", "own", 0);
    heard(&self, "");
    subscribe(&self, "a/b", (struct fray_subscription){.identifier = 2});
    publish(&self, "a/b", "own", 0);
    heard(&self, "a/b=own q0 i2\n");
}

static void a_member_of_a_group_also_hears_for_itself(void **state)
{
    struct party member = {0};
    (void)state;
    connect_as(&member, "member", usual);
    subscribe(&member, "$share/g/a", (struct fray_subscription){.qos = 1});
    subscribe(&member, "a", (struct fray_subscription){.qos = 0});
    assert_int_equal(publish(NULL, "a", "x", 1), 2);
    heard(&member, "a=x q0\na=x q1\n");
}

/* ------------------------------------------------------------------ shared subscriptions */

static void who_is_away_is_passed_over_while_somebody_is_there(void **state)
{
    struct party a = {0}, b = {0};
    (void)state;
    connect_as(&a, "a", usual);
    connect_as(&b, "b", usual);
    subscribe(&a, "$share/g/t", (struct fray_subscription){.qos = 1});
    subscribe(&b, "$share/g/t", (struct fray_subscription){.qos = 1});
    leave(&b);
    publish(NULL, "t", "1", 1);
    publish(NULL, "t", "2", 1);
    heard(&a, "t=1 q1\nt=2 q1\n");
    leave(&a); /* nobody is: a session keeps it */
    publish(NULL, "t", "3", 1);
    connect_as(&a, "a", usual);
    connect_as(&b, "b", usual);
    strcat(b.heard, a.heard);
    assert_non_null(strstr(b.heard, "t=3 q1\n"));
}

static void what_an_ended_member_was_owed_goes_to_another(void **state)
{
    struct party a = {0}, b = {0};
    (void)state;
    connect_as(&a, "a", usual);
    subscribe(&a, "$share/g/t/+", (struct fray_subscription){.qos = 2});
    subscribe(&a, "t/own", (struct fray_subscription){.qos = 1});
    publish(NULL, "t/sent1", "1", 1);
    publish(NULL, "t/sent2", "2", 2);
    heard(&a, "t/sent1=1 q1\nt/sent2=2 q2\n");
    leave(&a);
    publish(NULL, "t/kept", "3", 2);
    connect_as(&b, "b", usual);
    subscribe(&b, "$share/g/t/+", (struct fray_subscription){.qos = 2, .identifier = 4});
    heard(&b, "");
    pass(101); /* a's session ends: all but the QoS 2 message that it may have (4.8.2) */
    heard(&b, "t/sent1=1 q1 i4\nt/kept=3 q2 i4\n");
}

static void what_was_not_shared_ends_with_its_session(void **state)
{
    struct party a = {0}, b = {0};
    (void)state;
    connect_as(&a, "a", usual);
    subscribe(&a, "t", (struct fray_subscription){.qos = 1});
    subscribe(&a, "$share/g/other", (struct fray_subscription){.qos = 1});
    leave(&a);
    publish(NULL, "t", "1", 1);
    connect_as(&b, "b", usual);
    subscribe(&b, "t", (struct fray_subscription){.qos = 1});
    subscribe(&b, "$share/g/t", (struct fray_subscription){.qos = 1});
    pass(101);
    heard(&b, "");
}

/* ------------------------------------------------------------------ wills */

static void a_will(struct fray_broker_connect *connect, const char *text, uint32_t delay_s,
                   uint32_t expiry_s)
{
    connect->will = message("will", text, 1, expiry_s);
    connect->will_delay_s = delay_s;
}

static void a_will_waits_for_its_delay_or_the_end_of_the_session(void **state)
{
    struct party watcher = {0}, mortal = {0};
    struct fray_broker_connect connect = usual;
    (void)state;
    connect_as(&watcher, "watcher", usual);
    subscribe(&watcher, "will", (struct fray_subscription){.qos = 1});

    a_will(&connect, "delayed", 30, 0);
    connect_as(&mortal, "mortal", connect);
    leave(&mortal);
    pass(29);
    heard(&watcher, "");
    pass(2);
    heard(&watcher, "will=delayed q1\n");

    a_will(&connect, "back in time", 30, 0);
    assert_true(connect_as(&mortal, "mortal", connect));
    leave(&mortal);
    pass(29);
    a_will(&connect, "session ends", 5000, 0);
    connect_as(&mortal, "mortal", connect); /* [MQTT-3.1.3-9] */
    leave(&mortal);
    pass(99);
    heard(&watcher, "");
    pass(2); /* the session's 100 s are over before the will's 5,000 are */
    heard(&watcher, "will=session ends q1\n");
}

static void a_will_is_not_published_after_a_polite_end(void **state)
{
    struct party watcher = {0}, polite = {0};
    struct fray_broker_connect connect = usual;
    (void)state;
    connect_as(&watcher, "watcher", usual);
    subscribe(&watcher, "will", (struct fray_subscription){.qos = 1});
    a_will(&connect, "never", 0, 0);
    connect_as(&polite, "polite", connect);
    fray_broker_disconnect(polite.session, false);
    pass(1000);
    heard(&watcher, "");
}

static void a_wills_expiry_begins_when_it_is_published(void **state)
{
    struct party away = {0}, mortal = {0};
    struct fray_broker_connect connect = usual, patient = usual;
    (void)state;
    patient.expiry_s = 500;
    connect_as(&away, "away", patient);
    subscribe(&away, "will", (struct fray_subscription){.qos = 1});
    leave(&away);
    a_will(&connect, "fresh", 60, 20);
    connect_as(&mortal, "mortal", connect);
    leave(&mortal);
    pass(70); /* published 10 s ago */
    connect_as(&away, "away", patient);
    heard(&away, "will=fresh q1\n");
}

/* ------------------------------------------------------------------ time and limits */

static void an_expiry_counts_down_while_a_message_waits(void **state)
{
    struct party away = {0};
    struct fray_mqtt_delivery delivery = {.version = FRAY_MQTT_5};
    (void)state;
    connect_as(&away, "away", usual);
    subscribe(&away, "t", (struct fray_subscription){.qos = 1});
    leave(&away);
    struct fray_publication *soon = message("t", "soon", 1, 20),
                            *late = message("t", "late", 1, 50);
    fray_broker_dispatch(&broker, NULL, soon);
    fray_broker_dispatch(&broker, NULL, late);
    pass(30);
    connect_as(&away, "away", usual);
    heard(&away, "t=late q1\n");
    assert_int_equal(worker.base.counters.mqtt_expired, 1);
    fray_publication_set_expiry(late, &delivery, worker.now_us);
    assert_true(delivery.has_expiry);
    assert_int_equal(delivery.expiry_s, 20); /* [MQTT-3.3.2-6] */
    fray_publication_unref(soon);
    fray_publication_unref(late);
}

static void a_full_queue_drops_the_newest_and_counts_it(void **state)
{
    struct party away = {0};
    (void)state;
    connect_as(&away, "away", usual);
    subscribe(&away, "t", (struct fray_subscription){.qos = 1});
    leave(&away);
    for (unsigned i = 0; i < 5; i++)
        publish(NULL, "t", (const char *[]){"0", "1", "2", "3", "4"}[i], 1);
    publish(NULL, "t", "unkept", 0);
    assert_int_equal(worker.base.counters.mqtt_dropped_queue_full, 2);
    assert_int_equal(worker.base.counters.mqtt_dropped_absent, 1);
    connect_as(&away, "away", usual);
    heard(&away, "t=0 q1\nt=1 q1\nt=2 q1\n");
}

static void bytes_bound_the_queue_too(void **state)
{
    struct party away = {0};
    char large[100];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    connect_as(&away, "away", usual);
    subscribe(&away, "t", (struct fray_subscription){.qos = 1});
    leave(&away);
    publish(NULL, "t", "1", 1);
    publish(NULL, "t", large, 1);
    publish(NULL, "t", "2", 1); /* a smaller one still fits */
    connect_as(&away, "away", usual);
    heard(&away, "t=1 q1\nt=2 q1\n");
    assert_int_equal(worker.base.counters.mqtt_dropped_queue_full, 1);
}

static void the_receive_maximum_holds_back_what_is_next(void **state)
{
    struct party slow = {0};
    struct fray_broker_connect connect = usual;
    (void)state;
    connect.receive_maximum = 2;
    connect_as(&slow, "slow", connect);
    subscribe(&slow, "t", (struct fray_subscription){.qos = 1});
    for (unsigned i = 0; i < 4; i++)
        publish(NULL, "t", (const char *[]){"1", "2", "3", "4"}[i], 1);
    heard(&slow, "t=1 q1\nt=2 q1\n");
    assert_int_equal(fray_broker_puback(slow.session, 1), 0);
    on_queued(slow.session);
    heard(&slow, "t=3 q1\n");
    leave(&slow);
    connect.receive_maximum = 10; /* the new connection's */
    assert_true(connect_as(&slow, "slow", connect));
    heard(&slow, "t=2 q1 dup\nt=3 q1 dup\nt=4 q1\n");
}

static void sessions_and_subscriptions_are_bounded(void **state)
{
    struct party parties[5] = {0}, program = {0};
    struct fray_subscription options = {0};
    static const char *const names[] = {"0", "1", "2", "3", "4"};
    bool existed;
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        connect_as(&parties[i], names[i], usual);
    assert_non_null(parties[3].session);
    assert_null(parties[4].session);
    leave(&parties[0]);
    connect_as(&parties[4], names[4], usual); /* who is away still has a session */
    assert_null(parties[4].session);
    struct fray_broker_connect connect = usual;
    connect.ops = &program_ops;
    connect_as(&program, "program", connect);
    assert_non_null(program.session);
    for (unsigned i = 0; i < 5; i++)
        subscribe(&parties[1], names[i], options);
    assert_int_equal(
        fray_broker_session_subscribe(parties[1].session, FRAY_SLICE("x"), &options, &existed),
        FRAY_ERR_LIMIT);
    subscribe(&parties[1], "0", (struct fray_subscription){.qos = 1}); /* is there: is changed */
    for (unsigned i = 0; i < 4; i++)
        subscribe(&parties[2], names[i], options);
    assert_int_equal(
        fray_broker_session_subscribe(parties[2].session, FRAY_SLICE("4"), &options, &existed),
        FRAY_ERR_LIMIT); /* of all sessions */
}

/* ------------------------------------------------------------------ taking over */

static void a_client_identifier_is_taken_over_with_its_session(void **state)
{
    struct party watcher = {0}, former = {0}, latter = {0};
    struct fray_broker_connect connect = usual;
    (void)state;
    connect_as(&watcher, "watcher", usual);
    subscribe(&watcher, "will", (struct fray_subscription){.qos = 1});
    a_will(&connect, "taken", 0, 0);
    connect_as(&former, "same", connect);
    subscribe(&former, "t", (struct fray_subscription){.qos = 1});
    publish(NULL, "t", "unacknowledged", 1);
    heard(&former, "t=unacknowledged q1\n");
    assert_true(connect_as(&latter, "same", usual));
    heard(&former, "taken 8e\n");
    heard(&latter, "t=unacknowledged q1 dup\n");
    heard(&watcher, "will=taken q1\n");
    assert_int_equal(broker.connected, 2);

    struct party clean = {0};
    connect = usual;
    connect.clean_start = true;
    assert_false(connect_as(&clean, "same", connect));
    heard(&latter, "taken 8e\n");
    heard(&clean, "");
    assert_int_equal(publish(NULL, "t", "nobody's", 1), 0);
}

static void a_session_of_no_expiry_ends_with_its_connection(void **state)
{
    struct party party = {0};
    struct fray_broker_connect connect = usual;
    (void)state;
    connect.expiry_s = 0;
    connect_as(&party, "brief", connect);
    subscribe(&party, "t", (struct fray_subscription){0});
    leave(&party);
    assert_int_equal(broker.sessions.count, 0);
    assert_false(connect_as(&party, "brief", connect));
    connect.expiry_s = 5000; /* more than is granted */
    connect_as(&party, "brief", connect);
    assert_int_equal(party.session->expiry_s, 1000);
}

#define BROKER_TEST(test) cmocka_unit_test_setup_teardown(test, open_broker, close_broker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKER_TEST(overlapping_subscriptions_are_one_delivery),
        BROKER_TEST(no_local_is_about_one_subscription),
        BROKER_TEST(a_member_of_a_group_also_hears_for_itself),
        BROKER_TEST(who_is_away_is_passed_over_while_somebody_is_there),
        BROKER_TEST(what_an_ended_member_was_owed_goes_to_another),
        BROKER_TEST(what_was_not_shared_ends_with_its_session),
        BROKER_TEST(a_will_waits_for_its_delay_or_the_end_of_the_session),
        BROKER_TEST(a_will_is_not_published_after_a_polite_end),
        BROKER_TEST(a_wills_expiry_begins_when_it_is_published),
        BROKER_TEST(an_expiry_counts_down_while_a_message_waits),
        BROKER_TEST(a_full_queue_drops_the_newest_and_counts_it),
        BROKER_TEST(bytes_bound_the_queue_too),
        BROKER_TEST(the_receive_maximum_holds_back_what_is_next),
        BROKER_TEST(sessions_and_subscriptions_are_bounded),
        BROKER_TEST(a_client_identifier_is_taken_over_with_its_session),
        BROKER_TEST(a_session_of_no_expiry_ends_with_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
