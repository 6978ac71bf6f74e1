/* Tag: one is "it"; whom it touches is it. Places are in 1/256 px. */
#ifndef TAG_H
#define TAG_H

#include <fray/game.h>

enum {
    TAG_SEATS = 16,
    TAG_HZ = 30,
    TAG_PX = 256,
    TAG_RADIUS = 12 * TAG_PX,
    TAG_STEP = 4 * TAG_PX,    /* that a tick moves a player */
    TAG_STEP_IT = 5 * TAG_PX, /* it is a little faster, or nobody would ever be caught */
    TAG_REST = TAG_HZ,        /* ticks after a touch in which it touches nobody */
};

#define TAG_OPTIONS(O, T)                                                                          \
    O(T, seconds, 10, 600, 5, 60, "that a game lasts")                                             \
    O(T, width, 200, 2000, 1, 640, "of the field, px")                                             \
    O(T, height, 200, 2000, 1, 400, "of the field, px")

struct tag_options {
    TAG_OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};

struct tag_match {
    uint32_t tick;
    uint32_t rest_tick; /* from here on it may touch */
    uint32_t random[4];
    uint8_t it; /* seat, or FRAY_GAME_NOBODY */
    uint8_t over;
    uint8_t
        winner;    /* of what is over: seat; FRAY_GAME_NOBODY also when another has that seat now */
    uint8_t drawn; /* several have the best score */
};

struct tag_player {
    int32_t x, y;
    uint16_t score; /* seconds of not being it */
    int8_t dx, dy;  /* the keys that are held: −1, 0, 1 */
    uint8_t present;
    uint8_t reserved[3];
};

struct tag_state {
    struct tag_match match;
    struct tag_player players[TAG_SEATS];
    struct tag_options options;
};

struct tag_input {
    int8_t dx, dy;
    uint8_t reserved[2];
};

struct tag_memory { /* a bot's */
    uint32_t random[4];
    uint32_t level; /* 0: it looks around every second tick only */
};

extern const struct fray_game tag;

#endif
