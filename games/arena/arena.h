/* The arena's state: up to 250 players on one map with obstacles. Places are those of a player's
 * top left corner, in 1/256 px. */
#ifndef FRAY_GAMES_ARENA_H
#define FRAY_GAMES_ARENA_H

#include "fray/game.h"

enum {
    ARENA_SEATS = 250,
    ARENA_OBSTACLES = 32,
    ARENA_PX = 256,
    ARENA_SIDE_PX = 10, /* of a player */
    ARENA_SIDE = ARENA_SIDE_PX * ARENA_PX,
    ARENA_HP = 100,
    ARENA_DAMAGE = 10,
    ARENA_RANGE = 10 * ARENA_PX, /* of an attack, from corner to corner, inclusive */
    ARENA_STEP = 5 * ARENA_PX,   /* the furthest that one tick moves */
    ARENA_REACH = 64 * ARENA_PX, /* how far away a move may aim; beyond it is a teleport */
    ARENA_MAP_MAX_PX = 8000,
};

/* Steering goes on until told otherwise; a target is walked to, then stood on. */
enum arena_mode { ARENA_STEER, ARENA_TARGET };

#define ARENA_OPTIONS(O, T)                                                                        \
    O(T, width, 100, ARENA_MAP_MAX_PX, 1, 500, "of the map, px")                                   \
    O(T, height, 100, ARENA_MAP_MAX_PX, 1, 500, "of the map, px")                                  \
    O(T, spawn, 0, ARENA_MAP_MAX_PX, 1, 100,                                                       \
      "side of the square at the top left where players appear, px; 0: anywhere")                  \
    O(T, obstacles, 0, ARENA_OBSTACLES, 1, 8, "how many")                                          \
    O(T, sight, 50, ARENA_MAP_MAX_PX, 1, 500, "how far a player sees to each side, px")            \
    O(T, cooldown_ticks, 1, 300, 1, 10, "between two attacks")                                     \
    O(T, respawn_ticks, 1, 900, 1, 90, "between death and return")                                 \
    O(T, goal, 0, 1000, 1, 0, "kills that win; 0: endless")

struct arena_options {
    ARENA_OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};

struct arena_match {
    uint32_t tick;
    uint32_t random[4];
    uint8_t winner; /* seat; FRAY_GAME_NOBODY while it goes on, or when another has that seat now */
    uint8_t over;
    uint8_t reserved[2];
};

struct arena_player {
    int32_t x, y;
    int32_t target_x, target_y; /* in mode ARENA_TARGET */
    uint32_t ready_tick;        /* the next attack is possible from here on */
    uint32_t respawn_tick;      /* while dead; 0 in views of others */
    uint16_t score;             /* kills */
    uint16_t deaths;
    uint8_t hp;     /* 0: dead */
    uint8_t swings; /* attacks made, modulo 256: pages draw one when it changes */
    uint8_t mode;   /* enum arena_mode */
    uint8_t present;
    int8_t dx, dy; /* direction and pace of ARENA_STEER: ±127 is full pace */
    uint8_t reserved[2];
};

struct arena_obstacle {           /* px */
    uint16_t x, y, width, height; /* width 0: none */
};

struct arena_state {
    struct arena_match match;
    struct arena_player players[ARENA_SEATS];
    struct arena_obstacle obstacles[ARENA_OBSTACLES];
    struct arena_options options;
};

struct arena_input {
    int32_t x, y; /* the target, in mode ARENA_TARGET */
    int8_t dx, dy;
    uint8_t mode;
    uint8_t attack;
};

struct arena_memory {
    uint32_t random[4];
    uint32_t level;
    int32_t goal_x, goal_y; /* where it roams to */
    int32_t last_x, last_y; /* where it was at the last look */
    uint32_t look_tick;     /* of the next look at whether it is stuck */
    uint32_t roam_tick;     /* until then it hunts nobody */
};

extern const struct fray_game fray_arena;

/* map.c */
void arena_map_make(struct arena_state *state);
/* Moves a player by (dx, dy), each at most ARENA_STEP: bounds and obstacles stop one direction, it
 * slides along in the other. */
void arena_map_move(const struct arena_state *state, struct arena_player *player, int32_t dx,
                    int32_t dy);
void arena_map_spawn(struct arena_state *state, struct arena_player *player);
bool arena_map_free(const struct arena_state *state, int32_t x, int32_t y);

/* bot.c */
void arena_bot_init(void *memory, uint32_t level, uint64_t seed);
bool arena_bot(const void *view, uint32_t seat, void *memory, void *input);

#endif
