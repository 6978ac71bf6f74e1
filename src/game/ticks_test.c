/* Matches of ticked games with fake time: who is stepped with what, what it costs, who cheats. */
#include "base/mem_counted.h"
#include "game/ticks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fray/games.h"

enum { SECOND = 1000000, WALK = 3 * 256 /* a duellist's way in one tick */ };

static struct fray_match *open_match(const struct fray_game *game, uint8_t fighters)
{
    struct fray_match_config config = {
        .game = game,
        .id = "m",
        .fighters = fighters,
        .times = {.hold_ms = 60000, .stand_in_ms = 10000, .think_ms = 400, .rewind_ms = 250},
    };
    return fray_match_create(&config, 7, SECOND);
}

static uint32_t sit(struct fray_match *match, const char *name, uint64_t now_us)
{
    static uint8_t random[FRAY_TOKEN_RANDOM];
    uint32_t seat;
    random[0]++;
    assert_null(fray_match_sit(match, &(struct fray_match_person){.id = name, .name = name}, random,
                               now_us, &seat));
    return seat;
}

/* Every tick as it falls due. */
static uint64_t run(struct fray_match *match, uint64_t until_us)
{
    uint64_t due_us;
    while ((due_us = fray_match_due(match)) <= until_us) {
        fray_match_advance(match, due_us);
        fray_match_sent(match);
    }
    return until_us;
}

static struct fray_match *open_duel(uint64_t now_us)
{
    struct fray_match *match = open_match(&fray_duel, 0);
    sit(match, "Ann", now_us);
    sit(match, "Bob", now_us);
    assert_true(match->is_begun);
    return match;
}

/* Of a duellist, 1/256 px. */
static int32_t x_of(const struct fray_match *match, uint32_t seat)
{
    const struct fray_game_table *players = &fray_duel.tables[1];
    int32_t x;
    memcpy(&x, match->state + players->offset + seat * players->stride + players->x - 1, sizeof x);
    return x;
}

static void put(struct fray_match *match, uint32_t seat, uint32_t tick, int8_t walk,
                uint64_t now_us)
{
    int32_t input[8] = {0};
    const struct fray_game_field *field = fray_duel.input->fields;
    while (strcmp(field->name, "walk") != 0)
        field++;
    memcpy((char *)input + field->offset, &walk, sizeof walk);
    fray_match_heard(match, seat, now_us);
    fray_ticks_put(match, seat,
                   &(struct fray_ticks_inputs){.first_tick = tick, .count = 1, .inputs = input},
                   now_us);
}

static void steps_at_its_rate_and_hashes_every_second(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 11 * SECOND);
    assert_in_range(match->steps, 600, 601);
    assert_int_equal(match->ticks->hash_tick, 600);
    assert_int_equal(match->ticks->clock.dropped, 0);
    fray_match_destroy(match);
}

static void a_stall_is_caught_up_with_by_five_ticks(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 2 * SECOND);
    uint32_t before = match->steps;
    fray_match_advance(match, 3 * SECOND);
    assert_int_equal(match->steps, before + 5);
    assert_in_range(match->ticks->clock.dropped, 54, 56);
    fray_match_destroy(match);
}

static void held_keys_go_into_every_tick(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 3 * SECOND); /* the countdown is over */
    int32_t x = x_of(match, 0);
    json_t *right = json_pack("{s:i}", "walk", 1);
    assert_null(fray_match_act(match, 0, "input", right, 3 * SECOND));
    json_decref(right);
    uint32_t before = match->steps;
    run(match, 3 * SECOND + SECOND / 4);
    assert_int_equal(x_of(match, 0), x + (int32_t)(match->steps - before) * WALK);
    fray_match_drop(match, 0, 3 * SECOND + SECOND / 4);
    x = x_of(match, 0);
    run(match, 4 * SECOND);
    assert_in_range(x_of(match, 0), x, x + 60 * WALK);
    fray_match_destroy(match);
}

