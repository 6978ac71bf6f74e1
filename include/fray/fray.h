/* fray/fray.h: a real-time multiplayer server in a C program.
 *
 *     int main(int argc, char **argv)
 *     {
 *         return fray_main(argc, argv, &(struct fray_app){
 *             .on_connect = on_connect,
 *             .events = {{"move", on_move}, {"attack", on_attack}},
 *         });
 *     }
 *
 * Words. A *session* is a connected party, whatever it speaks. A *socket* is a session inside a
 * *namespace*; it is what handlers are given. A *room* is a broadcast group inside a namespace. An
 * *event* has a name and arguments (JSON, with binary attachments). A *message* is an event on its
 * way out.
 *
 * Threads. Every namespace has one home thread. All of its handlers run there, one at a time, and
 * every function below that takes a namespace, socket, event or message of it must be called there;
 * so handlers never meet a lock. Namespaces may have different homes: what two of them share is the
 * program's to guard. fray_post is the one way in from other threads.
 *
 * Ownership. Parameters are borrowed for the call. Pointers that handlers are given are valid until
 * they return, except a fray_socket, which is valid until its on_disconnect returns; keep
 * fray_socket_id() to find one later.
 *
 * Formats are jansson's for json_pack and json_unpack, as a list of arguments: "i" is one integer,
 * "s, {s:i, s:i}" a string and an object. An empty format or NULL means no argument. A format that
 * does not fit its arguments is a bug of the caller and aborts with the format in the message. */
#ifndef FRAY_FRAY_H
#define FRAY_FRAY_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fray/err.h"

typedef struct fray_server fray_server;
typedef struct fray_namespace fray_namespace;
typedef struct fray_socket fray_socket;
typedef struct fray_event fray_event;
typedef struct fray_message fray_message;
typedef struct fray_request fray_request;
typedef struct fray_timer_handle fray_timer_handle;

enum { FRAY_EVENTS_MAX = 64, FRAY_ROUTES_MAX = 16, FRAY_SETTINGS_MAX = 16 };

/* ------------------------------------------------------------------ what an application is made of
 */

/* What a namespace's clients speak. */
enum fray_protocol_kind {
    FRAY_SOCKETIO = 0, /* events: Socket.IO 5 (Engine.IO 4); {type, content} over WebSocket,
                          polling, Server-Sent Events */
    FRAY_ENGINEIO = 1, /* bare messages over Engine.IO 4, at the path `name`; events sent there
                          travel as Socket.IO's packets */
    FRAY_WEBSOCKET =
        2, /* bare messages over WebSocket (RFC 6455), at the path `name`; "*" is any other path */
};

/* The verdict of on_handshake and on_authorize. */
enum fray_verdict {
    FRAY_ACCEPT = 0,
    FRAY_REJECT, /* the reason was set with fray_request_reject_reason / fray_socket_reject_reason
                  */
    FRAY_LATER,  /* the application calls fray_request_resolve itself, on any later turn
                    (on_handshake only) */
};

/* Why a socket ended: Socket.IO's own words, from fray_disconnect_text. */
enum fray_disconnect {
    FRAY_CLIENT_LEFT,         /* "client namespace disconnect" */
    FRAY_SERVER_DISCONNECTED, /* "server namespace disconnect" */
    FRAY_TRANSPORT_CLOSE,     /* the connection went away */
    FRAY_TRANSPORT_ERROR,     /* the connection broke */
    FRAY_PING_TIMEOUT,        /* no pong in time */
    FRAY_PARSE_ERROR,         /* the client broke the protocol */
    FRAY_SLOW_READER,         /* more was owed to it than outbox_max_* allows */
    FRAY_FLOODING,            /* it sent more than messages_per_second allows */
    FRAY_SERVER_SHUTDOWN,     /* the server drains */
    FRAY_SESSION_TAKEN,       /* recovered on another connection */
};

typedef void fray_event_fn(fray_socket *socket, const fray_event *event, void *app);

struct fray_event_handler {
    const char *name; /* NULL ends the list */
    fray_event_fn *handle;
};

struct fray_route_handler {
    const char *method; /* "GET", "POST", …; NULL ends the list. HEAD is answered from GET */
    const char *path;   /* exact, or a prefix when it ends in "*" */
    void (*handle)(fray_request *request, void *app);
};

/* The value that a program wants an option of docs/config.md to have. */
struct fray_setting {
    const char *option; /* NULL ends the list */
    const char *value;
};

