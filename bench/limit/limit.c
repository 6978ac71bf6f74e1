/* limit PORT [FLUSH_INTERVAL_MS]: the least that a WebSocket server can do, as the yardstick.
 *
 * One thread, one epoll set. It sends what begins with B to every open socket and what begins with
 * E back, as tests/fixtures/bench_server does, and ignores all else: no limits, no heartbeat, no
 * closing handshake, no rooms. What a turn of the loop, or a flush interval, owes to a connection
 * is copied into one buffer and leaves in one send(). Frames are decoded and the handshake is
 * hashed by fray's own codecs. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/websocket.h"
#include "wire/websocket_handshake.h"

enum { READ_SIZE = 1 << 18, EVENTS_MAX = 1024, BACKLOG = 4096, MESSAGE_MAX = 1 << 20 };

struct connection {
    int fd;
    unsigned place; /* among server.connections */
    bool open, dirty, blocked;
    struct fray_websocket_decoder decoder;
    struct fray_buf in;  /* read, and not consumed yet */
    struct fray_buf out; /* owed */
};

static struct server {
    int listener, epoll_fd;
    unsigned flush_interval_ms; /* 0: at the end of every turn */
    uint64_t flush_due_ms;
    struct connection **connections, **dirty;
    unsigned connections_count, dirty_count, capacity;
    struct fray_websocket_hash hash;
    char buffer[READ_SIZE];
} server;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(server.epoll_fd, operation, connection ? connection->fd : server.listener,
                  &event) < 0)
        fail("epoll_ctl");
}

/* ------------------------------------------------------------------ out */

static void owe(struct connection *connection, struct fray_slice bytes)
{
    fray_buf_append_slice(&connection->out, bytes);
    if (!connection->dirty && !connection->blocked) {
        connection->dirty = true;
        server.dirty[server.dirty_count++] = connection;
    }
}

