/* Lag compensation: what is believed, and how far back it goes. */
#include "game/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { HZ = 60, PARTS = 256 };

static uint32_t of_ms(uint32_t ms)
{
    return HZ * PARTS * ms / 1000;
}

enum fate { BELIEVED, REFUSED, IMPOSSIBLE };

static void judged(uint32_t claimed, uint32_t measured, uint32_t view, enum fate fate)
{
    struct fray_history_verdict verdict = fray_history_judge(HZ, claimed, measured);
    assert_int_equal(verdict.view, view);
    assert_int_equal(verdict.is_refused, fate != BELIEVED);
    assert_int_equal(verdict.is_impossible, fate == IMPOSSIBLE);
}

static void a_claim_is_believed_near_what_was_measured(void **state)
{
    (void)state;
    uint32_t measured = 1000 * PARTS;
    judged(measured - of_ms(199), measured, measured - of_ms(199), BELIEVED);
    judged(measured + of_ms(199), measured, measured + of_ms(199), BELIEVED);
    judged(measured - of_ms(202), measured, measured, REFUSED);
    judged(measured + of_ms(202), measured, measured, REFUSED);
    judged(measured - of_ms(1002), measured, measured, IMPOSSIBLE);
    judged(measured + of_ms(1002), measured, measured, IMPOSSIBLE);
    judged(0, measured, measured, BELIEVED);
    judged(77, 0, 0, IMPOSSIBLE); /* who has got nothing has seen nothing */
    judged(0, 0, 0, BELIEVED);
    judged(UINT32_MAX / 2, 1, 1, IMPOSSIBLE);
    judged(UINT32_MAX, 1, UINT32_MAX, BELIEVED); /* just before */
}

static void rewinds_at_most(uint32_t rewind_ms)
{
    struct fray_history history = fray_history_create(sizeof(uint32_t), HZ, rewind_ms);
    assert_int_equal(fray_history_clamp(&history, 5 * PARTS), 0);
    for (uint32_t tick = 1; tick <= 3; tick++)
        fray_history_push(&history, tick, &tick);
    uint32_t first = of_ms(rewind_ms) < 2 * PARTS ? 3 * PARTS - of_ms(rewind_ms) : PARTS;
    assert_int_equal(fray_history_clamp(&history, 1), first);
    assert_int_equal(fray_history_clamp(&history, 3 * PARTS), 0);
    for (uint32_t tick = 4; tick <= 500; tick++)
        fray_history_push(&history, tick, &tick);
    uint32_t oldest = 500 * PARTS - of_ms(rewind_ms);
    assert_int_equal(fray_history_clamp(&history, 17), oldest);
    assert_int_equal(fray_history_clamp(&history, oldest - 1), oldest);
    assert_int_equal(fray_history_clamp(&history, oldest + 1), oldest + 1);
    assert_int_equal(fray_history_clamp(&history, 0), 0);
    assert_int_equal(fray_history_clamp(&history, 501 * PARTS), 0);
    assert_int_equal(fray_history_clamp(&history, UINT32_MAX), oldest); /* long ago */
    for (uint32_t view = oldest; view < 500 * PARTS; view += 100) {
        struct fray_game_past past = fray_history_past(&history, view);
        assert_int_equal(*(const uint32_t *)past.older, view / PARTS);
        assert_int_equal(*(const uint32_t *)past.newer, view / PARTS + 1);
        assert_int_equal(past.fraction, view % PARTS);
    }
    fray_history_clear(&history);
    assert_int_equal(fray_history_clamp(&history, 499 * PARTS), 0);
    fray_history_deinit(&history);
}

static void rewinds_as_far_as_it_was_told_and_into_what_is_kept(void **state)
{
    (void)state;
    rewinds_at_most(250);
    rewinds_at_most(20);
    rewinds_at_most(FRAY_HISTORY_MAX_MS);
}

/* After days at 60 Hz. */
static void views_wrap(void **state)
{
    (void)state;
    const uint32_t wrap = (uint32_t)1 << 24;
    struct fray_history history = fray_history_create(sizeof(uint32_t), HZ, 250);
    for (uint32_t tick = wrap - 100; tick < wrap + 100; tick++) {
        fray_history_push(&history, tick, &tick);
        if (tick < wrap - 50)
            continue;
        for (uint32_t back = 1; back <= 300 * 60 * PARTS / 1000; back += 37) {
            uint32_t most = back < of_ms(250) ? back : of_ms(250);
            uint32_t view = fray_history_clamp(&history, tick * PARTS - back);
            uint64_t at = (uint64_t)tick * PARTS - most;
            if (at % ((uint64_t)wrap * PARTS) == 0)
                continue;
            assert_int_equal(view, (uint32_t)at);
            struct fray_game_past past = fray_history_past(&history, view);
            assert_int_equal(*(const uint32_t *)past.older, at / PARTS);
            assert_int_equal(*(const uint32_t *)past.newer, at / PARTS + 1);
        }
    }
    fray_history_deinit(&history);
}

static void rewinds_nothing_where_that_is_off(void **state)
{
    (void)state;
    struct fray_history history = fray_history_create(sizeof(uint32_t), HZ, 0);
    for (uint32_t tick = 1; tick <= 100; tick++)
        fray_history_push(&history, tick, &tick);
    for (uint32_t view = 0; view <= 101 * PARTS; view++)
        assert_int_equal(fray_history_clamp(&history, view), 0);
    fray_history_deinit(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_is_believed_near_what_was_measured),
        cmocka_unit_test(rewinds_as_far_as_it_was_told_and_into_what_is_kept),
        cmocka_unit_test(views_wrap),
        cmocka_unit_test(rewinds_nothing_where_that_is_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
