#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    READ_SIZE = 1 << 20,
    EVENTS_MAX = 1024,
    CONNECTIONS_PER_ADDRESS = 8000, /* of some 28,000 local ports: closed ones linger */
};

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

void network_init(struct network *network, uint16_t port)
{
    *network = (struct network){.port = port, .buffer = fray_alloc(READ_SIZE)};
    network->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (network->epoll_fd < 0)
        fail("epoll_create1");
}

void network_deinit(struct network *network)
{
    close(network->epoll_fd);
    free(network->buffer);
}

static void watch(struct connection *connection, int operation, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = connection};
    connection->watches_write = write;
    if (epoll_ctl(connection->network->epoll_fd, operation, connection->fd, &event) < 0)
        fail("epoll_ctl");
}

/* Another local address for every few thousand connections, and for every run, so that ports do
 * not run out while closed connections linger in TIME_WAIT: 127.<run>.<thousands>.1. */
static void bind_source(struct connection *connection)
{
    unsigned run = 1 + (unsigned)getpid() % 200;
    unsigned part = connection->network->opened++ / CONNECTIONS_PER_ADDRESS % 200;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(127u << 24 | run << 16 | part << 8 | 1)};
    int one = 1;
    setsockopt(connection->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(connection->fd, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind");
}

static void end(struct connection *connection)
{
    connection_close(connection);
    connection->on_close(connection);
}

void connection_open(struct connection *connection, struct network *network)
{
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons(network->port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    connection->network = network;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        fail("socket");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bind_source(connection);
    connection->connecting = true;
    if (connect(connection->fd, (struct sockaddr *)&server, sizeof server) < 0 &&
        errno != EINPROGRESS)
        fail("connect");
    watch(connection, EPOLL_CTL_ADD, true);
}

void connection_close(struct connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->connecting = connection->corked = connection->watches_write = false;
    fray_buf_deinit(&connection->in);
    fray_buf_deinit(&connection->out);
}

/* An error shows at the next read. */
static void flush(struct connection *connection)
{
    struct fray_buf *out = &connection->out;
    ssize_t sent = out->len ? send(connection->fd, out->data, out->len, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        fray_buf_consume(out, (size_t)sent);
    if ((out->len > 0) != connection->watches_write)
        watch(connection, EPOLL_CTL_MOD, out->len > 0);
}

void connection_write(struct connection *connection, struct fray_slice bytes)
{
    if (connection->fd < 0)
        return;
    connection->network->bytes_out += bytes.len;
    if (!connection->corked && !connection->out.len) {
        ssize_t sent = send(connection->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent > 0)
            bytes = fray_slice_skip(bytes, (size_t)sent);
    }
    if (!bytes.len)
        return;
    fray_buf_append_slice(&connection->out, bytes);
    if (!connection->corked && !connection->watches_write)
        watch(connection, EPOLL_CTL_MOD, true);
}

void connection_cork(struct connection *connection)
{
    connection->corked = true;
}

void connection_uncork(struct connection *connection)
{
    connection->corked = false;
    if (connection->fd >= 0)
        flush(connection);
}

static void on_writable(struct connection *connection)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (!connection->connecting) {
        flush(connection);
        return;
    }
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        end(connection);
        return;
    }
    connection->connecting = false;
    flush(connection);
    connection->on_open(connection);
}

static void on_readable(struct connection *connection)
{
    char *buffer = connection->network->buffer;
    struct fray_buf *in = &connection->in;
    size_t kept = in->len;
    if (kept)
        memcpy(buffer, in->data, kept);
    ssize_t got = recv(connection->fd, buffer + kept, READ_SIZE - kept, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            end(connection);
        return;
    }
    connection->network->bytes_in += (uint64_t)got;
    in->len = 0;
    size_t len = kept + (size_t)got;
    size_t consumed = connection->on_bytes(connection, buffer, len);
    if (connection->fd >= 0 && consumed < len)
        fray_buf_append(in, buffer + consumed, len - consumed);
}

void network_wait(struct network *network, uint64_t timeout_ns)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
                               .tv_nsec = (long)(timeout_ns % 1000000000)};
    int count = epoll_pwait2(network->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (connection->fd >= 0 && events[i].events & EPOLLOUT)
            on_writable(connection);
        if (connection->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            on_readable(connection);
    }
}