static void queued_inputs_are_used_in_their_ticks(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 3 * SECOND);
    fray_ticks_seat_packets(match, 1);
    int32_t x = x_of(match, 1);
    uint32_t now = match->steps;
    put(match, 1, now + 3, -1, 3 * SECOND);
    put(match, 1, now + 4, -1, 3 * SECOND);
    put(match, 1, now, -1, 3 * SECOND);
    put(match, 1, now + 40, -1, 3 * SECOND);
    for (uint32_t tick = now + 1; tick <= now + 4; tick++) {
        fray_match_advance(match, fray_match_due(match));
        assert_int_equal(match->steps, tick);
        int32_t moved = tick < now + 3 ? 0 : (int32_t)(tick - now - 2) * WALK;
        assert_int_equal(x_of(match, 1), x - moved);
    }
    assert_int_equal(match->ticks->counts.taken, 2);
    assert_int_equal(match->ticks->counts.late, 1);
    assert_int_equal(match->ticks->counts.early, 1);
    assert_false(match->has_condemned);
    fray_match_destroy(match);
}

/* Sixty a second, each for a tick that is too far away: a clock that runs fast. */
static bool is_put_out_for_a_fast_clock(struct fray_match *match, uint64_t now_us)
{
    for (int i = 0; i < 300 && !match->has_condemned; i++, now_us += SECOND / 60) {
        run(match, now_us);
        put(match, 1, match->steps + 100, 0, now_us);
    }
    return match->seats[1].condemned == FRAY_OUT_CHEATING;
}

static void a_fast_clock_is_an_offence_unless_time_stood_still(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 10 * SECOND);
    fray_ticks_seat_packets(match, 1);
    fray_match_advance(match, 12 * SECOND); /* a stall: most of it is dropped */
    for (uint64_t now_us = 12 * SECOND; now_us < 30 * SECOND; now_us += SECOND / 60) {
        run(match, now_us);
        put(match, 1, match->steps + 100, 0, now_us); /* as long as it has not noticed */
    }
    assert_false(match->has_condemned);
    put(match, 1, match->steps + 2, 0, 30 * SECOND); /* now it has */
    assert_true(is_put_out_for_a_fast_clock(match, 30 * SECOND));
    fray_match_put_out(match, 1, FRAY_OUT_CHEATING, 35 * SECOND);
    assert_int_equal(match->seats[1].bot, fray_match_stand_in_level(&fray_duel));
    assert_int_equal(fray_match_phase(match), FRAY_MATCH_PLAYING);
    uint32_t seat;
    assert_string_equal(fray_match_sit(match, &(struct fray_match_person){"Bob", "Bob", NULL, 0},
                                       (const uint8_t[FRAY_TOKEN_RANDOM]){9}, 35 * SECOND, &seat),
                        "kicked");
    fray_match_destroy(match);
}

static void who_never_finds_the_time_is_out_some_day(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    fray_ticks_seat_packets(match, 1);
    run(match, 32 * SECOND);
    assert_true(is_put_out_for_a_fast_clock(match, 32 * SECOND));
    fray_match_destroy(match);
}

/* ------------------------------------------------------------------ lag compensation */

/* What the rules were answered: match->ticks keeps it until the next step. */
static uint32_t view_of_attack(struct fray_match *match, uint32_t claimed, uint32_t measured,
                               uint32_t number, uint32_t count)
{
    const struct fray_game_field *field = fray_arena.input->fields;
    char inputs[8 * 32] = {0};
    uint32_t first = match->steps + 1;

    while (strcmp(field->name, "attack") != 0)
        field++;
    inputs[number * fray_arena.input_size + field->offset] = 1;
    fray_ticks_put(match, 1,
                   &(struct fray_ticks_inputs){.first_tick = first,
                                               .count = count,
                                               .inputs = inputs,
                                               .claimed = claimed,
                                               .measured = measured},
                   SECOND);
    for (uint32_t i = 0; i <= number; i++)
        fray_match_advance(match, fray_match_due(match));
    uint32_t view = match->ticks->rewinds_count ? match->ticks->rewinds[0].view : 0;
    assert_true(!view || match->ticks->rewinds[0].seat == 1);
    for (uint32_t i = 0; i < 30; i++) /* it may attack again */
        fray_match_advance(match, fray_match_due(match));
    return view;
}

