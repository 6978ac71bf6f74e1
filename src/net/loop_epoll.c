/* The backend for Linux: level-triggered epoll, so that a reader who stops early is called again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"

enum { BATCH_MAX = 512, LISTEN_BACKLOG = 4096 };

struct epoll_loop {
    struct fray_loop loop; /* first */
    int epoll_fd;
    int wake_fd;    /* an eventfd, edge-triggered: each write wakes, nobody has to read it */
    int reserve_fd; /* given up for a moment to turn a connection away when descriptors run out */
    struct epoll_event batch[BATCH_MAX];
};

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static struct epoll_loop *epoll_loop_of(struct fray_loop *loop)
{
    return (struct epoll_loop *)loop;
}

static socklen_t to_kernel(union socket_address *to, const struct fray_address *from)
{
    *to = (union socket_address){.v6 = {0}};
    if (from->is_v4) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(from->port);
        memcpy(&to->v4.sin_addr, from->ip + 12, 4);
        return sizeof to->v4;
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(from->port);
    memcpy(&to->v6.sin6_addr, from->ip, 16);
    return sizeof to->v6;
}

static void from_kernel(struct fray_address *to, const union socket_address *from)
{
    if (from->any.sa_family == AF_INET)
        fray_address_set_v4(to, (const uint8_t *)&from->v4.sin_addr, ntohs(from->v4.sin_port));
    else
        fray_address_set_v6(to, (const uint8_t *)&from->v6.sin6_addr, ntohs(from->v6.sin6_port));
}

static uint64_t epoll_clock_us(struct fray_loop *loop)
{
    (void)loop;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool is_out_of_descriptors(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Closes what failed without losing the errno that says why. */
static enum fray_err give_up(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
    return FRAY_ERR_IO;
}

static enum fray_err set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) ? FRAY_ERR_IO : FRAY_OK;
}

static enum fray_err epoll_listen(struct fray_loop *loop, const struct fray_address *address,
                                  bool share_port, int *fd)
{
    (void)loop;
    union socket_address at;
    socklen_t len = to_kernel(&at, address);
    int listener = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return FRAY_ERR_IO;
    /* Accepted sockets inherit TCP_NODELAY, which saves a system call for each. */
    if (set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1) ||
        (share_port && set_option(listener, SOL_SOCKET, SO_REUSEPORT, 1)) ||
        (!address->is_v4 && set_option(listener, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        set_option(listener, IPPROTO_TCP, TCP_NODELAY, 1) || bind(listener, &at.any, len) ||
        listen(listener, LISTEN_BACKLOG))
        return give_up(listener);
    *fd = listener;
    return FRAY_OK;
}

/* Errors that belong to one connection, which died in the queue (accept(2)). */
static bool is_of_one_connection(void)
{
    switch (errno) {
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPERM:
    case EPROTO: return true;
    default: return false;
    }
}

enum { ACCEPT_TRIES = 64 };

static int accept_next(int listener, union socket_address *from)
{
    for (int tries = 0;; tries++) {
        socklen_t len = sizeof *from;
        int fd = accept4(listener, &from->any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0 || !is_of_one_connection())
            return fd;
        if (tries == ACCEPT_TRIES) {
            errno = EAGAIN;
            return -1;
        }
    }
}

/* accept4 takes a descriptor before it looks whether anybody waits, so nobody may wait after all.
 */
static enum fray_err turn_away(struct epoll_loop *loop, int listener)
{
    if (loop->reserve_fd >= 0)
        close(loop->reserve_fd);
    union socket_address from;
    int fd = accept_next(listener, &from);
    bool is_empty = fd < 0 && would_block();
    if (fd >= 0) {
        close(fd);
        loop->loop.refused++;
    }
    loop->reserve_fd = open_reserve();
    return is_empty ? FRAY_ERR_AGAIN : FRAY_ERR_LIMIT;
}

static enum fray_err epoll_accept(struct fray_loop *loop, int listener, int *fd,
                                  struct fray_address *peer)
{
    union socket_address from;
    int accepted = accept_next(listener, &from);
    if (accepted < 0) {
        if (would_block())
            return FRAY_ERR_AGAIN;
        return is_out_of_descriptors() ? turn_away(epoll_loop_of(loop), listener) : FRAY_ERR_IO;
    }
    from_kernel(peer, &from);
    *fd = accepted;
    return FRAY_OK;
}

static enum fray_err epoll_connect(struct fray_loop *loop, const struct fray_address *address,
                                   int *fd)
{
    (void)loop;
    union socket_address to;
    socklen_t len = to_kernel(&to, address);
    int connecting = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connecting < 0)
        return is_out_of_descriptors() ? FRAY_ERR_LIMIT : FRAY_ERR_IO;
    if (set_option(connecting, IPPROTO_TCP, TCP_NODELAY, 1) ||
        (connect(connecting, &to.any, len) && errno != EINPROGRESS && errno != EINTR))
        return give_up(connecting);
    *fd = connecting;
    return FRAY_OK;
}

static enum fray_err epoll_read(struct fray_loop *loop, int fd, void *data, size_t len,
                                size_t *count)
{
    (void)loop;
    ssize_t got;
    do
        got = recv(fd, data, len, 0);
    while (got < 0 && errno == EINTR);
    *count = got > 0 ? (size_t)got : 0;
    if (got > 0)
        return FRAY_OK;
    if (got == 0)
        return FRAY_ERR_CLOSED;
    return would_block() ? FRAY_ERR_AGAIN : FRAY_ERR_IO;
}

