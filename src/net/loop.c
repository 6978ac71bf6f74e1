#include "net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

struct fray_loop_inbox {
    pthread_mutex_t mutex; /* guards first and last */
    struct fray_post *first, *last;
    atomic_bool is_stopped;
    atomic_bool has_posts; /* set under the mutex: most turns find none, and need no lock */
    /* Never changes, as loop->ops does on the loop's thread (net/lab_wire.h). */
    void (*wake)(struct fray_loop *loop);
};

/* The memory itself cannot be the list: its last readers still look at it. */
struct fray_loop_release {
    size_t count, cap;
    struct fray_released {
        void *memory;
        size_t size; /* of a cell; 0: malloc's */
    } items[];
};

void fray_loop_init(struct fray_loop *loop, const struct fray_loop_ops *ops)
{
    *loop = (struct fray_loop){.ops = ops};
    loop->now_us = ops->clock_us(loop);
    fray_timer_wheel_init(&loop->timers, loop->now_us);
    loop->buffer = fray_alloc(FRAY_LOOP_BUFFER_SIZE);
    loop->inbox = fray_alloc_zero(sizeof *loop->inbox);
    loop->inbox->wake = ops->wake;
    int failed = pthread_mutex_init(&loop->inbox->mutex, NULL);
    assert(!failed);
}

static void free_released(struct fray_loop *loop)
{
    struct fray_loop_release *released = loop->released;
    for (size_t i = 0; released && i < released->count; i++) {
        struct fray_released item = released->items[i];
        if (item.size)
            fray_cells_give(&loop->cells, item.memory, item.size);
        else
            free(item.memory);
    }
    if (released)
        released->count = 0;
}

void fray_loop_deinit(struct fray_loop *loop)
{
    free_released(loop);
    free(loop->released);
    pthread_mutex_destroy(&loop->inbox->mutex);
    free(loop->inbox);
    free(loop->buffer);
    fray_cells_deinit(&loop->cells);
}

void fray_loop_destroy(struct fray_loop *loop)
{
    while (loop->orphans)
        loop->orphans->destroy(loop, loop->orphans);
    loop->ops->destroy(loop);
}

/* The wait has to end when the next timer is due. The turn has taken some time since now_us, so the
 * clock is read again, but only when there is a timer. */
static uint64_t sleep_us(struct fray_loop *loop, uint64_t wait_us)
{
    uint64_t next_us = fray_timer_wheel_next_us(&loop->timers);
    if (wait_us == 0 || next_us == UINT64_MAX)
        return wait_us;
    uint64_t now_us = loop->ops->clock_us(loop);
    uint64_t until_us = next_us > now_us ? next_us - now_us : 0;
    return until_us < wait_us ? until_us : wait_us;
}

/* What is posted by a post runs in the next turn. */
static void run_posts(struct fray_loop *loop)
{
    struct fray_loop_inbox *inbox = loop->inbox;
    if (!atomic_load(&inbox->has_posts))
        return;
    pthread_mutex_lock(&inbox->mutex);
    struct fray_post *post = inbox->first;
    atomic_store(&inbox->has_posts, false);
    inbox->first = inbox->last = NULL;
    pthread_mutex_unlock(&inbox->mutex);
    while (post) {
        struct fray_post *next = post->next;
        post->run(loop, post);
        post = next;
    }
}

void fray_loop_turn(struct fray_loop *loop, uint64_t wait_us)
{
    loop->ops->wait(loop, sleep_us(loop, wait_us));
    run_posts(loop);
    fray_timer_wheel_advance(&loop->timers, loop->now_us);
    for (struct fray_hook *hook = loop->hooks, *next; hook; hook = next) {
        next = hook->next;
        hook->run(loop, hook);
    }
    free_released(loop);
}

void fray_loop_run(struct fray_loop *loop)
{
    while (!atomic_exchange(&loop->inbox->is_stopped, false))
        fray_loop_turn(loop, UINT64_MAX);
}

void fray_loop_stop(struct fray_loop *loop)
{
    atomic_store(&loop->inbox->is_stopped, true);
    loop->inbox->wake(loop);
}

void fray_loop_post(struct fray_loop *loop, struct fray_post *post)
{
    fray_loop_post_chain(loop, post, post);
}

void fray_loop_post_chain(struct fray_loop *loop, struct fray_post *first, struct fray_post *last)
{
    struct fray_loop_inbox *inbox = loop->inbox;
    last->next = NULL;
    pthread_mutex_lock(&inbox->mutex);
    bool was_empty = !inbox->first;
    if (was_empty)
        inbox->first = first;
    else
        inbox->last->next = first;
    inbox->last = last;
    atomic_store(&inbox->has_posts, true);
    pthread_mutex_unlock(&inbox->mutex);
    /* Whoever found the inbox empty wakes the loop; it takes all that came until it looked. */
    if (was_empty)
        inbox->wake(loop);
}

void fray_loop_add_hook(struct fray_loop *loop, struct fray_hook *hook)
{
    struct fray_hook **end = &loop->hooks;
    while (*end)
        end = &(*end)->next;
    hook->next = NULL;
    *end = hook;
}

void fray_loop_release_cell(struct fray_loop *loop, void *cell, size_t size)
{
    struct fray_loop_release *released = loop->released;
    if (!released || released->count == released->cap) {
        size_t count = released ? released->count : 0;
        size_t cap = count ? count * 2 : 64;
        released = fray_realloc(released, sizeof *released + cap * sizeof *released->items);
        released->count = count;
        released->cap = cap;
        loop->released = released;
    }
    released->items[released->count++] = (struct fray_released){cell, size};
}

void fray_loop_release(struct fray_loop *loop, void *memory)
{
    fray_loop_release_cell(loop, memory, 0);
}

void fray_source_close(struct fray_loop *loop, struct fray_source *source, bool reset)
{
    source->watched = 0; /* the batch under way sees this */
    loop->ops->close(loop, source->fd, reset);
    source->fd = -1;
}

void fray_loop_add_orphan(struct fray_loop *loop, struct fray_orphan *orphan)
{
    orphan->next = loop->orphans;
    orphan->link = &loop->orphans;
    if (orphan->next)
        orphan->next->link = &orphan->next;
    loop->orphans = orphan;
}

void fray_loop_remove_orphan(struct fray_orphan *orphan)
{
    *orphan->link = orphan->next;
    if (orphan->next)
        orphan->next->link = orphan->link;
}
