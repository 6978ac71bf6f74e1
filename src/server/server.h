/* The server: workers, namespaces, endpoints and routes, built in the order of dependence by
 * fray_server_start and taken apart in reverse by fray_server_destroy (server.c). Inside src/server
 * only.
 *
 * Thread: built and taken apart by the application's thread; in between, what is not a worker's own
 * is only read. */
#ifndef FRAY_SERVER_SERVER_H
#define FRAY_SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/tls.h"
#include "protocol/envelope.h"
#include "protocol/socketio.h"
#include "server/address_limit.h"
#include "server/config.h"
#include "server/http_router.h"
#include "server/jwt.h"
#include "server/lab.h"
#include "server/metrics.h"
#include "server/mqtt_service.h"
#include "server/static_files.h"
#include "transport/cursor.h"
#include "transport/websocket.h"

struct fray_endpoint;

/* What is spoken on a port. On the common one HTTP, TLS and MQTT are told apart by first bytes. */
enum fray_port_kind { FRAY_PORT_COMMON, FRAY_PORT_MQTT, FRAY_PORT_MQTTS };

struct fray_port {
    struct fray_address address;
    enum fray_port_kind kind; /* other than the common ones: on the broker's worker alone */
};
struct fray_listener;
struct fray_outgoing;

/* What one endpoint (an app's path) keeps on one worker. */
struct fray_endpoint_worker {
    struct fray_engineio_config engineio;
    struct fray_socketio_config socketio;
};

/* What /ws, /poll and /sse keep on one worker. */
struct fray_envelope_worker {
    struct fray_envelope_config config;
    struct fray_cursor_service cursor;
};

enum { FRAY_RANDOM_POOL = 4096 };

/* A worker with all that its thread owns. */
struct fray_server_worker {
    struct fray_worker base; /* first */
    fray_server *server;
    struct fray_loop *loop;
    struct fray_hook hook;
    struct fray_http_service http;
    struct fray_websocket_service websocket;
    struct fray_server_lab *lab;
    struct fray_admin_guard *admin_guard;   /* admin.h; NULL: no API */
    struct fray_endpoint_worker *endpoints; /* by endpoint */
    struct fray_envelope_worker envelope;
    struct fray_listener *listeners; /* by listen address */
    size_t listeners_count;
    struct fray_outgoing *outgoing; /* parcels of this turn, by worker */
    uint8_t random[FRAY_RANDOM_POOL];
    size_t random_left;
    pthread_t thread;
    bool is_started; /* the thread runs */
    bool is_draining;
    size_t awaited;                /* while draining: sessions that somebody is connected to */
    struct fray_timer drain_timer; /* of the next look at them */
    atomic_bool is_idle;           /* draining, and nobody is awaited any more */
};

/* All namespaces by name; patterns make more on demand. */
struct fray_registry {
    pthread_mutex_t mutex;
    struct fray_name_map by_name;
    fray_namespace **all;
    size_t count;
};

/* A path that clients open sessions at. */
struct fray_endpoint {
    fray_server *server;
    unsigned index;
    const struct fray_app *app;
    fray_namespace *nsp; /* where bare messages go; whose home asks on_handshake */
    char *path;          /* without '*' at its end */
    char *pattern;       /* the route's */
    bool is_envelope;    /* refusals are in its words */
};

/* A route of an application. */
struct fray_app_route {
    fray_server *server;
    fray_namespace *nsp;
    const struct fray_route_handler *handler;
};

/* What workers stand on: epoll, threads and OpenSSL's generator, unless a simulation (tests/sim)
 * brings its own before fray_server_start. */
struct fray_server_platform {
    struct fray_loop *(*loop_create)(void *context); /* one for each worker; NULL: errno */
    void (*random)(void *context, void *bytes, size_t len);
    bool has_threads; /* each loop runs on one of its own; otherwise the caller runs them all */
    void *context;
};

enum fray_server_state { FRAY_SERVER_NEW, FRAY_SERVER_SERVING, FRAY_SERVER_STOPPED };

struct fray_server {
    struct fray_config config;
    struct fray_server_platform platform;
    struct fray_app *apps;
    size_t apps_count;
    struct fray_buf error;
    _Atomic enum fray_server_state state;
    int stop_event; /* eventfd: fray_server_stop was called, each time once */
    int idle_event; /* eventfd: a draining worker became idle */
    uint16_t port;

    struct fray_tls_context *tls; /* NULL: plain only */
    struct fray_server_worker **workers;
    struct fray_worker **bases; /* the same as room/ and session/ see them */
    unsigned workers_count;
    struct fray_registry registry;
    struct fray_http_cors cors;
    struct fray_http_router *router;
    struct fray_endpoint *endpoints;
    size_t endpoints_count;
    struct fray_endpoint envelope; /* of /ws, /poll and /sse */
    struct fray_jwt_verifier *jwt; /* NULL: everybody is a guest */
    struct fray_app_route *routes;
    size_t routes_count;
    struct fray_static_dir static_dir;
    const struct fray_game *const *games; /* that are hosted, up to a NULL; NULL: none */
    struct fray_metrics metrics;
    atomic_uint connections; /* of all workers */
    struct fray_address_limit address_limit;
    struct fray_mqtt_service *mqtt;  /* NULL: off */
    struct fray_observer *observer;  /* of every namespace; NULL: none */
    fray_namespace **app_namespaces; /* by app; NULL for a pattern's */
    char **owned;                    /* strings that live as long as the server */
    size_t owned_count;
};

