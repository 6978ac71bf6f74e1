#include "server/replay_recorder.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "games/replay.h"
#include "server/replay_read.h"
#include "server/server.h"
#include "wire/json.h"

enum { PLAYERS_MAX = 512, FLUSH_AT = 64 * 1024, REPORTS_MAX = 64, WATCHERS_REPORTS_MAX = 16 };

/* Whoever sat there; the same person twice is two. */
struct player {
    char name[FRAY_MATCH_NAME_MAX + 1];
    char id[FRAY_TOKEN_LEN + 1];
    uint8_t seat, outcome;
    uint8_t level;  /* its own: a person remains one while a bot stands in */
    uint8_t played; /* as was written down: of who plays there */
    uint8_t out;    /* enum fray_match_out: it was put out for that */
    bool is_there;
    uint32_t number; /* the order in which they came */
};

/* Up to where the file is whole: it is cut there when what comes next is too much. */
struct mark {
    uint64_t bytes;
    uint32_t ticks;
    uint64_t hash; /* the last one */
};

struct recorder {
    struct fray_match_recorder ops; /* first */
    struct fray_replay_store *store;
    const struct fray_match *match;
    struct fray_replay_writer writer;
    void *memory;
    struct fray_replay_file *file; /* NULL: not begun */
    char id[FRAY_REPLAY_ID_MAX + 1];
    unsigned number; /* of files of this match */
    uint64_t bytes;
    struct mark mark;
    bool is_cut;
    int64_t started_ms;
    uint32_t now_ms; /* of the last step, in event-driven games */
    struct player *players;
    uint32_t players_count, players_cap, players_number;
    bool is_played;            /* by somebody: not by bots alone */
    uint32_t reports;          /* of desyncs, */
    uint32_t watchers_reports; /* and how many of these are spectators' */
    uint64_t *next_log_us;     /* by seat */
};

static struct recorder *self_of(struct fray_match_recorder *ops)
{
    return (struct recorder *)ops;
}

/* ------------------------------------------------------------------ who plays */

static uint8_t own_level(const struct fray_match_seat *who)
{
    return who->bot == FRAY_MATCH_NO_BOT ? FRAY_REPLAY_PERSON : (uint8_t)who->bot;
}

static void write_who(struct recorder *self, struct player *player)
{
    const struct fray_match_seat *who = &self->match->seats[player->seat];
    player->played = who->has_stand_in
                         ? (uint8_t)fray_match_stand_in_level(self->match->config.game)
                         : own_level(who);
    fray_replay_writer_who(&self->writer, player->seat, player->played,
                           (struct fray_replay_text){who->name, (uint8_t)strlen(who->name)});
}

static struct player *player_at(struct recorder *self, uint32_t seat)
{
    for (uint32_t i = self->players_count; i--;) {
        if (self->players[i].seat == seat && self->players[i].is_there)
            return &self->players[i];
    }
    return NULL;
}

/* Where there are too many, in the place of one that has gone; there is always one, and if need be
 * one that was put out. */
static struct player *player_slot(struct recorder *self)
{
    struct player *gone = NULL;
    if (self->players_count < PLAYERS_MAX) {
        if (self->players_count == self->players_cap) {
            self->players_cap = self->players_cap ? self->players_cap * 2 : 8;
            self->players = fray_realloc(self->players, self->players_cap * sizeof *self->players);
        }
        return &self->players[self->players_count++];
    }
    for (struct player *player = self->players; player < self->players + PLAYERS_MAX; player++) {
        if (!player->is_there && (!gone || (gone->out && !player->out)))
            gone = player;
    }
    return gone;
}

static void players_add(struct recorder *self, uint32_t seat)
{
    const struct fray_match_seat *who = &self->match->seats[seat];
    struct player *player = player_slot(self);
    *player = (struct player){.seat = (uint8_t)seat,
                              .level = own_level(who),
                              .outcome = FRAY_GAME_PLAYING,
                              .is_there = true,
                              .number = ++self->players_number};
    snprintf(player->name, sizeof player->name, "%s", who->name);
    snprintf(player->id, sizeof player->id, "%s", who->id);
    self->is_played |= player->level == FRAY_REPLAY_PERSON;
    write_who(self, player);
}

