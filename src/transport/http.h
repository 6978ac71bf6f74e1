/* HTTP/1.1 connections: requests in, replies out, one at a time and in order (RFC 9112).
 *
 * A connection adopts a stream, cuts requests from it with wire/http, and hands each to the
 * service's handlers. They answer at once, or keep the request and answer on a later turn (long
 * polling), or take the stream away (upgrade). While a request is unanswered nothing more of the
 * connection is read than a bounded rest (pipelining), but its end is noticed.
 *
 *     idle → head → body → handled → written → idle
 *                             │
 *                             └→ kept → reply, drop or upgrade on a later turn
 *
 * Slow peers: the head must be there within header_timeout_ms of its first byte (or of the accept),
 * else 408; the body, or a reply that the peer should read, may stand still for body_timeout_ms; an
 * idle keep-alive connection is closed without a word after keep_alive_timeout_ms.
 *
 * struct fray_request is fray.h's. Thread: the worker's. */
#ifndef FRAY_TRANSPORT_HTTP_H
#define FRAY_TRANSPORT_HTTP_H

#include "net/stream.h"
#include "session/worker.h"
#include "wire/http_body.h"
#include "wire/http_date.h"
#include "wire/http_request.h"

struct fray_http_connection;
struct fray_http_service;

enum {
    FRAY_HTTP_UNREAD_MAX = 64 * 1024,   /* read ahead behind an unanswered request */
    FRAY_HTTP_DISCARD_MAX = 256 * 1024, /* of a body nobody wants; beyond, the connection closes */
    FRAY_HTTP_LINGER_MS = 2000,         /* for the peer to read our last words */
    FRAY_HTTP_SPARES = 8,
};

/* Private: what connections of one service reuse. */
struct fray_http_cache {
    fray_request *requests[FRAY_HTTP_SPARES];
    struct fray_http_request *heads[FRAY_HTTP_SPARES];
    size_t requests_count, heads_count;
    int64_t date_s; /* the second of `date` */
    char date[FRAY_HTTP_DATE_LEN];
};

/* What a worker's HTTP connections share; outlives them. Zero-initialise it, fill in what stands
 * before `connections`, and give it back with fray_http_service_deinit. */
struct fray_http_service {
    struct fray_worker *worker;
    struct fray_loop *loop;         /* the worker's */
    struct fray_http_limits limits; /* of the head; wire/http_request.h */
    size_t max_body;                /* default; on_head may set request->max_body */
    unsigned header_timeout_ms, body_timeout_ms, keep_alive_timeout_ms;
    void *owner;
    /* Unix time, for the Date header; NULL: the system's. */
    int64_t (*clock_s)(struct fray_http_service *service);
    /* The head is complete, the body not yet read. May set request->max_body, add reply headers,
     * reply (the body is then read and discarded, or the connection closed), keep, or take the
     * stream (fray_request_upgrade). NULL: nothing to do here. */
    void (*on_head)(struct fray_http_service *service, fray_request *request);
    /* Head and body are complete. Must reply, keep or upgrade, unless that was done in on_head. */
    void (*on_request)(struct fray_http_service *service, fray_request *request);

    /* A connection whose first byte no HTTP request begins with (TLS, MQTT, …): the stream is given
     * away, and adopted or closed during the call. Returns what it consumed of the bytes, as
     * on_data does. NULL: they are answered with 400. */
    size_t (*on_foreign)(struct fray_http_service *service, struct fray_stream *stream, char *data,
                         size_t len);

    struct fray_http_connection *connections; /* all of them */
    bool is_draining;                         /* replies say Connection: close */
    struct fray_http_cache cache;
};

struct fray_request_text; /* private: terminated copies for the char * accessors */

struct fray_request {
    struct fray_http_service *service;
    struct fray_http_connection
        *connection;                      /* NULL: the client is gone; replying is harmless then */
    const struct fray_http_request *head; /* NULL after fray_request_keep_bare */
    struct fray_slice body;
    size_t max_body;
    struct fray_buf reply_headers; /* whole lines: by fray_request_reply_header and CORS */
    /* For who keeps the request, or waits for its body: told once when the client goes away before
     * the reply. Must not reply; must give the request up with fray_request_drop, now or later. */
    void (*on_abort)(fray_request *request);
    void (*on_writable)(
        fray_request *request); /* of a streamed reply: all of it is with the kernel */
    void *owner;
    char *reject_reason; /* of a handshake; heap, freed with the request; NULL: none */

    /* Private. */
    struct fray_http_request *head_memory;
    struct fray_buf head_copy,
        body_copy; /* where head and body point, once they had to be copied */
    struct fray_http_body decoder;
    struct fray_request_text *texts;
    size_t head_len; /* bytes behind `head` */
    uint8_t method, minor;
    bool keep_alive, is_kept, is_body_complete;
    bool is_streamed, is_chunked; /* the reply: begun, not ended */
};

