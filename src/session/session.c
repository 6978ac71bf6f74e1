#include "session/session.h"

#include <assert.h>

#include "base/mem.h"

void *fray_session_open(const struct fray_protocol *protocol, struct fray_worker *worker,
                        size_t size)
{
    assert(size >= sizeof(struct fray_session) && size <= UINT16_MAX);
    struct fray_session *session = fray_cells_take(worker->cells, size);
    session->size = (uint16_t)size;
    session->protocol = protocol;
    session->worker = worker;
    session->handle = fray_id_pool_add(&worker->sessions, session);
    session->admitted = worker->messages_per_second + worker->messages_burst;
    session->admitted_second = session->opened_s = (uint32_t)(*worker->now_us / 1000000);
    fray_count(&worker->counters.sessions_opened);
    return session;
}

void fray_session_attach(struct fray_session *session, struct fray_link *link)
{
    struct fray_link *former = session->link;
    if (former == link)
        return;
    session->link = link;
    link->session = session;
    fray_outbox_rewind(&session->outbox);
    fray_session_mark(session);
    if (session->holds && link->ops->pause)
        link->ops->pause(link, true);
    if (former) {
        former->session = NULL;
        former->ops->retire(former);
    }
    fray_link_carried(link);
}

void fray_session_mark(struct fray_session *session)
{
    if (session->is_dirty || session->is_closed)
        return;
    session->is_dirty = true;
    struct fray_worker *worker = session->worker;
    if (worker->dirty_count == worker->dirty_cap) {
        worker->dirty_cap = worker->dirty_cap ? worker->dirty_cap * 2 : 256;
        worker->dirty = fray_realloc(worker->dirty, worker->dirty_cap * sizeof(*worker->dirty));
    }
    worker->dirty[worker->dirty_count++] = session;
}

/* What did not fit is lost to this reader: each class has its own consequence. */
static enum fray_send_result overflow(struct fray_session *session,
                                      const struct fray_message *message)
{
    struct fray_counters *counters = &session->worker->counters;
    session->owes_drained = true;
    if (message->class == FRAY_LATEST) {
        fray_count(&counters->dropped_latest);
    } else if (message->class == FRAY_TRANSIENT) {
        fray_count(&counters->dropped_transient);
    } else {
        /* Closed at the end of the turn: the caller may be walking a room that this session is in.
         */
        session->is_overrun = true;
        fray_session_mark(session);
    }
    return FRAY_DROPPED;
}

enum fray_send_result fray_session_queue(struct fray_session *session, struct fray_message *message)
{
    if (session->is_closing || session->is_overrun)
        return FRAY_DROPPED;
    struct fray_worker_lab *lab = session->worker->lab;
    if (lab && message->class != FRAY_RELIABLE && lab->divert(lab, session, message))
        return FRAY_SENT;
    bool waits = !session->link || !session->link->is_writable;
    if (waits && message->class == FRAY_TRANSIENT) {
        session->owes_drained = true;
        fray_count(&session->worker->counters.dropped_transient);
        return FRAY_DROPPED;
    }
    if (fray_outbox_push(&session->outbox, message, &session->worker->outbox_limits))
        return overflow(session, message);
    if (!waits)
        return FRAY_SENT;
    session->owes_drained = true;
    return FRAY_QUEUED;
}

enum fray_send_result fray_session_send(struct fray_session *session, struct fray_message *message)
{
    enum fray_send_result result = fray_session_queue(session, message);
    if (result == FRAY_SENT)
        fray_session_mark(session);
    return result;
}

void fray_session_send_take(struct fray_session *session, struct fray_message *message)
{
    fray_session_send(session, message);
    fray_message_unref(message);
}

static struct fray_farewell *farewell_of(const struct fray_session *session)
{
    struct fray_farewell *farewell = session->worker->farewells;
    while (farewell && farewell->session != session)
        farewell = farewell->next;
    return farewell;
}

static struct fray_farewell *farewell_create(struct fray_session *session, struct fray_slice text)
{
    struct fray_worker *worker = session->worker;
    struct fray_farewell *farewell = fray_alloc_zero(sizeof *farewell + text.len + 1);
    farewell->session = session;
    if (text.len)
        memcpy(farewell->text, text.data, text.len);
    farewell->next = worker->farewells;
    farewell->link = &worker->farewells;
    if (farewell->next)
        farewell->next->link = &farewell->next;
    worker->farewells = farewell;
    return farewell;
}

static void farewell_destroy(struct fray_farewell *farewell)
{
    fray_timer_cancel(farewell->session->worker->timers, &farewell->timer);
    *farewell->link = farewell->next;
    if (farewell->next)
        farewell->next->link = farewell->link;
    free(farewell);
}

