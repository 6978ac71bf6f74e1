/* What the rules do, asked of them directly: they need no server, no network and no clock. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "tag.h"

/* A tick in which nobody presses anything new but this seat. */
static void tick(struct tag_state *state, uint32_t seat, int8_t dx, int8_t dy)
{
    struct tag_input inputs[TAG_SEATS] = {0};
    uint8_t given[TAG_SEATS] = {0};

    inputs[seat] = (struct tag_input){.dx = dx, .dy = dy};
    given[seat] = 1;
    tag.step(state, &(struct fray_game_step){.inputs = inputs, .given = given});
}

/* Two who stand apart; seat 0 is it. */
static struct tag_state begin(void)
{
    struct tag_state state;

    fray_game_init(&tag, &state, 1, NULL);
    tag.join(&state, 0, NULL);
    tag.join(&state, 1, NULL);
    state.players[0].x = state.players[0].y = state.players[1].y = 100 * TAG_PX;
    state.players[1].x = 200 * TAG_PX;
    return state;
}

static void who_is_touched_is_it(void)
{
    struct tag_state state = begin();

    assert(state.match.it == 0);
    for (int i = 0; i < 40 && state.match.it == 0; i++)
        tick(&state, 0, 1, 0);
    assert(state.match.it == 1);
    assert(state.players[1].x - state.players[0].x <= 2 * TAG_RADIUS);
    for (int i = 0; i < TAG_REST - 1; i++) /* both stand where they met */
        tick(&state, 0, 0, 0);
    assert(state.match.it == 1);
    tick(&state, 0, 0, 0);
    assert(state.match.it == 0);
}

static void the_field_ends_at_its_walls(void)
{
    struct tag_state state = begin();

    for (int i = 0; i < 1000; i++)
        tick(&state, 1, 1, -1);
    assert(state.players[1].x == state.options.width * TAG_PX - TAG_RADIUS);
    assert(state.players[1].y == TAG_RADIUS);
}

static void not_being_it_scores(void)
{
    struct tag_state state = begin();

    for (int i = 0; i < 3 * TAG_HZ; i++)
        tick(&state, 1, 0, 0);
    assert(state.players[0].score == 0 && state.players[1].score == 3);
    for (int i = 0; i < 57 * TAG_HZ; i++)
        tick(&state, 1, 0, 0);
    assert(state.match.over);
    assert(tag.outcome(&state, 0) == FRAY_GAME_LOST && tag.outcome(&state, 1) == FRAY_GAME_WON);
}

static void who_leaves_is_not_it(void)
{
    struct tag_state state = begin();

    tag.leave(&state, 0, NULL);
    assert(state.match.it == 1);
    tag.leave(&state, 1, NULL);
    assert(state.match.it == FRAY_GAME_NOBODY);
    tick(&state, 0, 1, 1); /* nobody there to walk */
}

int main(void)
{
    who_is_touched_is_it();
    the_field_ends_at_its_walls();
    not_being_it_scores();
    who_leaves_is_not_it();
    puts("the rules of tag hold");
    return 0;
}
