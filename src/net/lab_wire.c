#include "net/lab_wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct fray_lab_wire {
    struct fray_source source; /* first: what the backend watches */
    struct fray_lab *lab;
    struct fray_source *user; /* the stream's; NULL: closed, or between two loops */
    struct fray_timer timer;
    struct fray_orphan orphan; /* once closed with bytes on their way */
    struct fray_lab_pipe in, out;
    struct fray_lab_settings own;
    uint64_t in_end_us, fin_us, give_up_us;
    uint8_t in_end; /* FRAY_OK, or the end that was read (enum fray_err) */
    bool has_own;
    bool is_blocked; /* the kernel refused what has arrived at it */
    bool is_broken;  /* a write found the connection broken */
    bool has_fin, is_fin_sent;
    bool is_orphan;
    bool is_gone; /* its memory stays until the end of the turn */
};

struct fray_lab {
    struct fray_loop *loop;
    struct fray_loop_ops ops; /* the loop's while the lab is there */
    const struct fray_loop_ops *inner;
    struct fray_lab_settings all;
    bool is_on;                   /* for all */
    struct fray_lab_wire **wires; /* by descriptor; NULL: none */
    size_t wires_cap;
    unsigned wires_count, orphans_count;
    uint64_t seed, wires_made;
};

static struct fray_lab_wire *wire_of(const struct fray_loop *loop, int fd)
{
    const struct fray_lab *lab = loop->lab;
    return lab && fd >= 0 && (size_t)fd < lab->wires_cap ? lab->wires[fd] : NULL;
}

static const struct fray_lab_settings *settings_of(const struct fray_lab_wire *wire)
{
    return wire->has_own ? &wire->own : &wire->lab->all;
}

static void put(struct fray_lab *lab, struct fray_lab_wire *wire)
{
    size_t fd = (size_t)wire->source.fd;
    if (fd >= lab->wires_cap) {
        size_t cap = lab->wires_cap ? lab->wires_cap : 64;
        while (cap <= fd)
            cap *= 2;
        lab->wires = fray_realloc(lab->wires, cap * sizeof(*lab->wires));
        memset(lab->wires + lab->wires_cap, 0, (cap - lab->wires_cap) * sizeof(*lab->wires));
        lab->wires_cap = cap;
    }
    assert(!lab->wires[fd]);
    lab->wires[fd] = wire;
    lab->wires_count++;
    wire->lab = lab;
}

/* The wire is no more; whoever calls it further up the stack sees is_gone. */
static void take_out(struct fray_lab_wire *wire)
{
    struct fray_lab *lab = wire->lab;
    struct fray_loop *loop = lab->loop;
    lab->wires[wire->source.fd] = NULL;
    lab->wires_count--;
    fray_timer_cancel(&loop->timers, &wire->timer);
    if (wire->is_orphan) {
        fray_loop_remove_orphan(&wire->orphan);
        lab->orphans_count--;
    }
    wire->is_gone = true;
    fray_loop_release(loop, wire);
}

static void discard(struct fray_lab_wire *wire)
{
    fray_lab_pipe_deinit(&wire->in);
    fray_lab_pipe_deinit(&wire->out);
    take_out(wire);
}

/* ------------------------------------------------------------------ what is due, and when */

static bool has_input(const struct fray_lab_wire *wire, uint64_t now_us)
{
    if (!fray_lab_pipe_is_empty(&wire->in))
        return fray_lab_pipe_next_us(&wire->in) <= now_us;
    return wire->in_end && wire->in_end_us <= now_us;
}

static unsigned ready_of(const struct fray_lab_wire *wire, uint64_t now_us)
{
    unsigned ready = has_input(wire, now_us) ? FRAY_READY_READ : 0;
    if (wire->is_broken || fray_lab_pipe_room(&wire->out) >= FRAY_LAB_WINDOW / 2)
        ready |= FRAY_READY_WRITE;
    return wire->user ? ready & wire->user->watched : 0;
}

static uint64_t next_us(const struct fray_lab_wire *wire, uint64_t now_us)
{
    uint64_t next = wire->is_orphan ? wire->give_up_us : UINT64_MAX, at;
    if (ready_of(wire, now_us))
        return 0;
    if (wire->user && wire->user->watched & FRAY_READY_READ) {
        at = fray_lab_pipe_next_us(&wire->in);
        if (fray_lab_pipe_is_empty(&wire->in) && wire->in_end)
            at = wire->in_end_us;
        next = at < next ? at : next;
    }
    if (!wire->is_blocked && !wire->is_broken) {
        at = fray_lab_pipe_next_us(&wire->out);
        if (fray_lab_pipe_is_empty(&wire->out) && wire->has_fin && !wire->is_fin_sent)
            at = wire->fin_us;
        next = at < next ? at : next;
    }
    return next;
}

