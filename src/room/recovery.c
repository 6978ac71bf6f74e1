#include "room/recovery.h"

#include <assert.h>

#include "base/mem.h"
#include "room/event.h"

enum { FORMER_ROOMS_MAX = 64 };

static void away_add(struct fray_ticket *ticket)
{
    struct fray_away *away = &ticket->nsp->away;
    ticket->is_away = true;
    ticket->longer_away = away->shortest;
    *(away->shortest ? &away->shortest->shorter_away : &away->longest) = ticket;
    away->shortest = ticket;
    away->count++;
}

static void away_remove(struct fray_ticket *ticket)
{
    struct fray_away *away = &ticket->nsp->away;
    struct fray_ticket *longer = ticket->longer_away, *shorter = ticket->shorter_away;
    if (!ticket->is_away)
        return;
    *(longer ? &longer->shorter_away : &away->longest) = shorter;
    *(shorter ? &shorter->longer_away : &away->shortest) = longer;
    ticket->longer_away = ticket->shorter_away = NULL;
    ticket->is_away = false;
    away->count--;
}

static void on_expiry(struct fray_timer *timer, uint64_t now_us)
{
    (void)now_us;
    fray_ticket_destroy(
        (struct fray_ticket *)((char *)timer - offsetof(struct fray_ticket, expiry)));
}

void fray_ticket_issue(fray_socket *socket)
{
    fray_namespace *nsp = socket->nsp;
    struct fray_ticket *ticket = fray_alloc_zero(sizeof *ticket);
    uint8_t random[FRAY_TOKEN_RANDOM];
    nsp->home->random(nsp->home, random, sizeof random);
    /* 90 random bits of their own: knowing a socket's id must not help to take it over. */
    fray_token_make(ticket->pid, 0, random);
    fray_socket_write_id(socket, ticket->id);
    do
        nsp->home->random(nsp->home, &ticket->lineage, sizeof ticket->lineage);
    while (!ticket->lineage);
    ticket->connected_seq = nsp->log.next - 1;
    ticket->nsp = nsp;
    ticket->expiry.on_expire = on_expiry;
    fray_name_map_add(&nsp->tickets, fray_slice(ticket->pid, FRAY_TOKEN_LEN), ticket);
    ticket->socket = socket;
    fray_socket_extra(socket)->ticket = ticket;
}

static void drop_rooms(struct fray_ticket *ticket)
{
    for (size_t i = 0; i < ticket->rooms_count; i++)
        free(ticket->rooms[i].name);
    free(ticket->rooms);
    ticket->rooms = NULL;
    ticket->rooms_count = 0;
}

/* The oldest. */
static void drop_former(struct fray_ticket *ticket, size_t count)
{
    if (!count)
        return;
    for (size_t i = 0; i < count; i++)
        free(ticket->former[i].name);
    ticket->former_count -= count;
    memmove(ticket->former, ticket->former + count, ticket->former_count * sizeof *ticket->former);
}

void fray_ticket_leave(struct fray_ticket *ticket, const struct fray_joined *joined)
{
    const struct fray_message_log *log = &ticket->nsp->log;
    size_t forgotten = 0;
    if (joined->since == log->next - 1)
        return; /* nothing was sent meanwhile */
    if (!ticket->former)
        ticket->former = fray_alloc(FORMER_ROOMS_MAX * sizeof *ticket->former);
    while (forgotten < ticket->former_count && ticket->former[forgotten].until < log->first)
        forgotten++;
    if (!forgotten && ticket->former_count == FORMER_ROOMS_MAX)
        ticket->exact_since = ticket->former[forgotten++].until;
    drop_former(ticket, forgotten);
    struct fray_slice name = joined->room->name;
    ticket->former[ticket->former_count++] =
        (struct fray_ticket_room){fray_strndup(name.data, name.len), joined->since, log->next - 1};
}

void fray_ticket_destroy(struct fray_ticket *ticket)
{
    fray_namespace *nsp = ticket->nsp;
    fray_timer_cancel(nsp->home->timers, &ticket->expiry);
    away_remove(ticket);
    fray_name_map_remove(&nsp->tickets, fray_slice(ticket->pid, FRAY_TOKEN_LEN));
    if (ticket->data && nsp->app.on_forget)
        nsp->app.on_forget(ticket->data, nsp->app.app);
    drop_rooms(ticket);
    drop_former(ticket, ticket->former_count);
    free(ticket->data);
    free(ticket->former);
    free(ticket);
    if (nsp->on_vacated)
        nsp->on_vacated(nsp, false);
}

static bool may_come_back(enum fray_disconnect reason)
{
    return reason == FRAY_TRANSPORT_CLOSE || reason == FRAY_TRANSPORT_ERROR ||
           reason == FRAY_PING_TIMEOUT || reason == FRAY_SESSION_TAKEN ||
           reason == FRAY_SLOW_READER;
}

void fray_ticket_suspend(fray_socket *socket, enum fray_disconnect reason)
{
    struct fray_ticket *ticket = socket->extra->ticket;
    fray_namespace *nsp = socket->nsp;
    ticket->socket = NULL;
    socket->extra->ticket = NULL;
    /* The data moves: the ticket's end, not the socket's, is the last look at it. */
    ticket->data = fray_alloc(nsp->app.socket_data_size);
    memcpy(ticket->data, socket->data, nsp->app.socket_data_size);
    if (!may_come_back(reason)) {
        fray_ticket_destroy(ticket);
        return;
    }
    drop_rooms(ticket); /* of a return that was cut short */
    ticket->rooms = fray_alloc(socket->joined_count * sizeof *ticket->rooms);
    for (size_t i = 0; i < socket->joined_count; i++) {
        struct fray_slice name = socket->joined[i].room->name;
        ticket->rooms[i] = (struct fray_ticket_room){.name = fray_strndup(name.data, name.len),
                                                     .since = socket->joined[i].since,
                                                     .until = UINT64_MAX};
    }
    ticket->rooms_count = socket->joined_count;
    fray_timer_arm(nsp->home->timers, &ticket->expiry,
                   *nsp->home->now_us +
                       nsp->options.recovery_max_disconnection_ms * UINT64_C(1000));
    away_add(ticket);
    if (nsp->options.recovery_max_sockets && nsp->away.count > nsp->options.recovery_max_sockets)
        fray_ticket_destroy(nsp->away.longest);
}