/* An error shows at the next read. */
static void flush(struct connection *connection)
{
    struct fray_buf *out = &connection->out;
    ssize_t sent = send(connection->fd, out->data, out->len, MSG_NOSIGNAL);
    if (sent == (ssize_t)out->len)
        out->len = 0; /* the memory is kept: this is about time */
    else if (sent > 0)
        fray_buf_consume(out, (size_t)sent);
    bool blocked = out->len > 0;
    if (blocked != connection->blocked)
        watch(connection, EPOLL_CTL_MOD, EPOLLIN | (blocked ? EPOLLOUT : 0));
    connection->blocked = blocked;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void flush_dirty(void)
{
    if (server.flush_interval_ms) {
        uint64_t now = now_ms();
        if (now < server.flush_due_ms)
            return;
        server.flush_due_ms = now + server.flush_interval_ms;
    }
    for (unsigned i = 0; i < server.dirty_count; i++) {
        server.dirty[i]->dirty = false;
        flush(server.dirty[i]);
    }
    server.dirty_count = 0;
}

/* ------------------------------------------------------------------ in */

static void close_connection(struct connection *connection)
{
    struct connection *last = server.connections[--server.connections_count];
    server.connections[connection->place] = last;
    last->place = connection->place;
    for (unsigned i = 0; connection->dirty && i < server.dirty_count; i++) {
        if (server.dirty[i] == connection) {
            server.dirty[i] = server.dirty[--server.dirty_count];
            break;
        }
    }
    close(connection->fd);
    fray_websocket_decoder_deinit(&connection->decoder);
    fray_buf_deinit(&connection->in);
    fray_buf_deinit(&connection->out);
    free(connection);
}

static void on_message(struct connection *connection, struct fray_slice message)
{
    char header[FRAY_WEBSOCKET_HEADER_MAX];
    size_t header_len = fray_websocket_header_encode(
        header, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT, message.len, NULL);
    bool echo = fray_slice_starts(message, FRAY_SLICE("E"));
    if (!echo && !fray_slice_starts(message, FRAY_SLICE("B")))
        return;
    unsigned count = echo ? 1 : server.connections_count;
    for (unsigned i = 0; i < count; i++) {
        struct connection *to = echo ? connection : server.connections[i];
        owe(to, fray_slice(header, header_len));
        owe(to, message);
    }
}

static size_t on_handshake(struct connection *connection, struct fray_slice request)
{
    static const struct fray_slice name = {"Sec-WebSocket-Key: ", 19};
    const char *end = memmem(request.data, request.len, "\r\n\r\n", 4);
    const char *key = memmem(request.data, request.len, name.data, name.len);
    if (!end || !key || end - key < (ptrdiff_t)name.len + FRAY_WEBSOCKET_KEY_LEN)
        return 0;
    struct fray_buf response = {0};
    fray_websocket_response_append(&response, &server.hash,
                                   fray_slice(key + name.len, FRAY_WEBSOCKET_KEY_LEN),
                                   &(struct fray_websocket_answer){0});
    if (send(connection->fd, response.data, response.len, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
        owe(connection, fray_buf_slice(&response));
    fray_buf_deinit(&response);
    connection->open = true;
    return (size_t)(end + 4 - request.data);
}

static size_t on_bytes(struct connection *connection, char *data, size_t len)
{
    struct fray_websocket_event event;
    size_t used, at = 0;
    if (!connection->open) {
        at = on_handshake(connection, fray_slice(data, len));
        if (!at)
            return 0;
    }
    while (!fray_websocket_decode(&connection->decoder, data + at, len - at, &used, &event)) {
        at += used;
        if (event.opcode == FRAY_WEBSOCKET_TEXT)
            on_message(connection, event.payload);
    }
    return at + used;
}

static void on_readable(struct connection *connection)
{
    size_t kept = connection->in.len;
    if (kept)
        memcpy(server.buffer, connection->in.data, kept);
    ssize_t got = recv(connection->fd, server.buffer + kept, READ_SIZE - kept, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close_connection(connection);
        return;
    }
    size_t len = kept + (size_t)got;
    size_t consumed = on_bytes(connection, server.buffer, len);
    fray_buf_deinit(&connection->in);
    if (consumed < len)
        fray_buf_append(&connection->in, server.buffer + consumed, len - consumed);
}

static void accept_all(void)
{
    for (int fd, one = 1; (fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (server.connections_count == server.capacity) {
            server.capacity = server.capacity ? 2 * server.capacity : 1024;
            size_t size = server.capacity * sizeof(struct connection *);
            server.connections = fray_realloc(server.connections, size);
            server.dirty = fray_realloc(server.dirty, size);
        }
        struct connection *connection = fray_alloc_zero(sizeof *connection);
        connection->fd = fd;
        connection->place = server.connections_count;
        fray_websocket_decoder_init(&connection->decoder, MESSAGE_MAX, 0);
        server.connections[server.connections_count++] = connection;
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* ------------------------------------------------------------------ the loop */

static void turn(void)
{
    struct epoll_event events[EVENTS_MAX];
    int timeout = server.flush_interval_ms && server.dirty_count ? 1 : -1;
    int count = epoll_wait(server.epoll_fd, events, EVENTS_MAX, timeout);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (!connection) {
            accept_all();
            continue;
        }
        if (events[i].events & EPOLLOUT)
            flush(connection);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            on_readable(connection);
    }
    flush_dirty();
}

static void listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    server.epoll_fd = epoll_create1(0);
    if (server.listener < 0 || server.epoll_fd < 0)
        fail("socket");
    setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server.listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(server.listener, BACKLOG) < 0)
        fail("listen");
    watch(NULL, EPOLL_CTL_ADD, EPOLLIN);
}

int main(int argc, char **argv)
{
    struct rlimit descriptors;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: limit PORT [FLUSH_INTERVAL_MS]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    server.flush_interval_ms = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    fray_websocket_hash_init(&server.hash);
    listen_on((uint16_t)atoi(argv[1]));
    for (;;)
        turn();
}