static void an_attack_is_judged_by_what_was_looked_at(void **state)
{
    (void)state;
    enum { TICK = 256, MOST = 250 * 30 * TICK / 1000 };
    struct fray_match *match = open_match(&fray_arena, 0);
    sit(match, "Ann", SECOND);
    sit(match, "Bob", SECOND);
    fray_ticks_seat_packets(match, 1);
    run(match, 3 * SECOND);
    uint32_t seen = (match->steps - 4) * TICK + 100;
    assert_int_equal(view_of_attack(match, seen, seen, 0, 1), seen);
    seen = (match->steps - 4) * TICK + 100;
    assert_int_equal(view_of_attack(match, seen, seen + TICK, 0, 1), seen);
    assert_int_equal(match->ticks->counts.views_refused, 0);
    seen = (match->steps - 3) * TICK + 7; /* what cannot be so is replaced by what was measured */
    assert_int_equal(view_of_attack(match, seen - 8 * TICK, seen, 0, 1), seen);
    assert_int_equal(match->ticks->counts.views_refused, 1);
    seen = match->steps * TICK; /* nor does anybody look back further than is allowed */
    assert_int_equal(view_of_attack(match, seen - 3 * MOST, seen - 3 * MOST, 0, 1), seen - MOST);
    seen = (match->steps - 3) * TICK + 7; /* of the last input: those before it saw less */
    assert_int_equal(view_of_attack(match, seen, seen, 1, 3), seen - TICK);
    assert_int_equal(view_of_attack(match, 0, 0, 0, 1), 0); /* the present */
    seen = (match->steps - 4) * TICK; /* and who has got nothing yet has seen nothing */
    assert_int_equal(view_of_attack(match, seen, 0, 0, 1), 0);
    assert_int_equal(match->ticks->counts.views_refused, 2);
    fray_match_destroy(match);
}

/* As rules with pellets do, that ask for each of them. */
static void step_of_pellets(void *state, const struct fray_game_step *step)
{
    struct fray_game_past past;
    fray_arena.step(state, step);
    for (int i = 0; i < 500; i++)
        (void)step->rewind(step->host, 1, &past);
}

static void a_view_is_recorded_once_however_often_it_is_asked_for(void **state)
{
    (void)state;
    struct fray_game pellets = fray_arena;
    pellets.step = step_of_pellets;
    struct fray_match *match = open_match(&pellets, 0);
    sit(match, "Ann", SECOND);
    sit(match, "Bob", SECOND);
    fray_ticks_seat_packets(match, 1);
    run(match, 3 * SECOND);
    uint32_t seen = (match->steps - 4) * 256;
    char input[32] = {0};
    fray_ticks_put(match, 1,
                   &(struct fray_ticks_inputs){.first_tick = match->steps + 1,
                                               .count = 1,
                                               .inputs = input,
                                               .claimed = seen,
                                               .measured = seen},
                   3 * SECOND);
    fray_match_advance(match, fray_match_due(match));
    assert_int_equal(match->ticks->rewinds_count, 1);
    assert_int_equal(match->ticks->rewinds[0].view, seen);
    fray_match_destroy(match);
}

static void put_view(struct fray_match *match, uint32_t claimed, uint32_t measured, uint64_t now_us)
{
    int32_t input[8] = {0};
    fray_ticks_put(match, 1,
                   &(struct fray_ticks_inputs){.first_tick = match->steps + 2,
                                               .count = 1,
                                               .inputs = input,
                                               .claimed = claimed,
                                               .measured = measured},
                   now_us);
}

/* Sixty a second, for ten seconds. Within a second of what was measured it may be a bad network. */
static void who_claims_to_see_what_it_cannot_is_put_out(void **state)
{
    (void)state;
    enum { TICK = 256, FAR = 50, TOO_FAR = 70 };
    for (uint32_t ticks = FAR; ticks <= TOO_FAR; ticks += TOO_FAR - FAR) {
        struct fray_match *match = open_duel(SECOND);
        run(match, 10 * SECOND);
        fray_ticks_seat_packets(match, 1);
        for (uint64_t now_us = 10 * SECOND; now_us < 20 * SECOND; now_us += SECOND / 60) {
            run(match, now_us);
            put_view(match, (match->steps - ticks) * TICK, match->steps * TICK, now_us);
        }
        assert_int_equal(match->seats[1].condemned,
                         ticks == FAR ? FRAY_OUT_NONE : FRAY_OUT_CHEATING);
        assert_true(match->ticks->counts.views_refused > 100);
        fray_match_destroy(match);
    }
}

