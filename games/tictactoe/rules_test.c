/* Tests of tic-tac-toe's rules and bot, the whole game tree included (B26). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tictactoe/tictactoe.h"

static struct tictactoe_state begin(void)
{
    struct tictactoe_state state;

    fray_game_init(&fray_tictactoe, &state, 1, NULL);
    fray_tictactoe.join(&state, 0, NULL);
    assert_int_equal(state.match.phase, TICTACTOE_WAITING);
    fray_tictactoe.join(&state, 1, NULL);
    assert_int_equal(state.match.phase, TICTACTOE_PLAYING);
    return state;
}

static void play_at(struct tictactoe_state *state, uint32_t seat, struct tictactoe_input input,
                    uint32_t now_ms)
{
    struct tictactoe_input inputs[2] = {{0}};
    uint8_t given[2] = {0};

    inputs[seat] = input;
    given[seat] = 1;
    fray_tictactoe.step(
        state, &(struct fray_game_step){.inputs = inputs, .given = given, .now_ms = now_ms});
}

static void place(struct tictactoe_state *state, uint32_t seat, uint8_t cell)
{
    play_at(state, seat, (struct tictactoe_input){.kind = TICTACTOE_PLACE, .cell = cell}, 0);
}

/* The input is refused with this reason, and playing it all the same changes nothing. */
static void refuse(const struct tictactoe_state *state, uint32_t seat, struct tictactoe_input input,
                   const char *reason)
{
    struct tictactoe_state after = *state;

    assert_string_equal(fray_game_check(&fray_tictactoe, state, seat, &input), reason);
    play_at(&after, seat, input, state->match.now_ms);
    assert_memory_equal(&after, state, sizeof(after));
}

static void B26_each_of_the_eight_lines_wins(void **unused)
{
    (void)unused;
    for (int i = 0; i < TICTACTOE_LINES; i++) {
        const uint8_t *line = tictactoe_lines[i];
        struct tictactoe_state state = begin();
        uint8_t elsewhere = 0;

        for (int k = 0; k < 3; k++) {
            place(&state, 0, line[k]);
            while (state.match.board[elsewhere] || elsewhere == line[0] || elsewhere == line[1] ||
                   elsewhere == line[2])
                elsewhere++;
            if (k < 2)
                place(&state, 1, elsewhere);
        }
        assert_int_equal(state.match.phase, TICTACTOE_OVER);
        assert_int_equal(state.match.winner, 0);
        assert_int_equal(state.match.ending, TICTACTOE_BY_LINE);
        assert_memory_equal(state.match.line, line, 3);
        assert_int_equal(state.players[0].wins, 1);
        assert_int_equal(fray_tictactoe.outcome(&state, 0), FRAY_GAME_WON);
        assert_int_equal(fray_tictactoe.outcome(&state, 1), FRAY_GAME_LOST);
    }
}

struct tally {
    int games, first_wins, second_wins, draws;
};

/* What the board says, told independently of the rules' own table: rows, columns, diagonals by
 * coordinates. */
static bool board_has_line(const uint8_t *board, int mark)
{
    int down = 0, up = 0;

    for (int i = 0; i < 3; i++) {
        int row = 0, column = 0;
        for (int k = 0; k < 3; k++) {
            row += board[i * 3 + k] == mark;
            column += board[k * 3 + i] == mark;
        }
        if (row == 3 || column == 3)
            return true;
        down += board[i * 4] == mark;
        up += board[2 + i * 2] == mark;
    }
    return down == 3 || up == 3;
}

static void play_all(const struct tictactoe_state *state, uint32_t seat, struct tally *tally)
{
    if (state->match.phase == TICTACTOE_OVER) {
        const struct tictactoe_match *match = &state->match;
        tally->games++;
        tally->first_wins += match->winner == 0;
        tally->second_wins += match->winner == 1;
        tally->draws += match->winner == FRAY_GAME_NOBODY;
        assert_int_equal(board_has_line(match->board, 1), match->winner == 0);
        assert_int_equal(board_has_line(match->board, 2), match->winner == 1);
        for (int i = 0; i < match->moves_count; i++)
            assert_int_equal(match->board[match->moves[i]], 1 + i % 2);
        return;
    }
    assert_int_equal(state->match.turn, seat);
    for (uint8_t cell = 0; cell < TICTACTOE_CELLS; cell++) {
        struct tictactoe_state next = *state;
        struct tictactoe_input input = {.kind = TICTACTOE_PLACE, .cell = cell};
        if (state->match.board[cell]) {
            assert_string_equal(fray_game_check(&fray_tictactoe, state, seat, &input),
                                "cell_taken");
            continue;
        }
        place(&next, seat, cell);
        assert_int_equal(next.match.moves_count, state->match.moves_count + 1);
        play_all(&next, !seat, tally);
    }
}

