#include "game/tick_clock.h"

static uint64_t due_of(const struct fray_tick_clock *clock, uint64_t tick)
{
    return clock->start_us + tick * UINT64_C(1000000) / clock->hz;
}

void fray_tick_clock_start(struct fray_tick_clock *clock, uint32_t hz, uint16_t phase,
                           uint64_t now_us)
{
    uint64_t tick_us = 1000000 / hz;
    /* Tick 1 is due a whole tick after the start, so the start may lie in the past. */
    *clock = (struct fray_tick_clock){.hz = hz};
    uint64_t offset_us = tick_us * phase / 65536;
    clock->start_us = now_us + offset_us > tick_us ? now_us + offset_us - tick_us : 0;
}

void fray_tick_clock_start_at(struct fray_tick_clock *clock, uint32_t hz, uint64_t start_us)
{
    *clock = (struct fray_tick_clock){.hz = hz, .start_us = start_us};
}

uint64_t fray_tick_clock_due(const struct fray_tick_clock *clock)
{
    return due_of(clock, clock->taken + clock->dropped + 1);
}

uint32_t fray_tick_clock_take(struct fray_tick_clock *clock, uint64_t now_us)
{
    uint64_t past = clock->taken + clock->dropped;
    if (now_us < due_of(clock, past + 1))
        return 0;
    /* Rounding may have put the last of these a microsecond too early. */
    uint64_t until = (now_us - clock->start_us) * clock->hz / 1000000 + 1;
    while (due_of(clock, until) > now_us)
        until--;
    uint64_t behind = until - past;
    uint32_t count = behind < FRAY_TICK_CATCH_UP ? (uint32_t)behind : FRAY_TICK_CATCH_UP;
    clock->taken += count;
    clock->dropped += behind - count;
    return count;
}

uint32_t fray_tick_clock_since(const struct fray_tick_clock *clock, uint64_t now_us,
                               uint16_t *phase)
{
    uint64_t last_us = due_of(clock, clock->taken + clock->dropped);
    uint64_t since = now_us > last_us ? (now_us - last_us) * clock->hz * 65536 / 1000000 : 0;

    *phase = (uint16_t)(since & 65535);
    return (uint32_t)(since >> 16);
}

uint16_t fray_tick_clock_phase(const struct fray_tick_clock *clock, uint64_t now_us)
{
    uint16_t phase;

    return fray_tick_clock_since(clock, now_us, &phase) ? 65535 : phase;
}

int32_t fray_tick_clock_until(const struct fray_tick_clock *clock, uint64_t now_us, uint16_t *phase)
{
    uint64_t left_us = clock->start_us > now_us ? clock->start_us - now_us : 0;
    uint64_t left = left_us * clock->hz * 65536 / 1000000; /* 1/65536 ticks */
    uint64_t ticks = (left + 65535) / 65536;
    *phase = (uint16_t)(ticks * 65536 - left);
    return -(int32_t)ticks;
}