/* After every change: what the backend and the timer are asked for. */
static void update(struct fray_lab_wire *wire)
{
    struct fray_loop *loop = wire->lab->loop;
    bool reads = wire->user && !wire->in_end && fray_lab_pipe_room(&wire->in) > 0;
    unsigned mask = (reads ? FRAY_READY_READ : 0u) | (wire->is_blocked ? FRAY_READY_WRITE : 0u);
    if (wire->lab->inner->watch(loop, &wire->source, mask) && !wire->in_end) {
        wire->in_end = FRAY_ERR_IO; /* unwatched, it would never be heard of again */
        wire->in_end_us = 0;
    }
    uint64_t at_us = next_us(wire, loop->now_us);
    if (at_us == UINT64_MAX)
        fray_timer_cancel(&loop->timers, &wire->timer);
    else
        fray_timer_arm(&loop->timers, &wire->timer, at_us);
}

/* ------------------------------------------------------------------ moving bytes */

/* From the kernel, as far as the window goes. */
static void fill(struct fray_lab_wire *wire)
{
    struct fray_loop *loop = wire->lab->loop;
    const struct fray_lab_settings *settings = settings_of(wire);
    size_t room, count;
    while (!wire->in_end && (room = fray_lab_pipe_room(&wire->in)) > 0) {
        if (room > FRAY_LOOP_BUFFER_SIZE)
            room = FRAY_LOOP_BUFFER_SIZE;
        enum fray_err err =
            wire->lab->inner->read(loop, wire->source.fd, loop->buffer, room, &count);
        if (err == FRAY_ERR_AGAIN)
            return;
        if (err) {
            wire->in_end = (uint8_t)(wire->is_broken ? FRAY_ERR_IO : err);
            wire->in_end_us = fray_lab_segment(&wire->in.path, settings, loop->now_us, 0);
            return;
        }
        size_t sent =
            fray_lab_pipe_send(&wire->in, settings, loop->now_us, fray_slice(loop->buffer, count));
        assert(sent == count);
        if (count < room)
            return;
    }
}

/* To the kernel, as far as it has arrived. */
static void drain(struct fray_lab_wire *wire)
{
    struct fray_loop *loop = wire->lab->loop;
    const struct fray_loop_ops *inner = wire->lab->inner;
    struct fray_slice arrived;
    while (!wire->is_blocked && (arrived = fray_lab_pipe_arrived(&wire->out, loop->now_us)).len) {
        size_t count;
        enum fray_err err =
            inner->writev(loop, wire->source.fd,
                          &(struct iovec){(void *)(uintptr_t)arrived.data, arrived.len}, 1, &count);
        if (err == FRAY_ERR_IO) {
            wire->is_broken = true;
            fray_lab_pipe_deinit(&wire->out);
            return;
        }
        fray_lab_pipe_consume(&wire->out, count);
        wire->is_blocked = err == FRAY_ERR_AGAIN;
    }
    bool is_last = fray_lab_pipe_is_empty(&wire->out) && !wire->is_broken;
    if (is_last && wire->has_fin && !wire->is_fin_sent && wire->fin_us <= loop->now_us) {
        wire->is_fin_sent = true;
        inner->shutdown(loop, wire->source.fd);
    }
}

static void send_fin(struct fray_lab_wire *wire)
{
    if (wire->has_fin)
        return;
    wire->has_fin = true;
    wire->fin_us = fray_lab_segment(&wire->out.path, settings_of(wire), wire->lab->loop->now_us, 0);
}

/* ------------------------------------------------------------------ turns */

static void close_below(struct fray_lab_wire *wire, bool reset)
{
    struct fray_loop *loop = wire->lab->loop;
    const struct fray_loop_ops *inner = wire->lab->inner;
    int fd = wire->source.fd;
    wire->source.watched = 0; /* the batch under way sees this */
    discard(wire);
    inner->close(loop, fd, reset);
}

/* Nothing concerns it, nothing is on its way: the stream goes on without it. */
static bool dissolve(struct fray_lab_wire *wire)
{
    struct fray_lab *lab = wire->lab;
    struct fray_loop *loop = lab->loop;
    bool is_idle = wire->user && !wire->in_end && !wire->is_broken && !wire->has_fin &&
                   !wire->is_blocked && fray_lab_pipe_is_empty(&wire->in) &&
                   fray_lab_pipe_is_empty(&wire->out);
    if (!is_idle || wire->has_own || lab->is_on)
        return false;
    struct fray_source *user = wire->user;
    unsigned mask = user->watched;
    enum fray_err err = lab->inner->watch(loop, &wire->source, 0);
    user->watched = 0;
    err = lab->inner->watch(loop, user, mask);
    if (err) {
        user->watched = (uint8_t)mask;
        wire->in_end = FRAY_ERR_IO; /* told with the next turn */
        return false;
    }
    discard(wire);
    return true;
}

