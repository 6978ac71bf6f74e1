/* Bullets fly straight until they meet the enemy, a platform or the end of the map. */
#include "duel/duel.h"

enum {
    PARTS = 3, /* of a tick's way, 4 px each: nothing is thin enough to be missed in between */
    MARGIN = 32 * DUEL_PX,
    CEILING = -200 * DUEL_PX, /* above the highest jump */
};

/* Towards the mouse; straight ahead when the mouse is on the gun. Without a free row there is no
 * shot. */
void duel_bullet_fire(struct duel_state *state, uint32_t seat)
{
    const struct duel_player *player = &state->players[seat];
    int32_t gun_x = player->x, gun_y = player->y - DUEL_GUN_ABOVE_FEET;
    int32_t dx = player->aim_x * DUEL_PX - gun_x, dy = player->aim_y * DUEL_PX - gun_y;

    if (dx == 0 && dy == 0)
        dx = seat == 0 ? 1 : -1;
    fray_game_scale(&dx, &dy, DUEL_BULLET_SPEED);
    for (uint32_t i = 0; i < DUEL_BULLETS_EACH; i++) {
        struct duel_bullet *bullet = &state->bullets[seat * DUEL_BULLETS_EACH + i];
        if (bullet->flying)
            continue;
        *bullet = (struct duel_bullet){
            .x = gun_x,
            .y = gun_y,
            .velocity_x = (int16_t)dx,
            .velocity_y = (int16_t)dy,
            .flying = 1,
            .seat = (uint8_t)seat,
        };
        return;
    }
}

bool duel_platform_at(const struct duel_state *state, int32_t x, int32_t y)
{
    for (int i = 0; i < DUEL_PLATFORMS; i++) {
        const struct duel_platform *platform = &state->platforms[i];
        if (x >= platform->x * DUEL_PX && x < (platform->x + platform->width) * DUEL_PX &&
            y >= platform->y * DUEL_PX && y < (platform->y + platform->height) * DUEL_PX)
            return true;
    }
    return false;
}

static bool player_at(const struct duel_player *player, int32_t x, int32_t y)
{
    return player->present && player->hp && x >= player->x - DUEL_PLAYER_HALF &&
           x <= player->x + DUEL_PLAYER_HALF && y >= player->y - DUEL_PLAYER_TALL && y <= player->y;
}

static bool outside(int32_t x, int32_t y)
{
    return x < -MARGIN || x > DUEL_WIDTH + MARGIN || y < CEILING || y > DUEL_HEIGHT + MARGIN;
}

/* Returns whether it hit the enemy. */
static bool bullet_move(const struct duel_state *state, struct duel_bullet *bullet)
{
    const struct duel_player *enemy = &state->players[!bullet->seat];
    int32_t from_x = bullet->x, from_y = bullet->y;

    for (int part = 1; part <= PARTS; part++) {
        bullet->x = from_x + bullet->velocity_x * part / PARTS;
        bullet->y = from_y + bullet->velocity_y * part / PARTS;
        bool hit = player_at(enemy, bullet->x, bullet->y);
        if (hit || outside(bullet->x, bullet->y) || duel_platform_at(state, bullet->x, bullet->y)) {
            *bullet = (struct duel_bullet){0};
            return hit;
        }
    }
    return false;
}

void duel_bullets_move(struct duel_state *state, uint32_t hits[DUEL_SEATS])
{
    hits[0] = 0;
    hits[1] = 0;
    for (uint32_t i = 0; i < DUEL_BULLETS; i++) {
        struct duel_bullet *bullet = &state->bullets[i];
        uint32_t enemy = !bullet->seat;
        if (bullet->flying && bullet_move(state, bullet))
            hits[enemy]++;
    }
}
