/* For tests: a worker without an event loop and a link without a socket. Time moves when the test
 * says so, random bytes repeat, parcels wait until the test runs them, and released memory goes at
 * the end of the turn, so that AddressSanitizer finds whoever still looks at it. */
#ifndef FRAY_SESSION_SESSION_FAKE_H
#define FRAY_SESSION_SESSION_FAKE_H

#include <assert.h>

#include "base/mem.h"
#include "base/rng.h"
#include "session/session.h"

struct fake_worker {
    struct fray_worker base; /* first */
    uint64_t now_us;
    struct fray_timer_wheel timers;
    struct fray_rng rng;
    struct fray_cells cells;
    struct fake_released {
        void *memory;
        size_t size;
    } * released;
    size_t released_count, released_cap;
    struct fray_parcel *first_parcel; /* posted to this worker, not yet run */
    struct fray_parcel *last_parcel;  /* while there is a first */
    size_t parcels_count;
};

static inline void fake_post(struct fray_worker *from, struct fray_worker *to,
                             struct fray_parcel *parcel)
{
    struct fake_worker *self = (struct fake_worker *)to;
    assert(from != to); /* that would be a plain call */
    parcel->next = NULL;
    *(self->first_parcel ? &self->last_parcel->next : &self->first_parcel) = parcel;
    self->last_parcel = parcel;
    self->parcels_count++;
}

static inline void fake_release(struct fray_worker *worker, void *memory, size_t size)
{
    struct fake_worker *self = (struct fake_worker *)worker;
    if (self->released_count == self->released_cap) {
        self->released_cap = self->released_cap ? self->released_cap * 2 : 16;
        self->released = fray_realloc(self->released, self->released_cap * sizeof *self->released);
    }
    self->released[self->released_count++] = (struct fake_released){memory, size};
}

static inline void fake_random(struct fray_worker *worker, void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)fray_rng_next(&((struct fake_worker *)worker)->rng);
}

static inline void fake_worker_init(struct fake_worker *self, unsigned index)
{
    *self = (struct fake_worker){.now_us = 1000000};
    fray_timer_wheel_init(&self->timers, self->now_us);
    fray_rng_init(&self->rng, index);
    self->base.index = index;
    self->base.now_us = &self->now_us;
    self->base.timers = &self->timers;
    self->base.cells = &self->cells;
    self->base.outbox_limits = (struct fray_outbox_limits){.max_messages = 64, .max_bytes = 65536};
    self->base.linger_ms = 2000;
    self->base.post = fake_post;
    self->base.release = fake_release;
    self->base.random = fake_random;
}

/* The end of a turn. */
static inline void fake_worker_turn(struct fake_worker *self)
{
    fray_worker_flush(&self->base);
    for (size_t i = 0; i < self->released_count; i++) {
        struct fake_released item = self->released[i];
        if (item.size)
            fray_cells_give(&self->cells, item.memory, item.size);
        else
            free(item.memory);
    }
    self->released_count = 0;
}

/* Runs the oldest parcel; false: there was none. The turn goes on. */
static inline bool fake_worker_run_parcel(struct fake_worker *self)
{
    struct fray_parcel *parcel = self->first_parcel;
    if (!parcel)
        return false;
    self->first_parcel = parcel->next;
    self->parcels_count--;
    parcel->run(&self->base, parcel);
    return true;
}

/* A turn that runs all parcels that are there. */
static inline void fake_worker_pump(struct fake_worker *self)
{
    while (fake_worker_run_parcel(self))
        ;
    fake_worker_turn(self);
}

/* A turn some time later. */
static inline void fake_worker_advance(struct fake_worker *self, uint64_t ms)
{
    self->now_us += ms * 1000;
    fray_timer_wheel_advance(&self->timers, self->now_us);
    fake_worker_turn(self);
}

static inline void fake_worker_deinit(struct fake_worker *self)
{
    fake_worker_turn(self);
    assert(!self->first_parcel && !self->base.sessions.count && !self->base.members.count);
    assert(!self->timers.count);
    fray_id_pool_deinit(&self->base.sessions);
    fray_id_pool_deinit(&self->base.members);
    free(self->base.dirty);
    fray_buf_deinit(&self->base.scratch);
    fray_buf_deinit(&self->base.packet);
    free(self->released);
    fray_cells_deinit(&self->cells);
}

/* Owned by the test, so that it can be looked at after its session went. */
struct fake_link {
    struct fray_link link;      /* first */
    struct fray_buf out;        /* what was written */
    struct fray_buf text;       /* fake_link_text's */
    struct fray_worker *worker; /* set by a test that looks at close_code */
    size_t room;                /* bytes that a websocket takes before it blocks */
    unsigned flushes, closes, retires, pings;
    bool is_paused;
    uint16_t close_code;         /* of a close with words of its own; else 0 */
    enum fray_disconnect reason; /* of the close */
};

