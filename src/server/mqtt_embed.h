/* Subscribers of this program (fray/broker.h) as sessions of the broker. Inside src/server only. */
#ifndef FRAY_SERVER_MQTT_EMBED_H
#define FRAY_SERVER_MQTT_EMBED_H

#include "broker/broker.h"

/* Ends all of them: the worker has stopped. */
void fray_mqtt_embed_end_all(struct fray_broker *broker);

#endif
