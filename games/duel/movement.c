/* How duellists walk, jump, fall and land. */
#include "duel/duel.h"

enum { FELL_BELOW = DUEL_HEIGHT + 64 * DUEL_PX };

/* Symmetric about the middle, so that neither side is better. */
void duel_platforms_make(struct duel_platform platforms[DUEL_PLATFORMS])
{
    static const struct duel_platform map[DUEL_PLATFORMS] = {
        {40, 480, 360, 24},  {560, 480, 360, 24}, {390, 390, 180, 16},
        {130, 300, 220, 16}, {610, 300, 220, 16}, {370, 210, 220, 16},
    };

    for (int i = 0; i < DUEL_PLATFORMS; i++)
        platforms[i] = map[i];
}

static bool above(const struct duel_platform *platform, int32_t x)
{
    return x + DUEL_PLAYER_HALF > platform->x * DUEL_PX &&
           x - DUEL_PLAYER_HALF < (platform->x + platform->width) * DUEL_PX;
}

bool duel_supported(const struct duel_state *state, int32_t x, int32_t y)
{
    for (int i = 0; i < DUEL_PLATFORMS; i++)
        if (state->platforms[i].y * DUEL_PX == y && above(&state->platforms[i], x))
            return true;
    return false;
}

/* Lands on the first top that the feet cross on their way down. */
static void player_fall(const struct duel_state *state, struct duel_player *player)
{
    int32_t velocity =
        fray_game_clamp(player->velocity_y + DUEL_GRAVITY, -DUEL_JUMP, DUEL_FALL_MAX);
    int32_t to = player->y + velocity;

    for (int i = 0; i < DUEL_PLATFORMS && velocity >= 0; i++) {
        int32_t top = state->platforms[i].y * DUEL_PX;
        if (top >= player->y && top <= to && above(&state->platforms[i], player->x)) {
            to = top;
            velocity = 0;
            player->grounded = 1;
        }
    }
    player->y = to;
    player->velocity_y = (int16_t)velocity;
}

void duel_player_move(const struct duel_state *state, struct duel_player *player, bool jump,
                      bool careful)
{
    int32_t x = fray_game_clamp(player->x + player->walk * DUEL_WALK, DUEL_PLAYER_HALF,
                                DUEL_WIDTH - DUEL_PLAYER_HALF);

    if (player->grounded && careful && !duel_supported(state, x, player->y))
        x = player->x;
    player->velocity_x = (int16_t)(x - player->x);
    player->x = x;
    if (player->grounded && jump) {
        player->grounded = 0;
        player->velocity_y = -DUEL_JUMP;
    } else if (player->grounded && !duel_supported(state, x, player->y)) {
        player->grounded = 0;
    }
    if (!player->grounded)
        player_fall(state, player);
}

bool duel_player_fell(const struct duel_player *player)
{
    return player->y > FELL_BELOW;
}
