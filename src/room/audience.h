/* An audience: the members of one namespace on one worker, and the rooms that they are in.
 * Broadcasts end here.
 *
 * A namespace has one home worker, where its handlers run, but its sessions live on all workers.
 * Each worker keeps its own member lists, so that a broadcast crosses to it once, not once per
 * member. Rooms change only on the home worker's word, which arrives in order with the messages, so
 * every worker sees the same membership at the same point of the stream.
 *
 * Thread: the worker's. Owner: the namespace; members belong to their session's protocol. Pure. */
#ifndef FRAY_ROOM_AUDIENCE_H
#define FRAY_ROOM_AUDIENCE_H

#include "base/name_map.h"
#include "session/session.h"

struct fray_audience;
struct fray_member_ops;
struct fray_room_members;

/* Where a member stands in a room's list. */
struct fray_place {
    struct fray_room_members *room;
    uint32_t index;
};

/* A session in a namespace: the half of a socket that is on the session's worker. Embedded in the
 * protocol's memory; fray_audience_remove before that goes. */
struct fray_member {
    struct fray_session *session;
    struct fray_audience *audience; /* NULL: not, or no longer, in a namespace */
    struct fray_place *places;      /* rooms that it is in; NULL: none */
    uint32_t places_count : 30;
    uint32_t is_connected : 1; /* the home worker accepted it; it hears broadcasts */
    uint32_t is_held : 1;      /* its session is: the home worker has much of it to handle yet */
    uint32_t index;            /* in audience->members */
    uint32_t mark;             /* the broadcast that reached it last */
    struct fray_handle handle; /* what the home worker knows it by, in worker->members */
    struct fray_handle socket; /* the home worker's half; null until it is known */
    /* What is on its way to the home worker, in room/crossing.c's units; and what of it no credit
     * was asked for yet. */
    uint16_t in_flight, uncredited;
};

struct fray_audience {
    struct fray_namespace *nsp;
    struct fray_worker *worker;
    struct fray_member **members;
    uint32_t count, cap;
    uint32_t mark;              /* of the broadcast under way, so that nobody gets it twice */
    struct fray_name_map rooms; /* struct fray_room_members by name */
    /* Pacing: with an interval, the first message goes at once, those within the interval after it
     * go together. */
    uint64_t flush_interval_us; /* 0: each turn */
    uint64_t flushed_us;
    struct fray_timer flush_timer;
};

void fray_audience_init(struct fray_audience *audience, struct fray_namespace *nsp,
                        struct fray_worker *worker);
void fray_audience_deinit(struct fray_audience *audience); /* has no members any more */

void fray_audience_add(struct fray_audience *audience, struct fray_member *member);
/* Leaves all rooms too. */
void fray_audience_remove(struct fray_member *member);
void fray_member_join(struct fray_member *member, struct fray_slice room);
void fray_member_leave(struct fray_member *member, struct fray_slice room);
bool fray_member_in(const struct fray_member *member, struct fray_slice room);

/* Sends to the members of the target's rooms (or to all), each once. Returns the best result.
 * `except` is a member's handle, or null. */
enum fray_send_result fray_audience_send(struct fray_audience *audience,
                                         struct fray_message *message,
                                         const struct fray_target *target,
                                         struct fray_handle except);

#endif