static void run(struct fray_lab_wire *wire)
{
    struct fray_loop *loop = wire->lab->loop;
    drain(wire);
    if (wire->is_orphan) {
        if (wire->is_fin_sent || wire->is_broken || wire->give_up_us <= loop->now_us)
            close_below(wire, false);
        else
            update(wire);
        return;
    }
    unsigned ready = ready_of(wire, loop->now_us);
    if (ready)
        wire->user->on_ready(loop, wire->user, ready);
    if (!wire->is_gone && !wire->is_orphan && !dissolve(wire))
        update(wire);
}

static void on_below(struct fray_loop *loop, struct fray_source *source, unsigned ready)
{
    struct fray_lab_wire *wire = (struct fray_lab_wire *)source;
    (void)loop;
    if (ready & FRAY_READY_WRITE)
        wire->is_blocked = false;
    if (ready & FRAY_READY_READ)
        fill(wire);
    run(wire);
}

static void on_timer(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct fray_lab_wire *wire =
        (struct fray_lab_wire *)((char *)timer - offsetof(struct fray_lab_wire, timer));
    run(wire);
}

/* ------------------------------------------------------------------ the loop's operations */

static enum fray_err lab_read(struct fray_loop *loop, int fd, void *data, size_t len, size_t *count)
{
    struct fray_lab_wire *wire = wire_of(loop, fd);
    if (!wire)
        return loop->lab->inner->read(loop, fd, data, len, count);
    *count = 0;
    if (!has_input(wire, loop->now_us))
        return FRAY_ERR_AGAIN;
    if (fray_lab_pipe_is_empty(&wire->in))
        return (enum fray_err)wire->in_end;
    struct fray_slice arrived = fray_lab_pipe_arrived(&wire->in, loop->now_us);
    *count = arrived.len < len ? arrived.len : len;
    memcpy(data, arrived.data, *count);
    fray_lab_pipe_consume(&wire->in, *count);
    update(wire);
    return FRAY_OK;
}

static enum fray_err lab_writev(struct fray_loop *loop, int fd, const struct iovec *parts,
                                int parts_count, size_t *count)
{
    struct fray_lab_wire *wire = wire_of(loop, fd);
    if (!wire)
        return loop->lab->inner->writev(loop, fd, parts, parts_count, count);
    *count = 0;
    if (wire->is_broken)
        return FRAY_ERR_IO;
    bool is_all = true;
    for (int i = 0; i < parts_count && is_all; i++) {
        struct fray_slice part = fray_slice(parts[i].iov_base, parts[i].iov_len);
        size_t sent = fray_lab_pipe_send(&wire->out, settings_of(wire), loop->now_us, part);
        *count += sent;
        is_all = sent == part.len;
    }
    drain(wire);
    update(wire);
    return is_all ? FRAY_OK : FRAY_ERR_AGAIN;
}

static void lab_shutdown(struct fray_loop *loop, int fd)
{
    struct fray_lab_wire *wire = wire_of(loop, fd);
    if (!wire) {
        loop->lab->inner->shutdown(loop, fd);
        return;
    }
    send_fin(wire);
    drain(wire);
    update(wire);
}

static void destroy_orphan(struct fray_loop *loop, struct fray_orphan *orphan)
{
    (void)loop;
    close_below((struct fray_lab_wire *)((char *)orphan - offsetof(struct fray_lab_wire, orphan)),
                false);
}

static void lab_close(struct fray_loop *loop, int fd, bool reset)
{
    struct fray_lab_wire *wire = wire_of(loop, fd);
    if (!wire) {
        loop->lab->inner->close(loop, fd, reset);
        return;
    }
    wire->user = NULL;
    send_fin(wire);
    drain(wire);
    bool is_crowded = wire->lab->orphans_count == FRAY_LAB_ORPHANS;
    if (reset || is_crowded || wire->is_fin_sent || wire->is_broken ||
        wire->in_end == FRAY_ERR_IO) {
        close_below(wire, reset || is_crowded);
        return;
    }
    wire->is_orphan = true;
    wire->lab->orphans_count++;
    wire->orphan.destroy = destroy_orphan;
    wire->give_up_us = wire->fin_us + FRAY_LAB_LINGER_MS * UINT64_C(1000);
    fray_loop_add_orphan(loop, &wire->orphan);
    fray_lab_pipe_deinit(&wire->in);
    update(wire);
}

