/* Tic-tac-toe's state. Seat 0 draws x, seat 1 draws o; cells are numbered 0 … 8, row by row. */
#ifndef FRAY_GAMES_TICTACTOE_H
#define FRAY_GAMES_TICTACTOE_H

#include "fray/game.h"

enum { TICTACTOE_CELLS = 9, TICTACTOE_LINES = 8, TICTACTOE_NO_CELL = 255 };

enum tictactoe_phase { TICTACTOE_WAITING, TICTACTOE_PLAYING, TICTACTOE_OVER };
enum tictactoe_ending {
    TICTACTOE_BY_NOTHING,
    TICTACTOE_BY_LINE,
    TICTACTOE_BY_DRAW,
    TICTACTOE_BY_LEAVING,
    TICTACTOE_BY_TIME
};
enum tictactoe_kind { TICTACTOE_PASS, TICTACTOE_PLACE, TICTACTOE_REMATCH };

#define TICTACTOE_OPTIONS(O, T)                                                                    \
    O(T, turn_ms, 0, 600000, 1000, 0, "milliseconds for a move, then the game is lost; 0: no limit")

struct tictactoe_options {
    TICTACTOE_OPTIONS(FRAY_GAME_OPTION_MEMBER, )
};

struct tictactoe_match {
    uint32_t now_ms;
    uint32_t deadline_ms; /* of the move, FRAY_GAME_NEVER without a limit */
    uint16_t games;       /* begun so far, this one included */
    uint16_t draws;
    uint8_t board[TICTACTOE_CELLS]; /* 0 free, 1 + seat */
    uint8_t moves[TICTACTOE_CELLS]; /* the cells in the order of play, moves_count of them */
    uint8_t moves_count;
    uint8_t turn;    /* seat, while playing */
    uint8_t phase;   /* enum tictactoe_phase */
    uint8_t first;   /* seat that begins this game */
    uint8_t winner;  /* seat or FRAY_GAME_NOBODY */
    uint8_t ending;  /* enum tictactoe_ending */
    uint8_t line[3]; /* the winning cells, or TICTACTOE_NO_CELL */
    uint8_t reserved;
};

struct tictactoe_player {
    uint16_t wins;
    uint8_t present;
    uint8_t rematch; /* asked for one */
};

struct tictactoe_state {
    struct tictactoe_match match;
    struct tictactoe_player players[2];
    struct tictactoe_options options;
};

struct tictactoe_input {
    uint8_t kind; /* enum tictactoe_kind */
    uint8_t cell;
    uint8_t reserved[2];
};

struct tictactoe_memory {
    uint32_t random[4];
    uint32_t level; /* 0 plays at random, 1 errs now and then, 2 never loses */
};

extern const uint8_t tictactoe_lines[TICTACTOE_LINES][3];
extern const struct fray_game fray_tictactoe;

void tictactoe_bot_init(void *memory, uint32_t level, uint64_t seed);
bool tictactoe_bot(const void *view, uint32_t seat, void *memory, void *input);

#endif
