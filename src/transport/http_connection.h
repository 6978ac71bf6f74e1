/* Private to src/transport/http*.c: one HTTP connection, and what its files do for each other. */
#ifndef FRAY_TRANSPORT_HTTP_CONNECTION_H
#define FRAY_TRANSPORT_HTTP_CONNECTION_H

#include "transport/http.h"

enum fray_http_state {
    FRAY_HTTP_IDLE,       /* between requests */
    FRAY_HTTP_IN_HEAD,    /* a part of a head is there, left in the stream */
    FRAY_HTTP_IN_BODY,    /* the request's body is being read */
    FRAY_HTTP_HANDLED,    /* the request waits for its reply */
    FRAY_HTTP_WRITING,    /* the kernel refused a part of the reply */
    FRAY_HTTP_STREAMING,  /* the reply's head is out, its body comes in pieces */
    FRAY_HTTP_DISCARDING, /* the reply is out, the rest of the body is of no use */
};

/* What is still to be written of a reply: copies of borrowed memory, then lasting memory, then what
 * a producer makes. Heap, only while there is something. */
struct fray_http_output {
    struct fray_buf copied;
    size_t copied_sent;
    struct fray_slice lasting;           /* not ours: a program's file, or the producer's piece */
    struct fray_http_producer *producer; /* NULL: none */
    uint64_t producer_left;              /* bytes it still owes */
};

/* All that an idle keep-alive connection costs besides its stream. */
struct fray_http_connection {
    struct fray_stream *stream; /* NULL once closed or given away */
    struct fray_http_service *service;
    struct fray_http_connection *next, **link; /* in service->connections */
    struct fray_http_service *moves_to;        /* another worker's, once the request was moved */
    fray_request *request;                     /* the one being read or answered; NULL: none */
    struct fray_http_output *output;
    uint32_t discard;        /* bytes of body nobody wants */
    uint8_t state;           /* enum fray_http_state */
    bool is_receiving;       /* inside on_data: it goes on by itself */
    bool is_upgraded;        /* the stream is somebody else's */
    bool is_first;           /* no request was answered yet */
    bool has_ended;          /* the peer sends no more */
    bool closes_after_reply; /* no other request will be read */
    struct fray_timer timer; /* what it is for, the state tells */
};

_Static_assert(sizeof(struct fray_http_connection) <= 128, "an idle connection is small");

/* What a reply's body is made of. */
struct fray_http_reply_body {
    const struct iovec *parts; /* borrowed */
    int parts_count;
    struct fray_slice lasting;
    struct fray_http_producer *producer;
    uint64_t len; /* of all together */
};

/* http_reply.c: the head of a reply; `len` UINT64_MAX: no Content-Length. */
void fray_http_encode_head(struct fray_buf *out, const fray_request *request, unsigned status,
                           const char *content_type, uint64_t len);
/* What becomes of a body that is not read yet, and of the connection, now that a reply begins. */
void fray_http_settle(fray_request *request, unsigned status);

/* http_stream.c: the kernel has taken all that was written of a streamed reply. */
void fray_http_stream_drained(fray_request *request);

/* http_connection.c */
void fray_http_connection_arm(struct fray_http_connection *connection, unsigned timeout_ms);
/* Closes it; a request under way is aborted. Its memory stays until the end of the turn. */
void fray_http_connection_close(struct fray_http_connection *connection, bool reset);
/* A request's last byte is with the kernel or in `output`, and connection->request is NULL. */
void fray_http_connection_replied(struct fray_http_connection *connection);
/* The output is empty. */
void fray_http_connection_written(struct fray_http_connection *connection);
/* Lets go of the stream without touching it. */
void fray_http_connection_release(struct fray_http_connection *connection);

/* http_move.c: sends the connection to connection->moves_to, `unread` first. */
void fray_http_connection_move(struct fray_http_connection *connection, struct fray_slice unread);

/* http_receive.c: reads on, and returns how many bytes it has dealt with. */
size_t fray_http_connection_receive(struct fray_http_connection *connection, char *data,
                                    size_t len);
/* Answers with an error and closes; whoever waits for the request hears on_abort. */
void fray_http_connection_refuse(struct fray_http_connection *connection, int status);

/* http_request.c */
fray_request *fray_http_request_create(struct fray_http_connection *connection);
void fray_http_request_destroy(fray_request *request);
/* Its connection is gone, or was answered by somebody else: tells the keeper, or destroys it. */
void fray_http_request_abort(fray_request *request);
/* Makes head and body independent of the receive buffer. */
void fray_http_request_own(fray_request *request);
/* The memory that holds the parsed head, for others to reuse. */
void fray_http_request_forget_head(fray_request *request);

/* http_request_text.c */
void fray_http_request_free_texts(fray_request *request);

/* http_output.c: writes, and keeps what the kernel refuses. FRAY_ERR_AGAIN: some is kept, and
 * fray_http_connection_written will be called. FRAY_ERR_IO: the connection is broken. */
enum fray_err fray_http_output_write(struct fray_http_connection *connection,
                                     struct fray_slice head,
                                     const struct fray_http_reply_body *body) FRAY_MUST_CHECK;
/* Goes on writing. */
void fray_http_output_pump(struct fray_http_connection *connection);
void fray_http_output_destroy(struct fray_http_output *output);

#endif