static enum fray_err lab_watch(struct fray_loop *loop, struct fray_source *source, unsigned mask)
{
    struct fray_lab_wire *wire = wire_of(loop, source->fd);
    if (!wire)
        return loop->lab->inner->watch(loop, source, mask);
    wire->user = source;
    source->watched = (uint8_t)mask;
    update(wire);
    return FRAY_OK;
}

static void lab_destroy(struct fray_loop *loop)
{
    struct fray_lab *lab = loop->lab;
    for (size_t i = 0; i < lab->wires_cap; i++) {
        if (lab->wires[i])
            discard(lab->wires[i]);
    }
    loop->lab = NULL;
    loop->ops = lab->inner;
    free(lab->wires);
    free(lab);
    loop->ops->destroy(loop);
}

/* ------------------------------------------------------------------ switching it */

static struct fray_lab *install(struct fray_loop *loop)
{
    if (loop->lab)
        return loop->lab;
    struct fray_lab *lab = fray_alloc_zero(sizeof *lab);
    lab->loop = loop;
    lab->inner = loop->ops;
    lab->seed = loop->lab_seed;
    lab->ops = *loop->ops;
    lab->ops.read = lab_read;
    lab->ops.writev = lab_writev;
    lab->ops.shutdown = lab_shutdown;
    lab->ops.close = lab_close;
    lab->ops.watch = lab_watch;
    lab->ops.destroy = lab_destroy;
    loop->lab = lab;
    loop->ops = &lab->ops;
    return lab;
}

static struct fray_lab_wire *make(struct fray_lab *lab, struct fray_source *user)
{
    struct fray_loop *loop = lab->loop;
    struct fray_lab_wire *wire = fray_alloc_zero(sizeof *wire);
    unsigned mask = user->watched;
    enum fray_err never = lab->inner->watch(loop, user, 0); /* unwatching does not fail */
    (void)never;
    user->watched = (uint8_t)mask;
    wire->source = (struct fray_source){.fd = user->fd, .on_ready = on_below};
    wire->timer.on_expire = on_timer;
    wire->user = user;
    uint64_t seed = lab->seed + 2 * lab->wires_made++;
    fray_lab_path_init(&wire->in.path, seed);
    fray_lab_path_init(&wire->out.path, seed + 1);
    put(lab, wire);
    update(wire);
    return wire;
}

void fray_lab_set_seed(struct fray_loop *loop, uint64_t seed)
{
    loop->lab_seed = seed;
}

void fray_lab_set_all(struct fray_loop *loop, const struct fray_lab_settings *settings)
{
    if (!loop->lab && !fray_lab_is_on(settings))
        return;
    struct fray_lab *lab = install(loop);
    lab->all = *settings;
    lab->is_on = fray_lab_is_on(settings);
    for (size_t i = 0; i < lab->wires_cap && !lab->is_on; i++) {
        struct fray_lab_wire *wire = lab->wires[i];
        if (wire) /* looks whether it is needed any longer */
            fray_timer_arm(&loop->timers, &wire->timer, 0);
    }
}

void fray_lab_set_own(struct fray_loop *loop, struct fray_source *source,
                      const struct fray_lab_settings *settings)
{
    struct fray_lab_wire *wire = wire_of(loop, source->fd);
    if (source->fd < 0 || (!settings && !wire))
        return;
    if (!wire)
        wire = make(install(loop), source);
    wire->has_own = settings != NULL;
    if (settings)
        wire->own = *settings;
    else
        fray_timer_arm(&loop->timers, &wire->timer, 0);
}

void fray_lab_touch(struct fray_loop *loop, struct fray_source *source)
{
    if (loop->lab->is_on && !wire_of(loop, source->fd))
        make(loop->lab, source);
}

struct fray_lab_wire *fray_lab_detach(struct fray_loop *loop, int fd)
{
    struct fray_lab_wire *wire = wire_of(loop, fd);
    if (!wire)
        return NULL;
    enum fray_err never = wire->lab->inner->watch(loop, &wire->source, 0);
    (void)never;
    struct fray_lab_wire *moved = fray_alloc(sizeof *moved);
    *moved = *wire;
    moved->lab = NULL;
    moved->user = NULL;
    moved->timer = (struct fray_timer){.on_expire = on_timer};
    take_out(wire); /* the batch under way may still hold its address, so that memory stays here */
    return moved;
}

void fray_lab_attach(struct fray_loop *loop, struct fray_lab_wire *wire)
{
    put(install(loop), wire);
}

unsigned fray_lab_wires(const struct fray_loop *loop)
{
    return loop->lab ? loop->lab->wires_count : 0;
}
