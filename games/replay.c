/* Plays a recorded match again (replay.h). Every record is checked before the rules hear of it;
 * whatever the bytes are, what is read lies within them and what is written in the player's memory.
 */
#include "replay.h"

#include "delta.h"
#include "replay_format.h"

const char *fray_replay_fault_text(enum fray_replay_fault fault)
{
    static const char *const texts[] = {"good",        "truncated", "not a replay", "another game",
                                        "other rules", "malformed", "damaged",      "differs"};
    return texts[fault];
}

/* ------------------------------------------------------------------ bytes */

struct bytes {
    const uint8_t *at, *end;
    bool is_short; /* more was asked for than there is: that read as zero */
};

static void take(struct bytes *in, void *out, size_t len)
{
    if ((size_t)(in->end - in->at) < len) {
        in->is_short = true;
        in->at = in->end;
        __builtin_memset(out, 0, len);
        return;
    }
    __builtin_memcpy(out, in->at, len);
    in->at += len;
}

static uint8_t take_byte(struct bytes *in)
{
    uint8_t byte;

    take(in, &byte, 1);
    return byte;
}

static struct fray_replay_text take_text(struct bytes *in)
{
    struct fray_replay_text text = {NULL, take_byte(in)};

    if ((size_t)(in->end - in->at) < text.len) {
        in->is_short = true;
        return (struct fray_replay_text){0};
    }
    if (text.len)
        text.at = (const char *)in->at;
    in->at += text.len;
    return text;
}

static bool text_equal(struct fray_replay_text a, struct fray_replay_text b)
{
    uint32_t i = 0;

    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i == a.len && i == b.len;
}

bool fray_replay_header_decode(const void *bytes, size_t len, struct fray_replay_header *header,
                               size_t *header_len)
{
    struct bytes in = {bytes, (const uint8_t *)bytes + len, false};
    char magic[RECORD_MAGIC_LEN];

    *header = (struct fray_replay_header){0};
    take(&in, magic, sizeof magic);
    uint8_t format = take_byte(&in);
    if (!text_equal((struct fray_replay_text){magic, sizeof magic},
                    fray_replay_text_of(RECORD_MAGIC)) ||
        format != FRAY_REPLAY_FORMAT)
        return false;
    header->flags = take_byte(&in);
    take(&in, &header->version, sizeof header->version);
    take(&in, &header->rules, sizeof header->rules);
    take(&in, &header->seed, sizeof header->seed);
    take(&in, &header->started_ms, sizeof header->started_ms);
    header->game = take_text(&in);
    header->match = take_text(&in);
    header->options_count = take_byte(&in);
    if (header->options_count > FRAY_REPLAY_OPTIONS_MAX)
        return false;
    take(&in, header->options, header->options_count * sizeof *header->options);
    *header_len = (size_t)(in.at - (const uint8_t *)bytes);
    return !in.is_short;
}

/* ------------------------------------------------------------------ memory */

/* A frame, and behind it everything that a keyframe copies. */
struct layout {
    size_t seats, state, past, inputs, given, size;
    uint32_t past_states;
};

static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Lag compensation goes half a second back at most (docs/games.md). Others keep the last step's. */
static struct layout layout_of(const struct fray_game *game)
{
    struct layout layout = {.past_states = game->tick_hz ? game->tick_hz / 2u + 3 : 1};

    layout.seats = aligned(sizeof(struct fray_replay_frame));
    layout.state = aligned(layout.seats + game->seats_max * sizeof(struct fray_replay_seat));
    layout.past = aligned(layout.state + game->state_size);
    layout.inputs = aligned(layout.past + (size_t)game->state_size * layout.past_states);
    layout.given = aligned(layout.inputs + (size_t)game->input_size * game->seats_max);
    layout.size = aligned(layout.given + game->seats_max);
    return layout;
}

size_t fray_replay_size(const struct fray_game *game)
{
    return layout_of(game).size * (1 + FRAY_REPLAY_KEYFRAMES);
}

static void memory_set(struct fray_replay *replay, void *memory)
{
    struct layout layout = layout_of(replay->game);
    char *at = memory;

    __builtin_memset(memory, 0, layout.size);
    replay->frame = memory;
    replay->seats = (struct fray_replay_seat *)(void *)(at + layout.seats);
    replay->state = at + layout.state;
    replay->past = at + layout.past;
    replay->inputs = at + layout.inputs;
    replay->given = (uint8_t *)at + layout.given;
    replay->keyframes = at + layout.size;
    replay->interval = replay->game->tick_hz ? 10u * replay->game->tick_hz : 16;
}

