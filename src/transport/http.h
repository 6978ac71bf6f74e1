/* HTTP/1.1 connections: requests in, replies out, one at a time and in order (RFC 9112).
 *
 * A connection adopts a stream, cuts requests from it with wire/http, and hands each to the service's handler. The handler
 * answers at once, or keeps the request and answers on a later turn (long polling), or takes the stream away (upgrade).
 * While a request is unanswered nothing more of the connection is read than a bounded rest (pipelining), but its end is noticed.
 *
 * Slow peers: the head must be there within header_timeout_ms of its first byte (or of the accept), the body within
 * body_timeout_ms without progress; an idle keep-alive connection lasts keep_alive_timeout_ms.
 *
 * struct fray_request is fray.h's. Thread: the worker's. */
#ifndef FRAY_TRANSPORT_HTTP_H
#define FRAY_TRANSPORT_HTTP_H

#include "net/stream.h"
#include "session/worker.h"
#include "wire/http.h"

struct fray_http_connection;

/* What a worker's HTTP connections share; outlives them. */
struct fray_http_service {
    struct fray_worker *worker;
    struct fray_http_limits limits; /* of the head; wire/http.h */
    size_t max_body;                /* default; on_head may set request->max_body */
    unsigned header_timeout_ms, body_timeout_ms, keep_alive_timeout_ms;
    void *owner;
    /* The head is complete, the body not yet read. May set request->max_body, reply (the body is then read and discarded, or the
     * connection closed), or take the stream (fray_request_upgrade). NULL: nothing to do here. */
    void (*on_head)(struct fray_http_service *service, fray_request *request);
    /* Head and body are complete. Must reply, keep or upgrade. */
    void (*on_request)(struct fray_http_service *service, fray_request *request);
    struct fray_http_connection *connections; /* all of them, for draining */
    bool is_draining;                         /* replies say Connection: close */
};

struct fray_request {
    struct fray_http_service *service;
    struct fray_http_connection *connection; /* NULL: the client is gone; replying is harmless then */
    struct fray_http_request head;           /* slices into the receive buffer, or, once kept, into `copy` */
    struct fray_slice body;
    size_t max_body;
    struct fray_buf reply_headers; /* lines added by fray_request_reply_header and CORS */
    /* For who keeps the request: told once when the client goes away before the reply. Must not reply; must drop the request with
     * fray_request_drop. */
    void (*on_abort)(fray_request *request);
    void *owner;
    /* the rest is http.c's (text copies for the char * accessors, flags, …) */
};

/* Adopts a fresh stream. */
void fray_http_open(struct fray_http_service *service, struct fray_stream *stream);

/* The request will be answered on a later turn: what it points to is copied, and it lives until reply, drop or upgrade. */
void fray_request_keep(fray_request *request);
/* Gives up a kept request without a reply: the connection is closed. After on_abort: just frees it. */
void fray_request_drop(fray_request *request);

/* A reply of several parts without copying them together: status, headers added before, Content-Length of the sum. */
void fray_request_replyv(fray_request *request, int status, const char *content_type,
                         const struct iovec *parts, int parts_count);

/* Ends HTTP on this connection and hands the stream to the caller, who adopts it during the same call and writes the 101 reply; bytes behind
 * the head are offered to the new handler next. The request is gone. */
struct fray_stream *fray_request_upgrade(fray_request *request);

/* Where the request came from. */
const struct fray_address *fray_request_peer(const fray_request *request);
bool fray_request_is_secure(const fray_request *request);

/* Closes idle connections now and the others after their reply. */
void fray_http_drain(struct fray_http_service *service);

#endif
