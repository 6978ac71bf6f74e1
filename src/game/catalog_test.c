/* What is wrong with a game is told before anybody plays it. */
#include "game/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/games.h"

static void fray_hosts_its_own_games(void **unused)
{
    (void)unused;
    for (size_t i = 0; fray_games_builtin[i]; i++)
        assert_null(fray_catalog_fault(fray_games_builtin[i]));
}

static void a_game_without_a_bot_is_refused(void **unused)
{
    (void)unused;
    struct fray_game game = fray_duel;
    game.bot_levels = 0;
    assert_non_null(strstr(fray_catalog_fault(&game), "bot_levels"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fray_hosts_its_own_games),
        cmocka_unit_test(a_game_without_a_bot_is_refused),
    };
    return cmocka_run_group_tests_name("game_catalog", tests, NULL, NULL);
}
