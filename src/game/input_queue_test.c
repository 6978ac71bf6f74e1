/* Inputs that wait for their ticks: late, early, repeated, out of order. */
#include "game/input_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum fray_input_fate put(struct fray_input_queue *queue, uint32_t now, uint32_t tick)
{
    return fray_input_queue_put(queue, now, tick, tick * 10, &tick);
}

static uint32_t take(struct fray_input_queue *queue, uint32_t tick)
{
    uint32_t view = 0;
    const uint32_t *input = fray_input_queue_take(queue, tick, &view);
    if (input)
        assert_int_equal(view, tick * 10);
    return input ? *input : 0;
}

static void inputs_are_taken_in_their_ticks(void **state)
{
    (void)state;
    struct fray_input_queue *queue = fray_input_queue_create(sizeof(uint32_t));
    assert_int_equal(queue->margin, FRAY_INPUT_NO_MARGIN);
    assert_int_equal(put(queue, 100, 103), FRAY_INPUT_QUEUED);
    assert_int_equal(queue->margin, 2);
    assert_int_equal(put(queue, 100, 101), FRAY_INPUT_QUEUED); /* overtaken on its way */
    assert_int_equal(queue->newest, 103);
    assert_int_equal(queue->margin, 2);
    assert_int_equal(take(queue, 101), 101);
    assert_int_equal(take(queue, 102), 0);
    assert_int_equal(take(queue, 103), 103);
    assert_int_equal(take(queue, 104), 0);
    fray_input_queue_destroy(queue);
}

static void what_is_repeated_is_known_even_when_it_was_taken(void **state)
{
    (void)state;
    struct fray_input_queue *queue = fray_input_queue_create(sizeof(uint32_t));
    put(queue, 100, 101);
    assert_int_equal(put(queue, 100, 101), FRAY_INPUT_KNOWN);
    uint32_t forged = 7;
    assert_int_equal(fray_input_queue_put(queue, 100, 101, 0, &forged), FRAY_INPUT_KNOWN);
    assert_int_equal(take(queue, 101), 101);
    assert_int_equal(put(queue, 101, 101), FRAY_INPUT_KNOWN);
    assert_int_equal(put(queue, 101, 100), FRAY_INPUT_LATE);
    fray_input_queue_destroy(queue);
}

static void late_and_early_ones_are_refused(void **state)
{
    (void)state;
    struct fray_input_queue *queue = fray_input_queue_create(sizeof(uint32_t));
    assert_int_equal(put(queue, 100, 0), FRAY_INPUT_KNOWN); /* no step makes tick 0 */
    assert_int_equal(put(queue, 100, 98), FRAY_INPUT_LATE);
    assert_int_equal(queue->margin, -3);
    assert_int_equal(put(queue, 100, 100 + FRAY_INPUT_QUEUE_TICKS), FRAY_INPUT_QUEUED);
    assert_int_equal(put(queue, 100, 101 + FRAY_INPUT_QUEUE_TICKS), FRAY_INPUT_EARLY);
    assert_int_equal(put(queue, 100, UINT32_MAX), FRAY_INPUT_EARLY);
    assert_int_equal(queue->margin, 127);
    assert_int_equal(take(queue, UINT32_MAX), 0);
    fray_input_queue_destroy(queue);
}

/* The client hears how far ahead it is, goes back, and hears that it is right now. */
static void a_clock_that_is_put_back_is_followed(void **state)
{
    (void)state;
    struct fray_input_queue *queue = fray_input_queue_create(sizeof(uint32_t));
    put(queue, 100, 102);
    assert_int_equal(put(queue, 100, 160), FRAY_INPUT_EARLY);
    assert_int_equal(queue->margin, 59);
    assert_int_equal(put(queue, 101, 155), FRAY_INPUT_EARLY); /* overtaken */
    assert_int_equal(queue->margin, 59);
    assert_int_equal(put(queue, 102, 104), FRAY_INPUT_QUEUED);
    assert_int_equal(queue->margin, 1);
    assert_int_equal(queue->newest, 104);
    fray_input_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_taken_in_their_ticks),
        cmocka_unit_test(what_is_repeated_is_known_even_when_it_was_taken),
        cmocka_unit_test(late_and_early_ones_are_refused),
        cmocka_unit_test(a_clock_that_is_put_back_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