enum {
    FRAY_SERVER_LAST_WORDS_MS = 2500, /* how long closed sessions may take to be gone */
};

/* The options, for who fills them all at once. */
struct fray_config *fray_server_config(fray_server *server);
/* Frees `text` with the server. */
void fray_server_own(fray_server *server, char *text);

/* Sets the sentence that fray_server_error returns, and returns `err`. */
enum fray_err fray_server_fail(fray_server *server, enum fray_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline struct fray_server_worker *fray_server_worker_of(const fray_request *request)
{
    return request->service->owner;
}

/* worker.c */
extern const struct fray_server_platform fray_server_platform_native;
struct fray_server_worker *fray_server_worker_create(fray_server *server, unsigned index);
FRAY_MUST_CHECK enum fray_err fray_server_worker_listen(struct fray_server_worker *worker,
                                                        const struct fray_port *ports,
                                                        size_t count);
FRAY_MUST_CHECK enum fray_err fray_server_worker_start(struct fray_server_worker *worker);
/* Any thread: stops listening, closes idle HTTP connections; is_idle follows when nobody is left.
 */
void fray_server_worker_drain(struct fray_server_worker *worker);
/* Any thread: closes every session and connection. */
void fray_server_worker_close(struct fray_server_worker *worker);
void fray_server_worker_join(struct fray_server_worker *worker);
void fray_server_worker_destroy(struct fray_server_worker *worker);

/* registry.c */
void fray_registry_init(struct fray_registry *registry);
void fray_registry_deinit(struct fray_registry *registry);
/* Before the workers start. FRAY_ERR_EXISTS. */
FRAY_MUST_CHECK enum fray_err fray_registry_add(fray_server *server, const struct fray_app *app,
                                                struct fray_slice name, fray_namespace **nsp);
/* Any worker's thread. NULL: no such namespace, and no pattern makes it. What is found stays for
 * one connection: until the socket that fray_member_connect makes is gone, or
 * fray_registry_release. */
fray_namespace *fray_registry_find(fray_server *server, struct fray_worker *finder,
                                   struct fray_slice name);

/* The same without making any. */
fray_namespace *fray_registry_find_made(fray_server *server, struct fray_slice name);

/* After a find that leads to no connection. The finder's thread. */
void fray_registry_release(struct fray_worker *finder, fray_namespace *nsp);

/* engineio_endpoint.c, websocket_endpoint.c, app_routes.c: each adds routes for what the apps want.
 */
FRAY_MUST_CHECK enum fray_err fray_engineio_endpoint_add(struct fray_endpoint *endpoint);
void fray_engineio_endpoint_worker_init(struct fray_endpoint *endpoint,
                                        struct fray_server_worker *worker);
void fray_engineio_endpoint_worker_deinit(struct fray_endpoint_worker *self);
FRAY_MUST_CHECK enum fray_err fray_websocket_endpoint_add(struct fray_endpoint *endpoint);
FRAY_MUST_CHECK enum fray_err fray_app_routes_add(fray_server *server);

/* envelope_endpoint.c; after all others, whose paths go first. */
FRAY_MUST_CHECK enum fray_err fray_envelope_endpoint_add(fray_server *server);

/* identity.c: the verifier of tokens, and what namespaces ask of it (room/namespace.h). */
FRAY_MUST_CHECK enum fray_err fray_server_identity_init(fray_server *server);
enum fray_err fray_server_identify(void *context, const json_t *auth,
                                   const struct fray_handshake *handshake,
                                   struct fray_identified *identified);
int64_t fray_server_unix_ms(void);
/* The token of an Authorization header; empty: none. */
struct fray_slice fray_server_bearer(struct fray_slice authorization);

/* What both endpoints do with a request for a websocket; false: it was answered with an error.
 * `link` has no session yet. */
bool fray_websocket_endpoint_check(fray_request *request);
struct fray_link *fray_websocket_endpoint_open(fray_request *request, uint32_t max_message,
                                               struct fray_slice subprotocol);

/* Answers a GET with a file of static_dir, else with a page inside the program (pages.h); 404. */
void fray_files_serve(fray_request *request);

/* The request's head as a handshake, one reference. */
struct fray_handshake *fray_handshake_of(const fray_request *request);

/* on_handshake of the endpoint's app, then `go_on`: at once, or when the application resolves the
 * request. */
void fray_handshake_ask(struct fray_endpoint *endpoint, fray_request *request,
                        void (*go_on)(struct fray_endpoint *endpoint, fray_request *request));
/* The worker that a handshake at this endpoint must be on. NULL: any. */
struct fray_server_worker *fray_handshake_place(const struct fray_endpoint *endpoint);

#endif