/* When there is no room, every other one goes, and they are twice as far apart. */
static void keyframe_keep(struct fray_replay *replay)
{
    size_t size = layout_of(replay->game).size;

    if (replay->frame->tick != replay->keyframes_count * (uint64_t)replay->interval ||
        replay->frame->is_over)
        return;
    if (replay->keyframes_count == FRAY_REPLAY_KEYFRAMES) {
        for (uint32_t i = 1; i < FRAY_REPLAY_KEYFRAMES / 2; i++)
            __builtin_memcpy(replay->keyframes + i * size, replay->keyframes + 2 * i * size, size);
        replay->keyframes_count = FRAY_REPLAY_KEYFRAMES / 2;
        replay->interval *= 2;
    }
    __builtin_memcpy(replay->keyframes + replay->keyframes_count++ * size, replay->frame, size);
}

/* ------------------------------------------------------------------ records */

static void stop(struct fray_replay *replay, enum fray_replay_fault fault)
{
    replay->frame->is_over = 1;
    replay->is_complete = true;
    if (fault && !replay->fault) {
        replay->fault = fault;
        replay->fault_tick = replay->frame->tick;
    }
}

/* The check runs over all bytes up to `end`. */
static uint64_t check_upto(struct fray_replay *replay, size_t end)
{
    struct fray_replay_frame *frame = replay->frame;

    frame->check =
        fray_game_hash(frame->check, replay->bytes + frame->checked, end - (size_t)frame->checked);
    frame->checked = end;
    return frame->check;
}

/* Hash and check of HASH and END. False: damaged. */
static bool hash_compare(struct fray_replay *replay, struct bytes *in)
{
    const struct fray_game *game = replay->game;
    uint64_t recorded;
    uint32_t check;

    take(in, &recorded, sizeof recorded);
    size_t checked = (size_t)(in->at - replay->bytes);
    take(in, &check, sizeof check);
    if (in->is_short)
        return false;
    if (check != (uint32_t)check_upto(replay, checked)) {
        stop(replay, FRAY_REPLAY_DAMAGED);
        return false;
    }
    bool is_equal =
        recorded == fray_game_hash(FRAY_GAME_HASH_START, replay->state, game->state_size);
    if (!is_equal && !replay->fault) {
        replay->fault = FRAY_REPLAY_DIFFERS;
        replay->fault_tick = replay->frame->tick;
    }
    bool is_new = !replay->hashes || replay->frame->tick > replay->hashed_tick;
    if (is_equal && is_new && !replay->fault) {
        replay->hashed_tick = replay->frame->tick;
        replay->hashes++;
    }
    return true;
}

static bool end_read(struct fray_replay *replay, struct bytes *in)
{
    uint32_t count = take_byte(in);

    for (uint32_t i = 0; i < count; i++) {
        uint8_t seat = take_byte(in), outcome = take_byte(in);
        if (seat >= replay->game->seats_max || outcome > FRAY_GAME_DRAWN)
            return false;
        replay->outcomes[seat] = outcome;
    }
    if (!hash_compare(replay, in))
        return true; /* short or damaged */
    stop(replay, FRAY_REPLAY_GOOD);
    return in->at == in->end;
}

static bool seat_read(struct fray_replay *replay, uint32_t kind, struct bytes *in,
                      struct fray_game_events *events)
{
    const struct fray_game *game = replay->game;
    uint8_t seat = take_byte(in);

    if (in->is_short)
        return true;
    if (seat >= game->seats_max)
        return false;
    struct fray_replay_seat *known = &replay->seats[seat];
    replay->comings += kind != RECORD_WHO;
    if (kind == RECORD_WHO) {
        known->level = take_byte(in);
        struct fray_replay_text name = take_text(in);
        known->name_len = name.len;
        known->name_at = name.len ? (uint32_t)((const uint8_t *)name.at - replay->bytes) : 0;
    } else if (kind == RECORD_JOIN && known->is_present) { /* rules are promised a free seat */
        return false;
    } else if (kind == RECORD_JOIN) {
        game->join(replay->state, seat, events);
        known->is_present = 1;
    } else {
        game->leave(replay->state, seat, events);
        known->is_present = 0;
    }
    return true;
}

