#include "server/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fray/games.h"

/* What the command says of rules that are wrong. The rest is shown by
 * tests/conformance/simulate.test.mjs on the program. */

static const struct fray_game_field *walk_field(void)
{
    return fray_game_field(fray_duel.input, "walk");
}

/* The second bot walks too fast from the 30th tick on. */
static bool bot(const void *view, uint32_t seat, void *memory, void *input)
{
    (void)memory;
    bool is_late = fray_game_get(&fray_duel, view, "match", 0, "tick") + 1 >= 30;
    fray_game_write(walk_field(), input, 0, seat == 1 && is_late ? 7 : 1);
    return true;
}

/* Nor is an input told of that was not given. */
static bool idle_bot(const void *view, uint32_t seat, void *memory, void *input)
{
    (void)bot(view, seat, memory, input);
    return false;
}

static const char *refuse(const void *state, uint32_t seat, const void *input)
{
    (void)state;
    (void)seat;
    (void)input;
    return "not_now";
}

/* Runs the command, and returns its exit code; `said` is what it wrote to stderr. */
static int simulate(const struct fray_game *game, char *said, size_t size)
{
    static char command[] = "simulate", duel[] = "duel", ticks[] = "--ticks", count[] = "100";
    char *argv[] = {command, duel, ticks, count, NULL};
    const struct fray_game *const games[] = {game, NULL};
    FILE *file = tmpfile();
    int error = dup(STDERR_FILENO);

    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    int code = fray_simulate_main(games, 4, argv);
    fflush(stderr);
    dup2(error, STDERR_FILENO);
    close(error);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = '\0';
    fclose(file);
    return code;
}

static void a_bot_out_of_the_range_of_inputs_is_told(void **state)
{
    struct fray_game wrong = fray_duel;
    char said[512];

    (void)state;
    wrong.bot = bot;
    assert_int_equal(simulate(&wrong, said, sizeof said), 1);
    assert_string_equal(said, "duel: bot 2 gave walk 7, which is not -1 to 1 (tick 30).\n");
}

static void what_is_not_given_or_refused_for_the_moment_is_not_told(void **state)
{
    struct fray_game odd = fray_duel;
    char said[512];

    (void)state;
    odd.check = refuse;
    assert_int_equal(simulate(&odd, said, sizeof said), 0);
    assert_string_equal(said, "");
    odd.bot = idle_bot;
    assert_int_equal(simulate(&odd, said, sizeof said), 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bot_out_of_the_range_of_inputs_is_told),
        cmocka_unit_test(what_is_not_given_or_refused_for_the_moment_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
