/* Tests of rock-paper-scissors' rules and bot (B29). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rps/rps.h"

enum { LATE = -1, ROUND_MS = 10000 };

static struct rps_state begin(int32_t kinds, uint32_t players)
{
    struct rps_state state;
    int32_t options[] = {kinds, ROUND_MS};

    fray_game_init(&fray_rps, &state, 1, options);
    for (uint32_t seat = 0; seat < players; seat++)
        fray_rps.join(&state, seat, NULL);
    return state;
}

static void play(struct rps_state *state, uint32_t seat, struct rps_input input, uint32_t now_ms)
{
    struct rps_input inputs[RPS_SEATS] = {{0}};
    uint8_t given[RPS_SEATS] = {0};

    inputs[seat] = input;
    given[seat] = 1;
    fray_rps.step(state,
                  &(struct fray_game_step){.inputs = inputs, .given = given, .now_ms = now_ms});
}

static struct rps_state start(int32_t kinds, uint32_t players)
{
    struct rps_state state = begin(kinds, players);

    play(&state, 0, (struct rps_input){.kind = RPS_START}, 0);
    assert_int_equal(state.match.phase, RPS_CHOOSING);
    return state;
}

/* Everybody who still plays chooses in turn; the late ones let the deadline pass. */
static void play_round(struct rps_state *state, const int *choices, uint32_t players)
{
    uint16_t round = state->match.round;
    uint32_t deadline = fray_rps.deadline(state);

    for (uint32_t seat = 0; seat < players; seat++)
        if (choices[seat] != LATE && state->players[seat].playing && state->match.round == round)
            play(state, seat,
                 (struct rps_input){.kind = RPS_CHOOSE, .choice = (uint8_t)choices[seat]},
                 state->match.now_ms);
    if (state->match.round == round && state->match.phase == RPS_CHOOSING)
        play(state, 0, (struct rps_input){0}, deadline);
}

static void refuse(const struct rps_state *state, uint32_t seat, struct rps_input input,
                   const char *reason)
{
    struct rps_state after = *state;

    assert_string_equal(fray_game_check(&fray_rps, state, seat, &input), reason);
    play(&after, seat, input, state->match.now_ms);
    assert_memory_equal(&after, state, sizeof(after));
}

static void B29_the_known_names_beat_each_other(void **unused)
{
    enum { ROCK, PAPER, SCISSORS };
    enum { ROCK5, SPOCK5, PAPER5, LIZARD5, SCISSORS5 };
    const int beats5[][2] = {
        {SCISSORS5, PAPER5}, {PAPER5, ROCK5},      {ROCK5, LIZARD5},  {LIZARD5, SPOCK5},
        {SPOCK5, SCISSORS5}, {SCISSORS5, LIZARD5}, {LIZARD5, PAPER5}, {PAPER5, SPOCK5},
        {SPOCK5, ROCK5},     {ROCK5, SCISSORS5},
    };

    (void)unused;
    assert_int_equal(rps_compare(PAPER, ROCK, 3), 1);
    assert_int_equal(rps_compare(SCISSORS, PAPER, 3), 1);
    assert_int_equal(rps_compare(ROCK, SCISSORS, 3), 1);
    for (size_t i = 0; i < FRAY_GAME_COUNT(beats5); i++)
        assert_int_equal(rps_compare(beats5[i][0], beats5[i][1], 5), 1);
}

