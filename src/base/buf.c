#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BUF_CAP_MIN = 64 };

void fray_buf_deinit(struct fray_buf *buf)
{
    free(buf->data);
    *buf = (struct fray_buf){0};
}

char *fray_buf_reserve(struct fray_buf *buf, size_t extra)
{
    assert(extra <= SIZE_MAX / 2 - buf->len);
    if (buf->cap - buf->len < extra || !buf->data) {
        size_t cap = buf->cap ? buf->cap : BUF_CAP_MIN;
        while (cap - buf->len < extra)
            cap *= 2;
        buf->data = fray_realloc(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void fray_buf_append(struct fray_buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(fray_buf_reserve(buf, len), data, len);
    buf->len += len;
}

void fray_buf_append_slice(struct fray_buf *buf, struct fray_slice slice)
{
    fray_buf_append(buf, slice.data, slice.len);
}

void fray_buf_append_byte(struct fray_buf *buf, uint8_t byte)
{
    *fray_buf_reserve(buf, 1) = (char)byte;
    buf->len++;
}

void fray_buf_append_uint(struct fray_buf *buf, uint64_t value)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    fray_buf_append(buf, digits + first, sizeof digits - first);
}

void fray_buf_vprintf(struct fray_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int needed = vsnprintf(NULL, 0, format, args);
    assert(needed >= 0);
    char *at = fray_buf_reserve(buf, (size_t)needed + 1);
    vsnprintf(at, (size_t)needed + 1, format, again);
    va_end(again);
    buf->len += (size_t)needed;
}

void fray_buf_printf(struct fray_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fray_buf_vprintf(buf, format, args);
    va_end(args);
}

void fray_buf_consume(struct fray_buf *buf, size_t count)
{
    assert(count <= buf->len);
    buf->len -= count;
    if (buf->len)
        memmove(buf->data, buf->data + count, buf->len);
}
