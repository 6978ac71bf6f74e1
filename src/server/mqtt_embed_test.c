/* The broker inside a program: a whole server, and no client. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fray/broker.h"

#include <cmocka.h>

struct listener {
    sem_t heard;
    char last[64];
    unsigned count, ended;
};

static void on_message(const struct fray_broker_message *message, void *context)
{
    struct listener *listener = context;
    snprintf(listener->last, sizeof listener->last, "%s=%.*s/%u%s", message->topic,
             (int)message->len, (const char *)message->payload, message->qos,
             message->retain ? "/retained" : "");
    listener->count++;
    sem_post(&listener->heard);
}

static void on_end(void *context)
{
    struct listener *listener = context;
    listener->ended++;
    sem_post(&listener->heard);
}

static fray_broker_subscription *subscribe(fray_broker *broker, const char *filter,
                                           struct listener *listener)
{
    return fray_broker_subscribe(broker, &(struct fray_broker_subscriber){.filter = filter,
                                                                          .on_message = on_message,
                                                                          .on_end = on_end,
                                                                          .context = listener});
}

static void publish(fray_broker *broker, const char *topic, const char *payload, unsigned qos,
                    bool retain)
{
    assert_int_equal(
        fray_broker_publish(broker, &(struct fray_broker_message){.topic = topic,
                                                                  .payload = payload,
                                                                  .len = strlen(payload),
                                                                  .qos = qos,
                                                                  .retain = retain}),
        0);
}

struct answerer {
    fray_broker *broker;
    int err;
};

static void on_question(const struct fray_broker_message *message, void *context)
{
    struct answerer *answerer = context;
    answerer->err = fray_broker_publish(
        answerer->broker, &(struct fray_broker_message){.topic = message->response_topic,
                                                        .payload = message->correlation,
                                                        .len = message->correlation_len,
                                                        .qos = message->qos});
}

static void a_program_asks_and_answers(void **state)
{
    (void)state;
    struct listener listener = {0};
    sem_init(&listener.heard, 0, 0);
    fray_server *server = fray_server_create();
    assert_int_equal(fray_server_set(server, "listen", "127.0.0.1:0"), 0);
    assert_int_equal(fray_server_set(server, "workers", "2"), 0);
    assert_int_equal(fray_server_set(server, "log_level", "error"), 0);
    assert_int_equal(fray_server_start(server), 0);
    struct answerer answerer = {.broker = fray_server_broker(server), .err = -1};
    assert_non_null(fray_broker_subscribe(
        answerer.broker, &(struct fray_broker_subscriber){
                             .filter = "ask", .on_message = on_question, .context = &answerer}));
    assert_non_null(subscribe(answerer.broker, "answers/+", &listener));
    struct fray_broker_message question = {.topic = "ask",
                                           .qos = 1,
                                           .response_topic = "answers/mine",
                                           .correlation = "17",
                                           .correlation_len = 2};
    assert_int_equal(fray_broker_publish(answerer.broker, &question), 0);
    sem_wait(&listener.heard);
    assert_string_equal(listener.last, "answers/mine=17/1");
    assert_int_equal(answerer.err, 0);
    question.response_topic = "answers/+";
    assert_int_equal(fray_broker_publish(answerer.broker, &question), FRAY_ERR_SYNTAX);
    fray_server_stop(server);
    fray_server_wait(server);
    fray_server_destroy(server);
    sem_destroy(&listener.heard);
}

static void a_program_publishes_and_subscribes(void **state)
{
    (void)state;
    struct listener listener = {0};
    sem_init(&listener.heard, 0, 0);
    fray_server *server = fray_server_create();
    assert_int_equal(fray_server_set(server, "listen", "127.0.0.1:0"), 0);
    assert_int_equal(fray_server_set(server, "workers", "2"), 0);
    assert_int_equal(fray_server_set(server, "log_level", "error"), 0);
    assert_int_equal(fray_server_start(server), 0);
    fray_broker *broker = fray_server_broker(server);
    assert_non_null(broker);

    publish(broker, "a/kept", "1", 1, true);
    fray_broker_subscription *subscription = subscribe(broker, "a/+", &listener);
    sem_wait(&listener.heard);
    assert_string_equal(listener.last, "a/kept=1/1/retained");
    publish(broker, "b/other", "2", 0, false);
    publish(broker, "a/live", "3", 2, false);
    sem_wait(&listener.heard);
    assert_string_equal(listener.last, "a/live=3/2");
    fray_broker_unsubscribe(subscription);
    sem_wait(&listener.heard);
    publish(broker, "a/live", "4", 0, false);
    assert_non_null(subscribe(broker, "#", &listener));
    sem_wait(&listener.heard); /* the retained one: the 4 was published before */
    assert_int_equal(listener.count, 3);
    assert_int_equal(listener.ended, 1);

    assert_null(subscribe(broker, "a/#/b", &listener));
    assert_int_equal(fray_broker_publish(broker, &(struct fray_broker_message){.topic = "a/+"}),
                     FRAY_ERR_SYNTAX);
    fray_server_stop(server);
    fray_server_wait(server);
    assert_int_equal(fray_broker_publish(broker, &(struct fray_broker_message){.topic = "a"}),
                     FRAY_ERR_CLOSED);
    fray_server_destroy(server);
    assert_int_equal(listener.ended, 2);
    sem_destroy(&listener.heard);
}

static void without_mqtt_there_is_no_broker(void **state)
{
    (void)state;
    fray_server *server = fray_server_create();
    assert_int_equal(fray_server_set(server, "listen", "127.0.0.1:0"), 0);
    assert_int_equal(fray_server_set(server, "log_level", "error"), 0);
    assert_int_equal(fray_server_set(server, "mqtt", "false"), 0);
    assert_null(fray_server_broker(server));
    assert_int_equal(fray_server_start(server), 0);
    assert_null(fray_server_broker(server));
    fray_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_asks_and_answers),
        cmocka_unit_test(a_program_publishes_and_subscribes),
        cmocka_unit_test(without_mqtt_there_is_no_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