/* Every pair of kinds of every variant, compared and played out by two. */
static void B29_every_pairing_of_the_odd_variants(void **unused)
{
    (void)unused;
    for (int32_t kinds = 3; kinds <= RPS_KINDS_MAX; kinds += 2)
        for (int a = 0; a < kinds; a++) {
            int beaten = 0;
            for (int b = 0; b < kinds; b++) {
                int steps = ((a - b) % kinds + kinds) % kinds; /* from b up to a, in a circle */
                int expected = steps == 0 ? 0 : steps <= kinds / 2 ? 1 : -1;
                assert_int_equal(rps_compare(a, b, kinds), expected);
                assert_int_equal(rps_compare(b, a, kinds), -expected);
                beaten += expected == 1;

                struct rps_state state = start(kinds, 2);
                play_round(&state, (const int[]){a, b}, 2);
                assert_int_equal(state.match.phase, expected ? RPS_OVER : RPS_CHOOSING);
                assert_int_equal(state.match.winner, expected == 0   ? FRAY_GAME_NOBODY
                                                     : expected == 1 ? 0
                                                                     : 1);
                assert_int_equal(state.players[0].shown, 1 + a);
                assert_int_equal(state.players[1].shown, 1 + b);
            }
            assert_int_equal(beaten, kinds / 2);
        }
}

static void B29_even_numbers_of_kinds_become_odd(void **unused)
{
    struct rps_state state = begin(6, 2);

    (void)unused;
    assert_int_equal(state.options.kinds, 5);
}

static void B29_elimination_until_one_is_left(void **unused)
{
    struct rps_state state = start(3, 5);

    (void)unused;
    play_round(&state, (const int[]){0, 0, 1, 1, 1}, 5); /* paper beats rock */
    assert_int_equal(state.match.round, 2);
    assert_int_equal(state.players[0].playing + state.players[1].playing, 0);
    refuse(&state, 0, (struct rps_input){.kind = RPS_CHOOSE}, "eliminated");
    play_round(&state, (const int[]){0, 0, 0, 1, 2}, 5); /* all kinds: again */
    assert_int_equal(state.match.round, 3);
    assert_int_equal(state.match.replayed, 1);
    play_round(&state, (const int[]){0, 0, 2, 2, 2}, 5); /* one kind: again */
    assert_int_equal(state.match.round, 4);
    play_round(&state, (const int[]){0, 0, 1, 2, 1}, 5); /* scissors beat paper */
    assert_int_equal(state.match.phase, RPS_OVER);
    assert_int_equal(state.match.winner, 3);
    assert_int_equal(state.players[3].wins, 1);
    assert_int_equal(fray_rps.outcome(&state, 3), FRAY_GAME_WON);
    assert_int_equal(fray_rps.outcome(&state, 2), FRAY_GAME_LOST);
    play(&state, 0, (struct rps_input){.kind = RPS_START}, 0);
    assert_int_equal(state.match.phase, RPS_CHOOSING);
    assert_int_equal(state.players[0].playing, 1);
}

/* With five kinds, three on the table: 2 beats 1 and 0, 1 beats 0. The best alone stays. */
static void B29_the_best_kind_stays_among_several(void **unused)
{
    struct rps_state state = start(5, 6);

    (void)unused;
    play_round(&state, (const int[]){0, 1, 2, 2, 1, 0}, 6);
    for (int seat = 0; seat < 6; seat++)
        assert_int_equal(state.players[seat].playing, seat == 2 || seat == 3);
}

static void B29_all_same_and_all_kinds_are_played_again(void **unused)
{
    (void)unused;
    for (int32_t kinds = 3; kinds <= RPS_KINDS_MAX; kinds += 2) {
        int choices[RPS_KINDS_MAX];
        for (int i = 0; i < kinds; i++)
            choices[i] = i;
        struct rps_state state = start(kinds, (uint32_t)kinds);
        play_round(&state, choices, (uint32_t)kinds);
        assert_int_equal(state.match.round, 2);
        assert_int_equal(state.match.replayed, 1);
        for (int i = 0; i < kinds; i++)
            choices[i] = kinds - 1;
        play_round(&state, choices, (uint32_t)kinds);
        assert_int_equal(state.match.round, 3);
        for (int i = 0; i < kinds; i++)
            assert_int_equal(state.players[i].playing, 1);
    }
}