/* A bot plays on for who was put out: somebody else. One that stands in for who is away is not. */
static void note_changes(struct recorder *self)
{
    for (uint32_t i = 0; i < self->players_count; i++) {
        struct player *player = &self->players[i];
        const struct fray_match_seat *who = &self->match->seats[player->seat];
        if (!player->is_there)
            continue;
        if (strcmp(who->id, player->id) != 0) {
            player->is_there = false;
            players_add(self, player->seat);
        } else if (strcmp(who->name, player->name) != 0 ||
                   who->has_stand_in == (player->played == player->level)) {
            snprintf(player->name, sizeof player->name, "%s", who->name);
            write_who(self, player);
        }
    }
}

/* ------------------------------------------------------------------ what the match tells */

/* The writer goes on when the file has been cut, and nobody hears it. */
static void on_bytes(void *context, const void *bytes, size_t len)
{
    struct recorder *self = context;
    if (self->is_cut)
        return;
    fray_buf_append(fray_replay_file_buf(self->file), bytes, len);
    self->bytes += len;
}

static uint64_t bytes_max(const struct recorder *self)
{
    const struct fray_config *config = fray_replay_store_config(self->store);
    return config->replay_max_bytes < config->replays_max_bytes ? config->replay_max_bytes
                                                                : config->replays_max_bytes;
}

/* After whatever the match has told. */
static void settle(struct recorder *self)
{
    struct fray_buf *buf = fray_replay_file_buf(self->file);
    if (self->is_cut)
        return;
    if (self->bytes > bytes_max(self) || fray_replay_store_is_crowded(self->store, self->bytes)) {
        buf->len -= self->bytes - self->mark.bytes;
        self->is_cut = true;
        atomic_fetch_add(&fray_replay_store_counts(self->store)->cut, 1);
        fray_log(FRAY_LOG_WARN, "replay_cut", "replay=%s bytes=%llu ticks=%u", self->id,
                 (unsigned long long)self->mark.bytes, self->mark.ticks);
    } else {
        self->mark.bytes = self->bytes;
        self->mark.ticks = self->writer.tick - self->writer.run;
    }
    if (self->is_cut || buf->len > FLUSH_AT)
        fray_replay_file_flush(self->file);
}

static void on_begin(struct fray_match_recorder *ops, const struct fray_match *match,
                     const int32_t *options)
{
    struct recorder *self = self_of(ops);
    const struct fray_game *game = match->config.game;
    struct fray_replay_header header = {
        .match = {match->config.id, (uint8_t)strlen(match->config.id)},
        .rules = fray_game_rules(game),
        .seed = match->seed,
        .flags = match->config.is_private ? FRAY_REPLAY_PRIVATE : 0,
    };

    self->started_ms = fray_server_unix_ms();
    header.started_ms = (uint64_t)self->started_ms;
    memcpy(header.options, options, game->options_count * sizeof *options);
    snprintf(self->id, sizeof self->id, self->number ? "%s-%u" : "%s", match->config.id,
             self->number + 1);
    self->number++;
    self->players_count = 0;
    self->is_played = self->is_cut = false;
    self->bytes = 0;
    self->mark = (struct mark){0};
    self->reports = self->watchers_reports = self->now_ms = 0;
    self->file = fray_replay_file_create(self->store, self->id, self->started_ms);
    self->writer.sink = on_bytes;
    self->writer.context = self;
    fray_replay_writer_begin(&self->writer, game, &header, self->memory);
    settle(self);
}

static void on_join(struct fray_match_recorder *ops, const struct fray_match *match, uint32_t seat)
{
    struct recorder *self = self_of(ops);
    (void)match;
    players_add(self, seat);
    fray_replay_writer_join(&self->writer, seat);
    settle(self);
}

static void on_leave(struct fray_match_recorder *ops, const struct fray_match *match, uint32_t seat)
{
    struct recorder *self = self_of(ops);
    note_changes(self);
    struct player *player = player_at(self, seat);
    if (player && fray_match_phase(match) == FRAY_MATCH_PLAYING)
        player->outcome = FRAY_GAME_PLAYING; /* of this game, whatever the one before brought */
    if (player)
        player->is_there = false;
    fray_replay_writer_leave(&self->writer, seat);
    settle(self);
}

