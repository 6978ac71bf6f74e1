/* A tic-tac-toe player: exhaustive alpha-beta search over two sets of nine bits. Pure. */
#include "tictactoe/tictactoe.h"

enum { FULL = 0x1ff, WORST = -2 };

static bool wins(uint32_t cells)
{
    for (int i = 0; i < TICTACTOE_LINES; i++) {
        const uint8_t *line = tictactoe_lines[i];
        uint32_t mask = 1u << line[0] | 1u << line[1] | 1u << line[2];
        if ((cells & mask) == mask)
            return true;
    }
    return false;
}

/* What the side to move, who owns `own`, can reach: 1 a win, 0 a draw, −1 a loss. Depth is at most
 * nine. */
static int search(uint32_t own, uint32_t other, int alpha, int beta)
{
    if (wins(other))
        return -1;
    if ((own | other) == FULL)
        return 0;
    for (uint32_t cell = 0; cell < TICTACTOE_CELLS; cell++) {
        if ((own | other) >> cell & 1)
            continue;
        int value = -search(other, own | 1u << cell, -beta, -alpha);
        if (value > alpha)
            alpha = value;
        if (alpha >= beta)
            break;
    }
    return alpha;
}

/* One of the best cells, each as likely as the others. On the empty board that is every cell,
 * without a search. */
static uint8_t best_cell(uint32_t own, uint32_t other, uint32_t random[4])
{
    uint8_t best[TICTACTOE_CELLS];
    int count = 0, best_value = WORST;

    if ((own | other) == 0)
        return (uint8_t)fray_game_random_range(random, 0, TICTACTOE_CELLS - 1);
    for (uint8_t cell = 0; cell < TICTACTOE_CELLS; cell++) {
        if ((own | other) >> cell & 1)
            continue;
        int value = -search(other, own | 1u << cell, WORST, -WORST);
        if (value > best_value) {
            best_value = value;
            count = 0;
        }
        if (value == best_value)
            best[count++] = cell;
    }
    return best[fray_game_random_range(random, 0, count - 1)];
}

static uint8_t any_cell(uint32_t taken, uint32_t random[4])
{
    int32_t skip = fray_game_random_range(random, 0, 8 - __builtin_popcount(taken));
    uint8_t cell = 0;

    while (taken >> cell & 1 || skip-- > 0)
        cell++;
    return cell;
}

void tictactoe_bot_init(void *bytes, uint32_t level, uint64_t seed)
{
    struct tictactoe_memory *memory = bytes;

    memory->level = level;
    fray_game_random_seed(memory->random, seed);
}

bool tictactoe_bot(const void *bytes, uint32_t seat, void *kept, void *filled)
{
    const struct tictactoe_state *view = bytes;
    struct tictactoe_memory *memory = kept;
    struct tictactoe_input *input = filled;
    uint32_t own = 0, other = 0;

    *input = (struct tictactoe_input){0};
    if (view->match.phase == TICTACTOE_OVER) {
        input->kind = TICTACTOE_REMATCH;
        return !view->players[seat].rematch;
    }
    if (view->match.phase != TICTACTOE_PLAYING || view->match.turn != seat)
        return false;
    for (uint32_t cell = 0; cell < TICTACTOE_CELLS; cell++) {
        own |= (uint32_t)(view->match.board[cell] == seat + 1) << cell;
        other |= (uint32_t)(view->match.board[cell] == 2 - seat) << cell;
    }
    bool careless = memory->level == 0 ||
                    (memory->level == 1 && fray_game_random_range(memory->random, 0, 3) == 0);
    input->kind = TICTACTOE_PLACE;
    input->cell =
        careless ? any_cell(own | other, memory->random) : best_cell(own, other, memory->random);
    return true;
}