static void B29_who_is_late_is_out(void **unused)
{
    struct rps_state state = start(3, 3);

    (void)unused;
    assert_int_equal(fray_rps.deadline(&state), ROUND_MS);
    play(&state, 0, (struct rps_input){.kind = RPS_CHOOSE}, 1);
    play(&state, 1, (struct rps_input){.kind = RPS_CHOOSE}, ROUND_MS - 1);
    assert_int_equal(state.match.round, 1);
    play(&state, 2, (struct rps_input){0}, ROUND_MS);
    assert_int_equal(state.match.round, 2);
    assert_int_equal(state.players[2].playing, 0);
    assert_int_equal(state.players[0].playing + state.players[1].playing, 2);
    assert_int_equal(fray_rps.deadline(&state), 2 * ROUND_MS);
}

static void B29_rounds_without_any_choice_end_undecided(void **unused)
{
    struct rps_state state = start(3, 2);

    (void)unused;
    for (int round = 1; round <= RPS_IDLE_ROUNDS_MAX; round++) {
        assert_int_equal(state.match.round, round);
        play_round(&state, (const int[]){LATE, LATE}, 2);
    }
    assert_int_equal(state.match.phase, RPS_OVER);
    assert_int_equal(fray_rps.outcome(&state, 0), FRAY_GAME_DRAWN);
}

static void B29_choices_are_hidden_until_all_have_chosen(void **unused)
{
    struct rps_state state = start(3, 3), view;

    (void)unused;
    play(&state, 1, (struct rps_input){.kind = RPS_CHOOSE, .choice = 2}, 0);
    const uint32_t viewers[] = {0, 2, FRAY_GAME_NOBODY};
    for (int i = 0; i < 3; i++) {
        fray_game_view(&fray_rps, &state, viewers[i], &view);
        assert_int_equal(view.players[1].chosen, 1);
        assert_int_equal(view.players[1].choice, 0);
        assert_int_equal(view.players[1].shown, 0);
    }
    fray_game_view(&fray_rps, &state, 1, &view);
    assert_int_equal(view.players[1].choice, 2);
}

static void B29_inputs_are_refused_with_a_reason(void **unused)
{
    struct rps_state state = begin(3, 1);
    struct rps_input choose = {.kind = RPS_CHOOSE, .choice = 1}, begin_game = {.kind = RPS_START};

    (void)unused;
    refuse(&state, 0, begin_game, "not_enough_players");
    refuse(&state, 0, choose, "not_playing");
    assert_string_equal(fray_game_check(&fray_rps, &state, 5, &choose), "not_seated");
    state = start(3, 3);
    refuse(&state, 0, begin_game, "already_started");
    refuse(&state, 0, (struct rps_input){.kind = RPS_CHOOSE, .choice = 3}, "no_such_choice");
    refuse(&state, 0, (struct rps_input){.kind = RPS_CHOOSE, .choice = 255}, "out_of_range");
    play(&state, 0, choose, 0);
    refuse(&state, 0, choose, "already_chosen");
    fray_rps.join(&state, 7, NULL); /* watches until the next game */
    refuse(&state, 7, choose, "eliminated");
}

static void B29_who_leaves_is_out(void **unused)
{
    struct rps_state state = start(3, 3);

    (void)unused;
    fray_rps.leave(&state, 1, NULL);
    assert_int_equal(state.match.phase, RPS_CHOOSING);
    fray_rps.leave(&state, 0, NULL);
    assert_int_equal(state.match.phase, RPS_OVER);
    assert_int_equal(state.match.winner, 2);
}

static void outcomes_stay_when_who_won_leaves(void **unused)
{
    struct rps_state state = start(3, 3);

    (void)unused;
    play_round(&state, (const int[]){1, 0, 0}, 3); /* paper beats rock */
    assert_int_equal(state.match.winner, 0);
    fray_rps.leave(&state, 0, NULL);
    assert_int_equal(fray_rps.outcome(&state, 0), FRAY_GAME_WON);
    assert_int_equal(fray_rps.outcome(&state, 1), FRAY_GAME_LOST);
    fray_rps.join(&state, 0, NULL); /* somebody else */
    for (uint32_t seat = 0; seat < 3; seat++)
        assert_int_equal(fray_rps.outcome(&state, seat), FRAY_GAME_LOST);
    assert_int_equal(state.match.winner, FRAY_GAME_NOBODY);
    play(&state, 0, (struct rps_input){.kind = RPS_START}, 0);
    for (int round = 0; round < RPS_IDLE_ROUNDS_MAX; round++)
        play_round(&state, (const int[]){LATE, LATE, LATE}, 3);
    assert_int_equal(fray_rps.outcome(&state, 0), FRAY_GAME_DRAWN);
}