static void act_seen(struct fray_match *match, const json_t *seen, const char *expected,
                     uint64_t now_us)
{
    json_t *content = json_pack("{s:i, s:O}", "walk", 1, "seen", seen);
    const char *reason = fray_match_act(match, 1, "input", content, now_us);
    if (expected)
        assert_string_equal(reason, expected);
    else
        assert_null(reason);
    json_decref(content);
}

static void what_an_action_has_seen_is_looked_at(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    json_t *text = json_string("x"), *recent = json_real(170.5), *old = json_integer(5),
           *future = json_integer(1000000), *ahead = json_integer(200);
    run(match, 4 * SECOND);
    assert_in_range(match->steps, 175, 185);
    act_seen(match, text, "wrong_shape", 4 * SECOND);
    act_seen(match, recent, NULL, 4 * SECOND);
    assert_int_equal(match->ticks->seats[1].view, 170 * 256 + 128);
    assert_int_equal(match->ticks->counts.views_refused, 0);
    act_seen(match, ahead, NULL, 4 * SECOND);
    assert_int_equal(match->ticks->seats[1].view, 0);
    assert_int_equal(match->ticks->counts.views_refused, 0);
    act_seen(match, old, NULL, 4 * SECOND); /* as far back as is allowed */
    assert_int_equal(match->ticks->counts.views_refused, 1);
    for (unsigned i = 0; i < 30; i++)
        act_seen(match, future, NULL, 4 * SECOND);
    assert_int_equal(match->ticks->seats[1].view, 0);
    assert_int_equal(match->ticks->counts.views_refused, 31);
    assert_int_equal(match->ticks->seats[1].conduct.score, 30000);
    json_decref(text);
    json_decref(recent);
    json_decref(old);
    json_decref(future);
    json_decref(ahead);
    fray_match_destroy(match);
}

static void inputs_that_no_stall_explains_are_an_offence(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    run(match, 40 * SECOND);
    fray_ticks_seat_packets(match, 1);
    put(match, 1, match->steps - 15 * 60, 1, 40 * SECOND);
    assert_int_equal(match->ticks->seats[1].conduct.score, 0);
    put(match, 1, match->steps - 21 * 60, 1, 40 * SECOND);
    assert_int_equal(match->ticks->seats[1].conduct.score, 1000);
    assert_int_equal(match->ticks->counts.late, 2);
    fray_match_destroy(match);
}

static void put_rematch(struct fray_match *match, uint32_t tick)
{
    int32_t input[8] = {0};
    const struct fray_game_field *field = fray_duel.input->fields;
    while (strcmp(field->name, "rematch") != 0)
        field++;
    memset((char *)input + field->offset, 1, 1);
    fray_ticks_put(match, 1,
                   &(struct fray_ticks_inputs){.first_tick = tick, .count = 1, .inputs = input},
                   SECOND);
}

/* What is pressed once, not held. */
static void an_impulse_may_be_a_moment_late(void **state)
{
    (void)state;
    for (uint32_t late = 0; late < 5; late++) {
        struct fray_match *match = open_duel(SECOND);
        fray_ticks_seat_packets(match, 1);
        run(match, 3 * SECOND);
        put_rematch(match, match->steps - late);
        bool is_kept = false;
        for (uint32_t i = 0; i < fray_duel.input_size; i++)
            is_kept |= match->inputs[fray_duel.input_size + i];
        assert_int_equal(is_kept, late < FRAY_TICKS_LATE);
        uint32_t tick = match->steps - late;
        put(match, 1, match->steps + 1, 0, 3 * SECOND);
        fray_match_advance(match, fray_match_due(match));
        put_rematch(match, tick); /* repeated against loss */
        if (late)
            put(match, 1, match->steps + 1, 0, 3 * SECOND);
        for (uint32_t i = 0; late && i < fray_duel.input_size; i++)
            assert_int_equal(match->inputs[fray_duel.input_size + i], 0);
        run(match, 4 * SECOND);
        for (uint32_t i = 0; i < fray_duel.input_size; i++)
            assert_int_equal(match->inputs[fray_duel.input_size + i], 0); /* used, once */
        fray_match_destroy(match);
    }
}

