/* Rooms of Socket.IO namespaces as MQTT topics (broker/room_event.h), both ways. A message
 * published to fray/… is broadcast to the room, on the namespace's home worker; what is broadcast
 * to a room reaches MQTT's subscribers, on the broker's. What came over the bridge does not go
 * back. Inside src/server only. */
#ifndef FRAY_SERVER_MQTT_BRIDGE_H
#define FRAY_SERVER_MQTT_BRIDGE_H

#include "broker/broker.h"
#include "protocol/mqtt.h"

struct fray_mqtt_bridge {
    struct fray_broker_bridge from_broker; /* first */
    struct fray_observer from_rooms;
    struct fray_mqtt_rooms rooms; /* those of app.mqtt_sockets the bridge leaves alone */
    struct fray_server *server;
    struct fray_broker *broker;
    struct fray_buf scratch; /* on the broker's worker */
};

void fray_mqtt_bridge_init(struct fray_mqtt_bridge *bridge, struct fray_server *server,
                           struct fray_broker *broker);
void fray_mqtt_bridge_deinit(struct fray_mqtt_bridge *bridge);

#endif
