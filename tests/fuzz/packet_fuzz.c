/* Game packets. <game> <seat> <packet>: any bytes are decoded by every decoder. What an INPUT or a
 * SNAPSHOT says comes back when it is encoded again: the same inputs, the same view. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "packet.h"

extern const struct fray_game fray_arena, fray_duel, fray_rps, fray_tictactoe;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATE_MAX = 1 << 14, PACKET_MAX = 1 << 15, INPUT_MAX = 64 };

static const struct fray_game *const games[] = {&fray_arena, &fray_duel, &fray_rps,
                                                &fray_tictactoe};
static uint8_t base[STATE_MAX], view[STATE_MAX], again[STATE_MAX], packet[PACKET_MAX];
static struct fray_packet_snapshot snapshot, second;

static void try_small(const uint8_t *bytes, size_t len)
{
    struct fray_packet_hello hello;
    struct fray_packet_report report;
    struct fray_packet_welcome welcome;
    struct fray_packet_pong pong;
    uint32_t stamp;
    uint8_t code;

    if (fray_packet_hello_decode(&hello, bytes, len))
        assert(fray_packet_hello_encode(&hello, packet, sizeof packet) == len &&
               memcmp(packet, bytes, len) == 0);
    if (fray_packet_report_decode(&report, bytes, len))
        assert(fray_packet_report_encode(&report, packet, sizeof packet) == len &&
               memcmp(packet, bytes, len) == 0);
    if (fray_packet_ping_decode(&stamp, bytes, len))
        assert(fray_packet_ping_encode(stamp, packet, sizeof packet) == len &&
               memcmp(packet, bytes, len) == 0);
    if (fray_packet_pong_decode(&pong, bytes, len))
        assert(fray_packet_pong_encode(&pong, packet, sizeof packet) == len &&
               memcmp(packet, bytes, len) == 0);
    (void)fray_packet_welcome_decode(&welcome, bytes, len);
    (void)fray_packet_refused_decode(&code, bytes, len);
}

static void try_input(const struct fray_game *game, const uint8_t *bytes, size_t len)
{
    static uint8_t inputs[FRAY_PACKET_INPUTS_MAX * INPUT_MAX], same[sizeof inputs];
    struct fray_packet_input input, copy;

    assert(game->input_size <= INPUT_MAX);
    if (!fray_packet_input_decode(game, &input, inputs, bytes, len))
        return;
    size_t encoded = fray_packet_input_encode(game, &input, inputs, packet, sizeof packet);
    assert(encoded && fray_packet_input_decode(game, &copy, same, packet, encoded));
    assert(memcmp(&copy, &input, sizeof input) == 0);
    assert(memcmp(same, inputs, (size_t)input.count * game->input_size) == 0);
}

static void try_snapshot(const struct fray_game *game, uint32_t seat, const uint8_t *bytes,
                         size_t len)
{
    if (!fray_packet_snapshot_header_decode(&snapshot, bytes, len))
        return;
    const uint8_t *from = snapshot.seq == snapshot.base_seq ? NULL : base;
    if (!fray_packet_snapshot_decode(game, seat, from, view, &snapshot, bytes, len))
        return;
    size_t encoded =
        fray_packet_snapshot_encode(game, seat, from, view, &snapshot, packet, sizeof packet);
    assert(encoded &&
           fray_packet_snapshot_decode(game, seat, from, again, &second, packet, encoded));
    assert(memcmp(again, view, game->state_size) == 0);
    assert(second.events_count == snapshot.events_count);
    assert(memcmp(second.events, snapshot.events,
                  snapshot.events_count * sizeof *snapshot.events) == 0);
}

/* A state with some seats taken, as the baseline. */
static void base_make(const struct fray_game *game, uint32_t seat)
{
    assert(game->state_size <= STATE_MAX);
    fray_game_init(game, again, 1, NULL);
    for (uint32_t i = 0; i < game->seats_max; i += 2)
        game->join(again, i, NULL);
    fray_game_view(game, again, seat, base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct fray_game *game = games[data[0] % FRAY_GAME_COUNT(games)];
    base_make(game, data[1]);
    try_small(data + 2, size - 2);
    try_input(game, data + 2, size - 2);
    try_snapshot(game, data[1], data + 2, size - 2);
    return 0;
}
