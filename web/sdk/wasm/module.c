/* One game as a WebAssembly module without imports: FRAY_WASM_GAME names its table. The page owns
 * the memory: it takes room with alloc, keeps as many states as it likes, and reads them by the
 * offsets that describe() tells. All numbers in memory are little-endian. Functions follow
 * fray/game.h; strings are NUL-terminated, 0 is NULL. netcode.c has the exports that play a match.
 */
#include "module.h"
#include "packet.h"
#include "replay.h"
#include "simulate.h"

enum { PAGE = 65536, EVENTS_MAX = 1024 };

extern unsigned char __heap_base; /* by the linker: the first byte after data and stack */

static const struct fray_game *const game = &FRAY_WASM_GAME;
static struct fray_game_event event_items[EVENTS_MAX];
static struct fray_packet_snapshot snapshot;
static struct fray_packet_input input_packet;
static struct fray_simulate simulate;
static void *simulate_memory;

/* Of module.h. */
EXPORT(alloc) void *wasm_alloc(size_t size)
{
    static size_t next;

    if (next == 0)
        next = (size_t)&__heap_base;
    size_t at = (next + 7) & ~(size_t)7;
    size_t end = at + size, have = __builtin_wasm_memory_size(0) * PAGE;
    if (end < at ||
        (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (size_t)-1))
        return NULL;
    next = end;
    return (void *)at;
}

/* The tables as JSON. */
EXPORT(describe) const char *wasm_describe(void)
{
    static char *text;

    if (!text) {
        size_t size = fray_game_describe(game, NULL, 0) + 1;
        text = wasm_alloc(size);
        if (text)
            fray_game_describe(game, text, size);
    }
    return text;
}

/* options: int32 values in the order of describe(), or 0 for the standard ones. */
EXPORT(init) void wasm_init(void *state, uint64_t seed, const int32_t *options)
{
    fray_game_init(game, state, seed, options);
}

EXPORT(join) void wasm_join(void *state, uint32_t seat)
{
    game->join(state, seat, NULL);
}

EXPORT(leave) void wasm_leave(void *state, uint32_t seat)
{
    game->leave(state, seat, NULL);
}

EXPORT(check) const char *wasm_check(const void *state, uint32_t seat, const void *input)
{
    return fray_game_check(game, state, seat, input);
}

/* Returns how many events it wrote at events(); each is {u8 kind, u8 to, u16, i32 args[5]}. */
EXPORT(step)
uint32_t wasm_step(void *state, const void *inputs, const uint8_t *given, uint32_t now_ms)
{
    struct fray_game_events events = {.items = event_items, .max = EVENTS_MAX};

    game->step(state, &(struct fray_game_step){
                          .inputs = inputs, .given = given, .now_ms = now_ms, .events = &events});
    return events.count;
}

EXPORT(events) const struct fray_game_event *wasm_events(void)
{
    return event_items;
}

EXPORT(view) void wasm_view(const void *state, uint32_t seat, void *view)
{
    fray_game_view(game, state, seat, view);
}

/* Of a state or a view: what a SNAPSHOT's hash is compared with. */
EXPORT(hash) uint64_t wasm_hash(const void *state)
{
    return fray_game_hash(FRAY_GAME_HASH_START, state, game->state_size);
}

EXPORT(outcome) uint32_t wasm_outcome(const void *state, uint32_t seat)
{
    return game->outcome(state, seat);
}

EXPORT(deadline) uint32_t wasm_deadline(const void *state)
{
    return game->deadline ? game->deadline(state) : FRAY_GAME_NEVER;
}

EXPORT(bot_init) void wasm_bot_init(void *memory, uint32_t level, uint64_t seed)
{
    game->bot_init(memory, level, seed);
}

EXPORT(bot) bool wasm_bot(const void *view, uint32_t seat, void *memory, void *input)
{
    return game->bot(view, seat, memory, input);
}

/* ------------------------------------------------------------------ the game protocol (packet.h)
 */

/* What WELCOME must say for predictions to be right. */
EXPORT(rules_hash) uint64_t wasm_rules_hash(void)
{
    return fray_game_rules(game);
}

/* Where snapshot_header and snapshot_decode write: {u8 flags, i8 margin, u16 seq, u16 base_seq,
 * u16, u32 tick, u32 input_tick, u32 events_count, u32, u64 hash, events}, the events at 32, each
 * 32 bytes: {u16 seq, u16, u32 tick, u8 kind, u8 to, u16, i32 args[5], }; their seq may be known.
 */
EXPORT(snapshot) const struct fray_packet_snapshot *wasm_snapshot(void)
{
    return &snapshot;
}

/* Reads what stands before the bits of a SNAPSHOT: base_seq tells which view to decode against.
 * False: malformed. */
EXPORT(snapshot_header) bool wasm_snapshot_header(const void *bytes, size_t len)
{
    return fray_packet_snapshot_header_decode(&snapshot, bytes, len) != 0;
}

/* Makes `view`, state_size bytes of a ring of 32 that the page keeps by seq, from the view of
 * base_seq, or from 0 when base_seq is seq. Returns 0, or 1: malformed, and `view` is worth
 * nothing. */