static bool was_member(const struct fray_ticket_room *room, struct fray_slice name,
                       uint64_t position)
{
    return room->since < position && position <= room->until &&
           fray_slice_equal(fray_slice_of(room->name), name);
}

/* Whether the socket, which is away, was in the room when the log reached that position. */
static bool was_in(const struct fray_ticket *ticket, const char *room, uint64_t position)
{
    struct fray_slice name = fray_slice_of(room);
    for (size_t i = 0; i < ticket->rooms_count; i++) {
        if (was_member(&ticket->rooms[i], name, position))
            return true;
    }
    for (size_t i = 0; i < ticket->former_count; i++) {
        if (was_member(&ticket->former[i], name, position))
            return true;
    }
    return false;
}

static bool is_for(const struct fray_log_entry *entry, const struct fray_ticket *ticket)
{
    uint64_t position = entry->message->offset;
    if (entry->only)
        return entry->only == ticket->lineage;
    if (entry->except == ticket->lineage || position <= ticket->connected_seq)
        return false;
    if (!entry->target)
        return true;
    for (size_t i = 0; i < 8 && entry->target->except_rooms[i]; i++) {
        if (was_in(ticket, entry->target->except_rooms[i], position))
            return false;
    }
    if (!entry->target->rooms[0])
        return true;
    for (size_t i = 0; i < 8 && entry->target->rooms[i]; i++) {
        if (was_in(ticket, entry->target->rooms[i], position))
            return true;
    }
    return false;
}

/* Whether an outbox may hold all that was missed: otherwise the client would be closed as too slow
 * for it as often as it came back. */
static bool fits(const struct fray_ticket *ticket, uint64_t seen)
{
    const struct fray_outbox_limits *limits = &ticket->nsp->home->outbox_limits;
    const struct fray_log_entry *entry;
    uint64_t messages = 0, bytes = 0;
    while ((entry = fray_message_log_at(&ticket->nsp->log, ++seen))) {
        if (!is_for(entry, ticket))
            continue;
        messages++;
        bytes += fray_message_size(entry->message);
    }
    /* An eighth is left for what the application says to who comes back. */
    return messages <= limits->max_messages - limits->max_messages / 8 &&
           bytes <= limits->max_bytes - limits->max_bytes / 8;
}

/* Offsets are positions in the log, in decimal. */
static bool read_offset(struct fray_slice text, uint64_t *offset)
{
    *offset = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *offset = *offset * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0 && text.len <= 18;
}

struct fray_ticket *fray_ticket_redeem(fray_namespace *nsp, struct fray_slice pid,
                                       struct fray_slice offset)
{
    uint64_t seen;
    struct fray_ticket *ticket = fray_name_map_get(&nsp->tickets, pid);
    if (!ticket || !read_offset(offset, &seen) || seen >= nsp->log.next)
        return NULL;
    /* All that came after `seen` must still be there. */
    if (seen + 1 < nsp->log.first || seen < ticket->exact_since)
        return NULL;
    if (!ticket->socket)
        return fits(ticket, seen) ? ticket : NULL;
    /* Handlers run, which may end the socket another way, and the ticket with it, or add to the
     * log. */
    struct fray_handle handle = ticket->socket->handle;
    fray_crossing_disconnect(ticket->socket, true);
    fray_namespace_end(nsp, handle, FRAY_SESSION_TAKEN);
    if (seen + 1 < nsp->log.first)
        return NULL;
    ticket = fray_name_map_get(&nsp->tickets, pid);
    return ticket && fits(ticket, seen) ? ticket : NULL;
}

void fray_ticket_restore(struct fray_ticket *ticket, fray_socket *socket)
{
    assert(!ticket->socket && ticket->data);
    fray_timer_cancel(ticket->nsp->home->timers, &ticket->expiry);
    away_remove(ticket);
    fray_socket_extra(socket)->id = fray_strndup(ticket->id, FRAY_TOKEN_LEN);
    memcpy(socket->data, ticket->data, ticket->nsp->app.socket_data_size);
    socket->is_recovered = true;
    for (size_t i = 0; i < ticket->rooms_count; i++) {
        if (fray_socket_join(socket, ticket->rooms[i].name))
            continue; /* the limit was lowered meanwhile */
        socket->joined[socket->joined_count - 1].since = ticket->rooms[i].since;
    }
    free(ticket->data);
    ticket->data = NULL;
    ticket->socket = socket;
    fray_socket_extra(socket)->ticket = ticket;
}

void fray_ticket_replay(fray_socket *socket, struct fray_slice offset)
{
    uint64_t position;
    if (!read_offset(offset, &position))
        return;
    const struct fray_log_entry *entry;
    while ((entry = fray_message_log_at(&socket->nsp->log, ++position))) {
        if (is_for(entry, fray_socket_ticket(socket)))
            fray_socket_deliver(socket, entry->message);
    }
    drop_rooms(fray_socket_ticket(socket));
}
