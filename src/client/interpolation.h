/* Everybody as they were a moment ago, between two snapshots. When none comes, everything goes on
 * for a quarter of a second, and then stands still: lagging. It goes on by the rules, or straight
 * ahead where they cannot know what the others are up to.
 *
 * Owner: the netcode, whose memory it is in. Freestanding, pure. */
#ifndef FRAY_CLIENT_INTERPOLATION_H
#define FRAY_CLIENT_INTERPOLATION_H

#include "client/prediction.h"
#include "client/snapshots.h"

struct fray_client_interpolation {
    const struct fray_client_stepper *stepper;
    const struct fray_client_snapshots *snapshots;
    const struct fray_client_smoothing *smoothing;
    char *shown;                   /* a state */
    char *older, *newer;           /* states that were stepped on from the newest snapshot */
    uint32_t ahead_of, ahead_tick; /* that snapshot's tick, and that of `newer` */
    bool is_ahead;
    bool hides_inputs; /* the game, from the others */
    bool may_step;     /* the server has the same rules */
    bool is_lagging;
    uint64_t extrapolated; /* views that were beyond the newest snapshot */
};

/* Once it has all that it was given: stepper, snapshots, smoothing, and room for three states. */
void fray_client_interpolation_init(struct fray_client_interpolation *interpolation);
void fray_client_interpolation_restart(struct fray_client_interpolation *interpolation);
/* How far it may show, of what the playback wants; there is a snapshot. */
double fray_client_interpolation_tick(const struct fray_client_interpolation *interpolation,
                                      double wanted);
/* The view at that tick. */
const void *fray_client_interpolation_show(struct fray_client_interpolation *interpolation,
                                           double wanted);

#endif