static void a_bot_stands_in_and_gives_back(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    char token[FRAY_TOKEN_LEN + 1];
    memcpy(token, match->seats[1].token, sizeof token);
    run(match, 5 * SECOND);
    fray_match_drop(match, 1, 5 * SECOND);
    run(match, 14 * SECOND);
    assert_false(match->seats[1].has_stand_in);
    run(match, 16 * SECOND);
    assert_true(match->seats[1].has_stand_in);
    uint32_t seat;
    assert_null(fray_match_return(match, token, 0, &seat));
    assert_int_equal(seat, 1);
    assert_false(match->seats[1].has_stand_in);
    fray_match_drop(match, 1, 16 * SECOND);
    run(match, 77 * SECOND);
    assert_false(match->seats[1].is_taken);
    fray_match_destroy(match);
}

/* A connection that nobody closes though nothing comes. */
static void who_is_silent_is_away_and_comes_back_by_a_word(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    fray_ticks_seat_packets(match, 0);
    for (uint64_t now_us = SECOND; now_us < 5 * SECOND; now_us += SECOND / 5) {
        fray_match_heard(match, 0, now_us);
        run(match, now_us);
    }
    assert_false(match->seats[0].is_silent);
    assert_false(match->seats[1].is_silent); /* by name it need say nothing */
    run(match, 8 * SECOND);
    assert_true(match->seats[0].is_silent && !match->seats[0].has_stand_in);
    json_t *roster = fray_match_json_roster(match);
    assert_false(json_is_true(
        json_object_get(json_array_get(json_object_get(roster, "seats"), 0), "connected")));
    json_decref(roster);
    run(match, 15 * SECOND);
    assert_true(match->seats[0].has_stand_in);
    fray_match_heard(match, 0, 16 * SECOND);
    assert_false(match->seats[0].is_silent || match->seats[0].has_stand_in);
    run(match, 75 * SECOND);
    assert_false(match->has_condemned);
    run(match, 76 * SECOND + SECOND / 30);
    assert_int_equal(match->seats[0].condemned, FRAY_OUT_LOST);
    fray_match_destroy(match);
}

static void bots_make_way(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_arena, 8);
    sit(match, "Ann", SECOND);
    assert_int_equal(fray_match_players(match), 8);
    uint32_t bob = sit(match, "Bob", SECOND);
    assert_int_equal(fray_match_players(match), 8);
    run(match, 3 * SECOND);
    fray_match_put_out(match, bob, FRAY_OUT_LEFT, 3 * SECOND);
    assert_int_equal(fray_match_players(match), 8);
    for (uint32_t i = 0; i < 12; i++)
        sit(match, (char[]){'P', (char)('a' + i), '\0'}, 3 * SECOND);
    assert_int_equal(fray_match_players(match), 13);
    for (uint32_t i = 0; i < fray_arena.seats_max; i++)
        assert_true(!match->seats[i].is_taken || match->seats[i].bot == FRAY_MATCH_NO_BOT);
    fray_match_destroy(match);
}

static void a_restart_begins_anew_with_the_same_players(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_arena, 4);
    sit(match, "Ann", SECOND);
    run(match, 5 * SECOND);
    fray_ticks_seat_packets(match, 0);
    match->is_anew = false;
    uint64_t hash = match->ticks->hash;
    fray_match_restart(match, 5 * SECOND);
    assert_true(match->is_anew); /* clients are welcomed again */
    assert_int_equal(match->steps, 0);
    assert_int_equal(fray_match_players(match), 4);
    run(match, 7 * SECOND);
    assert_in_range(match->steps, 60, 61);
    assert_int_equal(match->ticks->hash_tick, 60);
    assert_true(match->ticks->hash != hash);
    fray_match_destroy(match);
}

