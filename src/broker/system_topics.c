#include "broker/system_topics.h"

static void publish(struct fray_broker *broker, const char *name, struct fray_slice payload)
{
    struct fray_buf topic = {0};
    fray_buf_printf(&topic, "$SYS/broker/%s", name);
    struct fray_publication *publication = fray_publication_create(
        &(struct fray_mqtt_publish){
            .retain = true, .topic = fray_buf_slice(&topic), .payload = payload},
        *broker->worker->now_us, &broker->worker->scratch);
    fray_broker_dispatch(broker, NULL, publication);
    fray_publication_unref(publication);
    fray_buf_deinit(&topic);
}

static void publish_count(struct fray_broker *broker, const char *name, uint64_t count)
{
    struct fray_buf text = {0};
    fray_buf_append_uint(&text, count);
    publish(broker, name, fray_buf_slice(&text));
    fray_buf_deinit(&text);
}

static void publish_all(struct fray_system_topics *topics, uint64_t now_us)
{
    struct fray_broker *broker = topics->broker;
    const struct fray_counters *counters = &broker->worker->counters;
    struct fray_buf uptime = {0};
    fray_buf_printf(&uptime, "%llu seconds",
                    (unsigned long long)((now_us - topics->started_us) / 1000000));
    publish(broker, "uptime", fray_buf_slice(&uptime));
    fray_buf_deinit(&uptime);
    uint64_t dropped = counters->mqtt_dropped_slow + counters->mqtt_dropped_absent +
                       counters->mqtt_dropped_queue_full + counters->mqtt_dropped_too_large +
                       counters->mqtt_expired;
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"clients/connected", broker->connected},
        {"clients/total", broker->sessions.count},
        {"clients/disconnected", broker->sessions.count - broker->connected},
        {"subscriptions/count", fray_subscription_trie_count(&broker->subscriptions)},
        {"retained messages/count", fray_retained_count(&broker->retained)},
        {"publish/messages/received", counters->mqtt_publishes_in},
        {"publish/messages/sent", counters->mqtt_publishes_out},
        {"publish/messages/dropped", dropped},
        {"connections/accepted", counters->mqtt_connects},
        {"connections/refused", counters->mqtt_connects_refused},
        {"connections/taken over", counters->mqtt_takeovers},
        {"denied", counters->mqtt_denied},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        publish_count(broker, counts[i].name, counts[i].count);
}

static void on_interval(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_system_topics *topics =
        (struct fray_system_topics *)((char *)timer - offsetof(struct fray_system_topics, timer));
    publish_all(topics, now_us);
    fray_timer_arm(topics->broker->worker->timers, timer, now_us + topics->interval_us);
}

void fray_system_topics_start(struct fray_system_topics *topics, struct fray_broker *broker,
                              unsigned interval_ms, const char *version)
{
    uint64_t now_us = *broker->worker->now_us;
    *topics = (struct fray_system_topics){.broker = broker,
                                          .timer.on_expire = on_interval,
                                          .interval_us = interval_ms * UINT64_C(1000),
                                          .started_us = now_us};
    if (!interval_ms)
        return;
    struct fray_buf text = {0};
    fray_buf_printf(&text, "fray %s", version);
    publish(broker, "version", fray_buf_slice(&text));
    fray_buf_deinit(&text);
    publish_all(topics, now_us);
    fray_timer_arm(broker->worker->timers, &topics->timer, now_us + topics->interval_us);
}

void fray_system_topics_stop(struct fray_system_topics *topics)
{
    if (topics->broker)
        fray_timer_cancel(topics->broker->worker->timers, &topics->timer);
}
