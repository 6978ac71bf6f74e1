/* Which handler answers a request: by method and path.
 *
 *     fray_http_router_add(router, &(struct fray_http_route){"GET", "/healthz", handle, context});
 *     service.on_head: fray_http_router_head(router, request)
 *     service.on_request: fray_http_router_route(router, request)
 *
 * Of the routes that match, the longest path wins, an exact one over a prefix. Where only the
 * method is wrong the answer is 405 with Allow; OPTIONS is answered from what there is; HEAD goes
 * to GET's handler, and the transport leaves the body out.
 *
 * Built before serving, then only read: any thread. Owner: whoever created it. */
#ifndef FRAY_SERVER_HTTP_ROUTER_H
#define FRAY_SERVER_HTTP_ROUTER_H

#include "server/http_cors.h"

struct fray_http_router;

struct fray_http_route {
    const char *method; /* "GET", …; NULL: all of them, OPTIONS and upgrades included */
    const char *path;   /* decoded; exact, or a prefix when it ends in "*" */
    void (*handle)(fray_request *request, void *context); /* replies, keeps or upgrades */
    void *context;
    /* The head is there, the body not yet: may set max_body, reply, or move the request to another
     * worker. NULL: nothing to do. */
    void (*on_head)(fray_request *request, void *context);
    const struct fray_http_cors *cors; /* applied to every reply to this path; NULL: none */
};

struct fray_http_router *fray_http_router_create(void);
void fray_http_router_destroy(struct fray_http_router *router);

/* Copies the route; its strings and pointers are borrowed for as long as the router lives.
 * FRAY_ERR_EXISTS when there is one of that method and path, FRAY_ERR_SYNTAX for a method or path
 * that no request has. */
FRAY_MUST_CHECK enum fray_err fray_http_router_add(struct fray_http_router *router,
                                                   const struct fray_http_route *route);

/* In on_head: adds CORS headers, so that what the transport refuses later (413) has them too; then
 * answers 415 to a body with a Content-Encoding, or asks the route's on_head. */
void fray_http_router_head(const struct fray_http_router *router, fray_request *request);

/* In on_request: calls the handler, or answers 204 to OPTIONS, 400, 404 or 405. */
void fray_http_router_route(const struct fray_http_router *router, fray_request *request);

#endif
