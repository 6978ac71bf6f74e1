/* The cursor transport: a session over plain HTTP requests, each of which says how far it has read.
 *
 * Messages on their way out are numbered from 1. A GET says after which number it wants to go on,
 * and is answered with what is newer, at once (polling), as soon as there is something (long
 * polling), or piece by piece for as long as it lasts (Server-Sent Events, whose Last-Event-ID is
 * the same number). Asking again with the same number gives the same again, so a lost reply costs
 * nothing:
 *
 *     outbox ──▶ replay buffer [ … acknowledged … | … sent, not acknowledged … ] ──▶ reply
 *                                                 ▲ the largest number that a GET went on from
 *
 * Messages move to the replay buffer when a request is there to take them; until then they wait in
 * the session's outbox under the rules of their class. The buffer's bounds: acknowledged messages
 * stay while they are no more than replay_messages and 256 KiB; of those that were not
 * acknowledged, more than the outbox's limits mean that the reader is too slow, and the session is
 * closed. A stream acknowledges what it has written, for its reader never polls.
 *
 * One request waits at a time: the newest. It answers the one before with nothing new.
 *
 * Owner: its session, until close. Thread: the worker's. */
#ifndef FRAY_TRANSPORT_CURSOR_H
#define FRAY_TRANSPORT_CURSOR_H

#include "session/session.h"
#include "transport/http.h"
#include "transport/http_compress.h"

/* What a worker's cursor links share; outlives them. */
struct fray_cursor_service {
    struct fray_worker *worker;
    struct fray_http_compressor compressor;
    uint32_t replay_messages;
    uint32_t compress_min; /* bytes from which on a reply is compressed */
    uint32_t wait_max_ms;
};

void fray_cursor_service_deinit(struct fray_cursor_service *service);

struct fray_link *fray_cursor_create(struct fray_cursor_service *service);

/* The number of the last message that was numbered, and of the first that is still held. */
uint64_t fray_cursor_last(const struct fray_link *link);
uint64_t fray_cursor_first(const struct fray_link *link);

/* Whether a GET can go on from `after`: FRAY_ERR_SYNTAX beyond the last number, FRAY_ERR_NOT_FOUND
 * when what follows it is not held any more. */
FRAY_MUST_CHECK enum fray_err fray_cursor_check(const struct fray_link *link, uint64_t after);

/* Takes a GET that fray_cursor_check allowed: it is answered, at the latest after wait_ms, with
 *     {"cursor":12,"messages":[…]}
 * where cursor is the number to go on from; "closed":"why" beside it when the session has ended. */
void fray_cursor_poll(struct fray_link *link, fray_request *request, uint64_t after,
                      uint32_t wait_ms);

/* Takes a GET for Server-Sent Events: an event a message, its number as id. When the session ends,
 * an event named "closed" says why. */
void fray_cursor_stream(struct fray_link *link, fray_request *request, uint64_t after);

#endif