/* The end: nothing of the session is left but its memory, until the turn ends. */
static void finish(struct fray_session *session)
{
    if (session->is_closed)
        return;
    session->is_closed = true;
    struct fray_worker *worker = session->worker;
    struct fray_link *link = session->link;
    struct fray_farewell *farewell = session->has_farewell ? farewell_of(session) : NULL;
    if (worker->lab)
        worker->lab->on_gone(worker->lab, session);
    if (link) {
        session->link = NULL;
        link->session = NULL;
        worker->farewell = farewell && farewell->code ? farewell : NULL;
        link->ops->close(link, session->close_reason);
        worker->farewell = NULL;
    }
    if (farewell)
        farewell_destroy(farewell);
    fray_outbox_deinit(&session->outbox);
    fray_id_pool_remove(&worker->sessions, session->handle);
    fray_count(&worker->counters.sessions_closed);
    worker->release(worker, session, session->size);
}

/* Something is still to be written. */
static bool is_owed(const struct fray_session *session)
{
    return session->outbox.count || (session->link && session->link->has_own_bytes);
}

static void flush(struct fray_session *session)
{
    if (session->is_overrun && !session->is_closing) {
        fray_count(&session->worker->counters.closed_slow);
        fray_session_close(session, FRAY_SLOW_READER);
        return;
    }
    struct fray_link *link = session->link;
    if (!link || !link->is_writable) /* it waits on, and so does whoever wants to hear on_drained */
        return;
    if (is_owed(session))
        link->ops->flush(link);
    if (session->is_closed || is_owed(session))
        return;
    if (session->is_closing) {
        finish(session);
    } else if (session->owes_drained) {
        session->owes_drained = false;
        session->protocol->on_drained(session);
    }
}

static void on_linger_expired(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    finish(((struct fray_farewell *)timer)->session);
}

void fray_session_close(struct fray_session *session, enum fray_disconnect reason)
{
    if (session->is_closing)
        return;
    session->is_closing = true;
    session->close_reason = (uint8_t)reason;
    session->protocol->on_close(session, reason);
    bool is_polite = reason == FRAY_SERVER_DISCONNECTED || reason == FRAY_SERVER_SHUTDOWN ||
                     reason == FRAY_CLIENT_LEFT || reason == FRAY_FLOODING;
    if (!session->link || !is_owed(session) || !is_polite) {
        finish(session);
        return;
    }
    struct fray_farewell *farewell = session->has_farewell
                                         ? farewell_of(session)
                                         : farewell_create(session, (struct fray_slice){0});
    session->has_farewell = true;
    farewell->timer.on_expire = on_linger_expired;
    fray_timer_arm(session->worker->timers, &farewell->timer,
                   *session->worker->now_us + session->worker->linger_ms * UINT64_C(1000));
    fray_session_mark(session);
}

void fray_session_abandon(struct fray_session *session, enum fray_disconnect reason)
{
    fray_session_close(session, reason);
    finish(session);
}

void fray_session_set_farewell(struct fray_session *session, unsigned code, struct fray_slice text)
{
    if (session->is_closing || session->has_farewell)
        return;
    farewell_create(session, text)->code = (uint16_t)code;
    session->has_farewell = true;
}

void fray_session_drop_farewell(struct fray_session *session)
{
    if (session->is_closing || !session->has_farewell)
        return;
    farewell_destroy(farewell_of(session));
    session->has_farewell = false;
}

void fray_session_close_with(struct fray_session *session, enum fray_disconnect reason,
                             unsigned code, struct fray_slice text)
{
    fray_session_set_farewell(session, code, text);
    fray_session_close(session, reason);
}

bool fray_session_admits(struct fray_session *session)
{
    const struct fray_worker *worker = session->worker;
    if (session->is_closing)
        return false;
    if (!worker->messages_per_second)
        return true;
    /* A token bucket, refilled by the second: coarse, and 8 bytes. */
    uint32_t second = (uint32_t)(*worker->now_us / 1000000);
    uint64_t refill = (uint64_t)(second - session->admitted_second) * worker->messages_per_second;
    uint32_t most = worker->messages_per_second + worker->messages_burst;
    session->admitted =
        session->admitted + refill > most ? most : session->admitted + (uint32_t)refill;
    session->admitted_second = second;
    if (session->admitted) {
        session->admitted--;
        return true;
    }
    fray_count(&session->worker->counters.closed_flooding);
    fray_session_close(session, FRAY_FLOODING);
    return false;
}

void fray_session_hold(struct fray_session *session, bool is_held)
{
    struct fray_link *link = session->link;
    session->holds = (uint16_t)(is_held ? session->holds + 1 : session->holds - 1);
    if (session->holds == is_held && link && link->ops->pause)
        link->ops->pause(link, is_held);
}

void fray_session_on_writable(struct fray_session *session)
{
    fray_session_mark(session);
}

void fray_link_end(struct fray_link *link, enum fray_disconnect reason)
{
    struct fray_session *session = link->session;
    if (!session)
        return;
    link->session = NULL;
    if (session->link == link)
        session->link = NULL;
    if (session->is_closing)
        finish(session);
    else
        session->protocol->on_link_end(session, link, reason);
}

void fray_worker_flush(struct fray_worker *worker)
{
    /* Flushing may dirty others (a drained callback that sends), so the list may grow meanwhile. */
    for (size_t i = 0; i < worker->dirty_count; i++) {
        struct fray_session *session = worker->dirty[i];
        session->is_dirty = false;
        if (!session->is_closed)
            flush(session);
    }
    worker->dirty_count = 0;
}