static void on_step(struct fray_match_recorder *ops, const struct fray_match_step *step)
{
    struct recorder *self = self_of(ops);
    struct fray_replay_rewind rewinds[FRAY_REPLAY_SEATS_MAX];
    uint32_t count =
        step->rewinds_count < FRAY_REPLAY_SEATS_MAX ? step->rewinds_count : FRAY_REPLAY_SEATS_MAX;
    for (uint32_t i = 0; i < count; i++)
        rewinds[i] = (struct fray_replay_rewind){step->rewinds[i].seat, step->rewinds[i].view};
    self->now_ms = step->now_ms;
    fray_replay_writer_step(&self->writer, &(struct fray_replay_step){.inputs = step->inputs,
                                                                      .given = step->given,
                                                                      .now_ms = step->now_ms,
                                                                      .rewinds = rewinds,
                                                                      .rewinds_count = count});
    settle(self);
}

static void on_hash(struct fray_match_recorder *ops, uint32_t tick, uint64_t hash)
{
    struct recorder *self = self_of(ops);
    (void)tick;
    note_changes(self);
    fray_replay_writer_hash(&self->writer, hash);
    settle(self);
    self->mark.hash = self->is_cut ? self->mark.hash : hash;
    fray_replay_file_flush(self->file);
}

/* Of those who are there. Until the next game ends, that is the result. */
static void on_over(struct fray_match_recorder *ops, const struct fray_match *match)
{
    struct recorder *self = self_of(ops);
    note_changes(self);
    for (uint32_t i = 0; i < self->players_count; i++) {
        struct player *player = &self->players[i];
        if (player->is_there)
            player->outcome = (uint8_t)match->config.game->outcome(match->state, player->seat);
    }
}

/* ------------------------------------------------------------------ the end */

static json_t *players_json(const struct recorder *self)
{
    json_t *players = json_array();
    for (uint32_t i = 0; i < self->players_count; i++) {
        const struct player *player = &self->players[i];
        json_t *entry = json_pack(
            "{s:i, s:s, s:o, s:s}", "seat", player->seat, "name", player->name, "bot",
            player->level == FRAY_REPLAY_PERSON ? json_null() : json_integer(player->level),
            "outcome", fray_replay_outcome_text(player->outcome));
        if (player->out)
            json_object_set_new(entry, "out", json_string(fray_match_out_text(player->out)));
        json_array_append_new(players, entry);
    }
    return players;
}

static json_t *entry_json(const struct recorder *self, uint32_t tick, uint64_t hash)
{
    const struct fray_match *match = self->match;
    const struct fray_game *game = match->config.game;
    return json_pack("{s:s, s:s, s:i, s:o, s:I, s:I, s:I, s:o, s:b, s:b, s:I, s:o}", "match",
                     match->config.id, "game", game->name, "version", game->version, "rules",
                     fray_replay_hex_json(fray_game_rules(game)), "started_ms",
                     (json_int_t)self->started_ms, "ended_ms", (json_int_t)fray_server_unix_ms(),
                     "ticks", (json_int_t)(self->is_cut ? self->mark.ticks : tick), "hash",
                     fray_replay_hex_json(self->is_cut ? self->mark.hash : hash), "private",
                     match->config.is_private, "complete", !self->is_cut, "desyncs",
                     (json_int_t)self->reports, "players", players_json(self));
}

/* What bots did alone is kept only if a client disagreed with it. Who opens matches and leaves them
 * at once would push out what others have played. */
static bool is_worth_keeping(const struct recorder *self, uint32_t tick)
{
    uint32_t hz = self->match->config.game->tick_hz;
    uint64_t lasted_ms = hz ? (uint64_t)tick * 1000 / hz : self->now_ms;
    return (self->is_played || self->reports) && tick && self->mark.bytes &&
           lasted_ms >= fray_replay_store_config(self->store)->replay_min_ms;
}

static void on_end(struct fray_match_recorder *ops, const struct fray_match *match, uint32_t tick,
                   uint64_t hash)
{
    struct recorder *self = self_of(ops);
    uint8_t outcomes[FRAY_REPLAY_SEATS_MAX];
    uint32_t newest[FRAY_REPLAY_SEATS_MAX] = {0};

    (void)match;

    if (!self->file)
        return;
    note_changes(self);
    memset(outcomes, FRAY_GAME_NOBODY, sizeof outcomes);
    for (uint32_t i = 0; i < self->players_count; i++) {
        const struct player *player = &self->players[i];
        if (player->number >= newest[player->seat]) {
            newest[player->seat] = player->number;
            outcomes[player->seat] = player->outcome;
        }
    }
    fray_replay_writer_end(&self->writer, outcomes, hash);
    settle(self);
    fray_replay_file_end(self->file,
                         is_worth_keeping(self, tick) ? entry_json(self, tick, hash) : NULL);
    self->file = NULL;
}

