/* An arena player that roams, hunts who comes near, and runs when it is hurt. It knows what its
 * view shows. Pure. */
#include "arena/arena.h"

enum {
    HUNT_RANGE = 160 * ARENA_PX,
    FLEE_HP = 30,
    ARRIVED = 20 * ARENA_PX,
    LOOK_TICKS = 15,
    ROAM_TICKS = 30,      /* after it was stuck, whoever is near */
    STUCK = 4 * ARENA_PX, /* less than this in LOOK_TICKS: something is in the way */
};

static int64_t distance_square(const struct arena_player *a, const struct arena_player *b)
{
    int64_t dx = a->x - b->x, dy = a->y - b->y;

    return dx * dx + dy * dy;
}

/* Where players appear, bots leave alone who has never swung: newcomers look around first. Only
 * where most of the map is elsewhere, or bots that all appear there would never begin. */
static bool is_newcomer(const struct arena_state *view, const struct arena_player *player)
{
    const struct arena_options *options = &view->options;
    int32_t home = options->spawn * ARENA_PX;
    bool is_corner = 2 * options->spawn <= options->width && 2 * options->spawn <= options->height;

    return options->spawn && is_corner && player->swings == 0 && player->x <= home &&
           player->y <= home;
}

static const struct arena_player *nearest(const struct arena_state *view, uint32_t own)
{
    const struct arena_player *best = NULL;
    int64_t best_square = (int64_t)HUNT_RANGE * HUNT_RANGE;

    for (uint32_t seat = 0; seat < ARENA_SEATS; seat++) {
        const struct arena_player *other = &view->players[seat];
        if (seat == own || !other->present || !other->hp || is_newcomer(view, other))
            continue;
        int64_t square = distance_square(other, &view->players[own]);
        if (square <= best_square) {
            best_square = square;
            best = other;
        }
    }
    return best;
}

static void goal_choose(struct arena_memory *memory, const struct arena_state *view)
{
    memory->goal_x = fray_game_random_range(memory->random, 0, view->options.width) * ARENA_PX;
    memory->goal_y = fray_game_random_range(memory->random, 0, view->options.height) * ARENA_PX;
}

static void steer(struct arena_input *input, int32_t dx, int32_t dy)
{
    fray_game_scale(&dx, &dy, 127);
    input->dx = (int8_t)dx;
    input->dy = (int8_t)dy;
}

static void roam(struct arena_memory *memory, const struct arena_state *view,
                 const struct arena_player *self, struct arena_input *input)
{
    int32_t dx = memory->goal_x - self->x, dy = memory->goal_y - self->y;

    if (dx < ARRIVED && dx > -ARRIVED && dy < ARRIVED && dy > -ARRIVED)
        goal_choose(memory, view);
    steer(input, dx, dy);
}

/* True now and then when it has not come forward: it should go elsewhere for a while. */
static bool stuck(struct arena_memory *memory, const struct arena_state *view,
                  const struct arena_player *self)
{
    if (view->match.tick < memory->look_tick)
        return false;
    int32_t dx = self->x - memory->last_x, dy = self->y - memory->last_y;
    memory->last_x = self->x;
    memory->last_y = self->y;
    memory->look_tick = view->match.tick + LOOK_TICKS;
    return dx < STUCK && dx > -STUCK && dy < STUCK && dy > -STUCK;
}

void arena_bot_init(void *bytes, uint32_t level, uint64_t seed)
{
    struct arena_memory *memory = bytes;

    *memory = (struct arena_memory){.level = level};
    fray_game_random_seed(memory->random, seed);
}

/* Level 0 swings late and never runs; 1 runs when hurt; 2 swings the moment it can. */
bool arena_bot(const void *bytes, uint32_t seat, void *kept, void *filled)
{
    const struct arena_state *view = bytes;
    struct arena_memory *memory = kept;
    struct arena_input *input = filled;
    const struct arena_player *self = &view->players[seat];

    *input = (struct arena_input){.mode = ARENA_STEER};
    if (!self->present || !self->hp)
        return false;
    const struct arena_player *enemy = nearest(view, seat);
    bool close = enemy && distance_square(self, enemy) <= (int64_t)ARENA_RANGE * ARENA_RANGE;
    if (stuck(memory, view, self) && !close) {
        goal_choose(memory, view);
        memory->roam_tick = view->match.tick + ROAM_TICKS;
    }
    if (!enemy || (!close && view->match.tick < memory->roam_tick))
        roam(memory, view, self, input);
    else if (memory->level > 0 && self->hp <= FLEE_HP && enemy->hp > self->hp)
        steer(input, self->x - enemy->x, self->y - enemy->y);
    else if (!close)
        steer(input, enemy->x - self->x, enemy->y - self->y);
    input->attack = close && view->match.tick >= self->ready_tick &&
                    (memory->level == 2 || fray_game_random_range(memory->random, 0, 7) == 0);
    return true;
}