/* One namespace and its handlers. Everything is optional; zero-initialise it. Copied by the server;
 * strings are not, keep them. */
struct fray_app {
    const char *name; /* the namespace: NULL = "/". "/chat"; a pattern with one "*" ("/room-*")
                         makes namespaces on demand */
    enum fray_protocol_kind protocol;
    void *app; /* passed to every handler */
    bool chat; /* "chat_message" in every room: docs/protocols.md; limits are options */
    /* MQTT clients are sockets of it like all others: what they publish to
     * fray/<namespace>/me/<event> goes to the handlers, and what is sent to them comes to that
     * topic (docs/protocols.md). Its rooms are no topics then. */
    bool mqtt_sockets;
    /* Without mqtt_sockets they hear what rooms are told, as topics, and say nothing. With this
     * they also publish into rooms, past the handlers, and all who are there hear it as if the
     * server had said it: for sensors and the like. A namespace without handlers (`events`,
     * on_message) lets them anyway. */
    bool mqtt_rooms;
    bool keep_handshake;     /* keep auth and handshake for as long as the socket lives */
    size_t socket_data_size; /* bytes of user data for each socket, zeroed: fray_socket_data */

    /* Before a session exists: the HTTP request that would open it. May add reply headers. */
    enum fray_verdict (*on_handshake)(fray_request *request, void *app);
    /* Before a socket is connected (Socket.IO's middleware): look at fray_socket_auth. */
    enum fray_verdict (*on_authorize)(fray_socket *socket, void *app);
    void (*on_connect)(fray_socket *socket, void *app);
    /* A client asks to be in a room (event "join", to which "leave" is the other half). NULL: there
     * are no such events, and rooms are joined by fray_socket_join alone; so no client hears of a
     * room that nobody meant it to. FRAY_LATER is not for here. */
    enum fray_verdict (*on_join)(fray_socket *socket, const char *room, void *app);
    void (*on_disconnect)(fray_socket *socket, enum fray_disconnect reason, void *app);
    /* The last look at a socket's user data, to free what it points to: after on_disconnect, or,
     * with connection state recovery, when the socket can no longer come back. NULL: the data needs
     * none. */
    void (*on_forget)(void *data, void *app);
    void (*on_drained)(fray_socket *socket,
                       void *app); /* after FRAY_QUEUED or FRAY_DROPPED: all is written */
    fray_event_fn *on_message;     /* bare messages; and events that no handler is named for */
    struct fray_event_handler events[FRAY_EVENTS_MAX];
    struct fray_route_handler routes[FRAY_ROUTES_MAX]; /* HTTP, on this namespace's home thread */

    void (*on_start)(fray_server *server, fray_namespace *nsp,
                     void *app); /* the home thread runs now */
    void (*on_stop)(fray_namespace *nsp, void *app);
    const char *static_dir; /* files served at "/", below the routes and over fray's own pages
                               (option pages); NULL for none */

    /* The program's own defaults for the whole server's options. fray_main reads configuration
     * file, environment and command line over them; fray_server_add sets them, and a later
     * fray_server_set goes over them. */
    struct fray_setting settings[FRAY_SETTINGS_MAX];
};

/* ------------------------------------------------------------------ a program that is a server */

/* Reads options (command line, FRAY_… environment, --config FILE), serves until SIGTERM or SIGINT,
 * drains, and returns the exit code: 0, 1 when serving failed, 2 for a wrong option. Each was
 * explained in one sentence on standard error. */
FRAY_API int fray_main(int argc, char **argv, const struct fray_app *app);
/* The same with several namespaces. */
FRAY_API int fray_main_apps(int argc, char **argv, const struct fray_app *apps, size_t apps_count);

/* ------------------------------------------------------------------ a server inside a program */

/* Options by name, as in docs/config.md ("ping_interval_ms", "25000"). FRAY_ERR_CONFIG: the
 * sentence is in fray_server_error. */
FRAY_API fray_server *fray_server_create(void);
FRAY_API enum fray_err fray_server_set(fray_server *server, const char *option,
                                       const char *value) FRAY_MUST_CHECK;
FRAY_API enum fray_err fray_server_add(fray_server *server,
                                       const struct fray_app *app) FRAY_MUST_CHECK;
/* Listens and starts the worker threads; returns at once. */
FRAY_API enum fray_err fray_server_start(fray_server *server) FRAY_MUST_CHECK;
/* The port of the first listen address: the one the kernel chose when port 0 was asked for. */
FRAY_API uint16_t fray_server_port(const fray_server *server);
/* What fray_main does after adding the apps: options over those set before, start, wait. Returns
 * the exit code. */
