/* Moving an HTTP connection to another worker: the one that has the session a request names. */
#include "base/mem.h"
#include "transport/http_connection.h"

struct move_parcel {
    struct fray_parcel parcel;
    struct fray_http_service *to;
    struct fray_stream_cargo cargo;
};

/* Until the connection is opened on its stream nothing is offered to it. */
static const struct fray_stream_handler nobody = {0};

static void run_move(struct fray_worker *at, struct fray_parcel *parcel)
{
    struct move_parcel *self = (struct move_parcel *)parcel;
    (void)at;
    struct fray_stream *stream = fray_stream_attach(self->to->loop, &self->cargo, &nobody, NULL);
    if (stream)
        fray_http_open(self->to, stream);
    free(self);
}

void fray_request_move(fray_request *request, struct fray_http_service *to)
{
    struct fray_http_connection *connection = request->connection;
    connection->moves_to = to;
    connection->request = NULL;
    request->connection = NULL;
    fray_http_request_destroy(request);
}

void fray_http_connection_move(struct fray_http_connection *connection, struct fray_slice unread)
{
    struct fray_http_service *to = connection->moves_to;
    struct fray_worker *worker = connection->service->worker;
    struct fray_stream *stream = connection->stream;
    struct move_parcel *parcel = fray_alloc_zero(sizeof *parcel);
    parcel->parcel.run = run_move;
    parcel->to = to;
    fray_http_connection_release(connection);
    fray_stream_detach(stream, unread, &parcel->cargo);
    worker->post(worker, to->worker, &parcel->parcel);
}
