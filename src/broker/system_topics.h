/* $SYS/broker/…: what the broker tells of itself, as retained messages that are made anew every
 * interval. The names are those that mosquitto's clients know. Thread: the broker's worker's. */
#ifndef FRAY_BROKER_SYSTEM_TOPICS_H
#define FRAY_BROKER_SYSTEM_TOPICS_H

#include "broker/broker.h"

struct fray_system_topics {
    struct fray_broker *broker;
    struct fray_timer timer;
    uint64_t interval_us;
    uint64_t started_us;
};

/* Publishes at once and then every interval_ms; 0: nothing, ever. `version` is borrowed. */
void fray_system_topics_start(struct fray_system_topics *topics, struct fray_broker *broker,
                              unsigned interval_ms, const char *version);
void fray_system_topics_stop(struct fray_system_topics *topics);

#endif
