/* The syntax of MQTT topic names and topic filters (4.7, 4.8.2; 3.1.1: 4.7). Matching is the
 * broker's (broker/topic.h). The text must be an MQTT string already: UTF-8 without NUL. Pure. */
#ifndef FRAY_WIRE_MQTT_TOPIC_H
#define FRAY_WIRE_MQTT_TOPIC_H

#include <stdbool.h>

#include "base/slice.h"

/* A topic to publish to: 1 to 65,535 bytes, no wildcard [MQTT-4.7.1-1] [MQTT-4.7.3-1]. */
bool fray_mqtt_topic_name_valid(struct fray_slice name);

/* A filter to subscribe to: `#` alone and last [MQTT-4.7.1-1], `+` alone in its level
 * [MQTT-4.7.1-2]; after `$share/` a share name and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]. */
bool fray_mqtt_topic_filter_valid(struct fray_slice filter);

/* Splits `$share/<group>/<filter>`. False, with an empty group and the whole text as filter, where
 * the subscription is not shared. The text must be a valid filter. Shared subscriptions are
 * understood in every version, as is usual among brokers; the prefix is reserved in none of them
 * for anything else. */
bool fray_mqtt_topic_filter_split(struct fray_slice text, struct fray_slice *group,
                                  struct fray_slice *filter);

#endif