void fray_replay_recorder_create(struct fray_replay_store *store, struct fray_match *match)
{
    struct recorder *self = fray_alloc_zero(sizeof *self);
    self->ops = (struct fray_match_recorder){on_begin, on_join, on_leave, on_step,
                                             on_hash,  on_over, on_end};
    self->store = store;
    self->match = match;
    self->memory = fray_alloc(fray_replay_writer_size(match->config.game));
    self->next_log_us = fray_alloc_zero(match->config.game->seats_max * sizeof *self->next_log_us);
    match->recorder = &self->ops;
}

const char *fray_replay_recorder_id(const struct fray_match_recorder *recorder)
{
    const struct recorder *self = (const struct recorder *)recorder;
    return self && self->file ? self->id : NULL;
}

void fray_replay_recorder_put_out(struct fray_match_recorder *recorder, uint32_t seat,
                                  enum fray_match_out reason)
{
    struct recorder *self = self_of(recorder);
    struct player *last = NULL;

    for (uint32_t i = 0; i < self->players_count; i++) {
        struct player *player = &self->players[i];
        if (player->seat == seat && player->level == FRAY_REPLAY_PERSON &&
            (!last || player->number > last->number))
            last = player;
    }
    if (last && self->file)
        last->out = (uint8_t)reason;
}

void fray_replay_recorder_destroy(struct fray_match_recorder *recorder)
{
    if (!recorder)
        return;
    struct recorder *self = self_of(recorder);
    free(self->memory);
    free(self->next_log_us);
    free(self->players);
    free(self);
}

/* ------------------------------------------------------------------ desyncs */

void fray_replay_recorder_report(struct fray_match_recorder *recorder, uint32_t seat, uint32_t tick,
                                 uint64_t hash)
{
    struct recorder *self = self_of(recorder);
    struct fray_buf head = {0};
    bool is_watcher = seat == FRAY_GAME_NOBODY;

    if (!self->file || self->reports == REPORTS_MAX ||
        (is_watcher && self->watchers_reports == WATCHERS_REPORTS_MAX))
        return;
    fray_buf_printf(&head, "{\"at_ms\":%lld,\"seat\":", (long long)fray_server_unix_ms());
    if (is_watcher)
        FRAY_BUF_LITERAL(&head, "null");
    else
        fray_buf_append_uint(&head, seat);
    fray_buf_printf(&head, ",\"tick\":%u,\"client_hash\":\"%016llx\"", tick,
                    (unsigned long long)hash);
    bool is_kept =
        fray_replay_file_add_desync(self->file, fray_buf_slice(&head), (struct fray_slice){0});
    self->reports += is_kept;
    self->watchers_reports += is_kept && is_watcher;
    fray_buf_deinit(&head);
}

enum fray_err fray_replay_recorder_put_log(struct fray_match_recorder *recorder, uint32_t seat,
                                           struct fray_slice log, uint64_t now_us)
{
    struct recorder *self = self_of(recorder);
    struct fray_buf head = {0};

    if (!self->file)
        return FRAY_ERR_STATE;
    if (now_us < self->next_log_us[seat])
        return FRAY_ERR_AGAIN;
    self->next_log_us[seat] = now_us + FRAY_REPLAY_LOG_WAIT_MS * UINT64_C(1000);
    struct fray_slice object = fray_json_trim(log);
    if (object.len < 2 || object.data[0] != '{' || object.data[object.len - 1] != '}')
        return FRAY_ERR_SYNTAX;
    fray_buf_printf(&head, "{\"at_ms\":%lld,\"seat\":%u", (long long)fray_server_unix_ms(), seat);
    bool is_kept = fray_replay_file_add_desync(self->file, fray_buf_slice(&head), object);
    fray_buf_deinit(&head);
    return is_kept ? FRAY_OK : FRAY_ERR_LIMIT;
}
