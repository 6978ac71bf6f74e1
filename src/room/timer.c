/* An application's timers, on its namespace's home worker. */
#include "base/mem.h"
#include "room/namespace.h"

struct fray_timer_handle {
    struct fray_timer_handle *next, **link; /* in nsp->timers */
    fray_namespace *nsp;
    uint64_t due_us, repeat_us;
    void (*expire)(fray_namespace *nsp, void *context);
    void *context;
    struct fray_timer timer;
};

static void on_expire(struct fray_timer *timer, uint64_t now_us)
{
    fray_timer_handle *handle =
        (fray_timer_handle *)((char *)timer - offsetof(fray_timer_handle, timer));
    fray_namespace *nsp = handle->nsp;
    void (*expire)(fray_namespace *, void *) = handle->expire;
    void *context = handle->context;
    if (handle->repeat_us) {
        /* Steady in the long run, but never a burst to catch up after a stall. */
        handle->due_us += handle->repeat_us;
        if (handle->due_us <= now_us)
            handle->due_us = now_us + handle->repeat_us;
        fray_timer_arm(nsp->home->timers, timer, handle->due_us);
    } else {
        fray_timer_stop(handle);
    }
    expire(nsp, context);
}

fray_timer_handle *fray_timer_start(fray_namespace *nsp, unsigned delay_ms, unsigned repeat_ms,
                                    void (*expire)(fray_namespace *nsp, void *context),
                                    void *context)
{
    fray_timer_handle *handle = fray_alloc_zero(sizeof *handle);
    handle->nsp = nsp;
    handle->due_us = *nsp->home->now_us + delay_ms * UINT64_C(1000);
    handle->repeat_us = repeat_ms * UINT64_C(1000);
    handle->expire = expire;
    handle->context = context;
    handle->next = nsp->timers;
    handle->link = &nsp->timers;
    if (handle->next)
        handle->next->link = &handle->next;
    nsp->timers = handle;
    handle->timer.on_expire = on_expire;
    fray_timer_arm(nsp->home->timers, &handle->timer, handle->due_us);
    return handle;
}

void fray_timer_stop(fray_timer_handle *handle)
{
    if (!handle->link) /* fired for the last time in this turn */
        return;
    fray_timer_cancel(handle->nsp->home->timers, &handle->timer);
    *handle->link = handle->next;
    if (handle->next)
        handle->next->link = handle->link;
    handle->link = NULL;
    handle->nsp->home->release(handle->nsp->home, handle, 0);
}

void fray_timers_stop(fray_namespace *nsp)
{
    while (nsp->timers)
        fray_timer_stop(nsp->timers);
}
