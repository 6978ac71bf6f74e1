/* Events of rooms as MQTT messages, and back (docs/protocols.md).
 *
 *   topic    fray/<namespace>/<room>/<event>
 *            <namespace>  without its leading '/'; "-" is the namespace "/"
 *            <room>       "-" is no room: all sockets of the namespace
 *            In both, '/', '+', '#', '%' and a whole name "-" are written %XX; an event's name is
 *            whatever follows, with '+', '#' and '%' so.
 *   payload  one argument: its JSON. Several: their JSON array. None: empty. One that is an
 *            attachment: its bytes. Attachments among others: {"_base64":"…"}, as in envelopes.
 *            On the way in, what is not JSON is a string if it is UTF-8, else an attachment.
 *
 * Pure. */
#ifndef FRAY_BROKER_ROOM_EVENT_H
#define FRAY_BROKER_ROOM_EVENT_H

#include "base/buf.h"
#include "fray/err.h"
#include "session/message.h"

/* Appends the topic. `room` empty: none. FRAY_ERR_SYNTAX: MQTT has no such topic (a NUL, not UTF-8,
 * too long). */
FRAY_MUST_CHECK enum fray_err fray_room_topic_encode(struct fray_buf *topic, const char *nsp,
                                                     struct fray_slice room,
                                                     struct fray_slice event);

/* The parts of a topic, each appended to `text` with a NUL behind it. */
struct fray_room_topic {
    const char *nsp;
    const char *room; /* NULL: none */
    const char *event;
};

/* FRAY_ERR_TYPE: the topic is not of a room, or of an event that nobody may send ("connect", …). */
FRAY_MUST_CHECK enum fray_err fray_room_topic_decode(struct fray_slice name, struct fray_buf *text,
                                                     struct fray_room_topic *topic);

/* Appends the payload of an event, or of a bare message. */
void fray_room_payload_encode(struct fray_buf *payload, const struct fray_message *message);

/* The event with the payload's arguments; one reference. `depth_max`: of its JSON. */
struct fray_message *fray_room_payload_decode(const struct fray_room_topic *topic,
                                              struct fray_slice payload, unsigned depth_max);

#endif
