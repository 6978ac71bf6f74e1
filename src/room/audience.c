#include "room/audience.h"

#include <assert.h>

#include "base/mem.h"

enum { TARGET_ROOMS = sizeof((struct fray_target *)0)->rooms / sizeof(const char *) };

struct room_entry {
    struct fray_member *member;
    uint32_t place; /* index in member->places */
};

struct fray_room_members {
    struct room_entry *entries;
    uint32_t count, cap;
    struct fray_slice name; /* in `text` */
    char text[];
};

static void on_flush_timer(struct fray_timer *timer, uint64_t now_us);

void fray_audience_init(struct fray_audience *audience, struct fray_namespace *nsp,
                        struct fray_worker *worker)
{
    *audience = (struct fray_audience){.nsp = nsp, .worker = worker};
    audience->flush_timer.on_expire = on_flush_timer;
    worker->random(worker, &audience->rooms.key, sizeof audience->rooms.key);
}

void fray_audience_deinit(struct fray_audience *audience)
{
    assert(audience->count == 0);
    fray_timer_cancel(audience->worker->timers, &audience->flush_timer);
    fray_name_map_deinit(&audience->rooms);
    free(audience->members);
}

void fray_audience_add(struct fray_audience *audience, struct fray_member *member)
{
    if (audience->count == audience->cap) {
        audience->cap = audience->cap ? audience->cap * 2 : 8;
        audience->members =
            fray_realloc(audience->members, audience->cap * sizeof(*audience->members));
    }
    member->audience = audience;
    member->index = audience->count;
    member->mark = audience->mark;
    audience->members[audience->count++] = member;
}

static struct fray_room_members *room_of(struct fray_audience *audience, struct fray_slice name)
{
    struct fray_room_members *room = fray_name_map_get(&audience->rooms, name);
    if (room)
        return room;
    room = fray_alloc_zero(sizeof *room + name.len);
    if (name.len)
        memcpy(room->text, name.data, name.len);
    room->name = fray_slice(room->text, name.len);
    fray_name_map_add(&audience->rooms, room->name, room);
    return room;
}

static struct fray_place *place_in(const struct fray_member *member, struct fray_slice room)
{
    for (uint32_t i = 0; i < member->places_count; i++) {
        if (fray_slice_equal(member->places[i].room->name, room))
            return &member->places[i];
    }
    return NULL;
}

bool fray_member_in(const struct fray_member *member, struct fray_slice room)
{
    return place_in(member, room) != NULL;
}

void fray_member_join(struct fray_member *member, struct fray_slice name)
{
    if (place_in(member, name))
        return;
    struct fray_room_members *room = room_of(member->audience, name);
    if (room->count == room->cap) {
        room->cap = room->cap ? room->cap * 2 : 4;
        room->entries = fray_realloc(room->entries, room->cap * sizeof(*room->entries));
    }
    uint32_t place = member->places_count++;
    member->places = fray_realloc(member->places, member->places_count * sizeof *member->places);
    member->places[place] = (struct fray_place){room, room->count};
    room->entries[room->count++] = (struct room_entry){member, place};
}

/* Takes the member out of the room's list; an empty room goes. */
static void vacate(struct fray_audience *audience, struct fray_place place)
{
    struct fray_room_members *room = place.room;
    struct room_entry last = room->entries[--room->count];
    if (place.index != room->count) {
        room->entries[place.index] = last;
        last.member->places[last.place].index = place.index;
    }
    if (room->count)
        return;
    fray_name_map_remove(&audience->rooms, room->name);
    free(room->entries);
    free(room);
}

void fray_member_leave(struct fray_member *member, struct fray_slice name)
{
    struct fray_place *place = place_in(member, name);
    if (!place)
        return;
    vacate(member->audience, *place);
    struct fray_place last = member->places[--member->places_count];
    uint32_t at = (uint32_t)(place - member->places);
    if (at != member->places_count) {
        member->places[at] = last;
        last.room->entries[last.index].place = at;
    }
    if (!member->places_count) {
        free(member->places);
        member->places = NULL;
    }
}

void fray_audience_remove(struct fray_member *member)
{
    struct fray_audience *audience = member->audience;
    while (member->places_count)
        fray_member_leave(member, member->places[member->places_count - 1].room->name);
    struct fray_member *last = audience->members[--audience->count];
    audience->members[member->index] = last;
    last->index = member->index;
    member->audience = NULL;
}

