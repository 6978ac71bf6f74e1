/* fray/game.h: the whole contract between a host and the rules of a game. Freestanding.
 *
 * A game is plain data and one constant table, `struct fray_game`. The *state* is a struct of fixed
 * size made of integers only: no pointers, no padding, positions in 1/256 px. So a snapshot is a
 * copy, rewinding a ring of copies, the hash runs over the bytes, and a replay is seed + options +
 * inputs. The same source runs in the server (authority) and, as WebAssembly, in the browser
 * (prediction), with equal bytes.
 *
 * Rules make no system call, read no clock and keep nothing outside the state; time and randomness
 * are in it. They never trust what they are given: any bytes are a legal input, and any *view* (a
 * state from which hidden things were cleared, see fray_game_view) is a legal state to step from,
 * because clients predict on views. There hidden fields are zero: what rules make of them, such as
 * a die, is predicted wrong until the server says how it was.
 *
 * Seats are places in a match, 0 … seats_max − 1; seat 0 is the creator's. In one tick the host:
 * refuses bad inputs with fray_game_check, lets bots fill theirs, calls step, reads the events, and
 * keeps a copy of the state.
 *
 * All functions are reentrant; what they are handed is borrowed for the call and must be 4-byte
 * aligned. */
#ifndef FRAY_GAME_H
#define FRAY_GAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fray/api.h"

enum {
    FRAY_GAME_NOBODY = 255,       /* no seat; as a viewer: a spectator */
    FRAY_GAME_NEVER = 0x7FFFFFFF, /* a time that does not come */
    FRAY_GAME_ROW = 0xFFFF,       /* as a table's owner: the row's number is the seat */
    FRAY_GAME_ARGS_MAX = 5,
    FRAY_GAME_REASONS_MAX = 16,
};

/* ------------------------------------------------------------------ describing data */

/* The low three bits are the bytes, 8 says signed. */
enum fray_game_type {
    FRAY_GAME_U8 = 1,
    FRAY_GAME_U16 = 2,
    FRAY_GAME_U32 = 4,
    FRAY_GAME_I8 = 9,
    FRAY_GAME_I16 = 10,
    FRAY_GAME_I32 = 12,
};

/* Of fields, and of an event's arguments. */
enum fray_game_flag {
    FRAY_GAME_OWNER = 1,  /* only the seat that owns the row sees it; of nobody's row, no one */
    FRAY_GAME_HIDDEN = 2, /* never leaves the server: randomness, plans */
    FRAY_GAME_CLOCK = 4,  /* the match's tick or time: in every packet's header, not in deltas */
    FRAY_GAME_SEAT = 8,   /* a seat or FRAY_GAME_NOBODY; JSON shows that player's id */
    FRAY_GAME_ONCE = 16,  /* of inputs, an impulse: given for one tick, then the host clears it */
};

struct fray_game_field {
    const char *name;          /* key in JSON, accessor in pages */
    const char *const *labels; /* names of the values from 0, up to a NULL; NULL: a number */
    uint16_t offset;           /* in its row */
    uint16_t count;            /* array length, 1 for a single value */
    uint8_t type;              /* enum fray_game_type */
    uint8_t bits;              /* that hold every value; two's complement when signed */
    uint8_t fraction;          /* units of 2^-fraction: JSON and accessors divide */
    uint8_t flags;             /* enum fray_game_flag */
    int32_t min, max;          /* of inputs: anything else is refused */
};

/* Rows of one kind inside the state (or the one row of an input). Fields stand in order of how
 * often they change, most often first. One row is an object in JSON, several are an array. */
struct fray_game_table {
    const char *name;
    const struct fray_game_field *fields;
    uint32_t fields_count;
    uint32_t offset, stride, rows; /* in the state */
    /* Fields that the host reads itself: FRAY_GAME_AT(struct, member), or 0 for none. */
    uint16_t present; /* a uint8_t, nonzero while the row exists; none: it always does */
    uint16_t owner;   /* a uint8_t seat, or FRAY_GAME_ROW */
    uint16_t x, y;    /* int32_t, the place for the interest grid */
};