EXPORT(snapshot_decode)
uint32_t wasm_snapshot_decode(const void *base, void *view, const void *bytes, size_t len,
                              uint32_t seat)
{
    return !fray_packet_snapshot_decode(game, seat, base, view, &snapshot, bytes, len);
}

/* The fields of an INPUT, for the page to fill in: {u8 flags, u8 count, u16 ack, u32 ack_bits, u32
 * view, u32 first_tick}. */
EXPORT(input_packet) struct fray_packet_input *wasm_input_packet(void)
{
    return &input_packet;
}

/* Encodes input_packet() with its `count` inputs, one after the other. Returns the length, 0 when
 * `size` is too small: 17 + count × (2 × input_size + 8) never is. */
EXPORT(input_encode) size_t wasm_input_encode(const void *inputs, void *out, size_t size)
{
    return fray_packet_input_encode(game, &input_packet, inputs, out, size);
}

/* The server's side, for tests and for pages that host a match for their peers: encodes snapshot()
 * and a view. Returns the length, 0 when `size` is too small. */
EXPORT(snapshot_encode)
size_t wasm_snapshot_encode(const void *base, const void *view, void *out, size_t size,
                            uint32_t seat)
{
    return fray_packet_snapshot_encode(game, seat, base, view, &snapshot, out, size);
}

/* Fills input_packet() and `inputs`, which has room for 24. Returns 0, or 1: malformed. */
EXPORT(input_decode)
uint32_t wasm_input_decode(void *inputs, const void *bytes, size_t len)
{
    return !fray_packet_input_decode(game, &input_packet, inputs, bytes, len);
}

/* ------------------------------------------------------------------ replays (replay.h) */

static struct fray_replay replay;

/* The file stays where it is for as long as it is played. Returns enum fray_replay_fault: 0, and
 * nothing else here may be called before. 255: there is no memory. Once in a module's life. */
EXPORT(replay_open) uint32_t wasm_replay_open(const void *bytes, size_t len)
{
    static void *memory;

    if (!memory)
        memory = wasm_alloc(fray_replay_size(game));
    if (!memory)
        return 255;
    fray_replay_open(&replay, game, fray_game_rules(game), bytes, len, memory);
    return replay.fault;
}

/* Returns how many events it wrote at events(), or -1: there is no further step. */
EXPORT(replay_step) int32_t wasm_replay_step(void)
{
    struct fray_game_events events = {.items = event_items, .max = EVENTS_MAX};

    return fray_replay_step(&replay, &events) ? (int32_t)events.count : -1;
}

/* To the state after `tick` steps, or the last; returns which that is. */
EXPORT(replay_seek) uint32_t wasm_replay_seek(uint32_t tick)
{
    fray_replay_seek(&replay, tick);
    return replay.frame->tick;
}

EXPORT(replay_state) const void *wasm_replay_state(void)
{
    return replay.state;
}

EXPORT(replay_stepped) const void *wasm_replay_stepped(void)
{
    return fray_replay_stepped(&replay);
}

/* u32 numbers: tick, now_ms, fault, fault_tick, hashed_tick, hashes, ticks_max, is_complete,
 * comings. The fault is that of all that was played up to now, wherever one has gone since. */
EXPORT(replay_status) const uint32_t *wasm_replay_status(void)
{
    static uint32_t status[9];

    __builtin_memcpy(status,
                     (uint32_t[9]){replay.frame->tick, replay.frame->now_ms, replay.fault,
                                   replay.fault_tick, replay.hashed_tick, replay.hashes,
                                   replay.ticks_max, replay.is_complete, replay.comings},
                     sizeof status);
    return status;
}

/* By seat, 12 bytes each: {u8 is_present, u8 level of a bot or 255, u8 name_len, u8, u32 name_at,
 * u8 outcome or 255, u8[3]}; name_at counts from the file's start. */
EXPORT(replay_seats) const void *wasm_replay_seats(void)
{
    static struct seat {
        struct fray_replay_seat who;
        uint8_t outcome, unused[3];
    } seats[FRAY_REPLAY_SEATS_MAX];

    for (uint32_t seat = 0; seat < game->seats_max; seat++)
        seats[seat] = (struct seat){replay.seats[seat], replay.outcomes[seat], {0}};
    return seats;
}

/* ------------------------------------------------------------------ headless matches */

/* The headless match of simulate.h. Returns false when there is no memory for it. */
EXPORT(simulate_init)
bool wasm_simulate_init(uint64_t seed, uint32_t bots, uint32_t guests, const int32_t *options)
{
    if (!simulate_memory)
        simulate_memory = wasm_alloc(fray_simulate_size(game));
    if (simulate_memory)
        fray_simulate_init(&simulate, game,
                           &(struct fray_simulate_config){
                               .seed = seed, .bots = bots, .guests = guests, .options = options},
                           simulate_memory);
    return simulate_memory;
}

EXPORT(simulate_guests) uint32_t wasm_simulate_guests(uint32_t bots)
{
    return fray_simulate_guests(game, bots);
}

EXPORT(simulate_run) void wasm_simulate_run(uint32_t ticks)
{
    fray_simulate_run(&simulate, ticks);
}

EXPORT(simulate_hash) uint64_t wasm_simulate_hash(void)
{
    return fray_simulate_hash(&simulate);
}
