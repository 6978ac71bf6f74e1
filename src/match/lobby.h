/* The matches of a namespace: found by id, listed, looked through for quick play. Owns them. One
 * thread. Pure. */
#ifndef FRAY_MATCH_LOBBY_H
#define FRAY_MATCH_LOBBY_H

#include "base/name_map.h"
#include "game/match.h"

enum {
    FRAY_LOBBY_MATCHES_MAX = 1000, /* where the owner sets no other limit */
    FRAY_LOBBY_LISTED_MAX = 50,    /* the newest */
};

/* Zero-initialised is empty; set games and by_id.key first. */
struct fray_lobby {
    const struct fray_game *const *games; /* that are played here, up to a NULL; borrowed */
    struct fray_name_map by_id;
    struct fray_match **matches; /* `count`, the oldest first */
    uint32_t count, cap;
    uint32_t matches_max; /* 0: FRAY_LOBBY_MATCHES_MAX */
    uint16_t phase;       /* of the newest match's ticks: they are spread over time */
};

void fray_lobby_deinit(struct fray_lobby *lobby);

bool fray_lobby_is_full(const struct fray_lobby *lobby);
/* The match that has been without anybody for longest, its seats being kept; NULL: there is none.
 */
struct fray_match *fray_lobby_deserted(const struct fray_lobby *lobby);
/* NULL: it is full. config->id is not used: 50 bits of random[0]
 * become it; random[1] is the seed. */
struct fray_match *fray_lobby_create(struct fray_lobby *lobby,
                                     const struct fray_match_config *config,
                                     const uint64_t random[2], uint64_t now_us);
struct fray_match *fray_lobby_find(const struct fray_lobby *lobby, struct fray_slice id);
/* Removes and destroys it. */
void fray_lobby_remove(struct fray_lobby *lobby, struct fray_match *match);

/* The oldest match of quick play of this game that waits for players or lets them drop in, and has
 * somebody there (watching does where the options are the standard ones), and is not `but`; NULL:
 * none. */
struct fray_match *fray_lobby_quick(const struct fray_lobby *lobby, const struct fray_game *game,
                                    const struct fray_match_person *person,
                                    const struct fray_match *but);

/* The public match of this game that most people play in, then watch, of those that are going on
 * and that this person may watch; NULL: none. */
struct fray_match *fray_lobby_busiest(const struct fray_lobby *lobby, const struct fray_game *game,
                                      const struct fray_match_person *person);

/* How many listen for this game (game/pairing.h). */
uint32_t fray_lobby_listening(const struct fray_lobby *lobby, const struct fray_game *game);
/* Another match that listens for the same game, whose player may meet this one's; NULL: none. */
struct fray_match *fray_lobby_partner(const struct fray_lobby *lobby,
                                      const struct fray_match *match);

/* `matches` and `games` of the message lobby (docs/games.md). New references. */
json_t *fray_lobby_json_matches(const struct fray_lobby *lobby);
json_t *fray_lobby_json_games(const struct fray_lobby *lobby);

#endif
