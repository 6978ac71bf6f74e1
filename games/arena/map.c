/* The arena's map: obstacles, where one may stand, sliding along what is in the way. */
#include "arena/arena.h"

enum { OBSTACLE_MIN_PX = 20, OBSTACLE_MAX_PX = 60, SPAWN_TRIES = 16 };

static bool overlaps(const struct arena_obstacle *obstacle, int32_t x, int32_t y)
{
    return x < (obstacle->x + obstacle->width) * ARENA_PX &&
           x + ARENA_SIDE > obstacle->x * ARENA_PX &&
           y < (obstacle->y + obstacle->height) * ARENA_PX &&
           y + ARENA_SIDE > obstacle->y * ARENA_PX;
}

static const struct arena_obstacle *obstacle_at(const struct arena_state *state, int32_t x,
                                                int32_t y)
{
    for (int32_t i = 0; i < state->options.obstacles; i++)
        if (state->obstacles[i].width && overlaps(&state->obstacles[i], x, y))
            return &state->obstacles[i];
    return NULL;
}

bool arena_map_free(const struct arena_state *state, int32_t x, int32_t y)
{
    return !obstacle_at(state, x, y);
}

/* The corner where players appear stays free, so that there is always a place to stand. */
void arena_map_make(struct arena_state *state)
{
    int32_t keep_out = state->options.spawn + 2 * ARENA_SIDE_PX;

    for (int32_t i = 0; i < state->options.obstacles; i++) {
        uint32_t *random = state->match.random;
        int32_t width = fray_game_random_range(random, OBSTACLE_MIN_PX, OBSTACLE_MAX_PX);
        int32_t height = fray_game_random_range(random, OBSTACLE_MIN_PX, OBSTACLE_MAX_PX);
        int32_t x = fray_game_random_range(random, 0, state->options.width - width);
        int32_t y = fray_game_random_range(random, 0, state->options.height - height);
        if (x >= keep_out || y >= keep_out)
            state->obstacles[i] = (struct arena_obstacle){(uint16_t)x, (uint16_t)y, (uint16_t)width,
                                                          (uint16_t)height};
    }
}

/* One axis after the other. A tick's way is shorter than any obstacle, so nobody jumps over one;
 * what was hit last decides where to stop, and two that touch stop it at the nearer edge, hence the
 * loop. */
void arena_map_move(const struct arena_state *state, struct arena_player *player, int32_t dx,
                    int32_t dy)
{
    const struct arena_obstacle *hit;
    int32_t x = fray_game_clamp(player->x + dx, 0, state->options.width * ARENA_PX - ARENA_SIDE);
    while (dx && (hit = obstacle_at(state, x, player->y)))
        x = dx > 0 ? hit->x * ARENA_PX - ARENA_SIDE : (hit->x + hit->width) * ARENA_PX;
    player->x = x;

    int32_t y = fray_game_clamp(player->y + dy, 0, state->options.height * ARENA_PX - ARENA_SIDE);
    while (dy && (hit = obstacle_at(state, player->x, y)))
        y = dy > 0 ? hit->y * ARENA_PX - ARENA_SIDE : (hit->y + hit->height) * ARENA_PX;
    player->y = y;
}

/* Anywhere allowed that is free; after many misses the free corner. */
void arena_map_spawn(struct arena_state *state, struct arena_player *player)
{
    int32_t max_x = state->options.width - ARENA_SIDE_PX,
            max_y = state->options.height - ARENA_SIDE_PX;

    if (state->options.spawn) {
        max_x = fray_game_clamp(state->options.spawn, 0, max_x);
        max_y = fray_game_clamp(state->options.spawn, 0, max_y);
    }
    for (int i = 0; i < SPAWN_TRIES; i++) {
        player->x = fray_game_random_range(state->match.random, 0, max_x) * ARENA_PX;
        player->y = fray_game_random_range(state->match.random, 0, max_y) * ARENA_PX;
        if (arena_map_free(state, player->x, player->y))
            return;
    }
    player->x = 0;
    player->y = 0;
}
