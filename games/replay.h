/* A match as it was told to the rules, so that it can be played again: seed, options, who joined
 * and left, the inputs of each step, what lag compensation answered, and hashes that prove it.
 *
 * A file is a header and records. Integers are little-endian; a text is a byte with its length, at
 * most 255, and its bytes; bits are those of bits.h, rows those of delta.h.
 *
 *     header  "FRPL", u8 format = 1, u8 flags (1: private), u16 version of the game,
 *             u64 rules, u64 seed, u64 start (Unix time, ms), text game, text match,
 *             u8 count, count × i32 option
 *     record  u8: the kind in the low 3 bits, `n` in the high 5
 *       0 RUN    n + 1 steps as the step before: the same seats give their inputs, impulses
 *                cleared; no time passes, nobody is rewound
 *       1 STEP   bits, filled up to a byte with zeros:
 *                  1 whether time passed; golomb(9) how many ms
 *                  seats that give or cease to give, or whose input changed: golomb(0) the gap from
 *                    the seat after the last one; 1 gives; if so 1 changed, and the row of its
 *                    input against the last that it gave; a gap beyond the last seat ends it
 *                  1 whether somebody was rewound; golomb(0) count − 1, and of each 8 the seat,
 *                    golomb(8) how far back, in 1/256 steps
 *       2 WHO    u8 seat, u8 level of a bot or 255 a person, text name: who plays from now on
 *       3 JOIN   u8 seat        4 LEAVE  u8 seat: as the rules were told
 *       5 HASH   u64 hash of the state, u32 check
 *       6 END    u8 count, count × (u8 seat, u8 outcome), u64 hash of the state, u32 check
 *
 * `check` is the low half of FNV-1a over all bytes before it, so that a flipped bit is told from
 * rules that differ. Nothing follows END; a file without it was cut off (the server died, or it
 * came to a limit), and is good as far as it goes.
 *
 * Any bytes may be read. Freestanding, pure; what is handed in is borrowed for as long as the
 * struct is used. */
#ifndef FRAY_GAMES_REPLAY_H
#define FRAY_GAMES_REPLAY_H

#include "fray/game.h"

enum {
    FRAY_REPLAY_FORMAT = 1,  /* raise it when records or the rows of delta.h change */
    FRAY_REPLAY_PRIVATE = 1, /* a flag: listed nowhere, only for who knows its id */
    FRAY_REPLAY_OPTIONS_MAX = 32,
    FRAY_REPLAY_SEATS_MAX = 255,
    FRAY_REPLAY_KEYFRAMES = 32,
    FRAY_REPLAY_PERSON = 255, /* in place of a bot's level */
};

struct fray_replay_text {
    const char *at; /* not terminated, of any bytes; NULL only when len is 0 */
    uint8_t len;
};

struct fray_replay_header {
    struct fray_replay_text game, match;
    uint64_t rules, seed, started_ms;
    uint16_t version;
    uint8_t flags;
    uint8_t options_count;
    int32_t options[FRAY_REPLAY_OPTIONS_MAX];
};

/* What a file says of itself. False: it is no replay, or of another format. */
bool fray_replay_header_decode(const void *bytes, size_t len, struct fray_replay_header *header,
                               size_t *header_len);

/* What lag compensation answered to a seat: between the states after view / 256 steps and one more.
 */
struct fray_replay_rewind {
    uint32_t seat;
    uint32_t view; /* 1/256 steps, modulo 2^32 */
};

struct fray_replay_past {
    uint32_t seat, older; /* the state after so many steps, and the one after it */
    int32_t fraction;     /* of the way to that, in 1/256 */
};

/* ------------------------------------------------------------------ writing */

struct fray_replay_step {
    const void *inputs; /* by seat; what is given has passed fray_game_check */
    const uint8_t *given;
    uint32_t now_ms;
    const struct fray_replay_rewind *rewinds; /* the first of each seat counts */
    uint32_t rewinds_count;
};

struct fray_replay_writer {
    const struct fray_game *game;
    void (*sink)(void *context, const void *bytes, size_t len);
    void *context;
    uint64_t check;
    uint32_t tick, now_ms; /* of the last step */
    uint32_t run;          /* steps like it that are not written yet */
    /* In the caller's memory. */
    char *inputs;
    uint8_t *given;
    uint8_t *scratch;
};

size_t fray_replay_writer_size(const struct fray_game *game);
/* `memory` is fray_replay_writer_size bytes, 8-byte aligned; `sink` is set before. The header's
 * game, version and count of options are the game's. */
