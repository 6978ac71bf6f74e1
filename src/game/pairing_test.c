/* Quick play's way to the start: listening, found, agreed, started, and back. */
#include "game/pairing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fray/games.h"
#include "game/match.h"
#include "game/ticks.h"

enum { MS = 1000, SECOND = 1000 * MS, WAIT_MS = 8000, T0 = 5 * SECOND };

static const struct fray_match_person ann = {.id = "ann-id", .name = "Ann"},
                                      bob = {.id = "bob-id", .name = "Bob"},
                                      cid = {.id = "cid-id", .name = "Cid"};
static const uint8_t token[FRAY_TOKEN_RANDOM];

static struct fray_match *listen(const struct fray_game *game, uint16_t phase)
{
    struct fray_match_config config = {.game = game,
                                       .id = "k7m2p9xwq4",
                                       .phase = phase,
                                       .times = {.hold_ms = 60000, .stand_in_ms = 10000}};
    struct fray_match *match = fray_match_create(&config, 7, T0);
    uint32_t seat;
    fray_pairing_begin(match, T0);
    assert_null(fray_match_sit(match, &ann, token, T0, &seat));
    fray_pairing_wait(match, seat, WAIT_MS, T0);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_LISTENING);
    assert_false(match->is_begun);
    return match;
}

static void sit(struct fray_match *match, const struct fray_match_person *person, uint64_t now_us)
{
    uint32_t seat;
    assert_null(fray_match_sit(match, person, token, now_us, &seat));
    assert_int_equal(seat, 1);
}

/* Advances to each time that something is due, up to `until_us`. */
static void advance(struct fray_match *match, uint64_t until_us)
{
    uint64_t due_us;
    while ((due_us = fray_match_due(match)) <= until_us) {
        fray_match_advance(match, due_us);
        for (uint32_t i = 0; match->has_condemned && i < match->config.game->seats_max; i++) {
            enum fray_match_out reason = match->seats[i].condemned;
            match->seats[i].condemned = FRAY_OUT_NONE;
            if (reason)
                fray_match_put_out(match, i, reason, due_us);
        }
        match->has_condemned = false;
        fray_match_sent(match);
    }
}

/* Both have acknowledged: the agreement is at `now_us`. */
static void agree(struct fray_match *match, uint64_t now_us)
{
    sit(match, &bob, now_us);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_FOUND);
    fray_pairing_measured(match, 0, 20 * MS, now_us);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_FOUND);
    fray_pairing_measured(match, 1, 80 * MS, now_us);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_AGREED);
}

static void expect_listening(const struct fray_match *match, enum fray_match_out reason)
{
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_LISTENING);
    assert_int_equal(match->pairing.reason, reason);
    assert_false(match->is_begun);
    assert_int_equal(fray_match_players(match), 1);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_WAITING);
}

/* ------------------------------------------------------------------ */

static void A21_A35_a_bot_comes_after_the_wait(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_tictactoe, 0);
    assert_int_equal(fray_match_due(match), T0 + WAIT_MS * MS);
    fray_match_advance(match, T0 + WAIT_MS * MS - 1);
    assert_int_equal(fray_match_players(match), 1);
    fray_match_advance(match, T0 + WAIT_MS * MS);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_SETTLED);
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    json_t *step = fray_pairing_json(match, 0, T0 + WAIT_MS * MS);
    assert_string_equal(json_string_value(json_object_get(step, "phase")), "started");
    assert_true(json_is_true(json_object_get(step, "bot")));
    json_decref(step);
    assert_string_equal(fray_match_may_enter(match, &bob, false), "match_full");
    fray_match_destroy(match);
}

static void no_bot_comes_where_nobody_listens_any_more(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 0);
    assert_true(fray_pairing_is_listening(match));
    fray_match_put_out(match, 0, FRAY_OUT_LEFT, T0);
    assert_false(fray_pairing_is_listening(match));
    assert_true(fray_pairing_due(match) > T0 + WAIT_MS * MS);
    fray_pairing_advance(match, T0 + WAIT_MS * MS);
    assert_int_equal(fray_match_players(match), 0);
    fray_match_destroy(match);
}

