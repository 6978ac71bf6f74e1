/* The operator's HTTP API below /admin (docs/admin.md, docs/openapi.yaml): who is connected, and
 * the network lab. There only with the option admin_token.
 *
 *     GET    /admin/sessions               who is connected
 *     DELETE /admin/sessions/<id>          disconnects
 *     GET    /admin/lab    PUT /admin/lab  the network lab for all
 *     PUT    /admin/lab/sessions/<id>      for one session; DELETE: as all others again
 *
 * Sessions are the workers' own, so a request becomes an *errand*: a parcel that visits the workers
 * that it concerns, one after another, and comes back to be answered. No lock, and nothing on the
 * path of messages. Inside src/server only. */
#ifndef FRAY_SERVER_ADMIN_H
#define FRAY_SERVER_ADMIN_H

#include "server/server.h"

enum { FRAY_ADMIN_ID_MAX = 40, FRAY_ADMIN_GUESSERS = 256 };

/* Addresses that gave a wrong token of late, per worker: who does it ten times within a minute is
 * not asked for the rest of it. */
struct fray_admin_guard {
    struct {
        uint8_t network[8]; /* IPv4 address, or the /64 of an IPv6 address */
        uint32_t minute, count;
    } guessers[FRAY_ADMIN_GUESSERS]; /* by hash: a newcomer may take another's place */
};

/* A session's name: "<worker>-<index>-<generation>", in no way a secret. */
struct fray_admin_id {
    uint32_t worker;
    struct fray_handle handle;
};

struct fray_admin_errand {
    struct fray_parcel parcel; /* first */
    fray_server *server;
    struct fray_server_worker *origin;
    fray_request *request; /* the origin's; NULL: its client has gone */
    uint32_t next, last;   /* workers to visit */
    /* On the worker visited; false: the rest need not be visited. */
    bool (*visit)(struct fray_server_worker *worker, struct fray_admin_errand *errand);
    struct fray_admin_id id;
    struct fray_lab_settings settings;
    bool has_settings;
    uint32_t limit;   /* sessions that may still be listed */
    json_t *sessions; /* listed */
    bool is_found, has_more;
};

/* Sends the request on its errand; copied. Visits workers next..last. */
void fray_admin_send(fray_request *request, const struct fray_admin_errand *errand);

/* admin_sessions.c */
bool fray_admin_visit_list(struct fray_server_worker *worker, struct fray_admin_errand *errand);
void fray_admin_id_format(struct fray_admin_id id, char text[FRAY_ADMIN_ID_MAX]);
FRAY_MUST_CHECK enum fray_err fray_admin_id_parse(struct fray_slice text, struct fray_admin_id *id);

/* Adds the routes, if there is a token. */
FRAY_MUST_CHECK enum fray_err fray_admin_add_routes(fray_server *server);

#endif
