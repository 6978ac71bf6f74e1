/* The network lab's settings: for all clients and for single sessions (docs/network-lab.md). What
 * they do to connections is net/lab_wire.h's; what they do to unreliable messages is done here.
 *
 * A session's own settings follow it from link to link: a polling session has another connection
 * with each request, an upgrade brings another link.
 *
 * Each worker has a lab, in force only while something is on: worker->base.lab is NULL otherwise.
 * Thread: the worker's, but for what says otherwise. */
#ifndef FRAY_SERVER_LAB_H
#define FRAY_SERVER_LAB_H

#include <jansson.h>

#include "net/lab.h"
#include "room/namespace.h"

struct fray_config;
struct fray_server;
struct fray_server_lab;
struct fray_server_worker;

/* What who is not the operator may ask for. */
enum {
    FRAY_LAB_SELF_DELAY_MAX_MS = 1000, /* jitter, too */
    FRAY_LAB_SELF_PERCENT_MAX = 50,
    FRAY_LAB_SELF_RATE_MIN_KBPS = 64,
};

/* What the options say. */
struct fray_lab_settings fray_server_lab_of(const struct fray_config *config);

/* Heap; no worker runs yet. */
struct fray_server_lab *fray_server_lab_create(struct fray_server_worker *worker);
/* Before the worker's loop. */
void fray_server_lab_destroy(struct fray_server_lab *lab);

/* For every session of this worker that has no settings of its own. */
void fray_server_lab_set_all(struct fray_server_lab *lab, const struct fray_lab_settings *settings);
const struct fray_lab_settings *fray_server_lab_all(const struct fray_server_lab *lab);

/* For one session, until it ends. NULL: as all others. */
void fray_server_lab_set(struct fray_server_lab *lab, struct fray_session *session,
                         const struct fray_lab_settings *settings);
/* Its own settings; NULL: it has none. */
const struct fray_lab_settings *fray_server_lab_get(const struct fray_server_lab *lab,
                                                    const struct fray_session *session);

/* fray_namespace_options.lab: a socket asks for settings of its own (null: as all others). Returns
 * what is wrong with them, for `reason`, or FRAY_OK. The namespace's home worker. */
enum fray_err fray_server_lab_ask(void *context, const fray_socket *socket, const json_t *wanted,
                                  struct fray_buf *reason);

/* lab_json.c: both pure.
 *
 * {"delay_ms": 150, "jitter_ms": 20, …}: what is missing is 0. FRAY_ERR_SYNTAX: `reason` has a
 * sentence, and nothing was written. `is_self`: within what who is not the operator may ask for. */
FRAY_MUST_CHECK enum fray_err fray_lab_settings_read(const json_t *object, bool is_self,
                                                     struct fray_lab_settings *settings,
                                                     struct fray_buf *reason);
json_t *fray_lab_settings_json(const struct fray_lab_settings *settings); /* a new reference */

#endif
