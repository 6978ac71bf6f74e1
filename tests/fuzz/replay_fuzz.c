/* The bytes are a replay file of any game. Whatever they are, they are played for a while, from
 * the start and after seeking; and as far as it goes, twice the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fray/games.h"
#include "game/catalog.h"
#include "games/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 400, EVENTS_MAX = 256 };

static uint64_t play(struct fray_replay *replay, uint32_t steps)
{
    struct fray_game_event items[EVENTS_MAX];
    struct fray_game_events events = {.items = items, .max = EVENTS_MAX};
    while (replay->frame->tick < steps && fray_replay_step(replay, &events))
        events.count = 0;
    return fray_game_hash(FRAY_GAME_HASH_START, replay->state, replay->game->state_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fray_replay replay;
    struct fray_replay_header header;
    size_t header_len;
    if (!fray_replay_header_decode(data, size, &header, &header_len))
        return 0;
    assert(header_len <= size);
    const struct fray_game *game =
        fray_catalog_find(fray_games_builtin, fray_slice(header.game.at, header.game.len));
    if (!game)
        return 0;
    void *memory = malloc(fray_replay_size(game));
    /* As if the rules were these, so that seeds stay good when they change. */
    if (fray_replay_open(&replay, game, header.rules, data, size, memory)) {
        uint64_t hash = play(&replay, STEPS_MAX);
        uint32_t tick = replay.frame->tick;
        enum fray_replay_fault fault = replay.fault;
        for (uint32_t seat = 0; seat < game->seats_max; seat++) {
            struct fray_replay_text name = fray_replay_name(&replay, seat);
            assert(name.at >= (const char *)data &&
                   name.at + name.len <= (const char *)data + size);
        }
        fray_replay_seek(&replay, tick / 2);
        fray_replay_seek(&replay, 0);
        assert(play(&replay, STEPS_MAX) == hash && replay.frame->tick == tick);
        assert(replay.fault == fault);
    }
    free(memory);
    return 0;
}
