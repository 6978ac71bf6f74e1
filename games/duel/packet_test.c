/* Tests that a duel's packets are byte for byte those of docs/protocols.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "duel/duel.h"
#include "packet.h"

/* "Game packets", "Examples". */
static void the_examples_of_the_document(void **unused)
{
    static const uint8_t snapshot[] = {0x82, 0x04, 0x07, 0x00, 0x01, 0x66, 0x00, 0x00,
                                       0x00, 0x02, 0x1a, 0x00, 0x58, 0x0a, 0x88, 0x40,
                                       0x2b, 0x80, 0xd5, 0x3a, 0xc8, 0xb0, 0x07};
    static const uint8_t input[] = {0x02, 0x00, 0x07, 0x00, 0x3f, 0x00, 0x00, 0x00, 0x03,
                                    0x67, 0x00, 0x00, 0x00, 0x49, 0xe0, 0x21, 0x19, 0x02};
    struct duel_state state, base, view;
    struct duel_input inputs[3] = {{.aim_x = 480, .walk = 1}};
    struct fray_packet_input acked = {.ack = 7, .ack_bits = 0x3f, .count = 3, .first_tick = 103};
    uint8_t bytes[100];

    (void)unused;
    fray_game_init(&fray_duel, &state, 1, NULL);
    for (uint32_t seat = 0; seat < 2; seat++)
        fray_duel.join(&state, seat, NULL);
    state.match.tick = 100;
    fray_game_view(&fray_duel, &state, 0, &base);
    state.match.tick = 102;
    state.players[0].x += 1536;
    state.players[0].ready_tick = 117;
    state.players[1].aim_x = -3;
    fray_game_view(&fray_duel, &state, 0, &view);
    struct fray_packet_snapshot sent = {.seq = 7,
                                        .base_seq = 6,
                                        .tick = 102,
                                        .input_tick = 102,
                                        .margin = 2,
                                        .events_count = 1,
                                        .events = {{.seq = 3, .tick = 101}}};
    sent.events[0].event = (struct fray_game_event){1, FRAY_GAME_NOBODY, 0, {1, 4}};
    assert_int_equal(
        fray_packet_snapshot_encode(&fray_duel, 0, &base, &view, &sent, bytes, sizeof bytes),
        sizeof snapshot);
    assert_memory_equal(bytes, snapshot, sizeof snapshot);
    inputs[1] = inputs[2] = inputs[0];
    inputs[2].jump = 1;
    assert_int_equal(fray_packet_input_encode(&fray_duel, &acked, inputs, bytes, sizeof bytes),
                     sizeof input);
    assert_memory_equal(bytes, input, sizeof input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_document),
    };
    return cmocka_run_group_tests_name("duel_packet", tests, NULL, NULL);
}