void fray_replay_writer_begin(struct fray_replay_writer *writer, const struct fray_game *game,
                              const struct fray_replay_header *header, void *memory);
void fray_replay_writer_who(struct fray_replay_writer *writer, uint32_t seat, uint8_t level,
                            struct fray_replay_text name);
void fray_replay_writer_join(struct fray_replay_writer *writer, uint32_t seat);
void fray_replay_writer_leave(struct fray_replay_writer *writer, uint32_t seat);
void fray_replay_writer_step(struct fray_replay_writer *writer,
                             const struct fray_replay_step *step);
/* fray_game_hash of the whole state. */
void fray_replay_writer_hash(struct fray_replay_writer *writer, uint64_t hash);
/* `outcomes` by seat, enum fray_game_outcome; FRAY_GAME_NOBODY: it has none. */
void fray_replay_writer_end(struct fray_replay_writer *writer, const uint8_t *outcomes,
                            uint64_t hash);

/* ------------------------------------------------------------------ playing again */

enum fray_replay_fault {
    FRAY_REPLAY_GOOD,
    FRAY_REPLAY_TRUNCATED, /* it has no end; all before is good */
    FRAY_REPLAY_FOREIGN,   /* no replay, or of another format */
    FRAY_REPLAY_OTHER_GAME,
    FRAY_REPLAY_OTHER_RULES, /* these rules cannot say anything about it */
    FRAY_REPLAY_MALFORMED,   /* no writer writes that */
    FRAY_REPLAY_DAMAGED,     /* the bytes are not those that were written */
    FRAY_REPLAY_DIFFERS,     /* the rules come to another state */
};

struct fray_replay_seat {
    uint8_t is_present; /* between JOIN and LEAVE */
    uint8_t level;      /* FRAY_REPLAY_PERSON */
    uint8_t name_len;
    uint32_t name_at; /* in the file */
};

/* Where the player is; copies of it, with the bytes behind it, are keyframes. */
struct fray_replay_frame {
    uint64_t check, checked; /* the running check, and over how many bytes */
    uint64_t at;             /* the next record */
    uint32_t tick, now_ms, run;
    uint32_t has_stepped; /* RUN has something to repeat */
    uint32_t is_over;     /* no further step */
};

struct fray_replay {
    const struct fray_game *game;
    const uint8_t *bytes;
    size_t len;
    struct fray_replay_header header;
    enum fray_replay_fault fault; /* the first that was met, however one went there */
    uint32_t fault_tick;
    uint32_t hashed_tick; /* up to here recorded hashes agree */
    uint32_t hashes;      /* compared on the way forward */
    uint32_t ticks_max;   /* the furthest that was reached; all, once is_complete */
    bool is_complete;     /* the end of the file was reached */
    uint8_t outcomes[FRAY_REPLAY_SEATS_MAX + 1];                /* by seat, once END was read */
    struct fray_replay_past rewinds[FRAY_REPLAY_SEATS_MAX + 1]; /* of the step in hand */
    uint32_t rewinds_count;
    uint32_t comings; /* and goings: how often somebody joined or left after the step in hand */
    /* In the caller's memory. */
    struct fray_replay_frame *frame;
    struct fray_replay_seat *seats;
    char *state, *inputs, *past;
    uint8_t *given;
    char *keyframes;
    uint32_t keyframes_count, interval; /* keyframe i is of tick i × interval */
};

size_t fray_replay_size(const struct fray_game *game);
/* Reads the header and what comes before the first step. `rules` is the hash of this program's
 * fray_game_describe. False: `fault` says why, and nothing else may be called. */
bool fray_replay_open(struct fray_replay *replay, const struct fray_game *game, uint64_t rules,
                      const void *bytes, size_t len, void *memory);
/* One step, and what happened before the next. Events are added to `events` (NULL: nobody listens).
 * False: there is none. FRAY_REPLAY_DIFFERS stops nothing; all other faults do. */
bool fray_replay_step(struct fray_replay *replay, struct fray_game_events *events);
/* Goes to the state after `tick` steps, or to the last. */
void fray_replay_seek(struct fray_replay *replay, uint32_t tick);
/* The state as the last step left it, before anybody joined or left. */
const void *fray_replay_stepped(const struct fray_replay *replay);
/* Plays to the end. What a file is worth: `fault`. */
enum fray_replay_fault fray_replay_verify(struct fray_replay *replay);
struct fray_replay_text fray_replay_name(const struct fray_replay *replay, uint32_t seat);
/* Lower-case words such as "other rules". */
const char *fray_replay_fault_text(enum fray_replay_fault fault);

#endif
