/* Writes the records of a match (replay.h). Steps like the one before are counted, and written
 * together before anything else is. */
#include "delta.h"
#include "replay.h"
#include "replay_format.h"

enum { RUN_MAX = 32, SCRATCH_MIN = 64 };

/* A gap, two flags, a row; a rewind: its seat and how far back. */
static size_t scratch_size(const struct fray_game *game)
{
    size_t bits = 2 * 9 + 2 + fray_delta_bits_max(game->input, FRAY_DELTA_PUBLIC) + 8 + 2 * 33 + 8;

    return (SCRATCH_MIN + game->seats_max * ((bits + 7) / 8) + 7) & ~(size_t)7;
}

size_t fray_replay_writer_size(const struct fray_game *game)
{
    return scratch_size(game) + (size_t)game->input_size * game->seats_max + game->seats_max;
}

static void put(struct fray_replay_writer *writer, const void *bytes, size_t len)
{
    writer->check = fray_game_hash(writer->check, bytes, len);
    writer->sink(writer->context, bytes, len);
}

static void put_byte(struct fray_replay_writer *writer, uint32_t byte)
{
    put(writer, &(uint8_t){(uint8_t)byte}, 1);
}

static void put_text(struct fray_replay_writer *writer, struct fray_replay_text text)
{
    put_byte(writer, text.len);
    if (text.len)
        put(writer, text.at, text.len);
}

static void run_flush(struct fray_replay_writer *writer)
{
    while (writer->run) {
        uint32_t steps = writer->run < RUN_MAX ? writer->run : RUN_MAX;
        put_byte(writer, RECORD_RUN | (steps - 1) << RECORD_KIND_BITS);
        writer->run -= steps;
    }
}

void fray_replay_writer_begin(struct fray_replay_writer *writer, const struct fray_game *game,
                              const struct fray_replay_header *header, void *memory)
{
    writer->game = game;
    writer->check = FRAY_GAME_HASH_START;
    writer->tick = writer->now_ms = writer->run = 0;
    writer->scratch = memory;
    writer->inputs = (char *)memory + scratch_size(game);
    writer->given = (uint8_t *)writer->inputs + (size_t)game->input_size * game->seats_max;
    __builtin_memset(writer->inputs, 0, (size_t)game->input_size * game->seats_max);
    __builtin_memset(writer->given, 0, game->seats_max);

    put(writer, RECORD_MAGIC, RECORD_MAGIC_LEN);
    put_byte(writer, FRAY_REPLAY_FORMAT);
    put_byte(writer, header->flags);
    put(writer, &game->version, sizeof game->version);
    put(writer, &header->rules, sizeof header->rules);
    put(writer, &header->seed, sizeof header->seed);
    put(writer, &header->started_ms, sizeof header->started_ms);
    put_text(writer, fray_replay_text_of(game->name));
    put_text(writer, header->match);
    put_byte(writer, game->options_count);
    put(writer, header->options, game->options_count * sizeof *header->options);
}

void fray_replay_writer_who(struct fray_replay_writer *writer, uint32_t seat, uint8_t level,
                            struct fray_replay_text name)
{
    run_flush(writer);
    put_byte(writer, RECORD_WHO);
    put_byte(writer, seat);
    put_byte(writer, level);
    put_text(writer, name);
}

void fray_replay_writer_join(struct fray_replay_writer *writer, uint32_t seat)
{
    run_flush(writer);
    put_byte(writer, RECORD_JOIN);
    put_byte(writer, seat);
}

void fray_replay_writer_leave(struct fray_replay_writer *writer, uint32_t seat)
{
    run_flush(writer);
    put_byte(writer, RECORD_LEAVE);
    put_byte(writer, seat);
}

/* ------------------------------------------------------------------ steps */

static bool seat_is_new(const struct fray_replay_writer *writer,
                        const struct fray_replay_step *step, uint32_t seat)
{
    const struct fray_game *game = writer->game;
    size_t at = (size_t)seat * game->input_size;

    if (!step->given[seat] != !writer->given[seat])
        return true;
    return step->given[seat] &&
           fray_delta_differs(game->input, FRAY_DELTA_PUBLIC, writer->inputs + at,
                              (const char *)step->inputs + at);
}

