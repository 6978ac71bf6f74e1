/* One game as a WebAssembly module without imports: FRAY_WASM_GAME names its table. The page owns
 * the memory: it takes room with alloc, keeps as many states as it likes, and reads them by the
 * offsets that describe() tells. All numbers in memory are little-endian. Functions follow
 * fray/game.h; strings are NUL-terminated, 0 is NULL. */
#include "simulate.h"

extern const struct fray_game FRAY_WASM_GAME;

#define EXPORT(name) __attribute__((export_name(#name), used))
enum { PAGE = 65536, EVENTS_MAX = 1024 };

extern unsigned char __heap_base; /* by the linker: the first byte after data and stack */

static const struct fray_game *const game = &FRAY_WASM_GAME;
static struct fray_game_event event_items[EVENTS_MAX];
static struct fray_simulate simulate;
static void *simulate_memory;

/* 8-byte aligned, zeroed, never given back. 0 when the browser grants no more. */
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

EXPORT(join) const char *wasm_join(void *state, uint32_t seat)
{
    return game->join(state, seat, NULL);
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

/* The headless match of simulate.h. Returns false when there is no memory for it. */
EXPORT(simulate_init)
bool wasm_simulate_init(uint64_t seed, uint32_t bots, uint32_t guests, const int32_t *options)
{
    if (!simulate_memory)
        simulate_memory = wasm_alloc(fray_simulate_size(game));
    if (simulate_memory)
        fray_simulate_init(&simulate, game,
                           &(struct fray_simulate_config){seed, bots, guests, options},
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
