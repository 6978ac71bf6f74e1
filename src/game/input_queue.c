#include "game/input_queue.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

struct fray_input_queue *fray_input_queue_create(size_t input_size)
{
    struct fray_input_queue *queue =
        fray_alloc_zero(sizeof *queue + FRAY_INPUT_QUEUE_TICKS * input_size);
    queue->input_size = input_size;
    queue->margin = FRAY_INPUT_NO_MARGIN;
    return queue;
}

void fray_input_queue_destroy(struct fray_input_queue *queue)
{
    free(queue);
}

/* A client whose clock was put back goes on from an earlier tick; a packet that was overtaken is
 * not that far behind. */
static void note_newest(struct fray_input_queue *queue, uint32_t now, uint32_t tick)
{
    int64_t margin = (int64_t)tick - now - 1;
    bool is_overtaken = tick <= queue->newest && queue->newest - tick < FRAY_INPUT_OVERTAKEN;
    if (is_overtaken)
        return;
    queue->newest = tick;
    queue->margin = (int8_t)(margin < -127 ? -127 : margin > 127 ? 127 : margin);
}

enum fray_input_fate fray_input_queue_put(struct fray_input_queue *queue, uint32_t now,
                                          uint32_t tick, uint32_t view, const void *input)
{
    uint32_t slot = tick % FRAY_INPUT_QUEUE_TICKS;

    if (queue->ticks[slot] == tick)
        return FRAY_INPUT_KNOWN;
    note_newest(queue, now, tick);
    if (tick > now && tick - now > FRAY_INPUT_QUEUE_TICKS)
        return FRAY_INPUT_EARLY;
    if (tick <= now)
        return FRAY_INPUT_LATE;
    queue->ticks[slot] = tick;
    queue->views[slot] = view;
    memcpy(queue->inputs + slot * queue->input_size, input, queue->input_size);
    return FRAY_INPUT_QUEUED;
}

const void *fray_input_queue_take(struct fray_input_queue *queue, uint32_t tick, uint32_t *view)
{
    uint32_t slot = tick % FRAY_INPUT_QUEUE_TICKS;

    if (queue->ticks[slot] != tick)
        return NULL;
    *view = queue->views[slot];
    return queue->inputs + slot * queue->input_size;
}
