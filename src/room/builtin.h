/* Events that fray itself handles, where a namespace's app asks for them and has no handler of its
 * own by that name: "join" and "leave" a room (app.on_join), "chat_message" (app.chat), "lab" (the
 * server lets sessions set their own network lab). For every protocol alike. Inside the room layer
 * only; the home worker's. */
#ifndef FRAY_ROOM_BUILTIN_H
#define FRAY_ROOM_BUILTIN_H

#include "room/namespace.h"

/* NULL: none of that name. */
fray_event_fn *fray_builtin_handler(const fray_namespace *nsp, struct fray_slice name);

/* What was said last in a room, or in the namespace at large. */
struct fray_chat;
void fray_chat_destroy(struct fray_chat *chat); /* NULL is fine */
void fray_chat_on_message(fray_socket *socket, const fray_event *event, void *app);
/* The socket has come into the room (NULL: into the namespace): it is sent what was said last. */
void fray_chat_replay(fray_socket *socket, const struct fray_room *room);

#endif
