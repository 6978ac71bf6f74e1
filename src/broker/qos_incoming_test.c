#include "broker/qos_incoming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_message_is_passed_on_once(void **unused)
{
    (void)unused;
    struct fray_qos_incoming in = {0};
    assert_int_equal(fray_qos_incoming_publish(&in, 7, 10), FRAY_OK);
    assert_int_equal(fray_qos_incoming_publish(&in, 7, 10), FRAY_ERR_EXISTS);
    assert_int_equal(fray_qos_incoming_release(&in, 8), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_qos_incoming_release(&in, 0), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_qos_incoming_release(&in, 7), FRAY_OK);
    assert_null(in.ids);
    assert_int_equal(fray_qos_incoming_release(&in, 7), FRAY_ERR_NOT_FOUND);
    assert_int_equal(fray_qos_incoming_publish(&in, 7, 10), FRAY_OK);
    fray_qos_incoming_deinit(&in);
}

/* [MQTT-3.3.4-8]; one that is open already is no excess. */
static void the_receive_maximum_bounds_what_is_open(void **unused)
{
    (void)unused;
    struct fray_qos_incoming in = {0};
    for (uint16_t id = 1; id <= 20; id++)
        assert_int_equal(fray_qos_incoming_publish(&in, id, 20), FRAY_OK);
    assert_int_equal(fray_qos_incoming_publish(&in, 21, 20), FRAY_ERR_LIMIT);
    assert_int_equal(fray_qos_incoming_publish(&in, 20, 20), FRAY_ERR_EXISTS);
    assert_int_equal(fray_qos_incoming_release(&in, 3), FRAY_OK);
    assert_int_equal(fray_qos_incoming_publish(&in, 21, 20), FRAY_OK);
    fray_qos_incoming_deinit(&in);
}

static void every_packet_id_can_be_open(void **unused)
{
    (void)unused;
    struct fray_qos_incoming in = {0};
    for (uint32_t id = 1; id <= 65535; id++)
        assert_int_equal(fray_qos_incoming_publish(&in, (uint16_t)id, 65535), FRAY_OK);
    for (uint32_t id = 65535; id >= 1; id--)
        assert_int_equal(fray_qos_incoming_release(&in, (uint16_t)id), FRAY_OK);
    assert_null(in.ids);
}

/* Ids that collide in a small table: what is removed must not hide the others. */
static void random_ids_agree_with_a_plain_set(void **unused)
{
    (void)unused;
    struct fray_qos_incoming in = {0};
    bool *open = calloc(65536, sizeof *open);
    uint32_t random = 1, count = 0;
    for (unsigned step = 0; step < 200000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t r = random >> 16 & 0x7F;
        uint16_t id = (uint16_t)(r % 16 * 256 + r / 16 + 252); /* eight homes, side by side */
        if (random >> 31) {
            enum fray_err err = fray_qos_incoming_publish(&in, id, 40);
            enum fray_err expected = open[id]      ? FRAY_ERR_EXISTS
                                     : count >= 40 ? FRAY_ERR_LIMIT
                                                   : FRAY_OK;
            assert_int_equal(err, expected);
            count += err == FRAY_OK;
            open[id] |= err == FRAY_OK;
        } else {
            enum fray_err err = fray_qos_incoming_release(&in, id);
            assert_int_equal(err, open[id] ? FRAY_OK : FRAY_ERR_NOT_FOUND);
            count -= open[id];
            open[id] = false;
        }
        assert_int_equal(in.count, count);
    }
    fray_qos_incoming_deinit(&in);
    free(open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_passed_on_once),
        cmocka_unit_test(the_receive_maximum_bounds_what_is_open),
        cmocka_unit_test(every_packet_id_can_be_open),
        cmocka_unit_test(random_ids_agree_with_a_plain_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