/* As a websocket: bytes go out as far as there is room, a message may be half sent. */
static inline void fake_flush_websocket(struct fray_link *link)
{
    struct fake_link *self = (struct fake_link *)link;
    struct fray_session *session = link->session;
    struct fray_outbox *outbox = &session->outbox;
    assert(link->is_writable);
    self->flushes++;
    link->has_own_bytes = false;
    while (outbox->count) {
        const struct fray_encoding *encoding = session->protocol->encode(
            session->worker, fray_outbox_at(outbox, 0), FRAY_FRAMING_WEBSOCKET);
        size_t left = encoding->len - outbox->head_sent;
        size_t len = left < self->room ? left : self->room;
        fray_buf_append(&self->out, encoding->bytes + outbox->head_sent, len);
        if (self->room != SIZE_MAX)
            self->room -= len;
        if (len < left) {
            outbox->head_sent += (uint32_t)len;
            link->is_writable = false;
            return;
        }
        fray_outbox_pop(outbox, 1);
    }
}

/* As the reply to a waiting GET: everything in one body, a line in the test's text. */
static inline void fake_flush_polling(struct fray_link *link)
{
    struct fake_link *self = (struct fake_link *)link;
    struct fray_session *session = link->session;
    struct fray_outbox *outbox = &session->outbox;
    assert(link->is_writable);
    self->flushes++;
    for (unsigned i = 0; i < outbox->count; i++) {
        const struct fray_encoding *encoding = session->protocol->encode(
            session->worker, fray_outbox_at(outbox, i), FRAY_FRAMING_POLLING);
        if (i)
            fray_buf_append_byte(&self->out, 0x1e);
        fray_buf_append(&self->out, encoding->bytes, encoding->len);
    }
    fray_buf_append_byte(&self->out, '\n');
    fray_outbox_pop(outbox, outbox->count);
    link->is_writable = false;
}

static inline void fake_pause(struct fray_link *link, bool is_paused)
{
    struct fake_link *self = (struct fake_link *)link;
    assert(self->is_paused != is_paused);
    self->is_paused = is_paused;
}

static inline void fake_close(struct fray_link *link, enum fray_disconnect reason)
{
    struct fake_link *self = (struct fake_link *)link;
    assert(!link->session);
    self->closes++;
    self->reason = reason;
    if (self->worker && self->worker->farewell)
        self->close_code = self->worker->farewell->code;
    link->is_writable = false;
}

static inline void fake_retire(struct fray_link *link)
{
    assert(!link->session);
    ((struct fake_link *)link)->retires++;
    link->is_writable = false;
}

static inline void fake_ping(struct fray_link *link)
{
    ((struct fake_link *)link)->pings++;
}

static inline void fake_send_text(struct fray_link *link, struct fray_slice text)
{
    struct fake_link *self = (struct fake_link *)link;
    fray_buf_append_byte(&self->out, 0x81);
    assert(text.len < 126);
    fray_buf_append_byte(&self->out, (uint8_t)text.len);
    fray_buf_append_slice(&self->out, text);
}

static inline void fake_link_init(struct fake_link *self, enum fray_framing framing)
{
    static const struct fray_link_ops websocket = {
        .name = "websocket",
        .framing = FRAY_FRAMING_WEBSOCKET,
        .flush = fake_flush_websocket,
        .pause = fake_pause,
        .close = fake_close,
        .retire = fake_retire,
        .send_text = fake_send_text,
        .ping = fake_ping,
    };
    static const struct fray_link_ops polling = {
        .name = "polling",
        .framing = FRAY_FRAMING_POLLING,
        .flush = fake_flush_polling,
        .close = fake_close,
        .retire = fake_retire,
        .ping = fake_ping,
    };
    *self = (struct fake_link){.room = SIZE_MAX};
    self->link.ops = framing == FRAY_FRAMING_WEBSOCKET ? &websocket : &polling;
    self->link.is_writable = true;
}

static inline void fake_link_deinit(struct fake_link *self)
{
    fray_buf_deinit(&self->out);
    fray_buf_deinit(&self->text);
}

/* It takes `room` more bytes; a polling link: a GET has come. */
static inline void fake_link_open_up(struct fake_link *self, size_t room)
{
    self->room = room;
    self->link.is_writable = true;
    if (self->link.session)
        fray_session_on_writable(self->link.session);
}

/* What was written since the last call, forgotten then: a frame a line, `b:` before binary ones; of
 * polling a body a line, `|` between packets. Raw bytes of a protocol that frames nothing: as is.
 */
static inline const char *fake_link_text(struct fake_link *self)
{
    self->text.len = 0;
    const unsigned char *at = (const unsigned char *)self->out.data;
    size_t left = self->out.len;
    while (left && self->link.ops->framing == FRAY_FRAMING_WEBSOCKET &&
           (*at == 0x81 || *at == 0x82)) {
        size_t len = at[1], header = 2;
        if (len == 126) {
            len = (size_t)at[2] << 8 | at[3];
            header = 4;
        }
        assert(len < 65536 && left >= header + len);
        if (*at == 0x82)
            FRAY_BUF_LITERAL(&self->text, "b:");
        fray_buf_append(&self->text, at + header, len);
        fray_buf_append_byte(&self->text, '\n');
        at += header + len;
        left -= header + len;
    }
    for (; left; left--, at++)
        fray_buf_append_byte(&self->text, *at == 0x1e ? '|' : *at);
    self->out.len = 0;
    fray_buf_append_byte(&self->text, '\0');
    self->text.len--;
    return self->text.data;
}

#endif
