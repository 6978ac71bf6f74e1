#include "transport/http_connection.h"

#include <assert.h>

#include "base/mem.h"

enum {
    PARTS_MAX = 64,          /* of one write */
    TURN_SHARE = 256 * 1024, /* bytes that a producer is asked for in one turn of the loop */
    NOT_YET_MS = 2,          /* until a producer that had nothing is asked again */
};

static struct fray_http_output *output_of(struct fray_http_connection *connection)
{
    if (!connection->output)
        connection->output = fray_alloc_zero(sizeof *connection->output);
    return connection->output;
}

void fray_http_output_destroy(struct fray_http_output *output)
{
    if (output->producer)
        output->producer->close(output->producer);
    fray_buf_deinit(&output->copied);
    free(output);
}

/* Hands the parts to the kernel; *count bytes went, fewer than all when FRAY_ERR_AGAIN. */
static enum fray_err write_some(struct fray_http_connection *connection, const struct iovec *parts,
                                int parts_count, size_t *count)
{
    struct fray_counters *counters = &connection->service->worker->counters;
    *count = 0;
    enum fray_err err = fray_stream_writev(connection->stream, parts, parts_count, count);
    fray_count(&counters->writes);
    fray_count_add(&counters->bytes_out, *count);
    if (err == FRAY_ERR_AGAIN)
        fray_count(&counters->writes_blocked);
    return err;
}

/* Writes in batches what may be more parts than one write takes. */
static enum fray_err write_parts(struct fray_http_connection *connection, const struct iovec *parts,
                                 int parts_count, size_t *count)
{
    enum fray_err err = FRAY_OK;
    *count = 0;
    while (!err && parts_count > 0) {
        int batch = parts_count < PARTS_MAX ? parts_count : PARTS_MAX;
        size_t written;
        err = write_some(connection, parts, batch, &written);
        *count += written;
        parts += batch;
        parts_count -= batch;
    }
    return err;
}

/* Copies what lies behind the first `skip` bytes; returns how much of `skip` lies behind all parts.
 */
static size_t keep_copy(struct fray_http_output *output, const struct iovec *parts, int parts_count,
                        size_t skip)
{
    for (int i = 0; i < parts_count; i++) {
        size_t gone = skip < parts[i].iov_len ? skip : parts[i].iov_len;
        fray_buf_append(&output->copied, (const char *)parts[i].iov_base + gone,
                        parts[i].iov_len - gone);
        skip -= gone;
    }
    return skip;
}

/* The whole reply in one list for the kernel when it is short, the usual case. */
static int join_parts(struct iovec joined[PARTS_MAX], struct fray_slice head,
                      const struct fray_http_reply_body *body)
{
    int count = 0;
    if (head.len)
        joined[count++] = (struct iovec){(void *)head.data, head.len};
    for (int i = 0; i < body->parts_count; i++)
        if (body->parts[i].iov_len)
            joined[count++] = body->parts[i];
    if (body->lasting.len)
        joined[count++] = (struct iovec){(void *)body->lasting.data, body->lasting.len};
    return count;
}

enum fray_err fray_http_output_write(struct fray_http_connection *connection,
                                     struct fray_slice head,
                                     const struct fray_http_reply_body *body)
{
    struct iovec few[PARTS_MAX];
    struct iovec *joined = few;
    if (body->parts_count > PARTS_MAX - 2)
        joined = fray_alloc(((size_t)body->parts_count + 2) * sizeof *joined);
    int count = join_parts(joined, head, body);
    size_t written = 0;
    enum fray_err err = FRAY_ERR_AGAIN;
    if (!connection->output) /* else it stands in line behind that */
        err = write_parts(connection, joined, count, &written);
    if (err == FRAY_ERR_AGAIN) {
        struct fray_http_output *output = output_of(connection);
        size_t skip = keep_copy(output, joined, count - (body->lasting.len > 0), written);
        if (body->lasting.len)
            output->lasting = fray_slice_skip(body->lasting, skip);
    }
    if (joined != few)
        free(joined);
    return err;
}

static void written(struct fray_http_connection *connection)
{
    struct fray_http_output *output = connection->output;
    connection->output = NULL;
    fray_http_output_destroy(output);
    fray_http_connection_written(connection);
}

/* The producer's next piece as `lasting` memory. False when there is none yet, or when it failed,
 * and with it the connection. */
static bool produce(struct fray_http_connection *connection, struct fray_http_output *output)
{
    enum fray_err err = output->producer->next(output->producer, &output->lasting);
    if (err == FRAY_ERR_AGAIN) {
        fray_http_connection_arm(connection, NOT_YET_MS);
        return false;
    }
    if (!err && output->lasting.len > 0 && output->lasting.len <= output->producer_left) {
        output->producer_left -= output->lasting.len;
        return true;
    }
    /* The promised length cannot be kept: only a reset tells the peer so. */
    fray_http_connection_close(connection, true);
    return false;
}

void fray_http_output_pump(struct fray_http_connection *connection)
{
    struct fray_http_output *output = connection->output;
    size_t produced = 0;
    for (;;) {
        struct iovec parts[2];
        int parts_count = 0;
        size_t copied = output->copied.len - output->copied_sent;
        if (copied)
            parts[parts_count++] =
                (struct iovec){output->copied.data + output->copied_sent, copied};
        if (output->lasting.len)
            parts[parts_count++] =
                (struct iovec){(void *)output->lasting.data, output->lasting.len};
        if (parts_count == 0 && output->producer_left == 0) {
            written(connection);
            return;
        }
        if (parts_count == 0) {
            if (produced >= TURN_SHARE) {
                fray_http_connection_arm(connection, 0); /* others first; on in the next turn */
                return;
            }
            if (!produce(connection, output))
                return;
            produced += output->lasting.len;
            continue;
        }
        size_t count;
        enum fray_err err = write_some(connection, parts, parts_count, &count);
        if (err == FRAY_ERR_IO) {
            fray_http_connection_close(connection, false);
            return;
        }
        size_t of_copied = count < copied ? count : copied;
        output->copied_sent += of_copied;
        output->lasting = fray_slice_skip(output->lasting, count - of_copied);
        bool is_waited_for =
            connection->state == FRAY_HTTP_WRITING || connection->state == FRAY_HTTP_STREAMING;
        bool has_timeout =
            fray_timer_is_armed(&connection->timer); /* not after a producer's wait */
        if (is_waited_for && (count > 0 || !has_timeout))
            fray_http_connection_arm(connection, connection->service->body_timeout_ms);
        if (err)
            return;
    }
}