static void A15_the_start_is_later_by_three_of_the_worst_round_trips(void **state)
{
    (void)state;
    static const struct {
        uint32_t ann_ms, bob_ms, start_ms;
    } cases[] = {{1, 2, 1500}, {100, 500, 1500}, {600, 20, 1800}, {5000, 5000, 3000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_match *match = listen(&fray_tictactoe, 0);
        sit(match, &bob, T0);
        fray_pairing_measured(match, 1, cases[i].bob_ms * MS, T0);
        fray_pairing_measured(match, 0, cases[i].ann_ms * MS, T0);
        uint64_t delay_us = match->pairing.start_us - T0;
        assert_in_range(delay_us, cases[i].start_ms * MS, cases[i].start_ms * MS + 3);
        advance(match, match->pairing.start_us - 1);
        assert_false(match->is_begun);
        advance(match, match->pairing.start_us);
        assert_true(match->is_begun);
        fray_match_destroy(match);
    }
}

static void who_does_not_acknowledge_counts_as_100_ms(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_tictactoe, 0);
    sit(match, &bob, T0);
    fray_pairing_measured(match, 0, 10 * MS, T0);
    advance(match, T0 + FRAY_PAIRING_RTT_WAIT_MS * MS);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_AGREED);
    assert_int_equal(match->pairing.rtt_us, 100 * MS);
    fray_match_destroy(match);
}

/* What a client takes for the time of tick 0, by one PING that took `there_us` and `back_us`. */
static double tick_0_of(const struct fray_match *match, uint64_t sent_us, uint64_t there_us,
                        uint64_t back_us)
{
    uint16_t phase;
    int32_t tick = fray_ticks_now(match, sent_us + there_us, &phase);
    double rtt_us = (double)(there_us + back_us), hz = match->config.game->tick_hz;
    return (double)sent_us + rtt_us / 2 - (tick + phase / 65536.0) * 1e6 / hz;
}

/* Each by its own pings, with other latencies, before the start and after. */
static void A16_first_ticks_differ_by_one_at_most(void **state)
{
    (void)state;
    static const uint64_t sent_ms[] = {0, 100, 731, 1490, 1600, 2900};
    for (uint32_t phase = 0; phase < 65536; phase += 9999) {
        struct fray_match *match = listen(&fray_duel, (uint16_t)phase);
        agree(match, T0 + SECOND);
        uint64_t start_us = match->pairing.start_us;
        for (size_t i = 0; i < sizeof sent_ms / sizeof *sent_ms; i++) {
            uint64_t sent_us = T0 + SECOND + sent_ms[i] * MS;
            advance(match, sent_us + 4 * MS);
            double ann_us = tick_0_of(match, sent_us, 4 * MS, 6 * MS);
            advance(match, sent_us + 95 * MS);
            double bob_us = tick_0_of(match, sent_us, 95 * MS, 85 * MS);
            double apart_us = ann_us > bob_us ? ann_us - bob_us : bob_us - ann_us;
            assert_true(apart_us <= 1e6 / 60);
            assert_true(ann_us - (double)start_us <= 5 * MS + 1);
        }
        fray_match_destroy(match);
    }
}

/* Tick 0 lasts until one tick after the start, to the microsecond. */
static void nothing_steps_before_the_agreed_time(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 30000);
    agree(match, T0);
    uint64_t start_us = match->pairing.start_us;
    assert_in_range(start_us - T0, 1500 * MS, 1517 * MS);
    uint16_t phase;
    assert_int_equal(fray_ticks_now(match, start_us - SECOND, &phase), -60);
    assert_int_equal(phase, 0);
    assert_int_equal(fray_ticks_now(match, start_us - SECOND / 120, &phase), -1);
    assert_in_range(phase, 32768 - 8, 32768 + 8);
    advance(match, start_us);
    assert_true(match->is_begun);
    assert_int_equal(match->steps, 0);
    assert_int_equal(fray_ticks_now(match, start_us, &phase), 0);
    assert_int_equal(fray_match_due(match), start_us + SECOND / 60);
    advance(match, start_us + SECOND);
    assert_int_equal(match->steps, 60);
    fray_match_destroy(match);
}

static void A17_a_no_show_returns_the_other_to_listening(void **state)
{
    (void)state;
    const struct fray_game *const games[] = {&fray_tictactoe, &fray_duel};
    for (size_t i = 0; i < 2; i++) {
        struct fray_match *match = listen(games[i], 0);
        agree(match, T0);
        fray_pairing_shown(match, 0);
        uint64_t deadline_us = match->pairing.start_us + FRAY_PAIRING_GRACE_MS * MS;
        advance(match, deadline_us - 1);
        assert_true(match->is_begun);
        advance(match, deadline_us + SECOND / 60);
        expect_listening(match, FRAY_OUT_NO_SHOW);
        assert_string_equal(match->seats[0].id, "ann-id");
        assert_true(match->pairing.is_changed);

        agree(match, deadline_us + SECOND); /* again, and all goes well */
        fray_pairing_shown(match, 0);
        fray_pairing_shown(match, 1);
        advance(match, deadline_us + 9 * SECOND);
        assert_int_equal(match->pairing.phase, FRAY_PAIRING_SETTLED);
        assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
        fray_match_destroy(match);
    }
}

