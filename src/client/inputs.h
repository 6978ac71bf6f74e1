/* What the player does: held until told otherwise, and sampled once per client tick; impulses are
 * given in one tick. Owner: the netcode, whose memory it is in. Freestanding, pure. */
#ifndef FRAY_CLIENT_INPUTS_H
#define FRAY_CLIENT_INPUTS_H

#include "fray/game.h"

enum { FRAY_CLIENT_INPUTS = 128 }; /* ticks whose inputs are kept */

struct fray_client_inputs {
    const struct fray_game *game;
    char *held;                         /* one input: the player's to write */
    char *ring;                         /* FRAY_CLIENT_INPUTS of them, by tick */
    uint32_t ticks[FRAY_CLIENT_INPUTS]; /* 0: none */
};

void fray_client_inputs_sample(struct fray_client_inputs *inputs, uint32_t tick);
/* Of this tick; NULL: none was sampled, or long ago. */
const void *fray_client_inputs_at(const struct fray_client_inputs *inputs, uint32_t tick);
/* The first of the unbroken run of samples that ends with `last`, not before `first`. */
uint32_t fray_client_inputs_run(const struct fray_client_inputs *inputs, uint32_t first,
                                uint32_t last);
/* Ticks count anew. What is held stays held. */
void fray_client_inputs_forget(struct fray_client_inputs *inputs);

#endif
