/* The tcp transport: links that carry a protocol's bytes over a stream, TCP or TLS, without frames
 * of their own. The protocol cuts its packets itself: on_frame is given what has come.
 *
 * Owner: itself, until it has told its session of its end or was closed by it; then the memory goes
 * at the end of the turn. Thread: the worker's. */
#ifndef FRAY_TRANSPORT_TCP_H
#define FRAY_TRANSPORT_TCP_H

#include "transport/outbox_writer.h"

/* What a worker's tcp links share; outlives them. */
struct fray_tcp_service {
    struct fray_outbox_writer writer;
    unsigned close_timeout_ms; /* how long the peer may take to read our last words */
};

void fray_tcp_service_init(struct fray_tcp_service *service, struct fray_worker *worker);
void fray_tcp_service_deinit(struct fray_tcp_service *service);

/* A link on the stream, which is adopted. The caller attaches a session in the same turn. */
struct fray_link *fray_tcp_open(struct fray_tcp_service *service, struct fray_stream *stream);

#endif
