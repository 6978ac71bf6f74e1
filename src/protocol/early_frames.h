/* Frames that came while the namespace was still to answer, for its home may be another worker:
 * kept in order until it has. A list that begins as NULL, owned by the protocol's struct. Pure. */
#ifndef FRAY_PROTOCOL_EARLY_FRAMES_H
#define FRAY_PROTOCOL_EARLY_FRAMES_H

#include "session/session.h"

struct fray_early_frame {
    struct fray_early_frame *next;
    struct fray_slice frame; /* in `bytes` */
    bool is_binary;
    char bytes[];
};

/* Copies the frame. Of a client in too great a hurry the session is closed, as flooding. */
void fray_early_frames_keep(struct fray_early_frame **first, struct fray_session *session,
                            struct fray_slice frame, bool is_binary);
/* The oldest, for the caller to free(); NULL: there is none. */
struct fray_early_frame *fray_early_frames_take(struct fray_early_frame **first);
void fray_early_frames_drop(struct fray_early_frame **first);

#endif
