#include "match/lobby.h"

#include "base/mem.h"

void fray_lobby_deinit(struct fray_lobby *lobby)
{
    for (uint32_t i = 0; i < lobby->count; i++)
        fray_match_destroy(lobby->matches[i]);
    fray_name_map_deinit(&lobby->by_id);
    free(lobby->matches);
    *lobby = (struct fray_lobby){0};
}

/* Of 65536: multiples of the golden ratio keep away from each other. */
enum { GOLDEN = 40503 };

/* Digits and letters without those that are read for one another. */
static void id_write(char id[FRAY_MATCH_ID_LEN + 1], uint64_t random)
{
    static const char letters[33] = "23456789abcdefghijkmnpqrstuvwxyz";
    for (int i = 0; i < FRAY_MATCH_ID_LEN; i++, random >>= 5)
        id[i] = letters[random & 31];
    id[FRAY_MATCH_ID_LEN] = '\0';
}

bool fray_lobby_is_full(const struct fray_lobby *lobby)
{
    return lobby->count >= (lobby->matches_max ? lobby->matches_max : FRAY_LOBBY_MATCHES_MAX);
}

/* Since when; UINT64_MAX: somebody is there. */
static uint64_t deserted_us(const struct fray_match *match)
{
    uint64_t since_us = match->spectators ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        if (!seat->is_taken || seat->bot != FRAY_MATCH_NO_BOT)
            continue;
        bool is_away = !seat->is_connected || seat->is_silent;
        uint64_t lost_us = is_away ? seat->lost_us : UINT64_MAX;
        since_us = lost_us > since_us ? lost_us : since_us;
    }
    return since_us;
}

struct fray_match *fray_lobby_deserted(const struct fray_lobby *lobby)
{
    struct fray_match *longest = NULL;
    uint64_t longest_us = UINT64_MAX;
    for (uint32_t i = 0; i < lobby->count; i++) {
        uint64_t since_us = deserted_us(lobby->matches[i]);
        if (since_us >= longest_us)
            continue;
        longest_us = since_us;
        longest = lobby->matches[i];
    }
    return longest;
}

struct fray_match *fray_lobby_create(struct fray_lobby *lobby,
                                     const struct fray_match_config *config,
                                     const uint64_t random[2], uint64_t now_us)
{
    struct fray_match_config named = *config;

    id_write(named.id, random[0]);
    named.phase = lobby->phase += GOLDEN;
    if (fray_lobby_is_full(lobby) || fray_lobby_find(lobby, fray_slice_of(named.id)))
        return NULL;
    struct fray_match *match = fray_match_create(&named, random[1], now_us);
    if (lobby->count == lobby->cap) {
        lobby->cap = lobby->cap ? lobby->cap * 2 : 16;
        lobby->matches = fray_realloc(lobby->matches, lobby->cap * sizeof *lobby->matches);
    }
    lobby->matches[lobby->count++] = match;
    fray_name_map_add(&lobby->by_id, fray_slice_of(match->config.id), match);
    return match;
}

struct fray_match *fray_lobby_find(const struct fray_lobby *lobby, struct fray_slice id)
{
    return fray_name_map_get(&lobby->by_id, id);
}

void fray_lobby_remove(struct fray_lobby *lobby, struct fray_match *match)
{
    uint32_t i = 0;
    while (lobby->matches[i] != match)
        i++;
    lobby->count--;
    memmove(&lobby->matches[i], &lobby->matches[i + 1],
            (lobby->count - i) * sizeof *lobby->matches);
    fray_name_map_remove(&lobby->by_id, fray_slice_of(match->config.id));
    fray_match_destroy(match);
}

/* Persons in seats who are there. */
static uint32_t people(const struct fray_match *match)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < match->config.game->seats_max; i++) {
        const struct fray_match_seat *seat = &match->seats[i];
        count += seat->is_taken && seat->bot == FRAY_MATCH_NO_BOT && seat->is_connected;
    }
    return count;
}

/* A host who is away may not come back. */
static bool has_host(const struct fray_match *match)
{
    uint32_t host = fray_match_host(match);
    return host != FRAY_GAME_NOBODY && match->seats[host].is_connected;
}

static bool has_standard_options(const struct fray_match *match)
{
    const struct fray_game *game = match->config.game;
    const char *at = match->state + game->options_offset;
    int32_t value;

    for (uint32_t i = 0; i < game->options_count; i++, at += sizeof value) {
        memcpy(&value, at, sizeof value);
        if (value != game->options[i].standard)
            return false;
    }
    return true;
}

