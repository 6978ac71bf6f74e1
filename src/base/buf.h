/* A growable run of bytes that one owner appends to and reads from. Zero-initialised is empty and
 * holds no memory. Growth never fails (base/mem.h). One thread at a time. */
#ifndef FRAY_BASE_BUF_H
#define FRAY_BASE_BUF_H

#include <stdarg.h>
#include <stdint.h>

#include "base/slice.h"

struct fray_buf {
    char *data; /* len bytes in use of cap; NULL while cap is 0 */
    size_t len;
    size_t cap;
};

void fray_buf_deinit(struct fray_buf *buf); /* frees; the buffer is empty and usable again */

/* Makes room for `extra` more bytes and returns where they go; commit by adding to len. */
char *fray_buf_reserve(struct fray_buf *buf, size_t extra);

void fray_buf_append(struct fray_buf *buf, const void *data, size_t len);
void fray_buf_append_slice(struct fray_buf *buf, struct fray_slice slice);
void fray_buf_append_byte(struct fray_buf *buf, uint8_t byte);
void fray_buf_append_uint(struct fray_buf *buf, uint64_t value); /* decimal */
void fray_buf_printf(struct fray_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void fray_buf_vprintf(struct fray_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Drops the first `count` bytes and moves the rest to the front. */
void fray_buf_consume(struct fray_buf *buf, size_t count);

static inline struct fray_slice fray_buf_slice(const struct fray_buf *buf)
{
    return (struct fray_slice){buf->data, buf->len};
}

/* Appends a literal, its length known to the compiler. */
#define FRAY_BUF_LITERAL(buf, literal) fray_buf_append((buf), "" literal, sizeof(literal) - 1)

#endif
