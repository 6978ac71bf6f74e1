#include "net/lab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SEGMENTS_CAP_MIN = 16, BYTES_COMPACT = 16 * 1024 };

struct fray_lab_in_flight {
    uint64_t due_us;
    uint32_t len;
};

bool fray_lab_is_on(const struct fray_lab_settings *settings)
{
    return settings->delay_ms || settings->jitter_ms || settings->rate_kbps ||
           settings->loss_percent || settings->duplicate_percent || settings->reorder_percent;
}

bool fray_lab_settings_equal(const struct fray_lab_settings *a, const struct fray_lab_settings *b)
{
    return a->delay_ms == b->delay_ms && a->jitter_ms == b->jitter_ms &&
           a->rate_kbps == b->rate_kbps && a->loss_percent == b->loss_percent &&
           a->duplicate_percent == b->duplicate_percent &&
           a->reorder_percent == b->reorder_percent && a->datagrams == b->datagrams;
}

void fray_lab_path_init(struct fray_lab_path *path, uint64_t seed)
{
    *path = (struct fray_lab_path){0};
    fray_rng_init(&path->rng, seed);
}

static bool happens(struct fray_lab_path *path, unsigned percent)
{
    return percent && fray_rng_chance(&path->rng, percent * 10);
}

/* When the last of `len` bytes has left: the line sends one thing after another. */
static uint64_t leave(struct fray_lab_path *path, const struct fray_lab_settings *settings,
                      uint64_t now_us, size_t len)
{
    if (!settings->rate_kbps)
        return now_us;
    uint64_t begin_us = path->line_free_us > now_us ? path->line_free_us : now_us;
    path->line_free_us = begin_us + (uint64_t)len * 8000 / settings->rate_kbps;
    return path->line_free_us;
}

static uint64_t travel(struct fray_lab_path *path, const struct fray_lab_settings *settings)
{
    uint64_t jitter_us = (uint64_t)settings->jitter_ms * 1000;
    return (uint64_t)settings->delay_ms * 1000 +
           (jitter_us ? fray_rng_below(&path->rng, jitter_us + 1) : 0);
}

static uint64_t in_order(struct fray_lab_path *path, uint64_t due_us)
{
    if (due_us > path->last_us)
        path->last_us = due_us;
    return path->last_us;
}

uint64_t fray_lab_segment(struct fray_lab_path *path, const struct fray_lab_settings *settings,
                          uint64_t now_us, size_t len)
{
    uint64_t due_us = leave(path, settings, now_us, len) + travel(path, settings);
    uint64_t retransmit_us = (2 * (uint64_t)settings->delay_ms + FRAY_LAB_RETRANSMIT_MS) * 1000;
    unsigned loss = settings->datagrams ? 0 : settings->loss_percent;
    for (unsigned i = 0; i < FRAY_LAB_LOSSES_MAX && happens(path, loss); i++) {
        due_us += retransmit_us;
        retransmit_us *= 2; /* RFC 6298 5.5 */
    }
    return in_order(path, due_us);
}

unsigned fray_lab_datagram(struct fray_lab_path *path, const struct fray_lab_settings *settings,
                           uint64_t now_us, size_t len, uint64_t due_us[2])
{
    if (path->line_free_us > now_us + FRAY_LAB_BACKLOG_MS * UINT64_C(1000) && settings->rate_kbps)
        return 0; /* the queue before the line is full */
    uint64_t left_us = leave(path, settings, now_us, len);
    if (happens(path, settings->loss_percent))
        return 0;
    unsigned copies = happens(path, settings->duplicate_percent) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++) {
        due_us[i] = left_us + travel(path, settings);
        if (happens(path, settings->reorder_percent))
            due_us[i] += FRAY_LAB_HOLD_MS * UINT64_C(1000);
        else
            due_us[i] = in_order(path, due_us[i]);
    }
    return copies;
}

/* A pipe. */

void fray_lab_pipe_deinit(struct fray_lab_pipe *pipe)
{
    fray_buf_deinit(&pipe->bytes);
    free(pipe->segments);
    pipe->segments = NULL;
    pipe->start = 0;
    pipe->segments_head = pipe->segments_count = pipe->segments_cap = 0;
}

