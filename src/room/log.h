/* The recent reliable events of a namespace and whom they were for, so that a client that lost its
 * connection can be given what it missed (Socket.IO's connection state recovery). Bounded by count,
 * bytes and age; positions are consecutive numbers from 1. Pure. */
#ifndef FRAY_ROOM_LOG_H
#define FRAY_ROOM_LOG_H

#include "session/message.h"

struct fray_log_entry {
    struct fray_message *message; /* a reference; its offset is the position */
    uint64_t at_us;
    uint64_t only;   /* for the socket of this lineage (room/recovery.h) alone; 0: for the target */
    uint64_t except; /* not for the socket of this lineage */
    struct fray_target *target; /* owned deep copy; NULL: everybody */
};

struct fray_message_log {
    struct fray_log_entry *entries; /* a ring of `cap` */
    uint64_t first, next;           /* positions first..next-1 are held */
    uint32_t cap;                   /* 0: no recovery, nothing is kept */
    uint64_t max_age_us;
    uint64_t bytes;     /* of all messages in it, as fray_message_size has it */
    uint64_t max_bytes; /* 0: no bound. One message is kept whatever its size */
};

void fray_message_log_init(struct fray_message_log *log, uint32_t max_messages,
                           uint64_t max_age_us);
void fray_message_log_deinit(struct fray_message_log *log);

/* Gives the message its offset, which it must not have yet, and keeps a reference. */
void fray_message_log_add(struct fray_message_log *log, struct fray_message *message,
                          const struct fray_log_entry *whom, uint64_t now_us);
/* The entry at a position; NULL: no longer, or not yet, held. */
const struct fray_log_entry *fray_message_log_at(const struct fray_message_log *log,
                                                 uint64_t position);

#endif
