/* Socket.IO over long polling: one kept connection on which a GET always waits, another for the
 * POSTs, of which one is under way at a time; what comes up meanwhile goes together in the next. */
#include <stdio.h>

#include "bench.h"
#include "connection.h"
#include "socketio_session.h"
#include "wire/engineio.h"
#include "wire/http.h"

struct polling_client {
    struct client client;
    struct connection get, post;
    struct fray_buf outgoing; /* packets that wait for the POST under way */
    bool posting;
    bool corked;
    char sid[64]; /* empty before the handshake */
};

static struct polling_client *of(struct client *client)
{
    return (struct polling_client *)client;
}

static void close_client(struct client *client)
{
    struct polling_client *self = of(client);
    connection_close(&self->get);
    connection_close(&self->post);
    fray_buf_deinit(&self->outgoing);
}

static void fail(struct polling_client *self, const char *reason)
{
    close_client(&self->client);
    client_lost(&self->client, reason);
}

/* ------------------------------------------------------------------ requests */

static void append_head(struct fray_buf *request, const struct polling_client *self,
                        const char *method)
{
    fray_buf_printf(request,
                    "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\n"
                    "Host: 127.0.0.1:%u\r\n",
                    method, *self->sid ? "&sid=" : "", self->sid,
                    (unsigned)self->client.bench->network.port);
}

static void send_get(struct polling_client *self)
{
    struct fray_buf request = {0};
    append_head(&request, self, "GET");
    FRAY_BUF_LITERAL(&request, "\r\n");
    connection_write(&self->get, fray_buf_slice(&request));
    fray_buf_deinit(&request);
}

static void flush(struct polling_client *self)
{
    if (self->posting || self->corked || !self->outgoing.len)
        return;
    self->posting = true;
    if (self->post.fd < 0) {
        connection_open(&self->post, &self->client.bench->network);
        return; /* on_post_open comes back here */
    }
    struct fray_buf request = {0};
    append_head(&request, self, "POST");
    fray_buf_printf(&request,
                    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
                    self->outgoing.len);
    fray_buf_append_slice(&request, fray_buf_slice(&self->outgoing));
    self->outgoing.len = 0;
    connection_write(&self->post, fray_buf_slice(&request));
    fray_buf_deinit(&request);
}

static void send_packet(struct client *client, struct fray_slice packet)
{
    struct polling_client *self = of(client);
    if (self->outgoing.len)
        fray_buf_append_byte(&self->outgoing, FRAY_ENGINEIO_SEPARATOR);
    fray_buf_append_slice(&self->outgoing, packet);
    flush(self);
}

/* ------------------------------------------------------------------ responses */

/* The value of a header line, trimmed; empty when there is none. */
static struct fray_slice header(struct fray_slice head, struct fray_slice name)
{
    while (head.len) {
        const char *end = memchr(head.data, '\n', head.len);
        size_t len = end ? (size_t)(end - head.data) : head.len;
        struct fray_slice line = fray_slice(head.data, len);
        if (len > name.len && line.data[name.len] == ':' &&
            fray_http_equal(fray_slice(line.data, name.len), name)) {
            line = fray_slice_skip(line, name.len + 1);
            if (line.len && line.data[line.len - 1] == '\r')
                line.len--;
            return fray_http_trim(line);
        }
        head = fray_slice_skip(head, end ? len + 1 : len);
    }
    return fray_slice(NULL, 0);
}

/* Cuts a response off the front. Returns its length, 0 while it is not whole. All servers of the
 * comparison give a Content-Length. */