FRAY_API int fray_server_run(fray_server *server, int argc, char **argv);
/* Waits until fray_server_stop. Any thread. */
FRAY_API void fray_server_wait(fray_server *server);
/* Stops accepting, lets sessions end for at most drain_timeout_ms, then closes them. Any thread,
 * also a signal handler. */
FRAY_API void fray_server_stop(fray_server *server);
FRAY_API void fray_server_destroy(fray_server *server);
FRAY_API const char *fray_server_error(const fray_server *server);

/* Runs run(argument) on the namespace's home thread. Any thread; FRAY_ERR_CLOSED once the server
 * has stopped. */
FRAY_API enum fray_err fray_post(fray_namespace *nsp,
                                 void (*run)(fray_namespace *nsp, void *argument), void *argument);
/* NULL when there is none of that name. Any thread, after fray_server_start. */
FRAY_API fray_namespace *fray_server_namespace(fray_server *server, const char *name);

/* ------------------------------------------------------------------ namespaces, sockets, rooms */

FRAY_API const char *fray_namespace_name(const fray_namespace *nsp);
FRAY_API void *fray_namespace_app(const fray_namespace *nsp);
FRAY_API size_t fray_namespace_sockets(const fray_namespace *nsp); /* how many */
FRAY_API fray_socket *fray_namespace_find(const fray_namespace *nsp, const char *socket_id);
/* Calls visit for each socket of the room (NULL: of the namespace); visit may disconnect the one
 * that it is given. */
FRAY_API void fray_namespace_each(fray_namespace *nsp, const char *room,
                                  void (*visit)(fray_socket *socket, void *context), void *context);
FRAY_API uint64_t fray_now_us(const fray_namespace *nsp); /* monotonic; the time of this turn */
FRAY_API uint64_t fray_random(fray_namespace *nsp);       /* 64 unpredictable bits */

FRAY_API fray_namespace *fray_socket_namespace(const fray_socket *socket);
FRAY_API const char *fray_socket_id(const fray_socket *socket); /* 20 characters, unguessable */
FRAY_API void *fray_socket_data(fray_socket *socket); /* socket_data_size bytes, 8-byte aligned */
FRAY_API bool fray_socket_recovered(
    const fray_socket *socket); /* connection state recovery: same id, data and rooms as before */
FRAY_API const json_t *
fray_socket_auth(fray_socket *socket); /* the CONNECT payload; NULL if none. Borrowed */
FRAY_API json_t *
fray_socket_handshake(fray_socket *socket); /* headers, time, address, xdomain, secure, issued, url,
                                               query, auth. New reference */
/* Auth and handshake are there during on_authorize and on_connect; afterwards, and in a session's
 * further namespaces, only with keep_handshake: they weigh more than all else. */
/* For on_authorize: becomes {"message": …, "data": …} of CONNECT_ERROR. `data` may be NULL; taken.
 */
FRAY_API void fray_socket_reject_reason(fray_socket *socket, const char *message, json_t *data);
FRAY_API void fray_socket_disconnect(fray_socket *socket, bool close_session);
/* Closes the session; where it is a websocket, its close frame has this code (4000 … 4999 are an
 * application's, RFC 6455 section 7.4.2) and reason (at most 123 bytes). */
FRAY_API void fray_socket_close(fray_socket *socket, unsigned code, const char *reason);
/* The claims of its token (option auth = jwt), verified; NULL: a guest. Borrowed */
FRAY_API const json_t *fray_socket_identity(const fray_socket *socket);
/* What to call it before others: by its token, or of a guest what it calls itself in auth, {"name":
 * …}; else "guest-1234". At most 32 characters, fit to be shown: no control characters, nothing
 * invisible, nothing that turns the direction of writing. */
FRAY_API const char *fray_socket_name(fray_socket *socket);
/* Calls it something else, cleaned likewise. False, and nothing changed: there is nothing to show
 * in that name. */
FRAY_API bool fray_socket_set_name(fray_socket *socket, const char *name);
FRAY_API const char *fray_disconnect_text(enum fray_disconnect reason);

/* FRAY_ERR_LIMIT beyond max_rooms_per_socket; joining twice is fine. Rooms exist while somebody is
 * in them. */
