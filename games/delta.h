/* One row of a table against the same row as it was: the bits that say what changed
 * (docs/protocols.md, "Rows"). Rows are in the layout of the state. What is hidden, and clocks, are
 * never written.
 *
 * A row has two parts, the fields that all who see it may see, and those for its owner alone. Each
 * part is encoded by itself, so that a server can keep the public part and append it for many.
 * A base that is NULL is a row of zeros. Freestanding, pure. */
#ifndef FRAY_GAMES_DELTA_H
#define FRAY_GAMES_DELTA_H

#include "bits.h"
#include "fray/game.h"

enum fray_delta_part { FRAY_DELTA_PUBLIC, FRAY_DELTA_OWNER, FRAY_DELTA_PARTS };

/* Fields to encode there are of this part. */
bool fray_delta_has(const struct fray_game_table *table, enum fray_delta_part part);
bool fray_delta_differs(const struct fray_game_table *table, enum fray_delta_part part,
                        const void *base, const void *row);
/* The most bits that encode can write: what a cache must have room for. */
uint32_t fray_delta_bits_max(const struct fray_game_table *table, enum fray_delta_part part);

/* Only for what differs. */
void fray_delta_encode(const struct fray_game_table *table, enum fray_delta_part part,
                       const void *base, const void *row, struct fray_bits_writer *out);
/* `row` holds the base and is changed in place. What is wrong with the bits, `in` remembers. */
void fray_delta_decode(const struct fray_game_table *table, enum fray_delta_part part, void *row,
                       struct fray_bits_reader *in);

/* Encode and decode with one bit before that says whether anything differs at all. */
void fray_delta_encode_flagged(const struct fray_game_table *table, enum fray_delta_part part,
                               const void *base, const void *row, struct fray_bits_writer *out);
void fray_delta_decode_flagged(const struct fray_game_table *table, enum fray_delta_part part,
                               void *row, struct fray_bits_reader *in);

/* The seat that owns the row, or FRAY_GAME_NOBODY; `row` is needed when a field of it says who. */
static inline uint32_t fray_delta_owner(const struct fray_game_table *table, const void *row,
                                        uint32_t number)
{
    if (table->owner == FRAY_GAME_ROW)
        return number;
    return table->owner ? ((const uint8_t *)row)[table->owner - 1] : (uint32_t)FRAY_GAME_NOBODY;
}

/* Spectators own nothing, nor does anybody own what is nobody's. */
static inline bool fray_delta_owns(const struct fray_game_table *table, const void *row,
                                   uint32_t number, uint32_t seat)
{
    return seat != FRAY_GAME_NOBODY && fray_delta_owner(table, row, number) == seat;
}

/* A table without `present` has all its rows always. */
static inline bool fray_delta_is_present(const struct fray_game_table *table, const void *row)
{
    return !table->present || ((const uint8_t *)row)[table->present - 1] != 0;
}

/* Writes the tick into the row's clocks. */
void fray_delta_set_clocks(const struct fray_game_table *table, void *row, uint32_t tick,
                           bool owned);
/* Clears what a seat may not see: what is hidden, and unless it owns the row the owner's part. */
void fray_delta_clear_secrets(const struct fray_game_table *table, void *row, bool owned);
/* How the rows of a list are numbered: each by its distance from the one listed before, among the
 * `count` rows that could be. What follows the last is a distance as well, unless it is none. */
struct fray_delta_list {
    uint32_t order; /* of the Golomb code */
    uint32_t gap;   /* rows that were passed over since the last one listed */
};
/* Its order among rows that are known: mostly all of them change. Among all that may enter, few do.
 */
enum { FRAY_DELTA_GAP_KNOWN = 0 };
static inline uint32_t fray_delta_gap_any(uint32_t rows)
{
    return rows < 16 ? 0 : 28 - (uint32_t)__builtin_clz(rows); /* floor(log2 rows) - 3 */
}

static inline void fray_delta_list_put(struct fray_delta_list *list, struct fray_bits_writer *out)
{
    fray_bits_put_golomb(out, list->gap, list->order);
    list->gap = 0;
}

static inline void fray_delta_list_end(struct fray_delta_list *list, struct fray_bits_writer *out)
{
    if (list->gap)
        fray_bits_put_golomb(out, list->gap, list->order);
}

/* Whether the public part of a row has its flag: when it may be written without having changed. */
static inline bool fray_delta_is_flagged(const struct fray_game_table *table, bool has_owner_part,
                                         uint32_t number, uint32_t seat)
{
    return has_owner_part && (table->owner != FRAY_GAME_ROW || number == seat);
}

/* An event's kind and arguments. Decode fails when there is no such kind. */
enum { FRAY_DELTA_EVENT_BITS_MAX = 8 + FRAY_GAME_ARGS_MAX * 34, FRAY_DELTA_EVENT_AGE = 2 };
void fray_delta_encode_event(const struct fray_game *game, const struct fray_game_event *event,
                             struct fray_bits_writer *out);
void fray_delta_decode_event(const struct fray_game *game, struct fray_game_event *event,
                             struct fray_bits_reader *in);

/* The first clock of a state or view; 0 in games without one. In ticked games it is the tick. */
uint32_t fray_delta_clock(const struct fray_game *game, const void *state);

#endif
