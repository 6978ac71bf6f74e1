/* Private to src/server/envelope_*.c: what /ws, /poll and /sse share. */
#ifndef FRAY_SERVER_ENVELOPE_ENDPOINT_H
#define FRAY_SERVER_ENVELOPE_ENDPOINT_H

#include "server/server.h"

/* Bytes of a request's body, or of a frame, that are read at all. */
size_t fray_envelope_body_max(const fray_server *server);

/* Replies {"type":"error","content":{"code":…,"message":…}}. */
void fray_envelope_refuse(fray_request *request, int status, const char *code, const char *message);

/* The namespace that the query names, "/" when it names none. NULL: the request was refused. */
fray_namespace *fray_envelope_namespace(fray_request *request);

/* The query's parameters as an object of strings: what Socket.IO's clients give as auth. New
 * reference. */
json_t *fray_envelope_query_auth(const fray_request *request);

/* on_head of what opens sessions: goes to where on_handshake is asked. */
void fray_envelope_on_opening_head(fray_request *request, void *context);

/* Adds a route whose context is the server's envelope endpoint, unless the path is an
 * application's. */
FRAY_MUST_CHECK enum fray_err fray_envelope_route_add(fray_server *server,
                                                      const struct fray_http_route *route);

/* envelope_http.c */
FRAY_MUST_CHECK enum fray_err fray_envelope_http_add(fray_server *server);

#endif
