/* Who may connect over MQTT, and use which topics: the options mqtt_anonymous, mqtt_password_file,
 * mqtt_acl_file, and with auth = jwt tokens in place of passwords. Inside src/server only. */
#ifndef FRAY_SERVER_MQTT_ACCESS_H
#define FRAY_SERVER_MQTT_ACCESS_H

#include "protocol/mqtt.h"

struct fray_mqtt_access_control;
struct fray_server;
struct fray_server_worker;

/* Reads the files and sets *access, which stays NULL where everybody may do everything.
 * FRAY_ERR_CONFIG: the sentence is in fray_server_error. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_access_create(struct fray_server *server,
                                                      struct fray_server_worker *home,
                                                      struct fray_mqtt_access_control **access);
/* For fray_mqtt_config. */
struct fray_mqtt_access *fray_mqtt_access_of(struct fray_mqtt_access_control *access);
/* The worker has stopped. NULL is fine. */
void fray_mqtt_access_destroy(struct fray_mqtt_access_control *access);

#endif
