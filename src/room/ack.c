/* Acknowledgements of our own events: who waits for which, and until when. On the namespace's home
 * worker. */
#include "base/mem.h"
#include "room/event.h"

struct fray_pending_ack {
    struct fray_pending_ack *next;
    fray_socket *socket;
    uint64_t id;
    fray_ack_fn *on_ack;
    void *context;
    struct fray_timer timer;
};

/* Takes the pending ack off its list and tells the application. */
static void settle(struct fray_pending_ack **link, enum fray_err err, const fray_event *reply)
{
    struct fray_pending_ack *pending = *link;
    *link = pending->next;
    fray_timer_cancel(pending->socket->nsp->home->timers, &pending->timer);
    pending->on_ack(pending->socket, err, reply, pending->context);
    free(pending);
}

static struct fray_pending_ack **find(fray_socket *socket, uint64_t id)
{
    struct fray_pending_ack **link = &socket->extra->acks;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void on_timeout(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_pending_ack *pending =
        (struct fray_pending_ack *)((char *)timer - offsetof(struct fray_pending_ack, timer));
    (void)now_us;
    fray_count(&pending->socket->nsp->home->counters.acks_timed_out);
    settle(find(pending->socket, pending->id), FRAY_ERR_TIMEOUT, NULL);
}

enum fray_send_result fray_send_ack(fray_socket *socket, fray_message *message, unsigned timeout_ms,
                                    fray_ack_fn *on_ack, void *context)
{
    if (!socket->is_connected)
        return FRAY_DROPPED;
    struct fray_worker *home = socket->nsp->home;
    struct fray_socket_extra *extra = fray_socket_extra(socket);
    struct fray_pending_ack *pending = fray_alloc_zero(sizeof *pending);
    pending->socket = socket;
    pending->id = extra->next_ack_id++;
    pending->on_ack = on_ack;
    pending->context = context;
    pending->timer.on_expire = on_timeout;
    pending->next = extra->acks;
    extra->acks = pending;
    if (timeout_ms)
        fray_timer_arm(home->timers, &pending->timer, *home->now_us + timeout_ms * UINT64_C(1000));
    /* The id is this socket's alone, so the message is too. */
    fray_message *asking = fray_message_clone(message);
    asking->ack_id = (int64_t)pending->id;
    asking->offset = 0;
    enum fray_send_result result = fray_socket_deliver(socket, asking);
    fray_message_unref(asking);
    return result;
}

void fray_namespace_ack(fray_namespace *nsp, struct fray_handle handle,
                        const struct fray_incoming *incoming)
{
    fray_socket *socket = fray_id_pool_get(&nsp->sockets, handle);
    if (!socket || !socket->extra)
        return;
    struct fray_pending_ack **link = find(socket, (uint64_t)incoming->ack_id);
    if (!*link)
        return; /* late, or never asked for: as in Socket.IO, ignored */
    fray_event reply = {.socket = socket, .incoming = incoming, .is_acked = true};
    settle(link, FRAY_OK, &reply);
    fray_event_deinit(&reply);
}

void fray_acks_cancel(fray_socket *socket)
{
    while (socket->extra && socket->extra->acks)
        settle(&socket->extra->acks, FRAY_ERR_CLOSED, NULL);
}