/* A record that is no step. False: malformed. */
static bool record_read(struct fray_replay *replay, uint32_t kind, struct bytes *in,
                        struct fray_game_events *events)
{
    switch (kind) {
    case RECORD_WHO:
    case RECORD_JOIN:
    case RECORD_LEAVE: return seat_read(replay, kind, in, events);
    case RECORD_HASH: (void)hash_compare(replay, in); return true;
    case RECORD_END: return end_read(replay, in);
    default: return false;
    }
}

/* All up to the next step. */
static void advance(struct fray_replay *replay, struct fray_game_events *events)
{
    struct fray_replay_frame *frame = replay->frame;

    while (!frame->is_over && !frame->run) {
        struct bytes in = {replay->bytes + frame->at, replay->bytes + replay->len, false};
        if (in.at == in.end) {
            stop(replay, FRAY_REPLAY_TRUNCATED);
            return;
        }
        uint32_t kind = *in.at & ((1u << RECORD_KIND_BITS) - 1), n = *in.at >> RECORD_KIND_BITS;
        in.at++;
        if (kind == RECORD_STEP && !n)
            return;
        if (kind == RECORD_RUN && frame->has_stepped) {
            frame->run = n + 1;
        } else if (n || !record_read(replay, kind, &in, events)) {
            stop(replay, FRAY_REPLAY_MALFORMED);
            return;
        }
        if (in.is_short) {
            stop(replay, FRAY_REPLAY_TRUNCATED);
            return;
        }
        frame->at = (uint64_t)(in.at - replay->bytes);
    }
}

/* ------------------------------------------------------------------ steps */

static char *past_at(const struct fray_replay *replay, uint32_t tick)
{
    const struct fray_game *game = replay->game;

    return replay->past + (size_t)(tick % layout_of(game).past_states) * game->state_size;
}

static bool rewind_answer(void *host, uint32_t seat, struct fray_game_past *past)
{
    const struct fray_replay *replay = host;

    for (uint32_t i = 0; i < replay->rewinds_count; i++) {
        if (replay->rewinds[i].seat != seat)
            continue;
        past->older = past_at(replay, replay->rewinds[i].older);
        past->newer = past_at(replay, replay->rewinds[i].older + 1);
        past->fraction = replay->rewinds[i].fraction;
        return true;
    }
    return false;
}

static bool seats_decode(struct fray_replay *replay, struct fray_bits_reader *in)
{
    const struct fray_game *game = replay->game;
    uint32_t seat = 0;

    for (;; seat++) {
        uint32_t gap = fray_bits_take_golomb(in, 0);
        if (in->is_bad || gap > game->seats_max - seat)
            return false;
        seat += gap;
        if (seat == game->seats_max)
            return true;
        replay->given[seat] = (uint8_t)fray_bits_take(in, 1);
        if (replay->given[seat])
            fray_delta_decode_flagged(game->input, FRAY_DELTA_PUBLIC,
                                      replay->inputs + (size_t)seat * game->input_size, in);
    }
}

/* Both states must be in the ring: the newest is the one that this step begins with. */
static bool rewinds_decode(struct fray_replay *replay, struct fray_bits_reader *in)
{
    uint64_t end = (uint64_t)replay->frame->tick + 1; /* after this step */
    uint32_t states = layout_of(replay->game).past_states;

    replay->rewinds_count = 0;
    if (!fray_bits_take(in, 1))
        return !in->is_bad;
    uint32_t count = fray_bits_take_golomb(in, 0) + 1;
    for (uint32_t i = 0; i < count && i < replay->game->seats_max; i++) {
        uint32_t seat = fray_bits_take(in, 8);
        uint64_t back = fray_bits_take_golomb(in, 8);
        if (in->is_bad || back > end * REWIND_UNIT)
            return false;
        uint64_t view = end * REWIND_UNIT - back;
        if (view / REWIND_UNIT + 2 > end || view / REWIND_UNIT + states < end)
            return false;
        replay->rewinds[replay->rewinds_count++] =
            (struct fray_replay_past){seat, (uint32_t)(view / REWIND_UNIT), view % REWIND_UNIT};
    }
    return !in->is_bad && count <= replay->game->seats_max;
}

