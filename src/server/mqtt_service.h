/* MQTT in the server: the broker on the first worker, its listeners and its endpoint.
 *
 * Links that another worker accepted are moved to the broker's when their first byte, or the path
 * of their request, says MQTT (docs/decisions.md). Inside src/server only. */
#ifndef FRAY_SERVER_MQTT_SERVICE_H
#define FRAY_SERVER_MQTT_SERVICE_H

#include "protocol/mqtt.h"
#include "transport/tcp.h"

struct fray_server;
struct fray_server_worker;
struct fray_mqtt_service;

enum {
    FRAY_MQTT_FIRST_BYTE = 0x10
}; /* CONNECT with its flags (3.1.1); HTTP and TLS begin otherwise */

/* Makes server->mqtt; nothing with the option mqtt off. After the workers, before the namespaces.
 * FRAY_ERR_CONFIG, FRAY_ERR_IO: the sentence is in fray_server_error. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_service_create(struct fray_server *server);
/* The route of mqtt_path, where no application has it. NULL is fine. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_service_add_route(struct fray_mqtt_service *service);
/* The workers have stopped. NULL is fine. */
void fray_mqtt_service_destroy(struct fray_mqtt_service *service);

/* An MQTT connection, whole: takes the stream, which `worker` has. Returns what was consumed of
 * the bytes just offered, as on_data does. */
size_t fray_mqtt_service_open(struct fray_server_worker *worker, struct fray_stream *stream,
                              struct fray_slice early);

/* On the broker's worker, at the end of each turn, before anything is written. */
void fray_mqtt_service_end_turn(struct fray_mqtt_service *service);
/* On the broker's worker: the server drains. MQTT clients would never leave by themselves. */
void fray_mqtt_service_drain(struct fray_mqtt_service *service);

#endif
