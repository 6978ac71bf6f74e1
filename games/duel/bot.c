/* A duellist: keeps its distance, stays on its feet, leads its shots. Its aim suffers from losing.
 * It knows what its view shows, and looks only now and then. Pure. */
#include "duel/duel.h"

enum {
    NEAR = 180 * DUEL_PX,
    FAR = 420 * DUEL_PX,
    EDGE_AHEAD = 24 * DUEL_PX,
    BULLET_NEAR = 110 * DUEL_PX,
    AIM_PX = 400, /* the aim point is put this far away, so that rounding to px does not show */
    LEVELS = 3,
};

/* Ticks between two looks at the enemy; how many halves of the error apply; a dodge tried one time
 * in; ticks of a round in which it does not shoot first, so that beginners find their keys. */
static const struct {
    uint32_t look_ticks, error_halves;
    int32_t dodge_one_in;
    uint32_t truce_ticks;
} skills[LEVELS] = {{24, 3, 12, 180}, {12, 2, 6, 60}, {6, 1, 3, 0}};

/* start + rest × losses / (losses + half): half way to the bound after bot_error_half losses, and
 * ever slower. With the standard options each of 65,535 losses still makes a difference. */
uint32_t duel_bot_error(const struct duel_options *options, uint32_t losses)
{
    uint64_t px = ((uint64_t)1 << 32) / 1000; /* beside the target at 1000 px */
    int32_t start = options->bot_error;
    int32_t most = options->bot_error_max > start ? options->bot_error_max : start + 1;
    uint64_t rest = (uint64_t)(most - start) * px;

    return (uint32_t)((uint64_t)start * px +
                      rest * losses / (losses + (uint32_t)options->bot_error_half));
}

/* Counts rounds as they are decided, so that a loss after a win weighs as much as one before. */
static void remember_rounds(struct duel_memory *memory, const struct duel_state *view,
                            const struct duel_player *self)
{
    uint16_t lost = (uint16_t)(self->lost - memory->lost),
             won = (uint16_t)(self->won - memory->won);
    bool is_first = !memory->counts;

    memory->counts = 1;
    memory->lost = self->lost;
    memory->won = self->won;
    if (is_first)
        return;
    memory->losses += lost;
    if (view->options.bot_sharpens)
        memory->losses -= won < memory->losses ? won : memory->losses;
}

static bool line_clear(const struct duel_state *view, int32_t x, int32_t y, int32_t dx, int32_t dy)
{
    enum { PARTS = 48 };

    for (int part = 1; part < PARTS; part++)
        if (duel_platform_at(view, x + dx / PARTS * part, y + dy / PARTS * part))
            return false;
    return true;
}

/* Where the enemy's middle will be when a bullet gets there, missed by a random share of the error.
 */
static void look(struct duel_memory *memory, const struct duel_state *view,
                 const struct duel_player *self, const struct duel_player *enemy)
{
    int32_t gun_x = self->x, gun_y = self->y - DUEL_GUN_ABOVE_FEET;
    int32_t dx = enemy->x - gun_x, dy = enemy->y - DUEL_PLAYER_TALL / 2 - gun_y;
    int32_t ticks = (int32_t)fray_game_sqrt((uint64_t)((int64_t)dx * dx + (int64_t)dy * dy)) /
                    DUEL_BULLET_SPEED;

    dx += enemy->velocity_x * ticks;
    if (!enemy->grounded)
        dy += enemy->velocity_y * ticks / 2;
    memory->clear = line_clear(view, gun_x, gun_y, dx, dy);
    fray_game_scale(&dx, &dy, AIM_PX * DUEL_PX);

    uint32_t error = duel_bot_error(&view->options, memory->losses) >> 8;
    error = error * skills[memory->level].error_halves / 2;
    int64_t side = fray_game_random_range(memory->random, -(int32_t)error, (int32_t)error);
    int32_t aim_x = gun_x + dx - (int32_t)(dy * side / (1 << 24));
    int32_t aim_y = gun_y + dy + (int32_t)(dx * side / (1 << 24));
    memory->aim_x = (int16_t)fray_game_clamp(aim_x / DUEL_PX, -2047, 2047);
    memory->aim_y = (int16_t)fray_game_clamp(aim_y / DUEL_PX, -2047, 2047);
}

static bool one_in(struct duel_memory *memory, int32_t count)
{
    return fray_game_random_range(memory->random, 1, count) == 1;
}

static int8_t walk_choose(struct duel_memory *memory, const struct duel_player *self,
                          const struct duel_player *enemy)
{
    int32_t dx = enemy->x - self->x;
    int8_t towards = dx < 0 ? -1 : 1;

    if (dx > FAR || dx < -FAR)
        return towards;
    if (dx < NEAR && dx > -NEAR)
        return (int8_t)-towards;
    return (int8_t)fray_game_random_range(memory->random, -1, 1);
}