static void A17_who_is_lost_before_the_start_is_out_at_once(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 0);
    agree(match, T0);
    fray_pairing_shown(match, 0);
    fray_pairing_shown(match, 1);
    fray_match_drop(match, 1, T0 + SECOND);
    expect_listening(match, FRAY_OUT_LOST);
    assert_int_equal(fray_match_due(match), T0 + WAIT_MS * MS); /* as it wanted at first */
    agree(match, T0 + 2 * SECOND);
    fray_match_drop(match, 0, T0 + 2 * SECOND + 1);
    expect_listening(match, FRAY_OUT_LOST);
    assert_string_equal(match->seats[1].id, "bob-id");
    fray_match_drop(match, 1, T0 + 3 * SECOND);
    assert_int_equal(fray_match_host(match), FRAY_GAME_NOBODY); /* who is lost listening is out */
    fray_match_destroy(match);
}

/* Everybody waits for as long as it wants itself, and hardly longer where another did not show. */
static void who_comes_when_a_start_is_agreed_on_is_told_and_awaited(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_rps, 0);
    uint32_t seat;
    agree(match, T0);
    match->pairing.is_changed = false;
    assert_null(fray_match_sit(match, &cid, token, T0, &seat));
    assert_true(match->pairing.is_changed);
    for (uint32_t i = 0; i < 2; i++)
        fray_match_heard(match, i, T0);
    advance(match, match->pairing.start_us + FRAY_PAIRING_GRACE_MS * MS);
    assert_false(match->seats[seat].is_taken); /* it did not show itself */
    assert_int_equal(fray_match_players(match), 2);
    fray_match_destroy(match);
}

static void nobody_listens_for_bots_alone(void **state)
{
    (void)state;
    for (int phase = FRAY_PAIRING_LISTENING; phase <= FRAY_PAIRING_STARTED; phase++) {
        struct fray_match *match = listen(&fray_rps, 0);
        uint32_t seat;
        if (phase > FRAY_PAIRING_LISTENING)
            sit(match, &bob, T0);
        if (phase > FRAY_PAIRING_FOUND)
            advance(match, fray_match_due(match));
        if (phase > FRAY_PAIRING_AGREED)
            fray_match_advance(match, fray_match_due(match));
        assert_int_equal(match->pairing.phase, phase);
        assert_null(fray_match_add_bot(match, 0, FRAY_MATCH_NO_BOT, T0, &seat));
        for (uint32_t i = 0; i < 2; i++)
            fray_match_put_out(match, i, FRAY_OUT_LEFT, T0);
        assert_int_equal(fray_match_persons(match), 0);
        fray_match_destroy(match);
    }
}

static void A21_the_wait_is_ones_own(void **state)
{
    (void)state;
    static const struct {
        uint32_t bob_wait_ms, gone_ms, bot_ms;
    } cases[] = {{60000, 2000, 61000}, {0, 2000, 2000}, {2500, 3000, 5000}, {500, 3000, 3500}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fray_match *match = listen(&fray_duel, 0);
        sit(match, &bob, T0 + SECOND);
        fray_pairing_wait(match, 1, cases[i].bob_wait_ms, T0 + SECOND);
        uint64_t gone_us = T0 + cases[i].gone_ms * MS;
        fray_match_put_out(match, 0, FRAY_OUT_LEFT, gone_us);
        expect_listening(match, FRAY_OUT_LEFT);
        assert_int_equal(fray_match_due(match), T0 + cases[i].bot_ms * MS);
        json_t *step = fray_pairing_json(match, 1, gone_us);
        assert_int_equal(json_integer_value(json_object_get(step, "wait_ms")),
                         cases[i].bob_wait_ms);
        assert_int_equal(json_integer_value(json_object_get(step, "elapsed_ms")),
                         cases[i].gone_ms - 1000);
        json_decref(step);
        fray_match_move_seat(match, 1, 0, token, gone_us);
        assert_string_equal(match->seats[0].id, "bob-id");
        assert_int_equal(fray_match_host(match), 0);
        fray_match_destroy(match);
    }
}

