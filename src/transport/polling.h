/* The polling transport of Engine.IO: a link that sends what is owed as the reply to a waiting GET
 * (HTTP long polling). Packets in POST bodies come past the link: fray_engineio_receive.
 *
 * Owner: itself, until its session closes or retires it, or its GET is aborted. Thread: the
 * worker's. */
#ifndef FRAY_TRANSPORT_POLLING_H
#define FRAY_TRANSPORT_POLLING_H

#include "session/session.h"
#include "transport/http.h"

struct fray_link *fray_polling_create(struct fray_worker *worker);

/* Whether this session's link polls. */
bool fray_polling_is(const struct fray_link *link);
/* A GET is waiting for its reply: another one must be refused. */
bool fray_polling_is_waiting(const struct fray_link *link);
/* Takes the GET: it is answered with what is owed, at the end of this turn or when there is
 * something. */
void fray_polling_wait(struct fray_link *link, fray_request *request);

/* A POST's head is there, its body may take its time. Of two at once neither is to be trusted, so
 * the first is remembered. */
void fray_polling_begin_post(struct fray_link *link, fray_request *request);
/* Its body is there. False: another POST was under way. */
bool fray_polling_end_post(struct fray_link *link, fray_request *request);

#endif
