/* What hosts do with a game's tables, whatever the game: start, check, view, hash (fray/game.h).
 * Pure. */
#include "delta.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "hashes and WebAssembly are little-endian");

static int32_t option_bring_into_range(const struct fray_game_option *option, int32_t value)
{
    int64_t above = (int64_t)fray_game_clamp(value, option->min, option->max) - option->min;
    return (int32_t)(option->min + above - above % option->step);
}

void fray_game_init(const struct fray_game *game, void *state, uint64_t seed,
                    const int32_t *options)
{
    __builtin_memset(state, 0, game->state_size);
    int32_t *chosen = (int32_t *)(void *)((char *)state + game->options_offset);
    for (uint32_t i = 0; i < game->options_count; i++) {
        const struct fray_game_option *option = &game->options[i];
        chosen[i] = options ? option_bring_into_range(option, options[i]) : option->standard;
    }
    game->init(state, seed);
}

const char *fray_game_check(const struct fray_game *game, const void *state, uint32_t seat,
                            const void *input)
{
    struct fray_game_misfit misfit;

    if (fray_game_find_out_of_range(game, input, &misfit))
        return "out_of_range";
    return game->check(state, seat, input);
}

/* Rows that are not there are cleared too: what rules leave behind in them is nobody's business. */
void fray_game_view(const struct fray_game *game, const void *state, uint32_t seat, void *view)
{
    for (uint32_t t = 0; t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        const uint8_t *from = (const uint8_t *)state + table->offset;
        uint8_t *row = (uint8_t *)view + table->offset;
        for (uint32_t i = 0; i < table->rows; i++, row += table->stride, from += table->stride) {
            bool there = fray_delta_is_present(table, from);
            if (there && game->visible && table->present)
                there = game->visible(state, seat, t, i);
            if (!there) {
                __builtin_memset(row, 0, table->stride);
                continue;
            }
            __builtin_memcpy(row, from, table->stride);
            fray_delta_clear_secrets(table, row, fray_delta_owns(table, from, i, seat));
        }
    }
}

/* A zero byte only multiplies, so zeros are multiplied by together: views are mostly zeros. */
uint64_t fray_game_hash(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = (const uint8_t *)bytes;
    uint64_t words[4];

    for (; len >= sizeof words; at += sizeof words, len -= sizeof words) {
        __builtin_memcpy(words, at, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) == 0)
            hash *= 0x558b2e6a2f64081u; /* 0x100000001b3^32 modulo 2^64 */
        else
            for (size_t i = 0; i < sizeof words; i++)
                hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

void fray_game_release(const struct fray_game *game, void *input)
{
    for (uint32_t i = 0; i < game->input->fields_count; i++) {
        const struct fray_game_field *field = &game->input->fields[i];
        if (field->flags & FRAY_GAME_ONCE)
            __builtin_memset((char *)input + field->offset, 0,
                             (size_t)field->count * (field->type & 7u));
    }
}

const struct fray_game_table *fray_game_players(const struct fray_game *game)
{
    for (uint32_t i = 0; i < game->tables_count; i++) {
        if (game->tables[i].owner == FRAY_GAME_ROW && game->tables[i].present)
            return &game->tables[i];
    }
    return NULL;
}