/* The nearest place to land for one in the air above nothing: 0 when there is something below. */
static int8_t walk_to_safety(const struct duel_state *view, const struct duel_player *self)
{
    int32_t nearest = DUEL_WIDTH, way = 0;

    for (int i = 0; i < DUEL_PLATFORMS; i++) {
        const struct duel_platform *platform = &view->platforms[i];
        int32_t left = platform->x * DUEL_PX - self->x;
        int32_t right = left + platform->width * DUEL_PX;
        if (platform->y * DUEL_PX < self->y)
            continue;
        if (left <= 0 && right >= 0)
            return 0;
        int32_t distance = left > 0 ? left : -right;
        if (distance < nearest) {
            nearest = distance;
            way = left > 0 ? 1 : -1;
        }
    }
    return (int8_t)way;
}

static bool bullet_comes(const struct duel_state *view, uint32_t seat,
                         const struct duel_player *self)
{
    for (int i = 0; i < DUEL_BULLETS; i++) {
        const struct duel_bullet *bullet = &view->bullets[i];
        int32_t dx = self->x - bullet->x;
        if (bullet->flying && bullet->seat != seat && dx < BULLET_NEAR && dx > -BULLET_NEAR &&
            (dx < 0) == (bullet->velocity_x < 0) && bullet->y > self->y - 2 * DUEL_PLAYER_TALL &&
            bullet->y <= self->y)
            return true;
    }
    return false;
}

static void walk(struct duel_memory *memory, const struct duel_state *view, uint32_t seat,
                 struct duel_input *input)
{
    const struct duel_player *self = &view->players[seat], *enemy = &view->players[!seat];

    if (!self->grounded) {
        int8_t safety = walk_to_safety(view, self);
        input->walk = safety ? safety : memory->walk;
        return;
    }
    if (view->match.tick >= memory->walk_tick) {
        memory->walk = walk_choose(memory, self, enemy);
        memory->walk_tick =
            view->match.tick + (uint32_t)fray_game_random_range(memory->random, 15, 45);
        input->jump = !memory->clear || one_in(memory, 4);
    }
    if (bullet_comes(view, seat, self) && one_in(memory, skills[memory->level].dodge_one_in))
        input->jump = 1;
    if (!duel_supported(view, self->x + memory->walk * EDGE_AHEAD, self->y))
        memory->walk = (int8_t)-memory->walk;
    input->walk = memory->walk;
}

static bool enemy_has_fired(const struct duel_state *view, uint32_t seat)
{
    for (int i = 0; i < DUEL_BULLETS; i++)
        if (view->bullets[i].flying && view->bullets[i].seat != seat)
            return true;
    return false;
}

static bool has_truce(struct duel_memory *memory, const struct duel_state *view, uint32_t seat)
{
    if (!memory->truce_tick)
        memory->truce_tick = view->match.tick + skills[memory->level].truce_ticks;
    if (enemy_has_fired(view, seat))
        memory->truce_tick = view->match.tick;
    return view->match.tick < memory->truce_tick;
}

void duel_bot_init(void *bytes, uint32_t level, uint64_t seed)
{
    struct duel_memory *memory = bytes;

    *memory = (struct duel_memory){.level = level < LEVELS ? level : LEVELS - 1};
    fray_game_random_seed(memory->random, seed);
}

bool duel_bot(const void *bytes, uint32_t seat, void *kept, void *filled)
{
    const struct duel_state *view = bytes;
    struct duel_memory *memory = kept;
    struct duel_input *input = filled;
    const struct duel_player *self = &view->players[seat], *enemy = &view->players[!seat];

    *input = (struct duel_input){.aim_x = memory->aim_x, .aim_y = memory->aim_y};
    remember_rounds(memory, view, self);
    input->rematch = view->match.phase == DUEL_OVER;
    if (view->match.phase != DUEL_PLAYING)
        memory->truce_tick = 0;
    if (view->match.phase != DUEL_PLAYING || !enemy->present)
        return true;
    if (view->match.tick >= memory->aim_tick) {
        look(memory, view, self, enemy);
        memory->aim_tick = view->match.tick + skills[memory->level].look_ticks;
        input->aim_x = memory->aim_x;
        input->aim_y = memory->aim_y;
    }
    walk(memory, view, seat, input);
    bool has_peace = has_truce(memory, view, seat);
    input->fire = !has_peace && memory->clear && view->match.tick >= self->ready_tick;
    return true;
}
