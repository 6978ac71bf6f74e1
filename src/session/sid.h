/* Session ids that clients present with each HTTP request: tokens (base/token.h) whose number leads
 * to the worker and to the session's place there, so that no table is needed.
 *
 *     number   |29 … session's index … 8|7 worker 0|
 *
 * Pure; thread: the session's worker's, but fray_sid_worker, which is any's. */
#ifndef FRAY_SESSION_SID_H
#define FRAY_SESSION_SID_H

#include "base/token.h"
#include "session/session.h"

/* Makes the id of an open session. */
void fray_sid_make(const struct fray_session *session, char sid[FRAY_TOKEN_LEN + 1]);

/* The index of the worker that an id belongs to. False: no id of ours. */
bool fray_sid_worker(struct fray_slice sid, unsigned *worker);

/* Which session of this worker the id may mean: compare the whole id with its own. NULL: none. */
struct fray_session *fray_sid_session(const struct fray_worker *worker, struct fray_slice sid);

#endif
