/* Rock-paper-scissors' state: up to 32 players, any odd number of kinds, elimination rounds with
 * hidden choices. */
#ifndef FRAY_GAMES_RPS_H
#define FRAY_GAMES_RPS_H

#include "fray/game.h"

enum { RPS_SEATS = 32, RPS_KINDS_MAX = 15, RPS_IDLE_ROUNDS_MAX = 3 };

enum rps_phase { RPS_WAITING, RPS_CHOOSING, RPS_OVER };
enum rps_kind { RPS_PASS, RPS_CHOOSE, RPS_START };

/* `kinds` is 3 (rock, paper, scissors), 5 (rock, Spock, paper, lizard, scissors), 7 (rock, water,
 * air, paper, sponge, scissors, fire) or any other odd number: choice a beats b when (a − b) mod
 * kinds is in 1 … (kinds − 1) / 2. */
#define RPS_OPTIONS(O, T)                                                                          \
    O(T, kinds, 3, RPS_KINDS_MAX, 2, 3, "how many choices there are, an odd number")               \
    O(T, round_ms, 1000, 600000, 100, 15000, "milliseconds to choose; who is late is out")

struct rps_options {
    RPS_OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};

struct rps_match {
    uint32_t now_ms;
    uint32_t deadline_ms; /* of the round, or FRAY_GAME_NEVER */
    uint16_t round;       /* of this game, from 1 */
    uint16_t games;
    uint8_t phase;       /* enum rps_phase */
    uint8_t winner;      /* seat; FRAY_GAME_NOBODY: none, or another has that seat now */
    uint8_t replayed;    /* the last round eliminated nobody */
    uint8_t idle_rounds; /* in a row in which nobody chose */
    uint8_t drawn;       /* it is over, and nobody won */
    uint8_t reserved[3];
};

struct rps_player {
    uint16_t wins; /* games */
    uint8_t present;
    uint8_t playing; /* not eliminated */
    uint8_t chosen;  /* has chosen in this round: all may know */
    uint8_t choice;  /* what: the owner alone may know */
    uint8_t shown;   /* 1 + the choice of the last round, for all to see; 0: none */
    uint8_t reserved;
};

struct rps_state {
    struct rps_match match;
    struct rps_player players[RPS_SEATS];
    struct rps_options options;
};

struct rps_input {
    uint8_t kind; /* enum rps_kind */
    uint8_t choice;
    uint8_t reserved[2];
};

struct rps_memory {
    uint32_t random[4];
    uint32_t level;        /* 0 at random, 1 and 2 learn from 1/2 and all of the rounds */
    uint16_t games, round; /* last seen */
    uint16_t counts[RPS_SEATS][RPS_KINDS_MAX]; /* what each seat chose how often, fading */
};

extern const struct fray_game fray_rps;

/* 1: a beats b, −1: b beats a, 0: equal. Both below `kinds`, which is odd. */
int rps_compare(int32_t a, int32_t b, int32_t kinds);

void rps_bot_init(void *memory, uint32_t level, uint64_t seed);
bool rps_bot(const void *view, uint32_t seat, void *memory, void *input);

#endif