FRAY_API enum fray_err fray_socket_join(fray_socket *socket, const char *room);
FRAY_API void fray_socket_leave(fray_socket *socket, const char *room);
FRAY_API bool fray_socket_in(const fray_socket *socket, const char *room);
FRAY_API size_t fray_room_size(const fray_namespace *nsp, const char *room);

/* ------------------------------------------------------------------ sending */

/* What a message is owed. */
enum fray_class {
    FRAY_RELIABLE = 0, /* ordered; a reader too slow for it is closed */
    FRAY_LATEST,       /* replaces an unsent older one of the same key: the state of a thing */
    FRAY_TRANSIENT,    /* dropped where it would have to wait (Socket.IO's volatile) */
};

/* What became of a message to one socket; a broadcast returns the best of its members. Of a socket
 * whose connection another worker has, it is the last that this one heard: on_drained makes up for
 * it. */
enum fray_send_result {
    FRAY_SENT = 0, /* it goes out with this turn, or the next flush of the room */
    FRAY_QUEUED,   /* the socket's connection takes no more now, or is away: it waits; on_drained
                      follows */
    FRAY_DROPPED,  /* transient or over a limit, or nobody is there: it will not arrive */
};

/* An event to one socket. */
FRAY_API enum fray_send_result fray_emit(fray_socket *socket, const char *event, const char *format,
                                         ...);
/* To every socket of the namespace. */
FRAY_API enum fray_send_result fray_broadcast(fray_namespace *nsp, const char *event,
                                              const char *format, ...);
/* To every socket of the namespace but this one (Socket.IO's socket.broadcast.emit). */
FRAY_API enum fray_send_result fray_broadcast_except(fray_socket *except, const char *event,
                                                     const char *format, ...);
/* To a room. */
FRAY_API enum fray_send_result fray_emit_to(fray_namespace *nsp, const char *room,
                                            const char *event, const char *format, ...);

/* For what the four above cannot say: make a message, then send it as often as you like. */
FRAY_API fray_message *fray_message_create(fray_namespace *nsp, const char *event,
                                           const char *format, ...);
/* From arguments that are JSON text already, "1,{\"a\":2}", which must be well-formed. */
FRAY_API fray_message *fray_message_from_text(fray_namespace *nsp, const char *event,
                                              const char *args, size_t len);
/* The same arguments and attachments under another name (NULL: the same name), without parsing
 * them. */
FRAY_API fray_message *fray_message_from_event(const fray_event *event, const char *name);
/* A bare message for FRAY_ENGINEIO and FRAY_WEBSOCKET namespaces; `binary` or text (which must be
 * UTF-8). */
FRAY_API fray_message *fray_message_bare(fray_namespace *nsp, const void *data, size_t len,
                                         bool binary);
/* Adds binary attachment number n (from 0, in order of calling). The arguments name it with
 * fray_attachment(n): format "o". Copied. */
FRAY_API void fray_message_attach(fray_message *message, const void *data, size_t len);
FRAY_API json_t *fray_attachment(unsigned number);
/* The class, and the key for FRAY_LATEST (NULL: the event's name). Before the first send. */
FRAY_API void fray_message_class(fray_message *message, enum fray_class class, const char *key);
FRAY_API void fray_message_unref(fray_message *message); /* sending holds references of its own */

/* Whom a message is for: all members of any of `rooms` (none named: of the namespace), each once,
 * but no member of `except_rooms`, and not `except`. At most 8 rooms of each. */
struct fray_target {
    const char *rooms[8];
    const char *except_rooms[8];
    const fray_socket *except;
};

FRAY_API enum fray_send_result fray_send(fray_socket *socket, fray_message *message);
/* target NULL: the whole namespace. */
FRAY_API enum fray_send_result fray_send_to(fray_namespace *nsp, fray_message *message,
                                            const struct fray_target *target);

/* ------------------------------------------------------------------ acknowledgements */

/* The reply to an event of ours. err: FRAY_OK, FRAY_ERR_TIMEOUT, or FRAY_ERR_CLOSED when the socket
 * ended first; reply is NULL then. */
typedef void fray_ack_fn(fray_socket *socket, enum fray_err err, const fray_event *reply,
                         void *context);

/* Sends the message and asks for an acknowledgement. timeout_ms 0: waits as long as the socket
 * lives. on_ack is called once, whatever is returned, but not for a socket that has ended already
 * (FRAY_DROPPED). */
FRAY_API enum fray_send_result fray_send_ack(fray_socket *socket, fray_message *message,
                                             unsigned timeout_ms, fray_ack_fn *on_ack,
                                             void *context);