static void put_seats(struct fray_replay_writer *writer, const struct fray_replay_step *step,
                      struct fray_bits_writer *out)
{
    const struct fray_game *game = writer->game;
    uint32_t next = 0;

    for (uint32_t seat = 0; seat < game->seats_max; seat++) {
        if (!seat_is_new(writer, step, seat))
            continue;
        char *last = writer->inputs + (size_t)seat * game->input_size;
        const char *input = (const char *)step->inputs + (size_t)seat * game->input_size;
        fray_bits_put_golomb(out, seat - next, 0);
        fray_bits_put(out, step->given[seat] != 0, 1);
        if (step->given[seat]) {
            fray_delta_encode_flagged(game->input, FRAY_DELTA_PUBLIC, last, input, out);
            __builtin_memcpy(last, input, game->input_size);
            fray_game_release(game, last); /* against what is left the next is written */
        }
        writer->given[seat] = step->given[seat] != 0;
        next = seat + 1;
    }
    fray_bits_put_golomb(out, game->seats_max - next, 0);
}

static bool is_repeated(const struct fray_replay_step *step, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++)
        if (step->rewinds[i].seat == step->rewinds[number].seat)
            return true;
    return false;
}

static void put_rewinds(struct fray_replay_writer *writer, const struct fray_replay_step *step,
                        struct fray_bits_writer *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < step->rewinds_count; i++)
        count += !is_repeated(step, i);
    fray_bits_put(out, count != 0, 1);
    if (!count)
        return;
    fray_bits_put_golomb(out, count - 1, 0);
    for (uint32_t i = 0; i < step->rewinds_count; i++) {
        if (is_repeated(step, i))
            continue;
        fray_bits_put(out, step->rewinds[i].seat, 8);
        fray_bits_put_golomb(out, writer->tick * REWIND_UNIT - step->rewinds[i].view, 8);
    }
}

static bool is_like_before(const struct fray_replay_writer *writer,
                           const struct fray_replay_step *step)
{
    if (!writer->tick || step->rewinds_count || step->now_ms != writer->now_ms)
        return false;
    for (uint32_t seat = 0; seat < writer->game->seats_max; seat++)
        if (seat_is_new(writer, step, seat))
            return false;
    return true;
}

void fray_replay_writer_step(struct fray_replay_writer *writer, const struct fray_replay_step *step)
{
    bool is_like = is_like_before(writer, step);

    writer->tick++;
    if (is_like) {
        writer->run++;
        return;
    }
    struct fray_bits_writer out = fray_bits_writer(writer->scratch, scratch_size(writer->game));
    run_flush(writer);
    put_byte(writer, RECORD_STEP);
    fray_bits_put(&out, step->now_ms != writer->now_ms, 1);
    if (step->now_ms != writer->now_ms)
        fray_bits_put_golomb(&out, step->now_ms - writer->now_ms, TIME_ORDER);
    writer->now_ms = step->now_ms;
    put_seats(writer, step, &out);
    put_rewinds(writer, step, &out);
    put(writer, writer->scratch, fray_bits_finish(&out));
}

static void put_check(struct fray_replay_writer *writer, uint64_t hash)
{
    put(writer, &hash, sizeof hash);
    put(writer, &(uint32_t){(uint32_t)writer->check}, sizeof(uint32_t));
}

void fray_replay_writer_hash(struct fray_replay_writer *writer, uint64_t hash)
{
    run_flush(writer);
    put_byte(writer, RECORD_HASH);
    put_check(writer, hash);
}

void fray_replay_writer_end(struct fray_replay_writer *writer, const uint8_t *outcomes,
                            uint64_t hash)
{
    uint32_t count = 0;

    run_flush(writer);
    put_byte(writer, RECORD_END);
    for (uint32_t seat = 0; seat < writer->game->seats_max; seat++)
        count += outcomes[seat] != FRAY_GAME_NOBODY;
    put_byte(writer, count);
    for (uint32_t seat = 0; seat < writer->game->seats_max; seat++) {
        if (outcomes[seat] == FRAY_GAME_NOBODY)
            continue;
        put_byte(writer, seat);
        put_byte(writer, outcomes[seat]);
    }
    put_check(writer, hash);
}
