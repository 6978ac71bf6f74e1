/* What disputes a replay, on its way from a match to the file beside it: lines of JSON, of which
 * the match knows the beginning, and a client the rest. Only the store's thread looks into that,
 * for it may be long and is anybody's text. Pure. */
#ifndef FRAY_SERVER_REPLAY_DESYNC_H
#define FRAY_SERVER_REPLAY_DESYNC_H

#include "base/buf.h"

/* Of the line at most, with its line break. */
size_t fray_replay_desync_len(struct fray_slice head, struct fray_slice log);
/* Queues the object that `head` begins, `{"seat":1`, with a member `log` of that text unless it is
 * empty. */
void fray_replay_desync_push(struct fray_buf *queue, struct fray_slice head, struct fray_slice log);
/* Appends the lines of a queue. Those with a log that is no JSON object are dropped. */
void fray_replay_desync_write(struct fray_slice queue, struct fray_buf *text);

#endif
