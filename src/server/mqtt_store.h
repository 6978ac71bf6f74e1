/* The broker's journal in the store: a turn's rows are committed before its acknowledgements are
 * written. While the disk takes nothing, whoever was to be told in that turn is cut instead, what
 * would have to be kept is refused, and the commit is tried again. Inside src/server only. */
#ifndef FRAY_SERVER_MQTT_STORE_H
#define FRAY_SERVER_MQTT_STORE_H

#include "protocol/mqtt.h"
#include "server/config.h"
#include "store/store.h"

struct fray_mqtt_store;

/* Opens the store in config->data and loads the broker from it. FRAY_ERR_IO, and a sentence. */
FRAY_MUST_CHECK enum fray_err fray_mqtt_store_open(const struct fray_config *config,
                                                   struct fray_mqtt_config *mqtt,
                                                   struct fray_mqtt_store **store,
                                                   struct fray_buf *error);
/* Commits; at the end of each turn. */
void fray_mqtt_store_commit(struct fray_mqtt_store *store);
/* Commits a last time. NULL is fine. */
void fray_mqtt_store_close(struct fray_mqtt_store *store);

#endif