static uint32_t deaths_of_all(const struct fray_match *match)
{
    const struct fray_game_table *players = fray_game_players(&fray_arena);
    const struct fray_game_field *field = players->fields;
    uint32_t sum = 0;
    while (strcmp(field->name, "deaths") != 0)
        field++;
    for (uint32_t i = 0; i < players->rows; i++) {
        uint16_t deaths;
        memcpy(&deaths, match->state + players->offset + i * players->stride + field->offset,
               sizeof deaths);
        sum += deaths;
    }
    return sum;
}

/* What bots remember is in ticks, which begin anew. */
static void bots_fight_on_after_a_restart(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_arena, 8);
    sit(match, "Ann", SECOND);
    run(match, 301 * SECOND);
    uint32_t before = deaths_of_all(match);
    assert_true(before > 20);
    fray_match_restart(match, 301 * SECOND);
    run(match, 361 * SECOND);
    assert_true(deaths_of_all(match) > before / 10);
    fray_match_destroy(match);
}

static void a_new_connection_is_no_clean_slate(void **state)
{
    (void)state;
    struct fray_match *match = open_duel(SECOND);
    char token[FRAY_TOKEN_LEN + 1];
    uint32_t seat;
    memcpy(token, match->seats[1].token, sizeof token);
    for (int i = 0; i < 6 && !match->has_condemned; i++) {
        fray_ticks_offend(match, 1, 20, 2 * SECOND);
        fray_match_drop(match, 1, 2 * SECOND);
        assert_null(fray_match_return(match, token, 2 * SECOND, &seat));
    }
    assert_true(match->has_condemned);
    fray_match_destroy(match);
}

static size_t allocations_until(struct fray_match *match, uint64_t until_us)
{
    struct fray_buf packet = {0};
    struct fray_viewer *viewer = fray_viewer_create(
        fray_ticks_snapshots(match), 0, &(struct fray_packet_hello){1, FRAY_HELLO_STREAM, 0});
    uint64_t due_us;

    fray_buf_reserve(&packet, 65536);
    fray_ticks_seat_packets(match, 0);
    match->hosted.is_heard = false; /* as the host says when nobody takes JSON */
    size_t before = allocations;
    while ((due_us = fray_match_due(match)) <= until_us) {
        fray_match_advance(match, due_us);
        packet.len = 0;
        if (fray_viewer_is_due(viewer, match->steps)) {
            fray_snapshots_take(fray_ticks_snapshots(match), match->steps, match->state);
            fray_viewer_encode(viewer, &(struct fray_viewer_frame){0}, &packet);
            fray_viewer_sent(viewer, true);
        }
    }
    size_t made = allocations - before;
    fray_viewer_destroy(viewer);
    fray_buf_deinit(&packet);
    return made;
}

static void a_steady_tick_allocates_nothing(void **state)
{
    (void)state;
    struct fray_match *match = open_match(&fray_arena, 60);
    assert_true(allocations > 0);
    sit(match, "Ann", SECOND);
    run(match, 2 * SECOND);
    assert_int_equal(allocations_until(match, 20 * SECOND), 0);
    assert_in_range(match->steps, 565, 575);
    fray_match_destroy(match);
}

/* ------------------------------------------------------------------ mistakes of rules */

static void step_of_nonsense(void *state, const struct fray_game_step *step)
{
    fray_arena.step(state, step);
    fray_game_emit(step->events, (struct fray_game_event){.kind = 77, .to = FRAY_GAME_NOBODY});
}

static void an_event_of_no_kind_is_dropped(void **state)
{
    (void)state;
    struct fray_game nonsense = fray_arena;
    nonsense.step = step_of_nonsense;
    struct fray_match *match = open_match(&nonsense, 0);
    sit(match, "Ann", SECOND);
    run(match, 3 * SECOND);
    assert_int_equal(match->events_dropped, match->steps);
    assert_true(match->steps > 30);
    fray_match_destroy(match);
}

