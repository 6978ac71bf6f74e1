/* Replays of the matches of /games: who is recorded, and what HTTP answers about it.
 *
 *     GET  /replays?game=&player=&before=&limit=   {"replays": [entries of the index]}
 *     GET  /replays?id=                            the same of one, or that it is being played
 *     GET  /replays/ID                              the file; ranges, kept by caches for good
 *     POST /replays/ID/desync                       a client's log, with the token of its seat */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "server/games_app.h"
#include "server/replay_recorder.h"
#include "server/server.h"
#include "server/static_reply.h"

enum {
    LISTED = 50,
    LISTED_MAX = 200,
    LISTED_BYTES = 256 * 1024, /* entries of an arena are long */
    PREFIX_LEN = sizeof "/replays/" - 1,
};

/* ------------------------------------------------------------------ life */

static void append_metrics(void *context, struct fray_buf *out)
{
    struct fray_replay_counts *counts = context;
    const struct {
        const char *name, *type, *help;
        atomic_ullong *value;
    } metrics[] = {
        {"fray_replays_written_total", "counter", "Replays that were written to their end.",
         &counts->written},
        {"fray_replays_failed_total", "counter",
         "Replays that were given up because the disk is full or slow.", &counts->failed},
        {"fray_replays_cut_total", "counter", "Replays that ended early, at replay_max_bytes.",
         &counts->cut},
        {"fray_replays_pruned_total", "counter", "Replays deleted for being the oldest.",
         &counts->pruned},
        {"fray_replays_bytes_written_total", "counter", "Bytes of replays written.",
         &counts->bytes},
        {"fray_replays_kept", "gauge", "Replays that are kept.", &counts->kept},
        {"fray_replays_kept_bytes", "gauge", "Bytes of these.", &counts->kept_bytes},
        {"fray_replays_searching", "gauge",
         "1 while files are looked for that the index does not know.", &counts->searching},
        {"fray_desync_logs_failed_total", "counter",
         "Logs of desyncs that were lost because the disk is full.", &counts->logs_failed},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        fray_metrics_append(out, metrics[i].name, metrics[i].type, metrics[i].help,
                            atomic_load(metrics[i].value));
}

void fray_games_replays_start(struct fray_games *games, fray_server *server)
{
    struct fray_buf error = {0};

    if (!server->config.replays)
        return;
    if (fray_replay_store_open(&server->config, games->lobby.games, &games->replays, &error))
        fray_log(FRAY_LOG_ERROR, "replays_off", "reason=%.*s", (int)error.len, error.data);
    else
        fray_metrics_add_source(&server->metrics,
                                &(struct fray_metrics_source){
                                    append_metrics, fray_replay_store_counts(games->replays)});
    fray_buf_deinit(&error);
}

void fray_games_replays_stop(struct fray_games *games)
{
    fray_replay_store_close(games->replays);
    games->replays = NULL;
}

void fray_games_record(struct fray_games *games, struct fray_match *match)
{
    if (games->replays)
        fray_replay_recorder_create(games->replays, match);
}

void fray_games_remove(struct fray_games *games, struct fray_match *match)
{
    struct fray_match_recorder *recorder = match->recorder;
    fray_lobby_remove(&games->lobby, match);
    fray_replay_recorder_destroy(recorder);
}

void fray_games_note_out(const struct fray_match *match, uint32_t seat, enum fray_match_out reason)
{
    if (reason != FRAY_OUT_CHEATING && reason != FRAY_OUT_ERROR && reason != FRAY_OUT_KICKED)
        return;
    const char *replay = fray_replay_recorder_id(match->recorder);
    if (replay)
        fray_replay_recorder_put_out(match->recorder, seat, reason);
    fray_log(FRAY_LOG_INFO, "game_put_out", "match=%s seat=%u reason=%s replay=%s",
             match->config.id, seat, fray_match_out_text(reason), replay ? replay : "none");
}

/* ------------------------------------------------------------------ HTTP */

static void refuse(fray_request *request, int status, const char *code, const char *message)
{
    struct fray_buf text = {0};
    fray_buf_printf(&text, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, status, "application/json", text.data, text.len);
    fray_buf_deinit(&text);
}

/* Digits and no more than `most`. False: something else is there. */
static bool read_number(const fray_request *request, const char *name, int64_t most, int64_t *value)
{
    const char *text = fray_request_query(request, name);
    char *end;
    if (!text || !*text)
        return true;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value <= most;
}

/* The match that is being recorded, of which ID tells: "MATCH", or "MATCH-2" of its second game.
 * NULL: none is. `is_this`: that is the very game which it plays now. */
static struct fray_match *match_of(struct fray_games *games, struct fray_slice id, bool *is_this)
{
    const char *dash = memchr(id.data, '-', id.len);
    struct fray_slice own = fray_slice(id.data, dash ? (size_t)(dash - id.data) : id.len);
    struct fray_match *match = fray_lobby_find(&games->lobby, own);
    const char *replay = match ? fray_replay_recorder_id(match->recorder) : NULL;
    *is_this = replay && fray_slice_equal(id, fray_slice_of(replay));
    return replay ? match : NULL;
}

static void reply_list(fray_request *request, struct fray_buf *text)
{
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-store"));
    fray_request_reply(request, 200, "application/json", text->data, text->len);
    fray_buf_deinit(text);
}

/* What a page asks that wants to know whether there is one, or is going to be: no error. */
static void list_one(struct fray_games *games, fray_request *request, const char *id)
{
    struct fray_buf text = {0};

    FRAY_BUF_LITERAL(&text, "{\"replays\":[");
    enum fray_err err =
        games->replays ? fray_replay_store_entry(games->replays, id, &text) : FRAY_ERR_NOT_FOUND;
    FRAY_BUF_LITERAL(&text, "]");
    bool is_this = false;
    const struct fray_match *match =
        err == FRAY_ERR_AGAIN ? match_of(games, fray_slice_of(id), &is_this) : NULL;
    if (match && is_this)
        fray_buf_printf(&text, ",\"being_played\":{\"game\":\"%s\",\"match\":\"%s\"}",
                        match->config.game->name, match->config.id);
    else if (err == FRAY_ERR_AGAIN)
        FRAY_BUF_LITERAL(&text, ",\"being_played\":{}");
    FRAY_BUF_LITERAL(&text, "}");
    reply_list(request, &text);
}

void fray_games_list_replays(fray_request *request, void *app)
{
    struct fray_games *games = app;
    struct fray_buf text = {0};
    const char *id = fray_request_query(request, "id");
    int64_t limit = LISTED, before_ms = 0;

    if (id && *id) {
        list_one(games, request, id);
        return;
    }
    if (!read_number(request, "limit", LISTED_MAX, &limit) || !limit) {
        refuse(request, 400, "bad_limit", "limit is an integer from 1 to 200.");
        return;
    }
    if (!read_number(request, "before", INT64_MAX, &before_ms)) {
        refuse(request, 400, "bad_before",
               "before is a time in ms, such as an entry's started_ms.");
        return;
    }
    const struct fray_replay_filter filter = {
        .game = fray_request_query(request, "game"),
        .player = fray_request_query(request, "player"),
        .before_ms = before_ms,
        .limit = (size_t)limit,
        .bytes = LISTED_BYTES,
    };
    FRAY_BUF_LITERAL(&text, "{\"replays\":");
    if (games->replays)
        fray_replay_store_list(games->replays, &filter, &text);
    else
        FRAY_BUF_LITERAL(&text, "[]");
    FRAY_BUF_LITERAL(&text, "}");
    reply_list(request, &text);
}

static void serve(fray_request *request, const char *id, const struct fray_replay_found *found)
{
    char etag[FRAY_REPLAY_ID_MAX + 32];
    int len = snprintf(etag, sizeof etag, "\"%s-%llu\"", id, (unsigned long long)found->size);
    const struct fray_static_reply reply = {
        .validators = {.etag = fray_slice(etag, (size_t)len)},
        .size = found->size,
        .encoding = FRAY_HTTP_ENCODING_IDENTITY,
        .is_immutable = true,
    };
    fray_static_serve_fd(&reply, request, found->fd, "application/octet-stream");
}

void fray_games_get_replay(fray_request *request, void *app)
{
    struct fray_games *games = app;
    const char *id = fray_request_path(request) + PREFIX_LEN;
    struct fray_replay_found found;

    switch (games->replays ? fray_replay_store_find(games->replays, id, &found)
                           : FRAY_ERR_NOT_FOUND) {
    case FRAY_OK: serve(request, id, &found); break;
    case FRAY_ERR_AGAIN:
        refuse(request, 409, "being_played",
               "That match is still open: its replay is there when everybody has left it.");
        break;
    default: refuse(request, 404, "unknown_replay", "There is no such replay.");
    }
}

/* ------------------------------------------------------------------ desyncs */

static bool find_seat(const fray_request *request, const struct fray_match *match, uint32_t *seat)
{
    struct fray_slice token =
        fray_server_bearer(fray_slice_of(fray_request_header(request, "authorization")));
    return token.len && fray_token_number(token, seat) && *seat < match->config.game->seats_max &&
           match->seats[*seat].is_taken && match->seats[*seat].bot == FRAY_MATCH_NO_BOT &&
           fray_token_equal(token, match->seats[*seat].token);
}

static void refuse_unrecorded(fray_request *request)
{
    refuse(request, 404, "unknown_replay", "No such match is being recorded.");
}

void fray_games_post_desync(fray_request *request, void *app)
{
    struct fray_games *games = app;
    const char *id = fray_request_path(request) + PREFIX_LEN;
    size_t id_len = strcspn(id, "/");
    bool is_this;
    struct fray_match *match = match_of(games, fray_slice(id, id_len), &is_this);
    uint32_t seat;
    size_t len;
    const char *body = fray_request_body(request, &len);

    bool is_of_match = is_this || !memchr(id, '-', id_len); /* clients know the match's id alone */
    if (!match || !is_of_match || strcmp(id + id_len, "/desync") != 0) {
        refuse_unrecorded(request);
        return;
    }
    if (!find_seat(request, match, &seat)) {
        refuse(request, 401, "bad_token", "That seat is not yours, or not any more.");
        return;
    }
    if (len > FRAY_REPLAY_LOG_MAX) {
        refuse(request, 413, "too_long", "A log is 256 KB at most.");
        return;
    }
    switch (fray_replay_recorder_put_log(match->recorder, seat, fray_slice(body, len),
                                         fray_now_us(games->nsp))) {
    case FRAY_OK: fray_request_reply(request, 204, NULL, NULL, 0); break;
    case FRAY_ERR_AGAIN:
        fray_request_add_header(request, FRAY_SLICE("retry-after"), FRAY_SLICE("60"));
        refuse(request, 429, "too_many_logs", "A player may send one log a minute.");
        break;
    case FRAY_ERR_SYNTAX: refuse(request, 400, "wrong_shape", "A log is a JSON object."); break;
    case FRAY_ERR_LIMIT:
        refuse(request, 409, "enough_logs", "There are enough logs of this match.");
        break;
    default: refuse_unrecorded(request);
    }
}
