#include "client/interpolation.h"

static const double ahead_us = 250e3;

/* What somebody pressed last is in the row, by the input's name: is it the owner's secret? */
static bool hides_inputs(const struct fray_game *game)
{
    for (uint32_t t = 0; t < game->tables_count; t++)
        for (uint32_t i = 0; i < game->input->fields_count; i++) {
            const struct fray_game_field *field =
                fray_game_field(&game->tables[t], game->input->fields[i].name);
            if (field && field->flags & FRAY_GAME_OWNER)
                return true;
        }
    return false;
}

void fray_client_interpolation_init(struct fray_client_interpolation *interpolation)
{
    interpolation->hides_inputs = hides_inputs(interpolation->stepper->game);
}

void fray_client_interpolation_restart(struct fray_client_interpolation *interpolation)
{
    interpolation->is_ahead = false;
}

static uint32_t newest_tick(const struct fray_client_interpolation *interpolation)
{
    const struct fray_client_snapshots *snapshots = interpolation->snapshots;
    return snapshots->views[snapshots->newest].tick;
}

static double tick_most(const struct fray_client_interpolation *interpolation)
{
    uint32_t most = (uint32_t)(ahead_us * interpolation->stepper->game->tick_hz / 1e6);
    return (double)newest_tick(interpolation) + most;
}

double fray_client_interpolation_tick(const struct fray_client_interpolation *interpolation,
                                      double wanted)
{
    double most = tick_most(interpolation);
    return wanted < most ? wanted : most;
}

static void show(struct fray_client_interpolation *interpolation, struct fray_client_moment moment)
{
    fray_client_between(interpolation->stepper->game, interpolation->smoothing, &moment,
                        interpolation->shown);
}

/* Between two views, or on through both. */
static void show_views(struct fray_client_interpolation *interpolation, int before, int after,
                       double tick)
{
    const struct fray_client_snapshots *snapshots = interpolation->snapshots;
    uint32_t from = snapshots->views[before].tick, ticks = snapshots->views[after].tick - from;
    show(interpolation,
         (struct fray_client_moment){.older = fray_client_snapshots_state(snapshots, before),
                                     .newer = fray_client_snapshots_state(snapshots, after),
                                     .fraction = ticks ? (tick - from) / ticks : 0,
                                     .ticks = ticks});
}

static void show_between(struct fray_client_interpolation *interpolation, double tick)
{
    const struct fray_client_snapshots *snapshots = interpolation->snapshots;
    int after = fray_client_snapshots_after(snapshots, tick);
    int before = fray_client_snapshots_before(snapshots, tick);
    if (after < 0)
        after = snapshots->newest;
    show_views(interpolation, before < 0 ? after : before, after, tick);
}

static void drift(struct fray_client_interpolation *interpolation, double tick)
{
    const struct fray_client_snapshots *snapshots = interpolation->snapshots;
    int before = fray_client_snapshots_before(snapshots, newest_tick(interpolation) - 1.0);
    show_views(interpolation, before < 0 ? snapshots->newest : before, snapshots->newest, tick);
}

static void step_ahead(struct fray_client_interpolation *interpolation, double tick)
{
    const struct fray_client_snapshots *snapshots = interpolation->snapshots;
    uint32_t newest = newest_tick(interpolation), until = (uint32_t)tick + 1;
    size_t size = snapshots->game->state_size;
    if (!interpolation->is_ahead || interpolation->ahead_of != newest ||
        interpolation->ahead_tick > until) {
        __builtin_memcpy(interpolation->newer,
                         fray_client_snapshots_state(snapshots, snapshots->newest), size);
        interpolation->ahead_of = interpolation->ahead_tick = newest;
        interpolation->is_ahead = true;
    }
    while (interpolation->ahead_tick < until) {
        __builtin_memcpy(interpolation->older, interpolation->newer, size);
        fray_client_step(interpolation->stepper, interpolation->newer, ++interpolation->ahead_tick,
                         FRAY_GAME_NOBODY, NULL);
    }
    show(interpolation, (struct fray_client_moment){.older = interpolation->older,
                                                    .newer = interpolation->newer,
                                                    .fraction = tick - (until - 1),
                                                    .ticks = 1});
}

const void *fray_client_interpolation_show(struct fray_client_interpolation *interpolation,
                                           double wanted)
{
    double tick = fray_client_interpolation_tick(interpolation, wanted);
    interpolation->is_lagging = wanted > tick;
    if (tick <= newest_tick(interpolation)) {
        show_between(interpolation, tick);
        return interpolation->shown;
    }
    interpolation->extrapolated++;
    if (interpolation->may_step && !interpolation->hides_inputs)
        step_ahead(interpolation, tick);
    else
        drift(interpolation, tick);
    return interpolation->shown;
}