static void a_value_that_its_bits_cannot_hold_is_found(void **state)
{
    (void)state;
    struct fray_game_table tables[8];
    struct fray_game_field players[32];
    struct fray_game small = fray_arena;
    memcpy(tables, small.tables, small.tables_count * sizeof *tables);
    memcpy(players, tables[1].fields, tables[1].fields_count * sizeof *players);
    tables[1].fields = players;
    small.tables = tables;
    struct fray_match *match = open_match(&small, 0);
    sit(match, "Ann", SECOND);
    run(match, 3 * SECOND);
    assert_null(match->misfit.field);
    players[2].bits = 6; /* hp is 100 */
    run(match, 5 * SECOND);
    assert_string_equal(match->misfit.field->name, "hp");
    assert_int_equal(match->misfit.value, 100);
    fray_match_destroy(match);
}

static bool bot_that_walks_too_fast(const void *view, uint32_t seat, void *memory, void *input)
{
    (void)view;
    (void)memory;
    (void)seat;
    fray_game_write(fray_game_field(fray_duel.input, "walk"), input, 0, 2);
    return true;
}

static const char *check_that_refuses(const void *state, uint32_t seat, const void *input)
{
    (void)state;
    (void)seat;
    (void)input;
    return "not_now";
}

static struct fray_match *play_with_bot(const struct fray_game *game)
{
    struct fray_match *match = open_match(game, 0);
    uint32_t seat;
    sit(match, "Ann", SECOND);
    assert_null(fray_match_add_bot(match, 0, 0, SECOND, &seat));
    assert_int_equal(seat, 1);
    run(match, 3 * SECOND);
    assert_true(match->steps > 60);
    return match;
}

static void a_bot_that_gives_what_no_rules_allow_is_found(void **state)
{
    (void)state;
    struct fray_game wrong = fray_duel;
    wrong.check = check_that_refuses;
    struct fray_match *match = play_with_bot(&wrong);
    assert_null(match->bot_misfit.field); /* refused for the moment is no mistake */
    fray_match_destroy(match);
    wrong = fray_duel;
    wrong.bot = bot_that_walks_too_fast;
    match = play_with_bot(&wrong);
    assert_string_equal(match->bot_misfit.field->name, "walk");
    assert_int_equal(match->bot_misfit.value, 2);
    assert_int_equal(match->bot_misfit_seat, 1);
    fray_match_destroy(match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_at_its_rate_and_hashes_every_second),
        cmocka_unit_test(a_stall_is_caught_up_with_by_five_ticks),
        cmocka_unit_test(held_keys_go_into_every_tick),
        cmocka_unit_test(queued_inputs_are_used_in_their_ticks),
        cmocka_unit_test(a_fast_clock_is_an_offence_unless_time_stood_still),
        cmocka_unit_test(who_never_finds_the_time_is_out_some_day),
        cmocka_unit_test(an_attack_is_judged_by_what_was_looked_at),
        cmocka_unit_test(a_view_is_recorded_once_however_often_it_is_asked_for),
        cmocka_unit_test(an_impulse_may_be_a_moment_late),
        cmocka_unit_test(who_claims_to_see_what_it_cannot_is_put_out),
        cmocka_unit_test(what_an_action_has_seen_is_looked_at),
        cmocka_unit_test(inputs_that_no_stall_explains_are_an_offence),
        cmocka_unit_test(a_bot_stands_in_and_gives_back),
        cmocka_unit_test(who_is_silent_is_away_and_comes_back_by_a_word),
        cmocka_unit_test(bots_make_way),
        cmocka_unit_test(a_restart_begins_anew_with_the_same_players),
        cmocka_unit_test(bots_fight_on_after_a_restart),
        cmocka_unit_test(a_new_connection_is_no_clean_slate),
        cmocka_unit_test(a_steady_tick_allocates_nothing),
        cmocka_unit_test(an_event_of_no_kind_is_dropped),
        cmocka_unit_test(a_value_that_its_bits_cannot_hold_is_found),
        cmocka_unit_test(a_bot_that_gives_what_no_rules_allow_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