/* Against one who prefers rock, the bot that learns wins more than one that guesses. */
static int bot_wins_against_habit(uint32_t level)
{
    struct rps_state state = start(3, 2), view;
    struct rps_memory memory;
    uint32_t random[4];
    uint32_t now_ms = 0;

    fray_rps.bot_init(&memory, level, 3);
    fray_game_random_seed(random, 4);
    while (state.match.games <= 300) {
        struct rps_input habit = {.kind = RPS_CHOOSE}, answer;
        if (fray_game_random_range(random, 0, 3) == 0)
            habit.choice = (uint8_t)fray_game_random_range(random, 0, 2);
        fray_game_view(&fray_rps, &state, 1, &view);
        bool acts = fray_rps.bot(&view, 1, &memory, &answer);
        if (state.match.phase == RPS_OVER) {
            assert_false(acts);
            play(&state, 0, (struct rps_input){.kind = RPS_START}, ++now_ms);
            continue;
        }
        assert_true(acts);
        assert_null(fray_game_check(&fray_rps, &state, 1, &answer));
        play(&state, 1, answer, now_ms);
        play(&state, 0, habit, now_ms);
    }
    return state.players[1].wins;
}

static void B29_the_bot_learns_habits(void **unused)
{
    (void)unused;
    int guessing = bot_wins_against_habit(0), learning = bot_wins_against_habit(2);

    assert_in_range(guessing, 110, 190);
    assert_true(learning > 240);
}

/* Rounds of a game among three of the best, who all see the same. */
static int rounds_among_the_best(uint64_t seed)
{
    struct rps_state state = start(5, 3), view;
    struct rps_memory memories[3];
    struct rps_input answers[3];

    for (uint32_t seat = 0; seat < 3; seat++)
        fray_rps.bot_init(&memories[seat], 2, seed + seat);
    while (state.match.phase != RPS_OVER) {
        bool acts[3];
        for (uint32_t seat = 0; seat < 3; seat++) {
            fray_game_view(&fray_rps, &state, seat, &view);
            acts[seat] = fray_rps.bot(&view, seat, &memories[seat], &answers[seat]);
        }
        for (uint32_t seat = 0; seat < 3; seat++)
            if (acts[seat])
                play(&state, seat, answers[seat], 0);
    }
    return state.match.round;
}

static void B29_bots_do_not_tie_for_ever(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < 1000; seed++)
        assert_in_range(rounds_among_the_best(seed * 3), 1, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B29_the_known_names_beat_each_other),
        cmocka_unit_test(B29_every_pairing_of_the_odd_variants),
        cmocka_unit_test(B29_even_numbers_of_kinds_become_odd),
        cmocka_unit_test(B29_elimination_until_one_is_left),
        cmocka_unit_test(B29_the_best_kind_stays_among_several),
        cmocka_unit_test(B29_all_same_and_all_kinds_are_played_again),
        cmocka_unit_test(B29_who_is_late_is_out),
        cmocka_unit_test(B29_rounds_without_any_choice_end_undecided),
        cmocka_unit_test(B29_choices_are_hidden_until_all_have_chosen),
        cmocka_unit_test(B29_inputs_are_refused_with_a_reason),
        cmocka_unit_test(B29_who_leaves_is_out),
        cmocka_unit_test(outcomes_stay_when_who_won_leaves),
        cmocka_unit_test(B29_the_bot_learns_habits),
        cmocka_unit_test(B29_bots_do_not_tie_for_ever),
    };
    return cmocka_run_group_tests_name("rps", tests, NULL, NULL);
}
