/* Matches found by id, listed, and looked through for quick play. */
#include "match/lobby.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fray/games.h"
#include "game/catalog.h"

static const struct fray_match_person ann = {.id = "ann-id", .name = "Ann"},
                                      bob = {.id = "bob-id", .name = "Bob"},
                                      cid = {.id = "cid-id", .name = "Cid"};
static const uint8_t token[FRAY_TOKEN_RANDOM];

static struct fray_match *open_match(struct fray_lobby *lobby,
                                     const struct fray_match_config *config)
{
    static uint64_t number;
    uint64_t random[2] = {++number, 0};
    return fray_lobby_create(lobby, config, random, 0);
}

static struct fray_match *make(struct fray_lobby *lobby, const struct fray_game *game,
                               bool is_private)
{
    return open_match(lobby, &(struct fray_match_config){.game = game, .is_private = is_private});
}

static struct fray_match *make_quick(struct fray_lobby *lobby, const struct fray_game *game)
{
    return open_match(lobby, &(struct fray_match_config){.game = game, .is_quick = true});
}

static uint32_t sit(struct fray_match *match, const struct fray_match_person *person)
{
    uint32_t seat = FRAY_GAME_NOBODY;
    assert_null(fray_match_sit(match, person, token, 0, &seat));
    return seat;
}

static void matches_are_found_by_id_and_bounded(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    for (int i = 0; i < FRAY_LOBBY_MATCHES_MAX; i++) {
        struct fray_match *match = make(&lobby, &fray_tictactoe, false);
        assert_non_null(match);
        sit(match, &ann); /* an empty one is not listed */
        assert_int_equal(strlen(match->config.id), FRAY_MATCH_ID_LEN);
        assert_ptr_equal(fray_lobby_find(&lobby, fray_slice_of(match->config.id)), match);
    }
    assert_null(make(&lobby, &fray_tictactoe, false));
    char id[FRAY_MATCH_ID_LEN + 1];
    memcpy(id, lobby.matches[500]->config.id, sizeof id);
    fray_lobby_remove(&lobby, lobby.matches[500]);
    assert_null(fray_lobby_find(&lobby, fray_slice_of(id)));
    assert_non_null(make(&lobby, &fray_tictactoe, false));
    json_t *matches = fray_lobby_json_matches(&lobby);
    assert_int_equal(json_array_size(matches), FRAY_LOBBY_LISTED_MAX);
    json_decref(matches);
    fray_lobby_deinit(&lobby);
}

/* Whoever comes is worth more than a seat that is kept for who does not. */
static void the_longest_deserted_goes_first(void **state)
{
    (void)state;
    struct fray_lobby lobby = {.matches_max = 4};
    struct fray_match *matches[4];
    for (int i = 0; i < 4; i++) {
        matches[i] = make(&lobby, &fray_duel, false);
        sit(matches[i], &ann);
    }
    assert_true(fray_lobby_is_full(&lobby));
    assert_null(make(&lobby, &fray_duel, false));
    assert_null(fray_lobby_deserted(&lobby));
    fray_match_drop(matches[3], 0, 10);
    assert_null(fray_match_watch(matches[3], &bob, 10)); /* somebody is there */
    assert_null(fray_lobby_deserted(&lobby));
    fray_match_drop(matches[1], 0, 30);
    fray_match_drop(matches[0], 0, 20);
    assert_ptr_equal(fray_lobby_deserted(&lobby), matches[0]);
    sit(matches[0], &bob);
    assert_ptr_equal(fray_lobby_deserted(&lobby), matches[1]);
    fray_lobby_remove(&lobby, matches[1]);
    assert_non_null(make(&lobby, &fray_duel, false));
    fray_lobby_deinit(&lobby);
}

static void an_id_is_not_given_twice(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    struct fray_match_config config = {.game = &fray_rps};
    assert_non_null(fray_lobby_create(&lobby, &config, (uint64_t[2]){5, 1}, 0));
    assert_null(fray_lobby_create(&lobby, &config, (uint64_t[2]){5, 2}, 0));
    fray_lobby_deinit(&lobby);
}

static void quick_play_finds_who_waits(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    sit(make(&lobby, &fray_tictactoe, true), &ann);  /* private */
    sit(make(&lobby, &fray_tictactoe, false), &ann); /* its host may send others away */
    sit(make_quick(&lobby, &fray_rps), &ann);        /* another game */
    struct fray_match *away = make_quick(&lobby, &fray_tictactoe);
    fray_match_drop(away, sit(away, &ann), 0);
    struct fray_match *full = make_quick(&lobby, &fray_tictactoe);
    sit(full, &ann);
    sit(full, &bob);
    assert_null(fray_lobby_quick(&lobby, &fray_tictactoe, &bob, NULL));
    struct fray_match *waiting = make_quick(&lobby, &fray_tictactoe);
    sit(waiting, &ann);
    assert_ptr_equal(fray_lobby_quick(&lobby, &fray_tictactoe, &bob, NULL), waiting);
    json_t *matches = fray_lobby_json_matches(&lobby);
    assert_int_equal(json_array_size(matches), 4); /* not the private one, nor who is away's */
    json_decref(matches);
    fray_lobby_deinit(&lobby);
}

static struct fray_match *listen(struct fray_lobby *lobby, const struct fray_game *game,
                                 const struct fray_match_person *person, uint64_t now_us)
{
    struct fray_match *match = make_quick(lobby, game);
    fray_pairing_begin(match, now_us);
    fray_pairing_wait(match, sit(match, person), 8000, now_us);
    return match;
}

