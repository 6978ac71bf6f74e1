/* Writes down what a match tells its recorder (game/recorder.h): one file for each time that its
 * rules begin, named after the match, the second one "MATCH-2". Everything is buffered; the store's
 * thread writes. Owner: the host of the match; outlives it. Home thread. */
#ifndef FRAY_SERVER_REPLAY_RECORDER_H
#define FRAY_SERVER_REPLAY_RECORDER_H

#include "game/match.h"
#include "server/replay_store.h"

enum {
    FRAY_REPLAY_LOG_MAX = 256 * 1024, /* bytes of a client's log */
    FRAY_REPLAY_LOG_WAIT_MS = 60000,  /* from one log of a seat to the next */
};

/* The match's recorder from now on; it has not begun yet. */
void fray_replay_recorder_create(struct fray_replay_store *store, struct fray_match *match);
/* After the match. NULL is fine. */
void fray_replay_recorder_destroy(struct fray_match_recorder *recorder);

/* Of the replay that is being recorded; NULL: none is. NULL is fine. */
const char *fray_replay_recorder_id(const struct fray_match_recorder *recorder);
/* The person who had the seat until now was put out for that reason. */
void fray_replay_recorder_put_out(struct fray_match_recorder *recorder, uint32_t seat,
                                  enum fray_match_out reason);

/* A client found that its view at this tick has another hash than the server told it. Counted, and
 * kept beside the replay. `seat` FRAY_GAME_NOBODY: a spectator. */
void fray_replay_recorder_report(struct fray_match_recorder *recorder, uint32_t seat, uint32_t tick,
                                 uint64_t hash);
/* What the seat's client knows of it: a JSON object, kept as it is, unless the thread finds out
 * that it is none. FRAY_ERR_STATE: nothing is being recorded; FRAY_ERR_AGAIN: the seat's last one
 * was less than a minute ago, be it a good one or not; FRAY_ERR_SYNTAX: it is in no braces;
 * FRAY_ERR_LIMIT: there are enough of them. */
FRAY_MUST_CHECK enum fray_err fray_replay_recorder_put_log(struct fray_match_recorder *recorder,
                                                           uint32_t seat, struct fray_slice log,
                                                           uint64_t now_us);

#endif
