/* The duel's state: two players, platforms, bullets. Places are in 1/256 px, y points down, as on a
 * canvas. */
#ifndef FRAY_GAMES_DUEL_H
#define FRAY_GAMES_DUEL_H

#include "fray/game.h"

enum {
    DUEL_SEATS = 2,
    DUEL_PLATFORMS = 6,
    DUEL_BULLETS_EACH = 8, /* a bullet leaves the map before the ninth shot, see cooldown_ticks */
    DUEL_BULLETS = DUEL_SEATS * DUEL_BULLETS_EACH,
    DUEL_PX = 256,
    DUEL_WIDTH = 960 * DUEL_PX,
    DUEL_HEIGHT = 540 * DUEL_PX,
    DUEL_PLAYER_HALF = 10 * DUEL_PX, /* of its width */
    DUEL_PLAYER_TALL = 32 * DUEL_PX,
    DUEL_GUN_ABOVE_FEET = 20 * DUEL_PX,
    /* Per tick of 1/60 s. */
    DUEL_WALK = 3 * DUEL_PX,
    DUEL_JUMP = 10 * DUEL_PX + DUEL_PX / 2, /* 105 px high */
    DUEL_GRAVITY = DUEL_PX / 2,
    DUEL_FALL_MAX = 12 * DUEL_PX,
    DUEL_BULLET_SPEED = 12 * DUEL_PX,
};

enum duel_phase {
    DUEL_WAITING,   /* for the second player; the first may look around */
    DUEL_COUNTDOWN, /* both stand where they begin */
    DUEL_PLAYING,
    DUEL_ROUND_OVER,
    DUEL_OVER, /* until both ask for a rematch */
};

#define DUEL_OPTIONS(O, T)                                                                         \
    O(T, hits, 1, 100, 1, 5, "hits that kill")                                                     \
    O(T, rounds, 1, 20, 1, 3, "rounds that win the match")                                         \
    O(T, cooldown_ticks, 12, 120, 1, 15, "between two shots")                                      \
    O(T, countdown_ticks, 0, 600, 1, 60, "before each round")                                      \
    O(T, pause_ticks, 1, 600, 1, 90, "after each round")                                           \
    O(T, round_ticks, 0, 36000, 1, 5400, "until a round goes to who was hit less; 0: no limit")    \
    O(T, bot_error, 0, 500, 1, 60, "at first, px that a bot aims beside the target at 1000 px")    \
    O(T, bot_error_max, 1, 999, 1, 400, "the most that losing makes of it")                        \
    O(T, bot_error_half, 1, 100, 1, 8, "losses that bring it half way there")                      \
    O(T, bot_sharpens, 0, 1, 1, 0, "whether a bot's win takes back one of its losses")

struct duel_options {
    DUEL_OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};

struct duel_match {
    uint32_t tick;
    uint32_t until_tick; /* the phase ends, or FRAY_GAME_NEVER */
    uint16_t round;      /* of this match, from 1 */
    uint16_t matches;    /* begun so far */
    uint8_t phase;       /* enum duel_phase */
    uint8_t winner;      /* of the last round or the match, or FRAY_GAME_NOBODY */
    uint8_t reserved[2];
};

struct duel_player {
    int32_t x, y; /* middle of the feet */
    int16_t velocity_x, velocity_y;
    int16_t aim_x, aim_y; /* the mouse, px */
    uint32_t ready_tick;  /* the next shot is possible from here on */
    uint16_t won, lost;   /* rounds since joining, over all matches */
    uint8_t wins;         /* rounds of this match */
    uint8_t hp;           /* hits left */
    int8_t walk;          /* the key that is held: −1 left, 1 right */
    uint8_t grounded;
    uint8_t present;
    uint8_t rematch;
    uint8_t reserved[2];
};

/* A seat's bullets are rows seat × DUEL_BULLETS_EACH and on, so that a client that predicts its own
 * shot takes the same row. */
struct duel_bullet {
    int32_t x, y;
    int16_t velocity_x, velocity_y;
    uint8_t flying;
    uint8_t seat;
    uint8_t reserved[2];
};

struct duel_platform { /* px. Solid for bullets; players stand on its top and pass it from below */
    int16_t x, y, width, height;
};

struct duel_state {
    struct duel_match match;
    struct duel_player players[DUEL_SEATS];
    struct duel_bullet bullets[DUEL_BULLETS];
    struct duel_platform platforms[DUEL_PLATFORMS];
    struct duel_options options;
};

struct duel_input {
    int16_t aim_x, aim_y;
    int8_t walk;
    uint8_t jump;
    uint8_t fire;
    uint8_t rematch;
};

struct duel_memory {
    uint32_t random[4];
    uint32_t level;      /* 0 aims worst and reacts slowest */
    uint32_t losses;     /* that count for its aim */
    uint16_t won, lost;  /* last seen */
    uint32_t aim_tick;   /* of the next look at the enemy */
    uint32_t walk_tick;  /* of the next change of mind about walking */
    uint32_t truce_tick; /* until then it does not shoot first; 0: the round is still to begin */
    int16_t aim_x, aim_y;
    int8_t walk;
    uint8_t clear;  /* at the last look no platform was in the line of fire */
    uint8_t counts; /* won and lost are known: rounds before it came were somebody else's */
    uint8_t reserved;
};

extern const struct fray_game fray_duel;

/* movement.c */
void duel_platforms_make(struct duel_platform platforms[DUEL_PLATFORMS]);
/* Whether somebody at (x, y) stands on a platform's top. */
bool duel_supported(const struct duel_state *state, int32_t x, int32_t y);
/* One tick of walking, jumping and falling. Without input (`careful`) nobody walks off an edge. */
void duel_player_move(const struct duel_state *state, struct duel_player *player, bool jump,
                      bool careful);
/* Below the map. */
bool duel_player_fell(const struct duel_player *player);

/* bullets.c */
void duel_bullet_fire(struct duel_state *state, uint32_t seat);
/* One tick of all bullets. Returns by seat how often it was hit. */
void duel_bullets_move(struct duel_state *state, uint32_t hits[DUEL_SEATS]);
bool duel_platform_at(const struct duel_state *state, int32_t x, int32_t y);

/* bot.c */
void duel_bot_init(void *memory, uint32_t level, uint64_t seed);
bool duel_bot(const void *view, uint32_t seat, void *memory, void *input);
/* How far a bot may aim beside its target, as a tangent in 2^-32: more with every loss, below
 * bot_error_max. */
uint32_t duel_bot_error(const struct duel_options *options, uint32_t losses);

#endif