/* The known figures of the game tree. */
static void B26_the_whole_game_tree(void **unused)
{
    struct tictactoe_state state = begin();
    struct tally tally = {0};

    (void)unused;
    play_all(&state, 0, &tally);
    assert_int_equal(tally.games, 255168);
    assert_int_equal(tally.first_wins, 131184);
    assert_int_equal(tally.second_wins, 77904);
    assert_int_equal(tally.draws, 46080);
}

static void B26_illegal_and_out_of_turn_moves_are_refused(void **unused)
{
    struct tictactoe_state state = begin();
    struct tictactoe_input place_4 = {.kind = TICTACTOE_PLACE, .cell = 4};

    (void)unused;
    refuse(&state, 1, place_4, "not_your_turn");
    refuse(&state, 0, (struct tictactoe_input){.kind = TICTACTOE_PLACE, .cell = 9}, "out_of_range");
    refuse(&state, 0, (struct tictactoe_input){.kind = 3}, "out_of_range");
    refuse(&state, 0, (struct tictactoe_input){.kind = TICTACTOE_REMATCH}, "game_not_over");
    place(&state, 0, 4);
    refuse(&state, 1, place_4, "cell_taken");
    refuse(&state, 0, (struct tictactoe_input){.kind = TICTACTOE_PLACE, .cell = 0},
           "not_your_turn");
    fray_tictactoe.leave(&state, 1, NULL);
    assert_int_equal(state.match.winner, 0);
    assert_int_equal(state.match.ending, TICTACTOE_BY_LEAVING);
    refuse(&state, 0, (struct tictactoe_input){.kind = TICTACTOE_PLACE, .cell = 0}, "not_playing");
    assert_string_equal(fray_game_check(&fray_tictactoe, &state, 1, &place_4), "not_seated");
    assert_string_equal(fray_game_check(&fray_tictactoe, &state, 200, &place_4), "not_seated");
}

static void B26_rematch_alternates_who_begins(void **unused)
{
    struct tictactoe_state state = begin();
    struct tictactoe_input rematch = {.kind = TICTACTOE_REMATCH};

    (void)unused;
    for (int game = 0; game < 4; game++) {
        uint32_t first = game % 2, second = !first;
        assert_int_equal(state.match.first, first);
        assert_int_equal(state.match.turn, first);
        const uint8_t cells[] = {0, 3, 1, 4, 2};
        for (int i = 0; i < 5; i++)
            place(&state, i % 2 ? second : first, cells[i]);
        assert_int_equal(state.match.winner, first);
        play_at(&state, second, rematch, 0);
        assert_int_equal(state.match.phase, TICTACTOE_OVER);
        play_at(&state, first, rematch, 0);
        assert_int_equal(state.match.phase, TICTACTOE_PLAYING);
        assert_int_equal(state.match.moves_count, 0);
        assert_int_equal(state.match.line[0], TICTACTOE_NO_CELL);
    }
    assert_int_equal(state.players[0].wins, 2);
    assert_int_equal(state.players[1].wins, 2);
}

static void B26_who_is_too_slow_loses(void **unused)
{
    struct tictactoe_state state;
    int32_t options[] = {5000};

    (void)unused;
    fray_game_init(&fray_tictactoe, &state, 1, options);
    fray_tictactoe.join(&state, 0, NULL);
    fray_tictactoe.join(&state, 1, NULL);
    assert_int_equal(fray_tictactoe.deadline(&state), 5000);
    play_at(&state, 0, (struct tictactoe_input){.kind = TICTACTOE_PLACE}, 4999);
    assert_int_equal(fray_tictactoe.deadline(&state), 9999);
    play_at(&state, 0, (struct tictactoe_input){0}, 9998);
    assert_int_equal(state.match.phase, TICTACTOE_PLAYING);
    play_at(&state, 0, (struct tictactoe_input){0}, 9999);
    assert_int_equal(state.match.winner, 0);
    assert_int_equal(state.match.ending, TICTACTOE_BY_TIME);
    assert_int_equal(fray_tictactoe.deadline(&state), FRAY_GAME_NEVER);
}