static struct fray_lab_in_flight *segment_at(const struct fray_lab_pipe *pipe, uint32_t index)
{
    return &pipe->segments[(pipe->segments_head + index) & (pipe->segments_cap - 1)];
}

static void grow(struct fray_lab_pipe *pipe)
{
    uint32_t cap = pipe->segments_cap ? pipe->segments_cap * 2 : SEGMENTS_CAP_MIN;
    struct fray_lab_in_flight *segments = fray_alloc(cap * sizeof *segments);
    for (uint32_t i = 0; i < pipe->segments_count; i++)
        segments[i] = *segment_at(pipe, i);
    free(pipe->segments);
    pipe->segments = segments;
    pipe->segments_head = 0;
    pipe->segments_cap = cap;
}

/* What arrives at the same time is one segment from then on, which bounds their number where small
 * writes queue up behind a loss. */
static void add_segment(struct fray_lab_pipe *pipe, uint64_t due_us, size_t len)
{
    if (pipe->segments_count) {
        struct fray_lab_in_flight *last = segment_at(pipe, pipe->segments_count - 1);
        if (last->due_us == due_us) {
            last->len += (uint32_t)len;
            return;
        }
    }
    if (pipe->segments_count == pipe->segments_cap)
        grow(pipe);
    pipe->segments_count++;
    *segment_at(pipe, pipe->segments_count - 1) =
        (struct fray_lab_in_flight){due_us, (uint32_t)len};
}

size_t fray_lab_pipe_room(const struct fray_lab_pipe *pipe)
{
    size_t bytes = FRAY_LAB_WINDOW - (pipe->bytes.len - pipe->start);
    size_t segments = (size_t)(FRAY_LAB_SEGMENTS_MAX - pipe->segments_count) * FRAY_LAB_SEGMENT;
    return bytes < segments ? bytes : segments;
}

size_t fray_lab_pipe_send(struct fray_lab_pipe *pipe, const struct fray_lab_settings *settings,
                          uint64_t now_us, struct fray_slice bytes)
{
    size_t room = fray_lab_pipe_room(pipe), sent = bytes.len < room ? bytes.len : room;
    for (size_t at = 0; at < sent;) {
        size_t len = sent - at < FRAY_LAB_SEGMENT ? sent - at : FRAY_LAB_SEGMENT;
        add_segment(pipe, fray_lab_segment(&pipe->path, settings, now_us, len), len);
        at += len;
    }
    if (sent)
        fray_buf_append(&pipe->bytes, bytes.data, sent);
    return sent;
}

struct fray_slice fray_lab_pipe_arrived(const struct fray_lab_pipe *pipe, uint64_t now_us)
{
    size_t len = 0;
    for (uint32_t i = 0; i < pipe->segments_count && segment_at(pipe, i)->due_us <= now_us; i++)
        len += segment_at(pipe, i)->len;
    return len ? fray_slice(pipe->bytes.data + pipe->start, len) : (struct fray_slice){0};
}

void fray_lab_pipe_consume(struct fray_lab_pipe *pipe, size_t count)
{
    pipe->start += count;
    while (count) {
        assert(pipe->segments_count);
        struct fray_lab_in_flight *first = segment_at(pipe, 0);
        if (count < first->len) {
            first->len -= (uint32_t)count;
            break;
        }
        count -= first->len;
        pipe->segments_head++;
        pipe->segments_count--;
    }
    if (!pipe->segments_count) {
        fray_lab_pipe_deinit(pipe);
    } else if (pipe->start >= BYTES_COMPACT && pipe->start >= pipe->bytes.len / 2) {
        fray_buf_consume(&pipe->bytes, pipe->start);
        pipe->start = 0;
    }
}

uint64_t fray_lab_pipe_next_us(const struct fray_lab_pipe *pipe)
{
    return pipe->segments_count ? segment_at(pipe, 0)->due_us : UINT64_MAX;
}