static size_t cut_response(struct polling_client *self, struct fray_slice bytes,
                           struct fray_slice *body)
{
    const char *end = memmem(bytes.data, bytes.len, "\r\n\r\n", 4);
    uint64_t body_len;
    if (!end)
        return 0;
    struct fray_slice head = fray_slice(bytes.data, (size_t)(end - bytes.data) + 4);
    if (!fray_slice_starts(head, FRAY_SLICE("HTTP/1.1 200")) ||
        !fray_http_uint_parse(header(head, FRAY_SLICE("content-length")), &body_len)) {
        fail(self, "a poll was answered by another status than 200, or without Content-Length");
        return 0;
    }
    if (bytes.len - head.len < body_len)
        return 0;
    *body = fray_slice(head.data + head.len, body_len);
    return head.len + body_len;
}

static bool keep_sid(struct polling_client *self, struct fray_slice open)
{
    static const struct fray_slice key = {"\"sid\":\"", 7};
    const char *sid = memmem(open.data, open.len, key.data, key.len);
    if (!sid)
        return false;
    sid += key.len;
    const char *end = memchr(sid, '"', (size_t)(open.data + open.len - sid));
    if (!end || (size_t)(end - sid) >= sizeof self->sid)
        return false;
    memcpy(self->sid, sid, (size_t)(end - sid));
    self->sid[end - sid] = '\0';
    return true;
}

static void on_payload(struct polling_client *self, struct fray_slice body)
{
    if (!*self->sid && !keep_sid(self, body)) {
        fail(self, "the handshake holds no sid");
        return;
    }
    send_get(self); /* before the packets, as they may end the client */
    while (body.len && self->get.fd >= 0) {
        const char *end = memchr(body.data, FRAY_ENGINEIO_SEPARATOR, body.len);
        size_t len = end ? (size_t)(end - body.data) : body.len;
        socketio_session_receive(&self->client, fray_slice(body.data, len), send_packet);
        body = fray_slice_skip(body, end ? len + 1 : len);
    }
}

static size_t on_get_bytes(struct connection *connection, char *data, size_t len)
{
    struct polling_client *self = connection->owner;
    struct fray_slice body = {0};
    size_t at = 0, used;
    while (connection->fd >= 0 &&
           (used = cut_response(self, fray_slice(data + at, len - at), &body))) {
        at += used;
        on_payload(self, body);
    }
    return at;
}

static size_t on_post_bytes(struct connection *connection, char *data, size_t len)
{
    struct polling_client *self = connection->owner;
    struct fray_slice body;
    size_t used = cut_response(self, fray_slice(data, len), &body);
    if (used) {
        self->posting = false;
        flush(self);
    }
    return used;
}

/* ------------------------------------------------------------------ the client */

static void on_get_open(struct connection *connection)
{
    send_get(connection->owner);
}

static void on_post_open(struct connection *connection)
{
    struct polling_client *self = connection->owner;
    self->posting = false;
    flush(self);
}

static void on_close(struct connection *connection)
{
    fail(connection->owner, "the server closed the connection");
}

static void open_client(struct client *client)
{
    struct polling_client *self = of(client);
    self->get = (struct connection){.fd = -1,
                                    .owner = self,
                                    .on_open = on_get_open,
                                    .on_bytes = on_get_bytes,
                                    .on_close = on_close};
    self->post = (struct connection){.fd = -1,
                                     .owner = self,
                                     .on_open = on_post_open,
                                     .on_bytes = on_post_bytes,
                                     .on_close = on_close};
    self->posting = self->corked = false;
    *self->sid = '\0';
    connection_open(&self->get, &client->bench->network);
}

static void send_message(struct client *client, const struct message *message)
{
    struct fray_buf packet = {0};
    socketio_session_encode(&packet, client, message);
    send_packet(client, fray_buf_slice(&packet));
    fray_buf_deinit(&packet);
}

static void cork_client(struct client *client)
{
    of(client)->corked = true;
}

static void uncork_client(struct client *client)
{
    of(client)->corked = false;
    flush(of(client));
}

const struct protocol protocol_polling = {
    .name = "polling",
    .move_mark = "\"x\":",
    .client_size = sizeof(struct polling_client),
    .open = open_client,
    .send = send_message,
    .cork = cork_client,
    .uncork = uncork_client,
    .close = close_client,
};
