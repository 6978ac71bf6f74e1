/* The inputs of one seat that came in packets and wait for their ticks: a ring by tick. What is
 * repeated against loss is known again; what comes after its tick is late; what is for ticks too
 * far away is refused, so that a fast clock gains nothing. Pure. */
#ifndef FRAY_GAME_INPUT_QUEUE_H
#define FRAY_GAME_INPUT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

enum { FRAY_INPUT_QUEUE_TICKS = 32, FRAY_INPUT_OVERTAKEN = 8, FRAY_INPUT_NO_MARGIN = -128 };

enum fray_input_fate { FRAY_INPUT_QUEUED, FRAY_INPUT_KNOWN, FRAY_INPUT_LATE, FRAY_INPUT_EARLY };

struct fray_input_queue {
    size_t input_size;
    uint32_t newest; /* tick of the newest; 0: none */
    int8_t margin;   /* how many ticks before its use it came, negative: late; or NO_MARGIN */
    uint32_t ticks[FRAY_INPUT_QUEUE_TICKS]; /* that each slot's input is for; stays when taken */
    uint32_t
        views[FRAY_INPUT_QUEUE_TICKS]; /* what was looked at (game/history.h); 0: the present */
    char inputs[];
};

struct fray_input_queue *fray_input_queue_create(size_t input_size);
void fray_input_queue_destroy(struct fray_input_queue *queue); /* NULL is fine */

/* `now` is the state's tick: the next step takes the input of now + 1. */
enum fray_input_fate fray_input_queue_put(struct fray_input_queue *queue, uint32_t now,
                                          uint32_t tick, uint32_t view, const void *input);
/* The input for this tick and its view; NULL: none came in time. Valid until the next put. */
const void *fray_input_queue_take(struct fray_input_queue *queue, uint32_t tick, uint32_t *view);

#endif
