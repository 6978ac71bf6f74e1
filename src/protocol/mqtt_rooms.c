/* What MQTT clients may do with the topics of namespaces. */
#include "protocol/mqtt_connection.h"

static bool is_under(struct fray_slice topic, const struct fray_mqtt_room_prefix *prefix)
{
    size_t len = prefix->topic.len;
    return fray_slice_starts(topic, prefix->topic) &&
           (prefix->is_pattern || topic.len == len || topic.data[len] == '/');
}

const struct fray_mqtt_room_prefix *fray_mqtt_rooms_find(const struct fray_mqtt_rooms *rooms,
                                                         struct fray_slice topic)
{
    const struct fray_mqtt_room_prefix *found = NULL;
    if (!rooms || !fray_slice_starts(topic, FRAY_SLICE("fray/")))
        return NULL;
    for (size_t i = 0; i < rooms->count && !(found && !found->is_pattern); i++) {
        if (is_under(topic, &rooms->prefixes[i]))
            found = &rooms->prefixes[i];
    }
    return found;
}

bool fray_mqtt_is_socket_topic(const struct fray_mqtt_config *config, struct fray_slice topic)
{
    const struct fray_mqtt_room_prefix *prefix = fray_mqtt_rooms_find(config->rooms, topic);
    return prefix && prefix->part == FRAY_MQTT_HAS_SOCKETS;
}

bool fray_mqtt_may_speak(const struct fray_mqtt_config *config, struct fray_slice topic)
{
    const struct fray_mqtt_room_prefix *prefix = fray_mqtt_rooms_find(config->rooms, topic);
    return !prefix || prefix->part != FRAY_MQTT_HEARS_ROOMS;
}