/* The record of a step. False: stopped. */
static bool step_decode(struct fray_replay *replay)
{
    struct fray_replay_frame *frame = replay->frame;
    size_t start = (size_t)frame->at + 1;
    struct fray_bits_reader in = fray_bits_reader(replay->bytes + start, replay->len - start);
    uint32_t passed_ms = 0;

    if (fray_bits_take(&in, 1))
        passed_ms = fray_bits_take_golomb(&in, TIME_ORDER);
    bool is_good = passed_ms <= UINT32_MAX - frame->now_ms && seats_decode(replay, &in) &&
                   rewinds_decode(replay, &in);
    is_good = is_good && !fray_bits_take(&in, (8 - in.at % 8) % 8) && !in.is_bad;
    if (!is_good) {
        bool is_short = in.is_bad && replay->len - start - in.at / 8 < 16;
        stop(replay, is_short ? FRAY_REPLAY_TRUNCATED : FRAY_REPLAY_MALFORMED);
        return false;
    }
    frame->now_ms += passed_ms;
    frame->at = start + in.at / 8;
    frame->has_stepped = 1;
    return true;
}

bool fray_replay_step(struct fray_replay *replay, struct fray_game_events *events)
{
    const struct fray_game *game = replay->game;
    struct fray_replay_frame *frame = replay->frame;

    replay->rewinds_count = replay->comings = 0;
    if (frame->is_over)
        return false;
    if (frame->run)
        frame->run--;
    else if (!step_decode(replay))
        return false;
    if (!frame->tick)
        __builtin_memcpy(past_at(replay, 0), replay->state, game->state_size);
    game->step(replay->state, &(struct fray_game_step){
                                  .inputs = replay->inputs,
                                  .given = replay->given,
                                  .now_ms = frame->now_ms,
                                  .events = events,
                                  .rewind = game->tick_hz ? rewind_answer : NULL,
                                  .host = replay,
                              });
    for (uint32_t seat = 0; seat < game->seats_max; seat++)
        if (replay->given[seat])
            fray_game_release(game, replay->inputs + (size_t)seat * game->input_size);
    frame->tick++;
    __builtin_memcpy(past_at(replay, frame->tick), replay->state, game->state_size);
    advance(replay, events);
    if (frame->tick > replay->ticks_max)
        replay->ticks_max = frame->tick;
    keyframe_keep(replay);
    return true;
}

/* ------------------------------------------------------------------ the whole */

bool fray_replay_open(struct fray_replay *replay, const struct fray_game *game, uint64_t rules,
                      const void *bytes, size_t len, void *memory)
{
    size_t header_len;

    *replay = (struct fray_replay){.game = game, .bytes = bytes, .len = len};
    __builtin_memset(replay->outcomes, FRAY_GAME_NOBODY, sizeof replay->outcomes);
    if (!fray_replay_header_decode(bytes, len, &replay->header, &header_len))
        replay->fault = FRAY_REPLAY_FOREIGN;
    else if (!text_equal(replay->header.game, fray_replay_text_of(game->name)))
        replay->fault = FRAY_REPLAY_OTHER_GAME;
    else if (replay->header.rules != rules || replay->header.options_count != game->options_count)
        replay->fault = FRAY_REPLAY_OTHER_RULES;
    if (replay->fault)
        return false;
    memory_set(replay, memory);
    replay->frame->at = header_len;
    replay->frame->check = FRAY_GAME_HASH_START;
    fray_game_init(game, replay->state, replay->header.seed, replay->header.options);
    advance(replay, NULL);
    keyframe_keep(replay);
    return true;
}

void fray_replay_seek(struct fray_replay *replay, uint32_t tick)
{
    size_t size = layout_of(replay->game).size;
    uint32_t nearest = tick / replay->interval;

    if (replay->keyframes_count && nearest >= replay->keyframes_count)
        nearest = replay->keyframes_count - 1;
    bool is_ahead = nearest * (uint64_t)replay->interval > replay->frame->tick;
    if (replay->keyframes_count && (tick < replay->frame->tick || is_ahead))
        __builtin_memcpy(replay->frame, replay->keyframes + nearest * size, size);
    while (replay->frame->tick < tick && fray_replay_step(replay, NULL))
        continue;
}

const void *fray_replay_stepped(const struct fray_replay *replay)
{
    return replay->frame->tick ? past_at(replay, replay->frame->tick) : replay->state;
}

enum fray_replay_fault fray_replay_verify(struct fray_replay *replay)
{
    while (fray_replay_step(replay, NULL))
        continue;
    return replay->fault;
}

struct fray_replay_text fray_replay_name(const struct fray_replay *replay, uint32_t seat)
{
    const struct fray_replay_seat *known = &replay->seats[seat];

    return (struct fray_replay_text){(const char *)replay->bytes + known->name_at, known->name_len};
}