FRAY_API bool fray_event_wants_ack(const fray_event *event);
/* Acknowledges. Without a wish for it, or a second time: FRAY_DROPPED, and nothing is sent. */
FRAY_API enum fray_send_result fray_ack(const fray_event *event, const char *format, ...);
/* With the message's arguments: its name is not sent, nor is its class the answer's. */
FRAY_API enum fray_send_result fray_ack_message(const fray_event *event, fray_message *message);
/* To acknowledge after the handler has returned: keep the number, then fray_ack_later on the same
 * socket. */
FRAY_API uint64_t fray_event_ack_id(const fray_event *event);
FRAY_API enum fray_send_result fray_ack_later(fray_socket *socket, uint64_t ack_id,
                                              const char *format, ...);

/* ------------------------------------------------------------------ reading events */

FRAY_API const char *fray_event_name(const fray_event *event); /* "message" for bare messages */
/* FRAY_ERR_TYPE when the arguments have another shape: the sender has been told (event "error"), as
 * it has been when this returns non-zero for any reason. Strings ("s") live until the handler
 * returns. More arguments than asked for are fine. */
FRAY_API enum fray_err fray_event_unpack(const fray_event *event, const char *format,
                                         ...) FRAY_MUST_CHECK;
/* Tells the sender that its event was refused, with {"code": …, "message": …}, event "error"; to a
 * client of the envelope with its id, and in place of an ack. */
FRAY_API void fray_event_refuse(const fray_event *event, const char *code, const char *message);
FRAY_API const json_t *fray_event_args(
    const fray_event *event); /* an array; attachments as {"_placeholder":true,"num":n}. Borrowed */
FRAY_API const char *
fray_event_text(const fray_event *event,
                size_t *len); /* the arguments as JSON text "a,b"; of a bare message: its bytes */
FRAY_API bool
fray_event_is_binary(const fray_event *event); /* a bare message that came as binary */
FRAY_API size_t fray_event_attachments(const fray_event *event);
FRAY_API const void *fray_event_attachment(const fray_event *event, size_t number,
                                           size_t *len); /* NULL beyond the last */
/* With keep_handshake: what the HTTP POST that carried the event said, like fray_socket_handshake;
 * NULL over WebSocket. New reference. */
FRAY_API json_t *fray_event_carrier(const fray_event *event);

/* ------------------------------------------------------------------ timers */

/* Calls expire on the namespace's home thread after `delay_ms`, then every `repeat_ms` (0: once).
 */
FRAY_API fray_timer_handle *fray_timer_start(fray_namespace *nsp, unsigned delay_ms,
                                             unsigned repeat_ms,
                                             void (*expire)(fray_namespace *nsp, void *context),
                                             void *context);
FRAY_API void fray_timer_stop(fray_timer_handle *timer); /* also from inside expire; a timer that
                                                            fired once is gone by itself */

/* ------------------------------------------------------------------ HTTP */

FRAY_API const char *fray_request_method(const fray_request *request);
FRAY_API const char *fray_request_path(const fray_request *request);   /* decoded, without query */
FRAY_API const char *fray_request_target(const fray_request *request); /* as sent */
FRAY_API const char *fray_request_query(const fray_request *request,
                                        const char *name); /* decoded; NULL if absent */
FRAY_API const char *fray_request_header(const fray_request *request,
                                         const char *name); /* NULL if absent */
FRAY_API json_t *
fray_request_headers(const fray_request *request); /* object, names in lower case. New reference */
FRAY_API const void *fray_request_body(const fray_request *request, size_t *len);
/* Adds a header to the reply, or to the handshake's reply. FRAY_ERR_SYNTAX: not a legal name or
 * value. */
FRAY_API enum fray_err fray_request_reply_header(fray_request *request, const char *name,
                                                 const char *value);
/* Answers, once; the request is gone afterwards. It may be kept and answered on a later turn of the
 * home thread. */
FRAY_API void fray_request_reply(fray_request *request, int status, const char *content_type,
                                 const void *body, size_t len);
/* For on_handshake: the message of the refusal (HTTP 403, {"code":4,"message":…}; NULL:
 * "Forbidden"). */
FRAY_API void fray_request_reject_reason(fray_request *request, const char *message);
/* After FRAY_LATER: lets the handshake go on (FRAY_ACCEPT) or refuses it. The request is gone
 * afterwards. */
FRAY_API void fray_request_resolve(fray_request *request, enum fray_verdict verdict);

#endif
