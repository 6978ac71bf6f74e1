#include "server/replay_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "game/catalog.h"

enum { FILE_MAX = 1 << 30, PLAYERS_MAX = 512 };

static enum fray_err read_all(int fd, struct fray_buf *bytes)
{
    struct stat stat;
    if (fstat(fd, &stat))
        return FRAY_ERR_IO;
    if (!S_ISREG(stat.st_mode) || stat.st_size > FILE_MAX) {
        errno = S_ISDIR(stat.st_mode) ? EISDIR : EFBIG;
        return FRAY_ERR_IO;
    }
    for (;;) {
        char *to = fray_buf_reserve(bytes, (size_t)stat.st_size - bytes->len + 1);
        ssize_t count = read(fd, to, (size_t)stat.st_size - bytes->len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return FRAY_ERR_IO;
        bytes->len += (size_t)count;
        if (!count || bytes->len == (size_t)stat.st_size)
            return FRAY_OK;
    }
}

enum fray_err fray_replay_reading_open(struct fray_replay_reading *reading,
                                       const struct fray_game *const *games, const char *path)
{
    size_t header_len;

    *reading = (struct fray_replay_reading){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return FRAY_ERR_IO;
    enum fray_err err = read_all(fd, &reading->bytes);
    int saved = errno;
    close(fd);
    errno = saved;
    if (err)
        return err;
    reading->replay.fault = FRAY_REPLAY_FOREIGN;
    if (!fray_replay_header_decode(reading->bytes.data, reading->bytes.len, &reading->header,
                                   &header_len)) {
        reading->header = (struct fray_replay_header){0};
        return FRAY_OK;
    }
    reading->replay.fault = FRAY_REPLAY_OTHER_GAME;
    reading->game =
        fray_catalog_find(games, fray_slice(reading->header.game.at, reading->header.game.len));
    if (!reading->game)
        return FRAY_OK;
    reading->memory = fray_alloc(fray_replay_size(reading->game));
    (void)fray_replay_open(&reading->replay, reading->game, fray_game_rules(reading->game),
                           reading->bytes.data, reading->bytes.len, reading->memory);
    return FRAY_OK;
}

void fray_replay_reading_close(struct fray_replay_reading *reading)
{
    fray_buf_deinit(&reading->bytes);
    free(reading->memory);
}

const char *fray_replay_outcome_text(uint8_t outcome)
{
    static const char *const texts[] = {"left", "won", "lost", "drawn"};
    return outcome <= FRAY_GAME_DRAWN ? texts[outcome] : texts[FRAY_GAME_PLAYING];
}

json_t *fray_replay_name_json(struct fray_replay_text name)
{
    json_t *json = json_stringn(name.len ? name.at : "", name.len);
    return json ? json : json_string("?");
}

/* Of each seat the entry of who sits there, in the array that owns it, and what was read of it
 * last: names are at another place of the file with each record. */
struct reading_players {
    json_t *all;
    json_t *there[FRAY_REPLAY_SEATS_MAX + 1], *last[FRAY_REPLAY_SEATS_MAX + 1];
    uint32_t name_at[FRAY_REPLAY_SEATS_MAX + 1];
};

static void players_add(struct reading_players *players, uint32_t seat, json_t *name, uint8_t level)
{
    json_t *player = json_pack("{s:i, s:O, s:o, s:s}", "seat", (int)seat, "name", name, "bot",
                               level == FRAY_REPLAY_PERSON ? json_null() : json_integer(level),
                               "outcome", fray_replay_outcome_text(FRAY_GAME_PLAYING));
    json_array_append_new(players->all, player);
    players->there[seat] = players->last[seat] = player;
}

/* A bot of the same name stands in for a person, or did; a person of another name is the same one;
 * a bot of another name plays on for who was put out. */
static void note_player(struct reading_players *players, const struct fray_replay *replay,
                        uint32_t seat)
{
    const struct fray_replay_seat *who = &replay->seats[seat];
    json_t *player = players->there[seat];
    if (player && players->name_at[seat] == who->name_at)
        return;
    players->name_at[seat] = who->name_at;
    json_t *name = fray_replay_name_json(fray_replay_name(replay, seat));
    bool is_same = player && (who->level == FRAY_REPLAY_PERSON ||
                              json_equal(name, json_object_get(player, "name")));
    if (!is_same && json_array_size(players->all) < PLAYERS_MAX)
        players_add(players, seat, name, who->level);
    if (is_same && who->level == FRAY_REPLAY_PERSON) {
        json_object_set(player, "name", name);
        json_object_set_new(player, "bot", json_null());
    }
    json_decref(name);
}

static void note_players(struct reading_players *players, const struct fray_replay *replay)
{
    for (uint32_t seat = 0; seat < replay->game->seats_max; seat++) {
        if (replay->seats[seat].is_present)
            note_player(players, replay, seat);
        else
            players->there[seat] = NULL;
    }
}

/* The end tells of who had the seats last. */
static void add_outcomes(struct reading_players *players, const struct fray_replay *replay)
{
    for (uint32_t seat = 0; seat < replay->game->seats_max; seat++) {
        const char *outcome = fray_replay_outcome_text(replay->outcomes[seat]);
        if (players->last[seat])
            json_object_set_new(players->last[seat], "outcome", json_string(outcome));
    }
}

json_t *fray_replay_hex_json(uint64_t value)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    return json_string(text);
}

json_t *fray_replay_reading_entry(struct fray_replay_reading *reading, int64_t ended_ms)
{
    const struct fray_replay_header *header = &reading->header;
    struct fray_replay *replay = &reading->replay;
    struct reading_players players = {0};

    if (!header->game.len)
        return NULL;
    players.all = json_array();
    bool is_playable = !replay->fault || replay->frame;
    uint64_t hash = 0;
    if (is_playable) {
        do
            note_players(&players, replay);
        while (fray_replay_step(replay, NULL));
        note_players(&players, replay);
        add_outcomes(&players, replay);
        hash = fray_game_hash(FRAY_GAME_HASH_START, replay->state, replay->game->state_size);
    }
    return json_pack("{s:o, s:o, s:i, s:o, s:I, s:I, s:I, s:o, s:b, s:b, s:o}", "match",
                     fray_replay_name_json(header->match), "game",
                     fray_replay_name_json(header->game), "version", header->version, "rules",
                     fray_replay_hex_json(header->rules), "started_ms",
                     (json_int_t)header->started_ms, "ended_ms", (json_int_t)ended_ms, "ticks",
                     (json_int_t)(is_playable ? replay->ticks_max : 0), "hash",
                     fray_replay_hex_json(hash), "private", header->flags & FRAY_REPLAY_PRIVATE,
                     "complete", replay->fault == FRAY_REPLAY_GOOD, "players", players.all);
}
