/* Puts Socket.IO packets together from Engine.IO messages: a BINARY_ packet's text, then as many
 * binary messages as it announces. One per session; it holds memory only while a packet is
 * incomplete, a single pointer otherwise. The session's thread. */
#ifndef FRAY_WIRE_SOCKETIO_ASSEMBLER_H
#define FRAY_WIRE_SOCKETIO_ASSEMBLER_H

#include "wire/socketio.h"

/* Zero-initialised is ready. */
struct fray_socketio_assembler {
    struct fray_socketio_pending *pending; /* owned; NULL while no packet is incomplete */
};

/* Drops what is held; ready for the next packet. Also the destructor. */
void fray_socketio_assembler_reset(struct fray_socketio_assembler *assembler);

/* A text message. FRAY_OK: *packet is complete, borrowing from `text`.  FRAY_ERR_AGAIN: attachments
 * are due; the text was copied.  FRAY_ERR_STATE: a text while attachments are due.  FRAY_ERR_LIMIT:
 * the text alone exceeds bytes_max.  Other errors: as fray_socketio_decode. */
enum fray_err fray_socketio_assembler_text(struct fray_socketio_assembler *assembler,
                                           struct fray_slice text,
                                           const struct fray_socketio_limits *limits,
                                           struct fray_socketio_packet *packet) FRAY_MUST_CHECK;

/* A binary message. FRAY_OK: *packet is complete, and *attachments points to packet->attachments
 * slices in the order of their numbers. All of these borrow from the assembler, and the last
 * attachment from `bytes`: use them, then call fray_socketio_assembler_reset.  FRAY_ERR_AGAIN: more
 * are due; the bytes were copied.  FRAY_ERR_STATE: none was due.  FRAY_ERR_LIMIT: over bytes_max.
 */
enum fray_err fray_socketio_assembler_binary(struct fray_socketio_assembler *assembler,
                                             struct fray_slice bytes,
                                             struct fray_socketio_packet *packet,
                                             const struct fray_slice **attachments) FRAY_MUST_CHECK;

#endif