static void without_a_limit_nobody_is_ever_too_slow(void **unused)
{
    struct tictactoe_state state = begin();
    const uint32_t late[] = {FRAY_GAME_NEVER - 1, FRAY_GAME_NEVER, 0x80000000, UINT32_MAX};

    (void)unused;
    for (uint32_t i = 0; i < FRAY_GAME_COUNT(late); i++) {
        play_at(&state, i % 2,
                (struct tictactoe_input){.kind = TICTACTOE_PLACE, .cell = (uint8_t)i}, late[i]);
        assert_int_equal(state.match.phase, TICTACTOE_PLAYING);
        assert_int_equal(state.match.moves_count, i + 1);
    }
}

static void who_comes_after_the_end_has_not_won(void **unused)
{
    struct tictactoe_state state = begin();

    (void)unused;
    fray_tictactoe.leave(&state, 1, NULL);
    fray_tictactoe.leave(&state, 0, NULL);
    assert_int_equal(fray_tictactoe.outcome(&state, 0), FRAY_GAME_WON);
    assert_int_equal(fray_tictactoe.outcome(&state, 1), FRAY_GAME_LOST);
    fray_tictactoe.join(&state, 0, NULL);
    assert_int_equal(fray_tictactoe.outcome(&state, 0), FRAY_GAME_PLAYING);
    assert_int_equal(state.match.phase, TICTACTOE_WAITING);
    assert_int_equal(state.match.winner, FRAY_GAME_NOBODY);
}

/* The bot's every move against every move of its opponent, as first and as second, with several
 * bots. */
static void bot_play_all(const struct tictactoe_state *state, uint32_t bot,
                         const struct tictactoe_memory *memory)
{
    if (state->match.phase == TICTACTOE_OVER) {
        assert_int_not_equal(state->match.winner, !bot);
        return;
    }
    struct tictactoe_state next = *state;
    struct tictactoe_memory after = *memory;
    struct tictactoe_input input;
    if (state->match.turn == bot) {
        assert_true(fray_tictactoe.bot(state, bot, &after, &input));
        assert_null(fray_game_check(&fray_tictactoe, state, bot, &input));
        place(&next, bot, input.cell);
        bot_play_all(&next, bot, &after);
        return;
    }
    assert_false(fray_tictactoe.bot(state, bot, &after, &input));
    for (uint8_t cell = 0; cell < TICTACTOE_CELLS; cell++)
        if (!state->match.board[cell]) {
            next = *state;
            place(&next, !bot, cell);
            bot_play_all(&next, bot, memory);
        }
}

static void B26_the_perfect_bot_never_loses(void **unused)
{
    (void)unused;
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct tictactoe_memory memory;
        struct tictactoe_state state = begin();
        fray_tictactoe.bot_init(&memory, 2, seed);
        bot_play_all(&state, 0, &memory);
        bot_play_all(&state, 1, &memory);
    }
}

/* Plays whole games of bot against bot and says how many seat 0 won, less those that seat 1 won. */
static int bots_compete(uint32_t level_0, uint32_t level_1, int games)
{
    struct tictactoe_state state = begin();
    struct tictactoe_memory memory[2];

    fray_tictactoe.bot_init(&memory[0], level_0, 7);
    fray_tictactoe.bot_init(&memory[1], level_1, 8);
    while (state.match.games <= games)
        for (uint32_t seat = 0; seat < 2; seat++) {
            struct tictactoe_input input;
            if (fray_tictactoe.bot(&state, seat, &memory[seat], &input))
                play_at(&state, seat, input, 0);
        }
    return state.players[0].wins - state.players[1].wins;
}

static void B26_bot_levels_differ(void **unused)
{
    (void)unused;
    assert_int_equal(bots_compete(2, 2, 50), 0);
    assert_true(bots_compete(2, 1, 200) > 20);
    assert_true(bots_compete(1, 0, 200) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B26_each_of_the_eight_lines_wins),
        cmocka_unit_test(B26_the_whole_game_tree),
        cmocka_unit_test(B26_illegal_and_out_of_turn_moves_are_refused),
        cmocka_unit_test(B26_rematch_alternates_who_begins),
        cmocka_unit_test(B26_who_is_too_slow_loses),
        cmocka_unit_test(without_a_limit_nobody_is_ever_too_slow),
        cmocka_unit_test(who_comes_after_the_end_has_not_won),
        cmocka_unit_test(B26_the_perfect_bot_never_loses),
        cmocka_unit_test(B26_bot_levels_differ),
    };
    return cmocka_run_group_tests_name("tictactoe", tests, NULL, NULL);
}