/* A struct's fields are listed once more, `#define NAME(F, T) F(T, x, .bits = 20) F(T, y, …) …`;
 * this makes the table, and fails the build unless the list covers the struct: no padding. What
 * fills it up is a member `uint8_t reserved[…]`, in the list FRAY_GAME_RESERVED(F, T). */
#define FRAY_GAME_FIELDS(table, T, LIST)                                                           \
    _Static_assert(sizeof(T) == 0 LIST(FRAY_GAME_FIELD_SIZE, T), "fields must cover " #T);         \
    static const struct fray_game_field table[] = {LIST(FRAY_GAME_FIELD, T)}
#define FRAY_GAME_FIELD_SIZE(T, member, ...) +sizeof(((T *)0)->member)
#define FRAY_GAME_FIELD(T, member, ...)                                                            \
    {.name = #member,                                                                              \
     .offset = offsetof(T, member),                                                                \
     .type = FRAY_GAME_TYPE(((T *)0)->member),                                                     \
     .count = sizeof(((T *)0)->member) / (FRAY_GAME_TYPE(((T *)0)->member) & 7),                   \
     __VA_ARGS__},
#define FRAY_GAME_RESERVED(F, T) F(T, reserved, .bits = 8, .flags = FRAY_GAME_HIDDEN)
/* clang-format off */
#define FRAY_GAME_TYPE(member) /* arrays count as pointers here */                                 \
    _Generic((member),                                                                             \
        uint8_t: FRAY_GAME_U8, uint16_t: FRAY_GAME_U16, uint32_t: FRAY_GAME_U32,                   \
        int8_t: FRAY_GAME_I8, int16_t: FRAY_GAME_I16, int32_t: FRAY_GAME_I32,                      \
        uint8_t *: FRAY_GAME_U8, uint16_t *: FRAY_GAME_U16, uint32_t *: FRAY_GAME_U32,             \
        int8_t *: FRAY_GAME_I8, int16_t *: FRAY_GAME_I16, int32_t *: FRAY_GAME_I32)
/* clang-format on */

/* A member of the state as a table; designators for present, owner, x and y follow, or 0. */
#define FRAY_GAME_TABLE(table_name, T, member, list, row_count, ...)                               \
    {                                                                                              \
        .name = table_name, .fields = list, .fields_count = FRAY_GAME_COUNT(list),                 \
        .offset = offsetof(T, member), .stride = sizeof(((T *)0)->member) / (row_count),           \
        .rows = row_count, __VA_ARGS__                                                             \
    }
#define FRAY_GAME_INPUT(T, list)                                                                   \
    {                                                                                              \
        .name = "input", .fields = list, .fields_count = FRAY_GAME_COUNT(list),                    \
        .stride = sizeof(T), .rows = 1                                                             \
    }
#define FRAY_GAME_AT(T, member) (1 + offsetof(T, member))
#define FRAY_GAME_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What an operator or a room's host may set: at least one, at most 32. Options live in the state as
 * int32_t in the order of their table. One list, `#define NAME(O, T) O(T, hits, 1, 100, 1, 5, "hits
 * that kill") …`, makes the members, the table and the fields. */
struct fray_game_option {
    const char *name, *summary;
    int32_t min, max, step, standard; /* min, min + step, … max */
};
#define FRAY_GAME_OPTION_MEMBER(T, name, min, max, step, standard, summary) int32_t name;
#define FRAY_GAME_OPTION(T, name, min, max, step, standard, summary)                               \
    {#name, summary, min, max, step, standard},
#define FRAY_GAME_OPTION_FIELD(T, name, least, most, step, standard, summary)                      \
    FRAY_GAME_FIELD(T, name, .bits = 32)

/* What a client without the SDK sends: an event by this name whose first argument is an object with
 * the keys `takes`. Missing ones are 0, but an action that takes any and is given none of them is
 * refused ("wrong_shape"). They are written over the seat's last input, as is `value` into the
 * field `sets`; that input is then given in every tick, impulses once. */
struct fray_game_action {
    const char *name;
    const char *takes[6]; /* names of input fields, up to a NULL */
    const char *sets;     /* or NULL */
    int32_t value;
    bool host_only; /* only the room's host may: "start" */
};

/* ------------------------------------------------------------------ events */

/* Something that happened in a step: hit, killed, round over. */
struct fray_game_event {
    uint8_t kind; /* index in fray_game.events */
    uint8_t to;   /* that seat alone, or FRAY_GAME_NOBODY: everyone */
    uint16_t reserved;
    int32_t args[FRAY_GAME_ARGS_MAX];
};

struct fray_game_events {
    struct fray_game_event *items; /* the host's */
    uint32_t count, max;
    uint32_t dropped; /* how many did not fit */
};

enum fray_game_delivery {
    FRAY_GAME_EVERY,  /* reliable, in order */
    FRAY_GAME_NEWEST, /* a newer one with the same first argument replaces it. The state says it
                         too: it is for stock clients, and goes to nobody who gets snapshots */
};

struct fray_game_event_kind {
    const char *name;
    struct {
        const char *name;        /* "position.x" is x inside an object; NULL ends the list */
        uint8_t fraction, flags; /* as in fields */
    } args[FRAY_GAME_ARGS_MAX];
    enum fray_game_delivery delivery;
    bool sighted; /* goes only to those who see the player in the seat of the first argument */
};

/* Names that mean something to hosts:
 *
 *   event `end_game`       gets `results` beside its arguments, and goes also to who takes packets
 *   event `start_game`     a game begins anew: who wished for a rematch is forgotten
 *   action `start_game`    is given for the host's seat when a match begins, and when its host asks
 *   action `rematch`       is the rules' own; without it the host counts who asks, and begins anew
 *                          (by action `start_game`, or all from init on) when all have
 *   refusal `out_of_range` in ticked games weighs more: no honest client asks for that
 *
 * and what has no name: of the tables the first by seat with `present` (fray_game_players) has the
 * players, whom sighted events are about; seats_min 1 lets players drop in and out, from 2 on, with
 * more than two seats, the room's host says when a match begins. */

/* ------------------------------------------------------------------ one step */

/* What a seat's player was looking at: a moment between two earlier states. */
struct fray_game_past {
    const void *older, *newer;
    int32_t fraction; /* of the way from older to newer, in 1/256 */
};

struct fray_game_step {
    const void *inputs; /* seats_max inputs, by seat */
    /* By seat: 1 when there is an input for this step. 0: the rules go on with what the seat did
     * last, carefully: they hold its keys, but neither jump nor fire for it. */
    const uint8_t *given;
    /* Since init, never less than before. fray's server lets it stand still in the match's 25th
     * day, just before FRAY_GAME_NEVER; other hosts may go on to UINT32_MAX, for 49 days. Ticked
     * games count ticks instead. */
    uint32_t now_ms;
    struct fray_game_events *events; /* or NULL: nobody listens, as when a client predicts */
    /* Lag compensation: false means the present. NULL: always the present. What it answers is part
     * of a replay. */
    bool (*rewind)(void *host, uint32_t seat, struct fray_game_past *past);
    void *host;
};

struct fray_game_area {
    int64_t min_x, min_y, max_x, max_y; /* included */
};

enum fray_game_outcome { FRAY_GAME_PLAYING, FRAY_GAME_WON, FRAY_GAME_LOST, FRAY_GAME_DRAWN };

/* ------------------------------------------------------------------ the game */

/* Fills the lists of a struct fray_game from the names that they have by custom. */
#define FRAY_GAME_LISTS(T)                                                                         \
    .options_offset = offsetof(T, options), .options = options, .tables = tables,                  \
    .input = &input_table, .actions = actions, .events = events,                                   \
    .options_count = FRAY_GAME_COUNT(options), .tables_count = FRAY_GAME_COUNT(tables),            \
    .actions_count = FRAY_GAME_COUNT(actions), .events_count = FRAY_GAME_COUNT(events)

/* Why rules refuse something is a static lower-case word such as "column_full", sent to the player;
 * NULL: fine. Of words that are the game's own, `reasons` has the sentence beside it. */
struct fray_game_reason {
    const char *word; /* NULL ends the list */
    const char *sentence;
};

struct fray_game {
    const char *name;                          /* "duel" */
    const char *title;                         /* "Duel" */
    uint16_t version;                          /* raise it when behaviour changes, see below */
    uint16_t tick_hz;                          /* 1 … 128; 0: event-driven, see deadline */
    uint8_t seats_min, seats_max;              /* the fewest that make a game, and the most */
    uint8_t bot_levels;                        /* at least 1: 0 (easiest) … bot_levels − 1 */
    uint32_t state_size, input_size, bot_size; /* multiples of 4 */
    uint32_t options_offset;
    const struct fray_game_option *options;
    const struct fray_game_table *tables; /* cover the state without a gap */
    const struct fray_game_table *input;  /* one row */
    const struct fray_game_action *actions;
    const struct fray_game_event_kind *events;
    uint32_t options_count, tables_count, actions_count, events_count;
    struct fray_game_reason reasons[FRAY_GAME_REASONS_MAX];

    /* The state is zero but for its options. Use fray_game_init. */
    void (*init)(void *state, uint64_t seed);
    /* A seat is taken or given up for good. (Who lost its connection keeps its seat: `given` is 0,
     * or a bot's.) Who may sit down is the host's to say: a joining seat is free, and rules take
     * it; leaving a free one does nothing. */
    void (*join)(void *state, uint32_t seat, struct fray_game_events *events);
    void (*leave)(void *state, uint32_t seat, struct fray_game_events *events);
    /* Why the input, whose fields are in their ranges, may not be played. Use fray_game_check. */
    const char *(*check)(const void *state, uint32_t seat, const void *input);
    /* Inputs that do not pass fray_game_check are as if not given: rules ask it themselves. */
    void (*step)(void *state, const struct fray_game_step *step);
    /* Is this row shown to this seat (or spectator)? NULL: all are. The row exists. */
    bool (*visible)(const void *state, uint32_t seat, uint32_t table, uint32_t row);
    /* Where the rows of a table with places (x, y) lie that `visible` shows to this seat: it asks
     * of no others. False, or NULL: anywhere. Saves asking of each row for each seat. */
    bool (*area)(const void *state, uint32_t seat, uint32_t table, struct fray_game_area *area);
    /* For results and ratings. The match is over when nobody is FRAY_GAME_PLAYING; then outcomes
     * stay, whoever leaves, and who comes into a seat after the end has not won. */
    enum fray_game_outcome (*outcome)(const void *state, uint32_t seat);
    /* Event-driven games are stepped when an input arrives, and at this now_ms without one (or
     * FRAY_GAME_NEVER). NULL in ticked games. */
    uint32_t (*deadline)(const void *state);
    /* Every game has a bot: it stands in for who lost the connection. Its memory is bot_size bytes
     * of the host's, kept while it keeps the seat. It is given the seat's view, never the state.
     * False: it has nothing to do. */
    void (*bot_init)(void *memory, uint32_t level, uint64_t seed);
    bool (*bot)(const void *view, uint32_t seat, void *memory, void *input);
};

/* ------------------------------------------------------------------ for hosts (games/game.c) */

/* Prepares a state. `options` has options_count numbers, which are brought into their ranges; or it
 * is NULL: the standard ones. */
FRAY_API void fray_game_init(const struct fray_game *game, void *state, uint64_t seed,
                             const int32_t *options);
/* Ranges, then the rules' own check. Any bytes may be handed in. */
FRAY_API const char *fray_game_check(const struct fray_game *game, const void *state, uint32_t seat,
                                     const void *input);
/* Copies the state and clears what the seat may not see. FRAY_GAME_NOBODY: what all may see. */
FRAY_API void fray_game_view(const struct fray_game *game, const void *state, uint32_t seat,
                             void *view);
/* An input's impulses (FRAY_GAME_ONCE) have been given: clears them. What is held stays. */
FRAY_API void fray_game_release(const struct fray_game *game, void *input);
/* The first table whose rows are players by seat, and may be absent; NULL: none. */
FRAY_API const struct fray_game_table *fray_game_players(const struct fray_game *game);
/* FNV-1a, 64 bits, over the bytes; equal on every machine. Start from FRAY_GAME_HASH_START, or go
 * on from an earlier one. */
#define FRAY_GAME_HASH_START 0xcbf29ce484222325u
FRAY_API uint64_t fray_game_hash(uint64_t hash, const void *bytes, size_t len);
/* The tables as JSON, for pages and tools. Returns the length that it needs; writes at most `size`
 * bytes, terminated. Its hash, version included, tells whether two builds can share a replay. */
FRAY_API size_t fray_game_describe(const struct fray_game *game, char *text, size_t size);
/* That hash: fray_game_hash of the text. */
FRAY_API uint64_t fray_game_rules(const struct fray_game *game);

/* ------------------------------------------------------------------ for rules (games/toolbox.c) */

FRAY_API void fray_game_emit(struct fray_game_events *events, struct fray_game_event event);
/* xoshiro128** with its state in the game's state; all zero (in a view) it yields zeros. */
FRAY_API void fray_game_random_seed(uint32_t random[4], uint64_t seed);
FRAY_API uint32_t fray_game_random(uint32_t random[4]);
FRAY_API int32_t fray_game_random_range(uint32_t random[4], int32_t min,
                                        int32_t max); /* both included */
FRAY_API uint32_t fray_game_sqrt(uint64_t value);     /* rounded down */
/* Scales (x, y) to the length `length`, components rounded to nearest; (0, 0) stays. |x|, |y|,
 * length < 2^24. */
FRAY_API void fray_game_scale(int32_t *x, int32_t *y, int32_t length);

/* Whether a deadline has come, of now_ms or in ticks. FRAY_GAME_NEVER has not, however late it is.
 */
static inline bool fray_game_has_come(uint32_t deadline, uint32_t now)
{
    return deadline != FRAY_GAME_NEVER && now >= deadline;
}

static inline int32_t fray_game_clamp(int32_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* ------------------------------------------------------------------ by name (games/fields.c) */

/* For programs that know a game by its tables, not by its headers. NULL: there is none such. */
FRAY_API const struct fray_game_table *fray_game_table(const struct fray_game *game,
                                                       const char *name);
FRAY_API const struct fray_game_field *fray_game_field(const struct fray_game_table *table,
                                                       const char *name);
/* The i-th value of a field, 0 where it is one; as it is, without its fraction. What does not fit
 * is cut off. */
FRAY_API int64_t fray_game_read(const struct fray_game_field *field, const void *row, uint32_t i);
FRAY_API void fray_game_write(const struct fray_game_field *field, void *row, uint32_t i,
                              int64_t value);
/* A value that its field's `bits` cannot hold: clients would be sent another. Of inputs: one that
 * the field's range has not. */
struct fray_game_misfit {
    const struct fray_game_table *table;
    const struct fray_game_field *field;
    uint32_t row;
    int64_t value;
};
/* The first there is in the state, of what clients may be sent. False: there is none. */
FRAY_API bool fray_game_find_misfit(const struct fray_game *game, const void *state,
                                    struct fray_game_misfit *misfit);
/* The first field of an input that is out of its min … max. False: there is none. */
FRAY_API bool fray_game_find_out_of_range(const struct fray_game *game, const void *input,
                                          struct fray_game_misfit *misfit);
/* Of a state or view: fray_game_get(game, view, "players", seat, "x"). 0: there is none such. */
FRAY_API int64_t fray_game_get(const struct fray_game *game, const void *state, const char *table,
                               uint32_t row, const char *field);
/* Into an input, brought into its range. False: there is no such field. */
FRAY_API bool fray_game_set_input(const struct fray_game *game, void *input, const char *field,
                                  int64_t value);

#endif