static void A18_the_other_is_told_why(void **state)
{
    (void)state;
    static const enum fray_match_out reasons[] = {FRAY_OUT_LEFT, FRAY_OUT_ERROR, FRAY_OUT_CHEATING,
                                                  FRAY_OUT_KICKED};
    static const char *const texts[] = {"left", "error", "cheating", "kicked"};
    for (size_t i = 0; i < 4; i++) {
        struct fray_match *match = listen(&fray_duel, 0);
        agree(match, T0);
        advance(match, match->pairing.start_us + SECOND / 2);
        assert_true(match->is_begun);
        fray_match_put_out(match, 1, reasons[i], T0 + 2 * SECOND);
        expect_listening(match, reasons[i]);
        json_t *step = fray_pairing_json(match, 1, T0 + 3 * SECOND);
        assert_string_equal(json_string_value(json_object_get(step, "reason")), texts[i]);
        assert_int_equal(json_integer_value(json_object_get(step, "elapsed_ms")), 3000);
        json_decref(step);
        fray_match_destroy(match);
    }
}

static void once_settled_the_seat_of_who_is_lost_is_kept(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 0);
    agree(match, T0);
    fray_pairing_shown(match, 1);
    advance(match, match->pairing.start_us);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_STARTED);
    fray_pairing_shown(match, 0);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_SETTLED);
    fray_match_drop(match, 1, match->pairing.start_us + 1);
    assert_true(match->seats[1].is_taken);
    assert_true(match->is_begun);
    fray_match_destroy(match);
}

static void enough_are_left_without_the_no_show(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_rps, 0);
    sit(match, &bob, T0);
    uint32_t seat;
    assert_null(fray_match_sit(match, &cid, token, T0, &seat));
    advance(match, T0 + FRAY_PAIRING_RTT_WAIT_MS * MS);
    fray_pairing_shown(match, 0);
    fray_pairing_shown(match, 2);
    advance(match, match->pairing.start_us + FRAY_PAIRING_GRACE_MS * MS);
    assert_int_equal(match->pairing.phase, FRAY_PAIRING_SETTLED);
    assert_false(match->seats[1].is_taken);
    assert_true(match->is_begun);
    assert_int_equal(fray_match_players(match), 2);
    fray_match_destroy(match);
}

static void A22_errors_at_the_threshold_bring_a_bot(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 0);
    agree(match, T0);
    fray_pairing_shown(match, 0);
    fray_pairing_shown(match, 1);
    uint64_t now_us = match->pairing.start_us + SECOND;
    advance(match, now_us);
    for (int i = 0; i < 4; i++)
        fray_match_err(match, 1, now_us);
    assert_false(match->has_condemned);
    fray_match_err(match, 1, now_us);
    assert_int_equal(match->seats[1].condemned, FRAY_OUT_ERROR);
    advance(match, now_us + SECOND);
    assert_int_equal(match->seats[1].bot, fray_match_stand_in_level(&fray_duel));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    assert_int_equal(match->steps, 120);
    fray_match_destroy(match);
}

static void A23_an_error_now_and_then_is_harmless(void **state)
{
    (void)state;
    struct fray_match *match = listen(&fray_duel, 0);
    agree(match, T0);
    fray_match_err(match, 1, T0);
    for (uint64_t i = 1; i < 100; i++)
        fray_match_err(match, 1, T0 + i * 10 * SECOND);
    assert_false(match->has_condemned);
    fray_match_destroy(match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A21_A35_a_bot_comes_after_the_wait),
        cmocka_unit_test(no_bot_comes_where_nobody_listens_any_more),
        cmocka_unit_test(A15_the_start_is_later_by_three_of_the_worst_round_trips),
        cmocka_unit_test(who_does_not_acknowledge_counts_as_100_ms),
        cmocka_unit_test(A16_first_ticks_differ_by_one_at_most),
        cmocka_unit_test(nothing_steps_before_the_agreed_time),
        cmocka_unit_test(A17_a_no_show_returns_the_other_to_listening),
        cmocka_unit_test(A17_who_is_lost_before_the_start_is_out_at_once),
        cmocka_unit_test(who_comes_when_a_start_is_agreed_on_is_told_and_awaited),
        cmocka_unit_test(nobody_listens_for_bots_alone),
        cmocka_unit_test(A21_the_wait_is_ones_own),
        cmocka_unit_test(A18_the_other_is_told_why),
        cmocka_unit_test(once_settled_the_seat_of_who_is_lost_is_kept),
        cmocka_unit_test(enough_are_left_without_the_no_show),
        cmocka_unit_test(A22_errors_at_the_threshold_bring_a_bot),
        cmocka_unit_test(A23_an_error_now_and_then_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