/* MSG_NOSIGNAL, because the library cannot decide what SIGPIPE does in its program. */
static ssize_t send_parts(int fd, const struct iovec *parts, int parts_count)
{
    ssize_t sent;
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)parts_count};
    do
        sent = parts_count == 1 ? send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL)
                                : sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent;
}

static enum fray_err epoll_writev(struct fray_loop *loop, int fd, const struct iovec *parts,
                                  int parts_count, size_t *count)
{
    (void)loop;
    *count = 0;
    while (parts_count > 0) {
        int now = parts_count < IOV_MAX ? parts_count : IOV_MAX;
        size_t asked = 0;
        for (int i = 0; i < now; i++)
            asked += parts[i].iov_len;
        ssize_t sent = send_parts(fd, parts, now);
        if (sent < 0)
            return would_block() ? FRAY_ERR_AGAIN : FRAY_ERR_IO;
        *count += (size_t)sent;
        if ((size_t)sent < asked)
            return FRAY_ERR_AGAIN; /* the socket is full: no need to hear it from a second call */
        parts += now;
        parts_count -= now;
    }
    return FRAY_OK;
}

static void epoll_shutdown(struct fray_loop *loop, int fd)
{
    (void)loop;
    shutdown(fd, SHUT_WR);
}

/* The kernel ends the watch with the last descriptor of the socket, and fray duplicates none. */
static void epoll_close(struct fray_loop *loop, int fd, bool reset)
{
    (void)loop;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static enum fray_err epoll_local_address(struct fray_loop *loop, int fd,
                                         struct fray_address *address)
{
    (void)loop;
    union socket_address at;
    socklen_t len = sizeof at;
    if (getsockname(fd, &at.any, &len))
        return FRAY_ERR_IO;
    from_kernel(address, &at);
    return FRAY_OK;
}

/* A mask of 0 leaves the set, since epoll reports hang-ups even where nothing is asked for. */
static enum fray_err epoll_watch(struct fray_loop *loop, struct fray_source *source, unsigned mask)
{
    if (mask == source->watched)
        return FRAY_OK;
    struct epoll_event event = {.data.ptr = source};
    event.events =
        (mask & FRAY_READY_READ ? EPOLLIN : 0u) | (mask & FRAY_READY_WRITE ? EPOLLOUT : 0u);
    int op = !mask ? EPOLL_CTL_DEL : source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_loop_of(loop)->epoll_fd, op, source->fd, &event) && mask)
        return FRAY_ERR_LIMIT;
    source->watched = (uint8_t)mask;
    return FRAY_OK;
}

static int to_timeout_ms(uint64_t timeout_us)
{
    if (timeout_us == UINT64_MAX)
        return -1;
    uint64_t ms = timeout_us / 1000 + (timeout_us % 1000 != 0);
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void epoll_dispatch(struct fray_loop *loop, const struct epoll_event *event)
{
    struct fray_source *source = event->data.ptr;
    if (!source)
        return; /* woken */
    unsigned ready = (event->events & EPOLLIN ? FRAY_READY_READ : 0u) |
                     (event->events & EPOLLOUT ? FRAY_READY_WRITE : 0u);
    if (event->events & (EPOLLERR | EPOLLHUP))
        ready = FRAY_READY_READ | FRAY_READY_WRITE;
    ready &= source->watched;
    if (ready)
        source->on_ready(loop, source, ready);
}

static void epoll_wait_and_call(struct fray_loop *loop, uint64_t timeout_us)
{
    struct epoll_loop *self = epoll_loop_of(loop);
    int count = epoll_wait(self->epoll_fd, self->batch, BATCH_MAX, to_timeout_ms(timeout_us));
    assert(count >= 0 || errno == EINTR);
    loop->now_us = epoll_clock_us(loop);
    for (int i = 0; i < count; i++)
        epoll_dispatch(loop, &self->batch[i]);
}

static void epoll_wake(struct fray_loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(epoll_loop_of(loop)->wake_fd, &one, sizeof one);
    assert(written == sizeof one);
}

static void close_all(struct epoll_loop *self)
{
    const int fds[] = {self->epoll_fd, self->wake_fd, self->reserve_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static void epoll_destroy(struct fray_loop *loop)
{
    close_all(epoll_loop_of(loop));
    fray_loop_deinit(loop);
    free(loop);
}

static const struct fray_loop_ops epoll_ops = {
    .clock_us = epoll_clock_us,
    .listen = epoll_listen,
    .accept = epoll_accept,
    .connect = epoll_connect,
    .read = epoll_read,
    .writev = epoll_writev,
    .shutdown = epoll_shutdown,
    .close = epoll_close,
    .local_address = epoll_local_address,
    .watch = epoll_watch,
    .wait = epoll_wait_and_call,
    .wake = epoll_wake,
    .destroy = epoll_destroy,
};

struct fray_loop *fray_loop_epoll_create(void)
{
    struct epoll_loop *self = fray_alloc_zero(sizeof *self);
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->reserve_fd = open_reserve();
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (self->epoll_fd < 0 || self->wake_fd < 0 || self->reserve_fd < 0 ||
        epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->wake_fd, &event)) {
        int why = errno;
        close_all(self);
        free(self);
        errno = why;
        return NULL;
    }
    fray_loop_init(&self->loop, &epoll_ops);
    return &self->loop;
}
