/* The client's own future: the newest snapshot, stepped on with the inputs that the server has not
 * answered yet. Of the others only what they did last is known.
 *
 * When a snapshot leads to another place of the own row at the present tick than was shown there,
 * that is a correction: what is drawn goes on from where it was, by an offset that fades.
 *
 * Owner: the netcode, whose memory it is in. Times are microseconds. Freestanding, pure. */
#ifndef FRAY_CLIENT_PREDICTION_H
#define FRAY_CLIENT_PREDICTION_H

#include "client/between.h"
#include "client/inputs.h"

/* Steps views, in which at most one seat is known to do something. */
struct fray_client_stepper {
    const struct fray_game *game;
    char *inputs; /* seats_max of them, and flags: zero between two steps */
    uint8_t *given;
};

/* The step that makes the state of this tick. `input` may be NULL. */
void fray_client_step(const struct fray_client_stepper *stepper, void *state, uint32_t tick,
                      uint32_t seat, const void *input);

struct fray_client_prediction {
    const struct fray_client_stepper *stepper;
    const struct fray_client_inputs *inputs;
    const struct fray_client_smoothing *smoothing;
    const struct fray_game_table *players; /* NULL, or without places: nothing is smoothed */
    uint32_t seat;
    double snap_px; /* a correction of more is shown at once */

    bool is_there;
    uint32_t tick, base_tick; /* what is predicted, and the snapshot that it follows from */
    char *previous, *current; /* states: of the tick before, and of this one */
    char *drawn;
    bool is_drawn;   /* ever: it can be looked at until there is another */
    double fraction; /* of the way from one to the other that is drawn */
    struct fray_client_place offset;
    uint64_t faded_us;
    uint64_t corrections;
    double correction_px; /* of the last */
};

/* Nothing is known of what comes; the next snapshot begins. */
void fray_client_prediction_restart(struct fray_client_prediction *prediction);
/* A snapshot came: what follows from it at the tick that was predicted? */
void fray_client_prediction_reconcile(struct fray_client_prediction *prediction, const void *state,
                                      uint32_t tick);
/* The client's tick went back: to it, from that snapshot. */
void fray_client_prediction_go_back(struct fray_client_prediction *prediction, const void *state,
                                    uint32_t tick, uint32_t until);
/* Predicts on to this tick, or until the snapshot is a second old: what one does then the server
 * will not hear of in time. */
void fray_client_prediction_advance(struct fray_client_prediction *prediction, uint32_t until);
/* A view to draw: so far on the way to the tick that is predicted, offset included. */
const void *fray_client_prediction_draw(struct fray_client_prediction *prediction, double fraction,
                                        uint64_t now_us);

#endif