/* Who watches a show chose its options; that is not to decide where all others play. */
static bool takes_newcomers(const struct fray_match *match)
{
    bool is_watched = fray_match_is_show(match) && match->spectators && has_standard_options(match);
    bool is_attended = fray_match_is_drop_in(match) ? people(match) : has_host(match);
    if (!fray_match_is_open(match) || !(is_watched || is_attended))
        return false;
    return !match->is_begun ||
           (fray_match_is_drop_in(match) && fray_match_phase(match) == FRAY_MATCH_PLAYING);
}

struct fray_match *fray_lobby_quick(const struct fray_lobby *lobby, const struct fray_game *game,
                                    const struct fray_match_person *person,
                                    const struct fray_match *but)
{
    for (uint32_t i = 0; i < lobby->count; i++) {
        struct fray_match *match = lobby->matches[i];
        if (match != but && match->config.game == game && match->config.is_quick &&
            takes_newcomers(match) && !fray_match_is_banned(match, person))
            return match;
    }
    return NULL;
}

struct fray_match *fray_lobby_busiest(const struct fray_lobby *lobby, const struct fray_game *game,
                                      const struct fray_match_person *person)
{
    struct fray_match *busiest = NULL;
    for (uint32_t i = 0; i < lobby->count; i++) {
        struct fray_match *match = lobby->matches[i];
        if (match->config.game != game || match->config.is_private ||
            fray_match_phase(match) != FRAY_MATCH_PLAYING ||
            fray_match_may_enter(match, person, true))
            continue;
        uint32_t here = people(match), there = busiest ? people(busiest) : 0;
        if (!here && !fray_match_is_show(match))
            continue;
        if (!busiest || here > there || (here == there && match->spectators > busiest->spectators))
            busiest = match;
    }
    return busiest;
}

uint32_t fray_lobby_listening(const struct fray_lobby *lobby, const struct fray_game *game)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < lobby->count; i++) {
        const struct fray_match *match = lobby->matches[i];
        count += match->config.game == game && fray_pairing_is_listening(match);
    }
    return count;
}

/* Whoever is banned from one of the two does not come together with its host. */
static bool may_meet(const struct fray_match *match, const struct fray_match *other)
{
    const struct fray_match_seat *guest = &other->seats[fray_match_host(other)];
    return !fray_match_is_banned(match, &(struct fray_match_person){
                                            .id = guest->id,
                                            .name = guest->name,
                                            .subject = guest->subject,
                                            .origin = guest->origin,
                                        });
}

struct fray_match *fray_lobby_partner(const struct fray_lobby *lobby,
                                      const struct fray_match *match)
{
    for (uint32_t i = 0; i < lobby->count; i++) {
        struct fray_match *other = lobby->matches[i];
        if (other != match && other->config.game == match->config.game &&
            fray_pairing_is_listening(other) && has_host(other) && has_host(match) &&
            may_meet(match, other) && may_meet(other, match))
            return other;
    }
    return NULL;
}

/* ------------------------------------------------------------------ as JSON */

static json_t *listing(const struct fray_match *match)
{
    uint32_t host = fray_match_host(match);
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:I, s:i, s:I, s:b}", "match", match->config.id, "game",
        match->config.game->name, "phase", fray_match_phase_text(fray_match_phase(match)), "host",
        host == FRAY_GAME_NOBODY ? NULL : match->seats[host].name, "players",
        (json_int_t)fray_match_players(match), "seats_max", match->config.game->seats_max,
        "spectators", (json_int_t)match->spectators, "open", fray_match_is_open(match));
}

json_t *fray_lobby_json_matches(const struct fray_lobby *lobby)
{
    json_t *matches = json_array();
    /* Whose people are all away is left out: who came in would wait for nobody. */
    for (uint32_t i = lobby->count; i-- && json_array_size(matches) < FRAY_LOBBY_LISTED_MAX;) {
        if (!lobby->matches[i]->config.is_private && people(lobby->matches[i]))
            json_array_append_new(matches, listing(lobby->matches[i]));
    }
    return matches;
}

static json_t *game_json(const struct fray_game *game)
{
    json_t *options = json_array();
    for (uint32_t i = 0; i < game->options_count; i++) {
        const struct fray_game_option *option = &game->options[i];
        json_array_append_new(options, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "name",
                                                 option->name, "summary", option->summary, "min",
                                                 option->min, "max", option->max, "step",
                                                 option->step, "standard", option->standard));
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:o}", "game", game->name, "title",
                     game->title, "tick_hz", game->tick_hz, "seats_min", game->seats_min,
                     "seats_max", game->seats_max, "bot_levels", game->bot_levels, "options",
                     options);
}

json_t *fray_lobby_json_games(const struct fray_lobby *lobby)
{
    json_t *games = json_array();
    for (const struct fray_game *const *game = lobby->games; *game; game++)
        json_array_append_new(games, game_json(*game));
    return games;
}