static void who_listens_apart_is_found(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    struct fray_match *anns = listen(&lobby, &fray_tictactoe, &ann, 1);
    assert_null(fray_lobby_partner(&lobby, anns));
    listen(&lobby, &fray_rps, &bob, 2);
    assert_null(fray_lobby_partner(&lobby, anns)); /* another game */
    sit(make(&lobby, &fray_tictactoe, false), &bob);
    assert_null(fray_lobby_partner(&lobby, anns)); /* not by quick play */
    struct fray_match *bobs = listen(&lobby, &fray_tictactoe, &bob, 3);
    assert_ptr_equal(fray_lobby_partner(&lobby, anns), bobs);
    assert_ptr_equal(fray_lobby_partner(&lobby, bobs), anns);
    assert_int_equal(fray_lobby_listening(&lobby, &fray_tictactoe), 2);
    assert_ptr_equal(fray_lobby_quick(&lobby, &fray_tictactoe, &cid, NULL), anns); /* the oldest */
    sit(bobs, &cid);
    assert_null(fray_lobby_partner(&lobby, anns)); /* found already */
    fray_match_put_out(bobs, 1, FRAY_OUT_KICKED, 0);
    assert_ptr_equal(fray_lobby_partner(&lobby, anns), bobs);
    sit(anns, &cid);
    fray_match_put_out(anns, 0, FRAY_OUT_LEFT, 0);
    assert_null(fray_lobby_partner(&lobby, anns)); /* who was kicked does not come back */
    assert_null(fray_lobby_partner(&lobby, bobs));
    fray_lobby_deinit(&lobby);
}

static void a_show_is_watched_and_found(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    const uint64_t random[][2] = {{90001, 0}, {90002, 0}};
    const struct fray_match_config config = {
        .game = &fray_arena, .fighters = FRAY_MATCH_FIGHTERS, .is_quick = true};
    struct fray_match *first = fray_lobby_create(&lobby, &config, random[0], 0);
    struct fray_match *second = fray_lobby_create(&lobby, &config, random[1], 0);
    assert_null(fray_lobby_busiest(&lobby, &fray_arena, &ann)); /* nothing goes on yet */
    assert_null(fray_match_watch(first, &ann, 0));
    assert_null(fray_match_watch(second, &bob, 0));
    assert_ptr_equal(fray_lobby_busiest(&lobby, &fray_arena, &cid), first);
    assert_null(fray_match_watch(second, &bob, 0));
    assert_ptr_equal(fray_lobby_busiest(&lobby, &fray_arena, &cid), second);
    assert_null(fray_lobby_busiest(&lobby, &fray_duel, &cid));
    json_t *matches = fray_lobby_json_matches(&lobby);
    assert_int_equal(json_array_size(matches), 0); /* nobody plays */
    json_decref(matches);
    assert_ptr_equal(fray_lobby_quick(&lobby, &fray_arena, &cid, NULL), first);
    sit(first, &cid);
    assert_ptr_equal(fray_lobby_busiest(&lobby, &fray_arena, &ann), first);
    sit(first, &bob);
    fray_match_unwatch(first);
    fray_match_drop(first, fray_match_host(first), 0);
    assert_ptr_equal(fray_lobby_quick(&lobby, &fray_arena, &ann, NULL),
                     first); /* somebody is there */
    fray_lobby_deinit(&lobby);
}

static void a_show_with_options_of_its_own_is_nobodys_quick_play_until_somebody_plays(void **state)
{
    (void)state;
    struct fray_lobby lobby = {0};
    const uint64_t random[2] = {90003, 0};
    int32_t options[16] = {0};
    for (uint32_t i = 0; i < fray_arena.options_count; i++)
        options[i] = fray_arena.options[i].standard;
    options[0]++;
    const struct fray_match_config config = {
        .game = &fray_arena, .fighters = FRAY_MATCH_FIGHTERS, .options = options, .is_quick = true};
    struct fray_match *show = fray_lobby_create(&lobby, &config, random, 0);
    assert_null(fray_match_watch(show, &ann, 0));
    assert_ptr_equal(fray_lobby_busiest(&lobby, &fray_arena, &bob), show);
    assert_null(fray_lobby_quick(&lobby, &fray_arena, &bob, NULL));
    sit(show, &cid);
    assert_ptr_equal(fray_lobby_quick(&lobby, &fray_arena, &bob, NULL), show);
    fray_lobby_deinit(&lobby);
}

static void games_are_those_of_the_program(void **state)
{
    (void)state;
    static const struct fray_game *const two[] = {&fray_duel, &fray_rps, NULL};
    struct fray_lobby lobby = {.games = two};
    json_t *games = fray_lobby_json_games(&lobby);
    assert_int_equal(json_array_size(games), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(games, 0), "game")),
                        "duel");
    json_decref(games);
    assert_ptr_equal(fray_catalog_find(two, FRAY_SLICE("rps")), &fray_rps);
    assert_null(fray_catalog_find(two, FRAY_SLICE("arena")));
    assert_null(fray_catalog_find(two, FRAY_SLICE("rp")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_are_found_by_id_and_bounded),
        cmocka_unit_test(the_longest_deserted_goes_first),
        cmocka_unit_test(an_id_is_not_given_twice),
        cmocka_unit_test(quick_play_finds_who_waits),
        cmocka_unit_test(who_listens_apart_is_found),
        cmocka_unit_test(a_show_is_watched_and_found),
        cmocka_unit_test(a_show_with_options_of_its_own_is_nobodys_quick_play_until_somebody_plays),
        cmocka_unit_test(games_are_those_of_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