enum {
    WRITE_US = 4,   /* what a write to one connection costs, roughly */
    WORTH_US = 500, /* below, waiting would cost more than it saves: timers count milliseconds */
};

/* A broadcast to many takes a while, and what comes meanwhile may as well go together: then at most
 * half of the time is spent on writing, where each message by itself would take all of it. Few
 * members, or a message now and then, are never delayed. */
static uint64_t interval_of(const struct fray_audience *audience, uint32_t reach)
{
    uint64_t cost_us = (uint64_t)reach * WRITE_US;
    if (cost_us < WORTH_US || cost_us < audience->flush_interval_us)
        return audience->flush_interval_us;
    return cost_us;
}

/* True: send now, at the end of this turn. False: the flush timer will. */
static bool pace(struct fray_audience *audience, uint32_t reach)
{
    uint64_t interval_us = interval_of(audience, reach);
    if (!interval_us)
        return true;
    uint64_t now_us = *audience->worker->now_us;
    if (now_us == audience->flushed_us)
        return true;
    if (now_us - audience->flushed_us >= interval_us) {
        audience->flushed_us = now_us;
        return true;
    }
    if (!fray_timer_is_armed(&audience->flush_timer))
        fray_timer_arm(audience->worker->timers, &audience->flush_timer,
                       audience->flushed_us + interval_us);
    return false;
}

static void on_flush_timer(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_audience *audience =
        (struct fray_audience *)((char *)timer - offsetof(struct fray_audience, flush_timer));
    audience->flushed_us = now_us;
    for (uint32_t i = 0; i < audience->count; i++) {
        if (audience->members[i]->session->outbox.count)
            fray_session_mark(audience->members[i]->session);
    }
}

struct delivery {
    struct fray_audience *audience;
    struct fray_message *message;
    const struct fray_target *target;
    struct fray_handle except;
    bool is_paced; /* leave it to the flush timer */
    enum fray_send_result best;
};

static bool is_excepted(const struct delivery *delivery, const struct fray_member *member)
{
    if (delivery->except.generation && fray_handle_equal(member->handle, delivery->except))
        return true;
    const char *const *except = delivery->target->except_rooms;
    for (size_t i = 0; i < TARGET_ROOMS && except[i]; i++) {
        if (fray_member_in(member, fray_slice_of(except[i])))
            return true;
    }
    return false;
}

static void deliver(struct delivery *delivery, struct fray_member *member)
{
    if (member->mark == delivery->audience->mark || !member->is_connected ||
        is_excepted(delivery, member))
        return;
    member->mark = delivery->audience->mark;
    enum fray_send_result result = fray_session_queue(member->session, delivery->message);
    if (result == FRAY_SENT && !delivery->is_paced)
        fray_session_mark(member->session);
    if (result < delivery->best)
        delivery->best = result;
}

/* A member that no broadcast reached for 2^32 of them must not look reached by this one. */
static void next_mark(struct fray_audience *audience)
{
    if (++audience->mark)
        return;
    for (uint32_t i = 0; i < audience->count; i++)
        audience->members[i]->mark = 0;
    audience->mark = 1;
}

/* How many members the target has, those that are in several rooms counted in each. */
static uint32_t reach_of(const struct fray_audience *audience, const struct fray_target *target)
{
    if (!target->rooms[0])
        return audience->count;
    uint32_t reach = 0;
    for (size_t r = 0; r < TARGET_ROOMS && target->rooms[r]; r++) {
        const struct fray_room_members *room =
            fray_name_map_get(&audience->rooms, fray_slice_of(target->rooms[r]));
        reach += room ? room->count : 0;
    }
    return reach;
}

enum fray_send_result fray_audience_send(struct fray_audience *audience,
                                         struct fray_message *message,
                                         const struct fray_target *target,
                                         struct fray_handle except)
{
    struct delivery delivery = {
        audience,    message, target, except, !pace(audience, reach_of(audience, target)),
        FRAY_DROPPED};
    next_mark(audience);
    if (!target->rooms[0]) {
        for (uint32_t i = 0; i < audience->count; i++)
            deliver(&delivery, audience->members[i]);
        return delivery.best;
    }
    for (size_t r = 0; r < TARGET_ROOMS && target->rooms[r]; r++) {
        struct fray_slice name = fray_slice_of(target->rooms[r]);
        struct fray_room_members *room = fray_name_map_get(&audience->rooms, name);
        for (uint32_t i = 0; room && i < room->count; i++)
            deliver(&delivery, room->entries[i].member);
    }
    return delivery.best;
}