/* Adopts a fresh stream. */
void fray_http_open(struct fray_http_service *service, struct fray_stream *stream);

/* The request will be answered on a later turn: what it points to is copied, and it lives until
 * reply, drop or upgrade. */
void fray_request_keep(fray_request *request);
/* The same for who needs head, body and query no more: they are forgotten, and a request costs
 * about 300 bytes while it waits. Pointers that accessors gave die. */
void fray_request_keep_bare(fray_request *request);
/* Gives up a request without a reply: its connection is closed. After on_abort: just frees it. */
void fray_request_drop(fray_request *request);

/* A reply of several parts without copying them together: status, headers added before,
 * Content-Length of the sum. Parts are borrowed for the call. */
void fray_request_replyv(fray_request *request, int status, const char *content_type,
                         const struct iovec *parts, int parts_count);

/* A reply whose bytes outlive every connection (a file inside the program): they are never copied,
 * however slowly the peer reads. */
void fray_request_reply_static(fray_request *request, int status, const char *content_type,
                               struct fray_slice body);

/* A body made piece by piece as the peer drains it. Embedded in its owner's struct. */
struct fray_http_producer {
    /* The next piece, never empty; valid until the next call or close. FRAY_ERR_AGAIN: it is not
     * there yet (a disk is waited for), and is asked for again in a few ms. Other errors cut the
     * connection, since the length was promised. One piece a call; keep it to about 256 KiB, the
     * loop waits. */
    enum fray_err (*next)(struct fray_http_producer *producer, struct fray_slice *piece);
    void (*close)(struct fray_http_producer *producer); /* called once, also without any next */
};

/* A reply of exactly `len` bytes from `producer`, which is taken. To HEAD it is closed unread. */
void fray_request_reply_from(fray_request *request, int status, const char *content_type,
                             struct fray_http_producer *producer, uint64_t len);

/* A reply whose end is not known yet (Server-Sent Events): the head goes out now, the body piece by
 * piece with fray_request_write, each piece a chunk (RFC 9112 7.1; to HTTP/1.0, until the
 * connection closes). The request must have been kept; it lives on until fray_request_end, or until
 * on_abort says that the client has gone. */
void fray_request_begin(fray_request *request, int status, const char *content_type);
/* FRAY_ERR_AGAIN: the kernel did not take all, the rest is kept and request->on_writable will be
 * called; until then write no more, for nothing bounds what is kept. FRAY_ERR_CLOSED: the client is
 * gone, or its connection broke, which on_abort tells on this turn or the next. */
FRAY_MUST_CHECK enum fray_err fray_request_write(fray_request *request, const struct iovec *parts,
                                                 int parts_count);
/* The body is complete. The request is gone. */
void fray_request_end(fray_request *request);

/* Status and reason phrase as a line of text: the reply to what needs no other words. */
void fray_request_reply_status(fray_request *request, int status);

/* Appends "name: value\r\n" to the reply's headers without looking at it. */
void fray_request_add_header(fray_request *request, struct fray_slice name,
                             struct fray_slice value);

/* Ends HTTP on this connection and hands the stream to the caller, who adopts it during the same
 * call and writes the 101 reply; bytes behind the head are offered to the new handler next. The
 * request is gone. NULL, and nothing happened, for a request with a body: its bytes would be taken
 * for frames. Also NULL when the client is gone already. */
struct fray_stream *fray_request_upgrade(fray_request *request);

/* In on_head only: the connection goes on at another worker's service, which reads this request
 * again, head and all. The request is gone. */
void fray_request_move(fray_request *request, struct fray_http_service *to);

/* Where the request came from; all zero when the client is gone. */
const struct fray_address *fray_request_peer(const fray_request *request);
/* The connection; NULL when the client is gone. */
struct fray_stream *fray_request_stream(const fray_request *request);
bool fray_request_is_secure(const fray_request *request);

/* The Date header's value, the service's cached one: FRAY_HTTP_DATE_LEN bytes, until the next call.
 */
struct fray_slice fray_http_service_date(struct fray_http_service *service);
int64_t fray_http_service_now_s(struct fray_http_service *service);

/* From now on each connection closes after its next reply. Idle ones stay until then: a client may
 * be about to use them, and would take their end for an error. */
void fray_http_drain(struct fray_http_service *service);
/* No request is under way. */
bool fray_http_is_idle(const struct fray_http_service *service);
/* Closes every connection; kept requests hear on_abort. */
void fray_http_close(struct fray_http_service *service);
/* Frees what the service itself holds; no connection may be left. */
void fray_http_service_deinit(struct fray_http_service *service);

#endif
