/* Budgets and scores: who is spared, who is not. */
#include "game/conduct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static uint32_t spent_in_a_second(uint32_t per_s)
{
    struct fray_conduct conduct = {0};
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < 10 * per_s; i++)
        allowed += fray_conduct_spend(&conduct, SECOND + i * UINT64_C(1000000) / per_s);
    return allowed / 10;
}

static void a_fast_screen_is_within_the_budget(void **state)
{
    (void)state;
    assert_int_equal(spent_in_a_second(144), 144);
    assert_in_range(spent_in_a_second(2000), FRAY_CONDUCT_ACTIONS_PER_S,
                    FRAY_CONDUCT_ACTIONS_PER_S + FRAY_CONDUCT_ACTIONS_BURST / 10);
}

static void a_burst_is_forgiven_once(void **state)
{
    (void)state;
    struct fray_conduct conduct = {0};
    for (int i = 0; i < FRAY_CONDUCT_ACTIONS_BURST; i++)
        assert_true(fray_conduct_spend(&conduct, SECOND));
    assert_false(fray_conduct_spend(&conduct, SECOND));
    assert_true(fray_conduct_spend(&conduct, SECOND + 5000));
    assert_false(fray_conduct_spend(&conduct, SECOND + 5000));
}

static void requests_have_a_budget_of_their_own(void **state)
{
    (void)state;
    struct fray_conduct conduct = {0};
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < 1000; i++)
        allowed += fray_conduct_ask(&conduct, 1, SECOND + i * UINT64_C(10000)); /* 10 seconds */
    assert_in_range(allowed, 10 * FRAY_CONDUCT_REQUESTS_PER_S,
                    10 * FRAY_CONDUCT_REQUESTS_PER_S + FRAY_CONDUCT_REQUESTS_BURST);
    for (uint32_t i = 0; i < 10 * FRAY_CONDUCT_REQUESTS_PER_S; i++) {
        uint64_t at_us = (100 * FRAY_CONDUCT_REQUESTS_PER_S + i) * UINT64_C(1000000) /
                         FRAY_CONDUCT_REQUESTS_PER_S;
        assert_true(fray_conduct_ask(&conduct, 1, at_us));
    }
    assert_true(fray_conduct_spend(&conduct, 12 * SECOND));
    allowed = 0;
    for (uint32_t i = 0; i < 100; i++)
        allowed += fray_conduct_ask(&conduct, 4, 1000 * SECOND);
    assert_int_equal(allowed, FRAY_CONDUCT_REQUESTS_BURST / 4);
}

/* Offences of one who sends `count` at once after `silent_s` seconds. */
static uint32_t offences_of_a_stall(uint32_t silent_s, uint32_t count)
{
    struct fray_conduct conduct = {0};
    uint32_t offences = 0;
    for (uint32_t i = 0; i < 600; i++)
        assert_true(fray_conduct_spend(&conduct, SECOND + i * UINT64_C(1000000) / 60));
    for (uint32_t i = 0; i < count; i++)
        offences += !fray_conduct_spend(&conduct, (11 + silent_s) * (uint64_t)SECOND) &&
                    !conduct.is_excused;
    return offences;
}

static void what_a_stalled_network_delivers_at_once_is_no_offence(void **state)
{
    (void)state;
    assert_int_equal(offences_of_a_stall(2, 2 * 60), 0);
    assert_int_equal(offences_of_a_stall(10, 10 * 144), 0);
    assert_true(offences_of_a_stall(10, 5000) >= FRAY_CONDUCT_LIMIT);
    assert_true(offences_of_a_stall(1000, 5000) >= FRAY_CONDUCT_LIMIT); /* silence is no hoard */
}

static void who_floods_from_the_start_is_not_excused(void **state)
{
    (void)state;
    struct fray_conduct conduct = {0};
    uint32_t offences = 0;
    for (uint32_t i = 0; i < 500; i++)
        offences += !fray_conduct_spend(&conduct, SECOND + i * 1000) && !conduct.is_excused;
    assert_in_range(offences, FRAY_CONDUCT_LIMIT, 500);
}

static void offences_add_up_and_decay(void **state)
{
    (void)state;
    struct fray_conduct conduct = {0};
    for (int i = 0; i < 9; i++)
        assert_false(fray_conduct_offend(&conduct, FRAY_OFFENCE_FORGED, SECOND));
    struct fray_conduct later = conduct;
    assert_true(fray_conduct_offend(&conduct, FRAY_OFFENCE_FORGED, SECOND));
    assert_false(fray_conduct_offend(&later, FRAY_OFFENCE_FORGED, SECOND + SECOND / 2));
    assert_int_equal(later.score, 90000);
    assert_false(fray_conduct_offend(&later, 99, 20 * SECOND));
    assert_int_equal(later.score, 99000);
}

/* After a respawn inputs that aim at the old place go on for a round trip: 400 ms at 30 Hz. */
static void a_round_trip_of_impossible_inputs_is_forgiven(void **state)
{
    (void)state;
    struct fray_conduct conduct = {0};
    for (uint64_t i = 0; i < 12; i++)
        assert_false(
            fray_conduct_offend(&conduct, FRAY_OFFENCE_IMPOSSIBLE, SECOND + i * SECOND / 30));
    bool is_out = false;
    for (uint64_t i = 12; i < 90 && !is_out; i++)
        is_out = fray_conduct_offend(&conduct, FRAY_OFFENCE_IMPOSSIBLE, SECOND + i * SECOND / 30);
    assert_true(is_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_screen_is_within_the_budget),
        cmocka_unit_test(a_burst_is_forgiven_once),
        cmocka_unit_test(requests_have_a_budget_of_their_own),
        cmocka_unit_test(what_a_stalled_network_delivers_at_once_is_no_offence),
        cmocka_unit_test(who_floods_from_the_start_is_not_excused),
        cmocka_unit_test(offences_add_up_and_decay),
        cmocka_unit_test(a_round_trip_of_impossible_inputs_is_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
