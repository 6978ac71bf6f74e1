/* An event while its handler runs, and the crossings between a namespace's home worker and the
 * workers of its sessions. Inside the room layer only. */
#ifndef FRAY_ROOM_EVENT_H
#define FRAY_ROOM_EVENT_H

#include "room/namespace.h"

struct fray_event {
    fray_socket *socket;
    const struct fray_incoming *incoming;
    bool is_acked;
    json_t *args;     /* parsed when first asked for */
    const char *name; /* terminated when first asked for: in short_name, or malloc's */
    char short_name[32];
};

void fray_event_deinit(struct fray_event *event);

void fray_socket_leave_all(
    fray_socket *socket); /* on the home worker; the member is gone already */

/* ------------------------------------------------------------- from the home worker to the
 * socket's */

void fray_crossing_accept(fray_socket *socket);
void fray_crossing_reject(fray_socket *socket, struct fray_slice error);
void fray_crossing_disconnect(fray_socket *socket, bool close_session);
void fray_crossing_close(fray_socket *socket, unsigned code, struct fray_slice text);
/* Out of the namespace alone; the code is for a session that has nothing left then. */
void fray_crossing_expel(fray_socket *socket, unsigned code, struct fray_slice text);
void fray_crossing_join(fray_socket *socket, struct fray_slice room, bool joins);
enum fray_send_result fray_crossing_send(fray_socket *socket, struct fray_message *message);
/* To one worker's audience. */
enum fray_send_result fray_crossing_broadcast(fray_namespace *nsp, unsigned worker,
                                              struct fray_message *message,
                                              const struct fray_target *target);

#endif
